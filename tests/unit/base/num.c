/* num: what is a number and what is not, to the limits. */
#include "base/num.h"
#include <check.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t parse(bool (*parser)(struct str, int64_t *), const char *text)
{
    int64_t value = -12345;
    ck_assert_msg(parser(str_of(text), &value), "'%s' was refused", text);
    return value;
}

static void refuse(bool (*parser)(struct str, int64_t *), struct str text)
{
    int64_t value = -12345;
    ck_assert_msg(!parser(text, &value), "'%.*s' was taken", PRSTR(text));
    ck_assert_int_eq(value, -12345);
}

static void refuse_all(bool (*parser)(struct str, int64_t *), const char *const *texts)
{
    for (; *texts != NULL; texts++)
        refuse(parser, str_of(*texts));
    refuse(parser, str_make(NULL, 0));
    refuse(parser, STR("1\0"));
    refuse(parser, STR("\0"));
}

START_TEST(hex_digits_of_both_cases_have_their_value_and_nothing_else_has)
{
    const char *digits = "0123456789abcdef", *large = "0123456789ABCDEF";
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(num_hex_digit(digits[i]), i);
        ck_assert_int_eq(num_hex_digit(large[i]), i);
    }
    for (const char *c = "gG/:@` -"; *c != '\0'; c++)
        ck_assert_int_eq(num_hex_digit(*c), -1);
    ck_assert_int_eq(num_hex_digit('\0'), -1);
}
END_TEST

START_TEST(ints_are_read_to_their_limits)
{
    ck_assert_int_eq(parse(num_parse_int, "0"), 0);
    ck_assert_int_eq(parse(num_parse_int, "-0"), 0);
    ck_assert_int_eq(parse(num_parse_int, "007"), 7);
    ck_assert_int_eq(parse(num_parse_int, "-42"), -42);
    ck_assert_int_eq(parse(num_parse_int, "9223372036854775807"), INT64_MAX);
    ck_assert_int_eq(parse(num_parse_int, "-9223372036854775808"), INT64_MIN);
}
END_TEST

START_TEST(rubbish_is_no_int)
{
    const char *const texts[] = {"",
                                 "-",
                                 "--1",
                                 "+1",
                                 " 1",
                                 "1 ",
                                 "1.0",
                                 "1e3",
                                 "0x1",
                                 "abc",
                                 "1a",
                                 "٣",
                                 "9223372036854775808",
                                 "-9223372036854775809",
                                 "99999999999999999999999999",
                                 NULL};
    refuse_all(num_parse_int, texts);
}
END_TEST

START_TEST(seconds_become_milliseconds)
{
    ck_assert_int_eq(parse(num_parse_seconds, "1"), 1000);
    ck_assert_int_eq(parse(num_parse_seconds, "0"), 0);
    ck_assert_int_eq(parse(num_parse_seconds, "0.25"), 250);
    ck_assert_int_eq(parse(num_parse_seconds, "0.1"), 100);
    ck_assert_int_eq(parse(num_parse_seconds, ".5"), 500);
    ck_assert_int_eq(parse(num_parse_seconds, "5."), 5000);
    ck_assert_int_eq(parse(num_parse_seconds, "-1"), -1000);
    ck_assert_int_eq(parse(num_parse_seconds, "-1.5"), -1500);
    ck_assert_int_eq(parse(num_parse_seconds, "3155760000"), INT64_C(3155760000000));
}
END_TEST

START_TEST(fractions_of_a_millisecond_round_up)
{
    ck_assert_int_eq(parse(num_parse_seconds, "0.0001"), 1);
    ck_assert_int_eq(parse(num_parse_seconds, "0.0010000000000000000000000000000000001"), 2);
    ck_assert_int_eq(parse(num_parse_seconds, "0.00100000000000000000000000000000000"), 1);
    ck_assert_int_eq(parse(num_parse_seconds, "1.9999"), 2000);
    ck_assert_int_eq(parse(num_parse_seconds, "-0.0001"), -1);
}
END_TEST

START_TEST(rubbish_is_no_time)
{
    const char *const texts[] = {"",           ".",
                                 "-.",         "-",
                                 "1e3",        "inf",
                                 "nan",        "1.2.3",
                                 "1,5",        "+1",
                                 " 1",         "1s",
                                 "0x1",        "--1",
                                 "3155760001", "3155760000.0001",
                                 "1.x",        "9999999999999999999999",
                                 NULL};
    refuse_all(num_parse_seconds, texts);
}
END_TEST

