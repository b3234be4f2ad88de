/* stream: one connection; see stream.h.
 *
 * Reading: what the socket has is received onto the stack, and `in` refers to it while the owner
 * looks; only what the owner leaves is copied. So an idle connection keeps no memory for input, and
 * a request costs neither a buffer nor a question for how much there is to read.
 *
 * Writing: what was added during a turn of the loop is written by flush() at its end, and the
 * socket usually takes all of it. Only what is left makes `turn` wait for the socket, under the
 * write timeout. That spares two epoll_ctl() calls and one turn of the loop for each reply.
 *
 * What an event of `turn` means depends on the state:
 *
 *      DIALLING   never comes            OPEN     EV_WRITE: flush; else the peer takes nothing
 *      CLOSING    flush                  DOOMED   tell closed() now            CLOSED   never comes
 *
 * `read` is the input's event while OPEN, and the end of the linger time while CLOSING.
 *
 * Knows: sockets, libevent.  Must not know: RESP, who is at the other end. */
#include "io/stream.h"
#include "base/mem.h"
#include "io/dial.h"
#include <errno.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define READ_AT_ONCE (64 << 10)

enum stream_state {
    STREAM_DIALLING, /* no socket yet; output is collected */
    STREAM_OPEN,
    STREAM_CLOSING, /* the owner wants it closed; the rest of the output is being written */
    STREAM_DOOMED,  /* closed() will be told when the loop turns */
    STREAM_CLOSED   /* closed() has been told, or the owner has freed it */
};

struct stream {
    struct event_base *base;
    int fd; /* -1 while DIALLING */
    struct event read, turn;
    struct evbuffer *in; /* NULL while there is nothing in it */
    struct evbuffer *out;
    const struct stream_events *events;
    void *arg;
    struct dial *dial; /* while DIALLING */
    char *why;         /* CLOSING, DOOMED; owned */
    size_t max_output;
    int64_t write_timeout_ms;
    int keepalive_s;
    enum stream_state state;
    bool is_calling;          /* inside one of the owner's callbacks */
    bool is_freed;            /* inside it, by the owner */
    bool is_paused;           /* the owner wants no input */
    bool has_ended;           /* the peer sends no more */
    bool is_above_half;       /* the output went over half of its bound */
    bool is_waiting_for_peer; /* the socket took only a part: `turn` waits for it */
};

/* --- telling the owner ---------------------------------------------------------------------------
 */

static void destroy(struct stream *stream)
{
    event_del(&stream->turn);
    event_del(&stream->read);
    dial_free(stream->dial);
    if (stream->fd >= 0)
        close(stream->fd);
    if (stream->in != NULL)
        evbuffer_free(stream->in);
    evbuffer_free(stream->out);
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
    event_del(&stream->read);
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
    return evbuffer_get_length(stream->out);
}

static void add_event(struct event *event, int64_t timeout_ms)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    event_add(event, timeout_ms > 0 ? &timeout : NULL);
}

/* The next EV_WRITE, or EV_TIMEOUT when it does not come in time. */
static void wait_for_peer(struct stream *stream)
{
    stream->is_waiting_for_peer = true;
    add_event(&stream->turn, stream->state == STREAM_OPEN ? stream->write_timeout_ms : 0);
}

/* Closing a socket with unread bytes in it sends a reset, which can overtake our last bytes. */
static void finish_written(struct stream *stream)
{
    char bin[4096];
    shutdown(stream->fd, SHUT_WR);
    for (int i = 0; i < 256 && recv(stream->fd, bin, sizeof(bin), MSG_DONTWAIT) > 0; i++)
        ;
    finish(stream, stream->why);
}

