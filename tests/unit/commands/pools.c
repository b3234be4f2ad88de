/* pools: the subcommands of POOL: what is asked of Redis, and the shape of the replies. */
#include "main.h"
#include "rig.h"

START_TEST(extend_never_expires_without_timeout)
{
    ck_assert_str_eq(says_then(":2\n", "POOL", "EXTEND", "p", "a", "b"), ":2\n");
    ck_assert_int_eq(rig.upstream.script, SCRIPT_POOL_EXTEND);
    ck_assert_str_eq(rig.upstream.text, "0 a b");
    ck_assert_str_eq(says_then(":1\n", "POOL", "EXTEND", "p", "TIMEOUT", "1.5", "a"), ":1\n");
    ck_assert_str_eq(rig.upstream.text, "1500 a");
}
END_TEST

START_TEST(a_priority_of_resources_is_from_minus_to_plus_1000)
{
    says_then(":1\n", "POOL", "EXTEND", "p", "PRIORITY", "-1000", "a");
    ck_assert_str_eq(rig.upstream.text, "0\1P-1000 a");
    says_then("*2\n:1\n:0\n", "POOL", "ASSIGN", "p", "TIMEOUT", "1", "PRIORITY", "7", "a");
    ck_assert_str_eq(rig.upstream.text, "1000\1P7 a");
    ck_assert_str_eq(says("POOL", "EXTEND", "p", "PRIORITY", "1001", "a"),
                     "-ERR PRIORITY is not a whole number from -1000 to 1000: '1001'\n");
}
END_TEST

START_TEST(options_of_later_versions_are_no_resources)
{
    ck_assert_str_eq(says("POOL", "EXTEND", "p", "WAIT", "5", "a"),
                     "-ERR syntax error: EXTEND takes no option 'WAIT'\n");
    ck_assert_str_eq(says("POOL", "SHRINK", "p", "TIMEOUT"),
                     "-ERR syntax error: SHRINK takes no option 'TIMEOUT'\n");
    ck_assert_str_eq(says_then(":0\n", "POOL", "SHRINK", "p", "KEYS", "TIMEOUT", "KEYS"), ":0\n");
    ck_assert_str_eq(rig.upstream.text, "TIMEOUT KEYS");
}
END_TEST

START_TEST(assign_tells_added_and_removed)
{
    ck_assert_str_eq(says_then("*2\n:1\n:2\n", "POOL", "ASSIGN", "p", "TIMEOUT", "1", "a"),
                     "*2\n:1\n:2\n");
    ck_assert_str_eq(rig.upstream.text, "1000 a");
    ck_assert_str_eq(says_then("*2\n:0\n:1\n", "POOL", "ASSIGN", "p"), "*2\n:0\n:1\n");
    ck_assert_str_eq(rig.upstream.text, "0");
}
END_TEST

START_TEST(clear_tells_how_many_departed)
{
    ck_assert_str_eq(says_then("*2\n:0\n:7\n", "POOL", "CLEAR", "p"), ":7\n");
    ck_assert_int_eq(rig.upstream.script, SCRIPT_POOL_ASSIGN);
    ck_assert_str_eq(rig.upstream.text, "0");
}
END_TEST

START_TEST(keys_len_has_and_freelist_are_as_redis_has_them)
{
    ck_assert_str_eq(says_then("*2\n$1\na\n$0\n\n", "POOL", "KEYS", "p"), "*2\n$1\na\n$0\n\n");
    ck_assert_str_eq(says_then(":5\n", "POOL", "LEN", "p"), ":5\n");
    ck_assert_str_eq(says_then(":1\n", "POOL", "HAS", "p", "a"), ":1\n");
    ck_assert_str_eq(says_then("*1\n$1\na\n", "POOL", "FREELIST", "p"), "*1\n$1\na\n");
    ck_assert_str_eq(rig.upstream.text, "-1");
    ck_assert_str_eq(says_then("*0\n", "POOL", "FREELIST", "p", "COUNT", "3"), "*0\n");
    ck_assert_str_eq(rig.upstream.text, "3");
}
END_TEST

START_TEST(scan_gives_the_cursor_and_resources_without_their_values)
{
    ck_assert_str_eq(
        says_then("*2\n$2\n17\n*4\n$1\na\n$5\nx||y|\n$1\nb\n$1\nz\n", "POOL", "SCAN", "p", "0"),
        "*2\n$2\n17\n*2\n$1\na\n$1\nb\n");
    ck_assert_str_eq(rig.upstream.text, "HSCAN 0 COUNT 10");
    ck_assert_str_eq(
        says_then("*2\n$1\n0\n*0\n", "POOL", "SCAN", "p", "18446744073709551615", "COUNT", "99"),
        "*2\n$1\n0\n*0\n");
    ck_assert_str_eq(says("POOL", "SCAN", "p", "x"), "-ERR invalid cursor\n");
    ck_assert_str_eq(says("POOL", "SCAN", "p", "-1"), "-ERR invalid cursor\n");
    ck_assert_str_eq(says("POOL", "SCAN", "p", ""), "-ERR invalid cursor\n");
    ck_assert_str_eq(says("POOL", "SCAN", "p", "0", "TIMEOUT", "1"),
                     "-ERR syntax error: SCAN takes no option 'TIMEOUT'\n");
}
END_TEST

START_TEST(list_names_what_is_known_or_configured_sorted)
{
    struct err err;
    ck_assert_str_eq(says("POOL", "LIST"), "*0\n");
    says_then(":0\n", "POOL", "LEN", "mentioned");
    says_then(":1\n", "POOL", "EXTEND", "z", "r");
    says_then(":1\n", "POOL", "EXTEND", "b", "r");
    ck_assert(config_set(&rig.daemon.config, STR("pool:m.mode"), STR("shared"), &err));
    pools_configure(&rig.daemon.pools);
    ck_assert_str_eq(says("POOL", "LIST"), "*3\n$1\nb\n$1\nm\n$1\nz\n");
}
END_TEST

