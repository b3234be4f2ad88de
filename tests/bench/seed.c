/* seed: see seed.h. */
#include "seed.h"

#define HELPERS                                                                                \
    "local base = 'bench|direct'\n"                                                            \
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

const char *const seed_malloc =
    HELPERS "local timeout, name, binding_timeout = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])\n"
            "local taken = take_first()\n"
            "if taken then\n"
            "  if timeout and timeout > 0 then\n"
            "    redis.call('SET', lease_of(taken), '1', 'EX', timeout)\n"
            "  else\n"
            "    redis.call('SET', lease_of(taken), '1')\n"
            "  end\n"
            "  if name ~= '' then\n"
            "    redis.call('SET', base .. '-cache:bind:' .. name, taken, 'EX', binding_timeout)\n"
            "  end\n"
            "end\n"
            "return taken\n";

const char *const seed_free = HELPERS
    "local timeout = tonumber(ARGV[1] or -1)\n"
    "local ends = timeout > 0 and now() + timeout or -1\n"
    "for i = 2, #ARGV do\n"
    "  local had = redis.call('DEL', lease_of(ARGV[i]))\n"
    "  if had > 0 and redis.call('HEXISTS', items, ARGV[i]) > 0 then append(ARGV[i], ends) end\n"
    "end\n"
    "return #ARGV - 1\n";

const char *const seed_fill = HELPERS "for i = 1, tonumber(ARGV[1]) do append('r' .. i, -1) end\n"
                                      "return redis.call('HLEN', items)\n";
