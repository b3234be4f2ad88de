/* crew: processes that work at daemons; see crew.h. */
#include "tests/lib/crew.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAEMONS 2

/* --- workers -------------------------------------------------------------------------------- */

void worker_connect(struct worker *worker)
{
    client_close(worker->client);
    do {
        const struct node *node = &worker->crew->rig->nodes[worker_rand(worker, DAEMONS)];
        worker->client = client_try_unix(node->path);
        if (worker->client == NULL)
            until_pause();
    } while (worker->client == NULL);
}

const char *worker_ask(struct worker *worker, const char *words)
{
    client_send(worker->client, words);
    const char *reply = client_read_or_end(worker->client);
    if (reply == NULL)
        worker_connect(worker);
    return reply;
}

int worker_rand(struct worker *worker, int below)
{
    return rand_r(&worker->seed) % below;
}

void worker_pause(struct worker *worker, int most_us)
{
    struct timespec moment = {0, worker_rand(worker, most_us) * 1000L};
    nanosleep(&moment, NULL);
}

static void start_worker(struct crew *crew, int i, unsigned seed)
{
    crew->workers[i] = fork();
    ck_assert(crew->workers[i] >= 0);
    if (crew->workers[i] > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct worker worker = {.crew = crew, .seed = seed};
    snprintf(worker.owner, sizeof(worker.owner), "w-%d", (int)getpid());
    worker_connect(&worker);
    for (;;)
        crew->work(&worker);
}

static void kill_worker(struct crew *crew, int i)
{
    kill(crew->workers[i], SIGKILL);
    while (waitpid(crew->workers[i], NULL, 0) < 0 && errno == EINTR)
        ;
}

/* --- all of them ---------------------------------------------------------------------------- */

void crew_daemons(struct rig *rig, int session_s)
{
    for (int i = 0; i < DAEMONS; i++) {
        struct node *node = rig_node(rig);
        node_option(node, "--redis.backoff_min=0.02");
        node_option(node, "--redis.backoff_max=0.2");
        node_option(node, "--redis.reply_timeout=1");
        node_option(node, "--server.session_timeout=%d", session_s);
        node_start(node);
    }
}

void crew_run(struct crew *crew, int64_t run_ms, void (*harm)(struct crew *crew, unsigned *seed))
{
    unsigned seed = 7;
    int64_t end_ms = until_now_ms() + run_ms;
    for (int i = 0; i < CREW_WORKERS; i++)
        start_worker(crew, i, (unsigned)i + 100);
    while (until_now_ms() < end_ms) {
        poll(NULL, 0, 50 + rand_r(&seed) % 200);
        harm(crew, &seed);
    }
    for (int i = 0; i < CREW_WORKERS; i++)
        kill_worker(crew, i);
}

/* --- harm ----------------------------------------------------------------------------------- */

void crew_harm_nobody(struct crew *crew, unsigned *seed)
{
    (void)crew;
    (void)seed;
}

void crew_harm_workers(struct crew *crew, unsigned *seed)
{
    int i = rand_r(seed) % CREW_WORKERS;
    kill_worker(crew, i);
    start_worker(crew, i, (unsigned)rand_r(seed));
}

void crew_harm_daemons(struct crew *crew, unsigned *seed)
{
    struct node *node = &crew->rig->nodes[rand_r(seed) % DAEMONS];
    node_kill(node);
    node_start(node);
    crew_harm_workers(crew, seed);
}

void crew_harm_redis(struct crew *crew, unsigned *seed)
{
    struct server *redis = &crew->rig->redis;
    if (rand_r(seed) % 3 == 0) {
        server_kill(redis);
        server_start(redis);
    } else {
        server_freeze(redis);
        poll(NULL, 0, rand_r(seed) % 300);
        server_thaw(redis);
    }
    crew_harm_workers(crew, seed);
}

void crew_harm_a_daemons_time(struct crew *crew, unsigned *seed)
{
    struct node *node = &crew->rig->nodes[rand_r(seed) % DAEMONS];
    node_signal(node, SIGSTOP);
    poll(NULL, 0, rand_r(seed) % 600);
    node_signal(node, SIGCONT);
}
