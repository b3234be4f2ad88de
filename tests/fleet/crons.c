/* crons: several daemons, one cron: each firing comes once, whoever leads, whoever dies. */
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
    for (int i = 0; i < 3; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--server.session_timeout=1");
        node_start(node);
    }
    c = node_client(&rig.nodes[2]);
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

START_TEST(each_firing_comes_once_in_the_whole_fleet)
{
    expect(c, "QUEUE CRON q tick \"@every 1\" hello", "OK");
    int64_t last_ms = take();
    for (int i = 0; i < 3; i++) {
        int64_t at_ms = take(), late_ms = redis_now_ms() - at_ms;
        ck_assert_int_gt(at_ms, last_ms);
        ck_assert_int_eq(at_ms % 1000, 0);
        ck_assert(late_ms >= 0 && late_ms < 900);
        last_ms = at_ms;
    }
}
END_TEST

START_TEST(none_is_left_out_or_doubled_while_daemons_are_killed)
{
    expect(c, "QUEUE CRON q tick \"@every 1\" hello MISSED all", "OK");
    int64_t last_ms = take();
    for (int i = 0; i < 8; i++) {
        if (i % 2 == 1) { /* ours, the last one, lives; one of the others leads most of the time */
            node_kill(&rig.nodes[i / 2 % 2]);
            node_start(&rig.nodes[i / 2 % 2]);
        }
        int64_t at_ms = take();
        ck_assert_int_eq(at_ms, last_ms + 1000);
        last_ms = at_ms;
    }
}
END_TEST

int main(void)
{
    return RIG_RUN("crons", set_up, tear_down, each_firing_comes_once_in_the_whole_fleet,
                   none_is_left_out_or_doubled_while_daemons_are_killed);
}
