/* link: one connection to Redis. It dials, logs in, writes calls as they come, gives each its
 * answer in the order of sending, and begins anew when it is lost.
 *
 *     IDLE --start--> WAITING --backoff over--> DIALLING --connected--> GREETING --all well-->
 * READY ^                         |                     |  ^                 | | | LOADING ..|  |
 * asked again     | |                         |                     v  |                 |
 *                        +------- lost ------------+---------------------HELD <---LOADING ----+
 *
 * The greeting is one write: AUTH, SELECT, CLIENT SETNAME, INFO, PING. Every call's done() runs
 * once: with its answer, or with CALL_LOST when the link is lost or its oldest call has waited for
 * longer than reply_timeout.
 * Knows: io/stream, hiredis' parser.  Must not know: how many links there are, pools. */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include "io/addr.h"
#include "redis/upstream.h"
#include "redis/wire.h"

struct evdns_base;
struct link;

/* What the links of one upstream share. */
struct link_host {
    struct event_base *base;
    struct evdns_base *dns;
    const struct redis_config *config;
    const char *name; /* for CLIENT SETNAME */
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    struct addr addr;
    struct wire_head heads[SCRIPT_COUNT];
    int64_t hurry_until_ms; /* until then dialling is repeated fast and its failures are no news */
    /* A link has become ready, or stopped being it. Never called inside of link_send(). */
    void (*changed)(void *arg, struct link *link);
    /* Why a link is lost or cannot be had: Redis' or the system's words. `was_connected`: somebody
     * was there. */
    void (*trouble)(void *arg, const char *why, bool was_connected);
    /* A call has been answered: there is room for another. */
    void (*answered)(void *arg);
    void *arg;
    /* counters */
    uint64_t refused, lost, connects, scripts_loaded;
    size_t in_flight; /* calls */
    int64_t last_latency_us;
    char version[32];
    char run_id[48];  /* of the server that was greeted last */
    uint64_t servers; /* how often that was another one than before */
};

/* How long to wait before the next dial, after so many in a row that failed. */
int64_t link_backoff_ms(const struct link_host *host, int failures);

/* `number`: from 1, for the log. Does not dial. */
struct link *link_new(struct link_host *host, int number);
/* Drops what is in flight without telling: link_stop() comes before. */
void link_free(struct link *link);

/* Dials on the next turn of the loop; a link that waits to dial does it at once. */
void link_start(struct link *link);
/* Closes it; its calls are CALL_LOST before this returns. */
void link_stop(struct link *link, const char *why);

bool link_is_ready(const struct link *link);
/* Requests without an answer. */
size_t link_pending(const struct link *link);
/* Takes a call; the link is ready. */
void link_send(struct link *link, const struct call *call);

#endif
