/* lock_waits: LOCK, RLOCK and LOCKALL with WAIT and REQID as their clients see them, and what they
 * leave in Redis. */
#include "tests/lib/rig.h"
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
    say(c, "LOCK k w");
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
    return say_int(rig_redis(&rig), "ZCARD rallocd|lock|waiters");
}

/* Another client asks, and stands in line when this returns. */
static void wait_in_line(int i, const char *words)
{
    int64_t before = waiters_in_redis();
    client_send(others[i], words);
    until(waiters_in_redis() == before + 1);
}

static int64_t read_fence(struct client *client)
{
    long long fence;
    const char *reply = client_read(client);
    ck_assert_msg(sscanf(reply, "(integer) %lld", &fence) == 1, "%s", reply);
    return fence;
}

/* --- the line --- */

START_TEST(who_waits_for_a_lock_gets_it_in_the_order_of_coming)
{
    wait_in_line(0, "LOCK k a WAIT 0");
    wait_in_line(1, "RLOCK k b WAIT 0");
    wait_in_line(2, "LOCK k d WAIT 0 TIMEOUT 5");
    expect(c, "LOCK k x", "(nil)");
    expect(c, "UNLOCK k w", "(integer) 1");
    int64_t first = read_fence(others[0]);
    expect(c, "LOCK k x", "(nil)");
    expect(c, "UNLOCK k", "(integer) 1"); /* by force */
    int64_t second = read_fence(others[1]);
    ck_assert_int_gt(second, first);
    expect(others[1], "UNLOCK k b", "(integer) 1");
    ck_assert_int_gt(read_fence(others[2]), second);
    expect(c, "LOCKVALUE k", "'d'");
    ck_assert_int_le(say_int(c, "LOCKTTL k"), 5000);
    expect(rig_redis(&rig),
           "EXISTS rallocd|lock|waiters rallocd|lock|waiting rallocd|lock|lines "
           "rallocd|lock|daemons",
           "(integer) 0");
}
END_TEST

START_TEST(a_lock_without_wait_overtakes_nobody)
{
    wait_in_line(0, "LOCK k a WAIT 0");
    client_send(c, "UNLOCK k w");
    client_send(c, "LOCK k x");
    expect_text(client_read(c), "(integer) 1");
    expect_text(client_read(c), "(nil)");
    read_fence(others[0]);
}
END_TEST

START_TEST(a_wait_for_a_lock_ends_with_nothing_when_its_time_is_up)
{
    int64_t began_ms = until_now_ms();
    expect(c, "LOCK k a WAIT 150", "(nil)");
    ck_assert_int_ge(until_now_ms() - began_ms, 150);
    expect(c, "LOCKALL a WAIT 10 k m", "(nil)");
    expect(c, "UNLOCK k w", "(integer) 1");
    ck_assert_int_gt(say_int(c, "LOCK k x"), 0);
    ck_assert_int_eq(waiters_in_redis(), 0);
}
END_TEST

START_TEST(the_deadline_of_a_lock_hands_it_over)
{
    say(c, "LOCK m w TIMEOUT 0.4");
    int64_t began_ms = until_now_ms();
    ck_assert_int_gt(say_int(c, "LOCK m a WAIT 20000"), 0);
    int64_t took_ms = until_now_ms() - began_ms;
    ck_assert_int_ge(took_ms, 350);
    ck_assert_int_lt(took_ms, 1000); /* and not at the next beat but one */
}
END_TEST

START_TEST(what_others_delete_comes_within_a_second)
{
    wait_in_line(0, "LOCK k a WAIT 0");
    int64_t began_ms = until_now_ms();
    expect(rig_redis(&rig), "DEL rallocd|lock:k", "(integer) 1"); /* as RedisLock.unlock does */
    read_fence(others[0]);
    ck_assert_int_lt(until_now_ms() - began_ms, 1500);
    expect(c, "UNLOCK k a", "(integer) 1");
    expect(c, "SETIF n > 5", "(integer) 1");
    wait_in_line(0, "LOCK n a WAIT 0");
    expect(c, "DELIF n == 5", "(integer) 1");
    read_fence(others[0]);
}
END_TEST

/* --- kinds --- */

