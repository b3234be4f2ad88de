/* step: see step.h. */
#include "lock/step.h"

/* The keys of operations, as lua/lock/batch.lua wants them. */
static const enum lock_key one_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM};
static const enum lock_key many_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM, LOCK_KEY_HOLDERS,
                                          LOCK_KEY_SHARES};

enum {
    PLACE_ARGS = 4,   /* W id ticket reqid */
    REQID_ARGS = 2,   /* Q reqid */
    SESSION_ARGS = 2, /* Y session */
    STEP_ARGS = 3     /* letter owner third */
};

struct str span_of(int64_t ms, struct span *span)
{
    return str_make(span->text, num_format_int(span->text, ms > 0 ? ms : 0));
}

static int head_args(const struct step *step)
{
    int args = step->place != NULL ? PLACE_ARGS : step->reqid.len > 0 ? REQID_ARGS : 0;
    return args + (step->session.len > 0 ? SESSION_ARGS : 0) + (step->name.set.len > 0);
}

static void put_head(struct packing *packing, const struct step *step)
{
    const struct lock_place *place = step->place;
    if (place != NULL) {
        packing_put_literal(packing, STR("W"));
        packing_put(packing, place->id);
        if (place->ticket < 0)
            packing_put_literal(packing, STR(""));
        else
            packing_put_int(packing, place->ticket);
        packing_put(packing, step->reqid);
    } else if (step->reqid.len > 0) {
        packing_put_literal(packing, STR("Q"));
        packing_put(packing, step->reqid);
    }
    if (step->session.len > 0) {
        packing_put_literal(packing, STR("Y"));
        packing_put(packing, step->session);
    }
    if (step->name.set.len > 0)
        packing_put_literal(packing, STR("S"));
}

struct lock_call *step_pack(struct locks *locks, const struct step *step, lock_done done, void *arg)
{
    enum lock_key keys[1 + 4] = {LOCK_KEY_SET};
    bool is_in_set = step->name.set.len > 0, is_all = step->more_keys > 0;
    int count = is_all ? 0 : step->is_many ? 4 : 2, head = head_args(step);
    size_t bytes = step->place != NULL ? step->place->id.len + PACKING_INT : 0;
    memcpy(keys + is_in_set, step->is_many ? many_keys : one_keys, (size_t)count * sizeof *keys);
    struct lock_shape shape = {.script = SCRIPT_LOCK_BATCH,
                               .name = step->name,
                               .prefix = locks->prefix,
                               .keys = keys,
                               .key_count = is_in_set + count,
                               .more_keys = step->more_keys,
                               .args = head + STEP_ARGS + step->more_args,
                               .bytes = bytes + step->reqid.len + step->session.len +
                                        step->owner.len + step->third.len + step->more_bytes};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    call->head_args = head;
    put_head(&call->packing, step);
    packing_put_literal(&call->packing, str_of(step->letter));
    packing_put(&call->packing, step->owner);
    packing_put(&call->packing, step->third);
    return call;
}

const struct str *step_args(const struct lock_call *call)
{
    return call->op.args + call->head_args;
}
