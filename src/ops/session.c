/* session: see session.h. */
#include "ops/session.h"

enum {
    RETRY_MS = 200, /* after a renewal that Redis did not answer */
    MOST_MARGIN_MS = 1000
};

static struct session_item *of_alarm(struct alarm *alarm)
{
    return list_entry(alarm, struct session_item, alarm);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t third_ms(const struct sessions *sessions)
{
    return sessions->time_ms / 3;
}

/* Until then it is ours for sure, so much of the clock's time having been given; the margin before
 * it is for its holder to hear of it. */
static void set_deadline(struct session_item *item, int64_t from_ms, int64_t for_ms)
{
    item->deadline_ms = from_ms + for_ms;
    item->margin_ms = smaller(for_ms / 10, MOST_MARGIN_MS);
}

/* Its holder hears of its end before Redis ends it. */
static int64_t end_ms(const struct session_item *item)
{
    return item->limit_ms - SESSIONS_TICK_MS;
}

static bool wants_renewal(const struct session_item *item)
{
    return item->limit_ms == 0 || item->deadline_ms < item->limit_ms;
}

static void set_alarm(struct session_item *item, int64_t at_ms)
{
    if (item->limit_ms > 0)
        at_ms = wants_renewal(item) ? smaller(at_ms, end_ms(item)) : end_ms(item);
    alarm_set(&item->session->sessions->alarms, &item->alarm, at_ms);
}

/* Nobody holds it any more. One whose renewal is on its way is freed when that has ended. */
static void drop(struct session_item *item)
{
    struct session *session = item->session;
    struct sessions *sessions = session->sessions;
    alarm_stop(&sessions->alarms, &item->alarm);
    if (item->key.len > 0 && map_get(&sessions->by_key, item->key) == item)
        map_remove(&sessions->by_key, item->key);
    list_remove(&session->items, &item->node);
    sessions->held--;
    item->session = NULL;
    if (!item->is_renewing)
        item->rules->free(item);
}

static void lose(struct session_item *item)
{
    struct session *session = item->session;
    session->sessions->lost++;
    session->lost(session->arg, item);
    drop(item);
}

static bool is_over(const struct session_item *item, int64_t now_ms)
{
    return now_ms >= item->deadline_ms - item->margin_ms ||
           (item->limit_ms > 0 && now_ms >= end_ms(item));
}

static void renew(struct sessions *sessions, struct session_item *item, int64_t now_ms)
{
    int64_t for_ms = sessions->time_ms;
    if (item->limit_ms > 0)
        for_ms = smaller(for_ms, item->limit_ms - now_ms);
    item->is_renewing = true;
    item->asked_ms = now_ms;
    item->asked_for_ms = for_ms;
    set_alarm(item, item->deadline_ms - item->margin_ms); /* if no answer comes */
    item->rules->renew(item, for_ms);
}

static void ring(struct alarm *alarm)
{
    struct session_item *item = of_alarm(alarm);
    struct sessions *sessions = item->session->sessions;
    int64_t now_ms = clock_ms(sessions->clock);
    if (!item->is_renewing && !is_over(item, now_ms)) {
        renew(sessions, item, now_ms);
        return;
    }
    item->rules->give_back(item);
    lose(item);
}

void sessions_init(struct sessions *sessions, const struct clock *clock, int64_t time_ms,
                   const unsigned char seed[16])
{
    *sessions = (struct sessions){.clock = clock, .time_ms = time_ms};
    map_init(&sessions->by_key, seed);
}

void sessions_clear(struct sessions *sessions)
{
    map_clear(&sessions->by_key);
    alarms_clear(&sessions->alarms);
}

void sessions_tick(struct sessions *sessions)
{
    alarms_ring(&sessions->alarms, clock_ms(sessions->clock));
}

void session_init(struct session *session, struct sessions *sessions,
                  void (*lost)(void *arg, struct session_item *item), void *arg)
{
    *session = (struct session){.sessions = sessions, .lost = lost, .arg = arg};
    list_init(&session->items);
}

/* What came at once is not renewed at once: each next one has a place in the third that is far from
 * those before it (steps of the golden ratio). From then on each keeps its place. */
static int64_t place_ms(struct sessions *sessions)
{
    const uint16_t golden = 40503;
    uint16_t passed = (uint16_t)(sessions->places++ * golden);
    return third_ms(sessions) * (0x10000 - passed) / 0x10000;
}

void session_hold_take(struct session *session, struct session_item *item,
                       const struct session_rules *rules, const struct session_span *span)
{
    struct sessions *sessions = session->sessions;
    int64_t place = place_ms(sessions);
    item->rules = rules;
    item->session = session;
    set_deadline(item, span->from_ms, span->for_ms);
    item->limit_ms = span->limit_ms > 0 ? span->from_ms + span->limit_ms : 0;
    item->is_renewing = false;
    item->alarm = (struct alarm){.ring = ring};
    if (item->key.len > 0) {
        struct session_item *same = map_put(&sessions->by_key, item->key, item);
        if (same != NULL)
            drop(same);
    }
    list_push(&session->items, &item->node);
    sessions->held++;
    int64_t renewal_ms = smaller(span->from_ms + place, item->deadline_ms - 2 * third_ms(sessions));
    int64_t now_ms = clock_ms(sessions->clock);
    if (renewal_ms < now_ms && wants_renewal(item) && !is_over(item, now_ms))
        renew(sessions, item, now_ms);
    else
        set_alarm(item, renewal_ms);
}

void session_forget(struct session_item *item)
{
    drop(item);
}

void session_end(struct session *session)
{
    list_each (node, &session->items) {
        struct session_item *item = list_entry(node, struct session_item, node);
        item->rules->give_back(item);
        drop(item);
    }
}

void session_limit(struct session_item *item, int64_t for_ms)
{
    item->asked_for_ms = smaller(item->asked_for_ms, for_ms);
    item->limit_ms = item->asked_ms + item->asked_for_ms;
}

void session_settle(struct session_item *item, enum session_outcome outcome)
{
    struct session *session = item->session;
    if (session == NULL) {
        item->rules->free(item);
        return;
    }
    struct sessions *sessions = session->sessions;
    item->is_renewing = false;
    switch (outcome) {
    case SESSION_KEPT:
        set_deadline(item, item->asked_ms, item->asked_for_ms);
        set_alarm(item, item->asked_ms + third_ms(sessions));
        break;
    case SESSION_GONE:
        lose(item);
        break;
    case SESSION_UNKNOWN:
        set_alarm(item, smaller(clock_ms(sessions->clock) + RETRY_MS,
                                item->deadline_ms - item->margin_ms));
        break;
    }
}
