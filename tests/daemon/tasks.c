/* tasks: asking for tasks and working on them: what a user sees, and what lies in Redis. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct client *c, *w;

static void set_up(void)
{
    rig_start(&rig);
    struct node *node = rig_daemon(&rig);
    c = node_client(node);
    w = node_client(node);
}

static void tear_down(void)
{
    client_close(c);
    client_close(w);
    rig_end(&rig);
}

/* --- submitting, taking, ending ----------------------------------------------------------------
 */

START_TEST(a_task_goes_from_query_to_its_result)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "QUERY mails 1 hello NOWAIT", "OK");
    expect(redis, "LRANGE rallocd|task-queue|task-queue|mails 0 -1", "1) '1'");
    expect(redis, "HGET rallocd|task-queue|task-result:1 state", "'waiting'");
    expect_like(w, "LISTEN mails",
                "1) 'mails'\n2) '1'\n3) 'hello'\n4) (integer) 1\n5) (integer) *");
    expect(w, "LISTEN mails", "(nil)");
    expect(w, "LISTEN mails COUNT 3", "(empty array)");
    expect(w, "PROGRESS 1 3 10", "OK");
    expect_like(c, "TASK 1", "*'state'\n*'taken'*'current'\n*3*'total'\n*10*");
    expect(w, "RESULT 1 done", "OK");
    expect(c, "QUERY mails 1 hello", "'done'");
    expect(c, "HASTASK 1", "(integer) 1");
    expect(c, "HASTASK 2", "(integer) 0");
    expect(c, "TASK 2", "(nil)");
    int64_t ttl_ms = say_int(redis, "PTTL rallocd|task-queue|task-result:1");
    ck_assert(ttl_ms > 290000 && ttl_ms <= 300000);
}
END_TEST

START_TEST(query_waits_and_listen_waits)
{
    client_send(w, "LISTEN mails WAIT 0");
    until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
    client_send(c, "QUERY mails 1 hello");
    expect_text_like(client_read(w), "1) 'mails'\n2) '1'\n3) 'hello'\n*");
    ck_assert(!client_has_reply(c, 100));
    int64_t began_ms = until_now_ms();
    expect(w, "RESULT 1 x", "OK");
    expect_text(client_read(c), "'x'");
    ck_assert_int_lt(until_now_ms() - began_ms, 500); /* it heard of it: no poll */
}
END_TEST

START_TEST(push_tells_progress_and_results_without_being_asked)
{
    struct client *p = node_client(&rig.nodes[0]);
    expect_like(p, "QUERY q 1 x PUSH", "(error) ERR PUSH wants RESP3*");
    say(p, "HELLO 3");
    expect_like(p, "QUERY q 1 x PUSH NOWAIT", "(error) ERR syntax error: PUSH does not go*");
    expect_like(p, "QUERY q 1 x PUSH", "(error) NOWORKER *");
    expect(w, "LISTEN q", "(nil)");
    expect(p, "QUERY q 1 x PUSH POLICY remote", "OK");
    expect(p, "QUERY q 2 x PUSH POLICY remote", "OK");
    expect(p, "QUERY q 3 x PUSH POLICY remote TIMEOUT 0.05", "OK");
    expect_text_like(client_read(p), "> 1) 'failed'\n2) '3'\n3) 'TIMEOUT *");
    expect(p, "PING", "PONG");
    expect_like(w, "LISTEN q COUNT 2", "1) 1) 'q'*2) 1) 'q'*");
    expect(w, "PROGRESS 1 3 10", "OK");
    expect_text(client_read(p), "> 1) 'progress'\n2) '1'\n3) (integer) 3\n4) (integer) 10");
    expect(w, "RESULT 1 done", "OK");
    expect_text(client_read(p), "> 1) 'result'\n2) '1'\n3) 'done'");
    expect(w, "FAIL 2 \"no such address\"", "OK");
    expect_text(client_read(p), "> 1) 'failed'\n2) '2'\n3) 'TASKFAIL no such address'");
    expect(p, "QUERY q 1 x PUSH", "OK"); /* it is there already */
    expect_text(client_read(p), "> 1) 'result'\n2) '1'\n3) 'done'");
    expect(p, "QUERY q 4 x PUSH POLICY remote", "OK");
    client_close(p);
    until(strstr(say(c, "INFO tasks"), "tasks_askers:0") != NULL);
}
END_TEST

