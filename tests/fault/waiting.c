/* waiting: what comes of those who wait when Redis dies, links lose what is said, clients die. */
#include "tests/lib/relay.h"
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 300

static struct rig rig;
static struct relay *relay;
static struct node *node; /* its link to Redis goes through the relay */
static struct client *c, *giver, *waiters[CROWD];

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
    node_option(node, "--redis.backoff_min=0.02");
    node_option(node, "--redis.backoff_max=0.1");
    node_start(node);
    c = node_client(node);
    giver = node_client(rig_daemon(&rig));
    expect(giver, "POOL EXTEND p r", "(integer) 1");
    expect(giver, "MALLOC p TIMEOUT 0", "'r'");
}

static void tear_down(void)
{
    client_close(c);
    client_close(giver);
    for (int i = 0; i < CROWD; i++)
        client_close(waiters[i]);
    rig_end(&rig);
    relay_free(relay);
}

static int64_t in_line(void)
{
    return say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters");
}

static bool hears(void)
{
    return strstr(say(c, "INFO redis"), "redis_hears:1\\r\\n") != NULL;
}

/* Redis is back for both daemons: their pools are looked at in the end. */
static void restart_redis(void)
{
    server_start(&rig.redis);
    until(strcmp(say(c, "POOL LEN p"), "(integer) 1") == 0);
    until(strcmp(say(giver, "POOL LEN p"), "(integer) 1") == 0);
}

static void wait_in_line(int i, const char *words)
{
    int64_t before = in_line();
    waiters[i] = node_client(node);
    client_send(waiters[i], words);
    until(in_line() == before + 1);
}

START_TEST(places_are_kept_while_redis_is_away_for_a_moment)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    wait_in_line(1, "MALLOC p WAIT 0");
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until(say(giver, "FREE p r")[0] != '(' || in_line() == 1);
    expect_text(client_read(waiters[0]), "'r'");
    ck_assert(!client_has_reply(waiters[1], 50));
    expect(giver, "FREE p r", "(integer) 1");
    expect_text(client_read(waiters[1]), "'r'");
}
END_TEST

START_TEST(who_waits_is_told_when_redis_stays_away)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    int64_t began_ms = until_now_ms();
    server_kill(&rig.redis);
    expect_text_like(client_read(waiters[0]), "(error) UPSTREAM *");
    int64_t took_ms = until_now_ms() - began_ms;
    ck_assert_msg(took_ms > 1500 && took_ms < 4500, "%d ms", (int)took_ms);
    restart_redis();
    until(in_line() == 0);
}
END_TEST

START_TEST(a_wait_ends_in_its_time_though_redis_is_away)
{
    wait_in_line(0, "MALLOC p WAIT 500");
    server_kill(&rig.redis);
    int64_t began_ms = until_now_ms();
    expect_text_like(client_read(waiters[0]), "(error) UPSTREAM *");
    ck_assert_int_lt(until_now_ms() - began_ms, 4500);
    restart_redis();
}
END_TEST

/* What is published in between is heard by nobody. */
START_TEST(who_missed_the_message_is_served_all_the_same)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    until(hears());
    relay_refuse(relay, true);
    relay_cut(relay);
    expect(giver, "FREE p r", "(integer) 1");
    relay_refuse(relay, false);
    expect_text(client_read(waiters[0]), "'r'");
}
END_TEST

START_TEST(a_lost_reply_costs_nobody_the_place)
{
    relay_swallow_replies(relay, true);
    waiters[0] = node_client(node);
    client_send(waiters[0], "MALLOC p WAIT 0");
    until(relay_swallowed(relay) > 0);
    relay_swallow_replies(relay, false);
    until(in_line() == 1);
    expect(giver, "FREE p r", "(integer) 1");
    expect_text(client_read(waiters[0]), "'r'");
    ck_assert(!client_has_reply(waiters[0], 0));
}
END_TEST

