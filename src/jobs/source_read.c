/* source_read: see source_read.h. What is known at once (a file, a mistake) is told by an event, as
 * everything else is. */
#include "jobs/source_read.h"
#include "base/mem.h"
#include "io/fetch.h"
#include "io/program.h"
#include "io/resolve.h"
#include "io/tls.h"
#include "jobs/source_file.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_REDIRECTS 5
#define LONGEST_HOST   64 /* "[address]:port" */

struct source_read {
    source_read_done done;
    void *arg;
    int port; /* of a dns source */
    struct event *now;
    struct program *program;
    struct fetch *fetch;
    struct resolve *resolve;
    char *text; /* for `now`; NULL: there is none */
    size_t len;
    struct err err;
};

void source_read_free(struct source_read *read)
{
    if (read == NULL)
        return;
    if (read->now != NULL)
        event_free(read->now);
    program_cancel(read->program);
    fetch_free(read->fetch);
    resolve_free(read->resolve);
    mem_free(read->text);
    mem_free(read);
}

static void end(struct source_read *read, struct str text, const char *why)
{
    read->done(read->arg, text, why);
    source_read_free(read);
}

static void on_now(evutil_socket_t fd, short what, void *arg)
{
    struct source_read *read = arg;
    (void)fd, (void)what;
    end(read, str_make(read->text, read->len), read->text != NULL ? NULL : read->err.text);
}

static void end_soon(struct source_read *read, struct source_host *host)
{
    read->now = evtimer_new(host->base, on_now, read);
    event_active(read->now, EV_TIMEOUT, 0);
}

/* --- file --------------------------------------------------------------------------------------
 */

static void start_file(struct source_read *read, struct source_host *host, const char *path,
                       int64_t max_bytes)
{
    read->text = source_file_read(path, max_bytes, &read->len, &read->err);
    end_soon(read, host);
}

/* --- http --------------------------------------------------------------------------------------
 */

static void on_fetched(void *arg, const struct fetch_result *result, const struct err *err)
{
    struct source_read *read = arg;
    read->fetch = NULL;
    if (result == NULL) {
        end(read, STR(""), err->text);
    } else if (result->status != 200) {
        err_set(&read->err, ERR_GENERAL, "answer: status %d", result->status);
        end(read, STR(""), read->err.text);
    } else {
        end(read, result->body, NULL);
    }
}

void source_tls_clear(struct source_tls *tls)
{
    tls_client_free(tls->client);
    mem_free(tls->ca_file);
    *tls = (struct source_tls){NULL, NULL, false};
}

static bool prepare_tls(const struct source_want *want, struct err *err)
{
    struct source_tls *tls = want->tls;
    if (tls->client != NULL && tls->is_trusting == want->is_trusting &&
        strcmp(tls->ca_file, want->tls_ca) == 0)
        return true;
    source_tls_clear(tls);
    tls->client = tls_client_new(want->tls_ca, want->is_trusting, err);
    tls->ca_file = mem_dup(str_of(want->tls_ca));
    tls->is_trusting = want->is_trusting;
    return tls->client != NULL;
}

static void start_http(struct source_read *read, struct source_host *host, const char *url,
                       const struct source_want *want)
{
    if (!prepare_tls(want, &read->err)) { /* even http:// may lead to https:// */
        err_wrap(&read->err, "TLS");
        end_soon(read, host);
        return;
    }
    const struct fetch_request request = {.url = url,
                                          .timeout_ms = want->timeout_ms,
                                          .max_body = (size_t)want->max_bytes,
                                          .max_redirects = MOST_REDIRECTS,
                                          .tls = want->tls->client};
    read->fetch = fetch_start(host->base, host->dns, &request, on_fetched, read);
}

/* --- exec --------------------------------------------------------------------------------------
 */

static void on_program_end(void *arg, const struct program_outcome *outcome)
{
    struct source_read *read = arg;
    read->program = NULL;
    program_explain(outcome, read->err.text, sizeof read->err.text);
    end(read, outcome->output, read->err.text[0] != '\0' ? read->err.text : NULL);
}

static void start_exec(struct source_read *read, struct source_host *host, const char *command,
                       const struct source_want *want)
{
    char *pool = mem_printf("POOL=%s", want->pool);
    const char *const environment[] = {pool, NULL};
    const struct program_spec spec = {.command = command,
                                      .max_output = (size_t)want->max_bytes,
                                      .timeout_ms = want->timeout_ms,
                                      .environment = environment};
    read->program = program_run(host->base, &spec, on_program_end, read);
    mem_free(pool);
}

/* --- dns ---------------------------------------------------------------------------------------
 */

struct host_text {
    char text[LONGEST_HOST];
};

static int compare_hosts(const void *a, const void *b)
{
    return strcmp(((const struct host_text *)a)->text, ((const struct host_text *)b)->text);
}

static bool print_host(const struct sockaddr *address, int port, struct host_text *out)
{
    char host[INET6_ADDRSTRLEN];
    bool is_v6 = address->sa_family == AF_INET6;
    const void *bytes = is_v6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (inet_ntop(address->sa_family, bytes, host, sizeof host) == NULL)
        return false;
    if (port == 0)
        snprintf(out->text, sizeof out->text, "%s", host);
    else
        snprintf(out->text, sizeof out->text, is_v6 ? "[%s]:%d" : "%s:%d", host, port);
    return true;
}

/* Sorted, for name servers give them in another order each time. */
static void on_resolved(void *arg, struct evutil_addrinfo *found, const char *why)
{
    struct source_read *read = arg;
    size_t count = 0;
    read->resolve = NULL;
    if (found == NULL) {
        end(read, STR(""), why);
        return;
    }
    for (struct evutil_addrinfo *one = found; one != NULL; one = one->ai_next)
        count++;
    struct host_text *hosts = mem_array(count, sizeof *hosts);
    count = 0;
    for (struct evutil_addrinfo *one = found; one != NULL; one = one->ai_next)
        count += print_host(one->ai_addr, read->port, &hosts[count]);
    evutil_freeaddrinfo(found);
    qsort(hosts, count, sizeof *hosts, compare_hosts);
    char *at = read->text = mem_alloc(count * LONGEST_HOST + 1);
    for (size_t i = 0; i < count; i++) {
        str_put(&at, str_of(hosts[i].text));
        str_put(&at, STR("\n"));
    }
    mem_free(hosts);
    end(read, str_make(read->text, (size_t)(at - read->text)), NULL);
}

static void start_dns(struct source_read *read, struct source_host *host, const char *name,
                      const struct source_want *want)
{
    read->port = want->listing->port;
    if (host->dns != NULL) {
        read->resolve = resolve_start(host->base, host->dns, name, (uint16_t)read->port,
                                      want->timeout_ms, on_resolved, read);
        return;
    }
    err_set(&read->err, ERR_GENERAL, "resolve: there is no resolver");
    end_soon(read, host);
}

/* -----------------------------------------------------------------------------------------------
 */

struct source_read *source_read_start(struct source_host *host, const struct source_want *want,
                                      source_read_done done, void *arg)
{
    struct source_read *read = mem_zalloc(sizeof *read);
    char *what = mem_dup(want->listing->what);
    read->done = done;
    read->arg = arg;
    switch (want->listing->kind) {
    case LISTING_FILE:
        start_file(read, host, what, want->max_bytes);
        break;
    case LISTING_HTTP:
        start_http(read, host, what, want);
        break;
    case LISTING_EXEC:
        start_exec(read, host, what, want);
        break;
    case LISTING_DNS:
        start_dns(read, host, what, want);
        break;
    }
    mem_free(what);
    return read;
}
