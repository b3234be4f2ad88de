/* mem: allocation that never returns NULL: it logs to stderr and ends the process.
 * Sizes that a client chooses are bounded before they get here.
 * Knows: libc. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/str.h"

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
/* count * size, zeroed; an overflow of the product ends the process like exhaustion. */
void *mem_array(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
void mem_free(void *ptr);

/* A NUL-terminated copy of s that the caller owns. */
char *mem_dup(struct str s);
/* printf into a string that the caller owns. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
