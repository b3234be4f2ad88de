/* members: see members.h. */
#include "pool/members.h"
#include "base/num.h"
#include "pool/packed.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* Due leases that one collection takes back; it tells when there are more. */
#define GC_LIMIT 1000

static void end_adding(struct op *op, const struct err *failure, const struct answer *answer)
{
    if (failure == NULL && !answer_is_error(answer))
        pool_mark_known(((struct packed *)op)->pool);
    packed_end_with_answer(op, failure, answer);
}

static struct packed *start(struct pool *pool, enum script_id script, int arg_count, size_t bytes,
                            answer_done done, void *arg)
{
    struct packed *packed = packed_new(pool, script, packed_end_with_answer, arg_count, bytes);
    packed->done.answer = done;
    packed->arg = arg;
    return packed;
}

static void send(struct packed *packed)
{
    packed_send(packed, &packed->pool->lane);
}

/* --- resources -----------------------------------------------------------------------------------
 */

/* What is said of resources, as lua/pool/member.lua reads it: their priority and capacity. */
static struct str write_words(const struct member_words *words, char *out, size_t size)
{
    int len = 0;
    out[0] = '\0';
    if (words->has_priority)
        len += snprintf(out, size, "\1P%" PRId64, words->priority);
    if (words->capacity > 0)
        len += snprintf(out + len, size - (size_t)len, "\1C%" PRId64, words->capacity);
    return str_make(out, (size_t)len);
}

enum { WORDS_MAX = 2 * PACKED_INT + 4 };

/* With what is said of each resource alone; its units beyond the first may be touched as well. */
static int weigh(int weight, const struct member_words *words, int count)
{
    int64_t sum = weight;
    for (int i = 0; i < count; i++) {
        int64_t capacity = words->own != NULL ? words->own[i].capacity : words->capacity;
        sum += capacity > 1 ? capacity - 1 : 0;
    }
    return sum < INT_MAX ? (int)sum : INT_MAX;
}

/* The first argument of both scripts has all that is said of all of them. */
static struct packed *start_adding(struct pool *pool, enum script_id script,
                                   const struct member_words *words, const struct str *resources,
                                   int count, answer_done done, void *arg)
{
    char text[WORDS_MAX], first[WORDS_MAX + PACKED_INT + 2];
    bool has_own = words->own != NULL;
    struct str of_all = write_words(words, text, sizeof text);
    int len = snprintf(first, sizeof first, "%" PRId64 "%s%.*s", words->expiry_ms,
                       has_own ? "\1E" : "", PRSTR(of_all));
    size_t bytes = (size_t)len + packed_bytes_of(resources, count);
    for (int i = 0; has_own && i < count; i++)
        bytes += write_words(&words->own[i], text, sizeof text).len;

    struct packed *packed = start(pool, script, 1 + count * (1 + has_own), bytes, done, arg);
    packed->op.done = end_adding;
    packed->op.weight = weigh(packed->op.weight, words, count);
    packed_put(packed, str_make(first, (size_t)len));
    for (int i = 0; i < count; i++) {
        packed_put(packed, resources[i]);
        if (has_own)
            packed_put(packed, write_words(&words->own[i], text, sizeof text));
    }
    return packed;
}

void members_extend_with(struct pool *pool, const struct member_words *words,
                         const struct str *resources, int count, answer_done done, void *arg)
{
    send(start_adding(pool, SCRIPT_POOL_EXTEND, words, resources, count, done, arg));
}

void members_assign_with(struct pool *pool, const struct member_words *words,
                         const struct str *resources, int count, answer_done done, void *arg)
{
    send(start_adding(pool, SCRIPT_POOL_ASSIGN, words, resources, count, done, arg));
}

void members_extend(struct pool *pool, int64_t expiry_ms, const struct str *resources, int count,
                    answer_done done, void *arg)
{
    struct member_words words = {.expiry_ms = expiry_ms};
    members_extend_with(pool, &words, resources, count, done, arg);
}

void members_assign(struct pool *pool, int64_t expiry_ms, const struct str *resources, int count,
                    answer_done done, void *arg)
{
    struct member_words words = {.expiry_ms = expiry_ms};
    members_assign_with(pool, &words, resources, count, done, arg);
}

