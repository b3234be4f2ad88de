/* run: `rallocd run`: what its program sees, how it ends, and what it never outlives. */
#include "tests/lib/guard.h"
#include "tests/lib/rig.h"
#include "tests/lib/until.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;
static struct client *c;
static char log_path[160], url[200];

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
    expect(c, "POOL EXTEND p r1", "(integer) 1");
    snprintf(log_path, sizeof log_path, "%s/run.log", rig.guard.dir);
    snprintf(url, sizeof url, "RALLOCD_URL=unix://%s", rig.nodes[0].path);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

/* Words separated by single blanks; what stands behind "--" is one shell script. */
static pid_t start(const char *options, const char *script)
{
    static char words[400];
    char *argv[24] = {(char *)(uintptr_t)node_program()};
    int argc = 1;
    snprintf(words, sizeof words, "run %s", options);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    if (script != NULL) {
        argv[argc++] = (char *)(uintptr_t) "--";
        argv[argc++] = (char *)(uintptr_t) "sh";
        argv[argc++] = (char *)(uintptr_t) "-c";
        argv[argc++] = (char *)(uintptr_t)script;
    }
    unlink(log_path);
    return guard_run(log_path, argv, (char *[]){url, NULL});
}

static int run(const char *options, const char *script)
{
    return guard_wait(start(options, script));
}

