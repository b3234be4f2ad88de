/* addr: addresses in and out of text; see addr.h.
 * Knows: sockets.  Must not know: streams. */
#include "io/addr.h"
#include "base/num.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#define MAX_PATH (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define FORMS    "host:port, [v6 address]:port, *:port, unix:/path or /path"

static bool refuse(struct err *err, struct str text, const char *why)
{
    char shown[200];
    str_printable(text, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "%s: '%s'; allowed: %s", why, shown, FORMS);
}

static bool parse_unix(struct str path, struct str text, struct addr *out, struct err *err)
{
    if (str_is_empty(path))
        return refuse(err, text, "the path of a Unix socket is missing");
    if (memchr(path.ptr, '\0', path.len) != NULL)
        return refuse(err, text, "the path of a Unix socket holds a NUL");
    if (path.len > MAX_PATH)
        return refuse(err, text, "the path of a Unix socket is longer than 107 bytes");
    out->is_unix = true;
    memcpy(out->host, path.ptr, path.len);
    return true;
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* "fe80::1%eth0" is an address with a scope: the name or number of an interface. */
static bool read_v6(const char *host, struct sockaddr_in6 *out)
{
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    if (strlen(host) >= sizeof(text))
        return false;
    memcpy(text, host, strlen(host) + 1);
    char *scope = strchr(text, '%');
    int64_t number = 0;
    if (scope != NULL) {
        *scope++ = '\0';
        number = if_nametoindex(scope);
        if (number == 0 && (!num_parse_int(str_of(scope), &number) || number <= 0))
            return false;
    }
    if (inet_pton(AF_INET6, text, &out->sin6_addr) != 1)
        return false;
    out->sin6_scope_id = (uint32_t)number;
    return true;
}

void addr_of_url(const struct url *url, struct addr *out)
{
    *out = (struct addr){.is_unix = url->scheme == URL_UNIX, .port = url->port};
    snprintf(out->host, sizeof(out->host), "%s", url->host);
}

bool addr_parse(struct str text, struct addr *out, struct err *err)
{
    memset(out, 0, sizeof(*out));
    if (str_starts(text, STR("unix:")))
        return parse_unix(str_make(text.ptr + 5, text.len - 5), text, out, err);
    if (text.len > 0 && text.ptr[0] == '/')
        return parse_unix(text, text, out, err);

    const char *colon = text.len == 0 ? NULL : memrchr(text.ptr, ':', text.len);
    if (colon == NULL)
        return refuse(err, text, "an address has no port");
    struct str host = str_make(text.ptr, (size_t)(colon - text.ptr));
    struct str port = str_make(colon + 1, text.len - host.len - 1);
    int64_t number;
    if (!num_parse_int(port, &number) || number < 0 || number > UINT16_MAX)
        return refuse(err, text, "a port is not 0 to 65535");

    bool is_v6 = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_v6)
        host = str_make(host.ptr + 1, host.len - 2);
    if (host.len >= sizeof(out->host))
        return refuse(err, text, "a host name is too long");
    if (host.len > 0)
        memcpy(out->host, host.ptr, host.len);
    out->port = (uint16_t)number;
    struct sockaddr_in6 v6;
    if (is_v6 ? !read_v6(out->host, &v6) : !is_host(host) && !str_eq(host, STR("*")))
        return refuse(err, text, "not a host");
    return true;
}

static void print_host(const char *host, unsigned port, char *out, size_t size)
{
    snprintf(out, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

void addr_print(const struct addr *addr, char *out, size_t size)
{
    if (addr->is_unix)
        snprintf(out, size, "unix:%s", addr->host);
    else
        print_host(addr->host, addr->port, out, size);
}

/* False for an unnamed Unix socket, as a client's mostly is. */
static bool print_sockaddr(const struct sockaddr_storage *address, socklen_t len, char *out,
                           size_t size)
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        print_host(host, ntohs(v4->sin_port), out, size);
        return true;
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        print_host(host, ntohs(v6->sin6_port), out, size);
        return true;
    }
    const struct sockaddr_un *unix_name = (const void *)address;
    size_t header = offsetof(struct sockaddr_un, sun_path);
    if (address->ss_family != AF_UNIX || len <= header || unix_name->sun_path[0] == '\0')
        return false;
    snprintf(out, size, "%.*s:0", (int)(len - header), unix_name->sun_path);
    return true;
}

typedef int (*name_of)(int fd, struct sockaddr *address, socklen_t *len);

/* Of a Unix connection one end has a name: it stands for both. */
static void print_name(int fd, const name_of ways[2], char *out, size_t size)
{
    for (int i = 0; i < 2; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(address);
        if (ways[i](fd, (struct sockaddr *)&address, &len) != 0)
            break;
        if (print_sockaddr(&address, len, out, size))
            return;
        if (address.ss_family != AF_UNIX)
            break;
    }
    snprintf(out, size, "?:0");
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *len)
{
    return getpeername(fd, address, len);
}

static int local_name(int fd, struct sockaddr *address, socklen_t *len)
{
    return getsockname(fd, address, len);
}

void addr_of_peer(int fd, char *out, size_t size)
{
    print_name(fd, (const name_of[2]){peer_name, local_name}, out, size);
}

void addr_of_local(int fd, char *out, size_t size)
{
    print_name(fd, (const name_of[2]){local_name, peer_name}, out, size);
}

static bool unix_to_sockaddr(const struct addr *addr, struct sockaddr_un *out, socklen_t *len,
                             struct err *err)
{
    size_t path = strlen(addr->host);
    if (path == 0 || path > MAX_PATH)
        return refuse(err, str_of(addr->host), "not the path of a Unix socket");
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, addr->host, path + 1);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path + 1);
    return true;
}

bool addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *out, socklen_t *len,
                      struct err *err)
{
    memset(out, 0, sizeof(*out));
    if (addr->is_unix)
        return unix_to_sockaddr(addr, (void *)out, len, err);

    struct sockaddr_in6 *v6 = (void *)out;
    if (strchr(addr->host, ':') != NULL && read_v6(addr->host, v6)) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(addr->port);
        *len = sizeof(*v6);
        return true;
    }
    struct sockaddr_in *v4 = (void *)out;
    memset(out, 0, sizeof(*out));
    v4->sin_family = AF_INET;
    v4->sin_port = htons(addr->port);
    *len = sizeof(*v4);
    if (addr->host[0] == '\0' || strcmp(addr->host, "*") == 0) {
        v4->sin_addr.s_addr = htonl(INADDR_ANY);
        return true;
    }
    if (str_eq_nocase(str_of(addr->host), STR("localhost"))) {
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return true;
    }
    if (inet_pton(AF_INET, addr->host, &v4->sin_addr) == 1)
        return true;
    return refuse(err, str_of(addr->host), "not a numeric address");
}