START_TEST(info_is_a_map)
{
    const char *answer = "*4\n$5\ntotal\n:10\n$5\nrules\n$6\nrest=5\n";
    ck_assert_str_eq(says_then(answer, "POOL", "INFO", "p"),
                     "*16\n$4\nmode\n$9\nexclusive\n$5\ntotal\n:10\n"
                     "$5\nrules\n$6\nrest=5\n$18\ndefault_timeout_ms\n:120000\n"
                     "$18\nbinding_timeout_ms\n:3600000\n$12\nis_collector\n:0\n"
                     "$12\nis_refresher\n:0\n$7\nsources\n*0\n");
    rig.peers[0].state.protocol = 3;
    ck_assert_int_eq(strncmp(says_then(answer, "POOL", "INFO", "p"), "%8\n$4\nmode\n", 11), 0);
}
END_TEST

START_TEST(status_is_nil_for_a_stranger_else_a_map)
{
    ck_assert_str_eq(says_then("$-1\n", "POOL", "STATUS", "p", "r"), "$-1\n");
    ck_assert_str_eq(says_then("*6\n$5\nstate\n$6\nleased\n$3\nttl\n:99\n$5\nowner\n$-1\n", "POOL",
                               "STATUS", "p", "r"),
                     "*6\n$5\nstate\n$6\nleased\n$3\nttl\n:99\n$5\nowner\n$-1\n");
}
END_TEST

START_TEST(gc_drops_what_only_the_collector_wants)
{
    ck_assert_str_eq(says_then("*10\n:0\n:5\n:1\n:2\n:3\n:0\n:0\n:9\n:-1\n:0\n", "POOL", "GC", "p"),
                     "*4\n:5\n:1\n:2\n:3\n");
    ck_assert_ptr_nonnull(strstr(rig.upstream.text, " 10"));
    says_then("*10\n:0\n:5\n:1\n:2\n:3\n:0\n:0\n:9\n:-1\n:0\n", "POOL", "GC", "p", "COUNT", "77");
    ck_assert_ptr_nonnull(strstr(rig.upstream.text, " 77"));
}
END_TEST

START_TEST(check_gives_the_texts_without_the_counts)
{
    ck_assert_str_eq(says_then("*3\n:3\n:3\n:0\n", "POOL", "CHECK", "p"), "*0\n");
    ck_assert_str_eq(says_then("*4\n:3\n:3\n:0\n$3\nbad\n", "POOL", "CHECK", "p"), "*1\n$3\nbad\n");
}
END_TEST

START_TEST(repair_and_health_tell_counts)
{
    ck_assert_str_eq(says_then("*4\n:3\n:2\n:1\n:5\n", "POOL", "REPAIR", "p"),
                     "*8\n$5\ntotal\n:3\n$4\nfree\n:2\n$6\nleased\n:1\n$7\nchanged\n:5\n");
    ck_assert_str_eq(says_then("*2\n:1\n:2\n", "POOL", "HEALTH", "p"), "*2\n:1\n:2\n");
}
END_TEST

START_TEST(a_surprise_from_redis_is_no_crash)
{
    static const char *const subs[] = {"KEYS", "LEN",   "FREELIST", "INFO", "HEALTH",
                                       "GC",   "CHECK", "REPAIR",   "CLEAR"};
    static const char *const surprises[] = {"*0\n", ":1\n", "$1\nx\n", "$-1\n", "*1\n*1\n:1\n"};

    for (size_t i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
        for (size_t j = 0; j < sizeof(surprises) / sizeof(surprises[0]); j++)
            ck_assert_str_ne(says_then(surprises[j], "POOL", subs[i], "p"), "");
    }
    for (size_t j = 0; j < sizeof(surprises) / sizeof(surprises[0]); j++) {
        ck_assert_str_ne(says_then(surprises[j], "POOL", "STATUS", "p", "r"), "");
        ck_assert_str_ne(says_then(surprises[j], "POOL", "SCAN", "p", "0"), "");
        ck_assert_str_ne(says_then(surprises[j], "MALLOC", "p"), "");
        ck_assert_str_ne(says_then(surprises[j], "HELD", "p", "o"), "");
    }
}
END_TEST

START_TEST(one_pool_more_than_the_bound_is_an_error)
{
    char name[16];
    rig.daemon.config.server.max_pools = 3;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "p%d", i);
        ck_assert_str_eq(says_then(":0\n", "POOL", "LEN", name), ":0\n");
    }
    ck_assert_int_eq(strncmp(says("POOL", "LEN", "p4"), "-ERR ", 5), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {extend_never_expires_without_timeout,
                                  a_priority_of_resources_is_from_minus_to_plus_1000,
                                  options_of_later_versions_are_no_resources,
                                  assign_tells_added_and_removed,
                                  clear_tells_how_many_departed,
                                  keys_len_has_and_freelist_are_as_redis_has_them,
                                  scan_gives_the_cursor_and_resources_without_their_values,
                                  list_names_what_is_known_or_configured_sorted,
                                  info_is_a_map,
                                  status_is_nil_for_a_stranger_else_a_map,
                                  gc_drops_what_only_the_collector_wants,
                                  check_gives_the_texts_without_the_counts,
                                  repair_and_health_tell_counts,
                                  a_surprise_from_redis_is_no_crash,
                                  one_pool_more_than_the_bound_is_an_error,
                                  NULL};
    return run_tests("pools", rig_start, rig_stop, tests);
}
