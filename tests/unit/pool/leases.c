/* leases: what malloc, free, renew and held say to Redis, and what they make of its answers. */
#include "pool/leases.h"
#include "tests/unit/domain.h"

#define GRANT "*1\r\n*4\r\n$2\r\nr1\r\n$3\r\n7-x\r\n:7\r\n:1000\r\n"
#define GRANTS \
    "*1\r\n*8\r\n$2\r\nr1\r\n$3\r\n7-x\r\n:7\r\n:1000\r\n$2\r\nr2\r\n$3\r\n8-y\r\n:8\r\n:-1\r\n"
#define NONE "*1\r\n*0\r\n"

static struct pool *pool;
static struct told told;
static struct malloc_request one = {.count = 1, .timeout_ms = 1000, .binding_ms = 60000};

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

/* --- malloc
 * --------------------------------------------------------------------------------------- */

START_TEST(malloc_says_all_that_was_asked)
{
    struct malloc_request request = {.mode = MALLOC_ALL,
                                     .count = 3,
                                     .timeout_ms = 0,
                                     .name = STR("me"),
                                     .binding_ms = 5000,
                                     .owner = STR("own"),
                                     .reqid = STR("id")};
    leases_malloc(pool, &request, hear_leases, &told);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 exclusive M a 3 0 ? me 5000 own id");
    ck_assert_int_eq(told.times, 0);
    answer(NONE);
    assert_told(told);
}
END_TEST

START_TEST(malloc_of_one_asks_for_one)
{
    struct malloc_request request = one;
    request.count = 9;
    leases_malloc(pool, &request, hear_leases, &told);
    assert_sent(0, SCRIPT_POOL_MALLOC_ONE, "me 1 1000 ?");
    answer("$4\r\nFULL\r\n");
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive M 1 1 1000 ?  60000  ");
    answer(NONE);
    assert_told(told);
}
END_TEST

#define RANDOM "ABCDEFGHIJKLMNOPQRSTUV"

START_TEST(a_grant_of_a_cheaper_script_is_token_and_resource_in_one_text)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("*1\r\n$28\r\n75-" RANDOM "a-b\r\n");
    assert_told(told);
    ck_assert_str_eq(told.text, "a-b 75-" RANDOM " 75 1000;");
    ck_assert_uint_eq(pool->counters.grants, 1);
}
END_TEST

START_TEST(nothing_granted_by_a_cheaper_script_is_no_error)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("*1\r\n$-1\r\n");
    assert_told(told);
    ck_assert_uint_eq(told.leases, 0);
    ck_assert_uint_eq(pool->counters.misses, 1);
}
END_TEST

START_TEST(a_text_that_is_no_grant_is_an_error)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("*1\r\n$25\r\n75-" RANDOM "\r\n");
    assert_failed_with(told, ERR_GENERAL, "Redis gave an answer that was not expected");
}
END_TEST

START_TEST(arguments_are_copied)
{
    char name[] = "me";
    struct malloc_request request = one;
    struct told first = {0};
    request.mode = MALLOC_UP_TO;
    request.count = 2;
    leases_malloc(pool, &one, hear_leases, &first);
    request.name = str_of(name);
    leases_malloc(pool, &request, hear_leases, &told);
    name[0] = 'X';
    answer(NONE);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive M n 2 1000 ? me 60000  ");
    answer(NONE);
}
END_TEST

START_TEST(a_grant_is_told_with_token_fence_and_time)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer(GRANTS);
    assert_told(told);
    ck_assert_str_eq(told.text, "r1 7-x 7 1000;r2 8-y 8 -1;");
    ck_assert_uint_eq(pool->counters.mallocs, 1);
    ck_assert_uint_eq(pool->counters.grants, 2);
    ck_assert_uint_eq(pool->counters.misses, 0);
    ck_assert(pool->is_known);
}
END_TEST

START_TEST(nothing_free_is_no_error)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer(NONE);
    assert_told(told);
    ck_assert_uint_eq(told.leases, 0);
    ck_assert_uint_eq(pool->counters.misses, 1);
    ck_assert(!pool->is_known);
}
END_TEST

START_TEST(held_asks_by_owner)
{
    leases_held(pool, STR("own"), hear_leases, &told);
    assert_sent(0, SCRIPT_POOL_HELD, "own");
    answer("*4\r\n$2\r\nr1\r\n$3\r\n7+x\r\n:7\r\n:1000\r\n");
    assert_told(told);
    ck_assert_str_eq(told.text, "r1 7+x 7 1000;");
    ck_assert_uint_eq(pool->counters.grants, 0);
}
END_TEST

