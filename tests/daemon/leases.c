/* leases: MALLOC, FREE, RENEW and HELD as a client sees them, and what they leave in Redis. */
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
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

/* A lease as WITHTOKEN and HELD tell it. */
struct lease {
    char resource[64], token[64];
    long fence, ttl_ms;
};

static struct lease lease_of(const char *reply)
{
    struct lease lease = {0};
    int found =
        sscanf(reply, "1) \"%63[^\"]\"\n2) \"%63[^\"]\"\n3) (integer) %ld\n4) (integer) %ld",
               lease.resource, lease.token, &lease.fence, &lease.ttl_ms);
    ck_assert_msg(found == 4, "not a lease: %s", reply);
    return lease;
}

static struct lease malloc_lease(const char *words)
{
    return lease_of(say(c, words));
}

/* --- MALLOC --- */

START_TEST(malloc_gives_resources_in_the_order_they_came)
{
    expect(c, "MALLOC p", "'r1'");
    expect(c, "MALLOC p", "'r2'");
    expect(c, "MALLOC p", "'r3'");
}
END_TEST

START_TEST(malloc_of_an_empty_pool_is_nil)
{
    expect(c, "MALLOC nobody", "(nil)");
    expect(c, "MALLOC nobody COUNT 2", "(empty array)");
    expect(c, "MALLOC p COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    expect(c, "MALLOC p", "(nil)");
    expect(c, "MALLOC p WITHTOKEN", "(nil)");
}
END_TEST

START_TEST(malloc_stores_the_token_with_a_time)
{
    struct lease lease = malloc_lease("MALLOC p TIMEOUT 50 WITHTOKEN");
    ck_assert_str_eq(lease.resource, "r1");
    ck_assert_int_eq((int)strlen(lease.token) >= 22, 1);
    ck_assert(lease.ttl_ms > 45000 && lease.ttl_ms <= 50000);
    struct client *redis = rig_redis(&rig);
    ck_assert_str_eq(say_string(redis, "GET rallocd|p:r1"), lease.token);
    int64_t ttl_ms = say_int(redis, "PTTL rallocd|p:r1");
    ck_assert(ttl_ms > 45000 && ttl_ms <= 50000);
    expect(redis, "HGET rallocd|p|pool r1", "'#ALLOCATED||#ALLOCATED||-1'");
}
END_TEST

START_TEST(malloc_without_timeout_lasts_two_minutes)
{
    expect(c, "MALLOC p", "'r1'");
    int64_t ttl_ms = say_int(rig_redis(&rig), "PTTL rallocd|p:r1");
    ck_assert(ttl_ms > 115000 && ttl_ms <= 120000);
}
END_TEST

START_TEST(malloc_with_timeout_0_lasts_for_ever)
{
    struct lease lease = malloc_lease("MALLOC p TIMEOUT 0 WITHTOKEN");
    ck_assert_int_eq(lease.ttl_ms, -1);
    expect(rig_redis(&rig), "PTTL rallocd|p:r1", "(integer) -1");
    expect(c, "MALLOC p TIMEOUT -3", "'r2'");
    expect(rig_redis(&rig), "PTTL rallocd|p:r2", "(integer) -1");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "permanent"), 2);
}
END_TEST

START_TEST(malloc_takes_fractions_of_seconds)
{
    expect(c, "MALLOC p TIMEOUT 0.3", "'r1'");
    until(strcmp(say(c, "POOL FREELIST p"), "1) \"r2\"\n2) \"r3\"\n3) \"r1\"") == 0);
}
END_TEST

START_TEST(malloc_count_gives_up_to_n)
{
    expect(c, "MALLOC p COUNT 1", "1) 'r1'");
    expect(c, "MALLOC p COUNT 5", "1) 'r2'\n2) 'r3'");
    expect(c, "MALLOC p COUNT 5", "(empty array)");
}
END_TEST

START_TEST(malloc_count_all_gives_all_or_none)
{
    expect(c, "MALLOC p COUNT 4 ALL", "(empty array)");
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    expect(c, "MALLOC p COUNT 3 ALL", "1) 'r1'\n2) 'r2'\n3) 'r3'");
}
END_TEST

