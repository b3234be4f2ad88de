/* layers: notes what the environment and the command line give. See layers.h; the file is read in
 * file.c. */
#include "config/layers.h"
#include "base/mem.h"
#include "config/value.h"
#include <ctype.h>
#include <stdio.h>

#define VARIABLE_HEAD "RALLOCD_"

void layers_init(struct layers *layers, const unsigned char seed[16])
{
    map_init(&layers->given, seed);
    map_init(&layers->pools, seed);
    map_init(&layers->queues, seed);
    map_init(&layers->users, seed);
}

static void free_given(struct given *given)
{
    if (given == NULL)
        return;
    mem_free(given->where);
    mem_free(given->value);
    mem_free(given);
}

static void clear_structs(struct map *structs)
{
    struct str name;
    void *value;

    for (size_t at = 0; map_next(structs, &at, &name, &value);)
        mem_free(value);
    map_clear(structs);
}

void layers_clear(struct layers *layers)
{
    struct str name;
    void *value;

    for (size_t at = 0; map_next(&layers->given, &at, &name, &value);)
        free_given(value);
    map_clear(&layers->given);
    clear_structs(&layers->pools);
    clear_structs(&layers->queues);
    clear_structs(&layers->users);
}

/* "server.maxclients" "pool:gpu.mode" "pool:*.mode" */
static char *print_name(const struct key *key, struct str pool)
{
    const char *section = key_section_name(key->section);
    if (!key_is_named(key->section))
        return mem_printf("%s.%s", section, key->name);
    return mem_printf("%s:%.*s.%s", section, PRSTR(pool), key->name);
}

const struct given *layers_find(const struct map *given, const struct key *key, struct str name)
{
    char *full = print_name(key, name);
    const struct given *found = map_get(given, str_of(full));
    mem_free(full);
    return found;
}

/* An unknown key, with the one that was probably meant. */
static bool refuse_key(const char *where, enum key_section section, struct str shown_section,
                       struct str name, struct err *err)
{
    const struct key *meant = key_nearest(section, name);
    char shown[100], hint[100] = "";

    str_printable(name, shown, sizeof(shown));
    if (meant != NULL && meant->section == section)
        snprintf(hint, sizeof(hint), "; is %s meant?", meant->name);
    else if (meant != NULL)
        snprintf(hint, sizeof(hint), "; is [%s%s] %s meant?", key_section_name(meant->section),
                 key_is_named(meant->section) ? ":*" : "", meant->name);
    return err_set(err, ERR_GENERAL, "%s: [%.*s] has no key '%s'%s", where, PRSTR(shown_section),
                   shown, hint);
}

/* Puts `where: [section] key = 'value': ` before the error of the value. */
static bool refuse_value(const char *where, const struct key *key, struct str section,
                         struct str value, struct err *err)
{
    char shown[100];

    str_printable(value, shown, sizeof(shown));
    if (key->flags & (KEY_SECRET | KEY_URL)) /* even a part of a bad url may be its password */
        return err_wrap(err, "%s: [%.*s] %s", where, PRSTR(section), key->name);
    return err_wrap(err, "%s: [%.*s] %s = '%s'", where, PRSTR(section), key->name, shown);
}

/* The structs by name of a named section. */
static struct map *named_of(struct layers *layers, enum key_section section)
{
    if (section == KEY_USER)
        return &layers->users;
    return section == KEY_QUEUE ? &layers->queues : &layers->pools;
}

void layers_name(struct layers *layers, enum key_section section, struct str name)
{
    struct map *structs = named_of(layers, section);

    if (!str_eq(name, STR("*")) && map_get(structs, name) == NULL)
        map_put(structs, name, mem_zalloc(key_named_size(section)));
}

void layers_note(struct layers *layers, enum layer layer, const char *where, const struct key *key,
                 struct str name, struct str value)
{
    char *full = print_name(key, name);
    struct given *given = mem_alloc(sizeof(*given));

