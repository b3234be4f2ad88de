/* fetch: see fetch.h.
 *
 * dial, then TLS where it is wanted, then the request, then the answer; a redirect begins anew with
 * the dial. Every end is noted by end(), and told by the event `turn`, out of the callbacks of what
 * is freed then; it also takes a redirect's next step. The event `deadline` is over all of it. */
#include "io/fetch.h"
#include "base/mem.h"
#include "io/dial.h"
#include "io/http_reply.h"
#include "io/site.h"
#include "io/tls.h"
#include <errno.h>
#include <event2/bufferevent.h>
#include <stdio.h>

enum fetch_part { PART_DIAL, PART_TLS, PART_ANSWER };

struct fetch {
    struct event_base *base;
    struct evdns_base *dns;
    struct event *turn, *deadline;
    struct site site;
    struct dial *dial;              /* while it goes on */
    struct bufferevent *connection; /* after it */
    enum fetch_part part;
    struct http_reply reply;
    struct tls_client *tls;
    struct evbuffer *body; /* of a POST; NULL: a GET */
    char *content_type;
    char *host; /* NULL: the site's */
    int64_t timeout_ms;
    bool wants_status_only;
    bool follows;  /* redirects */
    int redirects; /* that may yet be followed */
    fetch_done done;
    void *arg;
    bool is_over;   /* the turn tells */
    struct err err; /* of kind ERR_NONE: there is an answer */
};

static void disconnect(struct fetch *fetch)
{
    dial_free(fetch->dial);
    fetch->dial = NULL;
    if (fetch->connection != NULL)
        bufferevent_free(fetch->connection);
    fetch->connection = NULL;
}

void fetch_free(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    disconnect(fetch);
    event_free(fetch->turn);
    event_free(fetch->deadline);
    site_clear(&fetch->site);
    http_reply_clear(&fetch->reply);
    if (fetch->body != NULL)
        evbuffer_free(fetch->body);
    mem_free(fetch->content_type);
    mem_free(fetch->host);
    mem_free(fetch);
}

/* It is over, with the answer or with what stands in err. */
static void end(struct fetch *fetch)
{
    fetch->is_over = true;
    if (fetch->connection != NULL)
        bufferevent_disable(fetch->connection, EV_READ | EV_WRITE);
    event_active(fetch->turn, EV_TIMEOUT, 0);
}

/* --- the conversation ----------------------------------------------------------------------------
 */

static void ask(struct fetch *fetch)
{
    struct evbuffer *out = bufferevent_get_output(fetch->connection);
    fetch->part = PART_ANSWER;
    evbuffer_add_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", fetch->body != NULL ? "POST" : "GET",
                        fetch->site.path, fetch->host != NULL ? fetch->host : fetch->site.host);
    evbuffer_add_printf(out, "User-Agent: rallocd/%s\r\nAccept: */*\r\nConnection: close\r\n",
                        RALLOCD_VERSION);
    if (fetch->body != NULL) {
        evbuffer_add_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", fetch->content_type,
                            evbuffer_get_length(fetch->body));
    }
    evbuffer_add(out, "\r\n", 2);
    if (fetch->body != NULL) /* kept: a redirect may want it once more */
        evbuffer_add_buffer_reference(out, fetch->body);
}

static void on_readable(struct bufferevent *connection, void *arg)
{
    struct fetch *fetch = arg;
    if (fetch->is_over)
        return;
    bool is_read = http_reply_read(&fetch->reply, bufferevent_get_input(connection), &fetch->err);
    if (!is_read || fetch->reply.part >= (fetch->wants_status_only ? HTTP_BODY : HTTP_WHOLE))
        end(fetch);
}

static void note_failure(struct fetch *fetch, struct bufferevent *connection)
{
    int error = EVUTIL_SOCKET_ERROR();
    char why[200];
    if (fetch->site.is_tls)
        tls_client_why(connection, why, sizeof why);
    else
        snprintf(why, sizeof why, "%s", strerror(error));
    err_set(&fetch->err, ERR_GENERAL, "%s: %s", fetch->part == PART_TLS ? "TLS" : "answer", why);
}

static void on_event(struct bufferevent *connection, short what, void *arg)
{
    struct fetch *fetch = arg;
    if (fetch->is_over)
        return;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        ask(fetch);
    } else if ((what & BEV_EVENT_EOF) != 0 && fetch->part == PART_ANSWER) {
        (void)!http_reply_end(&fetch->reply, &fetch->err);
        end(fetch);
    } else {
        note_failure(fetch, connection);
        end(fetch);
    }
}

