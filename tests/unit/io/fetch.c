/* fetch: requests to servers of HTTP that answer well, slowly, too much, rubbish or not at all. */
#include "io/fetch.h"
#include "io/dial.h"
#include "io/tls.h"
#include "tests/lib/certificate.h"
#include "tests/unit/io/stream_rig.h"
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/http.h>
#include <openssl/ssl.h>

/* --- a server ------------------------------------------------------------------------------------
 */

static struct evhttp *server;
static int server_port;
static char seen[600]; /* the last request: method, uri, Host, Content-Type, body */

static void note_request(struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    const char *type = evhttp_find_header(headers, "Content-Type");
    snprintf(seen, sizeof seen, "%s %s %s %s %.*s",
             evhttp_request_get_command(request) == EVHTTP_REQ_POST ? "POST" : "GET",
             evhttp_request_get_uri(request), evhttp_find_header(headers, "Host"),
             type != NULL ? type : "-", (int)evbuffer_get_length(in),
             evbuffer_get_length(in) > 0 ? (char *)evbuffer_pullup(in, -1) : "");
}

static void redirect(struct evhttp_request *request, int status, const char *location)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), "Location", location);
    evhttp_send_reply(request, status, "elsewhere", NULL);
}

static void send_chunks(struct evhttp_request *request)
{
    struct evbuffer *out = evbuffer_new();
    evhttp_send_reply_start(request, 200, "OK");
    for (int i = 0; i < 3; i++) {
        evbuffer_add_printf(out, "chunk %d;", i);
        evhttp_send_reply_chunk(request, out);
    }
    evhttp_send_reply_end(request);
    evbuffer_free(out);
}

static void send_bytes(struct evhttp_request *request, int status, size_t bytes)
{
    struct evbuffer *out = evbuffer_new();
    for (size_t i = 0; i < bytes; i++)
        evbuffer_add(out, "x", 1);
    evhttp_send_reply(request, status, "so", out);
    evbuffer_free(out);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    const char *uri = evhttp_request_get_uri(request);
    int number;
    (void)arg;
    note_request(request);
    if (strcmp(uri, "/never") == 0)
        return;
    if (strcmp(uri, "/chunks") == 0)
        send_chunks(request);
    else if (strcmp(uri, "/round") == 0)
        redirect(request, 302, "/round");
    else if (sscanf(uri, "/moved/%d", &number) == 1)
        redirect(request, number, "target?a=1");
    else if (sscanf(uri, "/bytes/%d", &number) == 1)
        send_bytes(request, 200, (size_t)number);
    else if (sscanf(uri, "/status/%d", &number) == 1)
        send_bytes(request, number, number == 204 ? 0 : 5);
    else
        send_bytes(request, 200, 2);
}

static void serve(void)
{
    server = evhttp_new(base);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
    char text[200];
    struct addr addr;
    ck_assert_ptr_nonnull(bound);
    addr_of_local(evhttp_bound_socket_get_fd(bound), text, sizeof text);
    ck_assert(addr_parse(str_of(text), &addr, NULL));
    server_port = addr.port;
    evhttp_set_gencb(server, on_request, NULL);
}

/* --- its certificate -----------------------------------------------------------------------------
 */

static SSL_CTX *server_tls;
static char ca_file[] = "/tmp/fetch-ca-XXXXXX";

