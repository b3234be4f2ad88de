/* check: looks once whether something works: a connection, an answer of HTTP or of the Redis
 * protocol, a program. Nothing blocks, one deadline is over all of it.
 * Knows: dial, fetch, stream, program.  Must not know: what is looked at, or what for. */
#ifndef IO_CHECK_H
#define IO_CHECK_H

#include "base/clock.h"
#include "base/err.h"
#include <event2/event.h>

struct check;
struct evdns_base;
struct tls_client;

enum check_kind { CHECK_NONE, CHECK_TCP, CHECK_HTTP, CHECK_RESP, CHECK_EXEC };

/* Borrowed until check_start() returns, but `tls`: until the end. */
struct check_spec {
    enum check_kind kind;
    const char *subject; /* what stands for {resource} in the target */
    /* TCP, RESP: "HOST:PORT" or a Unix socket; HTTP: a url; EXEC: a program and its arguments,
     * separated by blanks: {resource} within one is replaced there, and it is in the environment as
     * RESOURCE. */
    const char *target;
    const char *const
        *environment;   /* EXEC: "NAME=value" besides RESOURCE, ended by NULL; or NULL */
    const char *body;   /* HTTP: NULL: a GET; else a POST of that text */
    const char *send;   /* RESP: a command, its words separated by blanks */
    const char *expect; /* HTTP: statuses as check_expects_status() has them; RESP: with what the
                         * answer must begin; "": as below */
    int64_t timeout_ms;
    struct tls_client *tls; /* HTTP: NULL: https fails */
};

#define CHECK_EXPECTED_STATUS "200-299"
#define CHECK_EXPECTED_REPLY  "+PONG"

/* Bytes of the text that a check tells, with its NUL. */
#define CHECK_TEXT 160

/* Called once, never before check_start() has returned; the check is gone by then. text:
 * "connected" "status 200" "+PONG" "exit status 0", or what failed; printable, borrowed.
 * latency_us: from the start to the result. */
typedef void (*check_done)(void *arg, bool is_good, const char *text, int64_t latency_us);

struct check *check_start(struct event_base *base, struct evdns_base *dns,
                          const struct clock *clock, const struct check_spec *spec, check_done done,
                          void *arg);
/* Gives up; a program is killed; done() is not called any more. NULL is allowed. */
void check_free(struct check *check);

/* The target with {resource} replaced; the caller owns it. */
char *check_expand(const char *target, const char *subject);
/* Is the status in a list such as "200-299,304"? */
bool check_expects_status(const char *list, int status);
/* Is it such a list? */
bool check_is_status_list(const char *list);

#endif
