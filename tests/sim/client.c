/* client: a client of the daemons. It believes what it was told and nothing else, and says what it
 * believes to the history. */
#include "base/mem.h"
#include "base/num.h"
#include "tests/sim/actors.h"
#include <inttypes.h>
#include <stdio.h>

/* One request of a client. */
struct wish {
    struct actor *actor;
    struct sidecar *sidecar;
    bool is_answered;
    int pool;
    /* malloc */
    struct malloc_request ask;
    char reqid[HISTORY_NAME_LEN], owner[HISTORY_NAME_LEN], name[HISTORY_NAME_LEN];
    bool is_gone;
    int64_t wait_ms; /* <0: it does not wait */
    int64_t asked_us;
    struct waiter *waiter;
    bool is_leaving;      /* its client will be gone in a moment: an event knows it */
    struct hold *repeats; /* the reqid's lease is this one */
    /* free, renew */
    struct held held;
    int64_t until_us; /* what the hold lasted until before */
    int64_t doubt_us; /* what a renewal may set the deadline to, at the earliest */
    int64_t timeout_ms;
};

static void send_malloc(struct wish *wish);

static struct wish *new_wish(struct actor *actor, int pool)
{
    struct wish *wish = mem_zalloc(sizeof *wish);
    wish->actor = actor;
    wish->pool = pool;
    wish->wait_ms = -1;
    return wish;
}

static void count_asked(struct wish *wish, struct sidecar *sidecar)
{
    wish->sidecar = sidecar;
    wish->is_answered = false;
    wish->actor->is_waiting = true;
    wish->actor->scene->asked++;
}

/* Exactly one answer for each request. True: the client is there to hear it. */
static bool count_answered(struct wish *wish)
{
    struct scene *scene = wish->actor->scene;
    if (wish->is_answered)
        world_fail(scene->world, "client %d: a second answer", wish->actor->number);
    wish->is_answered = true;
    wish->actor->is_waiting = false;
    scene->answered++;
    return !wish->sidecar->is_dying;
}

static int64_t deadline_of(const struct scene *scene, int64_t ttl_ms)
{
    int64_t done_us = network_done_us(scene->network);
    /* A lease lives through its last millisecond. */
    return ttl_ms < 0 ? FOR_EVER : (done_us / MS + ttl_ms) * MS + MS - 1;
}

/* --- malloc --------------------------------------------------------------------------------------
 */

static void keep(struct wish *wish, const struct lease *lease)
{
    struct actor *actor = wish->actor;
    struct scene *scene = actor->scene;
    char number[NUM_INT_MAX];
    size_t len = num_format_int(number, lease->fence);
    struct hold *hold;
    if (lease->fence <= 0 || !str_starts(lease->token, str_make(number, len)))
        world_fail(scene->world, "token %.*s is not of fence %" PRId64, PRSTR(lease->token),
                   lease->fence);
    hold = history_hold(&scene->history, wish->pool, lease->resource, lease->token,
                        str_of(wish->reqid), network_done_us(scene->network),
                        deadline_of(scene, lease->ttl_ms), actor->number);
    world_say(scene->world, "client %d has %s of pool %d: %s, ttl %" PRId64, actor->number,
              hold->resource, wish->pool, hold->token, lease->ttl_ms);
    for (int i = 0; i < actor->held_count; i++) {
        if (actor->held[i].hold == hold)
            return;
    }
    if (actor->held_count < MAX_HELD)
        actor->held[actor->held_count++] =
            (struct held){hold, wish->pool, hold->until_us == FOR_EVER};
}

static bool is_known_token(const struct leases *leases, const struct hold *hold)
{
    for (size_t i = 0; i < leases->count; i++) {
        if (str_eq(leases_at(leases, i).token, str_of(hold->token)))
            return true;
    }
    return false;
}

static void check_grant(struct wish *wish, const struct leases *leases)
{
    struct scene *scene = wish->actor->scene;
    size_t count = leases->count, asked = (size_t)wish->ask.count;
    if (count > asked ||
        (wish->ask.mode == MALLOC_ALL && count != 0 && count != asked && wish->ask.reqid.len == 0))
        world_fail(scene->world, "%zu leases for a request of %zu", count, asked);
    if (wish->repeats != NULL && !scene->history.is_overlap_allowed &&
        wish->repeats->until_us >= network_done_us(scene->network) &&
        !is_known_token(leases, wish->repeats))
        world_fail(scene->world, "request %s was repeated and did not get its lease %s again",
                   wish->reqid, wish->repeats->token);
}

