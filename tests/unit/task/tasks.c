/* tasks: what each operation says to Redis, and what becomes of its answers and of messages. */
#include "task/tasks.h"
#include "config/config.h"
#include "task/queues.h"
#include "task/workers.h"
#include "tests/unit/played.h"

#define QUIET "*4\r\n:0\r\n:0\r\n:-1\r\n:0\r\n"
#define RESTS "*4\r\n:0\r\n:0\r\n:-1\r\n:1\r\n"

struct told {
    int times;
    bool is_err;
    struct err err;
    size_t count;
    char text[100];
};

static struct batches batches;
static struct config config;
static struct rand rand_;
static struct log log_;
static struct tasks tasks;
static struct alarms alarms;
static struct told told;
static struct worker *worker;

static void set_up(void)
{
    char program[] = "rallocd", *argv[] = {program, NULL}, *environment[] = {NULL};
    enum config_action action;
    struct err err;
    played_start();
    memset(&told, 0, sizeof told);
    log_init(&log_, &played_clock);
    log_.level = LOG_LEVEL_ERROR;
    rand_init(&rand_);
    ck_assert(config_load(&config, 1, argv, environment, NULL, &action, &err));
    batches_init(&batches, &played, &played_clock, &log_, STR("me"));
    tasks_init(&tasks, &batches, &alarms, &config, &rand_, &log_);
    worker = worker_new(&tasks);
}

static void tear_down(void)
{
    worker_close(worker);
    tasks_stop(&tasks);
    batches_clear(&batches);
    tasks_clear(&tasks);
    alarms_clear(&alarms);
    config_clear(&config);
    played_end();
}

static void hear(void *arg, const struct err *err, const struct answer *answer)
{
    (void)arg;
    told.times++;
    told.is_err = err != NULL;
    if (err != NULL)
        told.err = *err;
    told.count = answer_count(answer);
    snprintf(told.text, sizeof told.text, "%.*s", PRSTR(answer_str(answer)));
}

static void hear_asked(void *arg, const struct err *err, const struct answer *answer)
{
    struct told *asked = arg;
    asked->times++;
    asked->is_err = err != NULL;
    snprintf(asked->text, sizeof asked->text, "%.*s", PRSTR(answer_str(answer)));
}

/* What is sent waits for batches_flush(). */
static void hold_calls(void *arg, bool in_next_turn)
{
    (void)arg;
    (void)in_next_turn;
}

static void expect_told(const char *text)
{
    ck_assert_int_eq(told.times, 1);
    ck_assert_str_eq(told.is_err ? told.err.text : told.text, text);
    memset(&told, 0, sizeof told);
}

/* The newest call was a batch of this one operation. */
static void expect_sent(const char *words)
{
    char text[PLAYED_TEXT];
    snprintf(text, sizeof text, "me %llu rallocd|task-queue 10000 %s",
             (unsigned long long)batches.sequence, words);
    assert_sent(played.count - 1, SCRIPT_TASK_BATCH, text);
}

static void ring(void)
{
    alarms_ring(&alarms, clock_ms(&played_clock));
}

static void submit(enum task_policy policy, bool waits)
{
    struct task_request request = {.queue = STR("q"),
                                   .id = STR("i"),
                                   .params = STR("x"),
                                   .policy = policy,
                                   .timeout_ms = 5000,
                                   .retries = 2,
                                   .waits = waits};
    tasks_submit(&tasks, &request, hear, NULL);
}

/* LISTEN of q, with what Redis says of it: first that somebody listens, then the take. */
static struct listen *listen_for(int64_t wait_ms, const char *taken)
{
    struct str queue = STR("q");
    struct worker_listen listen = {
        .queues = &queue, .queue_count = 1, .wait_ms = wait_ms, .count = 1};
    bool is_known = workers_are_there(&tasks, queue);
    struct listen *begun = worker_listen(worker, &listen, hear, NULL);
    if (!is_known) {
        expect_sent("K q 5000");
        answer("*1\r\n:0\r\n");
    }
    if (taken != NULL)
        answer(taken);
    return begun;
}

#define NOTHING "*1\r\n*0\r\n"
#define ONE                                                                    \
    "*1\r\n*1\r\n*6\r\n$1\r\nq\r\n$1\r\ni\r\n$1\r\nx\r\n:1\r\n:5000\r\n$3\r\n" \
    "7.0\r\n"

