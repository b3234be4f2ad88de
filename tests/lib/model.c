/* model: what a pool must be; see model.h. */
#include "tests/lib/model_parts.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const item_names[MODEL_ITEMS] = {
    "a",           "b|",        "10.0.0.7:8080",
    "with space",  "new\nline", "\xc3\xa9t\xc3\xa9",
    "x:y{z}|",     "x|y",       "-1",
    "#ALLOCATED2", "''\"%s\\",  "0123456789012345678901234567890123456789012345678|"};

const char *model_owner(int i)
{
    static const char *const owners[] = {"o", "owner two"};
    return i == MODEL_NONE ? "" : owners[i];
}

const char *model_reqid(int i)
{
    static const char *const ids[] = {"q", "q 2", "q\xff"};
    return i == MODEL_NONE ? "" : ids[i];
}

const char *model_name(int i)
{
    static const char *const names[] = {"n", "n:2", "n 3"};
    return i == MODEL_NONE ? "" : names[i];
}

void model_init(struct model *model, bool is_shared)
{
    memset(model, 0, sizeof *model);
    model->is_shared = is_shared;
    for (int i = 0; i < MODEL_ITEMS; i++)
        model->items[i].name = item_names[i];
    for (int i = 0; i < MODEL_NAMES; i++)
        model->ours[i] = model->theirs[i] = MODEL_NONE;
}

int model_find(const struct model *model, const char *name, size_t len)
{
    for (int i = 0; i < MODEL_ITEMS; i++)
        if (strlen(model->items[i].name) == len && memcmp(model->items[i].name, name, len) == 0)
            return i;
    return MODEL_NONE;
}

/* --- the free list --- */

void model_append(struct model *model, int i)
{
    model->items[i].is_in = model->items[i].is_free = true;
    model->list[model->free_count++] = i;
}

void model_unlink(struct model *model, int i)
{
    int at = 0;
    while (model->list[at] != i)
        at++;
    memmove(model->list + at, model->list + at + 1,
            (size_t)(model->free_count - at - 1) * sizeof *model->list);
    model->free_count--;
    model->items[i].is_free = false;
}

void model_leave(struct model *model, int i)
{
    if (model->items[i].is_free)
        model_unlink(model, i);
    model->items[i].is_in = false;
}

bool model_is_past(const struct model_item *item)
{
    return item->expiry == 1;
}

bool model_is_aside(const struct model_item *item)
{
    return item->has_lease && item->token[0] == '#';
}

void model_index_as_it_is(struct model_item *item)
{
    enum model_index kind = !item->has_lease     ? INDEX_NONE
                            : item->is_permanent ? INDEX_EVER
                                                 : INDEX_LATER;
    item->index = item->is_in ? kind : INDEX_NONE;
    if (!item->is_in)
        item->departed = kind;
}

/* Outside of the list, without a lease. */
void model_put_aside(struct model_item *item, int kind)
{
    item->has_lease = item->is_permanent = true;
    snprintf(item->token, MODEL_TOKEN, "#UNHEALTHY");
    item->kind = kind;
    item->is_pending = false;
    model_index_as_it_is(item);
}

enum model_place model_take_back(struct model *model, int i)
{
    struct model_item *item = &model->items[i];
    int pending = item->is_pending ? item->kind : 0;
    item->kind = 0;
    item->is_pending = false;
    if (model_is_past(item) || pending == KIND_LEAVING) {
        model_leave(model, i);
        return PLACE_GONE;
    } else if (pending == 0) {
        model_append(model, i);
        return PLACE_FREE;
    }
    model_put_aside(item, pending);
    return PLACE_ASIDE;
}

/* --- leases, the index, notes --- */

static void drop_from_request(struct model_request *request, int item, const char *token)
{
    int kept = 0;
    for (int i = 0; i < request->count; i++) {
        if (request->items[i] == item && strcmp(request->tokens[i], token) == 0)
            continue;
        request->items[kept] = request->items[i];
        memmove(request->tokens[kept++], request->tokens[i], MODEL_TOKEN);
    }
    request->count = kept;
}

void model_forget_note(struct model *model, int i)
{
    struct model_item *item = &model->items[i];
    if (item->note[0] != '\0' && item->reqid != MODEL_NONE)
        drop_from_request(&model->requests[item->reqid], i, item->note);
    item->note[0] = '\0';
}

bool model_is_noted_now(const struct model_item *item)
{
    return item->note[0] != '\0' && item->has_lease && strcmp(item->note, item->token) == 0;
}

