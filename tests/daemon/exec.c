/* exec: programs that work on a queue's tasks: what they get, and what becomes of those that hang,
 * crash, print too much or do not end. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

/* A daemon whose queue q has this shell script as its program. */
static void start(const char *script, const char *option)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/program", rig.guard.dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\ndir=%s\n%s\n", rig.guard.dir, script);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
    struct node *node = rig_node(&rig);
    node_option(node, "--queue:q.exec=%s first second", path);
    node_option(node, "--queue:q.retry_delay=0.01");
    if (option != NULL)
        node_option(node, "%s", option);
    node_start(node);
    c = node_client(node);
}

START_TEST(parameters_come_on_stdin_and_the_result_is_what_it_prints)
{
    start("echo \"$1 $2 $TASK_QUEUE $TASK_ID $TASK_ATTEMPT\"; cat", NULL);
    expect(c, "QUERY q id-1 \"some params\"", "'first second q id-1 1\\nsome params'");
    expect_like(c, "QUEUE INFO q", "*'is_listened'\n*(integer) 1*");
}
END_TEST

START_TEST(every_policy_finds_it)
{
    const char *const policies[] = {"local", "remote", "localfirst", "remotefirst", "auto"};
    start("cat", NULL);
    for (int i = 0; i < 5; i++) {
        char words[80];
        snprintf(words, sizeof(words), "QUERY q %d x POLICY %s", i, policies[i]);
        expect(c, words, "'x'");
    }
    expect(c, "QUERY q later y NOWAIT POLICY local", "OK");
    expect(c, "QUERY q later y", "'y'");
}
END_TEST

START_TEST(it_knows_nothing_of_our_settings)
{
    setenv("RALLOCD_SERVER_REQUIREPASS", "secret", 1);
    start("env", NULL);
    expect(c, "AUTH secret", "OK");
    const char *reply = say(c, "QUERY q 1 x");
    ck_assert_ptr_nonnull(strstr(reply, "TASK_ID=1"));
    ck_assert_ptr_nonnull(strstr(reply, "PATH="));
    ck_assert_ptr_null(strstr(reply, "secret"));
    ck_assert_ptr_null(strstr(reply, "RALLOCD"));
    unsetenv("RALLOCD_SERVER_REQUIREPASS");
    server_stop(&rig.redis); /* the rig's check knows no password */
    node_stop(&rig.nodes[0]);
}
END_TEST

START_TEST(an_exit_status_fails_the_task_with_what_it_said_last)
{
    start("case $(cat) in quiet) exit 3;; esac\n"
          "yes noise | head -c 100000 >&2; echo 'no such user' >&2; exit 1",
          NULL);
    expect_like(c, "QUERY q 1 x", "(error) TASKFAIL *no such user");
    expect(c, "QUERY q 2 quiet", "(error) TASKFAIL exit status 3 of its program");
}
END_TEST

START_TEST(a_crash_is_tried_again_and_ends_among_the_dead)
{
    start("echo run >>$dir/runs; kill -SEGV $$", "--queue:q.retries=2");
    expect(c, "QUERY q 1 x", "(error) TASKFAIL its program was ended by signal 11");
    expect_like(c, "QUEUE DEAD q", "1) 1) '1'\n*signal 11'\n   3) (integer) 3\n*");
}
END_TEST

START_TEST(one_that_hangs_and_ignores_sigterm_is_killed_with_its_children)
{
    start("trap '' TERM; sleep 1000 & echo $! >$dir/child; echo $$ >$dir/self; wait; sleep 1000",
          NULL);
    expect_like(c, "QUERY q 1 x TIMEOUT 0.5 RETRIES 0", "(error) T*");
    until(strstr(say(c, "TASK 1"), "\"dead\"") != NULL);
    char words[300];
    snprintf(words, sizeof(words),
             "test -s %s/child && ! kill -0 $(cat %s/child) 2>/dev/null && "
             "! kill -0 $(cat %s/self) 2>/dev/null",
             rig.guard.dir, rig.guard.dir, rig.guard.dir);
    until(system(words) == 0);
    expect_like(c, "QUERY q 2 x TIMEOUT 0.2 RETRIES 0", "(error) T*"); /* and it works on */
    until(strstr(say(c, "TASK 2"), "\"dead\"") != NULL);
}
END_TEST

START_TEST(one_that_prints_megabytes_is_stopped_at_the_bound)
{
    start("yes", "--queue:q.max_payload=64kb");
    expect(c, "QUERY q 1 x",
           "(error) TASKFAIL its program printed more than 65536 bytes (max_payload)");
}
END_TEST

