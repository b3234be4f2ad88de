/* protocol: requests in every form and cut at every byte, replies in order, and bytes that are
 * none. */
#include "tests/lib/rig.h"
#include "tests/lib/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_daemon(&rig);
    c = node_client(node);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void send_text(const char *text)
{
    client_send_raw(c, text, strlen(text));
}

/* Sends bytes on a connection of their own; they must be answered by the error and its end. */
static void expect_broken(const char *bytes, size_t len, const char *pattern)
{
    struct client *other = node_client(node);
    client_send_raw(other, bytes, len);
    const char *reply = client_read_or_end(other);
    ck_assert_msg(reply != NULL, "no reply to %s", bytes);
    expect_text_like(reply, pattern);
    ck_assert(client_is_closed(other));
    client_close(other);
}

#define BROKEN(bytes, pattern) expect_broken(bytes, sizeof(bytes) - 1, pattern)

/* --- forms --- */

START_TEST(a_request_is_an_array_or_a_line)
{
    send_text("*1\r\n$4\r\nPING\r\n");
    expect_text(client_read(c), "PONG");
    send_text("PING\r\n");
    expect_text(client_read(c), "PONG");
    send_text("  PING   hello \n");
    expect_text(client_read(c), "'hello'");
}
END_TEST

START_TEST(a_line_may_have_quotes)
{
    send_text("ECHO \"a b\\x00\\n\\\"\"\r\n");
    expect_text(client_read(c), "\"a b\\x00\\n\\\"\"");
    send_text("ECHO 'it\\'s \\n'\r\n");
    expect_text(client_read(c), "\"it's \\\\n\"");
    send_text("ECHO \"\"\r\n");
    expect_text(client_read(c), "''");
}
END_TEST

START_TEST(a_quote_that_is_not_closed_ends_the_connection)
{
    BROKEN("ECHO \"a\r\n", "(error) ERR Protocol error: *quote*");
    BROKEN("ECHO 'a'b\r\n", "(error) ERR Protocol error: *quote*");
}
END_TEST

START_TEST(empty_requests_are_not_answered)
{
    send_text("\r\n\n*0\r\n*-1\r\n   \r\nPING\r\n");
    expect_text(client_read(c), "PONG");
    expect(c, "ECHO last", "'last'");
}
END_TEST

START_TEST(names_of_commands_do_not_care_for_case)
{
    expect(c, "pInG", "PONG");
    expect(c, "pool lEn p", "(integer) 0");
}
END_TEST

START_TEST(arguments_may_be_any_bytes)
{
    char bytes[256];
    size_t lens[] = {4, 256}, len;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    client_send_args(c, 2, (const char *const[]){"ECHO", bytes}, lens);
    const char *raw = client_read_raw(c, &len);
    ck_assert_int_eq((int)len, 6 + 256 + 2);
    ck_assert(memcmp(raw, "$256\r\n", 6) == 0 && memcmp(raw + 6, bytes, 256) == 0);
}
END_TEST

START_TEST(an_argument_may_be_large)
{
    size_t size = 10 << 20, len;
    char *bytes = malloc(size);
    memset(bytes, 'x', size);
    client_send_args(c, 2, (const char *const[]){"ECHO", bytes}, (size_t[]){4, size});
    client_read_raw(c, &len);
    ck_assert_int_eq((int)(len - size), 13);
    free(bytes);
}
END_TEST

START_TEST(a_request_may_have_many_arguments)
{
    struct text words = {0};
    text_addf(&words, "POOL EXTEND p");
    for (int i = 0; i < 50000; i++)
        text_addf(&words, " resource-%d", i);
    expect(c, words.bytes, "(integer) 50000");
    expect(c, "POOL LEN p", "(integer) 50000");
    text_clear(&words);
}
END_TEST

/* --- RESP3 --- */

