/* probes: when resources are checked, what makes them ill and healthy, and what Redis is told. */
#include "jobs/probes.h"
#include "jobs/prober.h"
#include "tests/unit/domain.h"

#define SECOND 1000

/* --- checks that the test plays ------------------------------------------------------------------
 */

enum { CHECKS_MAX = 20000 };

struct check {
    char subject[64];
    enum check_kind kind;
    int64_t started_ms;
    check_done done;
    void *arg;
    bool is_over, is_stopped;
};

static struct check *checks;
static size_t check_count, answered;
static struct probes probes;

static struct check *play_start(void *arg, const struct check_spec *spec, check_done done,
                                void *done_arg)
{
    struct check *check = &checks[check_count++];
    ck_assert_uint_lt(check_count, CHECKS_MAX);
    ck_assert_ptr_eq(arg, &checks);
    *check = (struct check){
        .kind = spec->kind, .started_ms = played_us / 1000, .done = done, .arg = done_arg};
    snprintf(check->subject, sizeof check->subject, "%s", spec->subject);
    return check;
}

static void play_stop(struct check *check)
{
    ck_assert(!check->is_over && !check->is_stopped);
    check->is_stopped = true;
}

static bool is_open(const struct check *check)
{
    return !check->is_over && !check->is_stopped;
}

static size_t open_checks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < check_count; i++)
        count += is_open(&checks[i]);
    return count;
}

static void end_check(struct check *check, bool is_good)
{
    ck_assert(is_open(check));
    check->is_over = true;
    check->done(check->arg, is_good, is_good ? "connected" : "refused", 70);
}

/* --- a pool and its settings ---------------------------------------------------------------------
 */

static char target[] = "{resource}", ping[] = "PING", nothing[] = "", program[] = "/bin/check";
static struct pool *pool;

static void set_up(void)
{
    domain_start();
    checks = mem_array(CHECKS_MAX, sizeof *checks);
    check_count = answered = 0;
    struct pool_config *given = &config.pool_default;
    given->probe = CHECK_TCP;
    given->probe_target = target;
    given->probe_send = ping;
    given->probe_expect = given->tls_ca = nothing;
    given->probe_interval_ms = 10 * SECOND;
    given->probe_jitter = 20;
    given->probe_timeout_ms = 2 * SECOND;
    given->probe_rise = 1;
    given->probe_fall = 3;
    given->probe_concurrency = 64;
    given->unhealthy_timeout_ms = 3600 * SECOND;
    given->max_unhealthy = 50;
    probes_init(&probes, &pools,
                (struct check_runner){.start = play_start, .stop = play_stop, .arg = &checks},
                &played_clock, &test_rand, NULL);
    pool = the_pool("gpus");
    pool->is_known = pool->is_leading = true;
    pool->leads_until_ms = INT64_MAX;
}

static void tear_down(void)
{
    probes_stop(&probes);
    ck_assert_uint_eq(open_checks(), 0);
    ck_assert_uint_eq(probes.running, 0);
    while (played.answered < played.count)
        settle(CALL_REFUSED, "-READONLY no\r\n");
    ck_assert(list_is_empty(&probes.probers));
    probes_clear(&probes);
    mem_free(checks);
    domain_end();
}

/* Names n0, n1 ... that the SCAN finds. */
static int members;
static bool answers_scan = true;

static void answer_scan(void)
{
    char *text = mem_alloc((size_t)members * 40 + 100);
    size_t at = (size_t)sprintf(text, "*2\r\n$1\r\n0\r\n*%d\r\n", 2 * members);
    for (int i = 0; i < members; i++) {
        char name[20];
        int len = sprintf(name, "n%d", i);
        at += (size_t)sprintf(text + at, "$%d\r\n%s\r\n$1\r\nv\r\n", len, name);
    }
    settle_len(CALL_ANSWERED, text, at);
    mem_free(text);
}

/* What Redis was told of resources since the last look: "n1 1;n2 0;", and how often it was called.
 */
static char told[2000];
static int told_calls;

static void note_told(const struct sent *sent)
{
    char copy[PLAYED_TEXT], *rest = NULL;
    int word = 0;
    told_calls++;
    snprintf(copy, sizeof copy, "%s", strstr(sent->text, "tcp "));
    for (char *part = strtok_r(copy, " ", &rest); part != NULL; part = strtok_r(NULL, " ", &rest)) {
        /* kind healthy ill unknown round held (an empty trouble), then name ill latency text */
        if (word >= 6 && (word - 6) % 4 < 2)
            snprintf(told + strlen(told), sizeof told - strlen(told), "%s%s", part,
                     (word - 6) % 4 == 1 ? ";" : " ");
        word++;
    }
}

