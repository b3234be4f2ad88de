/* wire, inflight: the bytes of a call, and the ring of those that wait. */
#include "redis/wire.h"
#include "base/mem.h"
#include "redis/inflight.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char *written(const struct wire_head *head, const struct call *call)
{
    size_t size = wire_call_size(head, call);
    char *out = mem_alloc(size + 1);
    wire_call(out, head, call);
    out[size] = '\0';
    return out;
}

START_TEST(a_plain_command_is_an_array_of_bulks)
{
    const struct str args[] = {STR("SET"), STR("key"), STR(""), STR("0123456789")};
    const struct call call = {.args = args, .arg_count = 4};
    char *out = written(NULL, &call);
    ck_assert_str_eq(out, "*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n$10\r\n0123456789\r\n");
    mem_free(out);
}
END_TEST

START_TEST(a_script_is_called_by_its_sha_with_keys_before_arguments)
{
    const struct script script = {.sha = "0123456789012345678901234567890123456789",
                                  .key_count = 2};
    const struct str keys[] = {STR("a"), STR("b")};
    const struct str args[] = {STR("1")};
    const struct call call = {
        .script = SCRIPT_COUNT, .keys = keys, .key_count = 2, .args = args, .arg_count = 1};
    struct wire_head head;
    wire_head_init(&head, &script);
    char *out = written(&head, &call);
    ck_assert_str_eq(out, "*6\r\n$7\r\nEVALSHA\r\n$40\r\n0123456789012345678901234567890123456789"
                          "\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\n1\r\n");
    mem_free(out);
}
END_TEST

START_TEST(a_script_may_get_more_keys_than_its_header_names)
{
    const struct script script = {.sha = "0123456789012345678901234567890123456789",
                                  .key_count = 2};
    struct str keys[12];
    struct wire_head head;
    for (int i = 0; i < 12; i++)
        keys[i] = STR("k");
    const struct call call = {.script = SCRIPT_COUNT, .keys = keys, .key_count = 12};
    wire_head_init(&head, &script);
    char *out = written(&head, &call);
    ck_assert_str_eq(out, "*15\r\n$7\r\nEVALSHA\r\n$40\r\n0123456789012345678901234567890123456789"
                          "\r\n$2\r\n12\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk"
                          "\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk\r\n$1\r\nk"
                          "\r\n$1\r\nk\r\n");
    mem_free(out);
}
END_TEST

/* Each request is its own number in decimal, so the bytes tell which one they are. */
static void push(struct inflight *inflight, int number)
{
    char text[16];
    size_t len = (size_t)snprintf(text, sizeof(text), "%d", number);
    const struct pending pending = {.resends = number};
    memcpy(inflight_push(inflight, &pending, len), text, len);
}

static void pop_is(struct inflight *inflight, int number)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    ck_assert_int_eq(inflight_first(inflight)->resends, number);
    ck_assert(str_eq(inflight_first_bytes(inflight), str_of(text)));
    inflight_pop(inflight);
}

START_TEST(requests_come_back_in_their_order_with_their_bytes)
{
    struct inflight inflight;
    int pushed = 0, popped = 0;
    inflight_init(&inflight);
    ck_assert_ptr_null(inflight_first(&inflight));
    /* Bursts of changing size, so that the ring wraps, the bytes move and both grow. */
    for (int round = 1; round < 400; round++) {
        for (int i = 0; i < round; i++)
            push(&inflight, pushed++);
        for (int i = 0; i < (round % 3 == 0 ? round : round - 1); i++)
            pop_is(&inflight, popped++);
    }
    while (popped < pushed)
        pop_is(&inflight, popped++);
    ck_assert_ptr_null(inflight_first(&inflight));
    inflight_clear(&inflight);
}
END_TEST

START_TEST(a_large_request_leaves_no_large_buffer_behind)
{
    struct inflight inflight;
    const struct pending pending = {0};
    size_t size = (size_t)8 * 1024 * 1024;
    inflight_init(&inflight);
    memset(inflight_push(&inflight, &pending, size), 'x', size);
    inflight_pop(&inflight);
    ck_assert_uint_eq(inflight.bytes_room, 0);
    inflight_clear(&inflight);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *tests = tcase_create("wire");
    tcase_add_test(tests, a_plain_command_is_an_array_of_bulks);
    tcase_add_test(tests, a_script_is_called_by_its_sha_with_keys_before_arguments);
    tcase_add_test(tests, a_script_may_get_more_keys_than_its_header_names);
    tcase_add_test(tests, requests_come_back_in_their_order_with_their_bytes);
    tcase_add_test(tests, a_large_request_leaves_no_large_buffer_behind);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
