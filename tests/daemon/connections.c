/* connections: how they come, are limited, named, listed, and end; listeners. */
#include "tests/lib/rig.h"
#include "tests/lib/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct rig rig;
static struct node *node; /* not started: tests add options */
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
}

static int64_t info_number(const char *field)
{
    char name[100];
    const char *info = say(c, "INFO everything");
    snprintf(name, sizeof(name), "\\n%s:", field);
    const char *at = strstr(info, name);
    ck_assert_msg(at != NULL, "no %s in %s", field, info);
    return strtoll(at + strlen(name), NULL, 10);
}

/* --- listeners --- */

START_TEST(tcp_v4_v6_and_unix_are_listened_at_together)
{
    node_option(node, "--server.listen=127.0.0.1:0,[::1]:0,unix:%s", node->path);
    begin();
    struct client *v4 = client_tcp("127.0.0.1", node->port);
    struct client *v6 = client_tcp("::1", node->port_v6);
    expect(v4, "PING", "PONG");
    expect(v6, "PING", "PONG");
    expect(c, "PING", "PONG");
    expect_like(v4, "CLIENT INFO", "'id=* addr=127.0.0.1:* laddr=127.0.0.1:* *");
    expect_like(v6, "CLIENT INFO", "'id=* addr=[[]::1]:* laddr=[[]::1]:* *");
    expect_like(c, "CLIENT INFO", "'id=* addr=*daemon-0.sock:0 laddr=*daemon-0.sock:0 *");
    client_close(v4);
    client_close(v6);
}
END_TEST

START_TEST(a_unix_socket_has_the_mode_that_was_asked_for)
{
    struct stat st;
    node_option(node, "--server.unixsocketperm=0640");
    begin();
    ck_assert_int_eq(stat(node->path, &st), 0);
    ck_assert_int_eq((int)(st.st_mode & 0777), 0640);
}
END_TEST

START_TEST(a_dead_unix_socket_is_replaced_and_removed_at_the_end)
{
    begin();
    client_close(c);
    c = NULL;
    node_kill(node);
    ck_assert_int_eq(access(node->path, F_OK), 0);
    begin();
    expect(c, "PING", "PONG");
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert_int_ne(access(node->path, F_OK), 0);
}
END_TEST

START_TEST(a_live_unix_socket_is_left_alone)
{
    begin();
    struct node *second = rig_node(&rig);
    node_option(second, "--server.listen=unix:%s", node->path);
    node_launch(second);
    ck_assert_int_eq(node_wait_end(second), 1);
    ck_assert(node_log_has(second, "another server answers there"));
    expect(c, "PING", "PONG");
    struct client *other = node_client(node);
    expect(other, "PING", "PONG");
    client_close(other);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    int fd = open(node->path, O_WRONLY | O_CREAT, 0600);
    close(fd);
    node_launch(node);
    ck_assert_int_eq(node_wait_end(node), 1);
    ck_assert(node_log_has(node, "is no socket"));
    ck_assert_int_eq(access(node->path, F_OK), 0);
}
END_TEST

START_TEST(a_port_in_use_ends_the_start)
{
    node_option(node, "--server.listen=127.0.0.1:0,unix:%s", node->path);
    begin();
    struct node *second = rig_node(&rig);
    node_option(second, "--server.listen=127.0.0.1:%d", node->port);
    node_launch(second);
    ck_assert_int_eq(node_wait_end(second), 1);
    ck_assert(node_log_has(second, "Address already in use"));
}
END_TEST

/* --- limits --- */

START_TEST(one_client_more_than_maxclients_is_refused)
{
    node_option(node, "--server.maxclients=3");
    begin();
    struct client *second = node_client(node), *third = node_client(node);
    expect(c, "PING", "PONG");
    expect(second, "PING", "PONG");
    expect(third, "PING", "PONG");
    struct client *fourth = node_client(node);
    expect_text(client_read(fourth), "(error) ERR max number of clients reached");
    ck_assert(client_is_closed(fourth));
    client_close(fourth);
    ck_assert_int_eq(info_number("rejected_connections"), 1);
    client_close(third);
    until(info_number("connected_clients") == 2);
    third = node_client(node);
    expect(third, "PING", "PONG");
    client_close(second);
    client_close(third);
}
END_TEST

