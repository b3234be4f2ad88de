/* keys: the table holds together; the sample file is the table. */
#include "config/keys.h"
#include "base/mem.h"
#include "config/value.h"
#include <check.h>
#include <stdlib.h>

#define SAMPLE "conf/rallocd.conf"

#define each_key(row) for (const struct key *row = key_next(NULL); row != NULL; row = key_next(row))

START_TEST(every_default_is_allowed)
{
    struct err err;
    each_key(key)
        ck_assert_msg(value_check(key, str_of(key->initial), &err), "%s: %s", key->name, err.text);
}
END_TEST

START_TEST(every_row_is_whole)
{
    each_key(key)
    {
        ck_assert_uint_gt(strlen(key->sentence), 10);
        ck_assert_msg(str_ends(str_of(key->sentence), STR(".")), "%s", key->name);
        ck_assert_msg(key->min <= key->max, "%s", key->name);
        bool wants_words = key->type == KEY_BOOL || key->type == KEY_ENUM || key->type == KEY_WORD;
        ck_assert_msg(wants_words == (key->words != NULL), "%s", key->name);
        ck_assert_msg(strchr(key->name, '.') == NULL, "%s: a dot ends the section", key->name);
        for (const char *c = key->name; *c != '\0'; c++)
            ck_assert_msg((*c >= 'a' && *c <= 'z') || *c == '_', "%s", key->name);
    }
}
END_TEST

START_TEST(no_two_rows_share_a_name_or_a_place)
{
    each_key(a)
    {
        each_key(b)
        {
            if (a == b || a->section != b->section)
                continue;
            ck_assert_str_ne(a->name, b->name);
            ck_assert_msg(a->offset != b->offset, "%s and %s", a->name, b->name);
        }
        ck_assert_ptr_eq(key_find(a->section, str_of(a->name), false), a);
    }
}
END_TEST

/* The bytes that a value of the type takes in its struct. */
static size_t size_of(enum key_type type)
{
    switch (type) {
    case KEY_BOOL:
        return sizeof(bool);
    case KEY_ENUM:
        return sizeof(enum log_level);
    case KEY_WORD:
    case KEY_STRING:
    case KEY_PATH:
        return sizeof(char *);
    case KEY_LIST:
        return sizeof(struct text_list);
    default:
        return sizeof(int64_t);
    }
}

/* A field without a row would stay zero for ever: marks what the rows cover. */
static void expect_covered(enum key_section section, size_t size, size_t skip_from, size_t skip_to)
{
    char *marks = mem_zalloc(size);
    each_key(key)
    {
        if (key->section == section)
            memset(marks + key->offset, 1, size_of(key->type));
    }
    for (size_t at = 0; at + sizeof(void *) <= size; at += sizeof(void *)) {
        if (at >= skip_from && at < skip_to)
            continue;
        bool is_marked = false;
        for (size_t i = 0; i < sizeof(void *); i++)
            is_marked = is_marked || marks[at + i] != 0;
        ck_assert_msg(is_marked, "[%s] has a field at %zu without a row", key_section_name(section),
                      at);
    }
    mem_free(marks);
}

START_TEST(every_field_has_a_row)
{
    expect_covered(KEY_SERVER, sizeof(struct server_config), 0, 0);
    /* the parsed url is made of its text */
    expect_covered(KEY_REDIS, sizeof(struct redis_config), offsetof(struct redis_config, where),
                   offsetof(struct redis_config, links));
    expect_covered(KEY_LOG, sizeof(struct log_config), 0, 0);
    expect_covered(KEY_POOL, sizeof(struct pool_config), 0, 0);
    expect_covered(KEY_QUEUE, sizeof(struct queue_config), 0, 0);
    expect_covered(KEY_USER, sizeof(struct user_config), 0, 0);
}
END_TEST

START_TEST(the_words_of_the_level_are_those_of_the_log)
{
    const struct key *key = key_find(KEY_LOG, STR("level"), false);
    struct log_config log;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        value_store(key, &log, str_of(log_level_name((enum log_level)level)));
        ck_assert_int_eq((int)log.level, level);
    }
}
END_TEST

