/* waitfor: the wait-for graph: which session waits for what, and holds what meanwhile. All daemons
 * put theirs together; whoever has them all can tell who waits for ever, and who is to give way.
 *
 * A session waits for ever when one of its wants cannot be met even if all others that do not wait
 * for ever give back what they hold: its want of n of m is not met as long as those who wait for
 * ever hold more than m - n of it. A lock is 1 of 1; who holds it together with others holds 1,
 * too, for whoever waits for it waits for all of them, if only behind somebody else in the line. So
 * the graph is that of Holt (1972) for resources with several units, looked at from the side of
 * what is left. Of those in a cycle the one that began to wait last gives way.
 *
 * On the way it is text: words that end in NUL.
 *     S id ticket who   then its   W object n m   and   H object n
 * Knows: base/, evbuffers.  Must not know: Redis, what an object is. */
#ifndef OPS_WAITFOR_H
#define OPS_WAITFOR_H

#include "base/err.h"
#include <event2/buffer.h>
#include <stdbool.h>
#include <stdint.h>

/* --- to be put together ------------------------------------------------------------------------
 */

/* Texts hold no NUL. id: of the session, over all daemons; ticket: grows with the time at which it
 * began to wait; who: for people. */
void waitfor_put_session(struct evbuffer *out, struct str id, int64_t ticket, struct str who);
/* Of the session put last. object: what people read is made of it: see waitfor_find(). */
void waitfor_put_want(struct evbuffer *out, struct str object, int64_t n, int64_t m);
void waitfor_put_hold(struct evbuffer *out, struct str object, int64_t n);

/* --- to be looked at ---------------------------------------------------------------------------
 */

struct waitfor;

struct waitfor *waitfor_new(void);
void waitfor_free(struct waitfor *graph);
/* The text of one daemon. What is no such text is left out from there on. */
void waitfor_add(struct waitfor *graph, struct str text);
/* Who is to give way: its id, borrowed; false when nobody is. err: kind DEADLOCK, names the cycle:
 * "a waits for lock x, which b holds, who waits for ..." */
bool waitfor_find(struct waitfor *graph, struct str *id, struct err *err);

#endif
