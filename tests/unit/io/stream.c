/* stream: opening, reading, writing and above all closing: every way to end is told exactly once.
 */
#include "io/stream.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/dns.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In which callback the owner frees its stream. */
enum moment { NEVER, AT_OPENED, AT_READABLE, AT_DRAINED, AT_ENDED, AT_CLOSED };

struct owner {
    struct stream *stream;
    enum moment free_at;
    int opened, readable, drained, ended, closed;
    int calls_after_free;
    bool is_freed;
    char why[200];
    char got[256]; /* the first bytes that came */
    size_t got_bytes;
};

static struct event_base *base;
static struct event *heartbeat; /* keeps the loop turning */
static struct clock machine_clock;
static struct owner owner;

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

static int64_t now_ms(void)
{
    return clock_ms(&machine_clock);
}

/* Turns the loop until the condition holds, at most 20 s. */
#define UNTIL(condition)                                                        \
    do {                                                                        \
        for (int64_t give_up_ms = now_ms() + 20000; !(condition);               \
             event_base_loop(base, EVLOOP_ONCE))                                \
            ck_assert_msg(now_ms() < give_up_ms, "never came: %s", #condition); \
    } while (0)

static void turn_for_ms(int ms)
{
    for (int64_t end_ms = now_ms() + ms; now_ms() < end_ms;)
        event_base_loop(base, EVLOOP_ONCE);
}

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    heartbeat = event_new(base, -1, EV_PERSIST, on_beat, NULL);
    event_add(heartbeat, &(struct timeval){.tv_usec = 2000});
    clock_init(&machine_clock);
    memset(&owner, 0, sizeof(owner));
}

static void tear_down(void)
{
    if (!owner.is_freed)
        stream_free(owner.stream);
    ck_assert_int_le(owner.closed, 1);
    ck_assert_int_eq(owner.calls_after_free, 0);
    turn_for_ms(10); /* what libevent still has to free */
    event_free(heartbeat);
    event_base_free(base);
}

static void note(struct owner *o, int *count, enum moment moment)
{
    (*count)++;
    if (o->is_freed)
        o->calls_after_free++;
    if (o->free_at != moment || o->is_freed)
        return;
    stream_free(o->stream);
    o->is_freed = true;
    /* It lives until the callback returns. */
    evbuffer_add(stream_out(o->stream), "late", 4);
    stream_wrote(o->stream);
    stream_close_when_written(o->stream, "late", 1000);
    stream_resume(o->stream);
}

static void on_opened(void *arg)
{
    note(arg, &owner.opened, AT_OPENED);
}

static void on_readable(void *arg)
{
    struct owner *o = arg;
    struct evbuffer *in = stream_in(o->stream);
    char bytes[4096];
    for (int n; (n = evbuffer_remove(in, bytes, sizeof(bytes))) > 0; o->got_bytes += (size_t)n) {
        if (o->got_bytes < sizeof(o->got))
            memcpy(o->got + o->got_bytes, bytes,
                   (size_t)n < sizeof(o->got) - o->got_bytes ? (size_t)n
                                                             : sizeof(o->got) - o->got_bytes);
    }
    note(o, &o->readable, AT_READABLE);
}

static void on_drained(void *arg)
{
    note(arg, &owner.drained, AT_DRAINED);
}

static void on_ended(void *arg)
{
    note(arg, &owner.ended, AT_ENDED);
}

static void on_closed(void *arg, const char *why)
{
    struct owner *o = arg;
    snprintf(o->why, sizeof(o->why), "%s", why);
    note(o, &o->closed, AT_CLOSED);
}

static const struct stream_events plain = {
    .opened = on_opened, .readable = on_readable, .drained = on_drained, .closed = on_closed};
static const struct stream_events with_ended = {.opened = on_opened,
                                                .readable = on_readable,
                                                .drained = on_drained,
                                                .ended = on_ended,
                                                .closed = on_closed};
static const struct stream_options no_options = {0};

/* --- peers ---------------------------------------------------------------------------------------
 */

