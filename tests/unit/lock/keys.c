/* keys: the names of keys, and that scripts name them in the order in which they are given. */
#include "lock/keys.h"
#include <check.h>
#include <stdlib.h>

static const char *key(enum lock_key which, struct str prefix, struct str set, struct str name)
{
    static char out[200];
    struct lock_name of = {set, name};
    size_t len = lock_key_len(which, prefix, &of);
    ck_assert_uint_lt(len, sizeof out);
    memset(out, '?', sizeof out);
    lock_key_write(which, prefix, &of, out);
    ck_assert_int_eq(out[len], '?');
    out[len] = '\0';
    return out;
}

START_TEST(locks_have_the_layout_of_the_python_library)
{
    ck_assert_str_eq(key(LOCK_KEY_LOCK, STR("my/ns:1"), STR(""), STR("a:|b")), "my/ns:1|lock:a:|b");
    ck_assert_str_eq(key(LOCK_KEY_LOCK, STR("ns"), STR("gpus"), STR("k")), "ns|gpus:k");
    ck_assert_str_eq(key(LOCK_KEY_SET, STR("ns"), STR("gpus"), STR("k")), "ns|gpus|pool");
    ck_assert_str_eq(key(LOCK_KEY_LOCK, STR("web"), STR("thread-health-check-pool"), STR("t1")),
                     "web|thread-health-check-pool:t1");
}
END_TEST

START_TEST(what_is_ours_lies_beside_it)
{
    ck_assert_str_eq(key(LOCK_KEY_CLAIM, STR("ns"), STR(""), STR("k")), "ns|lock|claim:k");
    ck_assert_str_eq(key(LOCK_KEY_CLAIM, STR("ns"), STR("gpus"), STR("k")), "ns|gpus|claim:k");
    ck_assert_str_eq(key(LOCK_KEY_HOLDERS, STR("ns"), STR(""), STR("k")), "ns|lock|holders:k");
    ck_assert_str_eq(key(LOCK_KEY_SHARES, STR("ns"), STR("s"), STR("k")), "ns|s|shares:k");
    ck_assert_str_eq(key(LOCK_KEY_SET, STR("ns"), STR(""), STR("k")), "ns|lock|pool");
    ck_assert_str_eq(key(LOCK_KEY_COUNTER, STR("ns"), STR("s"), STR("k")), "ns|lock|fence");
    ck_assert_str_eq(key(LOCK_KEY_JOURNAL, STR("ns"), STR("s"), STR("k")), "ns|lock|journal");
}
END_TEST

START_TEST(every_script_of_the_locks_names_known_keys_those_of_the_lane_first)
{
    int scripts = 0;
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        const struct script *script = script_of((enum script_id)id);
        bool has_own = false;
        if (strncmp(script->name, "lock/", 5) != 0)
            continue;
        scripts++;
        for (int i = 0; i < script->key_count; i++) {
            enum lock_key which;
            ck_assert_msg(lock_key_called(script->keys[i], &which), "%s: %s", script->name,
                          script->keys[i]);
            bool is_own = which < LOCK_KEY_COUNTER;
            ck_assert_msg(is_own || !has_own, "%s: %s", script->name, script->keys[i]);
            has_own = is_own;
        }
    }
    ck_assert_int_ge(scripts, 13);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");
    tcase_add_test(tcase, locks_have_the_layout_of_the_python_library);
    tcase_add_test(tcase, what_is_ours_lies_beside_it);
    tcase_add_test(tcase, every_script_of_the_locks_names_known_keys_those_of_the_lane_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