static void forget_told(void)
{
    told[0] = '\0';
    told_calls = 0;
}

static void answer_all(void)
{
    while (played.answered < played.count) {
        struct sent *sent = &played.sent[played.answered];
        if (strncmp(sent->text, "HSCAN", 5) == 0) {
            if (!answers_scan)
                return;
            answer_scan();
        } else {
            ck_assert_int_eq(sent->script, SCRIPT_POOL_PROBED);
            note_told(sent);
            answer("*2\r\n:0\r\n:0\r\n");
        }
    }
}

/* Is the result of its check a good one? */
static bool (*is_good)(const char *name);

static bool all_good(const char *name)
{
    (void)name;
    return true;
}

static bool all_bad(const char *name)
{
    (void)name;
    return false;
}

static bool all_but_n0(const char *name)
{
    return strcmp(name, "n0") != 0;
}

/* Time goes on; checks end at once, unless is_good is NULL. */
static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 100) {
        played_us += 100 * 1000;
        batches_tick(&batches);
        probes_tick(&probes);
        answer_all();
        for (; answered < check_count && is_good != NULL; answered++)
            if (is_open(&checks[answered]))
                end_check(&checks[answered], is_good(checks[answered].subject));
    }
}

static void begin_with(int count, bool (*good)(const char *name))
{
    members = count;
    answers_scan = true;
    is_good = good;
    forget_told();
}

/* --- when ----------------------------------------------------------------------------------------
 */

START_TEST(a_start_is_no_storm)
{
    begin_with(1000, all_good);
    pass(200); /* the SCAN */
    ck_assert_uint_lt(check_count, 100);
    int64_t begun_ms = played_us / 1000;
    size_t most = 0;
    for (int second = 0; second < 10; second++) {
        size_t before = check_count;
        pass(1000);
        most = check_count - before > most ? check_count - before : most;
    }
    ck_assert_uint_ge(check_count, 950);
    ck_assert_uint_lt(most, 200); /* of about 100 in each second */
    ck_assert_int_le(checks[0].started_ms - begun_ms, 500);
}
END_TEST

START_TEST(each_is_checked_once_an_interval_more_or_less)
{
    begin_with(1, all_good);
    pass(200 * SECOND);
    ck_assert_uint_ge(check_count, 18);
    ck_assert_uint_le(check_count, 22);
    bool is_jittered = false;
    for (size_t i = 1; i < check_count; i++) {
        int64_t between_ms = checks[i].started_ms - checks[i - 1].started_ms;
        ck_assert_int_ge(between_ms, 8 * SECOND);
        ck_assert_int_le(between_ms, 12 * SECOND + 200);
        is_jittered |= between_ms < 9500 || between_ms > 10500;
    }
    ck_assert(is_jittered);
}
END_TEST

START_TEST(no_more_run_at_a_time_than_may)
{
    config.pool_default.probe_concurrency = 3;
    begin_with(50, NULL); /* none ends */
    pass(20 * SECOND);
    ck_assert_uint_eq(check_count, 3);
    ck_assert_uint_eq(probes.running, 3);
    end_check(&checks[1], true); /* the next one begins at once */
    ck_assert_uint_eq(check_count, 4);
}
END_TEST

START_TEST(only_who_leads_probes)
{
    begin_with(5, NULL);
    pool->is_leading = false;
    pass(20 * SECOND);
    ck_assert_int_eq(played.count, 0);
    pool->is_leading = true;
    pass(20 * SECOND); /* an interval, with what it is spread by */
    ck_assert_uint_eq(open_checks(), 5);
    pool->leads_until_ms = played_us / 1000; /* Redis has not said that we still do */
    pass(100);
    ck_assert_uint_eq(open_checks(), 0);
    ck_assert_ptr_null(pool->prober);
    size_t before = check_count;
    pass(20 * SECOND);
    ck_assert_uint_eq(check_count, before);
    pool->leads_until_ms = INT64_MAX;
    pass(20 * SECOND);
    ck_assert_uint_gt(check_count, before);
}
END_TEST

START_TEST(who_is_told_that_another_leads_stops)
{
    begin_with(1, all_good);
    answers_scan = true;
    while (strstr(played.count > 0 ? played.sent[played.count - 1].text : "", "n0") == NULL) {
        played_us += 100 * 1000;
        batches_tick(&batches);
        probes_tick(&probes);
        while (played.answered < played.count &&
               strncmp(played.sent[played.answered].text, "HSCAN", 5) == 0)
            answer_scan();
        while (played.answered < played.count &&
               strstr(played.sent[played.answered].text, "n0") == NULL)
            answer("*2\r\n:0\r\n:0\r\n");
        for (; answered < check_count; answered++)
            end_check(&checks[answered], true);
    }
    answer(":-1\r\n");
    ck_assert(!pool_leads(pool));
    pass(100);
    ck_assert_ptr_null(pool->prober);
}
END_TEST

