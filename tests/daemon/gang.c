/* gang: MALLOCALL as its clients see it, and what it leaves in Redis. */
#include "tests/lib/relay.h"
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 60 /* that each answer of Redis takes, where a test is to happen in between */

static struct rig rig;
static struct relay *relay;
static struct node *node; /* its link to Redis goes through the relay */
static struct client *c, *gang;

static void set_up(void)
{
    char path[160];
    rig_start(&rig);
    snprintf(path, sizeof(path), "%s/relay.sock", rig.guard.dir);
    relay = relay_new(path, rig.redis.path);
    node = &rig.nodes[rig.node_count++];
    node_init(node, rig.guard.dir, "daemon");
    node_option(node, "--redis.url=unix://%s", path);
    node_option(node, "--redis.reply_timeout=0.4");
    node_option(node, "--pool:both.mode=shared");
    node_start(node);
    c = node_client(rig_daemon(&rig));
    gang = node_client(node);
    expect(c, "POOL EXTEND a a1 a2", "(integer) 2");
    expect(c, "POOL EXTEND b b1 b2", "(integer) 2");
}

static void tear_down(void)
{
    client_close(c);
    client_close(gang);
    rig_end(&rig);
    relay_free(relay);
}

static int64_t in_line(const char *pool)
{
    return strtoll(sayf(rig_redis(&rig), "ZCARD rallocd|%s|pool|waiters", pool) + 10, NULL, 10);
}

static bool is_leased(const char *pool, const char *resource)
{
    return strcmp(sayf(rig_redis(&rig), "EXISTS rallocd|%s:%s", pool, resource), "(integer) 1") ==
           0;
}

static bool is_all_free(void)
{
    return say_int(rig_redis(&rig), "EXISTS rallocd|a:a1 rallocd|a:a2 rallocd|b:b1 rallocd|b:b2") ==
           0;
}

/* Asks, and stands in the line of this pool when this returns. */
static void wait_in_line(const char *words, const char *pool)
{
    client_send(gang, words);
    until(in_line(pool) == 1);
}

/* --- all or none --- */

START_TEST(it_gets_all_in_the_order_in_which_it_names_the_pools)
{
    expect(gang, "MALLOCALL b 1 a 2", "1) 1) 'b1'\n2) 1) 'a1'\n   2) 'a2'");
    ck_assert(is_leased("a", "a1") && is_leased("a", "a2") && is_leased("b", "b1"));
    ck_assert(!is_leased("b", "b2"));
}
END_TEST

START_TEST(it_gets_nothing_when_one_pool_has_not_enough)
{
    expect(c, "MALLOC b", "'b1'");
    expect(gang, "MALLOCALL a 2 b 2", "(nil)");
    expect(gang, "MALLOCALL b 2 a 2", "(nil)");
    expect_like(gang, "POOL FREELIST a", "1) 'a?'\n2) 'a?'");
    expect(gang, "POOL FREELIST b", "1) 'b2'");
}
END_TEST

START_TEST(each_lease_has_a_token_a_fence_and_its_whole_time)
{
    expect_like(gang, "MALLOCALL TIMEOUT 60 WITHTOKEN a 1 b 1",
                "1) 1) 1) 'a1'\n      2) '*-*'\n      3) (integer) *\n      4) (integer) 60000\n"
                "2) 1) 1) 'b1'\n      2) '*-*'\n      3) (integer) *\n      4) (integer) 60000");
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|a:a1"), 50000);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|b:b1"), 50000);
    expect_like(gang, "MALLOCALL TIMEOUT 0 WITHTOKEN a 1", "*4) (integer) -1");
    expect(rig_redis(&rig), "PTTL rallocd|a:a2", "(integer) -1");
}
END_TEST

