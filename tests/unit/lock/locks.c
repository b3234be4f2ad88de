/* locks, sets, beats: what each operation says to Redis, and what becomes of its answers. */
#include "lock/locks.h"
#include "lock/beats.h"
#include "lock/sets.h"
#include "tests/unit/played.h"

struct told {
    int times;
    bool is_err, is_none, is_gone;
    struct err err;
    int64_t count;
    char text[100];
};

static struct batches batches;
static struct waiters waiters;
static struct rand test_rand;
static struct locks locks;
static struct told told;
static const struct lock_name plain = {{"", 0}, {"k", 1}}, in_set = {{"s", 1}, {"k", 1}};

static void set_up(void)
{
    played_start();
    memset(&told, 0, sizeof told);
    batches_init(&batches, &played, &played_clock, NULL, STR("me"));
    rand_init(&test_rand);
    waiters_init(&waiters, &batches, &test_rand);
    locks_init(&locks, &batches, &waiters, STR("ns"), &test_rand, NULL);
}

static void tear_down(void)
{
    batches_clear(&batches);
    locks_clear(&locks);
    waiters_clear(&waiters);
    played_end();
}

static void hear(void *arg, const struct err *err, const struct answer *answer)
{
    (void)arg;
    told.times++;
    told.is_err = err != NULL;
    if (err != NULL)
        told.err = *err;
    told.is_none = answer_is_none(answer);
    told.count = answer_int(answer, -1);
    snprintf(told.text, sizeof told.text, "%.*s", PRSTR(answer_str(answer)));
}

static bool is_gone(void *arg)
{
    (void)arg;
    return told.is_gone;
}

/* The newest call was this one. */
static void expect_sent(enum script_id script, const char *keys, const char *words)
{
    assert_sent(played.count - 1, script, words);
    ck_assert_str_eq(played.sent[played.count - 1].keys, keys);
    ck_assert_int_eq(told.times, 0);
}

