/* keyspace: see keyspace.h. Here: its life, its memory, its replies. */
#include "base/mem.h"
#include "tests/sim/keyspace_private.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    _Alignas(16) char bytes[];
};

void *arena_take(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;
    void *at;
    size = (size + 15) & ~(size_t)15;
    if (block == NULL || block->used + size > block->room) {
        size_t room = size > 16384 ? size : 16384;
        block = mem_alloc(sizeof *block + room);
        *block = (struct arena_block){.next = arena->blocks, .room = room};
        arena->blocks = block;
    }
    at = block->bytes + block->used;
    block->used += size;
    return at;
}

/* Keeps one block: most calls need no more. */
void arena_clear(struct arena *arena)
{
    while (arena->blocks != NULL && arena->blocks->next != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        mem_free(block);
    }
    if (arena->blocks != NULL)
        arena->blocks->used = 0;
}

/* --- replies -------------------------------------------------------------------------------------
 */

static redisReply *make(struct keyspace *ks, int type)
{
    redisReply *reply = arena_take(&ks->arena, sizeof *reply);
    *reply = (redisReply){.type = type};
    return reply;
}

static redisReply *make_text(struct keyspace *ks, int type, struct str text)
{
    redisReply *reply = make(ks, type);
    reply->str = arena_take(&ks->arena, text.len + 1);
    if (text.len > 0)
        memcpy(reply->str, text.ptr, text.len);
    reply->str[text.len] = '\0';
    reply->len = text.len;
    return reply;
}

redisReply *make_int(struct keyspace *ks, long long n)
{
    redisReply *reply = make(ks, REDIS_REPLY_INTEGER);
    reply->integer = n;
    return reply;
}

redisReply *make_bulk(struct keyspace *ks, struct str text)
{
    return make_text(ks, REDIS_REPLY_STRING, text);
}

redisReply *make_status(struct keyspace *ks, struct str text)
{
    return make_text(ks, REDIS_REPLY_STATUS, text);
}

redisReply *make_error(struct keyspace *ks, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return make_text(ks, REDIS_REPLY_ERROR, str_of(text));
}

redisReply *make_nil(struct keyspace *ks)
{
    return make(ks, REDIS_REPLY_NIL);
}

redisReply *make_array(struct keyspace *ks, size_t count)
{
    redisReply *reply = make(ks, REDIS_REPLY_ARRAY);
    reply->elements = count;
    reply->element = arena_take(&ks->arena, (count + 1) * sizeof(redisReply *));
    return reply;
}

/* With malloc(), as freeReplyObject() is used on it. */
redisReply *keyspace_copy(const redisReply *reply)
{
    redisReply *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        abort();
    copy->type = reply->type;
    copy->integer = reply->integer;
    if (reply->str != NULL) {
        copy->len = reply->len;
        copy->str = malloc(reply->len + 1);
        if (copy->str == NULL)
            abort();
        memcpy(copy->str, reply->str, reply->len + 1);
    }
    if (reply->type == REDIS_REPLY_ARRAY) {
        copy->elements = reply->elements;
        copy->element = calloc(reply->elements + 1, sizeof(redisReply *));
        if (copy->element == NULL)
            abort();
        for (size_t i = 0; i < reply->elements; i++)
            copy->element[i] = keyspace_copy(reply->element[i]);
    }
    return copy;
}

/* -------------------------------------------------------------------------------------------------
 */

struct keyspace *keyspace_new(void)
{
    struct keyspace *ks = mem_zalloc(sizeof *ks);
    lua_host_open(ks);
    return ks;
}

void keyspace_hear(struct keyspace *ks, keyspace_heard heard, keyspace_ears ears, void *arg)
{
    ks->heard = heard;
    ks->ears = ears;
    ks->heard_arg = arg;
}

void keyspace_free(struct keyspace *ks)
{
    lua_host_close(ks);
    keyspace_flush(ks);
    arena_clear(&ks->arena);
    mem_free(ks->arena.blocks);
    mem_free(ks);
}

void keyspace_set_time(struct keyspace *ks, int64_t wall_us)
{
    ks->wall_us = wall_us;
}

void keyspace_flush(struct keyspace *ks)
{
    dict_clear(&ks->keys, value_free);
}

const redisReply *keyspace_command(struct keyspace *ks, const struct str *args, int count)
{
    arena_clear(&ks->arena);
    return run_command(ks, args, count);
}

const redisReply *keyspace_script(struct keyspace *ks, enum script_id id, const struct str *keys,
                                  int key_count, const struct str *args, int arg_count)
{
    arena_clear(&ks->arena);
    return lua_host_run(ks, id, script_of(id)->text, keys, key_count, args, arg_count);
}

const redisReply *keyspace_eval(struct keyspace *ks, struct str text, const struct str *keys,
                                int key_count, const struct str *args, int arg_count)
{
    arena_clear(&ks->arena);
    return lua_host_run(ks, SCRIPT_NONE, text, keys, key_count, args, arg_count);
}