static void take_leases(struct wish *wish, const struct leases *leases)
{
    struct scene *scene = wish->actor->scene;
    check_grant(wish, leases);
    if (wish->is_gone) {
        world_say(scene->world, "client %d is gone: %zu leases go back", wish->actor->number,
                  leases->count);
        leases_give_back(scene_pool(wish->sidecar, wish->pool), leases);
        return;
    }
    for (size_t i = 0; i < leases->count; i++) {
        struct lease lease = leases_at(leases, i);
        if (scene->plan.is_shared[wish->pool])
            world_say(scene->world, "client %d uses %.*s", wish->actor->number,
                      PRSTR(lease.resource));
        else
            keep(wish, &lease);
    }
}

static void ask_again(void *arg)
{
    struct wish *wish = arg;
    send_malloc(wish);
}

/* A client library repeats what it got no answer to. Nobody would ever give back a permanent lease
 * of a request that is not repeated to its end. */
static bool repeats(struct wish *wish)
{
    struct scene *scene = wish->actor->scene;
    if (wish->reqid[0] == '\0' || wish->is_gone)
        return false;
    if (!scene->plan.has_permanent && (scene->is_over || world_chance(scene->world, 300)))
        return false;
    world_after(scene->world, world_between(scene->world, 1, 200) * MS, ask_again, wish);
    return true;
}

/* A wait ends in its time, but for what a daemon does before it gives Redis up, or before it knows
 * that it has. */
static void check_patience(const struct wish *wish)
{
    const struct scene *scene = wish->actor->scene;
    int64_t took_us = scene->world->now_us - wish->asked_us;
    if (wish->wait_ms >= 0 && !scene->plan.has_leaps && took_us > (wish->wait_ms + 7000) * MS)
        world_fail(scene->world, "client %d waited for %.3f ms, not %" PRId64, wish->actor->number,
                   (double)took_us / 1000, wish->wait_ms);
}

static void free_malloc(struct wish *wish)
{
    if (!wish->is_leaving)
        mem_free(wish);
}

static void hear_malloc(void *arg, const struct err *err, const struct leases *leases)
{
    struct wish *wish = arg;
    struct scene *scene = wish->actor->scene;
    bool is_heard = count_answered(wish);
    wish->waiter = NULL;
    check_patience(wish);
    if (err != NULL || !is_heard) {
        world_say(scene->world, "client %d: malloc of pool %d: %s", wish->actor->number, wish->pool,
                  is_heard ? err->text : "connection closed");
        if (is_heard)
            scene_check_error(scene, err, "malloc");
        if (repeats(wish)) {
            wish->actor->is_waiting = true;
            return;
        }
    } else {
        take_leases(wish, leases);
    }
    free_malloc(wish);
}

static void go_away(void *arg)
{
    struct wish *wish = arg;
    wish->is_leaving = false;
    if (wish->is_answered) {
        mem_free(wish);
        return;
    }
    world_say(wish->actor->scene->world, "client %d goes away", wish->actor->number);
    waiter_gone(wish->waiter);
}

static void send_malloc(struct wish *wish)
{
    struct scene *scene = wish->actor->scene;
    struct sidecar *sidecar = scene_sidecar(scene);
    if (sidecar == NULL) {
        world_after(scene->world, 100 * MS, ask_again, wish);
        wish->actor->is_waiting = true;
        return;
    }
    world_say(scene->world,
              "client %d asks daemon %d for %" PRId64 " of pool %d, timeout %" PRId64
              " reqid '%s' name '%s' wait %" PRId64,
              wish->actor->number, sidecar->number, wish->ask.count, wish->pool,
              wish->ask.timeout_ms, wish->reqid, wish->name, wish->wait_ms);
    count_asked(wish, sidecar);
    wish->ask.is_sole = true;
    wish->ask.reqid = str_of(wish->reqid);
    wish->ask.owner = str_of(wish->owner);
    wish->ask.name = str_of(wish->name);
    wish->asked_us = scene->world->now_us;
    if (wish->wait_ms < 0) {
        leases_malloc(scene_pool(sidecar, wish->pool), &wish->ask, hear_malloc, wish);
        return;
    }
    wish->waiter =
        waits_malloc(scene_pool(sidecar, wish->pool), &wish->ask, wish->wait_ms, hear_malloc, wish);
    if (wish->is_gone) {
        wish->is_leaving = true;
        world_after(scene->world, world_between(scene->world, 0, MAX_WAIT_MS) * MS, go_away, wish);
    }
}

