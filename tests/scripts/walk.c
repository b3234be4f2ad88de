/* walk: random operations of ours and of a Python program on one pool, each answer and all that
 * lies in Redis compared with a model.  RALLOCD_SEED=n repeats a walk, RALLOCD_STEPS=n makes a
 * longer one; a failed one prints the seed and what it did last. */
#include "base/mem.h"
#include "tests/lib/peek.h"
#include "tests/lib/until.h"
#include "tests/lib/walker.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS      20000
#define OPERATIONS 6    /* of a batch, at most */
#define RANDOM     22   /* bytes of a token behind its fence */
#define WALK_MS    6000 /* a walk without RALLOCD_STEPS ends then, at the latest */

/* --- batches --- */

struct operation {
    char letter;
    struct model_ask ask; /* M */
    char random[RANDOM + 1];
    char token[MODEL_TOKEN]; /* F, R; "" = whoever */
    long expiry;             /* F; 0 = keep */
    bool is_permanent;       /* R */
    int count, items[4];
};

static void pick_malloc(struct walk *walk, struct operation *op, bool is_plain, struct args *args)
{
    struct model_ask *ask = &op->ask;
    ask->how = is_plain ? '1' : "11na"[walk_below(walk, 4)];
    ask->count = ask->how == '1' ? 1 : 1 + walk_below(walk, 4);
    ask->is_permanent = walk_below(walk, 4) == 0;
    ask->name = is_plain ? MODEL_NONE : walk_maybe(walk, MODEL_NAMES);
    ask->owner = is_plain || walk->model.is_shared ? MODEL_NONE : walk_maybe(walk, 2);
    ask->reqid = is_plain || walk->model.is_shared ? MODEL_NONE : walk_maybe(walk, MODEL_REQUESTS);
    snprintf(op->random, sizeof op->random, "r%0*d", RANDOM - 1, walk_below(walk, 1000));
    args_add(args, (char[]){ask->how, '\0'});
    args_add_int(args, ask->count);
    args_add_int(args, ask->is_permanent ? 0 : MODEL_LEASE_MS);
    args_add(args, op->random);
    args_add(args, model_name(ask->name));
    args_add_int(args, walk_below(walk, 2) == 0 ? 0 : MODEL_LEASE_MS);
    args_add(args, model_owner(ask->owner));
    args_add(args, model_reqid(ask->reqid));
}

/* Mostly none, else that of the first item, else a wrong one. */
static void pick_token(struct walk *walk, struct operation *op, struct args *args)
{
    int chance = walk_below(walk, 6);
    if (chance == 0)
        snprintf(op->token, sizeof op->token, "no such");
    else if (chance <= 2 && walk->model.items[op->items[0]].has_lease)
        snprintf(op->token, sizeof op->token, "%s", walk->model.items[op->items[0]].token);
    args_add(args, op->token);
}

static void pick(struct walk *walk, struct operation *op, bool is_plain, struct args *args)
{
    memset(op, 0, sizeof *op);
    op->letter = "MMFFR"[walk_below(walk, 5)];
    args_add(args, (char[]){op->letter, '\0'});
    if (op->letter == 'M') {
        pick_malloc(walk, op, is_plain, args);
    } else if (op->letter == 'F') {
        op->count = walk_items(walk, 1, is_plain ? 1 : 4, op->items);
        pick_token(walk, op, args);
        if (is_plain || walk_below(walk, 2) == 0)
            args_add(args, "");
        else
            args_add(args, walk_expiry(walk, &op->expiry));
        args_add_int(args, op->count);
        args_add_items(walk, args, op->count, op->items);
    } else {
        op->count = walk_items(walk, 1, 1, op->items);
        args_add_items(walk, args, 1, op->items);
        pick_token(walk, op, args);
        op->is_permanent = walk_below(walk, 3) == 0;
        args_add_int(args, op->is_permanent ? -1 : MODEL_LEASE_MS);
    }
}

