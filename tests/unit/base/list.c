/* list: order, counting, removing while going over it. */
#include "base/list.h"
#include <check.h>
#include <stdlib.h>

struct item {
    int number;
    struct list_node node;
};

static struct list list;
static struct item items[4];

static void set_up(void)
{
    list_init(&list);
    for (int i = 0; i < 4; i++)
        items[i] = (struct item){.number = i};
}

static void tear_down(void)
{
}

/* The list holds these numbers, read both ways. */
static void expect(const int *numbers, size_t count)
{
    size_t at = 0;
    list_each (node, &list)
        ck_assert_int_eq(list_entry(node, struct item, node)->number, numbers[at++]);
    ck_assert_uint_eq(at, count);
    ck_assert_uint_eq(list.count, count);
    for (struct list_node *node = list.root.prev; node != &list.root; node = node->prev)
        ck_assert_int_eq(list_entry(node, struct item, node)->number, numbers[--at]);
}

START_TEST(an_empty_list_has_nothing)
{
    ck_assert(list_is_empty(&list));
    ck_assert_ptr_null(list_first(&list));
    ck_assert_ptr_null(list_pop(&list));
    ck_assert(!list_has(&items[0].node));
}
END_TEST

START_TEST(pushes_keep_their_order)
{
    list_push(&list, &items[1].node);
    list_push(&list, &items[3].node);
    list_push_front(&list, &items[0].node);
    list_insert_after(&list, &items[1].node, &items[2].node);
    expect((const int[]){0, 1, 2, 3}, 4);
    ck_assert(list_has(&items[2].node));
    ck_assert_ptr_eq(list_first(&list), &items[0].node);
}
END_TEST

START_TEST(pop_takes_the_first_out)
{
    list_push(&list, &items[0].node);
    list_push(&list, &items[1].node);
    ck_assert_ptr_eq(list_pop(&list), &items[0].node);
    ck_assert(!list_has(&items[0].node));
    expect((const int[]){1}, 1);
}
END_TEST

START_TEST(the_present_node_may_be_removed)
{
    for (int i = 0; i < 4; i++)
        list_push(&list, &items[i].node);
    list_each (node, &list) {
        if (list_entry(node, struct item, node)->number % 2 == 0)
            list_remove(&list, node);
    }
    expect((const int[]){1, 3}, 2);
    list_push(&list, &items[0].node);
    expect((const int[]){1, 3, 0}, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, an_empty_list_has_nothing);
    tcase_add_test(all, pushes_keep_their_order);
    tcase_add_test(all, pop_takes_the_first_out);
    tcase_add_test(all, the_present_node_may_be_removed);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
