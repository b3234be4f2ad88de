/* broken: lists that a person or a program has broken: noticed, nothing written, mended by repair.
 */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pool a b c d, all free, then what a test does to it. */
static void open_four(struct scene *scene)
{
    scene_open(scene, NULL);
    expect(&scene->at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
}

/* The operation answers BROKEN and changes nothing. */
static void expect_broken(struct scene *scene, enum script_id id, const char *words)
{
    char *before = scene_digest(scene);
    redisReply *reply = script_say(&scene->at, id, words);
    const redisReply *told = reply->type == REDIS_REPLY_ARRAY ? reply->element[0] : reply;
    ck_assert_msg(told->type == REDIS_REPLY_ERROR && strncmp(told->str, "BROKEN ", 7) == 0, "%s %s",
                  script_of(id)->name, told->str ? told->str : "did it");
    char *after = scene_digest(scene);
    ck_assert_str_eq(before, after);
    freeReplyObject(reply);
    free(before);
    free(after);
}

/* Check finds it, repair mends it, and all are there. */
static void expect_mended(struct scene *scene, const char *list)
{
    redisReply *reply = script_say(&scene->at, SCRIPT_POOL_CHECK, "");
    ck_assert_msg(reply->elements > 3, "check has found nothing");
    freeReplyObject(reply);
    freeReplyObject(script_say(&scene->at, SCRIPT_POOL_REPAIR, ""));
    peek_check_pool(scene->at.redis, scene->at.base);
    reply = script_say(&scene->at, SCRIPT_POOL_CHECK, "");
    ck_assert_uint_eq(reply->elements, 3);
    freeReplyObject(reply);
    expect(&scene->at, SCRIPT_POOL_FREELIST, "-1", list);
    scene_close(scene);
}

START_TEST(a_head_that_is_no_resource)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "SET p|x|pool|head nobody");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive M a 2 1000 r \"\" 0 \"\" \"\"");
    expect_broken(&scene, SCRIPT_POOL_FREELIST, "-1");
    expect_broken(&scene, SCRIPT_POOL_SHRINK, "a");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_head_that_is_allocated)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool a #ALLOCATED||#ALLOCATED||-1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_mended(&scene, "[b c d a]");
}
END_TEST

START_TEST(a_head_with_a_prev)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool a d||b||-1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_FREELIST, "1");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_next_that_does_not_lead_back)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool b c||c||-1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive M n 4 1 r \"\" 0 \"\" \"\"");
    expect_broken(&scene, SCRIPT_POOL_ASSIGN, "-1 a c d");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_next_that_is_allocated)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool b #ALLOCATED||#ALLOCATED||-1");
    scene_do(&scene, "SET p|x:b 1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_mended(&scene, "[a c d]");
}
END_TEST

START_TEST(a_half_allocated_entry)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool b #ALLOCATED||c||77777777777");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_EXTEND, "-1 e b");
    expect_broken(&scene, SCRIPT_POOL_SHRINK, "d b");
    expect_broken(&scene, SCRIPT_POOL_STATUS, "b");
    expect_mended(&scene, "[a c d b]");
}
END_TEST

START_TEST(a_value_that_makes_no_sense)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool a nonsense d a||b||soon");
    scene_do(&scene, "SET p|x:d 1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive F \"\" \"\" 1 d");
    expect_broken(&scene, SCRIPT_POOL_ASSIGN, "-1 a");
    expect_mended(&scene, "[b c a]");
}
END_TEST

START_TEST(a_tail_that_has_a_next)
{
    struct scene scene;
    open_four(&scene);
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "SET p|x|pool|tail c");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 2 exclusive F \"\" \"\" 1 a");
    expect_broken(&scene, SCRIPT_POOL_EXTEND, "-1 e");
    expect_broken(&scene, SCRIPT_POOL_ASSIGN, "-1 a b c d e");
    expect_mended(&scene, "[b c d]");
}
END_TEST

START_TEST(a_list_with_one_end_only)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "DEL p|x|pool|head");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"));
    expect_broken(&scene, SCRIPT_POOL_EXTEND, "-1 e");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_circle_is_no_endless_walk)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool d c||a||-1 a d||b||-1");
    expect_broken(&scene, SCRIPT_POOL_FREELIST, "-1");
    scene_do(&scene, "HSET p|x|pool a ||b||-1");
    expect_broken(&scene, SCRIPT_POOL_FREELIST, "-1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive M a 5 1000 r \"\" 0 \"\" \"\"");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_piece_out_of_reach)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool b a||||-1");
    scene_do(&scene, "SET p|x|pool|tail b");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b]");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(an_entry_that_leads_to_itself)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool c c||c||-1");
    expect_broken(&scene, SCRIPT_POOL_BATCH, "D 1 exclusive M a 3 1000 r \"\" 0 \"\" \"\"");
    expect_broken(&scene, SCRIPT_POOL_SHRINK, "b");
    expect_mended(&scene, "[a b c d]");
}
END_TEST

