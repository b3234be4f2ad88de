/* stream_rig: what the tests of streams share: a loop, an owner that counts what it is told, peers.
 * Knows: io/stream. */
#ifndef TESTS_STREAM_RIG_H
#define TESTS_STREAM_RIG_H

#include "io/stream.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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

static inline void on_beat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

static inline int64_t now_ms(void)
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

static inline void turn_for_ms(int ms)
{
    for (int64_t end_ms = now_ms() + ms; now_ms() < end_ms;)
        event_base_loop(base, EVLOOP_ONCE);
}

static inline void set_up(void)
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

static inline void tear_down(void)
{
    if (!owner.is_freed)
        stream_free(owner.stream);
    ck_assert_int_le(owner.closed, 1);
    ck_assert_int_eq(owner.calls_after_free, 0);
    turn_for_ms(10); /* what libevent still has to free */
    event_free(heartbeat);
    event_base_free(base);
}

static inline void note(struct owner *o, int *count, enum moment moment)
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

static inline void on_opened(void *arg)
{
    note(arg, &owner.opened, AT_OPENED);
}

static inline void on_readable(void *arg)
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

static inline void on_drained(void *arg)
{
    note(arg, &owner.drained, AT_DRAINED);
}

static inline void on_ended(void *arg)
{
    note(arg, &owner.ended, AT_ENDED);
}

static inline void on_closed(void *arg, const char *why)
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

static inline int listen_on(const char *text, int backlog, struct addr *addr)
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
static inline int accept_pair(int type, const struct stream_options *options,
                              const struct stream_events *events)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair), 0);
    owner.stream = stream_accept_take(base, pair[0], options, events, &owner);
    return pair[1];
}

/* The same over TCP. */
static inline int accept_tcp(const struct stream_options *options,
                             const struct stream_events *events)
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

static inline void dial(const struct addr *addr, const struct stream_options *options)
{
    owner.stream = stream_dial(base, NULL, addr, options, &plain, &owner);
    ck_assert_int_eq(owner.opened + owner.closed, 0);
}

static inline void write_bytes(struct stream *stream, size_t bytes)
{
    static char some[1 << 20];
    for (size_t part; bytes > 0; bytes -= part) {
        part = bytes < sizeof(some) ? bytes : sizeof(some);
        evbuffer_add(stream_out(stream), some, part);
    }
    stream_wrote(stream);
}

/* Reads what is there; -1 at the end, with *bytes counting. */
static inline int read_some(int peer, size_t *bytes)
{
    static char some[64 << 10];
    ssize_t n = recv(peer, some, sizeof(some), 0);
    if (n > 0)
        *bytes += (size_t)n;
    ck_assert_msg(n >= 0 || errno == EAGAIN, "the peer got an error: %s", strerror(errno));
    return n == 0 ? -1 : 0;
}

/* A case with the rig around each of its tests. */
static inline TCase *rigged_case(Suite *suite, const char *name)
{
    TCase *rigged = tcase_create(name);
    tcase_add_checked_fixture(rigged, set_up, tear_down);
    tcase_set_timeout(rigged, 30);
    suite_add_tcase(suite, rigged);
    return rigged;
}

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
