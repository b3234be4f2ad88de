/* call: see call.h. */
#include "lock/call.h"
#include "base/mem.h"
#include "ops/refusal.h"

static void end_call(struct op *op, const struct err *failure, const struct answer *answer)
{
    lock_call_end((struct lock_call *)op, failure, answer);
}

struct lock_call *lock_call_new(struct locks *locks, const struct lock_shape *shape, lock_done done,
                                void *arg)
{
    struct packing packing;
    size_t names = shape->name.set.len + shape->name.key.len;
    struct packing_room room = {.args = shape->args,
                                .keys = shape->key_count + shape->more_keys,
                                .bytes = shape->bytes + names};
    for (int i = 0; i < shape->key_count; i++)
        room.bytes += lock_key_len(shape->keys[i], shape->prefix, &shape->name);
    struct lock_call *call = packing_new(&packing, sizeof *call, room);
    packing.end -= names; /* a copy behind the last key: none of the keys need hold the name */
    char *at = packing.end;
    call->packing = packing;
    call->locks = locks;
    call->name.set = str_put(&at, shape->name.set);
    call->name.key = str_put(&at, shape->name.key);
    call->op.script = shape->script;
    call->op.weight = 1;
    call->op.done = end_call;
    call->done = done;
    call->arg = arg;
    for (int i = 0; i < shape->key_count; i++)
        lock_key_write(shape->keys[i], shape->prefix, &shape->name,
                       packing_put_key(&call->packing,
                                       lock_key_len(shape->keys[i], shape->prefix, &shape->name)));
    return call;
}

void lock_call_put_key(struct lock_call *call, enum lock_key which, const struct lock_name *name)
{
    struct str prefix = call->locks->prefix;
    char *key = packing_put_key(&call->packing, lock_key_len(which, prefix, name));
    lock_key_write(which, prefix, name, key);
}

void lock_call_free(struct lock_call *call)
{
    mem_free(call);
}

void lock_call_send(struct lock_call *call)
{
    struct err err;
    if (!lane_add(&call->locks->lane, &call->op, &err))
        batches_refuse(call->locks->batches, &call->op, &err);
}

void lock_call_send_first(struct lock_call *call)
{
    struct err err;
    if (!lane_add_first(&call->locks->lane, &call->op, &err))
        batches_refuse(call->locks->batches, &call->op, &err);
}

static bool explain(const struct lock_call *call, struct str text, struct err *err)
{
    char shown[100];
    if (err_kind_of(text) != ERR_WRONGTYPE)
        return refusal_explain(call->op.script, text, err);
    if (call->name.set.len > 0) {
        str_printable(call->name.set, shown, sizeof shown);
        return err_set(err, ERR_WRONGTYPE,
                       "a key of lock set '%s' holds another type: is it a pool?", shown);
    }
    str_printable(call->name.key, shown, sizeof shown);
    return err_set(err, ERR_WRONGTYPE, "a key of lock '%s' holds another type", shown);
}

bool lock_call_check(const struct lock_call *call, const struct err *failure,
                     const struct answer *answer, struct err *err)
{
    if (failure != NULL) {
        *err = *failure;
        return false;
    }
    return !answer_is_error(answer) || explain(call, answer_str(answer), err);
}

void lock_call_end(struct lock_call *call, const struct err *failure, const struct answer *answer)
{
    struct err err;
    if (lock_call_check(call, failure, answer, &err))
        call->done(call->arg, NULL, answer);
    else
        call->done(call->arg, &err, answer_none());
    lock_call_free(call);
}
