/* docs: COMMAND and its subcommands, HELP: shapes in both protocols, out of every row. */
#include "commands/usage.h"
#include "main.h"
#include "rig.h"

/* --- a reader of replies, so that shapes are checked and not compared as text ------------------
 */

/* One element of a reply with all in it. */
struct node {
    char type; /* as on the wire */
    const char *text;
    size_t len; /* of the text; of an aggregate: how many elements (of a map: twice its pairs) */
    struct node *items;
};

static const char *read_node(const char *at, struct node *node);

static const char *read_items(const char *at, struct node *node, size_t count)
{
    node->len = count;
    node->items = mem_array(count + 1, sizeof(*node->items));
    for (size_t i = 0; i < count; i++)
        at = read_node(at, &node->items[i]);
    return at;
}

/* Returns where the next one begins. LF ends lines. */
static const char *read_node(const char *at, struct node *node)
{
    const char *end = strchr(at, '\n');
    long n = strtol(at + 1, NULL, 10);

    ck_assert_ptr_nonnull(end);
    *node = (struct node){.type = *at, .text = at + 1, .len = (size_t)(end - at - 1)};
    at = end + 1;
    if (node->type == '$' || node->type == '=') {
        if (n < 0)
            return at;
        node->text = at;
        node->len = (size_t)n;
        return at + n + 1;
    }
    if ((node->type == '*' || node->type == '~') && n >= 0)
        return read_items(at, node, (size_t)n);
    if (node->type == '%')
        return read_items(at, node, 2 * (size_t)n);
    ck_assert_msg(strchr("+-:_*", node->type) != NULL, "type %c", node->type);
    return at;
}

static void clear_node(struct node *node)
{
    for (size_t i = 0; node->items != NULL && i < node->len; i++)
        clear_node(&node->items[i]);
    mem_free(node->items);
}

/* A bulk has newlines counted as they were sent: none of ours has CR in it. */
static struct node *read_reply(const char *text)
{
    static struct node root;
    clear_node(&root);
    const char *end = read_node(text, &root);
    ck_assert_str_eq(end, "");
    return &root;
}

static bool is_text(const struct node *node, const char *text)
{
    return node->len == strlen(text) && memcmp(node->text, text, node->len) == 0;
}

/* The value of a key in a map (in RESP2 a flat array); NULL when there is none. */
static struct node *field_of(const struct node *map, const char *key)
{
    ck_assert(map->type == '%' || map->type == '*');
    ck_assert_uint_eq(map->len % 2, 0);
    for (size_t i = 0; i < map->len; i += 2) {
        ck_assert_int_eq(map->items[i].type, '$');
        if (is_text(&map->items[i], key))
            return &map->items[i + 1];
    }
    return NULL;
}

/* --- COMMAND DOCS -------------------------------------------------------------------------- */

static void check_arguments(const struct node *list, int protocol);

