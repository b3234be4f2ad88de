/* script: the compiled-in list, and errors told in terms of its sources. */
#include "redis/script.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const struct script_line lines[] = {
    {"lua/prelude.lua", 4}, {"lua/pool/list.lua", 17}, {"lua/pool/gc.lua", 9}};
static const struct script sample = {.name = "pool/gc", .lines = lines, .line_count = 3};

static const char *explain(const char *error)
{
    static char out[200];
    script_explain(&sample, str_of(error), out, sizeof(out));
    return out;
}

START_TEST(a_line_of_the_assembled_text_becomes_one_of_its_file)
{
    ck_assert_str_eq(explain("ERR user_script:2: boom script: 8f, on @user_script:3."),
                     "ERR lua/pool/list.lua:17: boom script: 8f, on lua/pool/gc.lua:9.");
}
END_TEST

START_TEST(a_line_that_is_not_there_is_left_as_it_is)
{
    ck_assert_str_eq(explain("user_script:0: a"), "user_script:0: a");
    ck_assert_str_eq(explain("@user_script:4: b"), "@user_script:4: b");
    ck_assert_str_eq(explain("user_script:99999999999999999999"),
                     "user_script:99999999999999999999");
    ck_assert_str_eq(explain("user_script:"), "user_script:");
    ck_assert_str_eq(explain(""), "");
}
END_TEST

START_TEST(an_explanation_is_cut_at_the_room_given)
{
    char out[12];
    script_explain(&sample, STR("user_script:2: boom"), out, sizeof(out));
    ck_assert_str_eq(out, "lua/pool/li");
    script_explain(&sample, STR("x"), out, 1);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(every_script_has_text_sha_keys_and_a_source_for_each_line)
{
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        const struct script *script = script_of((enum script_id)id);
        int newlines = 0;
        for (size_t i = 0; i < script->text.len; i++)
            newlines += script->text.ptr[i] == '\n';
        ck_assert_int_eq(newlines, script->line_count);
        ck_assert_uint_eq(strlen(script->sha), 40);
        ck_assert_int_ge(script->key_count, 1);
        ck_assert_int_le(script->key_count, SCRIPT_MAX_KEYS);
        for (int i = 0; i < script->key_count; i++)
            ck_assert_uint_gt(strlen(script->keys[i]), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("script");
    TCase *tests = tcase_create("script");
    tcase_add_test(tests, a_line_of_the_assembled_text_becomes_one_of_its_file);
    tcase_add_test(tests, a_line_that_is_not_there_is_left_as_it_is);
    tcase_add_test(tests, an_explanation_is_cut_at_the_room_given);
    tcase_add_test(tests, every_script_has_text_sha_keys_and_a_source_for_each_line);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
