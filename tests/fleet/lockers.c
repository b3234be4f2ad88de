/* lockers: two daemons on one Redis, many clients that lock the same few keys, and whatever may die
 * does: never do two hold one lock, and its fences grow. */
#include "tests/lib/crew.h"
#include "tests/lib/history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS   3
#define RUN_MS 4000

static struct rig rig;
static struct history *history;

static void set_up(void)
{
    rig_start_bare(&rig);
    server_own_clock(&rig.redis);
    server_start(&rig.redis);
    history = history_new(2000000);
    crew_daemons(&rig, 10);
}

static void tear_down(void)
{
    history_free(history);
    rig_end(&rig);
}

static void note(const char *key, int64_t fence, int64_t asked_us, int64_t timeout_ms,
                 struct hold **out)
{
    struct hold *hold = history_add(history);
    *hold = (struct hold){
        .fence = fence, .asked_us = asked_us, .got_us = history_now_us(), .timeout_ms = timeout_ms};
    strcpy(hold->resource, key);
    hold->is_whole = 1;
    *out = hold;
}

/* LOCK of one key, or LOCKALL of two: asked for, held, and ended; a few are forgotten. */
static void work_once(struct worker *worker)
{
    char words[200], keys[2][8];
    struct hold *holds[2];
    long fences[2];
    int count = worker_rand(worker, 4) == 0 ? 2 : 1, first = worker_rand(worker, KEYS);
    int64_t timeout_ms = 150 + worker_rand(worker, 300);
    for (int i = 0; i < 2; i++)
        snprintf(keys[i], sizeof(keys[i]), "k%d", (first + i) % KEYS);
    const char *wait = worker_rand(worker, 2) == 0 ? " WAIT 200" : "";
    if (count == 2)
        snprintf(words, sizeof(words), "LOCKALL %s TIMEOUT 0.%03ld%s %s %s", worker->owner,
                 (long)timeout_ms, wait, keys[0], keys[1]);
    else
        snprintf(words, sizeof(words), "LOCK %s %s TIMEOUT 0.%03ld%s", keys[0], worker->owner,
                 (long)timeout_ms, wait);
    int64_t asked_us = history_now_us();
    const char *reply = worker_ask(worker, words);
    if (reply == NULL)
        return;
    int got = count == 2
                  ? sscanf(reply, "1) (integer) %ld\n2) (integer) %ld", &fences[0], &fences[1])
                  : sscanf(reply, "(integer) %ld", &fences[0]);
    if (got != count) {
        until_pause();
        return;
    }
    for (int i = 0; i < count; i++)
        note(keys[i], fences[i], asked_us, timeout_ms, &holds[i]);
    worker_pause(worker, 2000);
    if (worker_rand(worker, 80) == 0)
        return;
    for (int i = 0; i < count; i++) {
        holds[i]->freed_us = history_now_us();
        snprintf(words, sizeof(words), "UNLOCK %s %s", keys[i], worker->owner);
        if (worker_ask(worker, words) == NULL)
            return;
    }
}

/* Then all must be free again. */
static void run(void (*harm)(struct crew *crew, unsigned *seed))
{
    struct crew crew = {.rig = &rig, .work = work_once};
    crew_run(&crew, RUN_MS, harm);
    history_check(history);
    /* A daemon that dies before it hears anything keeps its waiters' places for 3 of these 4 s. */
    ck_assert_msg(history_count(history) > 50, "only %zu locks", history_count(history));
    printf("lockers: %zu locks\n", history_count(history));
    until(strcmp(say(rig_redis(&rig), "KEYS rallocd|lock:*"), "(empty array)") == 0);
    until(strcmp(say(rig_redis(&rig), "KEYS rallocd|lock|claim:*"), "(empty array)") == 0);
}

/* Forward it cannot step unnoticed for less than half a second, for longer than these locks last.
 */
static void harm_clock(struct crew *crew, unsigned *seed)
{
    static int64_t offset_ms;
    offset_ms -= rand_r(seed) % 100;
    server_set_clock(&rig.redis, offset_ms);
    crew_harm_workers(crew, seed);
}

START_TEST(no_two_hold_one_lock_when_clients_are_killed)
{
    run(crew_harm_workers);
}
END_TEST

START_TEST(no_two_hold_one_lock_when_daemons_are_killed)
{
    run(crew_harm_daemons);
}
END_TEST

START_TEST(no_two_hold_one_lock_when_redis_is_killed_and_stopped)
{
    run(crew_harm_redis);
}
END_TEST

START_TEST(no_two_hold_one_lock_when_the_clock_of_redis_steps_back)
{
    run(harm_clock);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "lockers", set_up, tear_down, no_two_hold_one_lock_when_the_clock_of_redis_steps_back,
        no_two_hold_one_lock_when_clients_are_killed, no_two_hold_one_lock_when_daemons_are_killed,
        no_two_hold_one_lock_when_redis_is_killed_and_stopped);
}
