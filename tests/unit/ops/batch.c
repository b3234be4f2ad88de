/* batch: every rule of ops/batch.h, against a Redis that does what the test says. */
#include "ops/batch.h"
#include "tests/unit/played.h"

/* --- what stands around
 * --------------------------------------------------------------------------- */

struct ended {
    struct op op; /* first */
    struct str args[1];
    const char *name;
    int times;
    bool is_err;
    struct err err;
    char answer[64];
};

static struct batches batches;
static struct lane lane;
static struct ended ops[80];
static char recalled[64];
static int wakes;
static struct err err;

static void give_keys(void *owner, const struct script *script, struct str *keys)
{
    (void)owner;
    for (int i = 0; i < script->key_count; i++)
        keys[i] = STR("key");
}

static void give_head(void *owner, struct words *args)
{
    words_put(args, str_of(owner));
}

static void note_recalled(void *owner, const struct answer *answer)
{
    snprintf(recalled, sizeof recalled, "%s %d", (char *)owner, (int)answer_int(answer, -1));
}

/* Only where all begin with "one" there is a cheaper script. */
static enum script_id pack_ones(void *owner, struct op *const *all, size_t count,
                                struct words *args)
{
    (void)owner;
    words_put_int(args, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(all[i]->args[0], STR("one")))
            return SCRIPT_NONE;
        words_put(args, all[i]->args[0]);
    }
    return SCRIPT_POOL_PLAIN;
}

static const struct lane_rules rules = {
    .batch_script = SCRIPT_POOL_BATCH,
    .recall_script = SCRIPT_POOL_RECALL,
    .keys = give_keys,
    .head = give_head,
    .pack = pack_ones,
    .recalled = note_recalled,
};

static char lane_name[] = "mode";

static void note_wake(void *arg)
{
    (void)arg;
    wakes++;
}

static void set_up(void)
{
    played_start();
    memset(ops, 0, sizeof ops);
    recalled[0] = '\0';
    wakes = 0;
    batches_init(&batches, &played, &played_clock, NULL, STR("me"));
    batches.wake = note_wake;
    lane_init(&lane, &batches, &rules, lane_name);
}

static void tear_down(void)
{
    batches_clear(&batches);
    lane_clear(&lane);
    played_end();
}

static void end_op(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct ended *ended = (struct ended *)op;
    ended->times++;
    ended->is_err = failure != NULL;
    if (failure != NULL)
        ended->err = *failure;
    else
        snprintf(ended->answer, sizeof ended->answer, "%.*s", PRSTR(answer_str(answer)));
}

static struct op *new_op(int i, enum script_id script, const char *name)
{
    ops[i] = (struct ended){.name = name, .args = {str_of(name)}};
    ops[i].op = (struct op){.script = script, .args = ops[i].args, .arg_count = 1, .done = end_op};
    return &ops[i].op;
}

static void add(int i, const char *name)
{
    ck_assert(lane_add(&lane, new_op(i, SCRIPT_POOL_BATCH, name), &err));
}

static void add_other(int i, const char *name)
{
    ck_assert(lane_add(&lane, new_op(i, SCRIPT_POOL_EXTEND, name), &err));
}

static void pass_ms(int64_t ms)
{
    played_us += ms * 1000;
    batches_tick(&batches);
}

#define ONE(x) "*1\r\n+" x "\r\n"

#define assert_answer(i, words)                               \
    do {                                                      \
        ck_assert_int_eq(ops[i].times, 1);                    \
        ck_assert_msg(!ops[i].is_err, "%s", ops[i].err.text); \
        ck_assert_str_eq(ops[i].answer, words);               \
    } while (0)
#define assert_failed(i, words)                          \
    do {                                                 \
        ck_assert_int_eq(ops[i].times, 1);               \
        ck_assert(ops[i].is_err);                        \
        ck_assert_int_eq(ops[i].err.kind, ERR_UPSTREAM); \
        ck_assert_str_eq(ops[i].err.text, words);        \
    } while (0)

/* --- calls
 * ---------------------------------------------------------------------------------------- */

START_TEST(an_operation_of_an_idle_lane_is_sent_at_once)
{
    add(0, "a");
    ck_assert_int_eq(played.count, 1);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 mode a");
    ck_assert_int_eq(ops[0].times, 0);
    answer(ONE("A"));
    assert_answer(0, "A");
    ck_assert(lane_is_idle(&lane));
    ck_assert_uint_eq(batches.queued, 0);
}
END_TEST

#define FULL "$4\r\nFULL\r\n"

START_TEST(operations_that_are_all_cheap_go_by_the_cheaper_script)
{
    add(0, "one");
    assert_sent(0, SCRIPT_POOL_PLAIN, "me 1 1 one");
    add(1, "one b");
    add(2, "one c");
    answer(ONE("A"));
    assert_answer(0, "A");
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2 2 one b one c");
    add(3, "one d");
    add(4, "e");
    answer("*2\r\n+B\r\n+FULL\r\n");
    assert_answer(2, "FULL"); /* it is nothing special there */
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode one d e");
    ck_assert_uint_eq(batches.batched_ops, 5);
}
END_TEST

