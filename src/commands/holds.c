/* holds: see holds.h. */
#include "commands/holds.h"
#include "base/mem.h"
#include "commands/handlers.h"
#include "daemon.h"
#include <inttypes.h>
#include <stdio.h>

#define CHANNEL   "__lost__"
#define AND_MORE  "; and more"
#define MOST_TOLD 120 /* bytes, before one more loss is told in an error */

enum { KEY_HEAD = sizeof(uint64_t) + sizeof(struct pool *) };

/* A connection's session. */
struct holder {
    struct session session;
    struct daemon *daemon;
    struct peer *peer;
};

/* One thing that is held, its texts behind it: first the key, a number and the pool, of which set,
 * name and proof, a NUL before each of the latter two, are a part. */
struct hold {
    struct session_item item; /* first */
    struct daemon *daemon;
    struct pool *pool;    /* NULL: a lock */
    struct str set, name; /* set: of a lock; name: the resource, or the lock's key */
    struct str proof;     /* the token, or the lock's owner */
    int64_t fence;        /* of a lock */
    int64_t amount;       /* permits; else 1 */
    uint64_t asker;       /* a connection's id, and how often it had begun anew */
    unsigned resets;
    bool is_joint;                /* others may have it by the same reqid: it has a name there */
    const struct later *freed_by; /* the request that may free it; NULL: none */
    struct hold *next;            /* while only planned */
};

static struct hold *hold_of(struct session_item *item)
{
    return (struct hold *)item;
}

/* What it is asked of Redis for at first. */
static int64_t first_ms(const struct later *later)
{
    int64_t time_ms = later->daemon->sessions.time_ms;
    return later->limit_ms > 0 && later->limit_ms < time_ms ? later->limit_ms : time_ms;
}

int64_t holds_begin(struct later *later, const struct options *options)
{
    later->limit_ms = options->given & OPT_TIMEOUT ? options->timeout_ms : 0;
    later->is_joint = (options->given & OPT_REQID) != 0;
    return first_ms(later);
}

static struct str name_of(const struct daemon *daemon, uint64_t asker, unsigned resets,
                          char out[HOLDS_NAME_MAX])
{
    int len = snprintf(out, HOLDS_NAME_MAX, "%.*s:%" PRIu64 ".%u", PRSTR(daemon->batches.daemon),
                       asker, resets);
    return str_make(out, (size_t)len);
}

struct str holds_name(const struct later *later, char out[HOLDS_NAME_MAX])
{
    return name_of(later->daemon, later->asker, later->resets, out);
}

/* --- one hold ----------------------------------------------------------------------------------
 */

static struct hold *hold_new(struct daemon *daemon, struct pool *pool, struct str set,
                             struct str name, struct str proof)
{
    struct hold *hold =
        mem_alloc(sizeof(*hold) + KEY_HEAD + set.len + 1 + name.len + 1 + proof.len);
    char *at = (char *)(hold + 1) + KEY_HEAD;
    *hold = (struct hold){.daemon = daemon, .pool = pool, .amount = 1};
    hold->set = str_put(&at, set);
    *at++ = '\0';
    hold->name = str_put(&at, name);
    *at++ = '\0';
    hold->proof = str_put(&at, proof);
    if (pool != NULL)
        pool->pending++; /* it is not forgotten meanwhile */
    return hold;
}

static void hold_free(struct session_item *item)
{
    struct hold *hold = hold_of(item);
    if (hold->pool != NULL)
        hold->pool->pending--;
    mem_free(hold);
}

static enum session_outcome outcome_of(const struct err *err, int64_t count)
{
    if (err == NULL)
        return count > 0 ? SESSION_KEPT : SESSION_GONE;
    return err->kind == ERR_NOTOWNER ? SESSION_GONE : SESSION_UNKNOWN;
}

static void end_lease_renewal(void *arg, const struct err *err, int64_t count)
{
    if (err == NULL && count > 1)
        session_limit(arg, count);
    session_settle(arg, outcome_of(err, count));
}

static void renew_lease(struct session_item *item, int64_t timeout_ms)
{
    const struct hold *hold = hold_of(item);
    leases_keep(hold->pool, hold->name, hold->proof, timeout_ms, end_lease_renewal, item);
}

static void give_lease_back(struct session_item *item)
{
    const struct hold *hold = hold_of(item);
    struct leases leases = {.one = {.resource = hold->name, .token = hold->proof}, .count = 1};
    char text[HOLDS_NAME_MAX];
    if (hold->is_joint)
        leases_leave(hold->pool, &leases, name_of(hold->daemon, hold->asker, hold->resets, text),
                     false);
    else
        leases_give_back(hold->pool, &leases);
}

static void end_lock_renewal(void *arg, const struct err *err, const struct answer *answer)
{
    session_settle(arg, outcome_of(err, answer_int(answer, 0)));
}

