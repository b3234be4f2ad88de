/* request: what the parser of clients' requests takes, refuses, and at which cost. */
#include "tests/fuzz/request_story.h"
#include <check.h>

#define PROTOCOL_ERROR "broken: Protocol error: "

static const struct request_limits wide = {
    .max_bytes = 16 << 20, .max_args = 1 << 20, .max_inline = 64 << 10};

/* What the parser says about these bytes, at once and cut at every place. */
static void expect(struct str bytes, const struct request_limits *limits, const char *story)
{
    char *told = tell(bytes, (struct cut){.step = bytes.len}, limits);
    ck_assert_str_eq(told, story);
    mem_free(told);
    for (size_t step = 1; step < bytes.len; step++)
        ck_assert_msg(tells_one_story(bytes, limits, step), "cut at %zu", step);
}

#define EXPECT(literal, story)       expect(STR(literal), &wide, story)
#define EXPECT_SMALL(literal, story) expect(STR(literal), &fuzz_limits, story)

START_TEST(an_array_of_bulks_is_a_request)
{
    EXPECT("*1\r\n$4\r\nPING\r\n", "1 words in 14 bytes: 4:PING\n");
    EXPECT("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$6\r\na\r\nb \t\r\n",
           "3 words in 31 bytes: 3:SET 0: 6:a\r\nb \t\n");
}
END_TEST

START_TEST(requests_one_after_another_are_told_apart)
{
    EXPECT("*1\r\n$4\r\nPING\r\nECHO a\r\n*2\r\n$4\r\nECHO\r\n$3\r\nxyz\r\n\r\n*0\r\n",
           "1 words in 14 bytes: 4:PING\n"
           "2 words in 8 bytes: 4:ECHO 1:a\n"
           "2 words in 23 bytes: 4:ECHO 3:xyz\n"
           "0 words in 2 bytes:\n"
           "0 words in 4 bytes:\n");
}
END_TEST

START_TEST(bytes_of_any_value_pass)
{
    char bytes[7 + 8 + 256 + 2];
    int len = snprintf(bytes, sizeof(bytes), "*1\r\n$256\r\n");
    for (int i = 0; i < 256; i++)
        bytes[len + i] = (char)i;
    memcpy(bytes + len + 256, "\r\n", 2);

    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    for (int i = 0; i < len + 258; i++) {
        ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_PARTIAL);
        add_piece(in, bytes + i, 1);
    }
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
    ck_assert_int_eq(request.argc, 1);
    ck_assert(str_eq(request.argv[0], str_make(bytes + len, 256)));
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(an_empty_or_negative_count_is_an_empty_request)
{
    EXPECT("*0\r\n", "0 words in 4 bytes:\n");
    EXPECT("*-1\r\nPING\r\n", "0 words in 5 bytes:\n1 words in 6 bytes: 4:PING\n");
    EXPECT("*-99\r\n", "0 words in 6 bytes:\n");
}
END_TEST

START_TEST(a_bad_count_is_refused_in_redis_words)
{
    EXPECT("*x\r\n", PROTOCOL_ERROR "invalid multibulk length\n");
    EXPECT("*\r\n", PROTOCOL_ERROR "invalid multibulk length\n");
    EXPECT("*3 \r\n", PROTOCOL_ERROR "invalid multibulk length\n");
    EXPECT("*3\n", PROTOCOL_ERROR "invalid multibulk length\n");
    EXPECT("*1048577\r\n", PROTOCOL_ERROR "invalid multibulk length\n");
    EXPECT("*99999999999999999999\r\n", PROTOCOL_ERROR "invalid multibulk length\n");
}
END_TEST

START_TEST(a_bad_bulk_is_refused_in_redis_words)
{
    EXPECT("*1\r\n$x\r\n", PROTOCOL_ERROR "invalid bulk length\n");
    EXPECT("*1\r\n$-1\r\n", PROTOCOL_ERROR "invalid bulk length\n");
    EXPECT("*1\r\n$\r\n", PROTOCOL_ERROR "invalid bulk length\n");
    EXPECT("*1\r\n$99999999999999999999\r\n", PROTOCOL_ERROR "invalid bulk length\n");
    EXPECT("*1\r\n$16777217\r\n", PROTOCOL_ERROR "invalid bulk length\n");
    EXPECT("*1\r\n:4\r\n", PROTOCOL_ERROR "expected '$', got ':'\n");
    EXPECT("*1\r\n\n", PROTOCOL_ERROR "expected '$', got '\\x0a'\n");
    EXPECT("*1\r\n$1\r\nabc", PROTOCOL_ERROR "expected CRLF after a bulk\n");
}
END_TEST

