/* seedpeer: a stand-in for the Python library; see seedpeer.h. */
#include "tests/lib/seedpeer.h"
#include "base/mem.h"
#include "tests/lib/peek.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

/* KEYS: hash, head, tail, cursor; ARGV[1]: base. Entries are prev||next||expiry. */
static const char common[] =
    "local hash, head_key, tail_key, cursor_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\n"
    "local base = ARGV[1]\n"
    "local OUT = '#ALLOCATED'\n"
    "local do_ = redis.call\n"
    "local function lock_of(name) return base .. ':' .. name end\n"
    "local function is_locked(name) return do_('EXISTS', lock_of(name)) > 0 end\n"
    "local function seconds() return tonumber(do_('TIME')[1]) end\n"
    "local function until_(span) if span > 0 then return seconds() + span end return -1 end\n"
    "local function is_over(at) return at > 0 and at <= seconds() end\n"
    "local function end_of(key) return do_('GET', key) or '' end\n"
    "local function get(name)\n"
    "  local text = do_('HGET', hash, name)\n"
    "  if not text then return nil end\n"
    "  local e = {}\n"
    "  e.prev, e.next, e.at = text:match('(.*)||(.*)||(.*)')\n"
    "  e.at = tonumber(e.at)\n"
    "  return e\n"
    "end\n"
    "local function must(name)\n"
    "  local e = get(name)\n"
    "  assert(e, 'peer: no entry for ' .. name)\n"
    "  return e\n"
    "end\n"
    "local function put(name, e)\n"
    "  do_('HSET', hash, name, e.prev .. '||' .. e.next .. '||' .. tostring(e.at))\n"
    "end\n"
    "local function append(name, at)\n"
    "  local first, last, old = end_of(head_key), end_of(tail_key), get(name)\n"
    "  if old then\n"
    "    assert(old.prev == '' or old.prev == OUT, 'peer: appended one is in the list')\n"
    "    assert(old.next == '' or old.next == OUT, 'peer: appended one has a next')\n"
    "  end\n"
    "  put(name, {prev = last, next = '', at = at})\n"
    "  if first == '' or last == '' then\n"
    "    do_('SET', head_key, name)\n"
    "  else\n"
    "    local e = must(last)\n"
    "    assert(e.next == '', 'peer: the tail has a next')\n"
    "    e.next = name\n"
    "    put(last, e)\n"
    "  end\n"
    "  do_('SET', tail_key, name)\n"
    "end\n"
    "local function take_out(name)\n"
    "  local e = must(name)\n"
    "  if e.prev == OUT then\n"
    "    assert(e.next == OUT, 'peer: half allocated')\n"
    "    return\n"
    "  end\n"
    "  assert(e.next ~= OUT, 'peer: half allocated')\n"
    "  if e.prev == '' then do_('SET', head_key, e.next) else\n"
    "    local p = must(e.prev)\n"
    "    p.next = e.next\n"
    "    put(e.prev, p)\n"
    "  end\n"
    "  if e.next == '' then do_('SET', tail_key, e.prev) else\n"
    "    local n = must(e.next)\n"
    "    n.prev = e.prev\n"
    "    put(e.next, n)\n"
    "  end\n"
    "  put(name, {prev = OUT, next = OUT, at = e.at})\n"
    "end\n"
    "local function pop()\n"
    "  while true do\n"
    "    local name = end_of(head_key)\n"
    "    if name == '' then return nil end\n"
    "    local e = must(name)\n"
    "    local is_old, is_held = is_over(e.at), is_locked(name)\n"
    "    take_out(name)\n"
    "    if is_old then do_('HDEL', hash, name)\n"
    "    elseif not is_held then return name, e.at end\n"
    "  end\n"
    "end\n"
    "local function lock(key, value, span)\n"
    "  if span > 0 then do_('SET', key, value, 'EX', span) else do_('SET', key, value) end\n"
    "end\n"
    "local function enter(name, at) do_('DEL', lock_of(name)) append(name, at) end\n"
    "local function leave(name) take_out(name) do_('HDEL', hash, name) end\n";

static const char extend_text[] = "local at = until_(tonumber(ARGV[2]))\n"
                                  "for i = 3, #ARGV do\n"
                                  "  local e = get(ARGV[i])\n"
                                  "  if e then e.at = at put(ARGV[i], e)\n"
                                  "  else enter(ARGV[i], at) end\n"
                                  "end\n";

static const char shrink_text[] = "for i = 2, #ARGV do\n"
                                  "  if get(ARGV[i]) then leave(ARGV[i]) end\n"
                                  "end\n";

static const char assign_text[] =
    "local at, wanted = until_(tonumber(ARGV[2])), {}\n"
    "for i = 3, #ARGV do wanted[ARGV[i]] = true end\n"
    "for _, name in ipairs(do_('HKEYS', hash)) do\n"
    "  if not wanted[name] then leave(name) end\n"
    "  wanted[name] = nil\n"
    "end\n"
    "for i = 3, #ARGV do\n"
    "  if wanted[ARGV[i]] then wanted[ARGV[i]] = nil enter(ARGV[i], at) end\n"
    "end\n";

