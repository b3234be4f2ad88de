/* until: waits for what shall come true, up to one deadline for all tests. Tests never sleep a
 * fixed time.  Knows: check. */
#ifndef TESTS_LIB_UNTIL_H
#define TESTS_LIB_UNTIL_H

#include <check.h>
#include <stdint.h>

/* How long anything may take: 15 s, stretched by CK_TIMEOUT_MULTIPLIER (valgrind, slow machines).
 */
int64_t until_wait_ms(void);
/* Monotonic. */
int64_t until_now_ms(void);
/* A few milliseconds between two looks. */
void until_pause(void);

/* Looks at `condition` again and again; the test fails when it has not come true in time. */
#define until(condition)                                                                       \
    for (int64_t until_end_ms = until_now_ms() + until_wait_ms(); !(condition); until_pause()) \
    ck_assert_msg(until_now_ms() < until_end_ms, "never came true: %s", #condition)

#endif