START_TEST(a_gangs_owner_finds_what_it_holds)
{
    expect(gang, "MALLOCALL OWNER me a 1 b 1", "1) 1) 'a1'\n2) 1) 'b1'");
    expect_like(c, "HELD a me", "1) 1) 'a1'\n*");
    expect_like(c, "HELD b me", "1) 1) 'b1'\n*");
}
END_TEST

START_TEST(a_gang_with_session_holds_as_long_as_the_connection_lives)
{
    expect(gang, "CONFIG SET server.session_timeout 1", "OK");
    expect(gang, "MALLOCALL SESSION a 2 b 1", "1) 1) 'a1'\n   2) 'a2'\n2) 1) 'b1'");
    expect(c, "MALLOC a WAIT 1300", "(nil)");
    ck_assert(is_leased("b", "b1"));
    client_close(gang);
    gang = NULL;
    until(is_all_free());
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    expect(gang, "MALLOCALL a", "(error) ERR wrong number of arguments for 'mallocall' command");
    expect(gang, "MALLOCALL a 1 b",
           "(error) ERR syntax error: MALLOCALL wants a number behind pool 'b'");
    expect(gang, "MALLOCALL a 1 b 1 a 1", "(error) ERR MALLOCALL names pool 'a' twice");
    expect(gang, "MALLOCALL a 1 both 1",
           "(error) ERR MALLOCALL does not go with pool 'both': it is shared, without leases");
    expect_like(gang, "MALLOCALL a 0", "(error) ERR the number of pool 'a' is not *: '0'");
    expect_like(gang, "MALLOCALL a x", "(error) ERR the number of pool 'a' is not *: 'x'");
    expect_like(gang, "MALLOCALL a 60000 b 60000",
                "(error) ERR the number of pool 'b' is not a whole one from 1 to 40000,*: '60000'");
    expect(gang, "MALLOCALL all 1", "(error) ERR syntax error: MALLOCALL takes no option 'all'");
    expect(gang,
           "MALLOCALL p1 1 p2 1 p3 1 p4 1 p5 1 p6 1 p7 1 p8 1 p9 1 p10 1 p11 1 p12 1 p13 1 p14 1 "
           "p15 1 p16 1 p17 1",
           "(error) ERR MALLOCALL takes 1 to 16 pools, not 17");
    ck_assert(is_all_free());
}
END_TEST

/* --- waiting --- */

START_TEST(nothing_is_held_while_it_waits)
{
    expect(c, "MALLOC b COUNT 2", "1) 'b1'\n2) 'b2'");
    wait_in_line("MALLOCALL WAIT 0 a 2 b 2", "b");
    expect_like(c, "MALLOC a COUNT 2 ALL WAIT 0", "1) 'a?'\n2) 'a?'");
    expect(c, "FREE a a1 a2", "(integer) 2");
    expect(c, "FREE b b1", "(integer) 1");
    expect(c, "MALLOC b", "(nil)"); /* it is kept for the gang */
    expect(c, "FREE b b2", "(integer) 1");
    expect_text_like(client_read(gang), "1) 1) 'a?'\n   2) 'a?'\n2) 1) 'b1'\n   2) 'b2'");
}
END_TEST

START_TEST(a_gang_gets_none_when_its_time_is_up)
{
    expect(c, "MALLOC b", "'b1'");
    int64_t began_ms = until_now_ms();
    expect(gang, "MALLOCALL WAIT 150 a 1 b 2", "(nil)");
    ck_assert_int_ge(until_now_ms() - began_ms, 149);
    expect(gang, "POOL FREELIST a", "1) 'a2'\n2) 'a1'");
}
END_TEST

START_TEST(a_gang_that_sends_no_more_is_told_none_and_leaves_the_line)
{
    expect(c, "MALLOC b", "'b1'");
    wait_in_line("MALLOCALL WAIT 0 a 1 b 2", "b");
    client_shut(gang);
    expect_text(client_read(gang), "(nil)");
    until(in_line("b") == 0);
}
END_TEST

