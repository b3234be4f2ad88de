/* value: text to struct and back, for every type. */
#include "config/value.h"
#include "base/mem.h"
#include <check.h>
#include <stdlib.h>

static struct server_config server;
static struct err err;

static const struct key *row(enum key_section section, const char *name)
{
    const struct key *key = key_find(section, str_of(name), false);
    ck_assert_msg(key != NULL, "%s", name);
    return key;
}

static void expect_refused(enum key_section section, const char *name, const char *text,
                           const char *why)
{
    ck_assert_msg(!value_check(row(section, name), str_of(text), &err), "%s took '%s'", name, text);
    ck_assert_str_eq(err.text, why);
}

/* Stores the text, and expects it printed so. */
static void expect_printed(enum key_section section, const char *name, const char *text,
                           const char *printed)
{
    char bytes[sizeof(struct redis_config) + sizeof(struct server_config)] = {0};
    const struct key *key = row(section, name);
    ck_assert_msg(value_check(key, str_of(text), &err), "%s = '%s': %s", name, text, err.text);
    value_store(key, bytes, str_of(text));
    char *out = value_print(key, bytes);
    ck_assert_str_eq(out, printed);
    mem_free(out);
    value_clear(key, bytes);
}

START_TEST(every_type_is_printed_as_it_is_read)
{
    expect_printed(KEY_SERVER, "maxclients", "007", "7");
    expect_printed(KEY_SERVER, "slowlog_log_slower_than", "-1", "-1");
    expect_printed(KEY_SERVER, "max_request", "16mb", "16777216");
    expect_printed(KEY_SERVER, "timeout", "0", "0");
    expect_printed(KEY_REDIS, "backoff_min", "0.050", "0.05");
    expect_printed(KEY_REDIS, "backoff_min", "100", "100");
    expect_printed(KEY_REDIS, "backoff_min", "0.0001", "0.001");
    expect_printed(KEY_SERVER, "unixsocketperm", "70", "0070");
    expect_printed(KEY_POOL, "mode", "shared", "shared");
    expect_printed(KEY_LOG, "level", "debug", "debug");
    expect_printed(KEY_LOG, "format", "json", "json");
    expect_printed(KEY_SERVER, "listen", " *:1 ,  unix:/x", "*:1,unix:/x");
    expect_printed(KEY_SERVER, "pidfile", "", "");
    expect_printed(KEY_SERVER, "requirepass", "p w, \"x\"", "p w, \"x\"");
}
END_TEST

START_TEST(every_default_is_printed_so_that_it_can_be_read)
{
    for (const struct key *key = key_next(NULL); key != NULL; key = key_next(key)) {
        char bytes[sizeof(struct config)] = {0};
        value_store(key, bytes, str_of(key->initial));
        char *first = value_print(key, bytes);
        ck_assert_msg(value_check(key, str_of(first), &err), "%s: %s", key->name, err.text);
        value_store(key, bytes, str_of(first));
        char *second = value_print(key, bytes);
        ck_assert_str_eq(first, second);
        mem_free(first);
        mem_free(second);
        value_clear(key, bytes);
    }
}
END_TEST

START_TEST(numbers_are_held_to_their_range)
{
    const char *range = "not a whole number from 1 to 1000000";
    expect_refused(KEY_SERVER, "maxclients", "0", range);
    expect_refused(KEY_SERVER, "maxclients", "1000001", range);
    expect_refused(KEY_SERVER, "maxclients", "-5", range);
    expect_refused(KEY_SERVER, "maxclients", "abc", range);
    expect_refused(KEY_SERVER, "maxclients", "", range);
    expect_refused(KEY_SERVER, "maxclients", "1 ", range);
    expect_refused(KEY_SERVER, "maxclients", "10k", range);
    expect_refused(KEY_SERVER, "maxclients", "99999999999999999999", range);
    expect_refused(KEY_SERVER, "max_request", "-1", "not a size from 1kb to 1gb");
    expect_refused(KEY_SERVER, "max_request", "1000", "not a size from 1kb to 1gb");
    expect_refused(KEY_SERVER, "timeout", "-1", "not a number of seconds from 0 to 31536000");
    expect_refused(KEY_SERVER, "timeout", "1e3", "not a number of seconds from 0 to 31536000");
    expect_refused(KEY_SERVER, "unixsocketperm", "0788", "not an octal mode from 0000 to 0777");
    expect_refused(KEY_SERVER, "unixsocketperm", "1777", "not an octal mode from 0000 to 0777");
    expect_refused(KEY_SERVER, "unixsocketperm", "", "not an octal mode from 0000 to 0777");
    expect_refused(KEY_SERVER, "unixsocketperm", "777777777777777777777",
                   "not an octal mode from 0000 to 0777");
}
END_TEST

START_TEST(words_are_exact)
{
    expect_refused(KEY_LOG, "level", "verbose", "not one of error, warning, info, debug");
    expect_refused(KEY_LOG, "level", "Info", "not one of error, warning, info, debug");
    expect_refused(KEY_LOG, "level", "", "not one of error, warning, info, debug");
    expect_refused(KEY_LOG, "level", "info debug", "not one of error, warning, info, debug");
    expect_refused(KEY_POOL, "mode", "yes", "not one of exclusive, shared");
}
END_TEST

