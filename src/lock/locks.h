/* locks: what is locked, by whom, until when: exclusive locks, locks with several holders (SHARED,
 * PERMITS), and values that are compared. All locks of the namespace wait at one lane, so that
 * those of many clients share calls. Knows: ops/, the locks' keys and scripts.  Must not know:
 * clients, RESP, command names. */
#ifndef LOCK_LOCKS_H
#define LOCK_LOCKS_H

#include "base/map.h"
#include "lock/keys.h"
#include "ops/waiter.h"

struct locks {
    struct batches *batches;
    struct log *log;
    struct lane lane;
    struct line line;           /* of those who wait for any of them */
    struct map waited;          /* set NUL key -> struct waited: what they wait for */
    struct list waited_in_turn; /* the same, next to be looked after first */
    char *text;                 /* owns those below */
    struct str prefix;
    struct str keys[LOCK_COMMON_KEYS]; /* of all locks, from LOCK_KEY_COUNTER on */
    /* since start or CONFIG RESETSTAT */
    struct lock_counters {
        uint64_t asked, granted, held, ended, recalled;
    } counters;
};

void locks_init(struct locks *locks, struct batches *batches, struct waiters *waiters,
                struct str prefix, struct rand *rand, struct log *log);
/* The lane is idle. Who still waits is told that the daemon stops. */
void locks_clear(struct locks *locks);

/* What an operation comes to. err: kind NOTOWNER, UPSTREAM, BUSY, WRONGTYPE or ERR with a text for
 * the client; the answer is as said below. Runs exactly once, never before the call has returned.
 * Arguments of calls are copied. */
typedef void (*lock_done)(void *arg, const struct err *err, const struct answer *answer);

/* Asked with `arg` when something was granted: is its asker gone? Then it is given back, unless its
 * owner has been told of it again. NULL: no. */
typedef bool (*lock_is_gone)(void *arg);

/* 1 to 512 bytes without NUL that do not begin with a value of locks with several holders. */
MUST_CHECK bool lock_owner_check(struct str owner, struct err *err);

enum lock_kind { LOCK_EXCLUSIVE, LOCK_SHARED, LOCK_PERMITS, LOCK_ALL };

struct lock_request {
    struct str set;         /* "" = of no set */
    const struct str *keys; /* one; of LOCK_ALL several: all or none of them, each alone */
    int count;
    struct str owner;
    int64_t timeout_ms; /* <= 0: for ever */
    bool is_again;      /* whoever holds it already gets it again, with the time anew */
    enum lock_kind kind;
    int64_t permits, limit; /* of LOCK_PERMITS: 1 <= permits <= limit */
    struct str reqid;       /* who asked with it before gets the same again; "" = none */
    struct str session;     /* that has it then; "" = none */
    lock_is_gone is_gone;
};
/* The fence; of LOCK_ALL an array of fences in the order given; or nil. */
void locks_take(struct locks *locks, const struct lock_request *request, lock_done done, void *arg);

/* Whoever holds it: OK. */
void locks_set(struct locks *locks, const struct lock_name *name, struct str owner,
               int64_t timeout_ms, lock_done done, void *arg);
/* 1, 0. */
void locks_extend(struct locks *locks, const struct lock_name *name, struct str owner,
                  int64_t timeout_ms, lock_done done, void *arg);
/* owner "": whoever holds it. may_lead: who asks for the lock beside it can have it, see struct op.
 * 1, 0 when it is free, NOTOWNER. */
void locks_end(struct locks *locks, const struct lock_name *name, struct str owner, bool may_lead,
               lock_done done, void *arg);

/* One granting: what its owner has taken since is another one. */
struct lock_hold {
    struct lock_name name;
    struct str owner;
    int64_t fence;
    struct str session; /* of locks_give_back: only if this one still has it */
};
/* It lasts so long, or longer if it does already: 1, 0. */
void locks_keep(struct locks *locks, const struct lock_hold *hold, int64_t timeout_ms,
                lock_done done, void *arg);
/* Ends it; nobody waits for the outcome. */
void locks_give_back(struct locks *locks, const struct lock_hold *hold);

/* The time to live in ms; -1: permanent, -2: free. */
void locks_look(struct locks *locks, const struct lock_name *name, lock_done done, void *arg);
/* Nil; its owner; an array of owners when it is of a kind that can have several. */
void locks_holders(struct locks *locks, const struct lock_name *name, lock_done done, void *arg);

/* op: one of > < >= <= == !=; the values are decimal numbers. 1, 0. */
void locks_set_if(struct locks *locks, const struct lock_name *name, struct str op,
                  struct str value, struct str new_value, int64_t timeout_ms, lock_done done,
                  void *arg);
void locks_delete_if(struct locks *locks, const struct lock_name *name, struct str op,
                     struct str value, lock_done done, void *arg);

/* Tells what this daemon knows of those who wait and hold something meanwhile ("": nothing): an
 * array of what all daemons do. */
void locks_exchange(struct locks *locks, struct str text, lock_done done, void *arg);

#endif