static struct lock_hold lock_of(const struct hold *hold)
{
    return (struct lock_hold){
        .name = {hold->set, hold->name}, .owner = hold->proof, .fence = hold->fence};
}

static void renew_lock(struct session_item *item, int64_t timeout_ms)
{
    const struct hold *hold = hold_of(item);
    struct lock_hold lock = lock_of(hold);
    locks_keep(&hold->daemon->locks, &lock, timeout_ms, end_lock_renewal, item);
}

static void give_lock_back(struct session_item *item)
{
    const struct hold *hold = hold_of(item);
    struct lock_hold lock = lock_of(hold);
    char text[HOLDS_NAME_MAX];
    lock.session = name_of(hold->daemon, hold->asker, hold->resets, text);
    locks_give_back(&hold->daemon->locks, &lock);
}

static const struct session_rules lease_rules = {
    .renew = renew_lease, .give_back = give_lease_back, .free = hold_free};
static const struct session_rules lock_rules = {
    .renew = renew_lock, .give_back = give_lock_back, .free = hold_free};

/* --- telling what was lost ---------------------------------------------------------------------
 */

struct loss {
    struct str where, name, proof;
    char fence[NUM_INT_MAX];
};

static void describe(const struct hold *hold, struct loss *loss)
{
    loss->where = hold->pool != NULL ? str_of(hold->pool->name) : STR("lock");
    loss->name = hold->name;
    loss->proof = hold->pool != NULL
                      ? hold->proof
                      : str_make(loss->fence, num_format_int(loss->fence, hold->fence));
}

static void put_push(struct reply *reply, const struct loss *loss)
{
    reply_push(reply, 4);
    reply_bulk(reply, STR("lost"));
    reply_bulk(reply, loss->where);
    reply_bulk(reply, loss->name);
    reply_bulk(reply, loss->proof);
}

/* As a message of the channel, for connections that know no pushes. */
static void put_message(struct reply *reply, const struct loss *loss)
{
    struct str parts[] = {loss->where, loss->name, loss->proof};
    char *text = mem_alloc(loss->where.len + loss->name.len + loss->proof.len + 2), *at = text;
    for (int i = 0; i < 3; i++) {
        str_put(&at, parts[i]);
        if (i < 2)
            *at++ = ' ';
    }
    reply_push(reply, 3);
    reply_bulk(reply, STR("message"));
    reply_bulk(reply, STR(CHANNEL));
    reply_bulk(reply, str_make(text, (size_t)(at - text)));
    mem_free(text);
}

static void tell_message(struct peer *peer, const struct loss *loss)
{
    put_message(peer_begin_push(peer), loss);
    peer_end_push(peer);
}

/* Client libraries subscribe on a connection of their own: it hears of those with its name. That
 * others have that name, too, cannot be known: it does not count as told. */
static void tell_namesakes(struct holder *holder, const struct loss *loss)
{
    const struct peer_state *state = peer_state(holder->peer);
    if (state->name[0] == '\0' || holder->daemon->gauges.loss_listeners == 0)
        return;
    for (struct peer *peer = peer_next(holder->daemon, NULL); peer != NULL;
         peer = peer_next(holder->daemon, peer)) {
        const struct peer_state *other = peer_state(peer);
        if (peer != holder->peer && other->hears_losses && strcmp(other->name, state->name) == 0)
            tell_message(peer, loss);
    }
}

/* As many as an error has room for. */
static void remember(struct peer_state *state, const struct loss *loss)
{
    char name[100], proof[100];
    char *before = state->loss;
    size_t len = before != NULL ? strlen(before) : 0;
    if (len > MOST_TOLD) {
        if (!str_ends(str_make(before, len), STR(AND_MORE)))
            state->loss = mem_printf("%s" AND_MORE, before);
    } else {
        str_printable(loss->name, name, sizeof(name));
        str_printable(loss->proof, proof, sizeof(proof));
        state->loss = mem_printf("%s%s%.*s %s %s was lost", len > 0 ? before : "",
                                 len > 0 ? "; " : "", PRSTR(loss->where), name, proof);
    }
    if (state->loss != before)
        mem_free(before);
}

static void on_lost(void *arg, struct session_item *item)
{
    struct holder *holder = arg;
    struct peer_state *state = peer_state(holder->peer);
    struct loss loss;
    describe(hold_of(item), &loss);
    tell_namesakes(holder, &loss);
    if (state->protocol >= 3) {
        put_push(peer_begin_push(holder->peer), &loss);
        peer_end_push(holder->peer);
    } else if (state->hears_losses) {
        tell_message(holder->peer, &loss);
    } else {
        remember(state, &loss);
    }
}

