/* waiting: the line of those who wait, as it lies in Redis: order, what is kept for big requests,
 * dead daemons, grants that nobody fetches. */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Waits without a bound on the holding; `W(id)` for one, the first time or again. */
#define W(id)          "W " id " 0 0 1 1 60000 r \"\" 0 \"\" \"\" "
#define W_FIRST(id)    "W " id " \"\" 0 1 1 60000 r \"\" 0 \"\" \"\" "
#define WALL(id, n)    "W " id " 0 0 a " n " 60000 r \"\" 0 \"\" \"\" "
#define WSHORT(id, ms) "W " id " 0 " ms " 1 1 " ms " r \"\" 0 \"\" \"\" "
#define F(resource)    "F \"\" \"\" 1 " resource " "
#define IS_TICKET      "[[# #]]"

static struct scene scene;

static void set_up(void)
{
    scene_open(&scene, NULL);
}

static void tear_down(void)
{
    scene_close(&scene);
}

/* What another daemon's batch answers. */
static redisReply *batch_of(const char *daemon, const char *operations)
{
    const char *own = scene.at.daemon;
    scene.at.daemon = daemon;
    redisReply *reply = script_batch(&scene.at, operations);
    scene.at.daemon = own;
    return reply;
}

#define expect_batch_of(daemon, operations, expected) \
    script_expect(batch_of(daemon, operations), expected, __FILE__, __LINE__)

START_TEST(who_finds_something_free_does_not_wait)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, W_FIRST("D:1"), "[[a #-r # 60000]]");
    expect_redis(&scene,
                 "EXISTS p|x|pool|waiters p|x|pool|waiting p|x|pool|granted p|x|pool|daemons", "0");
    expect_batch(&scene.at, W_FIRST("D:2"), IS_TICKET);
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:2]");
}
END_TEST

START_TEST(who_came_first_is_served_first_over_all_daemons)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch_of("E", W("E:1"), IS_TICKET);
    expect_batch(&scene.at, W("D:1") W("D:2"), "[[# #] [# #]]");
    expect_batch_of("E", W("E:2"), IS_TICKET);
    expect_batch_of("C", F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[E:1]");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:1 D:2 E:2]");
    expect_batch_of("E", W("E:1"), "[[a #-r # ...");
    expect_batch_of("C", F("b"), "[1]");
    expect_batch(&scene.at, W("D:2") W("D:1"), "[[# #] [b #-r # ...");
}
END_TEST

START_TEST(a_malloc_overtakes_nobody)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1"), "[[a ...");
    expect_batch(&scene.at, F("a") M1("r2"), "[1 []]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_batch(&scene.at, W("D:1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 99 60000 r1", "[nil]");
}
END_TEST

/* One waits and two come free: the second is for whoever asks. */
START_TEST(what_nobody_waits_for_any_more_is_free_for_all)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") W("D:1"), "[[a ...");
    expect_batch(&scene.at, F("a") F("b") M1("r3"), "[1 1 [b ...");
}
END_TEST

START_TEST(the_scripts_for_one_leave_it_to_the_batch_while_somebody_waits)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 90 a \"\"", "FULL");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 90 60000 r1", "FULL");
    expect_batch(&scene.at, "E D:1 t", "[[]]");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 90 a \"\"", "[1]");
}
END_TEST

START_TEST(asking_again_keeps_the_place)
{
    expect_batch(&scene.at, W("D:1") W("D:2"), "[[# #] [# #]]");
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:1 D:2]");
    scene_do(&scene, "DEL p|x|pool|waiters");
    char words[200];
    redisReply *reply = scene_ask(&scene, "TIME");
    snprintf(words, sizeof words, "W D:1 %s%03d 0 1 1 60000 r \"\" 0 \"\" \"\"",
             reply->element[0]->str, 0);
    freeReplyObject(reply);
    expect_batch(&scene.at, W("D:2"), IS_TICKET);
    expect_batch(&scene.at, words, IS_TICKET);
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:1 D:2]");
}
END_TEST

/* With a priority. */
#define WP(id, priority) "X P" priority " W " id " 0 0 1 1 60000 r \"\" 0 \"\" \"\" "

