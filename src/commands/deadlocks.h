/* deadlocks: connections that hold something SESSION-wise and wait for each other. Each daemon
 * tells of its own, looks at those of all, and refuses the one that is to give way when it is its
 * own: with DEADLOCK, when it has been seen twice, so that nothing is told of what has just ended.
 * Knows: ops/waitfor, holds, requests that wait.  Must not know: who waits in which order. */
#ifndef COMMANDS_DEADLOCKS_H
#define COMMANDS_DEADLOCKS_H

#include "daemon.h"

/* To be called every half second or so. */
void deadlocks_tick(struct daemon *daemon);

#endif
