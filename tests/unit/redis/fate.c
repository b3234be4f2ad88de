/* fate: which errors say that nothing was done. */
#include "redis/fate.h"
#include <check.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

static enum call_fate fate_of_text(const char *text)
{
    char bytes[300];
    redisReply reply = {.type = REDIS_REPLY_ERROR, .str = bytes, .len = strlen(text)};
    snprintf(bytes, sizeof(bytes), "%s", text);
    return fate_of((const struct answer *)(const void *)&reply);
}

#define IN_SCRIPT " script: 8f2a, on @user_script:12."

START_TEST(what_redis_refuses_before_doing_anything_is_refused)
{
    static const char *const errors[] = {
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "MISCONF Redis is configured to save RDB snapshots",
        "NOREPLICAS Not enough good replicas to write.",
        "MASTERDOWN Link with MASTER is down",
        "CLUSTERDOWN The cluster is down",
        "NOPERM this user has no permissions to run the 'set' command",
        "NOAUTH Authentication required.",
        "NOSCRIPT No matching script.",
        "MOVED 3999 127.0.0.1:6381",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        ck_assert_msg(fate_of_text(errors[i]) == CALL_REFUSED, "%s", errors[i]);
}
END_TEST

START_TEST(an_error_that_a_script_raised_or_gave_is_an_answer)
{
    ck_assert_int_eq(fate_of_text("ERR user_script:3: boom" IN_SCRIPT), CALL_ANSWERED);
    ck_assert_int_eq(fate_of_text("WRONGTYPE Operation against a key" IN_SCRIPT), CALL_ANSWERED);
    ck_assert_int_eq(fate_of_text("STALE"), CALL_ANSWERED);
    ck_assert_int_eq(fate_of_text("NOTOWNER the lease has another token"), CALL_ANSWERED);
    ck_assert_int_eq(fate_of_text("OOMPH is no word of Redis"), CALL_ANSWERED);
    ck_assert_int_eq(fate_of_text(""), CALL_ANSWERED);
}
END_TEST

START_TEST(a_script_stopped_at_its_first_write_has_done_nothing)
{
    ck_assert_int_eq(fate_of_text("OOM command not allowed" IN_SCRIPT), CALL_REFUSED);
    ck_assert_int_eq(fate_of_text("READONLY You can't write" IN_SCRIPT), CALL_REFUSED);
    ck_assert_int_eq(fate_of_text("MISCONF Errors writing to the AOF file" IN_SCRIPT),
                     CALL_REFUSED);
}
END_TEST

START_TEST(a_script_stopped_for_lack_of_permission_may_have_written)
{
    ck_assert_int_eq(fate_of_text("NOPERM ACL failure in script" IN_SCRIPT), CALL_ANSWERED);
}
END_TEST

START_TEST(the_wrapped_errors_of_redis_6_are_understood)
{
    ck_assert_int_eq(fate_of_text("ERR Error running script (call to f_8f2a): @user_script:12: "
                                  "@user_script: 12: -OOM command not allowed when used memory"),
                     CALL_REFUSED);
    ck_assert_int_eq(fate_of_text("ERR Error running script (call to f_8f2a): @user_script:12: "
                                  "-READONLY You can't write against a read only replica."),
                     CALL_REFUSED);
    ck_assert_int_eq(fate_of_text("ERR Error running script (call to f_8f2a): @user_script:12: "
                                  "user_script:12: boom"),
                     CALL_ANSWERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fate");
    TCase *tests = tcase_create("fate");
    tcase_add_test(tests, what_redis_refuses_before_doing_anything_is_refused);
    tcase_add_test(tests, an_error_that_a_script_raised_or_gave_is_an_answer);
    tcase_add_test(tests, a_script_stopped_at_its_first_write_has_done_nothing);
    tcase_add_test(tests, a_script_stopped_for_lack_of_permission_may_have_written);
    tcase_add_test(tests, the_wrapped_errors_of_redis_6_are_understood);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
