/* session: what a connection holds, against a clock of the test's own. */
#include "ops/session.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { THINGS = 1000 };

struct thing {
    struct session_item item; /* first */
    int renewals, gives, frees, losses;
    int64_t asked_for_ms;
};

static int64_t now_us;
static struct clock test_clock;
static struct sessions sessions;
static struct session session;
static struct thing things[THINGS];

static int64_t read_clock(void *arg)
{
    (void)arg;
    return now_us;
}

static struct thing *thing_of(struct session_item *item)
{
    return (struct thing *)item;
}

static void renew(struct session_item *item, int64_t timeout_ms)
{
    thing_of(item)->renewals++;
    thing_of(item)->asked_for_ms = timeout_ms;
}

static void give_back(struct session_item *item)
{
    thing_of(item)->gives++;
}

static void free_it(struct session_item *item)
{
    thing_of(item)->frees++;
}

static void note_lost(void *arg, struct session_item *item)
{
    ck_assert_ptr_eq(arg, &session);
    ck_assert_int_eq(thing_of(item)->frees, 0); /* it can still be described */
    thing_of(item)->losses++;
}

static const struct session_rules rules = {.renew = renew, .give_back = give_back, .free = free_it};

static void set_up(void)
{
    now_us = 5000000000;
    test_clock = (struct clock){read_clock, read_clock, NULL};
    memset(things, 0, sizeof things);
    static const unsigned char seed[16];
    sessions_init(&sessions, &test_clock, 9000, seed);
    session_init(&session, &sessions, note_lost, &session);
}

static void tear_down(void)
{
    session_end(&session);
    for (int i = 0; i < THINGS; i++) {
        if (things[i].item.is_renewing)
            session_settle(&things[i].item, SESSION_KEPT);
    }
    sessions_clear(&sessions);
}

static int64_t now_ms(void)
{
    return now_us / 1000;
}

/* In steps, as the daemon's ticker does. */
static void pass_ms(int64_t ms)
{
    for (; ms > 0; ms -= 100) {
        now_us += 100000;
        sessions_tick(&sessions);
    }
}

static struct thing *hold(int i, int64_t limit_ms)
{
    struct session_span span = {now_ms(), 9000, limit_ms};
    session_hold_take(&session, &things[i].item, &rules, &span);
    return &things[i];
}

START_TEST(a_thing_is_renewed_each_third_of_its_time)
{
    struct thing *thing = hold(0, 0);
    pass_ms(2900);
    ck_assert_int_eq(thing->renewals, 0);
    pass_ms(100);
    ck_assert_int_eq(thing->renewals, 1);
    ck_assert_int_eq(thing->asked_for_ms, 9000);
    session_settle(&thing->item, SESSION_KEPT);
    for (int i = 0; i < 10; i++) {
        pass_ms(3000);
        ck_assert_int_eq(thing->renewals, i + 2);
        session_settle(&thing->item, SESSION_KEPT);
    }
    ck_assert_int_eq(thing->losses + thing->gives + thing->frees, 0);
}
END_TEST

START_TEST(what_is_gone_is_lost_at_once)
{
    struct thing *thing = hold(0, 0), *other = hold(1, 0);
    pass_ms(3000);
    session_settle(&thing->item, SESSION_GONE);
    ck_assert_int_eq(thing->losses, 1);
    ck_assert_int_eq(thing->frees, 1);
    ck_assert_int_eq(thing->gives, 0);
    ck_assert_int_eq(other->losses, 0);
    ck_assert_uint_eq(sessions.held, 1);
    ck_assert_uint_eq(sessions.lost, 1);
}
END_TEST

