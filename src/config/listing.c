/* listing: see listing.h. */
#include "config/listing.h"
#include "base/num.h"

static const struct {
    const char *name;
    struct str prefix;
    bool is_url; /* the prefix is a part of it */
    enum listing_kind kind;
} kinds[] = {
    {"file", {"file:", 5}, false, LISTING_FILE},   {"http", {"http://", 7}, true, LISTING_HTTP},
    {"exec", {"exec:", 5}, false, LISTING_EXEC},   {"dns", {"dns:", 4}, false, LISTING_DNS},
    {"http", {"https://", 8}, true, LISTING_HTTP},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *listing_kind_name(enum listing_kind kind)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].kind == kind)
            return kinds[i].name;
    }
    return "";
}

static bool is_host_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && c != '-' && c != '_' && c != '.')
            return false;
    }
    return name.len >= 1 && name.len <= 253; /* RFC 1035 2.3.4, as text */
}

static bool take_port(struct listing *out, struct err *err)
{
    struct str rest = out->what, name;
    int64_t port;
    str_split(&rest, ':', &name);
    if (!is_host_name(name))
        return err_set(err, ERR_GENERAL, "dns: wants a name, as in dns:nodes.example.org:8080");
    out->what = name;
    if (rest.ptr == NULL)
        return true;
    if (!num_parse_int(rest, &port) || port < 1 || port > 65535)
        return err_set(err, ERR_GENERAL, "not a port from 1 to 65535");
    out->port = (int)port;
    return true;
}

static bool check(struct listing *out, struct err *err)
{
    switch (out->kind) {
    case LISTING_FILE:
        return (out->what.len > 1 && out->what.ptr[0] == '/') ||
               err_set(err, ERR_GENERAL, "file: wants a path from the root, as in file:/etc/gpus");
    case LISTING_HTTP:
        return (out->what.ptr[0] != '/' && str_find(out->what, STR(" ")) < 0) ||
               err_set(err, ERR_GENERAL, "a url wants a host and holds no blanks");
    case LISTING_EXEC:
        return true;
    case LISTING_DNS:
        return take_port(out, err);
    }
    return false;
}

bool listing_parse(struct str text, struct listing *out, struct err *err)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (!str_starts(text, kinds[i].prefix) || text.len == kinds[i].prefix.len)
            continue;
        *out = (struct listing){.kind = kinds[i].kind};
        out->what =
            str_trim(str_make(text.ptr + kinds[i].prefix.len, text.len - kinds[i].prefix.len));
        if (out->what.len == 0)
            break;
        if (!check(out, err))
            return false;
        if (kinds[i].is_url)
            out->what = text;
        return true;
    }
    return err_set(err, ERR_GENERAL,
                   "not file:/PATH, http://URL, https://URL, exec:PROGRAM or dns:NAME[:PORT]");
}