START_TEST(a_long_result_and_long_parameters_arrive_whole)
{
    size_t len = 900000;
    char *params = malloc(len);
    ck_assert_ptr_nonnull(params);
    for (size_t i = 0; i < len; i++)
        params[i] = (char)('a' + i % 26);
    const char *const words[] = {"QUERY", "q", "1", params};
    const size_t lens[] = {5, 1, 1, len};
    start("cat", NULL);
    client_send_args(c, 4, words, lens);
    size_t got_len;
    const char *got = client_read_raw(c, &got_len);
    ck_assert_uint_gt(got_len, len);
    ck_assert_int_eq(memcmp(got + strlen("$900000\r\n"), params, len), 0);
    free(params);
}
END_TEST

START_TEST(one_that_reads_nothing_or_leaves_a_child_behind_does_no_harm)
{
    start("case $TASK_ID in deaf) exec echo done;; esac; (sleep 1000) & echo left", NULL);
    size_t len = 500000;
    char *params = calloc(1, len);
    const char *const words[] = {"QUERY", "q", "deaf", params};
    const size_t lens[] = {5, 1, 4, len};
    ck_assert_str_eq(say_args(c, 4, words, lens), "\"done\\n\"");
    free(params);
    expect(c, "QUERY q child x", "'left\\n'");
}
END_TEST

START_TEST(so_many_run_at_a_time)
{
    start(
        "echo x >>$dir/running; until test $(wc -l <$dir/running) -ge 3; do sleep 0.01; done; cat",
        "--queue:q.workers=3");
    struct client *others[2];
    for (int i = 0; i < 2; i++) {
        others[i] = node_client(&rig.nodes[0]);
        client_send(others[i], i == 0 ? "QUERY q a 1" : "QUERY q b 2");
    }
    expect(c, "QUERY q c 3", "'3'"); /* each waits until three run */
    expect_text(client_read(others[0]), "'1'");
    expect_text(client_read(others[1]), "'2'");
    client_close(others[0]);
    client_close(others[1]);
}
END_TEST

START_TEST(a_program_that_is_not_there_fails_its_tasks)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--queue:q.exec=/nowhere/program");
    node_start(node);
    c = node_client(node);
    expect_like(c, "QUERY q 1 x", "(error) TASKFAIL cannot run '/nowhere/program': *");
}
END_TEST

START_TEST(what_runs_ends_with_a_daemon_that_is_killed)
{
    start("echo $$ >$dir/self; exec sleep 1000", NULL);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    char words[300];
    snprintf(words, sizeof(words), "test -s %s/self && kill -0 $(cat %s/self)", rig.guard.dir,
             rig.guard.dir);
    until(system(words) == 0);
    node_kill(&rig.nodes[0]);
    snprintf(words, sizeof(words), "! kill -0 $(cat %s/self) 2>/dev/null", rig.guard.dir);
    until(system(words) == 0);
}
END_TEST

START_TEST(what_runs_at_shutdown_goes_back_to_its_queue)
{
    start("echo $$ >$dir/self; sleep 1000", NULL);
    expect(c, "QUERY q 1 x NOWAIT", "OK");
    until(strstr(say(c, "TASK 1"), "\"taken\"") != NULL);
    char words[300];
    snprintf(words, sizeof(words), "test -s %s/self", rig.guard.dir);
    until(system(words) == 0);
    ck_assert_int_eq(node_stop(&rig.nodes[0]), 0);
    expect(rig_redis(&rig), "HGET rallocd|task-queue|task-result:1 state", "'waiting'");
    snprintf(words, sizeof(words), "! kill -0 $(cat %s/self) 2>/dev/null", rig.guard.dir);
    until(system(words) == 0);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "exec", set_up, tear_down, parameters_come_on_stdin_and_the_result_is_what_it_prints,
        every_policy_finds_it, it_knows_nothing_of_our_settings,
        an_exit_status_fails_the_task_with_what_it_said_last,
        a_crash_is_tried_again_and_ends_among_the_dead,
        one_that_hangs_and_ignores_sigterm_is_killed_with_its_children,
        one_that_prints_megabytes_is_stopped_at_the_bound,
        a_long_result_and_long_parameters_arrive_whole,
        one_that_reads_nothing_or_leaves_a_child_behind_does_no_harm, so_many_run_at_a_time,
        a_program_that_is_not_there_fails_its_tasks, what_runs_ends_with_a_daemon_that_is_killed,
        what_runs_at_shutdown_goes_back_to_its_queue);
}
