/* session: what a connection holds. Whatever is held so has a short time, is renewed each third of
 * it as long as the connection lives, and is given back when it ends. A session learns of what it
 * lost: when a renewal finds it gone, when the limit of its holding is reached, and, while Redis is
 * away, shortly before its time is over by our own clock, which began when the last renewal was
 * sent. Renewals of many are spread evenly over the third.
 *
 *     session_hold_take() --> [ waits for its alarm ] --ring--> rules->renew()
 *                                   ^                                |
 *                                   +-- kept, or not known -- session_settle() -- gone --> lost()
 *
 * Knows: clocks, alarms.  Must not know: what is held, who holds it.
 * Owns: items, from session_hold_take() to rules->free(). */
#ifndef OPS_SESSION_H
#define OPS_SESSION_H

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "ops/alarms.h"

#define SESSIONS_TICK_MS 100

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
    struct str key; /* "", or what only one item of all sessions has; in the record's own bytes */
    /* private */
    struct list_node node; /* in its session's items */
    struct alarm alarm;    /* its renewal, or its end; while renewing, its loss */
    const struct session_rules *rules;
    struct session *session;        /* NULL: nobody holds it any more, a renewal is on its way */
    int64_t deadline_ms;            /* until then it is ours for sure */
    int64_t margin_ms;              /* so long before its deadline it is given up */
    int64_t limit_ms;               /* the holding ends then; 0: never */
    int64_t asked_ms, asked_for_ms; /* when the renewal was sent, and for how long */
    bool is_renewing;
};

/* All sessions of a daemon. */
struct sessions {
    const struct clock *clock;
    int64_t time_ms; /* that each thing gets */
    struct alarms alarms;
    struct map by_key;
    uint64_t places; /* for renewals, that were given */
    size_t held;     /* things */
    uint64_t lost;   /* since start or CONFIG RESETSTAT */
};

struct session {
    struct sessions *sessions;
    struct list items;
    /* It was lost; the item is freed when this returns. */
    void (*lost)(void *arg, struct session_item *item);
    void *arg;
};

/* `seed`: 16 random bytes. */
void sessions_init(struct sessions *sessions, const struct clock *clock, int64_t time_ms,
                   const unsigned char seed[16]);
/* After all sessions have ended. */
void sessions_clear(struct sessions *sessions);
/* To be called each SESSIONS_TICK_MS. */
void sessions_tick(struct sessions *sessions);

void session_init(struct session *session, struct sessions *sessions,
                  void (*lost)(void *arg, struct session_item *item), void *arg);

/* When it began by our clock, at the earliest, and how long it lasts from then on if it is not
 * renewed; limit_ms: how long it may be held at most, <= 0: as long as the session lasts. */
struct session_span {
    int64_t from_ms, for_ms, limit_ms;
};
/* Takes the item, zeroed but for its key. Another one of its key, in whichever session, is
 * forgotten.
 */
void session_hold_take(struct session *session, struct session_item *item,
                       const struct session_rules *rules, const struct session_span *span);
/* Its holder gives it back, or nothing is to be done about it any more: freed, nothing is told. */
void session_forget(struct session_item *item);
/* Gives all of it back. */
void session_end(struct session *session);

/* Before it is settled that it was kept: for less time than asked for, and for the last time. */
void session_limit(struct session_item *item, int64_t for_ms);
/* What became of a renewal. */
void session_settle(struct session_item *item, enum session_outcome outcome);

#endif
