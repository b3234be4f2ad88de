/* peer: what commands may ask of the connection a request came by, and of all others. Declared
 * here, implemented by server/ (which is above): commands never see a socket. Knows: resp/. */
#ifndef COMMANDS_PEER_H
#define COMMANDS_PEER_H

#include "base/str.h"
#include "resp/reply.h"
#include <stdint.h>

struct daemon;
struct holder;
struct list;
struct worker;

/* --- one request's place in the order of replies --------------------------------------------- */

/* A turn is opened by the server for each request and ended exactly once by whoever answers it, at
 * once or later. Replies leave in the order of turns, whatever the order in which they end. */
struct turn;

/* Where this request's reply is written, in the protocol that held when the request came. */
struct reply *turn_reply(struct turn *turn);
/* The reply is whole; the turn is gone. */
void turn_end(struct turn *turn);
/* CLIENT REPLY ON is answered although replies were off when it came: to be called before its reply
 * is written. */
void turn_unmute(struct turn *turn);
/* The client has gone: what is written will not be read. */
bool turn_is_orphan(const struct turn *turn);
/* Its client waits for no other answer: whatever else is asked now was asked by others. */
bool turn_is_alone(const struct turn *turn);
/* The turn may stay open for long: `gone` runs once when its client goes, or sends no more, before
 * the turn is ended. It may end the turn. */
void turn_watch(struct turn *turn, void (*gone)(void *arg), void *arg);

/* --- the connection -------------------------------------------------------------------------- */

struct peer;

/* Of an open turn; NULL when it is an orphan. */
struct peer *turn_peer(const struct turn *turn);

enum peer_reply_mode { PEER_REPLY_ON, PEER_REPLY_OFF, PEER_REPLY_SKIP };

/* What commands read and set; the server owns it and counts into it. Texts are owned by the peer:
 * set by peer_set_text(). */
struct peer_state {
    uint64_t id;  /* from 1, never used again */
    int protocol; /* 2 or 3 */
    bool is_logged_in;
    bool is_monitor;
    bool is_no_evict;
    enum peer_reply_mode reply_mode;
    char *name;     /* CLIENT SETNAME; "" */
    char *lib_name; /* CLIENT SETINFO; "" */
    char *lib_version;
    char *user; /* of the settings; "": default */
    /* of commands/holds: */
    unsigned resets;       /* how often it has begun anew */
    struct holder *holder; /* what it holds SESSION-wise; NULL: nothing yet */
    char *loss;            /* what it lost and has not been told of; NULL: nothing */
    bool hears_losses;     /* SUBSCRIBE __lost__ */
    /* of commands/deadlocks: */
    uint64_t deadlock_round; /* in which it was looked at last */
    /* of commands/works: */
    struct worker *worker; /* what it has taken and LISTENs for; NULL until it does */
    struct list *pushed;   /* tasks that it is told of by pushes; NULL: none yet */
};
struct peer_state *peer_state(struct peer *peer);
/* As Redis calls who is logged in, or may yet be. */
static inline const char *peer_user(const struct peer_state *state)
{
    return state->user[0] == '\0' ? "default" : state->user;
}
/* Replaces one of the texts by a copy. */
void peer_set_text(char **field, struct str text);

/* As after connecting: protocol 2, logged out where a password is set, no user but default, no
 * name, no MONITOR. */
void peer_reset(struct daemon *daemon, struct peer *peer);
/* What answers nothing, between two replies: written into this, in the connection's protocol; whole
 * at the end. Nothing else is written meanwhile. */
struct reply *peer_begin_push(struct peer *peer);
void peer_end_push(struct peer *peer);
/* Nothing more is read; closes when all open turns are answered and written. */
void peer_close(struct peer *peer, const char *why);
/* The line of CLIENT LIST, without end of line: "id=1 addr=127.0.0.1:1 laddr=... name= age=0 ..."
 */
void peer_describe(struct peer *peer, char *out, size_t size);
/* "127.0.0.1:4711", "/run/x.sock:0" */
const char *peer_address(const struct peer *peer);
const char *peer_local_address(const struct peer *peer);
int64_t peer_age_s(const struct peer *peer);
int64_t peer_idle_s(const struct peer *peer);
/* The name of the command it ran last, for CLIENT LIST. `name` is static. */
void peer_set_command(struct peer *peer, const char *name);

/* All connections, oldest first: start with NULL; NULL at the end. */
struct peer *peer_next(struct daemon *daemon, struct peer *peer);

/* Sends a line to every MONITOR but `from`. Cheap when there is none. */
void peers_monitor(struct daemon *daemon, struct peer *from, const struct str *argv, int argc);

/* SHUTDOWN and signals: stops accepting, answers what is in flight, ends. `is_now`: without
 * waiting. */
void peers_shutdown(struct daemon *daemon, bool is_now);

#endif
