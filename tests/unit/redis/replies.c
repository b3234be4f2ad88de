/* replies: what Redis sends, in any pieces, and what no Redis would send. */
#include "redis/replies.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct got {
    int count;
    char text[200]; /* all of them: [abc 5 nil !ERR no] */
};

static void show(struct got *got, const struct answer *answer)
{
    char *at = got->text + strlen(got->text);
    size_t room = sizeof(got->text) - strlen(got->text);
    if (answer_is_none(answer))
        snprintf(at, room, "nil ");
    else if (answer_is_int(answer))
        snprintf(at, room, "%lld ", (long long)answer_int(answer, -1));
    else if (!answer_is_array(answer))
        snprintf(at, room, "%s%.*s ", answer_is_error(answer) ? "!" : "",
                 PRSTR(answer_str(answer)));
    else
        snprintf(at, room, "[ ");
    for (size_t i = 0; i < answer_count(answer); i++)
        show(got, answer_at(answer, i));
    if (answer_is_array(answer))
        strcat(got->text, "] ");
}

static void give(void *arg, const struct answer *answer)
{
    struct got *got = arg;
    got->count++;
    show(got, answer);
}

/* Feeds the bytes in pieces of that size; the state at the end. */
static enum replies_state feed(struct got *got, const char *bytes, size_t len, size_t piece,
                               char why[200])
{
    struct replies *replies = replies_new();
    struct evbuffer *in = evbuffer_new();
    enum replies_state state = REPLIES_PARTIAL;
    *got = (struct got){0};
    for (size_t at = 0; at < len && state != REPLIES_BROKEN; at += piece) {
        const char *trouble = "";
        evbuffer_add(in, bytes + at, len - at < piece ? len - at : piece);
        do
            state = replies_next(replies, in, give, got, &trouble);
        while (state == REPLIES_GIVEN);
        snprintf(why, 200, "%s", trouble);
    }
    evbuffer_free(in);
    replies_free(replies);
    return state;
}

START_TEST(replies_are_found_however_they_are_cut)
{
    static const char bytes[] = "+OK\r\n:5\r\n$-1\r\n*4\r\n$3\r\nabc\r\n*1\r\n*-1\r\n:-7\r\n$-"
                                "1\r\n*0\r\n-ERR no\r\n$4\r\nlast\r\n";
    struct got got;
    char why[200];
    for (size_t piece = 1; piece < sizeof(bytes); piece++) {
        ck_assert_int_eq(feed(&got, bytes, sizeof(bytes) - 1, piece, why), REPLIES_PARTIAL);
        ck_assert_int_eq(got.count, 7);
        ck_assert_str_eq(got.text, "OK 5 nil [ abc [ nil ] -7 nil ] [ ] !ERR no last ");
    }
}
END_TEST

static void is_broken(const char *bytes)
{
    struct got got;
    char why[200];
    ck_assert_int_eq(feed(&got, bytes, strlen(bytes), 7, why), REPLIES_BROKEN);
    ck_assert_ptr_nonnull(strstr(why, "no reply of a Redis: "));
    ck_assert_int_eq(got.count, 0);
}

START_TEST(what_is_no_reply_is_an_error)
{
    is_broken("HTTP/1.1 400 Bad Request\r\n");
    is_broken("$x\r\n");
    is_broken(":12a\r\n");
}
END_TEST

START_TEST(a_reply_that_announces_too_much_takes_no_memory)
{
    struct got got;
    char why[200];
    is_broken("*2147483647\r\n");
    is_broken("*17000000\r\n");
    is_broken("*8000000\r\n*8000000\r\n*8000000\r\n");
    /* A bulk that is announced is only waited for. */
    ck_assert_int_eq(feed(&got, "$9000000000\r\nabc", 15, 15, why), REPLIES_PARTIAL);
}
END_TEST

START_TEST(a_reply_nested_too_deep_is_an_error)
{
    struct got got;
    char bytes[200], why[200];
    for (size_t i = 0; i < sizeof(bytes); i += 4)
        memcpy(bytes + i, "*1\r\n", 4);
    ck_assert_int_eq(feed(&got, bytes, sizeof(bytes), sizeof(bytes), why), REPLIES_BROKEN);
}
END_TEST

static void free_it(void *arg, const struct answer *answer)
{
    (void)answer;
    replies_free(arg);
}

START_TEST(the_parser_may_be_freed_by_who_gets_a_reply)
{
    struct replies *replies = replies_new();
    struct evbuffer *in = evbuffer_new();
    const char *why;
    evbuffer_add(in, "+OK\r\n+OK\r\n", 10);
    ck_assert_int_eq(replies_next(replies, in, free_it, replies, &why), REPLIES_GIVEN);
    evbuffer_free(in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replies");
    TCase *tests = tcase_create("replies");
    tcase_add_test(tests, replies_are_found_however_they_are_cut);
    tcase_add_test(tests, what_is_no_reply_is_an_error);
    tcase_add_test(tests, a_reply_that_announces_too_much_takes_no_memory);
    tcase_add_test(tests, a_reply_nested_too_deep_is_an_error);
    tcase_add_test(tests, the_parser_may_be_freed_by_who_gets_a_reply);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
