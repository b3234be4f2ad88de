/* options: every word with every kind of value, and what may not stand where. */
#include "commands/options.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ALL_OPTIONS ((1U << 29) - 1)

static struct options options;
static struct err err;
static int used;

static bool parse_words(unsigned allowed, bool has_rest, const char *const *words)
{
    struct str args[64];
    int count = 0;

    for (; words[count] != NULL; count++)
        args[count] = str_of(words[count]);
    err = (struct err){0};
    used = -1;
    return options_parse("MALLOC", allowed, has_rest, args, count, &options, &used, &err);
}

#define parse(allowed, ...) parse_words(allowed, false, (const char *const[]){__VA_ARGS__, NULL})
#define parse_rest(allowed, ...) \
    parse_words(allowed, true, (const char *const[]){__VA_ARGS__, NULL})

#define fails_with(words, call)                  \
    do {                                         \
        ck_assert(!(call));                      \
        ck_assert_int_eq(err.kind, ERR_GENERAL); \
        ck_assert_str_eq(err.text, words);       \
    } while (0)

static void is_text(struct str s, const char *text)
{
    ck_assert_uint_eq(s.len, strlen(text));
    ck_assert_int_eq(memcmp(s.ptr, text, s.len), 0);
}

START_TEST(nothing_is_a_parse_without_options)
{
    ck_assert(parse_words(ALL_OPTIONS, false, (const char *const[]){NULL}));
    ck_assert_uint_eq(options.given, 0);
    ck_assert_int_eq(used, 0);
}
END_TEST

START_TEST(each_word_sets_its_value_whatever_its_case)
{
    ck_assert(parse(ALL_OPTIONS, "timeout", "1.5", "Name", "n", "BINDTIMEOUT", "0.0001", "count",
                    "7", "all", "oWNER", "o", "REQID", "r", "withtoken", "TOKEN", "t", "in", "s",
                    "SHARED", "permits", "2", "of", "3", "session", "wait", "250", "report",
                    "policy", "RemoteFirst", "once", "nowait", "delay", "0.5", "retries", "4",
                    "priority", "-3", "retry", "2", "push", "missed", "SKIP", "reason", "old",
                    "outcome", "FAIL", "where", "k=v", "l=w=x", "withdata", "capacity", "1000"));
    ck_assert_int_eq(options.where_count, 2);
    is_text(options.where[1], "l=w=x");
    ck_assert_int_eq(options.capacity, 1000);
    is_text(options.reason, "old");
    ck_assert_str_eq(options.outcome, "fail");
    ck_assert_int_eq(options.missed, MISSED_SKIP);
    ck_assert_int_eq(options.policy, TASK_REMOTEFIRST);
    ck_assert_int_eq(options.delay_ms, 500);
    ck_assert_int_eq(options.retries, 4);
    ck_assert_int_eq(options.priority, -3);
    ck_assert_int_eq(options.retry_ms, 2000);
    ck_assert_uint_eq(options.given, ALL_OPTIONS);
    ck_assert_int_eq(options.timeout_ms, 1500);
    ck_assert_int_eq(options.binding_ms, 1);
    ck_assert_int_eq(options.count, 7);
    is_text(options.name, "n");
    is_text(options.owner, "o");
    is_text(options.reqid, "r");
    is_text(options.token, "t");
    is_text(options.set, "s");
    ck_assert_int_eq(options.permits, 2);
    ck_assert_int_eq(options.limit, 3);
    ck_assert_int_eq(options.wait_ms, 250);
    ck_assert_int_eq(used, 52);
}
END_TEST

START_TEST(a_time_of_zero_or_less_is_taken)
{
    ck_assert(parse(ALL_OPTIONS, "TIMEOUT", "0"));
    ck_assert_int_eq(options.timeout_ms, 0);
    ck_assert(parse(ALL_OPTIONS, "TIMEOUT", "-1"));
    ck_assert_int_lt(options.timeout_ms, 0);
    ck_assert_uint_eq(options.given, OPT_TIMEOUT);
}
END_TEST