/* What a malloc that finds nothing, or gc, takes back by the index. */
void model_reclaim(struct model *model, int *free, int *expired)
{
    for (;;) {
        int first = MODEL_NONE;
        for (int i = 0; i < MODEL_ITEMS; i++)
            if (model->items[i].index == INDEX_DUE &&
                (model->is_shared || !model->items[i].is_given) &&
                (first == MODEL_NONE || model->items[i].due < model->items[first].due))
                first = i;
        if (first == MODEL_NONE)
            return;
        struct model_item *item = &model->items[first];
        item->index = INDEX_NONE;
        if (item->has_lease) {
            model_index_as_it_is(item);
            continue;
        }
        model_forget_note(model, first);
        if (item->is_in && !item->is_free && !item->is_given) {
            enum model_place place = model_take_back(model, first);
            *free += place == PLACE_FREE;
            *expired += place == PLACE_GONE;
        }
    }
}

void model_end_lease(struct model *model, int i)
{
    struct model_item *item = &model->items[i];
    item->has_lease = false;
    model->ended++;
    if (item->index == INDEX_LATER || item->index == INDEX_EVER) {
        item->index = INDEX_DUE;
        item->due = model->ended;
    }
    if (item->departed == INDEX_LATER || item->departed == INDEX_EVER) {
        item->departed = INDEX_DUE;
        item->departed_due = model->ended;
    }
}

/* --- malloc --- */

void model_begin_batch(struct model *model)
{
    for (int i = 0; i < MODEL_REQUESTS; i++)
        model->requests[i].is_of_this_batch = false;
}

static bool give_again(struct model *model, int reqid, struct model_given *given)
{
    struct model_request *request = &model->requests[reqid];
    for (int i = 0; i < request->count; i++) {
        const struct model_item *item = &model->items[request->items[i]];
        if (item->has_lease && strcmp(item->token, request->tokens[i]) == 0)
            given->items[given->count++] = request->items[i];
    }
    given->is_again = given->count > 0;
    return given->is_again;
}

static bool can_be_had(const struct model_item *item)
{
    return item->is_in && !model_is_past(item) && !item->has_lease;
}

static void refill(struct model *model)
{
    int ignored = 0;
    model_reclaim(model, &ignored, &ignored);
}

static void remember(struct model_request *request, int item, const char *token)
{
    request->items[request->count] = item;
    snprintf(request->tokens[request->count++], MODEL_TOKEN, "%s", token);
}

static void give(struct model *model, int i, struct model_given *given)
{
    if (model->items[i].is_free)
        model_unlink(model, i);
    model->items[i].is_given = true;
    given->items[given->count++] = i;
}

/* All or none: the bound one, then what is free but for that. */
static void give_all(struct model *model, int wanted, int bound, struct model_given *given)
{
    int found[MODEL_ITEMS], first = bound != MODEL_NONE ? 1 : 0, count = first;
    found[0] = bound;
    for (int round = 0; round < 2 && count < wanted; round++) {
        count = first;
        for (int i = 0; i < model->free_count && count < wanted; i++)
            if (model->list[i] != bound && can_be_had(&model->items[model->list[i]]))
                found[count++] = model->list[i];
        if (count < wanted && round == 0)
            refill(model);
    }
    for (int i = 0; count == wanted && i < count; i++)
        give(model, found[i], given);
}

static void give_heads(struct model *model, int wanted, struct model_given *given)
{
    while (given->count < wanted) {
        if (model->free_count == 0)
            refill(model);
        if (model->free_count == 0)
            return;
        int i = model->list[0];
        struct model_item *item = &model->items[i];
        if (model_is_past(item)) {
            model_leave(model, i);
            item->kind = 0;
            if (item->has_lease)
                model_index_as_it_is(item);
        } else if (item->has_lease) {
            model_unlink(model, i);
            model_index_as_it_is(item);
        } else {
            give(model, i, given);
        }
    }
}

static int bound_item(const struct model *model, int name)
{
    if (name == MODEL_NONE)
        return MODEL_NONE;
    return model->ours[name] != MODEL_NONE ? model->ours[name] : model->theirs[name];
}

/* Takes them out of the list, or as a shared pool does: behind its tail. */
static void give_some(struct model *model, const struct model_ask *ask, int bound,
                      struct model_given *given)
{
    bool keeps_place = model->is_shared && ask->count == 1 && bound != MODEL_NONE;
    if (keeps_place) {
        given->items[given->count++] = bound;
    } else if (ask->how == 'a') {
        give_all(model, ask->count, bound, given);
    } else {
        if (bound != MODEL_NONE)
            give(model, bound, given);
        give_heads(model, ask->count, given);
    }
    for (int i = 0; i < given->count; i++)
        model->items[given->items[i]].is_given = false;
    for (int i = 0; model->is_shared && !keeps_place && i < given->count; i++)
        model_take_back(model, given->items[i]);
}

