/* batch: operations of one key group (a lane) wait in order of arrival; one call of a lane is in
 * flight, and what comes meanwhile is the next call. Neighbours that can be merged share a
 * call of the lane's batch script, or of a cheaper script where the lane's rules know one that does
 * all of them; any other operation is a call of its own. So calls of a lane take effect in the
 * order in which their operations came. Within a call those that may lead come first: what a FREE
 * gives back, a MALLOC of the same call can get. A cheaper script answers FULL, having changed
 * nothing, when the batch script has to do it after all; where that goes on, none is tried for a
 * while.
 *
 * While Redis does one call, its next one can be on its way, so that neither waits for the other: a
 * second call of a lane leaves beside the first when as many operations have gathered as that one
 * has. Both are a cheaper script's, of operations whose askers have asked for nothing else
 * (is_sole), so that nobody sees an order, and each has a journal of its own.
 *
 * Faults: while nothing of a lane is answered, its operations wait, each for at most `wait_ms`,
 * then fail with UPSTREAM. What Redis refused for a passing reason (LOADING, BUSY ...) is tried
 * again within the same time; any other merged call that it refused is sent again operation by
 * operation, for a neighbour may be at fault (OOM); what is refused alone fails in Redis' words. A
 * lost batch fails with "... may have happened", and the lane first recalls it (the rules' recall
 * script gives back what it granted and forbids it to happen later) before anything else is sent.
 * Any other lost call fails likewise, without a recall.
 *
 * Where what was granted before may have ended in Redis earlier than its holders think, nothing is
 * granted for a while: operations that may grant something fail with UPSTREAM then.
 *
 * Knows: redis/.  Must not know: what a resource, lock or task is.  Owns: no operation: `done`
 * gives each back exactly once. */
#ifndef OPS_BATCH_H
#define OPS_BATCH_H

#include "base/list.h"
#include "ops/words.h"
#include "redis/upstream.h"

struct op;
struct lane;

/* err: NULL when Redis answered (the answer itself may be an error of the script). The operation is
 * the caller's again. Runs once, never before lane_add() has returned. */
typedef void (*op_done)(struct op *op, const struct err *err, const struct answer *answer);

/* Embedded at the head of the domain's own record. The args' and keys' bytes live until done. */
struct op {
    struct list_node node;
    enum script_id script; /* the lane's batch script: merged. SCRIPT_NONE: args are a command */
    const struct str *args;
    int arg_count;
    /* Its own keys, such as a lock's: in a merged call, and of the rules' cheap_script, behind
     * those that the script's header names, one operation's after the other's; else they are the
     * last ones that it names. */
    const struct str *keys;
    int key_count;
    int weight; /* things that it may touch: bounds a merged call, and gives a call its time;
                 * 0 counts as 1 */
    /* It may take effect before others of its call that came before it: whoever asked for it has
     * asked for nothing else that is not answered yet. */
    bool may_lead;
    /* A client asked for it, and for nothing else that is not answered yet: it may be in flight
     * beside others like it. Not what the daemon does by itself: a client that was answered before
     * that had happened counts on what it asks for next to come behind it. */
    bool is_sole;
    bool may_grant; /* it is refused while nothing is granted: see batches_hold_grants() */
    bool is_flying; /* private: it has been sent */
    bool is_full;   /* private: a cheaper script has answered FULL */
    bool is_lost;   /* set with an error: it was sent, and may have happened */
    op_done done;
    int64_t queued_ms; /* set by lane_add */
    struct err *err;   /* private: why it was not taken, until done (batches_refuse) */
};

/* The operation of a node of a lane's lists. */
static inline struct op *op_at(struct list_node *node)
{
    return list_entry(node, struct op, node);
}

enum { RULES_HEAD = 4, RULES_RUN_WORDS = 4, RULES_RUN_BYTES = 64 };

/* What a lane must know of its key group; one constant struct per kind. */
struct lane_rules {
    enum script_id batch_script;
    enum script_id cheap_script; /* one of those of pack(): see keys of struct op; or SCRIPT_NONE */
    enum script_id recall_script; /* args: daemon, sequence */
    /* The keys of a script, in its header's order, but those that are an operation's own; borrowed
     * until the call is written. */
    void (*keys)(void *owner, const struct script *script, struct str *keys);
    /* Optional: puts the args before those of the operations of a batch, after daemon and sequence:
     * at most RULES_HEAD. */
    void (*head)(void *owner, struct words *args);
    /* Optional: a cheaper script that does all of these operations of the batch script, and its
     * args after daemon and sequence; SCRIPT_NONE, whatever has been put, when there is none. There
     * is room for all their args, and for RULES_RUN_WORDS and RULES_RUN_BYTES more for each. */
    enum script_id (*pack)(void *owner, struct op *const *ops, size_t count, struct words *args);
    /* What the recall script answered: it is settled. */
    void (*recalled)(void *owner, const struct answer *answer);
};

