/* dial: how streams are opened: refused, hanging, by name, freed meanwhile. */
#include "tests/unit/io/stream_rig.h"
#include <event2/dns.h>
#include <netinet/tcp.h>

START_TEST(dialling_opens_over_tcp_and_sends_what_was_written_before)
{
    static const char *const where[] = {"127.0.0.1:0", "[::1]:0"};
    for (int i = 0; i < 2; i++) {
        struct addr addr;
        char got[8] = "";
        int fd = -1, listener = listen_on(where[i], 5, &addr);
        memset(&owner, 0, sizeof(owner));
        dial(&addr, &no_options);
        evbuffer_add(stream_out(owner.stream), "early", 5);
        stream_wrote(owner.stream);
        ck_assert_int_eq(stream_fd(owner.stream), -1);
        UNTIL(owner.opened == 1);
        UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
        UNTIL(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 5);
        ck_assert_str_eq(got, "early");
        ck_assert_int_eq(send(fd, "back", 4, 0), 4);
        UNTIL(owner.got_bytes == 4);
        ck_assert_mem_eq(owner.got, "back", 4);
        close(fd);
        UNTIL(owner.closed == 1);
        stream_free(owner.stream);
        owner.is_freed = true;
        close(listener);
    }
}
END_TEST

START_TEST(dialling_opens_over_a_unix_socket)
{
    char folder[] = "/tmp/stream-XXXXXX", path[64];
    struct addr addr;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    int listener = listen_on(path, 5, &addr);
    dial(&addr, &no_options);
    UNTIL(owner.opened == 1);
    close(listener);
    UNTIL(owner.closed == 1);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(a_refused_connection_is_told_once_and_later)
{
    struct addr addr;
    close(listen_on("127.0.0.1:0", -1, &addr));
    dial(&addr, &no_options);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "connect: Connection refused");
    turn_for_ms(20);
    ck_assert_int_eq(owner.opened, 0);
}
END_TEST

START_TEST(a_missing_unix_socket_is_told_once_and_later)
{
    struct addr addr;
    struct err err;
    ck_assert(addr_parse(STR("/nowhere/at/all"), &addr, &err));
    dial(&addr, &no_options);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "connect: No such file or directory");
    turn_for_ms(20);
}
END_TEST

/* A listener that accepts nothing lets connections beyond its backlog hang. */
START_TEST(a_connection_that_hangs_times_out)
{
    struct addr addr;
    struct sockaddr_storage address;
    socklen_t len;
    int fillers[4], listener = listen_on("127.0.0.1:0", 0, &addr);
    ck_assert(addr_to_sockaddr(&addr, &address, &len, NULL));
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&address, len);
    }
    int64_t started_ms = now_ms();
    dial(&addr, &(struct stream_options){.connect_timeout_ms = 50});
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "connect timeout");
    ck_assert_int_ge(now_ms() - started_ms, 40);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(listener);
}
END_TEST

START_TEST(a_name_without_a_resolver_fails)
{
    struct addr addr;
    struct err err;
    ck_assert(addr_parse(STR("redis.example:1"), &addr, &err));
    dial(&addr, &no_options);
    UNTIL(owner.closed == 1);
    ck_assert_ptr_nonnull(strstr(owner.why, "redis.example"));
}
END_TEST

/* A resolver that knows one name: ::1 and 127.0.0.1, of which one is listened on. */
START_TEST(all_addresses_of_a_name_are_tried)
{
    char hosts[] = "/tmp/hosts-XXXXXX";
    const char lines[] = "::1 both.test\n127.0.0.1 both.test\n";
    int file = mkstemp(hosts);
    ck_assert_int_eq(write(file, lines, sizeof(lines) - 1), sizeof(lines) - 1);
    close(file);
    static const char *const where[] = {"127.0.0.1:0", "[::1]:0"};
    for (int i = 0; i < 2; i++) {
        struct addr addr;
        struct evdns_base *dns = evdns_base_new(base, 0);
        ck_assert_int_eq(evdns_base_load_hosts(dns, hosts), 0);
        int listener = listen_on(where[i], 5, &addr);
        snprintf(addr.host, sizeof(addr.host), "both.test");
        memset(&owner, 0, sizeof(owner));
        owner.stream = stream_dial(base, dns, &addr, &no_options, &plain, &owner);
        ck_assert_int_eq(owner.opened + owner.closed, 0);
        UNTIL(owner.opened + owner.closed > 0);
        ck_assert_int_eq(owner.opened, 1);
        close(listener);
        stream_free(owner.stream);
        owner.is_freed = true;
        evdns_base_free(dns, 1);
    }
    unlink(hosts);
}
END_TEST

