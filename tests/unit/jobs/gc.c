/* gc: when pools are collected, how much is swept, and how pools of others are found. */
#include "jobs/gc.h"
#include "tests/unit/domain.h"

/* leads scanned reclaimed expired repaired broken more total next_deadline leader_ttl */
#define LED(total) "*10\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:" total "\r\n:-1\r\n:4000\r\n"
#define FOLLOWED   "*10\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:5\r\n:-1\r\n:3500\r\n"
#define NO_KEYS    "*2\r\n$1\r\n0\r\n*0\r\n"

static struct gc gc;

static void set_up(void)
{
    domain_start();
    gc_init(&gc, &pools, &played_clock, &test_rand, NULL);
    gc.scan_due_ms = INT64_MAX; /* tests of discovery set it */
}

/* What is on its way is answered, as a cleared pool has to be idle. */
static void tear_down(void)
{
    while (played.answered < played.count)
        settle(CALL_REFUSED, "-READONLY no\r\n");
    domain_end();
}

static void tick(int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 100) {
        played_us += (left < 100 ? left : 100) * 1000;
        batches_tick(&batches);
        gc_tick(&gc);
    }
}

/* Ticks until a call waits for its answer; how long that took in ms. */
static int64_t until_call(void)
{
    int64_t began = played_us;
    while (played.count == played.answered) {
        ck_assert_int_lt(played_us - began, 120 * 1000000LL);
        tick(100);
    }
    return (played_us - began) / 1000;
}

/* Which sweep the waiting collection asks for. */
static int64_t sweep_asked(void)
{
    struct sent *sent = &played.sent[played.answered];
    ck_assert_int_eq(sent->script, SCRIPT_POOL_GC);
    return strtoll(strrchr(sent->text, ' ') + 1, NULL, 10);
}

START_TEST(a_pool_is_collected_every_second)
{
    the_pool("gpus");
    ck_assert_int_le(until_call(), 1100);
    ck_assert_ptr_nonnull(strstr(played.sent[0].text, "me 4000 1000 "));
    answer(LED("5"));
    for (int i = 0; i < 5; i++) {
        ck_assert_int_le(until_call(), 1100);
        answer(LED("5"));
    }
}
END_TEST

START_TEST(one_collection_of_a_pool_is_on_its_way_at_a_time)
{
    the_pool("gpus");
    until_call();
    tick(1500);
    ck_assert_int_eq(played.count, 1);
    answer(LED("5"));
}
END_TEST

START_TEST(what_was_collected_is_kept_and_counted)
{
    struct pool *pool = the_pool("gpus");
    until_call();
    answer("*10\r\n:1\r\n:9\r\n:2\r\n:3\r\n:4\r\n:0\r\n:0\r\n:77\r\n:-1\r\n:4000\r\n");
    ck_assert(pool->is_leading);
    ck_assert(pool->is_known);
    ck_assert_int_eq(pool->total, 77);
    ck_assert_uint_eq(pool->counters.reclaimed, 2);
    ck_assert_uint_eq(pool->counters.expired, 3);
    ck_assert_uint_eq(pool->counters.repaired, 4);
}
END_TEST

START_TEST(an_empty_pool_is_asked_seldom_and_not_known)
{
    struct pool *pool = the_pool("gpus");
    pool->is_known = true;
    until_call();
    answer(LED("0"));
    ck_assert(!pool->is_known);
    ck_assert_int_ge(until_call(), 4000);
    answer("*10\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1700000000000\r\n:4000\r\n");
    ck_assert(pool->is_known); /* a lease runs on */
}
END_TEST

START_TEST(a_pool_that_gets_resources_is_collected_soon)
{
    struct told told = {0};
    struct str resource = STR("a");
    struct pool *pool = the_pool("gpus");
    until_call();
    answer(LED("0"));
    members_extend(pool, 0, &resource, 1, hear_answer, &told);
    answer(":1\r\n");
    ck_assert_int_le(until_call(), 1100);
    answer(LED("1"));
}
END_TEST

START_TEST(a_follower_asks_when_the_leaders_time_may_have_ended)
{
    struct pool *pool = the_pool("gpus");
    until_call();
    answer(FOLLOWED);
    ck_assert(!pool->is_leading);
    int64_t waited = until_call();
    ck_assert_int_ge(waited, 3500);
    ck_assert_int_le(waited, 4000);
    answer(LED("5"));
    ck_assert(pool->is_leading);
}
END_TEST

