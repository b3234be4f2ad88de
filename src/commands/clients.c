/* clients: CLIENT and its subcommands.
 * Knows: peer.h. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "daemon.h"
#include <event2/buffer.h>
#include <stdlib.h>

#define DESCRIPTION_MAX (3 * CHECK_CLIENT_TEXT_MAX + 1024)

void cmd_client_id(struct ask *ask)
{
    reply_int(ask->reply, (int64_t)peer_state(ask->peer)->id);
}

void cmd_client_getname(struct ask *ask)
{
    const char *name = peer_state(ask->peer)->name;

    if (name[0] == '\0')
        reply_null(ask->reply);
    else
        reply_text(ask->reply, name);
}

void cmd_client_setname(struct ask *ask)
{
    if (!check_client_text(ask, ask->fixed[0], "Client names"))
        return;
    peer_set_text(&peer_state(ask->peer)->name, ask->fixed[0]);
    reply_ok(ask->reply);
}

void cmd_client_setinfo(struct ask *ask)
{
    struct peer_state *state = peer_state(ask->peer);
    bool is_name = str_eq_nocase(ask->rest[0], STR("LIB-NAME"));

    if (!is_name && !str_eq_nocase(ask->rest[0], STR("LIB-VER"))) {
        char shown[80];
        str_printable(ask->rest[0], shown, sizeof(shown));
        ask_error(ask, ERR_GENERAL, "Unrecognized option '%s'", shown);
        return;
    }
    if (!check_client_text(ask, ask->rest[1], is_name ? "lib-name" : "lib-ver"))
        return;
    peer_set_text(is_name ? &state->lib_name : &state->lib_version, ask->rest[1]);
    reply_ok(ask->reply);
}

void cmd_client_info(struct ask *ask)
{
    char line[DESCRIPTION_MAX];
    struct str text;

    peer_describe(ask->peer, line, sizeof(line) - 1);
    text = str_of(line);
    line[text.len++] = '\n';
    reply_verbatim(ask->reply, text);
}

/* Redis' kinds of clients: here all are normal, so the others are allowed and fit nobody. */
static bool parse_type(struct ask *ask, struct str s, bool *is_normal)
{
    static const char *const types[] = {"normal", "master", "replica", "slave", "pubsub"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq_nocase(s, str_of(types[i]))) {
            *is_normal = i == 0;
            return true;
        }
    }
    char shown[80];
    str_printable(s, shown, sizeof(shown));
    ask_error(ask, ERR_GENERAL, "Unknown client type '%s'", shown);
    return false;
}

struct ids {
    int64_t *sorted; /* NULL: any */
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool parse_ids(struct ask *ask, const struct str *args, int count, struct ids *ids)
{
    ids->sorted = mem_array((size_t)count, sizeof(*ids->sorted));
    for (int i = 0; i < count; i++) {
        if (!num_parse_int(args[i], &ids->sorted[i]) || ids->sorted[i] < 1) {
            ask_error(ask, ERR_GENERAL, "Invalid client ID");
            mem_free(ids->sorted);
            return false;
        }
    }
    ids->count = (size_t)count;
    qsort(ids->sorted, ids->count, sizeof(*ids->sorted), compare_ids);
    return true;
}

static bool has_id(const struct ids *ids, uint64_t id)
{
    int64_t key = (int64_t)id;
    return ids->sorted == NULL ||
           bsearch(&key, ids->sorted, ids->count, sizeof(key), compare_ids) != NULL;
}

static void list_clients(struct ask *ask, bool has_any, const struct ids *ids)
{
    struct evbuffer *lines = evbuffer_new();
    char line[DESCRIPTION_MAX];

    for (struct peer *peer = has_any ? peer_next(ask->daemon, NULL) : NULL; peer != NULL;
         peer = peer_next(ask->daemon, peer)) {
        if (!has_id(ids, peer_state(peer)->id))
            continue;
        peer_describe(peer, line, sizeof(line));
        evbuffer_add(lines, line, strlen(line));
        evbuffer_add(lines, "\n", 1);
    }
    size_t size = evbuffer_get_length(lines);
    reply_verbatim(ask->reply, str_make((const char *)evbuffer_pullup(lines, -1), size));
    evbuffer_free(lines);
}

void cmd_client_list(struct ask *ask)
{
    struct ids ids = {0};
    bool is_normal = true;

    if (ask->rest_count == 0) {
        list_clients(ask, true, &ids);
    } else if (ask->rest_count == 2 && str_eq_nocase(ask->rest[0], STR("TYPE"))) {
        if (parse_type(ask, ask->rest[1], &is_normal))
            list_clients(ask, is_normal, &ids);
    } else if (ask->rest_count >= 2 && str_eq_nocase(ask->rest[0], STR("ID"))) {
        if (!parse_ids(ask, ask->rest + 1, ask->rest_count - 1, &ids))
            return;
        list_clients(ask, true, &ids);
        mem_free(ids.sorted);
    } else {
        ask_syntax_error(ask);
    }
}

/* --- CLIENT KILL ----------------------------------------------------------------------------- */

struct kill_filter {
    uint64_t id; /* 0: any */
    struct str address, local_address, user;
    bool fits_nobody; /* a type that no connection here has */
    bool skips_me;
    int64_t max_age_s; /* at least so old; 0: any */
};

static bool parse_yes_no(struct ask *ask, struct str s, bool *yes)
{
    *yes = str_eq_nocase(s, STR("yes"));
    if (*yes || str_eq_nocase(s, STR("no")))
        return true;
    ask_syntax_error(ask);
    return false;
}

static bool parse_positive(struct ask *ask, struct str s, const char *what, int64_t *out)
{
    if (num_parse_int(s, out) && *out >= 1)
        return true;
    ask_error(ask, ERR_GENERAL, "%s should be greater than 0", what);
    return false;
}

static bool parse_filter(struct ask *ask, struct str word, struct str value,
                         struct kill_filter *filter)
{
    bool is_normal;
    int64_t n;

