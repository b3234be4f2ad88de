/* lock_sets: lock sets and groups of members that beat, as the Python library has them. */
#include "tests/lib/locking.h"
#include <stdlib.h>
#include <string.h>

#define SET   "p|s|pool"
#define GROUP "web|thread-health-check-pool|pool"
#define LIFE  GROUP " web|thread-health-check-pool:m1"

static struct scene scene;

START_TEST(a_set_is_extended_shrunk_assigned_and_cleared)
{
    scene_open(&scene, NULL);
    expect_call(&scene, SCRIPT_LOCK_SET_EXTEND, SET, "a b c", "3");
    expect_call(&scene, SCRIPT_LOCK_SET_EXTEND, SET, "c d c", "1");
    expect_call(&scene, SCRIPT_LOCK_SET_SHRINK, SET, "a x", "1");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, "b e e f", "[2 2]");
    expect_redis(&scene, "SORT " SET " ALPHA", "[b e f]");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, "f e b", "[0 0]");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, "", "[0 3]");
    expect_redis(&scene, "EXISTS " SET, "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(status_and_health_tell_which_are_locked_whoever_locked_them)
{
    scene_open(&scene, NULL);
    scene_do(&scene, "SADD " SET " a b c d");  /* a Python program's extend */
    scene_do(&scene, "SET p|s:b 1 EX 100 NX"); /* and its lock */
    expect_locks(&scene, "@s L a w 60000 ; @s H c w 60000 #SHARED 1 0 0", "[# #]");
    expect_call(&scene, SCRIPT_LOCK_SET_STATUS, SET, "a b c d", "[a 1 b 1 c 1 d 0]");
    expect_call(&scene, SCRIPT_LOCK_SET_STATUS, SET, "d stranger a", "[d 0 stranger nil a 1]");
    expect_call(&scene, SCRIPT_LOCK_SET_HEALTH, SET, "", "[3 1]");
    expect_locks(&scene, "@s F a w", "[1]");
    expect_call(&scene, SCRIPT_LOCK_SET_HEALTH, SET, "", "[2 2]");
    expect_call(&scene, SCRIPT_LOCK_SET_SHRINK, SET, "a b c", "3");
    expect_call(&scene, SCRIPT_LOCK_SET_STATUS, SET, "", "[d 0]");
    expect_redis(&scene, "EXISTS p|s:b", "1"); /* its lock runs on */
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_set_may_have_very_many_names)
{
    static char words[9001 * 7 + 1];
    int at = 0;
    scene_open(&scene, NULL);
    scene_do(&scene, "SET p|s:n8999 1");
    for (int i = 0; i < 4000; i++)
        at += sprintf(words + at, "n%d ", i);
    expect_call(&scene, SCRIPT_LOCK_SET_EXTEND, SET, words, "4000");
    peek_do(scene.at.redis, "EVAL %s 1 " SET,
            "for i = 4000, 8999 do redis.call('SADD', KEYS[1], 'n' .. i) end");
    expect_call(&scene, SCRIPT_LOCK_SET_HEALTH, SET, "", "[1 8999]");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, words, "[0 5000]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_pool_is_no_set_and_is_not_touched)
{
    static const enum script_id scripts[] = {SCRIPT_LOCK_SET_EXTEND, SCRIPT_LOCK_SET_SHRINK,
                                             SCRIPT_LOCK_SET_ASSIGN, SCRIPT_LOCK_SET_STATUS,
                                             SCRIPT_LOCK_SET_HEALTH};
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    char *before = scene_digest(&scene);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        expect_call(&scene, scripts[i], "p|x|pool", "a", "!WRONGTYPE ...");
        expect_call(&scene, SCRIPT_LOCK_HOLDERS, "p|x:a p|x|holders:a p|x|pool", "",
                    "!WRONGTYPE ...");
    }
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    scene_close(&scene);
}
END_TEST

START_TEST(without_memory_an_assignment_is_not_half_done)
{
    scene_open(&scene, NULL);
    expect_call(&scene, SCRIPT_LOCK_SET_EXTEND, SET, "a b", "2");
    scene_do(&scene, "CONFIG SET maxmemory 1");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, "b c", "!OOM ...");
    expect_redis(&scene, "SMISMEMBER " SET " a b c", "[1 1 0]");
    expect_call(&scene, SCRIPT_LOCK_SET_ASSIGN, SET, "b", "[0 1]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_member_is_alive_for_its_time)
{
    scene_open(&scene, NULL);
    expect_call(&scene, SCRIPT_LOCK_BEAT, LIFE, "m1 60000", "1");
    expect_call(&scene, SCRIPT_LOCK_BEAT, LIFE, "m1 90000", "0");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL web|thread-health-check-pool:m1"), 80000);
    expect_redis(&scene, "GET web|thread-health-check-pool:m1", "1");
    scene_do(&scene, "SADD " GROUP " 4711"); /* a thread of a Python program */
    expect_call(&scene, SCRIPT_LOCK_BEATS, GROUP, "", "[m1]");
    scene_do(&scene, "SET web|thread-health-check-pool:4711 1 EX 100");
    expect_call(&scene, SCRIPT_LOCK_SET_HEALTH, GROUP, "", "[2 0]");
    scene_do(&scene, "DEL web|thread-health-check-pool:m1"); /* its time is over */
    expect_call(&scene, SCRIPT_LOCK_BEATS, GROUP, "", "[4711]");
    expect_redis(&scene, "SCARD " GROUP, "2");
    expect_call(&scene, SCRIPT_LOCK_BEAT, LIFE, "m1 0", "1");
    expect_redis(&scene, "PTTL web|thread-health-check-pool:m1", "-1");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(who_leaves_is_no_member_any_more)
{
    scene_open(&scene, NULL);
    expect_call(&scene, SCRIPT_LOCK_LEAVE, LIFE, "m1", "0");
    expect_call(&scene, SCRIPT_LOCK_BEAT, LIFE, "m1 60000", "1");
    expect_call(&scene, SCRIPT_LOCK_LEAVE, LIFE, "m1", "1");
    expect_call(&scene, SCRIPT_LOCK_BEATS, GROUP, "", "[]");
    expect_redis(&scene, "KEYS *", "[]");
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_set_is_extended_shrunk_assigned_and_cleared,
                                  status_and_health_tell_which_are_locked_whoever_locked_them,
                                  a_set_may_have_very_many_names,
                                  a_pool_is_no_set_and_is_not_touched,
                                  without_memory_an_assignment_is_not_half_done,
                                  a_member_is_alive_for_its_time,
                                  who_leaves_is_no_member_any_more,
                                  NULL};
    return scene_run("lock_sets", tests);
}
