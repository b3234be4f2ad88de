/* dial: gets a connected socket to an address: resolves names, tries one address of a name after
 * another, all within one deadline.
 * Knows: sockets, evdns.  Must not know: streams. */
#ifndef IO_DIAL_H
#define IO_DIAL_H

#include "io/addr.h"
#include <event2/event.h>

struct dial;
struct evdns_base;

/* Called once, never before dial_start() has returned; the dial is gone by then. fd: connected,
 * non-blocking, the receiver's; or -1 and `why` ("connect: Connection refused"), borrowed. */
typedef void (*dial_done)(void *arg, evutil_socket_t fd, const char *why);

/* timeout_ms: 0: none. `dns` may be NULL: then names fail. */
struct dial *dial_start(struct event_base *base, struct evdns_base *dns, const struct addr *addr,
                        int64_t timeout_ms, dial_done done, void *arg);
/* Gives up; done() is not called any more. NULL is allowed. */
void dial_free(struct dial *dial);

/* Looks names up in /etc/hosts, then by the servers of resolv.conf, and lets the loop end while it
 * does not. To be freed by evdns_base_free(); NULL when it cannot be made. */
struct evdns_base *dial_resolver(struct event_base *base);

#endif
