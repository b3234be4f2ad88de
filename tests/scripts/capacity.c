/* capacity: resources that several may hold at once. */
#include "tests/lib/scene.h"
#include <stdlib.h>

#define SECOND_A  "a\0372" /* the second unit of a */
#define MANY(how) "M " how " 60000 r \"\" 0 \"\" \"\" "

static struct scene scene;

/* a and b with two units each. */
static void open_pairs(void)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a b", "2");
}

/* Both units of a are leased, with tokens that a test can say. */
static void open_held(void)
{
    open_pairs();
    expect_batch(&scene.at, "M n 4 0 r \"\" 0 \"\" \"\"", "[[a ...");
    scene_do(&scene, "SET p|x:a 1-t.1 XX");
    scene_do(&scene, "SET p|x:" SECOND_A " 2-t.2 XX");
}

START_TEST(a_resource_is_granted_as_often_as_its_capacity_says)
{
    open_pairs();
    expect_batch(
        &scene.at, M1("r1") M1("r2") M1("r3") M1("r4") M1("r5"),
        "[[a #-r1.1 # 60000] [b #-r2.1 # 60000] [a #-r3.2 # 60000] [b #-r4.2 # 60000] []]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 0 4]");
    scene_close(&scene);
}
END_TEST

START_TEST(several_units_of_one_resource_can_be_asked_for_at_once)
{
    open_pairs();
    expect_batch(&scene.at, MANY("a 5") MANY("a 3"),
                 "[[] [a #-h.1 # 60000 b #-h.1 # 60000 a #-h.2 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(whoever_looks_sees_resources_once)
{
    open_pairs();
    expect(&scene.at, SCRIPT_POOL_NAMES, "HLEN", "2");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HKEYS", "[a b]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HEXISTS a", "1");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HEXISTS " SECOND_A, "0");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HSCAN 0", "[0 [a 2 2 2 1 b 2 2 2 1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "1", "[a]");
    expect(&scene.at, SCRIPT_POOL_HEALTH, "", "[0 4]");
    expect_batch(&scene.at, M1("r1") M1("r2") "M 1 1 0 r \"\" 0 \"\" \"\" F \"\" \"\" 1 b",
                 "[[a #-r1.1 # 60000] [b #-r2.1 # 60000] [a #-r.2 # -1] 1]");
    expect_batch(&scene.at, "R a x 1", "[!NOTOWNER ...");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 2 leased 2 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect_redis(&scene, "PERSIST p|x:a", "1");
    scene_do(&scene, "ZADD p|x|pool|leases inf a");
    expect(&scene.at, SCRIPT_POOL_EXPLAIN, "10", "[2 2 0 [a \"\" -1 a \"\" -1] [] 0 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(status_tells_of_all_units)
{
    open_held();
    expect(
        &scene.at, SCRIPT_POOL_STATUS, "a",
        "[state leased ttl -1 expiry -1 fence 1 owner nil next \"\" why \"\" score 1000 failures 0 "
        "breaker closed priority 0 uses 0 health \"\" health_age_ms 0 probe_latency_us 0 "
        "probe_result \"\" labels [] capacity 2 holders 2]");
    scene_do(&scene, "PEXPIRE p|x:a 49999");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state free ttl 49...");
    expect(&scene.at, SCRIPT_POOL_STATUS, SECOND_A, "nil");
    scene_close(&scene);
}
END_TEST

START_TEST(a_token_says_which_unit_is_freed)
{
    open_held();
    expect_batch(&scene.at, "F 2-t.1 \"\" 1 a F 1-t.2 \"\" 1 a F other \"\" 1 a",
                 "[!NOTOWNER the lease of this resource has another token "
                 "!NOTOWNER the lease of this resource has another token "
                 "!NOTOWNER the lease of this resource has another token]");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a F 2-t.2 \"\" 1 a F 1-t.9 \"\" 1 a", "[1 0 0]");
    expect_redis(&scene, "EXISTS p|x:a p|x:" SECOND_A, "1");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.2 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(without_a_token_only_one_holder_can_be_meant)
{
    open_held();
    expect_batch(&scene.at, "F \"\" \"\" 1 a R a \"\" 1000 F \"\" \"\" 1 " SECOND_A,
                 "[!NOTOWNER resource 'a' has 2 holders: TOKEN has to say whose lease is meant "
                 "!NOTOWNER resource 'a' has 2 holders: TOKEN has to say whose lease is meant 0]");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a R a \"\" 1000 F \"\" \"\" 1 a F \"\" \"\" 1 a",
                 "[1 1 1 0]");
    expect_redis(&scene, "EXISTS p|x:a p|x:" SECOND_A, "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_token_says_which_unit_is_renewed)
{
    open_held();
    expect_batch(&scene.at, "R a 2-t.2 90000 K a 1-t.1 2000 R a 1-t.2 5000",
                 "[1 1 !NOTOWNER the lease of this resource has another token]");
    expect_redis(&scene, "PTTL p|x:a", "-1");
    expect_redis(&scene, "PERSIST p|x:" SECOND_A, "1");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect_batch(&scene.at, "R a \"\" 90000", "[1]");
    expect_redis(&scene, "ZCARD p|x|pool|departed", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(the_cheap_scripts_leave_such_a_pool_to_the_batch)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 9 1000 r", "FULL");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 9 a 1-t.1", "FULL");
    expect(&scene.at, SCRIPT_POOL_PLAIN, "D 9 \"\" T 1 a 1-t.1", "FULL");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 9 R a \"\" 1000", "FULL");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 9 R a 2-t.2 1000", "FULL");
    expect(&scene.at, SCRIPT_POOL_RENEW_ONE, "D 9 R a 1-t.1 1000", "[1]");
    scene_close(&scene);
}
END_TEST

START_TEST(owners_and_requests_have_units_of_their_own)
{
    open_pairs();
    expect_batch(&scene.at, "M n 3 0 r \"\" 0 me q1 ", "[[a #+h.1 # -1 b #+h.1 # -1 a ...");
    expect_batch(&scene.at, "M n 3 0 r \"\" 0 me q1 M 1 1 0 r2 \"\" 0 you q2 ",
                 "[[a #+h.1 # -1 b #+h.1 # -1 a #+h.2 # -1] [b #+r2.2 # -1]]");
    expect(&scene.at, SCRIPT_POOL_HELD, "you", "[b #+r2.2 # -1]");
    expect(&scene.at, SCRIPT_POOL_HELD, "me", "[a #+h.1 # -1 a #+h.2 # -1 b #+h.1 # -1]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_name_prefers_its_resource_as_long_as_a_unit_of_it_is_free)
{
    open_pairs();
    expect(&scene.at, SCRIPT_POOL_BIND, "n b 0", "OK");
    expect_batch(&scene.at,
                 "M 1 1 60000 r1 n 0 \"\" \"\" M 1 1 60000 r2 n 0 \"\" \"\" "
                 "M 1 1 60000 r3 n 0 \"\" \"\" ",
                 "[[b #-r1.1 # 60000] [b #-r2.2 # 60000] [a #-r3.1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "a");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_gets_a_unit_that_comes_free)
{
    open_held();
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 0 r3 \"\" 0 \"\" \"\"", "[[# #]]");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_batch(&scene.at, "W D:1 1 0 1 1 0 r3 \"\" 0 \"\" \"\"", "[[a #-r3.2 # -1]]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_batch_is_recalled_unit_by_unit)
{
    open_pairs();
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch(&scene.at, M1("r2") M1("r3"), "[[b ...");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 2", "2");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state free ttl ...");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 3 leased 1 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_ends_by_its_time_and_its_unit_comes_back)
{
    open_held();
    scene_do(&scene, "DEL p|x:" SECOND_A);
    scene_do(&scene, "ZADD p|x|pool|leases 1 " SECOND_A);
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.2 # 60000]]");
    scene_do(&scene, "DEL p|x:" SECOND_A);
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 1 0 0 0 0 4 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_larger_capacity_adds_units)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C4 a c", "1");
    expect_batch(
        &scene.at, MANY("n 9"),
        "[[a #-h.3 # 60000 c #-h.1 # 60000 a #-h.4 # 60000 c #-h.2 # 60000 c #-h.3 # 60000 "
        "c #-h.4 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "0");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[10 0 10]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_smaller_capacity_takes_free_units_first_and_leased_ones_when_they_come_back)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a b", "0");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 0 3]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state leased ttl -1 expiry -1 fence 2 ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "b", "[state leased ...");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a #-r1.2 # 60000] []]");
    scene_do(&scene, "SET p|x:b 5-t.1 XX");
    scene_do(&scene, "SET p|x:b\0372 6-t.2 XX");
    expect_batch(&scene.at, "F 6-t.2 \"\" 1 b F \"\" \"\" 1 b", "[1 1]");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 1 leased 1 ...");
    expect_redis(&scene, "HGET p|x|pool|units b", "1 1 2 1");
    scene_close(&scene);
}
END_TEST

START_TEST(units_that_were_to_leave_stay_when_there_is_room_again)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "0");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C3 a", "0");
    expect_redis(&scene, "EXISTS p|x|pool|aside", "0");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.3 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_pools_capacity_is_that_of_all_that_were_not_told_another)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1 # 60000]]");
    scene_do(&scene, "SET p|x:a 1-t XX");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "capacity=2 \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 3 leased 1 ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 b", "0");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 c", "1");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "capacity=3 \"\"", "1");
    expect_batch(&scene.at, "F 1-t \"\" 1 a", "[1]"); /* a token of earlier times */
    expect_redis(&scene, "HVALS p|x|pool|units", "[3 3 3 0 1 1 2 1 3 3 3 0]");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "\"\" \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 3 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_quarantine_is_of_all_units)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 fan a", "1");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 2 free 0 leased 3 quarantined 1 resting 0 cleaning 0 pending 1 ...");
    expect_batch(&scene.at,
                 "F 2-t.2 \"\" 1 a"
                 " " M1("r"),
                 "[1 []]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why fan ...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 2 leased 2 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_probe_speaks_of_all_units)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_PROBED,
           "D 0 \"tcp 0 1 0 5 0\" a 1 50 refused stranger 1 50 refused", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state leased ttl -1 expiry -1 fence 2 owner nil next quarantined why refused ...");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 0 leased 3 quarantined 1 ...");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_PROBED, "D 0 \"tcp 1 0 0 5 0\" a 0 50 \"\"", "[0 1]");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 2 leased 2 quarantined 0 ...");
    expect_redis(&scene, "HKEYS p|x|pool|traits", "[ha]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_drained_resource_leaves_with_its_last_unit)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "3 0 \"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HEXISTS a", "1");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state leased ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HKEYS", "[b]");
    expect_redis(&scene, "EXISTS p|x|pool|aside p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_resource_departs_with_all_units_and_its_leases_run_on)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a a " SECOND_A, "1");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[2 0 2]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[!NOTOWNER ...");
    expect_batch(&scene.at, "R a 2-t.2 1000 F 1-t.1 \"\" 1 a", "[1 1]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "1"); /* the living lease counts */
    expect_batch(&scene.at, M1("r1"), "[[]]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.2 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(leases_of_an_earlier_time_beyond_the_capacity_leave_when_they_come_back)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "1");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a F 1-t.1 \"\" 1 a", "[1 1]");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.1 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(assign_keeps_capacities)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 a c", "[1 1]");
    expect_redis(&scene, "HGETALL p|x|pool|units", "[a 2 2 2 1 c 1 1 1 0]");
    expect_batch(&scene.at, MANY("n 9"), "[[c #-h.1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 2]");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_redis(&scene, "EXISTS p|x|pool|units p|x|pool", "0");
    scene_close(&scene);
}
END_TEST

#define SAYS(letter, number) "\001" letter number

START_TEST(each_resource_may_have_a_capacity_of_its_own)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001E a " SAYS("C", "2") " b \"\" c " SAYS("C", "1"),
           "3");
    expect_redis(&scene, "HGETALL p|x|pool|units", "[a 2 2 2 1 b 1 1 1 0 c 1 1 1 1]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001E a \"\" b " SAYS("C", "3"), "0");
    expect_redis(&scene, "HGETALL p|x|pool|units", "[a 2 2 2 1 b 3 3 3 1 c 1 1 1 1]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[6 6 0]");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a #-r1.1 # 60000] [b #-r2.1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN,
           "-1\001E d " SAYS("C", "2") " b " SAYS("C", "1") " a \"\"", "[1 1]");
    expect_redis(&scene, "HGETALL p|x|pool|units", "[a 2 2 2 1 b 1 1 3 1 d 2 2 2 1]");
    expect_batch(&scene.at, "F \"\" \"\" 1 b " MANY("n 9"),
                 "[1 [a #-h.2 # 60000 d #-h.1 # 60000 d #-h.2 # 60000 b #-h.1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[5 0 5]");
    scene_close(&scene);
}
END_TEST