START_TEST(where_a_task_goes_depends_on_who_works_here)
{
    const char *usual = "i q x 5000 2 1000 300000 20 1 0 0 0 0 100000";
    char words[200];
    submit(TASK_REMOTE, false);
    snprintf(words, sizeof words, "S %s ", usual);
    expect_sent(words);
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
    submit(TASK_AUTO, false);
    snprintf(words, sizeof words, "A %s 0", usual);
    expect_sent(words);
    answer("*1\r\n-NOWORKER nobody listens to this queue\r\n");
    ck_assert_int_eq(told.err.kind, ERR_NOWORKER);
    expect_told("nobody listens to this queue");
    submit(TASK_LOCAL, false);
    snprintf(words, sizeof words, "A %s -", usual);
    expect_sent(words);
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
    listen_for(-1, NOTHING);
    memset(&told, 0, sizeof told);
    submit(TASK_AUTO, false);
    snprintf(words, sizeof words, "A %s 1", usual);
    expect_sent(words);
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
    submit(TASK_LOCALFIRST, false);
    snprintf(words, sizeof words, "S %s me", usual);
    expect_sent(words);
    ck_assert_ptr_nonnull(strstr(played.sent[played.count - 1].keys, "task-queue|q@me"));
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
}
END_TEST

START_TEST(an_asker_waits_until_a_message_says_that_it_has_ended)
{
    submit(TASK_REMOTE, true);
    answer("*1\r\n$1\r\nW\r\n");
    ck_assert_int_eq(told.times, 0);
    tasks_hear(&tasks, STR("Rother\0Ri\0"));
    expect_sent("G i 0");
    answer("*1\r\n*2\r\n$1\r\nD\r\n$4\r\ndone\r\n");
    expect_told("done");
    ck_assert_uint_eq(tasks.asked.count, 0);
}
END_TEST

START_TEST(a_message_that_comes_before_the_answer_is_not_lost)
{
    submit(TASK_REMOTE, true);
    tasks_hear(&tasks, STR("Ri\0"));
    answer("*1\r\n$1\r\nW\r\n");
    expect_sent("G i 0");
    answer("*1\r\n*2\r\n$1\r\nF\r\n$3\r\nbad\r\n");
    ck_assert_int_eq(told.err.kind, ERR_TASKFAIL);
    expect_told("bad");
}
END_TEST

START_TEST(all_that_ask_for_one_task_look_once)
{
    for (int i = 0; i < 3; i++) {
        submit(TASK_REMOTE, true);
        answer("*1\r\n$1\r\nW\r\n");
    }
    int before = played.count;
    tasks_hear(&tasks, STR("Ri\0Ri\0"));
    ck_assert_int_eq(played.count, before + 1);
    answer("*1\r\n*1\r\n$1\r\nN\r\n");
    ck_assert_int_eq(told.times, 3);
    ck_assert_int_eq(told.err.kind, ERR_TASKFAIL);
}
END_TEST

START_TEST(an_asker_gives_up_at_its_time_even_while_redis_is_silent)
{
    submit(TASK_REMOTE, true);
    played_us += 4900 * 1000;
    alarm_stop(&alarms, &tasks.tend);
    alarm_stop(&alarms, &tasks.look);
    ring();
    ck_assert_int_eq(told.times, 0);
    played_us += 200 * 1000;
    ring();
    ck_assert_int_eq(told.err.kind, ERR_TIMEOUT);
    expect_told("the task has not ended in time; it goes on");
    answer("*1\r\n*2\r\n$1\r\nD\r\n$4\r\nlate\r\n");
    ck_assert_int_eq(told.times, 0);
}
END_TEST

START_TEST(a_listen_that_waits_takes_when_it_is_woken)
{
    listen_for(0, NOTHING);
    ck_assert_int_eq(told.times, 0);
    tasks_hear(&tasks, STR("W1 q\0"));
    expect_sent("T 1 2 1 1 q ");
    answer(ONE);
    ck_assert_int_eq(told.times, 1);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_eq(worker_taken(worker), 1);
    tasks_hear(&tasks, STR("W1 q\0")); /* it needs none any more: somebody else shall */
    expect_sent("K q 5000");
    answer("*1\r\n:0\r\n");
}
END_TEST

