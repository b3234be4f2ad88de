/* main: runs the tests of a program: an array of them, so that none is forgotten without a warning.
 */
#ifndef TESTS_UNIT_COMMANDS_MAIN_H
#define TESTS_UNIT_COMMANDS_MAIN_H

#include <check.h>
#include <stdlib.h>

/* setup and teardown may be NULL; tests end with NULL. */
static inline int run_tests(const char *name, void (*setup)(void), void (*teardown)(void),
                            const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("all");

    if (setup != NULL)
        tcase_add_checked_fixture(all, setup, teardown);
    for (; *tests != NULL; tests++)
        tcase_add_test(all, *tests);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