START_TEST(readers_come_together_and_wait_for_the_writer_before_them)
{
    wait_in_line(0, "LOCK k r1 SHARED WAIT 0");
    wait_in_line(1, "LOCK k r2 SHARED WAIT 0");
    wait_in_line(2, "LOCK k writer WAIT 0");
    expect(c, "UNLOCK k w", "(integer) 1");
    read_fence(others[0]);
    read_fence(others[1]);
    expect(c, "LOCK k r3 SHARED", "(nil)"); /* the writer waits */
    expect(c, "UNLOCK k r1", "(integer) 1");
    expect(c, "UNLOCK k r2", "(integer) 1");
    read_fence(others[2]);
    expect(c, "LOCKVALUE k", "'writer'");
}
END_TEST

START_TEST(permits_are_handed_on)
{
    say(c, "LOCK s a PERMITS 2 OF 3");
    wait_in_line(0, "LOCK s b PERMITS 3 OF 3 WAIT 0");
    wait_in_line(1, "LOCK s d PERMITS 1 OF 3 WAIT 0");
    expect(c, "UNLOCK s a", "(integer) 1");
    read_fence(others[0]);
    expect(others[0], "UNLOCK s b", "(integer) 1");
    read_fence(others[1]);
    expect_like(c, "LOCK s e PERMITS 1 OF 4 WAIT 10000", "(error) ERR OF 4 does not fit*");
}
END_TEST

START_TEST(lockall_waits_for_all_without_holding_any)
{
    say(c, "LOCK m v");
    wait_in_line(0, "LOCKALL a WAIT 0 k m n");
    expect(c, "LOCKED n", "(integer) 0");
    expect(c, "UNLOCK k w", "(integer) 1");
    expect(c, "LOCKED k", "(integer) 0");
    expect(c, "LOCK k x", "(nil)"); /* kept for it */
    expect(c, "UNLOCK m v", "(integer) 1");
    expect_text_like(client_read(others[0]), "1) (integer) *\n2) (integer) *\n3) (integer) *");
}
END_TEST

/* Each wants what the other one wants, named in another order. */
START_TEST(lockalls_of_any_order_end)
{
    for (int i = 0; i < 30; i++) {
        client_send(others[0], "LOCKALL a WAIT 0 x y");
        client_send(others[1], "LOCKALL b WAIT 0 y x");
        for (int k = 0; k < 2; k++) {
            expect_text_like(client_read(others[k]), "1) (integer) *\n2) (integer) *");
            client_send(others[k], k == 0 ? "UNLOCK x a" : "UNLOCK y b");
            client_send(others[k], k == 0 ? "UNLOCK y a" : "UNLOCK x b");
            for (int n = 0; n < 2; n++)
                expect_text(client_read(others[k]), "(integer) 1");
            if (k == 1)
                break;
        }
    }
}
END_TEST

START_TEST(locks_of_sets_are_waited_for_too)
{
    say(c, "LOCK k w IN s");
    wait_in_line(0, "LOCK k a WAIT 0 IN s");
    expect(c, "UNLOCK k w", "(integer) 1"); /* the one without a set */
    expect(c, "UNLOCK k w IN s", "(integer) 1");
    read_fence(others[0]);
    expect(c, "LOCKVALUE k IN s", "'a'");
}
END_TEST

/* --- requests with a name --- */

START_TEST(a_lock_asked_for_again_with_its_reqid_is_the_same)
{
    int64_t fence = say_int(c, "LOCK m o REQID q");
    ck_assert_int_eq(say_int(others[0], "LOCK m o REQID q"), fence);
    ck_assert_int_eq(say_int(others[0], "LOCK m o REQID q WAIT 0"), fence);
    expect(c, "LOCK m o REQID other", "(nil)");
    expect(c, "LOCK m o", "(nil)");
    fence = say_int(c, "LOCK s o SHARED REQID q");
    ck_assert_int_eq(say_int(c, "LOCK s o SHARED REQID q"), fence);
    char first[200];
    snprintf(first, sizeof first, "%s", say(c, "LOCKALL o REQID q x y"));
    expect(c, "LOCKALL o REQID q x y", first);
    expect(c, "LOCKALL o REQID q2 x y", "(nil)");
}
END_TEST

