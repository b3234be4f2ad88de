/* stream: reading, writing, and the bounds on both. */
#include "tests/unit/io/stream_rig.h"

START_TEST(many_small_adds_make_one_write)
{
    int peer = accept_pair(SOCK_SEQPACKET, &no_options, &plain);
    char got[256];
    for (int i = 0; i < 100; i++) {
        evbuffer_add(stream_out(owner.stream), "ab", 2);
        stream_wrote(owner.stream);
    }
    ck_assert_int_eq(recv(peer, got, sizeof(got), 0), -1); /* not before the loop turns */
    UNTIL(owner.drained == 1);
    ck_assert_int_eq(recv(peer, got, sizeof(got), 0), 200);
    close(peer);
}
END_TEST

START_TEST(a_paused_stream_reads_nothing)
{
    int peer = accept_pair(SOCK_STREAM, &no_options, &plain);
    stream_pause(owner.stream);
    ck_assert_int_eq(send(peer, "abc", 3, 0), 3);
    turn_for_ms(20);
    ck_assert_int_eq(owner.readable, 0);
    stream_resume(owner.stream);
    UNTIL(owner.got_bytes == 3);
    close(peer);
}
END_TEST

START_TEST(much_output_reaches_a_reading_peer_whole)
{
    int peer = accept_tcp(&(struct stream_options){.max_output = 64 << 20}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 32 << 20);
    UNTIL((read_some(peer, &bytes), bytes == 32 << 20));
    UNTIL(owner.drained >= 1 && evbuffer_get_length(stream_out(owner.stream)) == 0);
    ck_assert_int_le(owner.drained, 2); /* under half; empty */
    ck_assert_int_eq(owner.closed, 0);
    /* The next small reply goes the short way again. */
    write_bytes(owner.stream, 10);
    UNTIL((read_some(peer, &bytes), bytes == (32 << 20) + 10));
    close(peer);
}
END_TEST

START_TEST(drained_is_told_under_half_of_the_bound)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.max_output = 8 << 20}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 8 << 20);
    turn_for_ms(10);
    ck_assert_int_eq(owner.drained, 0);
    UNTIL((read_some(peer, &bytes), owner.drained == 1));
    ck_assert_uint_le(evbuffer_get_length(stream_out(owner.stream)), 4 << 20);
    ck_assert_uint_gt(evbuffer_get_length(stream_out(owner.stream)), 0);
    close(peer);
}
END_TEST

/* --- bounds --------------------------------------------------------------------------------------
 */

START_TEST(output_over_its_bound_closes_on_the_next_turn)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.max_output = 1 << 20}, &plain);
    write_bytes(owner.stream, 1 << 20);
    write_bytes(owner.stream, 1);
    write_bytes(owner.stream, 1);
    ck_assert_int_eq(owner.closed, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(owner.closed, 1);
    ck_assert_str_eq(owner.why, "output over 1 MiB");
    turn_for_ms(10);
    close(peer);
}
END_TEST

START_TEST(a_peer_that_takes_nothing_is_closed_by_the_write_timeout)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 50}, &plain);
    write_bytes(owner.stream, 4 << 20);
    int64_t started_ms = now_ms();
    UNTIL(owner.closed == 1);
    ck_assert_str_eq(owner.why, "write timeout");
    ck_assert_int_ge(now_ms() - started_ms, 40);
    close(peer);
}
END_TEST

START_TEST(the_write_timeout_counts_only_while_output_waits)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 30}, &plain);
    size_t bytes = 0;
    turn_for_ms(90);
    ck_assert_int_eq(owner.closed, 0);
    write_bytes(owner.stream, 4 << 20); /* waits, then leaves */
    UNTIL((read_some(peer, &bytes), bytes == 4 << 20));
    turn_for_ms(90);
    write_bytes(owner.stream, 10);
    turn_for_ms(90);
    ck_assert_int_eq(owner.closed, 0);
    close(peer);
}
END_TEST

START_TEST(a_slow_but_steady_reader_is_not_closed)
{
    int peer = accept_pair(SOCK_STREAM, &(struct stream_options){.write_timeout_ms = 60}, &plain);
    size_t bytes = 0;
    write_bytes(owner.stream, 8 << 20);
    for (int i = 0; i < 15; i++) {
        turn_for_ms(20);
        for (int j = 0; j < 8; j++)
            read_some(peer, &bytes);
    }
    ck_assert_int_eq(owner.closed, 0);
    ck_assert_uint_gt(evbuffer_get_length(stream_out(owner.stream)), 0);
    close(peer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *passing = rigged_case(suite, "passing");
    tcase_add_test(passing, many_small_adds_make_one_write);
    tcase_add_test(passing, a_paused_stream_reads_nothing);
    tcase_add_test(passing, much_output_reaches_a_reading_peer_whole);
    tcase_add_test(passing, drained_is_told_under_half_of_the_bound);
    tcase_add_test(passing, output_over_its_bound_closes_on_the_next_turn);
    tcase_add_test(passing, a_peer_that_takes_nothing_is_closed_by_the_write_timeout);
    tcase_add_test(passing, the_write_timeout_counts_only_while_output_waits);
    tcase_add_test(passing, a_slow_but_steady_reader_is_not_closed);
    return run_suite(suite);
}