/* --- free and renew
 * ------------------------------------------------------------------------------- */

START_TEST(free_says_token_expiry_and_resources)
{
    struct str resources[] = {STR("a"), STR("b")};
    struct free_request request = {.token = STR("t"),
                                   .has_expiry = true,
                                   .expiry_ms = 500,
                                   .resources = resources,
                                   .count = 2};
    leases_free(pool, &request, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 exclusive F t 500 2 a b");
    answer("*1\r\n:2\r\n");
    assert_told(told);
    ck_assert_int_eq(told.count, 2);
    ck_assert_uint_eq(pool->counters.frees, 2);
}
END_TEST

START_TEST(free_without_a_time_keeps_the_expiry)
{
    struct str resource = STR("a");
    struct free_request request = {.expiry_ms = 500, .resources = &resource, .count = 1};
    leases_free(pool, &request, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_FREE_ONE, "me 1 a ");
    answer("$4\r\nFULL\r\n");
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive F   1 a");
    answer("*1\r\n:0\r\n");
    assert_told(told);
    ck_assert_int_eq(told.count, 0);
}
END_TEST

START_TEST(renew_says_resource_token_and_time)
{
    leases_renew(pool, STR("a"), STR("t"), 1500, false, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_RENEW_ONE, "me 1 R a t 1500");
    answer("*1\r\n:1\r\n");
    assert_told(told);
    ck_assert_int_eq(told.count, 1);
    ck_assert_uint_eq(pool->counters.renewals, 1);
}
END_TEST

START_TEST(keep_says_the_same_by_another_letter)
{
    leases_keep(pool, STR("a"), STR("t"), 1500, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_RENEW_ONE, "me 1 K a t 1500");
    answer("*1\r\n:1\r\n");
    assert_told(told);
}
END_TEST

START_TEST(what_is_not_plain_goes_by_the_batch_though_alone)
{
    struct str resource = STR("a");
    struct free_request request = {
        .has_expiry = true, .expiry_ms = 500, .resources = &resource, .count = 1};
    struct malloc_request named = one, owned = one;
    struct told first = {0}, second = {0};
    named.name = STR("n");
    owned.owner = STR("o");
    leases_free(pool, &request, hear_count, &told);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 exclusive F  500 1 a");
    answer("*1\r\n:0\r\n");
    leases_malloc(pool, &named, hear_leases, &first);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive M 1 1 1000 ? n 60000  ");
    answer(NONE);
    leases_malloc(pool, &owned, hear_leases, &second);
    assert_sent(2, SCRIPT_POOL_BATCH, "me 3 exclusive M 1 1 1000 ?  60000 o ");
    answer(NONE);
}
END_TEST

START_TEST(neighbours_share_a_call_and_each_gets_its_answer)
{
    struct told first = {0}, second = {0}, third = {0};
    struct str resource = STR("a");
    struct free_request request = {.token = STR("t"), .resources = &resource, .count = 1};
    leases_malloc(pool, &one, hear_leases, &first);
    leases_free(pool, &request, hear_count, &second);
    leases_renew(pool, STR("b"), STR(""), 9, false, hear_count, &third);
    answer(GRANT);
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2  T 1 a t R 1 b  9");
    answer("*2\r\n-NOTOWNER the lease of this resource has another token\r\n:1\r\n");
    assert_told(first);
    assert_failed_with(second, ERR_NOTOWNER, "the lease of this resource has another token");
    assert_told(third);
}
END_TEST

/* --- errors
 * --------------------------------------------------------------------------------------- */

START_TEST(another_type_is_explained)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("-WRONGTYPE Operation against a key holding the wrong kind of value script: x\r\n");
    assert_failed_with(
        told, ERR_WRONGTYPE,
        "a key of pool 'gpus' holds another type: is it a lock set? Else POOL REPAIR "
        "gpus mends it");
}
END_TEST

START_TEST(want_of_memory_for_one_request_is_said_to_it)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("*1\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    assert_failed_with(told, ERR_UPSTREAM,
                       "Redis refused: OOM command not allowed when used memory > 'maxmemory'.: "
                       "not done");
}
END_TEST

START_TEST(other_errors_are_told_without_their_first_word)
{
    leases_malloc(pool, &one, hear_leases, &told);
    answer("-ERR something else\r\n");
    assert_failed_with(told, ERR_GENERAL, "something else");
}
END_TEST

