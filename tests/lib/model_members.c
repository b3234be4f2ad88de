/* model_members: who is in the pool, gc, repair, and what a Python program does; see model.h. */
#include "tests/lib/model_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- who is in the pool --- */

static int enter(struct model *model, long expiry, int i)
{
    struct model_item *item = &model->items[i];
    bool is_new = !item->is_in;
    item->expiry = expiry;
    if (is_new) {
        item->is_in = true;
        item->kind = 0;
        item->departed = INDEX_NONE;
        model_index_as_it_is(item);
        if (!item->has_lease)
            model_append(model, i);
    }
    return is_new;
}

int model_extend(struct model *model, long expiry, int count, const int *items)
{
    int added = 0;
    for (int i = 0; i < count; i++)
        added += enter(model, expiry, items[i]);
    return added;
}

/* Its lease is that of a departed one. */
static void depart(struct model_item *item)
{
    if (item->index == INDEX_NONE)
        return;
    item->departed = item->index;
    item->departed_due = item->due;
    item->index = INDEX_NONE;
}

/* What is aside has nobody who would end it later. */
static void drop_lease(struct model_item *item)
{
    item->has_lease = false;
    item->index = item->departed = INDEX_NONE;
}

int model_shrink(struct model *model, int count, const int *items)
{
    int removed = 0;
    for (int i = 0; i < count; i++) {
        struct model_item *item = &model->items[items[i]];
        if (!item->is_in)
            continue;
        removed++;
        model_leave(model, items[i]);
        if (item->kind != 0 && model_is_aside(item))
            drop_lease(item);
        item->kind = 0;
        depart(item);
    }
    return removed;
}

static bool is_among(int i, int count, const int *items)
{
    for (int k = 0; k < count; k++)
        if (items[k] == i)
            return true;
    return false;
}

void model_assign(struct model *model, long expiry, int count, const int *items, int *added,
                  int *removed)
{
    *removed = 0;
    for (int i = 0; i < MODEL_ITEMS; i++)
        if (!is_among(i, count, items))
            *removed += model_shrink(model, 1, &i);
    for (int i = 0; count == 0 && i < MODEL_ITEMS; i++) {
        depart(&model->items[i]); /* whoever Python programs had taken out before */
        if (model->items[i].kind != 0 && model_is_aside(&model->items[i]))
            drop_lease(&model->items[i]);
        model->items[i].kind = 0;
    }
    *added = model_extend(model, expiry, count, items);
}

/* --- aside --- */

/* Does what is said of it hold against a probe? */
static bool is_kept(const struct model_item *item, int kind)
{
    return kind == KIND_ILL && item->kind != 0;
}

static void set_aside(struct model *model, int i, int kind)
{
    struct model_item *item = &model->items[i];
    if (item->has_lease && !model_is_aside(item)) {
        if (!(item->is_pending && is_kept(item, kind))) {
            item->kind = kind;
            item->is_pending = true;
        }
        return;
    } else if (item->has_lease && is_kept(item, kind)) {
        return;
    }
    if (item->is_free)
        model_unlink(model, i);
    if (kind == KIND_LEAVING) {
        model_leave(model, i);
        drop_lease(item);
        item->kind = 0;
    } else {
        model_put_aside(item, kind);
    }
}

int model_set_aside(struct model *model, int kind, int count, const int *items)
{
    int done = 0;
    for (int k = 0; k < count; k++) {
        if (!model->items[items[k]].is_in)
            continue;
        set_aside(model, items[k], kind);
        done++;
    }
    return done;
}

/* Whether there was something to end. */
static bool restore(struct model *model, int i, int wanted)
{
    struct model_item *item = &model->items[i];
    int kind = item->kind == 0 && model_is_aside(item) ? KIND_BY_HAND : item->kind;
    if (kind == 0 || (wanted != 0 && wanted != kind))
        return false;
    if (item->kind != 0 && item->is_pending) {
        item->kind = 0;
        item->is_pending = false;
        return true;
    }
    if (!model_is_aside(item))
        return false;
    item->has_lease = false;
    item->index = INDEX_NONE;
    if (!item->is_free)
        model_take_back(model, i);
    return true;
}

