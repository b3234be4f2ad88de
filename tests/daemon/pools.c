/* pools: POOL and its subcommands as a client sees them, and names that are refused. */
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

static void make_pool(void)
{
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
}

static int64_t redis_time(void)
{
    return say_int(rig_redis(&rig), "EVAL \"return tonumber(redis.call('TIME')[1])\" 0");
}

/* --- EXTEND --- */

START_TEST(extend_adds_in_order_and_counts_the_new)
{
    expect(c, "POOL EXTEND p b a", "(integer) 2");
    expect(c, "POOL EXTEND p a c b c", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'b'\n2) 'a'\n3) 'c'");
    struct client *redis = rig_redis(&rig);
    expect(redis, "GET rallocd|p|pool|head", "'b'");
    expect(redis, "GET rallocd|p|pool|tail", "'c'");
    expect(redis, "HGET rallocd|p|pool a", "'b||c||-1'");
}
END_TEST

START_TEST(extend_gives_a_known_resource_the_new_expiry)
{
    make_pool();
    int64_t now = redis_time();
    expect(c, "POOL EXTEND p TIMEOUT 100 r2", "(integer) 0");
    int64_t expiry = rig_number(say(c, "POOL STATUS p r2"), "expiry");
    ck_assert(expiry >= now + 100 && expiry <= now + 103);
    expect(c, "POOL EXTEND p r2", "(integer) 0");
    ck_assert_int_eq(rig_number(say(c, "POOL STATUS p r2"), "expiry"), -1);
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r2'\n3) 'r3'");
}
END_TEST

START_TEST(extend_of_a_leased_resource_changes_its_expiry_alone)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL EXTEND p TIMEOUT 100 r1", "(integer) 0");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'");
    expect_like(rig_redis(&rig), "HGET rallocd|p|pool r1", "'#ALLOCATED||#ALLOCATED||1*'");
}
END_TEST

START_TEST(what_left_while_leased_and_comes_again_comes_back_leased)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL SHRINK p r1", "(integer) 1");
    expect(c, "POOL EXTEND p r1", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'");
    expect(c, "MALLOC p COUNT 5", "1) 'r2'\n2) 'r3'");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(extend_refuses_bad_names_with_the_whole_call)
{
    char words[700];
    make_pool();
    expect_like(c, "POOL EXTEND p ok \"\"", "(error) ERR *resource*");
    expect_like(c, "POOL EXTEND p ok a||b", "(error) ERR *resource*");
    expect_like(c, "POOL EXTEND p ok |a", "(error) ERR *resource*");
    expect_like(c, "POOL EXTEND p ok #ALLOCATED", "(error) ERR *resource*");
    expect_like(c, "POOL EXTEND p ok \"a\\x00b\"", "(error) ERR *resource*");
    snprintf(words, sizeof(words), "POOL EXTEND p ok %0513d", 1);
    expect_like(c, words, "(error) ERR *resource*");
    expect_like(c, "POOL EXTEND p", "(error) ERR wrong number of arguments for 'pool|extend' *");
    expect_like(c, "POOL EXTEND p TIMEOUT x a", "(error) ERR TIMEOUT *");
    expect_like(c, "POOL EXTEND p PRIORITY 1 a", "(error) ERR *PRIORITY*");
    expect(c, "POOL LEN p", "(integer) 3");
}
END_TEST

START_TEST(extend_takes_names_of_any_other_bytes)
{
    char words[700];
    expect(c, "POOL EXTEND p \"a b\" \"\\xff\\x01\" a|b {x} x:y 'q'", "(integer) 6");
    snprintf(words, sizeof(words), "POOL EXTEND p %0512d", 1);
    expect(c, words, "(integer) 1");
    expect(c, "MALLOC p COUNT 2", "1) 'a b'\n2) '\\xff\\x01'");
    expect(c, "FREE p \"\\xff\\x01\"", "(integer) 1");
}
END_TEST

START_TEST(extend_refuses_more_resources_than_max_resources)
{
    expect(c, "CONFIG SET max_resources 3", "OK");
    expect_like(c, "POOL EXTEND p a b c d", "(error) ERR at most 3 resources *");
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    expect_like(c, "MALLOC p COUNT 4", "(error) ERR COUNT *3*");
}
END_TEST

/* --- SHRINK, ASSIGN, CLEAR --- */

START_TEST(shrink_removes_and_counts_the_departed)
{
    make_pool();
    expect(c, "POOL SHRINK p r2 stranger r2", "(integer) 1");
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r3'");
    expect(c, "POOL SHRINK p r1 r3", "(integer) 2");
    expect(c, "POOL LEN p", "(integer) 0");
    expect_like(c, "POOL SHRINK p", "(error) ERR wrong number of arguments for 'pool|shrink' *");
    expect_like(c, "POOL SHRINK p a||b", "(error) ERR *resource*");
}
END_TEST

START_TEST(shrink_of_a_leased_resource_lets_the_lease_run_on)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL SHRINK p r1", "(integer) 1");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1", "(integer) 1");
    expect(c, "RENEW p r1 TIMEOUT 5", "(integer) 1");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL HAS p r1", "(integer) 0");
}
END_TEST

