/* order: pools that hand out the best first: where what is free stands, and that a Python program
 * takes the same ones. */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>

#define FREE(name)  "F \"\" \"\" 1 " name " "
#define WHOLE_SWEEP "\"\" 0 100 1000"

static struct scene scene;

static void open_with(const char *order)
{
    char words[64];
    scene_open(&scene, NULL);
    snprintf(words, sizeof words, "order=%s \"\"", order);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, words, "1");
}

/* Three of each: low, usual, high. */
static void open_three(void)
{
    open_with("priority");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P-5 l1 l2 l3", "3");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 u1 u2 u3", "3");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P5 h1 h2 h3", "3");
}

static void expect_list(const char *expected)
{
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", expected);
}

static char *peer_takes(void)
{
    return seedpeer_malloc(&scene.peer, 100, "", 0);
}

static void peer_frees(const char *name)
{
    seedpeer_free(&scene.peer, -1, 1, &name);
}

START_TEST(the_highest_priority_comes_first_and_equals_by_their_coming)
{
    open_three();
    expect_list("[h1 h2 h3 u1 u2 u3 l1 l2 l3]");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[h1 ...");
    expect_batch(&scene.at, FREE("h1"), "[1]");
    expect_list("[h3 h1 u1 u2 u3 l1 l2 l3]");
    expect_batch(&scene.at, FREE("h2") "M n 4 60000 r3 \"\" 0 \"\" \"\" ", "[1 [h3 ...");
    expect_list("[u2 u3 l1 l2 l3]");
    expect_batch(&scene.at, "F \"\" \"\" 3 u1 h1 h3 ", "[3]");
    expect_list("[h1 h3 u2 u3 u1 l1 l2 l3]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_new_priority_moves_what_is_free_at_once)
{
    open_three();
    expect_batch(&scene.at, M1("r1"), "[[h1 ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P9 l2 h1 u3 new", "1");
    expect_list("[l2 u3 new h2 h3 u1 u2 l1 l3]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P9 l2", "0"); /* as before: it keeps its place */
    expect_list("[l2 u3 new h2 h3 u1 u2 l1 l3]");
    expect_batch(&scene.at, FREE("h1"), "[1]");
    expect_list("[l2 u3 new h1 h2 h3 u1 u2 l1 l3]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1\1P0 l1 l2 h1 x", "[1 7]");
    expect_list("[l1 l2 h1 x]");
    expect_redis(&scene, "EXISTS p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(each_resource_may_have_a_priority_of_its_own)
{
    open_with("priority");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001E a \001P1 b \"\" c \001P-3 d \001P0 e \001P9",
           "5");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[e a b d c]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1\001E a \"\" b \001P2 c \001P0 e \001P-9 f \001P1",
           "[1 1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a f c e]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_priority_where_it_means_nothing_is_an_error)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P1 a",
           "!ERR PRIORITY goes with order = priority; the order of this pool is fifo");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=lifo \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1\1P1 a",
           "!ERR PRIORITY goes with order = priority; the order of this pool is lifo");
    expect_redis(&scene, "EXISTS p|x|pool", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(what_came_last_goes_first)
{
    open_with("lifo");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2") FREE("c") M1("r3"),
                 "[[c #-r1 # 60000] [b #-r2 # 60000] 1 [c #-r3 # 60000]]");
    expect_list("[a]");
    char *name = peer_takes();
    ck_assert_str_eq(name, "a");
    free(name);
    scene_close(&scene);
}
END_TEST

START_TEST(the_one_granted_least_often_goes_first)
{
    open_with("least-used");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") FREE("a") M1("r2") FREE("b") M1("r3") FREE("c"), "[[a ...");
    expect_list("[a b c]");
    expect_batch(&scene.at, M1("r4") FREE("a"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 new", "1");
    expect_list("[new b c a]");
    expect_redis(&scene, "HGET p|x|pool|traits ua", "2");
    scene_close(&scene);
}
END_TEST

START_TEST(the_one_with_the_best_score_goes_first)
{
    open_with("score");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool|traits sa \"400 3 99999999999999 0\"");
    scene_do(&scene, "HSET p|x|pool|traits sb \"900 0 99999999999999 0\"");
    expect_batch(&scene.at, FREE("a") FREE("b") FREE("c"), "[1 1 1]");
    expect_list("[c b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_aside_or_leased_comes_back_to_its_place)
{
    open_three();
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 60000 \"\" h2 u2", "2");
    expect_batch(&scene.at, M1("r1"), "[[h1 ...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" h2 u2", "2");
    expect_list("[h3 h2 u1 u3 u2 l1 l2 l3]");
    scene_do(&scene, "DEL p|x:h1");
    scene_do(&scene, "ZADD p|x|pool|leases 1 h1");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 1 0 0 ...");
    expect_list("[h3 h2 h1 u1 u3 u2 l1 l2 l3]");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_gets_the_best_of_what_is_free)
{
    open_with("priority");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") "W D:1 \"\" 0 1 1 1000 r2 \"\" 0 \"\" \"\"", "[[a ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P3 b", "1");
    expect_redis(&scene, "EXISTS p|x:b", "1");
    expect_list("[]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_python_program_takes_the_best_and_the_sweep_puts_back_what_it_frees)
{
    open_three();
    char *first = peer_takes(), *second = peer_takes();
    ck_assert_str_eq(first, "h1");
    ck_assert_str_eq(second, "h2");
    peer_frees(first);
    peer_frees(second);
    free(first);
    free(second);
    expect_list("[h3 u1 u2 u3 l1 l2 l3 h1 h2]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[9 9 0 out of order, for a worse one stands before 'h1']");
    expect_batch(&scene.at, M1("r1") FREE("h3"), "[[h3 ...");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 0 ...");
    expect(&scene.at, SCRIPT_POOL_GC, WHOLE_SWEEP, "[1 9 0 0 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[9 9 0]");
    redisReply *list = script_say(&scene.at, SCRIPT_POOL_FREELIST, "3");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(list->element[i]->str[0], 'h');
    freeReplyObject(list);
    scene_close(&scene);
}
END_TEST

START_TEST(a_new_rule_brings_an_old_pool_into_order)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    scene_do(&scene, "HSET p|x|pool|traits pc 3 pd 7");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=priority \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[4 4 0 out of order, for its rank is not known yet: 'a' out of order...");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 6]");
    expect_list("[d c a b]");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 4 0 0]");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "\"\" \"\"", "1");
    expect_redis(&scene, "EXISTS p|x|pool|order", "0");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=priority \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_GC, WHOLE_SWEEP, "[1 4 0 0 4 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 4 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_the_order_says_wrongly_does_no_harm)
{
    open_three();
    scene_do(&scene, "ZADD p|x|pool|order -17999999999999 stranger 7 l1");
    scene_do(&scene, "ZREM p|x|pool|order u2");
    expect_batch(&scene.at, M1("r1") FREE("h1"), "[[h1 ...");
    expect_redis(&scene, "ZSCORE p|x|pool|order stranger", "nil"); /* met, and dropped */
    scene_do(&scene, "ZADD p|x|pool|order 5 stranger");
    expect(&scene.at, SCRIPT_POOL_GC, WHOLE_SWEEP, "[1 9 0 0 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[9 9 0]");
    scene_do(&scene, "SET p|x|pool|order nonsense");
    expect_batch(&scene.at, M1("r2") FREE("h2"), "[[h2 ...");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[9 9 0 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[9 9 0]");
    scene_close(&scene);
}
END_TEST

/* The same numbers in each run. */
static int below(int n)
{
    static uint32_t state = 7;
    state = state * 1664525 + 1013904223;
    return (int)((state >> 16) % (uint32_t)n);
}

/* What others do to the list and to the order, at random, and nothing of ours in between. */
static void disturb(void)
{
    char words[100];
    int i = below(8);
    switch (below(4)) {
    case 0:
        snprintf(words, sizeof words, "ZADD p|x|pool|order %d r%d", below(9) - 4, i);
        scene_do(&scene, words);
        break;
    case 1:
        snprintf(words, sizeof words, "HSET p|x|pool|traits pr%d %d", i, below(5) - 2);
        scene_do(&scene, words);
        break;
    case 2:
        snprintf(words, sizeof words, "ZREM p|x|pool|order r%d", i);
        scene_do(&scene, words);
        break;
    default: {
        char *name = peer_takes();
        peer_frees(name);
        free(name);
    }
    }
}

START_TEST(the_sweep_ends_with_a_pool_in_order_whatever_others_did)
{
    open_with("priority");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 r0 r1 r2 r3 r4 r5 r6 r7", "8");
    for (int round = 0; round < 300; round++) {
        for (int n = below(12); n >= 0; n--)
            disturb();
        char *said = NULL;
        for (int pass = 0; pass < 6; pass++) {
            freeReplyObject(script_say(&scene.at, SCRIPT_POOL_GC, WHOLE_SWEEP));
            redisReply *reply = script_say(&scene.at, SCRIPT_POOL_CHECK, "");
            free(said);
            said = script_show(reply);
            freeReplyObject(reply);
            if (strcmp(said, "[8 8 0]") == 0)
                break;
        }
        ck_assert_msg(strcmp(said, "[8 8 0]") == 0, "round %d: %s", round, said);
        free(said);
    }
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_highest_priority_comes_first_and_equals_by_their_coming,
        a_new_priority_moves_what_is_free_at_once,
        each_resource_may_have_a_priority_of_its_own,
        a_priority_where_it_means_nothing_is_an_error,
        what_came_last_goes_first,
        the_one_granted_least_often_goes_first,
        the_one_with_the_best_score_goes_first,
        what_was_aside_or_leased_comes_back_to_its_place,
        who_waits_gets_the_best_of_what_is_free,
        a_python_program_takes_the_best_and_the_sweep_puts_back_what_it_frees,
        a_new_rule_brings_an_old_pool_into_order,
        what_the_order_says_wrongly_does_no_harm,
        the_sweep_ends_with_a_pool_in_order_whatever_others_did,
        NULL};
    return scene_run("order", tests);
}
