/* steps: what is made of the times that Redis tells. */
#include "jobs/steps.h"
#include "tests/unit/played.h"

static struct batches batches;
static struct steps steps;
static int64_t redis_us; /* Redis' wall clock less our monotonic one */

static void set_up(void)
{
    played_start();
    batches_init(&batches, &played, &played_clock, NULL, STR("me"));
    steps_init(&steps, &batches);
    steps.grace_max_ms = 60000;
    redis_us = INT64_C(1764105301000000);
}

static void tear_down(void)
{
    batches_clear(&batches);
    played_end();
}

/* A second later, with so long a way to Redis and back. */
static void look(int64_t there_us, int64_t back_us)
{
    char text[100];
    played_us += 1000000;
    steps_tick(&steps);
    steps_tick(&steps); /* one at a time */
    ck_assert_int_eq(played.count, played.answered + 1);
    ck_assert_str_eq(played.sent[played.answered].text, "TIME");
    played_us += there_us;
    int64_t wall_us = redis_us + played_us;
    played_us += back_us;
    snprintf(text, sizeof text, "*2\r\n$10\r\n%010lld\r\n$6\r\n%06lld\r\n",
             (long long)(wall_us / 1000000), (long long)(wall_us % 1000000));
    answer(text);
}

static void expect_steps(uint64_t forward, uint64_t back, int64_t low_ms, int64_t high_ms)
{
    ck_assert_uint_eq(steps.forward, forward);
    ck_assert_uint_eq(steps.back, back);
    ck_assert_int_ge(batches_held_ms(&batches), low_ms);
    ck_assert_int_le(batches_held_ms(&batches), high_ms);
}

START_TEST(a_long_way_to_redis_is_no_step)
{
    look(100, 100);
    look(3000000, 100);
    look(100, 3000000);
    look(100, 100);
    look(1500000, 1500000);
    expect_steps(0, 0, 0, 0);
}
END_TEST

START_TEST(a_clock_that_is_corrected_slowly_does_not_step)
{
    look(100, 100);
    for (int i = 0; i < 1000; i++) {
        redis_us += 500; /* 500 ppm */
        look(100, 100);
    }
    for (int i = 0; i < 2000; i++) {
        redis_us -= 500;
        look(100, 100);
    }
    expect_steps(0, 0, 0, 0);
}
END_TEST

START_TEST(a_step_forward_holds_grants_for_as_long)
{
    look(100, 100);
    look(100, 100);
    redis_us += 5000000;
    look(100, 400);
    expect_steps(1, 0, 5000, 5003);
    look(100, 100);
    expect_steps(1, 0, 3990, 4003);
}
END_TEST

START_TEST(a_step_is_seen_in_spite_of_a_long_way)
{
    look(100, 100);
    look(1000000, 1000000);
    redis_us += 2500000;
    look(1000000, 1000000);
    expect_steps(1, 0, 2500, 4600); /* it may have been longer: what is not known is added */
}
END_TEST

START_TEST(a_step_is_waited_for_no_longer_than_the_bound)
{
    look(100, 100);
    redis_us += INT64_C(86400000000);
    look(100, 100);
    expect_steps(1, 0, 60000, 60000);
    steps.grace_max_ms = 0;
    played_us += 60000000;
    redis_us += INT64_C(86400000000);
    look(100, 100);
    expect_steps(2, 0, 0, 0);
}
END_TEST

START_TEST(a_step_back_is_only_told)
{
    look(100, 100);
    redis_us -= 5000000;
    look(100, 100);
    expect_steps(0, 1, 0, 0);
    look(100, 100);
    expect_steps(0, 1, 0, 0);
}
END_TEST

START_TEST(what_is_no_time_is_left_alone)
{
    look(100, 100);
    steps_tick(&steps);
    answer("-NOPERM this user has no permissions\r\n");
    steps_tick(&steps);
    lose();
    steps_tick(&steps);
    answer("+OK\r\n");
    steps_tick(&steps);
    answer("*2\r\n:1795624150663286\r\n:5\r\n");
    steps_tick(&steps);
    answer("*2\r\n:1795624150\r\n:-1795624150663286\r\n");
    played.room = 0;
    steps_tick(&steps);
    played.room = 100;
    look(100, 100);
    expect_steps(0, 0, 0, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps");
    TCase *tcase = tcase_create("steps");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_long_way_to_redis_is_no_step);
    tcase_add_test(tcase, a_clock_that_is_corrected_slowly_does_not_step);
    tcase_add_test(tcase, a_step_forward_holds_grants_for_as_long);
    tcase_add_test(tcase, a_step_is_seen_in_spite_of_a_long_way);
    tcase_add_test(tcase, a_step_is_waited_for_no_longer_than_the_bound);
    tcase_add_test(tcase, a_step_back_is_only_told);
    tcase_add_test(tcase, what_is_no_time_is_left_alone);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