static void check_argument(const struct node *map, int protocol)
{
    static const char *const types[] = {"key",   "string",     "double", "integer",
                                        "oneof", "pure-token", "block",  "pattern"};
    const struct node *type = field_of(map, "type"), *flags = field_of(map, "flags");
    const struct node *token = field_of(map, "token"), *inner = field_of(map, "arguments");
    bool is_known = false;

    ck_assert_int_eq(map->type, protocol == 3 ? '%' : '*');
    ck_assert_uint_gt(field_of(map, "name")->len, 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        is_known = is_known || is_text(type, types[i]);
    ck_assert(is_known);
    for (size_t i = 0; flags != NULL && i < flags->len; i++) /* redis-cli insists on this type */
        ck_assert_int_eq(flags->items[i].type, '+');
    if (is_text(type, "pure-token"))
        ck_assert_uint_gt(token->len, 0);
    bool has_inner = is_text(type, "oneof") || is_text(type, "block");
    ck_assert_int_eq(inner != NULL, has_inner);
    if (inner != NULL) {
        ck_assert_uint_gt(inner->len, 1);
        check_arguments(inner, protocol);
    }
}

static void check_arguments(const struct node *list, int protocol)
{
    ck_assert_int_eq(list->type, '*');
    for (size_t i = 0; i < list->len; i++)
        check_argument(&list->items[i], protocol);
}

static void check_docs(const struct node *docs, const struct command *row, int protocol)
{
    const struct node *arguments = field_of(docs, "arguments");
    const struct node *subs = field_of(docs, "subcommands");
    size_t count = command_count_rows(row->subcommands);

    ck_assert_int_eq(docs->type, protocol == 3 ? '%' : '*');
    ck_assert(is_text(field_of(docs, "summary"), row->summary));
    ck_assert(is_text(field_of(docs, "since"), row->since));
    ck_assert(is_text(field_of(docs, "group"), command_group_name(row->group)));
    bool has_arguments = row->args[0] != '\0' || row->options != 0 || row->rest != NULL;
    ck_assert_int_eq(arguments != NULL, has_arguments);
    if (arguments != NULL)
        check_arguments(arguments, protocol);
    ck_assert_int_eq(subs != NULL, count > 0);
    for (size_t i = 0; i < count; i++)
        check_docs(field_of(subs, row->subcommands[i].full), &row->subcommands[i], protocol);
    if (subs != NULL)
        ck_assert_uint_eq(subs->len, 2 * count);
}

static void check_all_docs(int protocol)
{
    rig.peers[0].state.protocol = protocol;
    const struct node *root = read_reply(says("COMMAND", "DOCS"));
    ck_assert_int_eq(root->type, protocol == 3 ? '%' : '*');
    ck_assert_uint_eq(root->len, 2 * command_count_rows(command_table));
    for (const struct command *row = command_table; row->name != NULL; row++)
        check_docs(field_of(root, row->full), row, protocol);
}

START_TEST(command_docs_has_the_shape_of_redis_7_in_both_protocols)
{
    check_all_docs(2);
    check_all_docs(3);
}
END_TEST

START_TEST(command_docs_tells_of_those_asked_for_and_leaves_strangers_out)
{
    const struct node *root = read_reply(says("COMMAND", "DOCS", "malloc", "nothing", "POOL|LEN"));
    ck_assert_uint_eq(root->len, 4);
    ck_assert_ptr_nonnull(field_of(root, "malloc"));
    ck_assert_ptr_nonnull(field_of(root, "pool|len"));
    ck_assert_str_eq(says("COMMAND", "DOCS", "nothing"), "*0\n");
}
END_TEST

START_TEST(arguments_of_malloc_are_as_its_row_has_them)
{
    const struct node *root = read_reply(says("COMMAND", "DOCS", "MALLOC"));
    const struct node *list = field_of(field_of(root, "malloc"), "arguments");

    ck_assert_uint_eq(list->len, 14);
    ck_assert(is_text(field_of(&list->items[0], "name"), "pool"));
    ck_assert(is_text(field_of(&list->items[0], "type"), "key"));
    ck_assert_ptr_null(field_of(&list->items[0], "flags"));
    ck_assert(is_text(field_of(&list->items[1], "token"), "TIMEOUT"));
    ck_assert(is_text(field_of(&list->items[1], "type"), "double"));
    ck_assert(is_text(&field_of(&list->items[1], "flags")->items[0], "optional"));
    const struct node *count = &list->items[4];
    ck_assert(is_text(field_of(count, "type"), "block"));
    ck_assert(is_text(field_of(&field_of(count, "arguments")->items[0], "token"), "COUNT"));
    ck_assert(is_text(field_of(&field_of(count, "arguments")->items[1], "token"), "ALL"));
    ck_assert(is_text(field_of(&list->items[7], "type"), "pure-token"));
    ck_assert(is_text(field_of(&list->items[9], "type"), "integer"));
}
END_TEST

/* --- the syntax texts ------------------------------------------------------------------------ */

/* Writes a tree as redis-cli prints it. */
static size_t print_tree(const struct usage *list, const char *between, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (; list != NULL; list = list->next) {
        char inner[1024], one[2048];
        const char *token = list->token != NULL ? list->token : "";
        if (list->kind == USAGE_VALUE)
            snprintf(inner, sizeof(inner), "%s", list->name);
        else if (list->kind == USAGE_WORD)
            inner[0] = '\0';
        else
            print_tree(list->children, list->kind == USAGE_ONE_OF ? "|" : " ", inner,
                       sizeof(inner));
        snprintf(one, sizeof(one), "%s%s%s", token, *token != '\0' && *inner != '\0' ? " " : "",
                 inner);
        at += (size_t)snprintf(out + at, size - at, "%s%s%s", at > 0 ? between : "",
                               list->is_optional ? "[" : "", one);
        if (list->is_multiple)
            at += (size_t)snprintf(out + at, size - at, " [%s ...]", inner);
        at += (size_t)snprintf(out + at, size - at, "%s", list->is_optional ? "]" : "");
    }
    return at;
}

static const char *reprinted(const char *text)
{
    static char out[4096];
    struct usage *usage = usage_parse(text);
    print_tree(usage, " ", out, sizeof(out));
    usage_free(usage);
    return out;
}

START_TEST(texts_of_usage_are_understood)
{
    static const char *const same[] = {"",
                                       "pool",
                                       "pool resource",
                                       "[message]",
                                       "NOW",
                                       "[NOW]",
                                       "TIMEOUT seconds",
                                       "[TIMEOUT seconds]",
                                       "ON|OFF|SKIP",
                                       "[NOSAVE|SAVE] [NOW]",
                                       "[COUNT n [ALL]]",
                                       "[PERMITS n OF m]",
                                       "resource [resource ...]",
                                       "setting value [setting value ...]",
                                       "[ID client-id [client-id ...]]",
                                       "[TYPE NORMAL|MASTER]",
                                       "[protover [AUTH username password] [SETNAME clientname]]",
                                       "[FILTERBY MODULE|ACLCAT value]",
                                       "[username] password"};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        ck_assert_str_eq(reprinted(same[i]), same[i]);
    ck_assert_str_eq(reprinted("[resource ...]"), "[resource [resource ...]]");
}
END_TEST

START_TEST(the_text_of_every_row_says_the_same_when_it_was_understood)
{
    for (size_t i = 0; i < command_count(); i++) {
        char *text = usage_text(command_at(i));
        char *again = mem_dup(str_of(reprinted(text)));
        ck_assert_str_eq(reprinted(again), again);
        if (strstr(text, "[resource ...]") == NULL && strstr(text, "name ...]") == NULL &&
            strstr(text, "[section ...]") == NULL && strstr(text, "[arg ...]") == NULL &&
            strstr(text, "set [key ...]") == NULL && strstr(text, "queue ...]") == NULL)
            ck_assert_str_eq(again, text);
        mem_free(again);
        mem_free(text);
    }
}
END_TEST

/* --- COMMAND for clients --------------------------------------------------------------------- */

static void check_spec(const struct node *spec, const struct command *row)
{
    char number[16];
    int pool_at = command_pool_at(row);

    ck_assert_uint_eq(spec->len, 10);
    ck_assert(is_text(&spec->items[0], row->full));
    snprintf(number, sizeof(number), "%d", command_arity(row));
    ck_assert(is_text(&spec->items[1], number));
    for (size_t i = 0; i < spec->items[2].len; i++)
        ck_assert_int_eq(spec->items[2].items[i].type, '+');
    snprintf(number, sizeof(number), "%d", pool_at);
    ck_assert(is_text(&spec->items[3], number));
    ck_assert(is_text(&spec->items[4], number));
    ck_assert(is_text(&spec->items[5], pool_at > 0 ? "1" : "0"));
    for (size_t i = 0; i < spec->items[6].len; i++)
        ck_assert_int_eq(spec->items[6].items[i].text[0], '@');
    ck_assert_uint_eq(spec->items[8].len, pool_at > 0);
    ck_assert_uint_eq(spec->items[9].len, command_count_rows(row->subcommands));
    for (size_t i = 0; i < spec->items[9].len; i++)
        check_spec(&spec->items[9].items[i], &row->subcommands[i]);
}

START_TEST(command_describes_all_rows_in_both_protocols)
{
    for (int protocol = 2; protocol <= 3; protocol++) {
        rig.peers[0].state.protocol = protocol;
        const struct node *root = read_reply(says("COMMAND"));
        ck_assert_uint_eq(root->len, command_count_rows(command_table));
        for (size_t i = 0; i < root->len; i++)
            check_spec(&root->items[i], &command_table[i]);
        char *all = mem_dup(str_of(rig.text));
        ck_assert_str_eq(says("COMMAND", "INFO"), all);
        mem_free(all);
    }
}
END_TEST

START_TEST(command_info_is_nil_for_strangers)
{
    const struct node *root = read_reply(says("COMMAND", "INFO", "nothing", "Pool|Extend"));
    ck_assert_uint_eq(root->len, 2);
    ck_assert_ptr_nonnull(root->items);
    ck_assert_ptr_null(root->items[0].items);
    check_spec(&root->items[1], command_find_full(STR("pool|extend")));
}
END_TEST

START_TEST(command_count_and_list_agree)
{
    char expected[32];
    const struct node *root = read_reply(says("COMMAND", "LIST"));
    ck_assert_uint_eq(root->len, command_count_rows(command_table));
    snprintf(expected, sizeof(expected), ":%zu\n", root->len);
    ck_assert_str_eq(says("COMMAND", "COUNT"), expected);
}
END_TEST

START_TEST(command_list_is_filtered)
{
    ck_assert_str_eq(says("COMMAND", "LIST", "FILTERBY", "PATTERN", "MALLO?"), "*1\n$6\nmalloc\n");
    ck_assert_str_eq(says("COMMAND", "LIST", "filterby", "aclcat", "fences"),
                     "*3\n$5\nfence\n$11\nfence|check\n$10\nfence|help\n");
    ck_assert_str_eq(says("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nothing"), "*0\n");
    ck_assert_str_eq(says("COMMAND", "LIST", "FILTERBY", "MODULE", "json"), "*0\n");
    ck_assert_str_eq(says("COMMAND", "LIST", "FILTERBY", "X", "json"), "-ERR syntax error\n");
    ck_assert_str_eq(says("COMMAND", "LIST", "FILTERBY"), "-ERR syntax error\n");
}
END_TEST

START_TEST(getkeys_answers_the_pool)
{
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "MALLOC", "gpus", "COUNT", "2"), "*1\n$4\ngpus\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "pool", "extend", "gpus", "a"), "*1\n$4\ngpus\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "PING"), "-ERR The command has no key arguments\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "FOO"), "-ERR Invalid command specified\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "POOL", "FOO"), "-ERR Invalid command specified\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "MALLOC"),
                     "-ERR Invalid number of arguments specified for command\n");
    ck_assert_str_eq(says("COMMAND", "GETKEYS", "POOL", "LEN", "a", "b"),
                     "-ERR Invalid number of arguments specified for command\n");
}
END_TEST

