/* plain: which operations the cheaper scripts take, and what is said to them. */
#include "pool/plain.h"
#include "tests/unit/domain.h"

#define FULL "$4\r\nFULL\r\n"

static struct pool *pool;
static struct told told[8];
static struct str a = STR("a"), b = STR("b");
static struct malloc_request minute = {.count = 1, .timeout_ms = 60000};
static struct malloc_request for_ever = {.count = 1};
static struct free_request free_a = {.resources = &a, .count = 1};
static struct free_request free_b = {.token = STR("t"), .resources = &b, .count = 1};

/* A call is in flight, so that what follows shares the next one. */
static void set_up(void)
{
    domain_start();
    memset(told, 0, sizeof told);
    pool = the_pool("gpus");
    leases_renew(pool, STR("first"), STR(""), 5, false, hear_count, &told[0]);
}

static void tear_down(void)
{
    domain_end();
}

START_TEST(neighbours_of_a_kind_are_a_run)
{
    leases_malloc(pool, &minute, hear_leases, &told[1]);
    leases_malloc(pool, &minute, hear_leases, &told[2]);
    leases_malloc(pool, &for_ever, hear_leases, &told[3]);
    leases_free(pool, &free_a, hear_count, &told[4]);
    leases_free(pool, &free_a, hear_count, &told[5]);
    leases_free(pool, &free_b, hear_count, &told[6]);
    leases_renew(pool, b, STR(""), 9, false, hear_count, &told[7]);
    answer("*1\r\n:1\r\n");
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2 ??? M 2 60000 M 1 0 F 2 a a T 1 b t R 1 b  9");
    answer("*7\r\n$-1\r\n$-1\r\n$-1\r\n:1\r\n:0\r\n:1\r\n:1\r\n");
    for (int i = 0; i < 8; i++)
        assert_told(told[i]);
    ck_assert_int_eq(told[5].count, 0);
}
END_TEST

START_TEST(who_waits_for_nothing_else_frees_first)
{
    struct free_request leading = free_a;
    leading.is_sole = true;
    leases_malloc(pool, &minute, hear_leases, &told[1]);
    leases_free(pool, &free_b, hear_count, &told[2]);
    leases_free(pool, &leading, hear_count, &told[3]);
    answer("*1\r\n:1\r\n");
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2 ? F 1 a M 1 60000 T 1 b t");
    answer("*3\r\n:1\r\n$-1\r\n:0\r\n");
    ck_assert_int_eq(told[3].count, 1);
    ck_assert_int_eq(told[2].count, 0);
}
END_TEST

START_TEST(one_that_is_not_plain_takes_all_to_the_batch_script)
{
    struct malloc_request named = minute;
    named.name = STR("n");
    leases_free(pool, &free_a, hear_count, &told[1]);
    leases_malloc(pool, &named, hear_leases, &told[2]);
    answer("*1\r\n:1\r\n");
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive F   1 a M 1 1 60000 ? n 0  ");
    answer("*2\r\n:1\r\n*0\r\n");
}
END_TEST

START_TEST(what_pool_plain_leaves_undone_goes_to_the_batch_script)
{
    leases_free(pool, &free_a, hear_count, &told[1]);
    leases_malloc(pool, &minute, hear_leases, &told[2]);
    answer("*1\r\n:1\r\n");
    answer(FULL);
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 exclusive F   1 a M 1 1 60000 ?  0  ");
    answer("*2\r\n:1\r\n*0\r\n");
    assert_told(told[2]);
}
END_TEST

static void assert_split(struct str text, bool expected)
{
    struct str token, resource;
    int64_t fence;
    ck_assert_msg(plain_split(text, &token, &resource, &fence) == expected, "%.*s", PRSTR(text));
}

START_TEST(a_grant_is_split_behind_the_random_part)
{
    struct str token, resource;
    int64_t fence;
    ck_assert(plain_split(STR("12--234567890123456789012-x"), &token, &resource, &fence));
    ck_assert(str_eq(token, STR("12--234567890123456789012")));
    ck_assert(str_eq(resource, STR("-x")));
    ck_assert_int_eq(fence, 12);
    assert_split(STR("12-1234567890123456789012"), false); /* no resource */
    assert_split(STR("121234567890123456789012x"), false);
    assert_split(STR("-1234567890123456789012x"), false);
    assert_split(STR("12-"), false);
    assert_split(STR(""), false);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plain");
    TCase *tcase = tcase_create("plain");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, neighbours_of_a_kind_are_a_run);
    tcase_add_test(tcase, who_waits_for_nothing_else_frees_first);
    tcase_add_test(tcase, one_that_is_not_plain_takes_all_to_the_batch_script);
    tcase_add_test(tcase, what_pool_plain_leaves_undone_goes_to_the_batch_script);
    suite_add_tcase(suite, tcase);
    TCase *answers = tcase_create("answers");
    tcase_add_test(answers, a_grant_is_split_behind_the_random_part);
    suite_add_tcase(suite, answers);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