void members_shrink(struct pool *pool, const struct str *resources, int count, answer_done done,
                    void *arg)
{
    struct packed *packed =
        start(pool, SCRIPT_POOL_SHRINK, count, packed_bytes_of(resources, count), done, arg);
    packed_put_all(packed, resources, count);
    send(packed);
}

/* --- aside ---------------------------------------------------------------------------------------
 */

void members_set_aside(struct pool *pool, enum aside_kind kind, int64_t span_ms, struct str why,
                       const struct str *resources, int count, answer_done done, void *arg)
{
    struct packed *packed =
        start(pool, SCRIPT_POOL_SET_ASIDE, 3 + count,
              2 * PACKED_INT + why.len + packed_bytes_of(resources, count), done, arg);
    packed_put_int(packed, kind);
    packed_put_int(packed, span_ms);
    packed_put(packed, why);
    packed_put_all(packed, resources, count);
    send(packed);
}

void members_restore(struct pool *pool, enum aside_kind kind, const struct str *resources,
                     int count, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_RESTORE, 1 + count,
                                  PACKED_INT + packed_bytes_of(resources, count), done, arg);
    if (kind == ASIDE_ANY)
        packed_put_literal(packed, STR(""));
    else
        packed_put_int(packed, kind);
    packed_put_all(packed, resources, count);
    send(packed);
}

void members_pause(struct pool *pool, bool is_paused, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_SET_RULES, 2, 0, done, arg);
    packed_put_literal(packed, STR("-"));
    packed_put_literal(packed, is_paused ? STR("1") : STR("0"));
    send(packed);
}

void members_probed(struct pool *pool, int64_t span_ms, struct str summary,
                    const struct members_probed *probed, int count, answer_done done, void *arg)
{
    struct str daemon = pool->lane.batches->daemon;
    size_t bytes = daemon.len + PACKED_INT + summary.len;
    for (int i = 0; i < count; i++)
        bytes += probed[i].resource.len + probed[i].text.len + PACKED_INT;
    struct packed *packed = start(pool, SCRIPT_POOL_PROBED, 3 + 4 * count, bytes, done, arg);
    packed_put(packed, daemon);
    packed_put_int(packed, span_ms);
    packed_put(packed, summary);
    for (int i = 0; i < count; i++) {
        packed_put(packed, probed[i].resource);
        packed_put_literal(packed, probed[i].is_ill ? STR("1") : STR("0"));
        packed_put_int(packed, probed[i].latency_us);
        packed_put(packed, probed[i].text);
    }
    send(packed);
}

/* --- labels --------------------------------------------------------------------------------------
 */

void members_tag(struct pool *pool, struct str resource, const struct str *labels, int count,
                 answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_TAG, 1 + count,
                                  resource.len + packed_bytes_of(labels, count), done, arg);
    packed_put(packed, resource);
    packed_put_all(packed, labels, count);
    send(packed);
}

void members_tags(struct pool *pool, struct str resource, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_TAGS, 1, resource.len, done, arg);
    packed_put(packed, resource);
    send(packed);
}

/* --- data ----------------------------------------------------------------------------------------
 */

void members_set_data(struct pool *pool, struct str resource, struct str bytes, answer_done done,
                      void *arg)
{
    struct packed *packed =
        start(pool, SCRIPT_POOL_SET_DATA, 2, resource.len + bytes.len, done, arg);
    packed_put(packed, resource);
    packed_put(packed, bytes);
    send(packed);
}

void members_data(struct pool *pool, struct str resource, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_DATA_OF, 1, resource.len, done, arg);
    packed_put(packed, resource);
    send(packed);
}

/* --- bindings ------------------------------------------------------------------------------------
 */

void members_bind(struct pool *pool, struct str name, struct str resource, int64_t binding_ms,
                  answer_done done, void *arg)
{
    struct packed *packed =
        start(pool, SCRIPT_POOL_BIND, 3, name.len + resource.len + PACKED_INT, done, arg);
    packed_put(packed, name);
    packed_put(packed, resource);
    packed_put_int(packed, binding_ms);
    send(packed);
}

