/* lock_compare: SETIF and DELIF: the truth table of each comparison, and what is left alone. */
#include "tests/lib/locking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS "p|lock:k p|lock|claim:k p|lock|pool"
#define COMMON \
    "p|lock|fence p|lock|journal p|lock|waiters p|lock|waiting p|lock|lines p|lock|daemons "

static struct scene scene;

/* Whether "value op current" holds: for a value that is smaller, a hair smaller (within the
 * tolerance), equal, a hair larger, larger. */
static const struct {
    const char *op;
    const char *holds; /* of each of the five '1' or '0' */
} rows[] = {{">", "00011"},  {"<", "11000"},  {">=", "01111"},
            {"<=", "11110"}, {"==", "01110"}, {"!=", "10001"}};
static const char *const values[] = {"4.99", "4.9999999", "5", "5.0000001", "5.01"};

static void expect_each(enum script_id id, const char *more)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < 5; k++) {
            char words[100], expected[2] = {rows[i].holds[k], '\0'};
            snprintf(words, sizeof words, "%s %s%s", rows[i].op, values[k], more);
            scene_do(&scene, "SET p|lock:k 5");
            expect_call(&scene, id, id == SCRIPT_LOCK_DELIF ? COMMON KEYS : KEYS, words, expected);
            bool has_changed = rows[i].holds[k] == '1';
            expect_redis(&scene, "GET p|lock:k",
                         !has_changed              ? "5"
                         : id == SCRIPT_LOCK_DELIF ? "nil"
                                                   : "7");
        }
    }
}

START_TEST(setif_sets_where_the_comparison_holds)
{
    scene_open(&scene, NULL);
    expect_each(SCRIPT_LOCK_SETIF, " 7 0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(delif_deletes_where_the_comparison_holds)
{
    scene_open(&scene, NULL);
    expect_each(SCRIPT_LOCK_DELIF, "");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_missing_value_counts_as_true)
{
    scene_open(&scene, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[100];
        snprintf(words, sizeof words, "%s 5 007.50 0", rows[i].op);
        scene_do(&scene, "DEL p|lock:k");
        expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, words, "1");
        expect_redis(&scene, "GET p|lock:k", "007.50"); /* the bytes as given */
        scene_do(&scene, "DEL p|lock:k");
        snprintf(words, sizeof words, "%s 5", rows[i].op);
        expect_call(&scene, SCRIPT_LOCK_DELIF, COMMON KEYS, words, "1");
    }
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_value_that_is_no_number_is_an_error_and_stays)
{
    static const char *const texts[] = {"abc",    "\"\"", "0x10", "inf", "nan",     "1,5",
                                        "\" 5\"", "5a",   "-",    ".",   "#SHARED", "1.2.3"};
    scene_open(&scene, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char words[100];
        snprintf(words, sizeof words, "SET p|lock:k %s", texts[i]);
        scene_do(&scene, words);
        char *before = scene_digest(&scene);
        expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "!= 5 7 0",
                    "!ERR the present value is no number: ...");
        expect_call(&scene, SCRIPT_LOCK_DELIF, COMMON KEYS, "!= 5",
                    "!ERR the present value is no number: ...");
        char *after = scene_digest(&scene);
        ck_assert_msg(strcmp(before, after) == 0, "%s", texts[i]);
        free(before);
        free(after);
    }
    scene_close_broken(&scene);
}
END_TEST

START_TEST(numbers_may_have_signs_fractions_and_exponents)
{
    static const char *const texts[] = {"-5", "+5", "5.", ".5", "5e3", "-5.5E-3"};
    scene_open(&scene, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char words[100];
        snprintf(words, sizeof words, "SET p|lock:k %s", texts[i]);
        scene_do(&scene, words);
        expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "< 5001 1 0", "0");
        expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "> 5001 1 0", "1");
    }
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_time_may_be_given)
{
    scene_open(&scene, NULL);
    expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "> 5 5 60000", "1");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|lock:k"), 50000);
    expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "> 6 6 0", "1");
    expect_redis(&scene, "PTTL p|lock:k", "-1");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_claim_does_not_outlive_the_change)
{
    scene_open(&scene, NULL);
    long long fence = locking_fence(&scene, "L k 5 60000");
    expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "== 5 5 60000", "1");
    ck_assert_int_gt(locking_fence(&scene, "R k 5 60000"), fence);
    expect_call(&scene, SCRIPT_LOCK_DELIF, COMMON KEYS, "== 5", "1");
    expect_redis(&scene, "EXISTS p|lock:k p|lock|claim:k", "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(keys_of_another_type_are_left_alone)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    char *before = scene_digest(&scene);
    expect_call(&scene, SCRIPT_LOCK_SETIF, "p|x:a p|x|claim:a p|x|pool", "> 5 5 0",
                "!WRONGTYPE ...");
    expect_call(&scene, SCRIPT_LOCK_DELIF, COMMON "p|x:a p|x|claim:a p|x|pool", "> 5",
                "!WRONGTYPE ...");
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    scene_do(&scene, "RPUSH p|lock:k a");
    expect_call(&scene, SCRIPT_LOCK_SETIF, KEYS, "> 5 5 0", "!WRONGTYPE ...");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {setif_sets_where_the_comparison_holds,
                                  delif_deletes_where_the_comparison_holds,
                                  a_missing_value_counts_as_true,
                                  a_value_that_is_no_number_is_an_error_and_stays,
                                  numbers_may_have_signs_fractions_and_exponents,
                                  a_time_may_be_given,
                                  a_claim_does_not_outlive_the_change,
                                  keys_of_another_type_are_left_alone,
                                  NULL};
    return scene_run("lock_compare", tests);
}
