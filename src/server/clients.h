/* clients: all connections and what holds for all of them: listeners, limits, idle times, whose
 * requests run next, the list for MONITOR, and the orderly end.
 * Knows: clients, listeners.  Must not know: pools.
 * Owns: listeners, clients, and turns that are unused or orphans. */
#ifndef SERVER_CLIENTS_H
#define SERVER_CLIENTS_H

#include "daemon.h"
#include "io/ticker.h"
#include "server/client.h"

struct clients {
    struct daemon *daemon;
    struct list listeners;
    struct list all;        /* oldest first */
    struct list ready;      /* clients that wait for their share of the loop */
    struct list unused;     /* turns */
    struct list orphans;    /* turns whose client has gone and that somebody has still to end */
    struct event *work;     /* runs the ready ones; added while there are any */
    struct event *deadline; /* of the shutdown */
    struct ticker idle;
    struct reply push; /* what is being pushed, see peer_begin_push() */
    uint64_t next_id;
    int64_t asked_clients; /* maxclients when the limit of descriptors was last fitted to it */
    int spare_fd;          /* given up for a moment when descriptors have run out */
    bool is_ended;
    void (*ending)(void *arg);
    void (*ended)(void *arg);
    void *arg;
};

/* `ending` runs once when a shutdown begins; `ended` once when the last client has gone or the
 * time is up, never before clients_end() has returned. */
struct clients *clients_new(struct daemon *daemon, void (*ending)(void *arg),
                            void (*ended)(void *arg), void *arg);
/* Stops accepting; clients get the answers that are due and are closed. `is_now`: at once. */
void clients_end(struct clients *clients, bool is_now);
/* Closes whatever is left. */
void clients_free(struct clients *clients);

/* Listens on every address of the settings. False: err says which could not be had, and why. */
MUST_CHECK bool clients_listen(struct clients *clients, struct err *err);
/* The addresses as they were got ("127.0.0.1:40123 unix:/run/x.sock"). */
void clients_describe(const struct clients *clients, char *out, size_t size);
/* Raises the limit of descriptors to what maxclients needs; warns when it cannot. */
void clients_fit_limits(struct clients *clients);

/* After a reload: closes the connections of users that the settings have no more. */
void clients_close_strangers(struct clients *clients);

/* For the listener: takes an accepted socket, or turns it away with an error when there are too
 * many. */
void clients_accept_take(struct clients *clients, int fd);
/* For the listener: descriptors have run out; turns those that wait there away. */
void clients_refuse(struct clients *clients, int listener_fd);

/* For the client. */
void clients_schedule(struct clients *clients);
void clients_forget(struct clients *clients, struct peer *client);
struct turn *clients_take_turn(struct clients *clients);
void clients_give_turn(struct clients *clients, struct turn *turn);

#endif
