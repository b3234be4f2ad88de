/* refusal: what an error that a script answered means to whoever asked.
 * Knows: scripts, the words of Redis' errors.  Must not know: what a resource or lock is. */
#ifndef OPS_REFUSAL_H
#define OPS_REFUSAL_H

#include "base/err.h"
#include "redis/script.h"

/* The text after its first word. */
struct str refusal_text(struct str error);
/* Fills err and returns false: NOTOWNER as it is, UPSTREAM with what Redis refused for want of
 * memory and the like, all others ERR with the place in the script. SCRIPT_NONE: of a command. */
bool refusal_explain(enum script_id script, struct str error, struct err *err);

#endif
