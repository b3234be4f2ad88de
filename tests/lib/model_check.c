/* model_check: compares a model with what lies in Redis; see model.h. */
#include "base/mem.h"
#include "tests/lib/model.h"
#include "tests/lib/peek.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long now_s(redisContext *redis)
{
    redisReply *reply = peek(redis, "TIME");
    long now = strtol(reply->element[0]->str, NULL, 10);
    freeReplyObject(reply);
    return now;
}

static const char *name_at(const struct model *model, int k)
{
    return k < 0 || k >= model->free_count ? "" : model->items[model->list[k]].name;
}

static bool has_expiry(const struct model_item *item, struct str expiry, long now)
{
    long at = strtol(expiry.ptr, NULL, 10);
    if (item->expiry != MODEL_FAR)
        return at == item->expiry;
    return at <= now + MODEL_FAR_MS / 1000 + 1 && at > now + MODEL_FAR_MS / 1000 - 600;
}

static void check_entry(const struct model *model, const struct pool_at *at, int i, long now)
{
    const struct model_item *item = &model->items[i];
    const char *prev = "#ALLOCATED", *next = "#ALLOCATED";
    struct peek_entry entry;
    char *value = peek_text(at->redis, "HGET %s|pool %s", at->base, item->name);
    ck_assert_msg((value != NULL) == item->is_in, "'%s': in the pool: %s", item->name,
                  value != NULL ? value : "no");
    if (value == NULL)
        return;
    for (int k = 0; k < model->free_count; k++) {
        if (model->list[k] != i)
            continue;
        prev = name_at(model, k - 1);
        next = name_at(model, k + 1);
    }
    ck_assert_msg(peek_split(str_of(value), &entry), "'%s': %s", item->name, value);
    ck_assert_msg(str_eq(entry.prev, str_of(prev)) && str_eq(entry.next, str_of(next)),
                  "'%s': is %s, should be %s||%s", item->name, value, prev, next);
    ck_assert_msg(has_expiry(item, entry.expiry, now), "'%s': is %s, expiry should be %ld",
                  item->name, value, item->expiry);
    mem_free(value);
}

static void check_lease(const struct pool_at *at, const struct model_item *item)
{
    char *value = peek_text(at->redis, "GET %s:%s", at->base, item->name);
    long long ttl_ms = peek_int(at->redis, "PTTL %s:%s", at->base, item->name);
    ck_assert_msg((value != NULL) == item->has_lease, "'%s': lease %s", item->name,
                  value != NULL ? value : "missing");
    if (value != NULL) {
        ck_assert_msg(strcmp(value, item->token) == 0, "'%s': lease %s, not %s", item->name, value,
                      item->token);
        ck_assert_msg(item->is_permanent ? ttl_ms == -1 : ttl_ms >= 0 && ttl_ms <= MODEL_LEASE_MS,
                      "'%s': lease ends in %lld", item->name, ttl_ms);
    }
    mem_free(value);
}

static void check_mark(const struct pool_at *at, const struct model_item *item)
{
    char *text = peek_text(at->redis, "ZSCORE %s|pool|aside %s", at->base, item->name);
    int code = item->kind == 0 ? 0 : item->kind + (item->is_pending ? 10 : 0);
    ck_assert_msg((text == NULL ? 0 : strtol(text, NULL, 10)) == code, "'%s': aside is %s, not %d",
                  item->name, text != NULL ? text : "nothing", code);
    mem_free(text);
}

/* Its entry in a part of the index. */
static void check_index(const struct pool_at *at, const struct model_item *item, const char *part,
                        enum model_index kind, long due, long now)
{
    char *text = peek_text(at->redis, "ZSCORE %s|pool|%s %s", at->base, part, item->name);
    double score = text == NULL ? 0 : strtod(text, NULL);
    double latest = (double)(now + 1) * 1000 + MODEL_LEASE_MS;
    bool is_right = text == NULL;
    if (kind == INDEX_DUE)
        is_right = (long)score == due;
    else if (kind == INDEX_LATER)
        is_right = score > (double)now * 1000 && score <= latest;
    else if (kind == INDEX_EVER)
        is_right = text != NULL && strcmp(text, "inf") == 0;
    ck_assert_msg(is_right, "'%s': %s has %s, should be of kind %d", item->name, part,
                  text != NULL ? text : "nothing", kind);
    mem_free(text);
}

static void put(char *out, size_t *len, const char *text)
{
    size_t size = strlen(text) + 1;
    memcpy(out + *len, text, size);
    *len += size;
}

