/* request: the hostile side. Finds one request at the head of an evbuffer, within bounds: a RESP
 * array of bulk strings, or an inline line (quotes as redis-cli's: "a\x00b" 'c').
 *
 * A request that lies whole in the buffer's first piece is parsed in place, and nothing is copied
 * or allocated. What has come of a longer one is moved out of the buffer into memory of the
 * parser's own, each byte once: however a request is cut, its cost is its length.
 *
 * Knows: evbuffers, bounds.  Must not know: streams, clients, commands.
 * Protocol: https://redis.io/docs/reference/protocol-spec (arrays of bulk strings; inline). */
#ifndef RESP_REQUEST_H
#define RESP_REQUEST_H

#include "base/err.h"
#include "base/str.h"
#include <event2/buffer.h>
#include <stdint.h>

struct request_limits {
    size_t max_bytes;  /* of the whole request, headers included */
    int max_args;      /* of one request */
    size_t max_inline; /* of an inline line or a header line, end of line included */
};

struct request {
    int argc;
    struct str *argv; /* READY: valid until the evbuffer is changed or the request consumed */
    size_t size;      /* READY: bytes that the request took on the wire */

    /* private: where the parser goes on */
    int argv_room;
    int args_wanted;     /* -1: first line not seen yet */
    int64_t bulk_wanted; /* bytes of the bulk that comes next; -1: its header comes next */
    char *gathered;      /* arguments that are whole, one after another; then a piece that is not */
    size_t gathered_room;  /* bytes allocated; 0: parsed in place */
    size_t gathered_bytes; /* in use */
    size_t kept_bytes;     /* of them, whole arguments */
    size_t taken;          /* bytes that have left the evbuffer */
    bool is_ready;         /* READY, and argv does not point into the evbuffer */
};

enum request_state {
    REQUEST_READY,   /* argv is set; argc 0 is an empty line or *0: consume it, answer nothing */
    REQUEST_PARTIAL, /* more bytes are needed */
    REQUEST_BROKEN   /* err says why ("Protocol error: ..."): answer it and close */
};

void request_init(struct request *request);
void request_clear(struct request *request);

/* Call it again after PARTIAL when more has come. After BROKEN only request_clear() is left. */
enum request_state request_parse(struct request *request, struct evbuffer *in,
                                 const struct request_limits *limits, struct err *err);

/* Between requests: gives back the memory for arguments, which an idle connection does not need. */
void request_rest(struct request *request);

/* Drains a READY request from the buffer and is ready for the next. */
void request_consume(struct request *request, struct evbuffer *in);

#endif