static int listen_on(const char *text, int backlog, struct addr *addr)
{
    struct sockaddr_storage address;
    socklen_t len;
    struct err err;
    char name[200];
    ck_assert(addr_parse(str_of(text), addr, &err));
    ck_assert(addr_to_sockaddr(addr, &address, &len, &err));
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    if (backlog >= 0)
        ck_assert_int_eq(listen(fd, backlog), 0);
    if (!addr->is_unix) {
        addr_of_local(fd, name, sizeof(name));
        ck_assert(addr_parse(str_of(name), addr, &err));
    }
    return fd;
}

/* An accepted stream and the other end's socket. */
static int accept_pair(int type, const struct stream_options *options,
                       const struct stream_events *events)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair), 0);
    owner.stream = stream_accept_take(base, pair[0], options, events, &owner);
    return pair[1];
}

/* The same over TCP. */
static int accept_tcp(const struct stream_options *options, const struct stream_events *events)
{
    struct addr addr;
    struct sockaddr_storage address;
    socklen_t len;
    int listener = listen_on("127.0.0.1:0", 1, &addr);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(addr_to_sockaddr(&addr, &address, &len, NULL));
    ck_assert_int_eq(connect(peer, (struct sockaddr *)&address, len), 0);
    int fd = -1;
    UNTIL((fd = accept(listener, NULL, NULL)) >= 0);
    close(listener);
    fcntl(peer, F_SETFL, O_NONBLOCK);
    owner.stream = stream_accept_take(base, fd, options, events, &owner);
    return peer;
}

static void dial(const struct addr *addr, const struct stream_options *options)
{
    owner.stream = stream_dial(base, NULL, addr, options, &plain, &owner);
    ck_assert_int_eq(owner.opened + owner.closed, 0);
}

static void write_bytes(struct stream *stream, size_t bytes)
{
    static char some[1 << 20];
    for (size_t part; bytes > 0; bytes -= part) {
        part = bytes < sizeof(some) ? bytes : sizeof(some);
        evbuffer_add(stream_out(stream), some, part);
    }
    stream_wrote(stream);
}

/* Reads what is there; -1 at the end, with *bytes counting. */
static int read_some(int peer, size_t *bytes)
{
    static char some[64 << 10];
    ssize_t n = recv(peer, some, sizeof(some), 0);
    if (n > 0)
        *bytes += (size_t)n;
    ck_assert_msg(n >= 0 || errno == EAGAIN, "the peer got an error: %s", strerror(errno));
    return n == 0 ? -1 : 0;
}

/* --- opening -------------------------------------------------------------------------------------
 */

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

/* --- reading and writing -------------------------------------------------------------------------
 */

START_TEST(many_small_adds_make_one_write)
{
    int peer = accept_pair(SOCK_SEQPACKET, &no_options, &plain);
    char got[256];
    for (int i = 0; i < 100; i++) {
        evbuffer_add(stream_out(owner.stream), "ab", 2);
        stream_wrote(owner.stream);
    }
    ck_assert_int_eq(recv(peer, got, sizeof(got), 0), -1); /* not before the loop turns */
    UNTIL(owner.drained == 1);
    ck_assert_int_eq(recv(peer, got, sizeof(got), 0), 200);
    close(peer);
}
END_TEST

START_TEST(a_paused_stream_reads_nothing)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    stream_pause(owner.stream);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    turn_for_ms(20);
    ck_assert_int_eq(owner.readable, 0);
    stream_resume(owner.stream);
    UNTIL(owner.got_bytes == 3);
    close(peer);
}
END_TEST

START_TEST(much_output_reaches_a_reading_peer_whole)
{
    int peer = accept_tcp(&(struct stream_options){.max_output = 64 << 20}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 32 << 20);
    UNTIL((read_some(peer, &bytes), bytes == 32 << 20));
    UNTIL(owner.drained >= 1 && evbuffer_get_length(stream_out(owner.stream)) == 0);
    ck_assert_int_le(owner.drained, 2); /* under half; empty */
    ck_assert_int_eq(owner.closed, 0);
    /* The next small reply goes the short way again. */
    write_bytes(owner.stream, 10);
    UNTIL((read_some(peer, &bytes), bytes == (32 << 20) + 10));
    close(peer);
}
END_TEST

