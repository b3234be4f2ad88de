/* mem: allocation that never returns NULL. See mem.h. */
#include "base/mem.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The log may need memory, so the words go to stderr by the shortest way. */
static _Noreturn void die(size_t wanted)
{
    char line[80];
    int len = snprintf(line, sizeof(line), "rallocd: out of memory: wanted %zu bytes\n", wanted);
    ssize_t written = write(STDERR_FILENO, line, (size_t)len);
    (void)written; /* nothing is left to be done about it */
    abort();
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size == 0 ? 1 : size);
    if (ptr == NULL)
        die(size);
    return ptr;
}

void *mem_zalloc(size_t size)
{
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        die(SIZE_MAX);
    void *ptr = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
    if (ptr == NULL)
        die(count * size);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size == 0 ? 1 : size);
    if (grown == NULL)
        die(size);
    return grown;
}

void mem_free(void *ptr)
{
    free(ptr);
}

char *mem_dup(struct str s)
{
    if (s.len == SIZE_MAX)
        die(SIZE_MAX);
    char *copy = mem_alloc(s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        die(0);
    return text;
}
