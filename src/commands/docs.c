/* docs: COMMAND DOCS, HELP and the HELP of each container, for people, out of the table.
 * Knows: table, usage, options. */
#include "base/mem.h"
#include "commands/handlers.h"
#include "commands/usage.h"
#include <event2/buffer.h>
#include <stdio.h>

/* --- COMMAND DOCS ---------------------------------------------------------------------------- */

static void put_text(struct reply *reply, const char *name, const char *text)
{
    reply_text(reply, name);
    reply_text(reply, text);
}

/* Redis' name of what may stand there. */
static const char *type_of(const struct usage *usage)
{
    static const struct {
        const char *name, *type;
    } types[] = {{"pool", "key"},         {"seconds", "double"}, {"n", "integer"},
                 {"ms", "integer"},       {"count", "integer"},  {"client-id", "integer"},
                 {"protover", "integer"}, {"index", "integer"},  {"cursor", "integer"},
                 {"pattern", "pattern"}};

    if (usage->kind == USAGE_WORD)
        return "pure-token";
    if (usage->kind == USAGE_ONE_OF)
        return "oneof";
    if (usage->kind == USAGE_BLOCK)
        return "block";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(usage->name, types[i].name) == 0)
            return types[i].type;
    }
    return "string";
}

/* Blocks and choices are named by what is first in them. */
static const char *name_of(const struct usage *usage)
{
    while (usage->name[0] == '\0' && usage->children != NULL)
        usage = usage->children;
    return usage->name;
}

static void put_arguments(struct reply *reply, const struct usage *list, int pool_at);

static void put_argument(struct reply *reply, const struct usage *usage, int pool_at)
{
    bool is_key = strcmp(type_of(usage), "key") == 0;
    bool has_flags = usage->is_optional || usage->is_multiple;
    size_t pairs = 2;

    pairs += is_key && pool_at > 0;
    pairs += usage->token != NULL;
    pairs += has_flags;
    pairs += usage->children != NULL;
    reply_map(reply, pairs);
    put_text(reply, "name", name_of(usage));
    put_text(reply, "type", type_of(usage));
    if (is_key && pool_at > 0) {
        reply_text(reply, "key_spec_index");
        reply_int(reply, 0);
    }
    if (usage->token != NULL)
        put_text(reply, "token", usage->token);
    if (has_flags) {
        reply_text(reply, "flags");
        reply_set(reply, (size_t)usage->is_optional + usage->is_multiple);
        if (usage->is_optional)
            reply_simple(reply, "optional");
        if (usage->is_multiple)
            reply_simple(reply, "multiple");
    }
    if (usage->children != NULL) {
        reply_text(reply, "arguments");
        put_arguments(reply, usage->children, pool_at);
    }
}

static void put_arguments(struct reply *reply, const struct usage *list, int pool_at)
{
    reply_array(reply, usage_count(list));
    for (; list != NULL; list = list->next)
        put_argument(reply, list, pool_at);
}

static void put_docs(struct reply *reply, const struct command *command)
{
    char *text = usage_text(command);
    struct usage *usage = usage_parse(text);
    size_t subs = command_count_rows(command->subcommands), pairs = 3;

    pairs += usage != NULL;
    pairs += subs > 0;
    reply_text(reply, command->full);
    reply_map(reply, pairs);
    put_text(reply, "summary", command->summary);
    put_text(reply, "since", command->since);
    put_text(reply, "group", command_group_name(command->group));
    if (usage != NULL) {
        reply_text(reply, "arguments");
        put_arguments(reply, usage, command_pool_at(command));
    }
    if (subs > 0) {
        reply_text(reply, "subcommands");
        reply_map(reply, subs);
        for (size_t i = 0; i < subs; i++)
            put_docs(reply, &command->subcommands[i]);
    }
    usage_free(usage);
    mem_free(text);
}

void cmd_command_docs(struct ask *ask)
{
    size_t known = 0;

    if (ask->rest_count == 0) {
        reply_map(ask->reply, command_count_rows(command_table));
        for (const struct command *row = command_table; row->name != NULL; row++)
            put_docs(ask->reply, row);
        return;
    }
    for (int i = 0; i < ask->rest_count; i++)
        known += command_find_full(ask->rest[i]) != NULL;
    reply_map(ask->reply, known);
    for (int i = 0; i < ask->rest_count; i++) {
        const struct command *command = command_find_full(ask->rest[i]);
        if (command != NULL)
            put_docs(ask->reply, command);
    }
}

