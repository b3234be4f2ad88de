/* peers: what commands may ask of connections; see commands/peer.h.
 * Knows: clients.  Must not know: what a command does. */
#include "base/mem.h"
#include "commands/holds.h"
#include "commands/works.h"
#include "daemon.h"
#include "io/stream.h"
#include "server/clients.h"
#include <stdio.h>

struct peer_state *peer_state(struct peer *peer)
{
    return &peer->state;
}

void peer_reset(struct daemon *daemon, struct peer *peer)
{
    struct peer_state *state = &peer->state;
    holds_end(daemon, state);
    works_end(state);
    client_clear_texts(state);
    state->protocol = 2;
    state->is_logged_in = daemon->config.server.requirepass[0] == '\0';
    state->is_monitor = false;
    state->is_no_evict = false;
    state->reply_mode = PEER_REPLY_ON;
}

struct reply *peer_begin_push(struct peer *peer)
{
    struct reply *push = &peer->clients->push;
    bool is_there = peer->phase != CLIENT_CLOSING && peer->phase != CLIENT_DOOMED;
    push->protocol = peer->state.protocol;
    push->out = is_there ? stream_out(peer->stream) : NULL;
    return push;
}

void peer_end_push(struct peer *peer)
{
    if (peer->clients->push.out != NULL)
        stream_wrote(peer->stream);
}

void peer_close(struct peer *peer, const char *why)
{
    client_end(peer, why);
}

const char *peer_address(const struct peer *peer)
{
    return peer->address;
}

const char *peer_local_address(const struct peer *peer)
{
    return peer->local_address;
}

int64_t peer_age_s(const struct peer *peer)
{
    return (clock_ms(&peer->clients->daemon->clock) - peer->since_ms) / 1000;
}

int64_t peer_idle_s(const struct peer *peer)
{
    return (clock_ms(&peer->clients->daemon->clock) - peer->active_ms) / 1000;
}

void peer_set_command(struct peer *peer, const char *name)
{
    peer->command = name;
}

static bool is_waiting(const struct peer *peer)
{
    list_each (node, &peer->turns) {
        if (list_entry(node, struct turn, node)->gone != NULL)
            return true;
    }
    return false;
}

/* Letters as CLIENT LIST of Redis has them. */
static void flags_text(const struct peer *peer, char out[8])
{
    size_t n = 0;
    if (peer->state.is_monitor)
        out[n++] = 'O';
    if (is_waiting(peer))
        out[n++] = 'b';
    if (peer->phase == CLIENT_ENDING || peer->phase == CLIENT_CLOSING)
        out[n++] = 'c';
    if (peer->state.is_no_evict)
        out[n++] = 'e';
    if (n == 0)
        out[n++] = 'N';
    out[n] = '\0';
}

void peer_describe(struct peer *peer, char *out, size_t size)
{
    const struct peer_state *state = &peer->state;
    char flags[8];
    flags_text(peer, flags);
    size_t in = stream_unread(peer->stream), out_bytes = client_output(peer);
    /* redis-py wants all of Redis' numbers: those of what we do not have are what they are there */
    snprintf(out, size,
             "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=0 sub=0 psub=0 "
             "ssub=0 multi=-1 turns=%zu qbuf=%zu qbuf-free=0 argv-mem=0 multi-mem=0 obl=0 oll=0 "
             "omem=%zu tot-mem=%zu cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s "
             "held=%zu",
             (unsigned long long)state->id, peer->address, peer->local_address,
             stream_fd(peer->stream), state->name, (long long)peer_age_s(peer),
             (long long)peer_idle_s(peer), flags, peer->turns.count, in, out_bytes, in + out_bytes,
             peer->command != NULL ? peer->command : "NULL", peer_user(state), state->protocol,
             state->lib_name, state->lib_version, holds_count(state));
}

/* Those that are being closed are not there any more for whoever asks. */
struct peer *peer_next(struct daemon *daemon, struct peer *peer)
{
    struct list *all = &daemon->clients->all;
    struct list_node *node = peer == NULL ? all->root.next : peer->node.next;
    for (; node != &all->root; node = node->next) {
        struct peer *next = list_entry(node, struct peer, node);
        if (next->phase != CLIENT_CLOSING && next->phase != CLIENT_DOOMED)
            return next;
    }
    return NULL;
}

/* --- MONITOR ------------------------------------------------------------------------ */

static void add_quoted(struct evbuffer *line, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\n\r\t\a\b\\\"", letters[] = "nrtab\\\"";
    size_t from = 0;
    evbuffer_add(line, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *special = c == 0 ? NULL : strchr(plain, c);
        if (special == NULL && c >= 0x20 && c < 0x7f)
            continue;
        evbuffer_add(line, s.ptr + from, i - from);
        from = i + 1;
        if (special != NULL)
            evbuffer_add(line, (char[]){'\\', letters[special - plain]}, 2);
        else
            evbuffer_add(line, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
    }
    evbuffer_add(line, s.ptr + from, s.len - from);
    evbuffer_add(line, "\"", 1);
}

void peers_monitor(struct daemon *daemon, struct peer *from, const struct str *argv, int argc)
{
    if (daemon->gauges.monitors == 0)
        return;
    struct evbuffer *line = evbuffer_new();
    int64_t now_us = clock_wall_us(&daemon->clock);
    evbuffer_add_printf(line, "+%lld.%06lld [0 %s]", (long long)(now_us / 1000000),
                        (long long)(now_us % 1000000), from->address);
    for (int i = 0; i < argc; i++) {
        evbuffer_add(line, " ", 1);
        add_quoted(line, argv[i]);
    }
    evbuffer_add(line, "\r\n", 2);
    size_t len = evbuffer_get_length(line);
    const void *bytes = evbuffer_pullup(line, -1);
    list_each (node, &daemon->clients->all) {
        struct peer *client = list_entry(node, struct peer, node);
        if (client->state.is_monitor && client != from)
            client_push(client, bytes, len);
    }
    evbuffer_free(line);
}

void peers_shutdown(struct daemon *daemon, bool is_now)
{
    clients_end(daemon->clients, is_now);
}
