/* ticker: when a job runs, and what it may do to its own ticker. */
#include "io/ticker.h"
#include "base/clock.h"
#include "base/mem.h"
#include <check.h>
#include <stdlib.h>
#include <sys/time.h>

static struct event_base *base;
static struct clock machine_clock;
static struct ticker *ticker; /* on the heap: a touch after its end is seen */
static int runs;
static int64_t job_ms;         /* how long the job takes */
static int64_t last_end_ms;    /* when it returned last */
static int64_t least_pause_ms; /* between a return and the next run */
static bool is_running, was_nested;

static int64_t now_ms(void)
{
    return clock_ms(&machine_clock);
}

static void job(void *arg)
{
    (void)arg;
    was_nested = was_nested || is_running;
    is_running = true;
    runs++;
    if (last_end_ms > 0 && now_ms() - last_end_ms < least_pause_ms)
        least_pause_ms = now_ms() - last_end_ms;
    for (int64_t end_ms = now_ms() + job_ms; now_ms() < end_ms;)
        ;
    last_end_ms = now_ms();
    is_running = false;
}

static void job_that_stops(void *arg)
{
    job(arg);
    ticker_stop(ticker);
}

static void job_that_clears(void *arg)
{
    job(arg);
    ticker_clear(ticker);
    mem_free(ticker);
    ticker = NULL;
}

static void job_that_restarts(void *arg)
{
    job(arg);
    ticker_stop(ticker);
    ticker_start(ticker);
}

static void job_that_slows(void *arg)
{
    job(arg);
    ticker_set_interval(ticker, 3600 * 1000);
}

static void set_up(void)
{
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    clock_init(&machine_clock);
    ticker = mem_zalloc(sizeof(*ticker));
    least_pause_ms = INT64_MAX;
}

static void tear_down(void)
{
    if (ticker != NULL)
        ticker_clear(ticker);
    mem_free(ticker);
    event_base_free(base);
}

static void turn_until(int wanted_runs)
{
    for (int64_t give_up_ms = now_ms() + 20000; runs < wanted_runs;) {
        ck_assert_int_ge(give_up_ms, now_ms());
        event_base_loop(base, EVLOOP_ONCE);
    }
}

/* No event is left: the loop has nothing to wait for. */
static void expect_rest(void)
{
    ck_assert_int_eq(event_base_loop(base, 0), 1);
}

START_TEST(a_job_repeats_after_each_interval)
{
    int64_t started_ms = now_ms();
    ticker_init(ticker, base, NULL, 5, 0, job, NULL);
    ck_assert_int_eq(runs, 0);
    ticker_start(ticker);
    ticker_start(ticker);
    turn_until(4);
    ck_assert_int_ge(now_ms() - started_ms, 4 * 5 - 1);
}
END_TEST

START_TEST(it_does_not_start_by_itself)
{
    ticker_init(ticker, base, NULL, 1, 0, job, NULL);
    expect_rest();
    ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(an_interval_begins_when_the_job_has_returned)
{
    job_ms = 15;
    ticker_init(ticker, base, NULL, 10, 0, job, NULL);
    ticker_start(ticker);
    turn_until(4);
    ck_assert_int_ge(least_pause_ms, 9);
    ck_assert(!was_nested);
}
END_TEST

START_TEST(a_stopped_ticker_rests_until_started_again)
{
    ticker_init(ticker, base, NULL, 1, 0, job, NULL);
    ticker_start(ticker);
    ticker_stop(ticker);
    expect_rest();
    ck_assert_int_eq(runs, 0);
    ticker_start(ticker);
    turn_until(2);
}
END_TEST

START_TEST(a_job_may_stop_its_ticker)
{
    ticker_init(ticker, base, NULL, 1, 0, job_that_stops, NULL);
    ticker_start(ticker);
    turn_until(1);
    expect_rest();
    ck_assert_int_eq(runs, 1);
}
END_TEST

START_TEST(a_job_may_stop_and_start_its_ticker)
{
    ticker_init(ticker, base, NULL, 1, 0, job_that_restarts, NULL);
    ticker_start(ticker);
    turn_until(3);
}
END_TEST

START_TEST(a_job_may_clear_its_ticker)
{
    ticker_init(ticker, base, NULL, 1, 0, job_that_clears, NULL);
    ticker_start(ticker);
    turn_until(1);
    expect_rest();
    ck_assert_int_eq(runs, 1);
}
END_TEST

static int64_t next_in_ms(void)
{
    struct timeval at, now;
    ck_assert(event_pending(ticker->event, EV_TIMEOUT, &at));
    gettimeofday(&now, NULL);
    return (at.tv_sec - now.tv_sec) * 1000 + (at.tv_usec - now.tv_usec) / 1000;
}

START_TEST(a_new_interval_holds_at_once)
{
    ticker_init(ticker, base, NULL, 3600 * 1000, 0, job, NULL);
    ticker_set_interval(ticker, 7200 * 1000); /* does not start it */
    expect_rest();
    ticker_start(ticker);
    ck_assert_int_gt(next_in_ms(), 7000 * 1000);
    ticker_set_interval(ticker, 1);
    turn_until(1);
}
END_TEST

START_TEST(a_job_may_change_the_interval)
{
    ticker_init(ticker, base, NULL, 1, 0, job_that_slows, NULL);
    ticker_start(ticker);
    turn_until(1);
    ck_assert_int_gt(next_in_ms(), 3000 * 1000);
}
END_TEST

START_TEST(jitter_stays_within_its_share_and_differs)
{
    struct rand rand;
    rand_init(&rand);
    ticker_init(ticker, base, &rand, 1000 * 1000, 20, job, NULL);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 200; i++) {
        ticker_start(ticker);
        int64_t in_ms = next_in_ms();
        least = in_ms < least ? in_ms : least;
        most = in_ms > most ? in_ms : most;
        ticker_stop(ticker);
    }
    ck_assert_int_ge(least, 799 * 1000);
    ck_assert_int_le(most, 1201 * 1000);
    ck_assert_int_lt(least, 850 * 1000);
    ck_assert_int_gt(most, 1150 * 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ticker");
    TCase *jobs = tcase_create("jobs");
    tcase_set_timeout(jobs, 30);
    tcase_add_checked_fixture(jobs, set_up, tear_down);
    tcase_add_test(jobs, a_job_repeats_after_each_interval);
    tcase_add_test(jobs, it_does_not_start_by_itself);
    tcase_add_test(jobs, an_interval_begins_when_the_job_has_returned);
    tcase_add_test(jobs, a_stopped_ticker_rests_until_started_again);
    tcase_add_test(jobs, a_job_may_stop_its_ticker);
    tcase_add_test(jobs, a_job_may_stop_and_start_its_ticker);
    tcase_add_test(jobs, a_job_may_clear_its_ticker);
    tcase_add_test(jobs, a_new_interval_holds_at_once);
    tcase_add_test(jobs, a_job_may_change_the_interval);
    tcase_add_test(jobs, jitter_stays_within_its_share_and_differs);
    suite_add_tcase(suite, jobs);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
