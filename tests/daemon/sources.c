/* sources: pools that are filled from lists: files that change, vanish and come, programs that hang
 * and crash, a web server that comes and goes, names; and lists that make no sense. */
#include "tests/lib/rig.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static struct client *c;
static pid_t web; /* the web server; 0: it does not run */
static int web_port;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
}

static void stop_web(void)
{
    if (web > 0) {
        kill(web, SIGKILL);
        waitpid(web, NULL, 0);
    }
    web = 0;
}

static void tear_down(void)
{
    stop_web();
    client_close(c);
    rig_end(&rig);
}

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", rig.guard.dir, name);
    return path;
}

static void write_bytes(const char *name, const char *mode, const char *text)
{
    FILE *file = fopen(path_of(name), mode);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* As editors do: another file takes its place. */
static void put_list(const char *name, const char *text)
{
    char from[200];
    write_bytes("new", "w", text);
    snprintf(from, sizeof from, "%s", path_of("new"));
    ck_assert_int_eq(rename(from, path_of(name)), 0);
}

static void put_program(const char *name, const char *script)
{
    char text[1000];
    snprintf(text, sizeof text, "#!/bin/sh\ndir=%s\n%s\n", rig.guard.dir, script);
    put_list(name, text);
    ck_assert_int_eq(chmod(path_of(name), 0755), 0);
}

static void start(void)
{
    node_start(node);
    c = node_client(node);
}

/* A daemon whose pool p has this one source in the test's folder. */
static void start_with(const char *kind, const char *name)
{
    node_option(node, "--pool:p.source=%s:%s", kind, path_of(name));
    start();
}

static int64_t length(void)
{
    return say_int(c, "POOL LEN p");
}

static bool info_says(const char *text)
{
    return strstr(say(c, "POOL INFO p"), text) != NULL;
}

/* What POOL INFO has of its first source. */
static int64_t told(const char *field)
{
    return rig_number(say(c, "POOL INFO p"), field);
}

static bool is_well(void)
{
    char error[400];
    rig_value(say(c, "POOL INFO p"), "error", error, sizeof error);
    return strcmp(error, "\"\"") == 0;
}

static void expect_refresh(const char *pool, int64_t failed, int64_t resources, int64_t added,
                           int64_t removed)
{
    const char *reply = sayf(c, "POOL REFRESH %s", pool);
    ck_assert_int_eq(rig_number(reply, "failed"), failed);
    ck_assert_int_eq(rig_number(reply, "resources"), resources);
    ck_assert_int_eq(rig_number(reply, "added"), added);
    ck_assert_int_eq(rig_number(reply, "removed"), removed);
}

/* The pool is a, b, and a reading has failed like this. */
static void expect_unchanged(const char *error)
{
    until(info_says(error));
    expect(c, "POOL FREELIST p", "1) 'a'\n2) 'b'");
    ck_assert(node_log_has(node, "source-failed"));
}

/* --- files -------------------------------------------------------------------------------------
 */

START_TEST(a_file_fills_the_pool_in_its_order)
{
    put_list("list", "# the lab's\nb\n  a  \n\nc weight=1\n");
    start_with("file", "list");
    until(length() == 3);
    expect(c, "POOL FREELIST p", "1) 'b'\n2) 'a'\n3) 'c'");
    expect(c, "MALLOC p", "'b'");
    until(told("resources") == 3);
    ck_assert_int_eq(told("is_refresher"), 1);
    ck_assert_int_ge(told("read_ms_ago"), 0);
    ck_assert_int_eq(told("failed_ms_ago"), -1);
    ck_assert_int_gt(told("next_ms"), 200000);
    ck_assert(is_well());
    ck_assert(info_says("\"file:/"));
    ck_assert(node_log_has(node, "source-read"));
}
END_TEST

START_TEST(a_file_that_changes_is_read_at_once)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    expect(c, "MALLOC p", "'a'");
    put_list("list", "b\nc\nd\n"); /* another file in its place */
    until(length() == 3);
    expect(c, "POOL FREELIST p", "1) 'b'\n2) 'c'\n3) 'd'");
    expect(c, "POOL STATUS p a", "(nil)");
    write_bytes("list", "a", "e\n"); /* the same one */
    until(length() == 4);
    write_bytes("list", "w", "d\n");
    until(length() == 1);
    expect(c, "POOL FREELIST p", "1) 'd'");
}
END_TEST

