/* notify: the subscribed link: one connection on which Redis tells what was published on the
 * channels that somebody hears. It is dialled when the first one is asked for, and again, with a
 * backoff of its own, whenever it is lost. What is published meanwhile is not heard: a message only
 * hastens what is found out without it.
 *
 *     IDLE --hear--> WAITING --timer--> DIALLING --connected--> LISTENING
 *                       ^                   |                       |
 *                       +-------------------+-------- lost ---------+
 *
 * Knows: io/stream, replies, the greeting's words.  Must not know: what a message means. */
#ifndef REDIS_NOTIFY_H
#define REDIS_NOTIFY_H

#include "redis/link.h"

struct notify;

/* Who hears a channel. The struct is the hearer's, in the list until notify_forget(). */
struct hearing {
    struct list_node node;
    const char *channel;
    /* A message, borrowed for the callback. */
    void (*heard)(void *arg, struct str message);
    /* From now on all that is published is heard; before, something may have been missed. */
    void (*begun)(void *arg);
    void *arg;
    bool is_on; /* private: Redis has confirmed it on this connection */
};

/* Borrows the host's address, settings and log for life. Does not dial. */
struct notify *notify_new(struct link_host *host);
void notify_free(struct notify *notify);

/* From here on it dials when somebody hears; one that waits to dial does it at once. */
void notify_start(struct notify *notify);
/* Closes and does not dial again. */
void notify_stop(struct notify *notify);

void notify_hear(struct notify *notify, struct hearing *hearing);
void notify_forget(struct notify *notify, struct hearing *hearing);
/* Is it there, and does Redis tell all that is heard? */
bool notify_is_ready(const struct notify *notify);

#endif