START_TEST(malloc_count_withtoken_gives_a_lease_each)
{
    expect_like(c, "MALLOC p COUNT 2 WITHTOKEN",
                "1) 1) 'r1'\n   2) '*'\n   3) (integer) *\n   4) (integer) *\n"
                "2) 1) 'r2'\n   2) '*'\n   3) (integer) *\n   4) (integer) *");
}
END_TEST

START_TEST(malloc_gives_growing_fences_and_different_tokens)
{
    struct lease first = malloc_lease("MALLOC p WITHTOKEN");
    struct lease second = malloc_lease("MALLOC p WITHTOKEN");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p", "'r3'");
    struct lease again = malloc_lease("MALLOC p WITHTOKEN");
    ck_assert_str_eq(again.resource, "r1");
    ck_assert(first.fence > 0 && second.fence > first.fence && again.fence > second.fence);
    ck_assert_str_ne(first.token, second.token);
    ck_assert_str_ne(first.token, again.token);
}
END_TEST

START_TEST(malloc_with_the_same_reqid_gives_the_same_lease)
{
    struct lease first = malloc_lease("MALLOC p REQID q1 WITHTOKEN");
    struct lease again = malloc_lease("MALLOC p REQID q1 WITHTOKEN");
    ck_assert_str_eq(first.resource, again.resource);
    ck_assert_str_eq(first.token, again.token);
    ck_assert_int_eq(first.fence, again.fence);
    expect(c, "MALLOC p REQID q2", "'r2'");
    expect(c, "POOL FREELIST p", "1) 'r3'");
}
END_TEST

START_TEST(malloc_with_the_reqid_of_a_freed_lease_gives_a_new_one)
{
    expect(c, "MALLOC p REQID q1", "'r1'");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p REQID q1", "'r2'");
}
END_TEST

START_TEST(malloc_skips_what_a_python_peer_has_locked)
{
    expect(rig_redis(&rig), "SET rallocd|p:r1 1 EX 100", "OK");
    expect(c, "MALLOC p", "'r2'");
    expect(c, "POOL CHECK p", "(empty array)");
}
END_TEST

START_TEST(malloc_refuses_wrong_options)
{
    expect_like(c, "MALLOC", "(error) ERR wrong number of arguments for 'malloc' command");
    expect_like(c, "MALLOC p TIMEOUT", "(error) ERR *TIMEOUT*");
    expect_like(c, "MALLOC p TIMEOUT abc", "(error) ERR TIMEOUT is not a number of seconds: 'abc'");
    expect_like(c, "MALLOC p TIMEOUT 1 TIMEOUT 2", "(error) ERR *TIMEOUT*twice*");
    expect_like(c, "MALLOC p COUNT 0", "(error) ERR COUNT *");
    expect_like(c, "MALLOC p COUNT -1", "(error) ERR COUNT *");
    expect_like(c, "MALLOC p COUNT x", "(error) ERR COUNT *");
    expect_like(c, "MALLOC p COUNT 100001", "(error) ERR COUNT *");
    expect_like(c, "MALLOC p ALL", "(error) ERR *ALL*");
    expect_like(c, "MALLOC p NAME", "(error) ERR *NAME*");
    expect_like(c, "MALLOC p NAME \"\"", "(error) ERR *NAME*");
    expect_like(c, "MALLOC p NAME \"a\\x00b\"", "(error) ERR *NAME*");
    expect_like(c, "MALLOC p OWNER \"\"", "(error) ERR *OWNER*");
    expect_like(c, "MALLOC p REQID \"\"", "(error) ERR *REQID*");
    expect_like(c, "MALLOC p TOKEN t", "(error) ERR *TOKEN*");
    expect_like(c, "MALLOC p r1", "(error) ERR *r1*");
    expect_like(c, "MALLOC p WAIT", "(error) ERR *WAIT*");
    expect_like(c, "MALLOC p WAIT -1", "(error) ERR *WAIT*");
    expect_like(c, "MALLOC p WAIT 0.5", "(error) ERR *WAIT*");
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r2'\n3) 'r3'");
}
END_TEST

START_TEST(malloc_options_do_not_care_for_case)
{
    expect(c, "malloc p timeout 5 Count 1", "1) 'r1'");
}
END_TEST