START_TEST(a_file_that_vanishes_takes_nothing_along_and_may_come_back)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    ck_assert_int_eq(unlink(path_of("list")), 0);
    expect_unchanged("No such file or directory");
    put_list("list", "c\n");
    until(length() == 1);
    until(is_well());
    ck_assert_int_ge(told("failed_ms_ago"), 0);
}
END_TEST

START_TEST(a_file_may_come_later)
{
    start_with("file", "list");
    until(info_says("No such file or directory"));
    ck_assert_int_eq(length(), 0);
    put_list("list", "a\n");
    until(length() == 1);
}
END_TEST

START_TEST(a_bad_line_refuses_the_whole_file)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    put_list("list", "c\nd\ne f\n");
    expect_unchanged("line 3: 'f' behind the resource is neither");
    put_list("list", "c\n|d\n");
    expect_unchanged("line 2: resource '|d' begins with");
    put_list("list", "c\n\x01\n");
    expect_unchanged("line 2: a control character");
}
END_TEST

START_TEST(an_empty_file_changes_nothing)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    put_list("list", "# nobody today\n\n");
    expect_unchanged("it lists nothing");
}
END_TEST

START_TEST(a_file_beyond_the_bounds_changes_nothing)
{
    char text[3000] = "";
    put_list("list", "a\nb\n");
    node_option(node, "--pool:p.source_max=3");
    node_option(node, "--pool:p.source_max_size=1kb");
    start_with("file", "list");
    until(length() == 2);
    put_list("list", "a\nb\nc\nd\n");
    expect_unchanged("more than 3 resources (source_max)");
    memset(text, '#', sizeof text - 1);
    put_list("list", text);
    expect_unchanged("more than 1024 bytes (source_max_size)");
}
END_TEST

START_TEST(what_is_no_file_is_not_read)
{
    ck_assert_int_eq(mkfifo(path_of("list"), 0600), 0);
    start_with("file", "list");
    until(info_says("it is not a file"));
}
END_TEST

START_TEST(what_leaves_the_list_while_it_is_held_departs_and_its_lease_runs_on)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    expect(c, "MALLOC p", "'a'");
    put_list("list", "b\n");
    until(length() == 1);
    expect(c, "RENEW p a", "(integer) 1");
    put_list("list", "a\nb\n");
    until(length() == 2);
    expect_like(c, "POOL STATUS p a", "*'leased'*");
    expect(c, "FREE p a", "(integer) 1");
}
END_TEST

/* --- priorities and weights --------------------------------------------------------------------
 */

/* The resources that MALLOC gives, one after the other; the last must find nothing. */
static void expect_grants(const char *resources)
{
    char given[200] = "";
    size_t at = 0;
    const char *reply;
    while (strcmp(reply = say(c, "MALLOC p"), "(nil)") != 0)
        at += (size_t)snprintf(given + at, sizeof given - at, "%s%.*s", at > 0 ? " " : "",
                               (int)strlen(reply) - 2, reply + 1); /* without its quotes */
    ck_assert_str_eq(given, resources);
    expect(c, "POOL CHECK p", "(empty array)");
}

START_TEST(a_priority_behind_a_resource_is_its_place)
{
    put_list("list", "a\nb priority=5\nc priority=-1\nd priority=9\n");
    node_option(node, "--pool:p.order=priority");
    start_with("file", "list");
    until(length() == 4);
    expect(c, "POOL FREELIST p", "1) 'd'\n2) 'b'\n3) 'a'\n4) 'c'");
    put_list("list", "a\nb\nc priority=7\nd priority=-9\ne priority=8\n"); /* b keeps its own */
    until(length() == 5);
    expect_grants("e c b a d");
}
END_TEST

