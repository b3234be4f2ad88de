/* resolve: see resolve.h. The end is always told out of the loop, by the event `end`: it is the
 * deadline as long as evdns looks, and is made active when there is something to tell. */
#include "io/resolve.h"
#include "base/mem.h"
#include <event2/dns.h>
#include <netinet/in.h>
#include <stdio.h>

struct resolve {
    struct event *end;
    struct evdns_getaddrinfo_request *lookup; /* under way */
    struct evutil_addrinfo *found;
    resolve_done done;
    void *arg;
    bool is_over;     /* found or why says how it ended */
    bool is_given_up; /* freed as soon as evdns lets go of it */
    char why[160];
};

void resolve_free(struct resolve *resolve)
{
    if (resolve == NULL)
        return;
    if (resolve->end != NULL)
        event_free(resolve->end);
    resolve->end = NULL;
    if (resolve->found != NULL)
        evutil_freeaddrinfo(resolve->found);
    resolve->found = NULL;
    if (resolve->lookup != NULL) {
        resolve->is_given_up = true; /* evdns still calls back, with EVUTIL_EAI_CANCEL */
        evdns_getaddrinfo_cancel(resolve->lookup);
        return;
    }
    mem_free(resolve);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct resolve *resolve = arg;
    resolve_done done = resolve->done;
    void *done_arg = resolve->arg;
    struct evutil_addrinfo *found = resolve->found;
    char why[sizeof(resolve->why)];
    (void)fd, (void)what;
    if (!resolve->is_over)
        snprintf(resolve->why, sizeof(resolve->why), "resolve: no answer in time");
    memcpy(why, resolve->why, sizeof(why));
    resolve->found = NULL;
    resolve_free(resolve);
    done(done_arg, found, found != NULL ? NULL : why);
}

static void on_resolved(int result, struct evutil_addrinfo *found, void *arg)
{
    struct resolve *resolve = arg;
    resolve->lookup = NULL;
    if (resolve->is_given_up) {
        if (found != NULL)
            evutil_freeaddrinfo(found);
        mem_free(resolve);
        return;
    }
    resolve->found = found;
    if (found == NULL)
        snprintf(resolve->why, sizeof(resolve->why), "resolve: %s",
                 result != 0 ? evutil_gai_strerror(result) : "no address");
    resolve->is_over = true;
    event_active(resolve->end, EV_TIMEOUT, 0);
}

struct resolve *resolve_start(struct event_base *base, struct evdns_base *dns, const char *name,
                              uint16_t port, int64_t timeout_ms, resolve_done done, void *arg)
{
    /* Both families, whatever we have: an address that cannot be reached fails at once. */
    struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct resolve *resolve = mem_zalloc(sizeof(*resolve));
    char service[8];
    resolve->done = done;
    resolve->arg = arg;
    resolve->end = evtimer_new(base, on_end, resolve);
    if (timeout_ms > 0) {
        struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
        event_add(resolve->end, &timeout);
    }
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    /* It may call back before it returns, and then returns NULL. */
    resolve->lookup = evdns_getaddrinfo(dns, name, service, &hints, on_resolved, resolve);
    return resolve;
}
