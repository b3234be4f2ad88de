/* alone: the scripts for one plain operation do what a batch of one does, or say FULL and leave no
 * trace. The walk compares them with the model; here are the cases that it seldom meets. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

#define expect_full(scene, id, words)                           \
    do {                                                        \
        char *before = scene_digest(scene);                     \
        expect(&(scene)->at, id, words, "FULL");                \
        char *after = scene_digest(scene);                      \
        ck_assert_msg(strcmp(before, after) == 0, "%s", words); \
        free(before);                                           \
        free(after);                                            \
    } while (0)

START_TEST(the_three_do_what_a_batch_of_one_does)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b| c", "3");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1", "[#-r1a]");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 2 0 r2", "[#-r2b|]");
    ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|x:b|"), -1);
    expect_redis(&scene, "ZSCORE p|x|pool|leases b|", "inf");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 3 60000 r3", "[#-r3c]");
    expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[\"\" \"\"]");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 4 60000 r4", "[nil]");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 5 R a \"\" 0", "[1]");
    expect_redis(&scene, "ZSCORE p|x|pool|leases a", "inf");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 6 R b| \"\" 90000", "[1]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:b|"), 60000);
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 7 b| \"\"", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 8 a \"\"", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b| a]");
    expect_redis(&scene, "ZRANGE p|x|pool|leases 0 -1", "[c]");
    scene_close(&scene);
}
END_TEST

START_TEST(keep_gives_more_time_but_never_less)
{
    static const struct {
        enum script_id id;
        const char *words;
    } ways[] = {{SCRIPT_POOL_RENEW_ONE, "D 20 K a \"\" 60000"},
                {SCRIPT_POOL_PLAIN, "D 21 \"\" K 1 a \"\" 60000"},
                {SCRIPT_POOL_BATCH, "D 22 exclusive K a \"\" 60000"}};
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    for (int i = 0; i < 3; i++) {
        expect_batch(&scene.at, "R a \"\" 30000", "[1]");
        expect(&scene.at, ways[i].id, ways[i].words, "[1]");
        ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 30000);
        expect_batch(&scene.at, "R a \"\" 90000", "[1]");
        expect(&scene.at, ways[i].id, ways[i].words, "[1]");
        ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 60000);
        expect_batch(&scene.at, "R a \"\" 0", "[1]");
        expect(&scene.at, ways[i].id, ways[i].words, "[1]");
        expect_redis(&scene, "ZSCORE p|x|pool|leases a", "inf");
        ck_assert_int_eq(peek_int(scene.at.redis, "PTTL p|x:a"), -1);
    }
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_granted_alone_can_be_recalled_and_is_stale_then)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 7 60000 r1", "[#-r1a]");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 7", "1");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 7 60000 r1", "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 7 a \"\"", "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 7 R a \"\" 0", "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_expiry_that_is_ahead_stays_with_the_resource)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "90000000 a b", "2");
    char *before = scene_digest(&scene);
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1", "[#-r1a]");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 2 60000 r1", "[#-r1b]");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 3 a \"\"", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 4 b \"\"", "[1]");
    scene_do(&scene, "DEL p|x|pool|journal");
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    scene_close(&scene);
}
END_TEST

START_TEST(a_head_that_cannot_be_lent_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "SET p|x:a 1");
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1");
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 1 0 r1");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "HSET p|x|pool a ||b||5");
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1");
    scene_do(&scene, "HSET p|x|pool a ||b||-1 b |||||-1"); /* it does not lead back */
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1");
    scene_do(&scene, "HSET p|x|pool b a|||||-1"); /* to 'a|', not to 'a' */
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1");
    scene_do(&scene, "HSET p|x|pool b a||||-1");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1", "[#-r1a]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_empty_list_with_something_due_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r1", "[#-r1a]");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 2 60000 r2");
    scene_close(&scene);
}
END_TEST

START_TEST(leases_with_a_note_and_of_strangers_are_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 me \"\"" M1("r2"), "[[a ...");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 a \"\"");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 b wrong");
    expect_full(&scene, SCRIPT_POOL_RENEW_ONE, "D 2 R b wrong 0");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 c \"\""); /* no lease */
    expect_full(&scene, SCRIPT_POOL_RENEW_ONE, "D 2 R c \"\" 0");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "b", "1");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 b \"\"");
    expect_full(&scene, SCRIPT_POOL_RENEW_ONE, "D 2 R b \"\" 60000");
    scene_do(&scene, "SET p|x:c #UNHEALTHY");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 c \"\"");
    scene_close(&scene);
}
END_TEST

START_TEST(a_tail_that_is_no_end_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool b ||c||-1");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 a \"\"");
    scene_do(&scene, "HSET p|x|pool b ||||-1");
    scene_do(&scene, "SET p|x|pool|head \"\"");
    expect_full(&scene, SCRIPT_POOL_FREE_ONE, "D 2 a \"\"");
    scene_do(&scene, "SET p|x|pool|head b");
    scene_close(&scene);
}
END_TEST

START_TEST(an_index_of_another_type_is_left_to_the_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "SET p|x|pool|leases text");
    expect_full(&scene, SCRIPT_POOL_MALLOC_ONE, "D 2 60000 r2");
    scene_do(&scene, "DEL p|x|pool|leases");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_three_do_what_a_batch_of_one_does,
                                  keep_gives_more_time_but_never_less,
                                  what_was_granted_alone_can_be_recalled_and_is_stale_then,
                                  an_expiry_that_is_ahead_stays_with_the_resource,
                                  a_head_that_cannot_be_lent_is_left_to_the_batch,
                                  an_empty_list_with_something_due_is_left_to_the_batch,
                                  leases_with_a_note_and_of_strangers_are_left_to_the_batch,
                                  a_tail_that_is_no_end_is_left_to_the_batch,
                                  an_index_of_another_type_is_left_to_the_batch,
                                  NULL};
    return scene_run("alone", tests);
}
