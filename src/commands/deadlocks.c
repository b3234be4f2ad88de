/* deadlocks: see deadlocks.h. */
#include "commands/deadlocks.h"
#include "commands/dispatch.h"
#include "commands/holds.h"
#include "lock/waits.h"
#include "ops/waitfor.h"
#include "pool/gang.h"
#include <inttypes.h>
#include <stdio.h>

enum {
    PATIENCE_MS = 1000,   /* who waits for less is not looked at */
    TEXT_MAX = 256 * 1024 /* bytes that a daemon tells; who does not fit in is not looked at */
};

/* --- what is told --------------------------------------------------------------------------------
 */

static void put_lock_wants(struct evbuffer *out, const struct lock_request *request)
{
    bool is_some = request->kind == LOCK_PERMITS;
    for (int i = 0; i < request->count; i++) {
        char object[HOLDS_OBJECT_MAX];
        struct lock_name name = {request->set, request->keys[i]};
        waitfor_put_want(out, holds_lock_object(&name, object), is_some ? request->permits : 1,
                         is_some ? request->limit : 1);
    }
}

/* Of a pool whose size is not known yet nothing can be said. */
static void put_pool_want(struct evbuffer *out, const struct pool *pool, int64_t count)
{
    char object[HOLDS_OBJECT_MAX];
    if (pool->total > 0)
        waitfor_put_want(out, holds_pool_object(pool, object), count, pool->total);
}

static void put_gang_wants(struct evbuffer *out, const struct gang *gang)
{
    int count;
    struct str owner;
    const struct gang_part *parts = gang_parts(gang, &count, &owner);
    for (int i = 0; i < count; i++)
        put_pool_want(out, parts[i].pool, parts[i].count);
}

static void put_wants(struct evbuffer *out, const struct later *later)
{
    if (later->gang != NULL) {
        put_gang_wants(out, later->gang);
    } else if (later->pool != NULL) {
        const struct malloc_request *request = waits_request(later->waiter);
        put_pool_want(out, later->pool, request->mode == MALLOC_ALL ? request->count : 1);
    } else {
        put_lock_wants(out, lock_waits_request(later->waiter));
    }
}

static struct str owner_of(const struct later *later)
{
    int count;
    struct str owner;
    if (later->gang != NULL)
        gang_parts(later->gang, &count, &owner);
    else
        owner = later->pool != NULL ? waits_request(later->waiter)->owner
                                    : lock_waits_request(later->waiter)->owner;
    return owner;
}

static struct str who_of(const struct later *later, const struct peer_state *state, char out[80])
{
    struct str name = owner_of(later);
    if (name.len > 0)
        return name;
    if (state->name[0] != '\0')
        return str_of(state->name);
    snprintf(out, 80, "client %" PRIu64, state->id);
    return str_of(out);
}

static void put_hold(void *arg, struct str object, int64_t amount)
{
    waitfor_put_hold(arg, object, amount);
}

static void put_session(struct evbuffer *out, const struct later *later, int64_t ticket,
                        const struct peer_state *state)
{
    char id[HOLDS_NAME_MAX], who[80];
    waitfor_put_session(out, holds_name(later, id), ticket, who_of(later, state, who));
    put_wants(out, later);
    holds_each(state, put_hold, out);
}

/* Of a connection that waits for several things the oldest one counts. */
static void put_all(struct daemon *daemon, struct evbuffer *out)
{
    int64_t now_ms = clock_ms(&daemon->clock);
    daemon->deadlocks.round++;
    list_each (node, &daemon->waits) {
        const struct later *later = list_entry(node, struct later, node);
        struct peer *peer = turn_peer(later->turn);
        struct peer_state *state = peer != NULL ? peer_state(peer) : NULL;
        if (state == NULL || state->deadlock_round == daemon->deadlocks.round ||
            holds_count(state) == 0)
            continue;
        state->deadlock_round = daemon->deadlocks.round;
        const struct waiter *waiter =
            later->gang != NULL ? gang_waiter(later->gang) : later->waiter;
        if (waiter != NULL && waiter->ticket > 0 &&
            now_ms - later->started_us / 1000 >= PATIENCE_MS && evbuffer_get_length(out) < TEXT_MAX)
            put_session(out, later, waiter->ticket, state);
    }
}

/* --- what follows --------------------------------------------------------------------------------
 */

/* One of our own. */
static void refuse(struct daemon *daemon, struct str victim, const struct err *err)
{
    list_each (node, &daemon->waits) {
        struct later *later = list_entry(node, struct later, node);
        char id[HOLDS_NAME_MAX];
        if (turn_is_orphan(later->turn) || !str_eq(holds_name(later, id), victim))
            continue;
        daemon->deadlocks.count++;
        log_line(&daemon->log, LOG_LEVEL_WARNING, "deadlock", "cycle", err->text, NULL);
        if (later->gang != NULL)
            gang_refuse(later->gang, err);
        else
            waiter_refuse(later->waiter, err);
        return;
    }
}

static void look(struct daemon *daemon, const struct answer *texts)
{
    struct waitfor *graph = waitfor_new();
    struct str victim;
    struct err err;
    for (size_t i = 0; i < answer_count(texts); i++)
        waitfor_add(graph, answer_str(answer_at(texts, i)));
    bool is_found = waitfor_find(graph, &victim, &err);
    bool is_again = is_found && str_eq(str_of(daemon->deadlocks.victim), victim);
    snprintf(daemon->deadlocks.victim, sizeof(daemon->deadlocks.victim), "%.*s",
             is_found ? (int)victim.len : 0, is_found ? victim.ptr : "");
    if (is_again)
        refuse(daemon, victim, &err);
    waitfor_free(graph);
}

static void end_exchange(void *arg, const struct err *err, const struct answer *answer)
{
    struct daemon *daemon = arg;
    daemon->deadlocks.is_asking = false;
    if (err == NULL && daemon->deadlocks.has_told)
        look(daemon, answer);
}

void deadlocks_tick(struct daemon *daemon)
{
    struct deadlocks *deadlocks = &daemon->deadlocks;
    if (deadlocks->is_asking || (list_is_empty(&daemon->waits) && !deadlocks->has_told))
        return;
    struct evbuffer *out = evbuffer_new();
    put_all(daemon, out);
    size_t len = evbuffer_get_length(out);
    if (len > 0 || deadlocks->has_told) {
        deadlocks->is_asking = true;
        deadlocks->has_told = len > 0;
        locks_exchange(&daemon->locks, str_make((const char *)evbuffer_pullup(out, -1), len),
                       end_exchange, daemon);
    }
    evbuffer_free(out);
}
