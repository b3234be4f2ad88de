/* waiter: those who wait here for something of a key group, such as a resource of a pool. Their
 * order is Redis' affair: there all daemons' waiters of the group stand in one line, by tickets
 * (see lua/wait.lua). A waiter here asks for its wish, is told its ticket, and asks again when it
 * is woken: then it gets what was granted to it, or keeps its place.
 *
 *     start --> ASKING --granted--> gone
 *                | ^
 *         ticket | | woken; forgotten by the line
 *                v |
 *              WAITING --time is up, client gone--> LEAVING --left--> gone
 *
 * It is woken by a message (upstream_hear), by a beat, or by a new epoch. A beat is this daemon's
 * sign of life in a line where it has waiters: each second, and at the next deadline that the last
 * one told. It tells who has something to fetch, so that a lost message costs a second at most, and
 * an epoch: a daemon that gave no sign for too long was forgotten with all its waiters, and sees
 * another one; they ask again, each with its ticket, and get their old places.
 *
 * Faults: who asks and gets no answer, or cannot ask, asks again; when that has lasted for the
 * batches' wait_ms, or Redis is known to be away for so long, it fails with UPSTREAM. Whoever
 * leaves and cannot tell goes on trying: until then it may have a place in the line.
 *
 * Knows: batches, upstream.  Must not know: what is waited for.  Owns: no waiter: the domain's
 * record, which `free` gives back. */
#ifndef OPS_WAITER_H
#define OPS_WAITER_H

#include "base/map.h"
#include "ops/alarms.h"
#include "ops/batch.h"

struct waiter;
struct line;

/* How a waiter leaves the line. */
enum leaving {
    LEAVING_NOT,
    LEAVING_LATE,       /* its time is up: it gets what was granted to it at the last moment */
    LEAVING_GONE,       /* its client is gone: what was granted to it is for the next one */
    LEAVING_FOR_A_WHILE /* the same, but its client will ask again: what was granted waits for it */
};

/* What a line must know of its key group; one constant struct per kind. None of these calls the
 * waiter back before it has returned. */
struct line_rules {
    /* Asks, with waiter->ticket (-1: for the first time): ends in waiter_queued(), waiter_served()
     * or waiter_failed(). */
    void (*ask)(struct waiter *waiter);
    /* Takes back what ask() has asked for, if that has not been sent yet; then it ends in none of
     * these. False: it has been. */
    bool (*withdraw)(struct waiter *waiter);
    /* Ends in waiter_left(). */
    void (*leave)(struct waiter *waiter, enum leaving how);
    /* Optional: it has a place in the line now, or still. */
    void (*placed)(struct waiter *waiter);
    /* Ends in line_beaten() or line_failed(). */
    void (*beat)(struct line *line);
    /* Answers its client: with the error, or with nothing when there is none. Runs once, unless the
     * domain has answered by itself: before waiter_served(), or before waiter_left() without an
     * error. Who is_answered must not be again: what it gets is to be given back. */
    void (*answer)(struct waiter *waiter, const struct err *err);
    void (*free)(struct waiter *waiter);
};

/* All waiters of a daemon. */
struct waiters {
    struct batches *batches;
    struct alarms alarms; /* monotonic: the caller rings them */
    struct map by_number;
    struct list lines;    /* those that have waiters */
    struct list channels; /* that are heard */
    uint64_t last_number;
    int64_t max; /* one more is BUSY */
    bool is_closed;
};

/* The waiters of one key group. */
struct line {
    const struct line_rules *rules;
    struct waiters *all;
    struct list_node node; /* in all->lines */
    struct list waiters;   /* oldest first */
    struct alarm beat;
    bool is_beating;
    size_t to_send;           /* waiters that are to send something with the next beat */
    int64_t epoch;            /* as it was last told */
    int64_t failing_since_ms; /* of the beats; 0: they do not */
};

enum waiter_state { WAITER_ASKING, WAITER_WAITING, WAITER_LEAVING };

/* Embedded in the domain's record. */
struct waiter {
    struct list_node node; /* in line->waiters */
    struct line *line;
    struct alarm alarm; /* its time is up */
    uint64_t number;    /* its id is "<daemon>:<number>" */
    int64_t ticket;     /* -1: it has not asked yet; 0: none is known */
    int64_t epoch;
    int64_t since_ms;         /* monotonic */
    int64_t asked_ms;         /* when it asked last */
    int64_t failing_since_ms; /* 0: not */
    enum waiter_state state;
    enum leaving leaving; /* as soon as it can */
    bool is_woken;        /* while it asked */
    bool is_to_send;      /* with the next beat: it could not ask, or leave */
    bool may_be_in_line;  /* a call that may have put it there was lost, or did */
    bool is_answered;
    bool will_return; /* its client repeats what it got no answer to */
};

/* The batches' wait_ms bounds how long failures last. */
void waiters_init(struct waiters *waiters, struct batches *batches, struct rand *rand);
/* Answers all with UPSTREAM; they leave the line if they still can. */
void waiters_close(struct waiters *waiters);
/* After all lines have been cleared. */
void waiters_clear(struct waiters *waiters);
/* False: as many wait as may. */
MUST_CHECK bool waiters_can_take(const struct waiters *waiters, struct err *err);
/* Hears of grants to this daemon's waiters by keys of this prefix. */
void waiters_hear(struct waiters *waiters, struct str prefix);

void line_init(struct line *line, struct waiters *all, const struct line_rules *rules);
/* Frees what is left, unanswered ones with UPSTREAM. */
void line_clear(struct line *line);
/* next_ms: when the line wants the next one, -1: no sooner than usual. */
void line_beaten(struct line *line, int64_t epoch, int64_t next_ms);
void line_failed(struct line *line, const struct err *err);

/* wait_ms <= 0: without a limit. It asks at once. */
void waiter_start(struct waiter *waiter, struct line *line, int64_t wait_ms);
struct str waiter_id(const struct waiter *waiter, char out[64]);
/* NULL: there is no such waiter here. */
struct waiter *waiters_find(struct waiters *waiters, struct str id);
/* The same; there is something for it. */
struct waiter *waiters_wake(struct waiters *waiters, struct str id);
/* Its client is gone, or waits no longer. */
void waiter_gone(struct waiter *waiter);
/* It is not to wait any longer: its client gets this error. */
void waiter_refuse(struct waiter *waiter, const struct err *err);

/* What became of asking. */
void waiter_queued(struct waiter *waiter, int64_t ticket, int64_t epoch);
void waiter_served(struct waiter *waiter); /* the domain has answered; frees it */
void waiter_failed(struct waiter *waiter, const struct err *err, bool is_lost);
/* What became of leaving; the domain has answered if that was to be done and there was no error. */
void waiter_left(struct waiter *waiter, const struct err *err);

#endif
