/* client: one connection of a client; see client.h.
 * Knows: streams, requests, replies, dispatch.  Must not know: what a command does. */
#include "server/client.h"
#include "base/mem.h"
#include "commands/dispatch.h"
#include "commands/holds.h"
#include "commands/works.h"
#include "io/stream.h"
#include "server/clients.h"
#include <poll.h>

#define REQUESTS_PER_SHARE 128  /* run in one go before the others' requests are looked at */
#define MAX_OPEN_TURNS     1024 /* of one client; more requests wait unread */
#define LINGER_MS          5000 /* for the last bytes of replies, unless write_timeout says less */
#define SMALL_REPLY        1024 /* copied rather than moved: fewer, fuller pieces for the kernel */

/* --- phases ------------------------------------------------------------------------- */

static void leave_ready(struct peer *client)
{
    if (list_has(&client->ready_node))
        list_remove(&client->clients->ready, &client->ready_node);
}

static void enter_ready(struct peer *client)
{
    if (!list_has(&client->ready_node))
        list_push(&client->clients->ready, &client->ready_node);
    clients_schedule(client->clients);
}

static void close_when_written(struct peer *client)
{
    int64_t linger_ms = client->clients->daemon->config.server.write_timeout_ms;
    if (linger_ms <= 0 || linger_ms > LINGER_MS)
        linger_ms = LINGER_MS;
    stream_close_when_written(client->stream, client->why, linger_ms);
}

void client_become(struct peer *client, enum client_phase phase)
{
    if (client->phase == CLIENT_DOOMED || (client->phase == phase && phase != CLIENT_READY))
        return;
    bool was_reading = client->phase == CLIENT_READING;
    client->phase = phase;
    if (phase == CLIENT_READING)
        stream_resume(client->stream);
    else if (was_reading)
        stream_pause(client->stream);
    if (phase == CLIENT_READY || phase == CLIENT_DOOMED)
        enter_ready(client);
    else
        leave_ready(client);
    if (phase == CLIENT_CLOSING)
        close_when_written(client);
}

static bool runs_requests(const struct peer *client)
{
    return client->phase == CLIENT_READING || client->phase == CLIENT_READY ||
           client->phase == CLIENT_HELD;
}

static void tell_gone(struct turn *turn)
{
    void (*gone)(void *arg) = turn->gone;
    turn->gone = NULL;
    if (gone != NULL)
        gone(turn->gone_arg);
}

/* Whoever is told may end its turn, and those behind it then leave, too. */
static void tell_all_gone(struct peer *client)
{
    struct list_node *node = client->turns.root.next;
    while (node != &client->turns.root) {
        struct turn *turn = list_entry(node, struct turn, node);
        bool is_told = turn->gone != NULL;
        tell_gone(turn);
        node = is_told ? client->turns.root.next : node->next;
    }
}

/* Nobody goes on waiting for long for a client that is about to leave. */
void client_end(struct peer *client, const char *why)
{
    if (!runs_requests(client))
        return;
    client->why = why;
    tell_all_gone(client);
    works_end(&client->state);
    client_become(client, list_is_empty(&client->turns) ? CLIENT_CLOSING : CLIENT_ENDING);
}

void client_doom(struct peer *client, const char *why)
{
    if (client->phase == CLIENT_DOOMED)
        return;
    client->why = why;
    client_become(client, CLIENT_DOOMED);
}

bool client_has_open_turns(const struct peer *client)
{
    return client->turns.count > 0;
}

size_t client_output(const struct peer *client)
{
    return evbuffer_get_length(stream_out(client->stream)) + client->held_bytes;
}

static size_t max_output(const struct peer *client)
{
    return (size_t)client->clients->daemon->config.server.max_output_bytes;
}

/* A peer that sends requests and reads no replies is held back before the bound closes it. */
static bool has_room(const struct peer *client, size_t max_turns)
{
    return client->turns.count < max_turns && client_output(client) <= max_output(client) / 2;
}

