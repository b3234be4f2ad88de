/* links: what comes of a network between daemon and Redis that cuts, stalls, delays and loses. */
#include "tests/lib/relay.h"
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct relay *relay;
static struct node *node;
static struct client *c;

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
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
    relay_free(relay);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool are_all_free(void)
{
    return strstr(say(c, "POOL FREELIST p"), "3) ") != NULL;
}

START_TEST(cut_links_are_dialled_again)
{
    for (int i = 0; i < 10; i++) {
        relay_cut(relay);
        until(starts(say(c, "POOL LEN p"), "(integer) 3"));
    }
    until(relay_links(relay) == 4 + 1); /* and the one that hears */
}
END_TEST

START_TEST(requests_wait_while_links_are_refused)
{
    relay_refuse(relay, true);
    relay_cut(relay);
    until(strstr(say(c, "INFO redis"), "redis_links_ready:0") != NULL);
    client_send(c, "MALLOC p");
    ck_assert(!client_has_reply(c, 200));
    relay_refuse(relay, false);
    expect_text(client_read(c), "'r1'");
}
END_TEST

START_TEST(a_lease_whose_reply_was_lost_comes_back)
{
    relay_swallow_replies(relay, true);
    expect_like(c, "MALLOC p TIMEOUT 0", "(error) UPSTREAM *may have happened*");
    ck_assert_int_ge((int)relay_swallowed(relay), 1);
    relay_swallow_replies(relay, false);
    int64_t back_ms = until_now_ms();
    until(are_all_free());
    ck_assert_int_lt(until_now_ms() - back_ms, 2500);
}
END_TEST

START_TEST(a_lease_whose_link_was_cut_before_the_reply_comes_back)
{
    for (int i = 0; i < 20; i++) {
        relay_swallow_replies(relay, true);
        client_send(c, "MALLOC p TIMEOUT 0");
        size_t before = relay_swallowed(relay);
        until(relay_swallowed(relay) > before || client_has_reply(c, 0));
        relay_cut(relay);
        relay_swallow_replies(relay, false);
        const char *reply = client_read(c);
        if (reply[0] == '"') {
            char resource[20];
            snprintf(resource, sizeof(resource), "%s", reply);
            ck_assert_str_eq(sayf(c, "FREE p %s", resource), "(integer) 1");
        }
        until(are_all_free());
    }
}
END_TEST

START_TEST(a_request_with_a_reqid_can_be_repeated_after_a_lost_reply)
{
    relay_swallow_replies(relay, true);
    expect_like(c, "MALLOC p REQID q1", "(error) UPSTREAM *");
    relay_swallow_replies(relay, false);
    const char *reply;
    until((reply = say(c, "MALLOC p REQID q1")) != NULL && reply[0] == '"');
    until(strstr(say(c, "POOL FREELIST p"), "2) ") != NULL);
    ck_assert_ptr_null(strstr(say(c, "POOL FREELIST p"), "3) "));
}
END_TEST

START_TEST(a_stalled_network_is_told_and_what_was_sent_does_not_happen_later)
{
    relay_stall(relay, true);
    expect_like(c, "MALLOC p TIMEOUT 0", "(error) UPSTREAM *");
    expect(c, "PING", "PONG");
    relay_stall(relay, false);
    until(are_all_free());
    /* nor after whatever was on its way has come */
    expect(rig_redis(&rig), "PING", "PONG");
    expect_like(c, "MALLOC p COUNT 3", "1) 'r?'\n2) 'r?'\n3) 'r?'");
}
END_TEST

START_TEST(slow_replies_within_the_deadline_are_waited_for)
{
    relay_delay_replies(relay, 150);
    int64_t began_ms = until_now_ms();
    expect(c, "MALLOC p", "'r1'");
    ck_assert_int_ge(until_now_ms() - began_ms, 140);
    relay_delay_replies(relay, 0);
}
END_TEST

START_TEST(garbage_from_redis_costs_the_link_alone)
{
    for (int i = 0; i < 5; i++) {
        relay_inject(relay, "\0\1garbage\r\n!?*\r\n", 16);
        until(starts(say(c, "POOL LEN p"), "(integer) 3"));
    }
    until(relay_links(relay) == 4 + 1); /* and the one that hears */
}
END_TEST