START_TEST(info_counts_no_lease_of_what_has_left)
{
    make_pool();
    expect(c, "MALLOC p COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    expect(c, "POOL SHRINK p r1", "(integer) 1");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "leased"), 2);
    expect(c, "FREE p r2", "(integer) 1");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "free"), 1);
    expect(c, "RENEW p r1 TIMEOUT 5", "(integer) 1");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "leased"), 1);
    expect(c, "POOL CLEAR p", "(integer) 2");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "leased"), 0);
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "leased"), 2);
    ck_assert_int_eq(rig_number(say(c, "POOL INFO p"), "free"), 1);
}
END_TEST

START_TEST(assign_makes_the_pool_hold_exactly_these)
{
    make_pool();
    expect(c, "POOL ASSIGN p r3 n1 r1 n2", "1) (integer) 2\n2) (integer) 1");
    expect(c, "POOL HAS p r2", "(integer) 0");
    expect(c, "POOL LEN p", "(integer) 4");
    expect(c, "POOL ASSIGN p", "1) (integer) 0\n2) (integer) 4");
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(assign_keeps_the_order_given)
{
    expect(c, "POOL ASSIGN p c a b", "1) (integer) 3\n2) (integer) 0");
    expect(c, "POOL FREELIST p", "1) 'c'\n2) 'a'\n3) 'b'");
}
END_TEST

START_TEST(assign_keeps_leases_of_those_that_stay)
{
    make_pool();
    expect(c, "MALLOC p COUNT 2", "1) 'r1'\n2) 'r2'");
    expect(c, "POOL ASSIGN p TIMEOUT 100 r1 n", "1) (integer) 1\n2) (integer) 2");
    expect(c, "POOL FREELIST p", "1) 'n'");
    expect(c, "FREE p r1 r2", "(integer) 2");
    expect(c, "POOL FREELIST p", "1) 'n'\n2) 'r1'");
    ck_assert(rig_number(say(c, "POOL STATUS p n"), "expiry") > 0);
}
END_TEST

START_TEST(assign_refuses_bad_names_with_the_whole_call)
{
    make_pool();
    expect_like(c, "POOL ASSIGN p a #ALLOCATED", "(error) ERR *resource*");
    expect_like(c, "POOL ASSIGN p TIMEOUT", "(error) ERR *TIMEOUT*");
    expect(c, "POOL LEN p", "(integer) 3");
}
END_TEST

START_TEST(a_freed_resource_does_not_come_back_after_assign)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL ASSIGN p r2 r3", "1) (integer) 0\n2) (integer) 1");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "POOL HAS p r1", "(integer) 0");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'");
}
END_TEST

START_TEST(clear_removes_all_and_counts)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL CLEAR p", "(integer) 3");
    expect(c, "POOL CLEAR p", "(integer) 0");
    expect(c, "MALLOC p", "(nil)");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r1", "(integer) 1");
    expect_like(c, "POOL CLEAR p x", "(error) ERR wrong number of arguments for 'pool|clear' *");
}
END_TEST

/* --- looking --- */

START_TEST(keys_lists_free_and_leased)
{
    expect(c, "POOL KEYS p", "(empty array)");
    expect(c, "POOL EXTEND p r1", "(integer) 1");
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL KEYS p", "1) 'r1'");
}
END_TEST

START_TEST(len_and_has_count_free_and_leased)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL LEN p", "(integer) 3");
    expect(c, "POOL HAS p r1", "(integer) 1");
    expect(c, "POOL HAS p r2", "(integer) 1");
    expect(c, "POOL HAS p r9", "(integer) 0");
    expect_like(c, "POOL HAS p", "(error) ERR wrong number of arguments for 'pool|has' command");
    expect_like(c, "POOL HAS p a||b", "(error) ERR *resource*");
}
END_TEST