/* The token that a lease must have but for the fence, which must be the largest ever. */
static void check_token(const struct operation *op, const char *token, long long fence,
                        long long *last)
{
    char mark = op->ask.owner != MODEL_NONE || op->ask.reqid != MODEL_NONE ? '+' : '-';
    char *end;
    ck_assert_int_gt(fence, *last);
    *last = fence;
    ck_assert_int_eq(strtoll(token, &end, 10), fence);
    ck_assert_int_eq(*end, mark);
    if (op->ask.count == 1)
        ck_assert_str_eq(end + 1, op->random);
    else
        ck_assert_uint_eq(strspn(end + 1, "0123456789abcdef"), 22);
}

static void check_malloc(struct walk *walk, const struct operation *op, const redisReply *reply,
                         long long *last_fence)
{
    struct model *model = &walk->model;
    struct model_given given = model_malloc(model, &op->ask);
    const char *tokens[MODEL_GRANTS];
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    for (int i = 0; i < given.count; i++)
        fprintf(walk->log, "    should give '%s'\n", model->items[given.items[i]].name);
    ck_assert_int_eq((int)reply->elements, 4 * given.count);
    for (int i = 0; i < given.count; i++) {
        redisReply **lease = reply->element + 4 * i;
        const struct model_item *item = &model->items[given.items[i]];
        long long ttl_ms = lease[3]->integer;
        ck_assert_str_eq(lease[0]->str, item->name);
        tokens[i] = lease[1]->str;
        if (model->is_shared) {
            ck_assert(lease[1]->len == 0 && lease[2]->integer == 0 && ttl_ms == -1);
        } else if (given.is_again) {
            ck_assert_str_eq(tokens[i], item->token);
            ck_assert(item->is_permanent ? ttl_ms == -1 : ttl_ms >= 0);
        } else {
            check_token(op, tokens[i], lease[2]->integer, last_fence);
            ck_assert_int_eq(ttl_ms, op->ask.is_permanent ? -1 : MODEL_LEASE_MS);
        }
    }
    model_granted(model, &op->ask, &given, tokens);
}

/* The same of a cheaper script, which answers token and resource in one text. */
static void check_plain_malloc(struct walk *walk, const struct operation *op,
                               const redisReply *reply, long long *last_fence)
{
    struct model_given given = model_malloc(&walk->model, &op->ask);
    const char *tokens[MODEL_GRANTS];
    char token[MODEL_TOKEN];
    ck_assert_int_eq(given.count, reply->type == REDIS_REPLY_STRING);
    if (given.count == 1) {
        const char *name = walk->model.items[given.items[0]].name;
        const char *mark = strchr(reply->str, '-');
        ck_assert_ptr_nonnull(mark);
        snprintf(token, sizeof token, "%.*s", (int)(mark + 1 + RANDOM - reply->str), reply->str);
        ck_assert_str_eq(mark + 1 + RANDOM, name);
        check_token(op, token, strtoll(token, NULL, 10), last_fence);
        tokens[0] = token;
    }
    model_granted(&walk->model, &op->ask, &given, tokens);
}