int model_restore(struct model *model, int kind, int count, const int *items)
{
    int done = 0;
    for (int k = 0; k < count; k++)
        done += model->items[items[k]].is_in && restore(model, items[k], kind);
    return done;
}

/* --- gc, repair --- */

static void sweep_one(struct model *model, int i, struct model_swept *swept)
{
    struct model_item *item = &model->items[i];
    if (item->has_lease) {
        if (model_is_aside(item) && (item->kind == 0 || item->is_pending)) {
            item->kind = KIND_BY_HAND;
            item->is_pending = false;
        } else if (!model_is_aside(item) && !item->is_pending) {
            item->kind = 0;
        }
        if (item->is_free) {
            model_unlink(model, i);
            swept->repaired++;
        }
        if (item->index == INDEX_NONE)
            model_index_as_it_is(item);
        return;
    }
    item->index = INDEX_NONE;
    if (!item->is_free) {
        enum model_place place = model_take_back(model, i);
        swept->reclaimed += place == PLACE_FREE;
        swept->expired += place == PLACE_GONE;
    } else if (model_is_past(item)) {
        model_leave(model, i);
        item->kind = 0;
        swept->expired++;
    } else if (item->kind != 0 && item->is_pending) {
        model_unlink(model, i);
        model_take_back(model, i);
    } else {
        item->kind = 0;
    }
}

static void sweep_departed(struct model *model, int i)
{
    struct model_item *item = &model->items[i];
    bool was_there = item->departed != INDEX_NONE || item->index != INDEX_NONE;
    if (item->is_in) {
        item->departed = INDEX_NONE;
    } else if (was_there) {
        model_index_as_it_is(item);
        if (!item->has_lease)
            model_forget_note(model, i);
    }
}

struct model_swept model_gc(struct model *model, int count, const int *order)
{
    struct model_swept swept = {.scanned = count};
    model_reclaim(model, &swept.reclaimed, &swept.expired);
    for (int i = 0; i < count; i++)
        if (model->items[order[i]].is_in)
            sweep_one(model, order[i], &swept);
    for (int i = 0; i < count; i++)
        if (!model_is_noted_now(&model->items[order[i]]))
            model_forget_note(model, order[i]);
    for (int i = 0; i < MODEL_ITEMS; i++)
        sweep_departed(model, i);
    return swept;
}

