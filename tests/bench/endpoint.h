/* endpoint: where something accepts, on this machine.
 * Knows: sockets. */
#ifndef BENCH_ENDPOINT_H
#define BENCH_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint {
    char unix_path[108]; /* "": TCP to 127.0.0.1 */
    uint16_t port;
};

struct endpoint endpoint_unix(const char *path);
/* A port that is free now. */
struct endpoint endpoint_tcp(void);
/* A connected socket, blocking; -1 when nobody accepts (errno tells why). */
int endpoint_dial(const struct endpoint *endpoint);

#endif
