/* sets: see sets.h. */
#include "lock/sets.h"
#include "lock/call.h"

static const enum lock_key set_key[] = {LOCK_KEY_SET};

static void send_names(struct locks *locks, enum script_id script, struct str set,
                       const struct str *names, int count, lock_done done, void *arg)
{
    struct lock_shape shape = {.script = script,
                               .name = {.set = set},
                               .prefix = locks->prefix,
                               .keys = set_key,
                               .key_count = 1,
                               .args = count};
    for (int i = 0; i < count; i++)
        shape.bytes += names[i].len;
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    for (int i = 0; i < count; i++)
        packing_put(&call->packing, names[i]);
    call->op.weight = count;
    lock_call_send(call);
}

void sets_extend(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg)
{
    send_names(locks, SCRIPT_LOCK_SET_EXTEND, set, keys, count, done, arg);
}

void sets_shrink(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg)
{
    send_names(locks, SCRIPT_LOCK_SET_SHRINK, set, keys, count, done, arg);
}

void sets_assign(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg)
{
    send_names(locks, SCRIPT_LOCK_SET_ASSIGN, set, keys, count, done, arg);
}

void sets_status(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg)
{
    send_names(locks, SCRIPT_LOCK_SET_STATUS, set, keys, count, done, arg);
}

void sets_health(struct locks *locks, struct str set, lock_done done, void *arg)
{
    send_names(locks, SCRIPT_LOCK_SET_HEALTH, set, NULL, 0, done, arg);
}

/* A command of Redis on the set; `member`: "" for none. */
static void send_command(struct locks *locks, struct str command, struct str set, struct str member,
                         lock_done done, void *arg)
{
    struct lock_name name = {.set = set};
    size_t len = lock_key_len(LOCK_KEY_SET, locks->prefix, &name);
    struct lock_shape shape = {
        .script = SCRIPT_NONE, .name = name, .args = 3, .bytes = len + member.len};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    packing_put_literal(&call->packing, command);
    lock_key_write(LOCK_KEY_SET, locks->prefix, &name, packing_put_space(&call->packing, len));
    if (member.len > 0)
        packing_put(&call->packing, member);
    lock_call_send(call);
}

void sets_keys(struct locks *locks, struct str set, lock_done done, void *arg)
{
    send_command(locks, STR("SMEMBERS"), set, STR(""), done, arg);
}

void sets_len(struct locks *locks, struct str set, lock_done done, void *arg)
{
    send_command(locks, STR("SCARD"), set, STR(""), done, arg);
}

void sets_has(struct locks *locks, struct str set, struct str key, lock_done done, void *arg)
{
    send_command(locks, STR("SISMEMBER"), set, key, done, arg);
}