/* After turns have ended or output has left: what was held back by them goes on. */
static void settle(struct peer *client)
{
    if (client->phase == CLIENT_ENDING && list_is_empty(&client->turns))
        client_become(client, CLIENT_CLOSING);
    else if (client->phase == CLIENT_HELD && has_room(client, MAX_OPEN_TURNS / 2))
        client_become(client, CLIENT_READY);
}

/* --- turns -------------------------------------------------------------------------- */

static struct evbuffer *own_buffer(struct turn *turn)
{
    if (turn->own == NULL)
        turn->own = evbuffer_new(); /* never NULL: main gave libevent the allocation of base/mem */
    return turn->own;
}

static bool is_first(const struct turn *turn)
{
    return turn->client->turns.root.next == &turn->node;
}

static void direct(struct turn *turn)
{
    turn->reply.out = turn->is_muted   ? NULL
                      : is_first(turn) ? stream_out(turn->client->stream)
                                       : own_buffer(turn);
}

static struct turn *turn_open(struct peer *client)
{
    struct turn *turn = clients_take_turn(client->clients);
    struct peer_state *state = &client->state;
    turn->client = client;
    turn->is_ended = false;
    turn->gone = NULL;
    turn->is_muted = state->reply_mode != PEER_REPLY_ON;
    turn->reply.protocol = state->protocol;
    if (state->reply_mode == PEER_REPLY_SKIP)
        state->reply_mode = PEER_REPLY_ON;
    list_push(&client->turns, &turn->node);
    client->clients->daemon->gauges.open_turns++;
    direct(turn);
    return turn;
}

/* Its time has come: what it has written so far leaves, and the rest goes straight out. */
static void move_own(struct turn *turn, struct evbuffer *out)
{
    size_t len = turn->own == NULL ? 0 : evbuffer_get_length(turn->own);
    if (len == 0)
        return;
    if (len > SMALL_REPLY) {
        evbuffer_add_buffer(out, turn->own);
        return;
    }
    char small[SMALL_REPLY];
    evbuffer_remove(turn->own, small, len);
    evbuffer_add(out, small, len);
}

static void retire(struct peer *client, struct turn *turn)
{
    list_remove(&client->turns, &turn->node);
    client->clients->daemon->gauges.open_turns--;
    clients_give_turn(client->clients, turn);
}

/* The first turn has ended: so have perhaps those behind it. */
static void flush_turns(struct peer *client)
{
    struct evbuffer *out = stream_out(client->stream);
    struct list_node *node;
    while ((node = list_first(&client->turns)) != NULL) {
        struct turn *turn = list_entry(node, struct turn, node);
        size_t held = turn->own == NULL ? 0 : evbuffer_get_length(turn->own);
        move_own(turn, out);
        if (!turn->is_ended) {
            direct(turn);
            break;
        }
        client->held_bytes -= held;
        retire(client, turn);
    }
}

struct reply *turn_reply(struct turn *turn)
{
    return &turn->reply;
}

void turn_unmute(struct turn *turn)
{
    turn->is_muted = false;
    if (turn->client != NULL)
        direct(turn);
}

bool turn_is_orphan(const struct turn *turn)
{
    return turn->client == NULL;
}

bool turn_is_alone(const struct turn *turn)
{
    return turn->client != NULL && turn->client->turns.count == 1;
}

void turn_watch(struct turn *turn, void (*gone)(void *arg), void *arg)
{
    turn->gone = gone;
    turn->gone_arg = arg;
}

struct peer *turn_peer(const struct turn *turn)
{
    return turn->client;
}

void turn_end(struct turn *turn)
{
    struct peer *client = turn->client;
    if (client == NULL) {
        list_remove(&turn->clients->orphans, &turn->node);
        clients_give_turn(turn->clients, turn);
        return;
    }
    turn->is_ended = true;
    turn->gone = NULL;
    if (is_first(turn)) {
        retire(client, turn);
        flush_turns(client);
    } else if (turn->own != NULL) {
        client->held_bytes += evbuffer_get_length(turn->own);
    }
    stream_wrote(client->stream);
    if (client->held_bytes > max_output(client)) {
        client->clients->daemon->stats.output_limit_closes++;
        client_doom(client, "output over its bound");
    }
    settle(client);
}

