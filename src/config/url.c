/* url: where Redis is. See url.h. */
#include "config/url.h"
#include "base/num.h"

#define DEFAULT_PORT 6379
#define MAX_PATH_LEN 107 /* sun_path of a Unix socket, without its NUL */

static bool refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_GENERAL, "%s", why);
}

/* Undoes percent-encoding into `out` (a C string). `what` stands in the error. */
static bool decode(struct str s, char *out, size_t size, const char *what, struct err *err)
{
    size_t used = 0;

    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.ptr[i];
        if (c == '%') {
            int high = i + 2 < s.len ? num_hex_digit(s.ptr[i + 1]) : -1;
            int low = high >= 0 ? num_hex_digit(s.ptr[i + 2]) : -1;
            if (low < 0)
                return err_set(err, ERR_GENERAL, "a %% in the %s is not followed by two hex digits",
                               what);
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0)
            return err_set(err, ERR_GENERAL, "the %s holds a NUL byte", what);
        if (used + 1 >= size)
            return err_set(err, ERR_GENERAL, "the %s is longer than %zu bytes", what, size - 1);
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return true;
}

/* Offset of the last c in s, or -1. */
static long find_last(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == c)
            return (long)(i - 1);
    }
    return -1;
}

static struct str after(struct str s, size_t count)
{
    return str_make(s.ptr + count, s.len - count);
}

/* Takes "user:password@" off the front of `s`. */
static bool take_login(struct str *s, struct url *out, struct err *err)
{
    long at = find_last(*s, '@');
    if (at < 0)
        return true;
    struct str login = str_make(s->ptr, (size_t)at), user;
    *s = after(*s, (size_t)at + 1);
    if (!str_split(&login, ':', &user))
        return true;
    return decode(user, out->user, sizeof(out->user), "user", err) &&
           (login.ptr == NULL ||
            decode(login, out->password, sizeof(out->password), "password", err));
}

static bool parse_db(struct str text, struct url *out, struct err *err)
{
    int64_t db;

    if (!num_parse_int(text, &db) || db < 0 || db > 1000000)
        return refuse(err, "the database is not a number from 0 to 1000000");
    out->db = (int)db;
    return true;
}

static bool check_host(const char *host, struct err *err)
{
    for (const char *c = host; *c != '\0'; c++) {
        bool is_word =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!is_word && strchr(".-_:%", *c) == NULL)
            return refuse(err, "the host has a character that no host name or address has");
    }
    return *host != '\0' || refuse(err, "the host is missing");
}

/* "host", "host:port", "[::1]:port" */
static bool parse_host(struct str text, struct url *out, struct err *err)
{
    struct str host = text, port = STR("");
    int64_t number = DEFAULT_PORT;

    if (text.len > 0 && text.ptr[0] == '[') {
        long end = str_find(text, STR("]"));
        if (end < 0)
            return refuse(err, "the ] after the address is missing");
        host = str_make(text.ptr + 1, (size_t)end - 1);
        port = after(text, (size_t)end + 1);
    } else {
        long colon = str_find(text, STR(":"));
        if (colon >= 0) {
            host = str_make(text.ptr, (size_t)colon);
            port = after(text, (size_t)colon);
        }
    }
    if (port.len > 0 && (port.ptr[0] != ':' || !num_parse_int(after(port, 1), &number) ||
                         number < 1 || number > 65535))
        return refuse(err, "the port is not a number from 1 to 65535");
    out->port = (uint16_t)number;
    return decode(host, out->host, sizeof(out->host), "host", err) && check_host(out->host, err);
}

/* redis://[user[:password]@]host[:port][/db] */
static bool parse_tcp(struct str rest, struct url *out, struct err *err)
{
    /* A password may hold a bare slash: what stands before the last @ is the login. */
    if (!take_login(&rest, out, err))
        return false;
    struct str host, db = rest;
    if (!str_split(&db, '/', &host))
        return refuse(err, "the host is missing");
    out->scheme = URL_TCP;
    return parse_host(host, out, err) && (db.len == 0 || parse_db(db, out, err));
}

/* unix://[user[:password]@]/path[?db=n] */
static bool parse_unix(struct str rest, struct url *out, struct err *err)
{
    struct str path, query, name;

    if ((rest.len == 0 || rest.ptr[0] != '/') && !take_login(&rest, out, err))
        return false;
    query = rest;
    if (!str_split(&query, '?', &path) || path.len == 0 || path.ptr[0] != '/')
        return refuse(err, "the path must begin with a slash, as in unix:///run/redis.sock");
    if (query.ptr != NULL) {
        if (!str_split(&query, '=', &name) || !str_eq(name, STR("db")))
            return refuse(err, "only ?db=N may follow the path");
        if (!parse_db(query, out, err))
            return false;
    }
    out->scheme = URL_UNIX;
    if (!decode(path, out->host, sizeof(out->host), "path", err))
        return false;
    return strlen(out->host) <= MAX_PATH_LEN ||
           err_set(err, ERR_GENERAL, "the path is longer than %d bytes", MAX_PATH_LEN);
}

bool url_parse(struct str text, struct url *out, struct err *err)
{
    static const struct str tcp = {"redis://", 8}, local = {"unix://", 7};

    memset(out, 0, sizeof(*out));
    out->port = DEFAULT_PORT;
    if (str_eq(text, STR("embedded"))) {
        out->scheme = URL_EMBEDDED;
        return true;
    }
    if (text.len >= tcp.len && str_eq_nocase(str_make(text.ptr, tcp.len), tcp))
        return parse_tcp(after(text, tcp.len), out, err);
    if (text.len >= local.len && str_eq_nocase(str_make(text.ptr, local.len), local))
        return parse_unix(after(text, local.len), out, err);
    return refuse(err, "not embedded, redis://[USER[:PASSWORD]@]HOST[:PORT][/DB] or "
                       "unix://[USER[:PASSWORD]@]/PATH[?db=N]");
}

void url_hide_password(char *text)
{
    char *login = strstr(text, "://");
    char *at = strrchr(text, '@');

    /* "unix:///path" has no login: an @ belongs to the path */
    if (login == NULL || login[3] == '/' || at == NULL || at < login + 3)
        return;
    char *colon = memchr(login + 3, ':', (size_t)(at - (login + 3)));
    if (colon != NULL)
        memmove(colon, at, strlen(at) + 1);
}
