/* mem: allocations, and the end of the process when there is no more. */
#include "base/mem.h"
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

/* So that the sanitizer lets malloc() fail as it does elsewhere. Its name is the sanitizer's.
 * NOLINTBEGIN(cert-dcl37-c,cert-dcl51-cpp) */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:handle_abort=0";
}
/* NOLINTEND(cert-dcl37-c,cert-dcl51-cpp) */

static void leave_no_core(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

START_TEST(nothing_at_all_is_still_a_pointer)
{
    void *const all[] = {mem_alloc(0), mem_zalloc(0), mem_array(0, 8), mem_array(8, 0),
                         mem_realloc(NULL, 0)};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ck_assert_ptr_nonnull(all[i]);
        mem_free(all[i]);
    }
    mem_free(NULL);
}
END_TEST

START_TEST(arrays_are_zeroed)
{
    unsigned char *bytes = mem_array(100, 3), *more = mem_zalloc(300);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(bytes[i] | more[i], 0);
    mem_free(bytes);
    mem_free(more);
}
END_TEST

START_TEST(realloc_keeps_the_content)
{
    char *text = mem_dup(STR("abc"));
    text = mem_realloc(text, 1000);
    ck_assert_str_eq(text, "abc");
    mem_free(text);
}
END_TEST

START_TEST(dup_ends_with_nul_and_keeps_all_bytes)
{
    char *copy = mem_dup(STR("a\0b"));
    ck_assert_mem_eq(copy, "a\0b", 4);
    mem_free(copy);
    copy = mem_dup(str_make(NULL, 0));
    ck_assert_str_eq(copy, "");
    mem_free(copy);
}
END_TEST

START_TEST(printf_makes_a_string_of_any_length)
{
    char *text = mem_printf("%0*d-%s", 5000, 7, "x");
    ck_assert_uint_eq(strlen(text), 5002);
    ck_assert_str_eq(text + 4999, "7-x");
    mem_free(text);
}
END_TEST

/* aborts */
START_TEST(exhaustion_ends_the_process)
{
    leave_no_core();
    mem_free(mem_alloc(SIZE_MAX / 2));
}
END_TEST

/* aborts */
START_TEST(exhaustion_of_realloc_ends_the_process)
{
    leave_no_core();
    mem_free(mem_realloc(NULL, SIZE_MAX / 2));
}
END_TEST

/* aborts */
START_TEST(exhaustion_of_zalloc_ends_the_process)
{
    leave_no_core();
    mem_free(mem_zalloc(SIZE_MAX / 2));
}
END_TEST

/* aborts */
START_TEST(a_product_that_overflows_ends_the_process)
{
    leave_no_core();
    mem_free(mem_array(SIZE_MAX / 4 + 2, 4));
}
END_TEST

/* aborts */
START_TEST(a_length_that_overflows_ends_the_process)
{
    leave_no_core();
    mem_free(mem_dup(str_make("", SIZE_MAX)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mem");
    TCase *all = tcase_create("all");
    tcase_add_test(all, nothing_at_all_is_still_a_pointer);
    tcase_add_test(all, arrays_are_zeroed);
    tcase_add_test(all, realloc_keeps_the_content);
    tcase_add_test(all, dup_ends_with_nul_and_keeps_all_bytes);
    tcase_add_test(all, printf_makes_a_string_of_any_length);
    tcase_add_test_raise_signal(all, exhaustion_ends_the_process, SIGABRT);
    tcase_add_test_raise_signal(all, exhaustion_of_realloc_ends_the_process, SIGABRT);
    tcase_add_test_raise_signal(all, exhaustion_of_zalloc_ends_the_process, SIGABRT);
    tcase_add_test_raise_signal(all, a_product_that_overflows_ends_the_process, SIGABRT);
    tcase_add_test_raise_signal(all, a_length_that_overflows_ends_the_process, SIGABRT);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
