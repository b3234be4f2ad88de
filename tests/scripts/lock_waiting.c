/* lock_waiting: the line of those who wait for locks, as it lies in Redis: who is woken, who has to
 * stand back, dead daemons, what is left behind. */
#include "tests/lib/locking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A waiter that asks for the first time, or again without a ticket that it knows. */
#define FIRST(id) "!" id " \"\" \"\" "
#define AGAIN(id) "!" id " 0 \"\" "
#define WAITS     "[[0 # #]]"
#define GETS      "[[1 #]]"

static struct scene scene;

static void set_up(void)
{
    scene_open(&scene, NULL);
    expect_locks(&scene, "L k w 60000", "[#]");
}

static void tear_down(void)
{
    scene_close_broken(&scene);
}

#define expect_of(daemon, operations, expected)                                                \
    script_expect(locking_batch_of(&scene, daemon, ++scene.at.sequence, operations), expected, \
                  __FILE__, __LINE__)

static void expect_nothing_left(void)
{
    expect_redis(&scene, "EXISTS p|lock|waiters p|lock|waiting p|lock|lines p|lock|daemons", "0");
    expect_redis(&scene, "HGET p|lock|journal waiting", "nil");
}

/* --- order --- */

START_TEST(who_waits_gets_the_lock_when_it_asks_again_after_its_end)
{
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    expect_redis(&scene, "HGET p|lock|journal waiting", "1");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", WAITS);
    expect_locks(&scene, "F k w", "[1]");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", GETS);
    expect_redis(&scene, "GET p|lock:k", "a");
    expect_nothing_left();
}
END_TEST