START_TEST(bad_values_are_named_with_their_option)
{
    fails_with("TIMEOUT is not a number of seconds: 'abc'", parse(ALL_OPTIONS, "TIMEOUT", "abc"));
    fails_with("BINDTIMEOUT is not a number of seconds: ''", parse(ALL_OPTIONS, "BINDTIMEOUT", ""));
    fails_with("COUNT is not a whole number from 1: '0'", parse(ALL_OPTIONS, "COUNT", "0"));
    fails_with("COUNT is not a whole number from 1: '-2'", parse(ALL_OPTIONS, "COUNT", "-2"));
    fails_with("COUNT is not a whole number from 1: '1.5'", parse(ALL_OPTIONS, "COUNT", "1.5"));
    fails_with("COUNT is not a whole number from 1: '9223372036854775808'",
               parse(ALL_OPTIONS, "COUNT", "9223372036854775808"));
    fails_with("WAIT is not a whole number of milliseconds from 0 to 31536000000 (a year): '-1'",
               parse(ALL_OPTIONS, "WAIT", "-1"));
    fails_with("TIMEOUT is not a number of seconds: '\\x0a'", parse(ALL_OPTIONS, "TIMEOUT", "\n"));
}
END_TEST

START_TEST(texts_have_1_to_512_bytes_without_nul)
{
    static const char *const words[] = {"NAME", "OWNER", "REQID", "TOKEN"};
    char text[514];
    memset(text, 'x', sizeof(text));

    for (size_t i = 0; i < 4; i++) {
        struct str args[] = {str_of(words[i]), str_make(text, 512)};
        ck_assert(options_parse("MALLOC", ALL_OPTIONS, false, args, 2, &options, &used, &err));
        args[1].len = 513;
        ck_assert(!options_parse("MALLOC", ALL_OPTIONS, false, args, 2, &options, &used, &err));
        args[1].len = 0;
        ck_assert(!options_parse("MALLOC", ALL_OPTIONS, false, args, 2, &options, &used, &err));
        ck_assert_ptr_nonnull(strstr(err.text, words[i]));
        args[1] = str_make("a\0b", 3);
        ck_assert(!options_parse("MALLOC", ALL_OPTIONS, false, args, 2, &options, &used, &err));
    }
}
END_TEST

START_TEST(a_word_without_its_value_is_an_error)
{
    for (const struct option *option = option_table; option->word != NULL; option++) {
        char text[128];
        if (option->value == NULL)
            continue;
        snprintf(text, sizeof(text), "syntax error: %s of MALLOC wants a value: %s", option->word,
                 option->value);
        fails_with(text, parse(ALL_OPTIONS, option->word));
    }
}
END_TEST

START_TEST(a_word_given_twice_is_an_error)
{
    fails_with("syntax error: TIMEOUT is given twice",
               parse(ALL_OPTIONS, "TIMEOUT", "1", "timeout", "1"));
    fails_with("syntax error: WITHTOKEN is given twice",
               parse(ALL_OPTIONS, "WITHTOKEN", "WITHTOKEN"));
    fails_with("syntax error: ALL is given twice", parse(ALL_OPTIONS, "COUNT", "2", "ALL", "ALL"));
}
END_TEST

START_TEST(where_takes_the_labels_behind_it)
{
    ck_assert(parse(ALL_OPTIONS, "WHERE", "a=1", "b=2", "WAIT", "0"));
    ck_assert_int_eq(options.where_count, 2);
    ck_assert(options.given & OPT_WAIT);
    fails_with("invalid label 'WAIT': key=value is wanted, each 1 to 128 bytes without control "
               "characters, the key without '='",
               parse(ALL_OPTIONS, "WHERE", "WAIT", "0"));
    fails_with("invalid label 'a=': key=value is wanted, each 1 to 128 bytes without control "
               "characters, the key without '='",
               parse(ALL_OPTIONS, "WHERE", "b=1", "a="));
    fails_with("WHERE takes at most 8 labels", parse(ALL_OPTIONS, "WHERE", "a=1", "b=1", "c=1",
                                                     "d=1", "e=1", "f=1", "g=1", "h=1", "i=1"));
}
END_TEST

