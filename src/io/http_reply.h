/* http_reply: reads one HTTP/1.x answer out of a buffer as its bytes come: status line, headers,
 * a body by Content-Length, in chunks, or up to the end of the connection; within bounds.
 * Knows: evbuffers.  Must not know: connections, what was asked. */
#ifndef IO_HTTP_REPLY_H
#define IO_HTTP_REPLY_H

#include "base/err.h"
#include <event2/buffer.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 32768 /* bytes of status line and headers; and of what follows a body */

enum http_part {
    HTTP_STATUS,
    HTTP_HEADERS,
    HTTP_BODY,       /* `left` bytes of it are to come */
    HTTP_BODY_OPEN,  /* all that comes until the end of the connection */
    HTTP_CHUNK_SIZE, /* the line before a chunk */
    HTTP_CHUNK,      /* `left` bytes of it are to come */
    HTTP_CHUNK_END,  /* the empty line behind it */
    HTTP_TRAILERS,
    HTTP_WHOLE
};

struct http_reply {
    enum http_part part;
    int status;            /* 100 .. 599; ones below 200 are passed over */
    char *location;        /* of the header; NULL: none */
    struct evbuffer *body; /* as far as it has come */
    size_t max_body;       /* a longer one is an error */
    size_t head_bytes;     /* so far */
    int64_t left;          /* of the body or the chunk */
    int64_t declared;      /* Content-Length; -1: none */
    bool is_chunked;
};

void http_reply_init(struct http_reply *reply, size_t max_body);
void http_reply_clear(struct http_reply *reply);

/* Takes what has come. False and err when it is no such answer, or too long. It is whole when part
 * is HTTP_WHOLE. */
MUST_CHECK bool http_reply_read(struct http_reply *reply, struct evbuffer *in, struct err *err);
/* The connection has ended, after what was read. False and err unless that makes it whole. */
MUST_CHECK bool http_reply_end(struct http_reply *reply, struct err *err);
/* Of a whole answer; borrowed until http_reply_clear(). */
struct str http_reply_body(struct http_reply *reply);

#endif
