/* limits: max_lease and max_per_owner as clients see them, at a daemon that has them in its
 * settings and at one that has not. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node, *bare;
static struct client *c, *other;

static void start(const char *setting)
{
    rig_start(&rig);
    node = rig_node(&rig);
    node_option(node, "--pool:p.%s", setting);
    node_start(node);
    c = node_client(node);
    expect(c, "POOL EXTEND p a b d", "(integer) 3");
    bare = rig_daemon(&rig);
    other = node_client(bare);
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

START_TEST(a_lease_lasts_no_longer_than_max_lease)
{
    start("max_lease=5");
    expect_like(c, "MALLOC p TIMEOUT 0 WITHTOKEN", "1) 'a'\n*4) (integer) 5000");
    expect_like(other, "MALLOC p WITHTOKEN", "1) 'b'\n*4) (integer) 5000");
    expect(other, "RENEW p b TIMEOUT 600", "(integer) 1");
    ck_assert_int_le(say_int(rig_redis(&rig), "PTTL rallocd|p:b"), 5000);
    expect_like(c, "MALLOCALL WITHTOKEN p 1", "1) 1) 1) 'd'\n*4) (integer) 5000");
}
END_TEST

START_TEST(a_session_ends_at_max_lease_and_is_told)
{
    start("max_lease=1.5");
    expect_like(other, "HELLO 3", "1# *");
    expect(other, "MALLOC p SESSION", "'a'");
    expect_text_like(client_read(other), "> 1) 'lost'\n2) 'p'\n3) 'a'\n*");
    until(say_int(rig_redis(&rig), "EXISTS rallocd|p:a") == 0);
}
END_TEST

START_TEST(an_owner_holds_no_more_than_max_per_owner)
{
    start("max_per_owner=2");
    expect(c, "MALLOC p OWNER me COUNT 3", "1) 'a'\n2) 'b'");
    expect(other, "MALLOC p OWNER me", "(error) QUOTA owner 'me' holds 2 of 2 (max_per_owner)");
    expect(other, "MALLOC p",
           "(error) ERR this pool wants OWNER of each MALLOC: it has max_per_owner");
    expect(other, "MALLOCALL OWNER me p 1",
           "(error) QUOTA owner 'me' holds 2 of 2 (max_per_owner)");
    expect(other, "MALLOC p OWNER you", "'d'");
    expect(c, "FREE p a", "(integer) 1");
    expect(c, "MALLOC p OWNER me", "'a'");
}
END_TEST

static void wait_in_line(struct client *client, const char *words)
{
    client_send(client, words);
    until(rig_number(say(c, "POOL INFO p"), "waiters") == 1);
}

START_TEST(who_waits_above_it_blocks_nobody)
{
    start("max_per_owner=1");
    expect(c, "MALLOC p OWNER me", "'a'");
    wait_in_line(other, "MALLOC p OWNER me WAIT 0");
    expect(c, "MALLOC p OWNER you", "'b'");
    expect(c, "FREE p b", "(integer) 1");
    ck_assert(!client_has_reply(other, 0));
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(other), "'d'");
}
END_TEST

START_TEST(a_lease_that_expires_lets_its_owner_go_on)
{
    start("max_per_owner=1");
    expect(c, "MALLOC p OWNER me TIMEOUT 0.3", "'a'");
    wait_in_line(other, "MALLOC p OWNER me WAIT 0");
    expect_text(client_read(other), "'b'");
}
END_TEST

START_TEST(mallocall_waits_until_its_owner_may_hold_more)
{
    start("max_per_owner=1");
    expect(c, "POOL EXTEND q z", "(integer) 1");
    expect(c, "MALLOC p OWNER me", "'a'");
    wait_in_line(other, "MALLOCALL OWNER me WAIT 0 p 1 q 1");
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(other), "1) 1) 'b'\n2) 1) 'z'");
}
END_TEST

int main(void)
{
    return RIG_RUN("limits", NULL, tear_down, a_lease_lasts_no_longer_than_max_lease,
                   a_session_ends_at_max_lease_and_is_told,
                   an_owner_holds_no_more_than_max_per_owner, who_waits_above_it_blocks_nobody,
                   a_lease_that_expires_lets_its_owner_go_on,
                   mallocall_waits_until_its_owner_may_hold_more);
}
