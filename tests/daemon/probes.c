/* probes: real servers and programs that come, go, hang and crash, and what the daemon makes of the
 * resources that they stand for. */
#include "tests/lib/rig.h"
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
    node_option(node, "--pool:p.probe_interval=0.2");
    node_option(node, "--pool:p.probe_timeout=0.5");
    node_option(node, "--pool:p.probe_fall=2");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void start(const char *kind)
{
    node_option(node, "--pool:p.probe=%s", kind);
    node_start(node);
    c = node_client(node);
}

/* What POOL STATUS says of it; without quotes. */
static const char *status_of(const char *resource, const char *field)
{
    static char value[300];
    char words[400];
    snprintf(words, sizeof words, "POOL STATUS p %s", resource);
    rig_value(say(c, words), field, value, sizeof value);
    size_t len = strlen(value);
    if (len >= 2 && value[0] == '"') {
        memmove(value, value + 1, len - 2);
        value[len - 2] = '\0';
    }
    return value;
}

static bool is(const char *resource, const char *field, const char *value)
{
    return strcmp(status_of(resource, field), value) == 0;
}

static int64_t info(const char *field)
{
    return rig_number(say(c, "POOL INFO p"), field);
}

static bool info_has(const char *section, const char *line)
{
    char words[100];
    snprintf(words, sizeof words, "INFO %s", section);
    return strstr(say_string(c, words), line) != NULL;
}

/* --- listeners -----------------------------------------------------------------------------------
 */

struct place {
    int fd, port;
    char name[40]; /* of the resource: its address */
};