/* Bytes with NULs between the parts. */
static void check_bytes(const struct pool_at *at, const char *key, const char *field,
                        const char *bytes, size_t len)
{
    redisReply *reply = peek(at->redis, "HGET %s|pool|%s %s", at->base, key, field);
    if (len == 0)
        ck_assert_msg(reply->type == REDIS_REPLY_NIL, "%s of '%s' is there", key, field);
    else
        ck_assert_msg(reply->type == REDIS_REPLY_STRING && (size_t)reply->len == len - 1 &&
                          memcmp(reply->str, bytes, len - 1) == 0,
                      "%s of '%s' is not as it should be", key, field);
    freeReplyObject(reply);
}

static int check_note(const struct pool_at *at, const struct model_item *item)
{
    char bytes[256] = "", member[256];
    size_t len = 0, member_len = 0;
    if (item->note[0] != '\0') {
        put(bytes, &len, item->note);
        put(bytes, &len, model_owner(item->owner));
        put(bytes, &len, model_reqid(item->reqid));
    }
    check_bytes(at, "notes", item->name, bytes, len);
    if (len == 0 || item->owner == MODEL_NONE)
        return 0;
    put(member, &member_len, model_owner(item->owner));
    put(member, &member_len, item->name);
    redisReply *reply = peek(at->redis, "ZSCORE %s|pool|held %b", at->base, member, member_len - 1);
    ck_assert_msg(reply->type == REDIS_REPLY_STRING, "'%s' is not among what is held", item->name);
    freeReplyObject(reply);
    return 1;
}

static void check_requests(const struct model *model, const struct pool_at *at)
{
    char bytes[2 * MODEL_GRANTS * MODEL_TOKEN] = "";
    for (int i = 0; i < MODEL_REQUESTS; i++) {
        const struct model_request *request = &model->requests[i];
        size_t len = 0;
        if (request->count > 0)
            put(bytes, &len, request->is_joined ? "1" : "0");
        for (int k = 0; k < request->count; k++) {
            put(bytes, &len, model->items[request->items[k]].name);
            put(bytes, &len, request->tokens[k]);
        }
        check_bytes(at, "requests", model_reqid(i), bytes, len);
    }
}

static void check_binding(const struct model *model, const char *key, int bound)
{
    const char *should = bound == MODEL_NONE ? NULL : model->items[bound].name;
    bool is_same = should == NULL || key == NULL ? should == key : strcmp(should, key) == 0;
    ck_assert_msg(is_same, "bound to '%s', should be '%s'", key ? key : "nothing",
                  should ? should : "nothing");
}

static void check_bindings(const struct model *model, const struct pool_at *at)
{
    for (int i = 0; i < MODEL_NAMES; i++) {
        char *ours = peek_text(at->redis, "GET %s-cache:bind:%s", at->base, model_name(i));
        char *theirs =
            peek_text(at->redis, "GET %s:%s-cache:bind:%s", at->base, at->base, model_name(i));
        check_binding(model, ours, model->ours[i]);
        check_binding(model, theirs, model->theirs[i]);
        mem_free(ours);
        mem_free(theirs);
    }
}

static void check_end(const struct pool_at *at, const char *key, const char *should)
{
    char *is = peek_text(at->redis, "GET %s|pool|%s", at->base, key);
    ck_assert_msg(strcmp(is ? is : "", should) == 0, "%s is '%s', should be '%s'", key,
                  is ? is : "", should);
    mem_free(is);
}

void model_check(const struct model *model, const struct pool_at *at)
{
    long now = now_s(at->redis);
    long long in = 0, indexed = 0, departed = 0, held = 0;
    for (int i = 0; i < MODEL_ITEMS; i++) {
        const struct model_item *item = &model->items[i];
        check_entry(model, at, i, now);
        check_lease(at, item);
        check_mark(at, item);
        check_index(at, item, "leases", item->index, item->due, now);
        check_index(at, item, "departed", item->departed, item->departed_due, now);
        held += check_note(at, item);
        in += item->is_in;
        indexed += item->index != INDEX_NONE;
        departed += item->departed != INDEX_NONE;
    }
    check_end(at, "head", name_at(model, 0));
    check_end(at, "tail", name_at(model, model->free_count - 1));
    check_requests(model, at);
    check_bindings(model, at);
    ck_assert_int_eq(peek_int(at->redis, "HLEN %s|pool", at->base), in);
    ck_assert_int_eq(peek_int(at->redis, "ZCARD %s|pool|leases", at->base), indexed);
    ck_assert_int_eq(peek_int(at->redis, "ZCARD %s|pool|departed", at->base), departed);
    ck_assert_int_eq(peek_int(at->redis, "ZCARD %s|pool|held", at->base), held);
}