static void check_operation(struct walk *walk, const struct operation *op, const redisReply *reply,
                            long long *last_fence)
{
    const char *token = op->token[0] != '\0' ? op->token : NULL;
    int expected;
    if (op->letter == 'M') {
        if (reply->type == REDIS_REPLY_ARRAY)
            check_malloc(walk, op, reply, last_fence);
        else
            check_plain_malloc(walk, op, reply, last_fence);
        return;
    }
    expected = op->letter == 'F' ? model_free(&walk->model, token, op->expiry, op->count, op->items)
                                 : model_renew(&walk->model, token, op->is_permanent, op->items[0]);
    if (expected == -1)
        ck_assert(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOTOWNER", 8) == 0);
    else
        ck_assert(reply->type == REDIS_REPLY_INTEGER && reply->integer == expected);
}

static long long read_fence(struct walk *walk)
{
    char *text = peek_text(walk->at.redis, "HGET %s|pool|journal fence", walk->at.base);
    long long fence = text != NULL ? strtoll(text, NULL, 10) : 0;
    mem_free(text);
    return fence;
}

/* Which run of pool/plain it belongs to; 0: none. */
static char run_letter(const struct operation *op)
{
    const struct model_ask *ask = &op->ask;
    bool has_options = ask->name != MODEL_NONE || ask->owner != MODEL_NONE ||
                       ask->reqid != MODEL_NONE || ask->how != '1';
    if (op->letter == 'M')
        return has_options ? 0 : 'M';
    if (op->letter == 'F')
        return op->count != 1 || op->expiry != 0 ? 0 : op->token[0] != '\0' ? 'T' : 'F';
    return 'R';
}

static void add_named(struct walk *walk, const struct operation *op, bool with_token,
                      struct args *args)
{
    args_add_items(walk, args, 1, op->items);
    if (with_token)
        args_add(args, op->token);
    if (op->letter == 'R')
        args_add_int(args, op->is_permanent ? -1 : MODEL_LEASE_MS);
}

static bool share_run(const struct operation *one, const struct operation *other)
{
    return run_letter(one) == run_letter(other) &&
           (one->letter != 'M' || one->ask.is_permanent == other->ask.is_permanent);
}

static void add_runs(struct walk *walk, const struct operation *ops, int count, struct args *args)
{
    char randoms[OPERATIONS * RANDOM + 1] = "";
    for (int i = 0; i < count; i++)
        strcat(randoms, ops[i].random);
    args_add(args, randoms);
    for (int from = 0, to; from < count; from = to) {
        char letter = run_letter(&ops[from]);
        for (to = from + 1; to < count && share_run(&ops[from], &ops[to]); to++)
            ;
        args_add(args, (char[]){letter, '\0'});
        args_add_int(args, to - from);
        if (letter == 'M')
            args_add_int(args, ops[from].ask.is_permanent ? 0 : MODEL_LEASE_MS);
        for (int i = from; i < to && letter != 'M'; i++)
            add_named(walk, &ops[i], letter != 'F', args);
    }
}

static enum script_id add_alone(struct walk *walk, const struct operation *op, struct args *args)
{
    if (op->letter != 'M') {
        if (op->letter == 'R')
            args_add(args, "R");
        add_named(walk, op, true, args);
        return op->letter == 'F' ? SCRIPT_POOL_FREE_ONE : SCRIPT_POOL_RENEW_ONE;
    }
    args_add_int(args, op->ask.is_permanent ? 0 : MODEL_LEASE_MS);
    args_add(args, op->random);
    return SCRIPT_POOL_MALLOC_ONE;
}

/* By a cheaper script, where one is meant for all of them; NULL when it leaves them undone. */
static redisReply *run_plain(struct walk *walk, const struct operation *ops, int count)
{
    struct args args = {0};
    enum script_id id = SCRIPT_POOL_PLAIN;
    if (walk->model.is_shared)
        return NULL;
    for (int i = 0; i < count; i++) {
        if (run_letter(&ops[i]) == 0)
            return NULL;
    }
    args_add(&args, "D");
    args_add_int(&args, (long)walk->at.sequence);
    if (count == 1 && walk_below(walk, 2) == 0)
        id = add_alone(walk, &ops[0], &args);
    else
        add_runs(walk, ops, count, &args);
    redisReply *reply = walk_run(walk, id, &args);
    if (reply->type != REDIS_REPLY_STRING)
        return reply;
    ck_assert_str_eq(reply->str, "FULL");
    freeReplyObject(reply);
    return NULL;
}

static void step_batch(struct walk *walk)
{
    struct operation ops[OPERATIONS];
    struct args args = {0};
    struct model_request before = walk->model.last;
    int count = walk_below(walk, 3) == 0 ? 1 : 1 + walk_below(walk, OPERATIONS);
    long long last_fence = read_fence(walk);
    walk->model.last.count = 0;
    args_add(&args, "D");
    args_add_int(&args, (long)++walk->at.sequence);
    args_add(&args, walk->model.is_shared ? "shared" : "exclusive");
    bool are_plain = walk_below(walk, 2) == 0;
    for (int i = 0; i < count; i++)
        pick(walk, &ops[i], are_plain || walk_below(walk, 2) == 0, &args);
    model_begin_batch(&walk->model);
    redisReply *reply = run_plain(walk, ops, count);
    if (reply == NULL)
        reply = walk_run(walk, SCRIPT_POOL_BATCH, &args);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    ck_assert_int_eq((int)reply->elements, count);
    for (int i = 0; i < count; i++)
        check_operation(walk, &ops[i], reply->element[i], &last_fence);
    freeReplyObject(reply);
    if (walk->model.last.count == 0)
        walk->model.last = before;
    else
        walk->model.last_sequence = (long)walk->at.sequence;
}

/* --- other operations of ours --- */

static void step_recall(struct walk *walk)
{
    struct args args = {0};
    int expected = 0;
    /* Of the newest batch: it may have granted nothing, then there is nothing to give back. */
    if (walk->model.last_sequence == (long)walk->at.sequence)
        expected = model_recall(&walk->model);
    args_add(&args, "D");
    args_add_int(&args, (long)walk->at.sequence);
    walk_expect_int(walk_run(walk, SCRIPT_POOL_RECALL, &args), expected);
    walk->model.last.count = 0;
    args = (struct args){0};
    args_add(&args, "D");
    args_add_int(&args, (long)walk->at.sequence);
    args_add(&args, "exclusive");
    redisReply *late = walk_run(walk, SCRIPT_POOL_BATCH, &args);
    ck_assert(late->type == REDIS_REPLY_ERROR && strncmp(late->str, "STALE", 5) == 0);
    freeReplyObject(late);
}

static void step_extend(struct walk *walk)
{
    struct args args = {0};
    int items[MODEL_ITEMS], count = walk_items(walk, 1, 5, items);
    long expiry;
    args_add(&args, walk_expiry(walk, &expiry));
    args_add_items(walk, &args, count, items);
    args_add_items(walk, &args, 1, items); /* named twice */
    walk_expect_int(walk_run(walk, SCRIPT_POOL_EXTEND, &args),
                    model_extend(&walk->model, expiry, count, items));
}

static void step_shrink(struct walk *walk)
{
    struct args args = {0};
    int items[MODEL_ITEMS], count = walk_items(walk, 1, 3, items);
    args_add_items(walk, &args, count, items);
    args_add_items(walk, &args, 1, items);
    walk_expect_int(walk_run(walk, SCRIPT_POOL_SHRINK, &args),
                    model_shrink(&walk->model, count, items));
}

static void step_assign(struct walk *walk)
{
    struct args args = {0};
    int items[MODEL_ITEMS], count = walk_items(walk, 0, MODEL_ITEMS, items), added, removed;
    long expiry;
    args_add(&args, walk_expiry(walk, &expiry));
    args_add_items(walk, &args, count, items);
    if (count > 0)
        args_add_items(walk, &args, 1, items);
    model_assign(&walk->model, expiry, count, items, &added, &removed);
    walk_expect_ints(walk_run(walk, SCRIPT_POOL_ASSIGN, &args), 2, (long[]){added, removed});
}

static void step_set_aside(struct walk *walk)
{
    struct args args = {0};
    int items[MODEL_ITEMS], count = walk_items(walk, 1, 3, items), kind = 1 + walk_below(walk, 3);
    args_add_int(&args, kind);
    args_add(&args, "0");
    args_add(&args, walk_below(walk, 2) == 0 ? "" : "no reason");
    args_add_items(walk, &args, count, items);
    walk_expect_int(walk_run(walk, SCRIPT_POOL_SET_ASIDE, &args),
                    model_set_aside(&walk->model, kind, count, items));
}

static void step_restore(struct walk *walk)
{
    struct args args = {0};
    int items[MODEL_ITEMS], count = walk_items(walk, 1, 5, items), kind = walk_below(walk, 3);
    args_add(&args, kind == 0 ? "" : kind == 1 ? "1" : "2");
    args_add_items(walk, &args, count, items);
    args_add_items(walk, &args, 1, items); /* named twice */
    walk_expect_int(walk_run(walk, SCRIPT_POOL_RESTORE, &args),
                    model_restore(&walk->model, kind, count, items));
}

/* Entries as HSCAN gives them. */
static int read_order(struct walk *walk, int *order)
{
    redisReply *page = peek(walk->at.redis, "HSCAN %s|pool 0 COUNT 1000", walk->at.base);
    int count = 0;
    for (size_t i = 0; i < page->element[1]->elements; i += 2) {
        const redisReply *name = page->element[1]->element[i];
        order[count++] = model_find(&walk->model, name->str, (size_t)name->len);
    }
    freeReplyObject(page);
    return count;
}

static void step_gc(struct walk *walk)
{
    struct args args = {0};
    int order[MODEL_ITEMS], count = read_order(walk, order), total = 0;
    struct model_swept swept = model_gc(&walk->model, count, order);
    for (int i = 0; i < 4; i++)
        args_add(&args, (const char *[]){"", "0", "100", "1000"}[i]);
    redisReply *reply = walk_run(walk, SCRIPT_POOL_GC, &args);
    ck_assert_int_eq((int)reply->elements, 11);
    for (int i = 0; i < MODEL_ITEMS; i++)
        total += walk->model.items[i].is_in;
    long expected[] = {1, swept.scanned, swept.reclaimed, swept.expired, swept.repaired, 0,
                       0, total};
    for (size_t i = 8; i < reply->elements; i++)
        freeReplyObject(reply->element[i]); /* times, and the rules */
    reply->elements = 8;
    walk_expect_ints(reply, 8, expected);
}

static void step_repair(struct walk *walk)
{
    struct args args = {0};
    long total = 0;
    int changes = model_repair(&walk->model);
    for (int i = 0; i < MODEL_ITEMS; i++)
        total += walk->model.items[i].is_in;
    walk_expect_ints(
        walk_run(walk, SCRIPT_POOL_REPAIR, &args), 4,
        (long[]){total, walk->model.free_count, total - walk->model.free_count, changes});
}

static void step_bind(struct walk *walk)
{
    struct args args = {0};
    int name = walk_below(walk, MODEL_NAMES), item = walk_below(walk, MODEL_ITEMS);
    args_add(&args, model_name(name));
    if (walk_below(walk, 3) > 0) {
        args_add(&args, walk->model.items[item].name);
        args_add_int(&args, MODEL_LEASE_MS);
        freeReplyObject(walk_run(walk, SCRIPT_POOL_BIND, &args));
        walk->model.ours[name] = item;
    } else {
        bool was = walk->model.ours[name] != MODEL_NONE || walk->model.theirs[name] != MODEL_NONE;
        walk_expect_int(walk_run(walk, SCRIPT_POOL_UNBIND, &args), was);
        walk->model.ours[name] = MODEL_NONE;
    }
    walk->model.theirs[name] = MODEL_NONE;
}

/* --- looks, which change nothing --- */

static void look_freelist(struct walk *walk)
{
    struct args args = {0};
    args_add(&args, "-1");
    redisReply *reply = walk_run(walk, SCRIPT_POOL_FREELIST, &args);
    ck_assert_int_eq((int)reply->elements, walk->model.free_count);
    for (int i = 0; i < walk->model.free_count; i++)
        ck_assert_str_eq(reply->element[i]->str, walk->model.items[walk->model.list[i]].name);
    freeReplyObject(reply);
}

/* The value behind a name of a map that a script gives as a list. */
static const redisReply *field_of(const redisReply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        if (strcmp(reply->element[i]->str, name) == 0)
            return reply->element[i + 1];
    }
    ck_abort_msg("there is no %s", name);
    return NULL;
}

