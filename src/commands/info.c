/* info: INFO out of the tables of numbers and of commands.
 * Knows: report/. */
#include "commands/handlers.h"
#include "daemon.h"
#include "report/fields.h"
#include <ctype.h>
#include <event2/buffer.h>
#include <stdio.h>

#define TEXT_MAX 1024

/* A value is one line, whatever is in it. */
static void add_line(struct evbuffer *out, const char *name, char *value)
{
    for (char *c = value; *c != '\0'; c++) {
        if (*c == '\r' || *c == '\n')
            *c = ' ';
    }
    evbuffer_add_printf(out, "%s:%s\r\n", name, value);
}

static void add_fields(struct evbuffer *out, struct daemon *daemon, const char *section)
{
    char text[TEXT_MAX];

    for (const struct field *field = field_table; field->name != NULL; field++) {
        if (strcmp(field->section, section) != 0)
            continue;
        if (field->kind == FIELD_TEXT)
            field->text(daemon, text, sizeof(text));
        else
            snprintf(text, sizeof(text), "%lld", (long long)field->number(daemon));
        add_line(out, field->name, text);
    }
}

/* As Redis writes its databases: "pool_gpus:mode=exclusive,total=8,..." */
static void add_pools(struct evbuffer *out, struct daemon *daemon)
{
    list_each (node, &daemon->pools.all) {
        const struct pool *pool = list_entry(node, struct pool, node);
        evbuffer_add_printf(out, "pool_%s:", pool->name);
        for (const struct pool_field *field = pool_field_table; field->name != NULL; field++) {
            const char *comma = field == pool_field_table ? "" : ",";
            if (field->kind == FIELD_TEXT)
                evbuffer_add_printf(out, "%s%s=%s", comma, field->name, field->text(pool));
            else
                evbuffer_add_printf(out, "%s%s=%lld", comma, field->name,
                                    (long long)field->number(pool));
        }
        evbuffer_add(out, "\r\n", 2);
    }
}

static void add_commands(struct evbuffer *out, struct daemon *daemon)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command_stats *stats = &daemon->command_stats[i];
        if (stats->calls == 0 && stats->rejected == 0)
            continue;
        evbuffer_add_printf(
            out,
            "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,"
            "failed_calls=%llu\r\n",
            command_at(i)->full, (unsigned long long)stats->calls, (unsigned long long)stats->usec,
            stats->calls == 0 ? 0 : (double)stats->usec / (double)stats->calls,
            (unsigned long long)stats->rejected, (unsigned long long)stats->failed);
    }
}

static void add_section(struct evbuffer *out, struct daemon *daemon, const char *section)
{
    if (evbuffer_get_length(out) > 0)
        evbuffer_add(out, "\r\n", 2);
    evbuffer_add_printf(out, "# %c%s\r\n", toupper((unsigned char)section[0]), section + 1);
    add_fields(out, daemon, section);
    if (strcmp(section, "commandstats") == 0)
        add_commands(out, daemon);
    if (strcmp(section, "pools") == 0)
        add_pools(out, daemon);
}

/* As in Redis: default is all that is short; all and everything are the same without modules. */
static bool is_wanted(const struct ask *ask, const char *section)
{
    bool is_default = strcmp(section, "commandstats") != 0;

    if (ask->rest_count == 0)
        return is_default;
    for (int i = 0; i < ask->rest_count; i++) {
        struct str word = ask->rest[i];
        if (str_eq_nocase(word, str_of(section)) || str_eq_nocase(word, STR("all")) ||
            str_eq_nocase(word, STR("everything")) ||
            (is_default && str_eq_nocase(word, STR("default"))))
            return true;
    }
    return false;
}

void cmd_info(struct ask *ask)
{
    struct evbuffer *out = evbuffer_new();

    for (const char *const *section = field_sections; *section != NULL; section++) {
        if (is_wanted(ask, *section))
            add_section(out, ask->daemon, *section);
    }
    size_t size = evbuffer_get_length(out);
    reply_verbatim(ask->reply, str_make((const char *)evbuffer_pullup(out, -1), size));
    evbuffer_free(out);
}
