/* tasks: what becomes of tasks when Redis is killed, when the network loses replies, and when a
 * daemon dies with tasks that its workers have taken. */
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
    node_option(node, "--server.session_timeout=1");
    node_start(node);
    c = node_client(node);
    expect(c, "QUERY other first x NOWAIT", "OK");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
    relay_free(relay);
}

static const char *state_of(const char *id)
{
    return sayf(rig_redis(&rig), "HGET rallocd|task-queue|task-result:%s state", id);
}

static void until_back(void)
{
    until(strcmp(say(c, "HASTASK first"), "(integer) 1") == 0);
}

START_TEST(a_take_whose_reply_was_lost_is_given_back_uncounted)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    relay_swallow_replies(relay, true);
    expect_like(c, "LISTEN q", "(error) UPSTREAM *may have happened*");
    relay_swallow_replies(relay, false);
    until(strcmp(state_of("1"), "\"waiting\"") == 0);
    until_back();
    expect_like(c, "LISTEN q WAIT 3000", "1) 'q'\n2) '1'*4) (integer) 1*");
    expect(c, "RESULT 1 y", "OK");
}
END_TEST

START_TEST(a_query_whose_reply_was_lost_is_joined_by_the_same_id)
{
    relay_swallow_replies(relay, true);
    expect_like(c, "QUERY q 1 x NOWAIT", "(error) UPSTREAM *may have happened*");
    relay_swallow_replies(relay, false);
    until_back();
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(rig_redis(&rig), "LLEN rallocd|task-queue|task-queue|q", "(integer) 1");
}
END_TEST

START_TEST(a_result_whose_reply_was_lost_can_be_said_again)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(c, "LISTEN q", "1) 'q'*");
    relay_swallow_replies(relay, true);
    expect_like(c, "RESULT 1 y", "(error) UPSTREAM *may have happened*");
    relay_swallow_replies(relay, false);
    until_back();
    expect(c, "RESULT 1 y", "OK");
    expect(c, "QUERY q 1 x", "'y'");
    expect(c, "LISTEN q", "(nil)");
}
END_TEST

START_TEST(who_waits_hears_of_it_although_the_messages_were_lost)
{
    struct client *w = node_client(&rig.nodes[0]);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    client_send(c, "QUERY q 1 x");
    until(strstr(say(w, "INFO tasks"), "tasks_askers:1") != NULL);
    expect(w, "HASTASK 1", "(integer) 1"); /* behind it: it is answered */
    relay_cut(relay);                      /* and with it the subscription */
    until(strcmp(say(w, "RESULT 1 y"), "OK") == 0);
    expect_text(client_read(c), "'y'");
    client_close(w);
}
END_TEST

START_TEST(what_a_closed_worker_had_returns_although_redis_did_not_hear_of_it)
{
    struct client *w = node_client(&rig.nodes[0]);
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    relay_refuse(relay, true);
    relay_cut(relay);
    until(strstr(say(c, "INFO redis"), "redis_links_ready:0") != NULL);
    client_close(w);
    until(strstr(say(c, "INFO tasks"), "tasks_workers:0") != NULL);
    ck_assert(!client_has_reply(c, 2200)); /* longer than an operation waits */
    relay_refuse(relay, false);
    until_back();
    expect_like(c, "LISTEN q WAIT 5000", "1) 'q'\n2) '1'*");
}
END_TEST

START_TEST(listening_goes_on_over_a_killed_redis)
{
    struct client *w = node_client(&rig.nodes[0]);
    client_send(w, "LISTEN q WAIT 0");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|task-queue|waiting|q") == 1);
    expect(c, "HASTASK first", "(integer) 1"); /* behind it: it is answered */
    server_kill(&rig.redis);
    server_start(&rig.redis);
    until_back();
    until(strcmp(say(c, "QUERY q 1 x NOWAIT"), "OK") == 0);
    expect_text_like(client_read(w), "1) 'q'\n2) '1'*");
    client_close(w);
}
END_TEST

START_TEST(listening_goes_on_when_all_data_was_lost)
{
    struct client *w = node_client(&rig.nodes[0]);
    client_send(w, "LISTEN q WAIT 0");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|task-queue|waiting|q") == 1);
    expect(rig_redis(&rig), "FLUSHALL", "OK");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|task-queue|waiting|q") == 1);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_text_like(client_read(w), "1) 'q'\n2) '1'*");
    client_close(w);
}
END_TEST