static void after_write(struct stream *stream)
{
    size_t left = waiting(stream);
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

/* Writes what the socket takes, and waits for it when that is not all. */
static void flush(struct stream *stream)
{
    if (waiting(stream) > 0) {
        int written = evbuffer_write(stream->out, stream->fd);
        int error = errno;
        if (written < 0 && error != EAGAIN && error != EINTR) {
            finish_errno(stream, "write", error);
            return;
        }
        if (written > 0 && stream->events->written != NULL)
            stream->events->written(stream->arg, (size_t)written);
        if (waiting(stream) > 0)
            wait_for_peer(stream);
    }
    if (waiting(stream) == 0 && stream->is_waiting_for_peer) {
        stream->is_waiting_for_peer = false;
        event_del(&stream->turn);
    }
    after_write(stream);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct stream *stream = arg;
    (void)fd;
    switch (stream->state) {
    case STREAM_OPEN:
        if ((what & EV_WRITE) != 0)
            flush(stream);
        else
            finish(stream, "write timeout");
        break;
    case STREAM_CLOSING:
        flush(stream);
        break;
    case STREAM_DOOMED:
        finish(stream, stream->why);
        break;
    case STREAM_DIALLING:
    case STREAM_CLOSED:
        break;
    }
}

static void on_linger(evutil_socket_t fd, short what, void *arg)
{
    struct stream *stream = arg;
    (void)fd;
    (void)what;
    finish(stream, stream->why);
}

/* Has flush() run at the end of this turn of the loop. */
static void flush_soon(struct stream *stream)
{
    if (!stream->is_waiting_for_peer)
        event_active(&stream->turn, EV_WRITE, 0);
}

/* --- reading -------------------------------------------------------------------------------------
 */

static void end_input(struct stream *stream)
{
    stream->has_ended = true;
    event_del(&stream->read);
    if (stream->events->ended != NULL)
        tell(stream, stream->events->ended);
    else
        finish(stream, "closed by peer");
}

/* An empty one costs an idle connection as much memory as all its state. */
static void drop_empty_input(struct stream *stream)
{
    if (evbuffer_get_length(stream->in) > 0)
        return;
    evbuffer_free(stream->in);
    stream->in = NULL;
}

/* Gives the owner `bytes`, which are gone when this returns: what it leaves is copied. */
static void give_input(struct stream *stream, const char *bytes, size_t len)
{
    struct evbuffer *in = stream_in(stream);
    bool is_borrowed = evbuffer_get_length(in) == 0;
    if (is_borrowed)
        evbuffer_add_reference(in, bytes, len, NULL, NULL);
    else
        evbuffer_add(in, bytes, len);
    stream->is_calling = true;
    stream->events->readable(stream->arg);
    size_t left = evbuffer_get_length(in);
    if (is_borrowed && left > 0) {
        evbuffer_drain(in, left);
        evbuffer_add(in, bytes + len - left, left);
    }
    drop_empty_input(stream);
    outlives_call(stream);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct stream *stream = arg;
    char bytes[READ_AT_ONCE];
    (void)what;
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    if (got > 0)
        give_input(stream, bytes, (size_t)got);
    else if (got == 0)
        end_input(stream);
    else if (errno != EAGAIN && errno != EINTR)
        finish_errno(stream, "read", errno);
}

/* --- life ----------------------------------------------------------------------------------------
 */

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

static struct stream *make(struct event_base *base, const struct stream_options *options,
                           const struct stream_events *events, void *arg)
{
    struct stream *stream = mem_zalloc(sizeof(*stream));
    stream->base = base;
    stream->fd = -1;
    stream->state = STREAM_DIALLING;
    stream->events = events;
    stream->arg = arg;
    stream->max_output = options->max_output;
    stream->write_timeout_ms = options->write_timeout_ms;
    stream->keepalive_s = options->keepalive_s;
    stream->out = evbuffer_new(); /* never NULL: main gave libevent the allocation of base/mem */
    event_assign(&stream->read, base, -1, 0, on_readable, stream);
    event_assign(&stream->turn, base, -1, 0, on_turn, stream);
    return stream;
}

static void open_take(struct stream *stream, int fd)
{
    set_socket_options(fd, stream->keepalive_s);
    stream->fd = fd;
    stream->state = STREAM_OPEN;
    event_assign(&stream->read, stream->base, fd, EV_READ | EV_PERSIST, on_readable, stream);
    event_assign(&stream->turn, stream->base, fd, EV_WRITE, on_turn, stream);
    if (!stream->is_paused)
        event_add(&stream->read, NULL);
}

struct stream *stream_accept_take(struct event_base *base, evutil_socket_t fd,
                                  const struct stream_options *options,
                                  const struct stream_events *events, void *arg)
{
    evutil_make_socket_nonblocking(fd);
    evutil_make_socket_closeonexec(fd);
    struct stream *stream = make(base, options, events, arg);
    open_take(stream, fd);
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
    open_take(stream, fd);
    if (waiting(stream) > 0)
        flush_soon(stream);
    if (stream->events->opened != NULL)
        tell(stream, stream->events->opened);
}

struct stream *stream_dial(struct event_base *base, struct evdns_base *dns, const struct addr *addr,
                           const struct stream_options *options, const struct stream_events *events,
                           void *arg)
{
    struct stream *stream = make(base, options, events, arg);
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
    if (stream->in == NULL)
        stream->in = evbuffer_new();
    return stream->in;
}

size_t stream_unread(const struct stream *stream)
{
    return stream->in == NULL ? 0 : evbuffer_get_length(stream->in);
}

struct evbuffer *stream_out(struct stream *stream)
{
    return stream->out;
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
    if (stream->state == STREAM_OPEN)
        flush_soon(stream);
}

void stream_pause(struct stream *stream)
{
    stream->is_paused = true;
    event_del(&stream->read);
}

void stream_resume(struct stream *stream)
{
    stream->is_paused = false;
    if (stream->state == STREAM_OPEN && !stream->has_ended)
        event_add(&stream->read, NULL);
}

void stream_close_when_written(struct stream *stream, const char *why, int64_t linger_ms)
{
    if (stream->state == STREAM_DIALLING || (stream->state == STREAM_OPEN && linger_ms <= 0)) {
        doom(stream, why);
    } else if (stream->state == STREAM_OPEN) {
        keep_why(stream, why);
        stream->state = STREAM_CLOSING;
        event_del(&stream->read);
        event_assign(&stream->read, stream->base, -1, 0, on_linger, stream);
        add_event(&stream->read, linger_ms);
        event_active(&stream->turn, EV_WRITE, 0);
    }
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}