START_TEST(a_gang_that_waits_is_told_when_the_daemon_stops)
{
    expect(c, "MALLOC b", "'b1'");
    wait_in_line("MALLOCALL WAIT 0 a 1 b 2", "b");
    ck_assert_int_eq(node_stop(node), 0);
    expect_text_like(client_read(gang), "(error) UPSTREAM the daemon is stopping*");
    until(in_line("b") == 0);
}
END_TEST

/* --- patience --- */

/* Brings a gang that wants all of both to where it has waited for both in vain: it holds a, and
 * stands in the line of b, which c holds. */
static void make_patient(void)
{
    expect(c, "MALLOC b COUNT 2", "1) 'b1'\n2) 'b2'");
    wait_in_line("MALLOCALL WAIT 0 b 2 a 2", "b");
    expect_like(c, "MALLOC a COUNT 2 ALL WAIT 0", "1) 'a?'\n2) 'a?'");
    expect(c, "FREE b b1 b2", "(integer) 2");
    until(in_line("a") == 1 && in_line("b") == 0);
    expect_like(c, "MALLOC b COUNT 2 ALL WAIT 0", "1) 'b?'\n2) 'b?'");
    expect(c, "FREE a a1 a2", "(integer) 2");
    until(in_line("b") == 1);
}

START_TEST(after_rounds_in_vain_it_gets_all)
{
    make_patient();
    expect(c, "FREE b b1 b2", "(integer) 2");
    expect_text_like(client_read(gang), "1) 1) 'b?'\n   2) 'b?'\n2) 1) 'a?'\n   2) 'a?'");
}
END_TEST

START_TEST(patience_has_an_end)
{
    make_patient();
    until(!is_leased("a", "a1") && !is_leased("a", "a2"));
    until(in_line("b") == 1);
    expect(c, "FREE b b1 b2", "(integer) 2");
    expect_text_like(client_read(gang), "1) 1) 'b?'\n   2) 'b?'\n2) 1) 'a?'\n   2) 'a?'");
}
END_TEST

START_TEST(who_is_patient_and_goes_leaves_nothing)
{
    make_patient();
    client_close(gang);
    gang = NULL;
    expect(c, "FREE b b1 b2", "(integer) 2");
    until(is_all_free() && in_line("b") == 0);
}
END_TEST

/* Each of two streams takes what comes free in its pool, for a moment: there is never enough in
 * both pools at a time, and hardly ever in one. */
START_TEST(a_big_gang_does_not_starve_among_small_requests)
{
    struct client *streams[4];
    const char *words[2] = {"MALLOC a TIMEOUT 0.2 WAIT 0", "MALLOC b TIMEOUT 0.2 WAIT 0"};
    for (int i = 0; i < 4; i++) {
        streams[i] = node_client(&rig.nodes[1]);
        client_send(streams[i], words[i / 2]);
        client_send(streams[i], words[i / 2]);
    }
    until(is_leased("a", "a1") && is_leased("a", "a2") && is_leased("b", "b1") &&
          is_leased("b", "b2"));
    client_send(gang, "MALLOCALL TIMEOUT 30 WAIT 0 a 2 b 2");
    for (int64_t end_ms = until_now_ms() + until_wait_ms(); !client_has_reply(gang, 0);) {
        for (int i = 0; i < 4; i++) {
            while (client_has_reply(streams[i], 1)) {
                client_read(streams[i]);
                client_send(streams[i], words[i / 2]);
            }
        }
        ck_assert_int_lt(until_now_ms(), end_ms);
    }
    expect_text_like(client_read(gang), "1) 1) 'a?'\n   2) 'a?'\n2) 1) 'b?'\n   2) 'b?'");
    for (int i = 0; i < 4; i++)
        client_close(streams[i]);
}
END_TEST

/* --- who dies --- */