START_TEST(hello_3_changes_the_types_of_replies)
{
    size_t len;
    expect_like(c, "HELLO 3", "*# 'server' => 'rallocd'\n*'proto' => (integer) 3\n*");
    client_send(c, "MALLOC p");
    ck_assert_str_eq(client_read_raw(c, &len), "_\r\n");
    client_send(c, "CONFIG GET server.maxclients");
    ck_assert_int_eq(client_read_raw(c, &len)[0], '%');
    expect_like(c, "HELLO 2", "*1) 'server'\n*");
    client_send(c, "MALLOC p");
    ck_assert_str_eq(client_read_raw(c, &len), "$-1\r\n");
}
END_TEST

START_TEST(hello_refuses_other_protocols)
{
    expect_like(c, "HELLO 4", "(error) NOPROTO *");
    expect_like(c, "HELLO x", "(error) ERR *");
    expect_like(c, "HELLO 3 FOO", "(error) ERR *FOO*");
    expect_like(c, "HELLO", "*'proto'\n*(integer) 2*");
}
END_TEST

START_TEST(hello_may_set_the_name)
{
    say(c, "HELLO 2 SETNAME me");
    expect(c, "CLIENT GETNAME", "'me'");
}
END_TEST

/* --- cut and packed --- */

START_TEST(requests_may_be_cut_at_every_byte)
{
    const char *const words[] = {"POOL EXTEND p r1 \"r 2\" r3",
                                 "MALLOC p TIMEOUT 50 NAME n",
                                 "FREE p r1",
                                 "UNBIND p n",
                                 "POOL LEN p",
                                 "POOL CLEAR p"};
    struct text request = {0}, replies = {0};
    struct client *other = node_client(node);
    size_t count = sizeof(words) / sizeof(words[0]);
    for (size_t i = 0; i < count; i++)
        wire_add_words(&request, words[i]);
    for (size_t i = 0; i < count; i++)
        text_addf(&replies, "%s;", say(c, words[i]));
    for (size_t cut = 1; cut < request.len; cut++) {
        struct text got = {0};
        client_send_raw(c, request.bytes, cut);
        expect(other, "PING", "PONG"); /* the first part has been read by then */
        client_send_raw(c, request.bytes + cut, request.len - cut);
        for (size_t i = 0; i < count; i++)
            text_addf(&got, "%s;", client_read(c));
        ck_assert_msg(strcmp(got.bytes, replies.bytes) == 0, "cut at %zu: %s", cut, got.bytes);
        text_clear(&got);
    }
    client_close(other);
    text_clear(&request);
    text_clear(&replies);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    struct text request = {0};
    wire_add_words(&request, "ECHO \"slow but sure\"");
    text_addf(&request, "ECHO 'inline'\r\n");
    for (size_t i = 0; i < request.len; i++) {
        client_send_raw(c, request.bytes + i, 1);
        if (i % 8 == 0)
            until_pause();
    }
    expect_text(client_read(c), "'slow but sure'");
    expect_text(client_read(c), "'inline'");
    text_clear(&request);
}
END_TEST

/* Sends all while reading, as a pipeline of that depth must. */
static void run_pipeline(const struct text *requests, int replies, void (*check)(int, const char *))
{
    size_t sent = 0;
    for (int i = 0; i < replies; i++) {
        while (!client_has_reply(c, 0)) {
            if (sent < requests->len)
                sent += client_send_some(c, requests->bytes + sent, requests->len - sent);
            else
                ck_assert_msg(client_has_reply(c, until_wait_ms()), "no reply to request %d", i);
        }
        check(i, client_read(c));
    }
    ck_assert_int_eq((int)(requests->len - sent), 0);
}

static void check_echo(int i, const char *reply)
{
    char expected[40];
    snprintf(expected, sizeof(expected), "\"%d\"", i);
    ck_assert_str_eq(reply, expected);
}

START_TEST(a_pipeline_of_100000_is_answered_in_order)
{
    struct text requests = {0};
    for (int i = 0; i < 100000; i++) {
        char words[40];
        snprintf(words, sizeof(words), "ECHO %d", i);
        wire_add_words(&requests, words);
    }
    run_pipeline(&requests, 100000, check_echo);
    text_clear(&requests);
}
END_TEST