START_TEST(freelist_count_gives_the_first_n)
{
    make_pool();
    expect(c, "POOL FREELIST p COUNT 2", "1) 'r1'\n2) 'r2'");
    expect(c, "POOL FREELIST p COUNT 9", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    expect(c, "POOL FREELIST nobody", "(empty array)");
    expect_like(c, "POOL FREELIST p COUNT 0", "(error) ERR COUNT *");
}
END_TEST

START_TEST(scan_goes_over_all)
{
    char cursor[40] = "0";
    int found = 0;
    for (int i = 0; i < 20; i++) {
        char words[2000] = "POOL EXTEND p";
        for (int j = 0; j < 50; j++)
            snprintf(words + strlen(words), sizeof(words) - strlen(words), " r%d", i * 50 + j);
        expect(c, words, "(integer) 50");
    }
    do {
        const char *reply = sayf(c, "POOL SCAN p %s COUNT 100", cursor);
        ck_assert(sscanf(reply, "1) \"%39[0-9]\"", cursor) == 1);
        for (const char *at = reply; (at = strstr(at, "\"r")) != NULL; at++)
            found++;
    } while (strcmp(cursor, "0") != 0);
    ck_assert_int_eq(found, 1000);
}
END_TEST

START_TEST(scan_refuses_a_bad_cursor)
{
    expect_like(c, "POOL SCAN p x", "(error) ERR *cursor*");
    expect_like(c, "POOL SCAN p 0 COUNT x", "(error) ERR COUNT *");
    expect_like(c, "POOL SCAN p", "(error) ERR wrong number of arguments for 'pool|scan' command");
    expect(c, "POOL SCAN nobody 0", "1) '0'\n2) (empty array)");
}
END_TEST

START_TEST(list_tells_pools_made_and_mentioned)
{
    make_pool();
    expect(c, "POOL EXTEND a x", "(integer) 1");
    expect(c, "POOL LIST", "1) 'a'\n2) 'p'");
}
END_TEST

START_TEST(list_finds_within_a_minute_what_a_python_peer_made)
{
    struct client *redis = rig_redis(&rig);
    expect(redis, "HSET rallocd|other|pool x ||||-1", "(integer) 1");
    expect(redis, "MSET rallocd|other|pool|head x rallocd|other|pool|tail x", "OK");
    int64_t end_ms = until_now_ms() + 60000;
    while (strstr(say(c, "POOL LIST"), "\"other\"") == NULL) {
        ck_assert_int_lt(until_now_ms(), end_ms);
        until_pause();
    }
}
END_TEST

START_TEST(info_tells_how_a_pool_is)
{
    char text[100];
    make_pool();
    expect(c, "MALLOC p TIMEOUT 50", "'r1'");
    expect(c, "BIND p n r2", "OK");
    const char *info = say(c, "POOL INFO p");
    ck_assert_str_eq(rig_value(info, "mode", text, sizeof(text)), "\"exclusive\"");
    ck_assert_str_eq(rig_value(info, "order", text, sizeof(text)), "\"fifo\"");
    ck_assert_int_eq(rig_number(info, "total"), 3);
    ck_assert_int_eq(rig_number(info, "free"), 2);
    ck_assert_int_eq(rig_number(info, "leased"), 1);
    ck_assert_int_eq(rig_number(info, "permanent"), 0);
    ck_assert_int_eq(rig_number(info, "bindings"), 1);
    int64_t next_ms = rig_number(info, "next_deadline_ms");
    ck_assert(next_ms > 45000 && next_ms <= 50000);
}
END_TEST

START_TEST(info_is_a_map_in_resp3)
{
    make_pool();
    say(c, "HELLO 3");
    expect_like(c, "POOL INFO p", "*# 'mode' => 'exclusive'\n*# 'total' => (integer) 3\n*");
}
END_TEST

START_TEST(health_counts_leased_and_free)
{
    make_pool();
    expect(c, "POOL HEALTH p", "1) (integer) 0\n2) (integer) 3");
    expect(c, "MALLOC p", "'r1'");
    expect(c, "POOL HEALTH p", "1) (integer) 1\n2) (integer) 2");
    expect(rig_redis(&rig), "SET rallocd|p:r3 1 EX 100", "OK");
    expect(c, "POOL HEALTH p", "1) (integer) 2\n2) (integer) 1");
    expect(rig_redis(&rig), "DEL rallocd|p:r3", "(integer) 1");
}
END_TEST

START_TEST(status_tells_how_a_resource_is)
{
    char text[100];
    make_pool();
    expect(c, "POOL STATUS p stranger", "(nil)");
    const char *status = say(c, "POOL STATUS p r1");
    ck_assert_str_eq(rig_value(status, "state", text, sizeof(text)), "\"free\"");
    ck_assert_int_eq(rig_number(status, "ttl"), -2);
    ck_assert_int_eq(rig_number(status, "expiry"), -1);
    expect(c, "MALLOC p TIMEOUT 50 OWNER me", "'r1'");
    status = say(c, "POOL STATUS p r1");
    ck_assert_str_eq(rig_value(status, "state", text, sizeof(text)), "\"leased\"");
    ck_assert_str_eq(rig_value(status, "owner", text, sizeof(text)), "\"me\"");
    int64_t ttl_ms = rig_number(status, "ttl");
    ck_assert(ttl_ms > 45000 && ttl_ms <= 50000);
    ck_assert(rig_number(status, "fence") > 0);
    expect_like(c, "POOL STATUS p", "(error) ERR wrong number of arguments for 'pool|status' *");
}
END_TEST

START_TEST(status_of_an_expired_resource_says_so)
{
    char text[100];
    expect(c, "CONFIG SET pool:*.gc_interval 3600", "OK");
    expect(c, "POOL EXTEND p TIMEOUT 1 r1", "(integer) 1");
    until(strcmp(rig_value(say(c, "POOL STATUS p r1"), "state", text, sizeof(text)),
                 "\"expired\"") == 0);
    expect(c, "MALLOC p", "(nil)");
}
END_TEST

/* --- GC, CHECK, REPAIR --- */

START_TEST(gc_collects_and_tells_what)
{
    make_pool();
    expect_like(c, "POOL GC p", "1) (integer) *\n2) (integer) 0\n3) (integer) 0\n4) (integer) 0");
    expect_like(c, "POOL GC p COUNT 100", "1) (integer) 3\n2) (integer) 0\n*");
    expect_like(c, "POOL GC p COUNT 0", "(error) ERR COUNT *");
    expect_like(c, "POOL GC", "(error) ERR wrong number of arguments for 'pool|gc' command");
}
END_TEST

START_TEST(gc_takes_back_an_ended_lease_that_is_in_no_index)
{
    make_pool();
    expect(c, "MALLOC p", "'r1'");
    struct client *redis = rig_redis(&rig);
    expect(redis, "ZREM rallocd|p|pool|leases r1", "(integer) 1");
    expect(redis, "DEL rallocd|p:r1", "(integer) 1");
    say(c, "POOL GC p COUNT 100");
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'\n3) 'r1'");
}
END_TEST

START_TEST(check_says_what_is_broken_and_repair_mends_it)
{
    make_pool();
    expect(c, "POOL CHECK p", "(empty array)");
    expect(rig_redis(&rig), "SET rallocd|p|pool|tail r2", "OK");
    ck_assert_str_ne(say(c, "POOL CHECK p"), "(empty array)");
    const char *repaired = say(c, "POOL REPAIR p");
    ck_assert_int_eq(rig_number(repaired, "total"), 3);
    ck_assert_int_eq(rig_number(repaired, "free"), 3);
    expect(c, "POOL CHECK p", "(empty array)");
    expect(c, "MALLOC p COUNT 3", "1) 'r1'\n2) 'r2'\n3) 'r3'");
}
END_TEST

START_TEST(gc_mends_what_it_finds_broken)
{
    make_pool();
    struct client *redis = rig_redis(&rig);
    expect(redis, "HSET rallocd|p|pool r2 r1||||-1", "(integer) 0");
    expect(redis, "SET rallocd|p|pool|tail r2", "OK");
    expect_like(c, "POOL GC p", "1) (integer) 3\n*");
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r2'\n3) 'r3'");
    expect(c, "POOL CHECK p", "(empty array)");
}
END_TEST

START_TEST(repair_keeps_leases)
{
    make_pool();
    expect(c, "MALLOC p OWNER me", "'r1'");
    struct client *redis = rig_redis(&rig);
    expect(redis, "HSET rallocd|p|pool r1 ||||-1", "(integer) 0");
    expect(redis, "DEL rallocd|p|pool|head rallocd|p|pool|tail", "(integer) 2");
    ck_assert_int_eq(rig_number(say(c, "POOL REPAIR p"), "leased"), 1);
    expect(c, "POOL FREELIST p", "1) 'r2'\n2) 'r3'");
    expect(c, "FREE p r1", "(integer) 1");
}
END_TEST

/* --- names --- */

START_TEST(names_of_pools_are_checked)
{
    char words[300];
    const char *const bad[] = {"\"\"",        "a|b",
                               "a:b",         "a/b",
                               "{a}",         "\"a b\"",
                               "a\\xff",      "lock",
                               "task-queue",  "x-cache",
                               "\"a\\x00b\"", "TIMEOUT",
                               "x|pool",      "thread-health-check-pool"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(words, sizeof(words), "MALLOC %s", bad[i]);
        expect_like(c, words, "(error) ERR *");
        snprintf(words, sizeof(words), "POOL EXTEND %s r", bad[i]);
        expect_like(c, words, "(error) ERR *");
    }
    snprintf(words, sizeof(words), "MALLOC %0129d", 1);
    expect_like(c, words, "(error) ERR *128*");
    snprintf(words, sizeof(words), "MALLOC %0128d", 1);
    expect(c, words, "(nil)");
    expect(c, "MALLOC A.b_c-9", "(nil)");
    expect(rig_redis(&rig), "KEYS *r", "(empty array)");
}
END_TEST

START_TEST(a_key_of_another_type_is_an_error_and_stays)
{
    struct client *redis = rig_redis(&rig);
    expect(redis, "SADD rallocd|p|pool a b", "(integer) 2");
    expect_like(c, "POOL EXTEND p r", "(error) *");
    expect_like(c, "MALLOC p", "(error) *");
    expect_like(c, "POOL LEN p", "(error) *");
    expect(redis, "SCARD rallocd|p|pool", "(integer) 2");
    expect(redis, "DEL rallocd|p|pool", "(integer) 1");
    expect(c, "POOL EXTEND p r", "(integer) 1");
}
END_TEST

START_TEST(one_more_pool_than_max_pools_is_refused)
{
    expect(c, "CONFIG SET max_pools 2", "OK");
    expect(c, "POOL LEN a", "(integer) 0");
    expect(c, "POOL LEN b", "(integer) 0");
    expect_like(c, "POOL LEN c", "(error) ERR *pools*");
    expect(c, "POOL LEN a", "(integer) 0");
}
END_TEST

START_TEST(unknown_subcommands_are_told)
{
    expect_like(c, "POOL", "(error) ERR wrong number of arguments for 'pool' command");
    expect_like(c, "POOL FOO p", "(error) ERR unknown subcommand 'FOO'. Try POOL HELP.");
    expect_like(c, "POOL HELP", "*1) POOL <subcommand> *EXTEND pool *");
}
END_TEST

START_TEST(pools_of_two_namespaces_do_not_meet)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--server.namespace=team/a:b");
    node_start(node);
    struct client *other = node_client(node);
    make_pool();
    expect(other, "POOL EXTEND p x", "(integer) 1");
    expect(other, "POOL LIST", "1) 'p'");
    expect(other, "MALLOC p", "'x'");
    expect(c, "MALLOC p", "'r1'");
    expect(rig_redis(&rig), "HLEN team/a:b|p|pool", "(integer) 1");
    client_close(other);
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "pools", set_up, tear_down, extend_adds_in_order_and_counts_the_new,
        extend_gives_a_known_resource_the_new_expiry,
        extend_of_a_leased_resource_changes_its_expiry_alone,
        what_left_while_leased_and_comes_again_comes_back_leased,
        extend_refuses_bad_names_with_the_whole_call, extend_takes_names_of_any_other_bytes,
        extend_refuses_more_resources_than_max_resources, shrink_removes_and_counts_the_departed,
        shrink_of_a_leased_resource_lets_the_lease_run_on, info_counts_no_lease_of_what_has_left,
        assign_makes_the_pool_hold_exactly_these, assign_keeps_the_order_given,
        assign_keeps_leases_of_those_that_stay, assign_refuses_bad_names_with_the_whole_call,
        a_freed_resource_does_not_come_back_after_assign, clear_removes_all_and_counts,
        keys_lists_free_and_leased, len_and_has_count_free_and_leased,
        freelist_count_gives_the_first_n, scan_goes_over_all, scan_refuses_a_bad_cursor,
        list_tells_pools_made_and_mentioned, list_finds_within_a_minute_what_a_python_peer_made,
        info_tells_how_a_pool_is, info_is_a_map_in_resp3, health_counts_leased_and_free,
        status_tells_how_a_resource_is, status_of_an_expired_resource_says_so,
        gc_collects_and_tells_what, gc_takes_back_an_ended_lease_that_is_in_no_index,
        check_says_what_is_broken_and_repair_mends_it, gc_mends_what_it_finds_broken,
        repair_keeps_leases, names_of_pools_are_checked,
        a_key_of_another_type_is_an_error_and_stays, one_more_pool_than_max_pools_is_refused,
        unknown_subcommands_are_told, pools_of_two_namespaces_do_not_meet);
}
