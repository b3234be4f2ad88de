/* slowlog: order, bounds, and what is cut of arguments. */
#include "report/slowlog.h"
#include "base/mem.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct slowlog *slowlog;

static void start(void)
{
    slowlog = slowlog_new();
}

static void stop(void)
{
    slowlog_free(slowlog);
}

static struct slowlog_args *args_new(const struct str *argv, int argc)
{
    size_t size = slowlog_args_size(argv, argc);
    struct slowlog_args *args = mem_alloc(size);
    slowlog_args_write(args, argv, argc);
    ck_assert_uint_eq(args->size, size);
    return args;
}

static void add(int64_t max_len, int64_t usec)
{
    struct str argv[] = {STR("MALLOC"), STR("p")};
    struct slowlog_args *args = args_new(argv, 2);
    slowlog_add(slowlog, max_len, 1000, usec, args, "1.2.3.4:5", "n");
    mem_free(args);
}

START_TEST(the_newest_is_first_and_the_oldest_leave)
{
    for (int i = 0; i < 100; i++)
        add(40, i);
    ck_assert_int_eq(slowlog_len(slowlog), 40);
    for (int64_t i = 0; i < 40; i++) {
        ck_assert_int_eq(slowlog_at(slowlog, i)->usec, 99 - i);
        ck_assert_int_eq(slowlog_at(slowlog, i)->id, 99 - i);
    }
    ck_assert_ptr_null(slowlog_at(slowlog, 40));
    ck_assert_ptr_null(slowlog_at(slowlog, -1));
}
END_TEST

START_TEST(a_lower_bound_holds_from_the_next_entry_on)
{
    for (int i = 0; i < 10; i++)
        add(10, i);
    add(3, 77);
    ck_assert_int_eq(slowlog_len(slowlog), 3);
    ck_assert_int_eq(slowlog_at(slowlog, 0)->usec, 77);
    ck_assert_int_eq(slowlog_at(slowlog, 2)->usec, 8);
    add(0, 78);
    ck_assert_int_eq(slowlog_len(slowlog), 0);
}
END_TEST

START_TEST(entries_survive_that_the_ring_grows)
{
    for (int i = 0; i < 20; i++) /* turned round before it grows */
        add(i < 18 ? 16 : 1000, i);
    for (int i = 20; i < 300; i++)
        add(1000, i);
    ck_assert_int_eq(slowlog_len(slowlog), 300 - 2);
    for (int64_t i = 0; i < slowlog_len(slowlog); i++)
        ck_assert_int_eq(slowlog_at(slowlog, i)->usec, 299 - i);
}
END_TEST

START_TEST(a_reset_forgets_all_but_the_number)
{
    add(10, 1);
    slowlog_reset(slowlog);
    ck_assert_int_eq(slowlog_len(slowlog), 0);
    ck_assert_ptr_null(slowlog_at(slowlog, 0));
    add(10, 2);
    ck_assert_int_eq(slowlog_at(slowlog, 0)->id, 1);
    ck_assert_int_eq(slowlog_at(slowlog, 0)->wall_s, 1000);
    ck_assert_str_eq(slowlog_at(slowlog, 0)->address, "1.2.3.4:5");
    ck_assert_str_eq(slowlog_at(slowlog, 0)->name, "n");
}
END_TEST

static void is_arg(const struct slowlog_args *args, int i, const char *text)
{
    ck_assert_uint_eq(args->argv[i].len, strlen(text));
    ck_assert_int_eq(memcmp(args->argv[i].ptr, text, strlen(text)), 0);
}

START_TEST(long_arguments_are_cut_and_counted)
{
    char text[200], expected[200];
    memset(text, 'x', sizeof(text));
    struct str argv[] = {str_make(text, 128), str_make(text, 129), str_make(text, 0)};
    struct slowlog_args *args = args_new(argv, 3);

    snprintf(expected, sizeof(expected), "%.128s", text);
    is_arg(args, 0, expected);
    snprintf(expected, sizeof(expected), "%.128s... (1 more bytes)", text);
    is_arg(args, 1, expected);
    is_arg(args, 2, "");
    mem_free(args);
}
END_TEST

START_TEST(many_arguments_are_summed_up)
{
    struct str argv[40];
    for (int i = 0; i < 40; i++)
        argv[i] = STR("a");
    struct slowlog_args *args = args_new(argv, 32);
    ck_assert_int_eq(args->argc, 32);
    is_arg(args, 31, "a");
    mem_free(args);
    args = args_new(argv, 40);
    ck_assert_int_eq(args->argc, 32);
    is_arg(args, 30, "a");
    is_arg(args, 31, "... (9 more arguments)");
    mem_free(args);
    args = args_new(argv, 0);
    ck_assert_int_eq(args->argc, 0);
    mem_free(args);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slowlog");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, start, stop);
    tcase_add_test(all, the_newest_is_first_and_the_oldest_leave);
    tcase_add_test(all, a_lower_bound_holds_from_the_next_entry_on);
    tcase_add_test(all, entries_survive_that_the_ring_grows);
    tcase_add_test(all, a_reset_forgets_all_but_the_number);
    tcase_add_test(all, long_arguments_are_cut_and_counted);
    tcase_add_test(all, many_arguments_are_summed_up);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
