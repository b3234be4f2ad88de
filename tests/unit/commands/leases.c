/* leases, bindings, fences: what is asked of Redis, and what becomes of its answers. */
#include "main.h"
#include "rig.h"

/* What the call in flight says behind its first `skipped` words. */
static const char *sent_by(enum script_id script, int skipped)
{
    const char *text = rig.upstream.text;

    ck_assert(rig.upstream.is_flying);
    ck_assert_int_eq(rig.upstream.script, script);
    for (int i = 0; i < skipped; i++)
        text = strchr(text, ' ') + 1;
    return text;
}

/* The operations of the batch in flight, without its head (daemon, sequence, mode). */
static const char *sent(void)
{
    return sent_by(SCRIPT_POOL_BATCH, 3);
}

/* The operation of the script for one in flight, without daemon and sequence. */
static const char *sent_alone(enum script_id script)
{
    return sent_by(script, 2);
}

/* As sent(), with the random part of each MALLOC written as "?". */
static const char *sent_malloc(void)
{
    static char text[1024];
    char before[128], after[512] = "";
    int random_at = 0;

    ck_assert_int_eq(sscanf(sent(), "%127[^ ] %*s", before), 1);
    snprintf(text, sizeof(text), "%s", sent());
    for (int blanks = 0; blanks < 4; random_at++)
        blanks += text[random_at] == ' ';
    snprintf(after, sizeof(after), "%s", text + random_at + RAND_TOKEN_LEN);
    snprintf(text + random_at, sizeof(text) - (size_t)random_at, "?%s", after);
    return text;
}

