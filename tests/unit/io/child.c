/* child: how programs start, what they inherit, and that each end is told once. */
#include "io/child.h"
#include "base/clock.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct event_base *base;
static struct child *child;
static bool is_freed_at_end;
static int ends, last_status;
static int
    leash[2]; /* a pipe: what reads its end as descriptor 3 ends with the test, at the latest */

static void on_end(void *arg, int status)
{
    ck_assert_ptr_eq(arg, &ends);
    ends++;
    last_status = status;
    if (is_freed_at_end) {
        child_free(child);
        child = NULL;
    }
}

static void set_up(void)
{
    base = event_base_new();
    ck_assert_int_eq(pipe2(leash, O_CLOEXEC), 0);
}

static void tear_down(void)
{
    child_free(child);
    event_base_free(base);
    close(leash[0]);
    close(leash[1]);
}

/* Turns the loop until the child has ended; the test's own time limit guards it. */
static void wait_for_end(void)
{
    while (ends == 0)
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1); /* no event is left */
    ck_assert_int_eq(ends, 1);
}

static void start(const struct child_spec *spec)
{
    struct err err;
    child = child_start(base, spec, on_end, &ends, &err);
    ck_assert_msg(child != NULL, "%s", err.text);
    ck_assert_int_eq(ends, 0);
}

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void start_shell(const char *script)
{
    start(&(struct child_spec){.argv = SHELL(script), .output_fd = -1, .inherited_fd = leash[0]});
}

