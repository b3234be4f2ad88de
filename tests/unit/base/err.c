/* err: words, texts, context. */
#include "base/err.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

START_TEST(every_kind_has_a_word_that_is_read_back)
{
    for (int kind = ERR_GENERAL; kind < ERR_KINDS; kind++) {
        char line[64];
        snprintf(line, sizeof(line), "%s some text", err_word((enum err_kind)kind));
        ck_assert_int_eq((int)err_kind_of(str_of(line)), kind);
        ck_assert_int_eq((int)err_kind_of(str_of(err_word((enum err_kind)kind))), kind);
    }
    ck_assert_str_eq(err_word(ERR_NOTOWNER), "NOTOWNER");
}
END_TEST

START_TEST(other_lines_are_general_errors)
{
    ck_assert_int_eq(err_kind_of(STR("NOTOWNERS x")), ERR_GENERAL);
    ck_assert_int_eq(err_kind_of(STR("NOTOWN")), ERR_GENERAL);
    ck_assert_int_eq(err_kind_of(STR("notowner x")), ERR_GENERAL);
    ck_assert_int_eq(err_kind_of(STR("OK")), ERR_GENERAL);
    ck_assert_int_eq(err_kind_of(STR("")), ERR_GENERAL);
    ck_assert_int_eq(err_kind_of(str_make(NULL, 0)), ERR_GENERAL);
}
END_TEST

START_TEST(set_gives_false_and_the_text)
{
    struct err err;
    ck_assert(!err_set(&err, ERR_TIMEOUT, "%s took %d ms", "it", 5));
    ck_assert_int_eq(err.kind, ERR_TIMEOUT);
    ck_assert_str_eq(err.text, "it took 5 ms");
    ck_assert(!err_set(NULL, ERR_TIMEOUT, "nobody reads"));
    ck_assert(!err_wrap(NULL, "nobody reads"));
}
END_TEST

START_TEST(wrap_puts_context_in_front)
{
    struct err err;
    err_set(&err, ERR_UPSTREAM, "connection refused");
    ck_assert(!err_wrap(&err, "link %d", 3));
    ck_assert_str_eq(err.text, "link 3: connection refused");
    ck_assert_int_eq(err.kind, ERR_UPSTREAM);
}
END_TEST

START_TEST(an_error_may_be_made_of_itself)
{
    struct err err;
    err_set(&err, ERR_GENERAL, "inner");
    err_set(&err, ERR_GENERAL, "outer (%s)", err.text);
    ck_assert_str_eq(err.text, "outer (inner)");
}
END_TEST

START_TEST(a_text_is_one_line)
{
    struct err err;
    err_set(&err, ERR_GENERAL, "a\r\n+OK\tb\x7f");
    ck_assert_str_eq(err.text, "a  +OK b ");
    err_wrap(&err, "x\r\ny");
    ck_assert_str_eq(err.text, "x  y: a  +OK b ");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct err err;
    err_set(&err, ERR_GENERAL, "%02000d", 0);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
    err_wrap(&err, "context");
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
    ck_assert(str_starts(str_of(err.text), STR("context: 000")));
    err_wrap(&err, "%02000d", 1);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("err");
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_kind_has_a_word_that_is_read_back);
    tcase_add_test(all, other_lines_are_general_errors);
    tcase_add_test(all, set_gives_false_and_the_text);
    tcase_add_test(all, wrap_puts_context_in_front);
    tcase_add_test(all, an_error_may_be_made_of_itself);
    tcase_add_test(all, a_text_is_one_line);
    tcase_add_test(all, long_texts_are_cut);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
