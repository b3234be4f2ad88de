/* str: comparing, finding, splitting, globs, printing. */
#include "base/str.h"
#include <check.h>
#include <stdlib.h>
#include <time.h>

static bool glob(const char *pattern, const char *s)
{
    return str_glob(str_of(pattern), str_of(s), false);
}

START_TEST(equality_compares_lengths_first)
{
    ck_assert(str_eq(STR(""), str_make(NULL, 0)));
    ck_assert(str_eq(STR("a\0b"), STR("a\0b")));
    ck_assert(!str_eq(STR("a\0b"), STR("a\0c")));
    ck_assert(!str_eq(STR("admin"), STR("adm")));
    ck_assert(str_is_empty(str_of("")));
    ck_assert_uint_eq(str_of("abc").len, 3);
}
END_TEST

START_TEST(case_is_ignored_for_ascii_letters_alone)
{
    ck_assert(str_eq_nocase(STR("TimeOut[@{"), STR("tIMEoUT[@{")));
    ck_assert(!str_eq_nocase(STR("@"), STR("`")));
    ck_assert(!str_eq_nocase(STR("["), STR("{")));
    ck_assert(!str_eq_nocase(STR("\xc4"), STR("\xe4")));
    ck_assert(!str_eq_nocase(STR("a"), STR("ab")));
}
END_TEST

START_TEST(secrets_compare_whole)
{
    ck_assert(str_eq_secret(STR("pass"), STR("pass")));
    ck_assert(str_eq_secret(STR(""), str_make(NULL, 0)));
    ck_assert(!str_eq_secret(STR("pass"), STR("pasS")));
    ck_assert(!str_eq_secret(STR("pass"), STR("xass")));
    ck_assert(!str_eq_secret(STR("pass"), STR("pas")));
}
END_TEST

START_TEST(order_is_by_bytes_then_by_length)
{
    ck_assert_int_eq(str_cmp(STR("a"), STR("a")), 0);
    ck_assert_int_eq(str_cmp(str_make(NULL, 0), STR("")), 0);
    ck_assert_int_lt(str_cmp(STR("a"), STR("ab")), 0);
    ck_assert_int_gt(str_cmp(STR("b"), STR("ab")), 0);
    ck_assert_int_gt(str_cmp(STR("\xff"), STR("a")), 0);
    ck_assert_int_gt(str_cmp(STR("a"), str_make(NULL, 0)), 0);
}
END_TEST

START_TEST(prefixes_and_suffixes_are_found)
{
    ck_assert(str_starts(STR("pool:gpu"), STR("pool:")));
    ck_assert(str_starts(STR("pool"), STR("")));
    ck_assert(!str_starts(STR("poo"), STR("pool")));
    ck_assert(str_ends(STR("x-cache"), STR("-cache")));
    ck_assert(str_ends(str_make(NULL, 0), STR("")));
    ck_assert(!str_ends(STR("cache"), STR("-cache")));
    ck_assert(!str_ends(STR("-cachex"), STR("-cache")));
}
END_TEST

START_TEST(the_first_needle_is_found)
{
    ck_assert_int_eq(str_find(STR("a||b||"), STR("||")), 1);
    ck_assert_int_eq(str_find(STR("a\0b"), STR("\0")), 1);
    ck_assert_int_eq(str_find(STR("abc"), STR("abcd")), -1);
    ck_assert_int_eq(str_find(STR("abc"), STR("x")), -1);
    ck_assert_int_eq(str_find(STR("abc"), STR("")), 0);
    ck_assert_int_eq(str_find(str_make(NULL, 0), STR("")), 0);
    ck_assert_int_eq(str_find(str_make(NULL, 0), STR("a")), -1);
}
END_TEST

START_TEST(trim_takes_white_space_off_both_ends)
{
    ck_assert(str_eq(str_trim(STR(" \t\r\n\v\fa b \n")), STR("a b")));
    ck_assert(str_eq(str_trim(STR("  ")), STR("")));
    ck_assert(str_eq(str_trim(STR("\0 a")), STR("\0 a")));
}
END_TEST

START_TEST(split_gives_empty_parts_too)
{
    struct str rest = STR("a,,b,"), part;
    const char *const parts[] = {"a", "", "b", ""};
    for (int i = 0; i < 4; i++) {
        ck_assert(str_split(&rest, ',', &part));
        ck_assert(str_eq(part, str_of(parts[i])));
    }
    ck_assert(!str_split(&rest, ',', &part));
    rest = STR("");
    ck_assert(str_split(&rest, ',', &part));
    ck_assert_uint_eq(part.len, 0);
    ck_assert(!str_split(&rest, ',', &part));
}
END_TEST

START_TEST(stars_and_question_marks_match)
{
    ck_assert(glob("", ""));
    ck_assert(!glob("", "a"));
    ck_assert(glob("*", ""));
    ck_assert(glob("**", "abc"));
    ck_assert(glob("a*c", "abbbc"));
    ck_assert(!glob("a*c", "abbb"));
    ck_assert(glob("*ab*ab*", "xabyabz"));
    ck_assert(!glob("*ab*ab*", "xabyaz"));
    ck_assert(glob("max*", "maxclients"));
    ck_assert(!glob("max*", "xmax"));
    ck_assert(glob("?", "a"));
    ck_assert(!glob("?", ""));
    ck_assert(!glob("a?", "a"));
    ck_assert(str_glob(STR("a\0*"), STR("a\0b"), false));
}
END_TEST