START_TEST(an_answer_of_another_shape_is_an_error)
{
    struct told second = {0};
    leases_malloc(pool, &one, hear_leases, &told);
    leases_renew(pool, STR("b"), STR(""), 9, false, hear_count, &second);
    answer("*1\r\n:1\r\n");
    answer("*1\r\n*0\r\n");
    assert_failed_with(told, ERR_GENERAL, "Redis gave an answer that was not expected");
    assert_failed_with(second, ERR_GENERAL, "Redis gave an answer that was not expected");
}
END_TEST

START_TEST(done_never_runs_before_the_call_has_returned)
{
    played.away_ms = 60000;
    leases_malloc(pool, &one, hear_leases, &told);
    ck_assert_int_eq(told.times, 0);
    pass_ms(0);
    assert_failed_with(told, ERR_UPSTREAM, "Redis is away for 60 s (connection refused): not done");
    ck_assert_uint_eq(pool->pending, 0);
}
END_TEST

START_TEST(a_full_lane_is_busy)
{
    struct told first = {0}, second = {0};
    batches.max_queued = 1;
    leases_malloc(pool, &one, hear_leases, &first);
    leases_malloc(pool, &one, hear_leases, &second);
    leases_malloc(pool, &one, hear_leases, &told);
    pass_ms(0);
    assert_failed_with(told, ERR_BUSY,
                       "1 operations wait for Redis already (max_queued): not done");
    answer(NONE);
    answer(NONE);
    assert_told(second);
}
END_TEST

/* --- a broken list
 * -------------------------------------------------------------------------------- */

#define BROKEN "*2\r\n-BROKEN the tail is no end: 'r1'\r\n-BROKEN the tail is no end: 'r1'\r\n"

START_TEST(a_broken_list_is_repaired_once_before_anything_else)
{
    struct told first = {0}, second = {0}, third = {0};
    leases_malloc(pool, &one, hear_leases, &told);
    leases_malloc(pool, &one, hear_leases, &first);
    leases_malloc(pool, &one, hear_leases, &second);
    answer(NONE);
    leases_malloc(pool, &one, hear_leases, &third);
    answer(BROKEN);
    assert_failed_with(first, ERR_GENERAL,
                       "the list of pool 'gpus' is broken (the tail is no end: 'r1'): not done; it "
                       "is being repaired");
    ck_assert(pool->is_repairing);
    assert_sent(2, SCRIPT_POOL_REPAIR, "");
    answer("*4\r\n:3\r\n:2\r\n:1\r\n:2\r\n");
    ck_assert(!pool->is_repairing);
    ck_assert_uint_eq(pool->counters.repaired, 2);
    assert_sent(3, SCRIPT_POOL_MALLOC_ONE, "me 3 1000 ?");
    answer(GRANT);
    assert_told(third);
    ck_assert_int_eq(played.count, 4);
}
END_TEST

START_TEST(a_repair_that_failed_is_tried_again_at_the_next_notice)
{
    struct told again = {0};
    leases_malloc(pool, &one, hear_leases, &told);
    answer("*1\r\n-BROKEN it\r\n");
    lose();
    ck_assert(!pool->is_repairing);
    leases_malloc(pool, &one, hear_leases, &again);
    answer("*1\r\n-BROKEN it\r\n");
    assert_sent(3, SCRIPT_POOL_REPAIR, "");
    answer("*4\r\n:0\r\n:0\r\n:0\r\n:0\r\n");
}
END_TEST

/* --- giving back
 * ---------------------------------------------------------------------------------- */

static void give_back(void *arg, const struct err *err, const struct leases *leases)
{
    (void)arg;
    ck_assert_ptr_null(err);
    leases_give_back(pool, leases);
}

START_TEST(granted_leases_are_given_back_by_their_tokens)
{
    leases_malloc(pool, &one, give_back, NULL);
    answer(GRANTS);
    assert_sent(1, SCRIPT_POOL_PLAIN, "me 2  T 2 r1 7-x r2 8-y");
    answer("*2\r\n:1\r\n:1\r\n");
    ck_assert_uint_eq(pool->counters.frees, 2);
    ck_assert_uint_eq(pool->pending, 0);
}
END_TEST

static void leave(void *will_return, const struct err *err, const struct leases *leases)
{
    ck_assert_ptr_null(err);
    leases_leave(pool, leases, STR("me:5"), will_return != NULL);
}

