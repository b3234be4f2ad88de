/* gang: what it asks of which pool, for how long, and what it gives back. */
#include "pool/gang.h"
#include "tests/unit/domain.h"

#define GRANT_A   "*1\r\n*4\r\n$2\r\na1\r\n$3\r\n7-x\r\n:7\r\n:5000\r\n"
#define GRANT_B   "*1\r\n*4\r\n$2\r\nb1\r\n$3\r\n8-y\r\n:8\r\n:5000\r\n"
#define NONE      "*1\r\n*0\r\n"
#define PLACE     "*1\r\n*2\r\n:1700\r\n:5\r\n" /* ticket and epoch */
#define BEATEN    "*1\r\n*2\r\n:5\r\n:-1\r\n"   /* epoch, no deadline */
#define DONE      "*1\r\n:1\r\n"
#define GONE      "*1\r\n:0\r\n"
#define MINUTE_MS 60000

static struct told told;
static struct gang_part parts[2];
static struct gang_request request;
static struct gang *gang;

static void hear_parts(void *arg, const struct err *err, const struct gang_part *got, int count)
{
    struct told *its = arg;
    size_t at = 0;
    note_err(its, err);
    its->count = count;
    for (int i = 0; i < count; i++) {
        struct lease lease = leases_at(&got[i].leases, 0);
        at += (size_t)snprintf(its->text + at, sizeof its->text - at, "%s: %.*s %.*s %d %d;",
                               got[i].pool->name, PRSTR(lease.resource), PRSTR(lease.token),
                               (int)lease.fence, (int)lease.ttl_ms);
    }
}

static void set_up(void)
{
    domain_start();
    memset(&told, 0, sizeof told);
    for (int i = 0; i < 2; i++)
        parts[i] = (struct gang_part){.pool = the_pool(i == 0 ? "b" : "a"),
                                      .count = 1,
                                      .timeout_ms = MINUTE_MS,
                                      .holding_ms = MINUTE_MS};
    request = (struct gang_request){.parts = parts, .count = 2};
}

static void tear_down(void)
{
    played.room = 0;
    while (played.answered < played.count)
        lose();
    domain_end();
}

static void start(bool can_wait)
{
    request.can_wait = can_wait;
    gang = gang_malloc(&request, hear_parts, &told);
}

/* The oldest call without an answer asks this of a pool; it gets an answer. */
static void asked(const char *pool, const char *words, const char *resp)
{
    char base[20];
    ck_assert_int_gt(played.count, played.answered);
    const struct sent *sent = &played.sent[played.answered];
    snprintf(base, sizeof base, "ns|%s|pool", pool);
    ck_assert_str_eq(sent->key, base);
    const char *text = strchr(sent->text, ' ');
    while (*++text >= '0' && *text <= '9') /* daemon and sequence */
        ;
    ck_assert_str_eq(text, words);
    answer(resp);
}

static void assert_quiet(void)
{
    ck_assert_int_eq(played.count, played.answered);
}

#define TAKES     " exclusive M a 1 5000 ?  0  "
#define STANDS(n) " exclusive W me:" #n "  65000 a 1 5000 ?  0  "
#define GIVES_A   " a1 7-x"
#define GIVES_B   " b1 8-y"
#define KEEPS_A   " R a1 7-x 60000"
#define KEEPS_B   " R b1 8-y 60000"

/* --- without waiting --- */

START_TEST(pools_are_asked_by_name_for_a_short_time_then_renewed_to_the_whole)
{
    start(false);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, GRANT_B);
    asked("a", KEEPS_A, DONE);
    ck_assert_int_eq(told.times, 0);
    asked("b", KEEPS_B, DONE);
    assert_told(told);
    ck_assert_str_eq(told.text, "b: b1 8-y 8 60000;a: a1 7-x 7 60000;");
    assert_quiet();
    ck_assert_uint_eq(parts[0].pool->pending, 0);
}
END_TEST

START_TEST(what_is_missing_in_one_pool_is_given_back_in_the_others)
{
    start(false);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, NONE);
    assert_told(told);
    ck_assert_int_eq(told.count, 0);
    asked("a", GIVES_A, DONE);
    assert_quiet();
}
END_TEST

START_TEST(what_ended_before_it_was_renewed_makes_no_gang)
{
    start(false);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, GRANT_B);
    asked("a", KEEPS_A, DONE);
    asked("b", KEEPS_B, GONE);
    assert_told(told);
    ck_assert_int_eq(told.count, 0);
    asked("a", GIVES_A, DONE);
    asked("b", GIVES_B, GONE);
    assert_quiet();
}
END_TEST

START_TEST(a_renewal_that_was_lost_fails_all_of_it)
{
    start(false);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, GRANT_B);
    lose();
    asked("b", KEEPS_B, DONE);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
}
END_TEST

START_TEST(an_error_of_one_pool_fails_all_of_it)
{
    start(false);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, "*1\r\n-ERR no\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert(told.is_err);
    asked("a", GIVES_A, DONE);
    assert_quiet();
}
END_TEST

START_TEST(a_part_has_no_longer_than_it_is_held_but_a_second_at_least)
{
    parts[0].holding_ms = parts[0].timeout_ms = 3000;
    parts[1].holding_ms = parts[1].timeout_ms = 10;
    start(false);
    asked("a", " exclusive M a 1 1000 ?  0  ", GRANT_A);
    asked("b", " exclusive M a 1 3000 ?  0  ", GRANT_B);
    asked("a", " R a1 7-x 10", DONE);
    asked("b", " R b1 8-y 3000", DONE);
    assert_told(told);
}
END_TEST

