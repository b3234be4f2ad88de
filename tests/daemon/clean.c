/* clean: resources that are made clean before anybody else gets them: by programs and by services,
 * and what becomes of those whose cleaning hangs, crashes or fails. */
#include "tests/lib/rig.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct client *c, *d;

static void set_up(void)
{
    rig_start(&rig);
}

static void tear_down(void)
{
    client_close(c);
    client_close(d);
    rig_end(&rig);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* What a file of the test's folder holds; "" when there is none. */
static const char *content(const char *name)
{
    static char text[4000];
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "r");
    size_t len = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[len] = '\0';
    return text;
}

static void connect_to(struct node *node)
{
    c = node_client(node);
    d = node_client(node);
}

static void start_with(const char *on_free, const char *const *options)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--pool:p.on_free=%s", on_free);
    for (; options != NULL && *options != NULL; options++)
        node_option(node, "--pool:p.%s", *options);
    node_start(node);
    connect_to(node);
}

/* A shell script cleans; $dir is the test's folder, "runs" in it gets a line for each start. */
static void start(const char *script, const char *const *options)
{
    char text[1000], on_free[300];
    snprintf(text, sizeof(text),
             "#!/bin/sh\ndir=%s\necho \"$RESOURCE $RALLOCD_POOL $*\" >> $dir/runs\n%s\n",
             rig.guard.dir, script);
    write_file("clean", text, 0755);
    snprintf(on_free, sizeof(on_free), "exec:%s/clean first --name={resource}", rig.guard.dir);
    start_with(on_free, options);
}
#define OPTIONS(...)      \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static bool has_field(const char *resource, const char *name, const char *text)
{
    char value[300];
    rig_value(sayf(d, "POOL STATUS p %s", resource), name, value, sizeof(value));
    return strstr(value, text) != NULL;
}

static bool is_state(const char *resource, const char *state)
{
    return has_field(resource, "state", state);
}

static bool has_why(const char *resource, const char *why)
{
    return has_field(resource, "why", why);
}

/* The script waits until this file is there. */
#define WAIT_FOR(file) "while [ ! -e $dir/" file " ]; do sleep 0.01; done\n"

START_TEST(a_resource_is_cleaned_before_it_is_free)
{
    start(WAIT_FOR("go"), NULL);
    expect(c, "POOL EXTEND p \"a b\" c", "(integer) 2");
    expect(c, "MALLOC p COUNT 2", "1) 'a b'\n2) 'c'");
    expect(c, "FREE p \"a b\"", "(integer) 1");
    until(strcmp(content("runs"), "a b p first --name=a b\n") == 0);
    ck_assert(is_state("\"a b\"", "cleaning"));
    expect_like(c, "POOL INFO p",
                "*'free'\n*(integer) 0\n*'leased'\n*(integer) 1\n*'cleaning'\n*(integer) 1\n*");
    expect(c, "MALLOC p", "(nil)");
    expect(c, "FREE p \"a b\"", "(integer) 0"); /* nobody has it */
    write_file("go", "", 0600);
    until(is_state("\"a b\"", "free"));
    expect(c, "MALLOC p", "'a b'");
}
END_TEST

START_TEST(who_waits_gets_it_when_it_is_clean)
{
    start(WAIT_FOR("go"), NULL);
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p TIMEOUT 60", "'a'");
    client_send(c, "MALLOC p WAIT 0 OWNER next");
    node_catch_up(&rig.nodes[0]);
    expect(d, "FREE p a", "(integer) 1");
    until(content("runs")[0] != '\0');
    ck_assert(!client_has_reply(c, 50));
    write_file("go", "", 0600);
    expect_text(client_read(c), "'a'");
}
END_TEST

START_TEST(whatever_ends_the_lease_it_is_cleaned)
{
    struct client *session;
    start("", NULL);
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p TIMEOUT 0.1", "'a'"); /* its time ends */
    until(strcmp(content("runs"), "a p first --name=a\n") == 0);
    until(is_state("a", "free"));
    session = node_client(&rig.nodes[0]);
    expect(session, "MALLOC p SESSION", "'a'"); /* its connection ends */
    client_close(session);
    until(strcmp(content("runs"), "a p first --name=a\na p first --name=a\n") == 0);
    until(is_state("a", "free"));
}
END_TEST

START_TEST(only_so_many_are_cleaned_at_a_time)
{
    start("mkdir $dir/1 || mkdir $dir/2 || touch $dir/three\n" WAIT_FOR(
              "go") "rmdir $dir/1 || rmdir $dir/2",
          OPTIONS("clean_concurrency=2"));
    expect(c, "POOL EXTEND p a b c d e", "(integer) 5");
    expect_like(c, "MALLOC p COUNT 5", "1) 'a'*5) 'e'");
    expect(c, "FREE p d b a e c", "(integer) 5");
    until(strlen(content("runs")) >= 2 * strlen("d p first --name=d\n"));
    ck_assert(is_state("c", "cleaning"));
    write_file("go", "", 0600);
    for (const char *name = "abcde"; *name != '\0'; name++) {
        char resource[2] = {*name, '\0'};
        until(is_state(resource, "free"));
    }
    ck_assert_str_eq(content("three"), "");
    ck_assert_uint_eq(strlen(content("runs")), 5 * strlen("d p first --name=d\n"));
}
END_TEST