void turn_free(struct turn *turn)
{
    if (turn->own != NULL)
        evbuffer_free(turn->own);
    mem_free(turn);
}

void client_push(struct peer *client, const void *bytes, size_t len)
{
    if (!runs_requests(client))
        return;
    struct turn *turn = turn_open(client);
    if (turn->reply.out != NULL)
        evbuffer_add(turn->reply.out, bytes, len);
    turn_end(turn);
}

/* --- requests ----------------------------------------------------------------------- */

static void count_monitor(struct peer *client)
{
    struct daemon_gauges *gauges = &client->clients->daemon->gauges;
    if (client->state.is_monitor == client->is_monitor_counted)
        return;
    client->is_monitor_counted = client->state.is_monitor;
    if (client->is_monitor_counted)
        gauges->monitors++;
    else
        gauges->monitors--;
}

static void run_one(struct peer *client)
{
    struct daemon *daemon = client->clients->daemon;
    struct request *request = &client->request;
    daemon->stats.net_input_bytes += request->size;
    if (request->argc > 0) {
        dispatch(daemon, client, turn_open(client), request->argv, request->argc);
        count_monitor(client);
    }
    request_consume(request, stream_in(client->stream));
}

static void refuse_broken(struct peer *client, const struct err *err)
{
    struct daemon *daemon = client->clients->daemon;
    daemon->stats.protocol_errors++;
    log_line(&daemon->log, LOG_LEVEL_INFO, "protocol-error", "client", client->address, "text",
             err->text, NULL);
    struct turn *turn = turn_open(client);
    reply_err(turn_reply(turn), err);
    turn_end(turn);
    client_end(client, "protocol error");
}

static struct request_limits limits_of(const struct server_config *config)
{
    return (struct request_limits){.max_bytes = (size_t)config->max_request_bytes,
                                   .max_args = (int)config->max_args,
                                   .max_inline = (size_t)config->max_inline_bytes};
}

void client_run(struct peer *client)
{
    struct request_limits limits = limits_of(&client->clients->daemon->config.server);
    struct err err;
    for (int i = 0; i < REQUESTS_PER_SHARE; i++) {
        if (!has_room(client, MAX_OPEN_TURNS)) {
            client_become(client, CLIENT_HELD);
            return;
        }
        switch (request_parse(&client->request, stream_in(client->stream), &limits, &err)) {
        case REQUEST_READY:
            run_one(client);
            break;
        case REQUEST_BROKEN:
            refuse_broken(client, &err);
            return;
        case REQUEST_PARTIAL:
            request_rest(&client->request);
            if (client->has_ended_input)
                client_end(client, "closed by peer");
            else
                client_become(client, CLIENT_READING);
            return;
        }
        if (!runs_requests(client))
            return;
    }
    client_become(client, CLIENT_READY);
}

/* --- what the stream tells ---------------------------------------------------------- */

static void on_readable(void *arg)
{
    struct peer *client = arg;
    client->active_ms = clock_ms(&client->clients->daemon->clock);
    if (client->phase == CLIENT_READING)
        client_run(client);
}

static void on_written(void *arg, size_t bytes)
{
    struct peer *client = arg;
    client->clients->daemon->stats.net_output_bytes += bytes;
}

static void on_drained(void *arg)
{
    settle(arg);
}

/* A Unix socket tells whether its other end is gone or has only shut its writing side. */
static bool is_hung_up(const struct peer *client)
{
    struct pollfd poller = {.fd = stream_fd(client->stream), .events = POLLOUT};
    return poll(&poller, 1, 0) == 1 && (poller.revents & (POLLHUP | POLLERR)) != 0;
}

/* The peer sends no more; it gets the answers to what it has sent. */
static void on_ended(void *arg)
{
    struct peer *client = arg;
    client->has_ended_input = true;
    if (is_hung_up(client))
        client_doom(client, "closed by peer");
    else if (client->phase == CLIENT_READING)
        client_end(client, "closed by peer");
}

