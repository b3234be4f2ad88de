/* clients: all connections and what holds for all of them; see clients.h.
 * Knows: clients, listeners.  Must not know: pools. */
#include "server/clients.h"
#include "base/mem.h"
#include "base/num.h"
#include "io/stream.h"
#include "server/listener.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEPT_TURNS      4096 /* unused ones that are kept for the next requests */
#define SPARE_FILES     64   /* descriptors for all that is no client and no link */
#define REFUSED_AT_ONCE 64
#define IDLE_SCAN_MS    1000

/* --- turns -------------------------------------------------------------------------- */

struct turn *clients_take_turn(struct clients *clients)
{
    struct list_node *node = list_pop(&clients->unused);
    if (node != NULL)
        return list_entry(node, struct turn, node);
    struct turn *turn = mem_zalloc(sizeof(*turn));
    turn->clients = clients;
    return turn;
}

void clients_give_turn(struct clients *clients, struct turn *turn)
{
    if (clients->unused.count >= KEPT_TURNS) {
        turn_free(turn);
        return;
    }
    if (turn->own != NULL)
        evbuffer_drain(turn->own, evbuffer_get_length(turn->own));
    list_push_front(&clients->unused, &turn->node);
}

/* --- whose requests run next -------------------------------------------------------- */

/* A timer of no time rather than an activated event: it runs after the sockets have been looked at
 * again, so that a client with a long pipeline cannot keep the loop for itself. */
void clients_schedule(struct clients *clients)
{
    struct timeval at_once = {0, 0};
    if (!evtimer_pending(clients->work, NULL))
        evtimer_add(clients->work, &at_once);
}

static void end_shutdown(struct clients *clients)
{
    if (clients->is_ended)
        return;
    clients->is_ended = true;
    clients->ended(clients->arg);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
    struct clients *clients = arg;
    (void)fd;
    (void)what;
    for (size_t left = clients->ready.count; left > 0; left--) {
        struct list_node *node = list_pop(&clients->ready);
        if (node == NULL)
            break;
        struct peer *client = list_entry(node, struct peer, ready_node);
        if (client->phase == CLIENT_DOOMED)
            client_free(client);
        else
            client_run(client);
    }
    if (!list_is_empty(&clients->ready))
        clients_schedule(clients);
    if (clients->daemon->is_shutting_down && list_is_empty(&clients->all))
        end_shutdown(clients);
}

/* --- limits ------------------------------------------------------------------------- */

void clients_fit_limits(struct clients *clients)
{
    struct daemon *daemon = clients->daemon;
    struct rlimit limit;
    char asked[NUM_INT_MAX], got[NUM_INT_MAX];
    clients->asked_clients = daemon->config.server.maxclients;
    daemon->gauges.max_clients = (size_t)clients->asked_clients;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t spare = SPARE_FILES + (rlim_t)daemon->config.redis.links;
    rlim_t wanted = (rlim_t)clients->asked_clients + spare;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        struct rlimit higher = {.rlim_cur = wanted, .rlim_max = limit.rlim_max};
        if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted)
            higher.rlim_max = wanted; /* as root; else the next attempt */
        if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
            higher.rlim_cur = higher.rlim_max = limit.rlim_max;
            if (higher.rlim_cur > wanted)
                higher.rlim_cur = wanted;
            if (setrlimit(RLIMIT_NOFILE, &higher) != 0)
                higher = limit;
        }
        limit = higher;
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
        return;
    daemon->gauges.max_clients = limit.rlim_cur > spare + 1 ? (size_t)(limit.rlim_cur - spare) : 1;
    num_format_int(asked, clients->asked_clients);
    num_format_int(got, (int64_t)daemon->gauges.max_clients);
    log_line(&daemon->log, LOG_LEVEL_WARNING, "maxclients-lowered", "asked", asked, "now", got,
             "why", "the system allows no more open files (ulimit -n)", NULL);
}

/* One write that must not wait; a socket this new takes it. */
static void refuse_take(struct clients *clients, int fd)
{
    static const char text[] = "-ERR max number of clients reached\r\n";
    ssize_t sent = write(fd, text, sizeof(text) - 1);
    (void)sent;
    close(fd);
    clients->daemon->stats.connections_rejected++;
}