/* --- HELP ---------------------------------------------------------------------------------- */

START_TEST(help_names_every_command)
{
    char *text = mem_dup(str_of(says("HELP")));

    for (size_t i = 0; i < command_count(); i++) {
        char line[COMMAND_SYNTAX_MAX];
        if (command_at(i)->subcommands != NULL)
            continue;
        command_print_syntax(command_at(i), line, sizeof(line));
        ck_assert_msg(strstr(text, line) != NULL, "%s", line);
    }
    mem_free(text);
}
END_TEST

START_TEST(help_explains_one_command_and_its_options)
{
    says("HELP", "malloc");
    ck_assert_ptr_nonnull(strstr(rig.text, "MALLOC pool [TIMEOUT seconds] [NAME name]"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\n  WITHTOKEN: "));
    ck_assert_ptr_nonnull(strstr(rig.text, "\nReply: "));
    says("HELP", "POOL", "extend");
    ck_assert_ptr_nonnull(
        strstr(rig.text, "POOL EXTEND pool [TIMEOUT seconds] [PRIORITY n] [CAPACITY n] resource"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\n  KEYS: "));
    says("HELP", "pool");
    ck_assert_ptr_nonnull(strstr(rig.text, "POOL SHRINK pool resource"));
    ck_assert_str_eq(says("HELP", "x"), "-ERR no help on 'x': HELP lists all commands\n");
    ck_assert_str_eq(says("HELP", "pool", "x"), "-ERR no help on 'x': HELP lists all commands\n");
    ck_assert_str_eq(says("HELP", "a", "b", "c"),
                     "-ERR wrong number of arguments for 'help' command\n");
}
END_TEST

START_TEST(each_container_lists_its_subcommands)
{
    for (const struct command *row = command_table; row->name != NULL; row++) {
        if (row->subcommands == NULL)
            continue;
        const struct node *root = read_reply(says(row->name, "HELP"));
        ck_assert_ptr_nonnull(root->items);
        ck_assert_uint_eq(root->len, 1 + 2 * command_count_rows(row->subcommands));
        for (size_t i = 0; i < root->len; i++)
            ck_assert_int_eq(root->items[i].type, '+');
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {command_docs_has_the_shape_of_redis_7_in_both_protocols,
                                  command_docs_tells_of_those_asked_for_and_leaves_strangers_out,
                                  arguments_of_malloc_are_as_its_row_has_them,
                                  texts_of_usage_are_understood,
                                  the_text_of_every_row_says_the_same_when_it_was_understood,
                                  command_describes_all_rows_in_both_protocols,
                                  command_info_is_nil_for_strangers,
                                  command_count_and_list_agree,
                                  command_list_is_filtered,
                                  getkeys_answers_the_pool,
                                  help_names_every_command,
                                  help_explains_one_command_and_its_options,
                                  each_container_lists_its_subcommands,
                                  NULL};
    return run_tests("docs", rig_start, rig_stop, tests);
}
