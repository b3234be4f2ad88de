/* sessions: what a connection holds with SESSION: kept while it lives, given back when it ends,
 * told of when it is lost. */
#include "tests/lib/rig.h"
#include "tests/lib/until.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;
static struct client *c, *other;

static void set_up(void)
{
    rig_start(&rig);
    struct node *node = rig_node(&rig);
    node_option(node, "--server.session_timeout=2");
    node_start(node);
    c = node_client(node);
    other = node_client(node);
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

static void pass_ms(int64_t ms)
{
    int64_t end_ms = until_now_ms() + ms;
    until(until_now_ms() >= end_ms);
}

#define expect_reply(client, pattern) \
    expect_text_like_at(__FILE__, __LINE__, client_read(client), pattern)

START_TEST(a_daemon_that_stops_gives_all_back)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "MALLOC p COUNT 2 SESSION", "1) 'r1'\n2) 'r2'");
    node_stop(&rig.nodes[0]);
    expect(redis, "EXISTS rallocd|p:r1 rallocd|p:r2", "(integer) 0");
    node_start(&rig.nodes[0]);
}
END_TEST

START_TEST(what_a_killed_daemon_held_ends_by_its_time)
{
    expect(c, "MALLOC p SESSION", "'r1'");
    node_kill(&rig.nodes[0]);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|p:r1"), 0);
    node_start(&rig.nodes[0]);
    client_close(other);
    other = node_client(&rig.nodes[0]);
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
}
END_TEST

START_TEST(a_holder_is_told_before_the_time_when_redis_hangs)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    int64_t held_ms = until_now_ms();
    server_freeze(&rig.redis);
    expect_reply(c, "> 1) 'lost'\n2) 'p'\n3) 'r1'\n4) '*-*'");
    ck_assert_int_lt(until_now_ms() - held_ms,
                     4000); /* 2 s after the last renewal, at most 1 later */
    server_thaw(&rig.redis);
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
}
END_TEST

START_TEST(a_daemon_that_stood_still_tells_at_once)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    node_signal(&rig.nodes[0], SIGSTOP);
    until(say_int(rig_redis(&rig), "EXISTS rallocd|p:r1") == 0);
    node_signal(&rig.nodes[0], SIGCONT);
    expect_reply(c, "> 1) 'lost'\n2) 'p'\n3) 'r1'\n4) '*-*'");
}
END_TEST

START_TEST(a_short_absence_of_redis_is_no_loss)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until(strcmp(say(other, "POOL LEN p"), "(integer) 2") == 0);
    pass_ms(2500);
    ck_assert(!client_has_reply(c, 0));
    expect(other, "MALLOC p COUNT 2", "1) 'r2'");
}
END_TEST

START_TEST(an_emptied_redis_is_a_loss)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(rig_redis(&rig), "FLUSHALL", "OK");
    expect_reply(c, "> 1) 'lost'\n2) 'p'\n3) 'r1'\n4) '*-*'");
}
END_TEST

int main(void)
{
    return RIG_RUN("sessions", set_up, tear_down, a_daemon_that_stops_gives_all_back,
                   what_a_killed_daemon_held_ends_by_its_time,
                   a_holder_is_told_before_the_time_when_redis_hangs,
                   a_daemon_that_stood_still_tells_at_once, a_short_absence_of_redis_is_no_loss,
                   an_emptied_redis_is_a_loss);
}
