/* waits: what a MALLOC that waits says to Redis, and when. */
#include "pool/waits.h"
#include "redis/notify.h"
#include "tests/unit/domain.h"

#define GRANT     "*1\r\n*4\r\n$2\r\nr1\r\n$3\r\n7-x\r\n:7\r\n:1000\r\n"
#define NONE      "*1\r\n*0\r\n"
#define PLACE     "*1\r\n*2\r\n:1700\r\n:5\r\n" /* ticket and epoch */
#define BEATEN    "*1\r\n*2\r\n:5\r\n:-1\r\n"   /* epoch, no deadline */
#define LEFT      "*1\r\n:0\r\n"
#define ASKS      " exclusive W me:1  1000 1 1 1000 ?  60000  "
#define ASKS_WITH " exclusive W me:1 1700 1000 1 1 1000 ?  60000  "

static struct pool *pool;
static struct told told;
static struct malloc_request one = {
    .count = 1, .timeout_ms = 1000, .binding_ms = 60000, .longest_ms = 1000};

static void set_up(void)
{
    domain_start();
    pool = the_pool("gpus");
    memset(&told, 0, sizeof told);
}

/* What is on its way is lost, and nothing more can be sent. */
static void tear_down(void)
{
    played.room = 0;
    while (played.answered < played.count)
        lose();
    domain_end();
}

static void pass(int64_t ms)
{
    pass_ms(ms);
    alarms_ring(&waiters.alarms, clock_ms(&played_clock));
}

/* The newest call; none is without an answer but that one. */
static void assert_asked(const char *words)
{
    ck_assert_int_eq(played.count, played.answered + 1);
    const char *text = strchr(played.sent[played.answered].text, ' ');
    while (*++text >= '0' && *text <= '9') /* daemon and sequence */
        ;
    ck_assert_str_eq(text, words);
}

static void assert_quiet(void)
{
    ck_assert_int_eq(played.count, played.answered);
}

static struct waiter *start(int64_t wait_ms)
{
    return waits_malloc(pool, &one, wait_ms, hear_leases, &told);
}

/* It has a place in the line, and the first beat is over. */
static struct waiter *start_in_line(int64_t wait_ms)
{
    struct waiter *waiter = start(wait_ms);
    answer(PLACE);
    pass(0);
    assert_asked(" exclusive B 0");
    answer(BEATEN);
    assert_quiet();
    return waiter;
}

static void hear(const char *id)
{
    played.hearing->heard(played.hearing->arg, str_of(id));
}

/* --- asking --- */

