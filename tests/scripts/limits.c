/* limits: how long a lease may last (max_lease), and how much one owner may hold (max_per_owner).
 */
#include "tests/lib/scene.h"
#include "tests/lib/until.h"
#include <stdio.h>

#define M(owner)            "M 1 1 60000 r \"\" 0 " owner " \"\" "
#define MANY(how, n, owner) "M " how " " n " 60000 r \"\" 0 " owner " \"\" "
#define FOR(ms)             "M 1 1 " ms " r \"\" 0 \"\" \"\" "
#define W(id, owner)        "W " id " \"\" 0 1 1 60000 r \"\" 0 " owner " \"\" "
#define WALL(id, n, owner)  "W " id " \"\" 0 a " n " 60000 r \"\" 0 " owner " \"\" "
#define F(resource)         "F \"\" \"\" 1 " resource " "
#define IS_TICKET           "[[# #]]"
#define FULL_OF(held, most) "[!QUOTA owner 'me' holds " held " of " most " (max_per_owner)"

static struct scene scene;

static void open_with(const char *rules)
{
    char words[100];
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    snprintf(words, sizeof words, "%s \"\"", rules);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, words, "1");
}

static long long ttl_of(const char *resource)
{
    char words[100];
    snprintf(words, sizeof words, "PTTL p|x:%s", resource);
    redisReply *reply = scene_ask(&scene, words);
    long long ms = reply->integer;
    freeReplyObject(reply);
    return ms;
}

START_TEST(a_longer_time_is_cut)
{
    open_with("max_lease=5000");
    expect_batch(&scene.at, FOR("60000") FOR("0") FOR("1000"),
                 "[[a #-r # 5000] [b #-r # 5000] [c #-r # 1000]]");
    expect_batch(&scene.at, "R c \"\" 0 R a \"\" 9000", "[1 1]");
    ck_assert_int_le(ttl_of("c"), 5000);
    ck_assert_int_gt(ttl_of("c"), 0);
    ck_assert_int_le(ttl_of("a"), 5000);
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 99 R a \"\" 9000", "FULL");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 99 9000 r", "FULL");
    scene_close(&scene);
}
END_TEST

/* A session's renewals (K) end where the lease has lasted for max_lease since it was granted. */
START_TEST(a_session_keeps_it_no_longer_than_that_all_in_all)
{
    open_with("max_lease=5000");
    expect_batch(&scene.at, FOR("1000"), "[[a ...");
    redisReply *reply = script_batch(&scene.at, "K a \"\" 3000");
    ck_assert_int_eq(reply->element[0]->integer, 1);
    freeReplyObject(reply);
    until(ttl_of("a") < 3000); /* so that a millisecond has passed since its grant */
    reply = script_batch(&scene.at, "K a \"\" 10000");
    long long left_ms = reply->element[0]->integer;
    freeReplyObject(reply);
    ck_assert_int_gt(left_ms, 1);
    ck_assert_int_le(left_ms, 5000);
    ck_assert_int_le(ttl_of("a"), left_ms);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "max_lease=1 \"\"", "1");
    until(ttl_of("a") < left_ms - 1);
    expect_batch(&scene.at, "K a \"\" 10000", "[0]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_owner_holds_no_more_than_it_may)
{
    open_with("max_per_owner=2");
    expect_batch(
        &scene.at, M("me") M("me") M("me"),
        "[[a #+r # 60000] [b #+r # 60000] !QUOTA owner 'me' holds 2 of 2 (max_per_owner)]");
    expect_batch(&scene.at, M("you"), "[[c ...");
    expect_batch(&scene.at, F("a") M("me"), "[1 [d ...");
    scene_close(&scene);
}
END_TEST

START_TEST(who_asks_for_many_gets_as_many_as_are_allowed)
{
    open_with("max_per_owner=3");
    expect_batch(&scene.at, M("me"), "[[a ...");
    expect_batch(&scene.at, MANY("a", "3", "me"), FULL_OF("1", "3") "]");
    expect_batch(&scene.at, MANY("n", "3", "me"), "[[b #+h # 60000 c #+h # 60000]]");
    expect_batch(&scene.at, MANY("a", "4", "me"),
                 "[!ERR 4 at once are more than one owner may hold: max_per_owner is 3]");
    expect_batch(&scene.at, WALL("D:1", "4", "me"), "[!ERR 4 at once ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_request_without_an_owner_is_refused)
{
    open_with("max_per_owner=2");
    expect_batch(&scene.at, M1("r"),
                 "[!ERR this pool wants OWNER of each MALLOC: it has max_per_owner]");
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 60000 r \"\" 0 \"\" \"\"", "[!ERR this pool ...");
    scene.at.mode = "shared"; /* without leases */
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_repeated_request_is_not_counted_twice)
{
    open_with("max_per_owner=1");
    expect_batch(&scene.at, "M 1 1 60000 r \"\" 0 me id1", "[[a ...");
    expect_batch(&scene.at, "M 1 1 60000 r \"\" 0 me id1", "[[a ...");
    scene_close(&scene);
}
END_TEST

START_TEST(what_has_ended_untold_does_not_count)
{
    open_with("max_per_owner=2");
    expect_batch(&scene.at, M("me") M("me"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");   /* it has ended, and nobody has collected it yet */
    scene_do(&scene, "SET p|x:b 1"); /* a Python program has it now */
    scene_do(&scene, "ZADD p|x|pool|held 0 \"me\"");
    expect_batch(&scene.at, M("me") M("me") M("me"), "[[c #+r # 60000] [d #+r # 60000] !QUOTA ...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(who_holds_too_much_waits_and_is_passed_over_meanwhile)
{
    open_with("max_per_owner=2");
    expect_batch(&scene.at, M("me") M("me"), "[[a ...");
    expect_batch(&scene.at, W("D:1", "me"), IS_TICKET);
    expect_batch(&scene.at, WALL("D:2", "2", "me"), IS_TICKET);
    expect_batch(&scene.at, W("D:3", "you"), "[[c ...");
    expect_batch(&scene.at, M("you"), "[[d ...");
    expect_batch(&scene.at, F("c"), "[1]");
    expect_redis(&scene, "EXISTS p|x|pool|granted", "0");
    expect_batch(&scene.at, M("other"), "[[c ...");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waited_before_the_rule_came_needs_no_owner)
{
    open_with("max_lease=60000");
    expect_batch(&scene.at, MANY("a", "4", "me"), "[[a ...");
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 60000 r \"\" 0 \"\" \"\"", IS_TICKET);
    expect_batch(&scene.at, WALL("D:2", "2", "you"), IS_TICKET);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "max_per_owner=1 \"\"", "1");
    expect_batch(&scene.at, F("a") F("b") F("c"), "[1 1 1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_batch(&scene.at, M("other"), "[[b ...");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_longer_time_is_cut,
                                  a_session_keeps_it_no_longer_than_that_all_in_all,
                                  an_owner_holds_no_more_than_it_may,
                                  who_asks_for_many_gets_as_many_as_are_allowed,
                                  a_request_without_an_owner_is_refused,
                                  a_repeated_request_is_not_counted_twice,
                                  what_has_ended_untold_does_not_count,
                                  who_holds_too_much_waits_and_is_passed_over_meanwhile,
                                  who_waited_before_the_rule_came_needs_no_owner,
                                  NULL};
    return scene_run("limits", tests);
}