static const char malloc_text[] =
    "local span, name, bind_span = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])\n"
    "local is_shared = ARGV[5] == '1'\n"
    "local bind_key = base .. '-cache:bind:' .. name\n"
    "local bound = name ~= '' and do_('GET', bind_key)\n"
    "if bound then\n"
    "  if get(bound) and not is_locked(bound) then\n"
    "    lock(bind_key, bound, bind_span)\n"
    "    if not is_shared then take_out(bound) lock(lock_of(bound), '1', span) end\n"
    "    return bound\n"
    "  end\n"
    "  do_('DEL', bind_key)\n"
    "end\n"
    "local got, at = pop()\n"
    "if not got then return false end\n"
    "if is_shared then append(got, at) else lock(lock_of(got), '1', span) end\n"
    "if name ~= '' then lock(bind_key, got, bind_span) end\n"
    "return got\n";

static const char free_text[] =
    "local at = until_(tonumber(ARGV[2]))\n"
    "for i = 3, #ARGV do\n"
    "  if do_('DEL', lock_of(ARGV[i])) > 0 and get(ARGV[i]) then append(ARGV[i], at) end\n"
    "end\n";

static const char gc_text[] =
    "local cursor = end_of(cursor_key)\n"
    "if cursor == '' then cursor = '0' end\n"
    "local page = do_('HSCAN', hash, cursor, 'COUNT', ARGV[2])\n"
    "for i = 1, #page[2], 2 do\n"
    "  local name = page[2][i]\n"
    "  local e = must(name)\n"
    "  if is_over(e.at) then leave(name)\n"
    "  elseif e.prev == OUT and not is_locked(name) then append(name, e.at)\n"
    "  elseif e.prev ~= OUT and is_locked(name) then take_out(name) end\n"
    "end\n"
    "do_('SET', cursor_key, page[1])\n";

void seedpeer_init(struct seedpeer *peer, redisContext *redis, const char *base, bool is_shared)
{
    peer->redis = redis;
    peer->is_shared = is_shared;
    snprintf(peer->base, sizeof peer->base, "%s", base);
}

/* EVAL common+text 4 <keys> base <args> <names>. The caller frees the reply. */
static redisReply *run(struct seedpeer *peer, const char *text, int arg_count,
                       const char *const *args, int name_count, const char *const *names)
{
    char *body = mem_printf("%s%s", common, text);
    char *keys[] = {mem_printf("%s|pool", peer->base), mem_printf("%s|pool|head", peer->base),
                    mem_printf("%s|pool|tail", peer->base),
                    mem_printf("%s|pool|gc_cursor", peer->base)};
    int argc = 0;
    const char **argv = mem_array((size_t)(8 + arg_count + name_count), sizeof *argv);
    argv[argc++] = "EVAL";
    argv[argc++] = body;
    argv[argc++] = "4";
    for (int i = 0; i < 4; i++)
        argv[argc++] = keys[i];
    argv[argc++] = peer->base;
    for (int i = 0; i < arg_count; i++)
        argv[argc++] = args[i];
    for (int i = 0; i < name_count; i++)
        argv[argc++] = names[i];
    redisReply *reply = redisCommandArgv(peer->redis, argc, argv, NULL);
    ck_assert_msg(reply != NULL, "redis: %s", peer->redis->errstr);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "a Python program fails: %s", reply->str);
    for (int i = 0; i < 4; i++)
        mem_free(keys[i]);
    mem_free(body);
    mem_free(argv);
    return reply;
}

/* An operation with a number and names, without an answer. */
static void run_names(struct seedpeer *peer, const char *text, const long *number, int count,
                      const char *const *names)
{
    char digits[24];
    const char *args[] = {digits};
    if (number != NULL)
        snprintf(digits, sizeof digits, "%ld", *number);
    freeReplyObject(run(peer, text, number != NULL ? 1 : 0, args, count, names));
}

void seedpeer_extend(struct seedpeer *peer, long timeout, int count, const char *const *names)
{
    run_names(peer, extend_text, &timeout, count, names);
}

void seedpeer_shrink(struct seedpeer *peer, int count, const char *const *names)
{
    run_names(peer, shrink_text, NULL, count, names);
}

void seedpeer_assign(struct seedpeer *peer, long timeout, int count, const char *const *names)
{
    run_names(peer, assign_text, &timeout, count, names);
}

void seedpeer_free(struct seedpeer *peer, long timeout, int count, const char *const *names)
{
    run_names(peer, free_text, &timeout, count, names);
}

void seedpeer_gc(struct seedpeer *peer, long count)
{
    run_names(peer, gc_text, &count, 0, NULL);
}

char *seedpeer_malloc(struct seedpeer *peer, long timeout, const char *name, long bind_timeout)
{
    char span[24], bind_span[24];
    const char *args[] = {span, name, bind_span, peer->is_shared ? "1" : "0"};
    char *resource = NULL;
    snprintf(span, sizeof span, "%ld", timeout);
    snprintf(bind_span, sizeof bind_span, "%ld", bind_timeout);
    redisReply *reply = run(peer, malloc_text, 4, args, 0, NULL);
    if (reply->type == REDIS_REPLY_STRING)
        resource = mem_dup(str_make(reply->str, (size_t)reply->len));
    freeReplyObject(reply);
    return resource;
}

static void set(struct seedpeer *peer, const char *key, const char *value, long timeout)
{
    if (timeout > 0)
        peek_do(peer->redis, "SET %s:%s %s EX %ld", peer->base, key, value, timeout);
    else
        peek_do(peer->redis, "SET %s:%s %s", peer->base, key, value);
}

void seedpeer_update(struct seedpeer *peer, const char *name, long timeout)
{
    set(peer, name, "1", timeout);
}

void seedpeer_update_soft_bind(struct seedpeer *peer, const char *name, const char *resource,
                               long timeout)
{
    char *key = mem_printf("%s-cache:bind:%s", peer->base, name);
    set(peer, key, resource, timeout);
    mem_free(key);
}