/* All lanes of a daemon. */
struct batches {
    struct upstream *upstream;
    struct upstream_listener listener;
    const struct clock *clock;
    struct log *log;
    /* This daemon's id: unguessable, new at each start; borrowed. The first journal's name. */
    struct str daemon;
    char beside[64];     /* the second one's */
    struct list waiting; /* lanes that have something to send, in turn */
    struct list later;   /* lanes that wait for their retry_at_ms */
    struct list active;  /* lanes that are not idle */
    struct list refused; /* operations that batches_refuse() ends at the next tick */
    int64_t wait_ms;
    int64_t
        restart_grace_ms; /* nothing is granted for so long after a restart of Redis; 0: at once */
    int64_t no_grants_until_ms; /* monotonic */
    const char *no_grants_why;  /* static */
    uint64_t servers;           /* upstream_servers() when a link became ready last */
    int max_batch;              /* operations of one call */
    int max_queued;             /* operations of one lane; one more is BUSY */
    /* Optional: runs when batches_tick() should be called as soon as the loop turns. */
    void (*wake)(void *arg);
    void *wake_arg;
    /* Optional: asks for batches_flush(): behind all that has been read in this turn of the loop,
     * so that requests which came together share a call; or, when several clients are at work,
     * behind what the next look at the sockets brings. Without it each operation is sent at once.
     */
    void (*gather)(void *arg, bool in_next_turn);
    void *gather_arg;
    bool is_gathering;      /* gather() has run and batches_flush() has not */
    int turns;              /* of the loop that what waits has been gathered for */
    uint64_t taken;         /* operations, ever */
    uint64_t seen, flushed; /* of them, by the last turn, and by the last flush */
    uint64_t crowd;         /* operations of the flush before this one */
    uint64_t sequence; /* of the newest batch of all lanes: a lane made anew never repeats one */
    struct words args, keys; /* of the call being written */
    struct op **picked;      /* its operations in their order; max_picked of them have room */
    size_t max_picked;
    bool is_closed;
    /* counters */
    uint64_t calls, batches, batched_ops, busy, retries, recalls;
    size_t queued; /* operations taken and not ended yet */
};

/* A call of a lane, one after the other; its batches are numbered in a journal of its own. */
struct flight {
    struct lane *lane;
    struct str journal; /* what its batches name as the daemon */
    struct list ops;
    bool is_flying;
    bool is_recalling; /* the call is a recall */
    bool is_packed;    /* the call is of a cheaper script */
    bool is_sole;      /* so are all of its operations */
    uint64_t sequence; /* of the newest batch */
    int64_t weight;    /* of the newest batch: to recall it costs as much */
    uint64_t lost;     /* a sequence to recall before anything else; 0: none */
};

enum { LANE_FLIGHTS = 2 };

struct lane {
    const struct lane_rules *rules;
    void *owner;
    struct batches *batches;
    struct list_node node;        /* in batches->waiting or ->later */
    struct list_node active_node; /* in batches->active */
    struct list queue;            /* not sent */
    struct flight flights[LANE_FLIGHTS];
    bool is_landing;     /* the answer of one is being delivered */
    bool is_beside_vain; /* what waits cannot be sent beside what is in flight */
    unsigned fulls;      /* FULL answers of cheaper scripts, one after the other */
    int64_t full_ms;     /* when it last was one */
    bool is_later;       /* node is in batches->later */
    size_t alone_left;   /* so many at the head go alone: they were refused together */
    int64_t retry_at_ms; /* when in batches->later */
    int64_t progress_ms; /* when Redis last answered a call of this lane */
    char trouble[160];   /* why the last call was put off; "" when it was not */
};

/* wait_ms and the bounds have the defaults of the settings; whoever has settings changes them. */
void batches_init(struct batches *batches, struct upstream *upstream, const struct clock *clock,
                  struct log *log, struct str daemon);
/* Ends what still waits with UPSTREAM and takes nothing any more. After upstream_stop(), so that
 * nothing is in flight, and before the owners of lanes clear them. */
void batches_clear(struct batches *batches);
/* To be called every 50 ms or so, and after wake(): ends what has waited too long or was refused
 * and tries again what may be. */
void batches_tick(struct batches *batches);
/* Sends what can be sent, unless it pays to gather for another turn: see gather(). */
void batches_flush(struct batches *batches);
/* Ends an operation that was not taken, at the next tick: for callers whose own `done` may not run
 * before they have returned. The error is copied. */
void batches_refuse(struct batches *batches, struct op *op, const struct err *err);

/* Nothing is granted for so long; `why` is static, for people. */
void batches_hold_grants(struct batches *batches, int64_t ms, const char *why);
/* How much of that is left; 0: nothing. */
int64_t batches_held_ms(const struct batches *batches);

void lane_init(struct lane *lane, struct batches *batches, const struct lane_rules *rules,
               void *owner);
/* An idle lane only: nothing queued, nothing in flight. */
void lane_clear(struct lane *lane);
bool lane_is_idle(const struct lane *lane);

/* Queues an operation; it is sent as soon as it can be (see gather). False: the bound is reached,
 * or Redis has been away for wait_ms (err says BUSY or UPSTREAM); the operation stays the caller's.
 */
MUST_CHECK bool lane_add(struct lane *lane, struct op *op, struct err *err);
/* As lane_add, before all that waits, and never refused for the bound: for repairs. */
MUST_CHECK bool lane_add_first(struct lane *lane, struct op *op, struct err *err);
/* Takes back an operation that has not been sent: it is the caller's again, and `done` does not
 * run. False: it has been, or is about to end. */
MUST_CHECK bool lane_withdraw(struct lane *lane, struct op *op);

#endif
