/* tasks: two daemons on one Redis, producers and workers, and whatever may die does: no task that
 * was taken on is lost, none is ended twice, none that was ended is handed out again. */
#include "tests/lib/rig.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PRODUCERS = 3, WORKERS = 6, MAX_TASKS = 400000 };

/* What the processes saw of each task; times in ms, 0: not yet. */
struct seen {
    int64_t submitted_ms; /* QUERY was answered OK */
    int64_t ended_ms;     /* RESULT was answered OK */
    int ends;             /* how often */
    int wrong;            /* handed out after it had been ended */
};

struct board {
    int next;         /* task */
    int is_harm_over; /* nothing is forgotten any more */
    struct seen tasks[MAX_TASKS];
};

static struct rig rig;
static struct board *board;
static pid_t processes[PRODUCERS + WORKERS];

static void set_up(void)
{
    rig_start(&rig);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(board != MAP_FAILED);
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--redis.backoff_min=0.02");
        node_option(node, "--redis.backoff_max=0.2");
        node_option(node, "--redis.reply_timeout=1");
        node_option(node, "--server.session_timeout=1");
        node_option(node, "--queue:*.retry_delay=0.02");
        node_option(node, "--queue:*.retry_max_delay=0.1");
        node_start(node);
    }
}

static void tear_down(void)
{
    munmap(board, sizeof(*board));
    rig_end(&rig);
}

/* A daemon may be dead just now: then the other one is tried. */
static void connect_somewhere(struct client **client, unsigned *seed)
{
    client_close(*client);
    while ((*client = client_try_unix(rig.nodes[rand_r(seed) % 2].path)) == NULL)
        until_pause();
}

/* NULL: the connection ended. */
static const char *ask(struct client **client, unsigned *seed, const char *words)
{
    client_send(*client, words);
    const char *reply = client_read_or_end(*client);
    if (reply == NULL)
        connect_somewhere(client, seed);
    return reply;
}

static void produce(unsigned seed)
{
    struct client *client = NULL;
    connect_somewhere(&client, &seed);
    for (;;) {
        int id = __atomic_fetch_add(&board->next, 1, __ATOMIC_SEQ_CST);
        char words[120];
        if (id >= MAX_TASKS)
            pause();
        int kind = rand_r(&seed) % 10;
        snprintf(words, sizeof(words), "QUERY q %d x NOWAIT TIMEOUT 60 RETRIES 1000%s", id,
                 kind == 0   ? " PRIORITY 5"
                 : kind == 1 ? " DELAY 0.05"
                             : "");
        const char *reply;
        do /* the same id again joins it: safe to repeat */
            reply = ask(&client, &seed, words);
        while (reply == NULL || strcmp(reply, "OK") != 0);
        board->tasks[id].submitted_ms = until_now_ms();
        poll(NULL, 0, 1);
    }
}

static void work(unsigned seed)
{
    struct client *client = NULL;
    connect_somewhere(&client, &seed);
    for (;;) {
        char words[80];
        int id = -1;
        int64_t asked_ms = until_now_ms();
        const char *reply = ask(&client, &seed, "LISTEN q WAIT 100");
        if (reply == NULL || sscanf(reply, "1) \"q\"\n2) \"%d\"", &id) != 1)
            continue;
        struct seen *seen = &board->tasks[id];
        if (seen->ended_ms > 0 && seen->ended_ms < asked_ms - 1)
            seen->wrong = 1;
        if (!board->is_harm_over && rand_r(&seed) % 50 == 0)
            continue; /* forgotten: it comes back when this connection ends, or at its deadline */
        snprintf(words, sizeof(words), "RESULT %d done", id);
        reply = ask(&client, &seed, words);
        if (reply != NULL && strcmp(reply, "OK") == 0) {
            seen->ended_ms = until_now_ms();
            __atomic_fetch_add(&seen->ends, 1, __ATOMIC_SEQ_CST);
        }
    }
}

static void start_process(int i, unsigned seed)
{
    processes[i] = fork();
    ck_assert(processes[i] >= 0);
    if (processes[i] > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (i < PRODUCERS)
        produce(seed);
    work(seed);
}

static void kill_process(int i)
{
    kill(processes[i], SIGKILL);
    waitpid(processes[i], NULL, 0);
}

static bool are_all_done(struct client *redis)
{
    char words[120];
    for (int id = 0; id < board->next && id < MAX_TASKS; id++) {
        if (board->tasks[id].submitted_ms == 0 || board->tasks[id].ends > 0)
            continue;
        snprintf(words, sizeof(words), "HGET rallocd|task-queue|task-result:%d state", id);
        if (strcmp(say(redis, words), "\"done\"") != 0)
            return false;
    }
    return true;
}

/* Until so many tasks have been thought of. */
static void run(void (*disturb)(unsigned *seed), int wanted)
{
    unsigned seed = 11;
    int submitted = 0, ended = 0;
    for (int i = 0; i < PRODUCERS + WORKERS; i++)
        start_process(i, (unsigned)i + 50);
    while (board->next < wanted) {
        poll(NULL, 0, 50 + rand_r(&seed) % 200);
        disturb(&seed);
    }
    for (int i = 0; i < PRODUCERS; i++)
        kill_process(i);
    board->is_harm_over = 1;
    for (int i = PRODUCERS; i < PRODUCERS + WORKERS; i++) { /* what was forgotten comes back */
        kill_process(i);
        start_process(i, (unsigned)i);
    }
    until(are_all_done(rig_redis(&rig)));
    for (int i = PRODUCERS; i < PRODUCERS + WORKERS; i++)
        kill_process(i);
    for (int id = 0; id < board->next && id < MAX_TASKS; id++) {
        const struct seen *seen = &board->tasks[id];
        ck_assert_msg(seen->ends <= 1, "task %d was ended %d times", id, seen->ends);
        ck_assert_msg(!seen->wrong, "task %d was handed out after its end", id);
        submitted += seen->submitted_ms > 0;
        ended += seen->ends;
    }
    printf("tasks: %d submitted, %d ended\n", submitted, ended);
    ck_assert_int_ge(submitted, wanted - PRODUCERS);
    ck_assert_int_gt(ended, submitted / 2);
}

static void harm_workers(unsigned *seed)
{
    int i = PRODUCERS + rand_r(seed) % WORKERS;
    kill_process(i);
    start_process(i, (unsigned)rand_r(seed));
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

START_TEST(nothing_is_lost_or_ended_twice_when_workers_are_killed)
{
    run(harm_workers, 10000);
}
END_TEST

START_TEST(nothing_is_lost_or_ended_twice_when_daemons_are_killed)
{
    run(harm_daemons, 10000);
}
END_TEST

START_TEST(nothing_is_lost_or_ended_twice_when_redis_is_killed_and_stopped)
{
    run(harm_redis, 3000);
}
END_TEST

int main(void)
{
    return RIG_RUN("tasks", set_up, tear_down,
                   nothing_is_lost_or_ended_twice_when_workers_are_killed,
                   nothing_is_lost_or_ended_twice_when_daemons_are_killed,
                   nothing_is_lost_or_ended_twice_when_redis_is_killed_and_stopped);
}