static void look_status(struct walk *walk)
{
    struct args args = {0};
    int i = walk_below(walk, MODEL_ITEMS);
    const struct model_item *item = &walk->model.items[i];
    const char *state = model_state(&walk->model, i);
    args_add(&args, item->name);
    redisReply *reply = walk_run(walk, SCRIPT_POOL_STATUS, &args);
    if (state == NULL) {
        ck_assert_int_eq(reply->type, REDIS_REPLY_NIL);
    } else {
        bool is_noted = item->has_lease && strcmp(item->note, item->token) == 0;
        const char *owner = model_owner(is_noted ? item->owner : MODEL_NONE);
        ck_assert_str_eq(field_of(reply, "state")->str, state);
        if (owner[0] != '\0')
            ck_assert_str_eq(field_of(reply, "owner")->str, owner);
        else
            ck_assert_int_eq(field_of(reply, "owner")->type, REDIS_REPLY_NIL);
        ck_assert_int_eq(field_of(reply, "fence")->integer,
                         item->has_lease && strlen(item->token) > 1 ? strtoll(item->token, NULL, 10)
                                                                    : 0);
        if (!item->has_lease)
            ck_assert_int_eq(field_of(reply, "ttl")->integer, -2);
    }
    freeReplyObject(reply);
}

static void look_held(struct walk *walk)
{
    struct args args = {0};
    int owner = walk_below(walk, 2), count = 0;
    for (int i = 0; i < MODEL_ITEMS; i++) {
        const struct model_item *item = &walk->model.items[i];
        count += item->has_lease && strcmp(item->note, item->token) == 0 && item->owner == owner;
    }
    args_add(&args, model_owner(owner));
    redisReply *reply = walk_run(walk, SCRIPT_POOL_HELD, &args);
    ck_assert_int_eq((int)reply->elements, 4 * count);
    for (int k = 0; k < count; k++) {
        const redisReply *name = reply->element[4 * k];
        int i = model_find(&walk->model, name->str, (size_t)name->len);
        ck_assert_int_eq(walk->model.items[i].owner, owner);
        ck_assert_str_eq(reply->element[4 * k + 1]->str, walk->model.items[i].token);
    }
    freeReplyObject(reply);
}

