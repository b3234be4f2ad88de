/* shutdown: SIGTERM, SIGINT and SHUTDOWN: what is in flight is answered, nothing new is taken. */
#include "tests/lib/rig.h"
#include "tests/lib/wire.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void begin(void)
{
    node_start(node);
    c = node_client(node);
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
}

/* A request that waits for Redis. */
static struct client *client_with_open_request(void)
{
    struct client *waiting = node_client(node);
    expect(waiting, "PING", "PONG");
    server_freeze(&rig.redis);
    client_send(waiting, "MALLOC p");
    until(strstr(say(c, "INFO clients"), "pending_requests:2\\r\\n") != NULL);
    return waiting;
}

START_TEST(sigterm_ends_with_0)
{
    begin();
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert(client_is_closed(c));
    ck_assert(node_log_has(node, "event=stopping signal=SIGTERM"));
    ck_assert(node_log_has(node, "event=stopped"));
}
END_TEST

START_TEST(sigint_ends_with_0)
{
    begin();
    node_signal(node, SIGINT);
    ck_assert_int_eq(node_wait_end(node), 0);
}
END_TEST

START_TEST(what_is_in_flight_is_answered_before_the_end)
{
    begin();
    struct client *waiting = client_with_open_request();
    node_signal(node, SIGTERM);
    ck_assert(client_is_closed(c)); /* nothing of its was open */
    ck_assert_ptr_null(client_try_unix(node->path));
    server_thaw(&rig.redis);
    expect_text(client_read(waiting), "'r1'");
    ck_assert_ptr_null(client_read_or_end(waiting));
    ck_assert_int_eq(node_wait_end(node), 0);
    client_close(waiting);
}
END_TEST

START_TEST(shutdown_timeout_bounds_the_waiting)
{
    node_option(node, "--server.shutdown_timeout=0.3");
    begin();
    struct client *waiting = client_with_open_request();
    int64_t began_ms = until_now_ms();
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 3000);
    ck_assert(client_is_closed(waiting));
    ck_assert(node_log_has(node, "event=shutdown-timeout"));
    server_thaw(&rig.redis);
    client_close(waiting);
}
END_TEST

START_TEST(a_second_signal_ends_at_once)
{
    begin();
    struct client *waiting = client_with_open_request();
    node_signal(node, SIGTERM);
    ck_assert(client_is_closed(c));
    int64_t began_ms = until_now_ms();
    node_signal(node, SIGTERM);
    ck_assert_int_eq(node_wait_end(node), 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 2000);
    server_thaw(&rig.redis);
    client_close(waiting);
}
END_TEST

START_TEST(a_client_that_reads_nothing_does_not_hold_the_end_up)
{
    struct text words = {0};
    node_option(node, "--server.shutdown_timeout=1");
    begin();
    text_addf(&words, "*2\r\n$4\r\nECHO\r\n$4000000\r\n%04000000d\r\n", 1);
    client_send_raw(c, words.bytes, words.len);
    struct client *other = node_client(node);
    until(strstr(say(other, "CLIENT LIST"), "cmd=echo") != NULL);
    int64_t began_ms = until_now_ms();
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 4000);
    client_close(other);
    text_clear(&words);
}
END_TEST

START_TEST(the_shutdown_command_ends_the_daemon)
{
    begin();
    client_send(c, "SHUTDOWN");
    ck_assert_ptr_null(client_read_or_end(c));
    ck_assert_int_eq(node_wait_end(node), 0);
}
END_TEST

START_TEST(shutdown_now_waits_for_nobody)
{
    begin();
    struct client *waiting = client_with_open_request();
    int64_t began_ms = until_now_ms();
    client_send(c, "SHUTDOWN NOSAVE NOW");
    ck_assert_int_eq(node_wait_end(node), 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 2000);
    server_thaw(&rig.redis);
    client_close(waiting);
}
END_TEST

START_TEST(shutdown_refuses_what_it_does_not_know)
{
    begin();
    expect_like(c, "SHUTDOWN FOO", "(error) ERR syntax error*");
    expect(c, "PING", "PONG");
}
END_TEST

START_TEST(leases_outlive_the_daemon)
{
    begin();
    expect(c, "MALLOC p OWNER me", "'r1'");
    client_close(c);
    ck_assert_int_eq(node_stop(node), 0);
    node_start(node);
    c = node_client(node);
    expect_like(c, "HELD p me", "1) 1) 'r1'*");
    expect(c, "MALLOC p", "'r2'");
}
END_TEST

int main(void)
{
    return RIG_RUN("shutdown", set_up, tear_down, sigterm_ends_with_0, sigint_ends_with_0,
                   what_is_in_flight_is_answered_before_the_end,
                   shutdown_timeout_bounds_the_waiting, a_second_signal_ends_at_once,
                   a_client_that_reads_nothing_does_not_hold_the_end_up,
                   the_shutdown_command_ends_the_daemon, shutdown_now_waits_for_nobody,
                   shutdown_refuses_what_it_does_not_know, leases_outlive_the_daemon);
}