START_TEST(a_weight_behind_a_resource_is_its_capacity)
{
    put_list("list", "a\nb weight=2\nc weight=1\n");
    start_with("file", "list");
    until(length() == 3);
    expect_grants("a b c b");
    expect_like(c, "POOL STATUS p b", "*'capacity'*2*'holders'*2*");
    put_list("list", "a weight=3\nb\nc weight=1\nd weight=2\n"); /* b keeps its own */
    until(length() == 4);
    expect_grants("a d a d");
    put_list("list", "b\n");
    until(length() == 1);
    expect_like(c, "POOL STATUS p b", "*'capacity'*2*'holders'*2*");
    expect(c, "POOL CHECK p", "(empty array)");
}
END_TEST

START_TEST(several_sources_have_words_of_their_own)
{
    put_list("one", "a weight=2 priority=1\n");
    put_list("two", "b priority=2\nc weight=2\n");
    node_option(node, "--pool:p.order=priority");
    node_option(node, "--pool:p.capacity=3");
    node_option(node, "--pool:p.source=file:%s/one,file:%s/two", rig.guard.dir, rig.guard.dir);
    start();
    until(length() == 3);
    expect_grants("b b b a a c c");
}
END_TEST

START_TEST(a_priority_or_weight_that_makes_no_sense_changes_nothing)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    put_list("list", "c\na weight=1001\n");
    expect_unchanged("line 2: 'weight=1001' behind the resource is neither");
    put_list("list", "c\na weight=none\n");
    expect_unchanged("line 2: 'weight=none' behind the resource is neither");
    put_list("list", "a priority=1.5\n");
    expect_unchanged("line 1: 'priority=1.5' behind the resource is neither");
    put_list("list", "c\na weight=2\nb priority=1\n"); /* not in this pool's order */
    expect_unchanged("PRIORITY goes with order = priority; the order of this pool is fifo");
    expect_like(c, "POOL STATUS p a", "*'capacity'*1*");
    put_list("list", "a weight=2\n");
    until(length() == 1);
    ck_assert(is_well());
}
END_TEST

/* --- programs ----------------------------------------------------------------------------------
 */

START_TEST(a_program_lists_resources_and_knows_which_pool_it_is_for)
{
    put_program("lister", "echo \"$POOL-$1\"; echo two; echo noise >&2");
    node_option(node, "--pool:p.source=exec:%s one", path_of("lister"));
    start();
    until(length() == 2);
    expect(c, "POOL FREELIST p", "1) 'p-one'\n2) 'two'");
}
END_TEST

START_TEST(a_program_that_goes_wrong_changes_nothing)
{
    const struct {
        const char *script, *error;
    } ways[] = {
        {"trap '' TERM; echo c; sleep 1000", "did not end in time"},
        {"echo c; echo 'no licence' >&2; exit 3", "exit status 3: no licence"},
        {"echo c; kill -SEGV $$", "ended by signal 11"},
        {"head -c 5000 /dev/urandom", "line "},
        {"yes", "printed too much"},
        {"true", "it lists nothing"},
    };
    put_program("lister", "echo a; echo b");
    node_option(node, "--pool:p.source_timeout=0.3");
    node_option(node, "--pool:p.source_interval=0.1");
    node_option(node, "--pool:p.source_max_size=64kb");
    start_with("exec", "lister");
    until(length() == 2);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        put_program("lister", ways[i].script);
        expect_unchanged(ways[i].error);
    }
    ck_assert_int_eq(unlink(path_of("lister")), 0);
    expect_unchanged("cannot run '");
    put_program("lister", "echo c");
    until(length() == 1); /* and it goes on */
}
END_TEST

static int count_lines(const char *name)
{
    int count = 0;
    FILE *file = fopen(path_of(name), "r");
    for (int byte; file != NULL && (byte = fgetc(file)) != EOF;)
        count += byte == '\n';
    if (file != NULL)
        fclose(file);
    return count;
}

/* The first of the pools p0, p1 ... that has not begun to be read. */
static int first_to_come(void)
{
    char words[300];
    for (int i = 0;; i++) {
        snprintf(words, sizeof words, "grep -qx p%d %s", i, path_of("began"));
        if (system(words) != 0)
            return i;
    }
}

