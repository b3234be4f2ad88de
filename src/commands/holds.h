/* holds: what connections hold SESSION-wise: leases and locks that are renewed as long as the
 * connection lives, given back when it ends, and told of when they are lost.
 * Knows: ops/session, pool/leases, lock/locks, peer.h.  Must not know: sockets.
 * Owns: a connection's session, in its peer_state, from its first hold to holds_end(). */
#ifndef COMMANDS_HOLDS_H
#define COMMANDS_HOLDS_H

#include "commands/dispatch.h"
#include "lock/keys.h"
#include "pool/leases.h"

/* A request with SESSION begins: notes what was asked; the time in ms that it gets from Redis at
 * first. */
int64_t holds_begin(struct later *later, const struct options *options);

/* The session's name, unique among all that any daemon ever had: what it holds, and where it waits,
 * goes by it. A lease gets it that was asked for with a reqid. Whoever gets the same lease by the
 * same reqid has it, too; it ends when the last of them does. */
#define HOLDS_NAME_MAX 64
struct str holds_name(const struct later *later, char out[HOLDS_NAME_MAX]);
/* The connection of this request holds these leases; when it has gone, whoever asked gives
 * them back, but with a reqid: then it will ask again. */
void holds_take_leases(struct later *later, struct pool *pool, const struct leases *leases);
/* This request gives the resource back. token: "" = whichever. Without one it may be refused where
 * several can hold the resource, so that what is of such a one is forgotten by holds_end_free(). */
void holds_free_lease(const struct later *later, struct peer *peer, struct str resource,
                      struct str token);
void holds_end_free(const struct later *later, bool is_done);

/* A lock that is asked for with SESSION: kept until its outcome is known. Of several of one request
 * the last comes first. amount: of permits, else 1. */
void holds_plan_lock(struct later *later, const struct lock_name *name, struct str owner,
                     int64_t amount);
/* fences: of all planned locks, nil: they were not granted. */
void holds_take_locks(struct later *later, const struct answer *fences);
/* Likewise; owner: "" = whoever. */
void holds_forget_lock(struct peer *peer, const struct lock_name *name, struct str owner);

/* The connection ends, or begins anew: gives all back. */
void holds_end(struct daemon *daemon, struct peer_state *state);
/* How much it holds. */
size_t holds_count(const struct peer_state *state);

/* Each of it: what it is, for the wait-for graph, and how much of it. */
void holds_each(const struct peer_state *state,
                void (*each)(void *arg, struct str object, int64_t amount), void *arg);
enum { HOLDS_OBJECT_MAX = 700 };
struct str holds_lock_object(const struct lock_name *name, char out[HOLDS_OBJECT_MAX]);
struct str holds_pool_object(const struct pool *pool, char out[HOLDS_OBJECT_MAX]);

/* What the next request of a connection is answered that lost something and could not be told: true
 * and err, once. */
bool holds_tell_late(struct peer_state *state, struct err *err);

#endif
