/* rand: tokens, bounds, and that no byte is used twice. */
#include "base/rand.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Bytes 0, 1, 2 ... so that each byte's use can be seen. */
static void fill_counting(void *arg, void *bytes, size_t len)
{
    unsigned *next = arg;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(*next)++;
}

START_TEST(bytes_come_in_order_and_only_once)
{
    unsigned next = 0;
    struct rand rand;
    unsigned char bytes[100];
    rand_init_with(&rand, fill_counting, &next);
    rand_bytes(&rand, bytes, 0);
    rand_bytes(&rand, bytes, 100);
    ck_assert_int_eq(bytes[0], 0);
    ck_assert_int_eq(bytes[99], 99);
    rand_bytes(&rand, bytes, 100);
    ck_assert_int_eq(bytes[0], 100);
    rand_bytes(&rand, bytes, 100); /* 56 are left: a new pool, the rest is not mixed in */
    ck_assert_int_eq(bytes[0], 0);
    ck_assert_int_eq(bytes[99], 99);
    ck_assert_uint_eq(next, 512);
}
END_TEST

START_TEST(what_was_given_out_is_forgotten)
{
    unsigned next = 1;
    struct rand rand;
    unsigned char bytes[16];
    rand_init_with(&rand, fill_counting, &next);
    rand_bytes(&rand, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        ck_assert_int_eq(rand.pool[i], 0);
}
END_TEST

START_TEST(more_than_the_pool_comes_from_the_source)
{
    unsigned next = 0;
    struct rand rand;
    unsigned char bytes[1000];
    rand_init_with(&rand, fill_counting, &next);
    rand_bytes(&rand, bytes, sizeof(bytes));
    ck_assert_uint_eq(next, 1000);
    ck_assert_int_eq(bytes[999], 999 & 255);
}
END_TEST

START_TEST(below_stays_below_and_reaches_all)
{
    struct rand rand;
    int seen[7] = {0};
    rand_init(&rand);
    for (int i = 0; i < 7000; i++) {
        uint64_t value = rand_below(&rand, 7);
        ck_assert_uint_lt(value, 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        ck_assert_int_gt(seen[i], 500);
    ck_assert_uint_eq(rand_below(&rand, 1), 0);
}
END_TEST

START_TEST(tokens_use_their_alphabet_and_differ)
{
    static char tokens[1000][RAND_TOKEN_LEN];
    int seen[256] = {0}, letters = 0;
    struct rand rand;
    rand_init(&rand);
    for (int i = 0; i < 1000; i++) {
        rand_token(&rand, tokens[i]);
        for (int c = 0; c < RAND_TOKEN_LEN; c++)
            seen[(unsigned char)tokens[i][c]]++;
        for (int other = 0; other < i; other++)
            ck_assert(memcmp(tokens[i], tokens[other], RAND_TOKEN_LEN) != 0);
    }
    for (int c = 0; c < 256; c++) {
        if (seen[c] == 0)
            continue;
        letters++;
        ck_assert_ptr_nonnull(
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", c));
    }
    ck_assert_int_eq(letters, 64);
}
END_TEST

START_TEST(a_token_is_a_function_of_the_source)
{
    unsigned next = 0;
    struct rand rand;
    char token[RAND_TOKEN_LEN];
    rand_init_with(&rand, fill_counting, &next);
    rand_token(&rand, token);
    ck_assert_mem_eq(token, "ABCDEFGHIJKLMNOPQRSTUV", RAND_TOKEN_LEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rand");
    TCase *all = tcase_create("all");
    tcase_add_test(all, bytes_come_in_order_and_only_once);
    tcase_add_test(all, what_was_given_out_is_forgotten);
    tcase_add_test(all, more_than_the_pool_comes_from_the_source);
    tcase_add_test(all, below_stays_below_and_reaches_all);
    tcase_add_test(all, tokens_use_their_alphabet_and_differ);
    tcase_add_test(all, a_token_is_a_function_of_the_source);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