START_TEST(any_bytes_come_back_as_they_were)
{
    const char params[] = "\0\r\n\xff$3", result[] = "\xfe\0*1\r\n";
    const char *const query[] = {"QUERY", "q", "a\xff b", params, "NOWAIT"};
    const size_t query_lens[] = {5, 1, 4, sizeof(params) - 1, 6};
    ck_assert_str_eq(say_args(c, 5, query, query_lens), "OK");
    expect_like(w, "LISTEN q", "1) 'q'\n2) 'a\\xff b'\n3) '\\x00\\r\\n\\xff$3'\n*");
    const char *const words[] = {"RESULT", "a\xff b", result};
    const size_t lens[] = {6, 4, sizeof(result) - 1};
    ck_assert_str_eq(say_args(w, 3, words, lens), "OK");
    ck_assert_str_eq(say_args(c, 4, query, query_lens), "\"\\xfe\\x00*1\\r\\n\"");
    const char *const empty[] = {"QUERY", "q", "empty", "", "NOWAIT"};
    const size_t empty_lens[] = {5, 1, 5, 0, 6};
    ck_assert_str_eq(say_args(c, 5, empty, empty_lens), "OK");
    expect_like(w, "LISTEN q", "1) 'q'\n2) 'empty'\n3) ''\n*");
}
END_TEST

START_TEST(the_same_id_joins_or_gets_what_is_kept)
{
    struct client *other = node_client(&rig.nodes[0]);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "QUERY r 1 x NOWAIT", "(error) ERR this id is a task of queue 'q'");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "LISTEN q", "(nil)");
    client_send(c, "QUERY q 1 x");
    client_send(other, "QUERY q 1 x ONCE");
    until(strstr(say(w, "INFO tasks"), "tasks_askers:2") != NULL);
    expect(w, "RESULT 1 y", "OK");
    expect_text(client_read(c), "'y'");
    expect_text(client_read(other), "'y'");
    expect(c, "HASTASK 1", "(integer) 0"); /* one asked ONCE */
    client_close(other);
}
END_TEST

START_TEST(a_failure_is_told_and_kept_until_its_time)
{
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0.3", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "FAIL 1 \"no such address\"", "OK");
    expect(c, "QUERY q 1 x", "(error) TASKFAIL no such address");
    expect_like(c, "TASK 1", "*'failed'*'no such address'*");
    until(strcmp(say(c, "HASTASK 1"), "(integer) 0") == 0);
}
END_TEST

START_TEST(query_gives_up_after_its_timeout_and_the_task_goes_on)
{
    expect_like(w, "LISTEN q", "(nil)");
    expect(c, "QUERY q 1 x TIMEOUT 0.2",
           "(error) TIMEOUT the task has not ended in time; it goes on");
    expect_like(w, "LISTEN q", "1) 'q'\n2) '1'*");
    expect(w, "RESULT 1 late", "OK");
    expect(c, "QUERY q 1 x", "'late'");
}
END_TEST

START_TEST(higher_priorities_then_those_that_came_first_and_delayed_ones_later)
{
    expect(c, "QUERY q late x NOWAIT DELAY 0.2 PRIORITY 99", "OK");
    expect(c, "QUERY q a x NOWAIT", "OK");
    expect(c, "QUERY q low x NOWAIT PRIORITY -1", "OK");
    expect(c, "QUERY q high x NOWAIT PRIORITY 7", "OK");
    expect(c, "QUERY q b x NOWAIT", "OK");
    const char *const order[] = {"high", "a", "b", "low"};
    for (int i = 0; i < 4; i++) {
        char expected[60];
        snprintf(expected, sizeof(expected), "1) 'q'\n2) '%s'*", order[i]);
        expect_like(w, "LISTEN q", expected);
    }
    expect(w, "LISTEN q", "(nil)");
    expect_like(w, "LISTEN q WAIT 3000", "1) 'q'\n2) 'late'*");
}
END_TEST

