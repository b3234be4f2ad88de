/* specs: COMMAND and its subcommands for clients (COUNT INFO LIST GETKEYS), out of the table.
 * Shapes are those of Redis 7. Knows: table. */
#include "base/mem.h"
#include "commands/handlers.h"
#include <stdio.h>

struct word {
    unsigned flag; /* of command_flag */
    const char *text;
};

static const struct word flag_words[] = {{CMD_WRITE, "write"},
                                         {CMD_READ, "readonly"},
                                         {CMD_ADMIN, "admin"},
                                         {CMD_NO_AUTH, "no_auth"},
                                         {CMD_FAST, "fast"}};

/* Categories: what a row may do, how much it costs, and its group. */
static const struct word category_words[] = {
    {CMD_WRITE, "write"}, {CMD_READ, "read"}, {CMD_ADMIN, "admin"}};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void put_words(struct reply *reply, const struct word *words, size_t count, unsigned flags)
{
    size_t given = 0;

    for (size_t i = 0; i < count; i++)
        given += (flags & words[i].flag) != 0;
    reply_set(reply, given);
    for (size_t i = 0; i < count; i++) {
        if (flags & words[i].flag)
            reply_simple(reply, words[i].text);
    }
}

/* The categories of a row; returns how many. */
static size_t categories_of(const struct command *command, const char *out[8])
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(category_words); i++) {
        if (command->flags & category_words[i].flag)
            out[count++] = category_words[i].text;
    }
    out[count++] = command->flags & CMD_FAST ? "fast" : "slow";
    out[count++] = command_group_name(command->group);
    return count;
}

static void put_categories(struct reply *reply, const struct command *command)
{
    const char *names[8];
    char text[32];
    size_t count = categories_of(command, names);

    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "@%s", names[i]);
        reply_simple(reply, text);
    }
}

static void put_name_int(struct reply *reply, const char *name, int64_t n)
{
    reply_text(reply, name);
    reply_int(reply, n);
}

/* Where the pool stands, as a range of one key. */
static void put_key_specs(struct reply *reply, const struct command *command)
{
    int at = command_pool_at(command);

    reply_array(reply, at > 0);
    if (at == 0)
        return;
    reply_map(reply, 3);
    reply_text(reply, "flags");
    reply_set(reply, 1);
    reply_simple(reply, command->flags & CMD_WRITE ? "RW" : "RO");
    reply_text(reply, "begin_search");
    reply_map(reply, 2);
    reply_text(reply, "type");
    reply_text(reply, "index");
    reply_text(reply, "spec");
    reply_map(reply, 1);
    put_name_int(reply, "index", at);
    reply_text(reply, "find_keys");
    reply_map(reply, 2);
    reply_text(reply, "type");
    reply_text(reply, "range");
    reply_text(reply, "spec");
    reply_map(reply, 3);
    put_name_int(reply, "lastkey", 0);
    put_name_int(reply, "keystep", 1);
    put_name_int(reply, "limit", 0);
}

static void put_spec(struct reply *reply, const struct command *command)
{
    int pool_at = command_pool_at(command);
    size_t subs = command_count_rows(command->subcommands);

    reply_array(reply, 10);
    reply_text(reply, command->full);
    reply_int(reply, command_arity(command));
    put_words(reply, flag_words, COUNT_OF(flag_words), command->flags);
    reply_int(reply, pool_at);
    reply_int(reply, pool_at);
    reply_int(reply, pool_at > 0);
    put_categories(reply, command);
    reply_array(reply, 0); /* tips */
    put_key_specs(reply, command);
    reply_array(reply, subs);
    for (size_t i = 0; i < subs; i++)
        put_spec(reply, &command->subcommands[i]);
}

static void put_all_specs(struct reply *reply)
{
    reply_array(reply, command_count_rows(command_table));
    for (const struct command *row = command_table; row->name != NULL; row++)
        put_spec(reply, row);
}

void cmd_command(struct ask *ask)
{
    put_all_specs(ask->reply);
}

void cmd_command_count(struct ask *ask)
{
    reply_int(ask->reply, (int64_t)command_count_rows(command_table));
}