START_TEST(classes_match_as_in_redis)
{
    ck_assert(glob("[abc]", "b"));
    ck_assert(!glob("[abc]", "d"));
    ck_assert(glob("[a-c]x", "bx"));
    ck_assert(glob("[c-a]", "b"));
    ck_assert(glob("[^a-c]", "d"));
    ck_assert(!glob("[^a-c]", "b"));
    ck_assert(!glob("[]", "a"));
    ck_assert(glob("[\\]]", "]"));
    ck_assert(glob("[a\\-c]", "-"));
    ck_assert(!glob("[a\\-c]", "b"));
    ck_assert(glob("[ab", "b"));
    ck_assert(!glob("[", "["));
    ck_assert(glob("[a-]", "-"));
}
END_TEST

START_TEST(backslash_takes_the_meaning_away)
{
    ck_assert(glob("\\*", "*"));
    ck_assert(!glob("\\*", "a"));
    ck_assert(glob("a\\\\", "a\\"));
    ck_assert(glob("a\\", "a\\"));
}
END_TEST

START_TEST(globs_ignore_case_when_told_to)
{
    ck_assert(str_glob(STR("MAX[A-C]*"), STR("maxclients"), true));
    ck_assert(str_glob(STR("max\\C*"), STR("MAXCLIENTS"), true));
    ck_assert(!str_glob(STR("MAX*"), STR("maxclients"), false));
}
END_TEST

/* The pattern against a million letters; what takes seconds fails the test. */
static bool glob_million(const char *pattern, char last)
{
    size_t len = 1000000;
    char *s = malloc(len);
    memset(s, 'a', len);
    s[len - 1] = last;
    clock_t before = clock();
    bool matches = str_glob(str_of(pattern), str_make(s, len), false);
    ck_assert_int_lt((clock() - before) / CLOCKS_PER_SEC, 2);
    free(s);
    return matches;
}

START_TEST(many_stars_take_no_exponential_time)
{
    ck_assert(!glob_million("*a*a*a*a*a*a*a*a*a*a*b", 'a'));
    ck_assert(glob_million("*a*a*a*a*a*a*a*a*a*a*b", 'b'));
    ck_assert(!glob_million("*[a-z]?*a?*?a*aaaaaaaaab", 'a'));
}
END_TEST

START_TEST(a_pattern_of_a_million_stars_is_read_once)
{
    size_t len = 1000000;
    char *pattern = malloc(len);
    for (size_t i = 0; i < len; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    ck_assert(!str_glob(str_make(pattern, len), STR("aaaaaaaaaaab"), false));
    memset(pattern, '*', len);
    ck_assert(str_glob(str_make(pattern, len), STR("anything"), false));
    free(pattern);
}
END_TEST

START_TEST(unprintable_bytes_become_escapes)
{
    char out[32];
    str_printable(STR("a b\n\0\x7f\xff~"), out, sizeof(out));
    ck_assert_str_eq(out, "a b\\x0a\\x00\\x7f\\xff~");
    str_printable(str_make(NULL, 0), out, sizeof(out));
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(escapes_are_never_cut_in_half)
{
    char out[8] = "xxxxxxx";
    str_printable(STR("abcde\nf"), out, sizeof(out));
    ck_assert_str_eq(out, "abcde");
    str_printable(STR("abc\ndef"), out, sizeof(out));
    ck_assert_str_eq(out, "abc\\x0a");
    str_printable(STR("abc"), out, 1);
    ck_assert_str_eq(out, "");
    out[0] = 'x';
    str_printable(STR("abc"), out, 0);
    ck_assert_int_eq(out[0], 'x');
}
END_TEST

START_TEST(texts_are_put_one_behind_the_other)
{
    char bytes[5], *at = bytes;
    struct str first = str_put(&at, STR("a\0b")), none = str_put(&at, str_make(NULL, 0));
    struct str last = str_put(&at, STR("cd"));
    ck_assert(str_eq(first, STR("a\0b")));
    ck_assert_uint_eq(none.len, 0);
    ck_assert(str_eq(last, STR("cd")));
    ck_assert_ptr_eq(at, bytes + 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("str");
    TCase *all = tcase_create("all");
    tcase_add_test(all, equality_compares_lengths_first);
    tcase_add_test(all, case_is_ignored_for_ascii_letters_alone);
    tcase_add_test(all, secrets_compare_whole);
    tcase_add_test(all, order_is_by_bytes_then_by_length);
    tcase_add_test(all, prefixes_and_suffixes_are_found);
    tcase_add_test(all, the_first_needle_is_found);
    tcase_add_test(all, trim_takes_white_space_off_both_ends);
    tcase_add_test(all, split_gives_empty_parts_too);
    tcase_add_test(all, stars_and_question_marks_match);
    tcase_add_test(all, classes_match_as_in_redis);
    tcase_add_test(all, backslash_takes_the_meaning_away);
    tcase_add_test(all, globs_ignore_case_when_told_to);
    tcase_add_test(all, many_stars_take_no_exponential_time);
    tcase_add_test(all, a_pattern_of_a_million_stars_is_read_once);
    tcase_add_test(all, texts_are_put_one_behind_the_other);
    tcase_add_test(all, unprintable_bytes_become_escapes);
    tcase_add_test(all, escapes_are_never_cut_in_half);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
