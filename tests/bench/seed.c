/* seed: see seed.h. */
#include "seed.h"
#include "base/mem.h"
#include <stdio.h>

#define HELPERS                                                                                \
    "local items, first, last = base .. '|pool', base .. '|pool|head', base .. '|pool|tail'\n" \
    "local TAKEN = '#ALLOCATED'\n"                                                             \
    "local function now() return tonumber(redis.call('TIME')[1]) end\n"                        \
    "local function lease_of(name) return base .. ':' .. name end\n"                           \
    "local function unpack_entry(text)\n"                                                      \
    "  if not text or text == '' then return '', '', -1 end\n"                                 \
    "  local before, after, ends = string.match(text, '(.*)||(.*)||(.*)')\n"                   \
    "  return before, after, tonumber(ends)\n"                                                 \
    "end\n"                                                                                    \
    "local function pack_entry(before, after, ends)\n"                                         \
    "  return tostring(before) .. '||' .. tostring(after) .. '||' .. tostring(ends or -1)\n"   \
    "end\n"                                                                                    \
    "local function is_over(ends) return ends ~= nil and ends > 0 and ends <= now() end\n"     \
    "local function end_of(key) return redis.call('GET', key) or '' end\n"                     \
    "local function append(name, ends)\n"                                                      \
    "  local head, tail = end_of(first), end_of(last)\n"                                       \
    "  local entry = redis.call('HGET', items, name)\n"                                        \
    "  if entry then\n"                                                                        \
    "    local before, after = unpack_entry(entry)\n"                                          \
    "    assert(before == TAKEN or before == '')\n"                                            \
    "    assert(after == TAKEN or after == '')\n"                                              \
    "  end\n"                                                                                  \
    "  redis.call('HSET', items, name, pack_entry(tail, '', ends))\n"                          \
    "  if tail == '' or head == '' then\n"                                                     \
    "    redis.call('SET', first, name)\n"                                                     \
    "  else\n"                                                                                 \
    "    local before, after, its_end = unpack_entry(redis.call('HGET', items, tail))\n"       \
    "    assert(after == '')\n"                                                                \
    "    redis.call('HSET', items, tail, pack_entry(before, name, its_end))\n"                 \
    "  end\n"                                                                                  \
    "  redis.call('SET', last, name)\n"                                                        \
    "end\n"                                                                                    \
    "local function advance(after)\n"                                                          \
    "  if after == '' then\n"                                                                  \
    "    redis.call('SET', first, '')\n"                                                       \
    "    redis.call('SET', last, '')\n"                                                        \
    "    return\n"                                                                             \
    "  end\n"                                                                                  \
    "  local _, further, ends = unpack_entry(redis.call('HGET', items, after))\n"              \
    "  redis.call('HSET', items, after, pack_entry('', further, ends))\n"                      \
    "  redis.call('SET', first, after)\n"                                                      \
    "end\n"                                                                                    \
    "local function take_first()\n"                                                            \
    "  local head = end_of(first)\n"                                                           \
    "  if head == '' then return nil end\n"                                                    \
    "  local _, after, ends = unpack_entry(redis.call('HGET', items, head))\n"                 \
    "  if is_over(ends) then\n"                                                                \
    "    redis.call('HDEL', items, head)\n"                                                    \
    "    advance(after)\n"                                                                     \
    "    return take_first()\n"                                                                \
    "  end\n"                                                                                  \
    "  local is_locked = redis.call('EXISTS', lease_of(head)) > 0\n"                           \
    "  advance(after)\n"                                                                       \
    "  redis.call('HSET', items, head, pack_entry(TAKEN, TAKEN, ends))\n"                      \
    "  if is_locked then return take_first() end\n"                                            \
    "  return head, ends\n"                                                                    \
    "end\n"

