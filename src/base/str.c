/* str: byte strings as pointer and length. See str.h. */
#include "base/str.h"

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower((unsigned char)a.ptr[i]) != lower((unsigned char)b.ptr[i]))
            return false;
    }
    return true;
}

bool str_eq_secret(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    /* volatile: the compiler must not find out that it could stop early */
    volatile unsigned char differing = 0;
    for (size_t i = 0; i < a.len; i++)
        differing = (unsigned char)(differing | (a.ptr[i] ^ b.ptr[i]));
    return differing == 0;
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_make(s.ptr, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    /* An empty suffix first: an empty s may have a NULL pointer, to which nothing is added. */
    return suffix.len == 0 || (s.len >= suffix.len &&
                               memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

long str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *found = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return found == NULL ? -1 : (long)(found - s.ptr);
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}

bool str_split(struct str *rest, char separator, struct str *part)
{
    if (rest->ptr == NULL)
        return false;
    const char *at = rest->len == 0 ? NULL : memchr(rest->ptr, separator, rest->len);
    if (at == NULL) {
        *part = *rest;
        *rest = str_make(NULL, 0);
        return true;
    }
    *part = str_make(rest->ptr, (size_t)(at - rest->ptr));
    *rest = str_make(at + 1, rest->len - part->len - 1);
    return true;
}

/* --- glob ------------------------------------------------------------------------------ */

/* One byte of a class, a backslash undone; *at moves past it. */
static unsigned char class_byte(struct str pattern, size_t *at, bool nocase)
{
    if (pattern.ptr[*at] == '\\' && *at + 1 < pattern.len)
        (*at)++;
    unsigned char c = (unsigned char)pattern.ptr[(*at)++];
    return nocase ? lower(c) : c;
}

/* Does c belong to the class whose '[' was just passed? *at moves past its ']'. A class without
 * an end goes to the end of the pattern, as in Redis. */
static bool match_class(struct str pattern, size_t *at, unsigned char c, bool nocase)
{
    bool is_negated = *at < pattern.len && pattern.ptr[*at] == '^';
    bool is_member = false;
    if (is_negated)
        (*at)++;
    while (*at < pattern.len && pattern.ptr[*at] != ']') {
        unsigned char from = class_byte(pattern, at, nocase), to = from;
        if (*at + 1 < pattern.len && pattern.ptr[*at] == '-' && pattern.ptr[*at + 1] != ']') {
            (*at)++;
            to = class_byte(pattern, at, nocase);
        }
        if (from > to) {
            unsigned char swap = from;
            from = to;
            to = swap;
        }
        is_member = is_member || (c >= from && c <= to);
    }
    if (*at < pattern.len)
        (*at)++;
    return is_member != is_negated;
}

/* Does c match the element at *at, which is no star? *at moves past the element. */
static bool match_one(struct str pattern, size_t *at, unsigned char c, bool nocase)
{
    unsigned char p = (unsigned char)pattern.ptr[(*at)++];
    if (nocase)
        c = lower(c);
    if (p == '?')
        return true;
    if (p == '[')
        return match_class(pattern, at, c, nocase);
    if (p == '\\' && *at < pattern.len)
        p = (unsigned char)pattern.ptr[(*at)++];
    return (nocase ? lower(p) : p) == c;
}

bool str_glob(struct str pattern, struct str s, bool nocase)
{
    size_t at = 0, i = 0;             /* where we are in the pattern and in s */
    size_t after_star = 0, retry = 0; /* where to go on when the piece after a star fails */
    bool has_star = false;

    /* Only the last star is ever tried again: an earlier one that took more could match nothing
     * that the last one does not. So the cost is never exponential. */
    while (i < s.len) {
        size_t next = at;
        if (at < pattern.len && pattern.ptr[at] == '*') {
            has_star = true;
            after_star = ++at;
            retry = i;
        } else if (at < pattern.len && match_one(pattern, &next, (unsigned char)s.ptr[i], nocase)) {
            at = next;
            i++;
        } else if (has_star) {
            if (after_star == pattern.len)
                return true;
            at = after_star;
            i = ++retry;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.ptr[at] == '*')
        at++;
    return at == pattern.len;
}

struct str str_put(char **at, struct str s)
{
    struct str copy = str_make(*at, s.len);
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

void str_printable(struct str s, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    if (size == 0)
        return;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool is_plain = c >= ' ' && c <= '~';
        if (size - used <= (is_plain ? 1U : 4U))
            break;
        if (is_plain) {
            out[used++] = (char)c;
        } else {
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = digits[c >> 4];
            out[used++] = digits[c & 15];
        }
    }
    out[used] = '\0';
}
