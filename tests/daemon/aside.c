/* aside: what keeps resources from being handed out, as clients see it: POOL QUARANTINE RESTORE
 * DRAIN PAUSE RESUME, OUTCOME, and the settings rest, rate and breaker. */
#include "tests/lib/rig.h"
#include <string.h>

static struct rig rig;
static struct client *c, *other;

static void set_up(void)
{
    rig_start(&rig);
    struct node *node = rig_node(&rig);
    node_option(node, "--pool:rested.rest=100");
    node_option(node, "--pool:paced.rate=2/h");
    node_option(node, "--pool:broken.breaker=2");
    node_start(node);
    c = node_client(node);
    other = node_client(rig_daemon(&rig)); /* without any section */
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

#define expect_state(client, pool, resource, state)                                            \
    do {                                                                                       \
        char text_[40];                                                                        \
        ck_assert_str_eq(rig_value(sayf(client, "POOL STATUS %s %s", pool, resource), "state", \
                                   text_, sizeof text_),                                       \
                         "\"" state "\"");                                                     \
    } while (0)

START_TEST(a_quarantined_resource_is_not_handed_out_by_any_daemon)
{
    expect(c, "POOL QUARANTINE p r1 TIMEOUT 100 REASON \"fan broken\"", "(integer) 1");
    expect(other, "MALLOC p COUNT 2", "1) 'r2'");
    expect_state(other, "p", "r1", "quarantined");
    expect_like(other, "POOL STATUS p r1", "*'why'\n*'fan broken'\n*");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "quarantined"), 1);
    expect(c, "POOL RESTORE p r1", "(integer) 1");
    expect(other, "MALLOC p", "'r1'");
    expect(c, "POOL RESTORE p r1", "(integer) 0");
    expect(c, "POOL QUARANTINE p stranger", "(integer) 0");
}
END_TEST

START_TEST(restore_serves_who_waits)
{
    expect(c, "POOL QUARANTINE p r1", "(integer) 1");
    expect(c, "MALLOC p", "'r2'");
    client_send(other, "MALLOC p WAIT 0");
    until(rig_number(say(c, "POOL INFO p"), "waiters") == 1);
    expect(c, "POOL RESTORE p r1", "(integer) 1");
    expect_text_like_at(__FILE__, __LINE__, client_read(other), "'r1'");
}
END_TEST

START_TEST(a_leased_resource_is_quarantined_when_it_comes_back)
{
    expect(c, "MALLOC p", "'r1'");
    expect(other, "POOL QUARANTINE p r1", "(integer) 1");
    expect_state(c, "p", "r1", "leased");
    expect(c, "FREE p r1", "(integer) 1");
    expect_state(c, "p", "r1", "quarantined");
    expect(c, "MALLOC p COUNT 2", "1) 'r2'");
}
END_TEST

START_TEST(a_drained_resource_leaves_when_it_comes_back)
{
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL DRAIN p r1", "(integer) 1");
    expect(c, "POOL DRAIN p r2", "(integer) 1");
    expect(c, "POOL KEYS p", "1) 'r1'");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL LEN p", "(integer) 0");
    expect(c, "POOL DRAIN p r1", "(integer) 0");
}
END_TEST

START_TEST(a_paused_pool_grants_nothing_until_it_is_resumed)
{
    expect(c, "POOL PAUSE p", "(integer) 1");
    expect(c, "POOL PAUSE p", "(integer) 0");
    expect(other, "MALLOC p", "(nil)");
    ck_assert_int_eq(rig_number(say(c, "EXPLAIN p"), "paused"), 1);
    client_send(other, "MALLOC p WAIT 0");
    until(rig_number(say(c, "POOL INFO p"), "waiters") == 1);
    expect(c, "POOL RESUME p", "(integer) 1");
    expect_text_like_at(__FILE__, __LINE__, client_read(other), "'r1'");
    expect(c, "POOL RESUME p", "(integer) 0");
}
END_TEST

START_TEST(a_daemon_without_a_section_follows_the_pools_rules)
{
    char rules[100];
    expect(c, "POOL EXTEND rested a", "(integer) 1");
    expect(other, "MALLOC rested", "'a'");
    expect(other, "FREE rested a", "(integer) 1");
    expect(other, "MALLOC rested", "(nil)");
    expect_state(other, "rested", "a", "resting");
    ck_assert_str_eq(rig_value(say(other, "POOL INFO rested"), "rules", rules, sizeof rules),
                     "\"rest=100000\"");
    expect(c, "POOL RESTORE rested a", "(integer) 1");
    expect(other, "MALLOC rested", "'a'");
}
END_TEST

START_TEST(rules_that_were_lost_are_put_there_again)
{
    expect(c, "POOL EXTEND rested a", "(integer) 1");
    expect(rig_redis(&rig), "HDEL rallocd|rested|pool|journal rules", "(integer) 1");
    until(say_int(rig_redis(&rig), "HEXISTS rallocd|rested|pool|journal rules") == 1);
}
END_TEST

START_TEST(a_half_life_goes_without_a_breaker)
{
    char rules[100];
    expect(c, "CONFIG SET pool:plain.half_life 60", "OK");
    expect(c, "POOL EXTEND plain a", "(integer) 1");
    ck_assert_str_eq(rig_value(say(other, "POOL INFO plain"), "rules", rules, sizeof rules),
                     "\"half_life=60000\"");
}
END_TEST

START_TEST(a_resource_is_granted_at_its_rate)
{
    expect(c, "POOL EXTEND paced a", "(integer) 1");
    for (int i = 0; i < 2; i++) {
        expect(c, "MALLOC paced", "'a'");
        expect(c, "FREE paced a", "(integer) 1");
    }
    expect(c, "MALLOC paced", "(nil)");
    expect_state(c, "paced", "a", "resting");
}
END_TEST

START_TEST(what_fails_again_and_again_is_quarantined)
{
    expect(c, "POOL EXTEND broken a", "(integer) 1");
    for (int i = 0; i < 2; i++) {
        expect(other, "MALLOC broken", "'a'");
        expect(other, "FREE broken OUTCOME fail a", "(integer) 1");
    }
    expect(c, "MALLOC broken", "(nil)");
    expect_state(c, "broken", "a", "quarantined");
    expect_like(c, "POOL STATUS broken a", "*'breaker'\n*'open'*");
    expect_like(c, "FREE p OUTCOME fine r1",
                "(error) ERR OUTCOME is none of ok, slow, fail: 'fine'");
}
END_TEST

int main(void)
{
    return RIG_RUN("aside", set_up, tear_down,
                   a_quarantined_resource_is_not_handed_out_by_any_daemon, restore_serves_who_waits,
                   a_leased_resource_is_quarantined_when_it_comes_back,
                   a_drained_resource_leaves_when_it_comes_back,
                   a_paused_pool_grants_nothing_until_it_is_resumed,
                   a_daemon_without_a_section_follows_the_pools_rules,
                   rules_that_were_lost_are_put_there_again, a_half_life_goes_without_a_breaker,
                   a_resource_is_granted_at_its_rate, what_fails_again_and_again_is_quarantined);
}
