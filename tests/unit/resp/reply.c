/* reply: the bytes of every type in both protocols. */
#include "resp/reply.h"
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct evbuffer *out;
static struct reply resp2, resp3;

static void set_up(void)
{
    out = evbuffer_new();
    resp2 = (struct reply){.out = out, .protocol = 2};
    resp3 = (struct reply){.out = out, .protocol = 3};
}

static void tear_down(void)
{
    evbuffer_free(out);
}

/* What has been written since the last call is exactly this. */
static void expect(const char *bytes)
{
    size_t len = evbuffer_get_length(out);
    char *written = calloc(1, len + 1);
    evbuffer_remove(out, written, len);
    ck_assert_str_eq(written, bytes);
    free(written);
}

START_TEST(words_and_numbers_are_the_same_in_both_protocols)
{
    struct reply *const both[] = {&resp2, &resp3};
    for (int i = 0; i < 2; i++) {
        reply_ok(both[i]);
        expect("+OK\r\n");
        reply_simple(both[i], "PONG");
        expect("+PONG\r\n");
        reply_int(both[i], 0);
        reply_int(both[i], 1);
        reply_int(both[i], -1);
        reply_int(both[i], INT64_MIN);
        reply_int(both[i], INT64_MAX);
        expect(":0\r\n:1\r\n:-1\r\n:-9223372036854775808\r\n:9223372036854775807\r\n");
        reply_array(both[i], 0);
        reply_array(both[i], 100000);
        expect("*0\r\n*100000\r\n");
    }
}
END_TEST

START_TEST(bulks_carry_their_length)
{
    reply_bulk(&resp2, STR("a\r\nb"));
    expect("$4\r\na\r\nb\r\n");
    reply_bulk(&resp3, str_make(NULL, 0));
    expect("$0\r\n\r\n");
    reply_text(&resp2, "text");
    expect("$4\r\ntext\r\n");
    reply_printf(&resp2, "%d-%s", 7, "x");
    expect("$3\r\n7-x\r\n");
}
END_TEST

START_TEST(bulks_of_every_size_are_whole)
{
    static char bytes[2000];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t len = 0; len < sizeof(bytes); len++) {
        char header[16];
        int header_len = snprintf(header, sizeof(header), "$%zu\r\n", len);
        for (int way = 0; way < 2; way++) {
            if (way == 0)
                reply_bulk(&resp2, str_make(bytes, len));
            else
                reply_printf(&resp2, "%.*s", (int)len, bytes);
            size_t size = (size_t)header_len + len + 2;
            ck_assert_uint_eq(evbuffer_get_length(out), size);
            const char *written = (const char *)evbuffer_pullup(out, -1);
            ck_assert_mem_eq(written, header, (size_t)header_len);
            if (len > 0)
                ck_assert_mem_eq(written + header_len, bytes, len);
            ck_assert_mem_eq(written + size - 2, "\r\n", 2);
            evbuffer_drain(out, size);
        }
    }
}
END_TEST

START_TEST(nulls_depend_on_the_protocol)
{
    reply_null(&resp2);
    reply_null_array(&resp2);
    expect("$-1\r\n*-1\r\n");
    reply_null(&resp3);
    reply_null_array(&resp3);
    expect("_\r\n_\r\n");
}
END_TEST

START_TEST(booleans_depend_on_the_protocol)
{
    reply_bool(&resp2, true);
    reply_bool(&resp2, false);
    expect(":1\r\n:0\r\n");
    reply_bool(&resp3, true);
    reply_bool(&resp3, false);
    expect("#t\r\n#f\r\n");
}
END_TEST

START_TEST(maps_sets_and_pushes_are_arrays_in_resp2)
{
    reply_map(&resp2, 3);
    reply_set(&resp2, 3);
    reply_push(&resp2, 3);
    expect("*6\r\n*3\r\n*3\r\n");
    reply_map(&resp3, 3);
    reply_set(&resp3, 3);
    reply_push(&resp3, 3);
    expect("%3\r\n~3\r\n>3\r\n");
}
END_TEST

