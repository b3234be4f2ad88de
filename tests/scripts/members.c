/* members: resources come and leave: extend, shrink, assign; what their names may be. */
#include "tests/lib/scene.h"
#include <stdlib.h>

START_TEST(extend_appends_new_ones_in_the_order_given)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 b a", "2");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a c c b", "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a c]");
    expect_redis(&scene, "HMGET p|x|pool b a c", "[||a||-1 b||c||-1 a||||-1]");
    scene_close(&scene);
}
END_TEST

START_TEST(extend_gives_known_ones_the_new_expiry)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "100000 a b", "0");
    char *now = peek_text(scene.at.redis, "EVAL %s 0", "return redis.call('TIME')[1]");
    for (int i = 0; i < 2; i++) {
        struct peek_entry entry;
        char *value = peek_text(scene.at.redis, "HGET p|x|pool %s", i == 0 ? "a" : "b");
        ck_assert(peek_split(str_of(value), &entry));
        ck_assert_int_eq(entry.is_allocated, i == 0);
        long long left = strtoll(entry.expiry.ptr, NULL, 10) - strtoll(now, NULL, 10);
        ck_assert_msg(left >= 99 && left <= 101, "%s", value);
        free(value);
    }
    free(now);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "0 a", "0");
    expect_redis(&scene, "HGET p|x|pool a", "#ALLOCATED||#ALLOCATED||-1");
    scene_close(&scene);
}
END_TEST

START_TEST(one_that_left_while_leased_comes_back_leased)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") "M 1 1 0 r2 \"\" 0 \"\" \"\"", "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a b", "2");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a c", "2");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 b a c", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c]");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "2");
    expect_redis(&scene, "ZSCORE p|x|pool|leases b", "inf");
    expect_batch(&scene.at, "F \"\" \"\" 2 a b", "[2]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c a b]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_that_others_made_comes_into_the_index_with_a_new_resource)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene_do(&scene, "SET p|x:a 1 PX 100000");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[]");
    ck_assert_int_eq(peek_int(scene.at.redis, "ZCOUNT p|x|pool|leases 1 9999999999999"), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(shrink_takes_out_head_middle_and_tail)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d e", "5");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "c stranger c", "1");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a e", "2");
    expect_redis(&scene, "HGETALL p|x|pool", "[b ||d||-1 d b||||-1]");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "b d", "2");
    expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[\"\" \"\"]");
    scene_close(&scene);
}
END_TEST

START_TEST(assign_keeps_places_and_adds_in_order)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 z d b y d", "[2 2]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b d z y]");
    expect_redis(&scene, "EXISTS p|x:a", "1");          /* it runs on */
    expect_redis(&scene, "ZCARD p|x|pool|leases", "0"); /* but it is no lease of the pool */
    expect_redis(&scene, "ZRANGE p|x|pool|departed 0 -1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(assign_without_any_clears_the_pool)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "SET p|x|pool|gc_cursor 17");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 2]");
    expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail p|x|pool|gc_cursor", "[\"\" \"\" nil]");
    expect_redis(&scene, "EXISTS p|x|pool", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(names_may_hold_what_they_like)
{
    struct scene scene;
    const char *gone[] = {"two words", "a|"};
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND,
           "-1 a| \"two words\" \"line\\nline\" \xc3\xa9|t x:y{z} a|b|c -1 [0] '", "9");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1",
           "[a| two words line\nline \xc3\xa9|t x:y{z} a|b|c -1 [0] ']");
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3") "F \"\" \"\" 2 \"line\\nline\" a|",
                 "[[a| #-r1 # 60000] [two words #-r2 # 60000] [line\nline #-r3 # 60000] 2]");
    expect_redis(&scene, "EXISTS \"p|x:two words\"", "1");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "\"two words\" x:y{z}", "2");
    seedpeer_extend(&scene.peer, -1, 1, gone);
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[8 8 0 in the index without a lease: 'two words']");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 8 0 0 0 0 0 8 -1 -2 \"\"]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[8 8 0]");
    scene_close(&scene);
}
END_TEST

/* Names that end in '|' next to each other, and at both ends, for every pair of neighbours. */
START_TEST(entries_read_as_the_greedy_pattern_reads_them)
{
    static const char *const names[] = {"a", "b|", "c|d", "e|f|", "0|"};
    struct scene scene;
    scene_open(&scene, NULL);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 5; k++) {
            char words[64], list[64];
            if (i == k)
                continue;
            snprintf(words, sizeof words, "-1 %s %s mid", names[i], names[k]);
            snprintf(list, sizeof list, "[%s %s mid]", names[i], names[k]);
            expect(&scene.at, SCRIPT_POOL_EXTEND, words, "3");
            expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", list);
            expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 3 0]");
            /* the library walks it, too, and takes the middle out */
            seedpeer_shrink(&scene.peer, 1, &names[k]);
            snprintf(list, sizeof list, "[%s mid]", names[i]);
            expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", list);
            expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 2]");
        }
    }
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {extend_appends_new_ones_in_the_order_given,
                                  extend_gives_known_ones_the_new_expiry,
                                  one_that_left_while_leased_comes_back_leased,
                                  a_lease_that_others_made_comes_into_the_index_with_a_new_resource,
                                  shrink_takes_out_head_middle_and_tail,
                                  assign_keeps_places_and_adds_in_order,
                                  assign_without_any_clears_the_pool,
                                  names_may_hold_what_they_like,
                                  entries_read_as_the_greedy_pattern_reads_them,
                                  NULL};
    return scene_run("members", tests);
}
