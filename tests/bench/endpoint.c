/* endpoint: see endpoint.h. */
#include "endpoint.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

struct endpoint endpoint_unix(const char *path)
{
    struct endpoint endpoint = {.port = 0};
    if (strlen(path) >= sizeof(endpoint.unix_path))
        errx(1, "%s: too long for a Unix socket", path);
    snprintf(endpoint.unix_path, sizeof(endpoint.unix_path), "%s", path);
    return endpoint;
}

struct endpoint endpoint_tcp(void)
{
    struct sockaddr_in where = loopback(0);
    socklen_t len = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)) != 0 ||
        getsockname(fd, (struct sockaddr *)&where, &len) != 0)
        err(1, "no free port");
    close(fd);
    return (struct endpoint){.port = ntohs(where.sin_port)};
}

static int dial_unix(int fd, const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    memcpy(where.sun_path, path, strlen(path) + 1);
    return connect(fd, (const struct sockaddr *)&where, sizeof(where));
}

static int dial_tcp(int fd, uint16_t port)
{
    struct sockaddr_in where = loopback(port);
    int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
        return -1;
    return connect(fd, (const struct sockaddr *)&where, sizeof(where));
}

int endpoint_dial(const struct endpoint *endpoint)
{
    bool is_unix = endpoint->unix_path[0] != '\0';
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "socket");
    if ((is_unix ? dial_unix(fd, endpoint->unix_path) : dial_tcp(fd, endpoint->port)) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}