/* What was fetched by a call without an answer comes back, and is fetched again. */
START_TEST(a_lost_grant_is_granted_again)
{
    wait_in_line(0, "MALLOC p WAIT 0 TIMEOUT 0");
    until(hears());
    relay_swallow_replies(relay, true);
    expect(giver, "FREE p r", "(integer) 1");
    until(relay_swallowed(relay) > 1);
    relay_swallow_replies(relay, false);
    expect_text(client_read(waiters[0]), "'r'");
    expect(giver, "FREE p r", "(integer) 1");
    expect(giver, "MALLOC p", "'r'");
}
END_TEST

START_TEST(hundreds_who_die_at_once_hold_up_nobody)
{
    for (int i = 0; i < CROWD; i++) {
        waiters[i] = node_client(node);
        client_send(waiters[i], "MALLOC p WAIT 0");
    }
    until(in_line() == CROWD);
    client_send(c, "MALLOC p WAIT 0");
    until(in_line() == CROWD + 1);
    for (int i = 0; i < CROWD; i++) {
        client_close(waiters[i]);
        waiters[i] = NULL;
    }
    int64_t began_ms = until_now_ms();
    expect(giver, "FREE p r", "(integer) 1");
    expect_text(client_read(c), "'r'");
    ck_assert_int_lt(until_now_ms() - began_ms, 2000);
    until(in_line() == 0);
    expect(rig_redis(&rig), "EXISTS rallocd|p|pool|granted rallocd|p|pool|waiting", "(integer) 0");
}
END_TEST

/* What one of the dead kept, told of it or not, would be gone for an hour. */
START_TEST(hundreds_who_die_while_they_are_served_lose_nothing)
{
    expect(c, "CONFIG SET server.session_timeout 3600", "OK");
    expect(giver, "POOL EXTEND p s t", "(integer) 2");
    expect(giver, "MALLOC p COUNT 2 TIMEOUT 0", "1) 's'\n2) 't'");
    for (int i = 0; i < CROWD; i++) {
        waiters[i] = node_client(node);
        client_send(waiters[i], "MALLOC p WAIT 0 SESSION");
    }
    until(in_line() == CROWD);
    client_send(giver, "FREE p r s t");
    for (int i = 0; i < CROWD; i++) {
        client_close(waiters[i]);
        waiters[i] = NULL;
    }
    expect_text(client_read(giver), "(integer) 3");
    until(in_line() == 0);
    expect_like(c, "MALLOC p COUNT 3 ALL WAIT 0", "1) '?'\n2) '?'\n3) '?'");
}
END_TEST

/* Someone has deleted keys of ours: who waits does not wait for ever. */
START_TEST(a_line_that_was_deleted_by_hand_comes_back)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    wait_in_line(1, "MALLOC p WAIT 0");
    expect(rig_redis(&rig), "DEL rallocd|p|pool|waiters", "(integer) 1");
    until(in_line() == 2);
    expect(giver, "FREE p r", "(integer) 1");
    expect_text(client_read(waiters[0]), "'r'");
    expect(rig_redis(&rig), "DEL rallocd|p|pool|waiters rallocd|p|pool|waiting", "(integer) 2");
    expect(giver, "FREE p r", "(integer) 1");
    expect_text(client_read(waiters[1]), "'r'");
}
END_TEST

START_TEST(a_pool_that_was_lost_is_waited_for_again)
{
    wait_in_line(0, "MALLOC p WAIT 0");
    expect(rig_redis(&rig), "FLUSHALL", "OK");
    until(in_line() == 1);
    expect(giver, "POOL EXTEND p s", "(integer) 1");
    expect_text(client_read(waiters[0]), "'s'");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "waiting", set_up, tear_down, places_are_kept_while_redis_is_away_for_a_moment,
        who_waits_is_told_when_redis_stays_away, a_wait_ends_in_its_time_though_redis_is_away,
        who_missed_the_message_is_served_all_the_same, a_lost_reply_costs_nobody_the_place,
        a_lost_grant_is_granted_again, hundreds_who_die_at_once_hold_up_nobody,
        hundreds_who_die_while_they_are_served_lose_nothing,
        a_line_that_was_deleted_by_hand_comes_back, a_pool_that_was_lost_is_waited_for_again);
}