START_TEST(what_the_cheaper_script_leaves_undone_goes_by_the_batch_script)
{
    add(0, "one");
    add(1, "one b");
    answer(FULL);
    ck_assert_int_eq(ops[0].times, 0);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode one one b");
    answer("*2\r\n+A\r\n+B\r\n");
    assert_answer(0, "A");
    assert_answer(1, "B");
    ck_assert_uint_eq(batches.batches, 1);
    ck_assert_uint_eq(batches.batched_ops, 2);
    ck_assert_uint_eq(batches.retries, 0);
}
END_TEST

START_TEST(operations_are_left_undone_once_at_most)
{
    add(0, "z");
    add(1, "one");
    add(2, "one b");
    answer(ONE("Z"));
    answer(FULL);
    ck_assert_int_eq(ops[1].times + ops[2].times, 0);
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode one one b");
    answer("*2\r\n+A\r\n+FULL\r\n");
    assert_answer(1, "A");
    assert_answer(2, "FULL");
    ck_assert(lane_is_idle(&lane));
}
END_TEST

START_TEST(a_lost_call_of_the_cheaper_script_is_recalled)
{
    add(0, "one");
    lose();
    assert_failed(0, "Redis did not answer: the operation may have happened");
    assert_sent(1, SCRIPT_POOL_RECALL, "me 1");
    answer(":0\r\n");
}
END_TEST

START_TEST(cheaper_scripts_that_are_full_again_and_again_are_left_alone_for_a_while)
{
    for (int i = 0; i < 3; i++) {
        add(i, "one");
        answer(FULL);
        answer(ONE("A"));
        assert_answer(i, "A");
    }
    ck_assert_int_eq(played.count, 6);
    add(3, "one");
    assert_sent(6, SCRIPT_POOL_BATCH, "me 7 mode one");
    answer(ONE("A"));
    pass_ms(1000);
    add(4, "one");
    assert_sent(7, SCRIPT_POOL_PLAIN, "me 8 1 one");
    answer(ONE("A"));
    add(5, "one"); /* it was not full */
    assert_sent(8, SCRIPT_POOL_PLAIN, "me 9 1 one");
    answer(ONE("A"));
}
END_TEST

static void add_leader(int i, const char *name)
{
    new_op(i, SCRIPT_POOL_BATCH, name)->may_lead = true;
    ck_assert(lane_add(&lane, &ops[i].op, &err));
}

START_TEST(those_that_may_lead_come_first_in_their_call_and_no_earlier)
{
    add(0, "a");
    add(1, "b");
    add_leader(2, "C");
    add(3, "d");
    add_leader(4, "E");
    add_other(5, "extend");
    add_leader(6, "F");
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode C E b d");
    answer("*4\r\n+2\r\n+4\r\n+1\r\n+3\r\n");
    assert_answer(1, "1");
    assert_answer(2, "2");
    assert_answer(3, "3");
    assert_answer(4, "4");
    assert_sent(2, SCRIPT_POOL_EXTEND, "extend");
}
END_TEST

START_TEST(what_comes_while_a_call_is_in_flight_shares_the_next_one)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    ck_assert_int_eq(played.count, 1);
    answer(ONE("A"));
    ck_assert_int_eq(played.count, 2);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b c");
    answer("*2\r\n+B\r\n+C\r\n");
    assert_answer(1, "B");
    assert_answer(2, "C");
}
END_TEST

static void add_two_more(struct op *op, const struct err *failure,
                         const struct answer *answer_given)
{
    end_op(op, failure, answer_given);
    add(5, "y");
    add(6, "z");
    ck_assert_int_eq(played.count, 1);
}

START_TEST(what_callbacks_add_shares_the_next_call)
{
    new_op(0, SCRIPT_POOL_BATCH, "a")->done = add_two_more;
    ck_assert(lane_add(&lane, &ops[0].op, &err));
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode y z");
    answer("*2\r\n+Y\r\n+Z\r\n");
    assert_answer(6, "Z");
}
END_TEST

struct gathers {
    int now, next;
};

static void count_gather(void *arg, bool in_next_turn)
{
    struct gathers *gathers = arg;
    ++*(in_next_turn ? &gathers->next : &gathers->now);
}

static void gather_into(struct gathers *gathers)
{
    batches.gather = count_gather;
    batches.gather_arg = gathers;
}

START_TEST(what_comes_in_one_turn_of_the_loop_shares_a_call)
{
    struct gathers gathers = {0};
    gather_into(&gathers);
    add(0, "a");
    add(1, "b");
    ck_assert_int_eq(played.count, 0);
    ck_assert_int_eq(gathers.now, 1);
    batches_flush(&batches);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 mode a b");
    add(2, "c"); /* waits for the call, asks for nothing */
    ck_assert_int_eq(gathers.now + gathers.next, 1);
    answer("*2\r\n+A\r\n+B\r\n");
    ck_assert_int_eq(gathers.now + gathers.next, 2);
    batches_flush(&batches);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode c");
    answer(ONE("C"));
    assert_answer(2, "C");
}
END_TEST

