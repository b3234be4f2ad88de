/* sources: several daemons and programs with the Python library, one list: one of them reads it. */
#include "tests/lib/rig.h"
#include "tests/lib/seedpeer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOCK "rallocd|p:rallocd|p|pool|policy_update_lock"

static struct rig rig;
static struct client *redis;

static void set_up(void)
{
    rig_start(&rig);
    redis = rig_redis(&rig);
}

static void tear_down(void)
{
    rig_end(&rig);
}

/* Two daemons whose pool p is listed by a program, which notes each run. */
static void start(double interval_s)
{
    char path[200];
    snprintf(path, sizeof path, "%s/lister", rig.guard.dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\necho run >>%s/runs\necho a\necho b\n", rig.guard.dir);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0755), 0);
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--pool:p.source=exec:%s", path);
        node_option(node, "--pool:p.source_interval=%g", interval_s);
        node_start(node);
    }
}

static int count_runs(void)
{
    char path[200];
    int count = 0;
    snprintf(path, sizeof path, "%s/runs", rig.guard.dir);
    FILE *file = fopen(path, "r");
    for (int byte; file != NULL && (byte = fgetc(file)) != EOF;)
        count += byte == '\n';
    if (file != NULL)
        fclose(file);
    return count;
}

static bool is_refresher(int i)
{
    if (rig.nodes[i].pid == 0)
        return false;
    struct client *c = node_client(&rig.nodes[i]);
    bool is_it = rig_number(say(c, "POOL INFO p"), "is_refresher") == 1;
    client_close(c);
    return is_it;
}

/* The daemon that reads the sources; waits until there is one. */
static int refresher(void)
{
    until(is_refresher(0) || is_refresher(1));
    ck_assert(is_refresher(0) != is_refresher(1));
    return is_refresher(1);
}

START_TEST(one_daemon_reads_once_in_an_interval)
{
    int64_t began_ms = until_now_ms();
    start(0.5);
    int first = refresher();
    until(count_runs() >= 8);
    int runs = count_runs();
    ck_assert_int_le(runs, (until_now_ms() - began_ms) / 500 + 1);
    ck_assert_int_eq(refresher(), first);
    expect(redis, "HLEN rallocd|p|pool", "(integer) 2");
}
END_TEST

START_TEST(another_one_takes_over_when_the_reader_is_killed)
{
    start(300);
    int first = refresher();
    until(count_runs() == 1);
    node_kill(&rig.nodes[first]);
    until(is_refresher(1 - first));
    until(count_runs() == 2);
}
END_TEST

START_TEST(another_one_takes_over_soon_when_the_reader_stops)
{
    start(300);
    int first = refresher();
    int64_t began_ms = until_now_ms();
    ck_assert_int_eq(node_stop(&rig.nodes[first]), 0);
    until(is_refresher(1 - first));
    ck_assert_int_lt(until_now_ms() - began_ms, 10000);
}
END_TEST

START_TEST(whoever_is_asked_to_refresh_reads_from_then_on)
{
    start(300);
    int first = refresher();
    until(count_runs() == 1);
    struct client *c = node_client(&rig.nodes[1 - first]);
    expect_like(c, "POOL REFRESH p", "*'resources'\n*(integer) 2\n*");
    client_close(c);
    ck_assert_int_eq(count_runs(), 2);
    until(!is_refresher(first));
    ck_assert_int_eq(refresher(), 1 - first);
    ck_assert_int_eq(count_runs(), 2);
}
END_TEST

START_TEST(a_python_program_that_updates_the_pool_keeps_the_daemons_off_for_its_interval)
{
    struct seedpeer peer;
    redisContext *context = server_connect(&rig.redis);
    const char *const theirs[] = {"x"};
    seedpeer_init(&peer, context, "rallocd|p", false);
    expect(redis, "SET " LOCK " 1 NX EX 3", "OK"); /* as its updater does */
    seedpeer_assign(&peer, -1, 1, theirs);
    start(0.2);
    while (strcmp(say(redis, "GET " LOCK), "\"1\"") == 0) {
        ck_assert(!is_refresher(0) && !is_refresher(1));
        ck_assert_int_eq(count_runs(), 0);
        until_pause();
    }
    until(count_runs() > 0);
    until(strcmp(say(redis, "HEXISTS rallocd|p|pool x"), "(integer) 0") == 0);
    expect(redis, "HLEN rallocd|p|pool", "(integer) 2");
    expect(redis, "SET " LOCK " 1 NX EX 3", "(nil)"); /* and its updater is kept off in turn */
    redisFree(context);
}
END_TEST

START_TEST(a_lease_outlives_what_the_lists_say_on_any_daemon)
{
    start(0.2);
    refresher();
    struct client *c = node_client(&rig.nodes[0]);
    until(say_int(c, "POOL LEN p") == 2);
    expect(c, "MALLOC p", "'a'");
    int runs = count_runs();
    until(count_runs() > runs + 3);
    expect(c, "MALLOC p COUNT 2", "1) 'b'");
    expect(c, "FREE p a b", "(integer) 2");
    client_close(c);
}
END_TEST

int main(void)
{
    return RIG_RUN("sources", set_up, tear_down, one_daemon_reads_once_in_an_interval,
                   another_one_takes_over_when_the_reader_is_killed,
                   another_one_takes_over_soon_when_the_reader_stops,
                   whoever_is_asked_to_refresh_reads_from_then_on,
                   a_python_program_that_updates_the_pool_keeps_the_daemons_off_for_its_interval,
                   a_lease_outlives_what_the_lists_say_on_any_daemon);
}
