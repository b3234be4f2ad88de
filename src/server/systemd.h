/* systemd: tells the service manager how the daemon is, by datagrams to $NOTIFY_SOCKET; nothing
 * happens where there is none. Also the sign of life that $WATCHDOG_USEC asks for.
 * Knows: sockets.  Must not know: what the daemon does.
 * Protocol: https://www.freedesktop.org/software/systemd/man/sd_notify.html */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H

#include "io/ticker.h"
#include <stdbool.h>

struct systemd {
    int fd; /* -1: nobody asked */
    struct ticker watchdog;
    bool has_watchdog;
};

void systemd_init(struct systemd *systemd, struct event_base *base);
void systemd_clear(struct systemd *systemd);
/* Lines of "NAME=value": "READY=1\nSTATUS=..." */
void systemd_tell(const struct systemd *systemd, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