START_TEST(keys_are_found_by_their_exact_name)
{
    ck_assert_ptr_nonnull(key_find(KEY_SERVER, STR("maxclients"), false));
    ck_assert_ptr_null(key_find(KEY_SERVER, STR("MaxClients"), false));
    ck_assert_ptr_nonnull(key_find(KEY_SERVER, STR("MaxClients"), true));
    ck_assert_ptr_null(key_find(KEY_REDIS, STR("maxclients"), false));
    ck_assert_ptr_null(key_find(KEY_SERVER, STR("maxclient"), false));
    ck_assert_ptr_null(key_find(KEY_SERVER, STR(""), false));
    ck_assert_ptr_null(key_find(KEY_SERVER, STR("maxclients\0"), false));
}
END_TEST

static const char *nearest(enum key_section section, const char *name)
{
    const struct key *key = key_nearest(section, str_of(name));
    return key == NULL ? "" : key->name;
}

START_TEST(the_nearest_key_is_suggested_when_it_is_near)
{
    ck_assert_str_eq(nearest(KEY_SERVER, "maxclient"), "maxclients");
    ck_assert_str_eq(nearest(KEY_SERVER, "max_clients"), "maxclients");
    ck_assert_str_eq(nearest(KEY_SERVER, "tcp-keepalive"), "tcp_keepalive");
    ck_assert_str_eq(nearest(KEY_SERVER, "MAXCLIENTS"), "maxclients");
    ck_assert_str_eq(nearest(KEY_REDIS, "urls"), "url");
    ck_assert_str_eq(nearest(KEY_SERVER, "links"), "links"); /* of another section */
    ck_assert_str_eq(nearest(KEY_SERVER, "port"), "");
    ck_assert_str_eq(nearest(KEY_SERVER, ""), "");
    ck_assert_str_eq(nearest(KEY_SERVER, "something_quite_different_and_very_long_indeed"), "");
}
END_TEST

START_TEST(sections_are_parsed)
{
    enum key_section section;
    struct str pool;
    struct err err;
    ck_assert(key_parse_section(STR("redis"), &section, &pool, &err));
    ck_assert_int_eq(section, KEY_REDIS);
    ck_assert_uint_eq(pool.len, 0);
    ck_assert(key_parse_section(STR("pool:gpu-1"), &section, &pool, &err));
    ck_assert_int_eq(section, KEY_POOL);
    ck_assert(str_eq(pool, STR("gpu-1")));
    ck_assert(key_parse_section(STR("pool:*"), &section, &pool, &err));
    ck_assert(str_eq(pool, STR("*")));
    ck_assert(!key_parse_section(STR("pool:"), &section, &pool, &err));
    ck_assert(!key_parse_section(STR("pool:a|b"), &section, &pool, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "'a|b'"));
    ck_assert(!key_parse_section(STR("pool:lock"), &section, &pool, &err));
    ck_assert(!key_parse_section(STR("pool"), &section, &pool, &err));
    ck_assert(!key_parse_section(STR("Server"), &section, &pool, &err));
    ck_assert_str_eq(err.text,
                     "no such section: 'Server'; there are server, redis, log, pool:NAME, "
                     "pool:*, queue:NAME, queue:*, user:NAME and user:*");
    ck_assert(!key_parse_section(STR(""), &section, &pool, &err));
}
END_TEST

START_TEST(names_of_users_are_any_word_but_default)
{
    enum key_section section;
    struct str user;
    struct err err;
    ck_assert(key_parse_section(STR("user:ann.b-1_x"), &section, &user, &err));
    ck_assert_int_eq(section, KEY_USER);
    ck_assert(str_eq(user, STR("ann.b-1_x")));
    ck_assert(key_parse_section(STR("user:lock"), &section, &user, &err));
    ck_assert(!key_parse_section(STR("user:"), &section, &user, &err));
    ck_assert(!key_parse_section(STR("user:a b"), &section, &user, &err));
    ck_assert_str_eq(err.text, "invalid name 'a b': 1 to 64 of A-Z a-z 0-9 . _ - are allowed");
    ck_assert(!key_parse_section(STR("user:default"), &section, &user, &err));
    ck_assert_str_eq(err.text, "no section [user:default]: its password is [server] requirepass");
}
END_TEST

