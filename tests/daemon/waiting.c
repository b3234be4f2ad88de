/* waiting: MALLOC with WAIT as its clients see it, and what it leaves in Redis. */
#include "tests/lib/rig.h"
#include "tests/lib/seedpeer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *others[3];

static void set_up(void)
{
    rig_start(&rig);
    node = rig_daemon(&rig);
    c = node_client(node);
    for (int i = 0; i < 3; i++)
        others[i] = node_client(node);
    expect(c, "POOL EXTEND p r", "(integer) 1");
    expect(c, "MALLOC p", "'r'");
}

static void tear_down(void)
{
    client_close(c);
    for (int i = 0; i < 3; i++)
        client_close(others[i]);
    rig_end(&rig);
}

static int64_t waiters_in_redis(void)
{
    return say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters");
}

/* Another client asks, and stands in line when this returns. */
static void wait_in_line(int i, const char *words)
{
    int64_t before = waiters_in_redis();
    client_send(others[i], words);
    until(waiters_in_redis() == before + 1);
}

/* --- the line --- */

START_TEST(what_is_free_is_had_without_waiting)
{
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "MALLOC p WAIT 10000", "'r'");
    expect(rig_redis(&rig), "EXISTS rallocd|p|pool|waiters rallocd|p|pool|waiting", "(integer) 0");
}
END_TEST

START_TEST(a_higher_priority_is_served_first)
{
    wait_in_line(0, "MALLOC p WAIT 10000");
    wait_in_line(1, "MALLOC p WAIT 10000 PRIORITY -5");
    wait_in_line(2, "MALLOC p WAIT 10000 PRIORITY 1000");
    expect_like(c, "EXPLAIN p", "*'line'*'priority'\n*(integer) 1000*(integer) 0*(integer) -5*");
    for (int i = 2; i != 1; i = i == 2 ? 0 : 1) {
        expect(c, "FREE p r", "(integer) 1");
        expect_text(client_read(others[i]), "'r'");
    }
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[1]), "'r'");
}
END_TEST

START_TEST(a_priority_goes_with_wait_and_has_bounds)
{
    expect(c, "MALLOC p PRIORITY 1", "(error) ERR syntax error: PRIORITY goes with WAIT");
    expect(c, "MALLOC p WAIT 1 PRIORITY -1001",
           "(error) ERR PRIORITY is not a whole number from -1000 to 1000: '-1001'");
}
END_TEST

START_TEST(waiters_are_served_in_the_order_they_came)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    wait_in_line(1, "MALLOC p WAIT 10000 WITHTOKEN");
    wait_in_line(2, "MALLOC p WAIT 10000 COUNT 1");
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[0]), "'r'");
    ck_assert(!client_has_reply(others[1], 50));
    expect(c, "FREE p r", "(integer) 1");
    expect_text_like(client_read(others[1]), "1) 'r'\n2) *\n3) (integer) *\n4) (integer) *");
    ck_assert(!client_has_reply(others[2], 50));
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[2]), "1) 'r'");
    ck_assert_int_eq(waiters_in_redis(), 0);
}
END_TEST

START_TEST(a_malloc_without_wait_overtakes_nobody)
{
    wait_in_line(0, "MALLOC p WAIT 10000");
    client_send(c, "FREE p r");
    client_send(c, "MALLOC p");
    expect_text(client_read(c), "(integer) 1");
    expect_text(client_read(c), "(nil)");
    expect_text(client_read(others[0]), "'r'");
}
END_TEST

START_TEST(a_client_goes_on_while_one_of_its_requests_waits)
{
    client_send(others[0], "MALLOC p WAIT 10000");
    client_send(others[0], "FREE p r");
    expect_text(client_read(others[0]), "'r'");
    expect_text(client_read(others[0]), "(integer) 1");
}
END_TEST

START_TEST(a_wait_ends_with_nothing_when_its_time_is_up)
{
    int64_t began_ms = until_now_ms();
    expect(c, "MALLOC p WAIT 150", "(nil)");
    int64_t took_ms = until_now_ms() - began_ms;
    ck_assert_int_ge(took_ms, 150);
    ck_assert_int_lt(took_ms, 1000);
    expect(c, "MALLOC p WAIT 1 COUNT 2", "(empty array)");
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "MALLOC p", "'r'");
}
END_TEST

