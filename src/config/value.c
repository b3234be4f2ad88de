/* value: one setting as text and as stored. See value.h. */
#include "config/value.h"
#include "base/mem.h"
#include "base/num.h"
#include <inttypes.h>
#include <stdio.h>

static bool is_number(const struct key *key)
{
    return key->type <= KEY_MODE;
}

static void *at(const struct key *key, void *section)
{
    return (char *)section + key->offset;
}

static const void *at_const(const struct key *key, const void *section)
{
    return (const char *)section + key->offset;
}

/* --- allowed values -------------------------------------------------------------------- */

void value_print_number(const struct key *key, int64_t number, char out[VALUE_NUMBER_MAX])
{
    static const char *const units[] = {"", "kb", "mb", "gb"};
    size_t unit = 0;

    switch (key->type) {
    case KEY_SIZE:
        while (unit < 3 && number != 0 && number % 1024 == 0) {
            number /= 1024;
            unit++;
        }
        snprintf(out, VALUE_NUMBER_MAX, "%" PRId64 "%s", number, units[unit]);
        return;
    case KEY_SECONDS: {
        int len =
            snprintf(out, VALUE_NUMBER_MAX, "%" PRId64 ".%03" PRId64, number / 1000, number % 1000);
        while (out[len - 1] == '0')
            len--;
        if (out[len - 1] == '.')
            len--;
        out[len] = '\0';
        return;
    }
    case KEY_MODE:
        snprintf(out, VALUE_NUMBER_MAX, "%04" PRIo64, (uint64_t)number);
        return;
    default:
        snprintf(out, VALUE_NUMBER_MAX, "%" PRId64, number);
    }
}

/* "logfmt, json" */
static void print_words(const struct key *key, char *out, size_t size)
{
    struct str rest = str_of(key->words), word;
    size_t used = 0;

    while (str_split(&rest, ' ', &word) && used < size)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used == 0 ? "one of " : ", ",
                                 PRSTR(word));
}

void key_print_allowed(const struct key *key, char *out, size_t size)
{
    static const char *const kinds[] = {
        [KEY_INT] = "a whole number",
        [KEY_SIZE] = "a size",
        [KEY_SECONDS] = "a number of seconds",
        [KEY_MODE] = "an octal mode",
    };
    char min[VALUE_NUMBER_MAX], max[VALUE_NUMBER_MAX];

    if (is_number(key)) {
        value_print_number(key, key->min, min);
        value_print_number(key, key->max, max);
        snprintf(out, size, "%s from %s to %s", kinds[key->type], min, max);
    } else if (key->words != NULL) {
        print_words(key, out, size);
    } else if (key->type == KEY_LIST) {
        snprintf(out, size, "%" PRId64 " to %" PRId64 " texts, separated by commas", key->min,
                 key->max);
    } else {
        snprintf(out, size, "a %s of %" PRId64 " to %" PRId64 " bytes",
                 key->type == KEY_PATH ? "path" : "text", key->min, key->max);
    }
}

/* --- text to value --------------------------------------------------------------------- */

static bool parse_octal(struct str text, int64_t *out)
{
    *out = 0;
    if (text.len == 0 || text.len > 20)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7')
            return false;
        *out = *out * 8 + (text.ptr[i] - '0');
    }
    return true;
}

static bool parse_number(const struct key *key, struct str text, int64_t *out)
{
    switch (key->type) {
    case KEY_SIZE:
        return num_parse_size(text, out);
    case KEY_SECONDS:
        return num_parse_seconds(text, out);
    case KEY_MODE:
        return parse_octal(text, out);
    default:
        return num_parse_int(text, out);
    }
}

/* The index of the word, -1 when it is none of them. */
static int find_word(const struct key *key, struct str text)
{
    struct str rest = str_of(key->words), word;

    for (int i = 0; str_split(&rest, ' ', &word); i++) {
        if (str_eq(word, text))
            return i;
    }
    return -1;
}

/* The items without blanks around them; -1 when one is empty. `items` may be NULL. */
static int parse_list(struct str text, char **items)
{
    struct str rest = text, item;
    int count = 0;

    if (str_is_empty(str_trim(text)))
        return 0;
    while (str_split(&rest, ',', &item)) {
        item = str_trim(item);
        if (str_is_empty(item))
            return -1;
        if (items != NULL)
            items[count] = mem_dup(item);
        count++;
    }
    return count;
}

/* No setting has use for control characters, and some end up as lines in other files. */
static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

static bool is_allowed(const struct key *key, struct str text)
{
    int64_t number;

    if (is_number(key))
        return parse_number(key, text, &number) && number >= key->min && number <= key->max;
    if (key->words != NULL)
        return find_word(key, text) >= 0;
    number = key->type == KEY_LIST ? parse_list(text, NULL) : (int64_t)text.len;
    return number >= key->min && number <= key->max;
}