START_TEST(a_repeated_wait_for_a_lock_has_the_place_of_the_first)
{
    wait_in_line(0, "LOCK k a WAIT 0 REQID q");
    wait_in_line(1, "LOCK k b WAIT 0");
    wait_in_line(2, "LOCK k a WAIT 0 REQID q");
    expect(c, "UNLOCK k w", "(integer) 1");
    int64_t fence = read_fence(others[0]);
    ck_assert_int_eq(read_fence(others[2]), fence);
    expect(c, "UNLOCK k a", "(integer) 1");
    read_fence(others[1]);
}
END_TEST

/* --- who goes --- */

START_TEST(who_waits_for_a_lock_and_goes_leaves_the_line)
{
    wait_in_line(0, "LOCK k a WAIT 0");
    wait_in_line(1, "LOCK k b WAIT 0");
    client_close(others[0]);
    others[0] = NULL;
    until(waiters_in_redis() == 1);
    expect(c, "UNLOCK k w", "(integer) 1");
    read_fence(others[1]);
}
END_TEST

START_TEST(who_waits_for_a_lock_when_the_daemon_stops_is_told_so)
{
    wait_in_line(0, "LOCK k a WAIT 0");
    ck_assert_int_eq(node_stop(node), 0);
    expect_text_like(client_read(others[0]), "(error) UPSTREAM the daemon is stopping*");
    until(waiters_in_redis() == 0);
}
END_TEST

START_TEST(a_lock_waited_for_with_session_ends_with_its_connection)
{
    expect(c, "CONFIG SET server.session_timeout 1", "OK");
    wait_in_line(0, "LOCK k a WAIT 0 SESSION");
    ck_assert(!client_has_reply(others[0], 1300));
    expect(c, "UNLOCK k w", "(integer) 1");
    read_fence(others[0]);
    expect(c, "LOCK k b WAIT 1300", "(nil)"); /* it is renewed */
    client_close(others[0]);
    others[0] = NULL;
    ck_assert_int_gt(say_int(c, "LOCK k b WAIT 20000"), 0);
}
END_TEST

/* --- two daemons --- */

START_TEST(the_order_holds_across_daemons)
{
    struct node *second = rig_daemon(&rig);
    struct client *clients[8];
    for (int i = 0; i < 8; i++) {
        char words[40];
        clients[i] = node_client(i % 2 == 0 ? &rig.nodes[0] : second);
        snprintf(words, sizeof words, "LOCK k o%d WAIT 0", i);
        client_send(clients[i], words);
        until(waiters_in_redis() == i + 1);
    }
    expect(c, "UNLOCK k w", "(integer) 1");
    for (int i = 0; i < 8; i++) {
        char words[40];
        read_fence(clients[i]);
        snprintf(words, sizeof words, "UNLOCK k o%d", i);
        expect(clients[i], words, "(integer) 1");
        client_close(clients[i]);
    }
}
END_TEST

START_TEST(who_waits_at_a_killed_daemon_delays_nobody_for_long)
{
    struct node *second = rig_daemon(&rig);
    struct client *first = node_client(second);
    client_send(first, "LOCK k a WAIT 0");
    until(waiters_in_redis() == 1);
    wait_in_line(0, "LOCK k b WAIT 0");
    node_kill(second);
    expect(c, "UNLOCK k w", "(integer) 1");
    read_fence(others[0]);
    client_close(first);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "lock_waits", set_up, tear_down, who_waits_for_a_lock_gets_it_in_the_order_of_coming,
        a_lock_without_wait_overtakes_nobody,
        a_wait_for_a_lock_ends_with_nothing_when_its_time_is_up,
        the_deadline_of_a_lock_hands_it_over, what_others_delete_comes_within_a_second,
        readers_come_together_and_wait_for_the_writer_before_them, permits_are_handed_on,
        lockall_waits_for_all_without_holding_any, lockalls_of_any_order_end,
        locks_of_sets_are_waited_for_too, a_lock_asked_for_again_with_its_reqid_is_the_same,
        a_repeated_wait_for_a_lock_has_the_place_of_the_first,
        who_waits_for_a_lock_and_goes_leaves_the_line,
        who_waits_for_a_lock_when_the_daemon_stops_is_told_so,
        a_lock_waited_for_with_session_ends_with_its_connection, the_order_holds_across_daemons,
        who_waits_at_a_killed_daemon_delays_nobody_for_long);
}
