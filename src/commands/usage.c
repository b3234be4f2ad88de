/* usage: reads the syntax texts of the table. See usage.h. The texts are ours, so that a mistake in
 * one is a mistake in the program: the unit test goes over all rows. */
#include "commands/usage.h"
#include "base/mem.h"
#include "commands/options.h"
#include <ctype.h>
#include <stdio.h>

char *usage_text(const struct command *command)
{
    char options[512];
    const char *args = command->args != NULL ? command->args : "";
    const char *rest = command->rest != NULL ? command->rest : "";

    options_print(command->options, options, sizeof(options));
    return mem_printf("%s%s%s%s%s", args, *args != '\0' && *options != '\0' ? " " : "", options,
                      (*args != '\0' || *options != '\0') && *rest != '\0' ? " " : "", rest);
}

void command_print_syntax(const struct command *command, char *out, size_t size)
{
    const struct command *parent = command_parent(command);
    char *usage = usage_text(command);

    snprintf(out, size, "%s%s%s%s%s", parent != NULL ? parent->name : "", parent != NULL ? " " : "",
             command->name, *usage != '\0' ? " " : "", usage);
    mem_free(usage);
}

static struct usage *make(enum usage_kind kind, struct str name)
{
    struct usage *usage = mem_zalloc(sizeof(*usage));
    usage->kind = kind;
    usage->name = mem_dup(name);
    for (char *c = usage->name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return usage;
}

void usage_free(struct usage *usage)
{
    while (usage != NULL) {
        struct usage *next = usage->next;
        usage_free(usage->children);
        mem_free(usage->name);
        mem_free(usage->token);
        mem_free(usage);
        usage = next;
    }
}

size_t usage_count(const struct usage *usage)
{
    size_t count = 0;
    for (; usage != NULL; usage = usage->next)
        count++;
    return count;
}

static bool is_word(struct str s)
{
    bool has_letter = false;
    for (size_t i = 0; i < s.len; i++) {
        if (islower((unsigned char)s.ptr[i]))
            return false;
        has_letter = has_letter || isupper((unsigned char)s.ptr[i]);
    }
    return has_letter;
}

/* One word of the text without brackets: a value, a token, or a choice. */
static struct usage *make_leaf(struct str text)
{
    if (memchr(text.ptr, '|', text.len) == NULL) {
        struct usage *leaf = make(is_word(text) ? USAGE_WORD : USAGE_VALUE, text);
        if (leaf->kind == USAGE_WORD)
            leaf->token = mem_dup(text);
        return leaf;
    }
    struct usage *choice = make(USAGE_ONE_OF, STR(""));
    struct usage **end = &choice->children;
    struct str rest = text, part;
    while (str_split(&rest, '|', &part)) {
        *end = make_leaf(part);
        end = &(*end)->next;
    }
    return choice;
}

/* The first bracketed group or word of *text, which has blanks before it; its brackets stay. */
static bool next_part(struct str *text, struct str *part)
{
    size_t at = 0, depth = 0;

    *text = str_trim(*text);
    while (at < text->len && (depth > 0 || text->ptr[at] != ' ')) {
        depth += text->ptr[at] == '[';
        depth -= text->ptr[at] == ']';
        at++;
    }
    *part = str_make(text->ptr, at);
    *text = str_make(text->ptr + at, text->len - at);
    return at > 0;
}

static struct usage *nth(struct usage *first, size_t n)
{
    while (n-- > 0)
        first = first->next;
    return first;
}

static bool is_same(const struct usage *a, const struct usage *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (a->kind != b->kind || strcmp(a->name, b->name) != 0)
            return false;
    }
    return a == NULL && b == NULL;
}

/* Several become one that holds them; one stays as it is. */
static struct usage *join_take(struct usage *list)
{
    if (list->next == NULL)
        return list;
    struct usage *block = make(USAGE_BLOCK, STR(""));
    block->children = list;
    return block;
}

static struct usage *parse_list(struct str text, bool *is_repeated);

/* Adds a "[...]" to *first, unless it repeats the end of it: then that becomes multiple. */
static void add_group(struct usage **first, struct str inside)
{
    bool is_repeated;
    struct usage *list = parse_list(inside, &is_repeated);
    size_t count = usage_count(list), before = usage_count(*first);

    if (list == NULL)
        return;
    if (is_repeated && before >= count) {
        struct usage **tail = first;
        while (usage_count(*tail) > count)
            tail = &(*tail)->next;
        if (is_same(*tail, list)) {
            *tail = join_take(*tail);
            (*tail)->is_multiple = true;
            usage_free(list);
            return;
        }
    }
    struct usage *group = join_take(list);
    group->is_optional = true;
    group->is_multiple = group->is_multiple || is_repeated;
    if (*first == NULL)
        *first = group;
    else
        nth(*first, before - 1)->next = group;
}

static void add_leaf(struct usage **first, struct usage *last, struct str part)
{
    struct usage *leaf = make_leaf(part);
    if (last != NULL && last->kind == USAGE_WORD && !last->is_optional &&
        leaf->kind != USAGE_WORD) { /* WORD value: the value stands behind its token */
        last->kind = leaf->kind;
        last->children = leaf->children;
        leaf->children = NULL;
        if (leaf->kind == USAGE_VALUE) {
            char *name = last->name;
            last->name = leaf->name;
            leaf->name = name;
        }
        usage_free(leaf);
        return;
    }
    if (last == NULL)
        *first = leaf;
    else
        last->next = leaf;
}

static struct usage *parse_list(struct str text, bool *is_repeated)
{
    struct usage *first = NULL;
    struct str part;

    *is_repeated = false;
    while (next_part(&text, &part)) {
        if (str_eq(part, STR("..."))) {
            *is_repeated = true;
        } else if (part.ptr[0] == '[') {
            add_group(&first, str_make(part.ptr + 1, part.len - 2));
        } else {
            struct usage *last = first;
            while (last != NULL && last->next != NULL)
                last = last->next;
            add_leaf(&first, last, part);
        }
    }
    return first;
}

struct usage *usage_parse(const char *text)
{
    bool is_repeated;
    return parse_list(str_of(text), &is_repeated);
}
