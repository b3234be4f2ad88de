/* check: what handlers ask of their arguments. Each function answers the request with an
 * error and returns NULL or false where something is wrong.
 * Knows: dispatch.h, pools, locks. */
#ifndef COMMANDS_CHECK_H
#define COMMANDS_CHECK_H

#include "commands/dispatch.h"
#include "daemon.h"

/* The pool that the first fixed argument names. */
MUST_CHECK struct pool *check_pool(struct ask *ask);
/* Options that need a lease are errors in a shared pool, and nobody owns what it shows. */
MUST_CHECK bool check_leases(struct ask *ask, const struct pool *pool);
MUST_CHECK bool check_resource(struct ask *ask, const struct pool *pool, struct str resource);
/* All of the rest, and how many they are. */
MUST_CHECK bool check_resources(struct ask *ask, const struct pool *pool);
/* How many resources one call may have. */
int64_t check_most(const struct ask *ask);
/* CAPACITY, of so many resources: not in a shared pool, and units against max_resources. */
MUST_CHECK bool check_capacity(struct ask *ask, const struct pool *pool);
/* COUNT against check_most(). */
MUST_CHECK bool check_count(struct ask *ask);
/* PRIORITY, if it is given, against the command's own bounds: -most to most. */
MUST_CHECK bool check_priority(struct ask *ask, int64_t most);
/* A name of 1 to 512 bytes. */
MUST_CHECK bool check_bytes(struct ask *ask, struct str s, const char *what);
/* The lock that the first fixed argument and IN name. */
MUST_CHECK bool check_lock(struct ask *ask, struct lock_name *name);
MUST_CHECK bool check_owner(struct ask *ask, struct str owner);
/* All of the rest as names of locks, and how many they are. */
MUST_CHECK bool check_lock_keys(struct ask *ask);
/* One more that waits, for a task or its end: max_waiters. */
MUST_CHECK bool check_patience(struct ask *ask);
/* The name of a queue. */
MUST_CHECK bool check_queue(struct ask *ask, struct str queue);
/* Parameters or a result of a task of this queue. */
MUST_CHECK bool check_payload(struct ask *ask, struct str queue, struct str payload,
                              const char *what);
#define CHECK_CLIENT_TEXT_MAX 512 /* each connection keeps three of them */
/* What CLIENT SETNAME allows: printable ASCII without blanks, or nothing. `what` names it. */
MUST_CHECK bool check_client_text(struct ask *ask, struct str s, const char *what);

#endif