START_TEST(a_higher_priority_stands_before_a_lower_one)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch(&scene.at, W("D:1") WP("D:2", "-1000") WP("D:3", "5") WP("D:4", "5") W("D:5"),
                 "[[# #] [# #] [# #] [# #] [# #]]");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:3 D:4 D:1 D:5 D:2]");
    expect_batch(&scene.at, WP("D:6", "1000"), IS_TICKET);
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:6]");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:6 D:3]");
}
END_TEST

START_TEST(asking_again_keeps_the_place_among_those_of_its_priority)
{
    expect_batch(&scene.at, WP("D:1", "7") WP("D:2", "7") W("D:3"), "[[# #] [# #] [# #]]");
    redisReply *place = script_batch(&scene.at, WP("D:2", "7"));
    char words[200];
    snprintf(words, sizeof words, "X P7 W D:2 %lld 0 1 1 60000 r \"\" 0 \"\" \"\"",
             place->element[0]->element[0]->integer);
    freeReplyObject(place);
    scene_do(&scene, "DEL p|x|pool|waiters");
    expect_batch(&scene.at, words, IS_TICKET);
    expect_batch(&scene.at, W("D:3") WP("D:1", "7"), "[[# #] [# #]]");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:2 D:1 D:3]");
}
END_TEST

START_TEST(a_request_for_many_keeps_nothing_from_a_higher_priority)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") WALL("D:1", "2"), "[[a ...");
    expect_batch(&scene.at, WP("D:2", "1"), IS_TICKET);
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:2]");
    expect_redis(&scene, "EXISTS p|x:b", "1");
}
END_TEST

/* Both of them get the same lease, and a recall leaves it to the second. */
START_TEST(the_same_request_twice_gets_one_lease)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch(&scene.at, "W D:1 0 0 1 1 60000 r \"\" 0 \"\" q", IS_TICKET);
    expect_batch_of("E", "W E:1 0 0 1 1 60000 s \"\" 0 \"\" q", IS_TICKET);
    expect_batch(&scene.at, F("a") F("b"), "[1 1]");
    expect_batch(&scene.at, "W D:1 0 0 1 1 60000 r \"\" 0 \"\" q", "[[a #+r # ...");
    expect_batch_of("E", "W E:1 0 0 1 1 60000 s \"\" 0 \"\" q", "[[a #+r # ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect_redis(&scene, "EXISTS p|x|pool|waiting p|x|pool|granted", "0");
}
END_TEST

START_TEST(who_leaves_is_not_served)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1") W("D:2") W("D:3"), "[[a ...");
    expect_batch(&scene.at, "E D:1 t E D:2 g", "[[] 0]");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:3]");
    expect_batch(&scene.at, "E D:3 t", "[[a #-r # ...");
}
END_TEST

START_TEST(what_was_granted_to_one_who_is_gone_goes_to_the_next)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1") W("D:2"), "[[a ...");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_batch(&scene.at, "E D:1 g", "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:2]");
    expect_batch(&scene.at, W("D:2"), "[[a ...");
}
END_TEST