START_TEST(what_came_before_an_error_is_still_told)
{
    EXPECT("PING\r\n*1\r\n$4\r\nPING\r\n*a\r\nPING\r\n",
           "1 words in 6 bytes: 4:PING\n1 words in 14 bytes: 4:PING\n" PROTOCOL_ERROR
           "invalid multibulk length\n");
}
END_TEST

START_TEST(header_lines_are_bounded)
{
    char bytes[400];
    int len = snprintf(bytes, sizeof(bytes), "*%0200d", 1);
    expect(str_make(bytes, (size_t)len), &fuzz_limits,
           PROTOCOL_ERROR "too big mbulk count string\n");
    len = snprintf(bytes, sizeof(bytes), "*1\r\n$%0200d", 1);
    expect(str_make(bytes, (size_t)len), &fuzz_limits,
           PROTOCOL_ERROR "too big bulk count string\n");
}
END_TEST

START_TEST(an_inline_line_is_bounded_with_its_end)
{
    char bytes[200], story[200];
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes + 126, "\r\n", 2);
    snprintf(story, sizeof(story), "1 words in 128 bytes: 126:%.126s\n", bytes);
    expect(str_make(bytes, 128), &fuzz_limits, story);

    memcpy(bytes + 126, "x\r\n", 3);
    expect(str_make(bytes, 128), &fuzz_limits, PROTOCOL_ERROR "too big inline request\n");
    expect(str_make(bytes, 129), &fuzz_limits, PROTOCOL_ERROR "too big inline request\n");
}
END_TEST

START_TEST(a_request_is_bounded_as_a_whole)
{
    char bytes[2100], story[1100];
    memset(bytes, 'x', sizeof(bytes));
    /* 11 + 1011 + 2 = 1024 bytes, the bound. */
    memcpy(bytes, "*1\r\n$1011\r\n", 11);
    memcpy(bytes + 11 + 1011, "\r\n", 2);
    snprintf(story, sizeof(story), "1 words in 1024 bytes: 1011:%.1011s\n", bytes + 11);
    expect(str_make(bytes, 1024), &fuzz_limits, story);

    memcpy(bytes, "*1\r\n$1012\r\n", 11);
    expect(str_make(bytes, 11), &fuzz_limits, PROTOCOL_ERROR "too big request\n");
    EXPECT_SMALL("*2\r\n$3\r\nabc\r\n$1010\r\n", PROTOCOL_ERROR "too big request\n");
}
END_TEST

START_TEST(arguments_are_bounded_inline_too)
{
    char bytes[80];
    for (int i = 0; i < 66; i++)
        bytes[i] = i % 2 == 0 ? 'a' : ' ';
    bytes[65] = '\n';
    expect(str_make(bytes, 66), &fuzz_limits, PROTOCOL_ERROR "too big inline request\n");
}
END_TEST

START_TEST(an_inline_line_ends_with_lf_or_crlf)
{
    EXPECT("PING\nPING\r\n \t \r\n\n", "1 words in 5 bytes: 4:PING\n1 words in 6 bytes: 4:PING\n"
                                       "0 words in 5 bytes:\n0 words in 1 bytes:\n");
}
END_TEST

START_TEST(double_quotes_unescape)
{
    EXPECT("\"a b\" \"\\x41\\n\\r\\t\\b\\a\\\\\\\"\\q\" \"\\xzz\"\r\n",
           "3 words in 37 bytes: 3:a b 9:A\n\r\t\b\a\\\"q 3:xzz\n");
    EXPECT("a\"b c\"\r\n", "1 words in 8 bytes: 4:ab c\n");
    EXPECT("\"\" ''\r\n", "2 words in 7 bytes: 0: 0:\n");
}
END_TEST

START_TEST(single_quotes_know_one_escape)
{
    EXPECT("'a\\'b' 'a\\nb' 'a\"b'\r\n", "3 words in 21 bytes: 3:a'b 4:a\\nb 3:a\"b\n");
}
END_TEST

START_TEST(unbalanced_quotes_are_refused)
{
    EXPECT("a \"b\r\n", PROTOCOL_ERROR "unbalanced quotes in request\n");
    EXPECT("'b\r\n", PROTOCOL_ERROR "unbalanced quotes in request\n");
    EXPECT("\"a\"b\r\n", PROTOCOL_ERROR "unbalanced quotes in request\n");
    EXPECT("\"a\\", "");
    EXPECT("\"a\\\n", PROTOCOL_ERROR "unbalanced quotes in request\n");
}
END_TEST

