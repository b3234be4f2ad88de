/* history: the checker of holders' histories finds what it is there to find. */
#include "tests/lib/history.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct history *history;

static void set_up(void)
{
    history = history_new(10);
}

static void tear_down(void)
{
    history_free(history);
}

static void add(const char *resource, int64_t fence, int64_t got_us, int64_t freed_us,
                int64_t timeout_ms)
{
    struct hold *hold = history_add(history);
    *hold = (struct hold){.fence = fence,
                          .asked_us = got_us - 10,
                          .got_us = got_us,
                          .freed_us = freed_us,
                          .timeout_ms = timeout_ms,
                          .is_whole = 1};
    strcpy(hold->resource, resource);
}

START_TEST(one_after_another_is_right)
{
    add("a", 2, 200, 300, 1000);
    add("a", 1, 100, 200, 1000);
    add("b", 9, 150, 250, 1000);
    history_check(history);
}
END_TEST

START_TEST(a_lease_whose_time_is_over_is_not_held)
{
    add("a", 1, 100, 0, 10);
    add("a", 2, 10100, 0, 10);
    history_check(history);
}
END_TEST

START_TEST(two_at_a_time_are_found)
{
    add("a", 1, 100, 200, 1000);
    add("a", 2, 199, 300, 1000);
    history_check(history);
}
END_TEST

START_TEST(one_who_never_freed_holds_to_the_end_of_the_time)
{
    add("a", 1, 100, 0, 10);
    add("a", 2, 5000, 0, 10);
    history_check(history);
}
END_TEST

START_TEST(a_fence_that_does_not_grow_is_found)
{
    add("a", 2, 100, 200, 1000);
    add("a", 1, 200, 300, 1000);
    history_check(history);
}
END_TEST

START_TEST(a_fence_given_twice_is_found)
{
    add("a", 1, 100, 200, 1000);
    add("a", 1, 200, 300, 1000);
    history_check(history);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *right = tcase_create("right"), *wrong = tcase_create("wrong");
    tcase_add_checked_fixture(right, set_up, tear_down);
    tcase_add_checked_fixture(wrong, set_up, tear_down);
    tcase_add_test(right, one_after_another_is_right);
    tcase_add_test(right, a_lease_whose_time_is_over_is_not_held);
    /* an assertion that fails ends a test's process with 1 */
    tcase_add_exit_test(wrong, two_at_a_time_are_found, 1);
    tcase_add_exit_test(wrong, one_who_never_freed_holds_to_the_end_of_the_time, 1);
    tcase_add_exit_test(wrong, a_fence_that_does_not_grow_is_found, 1);
    tcase_add_exit_test(wrong, a_fence_given_twice_is_found, 1);
    suite_add_tcase(suite, right);
    suite_add_tcase(suite, wrong);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