void cmd_command_info(struct ask *ask)
{
    if (ask->rest_count == 0) {
        put_all_specs(ask->reply);
        return;
    }
    reply_array(ask->reply, (size_t)ask->rest_count);
    for (int i = 0; i < ask->rest_count; i++) {
        const struct command *command = command_find_full(ask->rest[i]);
        if (command == NULL)
            reply_null_array(ask->reply);
        else
            put_spec(ask->reply, command);
    }
}

/* --- LIST ------------------------------------------------------------------------------------ */

enum filter { FILTER_NONE, FILTER_NOBODY, FILTER_CATEGORY, FILTER_PATTERN };

static bool parse_filter(struct ask *ask, enum filter *filter)
{
    *filter = FILTER_NONE;
    if (ask->rest_count == 0)
        return true;
    if (ask->rest_count != 3 || !str_eq_nocase(ask->rest[0], STR("FILTERBY")))
        return false;
    if (str_eq_nocase(ask->rest[1], STR("MODULE"))) /* there are none */
        *filter = FILTER_NOBODY;
    else if (str_eq_nocase(ask->rest[1], STR("ACLCAT")))
        *filter = FILTER_CATEGORY;
    else if (str_eq_nocase(ask->rest[1], STR("PATTERN")))
        *filter = FILTER_PATTERN;
    return *filter != FILTER_NONE;
}

static bool fits(const struct command *command, enum filter filter, struct str value)
{
    const char *names[8];

    if (filter == FILTER_NONE)
        return true;
    if (filter == FILTER_PATTERN)
        return str_glob(value, str_of(command->full), true);
    for (size_t i = categories_of(command, names); filter == FILTER_CATEGORY && i > 0; i--) {
        if (str_eq_nocase(value, str_of(names[i - 1])))
            return true;
    }
    return false;
}

void cmd_command_list(struct ask *ask)
{
    enum filter filter;

    if (!parse_filter(ask, &filter)) {
        ask_syntax_error(ask);
        return;
    }
    struct str value = ask->rest_count == 3 ? ask->rest[2] : STR("");
    const struct command **found = mem_array(command_count(), sizeof(struct command *));
    size_t count = 0;
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        bool is_sub = strchr(command->full, '|') != NULL;
        if ((!is_sub || filter != FILTER_NONE) && fits(command, filter, value))
            found[count++] = command;
    }
    reply_array(ask->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_text(ask->reply, found[i]->full);
    mem_free(found);
}

/* --- GETKEYS --------------------------------------------------------------------------------- */

/* "pool n [pool n ...]" behind the options. */
static void put_pools(struct ask *ask, const struct command *command)
{
    const struct str *args = ask->rest + 1;
    int count = ask->rest_count - 1, used;
    struct options options;
    struct err err;

    if (!options_parse(command->name, command->options, true, args, count, &options, &used, &err)) {
        ask_error(ask, ERR_GENERAL, "Invalid arguments specified for command");
        return;
    }
    reply_array(ask->reply, (size_t)(count - used + 1) / 2);
    for (int i = used; i < count; i += 2)
        reply_bulk(ask->reply, args[i]);
}

void cmd_command_getkeys(struct ask *ask)
{
    const struct command *command = command_find(ask->rest[0]);

    if (command != NULL && command->subcommands != NULL && ask->rest_count > 1)
        command = command_find_sub(command, ask->rest[1]);
    if (command == NULL) {
        ask_error(ask, ERR_GENERAL, "Invalid command specified");
        return;
    }
    int pool_at = command_pool_at(command), arity = command_arity(command);
    bool has_pools = command->rest != NULL && str_starts(str_of(command->rest), STR("pool "));
    if (pool_at == 0 && !has_pools) {
        ask_error(ask, ERR_GENERAL, "The command has no key arguments");
    } else if (arity > 0 ? ask->rest_count != arity : ask->rest_count < -arity) {
        ask_error(ask, ERR_GENERAL, "Invalid number of arguments specified for command");
    } else if (has_pools) {
        put_pools(ask, command);
    } else {
        reply_array(ask->reply, 1);
        reply_bulk(ask->reply, ask->rest[pool_at]);
    }
}
