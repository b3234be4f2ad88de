/* waiters: one line over several daemons: its order, and what a dead daemon does to it. */
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITERS 60
#define CROWD   400

static struct rig rig;
static struct node *nodes[2];
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    for (int i = 0; i < 2; i++)
        nodes[i] = rig_daemon(&rig);
    c = node_client(nodes[0]);
    expect(c, "POOL EXTEND p r", "(integer) 1");
    expect(c, "MALLOC p TIMEOUT 0", "'r'");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static int64_t in_line(void)
{
    return say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters");
}

static struct client *wait_in_line(const struct node *node, const char *words)
{
    struct client *client = node_client(node);
    int64_t before = in_line();
    client_send(client, words);
    until(in_line() == before + 1);
    return client;
}

START_TEST(the_line_is_served_in_the_order_of_coming_over_all_daemons)
{
    struct client *waiters[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = wait_in_line(nodes[(i / 3) % 2], "MALLOC p WAIT 0 TIMEOUT 0");
    for (int i = 0; i < WAITERS; i++) {
        expect(c, "FREE p r", "(integer) 1");
        expect_text(client_read(waiters[i]), "'r'");
        if (i + 1 < WAITERS)
            ck_assert(!client_has_reply(waiters[i + 1], 0));
        client_close(waiters[i]);
    }
    ck_assert_int_eq(in_line(), 0);
}
END_TEST

/* --- hundreds --- */

static struct client *crowd[CROWD];

/* Hundreds who come to one daemon and the other in turn; each is in the line before the next one
 * comes. */
static void gather_crowd(const char *words)
{
    struct client *askers[2] = {node_client(nodes[0]), node_client(nodes[1])};
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = node_client(nodes[i % 2]);
        client_send(crowd[i], words);
        node_catch_up(nodes[i % 2]);
        expect(askers[i % 2], "POOL LEN p", "(integer) 1"); /* behind it in its daemon's lane */
    }
    ck_assert_int_eq(in_line(), CROWD);
    client_close(askers[0]);
    client_close(askers[1]);
}

static void dismiss_crowd(void)
{
    for (int i = 0; i < CROWD; i++)
        client_close(crowd[i]);
    until(in_line() == 0);
}

static void add_resources(int count)
{
    char words[CROWD * 8] = "POOL EXTEND p", *at = words + strlen(words);
    for (int i = 0; i < count; i++)
        at += sprintf(at, " s%03d", i);
    client_send(c, words);
    client_read(c);
}

/* All is there for all at once: by the fences it is seen who was served before whom. */
START_TEST(hundreds_at_two_daemons_are_served_in_the_order_of_coming)
{
    long fence, last = 0;
    int overtakers = 0;
    gather_crowd("MALLOC p WAIT 0 WITHTOKEN");
    add_resources(CROWD);
    for (int i = 0; i < CROWD; i++) {
        const char *reply = client_read(crowd[i]);
        ck_assert_msg(sscanf(reply, "1) \"%*[^\"]\"\n2) \"%*[^\"]\"\n3) (integer) %ld", &fence) ==
                          1,
                      "%s", reply);
        overtakers += fence < last;
        last = fence;
    }
    ck_assert_int_eq(overtakers, 0);
    dismiss_crowd();
}
END_TEST

static int64_t calls_of(const char *command)
{
    char name[40];
    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    const char *at = strstr(say(rig_redis(&rig), "INFO commandstats"), name);
    return at != NULL ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* Each hand-over is a FREE and what its waiter fetches; the daemons' timers call now and then. If
 * all who wait asked at one FREE alone, that would be hundreds of calls. */
START_TEST(what_is_freed_wakes_one_of_hundreds)
{
    const int times = 20;
    gather_crowd("MALLOC p WAIT 0 TIMEOUT 0");
    expect(rig_redis(&rig), "CONFIG RESETSTAT", "OK");
    for (int i = 0; i < times; i++) {
        expect(c, "FREE p r", "(integer) 1");
        expect_text(client_read(crowd[i]), "'r'");
    }
    int64_t calls = calls_of("evalsha"), published = calls_of("publish");
    ck_assert_int_eq(published, times);
    ck_assert_int_ge(calls, 2 * times);
    ck_assert_int_lt(calls, 2 * times + CROWD / 2);
    dismiss_crowd();
}
END_TEST

/* --- who dies --- */

/* It has not left the line yet, or leaves it while something is granted to it: either way the next
 * one gets it. */
START_TEST(a_head_that_dies_while_something_is_freed_holds_up_nobody)
{
    for (int i = 0; i < 50; i++) {
        struct client *first = wait_in_line(nodes[1], "MALLOC p WAIT 0 TIMEOUT 0");
        struct client *second = wait_in_line(nodes[0], "MALLOC p WAIT 0 TIMEOUT 0");
        client_close(first);
        expect(c, "FREE p r", "(integer) 1");
        expect_text(client_read(second), "'r'");
        client_close(second);
    }
    ck_assert_int_eq(in_line(), 0);
}
END_TEST

/* The head of the line is of a daemon that dies: what is given back goes to it, unheard. */
START_TEST(a_dead_daemon_at_the_head_holds_up_nobody_for_long)
{
    struct client *first = wait_in_line(nodes[1], "MALLOC p WAIT 0");
    struct client *second = wait_in_line(nodes[0], "MALLOC p WAIT 0");
    node_signal(nodes[1], SIGKILL);
    int64_t began_ms = until_now_ms();
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(second), "'r'");
    int64_t took_ms = until_now_ms() - began_ms;
    printf("waiters: a dead daemon held up the next one for %d ms\n", (int)took_ms);
    ck_assert_int_lt(took_ms, 3300);
    node_kill(nodes[1]);
    client_close(first);
    client_close(second);
}
END_TEST

/* It was stopped for so long that it was taken for dead: nobody of it has lost its place but to
 * those who were served meanwhile. */
START_TEST(who_waits_at_a_daemon_that_was_stopped_gets_the_old_place_back)
{
    struct client *first = wait_in_line(nodes[1], "MALLOC p WAIT 0 TIMEOUT 0");
    struct client *second = wait_in_line(nodes[0], "MALLOC p WAIT 0 TIMEOUT 0");
    struct client *third = wait_in_line(nodes[0], "MALLOC p WAIT 0 TIMEOUT 0");
    node_signal(nodes[1], SIGSTOP);
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(second), "'r'");
    node_signal(nodes[1], SIGCONT);
    until(in_line() == 2);
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(first), "'r'");
    ck_assert(!client_has_reply(third, 50));
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(third), "'r'");
    client_close(first);
    client_close(second);
    client_close(third);
}
END_TEST

int main(void)
{
    return RIG_RUN("waiters", set_up, tear_down,
                   the_line_is_served_in_the_order_of_coming_over_all_daemons,
                   hundreds_at_two_daemons_are_served_in_the_order_of_coming,
                   what_is_freed_wakes_one_of_hundreds,
                   a_head_that_dies_while_something_is_freed_holds_up_nobody,
                   a_dead_daemon_at_the_head_holds_up_nobody_for_long,
                   who_waits_at_a_daemon_that_was_stopped_gets_the_old_place_back);
}
