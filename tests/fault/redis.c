/* redis: what comes of a Redis that dies, hangs, is full, loads, loses its data or its scripts. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
    node_option(node, "--redis.backoff_min=0.02");
    node_option(node, "--redis.backoff_max=0.1");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void begin(void)
{
    node_start(node);
    c = node_client(node);
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
}

static bool is_redis_away(void)
{
    return strstr(say(c, "INFO redis"), "redis_away_ms:0\\r\\n") == NULL;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* --- gone --- */

START_TEST(requests_wait_for_a_redis_that_is_back_soon)
{
    begin();
    server_kill(&rig.redis);
    until(is_redis_away());
    client_send(c, "MALLOC p");
    client_send(c, "POOL LEN p");
    ck_assert(!client_has_reply(c, 200));
    server_start(&rig.redis);
    expect_text(client_read(c), "'r1'");
    expect_text(client_read(c), "(integer) 3");
}
END_TEST

START_TEST(a_redis_that_is_away_for_long_is_told_at_once)
{
    node_option(node, "--redis.wait_timeout=1.5");
    begin();
    server_kill(&rig.redis);
    until(is_redis_away());
    int64_t began_ms = until_now_ms();
    expect_like(c, "MALLOC p", "(error) UPSTREAM Redis is away for *not done");
    ck_assert_int_lt(until_now_ms() - began_ms, 8000);
    began_ms = until_now_ms();
    expect_like(c, "MALLOC p", "(error) UPSTREAM Redis is away for *not done");
    ck_assert_int_lt(until_now_ms() - began_ms, 1200);
    expect(c, "PING", "PONG");
    server_start(&rig.redis);
    until(!is_redis_away());
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(the_daemon_starts_without_redis)
{
    server_kill(&rig.redis);
    node_option(node, "--redis.wait_timeout=0.3");
    node_start(node);
    ck_assert_ptr_nonnull(strstr(node->status, "Redis is away"));
    c = node_client(node);
    expect(c, "PING", "PONG");
    expect_like(c, "MALLOC p", "(error) UPSTREAM Redis is away *");
    server_start(&rig.redis);
    until(!is_redis_away());
    expect(c, "POOL EXTEND p r", "(integer) 1");
}
END_TEST

START_TEST(what_was_acknowledged_survives_a_killed_redis)
{
    begin();
    expect(c, "MALLOC p TIMEOUT 100", "'r1'");
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until(!is_redis_away());
    expect(c, "MALLOC p COUNT 3", "1) 'r2'\n2) 'r3'");
    expect(c, "FREE p r1", "(integer) 1");
}
END_TEST

/* --- hung --- */

START_TEST(a_hung_redis_is_told_after_the_reply_deadline_and_nothing_is_lost)
{
    node_option(node, "--redis.reply_timeout=0.3");
    begin();
    server_freeze(&rig.redis);
    int64_t began_ms = until_now_ms();
    expect_like(c, "MALLOC p TIMEOUT 0", "(error) UPSTREAM *may have happened*");
    ck_assert_int_ge(until_now_ms() - began_ms, 250);
    ck_assert_int_lt(until_now_ms() - began_ms, 2500);
    expect(c, "PING", "PONG");
    server_thaw(&rig.redis);
    /* the lease that nobody got is given back, and the frozen request does not happen later */
    int64_t thawed_ms = until_now_ms();
    until(strstr(say(c, "POOL FREELIST p"), "3) ") != NULL);
    ck_assert_int_lt(until_now_ms() - thawed_ms, 2500);
    expect_like(c, "MALLOC p COUNT 3", "1) 'r?'\n2) 'r?'\n3) 'r?'");
    expect(c, "MALLOC p", "(nil)");
}
END_TEST

START_TEST(a_hung_redis_does_not_let_requests_pile_up_for_ever)
{
    node_option(node, "--redis.reply_timeout=0.3");
    node_option(node, "--redis.wait_timeout=0.3");
    node_option(node, "--redis.max_queued=50");
    begin();
    server_freeze(&rig.redis);
    for (int i = 0; i < 200; i++)
        client_send(c, "MALLOC p");
    int busy = 0, upstream = 0;
    for (int i = 0; i < 200; i++) {
        const char *reply = client_read(c);
        busy += starts(reply, "(error) BUSY ");
        upstream += starts(reply, "(error) UPSTREAM ");
    }
    ck_assert_int_eq(busy + upstream, 200);
    ck_assert_int_ge(busy, 100);
    server_thaw(&rig.redis);
    until(starts(say(c, "POOL LEN p"), "(integer) 3"));
    until(strstr(say(c, "POOL FREELIST p"), "3) ") != NULL);
}
END_TEST

/* --- refuses --- */

START_TEST(a_full_redis_refuses_in_its_words_and_frees_still_work)
{
    begin();
    expect(c, "MALLOC p", "'r1'");
    struct client *redis = rig_redis(&rig);
    expect(redis, "CONFIG SET maxmemory 1", "OK");
    expect_like(c, "POOL EXTEND p r4", "(error) UPSTREAM *OOM*");
    const char *freed = say(c, "FREE p r1");
    ck_assert_msg(starts(freed, "(integer) 1") || starts(freed, "(error) UPSTREAM"), "%s", freed);
    expect(redis, "CONFIG SET maxmemory 0", "OK");
    say(c, "FREE p r1");
    expect(c, "POOL EXTEND p r4", "(integer) 1");
    expect_like(c, "POOL FREELIST p", "*4) *");
}
END_TEST

START_TEST(a_read_only_replica_refuses_in_redis_words)
{
    begin();
    struct client *redis = rig_redis(&rig);
    expect(redis, "REPLICAOF 127.0.0.1 1", "OK");
    expect_like(c, "MALLOC p", "(error) UPSTREAM *READONLY*");
    expect(redis, "REPLICAOF NO ONE", "OK");
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(requests_wait_while_redis_loads)
{
    begin();
    expect(rig_redis(&rig), "DEBUG POPULATE 4000 key 2000", "OK");
    server_kill(&rig.redis);
    until(is_redis_away());
    /* some hundred milliseconds of loading */
    server_option(&rig.redis, "key-load-delay 100");
    server_option(&rig.redis, "loading-process-events-interval-bytes 4096");
    server_start(&rig.redis);
    until(!is_redis_away());
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(forgotten_scripts_are_loaded_again)
{
    begin();
    expect(c, "MALLOC p", "'r1'");
    struct client *redis = rig_redis(&rig);
    for (int i = 0; i < 10; i++) {
        expect(redis, "SCRIPT FLUSH", "OK");
        expect(c, "FREE p r1", "(integer) 1");
        expect(redis, "SCRIPT FLUSH", "OK");
        expect(c, "POOL SHRINK p r2 r3", i == 0 ? "(integer) 2" : "(integer) 0");
        expect(c, "MALLOC p", "'r1'");
    }
}
END_TEST

START_TEST(killed_links_come_back)
{
    begin();
    struct client *redis = rig_redis(&rig);
    for (int i = 0; i < 20; i++) {
        say(redis, "CLIENT KILL TYPE normal SKIPME yes");
        const char *reply = say(c, "POOL LEN p");
        ck_assert_msg(starts(reply, "(integer) 3") || starts(reply, "(error) UPSTREAM"), "%s",
                      reply);
    }
    until(starts(say(c, "POOL LEN p"), "(integer) 3"));
}
END_TEST

/* --- loses --- */

START_TEST(flushall_empties_pools_and_harms_nothing)
{
    begin();
    expect(c, "MALLOC p OWNER me NAME n", "'r1'");
    expect(rig_redis(&rig), "FLUSHALL", "OK");
    expect(c, "MALLOC p", "(nil)");
    expect(c, "FREE p r1", "(integer) 0");
    expect(c, "POOL LEN p", "(integer) 0");
    expect(c, "POOL EXTEND p r1 r9", "(integer) 2");
    expect(c, "MALLOC p COUNT 2", "1) 'r1'\n2) 'r9'");
}
END_TEST

/* How the list of r1, r2, r3 is broken. */
static const char *const breaks[] = {
    "SET rallocd|p|pool|head ghost",
    "SET rallocd|p|pool|tail r1",
    "HSET rallocd|p|pool r1 ||r1||-1",
    "HSET rallocd|p|pool r3 r2||r1||-1",
    "HSET rallocd|p|pool r1 rubbish",
    "HSET rallocd|p|pool r2 #ALLOCATED||r3||-1",
    "HDEL rallocd|p|pool r2",
    "DEL rallocd|p|pool|head",
    "DEL rallocd|p|pool|head rallocd|p|pool|tail",
};

START_TEST(a_broken_list_is_an_error_once_and_then_mended)
{
    begin();
    struct client *redis = rig_redis(&rig);
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        int errors = 0, got = 0;
        say(c, "POOL EXTEND p r1 r2 r3");
        say(redis, breaks[i]);
        for (int round = 0; round < 6; round++) {
            const char *reply = say(c, "MALLOC p TIMEOUT 0");
            errors += starts(reply, "(error)");
            got += reply[0] == '"';
        }
        ck_assert_msg(errors <= 1, "%s: %d errors", breaks[i], errors);
        until(starts(say(c, "POOL CHECK p"), "(empty array)"));
        got += (int)(strlen(say(c, "MALLOC p COUNT 9 TIMEOUT 0")) > 15);
        ck_assert_msg(got >= 1, "%s: nothing came", breaks[i]);
        say(c, "FREE p r1 r2 r3");
        ck_assert_msg(starts(say(c, "POOL CHECK p"), "(empty array)"), "%s", breaks[i]);
    }
}
END_TEST

int main(void)
{
    return RIG_RUN("redis", set_up, tear_down, requests_wait_for_a_redis_that_is_back_soon,
                   a_redis_that_is_away_for_long_is_told_at_once, the_daemon_starts_without_redis,
                   what_was_acknowledged_survives_a_killed_redis,
                   a_hung_redis_is_told_after_the_reply_deadline_and_nothing_is_lost,
                   a_hung_redis_does_not_let_requests_pile_up_for_ever,
                   a_full_redis_refuses_in_its_words_and_frees_still_work,
                   a_read_only_replica_refuses_in_redis_words, requests_wait_while_redis_loads,
                   forgotten_scripts_are_loaded_again, killed_links_come_back,
                   flushall_empties_pools_and_harms_nothing,
                   a_broken_list_is_an_error_once_and_then_mended);
}
