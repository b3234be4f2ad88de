/* sessions: what is held SESSION-wise at one daemon and asked for again at another. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <string.h>

#define FREE   "1) (integer) 0\n2) (integer) 2"
#define LEASED "1) (integer) 1\n2) (integer) 1"

static struct rig rig;
static struct client *first, *second, *other; /* first and other are of the first daemon */

static void set_up(void)
{
    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--server.session_timeout=2");
        node_start(node);
    }
    first = node_client(&rig.nodes[0]);
    second = node_client(&rig.nodes[1]);
    other = node_client(&rig.nodes[0]);
    expect(other, "POOL EXTEND p r1 r2", "(integer) 2");
}

static void tear_down(void)
{
    client_close(first);
    client_close(second);
    client_close(other);
    rig_end(&rig);
}

static void pass_ms(int64_t ms)
{
    int64_t end_ms = until_now_ms() + ms;
    until(until_now_ms() >= end_ms);
}

/* What its daemon was to give back has been given back then. */
static void hang_up(struct client **client, int node)
{
    struct client *witness = node_client(&rig.nodes[node]);
    client_close(*client);
    until(strstr(say(witness, "INFO clients"), "sessions_held:0") != NULL);
    say(witness, "RENEW p nothing"); /* behind it */
    *client = witness;
}

START_TEST(a_lease_goes_on_at_the_second_daemon_when_the_first_connection_ends)
{
    expect(first, "MALLOC p REQID q SESSION", "'r1'");
    expect(second, "MALLOC p REQID q SESSION", "'r1'");
    hang_up(&first, 0);
    expect(other, "POOL HEALTH p", LEASED);
    pass_ms(2500);
    expect(other, "POOL HEALTH p", LEASED);
    expect_like(second, "CLIENT LIST", "*held=1*");
    hang_up(&second, 1);
    expect(other, "POOL HEALTH p", FREE);
}
END_TEST

START_TEST(a_lease_goes_on_at_the_first_daemon_when_the_second_connection_ends)
{
    expect(first, "MALLOC p COUNT 2 REQID q SESSION", "1) 'r1'\n2) 'r2'");
    expect(second, "MALLOC p COUNT 2 REQID q SESSION", "1) 'r1'\n2) 'r2'");
    hang_up(&second, 1);
    pass_ms(2500);
    expect(other, "POOL HEALTH p", "1) (integer) 2\n2) (integer) 0");
    expect(first, "FREE p r2", "(integer) 1");
    hang_up(&first, 0);
    expect(other, "POOL HEALTH p", FREE);
}
END_TEST

START_TEST(who_waited_for_the_same_request_at_two_daemons_hold_it_together)
{
    expect(other, "MALLOC p COUNT 2", "1) 'r1'\n2) 'r2'");
    client_send(first, "MALLOC p REQID q SESSION WAIT 5000");
    client_send(second, "MALLOC p REQID q SESSION WAIT 5000");
    until(say_int(rig_redis(&rig), "ZCARD rallocd|p|pool|waiters") == 2);
    expect(other, "FREE p r2", "(integer) 1");
    expect_text(client_read(first), "'r2'");
    expect_text(client_read(second), "'r2'");
    expect(other, "FREE p r1", "(integer) 1");
    hang_up(&first, 0);
    expect(other, "POOL HEALTH p", LEASED);
    hang_up(&second, 1);
    expect(other, "POOL HEALTH p", FREE);
}
END_TEST

START_TEST(a_daemon_that_was_killed_leaves_the_lease_to_the_other)
{
    expect(first, "MALLOC p REQID q SESSION", "'r1'");
    expect(second, "MALLOC p REQID q SESSION", "'r1'");
    node_kill(&rig.nodes[0]);
    pass_ms(2500);
    expect(second, "POOL HEALTH p", LEASED);
    node_start(&rig.nodes[0]);
    hang_up(&second, 1);
    until(strcmp(say(second, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
}
END_TEST

START_TEST(a_lock_belongs_to_the_connection_that_got_it_last)
{
    say(first, "LOCK a me REQID q SESSION");
    say(first, "LOCK b me SESSION");
    say(first, "LOCK c me SHARED SESSION");
    say(first, "LOCKALL me SESSION REQID q d e");
    say(second, "LOCK a me REQID q SESSION");
    say(second, "RLOCK b me SESSION");
    say(second, "RLOCK c me SHARED SESSION");
    say(second, "LOCKALL me SESSION REQID q d e");
    hang_up(&first, 0);
    pass_ms(2500);
    expect(rig_redis(&rig), "EXISTS rallocd|lock:a rallocd|lock:b rallocd|lock:c rallocd|lock:d",
           "(integer) 4");
    hang_up(&second, 1);
    until(say_int(rig_redis(&rig), "EXISTS rallocd|lock:a rallocd|lock:b rallocd|lock:c "
                                   "rallocd|lock:d rallocd|lock:e") == 0);
}
END_TEST

int main(void)
{
    return RIG_RUN("sessions", set_up, tear_down, a_lock_belongs_to_the_connection_that_got_it_last,
                   a_lease_goes_on_at_the_second_daemon_when_the_first_connection_ends,
                   a_lease_goes_on_at_the_first_daemon_when_the_second_connection_ends,
                   who_waited_for_the_same_request_at_two_daemons_hold_it_together,
                   a_daemon_that_was_killed_leaves_the_lease_to_the_other);
}