/* A name server that never answers. */
static struct evdns_base *silent_resolver(int *server)
{
    struct addr addr;
    char text[300];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct evdns_base *dns = evdns_base_new(base, 0);
    *server = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(*server, (struct sockaddr *)&any, sizeof(any)), 0);
    addr_of_local(*server, text, sizeof(text));
    ck_assert(addr_parse(str_of(text), &addr, NULL));
    ck_assert_int_eq(evdns_base_nameserver_ip_add(dns, text), 0);
    return dns;
}

START_TEST(a_name_that_is_never_resolved_times_out)
{
    int server;
    struct addr addr;
    struct evdns_base *dns = silent_resolver(&server);
    ck_assert(addr_parse(STR("redis.example:1"), &addr, NULL));
    owner.stream = stream_dial(base, dns, &addr, &(struct stream_options){.connect_timeout_ms = 30},
                               &plain, &owner);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "connect timeout");
    turn_for_ms(20);
    evdns_base_free(dns, 1);
    close(server);
}
END_TEST

START_TEST(a_stream_can_be_freed_while_its_name_is_resolved)
{
    int server;
    struct addr addr;
    struct evdns_base *dns = silent_resolver(&server);
    ck_assert(addr_parse(STR("redis.example:1"), &addr, NULL));
    owner.stream = stream_dial(base, dns, &addr, &no_options, &plain, &owner);
    turn_for_ms(10);
    stream_free(owner.stream);
    owner.is_freed = true;
    turn_for_ms(10);
    ck_assert_int_eq(owner.closed, 0);
    evdns_base_free(dns, 1);
    close(server);
}
END_TEST

START_TEST(a_stream_can_be_freed_while_it_connects)
{
    struct addr addr;
    int listener = listen_on("127.0.0.1:0", 5, &addr);
    dial(&addr, &(struct stream_options){.connect_timeout_ms = 20});
    stream_free(owner.stream);
    owner.is_freed = true;
    turn_for_ms(40);
    ck_assert_int_eq(owner.opened + owner.closed, 0);
    close(listener);
}
END_TEST

START_TEST(a_stream_closed_while_it_connects_tells_so)
{
    struct addr addr;
    int listener = listen_on("127.0.0.1:0", 5, &addr);
    dial(&addr, &no_options);
    stream_close_when_written(owner.stream, "no longer wanted", 1000);
    ck_assert_int_eq(owner.closed, 0);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "no longer wanted");
    ck_assert_int_eq(owner.opened, 0);
    close(listener);
}
END_TEST

START_TEST(tcp_options_are_set_on_both_kinds)
{
    struct stream_options options = {.keepalive_s = 60};
    struct addr addr;
    for (int is_dialled = 0; is_dialled < 2; is_dialled++) {
        memset(&owner, 0, sizeof(owner));
        int peer;
        if (is_dialled) {
            peer = listen_on("127.0.0.1:0", 5, &addr);
            dial(&addr, &options);
            UNTIL(owner.opened == 1);
        } else {
            peer = accept_tcp(&options, &plain);
        }
        int value, fd = stream_fd(owner.stream);
        socklen_t len = sizeof(value);
        ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
        ck_assert_int_ne(value, 0);
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
        ck_assert_int_ne(value, 0);
        ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &len), 0);
        ck_assert_int_eq(value, 60);
        ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        stream_free(owner.stream);
        owner.is_freed = true;
        close(peer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial");
    TCase *opening = rigged_case(suite, "opening");
    tcase_add_test(opening, dialling_opens_over_tcp_and_sends_what_was_written_before);
    tcase_add_test(opening, dialling_opens_over_a_unix_socket);
    tcase_add_test(opening, a_refused_connection_is_told_once_and_later);
    tcase_add_test(opening, a_missing_unix_socket_is_told_once_and_later);
    tcase_add_test(opening, a_connection_that_hangs_times_out);
    tcase_add_test(opening, a_name_without_a_resolver_fails);
    tcase_add_test(opening, all_addresses_of_a_name_are_tried);
    tcase_add_test(opening, a_name_that_is_never_resolved_times_out);
    tcase_add_test(opening, a_stream_can_be_freed_while_its_name_is_resolved);
    tcase_add_test(opening, a_stream_can_be_freed_while_it_connects);
    tcase_add_test(opening, a_stream_closed_while_it_connects_tells_so);
    tcase_add_test(opening, tcp_options_are_set_on_both_kinds);
    return run_suite(suite);
}