START_TEST(doubles_are_short_and_exact)
{
    reply_double(&resp2, 0.1);
    reply_double(&resp2, -3);
    expect("$3\r\n0.1\r\n$2\r\n-3\r\n");
    reply_double(&resp3, 0.1);
    reply_double(&resp3, INFINITY);
    reply_double(&resp3, -INFINITY);
    reply_double(&resp3, (double)NAN);
    expect(",0.1\r\n,inf\r\n,-inf\r\n,nan\r\n");

    const double hard[] = {1.0 / 3, DBL_MAX, DBL_MIN, -DBL_TRUE_MIN, 123456789012345.678};
    for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
        reply_double(&resp3, hard[i]);
        const char *written = (const char *)evbuffer_pullup(out, -1);
        ck_assert(strtod(written + 1, NULL) == hard[i]);
        evbuffer_drain(out, evbuffer_get_length(out));
    }
}
END_TEST

START_TEST(texts_for_people_are_verbatim_in_resp3)
{
    reply_verbatim(&resp2, STR("a\nb"));
    expect("$3\r\na\nb\r\n");
    reply_verbatim(&resp3, STR("a\nb"));
    expect("=7\r\ntxt:a\nb\r\n");
}
END_TEST

START_TEST(errors_begin_with_their_word)
{
    struct err err;
    err_set(&err, ERR_NOTOWNER, "held by another");
    reply_err(&resp2, &err);
    expect("-NOTOWNER held by another\r\n");
    reply_error(&resp3, ERR_GENERAL, "unknown command '%s'", "x");
    expect("-ERR unknown command 'x'\r\n");
}
END_TEST

START_TEST(errors_and_words_stay_one_line)
{
    reply_error(&resp2, ERR_GENERAL, "a\r\n+OK\r\nb");
    expect("-ERR a  +OK  b\r\n");
    reply_simple(&resp2, "a\nb\r");
    expect("+a b \r\n");

    struct err err = {.kind = ERR_UPSTREAM};
    memset(err.text, 'x', sizeof(err.text) - 1);
    err.text[100] = '\n';
    err.text[sizeof(err.text) - 1] = '\0';
    reply_err(&resp2, &err);
    size_t len = evbuffer_get_length(out);
    const char *written = (const char *)evbuffer_pullup(out, -1);
    ck_assert_uint_eq(len, 1 + strlen("UPSTREAM ") + sizeof(err.text) - 1 + 2);
    ck_assert_ptr_eq(memchr(written, '\n', len), written + len - 1);
}
END_TEST

START_TEST(without_a_buffer_everything_is_dropped)
{
    struct reply off = {.out = NULL, .protocol = 3};
    reply_ok(&off);
    reply_simple(&off, "x");
    reply_error(&off, ERR_GENERAL, "x");
    reply_int(&off, 12);
    reply_double(&off, 1);
    reply_bool(&off, true);
    reply_bulk(&off, STR("x"));
    reply_printf(&off, "%d", 1);
    reply_verbatim(&off, STR("x"));
    reply_null(&off);
    reply_map(&off, 1);
    ck_assert_uint_eq(evbuffer_get_length(out), 0);
}
END_TEST

START_TEST(a_command_is_an_array_of_bulks)
{
    const struct str args[] = {STR("EVALSHA"), STR(""), STR("a b")};
    reply_command(out, args, 3);
    expect("*3\r\n$7\r\nEVALSHA\r\n$0\r\n\r\n$3\r\na b\r\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *bytes = tcase_create("bytes");
    tcase_add_checked_fixture(bytes, set_up, tear_down);
    tcase_add_test(bytes, words_and_numbers_are_the_same_in_both_protocols);
    tcase_add_test(bytes, bulks_carry_their_length);
    tcase_add_test(bytes, bulks_of_every_size_are_whole);
    tcase_add_test(bytes, nulls_depend_on_the_protocol);
    tcase_add_test(bytes, booleans_depend_on_the_protocol);
    tcase_add_test(bytes, maps_sets_and_pushes_are_arrays_in_resp2);
    tcase_add_test(bytes, doubles_are_short_and_exact);
    tcase_add_test(bytes, texts_for_people_are_verbatim_in_resp3);
    tcase_add_test(bytes, errors_begin_with_their_word);
    tcase_add_test(bytes, errors_and_words_stay_one_line);
    tcase_add_test(bytes, without_a_buffer_everything_is_dropped);
    tcase_add_test(bytes, a_command_is_an_array_of_bulks);
    suite_add_tcase(suite, bytes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
