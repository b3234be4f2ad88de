/* dial: connects without blocking; see dial.h.
 *
 * With a numeric address or a Unix path the first connect() happens at once, with a name when evdns
 * has answered. The end is always told out of the loop, by the event `end`: it is the deadline as
 * long as the dial goes on, and is made active when there is something to tell.
 * Knows: sockets, evdns.  Must not know: streams. */
#include "io/dial.h"
#include "base/mem.h"
#include "io/resolve.h"
#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <stdio.h>
#include <unistd.h>

struct dial {
    struct event_base *base;
    struct event *end;
    struct event *writable; /* of fd, while it connects */
    evutil_socket_t fd;
    struct resolve *resolve;              /* under way */
    struct evutil_addrinfo *found, *next; /* addresses of a name; the one to be tried next */
    dial_done done;
    void *arg;
    bool is_over; /* fd or why says how it ended */
    char why[160];
};

static void stop_connecting(struct dial *dial)
{
    if (dial->writable != NULL)
        event_free(dial->writable);
    dial->writable = NULL;
    if (dial->fd >= 0)
        evutil_closesocket(dial->fd);
    dial->fd = -1;
}

void dial_free(struct dial *dial)
{
    if (dial == NULL)
        return;
    stop_connecting(dial);
    event_free(dial->end);
    resolve_free(dial->resolve);
    if (dial->found != NULL)
        evutil_freeaddrinfo(dial->found);
    mem_free(dial);
}

/* The dial is over, with what stands in fd or why; the end is told when the loop turns. */
static void end(struct dial *dial)
{
    dial->is_over = true;
    event_active(dial->end, EV_TIMEOUT, 0);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct dial *dial = arg;
    (void)fd, (void)what;
    if (!dial->is_over) {
        stop_connecting(dial);
        snprintf(dial->why, sizeof(dial->why), "connect timeout");
    }
    dial_done done = dial->done;
    void *done_arg = dial->arg;
    evutil_socket_t connected = dial->fd;
    char why[sizeof(dial->why)];
    memcpy(why, dial->why, sizeof(why));
    dial->fd = -1;
    dial_free(dial);
    done(done_arg, connected, connected >= 0 ? NULL : why);
}

static void note_failure(struct dial *dial, int error)
{
    snprintf(dial->why, sizeof(dial->why), "connect: %s", strerror(error));
}

static void on_writable(evutil_socket_t fd, short what, void *arg);

/* False and why when the connection fails at once. */
static bool try_address(struct dial *dial, const struct sockaddr *address, socklen_t len)
{
    dial->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        note_failure(dial, errno);
        return false;
    }
    if (connect(dial->fd, address, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        note_failure(dial, errno);
        stop_connecting(dial);
        return false;
    }
    /* A connection that stands already is writable as well: one way for both. */
    dial->writable = event_new(dial->base, dial->fd, EV_WRITE, on_writable, dial);
    event_add(dial->writable, NULL);
    return true;
}

/* Tries the addresses of a name that are left. */
static void try_next(struct dial *dial)
{
    while (dial->next != NULL) {
        const struct evutil_addrinfo *address = dial->next;
        dial->next = address->ai_next;
        if (try_address(dial, address->ai_addr, (socklen_t)address->ai_addrlen))
            return;
    }
    end(dial);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct dial *dial = arg;
    int error = 0;
    socklen_t len = sizeof(error);
    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0) {
        note_failure(dial, error);
        stop_connecting(dial);
        try_next(dial);
        return;
    }
    event_free(dial->writable);
    dial->writable = NULL;
    end(dial);
}

static void on_resolved(void *arg, struct evutil_addrinfo *found, const char *why)
{
    struct dial *dial = arg;
    dial->resolve = NULL;
    dial->found = dial->next = found;
    if (found == NULL)
        snprintf(dial->why, sizeof(dial->why), "%s", why);
    try_next(dial);
}

/* Without resolv.conf evdns asks a server on this machine: fine where addresses are numbers. */
struct evdns_base *dial_resolver(struct event_base *base)
{
    struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dns != NULL)
        (void)evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
    return dns;
}

struct dial *dial_start(struct event_base *base, struct evdns_base *dns, const struct addr *addr,
                        int64_t timeout_ms, dial_done done, void *arg)
{
    struct dial *dial = mem_zalloc(sizeof(*dial));
    dial->base = base;
    dial->fd = -1;
    dial->done = done;
    dial->arg = arg;
    dial->end = evtimer_new(base, on_end, dial);
    if (timeout_ms > 0) {
        struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
        event_add(dial->end, &timeout);
    }

    struct sockaddr_storage address;
    socklen_t len;
    if (addr_to_sockaddr(addr, &address, &len, NULL)) {
        if (!try_address(dial, (const struct sockaddr *)&address, len))
            end(dial);
    } else if (dns != NULL && !addr->is_unix) {
        dial->resolve = resolve_start(base, dns, addr->host, addr->port, 0, on_resolved, dial);
    } else {
        snprintf(dial->why, sizeof(dial->why), "connect: no such address: %.100s", addr->host);
        end(dial);
    }
    return dial;
}
