/* leases: malloc, free, renew, held: the hot path. Each is an operation at the pool's lane, merged
 * into batches.
 * Knows: ops/, pools.  Must not know: clients, RESP, command names. */
#ifndef POOL_LEASES_H
#define POOL_LEASES_H

#include "pool/pools.h"

/* Errors of `done`: kind NOTOWNER, UPSTREAM, BUSY, WRONGTYPE or ERR with a text for the client.
 * Every `done` runs exactly once, never before the call has returned. Arguments are copied. */

enum malloc_mode { MALLOC_ONE, MALLOC_UP_TO, MALLOC_ALL };

struct malloc_request {
    enum malloc_mode mode;
    int64_t count;      /* 1 for MALLOC_ONE */
    int64_t timeout_ms; /* <= 0: for ever */
    struct str name;    /* "" = no soft binding */
    int64_t binding_ms; /* <= 0: for ever */
    struct str owner;   /* "" = none */
    struct str reqid;   /* "" = none */
    struct str holder;  /* a session's id, with a reqid: it is to leave what it gets; "" = none */
    struct str more;    /* further options, as lua/pool/malloc.lua has them; "" = none */
    int64_t longest_ms; /* of the whole holding, <= 0: not known; for those who wait */
    bool is_sole; /* its asker has asked for nothing else that is not answered: see struct op */
};

struct lease {
    struct str resource;
    struct str token; /* "" in a shared pool, "1" when a Python peer made it */
    int64_t fence;    /* 0 likewise */
    int64_t ttl_ms;   /* -1: permanent (and in a shared pool) */
    struct str data;  /* what belongs to the resource, where it was asked for ... */
    bool has_data;    /* ... and there is some */
};

/* What was granted, in order. Borrowed for the callback. */
struct leases {
    const struct answer *answer; /* private; NULL: see the next two */
    struct lease *kept;          /* private: copied by leases_copy(); NULL: one is all */
    struct lease one;
    size_t fields; /* private: of each in the answer */
    size_t count;
    int64_t asked_ms; /* monotonic: their ttls count from then at the earliest */
};
struct lease leases_at(const struct leases *leases, size_t i);
/* A copy that outlives the callback; the texts are copied, too. */
void leases_copy(const struct leases *leases, struct leases *copy);
/* Of a copy: frees it; it is empty then. Likewise of an empty one. */
void leases_drop(struct leases *copy);

/* `leases` is NULL with an error, else count 0 when nothing (or, for ALL, not enough) is free. */
typedef void (*leases_done)(void *arg, const struct err *err, const struct leases *leases);
typedef void (*count_done)(void *arg, const struct err *err, int64_t count);

void leases_malloc(struct pool *pool, const struct malloc_request *request, leases_done done,
                   void *arg);
void leases_held(struct pool *pool, struct str owner, leases_done done, void *arg);

struct free_request {
    struct str token;  /* "" = whoever holds it */
    bool has_expiry;   /* the resources get a new expiry */
    int64_t expiry_ms; /* from now; <= 0: never */
    const struct str *resources;
    int count;
    struct str more; /* what the holder says: see lua/pool/free.lua; "" = nothing */
    bool is_sole;    /* its asker has asked for nothing else that is not answered: see struct op */
};
void leases_free(struct pool *pool, const struct free_request *request, count_done done, void *arg);
/* 1, 0 without such a lease, NOTOWNER. is_sole: as in struct free_request. */
void leases_renew(struct pool *pool, struct str resource, struct str token, int64_t timeout_ms,
                  bool is_sole, count_done done, void *arg);
/* As leases_renew(), but it lasts for longer if it does already, and all in all no longer than the
 * pool's max_lease: above 1 it was cut by that, to so many ms, and will not last any longer. */
void leases_keep(struct pool *pool, struct str resource, struct str token, int64_t timeout_ms,
                 count_done done, void *arg);
/* Gives granted leases back whose asker is gone; nobody waits for the outcome. */
void leases_give_back(struct pool *pool, const struct leases *leases);
/* Likewise, what this holder asked for: whoever got it by repeating the request keeps it.
 * will_return: its client will repeat it, so that it lasts for its time. */
void leases_leave(struct pool *pool, const struct leases *leases, struct str holder,
                  bool will_return);

#endif
