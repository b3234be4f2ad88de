/* tls: TLS on connections that we open: which certificates are believed, and the name that the
 * other end must prove to have.
 * Knows: OpenSSL, bufferevents.  Must not know: what is said over a connection. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/err.h"
#include <event2/bufferevent.h>
#include <event2/event.h>

struct tls_client;

/* Reads the certificates, which takes milliseconds: one for all connections that are treated alike.
 * ca_file: PEM; NULL or "": those of the system. With `is_trusting` no certificate is looked at. */
struct tls_client *tls_client_new(const char *ca_file, bool is_trusting, struct err *err);
/* Connections that are open live on. NULL is allowed. */
void tls_client_free(struct tls_client *client);

/* Takes over a connected socket and begins the handshake: BEV_EVENT_CONNECTED tells its end. `host`
 * is a name, which is sent along (SNI), or an address; the certificate has to name it. bufferevent_
 * free() closes the socket. NULL: no memory in OpenSSL; the socket is closed. */
struct bufferevent *tls_client_open_take(struct tls_client *client, struct event_base *base,
                                         evutil_socket_t fd, const char *host);
/* Why a connection of tls_client_open_take() has told BEV_EVENT_ERROR. */
void tls_client_why(struct bufferevent *connection, char *out, size_t size);

#endif
