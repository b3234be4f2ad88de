#include "redis/replies.h"
#include "base/mem.h"
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

/* Of one reply. The largest that is asked for is all of a pool of millions. */
static const size_t max_bytes = (size_t)512 * 1024 * 1024;
static const size_t max_objects = (size_t)16 * 1024 * 1024;

struct replies {
    redisReader *reader;
    redisReplyObjectFunctions bounded;      /* what the reader calls: counts, then calls `plain` */
    const redisReplyObjectFunctions *plain; /* hiredis' own */
    size_t objects, bytes;                  /* announced or made for the reply that is read now */
    char why[200];
};

/* False stops the reader with an error. An array counts before its memory is taken. */
static bool count(const redisReadTask *task, size_t objects, size_t bytes)
{
    struct replies *replies = task->privdata;
    if (objects > max_objects - replies->objects || bytes > max_bytes - replies->bytes)
        return false;
    replies->objects += objects;
    replies->bytes += bytes;
    return true;
}

static const redisReplyObjectFunctions *plain_of(const redisReadTask *task)
{
    const struct replies *replies = task->privdata;
    return replies->plain;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    return count(task, 1, len) ? plain_of(task)->createString(task, text, len) : NULL;
}

static void *create_array(const redisReadTask *task, int elements)
{
    size_t objects = 1 + (elements > 0 ? (size_t)elements : 0);
    return count(task, objects, 0) ? plain_of(task)->createArray(task, elements) : NULL;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    return count(task, 1, 0) ? plain_of(task)->createInteger(task, value) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return count(task, 1, 0) ? plain_of(task)->createNil(task) : NULL;
}

struct replies *replies_new(void)
{
    struct replies *replies = mem_zalloc(sizeof(*replies));
    replies->reader = redisReaderCreate();
    if (replies->reader == NULL)
        abort(); /* memory is exhausted: as mem_alloc() */
    replies->plain = replies->reader->fn;
    replies->bounded = (redisReplyObjectFunctions){
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_nil,
        .freeObject = replies->plain->freeObject,
    };
    replies->reader->fn = &replies->bounded;
    replies->reader->privdata = replies;
    return replies;
}

void replies_free(struct replies *replies)
{
    if (replies == NULL)
        return;
    redisReaderFree(replies->reader);
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
    give(arg, reply);
    freeReplyObject(reply);
    return REPLIES_GIVEN;
}
