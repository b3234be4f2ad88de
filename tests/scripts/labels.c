/* labels: what resources are like (tag, tags), how MALLOC finds those that are so, and how the
 * index of the free ones follows the list. */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A malloc, and one that waits, of what has these labels: W words, separated by \1. */
#define WHERE(where)        "X \"" where "\" "
#define MW(where)           WHERE(where) M1("r")
#define MN(where, how, n)   WHERE(where) "M " how " " n " 60000 r \"\" 0 \"\" \"\" "
#define MNAME(where, name)  WHERE(where) "M 1 1 60000 r " name " 0 \"\" \"\" "
#define WW(id, where)       WHERE(where) "W " id " \"\" 0 1 1 60000 r \"\" 0 \"\" \"\" "
#define WWALL(id, where, n) WHERE(where) "W " id " \"\" 0 a " n " 60000 r \"\" 0 \"\" \"\" "
#define WPLAIN(id)          "W " id " \"\" 0 1 1 60000 r \"\" 0 \"\" \"\" "
#define F(resource)         "F \"\" \"\" 1 " resource " "
#define IS_TICKET           "[[# #]]"
#define WAITS(id)           "W " id " 0 0 1 1 60000 r \"\" 0 \"\" \"\" "

static struct scene scene;

static void set_up(void)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
}

static void tear_down(void)
{
    scene_close(&scene);
}

#define tag(words, count) expect(&scene.at, SCRIPT_POOL_TAG, words, count)

START_TEST(a_resource_has_one_label_of_each_key)
{
    tag("a zone=eu gpu=h100", "2");
    tag("a zone=us", "2");
    expect(&scene.at, SCRIPT_POOL_TAGS, "a", "[gpu=h100 zone=us]");
    tag("a gpu= nothing=", "1");
    expect(&scene.at, SCRIPT_POOL_TAGS, "a", "[zone=us]");
    expect(&scene.at, SCRIPT_POOL_TAGS, "b", "[]");
    expect(&scene.at, SCRIPT_POOL_TAGS, "stranger", "nil");
    tag("stranger k=v", "nil");
    tag("b zone=us", "1");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[zone=us 2 1]");
    tag("a zone=", "0");
    tag("b zone=", "0");
    expect_redis(&scene, "EXISTS p|x|pool|labels p|x|pool|label:zone=us p|x|pool|traits", "0");
    expect_redis(&scene, "HEXISTS p|x|pool|journal marks", "0");
}
END_TEST

START_TEST(a_resource_has_a_bounded_number_of_labels)
{
    char words[1000] = "a";
    for (int i = 0; i < 64; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), " k%d=v", i);
    tag(words, "64");
    tag("a more=v", "!ERR a resource has at most 64 labels: 'a' would have 65");
    tag("a k1= more=v", "64");
}
END_TEST

START_TEST(malloc_gets_what_has_all_the_labels)
{
    tag("b zone=eu gpu=h100", "2");
    tag("c zone=eu", "1");
    tag("d zone=eu gpu=h100", "2");
    expect_batch(&scene.at, MW("Wgpu=h100\1Wzone=eu"), "[[b #-r # 60000]]");
    expect_batch(&scene.at, MW("Wzone=eu\1Wgpu=h100"), "[[d ...");
    expect_batch(&scene.at, MW("Wzone=eu\1Wgpu=h100"), "[[]]");
    expect_batch(&scene.at, MW("Wzone=eu") M1("r1"), "[[c #-r # 60000] [a #-r1 # 60000]]");
    expect_batch(&scene.at, F("d") F("b") MW("Wgpu=h100"), "[1 1 [d ...");
    expect_batch(&scene.at, MW("Wgpu=a100"), "[[]]");
}
END_TEST

START_TEST(count_and_all_go_by_the_labels_too)
{
    tag("b k=v", "1");
    tag("d k=v", "1");
    expect_batch(&scene.at, MN("Wk=v", "a", "3"), "[[]]");
    expect_batch(&scene.at, MN("Wk=v", "n", "3"), "[[b #-h # 60000 d #-h # 60000]]");
    expect_batch(&scene.at, F("b") F("d"), "[1 1]");
    expect_batch(&scene.at, MN("Wk=v", "a", "2"), "[[b #-h # 60000 d #-h # 60000]]");
}
END_TEST