START_TEST(maxclients_can_be_raised_while_running)
{
    node_option(node, "--server.maxclients=1");
    begin();
    expect(c, "CONFIG SET maxclients 2", "OK");
    struct client *second = node_client(node);
    expect(second, "PING", "PONG");
    client_close(second);
}
END_TEST

START_TEST(maxclients_is_lowered_to_what_the_system_allows)
{
    struct rlimit limit = {200, 200};
    /* or the daemon, as root, would just raise it */
    if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0) != 0) {
        puts("connections: skipped: root's right to raise limits cannot be dropped here");
        begin();
        return;
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    begin();
    ck_assert(node_log_has(node, "maxclients-lowered"));
    ck_assert_int_eq(info_number("maxclients"), 200 - 64 - 4);
}
END_TEST

START_TEST(connections_without_a_descriptor_left_are_refused_and_come_back)
{
    struct rlimit few = {0}, many = {0};
    struct client *clients[40];
    int refused = 0;
    begin();
    expect(c, "PING", "PONG");
    ck_assert_int_eq(prlimit(node->pid, RLIMIT_NOFILE, NULL, &many), 0);
    few = (struct rlimit){30, many.rlim_max};
    ck_assert_int_eq(prlimit(node->pid, RLIMIT_NOFILE, &few, NULL), 0);
    for (int i = 0; i < 40; i++) {
        clients[i] = node_client(node);
        client_send(clients[i], "PING");
    }
    for (int i = 0; i < 40; i++)
        refused += strcmp(client_read(clients[i]), "PONG") != 0;
    ck_assert_int_gt(refused, 5);
    ck_assert_int_lt(refused, 40);
    ck_assert(node_log_has(node, "accept-failed"));
    expect(c, "PING", "PONG");
    ck_assert_int_eq(prlimit(node->pid, RLIMIT_NOFILE, &many, NULL), 0);
    for (int i = 0; i < 40; i++)
        client_close(clients[i]);
    clients[0] = node_client(node);
    expect(clients[0], "PING", "PONG");
    client_close(clients[0]);
}
END_TEST

/* How much memory the daemon's process has; in bytes. */
static int64_t daemon_memory(void)
{
    char path[64], line[200];
    int64_t kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)node->pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "Private_Dirty:", 14) == 0)
            kib = strtoll(line + 14, NULL, 10);
    }
    fclose(file);
    return kib * 1024;
}

#define MANY 10000

START_TEST(ten_thousand_connections_are_served_at_under_2_kib_each)
{
    struct rlimit limit;
    static struct client *clients[MANY];
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < MANY + 100) {
        printf("connections: skipped: only %ld open files are allowed\n", (long)limit.rlim_cur);
        begin();
        return;
    }
    node_option(node, "--server.maxclients=%d", MANY + 10);
    begin();
    int64_t before = daemon_memory();
    for (int i = 0; i < MANY; i++)
        clients[i] = node_client(node);
    until(info_number("connected_clients") == MANY + 1);
    int64_t idle = (daemon_memory() - before) / MANY;
    for (int i = 0; i < MANY; i++)
        client_send(clients[i], "PING");
    for (int i = 0; i < MANY; i++)
        expect_text(client_read(clients[i]), "PONG");
    int64_t used = (daemon_memory() - before) / MANY;
    printf("connections: %ld bytes for an idle one, %ld after a request\n", (long)idle, (long)used);
    bool is_plain = getenv("WRAP") == NULL && strstr(node_program(), "release") != NULL;
    ck_assert_msg(!is_plain || used < 2048, "%ld bytes a connection", (long)used);
    for (int i = 0; i < MANY; i++)
        client_close(clients[i]);
    until(info_number("connected_clients") == 1);
}
END_TEST