bool value_check(const struct key *key, struct str text, struct err *err)
{
    char allowed[256];

    if (has_control(text))
        return err_set(err, ERR_GENERAL, "control characters are not allowed");
    if (!is_allowed(key, text)) {
        key_print_allowed(key, allowed, sizeof(allowed));
        return err_set(err, ERR_GENERAL, "not %s", allowed);
    }
    return key->check == NULL || key->check(text, err);
}

/* --- stored values --------------------------------------------------------------------- */

void value_clear(const struct key *key, void *section)
{
    if (key->type == KEY_LIST) {
        struct text_list *list = at(key, section);
        for (int i = 0; i < list->count; i++)
            mem_free(list->items[i]);
        mem_free(list->items);
        *list = (struct text_list){NULL, 0};
    } else if (key->type >= KEY_WORD) {
        char **text = at(key, section);
        mem_free(*text);
        *text = NULL;
    }
}

static void store_list(struct text_list *list, struct str text)
{
    int count = parse_list(text, NULL);

    list->count = count < 0 ? 0 : count;
    list->items = mem_array((size_t)list->count, sizeof(*list->items));
    if (list->count > 0)
        parse_list(text, list->items);
}

void value_store(const struct key *key, void *section, struct str text)
{
    void *field = at(key, section);
    int64_t number = 0;

    value_clear(key, section);
    switch (key->type) {
    case KEY_BOOL:
        *(bool *)field = find_word(key, text) == 1;
        return;
    case KEY_ENUM:
        *(unsigned *)field = (unsigned)find_word(key, text);
        return;
    case KEY_LIST:
        store_list(field, text);
        return;
    case KEY_WORD:
    case KEY_STRING:
    case KEY_PATH:
        *(char **)field = mem_dup(text);
        return;
    default:
        if (parse_number(key, text, &number))
            *(int64_t *)field = number;
    }
}

void value_move(const struct key *key, void *to, void *from)
{
    value_clear(key, to);
    if (key->type == KEY_LIST) {
        *(struct text_list *)at(key, to) = *(struct text_list *)at(key, from);
        *(struct text_list *)at(key, from) = (struct text_list){NULL, 0};
    } else if (key->type >= KEY_WORD) {
        *(char **)at(key, to) = *(char **)at(key, from);
        *(char **)at(key, from) = NULL;
    } else if (key->type == KEY_BOOL) {
        *(bool *)at(key, to) = *(bool *)at(key, from);
    } else if (key->type == KEY_ENUM) {
        *(unsigned *)at(key, to) = *(unsigned *)at(key, from);
    } else {
        *(int64_t *)at(key, to) = *(int64_t *)at(key, from);
    }
}

static char *print_word(const struct key *key, unsigned index)
{
    struct str rest = str_of(key->words), word = STR("");

    for (unsigned i = 0; i <= index && str_split(&rest, ' ', &word); i++)
        ;
    return mem_dup(word);
}

static char *print_list(const struct text_list *list)
{
    size_t size = 1, used = 0;

    for (int i = 0; i < list->count; i++)
        size += strlen(list->items[i]) + 1;
    char *text = mem_zalloc(size);
    for (int i = 0; i < list->count; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ",", list->items[i]);
    return text;
}

char *value_print(const struct key *key, const void *section)
{
    const void *field = at_const(key, section);
    char number[VALUE_NUMBER_MAX];

    switch (key->type) {
    case KEY_BOOL:
        return print_word(key, *(const bool *)field ? 1 : 0);
    case KEY_ENUM:
        return print_word(key, *(const unsigned *)field);
    case KEY_LIST:
        return print_list(field);
    case KEY_WORD:
    case KEY_STRING:
    case KEY_PATH: {
        const char *text = *(char *const *)field;
        return mem_dup(text == NULL ? STR("") : str_of(text));
    }
    case KEY_SIZE: /* bytes, as Redis shows its own */
        num_format_int(number, *(const int64_t *)field);
        return mem_dup(str_of(number));
    default:
        value_print_number(key, *(const int64_t *)field, number);
        return mem_dup(str_of(number));
    }
}

/* Of urls, each without its password. */
static char *print_list_public(const struct text_list *list)
{
    struct text_list shown = {mem_array((size_t)list->count, sizeof(char *)), list->count};
    for (int i = 0; i < list->count; i++) {
        shown.items[i] = mem_dup(str_of(list->items[i]));
        url_hide_password(shown.items[i]);
    }
    char *text = print_list(&shown);
    for (int i = 0; i < list->count; i++)
        mem_free(shown.items[i]);
    mem_free(shown.items);
    return text;
}

char *value_print_public(const struct key *key, const void *section)
{
    if (key->flags & KEY_SECRET)
        return mem_dup(STR(""));
    if (!(key->flags & KEY_URL))
        return value_print(key, section);
    if (key->type == KEY_LIST)
        return print_list_public(at_const(key, section));
    char *text = value_print(key, section);
    url_hide_password(text);
    return text;
}