static struct bufferevent *accept_tls(struct event_base *loop, void *arg)
{
    (void)arg;
    return bufferevent_openssl_socket_new(loop, -1, SSL_new(server_tls), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

/* For "DNS:localhost,IP:127.0.0.1", say; ca_file trusts it. */
static void serve_tls(const char *names)
{
    close(mkstemp(ca_file));
    server_tls = certificate_new(names, ca_file);
    serve();
    evhttp_set_bevcb(server, accept_tls, NULL);
}

/* --- what a fetch tells --------------------------------------------------------------------------
 */

static int told, told_status;
static char told_body[200], told_err[600];
static size_t told_len;
static enum err_kind told_kind;
static struct fetch *fetch;
static struct tls_client *tls;

static void on_told(void *arg, const struct fetch_result *result, const struct err *err)
{
    ck_assert_ptr_eq(arg, &told);
    ck_assert((result == NULL) == (err != NULL));
    told++;
    fetch = NULL;
    told_status = result != NULL ? result->status : 0;
    told_len = result != NULL ? result->body.len : 0;
    snprintf(told_body, sizeof told_body, "%.*s", result != NULL ? (int)result->body.len : 0,
             result != NULL && result->body.len > 0 ? result->body.ptr : "");
    snprintf(told_err, sizeof told_err, "%s", err != NULL ? err->text : "");
    told_kind = err != NULL ? err->kind : ERR_NONE;
}

static const char *url_of(const char *scheme, const char *host, const char *path)
{
    static char url[300];
    snprintf(url, sizeof url, "%s://%s:%d%s", scheme, host, server_port, path);
    return url;
}

static void start_fetch(const struct fetch_request *request)
{
    told = 0;
    fetch = fetch_start(base, NULL, request, on_told, &told);
    ck_assert_int_eq(told, 0);
}

static void do_fetch(const struct fetch_request *request)
{
    start_fetch(request);
    UNTIL(told == 1);
}

static void get(const char *path)
{
    do_fetch(&(struct fetch_request){.url = url_of("http", "127.0.0.1", path),
                                     .timeout_ms = 10000,
                                     .max_body = 1000,
                                     .max_redirects = 3});
}

static void get_tls(const char *host)
{
    do_fetch(&(struct fetch_request){
        .url = url_of("https", host, "/"), .timeout_ms = 10000, .max_body = 1000, .tls = tls});
}

#define assert_answered(status, body)          \
    do {                                       \
        ck_assert_str_eq(told_err, "");        \
        ck_assert_int_eq(told_status, status); \
        ck_assert_str_eq(told_body, body);     \
    } while (0)
#define assert_failed(words)                                                                 \
    ck_assert_msg(strstr(told_err, words) != NULL, "'%s' is not in '%s' (status %d)", words, \
                  told_err, told_status)

static void set_up_fetch(void)
{
    set_up();
}

static void tear_down_fetch(void)
{
    fetch_free(fetch);
    turn_for_ms(10);
    if (server != NULL)
        evhttp_free(server);
    tls_client_free(tls);
    SSL_CTX_free(server_tls);
    unlink(ca_file);
    owner.is_freed = true;
    tear_down();
}

/* --- a peer that says what the test says, or nothing ---------------------------------------------
 */

static int raw_listener = -1;

static void listen_raw(void)
{
    struct addr addr;
    raw_listener = listen_on("127.0.0.1:0", 5, &addr);
    server_port = addr.port;
}

static int accept_raw(void)
{
    int fd = -1;
    char bytes[2000];
    UNTIL((fd = accept(raw_listener, NULL, NULL)) >= 0);
    UNTIL(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    return fd;
}

/* What a fetch makes of these bytes, sent piece by piece, and of the end of the connection. */
static void answer_raw(const char *bytes, size_t len, size_t piece)
{
    listen_raw();
    start_fetch(&(struct fetch_request){
        .url = url_of("http", "127.0.0.1", "/"), .timeout_ms = 10000, .max_body = 100});
    int fd = accept_raw();
    for (size_t at = 0; at < len && told == 0; at += piece) {
        size_t some = len - at < piece ? len - at : piece;
        if (send(fd, bytes + at, some, MSG_NOSIGNAL) != (ssize_t)some)
            break;
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    shutdown(fd, SHUT_WR);
    UNTIL(told == 1);
    close(fd);
    close(raw_listener);
}

static void answer_text(const char *text)
{
    answer_raw(text, strlen(text), strlen(text));
}

/* --- requests ------------------------------------------------------------------------------------
 */

START_TEST(a_get_brings_status_and_body)
{
    serve();
    get("/hello?a=1&b=%20");
    char wanted[100];
    snprintf(wanted, sizeof wanted, "GET /hello?a=1&b=%%20 127.0.0.1:%d - ", server_port);
    assert_answered(200, "xx");
    ck_assert_str_eq(seen, wanted);
    get("/status/503");
    assert_answered(503, "xxxxx");
    get("/status/204");
    assert_answered(204, "");
    get("/chunks");
    assert_answered(200, "chunk 0;chunk 1;chunk 2;");
}
END_TEST

START_TEST(a_post_sends_its_body_and_another_host)
{
    serve();
    do_fetch(&(struct fetch_request){.url = url_of("http", "localhost", "/hook"),
                                     .timeout_ms = 10000,
                                     .max_body = 1000,
                                     .body = "{\"a\": 1}",
                                     .body_len = 8,
                                     .host = "other.test"});
    assert_answered(200, "xx");
    ck_assert_str_eq(seen, "POST /hook other.test application/json {\"a\": 1}");
}
END_TEST

START_TEST(redirects_are_followed_but_not_for_ever)
{
    serve();
    get("/moved/301");
    assert_answered(200, "xx");
    ck_assert_ptr_nonnull(strstr(seen, "GET /moved/target?a=1 "));
    get("/round");
    assert_failed("redirect: one more than is followed");
    do_fetch(&(struct fetch_request){
        .url = url_of("http", "127.0.0.1", "/moved/302"), .timeout_ms = 10000, .max_body = 1000});
    assert_answered(302, ""); /* of one who follows none */
}
END_TEST

START_TEST(a_post_stays_one_where_the_redirect_says_so)
{
    static const struct {
        const char *path, *seen;
    } cases[] = {{"/moved/303", "GET /moved/target?a=1 "},
                 {"/moved/307", "POST /moved/target?a=1 "}};
    serve();
    for (int i = 0; i < 2; i++) {
        do_fetch(&(struct fetch_request){.url = url_of("http", "127.0.0.1", cases[i].path),
                                         .timeout_ms = 10000,
                                         .max_body = 1000,
                                         .max_redirects = 1,
                                         .body = "me",
                                         .body_len = 2});
        assert_answered(200, "xx");
        ck_assert_msg(strncmp(seen, cases[i].seen, strlen(cases[i].seen)) == 0, "%s", seen);
        ck_assert_int_eq(strstr(seen, " me") != NULL, i == 1);
    }
}
END_TEST

START_TEST(whoever_wants_the_status_only_does_not_wait_for_a_body)
{
    listen_raw();
    start_fetch(&(struct fetch_request){
        .url = url_of("http", "127.0.0.1", "/"), .timeout_ms = 10000, .wants_status_only = true});
    int fd = accept_raw();
    const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n...";
    ck_assert_int_eq(send(fd, head, sizeof head - 1, 0), sizeof head - 1);
    UNTIL(told == 1);
    assert_answered(200, "");
    close(fd);
    close(raw_listener);
}
END_TEST

START_TEST(a_body_over_the_bound_is_an_error)
{
    serve();
    get("/bytes/1000");
    ck_assert_int_eq(told_status, 200);
    ck_assert_uint_eq(told_len, 1000);
    get("/bytes/1001");
    assert_failed("answer: longer than 1000 bytes");
}
END_TEST

START_TEST(what_cannot_be_reached_is_named)
{
    serve();
    evhttp_free(server);
    server = NULL;
    get("/");
    assert_failed("connect: Connection refused");
    do_fetch(&(struct fetch_request){.url = "http://nowhere.test/", .timeout_ms = 10000});
    assert_failed("connect: no such address: nowhere.test");
    do_fetch(&(struct fetch_request){.url = "https://127.0.0.1/", .timeout_ms = 10000});
    assert_failed("TLS: not set up");
}
END_TEST

static void on_question(struct evdns_server_request *question, void *arg)
{
    (void)arg;
    evdns_server_request_respond(question, DNS_ERR_NOTEXIST);
}

START_TEST(a_name_that_nobody_knows_is_an_error_of_resolving)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct evdns_base *dns = evdns_base_new(base, 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    char text[300];
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    addr_of_local(fd, text, sizeof text);
    struct evdns_server_port *answerer =
        evdns_add_server_port_with_base(base, fd, 0, on_question, NULL);
    ck_assert_int_eq(evdns_base_nameserver_ip_add(dns, text), 0);
    told = 0;
    fetch = fetch_start(base, dns, &(struct fetch_request){.url = "http://nowhere.test/"}, on_told,
                        &told);
    UNTIL(told == 1);
    assert_failed("resolve: ");
    evdns_base_free(dns, 1);
    evdns_close_server_port(answerer);
}
END_TEST

START_TEST(a_slow_server_ends_by_the_deadline)
{
    serve();
    int64_t started_ms = now_ms();
    do_fetch(&(struct fetch_request){
        .url = url_of("http", "127.0.0.1", "/never"), .timeout_ms = 60, .max_body = 1000});
    assert_failed("timeout: no whole answer within 60 ms");
    ck_assert_int_eq(told_kind, ERR_TIMEOUT);
    ck_assert_int_ge(now_ms() - started_ms, 50);
}
END_TEST

/* Byte by byte, so that there is always something new. */
START_TEST(a_server_that_dribbles_ends_by_the_deadline)
{
    listen_raw();
    start_fetch(&(struct fetch_request){
        .url = url_of("http", "127.0.0.1", "/"), .timeout_ms = 100, .max_body = 1000});
    int fd = accept_raw();
    UNTIL(send(fd, "H", 1, MSG_NOSIGNAL) < 0 || told == 1);
    UNTIL(told == 1);
    close(fd);
    close(raw_listener);
}
END_TEST

START_TEST(a_cancelled_fetch_tells_nothing)
{
    serve();
    for (int turns = 0; turns < 8; turns++) {
        start_fetch(&(struct fetch_request){
            .url = url_of("http", "127.0.0.1", "/never"), .timeout_ms = 10, .max_body = 10});
        for (int i = 0; i < turns && told == 0; i++)
            event_base_loop(base, EVLOOP_ONCE);
        int told_before = told;
        fetch_free(fetch);
        fetch = NULL;
        turn_for_ms(15);
        ck_assert_int_eq(told, told_before);
    }
}
END_TEST

START_TEST(what_is_no_url_is_refused)
{
    static const char *const bad[] = {"",
                                      "nonsense",
                                      "ftp://a/",
                                      "http://",
                                      "http:///x",
                                      "http://a b/",
                                      "http://a/\r\nX: y",
                                      "http://user:secret@a/",
                                      "http://a:70000/",
                                      "http://a:0/",
                                      "/only/a/path"};
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        do_fetch(&(struct fetch_request){.url = bad[i], .timeout_ms = 10000});
        assert_failed("url: ");
        ck_assert(!fetch_check_url(bad[i], &err));
        ck_assert_ptr_null(strstr(err.text, "secret"));
    }
    ck_assert(fetch_check_url("https://[::1]:8443?x", &err));
}
END_TEST

/* --- answers -------------------------------------------------------------------------------------
 */

START_TEST(an_answer_is_read_in_any_pieces)
{
    static const struct {
        const char *bytes;
        int status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"HTTP/1.0 200\nX: y\n\nuntil the end", 200, "until the end"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\ncontent-length: 0\r\n\r\n", 201, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n"
         "0\r\nTrailer: t\r\n\r\n",
         200, "abc0123456789"},
        {"HTTP/1.1 304 Not\r\nContent-Length: 70\r\n\r\n", 304, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t piece = 1; piece < 8; piece += 3) {
            answer_raw(cases[i].bytes, strlen(cases[i].bytes), piece);
            assert_answered(cases[i].status, cases[i].body);
        }
}
END_TEST

START_TEST(rubbish_is_named)
{
    static const struct {
        const char *bytes, *words;
    } cases[] = {
        {"", "answer: none, the connection was closed"},
        {"SSH-2.0-OpenSSH_9\r\n", "answer: not one of HTTP: 'SSH-2.0-OpenSSH_9'"},
        {"HTTP/1.1 999 x\r\n", "answer: not one of HTTP"},
        {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "answer: not a header: 'no header'"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "answer: not a Content-Length: '-1'"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
         "answer: not a Content-Length: '4'"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc", "answer: cut off"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "answer: longer than 100 bytes"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "unknown Transfer-Encoding: 'gzip'"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         "answer: not the size of a chunk: 'zz'"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
         "answer: not the size of a chunk"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
         "answer: longer than 100 bytes"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
         "answer: a chunk longer than it says"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "answer: cut off"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer_text(cases[i].bytes);
        assert_failed(cases[i].words);
    }
}
END_TEST

START_TEST(headers_and_open_bodies_have_bounds)
{
    char text[40000] = "HTTP/1.1 200 OK\r\n";
    size_t at = strlen(text);
    memset(text + at, 'x', sizeof text - at);
    answer_raw(text, sizeof text, sizeof text); /* one line without an end */
    assert_failed("answer: headers longer than 32768 bytes");
    for (size_t i = at; i + 6 <= sizeof text; i += 6)
        memcpy(text + i, "a: b\r\n", 6);
    answer_raw(text, sizeof text, sizeof text); /* too many of them */
    assert_failed("answer: headers longer than 32768 bytes");
    memset(text, 'x', sizeof text);
    memcpy(text, "HTTP/1.1 200 OK\r\n\r\n", 19);
    answer_raw(text, 19 + 100, 50);
    ck_assert_uint_eq(told_len, 100);
    answer_raw(text, 19 + 101, 50);
    assert_failed("answer: longer than 100 bytes");
}
END_TEST

/* --- TLS -----------------------------------------------------------------------------------------
 */

START_TEST(https_works_where_the_certificate_is_good)
{
    struct err err;
    serve_tls("DNS:localhost,IP:127.0.0.1");
    tls = tls_client_new(ca_file, false, &err);
    ck_assert_msg(tls != NULL, "%s", err.text);
    get_tls("localhost");
    assert_answered(200, "xx");
    get_tls("127.0.0.1");
    assert_answered(200, "xx");
}
END_TEST

START_TEST(a_certificate_of_another_name_is_refused)
{
    serve_tls("DNS:other.test");
    tls = tls_client_new(ca_file, false, NULL);
    get_tls("localhost");
    assert_failed("TLS: certificate refused: hostname mismatch");
    get_tls("127.0.0.1");
    assert_failed("TLS: certificate refused: IP address mismatch");
}
END_TEST

START_TEST(a_certificate_that_nobody_vouches_for_is_refused_unless_all_are_trusted)
{
    serve_tls("DNS:localhost");
    tls = tls_client_new(NULL, false, NULL);
    get_tls("localhost");
    assert_failed("TLS: certificate refused: self-signed certificate");
    tls_client_free(tls);
    tls = tls_client_new(NULL, true, NULL);
    get_tls("127.0.0.1");
    assert_answered(200, "xx");
}
END_TEST

START_TEST(a_server_without_tls_is_named)
{
    serve();
    tls = tls_client_new(NULL, true, NULL);
    get_tls("127.0.0.1");
    assert_failed("TLS: ");
}
END_TEST

START_TEST(a_handshake_that_hangs_ends_by_the_deadline)
{
    listen_raw();
    tls = tls_client_new(NULL, true, NULL);
    do_fetch(&(struct fetch_request){
        .url = url_of("https", "127.0.0.1", "/"), .timeout_ms = 50, .tls = tls});
    assert_failed("timeout: no end of the TLS handshake within 50 ms");
    close(raw_listener);
}
END_TEST

START_TEST(certificates_that_cannot_be_read_are_named)
{
    struct err err;
    ck_assert_ptr_null(tls_client_new("/no/such/file", false, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "TLS: cannot read the certificates of /no/such/file"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch");
    TCase *requests = tcase_create("requests"), *answers = tcase_create("answers");
    TCase *secure = tcase_create("TLS");
    TCase *all[] = {requests, answers, secure};
    for (int i = 0; i < 3; i++) {
        tcase_add_checked_fixture(all[i], set_up_fetch, tear_down_fetch);
        tcase_set_timeout(all[i], 60);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_test(requests, a_get_brings_status_and_body);
    tcase_add_test(requests, a_post_sends_its_body_and_another_host);
    tcase_add_test(requests, redirects_are_followed_but_not_for_ever);
    tcase_add_test(requests, a_post_stays_one_where_the_redirect_says_so);
    tcase_add_test(requests, whoever_wants_the_status_only_does_not_wait_for_a_body);
    tcase_add_test(requests, a_body_over_the_bound_is_an_error);
    tcase_add_test(requests, what_cannot_be_reached_is_named);
    tcase_add_test(requests, a_name_that_nobody_knows_is_an_error_of_resolving);
    tcase_add_test(requests, a_slow_server_ends_by_the_deadline);
    tcase_add_test(requests, a_server_that_dribbles_ends_by_the_deadline);
    tcase_add_test(requests, a_cancelled_fetch_tells_nothing);
    tcase_add_test(requests, what_is_no_url_is_refused);
    tcase_add_test(answers, an_answer_is_read_in_any_pieces);
    tcase_add_test(answers, rubbish_is_named);
    tcase_add_test(answers, headers_and_open_bodies_have_bounds);
    tcase_add_test(secure, https_works_where_the_certificate_is_good);
    tcase_add_test(secure, a_certificate_of_another_name_is_refused);
    tcase_add_test(secure, a_certificate_that_nobody_vouches_for_is_refused_unless_all_are_trusted);
    tcase_add_test(secure, a_server_without_tls_is_named);
    tcase_add_test(secure, a_handshake_that_hangs_ends_by_the_deadline);
    tcase_add_test(secure, certificates_that_cannot_be_read_are_named);
    return run_suite(suite);
}
