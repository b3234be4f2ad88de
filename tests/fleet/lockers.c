/* lockers: two daemons on one Redis, many clients that lock the same few keys, and whatever may die
 * does: never do two hold one lock, and its fences grow. */
#include "tests/lib/history.h"
#include "tests/lib/rig.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define KEYS    3
#define RUN_MS  4000

static struct rig rig;
static struct history *history;
static pid_t workers[WORKERS];

static void set_up(void)
{
    rig_start_bare(&rig);
    server_own_clock(&rig.redis);
    server_start(&rig.redis);
    history = history_new(2000000);
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--redis.backoff_min=0.02");
        node_option(node, "--redis.backoff_max=0.2");
        node_option(node, "--redis.reply_timeout=1");
        node_start(node);
    }
}

static void tear_down(void)
{
    history_free(history);
    rig_end(&rig);
}

struct worker {
    struct client *client;
    unsigned seed;
    char owner[24];
};

/* A daemon may be dead just now: then the other one is tried. */
static void connect_somewhere(struct worker *worker)
{
    client_close(worker->client);
    do {
        worker->client = client_try_unix(rig.nodes[rand_r(&worker->seed) % 2].path);
        if (worker->client == NULL)
            until_pause();
    } while (worker->client == NULL);
}

/* NULL: the connection ended. */
static const char *ask(struct worker *worker, const char *words)
{
    client_send(worker->client, words);
    const char *reply = client_read_or_end(worker->client);
    if (reply == NULL)
        connect_somewhere(worker);
    return reply;
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

static void hold_for_a_moment(struct worker *worker)
{
    struct timespec moment = {0, rand_r(&worker->seed) % 2000 * 1000};
    nanosleep(&moment, NULL);
}

/* LOCK of one key, or LOCKALL of two: asked for, held, and ended; a few are forgotten. */
static void work_once(struct worker *worker)
{
    char words[200], keys[2][8];
    struct hold *holds[2];
    long fences[2];
    int count = rand_r(&worker->seed) % 4 == 0 ? 2 : 1, first = rand_r(&worker->seed) % KEYS;
    int64_t timeout_ms = 150 + rand_r(&worker->seed) % 300;
    for (int i = 0; i < 2; i++)
        snprintf(keys[i], sizeof(keys[i]), "k%d", (first + i) % KEYS);
    const char *wait = rand_r(&worker->seed) % 2 == 0 ? " WAIT 200" : "";
    if (count == 2)
        snprintf(words, sizeof(words), "LOCKALL %s TIMEOUT 0.%03ld%s %s %s", worker->owner,
                 (long)timeout_ms, wait, keys[0], keys[1]);
    else
        snprintf(words, sizeof(words), "LOCK %s %s TIMEOUT 0.%03ld%s", keys[0], worker->owner,
                 (long)timeout_ms, wait);
    int64_t asked_us = history_now_us();
    const char *reply = ask(worker, words);
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
    hold_for_a_moment(worker);
    if (rand_r(&worker->seed) % 80 == 0)
        return;
    for (int i = 0; i < count; i++) {
        holds[i]->freed_us = history_now_us();
        snprintf(words, sizeof(words), "UNLOCK %s %s", keys[i], worker->owner);
        if (ask(worker, words) == NULL)
            return;
    }
}

/* Each process is an owner of its own: what the one before it held is not his. */
static void start_worker(int i, unsigned seed)
{
    workers[i] = fork();
    ck_assert(workers[i] >= 0);
    if (workers[i] > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct worker worker = {.seed = seed};
    snprintf(worker.owner, sizeof(worker.owner), "w-%d", (int)getpid());
    connect_somewhere(&worker);
    for (;;)
        work_once(&worker);
}

static void kill_worker(int i)
{
    kill(workers[i], SIGKILL);
    waitpid(workers[i], NULL, 0);
}

/* Works for RUN_MS while `disturb` does its harm again and again; then all must be free again. */
static void run(void (*disturb)(unsigned *seed))
{
    unsigned seed = 7;
    int64_t end_ms = until_now_ms() + RUN_MS;
    for (int i = 0; i < WORKERS; i++)
        start_worker(i, (unsigned)i + 100);
    while (until_now_ms() < end_ms) {
        poll(NULL, 0, 50 + rand_r(&seed) % 200);
        disturb(&seed);
    }
    for (int i = 0; i < WORKERS; i++)
        kill_worker(i);
    history_check(history);
    /* A daemon that dies before it hears anything keeps its waiters' places for 3 of these 4 s. */
    ck_assert_msg(history_count(history) > 50, "only %zu locks", history_count(history));
    printf("lockers: %zu locks\n", history_count(history));
    until(strcmp(say(rig_redis(&rig), "KEYS rallocd|lock:*"), "(empty array)") == 0);
    until(strcmp(say(rig_redis(&rig), "KEYS rallocd|lock|claim:*"), "(empty array)") == 0);
}

static void harm_workers(unsigned *seed)
{
    int i = rand_r(seed) % WORKERS;
    kill_worker(i);
    start_worker(i, (unsigned)rand_r(seed));
}

static void harm_daemons(unsigned *seed)
{
    struct node *node = &rig.nodes[rand_r(seed) % 2];
    node_kill(node);
    node_start(node);
    harm_workers(seed);
}

static void harm_redis(unsigned *seed)
{
    if (rand_r(seed) % 3 == 0) {
        server_kill(&rig.redis);
        server_start(&rig.redis);
    } else {
        server_freeze(&rig.redis);
        poll(NULL, 0, rand_r(seed) % 300);
        server_thaw(&rig.redis);
    }
}

/* Forward it cannot step unnoticed for less than half a second, for longer than these locks last.
 */
static void harm_clock(unsigned *seed)
{
    static int64_t offset_ms;
    offset_ms -= rand_r(seed) % 100;
    server_set_clock(&rig.redis, offset_ms);
    harm_workers(seed);
}

START_TEST(no_two_hold_one_lock_when_clients_are_killed)
{
    run(harm_workers);
}
END_TEST

START_TEST(no_two_hold_one_lock_when_daemons_are_killed)
{
    run(harm_daemons);
}
END_TEST

START_TEST(no_two_hold_one_lock_when_redis_is_killed_and_stopped)
{
    run(harm_redis);
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
