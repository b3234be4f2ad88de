/* schedule: which times a schedule means, and which texts are none. */
#include "task/schedule.h"
#include "base/mem.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t at(const char *text)
{
    struct tm tm = {0};
    ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
    return (int64_t)timegm(&tm) * 1000;
}

static void expect_next(const char *schedule, const char *after, const char *next)
{
    struct schedule parsed;
    struct err err;
    ck_assert_msg(schedule_parse(str_of(schedule), &parsed, &err), "%s", err.text);
    int64_t ms = schedule_next(&parsed, at(after));
    ck_assert_msg(ms == at(next), "'%s' after %s is %lld, not %s (%lld)", schedule, after,
                  (long long)ms, next, (long long)at(next));
}

START_TEST(fields_say_when)
{
    expect_next("* * * * *", "2026-03-01 10:00:00", "2026-03-01 10:01:00");
    expect_next("* * * * *", "2026-03-01 10:00:59", "2026-03-01 10:01:00");
    expect_next("30 4 * * *", "2026-03-01 04:30:00", "2026-03-02 04:30:00");
    expect_next("*/15 9-17 * * 1-5", "2026-03-06 17:45:00", "2026-03-09 09:00:00");
    expect_next("5,10-12 * * * *", "2026-03-01 10:05:00", "2026-03-01 10:10:00");
    expect_next("50/3 * * * *", "2026-03-01 10:53:00", "2026-03-01 10:56:00");
    expect_next("0 0 31 * *", "2026-04-01 00:00:00", "2026-05-31 00:00:00");
    expect_next("0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00");
    expect_next("0 12 * * 7", "2026-03-01 12:00:00", "2026-03-08 12:00:00");
    expect_next("  0   0  1 1  * ", "2026-12-31 23:59:59", "2027-01-01 00:00:00");
}
END_TEST

START_TEST(of_day_and_weekday_one_is_enough)
{
    expect_next("0 0 13 * 5", "2026-03-01 00:00:00", "2026-03-06 00:00:00"); /* a Friday */
    expect_next("0 0 13 * 1", "2026-04-07 00:00:00", "2026-04-13 00:00:00");
    expect_next("0 0 2 * 1", "2026-04-28 00:00:00", "2026-05-02 00:00:00"); /* a Saturday */
}
END_TEST

START_TEST(words_stand_for_fields)
{
    expect_next("@hourly", "2026-03-01 10:00:00", "2026-03-01 11:00:00");
    expect_next("@Daily", "2026-03-01 10:00:00", "2026-03-02 00:00:00");
    expect_next("@weekly", "2026-03-01 10:00:00", "2026-03-08 00:00:00");
    expect_next("@monthly", "2026-03-01 10:00:00", "2026-04-01 00:00:00");
    expect_next("@yearly", "2026-03-01 10:00:00", "2027-01-01 00:00:00");
}
END_TEST

START_TEST(every_means_multiples_wherever_it_is_asked)
{
    expect_next("@every 30", "2026-03-01 10:00:00", "2026-03-01 10:00:30");
    expect_next("@every 30", "2026-03-01 10:00:29", "2026-03-01 10:00:30");
    expect_next("@every 3600", "2026-03-01 10:00:01", "2026-03-01 11:00:00");
}
END_TEST

START_TEST(what_never_comes_is_never)
{
    struct schedule parsed;
    struct err err;
    ck_assert(schedule_parse(STR("0 0 31 2 *"), &parsed, &err));
    ck_assert_int_eq(schedule_next(&parsed, at("2026-03-01 00:00:00")), -1);
    ck_assert(schedule_parse(STR("* * * * *"), &parsed, &err));
    ck_assert_int_eq(schedule_next(&parsed, INT64_MAX / 2), -1);
}
END_TEST

START_TEST(what_is_no_schedule_is_refused_with_its_field)
{
    static const char *const bad[][2] = {
        {"", "neither"},           {"* * * *", "neither"},      {"* * * * * *", "neither"},
        {"60 * * * *", "minute"},  {"-1 * * * *", "minute"},    {"* 24 * * *", "hour"},
        {"* * 0 * *", "day"},      {"* * * 13 *", "month"},     {"* * * * 8", "weekday"},
        {"5-1 * * * *", "minute"}, {"*/0 * * * *", "minute"},   {"1, * * * *", "minute"},
        {"a * * * *", "minute"},   {"1/2/3 * * * *", "minute"}, {"@every", "@every"},
        {"@every 0.5", "@every"},  {"@every x", "@every"},      {"@never", "neither"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct schedule parsed;
        struct err err;
        ck_assert_msg(!schedule_parse(str_of(bad[i][0]), &parsed, &err), "'%s'", bad[i][0]);
        ck_assert_msg(strstr(err.text, bad[i][1]) != NULL, "'%s': %s", bad[i][0], err.text);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        fields_say_when,           of_day_and_weekday_one_is_enough,
        words_stand_for_fields,    every_means_multiples_wherever_it_is_asked,
        what_never_comes_is_never, what_is_no_schedule_is_refused_with_its_field};
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