START_TEST(listen_takes_from_several_queues_and_several_at_once)
{
    expect(c, "QUERY q a x NOWAIT", "OK");
    expect(c, "QUERY r b x NOWAIT", "OK");
    expect(c, "QUERY r d x NOWAIT", "OK");
    expect_like(w, "LISTEN r q COUNT 2", "1) 1) 'r'\n*'b'*2) 1) 'r'\n*'d'*");
    expect_like(w, "LISTEN COUNT 2 r q", "(error) ERR *invalid name*COUNT*");
    expect_like(w, "LISTEN r COUNT 2 q WAIT 1", "1) 1) 'q'*");
    expect(w, "RESULT a 1", "OK");
    expect(w, "RESULT d 2", "OK");
    expect(w, "RESULT b 3", "OK");
}
END_TEST

START_TEST(listen_waits_as_long_as_it_said)
{
    int64_t began_ms = until_now_ms();
    expect(w, "LISTEN q r WAIT 150", "(nil)");
    ck_assert_int_ge(until_now_ms() - began_ms, 150);
    until(say_int(rig_redis(&rig), "EXISTS rallocd|task-queue|waiting|q") == 0);
    expect(rig_redis(&rig), "EXISTS rallocd|task-queue|task-listen|q", "(integer) 1");
}
END_TEST

/* In us, of Redis. */
static int64_t redis_now_us(void)
{
    long long s, us;
    ck_assert_int_eq(sscanf(say(rig_redis(&rig), "TIME"), "1) \"%lld\"\n2) \"%lld\"", &s, &us), 2);
    return s * 1000000 + us;
}

START_TEST(a_delay_ends_to_the_millisecond)
{
    int64_t worst_us = 0, best_us = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        char words[80];
        client_send(w, "LISTEN q WAIT 0");
        until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
        snprintf(words, sizeof(words), "QUERY q %d x NOWAIT DELAY 0.%d37", i, i % 2);
        int64_t began_us = redis_now_us();
        expect(c, words, "OK");
        expect_text_like(client_read(w), "1) 'q'*");
        int64_t late_us = redis_now_us() - began_us - (i % 2 * 100 + 37) * 1000;
        ck_assert_int_ge(late_us, -1000); /* a ms of Redis is cut, not rounded */
        worst_us = late_us > worst_us ? late_us : worst_us;
        best_us = late_us < best_us ? late_us : best_us;
    }
    ck_assert_msg(best_us < 10000, "the best of five was %d us late", (int)best_us);
    ck_assert_msg(worst_us < 500000, "the worst of five was %d us late", (int)worst_us);
}
END_TEST

START_TEST(nothing_is_asked_of_redis_while_there_are_no_tasks)
{
    until(strstr(say(c, "INFO tasks"), "tasks_is_resting:1") != NULL);
    expect(rig_redis(&rig), "CONFIG RESETSTAT", "OK");
    ck_assert(!client_has_reply(c, 1500));
    const char *stats = say(rig_redis(&rig), "INFO commandstats");
    ck_assert_msg(strstr(stats, "cmdstat_eval") == NULL, "%s", stats);
}
END_TEST

/* --- whoever leaves ----------------------------------------------------------------------------
 */

START_TEST(what_a_closed_worker_had_returns_at_once)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*4) (integer) 1*");
    client_send(c, "LISTEN q WAIT 0");
    client_close(w);
    w = NULL;
    expect_text_like(client_read(c), "1) 'q'\n2) '1'\n*4) (integer) 2\n*");
    expect(c, "RESULT 1 y", "OK");
    expect(c, "QUERY q 1 x", "'y'");
}
END_TEST

START_TEST(a_closed_worker_that_waits_gets_nothing)
{
    client_send(w, "LISTEN q WAIT 0");
    until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
    client_close(w);
    w = NULL;
    until(strstr(say(c, "INFO tasks"), "tasks_listens:0") != NULL);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(c, "LISTEN q", "1) 'q'*4) (integer) 1*");
}
END_TEST

START_TEST(a_deadline_that_passed_gives_the_task_to_another)
{
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0.2", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*5) (integer) 200");
    expect_like(c, "LISTEN q WAIT 5000", "1) 'q'*4) (integer) 2*");
    expect_like(w, "PROGRESS 1 1 2", "(error) NOTOWNER *");
    expect_like(w, "RESULT 1 late", "(error) NOTOWNER *");
    expect_like(w, "RESULT 1 late", "(error) NOTOWNER *");
    expect(c, "RESULT 1 good", "OK");
    expect(c, "QUERY q 1 x", "'good'");
}
END_TEST

