/* relay: stands between a daemon and its Redis, and does to the link what networks do. Runs as a
 * thread of the test. Every fault is in force from the moment its call returns.
 * Knows: sockets, RESP.  Must not know: daemons. */
#ifndef TESTS_LIB_RELAY_H
#define TESTS_LIB_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct relay;

/* Listens at `path` and passes everything on to `target`, both Unix sockets. */
struct relay *relay_new(const char *path, const char *target);
void relay_free(struct relay *relay);

/* Closes all links now; new ones are accepted. */
void relay_cut(struct relay *relay);
/* While on, links are closed as soon as they are accepted. */
void relay_refuse(struct relay *relay, bool is_on);
/* While on, nothing passes in either direction; links stay open. */
void relay_stall(struct relay *relay, bool is_on);
/* While on, requests pass and replies are lost; links that have lost some end with it. */
void relay_swallow_replies(struct relay *relay, bool is_on);
/* Replies leave so much later. */
void relay_delay_replies(struct relay *relay, int ms);
/* While not NULL, each request whose first word is `command` is answered by these bytes and does
 * not reach Redis. Both texts must outlive the relay. */
void relay_answer(struct relay *relay, const char *command, const char *reply);
/* Sends bytes to the daemon on all links, as if Redis had. */
void relay_inject(struct relay *relay, const void *bytes, size_t len);

/* Replies lost so far; requests answered by relay_answer(); links open now. */
size_t relay_swallowed(struct relay *relay);
size_t relay_answered(struct relay *relay);
int relay_links(struct relay *relay);

#endif
