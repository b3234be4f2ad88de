/* together: what several daemons on one Redis do as one: pools, fences, the collector. */
#include "tests/lib/rig.h"
#include "tests/lib/wire.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct client *a, *b;

static void set_up(void)
{
    rig_start(&rig);
    a = node_client(rig_daemon(&rig));
    b = node_client(rig_daemon(&rig));
}

static void tear_down(void)
{
    client_close(a);
    client_close(b);
    rig_end(&rig);
}

static bool is_collector(struct client *client)
{
    return rig_number(say(client, "POOL INFO p"), "is_collector") == 1;
}

START_TEST(what_one_daemon_gives_another_takes_back)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(b, "MALLOC p OWNER me", "'r1'");
    expect_like(a, "HELD p me", "1) 1) 'r1'*");
    expect(a, "RENEW p r1 TIMEOUT 50", "(integer) 1");
    expect(a, "FREE p r1", "(integer) 1");
    expect(b, "POOL FREELIST p", "1) 'r2'\n2) 'r1'");
}
END_TEST

START_TEST(a_request_repeated_at_another_daemon_gets_the_same_lease)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    char *first = strdup(say(a, "MALLOC p REQID q WITHTOKEN"));
    char *end = strstr(first, "\n4)");
    ck_assert_ptr_nonnull(end);
    ck_assert_int_eq(strncmp(say(b, "MALLOC p REQID q WITHTOKEN"), first, (size_t)(end - first)),
                     0);
    free(first);
}
END_TEST

START_TEST(fences_grow_over_all_daemons)
{
    long last = 0;
    expect(a, "POOL EXTEND p r", "(integer) 1");
    for (int i = 0; i < 50; i++) {
        const char *lease = say(i % 2 == 0 ? a : b, "MALLOC p WITHTOKEN");
        long fence = strtol(strstr(lease, "3) (integer) ") + 13, NULL, 10);
        ck_assert_int_gt(fence, last);
        last = fence;
        expect(i % 3 == 0 ? a : b, "FREE p r", "(integer) 1");
    }
    ck_assert_str_eq(sayf(a, "FENCE CHECK x %ld", last), "(integer) 1");
    ck_assert_str_eq(sayf(b, "FENCE CHECK x %ld", last - 1), "(integer) 0");
}
END_TEST

START_TEST(one_daemon_collects_at_a_time)
{
    expect(a, "POOL EXTEND p r", "(integer) 1");
    expect(b, "POOL LEN p", "(integer) 1");
    until(is_collector(a) || is_collector(b));
    for (int i = 0; i < 50; i++) {
        ck_assert(!(is_collector(a) && is_collector(b)));
        until_pause();
    }
}
END_TEST

/* The other one takes over when the daemon that collects is killed. */
START_TEST(the_collector_is_replaced_when_it_is_killed)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(b, "POOL LEN p", "(integer) 2");
    until(is_collector(a) || is_collector(b));
    bool is_first = is_collector(a);
    struct client *left = is_first ? b : a;
    expect(left, "MALLOC p TIMEOUT 0.1", "'r1'");
    node_kill(&rig.nodes[is_first ? 0 : 1]);
    int64_t killed_ms = until_now_ms();
    until(strcmp(say(left, "POOL FREELIST p"), "1) \"r2\"\n2) \"r1\"") == 0);
    ck_assert_int_lt(until_now_ms() - killed_ms, 10000);
    until(is_collector(left));
}
END_TEST

START_TEST(an_expired_lease_comes_back_in_time_in_a_large_pool)
{
    enum { CALLS = 30, EACH = 10000 };
    for (int i = 0; i < CALLS; i++) {
        struct text words = {0};
        text_addf(&words, "POOL EXTEND p");
        for (int j = 0; j < EACH; j++)
            text_addf(&words, " r%d", i * EACH + j);
        expect(a, words.bytes, "(integer) 10000");
        text_clear(&words);
    }
    expect(a, "MALLOC p TIMEOUT 1", "'r0'");
    int64_t due_ms = until_now_ms() + 1000;
    until(strstr(say(a, "POOL STATUS p r0"), "\"free\"") != NULL);
    ck_assert_int_lt(until_now_ms() - due_ms, 2000);
    expect(b, "POOL LEN p", "(integer) 300000");
}
END_TEST

START_TEST(a_daemon_that_was_stopped_goes_on)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    node_signal(&rig.nodes[0], SIGSTOP);
    expect(b, "MALLOC p TIMEOUT 0.2", "'r1'");
    client_send(a, "MALLOC p");
    until(strcmp(say(b, "POOL FREELIST p"), "1) \"r2\"\n2) \"r1\"") == 0);
    node_signal(&rig.nodes[0], SIGCONT);
    expect_text(client_read(a), "'r2'");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "together", set_up, tear_down, what_one_daemon_gives_another_takes_back,
        a_request_repeated_at_another_daemon_gets_the_same_lease, fences_grow_over_all_daemons,
        one_daemon_collects_at_a_time, the_collector_is_replaced_when_it_is_killed,
        an_expired_lease_comes_back_in_time_in_a_large_pool, a_daemon_that_was_stopped_goes_on);
}