START_TEST(a_name_gets_the_resource_it_had_only_if_that_fits)
{
    tag("b k=v", "1");
    tag("c k=v", "1");
    expect(&scene.at, SCRIPT_POOL_BIND, "fits c 0", "OK");
    expect(&scene.at, SCRIPT_POOL_BIND, "other a 0", "OK");
    expect_batch(&scene.at, MNAME("Wk=v", "fits"), "[[c ...");
    expect_batch(&scene.at, MNAME("Wk=w", "other"), "[[]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "other", "a");
    expect_batch(&scene.at, MNAME("Wk=v", "other"), "[[b ...");
    expect(&scene.at, SCRIPT_POOL_BOUND, "other", "b");
}
END_TEST

START_TEST(what_is_due_is_found_by_its_labels)
{
    tag("a k=v", "1");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_batch(&scene.at, MW("Wk=v"), "[[a ...");
}
END_TEST

START_TEST(expired_and_locked_ones_are_passed_over)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "1 e", "1");
    tag("e k=v", "1");
    tag("b k=v", "1");
    tag("c k=v", "1");
    scene_do(&scene, "HSET p|x|pool e d||||1");
    scene_do(&scene, "SET p|x:b 1");
    expect_batch(&scene.at, MW("Wk=v"), "[[c ...");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[k=v 2 0]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 2 2]");
}
END_TEST

START_TEST(the_cheap_scripts_leave_a_pool_with_labels_to_the_batch)
{
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 1 60000 r", "[#-ra]");
    tag("b k=v", "1");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 2 60000 r", "FULL");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 2 a \"\"", "FULL");
    expect(&scene.at, SCRIPT_POOL_PLAIN, "D 2 \"\" F 1 a", "FULL");
    tag("b k=", "0");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 2 a \"\"", "[1]");
}
END_TEST

START_TEST(what_leaves_the_pool_takes_its_labels_along)
{
    tag("a k=v", "1");
    tag("b k=v only=b", "2");
    tag("c k=v", "1");
    tag("d k=v", "1");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "b", "1");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[k=v 3 3]");
    scene_do(&scene, "HSET p|x|pool a ||c||1"); /* it has expired */
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 3 0 1 ...");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[k=v 2 2]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 d", "[0 1]");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[k=v 1 1]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 1]");
    expect_redis(&scene, "EXISTS p|x|pool|labels p|x|pool|label:k=v p|x|pool|traits", "0");
    expect_redis(&scene, "HEXISTS p|x|pool|journal marks", "0");
}
END_TEST

START_TEST(what_is_set_aside_is_not_free)
{
    tag("a k=v", "1");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 \"\" a", "1");
    expect_batch(&scene.at, MW("Wk=v"), "[[]]");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect_batch(&scene.at, MW("Wk=v"), "[[a ...");
}
END_TEST

/* As a Python program takes the head, and gives it back behind the tail. */
static void take_head_elsewhere(void)
{
    scene_do(&scene, "HSET p|x|pool a #ALLOCATED||#ALLOCATED||-1 b ||c||-1");
    scene_do(&scene, "SET p|x|pool|head b");
    scene_do(&scene, "SET p|x:a 1");
}

START_TEST(stale_members_of_the_index_are_dropped_when_they_are_met)
{
    tag("a k=v", "1");
    tag("b k=v", "1");
    take_head_elsewhere();
    scene_do(&scene, "ZADD p|x|pool|label:k=v 1 stranger");
    scene_do(&scene, "ZADD p|x|pool|label:k=v 2 c");
    expect_batch(&scene.at, MW("Wk=v"), "[[b ...");
    expect_batch(&scene.at, MW("Wk=v"), "[[]]");
    expect_redis(&scene, "ZCARD p|x|pool|label:k=v", "0");
}
END_TEST

START_TEST(the_sweep_mends_the_index)
{
    tag("a k=v", "1");
    tag("b k=v", "1");
    take_head_elsewhere();
    scene_do(&scene, "ZREM p|x|pool|label:k=v b");
    scene_do(&scene, "ZADD p|x|pool|label:k=v 1 stranger");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 ...");
    expect_redis(&scene, "ZRANGE p|x|pool|label:k=v 0 -1", "[b]");
    scene_do(&scene, "HDEL p|x|pool|journal marks");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 ...");
    expect_redis(&scene, "HGET p|x|pool|journal marks", "l");
}
END_TEST

START_TEST(check_tells_and_repair_mends)
{
    tag("a k=v", "1");
    tag("b k=v l=w", "2");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 4 0]");
    scene_do(&scene, "ZREM p|x|pool|label:k=v b");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 4 0 free, but not among those of label k=v: 'b']");
    scene_do(&scene, "ZADD p|x|pool|label:k=v 1 c 2 b");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[4 4 0 among the free ones of label k=v, but it is not: 'c']");
    scene_do(&scene, "HSET p|x|pool|labels k=v 7");
    scene_do(&scene, "HSET p|x|pool|traits lstranger k=v");
    scene_do(&scene, "HDEL p|x|pool|labels l=w");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 4]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 4 0]");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[k=v 2 2 l=w 1 1]");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 0]");
    expect_redis(&scene, "HEXISTS p|x|pool|traits lstranger", "0");
    scene_do(&scene, "SET p|x|pool|label:k=v x");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 3]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 4 0]");
}
END_TEST

