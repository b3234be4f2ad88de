/* locks: what becomes of locks when Redis is killed or the network loses replies: none is left that
 * nobody knows of, and none is lost by whoever was told that it is his. */
#include "tests/lib/relay.h"
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct relay *relay;
static struct client *c;

static void set_up(void)
{
    char path[160];
    rig_start(&rig);
    snprintf(path, sizeof(path), "%s/relay.sock", rig.guard.dir);
    relay = relay_new(path, rig.redis.path);
    struct node *node = &rig.nodes[rig.node_count++];
    node_init(node, rig.guard.dir, "daemon");
    node_option(node, "--redis.url=unix://%s", path);
    node_option(node, "--redis.reply_timeout=0.4");
    node_option(node, "--redis.backoff_min=0.02");
    node_option(node, "--redis.backoff_max=0.1");
    node_start(node);
    c = node_client(node);
    ck_assert_int_gt(say_int(c, "LOCK first w TIMEOUT 0"), 0);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
    relay_free(relay);
}

/* The lock that set_up() took, and no other one. */
static bool is_first_alone(void)
{
    return strcmp(say(rig_redis(&rig), "KEYS rallocd|lock:*"), "1) \"rallocd|lock:first\"") == 0;
}

static void expect_no_trace(const char *words)
{
    until(strcmp(say(c, "LOCKED first"), "(integer) 1") == 0); /* the link is back */
    relay_swallow_replies(relay, true);
    expect_like(c, words, "(error) UPSTREAM *may have happened*");
    ck_assert_int_ge((int)relay_swallowed(relay), 1);
    relay_swallow_replies(relay, false);
    int64_t back_ms = until_now_ms();
    until(is_first_alone());
    ck_assert_int_lt(until_now_ms() - back_ms, 2500);
    expect(rig_redis(&rig), "KEYS *holders*", "(empty array)");
}

START_TEST(a_lock_whose_reply_was_lost_is_left_by_nobody)
{
    expect_no_trace("LOCK k w TIMEOUT 0");
    ck_assert_int_gt(say_int(c, "LOCK k w"), 0);
    expect(c, "UNLOCK k w", "(integer) 1");
}
END_TEST

START_TEST(nor_is_one_of_another_kind)
{
    expect_no_trace("RLOCK k w TIMEOUT 0");
    expect_no_trace("LOCK k w TIMEOUT 0 SHARED");
    expect_no_trace("LOCK k w TIMEOUT 0 PERMITS 2 OF 3");
    expect_no_trace("LOCKALL w TIMEOUT 0 a b c");
}
END_TEST

START_TEST(a_lost_share_leaves_the_others)
{
    ck_assert_int_gt(say_int(c, "LOCK k r1 SHARED"), 0);
    relay_swallow_replies(relay, true);
    expect_like(c, "LOCK k r2 SHARED TIMEOUT 0", "(error) UPSTREAM *");
    relay_swallow_replies(relay, false);
    until(strcmp(say(c, "LOCKVALUE k"), "1) \"r1\"") == 0);
    until(say_int(c, "LOCKTTL k") > 0);
}
END_TEST

START_TEST(whoever_asks_again_by_rlock_keeps_the_lock)
{
    struct client *other = NULL;
    struct node *second = rig_node(&rig); /* it has a link of its own to Redis */
    node_start(second);
    other = node_client(second);
    relay_swallow_replies(relay, true);
    client_send(c, "LOCK k w TIMEOUT 60");
    until(strcmp(say(other, "LOCKED k"), "(integer) 1") == 0);
    int64_t fence = say_int(other, "RLOCK k w TIMEOUT 60");
    expect_text_like(client_read(c), "(error) UPSTREAM *");
    relay_swallow_replies(relay, false);
    /* recalled or not: the next batch goes behind the recall */
    until(say(c, "LOCK x y")[0] == '(' && strstr(say(c, "LOCKED x"), "1") != NULL);
    ck_assert_int_eq(say_int(other, "RLOCK k w TIMEOUT 60"), fence);
    client_close(other);
}
END_TEST

START_TEST(locks_and_fences_survive_a_killed_redis)
{
    int64_t fence = say_int(c, "LOCK k w TIMEOUT 60");
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until(say(c, "LOCKVALUE k")[0] == '"');
    expect(c, "LOCK k other", "(nil)");
    ck_assert_int_eq(say_int(c, "RLOCK k w"), fence);
    expect(c, "UNLOCK k w", "(integer) 1");
    ck_assert_int_gt(say_int(c, "LOCK k other"), fence);
}
END_TEST

START_TEST(requests_wait_for_a_redis_that_comes_back)
{
    relay_refuse(relay, true);
    relay_cut(relay);
    until(strstr(say(c, "INFO redis"), "redis_links_ready:0") != NULL);
    client_send(c, "LOCK k w");
    client_send(c, "UNLOCK k w");
    ck_assert(!client_has_reply(c, 200));
    relay_refuse(relay, false);
    expect_text_like(client_read(c), "(integer) ????????????????");
    expect_text(client_read(c), "(integer) 1");
}
END_TEST

START_TEST(what_redis_refuses_is_told_in_its_words)
{
    relay_answer(relay, "EVALSHA", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    expect_like(c, "LOCK k w", "(error) UPSTREAM *OOM*");
    expect_like(c, "LOCKSET EXTEND s a", "(error) UPSTREAM *OOM*");
    relay_answer(relay, NULL, NULL);
    expect(c, "LOCKED k", "(integer) 0");
}
END_TEST

START_TEST(an_answer_of_the_wrong_shape_is_no_crash)
{
    const char *const answers[] = {"+OK\r\n",        ":7\r\n",        "$-1\r\n",
                                   "*0\r\n",         "*1\r\n*-1\r\n", "*1\r\n$3\r\nabc\r\n",
                                   "*1\r\n+KIND\r\n"};
    const char *const requests[] = {
        "LOCK k w",    "RLOCK k w",  "LOCKALL w a b",    "UNLOCK k",         "EXTENDLOCK k w",
        "LOCKED k",    "LOCKTTL k",  "LOCKSTATUS k",     "LOCKVALUE k",      "SETIF n > 5",
        "DELIF n > 5", "UPDATE k w", "LOCKSET STATUS s", "LOCKSET HEALTH s", "LOCKSET CLEAR s",
        "BEAT g m",    "BEATS g",    "LEAVE g m",        "LOCK k w SHARED"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        relay_answer(relay, "EVALSHA", answers[i]);
        for (size_t j = 0; j < sizeof(requests) / sizeof(requests[0]); j++)
            say(c, requests[j]);
        relay_answer(relay, NULL, NULL);
    }
    expect(c, "PING", "PONG");
    until(strcmp(say(c, "LOCKVALUE first"), "\"w\"") == 0);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "locks", set_up, tear_down, a_lock_whose_reply_was_lost_is_left_by_nobody,
        nor_is_one_of_another_kind, a_lost_share_leaves_the_others,
        whoever_asks_again_by_rlock_keeps_the_lock, locks_and_fences_survive_a_killed_redis,
        requests_wait_for_a_redis_that_comes_back, what_redis_refuses_is_told_in_its_words,
        an_answer_of_the_wrong_shape_is_no_crash);
}