START_TEST(random_streams_tell_one_story_however_cut)
{
    static const char *const parts[] = {"*",
                                        "$",
                                        "1",
                                        "2",
                                        "3",
                                        "\r\n",
                                        "\n",
                                        "\r",
                                        "PING",
                                        "\"",
                                        " ",
                                        "'",
                                        "\\",
                                        "x41",
                                        "-1",
                                        "0",
                                        "abc",
                                        ":",
                                        "*1\r\n$1\r\na\r\n",
                                        "*2\r\n$1\r\na\r\n"};
    unsigned seed = 4711;
    for (int round = 0; round < 4000; round++) {
        char bytes[400];
        size_t len = 0;
        for (unsigned n = (seed >> 16) % 20 + 1; n > 0; n--) {
            seed = seed * 1103515245 + 12345;
            const char *part = parts[(seed >> 16) % (sizeof(parts) / sizeof(parts[0]))];
            memcpy(bytes + len, part, strlen(part));
            len += strlen(part);
        }
        ck_assert_msg(tells_one_story(str_make(bytes, len), &fuzz_limits, (seed >> 20) % len + 1),
                      "round %d", round);
    }
}
END_TEST

START_TEST(a_whole_request_is_parsed_in_place)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    evbuffer_add(in, "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nrest", 26);
    const char *bytes = (const char *)evbuffer_pullup(in, 1);
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
    ck_assert_ptr_eq(request.argv[1].ptr, bytes + 18);
    ck_assert_uint_eq(evbuffer_get_length(in), 26);
    ck_assert_uint_eq(request.size, 22);
    ck_assert_ptr_null(request.gathered);

    request_consume(&request, in);
    ck_assert_uint_eq(evbuffer_get_length(in), 4);
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(a_request_stays_ready_until_consumed)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    for (size_t cut = 5; cut <= 20; cut += 15) {
        const char bytes[] = "*1\r\n$4\r\nPING\r\nPING\r\n";
        add_piece(in, bytes, cut);
        if (cut < 20)
            add_piece(in, bytes + cut, 20 - cut);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
            ck_assert_int_eq(request.argc, 1);
            ck_assert(str_eq(request.argv[0], STR("PING")));
            ck_assert_uint_eq(request.size, 14);
            add_piece(in, " ", 1); /* what comes meanwhile does not matter */
        }
        request_consume(&request, in);
        ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
        ck_assert_uint_eq(request.size, 6);
        request_consume(&request, in);
        evbuffer_drain(in, evbuffer_get_length(in));
    }
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(an_announced_count_allocates_nothing_ahead)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    evbuffer_add(in, "*1048576\r\n$1\r\na\r\n$9000000\r\nx", 28);
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_PARTIAL);
    ck_assert_int_le(request.argv_room, 64);
    ck_assert_uint_le(request.gathered_room, 4096);
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(a_rest_in_the_middle_of_a_request_loses_nothing)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    const char *pieces[] = {"*2", "\r\n$4\r\nEC", "HO\r\n$", "1\r\na\r\n"};
    request_init(&request);
    for (int i = 0; i < 4; i++) {
        request_rest(&request);
        evbuffer_add_printf(in, "%s", pieces[i]);
        ck_assert_int_eq(request_parse(&request, in, &wide, &err),
                         i < 3 ? REQUEST_PARTIAL : REQUEST_READY);
    }
    request_rest(&request); /* nor of one that is ready */
    ck_assert_int_eq(request.argc, 2);
    ck_assert(str_eq(request.argv[0], STR("ECHO")) && str_eq(request.argv[1], STR("a")));
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(memory_of_a_huge_request_is_given_back)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    evbuffer_add_printf(in, "*10000\r\n");
    for (int i = 0; i < 10000; i++)
        evbuffer_add_printf(in, "$1\r\na\r\n");
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
    ck_assert_int_eq(request.argc, 10000);
    request_consume(&request, in);
    ck_assert_ptr_null(request.gathered);
    request_rest(&request);
    ck_assert_int_eq(request.argv_room, 0);
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