START_TEST(an_answer_that_nobody_asked_for_costs_the_link_alone)
{
    relay_inject(relay, "+OK\r\n", 5);
    until(starts(say(c, "POOL LEN p"), "(integer) 3"));
    until(are_all_free());
}
END_TEST

/* Errors that Redis gives before doing anything, for a while. */
static void refuse_for_a_while(const char *error)
{
    size_t before = relay_answered(relay);
    relay_answer(relay, "EVALSHA", error);
    client_send(c, "MALLOC p");
    until(relay_answered(relay) > before + 1 || client_has_reply(c, 0));
    relay_answer(relay, NULL, NULL);
}

START_TEST(loading_is_waited_for)
{
    refuse_for_a_while("-LOADING Redis is loading the dataset in memory\r\n");
    expect_text(client_read(c), "'r1'");
}
END_TEST

START_TEST(busy_is_waited_for)
{
    refuse_for_a_while("-BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                       "SHUTDOWN NOSAVE.\r\n");
    expect_text(client_read(c), "'r1'");
}
END_TEST

START_TEST(loading_that_does_not_end_is_told_in_redis_words)
{
    expect(c, "CONFIG SET redis.wait_timeout 0.3", "OK");
    relay_answer(relay, "EVALSHA", "-LOADING Redis is loading the dataset in memory\r\n");
    expect_like(c, "MALLOC p", "(error) UPSTREAM *LOADING*");
    relay_answer(relay, NULL, NULL);
    until(starts(say(c, "POOL LEN p"), "(integer) 3"));
}
END_TEST

START_TEST(what_redis_refuses_is_told_in_its_words)
{
    const char *const errors[] = {
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-MISCONF Redis is configured to save RDB snapshots, but cannot\r\n",
        "-NOREPLICAS Not enough good replicas to write.\r\n",
        "-NOPERM this user has no permissions to run the 'evalsha' command\r\n"};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        char pattern[100];
        snprintf(pattern, sizeof(pattern), "(error) UPSTREAM *%.5s*", errors[i] + 1);
        relay_answer(relay, "EVALSHA", errors[i]);
        expect_like(c, "MALLOC p", pattern);
        relay_answer(relay, NULL, NULL);
        expect(c, "MALLOC p", "'r1'");
        expect(c, "FREE p r1", "(integer) 1");
        expect(c, "POOL CLEAR p", "(integer) 3");
        expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
    }
}
END_TEST

START_TEST(an_answer_of_the_wrong_shape_is_an_error_and_no_crash)
{
    const char *const answers[] = {"+OK\r\n",
                                   ":7\r\n",
                                   "$-1\r\n",
                                   "*0\r\n",
                                   "*1\r\n*-1\r\n",
                                   "*1\r\n$3\r\nabc\r\n",
                                   "*3\r\n:1\r\n:2\r\n:3\r\n"};
    const char *const requests[] = {
        "POOL INFO p",   "POOL STATUS p r1", "POOL SCAN p 0", "POOL GC p", "POOL CHECK p",
        "POOL REPAIR p", "POOL HEALTH p",    "HELD p me",     "BOUND p n", "POOL FREELIST p"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        relay_answer(relay, "EVALSHA", answers[i]);
        for (size_t j = 0; j < sizeof(requests) / sizeof(requests[0]); j++)
            say(c, requests[j]);
        say(c, "MALLOC p COUNT 2 WITHTOKEN");
        say(c, "FREE p r1");
        relay_answer(relay, NULL, NULL);
    }
    expect(c, "PING", "PONG");
    until(starts(say(c, "POOL CHECK p"), "(empty array)"));
}
END_TEST

int main(void)
{
    return RIG_RUN("links", set_up, tear_down, cut_links_are_dialled_again,
                   requests_wait_while_links_are_refused, a_lease_whose_reply_was_lost_comes_back,
                   a_lease_whose_link_was_cut_before_the_reply_comes_back,
                   a_request_with_a_reqid_can_be_repeated_after_a_lost_reply,
                   a_stalled_network_is_told_and_what_was_sent_does_not_happen_later,
                   slow_replies_within_the_deadline_are_waited_for,
                   garbage_from_redis_costs_the_link_alone,
                   an_answer_that_nobody_asked_for_costs_the_link_alone, loading_is_waited_for,
                   busy_is_waited_for, loading_that_does_not_end_is_told_in_redis_words,
                   what_redis_refuses_is_told_in_its_words,
                   an_answer_of_the_wrong_shape_is_an_error_and_no_crash);
}