START_TEST(a_storm_of_connections_does_not_keep_others_waiting)
{
    begin();
    struct client *storm[500];
    for (int i = 0; i < 500; i++)
        storm[i] = node_client(node);
    int64_t began_ms = until_now_ms();
    expect(c, "PING", "PONG");
    ck_assert_int_lt(until_now_ms() - began_ms, 200);
    for (int i = 0; i < 500; i++)
        client_close(storm[i]);
}
END_TEST

START_TEST(an_idle_client_is_closed_after_timeout)
{
    node_option(node, "--server.timeout=1");
    begin();
    struct client *monitor = node_client(node);
    expect(monitor, "MONITOR", "OK");
    expect(c, "PING", "PONG");
    int64_t began_ms = until_now_ms();
    ck_assert(client_is_closed(c));
    ck_assert_int_ge(until_now_ms() - began_ms, 900);
    client_close(c);
    c = node_client(node);
    expect_text_like(client_read(monitor), "* 'PING'");
    ck_assert_int_ge(info_number("idle_disconnections"), 1);
    client_close(monitor);
}
END_TEST

static void fill_pool(void)
{
    struct text words = {0};
    text_addf(&words, "POOL EXTEND big");
    for (int i = 0; i < 2000; i++)
        text_addf(&words, " resource-%04d", i);
    expect(c, words.bytes, "(integer) 2000");
    text_clear(&words);
}

START_TEST(output_over_max_output_closes_that_client_alone)
{
    begin();
    fill_pool();
    expect(c, "CONFIG SET max_output 16kb", "OK");
    struct client *greedy = node_client(node);
    client_send(greedy, "POOL KEYS big"); /* 40 KB at once */
    ck_assert(client_is_closed(greedy));
    client_close(greedy);
    expect(c, "PING", "PONG");
    ck_assert_int_eq(info_number("client_output_buffer_limit_disconnections"), 1);
}
END_TEST