/* Runs a script to its end; what it printed. */
static const char *output_of(const char *script, const char *workdir, int inherited_fd)
{
    static char text[4096];
    int ends_of_pipe[2];
    ck_assert_int_eq(pipe2(ends_of_pipe, O_CLOEXEC), 0);
    start(&(struct child_spec){.argv = SHELL(script),
                               .workdir = workdir,
                               .output_fd = ends_of_pipe[1],
                               .inherited_fd = inherited_fd});
    close(ends_of_pipe[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends_of_pipe[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends_of_pipe[0]);
    wait_for_end();
    return text;
}

START_TEST(the_exit_status_is_told)
{
    start_shell("exit 3");
    wait_for_end();
    ck_assert(WIFEXITED(last_status));
    ck_assert_int_eq(WEXITSTATUS(last_status), 3);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_signal_ends_it)
{
    start_shell("kill -STOP $$; exit 0");
    child_signal(child, SIGKILL);
    wait_for_end();
    ck_assert(WIFSIGNALED(last_status));
    ck_assert_int_eq(WTERMSIG(last_status), SIGKILL);
    child_signal(child, SIGKILL); /* it has gone: nothing happens */
}
END_TEST

START_TEST(a_child_may_be_freed_when_it_has_ended)
{
    is_freed_at_end = true;
    start_shell("exit 0");
    wait_for_end();
    ck_assert_ptr_null(child);
}
END_TEST

START_TEST(a_forgotten_child_runs_on_and_tells_nothing)
{
    start_shell("exec cat <&3");
    pid_t pid = child_pid(child);
    child_free(child);
    child = NULL;
    ck_assert_int_eq(event_base_loop(base, 0), 1);
    ck_assert_int_eq(kill(pid, 0), 0);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(ends, 0);
}
END_TEST

static void expect_refusal(const char *program, const char *workdir, const char *words)
{
    const char *const argv[] = {program, NULL};
    struct child_spec spec = {
        .argv = argv, .workdir = workdir, .output_fd = -1, .inherited_fd = -1};
    struct err err = {ERR_NONE, ""};
    ck_assert_ptr_null(child_start(base, &spec, on_end, &ends, &err));
    ck_assert_str_eq(err.text, words);
    ck_assert_int_eq(event_base_loop(base, 0), 1);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

/* Valgrind makes a plain fork() of the C library's vfork(), whose child then has no way to tell why
 * it could not go on. */
static bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

START_TEST(what_cannot_be_started_is_refused_at_once)
{
    if (is_under_valgrind())
        return;
    expect_refusal("no-such-program-here", NULL,
                   "cannot run 'no-such-program-here': No such file or directory");
    expect_refusal("/etc/passwd", NULL, "cannot run '/etc/passwd': Permission denied");
    expect_refusal("true", "/nowhere",
                   "cannot run 'true' in '/nowhere': No such file or directory");
    ck_assert_int_eq(ends, 0);
}
END_TEST

START_TEST(output_and_errors_go_to_the_given_descriptor)
{
    ck_assert_str_eq(output_of("echo out; echo err >&2", NULL, -1), "out\nerr\n");
}
END_TEST

START_TEST(it_runs_in_its_workdir_with_an_empty_stdin)
{
    ck_assert_str_eq(output_of("pwd; wc -c", "/usr", -1), "/usr\n0\n");
}
END_TEST

START_TEST(it_leads_its_own_process_group)
{
    char group[32];
    const char *told = output_of("echo $$; cut -d' ' -f5 /proc/$$/stat", NULL, -1);
    snprintf(group, sizeof(group), "%ld\n%ld\n", (long)child_pid(child), (long)child_pid(child));
    ck_assert_str_eq(told, group);
    ck_assert_int_ne(child_pid(child), getpgrp());
}
END_TEST

START_TEST(no_signal_is_blocked_or_ignored_in_it)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* The C library ignores signals 32 and 33, its own, in what it spawns. */
    unsigned long long is_blocked = ~0ULL, is_ignored = ~0ULL;
    const char *told = output_of("grep -E 'Sig(Blk|Ign)' /proc/self/status", NULL, -1);
    ck_assert_int_eq(sscanf(told, "SigBlk: %llx SigIgn: %llx", &is_blocked, &is_ignored), 2);
    ck_assert_uint_eq(is_blocked, 0);
    ck_assert_uint_eq(is_ignored & 0x7fffffff, 0);
}
END_TEST

#define SHOW_OPEN "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo -n $n; done"

START_TEST(it_gets_no_descriptors_but_those_given)
{
    int leaky = open("/dev/null", O_RDONLY); /* not CLOEXEC: somebody forgot it */
    ck_assert_int_ge(leaky, 0);
    ck_assert_str_eq(output_of(SHOW_OPEN, NULL, -1), "012");
    close(leaky);
}
END_TEST

START_TEST(the_inherited_descriptor_is_number_3)
{
    char path[] = "/tmp/child-XXXXXX";
    int lock = mkostemp(path, O_CLOEXEC);
    ck_assert_int_eq(write(lock, "lock", 4), 4);
    ck_assert_int_eq(lseek(lock, 0, SEEK_SET), 0);
    ck_assert_str_eq(output_of("cat <&3; " SHOW_OPEN, NULL, lock), "lock0123");
    close(lock);
    unlink(path);
}
END_TEST

/* A process whose parent has gone: it is nobody's child that we know. */
static pid_t start_orphan(void)
{
    const char *told = output_of("cat <&3 >/dev/null 2>&1 & echo $!", NULL, leash[0]);
    pid_t pid = (pid_t)atol(told);
    ck_assert_int_gt(pid, 1);
    child_free(child);
    child = NULL;
    ends = 0;
    return pid;
}

START_TEST(the_end_of_an_adopted_process_is_told)
{
    struct err err;
    pid_t pid = start_orphan();
    child = child_adopt(base, pid, on_end, &ends, &err);
    ck_assert_msg(child != NULL, "%s", err.text);
    ck_assert_int_eq(child_pid(child), pid);
    ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    ck_assert_int_eq(ends, 0);
    child_signal(child, SIGTERM);
    wait_for_end();
    ck_assert_int_eq(last_status, -1);
}
END_TEST

START_TEST(a_process_that_is_not_there_is_not_adopted)
{
    struct err err = {ERR_NONE, ""};
    start_shell("exit 0");
    wait_for_end();
    ck_assert_ptr_null(child_adopt(base, child_pid(child), on_end, &ends, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such process"));
    ck_assert_ptr_null(child_adopt(base, 0, on_end, &ends, &err));
}
END_TEST

START_TEST(a_child_that_ended_before_the_loop_turned_is_told_too)
{
    start_shell("exit 7");
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)child_pid(child), &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(ends, 0);
    wait_for_end();
    ck_assert_int_eq(WEXITSTATUS(last_status), 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("child");
    TCase *life = tcase_create("life"), *inherits = tcase_create("inherits");
    TCase *const all[] = {life, inherits};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        tcase_set_timeout(all[i], 20);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_test(life, the_exit_status_is_told);
    tcase_add_test(life, a_signal_ends_it);
    tcase_add_test(life, a_child_may_be_freed_when_it_has_ended);
    tcase_add_test(life, a_forgotten_child_runs_on_and_tells_nothing);
    tcase_add_test(life, what_cannot_be_started_is_refused_at_once);
    tcase_add_test(life, the_end_of_an_adopted_process_is_told);
    tcase_add_test(life, a_process_that_is_not_there_is_not_adopted);
    tcase_add_test(life, a_child_that_ended_before_the_loop_turned_is_told_too);
    tcase_add_test(inherits, output_and_errors_go_to_the_given_descriptor);
    tcase_add_test(inherits, it_runs_in_its_workdir_with_an_empty_stdin);
    tcase_add_test(inherits, it_leads_its_own_process_group);
    tcase_add_test(inherits, no_signal_is_blocked_or_ignored_in_it);
    tcase_add_test(inherits, it_gets_no_descriptors_but_those_given);
    tcase_add_test(inherits, the_inherited_descriptor_is_number_3);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
