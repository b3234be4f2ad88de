/* holders: two daemons on one Redis, many clients, and whatever may die does: never do two hold one
 * resource, and nothing is lost. */
#include "tests/lib/history.h"
#include "tests/lib/rig.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS   8
#define RESOURCES 5
#define RUN_MS    5000

static struct rig rig;
static struct history *history;
static pid_t workers[WORKERS];
static bool with_session; /* leases are held SESSION-wise, else with a time of their own */

static void set_up(void)
{
    rig_start(&rig);
    history = history_new(2000000);
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--redis.backoff_min=0.02");
        node_option(node, "--redis.backoff_max=0.2");
        node_option(node, "--redis.reply_timeout=1");
        node_option(node, "--server.session_timeout=1");
        node_start(node);
    }
    struct client *c = node_client(&rig.nodes[0]);
    expect(c, "POOL EXTEND p r0 r1 r2 r3 r4", "(integer) 5");
    client_close(c);
}

static void tear_down(void)
{
    history_free(history);
    rig_end(&rig);
}

/* --- a worker: its own process, its own connection ------------------------------------------ */

struct worker {
    struct client *client;
    unsigned seed, requests;
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
    return client_read_or_end(worker->client);
}

static void hold_for_a_moment(struct worker *worker)
{
    struct timespec moment = {0, rand_r(&worker->seed) % 3000 * 1000};
    nanosleep(&moment, NULL);
}

/* With a session: for longer than its time now and then, and given back by FREE or by hanging up.
 */
static void hold_on(struct worker *worker, struct hold *hold, int choice)
{
    char words[80];
    for (int i = choice == 0 ? 130 : 0; i > 0 && !client_has_reply(worker->client, 10); i--)
        hold->freed_us = history_now_us();
    if (!client_has_reply(worker->client, 0)) /* else the connection has ended */
        hold->freed_us = history_now_us();
    snprintf(words, sizeof(words), "FREE p %s", hold->resource);
    if (choice < 20 || ask(worker, words) == NULL)
        connect_somewhere(worker);
}

/* Asks for the same again on a connection of its own, maybe at the other daemon, and leaves the
 * first one. False: that is not what it got, or nothing. */
static bool move(struct worker *worker, const char *words, const char *token)
{
    struct client *first = worker->client;
    worker->client = NULL;
    connect_somewhere(worker);
    const char *reply = ask(worker, words);
    bool is_same = reply != NULL && strstr(reply, token) != NULL;
    client_close(first);
    if (!is_same)
        connect_somewhere(worker);
    return is_same;
}

static void put_request(struct worker *worker, int choice, int64_t timeout_ms, bool waits,
                        char *words, size_t size)
{
    char how[60];
    if (!with_session)
        snprintf(how, sizeof(how), "TIMEOUT 0.%03ld", (long)timeout_ms);
    else if (choice % 2 == 0)
        snprintf(how, sizeof(how), "SESSION REQID %d.%u", getpid(), worker->requests++);
    else
        strcpy(how, "SESSION");
    snprintf(words, size, "MALLOC p %s WITHTOKEN%s", how, waits ? " WAIT 150" : "");
}

/* One lease: asked for, held, and freed; a few are forgotten, a few freed too late. Every other one
 * is waited for: for less than its time, so that it can be said to be held for a part of that. */
static void work_once(struct worker *worker)
{
    char words[200], token[64], resource[24];
    long fence;
    bool waits = rand_r(&worker->seed) % 2 == 0;
    int64_t timeout_ms = (waits ? 300 : 150) + rand_r(&worker->seed) % 300;
    int choice = rand_r(&worker->seed) % 80;
    put_request(worker, choice, timeout_ms, waits, words, sizeof(words));
    int64_t asked_us = history_now_us();
    const char *reply = ask(worker, words);
    int64_t got_us = history_now_us();
    if (reply == NULL) {
        connect_somewhere(worker);
        return;
    }
    if (sscanf(reply, "1) \"%23[^\"]\"\n2) \"%63[^\"]\"\n3) (integer) %ld", resource, token,
               &fence) != 3) {
        until_pause();
        return;
    }
    struct hold *hold = history_add(history);
    *hold = (struct hold){
        .fence = fence, .asked_us = asked_us, .got_us = got_us, .timeout_ms = timeout_ms};
    strcpy(hold->resource, resource);
    if (with_session) {
        hold->freed_us = got_us; /* as long as this process can say more */
        hold->timeout_ms = 60000;
    }
    hold->is_whole = 1;
    hold_for_a_moment(worker);
    if (with_session) {
        if (choice % 4 == 0 && !move(worker, words, token))
            return;
        hold_on(worker, hold, choice);
        return;
    }
    if (choice == 0)
        return;
    if (choice == 1)
        poll(NULL, 0, (int)timeout_ms + 5);
    hold->freed_us = history_now_us();
    snprintf(words, sizeof(words), "FREE p TOKEN %s %s", token, resource);
    if (ask(worker, words) == NULL)
        connect_somewhere(worker);
}

static void start_worker(int i, unsigned seed)
{
    workers[i] = fork();
    ck_assert(workers[i] >= 0);
    if (workers[i] > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct worker worker = {.seed = seed};
    connect_somewhere(&worker);
    for (;;)
        work_once(&worker);
}

static void kill_worker(int i)
{
    kill(workers[i], SIGKILL);
    while (waitpid(workers[i], NULL, 0) < 0 && errno == EINTR)
        ;
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
    ck_assert_msg(history_count(history) > 200, "only %zu leases", history_count(history));
    printf("holders: %zu leases\n", history_count(history));
    struct client *c = node_client(&rig.nodes[0]);
    until(strstr(say(c, "POOL FREELIST p"), "5) ") != NULL);
    client_close(c);
}

/* --- harm ----------------------------------------------------------------------------------- */

static void harm_nobody(unsigned *seed)
{
    (void)seed;
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
    harm_workers(seed);
}

static void harm_a_daemons_time(unsigned *seed)
{
    struct node *node = &rig.nodes[rand_r(seed) % 2];
    node_signal(node, SIGSTOP);
    poll(NULL, 0, rand_r(seed) % 600);
    node_signal(node, SIGCONT);
}

START_TEST(no_two_hold_one_resource)
{
    run(harm_nobody);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_clients_are_killed)
{
    run(harm_workers);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_daemons_are_killed)
{
    run(harm_daemons);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_redis_is_killed_and_stopped)
{
    run(harm_redis);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_daemons_are_stopped_for_a_while)
{
    run(harm_a_daemons_time);
}
END_TEST

START_TEST(no_two_hold_one_resource_by_sessions_when_clients_and_daemons_are_killed)
{
    with_session = true;
    run(harm_daemons);
}
END_TEST

int main(void)
{
    return RIG_RUN("holders", set_up, tear_down, no_two_hold_one_resource,
                   no_two_hold_one_resource_when_clients_are_killed,
                   no_two_hold_one_resource_when_daemons_are_killed,
                   no_two_hold_one_resource_when_redis_is_killed_and_stopped,
                   no_two_hold_one_resource_when_daemons_are_stopped_for_a_while,
                   no_two_hold_one_resource_by_sessions_when_clients_and_daemons_are_killed);
}
