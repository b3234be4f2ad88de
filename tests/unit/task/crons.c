/* crons: what becomes of a firing: done, missed, planned. */
#include "task/crons.h"
#include "base/mem.h"
#include <check.h>
#include <stdlib.h>

#define T INT64_C(1800000000000) /* a multiple of 60 s */

/* Of a schedule that fires each minute. */
static void expect_plan(int64_t at_ms, enum task_missed missed, int64_t now_ms, bool is_real,
                        int64_t next_ms)
{
    struct firing firing = {.at_ms = at_ms};
    struct schedule schedule;
    struct err err;
    ck_assert(schedule_parse(STR("* * * * *"), &schedule, &err));
    firing_plan(&firing, &schedule, missed, now_ms);
    ck_assert_int_eq(firing.is_real, is_real);
    ck_assert_int_eq(firing.next_ms, next_ms);
}

START_TEST(a_new_one_is_planned_and_does_nothing_yet)
{
    expect_plan(0, MISSED_ALL, T + 1, false, T + 60000);
}
END_TEST

START_TEST(one_that_is_on_time_is_done_whatever_becomes_of_missed_ones)
{
    expect_plan(T, MISSED_ONCE, T, true, T + 60000);
    expect_plan(T, MISSED_SKIP, T + 5000, true, T + 60000);
    expect_plan(T, MISSED_ALL, T + 30, true, T + 60000);
}
END_TEST

START_TEST(missed_ones_are_done_once_each_or_not_at_all)
{
    int64_t now = T + 3600 * 1000 + 20000;
    expect_plan(T, MISSED_ONCE, now, true, T + 3660 * 1000);
    expect_plan(T, MISSED_ALL, now, true, T + 60000);
    expect_plan(T, MISSED_SKIP, now, false, T + 3660 * 1000);
}
END_TEST

START_TEST(skipping_missed_ones_does_not_skip_one_that_is_due_now)
{
    expect_plan(T, MISSED_SKIP, T + 60000 + 100, false, T + 60000);
    expect_plan(T + 60000, MISSED_SKIP, T + 60000 + 100, true, T + 120000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_new_one_is_planned_and_does_nothing_yet,
                                  one_that_is_on_time_is_done_whatever_becomes_of_missed_ones,
                                  missed_ones_are_done_once_each_or_not_at_all,
                                  skipping_missed_ones_does_not_skip_one_that_is_due_now};
    Suite *suite = suite_create("crons");
    TCase *tcase = tcase_create("crons");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