static const char *said(void)
{
    static char text[2000];
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

START_TEST(a_program_finds_what_it_got_in_its_environment)
{
    char expected[300], token[100], fence[40];
    ck_assert_int_eq(run("--pool p", "echo $RESOURCE $TOKEN $FENCE"), 0);
    ck_assert_int_eq(sscanf(said(), "r1 %99s %39s", token, fence), 2);
    snprintf(expected, sizeof expected, "r1 %s %s\n", token, fence);
    ck_assert_str_eq(said(), expected);
    ck_assert(strncmp(token, fence, strlen(fence)) == 0 && token[strlen(fence)] == '-');
    expect(c, "MALLOC p", "'r1'"); /* it was given back */
}
END_TEST

START_TEST(the_exit_status_is_the_programs)
{
    ck_assert_int_eq(run("--pool p", "exit 7"), 7);
    ck_assert_int_eq(run("--pool p", "kill -KILL $$"), 128 + SIGKILL);
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(nothing_runs_when_nothing_is_free)
{
    expect(c, "MALLOC p", "'r1'");
    ck_assert_int_eq(run("--pool p", "echo ran"), 75);
    ck_assert_str_eq(said(), "rallocd run: p: nothing was free\n");
}
END_TEST

START_TEST(a_lock_is_held_while_the_program_runs)
{
    pid_t pid = start("--lock k --timeout 1", "echo $RESOURCE $FENCE; kill -STOP $$");
    until(strncmp(said(), "k 1", 3) == 0);
    expect(c, "LOCK k other", "(nil)");
    kill(pid, SIGTERM); /* the stopped program does not see it before it goes on */
    until(strstr(said(), "k ") != NULL);
    kill(pid, SIGHUP);
    expect(c, "LOCKED k", "(integer) 1");
    expect(c, "UNLOCK k", "(integer) 1"); /* by force: it is lost, and the program is ended */
    ck_assert_int_eq(guard_wait(pid), 76);
}
END_TEST

START_TEST(signals_are_passed_on_to_the_program)
{
    pid_t pid = start("--pool p", "trap 'echo heard; exit 3' USR1; echo ready; "
                                  "while :; do sleep 0.05; done");
    until(strcmp(said(), "ready\n") == 0);
    kill(pid, SIGUSR1);
    ck_assert_int_eq(guard_wait(pid), 3);
    ck_assert_str_eq(said(), "ready\nheard\n");
}
END_TEST

START_TEST(it_waits_for_what_is_not_free)
{
    expect(c, "MALLOC p TIMEOUT 2", "'r1'");
    ck_assert_int_eq(run("--pool p --wait 0.3", "exit 3"), 75);
    ck_assert_int_eq(run("--pool p --wait 0", "exit 3"), 3);
    expect_like(c, "LOCK k other TIMEOUT 1", "(integer) *");
    ck_assert_int_eq(run("--lock k --wait 20", "exit 4"), 4);
}
END_TEST

/* It has its place in the line before those who come later, and its time when the program begins.
 */
START_TEST(it_stands_in_line_for_a_resource)
{
    expect(c, "MALLOC p TIMEOUT 0", "'r1'");
    pid_t pid = start("--pool p --wait 0 --timeout 2", "echo ready; sleep 1; exit 3");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters") == 1);
    ck_assert(!client_has_reply(c, 2100)); /* it waits for longer than it will hold */
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p", "(nil)");
    ck_assert_int_eq(guard_wait(pid), 3);
    ck_assert_str_eq(said(), "ready\n");
}
END_TEST

START_TEST(it_leaves_the_line_when_it_is_interrupted)
{
    expect(c, "MALLOC p TIMEOUT 0", "'r1'");
    pid_t pid = start("--pool p --wait 0", "exit 3");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters") == 1);
    kill(pid, SIGTERM);
    ck_assert_int_eq(guard_wait(pid), 143);
    until(say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters") == 0);
}
END_TEST

START_TEST(it_is_renewed_as_long_as_the_program_runs)
{
    pid_t pid = start("--pool p --timeout 2", "echo ready; sleep 5");
    until(strcmp(said(), "ready\n") == 0);
    int64_t until_ms = until_now_ms() + 4500;
    for (int status; until_now_ms() < until_ms; until_pause()) {
        expect(c, "MALLOC p", "(nil)");
        ck_assert(!guard_has_ended(pid, &status));
    }
    ck_assert_int_eq(guard_wait(pid), 0);
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(a_program_is_stopped_when_what_it_holds_was_lost)
{
    pid_t pid =
        start("--pool p --timeout 4", "trap '' TERM; echo ready; while :; do sleep 1; done");
    until(strcmp(said(), "ready\n") == 0);
    expect(c, "FREE p r1", "(integer) 1"); /* by hand */
    ck_assert_int_eq(guard_wait(pid), 76);
    ck_assert_ptr_nonnull(strstr(said(), "rallocd run: it was lost: the program is stopped\n"));
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(a_program_ends_before_its_lease_when_the_daemon_hangs)
{
    pid_t pid =
        start("--pool p --timeout 2", "trap '' TERM; echo ready; while :; do sleep 1; done");
    struct client *redis = rig_redis(&rig);
    until(strcmp(said(), "ready\n") == 0);
    node_signal(&rig.nodes[0], SIGSTOP);
    ck_assert_int_eq(guard_wait(pid), 76);
    expect(redis, "EXISTS rallocd|p:r1", "(integer) 1");
    node_signal(&rig.nodes[0], SIGCONT);
    until(strcmp(say(c, "MALLOC p"), "\"r1\"") == 0);
}
END_TEST

START_TEST(a_daemon_that_comes_back_in_time_is_no_loss)
{
    pid_t pid = start("--pool p --timeout 4", "echo ready; sleep 5");
    until(strcmp(said(), "ready\n") == 0);
    node_kill(&rig.nodes[0]);
    node_start(&rig.nodes[0]);
    client_close(c);
    c = node_client(&rig.nodes[0]);
    ck_assert_int_eq(guard_wait(pid), 0);
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(wrong_usage_is_told)
{
    ck_assert_int_eq(run("--pool p --lock k", "true"), 2);
    ck_assert_str_eq(said(), "rallocd run: one of --pool and --lock, and once: not 'k' as well\n");
    ck_assert_int_eq(run("--pool p --timeout 0", "true"), 2);
    ck_assert_str_eq(said(),
                     "rallocd run: --timeout is not a number of seconds from 1 to 86400: '0'\n");
    ck_assert_int_eq(run("--pool p --url unix:///no/such.sock", "true"), 69);
}
END_TEST

int main(void)
{
    return RIG_RUN("run", set_up, tear_down, a_program_finds_what_it_got_in_its_environment,
                   the_exit_status_is_the_programs, nothing_runs_when_nothing_is_free,
                   a_lock_is_held_while_the_program_runs, signals_are_passed_on_to_the_program,
                   it_waits_for_what_is_not_free, it_stands_in_line_for_a_resource,
                   it_leaves_the_line_when_it_is_interrupted,
                   it_is_renewed_as_long_as_the_program_runs,
                   a_program_is_stopped_when_what_it_holds_was_lost,
                   a_program_ends_before_its_lease_when_the_daemon_hangs,
                   a_daemon_that_comes_back_in_time_is_no_loss, wrong_usage_is_told);
}
