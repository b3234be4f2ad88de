/* listener: sockets that clients connect to; see listener.h.
 * Knows: sockets, libevent.  Must not know: what becomes of a connection. */
#include "server/listener.h"
#include "base/mem.h"
#include "server/clients.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 1024
#define ACCEPT_MAX                                                                               \
    64               /* connections taken in one turn of the loop: the others' requests run, too \
                      */
#define AGAIN_MS 100 /* a pause after a failure that trying again at once would not mend */

/* Which failures of accept() belong to the connection that was to be had, not to the listener. */
static bool is_of_connection(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == EPERM || error == ENETDOWN ||
           error == EHOSTDOWN || error == EHOSTUNREACH || error == ENETUNREACH || error == ENONET ||
           error == ENOPROTOOPT || error == EOPNOTSUPP || error == EINTR;
}

static void pause_accepting(struct listener *listener, int error)
{
    struct timeval wait = {0, AGAIN_MS * 1000};
    char where[300];
    addr_print(&listener->addr, where, sizeof(where));
    log_line(&listener->clients->daemon->log, LOG_LEVEL_ERROR, "accept-failed", "listener", where,
             "error", strerror(error), NULL);
    event_del(listener->event);
    event_add(listener->again, &wait);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)fd;
    (void)what;
    event_add(listener->event, NULL);
}

static void on_connection(evutil_socket_t listener_fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)what;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = accept4((int)listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            clients_accept_take(listener->clients, fd);
            continue;
        }
        int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return;
        if (is_of_connection(error))
            continue;
        if (error == EMFILE || error == ENFILE)
            clients_refuse(listener->clients, (int)listener_fd);
        pause_accepting(listener, error);
        return;
    }
}

/* Is there a server behind a Unix socket's file? */
static bool is_answered(const struct sockaddr_storage *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    bool is_refused = connect(fd, (const struct sockaddr *)address, len) != 0 &&
                      (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return !is_refused;
}

/* Removes the file of a Unix socket whose server died. */
static bool clear_path(const struct addr *addr, const struct sockaddr_storage *address,
                       socklen_t len, struct err *err)
{
    struct stat st;
    if (lstat(addr->host, &st) != 0)
        return errno == ENOENT ||
               err_set(err, ERR_GENERAL, "cannot listen on %s: %s", addr->host, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_GENERAL, "cannot listen on %s: the file is there and is no socket",
                       addr->host);
    if (is_answered(address, len))
        return err_set(err, ERR_GENERAL, "cannot listen on %s: another server answers there",
                       addr->host);
    if (unlink(addr->host) != 0 && errno != ENOENT)
        return err_set(err, ERR_GENERAL, "cannot remove the dead socket %s: %s", addr->host,
                       strerror(errno));
    return true;
}

/* The mode is there from the start: nobody slips in between bind() and a chmod(). */
static int bind_with_mode(int fd, const struct sockaddr_storage *address, socklen_t len,
                          const struct addr *addr, int perm)
{
    if (!addr->is_unix)
        return bind(fd, (const struct sockaddr *)address, len);
    mode_t before = umask((mode_t)(~perm & 0777));
    int result = bind(fd, (const struct sockaddr *)address, len);
    int error = errno;
    umask(before);
    errno = error;
    return result;
}

static int open_socket(const struct sockaddr_storage *address)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (address->ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return fd;
}

/* What was got: the port when 0 was asked for, the identity of a socket's file. */
static void note_identity(struct listener *listener)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof(bound);
    struct stat st;
    if (listener->addr.is_unix) {
        if (stat(listener->addr.host, &st) == 0) {
            listener->device = st.st_dev;
            listener->inode = st.st_ino;
        }
        return;
    }
    if (getsockname(listener->fd, (struct sockaddr *)&bound, &len) != 0)
        return;
    if (bound.ss_family == AF_INET)
        listener->addr.port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    else if (bound.ss_family == AF_INET6)
        listener->addr.port = ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
}

static struct listener *make(struct clients *clients, const struct addr *addr, int fd)
{
    struct event_base *base = clients->daemon->base;
    struct listener *listener = mem_zalloc(sizeof(*listener));
    listener->clients = clients;
    listener->addr = *addr;
    listener->fd = fd;
    listener->event = event_new(base, fd, EV_READ | EV_PERSIST, on_connection, listener);
    listener->again = evtimer_new(base, on_again, listener);
    note_identity(listener);
    event_add(listener->event, NULL);
    return listener;
}

struct listener *listener_new(struct clients *clients, const struct addr *addr, int perm,
                              struct err *err)
{
    struct sockaddr_storage address;
    socklen_t len;
    char where[300];
    addr_print(addr, where, sizeof(where));
    if (!addr_to_sockaddr(addr, &address, &len, err))
        return NULL;
    if (addr->is_unix && !clear_path(addr, &address, len, err))
        return NULL;
    int fd = open_socket(&address);
    if (fd >= 0 && bind_with_mode(fd, &address, len, addr, perm) == 0 && listen(fd, BACKLOG) == 0)
        return make(clients, addr, fd);
    err_set(err, ERR_GENERAL, "cannot listen on %s: %s", where, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

void listener_free(struct listener *listener)
{
    struct stat st;
    event_free(listener->event);
    event_free(listener->again);
    if (listener->addr.is_unix && stat(listener->addr.host, &st) == 0 &&
        st.st_dev == listener->device && st.st_ino == listener->inode)
        unlink(listener->addr.host);
    close(listener->fd);
    mem_free(listener);
}
