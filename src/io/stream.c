/* stream: one connection; see stream.h.
 *
 * The bufferevent reads, and writes as long as the peer is slower than we are. The usual case does
 * not need it: what was added during a turn of the loop is written by flush() at its end, and the
 * socket takes all of it. Only what is left makes the bufferevent wait for the socket (EV_WRITE),
 * under the write timeout. That spares two epoll_ctl() calls and one turn for each reply.
 *
 * `turn` is the stream's one event of its own. What it means depends on the state:
 *
 *      DIALLING   unused                       OPEN     output waits: flush it
 *      CLOSING    (EV_WRITE) flush it, else the linger time is over
 *      DOOMED     tell closed() now            CLOSED   unused
 *
 * Knows: sockets, libevent.  Must not know: RESP, who is at the other end. */
#include "io/stream.h"
#include "base/mem.h"
#include "io/dial.h"
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#define READ_AT_ONCE (64 << 10) /* libevent's own bound is 16 KiB */

enum stream_state {
    STREAM_DIALLING, /* no socket yet; output is collected */
    STREAM_OPEN,
    STREAM_CLOSING, /* the owner wants it closed; the rest of the output is being written */
    STREAM_DOOMED,  /* closed() will be told when the loop turns */
    STREAM_CLOSED   /* closed() has been told, or the owner has freed it */
};

struct stream {
    struct bufferevent *bev;
    const struct stream_events *events;
    void *arg;
    struct dial *dial; /* while DIALLING */
    char *why;         /* CLOSING, DOOMED; owned */
    size_t max_output;
    int64_t write_timeout_ms; /* the linger time once CLOSING */
    int keepalive_s;
    enum stream_state state;
    bool is_calling;    /* inside one of the owner's callbacks */
    bool is_freed;      /* inside it, by the owner */
    bool has_ended;     /* the peer sends no more */
    bool is_above_half; /* the output went over half of its bound */
    struct event turn;
};

/* --- telling the owner ---------------------------------------------------------------------------
 */

static void destroy(struct stream *stream)
{
    event_del(&stream->turn);
    dial_free(stream->dial);
    bufferevent_free(stream->bev);
    mem_free(stream->why);
    mem_free(stream);
}

/* After a callback: false when the owner has freed the stream in it. */
static bool outlives_call(struct stream *stream)
{
    stream->is_calling = false;
    if (!stream->is_freed)
        return true;
    destroy(stream);
    return false;
}

static void tell(struct stream *stream, void (*event)(void *arg))
{
    stream->is_calling = true;
    event(stream->arg);
    outlives_call(stream);
}

/* Nothing happens on the socket any more. */
static void stop(struct stream *stream, enum stream_state state)
{
    stream->state = state;
    bufferevent_disable(stream->bev, EV_READ | EV_WRITE);
    event_del(&stream->turn);
    dial_free(stream->dial);
    stream->dial = NULL;
}

/* To be called from the loop only. `why` may be the stream's own. */
static void finish(struct stream *stream, const char *why)
{
    stop(stream, STREAM_CLOSED);
    stream->is_calling = true;
    stream->events->closed(stream->arg, why);
    outlives_call(stream);
}

static void finish_errno(struct stream *stream, const char *doing, int error)
{
    char why[160];
    if (stream->state == STREAM_CLOSING) { /* the first reason counts */
        finish(stream, stream->why);
        return;
    }
    snprintf(why, sizeof(why), "%s: %s", doing, strerror(error));
    finish(stream, why);
}

static void keep_why(struct stream *stream, const char *why)
{
    mem_free(stream->why);
    stream->why = mem_dup(str_of(why));
}

/* closed(why) on the next turn: for calls of the owner, which must not be called back. */
static void doom(struct stream *stream, const char *why)
{
    keep_why(stream, why);
    stop(stream, STREAM_DOOMED);
    event_active(&stream->turn, EV_TIMEOUT, 0);
}

/* --- writing -------------------------------------------------------------------------------------
 */

static size_t waiting(const struct stream *stream)
{
    return evbuffer_get_length(bufferevent_get_output(stream->bev));
}

static bool is_waiting_for_peer(const struct stream *stream)
{
    return (bufferevent_get_enabled(stream->bev) & EV_WRITE) != 0;
}

/* Closing a socket with unread bytes in it sends a reset, which can overtake our last bytes. */
static void finish_written(struct stream *stream)
{
    char bin[4096];
    int fd = stream_fd(stream);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 256 && recv(fd, bin, sizeof(bin), MSG_DONTWAIT) > 0; i++)
        ;
    finish(stream, stream->why);
}

