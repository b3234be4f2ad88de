/* clock: Redis' clock steps, and Redis is restarted, while things are held: nobody gets what
 * somebody else may still believe to have. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *other;

static void set_up(void)
{
    rig_start_bare(&rig);
    server_own_clock(&rig.redis);
    server_start(&rig.redis);
    node = rig_node(&rig);
}

static void begin(void)
{
    node_start(node);
    c = node_client(node);
    other = node_client(node);
    expect(c, "POOL EXTEND p r", "(integer) 1");
    /* Two looks at the clock: what it was is known. */
    until(say_int(rig_redis(&rig), "DBSIZE") > 0);
    int64_t end_ms = until_now_ms() + 1200;
    until(until_now_ms() > end_ms);
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

static bool info_has(const char *section, const char *line)
{
    char ask[40];
    snprintf(ask, sizeof ask, "INFO %s", section);
    return strstr(say(other, ask), line) != NULL;
}

START_TEST(a_clock_that_goes_forward_ends_leases_but_gives_them_to_nobody_else_too_soon)
{
    begin();
    int64_t got_ms = until_now_ms();
    expect(c, "MALLOC p TIMEOUT 4", "'r'");
    ck_assert_int_gt(say_int(c, "LOCK k me TIMEOUT 4"), 0);
    server_set_clock(&rig.redis, 3900);
    until(info_has("redis", "redis_clock_steps_forward:1\\r\\n"));
    until(say_int(rig_redis(&rig), "EXISTS rallocd|p:r rallocd|lock:k") ==
          0); /* 4 s are over there */
    expect_like(other, "MALLOC p",
                "(error) UPSTREAM Redis' clock went forward: nothing is granted "
                "for another * ms: not done");
    expect_like(other, "LOCK k other", "(error) UPSTREAM Redis' clock went forward*");
    expect_like(other, "LOCKALL other k l", "(error) UPSTREAM Redis' clock went forward*");
    expect_like(other, "MALLOC p WAIT 100", "(nil)");
    expect(other, "POOL LEN p", "(integer) 1");
    expect(c, "RENEW p r", "(integer) 0");
    until(strcmp(say(other, "MALLOC p"), "\"r\"") == 0);
    ck_assert_int_ge(until_now_ms() - got_ms, 3900);
    ck_assert_int_gt(say_int(other, "LOCK k other"), 0);
    ck_assert(node_log_has(node, "redis-clock-stepped"));
}
END_TEST

START_TEST(the_grace_after_a_step_has_a_bound)
{
    node_option(node, "--redis.step_grace=1");
    begin();
    server_set_clock(&rig.redis, 3600 * 1000);
    until(info_has("redis", "redis_clock_steps_forward:1\\r\\n"));
    int64_t began_ms = until_now_ms();
    until(strcmp(say(other, "MALLOC p"), "\"r\"") == 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 5000);
    expect(other, "CONFIG SET redis.step_grace 0", "OK");
    server_set_clock(&rig.redis, 2 * 3600 * 1000);
    until(info_has("redis", "redis_clock_steps_forward:2\\r\\n"));
    expect(other, "MALLOC p COUNT 1", "1) 'r'");
}
END_TEST

START_TEST(a_session_whose_lease_was_ended_by_the_clock_is_told)
{
    begin();
    say(c, "HELLO 3");
    client_send(c, "MALLOC p SESSION");
    expect_text(client_read(c), "'r'");
    server_set_clock(&rig.redis, 11000);
    expect_text_like(client_read(c), "*lost*'p'*'r'*");
}
END_TEST

START_TEST(a_clock_that_goes_back_prolongs_what_is_held_and_fences_grow)
{
    begin();
    int64_t fence = say_int(c, "LOCK k me TIMEOUT 60");
    expect(c, "MALLOC p TIMEOUT 60", "'r'");
    server_set_clock(&rig.redis, -3600 * 1000);
    until(info_has("redis", "redis_clock_steps_back:1\\r\\n"));
    expect(other, "LOCK k other", "(nil)");
    ck_assert_int_gt(say_int(c, "LOCKTTL k"), 3600 * 1000);
    expect(c, "UNLOCK k me", "(integer) 1");
    ck_assert_int_gt(say_int(other, "LOCK k other"), fence);
    expect(c, "FREE p r", "(integer) 1");
    expect(other, "MALLOC p", "'r'");
    expect(other, "FREE p r", "(integer) 1");
}
END_TEST

START_TEST(a_waiter_gets_its_turn_after_the_clock_went_back)
{
    begin();
    expect(c, "MALLOC p", "'r'");
    say(c, "LOCK k me");
    client_send(other, "MALLOC p WAIT 0");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters") == 1);
    server_set_clock(&rig.redis, -3600 * 1000);
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(other), "'r'");
    client_send(other, "LOCK k other WAIT 0");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|lock|waiters") == 1);
    server_set_clock(&rig.redis, -7200 * 1000);
    expect(c, "UNLOCK k me", "(integer) 1");
    expect_text_like(client_read(other), "(integer) *");
}
END_TEST

START_TEST(after_a_restart_nothing_is_granted_for_the_restart_grace)
{
    node_option(node, "--redis.restart_grace=2");
    begin();
    expect(c, "MALLOC p TIMEOUT 1.5", "'r'");
    server_kill(&rig.redis);
    client_send(other, "LOCK k other"); /* it waits for Redis */
    server_start(&rig.redis);
    int64_t back_ms = until_now_ms();
    expect_text_like(client_read(other), "(error) UPSTREAM Redis began anew: nothing is granted*");
    expect_like(other, "MALLOC p", "(error) UPSTREAM Redis began anew: nothing is granted*");
    expect(other, "POOL LEN p", "(integer) 1");
    until(strcmp(say(other, "MALLOC p"), "\"r\"") == 0);
    ck_assert_int_ge(until_now_ms() - back_ms, 1500);
}
END_TEST

START_TEST(without_a_restart_grace_all_goes_on_at_once)
{
    begin();
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until(strcmp(say(other, "MALLOC p"), "\"r\"") == 0);
    ck_assert(info_has("redis", "redis_grants_held_ms:0\\r\\n"));
}
END_TEST

int main(void)
{
    return RIG_RUN("clock", set_up, tear_down,
                   a_clock_that_goes_forward_ends_leases_but_gives_them_to_nobody_else_too_soon,
                   the_grace_after_a_step_has_a_bound,
                   a_session_whose_lease_was_ended_by_the_clock_is_told,
                   a_clock_that_goes_back_prolongs_what_is_held_and_fences_grow,
                   a_waiter_gets_its_turn_after_the_clock_went_back,
                   after_a_restart_nothing_is_granted_for_the_restart_grace,
                   without_a_restart_grace_all_goes_on_at_once);
}