/* --- waiting --- */

START_TEST(it_gives_back_before_it_stands_in_a_line_and_goes_on_with_what_it_got_there)
{
    start(true);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, NONE);
    asked("a", GIVES_A, DONE);
    asked("b", STANDS(1), GRANT_B);
    asked("a", TAKES, GRANT_A);
    asked("b", KEEPS_B, DONE);
    asked("a", KEEPS_A, DONE);
    assert_told(told);
    ck_assert_int_eq(told.count, 2);
}
END_TEST

START_TEST(what_ended_before_it_was_renewed_is_waited_for)
{
    start(true);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, GRANT_B);
    asked("a", KEEPS_A, GONE);
    asked("b", KEEPS_B, DONE);
    asked("a", GIVES_A, GONE);
    asked("b", GIVES_B, DONE);
    asked("a", STANDS(1), GRANT_A);
    asked("b", TAKES, GRANT_B);
    ck_assert_int_eq(told.times, 0);
}
END_TEST

/* One round for each pool in vain: now it has a again. */
static void play_two_rounds(void)
{
    start(true);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, NONE);
    asked("a", GIVES_A, DONE);
    asked("b", STANDS(1), GRANT_B);
    asked("a", TAKES, NONE);
    asked("b", GIVES_B, DONE);
    asked("a", STANDS(2), GRANT_A);
}

/* While that passes only beats are heard. */
static void pass(int64_t ms)
{
    pass_ms(ms);
    alarms_ring(&waiters.alarms, clock_ms(&played_clock));
    while (played.answered < played.count &&
           strstr(played.sent[played.answered].text, " B ") != NULL)
        answer(BEATEN);
}

START_TEST(after_two_rounds_it_waits_for_the_next_pool_with_what_it_has_for_half_a_second)
{
    play_two_rounds();
    asked("b", STANDS(3), PLACE);
    pass(499);
    assert_quiet();
    pass(1);
    asked("b", " exclusive E me:3 t", NONE);
    asked("a", GIVES_A, DONE);
    asked("b", STANDS(4), PLACE); /* with nothing, for as long as it takes */
    pass(100000);
    assert_quiet();
    ck_assert_int_eq(told.times, 0);
}
END_TEST

START_TEST(its_patience_may_be_worth_it)
{
    play_two_rounds();
    asked("b", STANDS(3), GRANT_B);
    asked("a", KEEPS_A, DONE);
    asked("b", KEEPS_B, DONE);
    assert_told(told);
    ck_assert_int_eq(told.count, 2);
}
END_TEST

/* --- who goes --- */

START_TEST(who_goes_while_parts_are_taken_gets_nothing)
{
    start(true);
    asked("a", TAKES, GRANT_A);
    gang_gone(gang);
    asked("b", TAKES, GRANT_B);
    assert_told(told);
    ck_assert_int_eq(told.count, 0);
    asked("a", GIVES_A, DONE);
    asked("b", GIVES_B, DONE);
    assert_quiet();
}
END_TEST

START_TEST(who_goes_while_parts_are_kept_gets_nothing)
{
    start(true);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, GRANT_B);
    gang_gone(gang);
    asked("a", KEEPS_A, DONE);
    asked("b", KEEPS_B, DONE);
    assert_told(told);
    ck_assert_int_eq(told.count, 0);
    asked("a", GIVES_A, DONE);
    asked("b", GIVES_B, DONE);
}
END_TEST

START_TEST(who_goes_while_it_stands_in_a_line_leaves_it)
{
    play_two_rounds();
    asked("b", STANDS(3), PLACE);
    gang_gone(gang);
    assert_told(told);
    asked("a", GIVES_A, DONE);
    asked("b", " exclusive E me:3 g", GONE);
    assert_quiet();
}
END_TEST

START_TEST(no_more_stand_in_line_than_may)
{
    waiters.max = 0;
    start(true);
    asked("a", TAKES, GRANT_A);
    asked("b", TAKES, NONE);
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.err.kind, ERR_BUSY);
    asked("a", GIVES_A, DONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gang");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, pools_are_asked_by_name_for_a_short_time_then_renewed_to_the_whole);
    tcase_add_test(all, what_is_missing_in_one_pool_is_given_back_in_the_others);
    tcase_add_test(all, what_ended_before_it_was_renewed_makes_no_gang);
    tcase_add_test(all, a_renewal_that_was_lost_fails_all_of_it);
    tcase_add_test(all, an_error_of_one_pool_fails_all_of_it);
    tcase_add_test(all, a_part_has_no_longer_than_it_is_held_but_a_second_at_least);
    tcase_add_test(all,
                   it_gives_back_before_it_stands_in_a_line_and_goes_on_with_what_it_got_there);
    tcase_add_test(all, what_ended_before_it_was_renewed_is_waited_for);
    tcase_add_test(all,
                   after_two_rounds_it_waits_for_the_next_pool_with_what_it_has_for_half_a_second);
    tcase_add_test(all, its_patience_may_be_worth_it);
    tcase_add_test(all, who_goes_while_parts_are_taken_gets_nothing);
    tcase_add_test(all, who_goes_while_parts_are_kept_gets_nothing);
    tcase_add_test(all, who_goes_while_it_stands_in_a_line_leaves_it);
    tcase_add_test(all, no_more_stand_in_line_than_may);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
