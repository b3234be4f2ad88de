/* plan: the command line of `rallocd run`. */
#include "run/plan.h"
#include <check.h>
#include <stdlib.h>

static struct plan plan;
static enum plan_action action;
static struct err err;

#define READ(...) read_words((char *[]){(char *)(uintptr_t) "run", __VA_ARGS__, NULL}, NULL)
#define W(text)   ((char *)(uintptr_t)(text))

static bool read_words(char **argv, const char *url)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    return plan_read(&plan, argc, argv, url, &action, &err);
}

#define assert_refused(words, ...)         \
    do {                                   \
        ck_assert(!READ(__VA_ARGS__));     \
        ck_assert_str_eq(err.text, words); \
    } while (0)

START_TEST(options_stand_before_the_program)
{
    ck_assert(READ(W("--pool=gpus"), W("--name"), W("me"), W("--timeout"), W("2.5"), W("--wait=0"),
                   W("--url"), W("redis://u:p@host:1"), W("--"), W("prog"), W("--pool"), W("x")));
    ck_assert_int_eq(plan.kind, PLAN_POOL);
    ck_assert_str_eq(plan.name, "gpus");
    ck_assert_str_eq(plan.binding, "me");
    ck_assert_int_eq(plan.timeout_ms, 2500);
    ck_assert(plan.is_waiting && plan.wait_ms == 0);
    ck_assert_str_eq(plan.url.password, "p");
    ck_assert_str_eq(plan.addr.host, "host");
    ck_assert_int_eq(plan.addr.port, 1);
    ck_assert_str_eq(plan.argv[0], "prog");
    ck_assert_str_eq(plan.argv[2], "x");
}
END_TEST

START_TEST(the_first_word_that_is_no_option_is_the_program)
{
    ck_assert(READ(W("--lock"), W("k"), W("prog"), W("--help")));
    ck_assert_int_eq(plan.kind, PLAN_LOCK);
    ck_assert_str_eq(plan.argv[1], "--help");
    ck_assert(!plan.is_waiting);
    ck_assert_int_eq(plan.timeout_ms, 30000);
    ck_assert_int_eq(plan.addr.port, 7411);
}
END_TEST

START_TEST(the_environments_url_is_used_where_none_is_given)
{
    char *argv[] = {W("run"), W("--pool"), W("p"), W("x"), NULL};
    ck_assert(read_words(argv, "unix:///run/x.sock"));
    ck_assert(plan.addr.is_unix);
    ck_assert_str_eq(plan.addr.host, "/run/x.sock");
}
END_TEST

START_TEST(help_needs_nothing_else)
{
    ck_assert(READ(W("--help")));
    ck_assert_int_eq(action, PLAN_HELP);
}
END_TEST

START_TEST(errors_name_the_option_and_what_is_allowed)
{
    assert_refused("which one? --pool POOL or --lock KEY is missing", W("x"));
    assert_refused("which program? Its words stand behind --", W("--pool"), W("p"), W("--"));
    assert_refused("--pool wants a value", W("--pool"));
    assert_refused("unknown option '--pol': see rallocd run --help", W("--pol"), W("p"));
    assert_refused("--name goes with --pool, not with --lock", W("--lock"), W("k"), W("--name"),
                   W("n"), W("x"));
    assert_refused("--wait is not a number of seconds from 0 to 86400: '-1'", W("--wait"), W("-1"),
                   W("--pool"), W("p"), W("x"));
    assert_refused("--url is not that of a daemon: 'embedded'", W("--url"), W("embedded"),
                   W("--pool"), W("p"), W("x"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("plan");
    tcase_add_test(tcase, options_stand_before_the_program);
    tcase_add_test(tcase, the_first_word_that_is_no_option_is_the_program);
    tcase_add_test(tcase, the_environments_url_is_used_where_none_is_given);
    tcase_add_test(tcase, help_needs_nothing_else);
    tcase_add_test(tcase, errors_name_the_option_and_what_is_allowed);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