START_TEST(a_listen_whose_time_is_over_gets_what_its_call_brings)
{
    listen_for(100, NULL);
    alarm_stop(&alarms, &tasks.tend);
    alarm_stop(&alarms, &tasks.look);
    played_us += 101 * 1000;
    ring();
    ck_assert_int_eq(told.times, 0);
    answer(ONE);
    ck_assert_uint_eq(told.count, 1);
    memset(&told, 0, sizeof told);
    listen_for(100, NULL);
    played_us += 101 * 1000;
    ring();
    answer(NOTHING);
    ck_assert_int_eq(told.times, 1);
    expect_sent("U 2 1");
    answer("*1\r\n+OK\r\n");
}
END_TEST

START_TEST(a_listen_whose_client_is_gone_gives_back_what_still_comes)
{
    struct listen *listen = listen_for(0, NULL);
    listen_gone(listen);
    ck_assert_int_eq(told.times, 1);
    ck_assert_uint_eq(told.count, 0);
    answer(ONE);
    expect_sent("B i 7.0 ");
    answer("*1\r\n:1\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert_uint_eq(worker_taken(worker), 0);
}
END_TEST

START_TEST(a_closed_worker_gives_back_what_it_has_but_not_what_it_ends)
{
    listen_for(-1, ONE);
    memset(&told, 0, sizeof told);
    worker_result(worker, STR("i"), STR("r"), false, hear, NULL);
    expect_sent("E i 7.0 r 100000");
    worker_close(worker);
    worker = NULL;
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
    ck_assert_int_eq(played.count, played.answered);
    ck_assert_uint_eq(tasks.workers.count, 0);
}
END_TEST

START_TEST(a_result_that_redis_did_not_hear_of_can_be_said_again)
{
    listen_for(-1, ONE);
    memset(&told, 0, sizeof told);
    worker_result(worker, STR("i"), STR("r"), false, hear, NULL);
    lose();
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
    memset(&told, 0, sizeof told);
    assert_sent(played.count - 1, SCRIPT_TASK_RECALL, "me 3");
    answer(":0\r\n");
    worker_result(worker, STR("i"), STR("r"), false, hear, NULL);
    expect_sent("E i 7.0 r 100000");
    answer("*1\r\n+OK\r\n");
    expect_told("OK");
    worker_result(worker, STR("i"), STR("r"), false, hear, NULL);
    batches_tick(&batches);
    ck_assert_int_eq(told.err.kind, ERR_NOTOWNER);
    memset(&told, 0, sizeof told);
}
END_TEST

START_TEST(it_rests_when_nothing_is_there_until_it_is_used_or_roused)
{
    tasks_start(&tasks);
    ring();
    answer(RESTS);
    int before = played.count;
    played_us += INT64_C(3600) * 1000 * 1000;
    alarm_stop(&alarms, &tasks.look); /* a worker is there */
    ring();
    ck_assert_int_eq(played.count, before);
    tasks_hear(&tasks, STR("T\0"));
    ring();
    assert_sent(played.count - 1, SCRIPT_TASK_TEND, "me rallocd|task-queue 10000 3000 500 0 20");
    answer(QUIET);
    played_us += 5000 * 1000;
    alarm_stop(&alarms, &tasks.look);
    ring();
    assert_sent(played.count - 1, SCRIPT_TASK_TEND, "me rallocd|task-queue 10000 3000 500 1 20");
    answer(RESTS);
    listen_for(-1, ONE);
    before = played.count;
    played_us += 1000 * 1000;
    alarm_stop(&alarms, &tasks.look);
    ring();
    ck_assert_int_eq(played.count, before + 1);
    answer(QUIET);
}
END_TEST

START_TEST(the_leader_looks_when_it_is_told_to)
{
    tasks_start(&tasks);
    ring();
    tasks_hear(&tasks, STR("D40\0"));
    answer("*4\r\n:1\r\n:0\r\n:900\r\n:0\r\n");
    int before = played.count;
    played_us += 39 * 1000;
    ring();
    ck_assert_int_eq(played.count, before);
    played_us += 1000;
    ring();
    ck_assert_int_eq(played.count, before + 1);
    tasks_hear(&tasks, STR("D70\0"));
    tasks_hear(&tasks, STR("D30\0"));
    answer("*4\r\n:1\r\n:1\r\n:0\r\n:0\r\n");
    ck_assert_int_eq(tasks.tend.at_ms, clock_ms(&played_clock));
}
END_TEST

START_TEST(it_tells_that_it_lives_and_does_what_is_due_when_it_leads)
{
    tasks_start(&tasks);
    alarm_stop(&alarms, &tasks.look);
    ring();
    assert_sent(played.count - 1, SCRIPT_TASK_TEND, "me rallocd|task-queue 10000 3000 500 1 20");
    answer(QUIET);
    ck_assert(!tasks.is_leading);
    int before = played.count;
    played_us += 900 * 1000;
    ring();
    ck_assert_int_eq(played.count, before);
    played_us += 101 * 1000;
    ring();
    answer("*4\r\n:1\r\n:5\r\n:0\r\n:0\r\n");
    ck_assert(tasks.is_leading);
    ring(); /* there is more; queues were looked at in this second already */
    ck_assert_int_eq(played.count, before + 2);
    assert_sent(played.count - 1, SCRIPT_TASK_TEND, "me rallocd|task-queue 10000 3000 500 1 0");
    answer(QUIET);
    ck_assert_uint_eq(tasks.counters.tended, 5);
}
END_TEST

START_TEST(a_task_for_one_who_waits_here_is_taken_and_ended_in_two_calls)
{
    listen_for(0, NOTHING);
    int before = played.count;
    struct told asked = {0};
    struct task_request request = {.queue = STR("q"),
                                   .id = STR("i"),
                                   .params = STR("x"),
                                   .policy = TASK_REMOTE,
                                   .timeout_ms = 5000,
                                   .waits = true};
    batches.gather = hold_calls;
    tasks_submit(&tasks, &request, hear_asked, &asked);
    batches_flush(&batches);
    ck_assert_int_eq(played.count, before + 1);
    ck_assert_ptr_nonnull(strstr(played.sent[before].text, " S i q x "));
    ck_assert_ptr_nonnull(strstr(played.sent[before].text, " T 1 2 1 1 q "));
    answer("*2\r\n$1\r\nW\r\n*1\r\n*6\r\n$1\r\nq\r\n$1\r\ni\r\n$1\r\nx\r\n:1\r\n:5000\r\n"
           "$3\r\n7.0\r\n");
    ck_assert_int_eq(told.times, 1);
    memset(&told, 0, sizeof told);
    worker_result(worker, STR("i"), STR("r"), false, hear, NULL);
    batches_flush(&batches);
    answer("*1\r\n$1\r\nW\r\n");
    ck_assert_int_eq(played.count, before + 2);
    ck_assert_str_eq(asked.text, "r");
    ck_assert_int_eq(asked.times, 1);
    ck_assert_uint_eq(tasks.asked.count, 0);
}
END_TEST

START_TEST(stopping_answers_whoever_waits)
{
    submit(TASK_REMOTE, true);
    answer("*1\r\n$1\r\nW\r\n");
    listen_for(0, NOTHING);
    tasks_stop(&tasks);
    ck_assert_int_eq(told.times, 2);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
    expect_sent("U 1 1");
    answer("*1\r\n+OK\r\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {where_a_task_goes_depends_on_who_works_here,
                                  an_asker_waits_until_a_message_says_that_it_has_ended,
                                  a_message_that_comes_before_the_answer_is_not_lost,
                                  all_that_ask_for_one_task_look_once,
                                  an_asker_gives_up_at_its_time_even_while_redis_is_silent,
                                  a_listen_that_waits_takes_when_it_is_woken,
                                  a_listen_whose_time_is_over_gets_what_its_call_brings,
                                  a_listen_whose_client_is_gone_gives_back_what_still_comes,
                                  a_closed_worker_gives_back_what_it_has_but_not_what_it_ends,
                                  a_result_that_redis_did_not_hear_of_can_be_said_again,
                                  it_tells_that_it_lives_and_does_what_is_due_when_it_leads,
                                  it_rests_when_nothing_is_there_until_it_is_used_or_roused,
                                  the_leader_looks_when_it_is_told_to,
                                  a_task_for_one_who_waits_here_is_taken_and_ended_in_two_calls,
                                  stopping_answers_whoever_waits};
    Suite *suite = suite_create("tasks");
    TCase *tcase = tcase_create("tasks");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
