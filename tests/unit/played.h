/* played: a Redis that the test plays: it takes calls, shows them as text, and answers what the
 * test says. To be included once by a test program: it defines the seam of redis/upstream.h. Knows:
 * upstream.h, check, hiredis' reader. */
#ifndef TESTS_UNIT_PLAYED_H
#define TESTS_UNIT_PLAYED_H

#include "base/mem.h"
#include "redis/upstream.h"
#include <check.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLAYED_MAX = 4000, PLAYED_TEXT = 400 };

struct sent {
    enum script_id script;
    char text[PLAYED_TEXT]; /* the args with blanks between; a random token is '?', up to 8 are */
    char key[100];          /* the first key; "" */
    char keys[PLAYED_TEXT]; /* all keys with blanks between */
    call_done done;
    void *arg;
};

struct upstream {
    int64_t away_ms;
    int room; /* calls that it takes yet */
    struct sent *sent;
    int count, answered;
    struct upstream_listener *listener;
    struct hearing *hearing;
    bool hears;
    uint64_t servers;
};

static struct upstream played;
static int64_t played_us;
static struct clock played_clock;

/* How many random tokens it is, one behind the other. */
static inline size_t count_random(struct str arg)
{
    for (size_t i = 0; i < arg.len; i++) {
        char c = arg.ptr[i];
        if (c != '_' && c != '-' && (c < '0' || c > 'z'))
            return 0;
    }
    return arg.len % 22 == 0 ? arg.len / 22 : 0;
}

static inline void show_strs(const struct str *strs, int count, char out[PLAYED_TEXT])
{
    size_t at = 0;
    for (int i = 0; i < count && at < PLAYED_TEXT; i++) {
        size_t tokens = count_random(strs[i]);
        struct str shown = tokens > 0 ? str_make("????????", tokens) : strs[i];
        at +=
            (size_t)snprintf(out + at, PLAYED_TEXT - at, "%s%.*s", i > 0 ? " " : "", PRSTR(shown));
    }
}

bool upstream_call(struct upstream *up, const struct call *call)
{
    struct sent *sent;
    if (up->room == 0)
        return false;
    up->room--;
    ck_assert_int_lt(up->count, PLAYED_MAX);
    sent = &up->sent[up->count++];
    *sent = (struct sent){.script = call->script, .done = call->done, .arg = call->arg};
    if (call->key_count > 0)
        snprintf(sent->key, sizeof sent->key, "%.*s", PRSTR(call->keys[0]));
    show_strs(call->keys, call->key_count, sent->keys);
    show_strs(call->args, call->arg_count, sent->text);
    return true;
}

int64_t upstream_away_ms(const struct upstream *up)
{
    return up->away_ms;
}

const char *upstream_trouble(const struct upstream *up)
{
    return up->away_ms > 0 ? "connection refused" : "";
}

void upstream_listen(struct upstream *up, struct upstream_listener *listener)
{
    up->listener = listener;
}

void upstream_forget(struct upstream *up, struct upstream_listener *listener)
{
    ck_assert_ptr_eq(up->listener, listener);
    up->listener = NULL;
}

void upstream_hear(struct upstream *up, struct hearing *hearing)
{
    up->hearing = hearing; /* the newest */
}

void upstream_unhear(struct upstream *up, struct hearing *hearing)
{
    if (up->hearing == hearing)
        up->hearing = NULL;
}

uint64_t upstream_servers(const struct upstream *up)
{
    return up->servers;
}

bool upstream_hears(const struct upstream *up)
{
    return up->hears;
}

static int64_t played_read(void *arg)
{
    (void)arg;
    return played_us;
}

static inline void played_start(void)
{
    played = (struct upstream){.room = 1 << 30, .sent = mem_array(PLAYED_MAX, sizeof(struct sent))};
    played_us = 1000000000;
    played_clock = (struct clock){played_read, played_read, NULL};
}

static inline void played_end(void)
{
    mem_free(played.sent);
}

/* The oldest call without an answer gets one; `resp` as Redis would write it. */
static inline void settle_len(enum call_fate fate, const char *resp, size_t len)
{
    struct sent *sent = &played.sent[played.answered++];
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    ck_assert_int_le(played.answered, played.count);
    redisReaderFeed(reader, resp, len);
    ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
    ck_assert_ptr_nonnull(reply);
    sent->done(sent->arg, fate, reply);
    freeReplyObject(reply);
    redisReaderFree(reader);
}

static inline void settle(enum call_fate fate, const char *resp)
{
    settle_len(fate, resp, strlen(resp));
}

static inline void answer(const char *resp)
{
    settle(CALL_ANSWERED, resp);
}

static inline void lose(void)
{
    settle(CALL_LOST, "$-1\r\n");
}

#define assert_sent(i, id, words)                     \
    do {                                              \
        ck_assert_int_gt(played.count, i);            \
        ck_assert_int_eq(played.sent[i].script, id);  \
        ck_assert_str_eq(played.sent[i].text, words); \
    } while (0)

#define LOADING "-LOADING Redis is loading the dataset in memory\r\n"
#define OOM                                                                      \
    "-OOM command not allowed when used memory > 'maxmemory'. script: 5f0c, on " \
    "@user_script:46.\r\n"

#endif
