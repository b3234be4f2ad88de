/* lock_alone: the scripts for one LOCK and one UNLOCK do what a batch of one does, or say FULL and
 * leave no trace. The walk compares them with the model; here are the cases that it seldom meets.
 */
#include "tests/lib/locking.h"
#include <stdlib.h>
#include <string.h>

#define LOCK   SCRIPT_LOCK_LOCK_ONE
#define UNLOCK SCRIPT_LOCK_UNLOCK_ONE

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
    expect_alone(&scene, LOCK, 1, "w 60000", "FULL"); /* the first grant: the batch's affair */
    expect_redis(&scene, "KEYS *", "[]");
    expect_locks(&scene, "L first w 60000", "[#]");
}

/* <sequence> NUL <ms> NUL X NUL <lock> NUL <claim> NUL <owner> NUL <fence>, as a batch writes it.
 */
static void expect_journal(const char *sequence)
{
    static const char granted[] = "\0X\0p|lock:k\0p|lock|claim:k\0w";
    redisReply *record = peek(scene.at.redis, "HGET p|lock|journal D");
    size_t at = strlen(sequence) + 1 + 13;
    ck_assert_str_eq(record->str, sequence);
    ck_assert_uint_eq((size_t)record->len, at + sizeof granted + 16);
    ck_assert_int_eq(memcmp(record->str + at, granted, sizeof granted), 0);
    freeReplyObject(record);
}

START_TEST(a_lock_alone_is_as_one_of_a_batch)
{
    open_scene();
    expect_locks(&scene, "L k w 60000", "[#]");
    expect_journal("2");
    expect_locks(&scene, "F k w", "[1]");
    expect_alone(&scene, LOCK, 100, "w 60000", "[#]");
    expect_journal("100");
    expect_redis(&scene, "GET p|lock:k", "w");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|lock:k"), 50000);
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|lock|claim:k"), 50000);
    scene.at.sequence = 101;
    long long fence = locking_fence(&scene, "R first w 0");
    expect_locks(&scene, "F k w", "[1]");
    expect_alone(&scene, LOCK, 110, "w 0", "[#]");
    ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|lock:k"), -1);
    ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|lock|claim:k"), -1);
    scene.at.sequence = 111;
    ck_assert_int_gt(locking_fence(&scene, "R k w 0"), fence);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_lock_that_is_held_is_nil)
{
    open_scene();
    expect_alone(&scene, LOCK, 5, "w 60000", "[#]");
    expect_alone(&scene, LOCK, 6, "w 60000", "[nil]");
    expect_alone(&scene, LOCK, 7, "x 0", "[nil]");
    scene_do(&scene, "DEL p|lock:k");
    scene_do(&scene, "RPUSH p|lock:k a");
    expect_alone(&scene, LOCK, 8, "x 0", "!WRONGTYPE ...");
    expect_alone(&scene, UNLOCK, 9, "x", "!WRONGTYPE ...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(an_unlock_alone_is_as_one_of_a_batch)
{
    open_scene();
    expect_alone(&scene, UNLOCK, 5, "w", "[0]");
    expect_alone(&scene, LOCK, 6, "w 60000", "[#]");
    expect_alone(&scene, UNLOCK, 7, "x", "[!NOTOWNER another owner holds this lock]");
    expect_alone(&scene, UNLOCK, 8, "w", "[1]");
    expect_redis(&scene, "EXISTS p|lock:k p|lock|claim:k", "0");
    expect_alone(&scene, LOCK, 9, "w 60000", "[#]");
    expect_alone(&scene, UNLOCK, 10, "\"\"", "[1]");
    scene.at.sequence = 20;
    expect_locks(&scene, "H k w 60000 #SHARED 1 0 0", "[#]");
    expect_alone(&scene, UNLOCK, 30, "w", "[KIND]");
    expect_alone(&scene, UNLOCK, 31, "\"\"", "[KIND]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(fences_grow_whatever_the_clock_does)
{
    open_scene();
    scene_do(&scene, "SET p|lock|fence 4000000000000000");
    redisReply *reply = locking_alone(&scene, LOCK, 5, "w 60000");
    ck_assert_int_eq(reply->element[0]->integer, 4000000000000001);
    freeReplyObject(reply);
    ck_assert_int_eq(peek_int(scene.at.redis, "STRLEN p|lock|fence"), 16);
    scene.at.sequence = 6;
    ck_assert_int_eq(locking_fence(&scene, "R k w 0"), 4000000000000001);
    ck_assert_int_eq(locking_fence(&scene, "L l w 0"), 4000000000000002);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_was_granted_alone_can_be_recalled_and_is_stale_then)
{
    open_scene();
    expect_alone(&scene, LOCK, 5, "w 60000", "[#]");
    expect_recall(&scene, "D", 5, "1");
    expect_redis(&scene, "EXISTS p|lock:k p|lock|claim:k", "0");
    expect_alone(&scene, LOCK, 5, "w 60000", "!STALE ...");
    expect_alone(&scene, UNLOCK, 5, "w", "!STALE ...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(without_memory_a_lock_alone_is_refused)
{
    open_scene();
    scene_do(&scene, "CONFIG SET maxmemory 1");
    expect_alone(&scene, LOCK, 5, "w 60000", "!OOM ...");
    expect_redis(&scene, "EXISTS p|lock:k p|lock|claim:k", "0");
    expect_alone(&scene, UNLOCK, 6, "w", "[0]");
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_lock_alone_is_as_one_of_a_batch,
                                  a_lock_that_is_held_is_nil,
                                  an_unlock_alone_is_as_one_of_a_batch,
                                  fences_grow_whatever_the_clock_does,
                                  what_was_granted_alone_can_be_recalled_and_is_stale_then,
                                  without_memory_a_lock_alone_is_refused,
                                  NULL};
    return scene_run("lock_alone", tests);
}
