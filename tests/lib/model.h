/* model: what a pool must be, after any sequence of operations of ours and of a Python program:
 * plain arrays, no Redis. Each function does to the model what the operation must do to the pool
 * and says what it must answer; model_check() compares everything that lies in Redis. Tokens are
 * learned from answers; times are of three kinds only (past, far away, for ever), so that nothing
 * depends on when a test runs. Knows: the specification.  Must not know: lua/. */
#ifndef TESTS_LIB_MODEL_H
#define TESTS_LIB_MODEL_H

#include "tests/lib/script.h"
#include <stdbool.h>

enum { MODEL_ITEMS = 12, MODEL_NAMES = 3, MODEL_REQUESTS = 3, MODEL_TOKEN = 80, MODEL_GRANTS = 48 };
#define MODEL_NONE (-1)
/* Stands for all that is this long ahead. */
#define MODEL_FAR    2
#define MODEL_FAR_MS 1000000000L
/* Leases and bindings with a time have this one at most. */
#define MODEL_LEASE_MS 100000L

enum model_index { INDEX_NONE, INDEX_DUE, INDEX_LATER, INDEX_EVER };

struct model_item {
    const char *name;
    bool is_in, is_free; /* in the pool; in its free list */
    long expiry;         /* Unix seconds: -1, 1 (past) or MODEL_FAR */
    bool is_given;       /* while a malloc is about to give it */
    bool has_lease, is_permanent;
    char token[MODEL_TOKEN];          /* the lease key's value */
    enum model_index index, departed; /* its entries in the two parts of the index */
    long due, departed_due; /* scores while INDEX_DUE: the order in which they are taken back */
    char note[MODEL_TOKEN]; /* token that is noted; "" = no note */
    int owner, reqid;       /* of the note; MODEL_NONE = without */
    int kind;               /* why it is aside (lua/pool/aside.lua); 0: nothing is said of it */
    bool is_pending;        /* it goes there when it comes back */
};

struct model_request { /* what a reqid was given */
    bool is_joined, is_of_this_batch;
    int count;
    int items[MODEL_GRANTS];
    char tokens[MODEL_GRANTS][MODEL_TOKEN];
};

struct model {
    bool is_shared;
    struct model_item items[MODEL_ITEMS];
    int list[MODEL_ITEMS], free_count;
    int ours[MODEL_NAMES], theirs[MODEL_NAMES]; /* bindings to an item, or MODEL_NONE */
    struct model_request requests[MODEL_REQUESTS];
    struct model_request last; /* what the newest batch that granted something has granted */
    long last_sequence;
    long ended; /* counts leases that have ended */
};

struct model_ask {
    char how; /* '1', 'n', 'a' */
    int count;
    bool is_permanent;
    int name, owner, reqid; /* MODEL_NONE = without */
};

struct model_given {
    int count;
    int items[MODEL_ITEMS];
    bool is_again; /* of an earlier request: the tokens are known */
};

/* What gc reports. */
struct model_swept {
    int scanned, reclaimed, expired, repaired;
};

void model_init(struct model *model, bool is_shared);
/* By its name; MODEL_NONE for a stranger. */
int model_find(const struct model *model, const char *name, size_t len);
const char *model_owner(int i);
const char *model_reqid(int i);
const char *model_name(int i);

/* A batch begins: what it grants is what a recall takes back. */
void model_begin_batch(struct model *model);
/* Who is given what; the leases come by model_granted(), with the tokens that Redis has made. */
struct model_given model_malloc(struct model *model, const struct model_ask *ask);
void model_granted(struct model *model, const struct model_ask *ask,
                   const struct model_given *given, const char *const *tokens);
/* token: NULL = whoever; expiry: 0 = keep. How many, or -1: NOTOWNER. */
int model_free(struct model *model, const char *token, long expiry, int count, const int *items);
int model_renew(struct model *model, const char *token, bool is_permanent, int item);
int model_recall(struct model *model);

int model_extend(struct model *model, long expiry, int count, const int *items);
/* Kinds: see lua/pool/aside.lua. How many. */
int model_set_aside(struct model *model, int kind, int count, const int *items);
int model_restore(struct model *model, int kind, int count, const int *items);
int model_shrink(struct model *model, int count, const int *items);
void model_assign(struct model *model, long expiry, int count, const int *items, int *added,
                  int *removed);
/* order: the items as HSCAN names them. */
struct model_swept model_gc(struct model *model, int count, const int *order);
/* Returns how many changes it must report. */
int model_repair(struct model *model);
/* "free", "leased" ... as POOL STATUS says. NULL for a stranger. */
const char *model_state(const struct model *model, int item);

/* A Python program on the same pool. */
int model_peer_malloc(struct model *model, bool is_permanent, int name);
void model_peer_free(struct model *model, long expiry, int item);
void model_peer_extend(struct model *model, long expiry, int item);
void model_peer_shrink(struct model *model, int item);
void model_peer_assign(struct model *model, long expiry, int count, const int *items);
void model_peer_gc(struct model *model, int count, const int *order);
void model_peer_update(struct model *model, int item, bool is_permanent);
/* A lease's time has run out: the index says so, too, if it has the lease. */
void model_end_lease(struct model *model, int item);

/* Fails the test unless all that lies in Redis is what the model has. */
void model_check(const struct model *model, const struct pool_at *at);

#endif