static void send_one(struct pool *pool, enum script_id script, struct str text, answer_done done,
                     void *arg)
{
    struct packed *packed = start(pool, script, 1, text.len, done, arg);
    packed_put(packed, text);
    send(packed);
}

void members_unbind(struct pool *pool, struct str name, answer_done done, void *arg)
{
    send_one(pool, SCRIPT_POOL_UNBIND, name, done, arg);
}

void members_bound(struct pool *pool, struct str name, answer_done done, void *arg)
{
    send_one(pool, SCRIPT_POOL_BOUND, name, done, arg);
}

/* --- looking -------------------------------------------------------------------------------------
 */

/* A command of Redis on the hash that has the names, up to its key; `more`: arguments that follow.
 */
static struct packed *start_command(struct pool *pool, struct str command, int more, size_t bytes,
                                    answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_NAMES, 1 + more, bytes, done, arg);
    packed_put_literal(packed, command);
    return packed;
}

void members_keys(struct pool *pool, answer_done done, void *arg)
{
    send(start_command(pool, STR("HKEYS"), 0, 0, done, arg));
}

void members_len(struct pool *pool, answer_done done, void *arg)
{
    send(start_command(pool, STR("HLEN"), 0, 0, done, arg));
}

void members_has(struct pool *pool, struct str resource, answer_done done, void *arg)
{
    struct packed *packed = start_command(pool, STR("HEXISTS"), 1, resource.len, done, arg);
    packed_put(packed, resource);
    send(packed);
}

void members_scan(struct pool *pool, struct str cursor, int64_t count, answer_done done, void *arg)
{
    struct packed *packed =
        start_command(pool, STR("HSCAN"), 3, cursor.len + PACKED_INT, done, arg);
    packed_put(packed, cursor);
    packed_put_literal(packed, STR("COUNT"));
    packed_put_int(packed, count);
    send(packed);
}

void members_freelist(struct pool *pool, int64_t count, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_FREELIST, 1, PACKED_INT, done, arg);
    packed_put_int(packed, count < 0 ? -1 : count);
    send(packed);
}

void members_info(struct pool *pool, answer_done done, void *arg)
{
    send(start(pool, SCRIPT_POOL_INFO, 0, 0, done, arg));
}

void members_explain(struct pool *pool, int64_t count, answer_done done, void *arg)
{
    struct packed *packed = start(pool, SCRIPT_POOL_EXPLAIN, 1, PACKED_INT, done, arg);
    packed_put_int(packed, count);
    send(packed);
}

void members_health(struct pool *pool, answer_done done, void *arg)
{
    send(start(pool, SCRIPT_POOL_HEALTH, 0, 0, done, arg));
}

void members_status(struct pool *pool, struct str resource, answer_done done, void *arg)
{
    send_one(pool, SCRIPT_POOL_STATUS, resource, done, arg);
}

/* --- checking, repairing, collecting -------------------------------------------------------------
 */

void members_check(struct pool *pool, answer_done done, void *arg)
{
    send(start(pool, SCRIPT_POOL_CHECK, 0, 0, done, arg));
}

void members_repair(struct pool *pool, answer_done done, void *arg)
{
    send(start(pool, SCRIPT_POOL_REPAIR, 0, 0, done, arg));
}

void members_gc(struct pool *pool, bool as_leader, int64_t count, answer_done done, void *arg)
{
    struct str daemon = as_leader ? pool->lane.batches->daemon : STR("");
    struct packed *packed = start(pool, SCRIPT_POOL_GC, 4, daemon.len + 3 * PACKED_INT, done, arg);
    packed_put(packed, daemon);
    packed_put_int(packed, MEMBERS_LEADER_MS);
    packed_put_int(packed, GC_LIMIT);
    packed_put_int(packed, count);
    send(packed);
}

void members_turn(struct pool *pool, int64_t turn_ms, bool takes, answer_done done, void *arg)
{
    struct str daemon = pool->lane.batches->daemon;
    struct packed *packed =
        start(pool, SCRIPT_POOL_TURN, 3, daemon.len + 2 * PACKED_INT, done, arg);
    packed_put(packed, daemon);
    packed_put_int(packed, turn_ms);
    packed_put_int(packed, takes);
    send(packed);
}
