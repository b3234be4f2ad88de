/* crons: tasks by a schedule, as their user sees them. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE "rallocd|task-queue"

static struct rig rig;
static struct client *c, *redis;

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
    redis = rig_redis(&rig);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static int64_t redis_now_ms(void)
{
    long long s, us;
    ck_assert_int_eq(sscanf(say(redis, "TIME"), "1) \"%lld\"\n2) \"%lld\"", &s, &us), 2);
    return s * 1000 + us / 1000;
}

/* Takes a task of the cron "tick" and ends it: when it was due. */
static int64_t take(void)
{
    char words[100];
    long long at_ms = 0;
    ck_assert_int_eq(
        sscanf(say(c, "LISTEN q WAIT 20000"), "1) \"q\"\n2) \"cron:q:tick:%lld\"", &at_ms), 1);
    snprintf(words, sizeof(words), "RESULT cron:q:tick:%lld done", at_ms);
    expect(c, words, "OK");
    return at_ms;
}

START_TEST(a_cron_is_made_changed_listed_and_ended)
{
    expect(c, "QUEUE CRON q tick @daily goodbye MISSED skip", "OK");
    expect(c, "QUEUE CRON q tick \"@every 1\" hello TIMEOUT 7 RETRIES 2 PRIORITY 1", "OK");
    expect(c, "QUEUE CRON other tock \"0 4 * * 1\" x", "OK");
    take();
    expect_like(c, "LISTEN q WAIT 10000", "*3) 'hello'\n4) (integer) 1\n5) (integer) 7000");
    expect_like(c, "QUEUE CRONS q",
                "1) 1) 'tick'\n   2) '@every 1'\n   3) 'hello'\n   4) 'once'\n*");
    expect(c, "QUEUE UNCRON q tick", "(integer) 1");
    expect(c, "QUEUE UNCRON q tick", "(integer) 0");
    expect(c, "QUEUE CRONS q", "(empty array)");
    expect_like(c, "QUEUE CRONS other", "1) 1) 'tock'*0 4 * * 1*");
    expect(c, "QUEUE UNCRON other tock", "(integer) 1");
}
END_TEST

#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)

/* A yearly cron that nobody was there for since two years ago. What of it has come: its times. */
static int run_missed(const char *missed, int64_t times[4], int64_t *first_ms)
{
    char words[200];
    int count = 0;
    *first_ms = redis_now_ms() / YEAR_MS * YEAR_MS - 2 * YEAR_MS;
    snprintf(words, sizeof(words), "QUEUE CRON q tick \"@every %d\" hello MISSED %s",
             (int)(YEAR_MS / 1000), missed);
    expect(c, words, "OK");
    until(say_int(redis, "ZCOUNT " BASE "|crons (0 +inf") == 1);
    snprintf(words, sizeof(words), "ZADD " BASE "|crons %lld \"q tick\"", (long long)*first_ms);
    say(redis, words);
    until(say_int(redis, "ZCOUNT " BASE "|crons (0 +inf") == 1 &&
          sayf(redis, "ZRANGEBYSCORE " BASE "|crons (%lld +inf", (long long)redis_now_ms())[0] ==
              '1');
    while (say_int(redis, "LLEN " BASE "|task-queue|q") > 0 && count < 4)
        times[count++] = take();
    return count;
}

START_TEST(missed_firings_are_made_up_for_as_was_said)
{
    int64_t times[4], first_ms;
    ck_assert_int_eq(run_missed("skip", times, &first_ms), 0);
    ck_assert_int_eq(run_missed("once", times, &first_ms), 1);
    ck_assert_int_eq(times[0], first_ms);
    expect(redis, "FLUSHALL", "OK");
    ck_assert_int_eq(run_missed("all", times, &first_ms), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(times[i], first_ms + i * YEAR_MS);
}
END_TEST

START_TEST(what_is_no_cron_is_refused)
{
    expect_like(c, "QUEUE CRON q tick \"61 * * * *\" x", "(error) ERR schedule: the minute *");
    expect_like(c, "QUEUE CRON q tick \"0 0 31 2 *\" x", "(error) ERR schedule: there is no *");
    expect_like(c, "QUEUE CRON q tick @daily x MISSED some", "(error) ERR MISSED is none of *");
    expect_like(c, "QUEUE CRON lock tick @daily x", "(error) ERR invalid name*");
    expect(c, "QUEUE CRONS q", "(empty array)");
    expect(redis, "EXISTS " BASE "|crons", "(integer) 0");
}
END_TEST

int main(void)
{
    return RIG_RUN("crons", set_up, tear_down, a_cron_is_made_changed_listed_and_ended,
                   missed_firings_are_made_up_for_as_was_said, what_is_no_cron_is_refused);
}
