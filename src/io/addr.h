/* addr: addresses in and out of text: "127.0.0.1:7777", "[::1]:7777", "*:7777", ":7777",
 * "localhost:7777", "unix:/run/rallocd.sock" or an absolute path.
 * Knows: sockets.  Must not know: streams. */
#ifndef IO_ADDR_H
#define IO_ADDR_H

#include "base/err.h"
#include "base/str.h"
#include "config/url.h"
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    bool is_unix;
    char host[256]; /* a name, an address, or the path of a Unix socket */
    uint16_t port;
};

/* Where a url leads: one of TCP or a Unix socket. */
void addr_of_url(const struct url *url, struct addr *out);
MUST_CHECK bool addr_parse(struct str text, struct addr *out, struct err *err);
/* The form that addr_parse reads. */
void addr_print(const struct addr *addr, char *out, size_t size);
/* Of a connected or bound socket: "127.0.0.1:4711", "[::1]:4711", "/path:0" (of a Unix connection
 * only one end has a name, which stands for both, as Redis prints it); "?:0" when there is none. */
void addr_of_peer(int fd, char *out, size_t size);
void addr_of_local(int fd, char *out, size_t size);
/* A numeric address or a Unix path as a socket address to bind or connect to; names are not
 * resolved. "" and "*" are every IPv4 address (every IPv6 one is "[::]"), "localhost" is
 * 127.0.0.1. */
MUST_CHECK bool addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *out,
                                 socklen_t *len, struct err *err);

#endif