/* --- FREE --- */

START_TEST(free_puts_the_resource_at_the_end)
{
    expect(c, "MALLOC p", "'r1'");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'\n3) 'r1'");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1", "(integer) 0");
}
END_TEST

START_TEST(free_counts_what_it_freed)
{
    expect(c, "MALLOC p COUNT 2", "1) 'r1'\n2) 'r2'");
    expect(c, "FREE p r1 r2 r3 stranger", "(integer) 2");
    expect(c, "FREE p r1", "(integer) 0");
}
END_TEST

START_TEST(free_with_the_right_token_ends_the_lease)
{
    struct lease lease = malloc_lease("MALLOC p WITHTOKEN");
    ck_assert_str_eq(sayf(c, "FREE p TOKEN %s r1", lease.token), "(integer) 1");
    ck_assert_str_eq(sayf(c, "FREE p TOKEN %s r1", lease.token), "(integer) 0");
}
END_TEST

START_TEST(free_with_an_old_token_is_refused)
{
    struct lease old = malloc_lease("MALLOC p TIMEOUT 0 WITHTOKEN");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p COUNT 3", "1) 'r2'\n2) 'r3'\n3) 'r1'");
    expect_text_like(sayf(c, "FREE p TOKEN %s r1", old.token), "(error) NOTOWNER *");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1", "(integer) 1");
}
END_TEST

START_TEST(free_with_token_takes_one_resource)
{
    expect_like(c, "FREE p TOKEN t r1 r2", "(error) ERR *TOKEN*");
}
END_TEST

START_TEST(free_with_timeout_gives_a_new_expiry_and_without_keeps_it)
{
    expect(c, "POOL EXTEND q TIMEOUT 1000 a", "(integer) 1");
    expect(c, "MALLOC q", "'a'");
    expect(c, "FREE q a", "(integer) 1");
    char text[100];
    int64_t kept = rig_number(say(c, "POOL STATUS q a"), "expiry");
    int64_t now =
        strtoll(say_string(rig_redis(&rig), "EVAL \"return redis.call('TIME')[1]\" 0"), NULL, 10);
    ck_assert_msg(kept > now + 990 && kept <= now + 1001, "expiry %ld at %ld", (long)kept,
                  (long)now);
    expect(c, "MALLOC q", "'a'");
    expect(c, "FREE q TIMEOUT 5000 a", "(integer) 1");
    ck_assert(rig_number(say(c, "POOL STATUS q a"), "expiry") > now + 4990);
    expect(c, "MALLOC q", "'a'");
    expect(c, "FREE q TIMEOUT 0 a", "(integer) 1");
    ck_assert_str_eq(rig_value(say(c, "POOL STATUS q a"), "expiry", text, sizeof(text)), "-1");
}
END_TEST

START_TEST(free_ends_the_lease_of_a_python_peer)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "MALLOC p", "'r1'");
    expect(redis, "SET rallocd|p:r1 1 EX 100", "OK");
    expect(redis, "ZREM rallocd|p|pool|leases r1", "(integer) 1");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'\n3) 'r1'");
}
END_TEST

START_TEST(free_of_what_left_the_pool_ends_the_lease)
{
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL SHRINK p r1", "(integer) 1");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL KEYS p", "1) 'r2'\n2) 'r3'");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1", "(integer) 0");
}
END_TEST

START_TEST(free_names_resources_called_like_options_after_keys)
{
    expect(c, "POOL EXTEND q KEYS TIMEOUT TOKEN", "(integer) 2");
    expect(c, "MALLOC q COUNT 2", "1) 'TIMEOUT'\n2) 'TOKEN'");
    expect(c, "FREE q KEYS TIMEOUT TOKEN", "(integer) 2");
}
END_TEST

START_TEST(free_refuses_wrong_arguments)
{
    expect_like(c, "FREE p", "(error) ERR wrong number of arguments for 'free' command");
    expect_like(c, "FREE p TIMEOUT 5", "(error) ERR wrong number of arguments for 'free' command");
    expect_like(c, "FREE p TIMEOUT x r1", "(error) ERR TIMEOUT *");
    expect_like(c, "FREE p \"\"", "(error) ERR *resource*");
    expect_like(c, "FREE p |r1", "(error) ERR *resource*");
    expect_like(c, "FREE p a||b", "(error) ERR *resource*");
    expect_like(c, "FREE p #ALLOCATED", "(error) ERR *resource*");
    expect_like(c, "FREE p COUNT 1 r1", "(error) ERR *COUNT*");
}
END_TEST