/* Takes `bound` out of the list, wherever it is. */
#define TAKE_OUT_BOUND                                                                  \
    "local before, after, ends = unpack_entry(redis.call('HGET', items, bound))\n"      \
    "if before ~= TAKEN then\n"                                                         \
    "  if before == '' then\n"                                                          \
    "    redis.call('SET', first, after)\n"                                             \
    "  else\n"                                                                          \
    "    local further, _, its_end = unpack_entry(redis.call('HGET', items, before))\n" \
    "    redis.call('HSET', items, before, pack_entry(further, after, its_end))\n"      \
    "  end\n"                                                                           \
    "  if after == '' then\n"                                                           \
    "    redis.call('SET', last, before)\n"                                             \
    "  else\n"                                                                          \
    "    local _, further, its_end = unpack_entry(redis.call('HGET', items, after))\n"  \
    "    redis.call('HSET', items, after, pack_entry(before, further, its_end))\n"      \
    "  end\n"                                                                           \
    "  redis.call('HSET', items, bound, pack_entry(TAKEN, TAKEN, ends))\n"              \
    "end\n"

#define LEASE(name)                                                 \
    "if timeout and timeout > 0 then\n"                             \
    "  redis.call('SET', lease_of(" name "), '1', 'EX', timeout)\n" \
    "else\n"                                                        \
    "  redis.call('SET', lease_of(" name "), '1')\n"                \
    "end\n"

/* ARGV: timeout, name, binding's timeout */
static const char malloc_text[] =
    HELPERS "local timeout, name, binding_timeout = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])\n"
            "if name ~= '' then\n"
            "  local binding = base .. '-cache:bind:' .. name\n"
            "  local bound = redis.call('GET', binding)\n"
            "  if bound and redis.call('HEXISTS', items, bound) > 0\n"
            "    and redis.call('EXISTS', lease_of(bound)) == 0 then\n"
            "    redis.call('SET', binding, bound, 'EX', binding_timeout)\n"
            "    if not is_shared then\n" TAKE_OUT_BOUND LEASE(
                "bound") "    end\n"
                         "    return bound\n"
                         "  elseif bound then\n"
                         "    redis.call('DEL', binding)\n"
                         "  end\n"
                         "end\n"
                         "local taken, ends = take_first()\n"
                         "if taken then\n"
                         "  if is_shared then\n"
                         "    append(taken, ends)\n"
                         "  else\n" LEASE("taken") "  end\n"
                                                   "  if name ~= '' then\n"
                                                   "    redis.call('SET', base .. '-cache:bind:' "
                                                   ".. name, taken, 'EX', binding_timeout)\n"
                                                   "  end\n"
                                                   "end\n"
                                                   "return taken\n";

/* ARGV: timeout of the resources, then those */
static const char free_text[] = HELPERS
    "local timeout = tonumber(ARGV[1] or -1)\n"
    "local ends = timeout > 0 and now() + timeout or -1\n"
    "for i = 2, #ARGV do\n"
    "  local had = redis.call('DEL', lease_of(ARGV[i]))\n"
    "  if had > 0 and redis.call('HEXISTS', items, ARGV[i]) > 0 then append(ARGV[i], ends) end\n"
    "end\n"
    "return #ARGV - 1\n";

/* Loads a script whose text, as the library makes it, has the pool's name in it. */
static void load(struct program *redis, const char *base, bool is_shared, const char *text,
                 char sha[SEED_SHA_BYTES])
{
    char *whole = mem_printf("local base, is_shared = '%s', %s\n%s", base,
                             is_shared ? "true" : "false", text);
    redisReply *reply = program_ask(redis, "SCRIPT LOAD %s", whole);
    snprintf(sha, SEED_SHA_BYTES, "%s", reply->str);
    freeReplyObject(reply);
    mem_free(whole);
}

void seed_load(struct seed *seed, struct program *redis, const char *base, bool is_shared)
{
    load(redis, base, is_shared, malloc_text, seed->malloc_sha);
    load(redis, base, is_shared, free_text, seed->free_sha);
}

void seed_malloc(const struct seed *seed, struct words *words, const char *timeout_s,
                 const char *name)
{
    WORDS(words, "EVALSHA", seed->malloc_sha, "0", timeout_s, name, "3600");
}

void seed_free(const struct seed *seed, struct words *words, const char *resource)
{
    WORDS(words, "EVALSHA", seed->free_sha, "0", "-1", resource);
}
