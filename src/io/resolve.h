/* resolve: the addresses of a name, within a deadline.
 * Knows: evdns.  Must not know: what the addresses are for. */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <event2/event.h>
#include <event2/util.h>
#include <stdint.h>

struct resolve;
struct evdns_base;

/* Called once, never before resolve_start() has returned; the resolve is gone by then. found: those
 * of both families, the receiver's, to be freed by evutil_freeaddrinfo(); or NULL and `why`,
 * borrowed. */
typedef void (*resolve_done)(void *arg, struct evutil_addrinfo *found, const char *why);

/* port: that the addresses shall have; timeout_ms: 0: as evdns has it. A numeric address is its own
 * name. */
struct resolve *resolve_start(struct event_base *base, struct evdns_base *dns, const char *name,
                              uint16_t port, int64_t timeout_ms, resolve_done done, void *arg);
/* Gives up; done() is not called any more. NULL is allowed. */
void resolve_free(struct resolve *resolve);

#endif
