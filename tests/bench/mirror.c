/* mirror: see mirror.h. */
#include "mirror.h"
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_EVENTS = 64, BYTES = 65536 };

static int listen_at(int family, const struct sockaddr *where, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, where, len) != 0 || listen(fd, 1024) != 0)
        err(1, "the mirror cannot listen");
    return fd;
}

static int listen_unix(const struct endpoint *at)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    memcpy(where.sun_path, at->unix_path, strlen(at->unix_path) + 1);
    return listen_at(AF_UNIX, (const struct sockaddr *)&where, sizeof where);
}

static int listen_tcp(const struct endpoint *at)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons(at->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return listen_at(AF_INET, (const struct sockaddr *)&where, sizeof where);
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        err(1, "the mirror cannot watch");
}

/* Each request begins with '*', which stands nowhere else in them; the third line is its word. */
static void answer(int fd)
{
    static const char lease[] = "$2\r\nr1\r\n", one[] = ":1\r\n";
    char in[BYTES], out[BYTES];
    size_t len = 0;
    ssize_t count = read(fd, in, sizeof in);
    if (count <= 0) {
        close(fd);
        return;
    }
    const char *at = in, *end = in + count;
    while ((at = memchr(at, '*', (size_t)(end - at))) != NULL) {
        const char *text = end - at > 8 && at[8] == 'M' ? lease : one; /* "*2\r\n$6\r\nMALLOC" */
        size_t size = strlen(text);
        memcpy(out + len, text, size);
        len += size;
        at++;
    }
    if (write(fd, out, len) != (ssize_t)len)
        close(fd);
}

static void serve(int tcp, int local)
{
    struct epoll_event events[MOST_EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    watch(epoll, tcp);
    watch(epoll, local);
    for (;;) {
        int count = epoll_wait(epoll, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd != tcp && fd != local) {
                answer(fd);
                continue;
            }
            int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd == tcp)
                setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(epoll, peer);
        }
    }
}

pid_t mirror_start(const struct endpoint *tcp, const struct endpoint *local)
{
    int at_tcp = listen_tcp(tcp), at_local = listen_unix(local);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0)
        serve(at_tcp, at_local);
    close(at_tcp);
    close(at_local);
    return pid;
}
