/* capacity: several hold one resource at once, as clients see it. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *other;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
    node_option(node, "--pool:pairs.capacity=2");
    node_option(node, "--pool:ring.mode=shared");
    node_option(node, "--server.session_timeout=1");
    node_start(node);
    c = node_client(node);
    other = node_client(node);
    expect(c, "POOL EXTEND p CAPACITY 2 r", "(integer) 1");
}

static void tear_down(void)
{
    client_close(c);
    if (other != NULL)
        client_close(other);
    rig_end(&rig);
}

/* A lease with its token. */
struct held {
    char resource[64], token[80];
    long long fence;
};

static struct held hold(struct client *client, const char *options)
{
    struct held held = {.fence = 0};
    char words[120];
    snprintf(words, sizeof words, "MALLOC p WITHTOKEN%s", options);
    const char *reply = say(client, words);
    ck_assert_msg(sscanf(reply, "1) \"%63[^\"]\"\n2) \"%79[^\"]\"\n3) (integer) %lld",
                         held.resource, held.token, &held.fence) == 3,
                  "%s", reply);
    return held;
}

static const char *with(const char *format, const char *token)
{
    static char words[200];
    snprintf(words, sizeof words, format, token);
    return words;
}

START_TEST(two_hold_the_same_resource_each_with_a_lease_of_its_own)
{
    struct held mine = hold(c, ""), others = hold(other, "");
    ck_assert_str_eq(mine.resource, "r");
    ck_assert_str_eq(others.resource, "r");
    ck_assert_str_ne(mine.token, others.token);
    ck_assert_int_lt(mine.fence, others.fence);
    expect(c, "MALLOC p", "(nil)");
    expect(other, with("RENEW p r TOKEN %s TIMEOUT 50", mine.token), "(integer) 1");
    expect(c, with("FREE p TOKEN %s r", others.token), "(integer) 1");
    expect(c, with("FREE p TOKEN %s r", others.token), "(integer) 0");
    expect_like(c, "POOL STATUS p r", "*'holders'\n*(integer) 1");
    expect(c, with("FREE p TOKEN %s r", mine.token), "(integer) 1");
}
END_TEST

START_TEST(free_without_a_token_wants_to_know_whose_lease_is_meant)
{
    hold(c, "");
    struct held others = hold(other, "");
    expect(c, "FREE p r",
           "(error) NOTOWNER resource 'r' has 2 holders: TOKEN has to say whose lease is meant");
    expect_like(c, "RENEW p r", "(error) NOTOWNER*");
    expect(c, with("FREE p TOKEN %s r", others.token), "(integer) 1");
    expect(c, "RENEW p r", "(integer) 1");
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "FREE p r", "(integer) 0");
}
END_TEST

START_TEST(the_end_of_one_session_leaves_the_others_lease)
{
    struct held mine = hold(c, " SESSION");
    hold(other, " SESSION");
    client_close(other);
    other = NULL;
    until(rig_number(say(c, "POOL INFO p"), "leased") == 1);
    expect(c, with("RENEW p r TOKEN %s", mine.token), "(integer) 1");
    expect(c, "MALLOC p", "'r'");
}
END_TEST

/* What was refused is held on, and its session renews it. */
START_TEST(a_session_keeps_what_a_refused_free_was_about)
{
    struct held mine = hold(c, " SESSION"), others = hold(other, "");
    expect_like(c, "FREE p r", "(error) NOTOWNER*");
    int64_t from_ms = until_now_ms();
    until(until_now_ms() - from_ms > 1500);
    expect(other, with("RENEW p r TOKEN %s", mine.token), "(integer) 1");
    expect(other, with("FREE p TOKEN %s r", others.token), "(integer) 1");
    expect(c, "FREE p r", "(integer) 1");
    expect(c, "PING", "PONG");
}
END_TEST

START_TEST(who_waits_gets_the_next_unit)
{
    struct held mine = hold(c, "");
    hold(c, "");
    client_send(other, "MALLOC p WAIT 0");
    until(rig_number(say(c, "POOL INFO p"), "waiters") == 1);
    expect(c, with("FREE p TOKEN %s r", mine.token), "(integer) 1");
    expect_text(client_read(other), "'r'");
}
END_TEST

