/* payloads: parameters and results, long ones and many: how they lie in Redis, and their bounds. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK "rallocd|task-queue|task-result:"

static struct rig rig;
static struct client *c, *w, *redis;

static void set_up(void)
{
    rig_start(&rig);
    struct node *node = rig_daemon(&rig);
    c = node_client(node);
    w = node_client(node);
    redis = rig_redis(&rig);
}

static void tear_down(void)
{
    client_close(c);
    client_close(w);
    rig_end(&rig);
}

/* Sends these words and one of `len` bytes. */
static void send_long(struct client *client, int count, const char *const *words, size_t len)
{
    const char *all[5];
    size_t lens[5];
    char *text = malloc(len);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', len);
    for (int i = 0; i < count; i++) {
        all[i] = words[i];
        lens[i] = strlen(words[i]);
    }
    all[count] = text;
    lens[count] = len;
    client_send_args(client, count + 1, all, lens);
    free(text);
}

/* The client's next reply is that many x. */
static void expect_long(struct client *client, size_t len)
{
    char head[30];
    size_t got_len, head_len = (size_t)snprintf(head, sizeof(head), "$%zu\r\nxxxx", len);
    const char *got = client_read_raw(client, &got_len);
    ck_assert_uint_gt(got_len, len);
    ck_assert_int_eq(strncmp(got, head, head_len), 0);
}

START_TEST(long_ones_lie_compressed_in_redis_and_come_back)
{
    static const char *const query[] = {"QUERY", "q", "1"}, *const result[] = {"RESULT", "1"};
    client_send(w, "LISTEN q WAIT 0");
    until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
    send_long(c, 3, query, 5000);
    ck_assert_uint_gt(strlen(client_read(w)), 5000);
    ck_assert_int_lt(say_int(redis, "HSTRLEN " TASK "1 params"), 200);
    send_long(w, 2, result, 100000);
    expect_text(client_read(w), "OK");
    ck_assert_int_lt(say_int(redis, "HSTRLEN " TASK "1 result"), 2000);
    expect_long(c, 100000);
    ck_assert_uint_gt(strlen(say(w, "TASK 1")), 105000);
}
END_TEST

START_TEST(short_ones_and_those_of_other_queues_lie_as_they_are)
{
    static const char *const query[] = {"QUERY", "q", "1"}, *const other[] = {"QUERY", "r", "2"};
    expect(c, "CONFIG SET queue:r.compress_min 0", "OK");
    expect(w, "LISTEN q r", "(nil)");
    send_long(c, 3, query, 4095);
    until(strcmp(say(redis, "HSTRLEN " TASK "1 params"), "(integer) 4095") == 0);
    send_long(c, 3, other, 5000);
    until(strcmp(say(redis, "HSTRLEN " TASK "2 params"), "(integer) 5000") == 0);
    expect_like(w, "LISTEN q r COUNT 2", "*'xxxx*");
    expect(w, "RESULT 1 a", "OK");
    expect(w, "RESULT 2 b", "OK");
    expect_text(client_read(c), "'a'");
    expect_text(client_read(c), "'b'");
}
END_TEST

START_TEST(no_more_results_are_kept_than_allowed_and_the_oldest_go)
{
    expect(c, "CONFIG SET queue:q.max_kept 3", "OK");
    for (int i = 0; i < 5; i++) {
        char words[60];
        snprintf(words, sizeof(words), "QUERY q %d x NOWAIT TIMEOUT 60", i);
        expect(c, words, "OK");
        expect_like(w, "LISTEN q", "1) 'q'*");
        snprintf(words, sizeof(words), i == 3 ? "FAIL %d bad" : "RESULT %d y", i);
        expect(w, words, "OK");
    }
    expect(c, "QUERY q last x NOWAIT", "OK"); /* not ended: it stays */
    expect(redis, "EXISTS " TASK "0 " TASK "1", "(integer) 0");
    expect(redis, "EXISTS " TASK "2 " TASK "3 " TASK "4 " TASK "last", "(integer) 4");
    expect(redis, "LLEN rallocd|task-queue|kept|q", "(integer) 3");
    int64_t ttl_ms = say_int(redis, "PTTL rallocd|task-queue|kept|q");
    ck_assert(ttl_ms > 50000 && ttl_ms <= 60000);
}
END_TEST

START_TEST(a_task_that_runs_anew_is_not_dropped_for_its_old_result)
{
    expect(c, "CONFIG SET queue:q.max_kept 1", "OK");
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "RESULT 1 y", "OK");
    expect(c, "QUERY q 1 x ONCE", "'y'");
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "QUERY q 2 x NOWAIT PRIORITY 1", "OK");
    expect_like(w, "LISTEN q", "1) 'q'\n2) '2'*");
    expect(w, "RESULT 2 y", "OK");
    expect(c, "HASTASK 1", "(integer) 1");
}
END_TEST

int main(void)
{
    return RIG_RUN("payloads", set_up, tear_down, long_ones_lie_compressed_in_redis_and_come_back,
                   short_ones_and_those_of_other_queues_lie_as_they_are,
                   no_more_results_are_kept_than_allowed_and_the_oldest_go,
                   a_task_that_runs_anew_is_not_dropped_for_its_old_result);
}