START_TEST(drained_is_told_under_half_of_the_bound)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.max_output = 8 << 20}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 8 << 20);
    turn_for_ms(10);
    ck_assert_int_eq(owner.drained, 0);
    UNTIL((read_some(peer, &bytes), owner.drained == 1));
    ck_assert_uint_le(evbuffer_get_length(stream_out(owner.stream)), 4 << 20);
    ck_assert_uint_gt(evbuffer_get_length(stream_out(owner.stream)), 0);
    close(peer);
}
END_TEST

/* --- bounds --------------------------------------------------------------------------------------
 */

START_TEST(output_over_its_bound_closes_on_the_next_turn)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.max_output = 1 << 20}, &plain);
    write_bytes(owner.stream, 1 << 20);
    write_bytes(owner.stream, 1);
    write_bytes(owner.stream, 1);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    ck_assert_str_eq(owner.why, "output over 1 MiB");
    turn_for_ms(10);
    close(peer);
}
END_TEST

START_TEST(a_peer_that_takes_nothing_is_closed_by_the_write_timeout)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 50}, &plain);
    write_bytes(owner.stream, 4 << 20);
    int64_t started_ms = now_ms();
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "write timeout");
    ck_assert_int_ge(now_ms() - started_ms, 40);
    close(peer);
}
END_TEST

START_TEST(the_write_timeout_counts_only_while_output_waits)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 30}, &plain);
    size_t bytes = 0;
    turn_for_ms(90);
    ck_assert_int_eq(owner.closed, 0);
    write_bytes(owner.stream, 4 << 20); /* waits, then leaves */
    UNTIL((read_some(peer, &bytes), bytes == 4 << 20));
    turn_for_ms(90);
    write_bytes(owner.stream, 10);
    turn_for_ms(90);
    ck_assert_int_eq(owner.closed, 0);
    close(peer);
}
END_TEST

START_TEST(a_slow_but_steady_reader_is_not_closed)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 60}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 8 << 20);
    for (int i = 0; i < 15; i++) {
        turn_for_ms(20);
        for (int j = 0; j < 8; j++)
            read_some(peer, &bytes);
    }
    ck_assert_int_eq(owner.closed, 0);
    ck_assert_uint_gt(evbuffer_get_length(stream_out(owner.stream)), 0);
    close(peer);
}
END_TEST

/* --- closing -------------------------------------------------------------------------------------
 */

START_TEST(a_peer_that_closes_is_told_once)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    ck_assert_int_eq(send(peer, "last words", 10, 0), 10);
    close(peer);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "closed by peer");
    ck_assert_uint_eq(owner.got_bytes, 10);
    turn_for_ms(10);
    /* What the owner still does with it has no effect. */
    write_bytes(owner.stream, 10);
    stream_resume(owner.stream);
    stream_close_when_written(owner.stream, "again", 10);
    turn_for_ms(30);
    ck_assert_int_eq(owner.closed, 1);
}
END_TEST

START_TEST(a_reset_is_told_once)
{
    int peer = accept_tcp(&no_options, &with_ended);
    struct linger reset = {.l_onoff = 1};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(peer);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "read: Connection reset by peer");
    turn_for_ms(10);
}
END_TEST

START_TEST(writing_to_a_peer_that_has_gone_is_told_once)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    stream_pause(owner.stream);
    close(peer);
    write_bytes(owner.stream, 10);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "write: Broken pipe");
    turn_for_ms(10);
}
END_TEST

