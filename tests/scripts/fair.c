/* fair: whose turn it is among those who wait, in a pool where owners have shares. */
#include "tests/lib/scene.h"
#include <stdio.h>

#define M(owner)           "M 1 1 60000 r \"\" 0 " owner " \"\" "
#define MANY(n, owner)     "M n " n " 60000 r \"\" 0 " owner " \"\" "
#define W(id, owner)       "W " id " \"\" 0 1 1 60000 r \"\" 0 " owner " \"\" "
#define AGAIN(id, owner)   "W " id " 0 0 1 1 60000 r \"\" 0 " owner " \"\" "
#define OLD(id, owner)     "W " id " 1000 0 1 1 60000 r \"\" 0 " owner " \"\" " /* since 1970 */
#define WALL(id, n, owner) "W " id " \"\" 0 a " n " 60000 r \"\" 0 " owner " \"\" "
#define WFIRST(p, id, o)   "X P" p " " W(id, o)
#define F(resource)        "F \"\" \"\" 1 " resource " "
#define TICKET             "[# #]"
#define GRANTED(ids)       expect_redis(&scene, "HKEYS p|x|pool|granted", ids)
#define LINE               "ZRANGE p|x|pool|turns 0 -1"

static struct scene scene;

static void rules(const char *text)
{
    char words[200];
    snprintf(words, sizeof words, "\"%s\" \"\"", text);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, words, "1");
}

/* Four resources: "one" holds three, "two" one. */
static void open_with(const char *text)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    rules(text);
    expect_batch(&scene.at, MANY("3", "one") M("two"), "[[a #+h # 60000 b ...");
}

START_TEST(whose_owner_holds_least_goes_first)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "two") W("D:3", "new"),
                 "[" TICKET " " TICKET " " TICKET "]");
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[D:3]");
    expect_batch(&scene.at, F("d"), "[1]");
    GRANTED("[D:3 D:2]");
    expect_batch(&scene.at, F("c"), "[1]");
    GRANTED("[D:3 D:2 D:1]");
    scene_close(&scene);
}
END_TEST

/* One that asks for much is not served again and again before others: what it gets counts at once.
 */
START_TEST(owners_that_hold_as_much_take_turns)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, F("d"), "[1]");
    expect_batch(&scene.at, M("one"), "[[d ...");
    expect_batch(&scene.at, W("D:1", "x") W("D:2", "x") W("D:3", "x") W("D:4", "y") W("D:5", "y"),
                 "[" TICKET " ...");
    expect_batch(&scene.at, F("a") F("b") F("c"), "[1 1 1]");
    GRANTED("[D:1 D:4 D:2]");
    expect_batch(&scene.at, F("d"), "[1]");
    GRANTED("[D:1 D:4 D:2 D:5]");
    scene_close(&scene);
}
END_TEST

/* What counts is what an owner holds when something comes free, not when it began to wait. */
START_TEST(what_an_owner_gave_back_does_not_count)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "two") W("D:2", "one"), "[" TICKET " " TICKET "]");
    expect_batch(&scene.at, "F \"\" \"\" 3 a b c", "[3]");
    GRANTED("[D:2 D:1]");
    scene_close(&scene);
}
END_TEST

START_TEST(having_waited_long_enough_makes_up_for_what_is_held)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "new") OLD("D:2", "one"), "[" TICKET " [1000 #]]");
    expect_batch(&scene.at, F("d"), "[1]");
    GRANTED("[D:2]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_owner_of_more_weight_may_hold_more)
{
    open_with("fair_age=60000 shares=one:4,other:2");
    expect_batch(&scene.at, W("D:1", "two") W("D:2", "one"), "[" TICKET " " TICKET "]");
    expect_batch(&scene.at, F("a"), "[1]"); /* one: 2 of 4, two: 1 of 1 */
    GRANTED("[D:2]");
    scene_close(&scene);
}
END_TEST

START_TEST(priorities_go_before_shares)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "new") WFIRST("5", "D:2", "one"), "[" TICKET " " TICKET "]");
    expect_batch(&scene.at, F("d"), "[1]");
    GRANTED("[D:2]");
    scene_close(&scene);
}
END_TEST

START_TEST(all_without_an_owner_are_one)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    rules("fair_age=60000");
    expect_batch(&scene.at, MANY("2", "\"\"") M("me"), "[[a ...");
    expect_batch(&scene.at, W("D:1", "\"\"") W("D:2", "me"), "[" TICKET " " TICKET "]");
    expect_batch(&scene.at, F("c") M("\"\""), "[1 []]");
    GRANTED("[D:2]"); /* nobody in particular holds 2, me 0 */
    scene_close(&scene);
}
END_TEST

START_TEST(who_leaves_the_line_leaves_that_of_its_owner)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "new") W("D:2", "new") W("D:3", "two"),
                 "[" TICKET " " TICKET " " TICKET "]");
    expect_batch(&scene.at, "E D:1 g", "[0]");
    expect_redis(&scene, "ZCARD p|x|pool|turns", "2");
    expect_redis(&scene, "ZRANGE p|x|pool|owners 0 -1", "[new two]");
    expect_batch(&scene.at, "E D:2 t E D:3 t", "[[] []]");
    expect_redis(&scene, "EXISTS p|x|pool|turns p|x|pool|owners p|x|pool|waiters", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(one_that_cannot_be_served_does_not_hide_the_next_of_its_owner)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, "X Wk=v " W("D:1", "new") W("D:2", "new") W("D:3", "one"),
                 "[" TICKET " " TICKET " " TICKET "]");
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[D:2]");
    scene_close(&scene);
}
END_TEST

