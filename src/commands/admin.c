/* admin: CONFIG SLOWLOG MONITOR SHUTDOWN.
 * Knows: config/, report/slowlog, peer.h. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/handlers.h"
#include "daemon.h"
#include "report/fields.h"
#include "report/slowlog.h"

/* --- CONFIG GET ------------------------------------------------------------------------------ */

/* What several patterns find, each setting once. */
struct found {
    struct map by_name; /* -> the value, owned */
};

static void keep(void *arg, const char *name, const char *value)
{
    struct found *found = arg;
    mem_free(map_put(&found->by_name, str_of(name), mem_dup(str_of(value))));
}

static void found_init(struct found *found, struct daemon *daemon)
{
    unsigned char seed[16];
    rand_bytes(&daemon->rand, seed, sizeof(seed));
    map_init(&found->by_name, seed);
}

static void found_clear(struct found *found)
{
    size_t at = 0;
    struct str name;
    void *value;

    while (map_next(&found->by_name, &at, &name, &value))
        mem_free(value);
    map_clear(&found->by_name);
}

void cmd_config_get(struct ask *ask)
{
    struct found found;
    size_t at = 0;
    struct str name;
    void *value;

    found_init(&found, ask->daemon);
    for (int i = 0; i < ask->rest_count; i++)
        config_get(&ask->daemon->config, ask->rest[i], keep, &found);
    reply_map(ask->reply, found.by_name.count);
    while (map_next(&found.by_name, &at, &name, &value)) {
        reply_bulk(ask->reply, name);
        reply_text(ask->reply, value);
    }
    found_clear(&found);
}

/* --- CONFIG SET, RESETSTAT
 * ------------------------------------------------------------------------ */

void cmd_config_set(struct ask *ask)
{
    struct err err;

    if (!config_set(&ask->daemon->config, ask->fixed[0], ask->fixed[1], &err)) {
        ask_fail(ask, &err);
        return;
    }
    if (ask->daemon->settings_changed != NULL)
        ask->daemon->settings_changed(ask->daemon);
    reply_ok(ask->reply);
}

void cmd_config_resetstat(struct ask *ask)
{
    fields_reset(ask->daemon);
    command_stats_reset(ask->daemon);
    reply_ok(ask->reply);
}

/* --- SLOWLOG --------------------------------------------------------------------------------- */

static void put_entry(struct reply *reply, const struct slowlog_entry *entry)
{
    reply_array(reply, 6);
    reply_int(reply, entry->id);
    reply_int(reply, entry->wall_s);
    reply_int(reply, entry->usec);
    reply_array(reply, (size_t)entry->args->argc);
    for (int i = 0; i < entry->args->argc; i++)
        reply_bulk(reply, entry->args->argv[i]);
    reply_text(reply, entry->address);
    reply_text(reply, entry->name);
}

void cmd_slowlog_get(struct ask *ask)
{
    const struct slowlog *slowlog = ask->daemon->slowlog;
    int64_t count = 10, len = slowlog_len(slowlog);

    if (ask->fixed_count == 1 && (!num_parse_int(ask->fixed[0], &count) || count < -1)) {
        ask_error(ask, ERR_GENERAL, "count should be greater than or equal to -1");
        return;
    }
    if (count == -1 || count > len)
        count = len;
    reply_array(ask->reply, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        put_entry(ask->reply, slowlog_at(slowlog, i));
}

void cmd_slowlog_len(struct ask *ask)
{
    reply_int(ask->reply, slowlog_len(ask->daemon->slowlog));
}

void cmd_slowlog_reset(struct ask *ask)
{
    slowlog_reset(ask->daemon->slowlog);
    reply_ok(ask->reply);
}

/* --- MONITOR, SHUTDOWN ----------------------------------------------------------------------- */

void cmd_monitor(struct ask *ask)
{
    peer_state(ask->peer)->is_monitor = true;
    reply_ok(ask->reply);
}

/* As in Redis nothing is answered: that the connection ends is the answer. */
void cmd_shutdown(struct ask *ask)
{
    bool has_save = false, is_now = false;

    for (int i = 0; i < ask->rest_count; i++) {
        bool is_save =
            str_eq_nocase(ask->rest[i], STR("SAVE")) || str_eq_nocase(ask->rest[i], STR("NOSAVE"));
        if (is_save && !has_save) {
            has_save = true;
        } else if (str_eq_nocase(ask->rest[i], STR("NOW")) && !is_now) {
            is_now = true;
        } else {
            ask_syntax_error(ask);
            return;
        }
    }
    peers_shutdown(ask->daemon, is_now);
}