/* What only others leave behind is reported, nothing else. */
static void look_check(struct walk *walk)
{
    struct args args = {0};
    size_t texts = 0;
    long total = 0, locked = 0;
    for (int i = 0; i < MODEL_ITEMS; i++) {
        const struct model_item *item = &walk->model.items[i];
        total += item->is_in;
        locked += item->is_in && item->has_lease;
        texts += item->is_free && item->has_lease;
        texts += (item->index == INDEX_LATER || item->index == INDEX_EVER) && !item->has_lease &&
                 !(item->is_in && !item->is_free);
        texts +=
            (item->departed == INDEX_LATER || item->departed == INDEX_EVER) && !item->has_lease;
    }
    redisReply *reply = walk_run(walk, SCRIPT_POOL_CHECK, &args);
    ck_assert_uint_eq(reply->elements, 3 + texts);
    ck_assert_int_eq(reply->element[0]->integer, total);
    ck_assert_int_eq(reply->element[1]->integer, walk->model.free_count);
    ck_assert_int_eq(reply->element[2]->integer, total - walk->model.free_count);
    freeReplyObject(reply);
    walk_expect_ints(walk_run(walk, SCRIPT_POOL_HEALTH, &args), 2,
                     (long[]){locked, total - locked});
}

/* --- others --- */