START_TEST(all_stands_right_after_count)
{
    ck_assert(parse(ALL_OPTIONS, "COUNT", "2", "ALL"));
    ck_assert_uint_eq(options.given, OPT_COUNT | OPT_ALL);
    fails_with("syntax error: ALL stands right after COUNT n", parse(ALL_OPTIONS, "ALL"));
    fails_with("syntax error: ALL stands right after COUNT n",
               parse(ALL_OPTIONS, "ALL", "COUNT", "2"));
    fails_with("syntax error: ALL stands right after COUNT n",
               parse(ALL_OPTIONS, "COUNT", "2", "WITHTOKEN", "ALL"));
    fails_with("syntax error: ALL stands right after COUNT n",
               parse(ALL_OPTIONS, "COUNT", "2", "OWNER", "COUNT", "WITHTOKEN", "ALL"));
    fails_with("syntax error: MALLOC takes no option 'ALL'", parse(OPT_COUNT, "COUNT", "2", "ALL"));
}
END_TEST

START_TEST(of_stands_right_after_permits_and_is_not_smaller)
{
    ck_assert(parse(ALL_OPTIONS, "PERMITS", "1", "OF", "1", "TIMEOUT", "5"));
    ck_assert_int_eq(options.limit, 1);
    fails_with("syntax error: PERMITS n wants OF m behind it", parse(ALL_OPTIONS, "PERMITS", "1"));
    fails_with("syntax error: PERMITS n wants OF m behind it",
               parse(ALL_OPTIONS, "PERMITS", "1", "OF"));
    fails_with("syntax error: PERMITS n wants OF m behind it",
               parse(ALL_OPTIONS, "PERMITS", "1", "TIMEOUT", "5"));
    fails_with("PERMITS is not a whole number from 1: '0'",
               parse(ALL_OPTIONS, "PERMITS", "0", "OF", "3"));
    fails_with("OF is not a whole number from 4 (PERMITS) to 1000000000: '3'",
               parse(ALL_OPTIONS, "PERMITS", "4", "OF", "3"));
    fails_with("OF is not a whole number from 1 (PERMITS) to 1000000000: '1000000001'",
               parse(ALL_OPTIONS, "PERMITS", "1", "OF", "1000000001"));
    fails_with("syntax error: MALLOC takes no option 'OF'", parse(ALL_OPTIONS, "OF", "3"));
}
END_TEST

START_TEST(in_wants_the_name_of_a_lock_set)
{
    fails_with("invalid name 'a b': 1 to 128 of A-Z a-z 0-9 . _ - are allowed",
               parse(ALL_OPTIONS, "IN", "a b"));
    ck_assert(!parse(ALL_OPTIONS, "IN", "lock"));
    ck_assert(!parse(ALL_OPTIONS, "IN", ""));
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
    ck_assert(parse(ALL_OPTIONS, "NAME", "COUNT", "OWNER", "KEYS"));
    is_text(options.name, "COUNT");
    is_text(options.owner, "KEYS");
    ck_assert_uint_eq(options.given, OPT_NAME | OPT_OWNER);
}
END_TEST

START_TEST(each_word_that_a_command_lacks_is_refused)
{
    for (const struct option *option = option_table; option->word != NULL; option++) {
        char text[128];
        snprintf(text, sizeof(text), "syntax error: MALLOC takes no option '%s'", option->word);
        fails_with(text,
                   parse(ALL_OPTIONS & ~(option->flag | (unsigned)OPT_ALL), option->word, "1"));
        fails_with(
            text, parse_rest(ALL_OPTIONS & ~(option->flag | (unsigned)OPT_ALL), option->word, "1"));
    }
}
END_TEST

START_TEST(without_resources_every_word_must_be_an_option)
{
    fails_with("syntax error: MALLOC takes no option 'x\\x00'",
               options_parse("MALLOC", ALL_OPTIONS, false, &(struct str){"x\0", 2}, 1, &options,
                             &used, &err));
    fails_with("syntax error: MALLOC takes no option 'KEYS'", parse(ALL_OPTIONS, "KEYS"));
    fails_with("syntax error: MALLOC takes no option ''", parse(ALL_OPTIONS, ""));
}
END_TEST

