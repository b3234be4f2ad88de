/* fault: keys of other types, and a Redis without memory: an operation is done or it is not. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

/* The operation is refused in these words and nothing has changed. */
static void expect_refused(struct scene *scene, enum script_id id, const char *words,
                           const char *why)
{
    char *before = scene_digest(scene);
    redisReply *reply = script_say(&scene->at, id, words);
    const redisReply *told = reply->type == REDIS_REPLY_ARRAY ? reply->element[0] : reply;
    ck_assert_msg(told->type == REDIS_REPLY_ERROR && strncmp(told->str, why, strlen(why)) == 0,
                  "%s %s: %s", script_of(id)->name, words, told->str ? told->str : "did it");
    char *after = scene_digest(scene);
    ck_assert_msg(strcmp(before, after) == 0, "%s %s has changed something", script_of(id)->name,
                  words);
    freeReplyObject(reply);
    free(before);
    free(after);
}

START_TEST(a_lock_set_is_no_pool)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene_do(&scene, "SADD p|x|pool a b");
    const struct {
        enum script_id id;
        const char *words;
    } all[] = {{SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r")},
               {SCRIPT_POOL_BATCH, "D 1 shared " M1("r")},
               {SCRIPT_POOL_BATCH, "D 1 exclusive F \"\" \"\" 1 a"},
               {SCRIPT_POOL_BATCH, "D 1 exclusive R a \"\" 1000"},
               {SCRIPT_POOL_EXTEND, "-1 a"},
               {SCRIPT_POOL_SHRINK, "a"},
               {SCRIPT_POOL_ASSIGN, "-1 a"},
               {SCRIPT_POOL_ASSIGN, "-1"},
               {SCRIPT_POOL_BIND, "n a 0"},
               {SCRIPT_POOL_UNBIND, "n"},
               {SCRIPT_POOL_BOUND, "n"},
               {SCRIPT_POOL_HELD, "me"},
               {SCRIPT_POOL_FREELIST, "-1"},
               {SCRIPT_POOL_INFO, ""},
               {SCRIPT_POOL_HEALTH, ""},
               {SCRIPT_POOL_STATUS, "a"},
               {SCRIPT_POOL_CHECK, ""},
               {SCRIPT_POOL_REPAIR, ""},
               {SCRIPT_POOL_GC, "D 1000 100 100"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_refused(&scene, all[i].id, all[i].words, "WRONGTYPE");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(keys_of_ours_with_another_type_are_noticed_before_anything_is_written)
{
    static const char *const keys[] = {"leases", "journal", "held", "notes", "requests"};
    struct scene scene;
    scene_open(&scene, NULL);
    for (int i = 0; i < 5; i++) {
        char words[100];
        scene_do(&scene, "FLUSHALL");
        expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
        snprintf(words, sizeof words, "SET p|x|pool|%s text", keys[i]);
        scene_do(&scene, words);
        expect_refused(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive M 1 1 0 r \"\" 0 me q",
                       "WRONGTYPE");
    }
    scene_close(&scene);
}
END_TEST

START_TEST(a_fault_of_notes_does_not_touch_the_neighbours)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "SET p|x|pool|held text");
    expect_batch(&scene.at, M1("r1") "M 1 1 0 r \"\" 0 me \"\" " M1("r2"),
                 "[[a #-r1 # 60000] !WRONGTYPE Operation against a key holding the wrong kind of "
                 "value [b #-r2 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    static const struct {
        enum script_id id;
        const char *words;
    } all[] = {{SCRIPT_POOL_BATCH, "D 9 exclusive " M1("r")},
               {SCRIPT_POOL_BATCH, "D 9 exclusive M n 3 0 r \"\" 0 me q"},
               {SCRIPT_POOL_BATCH, "D 9 exclusive M a 2 0 r n 0 me q"},
               {SCRIPT_POOL_BATCH, "D 9 exclusive M 1 1 0 r bound 0 \"\" \"\""},
               {SCRIPT_POOL_BATCH, "D 9 shared " M1("r")},
               {SCRIPT_POOL_EXTEND, "-1 x y z"},
               {SCRIPT_POOL_EXTEND, "5000 b"},
               {SCRIPT_POOL_ASSIGN, "-1 a b c d x"},
               {SCRIPT_POOL_BIND, "m b 0"}};
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect(&scene.at, SCRIPT_POOL_BIND, "bound c 0", "OK");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "CONFIG SET maxmemory 1");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_refused(&scene, all[i].id, all[i].words, "OOM");
    scene_do(&scene, "CONFIG SET maxmemory 0");
    scene_close(&scene);
}
END_TEST

START_TEST(without_memory_leases_still_end)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d e f", "6");
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3"), "[[a ...");
    expect_batch(&scene.at, "M n 2 0 r4 \"\" 0 me q", "[[d ...");
    scene_do(&scene, "DEL p|x:b");
    scene_do(&scene, "ZADD p|x|pool|leases 1 b");
    scene_do(&scene, "CONFIG SET maxmemory 1");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect_batch(&scene.at, "R c \"\" 90000", "[1]");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 2", "2");
    expect(&scene.at, SCRIPT_POOL_GC, "D 5000 100 100", "[1 6 1 0 0 0 0 6 ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "f", "1");
    scene_do(&scene, "CONFIG SET maxmemory 0");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a d e b]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[5 4 1]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_read_only_replica_refuses_the_whole)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "REPLICAOF 127.0.0.1 1");
    expect_refused(&scene, SCRIPT_POOL_BATCH, "D 2 exclusive F \"\" \"\" 1 a", "READONLY");
    expect_refused(&scene, SCRIPT_POOL_EXTEND, "-1 b", "READONLY");
    expect_refused(&scene, SCRIPT_POOL_GC, "D 1000 100 100", "READONLY");
    scene_close(&scene);
}
END_TEST

START_TEST(leases_and_fences_survive_a_kill_with_an_append_only_file)
{
    struct scene scene;
    guard_start(&scene.guard);
    server_init(&scene.server, scene.guard.dir, "redis");
    server_option(&scene.server, "appendonly yes");
    server_option(&scene.server, "appendfsync always");
    server_start(&scene.server);
    pool_at_init(&scene.at, server_connect(&scene.server), "p|x");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") "M 1 1 0 r2 n 0 me q", "[[a ...");
    char *before = scene_digest(&scene);
    redisFree(scene.at.redis);
    server_kill(&scene.server);
    server_start(&scene.server);
    scene.at.redis = server_connect(&scene.server);
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 1 2]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_lock_set_is_no_pool,
        keys_of_ours_with_another_type_are_noticed_before_anything_is_written,
        a_fault_of_notes_does_not_touch_the_neighbours,
        without_memory_nothing_is_half_done,
        without_memory_leases_still_end,
        a_read_only_replica_refuses_the_whole,
        leases_and_fences_survive_a_kill_with_an_append_only_file,
        NULL};
    return scene_run("fault", tests);
}