static void start_malloc(struct actor *actor)
{
    struct scene *scene = actor->scene;
    struct world *world = scene->world;
    struct wish *wish = new_wish(actor, (int)world_below(world, (uint64_t)scene->plan.pools));
    bool is_shared = scene->plan.is_shared[wish->pool];
    wish->ask.mode = MALLOC_ONE;
    wish->ask.count = 1;
    if (world_chance(world, 200)) {
        wish->ask.mode = world_chance(world, 500) ? MALLOC_UP_TO : MALLOC_ALL;
        wish->ask.count = world_between(world, 1, 4);
    }
    wish->ask.timeout_ms = world_between(world, 20, MAX_TIMEOUT_MS);
    if (scene->plan.has_permanent && world_chance(world, 200))
        wish->ask.timeout_ms = 0;
    wish->ask.longest_ms = wish->ask.timeout_ms;
    wish->ask.binding_ms = world_between(world, 0, 3000);
    wish->is_gone = scene->plan.has_gone && world_chance(world, 100);
    if (scene->plan.has_waits && world_chance(world, 600))
        wish->wait_ms = world_between(world, 1, MAX_WAIT_MS);
    if (world_chance(world, 200))
        snprintf(wish->name, sizeof wish->name, "name%d", (int)world_below(world, 3));
    if (!is_shared && world_chance(world, 200))
        snprintf(wish->owner, sizeof wish->owner, "owner%d", actor->number);
    if (!is_shared && !wish->is_gone && world_chance(world, 400))
        snprintf(wish->reqid, sizeof wish->reqid, "req%" PRIu64, scene->next_reqid++);
    send_malloc(wish);
}

/* The same request again, of a lease that this client holds. */
static void start_repeat(struct actor *actor, const struct held *held)
{
    struct wish *wish = new_wish(actor, held->pool);
    wish->ask.mode = MALLOC_ONE;
    wish->ask.count = MAX_HELD;
    wish->ask.timeout_ms = 1000;
    wish->repeats = held->hold;
    snprintf(wish->reqid, sizeof wish->reqid, "%s", held->hold->reqid);
    send_malloc(wish);
}

/* --- free and renew ------------------------------------------------------------------------------
 */

static void let_go(struct actor *actor, const struct hold *hold)
{
    for (int i = 0; i < actor->held_count; i++) {
        if (actor->held[i].hold == hold) {
            actor->held[i] = actor->held[--actor->held_count];
            return;
        }
    }
}

/* Was the lease alive, by all that its holder was told, when Redis did this? */
static bool was_alive(const struct wish *wish)
{
    const struct scene *scene = wish->actor->scene;
    return wish->until_us >= network_done_us(scene->network) && !scene->history.is_overlap_allowed;
}

static void start_free(struct actor *actor, struct held held);

static void hear_free(void *arg, const struct err *err, int64_t count)
{
    struct wish *wish = arg;
    struct scene *scene = wish->actor->scene;
    struct actor *actor = wish->actor;
    struct held held = wish->held;
    bool is_heard = count_answered(wish), is_alive = was_alive(wish), fails = false;
    world_say(scene->world, "client %d: free of %s: %s %" PRId64, actor->number,
              held.hold->resource,
              !is_heard     ? "connection closed"
              : err != NULL ? err->text
                            : "",
              count);
    if (is_heard && err != NULL && err->kind == ERR_NOTOWNER)
        fails = is_alive;
    else if (is_heard && err != NULL)
        scene_check_error(scene, err, "free");
    else if (is_heard)
        fails = count != 1 && is_alive;
    if (fails)
        world_fail(scene->world, "the lease %s of %s lived and could not be freed",
                   held.hold->token, held.hold->resource);
    mem_free(wish);
    /* Only its holder can end it. */
    if (held.is_permanent && (!is_heard || (err != NULL && err->kind != ERR_NOTOWNER)))
        start_free(actor, held);
}

struct later_free {
    struct actor *actor;
    struct held held;
};

static void free_now(void *arg)
{
    struct later_free *later = arg;
    start_free(later->actor, later->held);
    mem_free(later);
}

