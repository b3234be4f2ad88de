/* site: an http or https url in parts, and where a redirect leads from it.
 * Knows: libevent's evhttp_uri.  Must not know: connections. */
#ifndef IO_SITE_H
#define IO_SITE_H

#include "io/addr.h"

struct site {
    bool is_tls;
    struct addr addr; /* a name or an address, without the brackets of IPv6 */
    char *host; /* as the header Host wants it: the port stands there unless it is the usual */
    char *path; /* with the query; begins with a slash */
};

/* False and err ("url: ..."): nothing is to be cleared then. */
MUST_CHECK bool site_parse(struct site *site, const char *url, struct err *err);
void site_clear(struct site *site);
/* The url that `location` means in an answer from this site: it may be a whole one, or begin with
 * a host (//HOST), the path, or what stands behind the path's last slash. The caller owns it. */
char *site_join(const struct site *site, const char *location);

#endif
