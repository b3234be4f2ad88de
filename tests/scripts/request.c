/* request: what a lease remembers of who asked: OWNER, REQID, the journal, recall. */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The token of the n-th lease of the first operation. The caller frees it. */
static char *token_of(const redisReply *reply, int n)
{
    return strdup(reply->element[0]->element[4 * n + 1]->str);
}

START_TEST(held_lists_what_an_owner_holds)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_batch(&scene.at,
                 "M 1 1 60000 r1 \"\" 0 me \"\" M 1 1 0 r2 \"\" 0 \"me too\" \"\" "
                 "M 1 1 0 r3 \"\" 0 me \"\" " M1("r4"),
                 "[[a #+r1 # 60000] [b #+r2 # -1] [c #+r3 # -1] [d #-r4 # 60000]]");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_HELD, "me");
    ck_assert_int_gt(reply->element[3]->integer, 50000);
    reply->element[3]->integer = 60000;
    script_expect(reply, "[a #+r1 # 60000 c #+r3 # -1]", __FILE__, __LINE__);
    expect(&scene.at, SCRIPT_POOL_HELD, "\"me too\"", "[b #+r2 # -1]");
    expect(&scene.at, SCRIPT_POOL_HELD, "m", "[]");
    expect(&scene.at, SCRIPT_POOL_HELD, "me\xff", "[]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "c",
           "[state leased ttl -1 expiry -1 fence # owner me next \"\" why \"\" score 1000 failures "
           "0 breaker closed ...");
    scene_close(&scene);
}
END_TEST

START_TEST(held_leaves_out_what_others_have_ended)
{
    struct scene scene;
    const char *name = "a";
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 60000 r1 \"\" 0 me q", "[[a ...");
    seedpeer_free(&scene.peer, -1, 1, &name);
    expect(&scene.at, SCRIPT_POOL_HELD, "me", "[]");
    expect_batch(&scene.at, "M 1 1 60000 r2 \"\" 0 you \"\"", "[[a #+r2 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_HELD, "me", "[]");
    expect_redis(&scene, "ZCARD p|x|pool|held", "1");
    expect_redis(&scene, "HLEN p|x|pool|requests", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_freed_lease_is_forgotten_everywhere)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M n 2 60000 r1 \"\" 0 me q", "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    redisReply *again = script_batch(&scene.at, "M n 2 60000 r2 \"\" 0 me q");
    ck_assert_uint_eq(again->element[0]->elements, 4); /* what is left of the request */
    ck_assert_str_eq(again->element[0]->element[0]->str, "b");
    freeReplyObject(again);
    expect_batch(&scene.at, "F \"\" \"\" 1 b", "[1]");
    expect_redis(&scene, "EXISTS p|x|pool|held p|x|pool|notes p|x|pool|requests", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(the_same_reqid_gets_the_same_lease)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    redisReply *first = script_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" q");
    redisReply *again =
        script_batch(&scene.at, "M 1 1 0 r2 \"\" 0 \"\" q M 1 1 0 r3 \"\" 0 \"\" q");
    for (int i = 0; i < 2; i++) {
        const redisReply *one = first->element[0], *other = again->element[i];
        ck_assert_str_eq(one->element[1]->str, other->element[1]->str);
        ck_assert_int_eq(one->element[2]->integer, other->element[2]->integer);
        ck_assert_int_eq(other->element[3]->integer, -1);
    }
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a M 1 1 0 r4 \"\" 0 \"\" q", "[1 [b #+r4 # -1]]");
    freeReplyObject(first);
    freeReplyObject(again);
    scene_close(&scene);
}
END_TEST

START_TEST(a_reqid_whose_lease_has_ended_gets_another)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 1000 r1 \"\" 0 \"\" q", "[[a #+r1 # 1000]]");
    scene_do(&scene, "DEL p|x:a");
    expect_batch(&scene.at, "M 1 1 1000 r2 \"\" 0 \"\" q", "[[b #+r2 # 1000]]");
    scene_close(&scene);
}
END_TEST

