/* program: what becomes of commands that do well, hang, crash, print too much, read nothing. */
#include "io/program.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/guarded.h"
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct event_base *base;
static int ends;
static struct program_outcome last;
static char *last_output, *last_said, dir[] = "/tmp/program-XXXXXX";

static void on_end(void *arg, const struct program_outcome *outcome)
{
    ck_assert_ptr_eq(arg, &ends);
    ends++;
    last = *outcome;
    mem_free(last_output);
    mem_free(last_said);
    last_output = mem_dup(outcome->output);
    last_said = mem_dup(str_of(outcome->said));
}

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void tear_down(void)
{
    char words[100];
    event_base_free(base);
    mem_free(last_output);
    mem_free(last_said);
    last_output = last_said = NULL;
    snprintf(words, sizeof words, "rm -rf %s", dir);
    ck_assert_int_eq(system(words), 0);
}

/* Turns the loop until it has ended, and no longer: the test's own time limit guards it. */
static void wait_for_end(void)
{
    while (ends == 0)
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    ck_assert_int_eq(ends, 1);
}

static struct program *start(struct program_spec spec)
{
    ends = 0;
    if (spec.max_output == 0)
        spec.max_output = 100000;
    struct program *program = program_run(base, &spec, on_end, &ends);
    ck_assert_int_eq(ends, 0);
    return program;
}

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void run(struct program_spec spec)
{
    start(spec);
    wait_for_end();
}

static void expect(enum program_end end, int code, const char *output, const char *said)
{
    ck_assert_int_eq(last.end, end);
    ck_assert_int_eq(last.code, code);
    ck_assert_str_eq(last_output, output);
    ck_assert_str_eq(last_said, said);
}