/* --- HELP ------------------------------------------------------------------------------------ */

/* One line a command: what there is at a glance. */
static void add_short(struct evbuffer *out, const struct command *rows)
{
    char syntax[COMMAND_SYNTAX_MAX];

    for (const struct command *row = rows; row->name != NULL; row++) {
        command_print_syntax(row, syntax, sizeof(syntax));
        evbuffer_add_printf(out, "%s\n    %s\n", syntax, row->summary);
    }
}

static void add_all(struct evbuffer *out)
{
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        evbuffer_add_printf(out, "%s# %s\n", group > 0 ? "\n" : "",
                            command_group_name((enum command_group)group));
        for (const struct command *row = command_table; row->name != NULL; row++) {
            const struct command one[] = {*row, {.name = NULL}};
            if (row->group == group)
                add_short(out, row->subcommands != NULL ? row->subcommands : one);
        }
    }
    evbuffer_add_printf(out, "\nHELP command tells more of one.\n");
}

static void add_long(struct evbuffer *out, const struct command *command)
{
    char syntax[COMMAND_SYNTAX_MAX];

    command_print_syntax(command, syntax, sizeof(syntax));
    evbuffer_add_printf(out, "%s\n\n%s\n", syntax, command->summary);
    evbuffer_add_printf(out, "Reply: %s\n", command->reply);
    for (const struct option *option = option_table; option->word != NULL; option++) {
        if (command->options & option->flag)
            evbuffer_add_printf(out, "  %s%s%s: %s\n", option->word,
                                option->value != NULL ? " " : "",
                                option->value != NULL ? option->value : "", option->sentence);
    }
    if (command->flags & CMD_RESOURCES)
        evbuffer_add_printf(out, "  KEYS: Ends the options, so that a resource may be called "
                                 "like one.\n");
    evbuffer_add_printf(out, "Since %s, group %s.\n", command->since,
                        command_group_name(command->group));
    if (command->subcommands != NULL) {
        evbuffer_add_printf(out, "\n");
        add_short(out, command->subcommands);
    }
}

void cmd_help(struct ask *ask)
{
    const struct command *command = NULL;
    struct evbuffer *out;

    if (ask->rest_count > 2) {
        ask_wrong_arity(ask);
        return;
    }
    if (ask->rest_count > 0)
        command = command_find_full(ask->rest[0]);
    if (ask->rest_count == 2 && command != NULL)
        command = command_find_sub(command, ask->rest[1]);
    if (ask->rest_count > 0 && command == NULL) {
        char shown[80];
        str_printable(ask->rest[ask->rest_count - 1], shown, sizeof(shown));
        ask_error(ask, ERR_GENERAL, "no help on '%s': HELP lists all commands", shown);
        return;
    }
    out = evbuffer_new();
    if (command == NULL)
        add_all(out);
    else
        add_long(out, command);
    size_t size = evbuffer_get_length(out);
    reply_verbatim(ask->reply, str_make((const char *)evbuffer_pullup(out, -1), size));
    evbuffer_free(out);
}

/* POOL HELP ...: an array of lines, in the shape of Redis. */
void cmd_container_help(struct ask *ask)
{
    const struct command *parent = command_parent(ask->command);
    char line[COMMAND_SYNTAX_MAX];

    reply_array(ask->reply, 1 + 2 * command_count_rows(parent->subcommands));
    snprintf(line, sizeof(line),
             "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", parent->name);
    reply_simple(ask->reply, line);
    for (const struct command *row = parent->subcommands; row->name != NULL; row++) {
        char *usage = usage_text(row);
        snprintf(line, sizeof(line), "%s%s%s", row->name, *usage != '\0' ? " " : "", usage);
        reply_simple(ask->reply, line);
        snprintf(line, sizeof(line), "    %s", row->summary);
        reply_simple(ask->reply, line);
        mem_free(usage);
    }
}