START_TEST(lists_have_no_empty_items)
{
    const char *why = "not 1 to 64 texts, separated by commas";
    expect_refused(KEY_SERVER, "listen", "", why);
    expect_refused(KEY_SERVER, "listen", "  ", why);
    expect_refused(KEY_SERVER, "listen", "a,,b", why);
    expect_refused(KEY_SERVER, "listen", "a,", why);
    expect_refused(KEY_SERVER, "listen", ",", why);
    char many[131];
    memset(many, 'a', sizeof(many));
    for (int i = 1; i < 130; i += 2)
        many[i] = ',';
    ck_assert(value_check(row(KEY_SERVER, "listen"), str_make(many, 127), &err));  /* 64 */
    ck_assert(!value_check(row(KEY_SERVER, "listen"), str_make(many, 129), &err)); /* 65 */
}
END_TEST

START_TEST(texts_are_held_to_their_length)
{
    char text[600];
    memset(text, 'x', sizeof(text));
    ck_assert(value_check(row(KEY_SERVER, "requirepass"), str_make(text, 512), &err));
    ck_assert(!value_check(row(KEY_SERVER, "requirepass"), str_make(text, 513), &err));
    expect_refused(KEY_REDIS, "server_binary", "", "not a path of 1 to 4095 bytes");
}
END_TEST

START_TEST(control_characters_are_refused_everywhere)
{
    const char *why = "control characters are not allowed";
    expect_refused(KEY_REDIS, "state_dir", "/x\nload-module y", why);
    expect_refused(KEY_SERVER, "requirepass", "a\x7f", why);
    expect_refused(KEY_SERVER, "maxclients", "5\r", why);
    ck_assert(!value_check(row(KEY_SERVER, "requirepass"), STR("a\0b"), &err));
    ck_assert_str_eq(err.text, why);
}
END_TEST

START_TEST(rows_check_more_than_their_type)
{
    ck_assert(!value_check(row(KEY_SERVER, "namespace"), STR("a|b"), &err));
    ck_assert(value_check(row(KEY_SERVER, "namespace"), STR("team/a:b"), &err));
    ck_assert(!value_check(row(KEY_POOL, "prefix"), STR("{a}"), &err));
    ck_assert(value_check(row(KEY_POOL, "prefix"), STR(""), &err));
    ck_assert(!value_check(row(KEY_REDIS, "url"), STR("http://x"), &err));
    ck_assert(value_check(row(KEY_REDIS, "url"), STR("redis://x"), &err));
    expect_refused(KEY_REDIS, "maxmemory", "lots", "not a size such as 512mb");
    ck_assert(value_check(row(KEY_REDIS, "maxmemory"), STR("512mb"), &err));
}
END_TEST

START_TEST(storing_again_frees_what_was_there)
{
    const struct key *list = row(KEY_SERVER, "listen"), *text = row(KEY_SERVER, "pidfile");
    memset(&server, 0, sizeof(server));
    value_store(list, &server, STR("a,b"));
    value_store(list, &server, STR("c"));
    ck_assert_int_eq(server.listen.count, 1);
    ck_assert_str_eq(server.listen.items[0], "c");
    value_store(text, &server, STR("/a"));
    value_store(text, &server, STR("/b"));
    ck_assert_str_eq(server.pidfile, "/b");
    value_clear(list, &server);
    value_clear(text, &server);
    ck_assert_ptr_null(server.pidfile);
    value_clear(text, &server);
}
END_TEST

START_TEST(moving_leaves_nothing_behind)
{
    struct config from = {0}, to = {0};
    for (const struct key *key = key_next(NULL); key != NULL; key = key_next(key)) {
        char *section_from = (char *)&from + key_section_offset(key->section);
        char *section_to = (char *)&to + key_section_offset(key->section);
        value_store(key, section_from, str_of(key->initial));
        value_store(key, section_to, str_of(key->initial));
        char *before = value_print(key, section_from);
        value_move(key, section_to, section_from);
        char *after = value_print(key, section_to);
        ck_assert_str_eq(before, after);
        mem_free(before);
        mem_free(after);
        value_clear(key, section_to);
    }
    ck_assert_ptr_null(from.server.namespace);
    ck_assert_ptr_null(from.server.listen.items);
}
END_TEST

START_TEST(secrets_are_not_shown)
{
    const struct key *password = row(KEY_SERVER, "requirepass");
    memset(&server, 0, sizeof(server));
    value_store(password, &server, STR("hunter2"));
    char *shown = value_print_public(password, &server);
    ck_assert_str_eq(shown, "");
    mem_free(shown);
    value_clear(password, &server);

    const struct key *url = row(KEY_REDIS, "url");
    struct redis_config redis = {0};
    value_store(url, &redis, STR("redis://u:hunter2@h"));
    shown = value_print_public(url, &redis);
    ck_assert_str_eq(shown, "redis://u@h");
    mem_free(shown);
    value_clear(url, &redis);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("value");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_type_is_printed_as_it_is_read);
    tcase_add_test(all, every_default_is_printed_so_that_it_can_be_read);
    tcase_add_test(all, numbers_are_held_to_their_range);
    tcase_add_test(all, words_are_exact);
    tcase_add_test(all, lists_have_no_empty_items);
    tcase_add_test(all, texts_are_held_to_their_length);
    tcase_add_test(all, control_characters_are_refused_everywhere);
    tcase_add_test(all, rows_check_more_than_their_type);
    tcase_add_test(all, storing_again_frees_what_was_there);
    tcase_add_test(all, moving_leaves_nothing_behind);
    tcase_add_test(all, secrets_are_not_shown);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
