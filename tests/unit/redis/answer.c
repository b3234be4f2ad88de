/* answer: what is asked for and not there is empty, never a crash. */
#include "redis/answer.h"
#include <check.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

/* Parses one reply of the protocol; to be freed by freeReplyObject(). */
static redisReply *parse(const char *bytes)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    ck_assert_int_eq(redisReaderFeed(reader, bytes, strlen(bytes)), REDIS_OK);
    ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
    ck_assert_ptr_nonnull(reply);
    redisReaderFree(reader);
    return reply;
}

static const struct answer *view(const redisReply *reply)
{
    return (const struct answer *)(const void *)reply;
}

START_TEST(nothing_has_no_text_no_number_and_no_elements)
{
    const struct answer *none = answer_none();
    ck_assert(answer_is_none(none));
    ck_assert(!answer_is_error(none) && !answer_is_int(none) && !answer_is_array(none));
    ck_assert_uint_eq(answer_str(none).len, 0);
    ck_assert_int_eq(answer_int(none, 7), 7);
    ck_assert_uint_eq(answer_count(none), 0);
    ck_assert(answer_is_none(answer_at(none, 0)));
}
END_TEST

START_TEST(an_array_gives_its_elements_and_nothing_beyond)
{
    redisReply *reply = parse("*4\r\n$2\r\nab\r\n:-5\r\n$-1\r\n*1\r\n+in\r\n");
    const struct answer *answer = view(reply);
    ck_assert(answer_is_array(answer));
    ck_assert_uint_eq(answer_count(answer), 4);
    ck_assert(str_eq(answer_str(answer_at(answer, 0)), STR("ab")));
    ck_assert_int_eq(answer_int(answer_at(answer, 1), 0), -5);
    ck_assert(answer_is_none(answer_at(answer, 2)));
    ck_assert(str_eq(answer_str(answer_at(answer_at(answer, 3), 0)), STR("in")));
    ck_assert(answer_is_none(answer_at(answer, 4)));
    ck_assert(answer_is_none(answer_at(answer, SIZE_MAX)));
    ck_assert_uint_eq(answer_str(answer).len, 0);
    freeReplyObject(reply);
}
END_TEST

START_TEST(a_bulk_that_reads_as_a_number_is_one)
{
    redisReply *good = parse("$19\r\n9223372036854775807\r\n");
    redisReply *bad = parse("$3\r\n1.5\r\n");
    ck_assert_int_eq(answer_int(view(good), 0), INT64_MAX);
    ck_assert(!answer_is_int(view(good)));
    ck_assert_int_eq(answer_int(view(bad), -3), -3);
    freeReplyObject(good);
    freeReplyObject(bad);
}
END_TEST

START_TEST(an_error_has_its_text_and_is_no_number)
{
    redisReply *reply = parse("-12\r\n");
    ck_assert(answer_is_error(view(reply)));
    ck_assert(str_eq(answer_str(view(reply)), STR("12")));
    ck_assert_int_eq(answer_int(view(reply), 4), 4);
    freeReplyObject(reply);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tests = tcase_create("answer");
    tcase_add_test(tests, nothing_has_no_text_no_number_and_no_elements);
    tcase_add_test(tests, an_array_gives_its_elements_and_nothing_beyond);
    tcase_add_test(tests, a_bulk_that_reads_as_a_number_is_one);
    tcase_add_test(tests, an_error_has_its_text_and_is_no_number);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
