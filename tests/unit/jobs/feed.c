/* feed: whose turn it is, when sources are read, and what is sent to the pool. */
#include "jobs/feed.h"
#include "tests/unit/domain.h"
#include <unistd.h>

#define MINE    "*2\r\n:1\r\n:10000\r\n"
#define CHANGED "*2\r\n:1\r\n:0\r\n"

static struct feed_host host;
static struct feed *feed;
static struct pool_config setting;
static char path[40], first[60], second[60], *texts[2];
static struct refresh refreshed;
static struct told told;

static void put_list(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* A feed of this file; of it twice, when there are two. */
static void open_feed(int count)
{
    struct pool *pool = the_pool("gpus");
    setting = config.pool_default;
    setting.sources = (struct text_list){texts, count};
    setting.source_interval_ms = 60000;
    setting.source_timeout_ms = 10000;
    setting.source_max = 100;
    setting.source_max_bytes = 10000;
    pool->config = &setting;
    feed = feed_new(&host, pool);
}

static void set_up(void)
{
    domain_start();
    host = (struct feed_host){
        .read.base = event_base_new(), .clock = &played_clock, .rand = &test_rand};
    strcpy(path, "/tmp/feed-XXXXXX");
    close(mkstemp(path));
    put_list("a\nb\n");
    snprintf(first, sizeof first, "file:%s", path);
    snprintf(second, sizeof second, "file:%s", path);
    texts[0] = first;
    texts[1] = second;
    told = (struct told){0};
}

/* What is on its way is answered, as a cleared pool has to be idle. */
static void tear_down(void)
{
    struct err err = {ERR_GENERAL, "closed"};
    if (feed != NULL)
        feed_close(feed, &err);
    while (played.answered < played.count)
        settle(CALL_REFUSED, "-READONLY no\r\n");
    domain_end();
    event_base_free(host.read.base);
    unlink(path);
}

static void tick(int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 100) {
        played_us += (left < 100 ? left : 100) * 1000;
        batches_tick(&batches);
        feed_tick(feed, true);
        event_base_loop(host.read.base, EVLOOP_NONBLOCK);
    }
}

/* Ticks until a call waits for its answer; how long that took in ms. */
static int64_t until_call(void)
{
    int64_t began_us = played_us;
    while (played.count == played.answered) {
        ck_assert_int_lt(played_us - began_us, 400 * 1000000LL);
        tick(100);
    }
    return (played_us - began_us) / 1000;
}

/* Answers renewals of the turn until something else is asked for; how long that took. */
static int64_t until_work(void)
{
    int64_t ms = until_call();
    while (played.sent[played.answered].script == SCRIPT_POOL_TURN) {
        answer(MINE);
        ms += until_call();
    }
    return ms;
}

#define assert_asked(id, words) assert_sent(played.answered, id, words)

static void hear(void *arg, const struct err *err, const struct refresh *refresh)
{
    ck_assert_ptr_eq(arg, &told);
    note_err(&told, err);
    if (refresh != NULL)
        refreshed = *refresh;
}

START_TEST(who_gets_the_turn_reads_at_once)
{
    open_feed(1);
    ck_assert_int_eq(until_call(), 100);
    assert_asked(SCRIPT_POOL_TURN, "me 10000 0");
    ck_assert_str_eq(played.sent[0].key, "ns|gpus:ns|gpus|pool|policy_update_lock");
    answer(MINE);
    ck_assert_int_le(until_call(), 200);
    assert_asked(SCRIPT_POOL_ASSIGN, "0 a b");
    answer("*2\r\n:2\r\n:0\r\n");
    ck_assert_int_eq(feed->sources[0].count, 2);
    ck_assert_int_ge(feed->sources[0].read_ms, 0);
    ck_assert_uint_eq(host.rounds, 0);
}
END_TEST

START_TEST(several_sources_extend_one_after_the_other_with_the_expiry)
{
    open_feed(2);
    setting.source_expiry_ms = 90000;
    until_call();
    answer(MINE);
    until_call();
    assert_asked(SCRIPT_POOL_EXTEND, "90000 a b");
    tick(1000);
    ck_assert_int_eq(played.count, 2); /* one at a time */
    answer(":2\r\n");
    until_call();
    assert_asked(SCRIPT_POOL_EXTEND, "90000 a b");
    answer(":0\r\n");
    tick(1000);
    ck_assert(!feed->is_reading);
    ck_assert_int_eq(feed->done.added, 2);
}
END_TEST

