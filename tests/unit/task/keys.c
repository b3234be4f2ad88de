/* keys: the names of keys, and that scripts name them in the order in which they are given. */
#include "task/keys.h"
#include "redis/script.h"
#include <check.h>
#include <stdlib.h>

static const char *key(enum task_key which, struct str prefix, struct task_name name)
{
    static char out[200];
    size_t len = task_key_len(which, prefix, &name);
    ck_assert_uint_lt(len, sizeof out);
    memset(out, '?', sizeof out);
    task_key_write(which, prefix, &name, out);
    ck_assert_int_eq(out[len], '?');
    out[len] = '\0';
    return out;
}

static const struct task_name name = {{"id:|1", 5}, {"mails", 5}, {"", 0}};
static const struct task_name own = {{"id", 2}, {"mails", 5}, {"me", 2}};

START_TEST(lists_results_and_listeners_have_the_names_of_the_python_library)
{
    struct str prefix = STR("my/ns:1");
    ck_assert_str_eq(key(TASK_KEY_TASK, prefix, name), "my/ns:1|task-queue|task-result:id:|1");
    ck_assert_str_eq(key(TASK_KEY_LIST, prefix, name), "my/ns:1|task-queue|task-queue|mails");
    ck_assert_str_eq(key(TASK_KEY_LISTEN, prefix, name), "my/ns:1|task-queue|task-listen|mails");
}
END_TEST

START_TEST(what_is_ours_lies_beside_them)
{
    struct str prefix = STR("ns");
    ck_assert_str_eq(key(TASK_KEY_LIST, prefix, own), "ns|task-queue|task-queue|mails@me");
    ck_assert_str_eq(key(TASK_KEY_RANKED, prefix, own), "ns|task-queue|ranked|mails@me");
    ck_assert_str_eq(key(TASK_KEY_META, prefix, own), "ns|task-queue|queue|mails");
    ck_assert_str_eq(key(TASK_KEY_DELAYED, prefix, own), "ns|task-queue|delayed|mails");
    ck_assert_str_eq(key(TASK_KEY_DEAD, prefix, own), "ns|task-queue|dead|mails");
    ck_assert_str_eq(key(TASK_KEY_WAITING, prefix, own), "ns|task-queue|waiting|mails");
    ck_assert_str_eq(key(TASK_KEY_HELD, prefix, own), "ns|task-queue|held:me");
    ck_assert_str_eq(key(TASK_KEY_CHANNEL, prefix, own), "ns|task-queue|channel:me");
    ck_assert_str_eq(key(TASK_KEY_DUE, prefix, own), "ns|task-queue|due");
}
END_TEST

START_TEST(every_script_of_the_tasks_names_known_keys_those_of_the_lane_first)
{
    int scripts = 0;
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        const struct script *script = script_of((enum script_id)id);
        bool has_own = false;
        if (strncmp(script->name, "task/", 5) != 0)
            continue;
        scripts++;
        for (int i = 0; i < script->key_count; i++) {
            enum task_key which;
            ck_assert_msg(task_key_called(script->keys[i], &which), "%s: %s", script->name,
                          script->keys[i]);
            bool is_own = !task_key_is_of_lane(which);
            ck_assert_msg(is_own || !has_own, "%s: %s", script->name, script->keys[i]);
            has_own = is_own;
        }
    }
    ck_assert_int_ge(scripts, 11);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");
    tcase_add_test(tcase, lists_results_and_listeners_have_the_names_of_the_python_library);
    tcase_add_test(tcase, what_is_ours_lies_beside_them);
    tcase_add_test(tcase, every_script_of_the_tasks_names_known_keys_those_of_the_lane_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