static void on_closed(void *arg, const char *why)
{
    struct peer *client = arg;
    struct daemon_stats *stats = &client->clients->daemon->stats;
    if (strncmp(why, "output over", 11) == 0)
        stats->output_limit_closes++;
    else if (strncmp(why, "write timeout", 13) == 0)
        stats->write_timeout_closes++;
    if (client->phase != CLIENT_DOOMED)
        client->why = why;
    client_free(client);
}

static const struct stream_events events = {.readable = on_readable,
                                            .written = on_written,
                                            .drained = on_drained,
                                            .ended = on_ended,
                                            .closed = on_closed};

/* --- texts --- most clients have none, so an empty one costs no memory -------------- */

static char no_text[1];

void peer_set_text(char **field, struct str text)
{
    if (*field != no_text)
        mem_free(*field);
    *field = str_is_empty(text) ? no_text : mem_dup(text);
}

static void init_texts(struct peer_state *state)
{
    state->name = state->lib_name = state->lib_version = state->user = no_text;
}

void client_clear_texts(struct peer_state *state)
{
    peer_set_text(&state->name, STR(""));
    peer_set_text(&state->lib_name, STR(""));
    peer_set_text(&state->lib_version, STR(""));
    peer_set_text(&state->user, STR(""));
}

/* --- life --------------------------------------------------------------------------- */

static char *address_text(int fd, void (*print)(int fd, char *out, size_t size))
{
    char text[300];
    print(fd, text, sizeof(text));
    return mem_dup(str_of(text));
}

struct peer *client_new_take(struct clients *clients, int fd)
{
    struct daemon *daemon = clients->daemon;
    const struct server_config *config = &daemon->config.server;
    struct stream_options options = {.write_timeout_ms = config->write_timeout_ms,
                                     .max_output = (size_t)config->max_output_bytes,
                                     .keepalive_s = (int)config->tcp_keepalive_s};
    struct peer *client = mem_zalloc(sizeof(*client));
    client->clients = clients;
    client->state.id = ++clients->next_id;
    client->state.protocol = 2;
    init_texts(&client->state);
    client->state.is_logged_in = config->requirepass[0] == '\0';
    client->address = address_text(fd, addr_of_peer);
    client->local_address = address_text(fd, addr_of_local);
    client->since_ms = client->active_ms = clock_ms(&daemon->clock);
    client->phase = CLIENT_READING;
    list_init(&client->turns);
    request_init(&client->request);
    client->stream = stream_accept_take(daemon->base, fd, &options, &events, client);
    list_push(&clients->all, &client->node);
    daemon->gauges.clients++;
    log_line(&daemon->log, LOG_LEVEL_DEBUG, "client-connected", "client", client->address, NULL);
    return client;
}

/* Whoever answers them later finds nobody there. */
static void orphan_turns(struct peer *client)
{
    struct list_node *node;
    while ((node = list_first(&client->turns)) != NULL) {
        struct turn *turn = list_entry(node, struct turn, node);
        if (turn->is_ended) {
            retire(client, turn);
            continue;
        }
        list_remove(&client->turns, node);
        list_push(&client->clients->orphans, node);
        client->clients->daemon->gauges.open_turns--;
        turn->client = NULL;
        turn->reply.out = NULL;
        tell_gone(turn);
    }
}

void client_free(struct peer *client)
{
    struct daemon *daemon = client->clients->daemon;
    log_line(&daemon->log, LOG_LEVEL_DEBUG, "client-closed", "client", client->address, "why",
             client->why != NULL ? client->why : "", NULL);
    orphan_turns(client);
    holds_end(daemon, &client->state);
    works_end(&client->state);
    client->state.is_monitor = false;
    count_monitor(client);
    leave_ready(client);
    stream_free(client->stream);
    request_clear(&client->request);
    clients_forget(client->clients, client);
    client_clear_texts(&client->state);
    mem_free(client->address);
    mem_free(client->local_address);
    mem_free(client);
}