START_TEST(what_cannot_be_cleaned_is_tried_again_and_then_in_quarantine)
{
    start("echo no soap >&2; exit 4", OPTIONS("clean_retries=1"));
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    until(has_why("a", "1 failed: exit status 4: no soap"));
    ck_assert(is_state("a", "cleaning"));
    until(is_state("a", "quarantined"));
    ck_assert(has_why("a", "cleaning failed: exit status 4: no soap"));
    ck_assert(
        node_log_has(&rig.nodes[0], "pool p: a: exit status 4: no soap; it is in quarantine"));
    ck_assert_uint_eq(strlen(content("runs")), 2 * strlen("a p first --name=a\n"));
    expect(c, "MALLOC p", "(nil)");
    write_file("clean", "#!/bin/sh\n", 0755);
    expect(c, "POOL RESTORE p a", "(integer) 1");
    until(is_state("a", "free"));
}
END_TEST

START_TEST(one_that_hangs_or_crashes_has_failed)
{
    start("[ $RESOURCE = a ] && kill -SEGV $$; sleep 1000",
          OPTIONS("clean_retries=0", "clean_timeout=2"));
    expect(c, "POOL EXTEND p a b", "(integer) 2");
    expect_like(c, "MALLOC p COUNT 2", "1) 'a'\n2) 'b'");
    expect(c, "FREE p a b", "(integer) 2");
    until(has_why("a", "cleaning failed: ended by signal 11"));
    until(has_why("b", "cleaning failed: did not end in time"));
}
END_TEST

START_TEST(a_daemon_that_is_killed_while_it_cleans_begins_anew_when_it_is_back)
{
    start(WAIT_FOR("go"), NULL);
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    until(content("runs")[0] != '\0');
    node_kill(&rig.nodes[0]);
    client_close(c);
    client_close(d);
    struct client *redis = rig_redis(&rig); /* the time of its claim is over */
    expect(redis, "PEXPIRE rallocd|p:a 50", "(integer) 1");
    expect(redis, "ZADD rallocd|p|pool|leases XX CH 50 a", "(integer) 1");
    write_file("go", "", 0600);
    node_start(&rig.nodes[0]);
    connect_to(&rig.nodes[0]);
    until(is_state("a", "free"));
    ck_assert_uint_eq(strlen(content("runs")), 2 * strlen("a p first --name=a\n"));
}
END_TEST

START_TEST(a_daemon_that_stops_leaves_it_to_the_next)
{
    start(WAIT_FOR("go"), NULL);
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    until(content("runs")[0] != '\0');
    client_close(c);
    client_close(d);
    ck_assert_int_eq(node_stop(&rig.nodes[0]), 0);
    struct client *redis = rig_redis(&rig);
    expect(redis, "GET rallocd|p:a", "'#CLEANING'"); /* it is nobody's */
    write_file("go", "", 0600);
    node_start(&rig.nodes[0]);
    connect_to(&rig.nodes[0]);
    until(is_state("a", "free"));
}
END_TEST

/* --- services ------------------------------------------------------------------------------------
 */

static int listen_at_any(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

/* Waits for a request that ends so, and answers it when `answer` is given. */
static int take_request(int listener, const char *begin, const char *end)
{
    static char request[4000];
    size_t len = 0;
    int fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    while (len < strlen(end) || strcmp(request + len - strlen(end), end) != 0) {
        ssize_t got = read(fd, request + len, sizeof(request) - 1 - len);
        ck_assert_msg(got > 0, "the request ends after: %s", request);
        len += (size_t)got;
        request[len] = '\0';
    }
    ck_assert_msg(strncmp(request, begin, strlen(begin)) == 0, "%s", request);
    return fd;
}

static void answer(int fd, const char *status)
{
    char text[200];
    int len = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    ck_assert_int_eq(write(fd, text, (size_t)len), len);
    close(fd);
}

START_TEST(a_service_is_posted_the_name)
{
    int port, listener = listen_at_any(&port);
    char url[100];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/wipe?name={resource}", port);
    start_with(url, OPTIONS("clean_retries=1"));
    expect(c, "POOL EXTEND p \"a b\"", "(integer) 1");
    expect(c, "MALLOC p", "'a b'");
    expect(c, "FREE p \"a b\"", "(integer) 1");
    int fd = take_request(listener, "POST /wipe?name=a%20b HTTP/1.1\r\n", "\r\n\r\na b");
    ck_assert(is_state("\"a b\"", "cleaning"));
    answer(fd, "503 Busy");
    until(has_why("\"a b\"", "1 failed: status 503"));
    fd = take_request(listener, "POST /wipe?name=a%20b HTTP/1.1\r\n", "\r\n\r\na b");
    answer(fd, "204 No Content");
    until(is_state("\"a b\"", "free"));
    close(listener);
}
END_TEST

START_TEST(a_service_that_is_not_there_has_failed)
{
    int port, listener = listen_at_any(&port);
    char url[100];
    close(listener);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    start_with(url, OPTIONS("clean_retries=0"));
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    until(has_why("a", "cleaning failed: connect"));
}
END_TEST

START_TEST(settings_that_make_no_sense_are_refused)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--pool:p.on_free=ftp://somewhere");
    node_launch(node);
    ck_assert_int_eq(node_wait_end(node), 2);
    ck_assert(node_log_has(node, "on_free"));
    ck_assert(node_log_has(node, "http://HOST nor https://HOST: 'ftp://somewhere'"));
}
END_TEST

int main(void)
{
    return RIG_RUN("clean", set_up, tear_down, a_resource_is_cleaned_before_it_is_free,
                   who_waits_gets_it_when_it_is_clean, whatever_ends_the_lease_it_is_cleaned,
                   only_so_many_are_cleaned_at_a_time,
                   what_cannot_be_cleaned_is_tried_again_and_then_in_quarantine,
                   one_that_hangs_or_crashes_has_failed,
                   a_daemon_that_is_killed_while_it_cleans_begins_anew_when_it_is_back,
                   a_daemon_that_stops_leaves_it_to_the_next, a_service_is_posted_the_name,
                   a_service_that_is_not_there_has_failed, settings_that_make_no_sense_are_refused);
}