START_TEST(so_many_are_read_at_a_time)
{
    put_program("lister", "echo $POOL >>$dir/began; while test ! -e $dir/go; do sleep 0.02; done; "
                          "echo $POOL");
    node_option(node, "--pool:*.source=exec:%s", path_of("lister"));
    for (int i = 0; i < 20; i++) /* SOURCES_AT_A_TIME is 16 */
        node_option(node, "--pool:p%d.rest=0", i);
    start();
    until(count_lines("began") == 16);
    char words[40];
    snprintf(words, sizeof words, "POOL REFRESH p%d", first_to_come()); /* somebody waits for it */
    client_send(c, words);
    until(count_lines("began") == 17);
    write_bytes("go", "w", "");
    ck_assert_int_eq(rig_number(client_read(c), "added"), 1);
    for (int i = 0; i < 20; i++) {
        snprintf(words, sizeof words, "POOL LEN p%d", i);
        until(say_int(c, words) == 1);
    }
    ck_assert_int_eq(count_lines("began"), 20);
}
END_TEST

START_TEST(a_daemon_that_stops_waits_for_no_source)
{
    put_program("lister", "echo $$ >$dir/self; trap '' TERM; sleep 1000");
    start_with("exec", "lister");
    char words[300];
    snprintf(words, sizeof words, "test -s %s", path_of("self"));
    until(system(words) == 0);
    client_send(c, "POOL REFRESH p");
    node_catch_up(node);
    int64_t began_ms = until_now_ms();
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert_int_lt(until_now_ms() - began_ms, 5000);
    expect_text(client_read(c), "(error) UPSTREAM the daemon is stopping: not done");
    snprintf(words, sizeof words, "! kill -0 $(cat %s) 2>/dev/null", path_of("self"));
    until(system(words) == 0);
    expect(rig_redis(&rig), "EXISTS rallocd|p:rallocd|p|pool|policy_update_lock", "(integer) 0");
}
END_TEST

/* --- web servers -------------------------------------------------------------------------------
 */

/* Answers each request with what is in the file `answer`; never, when there is none. */
static void serve(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        char bytes[8192];
        int fd = accept(listener, NULL, NULL);
        FILE *file = fopen(path_of("answer"), "r");
        if (file == NULL)
            continue;
        if (read(fd, bytes, sizeof bytes) > 0) {
            size_t len = fread(bytes, 1, sizeof bytes, file);
            (void)!write(fd, bytes, len);
        }
        fclose(file);
        close(fd);
    }
}

static void start_web(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)web_port)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(listener, 10), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    web_port = ntohs(address.sin_port);
    web = fork();
    if (web == 0)
        serve(listener);
    close(listener);
}

static void put_answer(const char *status, const char *body)
{
    char text[2000];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
             status, strlen(body), body);
    put_list("answer", text);
}

START_TEST(a_web_server_that_comes_and_goes_changes_nothing_but_by_a_list)
{
    put_answer("200 OK", "a\nb\n");
    start_web();
    node_option(node, "--pool:p.source=http://127.0.0.1:%d/list", web_port);
    node_option(node, "--pool:p.source_timeout=0.3");
    node_option(node, "--pool:p.source_interval=0.1");
    start();
    until(length() == 2);
    put_answer("500 Internal Server Error", "c\n");
    expect_unchanged("answer: status 500");
    put_answer("200 OK", "<!DOCTYPE html>\n<html>sorry</html>\n");
    expect_unchanged("line 1: 'html>' behind the resource");
    put_list("answer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nc\n");
    expect_unchanged("answer: "); /* cut off */
    stop_web();
    expect_unchanged("connect: Connection refused");
    start_web();
    ck_assert_int_eq(unlink(path_of("answer")), 0);
    expect_unchanged("timeout");
    stop_web();
    put_answer("200 OK", "c\n");
    start_web();
    until(length() == 1);
    expect(c, "POOL FREELIST p", "1) 'c'");
}
END_TEST

