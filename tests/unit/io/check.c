/* check: one look at servers and programs that work, do not, hang, or say something else. */
#include "io/check.h"
#include "io/dial.h"
#include "io/guarded.h"
#include "tests/unit/io/stream_rig.h"
#include <event2/http.h>
#include <sys/stat.h>

static int told;
static bool told_good;
static char told_text[CHECK_TEXT];
static int64_t told_us;
static struct check *check;
static struct addr peer;
static int listener = -1;

static void on_told(void *arg, bool is_good, const char *text, int64_t latency_us)
{
    ck_assert_ptr_eq(arg, &told);
    told++;
    check = NULL;
    told_good = is_good;
    told_us = latency_us;
    snprintf(told_text, sizeof told_text, "%s", text);
}

static void begin_check(struct check_spec spec)
{
    told = 0;
    if (spec.timeout_ms == 0)
        spec.timeout_ms = 10000;
    if (spec.subject == NULL)
        spec.subject = "";
    check = check_start(base, NULL, &machine_clock, &spec, on_told, &told);
    ck_assert_int_eq(told, 0);
}

static void do_check(struct check_spec spec)
{
    begin_check(spec);
    UNTIL(told == 1);
}

static void assert_told(bool is_good, const char *text)
{
    ck_assert_str_eq(told_text, text);
    ck_assert_int_eq(told_good, is_good);
    ck_assert_int_ge(told_us, 0);
    ck_assert_int_lt(told_us, 20000000);
}

static const char *place(void)
{
    static char text[300];
    addr_print(&peer, text, sizeof text);
    return text;
}

static void open_peer(void)
{
    listener = listen_on("127.0.0.1:0", 5, &peer);
}

static void close_peer(void)
{
    close(listener);
    listener = -1;
}

static void set_up_check(void)
{
    set_up();
    open_peer();
}

static void tear_down_check(void)
{
    check_free(check);
    check = NULL;
    if (listener >= 0)
        close_peer();
    owner.is_freed = true;
    tear_down();
}

/* --- TCP -----------------------------------------------------------------------------------------
 */

START_TEST(a_connection_is_enough_for_tcp)
{
    do_check((struct check_spec){.kind = CHECK_TCP, .target = "{resource}", .subject = place()});
    assert_told(true, "connected");
    close_peer();
    do_check((struct check_spec){.kind = CHECK_TCP, .target = place()});
    assert_told(false, "connect: Connection refused");
}
END_TEST

START_TEST(a_target_that_is_no_address_is_ill)
{
    static const enum check_kind kinds[] = {CHECK_TCP, CHECK_RESP};
    for (int i = 0; i < 2; i++) {
        do_check((struct check_spec){.kind = kinds[i], .target = "gpu 7", .send = "PING"});
        assert_told(false, "target: neither HOST:PORT nor a Unix socket");
    }
    do_check((struct check_spec){.kind = CHECK_TCP, .target = "nowhere.test:1"});
    assert_told(false, "connect: no such address: nowhere.test");
}
END_TEST

START_TEST(a_check_can_be_given_up_at_any_time)
{
    static const enum check_kind kinds[] = {CHECK_TCP, CHECK_RESP, CHECK_HTTP, CHECK_EXEC};
    char url[320];
    snprintf(url, sizeof url, "http://%s/", place());
    for (int kind = 0; kind < 4; kind++) {
        for (int turns = 0; turns < 3; turns++) {
            const char *target = kind == 3 ? "/bin/sleep 60" : kind == 2 ? url : place();
            begin_check((struct check_spec){.kind = kinds[kind], .target = target, .send = "PING"});
            for (int i = 0; i < turns && told == 0; i++)
                event_base_loop(base, EVLOOP_ONCE);
            int told_before = told;
            check_free(check);
            check = NULL;
            turn_for_ms(10);
            ck_assert_int_eq(told, told_before);
        }
    }
}
END_TEST

/* --- HTTP ----------------------------------------------------------------------------------------
 */