static void check_mixed(int i, const char *reply)
{
    char expected[40];
    snprintf(expected, sizeof(expected), "\"%d\"", i);
    if (i % 4 == 0)
        ck_assert_str_eq(reply, "\"r\"");
    else if (i % 4 == 2)
        ck_assert_str_eq(reply, "(integer) 1");
    else
        ck_assert_str_eq(reply, expected);
}

START_TEST(a_pipeline_of_100000_that_goes_through_redis_is_answered_in_order)
{
    struct text requests = {0};
    expect(c, "POOL EXTEND p r", "(integer) 1");
    for (int i = 0; i < 100000; i++) {
        char words[40];
        snprintf(words, sizeof(words), "ECHO %d", i);
        wire_add_words(&requests, i % 4 == 0 ? "MALLOC p" : i % 4 == 2 ? "FREE p r" : words);
    }
    run_pipeline(&requests, 100000, check_mixed);
    text_clear(&requests);
}
END_TEST

START_TEST(a_pipeline_without_reading_is_held_back_and_goes_on)
{
    struct text requests = {0};
    char memory[100];
    for (int i = 0; i < 200000; i++)
        text_addf(&requests, "ECHO %0400d\r\n", i);
    size_t sent = 0, now;
    int64_t quiet_ms = until_now_ms();
    while (sent < requests.len && until_now_ms() - quiet_ms < 500) {
        now = client_send_some(c, requests.bytes + sent, requests.len - sent);
        if (now > 0)
            quiet_ms = until_now_ms();
        else
            until_pause();
        sent += now;
    }
    struct client *other = node_client(node);
    const char *info = say(other, "INFO memory");
    snprintf(memory, sizeof(memory), "%s", strstr(info, "used_memory_rss:") + 16);
    ck_assert_msg(atoll(memory) < 200 << 20, "memory: %s", memory);
    client_close(other);
    for (int i = 0; i < 200000; i++) {
        while (!client_has_reply(c, 0))
            sent += client_send_some(c, requests.bytes + sent, requests.len - sent);
        const char *reply = client_read(c);
        ck_assert_int_eq(atoi(reply + 390), i);
    }
    text_clear(&requests);
}
END_TEST

START_TEST(a_long_pipeline_does_not_keep_others_waiting)
{
    struct text requests = {0};
    struct client *other = node_client(node);
    for (int i = 0; i < 100000; i++)
        text_addf(&requests, "PING\r\n");
    client_send_some(c, requests.bytes, requests.len);
    int64_t began_ms = until_now_ms();
    expect(other, "PING", "PONG");
    ck_assert_int_lt(until_now_ms() - began_ms, 200);
    client_close(other);
    text_clear(&requests);
}
END_TEST

/* --- what is no request --- */

START_TEST(hostile_headers_are_answered_by_an_error_and_the_end)
{
    BROKEN("*a\r\n", "(error) ERR Protocol error: *");
    BROKEN("*1048577\r\n", "(error) ERR Protocol error: *");
    BROKEN("*99999999999999999999\r\n", "(error) ERR Protocol error: *");
    BROKEN("*1\r\nPING\r\n", "(error) ERR Protocol error: expected '$', got 'P'");
    BROKEN("*1\r\n:4\r\n", "(error) ERR Protocol error: expected '$', got ':'");
    BROKEN("*1\r\n$-1\r\n", "(error) ERR Protocol error: *bulk*");
    BROKEN("*1\r\n$x\r\n", "(error) ERR Protocol error: *bulk*");
    BROKEN("*1\r\n$99999999999\r\n", "(error) ERR Protocol error: *");
    BROKEN("*2\r\n$4\r\nPING\r\n$16777217\r\n", "(error) ERR Protocol error: *");
    BROKEN("*1\r\n$4\r\nPINGxx", "(error) ERR Protocol error: *");
    expect(c, "PING", "PONG");
}
END_TEST

