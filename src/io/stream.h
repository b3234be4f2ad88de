/* stream: one connection, accepted or dialled, on libevent's events and buffers: keepalive, bound
 * on the output, deadlines for connecting and for a peer that does not read, close with a reason.
 * The process must ignore SIGPIPE.
 * Knows: sockets, libevent.  Must not know: RESP, who is at the other end. */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "base/clock.h"
#include "base/err.h"
#include "io/addr.h"
#include <event2/buffer.h>
#include <event2/event.h>

struct stream;

/* Every callback gets the owner's arg and is called from the loop, never from inside a call below.
 * A stream freed inside a callback lives until it returns. */
struct stream_events {
    void (*opened)(void *arg);   /* optional: a dialled one is connected */
    void (*readable)(void *arg); /* stream_in() has grown */
    /* Optional: so many bytes of the output have left. Must not call the stream. */
    void (*written)(void *arg, size_t bytes);
    void (*drained)(void *arg); /* optional: the output fell under half of its bound, or is empty */
    /* Optional: the peer sends no more, but may still read (a half-closed connection). The owner
     * answers what it has and calls stream_close_when_written(). Without it, closed("closed by
     * peer") comes at once. Not noticed while reading is paused. */
    void (*ended)(void *arg);
    /* Once, and the last call: the connection is gone, `why` says how ("closed by peer", "connect
     * timeout", "output over 64 MiB" ...). The owner then calls stream_free(). Never called from
     * stream_free(), nor before stream_dial() has returned. `why` is borrowed for the call. */
    void (*closed)(void *arg, const char *why);
};

struct stream_options {
    int64_t connect_timeout_ms; /* dialled ones; 0: none */
    int64_t write_timeout_ms;   /* output waits and the peer takes nothing: closed; 0: none */
    size_t max_output;          /* bytes waiting in the output: closed above it; 0: no bound */
    int keepalive_s;            /* TCP keepalive's idle time; 0: off */
};

/* Takes over an accepted socket. `events` must live as long as the stream; options are copied. */
struct stream *stream_accept_take(struct event_base *base, evutil_socket_t fd,
                                  const struct stream_options *options,
                                  const struct stream_events *events, void *arg);
/* Dials. Numeric addresses and Unix paths connect at once; names are resolved by evdns, never
 * blocking, and their addresses are tried one after another. What fails is told by closed(). `dns`
 * may be NULL when no name is dialled. */
struct evdns_base;
struct stream *stream_dial(struct event_base *base, struct evdns_base *dns, const struct addr *addr,
                           const struct stream_options *options, const struct stream_events *events,
                           void *arg);
/* Frees; what waits in the output is dropped. NULL is allowed. */
void stream_free(struct stream *stream);

/* Borrowed for the callback or call in which it was asked for. */
struct evbuffer *stream_in(struct stream *stream);
/* Bytes in it, without making it. */
size_t stream_unread(const struct stream *stream);
/* May be filled while the stream still dials. */
struct evbuffer *stream_out(struct stream *stream);
/* To be called after adding to stream_out(), else nothing is written: checks the bound (closed()
 * follows on the next turn) and has it written before the loop waits again: many small adds make
 * one write. */
void stream_wrote(struct stream *stream);
/* Reading off: the peer is held back by TCP. */
void stream_pause(struct stream *stream);
/* Reading on. Bytes that are in stream_in() already are not told again. */
void stream_resume(struct stream *stream);
/* Reads no more, writes what waits, then closed(why), at the latest after linger_ms. What the peer
 * sent meanwhile is thrown away, so that it gets our last bytes and not a reset. While it dials, or
 * with linger_ms <= 0, closed(why) follows on the next turn. */
void stream_close_when_written(struct stream *stream, const char *why, int64_t linger_ms);
/* -1 while it dials. */
int stream_fd(const struct stream *stream);

#endif