/* --- RENEW --- */

START_TEST(renew_gives_a_new_deadline)
{
    expect(c, "MALLOC p TIMEOUT 5", "'r1'");
    expect(c, "RENEW p r1 TIMEOUT 500", "(integer) 1");
    ck_assert(say_int(rig_redis(&rig), "PTTL rallocd|p:r1") > 490000);
    expect(c, "RENEW p r1", "(integer) 1");
    int64_t ttl_ms = say_int(rig_redis(&rig), "PTTL rallocd|p:r1");
    ck_assert(ttl_ms > 110000 && ttl_ms <= 120000);
    expect(c, "RENEW p r1 TIMEOUT 0", "(integer) 1");
    expect(rig_redis(&rig), "PTTL rallocd|p:r1", "(integer) -1");
}
END_TEST

START_TEST(renew_without_a_lease_is_0)
{
    expect(c, "RENEW p r1", "(integer) 0");
    expect(c, "RENEW p stranger TIMEOUT 5", "(integer) 0");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1 rallocd|p:stranger", "(integer) 0");
    expect(c, "RENEW p r1 TOKEN t", "(integer) 0");
}
END_TEST

START_TEST(renew_with_a_token_is_for_its_lease_alone)
{
    struct lease lease = malloc_lease("MALLOC p WITHTOKEN");
    ck_assert_str_eq(sayf(c, "RENEW p r1 TOKEN %s TIMEOUT 500", lease.token), "(integer) 1");
    expect_like(c, "RENEW p r1 TOKEN another TIMEOUT 9", "(error) NOTOWNER *");
    ck_assert(say_int(rig_redis(&rig), "PTTL rallocd|p:r1") > 490000);
}
END_TEST

START_TEST(renew_refuses_wrong_arguments)
{
    expect_like(c, "RENEW p", "(error) ERR wrong number of arguments for 'renew' command");
    expect_like(c, "RENEW p r1 r2", "(error) ERR *r2*");
    expect_like(c, "RENEW p r1 TIMEOUT x", "(error) ERR TIMEOUT *");
    expect_like(c, "RENEW p r1 TOKEN \"\"", "(error) ERR *TOKEN*");
    expect_like(c, "RENEW p |r", "(error) ERR *resource*");
}
END_TEST

/* --- HELD --- */

START_TEST(held_tells_what_an_owner_holds)
{
    expect(c, "HELD p me", "(empty array)");
    struct lease first = malloc_lease("MALLOC p OWNER me WITHTOKEN");
    expect(c, "MALLOC p OWNER you", "'r2'");
    expect(c, "MALLOC p OWNER me TIMEOUT 0", "'r3'");
    char expected[300];
    snprintf(expected, sizeof(expected),
             "1) 1) 'r1'\n   2) '%s'\n   3) (integer) %ld\n   4) (integer) *\n"
             "2) 1) 'r3'\n   2) '*'\n   3) (integer) *\n   4) (integer) -1",
             first.token, first.fence);
    expect_like(c, "HELD p me", expected);
    expect(c, "FREE p r1 r3", "(integer) 2");
    expect(c, "HELD p me", "(empty array)");
}
END_TEST

START_TEST(held_forgets_what_expired)
{
    expect(c, "MALLOC p OWNER me TIMEOUT 0.2", "'r1'");
    until(strcmp(say(c, "HELD p me"), "(empty array)") == 0);
}
END_TEST

START_TEST(held_does_not_mix_owners_that_begin_alike)
{
    expect(c, "MALLOC p OWNER me2", "'r1'");
    expect(c, "MALLOC p OWNER \"me\\x01\"", "'r2'");
    expect(c, "HELD p me", "(empty array)");
}
END_TEST