START_TEST(names_and_owners_go_with_waiting)
{
    expect(c, "BIND p me s", "OK");
    expect(c, "POOL EXTEND p s t", "(integer) 2");
    expect(c, "MALLOC p COUNT 2", "1) 's'\n2) 't'");
    wait_in_line(0, "MALLOC p WAIT 10000 NAME me OWNER o");
    expect(c, "FREE p t", "(integer) 1");
    expect_text(client_read(others[0]), "'t'");
    expect(c, "BOUND p me", "'t'");
    expect_like(c, "HELD p o", "1) 1) 't'\n*");
}
END_TEST

/* A library repeats its request on a new connection while the old one still waits. */
START_TEST(the_same_reqid_twice_gets_one_lease)
{
    wait_in_line(0, "MALLOC p WAIT 10000 REQID q");
    wait_in_line(1, "MALLOC p WAIT 10000 REQID q");
    expect(c, "POOL EXTEND p s", "(integer) 1");
    expect_text(client_read(others[0]), "'s'");
    expect_text(client_read(others[1]), "'s'");
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r'");
}
END_TEST

/* --- what wakes --- */

START_TEST(an_expired_lease_is_handed_over_at_its_deadline)
{
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "MALLOC p TIMEOUT 0.4", "'r'");
    int64_t began_ms = until_now_ms();
    expect(c, "MALLOC p WAIT 10000", "'r'");
    int64_t took_ms = until_now_ms() - began_ms;
    ck_assert_int_ge(took_ms, 390);
    ck_assert_int_lt(took_ms, 390 + 300);
}
END_TEST

START_TEST(members_that_come_wake_who_waits)
{
    wait_in_line(0, "MALLOC p WAIT 10000");
    expect(c, "POOL EXTEND p s", "(integer) 1");
    expect_text(client_read(others[0]), "'s'");
    wait_in_line(0, "MALLOC p WAIT 10000");
    expect(c, "POOL ASSIGN p r s t", "1) (integer) 1\n2) (integer) 0");
    expect_text(client_read(others[0]), "'t'");
}
END_TEST

START_TEST(what_a_python_program_frees_comes_within_a_second)
{
    struct seedpeer peer;
    const char *names[] = {"r"};
    redisContext *redis = redisConnectUnix(rig.redis.path);
    seedpeer_init(&peer, redis, "rallocd|p", false);
    wait_in_line(0, "MALLOC p WAIT 10000");
    int64_t began_ms = until_now_ms();
    seedpeer_free(&peer, -1, 1, names);
    expect_text(client_read(others[0]), "'r'");
    ck_assert_int_lt(until_now_ms() - began_ms, 1300);
    redisFree(redis);
}
END_TEST

/* --- who goes --- */

START_TEST(a_waiter_whose_client_is_gone_leaves_the_line)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    wait_in_line(1, "MALLOC p WAIT 0");
    client_close(others[0]);
    others[0] = NULL;
    until(waiters_in_redis() == 1);
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[1]), "'r'");
}
END_TEST

/* A TCP peer that dies says no more than that it has ended. */
START_TEST(a_waiter_that_sends_no_more_is_told_none_and_leaves_the_line)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    client_shut(others[0]);
    expect_text(client_read(others[0]), "(nil)");
    until(waiters_in_redis() == 0);
    ck_assert(client_is_closed(others[0]));
}
END_TEST

START_TEST(a_killed_client_waits_no_more)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    expect_like(c, "CLIENT LIST", "* flags=b *");
    expect(c, "CLIENT KILL TYPE normal", "(integer) 3");
    expect_text(client_read(others[0]), "(nil)");
    until(waiters_in_redis() == 0);
}
END_TEST

START_TEST(who_waits_when_the_daemon_stops_is_told_so)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    ck_assert_int_eq(node_stop(node), 0);
    expect_text_like(client_read(others[0]), "(error) UPSTREAM the daemon is stopping*");
    until(waiters_in_redis() == 0);
}
END_TEST

/* It waits for longer than a session's things live, then holds for longer than that. */
START_TEST(who_waits_with_session_holds_as_long_as_the_connection_lives)
{
    expect(c, "CONFIG SET server.session_timeout 1", "OK");
    wait_in_line(0, "MALLOC p WAIT 0 SESSION");
    ck_assert(!client_has_reply(others[0], 1300));
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[0]), "'r'");
    expect(c, "MALLOC p WAIT 1300", "(nil)");
    client_close(others[0]);
    others[0] = NULL;
    expect(c, "MALLOC p WAIT 10000", "'r'");
}
END_TEST

/* --- bounds and numbers --- */

