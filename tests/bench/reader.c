/* reader: see reader.h. */
#include "reader.h"
#include "base/num.h"
#include <err.h>

static int64_t number_of(struct str line)
{
    int64_t n;
    if (!num_parse_int(str_make(line.ptr + 1, line.len - 1), &n) || n < -1)
        errx(1, "a strange line in a reply: %.*s", PRSTR(line));
    return n;
}

static enum leaf_type type_of(struct str line)
{
    switch (line.ptr[0]) {
    case '+':
        return LEAF_STATUS;
    case ':':
        return LEAF_INTEGER;
    case '-':
        return LEAF_ERROR;
    default:
        errx(1, "not RESP2: %.*s", PRSTR(line));
    }
}

static void see(struct leaf *leaf, enum leaf_type type, const char *ptr, size_t len)
{
    if (leaf->type == LEAF_NONE)
        *leaf = (struct leaf){type, str_make(ptr, len)};
}

size_t reader_next(const char *bytes, size_t len, struct leaf *leaf)
{
    size_t at = 0;
    *leaf = (struct leaf){0};
    for (int64_t pending = 1; pending > 0; pending--) {
        const char *end = at < len ? memchr(bytes + at, '\r', len - at) : NULL;
        if (end == NULL || end + 1 >= bytes + len)
            return 0;
        struct str line = str_make(bytes + at, (size_t)(end - (bytes + at)));
        at += line.len + 2;
        if (line.len == 0)
            errx(1, "an empty line in a reply");
        if (line.ptr[0] == '*') {
            int64_t count = number_of(line);
            pending += count > 0 ? count : 0;
        } else if (line.ptr[0] == '$') {
            int64_t size = number_of(line);
            if (size < 0)
                continue;
            if (len - at < (size_t)size + 2)
                return 0;
            see(leaf, LEAF_BULK, bytes + at, (size_t)size);
            at += (size_t)size + 2;
        } else {
            see(leaf, type_of(line), line.ptr + 1, line.len - 1);
        }
    }
    return at;
}