START_TEST(a_crowd_is_gathered_until_a_turn_brings_nothing_more)
{
    struct gathers gathers = {0};
    gather_into(&gathers);
    add(0, "a");
    add(1, "b");
    batches_flush(&batches);
    answer("*2\r\n+A\r\n+B\r\n");
    add(2, "c");
    ck_assert_int_eq(gathers.next, 1);
    add(3, "d");
    batches_flush(&batches);
    ck_assert_int_eq(gathers.next, 2);
    ck_assert_int_eq(played.count, 1);
    batches_flush(&batches);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode c d");
}
END_TEST

START_TEST(one_client_alone_never_waits_for_a_turn)
{
    struct gathers gathers = {0};
    gather_into(&gathers);
    for (int i = 0; i < 3; i++) {
        add(i, "a");
        batches_flush(&batches);
        ck_assert_int_eq(played.count, i + 1);
        answer(ONE("A"));
    }
    ck_assert_int_eq(gathers.now, 3);
    ck_assert_int_eq(gathers.next, 0);
}
END_TEST

START_TEST(what_is_gathered_leaves_when_it_fills_a_call)
{
    struct gathers gathers = {0};
    gather_into(&gathers);
    batches.max_batch = 2;
    add(0, "a");
    add(1, "b");
    batches_flush(&batches);
    answer("*2\r\n+A\r\n+B\r\n");
    add(2, "c");
    add(3, "d");
    batches_flush(&batches);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode c d");
}
END_TEST

START_TEST(nothing_is_gathered_for_ever)
{
    struct gathers gathers = {0};
    gather_into(&gathers);
    add(0, "a");
    add(1, "b");
    batches_flush(&batches);
    answer("*2\r\n+A\r\n+B\r\n");
    add(2, "c");
    for (int i = 0; i < 17 && played.count == 1; i++) {
        add(3 + i, "d");
        batches_flush(&batches);
    }
    ck_assert_int_eq(played.count, 2);
    ck_assert_int_eq(gathers.next, 16);
}
END_TEST

START_TEST(a_call_carries_max_batch_operations_at_most)
{
    batches.max_batch = 2;
    add(0, "a");
    add(1, "b");
    add(2, "c");
    add(3, "d");
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b c");
    answer("*2\r\n+B\r\n+C\r\n");
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode d");
    answer(ONE("D"));
}
END_TEST

START_TEST(heavy_operations_do_not_share_a_call)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    ops[2].op.weight = 1000000;
    add(3, "d");
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode c");
    answer(ONE("C"));
    assert_sent(3, SCRIPT_POOL_BATCH, "me 4 mode d");
    answer(ONE("D"));
}
END_TEST

START_TEST(other_scripts_are_calls_of_their_own_in_their_turn)
{
    add(0, "a");
    add(1, "b");
    add_other(2, "extend");
    add_other(3, "again");
    add(4, "c");
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    assert_sent(2, SCRIPT_POOL_EXTEND, "extend");
    answer("+two\r\n");
    assert_answer(2, "two");
    assert_sent(3, SCRIPT_POOL_EXTEND, "again");
    answer("+three\r\n");
    assert_sent(4, SCRIPT_POOL_BATCH, "me 3 mode c");
    answer(ONE("C"));
}
END_TEST

START_TEST(an_error_for_the_whole_batch_is_the_answer_of_each_operation)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    answer(ONE("A"));
    answer("-WRONGTYPE no\r\n");
    assert_answer(1, "WRONGTYPE no");
    assert_answer(2, "WRONGTYPE no");
}
END_TEST

START_TEST(a_short_answer_leaves_nobody_waiting)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    answer(ONE("A"));
    answer(ONE("B"));
    assert_answer(1, "B");
    assert_answer(2, "");
}
END_TEST

START_TEST(one_more_than_max_queued_is_busy)
{
    batches.max_queued = 2;
    add(0, "a");
    add(1, "b");
    add(2, "c");
    ck_assert(!lane_add(&lane, new_op(3, SCRIPT_POOL_BATCH, "d"), &err));
    ck_assert_int_eq(err.kind, ERR_BUSY);
    ck_assert_uint_eq(batches.busy, 1);
    ck_assert_int_eq(ops[3].times, 0);
    /* a repair goes all the same, and first */
    ck_assert(lane_add_first(&lane, new_op(4, SCRIPT_POOL_REPAIR, "r"), &err));
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_REPAIR, "r");
    answer("+done\r\n");
    assert_sent(2, SCRIPT_POOL_BATCH, "me 2 mode b c");
    answer("*2\r\n+B\r\n+C\r\n");
}
END_TEST

START_TEST(lanes_take_turns_when_links_are_scarce)
{
    static char other_name[] = "other";
    struct lane other;
    lane_init(&other, &batches, &rules, other_name);
    played.room = 1;
    add(0, "a");
    ck_assert(lane_add(&other, new_op(1, SCRIPT_POOL_BATCH, "b"), &err));
    add(2, "c");
    played.room = 1;
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 other b");
    played.room = 1;
    answer(ONE("B"));
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode c");
    answer(ONE("C"));
    lane_clear(&other);
}
END_TEST

