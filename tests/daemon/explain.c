/* explain: what is seen of a line: EXPLAIN, REPORT, POOL INFO. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *others[3];

static void set_up(void)
{
    rig_start(&rig);
    node = rig_daemon(&rig);
    c = node_client(node);
    for (int i = 0; i < 3; i++) {
        others[i] = node_client(node);
        expect_like(others[i], "HELLO 3", "1# *");
    }
    expect(c, "POOL EXTEND p r", "(integer) 1");
}

static void tear_down(void)
{
    client_close(c);
    for (int i = 0; i < 3; i++)
        client_close(others[i]);
    rig_end(&rig);
}

static void wait_in_line(int i, const char *words)
{
    int64_t before = rig_number(say(c, "POOL INFO p"), "waiters");
    client_send(others[i], words);
    until(rig_number(say(c, "POOL INFO p"), "waiters") == before + 1);
}

START_TEST(explain_tells_who_holds_what_and_who_waits)
{
    expect(c, "MALLOC p OWNER me TIMEOUT 100", "'r'");
    wait_in_line(0, "MALLOC p WAIT 0 OWNER you");
    wait_in_line(1, "MALLOC p WAIT 0 COUNT 2 ALL");
    expect_like(others[2], "EXPLAIN p",
                "1# 'free' => (integer) 0\n2# 'leased' => (integer) 1\n3# 'aside' => (integer) 0\n"
                "4# 'paused' => (integer) 0\n5# 'waiters' => (integer) 2\n"
                "6# 'leases' =>*1# 'resource' => 'r'\n*2# 'owner' => 'me'\n*3# 'ttl_ms' => "
                "(integer) 9*\n7# 'line' =>*1# 'place' => (integer) 1\n*2# 'asks' => '1'\n*3# "
                "'owner' => 'you'\n*4# 'waited_ms' => (integer) *5# 'expected_ms' => (integer) 9*"
                "1# 'place' => (integer) 2\n*2# 'asks' => '2 ALL'\n*3# 'owner' => (nil)\n*5# "
                "'expected_ms' => (integer) -1*");
}
END_TEST

START_TEST(explain_of_a_pool_with_nothing_to_tell_is_short)
{
    expect(c, "EXPLAIN p",
           " 1) 'free'\n 2) (integer) 1\n 3) 'leased'\n 4) (integer) 0\n 5) 'aside'\n 6) "
           "(integer) 0\n 7) 'paused'\n 8) (integer) 0\n 9) 'waiters'\n10) (integer) 0\n"
           "11) 'leases'\n12) (empty array)\n13) 'line'\n14) (empty array)");
}
END_TEST

START_TEST(explain_tells_as_many_as_count)
{
    expect(c, "POOL EXTEND p s t", "(integer) 2");
    expect(c, "MALLOC p COUNT 3", "1) 'r'\n2) 's'\n3) 't'");
    const char *reply = say(c, "EXPLAIN p COUNT 2");
    ck_assert_ptr_nonnull(strstr(reply, "\"s\""));
    ck_assert_ptr_null(strstr(reply, "\"t\""));
    expect_like(c, "EXPLAIN p COUNT 1001", "(error) ERR COUNT of EXPLAIN is not from 1 to 1000*");
    expect_like(c, "EXPLAIN p COUNT 0", "(error) ERR COUNT *");
}
END_TEST

START_TEST(report_tells_the_place_and_when_it_changes)
{
    expect(c, "MALLOC p TIMEOUT 100", "'r'");
    wait_in_line(0, "MALLOC p WAIT 0 REPORT TIMEOUT 10");
    expect_text_like(client_read(others[0]), "> 1) 'waiting'\n2) (integer) 1\n3) (integer) 9*");
    wait_in_line(1, "MALLOC p WAIT 0 REPORT");
    expect_text_like(client_read(others[1]), "> 1) 'waiting'\n2) (integer) 2\n3) (integer) 10*");
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[0]), "'r'");
    expect_text_like(client_read(others[1]), "> 1) 'waiting'\n2) (integer) 1\n3) (integer) ????");
    ck_assert(!client_has_reply(others[1], 1100)); /* nothing has changed */
    expect(c, "FREE p r", "(integer) 1");
    expect_text(client_read(others[1]), "'r'");
}
END_TEST

START_TEST(report_wants_resp3_and_wait)
{
    expect(c, "MALLOC p WAIT 5 REPORT", "(error) ERR REPORT wants RESP3: say HELLO 3 first");
    expect(others[0], "MALLOC p REPORT", "(error) ERR syntax error: REPORT goes with WAIT");
    expect(c, "MALLOC p", "'r'");
}
END_TEST

int main(void)
{
    return RIG_RUN("explain", set_up, tear_down, explain_tells_who_holds_what_and_who_waits,
                   explain_of_a_pool_with_nothing_to_tell_is_short, explain_tells_as_many_as_count,
                   report_tells_the_place_and_when_it_changes, report_wants_resp3_and_wait);
}
