/* wish: what somebody wants to lock, as an operation of a batch, and how that is given back when
 * nobody wants it any more. Knows: steps.  Must not know: who wants it. */
#ifndef LOCK_WISH_H
#define LOCK_WISH_H

#include "lock/step.h"

/* place: in the line of those who wait, NULL: it does not wait. */
struct lock_call *wish_pack(struct locks *locks, const struct lock_request *request,
                            const struct lock_place *place, lock_done done, void *arg);
/* Counts what became of a wish that was answered; true when it was granted. */
bool wish_count(struct locks *locks, const struct err *failure, const struct answer *answer);
/* Ends the locks of a call that was granted, unless their owner has been told of them again. */
void wish_give_back(struct lock_call *granted, const struct answer *fences);

#endif