#define MQ(holder)              "H " holder " M 1 1 0 r \"\" 0 \"\" q "
#define LEAVE(token, holder, w) "G " token " \"\" 1 a " holder " " w

START_TEST(a_lease_of_sessions_ends_when_the_last_of_them_leaves)
{
    struct scene scene;
    char leave[200];
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    redisReply *granted = script_batch(&scene.at, MQ("d:1"));
    const char *token = granted->element[0]->element[1]->str;
    expect_batch(&scene.at, MQ("d:2") MQ("d:1"), "[[a ...");
    for (int i = 0; i < 2; i++) { /* the second time it has left already */
        snprintf(leave, sizeof leave, LEAVE("%s", "d:1", "0"), token);
        expect_batch(&scene.at, leave, "[0]");
    }
    expect_batch(&scene.at, LEAVE("stranger", "d:2", "0"), "[0]");
    snprintf(leave, sizeof leave, LEAVE("%s", "d:2", "1"), token);
    expect_batch(&scene.at, leave, "[0]"); /* will come back */
    expect_batch(&scene.at, MQ("d:3"), "[[a ...");
    snprintf(leave, sizeof leave, LEAVE("%s", "d:3", "0"), token);
    expect_batch(&scene.at, leave, "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    expect_redis(&scene, "EXISTS p|x|pool|notes p|x|pool|requests", "0");
    freeReplyObject(granted);
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_that_somebody_has_without_a_session_is_left_to_its_time)
{
    struct scene scene;
    char leave[200];
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    redisReply *granted = script_batch(&scene.at, MQ("d:1"));
    snprintf(leave, sizeof leave, LEAVE("%s", "d:1", "0"), granted->element[0]->element[1]->str);
    expect_batch(&scene.at, "M 1 1 0 r \"\" 0 \"\" q", "[[a ...");
    expect_batch(&scene.at, leave, "[0]");
    expect_batch(&scene.at, MQ("d:1"), "[[a ...");
    expect_batch(&scene.at, leave, "[0]");
    scene_do(&scene, "DEL p|x|pool|notes");
    expect_batch(&scene.at, leave, "[0]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    freeReplyObject(granted);
    scene_close(&scene);
}
END_TEST

START_TEST(a_session_that_repeats_a_request_gets_its_own_time)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 9000 r1 \"\" 0 \"\" q", "[[a ...");
    expect_batch(&scene.at, "H d:1 M 1 1 60000 r2 \"\" 0 \"\" q", "[[a #+r1 # 60000]]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 9000);
    expect_batch(&scene.at, "H d:1 M 1 1 9000 r2 \"\" 0 \"\" q", "[[a ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 9000);
    scene_close(&scene);
}
END_TEST

START_TEST(a_batch_is_done_once)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r1"), "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 0 exclusive F \"\" \"\" 1 a", "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_BATCH, "E 1 exclusive " M1("r1"), "[[b ...");
    scene_close(&scene);
}
END_TEST

START_TEST(recall_gives_back_what_the_batch_granted)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch(&scene.at, "M n 2 0 r2 \"\" 0 me q " M1("r3"), "[[b ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 c", "[1]"); /* a batch without grants */
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "0"); /* not the last one */
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 2", "2");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c b d]");
    expect(&scene.at, SCRIPT_POOL_HELD, "me", "[]");
    expect_redis(&scene, "EXISTS p|x:a p|x:b p|x:c p|x:d", "1");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 2", "0");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 2 exclusive " M1("r"), "!STALE ...");
    scene_close(&scene);
}
END_TEST