    if (str_eq_nocase(word, STR("ID"))) {
        if (!parse_positive(ask, value, "client-id", &n))
            return false;
        filter->id = (uint64_t)n;
    } else if (str_eq_nocase(word, STR("ADDR"))) {
        filter->address = value;
    } else if (str_eq_nocase(word, STR("LADDR"))) {
        filter->local_address = value;
    } else if (str_eq_nocase(word, STR("TYPE"))) {
        if (!parse_type(ask, value, &is_normal))
            return false;
        filter->fits_nobody = filter->fits_nobody || !is_normal;
    } else if (str_eq_nocase(word, STR("USER"))) {
        filter->user = value;
        if (!str_eq(value, STR("default")) && config_user(&ask->daemon->config, value) == NULL) {
            char shown[80];
            str_printable(value, shown, sizeof(shown));
            ask_error(ask, ERR_GENERAL, "No such user '%s'", shown);
            return false;
        }
    } else if (str_eq_nocase(word, STR("SKIPME"))) {
        return parse_yes_no(ask, value, &filter->skips_me);
    } else if (str_eq_nocase(word, STR("MAXAGE"))) {
        return parse_positive(ask, value, "maxage", &filter->max_age_s);
    } else {
        ask_syntax_error(ask);
        return false;
    }
    return true;
}

static bool fits(const struct ask *ask, struct peer *peer, const struct kill_filter *filter)
{
    if (filter->fits_nobody || (filter->skips_me && peer == ask->peer))
        return false;
    if (filter->id != 0 && filter->id != peer_state(peer)->id)
        return false;
    if (filter->address.len > 0 && !str_eq(filter->address, str_of(peer_address(peer))))
        return false;
    if (filter->local_address.len > 0 &&
        !str_eq(filter->local_address, str_of(peer_local_address(peer))))
        return false;
    if (filter->user.len > 0 && !str_eq(filter->user, str_of(peer_user(peer_state(peer)))))
        return false;
    return peer_age_s(peer) >= filter->max_age_s;
}

static int64_t kill_all(struct ask *ask, const struct kill_filter *filter)
{
    int64_t count = 0;

    for (struct peer *peer = peer_next(ask->daemon, NULL), *next; peer != NULL; peer = next) {
        next = peer_next(ask->daemon, peer); /* peer may be gone when it was closed */
        if (fits(ask, peer, filter)) {
            count++;
            peer_close(peer, "CLIENT KILL");
        }
    }
    return count;
}

/* The old form: CLIENT KILL address, which may be one's own. */
static void kill_address(struct ask *ask)
{
    struct kill_filter filter = {.address = ask->rest[0]};

    if (str_is_empty(filter.address) || kill_all(ask, &filter) == 0)
        ask_error(ask, ERR_GENERAL, "No such client");
    else
        reply_ok(ask->reply);
}

void cmd_client_kill(struct ask *ask)
{
    struct kill_filter filter = {.skips_me = true};

    if (ask->rest_count == 0) {
        ask_wrong_arity(ask);
        return;
    }
    if (ask->rest_count == 1) {
        kill_address(ask);
        return;
    }
    if (ask->rest_count % 2 != 0) {
        ask_syntax_error(ask);
        return;
    }
    for (int i = 0; i < ask->rest_count; i += 2) {
        if (!parse_filter(ask, ask->rest[i], ask->rest[i + 1], &filter))
            return;
    }
    reply_int(ask->reply, kill_all(ask, &filter));
}

/* --- what libraries ask for
 * ----------------------------------------------------------------------- */

void cmd_client_no_evict(struct ask *ask)
{
    bool on = str_eq_nocase(ask->rest[0], STR("ON"));

    if (!on && !str_eq_nocase(ask->rest[0], STR("OFF"))) {
        ask_syntax_error(ask);
        return;
    }
    peer_state(ask->peer)->is_no_evict = on;
    reply_ok(ask->reply);
}

void cmd_client_reply(struct ask *ask)
{
    struct peer_state *state = peer_state(ask->peer);

    if (str_eq_nocase(ask->rest[0], STR("ON"))) {
        state->reply_mode = PEER_REPLY_ON;
        turn_unmute(ask->turn);
        reply_ok(turn_reply(ask->turn));
    } else if (str_eq_nocase(ask->rest[0], STR("OFF"))) {
        state->reply_mode = PEER_REPLY_OFF;
    } else if (str_eq_nocase(ask->rest[0], STR("SKIP"))) {
        if (state->reply_mode != PEER_REPLY_OFF)
            state->reply_mode = PEER_REPLY_SKIP;
    } else {
        ask_syntax_error(ask);
    }
}

void cmd_client_trackinginfo(struct ask *ask)
{
    reply_map(ask->reply, 3);
    reply_text(ask->reply, "flags");
    reply_set(ask->reply, 1);
    reply_text(ask->reply, "off");
    reply_text(ask->reply, "redirect");
    reply_int(ask->reply, -1);
    reply_text(ask->reply, "prefixes");
    reply_array(ask->reply, 0);
}