START_TEST(a_lane_made_anew_never_repeats_a_sequence)
{
    struct lane again;
    add(0, "a");
    answer(ONE("A"));
    lane_init(&again, &batches, &rules, lane_name);
    ck_assert(lane_add(&again, new_op(1, SCRIPT_POOL_BATCH, "b"), &err));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    lane_clear(&again);
}
END_TEST

/* --- Redis is away
 * -------------------------------------------------------------------------------- */

START_TEST(operations_wait_for_redis_and_go_when_it_is_there)
{
    played.away_ms = 5;
    add(0, "a");
    add(1, "b");
    pass_ms(100);
    ck_assert_int_eq(played.count, 0);
    played.away_ms = 0;
    played.listener->ready(played.listener->arg);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 mode a b");
    answer("*2\r\n+A\r\n+B\r\n");
    assert_answer(0, "A");
}
END_TEST

START_TEST(what_waited_too_long_for_redis_fails_with_the_reason)
{
    played.away_ms = 5;
    add(0, "a");
    pass_ms(1999);
    ck_assert_int_eq(ops[0].times, 0);
    played.away_ms = 3210;
    pass_ms(1);
    assert_failed(0, "Redis is away for 3 s (connection refused): not done");
    ck_assert(lane_is_idle(&lane));
    played.away_ms = 0;
    pass_ms(100);
    ck_assert_int_eq(played.count, 0);
}
END_TEST

START_TEST(nothing_is_taken_when_redis_has_been_away_for_long)
{
    played.away_ms = 2000;
    ck_assert(!lane_add(&lane, new_op(0, SCRIPT_POOL_BATCH, "a"), &err));
    ck_assert_int_eq(err.kind, ERR_UPSTREAM);
    ck_assert_str_eq(err.text, "Redis is away for 2 s (connection refused): not done");
    ck_assert(!lane_add_first(&lane, &ops[0].op, &err));
    ck_assert_int_eq(ops[0].times, 0);
}
END_TEST

START_TEST(what_waits_behind_a_call_without_an_answer_fails_in_time)
{
    add(0, "a");
    pass_ms(1000);
    add(1, "b");
    pass_ms(1999);
    ck_assert_int_eq(ops[1].times, 0);
    pass_ms(1);
    assert_failed(1, "Redis did not answer an earlier call for 2 s: not done");
    ck_assert_int_eq(ops[0].times, 0);
    answer(ONE("A"));
    assert_answer(0, "A");
    ck_assert_int_eq(played.count, 1);
}
END_TEST

START_TEST(a_long_queue_that_moves_does_not_expire)
{
    batches.max_batch = 1;
    for (int i = 0; i < 5; i++)
        add(i, "x");
    for (int i = 0; i < 5; i++) {
        pass_ms(1500);
        answer(ONE("X"));
        assert_answer(i, "X");
    }
}
END_TEST

/* --- Redis refuses
 * -------------------------------------------------------------------------------- */

START_TEST(loading_is_tried_again)
{
    add(0, "a");
    settle(CALL_REFUSED, LOADING);
    ck_assert_int_eq(played.count, 1);
    ck_assert_int_eq(ops[0].times, 0);
    add(1, "b");
    ck_assert_int_eq(played.count, 1);
    pass_ms(50);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode a b");
    answer("*2\r\n+A\r\n+B\r\n");
    assert_answer(0, "A");
    assert_answer(1, "B");
}
END_TEST

START_TEST(busy_of_another_script_is_tried_again_in_its_turn)
{
    add_other(0, "extend");
    add(1, "b");
    settle(CALL_REFUSED, "-BUSY Redis is busy running a script.\r\n");
    pass_ms(50);
    assert_sent(1, SCRIPT_POOL_EXTEND, "extend");
    answer("+ok\r\n");
    assert_sent(2, SCRIPT_POOL_BATCH, "me 1 mode b");
    answer(ONE("B"));
}
END_TEST

START_TEST(loading_for_too_long_fails_in_the_words_of_redis)
{
    add(0, "a");
    for (int i = 0; i < 20 && ops[0].times == 0; i++) {
        if (played.count > played.answered)
            settle(CALL_REFUSED, LOADING);
        pass_ms(200);
    }
    assert_failed(0, "Redis refused: LOADING Redis is loading the dataset in memory: not done");
}
END_TEST

START_TEST(oom_of_a_merged_call_is_sent_again_one_by_one)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    answer(ONE("A"));
    add(3, "d");
    add(4, "e");
    settle(CALL_REFUSED, OOM);
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode b");
    settle(CALL_REFUSED, OOM);
    assert_failed(1, "Redis refused: OOM command not allowed when used memory > 'maxmemory'.: "
                     "not done");
    assert_sent(3, SCRIPT_POOL_BATCH, "me 4 mode c");
    answer(ONE("C"));
    assert_answer(2, "C");
    assert_sent(4, SCRIPT_POOL_BATCH, "me 5 mode d e");
    answer("*2\r\n+D\r\n+E\r\n");
}
END_TEST

START_TEST(what_is_sent_alone_stays_alone_when_it_is_put_off)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    answer(ONE("A"));
    settle(CALL_REFUSED, OOM);
    settle(CALL_REFUSED, LOADING);
    pass_ms(50);
    assert_sent(3, SCRIPT_POOL_BATCH, "me 4 mode b");
    answer(ONE("B"));
    assert_sent(4, SCRIPT_POOL_BATCH, "me 5 mode c");
    answer(ONE("C"));
}
END_TEST