    *given = (struct given){layer, mem_dup(str_of(where)), mem_dup(value)};
    free_given(map_put(&layers->given, str_of(full), given));
    mem_free(full);
    if (key_is_named(key->section))
        layers_name(layers, key->section, name);
}

bool layers_give(struct layers *layers, enum layer layer, const char *where, struct str section,
                 struct str name, struct str value, struct err *err)
{
    enum key_section kind;
    struct str pool;

    if (!key_parse_section(section, &kind, &pool, err))
        return err_wrap(err, "%s", where);
    const struct key *key = key_find(kind, name, false);
    if (key == NULL)
        return refuse_key(where, kind, section, name, err);
    if (!value_check(key, value, err))
        return refuse_value(where, key, section, value, err);

    const struct given *before = layers_find(&layers->given, key, pool);
    if (before != NULL && before->layer == layer)
        return err_set(err, ERR_GENERAL, "%s: [%.*s] %s is given twice, first at %s", where,
                       PRSTR(section), key->name, before->where);
    layers_note(layers, layer, where, key, pool, value);
    return true;
}

/* --- environment ----------------------------------------------------------------------- */

/* Is `name` the row's SECTION_KEY? */
static bool is_variable_of(const struct key *key, struct str name)
{
    char *variable = mem_printf("%s_%s", key_section_name(key->section), key->name);
    bool is_it = strlen(variable) == name.len;

    for (size_t i = 0; is_it && i < name.len; i++)
        is_it = toupper((unsigned char)variable[i]) == name.ptr[i];
    mem_free(variable);
    return is_it;
}

static const struct key *find_variable(struct str name)
{
    const struct key *key = key_next(NULL);
    while (key != NULL && !is_variable_of(key, name))
        key = key_next(key);
    return key;
}

bool layers_read_environment(struct layers *layers, char *const *environment, struct log *log,
                             struct err *err)
{
    static const struct str head = {VARIABLE_HEAD, sizeof(VARIABLE_HEAD) - 1};

    for (; *environment != NULL; environment++) {
        struct str value = str_of(*environment), name;
        if (!str_starts(value, head) || !str_split(&value, '=', &name) || value.ptr == NULL)
            continue;
        char *variable = mem_dup(name);
        const struct key *key = find_variable(str_make(name.ptr + head.len, name.len - head.len));
        bool is_good = true;
        char section[32] = "";
        if (key != NULL)
            snprintf(section, sizeof(section), "%s%s", key_section_name(key->section),
                     key_is_named(key->section) ? ":*" : "");
        if (key == NULL)
            log_line(log, LOG_LEVEL_WARNING, "setting-unknown", "variable", variable, "text",
                     "not a setting, ignored", NULL);
        else
            is_good = layers_give(layers, LAYER_ENVIRONMENT, variable, str_of(section),
                                  str_of(key->name), value, err);
        mem_free(variable);
        if (!is_good)
            return false;
    }
    return true;
}

/* --- command line ---------------------------------------------------------------------- */

/* "--section.key=value": the name of a pool may hold dots, no key does. */
static bool give_argument(struct layers *layers, struct str argument, struct err *err)
{
    struct str value = argument, option;

    str_split(&value, '=', &option);
    char *where = mem_dup(option);
    size_t name = option.len; /* where the key's name begins */
    while (name > 3 && option.ptr[name - 1] != '.')
        name--;
    bool is_good = true;
    if (value.ptr == NULL)
        is_good = err_set(err, ERR_GENERAL, "%s: a value is missing: %s=VALUE", where, where);
    else
        is_good = layers_give(layers, LAYER_ARGUMENTS, where, str_make(option.ptr + 2, name - 3),
                              str_make(option.ptr + name, option.len - name), value, err);
    mem_free(where);
    return is_good;
}

bool layers_read_arguments(struct layers *layers, char *const *arguments, struct err *err)
{
    for (; *arguments != NULL; arguments++) {
        if (!give_argument(layers, str_of(*arguments), err))
            return false;
    }
    return true;
}