/* A lost batch that has fetched gives it back; asking again with the old ticket comes first. */
START_TEST(what_was_fetched_by_a_lost_batch_is_recalled)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1"), "[[a ...");
    expect_batch_of("E", F("a"), "[1]");
    expect_batch(&scene.at, W("D:1"), "[[a ...");
    char sequence[40];
    snprintf(sequence, sizeof sequence, "D %lld", scene.at.sequence);
    expect(&scene.at, SCRIPT_POOL_RECALL, sequence, "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    expect_batch(&scene.at, W("D:1"), "[[a ...");
}
END_TEST

/* What a batch granted to somebody who waits is not that batch's. */
START_TEST(a_recall_leaves_alone_who_waited)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch_of("E", W("E:1"), IS_TICKET);
    expect_batch(&scene.at, F("a"), "[1]");
    char sequence[40];
    snprintf(sequence, sizeof sequence, "D %lld", scene.at.sequence);
    expect(&scene.at, SCRIPT_POOL_RECALL, sequence, "0");
    expect_batch_of("E", W("E:1"), "[[a ...");
}
END_TEST

/* --- daemons --- */

START_TEST(dead_daemons_are_passed_over_and_forgotten)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch_of("E", W("E:1") W("E:2"), "[[# #] [# #]]");
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    scene_do(&scene, "HSET p|x|pool|daemons E \"5 7 0\"");
    expect_batch_of("C", F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_redis(&scene, "EXISTS p|x|pool|waiters p|x|pool|waiting", "0");
    expect_redis(&scene, "HEXISTS p|x|pool|daemons E", "0");
}
END_TEST

/* E said that it hears, and nobody does: it is passed over, and keeps its place. */
START_TEST(who_is_absent_is_passed_over)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch_of("E", W("E:1") "B 1", "[[# #] [# ...");
    expect_batch(&scene.at, W("D:1") "B 0", "[[# #] [# ...");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_batch(&scene.at, F("b") M1("r3"), "[1 [b ...");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[E:1]");
    expect_batch(&scene.at, F("b"), "[1]");
    expect_batch_of("E", "B 0", "[[# -1 E:1]]");
}
END_TEST

START_TEST(who_is_heard_is_not_absent)
{
    redisContext *ears = server_connect(&scene.server);
    freeReplyObject(redisCommand(ears, "SUBSCRIBE p|wake|E"));
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch_of("E", W("E:1") "B 1", "[[# #] [# ...");
    expect_batch(&scene.at, W("D:1") F("a"), "[[# #] 1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[E:1]");
    redisReply *message = NULL;
    ck_assert_int_eq(redisGetReply(ears, (void **)&message), REDIS_OK);
    script_expect(message, "[message p|wake|E E:1]", __FILE__, __LINE__);
    redisFree(ears);
}
END_TEST

START_TEST(a_beat_tells_the_epoch_the_next_deadline_and_what_is_to_fetch)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" \"\"" W("D:1") "B 0",
                 "[[a #-r1 # -1] [# #] [# -1]]");
    expect_batch_of("E", F("a"), "[1]");
    expect_batch(&scene.at, "B 0", "[[# -1 D:1]]");
    expect_batch_of("E", "B 0", "[[# -1]]");
    expect_batch(&scene.at, W("D:1"), "[[a ...");
    expect_batch(&scene.at, "B 0", "[[# -1]]");
    expect_batch(&scene.at, "R a \"\" 200 " W("D:2") "B 0", "[1 [# #] [# 2...");
}
END_TEST

