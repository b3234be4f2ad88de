/* session: what a connection holds. Whatever is held so has a short time, is renewed each third of
 * it as long as the connection lives, and is given back when it ends. A session learns of what it
 * lost: when a renewal finds it gone, when the limit of its holding is reached, and, while Redis is
 * away, shortly before its time is over by our own clock, which began when the last renewal was
 * sent.
 *
 *     session_hold() --> [ due: in the order of their renewals ] --tick--> rules->renew()
 *                                   ^                                        |
 *                                   +------- kept, or not known -- session_settle() -- lost -->
 * lost()
 *
 * Knows: clocks, lists.  Must not know: what is held, who holds it.
 * Owns: items, from session_hold() to rules->free(). */
#ifndef OPS_SESSION_H
#define OPS_SESSION_H

#include "base/clock.h"
#include "base/list.h"

struct session_item;

/* What a session must know of a kind of thing; one constant struct per kind. */
struct session_rules {
    /* Asks for so much more time. session_settle() follows exactly once, never before this has
     * returned. */
    void (*renew)(struct session_item *item, int64_t timeout_ms);
    /* Ends it; nobody waits for the outcome. */
    void (*give_back)(struct session_item *item);
    void (*free)(struct session_item *item);
};

enum session_outcome {
    SESSION_KEPT,
    SESSION_GONE,   /* it has ended, or is somebody else's */
    SESSION_UNKNOWN /* Redis is away, or refused */
};

/* Embedded at the head of the record of a thing. */
struct session_item {
    struct list_node node;     /* in its session's items */
    struct list_node due_node; /* in sessions->due or ->renewing */
    const struct session_rules *rules;
    struct session *session;        /* NULL: nobody holds it any more, a renewal is on its way */
    int64_t due_ms;                 /* of its renewal; while renewing, of its loss */
    int64_t deadline_ms;            /* until then it is ours for sure */
    int64_t limit_ms;               /* the holding ends then; 0: never */
    int64_t asked_ms, asked_for_ms; /* when the renewal was sent, and for how long */
    bool is_renewing;
};

/* All sessions of a daemon. */
struct sessions {
    const struct clock *clock;
    int64_t time_ms;           /* that each thing gets */
    struct list due, renewing; /* by due_ms, each */
    size_t held;               /* things */
    uint64_t lost;             /* since start or CONFIG RESETSTAT */
};

struct session {
    struct sessions *sessions;
    struct list items;
    /* It was lost; the item is freed when this returns. */
    void (*lost)(void *arg, struct session_item *item);
    void *arg;
};

void sessions_init(struct sessions *sessions, const struct clock *clock, int64_t time_ms);
/* To be called every 100 ms or so. */
void sessions_tick(struct sessions *sessions);

/* The first held thing that is it; NULL when there is none. */
struct session_item *sessions_find(struct sessions *sessions,
                                   bool (*is_it)(const struct session_item *item, const void *what),
                                   const void *what);

void session_init(struct session *session, struct sessions *sessions,
                  void (*lost)(void *arg, struct session_item *item), void *arg);
/* Takes the item. asked_ms: when it was asked for, with a time of sessions->time_ms; limit_ms: how
 * long from then on it may be held at most, 0: as long as the session lasts. */
void session_hold_take(struct session *session, struct session_item *item,
                       const struct session_rules *rules, int64_t asked_ms, int64_t limit_ms);
/* Its holder gives it back, or nothing is to be done about it any more: freed, nothing is told. */
void session_forget(struct session_item *item);
/* Gives all of it back. */
void session_end(struct session *session);

/* What became of a renewal. */
void session_settle(struct session_item *item, enum session_outcome outcome);

#endif