void clients_accept_take(struct clients *clients, int fd)
{
    struct daemon *daemon = clients->daemon;
    daemon->stats.connections_received++;
    if (daemon->config.server.maxclients != clients->asked_clients)
        clients_fit_limits(clients);
    if (clients->all.count >= daemon->gauges.max_clients)
        refuse_take(clients, fd);
    else
        client_new_take(clients, fd);
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void clients_refuse(struct clients *clients, int listener_fd)
{
    int fd;
    if (clients->spare_fd < 0)
        return;
    close(clients->spare_fd);
    for (int i = 0; i < REFUSED_AT_ONCE; i++) {
        fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            break;
        refuse_take(clients, fd);
    }
    clients->spare_fd = open_spare();
}

static void close_idle(void *arg)
{
    struct clients *clients = arg;
    struct daemon *daemon = clients->daemon;
    int64_t timeout_ms = daemon->config.server.timeout_ms;
    int64_t now_ms = clock_ms(&daemon->clock);
    if (timeout_ms <= 0)
        return;
    list_each (node, &clients->all) {
        struct peer *client = list_entry(node, struct peer, node);
        if (now_ms - client->active_ms < timeout_ms || client->state.is_monitor ||
            client_has_open_turns(client) || client->phase != CLIENT_READING)
            continue;
        daemon->stats.idle_closes++;
        client_doom(client, "idle for too long");
    }
}

void clients_close_strangers(struct clients *clients)
{
    list_each (node, &clients->all) {
        struct peer *client = list_entry(node, struct peer, node);
        const char *user = client->state.user;
        if (user[0] != '\0' && config_user(&clients->daemon->config, str_of(user)) == NULL)
            client_doom(client, "its user is gone");
    }
}

/* --- life --------------------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct clients *clients = arg;
    (void)fd;
    (void)what;
    log_text(&clients->daemon->log, LOG_LEVEL_WARNING, "shutdown-timeout",
             "%zu clients had not got all their answers", clients->all.count);
    list_each (node, &clients->all)
        client_doom(list_entry(node, struct peer, node), "shutdown timeout");
}

struct clients *clients_new(struct daemon *daemon, void (*ending)(void *arg),
                            void (*ended)(void *arg), void *arg)
{
    struct clients *clients = mem_zalloc(sizeof(*clients));
    clients->daemon = daemon;
    clients->ending = ending;
    clients->ended = ended;
    clients->arg = arg;
    list_init(&clients->listeners);
    list_init(&clients->all);
    list_init(&clients->ready);
    list_init(&clients->unused);
    list_init(&clients->orphans);
    clients->work = evtimer_new(daemon->base, on_work, clients);
    clients->deadline = evtimer_new(daemon->base, on_deadline, clients);
    clients->spare_fd = open_spare();
    ticker_init(&clients->idle, daemon->base, NULL, IDLE_SCAN_MS, 0, close_idle, clients);
    ticker_start(&clients->idle);
    clients_fit_limits(clients);
    return clients;
}

static void free_turns(struct list *turns)
{
    struct list_node *node;
    while ((node = list_pop(turns)) != NULL)
        turn_free(list_entry(node, struct turn, node));
}

static void close_listeners(struct clients *clients)
{
    struct list_node *node;
    while ((node = list_pop(&clients->listeners)) != NULL)
        listener_free(list_entry(node, struct listener, node));
}

void clients_free(struct clients *clients)
{
    struct list_node *node;
    if (clients == NULL)
        return;
    close_listeners(clients);
    while ((node = list_first(&clients->all)) != NULL)
        client_free(list_entry(node, struct peer, node));
    free_turns(&clients->unused);
    free_turns(&clients->orphans);
    ticker_clear(&clients->idle);
    event_free(clients->work);
    event_free(clients->deadline);
    if (clients->spare_fd >= 0)
        close(clients->spare_fd);
    mem_free(clients);
}

void clients_forget(struct clients *clients, struct peer *client)
{
    list_remove(&clients->all, &client->node);
    clients->daemon->gauges.clients--;
    if (clients->daemon->is_shutting_down && list_is_empty(&clients->all))
        clients_schedule(clients);
}

bool clients_listen(struct clients *clients, struct err *err)
{
    const struct server_config *config = &clients->daemon->config.server;
    for (int i = 0; i < config->listen.count; i++) {
        struct addr addr;
        char where[300];
        if (!addr_parse(str_of(config->listen.items[i]), &addr, err))
            return false;
        struct listener *listener = listener_new(clients, &addr, (int)config->unixsocketperm, err);
        if (listener == NULL)
            return false;
        list_push(&clients->listeners, &listener->node);
        addr_print(&listener->addr, where, sizeof(where));
        log_line(&clients->daemon->log, LOG_LEVEL_INFO, "listening", "address", where, NULL);
    }
    return true;
}

void clients_describe(const struct clients *clients, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    list_each (node, &clients->listeners) {
        char where[300];
        addr_print(&list_entry(node, struct listener, node)->addr, where, sizeof(where));
        int n = snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "", where);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

void clients_end(struct clients *clients, bool is_now)
{
    struct daemon *daemon = clients->daemon;
    int64_t timeout_ms = daemon->config.server.shutdown_timeout_ms;
    struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    if (!daemon->is_shutting_down)
        clients->ending(clients->arg);
    daemon->is_shutting_down = true;
    close_listeners(clients);
    ticker_stop(&clients->idle);
    list_each (node, &clients->all) {
        struct peer *client = list_entry(node, struct peer, node);
        if (is_now)
            client_doom(client, "shutdown");
        else
            client_end(client, "shutdown");
    }
    if (!evtimer_pending(clients->deadline, NULL))
        evtimer_add(clients->deadline, &wait);
    clients_schedule(clients);
}