static int by_name(const void *a, const void *b)
{
    const struct model_item *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

/* Behind the list: those whose lease has ended, by their names. */
static void append_ended(struct model *model)
{
    struct model_item *ended[MODEL_ITEMS];
    size_t count = 0;
    for (int i = 0; i < MODEL_ITEMS; i++) {
        struct model_item *item = &model->items[i];
        if (item->is_in && !item->is_free && !item->has_lease)
            ended[count++] = item;
    }
    qsort(ended, count, sizeof *ended, by_name);
    for (size_t i = 0; i < count; i++)
        model_append(model, (int)(ended[i] - model->items));
}

static void find_links(const struct model *model, int links[MODEL_ITEMS][2])
{
    for (int i = 0; i < MODEL_ITEMS; i++)
        links[i][0] = links[i][1] = MODEL_ITEMS + 1; /* not in the list */
    for (int k = 0; k < model->free_count; k++) {
        links[model->list[k]][0] = k > 0 ? model->list[k - 1] : MODEL_NONE;
        links[model->list[k]][1] = k + 1 < model->free_count ? model->list[k + 1] : MODEL_NONE;
    }
}

static int end_of(const struct model *model, bool is_head)
{
    if (model->free_count == 0)
        return MODEL_NONE;
    return model->list[is_head ? 0 : model->free_count - 1];
}

static int repair_list(struct model *model)
{
    int before[MODEL_ITEMS][2], after[MODEL_ITEMS][2], changes = 0;
    int head = end_of(model, true), tail = end_of(model, false);
    find_links(model, before);
    for (int i = 0; i < MODEL_ITEMS; i++)
        if (model->items[i].is_free && model->items[i].has_lease)
            model_unlink(model, i);
    append_ended(model);
    find_links(model, after);
    for (int i = 0; i < MODEL_ITEMS; i++)
        changes += before[i][0] != after[i][0] || before[i][1] != after[i][1];
    return changes + (head != end_of(model, true) || tail != end_of(model, false));
}

int model_repair(struct model *model)
{
    int changes = repair_list(model);
    for (int i = 0; i < MODEL_ITEMS; i++) {
        struct model_item *item = &model->items[i];
        if (item->note[0] != '\0' && !model_is_noted_now(item)) {
            model_forget_note(model, i);
            changes++;
        }
        bool is_indexed = item->index != INDEX_NONE;
        bool has_left = item->departed != INDEX_NONE;
        if (is_indexed != (item->has_lease && item->is_in)) {
            model_index_as_it_is(item);
            changes++;
        }
        if (has_left && (item->is_in || !item->has_lease)) {
            item->departed = INDEX_NONE;
            changes++;
        }
        if (item->kind != 0 && (!item->is_in || (!item->is_pending && !model_is_aside(item)))) {
            item->kind = 0;
            changes++;
        }
    }
    return changes;
}

const char *model_state(const struct model *model, int i)
{
    const struct model_item *item = &model->items[i];
    if (!item->is_in)
        return NULL;
    if (model_is_aside(item))
        return "quarantined";
    if (item->has_lease)
        return "leased";
    return !item->is_free || model_is_past(item) ? "expired" : "free";
}

/* --- a Python program --- */

static void peer_lease(struct model_item *item, bool is_permanent)
{
    item->has_lease = true;
    item->is_permanent = is_permanent;
    snprintf(item->token, MODEL_TOKEN, "1");
}

void model_peer_update(struct model *model, int i, bool is_permanent)
{
    peer_lease(&model->items[i], is_permanent);
}

static void peer_lend(struct model *model, int i, bool is_bound, bool is_permanent)
{
    struct model_item *item = &model->items[i];
    if (model->is_shared && is_bound)
        return;
    if (item->is_free)
        model_unlink(model, i);
    if (model->is_shared)
        model_append(model, i);
    else
        peer_lease(item, is_permanent);
}

static int peer_pop(struct model *model)
{
    while (model->free_count > 0) {
        int i = model->list[0];
        if (model_is_past(&model->items[i]))
            model_leave(model, i);
        else if (model->items[i].has_lease)
            model_unlink(model, i);
        else
            return i;
    }
    return MODEL_NONE;
}

int model_peer_malloc(struct model *model, bool is_permanent, int name)
{
    int i = name != MODEL_NONE ? model->ours[name] : MODEL_NONE;
    bool is_bound = i != MODEL_NONE && model->items[i].is_in && !model->items[i].has_lease;
    if (!is_bound)
        i = peer_pop(model);
    if (i != MODEL_NONE)
        peer_lend(model, i, is_bound, is_permanent);
    if (name != MODEL_NONE)
        model->ours[name] = i;
    return i;
}

void model_peer_free(struct model *model, long expiry, int i)
{
    struct model_item *item = &model->items[i];
    if (!item->has_lease)
        return;
    item->has_lease = false;
    if (item->is_in && !item->is_free) {
        item->expiry = expiry;
        model_append(model, i);
    }
}

void model_peer_extend(struct model *model, long expiry, int i)
{
    struct model_item *item = &model->items[i];
    item->expiry = expiry;
    if (!item->is_in) {
        item->has_lease = false;
        model_append(model, i);
    }
}

void model_peer_shrink(struct model *model, int i)
{
    if (model->items[i].is_in)
        model_leave(model, i);
}

void model_peer_assign(struct model *model, long expiry, int count, const int *items)
{
    for (int i = 0; i < MODEL_ITEMS; i++)
        if (!is_among(i, count, items))
            model_peer_shrink(model, i);
    for (int i = 0; i < count; i++)
        if (!model->items[items[i]].is_in)
            model_peer_extend(model, expiry, items[i]);
}

void model_peer_gc(struct model *model, int count, const int *order)
{
    for (int k = 0; k < count; k++) {
        struct model_item *item = &model->items[order[k]];
        if (model_is_past(item))
            model_leave(model, order[k]);
        else if (!item->is_free && !item->has_lease)
            model_append(model, order[k]);
        else if (item->is_free && item->has_lease)
            model_unlink(model, order[k]);
    }
}
