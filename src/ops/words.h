/* words: the arguments of one call while they are put together: borrowed texts, and numbers and
 * pieces whose bytes lie here until the next words_start(). Kept between calls, as every call needs
 * some.
 * Knows: base/.  Must not know: scripts. */
#ifndef OPS_WORDS_H
#define OPS_WORDS_H

#include "base/str.h"
#include <stdint.h>

struct words {
    struct str *list;
    size_t count, room;
    char *bytes; /* of numbers and pieces; never moves between two words_start() */
    size_t used, bytes_room;
};

void words_clear(struct words *words);
/* Forgets all; room for `count` words and for `bytes` of their own. */
void words_start(struct words *words, size_t count, size_t bytes);
void words_put(struct words *words, struct str text); /* borrowed */
void words_put_all(struct words *words, const struct str *texts, size_t count);
void words_put_int(struct words *words, int64_t n); /* takes NUM_INT_MAX of the bytes at most */
/* `len` bytes that the caller fills; the word is there already. */
char *words_put_space(struct words *words, size_t len);

#endif