static const char *allowed(enum key_section section, const char *name)
{
    static char out[256];
    key_print_allowed(key_find(section, str_of(name), false), out, sizeof(out));
    return out;
}

START_TEST(what_is_allowed_is_said_in_the_units_of_the_file)
{
    ck_assert_str_eq(allowed(KEY_SERVER, "maxclients"), "a whole number from 1 to 1000000");
    ck_assert_str_eq(allowed(KEY_SERVER, "max_request"), "a size from 1kb to 1gb");
    ck_assert_str_eq(allowed(KEY_REDIS, "connect_timeout"),
                     "a number of seconds from 0.01 to 3600");
    ck_assert_str_eq(allowed(KEY_SERVER, "unixsocketperm"), "an octal mode from 0000 to 0777");
    ck_assert_str_eq(allowed(KEY_LOG, "format"), "one of logfmt, json");
    ck_assert_str_eq(allowed(KEY_SERVER, "listen"), "1 to 64 texts, separated by commas");
    ck_assert_str_eq(allowed(KEY_SERVER, "requirepass"), "a text of 0 to 512 bytes");
    ck_assert_str_eq(allowed(KEY_REDIS, "server_binary"), "a path of 1 to 4095 bytes");
    char small[8];
    key_print_allowed(key_find(KEY_LOG, STR("level"), false), small, sizeof(small));
    ck_assert_uint_lt(strlen(small), sizeof(small));
}
END_TEST

/* The whole of a stream; the caller frees it. */
static char *read_all(FILE *file)
{
    size_t size = 1 << 20;
    char *text = mem_zalloc(size);
    ck_assert_uint_lt(fread(text, 1, size - 1, file), size - 1);
    fclose(file);
    return text;
}

START_TEST(the_sample_file_is_what_the_table_says)
{
    FILE *made = tmpfile(), *kept = fopen(SAMPLE, "r");
    ck_assert_msg(kept != NULL, "to be run from the top of the sources: no " SAMPLE);
    ck_assert(keys_write_sample(made));
    rewind(made);
    char *expected = read_all(made), *found = read_all(kept);
    ck_assert_msg(strcmp(expected, found) == 0, SAMPLE " is not up to date: make docs");
    mem_free(expected);
    mem_free(found);
}
END_TEST

START_TEST(the_sample_has_every_key_and_short_lines)
{
    FILE *made = tmpfile();
    ck_assert(keys_write_sample(made));
    rewind(made);
    char *text = read_all(made);
    each_key(key)
    {
        char *line =
            mem_printf("\n#%s =%s%s\n", key->name, *key->initial == '\0' ? "" : " ", key->initial);
        ck_assert_msg(strstr(text, line) != NULL, "%s", line);
        mem_free(line);
    }
    struct str rest = str_of(text), line;
    while (str_split(&rest, '\n', &line))
        ck_assert_uint_le(line.len, 100);
    mem_free(text);
}
END_TEST

START_TEST(a_sample_that_cannot_be_written_is_told)
{
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        ck_assert(!keys_write_sample(full));
        fclose(full);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_default_is_allowed);
    tcase_add_test(all, every_row_is_whole);
    tcase_add_test(all, no_two_rows_share_a_name_or_a_place);
    tcase_add_test(all, every_field_has_a_row);
    tcase_add_test(all, the_words_of_the_level_are_those_of_the_log);
    tcase_add_test(all, keys_are_found_by_their_exact_name);
    tcase_add_test(all, the_nearest_key_is_suggested_when_it_is_near);
    tcase_add_test(all, sections_are_parsed);
    tcase_add_test(all, names_of_users_are_any_word_but_default);
    tcase_add_test(all, what_is_allowed_is_said_in_the_units_of_the_file);
    tcase_add_test(all, the_sample_file_is_what_the_table_says);
    tcase_add_test(all, the_sample_has_every_key_and_short_lines);
    tcase_add_test(all, a_sample_that_cannot_be_written_is_told);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
