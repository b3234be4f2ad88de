/* listener: one socket that clients connect to: TCP (v4, v6) or Unix.
 * Knows: sockets, libevent.  Must not know: what becomes of a connection. */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "base/list.h"
#include "io/addr.h"
#include <event2/event.h>
#include <sys/types.h>

struct clients;

struct listener {
    struct list_node node; /* in clients->listeners */
    struct clients *clients;
    struct addr addr; /* with the port that was got */
    struct event *event;
    struct event *again; /* after a failure of accept(): goes on in a moment */
    int fd;
    dev_t device; /* of the socket's file, so that only our own is removed */
    ino_t inode;
};

/* NULL and err when the address cannot be had. A Unix socket's file that nobody answers at is
 * replaced; a live one is an error. `perm`: mode of a Unix socket. */
struct listener *listener_new(struct clients *clients, const struct addr *addr, int perm,
                              struct err *err);
/* Closes it; removes its file. */
void listener_free(struct listener *listener);

#endif
