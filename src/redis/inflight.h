/* inflight: what a link has sent and not got answers for, oldest first: who waits, since when, and
 * the bytes, kept so that a call can be sent again when Redis has forgotten its script.
 *
 *     first            next push
 *       v                v
 *     [ a | b | c | ... |   ]     a ring of struct pending, grown by doubling
 *     [aaaaabbbbbbbbcc...   ]     their bytes, in the same order
 *
 * No memory is taken per call once both have their size.
 * Knows: calls.  Must not know: sockets. */
#ifndef REDIS_INFLIGHT_H
#define REDIS_INFLIGHT_H

#include "redis/upstream.h"

/* What an answer is for. */
enum pending_kind {
    PENDING_CALL,    /* a call of ours above */
    PENDING_AUTH,    /* the greeting: login, */
    PENDING_SELECT,  /* the database, */
    PENDING_NAME,    /* our name, */
    PENDING_INFO,    /* the server's version, */
    PENDING_GREETED, /* and a PING that says whether it takes calls */
    PENDING_LOAD,    /* SCRIPT LOAD of `script` */
    PENDING_ALIVE    /* PING of an idle link */
};

struct pending {
    enum pending_kind kind;
    enum script_id script;
    int resends; /* how often it has been sent again */
    int64_t sent_us;
    int64_t patience_ms; /* beyond reply_timeout */
    size_t bytes;        /* of what was sent */
    call_done done;
    void *arg;
};

struct inflight {
    struct pending *ring;
    size_t room; /* 0 or a power of two */
    size_t first, count;
    char *bytes;
    size_t from, to, bytes_room; /* bytes[from..to) is kept */
};

void inflight_init(struct inflight *inflight);
/* All answered or dropped. */
void inflight_clear(struct inflight *inflight);

/* Adds a request: room for `size` bytes, to be filled by the caller before anything else is done
 * with the struct; pending->bytes becomes size. */
char *inflight_push(struct inflight *inflight, const struct pending *pending, size_t size);
/* The oldest, NULL when there is none. Valid until the next push or pop. */
const struct pending *inflight_first(const struct inflight *inflight);
struct str inflight_first_bytes(const struct inflight *inflight);
/* Removes the oldest; there is one. */
void inflight_pop(struct inflight *inflight);

#endif