START_TEST(units_leave_one_by_one_when_the_resource_expires)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "60000\001C2 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool a #ALLOCATED||#ALLOCATED||1 " SECOND_A " ||||1");
    expect_batch(&scene.at, M1("r2"), "[[]]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HLEN", "1");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HLEN", "0");
    scene_close(&scene);
}
END_TEST

static void expect_sound(void)
{
    redisReply *said = script_say(&scene.at, SCRIPT_POOL_CHECK, "");
    char *text = script_show(said);
    ck_assert_msg(said->elements == 3, "%s", text);
    free(text);
    freeReplyObject(said);
    redisReply *repaired = script_say(&scene.at, SCRIPT_POOL_REPAIR, "");
    ck_assert_int_eq(repaired->element[3]->integer, 0);
    freeReplyObject(repaired);
}

START_TEST(a_unit_more_of_what_is_in_quarantine_is_in_quarantine)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 fan a", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C4 a", "0");
    expect_batch(&scene.at, MANY("n 9"), "[[]]");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 2 free 0 leased 3 quarantined 3 resting 0 cleaning 0 pending 1 ...");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.1 # 60000 a #-h.3 # 60000 a #-h.4 # 60000]]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_too_many_still_is_after_a_quarantine)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "0");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 fan a", "1");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.1 # 60000]]");
    expect_redis(&scene, "HGET p|x|pool|units a", "1 1 2 1");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_restored_while_it_is_drained_has_all_its_units_again)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "3 0 \"\" a", "1");
    expect_redis(&scene, "HGET p|x|pool|units a", "2 1 2 1");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.1 # 60000 a #-h.2 # 60000]]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(only_a_resource_of_one_unit_is_scaled_down_and_by_its_name)
{
    open_held();
    scene_do(&scene, "SET p|x:b 5-t.1 XX");
    scene_do(&scene, "SET p|x:b\0372 6-t.2 XX");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "0");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a F 5-t.1 \"\" 1 b",
                 "[1 1]"); /* a has another holder */
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 b", "0");
    expect_batch(&scene.at, "F 6-t.2 \"\" 1 b", "[1]"); /* the second unit is left */
    expect_redis(&scene, "HGET p|x|pool|units b", "1 1 2 1");
    expect(&scene.at, SCRIPT_POOL_SCALE_BEGIN, "D1 60000 0 1 0 10", "[d 1 2 3 0 b]");
    expect(&scene.at, SCRIPT_POOL_SCALE_END, "D1 d broke 0 1000 0 b", "[0 broke 1000]");
    expect_sound();
    scene_do(&scene, "HSET p|x|pool|scale d_next 0");
    expect(&scene.at, SCRIPT_POOL_SCALE_BEGIN, "D2 60000 0 1 0 10", "[d 1 2 3 0 b]");
    expect(&scene.at, SCRIPT_POOL_SCALE_END, "D2 d \"\" 0 1000 0 b", "[1 \"\" 0]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HKEYS", "[a]");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(the_least_used_unit_goes_first)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=least-used \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a #-r1.1 # 60000] [b #-r2.1 # 60000]]");
    expect_sound();
    expect_batch(&scene.at, "F \"\" \"\" 1 a " M1("r3") M1("r4") M1("r5"),
                 "[1 [a #-r3.2 # 60000] [b #-r4.2 # 60000] [a #-r5.1 # 60000]]");
    scene_do(&scene, "SET p|x:a 8-t.1 XX");
    scene_do(&scene, "SET p|x:" SECOND_A " 9-t.2 XX");
    expect_batch(&scene.at, "F 8-t.1 \"\" 1 a F 9-t.2 \"\" 1 a", "[1 1]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state free ttl -2 expiry -1 fence 0 owner nil next \"\" why \"\" score 1000 "
           "failures 0 breaker closed priority 0 uses 3 ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a b", "2");
    expect_redis(&scene, "EXISTS p|x|pool|traits p|x|pool|order", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(units_have_the_labels_of_their_resource)
{
    open_pairs();
    expect(&scene.at, SCRIPT_POOL_TAG, "b zone=eu", "1");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[zone=eu 1 2]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C3 b", "0");
    expect_batch(&scene.at, "X Wzone=eu " MANY("n 2"), "[[b #-h.1 # 60000 b #-h.2 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[zone=eu 1 1]");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_TAG, "b gpu=a", "2"); /* of leased and free units */
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[gpu=a 1 1 zone=eu 1 1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 \"\" b", "1");
    expect_batch(&scene.at, "X Wzone=eu " MANY("n 2"), "[[]]");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" b", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 b", "0");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[gpu=a 1 0 zone=eu 1 0]");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_SHRINK, "b", "1");
    expect(&scene.at, SCRIPT_POOL_TAGS, "\"\"", "[]");
    expect_redis(&scene, "EXISTS p|x|pool|traits p|x|pool|label:zone=eu p|x|pool|label:gpu=a", "0");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_for_a_label_gets_the_next_unit_that_has_it)
{
    open_pairs();
    expect(&scene.at, SCRIPT_POOL_TAG, "a k=v", "1");
    expect_batch(&scene.at, MANY("a 4"), "[[a #-h.1 ...");
    scene_do(&scene, "SET p|x:a 1-t.1 XX");
    scene_do(&scene, "SET p|x:" SECOND_A " 2-t.2 XX");
    scene_do(&scene, "SET p|x:b 3-t.1 XX");
    expect_batch(&scene.at, "X Wk=v W D:1 \"\" 0 1 1 1000 r2 \"\" 0 \"\" \"\"", "[[# #]]");
    expect_batch(&scene.at, "F 3-t.1 \"\" 1 b", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect_redis(&scene, "EXISTS p|x:" SECOND_A, "1");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(units_stand_where_the_priority_of_their_resource_wants_them)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=priority \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a b", "2");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001P5\001C2 c", "1");
    expect_sound();
    expect_batch(&scene.at, MANY("n 3"), "[[c #-h.1 # 60000 c #-h.2 # 60000 a #-h.1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001P9 b", "0"); /* both units at once */
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C3 c", "0"); /* a new one of this priority */
    expect_sound();
    scene_do(&scene, "SET p|x:c 7-t.1 XX");
    expect_batch(&scene.at, "F 7-t.1 \"\" 1 c", "[1]");
    expect_sound();
    expect_batch(&scene.at, MANY("n 9"),
                 "[[b #-h.1 # 60000 b #-h.2 # 60000 c #-h.3 # 60000 c #-h.1 # 60000 "
                 "a #-h.2 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(data_comes_with_each_unit)
{
    open_pairs();
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "a key7", "1");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, SECOND_A " key8", "0");
    expect_batch(&scene.at, "X D " MANY("n 3"),
                 "[[a #-h.1 # 60000 key7 b #-h.1 # 60000 nil a #-h.2 # 60000 key7]]");
    expect_batch(&scene.at, "X D M 1 1 60000 r \"\" 0 me q1 X D M 1 1 60000 r \"\" 0 me q1 ",
                 "[[b #+r.2 # 60000 nil] [b #+r.2 # 60000 nil]]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C1 a", "0");
    expect(&scene.at, SCRIPT_POOL_DATA_OF, "a", "key7");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect_redis(&scene, "EXISTS p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(each_unit_is_cleaned_after_its_holder)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "clean=1 \"\"", "1");
    expect_batch(&scene.at, "F 2-t.2 \"\" 1 a", "[1]");
    expect_batch(&scene.at, M1("r1"), "[[]]");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_CLEAN_CLAIM, "m 10 60000", "[" SECOND_A " 0 a]");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_CLEAN_CLAIM, "n 10 60000", "[a 0 a]");
    expect(&scene.at, SCRIPT_POOL_CLEAN_END, "m " SECOND_A " clean \"\" 3 100 1000 0", "1");
    expect_sound();
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.2 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_CLEAN_END, "n a failed \"no soap\" 0 100 1000 0", "3");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 2 free 0 leased 3 quarantined 1 resting 0 cleaning 0 ...");
    expect_sound();
    expect(&scene.at, SCRIPT_POOL_RESTORE, "1 a", "1");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(units_rest_and_expire_each_for_itself)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "rest=60000 \"\"", "1");
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    scene_do(&scene, "DEL p|x:" SECOND_A);
    scene_do(&scene, "ZADD p|x|pool|leases 1 " SECOND_A);
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 0 0 0 ...");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 0 leased 2 quarantined 0 resting 2 ...");
    expect_sound();
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 1 0 0 ...");
    expect_batch(&scene.at, MANY("n 9"), "[[a #-h.1 # 60000]]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(units_that_expired_come_back_with_their_resource)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    scene_do(&scene, "HSET p|x|pool a ||||1");
    expect_batch(&scene.at, M1("r1"), "[[]]");
    expect_redis(&scene, "HGET p|x|pool|units a", "2 1 2 1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "0");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.1 # 60000]]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(a_drain_goes_on_when_the_same_capacity_is_said_again)
{
    open_held();
    expect_batch(&scene.at, "F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "3 0 \"\" a b", "2");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a b", "0");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 a b", "[0 0]");
    expect_batch(&scene.at, M1("r1") "F 2-t.2 \"\" 1 a", "[[] 1]");
    expect(&scene.at, SCRIPT_POOL_NAMES, "HKEYS", "[b]");
    expect_sound();
    scene_close(&scene);
}
END_TEST

START_TEST(a_failing_resource_trips_with_all_units)
{
    open_held();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C3 a", "0");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "breaker=1 \"\"", "1");
    expect_batch(&scene.at, "X Ofail F 1-t.1 \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 2 free 0 leased 3 quarantined 2 resting 0 cleaning 0 pending 1 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(names_that_end_like_a_unit_are_refused_where_there_are_units)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 " SECOND_A, "1");
    expect_batch(&scene.at, M1("r1"), "[[" SECOND_A " #-r1 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a",
           "!ERR the pool has a resource whose name ends like that of a unit: 'a?2'");
    expect(&scene.at, SCRIPT_POOL_SHRINK, SECOND_A, "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\001C2 a", "1");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 " SECOND_A,
           "!ERR the name ends like that of a unit of a resource: 'a?2'");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1 " SECOND_A,
           "!ERR the name ends like that of a unit of a resource: 'a?2'");
    scene_close(&scene);
}
END_TEST