START_TEST(without_an_answer_it_is_lost_before_its_time_is_over)
{
    struct thing *thing = hold(0, 0);
    pass_ms(3000);
    pass_ms(5000);
    ck_assert_int_eq(thing->losses, 0);
    pass_ms(100); /* 8.1 s of 9: the margin begins */
    ck_assert_int_eq(thing->losses, 1);
    ck_assert_int_eq(thing->gives, 1);
    ck_assert_int_eq(thing->frees, 0); /* a renewal is on its way */
    session_settle(&thing->item, SESSION_UNKNOWN);
    ck_assert_int_eq(thing->frees, 1);
    ck_assert_int_eq(thing->losses, 1);
}
END_TEST

START_TEST(a_renewal_that_failed_is_tried_again_in_a_moment)
{
    struct thing *thing = hold(0, 0);
    pass_ms(3000);
    session_settle(&thing->item, SESSION_UNKNOWN);
    pass_ms(200);
    ck_assert_int_eq(thing->renewals, 2);
    session_settle(&thing->item, SESSION_KEPT);
    pass_ms(2900);
    ck_assert_int_eq(thing->renewals, 2);
    pass_ms(100);
    ck_assert_int_eq(thing->renewals, 3);
}
END_TEST

START_TEST(the_time_counts_from_when_the_renewal_was_sent)
{
    struct thing *thing = hold(0, 0);
    pass_ms(3000);
    pass_ms(4000); /* the answer takes that long */
    session_settle(&thing->item, SESSION_KEPT);
    pass_ms(100);
    ck_assert_int_eq(thing->renewals, 2);
    pass_ms(3900);
    ck_assert_int_eq(thing->losses, 0);
    pass_ms(100); /* 11.1 s: 9 s after it was sent, less the margin */
    ck_assert_int_eq(thing->losses, 1);
}
END_TEST

START_TEST(a_limit_ends_the_holding)
{
    struct thing *thing = hold(0, 10000);
    pass_ms(3000);
    ck_assert_int_eq(thing->asked_for_ms, 7000);
    session_settle(&thing->item, SESSION_KEPT);
    pass_ms(6800);
    ck_assert_int_eq(thing->losses, 0);
    pass_ms(100); /* Redis ends it 100 ms later */
    ck_assert_int_eq(thing->losses, 1);
    ck_assert_int_eq(thing->gives, 1);
    ck_assert_int_eq(thing->frees, 1);
    ck_assert_int_eq(thing->renewals, 1);
}
END_TEST

START_TEST(a_renewal_that_was_cut_is_the_last)
{
    struct thing *thing = hold(0, 0);
    pass_ms(3000);
    session_limit(&thing->item, 5000);
    session_settle(&thing->item, SESSION_KEPT);
    pass_ms(4800);
    ck_assert_int_eq(thing->losses, 0);
    pass_ms(200); /* 5 s after it was sent, but for a tick */
    ck_assert_int_eq(thing->losses, 1);
    ck_assert_int_eq(thing->renewals, 1);
}
END_TEST

START_TEST(an_end_gives_all_back_and_tells_nothing)
{
    hold(0, 0);
    pass_ms(3000); /* its renewal is on its way */
    hold(1, 0);
    session_end(&session);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(things[i].gives, 1);
        ck_assert_int_eq(things[i].losses, 0);
    }
    ck_assert_int_eq(things[0].frees, 0);
    ck_assert_int_eq(things[1].frees, 1);
    session_settle(&things[0].item, SESSION_KEPT);
    ck_assert_int_eq(things[0].frees, 1);
    ck_assert_uint_eq(sessions.held, 0);
    pass_ms(20000);
    ck_assert_int_eq(things[0].renewals + things[1].renewals, 1);
}
END_TEST

START_TEST(what_is_forgotten_is_neither_given_back_nor_told)
{
    struct thing *thing = hold(0, 0);
    session_forget(&thing->item);
    ck_assert_int_eq(thing->frees, 1);
    ck_assert_int_eq(thing->gives + thing->losses, 0);
    pass_ms(20000);
    ck_assert_int_eq(thing->renewals, 0);
}
END_TEST

