/* payload: whatever is packed comes out as it was, and what is no packed payload does no harm. */
#include "task/payload.h"
#include "base/mem.h"
#include "base/rand.h"
#include <check.h>
#include <stdlib.h>

/* How long it is packed. */
static size_t expect_back(struct str text, int64_t min)
{
    struct payload packed, back;
    payload_pack(&packed, text, min);
    payload_unpack(&back, packed.text);
    ck_assert(str_eq(back.text, text));
    size_t len = packed.text.len;
    payload_clear(&back);
    payload_clear(&packed);
    return len;
}

START_TEST(short_ones_stay_as_they_are)
{
    struct payload packed;
    payload_pack(&packed, STR("hello"), 4096);
    ck_assert(str_eq(packed.text, STR("hello")));
    ck_assert_ptr_null(packed.bytes);
    ck_assert_uint_eq(expect_back(STR(""), 4096), 0);
    ck_assert_uint_eq(expect_back(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0), 49);
}
END_TEST

START_TEST(those_that_look_like_packed_ones_come_back)
{
    expect_back(STR("\0"), 4096);
    expect_back(STR("\0r"), 4096);
    expect_back(STR("\0z\1\0\0\0x"), 4096);
    expect_back(STR("\0\0\0\0"), 1);
}
END_TEST

START_TEST(long_ones_are_compressed_when_that_helps)
{
    size_t len = 300000;
    char *text = mem_alloc(len);
    struct rand rand;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + (i % 8 + i / 1000) % 26);
    ck_assert_uint_lt(expect_back(str_make(text, len), 4096), len / 10);
    ck_assert_uint_eq(expect_back(str_make(text, 4095), 4096), 4095);
    ck_assert_uint_lt(expect_back(str_make(text, 4096), 4096), 4096);
    rand_init(&rand);
    rand_bytes(&rand, (unsigned char *)text, len);
    text[0] = 'x';
    ck_assert_uint_eq(expect_back(str_make(text, len), 4096), len); /* it cannot be */
    text[0] = '\0';
    ck_assert_uint_eq(expect_back(str_make(text, len), 4096), len + 2);
    mem_free(text);
}
END_TEST

START_TEST(rubbish_comes_out_as_it_is)
{
    const struct str rubbish[] = {STR("\0"),
                                  STR("\0z"),
                                  STR("\0z\1\0\0"),
                                  STR("\0z\1\0\0\0x"),
                                  STR("\0z\377\377\377\377xxxxxxxx"),
                                  STR("\0q123")};
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        struct payload back;
        payload_unpack(&back, rubbish[i]);
        ck_assert(str_eq(back.text, rubbish[i]));
        payload_clear(&back);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        short_ones_stay_as_they_are, those_that_look_like_packed_ones_come_back,
        long_ones_are_compressed_when_that_helps, rubbish_comes_out_as_it_is};
    Suite *suite = suite_create("payload");
    TCase *tcase = tcase_create("payload");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
