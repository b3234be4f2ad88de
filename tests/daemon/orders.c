/* orders: which free resource is handed out first, by a pool's settings. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void expect_field(const char *command, const char *name, const char *expected)
{
    char value[64];
    ck_assert_str_eq(rig_value(say(c, command), name, value, sizeof value), expected);
}

START_TEST(the_highest_priority_is_handed_out_first)
{
    expect(c, "CONFIG SET pool:p.order priority", "OK");
    expect(c, "POOL EXTEND p slow", "(integer) 1");
    expect(c, "POOL EXTEND p PRIORITY 10 fast-1 fast-2", "(integer) 2");
    expect(c, "POOL EXTEND p PRIORITY -1 KEYS last", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'fast-1'\n2) 'fast-2'\n3) 'slow'\n4) 'last'");
    expect(c, "MALLOC p", "'fast-1'");
    expect(c, "MALLOC p", "'fast-2'");
    expect(c, "MALLOC p", "'slow'");
    expect(c, "FREE p fast-2", "(integer) 1");
    expect(c, "MALLOC p", "'fast-2'");
    expect_field("POOL INFO p", "order", "\"priority\"");
    ck_assert_int_eq(rig_number(say(c, "POOL STATUS p fast-2"), "priority"), 10);
}
END_TEST

START_TEST(a_new_priority_counts_at_once)
{
    expect(c, "CONFIG SET pool:p.order priority", "OK");
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    expect(c, "POOL EXTEND p PRIORITY 1 c", "(integer) 0");
    expect(c, "MALLOC p", "'c'");
    expect(c, "POOL ASSIGN p PRIORITY 2 b d", "1) (integer) 1\n2) (integer) 2");
    expect(c, "POOL FREELIST p", "1) 'b'\n2) 'd'");
}
END_TEST

START_TEST(a_priority_that_means_nothing_is_an_error)
{
    expect(c, "POOL EXTEND p PRIORITY 1 a",
           "(error) ERR PRIORITY goes with order = priority; the order of this pool is fifo");
    expect(c, "POOL EXTEND p PRIORITY 1001 a",
           "(error) ERR PRIORITY is not a whole number from -1000 to 1000: '1001'");
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(lifo_hands_out_what_came_back_last)
{
    expect(c, "CONFIG SET pool:p.order lifo", "OK");
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    expect(c, "MALLOC p", "'c'");
    expect(c, "MALLOC p", "'b'");
    expect(c, "FREE p c", "(integer) 1");
    expect(c, "MALLOC p", "'c'");
}
END_TEST

START_TEST(least_used_hands_out_evenly)
{
    expect(c, "CONFIG SET pool:p.order least-used", "OK");
    expect(c, "POOL EXTEND p a b", "(integer) 2");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    expect(c, "POOL EXTEND p late", "(integer) 1");
    expect(c, "MALLOC p COUNT 2", "1) 'b'\n2) 'late'");
    ck_assert_int_eq(rig_number(say(c, "POOL STATUS p a"), "uses"), 1);
}
END_TEST

START_TEST(the_best_outcomes_go_first)
{
    expect(c, "CONFIG SET pool:p.order score", "OK");
    expect(c, "POOL EXTEND p a b", "(integer) 2");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p OUTCOME slow a", "(integer) 1");
    expect(c, "MALLOC p", "'b'");
    expect(c, "FREE p OUTCOME ok b", "(integer) 1");
    expect(c, "MALLOC p", "'b'");
}
END_TEST

START_TEST(a_new_order_is_kept_without_a_restart)
{
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    expect(c, "CONFIG SET pool:p.order priority", "OK");
    expect(c, "POOL EXTEND p PRIORITY 5 b", "(integer) 0");
    expect(c, "MALLOC p", "'b'");
    until(strcmp(say(c, "POOL CHECK p"), "(empty array)") == 0); /* by the sweep */
    expect(c, "CONFIG SET pool:p.order fifo", "OK");
    expect_field("POOL INFO p", "order", "\"fifo\"");
    expect(c, "FREE p b", "(integer) 1");
    expect_like(c, "POOL FREELIST p", "*3) 'b'");
}
END_TEST

int main(void)
{
    return RIG_RUN("orders", set_up, tear_down, the_highest_priority_is_handed_out_first,
                   a_new_priority_counts_at_once, a_priority_that_means_nothing_is_an_error,
                   lifo_hands_out_what_came_back_last, least_used_hands_out_evenly,
                   the_best_outcomes_go_first, a_new_order_is_kept_without_a_restart);
}