START_TEST(progress_after_the_deadline_says_so)
{
    expect(c, "QUERY q 1 x NOWAIT TIMEOUT 0.1 RETRIES 0", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    until(strstr(say(c, "TASK 1"), "\"dead\"") != NULL);
    expect(w, "PROGRESS 1 1 2", "(error) TIMEOUT the task's time has run out");
    expect(c, "QUERY q 1 x", "(error) TASKFAIL its worker let the deadline pass");
}
END_TEST

START_TEST(only_the_taker_ends_a_task_and_only_once)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect_like(c, "RESULT 1 theft", "(error) NOTOWNER *");
    expect_like(c, "FAIL 1 theft", "(error) NOTOWNER *");
    expect(w, "RESULT 1 y", "OK");
    expect_like(w, "RESULT 1 y", "(error) NOTOWNER *");
    expect_like(w, "PROGRESS 1 1 1", "(error) NOTOWNER *");
    expect(w, "LISTEN q", "(nil)");
}
END_TEST

START_TEST(reset_gives_back_what_was_taken)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "RESET", "RESET");
    expect_like(c, "LISTEN q WAIT 5000", "1) 'q'*4) (integer) 2*");
}
END_TEST

/* --- cancelled, dead, paused -------------------------------------------------------------------
 */

START_TEST(a_cancelled_task_is_gone)
{
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "CANCEL 1", "(integer) 1");
    expect(c, "CANCEL 1", "(integer) 0");
    expect(w, "LISTEN q", "(nil)");
    expect(c, "QUERY q 2 x NOWAIT", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    client_send(c, "QUERY q 2 x");
    until(strstr(say(w, "INFO tasks"), "tasks_askers:1") != NULL);
    expect(w, "CANCEL 2", "(integer) 1");
    expect_text_like(client_read(c), "(error) TASKFAIL the task is gone*");
    expect_like(w, "RESULT 2 x", "(error) NOTOWNER *");
}
END_TEST

START_TEST(failures_with_retry_end_among_the_dead_and_are_kicked_back)
{
    expect(c, "QUERY q 1 x NOWAIT RETRIES 1", "OK");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect(w, "FAIL 1 busy RETRY 0.1", "OK");
    expect_like(c, "QUEUE INFO q", "*'delayed'\n*(integer) 1\n*");
    expect_like(w, "LISTEN q WAIT 5000", "1) 'q'*4) (integer) 2*");
    expect(w, "FAIL 1 \"still busy\" RETRY 0", "OK");
    expect_like(c, "QUEUE DEAD q", "1) 1) '1'\n   2) 'still busy'\n   3) (integer) 2\n*");
    expect_like(c, "QUERY q 1 x", "(error) TASKFAIL *busy*");
    expect(c, "QUEUE KICK q COUNT 5", "(integer) 1");
    expect(c, "QUEUE KICK q", "(integer) 0");
    expect_like(w, "LISTEN q", "1) 'q'*4) (integer) 3*");
    expect(w, "RESULT 1 y", "OK");
    expect(c, "QUERY q 1 x", "'y'");
}
END_TEST

START_TEST(a_queue_is_looked_at_paused_and_purged)
{
    expect(c, "QUEUE LIST", "(empty array)");
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "QUERY q 2 y NOWAIT PRIORITY 3", "OK");
    expect(c, "QUERY q 3 z NOWAIT DELAY 60", "OK");
    expect(c, "QUEUE LIST", "1) 'q'");
    expect_like(c, "QUEUE PEEK q", "1) 1) '2'\n   2) 'y'\n   3) (integer) 3\n*2) 1) '1'*");
    expect_like(c, "QUEUE PEEK q COUNT 1", "1) 1) '2'*");
    expect(c, "QUEUE PAUSE q", "OK");
    expect(w, "LISTEN q", "(nil)");
    client_send(w, "LISTEN q WAIT 0");
    ck_assert(!client_has_reply(w, 100));
    expect(c, "QUEUE RESUME q", "OK");
    expect_text_like(client_read(w), "1) 'q'\n2) '2'*");
    expect_like(c, "QUEUE INFO q",
                "*'waiting'\n*(integer) 1\n*'delayed'\n*(integer) 1\n*'taken'\n*(integer) 1\n*");
    expect(c, "QUEUE PURGE q", "(integer) 2");
    expect(w, "LISTEN q", "(nil)");
    expect(w, "RESULT 2 x", "OK");
    expect(c, "QUEUE LIST", "1) 'q'"); /* somebody listens, and a result is kept */
    expect_like(c, "QUEUE HELP", "*");
}
END_TEST