START_TEST(sizes_have_units)
{
    ck_assert_int_eq(parse(num_parse_size, "4096"), 4096);
    ck_assert_int_eq(parse(num_parse_size, "0"), 0);
    ck_assert_int_eq(parse(num_parse_size, "7b"), 7);
    ck_assert_int_eq(parse(num_parse_size, "64kb"), 65536);
    ck_assert_int_eq(parse(num_parse_size, "64KB"), 65536);
    ck_assert_int_eq(parse(num_parse_size, "64k"), 64000);
    ck_assert_int_eq(parse(num_parse_size, "16mb"), 16 << 20);
    ck_assert_int_eq(parse(num_parse_size, "2m"), 2000000);
    ck_assert_int_eq(parse(num_parse_size, "1gB"), 1 << 30);
    ck_assert_int_eq(parse(num_parse_size, "1g"), 1000000000);
    ck_assert_int_eq(parse(num_parse_size, "9223372036854775807"), INT64_MAX);
    ck_assert_int_eq(parse(num_parse_size, "8589934591gb"), INT64_C(8589934591) << 30);
}
END_TEST

START_TEST(rubbish_is_no_size)
{
    const char *const texts[] = {"",
                                 "kb",
                                 "-1",
                                 "-1kb",
                                 "+1",
                                 "1 kb",
                                 "1.5mb",
                                 "1kbb",
                                 "1t",
                                 "1x",
                                 "0x1",
                                 " 1",
                                 "1 ",
                                 "8589934592gb",
                                 "9223372036854775808",
                                 "99999999999999999999kb",
                                 NULL};
    refuse_all(num_parse_size, texts);
}
END_TEST

START_TEST(doubles_are_read_exactly)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},         {"-1.5", -1.5}, {".5", .5},     {"5.", 5},
                {"1e3", 1000},    {"1E-3", .001}, {"2.5e+1", 25}, {"0.1", 0.1},
                {"1e308", 1e308}, {"1e-400", 0},  {"-0", 0}};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double value = 7;
        ck_assert_msg(num_parse_double(str_of(good[i].text), &value), "%s", good[i].text);
        ck_assert(value >= good[i].value && value <= good[i].value);
    }
    /* no NUL behind it, and more digits after its end */
    double value;
    ck_assert(num_parse_double(str_make("1.2599", 3), &value));
    ck_assert(value >= 1.2 && value <= 1.2);
}
END_TEST

START_TEST(rubbish_is_no_double)
{
    static const char *const bad[] = {"",      ".",    "-",  "e5",    "1e",       "1e+",
                                      "inf",   "-nan", "1 ", " 1",    "0x10",     "1,5",
                                      "1e999", "--1",  "+1", "1.2.3", "infinity", "1e5.0"};
    static char longest[100000];
    double value = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!num_parse_double(str_of(bad[i]), &value), "%s", bad[i]);
    ck_assert(!num_parse_double(STR("1\0"), &value));
    ck_assert(!num_parse_double(str_make(NULL, 0), &value));
    memset(longest, '1', sizeof(longest));
    ck_assert(!num_parse_double(str_make(longest, sizeof(longest)), &value));
    ck_assert(value >= 7 && value <= 7);
}
END_TEST

START_TEST(ints_are_written_as_printf_writes_them)
{
    const int64_t all[] = {0, 1, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN};
    char out[NUM_INT_MAX], expected[32];
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int len = snprintf(expected, sizeof(expected), "%" PRId64, all[i]);
        ck_assert_uint_eq(num_format_int(out, all[i]), (size_t)len);
        ck_assert_str_eq(out, expected);
        ck_assert_int_eq(parse(num_parse_int, out), all[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("num");
    TCase *all = tcase_create("all");
    tcase_add_test(all, hex_digits_of_both_cases_have_their_value_and_nothing_else_has);
    tcase_add_test(all, ints_are_read_to_their_limits);
    tcase_add_test(all, rubbish_is_no_int);
    tcase_add_test(all, seconds_become_milliseconds);
    tcase_add_test(all, fractions_of_a_millisecond_round_up);
    tcase_add_test(all, rubbish_is_no_time);
    tcase_add_test(all, sizes_have_units);
    tcase_add_test(all, rubbish_is_no_size);
    tcase_add_test(all, doubles_are_read_exactly);
    tcase_add_test(all, rubbish_is_no_double);
    tcase_add_test(all, ints_are_written_as_printf_writes_them);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
