/* systemd: readiness, status and signs of life for the service manager; see systemd.h.
 * Knows: sockets.  Must not know: what the daemon does. */
#include "server/systemd.h"
#include "base/num.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The path of a socket; with '@' in front, a name that is in no folder. */
static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void give_sign_of_life(void *arg)
{
    systemd_tell(arg, "WATCHDOG=1");
}

/* Signs come twice as often as they are asked for. */
static int64_t watchdog_interval_ms(void)
{
    const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t usec, for_pid;
    if (interval == NULL || !num_parse_int(str_of(interval), &usec) || usec <= 0)
        return 0;
    if (pid != NULL && (!num_parse_int(str_of(pid), &for_pid) || for_pid != getpid()))
        return 0;
    return usec / 2000 > 0 ? usec / 2000 : 1;
}

void systemd_init(struct systemd *systemd, struct event_base *base)
{
    const char *path = getenv("NOTIFY_SOCKET");
    int64_t interval_ms = watchdog_interval_ms();
    systemd->fd = path == NULL ? -1 : open_socket(path);
    systemd->has_watchdog = systemd->fd >= 0 && interval_ms > 0;
    /* Children (the embedded server) are not the service. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (!systemd->has_watchdog)
        return;
    ticker_init(&systemd->watchdog, base, NULL, interval_ms, 0, give_sign_of_life, systemd);
    ticker_start(&systemd->watchdog);
}

void systemd_clear(struct systemd *systemd)
{
    if (systemd->has_watchdog)
        ticker_clear(&systemd->watchdog);
    if (systemd->fd >= 0)
        close(systemd->fd);
    systemd->fd = -1;
}

void systemd_tell(const struct systemd *systemd, const char *format, ...)
{
    char text[2048];
    va_list args;
    if (systemd->fd < 0)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len <= 0)
        return;
    if ((size_t)len >= sizeof(text))
        len = (int)sizeof(text) - 1;
    ssize_t sent = send(systemd->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* a manager that is gone is nobody's trouble */
}