START_TEST(bounds_are_kept_with_words)
{
    expect(c, "CONFIG SET queue:q.max_waiting 2", "OK");
    expect(c, "CONFIG SET queue:q.max_payload 4", "OK");
    expect_like(c, "QUERY q 1 hello NOWAIT", "(error) ERR params: 5 bytes, at most 4 *");
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect(c, "QUERY q 2 x NOWAIT", "OK");
    expect_like(c, "QUERY q 3 x NOWAIT", "(error) BUSY *");
    expect_like(w, "LISTEN q", "1) 'q'*");
    expect_like(w, "RESULT 1 hello", "(error) ERR result: 5 bytes, at most 4 *");
    expect(w, "RESULT 1 hi", "OK");
    expect_like(w, "LISTEN q COUNT 2000", "(error) BUSY *");
    expect_like(c, "QUERY lock 1 x", "(error) ERR invalid name*");
    expect_like(c, "QUERY q 9 x RETRIES -1", "(error) ERR RETRIES is not *'-1'");
    expect_like(c, "QUERY q 9 x POLICY near", "(error) ERR POLICY is none of *'near'");
    expect_like(c, "QUERY q 9 x DELAY x", "(error) ERR DELAY is not *");
    expect_like(w, "LISTEN q WAIT -5", "(error) ERR WAIT is not *'-5'");
    expect_like(w, "FAIL 1 x RETRY -1", "(error) ERR RETRY is less than 0 seconds");
    expect(c, "CONFIG SET server.max_waiters 1", "OK");
    client_send(w, "LISTEN other WAIT 0");
    until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
    expect_like(c, "QUERY q 9 x", "(error) BUSY 1 requests wait for tasks here already *");
    expect_like(c, "LISTEN q", "(error) BUSY 1 requests wait *");
    expect(c, "QUERY other 9 x NOWAIT", "OK");
    expect_text_like(client_read(w), "1) 'other'*");
}
END_TEST

/* --- policies ----------------------------------------------------------------------------------
 */

START_TEST(without_anybody_there_is_no_worker)
{
    expect_like(c, "QUERY q 1 x", "(error) NOWORKER *");
    expect_like(c, "QUERY q 1 x POLICY local", "(error) NOWORKER *");
    expect_like(c, "QUERY q 1 x POLICY local NOWAIT", "(error) NOWORKER *");
    expect(c, "HASTASK 1", "(integer) 0");
    expect_like(c, "QUERY q 1 x POLICY remote TIMEOUT 0.1", "(error) TIMEOUT *");
    expect_like(c, "QUERY q 2 x POLICY localfirst TIMEOUT 0.1", "(error) TIMEOUT *");
    expect_like(c, "QUERY q 3 x POLICY remotefirst TIMEOUT 0.1", "(error) TIMEOUT *");
}
END_TEST

START_TEST(local_tasks_are_for_the_workers_of_this_daemon)
{
    struct node *second = rig_daemon(&rig);
    struct client *far = node_client(second);
    const char *const policies[] = {"local", "localfirst", "auto"};
    expect(far, "LISTEN q", "(nil)");
    expect_like(c, "QUERY q 1 x POLICY local", "(error) NOWORKER *");
    for (int i = 0; i < 2; i++) {
        client_send(w, "LISTEN q WAIT 0");
        until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
        char words[80];
        snprintf(words, sizeof(words), "QUERY q t%d x POLICY %s", i, policies[i]);
        client_send(c, words);
        expect_text_like(client_read(w), "1) 'q'*");
        expect(far, "LISTEN q", "(nil)");
        snprintf(words, sizeof(words), "RESULT t%d y", i);
        expect(w, words, "OK");
        expect_text(client_read(c), "'y'");
    }
    /* a busy worker's queue waits for it alone */
    expect(c, "QUERY q own x POLICY local NOWAIT", "OK");
    expect_like(far, "QUEUE INFO q", "*'waiting'\n*(integer) 1\n*'waiting_local'\n16) (integer) 1");
    expect_like(far, "QUEUE PEEK q", "1) 1) 'own'*");
    expect(far, "QUEUE PURGE q", "(integer) 1");
    expect(w, "LISTEN q", "(nil)");
    expect(c, "QUERY q own x POLICY local NOWAIT", "OK");
    expect(far, "LISTEN q", "(nil)");
    expect_like(w, "LISTEN q", "1) 'q'\n2) 'own'*");
    client_close(far);
}
END_TEST