START_TEST(no_more_wait_than_max_waiters)
{
    expect(c, "CONFIG SET server.max_waiters 1", "OK");
    wait_in_line(0, "MALLOC p WAIT 0");
    expect_like(c, "MALLOC p WAIT 0", "(error) BUSY 1 requests wait here already (max_waiters)*");
    expect(c, "MALLOC p", "(nil)");
    ck_assert_ptr_nonnull(strstr(say(c, "INFO pools"), "waiters:1\\r\\n"));
}
END_TEST

/* Its time is that of its waiting. */
START_TEST(waiting_is_not_slow)
{
    expect(c, "CONFIG SET server.slowlog_log_slower_than 500000", "OK");
    expect(c, "SLOWLOG RESET", "OK"); /* of what was slow on a busy machine before that */
    expect(c, "MALLOC p WAIT 600", "(nil)");
    expect(c, "SLOWLOG LEN", "(integer) 0");
}
END_TEST

/* --- many at once --- */

START_TEST(a_request_for_many_is_served_when_there_are_so_many)
{
    expect(c, "POOL EXTEND p s", "(integer) 1");
    wait_in_line(0, "MALLOC p COUNT 2 ALL WAIT 0");
    expect(c, "MALLOC p", "(nil)"); /* s is kept for it */
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[0]), "1) 's'\n2) 'r'");
}
END_TEST

/* r is held for two minutes; who is done before that may have s, the others not. */
START_TEST(small_requests_that_end_in_time_go_before_a_big_one)
{
    expect(c, "POOL EXTEND p s", "(integer) 1");
    wait_in_line(0, "MALLOC p COUNT 2 ALL WAIT 0");
    wait_in_line(1, "MALLOC p TIMEOUT 600 WAIT 0");
    expect(c, "MALLOC p TIMEOUT 0.1 WAIT 10000", "'s'");
    expect(c, "MALLOC p TIMEOUT 0.1 WAIT 10000", "'s'");
    ck_assert(!client_has_reply(others[1], 0));
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[0]), "1) 'r'\n2) 's'");
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[1]), "'r'");
}
END_TEST

/* An endless stream of small requests, each of which renews: the big one has its turn all the same,
 * as soon as the leases of its beginning have ended. */
START_TEST(big_requests_do_not_starve)
{
    expect(c, "POOL EXTEND p s", "(integer) 1");
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "MALLOC p TIMEOUT 0.6", "'s'");
    expect(c, "MALLOC p TIMEOUT 0.6", "'r'");
    wait_in_line(0, "MALLOC p COUNT 2 ALL WAIT 0 TIMEOUT 5");
    int served = 0;
    while (!client_has_reply(others[0], 0)) {
        served += strcmp(say(c, "MALLOC p TIMEOUT 0.3 WAIT 50"), "(nil)") != 0;
        ck_assert_int_lt(served, 20);
    }
    expect_text_like(client_read(others[0]), "1) '*'\n2) '*'");
}
END_TEST

START_TEST(shared_pools_serve_all_who_wait)
{
    struct node *shared = rig_node(&rig);
    node_option(shared, "--pool:q.mode=shared");
    node_start(shared);
    struct client *one = node_client(shared), *two = node_client(shared);
    client_send(one, "MALLOC q WAIT 10000");
    client_send(two, "MALLOC q WAIT 10000");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|q|pool|waiters") == 2);
    expect(c, "POOL EXTEND q r", "(integer) 1");
    expect_text(client_read(one), "'r'");
    expect_text(client_read(two), "'r'");
    client_close(one);
    client_close(two);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "waiting", set_up, tear_down, what_is_free_is_had_without_waiting,
        waiters_are_served_in_the_order_they_came, a_higher_priority_is_served_first,
        a_priority_goes_with_wait_and_has_bounds, a_malloc_without_wait_overtakes_nobody,
        a_client_goes_on_while_one_of_its_requests_waits,
        a_wait_ends_with_nothing_when_its_time_is_up, names_and_owners_go_with_waiting,
        the_same_reqid_twice_gets_one_lease, an_expired_lease_is_handed_over_at_its_deadline,
        members_that_come_wake_who_waits, what_a_python_program_frees_comes_within_a_second,
        a_waiter_whose_client_is_gone_leaves_the_line,
        a_waiter_that_sends_no_more_is_told_none_and_leaves_the_line, a_killed_client_waits_no_more,
        who_waits_when_the_daemon_stops_is_told_so,
        who_waits_with_session_holds_as_long_as_the_connection_lives, no_more_wait_than_max_waiters,
        waiting_is_not_slow, a_request_for_many_is_served_when_there_are_so_many,
        small_requests_that_end_in_time_go_before_a_big_one, big_requests_do_not_starve,
        shared_pools_serve_all_who_wait);
}
