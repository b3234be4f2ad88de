/* addr: addresses in and out of text, and of sockets. */
#include "io/addr.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void expect_same(const char *text)
{
    struct addr addr;
    struct err err;
    char printed[300];
    ck_assert_msg(addr_parse(str_of(text), &addr, &err), "%s: %s", text, err.text);
    addr_print(&addr, printed, sizeof(printed));
    ck_assert_str_eq(printed, text);
}

START_TEST(what_is_printed_can_be_parsed)
{
    expect_same("127.0.0.1:7777");
    expect_same("[::1]:7777");
    expect_same("[::]:0");
    expect_same("*:7777");
    expect_same(":7777");
    expect_same("localhost:65535");
    expect_same("redis-1.example_a.com:6379");
    expect_same("unix:/run/rallocd.sock");
}
END_TEST

START_TEST(an_absolute_path_is_a_unix_socket)
{
    struct addr addr;
    struct err err;
    ck_assert(addr_parse(STR("/run/a:b.sock"), &addr, &err));
    ck_assert(addr.is_unix);
    ck_assert_str_eq(addr.host, "/run/a:b.sock");
}
END_TEST

START_TEST(what_is_no_address_is_refused_with_the_value)
{
    static const char *const bad[] = {
        "",         "localhost", "127.0.0.1:",    ":65536",  ":-1",      "a:b",    "::1:7777",
        "[::1]",    "[a]:1",     "[127.0.0.1]:1", "a b:1",   "*x:1",     "unix:",  "[::1:1",
        "a\r\nb:1", "a/b:1",     "host: 1",       "host:1 ", "[::1%]:1", "host:+1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct addr addr;
        struct err err = {ERR_NONE, ""};
        ck_assert_msg(!addr_parse(str_of(bad[i]), &addr, &err), "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(err.text, "allowed: host:port"));
    }
    struct addr addr;
    struct err err;
    ck_assert(!addr_parse(STR("1.2.3.4:x"), &addr, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "'1.2.3.4:x'"));
    ck_assert(!addr_parse(STR("/run/\0x"), &addr, &err));
}
END_TEST

START_TEST(lengths_are_bounded)
{
    char text[400];
    struct addr addr;
    struct err err;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    ck_assert(addr_parse(str_make(text, 107), &addr, &err));
    ck_assert(!addr_parse(str_make(text, 108), &addr, &err));
    text[0] = 'a';
    memcpy(text + 255, ":1", 2);
    ck_assert(addr_parse(str_make(text, 257), &addr, &err));
    ck_assert_uint_eq(strlen(addr.host), 255);
    memcpy(text + 255, "a:1", 3);
    ck_assert(!addr_parse(str_make(text, 258), &addr, &err));
}
END_TEST

static struct sockaddr_storage sockaddr_of(const char *text, socklen_t *len)
{
    struct sockaddr_storage out;
    struct addr addr;
    struct err err;
    ck_assert(addr_parse(str_of(text), &addr, &err));
    ck_assert_msg(addr_to_sockaddr(&addr, &out, len, &err), "%s", err.text);
    return out;
}

START_TEST(numeric_addresses_become_socket_addresses)
{
    socklen_t len;
    struct sockaddr_storage any = sockaddr_of("*:80", &len);
    const struct sockaddr_in *v4 = (const void *)&any;
    ck_assert_int_eq(v4->sin_family, AF_INET);
    ck_assert_uint_eq(v4->sin_addr.s_addr, htonl(INADDR_ANY));
    ck_assert_uint_eq(ntohs(v4->sin_port), 80);

    struct sockaddr_storage local = sockaddr_of("LocalHost:80", &len);
    v4 = (const void *)&local;
    ck_assert_uint_eq(v4->sin_addr.s_addr, htonl(INADDR_LOOPBACK));

    struct sockaddr_storage six = sockaddr_of("[fe80::1%1]:81", &len);
    const struct sockaddr_in6 *v6 = (const void *)&six;
    ck_assert_int_eq(v6->sin6_family, AF_INET6);
    ck_assert_uint_eq(v6->sin6_scope_id, 1);
    ck_assert_uint_eq(ntohs(v6->sin6_port), 81);

    struct sockaddr_storage path = sockaddr_of("/x/y", &len);
    const struct sockaddr_un *un = (const void *)&path;
    ck_assert_str_eq(un->sun_path, "/x/y");
    ck_assert_uint_eq(len, offsetof(struct sockaddr_un, sun_path) + 5);
}
END_TEST

START_TEST(names_are_not_resolved)
{
    struct sockaddr_storage out;
    struct addr addr;
    struct err err;
    socklen_t len;
    ck_assert(addr_parse(STR("example.com:80"), &addr, &err));
    ck_assert(!addr_to_sockaddr(&addr, &out, &len, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "example.com"));
}
END_TEST

/* A connection to a listener at this address; returns the accepted socket. */
static int connect_to(const char *text, int *client)
{
    socklen_t len;
    struct sockaddr_storage address = sockaddr_of(text, &len);
    int listener = socket(address.ss_family, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    len = sizeof(address);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *client = socket(address.ss_family, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(*client, (struct sockaddr *)&address, len), 0);
    int accepted = accept(listener, NULL, NULL);
    close(listener);
    return accepted;
}

START_TEST(both_ends_of_a_tcp_connection_have_names)
{
    static const char *const listen_at[] = {"127.0.0.1:0", "[::1]:0"};
    static const char *const starts[] = {"127.0.0.1:", "[::1]:"};
    for (int i = 0; i < 2; i++) {
        int client, server = connect_to(listen_at[i], &client);
        char a[100], b[100];
        addr_of_peer(server, a, sizeof(a));
        addr_of_local(client, b, sizeof(b));
        ck_assert_str_eq(a, b);
        ck_assert(str_starts(str_of(a), str_of(starts[i])));
        addr_of_local(server, a, sizeof(a));
        addr_of_peer(client, b, sizeof(b));
        ck_assert_str_eq(a, b);
        close(client);
        close(server);
    }
}
END_TEST

START_TEST(a_unix_connection_has_the_name_of_its_socket)
{
    char folder[] = "/tmp/addr-XXXXXX", path[64], expected[80], name[100];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    snprintf(expected, sizeof(expected), "%s:0", path);
    int client, server = connect_to(path, &client);
    int ends[] = {client, server};
    for (int i = 0; i < 2; i++) {
        addr_of_peer(ends[i], name, sizeof(name));
        ck_assert_str_eq(name, expected);
        addr_of_local(ends[i], name, sizeof(name));
        ck_assert_str_eq(name, expected);
        close(ends[i]);
    }
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(what_is_no_connection_has_no_name)
{
    char name[100];
    addr_of_peer(-1, name, sizeof(name));
    ck_assert_str_eq(name, "?:0");
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    addr_of_peer(pair[0], name, sizeof(name));
    ck_assert_str_eq(name, "?:0");
    close(pair[0]);
    close(pair[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addr");
    TCase *text = tcase_create("text"), *sockets = tcase_create("sockets");
    tcase_add_test(text, what_is_printed_can_be_parsed);
    tcase_add_test(text, an_absolute_path_is_a_unix_socket);
    tcase_add_test(text, what_is_no_address_is_refused_with_the_value);
    tcase_add_test(text, lengths_are_bounded);
    tcase_add_test(text, numeric_addresses_become_socket_addresses);
    tcase_add_test(text, names_are_not_resolved);
    tcase_add_test(sockets, both_ends_of_a_tcp_connection_have_names);
    tcase_add_test(sockets, a_unix_connection_has_the_name_of_its_socket);
    tcase_add_test(sockets, what_is_no_connection_has_no_name);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, sockets);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