static void on_request(struct evhttp_request *request, void *arg)
{
    int status = 0;
    (void)arg;
    if (sscanf(evhttp_request_get_uri(request), "/%d", &status) == 1)
        evhttp_send_reply(request, status, "so", NULL);
}

START_TEST(a_status_decides_for_http)
{
    static const struct {
        const char *path, *expect;
        bool is_good;
        const char *text;
    } cases[] = {{"200", "", true, "status 200"},
                 {"503", "", false, "status 503, not expected"},
                 {"302", "", false, "status 302, not expected"},
                 {"302", "200-299, 302", true, "status 302"},
                 {"204", "200,204", true, "status 204"},
                 {"200", "401", false, "status 200, not expected"}};
    struct evhttp *server = evhttp_new(base);
    char target[320];
    ck_assert_int_eq(evhttp_accept_socket(server, dup(listener)), 0);
    evhttp_set_gencb(server, on_request, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(target, sizeof target, "http://{resource}/%s", cases[i].path);
        do_check((struct check_spec){
            .kind = CHECK_HTTP, .target = target, .subject = place(), .expect = cases[i].expect});
        assert_told(cases[i].is_good, cases[i].text);
    }
    snprintf(target, sizeof target, "http://%s/never", place());
    do_check((struct check_spec){.kind = CHECK_HTTP, .target = target, .timeout_ms = 40});
    assert_told(false, "timeout: no whole answer within 40 ms");
    evhttp_free(server);
}
END_TEST

START_TEST(lists_of_statuses_are_read_with_care)
{
    ck_assert(check_expects_status("200-299,304", 304));
    ck_assert(check_expects_status(" 200 - 299", 299) == false); /* a blank within is no number */
    ck_assert(check_expects_status("404,200-204", 200));
    ck_assert(!check_expects_status("200-299", 300));
    ck_assert(!check_expects_status("", 200));
    ck_assert(!check_expects_status("2xx", 200));
    ck_assert(!check_expects_status("200-", 200));
    ck_assert(check_is_status_list("200-299, 304"));
    ck_assert(!check_is_status_list("2xx"));
    ck_assert(!check_is_status_list("200,,204"));
    ck_assert(!check_is_status_list("299-200"));
    ck_assert(!check_is_status_list("200-600"));
    ck_assert(!check_is_status_list(""));
}
END_TEST

/* --- RESP ----------------------------------------------------------------------------------------
 */

/* What a check makes of this answer; the request it sent stands in `seen`. */
static char seen[300];