START_TEST(the_first_resource_ends_the_options)
{
    ck_assert(parse_rest(OPT_TIMEOUT, "TIMEOUT", "2", "r1", "TIMEOUT", "3"));
    ck_assert_int_eq(used, 2);
    ck_assert_int_eq(options.timeout_ms, 2000);
    ck_assert(parse_rest(OPT_TIMEOUT, "r1"));
    ck_assert_int_eq(used, 0);
    ck_assert(parse_rest(0, "TIMEOUTS"));
    ck_assert_int_eq(used, 0);
}
END_TEST

START_TEST(keys_ends_the_options_so_that_a_resource_may_be_called_like_one)
{
    ck_assert(parse_rest(OPT_TIMEOUT, "KEYS", "TIMEOUT"));
    ck_assert_int_eq(used, 1);
    ck_assert_uint_eq(options.given, 0);
    ck_assert(parse_rest(OPT_TIMEOUT, "TIMEOUT", "2", "keys", "WAIT"));
    ck_assert_int_eq(used, 3);
    ck_assert(parse_rest(0, "KEYS", "KEYS"));
    ck_assert_int_eq(used, 1);
    ck_assert(parse_rest(0, "KEYS"));
    ck_assert_int_eq(used, 1);
}
END_TEST

START_TEST(options_are_printed_as_a_person_writes_them)
{
    char text[512];

    options_print(0, text, sizeof(text));
    ck_assert_str_eq(text, "");
    options_print(OPT_TIMEOUT, text, sizeof(text));
    ck_assert_str_eq(text, "[TIMEOUT seconds]");
    options_print(ALL_OPTIONS, text, sizeof(text));
    ck_assert_str_eq(text,
                     "[TIMEOUT seconds] [NAME name] [BINDTIMEOUT seconds] [COUNT n [ALL]] "
                     "[OWNER id] [REQID id] [WITHTOKEN] [TOKEN token] [IN set] [SHARED] "
                     "[PERMITS n OF m] [SESSION] [WAIT ms] [REPORT] [POLICY policy] [ONCE] "
                     "[NOWAIT] [DELAY seconds] [RETRIES n] [PRIORITY n] [RETRY seconds] [PUSH] "
                     "[MISSED once|skip|all] [REASON text] [OUTCOME ok|slow|fail] "
                     "[WHERE key=value [key=value ...]] [WITHDATA] [CAPACITY n]");
    options_print(OPT_COUNT, text, sizeof(text));
    ck_assert_str_eq(text, "[COUNT n]");
    options_print(ALL_OPTIONS, text, 10); /* cut, not overrun */
    ck_assert_str_eq(text, "[TIMEOUT ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *all = tcase_create("all");
    tcase_add_test(all, nothing_is_a_parse_without_options);
    tcase_add_test(all, each_word_sets_its_value_whatever_its_case);
    tcase_add_test(all, a_time_of_zero_or_less_is_taken);
    tcase_add_test(all, bad_values_are_named_with_their_option);
    tcase_add_test(all, texts_have_1_to_512_bytes_without_nul);
    tcase_add_test(all, a_word_without_its_value_is_an_error);
    tcase_add_test(all, a_word_given_twice_is_an_error);
    tcase_add_test(all, where_takes_the_labels_behind_it);
    tcase_add_test(all, all_stands_right_after_count);
    tcase_add_test(all, of_stands_right_after_permits_and_is_not_smaller);
    tcase_add_test(all, in_wants_the_name_of_a_lock_set);
    tcase_add_test(all, a_value_may_look_like_an_option);
    tcase_add_test(all, each_word_that_a_command_lacks_is_refused);
    tcase_add_test(all, without_resources_every_word_must_be_an_option);
    tcase_add_test(all, the_first_resource_ends_the_options);
    tcase_add_test(all, keys_ends_the_options_so_that_a_resource_may_be_called_like_one);
    tcase_add_test(all, options_are_printed_as_a_person_writes_them);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