START_TEST(what_leaves_the_pool_is_checked_no_more_and_what_comes_is)
{
    begin_with(10, NULL);
    pass(11 * SECOND);
    ck_assert_uint_eq(open_checks(), 10);
    members = 4;
    pass(11 * SECOND);
    ck_assert_uint_eq(open_checks(), 4);
    ck_assert_uint_eq(pool->prober->targets.count, 4);
    members = 6;
    pass(22 * SECOND);
    ck_assert_uint_eq(open_checks(), 6);
}
END_TEST

START_TEST(a_pool_that_is_not_probed_costs_nothing)
{
    begin_with(10, all_good);
    config.pool_default.probe = CHECK_NONE;
    pass(20 * SECOND);
    ck_assert_int_eq(played.count, 0);
    config.pool_default.probe = CHECK_TCP; /* by CONFIG SET, say */
    pass(20 * SECOND);
    ck_assert_uint_gt(check_count, 9);
    config.pool_default.probe = CHECK_NONE;
    pass(100);
    ck_assert_ptr_null(pool->prober);
}
END_TEST

/* --- rise and fall -------------------------------------------------------------------------------
 */

/* The one resource is checked `count` times, with these results. */
static void results(const char *good_or_bad)
{
    for (; *good_or_bad != '\0'; good_or_bad++) {
        size_t before = answered;
        is_good = *good_or_bad == '+' ? all_good : all_bad;
        while (answered == before)
            pass(100);
    }
    pass(200); /* it is told */
}

START_TEST(three_failures_in_a_row_make_it_ill_and_one_success_healthy)
{
    config.pool_default.max_unhealthy = 100;
    begin_with(1, NULL);
    results("+");
    ck_assert_str_eq(told, "n0 0;");
    forget_told();
    results("--");
    ck_assert_str_eq(told, "");
    results("+--");
    ck_assert_str_eq(told, "");
    results("-");
    ck_assert_str_eq(told, "n0 1;");
    ck_assert_uint_eq(pool->prober->ill, 1);
    forget_told();
    results("--");
    ck_assert_str_eq(told, "");
    results("+");
    ck_assert_str_eq(told, "n0 0;");
    ck_assert_uint_eq(pool->prober->ill, 0);
    ck_assert_uint_eq(probes.counters.fallen, 1);
    ck_assert_uint_eq(probes.counters.risen, 1);
    ck_assert_uint_eq(probes.counters.checks, 10);
}
END_TEST

START_TEST(rise_asks_for_successes_in_a_row)
{
    config.pool_default.max_unhealthy = 100;
    config.pool_default.probe_rise = 3;
    config.pool_default.probe_fall = 1;
    begin_with(1, NULL);
    results("-");
    ck_assert_str_eq(told, "n0 1;");
    forget_told();
    results("++-++");
    ck_assert_str_eq(told, "");
    results("+");
    ck_assert_str_eq(told, "n0 0;");
}
END_TEST

START_TEST(what_does_not_change_is_told_once_a_minute)
{
    begin_with(1, all_good);
    pass(10 * SECOND);
    ck_assert_str_eq(told, "n0 0;");
    forget_told();
    pass(45 * SECOND);
    ck_assert_str_eq(told, "");
    pass(30 * SECOND);
    ck_assert_str_eq(told, "n0 0;");
}
END_TEST

START_TEST(a_short_quarantine_is_prolonged_before_it_ends)
{
    config.pool_default.max_unhealthy = 100;
    config.pool_default.unhealthy_timeout_ms = 30 * SECOND;
    begin_with(1, all_bad);
    pass(45 * SECOND);
    ck_assert_int_eq(strncmp(told, "n0 1;", 5), 0);
    forget_told();
    pass(30 * SECOND);
    ck_assert_int_eq(strncmp(told, "n0 1;", 5), 0);
}
END_TEST

START_TEST(what_was_not_heard_is_told_again)
{
    begin_with(1, all_good);
    while (pool->prober == NULL || list_is_empty(&pool->prober->reports))
        pass(100);
    played_us += 100 * 1000;
    probes_tick(&probes);
    ck_assert_ptr_nonnull(strstr(played.sent[played.count - 1].text, " n0 0 "));
    lose();
    forget_told();
    pass(13 * SECOND);
    ck_assert_str_eq(told, "n0 0;");
}
END_TEST