START_TEST(who_waits_for_labels_keeps_nothing_from_others)
{
    tag("d k=v", "1");
    expect_batch(&scene.at, MW("Wk=v"), "[[d ...");
    expect_batch(&scene.at, WW("D:1", "Wk=v"), IS_TICKET);
    expect_batch(&scene.at, M1("r"), "[[a ...");
    expect_batch(&scene.at, WPLAIN("D:2"), "[[b ...");
    expect_batch(&scene.at, F("d") MW("Wk=v"), "[1 []]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_batch(&scene.at, WHERE("Wk=v") WAITS("D:1"), "[[d ...");
}
END_TEST

START_TEST(those_who_wait_for_the_same_are_served_in_their_order)
{
    tag("c k=v", "1");
    tag("d k=v l=w", "2");
    expect_batch(&scene.at, MN("Wk=v", "a", "2"), "[[c ...");
    expect_batch(&scene.at, WW("D:1", "Wl=w\1Wk=v"), IS_TICKET);
    expect_batch(&scene.at, WW("D:2", "Wk=v"), IS_TICKET);
    expect_batch(&scene.at, WW("D:3", "Wk=v"), IS_TICKET);
    expect_batch(&scene.at, F("c"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:2]");
    expect_batch(&scene.at, F("d"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:2 D:1]");
}
END_TEST

START_TEST(all_of_a_label_is_kept_from_later_ones_that_want_the_same)
{
    tag("c k=v", "1");
    tag("d k=v", "1");
    expect_batch(&scene.at, MN("Wk=v", "a", "2"), "[[c ...");
    expect_batch(&scene.at, WWALL("D:1", "Wk=v", "2"), IS_TICKET);
    expect_batch(&scene.at, WW("D:2", "Wk=v"), IS_TICKET);
    expect_batch(&scene.at, F("c") MW("Wk=v"), "[1 []]");
    expect_redis(&scene, "EXISTS p|x|pool|granted", "0");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    expect_batch(&scene.at, F("d"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
}
END_TEST

START_TEST(who_is_passed_over_does_not_use_up_the_line)
{
    char words[200];
    for (int i = 0; i < 150; i++) {
        snprintf(words, sizeof words, WW("D:%d", "Wk=v"), i);
        expect_batch(&scene.at, words, IS_TICKET);
    }
    expect_batch(&scene.at, MN("", "a", "4"), "[[a ...");
    expect_batch(&scene.at, WPLAIN("D:last"), IS_TICKET);
    expect_batch(&scene.at, F("a") F("b"), "[1 1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:last]");
    expect_batch(&scene.at, M1("r"), "[[b ...");
}
END_TEST

START_TEST(a_label_given_later_serves_who_waits_for_it)
{
    expect_batch(&scene.at, WW("D:1", "Wk=v"), IS_TICKET);
    tag("b k=v", "1");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a c d]");
}
END_TEST

START_TEST(explain_shows_what_labels_are_wanted)
{
    expect_batch(&scene.at, WW("D:1", "Wk=v"), IS_TICKET);
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_EXPLAIN, "10");
    const redisReply *line = reply->element[4];
    ck_assert_int_eq(line->element[4]->integer, -1);
    ck_assert_str_eq(line->element[6]->str, "k=v");
    freeReplyObject(reply);
}
END_TEST

START_TEST(a_shared_pool_shows_its_labelled_ones_in_turn)
{
    scene.at.mode = "shared";
    tag("b k=v", "1");
    tag("d k=v", "1");
    expect_batch(&scene.at, MW("Wk=v"), "[[b \"\" 0 -1]]");
    expect_batch(&scene.at, MW("Wk=v"), "[[d \"\" 0 -1]]");
    expect_batch(&scene.at, MW("Wk=v"), "[[b \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a c d b]");
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("labels");
    Suite *suite = suite_create("labels");
    const TTest *const tests[] = {
        a_resource_has_one_label_of_each_key,
        a_resource_has_a_bounded_number_of_labels,
        malloc_gets_what_has_all_the_labels,
        count_and_all_go_by_the_labels_too,
        a_name_gets_the_resource_it_had_only_if_that_fits,
        what_is_due_is_found_by_its_labels,
        expired_and_locked_ones_are_passed_over,
        the_cheap_scripts_leave_a_pool_with_labels_to_the_batch,
        what_leaves_the_pool_takes_its_labels_along,
        what_is_set_aside_is_not_free,
        stale_members_of_the_index_are_dropped_when_they_are_met,
        the_sweep_mends_the_index,
        check_tells_and_repair_mends,
        who_waits_for_labels_keeps_nothing_from_others,
        those_who_wait_for_the_same_are_served_in_their_order,
        all_of_a_label_is_kept_from_later_ones_that_want_the_same,
        who_is_passed_over_does_not_use_up_the_line,
        a_label_given_later_serves_who_waits_for_it,
        explain_shows_what_labels_are_wanted,
        a_shared_pool_shows_its_labelled_ones_in_turn,
    };
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
