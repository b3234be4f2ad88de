/* map: putting, finding, removing; compared with a plain array; the hash with its published
 * vectors. */
#include "base/map.h"
#include "base/num.h"
#include <check.h>
#include <stdlib.h>

#define TEST_SECONDS 60

static struct map map;
static char one[1], two[1];

static void set_up(void)
{
    static const unsigned char seed[16] = "0123456789abcdef";
    map_init(&map, seed);
}

static void tear_down(void)
{
    map_clear(&map);
}

START_TEST(an_empty_map_finds_nothing)
{
    struct str key;
    void *value;
    size_t at = 0;
    ck_assert_ptr_null(map_get(&map, STR("a")));
    ck_assert_ptr_null(map_remove(&map, STR("a")));
    ck_assert(!map_next(&map, &at, &key, &value));
    ck_assert_ptr_null(map.slots);
}
END_TEST

START_TEST(put_replaces_and_tells_what)
{
    ck_assert_ptr_null(map_put(&map, STR("a"), one));
    ck_assert_ptr_eq(map_put(&map, STR("a"), two), one);
    ck_assert_ptr_eq(map_get(&map, STR("a")), two);
    ck_assert_uint_eq(map.count, 1);
}
END_TEST

START_TEST(keys_are_bytes_and_are_copied)
{
    char key[] = "a\0b";
    map_put(&map, str_make(key, 3), one);
    map_put(&map, str_make(key, 1), two);
    key[2] = 'x';
    ck_assert_ptr_eq(map_get(&map, STR("a\0b")), one);
    ck_assert_ptr_eq(map_get(&map, STR("a")), two);
    ck_assert_ptr_null(map_get(&map, STR("a\0x")));
    ck_assert_ptr_null(map_get(&map, STR("")));
    map_put(&map, STR(""), one);
    ck_assert_ptr_eq(map_get(&map, str_make(NULL, 0)), one);
}
END_TEST

START_TEST(remove_gives_the_value_back)
{
    map_put(&map, STR("a"), one);
    ck_assert_ptr_null(map_remove(&map, STR("b")));
    ck_assert_ptr_eq(map_remove(&map, STR("a")), one);
    ck_assert_ptr_null(map_remove(&map, STR("a")));
    ck_assert_uint_eq(map.count, 0);
}
END_TEST

START_TEST(clear_leaves_a_map_that_can_be_used)
{
    map_put(&map, STR("a"), one);
    map_clear(&map);
    ck_assert_ptr_null(map_get(&map, STR("a")));
    map_put(&map, STR("b"), two);
    ck_assert_ptr_eq(map_get(&map, STR("b")), two);
}
END_TEST

/* Chance that is the same in each run, so that a failure comes again. */
static unsigned chance(unsigned bound)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % bound;
}

/* A long random walk: the array says what the map must hold. */
START_TEST(a_random_walk_never_differs_from_an_array)
{
    enum { NAMES = 3000, STEPS = 300000 };
    static void *expected[NAMES];
    static char values[NAMES];
    size_t count = 0;
    char name[NUM_INT_MAX];

    for (int step = 0; step < STEPS; step++) {
        /* the range of names breathes, so that the table grows and shrinks */
        int i = (int)chance(step / 50000 % 2 == 0 ? NAMES : NAMES / 20);
        struct str key = str_make(name, num_format_int(name, i));
        ck_assert_ptr_eq(map_get(&map, key), expected[i]);
        if (chance(2) == 0) {
            ck_assert_ptr_eq(map_put(&map, key, &values[i]), expected[i]);
            count += expected[i] == NULL;
            expected[i] = &values[i];
        } else {
            ck_assert_ptr_eq(map_remove(&map, key), expected[i]);
            count -= expected[i] != NULL;
            expected[i] = NULL;
        }
        ck_assert_uint_eq(map.count, count);
    }
    for (int i = 0; i < NAMES; i++)
        ck_assert_ptr_eq(map_get(&map, str_make(name, num_format_int(name, i))), expected[i]);
}
END_TEST

START_TEST(next_goes_over_each_entry_once)
{
    static char values[1000];
    char name[NUM_INT_MAX];
    struct str key;
    void *value;
    int seen = 0;

    for (int i = 0; i < 1000; i++)
        map_put(&map, str_make(name, num_format_int(name, i)), &values[i]);
    for (size_t at = 0; map_next(&map, &at, &key, &value); seen++) {
        int64_t i;
        ck_assert(num_parse_int(key, &i));
        ck_assert_ptr_eq(value, &values[i]);
        ck_assert_int_eq(values[i]++, 0);
        map_put(&map, key, value); /* the value of a key that is there may change meanwhile */
    }
    ck_assert_int_eq(seen, 1000);
}
END_TEST

START_TEST(the_table_shrinks_with_its_content)
{
    char name[NUM_INT_MAX];
    for (int i = 0; i < 10000; i++)
        map_put(&map, str_make(name, num_format_int(name, i)), one);
    size_t full = map.capacity;
    for (int i = 0; i < 9990; i++)
        map_remove(&map, str_make(name, num_format_int(name, i)));
    ck_assert_uint_lt(map.capacity, full / 64);
    for (int i = 9990; i < 10000; i++)
        ck_assert_ptr_eq(map_get(&map, str_make(name, num_format_int(name, i))), one);
}
END_TEST

START_TEST(the_seed_decides_where_keys_go)
{
    const uint64_t a[2] = {1, 2}, b[2] = {1, 3};
    ck_assert_uint_ne(map_hash(a, STR("key")), map_hash(b, STR("key")));
    ck_assert_uint_eq(map_hash(a, STR("key")), map_hash(a, STR("key")));
}
END_TEST

/* As computed by an implementation that gives the paper's vector for 2-4 rounds. The key 00 01 ..
 * 0f and the messages 00 01 .. (len-1). */
START_TEST(the_hash_is_siphash_1_3)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } known[] = {
        {0, UINT64_C(0xabac0158050fc4dc)},  {1, UINT64_C(0xc9f49bf37d57ca93)},
        {7, UINT64_C(0xd3927d989bb11140)},  {8, UINT64_C(0x369095118d299a8e)},
        {15, UINT64_C(0xd320d86d2a519956)}, {63, UINT64_C(0x9d199062b7bbb3a8)},
    };
    const uint64_t seed[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char message[64];
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (char)i;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        ck_assert_uint_eq(map_hash(seed, str_make(message, known[i].len)), known[i].hash);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, TEST_SECONDS);
    tcase_add_test(all, an_empty_map_finds_nothing);
    tcase_add_test(all, put_replaces_and_tells_what);
    tcase_add_test(all, keys_are_bytes_and_are_copied);
    tcase_add_test(all, remove_gives_the_value_back);
    tcase_add_test(all, clear_leaves_a_map_that_can_be_used);
    tcase_add_test(all, a_random_walk_never_differs_from_an_array);
    tcase_add_test(all, next_goes_over_each_entry_once);
    tcase_add_test(all, the_table_shrinks_with_its_content);
    tcase_add_test(all, the_seed_decides_where_keys_go);
    tcase_add_test(all, the_hash_is_siphash_1_3);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