/* Copies made of a large bulk are counted by the memory's moves: each of them doubles it. */
START_TEST(a_large_bulk_in_small_pieces_is_copied_once)
{
    static char piece[16 << 10];
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    const int pieces = 1000;
    int growths = 0;
    request_init(&request);
    memset(piece, 'x', sizeof(piece));
    evbuffer_add_printf(in, "*1\r\n$%zu\r\n", sizeof(piece) * (size_t)pieces);
    for (int i = 0; i < pieces; i++) {
        size_t room = request.gathered_room;
        evbuffer_add(in, piece, sizeof(piece));
        ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_PARTIAL);
        ck_assert_uint_eq(evbuffer_get_length(in), 0);
        growths += request.gathered_room != room;
    }
    ck_assert_int_le(growths, 20);
    evbuffer_add(in, "\r\n", 2);
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
    ck_assert_uint_eq(request.argv[0].len, sizeof(piece) * (size_t)pieces);
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

START_TEST(a_pipeline_of_100000_requests_in_one_buffer_is_told_whole)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    int count = 0;
    request_init(&request);
    for (int i = 0; i < 100000; i++)
        evbuffer_add_printf(in, "*3\r\n$6\r\nMALLOC\r\n$4\r\npool\r\n$5\r\n%05d\r\n", i);
    while (request_parse(&request, in, &wide, &err) == REQUEST_READY) {
        char word[16];
        snprintf(word, sizeof(word), "%05d", count++);
        ck_assert(str_eq(request.argv[2], str_of(word)));
        request_consume(&request, in);
    }
    ck_assert_int_eq(count, 100000);
    ck_assert_uint_eq(evbuffer_get_length(in), 0);
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

/* A megabyte of one-byte pieces: anything that looks back would take minutes. */
START_TEST(a_megabyte_byte_by_byte_costs_its_length)
{
    struct evbuffer *in = evbuffer_new();
    struct request request;
    struct err err;
    request_init(&request);
    evbuffer_add_printf(in, "*131072\r\n");
    for (int i = 0; i < 131072; i++) {
        for (const char *c = "$2\r\nab\r\n"; *c != '\0'; c++) {
            ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_PARTIAL);
            evbuffer_add(in, c, 1);
        }
    }
    ck_assert_int_eq(request_parse(&request, in, &wide, &err), REQUEST_READY);
    ck_assert_int_eq(request.argc, 131072);
    for (int i = 0; i < request.argc; i++)
        ck_assert(str_eq(request.argv[i], STR("ab")));
    request_clear(&request);
    evbuffer_free(in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *words = tcase_create("words"), *bounds = tcase_create("bounds");
    TCase *cost = tcase_create("cost");
    tcase_set_timeout(bounds, 60);
    tcase_set_timeout(cost, 60);
    tcase_add_test(words, an_array_of_bulks_is_a_request);
    tcase_add_test(words, requests_one_after_another_are_told_apart);
    tcase_add_test(words, bytes_of_any_value_pass);
    tcase_add_test(words, an_empty_or_negative_count_is_an_empty_request);
    tcase_add_test(words, a_bad_count_is_refused_in_redis_words);
    tcase_add_test(words, a_bad_bulk_is_refused_in_redis_words);
    tcase_add_test(words, what_came_before_an_error_is_still_told);
    tcase_add_test(words, an_inline_line_ends_with_lf_or_crlf);
    tcase_add_test(words, double_quotes_unescape);
    tcase_add_test(words, single_quotes_know_one_escape);
    tcase_add_test(words, unbalanced_quotes_are_refused);
    tcase_add_test(bounds, header_lines_are_bounded);
    tcase_add_test(bounds, an_inline_line_is_bounded_with_its_end);
    tcase_add_test(bounds, a_request_is_bounded_as_a_whole);
    tcase_add_test(bounds, arguments_are_bounded_inline_too);
    tcase_add_test(bounds, random_streams_tell_one_story_however_cut);
    tcase_add_test(cost, a_whole_request_is_parsed_in_place);
    tcase_add_test(cost, a_request_stays_ready_until_consumed);
    tcase_add_test(cost, an_announced_count_allocates_nothing_ahead);
    tcase_add_test(cost, a_rest_in_the_middle_of_a_request_loses_nothing);
    tcase_add_test(cost, memory_of_a_huge_request_is_given_back);
    tcase_add_test(cost, a_large_bulk_in_small_pieces_is_copied_once);
    tcase_add_test(cost, a_pipeline_of_100000_requests_in_one_buffer_is_told_whole);
    tcase_add_test(cost, a_megabyte_byte_by_byte_costs_its_length);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, bounds);
    suite_add_tcase(suite, cost);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