/* What connects waits in the backlog: that is all that a probe of TCP wants. */
static void open_place(struct place *place)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)place->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int on = 1;
    place->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(place->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_int_eq(bind(place->fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(place->fd, 4000), 0);
    ck_assert_int_eq(getsockname(place->fd, (struct sockaddr *)&at, &len), 0);
    place->port = ntohs(at.sin_port);
    snprintf(place->name, sizeof place->name, "127.0.0.1:%d", place->port);
}

static void close_place(struct place *place)
{
    close(place->fd);
    place->fd = -1;
}

static void open_places(struct place *places, int count)
{
    for (int i = 0; i < count; i++) {
        places[i].port = 0;
        open_place(&places[i]);
        ck_assert_int_eq(atoi(strchr(sayf(c, "POOL EXTEND p %s", places[i].name), ')') + 1), 1);
    }
}

static void close_places(struct place *places, int count)
{
    for (int i = 0; i < count; i++)
        if (places[i].fd >= 0)
            close_place(&places[i]);
}

START_TEST(a_listener_that_goes_is_quarantined_and_one_that_comes_back_is_had_at_once)
{
    struct place places[3];
    start("tcp");
    open_places(places, 3);
    const char *lost = places[1].name;
    until(is(lost, "health", "healthy"));
    ck_assert_str_eq(status_of(lost, "probe_result"), "connected");
    close_place(&places[1]);
    until(is(lost, "state", "quarantined"));
    ck_assert_str_eq(status_of(lost, "health"), "ill");
    ck_assert_str_eq(status_of(lost, "probe_result"), "connect: Connection refused");
    ck_assert_str_eq(status_of(lost, "why"), "connect: Connection refused");
    until(info("ill") == 1 && info("healthy") == 2);
    ck_assert_int_eq(info("quarantined"), 1);
    expect_like(c, "MALLOC p COUNT 3", "1) '127*'\n2) '127*'");
    client_send(c, "MALLOC p WAIT 15000");
    open_place(&places[1]);
    ck_assert_ptr_nonnull(strstr(client_read(c), lost));
    ck_assert(is(lost, "health", "healthy"));
    ck_assert(info_has("pools", "probes_fallen:1\r\n"));
    ck_assert(info_has("pools", "probes_risen:1\r\n"));
    close_places(places, 3);
}
END_TEST

START_TEST(a_leased_one_that_gets_ill_keeps_its_holder_and_is_not_handed_out_again)
{
    struct place places[2];
    start("tcp");
    open_places(places, 2);
    until(info("healthy") == 2);
    char *token = strdup(say(c, "MALLOC p"));
    const char *held = places[0].name;
    ck_assert_ptr_nonnull(strstr(token, held));
    close_place(&places[0]);
    until(is(held, "health", "ill"));
    until(is(held, "next", "quarantined"));
    ck_assert(is(held, "state", "leased"));
    ck_assert_str_eq(sayf(c, "FREE p %s", held), "(integer) 1");
    ck_assert(is(held, "state", "quarantined"));
    expect_like(c, "MALLOC p", "*127*");
    expect(c, "MALLOC p", "(nil)");
    free(token);
    close_places(places, 2);
}
END_TEST

START_TEST(what_a_person_quarantined_stays_though_its_probe_is_content)
{
    struct place places[2];
    start("tcp");
    open_places(places, 2);
    until(info("healthy") == 2);
    const char *name = places[0].name;
    ck_assert_str_eq(sayf(c, "POOL QUARANTINE p %s", name), "(integer) 1");
    /* Several rounds later it still is. */
    for (int i = 0; i < 3; i++) {
        sayf(c, "CONFIG RESETSTAT");
        until(!info_has("pools", "probes_ended:0\r\n") && !info_has("pools", "probes_ended:1\r\n"));
    }
    ck_assert(is(name, "state", "quarantined"));
    ck_assert(is(name, "health", "healthy"));
    ck_assert_str_eq(sayf(c, "POOL RESTORE p %s", name), "(integer) 1");
    ck_assert(is(name, "state", "free"));
    close_places(places, 2);
}
END_TEST

START_TEST(when_all_are_ill_at_once_half_of_the_pool_stays)
{
    struct place places[4];
    start("tcp");
    open_places(places, 4);
    until(info("healthy") == 4);
    close_places(places, 4);
    until(info("ill") == 4);
    until(info("probes_held") == 1);
    ck_assert_int_eq(info("quarantined"), 2);
    ck_assert_int_eq(info("free"), 2);
    ck_assert(info_has("pools", "probes_held:1\r\n"));
    ck_assert(node_log_has(node, "probes-held"));
    ck_assert(node_log_has(node, "4 of 4 resources are ill at once") ||
              node_log_has(node, "3 of 4 resources are ill at once"));
    expect(c, "CONFIG SET pool:p.max_unhealthy 100", "OK");
    until(info("quarantined") == 4);
    for (int i = 0; i < 4; i++)
        open_place(&places[i]);
    until(info("free") == 4);
    close_places(places, 4);
}
END_TEST

/* Reads the settings' file again, with these lines for the pool. */
static void reload(const char *lines)
{
    char path[200];
    snprintf(path, sizeof path, "%s/conf", rig.guard.dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "[pool:p]\nmax_unhealthy = 100\nprobe_interval = 0.1\nprobe_fall = 1\n%s", lines);
    ck_assert_int_eq(fclose(file), 0);
    if (c != NULL)
        node_signal(node, SIGHUP);
}

START_TEST(probes_change_by_a_reload_but_not_by_clients)
{
    struct place places[1];
    reload("");
    node_option(node, "-c");
    node_option(node, "%s/conf", rig.guard.dir);
    node_start(node);
    c = node_client(node);
    open_places(places, 1);
    expect_like(c, "CONFIG SET pool:p.probe exec", "(error) ERR *probe*");
    expect_like(c, "CONFIG SET pool:p.probe_target x", "(error) ERR *probe_target*");
    close_place(&places[0]);
    reload("probe = tcp\n");
    until(is(places[0].name, "state", "quarantined"));
    reload("probe = exec\nprobe_target = /bin/true {resource}\n");
    until(is(places[0].name, "state", "free"));
    reload("probe = exec\nprobe_target = {resource}\n");
    until(strstr(say(c, "POOL INFO p"), "wants a program in probe_target") != NULL);
    ck_assert(node_log_has(node, "probes-impossible"));
    reload("probe = http\ntls_ca = /no/such/file\n");
    until(strstr(say(c, "POOL INFO p"), "cannot read the certificates of /no/such/file") != NULL);
}
END_TEST

START_TEST(a_pool_without_probes_says_so)
{
    start("none");
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect_like(c, "POOL INFO p", "*'probe'\n*'none'\n*'probes_held'\n*(integer) 0*");
    expect_like(c, "POOL STATUS p a", "*'health'\n*) ''\n*");
}
END_TEST

/* --- HTTP ----------------------------------------------------------------------------------------
 */

/* Shared with the server's process. */
static volatile int *http_status;

static void on_request(struct evhttp_request *request, void *arg)
{
    (void)arg;
    if (*http_status > 0) /* else it hangs */
        evhttp_send_reply(request, *http_status, "so", NULL);
}

static pid_t serve_http(const struct place *place)
{
    http_status =
        mmap(NULL, sizeof *http_status, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *http_status = 200;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct event_base *base = event_base_new();
        struct evhttp *server = evhttp_new(base);
        evutil_make_socket_nonblocking(place->fd);
        if (evhttp_accept_socket(server, place->fd) == 0) {
            evhttp_set_gencb(server, on_request, NULL);
            event_base_dispatch(base);
        }
        _exit(1);
    }
    return pid;
}

START_TEST(an_http_server_is_judged_by_its_status)
{
    struct place places[2];
    node_option(node, "--pool:p.probe_target=http://{resource}/health?deep=1");
    node_option(node, "--pool:p.probe_expect=200-299,429");
    start("http");
    open_places(places, 1);
    pid_t pid = serve_http(&places[0]);
    const char *name = places[0].name;
    expect(c, "CONFIG SET pool:p.max_unhealthy 100", "OK");
    until(is(name, "probe_result", "status 200"));
    *http_status = 503;
    until(is(name, "state", "quarantined"));
    ck_assert(is(name, "why", "status 503, not expected"));
    *http_status = 429;
    until(is(name, "state", "free"));
    *http_status = 0;
    until(is(name, "state", "quarantined"));
    ck_assert(is(name, "why", "timeout: no whole answer within 500 ms"));
    *http_status = 204;
    until(is(name, "state", "free"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close_places(places, 1);
}
END_TEST

/* --- RESP ----------------------------------------------------------------------------------------
 */

START_TEST(a_redis_that_hangs_or_dies_is_ill)
{
    struct server server;
    char name[200];
    server_init(&server, rig.guard.dir, "probed");
    server_start(&server);
    snprintf(name, sizeof name, "unix:%s", server.path);
    node_option(node, "--pool:p.max_unhealthy=100");
    start("resp");
    ck_assert_str_eq(sayf(c, "POOL EXTEND p %s", name), "(integer) 1");
    until(is(name, "probe_result", "+PONG"));
    server_freeze(&server);
    until(is(name, "state", "quarantined"));
    ck_assert(is(name, "why", "timeout: no answer"));
    server_thaw(&server);
    until(is(name, "state", "free"));
    server_kill(&server);
    until(is(name, "state", "quarantined"));
    server_start(&server);
    until(is(name, "state", "free"));
    expect(c, "CONFIG SET pool:p.probe_send \"CONFIG GET maxclients\"", "OK");
    expect(c, "CONFIG SET pool:p.probe_expect *2", "OK");
    until(is(name, "probe_result", "*2"));
    ck_assert(is(name, "state", "free"));
    server_clear(&server);
}
END_TEST

/* --- programs ------------------------------------------------------------------------------------
 */

static void write_program(const char *script)
{
    char path[200], temporary[200];
    snprintf(path, sizeof path, "%s/program", rig.guard.dir);
    snprintf(temporary, sizeof temporary, "%s/program.new", rig.guard.dir);
    FILE *file = fopen(temporary, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    ck_assert_int_eq(chmod(temporary, 0755), 0);
    ck_assert_int_eq(rename(temporary, path), 0);
}

START_TEST(a_program_that_fails_hangs_or_crashes_makes_it_ill)
{
    static const struct {
        const char *script, *why;
    } cases[] = {{"echo 'no heartbeat' >&2; exit 3", "exit status 3: no heartbeat"},
                 {"kill -SEGV $$", "ended by signal 11"},
                 {"sleep 1000", "did not end in time"},
                 {"yes", "printed too much"}};
    write_program("test \"$1 $2 $RESOURCE\" = 'gpu=gpu-7 x gpu-7'");
    node_option(node, "--pool:p.probe_target=%s/program gpu={resource} x", rig.guard.dir);
    node_option(node, "--pool:p.max_unhealthy=100");
    start("exec");
    expect(c, "POOL EXTEND p gpu-7", "(integer) 1");
    until(is("gpu-7", "probe_result", "exit status 0"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_program(cases[i].script);
        until(is("gpu-7", "state", "quarantined"));
        until(is("gpu-7", "why", cases[i].why));
        write_program("exit 0");
        until(is("gpu-7", "state", "free"));
    }
}
END_TEST

/* What still runs when it stops is killed: rig_end() waits for the daemon. */
START_TEST(a_daemon_that_stops_gives_up_its_checks)
{
    node_option(node, "--pool:p.probe_target=/bin/sleep 1000");
    start("exec");
    expect(c, "CONFIG SET pool:p.probe_timeout 1000", "OK");
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    until(info_has("pools", "probes_running:3\r\n"));
    client_close(c);
    ck_assert_int_eq(node_stop(node), 0);
    node_start(node);
    c = node_client(node);
}
END_TEST

int main(void)
{
    return RIG_RUN("probes", set_up, tear_down,
                   a_listener_that_goes_is_quarantined_and_one_that_comes_back_is_had_at_once,
                   a_leased_one_that_gets_ill_keeps_its_holder_and_is_not_handed_out_again,
                   what_a_person_quarantined_stays_though_its_probe_is_content,
                   when_all_are_ill_at_once_half_of_the_pool_stays,
                   probes_change_by_a_reload_but_not_by_clients, a_pool_without_probes_says_so,
                   an_http_server_is_judged_by_its_status, a_redis_that_hangs_or_dies_is_ill,
                   a_program_that_fails_hangs_or_crashes_makes_it_ill,
                   a_daemon_that_stops_gives_up_its_checks);
}