bool holds_tell_late(struct peer_state *state, struct err *err)
{
    if (state->loss == NULL)
        return false;
    err_set(err, ERR_LOST, "%s; this request was not run", state->loss);
    mem_free(state->loss);
    state->loss = NULL;
    return true;
}

/* --- holding -----------------------------------------------------------------------------------
 */

static struct session *session_of(struct daemon *daemon, struct peer *peer)
{
    struct peer_state *state = peer_state(peer);
    if (state->holder == NULL) {
        state->holder = mem_zalloc(sizeof(*state->holder));
        state->holder->daemon = daemon;
        state->holder->peer = peer;
        session_init(&state->holder->session, &daemon->sessions, on_lost, state->holder);
    }
    return &state->holder->session;
}

/* What a repeated request gets again is its connection's only once, and a lock that its owner got
 * again is of the connection that got it last: the number says which it is. */
static void set_key(struct hold *hold, uint64_t number)
{
    char *key = (char *)(hold + 1);
    memcpy(key, &number, sizeof number);
    memcpy(key + sizeof number, &hold->pool, sizeof hold->pool);
    hold->item.key =
        str_make(key, KEY_HEAD + hold->set.len + 1 + hold->name.len + 1 + hold->proof.len);
}

static void hold_take(struct later *later, struct hold *hold, const struct session_rules *rules,
                      const struct session_span *span)
{
    struct peer *peer = turn_peer(later->turn);
    hold->asker = later->asker;
    hold->resets = later->resets;
    if (peer_state(peer)->resets == later->resets) {
        session_hold_take(session_of(later->daemon, peer), &hold->item, rules, span);
        return;
    }
    rules->give_back(&hold->item); /* what the session held has been given back before this came */
    rules->free(&hold->item);
}

/* What was granted earlier, to who waited or had asked before, lasts no longer than it says. */
static struct session_span span_of(const struct later *later, const struct leases *leases,
                                   int64_t ttl_ms)
{
    int64_t first = first_ms(later), passed_ms = ttl_ms >= 0 && ttl_ms < first ? first - ttl_ms : 0;
    int64_t limit_ms = later->limit_ms - passed_ms;
    return (struct session_span){.from_ms = leases->asked_ms,
                                 .for_ms = ttl_ms >= 0 ? ttl_ms : first,
                                 .limit_ms = later->limit_ms > 0 && limit_ms < 1 ? 1 : limit_ms};
}

void holds_take_leases(struct later *later, struct pool *pool, const struct leases *leases)
{
    char text[HOLDS_NAME_MAX];
    if (turn_is_orphan(later->turn)) { /* without a reqid whoever asked gives them back */
        if (later->is_joint)
            leases_leave(pool, leases, holds_name(later, text), true);
        return;
    }
    for (size_t i = 0; i < leases->count; i++) {
        struct lease lease = leases_at(leases, i);
        struct session_span span = span_of(later, leases, lease.ttl_ms);
        struct hold *hold = hold_new(later->daemon, pool, STR(""), lease.resource, lease.token);
        hold->is_joint = later->is_joint;
        if (hold->is_joint)
            set_key(hold, later->asker);
        hold_take(later, hold, &lease_rules, &span);
    }
}

void holds_plan_lock(struct later *later, const struct lock_name *name, struct str owner,
                     int64_t amount)
{
    struct hold *hold = hold_new(later->daemon, NULL, name->set, name->key, owner);
    hold->amount = amount;
    hold->next = later->holds;
    later->holds = hold;
}

/* Who waits asks again before it gets it. */
static int64_t asked_ms(const struct later *later)
{
    return later->waiter != NULL ? later->waiter->asked_ms : later->started_us / 1000;
}

void holds_take_locks(struct later *later, const struct answer *fences)
{
    bool is_held = !answer_is_none(fences) && !turn_is_orphan(later->turn);
    struct session_span span = {
        .from_ms = asked_ms(later), .for_ms = first_ms(later), .limit_ms = later->limit_ms};
    for (size_t i = 0; later->holds != NULL; i++) {
        struct hold *hold = later->holds;
        later->holds = hold->next;
        hold->fence = answer_int(answer_is_array(fences) ? answer_at(fences, i) : fences, 0);
        if (!is_held) {
            hold_free(&hold->item);
            continue;
        }
        set_key(hold, (uint64_t)hold->fence);
        hold_take(later, hold, &lock_rules, &span);
    }
}

/* proof: "" = any. */
static void forget(struct peer *peer, const struct pool *pool, struct str set, struct str name,
                   struct str proof)
{
    struct holder *holder = peer_state(peer)->holder;
    if (holder == NULL)
        return;
    list_each (node, &holder->session.items) {
        struct hold *hold = hold_of(list_entry(node, struct session_item, node));
        if (hold->pool == pool && str_eq(hold->name, name) && str_eq(hold->set, set) &&
            (proof.len == 0 || str_eq(proof, hold->proof)))
            session_forget(&hold->item);
    }
}