static void on_dialled(void *arg, evutil_socket_t fd, const char *why)
{
    struct fetch *fetch = arg;
    fetch->dial = NULL;
    if (fd < 0) {
        err_set(&fetch->err, ERR_GENERAL, "%s", why);
        end(fetch);
        return;
    }
    if (fetch->site.is_tls)
        fetch->connection =
            tls_client_open_take(fetch->tls, fetch->base, fd, fetch->site.addr.host);
    else
        fetch->connection = bufferevent_socket_new(fetch->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (fetch->connection == NULL) {
        err_set(&fetch->err, ERR_GENERAL, "TLS: cannot begin");
        end(fetch);
        return;
    }
    bufferevent_setcb(fetch->connection, on_readable, NULL, on_event, fetch);
    bufferevent_enable(fetch->connection, EV_READ | EV_WRITE);
    fetch->part = PART_TLS;
    if (!fetch->site.is_tls)
        ask(fetch);
}

/* --- a request, and those that redirects make of it ----------------------------------------------
 */

static void begin(struct fetch *fetch, const char *url)
{
    size_t max_body = fetch->reply.max_body;
    disconnect(fetch);
    site_clear(&fetch->site);
    http_reply_clear(&fetch->reply);
    http_reply_init(&fetch->reply, max_body);
    fetch->is_over = false;
    fetch->part = PART_DIAL;
    if (!site_parse(&fetch->site, url, &fetch->err)) {
        end(fetch);
    } else if (fetch->site.is_tls && fetch->tls == NULL) {
        err_set(&fetch->err, ERR_GENERAL, "TLS: not set up");
        end(fetch);
    } else {
        fetch->dial = dial_start(fetch->base, fetch->dns, &fetch->site.addr, 0, on_dialled, fetch);
    }
}

static bool is_redirect(const struct fetch *fetch)
{
    int status = fetch->reply.status;
    return (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
           fetch->reply.location != NULL;
}

/* Goes where the answer leads; or, having gone too often, has failed. */
static bool follow(struct fetch *fetch)
{
    char *url = site_join(&fetch->site, fetch->reply.location);
    bool was_tls = fetch->site.is_tls;
    if (fetch->redirects-- == 0) {
        mem_free(url);
        return err_set(&fetch->err, ERR_GENERAL, "redirect: one more than is followed");
    }
    /* As everybody does it; 307 and 308 were made for those who want to POST once more. */
    if (fetch->reply.status <= 303 && fetch->body != NULL) {
        evbuffer_free(fetch->body);
        fetch->body = NULL;
    }
    mem_free(fetch->host); /* it was for the first site */
    fetch->host = NULL;
    begin(fetch, url);
    mem_free(url);
    if (was_tls && !fetch->site.is_tls && fetch->err.kind == ERR_NONE)
        return err_set(&fetch->err, ERR_GENERAL, "redirect: from https to http");
    return true;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct fetch *fetch = arg;
    bool is_answered = fetch->err.kind == ERR_NONE;
    (void)fd, (void)what;
    if (is_answered && fetch->follows && is_redirect(fetch)) {
        if (follow(fetch))
            return;
        is_answered = false;
    }
    struct fetch_result result = {.status = fetch->reply.status};
    if (is_answered && !fetch->wants_status_only)
        result.body = http_reply_body(&fetch->reply);
    /* The bytes of the answer live until it has been told; nothing else of the fetch does. */
    struct http_reply reply = fetch->reply;
    struct err err = fetch->err;
    fetch_done done = fetch->done;
    void *done_arg = fetch->arg;
    fetch->reply = (struct http_reply){.part = HTTP_STATUS};
    fetch_free(fetch);
    done(done_arg, is_answered ? &result : NULL, is_answered ? NULL : &err);
    http_reply_clear(&reply);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    static const char *const doing[] = {"no connection", "no end of the TLS handshake",
                                        "no whole answer"};
    struct fetch *fetch = arg;
    (void)fd, (void)what;
    if (fetch->is_over && !(fetch->follows && is_redirect(fetch)))
        return;
    err_set(&fetch->err, ERR_TIMEOUT, "timeout: %s within %lld ms", doing[fetch->part],
            (long long)fetch->timeout_ms);
    end(fetch);
}

struct fetch *fetch_start(struct event_base *base, struct evdns_base *dns,
                          const struct fetch_request *request, fetch_done done, void *arg)
{
    struct fetch *fetch = mem_zalloc(sizeof *fetch);
    *fetch = (struct fetch){.base = base,
                            .dns = dns,
                            .tls = request->tls,
                            .timeout_ms = request->timeout_ms,
                            .wants_status_only = request->wants_status_only,
                            .follows = request->max_redirects > 0,
                            .redirects = request->max_redirects,
                            .done = done,
                            .arg = arg};
    fetch->turn = evtimer_new(base, on_turn, fetch);
    fetch->deadline = evtimer_new(base, on_deadline, fetch);
    fetch->reply.max_body = request->wants_status_only ? SIZE_MAX : request->max_body;
    if (request->host != NULL)
        fetch->host = mem_dup(str_of(request->host));
    if (request->body != NULL) {
        const char *type = request->content_type;
        fetch->body = evbuffer_new();
        evbuffer_add(fetch->body, request->body, request->body_len);
        fetch->content_type = mem_dup(str_of(type != NULL ? type : "application/json"));
    }
    if (request->timeout_ms > 0) {
        struct timeval time = {.tv_sec = request->timeout_ms / 1000,
                               .tv_usec = request->timeout_ms % 1000 * 1000};
        /* Libevent counts from the time at which this turn began. */
        event_base_update_cache_time(base);
        event_add(fetch->deadline, &time);
    }
    begin(fetch, request->url);
    return fetch;
}

bool fetch_check_url(const char *url, struct err *err)
{
    struct site site;
    if (!site_parse(&site, url, err))
        return false;
    site_clear(&site);
    return true;
}