static void peer_malloc(struct walk *walk)
{
    bool is_permanent = walk_below(walk, 4) == 0;
    int name = walk_maybe(walk, MODEL_NAMES);
    int expected = model_peer_malloc(&walk->model, is_permanent, name);
    char *got = seedpeer_malloc(&walk->peer, is_permanent ? 0 : 100, model_name(name), 100);
    fprintf(walk->log, "peer malloc '%s' -> %s\n", model_name(name), got ? got : "nothing");
    ck_assert((got != NULL) == (expected != MODEL_NONE));
    if (got != NULL)
        ck_assert_str_eq(got, walk->model.items[expected].name);
    mem_free(got);
}

static void peer_members(struct walk *walk)
{
    const char *names[MODEL_ITEMS];
    int items[MODEL_ITEMS], count = walk_items(walk, 1, 6, items), what = walk_below(walk, 6);
    walk_names(walk, count, items, names);
    fprintf(walk->log, "peer members %d '%s' and %d more\n", what, names[0], count - 1);
    if (what == 0) {
        seedpeer_assign(&walk->peer, -1, count, names);
        model_peer_assign(&walk->model, -1, count, items);
    } else if (what <= 2) {
        seedpeer_shrink(&walk->peer, 1, names);
        model_peer_shrink(&walk->model, items[0]);
    } else {
        seedpeer_extend(&walk->peer, MODEL_FAR_MS / 1000, count, names);
        for (int i = 0; i < count; i++)
            model_peer_extend(&walk->model, MODEL_FAR, items[i]);
    }
}

