/* call: see call.h. */
#include "task/call.h"
#include "base/mem.h"
#include "ops/refusal.h"

void task_call_room(const struct tasks *tasks, struct packing_room *room, const enum task_key *keys,
                    int count, const struct task_name *name)
{
    room->keys += count;
    for (int i = 0; i < count; i++)
        room->bytes += task_key_len(keys[i], tasks->prefix, name);
}

static void end_call(struct op *op, const struct err *failure, const struct answer *answer)
{
    task_call_end((struct task_call *)op, failure, answer);
}

struct task_call *task_call_new(struct tasks *tasks, enum script_id script,
                                struct packing_room room, task_done done, void *arg)
{
    struct packing packing;
    struct task_call *call = packing_new(&packing, sizeof *call, room);
    call->packing = packing;
    call->tasks = tasks;
    call->op.script = script;
    call->op.weight = 1;
    call->op.done = end_call;
    call->done = done;
    call->arg = arg;
    return call;
}

void task_call_put_keys(struct task_call *call, const enum task_key *keys, int count,
                        const struct task_name *name)
{
    struct str prefix = call->tasks->prefix;
    for (int i = 0; i < count; i++)
        task_key_write(keys[i], prefix, name,
                       packing_put_key(&call->packing, task_key_len(keys[i], prefix, name)));
}

void task_call_free(struct task_call *call)
{
    mem_free(call);
}

void task_call_send(struct task_call *call)
{
    struct err err;
    if (!lane_add(&call->tasks->lane, &call->op, &err))
        batches_refuse(call->tasks->batches, &call->op, &err);
}

static bool explain(const struct task_call *call, struct str text, struct err *err)
{
    enum err_kind kind = err_kind_of(text);
    char shown[300];
    if (kind != ERR_WRONGTYPE && kind != ERR_BUSY && kind != ERR_TIMEOUT && kind != ERR_NOWORKER)
        return refusal_explain(call->op.script, text, err);
    str_printable(refusal_text(text), shown, sizeof shown);
    return err_set(err, kind, "%s", shown);
}

bool task_call_check(const struct task_call *call, const struct err *failure,
                     const struct answer *answer, struct err *err)
{
    if (failure != NULL) {
        *err = *failure;
        return false;
    }
    return !answer_is_error(answer) || explain(call, answer_str(answer), err);
}

void task_call_end(struct task_call *call, const struct err *failure, const struct answer *answer)
{
    struct err err;
    bool is_good = task_call_check(call, failure, answer, &err);
    if (call->done != NULL)
        call->done(call->arg, is_good ? NULL : &err, is_good ? answer : answer_none());
    task_call_free(call);
}
