/* collect: gc: what is due, the sweep, who leads. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

START_TEST(gc_takes_back_what_is_due)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") "M 1 1 60000 r2 \"\" 0 me q " M1("r3"), "[[a ...");
    scene_do(&scene, "DEL p|x:a p|x:b");
    scene_do(&scene, "ZADD p|x|pool|leases 2 a 1 b");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 1 0", "[1 0 1 0 0 0 1 3 2 -2 \"\"]");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 1 0 0 0 0 3 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    expect_redis(&scene, "EXISTS p|x|pool|held p|x|pool|notes p|x|pool|requests", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(gc_lets_what_expired_while_leased_leave)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool a #ALLOCATED||#ALLOCATED||1 b ||||1");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 2 0 1 0 0 0 1 ...");
    expect_redis(&scene, "HKEYS p|x|pool", "[a]"); /* its lease runs to its end */
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 1 0 0 0 0 -1 -2 \"\"]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_renewal_by_others_moves_the_deadline)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    seedpeer_update(&scene.peer, "a", 100);
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 0 0 0 0 1 # ...");
    ck_assert_int_eq(peek_int(scene.at.redis, "ZCOUNT p|x|pool|leases 2 +inf"), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_finds_what_others_have_left)
{
    struct scene scene;
    scene_open(&scene, NULL);
    const char *freed = "c";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    free(seedpeer_malloc(&scene.peer, 100, "", 0)); /* a: in no index */
    free(seedpeer_malloc(&scene.peer, 100, "", 0)); /* b: whose lease ends */
    scene_do(&scene, "DEL p|x:b");
    expect_batch(&scene.at, "M 1 1 0 r \"\" 0 me q", "[[c ...");
    seedpeer_free(&scene.peer, -1, 1, &freed); /* stays in our index */
    seedpeer_update(&scene.peer, "d", 100);    /* free and locked */
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 1 0 1 0 0 4 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c b]");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "2");
    expect_redis(&scene, "EXISTS p|x|pool|held p|x|pool|notes p|x|pool|requests", "0");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[4 2 2]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_counts_out_what_a_python_program_took_out)
{
    struct scene scene;
    const char *gone = "a";
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    seedpeer_shrink(&scene.peer, 1, &gone);
    expect_redis(&scene, "ZCARD p|x|pool|leases", "1"); /* it does not tell */
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 1 0 0 0 0 0 1 ...");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "0");
    expect_redis(&scene, "ZRANGE p|x|pool|departed 0 -1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_has_departed_is_collected_at_its_deadline)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 me q", "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|departed 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 0 0 0 0 1 -1 -2 \"\"]");
    expect_redis(&scene, "EXISTS p|x|pool|departed p|x|pool|notes p|x|pool|requests", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_forgets_strangers_whose_lease_is_gone)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 me \"\" M 1 1 0 r2 \"\" 0 me \"\"", "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a b", "2");
    scene_do(&scene, "DEL p|x:a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 0 0 0 0 0 0 0 -1 -2 \"\"]");
    expect_redis(&scene, "ZRANGE p|x|pool|departed 0 -1", "[b]");
    expect_redis(&scene, "HKEYS p|x|pool|notes", "[b]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_goes_on_where_it_stopped_and_meets_all)
{
    struct scene scene;
    long swept = 0;
    scene_open(&scene, "hash-max-listpack-entries 0");
    freeReplyObject(peek(scene.at.redis, "EVAL %s 1 p|x",
                         "for i = 1, 500 do redis.call('HSET', KEYS[1] .. '|pool', 'r' .. i, "
                         "'#ALLOCATED||#ALLOCATED||-1') end"));
    for (int i = 0; i < 1000 && swept < 500; i++) {
        redisReply *reply = script_say(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 20");
        ck_assert_int_lt(reply->element[1]->integer, 60);
        swept += reply->element[2]->integer;
        freeReplyObject(reply);
    }
    ck_assert_int_eq(swept, 500);
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[500 500 0]");
    scene_do(&scene, "SET p|x|pool|gc_cursor rubbish");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 1000", "[1 500 0 0 0 0 0 500 -1 -2 \"\"]");
    scene_close(&scene);
}
END_TEST

START_TEST(one_daemon_leads_until_its_time_is_up)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    scene_do(&scene, "SET p|x|pool|leader E PX 50000");
    expect(&scene.at, SCRIPT_POOL_GC, "D 5000 100 100", "[0 0 0 0 0 0 1 1 1 ...");
    expect_redis(&scene, "GET p|x|pool|leader", "E");
    scene_do(&scene, "DEL p|x|pool|leader");
    expect(&scene.at, SCRIPT_POOL_GC, "D 5000 100 100", "[1 1 1 0 0 0 0 1 -1 ...");
    expect_redis(&scene, "GET p|x|pool|leader", "D");
    expect(&scene.at, SCRIPT_POOL_GC, "D 50000 100 0", "[1 0 0 0 0 0 0 1 -1 ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x|pool|leader"), 5000);
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 1 ..."); /* asked by a person */
    expect_redis(&scene, "GET p|x|pool|leader", "D");
    scene_close(&scene);
}
END_TEST

START_TEST(collecting_a_pool_that_is_not_there_leaves_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 0 0 0 0 0 0 0 -1 -2 \"\"]");
    expect_redis(&scene, "DBSIZE", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(small_pools_become_tables)
{
    struct scene scene;
    char names[200] = "-1", operations[2000] = "";
    scene_open(&scene, NULL);
    for (int i = 0; i < 20; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " n%d", i);
    for (int i = 0; i < 17; i++)
        strcat(operations, M1("r"));
    expect(&scene.at, SCRIPT_POOL_EXTEND, names, "20");
    expect_batch(&scene.at, operations, "[[n0 ...");
    expect_redis(&scene, "OBJECT ENCODING p|x|pool", "listpack");
    expect_redis(&scene, "OBJECT ENCODING p|x|pool|leases", "listpack");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 10 0", "[1 0 0 0 0 0 0 20 ...");
    expect_redis(&scene, "OBJECT ENCODING p|x|pool", "hashtable");
    expect_redis(&scene, "OBJECT ENCODING p|x|pool|leases", "skiplist");
    expect_redis(&scene, "HLEN p|x|pool", "20");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "17");
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_sees_ends_that_no_entry_leads_to)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    scene_do(&scene, "HDEL p|x|pool a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 0 0 0 0 1 ...");
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[0 0 0 1]");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 0 0 0 0 0 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(journals_of_daemons_long_gone_are_dropped)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    freeReplyObject(peek(scene.at.redis, "HSET p|x|pool|journal old %b", "7\0001000", (size_t)6));
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 ...");
    expect_redis(&scene, "HKEYS p|x|pool|journal", "[fence D]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gc_takes_back_what_is_due,
                                  gc_lets_what_expired_while_leased_leave,
                                  a_renewal_by_others_moves_the_deadline,
                                  the_sweep_finds_what_others_have_left,
                                  the_sweep_counts_out_what_a_python_program_took_out,
                                  what_has_departed_is_collected_at_its_deadline,
                                  the_sweep_forgets_strangers_whose_lease_is_gone,
                                  the_sweep_goes_on_where_it_stopped_and_meets_all,
                                  one_daemon_leads_until_its_time_is_up,
                                  collecting_a_pool_that_is_not_there_leaves_nothing,
                                  small_pools_become_tables,
                                  the_sweep_sees_ends_that_no_entry_leads_to,
                                  journals_of_daemons_long_gone_are_dropped,
                                  NULL};
    return scene_run("collect", tests);
}
