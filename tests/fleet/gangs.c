/* gangs: two daemons on one Redis, many clients that want resources of several pools at once, and
 * whatever may die does: nobody ever has a part only, no two hold one resource, and nothing is
 * lost. */
#include "tests/lib/crew.h"
#include "tests/lib/history.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RUN_MS 3000
#define POOLS  3
#define ALL    "EXISTS rallocd|a:a0 rallocd|a:a1 rallocd|a:a2 rallocd|b:b0 rallocd|b:b1 rallocd|c:c0"

/* What the workers have seen, in memory that they share. */
struct tally {
    atomic_int gangs, part_only;
};

static struct rig rig;
static struct history *history;
static struct tally *tally;

static void set_up(void)
{
    rig_start(&rig);
    history = history_new(2000000);
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(tally != MAP_FAILED);
    crew_daemons(&rig, 1);
    struct client *c = node_client(&rig.nodes[0]);
    expect(c, "POOL EXTEND a a0 a1 a2", "(integer) 3");
    expect(c, "POOL EXTEND b b0 b1", "(integer) 2");
    expect(c, "POOL EXTEND c c0", "(integer) 1");
    client_close(c);
}

static void tear_down(void)
{
    history_free(history);
    munmap(tally, sizeof(*tally));
    rig_end(&rig);
}

/* --- work ----------------------------------------------------------------------------------- */

/* Two or three pools in any order, one or two of the first and one of each other; how many in all.
 */
static int choose_parts(struct worker *worker, char *words, size_t size)
{
    int pools = 2 + worker_rand(worker, 2), first = worker_rand(worker, POOLS), count = 0;
    int step = 1 + worker_rand(worker, 2);
    size_t len = strlen(words);
    for (int i = 0; i < pools; i++) {
        char pool = (char)('a' + (first + i * step) % POOLS);
        int number = i == 0 && pool != 'c' ? 1 + worker_rand(worker, 2) : 1;
        len += (size_t)snprintf(words + len, size - len, " %c %d", pool, number);
        count += number;
    }
    return count;
}

/* Notes all leases of a reply WITHTOKEN, how many there are. */
static int note_all(const char *reply, int64_t asked_us, int64_t timeout_ms, struct hold **holds)
{
    int count = 0;
    for (const char *at = reply; (at = strstr(at, "1) \"")) != NULL; at += 4) {
        struct hold *hold = history_add(history);
        long fence = 0;
        if (sscanf(at, "1) \"%23[^\"]\"\n2) \"%*[^\"]\"\n3) (integer) %ld", hold->resource,
                   &fence) != 2)
            continue;
        hold->fence = fence;
        hold->asked_us = asked_us;
        hold->got_us = history_now_us();
        hold->timeout_ms = timeout_ms;
        hold->is_whole = 1;
        holds[count++] = hold;
    }
    return count;
}

static void give_back(struct worker *worker, struct hold *const *holds, int count)
{
    char words[80];
    for (int i = 0; i < count; i++) {
        holds[i]->freed_us = history_now_us();
        snprintf(words, sizeof(words), "FREE %c %s", holds[i]->resource[0], holds[i]->resource);
        if (worker_ask(worker, words) == NULL)
            return;
    }
}

/* A few are forgotten. Every other one waits: for less than it holds, which is counted from when it
 * asked. */
static void work_once(struct worker *worker)
{
    char words[200];
    struct hold *holds[8];
    bool waits = worker_rand(worker, 2) == 0;
    int64_t timeout_ms = (waits ? 300 : 150) + worker_rand(worker, 300);
    snprintf(words, sizeof(words), "MALLOCALL TIMEOUT 0.%03ld WITHTOKEN%s", (long)timeout_ms,
             waits ? " WAIT 150" : "");
    int wanted = choose_parts(worker, words, sizeof(words));
    int64_t asked_us = history_now_us();
    const char *reply = worker_ask(worker, words);
    if (reply == NULL)
        return;
    int count = note_all(reply, asked_us, timeout_ms, holds);
    if (count == 0) {
        until_pause();
        return;
    }
    atomic_fetch_add(&tally->gangs, 1);
    if (count != wanted)
        atomic_fetch_add(&tally->part_only, 1);
    worker_pause(worker, 2000);
    if (worker_rand(worker, 80) != 0)
        give_back(worker, holds, count);
}

static void run(void (*harm)(struct crew *crew, unsigned *seed))
{
    struct crew crew = {.rig = &rig, .work = work_once};
    crew_run(&crew, RUN_MS, harm);
    history_check(history);
    int gangs = atomic_load(&tally->gangs);
    printf("gangs: %d gangs of %zu leases\n", gangs, history_count(history));
    ck_assert_int_gt(gangs, 0); /* a busy machine kills them faster than they come up */
    ck_assert_int_eq(atomic_load(&tally->part_only), 0);
    until(say_int(rig_redis(&rig), ALL) == 0);
}

START_TEST(nobody_has_a_part_only)
{
    run(crew_harm_nobody);
}
END_TEST

START_TEST(nobody_has_a_part_only_when_clients_and_daemons_are_killed)
{
    run(crew_harm_daemons);
}
END_TEST

START_TEST(nobody_has_a_part_only_when_redis_is_killed_and_stopped)
{
    run(crew_harm_redis);
}
END_TEST

START_TEST(nobody_has_a_part_only_when_daemons_are_stopped_for_a_while)
{
    run(crew_harm_a_daemons_time);
}
END_TEST

/* --- opposite orders ------------------------------------------------------------------------ */

/* Each of two wants all of both pools again and again, and names them in its own order. */
START_TEST(gangs_that_name_their_pools_in_opposite_orders_all_have_their_turn)
{
    static const char *const words[2] = {"MALLOCALL WAIT 0 TIMEOUT 3 a 3 b 2",
                                         "MALLOCALL WAIT 0 TIMEOUT 3 b 2 a 3"};
    struct client *clients[2];
    int turns[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        clients[i] = node_client(&rig.nodes[i]);
        client_send(clients[i], words[i]);
    }
    for (int64_t end_ms = until_now_ms() + until_wait_ms(); turns[0] < 100 || turns[1] < 100;) {
        for (int i = 0; i < 2; i++) {
            if (!client_has_reply(clients[i], 1))
                continue;
            ck_assert_ptr_nonnull(strstr(client_read(clients[i]), "b1"));
            turns[i]++;
            expect(clients[i], "FREE b b0 b1", "(integer) 2");
            expect(clients[i], "FREE a a0 a1 a2", "(integer) 3");
            client_send(clients[i], words[i]);
        }
        ck_assert_msg(until_now_ms() < end_ms, "%d and %d turns", turns[0], turns[1]);
    }
    for (int i = 0; i < 2; i++)
        client_close(clients[i]);
    /* Unless one had its answer on the way, which then ends by its time. */
    until(say_int(rig_redis(&rig), ALL) == 0);
}
END_TEST

int main(void)
{
    return RIG_RUN("gangs", set_up, tear_down, nobody_has_a_part_only,
                   nobody_has_a_part_only_when_clients_and_daemons_are_killed,
                   nobody_has_a_part_only_when_redis_is_killed_and_stopped,
                   nobody_has_a_part_only_when_daemons_are_stopped_for_a_while,
                   gangs_that_name_their_pools_in_opposite_orders_all_have_their_turn);
}