START_TEST(a_beat_serves_what_is_due_and_what_a_peer_has_freed)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") W("D:1") W("D:2"), "[[a ...");
    const char *names[] = {"a"};
    seedpeer_free(&scene.peer, -1, 1, names);
    expect_batch_of("E", "B 0", "[[# ...");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    scene_do(&scene, "DEL p|x:b");
    scene_do(&scene, "ZADD p|x|pool|leases 5 b");
    expect_batch(&scene.at, "B 0", "[[# -1 D:1 D:2]]");
}
END_TEST

/* Without its line, or one of the line without its request, a daemon sees another epoch. */
START_TEST(a_line_that_was_deleted_by_hand_is_asked_for_again)
{
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    scene_do(&scene, "HSET p|x|pool|daemons D \"9999999999999 7 0\"");
    scene_do(&scene, "DEL p|x|pool|waiters");
    expect_batch(&scene.at, "B 0", "[[# -1]]"); /* not 7 */
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1") W("D:2"), "[[a ...");
    scene_do(&scene, "HDEL p|x|pool|waiting D:1");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "EXISTS p|x|pool|waiters p|x|pool|daemons", "0");
    expect_batch(&scene.at, W("D:2"), "[[a ...");
}
END_TEST

START_TEST(an_epoch_stays_while_a_daemon_gives_signs_of_life)
{
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    scene_do(&scene, "HSET p|x|pool|daemons D \"9999999999999 7 0\"");
    expect_batch(&scene.at, "B 0", "[[7 -1]]");
    expect_batch(&scene.at, W("D:2") "B 0", "[[# 7] [7 -1]]");
}
END_TEST

START_TEST(keys_of_another_type_are_noticed_before_anything_is_done)
{
    const char *const keys[] = {"waiters", "waiting", "granted", "daemons"};
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    for (size_t i = 0; i < 4; i++) {
        char words[100];
        snprintf(words, sizeof words, "SET p|x|pool|%s text", keys[i]);
        scene_do(&scene, words);
        char *before = scene_digest(&scene);
        expect_batch(&scene.at, W("D:1"), "!WRONGTYPE ...");
        char *after = scene_digest(&scene);
        ck_assert_str_eq(before, after);
        free(before);
        free(after);
        snprintf(words, sizeof words, "DEL p|x|pool|%s", keys[i]);
        scene_do(&scene, words);
    }
    expect_batch(&scene.at, W("D:1"), "[[a ...");
}
END_TEST

/* --- many at once --- */

START_TEST(a_big_request_keeps_what_comes_free)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") WALL("D:1", "2") W("D:2"), "[[a ...");
    expect_batch(&scene.at, F("a") M1("r3"), "[1 []]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    expect_batch(&scene.at, F("b"), "[1]");
    expect_batch(&scene.at, WALL("D:1", "2"), "[[a #-h # ...");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:2]");
}
END_TEST

/* b is held for a minute: who is done before that may have a. */
START_TEST(a_small_request_that_ends_in_time_goes_before_a_big_one)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") WALL("D:1", "2"), "[[a ...");
    expect_batch(&scene.at, WSHORT("D:2", "90000") WSHORT("D:3", "50000"), "[[# #] [# #]]");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:3]");
    expect_redis(&scene, "ZRANGE p|x|pool|waiters 0 -1", "[D:1 D:2]");
}
END_TEST

/* The instant that was reckoned first holds when the others' leases are renewed. */
START_TEST(renewals_do_not_put_off_a_big_request_for_ever)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") WALL("D:1", "2"), "[[a ...");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_batch(&scene.at, "R b \"\" 900000", "[1]");
    expect_batch(&scene.at, WSHORT("D:2", "90000"), IS_TICKET);
    expect_redis(&scene, "EXISTS p|x|pool|granted", "0");
    expect_batch(&scene.at, WSHORT("D:3", "50000"), IS_TICKET);
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:3]");
}
END_TEST

START_TEST(a_request_for_more_than_the_pool_has_stops_nobody)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2") WALL("D:1", "3") W("D:2"), "[[a ...");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:2]");
    expect_batch(&scene.at, F("b") M1("r3"), "[1 [b ...");
}
END_TEST

START_TEST(up_to_n_is_served_by_what_there_is)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3"), "[[a ...");
    expect_batch(&scene.at, "W D:1 0 0 n 3 60000 r \"\" 0 \"\" \"\"", IS_TICKET);
    expect_batch(&scene.at, "F \"\" \"\" 2 a b", "[2]");
    expect_batch(&scene.at, "W D:1 0 0 n 3 60000 r \"\" 0 \"\" \"\"", "[[a #-h # ...");
}
END_TEST

START_TEST(a_shared_pool_serves_all_that_wait_by_one_resource)
{
    scene.at.mode = "shared";
    expect_batch(&scene.at, W("D:1") W("D:2") "B 0", "[[# #] [# #] ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "B 0", "[[# -1 D:1 D:2]]");
    expect_batch(&scene.at, W("D:1") "E D:2 t", "[[a \"\" 0 -1] [a \"\" 0 -1]]");
}
END_TEST

/* --- what else makes something free --- */

/* Somebody waits and one comes free by `script`: it is granted, in the same call. */
static void check_serves(enum script_id script, const char *words)
{
    freeReplyObject(script_say(&scene.at, script, words));
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[D:1]");
    expect_batch(&scene.at, W("D:1"), "[[a #-r # ...");
    expect_redis(&scene, "HEXISTS p|x|pool|journal waiting", "0");
}

START_TEST(extend_serves_who_waits)
{
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    check_serves(SCRIPT_POOL_EXTEND, "-1 a");
}
END_TEST

START_TEST(assign_serves_who_waits)
{
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    check_serves(SCRIPT_POOL_ASSIGN, "-1 a");
}
END_TEST

START_TEST(gc_serves_who_waits_with_what_it_reclaims)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 5 a");
    check_serves(SCRIPT_POOL_GC, "\"\" 0 100 0");
}
END_TEST

START_TEST(repair_serves_who_waits)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    check_serves(SCRIPT_POOL_REPAIR, "");
}
END_TEST

START_TEST(repair_drops_keys_of_those_who_wait_that_are_of_another_type)
{
    scene_do(&scene, "SET p|x|pool|waiters 1");
    scene_do(&scene, "SET p|x|pool|waiting 1");
    scene_do(&scene, "SET p|x|pool|granted 1");
    scene_do(&scene, "SET p|x|pool|daemons 1");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[0 0 0 4]");
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
}
END_TEST

/* Its batch is lost, so that nobody has the lease: it is for who waits. */
START_TEST(a_recall_serves_who_waits)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    long long lost = scene.at.sequence;
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    char words[40];
    snprintf(words, sizeof words, "D %lld", lost);
    check_serves(SCRIPT_POOL_RECALL, words);
}
END_TEST

/* E is granted the only one and gives no sign of life any more. */
START_TEST(a_beat_comes_when_a_daemon_will_be_dead_and_hands_on_what_it_was_granted)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" \"\"", "[[a ...");
    expect_batch_of("E", W("E:1"), IS_TICKET);
    expect_batch(&scene.at, W("D:1"), IS_TICKET);
    expect_batch(&scene.at, F("a") "B 0", "[1 [# ...");
    redisReply *reply = script_batch(&scene.at, "B 0");
    long long next_ms = reply->element[0]->element[1]->integer;
    freeReplyObject(reply);
    ck_assert_msg(next_ms > 0 && next_ms <= 3000, "%lld", next_ms);
    scene_do(&scene, "HSET p|x|pool|daemons E \"5 7 0\"");
    expect_batch(&scene.at, "B 0", "[[# -1 D:1]]");
    expect_batch(&scene.at, W("D:1"), "[[a ...");
}
END_TEST

START_TEST(gc_takes_back_what_a_dead_daemon_was_granted)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" \"\"", "[[a ...");
    expect_batch_of("E", "W E:1 0 0 1 1 0 r \"\" 0 \"\" \"\"", IS_TICKET);
    expect_batch(&scene.at, F("a"), "[1]");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 ...");
    expect_redis(&scene, "HKEYS p|x|pool|granted", "[E:1]");
    scene_do(&scene, "HSET p|x|pool|daemons E \"5 7 0\"");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 ...");
    expect_redis(&scene, "EXISTS p|x|pool|granted p|x|pool|daemons p|x:a", "0");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("waiting");
    TCase *all = tcase_create("all");
    const TTest *const tests[] = {
        who_finds_something_free_does_not_wait,
        who_came_first_is_served_first_over_all_daemons,
        a_malloc_overtakes_nobody,
        what_nobody_waits_for_any_more_is_free_for_all,
        the_scripts_for_one_leave_it_to_the_batch_while_somebody_waits,
        asking_again_keeps_the_place,
        a_higher_priority_stands_before_a_lower_one,
        asking_again_keeps_the_place_among_those_of_its_priority,
        a_request_for_many_keeps_nothing_from_a_higher_priority,
        the_same_request_twice_gets_one_lease,
        who_leaves_is_not_served,
        what_was_granted_to_one_who_is_gone_goes_to_the_next,
        what_was_fetched_by_a_lost_batch_is_recalled,
        a_recall_leaves_alone_who_waited,
        dead_daemons_are_passed_over_and_forgotten,
        who_is_absent_is_passed_over,
        who_is_heard_is_not_absent,
        a_beat_tells_the_epoch_the_next_deadline_and_what_is_to_fetch,
        a_beat_serves_what_is_due_and_what_a_peer_has_freed,
        a_line_that_was_deleted_by_hand_is_asked_for_again,
        an_epoch_stays_while_a_daemon_gives_signs_of_life,
        keys_of_another_type_are_noticed_before_anything_is_done,
        a_big_request_keeps_what_comes_free,
        a_small_request_that_ends_in_time_goes_before_a_big_one,
        renewals_do_not_put_off_a_big_request_for_ever,
        a_request_for_more_than_the_pool_has_stops_nobody,
        up_to_n_is_served_by_what_there_is,
        a_shared_pool_serves_all_that_wait_by_one_resource,
        extend_serves_who_waits,
        assign_serves_who_waits,
        gc_serves_who_waits_with_what_it_reclaims,
        repair_serves_who_waits,
        repair_drops_keys_of_those_who_wait_that_are_of_another_type,
        a_recall_serves_who_waits,
        a_beat_comes_when_a_daemon_will_be_dead_and_hands_on_what_it_was_granted,
        gc_takes_back_what_a_dead_daemon_was_granted,
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
