/* table: every row is whole, and what is derived from the rows. */
#include "rig.h"

static bool is_sub(const struct command *row)
{
    return strchr(row->full, '|') != NULL;
}

START_TEST(every_row_tells_all_that_is_to_be_told)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i);
        ck_assert_msg(row->run != NULL || row->subcommands != NULL, "%s has no handler", row->full);
        ck_assert_ptr_nonnull(row->args);
        ck_assert_str_eq(row->since, "0.1.0");
        ck_assert_msg(strlen(row->summary) > 10 && row->summary[strlen(row->summary) - 1] == '.',
                      "%s: the summary is no sentence", row->full);
        ck_assert_msg(strlen(row->reply) >= 3 && row->reply[strlen(row->reply) - 1] == '.',
                      "%s: the reply is no sentence", row->full);
        ck_assert_msg((row->flags & (CMD_WRITE | CMD_READ)) != (CMD_WRITE | CMD_READ), "%s",
                      row->full);
    }
}
END_TEST

START_TEST(full_names_are_those_of_the_rows)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i), *parent = command_parent(row);
        char name[64];
        ck_assert_int_eq(parent != NULL, is_sub(row));
        snprintf(name, sizeof(name), "%s%s%s", parent != NULL ? parent->name : "",
                 parent != NULL ? "|" : "", row->name);
        ck_assert(str_eq_nocase(str_of(name), str_of(row->full)));
        for (const char *c = row->full; *c != '\0'; c++)
            ck_assert(*c < 'A' || *c > 'Z');
        if (parent != NULL)
            ck_assert_int_eq(parent->group, row->group);
    }
}
END_TEST

START_TEST(names_are_given_once_and_found_in_any_case)
{
    ck_assert_uint_gt(command_count(), 50);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i);
        ck_assert_ptr_eq(command_find_full(str_of(row->full)), row);
        ck_assert_uint_eq(command_index(row), i);
    }
    ck_assert_ptr_null(command_at(command_count()));
    ck_assert_ptr_eq(command_find(STR("mAlLoC")), command_find(STR("MALLOC")));
    ck_assert_ptr_nonnull(command_find_full(STR("Pool|Extend")));
    ck_assert_ptr_null(command_find(STR("MALLO")));
    ck_assert_ptr_null(command_find(STR("MALLOCX")));
    ck_assert_ptr_null(command_find(STR("")));
    ck_assert_ptr_null(command_find_full(STR("pool|")));
    ck_assert_ptr_null(command_find_full(STR("malloc|x")));
    ck_assert_ptr_null(command_find(STR("DEBUG")));
}
END_TEST

START_TEST(every_container_explains_itself)
{
    for (const struct command *row = command_table; row->name != NULL; row++) {
        if (row->subcommands != NULL)
            ck_assert_ptr_nonnull(command_find_sub(row, STR("HELP")));
    }
}
END_TEST

START_TEST(arity_is_counted_as_redis_does)
{
    static const struct {
        const char *full;
        int arity;
    } rows[] = {
        {"ping", -1},        {"echo", 2},       {"auth", -2},         {"hello", -1},
        {"select", 2},       {"time", 1},       {"quit", 1},          {"info", -1},
        {"malloc", -2},      {"free", -3},      {"renew", -3},        {"held", 3},
        {"bind", -4},        {"bound", 3},      {"pool", -2},         {"pool|extend", -4},
        {"pool|assign", -3}, {"pool|has", 4},   {"pool|list", 2},     {"pool|scan", -4},
        {"lock", -3},        {"lockall", -3},   {"unlock", -2},       {"locked", -2},
        {"setif", -4},       {"delif", -4},     {"lockset", -2},      {"lockset|has", 4},
        {"lockset|len", 3},  {"beat", -3},      {"beats", 2},         {"leave", 3},
        {"fence|check", 4},  {"command", -1},   {"command|docs", -2}, {"command|getkeys", -3},
        {"client", -2},      {"client|id", 2},  {"client|reply", 3},  {"client|setinfo", 4},
        {"config|get", -3},  {"config|set", 4}, {"slowlog|get", -2},  {"shutdown", -1},
        {"monitor", 1},      {"mallocall", -3}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct command *row = command_find_full(str_of(rows[i].full));
        ck_assert_msg(row != NULL, "%s", rows[i].full);
        ck_assert_msg(command_arity(row) == rows[i].arity, "%s: %d", row->full, command_arity(row));
    }
}
END_TEST

START_TEST(words_in_brackets_need_not_be_there)
{
    int least, most;

    command_words("", &least, &most);
    ck_assert_int_eq(least, 0);
    ck_assert_int_eq(most, 0);
    command_words(NULL, &least, &most);
    ck_assert_int_eq(most, 0);
    command_words("pool resource", &least, &most);
    ck_assert_int_eq(least, 2);
    ck_assert_int_eq(most, 2);
    command_words("[username] password", &least, &most);
    ck_assert_int_eq(least, 1);
    ck_assert_int_eq(most, 2);
    command_words("[a [b c]] d", &least, &most);
    ck_assert_int_eq(least, 1);
    ck_assert_int_eq(most, 4);
}
END_TEST

START_TEST(a_pool_is_found_where_it_stands)
{
    ck_assert_int_eq(command_pool_at(command_find(STR("MALLOC"))), 1);
    ck_assert_int_eq(command_pool_at(command_find_full(STR("pool|extend"))), 2);
    ck_assert_int_eq(command_pool_at(command_find_full(STR("pool|list"))), 0);
    ck_assert_int_eq(command_pool_at(command_find(STR("POOL"))), 0);
    ck_assert_int_eq(command_pool_at(command_find(STR("PING"))), 0);
}
END_TEST

START_TEST(options_stand_only_where_a_parser_takes_them)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i);
        int least, most;
        command_words(row->args, &least, &most);
        /* a fixed argument that may be left out is told from options by their being pairs */
        const unsigned pairs = OPT_TIMEOUT | OPT_IN;
        ck_assert_msg(least == most || row->options == 0 ||
                          (most == least + 1 && (row->options & ~pairs) == 0 && row->rest == NULL),
                      "%s", row->full);
        ck_assert_msg(!(row->options & OPT_ALL) || (row->options & OPT_COUNT), "%s", row->full);
        ck_assert_msg(row->options == 0 || row->rest == NULL || (row->flags & CMD_RESOURCES), "%s",
                      row->full);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_row_tells_all_that_is_to_be_told);
    tcase_add_test(all, full_names_are_those_of_the_rows);
    tcase_add_test(all, names_are_given_once_and_found_in_any_case);
    tcase_add_test(all, every_container_explains_itself);
    tcase_add_test(all, arity_is_counted_as_redis_does);
    tcase_add_test(all, words_in_brackets_need_not_be_there);
    tcase_add_test(all, a_pool_is_found_where_it_stands);
    tcase_add_test(all, options_stand_only_where_a_parser_takes_them);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
