/* reply: writes RESP2 or RESP3 into an evbuffer. In RESP2 a map is a flat array, null a nil bulk, a
 * boolean 1 or 0, a double a bulk, a push an array.
 * Knows: evbuffers, errors.  Must not know: clients, commands.
 * Protocol: https://redis.io/docs/reference/protocol-spec */
#ifndef RESP_REPLY_H
#define RESP_REPLY_H

#include "base/err.h"
#include "base/str.h"
#include <event2/buffer.h>
#include <stdint.h>

struct reply {
    struct evbuffer *out; /* borrowed; NULL: everything written is dropped (CLIENT REPLY OFF) */
    int protocol;         /* 2 or 3 */
};

void reply_ok(struct reply *reply);
void reply_simple(struct reply *reply, const char *word);
/* "-WORD text"; CR and LF in the text become blanks. */
void reply_err(struct reply *reply, const struct err *err);
void reply_error(struct reply *reply, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void reply_int(struct reply *reply, int64_t n);
void reply_double(struct reply *reply, double n);
void reply_bool(struct reply *reply, bool yes);
void reply_bulk(struct reply *reply, struct str s);
void reply_text(struct reply *reply, const char *text); /* a bulk of a C string */
void reply_printf(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A text for people: verbatim string "txt" in RESP3, bulk in RESP2. */
void reply_verbatim(struct reply *reply, struct str s);
void reply_null(struct reply *reply);       /* nil bulk in RESP2 */
void reply_null_array(struct reply *reply); /* nil array in RESP2 */
void reply_array(struct reply *reply, size_t count);
void reply_map(struct reply *reply, size_t pairs);
void reply_set(struct reply *reply, size_t count);
void reply_push(struct reply *reply, size_t count);

/* A request to Redis has the form of an array of bulks: used by links, too. */
void reply_command(struct evbuffer *out, const struct str *args, size_t count);

#endif