/* No process of the command is left, reaped or not; the loop has nothing to do any more. */
static void expect_nobody_left(void)
{
    event_base_dispatch(base);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* The process whose id a script has written to this file of `dir`; waits for the file. */
static pid_t pid_in(const char *name)
{
    char path[100], line[32] = "";
    snprintf(path, sizeof path, "%s/%s", dir, name);
    while (strchr(line, '\n') == NULL) {
        FILE *file = fopen(path, "r");
        event_base_loop(base, EVLOOP_NONBLOCK);
        if (file == NULL)
            continue;
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
        fclose(file);
    }
    return (pid_t)atol(line);
}

/* Killed and nobody's child any more, perhaps after a moment. */
static void expect_gone(pid_t pid)
{
    while (kill(pid, 0) == 0)
        usleep(1000);
    ck_assert_int_eq(errno, ESRCH);
}

START_TEST(output_exit_status_and_last_words_are_told)
{
    run((struct program_spec){.words = SHELL("cat; echo; echo oh >&2; echo dear >&2; exit 3"),
                              .input = STR("in")});
    expect(PROGRAM_EXITED, 3, "in\n", "oh dear");
    run((struct program_spec){.command = " \t printf %s-%s  one\ttwo "});
    expect(PROGRAM_EXITED, 0, "one-two", "");
    run((struct program_spec){.command = "printf $HOME;x"}); /* no shell */
    expect(PROGRAM_EXITED, 0, "$HOME;x", "");
    expect_nobody_left();
}
END_TEST

START_TEST(it_knows_nothing_of_our_environment_but_what_it_needs)
{
    setenv("RALLOCD_SERVER_REQUIREPASS", "secret", 1);
    setenv("TZ", "UTC", 1);
    run((struct program_spec){.command = "env",
                              .environment = (const char *const[]){"GIVEN=this", NULL}});
    ck_assert_ptr_null(strstr(last_output, "RALLOCD"));
    ck_assert_ptr_nonnull(strstr(last_output, "PATH="));
    ck_assert_ptr_nonnull(strstr(last_output, "TZ=UTC"));
    ck_assert_ptr_nonnull(strstr(last_output, "GIVEN=this"));
}
END_TEST

START_TEST(what_is_not_there_could_not_be_started)
{
    run((struct program_spec){.command = "/nowhere/program x"});
    expect(PROGRAM_NOT_STARTED, 0, "", "cannot run '/nowhere/program': No such file or directory");
    run((struct program_spec){.command = "/etc/passwd"});
    expect(PROGRAM_NOT_STARTED, 0, "", "cannot run '/etc/passwd': Permission denied");
    run((struct program_spec){.command = " "});
    expect(PROGRAM_NOT_STARTED, 0, "", "the command is empty");
    run((struct program_spec){.words = SHELL("exit 127")}); /* its own affair */
    expect(PROGRAM_EXITED, 127, "", "");
}
END_TEST

START_TEST(a_crash_is_told_with_its_signal)
{
    run((struct program_spec){.words = SHELL("echo half; kill -SEGV $$")});
    expect(PROGRAM_SIGNALLED, SIGSEGV, "half\n", "");
}
END_TEST

START_TEST(one_that_hangs_and_ignores_sigterm_is_killed_with_its_children)
{
    char script[300];
    struct clock clock;
    clock_init(&clock);
    int64_t began_ms = clock_ms(&clock);
    snprintf(script, sizeof script,
             "trap '' TERM INT HUP; sleep 1000 & echo $! >%s/child; echo waits >&2; wait; "
             "sleep 1000",
             dir);
    run((struct program_spec){.words = SHELL(script), .timeout_ms = 300});
    expect(PROGRAM_TIMEOUT, 0, "", "waits");
    ck_assert_int_ge(clock_ms(&clock) - began_ms, 290); /* libevent's clock is a coarse one */
    expect_nobody_left();
    expect_gone(pid_in("child"));
}
END_TEST

START_TEST(one_that_prints_megabytes_is_killed_at_the_bound)
{
    run((struct program_spec){.command = "yes", .max_output = 50000});
    expect(PROGRAM_TOO_LONG, 0, "", "");
    run((struct program_spec){.command = "head -c 50000 /dev/zero", .max_output = 50000});
    ck_assert_int_eq(last.end, PROGRAM_EXITED);
    ck_assert_uint_eq(last.output.len, 50000);
    run((struct program_spec){.command = "head -c 50001 /dev/zero", .max_output = 50000});
    expect(PROGRAM_TOO_LONG, 0, "", "");
    expect_nobody_left();
}
END_TEST

START_TEST(one_that_says_megabytes_keeps_its_last_words_and_does_not_keep_us)
{
    run((struct program_spec){
        .words = SHELL("yes noise | head -c 3000000 >&2; printf 'the\\001\\nend\\n\\n' >&2")});
    ck_assert_uint_le(strlen(last_said), 400);
    ck_assert_ptr_nonnull(strstr(last_said, "noise noise the  end"));
    run((struct program_spec){.words = SHELL("yes >&2"), .timeout_ms = 100});
    ck_assert_int_eq(last.end, PROGRAM_TIMEOUT);
    expect_nobody_left();
}
END_TEST

START_TEST(a_long_input_arrives_whole_and_may_be_left_unread)
{
    static char input[3000000];
    memset(input, 'x', sizeof input);
    run((struct program_spec){.command = "wc -c", .input = str_make(input, sizeof input)});
    expect(PROGRAM_EXITED, 0, "3000000\n", "");
    run((struct program_spec){.command = "echo deaf", .input = str_make(input, sizeof input)});
    expect(PROGRAM_EXITED, 0, "deaf\n", "");
    run((struct program_spec){.words = SHELL("exec <&-; sleep 0.1; echo closed"),
                              .input = str_make(input, sizeof input)});
    expect(PROGRAM_EXITED, 0, "closed\n", "");
}
END_TEST

START_TEST(one_that_closes_its_stdout_is_waited_for)
{
    run((struct program_spec){.words = SHELL("echo early; exec >&- 2>&-; sleep 0.2; exit 4")});
    expect(PROGRAM_EXITED, 4, "early\n", "");
}
END_TEST

START_TEST(a_child_left_behind_with_its_stdout_is_neither_waited_for_nor_left)
{
    char script[200];
    snprintf(script, sizeof script, "sleep 1000 & echo $! >%s/child; echo left", dir);
    run((struct program_spec){.words = SHELL(script)});
    expect(PROGRAM_EXITED, 0, "left\n", "");
    expect_gone(pid_in("child"));
}
END_TEST

START_TEST(a_cancelled_one_is_killed_and_tells_nothing)
{
    char script[200];
    snprintf(script, sizeof script, "echo $$ >%s/self; yes >/dev/null", dir);
    struct program *program = start((struct program_spec){.words = SHELL(script)});
    pid_t pid = pid_in("self");
    program_cancel(program);
    expect_nobody_left();
    expect_gone(pid);
    program_cancel(start((struct program_spec){.command = "true"})); /* at once */
    program_cancel(start((struct program_spec){.command = ""}));
    program_cancel(NULL);
    expect_nobody_left();
    ck_assert_int_eq(ends, 0);
}
END_TEST

static int count_descriptors(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

START_TEST(no_descriptor_is_left_open)
{
    run((struct program_spec){.command = "true"}); /* libevent opens some */
    int before = count_descriptors();
    for (int i = 0; i < 20; i++) {
        run((struct program_spec){.command = "true", .input = STR("x")});
        run((struct program_spec){.command = "yes", .max_output = 10});
        run((struct program_spec){.command = "sleep 100", .timeout_ms = 1});
        program_cancel(start((struct program_spec){.command = "cat"}));
    }
    expect_nobody_left();
    ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(an_outcome_can_be_told_in_words)
{
    char text[100];
    const struct {
        struct program_outcome outcome;
        const char *words;
    } cases[] = {
        {{.end = PROGRAM_EXITED, .said = "careful"}, ""},
        {{.end = PROGRAM_EXITED, .code = 2, .said = ""}, "exit status 2"},
        {{.end = PROGRAM_EXITED, .code = 2, .said = "no file"}, "exit status 2: no file"},
        {{.end = PROGRAM_SIGNALLED, .code = 9, .said = ""}, "ended by signal 9"},
        {{.end = PROGRAM_TIMEOUT, .said = ""}, "did not end in time"},
        {{.end = PROGRAM_TOO_LONG, .said = ""}, "printed too much"},
        {{.end = PROGRAM_NOT_STARTED, .said = "cannot run 'x'"}, "cannot run 'x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        program_explain(&cases[i].outcome, text, sizeof text);
        ck_assert_str_eq(text, cases[i].words);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "guarded") == 0) /* we are the daemon here */
        return guarded_main(argv + 1);
    Suite *suite = suite_create("program");
    TCase *tcase = tcase_create("program");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, output_exit_status_and_last_words_are_told);
    tcase_add_test(tcase, it_knows_nothing_of_our_environment_but_what_it_needs);
    tcase_add_test(tcase, what_is_not_there_could_not_be_started);
    tcase_add_test(tcase, a_crash_is_told_with_its_signal);
    tcase_add_test(tcase, one_that_hangs_and_ignores_sigterm_is_killed_with_its_children);
    tcase_add_test(tcase, one_that_prints_megabytes_is_killed_at_the_bound);
    tcase_add_test(tcase, one_that_says_megabytes_keeps_its_last_words_and_does_not_keep_us);
    tcase_add_test(tcase, a_long_input_arrives_whole_and_may_be_left_unread);
    tcase_add_test(tcase, one_that_closes_its_stdout_is_waited_for);
    tcase_add_test(tcase, a_child_left_behind_with_its_stdout_is_neither_waited_for_nor_left);
    tcase_add_test(tcase, a_cancelled_one_is_killed_and_tells_nothing);
    tcase_add_test(tcase, no_descriptor_is_left_open);
    tcase_add_test(tcase, an_outcome_can_be_told_in_words);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
