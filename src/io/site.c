/* site: see site.h. */
#include "io/site.h"
#include "base/mem.h"
#include <event2/http.h>
#include <stdio.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

static bool take_host(struct site *site, const struct evhttp_uri *uri, struct err *err)
{
    const char *host = evhttp_uri_get_host(uri);
    int port = evhttp_uri_get_port(uri), usual = site->is_tls ? PORT_HTTPS : PORT_HTTP;
    struct str bare = str_of(host != NULL ? host : "");
    bool is_v6 = bare.len > 2 && bare.ptr[0] == '[' && bare.ptr[bare.len - 1] == ']';
    if (is_v6)
        bare = str_make(bare.ptr + 1, bare.len - 2);
    if (bare.len == 0 || bare.len >= sizeof site->addr.host)
        return err_set(err, ERR_GENERAL, "url: no host, or too long a name");
    if (port == 0 || port > UINT16_MAX)
        return err_set(err, ERR_GENERAL, "url: not a port: %d", port);
    memcpy(site->addr.host, bare.ptr, bare.len);
    site->addr.port = (uint16_t)(port > 0 ? port : usual);
    site->host = site->addr.port == usual ? mem_dup(str_of(host))
                                          : mem_printf("%s:%u", host, (unsigned)site->addr.port);
    return true;
}

static bool take_parts(struct site *site, const struct evhttp_uri *uri, struct err *err)
{
    const char *scheme = evhttp_uri_get_scheme(uri);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    struct str word = str_of(scheme != NULL ? scheme : "");
    site->is_tls = str_eq_nocase(word, STR("https"));
    if (!site->is_tls && !str_eq_nocase(word, STR("http")))
        return err_set(err, ERR_GENERAL, "url: neither http:// nor https://");
    if (evhttp_uri_get_userinfo(uri) != NULL)
        return err_set(err, ERR_GENERAL, "url: a user or password in it is not supported");
    if (!take_host(site, uri, err))
        return false;
    site->path = mem_printf("%s%s%s", path != NULL && path[0] == '/' ? path : "/",
                            query != NULL ? "?" : "", query != NULL ? query : "");
    return true;
}

bool site_parse(struct site *site, const char *url, struct err *err)
{
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    *site = (struct site){.is_tls = false};
    if (uri == NULL)
        return err_set(err, ERR_GENERAL, "url: not one such as http://HOST:PORT/PATH");
    bool is_good = take_parts(site, uri, err);
    evhttp_uri_free(uri);
    return is_good;
}

void site_clear(struct site *site)
{
    mem_free(site->host);
    mem_free(site->path);
    *site = (struct site){.is_tls = false};
}

/* Does it begin with a scheme, "name:"? */
static bool is_whole(const char *location)
{
    size_t word = strcspn(location, ":/?#");
    return word > 0 && location[word] == ':';
}

char *site_join(const struct site *site, const char *location)
{
    const char *scheme = site->is_tls ? "https" : "http";
    size_t path_len = strcspn(site->path, "?");
    if (is_whole(location))
        return mem_dup(str_of(location));
    if (location[0] == '/' && location[1] == '/')
        return mem_printf("%s:%s", scheme, location);
    if (location[0] == '/')
        return mem_printf("%s://%s%s", scheme, site->host, location);
    if (location[0] == '?' || location[0] == '\0' || location[0] == '#')
        return mem_printf("%s://%s%.*s%s", scheme, site->host, (int)path_len, site->path, location);
    while (path_len > 0 && site->path[path_len - 1] != '/')
        path_len--;
    return mem_printf("%s://%s%.*s%s", scheme, site->host, (int)path_len, site->path, location);
}
