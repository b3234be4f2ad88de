#include "redis/replies.h"
#include "base/arena.h"
#include "base/mem.h"
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

/* Of one reply. The largest that is asked for is all of a pool of millions. */
static const size_t max_bytes = (size_t)512 * 1024 * 1024;
static const size_t max_objects = (size_t)16 * 1024 * 1024;

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* The objects of a reply live until it has been given, in one arena: hiredis' own functions would
 * allocate two pieces for each element and free them one by one. */
struct replies {
    redisReader *reader;
    redisReplyObjectFunctions functions; /* what the reader makes objects by */
    struct arena arena;
    size_t objects, bytes; /* announced or made for the reply that is read now */
    bool is_giving;        /* the callback has a reply */
    bool is_freed;         /* inside it */
    char why[200];
};

/* False stops the reader with an error. An array counts before its memory is taken. */
static bool count(struct replies *replies, size_t objects, size_t bytes)
{
    if (objects > max_objects - replies->objects || bytes > max_bytes - replies->bytes)
        return false;
    replies->objects += objects;
    replies->bytes += bytes;
    return true;
}

/* A new object in its place; NULL above the bounds. */
static redisReply *create(const redisReadTask *task, size_t objects, size_t bytes)
{
    struct replies *replies = task->privdata;
    if (!count(replies, objects, bytes))
        return NULL;
    redisReply *reply = arena_alloc(&replies->arena, sizeof(*reply));
    memset(reply, 0, sizeof(*reply));
    reply->type = task->type;
    if (task->parent != NULL)
        ((redisReply *)task->parent->obj)->element[task->idx] = reply;
    return reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    struct replies *replies = task->privdata;
    redisReply *reply = create(task, 1, len);
    if (reply == NULL)
        return NULL;
    reply->str = arena_alloc(&replies->arena, len + 1);
    memcpy(reply->str, text, len);
    reply->str[len] = '\0';
    reply->len = len;
    return reply;
}

static void *create_array(const redisReadTask *task, element_count elements)
{
    struct replies *replies = task->privdata;
    size_t places = elements > 0 ? (size_t)elements : 0;
    redisReply *reply = create(task, 1 + places, 0);
    if (reply == NULL || places == 0)
        return reply;
    reply->element = arena_alloc(&replies->arena, places * sizeof(redisReply *));
    memset(reply->element, 0, places * sizeof(redisReply *));
    reply->elements = places;
    return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    redisReply *reply = create(task, 1, 0);
    if (reply != NULL)
        reply->integer = value;
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    redisReply *reply = create(task, 1, 0);
    if (reply != NULL)
        reply->type = REDIS_REPLY_NIL; /* the task is of what could have been there */
    return reply;
}

/* The arena is reset instead. */
static void free_object(void *object)
{
    (void)object;
}

struct replies *replies_new(void)
{
    struct replies *replies = mem_zalloc(sizeof(*replies));
    replies->reader = redisReaderCreate();
    if (replies->reader == NULL)
        abort(); /* memory is exhausted: as mem_alloc() */
    replies->functions = (redisReplyObjectFunctions){
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_nil,
        .freeObject = free_object,
    };
    replies->reader->fn = &replies->functions;
    replies->reader->privdata = replies;
    return replies;
}

void replies_free(struct replies *replies)
{
    if (replies == NULL)
        return;
    if (replies->is_giving) {
        replies->is_freed = true;
        return;
    }
    redisReaderFree(replies->reader);
    arena_clear(&replies->arena);
    mem_free(replies);
}

static bool feed(struct replies *replies, struct evbuffer *in)
{
    size_t len;
    while ((len = evbuffer_get_contiguous_space(in)) > 0) {
        const char *bytes = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
        if (redisReaderFeed(replies->reader, bytes, len) != REDIS_OK)
            return false;
        evbuffer_drain(in, len);
    }
    return true;
}

static enum replies_state refuse(struct replies *replies, const char *fault, const char **why)
{
    snprintf(replies->why, sizeof(replies->why), "no reply of a Redis: %s", fault);
    *why = replies->why;
    return REPLIES_BROKEN;
}

enum replies_state replies_next(struct replies *replies, struct evbuffer *in, replies_give give,
                                void *arg, const char **why)
{
    redisReader *reader = replies->reader;
    void *reply = NULL;
    if (!feed(replies, in) || redisReaderGetReply(reader, &reply) != REDIS_OK)
        return refuse(replies, reader->err == REDIS_ERR_OOM ? "too large" : reader->errstr, why);
    if (reply == NULL && reader->len - reader->pos > max_bytes)
        return refuse(replies, "larger than 512 MiB", why);
    if (reply == NULL)
        return REPLIES_PARTIAL;
    replies->objects = replies->bytes = 0;
    replies->is_giving = true;
    give(arg, reply);
    replies->is_giving = false;
    if (replies->is_freed)
        replies_free(replies);
    else
        arena_reset(&replies->arena);
    return REPLIES_GIVEN;
}