START_TEST(remote_tasks_go_to_whoever_listens_anywhere)
{
    struct node *second = rig_daemon(&rig);
    struct client *far = node_client(second);
    const char *const policies[] = {"remote", "auto", "localfirst", "remotefirst"};
    for (int i = 0; i < 4; i++) {
        char words[80];
        client_send(far, "LISTEN q WAIT 0");
        until(say_int(rig_redis(&rig), "ZCARD rallocd|task-queue|waiting|q") == 1);
        snprintf(words, sizeof(words), "QUERY q t%d x POLICY %s", i, policies[i]);
        client_send(c, words);
        expect_text_like(client_read(far), "1) 'q'*");
        snprintf(words, sizeof(words), "RESULT t%d y", i);
        expect(far, words, "OK");
        expect_text(client_read(c), "'y'");
    }
    client_close(far);
}
END_TEST

START_TEST(remotefirst_is_tried_here_when_its_time_is_up)
{
    expect(c, "QUEUE PAUSE q", "OK"); /* so that our own worker does not take it as anybody's */
    client_send(w, "LISTEN q WAIT 0");
    until(strstr(say(c, "INFO tasks"), "tasks_listens:1") != NULL);
    client_send(c, "QUERY q 1 x POLICY remotefirst TIMEOUT 0.3");
    struct client *redis = rig_redis(&rig);
    until(strstr(say(redis, "HGETALL rallocd|task-queue|task-result:1"), "\"only\"") != NULL);
    expect(redis, "LLEN rallocd|task-queue|task-queue|q", "(integer) 0");
    expect_text_like(client_read(c), "(error) TIMEOUT *");
}
END_TEST

START_TEST(shutdown_answers_who_waits_and_gives_back_what_was_taken)
{
    struct client *asker = node_client(&rig.nodes[0]), *taker = node_client(&rig.nodes[0]);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    expect_like(taker, "LISTEN q", "1) 'q'*");
    client_send(w, "LISTEN q WAIT 0");
    client_send(asker, "QUERY q 1 x");
    until(strstr(say(c, "INFO tasks"), "tasks_askers:1") != NULL);
    node_signal(&rig.nodes[0], 15);
    expect_text(client_read(w), "(nil)");
    expect_text_like(client_read(asker), "(error) UPSTREAM the daemon is stopping*");
    ck_assert_int_eq(node_wait_end(&rig.nodes[0]), 0);
    expect(rig_redis(&rig), "HGET rallocd|task-queue|task-result:1 state", "'waiting'");
    client_close(asker);
    client_close(taker);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "tasks", set_up, tear_down, a_task_goes_from_query_to_its_result,
        query_waits_and_listen_waits, push_tells_progress_and_results_without_being_asked,
        any_bytes_come_back_as_they_were, the_same_id_joins_or_gets_what_is_kept,
        a_failure_is_told_and_kept_until_its_time,
        query_gives_up_after_its_timeout_and_the_task_goes_on,
        higher_priorities_then_those_that_came_first_and_delayed_ones_later,
        a_delay_ends_to_the_millisecond, nothing_is_asked_of_redis_while_there_are_no_tasks,
        listen_takes_from_several_queues_and_several_at_once, listen_waits_as_long_as_it_said,
        what_a_closed_worker_had_returns_at_once, a_closed_worker_that_waits_gets_nothing,
        a_deadline_that_passed_gives_the_task_to_another, progress_after_the_deadline_says_so,
        only_the_taker_ends_a_task_and_only_once, reset_gives_back_what_was_taken,
        a_cancelled_task_is_gone, failures_with_retry_end_among_the_dead_and_are_kicked_back,
        a_queue_is_looked_at_paused_and_purged, bounds_are_kept_with_words,
        without_anybody_there_is_no_worker, local_tasks_are_for_the_workers_of_this_daemon,
        remote_tasks_go_to_whoever_listens_anywhere, remotefirst_is_tried_here_when_its_time_is_up,
        shutdown_answers_who_waits_and_gives_back_what_was_taken);
}