START_TEST(a_half_closed_peer_still_gets_its_answers)
{
    int peer = accept_tcp(&no_options, &with_ended);
    size_t bytes = 0;
    ck_assert_int_eq(send(peer, "question", 8, 0), 8);
    shutdown(peer, SHUT_WR);
    UNTIL(owner.ended == 1);
    ck_assert_uint_eq(owner.got_bytes, 8);
    stream_resume(owner.stream); /* nothing more can come */
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);

    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "closed by peer", 5000);
    UNTIL(read_some(peer, &bytes) < 0);
    ck_assert_uint_eq(bytes, 4 << 20);
    UNTIL(owner.closed == 1);
    ck_assert_int_eq(owner.ended, 1);
    close(peer);
}
END_TEST

START_TEST(closing_writes_what_waits_and_sends_no_reset)
{
    int peer = accept_tcp(&no_options, &with_ended);
    size_t bytes = 0;
    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "protocol error", 5000);
    ck_assert_int_eq(owner.closed, 0);
    ck_assert_int_eq(send(peer, "more and more", 13, 0), 13); /* never read by us */
    UNTIL(read_some(peer, &bytes) < 0);
    ck_assert_uint_eq(bytes, 4 << 20);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "protocol error");
    ck_assert_uint_eq(owner.got_bytes, 0);
    close(peer);
}
END_TEST

START_TEST(closing_without_output_is_told_on_the_next_turn)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    char text[] = "because";
    stream_close_when_written(owner.stream, text, 5000);
    text[0] = '?'; /* it was borrowed */
    stream_close_when_written(owner.stream, "another reason", 5000);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    ck_assert_str_eq(owner.why, "because");
    close(peer);
}
END_TEST

START_TEST(closing_waits_no_longer_than_its_linger_time)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    write_bytes(owner.stream, 4 << 20);
    turn_for_ms(10); /* the socket is full */
    int64_t started_ms = now_ms();
    stream_close_when_written(owner.stream, "shutdown", 50);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "shutdown");
    ck_assert_int_ge(now_ms() - started_ms, 40);
    ck_assert_int_lt(now_ms() - started_ms, 2000);
    close(peer);
}
END_TEST

START_TEST(closing_without_linger_waits_for_nothing)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "now", 0);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    close(peer);
}
END_TEST

/* --- freeing -------------------------------------------------------------------------------------
 */

START_TEST(a_freed_stream_tells_nothing_and_closes_its_socket)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 10);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    stream_free(owner.stream);
    owner.is_freed = true;
    stream_free(NULL);
    UNTIL(recv(peer, &bytes, sizeof(bytes), 0) <= 0 && errno != EAGAIN);
    turn_for_ms(10);
    ck_assert_int_eq(owner.readable + owner.drained + owner.closed, 0);
    close(peer);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_opened)
{
    struct addr addr;
    int listener = listen_on("127.0.0.1:0", 5, &addr);
    owner.free_at = AT_OPENED;
    dial(&addr, &no_options);
    evbuffer_add(stream_out(owner.stream), "x", 1);
    stream_wrote(owner.stream);
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);
    close(listener);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_readable)
{
    owner.free_at = AT_READABLE;
    int peer = accept_pair(SOCK_STREAM, &no_options, &with_ended);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    close(peer); /* the end is there at once, too */
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.ended + owner.closed, 0);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_drained)
{
    for (int is_slow = 0; is_slow < 2; is_slow++) {
        memset(&owner, 0, sizeof(owner));
        owner.free_at = AT_DRAINED;
        int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
        size_t bytes = 0;
        write_bytes(owner.stream, is_slow ? 4 << 20 : 10);
        UNTIL((owner.is_freed ? 0 : read_some(peer, &bytes), owner.is_freed));
        turn_for_ms(20);
        ck_assert_int_eq(owner.closed, 0);
        close(peer);
    }
}
END_TEST

