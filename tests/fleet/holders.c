/* holders: two daemons on one Redis, many clients, and whatever may die does: never do two hold one
 * resource, and nothing is lost. */
#include "tests/lib/crew.h"
#include "tests/lib/history.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_MS 5000

static struct rig rig;
static struct history *history;
static bool with_session; /* leases are held SESSION-wise, else with a time of their own */

static void set_up(void)
{
    rig_start(&rig);
    history = history_new(2000000);
    crew_daemons(&rig, 1);
    struct client *c = node_client(&rig.nodes[0]);
    expect(c, "POOL EXTEND p r0 r1 r2 r3 r4", "(integer) 5");
    client_close(c);
}

static void tear_down(void)
{
    history_free(history);
    rig_end(&rig);
}

static unsigned requests; /* of this process */

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
    if (choice < 20)
        worker_connect(worker);
    else
        worker_ask(worker, words);
}

/* Asks for the same again on a connection of its own, maybe at the other daemon, and leaves the
 * first one. False: that is not what it got, or nothing. */
static bool move(struct worker *worker, const char *words, const char *token)
{
    struct client *first = worker->client;
    worker->client = NULL;
    worker_connect(worker);
    const char *reply = worker_ask(worker, words);
    bool is_same = reply != NULL && strstr(reply, token) != NULL;
    client_close(first);
    if (reply != NULL && !is_same)
        worker_connect(worker);
    return is_same;
}

static void put_request(int choice, int64_t timeout_ms, bool waits, char *words, size_t size)
{
    char how[60];
    if (!with_session)
        snprintf(how, sizeof(how), "TIMEOUT 0.%03ld", (long)timeout_ms);
    else if (choice % 2 == 0)
        snprintf(how, sizeof(how), "SESSION REQID %d.%u", getpid(), requests++);
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
    bool waits = worker_rand(worker, 2) == 0;
    int64_t timeout_ms = (waits ? 300 : 150) + worker_rand(worker, 300);
    int choice = worker_rand(worker, 80);
    put_request(choice, timeout_ms, waits, words, sizeof(words));
    int64_t asked_us = history_now_us();
    const char *reply = worker_ask(worker, words);
    int64_t got_us = history_now_us();
    if (reply == NULL)
        return;
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
    worker_pause(worker, 3000);
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
    worker_ask(worker, words);
}

/* Then all must be free again. */
static void run(void (*harm)(struct crew *crew, unsigned *seed))
{
    struct crew crew = {.rig = &rig, .work = work_once};
    crew_run(&crew, RUN_MS, harm);
    history_check(history);
    ck_assert_msg(history_count(history) > 200, "only %zu leases", history_count(history));
    printf("holders: %zu leases\n", history_count(history));
    struct client *c = node_client(&rig.nodes[0]);
    until(strstr(say(c, "POOL FREELIST p"), "5) ") != NULL);
    client_close(c);
}

START_TEST(no_two_hold_one_resource)
{
    run(crew_harm_nobody);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_clients_are_killed)
{
    run(crew_harm_workers);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_daemons_are_killed)
{
    run(crew_harm_daemons);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_redis_is_killed_and_stopped)
{
    run(crew_harm_redis);
}
END_TEST

START_TEST(no_two_hold_one_resource_when_daemons_are_stopped_for_a_while)
{
    run(crew_harm_a_daemons_time);
}
END_TEST

START_TEST(no_two_hold_one_resource_by_sessions_when_clients_and_daemons_are_killed)
{
    with_session = true;
    run(crew_harm_daemons);
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
