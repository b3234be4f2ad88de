/* str: byte strings as pointer and length, always borrowed, never NUL-terminated by promise.
 * Knows: libc.  Must not know: who owns the bytes. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

/* STR: a literal as a str.  PRSTR: the two arguments that printf's "%.*s" wants. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define PRSTR(s)     ((int)(s).len), ((s).len > 0 ? (s).ptr : "")

static inline struct str str_of(const char *text)
{
    return (struct str){text, strlen(text)};
}

static inline struct str str_make(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

static inline bool str_is_empty(struct str s)
{
    return s.len == 0;
}

/* Lengths first: a prefix never equals the whole. */
static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* As str_eq, but ASCII letters compare without case, whatever the locale. */
bool str_eq_nocase(struct str a, struct str b);

/* As str_eq, in time that depends on the lengths alone: for passwords. */
bool str_eq_secret(struct str a, struct str b);

/* Ordering by bytes, shorter first among equals: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Offset of the first `needle` in `s`, or -1. An empty needle is found at 0. */
long str_find(struct str s, struct str needle);

/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);

/* Cuts the first part of `rest` off at `separator`; false when rest is exhausted.
 * "a,,b" gives "a", "", "b".  Start with *rest = the whole; an exhausted rest has ptr NULL. */
bool str_split(struct str *rest, char separator, struct str *part);

/* Redis' glob: * ? [a-z] [^x] and backslash. Never exponential: at most s.len times the longest
 * piece between two stars. */
bool str_glob(struct str pattern, struct str s, bool nocase);

/* Copies s to *at, which moves behind it: several texts in one piece of memory. The copy. */
struct str str_put(char **at, struct str s);

/* Copies into `out` (NUL-terminated, cut at size-1) with what is not printable ASCII as \xNN. */
void str_printable(struct str s, char *out, size_t size);

#endif
