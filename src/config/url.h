/* url: where Redis is: embedded, redis://[user[:password]@]host[:port][/db],
 * unix://[user[:password]@]/path[?db=n]. Percent-encoding is undone.
 * (rediss, sentinel and cluster are refused with a clear error: they come with their rooms.)
 * Knows: base/. */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include "base/err.h"
#include <stdint.h>

enum url_scheme { URL_EMBEDDED, URL_TCP, URL_UNIX };

struct url {
    enum url_scheme scheme;
    char host[256]; /* a name, an address, or the path of the Unix socket */
    uint16_t port;  /* 6379 when absent */
    char user[128], password[256];
    int db;
};

/* Error texts never show what could be a part of a password. */
MUST_CHECK bool url_parse(struct str text, struct url *out, struct err *err);
/* Cuts the password out of the text of a url, in place: "redis://user@host". */
void url_hide_password(char *text);

#endif