START_TEST(tasks_of_a_killed_daemon_return_to_the_others)
{
    struct node *second = rig_node(&rig);
    node_option(second, "--server.session_timeout=1");
    node_start(second);
    struct client *far = node_client(second);
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0", "OK");
    expect_like(far, "LISTEN q", "1) 'q'*");
    node_kill(second);
    int64_t began_ms = until_now_ms();
    expect_like(c, "LISTEN q WAIT 14000", "1) 'q'\n2) '1'*4) (integer) 2*");
    ck_assert_int_le(until_now_ms() - began_ms, 1000 + 5000);
    expect(c, "RESULT 1 y", "OK");
    client_close(far);
}
END_TEST

START_TEST(a_daemon_that_rests_is_roused_for_those_who_may_die)
{
    struct node *second = rig_node(&rig), *third = rig_node(&rig);
    node_option(second, "--server.session_timeout=1");
    node_start(second);
    node_option(third, "--server.session_timeout=1");
    node_start(third);
    struct client *far = node_client(second), *quiet = node_client(third);
    client_close(c);
    node_stop(&rig.nodes[0]);
    until(strstr(say(quiet, "INFO tasks"), "tasks_is_resting:1") != NULL);
    expect(far, "QUERY q 1 x NOWAIT TIMEOUT 0", "OK");
    expect_like(far, "LISTEN q", "1) 'q'*");
    node_kill(second);
    int64_t began_ms = until_now_ms();
    until(strcmp(state_of("1"), "\"waiting\"") == 0); /* nobody asks the third one anything */
    ck_assert_int_le(until_now_ms() - began_ms, 1000 + 5000);
    client_close(far);
    c = quiet;
}
END_TEST

START_TEST(a_restarted_daemon_finds_what_it_had_before)
{
    struct client *w = node_client(&rig.nodes[0]);
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "QUERY q own x NOWAIT POLICY local", "OK");
    node_kill(&rig.nodes[0]);
    client_close(w);
    client_close(c);
    node_start(&rig.nodes[0]);
    c = node_client(&rig.nodes[0]);
    expect_like(c, "LISTEN q WAIT 14000", "1) 'q'*");
    expect_like(c, "LISTEN q WAIT 14000", "1) 'q'*");
    expect(c, "RESULT 1 y", "OK");
    expect(c, "RESULT own y", "OK");
}
END_TEST

START_TEST(what_redis_refuses_is_told_in_its_words)
{
    relay_answer(relay, "EVALSHA", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    expect_like(c, "QUERY q 1 x NOWAIT", "(error) UPSTREAM *OOM*");
    expect_like(c, "LISTEN q", "(error) UPSTREAM *OOM*");
    relay_answer(relay, NULL, NULL);
    expect(c, "HASTASK 1", "(integer) 0");
}
END_TEST

START_TEST(an_answer_of_the_wrong_shape_is_no_crash)
{
    const char *const answers[] = {"+OK\r\n",
                                   ":7\r\n",
                                   "$-1\r\n",
                                   "*0\r\n",
                                   "*1\r\n*-1\r\n",
                                   "*1\r\n*1\r\n*0\r\n",
                                   "*1\r\n$3\r\nabc\r\n",
                                   "*1\r\n*2\r\n$1\r\nD\r\n$-1\r\n"};
    const char *const requests[] = {"QUERY q 1 x NOWAIT",
                                    "QUERY q 1 x TIMEOUT 0.05",
                                    "LISTEN q",
                                    "LISTEN q COUNT 2",
                                    "RESULT 1 x",
                                    "FAIL 1 x",
                                    "TASK 1",
                                    "CANCEL 1",
                                    "PROGRESS 1 1 1",
                                    "QUEUE INFO q",
                                    "QUEUE PEEK q",
                                    "QUEUE DEAD q",
                                    "QUEUE KICK q",
                                    "QUEUE PAUSE q",
                                    "QUEUE RESUME q"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        relay_answer(relay, "EVALSHA", answers[i]);
        for (size_t j = 0; j < sizeof(requests) / sizeof(requests[0]); j++)
            say(c, requests[j]);
        relay_answer(relay, NULL, NULL);
    }
    expect(c, "PING", "PONG");
    until_back();
}
END_TEST

int main(void)
{
    return RIG_RUN("tasks", set_up, tear_down, a_take_whose_reply_was_lost_is_given_back_uncounted,
                   a_query_whose_reply_was_lost_is_joined_by_the_same_id,
                   a_result_whose_reply_was_lost_can_be_said_again,
                   who_waits_hears_of_it_although_the_messages_were_lost,
                   what_a_closed_worker_had_returns_although_redis_did_not_hear_of_it,
                   listening_goes_on_over_a_killed_redis, listening_goes_on_when_all_data_was_lost,
                   tasks_of_a_killed_daemon_return_to_the_others,
                   a_daemon_that_rests_is_roused_for_those_who_may_die,
                   a_restarted_daemon_finds_what_it_had_before,
                   what_redis_refuses_is_told_in_its_words,
                   an_answer_of_the_wrong_shape_is_no_crash);
}