START_TEST(what_is_refused_alone_fails_in_the_words_of_redis)
{
    add_other(0, "extend");
    settle(CALL_REFUSED, "-READONLY You can't write against a read only replica.\r\n");
    assert_failed(0, "Redis refused: READONLY You can't write against a read only replica.: "
                     "not done");
    ck_assert(lane_is_idle(&lane));
}
END_TEST

/* --- beside ------------------------------------------------------------------------------------
 */

static void add_sole(int i, const char *name)
{
    new_op(i, SCRIPT_POOL_BATCH, name)->is_sole = true;
    ck_assert(lane_add(&lane, &ops[i].op, &err));
}

START_TEST(a_second_call_leaves_beside_the_first_when_as_much_has_gathered)
{
    add(0, "x");
    add_sole(1, "one a");
    add_sole(2, "one b");
    ck_assert_int_eq(played.count, 1); /* nothing goes beside what is no cheaper script's */
    answer(ONE("X"));
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2 2 one a one b");
    add_sole(3, "one c");
    ck_assert_int_eq(played.count, 2);
    add_sole(4, "one d");
    assert_sent(2, SCRIPT_POOL_PLAIN, "me+ 3 2 one c one d");
    add_sole(5, "one e");
    add_sole(6, "one f");
    add_sole(7, "one g");
    ck_assert_int_eq(played.count, 3); /* no third one */
    answer("*2\r\n+A\r\n+B\r\n");
    assert_sent(3, SCRIPT_POOL_PLAIN, "me 4 3 one e one f one g");
    answer("*2\r\n+C\r\n+D\r\n");
    assert_answer(3, "C");
    answer("*3\r\n+E\r\n+F\r\n+G\r\n");
    assert_answer(7, "G");
    ck_assert(lane_is_idle(&lane));
}
END_TEST

START_TEST(what_its_asker_could_see_out_of_order_waits_for_all_that_is_in_flight)
{
    add_sole(0, "one a");
    add_sole(1, "one b");
    ck_assert_int_eq(played.count, 2);
    add(2, "one c");
    add_sole(3, "one d");
    ck_assert_int_eq(played.count, 2);
    answer(ONE("A"));
    ck_assert_int_eq(played.count, 2); /* its asker may have asked for the other one */
    answer(ONE("B"));
    assert_sent(2, SCRIPT_POOL_PLAIN, "me 3 2 one c one d");
    answer("*2\r\n+C\r\n+D\r\n");
}
END_TEST

START_TEST(only_cheaper_scripts_go_beside_each_other)
{
    add_sole(0, "one a");
    add_sole(1, "b");
    ck_assert_int_eq(played.count, 1);
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b");
    add_sole(2, "one c");
    ck_assert_int_eq(played.count, 2);
    answer(ONE("B"));
    assert_sent(2, SCRIPT_POOL_PLAIN, "me 3 1 one c");
    answer(ONE("C"));
}
END_TEST

/* Such as what is given back when a client is reset: it is answered at once. */
START_TEST(nothing_goes_beside_what_the_daemon_does_by_itself)
{
    add(0, "one a");
    add_sole(1, "one b");
    ck_assert_int_eq(played.count, 1);
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2 1 one b");
    answer(ONE("B"));
}
END_TEST

START_TEST(what_is_left_undone_beside_goes_by_the_batch_script_when_nothing_is_in_flight)
{
    add_sole(0, "one a");
    add_sole(1, "one b");
    played.answered++; /* the first one hangs */
    answer(FULL);
    ck_assert_int_eq(ops[1].times, 0);
    ck_assert_int_eq(played.count, 2);
    played.answered = 0;
    answer(ONE("A"));
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode one b");
    played.answered = 2;
    answer(ONE("B"));
    assert_answer(1, "B");
}
END_TEST

START_TEST(each_of_two_lost_calls_is_recalled_by_its_own_journal_before_anything_else)
{
    add_sole(0, "one a");
    add_sole(1, "one b");
    add_sole(2, "one c");
    lose();
    assert_sent(2, SCRIPT_POOL_RECALL, "me 1");
    lose();
    assert_sent(3, SCRIPT_POOL_RECALL, "me+ 2");
    ck_assert_int_eq(played.count, 4);
    answer(":1\r\n");
    ck_assert_int_eq(played.count, 4);
    answer(":0\r\n");
    assert_sent(4, SCRIPT_POOL_PLAIN, "me 3 1 one c");
    answer(ONE("C"));
    ck_assert(lane_is_idle(&lane));
}
END_TEST

