/* task_batch: tasks as the scripts see them: submitted, taken, ended, given back, in which order,
 * and who is told. */
#include "tests/lib/tasking.h"
#include <stdlib.h>
#include <string.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
}

#define TAKE "T 1 0 1 q"

START_TEST(a_task_is_submitted_taken_and_ended)
{
    open_scene();
    expect_tasks(&scene, "S a q \"some params\"", "[OK]");
    expect_redis(&scene, "LRANGE p|task-queue|task-queue|q 0 -1", "[a]");
    expect_redis(&scene, "HMGET p|task-queue|task-result:a queue params state attempts",
                 "[q some params waiting nil]");
    expect_tasks(&scene, TAKE " ; " TAKE, "[[[q a some params 1 60000 2.0]] []]");
    expect_redis(&scene, "HMGET p|task-queue|task-result:a state attempts", "[taken 1]");
    expect_redis(&scene, "SMEMBERS p|task-queue|held:D", "[a]");
    expect_redis(&scene, "ZCARD p|task-queue|due", "1");
    expect_redis(&scene, "HGET p|task-queue|queue|q taken", "1");
    expect_tasks(&scene, "G a 0 ; E a 2.0 answer ; G a 0", "[W W [D answer]]");
    expect_redis(&scene, "HGET p|task-queue|queue|q taken", "0");
    expect_redis(&scene, "EXISTS p|task-queue|held:D p|task-queue|due", "0");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|task-queue|task-result:a"), 50000);
    expect_redis(&scene, "SMEMBERS p|task-queue|queues", "[q]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(the_same_id_joins_or_gets_the_kept_result)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 3 \"0 0 0 0\" 0 0 1 0 9 \"\" ; S a q x", "[W OK]");
    expect_redis(&scene, "LLEN p|task-queue|task-queue|q", "1");
    expect_tasks_of(&scene, "E", 1, "S a q x 60000 3 \"0 0 0 0\" 0 0 1 0 9 \"\"", "[W]");
    expect_redis(&scene, "HGET p|task-queue|task-result:a waiters", "D E");
    expect_tasks(&scene, "S a r x", "[!ERR this id is a task of queue 'q']");
    expect_tasks(&scene, TAKE, "[[[q a x 1 60000 3.0]]]");
    expect_tasks(&scene, "E a 3.0 r", "[W]");
    expect_tasks(&scene, "S a q x 60000 3 \"0 0 0 0\" 0 0 1 0 9 \"\" ; S a q x", "[[D r] OK]");
    /* ONCE drops what it gives */
    expect_tasks(&scene, "S a q x 60000 3 \"0 0 0 0\" 0 0 1 1 9 \"\" ; G a 1", "[[D r] [N]]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(higher_priorities_come_first_then_those_that_came_first)
{
    open_scene();
    expect_tasks(&scene,
                 "S low1 q x 0 3 - -5 ; S n1 q x ; S hi1 q x 0 3 - 9 ; S n2 q x ; S low2 q x 0 3 - "
                 "-5 ; S hi2 q x 0 3 - 9 ; S top q x 0 3 - 10",
                 "[OK OK OK OK OK OK OK]");
    redisReply *reply = tasking_batch(&scene, "T 1 0 10 q");
    const char *const order[] = {"top", "hi1", "hi2", "n1", "n2", "low1", "low2"};
    ck_assert_uint_eq(reply->element[0]->elements, 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_str_eq(reply->element[0]->element[i]->element[1]->str, order[i]);
    freeReplyObject(reply);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_batch_of_producers_and_workers_hands_over_within_one_call)
{
    open_scene();
    expect_tasks(&scene, "S a q 1 ; S b r 2 ; T 1 0 5 q r ; T 2 0 1 q",
                 "[OK OK [[q a 1 1 60000 1.0] [r b 2 1 60000 1.2]] []]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(only_its_ticket_ends_a_task)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    expect_tasks_of(&scene, "E", 1, "E a 1.0 theft", "[!NOTOWNER ...");
    expect_tasks(&scene, "E a 1.1 r ; F a 7.0 x -1 ; P a 9.9 1 2 ; B a 4.0 x ; E nobody 1.0 r",
                 "[!NOTOWNER this connection has not taken the task, or has lost it !NOTOWNER "
                 "this connection has not taken the task, or has lost it !NOTOWNER this "
                 "connection has not taken the task, or has lost it 0 !NOTOWNER this connection "
                 "has not taken the task, or has lost it]");
    expect_tasks(&scene, "P a 1.0 3 7 ; E a 1.0 r ; E a 1.0 again ; P a 1.0 1 1",
                 "[OK OK OK !NOT...");
    expect_redis(&scene, "HMGET p|task-queue|task-result:a result current total", "[r 3 7]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_is_given_back_goes_back_to_its_queue_and_then_to_the_dead)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 1 ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    expect_tasks(&scene, "B a 1.0 \"it left\" ; E a 1.0 late", "[1 !NOTOWNER...");
    expect_redis(&scene, "HMGET p|task-queue|task-result:a state error", "[waiting it left]");
    expect_tasks(&scene, TAKE, "[[[q a x 2 60000 3.0]]]");
    expect_tasks(&scene, "B a 3.0 \"left too\" ; " TAKE " ; G a 1", "[1 [] [F left too]]");
    expect_redis(&scene, "ZRANGE p|task-queue|dead|q 0 -1", "[a]");
    expect_redis(&scene, "HGET p|task-queue|queue|q taken", "0");
    expect_redis(&scene, "PTTL p|task-queue|task-result:a", "-1");
    redisReply *dead = tasking_call(&scene, SCRIPT_TASK_QUEUE_DEAD, "dead|q", "p|task-queue 9");
    ck_assert_str_eq(dead->element[0]->element[1]->str, "left too");
    freeReplyObject(dead);
    expect_script(&scene, SCRIPT_TASK_QUEUE_KICK, "dead|q", "p|task-queue q 5", "1");
    expect_tasks(&scene, TAKE, "[[[q a x 3 60000 5.0]]]");
    expect_tasks(&scene, "B a 5.0 x ; " TAKE, "[1 [[q a x 4 60000 6.0]]]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_nobody_has_seen_is_no_attempt)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 0 ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    expect_tasks(&scene, "B a 1.0 \"\" ; " TAKE, "[1 [[q a x 1 60000 2.0]]]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(failures_are_final_or_ask_for_another_attempt)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; S b q x ; T 1 0 2 q",
                 "[OK OK [[q a x 1 60000 1.0] [q b x 1 60000 1.2]]]");
    expect_tasks(&scene, "F a 1.0 \"no good\" -1 ; F b 1.2 later 5000", "[OK OK]");
    expect_tasks(&scene, "G a 0 ; G b 0 ; " TAKE, "[[F no good] W []]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|task-queue|task-result:a"), 50000);
    expect_redis(&scene, "HGET p|task-queue|task-result:b state", "delayed");
    expect_tend(&scene, "D", "[1 0 ...");
    tasking_skip(&scene, 5001);
    expect_tend(&scene, "D", "[1 1 ...");
    expect_tasks(&scene, TAKE, "[[[q b x 2 60000 4.0]]]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(delays_and_deadlines_are_tended_by_one_daemon)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 3 - 0 20000 ; " TAKE, "[OK []]");
    expect_tasks(&scene, "S b q y 1000 3 ; " TAKE, "[OK [[q b y 1 1000 2.0]]]");
    expect_tend(&scene, "D", "[1 0 ...");
    expect_tend(&scene, "E", "[0 0 -1 0]");
    tasking_skip(&scene, 1001);
    expect_tend(&scene, "D", "[1 1 ...");
    expect_tasks(&scene, "P b 2.0 1 2 ; E b 2.0 r",
                 "[!TIMEOUT the task's time has run out !NOTOWNER...");
    expect_tasks(&scene, TAKE " ; " TAKE, "[[[q b y 2 1000 4.0]] []]");
    tasking_skip(&scene, 20000);
    expect_tend(&scene, "D", "[1 2 -1 0 ...");
    expect_redis(&scene, "LRANGE p|task-queue|task-queue|q 0 -1", "[b a]");
    expect_redis(&scene, "ZCARD p|task-queue|delayed|q", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(daemons_rest_only_while_nothing_is_there)
{
    open_scene();
    expect_idle_tend(&scene, "E", "[0 0 -1 1]");
    ck_assert_int_eq(peek_int(scene.at.redis, "DBSIZE"), 0); /* it leaves nothing */
    expect_tasks(&scene, "S a q x ; T 1 0 1 q", "[OK [[q a x 1 60000 1.0]]]");
    expect_redis(&scene, "EXISTS p|task-queue|awake", "1"); /* all were told */
    expect_idle_tend(&scene, "E", "[1 0 ...");
    expect_idle_tend(&scene, "D", "[0 0 -1 0]");
    expect_tasks(&scene, "E a 1.0 r ; S b q y 0 ; T 1 0 1 q", "[OK OK [[q b y 1 -1 2.0]]]");
    expect_idle_tend(&scene, "E", "[1 0 -1 0 ..."); /* b has no deadline, but D could die */
    expect_tasks(&scene, "E b 2.0 r", "[OK]");
    expect_tend(&scene, "E", "[1 0 -1 0 ...");
    expect_idle_tend(&scene, "D", "[0 0 -1 1]");
    expect_idle_tend(&scene, "E", "[0 0 -1 1]");
    expect_tasks(&scene, "S c q x 60000 3 - 0 20000", "[OK]");
    expect_redis(&scene, "EXISTS p|task-queue|awake", "1");
    expect_idle_tend(&scene, "E", "[1 0 ...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_cron_moves_on_and_submits_once)
{
    open_scene();
    expect_script(&scene, SCRIPT_TASK_CRON, "crons queues \"cron|q tick\"",
                  "p|task-queue q tick @daily hello once 60000 3 0 1", "OK");
    expect_script(&scene, SCRIPT_TASK_CRON, "crons queues \"cron|q tock\"",
                  "p|task-queue q tock @daily hello once 60000 3 0 1", "!BUSY ...");
    expect_redis(&scene, "ZCOUNT p|task-queue|crons -inf (0", "1"); /* it is new */
    expect_tasks(&scene, "C \"q tick\" 0 5000 0", "[0]");
    peek_do(scene.at.redis, "ZADD p|task-queue|crons 5000 %s", "q tick");
    expect_tasks(&scene, "C \"q tick\" 4000 9000 1 ; S a q x ; C \"q tick\" 5000 6000 1 ; S b q x",
                 "[0 OK]");
    expect_tasks(&scene, "C \"q tick\" 5000 6000 1 ; S b q x ; " TAKE " ; " TAKE,
                 "[0 [[q b x 1 60000 3.0]] []]");
    expect_script(&scene, SCRIPT_TASK_CRONS, "crons", "p|task-queue q",
                  "[[tick @daily hello once 6000]]");
    expect_tasks(&scene, "C \"q tick\" 6000 -1 0", "[0]");
    expect_redis(&scene, "ZSCORE p|task-queue|crons \"q tick\"", "inf");
    expect_idle_tend(&scene, "D", "[1 0 ..."); /* it is there, and may be changed */
    expect_script(&scene, SCRIPT_TASK_UNCRON, "crons \"cron|q tick\"", "p|task-queue q tick", "1");
    expect_script(&scene, SCRIPT_TASK_UNCRON, "crons \"cron|q tick\"", "p|task-queue q tick", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(later_attempts_come_after_a_backoff)
{
    open_scene();
    long long least[] = {0, 990, 1990, 2990}; /* the fourth would be 4000: most is 3000 */
    expect_tasks(&scene, "S a q x 0 9 \"1000 3000 0 1\"", "[OK]");
    for (int i = 0; i < 4; i++) {
        redisReply *reply = tasking_batch(&scene, TAKE);
        char words[100];
        ck_assert_uint_eq(reply->element[0]->elements, 1);
        snprintf(words, sizeof words, "B a %s x", reply->element[0]->element[0]->element[5]->str);
        freeReplyObject(reply);
        expect_tasks(&scene, words, "[1]");
        reply = tasking_tend(&scene, "D", false);
        long long wait = reply->element[2]->integer;
        freeReplyObject(reply);
        if (least[i] == 0) {
            ck_assert_int_eq(wait, -1);
            continue;
        }
        ck_assert(wait >= least[i] - 200 && wait <= least[i] + 10);
        tasking_skip(&scene, 5000);
        expect_tend(&scene, "D", "[1 1 -1 0 ...");
    }
    scene_close_broken(&scene);
}
END_TEST

START_TEST(tasks_of_a_dead_daemon_return)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; S b q x ; " TAKE, "[OK OK [[q a x 1 60000 1.0]]]");
    /* one that waits for the workers of D alone */
    expect_tasks(&scene, "S c q x 60000 3 - 0 0 0 0 9 D", "[OK]");
    expect_redis(&scene, "LRANGE p|task-queue|task-queue|q@D 0 -1", "[c]");
    tasking_skip(&scene, 10001);
    expect_tend(&scene, "E", "[1 ...");
    expect_redis(&scene, "LLEN p|task-queue|task-queue|q", "3");
    expect_redis(&scene, "LINDEX p|task-queue|task-queue|q 0", "b");
    expect_redis(&scene, "HEXISTS p|task-queue|task-result:c only", "0");
    expect_redis(&scene, "EXISTS p|task-queue|held:D", "0");
    expect_redis(&scene, "ZRANGE p|task-queue|daemons 0 -1", "[E]");
    expect_tasks(&scene, "E a 1.0 late", "[!NOTOWNER...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_task_of_its_own_workers_is_taken_by_them_alone)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 3 - 0 0 0 0 9 D ; " TAKE, "[OK []]");
    expect_tasks(&scene, "T 1 1 1 q@ q", "[[[q a x 1 60000 2.0]]]");
    expect_tasks(&scene, "B a 2.0 x ; " TAKE " ; T 1 0 1 q@", "[1 [] [[q a x 2 60000 3.0]]]");
    expect_tasks(&scene, "E a 3.0 r", "[OK]");
    expect_redis(&scene, "EXISTS p|task-queue|held:D", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(auto_goes_where_somebody_listens)
{
    open_scene();
    expect_tasks(&scene, "A a q x 60000 3 - 0 0 1 0 9 0",
                 "[!NOWORKER nobody listens to this queue]");
    expect_redis(&scene, "EXISTS p|task-queue|task-result:a", "0");
    expect_tasks(&scene, "A a q x 60000 3 - 0 0 1 0 9 1", "[W]");
    expect_redis(&scene, "LLEN p|task-queue|task-queue|q@D", "1");
    expect_tasks(&scene, "K q 5000 ; A b q x 60000 3 - 0 0 1 0 9 1", "[0 W]");
    expect_redis(&scene, "LLEN p|task-queue|task-queue|q", "1");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_full_queue_is_busy)
{
    open_scene();
    expect_tasks(&scene,
                 "S a q x 0 3 - 0 0 0 0 3 ; S b q x 0 3 - 5 0 0 0 3 ; S c q x 0 3 - 0 9000 0 0 3 ; "
                 "S d q x 0 3 - 0 0 0 0 3 ; S a q x 0 3 - 0 0 0 0 3",
                 "[OK OK OK !BUSY 3 tasks wait in this queue already OK]");
    expect_redis(&scene, "EXISTS p|task-queue|task-result:d", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_paused_queue_gives_nothing_until_it_is_resumed)
{
    open_scene();
    const char *keys = "task-queue|q ranked|q queue|q waiting|q";
    expect_script(&scene, SCRIPT_TASK_QUEUE_PAUSE, keys, "p|task-queue q 1", "OK");
    expect_tasks(&scene, "S a q x ; " TAKE, "[OK []]");
    expect_script(&scene, SCRIPT_TASK_QUEUE_PAUSE, keys, "p|task-queue q 0", "OK");
    expect_tasks(&scene, TAKE, "[[[q a x 1 60000 2.0]]]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_lost_take_is_given_back_and_forbidden_to_happen_later)
{
    open_scene();
    expect_tasks(&scene, "S a q x 60000 0 ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    script_expect(tasking_recall(&scene, "D", 1), "1", __FILE__, __LINE__);
    script_expect(tasking_recall(&scene, "D", 1), "0", __FILE__, __LINE__);
    expect_redis(&scene, "HMGET p|task-queue|task-result:a state attempts", "[waiting 0]");
    expect_tasks_of(&scene, "D", 1, TAKE, "!STALE ...");
    expect_tasks_of(&scene, "D", 2, "E a 1.0 r ; " TAKE, "[!NOTOWNER...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(cancelled_tasks_are_gone_wherever_they_were)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    expect_tasks(&scene, "S w q x ; S d q x 0 3 - 0 9000 ; S p q x 0 3 - 4", "[OK OK OK]");
    const char *const ids[] = {"a", "w", "d", "p"};
    for (int i = 0; i < 4; i++) {
        char keys[60], words[60];
        snprintf(keys, sizeof keys, "due task-result:%s", ids[i]);
        snprintf(words, sizeof words, "%s p|task-queue", ids[i]);
        expect_script(&scene, SCRIPT_TASK_CANCEL, keys, words, "1");
        expect_script(&scene, SCRIPT_TASK_CANCEL, keys, words, "0");
    }
    expect_redis(&scene, "KEYS *task-result*", "[]");
    expect_redis(&scene,
                 "EXISTS p|task-queue|task-queue|q p|task-queue|ranked|q p|task-queue|due "
                 "p|task-queue|delayed|q p|task-queue|held:D",
                 "0");
    expect_tasks(&scene, "E a 1.0 r ; G a 0 ; O w a", "[!NOTOWNER...");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_purge_leaves_what_is_taken)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; " TAKE, "[OK [[q a x 1 60000 1.0]]]");
    expect_tasks(&scene, "S w q x ; S d q x 0 3 - 0 9000 ; S p q x 0 3 - 4", "[OK OK OK]");
    const char *keys = "due daemons task-queue|q ranked|q delayed|q";
    expect_script(&scene, SCRIPT_TASK_QUEUE_PURGE, keys, "p|task-queue 2", "[2 1]");
    expect_script(&scene, SCRIPT_TASK_QUEUE_PURGE, keys, "p|task-queue 2", "[1 0]");
    expect_redis(&scene, "KEYS *task-result*", "[p|task-queue|task-result:a]");
    expect_redis(&scene, "ZRANGE p|task-queue|due 0 -1", "[a]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_queue_tells_how_it_is_and_what_is_next)
{
    open_scene();
    expect_tasks(&scene, "S a q 1 ; S b q 2 ; S c q 3 0 3 - 7 ; S d q 4 0 3 - 0 5000 ; T 1 0 1 q",
                 "[OK OK OK OK [[q c 3 1 -1 1.0]]]");
    expect_script(&scene, SCRIPT_TASK_QUEUE_INFO,
                  "daemons task-queue|q ranked|q queue|q waiting|q task-listen|q delayed|q dead|q",
                  "", "[2 1 1 0 0 0 0 0]");
    expect_tasks(&scene, "S e q 5 0 3 - 2 ; S f q 6 0 3 - -2", "[OK OK]");
    redisReply *reply = tasking_call(&scene, SCRIPT_TASK_QUEUE_PEEK,
                                     "daemons task-queue|q ranked|q", "p|task-queue 3");
    const char *const next[] = {"e", "a", "b"};
    ck_assert_uint_eq(reply->elements, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(reply->element[i]->element[0]->str, next[i]);
    freeReplyObject(reply);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(tasks_for_one_daemons_own_workers_are_seen_and_purged)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; S b q x 0 3 - 0 0 0 0 9 D ; S c q x 0 3 - 2 0 0 0 9 D",
                 "[OK OK OK]");
    expect_tasks_of(&scene, "E", 1, "S e q x 0 3 - 0 0 0 0 9 E ; S f q x 0 3 - 0 9000 0 0 9 E",
                    "[OK OK]");
    expect_script(&scene, SCRIPT_TASK_QUEUE_INFO,
                  "daemons task-queue|q ranked|q queue|q waiting|q task-listen|q delayed|q dead|q",
                  "", "[4 1 0 0 0 0 0 3]");
    redisReply *reply = tasking_call(&scene, SCRIPT_TASK_QUEUE_PEEK,
                                     "daemons task-queue|q ranked|q", "p|task-queue 9");
    const char *const next[] = {"a", "c", "b", "e"};
    ck_assert_uint_eq(reply->elements, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(reply->element[i]->element[0]->str, next[i]);
    freeReplyObject(reply);
    const char *keys = "due daemons task-queue|q ranked|q delayed|q";
    expect_script(&scene, SCRIPT_TASK_QUEUE_PURGE, keys, "p|task-queue 3", "[3 1]");
    expect_script(&scene, SCRIPT_TASK_QUEUE_PURGE, keys, "p|task-queue 3", "[2 0]");
    expect_redis(&scene, "KEYS *task-result*", "[]");
    expect_redis(&scene, "EXISTS p|task-queue|held:D p|task-queue|held:E p|task-queue|due", "0");
    scene_close_broken(&scene);
}
END_TEST

static void expect_queues(const char *names)
{
    expect_script(&scene, SCRIPT_TASK_QUEUE_LIST, "queues crons daemons", "p|task-queue 100",
                  names);
}

START_TEST(a_queue_is_forgotten_when_nothing_is_left_of_it)
{
    open_scene();
    expect_tasks(&scene, "S a q x", "[OK]");
    expect_queues("[q]"); /* it waits */
    expect_tasks(&scene, TAKE, "[[[q a x 1 60000 2.0]]]");
    expect_queues("[q]"); /* it is taken */
    expect_tasks(&scene, "E a 2.0 r", "[OK]");
    expect_queues("[q]"); /* its result is kept */
    expect_redis(&scene, "DEL p|task-queue|task-result:a p|task-queue|kept|q", "2");
    expect_redis(&scene, "ZADD p|task-queue|crons 5 \"q nightly\"", "1");
    expect_queues("[q]");
    expect_redis(&scene, "DEL p|task-queue|crons", "1");
    expect_redis(&scene, "HSET p|task-queue|queue|q paused 1", "1");
    expect_queues("[q]");
    expect_redis(&scene, "HDEL p|task-queue|queue|q paused", "1");
    expect_tasks(&scene, "K q 5000", "[0]");
    expect_queues("[q]");
    expect_redis(&scene, "DEL p|task-queue|task-listen|q", "1");
    expect_tasks(&scene, "S o q x 0 3 - 0 0 0 0 9 D", "[OK]"); /* for D's workers alone */
    expect_queues("[q]");
    expect_tasks(&scene, "T 1 0 1 q@", "[[[q o x 1 -1 6.0]]]");
    expect_tasks(&scene, "E o 6.0 r", "[OK]");
    expect_redis(&scene, "DEL p|task-queue|task-result:o p|task-queue|kept|q", "2");
    expect_queues("[]");
    expect_redis(&scene, "KEYS *q*queue*|q", "[]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(the_leader_forgets_queues_of_which_nothing_is_left)
{
    open_scene();
    expect_tasks(&scene, "S a q x ; S b r x", "[OK OK]");
    expect_redis(&scene, "DEL p|task-queue|task-result:b p|task-queue|task-queue|r", "2");
    expect_tend(&scene, "D", "[1 0 -1 0 ...");
    expect_redis(&scene, "SMEMBERS p|task-queue|queues", "[q]");
    scene_close_broken(&scene);
}
END_TEST

/* --- who is told -------------------------------------------------------------------------------
 */

/* The message that a subscriber of D's channel hears next. */
static redisContext *hear(const char *daemon)
{
    redisContext *context = server_connect(&scene.server);
    redisReply *reply = redisCommand(context, "SUBSCRIBE p|task-queue|channel:%s", daemon);
    ck_assert_ptr_nonnull(reply);
    freeReplyObject(reply);
    return context;
}

static void expect_heard(redisContext *context, const char *items)
{
    redisReply *reply = NULL;
    char text[200];
    ck_assert_int_eq(redisGetReply(context, (void **)&reply), REDIS_OK);
    size_t len = reply->element[2]->len;
    ck_assert_uint_lt(len, sizeof text);
    for (size_t i = 0; i < len; i++)
        text[i] = reply->element[2]->str[i] == '\0' ? ';' : reply->element[2]->str[i];
    text[len] = '\0';
    ck_assert_str_eq(text, items);
    freeReplyObject(reply);
}

START_TEST(one_worker_is_woken_for_each_task_those_of_dead_daemons_are_passed_over)
{
    open_scene();
    redisContext *d = hear("D");
    expect_tasks_of(&scene, "dead", 1, "T 8 1 1 q ; T 9 1 1 q", "[[] []]");
    expect_tasks(&scene, "T 1 1 1 q r ; T 2 1 1 q ; T 3 1 1 q", "[[] [] []]");
    expect_redis(&scene, "ZCARD p|task-queue|waiting|q", "5");
    expect_tasks(&scene, "S a q x ; S b q x", "[OK OK]");
    expect_heard(d, "W1 q;W2 q;");
    expect_redis(&scene, "ZRANGE p|task-queue|waiting|q 0 -1", "[3 D]");
    /* what it takes ends its waiting everywhere; who finds nothing waits on */
    expect_tasks(&scene, "T 1 2 1 q r ; T 2 2 1 q ; T 4 2 1 q", "[[[q ...");
    expect_redis(&scene, "EXISTS p|task-queue|waiting|r", "0");
    expect_redis(&scene, "ZRANGE p|task-queue|waiting|q 0 -1", "[3 D 4 D]");
    expect_tasks(&scene, "U 3 q ; U 4 q r", "[OK OK]");
    expect_redis(&scene, "EXISTS p|task-queue|waiting|q", "0");
    redisFree(d);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(askers_hear_of_the_end_and_own_workers_of_their_tasks)
{
    open_scene();
    redisContext *d = hear("D");
    expect_tasks(&scene, "S a q x 60000 0 - 0 0 1 0 9 D", "[W]");
    expect_heard(d, "Lq;");
    expect_tasks(&scene, "T 1 0 1 q@", "[[[q a x 1 60000 2.0]]]");
    expect_tasks(&scene, "E a 2.0 r", "[W]"); /* told by the answer */
    expect_tasks_of(&scene, "E", 1, "S c q x 60000 0 - 0 0 1 0 9 \"\"", "[W]");
    expect_tasks(&scene, "S c q x 60000 0 - 0 0 1 0 9 \"\"", "[W]");
    expect_tasks_of(&scene, "E", 2, TAKE, "[[[q c x 1 60000 2.0]]]");
    expect_tasks_of(&scene, "E", 3, "F c 2.0 bad -1", "[W]");
    expect_heard(d, "Rc;");
    expect_tasks(&scene, "S b q x 60000 0 - 0 0 1 0 9 \"\" ; " TAKE, "[W [[q b x 1 60000 5.0]]]");
    expect_tasks(&scene, "B b 5.0 x", "[1]");
    expect_heard(d, "Rb;");
    redisFree(d);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_was_not_handed_on_is_handed_on_when_somebody_looks)
{
    open_scene();
    redisContext *d = hear("D");
    expect_tasks(&scene, "S a q x", "[OK]");
    scene_do(&scene, "ZADD p|task-queue|waiting|q 1 \"7 D\"");
    expect_tasks(&scene, "K q 5000", "[1]");
    expect_heard(d, "W7 q;");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|task-queue|task-listen|q"), 4000);
    redisFree(d);
    scene_close_broken(&scene);
}
END_TEST

START_TEST(keys_of_other_types_hurt_nobody_else)
{
    open_scene();
    scene_do(&scene, "SET p|task-queue|task-result:py pickled");
    scene_do(&scene, "RPUSH p|task-queue|task-queue|q py ghost");
    expect_tasks(&scene, "S py q x ; S a q x ; E py 1.0 r ; G py 0 ; O py a ; " TAKE,
                 "[!WRONGTYPE Operation against a key holding the wrong kind of value OK "
                 "!NOTOWNER...");
    expect_redis(&scene, "HGET p|task-queue|task-result:a state", "taken");
    scene_do(&scene, "SET p|task-queue|task-queue|odd x");
    expect_tasks(&scene, "S b odd x ; S c r x ; T 1 0 1 odd",
                 "[!WRONGTYPE Operation against a key holding the wrong kind of value OK []]");
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    return scene_run("task_batch",
                     (const TTest *const[]){
                         a_task_is_submitted_taken_and_ended,
                         the_same_id_joins_or_gets_the_kept_result,
                         higher_priorities_come_first_then_those_that_came_first,
                         a_batch_of_producers_and_workers_hands_over_within_one_call,
                         only_its_ticket_ends_a_task,
                         what_is_given_back_goes_back_to_its_queue_and_then_to_the_dead,
                         what_nobody_has_seen_is_no_attempt,
                         failures_are_final_or_ask_for_another_attempt,
                         delays_and_deadlines_are_tended_by_one_daemon,
                         daemons_rest_only_while_nothing_is_there,
                         a_cron_moves_on_and_submits_once,
                         later_attempts_come_after_a_backoff,
                         tasks_of_a_dead_daemon_return,
                         a_task_of_its_own_workers_is_taken_by_them_alone,
                         auto_goes_where_somebody_listens,
                         a_full_queue_is_busy,
                         a_paused_queue_gives_nothing_until_it_is_resumed,
                         a_lost_take_is_given_back_and_forbidden_to_happen_later,
                         cancelled_tasks_are_gone_wherever_they_were,
                         a_purge_leaves_what_is_taken,
                         a_queue_tells_how_it_is_and_what_is_next,
                         tasks_for_one_daemons_own_workers_are_seen_and_purged,
                         a_queue_is_forgotten_when_nothing_is_left_of_it,
                         the_leader_forgets_queues_of_which_nothing_is_left,
                         one_worker_is_woken_for_each_task_those_of_dead_daemons_are_passed_over,
                         askers_hear_of_the_end_and_own_workers_of_their_tasks,
                         what_was_not_handed_on_is_handed_on_when_somebody_looks,
                         keys_of_other_types_hurt_nobody_else,
                         NULL});
}
