/* lua: runs scripts as Redis 7 does: KEYS and ARGV, redis.call and its kin, globals that cannot be
 * made, the same conversions both ways, the same error texts.
 * Source: https://redis.io/docs/latest/develop/interact/programmability/lua-api */
#include "base/mem.h"
#include "tests/sim/keyspace_private.h"
#include <lauxlib.h>
#include <lualib.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* Of the virtual machine; no script of the simulation needs a hundredth of it. */
enum { MAX_CALL_ARGS = 16384, MAX_INSTRUCTIONS = 20000000 };

static struct keyspace *host_of(lua_State *lua)
{
    struct keyspace *ks;
    lua_getfield(lua, LUA_REGISTRYINDEX, "keyspace");
    ks = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return ks;
}

/* --- replies to Lua and back ---------------------------------------------------------------------
 */

static void push_field(lua_State *lua, const char *name, const char *text, size_t len)
{
    lua_newtable(lua);
    lua_pushlstring(lua, text, len);
    lua_setfield(lua, -2, name);
}

static void push_reply(lua_State *lua, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        lua_pushnumber(lua, (lua_Number)reply->integer);
        break;
    case REDIS_REPLY_STRING:
        lua_pushlstring(lua, reply->str, reply->len);
        break;
    case REDIS_REPLY_STATUS:
        push_field(lua, "ok", reply->str, reply->len);
        break;
    case REDIS_REPLY_ERROR:
        push_field(lua, "err", reply->str, reply->len);
        break;
    case REDIS_REPLY_ARRAY:
        lua_createtable(lua, (int)reply->elements, 0);
        for (size_t i = 0; i < reply->elements; i++) {
            push_reply(lua, reply->element[i]);
            lua_rawseti(lua, -2, (int)i + 1);
        }
        break;
    default:
        lua_pushboolean(lua, 0);
    }
}

static redisReply *take_value(struct keyspace *ks, lua_State *lua);

/* A string field of the table at the top; false when there is none. */
static bool take_field(lua_State *lua, const char *name, struct str *out)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_pop(lua, 1);
        return false;
    }
    out->ptr = lua_tolstring(lua, -1, &out->len);
    lua_pop(lua, 1); /* the table keeps it */
    return true;
}

static redisReply *take_table(struct keyspace *ks, lua_State *lua)
{
    struct str text;
    size_t count = 0;
    redisReply *reply;
    if (take_field(lua, "err", &text))
        return make_error(ks, "%.*s", PRSTR(text));
    if (take_field(lua, "ok", &text))
        return make_status(ks, text);
    for (;; count++) {
        lua_rawgeti(lua, -1, (int)count + 1);
        bool is_end = lua_isnil(lua, -1);
        lua_pop(lua, 1);
        if (is_end)
            break;
    }
    reply = make_array(ks, count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(lua, -1, (int)i + 1);
        reply->element[i] = take_value(ks, lua);
        lua_pop(lua, 1);
    }
    return reply;
}

/* The value at the top of the stack, which stays there. */
static redisReply *take_value(struct keyspace *ks, lua_State *lua)
{
    struct str text;
    luaL_checkstack(lua, 4, "reply nested too deeply");
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        text.ptr = lua_tolstring(lua, -1, &text.len);
        return make_bulk(ks, text);
    case LUA_TNUMBER:
        return make_int(ks, (long long)lua_tonumber(lua, -1));
    case LUA_TBOOLEAN:
        return lua_toboolean(lua, -1) ? make_int(ks, 1) : make_nil(ks);
    case LUA_TTABLE:
        return take_table(ks, lua);
    default:
        return make_nil(ks);
    }
}

/* --- the library ---------------------------------------------------------------------------------
 */

static int take_call_args(struct keyspace *ks, lua_State *lua, struct str *args)
{
    int count = lua_gettop(lua);
    for (int i = 0; i < count; i++) {
        if (lua_type(lua, i + 1) == LUA_TNUMBER) {
            char *number = arena_take(&ks->arena, 64);
            args[i].len = (size_t)snprintf(number, 64, "%.17g", lua_tonumber(lua, i + 1));
            args[i].ptr = number;
        } else if (lua_type(lua, i + 1) == LUA_TSTRING) {
            args[i].ptr = lua_tolstring(lua, i + 1, &args[i].len);
        } else {
            return -1;
        }
    }
    return count;
}

static int run_redis_call(lua_State *lua, bool raises)
{
    struct keyspace *ks = host_of(lua);
    int top = lua_gettop(lua), count;
    redisReply *reply;
    struct str *args;
    if (top == 0 || top > MAX_CALL_ARGS) {
        fprintf(stderr, "%s: redis.call with %d arguments\n", ks->script_name, top);
        abort();
    }
    args = arena_take(&ks->arena, (size_t)top * sizeof *args);
    count = take_call_args(ks, lua, args);
    if (count < 0)
        reply = make_error(ks, "ERR Lua redis lib command arguments must be strings or integers");
    else
        reply = run_command(ks, args, count);
    luaL_checkstack(lua, 8, "reply nested too deeply");
    push_reply(lua, reply);
    if (raises && reply->type == REDIS_REPLY_ERROR) {
        lua_Debug where;
        if (lua_getstack(lua, 1, &where) != 0 && lua_getinfo(lua, "Sl", &where) != 0) {
            lua_pushinteger(lua, where.currentline);
            lua_setfield(lua, -2, "line");
        }
        return lua_error(lua);
    }
    return 1;
}