START_TEST(what_is_free_is_had_at_once)
{
    start(500);
    assert_asked(ASKS);
    answer(GRANT);
    assert_told(told);
    ck_assert_str_eq(told.text, "r1 7-x 7 1000;");
    ck_assert_uint_eq(pool->counters.grants, 1);
    pass(5000);
    assert_quiet();
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(who_has_a_place_asks_again_with_its_ticket_when_it_is_woken)
{
    start_in_line(0);
    ck_assert_str_eq(played.hearing->channel, "ns|wake|me");
    hear("me:1");
    assert_asked(ASKS_WITH);
    answer(GRANT);
    assert_told(told);
    hear("me:1");
    assert_quiet();
}
END_TEST

START_TEST(a_message_that_comes_while_it_asks_is_not_forgotten)
{
    start(0);
    hear("me:1");
    answer(PLACE);
    assert_asked(ASKS_WITH);
    answer(GRANT);
    assert_told(told);
}
END_TEST

START_TEST(messages_for_others_wake_nobody)
{
    start_in_line(0);
    hear("me:2");
    hear("me:x");
    hear("you:1");
    hear("");
    assert_quiet();
}
END_TEST

/* --- leaving --- */

START_TEST(whose_time_is_up_leaves_and_gets_none)
{
    start_in_line(500);
    pass(499);
    assert_quiet();
    pass(1);
    assert_asked(" exclusive E me:1 t");
    ck_assert_int_eq(told.times, 0);
    answer(NONE);
    assert_told(told);
    ck_assert_uint_eq(told.leases, 0);
    ck_assert_uint_eq(pool->counters.misses, 1);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(what_is_granted_at_the_last_moment_is_delivered)
{
    start_in_line(500);
    pass(500);
    answer(GRANT);
    assert_told(told);
    ck_assert_uint_eq(told.leases, 1);
}
END_TEST

START_TEST(whose_time_is_up_while_it_asks_leaves_as_soon_as_it_can)
{
    start(500);
    pass(600);
    answer(PLACE);
    assert_asked(" exclusive E me:1 t");
    answer(NONE);
    assert_told(told);
}
END_TEST

START_TEST(whose_client_is_gone_leaves_at_once)
{
    waiter_gone(start_in_line(0));
    assert_told(told);
    assert_asked(" exclusive E me:1 g");
    answer(LEFT);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(who_will_ask_again_by_its_reqid_leaves_for_a_while)
{
    struct malloc_request request = one;
    request.reqid = STR("q");
    struct waiter *waiter = waits_malloc(pool, &request, 0, hear_leases, &told);
    answer(PLACE);
    waiter_gone(waiter);
    assert_asked(" exclusive E me:1 k");
    answer(LEFT);
}
END_TEST

START_TEST(who_will_ask_again_leaves_what_was_granted_while_it_went)
{
    struct malloc_request request = one;
    request.reqid = STR("q");
    request.holder = STR("me:5");
    waiter_gone(waits_malloc(pool, &request, 0, hear_leases, &told));
    answer(GRANT);
    assert_asked(" exclusive G 7-x  1 r1 me:5 1");
    answer("*1\r\n:0\r\n");
}
END_TEST

START_TEST(what_is_granted_while_its_client_goes_is_given_back)
{
    waiter_gone(start(0));
    assert_told(told);
    answer(GRANT);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(played.sent[1].script, SCRIPT_POOL_FREE_ONE);
    ck_assert_str_eq(played.sent[1].text, "me 2 r1 7-x");
    answer("*1\r\n:1\r\n");
}
END_TEST

/* Its client may be served elsewhere before Redis is back. */
START_TEST(what_has_not_been_sent_when_its_client_goes_is_never_asked)
{
    struct malloc_request request = one;
    request.reqid = STR("q");
    struct waiter *in_line = start_in_line(0);
    played.away_ms = 5;
    struct waiter *asking = waits_malloc(pool, &request, 0, hear_leases, &told);
    waiter_gone(asking);
    ck_assert_int_eq(told.times, 1);
    ck_assert_uint_eq(waiters.by_number.count, 1);
    ck_assert(waiters_wake(&waiters, STR("me:1")) == in_line); /* it asks again, with its place */
    waiter_gone(in_line);
    played.away_ms = 0;
    pass(50);
    assert_asked(" exclusive E me:1 g");
    answer(LEFT);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(who_cannot_leave_goes_on_trying)
{
    waiter_gone(start_in_line(0));
    lose();
    answer(":0\r\n"); /* the recall */
    pass(50);
    assert_asked(" exclusive E me:1 g");
    answer(LEFT);
    ck_assert_uint_eq(waiters.by_number.count, 0);
    ck_assert_int_eq(told.times, 1);
}
END_TEST

/* --- beats --- */

START_TEST(a_line_with_waiters_beats_each_second_and_at_the_next_deadline)
{
    start_in_line(0);
    pass(999);
    assert_quiet();
    pass(1);
    assert_asked(" exclusive B 0");
    answer("*1\r\n*2\r\n:5\r\n:300\r\n");
    pass(299);
    assert_quiet();
    pass(1);
    assert_asked(" exclusive B 0");
    answer("*1\r\n*2\r\n:5\r\n:5000\r\n");
    pass(1000);
    assert_asked(" exclusive B 0");
    answer(BEATEN);
    hear("me:1");
    answer(GRANT);
    pass(5000);
    assert_quiet();
}
END_TEST

START_TEST(a_beat_wakes_who_has_missed_its_message)
{
    start_in_line(0);
    pass(1000);
    answer("*1\r\n*3\r\n:5\r\n:-1\r\n$4\r\nme:1\r\n");
    assert_asked(ASKS_WITH);
    answer(GRANT);
    assert_told(told);
}
END_TEST

START_TEST(what_was_granted_to_one_that_is_no_more_goes_on)
{
    start_in_line(0);
    pass(1000);
    answer("*1\r\n*3\r\n:5\r\n:-1\r\n$4\r\nme:9\r\n");
    assert_asked(" exclusive E me:9 g");
    answer("*1\r\n:1\r\n");
}
END_TEST

START_TEST(another_epoch_says_that_all_places_are_lost)
{
    start_in_line(0);
    pass(1000);
    answer("*1\r\n*2\r\n:6\r\n:-1\r\n");
    assert_asked(ASKS_WITH);
    answer("*1\r\n*2\r\n:1700\r\n:6\r\n");
    pass(1000);
    answer("*1\r\n*2\r\n:6\r\n:-1\r\n");
    assert_quiet();
}
END_TEST

START_TEST(a_link_that_hears_again_may_have_missed_something)
{
    start_in_line(0);
    pass(100);
    played.hears = true;
    played.hearing->begun(played.hearing->arg);
    pass(0);
    assert_asked(" exclusive B 1");
    answer(BEATEN);
}
END_TEST

/* --- faults --- */

START_TEST(a_lost_call_is_asked_again_once_it_is_recalled)
{
    start(0);
    lose();
    ck_assert_int_eq(told.times, 0);
    assert_sent(1, SCRIPT_POOL_RECALL, "me 1");
    answer(":0\r\n");
    pass(50);
    assert_asked(" exclusive W me:1 0 1000 1 1 1000 ?  60000  ");
    answer(GRANT);
    assert_told(told);
}
END_TEST

START_TEST(who_stands_in_line_fails_when_redis_stays_away)
{
    batches.wait_ms = 300;
    start_in_line(0);
    played.room = 0;
    played.away_ms = 1;
    pass(1000);
    ck_assert_int_eq(told.times, 0);
    played.away_ms = 400;
    pass(300);
    pass(50);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
    played.away_ms = 0;
    played.room = 100;
    for (int i = 0; i < 5 && played.count == played.answered; i++)
        pass(50);
    assert_asked(" exclusive E me:1 g");
    answer(LEFT);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(who_asks_of_a_redis_that_is_away_for_long_fails_at_once)
{
    played.away_ms = 10000;
    played.room = 0;
    start(0);
    pass(0);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(what_can_never_be_had_fails)
{
    start(0);
    answer("*1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_WRONGTYPE);
    ck_assert_uint_eq(waiters.by_number.count, 0);
}
END_TEST

START_TEST(no_more_wait_than_may)
{
    struct err err;
    waiters.max = 1;
    ck_assert(waiters_can_take(&waiters, &err));
    start_in_line(0);
    ck_assert(!waiters_can_take(&waiters, &err));
    ck_assert_int_eq(err.kind, ERR_BUSY);
    ck_assert_str_eq(err.text, "1 requests wait here already (max_waiters): not done");
}
END_TEST

START_TEST(a_daemon_that_stops_keeps_nobody_waiting)
{
    start_in_line(0);
    waiters_close(&waiters);
    assert_failed_with(told, ERR_UPSTREAM, "the daemon is stopping: not done");
    assert_asked(" exclusive E me:1 g");
    answer(LEFT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_free_is_had_at_once,
        who_has_a_place_asks_again_with_its_ticket_when_it_is_woken,
        a_message_that_comes_while_it_asks_is_not_forgotten,
        messages_for_others_wake_nobody,
        whose_time_is_up_leaves_and_gets_none,
        what_is_granted_at_the_last_moment_is_delivered,
        whose_time_is_up_while_it_asks_leaves_as_soon_as_it_can,
        whose_client_is_gone_leaves_at_once,
        who_will_ask_again_by_its_reqid_leaves_for_a_while,
        who_will_ask_again_leaves_what_was_granted_while_it_went,
        what_is_granted_while_its_client_goes_is_given_back,
        what_has_not_been_sent_when_its_client_goes_is_never_asked,
        who_cannot_leave_goes_on_trying,
        a_line_with_waiters_beats_each_second_and_at_the_next_deadline,
        a_beat_wakes_who_has_missed_its_message,
        what_was_granted_to_one_that_is_no_more_goes_on,
        another_epoch_says_that_all_places_are_lost,
        a_link_that_hears_again_may_have_missed_something,
        a_lost_call_is_asked_again_once_it_is_recalled,
        who_stands_in_line_fails_when_redis_stays_away,
        who_asks_of_a_redis_that_is_away_for_long_fails_at_once,
        what_can_never_be_had_fails,
        no_more_wait_than_may,
        a_daemon_that_stops_keeps_nobody_waiting,
    };
    Suite *suite = suite_create("waits");
    TCase *tcase = tcase_create("waits");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
