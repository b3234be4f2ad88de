/* more: see more.h. */
#include "pool/more.h"
#include "base/mem.h"
#include <inttypes.h>
#include <stdio.h>

void more_add(struct more *more, char letter, struct str value)
{
    size_t at = more->len + (more->len > 0);
    more->text = mem_realloc(more->text, at + 1 + value.len);
    if (at > 0)
        more->text[at - 1] = '\1';
    more->text[at] = letter;
    memcpy(more->text + at + 1, value.ptr, value.len);
    more->len = at + 1 + value.len;
}

void more_add_int(struct more *more, char letter, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, value);
    more_add(more, letter, str_make(text, (size_t)len));
}

bool more_has(struct str more, char letter)
{
    struct str rest = more, option;
    while (more.len > 0 && str_split(&rest, '\1', &option)) {
        if (option.len > 0 && option.ptr[0] == letter)
            return true;
    }
    return false;
}

struct str more_text(const struct more *more)
{
    return str_make(more->text, more->len);
}

void more_clear(struct more *more)
{
    mem_free(more->text);
    *more = (struct more){0};
}