static void answer(const char *bytes, const char *send_words, const char *expect)
{
    begin_check((struct check_spec){
        .kind = CHECK_RESP, .target = place(), .send = send_words, .expect = expect});
    int fd = -1;
    ssize_t len = 0;
    UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
    UNTIL((len = recv(fd, seen, sizeof seen - 1, MSG_DONTWAIT)) > 0);
    seen[len] = '\0';
    for (size_t i = 0; i < strlen(bytes) && told == 0; i++) {
        (void)!send(fd, bytes + i, 1, MSG_NOSIGNAL);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    if (bytes[0] == '\0' || bytes[strlen(bytes) - 1] != '\n')
        shutdown(fd, SHUT_RDWR);
    UNTIL(told == 1);
    close(fd);
}

START_TEST(an_answer_decides_for_resp)
{
    answer("+PONG\r\n", "PING", "");
    assert_told(true, "+PONG");
    ck_assert_str_eq(seen, "*1\r\n$4\r\nPING\r\n");
    answer("-LOADING Redis is loading\r\n", "PING", "");
    assert_told(false, "answer: -LOADING Redis is loading");
    answer("$11\r\nrole:master\r\n", "INFO  replication", "$");
    assert_told(true, "$");
    ck_assert_str_eq(seen, "*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n");
    answer("+P", "PING", "");
    assert_told(false, "answer: none, closed by peer");
}
END_TEST

START_TEST(a_silent_server_is_ill_for_resp)
{
    do_check((struct check_spec){
        .kind = CHECK_RESP, .target = place(), .send = "PING", .timeout_ms = 40});
    assert_told(false, "timeout: no answer");
    close_peer();
    do_check((struct check_spec){.kind = CHECK_RESP, .target = place(), .send = "PING"});
    assert_told(false, "connect: Connection refused");
}
END_TEST

START_TEST(an_endless_answer_is_ill_for_resp)
{
    begin_check((struct check_spec){.kind = CHECK_RESP, .target = place(), .send = "PING"});
    int fd = -1;
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
    ck_assert_int_eq(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
    UNTIL(told == 1);
    ck_assert(!told_good);
    ck_assert_int_eq(strncmp(told_text, "answer: xxx", 11), 0);
    close(fd);
}
END_TEST

/* --- programs ------------------------------------------------------------------------------------
 */

static char script[] = "/tmp/check-script-XXXXXX";

static void write_script(const char *text)
{
    FILE *file = fopen(script, "w");
    fprintf(file, "#!/bin/sh\n%s\n", text);
    fclose(file);
    ck_assert_int_eq(chmod(script, 0700), 0);
}

static void run_script(const char *text, int64_t timeout_ms)
{
    char target[100];
    write_script(text);
    snprintf(target, sizeof target, "%s  <{resource}> end", script);
    do_check((struct check_spec){
        .kind = CHECK_EXEC, .target = target, .subject = "gpu 7", .timeout_ms = timeout_ms});
}

START_TEST(an_exit_status_decides_for_exec)
{
    close(mkstemp(script));
    run_script("test \"$1\" = '<gpu 7>' && test $# = 2 && test \"$RESOURCE\" = 'gpu 7'", 0);
    assert_told(true, "exit status 0");
    run_script("echo no heartbeat >&2; exit 3", 0);
    assert_told(false, "exit status 3: no heartbeat");
    run_script("kill -9 $$", 0);
    assert_told(false, "ended by signal 9");
    run_script("sleep 60", 50);
    assert_told(false, "did not end in time");
    unlink(script);
    do_check((struct check_spec){.kind = CHECK_EXEC, .target = "/no/such/program"});
    ck_assert(!told_good);
    ck_assert_ptr_nonnull(strstr(told_text, "/no/such/program"));
}
END_TEST

START_TEST(a_subject_is_put_wherever_it_is_named)
{
    static const struct {
        const char *target, *expanded;
    } cases[] = {{"{resource}", "a:1"},
                 {"http://{resource}/x?y={resource}", "http://a:1/x?y=a:1"},
                 {"none", "none"},
                 {"", ""},
                 {"{resource", "{resource"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *expanded = check_expand(cases[i].target, "a:1");
        ck_assert_str_eq(expanded, cases[i].expanded);
        free(expanded);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "guarded") == 0) /* we are the daemon here */
        return guarded_main(argv + 1);
    Suite *suite = suite_create("check");
    TCase *sockets = tcase_create("sockets"), *programs = tcase_create("programs");
    TCase *all[] = {sockets, programs};
    for (int i = 0; i < 2; i++) {
        tcase_add_checked_fixture(all[i], set_up_check, tear_down_check);
        tcase_set_timeout(all[i], 60);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_test(sockets, a_connection_is_enough_for_tcp);
    tcase_add_test(sockets, a_target_that_is_no_address_is_ill);
    tcase_add_test(sockets, a_check_can_be_given_up_at_any_time);
    tcase_add_test(sockets, a_status_decides_for_http);
    tcase_add_test(sockets, lists_of_statuses_are_read_with_care);
    tcase_add_test(sockets, an_answer_decides_for_resp);
    tcase_add_test(sockets, a_silent_server_is_ill_for_resp);
    tcase_add_test(sockets, an_endless_answer_is_ill_for_resp);
    tcase_add_test(programs, an_exit_status_decides_for_exec);
    tcase_add_test(programs, a_subject_is_put_wherever_it_is_named);
    return run_suite(suite);
}
