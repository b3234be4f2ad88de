/* name: which names are taken, which are refused. */
#include "base/name.h"
#include <check.h>
#include <stdlib.h>

static bool is_pool(const char *name)
{
    struct err err;
    return name_check(str_of(name), NAME_POOL, &err);
}

static bool is_namespace(const char *name)
{
    struct err err;
    return name_check(str_of(name), NAME_NAMESPACE, &err);
}

START_TEST(plain_names_are_taken)
{
    ck_assert(is_pool("gpu"));
    ck_assert(is_pool("A-Z.a_z-09"));
    ck_assert(is_pool("x"));
    ck_assert(is_pool("locks"));
    ck_assert(is_pool("cache"));
    ck_assert(is_pool("my-cache-2"));
    ck_assert(is_pool("timeouts"));
}
END_TEST

START_TEST(names_have_bounds)
{
    char name[130];
    memset(name, 'a', sizeof(name));
    ck_assert(name_check(str_make(name, 128), NAME_POOL, NULL));
    ck_assert(!name_check(str_make(name, 129), NAME_POOL, NULL));
    ck_assert(!is_pool(""));
    ck_assert(!name_check(str_make(NULL, 0), NAME_POOL, NULL));
    ck_assert(name_check(str_make(name, 64), NAME_USER, NULL));
    ck_assert(!name_check(str_make(name, 65), NAME_USER, NULL));
}
END_TEST

START_TEST(other_bytes_are_refused)
{
    for (int c = 0; c < 256; c++) {
        char name[] = {'a', (char)c, 'b'};
        bool is_good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '_' || c == '-';
        ck_assert(name_check(str_make(name, 3), NAME_POOL, NULL) == is_good);
        ck_assert(name_check(str_make(name, 3), NAME_NAMESPACE, NULL) ==
                  (is_good || c == ':' || c == '/'));
    }
}
END_TEST

START_TEST(reserved_words_are_no_pools_in_any_case)
{
    static const char *const words[] = {"lock",        "task-queue", "thread-health-check-pool",
                                        "x-cache",     "X-CACHE",    "-cache",
                                        "timeout",     "TIMEOUT",    "Name",
                                        "BINDTIMEOUT", "COUNT",      "all",
                                        "WAIT",        "SESSION",    "OWNER",
                                        "REQID",       "WITHTOKEN",  "TOKEN",
                                        "KEYS",        "PRIORITY",   "in",
                                        "POLICY",      "ONCE",       "NOWAIT",
                                        "DELAY",       "RETRIES",    "RETRY"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        ck_assert_msg(!is_pool(words[i]), "%s", words[i]);
}
END_TEST

START_TEST(namespaces_may_hold_more_and_have_no_reserved_words)
{
    ck_assert(is_namespace("team/a:b"));
    ck_assert(is_namespace("session-cache"));
    ck_assert(!is_namespace("a|b"));
    ck_assert(!is_namespace("{a}"));
    ck_assert(!is_namespace(""));
}
END_TEST

START_TEST(errors_show_the_name_and_what_is_allowed)
{
    struct err err;
    ck_assert(!name_check(STR("x|pool\n"), NAME_POOL, &err));
    ck_assert_str_eq(err.text,
                     "invalid name 'x|pool\\x0a': 1 to 128 of A-Z a-z 0-9 . _ - are allowed");
    ck_assert(!name_check(STR("{x}"), NAME_NAMESPACE, &err));
    ck_assert_str_eq(err.text, "invalid name '{x}': 1 to 128 of A-Z a-z 0-9 . _ - : / are allowed");
    ck_assert(!name_check(STR("Timeout"), NAME_POOL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "'Timeout': it is reserved"));
    ck_assert_int_eq(err.kind, ERR_GENERAL);
}
END_TEST

START_TEST(labels_are_a_key_and_a_value)
{
    struct err err;
    char longest[258];
    memset(longest, 'x', sizeof(longest));
    longest[128] = '=';
    ck_assert(name_check_label(STR("zone=eu west=1"), false, &err));
    ck_assert(name_check_label(str_make(longest, 257), false, &err));
    ck_assert(name_check_label(STR("zone="), true, &err));
    ck_assert(!name_check_label(STR("zone="), false, &err));
    ck_assert(!name_check_label(STR("zone"), true, &err));
    ck_assert(!name_check_label(STR("=eu"), true, &err));
    ck_assert(!name_check_label(STR("zone=e\1u"), true, &err));
    ck_assert(!name_check_label(str_make("zo\0e=eu", 7), true, &err));
    ck_assert(!name_check_label(str_make(longest, 258), true, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "key=value is wanted"));
}
END_TEST

START_TEST(byte_names_are_anything_but_nul)
{
    static char bytes[514];
    struct err err;
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert(name_check_bytes(str_make(bytes, 512), "owner", &err));
    ck_assert(name_check_bytes(STR("a\r\n|{}"), "owner", &err));
    ck_assert(!name_check_bytes(str_make(bytes, 513), "owner", &err));
    ck_assert(!name_check_bytes(str_make(NULL, 0), "owner", &err));
    ck_assert(!name_check_bytes(STR("a\0b"), "owner", &err));
    ck_assert_str_eq(err.text, "invalid owner 'a\\x00b': 1 to 512 bytes without NUL are allowed");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("name");
    TCase *all = tcase_create("all");
    tcase_add_test(all, plain_names_are_taken);
    tcase_add_test(all, names_have_bounds);
    tcase_add_test(all, other_bytes_are_refused);
    tcase_add_test(all, reserved_words_are_no_pools_in_any_case);
    tcase_add_test(all, namespaces_may_hold_more_and_have_no_reserved_words);
    tcase_add_test(all, errors_show_the_name_and_what_is_allowed);
    tcase_add_test(all, labels_are_a_key_and_a_value);
    tcase_add_test(all, byte_names_are_anything_but_nul);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