/* In which step it is gone does not matter: what has been taken comes back. */
static void die_after(const char *words, const char *pool, const char *resource)
{
    gang = node_client(node);
    client_send(gang, words);
    until(pool == NULL || is_leased(pool, resource));
    client_close(gang);
    gang = NULL;
    node_catch_up(node);
    until(is_all_free());
}

START_TEST(whoever_dies_while_parts_are_taken_or_kept_leaves_nothing)
{
    static const char *const words[] = {"MALLOCALL TIMEOUT 0 a 2 b 2",
                                        "MALLOCALL TIMEOUT 0 WAIT 0 a 2 b 2",
                                        "MALLOCALL SESSION a 2 b 2"};
    client_close(gang);
    relay_delay_replies(relay, STEP_MS);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        die_after(words[i], NULL, NULL);
        die_after(words[i], "a", "a2");
        die_after(words[i], "b", "b2");
    }
}
END_TEST

START_TEST(whoever_dies_in_a_line_leaves_it)
{
    expect(c, "MALLOC b", "'b1'");
    wait_in_line("MALLOCALL WAIT 0 a 1 b 2", "b");
    client_close(gang);
    gang = NULL;
    until(in_line("b") == 0);
    expect(c, "FREE b b1", "(integer) 1");
    ck_assert(is_all_free());
}
END_TEST

START_TEST(parts_of_a_daemon_that_dies_come_back_in_a_short_time)
{
    relay_delay_replies(relay, STEP_MS);
    client_send(gang, "MALLOCALL TIMEOUT 2 a 2 b 2");
    until(is_leased("a", "a2"));
    node_kill(node);
    ck_assert_int_le(say_int(rig_redis(&rig), "PTTL rallocd|a:a1"), 2000);
    expect_like(c, "MALLOC a COUNT 2 ALL WAIT 0", "1) 'a?'\n2) 'a?'");
}
END_TEST

START_TEST(parts_have_five_seconds_at_most_before_they_are_together)
{
    relay_delay_replies(relay, STEP_MS);
    client_send(gang, "MALLOCALL TIMEOUT 0 a 1 b 1");
    until(is_leased("a", "a1"));
    node_kill(node);
    int64_t ttl_ms = say_int(rig_redis(&rig), "PTTL rallocd|a:a1");
    ck_assert_msg(ttl_ms > 0 && ttl_ms <= 5000, "%d ms", (int)ttl_ms);
}
END_TEST

START_TEST(an_answer_that_was_lost_brings_everything_back)
{
    relay_swallow_replies(relay, true);
    client_send(gang, "MALLOCALL TIMEOUT 0 a 2 b 2");
    until(relay_swallowed(relay) > 0);
    relay_swallow_replies(relay, false);
    expect_text_like(client_read(gang), "(error) UPSTREAM *");
    until(is_all_free());
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "gang", set_up, tear_down, it_gets_all_in_the_order_in_which_it_names_the_pools,
        it_gets_nothing_when_one_pool_has_not_enough,
        each_lease_has_a_token_a_fence_and_its_whole_time, a_gangs_owner_finds_what_it_holds,
        a_gang_with_session_holds_as_long_as_the_connection_lives, what_is_wrong_is_named,
        nothing_is_held_while_it_waits, a_gang_gets_none_when_its_time_is_up,
        a_gang_that_sends_no_more_is_told_none_and_leaves_the_line,
        a_gang_that_waits_is_told_when_the_daemon_stops, after_rounds_in_vain_it_gets_all,
        patience_has_an_end, who_is_patient_and_goes_leaves_nothing,
        a_big_gang_does_not_starve_among_small_requests,
        whoever_dies_while_parts_are_taken_or_kept_leaves_nothing, whoever_dies_in_a_line_leaves_it,
        parts_of_a_daemon_that_dies_come_back_in_a_short_time,
        parts_have_five_seconds_at_most_before_they_are_together,
        an_answer_that_was_lost_brings_everything_back);
}
