/* feed: one pool and its sources: whose turn it is to read them, when, and what comes of it.
 *
 * Turn: a key in Redis, the one that the Python library takes for an update, says who refreshes the
 * pool; who has it renews it while it lives, the others look at it again and again and take it over
 * some seconds after its holder has died. A daemon that gets the turn reads at once.
 *
 * Round: one source after the other is read, and put into the pool: one source is all that the pool
 * has (assign), several add to it (extend). A list that cannot be read, or makes no sense, changes
 * nothing. The next round is source_interval later, or sooner after a failure, or when a file has
 * changed, or when somebody asks for it. What Redis did not take is read again a second later, for
 * as long as the turn lasts without Redis.
 * Knows: members, source_read, source_list.  Must not know: clients. Driven by feed_tick() alone:
 * no timers of its own. */
#ifndef JOBS_FEED_H
#define JOBS_FEED_H

#include "jobs/source_file.h"
#include "jobs/source_read.h"
#include "pool/members.h"

enum {
    FEED_TURN_MS = 10000,  /* a turn is held for so long ... */
    FEED_RENEW_MS = 3000,  /* ... and renewed so often */
    FEED_FOLLOW_MS = 5000, /* somebody else's is looked at so often at least */
    FEED_LOOK_MS = 500,    /* files are looked at so often; what changed has to be the same twice */
    FEED_RETRY_MIN_MS = 1000, /* after a failure: a tenth of source_interval, within these, ... */
    FEED_RETRY_MAX_MS = 30000
};

/* What all feeds share. */
struct feed_host {
    struct source_host read;
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    size_t rounds; /* under way */
};

/* One source. Times are monotonic, -1: never. */
struct source {
    char *text, *shown; /* as in the settings; without its password */
    struct listing listing;
    int64_t read_ms, failed_ms; /* when it last could be read, and could not */
    int64_t count;              /* resources of the last list */
    char error[300];            /* of the last reading; "" */
    struct file_stamp stamp;    /* of a file: when it was read, and as seen last */
    struct file_stamp seen;
};

/* What a round has done. */
struct refresh {
    int sources, failed;
    int64_t resources; /* listed by those that were read */
    int64_t added, removed;
};

/* refresh: NULL with an error: none could be read, or the feed was closed. Runs once, never before
 * the call has returned. */
typedef void (*refresh_done)(void *arg, const struct err *err, const struct refresh *refresh);

struct feed {
    struct list_node node; /* the owner's */
    struct feed_host *host;
    struct pool *pool;
    struct source *sources;
    int count;
    struct source_tls tls;
    size_t calls; /* on their way to Redis */
    bool is_closed;
    /* the turn */
    bool is_asking, is_mine;
    int64_t asked_ms, turn_due_ms, turn_until_ms;
    /* the round */
    bool is_reading;
    int at;                    /* the source being read */
    struct source_read *read;  /* NULL: its list is on its way to Redis */
    int64_t began_ms, look_ms; /* of the last round; -1: none since the turn came */
    bool has_changed;          /* a file */
    bool is_unstored;          /* what the last round read, because Redis did not answer */
    int64_t listed;            /* of the source whose list is on its way */
    struct refresh done;
    struct err err;            /* of the first source that failed in it */
    struct list askers, asked; /* for the next round; for this one */
};

/* The pool's settings name sources. */
struct feed *feed_new(struct feed_host *host, struct pool *pool);
/* Gives the turn up; whoever asked gets the error. It is freed when its calls are answered. */
void feed_close(struct feed *feed, const struct err *err);
/* Are these its sources? */
bool feed_has(const struct feed *feed, const struct text_list *sources);
/* To be called every 100 ms or so. may_begin: there is room for one more round. */
void feed_tick(struct feed *feed, bool may_begin);
/* Reads the sources now, whoever's turn it is. */
void feed_refresh(struct feed *feed, refresh_done done, void *arg);
/* Is it this daemon's turn? Then *next_ms is how long the next round is away; else -1. */
bool feed_is_mine(const struct feed *feed, int64_t *next_ms);

#endif
