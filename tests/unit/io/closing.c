/* closing: every way in which a stream ends is told exactly once, and it may be freed anywhere. */
#include "tests/unit/io/stream_rig.h"
#include <malloc.h>

/* --- closing -------------------------------------------------------------------------------------
 */

START_TEST(a_peer_that_closes_is_told_once)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    ck_assert_int_eq(send(peer, "last words", 10, 0), 10);
    close(peer);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "closed by peer");
    ck_assert_uint_eq(owner.got_bytes, 10);
    turn_for_ms(10);
    /* What the owner still does with it has no effect. */
    write_bytes(owner.stream, 10);
    stream_resume(owner.stream);
    stream_close_when_written(owner.stream, "again", 10);
    turn_for_ms(30);
    ck_assert_int_eq(owner.closed, 1);
}
END_TEST

START_TEST(a_reset_is_told_once)
{
    int peer = accept_tcp(&no_options, &with_ended);
    struct linger reset = {.l_onoff = 1};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(peer);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "read: Connection reset by peer");
    turn_for_ms(10);
}
END_TEST

START_TEST(writing_to_a_peer_that_has_gone_is_told_once)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    stream_pause(owner.stream);
    close(peer);
    write_bytes(owner.stream, 10);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "write: Broken pipe");
    turn_for_ms(10);
}
END_TEST

START_TEST(a_half_closed_peer_still_gets_its_answers)
{
    int peer = accept_tcp(&no_options, &with_ended);
    size_t bytes = 0;
    ck_assert_int_eq(send(peer, "question", 8, 0), 8);
    shutdown(peer, SHUT_WR);
    UNTIL(owner.ended == 1);
    ck_assert_uint_eq(owner.got_bytes, 8);
    stream_resume(owner.stream); /* nothing more can come */
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);

    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "closed by peer", 5000);
    UNTIL(read_some(peer, &bytes) < 0);
    ck_assert_uint_eq(bytes, 4 << 20);
    UNTIL(owner.closed == 1);
    ck_assert_int_eq(owner.ended, 1);
    close(peer);
}
END_TEST

START_TEST(closing_writes_what_waits_and_sends_no_reset)
{
    int peer = accept_tcp(&no_options, &with_ended);
    size_t bytes = 0;
    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "protocol error", 5000);
    ck_assert_int_eq(owner.closed, 0);
    ck_assert_int_eq(send(peer, "more and more", 13, 0), 13); /* never read by us */
    UNTIL(read_some(peer, &bytes) < 0);
    ck_assert_uint_eq(bytes, 4 << 20);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "protocol error");
    ck_assert_uint_eq(owner.got_bytes, 0);
    close(peer);
}
END_TEST

START_TEST(closing_without_output_is_told_on_the_next_turn)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    char text[] = "because";
    stream_close_when_written(owner.stream, text, 5000);
    text[0] = '?'; /* it was borrowed */
    stream_close_when_written(owner.stream, "another reason", 5000);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    ck_assert_str_eq(owner.why, "because");
    close(peer);
}
END_TEST

START_TEST(closing_waits_no_longer_than_its_linger_time)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    write_bytes(owner.stream, 4 << 20);
    turn_for_ms(10); /* the socket is full */
    int64_t started_ms = now_ms();
    stream_close_when_written(owner.stream, "shutdown", 50);
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "shutdown");
    ck_assert_int_ge(now_ms() - started_ms, 40);
    ck_assert_int_lt(now_ms() - started_ms, 2000);
    close(peer);
}
END_TEST

START_TEST(closing_without_linger_waits_for_nothing)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    write_bytes(owner.stream, 4 << 20);
    stream_close_when_written(owner.stream, "now", 0);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    close(peer);
}
END_TEST

/* --- freeing -------------------------------------------------------------------------------------
 */

START_TEST(a_freed_stream_tells_nothing_and_closes_its_socket)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 10);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    stream_free(owner.stream);
    owner.is_freed = true;
    stream_free(NULL);
    UNTIL(recv(peer, &bytes, sizeof(bytes), 0) <= 0 && errno != EAGAIN);
    turn_for_ms(10);
    ck_assert_int_eq(owner.readable + owner.drained + owner.closed, 0);
    close(peer);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_opened)
{
    struct addr addr;
    int listener = listen_on("127.0.0.1:0", 5, &addr);
    owner.free_at = AT_OPENED;
    dial(&addr, &no_options);
    evbuffer_add(stream_out(owner.stream), "x", 1);
    stream_wrote(owner.stream);
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);
    close(listener);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_readable)
{
    owner.free_at = AT_READABLE;
    int peer = accept_pair(SOCK_STREAM, &no_options, &with_ended);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    close(peer); /* the end is there at once, too */
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.ended + owner.closed, 0);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_drained)
{
    for (int is_slow = 0; is_slow < 2; is_slow++) {
        memset(&owner, 0, sizeof(owner));
        owner.free_at = AT_DRAINED;
        int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
        size_t bytes = 0;
        write_bytes(owner.stream, is_slow ? 4 << 20 : 10);
        UNTIL((owner.is_freed ? 0 : read_some(peer, &bytes), owner.is_freed));
        turn_for_ms(20);
        ck_assert_int_eq(owner.closed, 0);
        close(peer);
    }
}
END_TEST