START_TEST(many_are_told_in_few_calls)
{
    begin_with(3000, all_good);
    pass(12 * SECOND);
    ck_assert_uint_ge(check_count, 3000);
    ck_assert_int_le(told_calls, 125); /* one a tick */
}
END_TEST

/* --- too many at once ----------------------------------------------------------------------------
 */

static int told_ill(void)
{
    int count = 0;
    for (const char *at = told; (at = strstr(at, " 1;")) != NULL; at++)
        count++;
    return count;
}

START_TEST(not_more_than_half_of_a_pool_is_quarantined)
{
    begin_with(10, all_good);
    pass(12 * SECOND);
    forget_told();
    is_good = all_bad;
    pass(50 * SECOND);
    ck_assert_uint_eq(pool->prober->ill, 10);
    ck_assert(pool->prober->is_held);
    ck_assert_uint_eq(probes.held, 1);
    ck_assert_int_eq(told_ill(), 5);
    is_good = all_but_n0;
    forget_told();
    pass(15 * SECOND);
    ck_assert(!pool->prober->is_held);
    ck_assert_uint_eq(pool->prober->ill, 1);
    ck_assert_uint_eq(probes.held, 0);
}
END_TEST

START_TEST(what_was_held_back_is_quarantined_when_others_are_well_again)
{
    config.pool_default.max_unhealthy = 0; /* one is too many */
    begin_with(4, all_but_n0);
    pass(50 * SECOND);
    ck_assert(pool->prober->is_held);
    ck_assert_int_eq(told_ill(), 0);
    config.pool_default.max_unhealthy = 25;
    pass(15 * SECOND);
    ck_assert(!pool->prober->is_held);
    ck_assert_int_eq(told_ill(), 1);
}
END_TEST

/* --- settings ------------------------------------------------------------------------------------
 */

START_TEST(a_round_tells_how_long_it_took)
{
    begin_with(20, all_good);
    pass(40 * SECOND);
    ck_assert_int_ge(pool->prober->round_ms, 8 * SECOND);
    ck_assert_int_le(pool->prober->round_ms, 16 * SECOND);
    members = 0;
    pass(15 * SECOND);
    ck_assert_uint_eq(pool->prober->targets.count, 0);
    members = 5;
    unsigned round = pool->prober->round;
    pass(60 * SECOND);
    ck_assert_uint_ge(pool->prober->round, round + 3);
}
END_TEST

START_TEST(other_settings_make_earlier_results_void)
{
    config.pool_default.max_unhealthy = 100;
    begin_with(1, all_bad);
    pass(45 * SECOND);
    ck_assert_uint_eq(pool->prober->ill, 1);
    config.pool_default.probe = CHECK_RESP;
    pass(100);
    ck_assert_uint_eq(pool->prober->ill, 0);
}
END_TEST

START_TEST(settings_that_make_no_sense_check_nothing)
{
    begin_with(3, NULL);
    config.pool_default.probe = CHECK_EXEC; /* the resource would be the program */
    pass(20 * SECOND);
    ck_assert_uint_eq(check_count, 0);
    ck_assert_ptr_nonnull(strstr(pool->prober->trouble, "probe_target"));
    config.pool_default.probe_target = program;
    pass(20 * SECOND);
    ck_assert_uint_eq(check_count, 3);
    ck_assert_str_eq(pool->prober->trouble, "");
    config.pool_default.probe = CHECK_HTTP;
    config.pool_default.probe_expect = ping;
    pass(100);
    ck_assert_ptr_nonnull(strstr(pool->prober->trouble, "probe_expect"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("probes");
    TCase *tcase = tcase_create("probes");
    const TTest *const tests[] = {a_start_is_no_storm,
                                  each_is_checked_once_an_interval_more_or_less,
                                  no_more_run_at_a_time_than_may,
                                  only_who_leads_probes,
                                  who_is_told_that_another_leads_stops,
                                  what_leaves_the_pool_is_checked_no_more_and_what_comes_is,
                                  a_pool_that_is_not_probed_costs_nothing,
                                  three_failures_in_a_row_make_it_ill_and_one_success_healthy,
                                  rise_asks_for_successes_in_a_row,
                                  what_does_not_change_is_told_once_a_minute,
                                  a_short_quarantine_is_prolonged_before_it_ends,
                                  what_was_not_heard_is_told_again,
                                  many_are_told_in_few_calls,
                                  not_more_than_half_of_a_pool_is_quarantined,
                                  what_was_held_back_is_quarantined_when_others_are_well_again,
                                  a_round_tells_how_long_it_took,
                                  other_settings_make_earlier_results_void,
                                  settings_that_make_no_sense_check_nothing};
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
