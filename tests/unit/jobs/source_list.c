/* source_list: what is a list of resources, and what is refused as a whole. */
#include "jobs/source_list.h"
#include "base/mem.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct pool_keys keys;
static struct rand test_rand;
static struct source_list list;
static struct source_bounds bounds;
static struct err err;

static void set_up(void)
{
    pool_keys_init(&keys, STR("ns"), STR("p"));
    bounds = (struct source_bounds){.capacity = 1};
    rand_init(&test_rand);
}

static void tear_down(void)
{
    pool_keys_clear(&keys);
}

static bool parse(struct str text, int64_t max)
{
    err = (struct err){ERR_NONE, ""};
    bounds.keys = &keys;
    bounds.max = max;
    return source_list_parse(&list, text, &bounds, &test_rand, &err);
}

static void expect_list(struct str text, const char *shown)
{
    char out[400] = "";
    size_t at = 0;
    bool has_words = false;
    ck_assert_msg(parse(text, 100), "%s", err.text);
    for (int i = 0; i < list.count; i++) {
        const struct source_item *item = &list.items[i];
        at += (size_t)snprintf(out + at, sizeof out - at, "%s%.*s", i > 0 ? " " : "",
                               PRSTR(item->resource));
        if (item->words.has_priority)
            at += (size_t)snprintf(out + at, sizeof out - at, "/p%lld",
                                   (long long)item->words.priority);
        if (item->words.capacity > 0)
            at += (size_t)snprintf(out + at, sizeof out - at, "/w%lld",
                                   (long long)item->words.capacity);
        has_words |= item->words.has_priority || item->words.capacity > 0;
    }
    ck_assert_int_eq(list.has_words, has_words);
    ck_assert_str_eq(out, shown);
    source_list_clear(&list);
}

static void expect_refusal(struct str text, const char *why)
{
    ck_assert(!parse(text, 3));
    ck_assert_str_eq(err.text, why);
    source_list_clear(&list);
}

START_TEST(a_resource_a_line_in_order)
{
    expect_list(STR("b\na\n10.0.0.7:8080"), "b a 10.0.0.7:8080");
    expect_list(STR("\xef\xbb\xbf"
                    "first\r\nsecond\r\n"),
                "first second");
    expect_list(STR("b\u00e4r\nhttp://x/?a=b#c"), "b\u00e4r http://x/?a=b#c");
}
END_TEST

START_TEST(blanks_comments_and_empty_lines_are_left_out)
{
    expect_list(STR("\n  # of the lab\n\t a \t\n\n#\nb  \n  \n"), "a b");
}
END_TEST

START_TEST(priority_and_weight_may_stand_behind)
{
    expect_list(STR("a priority=5\nb\tweight=3 priority=-2\nc weight=1  \n"), "a/p5 b/p-2/w3 c/w1");
    expect_list(STR("a priority=-1000 weight=100\n"), "a/p-1000/w100"); /* not beyond the bound */
    expect_list(STR("a priority=0\n"), "a/p0");
}
END_TEST

START_TEST(a_resource_named_twice_counts_once)
{
    expect_list(STR("a priority=1\nb\na priority=2\nb\n"), "a/p1 b");
    ck_assert(parse(STR("a\nb\nc\na\nb\n"), 3)); /* it fits */
    source_list_clear(&list);
}
END_TEST

START_TEST(one_bad_line_refuses_all_with_its_number)
{
    expect_refusal(STR("a\n\n# x\nb c\n"), "line 4: 'c' behind the resource is neither priority=N "
                                           "(-1000 to 1000) nor weight=N (1 to 1000)");
    expect_refusal(STR("a priority=\n"), "line 1: 'priority=' behind the resource is neither "
                                         "priority=N (-1000 to 1000) nor weight=N (1 to 1000)");
    expect_refusal(STR("a priority=1001\n"),
                   "line 1: 'priority=1001' behind the resource is neither priority=N (-1000 to "
                   "1000) nor weight=N (1 to 1000)");
    expect_refusal(STR("a\nb weight=0\n"), "line 2: 'weight=0' behind the resource is neither "
                                           "priority=N (-1000 to 1000) nor weight=N (1 to 1000)");
    expect_refusal(STR("a weight=99999999999999999999\n"),
                   "line 1: 'weight=99999999999999999999' behind the resource is neither "
                   "priority=N (-1000 to 1000) nor weight=N (1 to 1000)");
    expect_refusal(STR("a\n|b\n"), "line 2: resource '|b' begins with '|', which is reserved");
    expect_refusal(STR("a\nx||y"), "line 2: resource 'x||y' holds '||', which is reserved");
    expect_refusal(STR("ns|p|pool|policy_update_lock"),
                   "line 1: resource 'ns|p|pool|policy_update_lock' has the name of a key of its "
                   "pool");
}
END_TEST