START_TEST(held_refuses_wrong_arguments)
{
    expect_like(c, "HELD p", "(error) ERR wrong number of arguments for 'held' command");
    expect_like(c, "HELD p \"\"", "(error) ERR *owner*");
    expect_like(c, "HELD p a b", "(error) ERR *");
}
END_TEST

/* --- time --- */

START_TEST(an_expired_lease_comes_back_within_two_seconds)
{
    expect(c, "MALLOC p TIMEOUT 0.5 COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    int64_t began_ms = until_now_ms();
    until(say_int(c, "POOL LEN p") == 3 && strstr(say(c, "POOL FREELIST p"), "3) ") != NULL);
    ck_assert_int_lt(until_now_ms() - began_ms, 2500);
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(an_expired_resource_is_not_handed_out)
{
    expect(c, "POOL EXTEND q TIMEOUT 1 short", "(integer) 1");
    expect(c, "POOL EXTEND q long", "(integer) 1");
    until(strcmp(say(c, "POOL KEYS q"), "1) \"long\"") == 0);
    expect(c, "MALLOC q", "'long'");
    expect(c, "MALLOC q", "(nil)");
}
END_TEST

START_TEST(a_resource_that_expires_while_leased_leaves_after_the_lease)
{
    expect(c, "POOL EXTEND q TIMEOUT 1 a", "(integer) 1");
    expect(c, "MALLOC q TIMEOUT 0", "'a'");
    int64_t expiry = rig_number(say(c, "POOL STATUS q a"), "expiry");
    until(say_int(rig_redis(&rig), "EVAL \"return tonumber(redis.call('TIME')[1])\" 0") > expiry);
    expect(c, "RENEW q a TIMEOUT 0", "(integer) 1");
    expect(c, "FREE q a", "(integer) 1");
    expect(c, "MALLOC q", "(nil)");
}
END_TEST

/* --- shared pools --- */

static struct client *shared_pool(void)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--pool:s.mode=shared");
    node_start(node);
    struct client *shared = node_client(node);
    expect(shared, "POOL EXTEND s a b", "(integer) 2");
    return shared;
}

START_TEST(a_shared_pool_rotates_without_leases)
{
    struct client *shared = shared_pool();
    expect(shared, "MALLOC s", "'a'");
    expect(shared, "MALLOC s", "'b'");
    expect(shared, "MALLOC s", "'a'");
    expect(shared, "MALLOC s COUNT 2", "1) 'b'\n2) 'a'");
    expect(rig_redis(&rig), "EXISTS rallocd|s:a rallocd|s:b", "(integer) 0");
    char mode[20];
    ck_assert_str_eq(rig_value(say(shared, "POOL INFO s"), "mode", mode, sizeof(mode)),
                     "\"shared\"");
    client_close(shared);
}
END_TEST

START_TEST(a_shared_pool_skips_what_is_locked)
{
    struct client *shared = shared_pool();
    expect(rig_redis(&rig), "SET rallocd|s:a 1 EX 100", "OK");
    expect(shared, "MALLOC s", "'b'");
    expect(shared, "MALLOC s", "'b'");
    client_close(shared);
}
END_TEST

START_TEST(a_shared_pool_has_no_tokens_and_owners)
{
    struct client *shared = shared_pool();
    expect_like(shared, "MALLOC s WITHTOKEN", "(error) ERR WITHTOKEN *shared*");
    expect_like(shared, "MALLOC s OWNER me", "(error) ERR OWNER *shared*");
    expect_like(shared, "MALLOC s REQID q", "(error) ERR REQID *shared*");
    expect_like(shared, "FREE s TOKEN t a", "(error) ERR TOKEN *shared*");
    client_close(shared);
}
END_TEST

START_TEST(a_bound_hit_in_a_shared_pool_does_not_rotate)
{
    struct client *shared = shared_pool();
    expect(shared, "MALLOC s NAME n", "'a'");
    expect(shared, "MALLOC s NAME n", "'a'");
    expect(shared, "MALLOC s", "'b'");
    client_close(shared);
}
END_TEST

/* --- replies of RESP3 --- */

START_TEST(malloc_in_resp3_has_a_null_of_its_own)
{
    size_t len;
    say(c, "HELLO 3");
    client_send(c, "MALLOC nobody");
    ck_assert_str_eq(client_read_raw(c, &len), "_\r\n");
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

/* While Redis stands still, a call is in flight and what follows is gathered for the next one. */
static void hold_redis(struct client *busy)
{
    server_freeze(&rig.redis);
    client_send(busy, "POOL LEN p");
    node_catch_up(&rig.nodes[0]);
    ck_assert(!client_has_reply(busy, 0));
}

START_TEST(malloc_gets_what_another_client_frees_in_the_same_call)
{
    struct client *holder = node_client(&rig.nodes[0]), *busy = node_client(&rig.nodes[0]);
    expect(holder, "MALLOC p COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    hold_redis(busy);
    client_send(c, "MALLOC p");
    node_catch_up(&rig.nodes[0]);
    client_send(holder, "FREE p r2");
    node_catch_up(&rig.nodes[0]);
    server_thaw(&rig.redis);
    expect_text_at(__FILE__, __LINE__, client_read(c), "'r2'");
    expect_text_at(__FILE__, __LINE__, client_read(holder), "(integer) 1");
    client_close(holder);
    client_close(busy);
}
END_TEST

START_TEST(requests_of_one_client_take_effect_in_their_order)
{
    struct client *busy = node_client(&rig.nodes[0]);
    expect(c, "MALLOC p COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    hold_redis(busy);
    client_send(c, "MALLOC p");
    client_send(c, "FREE p r2");
    client_send(c, "RENEW p r2");
    client_send(c, "MALLOC p");
    node_catch_up(&rig.nodes[0]);
    ck_assert(!client_has_reply(c, 0));
    server_thaw(&rig.redis);
    expect_text_at(__FILE__, __LINE__, client_read(c), "(nil)");
    expect_text_at(__FILE__, __LINE__, client_read(c), "(integer) 1");
    expect_text_at(__FILE__, __LINE__, client_read(c), "(integer) 0");
    expect_text_at(__FILE__, __LINE__, client_read(c), "'r2'");
    client_close(busy);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "leases", set_up, tear_down, malloc_gives_resources_in_the_order_they_came,
        malloc_of_an_empty_pool_is_nil, malloc_stores_the_token_with_a_time,
        malloc_without_timeout_lasts_two_minutes, malloc_with_timeout_0_lasts_for_ever,
        malloc_takes_fractions_of_seconds, malloc_count_gives_up_to_n,
        malloc_count_all_gives_all_or_none, malloc_count_withtoken_gives_a_lease_each,
        malloc_gives_growing_fences_and_different_tokens,
        malloc_with_the_same_reqid_gives_the_same_lease,
        malloc_with_the_reqid_of_a_freed_lease_gives_a_new_one,
        malloc_skips_what_a_python_peer_has_locked, malloc_refuses_wrong_options,
        malloc_options_do_not_care_for_case, malloc_gets_what_another_client_frees_in_the_same_call,
        requests_of_one_client_take_effect_in_their_order, free_puts_the_resource_at_the_end,
        free_counts_what_it_freed, free_with_the_right_token_ends_the_lease,
        free_with_an_old_token_is_refused, free_with_token_takes_one_resource,
        free_with_timeout_gives_a_new_expiry_and_without_keeps_it,
        free_ends_the_lease_of_a_python_peer, free_of_what_left_the_pool_ends_the_lease,
        free_names_resources_called_like_options_after_keys, free_refuses_wrong_arguments,
        renew_gives_a_new_deadline, renew_without_a_lease_is_0,
        renew_with_a_token_is_for_its_lease_alone, renew_refuses_wrong_arguments,
        held_tells_what_an_owner_holds, held_forgets_what_expired,
        held_does_not_mix_owners_that_begin_alike, held_refuses_wrong_arguments,
        an_expired_lease_comes_back_within_two_seconds, an_expired_resource_is_not_handed_out,
        a_resource_that_expires_while_leased_leaves_after_the_lease,
        a_shared_pool_rotates_without_leases, a_shared_pool_skips_what_is_locked,
        a_shared_pool_has_no_tokens_and_owners, a_bound_hit_in_a_shared_pool_does_not_rotate,
        malloc_in_resp3_has_a_null_of_its_own);
}