START_TEST(who_asked_by_a_reqid_in_a_session_leaves_by_its_name)
{
    struct malloc_request request = one;
    request.reqid = STR("q");
    request.holder = STR("me:5");
    leases_malloc(pool, &request, leave, NULL);
    assert_sent(0, SCRIPT_POOL_BATCH, "me 1 exclusive H me:5 M 1 1 1000 ?  60000  q");
    answer(GRANTS);
    assert_sent(1, SCRIPT_POOL_BATCH, "me 2 exclusive G 8-y  1 r2 me:5 0 G 7-x  1 r1 me:5 0");
    answer("*2\r\n:1\r\n:1\r\n");
    ck_assert_uint_eq(pool->counters.frees, 2);
    leases_malloc(pool, &request, leave, &told);
    answer(GRANT);
    assert_sent(3, SCRIPT_POOL_BATCH, "me 4 exclusive G 7-x  1 r1 me:5 1");
    answer("*1\r\n:0\r\n");
}
END_TEST

START_TEST(giving_back_is_tried_again_when_the_answer_is_lost)
{
    leases_malloc(pool, &one, give_back, NULL);
    answer(GRANT);
    lose();
    assert_sent(2, SCRIPT_POOL_RECALL, "me 2");
    answer(":0\r\n");
    assert_sent(3, SCRIPT_POOL_FREE_ONE, "me 3 r1 7-x");
    answer("*1\r\n-NOTOWNER the lease of this resource has another token\r\n");
    ck_assert_int_eq(played.count, 4);
    ck_assert_uint_eq(pool->pending, 0);
}
END_TEST

START_TEST(giving_back_ends_when_redis_stays_away)
{
    leases_malloc(pool, &one, give_back, NULL);
    played.room = 0;
    answer(GRANT);
    played.away_ms = 1;
    pass_ms(1999);
    ck_assert_uint_eq(pool->pending, 1);
    played.away_ms = 2000;
    pass_ms(1);
    ck_assert_uint_eq(pool->pending, 0);
}
END_TEST

START_TEST(a_shared_pool_has_nothing_to_give_back)
{
    leases_malloc(pool, &one, give_back, NULL);
    answer("*1\r\n*4\r\n$2\r\nr1\r\n$0\r\n\r\n:0\r\n:-1\r\n");
    ck_assert_int_eq(played.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leases");
    TCase *tcase = tcase_create("leases");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, malloc_says_all_that_was_asked);
    tcase_add_test(tcase, malloc_of_one_asks_for_one);
    tcase_add_test(tcase, a_grant_of_a_cheaper_script_is_token_and_resource_in_one_text);
    tcase_add_test(tcase, nothing_granted_by_a_cheaper_script_is_no_error);
    tcase_add_test(tcase, a_text_that_is_no_grant_is_an_error);
    tcase_add_test(tcase, arguments_are_copied);
    tcase_add_test(tcase, a_grant_is_told_with_token_fence_and_time);
    tcase_add_test(tcase, nothing_free_is_no_error);
    tcase_add_test(tcase, held_asks_by_owner);
    tcase_add_test(tcase, free_says_token_expiry_and_resources);
    tcase_add_test(tcase, free_without_a_time_keeps_the_expiry);
    tcase_add_test(tcase, renew_says_resource_token_and_time);
    tcase_add_test(tcase, keep_says_the_same_by_another_letter);
    tcase_add_test(tcase, what_is_not_plain_goes_by_the_batch_though_alone);
    tcase_add_test(tcase, neighbours_share_a_call_and_each_gets_its_answer);
    tcase_add_test(tcase, another_type_is_explained);
    tcase_add_test(tcase, want_of_memory_for_one_request_is_said_to_it);
    tcase_add_test(tcase, other_errors_are_told_without_their_first_word);
    tcase_add_test(tcase, an_answer_of_another_shape_is_an_error);
    tcase_add_test(tcase, done_never_runs_before_the_call_has_returned);
    tcase_add_test(tcase, a_full_lane_is_busy);
    tcase_add_test(tcase, a_broken_list_is_repaired_once_before_anything_else);
    tcase_add_test(tcase, a_repair_that_failed_is_tried_again_at_the_next_notice);
    tcase_add_test(tcase, granted_leases_are_given_back_by_their_tokens);
    tcase_add_test(tcase, who_asked_by_a_reqid_in_a_session_leaves_by_its_name);
    tcase_add_test(tcase, giving_back_is_tried_again_when_the_answer_is_lost);
    tcase_add_test(tcase, giving_back_ends_when_redis_stays_away);
    tcase_add_test(tcase, a_shared_pool_has_nothing_to_give_back);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
