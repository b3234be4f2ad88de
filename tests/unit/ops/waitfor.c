/* waitfor: who waits for ever, and who gives way, as graphs of a few sessions. A graph is written
 * in lines: "a 3: wants x, y 2/4; holds z, w 2" is the session a, which began to wait at 3. */
#include "ops/waitfor.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_shares(struct evbuffer *out, char *text, bool is_want)
{
    char *rest = NULL;
    for (char *part = strtok_r(text, ",", &rest); part != NULL; part = strtok_r(NULL, ",", &rest)) {
        char name[20];
        long long n = 1, m = 1;
        sscanf(part, " %19s %lld/%lld", name, &n, &m);
        if (is_want)
            waitfor_put_want(out, str_of(name), n, m);
        else
            waitfor_put_hold(out, str_of(name), n);
    }
}

static void put_line(struct evbuffer *out, const char *line)
{
    char text[200], name[20], wants[100], holds[100];
    long long ticket;
    snprintf(text, sizeof text, "%s", line);
    ck_assert_int_eq(
        sscanf(text, "%19s %lld: wants %99[^;]; holds %99[^\n]", name, &ticket, wants, holds), 4);
    waitfor_put_session(out, str_of(name), ticket, str_of(name));
    put_shares(out, wants, true);
    put_shares(out, holds, false);
}

/* The victim, then the error's text; "" when there is none. Each line is of another daemon. */
static const char *look(const char *const *lines)
{
    static char told[700];
    struct waitfor *graph = waitfor_new();
    for (; *lines != NULL; lines++) {
        struct evbuffer *out = evbuffer_new();
        put_line(out, *lines);
        size_t len = evbuffer_get_length(out);
        waitfor_add(graph, str_make((const char *)evbuffer_pullup(out, -1), len));
        evbuffer_free(out);
    }
    struct str id;
    struct err err;
    told[0] = '\0';
    if (waitfor_find(graph, &id, &err)) {
        ck_assert_int_eq(err.kind, ERR_DEADLOCK);
        snprintf(told, sizeof told, "%.*s: %s", PRSTR(id), err.text);
    }
    waitfor_free(graph);
    return told;
}

#define LOOK(...) look((const char *const[]){__VA_ARGS__, NULL})

START_TEST(nobody_waits_for_ever_without_a_cycle)
{
    ck_assert_str_eq(LOOK("a 1: wants x; holds y"), "");
    ck_assert_str_eq(LOOK("a 1: wants x; holds y", "b 2: wants z; holds x"), "");
    ck_assert_str_eq(
        LOOK("a 1: wants x; holds y", "b 2: wants z; holds x", "c 3: wants q; holds z"), "");
}
END_TEST

START_TEST(of_two_that_wait_for_each_other_the_younger_gives_way)
{
    ck_assert_str_eq(LOOK("a 1: wants x; holds y", "b 2: wants y; holds x"),
                     "b: b waits for y, which a holds, who waits for x, which b holds");
    ck_assert_str_eq(LOOK("a 3: wants x; holds y", "b 2: wants y; holds x"),
                     "a: a waits for x, which b holds, who waits for y, which a holds");
}
END_TEST

START_TEST(who_waits_for_what_it_holds_itself_gives_way)
{
    ck_assert_str_eq(LOOK("a 1: wants x; holds x"), "a: a waits for x, which a holds");
}
END_TEST

START_TEST(who_only_waits_behind_a_cycle_does_not_give_way)
{
    ck_assert_str_eq(
        LOOK("a 1: wants x; holds y", "b 2: wants y; holds x", "c 9: wants x; holds z"),
        "b: b waits for y, which a holds, who waits for x, which b holds");
    ck_assert_str_eq(LOOK("a 1: wants x; holds y", "b 2: wants y; holds x",
                          "bridge 9: wants p; holds x", "c 3: wants q; holds p",
                          "d 4: wants p; holds q"),
                     "d: d waits for p, which c holds, who waits for q, which d holds");
}
END_TEST

START_TEST(cycles_of_three_are_told_in_order)
{
    ck_assert_str_eq(
        LOOK("a 1: wants x; holds z", "b 2: wants y; holds x", "c 3: wants z; holds y"),
        "c: c waits for z, which a holds, who waits for x, which b holds, "
        "who waits for y, which c holds");
}
END_TEST

START_TEST(several_units_are_met_by_those_who_do_not_wait_for_ever)
{
    /* of 4, a and b hold 3: the one of somebody who does not wait comes back */
    ck_assert_str_eq(LOOK("a 1: wants pool 1/4; holds pool 2", "b 2: wants pool 1/4; holds pool 1"),
                     "");
    ck_assert_str_eq(LOOK("a 1: wants pool 1/4; holds pool 2", "b 2: wants pool 1/4; holds pool 2"),
                     "b: b waits for pool, which a holds, who waits for pool, which b holds");
    ck_assert_str_eq(LOOK("a 1: wants pool 2/4; holds pool 1", "b 2: wants pool 3/4; holds pool 1"),
                     "");
    ck_assert_str_ne(LOOK("a 1: wants pool 3/4; holds pool 1", "b 2: wants pool 3/4; holds pool 1"),
                     "");
}
END_TEST

START_TEST(one_of_several_wants_is_enough_to_wait_for_ever)
{
    ck_assert_str_eq(LOOK("a 1: wants free, x; holds y", "b 2: wants y; holds x"),
                     "b: b waits for y, which a holds, who waits for x, which b holds");
}
END_TEST

START_TEST(a_long_cycle_and_long_names_are_told_shortened)
{
    char lines[40][200];
    const char *all[41] = {NULL};
    for (int i = 0; i < 40; i++) {
        snprintf(lines[i], sizeof lines[i],
                 "somebody%d %d: wants thing-number-%d; holds thing-number-%d", i, i, (i + 1) % 40,
                 i);
        all[i] = lines[i];
    }
    const char *told = look(all);
    ck_assert_int_eq(strncmp(told, "somebody39: somebody39 waits for thing-number-0", 47), 0);
    ck_assert_ptr_nonnull(strstr(told, "which somebody39 holds"));
}
END_TEST

START_TEST(what_is_no_such_text_is_left_out)
{
    static const char *const texts[] = {"", "S",
                                        "W\0x\0"
                                        "1\0"
                                        "1",
                                        "X\0y\0"
                                        "5\0",
                                        "S\0a\0no\0b\0"};
    struct waitfor *graph = waitfor_new();
    struct str id;
    struct err err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        waitfor_add(graph, str_make(texts[i], i == 2   ? 7
                                              : i == 3 ? 6
                                              : i == 4 ? 9
                                                       : strlen(texts[i])));
    ck_assert(!waitfor_find(graph, &id, &err));
    waitfor_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("waitfor");
    TCase *tcase = tcase_create("waitfor");
    tcase_add_test(tcase, nobody_waits_for_ever_without_a_cycle);
    tcase_add_test(tcase, of_two_that_wait_for_each_other_the_younger_gives_way);
    tcase_add_test(tcase, who_waits_for_what_it_holds_itself_gives_way);
    tcase_add_test(tcase, who_only_waits_behind_a_cycle_does_not_give_way);
    tcase_add_test(tcase, cycles_of_three_are_told_in_order);
    tcase_add_test(tcase, several_units_are_met_by_those_who_do_not_wait_for_ever);
    tcase_add_test(tcase, one_of_several_wants_is_enough_to_wait_for_ever);
    tcase_add_test(tcase, a_long_cycle_and_long_names_are_told_shortened);
    tcase_add_test(tcase, what_is_no_such_text_is_left_out);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
