/* fetch: one HTTP/1.1 request and its answer, with or without TLS: a connection of its own, names
 * by evdns, one deadline over all of it, a bound on the body, redirects followed where that is
 * wanted. Nothing blocks.
 *
 * Not by libevent's evhttp: that one dials by itself, one address of a name alone, and does not
 * tell whether it was the connection, TLS or the answer that failed.
 * Knows: dial, tls, http_reply.  Must not know: what the answer is for. */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include "base/err.h"
#include <event2/event.h>
#include <stdint.h>

struct fetch;
struct evdns_base;
struct tls_client;

/* All of it is borrowed until fetch_start() returns, but `tls`: until the end. */
struct fetch_request {
    const char *url;          /* http://HOST[:PORT][/PATH][?QUERY], or https:// */
    const char *body;         /* NULL: a GET; else a POST of it */
    size_t body_len;          /* bytes */
    const char *content_type; /* of the body; NULL: application/json */
    const char *host;         /* the header Host; NULL: as in the url */
    int64_t timeout_ms;       /* for all of it, redirects too; 0: none */
    size_t max_body;          /* bytes of the answer: a longer one is an error */
    bool wants_status_only; /* the end of the headers is the end: the body, however long, is none */
    int max_redirects;      /* 0: a redirect is an answer like others */
    struct tls_client *tls; /* NULL: https is refused */
};

struct fetch_result {
    int status; /* 200 .. 599 */
    struct str body;
};

/* Called once, never before fetch_start() has returned; the fetch is gone by then. result: NULL
 * when there was no answer: err begins with what failed, "resolve:", "connect:", "TLS:",
 * "timeout:", "answer:" (none, cut off, no HTTP, too long), "redirect:" or "url:". Both are
 * borrowed for the call. */
typedef void (*fetch_done)(void *arg, const struct fetch_result *result, const struct err *err);

/* `dns` may be NULL: then names fail, but for localhost. */
struct fetch *fetch_start(struct event_base *base, struct evdns_base *dns,
                          const struct fetch_request *request, fetch_done done, void *arg);
/* Gives up; done() is not called any more. NULL is allowed. */
void fetch_free(struct fetch *fetch);

/* Is it a url that fetch_start() can dial? */
MUST_CHECK bool fetch_check_url(const char *url, struct err *err);

#endif
