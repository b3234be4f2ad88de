/* client: one connection of a client: its states, its requests, and its replies in their order.
 *
 * A request opens a turn. Turns are answered in any order; their replies leave in the order in
 * which the turns were opened:
 *
 *     stream_in --> parser --> dispatch() ... turn_end()
 *                     |opens                     |
 *              turns: [1 first][2 ended][3 open][4 ended]
 *                         |        own buffers, moved when all before them have ended
 *                         v
 *                     stream_out
 *
 * The first turn writes straight into the stream, so a request that is answered at once, as most
 * are, costs no allocation and no copy.
 *
 * Knows: streams, requests, replies, dispatch.  Must not know: what a command does.
 * Owns: a struct peer (what commands call a client) until its stream has closed; and its turns, but
 * a turn that somebody has still to end outlives its client as an orphan. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "base/list.h"
#include "commands/peer.h"
#include "resp/request.h"

struct clients;
struct stream;

enum client_phase {
    CLIENT_READING, /* waits for bytes; whatever is whole has been run */
    CLIENT_READY,   /* has unread bytes and waits for its next share of the loop; reading is off */
    CLIENT_HELD,    /* too many open turns or too much output: runs nothing until they are fewer */
    CLIENT_ENDING,  /* runs nothing more; closes when its open turns are answered */
    CLIENT_CLOSING, /* all is answered; the rest of the output is on its way */
    CLIENT_DOOMED   /* is freed at the next turn of the loop, whatever waits */
};

struct turn {
    struct list_node node; /* in the client's turns; of an orphan, or unused, in clients' lists */
    struct peer *client;   /* NULL: an orphan */
    struct reply reply;    /* out: NULL while muted, the stream's while first, else `own` */
    struct evbuffer *own;  /* NULL until first needed; kept while the turn is unused */
    struct clients *clients;
    void (*gone)(void *arg); /* NULL: nobody is to be told when the client goes */
    void *gone_arg;
    bool is_ended;
    bool is_muted;
};

struct peer {
    struct peer_state state;
    struct clients *clients;
    struct list_node node;       /* in clients->all */
    struct list_node ready_node; /* in clients->ready: READY and DOOMED */
    struct stream *stream;
    struct request request;
    struct list turns; /* open, oldest first */
    size_t held_bytes; /* in own buffers of turns that have ended */
    char *address;     /* "127.0.0.1:4711", "/run/x.sock:0" */
    char *local_address;
    const char *command;         /* the name of the last one; static */
    const char *why;             /* ENDING and later: the reason, static */
    int64_t since_ms, active_ms; /* connected; sent something last */
    enum client_phase phase;
    bool is_monitor_counted;
    bool has_ended_input; /* the peer sends no more */
};

/* Takes an accepted socket. */
struct peer *client_new_take(struct clients *clients, int fd);
void client_free(struct peer *client);

/* The only way from a phase to another. */
void client_become(struct peer *client, enum client_phase phase);
/* Runs the requests that have come, at most one share of the loop's time. */
void client_run(struct peer *client);
/* Reads no more; closes when all open turns are answered. `why` is static. */
void client_end(struct peer *client, const char *why);
/* Closes at the next turn of the loop, whatever waits. `why` is static. */
void client_doom(struct peer *client, const char *why);
/* A line that answers nothing (MONITOR): takes its place in the order of replies. */
void client_push(struct peer *client, const void *bytes, size_t len);

bool client_has_open_turns(const struct peer *client);
size_t client_output(const struct peer *client);

/* Name, library and user, back to "". */
void client_clear_texts(struct peer_state *state);

/* Frees turns that nobody has. */
void turn_free(struct turn *turn);

#endif