START_TEST(a_line_without_end_is_cut_off_at_its_bound)
{
    char *bytes = malloc(70000);
    memset(bytes, 'a', 70000);
    expect_broken(bytes, 70000, "(error) ERR Protocol error: too big inline request");
    free(bytes);
}
END_TEST

START_TEST(a_request_over_max_request_ends_the_connection)
{
    expect(c, "CONFIG SET max_request 1024", "OK");
    struct text request = {0};
    text_addf(&request, "*2\r\n$4\r\nECHO\r\n$1024\r\n%01024d\r\n", 1);
    expect_broken(request.bytes, request.len, "(error) ERR Protocol error: *");
    text_clear(&request);
    for (int i = 0; i < 20; i++)
        text_addf(&request, i == 0 ? "*20\r\n" : "$100\r\n%0100d\r\n", 1);
    expect_broken(request.bytes, request.len, "(error) ERR Protocol error: *");
    text_clear(&request);
}
END_TEST

START_TEST(what_came_before_the_broken_bytes_is_answered)
{
    expect(c, "POOL EXTEND p r", "(integer) 1");
    send_text("ECHO a\r\nMALLOC p\r\nECHO b\r\n*x\r\nECHO never\r\n");
    expect_text(client_read(c), "'a'");
    expect_text(client_read(c), "'r'");
    expect_text(client_read(c), "'b'");
    expect_text_like(client_read(c), "(error) ERR Protocol error: *");
    ck_assert_ptr_null(client_read_or_end(c));
}
END_TEST

START_TEST(garbage_costs_nobody_else_anything)
{
    unsigned seed = 1;
    for (int round = 0; round < 300; round++) {
        char bytes[400];
        struct client *other = node_client(node);
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)(i < 3 && round % 2 == 0 ? "*3\r"[i] : rand_r(&seed) >> 7);
        client_send_raw(other, bytes, sizeof(bytes));
        client_close(other);
    }
    expect(c, "PING", "PONG");
}
END_TEST

START_TEST(protocol_errors_are_counted)
{
    BROKEN("*x\r\n", "(error) ERR Protocol error: *");
    ck_assert_ptr_nonnull(strstr(say(c, "INFO stats"), "protocol_errors:1\\r\\n"));
}
END_TEST

/* --- words of Redis --- */

START_TEST(unknown_commands_are_told_in_redis_words)
{
    expect_like(c, "FOO a b",
                "(error) ERR unknown command 'FOO', with args beginning with: 'a' 'b' *");
    expect_like(c, "\"\\x00\\r\\n\"", "(error) ERR unknown command *");
    expect_like(c, "ECHO", "(error) ERR wrong number of arguments for 'echo' command");
    expect_like(c, "PING a b", "(error) ERR wrong number of arguments for 'ping' command");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "protocol", set_up, tear_down, a_request_is_an_array_or_a_line, a_line_may_have_quotes,
        a_quote_that_is_not_closed_ends_the_connection, empty_requests_are_not_answered,
        names_of_commands_do_not_care_for_case, arguments_may_be_any_bytes,
        an_argument_may_be_large, a_request_may_have_many_arguments,
        hello_3_changes_the_types_of_replies, hello_refuses_other_protocols, hello_may_set_the_name,
        requests_may_be_cut_at_every_byte, a_request_may_come_byte_by_byte,
        a_pipeline_of_100000_is_answered_in_order,
        a_pipeline_of_100000_that_goes_through_redis_is_answered_in_order,
        a_pipeline_without_reading_is_held_back_and_goes_on,
        a_long_pipeline_does_not_keep_others_waiting,
        hostile_headers_are_answered_by_an_error_and_the_end,
        a_line_without_end_is_cut_off_at_its_bound, a_request_over_max_request_ends_the_connection,
        what_came_before_the_broken_bytes_is_answered, garbage_costs_nobody_else_anything,
        protocol_errors_are_counted, unknown_commands_are_told_in_redis_words);
}