START_TEST(two_refused_calls_are_sent_again_operation_by_operation)
{
    add(0, "x");
    add_sole(1, "one a");
    add_sole(2, "one b");
    answer(ONE("X"));
    add_sole(3, "one c");
    add_sole(4, "one d");
    ck_assert_int_eq(played.count, 3);
    settle(CALL_REFUSED, "-OOM no memory\r\n");
    settle(CALL_REFUSED, "-OOM no memory\r\n");
    assert_sent(3, SCRIPT_POOL_PLAIN, "me 4 1 one c");
    answer(ONE("Z"));
    assert_sent(4, SCRIPT_POOL_PLAIN, "me 5 1 one d");
    answer(ONE("Z"));
    assert_sent(5, SCRIPT_POOL_PLAIN, "me 6 1 one a");
    answer(ONE("Z"));
    assert_sent(6, SCRIPT_POOL_PLAIN, "me 7 1 one b");
    answer(ONE("Z"));
    for (int i = 1; i < 5; i++)
        assert_answer(i, "Z");
    ck_assert(lane_is_idle(&lane));
}
END_TEST

/* --- lost calls
 * ----------------------------------------------------------------------------------- */

START_TEST(an_operations_own_keys_follow_those_of_the_lane)
{
    static const struct str a[] = {{"a1", 2}, {"a2", 2}}, b[] = {{"b1", 2}};
    add(0, "first");
    new_op(1, SCRIPT_POOL_BATCH, "one")->keys = a;
    ops[1].op.key_count = 2;
    new_op(2, SCRIPT_POOL_BATCH, "two")->keys = b;
    ops[2].op.key_count = 1;
    ck_assert(lane_add(&lane, &ops[1].op, &err));
    ck_assert(lane_add(&lane, &ops[2].op, &err));
    answer("*1\r\n+ok\r\n");
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode one two");
    ck_assert_str_eq(
        played.sent[1].keys,
        "key key key key key key key key key key key key key key key key key key a1 a2 b1");
    answer("*2\r\n+x\r\n+y\r\n");
    ck_assert_str_eq(ops[2].answer, "y");
}
END_TEST

START_TEST(own_keys_are_the_last_ones_of_a_script_that_names_them)
{
    static const struct str own[] = {{"a1", 2}, {"a2", 2}};
    new_op(0, SCRIPT_POOL_BIND, "x")->keys = own;
    ops[0].op.key_count = 2;
    ck_assert(lane_add(&lane, &ops[0].op, &err));
    ck_assert_str_eq(played.sent[0].keys, "a1 a2"); /* of pool bindings */
    answer("+ok\r\n");
    new_op(1, SCRIPT_POOL_BATCH, "one")->keys = own;
    ops[1].op.key_count = 2;
    ck_assert(lane_add(&lane, &ops[1].op, &err));
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 1 1 one"); /* of pool head tail leases journal */
    ck_assert_str_eq(played.sent[1].keys, "key key key a1 a2");
    answer("+ok\r\n");
}
END_TEST