START_TEST(a_daemon_that_stood_still_for_too_long_tells_at_its_first_look)
{
    struct thing *thing = hold(0, 0);
    now_us += 20000000;
    sessions_tick(&sessions);
    ck_assert_int_eq(thing->renewals, 0);
    ck_assert_int_eq(thing->losses, 1);
}
END_TEST

START_TEST(renewals_of_many_that_came_at_once_are_spread_over_the_third)
{
    int most = 0;
    for (int i = 0; i < THINGS; i++)
        hold(i, 0);
    for (int round = 0, last = 0; round < 60; round++) {
        int renewals = 0;
        pass_ms(100);
        for (int i = 0; i < THINGS; i++) {
            renewals += things[i].renewals;
            if (things[i].item.is_renewing)
                session_settle(&things[i].item, SESSION_KEPT);
        }
        most = renewals - last > most ? renewals - last : most;
        last = renewals;
    }
    for (int i = 0; i < THINGS; i++)
        ck_assert_int_eq(things[i].renewals, 2);
    ck_assert_int_le(most, THINGS / 30 + 5); /* of 30 looks in a third */
}
END_TEST

START_TEST(what_has_little_time_left_is_renewed_at_once)
{
    struct session_span span = {.from_ms = now_ms(), .for_ms = 500};
    session_hold_take(&session, &things[0].item, &rules, &span);
    ck_assert_int_eq(things[0].renewals, 1);
    pass_ms(400);
    ck_assert_int_eq(things[0].losses, 0);
    pass_ms(100);
    ck_assert_int_eq(things[0].losses, 1);
    session_settle(&things[0].item, SESSION_KEPT);
    session_hold_take(&session, &things[1].item, &rules, &span); /* its time is over */
    ck_assert_int_eq(things[1].renewals, 0);
    pass_ms(100);
    ck_assert_int_eq(things[1].losses, 1);
}
END_TEST

START_TEST(what_is_taken_again_by_its_key_is_another_sessions)
{
    struct session another;
    session_init(&another, &sessions, note_lost, &session);
    things[0].item.key = things[1].item.key = things[2].item.key = STR("a");
    things[3].item.key = STR("b");
    hold(0, 0);
    hold(3, 0);
    struct session_span span = {now_ms(), 9000, 0};
    session_hold_take(&another, &things[1].item, &rules, &span);
    ck_assert_int_eq(things[0].frees, 1);
    ck_assert_int_eq(things[0].gives + things[0].losses, 0);
    ck_assert_uint_eq(sessions.held, 2);
    session_end(&session);
    ck_assert_int_eq(things[3].gives, 1);
    ck_assert_int_eq(things[1].gives, 0);
    session_end(&another);
    ck_assert_int_eq(things[1].gives, 1);
    hold(2, 0);
    ck_assert_int_eq(things[1].frees, 1);
    ck_assert_uint_eq(sessions.held, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_thing_is_renewed_each_third_of_its_time);
    tcase_add_test(tcase, what_is_gone_is_lost_at_once);
    tcase_add_test(tcase, without_an_answer_it_is_lost_before_its_time_is_over);
    tcase_add_test(tcase, a_renewal_that_failed_is_tried_again_in_a_moment);
    tcase_add_test(tcase, the_time_counts_from_when_the_renewal_was_sent);
    tcase_add_test(tcase, a_limit_ends_the_holding);
    tcase_add_test(tcase, a_renewal_that_was_cut_is_the_last);
    tcase_add_test(tcase, an_end_gives_all_back_and_tells_nothing);
    tcase_add_test(tcase, what_is_forgotten_is_neither_given_back_nor_told);
    tcase_add_test(tcase, a_daemon_that_stood_still_for_too_long_tells_at_its_first_look);
    tcase_add_test(tcase, renewals_of_many_that_came_at_once_are_spread_over_the_third);
    tcase_add_test(tcase, what_has_little_time_left_is_renewed_at_once);
    tcase_add_test(tcase, what_is_taken_again_by_its_key_is_another_sessions);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
