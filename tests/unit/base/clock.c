/* clock: the machine's clocks, and one of a test. */
#include "base/clock.h"
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

START_TEST(the_monotonic_clock_never_goes_back)
{
    struct clock clock;
    clock_init(&clock);
    int64_t last = clock_us(&clock);
    ck_assert_int_gt(last, 0);
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_us(&clock);
        ck_assert_int_ge(now, last);
        last = now;
    }
    ck_assert_int_ge(clock_ms(&clock), last / 1000);
}
END_TEST

START_TEST(the_wall_clock_is_unix_time)
{
    struct clock clock;
    clock_init(&clock);
    int64_t before = (int64_t)time(NULL) - 1; /* time() may be a tick behind */
    int64_t now = clock_wall_us(&clock) / 1000000;
    ck_assert_int_ge(now, before);
    ck_assert_int_le(now, (int64_t)time(NULL) + 1);
}
END_TEST

static int64_t read_given(void *arg)
{
    return *(int64_t *)arg;
}

START_TEST(a_test_may_set_the_time)
{
    int64_t now_us = 1234567;
    struct clock clock = {.read_us = read_given, .read_wall_us = read_given, .arg = &now_us};
    ck_assert_int_eq(clock_us(&clock), 1234567);
    ck_assert_int_eq(clock_ms(&clock), 1234);
    ck_assert_int_eq(clock_wall_us(&clock), 1234567);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *all = tcase_create("all");
    tcase_add_test(all, the_monotonic_clock_never_goes_back);
    tcase_add_test(all, the_wall_clock_is_unix_time);
    tcase_add_test(all, a_test_may_set_the_time);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