START_TEST(nobody_comes_before_who_is_first)
{
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    expect_locks(&scene, FIRST("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, "F k w ; L k other 60000 ; R k other 60000 ; H k o 60000 #SHARED 1 0 0",
                 "[1 nil nil nil]");
    expect_locks(&scene, "A other 60000 k m", "[nil]");
    expect_locks(&scene, AGAIN("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", GETS);
    expect_locks(&scene, "F k a ; " AGAIN("D:2") "L k b 60000", "[1 [1 #]]");
    expect_nothing_left();
}
END_TEST

START_TEST(another_lock_is_nobody_s_business)
{
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    expect_locks(&scene, "L other b 60000 ; F other b", "[# 1]");
    expect_locks(&scene, "D D:1", "[0]");
    expect_nothing_left();
}
END_TEST

START_TEST(who_holds_it_gets_it_again_past_those_who_wait)
{
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    expect_locks(&scene, "R k w 60000 ; E k w 60000", "[# 1]");
    expect_locks(&scene, "H s r 60000 #SHARED 1 0 0 ; " FIRST("D:2") "L s a 60000", "[# [0 # #]]");
    expect_locks(&scene, "H s r 60000 #SHARED 1 0 1 ; H s r2 60000 #SHARED 1 0 1", "[# nil]");
}
END_TEST

START_TEST(a_waiter_that_comes_back_with_its_ticket_has_its_old_place)
{
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    redisReply *reply = scene_ask(&scene, "ZSCORE p|lock|waiters D:1");
    char again[100];
    snprintf(again, sizeof again, "!D:1 %s \"\" L k a 60000", reply->str);
    freeReplyObject(reply);
    expect_locks(&scene, FIRST("D:2") "L k b 60000", WAITS);
    scene_do(&scene, "DEL p|lock|waiters"); /* somebody deletes the line */
    expect_locks(&scene, "F k w", "[1]");
    expect_locks(&scene, "L k w 60000", "[#]"); /* nobody is known to wait */
    expect_locks(&scene, AGAIN("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, again, WAITS);
    expect_locks(&scene, "F k w ; " AGAIN("D:2") "L k b 60000", "[1 [0 # #]]");
    expect_locks(&scene, again, GETS);
}
END_TEST

/* --- several locks, several holders --- */

START_TEST(who_waits_for_several_locks_holds_none_of_them_meanwhile)
{
    expect_locks(&scene, "L m v 60000 ; " FIRST("D:1") "A a 60000 k m n", "[# [0 # #]]");
    expect_redis(&scene, "EXISTS p|lock:n", "0");
    expect_locks(&scene, "F k w ; L n other 60000", "[1 nil]"); /* kept for it */
    expect_locks(&scene, AGAIN("D:1") "A a 60000 k m n", WAITS);
    expect_locks(&scene, "F m v", "[1]");
    expect_locks(&scene, AGAIN("D:1") "A a 60000 k m n", "[[1 [# # #]]]");
    expect_nothing_left();
}
END_TEST

START_TEST(who_shares_comes_together_with_others_but_not_before_those_who_do_not)
{
    expect_locks(&scene, FIRST("D:1") "H k r1 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, FIRST("D:2") "H k r2 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, FIRST("D:3") "L k a 60000", WAITS);
    expect_locks(&scene, FIRST("D:4") "H k r3 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, "F k w", "[1]");
    expect_locks(&scene, AGAIN("D:1") "H k r1 60000 #SHARED 1 0 0", GETS);
    expect_locks(&scene, AGAIN("D:2") "H k r2 60000 #SHARED 1 0 0", GETS);
    expect_locks(&scene, AGAIN("D:4") "H k r3 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, "J k r1 \"\" ; J k r2 \"\" ; " AGAIN("D:3") "L k a 60000", "[1 1 [1 #]]");
}
END_TEST

START_TEST(permits_are_had_as_far_as_they_go)
{
    expect_locks(&scene, "H s p1 60000 #PERMITS 2 3 0", "[#]");
    expect_locks(&scene, FIRST("D:1") "H s p2 60000 #PERMITS 2 3 0", WAITS);
    expect_locks(&scene, FIRST("D:2") "H s p3 60000 #PERMITS 1 3 0", WAITS); /* one is free */
    expect_locks(&scene, "J s p1 \"\"", "[1]");
    expect_locks(&scene, AGAIN("D:1") "H s p2 60000 #PERMITS 2 3 0", GETS);
    expect_locks(&scene, AGAIN("D:2") "H s p3 60000 #PERMITS 1 3 0", GETS);
    expect_nothing_left();
}
END_TEST

/* --- who is woken --- */

/* Daemons are thought to hear; what is published comes here. */
static redisContext *listen_for(const char *daemon)
{
    redisContext *context = redisConnectUnix(scene.server.path);
    redisReply *reply = redisCommand(context, "SUBSCRIBE p|wake|%s", daemon);
    ck_assert_ptr_nonnull(reply);
    freeReplyObject(reply);
    redisSetTimeout(context, (struct timeval){.tv_sec = 5});
    return context;
}

static void expect_woken(redisContext *context, const char *id)
{
    redisReply *reply = NULL;
    ck_assert_msg(redisGetReply(context, (void **)&reply) == REDIS_OK, "nobody was woken");
    ck_assert_str_eq(reply->element[2]->str, id);
    freeReplyObject(reply);
}

START_TEST(the_end_of_a_lock_wakes_its_first_waiter_and_nobody_else)
{
    redisContext *heard = listen_for("D");
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    expect_locks(&scene, FIRST("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, "E k w 50000 ; L k x 60000", "[1 nil]");
    expect_locks(&scene, "F k w", "[1]");
    expect_woken(heard, "D:1");
    expect_locks(&scene, "D D:1", "[0]"); /* it was to be the next one: now another one is */
    expect_woken(heard, "D:2");
    expect_locks(&scene, AGAIN("D:2") "L k b 60000", GETS);
    redisFree(heard);
}
END_TEST

START_TEST(those_who_share_are_woken_together)
{
    redisContext *heard = listen_for("D");
    expect_locks(&scene, FIRST("D:1") "H k r1 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, FIRST("D:2") "H k r2 60000 #SHARED 1 0 0", WAITS);
    expect_locks(&scene, FIRST("D:3") "L k a 60000", WAITS);
    expect_locks(&scene, "F k w", "[1]");
    expect_woken(heard, "D:1");
    expect_woken(heard, "D:2");
    expect_locks(&scene, AGAIN("D:1") "H k r1 60000 #SHARED 1 0 0", GETS);
    expect_woken(heard, "D:2");
    redisFree(heard);
}
END_TEST

START_TEST(a_condition_that_deletes_and_a_recall_wake_too)
{
    redisContext *heard = listen_for("D");
    long long lost = ++scene.at.sequence;
    expect_locks(&scene, FIRST("D:1") "L 5 a 60000 ; L 5 5 60000", "[[1 #] nil]");
    expect_locks(&scene, "F 5 a ; L 5 5 60000 ; " FIRST("D:2") "L 5 b 60000", "[1 # [0 # #]]");
    expect_call(&scene, SCRIPT_LOCK_DELIF,
                "p|lock|fence p|lock|journal p|lock|waiters p|lock|waiting p|lock|lines "
                "p|lock|daemons p|lock:5 p|lock|claim:5 p|lock|pool",
                "== 5", "1");
    expect_woken(heard, "D:2");
    expect_locks(&scene, AGAIN("D:2") "L 5 b 60000", GETS);
    (void)lost;
    script_expect(locking_batch_of(&scene, "E", 1, "L q e 60000"), "[#]", __FILE__, __LINE__);
    expect_locks(&scene, FIRST("D:3") "L q c 60000", WAITS);
    expect_recall(&scene, "E", 1, "1");
    expect_woken(heard, "D:3");
    redisFree(heard);
}
END_TEST

START_TEST(a_beat_tells_who_is_to_ask_and_when_a_lock_ends)
{
    expect_locks(&scene, "L m v 0 ; H s r 40000 #SHARED 1 0 0", "[# #]");
    expect_locks(
        &scene,
        FIRST("D:1") "L k a 60000 ; " FIRST("D:2") "L m a 60000 ; " FIRST("D:3") "L s a 60000",
        "[[0 # #] [0 # #] [0 # #]]");
    redisReply *reply = locking_batch(&scene, "B 0 k m s");
    ck_assert_uint_eq(reply->element[0]->elements, 2);
    ck_assert(reply->element[0]->element[1]->integer > 30000 &&
              reply->element[0]->element[1]->integer <= 40000);
    freeReplyObject(reply);
    scene_do(&scene, "DEL p|lock:k"); /* a Python program ends it */
    scene_do(&scene, "DEL p|lock:m");
    expect_locks(&scene, "B 0 k m", "[[# -1 D:1 D:2]]");
}
END_TEST

/* --- those who are gone --- */

START_TEST(who_waits_at_a_dead_daemon_is_passed_over_and_forgotten)
{
    expect_of("E", FIRST("E:1") "L k e 60000", WAITS);
    expect_locks(&scene, FIRST("D:1") "L k a 60000 ; F k w", "[[0 # #] 1]");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", WAITS); /* E may live */
    scene_do(&scene, "HSET p|lock|daemons E \"5 7 0\"");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", GETS);
    expect_redis(&scene, "HEXISTS p|lock|waiting E:1", "0");
    expect_nothing_left();
}
END_TEST

START_TEST(who_waits_at_a_daemon_that_hears_nothing_any_more_is_passed_over)
{
    expect_of("E", FIRST("E:1") "L k e 60000", WAITS);
    expect_of("E", "B 1 k", "[...");
    expect_locks(&scene, FIRST("D:1") "L k a 60000 ; F k w", "[[0 # #] 1]");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", GETS);
    expect_of("E", AGAIN("E:1") "L k e 60000", WAITS);
    expect_locks(&scene, "F k a", "[1]");
    expect_of("E", AGAIN("E:1") "L k e 60000", GETS);
}
END_TEST

START_TEST(a_place_without_a_request_is_forgotten)
{
    expect_of("E", FIRST("E:1") "L k e 60000", WAITS);
    expect_locks(&scene, FIRST("D:1") "L k a 60000", WAITS);
    scene_do(&scene, "HDEL p|lock|waiting E:1");
    expect_locks(&scene, "F k w", "[1]");
    expect_locks(&scene, AGAIN("D:1") "L k a 60000", GETS);
    expect_redis(&scene, "EXISTS p|lock|lines", "0");
}
END_TEST

START_TEST(a_key_of_another_type_is_told_and_nothing_is_changed)
{
    scene_do(&scene, "SET p|lock|waiters 5");
    expect_locks(&scene, FIRST("D:1") "L k a 60000", "!WRONGTYPE ...");
    expect_locks(&scene, "F k w", "[1]"); /* nobody waits: no line is looked at */
}
END_TEST

/* --- requests with a name --- */

START_TEST(the_same_request_gets_the_same_lock_again)
{
    long long fence = locking_fence(&scene, "?q1 L r o 60000");
    ck_assert_int_eq(locking_fence(&scene, "?q1 L r o 60000"), fence);
    expect_locks(&scene, "?q2 L r o 60000 ; L r o 60000 ; ?q1 L r other 60000", "[nil nil nil]");
    expect_redis(&scene, "GET p|lock:r", "o");
    fence = locking_fence(&scene, "?q1 H s o 60000 #PERMITS 2 3 0");
    ck_assert_int_eq(locking_fence(&scene, "?q1 H s o 60000 #PERMITS 2 3 0"), fence);
    expect_locks(&scene, "?q2 H s o 60000 #PERMITS 2 3 0 ; H s o 60000 #PERMITS 2 3 0",
                 "[nil nil]");
    expect_locks(&scene, "K s o 50000", "[1]");
    ck_assert_int_eq(locking_fence(&scene, "?q1 H s o 60000 #PERMITS 2 3 0"), fence);
    expect_locks(&scene, "?q1 A o 60000 a b ; ?q1 A o 60000 a b ; ?q2 A o 60000 a b",
                 "[[# #] [# #] nil]");
    expect_locks(&scene, "E r o 50000 ; F r o ; ?q1 L r o 60000", "[1 1 #]");
}
END_TEST

START_TEST(a_repeated_wait_joins_the_first_one)
{
    expect_locks(&scene, "!D:1 \"\" q L k a 60000", WAITS);
    expect_locks(&scene, FIRST("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, "!D:3 \"\" q L k a 60000", WAITS);
    expect_locks(&scene, "D D:1 ; F k w", "[0 1]");
    expect_locks(&scene, AGAIN("D:2") "L k b 60000", WAITS);
    expect_locks(&scene, "!D:3 0 q L k a 60000", GETS);
    expect_locks(&scene, "?q L k a 60000", "[#]");
}
END_TEST

START_TEST(who_waits_for_the_same_request_is_woken_when_it_is_served)
{
    redisContext *heard = listen_for("D");
    expect_locks(&scene, "!D:1 \"\" q L k a 60000", WAITS);
    expect_locks(&scene, "!D:2 \"\" q L k a 60000", WAITS);
    expect_locks(&scene, "F k w", "[1]");
    expect_woken(heard, "D:1");
    expect_locks(&scene, "!D:1 0 q L k a 60000", GETS);
    expect_woken(heard, "D:2");
    expect_locks(&scene, "!D:2 0 q L k a 60000", GETS);
    expect_nothing_left();
    redisFree(heard);
}
END_TEST

START_TEST(what_a_repeated_request_was_told_is_not_recalled)
{
    long long lost = scene.at.sequence + 1;
    expect_locks(&scene, "?q L r o 60000 ; ?q H s o 60000 #SHARED 1 0 0 ; L t o 60000", "[# # #]");
    script_expect(locking_batch_of(&scene, "E", 1, "?q L r o 60000 ; ?q H s o 60000 #SHARED 1 0 0"),
                  "[# #]", __FILE__, __LINE__);
    expect_recall(&scene, "D", lost, "1");
    expect_redis(&scene, "EXISTS p|lock:r p|lock:s p|lock:t", "2");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_waits_gets_the_lock_when_it_asks_again_after_its_end,
        nobody_comes_before_who_is_first,
        another_lock_is_nobody_s_business,
        who_holds_it_gets_it_again_past_those_who_wait,
        a_waiter_that_comes_back_with_its_ticket_has_its_old_place,
        who_waits_for_several_locks_holds_none_of_them_meanwhile,
        who_shares_comes_together_with_others_but_not_before_those_who_do_not,
        permits_are_had_as_far_as_they_go,
        the_end_of_a_lock_wakes_its_first_waiter_and_nobody_else,
        those_who_share_are_woken_together,
        a_condition_that_deletes_and_a_recall_wake_too,
        a_beat_tells_who_is_to_ask_and_when_a_lock_ends,
        who_waits_at_a_dead_daemon_is_passed_over_and_forgotten,
        who_waits_at_a_daemon_that_hears_nothing_any_more_is_passed_over,
        a_place_without_a_request_is_forgotten,
        a_key_of_another_type_is_told_and_nothing_is_changed,
        the_same_request_gets_the_same_lock_again,
        a_repeated_wait_joins_the_first_one,
        who_waits_for_the_same_request_is_woken_when_it_is_served,
        what_a_repeated_request_was_told_is_not_recalled,
    };
    Suite *suite = suite_create("lock_waiting");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
