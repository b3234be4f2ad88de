/* foreground: starts, signals, ends. */
#include "run/foreground.h"
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct event_base *base;
static int ended;

static void set_up(void)
{
    base = event_base_new();
    ended = -1;
}

static void tear_down(void)
{
    event_base_free(base);
}

static void note_end(void *arg, int status)
{
    (void)arg;
    ended = status;
    event_base_loopbreak(base);
}

static struct foreground *start(const char *script)
{
    char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)script,
                    NULL};
    struct err err;
    int code = 0;
    struct foreground *foreground = foreground_start(base, argv, note_end, NULL, &code, &err);
    ck_assert_msg(foreground != NULL, "%s", err.text);
    return foreground;
}

START_TEST(the_end_is_told_with_its_status)
{
    struct foreground *foreground = start("exit 9");
    event_base_dispatch(base);
    ck_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 9);
    foreground_signal(foreground, SIGKILL); /* to nobody */
    foreground_free(foreground);
}
END_TEST

START_TEST(a_signal_is_for_the_program_or_for_its_whole_group)
{
    int pipe_fds[2];
    char byte;
    ck_assert_int_eq(pipe(pipe_fds), 0); /* which all of the group hold open */
    struct foreground *foreground = start("sleep 100 & sleep 100");
    close(pipe_fds[1]);
    foreground_signal_all(foreground, SIGKILL);
    event_base_dispatch(base);
    ck_assert(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    ck_assert_int_eq(read(pipe_fds[0], &byte, 1), 0);
    close(pipe_fds[0]);
    foreground_free(foreground);
}
END_TEST

static void assert_no_program(const char *name, int expected)
{
    char *argv[] = {(char *)(uintptr_t)name, NULL};
    struct err err;
    int code = 0;
    ck_assert_ptr_null(foreground_start(base, argv, note_end, NULL, &code, &err));
    ck_assert_int_eq(code, expected);
    ck_assert_int_eq(strncmp(err.text, name, strlen(name)), 0);
}

START_TEST(what_cannot_be_started_is_told_as_a_shell_would)
{
    assert_no_program("/no/such/program", 127);
    assert_no_program("no-such-program-anywhere", 127);
    assert_no_program("/", 126);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("foreground");
    TCase *tcase = tcase_create("foreground");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_end_is_told_with_its_status);
    tcase_add_test(tcase, a_signal_is_for_the_program_or_for_its_whole_group);
    tcase_add_test(tcase, what_cannot_be_started_is_told_as_a_shell_would);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