START_TEST(recall_forbids_a_batch_that_comes_later)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 7", "0");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 7 exclusive " M1("r1"), "!STALE ...");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 8 exclusive " M1("r1"), "[[a #-r1 # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(recall_leaves_alone_what_a_repeated_request_has_got)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 1 exclusive M 1 1 0 r1 \"\" 0 \"\" q " M1("r2"),
           "[[a #+r1 # -1] [b #-r2 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_BATCH, "E 1 exclusive M 1 1 0 r3 \"\" 0 \"\" q",
           "[[a #+r1 # -1]]");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "1");
    expect_redis(&scene, "EXISTS p|x:a p|x:b", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(recall_leaves_a_lease_alone_when_its_note_was_deleted)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 1 exclusive M 1 1 0 r1 \"\" 0 \"\" q",
           "[[a #+r1 # -1]]");
    expect(&scene.at, SCRIPT_POOL_BATCH, "E 1 exclusive M 1 1 0 r3 \"\" 0 \"\" q",
           "[[a #+r1 # -1]]");
    scene_do(&scene, "DEL p|x|pool|notes");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "0");
    expect_redis(&scene, "EXISTS p|x:a", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(a_request_that_joins_within_its_own_batch_does_not_bar_the_recall)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" q M 1 1 0 r2 \"\" 0 \"\" q",
                 "[[a #+r1 # -1] [a #+r1 # -1]]");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(recall_does_not_touch_the_next_holder)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect(&scene.at, SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r1"), "[[a ...");
    redisReply *next =
        script_say(&scene.at, SCRIPT_POOL_BATCH, "E 1 exclusive F \"\" \"\" 1 a " M1("r2"));
    ck_assert_uint_eq(next->element[1]->elements, 4);
    next->element[0]->type = REDIS_REPLY_NIL;
    char *token = strdup(next->element[1]->element[1]->str);
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "0");
    char *value = peek_text(scene.at.redis, "GET p|x:a");
    ck_assert_str_eq(value, token);
    free(value);
    free(token);
    freeReplyObject(next);
    scene_close(&scene);
}
END_TEST

START_TEST(recall_of_a_broken_pool_leaves_the_resource_to_the_collector)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool c b||a||-1");
    expect(&scene.at, SCRIPT_POOL_RECALL, "D 1", "1");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[3 3 0 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 3 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(owners_may_hold_any_byte)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    redisReply *reply =
        script_batch(&scene.at, "M 1 1 0 r1 \"\" 0 o\xff \"q\\nq\" "
                                "M 1 1 0 r2 \"\" 0 o \"\" M 1 1 0 r3 \"\" 0 o\x01 \"\"");
    char *token = token_of(reply, 0);
    ck_assert_ptr_nonnull(strstr(token, "+r1"));
    free(token);
    freeReplyObject(reply);
    expect(&scene.at, SCRIPT_POOL_HELD, "o\xff", "[a #+r1 # -1]");
    expect(&scene.at, SCRIPT_POOL_HELD, "o", "[b #+r2 # -1]");
    expect(&scene.at, SCRIPT_POOL_HELD, "o\x01", "[c #+r3 # -1]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {held_lists_what_an_owner_holds,
                                  held_leaves_out_what_others_have_ended,
                                  a_freed_lease_is_forgotten_everywhere,
                                  the_same_reqid_gets_the_same_lease,
                                  a_reqid_whose_lease_has_ended_gets_another,
                                  a_lease_of_sessions_ends_when_the_last_of_them_leaves,
                                  a_lease_that_somebody_has_without_a_session_is_left_to_its_time,
                                  a_session_that_repeats_a_request_gets_its_own_time,
                                  a_batch_is_done_once,
                                  recall_gives_back_what_the_batch_granted,
                                  recall_forbids_a_batch_that_comes_later,
                                  recall_leaves_alone_what_a_repeated_request_has_got,
                                  recall_leaves_a_lease_alone_when_its_note_was_deleted,
                                  a_request_that_joins_within_its_own_batch_does_not_bar_the_recall,
                                  recall_does_not_touch_the_next_holder,
                                  recall_of_a_broken_pool_leaves_the_resource_to_the_collector,
                                  owners_may_hold_any_byte,
                                  NULL};
    return scene_run("request", tests);
}