static void peer_lease(struct walk *walk)
{
    const char *name;
    int i = walk_below(walk, MODEL_ITEMS), what = walk_below(walk, 4);
    name = walk->model.items[i].name;
    fprintf(walk->log, "peer lease %d '%s'\n", what, name);
    if (what == 0) {
        seedpeer_update(&walk->peer, name, 100);
        model_peer_update(&walk->model, i, false);
    } else if (!walk->model.items[i].is_free) { /* it would trip over one that is in the list */
        seedpeer_free(&walk->peer, -1, 1, &name);
        model_peer_free(&walk->model, -1, i);
    }
}

static void peer_gc(struct walk *walk)
{
    int order[MODEL_ITEMS], count = read_order(walk, order);
    fprintf(walk->log, "peer gc\n");
    seedpeer_gc(&walk->peer, 1000);
    model_peer_gc(&walk->model, count, order);
}

static void peer_bind(struct walk *walk)
{
    int name = walk_below(walk, MODEL_NAMES), item = walk_below(walk, MODEL_ITEMS);
    fprintf(walk->log, "peer bind '%s'\n", model_name(name));
    seedpeer_update_soft_bind(&walk->peer, model_name(name), walk->model.items[item].name, 100);
    walk->model.theirs[name] = item;
}

/* Time passes for one lease: as Redis' expiry does, with its deadline behind us. */
static void end_lease(struct walk *walk)
{
    int i = walk_below(walk, MODEL_ITEMS);
    const struct model_item *item = &walk->model.items[i];
    if (!item->has_lease)
        return;
    fprintf(walk->log, "the lease of '%s' ends\n", item->name);
    model_end_lease(&walk->model, i);
    peek_do(walk->at.redis, "DEL %s:%s", walk->at.base, item->name);
    if (item->index == INDEX_DUE)
        peek_do(walk->at.redis, "ZADD %s|pool|leases %ld %s", walk->at.base, item->due, item->name);
    if (item->departed == INDEX_DUE)
        peek_do(walk->at.redis, "ZADD %s|pool|departed %ld %s", walk->at.base, item->departed_due,
                item->name);
}