static void after_write(struct stream *stream)
{
    size_t left = waiting(stream);
    if (left == 0 && is_waiting_for_peer(stream))
        bufferevent_disable(stream->bev, EV_WRITE);
    if (stream->state == STREAM_CLOSING) {
        if (left == 0)
            finish_written(stream);
        return;
    }
    bool has_fallen = stream->is_above_half && left <= stream->max_output / 2;
    if (has_fallen)
        stream->is_above_half = false;
    if ((left == 0 || has_fallen) && stream->events->drained != NULL)
        tell(stream, stream->events->drained);
}

/* Writes what the socket takes; the bufferevent does the rest. Its output is frozen at the front
 * for all but itself, and for us. */
static void flush(struct stream *stream)
{
    struct evbuffer *out = bufferevent_get_output(stream->bev);
    if (evbuffer_get_length(out) > 0) {
        evbuffer_unfreeze(out, 1);
        int written = evbuffer_write(out, stream_fd(stream));
        int error = errno;
        evbuffer_freeze(out, 1);
        if (written < 0 && error != EAGAIN && error != EINTR) {
            finish_errno(stream, "write", error);
            return;
        }
        if (evbuffer_get_length(out) > 0)
            bufferevent_enable(stream->bev, EV_WRITE);
    }
    after_write(stream);
}

static void start_linger(struct stream *stream)
{
    int64_t linger_ms = stream->write_timeout_ms;
    struct timeval linger = {.tv_sec = linger_ms / 1000, .tv_usec = linger_ms % 1000 * 1000};
    event_add(&stream->turn, &linger);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct stream *stream = arg;
    (void)fd;
    switch (stream->state) {
    case STREAM_OPEN:
        flush(stream);
        break;
    case STREAM_CLOSING:
        if ((what & EV_WRITE) != 0) {
            start_linger(stream);
            flush(stream);
            break;
        }
        finish(stream, stream->why);
        break;
    case STREAM_DOOMED:
        finish(stream, stream->why);
        break;
    case STREAM_DIALLING:
    case STREAM_CLOSED:
        break;
    }
}

/* --- what the bufferevent tells ------------------------------------------------------------------
 */

static void on_read(struct bufferevent *bev, void *arg)
{
    struct stream *stream = arg;
    (void)bev;
    if (stream->state == STREAM_OPEN)
        tell(stream, stream->events->readable);
}