START_TEST(a_stream_can_be_freed_in_ended)
{
    owner.free_at = AT_ENDED;
    int peer = accept_pair(SOCK_STREAM, &no_options, &with_ended);
    close(peer);
    UNTIL(owner.is_freed);
    turn_for_ms(20);
    ck_assert_int_eq(owner.closed, 0);
}
END_TEST

START_TEST(a_stream_can_be_freed_in_closed_whatever_the_reason)
{
    struct stream_options options = {
        .write_timeout_ms = 20, .max_output = 6 << 20, .connect_timeout_ms = 20};
    for (int way = 0; way < 7; way++) {
        struct addr addr;
        memset(&owner, 0, sizeof(owner));
        owner.free_at = AT_CLOSED;
        int peer = way < 6 ? accept_pair(SOCK_STREAM, &options, &plain)
                           : listen_on("127.0.0.1:0", -1, &addr);
        if (way == 0)
            shutdown(peer, SHUT_WR);
        else if (way == 1 || way == 2)
            write_bytes(owner.stream, way == 1 ? 4 << 20 : 7 << 20);
        else if (way == 3 || way == 4)
            stream_close_when_written(owner.stream, "over", way == 3 ? 10 : 0);
        if (way == 5) {
            write_bytes(owner.stream, 4 << 20);
            stream_close_when_written(owner.stream, "over", 10);
        } else if (way == 6) {
            dial(&addr, &options);
        }
        UNTIL(owner.is_freed);
        turn_for_ms(20);
        ck_assert_int_eq(owner.closed, 1);
        close(peer);
    }
}
END_TEST

START_TEST(an_idle_stream_is_small)
{
    enum { COUNT = 200 };
    static struct stream *streams[COUNT];
    static int peers[COUNT];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        peers[i] = accept_pair(SOCK_STREAM, &no_options, &plain);
        streams[i] = owner.stream;
    }
    for (int i = 0; i < COUNT; i++) { /* used once, then idle */
        ck_assert_int_eq(send(peers[i], "abc", 3, 0), 3);
        write_bytes(streams[i], 10);
    }
    for (int i = 0; i < COUNT; i++) {
        owner.stream = streams[i];
        size_t bytes = 0;
        UNTIL((read_some(peers[i], &bytes), bytes == 10));
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT;
    ck_assert_msg(each < 768, "%zu bytes", each);
    for (int i = 0; i < COUNT; i++) {
        stream_free(streams[i]);
        close(peers[i]);
    }
    owner.is_freed = true;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("closing");
    TCase *closing = rigged_case(suite, "closing");
    TCase *freeing = rigged_case(suite, "freeing");
    tcase_add_test(closing, a_peer_that_closes_is_told_once);
    tcase_add_test(closing, a_reset_is_told_once);
    tcase_add_test(closing, writing_to_a_peer_that_has_gone_is_told_once);
    tcase_add_test(closing, a_half_closed_peer_still_gets_its_answers);
    tcase_add_test(closing, closing_writes_what_waits_and_sends_no_reset);
    tcase_add_test(closing, closing_without_output_is_told_on_the_next_turn);
    tcase_add_test(closing, closing_waits_no_longer_than_its_linger_time);
    tcase_add_test(closing, closing_without_linger_waits_for_nothing);
    tcase_add_test(freeing, a_freed_stream_tells_nothing_and_closes_its_socket);
    tcase_add_test(freeing, a_stream_can_be_freed_in_opened);
    tcase_add_test(freeing, a_stream_can_be_freed_in_readable);
    tcase_add_test(freeing, a_stream_can_be_freed_in_drained);
    tcase_add_test(freeing, a_stream_can_be_freed_in_ended);
    tcase_add_test(freeing, a_stream_can_be_freed_in_closed_whatever_the_reason);
    tcase_add_test(freeing, an_idle_stream_is_small);
    return run_suite(suite);
}
