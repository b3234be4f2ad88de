/* resolve: names of the hosts file and of a server, and names that nobody answers for. */
#include "io/resolve.h"
#include <check.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct event_base *base;
static struct evdns_base *dns;
static struct evdns_server_port *port;
static evutil_socket_t server;
static int ends;
static char told[400];

static void on_end(void *arg, struct evutil_addrinfo *found, const char *why)
{
    size_t at = 0;
    ck_assert_ptr_eq(arg, &ends);
    ck_assert((found == NULL) == (why != NULL));
    ends++;
    told[0] = '\0';
    if (why != NULL)
        snprintf(told, sizeof told, "%s", why);
    for (struct evutil_addrinfo *one = found; one != NULL; one = one->ai_next) {
        char host[64], service[16];
        ck_assert_int_eq(getnameinfo(one->ai_addr, (socklen_t)one->ai_addrlen, host, sizeof host,
                                     service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV),
                         0);
        at += (size_t)snprintf(told + at, sizeof told - at, "%s%s/%s", at > 0 ? " " : "", host,
                               service);
    }
    if (found != NULL)
        evutil_freeaddrinfo(found);
}

/* Knows two addresses of nodes.example (evdns asks in letters of random case); others are not
 * there; it says nothing of silent.example. */
static void on_question(struct evdns_server_request *request, void *arg)
{
    static const unsigned char addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};
    const struct evdns_server_question *question = request->questions[0];
    bool is_known = evutil_ascii_strcasecmp(question->name, "nodes.example") == 0;
    (void)arg;
    if (evutil_ascii_strcasecmp(question->name, "silent.example") == 0) {
        evdns_server_request_drop(request);
        return;
    }
    if (is_known && question->type == EVDNS_TYPE_A)
        evdns_server_request_add_a_reply(request, question->name, 2, addresses, 60);
    evdns_server_request_respond(request, is_known ? 0 : DNS_ERR_NOTEXIST);
}

static void set_up(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    char text[32];
    base = event_base_new();
    dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &len), 0);
    port = evdns_add_server_port_with_base(base, server, 0, on_question, NULL);
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(address.sin_port));
    ck_assert_int_eq(evdns_base_nameserver_ip_add(dns, text), 0);
}

static void tear_down(void)
{
    evdns_base_free(dns, 1);
    event_base_loop(base, EVLOOP_NONBLOCK);
    evdns_close_server_port(port);
    close(server);
    event_base_free(base);
}

static void expect(const char *name, int64_t timeout_ms, const char *text)
{
    ends = 0;
    resolve_start(base, dns, name, 80, timeout_ms, on_end, &ends);
    ck_assert_int_eq(ends, 0);
    while (ends == 0)
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    ck_assert_int_eq(ends, 1);
    ck_assert_str_eq(told, text);
}

START_TEST(a_server_is_asked_for_all_addresses)
{
    expect("nodes.example", 5000, "10.0.0.1/80 10.0.0.2/80");
}
END_TEST

START_TEST(a_name_of_the_hosts_file_needs_no_server)
{
    char path[] = "/tmp/resolve-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(dprintf(fd, "127.0.0.7 here\n"), 15);
    close(fd);
    ck_assert_int_eq(evdns_base_load_hosts(dns, path), 0);
    unlink(path);
    expect("here", 5000, "127.0.0.7/80");
}
END_TEST

START_TEST(an_address_is_its_own_name)
{
    expect("10.1.2.3", 5000, "10.1.2.3/80");
    expect("::1", 5000, "::1/80");
}
END_TEST

START_TEST(a_name_that_is_not_there_is_told)
{
    expect("nowhere.example", 5000, "resolve: nodename nor servname provided, or not known");
}
END_TEST

START_TEST(a_server_that_says_nothing_is_cut_at_the_deadline)
{
    expect("silent.example", 50, "resolve: no answer in time");
}
END_TEST

START_TEST(who_gives_up_hears_nothing)
{
    resolve_free(resolve_start(base, dns, "silent.example", 80, 5000, on_end, &ends));
    resolve_free(resolve_start(base, dns, "10.1.2.3", 80, 5000, on_end, &ends));
    resolve_free(NULL);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(ends, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolve");
    TCase *tcase = tcase_create("resolve");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_server_is_asked_for_all_addresses);
    tcase_add_test(tcase, a_name_of_the_hosts_file_needs_no_server);
    tcase_add_test(tcase, an_address_is_its_own_name);
    tcase_add_test(tcase, a_name_that_is_not_there_is_told);
    tcase_add_test(tcase, a_server_that_says_nothing_is_cut_at_the_deadline);
    tcase_add_test(tcase, who_gives_up_hears_nothing);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
