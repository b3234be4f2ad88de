/* more: the further options of an operation in one text, as the scripts take it: each a letter and
 * its value, separated by \1 (lua/pool/malloc.lua, free.lua). Values hold no \1 and no NUL: whoever
 * adds one has checked that.
 * Knows: texts.  Must not know: what the options mean. */
#ifndef POOL_MORE_H
#define POOL_MORE_H

#include "base/str.h"
#include <stdint.h>

struct more {
    char *text; /* owned; NULL: empty */
    size_t len;
};

void more_add(struct more *more, char letter, struct str value);
void more_add_int(struct more *more, char letter, int64_t value);
/* Is there one of that letter? */
bool more_has(struct str more, char letter);
/* Borrowed until the next more_add() or more_clear(). */
struct str more_text(const struct more *more);
void more_clear(struct more *more);

#endif
