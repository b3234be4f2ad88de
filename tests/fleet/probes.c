/* probes of several daemons: each pool is probed by one of them at a time, and another takes over
 * when that one dies or cannot reach Redis. The pool is filled from a list. */
#include "base/mem.h"
#include "tests/lib/rig.h"
#include "tests/lib/seedpeer.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct client *c[2];

/* Each check leaves a line: who its daemon is. What is ill is a file of its name. */
static void write_program(void)
{
    char path[200];
    snprintf(path, sizeof path, "%s/program", rig.guard.dir);
    FILE *file = fopen(path, "w");
    fprintf(file, "#!/bin/sh\necho \"$1 $PPID\" >>%s/checks\ntest ! -e %s/ill-$1\n", rig.guard.dir,
            rig.guard.dir);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static void write_list(const char *lines)
{
    char path[200], fresh[220];
    snprintf(path, sizeof path, "%s/list", rig.guard.dir);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    fputs(lines, file);
    fclose(file);
    ck_assert_int_eq(rename(fresh, path), 0);
}

static void set_up(void)
{
    rig_start(&rig);
    write_program();
    write_list("a\nb\nc\nd\n");
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--pool:p.probe=exec");
        node_option(node, "--pool:p.probe_target=%s/program {resource}", rig.guard.dir);
        node_option(node, "--pool:p.probe_interval=0.3");
        node_option(node, "--pool:p.probe_fall=2");
        node_option(node, "--pool:p.source=file:%s/list", rig.guard.dir);
        node_start(node);
        c[i] = node_client(node);
    }
    until(say_int(c[0], "POOL LEN p") == 4);
}

static void tear_down(void)
{
    for (int i = 0; i < 2; i++)
        client_close(c[i]);
    rig_end(&rig);
}

static void make_ill(const char *resource, bool is_ill)
{
    char path[200];
    snprintf(path, sizeof path, "%s/ill-%s", rig.guard.dir, resource);
    if (is_ill)
        fclose(fopen(path, "w"));
    else
        ck_assert_int_eq(unlink(path), 0);
}

/* Checks that this daemon has run so far. */
static int checks_of(const struct node *node)
{
    char path[200], line[100];
    int count = 0;
    snprintf(path, sizeof path, "%s/checks", rig.guard.dir);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += atoi(strchr(line, ' ') + 1) == node->pid;
    if (file != NULL)
        fclose(file);
    return count;
}

/* The index of the daemon that probes. */
static int prober(void)
{
    int64_t give_up_ms = until_now_ms() + until_wait_ms();
    int before[2] = {checks_of(&rig.nodes[0]), checks_of(&rig.nodes[1])};
    int now[2];
    do {
        until_pause();
        for (int i = 0; i < 2; i++)
            now[i] = checks_of(&rig.nodes[i]);
        ck_assert_int_lt(until_now_ms(), give_up_ms);
    } while (now[0] + now[1] < before[0] + before[1] + 12);
    ck_assert_msg(now[0] == before[0] || now[1] == before[1], "both daemons probe");
    return now[1] > before[1];
}

static bool is_quarantined(int daemon, const char *resource)
{
    return strstr(sayf(c[daemon], "POOL STATUS p %s", resource), "\"quarantined\"") != NULL;
}

START_TEST(one_daemon_probes_and_all_of_them_tell)
{
    int leader = prober();
    make_ill("b", true);
    for (int i = 0; i < 2; i++) {
        until(is_quarantined(i, "b"));
        until(rig_number(say(c[i], "POOL INFO p"), "ill") == 1);
        ck_assert_int_eq(rig_number(say(c[i], "POOL INFO p"), "healthy"), 3);
    }
    ck_assert_int_eq(prober(), leader);
}
END_TEST

START_TEST(another_daemon_takes_over_within_seconds_when_the_prober_dies)
{
    int leader = prober(), other = 1 - leader;
    make_ill("b", true);
    until(is_quarantined(other, "b"));
    node_kill(&rig.nodes[leader]);
    int64_t killed_ms = until_now_ms();
    make_ill("b", false);
    make_ill("c", true);
    until(is_quarantined(other, "c"));
    until(!is_quarantined(other, "b"));
    ck_assert_int_lt(until_now_ms() - killed_ms, 12000);
    node_start(&rig.nodes[leader]);
    client_close(c[leader]);
    c[leader] = node_client(&rig.nodes[leader]);
    ck_assert_int_eq(prober(), other); /* it stays with it */
}
END_TEST

START_TEST(a_daemon_that_hung_does_not_probe_beside_the_one_that_took_over)
{
    int leader = prober(), other = 1 - leader;
    node_signal(&rig.nodes[leader], SIGSTOP);
    make_ill("c", true);
    until(is_quarantined(other, "c"));
    node_signal(&rig.nodes[leader], SIGCONT);
    ck_assert_int_eq(prober(), other);
    make_ill("c", false);
    until(!is_quarantined(leader, "c"));
}
END_TEST

static void expect_theirs(struct seedpeer *peer, const char *expected)
{
    char *got = seedpeer_malloc(peer, 100, "", 0);
    if (expected == NULL)
        ck_assert_ptr_null(got);
    else
        ck_assert_str_eq(got, expected);
    mem_free(got);
}

START_TEST(a_python_program_is_given_nothing_ill_and_keeps_what_it_has)
{
    struct seedpeer peer;
    redisContext *context = server_connect(&rig.redis);
    const char *const a[] = {"a"};
    seedpeer_init(&peer, context, "rallocd|p", false);
    expect_theirs(&peer, "a");
    make_ill("a", true);
    make_ill("b", true);
    until(is_quarantined(0, "b"));
    until(rig_number(say(c[0], "POOL INFO p"), "ill") == 2);
    expect_theirs(&peer, "c");
    expect_theirs(&peer, "d");
    expect_theirs(&peer, NULL);
    expect_like(c[1], "POOL STATUS p a", "*'leased'*");
    seedpeer_free(&peer, -1, 1, a);
    until(is_quarantined(1, "a"));
    make_ill("a", false);
    until(!is_quarantined(1, "a"));
    expect_theirs(&peer, "a");
    write_list("b\nc\n");
    until(say_int(c[1], "POOL LEN p") == 2);
    seedpeer_free(&peer, -1, 1, a); /* it has left the pool */
    expect_theirs(&peer, NULL);
    until(strcmp(say(c[0], "POOL CHECK p"), "(empty array)") == 0); /* by the sweep */
    redisFree(context);
}
END_TEST

int main(void)
{
    return RIG_RUN("probes", set_up, tear_down, one_daemon_probes_and_all_of_them_tell,
                   another_daemon_takes_over_within_seconds_when_the_prober_dies,
                   a_daemon_that_hung_does_not_probe_beside_the_one_that_took_over,
                   a_python_program_is_given_nothing_ill_and_keeps_what_it_has);
}