START_TEST(a_leader_without_a_time_is_asked_about_again)
{
    the_pool("gpus");
    until_call();
    answer("*10\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:5\r\n:-1\r\n:-1\r\n");
    ck_assert_int_le(until_call(), 1500);
}
END_TEST

START_TEST(more_that_is_due_is_collected_at_once)
{
    the_pool("gpus");
    until_call();
    answer("*10\r\n:1\r\n:0\r\n:1000\r\n:0\r\n:0\r\n:0\r\n:1\r\n:2000\r\n:5\r\n:4000\r\n");
    ck_assert_int_le(until_call(), 100);
}
END_TEST

START_TEST(a_broken_list_is_repaired)
{
    struct pool *pool = the_pool("gpus");
    until_call();
    answer("*10\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:1\r\n:0\r\n:5\r\n:-1\r\n:4000\r\n");
    assert_sent(1, SCRIPT_POOL_REPAIR, "");
    answer("*4\r\n:5\r\n:5\r\n:0\r\n:2\r\n");
    ck_assert_uint_eq(pool->counters.repaired, 2);
}
END_TEST

START_TEST(a_lost_collection_does_not_end_collecting)
{
    the_pool("gpus");
    until_call();
    lose();
    ck_assert_int_le(until_call(), 1100);
    settle(CALL_REFUSED, "-READONLY no\r\n");
    ck_assert_int_le(until_call(), 1100);
    answer("$3\r\nodd\r\n");
    ck_assert_int_le(until_call(), 1100);
    answer(LED("1"));
}
END_TEST

/* How many entries are swept in so many seconds, when the pool has `total`. */
static int64_t count_swept(const char *led, int seconds)
{
    int64_t swept = 0;
    until_call();
    answer(led);
    int64_t began = played_us;
    while (played_us - began < (int64_t)seconds * 1000000) {
        until_call();
        ck_assert_int_le(sweep_asked(), 5000);
        swept += sweep_asked();
        answer(led);
    }
    return swept;
}

START_TEST(ten_thousand_resources_are_swept_in_ten_seconds)
{
    the_pool("gpus");
    count_swept(LED("10000"), 10); /* its size is known from here on */
    int64_t swept = count_swept(LED("10000"), 100);
    ck_assert_int_ge(swept, 10 * 10000);
    ck_assert_int_le(swept, 20 * 10000);
}
END_TEST

START_TEST(a_slow_interval_is_shortened_for_a_large_pool)
{
    config.pool_default.gc_interval_ms = 60000;
    the_pool("gpus");
    count_swept(LED("10000"), 70);
    ck_assert_int_ge(count_swept(LED("10000"), 100), 10 * 10000);
}
END_TEST

START_TEST(the_price_of_the_sweep_does_not_grow_for_ever)
{
    the_pool("gpus");
    count_swept(LED("1000000"), 10);
    ck_assert_int_le(count_swept(LED("1000000"), 100), 20 * 10000);
}
END_TEST

START_TEST(a_small_pool_is_swept_at_its_interval)
{
    the_pool("gpus");
    count_swept(LED("3"), 10);
    int64_t swept = count_swept(LED("3"), 50);
    ck_assert_int_ge(swept, 10 * 10);
    ck_assert_int_le(swept, 12 * 10);
}
END_TEST

START_TEST(gc_count_is_taken_as_it_is)
{
    struct pool *pool;
    config.pool_default.gc_count = 123;
    pool = the_pool("gpus");
    pool->sweep_due_ms = 0;
    until_call();
    ck_assert_int_eq(sweep_asked(), 123);
    answer(LED("10000"));
    until_call();
    ck_assert_int_eq(sweep_asked(), 0);
}
END_TEST

START_TEST(many_pools_do_not_keep_step)
{
    char name[16];
    int most = 0;
    config.server.max_pools = 100;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "p%d", i);
        the_pool(name);
    }
    for (int i = 0; i < 30; i++) {
        int before = played.count;
        tick(100);
        most = played.count - before > most ? played.count - before : most;
        while (played.answered < played.count)
            answer(LED("5"));
    }
    ck_assert_int_gt(played.count, 250);
    ck_assert_int_lt(most, 40);
}
END_TEST

/* --- discovery
 * ------------------------------------------------------------------------------------ */

