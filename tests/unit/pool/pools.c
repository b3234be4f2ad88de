/* pools: which pools a daemon knows, and what their lanes do. */
#include "pool/pools.h"
#include "tests/unit/domain.h"

static void set_up(void)
{
    domain_start();
}

static void tear_down(void)
{
    domain_end();
}

START_TEST(a_pool_is_made_at_its_first_mention)
{
    ck_assert_ptr_null(pools_find(&pools, STR("gpus")));
    struct pool *pool = the_pool("gpus");
    ck_assert_ptr_eq(the_pool("gpus"), pool);
    ck_assert_ptr_eq(pools_find(&pools, STR("gpus")), pool);
    ck_assert(str_eq(pool_keys_hash(&pool->keys), STR("ns|gpus|pool")));
}
END_TEST

START_TEST(a_name_that_is_not_allowed_makes_no_pool)
{
    struct err err;
    ck_assert_ptr_null(pools_get(&pools, STR("x|pool"), &err));
    ck_assert_ptr_null(pools_get(&pools, STR("lock"), &err));
    ck_assert_ptr_null(pools_get(&pools, STR(""), &err));
    ck_assert_uint_eq(pools.all.count, 0);
}
END_TEST

START_TEST(no_more_than_max_pools_are_known)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct err err;
    for (int i = 0; i < 5; i++)
        the_pool(names[i]);
    ck_assert_ptr_null(pools_get(&pools, STR("f"), &err));
    ck_assert_str_eq(err.text, "this daemon knows 5 pools already (max_pools)");
    ck_assert_ptr_nonnull(pools_get(&pools, STR("a"), &err));
}
END_TEST

START_TEST(a_pool_that_nobody_uses_is_forgotten_after_a_minute)
{
    the_pool("idle");
    the_pool("known")->is_known = true;
    pass_ms(30000);
    the_pool("used");
    pass_ms(29999);
    pools_forget_idle(&pools);
    ck_assert_uint_eq(pools.all.count, 3);
    pass_ms(1);
    pools_forget_idle(&pools);
    ck_assert_ptr_null(pools_find(&pools, STR("idle")));
    ck_assert_ptr_nonnull(pools_find(&pools, STR("known")));
    ck_assert_ptr_nonnull(pools_find(&pools, STR("used")));
}
END_TEST

START_TEST(a_configured_pool_is_never_forgotten)
{
    struct pool_config setting = config.pool_default;
    map_put(&config.pools, STR("mine"), &setting);
    pools_configure(&pools);
    ck_assert_ptr_nonnull(pools_find(&pools, STR("mine")));
    pass_ms(100000);
    pools_forget_idle(&pools);
    ck_assert_ptr_nonnull(pools_find(&pools, STR("mine")));
}
END_TEST

START_TEST(a_pool_with_an_operation_on_its_way_is_not_forgotten)
{
    struct told told = {0};
    struct pool *pool = the_pool("busy");
    members_len(pool, hear_answer, &told);
    played_us += 100000 * 1000;
    pools_forget_idle(&pools);
    ck_assert_ptr_eq(pools_find(&pools, STR("busy")), pool);
    answer(":0\r\n");
    pools_forget_idle(&pools);
    ck_assert_ptr_null(pools_find(&pools, STR("busy")));
}
END_TEST

START_TEST(a_pool_whose_refused_operation_has_not_ended_is_not_forgotten)
{
    struct told told = {0};
    struct pool *pool = the_pool("busy");
    played.away_ms = 5000;
    played_us += 100000 * 1000;
    members_len(pool, hear_answer, &told);
    pools_forget_idle(&pools);
    ck_assert_ptr_eq(pools_find(&pools, STR("busy")), pool);
    pass_ms(1);
    assert_failed_with(told, ERR_UPSTREAM, "Redis is away for 5 s (connection refused): not done");
    pools_forget_idle(&pools);
    ck_assert_ptr_null(pools_find(&pools, STR("busy")));
}
END_TEST

START_TEST(a_pool_that_is_named_again_never_repeats_a_sequence)
{
    struct told told = {0};
    leases_renew(the_pool("p"), STR("r"), STR(""), 1000, false, hear_count, &told);
    answer("*1\r\n:0\r\n");
    pass_ms(60000);
    pools_forget_idle(&pools);
    ck_assert_ptr_null(pools_find(&pools, STR("p")));
    leases_renew(the_pool("p"), STR("r"), STR(""), 1000, false, hear_count, &told);
    assert_sent(1, SCRIPT_POOL_RENEW_ONE, "me 2 R r  1000");
    answer("*1\r\n:0\r\n");
}
END_TEST

START_TEST(a_reload_changes_the_settings_and_adds_pools)
{
    struct told told = {0};
    struct pool_config setting = config.pool_default;
    struct pool *pool = the_pool("gpus");
    setting.is_shared = true;
    map_put(&config.pools, STR("gpus"), &setting);
    map_put(&config.pools, STR("new"), &setting);
    pools_configure(&pools);
    ck_assert_ptr_eq(pool->config, &setting);
    ck_assert_ptr_nonnull(pools_find(&pools, STR("new")));
    leases_renew(pool, STR("r"), STR(""), 1000, false, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 shared R r  1000");
    ck_assert_str_eq(played.sent[0].key, "ns|gpus|pool");
    answer("*1\r\n:0\r\n");
}
END_TEST

START_TEST(a_pool_may_have_a_prefix_of_its_own)
{
    static char other[] = "other";
    struct pool_config setting = config.pool_default;
    setting.prefix = other;
    map_put(&config.pools, STR("gpus"), &setting);
    ck_assert(str_eq(pool_keys_hash(&the_pool("gpus")->keys), STR("other|gpus|pool")));
    ck_assert(str_eq(pools_prefix(&pools), STR("ns")));
}
END_TEST

START_TEST(what_a_recall_gave_back_is_counted)
{
    struct told told = {0};
    struct pool *pool = the_pool("gpus");
    leases_renew(pool, STR("r"), STR(""), 1000, false, hear_count, &told);
    lose();
    assert_failed_with(told, ERR_UPSTREAM, "Redis did not answer: the operation may have happened");
    assert_sent(1, SCRIPT_POOL_RECALL, "me 1");
    answer(":3\r\n");
    ck_assert_uint_eq(pool->counters.recalled, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pools");
    TCase *tcase = tcase_create("pools");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_pool_is_made_at_its_first_mention);
    tcase_add_test(tcase, a_name_that_is_not_allowed_makes_no_pool);
    tcase_add_test(tcase, no_more_than_max_pools_are_known);
    tcase_add_test(tcase, a_pool_that_nobody_uses_is_forgotten_after_a_minute);
    tcase_add_test(tcase, a_configured_pool_is_never_forgotten);
    tcase_add_test(tcase, a_pool_with_an_operation_on_its_way_is_not_forgotten);
    tcase_add_test(tcase, a_pool_whose_refused_operation_has_not_ended_is_not_forgotten);
    tcase_add_test(tcase, a_pool_that_is_named_again_never_repeats_a_sequence);
    tcase_add_test(tcase, a_reload_changes_the_settings_and_adds_pools);
    tcase_add_test(tcase, a_pool_may_have_a_prefix_of_its_own);
    tcase_add_test(tcase, what_a_recall_gave_back_is_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
