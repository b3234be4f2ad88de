/* members: what each operation says to Redis, and that it hands the answer on as it is. */
#include "pool/members.h"
#include "tests/unit/domain.h"

static struct pool *pool;
static struct told told;
static struct str resources[] = {{"a", 1}, {"b", 1}};

static void set_up(void)
{
    domain_start();
    pool = the_pool("gpus");
    memset(&told, 0, sizeof told);
}

static void tear_down(void)
{
    domain_end();
}

/* The newest call was this one; its answer comes to the caller. */
static void expect_call(enum script_id script, const char *words)
{
    int at = played.answered;
    assert_sent(at, script, words);
    if (script != SCRIPT_NONE)
        ck_assert_str_eq(played.sent[at].key, "ns|gpus|pool");
    ck_assert_int_eq(told.times, 0);
    answer(":42\r\n");
    assert_told(told);
    ck_assert_int_eq(told.count, 42);
    memset(&told, 0, sizeof told);
}

START_TEST(changes_say_expiry_and_resources)
{
    members_extend(pool, 5000, resources, 2, hear_answer, &told);
    expect_call(SCRIPT_POOL_EXTEND, "5000 a b");
    const struct member_words words = {
        .expiry_ms = 5000, .has_priority = true, .priority = 3, .capacity = 2};
    members_extend_with(pool, &words, resources, 2, hear_answer, &told);
    expect_call(SCRIPT_POOL_EXTEND, "5000\001P3\001C2 a b");
    members_assign(pool, 0, resources, 2, hear_answer, &told);
    expect_call(SCRIPT_POOL_ASSIGN, "0 a b");
    members_assign(pool, 0, NULL, 0, hear_answer, &told);
    expect_call(SCRIPT_POOL_ASSIGN, "0");
    members_shrink(pool, resources, 2, hear_answer, &told);
    expect_call(SCRIPT_POOL_SHRINK, "a b");
}
END_TEST

START_TEST(bindings_say_name_resource_and_time)
{
    members_bind(pool, STR("me"), STR("a"), 7000, hear_answer, &told);
    expect_call(SCRIPT_POOL_BIND, "me a 7000");
    members_unbind(pool, STR("me"), hear_answer, &told);
    expect_call(SCRIPT_POOL_UNBIND, "me");
    members_bound(pool, STR("me"), hear_answer, &told);
    expect_call(SCRIPT_POOL_BOUND, "me");
}
END_TEST

START_TEST(simple_looks_are_commands_of_redis)
{
    members_keys(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_NAMES, "HKEYS");
    members_len(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_NAMES, "HLEN");
    members_has(pool, STR("a"), hear_answer, &told);
    expect_call(SCRIPT_POOL_NAMES, "HEXISTS a");
    members_scan(pool, STR("17"), 100, hear_answer, &told);
    expect_call(SCRIPT_POOL_NAMES, "HSCAN 17 COUNT 100");
}
END_TEST

START_TEST(other_looks_are_scripts)
{
    members_freelist(pool, -7, hear_answer, &told);
    expect_call(SCRIPT_POOL_FREELIST, "-1");
    members_freelist(pool, 3, hear_answer, &told);
    expect_call(SCRIPT_POOL_FREELIST, "3");
    members_info(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_INFO, "");
    members_health(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_HEALTH, "");
    members_status(pool, STR("a"), hear_answer, &told);
    expect_call(SCRIPT_POOL_STATUS, "a");
    members_check(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_CHECK, "");
    members_repair(pool, hear_answer, &told);
    expect_call(SCRIPT_POOL_REPAIR, "");
}
END_TEST

START_TEST(collecting_is_asked_as_the_leader_or_as_whoever)
{
    members_gc(pool, true, 10, hear_answer, &told);
    expect_call(SCRIPT_POOL_GC, "me 4000 1000 10");
    members_gc(pool, false, 0, hear_answer, &told);
    expect_call(SCRIPT_POOL_GC, " 4000 1000 0");
}
END_TEST

START_TEST(a_pool_that_was_given_resources_is_known)
{
    members_extend(pool, 0, resources, 2, hear_answer, &told);
    ck_assert(!pool->is_known);
    answer(":2\r\n");
    ck_assert(pool->is_known);
}
END_TEST

START_TEST(a_failed_extend_makes_no_pool_known)
{
    members_extend(pool, 0, resources, 2, hear_answer, &told);
    settle(CALL_REFUSED, OOM);
    ck_assert(!pool->is_known);
    assert_failed_with(told, ERR_UPSTREAM,
                       "Redis refused: OOM command not allowed when used memory > 'maxmemory'.: "
                       "not done");
}
END_TEST

START_TEST(errors_of_redis_are_told_without_their_first_word)
{
    members_scan(pool, STR("x"), 1, hear_answer, &told);
    answer("-ERR invalid cursor\r\n");
    assert_failed_with(told, ERR_GENERAL, "invalid cursor");
}
END_TEST

START_TEST(a_free_list_that_is_broken_is_repaired)
{
    members_freelist(pool, -1, hear_answer, &told);
    answer("-BROKEN the free list is a circle at 'a'\r\n");
    ck_assert(told.is_err);
    assert_sent(1, SCRIPT_POOL_REPAIR, "");
    answer("*4\r\n:1\r\n:1\r\n:0\r\n:1\r\n");
    ck_assert_uint_eq(pool->counters.repaired, 1);
}
END_TEST

START_TEST(fences_are_checked_outside_of_the_pools)
{
    fences_check(&pools, STR("db"), 1700000000123456, hear_answer, &told);
    assert_sent(0, SCRIPT_POOL_FENCE_CHECK, "db 1700000000123456");
    ck_assert_str_eq(played.sent[0].key, "ns|fence|seen");
    answer(":1\r\n");
    assert_told(told);
    ck_assert_int_eq(told.count, 1);
}
END_TEST

START_TEST(fences_of_another_type_are_explained)
{
    fences_check(&pools, STR("db"), 1, hear_answer, &told);
    answer("-WRONGTYPE no\r\n");
    assert_failed_with(told, ERR_WRONGTYPE, "the key of the fences holds another type");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("members");
    TCase *tcase = tcase_create("members");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, changes_say_expiry_and_resources);
    tcase_add_test(tcase, bindings_say_name_resource_and_time);
    tcase_add_test(tcase, simple_looks_are_commands_of_redis);
    tcase_add_test(tcase, other_looks_are_scripts);
    tcase_add_test(tcase, collecting_is_asked_as_the_leader_or_as_whoever);
    tcase_add_test(tcase, a_pool_that_was_given_resources_is_known);
    tcase_add_test(tcase, a_failed_extend_makes_no_pool_known);
    tcase_add_test(tcase, errors_of_redis_are_told_without_their_first_word);
    tcase_add_test(tcase, a_free_list_that_is_broken_is_repaired);
    tcase_add_test(tcase, fences_are_checked_outside_of_the_pools);
    tcase_add_test(tcase, fences_of_another_type_are_explained);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