START_TEST(no_password_of_a_source_is_shown)
{
    node_option(node, "--pool:p.source=http://me:secret@127.0.0.1:1/list");
    start();
    until(node_log_has(node, "source-failed"));
    ck_assert(info_says("http://me@127.0.0.1:1/list"));
    ck_assert(!info_says("secret"));
    ck_assert(!node_log_has(node, "secret"));
    expect(c, "CONFIG GET pool:p.source", "1) 'pool:p.source'\n2) 'http://me@127.0.0.1:1/list'");
}
END_TEST

/* --- names -------------------------------------------------------------------------------------
 */

START_TEST(a_name_fills_the_pool_with_its_addresses)
{
    node_option(node, "--pool:p.source=dns:localhost:8080");
    node_option(node, "--pool:q.source=dns:127.0.0.9");
    node_option(node, "--pool:r.source=dns:not-there.invalid");
    node_option(node, "--pool:r.source_timeout=0.2");
    start();
    until(say_int(c, "POOL HAS p 127.0.0.1:8080") == 1);
    until(say_int(c, "POOL HAS q 127.0.0.9") == 1);
    until(strstr(say(c, "POOL INFO r"), "resolve: ") != NULL);
}
END_TEST

/* --- several, and by hand ----------------------------------------------------------------------
 */

START_TEST(several_sources_add_what_they_list_and_one_that_fails_does_no_harm)
{
    put_list("one", "a\nb\n");
    put_list("two", "b\nc\n");
    char first[200], second[200];
    snprintf(first, sizeof first, "%s", path_of("one"));
    snprintf(second, sizeof second, "%s", path_of("two"));
    node_option(node, "--pool:p.source=file:%s, file:%s , file:%s", first, path_of("none"), second);
    start();
    until(length() == 3);
    expect(c, "POOL FREELIST p", "1) 'a'\n2) 'b'\n3) 'c'");
    expect_refresh("p", 1, 4, 0, 0);
    put_list("one", "d\n");
    until(length() == 4); /* without source_expiry none leaves */
}
END_TEST

START_TEST(what_no_source_lists_any_more_expires)
{
    put_list("one", "a\nb\n");
    put_list("two", "c\n");
    char first[200];
    snprintf(first, sizeof first, "%s", path_of("one"));
    node_option(node, "--pool:p.source=file:%s,file:%s", first, path_of("two"));
    node_option(node, "--pool:p.source_expiry=2");
    node_option(node, "--pool:p.source_interval=0.2");
    start();
    until(length() == 3);
    put_list("one", "b\n");
    until(length() == 2);
    expect(c, "POOL HAS p a", "(integer) 0");
    expect(c, "POOL HAS p c", "(integer) 1");
}
END_TEST

START_TEST(a_pool_is_refreshed_by_hand)
{
    put_program("lister", "cat $dir/list");
    put_list("list", "a\nb\n");
    node_option(node, "--pool:p.source=exec:%s", path_of("lister"));
    start();
    until(length() == 2);
    put_list("list", "b\nc\nd\n");
    expect_refresh("p", 0, 3, 2, 1);
    ck_assert_int_eq(unlink(path_of("list")), 0);
    expect_like(c, "POOL REFRESH p",
                "(error) ERR no source of pool 'p' could be read: exec:*: exit status 1: *");
    expect(c, "POOL LEN p", "(integer) 3");
    expect(c, "POOL REFRESH other",
           "(error) ERR pool 'other' has no sources ([pool:other] source)");
    expect(c, "POOL REFRESH", "(error) ERR wrong number of arguments for 'pool|refresh' command");
}
END_TEST

START_TEST(new_resources_are_put_in_random_order_when_wanted)
{
    char text[2000] = "";
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "r%d\n", i);
    put_list("list", text);
    node_option(node, "--pool:p.source_shuffle=yes");
    start_with("file", "list");
    until(length() == 100);
    const char *reply = say(c, "POOL FREELIST p COUNT 5"); /* one in 9 thousand million */
    ck_assert_str_ne(reply, "1) \"r0\"\n2) \"r1\"\n3) \"r2\"\n4) \"r3\"\n5) \"r4\"");
}
END_TEST