START_TEST(a_lost_batch_is_recalled_before_anything_else_is_sent)
{
    add(0, "a");
    add(1, "b");
    lose();
    assert_failed(0, "Redis did not answer: the operation may have happened");
    ck_assert_int_eq(played.count, 2);
    assert_sent(1, SCRIPT_POOL_RECALL, "me 1");
    answer(":3\r\n");
    ck_assert_str_eq(recalled, "mode 3");
    assert_sent(2, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    ck_assert_uint_eq(batches.recalls, 1);
}
END_TEST

START_TEST(a_recall_is_repeated_until_redis_answers_it)
{
    add(0, "a");
    lose();
    ck_assert(!lane_is_idle(&lane));
    lose();
    pass_ms(50);
    assert_sent(2, SCRIPT_POOL_RECALL, "me 1");
    settle(CALL_REFUSED, LOADING);
    add(1, "b");
    pass_ms(50);
    assert_sent(3, SCRIPT_POOL_RECALL, "me 1");
    answer("-ERR surprise\r\n");
    pass_ms(50);
    assert_sent(4, SCRIPT_POOL_RECALL, "me 1");
    ck_assert_str_eq(recalled, "");
    answer(":0\r\n");
    ck_assert_str_eq(recalled, "mode 0");
    assert_sent(5, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    ck_assert_uint_eq(batches.recalls, 1);
}
END_TEST

START_TEST(operations_behind_a_recall_fail_in_time_and_never_overtake_it)
{
    add(0, "a");
    lose();
    add(1, "b");
    for (int i = 0; i < 45; i++) {
        if (played.count > played.answered)
            settle(CALL_REFUSED, LOADING);
        pass_ms(50);
    }
    assert_failed(1, "an earlier call has not been settled for 2 s (LOADING Redis is loading the "
                     "dataset in memory): not done");
    for (int i = 1; i < played.count; i++)
        assert_sent(i, SCRIPT_POOL_RECALL, "me 1");
    ck_assert(!lane_is_idle(&lane));
    answer(":0\r\n");
    ck_assert(lane_is_idle(&lane));
}
END_TEST

START_TEST(a_stale_batch_is_as_good_as_lost)
{
    add(0, "a");
    answer("-STALE\r\n");
    assert_failed(0, "Redis did not answer: the operation may have happened");
    assert_sent(1, SCRIPT_POOL_RECALL, "me 1");
    answer(":0\r\n");
}
END_TEST

START_TEST(another_lost_call_is_not_recalled)
{
    add_other(0, "extend");
    add(1, "b");
    lose();
    assert_failed(0, "Redis did not answer: the operation may have happened");
    assert_sent(1, SCRIPT_POOL_BATCH, "me 1 mode b");
    answer(ONE("B"));
}
END_TEST

/* --- ends
 * ----------------------------------------------------------------------------------------- */

START_TEST(what_was_not_taken_ends_at_the_next_tick)
{
    new_op(0, SCRIPT_POOL_BATCH, "a");
    err_set(&err, ERR_UPSTREAM, "away");
    batches_refuse(&batches, &ops[0].op, &err);
    ck_assert_int_eq(ops[0].times, 0);
    ck_assert_int_eq(wakes, 1);
    err_set(&err, ERR_BUSY, "changed");
    pass_ms(0);
    assert_failed(0, "away");
}
END_TEST

START_TEST(what_is_withdrawn_before_it_was_sent_never_happens)
{
    add(0, "a");
    add(1, "b");
    add(2, "c");
    ck_assert(!lane_withdraw(&lane, &ops[0].op)); /* it has been sent */
    ck_assert(lane_withdraw(&lane, &ops[1].op));
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode c");
    settle(CALL_REFUSED, LOADING); /* until it is sent again */
    ck_assert(lane_withdraw(&lane, &ops[2].op));
    pass_ms(1000);
    ck_assert_int_eq(played.count, 2);
    ck_assert_int_eq(ops[1].times + ops[2].times, 0);
    ck_assert(lane_is_idle(&lane));
    ck_assert_uint_eq(batches.queued, 0);
}
END_TEST

START_TEST(what_was_refused_cannot_be_withdrawn)
{
    new_op(0, SCRIPT_POOL_BATCH, "a");
    err_set(&err, ERR_UPSTREAM, "away");
    batches_refuse(&batches, &ops[0].op, &err);
    ck_assert(!lane_withdraw(&lane, &ops[0].op));
    pass_ms(0);
    assert_failed(0, "away");
}
END_TEST

/* --- times without grants --- */

static bool add_grant(int i, const char *name)
{
    new_op(i, SCRIPT_POOL_BATCH, name)->may_grant = true;
    return lane_add(&lane, &ops[i].op, &err);
}

START_TEST(while_grants_are_held_only_they_are_refused)
{
    add(0, "a");
    ck_assert(add_grant(1, "g"));
    add(2, "b");
    batches_hold_grants(&batches, 1000, "A step");
    batches_hold_grants(&batches, 500, "A smaller one");
    ck_assert_int_eq(batches_held_ms(&batches), 1000);
    ck_assert(!add_grant(3, "h"));
    ck_assert_str_eq(err.text, "A step: nothing is granted for another 1000 ms: not done");
    answer(ONE("A"));
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 mode b");
    answer(ONE("B"));
    pass_ms(0);
    assert_failed(1, "A step: nothing is granted for another 1000 ms: not done");
    assert_answer(2, "B");
    ck_assert(lane_is_idle(&lane));
    ck_assert_uint_eq(batches.queued, 0);
    pass_ms(1000);
    ck_assert(add_grant(4, "i"));
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 mode i");
    answer(ONE("I"));
}
END_TEST

START_TEST(a_lane_of_nothing_but_held_grants_is_idle)
{
    played.away_ms = 5;
    ck_assert(add_grant(0, "g"));
    batches_hold_grants(&batches, 1000, "A step");
    played.away_ms = 0;
    played.listener->ready(played.listener->arg);
    ck_assert_int_eq(played.count, 0);
    pass_ms(0);
    ck_assert_int_eq(ops[0].times, 1);
    ck_assert(lane_is_idle(&lane));
    add(1, "a");
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 mode a");
    answer(ONE("A"));
}
END_TEST

START_TEST(another_server_holds_grants_where_that_is_wanted)
{
    played.servers = 1;
    batches.restart_grace_ms = 700;
    played.listener->ready(played.listener->arg); /* the first one */
    ck_assert_int_eq(batches_held_ms(&batches), 0);
    played.listener->ready(played.listener->arg); /* the links were cut, no more */
    ck_assert_int_eq(batches_held_ms(&batches), 0);
    played.servers = 2;
    ck_assert(add_grant(0, "g"));
    answer(ONE("G"));
    played.listener->ready(played.listener->arg);
    ck_assert_int_eq(batches_held_ms(&batches), 700);
    ck_assert(!add_grant(1, "h"));
    batches.restart_grace_ms = 0;
    pass_ms(700);
    played.servers = 3;
    played.listener->ready(played.listener->arg);
    ck_assert(add_grant(2, "i"));
    answer(ONE("I"));
}
END_TEST

START_TEST(clearing_ends_what_waits_and_takes_nothing_more)
{
    played.away_ms = 5;
    add(0, "a");
    new_op(1, SCRIPT_POOL_BATCH, "b");
    err_set(&err, ERR_UPSTREAM, "away");
    batches_refuse(&batches, &ops[1].op, &err);
    batches_clear(&batches);
    assert_failed(0, "the daemon is stopping: not done");
    assert_failed(1, "away");
    ck_assert(lane_is_idle(&lane));
    ck_assert(!lane_add(&lane, new_op(2, SCRIPT_POOL_BATCH, "c"), &err));
    played_end();
    set_up();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch");
    TCase *tcase = tcase_create("batch");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_operation_of_an_idle_lane_is_sent_at_once);
    tcase_add_test(tcase, operations_that_are_all_cheap_go_by_the_cheaper_script);
    tcase_add_test(tcase, what_the_cheaper_script_leaves_undone_goes_by_the_batch_script);
    tcase_add_test(tcase, operations_are_left_undone_once_at_most);
    tcase_add_test(tcase, a_lost_call_of_the_cheaper_script_is_recalled);
    tcase_add_test(tcase, cheaper_scripts_that_are_full_again_and_again_are_left_alone_for_a_while);
    tcase_add_test(tcase, those_that_may_lead_come_first_in_their_call_and_no_earlier);
    tcase_add_test(tcase, what_comes_while_a_call_is_in_flight_shares_the_next_one);
    tcase_add_test(tcase, what_callbacks_add_shares_the_next_call);
    tcase_add_test(tcase, what_comes_in_one_turn_of_the_loop_shares_a_call);
    tcase_add_test(tcase, a_crowd_is_gathered_until_a_turn_brings_nothing_more);
    tcase_add_test(tcase, one_client_alone_never_waits_for_a_turn);
    tcase_add_test(tcase, what_is_gathered_leaves_when_it_fills_a_call);
    tcase_add_test(tcase, nothing_is_gathered_for_ever);
    tcase_add_test(tcase, a_call_carries_max_batch_operations_at_most);
    tcase_add_test(tcase, heavy_operations_do_not_share_a_call);
    tcase_add_test(tcase, other_scripts_are_calls_of_their_own_in_their_turn);
    tcase_add_test(tcase, an_error_for_the_whole_batch_is_the_answer_of_each_operation);
    tcase_add_test(tcase, a_short_answer_leaves_nobody_waiting);
    tcase_add_test(tcase, one_more_than_max_queued_is_busy);
    tcase_add_test(tcase, lanes_take_turns_when_links_are_scarce);
    tcase_add_test(tcase, a_lane_made_anew_never_repeats_a_sequence);
    tcase_add_test(tcase, operations_wait_for_redis_and_go_when_it_is_there);
    tcase_add_test(tcase, what_waited_too_long_for_redis_fails_with_the_reason);
    tcase_add_test(tcase, nothing_is_taken_when_redis_has_been_away_for_long);
    tcase_add_test(tcase, what_waits_behind_a_call_without_an_answer_fails_in_time);
    tcase_add_test(tcase, a_long_queue_that_moves_does_not_expire);
    tcase_add_test(tcase, loading_is_tried_again);
    tcase_add_test(tcase, busy_of_another_script_is_tried_again_in_its_turn);
    tcase_add_test(tcase, loading_for_too_long_fails_in_the_words_of_redis);
    tcase_add_test(tcase, oom_of_a_merged_call_is_sent_again_one_by_one);
    tcase_add_test(tcase, what_is_sent_alone_stays_alone_when_it_is_put_off);
    tcase_add_test(tcase, what_is_refused_alone_fails_in_the_words_of_redis);
    tcase_add_test(tcase, a_second_call_leaves_beside_the_first_when_as_much_has_gathered);
    tcase_add_test(tcase, what_its_asker_could_see_out_of_order_waits_for_all_that_is_in_flight);
    tcase_add_test(tcase, only_cheaper_scripts_go_beside_each_other);
    tcase_add_test(tcase, nothing_goes_beside_what_the_daemon_does_by_itself);
    tcase_add_test(tcase,
                   what_is_left_undone_beside_goes_by_the_batch_script_when_nothing_is_in_flight);
    tcase_add_test(tcase,
                   each_of_two_lost_calls_is_recalled_by_its_own_journal_before_anything_else);
    tcase_add_test(tcase, two_refused_calls_are_sent_again_operation_by_operation);
    tcase_add_test(tcase, an_operations_own_keys_follow_those_of_the_lane);
    tcase_add_test(tcase, own_keys_are_the_last_ones_of_a_script_that_names_them);
    tcase_add_test(tcase, a_lost_batch_is_recalled_before_anything_else_is_sent);
    tcase_add_test(tcase, a_recall_is_repeated_until_redis_answers_it);
    tcase_add_test(tcase, operations_behind_a_recall_fail_in_time_and_never_overtake_it);
    tcase_add_test(tcase, a_stale_batch_is_as_good_as_lost);
    tcase_add_test(tcase, another_lost_call_is_not_recalled);
    tcase_add_test(tcase, what_was_not_taken_ends_at_the_next_tick);
    tcase_add_test(tcase, what_is_withdrawn_before_it_was_sent_never_happens);
    tcase_add_test(tcase, what_was_refused_cannot_be_withdrawn);
    tcase_add_test(tcase, while_grants_are_held_only_they_are_refused);
    tcase_add_test(tcase, a_lane_of_nothing_but_held_grants_is_idle);
    tcase_add_test(tcase, another_server_holds_grants_where_that_is_wanted);
    tcase_add_test(tcase, clearing_ends_what_waits_and_takes_nothing_more);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