START_TEST(a_stream_can_be_freed_in_ended)
{
    owner.free_at = AT_ENDED;
    int peer = accept_pair(SOCK_STREAM, &no_options, &with_ended);
    close(peer);
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_closed_whatever_the_reason)
{
    struct stream_options options = {
        .write_timeout_ms = 20, .max_output = 6 << 20, .connect_timeout_ms = 20};
    for (int way = 0; way < 7; way++) {
        struct addr addr;
        memset(&owner, 0, sizeof(owner));
        owner.free_at = AT_CLOSED;
        int peer = way < 6 ? accept_pair(SOCK_STREAM, &options, &plain)
                           : listen_on("127.0.0.1:0", -1, &addr);
        if (way == 0)
            shutdown(peer, SHUT_WR);
        else if (way == 1 || way == 2)
            write_bytes(owner.stream, way == 1 ? 4 << 20 : 7 << 20);
        else if (way == 3 || way == 4)
            stream_close_when_written(owner.stream, "over", way == 3 ? 10 : 0);
        if (way == 5) {
            write_bytes(owner.stream, 4 << 20);
            stream_close_when_written(owner.stream, "over", 10);
        } else if (way == 6) {
            dial(&addr, &options);
        }
        UNTIL(owner.is_freed);
        turn_for_ms(20);
        ck_assert_int_eq(owner.closed, 1);
        close(peer);
    }
}
END_TEST

START_TEST(an_idle_stream_is_small)
{
    enum { COUNT = 200 };
    static struct stream *streams[COUNT];
    static int peers[COUNT];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        peers[i] = accept_pair(SOCK_STREAM, &no_options, &plain);
        streams[i] = owner.stream;
    }
    for (int i = 0; i < COUNT; i++) { /* used once, then idle */
        ck_assert_int_eq(send(peers[i], "abc", 3, 0), 3);
        write_bytes(streams[i], 10);
    }
    for (int i = 0; i < COUNT; i++) {
        owner.stream = streams[i];
        size_t bytes = 0;
        UNTIL((read_some(peers[i], &bytes), bytes == 10));
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT;
    ck_assert_msg(each < 1536, "%zu bytes", each);
    for (int i = 0; i < COUNT; i++) {
        stream_free(streams[i]);
        close(peers[i]);
    }
    owner.is_freed = true;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *opening = tcase_create("opening"), *passing = tcase_create("passing");
    TCase *closing = tcase_create("closing"), *freeing = tcase_create("freeing");
    TCase *const all[] = {opening, passing, closing, freeing};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        tcase_set_timeout(all[i], 30);
        suite_add_tcase(suite, all[i]);
    }
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
    tcase_add_test(passing, many_small_adds_make_one_write);
    tcase_add_test(passing, a_paused_stream_reads_nothing);
    tcase_add_test(passing, much_output_reaches_a_reading_peer_whole);
    tcase_add_test(passing, drained_is_told_under_half_of_the_bound);
    tcase_add_test(passing, output_over_its_bound_closes_on_the_next_turn);
    tcase_add_test(passing, a_peer_that_takes_nothing_is_closed_by_the_write_timeout);
    tcase_add_test(passing, the_write_timeout_counts_only_while_output_waits);
    tcase_add_test(passing, a_slow_but_steady_reader_is_not_closed);
    tcase_add_test(closing, a_peer_that_closes_is_told_once);
    tcase_add_test(closing, a_reset_is_told_once);
    tcase_add_test(closing, writing_to_a_peer_that_has_gone_is_told_once);
    tcase_add_test(closing, a_half_closed_peer_still_gets_its_answers);
    tcase_add_test(closing, closing_writes_what_waits_and_sends_no_reset);
    tcase_add_test(closing, closing_without_output_is_told_on_the_next_turn);
    tcase_add_test(closing, closing_waits_no_longer_than_its_linger_time);
    tcase_add_test(closing, closing_without_linger_waits_for_nothing);
    tcase_add_test(freeing, a_freed_stream_tells_nothing_and_closes_its_socket);
    tcase_add_test(freeing, a_stream_can_be_freed_in_opened);
    tcase_add_test(freeing, a_stream_can_be_freed_in_readable);
    tcase_add_test(freeing, a_stream_can_be_freed_in_drained);
    tcase_add_test(freeing, a_stream_can_be_freed_in_ended);
    tcase_add_test(freeing, a_stream_can_be_freed_in_closed_whatever_the_reason);
    tcase_add_test(freeing, an_idle_stream_is_small);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