START_TEST(a_resource_with_holders_goes_into_quarantine_unit_by_unit)
{
    struct held mine = hold(c, ""), others = hold(other, "");
    expect(c, "POOL QUARANTINE p r REASON fan", "(integer) 1");
    expect(c, with("FREE p TOKEN %s r", mine.token), "(integer) 1");
    expect(c, "MALLOC p", "(nil)");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "quarantined"), 1);
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "pending"), 1);
    expect(c, with("FREE p TOKEN %s r", others.token), "(integer) 1");
    expect(c, "POOL RESTORE p r", "(integer) 1");
    expect(c, "MALLOC p COUNT 3", "1) 'r'\n2) 'r'");
}
END_TEST

START_TEST(whoever_looks_counts_resources_and_units)
{
    hold(c, "");
    const char *info = say(c, "POOL INFO p");
    ck_assert_int_eq(rig_number(info, "total"), 1);
    ck_assert_int_eq(rig_number(info, "capacity"), 2);
    ck_assert_int_eq(rig_number(info, "free"), 1);
    expect(c, "POOL LEN p", "(integer) 1");
    expect(c, "POOL KEYS p", "1) 'r'");
    expect(c, "POOL HAS p r", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r'");
    expect(c, "POOL SCAN p 0", "1) '0'\n2) 1) 'r'");
    expect(c, "POOL SHRINK p r", "(integer) 1");
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(a_pools_setting_holds_for_all_that_it_gets)
{
    expect(c, "POOL EXTEND pairs a b", "(integer) 2");
    expect(c, "MALLOC pairs COUNT 9", "1) 'a'\n2) 'b'\n3) 'a'\n4) 'b'");
    expect(c, "CONFIG SET pool:pairs.capacity 3", "OK");
    expect(c, "MALLOC pairs COUNT 9 WAIT 5000", "1) 'a'\n2) 'b'");
    expect(c, "POOL EXTEND pairs CAPACITY 1 a", "(integer) 0");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO pairs"), "pending"), 2);
}
END_TEST

START_TEST(what_cannot_be_is_refused_in_words)
{
    expect(c, "POOL EXTEND ring CAPACITY 2 a",
           "(error) ERR CAPACITY does not go with pool 'ring': it is shared, without leases");
    expect(c, "CONFIG SET pool:ring.capacity 2",
           "(error) ERR CONFIG SET failed (possibly related to argument 'pool:ring.capacity') - "
           "[pool:ring] mode = shared, capacity = 2: a shared pool has no leases and no capacity "
           "but 1");
    expect(c, "CONFIG SET pool:pairs.mode shared",
           "(error) ERR CONFIG SET failed (possibly related to argument 'pool:pairs.mode') - "
           "[pool:pairs] mode = shared, capacity = 2: a shared pool has no leases and no capacity "
           "but 1");
    expect(c, "POOL EXTEND p CAPACITY 1001 a",
           "(error) ERR CAPACITY is not a whole number from 1 to 1000: '1001'");
    expect(c, "POOL EXTEND p CAPACITY 0 a",
           "(error) ERR CAPACITY is not a whole number from 1 to 1000: '0'");
    expect(c, "CONFIG SET server.max_resources 10", "OK");
    expect(c, "POOL EXTEND p CAPACITY 6 a b",
           "(error) ERR at most 10 units of resources in one call, not 2 of 6 each");
}
END_TEST

int main(void)
{
    return RIG_RUN("capacity", set_up, tear_down,
                   two_hold_the_same_resource_each_with_a_lease_of_its_own,
                   free_without_a_token_wants_to_know_whose_lease_is_meant,
                   the_end_of_one_session_leaves_the_others_lease,
                   a_session_keeps_what_a_refused_free_was_about, who_waits_gets_the_next_unit,
                   a_resource_with_holders_goes_into_quarantine_unit_by_unit,
                   whoever_looks_counts_resources_and_units,
                   a_pools_setting_holds_for_all_that_it_gets, what_cannot_be_is_refused_in_words);
}