START_TEST(pools_of_others_are_found)
{
    gc.scan_due_ms = 0;
    until_call();
    assert_sent(0, SCRIPT_NONE, "SCAN 0 MATCH ns|*|pool COUNT 1000 TYPE hash");
    answer("*2\r\n$2\r\n17\r\n*3\r\n$12\r\nns|gpus|pool\r\n$11\r\nns|a:b|pool\r\n$12\r\nns|a|b|"
           "pool2\r\n");
    ck_assert_uint_eq(pools.all.count, 1);
    ck_assert(pools_find(&pools, STR("gpus"))->is_known);
    pools_find(&pools, STR("gpus"))->gc_due_ms = INT64_MAX;
    ck_assert_int_le(until_call(), 100);
    assert_sent(1, SCRIPT_NONE, "SCAN 17 MATCH ns|*|pool COUNT 1000 TYPE hash");
    answer(NO_KEYS);
}
END_TEST

START_TEST(a_pass_begins_once_a_minute)
{
    gc.scan_due_ms = 0;
    until_call();
    answer(NO_KEYS);
    int64_t waited = until_call();
    ck_assert_int_ge(waited, 53000);
    ck_assert_int_le(waited, 60100);
    answer(NO_KEYS);
}
END_TEST

START_TEST(a_pass_goes_on_where_it_was_lost)
{
    gc.scan_due_ms = 0;
    until_call();
    answer("*2\r\n$2\r\n17\r\n*0\r\n");
    until_call();
    lose();
    ck_assert_int_ge(until_call(), 900);
    assert_sent(2, SCRIPT_NONE, "SCAN 17 MATCH ns|*|pool COUNT 1000 TYPE hash");
    answer(NO_KEYS);
}
END_TEST

START_TEST(signs_of_patterns_in_the_prefix_stand_for_themselves)
{
    static char prefix[] = "a*b?[c]\\";
    config.server.namespace = prefix;
    gc.scan_due_ms = 0;
    until_call();
    assert_sent(0, SCRIPT_NONE, "SCAN 0 MATCH a\\*b\\?\\[c\\]\\\\|*|pool COUNT 1000 TYPE hash");
    answer(NO_KEYS);
}
END_TEST

START_TEST(no_more_pools_are_found_than_may_be_known)
{
    config.server.max_pools = 1;
    gc.scan_due_ms = 0;
    until_call();
    answer("*2\r\n$1\r\n0\r\n*2\r\n$9\r\nns|a|pool\r\n$9\r\nns|b|pool\r\n");
    ck_assert_uint_eq(pools.all.count, 1);
    pools_find(&pools, STR("a"))->gc_due_ms = INT64_MAX;
}
END_TEST

START_TEST(discovery_waits_while_redis_is_away)
{
    played.away_ms = 5000;
    gc.scan_due_ms = 0;
    tick(3000);
    ck_assert_int_eq(played.count, 0);
    played.away_ms = 0;
    ck_assert_int_le(until_call(), 1100);
    answer(NO_KEYS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gc");
    TCase *tcase = tcase_create("gc");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_pool_is_collected_every_second);
    tcase_add_test(tcase, one_collection_of_a_pool_is_on_its_way_at_a_time);
    tcase_add_test(tcase, what_was_collected_is_kept_and_counted);
    tcase_add_test(tcase, an_empty_pool_is_asked_seldom_and_not_known);
    tcase_add_test(tcase, a_pool_that_gets_resources_is_collected_soon);
    tcase_add_test(tcase, a_follower_asks_when_the_leaders_time_may_have_ended);
    tcase_add_test(tcase, a_leader_without_a_time_is_asked_about_again);
    tcase_add_test(tcase, more_that_is_due_is_collected_at_once);
    tcase_add_test(tcase, a_broken_list_is_repaired);
    tcase_add_test(tcase, a_lost_collection_does_not_end_collecting);
    tcase_add_test(tcase, ten_thousand_resources_are_swept_in_ten_seconds);
    tcase_add_test(tcase, a_slow_interval_is_shortened_for_a_large_pool);
    tcase_add_test(tcase, the_price_of_the_sweep_does_not_grow_for_ever);
    tcase_add_test(tcase, a_small_pool_is_swept_at_its_interval);
    tcase_add_test(tcase, gc_count_is_taken_as_it_is);
    tcase_add_test(tcase, many_pools_do_not_keep_step);
    tcase_add_test(tcase, pools_of_others_are_found);
    tcase_add_test(tcase, a_pass_begins_once_a_minute);
    tcase_add_test(tcase, a_pass_goes_on_where_it_was_lost);
    tcase_add_test(tcase, signs_of_patterns_in_the_prefix_stand_for_themselves);
    tcase_add_test(tcase, no_more_pools_are_found_than_may_be_known);
    tcase_add_test(tcase, discovery_waits_while_redis_is_away);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
