/* payload: parameters and results as they lie in Redis: as they are, or compressed when they are
 * long. Those that begin with NUL have a mark before them, as compressed ones have.
 * Knows: base/, zlib.  Must not know: what a payload says. */
#ifndef TASK_PAYLOAD_H
#define TASK_PAYLOAD_H

#include "base/str.h"
#include <stdint.h>

struct payload {
    struct str text; /* borrowed from what it was made of, or in `bytes` */
    char *bytes;     /* NULL: nothing of its own */
};

/* As it shall lie in Redis. min: those shorter than that are not compressed; 0: none is. */
void payload_pack(struct payload *payload, struct str text, int64_t min);
/* As it was before. What nobody has packed so comes out as it is. */
void payload_unpack(struct payload *payload, struct str packed);
void payload_clear(struct payload *payload);

#endif