struct model_given model_malloc(struct model *model, const struct model_ask *ask)
{
    struct model_given given = {0};
    if (ask->reqid != MODEL_NONE && give_again(model, ask->reqid, &given))
        return given;
    int was_bound = bound_item(model, ask->name), bound = MODEL_NONE;
    if (was_bound != MODEL_NONE && can_be_had(&model->items[was_bound]))
        bound = was_bound;
    give_some(model, ask, bound, &given);
    if (given.count > 0 && ask->name != MODEL_NONE) {
        model->ours[ask->name] = given.items[0];
        model->theirs[ask->name] = MODEL_NONE;
    } else if (was_bound != MODEL_NONE && bound == MODEL_NONE) {
        model->ours[ask->name] = model->theirs[ask->name] = MODEL_NONE;
    }
    return given;
}

void model_granted(struct model *model, const struct model_ask *ask,
                   const struct model_given *given, const char *const *tokens)
{
    if (model->is_shared)
        return;
    if (given->is_again) {
        model->requests[ask->reqid].is_joined =
            model->requests[ask->reqid].is_joined || !model->requests[ask->reqid].is_of_this_batch;
        return;
    }
    struct model_request *request = ask->reqid != MODEL_NONE ? &model->requests[ask->reqid] : NULL;
    bool has_note = given->count > 0 && (ask->owner != MODEL_NONE || request != NULL);
    for (int i = 0; i < given->count; i++) {
        struct model_item *item = &model->items[given->items[i]];
        snprintf(item->token, MODEL_TOKEN, "%s", tokens[i]);
        item->has_lease = true;
        item->is_permanent = ask->is_permanent;
        model_index_as_it_is(item);
        remember(&model->last, given->items[i], tokens[i]);
        if (has_note)
            model_forget_note(model, given->items[i]);
    }
    if (has_note && request != NULL)
        memset(request, 0, sizeof *request);
    for (int i = 0; has_note && i < given->count; i++) {
        struct model_item *item = &model->items[given->items[i]];
        snprintf(item->note, MODEL_TOKEN, "%s", tokens[i]);
        item->owner = ask->owner;
        item->reqid = ask->reqid;
        if (request != NULL)
            remember(request, given->items[i], tokens[i]);
    }
    if (has_note && request != NULL)
        request->is_of_this_batch = true;
}

/* --- free, renew, recall --- */

static bool has_holder(const struct model_item *item)
{
    return item->has_lease && !model_is_aside(item);
}

static bool is_ours(const struct model_item *item, const char *token)
{
    return token == NULL || strcmp(item->token, token) == 0;
}

int model_free(struct model *model, const char *token, long expiry, int count, const int *items)
{
    int freed = 0;
    for (int i = 0; i < count; i++)
        if (has_holder(&model->items[items[i]]) && !is_ours(&model->items[items[i]], token))
            return -1;
    for (int i = 0; i < count; i++) {
        struct model_item *item = &model->items[items[i]];
        if (!has_holder(item))
            continue;
        bool has_mark = strchr(item->token, '+') != NULL;
        freed++;
        item->has_lease = false;
        if (expiry != 0)
            item->expiry = expiry;
        if (item->is_in && !item->is_free)
            model_take_back(model, items[i]);
        model_index_as_it_is(item);
        if (has_mark)
            model_forget_note(model, items[i]);
    }
    return freed;
}

int model_renew(struct model *model, const char *token, bool is_permanent, int i)
{
    struct model_item *item = &model->items[i];
    if (!has_holder(item))
        return 0;
    if (!is_ours(item, token))
        return -1;
    item->is_permanent = is_permanent;
    model_index_as_it_is(item);
    return 1;
}

static bool is_of_last_batch(const struct model *model, const char *token)
{
    for (int k = 0; k < model->last.count; k++) {
        if (strcmp(model->last.tokens[k], token) == 0)
            return true;
    }
    return false;
}

int model_recall(struct model *model)
{
    int count = 0;
    for (int k = 0; k < model->last.count; k++) {
        int i = model->last.items[k];
        struct model_item *item = &model->items[i];
        if (!item->has_lease || !is_of_last_batch(model, item->token))
            continue;
        bool has_mark = strchr(item->token, '+') != NULL;
        if (has_mark && item->note[0] != '\0' && item->reqid != MODEL_NONE &&
            model->requests[item->reqid].is_joined)
            continue;
        count++;
        item->has_lease = false;
        if (item->is_in && !item->is_free)
            model_take_back(model, i);
        model_index_as_it_is(item);
        if (has_mark)
            model_forget_note(model, i);
    }
    model->last.count = 0;
    return count;
}
