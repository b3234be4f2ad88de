/* shares: owners with shares, as clients see them: at a daemon that has them in its settings and at
 * one that has not. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *other, *waiting[3];

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
    node_option(node, "--pool:p.fair_age=%s", "30");
    node_option(node, "--pool:p.shares=%s", "big:2, small:1");
    node_start(node);
    c = node_client(node);
    expect(c, "POOL EXTEND p a b d", "(integer) 3");
    struct node *bare = rig_daemon(&rig);
    other = node_client(bare);
    for (int i = 0; i < 3; i++)
        waiting[i] = node_client(bare);
}

static void tear_down(void)
{
    for (int i = 0; i < 3; i++)
        client_close(waiting[i]);
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

static void wait_in_line(int i, const char *words)
{
    client_send(waiting[i], words);
    until(rig_number(say(c, "POOL INFO p"), "waiters") == i + 1);
}

START_TEST(who_holds_least_is_served_first)
{
    expect(c, "MALLOC p OWNER one COUNT 2", "1) 'a'\n2) 'b'");
    expect(other, "MALLOC p OWNER two", "'d'");
    wait_in_line(0, "MALLOC p OWNER one WAIT 0");
    wait_in_line(1, "MALLOC p OWNER two WAIT 0");
    wait_in_line(2, "MALLOC p OWNER three WAIT 0");
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(waiting[2]), "'a'");
    expect(other, "FREE p d", "(integer) 1");
    expect_text(client_read(waiting[1]), "'d'");
    expect(other, "FREE p b", "(integer) 1");
    expect_text(client_read(waiting[0]), "'b'");
}
END_TEST

START_TEST(weights_say_how_much_owners_may_hold)
{
    expect(c, "MALLOC p OWNER big COUNT 2", "1) 'a'\n2) 'b'");
    expect(c, "MALLOC p OWNER small", "'d'");
    wait_in_line(0, "MALLOC p OWNER small WAIT 0");
    wait_in_line(1, "MALLOC p OWNER big WAIT 0");
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(waiting[1]), "'a'"); /* 1 of 2, beside 1 of 1 */
    expect(c, "FREE p d", "(integer) 1");
    expect_text(client_read(waiting[0]), "'d'");
}
END_TEST

START_TEST(explain_tells_the_line_as_it_will_be_served)
{
    expect(c, "MALLOC p OWNER one COUNT 3", "1) 'a'\n2) 'b'\n3) 'd'");
    wait_in_line(0, "MALLOC p OWNER one WAIT 0");
    wait_in_line(1, "MALLOC p OWNER two WAIT 0");
    expect_like(c, "EXPLAIN p", "*'two'*'one'*");
}
END_TEST

START_TEST(shares_can_be_changed_and_ended_while_clients_wait)
{
    expect(c, "MALLOC p OWNER one COUNT 3", "1) 'a'\n2) 'b'\n3) 'd'");
    wait_in_line(0, "MALLOC p OWNER one WAIT 0");
    wait_in_line(1, "MALLOC p OWNER one WAIT 0");
    wait_in_line(2, "MALLOC p OWNER two WAIT 0");
    expect(c, "CONFIG SET pool:p.fair_age 0", "OK");
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(waiting[0]), "'a'");
    expect_like(c, "CONFIG SET pool:p.shares one", "(error) ERR CONFIG SET failed*'one'");
    expect(c, "CONFIG SET pool:p.shares two:1", "OK");
    expect(c, "CONFIG SET pool:p.fair_age 30", "OK");
    expect(c, "FREE p b", "(integer) 1");
    expect_text(client_read(waiting[2]), "'b'");
    expect(c, "FREE p d", "(integer) 1");
    expect_text(client_read(waiting[1]), "'d'");
}
END_TEST

int main(void)
{
    return RIG_RUN("shares", set_up, tear_down, who_holds_least_is_served_first,
                   weights_say_how_much_owners_may_hold,
                   explain_tells_the_line_as_it_will_be_served,
                   shares_can_be_changed_and_ended_while_clients_wait);
}