START_TEST(a_request_that_got_some_before_the_break_keeps_them)
{
    struct scene scene;
    open_four(&scene);
    scene_do(&scene, "HSET p|x|pool d b||||-1");
    expect_batch(&scene.at, "M n 4 60000 r \"\" 0 \"\" \"\"", "[[a #-h # 60000 b #-h # 60000]]");
    expect_batch(&scene.at, M1("r"), "[!BROKEN ...");
    expect_mended(&scene, "[c d]");
}
END_TEST

START_TEST(a_name_that_no_list_can_hold)
{
    static const char *const names[] = {"\"\"", "#ALLOCATED", "a||b", "|a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct scene scene;
        char words[100];
        open_four(&scene);
        snprintf(words, sizeof words, "HSET p|x|pool %s #ALLOCATED||#ALLOCATED||-1", names[i]);
        scene_do(&scene, words);
        expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 5 0 0 0 1 ...");
        expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c d]");
        snprintf(words, sizeof words, "HSET p|x|pool %s ||||-1", names[i]);
        scene_do(&scene, words);
        scene_do(&scene, "SET p|x|pool|head nobody");
        expect_mended(&scene, "[a b c d]");
    }
}
END_TEST

START_TEST(repair_keeps_order_leases_and_expiries)
{
    struct scene scene;
    open_four(&scene);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 e f", "2");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool c b||d||9999999999");
    seedpeer_update(&scene.peer, "d", 100);
    scene_do(&scene, "SET p|x|pool|head gone");
    scene_do(&scene, "SET p|x|pool|gc_cursor rubbish");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[6 4 2 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c e f]");
    expect_redis(&scene, "HGET p|x|pool c", "b||e||9999999999");
    ck_assert_int_eq(peek_int(scene.at.redis, "ZCARD p|x|pool|leases"), 2);
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[6 4 2 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(repair_replaces_keys_of_ours_that_have_another_type)
{
    struct scene scene;
    open_four(&scene);
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "SET p|x|pool|leases text");
    scene_do(&scene, "SET p|x|pool|notes text");
    scene_do(&scene, "DEL p|x|pool|head");
    scene_do(&scene, "LPUSH p|x|pool|head text");
    scene_do(&scene, "SET p|x|pool|bindings text");
    scene_do(&scene, "LPUSH p|x|pool|leader text");
    scene_do(&scene, "DEL p|x|pool|journal");
    scene_do(&scene, "SET p|x|pool|journal text");
    expect_batch(&scene.at, M1("r"), "!WRONGTYPE ...");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 3 1 ...");
    expect_batch(&scene.at, "M 1 1 1000 r \"\" 0 me \"\"", "[[b #+r # 1000]]");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "2");
    expect(&scene.at, SCRIPT_POOL_GC, "me 1000 100 100", "[1 4 ...");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 4 free 2 leased 2 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(gc_says_that_it_is_broken_and_goes_on)
{
    struct scene scene;
    open_four(&scene);
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    scene_do(&scene, "SET p|x|pool|tail nobody");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 0 0 0 1 1 4 1 -2 \"\"]");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 ...");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 0 0 0 0 0 4 -1 -2 \"\"]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_text_about_a_broken_list_is_one_line)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 \"a\\nb\" c", "2");
    scene_do(&scene, "SET p|x|pool|tail nobody");
    scene_do(&scene, "HSET p|x|pool c ||||-1");
    expect_batch(&scene.at, M1("r"), "[!BROKEN the one after does not lead back to 'a?b']");
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_head_that_is_no_resource,
                                  a_head_that_is_allocated,
                                  a_head_with_a_prev,
                                  a_next_that_does_not_lead_back,
                                  a_next_that_is_allocated,
                                  a_half_allocated_entry,
                                  a_value_that_makes_no_sense,
                                  a_tail_that_has_a_next,
                                  a_list_with_one_end_only,
                                  a_circle_is_no_endless_walk,
                                  a_piece_out_of_reach,
                                  an_entry_that_leads_to_itself,
                                  a_request_that_got_some_before_the_break_keeps_them,
                                  a_name_that_no_list_can_hold,
                                  repair_keeps_order_leases_and_expiries,
                                  repair_replaces_keys_of_ours_that_have_another_type,
                                  gc_says_that_it_is_broken_and_goes_on,
                                  a_text_about_a_broken_list_is_one_line,
                                  NULL};
    return scene_run("broken", tests);
}