static void start_free(struct actor *actor, struct held held)
{
    struct scene *scene = actor->scene;
    struct sidecar *sidecar = scene_sidecar(scene);
    struct str resource = str_of(held.hold->resource);
    struct free_request request = {.resources = &resource, .count = 1, .is_sole = true};
    struct wish *wish;
    if (sidecar == NULL || sidecar->is_dying) {
        struct later_free *later = mem_alloc(sizeof *later);
        *later = (struct later_free){actor, held};
        actor->is_waiting = true;
        world_after(scene->world, 100 * MS, free_now, later);
        return;
    }
    wish = new_wish(actor, held.pool);
    wish->held = held;
    wish->until_us = held.hold->until_us;
    /* Without a deadline nobody else can have it, unless an earlier FREE did happen: the first one
     * needs no token. */
    if (!held.is_permanent || held.hold->is_ended || world_chance(scene->world, 500))
        request.token = str_of(held.hold->token);
    if (scene->plan.has_expiry && world_chance(scene->world, 100)) {
        request.has_expiry = true;
        request.expiry_ms = world_between(scene->world, 0, 4000);
    }
    world_say(scene->world, "client %d frees %s of pool %d at daemon %d", actor->number,
              held.hold->resource, held.pool, sidecar->number);
    let_go(actor, held.hold);
    history_end(&scene->history, held.hold);
    count_asked(wish, sidecar);
    leases_free(scene_pool(sidecar, held.pool), &request, hear_free, wish);
}

/* a: 0 = none. */
static int64_t earlier(int64_t a, int64_t b)
{
    return a > 0 && a < b ? a : b;
}

static void hear_renew(void *arg, const struct err *err, int64_t count)
{
    struct wish *wish = arg;
    struct scene *scene = wish->actor->scene;
    struct hold *hold = wish->held.hold;
    bool is_heard = count_answered(wish);
    bool is_no = is_heard && (err != NULL ? err->kind == ERR_NOTOWNER : count != 1);
    world_say(scene->world, "client %d: renewal of %s: %s %" PRId64, wish->actor->number,
              hold->resource,
              !is_heard     ? "connection closed"
              : err != NULL ? err->text
                            : "",
              count);
    if (is_no && was_alive(wish))
        world_fail(scene->world, "the lease %s of %s lived and could not be renewed", hold->token,
                   hold->resource);
    if (!is_heard || (err != NULL && err->kind == ERR_UPSTREAM))
        hold->doubt_us = earlier(hold->doubt_us, wish->doubt_us);
    else if (err == NULL && count == 1 && !hold->is_ended)
        hold->until_us = earlier(hold->doubt_us, deadline_of(scene, wish->timeout_ms));
    if (is_heard && err != NULL && err->kind != ERR_NOTOWNER)
        scene_check_error(scene, err, "renew");
    if (is_no)
        let_go(wish->actor, hold);
    mem_free(wish);
}

static void start_renew(struct actor *actor, struct held held)
{
    struct scene *scene = actor->scene;
    struct sidecar *sidecar = scene_sidecar(scene);
    struct wish *wish;
    if (sidecar == NULL)
        return;
    wish = new_wish(actor, held.pool);
    wish->held = held;
    wish->until_us = held.hold->until_us;
    wish->timeout_ms = world_between(scene->world, 20, MAX_TIMEOUT_MS);
    /* Until the answer comes the deadline may be the old or the new one. */
    wish->doubt_us = scene->world->now_us + wish->timeout_ms * MS;
    held.hold->until_us = earlier(wish->doubt_us, held.hold->until_us);
    world_say(scene->world, "client %d renews %s of pool %d at daemon %d: %" PRId64, actor->number,
              held.hold->resource, held.pool, sidecar->number, wish->timeout_ms);
    count_asked(wish, sidecar);
    leases_renew(scene_pool(sidecar, held.pool), str_of(held.hold->resource),
                 str_of(held.hold->token), wish->timeout_ms, true, hear_renew, wish);
}

/* -------------------------------------------------------------------------------------------------
 */

/* Leases that have ended by themselves; now and then their holder says FREE all the same. */
static void forget_ended(struct actor *actor)
{
    struct world *world = actor->scene->world;
    for (int i = 0; i < actor->held_count; i++) {
        if (actor->held[i].hold->until_us < world->now_us && !world_chance(world, 200)) {
            let_go(actor, actor->held[i].hold);
            i--;
        }
    }
}

void client_act(struct actor *actor)
{
    struct scene *scene = actor->scene;
    struct world *world = scene->world;
    struct held held;
    int dice = (int)world_below(world, 100);
    if (actor->is_waiting)
        return;
    forget_ended(actor);
    if (actor->held_count > 0)
        held = actor->held[world_below(world, (uint64_t)actor->held_count)];
    if (scene->is_over) {
        if (actor->held_count > 0)
            start_free(actor, held);
        return;
    }
    if (actor->held_count > 0 && dice < 35)
        start_free(actor, held);
    else if (actor->held_count > 0 && dice < 55 && !held.is_permanent)
        start_renew(actor, held);
    else if (actor->held_count > 0 && dice < 65 && held.hold->reqid[0] != '\0')
        start_repeat(actor, &held);
    else if (actor->held_count < MAX_HELD - 4)
        start_malloc(actor);
}