START_TEST(the_turn_is_renewed_and_the_next_round_comes_after_the_interval)
{
    open_feed(1);
    until_call();
    answer(MINE);
    until_call();
    answer(CHANGED);
    int64_t waited = until_call();
    assert_asked(SCRIPT_POOL_TURN, "me 10000 0");
    ck_assert_int_ge(waited, 2700);
    ck_assert_int_le(waited, 3100);
    answer(MINE);
    waited += until_work();
    assert_asked(SCRIPT_POOL_ASSIGN, "0 a b");
    ck_assert_int_ge(waited, 59000);
    ck_assert_int_le(waited, 60500);
}
END_TEST

START_TEST(a_follower_looks_again_when_the_turn_may_have_ended)
{
    const struct {
        const char *resp;
        int64_t least_ms, most_ms;
    } cases[] = {{"*2\r\n:0\r\n:3000\r\n", 3000, 3700},
                 {"*2\r\n:0\r\n:300000\r\n", 5000, 5700}, /* a Python program's, perhaps */
                 {"*2\r\n:0\r\n:-1\r\n", 5000, 5700}};
    open_feed(1);
    until_call();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t next_ms;
        answer(cases[i].resp);
        ck_assert(!feed_is_mine(feed, &next_ms));
        ck_assert_int_eq(next_ms, -1);
        int64_t waited = until_call();
        assert_asked(SCRIPT_POOL_TURN, "me 10000 0");
        ck_assert_int_ge(waited, cases[i].least_ms);
        ck_assert_int_le(waited, cases[i].most_ms);
    }
}
END_TEST

START_TEST(a_turn_that_cannot_be_renewed_ends)
{
    int64_t next_ms;
    open_feed(1);
    until_call();
    answer(MINE);
    until_call();
    answer(CHANGED);
    until_call(); /* the renewal is never answered */
    tick(5000);
    ck_assert(feed_is_mine(feed, &next_ms));
    tick(3000);
    ck_assert(!feed_is_mine(feed, &next_ms));
    answer(MINE);
    ck_assert(feed_is_mine(feed, &next_ms));
    until_work(); /* and who gets it anew reads at once */
    assert_asked(SCRIPT_POOL_ASSIGN, "0 a b");
}
END_TEST

START_TEST(a_bad_list_sends_nothing_and_is_tried_again_sooner)
{
    put_list("a\nb c\n");
    open_feed(1);
    until_call();
    answer(MINE);
    tick(200);
    ck_assert(!feed->is_reading);
    ck_assert_str_eq(feed->sources[0].error,
                     "line 2: 'c' behind the resource is neither priority=N (-1000 to 1000) nor "
                     "weight=N (1 to 1000)");
    int64_t next_ms;
    feed_is_mine(feed, &next_ms);
    ck_assert_int_ge(next_ms, 5700); /* a tenth of the interval */
    ck_assert_int_le(next_ms, 6000);
    setting.source_interval_ms = 86400000;
    feed_is_mine(feed, &next_ms);
    ck_assert_int_le(next_ms, FEED_RETRY_MAX_MS);
    setting.source_interval_ms = 200;
    feed_is_mine(feed, &next_ms);
    ck_assert_int_le(next_ms, 200);
    put_list("c\n");
    until_work();
    assert_asked(SCRIPT_POOL_ASSIGN, "0 c");
    answer(CHANGED);
    ck_assert_str_eq(feed->sources[0].error, "");
}
END_TEST

START_TEST(a_changed_file_is_read_when_it_has_been_at_rest)
{
    open_feed(1);
    until_call();
    answer(MINE);
    until_call();
    answer(CHANGED);
    tick(1000);
    put_list("a\nb\nc\n");
    tick(600);
    put_list("a\nb\nc\nd\n"); /* it is still being written */
    tick(500);
    ck_assert(!feed->is_reading);
    ck_assert_int_le(until_work(), 700);
    assert_asked(SCRIPT_POOL_ASSIGN, "0 a b c d");
    answer(CHANGED);
    unlink(path);
    tick(1200);
    ck_assert_int_gt(feed->sources[0].failed_ms, 0);
    int64_t failed_ms = feed->sources[0].failed_ms;
    tick(1500); /* that it is not there is no news */
    ck_assert_int_eq(feed->sources[0].failed_ms, failed_ms);
    put_list("e\n");
    until_work();
    assert_asked(SCRIPT_POOL_ASSIGN, "0 e");
}
END_TEST