static void on_write(struct bufferevent *bev, void *arg)
{
    (void)bev;
    after_write(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct stream *stream = arg;
    int error = EVUTIL_SOCKET_ERROR();
    (void)bev;
    if ((what & BEV_EVENT_ERROR) != 0) {
        finish_errno(stream, (what & BEV_EVENT_READING) != 0 ? "read" : "write", error);
    } else if ((what & BEV_EVENT_TIMEOUT) != 0) {
        finish(stream, stream->state == STREAM_CLOSING ? stream->why : "write timeout");
    } else if ((what & BEV_EVENT_EOF) != 0 && stream->state == STREAM_OPEN) {
        stream->has_ended = true;
        if (stream->events->ended != NULL)
            tell(stream, stream->events->ended);
        else
            finish(stream, "closed by peer");
    }
}

/* --- life ----------------------------------------------------------------------------------------
 */

/* The one place that knows of what kind the connection is. */
static struct bufferevent *make_bufferevent(struct event_base *base, evutil_socket_t fd)
{
    return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
}

/* Unix sockets refuse the options of TCP; that does not matter. */
static void set_socket_options(int fd, int keepalive_s)
{
    const int on = 1, count = 3, interval_s = keepalive_s > 3 ? keepalive_s / 3 : 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (keepalive_s <= 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof(keepalive_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static struct stream *make(struct event_base *base, evutil_socket_t fd,
                           const struct stream_options *options, const struct stream_events *events,
                           void *arg)
{
    struct stream *stream = mem_zalloc(sizeof(*stream));
    stream->events = events;
    stream->arg = arg;
    stream->max_output = options->max_output;
    stream->write_timeout_ms = options->write_timeout_ms;
    stream->keepalive_s = options->keepalive_s;
    evtimer_assign(&stream->turn, base, on_turn, stream);

    stream->bev = make_bufferevent(base, fd);
    bufferevent_disable(stream->bev, EV_WRITE);
    bufferevent_setcb(stream->bev, on_read, on_write, on_event, stream);
    bufferevent_set_max_single_read(stream->bev, READ_AT_ONCE);
    bufferevent_set_max_single_write(stream->bev, EV_SSIZE_MAX);
    bufferevent_setwatermark(stream->bev, EV_WRITE, stream->max_output / 2, 0);
    if (options->write_timeout_ms > 0) {
        struct timeval timeout = {.tv_sec = options->write_timeout_ms / 1000,
                                  .tv_usec = options->write_timeout_ms % 1000 * 1000};
        bufferevent_set_timeouts(stream->bev, NULL, &timeout);
    }
    return stream;
}

struct stream *stream_accept_take(struct event_base *base, evutil_socket_t fd,
                                  const struct stream_options *options,
                                  const struct stream_events *events, void *arg)
{
    evutil_make_socket_nonblocking(fd);
    evutil_make_socket_closeonexec(fd);
    set_socket_options(fd, options->keepalive_s);
    struct stream *stream = make(base, fd, options, events, arg);
    stream->state = STREAM_OPEN;
    bufferevent_enable(stream->bev, EV_READ);
    return stream;
}

static void on_dialled(void *arg, evutil_socket_t fd, const char *why)
{
    struct stream *stream = arg;
    stream->dial = NULL;
    if (fd < 0) {
        finish(stream, why);
        return;
    }
    set_socket_options(fd, stream->keepalive_s);
    bufferevent_setfd(stream->bev, fd);
    stream->state = STREAM_OPEN;
    if (waiting(stream) > 0)
        event_active(&stream->turn, EV_WRITE, 0);
    if (stream->events->opened != NULL)
        tell(stream, stream->events->opened);
}

struct stream *stream_dial(struct event_base *base, struct evdns_base *dns, const struct addr *addr,
                           const struct stream_options *options, const struct stream_events *events,
                           void *arg)
{
    struct stream *stream = make(base, -1, options, events, arg);
    stream->state = STREAM_DIALLING;
    bufferevent_enable(stream->bev, EV_READ); /* as soon as there is a socket */
    stream->dial = dial_start(base, dns, addr, options->connect_timeout_ms, on_dialled, stream);
    return stream;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (!stream->is_calling) {
        destroy(stream);
        return;
    }
    stream->is_freed = true;
    stop(stream, STREAM_CLOSED);
}

/* --- the owner's calls ---------------------------------------------------------------------------
 */

struct evbuffer *stream_in(struct stream *stream)
{
    return bufferevent_get_input(stream->bev);
}

struct evbuffer *stream_out(struct stream *stream)
{
    return bufferevent_get_output(stream->bev);
}

static void doom_for_output(struct stream *stream)
{
    char why[64];
    size_t bound = stream->max_output;
    if (bound % (1 << 20) == 0)
        snprintf(why, sizeof(why), "output over %zu MiB", bound >> 20);
    else if (bound % (1 << 10) == 0)
        snprintf(why, sizeof(why), "output over %zu KiB", bound >> 10);
    else
        snprintf(why, sizeof(why), "output over %zu bytes", bound);
    doom(stream, why);
}

void stream_wrote(struct stream *stream)
{
    size_t bytes = waiting(stream);
    if (bytes == 0 || (stream->state != STREAM_OPEN && stream->state != STREAM_DIALLING))
        return;
    if (stream->max_output > 0 && bytes > stream->max_output) {
        doom_for_output(stream);
        return;
    }
    if (bytes > stream->max_output / 2)
        stream->is_above_half = true;
    if (stream->state == STREAM_OPEN && !is_waiting_for_peer(stream))
        event_active(&stream->turn, EV_WRITE, 0);
}

void stream_pause(struct stream *stream)
{
    bufferevent_disable(stream->bev, EV_READ);
}

void stream_resume(struct stream *stream)
{
    bool is_read = stream->state == STREAM_OPEN || stream->state == STREAM_DIALLING;
    if (is_read && !stream->has_ended)
        bufferevent_enable(stream->bev, EV_READ);
}

void stream_close_when_written(struct stream *stream, const char *why, int64_t linger_ms)
{
    if (stream->state == STREAM_DIALLING || (stream->state == STREAM_OPEN && linger_ms <= 0)) {
        doom(stream, why);
    } else if (stream->state == STREAM_OPEN) {
        keep_why(stream, why);
        stream->state = STREAM_CLOSING;
        stream->write_timeout_ms = linger_ms;
        bufferevent_disable(stream->bev, EV_READ);
        event_active(&stream->turn, EV_WRITE, 0);
    }
}

int stream_fd(const struct stream *stream)
{
    return bufferevent_getfd(stream->bev);
}
