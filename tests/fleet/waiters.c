/* waiters: one line over several daemons: its order, and what a dead daemon does to it. */
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITERS 60

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
                   a_dead_daemon_at_the_head_holds_up_nobody_for_long,
                   who_waits_at_a_daemon_that_was_stopped_gets_the_old_place_back);
}
