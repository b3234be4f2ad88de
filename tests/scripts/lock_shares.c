/* lock_shares: locks with several holders: SHARED and PERMITS, beside exclusive ones. */
#include "tests/lib/locking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED(owner, timeout)       "H k " owner " " timeout " #SHARED 1 0 0 "
#define SHARED_AGAIN(owner, timeout) "H k " owner " " timeout " #SHARED 1 0 1 "
#define PERMITS(owner, n, m)         "H k " owner " 60000 #PERMITS " n " " m " 0 "
#define PERMITS_AGAIN(owner, n, m)   "H k " owner " 60000 #PERMITS " n " " m " 1 "
#define NOT_OWNER                    "!NOTOWNER another owner holds this lock"
#define HOLDERS                      "p|lock:k p|lock|holders:k p|lock|pool"

static struct scene scene;

static long long ttl(void)
{
    return peek_int(scene.at.redis, "PTTL p|lock:k");
}

static void expect_nothing_left(void)
{
    expect_redis(&scene, "EXISTS p|lock:k p|lock|holders:k p|lock|shares:k", "0");
}

START_TEST(several_share_a_lock_each_with_a_fence_and_a_deadline)
{
    scene_open(&scene, NULL);
    long long first = locking_fence(&scene, SHARED("a", "90000"));
    long long second = locking_fence(&scene, SHARED("b", "30000"));
    ck_assert_int_gt(second, first);
    ck_assert_int_gt(ttl(), 80000);
    expect_redis(&scene, "GET p|lock:k", "#SHARED");
    expect_call(&scene, SCRIPT_LOCK_HOLDERS, HOLDERS, "", "[b a]");
    expect_locks(&scene, "J k a", "[1]");
    ck_assert(ttl() > 20000 && ttl() <= 30000); /* as long as its last holder */
    ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|lock|holders:k") > 30000, 0);
    expect_locks(&scene, "J k a ; J k b ; J k b", "[" NOT_OWNER " 1 0]");
    expect_nothing_left();
    scene_close_broken(&scene);
}
END_TEST