START_TEST(units_count_for_the_bound)
{
    expect_refusal(STR("a weight=2\nb\nc\n"), "more than 3 units of resources (source_max)");
    expect_refusal(STR("a\nb\nc\nd\n"), "more than 3 resources (source_max)");
    bounds.capacity = 2;
    expect_refusal(STR("a\nb\n"), "more than 3 units of resources (source_max)");
    ck_assert(parse(STR("a\nb weight=1\na\n"), 3));
    source_list_clear(&list);
}
END_TEST

START_TEST(a_shared_pool_has_no_weights)
{
    bounds.is_shared = true;
    expect_refusal(STR("a weight=1\nb weight=2\n"),
                   "line 2: weight=2: a shared pool has no leases and no weight but 1");
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
    expect_refusal(STR("a\nb\0c\n"), "line 2: a control character (byte 0)");
    expect_refusal(STR("\x1f\x8b\x08"), "line 1: a control character (byte 31)");
    expect_refusal(STR("a\x7f"), "line 1: a control character (byte 127)");
    expect_refusal(STR("a\rb\n"), "line 1: a control character (byte 13)");
    expect_refusal(STR("<!DOCTYPE html>\n<html>"),
                   "line 1: 'html>' behind the resource is neither priority=N (-1000 to 1000) nor "
                   "weight=N (1 to 1000)");
}
END_TEST

START_TEST(an_empty_list_is_refused)
{
    expect_refusal(STR(""), "it lists nothing");
    expect_refusal(str_make(NULL, 0), "it lists nothing");
    expect_refusal(STR("\n\n  \n# nobody\n"), "it lists nothing");
}
END_TEST

START_TEST(more_than_the_bound_is_refused)
{
    expect_refusal(STR("a\nb\nc\nd\n"), "more than 3 resources (source_max)");
}
END_TEST

START_TEST(a_resource_has_512_bytes_at_most)
{
    char text[600];
    memset(text, 'x', sizeof text);
    ck_assert(parse(str_make(text, 512), 1));
    source_list_clear(&list);
    ck_assert(!parse(str_make(text, 513), 1));
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than 512 bytes"));
    source_list_clear(&list);
}
END_TEST

/* Any bytes at all: an answer or an error, within the bounds, and nothing is left behind. */
START_TEST(random_bytes_do_no_harm)
{
    static const char likely[] = "ab \t\n\r#=|priorityweight19-";
    char text[120];
    for (int i = 0; i < 50000; i++) {
        size_t len = rand_below(&test_rand, sizeof text);
        for (size_t k = 0; k < len; k++)
            text[k] = rand_below(&test_rand, 40) == 0
                          ? (char)rand_below(&test_rand, 256)
                          : likely[rand_below(&test_rand, sizeof likely - 1)];
        bool is_list = parse(str_make(text, len), 5);
        ck_assert_int_le(list.count, 5);
        ck_assert(is_list ? list.count > 0 : err.text[0] != '\0');
        source_list_clear(&list);
    }
}
END_TEST

START_TEST(a_shuffled_list_holds_the_same)
{
    char text[1000];
    size_t at = 0;
    long sum = 0, moved = 0;
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%d\n", i);
    ck_assert(parse(str_make(text, at), 100));
    source_list_shuffle(&list, &test_rand);
    for (int i = 0; i < 100; i++) {
        long n = strtol(list.items[i].resource.ptr, NULL, 10);
        sum += n;
        moved += n != i;
    }
    ck_assert_int_eq(list.count, 100);
    ck_assert_int_eq(sum, 4950);
    ck_assert_int_gt(moved, 50);
    source_list_clear(&list);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source_list");
    TCase *tcase = tcase_create("source_list");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_resource_a_line_in_order);
    tcase_add_test(tcase, blanks_comments_and_empty_lines_are_left_out);
    tcase_add_test(tcase, priority_and_weight_may_stand_behind);
    tcase_add_test(tcase, a_resource_named_twice_counts_once);
    tcase_add_test(tcase, one_bad_line_refuses_all_with_its_number);
    tcase_add_test(tcase, units_count_for_the_bound);
    tcase_add_test(tcase, a_shared_pool_has_no_weights);
    tcase_add_test(tcase, what_is_no_text_is_refused);
    tcase_add_test(tcase, an_empty_list_is_refused);
    tcase_add_test(tcase, more_than_the_bound_is_refused);
    tcase_add_test(tcase, a_resource_has_512_bytes_at_most);
    tcase_add_test(tcase, random_bytes_do_no_harm);
    tcase_add_test(tcase, a_shuffled_list_holds_the_same);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