START_TEST(check_tells_of_wrong_counts_and_repair_mends_them)
{
    open_held();
    scene_do(&scene, "HSET p|x|pool|units a \"2 7 7 1\" c \"1 1 1 0\"");
    scene_do(&scene, "HDEL p|x|pool|units b");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[4 0 4 it is said to have other units than it has: 'a' it is said to have other units "
           "than it has: 'c' of its units nothing is known: 'b']");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[4 0 4 3]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 0 4]");
    expect_redis(&scene, "HGETALL p|x|pool|units", "[a 2 2 2 1 b 2 2 2 1]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_collector_knows_units_when_the_journal_was_lost)
{
    open_pairs();
    scene_do(&scene, "DEL p|x|pool|journal");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 ...");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1.1 # 60000]]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_resource_is_granted_as_often_as_its_capacity_says,
        several_units_of_one_resource_can_be_asked_for_at_once,
        whoever_looks_sees_resources_once,
        status_tells_of_all_units,
        a_token_says_which_unit_is_freed,
        without_a_token_only_one_holder_can_be_meant,
        a_token_says_which_unit_is_renewed,
        the_cheap_scripts_leave_such_a_pool_to_the_batch,
        owners_and_requests_have_units_of_their_own,
        a_name_prefers_its_resource_as_long_as_a_unit_of_it_is_free,
        who_waits_gets_a_unit_that_comes_free,
        a_batch_is_recalled_unit_by_unit,
        a_lease_ends_by_its_time_and_its_unit_comes_back,
        a_larger_capacity_adds_units,
        a_smaller_capacity_takes_free_units_first_and_leased_ones_when_they_come_back,
        units_that_were_to_leave_stay_when_there_is_room_again,
        the_pools_capacity_is_that_of_all_that_were_not_told_another,
        a_quarantine_is_of_all_units,
        a_probe_speaks_of_all_units,
        a_drained_resource_leaves_with_its_last_unit,
        a_resource_departs_with_all_units_and_its_leases_run_on,
        leases_of_an_earlier_time_beyond_the_capacity_leave_when_they_come_back,
        assign_keeps_capacities,
        each_resource_may_have_a_capacity_of_its_own,
        units_leave_one_by_one_when_the_resource_expires,
        a_unit_more_of_what_is_in_quarantine_is_in_quarantine,
        what_was_too_many_still_is_after_a_quarantine,
        what_is_restored_while_it_is_drained_has_all_its_units_again,
        only_a_resource_of_one_unit_is_scaled_down_and_by_its_name,
        the_least_used_unit_goes_first,
        units_have_the_labels_of_their_resource,
        who_waits_for_a_label_gets_the_next_unit_that_has_it,
        units_stand_where_the_priority_of_their_resource_wants_them,
        data_comes_with_each_unit,
        each_unit_is_cleaned_after_its_holder,
        units_rest_and_expire_each_for_itself,
        units_that_expired_come_back_with_their_resource,
        a_drain_goes_on_when_the_same_capacity_is_said_again,
        a_failing_resource_trips_with_all_units,
        names_that_end_like_a_unit_are_refused_where_there_are_units,
        check_tells_of_wrong_counts_and_repair_mends_them,
        the_collector_knows_units_when_the_journal_was_lost,
        NULL};
    return scene_run("capacity", tests);
}