/* The token of a unit says which: see lua/pool/slot.lua. */
static bool is_unit(const struct hold *hold)
{
    return str_find(hold->proof, STR(".")) >= 0;
}

void holds_free_lease(const struct later *later, struct peer *peer, struct str resource,
                      struct str token)
{
    struct holder *holder = peer_state(peer)->holder;
    if (token.len > 0 || holder == NULL) {
        forget(peer, later->pool, STR(""), resource, token);
        return;
    }
    list_each (node, &holder->session.items) {
        struct hold *hold = hold_of(list_entry(node, struct session_item, node));
        if (hold->pool != later->pool || !str_eq(hold->name, resource))
            continue;
        if (is_unit(hold))
            hold->freed_by = later;
        else
            session_forget(&hold->item);
    }
}

void holds_end_free(const struct later *later, bool is_done)
{
    struct peer *peer = turn_peer(later->turn);
    struct holder *holder = peer != NULL ? peer_state(peer)->holder : NULL;
    if (holder == NULL)
        return;
    list_each (node, &holder->session.items) {
        struct hold *hold = hold_of(list_entry(node, struct session_item, node));
        if (hold->freed_by != later)
            continue;
        hold->freed_by = NULL;
        if (is_done)
            session_forget(&hold->item);
    }
}

void holds_forget_lock(struct peer *peer, const struct lock_name *name, struct str owner)
{
    forget(peer, NULL, name->set, name->key, owner);
}

static void set_hearing(struct daemon *daemon, struct peer_state *state, bool is_hearing)
{
    if (state->hears_losses && !is_hearing)
        daemon->gauges.loss_listeners--;
    else if (!state->hears_losses && is_hearing)
        daemon->gauges.loss_listeners++;
    state->hears_losses = is_hearing;
}

void holds_end(struct daemon *daemon, struct peer_state *state)
{
    set_hearing(daemon, state, false);
    mem_free(state->loss);
    state->loss = NULL;
    state->resets++;
    if (state->holder == NULL)
        return;
    session_end(&state->holder->session);
    mem_free(state->holder);
    state->holder = NULL;
}

size_t holds_count(const struct peer_state *state)
{
    return state->holder == NULL ? 0 : state->holder->session.items.count;
}

/* Which of them it is must be unmistakable: a set's name has no blanks. */
struct str holds_lock_object(const struct lock_name *name, char out[HOLDS_OBJECT_MAX])
{
    int len = name->set.len == 0 ? snprintf(out, HOLDS_OBJECT_MAX, "lock %.*s", PRSTR(name->key))
                                 : snprintf(out, HOLDS_OBJECT_MAX, "set %.*s lock %.*s",
                                            PRSTR(name->set), PRSTR(name->key));
    return str_make(out, (size_t)len);
}

struct str holds_pool_object(const struct pool *pool, char out[HOLDS_OBJECT_MAX])
{
    return str_make(out, (size_t)snprintf(out, HOLDS_OBJECT_MAX, "pool %s", pool->name));
}

void holds_each(const struct peer_state *state,
                void (*each)(void *arg, struct str object, int64_t amount), void *arg)
{
    if (state->holder == NULL)
        return;
    list_each (node, &state->holder->session.items) {
        const struct hold *hold = hold_of(list_entry(node, struct session_item, node));
        char object[HOLDS_OBJECT_MAX];
        struct lock_name name = {hold->set, hold->name};
        each(arg,
             hold->pool != NULL ? holds_pool_object(hold->pool, object)
                                : holds_lock_object(&name, object),
             hold->amount);
    }
}

/* --- the channel -------------------------------------------------------------------------------
 */

static bool check_channel(struct ask *ask)
{
    char shown[80];

    if (ask->fixed_count == 0 || str_eq(ask->fixed[0], STR(CHANNEL)))
        return true;
    str_printable(ask->fixed[0], shown, sizeof(shown));
    ask_error(ask, ERR_GENERAL, "the only channel is '" CHANNEL "', not '%s'", shown);
    return false;
}

static void put_subscription(struct ask *ask, const char *kind, int64_t count)
{
    reply_push(ask->reply, 3);
    reply_text(ask->reply, kind);
    reply_bulk(ask->reply, STR(CHANNEL));
    reply_int(ask->reply, count);
}

void cmd_subscribe(struct ask *ask)
{
    if (!check_channel(ask))
        return;
    set_hearing(ask->daemon, peer_state(ask->peer), true);
    put_subscription(ask, "subscribe", 1);
}

void cmd_unsubscribe(struct ask *ask)
{
    if (!check_channel(ask))
        return;
    set_hearing(ask->daemon, peer_state(ask->peer), false);
    put_subscription(ask, "unsubscribe", 0);
}