START_TEST(who_asks_for_a_refresh_takes_the_turn)
{
    open_feed(1);
    until_call();
    answer("*2\r\n:0\r\n:9000\r\n");
    feed_refresh(feed, hear, &told);
    ck_assert_int_eq(until_call(), 100);
    assert_asked(SCRIPT_POOL_TURN, "me 10000 1");
    answer(MINE);
    until_call();
    ck_assert_int_eq(told.times, 0);
    answer("*2\r\n:2\r\n:1\r\n");
    assert_told(told);
    ck_assert_int_eq(refreshed.sources, 1);
    ck_assert_int_eq(refreshed.failed, 0);
    ck_assert_int_eq(refreshed.resources, 2);
    ck_assert_int_eq(refreshed.added, 2);
    ck_assert_int_eq(refreshed.removed, 1);
}
END_TEST

START_TEST(who_asks_during_a_round_waits_for_the_next_one)
{
    open_feed(1);
    until_call();
    answer(MINE);
    until_call();
    put_list("late\n");
    feed_refresh(feed, hear, &told);
    answer(CHANGED);
    ck_assert_int_eq(told.times, 0);
    ck_assert_int_le(until_work(), 200);
    assert_asked(SCRIPT_POOL_ASSIGN, "0 late");
    answer(CHANGED);
    assert_told(told);
}
END_TEST

START_TEST(a_refresh_that_fails_is_told)
{
    unlink(path);
    open_feed(1);
    feed_refresh(feed, hear, &told);
    until_call();
    answer(MINE);
    tick(300);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_GENERAL);
    ck_assert_ptr_nonnull(strstr(told.err.text, "no source of pool 'gpus' could be read: file:/"));
    ck_assert_ptr_nonnull(strstr(told.err.text, ": No such file or directory"));
}
END_TEST

START_TEST(a_refresh_without_redis_is_refused)
{
    open_feed(1);
    feed_refresh(feed, hear, &told);
    until_call();
    lose();
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
}
END_TEST

START_TEST(who_closes_gives_the_turn_up_and_answers_who_waits)
{
    struct err err = {ERR_UPSTREAM, "the daemon is stopping: not done"};
    open_feed(1);
    until_call();
    answer(MINE);
    until_call();
    feed_refresh(feed, hear, &told);
    feed_close(feed, &err);
    feed = NULL;
    assert_failed_with(told, ERR_UPSTREAM, "the daemon is stopping: not done");
    ck_assert_uint_eq(host.rounds, 0);
    answer(CHANGED); /* of the list that was on its way */
    assert_asked(SCRIPT_POOL_TURN, "me 0 0");
    answer("*2\r\n:0\r\n:-2\r\n");
}
END_TEST

START_TEST(a_follower_that_closes_leaves_the_turn_alone)
{
    struct err err = {ERR_GENERAL, "closed"};
    open_feed(1);
    until_call();
    answer("*2\r\n:0\r\n:9000\r\n");
    feed_close(feed, &err);
    feed = NULL;
    ck_assert_int_eq(played.count, played.answered);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed");
    TCase *tcase = tcase_create("feed");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, who_gets_the_turn_reads_at_once);
    tcase_add_test(tcase, several_sources_extend_one_after_the_other_with_the_expiry);
    tcase_add_test(tcase, the_turn_is_renewed_and_the_next_round_comes_after_the_interval);
    tcase_add_test(tcase, a_follower_looks_again_when_the_turn_may_have_ended);
    tcase_add_test(tcase, a_turn_that_cannot_be_renewed_ends);
    tcase_add_test(tcase, a_bad_list_sends_nothing_and_is_tried_again_sooner);
    tcase_add_test(tcase, a_changed_file_is_read_when_it_has_been_at_rest);
    tcase_add_test(tcase, who_asks_for_a_refresh_takes_the_turn);
    tcase_add_test(tcase, who_asks_during_a_round_waits_for_the_next_one);
    tcase_add_test(tcase, a_refresh_that_fails_is_told);
    tcase_add_test(tcase, a_refresh_without_redis_is_refused);
    tcase_add_test(tcase, who_closes_gives_the_turn_up_and_answers_who_waits);
    tcase_add_test(tcase, a_follower_that_closes_leaves_the_turn_alone);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
