/* beats: see beats.h. */
#include "lock/beats.h"
#include "lock/call.h"

static const enum lock_key keys[] = {LOCK_KEY_SET, LOCK_KEY_LOCK};

/* The Python library's suffix; no lock set can be called so. */
static const struct str suffix = {"thread-health-check-pool", 24};

static struct lock_call *start(struct locks *locks, enum script_id script, struct str group,
                               struct str member, lock_done done, void *arg)
{
    bool is_of_member = member.len > 0;
    struct lock_shape shape = {.script = script,
                               .name = {suffix, member},
                               .prefix = group,
                               .keys = keys,
                               .key_count = is_of_member ? 2 : 1,
                               .args = 2,
                               .bytes = member.len + PACKING_INT};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    if (is_of_member)
        packing_put(&call->packing, member);
    return call;
}

void beats_beat(struct locks *locks, struct str group, struct str member, int64_t timeout_ms,
                lock_done done, void *arg)
{
    struct lock_call *call = start(locks, SCRIPT_LOCK_BEAT, group, member, done, arg);
    packing_put_int(&call->packing, timeout_ms > 0 ? timeout_ms : 0);
    lock_call_send(call);
}

void beats_alive(struct locks *locks, struct str group, lock_done done, void *arg)
{
    lock_call_send(start(locks, SCRIPT_LOCK_BEATS, group, STR(""), done, arg));
}

void beats_leave(struct locks *locks, struct str group, struct str member, lock_done done,
                 void *arg)
{
    lock_call_send(start(locks, SCRIPT_LOCK_LEAVE, group, member, done, arg));
}