START_TEST(whoever_holds_it_exclusively_holds_it_alone)
{
    scene_open(&scene, NULL);
    expect_locks(&scene, SHARED("a", "60000") "; L k w 0 ; R k w 0 ; A w 0 k m", "[# nil nil nil]");
    expect_redis(&scene, "SET p|lock:k 1 NX EX 100", "nil"); /* nor does a Python program get it */
    expect_locks(&scene, "J k a ; L k w 0 ; " SHARED("a", "60000") "; " PERMITS("b", "1", "3"),
                 "[1 # nil nil]");
    expect_locks(&scene, "F k w ; " SHARED("a", "60000") "; F k a ; E k a 5", "[1 # KIND KIND]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_holder_gets_its_share_again_only_when_it_says_so)
{
    scene_open(&scene, NULL);
    long long fence = locking_fence(&scene, SHARED("a", "5000"));
    expect_locks(&scene, SHARED("a", "90000"), "[nil]");
    ck_assert_int_le(ttl(), 5000);
    ck_assert_int_eq(locking_fence(&scene, SHARED_AGAIN("a", "90000")), fence);
    ck_assert_int_gt(ttl(), 80000);
    expect_locks(&scene, "J k a", "[1]");
    expect_nothing_left();
    scene_close_broken(&scene);
}
END_TEST

/* N and X: what was granted with a fence, of whichever kind. */
START_TEST(one_granting_is_kept_and_ended_by_its_fence)
{
    static const char *const takes[] = {"+s L k a 5000", "+s " SHARED("a", "5000"),
                                        "+s H k a 5000 #PERMITS 2 3 0"};
    scene_open(&scene, NULL);
    for (int i = 0; i < 3; i++) {
        char keep[80], longer[80], end[80];
        long long old = locking_fence(&scene, takes[i]);
        snprintf(keep, sizeof keep, "N k a 60000 %lld", old);
        snprintf(longer, sizeof longer, "N k b 60000 %lld", old);
        snprintf(end, sizeof end, "X k a s %lld", old);
        expect_locks(&scene, longer, "[0]"); /* another owner's */
        ck_assert_int_le(ttl(), 5000);
        expect_locks(&scene, keep, "[1]");
        ck_assert_int_gt(ttl(), 50000);
        ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|lock|claim:k") > 0, i == 0);
        snprintf(keep, sizeof keep, "N k a 1000 %lld", old);
        expect_locks(&scene, keep, "[1]");
        ck_assert_int_gt(ttl(), 50000); /* never for less */
        expect_locks(&scene, "F k \"\"", i == 0 ? "[1]" : "[KIND]");
        expect_locks(&scene, "J k \"\"", i == 0 ? "[0]" : "[1]");
        long long new = locking_fence(&scene, takes[i]);
        expect_locks(&scene, keep, "[0]");
        expect_locks(&scene, end, "[0]");
        ck_assert_int_le(ttl(), 5000);
        expect_locks(&scene, "E k a 0 ; K k a 0", i == 0 ? "[1 1]" : "[KIND 1]");
        snprintf(keep, sizeof keep, "N k a 1000 %lld", new);
        snprintf(end, sizeof end, "X k a s %lld", new);
        expect_locks(&scene, keep, "[1]");
        ck_assert_int_eq(ttl(), -1);
        expect_locks(&scene, end, "[1]"); /* its owner has been told of it since */
        expect_locks(&scene, end, "[0]");
        expect_locks(&scene, keep, "[0]");
        expect_nothing_left();
    }
    scene_close_broken(&scene);
}
END_TEST

/* The client's library repeats its request by another connection; then the first one is noticed as
 * dead. */
START_TEST(what_another_session_has_by_now_is_not_ended)
{
    static const char *const takes[] = {"L k a 5000", SHARED("a", "5000"),
                                        "H k a 5000 #PERMITS 2 3 0"};
    static const char *const again[] = {"R k a 5000", "H k a 5000 #SHARED 1 0 1",
                                        "H k a 5000 #PERMITS 2 3 1"};
    scene_open(&scene, NULL);
    for (int i = 0; i < 6; i++) {
        bool has_reqid = i >= 3;
        char words[100], first[80], second[80];
        snprintf(words, sizeof words, "?q +s %s", takes[i % 3]);
        long long fence = locking_fence(&scene, words);
        snprintf(words, sizeof words, "?q +t %s", has_reqid ? takes[i % 3] : again[i % 3]);
        ck_assert_int_eq(locking_fence(&scene, words), fence);
        snprintf(first, sizeof first, "X k a s %lld", fence);
        snprintf(second, sizeof second, "X k a t %lld", fence);
        expect_locks(&scene, first, "[0]");
        expect_locks(&scene, i % 3 == 0 ? "E k a 6000" : "K k a 6000", "[1]");
        expect_locks(&scene, first, "[0]");
        expect_locks(&scene, second, "[1]");
        expect_nothing_left();
    }
    long long fence = locking_fence(&scene, "+s L k a 5000");
    char end[80];
    snprintf(end, sizeof end, "X k a s %lld", fence);
    ck_assert_int_eq(locking_fence(&scene, "R k a 5000"), fence); /* of no session */
    expect_locks(&scene, end, "[0]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(permits_are_given_up_to_their_number)
{
    scene_open(&scene, NULL);
    expect_locks(&scene,
                 PERMITS("a", "2", "4") "; " PERMITS("b", "3", "4") "; " PERMITS(
                     "b", "2", "4") "; " PERMITS("c", "1", "4"),
                 "[# nil # nil]");
    expect_redis(&scene, "GET p|lock:k", "#PERMITS");
    expect_locks(&scene, PERMITS("c", "1", "5"),
                 "[!ERR OF 5 does not fit: permits of this lock are held OF 4]");
    expect_locks(&scene, SHARED("c", "60000") "; L k w 0", "[nil nil]");
    expect_locks(&scene,
                 PERMITS_AGAIN("a", "3", "4") "; " PERMITS_AGAIN("a", "1", "4") "; " PERMITS(
                     "c", "1", "4") "; " PERMITS_AGAIN("a", "2", "4"),
                 "[nil # # nil]");
    expect_locks(&scene, "J k b ; " PERMITS_AGAIN("a", "3", "4") "; " PERMITS("d", "1", "4"),
                 "[1 # nil]");
    expect_locks(&scene, "J k a ; J k c ; " PERMITS("d", "9", "9"), "[1 1 #]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_share_whose_time_is_over_counts_no_more)
{
    scene_open(&scene, NULL);
    expect_locks(&scene, PERMITS("a", "2", "3") "; " PERMITS("b", "1", "3"), "[# #]");
    scene_do(&scene, "ZADD p|lock|holders:k 1 a"); /* its time is over */
    expect_call(&scene, SCRIPT_LOCK_HOLDERS, HOLDERS, "", "[b]");
    expect_locks(&scene, PERMITS("c", "2", "3") "; " PERMITS("d", "1", "3"), "[# nil]");
    expect_redis(&scene, "HEXISTS p|lock|shares:k a", "0");
    scene_do(&scene, "ZADD p|lock|holders:k 1 b");
    expect_locks(&scene, "K k b 90000 ; J k b ; K k c 90000", "[0 " NOT_OWNER " 1]");
    ck_assert_int_gt(ttl(), 80000);
    scene_do(&scene, "ZADD p|lock|holders:k 1 c");
    expect_locks(&scene, "K k c 90000", "[0]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_share_for_ever_keeps_the_lock_for_ever)
{
    scene_open(&scene, NULL);
    expect_locks(&scene, SHARED("a", "5000") "; " SHARED("b", "0"), "[# #]");
    ck_assert_int_eq(ttl(), -1);
    expect_redis(&scene, "PTTL p|lock|shares:k", "-1");
    expect_locks(&scene, "K k b 9000", "[1]");
    ck_assert_int_gt(ttl(), 5000);
    expect_locks(&scene, "K k a 0 ; J k b ; V k", "[1 1 -1]");
    expect_call(&scene, SCRIPT_LOCK_HOLDERS, HOLDERS, "", "[a]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(without_owner_all_shares_end)
{
    scene_open(&scene, NULL);
    expect_locks(&scene,
                 SHARED("a", "5000") "; " SHARED("b", "0") "; J k \"\" ; J k \"\" ; L k w 0",
                 "[# # 1 0 #]");
    expect_redis(&scene, "EXISTS p|lock|holders:k p|lock|shares:k", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_a_python_program_did_to_the_lock_ends_the_shares)
{
    scene_open(&scene, NULL);
    expect_locks(&scene, PERMITS("a", "3", "3"), "[#]");
    scene_do(&scene, "DEL p|lock:k"); /* its unlock */
    expect_locks(&scene, PERMITS("b", "2", "5"), "[#]");
    expect_call(&scene, SCRIPT_LOCK_HOLDERS, HOLDERS, "", "[b]");
    scene_do(&scene, "SET p|lock:k me EX 60"); /* its update */
    expect_locks(&scene, PERMITS("b", "1", "5") "; J k b ; K k b 5 ; K k me 5000 ; J k me",
                 "[nil " NOT_OWNER " 0 1 1]");
    expect_locks(&scene, PERMITS("b", "1", "9"), "[#]");
    expect_locks(&scene, "U k w 0 ; F k w ; " SHARED("c", "5000"), "[OK 1 #]");
    expect_call(&scene, SCRIPT_LOCK_HOLDERS, HOLDERS, "", "[c]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_mark_without_holders_is_a_lock_of_others)
{
    scene_open(&scene, NULL);
    scene_do(&scene, "SET p|lock:k #SHARED EX 100");
    expect_locks(&scene, SHARED("a", "5") "; J k a ; K k a 5 ; L k w 0 ; J k \"\"",
                 "[nil " NOT_OWNER " 0 nil 1]");
    expect_nothing_left();
    scene_close_broken(&scene);
}
END_TEST

START_TEST(one_batch_goes_from_one_kind_to_another)
{
    scene_open(&scene, NULL);
    expect_locks(&scene,
                 "L k w 0 ; F k w ; " SHARED("a", "60000") "; J k a ; L k w 0 ; F k ; " PERMITS(
                     "a", "1", "1") "; V m ; F k ; J k a ; V k",
                 "[# 1 # 1 # 1 # -2 KIND 1 -2]");
    expect_nothing_left();
    scene_close_broken(&scene);
}
END_TEST

START_TEST(keys_of_another_type_are_noticed_before_anything_is_written)
{
    static const char *const keys[] = {"p|lock|holders:k", "p|lock|shares:k"};
    scene_open(&scene, NULL);
    scene_do(&scene, "HSET p|lock:k f v");
    expect_locks(&scene, SHARED("a", "5"), "[!WRONGTYPE ...");
    scene_do(&scene, "DEL p|lock:k");
    for (int i = 0; i < 2; i++) {
        char words[100];
        expect_locks(&scene, SHARED("a", "0"), "[#]");
        snprintf(words, sizeof words, "SET %s text", keys[i]);
        scene_do(&scene, words);
        char *before = scene_digest(&scene);
        expect_locks(&scene, SHARED("b", "5") "; " SHARED_AGAIN("a", "5") "; K k a 5 ; J k a",
                     "[!WRONGTYPE Operation against a key holding the wrong kind of value "
                     "!WRONGTYPE Operation against a key holding the wrong kind of value "
                     "!WRONGTYPE Operation against a key holding the wrong kind of value "
                     "!WRONGTYPE Operation against a key holding the wrong kind of value]");
        char *after = scene_digest(&scene);
        ck_assert_str_eq(before, after);
        free(before);
        free(after);
        expect_locks(&scene, "J k \"\"", "[1]"); /* mends it */
    }
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {several_share_a_lock_each_with_a_fence_and_a_deadline,
                                  whoever_holds_it_exclusively_holds_it_alone,
                                  a_holder_gets_its_share_again_only_when_it_says_so,
                                  one_granting_is_kept_and_ended_by_its_fence,
                                  what_another_session_has_by_now_is_not_ended,
                                  permits_are_given_up_to_their_number,
                                  a_share_whose_time_is_over_counts_no_more,
                                  a_share_for_ever_keeps_the_lock_for_ever,
                                  without_owner_all_shares_end,
                                  what_a_python_program_did_to_the_lock_ends_the_shares,
                                  a_mark_without_holders_is_a_lock_of_others,
                                  one_batch_goes_from_one_kind_to_another,
                                  keys_of_another_type_are_noticed_before_anything_is_written,
                                  NULL};
    return scene_run("lock_shares", tests);
}
