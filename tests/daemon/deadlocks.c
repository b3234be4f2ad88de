/* deadlocks: connections that hold something and wait for each other, on one daemon and on two. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct client *a, *b, *d;

static void set_up(void)
{
    rig_start(&rig);
    rig_daemon(&rig);
    rig_daemon(&rig);
    a = node_client(&rig.nodes[0]);
    b = node_client(&rig.nodes[1]);
    d = node_client(&rig.nodes[0]);
}

static void tear_down(void)
{
    client_close(a);
    client_close(b);
    client_close(d);
    rig_end(&rig);
}

/* The second stands in line behind the first. */
static void wait_for(struct client *client, const char *words, const char *line, int count)
{
    char ask[100];
    snprintf(ask, sizeof ask, "ZCARD %s", line);
    client_send(client, words);
    until(say_int(rig_redis(&rig), ask) == count);
}

#define LOCKS "rallocd|lock|waiters"
#define POOL  "rallocd|p|pool|waiters"

START_TEST(of_two_that_wait_for_each_other_the_younger_is_told)
{
    say(a, "LOCK x ann SESSION");
    say(b, "LOCK y bob SESSION");
    wait_for(a, "LOCK y ann SESSION WAIT 0", LOCKS, 1);
    wait_for(b, "LOCK x bob SESSION WAIT 0", LOCKS, 2);
    expect_text(client_read(b), "(error) DEADLOCK bob waits for lock x, which ann holds, who waits "
                                "for lock y, which bob holds");
    ck_assert(!client_has_reply(a, 0));
    expect(b, "UNLOCK y bob", "(integer) 1");
    expect_text_like(client_read(a), "(integer) *");
    expect(b, "LOCK x bob WAIT 50", "(nil)");
    ck_assert_ptr_nonnull(strstr(say(b, "INFO pools"), "deadlocks:1\\r\\n"));
    until(say_int(rig_redis(&rig), "EXISTS rallocd|lock|graph " LOCKS) == 0);
}
END_TEST

START_TEST(pools_and_locks_make_one_graph)
{
    expect(a, "POOL EXTEND p r", "(integer) 1");
    expect(a, "CLIENT SETNAME ann", "OK");
    expect(a, "MALLOC p SESSION", "'r'");
    say(b, "LOCK y bob SESSION");
    wait_for(b, "MALLOC p OWNER bob SESSION WAIT 0", POOL, 1);
    wait_for(a, "LOCK y anna WAIT 0", LOCKS, 1);
    expect_text(client_read(a), "(error) DEADLOCK anna waits for lock y, which bob holds, who "
                                "waits for pool p, which anna holds");
    expect(a, "FREE p r", "(integer) 1");
    expect_text(client_read(b), "'r'");
}
END_TEST

START_TEST(gangs_are_part_of_it)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(a, "POOL EXTEND q s", "(integer) 1");
    say(a, "LOCK x ann SESSION");
    expect(b, "MALLOC q SESSION OWNER bob", "'s'");
    wait_for(b, "LOCK x bob SESSION WAIT 0", LOCKS, 1);
    client_send(a, "MALLOCALL WAIT 0 OWNER ann p 2 q 1");
    expect_text(client_read(a), "(error) DEADLOCK ann waits for pool q, which bob holds, who waits "
                                "for lock x, which ann holds");
    expect(d, "POOL FREELIST p", "1) 'r1'\n2) 'r2'");
    expect(a, "UNLOCK x ann", "(integer) 1");
    expect_text_like(client_read(b), "(integer) *");
}
END_TEST

START_TEST(three_in_a_ring_are_told_by_name)
{
    say(a, "LOCK x ann SESSION");
    say(b, "LOCK y bob SESSION IN s");
    say(d, "LOCK z dan SESSION");
    wait_for(a, "LOCK y ann SESSION WAIT 0 IN s", LOCKS, 1);
    wait_for(b, "LOCK z bob SESSION WAIT 0", LOCKS, 2);
    wait_for(d, "LOCKALL dan SESSION WAIT 0 free x", LOCKS, 3);
    expect_text(client_read(d),
                "(error) DEADLOCK dan waits for lock x, which ann holds, who waits for set s lock "
                "y, which bob holds, who waits for lock z, which dan holds");
    client_close(d);
    d = node_client(&rig.nodes[0]);
    expect_text_like(client_read(b), "(integer) *");
}
END_TEST

START_TEST(who_can_still_be_served_is_left_alone)
{
    expect(a, "POOL EXTEND p r1 r2 r3", "(integer) 3");
    expect(a, "MALLOC p SESSION", "'r1'");
    expect(b, "MALLOC p SESSION", "'r2'");
    expect(d, "MALLOC p", "'r3'"); /* not with its session: it may come back */
    wait_for(a, "MALLOC p SESSION WAIT 4000", POOL, 1);
    wait_for(b, "MALLOC p SESSION WAIT 4000", POOL, 2);
    ck_assert(!client_has_reply(b, 3200));
    expect(d, "FREE p r3", "(integer) 1");
    expect_text(client_read(a), "'r3'");
    expect_text(client_read(b), "(nil)");
}
END_TEST

/* Nobody else holds what they wait for: only their own pool's size says that this cannot end. */
START_TEST(a_pool_that_is_held_by_those_who_want_more_of_it_is_a_deadlock)
{
    expect(a, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(a, "MALLOC p SESSION OWNER ann", "'r1'");
    expect(b, "MALLOC p SESSION OWNER bob", "'r2'");
    wait_for(a, "MALLOC p SESSION OWNER ann WAIT 0", POOL, 1);
    wait_for(b, "MALLOC p SESSION OWNER bob WAIT 0", POOL, 2);
    expect_text(client_read(b), "(error) DEADLOCK bob waits for pool p, which ann holds, who waits "
                                "for pool p, which bob holds");
    client_close(b);
    b = node_client(&rig.nodes[1]);
    expect_text(client_read(a), "'r2'");
}
END_TEST

int main(void)
{
    return RIG_RUN("deadlocks", set_up, tear_down,
                   of_two_that_wait_for_each_other_the_younger_is_told,
                   pools_and_locks_make_one_graph, gangs_are_part_of_it,
                   three_in_a_ring_are_told_by_name, who_can_still_be_served_is_left_alone,
                   a_pool_that_is_held_by_those_who_want_more_of_it_is_a_deadlock);
}