/* Its answer comes to the caller as it is. */
static void expect_call(enum script_id script, const char *keys, const char *words)
{
    expect_sent(script, keys, words);
    bool is_batch = script == SCRIPT_LOCK_PLAIN || script == SCRIPT_LOCK_LOCK_ONE ||
                    script == SCRIPT_LOCK_UNLOCK_ONE;
    answer(is_batch ? "*1\r\n:42\r\n" : ":42\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert_msg(!told.is_err, "%s", told.err.text);
    ck_assert_int_eq(told.count, 42);
    memset(&told, 0, sizeof told);
}

static void take(struct lock_name name, enum lock_kind kind, bool is_again)
{
    struct lock_request request = {.set = name.set,
                                   .keys = &name.key,
                                   .count = 1,
                                   .owner = STR("w"),
                                   .timeout_ms = 1500,
                                   .is_again = is_again,
                                   .kind = kind,
                                   .permits = 2,
                                   .limit = 3,
                                   .is_gone = is_gone};
    locks_take(&locks, &request, hear, NULL);
}

#define FIXED "ns|lock|fence ns|lock|journal "
#define COMMON                                                                     \
    "ns|lock|fence ns|lock|journal ns|lock|waiters ns|lock|waiting ns|lock|lines " \
    "ns|lock|daemons"
#define ONE  FIXED "ns|lock:k ns|lock|claim:k"
#define MANY FIXED "ns|lock:k ns|lock|claim:k ns|lock|holders:k ns|lock|shares:k"

START_TEST(operations_of_a_batch_say_letter_owner_and_time)
{
    take(plain, LOCK_EXCLUSIVE, true);
    expect_call(SCRIPT_LOCK_PLAIN, ONE, "me 1 R w 1500");
    locks_set(&locks, &plain, STR("w"), -5, hear, NULL);
    expect_call(SCRIPT_LOCK_PLAIN, ONE, "me 2 U w 0");
    locks_extend(&locks, &plain, STR("w"), 70, hear, NULL);
    expect_call(SCRIPT_LOCK_PLAIN, ONE, "me 3 E w 70");
    locks_look(&locks, &plain, hear, NULL);
    expect_call(SCRIPT_LOCK_PLAIN, ONE, "me 4 V  ");
    locks_end(&locks, &in_set, STR("w"), false, hear, NULL);
    expect_call(SCRIPT_LOCK_PLAIN, FIXED "ns|s|pool ns|s:k ns|s|claim:k", "me 5 S F w ");
}
END_TEST

START_TEST(a_lock_or_unlock_that_goes_alone_has_a_script_of_its_own)
{
    take(plain, LOCK_EXCLUSIVE, false);
    expect_call(SCRIPT_LOCK_LOCK_ONE, ONE, "me 1 w 1500");
    locks_end(&locks, &plain, STR("w"), false, hear, NULL);
    expect_call(SCRIPT_LOCK_UNLOCK_ONE, "ns|lock|journal ns|lock:k ns|lock|claim:k", "me 2 w");
    locks_end(&locks, &plain, STR(""), false, hear, NULL);
    expect_call(SCRIPT_LOCK_UNLOCK_ONE, "ns|lock|journal ns|lock:k ns|lock|claim:k", "me 3 ");
    take(plain, LOCK_EXCLUSIVE, false);
    answer("+FULL\r\n"); /* the batch script has to do it */
    expect_call(SCRIPT_LOCK_BATCH, COMMON " ns|lock:k ns|lock|claim:k", "me 5 L w 1500");
}
END_TEST

START_TEST(shares_say_kind_permits_and_limit)
{
    take(plain, LOCK_SHARED, false);
    expect_call(SCRIPT_LOCK_PLAIN, MANY, "me 1 H w 1500 #SHARED 1 0 0");
    take(plain, LOCK_PERMITS, true);
    expect_call(SCRIPT_LOCK_PLAIN, MANY, "me 2 H w 1500 #PERMITS 2 3 1");
}
END_TEST

START_TEST(a_lock_of_a_set_comes_with_its_set)
{
    take(in_set, LOCK_EXCLUSIVE, false);
    expect_call(SCRIPT_LOCK_PLAIN, FIXED "ns|s|pool ns|s:k ns|s|claim:k", "me 1 S L w 1500");
}
END_TEST

START_TEST(operations_that_come_together_share_a_call)
{
    take(plain, LOCK_EXCLUSIVE, false);
    locks_end(&locks, &plain, STR("w"), false, hear, NULL);
    take(in_set, LOCK_SHARED, false);
    answer("*1\r\n:7\r\n");
    assert_sent(1, SCRIPT_LOCK_PLAIN, "me 2 F w  S H w 1500 #SHARED 1 0 0");
    ck_assert_str_eq(played.sent[1].keys,
                     ONE " ns|s|pool ns|s:k ns|s|claim:k ns|s|holders:k ns|s|shares:k");
    answer("*2\r\n:1\r\n$-1\r\n");
    ck_assert_int_eq(told.times, 3);
    ck_assert(told.is_none);
    ck_assert_uint_eq(locks.counters.asked, 2);
    ck_assert_uint_eq(locks.counters.granted, 1);
    ck_assert_uint_eq(locks.counters.held, 1);
    ck_assert_uint_eq(locks.counters.ended, 1);
}
END_TEST

START_TEST(several_locks_are_one_operation)
{
    const struct str keys[] = {STR("a"), STR("b")};
    struct lock_request request = {.kind = LOCK_ALL,
                                   .owner = STR("w"),
                                   .timeout_ms = 9,
                                   .keys = keys,
                                   .count = 2,
                                   .is_gone = is_gone};
    locks_take(&locks, &request, hear, NULL);
    expect_sent(SCRIPT_LOCK_PLAIN, FIXED "ns|lock:a ns|lock|claim:a ns|lock:b ns|lock|claim:b",
                "me 1 A w 9 2");
    answer("*1\r\n*2\r\n:7\r\n:8\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert_uint_eq(locks.counters.granted, 2);
}
END_TEST

START_TEST(an_operation_on_a_lock_with_several_holders_is_sent_again_in_its_terms)
{
    locks_end(&locks, &plain, STR("w"), false, hear, NULL);
    answer("*1\r\n+KIND\r\n");
    expect_call(SCRIPT_LOCK_PLAIN, MANY, "me 2 J w ");
    locks_extend(&locks, &in_set, STR("w"), 50, hear, NULL);
    answer("*1\r\n+KIND\r\n");
    expect_call(SCRIPT_LOCK_PLAIN,
                FIXED "ns|s|pool ns|s:k ns|s|claim:k ns|s|holders:k ns|s|shares:k",
                "me 4 S K w 50");
}
END_TEST

START_TEST(what_was_granted_to_somebody_gone_is_given_back_by_its_fence)
{
    told.is_gone = true;
    take(in_set, LOCK_EXCLUSIVE, false);
    answer("*1\r\n:77\r\n");
    assert_sent(1, SCRIPT_LOCK_PLAIN, "me 2 S G w 77");
    settle(CALL_LOST, "$-1\r\n");
    assert_sent(2, SCRIPT_LOCK_RECALL, "me 2");
    answer(":0\r\n");
    assert_sent(3, SCRIPT_LOCK_PLAIN, "me 3 S G w 77"); /* again: it may not have happened */
    answer("*1\r\n:1\r\n");
    ck_assert_int_eq(told.times, 1);
    ck_assert_int_eq(told.count, 77);
    take(plain, LOCK_SHARED, false);
    answer("*1\r\n:78\r\n");
    assert_sent(5, SCRIPT_LOCK_PLAIN, "me 5 J w 78");
    answer("*1\r\n-NOTOWNER no\r\n");
    take(plain, LOCK_EXCLUSIVE, false);
    answer("*1\r\n$-1\r\n"); /* nothing was granted */
    ck_assert_int_eq(played.count, played.answered);
}
END_TEST

START_TEST(one_granting_is_kept_and_given_back_by_its_fence)
{
    struct lock_hold hold = {.name = plain, .owner = STR("w"), .fence = 77, .session = STR("s")};
    locks_keep(&locks, &hold, 50, hear, NULL);
    expect_call(SCRIPT_LOCK_PLAIN, MANY, "me 1 N w 50 77");
    locks_give_back(&locks, &hold);
    assert_sent(1, SCRIPT_LOCK_PLAIN, "me 2 X w s 77");
    answer("*1\r\n:1\r\n");
    ck_assert_uint_eq(locks.counters.ended, 1);
}
END_TEST

START_TEST(all_of_several_locks_go_back)
{
    const struct str keys[] = {STR("a"), STR("b:c")};
    struct lock_request request = {.kind = LOCK_ALL,
                                   .set = STR("s"),
                                   .owner = STR("w"),
                                   .keys = keys,
                                   .count = 2,
                                   .is_gone = is_gone};
    told.is_gone = true;
    locks_take(&locks, &request, hear, NULL);
    answer("*1\r\n*2\r\n:7\r\n:8\r\n");
    assert_sent(1, SCRIPT_LOCK_PLAIN, "me 2 S G w 8 S G w 7");
    ck_assert_str_eq(played.sent[1].keys,
                     FIXED "ns|s|pool ns|s:b:c ns|s|claim:b:c ns|s|pool ns|s:a ns|s|claim:a");
    answer("*2\r\n:1\r\n:1\r\n");
}
END_TEST

START_TEST(a_lost_batch_is_recalled)
{
    take(plain, LOCK_EXCLUSIVE, false);
    lose();
    ck_assert(told.is_err);
    ck_assert_int_eq(told.err.kind, ERR_UPSTREAM);
    assert_sent(1, SCRIPT_LOCK_RECALL, "me 1");
    ck_assert_str_eq(played.sent[1].keys, COMMON);
    answer(":1\r\n");
    ck_assert_uint_eq(locks.counters.recalled, 1);
}
END_TEST

START_TEST(comparisons_and_holders_are_calls_of_their_own)
{
    locks_set_if(&locks, &plain, STR(">="), STR("5"), STR("7"), 0, hear, NULL);
    expect_call(SCRIPT_LOCK_SETIF, "ns|lock:k ns|lock|claim:k ns|lock|pool", ">= 5 7 0");
    locks_delete_if(&locks, &in_set, STR("!="), STR("1.5"), hear, NULL);
    expect_call(SCRIPT_LOCK_DELIF, COMMON " ns|s:k ns|s|claim:k ns|s|pool", "!= 1.5");
    locks_holders(&locks, &in_set, hear, NULL);
    expect_call(SCRIPT_LOCK_HOLDERS, "ns|s:k ns|s|holders:k ns|s|pool", "");
}
END_TEST

START_TEST(sets_are_scripts_and_commands_on_their_key)
{
    const struct str names[] = {STR("a"), STR("b")};
    sets_extend(&locks, STR("s"), names, 2, hear, NULL);
    expect_call(SCRIPT_LOCK_SET_EXTEND, "ns|s|pool", "a b");
    sets_shrink(&locks, STR("s"), names, 1, hear, NULL);
    expect_call(SCRIPT_LOCK_SET_SHRINK, "ns|s|pool", "a");
    sets_assign(&locks, STR("s"), NULL, 0, hear, NULL);
    expect_call(SCRIPT_LOCK_SET_ASSIGN, "ns|s|pool", "");
    sets_status(&locks, STR("s"), names, 2, hear, NULL);
    expect_call(SCRIPT_LOCK_SET_STATUS, "ns|s|pool", "a b");
    sets_health(&locks, STR("s"), hear, NULL);
    expect_call(SCRIPT_LOCK_SET_HEALTH, "ns|s|pool", "");
    sets_keys(&locks, STR("s"), hear, NULL);
    expect_call(SCRIPT_NONE, "", "SMEMBERS ns|s|pool");
    sets_len(&locks, STR("s"), hear, NULL);
    expect_call(SCRIPT_NONE, "", "SCARD ns|s|pool");
    sets_has(&locks, STR("s"), STR("a"), hear, NULL);
    expect_call(SCRIPT_NONE, "", "SISMEMBER ns|s|pool a");
}
END_TEST

START_TEST(beats_are_of_the_groups_own_prefix)
{
    beats_beat(&locks, STR("web"), STR("m1"), 60000, hear, NULL);
    expect_call(SCRIPT_LOCK_BEAT,
                "web|thread-health-check-pool|pool web|thread-health-check-pool:m1", "m1 60000");
    beats_alive(&locks, STR("web"), hear, NULL);
    expect_call(SCRIPT_LOCK_BEATS, "web|thread-health-check-pool|pool", "");
    beats_leave(&locks, STR("web"), STR("m1"), hear, NULL);
    expect_call(SCRIPT_LOCK_LEAVE,
                "web|thread-health-check-pool|pool web|thread-health-check-pool:m1", "m1");
}
END_TEST

static void expect_err(const char *resp, enum err_kind kind, const char *words)
{
    memset(&told, 0, sizeof told);
    locks_end(&locks, &in_set, STR("w"), false, hear, NULL);
    answer(resp);
    ck_assert(told.is_err);
    ck_assert_str_eq(told.err.text, words);
    ck_assert_int_eq(told.err.kind, kind);
}

START_TEST(errors_are_told_in_terms_of_the_lock)
{
    expect_err("*1\r\n-NOTOWNER it is another's\r\n", ERR_NOTOWNER, "it is another's");
    expect_err("*1\r\n-WRONGTYPE no\r\n", ERR_WRONGTYPE,
               "a key of lock set 's' holds another type: is it a pool?");
    memset(&told, 0, sizeof told);
    take(plain, LOCK_EXCLUSIVE, false);
    answer("*1\r\n-WRONGTYPE no\r\n");
    ck_assert_str_eq(told.err.text, "a key of lock 'k' holds another type");
}
END_TEST

START_TEST(owners_are_not_to_be_taken_for_the_mark_of_several_holders)
{
    struct err err;
    ck_assert(lock_owner_check(STR("#shared"), &err));
    ck_assert(lock_owner_check(STR("any \xff"), &err));
    ck_assert(!lock_owner_check(STR("#SHARED"), &err));
    ck_assert(!lock_owner_check(STR("#PERMITS:5"), &err));
    ck_assert(!lock_owner_check(STR(""), &err));
    ck_assert(!lock_owner_check(STR("a\0b"), &err));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("locks");
    TCase *tcase = tcase_create("locks");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, operations_of_a_batch_say_letter_owner_and_time);
    tcase_add_test(tcase, a_lock_or_unlock_that_goes_alone_has_a_script_of_its_own);
    tcase_add_test(tcase, shares_say_kind_permits_and_limit);
    tcase_add_test(tcase, a_lock_of_a_set_comes_with_its_set);
    tcase_add_test(tcase, operations_that_come_together_share_a_call);
    tcase_add_test(tcase, several_locks_are_one_operation);
    tcase_add_test(tcase, an_operation_on_a_lock_with_several_holders_is_sent_again_in_its_terms);
    tcase_add_test(tcase, what_was_granted_to_somebody_gone_is_given_back_by_its_fence);
    tcase_add_test(tcase, one_granting_is_kept_and_given_back_by_its_fence);
    tcase_add_test(tcase, all_of_several_locks_go_back);
    tcase_add_test(tcase, a_lost_batch_is_recalled);
    tcase_add_test(tcase, comparisons_and_holders_are_calls_of_their_own);
    tcase_add_test(tcase, sets_are_scripts_and_commands_on_their_key);
    tcase_add_test(tcase, beats_are_of_the_groups_own_prefix);
    tcase_add_test(tcase, errors_are_told_in_terms_of_the_lock);
    tcase_add_test(tcase, owners_are_not_to_be_taken_for_the_mark_of_several_holders);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
