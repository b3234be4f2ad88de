/* session: see session.h. */
#include "ops/session.h"

#define RETRY_MS 200 /* after a renewal that Redis did not answer */

static struct session_item *of_due(struct list_node *node)
{
    return list_entry(node, struct session_item, due_node);
}

/* How long before its time is over a thing is given up. */
static int64_t margin_ms(const struct sessions *sessions)
{
    return sessions->time_ms / 10 < 1000 ? sessions->time_ms / 10 : 1000;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct list *list_of(struct sessions *sessions, const struct session_item *item)
{
    return item->is_renewing ? &sessions->renewing : &sessions->due;
}

/* Most come behind all others: their times are equally far away. */
static void enlist(struct sessions *sessions, struct session_item *item, int64_t due_ms)
{
    struct list *list = list_of(sessions, item);
    struct list_node *at = list->root.prev;
    if (item->limit_ms > 0)
        due_ms = smaller(due_ms, item->limit_ms);
    item->due_ms = due_ms;
    while (at != &list->root && of_due(at)->due_ms > due_ms)
        at = at->prev;
    list_insert_after(list, at, &item->due_node);
}

static void unlist(struct sessions *sessions, struct session_item *item)
{
    if (list_has(&item->due_node))
        list_remove(list_of(sessions, item), &item->due_node);
}

/* Nobody holds it any more. One whose renewal is on its way is freed when that has ended. */
static void drop(struct session_item *item)
{
    struct session *session = item->session;
    unlist(session->sessions, item);
    list_remove(&session->items, &item->node);
    session->sessions->held--;
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

static bool is_over(const struct sessions *sessions, const struct session_item *item,
                    int64_t now_ms)
{
    return now_ms >= item->deadline_ms - margin_ms(sessions) ||
           (item->limit_ms > 0 && now_ms >= item->limit_ms);
}

static void renew(struct sessions *sessions, struct session_item *item, int64_t now_ms)
{
    int64_t for_ms = sessions->time_ms;
    if (item->limit_ms > 0)
        for_ms = smaller(for_ms, item->limit_ms - now_ms);
    item->is_renewing = true;
    item->asked_ms = now_ms;
    item->asked_for_ms = for_ms;
    enlist(sessions, item, item->deadline_ms - margin_ms(sessions)); /* if no answer comes */
    item->rules->renew(item, for_ms);
}

static void give_up(struct session_item *item)
{
    item->rules->give_back(item);
    lose(item);
}

static void look_at(struct sessions *sessions, struct session_item *item, int64_t now_ms)
{
    unlist(sessions, item);
    if (is_over(sessions, item, now_ms))
        give_up(item);
    else
        renew(sessions, item, now_ms);
}

void sessions_init(struct sessions *sessions, const struct clock *clock, int64_t time_ms)
{
    *sessions = (struct sessions){.clock = clock, .time_ms = time_ms};
    list_init(&sessions->due);
    list_init(&sessions->renewing);
}

void sessions_tick(struct sessions *sessions)
{
    int64_t now_ms = clock_ms(sessions->clock);
    struct list_node *node;
    while ((node = list_first(&sessions->renewing)) != NULL && of_due(node)->due_ms <= now_ms)
        give_up(of_due(node));
    while ((node = list_first(&sessions->due)) != NULL && of_due(node)->due_ms <= now_ms)
        look_at(sessions, of_due(node), now_ms);
}

static struct session_item *
find_in(struct list *list, bool (*is_it)(const struct session_item *item, const void *what),
        const void *what)
{
    list_each (node, list) {
        if (is_it(of_due(node), what))
            return of_due(node);
    }
    return NULL;
}

struct session_item *sessions_find(struct sessions *sessions,
                                   bool (*is_it)(const struct session_item *item, const void *what),
                                   const void *what)
{
    struct session_item *found = find_in(&sessions->due, is_it, what);
    return found != NULL ? found : find_in(&sessions->renewing, is_it, what);
}

void session_init(struct session *session, struct sessions *sessions,
                  void (*lost)(void *arg, struct session_item *item), void *arg)
{
    *session = (struct session){.sessions = sessions, .lost = lost, .arg = arg};
    list_init(&session->items);
}

void session_hold_take(struct session *session, struct session_item *item,
                       const struct session_rules *rules, int64_t asked_ms, int64_t limit_ms)
{
    struct sessions *sessions = session->sessions;
    item->rules = rules;
    item->session = session;
    item->deadline_ms = asked_ms + sessions->time_ms;
    item->limit_ms = limit_ms > 0 ? asked_ms + limit_ms : 0;
    item->is_renewing = false;
    list_push(&session->items, &item->node);
    sessions->held++;
    enlist(sessions, item, asked_ms + sessions->time_ms / 3);
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

void session_settle(struct session_item *item, enum session_outcome outcome)
{
    struct session *session = item->session;
    if (session == NULL) {
        item->rules->free(item);
        return;
    }
    struct sessions *sessions = session->sessions;
    unlist(sessions, item);
    item->is_renewing = false;
    switch (outcome) {
    case SESSION_KEPT:
        item->deadline_ms = item->asked_ms + item->asked_for_ms;
        enlist(sessions, item, item->asked_ms + sessions->time_ms / 3);
        break;
    case SESSION_GONE:
        lose(item);
        break;
    case SESSION_UNKNOWN:
        enlist(
            sessions, item,
            smaller(clock_ms(sessions->clock) + RETRY_MS, item->deadline_ms - margin_ms(sessions)));
        break;
    }
}
