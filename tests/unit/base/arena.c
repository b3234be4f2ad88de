/* arena: many small things, given back together. */
#include "base/arena.h"
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void tear_down(void)
{
    arena_clear(&arena);
}

START_TEST(pieces_are_aligned_and_do_not_overlap)
{
    char *last = NULL;
    for (size_t size = 1; size < 300; size++) {
        char *piece = arena_alloc(&arena, size);
        ck_assert_uint_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
        memset(piece, (int)size, size);
        if (last != NULL)
            ck_assert_int_eq(last[size - 2], (char)(size - 1));
        last = piece;
    }
}
END_TEST

START_TEST(a_reset_gives_the_same_memory_again)
{
    void *first = arena_alloc(&arena, 10);
    for (int i = 0; i < 1000; i++)
        arena_alloc(&arena, 100);
    arena_reset(&arena);
    ck_assert_ptr_eq(arena_alloc(&arena, 10), first);
}
END_TEST

START_TEST(a_piece_may_be_larger_than_a_block)
{
    char *large = arena_alloc(&arena, 1 << 20);
    memset(large, 'x', 1 << 20);
    char *small = arena_alloc(&arena, 8);
    memset(small, 'y', 8);
    ck_assert_int_eq(large[(1 << 20) - 1], 'x');
    arena_reset(&arena);
    arena_reset(&arena);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 8));
}
END_TEST

START_TEST(an_empty_one_can_be_reset)
{
    arena_reset(&arena);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tcase = tcase_create("arena");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, pieces_are_aligned_and_do_not_overlap);
    tcase_add_test(tcase, a_reset_gives_the_same_memory_again);
    tcase_add_test(tcase, a_piece_may_be_larger_than_a_block);
    tcase_add_test(tcase, an_empty_one_can_be_reset);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