START_TEST(malloc_takes_the_defaults_of_its_pool)
{
    says("MALLOC", "p", "NAME", "n");
    ck_assert_str_eq(sent_malloc(), "M 1 1 120000 ? n 3600000  ");
    rig_answer("*1\n*4\n$1\na\n$5\n7-tok\n:7\n:120000\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), "$1\na\n");
}
END_TEST

START_TEST(a_user_is_the_owner_unless_another_is_named)
{
    struct err err;
    ck_assert(config_set(&rig.daemon.config, STR("user:ann.password"), STR("x"), &err));
    ck_assert(config_set(&rig.daemon.config, STR("pool:s.mode"), STR("shared"), &err));
    ck_assert_str_eq(says("AUTH", "ann", "x"), "+OK\n");
    says("MALLOC", "p");
    ck_assert_str_eq(sent_malloc(), "M 1 1 120000 ?  3600000 ann ");
    rig_answer("*1\n*0\n");
    says("MALLOC", "p", "OWNER", "o", "REQID", "r");
    ck_assert_str_eq(sent_malloc(), "M 1 1 120000 ?  3600000 o r");
    rig_answer("*1\n*0\n");
    says("MALLOCALL", "p", "1");
    ck_assert_ptr_nonnull(strstr(sent_malloc(), " ann "));
    rig_answer("*1\n*0\n");
    says("MALLOC", "s");
    ck_assert_ptr_null(strstr(sent_malloc(), "ann"));
    rig_answer("*1\n*0\n");
    rig_reply(&rig.peers[0]);
    ck_assert_int_eq(strncmp(says("MALLOC", "s", "OWNER", "o"), "-ERR OWNER does not", 19), 0);
    says("AUTH", "default", "");
    says("MALLOC", "p", "REQID", "r");
    ck_assert_str_eq(sent_malloc(), "M 1 1 120000 ?  3600000  r");
    rig_answer("*1\n*0\n");
}
END_TEST

START_TEST(malloc_passes_every_option_on)
{
    says("malloc", "p", "timeout", "0", "name", "n", "bindtimeout", "-1", "count", "3", "all",
         "owner", "o", "reqid", "r");
    ck_assert_str_eq(sent_malloc(), "M a 3 0 ? n -1000 o r");
    rig_answer("*1\n*0\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), "*0\n");
    says("MALLOC", "p", "COUNT", "2");
    ck_assert_str_eq(sent_malloc(), "M n 2 120000 ?  3600000  ");
    rig_answer("*1\n*8\n$1\na\n$1\nx\n:7\n:1\n$1\nb\n$1\ny\n:8\n:2\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), "*2\n$1\na\n$1\nb\n");
}
END_TEST

START_TEST(an_empty_pool_is_nil_or_an_empty_array)
{
    ck_assert_str_eq(says_then("*1\n*0\n", "MALLOC", "p"), "$-1\n");
    ck_assert_str_eq(says_then("*1\n*0\n", "MALLOC", "p", "WITHTOKEN"), "$-1\n");
    ck_assert_str_eq(says_then("*1\n*0\n", "MALLOC", "p", "COUNT", "1"), "*0\n");
    rig.peers[0].state.protocol = 3;
    ck_assert_str_eq(says_then("*1\n*0\n", "MALLOC", "p"), "_\n");
}
END_TEST

START_TEST(withtoken_gives_four_things_each)
{
    const char *one = "*1\n*4\n$1\na\n$1\nx\n:7\n:-1\n";
    ck_assert_str_eq(says_then(one, "MALLOC", "p", "WITHTOKEN"), "*4\n$1\na\n$1\nx\n:7\n:-1\n");
    ck_assert_str_eq(says_then(one, "MALLOC", "p", "WITHTOKEN", "COUNT", "5"),
                     "*1\n*4\n$1\na\n$1\nx\n:7\n:-1\n");
}
END_TEST

START_TEST(what_a_client_that_is_gone_was_granted_goes_back)
{
    says("MALLOC", "p");
    rig.peers[0].turn.peer = NULL;
    rig_answer("*1\n*4\n$1\na\n$5\n7-tok\n:7\n:120000\n");
    ck_assert(rig.peers[0].turn.is_ended);
    ck_assert_str_eq(sent_alone(SCRIPT_POOL_FREE_ONE), "a 7-tok");
    rig_answer("*1\n:1\n");
}
END_TEST

START_TEST(with_a_reqid_it_may_ask_again_and_nothing_goes_back)
{
    says("MALLOC", "p", "REQID", "r");
    rig.peers[0].turn.peer = NULL;
    rig_answer("*1\n*4\n$1\na\n$5\n7+tok\n:7\n:120000\n");
    ck_assert(!rig.upstream.is_flying);
}
END_TEST

START_TEST(a_lost_answer_is_an_upstream_error)
{
    says("MALLOC", "p");
    rig_lose();
    ck_assert_int_eq(strncmp(rig_reply(&rig.peers[0]), "-UPSTREAM ", 10), 0);
    /* and the batch is recalled */
    ck_assert_int_eq(rig.upstream.script, SCRIPT_POOL_RECALL);
    rig_answer(":0\n");
}
END_TEST

START_TEST(bad_names_are_refused_before_redis_is_asked)
{
    ck_assert_int_eq(strncmp(says("MALLOC", "a|b"), "-ERR invalid name 'a|b'", 23), 0);
    ck_assert_int_eq(strncmp(says("MALLOC", "timeout"), "-ERR invalid name", 17), 0);
    ck_assert_int_eq(strncmp(says("MALLOC", "p", "OWNER", ""), "-ERR invalid OWNER ''", 21), 0);
    ck_assert_int_eq(strncmp(says("FREE", "p", "#ALLOCATED"), "-ERR ", 5), 0);
    ck_assert_int_eq(strncmp(says("FREE", "p", "a", "b||c"), "-ERR ", 5), 0);
    ck_assert_int_eq(strncmp(says("RENEW", "p", "|x"), "-ERR ", 5), 0);
    ck_assert_int_eq(strncmp(says("BIND", "p", "n", ""), "-ERR ", 5), 0);
    ck_assert_int_eq(strncmp(says("BIND", "p", "", "r"), "-ERR invalid name", 17), 0);
    ck_assert_int_eq(strncmp(says("BOUND", "p", ""), "-ERR invalid name", 17), 0);
    ck_assert_int_eq(strncmp(says("UNBIND", "p", ""), "-ERR invalid name", 17), 0);
    ck_assert_int_eq(strncmp(says("HELD", "p", ""), "-ERR invalid owner", 18), 0);
    ck_assert(!rig.upstream.is_flying);
}
END_TEST

START_TEST(options_that_need_a_lease_are_errors_in_a_shared_pool)
{
    struct err err;
    ck_assert(config_set(&rig.daemon.config, STR("pool:s.mode"), STR("shared"), &err));
    pools_configure(&rig.daemon.pools);

    ck_assert_str_eq(says("MALLOC", "s", "OWNER", "o"),
                     "-ERR OWNER does not go with pool 's': it is shared, without leases\n");
    ck_assert_int_eq(strncmp(says("MALLOC", "s", "REQID", "o"), "-ERR REQID does", 15), 0);
    ck_assert_int_eq(strncmp(says("MALLOC", "s", "WITHTOKEN"), "-ERR WITHTOKEN does", 19), 0);
    ck_assert_int_eq(strncmp(says("FREE", "s", "TOKEN", "t", "r"), "-ERR TOKEN does", 15), 0);
    ck_assert_int_eq(strncmp(says("RENEW", "s", "r", "TOKEN", "t"), "-ERR TOKEN does", 15), 0);
    says("MALLOC", "s", "NAME", "n", "TIMEOUT", "5", "COUNT", "2");
    ck_assert_ptr_nonnull(strstr(rig.upstream.text, " shared M n 2 5000 "));
    rig.peers[0].turn.peer = NULL; /* gone: there is nothing to give back */
    rig_answer("*1\n*4\n$1\na\n$0\n\n:0\n:-1\n");
    ck_assert(!rig.upstream.is_flying);
    rig_reply(&rig.peers[0]);
    ck_assert_str_eq(says_then("*1\n:0\n", "FREE", "s", "a"), ":0\n");
}
END_TEST

START_TEST(bindtimeout_without_name_is_an_error)
{
    ck_assert_str_eq(says("MALLOC", "p", "BINDTIMEOUT", "5"),
                     "-ERR syntax error: BINDTIMEOUT goes with NAME\n");
}
END_TEST

START_TEST(count_is_bounded)
{
    ck_assert_str_eq(says("MALLOC", "p", "COUNT", "100001"),
                     "-ERR COUNT is at most 100000 resources in one call, not 100001\n");
    ck_assert_str_eq(says_then("*1\n*0\n", "MALLOC", "p", "COUNT", "100000"), "*0\n");
}
END_TEST

START_TEST(free_tells_how_many_and_keeps_the_expiry_unless_told)
{
    says("FREE", "p", "a", "b");
    ck_assert_str_eq(sent(), "F   2 a b");
    rig_answer("*1\n:2\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), ":2\n");
    says("FREE", "p", "TIMEOUT", "0", "KEYS", "TIMEOUT");
    ck_assert_str_eq(sent(), "F  0 1 TIMEOUT");
    rig_answer("*1\n:0\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), ":0\n");
    says("FREE", "p", "TOKEN", "t", "TIMEOUT", "1.5", "a");
    ck_assert_str_eq(sent(), "F t 1500 1 a");
    rig_answer("*1\n-NOTOWNER the lease of this resource has another token\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]),
                     "-NOTOWNER the lease of this resource has another token\n");
}
END_TEST

START_TEST(token_goes_with_exactly_one_resource)
{
    ck_assert_str_eq(says("FREE", "p", "TOKEN", "t", "a", "b"),
                     "-ERR TOKEN goes with exactly one resource, not 2\n");
}
END_TEST

START_TEST(too_many_resources_are_refused_as_a_whole)
{
    static struct str argv[100003];
    argv[0] = STR("FREE");
    argv[1] = STR("p");
    for (int i = 2; i < 100003; i++)
        argv[i] = STR("r");
    rig_ask(&rig.peers[0], argv, 100003);
    ck_assert_str_eq(rig_reply(&rig.peers[0]),
                     "-ERR at most 100000 resources in one call, not 100001\n");
    rig_ask(&rig.peers[0], argv, 100002);
    rig_answer("*1\n:100000\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), ":100000\n");
}
END_TEST

START_TEST(renew_takes_the_default_time_or_its_own)
{
    says("RENEW", "p", "a");
    ck_assert_str_eq(sent_alone(SCRIPT_POOL_RENEW_ONE), "R a  120000");
    rig_answer("*1\n:1\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), ":1\n");
    says("RENEW", "p", "a", "TOKEN", "t", "TIMEOUT", "-1");
    ck_assert_str_eq(sent_alone(SCRIPT_POOL_RENEW_ONE), "R a t -1000");
    rig_answer("*1\n:0\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), ":0\n");
}
END_TEST

START_TEST(held_lists_leases)
{
    ck_assert_str_eq(says_then("*4\n$1\na\n$1\nx\n:7\n:100\n", "HELD", "p", "me"),
                     "*1\n*4\n$1\na\n$1\nx\n:7\n:100\n");
    ck_assert_str_eq(rig.upstream.text, "me");
    ck_assert_str_eq(says_then("*0\n", "HELD", "p", "me"), "*0\n");
}
END_TEST

START_TEST(bindings_are_set_dropped_and_told)
{
    ck_assert_str_eq(says_then("+OK\n", "BIND", "p", "n", "r"), "+OK\n");
    ck_assert_str_eq(rig.upstream.text, "n r 3600000");
    ck_assert_str_eq(says_then("+OK\n", "BIND", "p", "n", "r", "TIMEOUT", "2"), "+OK\n");
    ck_assert_str_eq(rig.upstream.text, "n r 2000");
    ck_assert_str_eq(says_then("$1\nr\n", "BOUND", "p", "n"), "$1\nr\n");
    ck_assert_str_eq(says_then("$-1\n", "BOUND", "p", "n"), "$-1\n");
    ck_assert_str_eq(says_then(":1\n", "UNBIND", "p", "n"), ":1\n");
    ck_assert_int_eq(rig.upstream.script, SCRIPT_POOL_UNBIND);
}
END_TEST

START_TEST(a_fence_is_a_whole_number_from_0)
{
    ck_assert_str_eq(says_then(":1\n", "FENCE", "CHECK", "n", "9223372036854775807"), ":1\n");
    ck_assert_str_eq(rig.upstream.text, "n 9223372036854775807");
    ck_assert_str_eq(says_then(":0\n", "FENCE", "CHECK", "n", "0"), ":0\n");
    ck_assert_str_eq(says("FENCE", "CHECK", "n", "-1"),
                     "-ERR the fence is not a whole number from 0: '-1'\n");
    ck_assert_str_eq(says("FENCE", "CHECK", "n", "x"),
                     "-ERR the fence is not a whole number from 0: 'x'\n");
    ck_assert_int_eq(strncmp(says("FENCE", "CHECK", "", "1"), "-ERR invalid name", 17), 0);
}
END_TEST

START_TEST(an_error_of_redis_keeps_its_word)
{
    ck_assert_int_eq(
        strncmp(says_then("-WRONGTYPE Operation\n", "BOUND", "p", "n"), "-WRONGTYPE ", 11), 0);
    ck_assert_int_eq(strncmp(says_then("-ERR no\n", "UNBIND", "p", "n"), "-ERR no\n", 8), 0);
    ck_assert_int_eq(
        strncmp(says_then("-WRONGTYPE Operation\n", "HELD", "p", "o"), "-WRONGTYPE ", 11), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {malloc_takes_the_defaults_of_its_pool,
                                  a_user_is_the_owner_unless_another_is_named,
                                  malloc_passes_every_option_on,
                                  an_empty_pool_is_nil_or_an_empty_array,
                                  withtoken_gives_four_things_each,
                                  what_a_client_that_is_gone_was_granted_goes_back,
                                  with_a_reqid_it_may_ask_again_and_nothing_goes_back,
                                  a_lost_answer_is_an_upstream_error,
                                  bad_names_are_refused_before_redis_is_asked,
                                  options_that_need_a_lease_are_errors_in_a_shared_pool,
                                  bindtimeout_without_name_is_an_error,
                                  count_is_bounded,
                                  free_tells_how_many_and_keeps_the_expiry_unless_told,
                                  token_goes_with_exactly_one_resource,
                                  too_many_resources_are_refused_as_a_whole,
                                  renew_takes_the_default_time_or_its_own,
                                  held_lists_leases,
                                  bindings_are_set_dropped_and_told,
                                  a_fence_is_a_whole_number_from_0,
                                  an_error_of_redis_keeps_its_word,
                                  NULL};
    return run_tests("leases", rig_start, rig_stop, tests);
}