/* It keeps what comes free; others are passed over. */
START_TEST(one_that_waits_for_many_gets_them_at_its_turn)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") WALL("D:2", "2", "new"), "[" TICKET " " TICKET "]");
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[]");
    expect_batch(&scene.at, F("d"), "[1]");
    GRANTED("[D:2]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_rule_that_comes_and_goes_orders_who_waits_already)
{
    open_with("rest=0");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "two") W("D:3", "new"), "[" TICKET " ...");
    rules("fair_age=60000");
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[D:3]");
    expect_redis(&scene, "ZCARD p|x|pool|turns", "2");
    rules("rest=0");
    expect_redis(&scene, "EXISTS p|x|pool|turns p|x|pool|owners", "0");
    expect_batch(&scene.at, F("b"), "[1]");
    GRANTED("[D:3 D:1]");
    rules("fair_age=60000 shares=two:2");
    expect_batch(&scene.at, F("c"), "[1]");
    GRANTED("[D:3 D:1 D:2]");
    scene_close(&scene);
}
END_TEST

START_TEST(owners_lines_that_somebody_deleted_are_made_anew)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "new"), "[" TICKET " " TICKET "]");
    scene_do(&scene, "DEL p|x|pool|turns");
    expect_batch(&scene.at, AGAIN("D:1", "one"), "[" TICKET "]");
    expect_redis(&scene, "ZCARD p|x|pool|turns", "2");
    scene_do(&scene, "DEL p|x|pool|turns p|x|pool|owners");
    scene_do(&scene, "SET p|x|pool|owners mine"); /* then all wait as without shares */
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[D:1]");
    scene_do(&scene, "DEL p|x|pool|owners");
    scene_do(&scene, "ZADD p|x|pool|owners 1 nobody");
    expect_batch(&scene.at, W("D:3", "new"), "[" TICKET "]");
    expect_batch(&scene.at, F("b"), "[1]");
    GRANTED("[D:1 D:2]");
    scene_do(&scene, "DEL p|x|pool|owners");
    expect_batch(&scene.at, F("c"), "[1]");
    GRANTED("[D:1 D:2 D:3]");
    scene_close(&scene);
}
END_TEST

START_TEST(places_are_told_as_they_will_be_served)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "one") W("D:3", "new") W("D:4", "new"),
                 "[" TICKET " ...");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_PLACES, "D:1 D:2 D:3 D:4 D:5");
    const long long expected[] = {3, 4, 1, 2, 0}; /* one holds three already */
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(reply->element[2 * i]->integer, expected[i]);
    freeReplyObject(reply);
    expect_redis(&scene, "ZCARD p|x|pool|waiters", "4");
    scene_close(&scene);
}
END_TEST

/* A hundred owners are compared; when none of them can be served, others are. */
START_TEST(owners_that_cannot_be_served_hide_nobody)
{
    char words[200];
    open_with("fair_age=60000");
    for (int i = 0; i < 120; i++) {
        snprintf(words, sizeof words, "X Wk=v W D:%d \"\" 0 1 1 60000 r \"\" 0 o%d \"\"", i, i);
        expect_batch(&scene.at, words, "[" TICKET "]");
    }
    expect_batch(&scene.at, W("D:200", "late"), "[" TICKET "]");
    expect_batch(&scene.at, F("a"), "[1]");
    GRANTED("[D:200]");
    scene_close(&scene);
}
END_TEST

START_TEST(who_is_in_no_line_any_more_is_forgotten_when_it_is_met)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "new"), "[" TICKET " " TICKET "]");
    scene_do(&scene, "ZREM p|x|pool|waiters D:2");
    scene_do(&scene, "HDEL p|x|pool|waiting D:2");
    scene_do(&scene, "ZADD p|x|pool|waiters 1 E:1");
    scene_do(&scene, "HSET p|x|pool|waiting E:1 \"\"");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_batch(&scene.at, AGAIN("D:1", "one"), "[[a ...");
    scene_close(&scene);
}
END_TEST

START_TEST(without_what_is_held_all_wait_as_they_came)
{
    open_with("fair_age=60000");
    expect_batch(&scene.at, W("D:1", "one") W("D:2", "new"), "[" TICKET " " TICKET "]");
    scene_do(&scene, "SET p|x|pool|held mine");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HLEN p|x|pool|granted", "0"); /* they hear what is wrong */
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 1 3 1]");
    GRANTED("[D:1]"); /* nobody knows any more what they hold */
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        whose_owner_holds_least_goes_first,
        owners_that_hold_as_much_take_turns,
        what_an_owner_gave_back_does_not_count,
        having_waited_long_enough_makes_up_for_what_is_held,
        an_owner_of_more_weight_may_hold_more,
        priorities_go_before_shares,
        all_without_an_owner_are_one,
        who_leaves_the_line_leaves_that_of_its_owner,
        one_that_cannot_be_served_does_not_hide_the_next_of_its_owner,
        one_that_waits_for_many_gets_them_at_its_turn,
        a_rule_that_comes_and_goes_orders_who_waits_already,
        owners_lines_that_somebody_deleted_are_made_anew,
        places_are_told_as_they_will_be_served,
        owners_that_cannot_be_served_hide_nobody,
        who_is_in_no_line_any_more_is_forgotten_when_it_is_met,
        without_what_is_held_all_wait_as_they_came,
        NULL,
    };
    return scene_run("fair", tests);
}
