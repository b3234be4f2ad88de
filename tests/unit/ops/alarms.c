/* alarms: what rings when. */
#include "ops/alarms.h"
#include <check.h>
#include <stdlib.h>

enum { COUNT = 500 };

static struct alarms alarms;
static struct alarm all[COUNT];
static int64_t scheduled_ms, last_ms;
static int rung;

static void ring(struct alarm *alarm)
{
    ck_assert_uint_eq(alarm->place, 0);
    ck_assert_int_ge(alarm->at_ms, last_ms);
    last_ms = alarm->at_ms;
    rung++;
}

static void ring_again(struct alarm *alarm)
{
    rung++;
    alarm_set(&alarms, alarm, alarm->at_ms);
}

static void note(void *arg, int64_t at_ms)
{
    (void)arg;
    scheduled_ms = at_ms;
}

static void set_up(void)
{
    alarms = (struct alarms){.schedule = note};
    for (int i = 0; i < COUNT; i++)
        all[i] = (struct alarm){.ring = ring};
    srand(4711);
}

static void tear_down(void)
{
    alarms_clear(&alarms);
}

START_TEST(alarms_ring_when_they_are_due_in_their_order)
{
    int due = 0, left = COUNT;
    for (int i = 0; i < COUNT; i++)
        alarm_set(&alarms, &all[i], rand() % 1000);
    for (int i = 0; i < COUNT; i += 3) {
        alarm_stop(&alarms, &all[i]);
        left--;
    }
    for (int i = 1; i < COUNT; i += 3)
        alarm_set(&alarms, &all[i], rand() % 1000);
    for (int i = 0; i < COUNT; i++)
        due += all[i].place > 0 && all[i].at_ms <= 500;
    alarms_ring(&alarms, 500);
    ck_assert_int_eq(rung, due);
    alarms_ring(&alarms, 1000);
    ck_assert_int_eq(rung, left);
    ck_assert_uint_eq(alarms.count, 0);
}
END_TEST

START_TEST(the_earliest_is_scheduled)
{
    alarm_set(&alarms, &all[0], 50);
    ck_assert_int_eq(scheduled_ms, 50);
    alarm_set(&alarms, &all[1], 70);
    ck_assert_int_eq(scheduled_ms, 50);
    alarm_set(&alarms, &all[2], 20);
    ck_assert_int_eq(scheduled_ms, 20);
    alarms_ring(&alarms, 50);
    ck_assert_int_eq(scheduled_ms, 70);
}
END_TEST

START_TEST(one_that_is_not_set_may_be_stopped)
{
    alarm_stop(&alarms, &all[0]);
    alarm_set(&alarms, &all[0], 5);
    alarm_stop(&alarms, &all[0]);
    alarm_stop(&alarms, &all[0]);
    alarms_ring(&alarms, 10);
    ck_assert_int_eq(rung, 0);
}
END_TEST

START_TEST(one_that_sets_itself_again_does_not_keep_the_caller)
{
    all[0].ring = ring_again;
    alarm_set(&alarms, &all[0], 5);
    alarms_ring(&alarms, 10);
    ck_assert_int_eq(rung, 1);
    ck_assert_uint_eq(alarms.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alarms");
    TCase *tcase = tcase_create("alarms");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, alarms_ring_when_they_are_due_in_their_order);
    tcase_add_test(tcase, the_earliest_is_scheduled);
    tcase_add_test(tcase, one_that_is_not_set_may_be_stopped);
    tcase_add_test(tcase, one_that_sets_itself_again_does_not_keep_the_caller);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
