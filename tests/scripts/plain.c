/* plain: the script for many plain operations does what the batch script does, or says FULL and
 * leaves no trace. The walk compares it with the model; here are the cases that it seldom meets. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

static long long stored_fence(struct scene *scene)
{
    char *text = peek_text(scene->at.redis, "HGET p|x|pool|journal fence");
    long long fence = strtoll(text, NULL, 10);
    free(text);
    return fence;
}

#define R1    "r123456789012345678901"
#define R2    "r223456789012345678901"
#define NO_R  "\"\""
#define PLAIN SCRIPT_POOL_PLAIN

#define expect_full(scene, words)                               \
    do {                                                        \
        char *before = scene_digest(scene);                     \
        expect(&(scene)->at, PLAIN, words, "FULL");             \
        char *after = scene_digest(scene);                      \
        ck_assert_msg(strcmp(before, after) == 0, "%s", words); \
        free(before);                                           \
        free(after);                                            \
    } while (0)

START_TEST(each_operation_is_answered_in_its_place)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect(&scene.at, PLAIN, "D 1 " R1 R2 " M 1 60000 M 1 0", "[#-" R1 "a #-" R2 "b]");
    expect(&scene.at, PLAIN, "D 2 " NO_R " F 2 a z T 1 b wrong R 2 b \"\" 90000 c \"\" 1",
           "[1 0 !NOTOWNER the lease of this resource has another token 1 0]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:b"), 60000);
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c a]");
    expect_redis(&scene, "ZRANGE p|x|pool|leases 0 -1", "[b]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_freed_first_can_be_had_in_the_same_call_when_nothing_else_is_free)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect(&scene.at, PLAIN, "D 1 " R1 " M 1 60000", "[#-" R1 "a]");
    expect(&scene.at, PLAIN, "D 2 " R1 R2 R1 " F 1 a M 3 60000", "[1 #-" R1 "b #-" R2 "a nil]");
    expect_redis(&scene, "GET p|x:a", "#-" R2);
    expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[\"\" \"\"]");
    scene_close(&scene);
}
END_TEST

START_TEST(fences_of_a_call_grow_and_are_kept)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    redisReply *two = script_say(&scene.at, PLAIN, "D 1 " R1 R2 " M 2 60000");
    long long one = strtoll(two->element[0]->str, NULL, 10);
    ck_assert_int_eq(strtoll(two->element[1]->str, NULL, 10), one + 1);
    ck_assert_int_eq(stored_fence(&scene), one + 1);
    freeReplyObject(two);
    scene_do(&scene, "HSET p|x|pool|journal fence 4000000000000000");
    redisReply *later = script_say(&scene.at, PLAIN, "D 2 " R1 " M 1 60000");
    ck_assert_int_gt(strtoll(later->element[0]->str, NULL, 10), 4000000000000000);
    freeReplyObject(later);
    scene_close(&scene);
}
END_TEST

START_TEST(more_than_a_hundred_grants_have_different_fences)
{
    struct scene scene;
    struct str args[8] = {STR("D"), STR("1"), STR(""), STR("M"), STR("150"), STR("0")};
    char names[2000] = "-1", randoms[150 * 22];
    int64_t last = 0;
    scene_open(&scene, NULL);
    for (int i = 0; i < 150; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " n%d", i);
    redisReply *added = script_say(&scene.at, SCRIPT_POOL_EXTEND, names);
    ck_assert_int_eq(added->integer, 150);
    freeReplyObject(added);
    memset(randoms, 'x', sizeof randoms);
    args[2] = str_make(randoms, sizeof randoms);
    redisReply *all = script_call(&scene.at, PLAIN, 6, args);
    ck_assert_uint_eq(all->elements, 150);
    for (size_t i = 0; i < all->elements; i++) {
        int64_t fence = strtoll(all->element[i]->str, NULL, 10);
        ck_assert_int_gt(fence, last);
        last = fence;
    }
    ck_assert_int_eq(stored_fence(&scene), last);
    freeReplyObject(all);
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_granted_can_be_recalled_and_is_stale_then)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect(&scene.at, PLAIN, "D 7 " R1 R2 " M 2 60000", "[#-" R1 "a #-" R2 "b]");
    expect(&scene.at, PLAIN, "E 1 " R1 " F 1 b M 1 60000", "[1 #-" R1 "c]");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 7", "1");
    expect(&scene.at, PLAIN, "D 7 " R1 R2 " M 2 60000", "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_not_plain_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 me \"\"" M1("r2"), "[[a ...");
    expect_full(&scene, "D 2 " R1 " F 1 a M 1 0");          /* it has a note */
    expect_full(&scene, "D 2 " NO_R " F 2 b b");            /* named twice */
    expect_full(&scene, "D 2 " NO_R " R 1 b \"\" 0 F 1 b"); /* likewise */
    expect_full(&scene, "D 2 " R1 " M 1 0 F 1 c");          /* granted here */
    expect_full(&scene, "D 2 " R1 " M 1 2000000000000000"); /* a time that is too long */
    scene_do(&scene, "SET p|x:c 1");                        /* a lock of somebody else */
    expect_full(&scene, "D 2 " R1 " F 1 b M 1 0");
    scene_do(&scene, "DEL p|x:c");
    scene_do(&scene, "HSET p|x|pool c ||||5"); /* expired */
    expect_full(&scene, "D 2 " R1 " F 1 b M 1 0");
    scene_do(&scene, "HSET p|x|pool c ||||-1");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "b", "1");
    expect_full(&scene, "D 2 " NO_R " F 1 b"); /* it has left the pool */
    scene_close(&scene);
}
END_TEST

START_TEST(a_list_that_makes_no_sense_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool c x||||-1"); /* it does not lead back */
    expect_full(&scene, "D 2 " R1 " M 1 0");
    scene_do(&scene, "HSET p|x|pool c b||d||-1"); /* the tail is no end */
    expect_full(&scene, "D 2 " NO_R " F 1 a");
    scene_do(&scene, "HSET p|x|pool c b||||-1");
    scene_do(&scene, "SET p|x|pool|head \"\"");
    expect_full(&scene, "D 2 " NO_R " F 1 a");
    scene_do(&scene, "SET p|x|pool|head b");
    scene_close(&scene);
}
END_TEST

START_TEST(an_empty_list_with_something_due_or_keys_of_another_type_are_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, PLAIN, "D 1 " R1 " M 1 60000", "[#-" R1 "a]");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_full(&scene, "D 2 " R1 " M 1 60000");
    scene_do(&scene, "DEL p|x|pool|leases");
    scene_do(&scene, "SET p|x|pool|leases text");
    expect_full(&scene, "D 2 " NO_R " F 1 a");
    scene_do(&scene, "DEL p|x|pool|leases");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_operation_is_answered_in_its_place,
        what_is_freed_first_can_be_had_in_the_same_call_when_nothing_else_is_free,
        fences_of_a_call_grow_and_are_kept,
        more_than_a_hundred_grants_have_different_fences,
        what_was_granted_can_be_recalled_and_is_stale_then,
        what_is_not_plain_is_left_to_the_batch,
        a_list_that_makes_no_sense_is_left_to_the_batch,
        an_empty_list_with_something_due_or_keys_of_another_type_are_left_to_the_batch,
        NULL};
    return scene_run("plain", tests);
}