static int redis_call(lua_State *lua)
{
    return run_redis_call(lua, true);
}

static int redis_pcall(lua_State *lua)
{
    return run_redis_call(lua, false);
}

static int redis_error_reply(lua_State *lua)
{
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    if (len > 0 && text[0] == '-')
        push_field(lua, "err", text + 1, len - 1);
    else
        push_field(lua, "err", text, len);
    return 1;
}

static int redis_status_reply(lua_State *lua)
{
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    push_field(lua, "ok", text, len);
    return 1;
}

static int redis_sha1hex(lua_State *lua)
{
    unsigned char digest[20];
    char hex[41];
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    if (EVP_Digest(text, len, digest, NULL, EVP_sha1(), NULL) != 1)
        return luaL_error(lua, "sha1");
    for (int i = 0; i < 20; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    lua_pushlstring(lua, hex, 40);
    return 1;
}

static void end_endless(lua_State *lua, lua_Debug *where)
{
    lua_getinfo(lua, "Sl", where);
    fprintf(stderr, "script %s does not end (line %d of its text)\n", host_of(lua)->script_name,
            where->currentline);
    abort();
}

static int refuse_global(lua_State *lua)
{
    const char *name = lua_tostring(lua, 2);
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                      name != NULL ? name : "?");
}

void lua_host_open(struct keyspace *ks)
{
    static const luaL_Reg library[] = {
        {"call", redis_call},
        {"pcall", redis_pcall},
        {"error_reply", redis_error_reply},
        {"status_reply", redis_status_reply},
        {"sha1hex", redis_sha1hex},
        {NULL, NULL},
    };
    static const char *const forbidden[] = {"os",   "io",     "dofile",     "loadfile", "require",
                                            "load", "module", "loadstring", "print"};
    lua_State *lua = ks->lua = luaL_newstate();
    luaL_openlibs(lua);
    luaL_register(lua, "redis", library);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        lua_pushnil(lua);
        lua_setglobal(lua, forbidden[i]);
    }
    lua_pushlightuserdata(lua, ks);
    lua_setfield(lua, LUA_REGISTRYINDEX, "keyspace");
    lua_newtable(lua);
    lua_pushcfunction(lua, refuse_global);
    lua_setfield(lua, -2, "__newindex");
    lua_pushcfunction(lua, refuse_global);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, LUA_GLOBALSINDEX);
    lua_settop(lua, 0);
}

void lua_host_close(struct keyspace *ks)
{
    lua_close(ks->lua);
}

/* --- running -------------------------------------------------------------------------------------
 */

static void set_list(lua_State *lua, const char *name, const struct str *texts, int count)
{
    lua_pushstring(lua, name);
    lua_createtable(lua, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushlstring(lua, count > 0 && texts[i].len > 0 ? texts[i].ptr : "", texts[i].len);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_rawset(lua, LUA_GLOBALSINDEX);
}

/* The script as a function on the stack. */
static void push_function(struct keyspace *ks, enum script_id id, struct str text)
{
    lua_State *lua = ks->lua;
    if (id != SCRIPT_NONE && ks->functions[id] != 0) {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, ks->functions[id]);
        return;
    }
    if (luaL_loadbuffer(lua, text.ptr, text.len, "@user_script") != 0) {
        fprintf(stderr, "%s: %s\n", ks->script_name, lua_tostring(lua, -1));
        abort();
    }
    if (id != SCRIPT_NONE) {
        lua_pushvalue(lua, -1);
        ks->functions[id] = luaL_ref(lua, LUA_REGISTRYINDEX);
    }
}

static redisReply *take_failure(struct keyspace *ks, enum script_id id)
{
    lua_State *lua = ks->lua;
    struct str text;
    if (lua_type(lua, -1) == LUA_TTABLE && take_field(lua, "err", &text)) {
        lua_getfield(lua, -1, "line");
        int line = (int)lua_tointeger(lua, -1);
        lua_pop(lua, 1);
        return make_error(ks, "%.*s script: %s, on @user_script:%d.", PRSTR(text),
                          id != SCRIPT_NONE ? script_of(id)->sha : "?", line);
    }
    return make_error(ks, "ERR %s script: %s, on @user_script.",
                      lua_tostring(lua, -1) != NULL ? lua_tostring(lua, -1) : "?",
                      id != SCRIPT_NONE ? script_of(id)->sha : "?");
}

redisReply *lua_host_run(struct keyspace *ks, enum script_id id, struct str text,
                         const struct str *keys, int key_count, const struct str *args,
                         int arg_count)
{
    lua_State *lua = ks->lua;
    redisReply *reply;
    ks->script_name = id != SCRIPT_NONE ? script_of(id)->name : "eval";
    push_function(ks, id, text);
    set_list(lua, "KEYS", keys, key_count);
    set_list(lua, "ARGV", args, arg_count);
    ks->given = keys;
    ks->given_count = key_count;
    lua_sethook(lua, end_endless, LUA_MASKCOUNT, MAX_INSTRUCTIONS);
    if (lua_pcall(lua, 0, 1, 0) == 0)
        reply = take_value(ks, lua);
    else
        reply = take_failure(ks, id);
    ks->given = NULL;
    lua_settop(lua, 0);
    return reply;
}
