#include "redis/upstream.h"
#include "base/mem.h"
#include "config/config.h"
#include "redis/embedded.h"
#include "redis/link.h"
#include "redis/notify.h"
#include <event2/event.h>
#include <stdio.h>

enum {
    HURRY_MS = 3000,      /* a server of ours that starts is dialled fast for so long */
    TROUBLE_LOG_MS = 1000 /* at most one line about trouble in this time */
};

struct upstream {
    struct event_base *base;
    const struct redis_config *config;
    struct log *log;
    struct link_host host;
    struct link **links;
    struct notify *notify;
    int link_count, ready_count;
    struct embedded *embedded; /* NULL: Redis is somebody else's */
    struct list listeners;
    struct event *news;    /* tells the listeners, on a turn of its own */
    bool is_refusing;      /* a call has been refused since the listeners were told */
    int64_t away_since_ms; /* while ready_count is 0 */
    int64_t told_ms;       /* when trouble was last logged */
    char trouble[512], told[512];
    uint64_t calls;
    bool is_stopping;
    struct event *end; /* runs `stopped`, on a turn of its own */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* --- what links and the embedded server tell -----------------------------------------------------
 */

static void on_news(evutil_socket_t fd, short what, void *arg)
{
    struct upstream *upstream = arg;
    (void)fd;
    (void)what;
    if (upstream->ready_count == 0)
        return;
    upstream->is_refusing = false;
    list_each (node, &upstream->listeners) {
        struct upstream_listener *listener = list_entry(node, struct upstream_listener, node);
        listener->ready(listener->arg);
    }
}

static void set_trouble(struct upstream *upstream, const char *why)
{
    snprintf(upstream->trouble, sizeof(upstream->trouble), "%s", why);
}

/* While Redis is away: each new reason once, not each failed dial. */
static void tell_trouble(struct upstream *upstream)
{
    int64_t now_ms = clock_ms(upstream->host.clock);
    if (upstream->ready_count > 0 || upstream->is_stopping || upstream->trouble[0] == '\0' ||
        now_ms < upstream->host.hurry_until_ms || strcmp(upstream->trouble, upstream->told) == 0 ||
        now_ms - upstream->told_ms < TROUBLE_LOG_MS)
        return;
    memcpy(upstream->told, upstream->trouble, sizeof(upstream->told));
    upstream->told_ms = now_ms;
    log_line(upstream->log, LOG_LEVEL_WARNING, "upstream-away", "why", upstream->trouble, NULL);
}

static void on_trouble(void *arg, const char *why, bool was_connected)
{
    struct upstream *upstream = arg;
    bool is_starting = clock_ms(upstream->host.clock) < upstream->host.hurry_until_ms;
    /* Why our server died says more than that nobody listens on its socket, and that it does not
     * listen yet is no trouble. */
    if (upstream->embedded != NULL && !was_connected &&
        (is_starting || upstream->trouble[0] != '\0'))
        return;
    set_trouble(upstream, why);
    tell_trouble(upstream);
}

static void on_changed(void *arg, struct link *link)
{
    struct upstream *upstream = arg;
    char links[48];
    if (!link_is_ready(link)) {
        upstream->ready_count--;
        if (upstream->ready_count == 0)
            upstream->away_since_ms = clock_ms(upstream->host.clock);
        return;
    }
    upstream->ready_count++;
    if (upstream->ready_count > 1)
        return;
    upstream->told[0] = '\0';
    snprintf(links, sizeof(links), "%lld",
             (long long)(clock_ms(upstream->host.clock) - upstream->away_since_ms));
    log_line(upstream->log, LOG_LEVEL_INFO, "upstream-ready", "version", upstream->host.version,
             "away_ms", links, NULL);
    event_active(upstream->news, 0, 0);
}

static void on_answered(void *arg)
{
    struct upstream *upstream = arg;
    if (upstream->is_refusing)
        event_active(upstream->news, 0, 0);
}

static void on_running(void *arg)
{
    struct upstream *upstream = arg;
    upstream->host.addr = *embedded_addr(upstream->embedded);
    upstream->host.hurry_until_ms = clock_ms(upstream->host.clock) + HURRY_MS;
    for (int i = 0; i < upstream->link_count; i++)
        link_start(upstream->links[i]);
    notify_start(upstream->notify);
}

static void on_embedded_trouble(void *arg, const char *why)
{
    struct upstream *upstream = arg;
    upstream->host.hurry_until_ms = 0;
    set_trouble(upstream, why);
    tell_trouble(upstream);
}

/* --- calls ---------------------------------------------------------------------------------------
 */

static struct link *pick(const struct upstream *upstream)
{
    struct link *best = NULL;
    size_t least = (size_t)upstream->config->max_queued;
    for (int i = 0; i < upstream->link_count; i++) {
        struct link *link = upstream->links[i];
        if (link_is_ready(link) && link_pending(link) < least) {
            best = link;
            least = link_pending(link);
        }
    }
    return best;
}

bool upstream_call(struct upstream *upstream, const struct call *call)
{
    struct link *link = pick(upstream);
    if (link == NULL) {
        upstream->is_refusing = true;
        return false;
    }
    upstream->calls++;
    link_send(link, call);
    return true;
}

int64_t upstream_away_ms(const struct upstream *upstream)
{
    int64_t away_ms = clock_ms(upstream->host.clock) - upstream->away_since_ms;
    if (upstream->ready_count > 0)
        return 0;
    return away_ms > 0 ? away_ms : 1;
}

void upstream_hear(struct upstream *upstream, struct hearing *hearing)
{
    notify_hear(upstream->notify, hearing);
}

void upstream_unhear(struct upstream *upstream, struct hearing *hearing)
{
    notify_forget(upstream->notify, hearing);
}

bool upstream_hears(const struct upstream *upstream)
{
    return notify_is_ready(upstream->notify);
}

const char *upstream_trouble(const struct upstream *upstream)
{
    return upstream->trouble;
}

void upstream_listen(struct upstream *upstream, struct upstream_listener *listener)
{
    list_push(&upstream->listeners, &listener->node);
}

void upstream_forget(struct upstream *upstream, struct upstream_listener *listener)
{
    if (list_has(&listener->node))
        list_remove(&upstream->listeners, &listener->node);
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct upstream *upstream = arg;
    (void)fd;
    (void)what;
    upstream->stopped(upstream->stopped_arg); /* may free us */
}

static void on_embedded_stopped(void *arg)
{
    struct upstream *upstream = arg;
    event_active(upstream->end, 0, 0);
}

struct upstream *upstream_new(struct event_base *base, struct evdns_base *dns,
                              const struct redis_config *config, const char *name,
                              const struct clock *clock, struct rand *rand, struct log *log)
{
    struct upstream *upstream = mem_zalloc(sizeof(*upstream));
    upstream->base = base;
    upstream->config = config;
    upstream->log = log;
    upstream->news = event_new(base, -1, 0, on_news, upstream);
    upstream->end = event_new(base, -1, 0, on_end, upstream);
    upstream->away_since_ms = clock_ms(clock);
    list_init(&upstream->listeners);
    upstream->host = (struct link_host){
        .base = base,
        .dns = dns,
        .config = config,
        .name = name,
        .clock = clock,
        .rand = rand,
        .log = log,
        .changed = on_changed,
        .trouble = on_trouble,
        .answered = on_answered,
        .arg = upstream,
    };
    addr_of_url(&config->where, &upstream->host.addr);
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++)
        wire_head_init(&upstream->host.heads[id], script_of((enum script_id)id));
    upstream->link_count = (int)config->links;
    upstream->links = mem_array((size_t)upstream->link_count, sizeof(upstream->links[0]));
    for (int i = 0; i < upstream->link_count; i++)
        upstream->links[i] = link_new(&upstream->host, i + 1);
    upstream->notify = notify_new(&upstream->host);
    if (config->where.scheme == URL_EMBEDDED) {
        const struct embedded_events events = {
            .running = on_running, .trouble = on_embedded_trouble, .arg = upstream};
        upstream->embedded = embedded_new(base, config, clock, rand, log, &events);
    }
    return upstream;
}

