/* lock_batch: exclusive locks: what each operation does, alone and among others. */
#include "tests/lib/locking.h"
#include <stdlib.h>
#include <string.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
}

static long long ask_int(const char *words)
{
    redisReply *reply = scene_ask(&scene, words);
    ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
    long long n = reply->integer;
    freeReplyObject(reply);
    return n;
}

START_TEST(a_lock_is_taken_once_and_its_value_is_the_owner)
{
    open_scene();
    expect_locks(&scene, "L k \"w 1\" 60000 ; L k other 60000 ; L k \"w 1\" 60000", "[# nil nil]");
    expect_redis(&scene, "GET p|lock:k", "w 1");
    long long ttl_ms = ask_int("PTTL p|lock:k");
    ck_assert(ttl_ms > 50000 && ttl_ms <= 60000);
    long long claim_ms = ask_int("PTTL p|lock|claim:k"); /* asked a moment later */
    ck_assert(claim_ms <= ttl_ms && claim_ms > ttl_ms - 5000);
    expect_locks(&scene, "V k ; V free", "[...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(zero_is_for_ever)
{
    open_scene();
    expect_locks(&scene, "L k w 0 ; V k", "[# -1]");
    expect_redis(&scene, "PTTL p|lock|claim:k", "-1");
    expect_locks(&scene, "E k w 5000", "[1]");
    ck_assert_int_gt(ask_int("PTTL p|lock:k"), 0);
    ck_assert_int_gt(ask_int("PTTL p|lock|claim:k"), 0);
    expect_locks(&scene, "R k w 0", "[#]");
    expect_redis(&scene, "PTTL p|lock|claim:k", "-1");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(fences_grow_and_survive_the_loss_of_the_counter)
{
    open_scene();
    long long last = locking_fence(&scene, "L k0 w 0");
    expect_locks(&scene, "L k1 w 0 ; L k2 w 0 ; L k3 w 0", "[# # #]");
    for (int i = 0; i < 3; i++) {
        expect_locks(&scene, "F k0 w", "[1]");
        long long fence = locking_fence(&scene, "L k0 w 0");
        ck_assert_int_gt(fence, last);
        last = fence;
    }
    scene_do(&scene, "FLUSHALL");
    ck_assert_int_gt(locking_fence(&scene, "L k0 w 0"), last);
    scene_do(&scene, "SET p|lock|fence 4000000000000000"); /* Redis' clock went back */
    ck_assert_int_eq(locking_fence(&scene, "L k1 w 0"), 4000000000000001);
    ck_assert_int_eq(peek_int(scene.at.redis, "STRLEN p|lock|fence"), 16);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(its_owner_gets_it_again_with_the_same_fence_and_a_new_time)
{
    open_scene();
    long long fence = locking_fence(&scene, "R k w 1000");
    ck_assert_int_eq(locking_fence(&scene, "R k w 90000"), fence);
    ck_assert_int_gt(ask_int("PTTL p|lock:k"), 80000);
    ck_assert_int_gt(ask_int("PTTL p|lock|claim:k"), 80000);
    expect_locks(&scene, "R k other 5", "[nil]");
    expect_locks(&scene, "R k w 0 ; R k w 0 ; V k", "[# # -1]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_claim_of_another_owner_gives_nobody_its_fence)
{
    open_scene();
    long long fence = locking_fence(&scene, "L k w1 60000");
    scene_do(&scene, "SET p|lock:k w2 EX 60"); /* a Python program's update */
    long long second = locking_fence(&scene, "R k w2 60000");
    ck_assert_int_gt(second, fence);
    ck_assert_int_eq(locking_fence(&scene, "R k w2 60000"), second);
    /* an owner's name that ends as another's claim does */
    scene_do(&scene, "SET p|lock|claim:k \"5- -w2\"");
    ck_assert_int_gt(locking_fence(&scene, "R k w2 60000"), second);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_lock_is_extended_and_ended_by_its_owner_alone)
{
    open_scene();
    expect_locks(&scene, "L k w 60000 ; E k other 5 ; F k other ; E k w 90000 ; E free w 5",
                 "[# 0 !NOTOWNER another owner holds this lock 1 0]");
    ck_assert_int_gt(ask_int("PTTL p|lock:k"), 80000);
    expect_locks(&scene, "F k w ; F k w ; V k", "[1 0 -2]");
    expect_redis(&scene, "EXISTS p|lock:k p|lock|claim:k", "0");
    expect_locks(&scene, "L k w 0", "[#]");
    expect_locks(&scene, "F k ; F k", "[1 0]"); /* whoever holds it */
    scene_close_broken(&scene);
}
END_TEST

START_TEST(one_batch_hands_a_lock_on)
{
    open_scene();
    expect_locks(&scene, "L k a 60000 ; F k a ; L k b 0 ; L k c 0 ; F k b ; L k d 60000 ; V free",
                 "[# 1 # nil 1 # -2]");
    expect_redis(&scene, "GET p|lock:k", "d");
    ck_assert_int_gt(ask_int("PTTL p|lock|claim:k"), 0);
    expect_locks(&scene, "F k d ; U k e 0 ; R k e 0 ; F k e ; R k f 0", "[1 OK # 1 #]");
    expect_redis(&scene, "GET p|lock:k", "f");
    expect_locks(&scene, "F k f ; V k", "[1 -2]");
    expect_redis(&scene, "KEYS p|lock*:k", "[]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(update_sets_the_lock_whoever_holds_it)
{
    open_scene();
    long long fence = locking_fence(&scene, "L k a 60000");
    expect_locks(&scene, "U k b 0", "[OK]");
    expect_redis(&scene, "GET p|lock:k", "b");
    expect_locks(&scene, "E k a 5 ; F k a ; V k", "[0 !NOTOWNER another owner holds this lock -1]");
    ck_assert_int_gt(locking_fence(&scene, "R k b 60000"), fence);
    expect_locks(&scene, "U new c 0 ; V new", "[OK -1]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_python_programs_lock_is_respected_and_ours_by_it)
{
    open_scene();
    scene_do(&scene, "SET p|lock:k 1 EX 100 NX");
    expect_locks(&scene, "L k w 5000 ; R k w 5000 ; F k w ; E k 1 5000",
                 "[nil nil !NOTOWNER another owner holds this lock 1]");
    expect_redis(&scene, "EXISTS p|lock|claim:k", "0");
    expect_locks(&scene, "R k 1 5000 ; F k 1 ; L k w 5000", "[# 1 #]");
    expect_redis(&scene, "SET p|lock:k 1 EX 100 NX", "nil");
    scene_do(&scene, "DEL p|lock:k"); /* its unlock */
    expect_locks(&scene, "E k w 5000 ; F k w ; L k x 5000", "[0 0 #]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(several_locks_are_taken_all_or_none)
{
    open_scene();
    expect_locks(&scene, "A w 60000 a b c", "[[# # #]]");
    expect_redis(&scene, "MGET p|lock:a p|lock:b p|lock:c", "[w w w]");
    expect_locks(&scene, "A x 60000 d b ; V d ; A x 60000 d d ; V d",
                 "[nil -2 !ERR a key is named twice -2]");
    expect_locks(&scene, "F b w ; A x 60000 d b ; V free", "[1 [# #] -2]");
    redisReply *reply = locking_batch(&scene, "A y 0 e f g h");
    for (size_t i = 1; i < 4; i++)
        ck_assert_int_gt(reply->element[0]->element[i]->integer,
                         reply->element[0]->element[i - 1]->integer);
    freeReplyObject(reply);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_key_of_another_type_among_several_leaves_the_others_free)
{
    open_scene();
    scene_do(&scene, "HSET p|lock:b f v");
    char *before = scene_digest(&scene);
    expect_locks(&scene, "A w 60000 a b", "[!WRONGTYPE ...");
    scene_do(&scene, "DEL p|lock|fence");
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    expect_locks(&scene, "A w 60000 a c ; L b w 0 ; F b w ; R b w 0",
                 "[[# #] !WRONGTYPE Operation against a key holding the wrong kind of value 0 "
                 "!WRONGTYPE Operation against a key holding the wrong kind of value]");
    expect_redis(&scene, "HGET p|lock:b f", "v");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(very_many_locks_go_in_one_call)
{
    enum { COUNT = 2030 };
    static char words[COUNT * 8];
    int at = sprintf(words, "A w 60000");
    open_scene();
    for (int i = 0; i < COUNT; i++)
        at += sprintf(words + at, " k%d", i);
    redisReply *reply = locking_batch(&scene, words);
    ck_assert_int_eq((int)reply->element[0]->elements, COUNT);
    freeReplyObject(reply);
    expect_redis(&scene, "GET p|lock:k2029", "w");
    expect_recall(&scene, "D", 1, "2030");
    expect_redis(&scene, "KEYS p|lock:*", "[]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(locks_of_a_set_are_its_own)
{
    open_scene();
    scene_do(&scene, "SADD p|s|pool k");
    expect_locks(&scene, "@s L k w 60000 ; L k x 60000 ; @s L k y 5 ; @t L any z 60000",
                 "[# # nil #]");
    expect_redis(&scene, "MGET p|s:k p|lock:k p|t:any", "[w x z]");
    expect_redis(&scene, "EXISTS p|s|claim:k", "1");
    expect_locks(&scene, "@s F k w ; @s A w 0 k l ; @s H m w 0 #SHARED 1 0 0", "[1 [# #] #]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_pool_is_no_lock_set_and_its_neighbours_do_not_mind)
{
    open_scene();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_locks(&scene,
                 "@x L a w 0 ; L k w 0 ; @x A w 0 a b ; @x H a w 0 #SHARED 1 0 0 ; @x J a w ; "
                 "@x F a ; L l w 0",
                 "[!WRONGTYPE Operation against a key holding the wrong kind of value # "
                 "!WRONGTYPE Operation against a key holding the wrong kind of value "
                 "!WRONGTYPE Operation against a key holding the wrong kind of value "
                 "!WRONGTYPE Operation against a key holding the wrong kind of value "
                 "!WRONGTYPE Operation against a key holding the wrong kind of value #]");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    open_scene();
    expect_locks(&scene, "L k w 60000 ; H s w 60000 #SHARED 1 0 0", "[# #]");
    scene_do(&scene, "CONFIG SET maxmemory 1");
    char *before = scene_digest(&scene);
    static const char *const refused[] = {"L a w 0", "F k w ; L a w 0", "A w 0 a b", "U a w 0",
                                          "H t w 0 #SHARED 1 0 0"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        script_expect(locking_batch(&scene, refused[i]), "!OOM ...", __FILE__, __LINE__);
        char *after = scene_digest(&scene);
        ck_assert_msg(strcmp(before, after) == 0, "%s", refused[i]);
        free(after);
    }
    free(before);
    expect_locks(&scene, "F k w ; J s w", "[1 1]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_batch_happens_once)
{
    open_scene();
    script_expect(locking_batch_of(&scene, "D", 7, "L k w 0"), "[#]", __FILE__, __LINE__);
    script_expect(locking_batch_of(&scene, "D", 7, "F k w"), "!STALE ...", __FILE__, __LINE__);
    script_expect(locking_batch_of(&scene, "D", 6, "F k w"), "!STALE ...", __FILE__, __LINE__);
    script_expect(locking_batch_of(&scene, "E", 1, "F k w"), "[1]", __FILE__, __LINE__);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(journals_of_daemons_long_gone_are_dropped)
{
    open_scene();
    scene_do(&scene, "HSET p|lock|journal old \"5\" older rubbish");
    expect_locks(&scene, "L k w 0", "[#]");
    expect_redis(&scene, "HKEYS p|lock|journal", "[D]");
    script_expect(locking_batch_of(&scene, "E", 1, "L l w 0"), "[#]", __FILE__, __LINE__);
    expect_redis(&scene, "HKEYS p|lock|journal", "[D E]"); /* D is young */
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_is_beside_a_lock_ends_with_it)
{
    open_scene();
    expect_locks(&scene,
                 "L k w 60000 ; R k w 60000 ; E k w 60000 ; U k w 60000 ; "
                 "H s w 60000 #PERMITS 1 3 0 ; K s w 60000",
                 "[# # 1 OK # 1]");
    ck_assert_int_gt(ask_int("PTTL p|lock|claim:k"), 0);
    ck_assert_int_gt(ask_int("PTTL p|lock|holders:s"), 0);
    ck_assert_int_gt(ask_int("PTTL p|lock|shares:s"), 0);
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_lock_is_taken_once_and_its_value_is_the_owner,
                                  zero_is_for_ever,
                                  fences_grow_and_survive_the_loss_of_the_counter,
                                  its_owner_gets_it_again_with_the_same_fence_and_a_new_time,
                                  a_claim_of_another_owner_gives_nobody_its_fence,
                                  a_lock_is_extended_and_ended_by_its_owner_alone,
                                  one_batch_hands_a_lock_on,
                                  update_sets_the_lock_whoever_holds_it,
                                  a_python_programs_lock_is_respected_and_ours_by_it,
                                  several_locks_are_taken_all_or_none,
                                  a_key_of_another_type_among_several_leaves_the_others_free,
                                  very_many_locks_go_in_one_call,
                                  locks_of_a_set_are_its_own,
                                  a_pool_is_no_lock_set_and_its_neighbours_do_not_mind,
                                  without_memory_nothing_is_half_done,
                                  a_batch_happens_once,
                                  journals_of_daemons_long_gone_are_dropped,
                                  what_is_beside_a_lock_ends_with_it,
                                  NULL};
    return scene_run("lock_batch", tests);
}
