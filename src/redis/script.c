#include "redis/script.h"
#include <stdio.h>

const struct script *script_of(enum script_id id)
{
    return &script_table[id];
}

/* Appends what fits. */
static size_t append(char *out, size_t size, size_t len, struct str s)
{
    size_t room = size - 1 - len;
    size_t take = s.len < room ? s.len : room;
    if (take > 0)
        memcpy(out + len, s.ptr, take);
    return len + take;
}

/* The line number that `s` begins with, and how many bytes it takes; 0 when there is none. */
static int leading_number(struct str s, size_t *len)
{
    int n = 0;
    size_t i = 0;
    while (i < s.len && i < 7 && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        n = n * 10 + (s.ptr[i++] - '0');
    *len = i;
    return n;
}

/* Redis names a script "user_script" in some versions, "@user_script" in others. */
void script_explain(const struct script *script, struct str error, char *out, size_t size)
{
    static const char mark[] = "user_script:";
    struct str rest = error;
    size_t len = 0;
    long at;
    if (size == 0)
        return;
    while ((at = str_find(rest, STR(mark))) >= 0) {
        size_t before = (size_t)at, digits;
        struct str number = {rest.ptr + before + sizeof(mark) - 1,
                             rest.len - before - (sizeof(mark) - 1)};
        int line = leading_number(number, &digits);
        if (before > 0 && rest.ptr[before - 1] == '@')
            before--;
        len = append(out, size, len, str_make(rest.ptr, before));
        if (line >= 1 && line <= script->line_count) {
            char place[300];
            const struct script_line *from = &script->lines[line - 1];
            snprintf(place, sizeof(place), "%s:%d", from->file, from->line);
            len = append(out, size, len, str_of(place));
        } else {
            len = append(
                out, size, len,
                str_make(rest.ptr + before, (size_t)(number.ptr + digits - (rest.ptr + before))));
        }
        rest = str_make(number.ptr + digits, number.len - digits);
    }
    len = append(out, size, len, rest);
    out[len] = '\0';
}