bool upstream_start(struct upstream *upstream, struct err *err)
{
    if (upstream->embedded != NULL)
        return embedded_start(upstream->embedded, err);
    for (int i = 0; i < upstream->link_count; i++)
        link_start(upstream->links[i]);
    notify_start(upstream->notify);
    return true;
}

void upstream_stop(struct upstream *upstream, int64_t timeout_ms, void (*stopped)(void *arg),
                   void *arg)
{
    upstream->is_stopping = true;
    upstream->stopped = stopped;
    upstream->stopped_arg = arg;
    for (int i = 0; i < upstream->link_count; i++)
        link_stop(upstream->links[i], "the daemon stops");
    notify_stop(upstream->notify);
    if (upstream->embedded != NULL)
        embedded_stop(upstream->embedded, timeout_ms, on_embedded_stopped, upstream);
    else
        event_active(upstream->end, 0, 0);
}

void upstream_free(struct upstream *upstream)
{
    if (upstream == NULL)
        return;
    for (int i = 0; i < upstream->link_count; i++)
        link_free(upstream->links[i]);
    mem_free(upstream->links);
    notify_free(upstream->notify);
    embedded_free(upstream->embedded);
    event_free(upstream->news);
    event_free(upstream->end);
    mem_free(upstream);
}

static void print_where(const struct upstream *upstream, char *out, size_t size)
{
    const struct url *url = &upstream->config->where;
    const char *host = upstream->host.addr.host;
    bool is_v6 = strchr(host, ':') != NULL;
    int len;
    if (upstream->embedded != NULL)
        len = snprintf(out, size, "embedded unix:%s", host);
    else if (url->scheme == URL_UNIX)
        len = snprintf(out, size, "unix://%s", host);
    else
        len = snprintf(out, size, "redis://%s%s%s:%u", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                       (unsigned)url->port);
    if (url->db != 0 && len > 0 && (size_t)len < size)
        snprintf(out + len, size - (size_t)len, "%s%d", url->scheme == URL_UNIX ? "?db=" : "/",
                 url->db);
}

uint64_t upstream_servers(const struct upstream *upstream)
{
    return upstream->host.servers;
}

void upstream_stats(const struct upstream *upstream, struct upstream_stats *out)
{
    const struct link_host *host = &upstream->host;
    *out = (struct upstream_stats){
        .links = upstream->link_count,
        .links_ready = upstream->ready_count,
        .calls = upstream->calls,
        .refused = host->refused,
        .lost = host->lost,
        .connects = host->connects,
        .scripts_loaded = host->scripts_loaded,
        .in_flight = host->in_flight,
        .last_latency_us = host->last_latency_us,
    };
    memcpy(out->version, host->version, sizeof(out->version));
    print_where(upstream, out->where, sizeof(out->where));
    if (upstream->embedded != NULL) {
        out->embedded_pid = embedded_pid(upstream->embedded);
        out->embedded_restarts = embedded_restarts(upstream->embedded);
    }
}