START_TEST(replies_that_wait_behind_another_count_as_output)
{
    begin();
    fill_pool();
    expect(c, "CONFIG SET max_output 100kb", "OK");
    struct client *greedy = node_client(node);
    server_freeze(&rig.redis); /* the first request waits, and with it all behind it */
    client_send(greedy, "POOL LEN p");
    struct text words = {0};
    text_addf(&words, "*2\r\n$4\r\nECHO\r\n$120000\r\n%0120000d\r\n", 1);
    client_send_raw(greedy, words.bytes, words.len);
    ck_assert(client_is_closed(greedy));
    server_thaw(&rig.redis);
    client_close(greedy);
    text_clear(&words);
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(a_slow_reader_gets_all_in_the_end)
{
    size_t len;
    begin();
    fill_pool();
    for (int i = 0; i < 200; i++)
        client_send(c, "POOL FREELIST big"); /* 4 MB */
    for (int i = 0; i < 200; i++) {
        client_read_raw(c, &len);
        ck_assert_int_eq((int)len, 7 + 2000 * 20);
        if (i % 20 == 0)
            until_pause();
    }
}
END_TEST

START_TEST(a_client_that_reads_nothing_is_closed_after_write_timeout)
{
    node_option(node, "--server.write_timeout=1");
    begin();
    fill_pool();
    struct client *deaf = node_client(node);
    for (int i = 0; i < 200; i++)
        client_send(deaf, "POOL FREELIST big");
    until(info_number("write_timeout_disconnections") == 1);
    client_close(deaf);
}
END_TEST

/* --- ends --- */

START_TEST(a_half_closed_client_gets_its_answers)
{
    begin();
    expect(c, "POOL EXTEND p r", "(integer) 1");
    struct client *half = node_client(node);
    client_send(half, "MALLOC p");
    client_send(half, "POOL LEN p");
    client_send(half, "ECHO x");
    client_shut(half);
    expect_text(client_read(half), "'r'");
    expect_text(client_read(half), "(integer) 1");
    expect_text(client_read(half), "'x'");
    ck_assert_ptr_null(client_read_or_end(half));
    client_close(half);
}
END_TEST

START_TEST(a_half_closed_tcp_client_gets_its_answers)
{
    node_option(node, "--server.listen=127.0.0.1:0,unix:%s", node->path);
    begin();
    struct client *half = client_tcp("127.0.0.1", node->port);
    client_send(half, "POOL LEN p");
    client_send(half, "ECHO x");
    client_shut(half);
    expect_text(client_read(half), "(integer) 0");
    expect_text(client_read(half), "'x'");
    ck_assert_ptr_null(client_read_or_end(half));
    client_close(half);
}
END_TEST

START_TEST(a_client_that_goes_while_requests_are_open_gives_its_lease_back)
{
    begin();
    expect(c, "POOL EXTEND p r", "(integer) 1");
    struct client *gone = node_client(node);
    expect(gone, "POOL LEN p", "(integer) 1");
    server_freeze(&rig.redis);
    client_send(gone, "MALLOC p");
    until(info_number("pending_requests") >= 2); /* its, and this one */
    client_close(gone);
    until(info_number("connected_clients") == 1);
    server_thaw(&rig.redis);
    until(strcmp(say(c, "POOL FREELIST p"), "1) \"r\"") == 0);
    expect(c, "MALLOC p", "'r'");
}
END_TEST

START_TEST(quit_answers_all_before_and_closes)
{
    begin();
    client_send(c, "POOL LEN p");
    client_send(c, "QUIT");
    client_send(c, "ECHO never");
    expect_text(client_read(c), "(integer) 0");
    expect_text(client_read(c), "OK");
    ck_assert_ptr_null(client_read_or_end(c));
}
END_TEST

/* --- CLIENT --- */

START_TEST(client_ids_grow)
{
    begin();
    struct client *second = node_client(node);
    int64_t first_id = say_int(c, "CLIENT ID");
    ck_assert_int_gt(say_int(second, "CLIENT ID"), first_id);
    client_close(second);
}
END_TEST

START_TEST(client_names_are_set_listed_and_checked)
{
    begin();
    expect(c, "CLIENT GETNAME", "(nil)");
    expect(c, "CLIENT SETNAME me", "OK");
    expect(c, "CLIENT GETNAME", "'me'");
    expect(c, "CLIENT SETINFO LIB-NAME lib", "OK");
    expect(c, "CLIENT SETINFO LIB-VER 1.2", "OK");
    expect_like(c, "CLIENT LIST", "'id=* name=me * cmd=client|list * lib-name=lib lib-ver=1.2*");
    expect_like(c, "CLIENT SETNAME \"a b\"", "(error) ERR *spaces*");
    expect_like(c, "CLIENT SETINFO LIB-FOO x", "(error) ERR *");
    expect(c, "CLIENT SETNAME \"\"", "OK");
    expect(c, "CLIENT GETNAME", "(nil)");
}
END_TEST

START_TEST(client_list_shows_all_and_filters)
{
    begin();
    struct client *second = node_client(node);
    int64_t id = say_int(second, "CLIENT ID");
    const char *list = say(c, "CLIENT LIST");
    ck_assert_ptr_nonnull(strstr(strstr(list, "id=") + 3, "\\nid="));
    list = sayf(c, "CLIENT LIST ID %ld", (long)id);
    ck_assert(strstr(list, "id=") != NULL && strstr(list, "\\nid=") == NULL);
    expect_like(c, "CLIENT LIST FOO", "(error) ERR syntax error*");
    expect_like(c, "CLIENT LIST ID x", "(error) ERR *");
    expect(c, "CLIENT LIST TYPE pubsub", "''");
    client_close(second);
}
END_TEST

START_TEST(client_kill_closes_by_id_and_address)
{
    begin();
    struct client *second = node_client(node), *third = node_client(node);
    int64_t id = say_int(second, "CLIENT ID");
    expect(third, "PING", "PONG");
    ck_assert_str_eq(sayf(c, "CLIENT KILL ID %ld", (long)id), "(integer) 1");
    ck_assert(client_is_closed(second));
    ck_assert_str_eq(sayf(c, "CLIENT KILL ID %ld", (long)id), "(integer) 0");
    expect(third, "PING", "PONG");
    expect_like(c, "CLIENT KILL 1.2.3.4:5", "(error) ERR No such client");
    expect_like(c, "CLIENT KILL ID x", "(error) ERR *");
    ck_assert_str_eq(sayf(c, "CLIENT KILL LADDR %s:0", node->path), "(integer) 1");
    ck_assert(client_is_closed(third));
    expect(c, "PING", "PONG"); /* SKIPME is yes unless told otherwise */
    client_close(second);
    client_close(third);
}
END_TEST

START_TEST(client_kill_of_oneself_answers_first)
{
    begin();
    struct client *self = node_client(node);
    int64_t id = say_int(self, "CLIENT ID");
    ck_assert_str_eq(sayf(self, "CLIENT KILL ID %ld SKIPME no", (long)id), "(integer) 1");
    ck_assert(client_is_closed(self));
    client_close(self);
}
END_TEST

START_TEST(client_kill_by_tcp_address)
{
    node_option(node, "--server.listen=127.0.0.1:0,unix:%s", node->path);
    begin();
    struct client *tcp = client_tcp("127.0.0.1", node->port);
    char address[100];
    const char *info = say(tcp, "CLIENT INFO");
    ck_assert(sscanf(strstr(info, "addr=") + 5, "%99s", address) == 1);
    ck_assert_str_eq(sayf(c, "CLIENT KILL %s", address), "OK");
    ck_assert(client_is_closed(tcp));
    client_close(tcp);
}
END_TEST

START_TEST(client_reply_off_on_and_skip)
{
    begin();
    client_send(c, "CLIENT REPLY OFF");
    client_send(c, "ECHO never");
    client_send(c, "POOL EXTEND p r");
    expect(c, "CLIENT REPLY ON", "OK");
    expect(c, "POOL LEN p", "(integer) 1");
    client_send(c, "CLIENT REPLY SKIP");
    client_send(c, "POOL LEN p");
    expect(c, "ECHO seen", "'seen'");
    client_send(c, "CLIENT REPLY SKIP");
    client_send(c, "CLIENT REPLY SKIP");
    client_send(c, "ECHO never");
    expect(c, "ECHO seen", "'seen'");
    expect_like(c, "CLIENT REPLY FOO", "(error) ERR syntax error*");
}
END_TEST

START_TEST(client_no_evict_is_shown)
{
    begin();
    expect(c, "CLIENT NO-EVICT ON", "OK");
    expect_like(c, "CLIENT INFO", "* flags=e *");
    expect(c, "CLIENT NO-EVICT OFF", "OK");
    expect_like(c, "CLIENT INFO", "* flags=N *");
    expect_like(c, "CLIENT NO-EVICT x", "(error) ERR syntax error*");
}
END_TEST

START_TEST(client_trackinginfo_and_help)
{
    begin();
    expect_like(c, "CLIENT TRACKINGINFO", "*'flags'*'off'*");
    expect_like(c, "CLIENT HELP", "*CLIENT <subcommand>*");
    expect_like(c, "CLIENT FOO", "(error) ERR unknown subcommand 'FOO'. Try CLIENT HELP.");
}
END_TEST

/* --- AUTH --- */

START_TEST(a_password_is_asked_for)
{
    node_option(node, "--server.requirepass=secret");
    begin();
    expect_like(c, "POOL LEN p", "(error) NOAUTH Authentication required.");
    expect_like(c, "PING", "(error) NOAUTH *");
    expect_like(c, "AUTH wrong", "(error) WRONGPASS *");
    expect_like(c, "AUTH secre", "(error) WRONGPASS *");
    expect_like(c, "AUTH other secret", "(error) WRONGPASS *");
    expect_like(c, "HELLO 3", "(error) NOAUTH *");
    expect_like(c, "HELLO 3 AUTH default wrong", "(error) WRONGPASS *");
    expect(c, "AUTH secret", "OK");
    expect(c, "POOL LEN p", "(integer) 0");
    expect(c, "RESET", "RESET");
    expect_like(c, "POOL LEN p", "(error) NOAUTH *");
    expect(c, "AUTH default secret", "OK");
    struct client *second = node_client(node);
    expect_like(second, "HELLO 2 AUTH default secret SETNAME x", "*'proto'*");
    expect(second, "CLIENT GETNAME", "'x'");
    expect(second, "QUIT", "OK");
    client_close(second);
    ck_assert(!node_log_has(node, "secret"));
}
END_TEST

START_TEST(auth_without_a_password_set_is_an_error)
{
    begin();
    expect_like(c, "AUTH x", "(error) ERR *AUTH*");
    expect_like(c, "AUTH", "(error) ERR wrong number of arguments for 'auth' command");
}
END_TEST

START_TEST(reset_makes_the_connection_as_it_was)
{
    begin();
    say(c, "HELLO 3 SETNAME me");
    client_send(c, "CLIENT REPLY OFF");
    expect(c, "RESET", "RESET");
    expect(c, "CLIENT GETNAME", "(nil)");
    expect_like(c, "HELLO", "*'proto'\n*(integer) 2*");
}
END_TEST

START_TEST(select_time_echo_ping)
{
    begin();
    expect(c, "SELECT 0", "OK");
    expect_like(c, "SELECT 1", "(error) ERR DB index is out of range");
    expect_like(c, "SELECT x", "(error) ERR *integer*");
    expect_like(c, "TIME", "1) '1*'\n2) '*'");
    expect(c, "ECHO x", "'x'");
    expect(c, "PING", "PONG");
    expect(c, "PING x", "'x'");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "connections", set_up, tear_down, tcp_v4_v6_and_unix_are_listened_at_together,
        a_unix_socket_has_the_mode_that_was_asked_for,
        a_dead_unix_socket_is_replaced_and_removed_at_the_end, a_live_unix_socket_is_left_alone,
        a_file_that_is_no_socket_is_left_alone, a_port_in_use_ends_the_start,
        one_client_more_than_maxclients_is_refused, maxclients_can_be_raised_while_running,
        maxclients_is_lowered_to_what_the_system_allows,
        connections_without_a_descriptor_left_are_refused_and_come_back,
        ten_thousand_connections_are_served_at_under_2_kib_each,
        a_storm_of_connections_does_not_keep_others_waiting, an_idle_client_is_closed_after_timeout,
        output_over_max_output_closes_that_client_alone,
        replies_that_wait_behind_another_count_as_output, a_slow_reader_gets_all_in_the_end,
        a_client_that_reads_nothing_is_closed_after_write_timeout,
        a_half_closed_client_gets_its_answers, a_half_closed_tcp_client_gets_its_answers,
        a_client_that_goes_while_requests_are_open_gives_its_lease_back,
        quit_answers_all_before_and_closes, client_ids_grow,
        client_names_are_set_listed_and_checked, client_list_shows_all_and_filters,
        client_kill_closes_by_id_and_address, client_kill_of_oneself_answers_first,
        client_kill_by_tcp_address, client_reply_off_on_and_skip, client_no_evict_is_shown,
        client_trackinginfo_and_help, a_password_is_asked_for,
        auth_without_a_password_set_is_an_error, reset_makes_the_connection_as_it_was,
        select_time_echo_ping);
}