/* Time passes for one resource. */
static void end_item(struct walk *walk)
{
    int i = walk_below(walk, MODEL_ITEMS);
    struct model_item *item = &walk->model.items[i];
    struct peek_entry entry;
    if (!item->is_in)
        return;
    fprintf(walk->log, "'%s' expires\n", item->name);
    char *value = peek_text(walk->at.redis, "HGET %s|pool %s", walk->at.base, item->name);
    ck_assert(peek_split(str_of(value), &entry));
    peek_do(walk->at.redis, "HSET %s|pool %s %b||%b||1", walk->at.base, item->name, entry.prev.ptr,
            entry.prev.len, entry.next.ptr, entry.next.len);
    item->expiry = 1;
    mem_free(value);
}

/* --- the walk --- */

static void step(struct walk *walk)
{
    static void (*const steps[])(struct walk *) = {
        step_batch,  step_batch,    step_batch,  step_batch,     step_batch,   step_batch,
        step_batch,  step_batch,    step_extend, step_extend,    step_shrink,  step_assign,
        step_gc,     step_repair,   step_recall, step_set_aside, step_restore, step_restore,
        step_bind,   look_freelist, look_status, look_held,      look_check,   peer_malloc,
        peer_malloc, peer_members,  peer_lease,  peer_lease,     peer_gc,      peer_bind,
        end_lease,   end_lease,     end_lease,   end_item};
    steps[walk_below(walk, (int)(sizeof steps / sizeof *steps))](walk);
}

static uint64_t seed_of_walk(void)
{
    const char *given = getenv("RALLOCD_SEED");
    return given != NULL ? strtoull(given, NULL, 10) : (uint64_t)until_now_ms() * 2654435761U;
}

static void open_walk(struct walk *walk, bool is_shared)
{
    char path[128];
    memset(walk, 0, sizeof *walk);
    walk->seed = seed_of_walk();
    walk->random = walk->seed | 1;
    guard_start(&walk->guard);
    server_init(&walk->server, walk->guard.dir, "redis");
    server_start(&walk->server);
    pool_at_init(&walk->at, server_connect(&walk->server), "p|walk");
    walk->at.mode = is_shared ? "shared" : "exclusive";
    seedpeer_init(&walk->peer, walk->at.redis, "p|walk", is_shared);
    model_init(&walk->model, is_shared);
    snprintf(path, sizeof path, "%s/walk.log", walk->guard.dir);
    walk->log = fopen(path, "w");
    ck_assert(walk->log != NULL);
    setvbuf(walk->log, NULL, _IOLBF, 0);
}

static void close_walk(struct walk *walk)
{
    fclose(walk->log);
    redisFree(walk->at.redis);
    server_clear(&walk->server);
    guard_end(&walk->guard);
}

/* A walk that is repeated looks at everything after each step, others after a few. */
static void go(bool is_shared)
{
    struct walk walk;
    const char *given = getenv("RALLOCD_STEPS");
    long steps = given != NULL ? strtol(given, NULL, 10) : STEPS;
    long rest = getenv("RALLOCD_SEED") != NULL ? 1 : 8;
    open_walk(&walk, is_shared);
    int64_t end_ms = until_now_ms() + WALK_MS;
    for (long i = 0; i < steps && (given != NULL || until_now_ms() < end_ms); i++) {
        if (i % 100 == 0)
            fprintf(walk.log, "step %ld of RALLOCD_SEED=%llu\n", i, (unsigned long long)walk.seed);
        step(&walk);
        if (i % rest == 0)
            model_check(&walk.model, &walk.at);
        if (i % 16 == 0)
            peek_check_pool(walk.at.redis, walk.at.base);
    }
    close_walk(&walk);
}

START_TEST(an_exclusive_pool_does_what_the_model_does)
{
    go(false);
}
END_TEST

START_TEST(a_shared_pool_does_what_the_model_does)
{
    go(true);
}
END_TEST

int main(void)
{
    TCase *walks = tcase_create("walks");
    Suite *suite = suite_create("walk");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(walks, 600);
    tcase_add_test(walks, an_exclusive_pool_does_what_the_model_does);
    tcase_add_test(walks, a_shared_pool_does_what_the_model_does);
    suite_add_tcase(suite, walks);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
