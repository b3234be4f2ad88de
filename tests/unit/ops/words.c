/* words: the arguments of a call while they are put together. */
#include "ops/words.h"
#include "base/num.h"
#include <check.h>
#include <stdlib.h>

static struct words words;

static void tear_down(void)
{
    words_clear(&words);
}

#define assert_word(i, text) \
    ck_assert_msg(str_eq(words.list[i], STR(text)), "%.*s", PRSTR(words.list[i]))

START_TEST(words_stand_in_the_order_in_which_they_were_put)
{
    const struct str pair[] = {STR("b"), STR("")};
    words_start(&words, 5, NUM_INT_MAX + 2);
    words_put(&words, STR("a"));
    words_put_all(&words, pair, 2);
    words_put_int(&words, -17);
    memcpy(words_put_space(&words, 2), "xy", 2);
    ck_assert_uint_eq(words.count, 5);
    assert_word(0, "a");
    assert_word(1, "b");
    assert_word(2, "");
    assert_word(3, "-17");
    assert_word(4, "xy");
}
END_TEST

START_TEST(a_start_forgets_what_was_put)
{
    words_start(&words, 1, 0);
    words_put(&words, STR("a"));
    words_start(&words, 1000, 1000 * NUM_INT_MAX);
    ck_assert_uint_eq(words.count, 0);
    for (int i = 0; i < 1000; i++)
        words_put_int(&words, INT64_MIN);
    assert_word(0, "-9223372036854775808");
    assert_word(999, "-9223372036854775808");
}
END_TEST

START_TEST(no_words_need_no_room)
{
    words_start(&words, 0, 0);
    words_put_all(&words, NULL, 0);
    ck_assert_uint_eq(words.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("words");
    TCase *tcase = tcase_create("words");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, words_stand_in_the_order_in_which_they_were_put);
    tcase_add_test(tcase, a_start_forgets_what_was_put);
    tcase_add_test(tcase, no_words_need_no_room);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