/* The settings' file, read again. */
static void reload(const char *source, const char *name)
{
    char text[300];
    snprintf(text, sizeof text, "[pool:p]\ndefault_timeout = 5\n%s%s\n", source,
             name == NULL ? "" : path_of(name));
    put_list("conf", text);
    node_signal(node, SIGHUP);
}

START_TEST(sources_can_be_given_and_taken_away_by_a_reload_but_not_by_clients)
{
    put_list("one", "a\n");
    put_list("two", "b\n");
    put_list("conf", "");
    node_option(node, "-c");
    node_option(node, "%s", path_of("conf"));
    start();
    reload("source = file:", "one");
    until(say_int(c, "POOL HAS p a") == 1);
    reload("source = file:", "two");
    until(say_int(c, "POOL HAS p b") == 1);
    expect(c, "POOL LEN p", "(integer) 1");
    reload("source_interval = 1\nsource = ftp:", "two");
    until(node_log_has(node, "reload-failed"));
    ck_assert(node_log_has(node, "not file:/PATH, http://URL"));
    expect_refresh("p", 0, 1, 0, 0);
    reload("", NULL);
    until(strstr(say(c, "POOL REFRESH p"), "has no sources") != NULL);
    expect(c, "POOL LEN p", "(integer) 1"); /* what is there stays */
    expect_like(c, "CONFIG SET pool:p.source exec:id", "(error) *can't set immutable config");
}
END_TEST

START_TEST(a_pool_without_a_section_is_not_filled)
{
    put_list("list", "a\n");
    node_option(node, "--pool:*.source=file:%s", path_of("list"));
    node_option(node, "--pool:p.default_timeout=5");
    start();
    until(length() == 1); /* p follows all pools */
    expect(c, "MALLOC mistyped", "(nil)");
    expect_like(c, "POOL REFRESH mistyped", "(error) ERR pool 'mistyped' has no sources*");
}
END_TEST

START_TEST(a_redis_that_is_away_is_waited_for)
{
    put_list("list", "a\nb\n");
    start_with("file", "list");
    until(length() == 2);
    server_kill(&rig.redis);
    put_list("list", "c\n");
    expect_like(c, "POOL REFRESH p", "(error) *UPSTREAM*"); /* it was read, but not stored */
    server_start(&rig.redis);
    until(strstr(say(c, "POOL FREELIST p"), "\"c\"") != NULL);
    expect(c, "POOL LEN p", "(integer) 1");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "sources", set_up, tear_down, a_file_fills_the_pool_in_its_order,
        a_file_that_changes_is_read_at_once,
        a_file_that_vanishes_takes_nothing_along_and_may_come_back, a_file_may_come_later,
        a_bad_line_refuses_the_whole_file, an_empty_file_changes_nothing,
        a_file_beyond_the_bounds_changes_nothing, what_is_no_file_is_not_read,
        what_leaves_the_list_while_it_is_held_departs_and_its_lease_runs_on,
        a_priority_behind_a_resource_is_its_place, a_weight_behind_a_resource_is_its_capacity,
        several_sources_have_words_of_their_own,
        a_priority_or_weight_that_makes_no_sense_changes_nothing,
        a_program_lists_resources_and_knows_which_pool_it_is_for,
        a_program_that_goes_wrong_changes_nothing, so_many_are_read_at_a_time,
        a_daemon_that_stops_waits_for_no_source,
        a_web_server_that_comes_and_goes_changes_nothing_but_by_a_list,
        no_password_of_a_source_is_shown, a_name_fills_the_pool_with_its_addresses,
        several_sources_add_what_they_list_and_one_that_fails_does_no_harm,
        what_no_source_lists_any_more_expires, a_pool_is_refreshed_by_hand,
        new_resources_are_put_in_random_order_when_wanted,
        sources_can_be_given_and_taken_away_by_a_reload_but_not_by_clients,
        a_pool_without_a_section_is_not_filled, a_redis_that_is_away_is_waited_for);
}
