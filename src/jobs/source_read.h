/* source_read: gets the text of one list, wherever it is: a file, a web server, a program, the
 * addresses of a name. Within a deadline and a bound.
 * Knows: io/fetch, io/program, io/resolve, files.  Must not know: what the text says. */
#ifndef JOBS_SOURCE_READ_H
#define JOBS_SOURCE_READ_H

#include "config/listing.h"
#include <event2/event.h>

struct source_read;
struct evdns_base;
struct tls_client;

/* What all of them share. */
struct source_host {
    struct event_base *base;
    struct evdns_base *dns; /* may be NULL: then names are not found */
};

/* By which certificates servers are judged: read when one is first asked, and again when the
 * settings name others. Zeroed at first. */
struct source_tls {
    struct tls_client *client;
    char *ca_file;
    bool is_trusting;
};
void source_tls_clear(struct source_tls *tls);

struct source_want {
    const struct listing *listing;
    const char *pool; /* its name, for programs */
    int64_t timeout_ms, max_bytes;
    struct source_tls *tls; /* of http: not changed by others until the end */
    const char *tls_ca;     /* as tls_client_new() takes them */
    bool is_trusting;
};

/* Called once, never before source_read_start() has returned; the read is gone when it returns.
 * why: NULL, or why there is no text. Both are borrowed. */
typedef void (*source_read_done)(void *arg, struct str text, const char *why);

struct source_read *source_read_start(struct source_host *host, const struct source_want *want,
                                      source_read_done done, void *arg);
/* Gives up; done() is not called any more. NULL is allowed. */
void source_read_free(struct source_read *read);

#endif
