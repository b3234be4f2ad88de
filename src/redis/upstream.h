/* upstream: Redis as everything above sees it: takes calls, tells what became of each. This header
 * is the seam at which a test puts a Redis of its own.
 * Knows: links, scripts, the embedded server.  Must not know: pools, locks, tasks. */
#ifndef REDIS_UPSTREAM_H
#define REDIS_UPSTREAM_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rand.h"
#include "redis/answer.h"
#include "redis/script.h"

struct upstream;
struct hearing;
struct redis_config;
struct event_base;
struct evdns_base;

enum call_fate {
    CALL_ANSWERED, /* answer is set; it may be an error that the script gave */
    CALL_REFUSED, /* answer is Redis' own error, given before anything was done: LOADING, BUSY, OOM,
                   * READONLY, MISCONF, NOREPLICAS, MASTERDOWN, CLUSTERDOWN, NOPERM, NOAUTH ... */
    CALL_LOST     /* sent, but the link ended or the reply's deadline passed: it may have happened,
                   * or may even happen later; answer is answer_none() */
};

/* Runs exactly once for each call taken, never before upstream_call() has returned. The answer is
 * borrowed for the callback. */
typedef void (*call_done)(void *arg, enum call_fate fate, const struct answer *answer);

struct call {
    enum script_id script; /* SCRIPT_NONE: keys and args together are a plain command, args first */
    const struct str *keys; /* scripts: those that its header names, then those of operations */
    int key_count;
    const struct str *args; /* borrowed until upstream_call() returns */
    int arg_count;
    int64_t weight; /* things that it may touch: each gives Redis a little more time to answer */
    call_done done;
    void *arg;
};

/* Takes a call. False: no link can take it now; nothing has happened, done() will not run. */
MUST_CHECK bool upstream_call(struct upstream *upstream, const struct call *call);

/* 0 while a link is ready; else for how many ms none has been (at least 1). */
int64_t upstream_away_ms(const struct upstream *upstream);
/* The last reason why there is no link, in Redis' or the system's words; "" if there never was. */
const char *upstream_trouble(const struct upstream *upstream);

/* How many servers of Redis there were so far, one that was started anew counted again; 0: that is
 * not known yet. */
uint64_t upstream_servers(const struct upstream *upstream);

/* Who wants to know that calls are taken again: `ready` runs at each such moment. The struct is the
 * caller's and stays in the list until upstream_forget(). */
struct upstream_listener {
    struct list_node node;
    void (*ready)(void *arg);
    void *arg;
};
void upstream_listen(struct upstream *upstream, struct upstream_listener *listener);
void upstream_forget(struct upstream *upstream, struct upstream_listener *listener);

/* Hears a channel from now on, on a link of its own: see notify.h. */
void upstream_hear(struct upstream *upstream, struct hearing *hearing);
void upstream_unhear(struct upstream *upstream, struct hearing *hearing);
/* Is all heard that somebody wants to hear? */
bool upstream_hears(const struct upstream *upstream);

/* --- what a daemon needs besides; a test's upstream has no use for it --------------------------
 */

/* Does not dial yet. `dns` and the config are borrowed for life; `name` is given to CLIENT SETNAME.
 */
struct upstream *upstream_new(struct event_base *base, struct evdns_base *dns,
                              const struct redis_config *config, const char *name,
                              const struct clock *clock, struct rand *rand, struct log *log);
/* Starts the embedded server if there is one to start, and dials. False: cannot ever work (state
 * folder in use, redis-server not found ...). Redis being away is no error. */
MUST_CHECK bool upstream_start(struct upstream *upstream, struct err *err);
/* Ends all links (calls in flight are CALL_LOST), then the embedded server: SIGTERM, SIGKILL after
 * timeout_ms; `stopped` runs when it is gone, never before this call has returned. */
void upstream_stop(struct upstream *upstream, int64_t timeout_ms, void (*stopped)(void *arg),
                   void *arg);
void upstream_free(struct upstream *upstream);

struct upstream_stats {
    int links, links_ready;
    uint64_t calls, refused, lost, connects, scripts_loaded;
    size_t in_flight;
    int64_t last_latency_us; /* of the newest answer: from the write to the reply */
    char version[32];        /* redis_version; "" before the first login */
    char where[300];         /* url without password, or "embedded unix:/path" */
    int embedded_pid;        /* 0: none */
    uint64_t embedded_restarts;
};
void upstream_stats(const struct upstream *upstream, struct upstream_stats *out);

#endif
