/* keys: the names of keys, and which resources may have one. */
#include "pool/keys.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct pool_keys keys;
static struct err err;

static void set_up(void)
{
    pool_keys_init(&keys, STR("my/ns:1"), STR("gpus"));
}

static void tear_down(void)
{
    pool_keys_clear(&keys);
}

static void assert_key(const char *name, const char *expected)
{
    const char *names[] = {name};
    struct script script = {.name = "test", .keys = names, .key_count = 1};
    struct str key;
    pool_keys_of(&keys, &script, &key);
    ck_assert_msg(str_eq(key, str_of(expected)), "%s: %.*s", name, PRSTR(key));
}

START_TEST(a_pool_has_the_layout_of_the_python_library)
{
    ck_assert(str_eq(keys.base, STR("my/ns:1|gpus")));
    ck_assert(str_eq(pool_keys_hash(&keys), STR("my/ns:1|gpus|pool")));
    assert_key("pool", "my/ns:1|gpus|pool");
    assert_key("head", "my/ns:1|gpus|pool|head");
    assert_key("tail", "my/ns:1|gpus|pool|tail");
    assert_key("gc_cursor", "my/ns:1|gpus|pool|gc_cursor");
    assert_key("policy_update_lock", "my/ns:1|gpus:my/ns:1|gpus|pool|policy_update_lock");
}
END_TEST

START_TEST(what_is_ours_lies_beside_it)
{
    assert_key("leases", "my/ns:1|gpus|pool|leases");
    assert_key("departed", "my/ns:1|gpus|pool|departed");
    assert_key("journal", "my/ns:1|gpus|pool|journal");
    assert_key("held", "my/ns:1|gpus|pool|held");
    assert_key("notes", "my/ns:1|gpus|pool|notes");
    assert_key("requests", "my/ns:1|gpus|pool|requests");
    assert_key("bindings", "my/ns:1|gpus|pool|bindings");
    assert_key("leader", "my/ns:1|gpus|pool|leader");
    assert_key("fences", "my/ns:1|fence|seen");
}
END_TEST

START_TEST(every_script_of_the_pools_names_known_keys)
{
    int scripts = 0;
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        const struct script *script = script_of((enum script_id)id);
        struct str out[SCRIPT_MAX_KEYS];
        if (strncmp(script->name, "pool/", 5) != 0)
            continue;
        scripts++;
        ck_assert_int_gt(script->key_count, 0);
        pool_keys_of(&keys, script, out); /* an unknown name ends this process */
        for (int i = 0; i < script->key_count; i++) {
            size_t name_len = strlen(script->keys[i]);
            ck_assert(str_starts(out[i], STR("my/ns:1|")));
            for (int k = 0; k < i; k++)
                ck_assert_msg(!str_eq(out[i], out[k]), "%s: a key twice", script->name);
            if (strcmp(script->keys[i], "fences") != 0)
                ck_assert_msg(str_ends(out[i], str_make(script->keys[i], name_len)), "%s: %s",
                              script->name, script->keys[i]);
        }
    }
    ck_assert_int_gt(scripts, 10);
}
END_TEST

START_TEST(ordinary_resources_are_accepted)
{
    static const char *const fine[] = {
        "r",  "10.0.0.1:8080", "a|b",         "ends|",    "with blank",   "{tag}",
        "-1", "#allocated",    "#ALLOCATED ", "\xff\xfe", "my/ns:1|gpus", "x-cache:bind:y",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        ck_assert_msg(pool_keys_check_resource(&keys, str_of(fine[i]), &err), "%s: %s", fine[i],
                      err.text);
}
END_TEST

static void assert_refused(struct str resource, const char *words)
{
    ck_assert(!pool_keys_check_resource(&keys, resource, &err));
    ck_assert_int_eq(err.kind, ERR_GENERAL);
    ck_assert_str_eq(err.text, words);
}

START_TEST(resources_that_the_layout_cannot_hold_are_refused)
{
    assert_refused(STR(""), "a resource cannot be empty");
    assert_refused(STR("a\0b"), "resource 'a\\x00b' holds a NUL byte");
    assert_refused(STR("a||b"), "resource 'a||b' holds '||', which is reserved");
    assert_refused(STR("|a"), "resource '|a' begins with '|', which is reserved");
    assert_refused(STR("#ALLOCATED"), "resource '#ALLOCATED' is a reserved word");
}
END_TEST

START_TEST(resources_whose_lease_would_be_another_key_are_refused)
{
    assert_refused(STR("my/ns:1|gpus-cache:bind:me"),
                   "resource 'my/ns:1|gpus-cache:bind:me' has the name of a key of its pool");
    assert_refused(STR("my/ns:1|gpus|pool|policy_update_lock"),
                   "resource 'my/ns:1|gpus|pool|policy_update_lock' has the name of a key of its "
                   "pool");
}
END_TEST

START_TEST(a_resource_has_512_bytes_at_most)
{
    char text[513];
    memset(text, 'x', sizeof text);
    ck_assert(pool_keys_check_resource(&keys, str_make(text, 512), &err));
    ck_assert(!pool_keys_check_resource(&keys, str_make(text, 513), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than 512 bytes"));
}
END_TEST

START_TEST(the_name_of_a_pool_is_found_in_its_key)
{
    struct str name;
    ck_assert(pool_keys_parse(STR("ns"), STR("ns|gpus|pool"), &name));
    ck_assert(str_eq(name, STR("gpus")));
}
END_TEST

START_TEST(other_keys_are_no_pools)
{
    static const char *const others[] = {
        "ns|pool",
        "ns||pool",
        "other|gpus|pool",
        "ns|gpus|pool|head",
        "ns2|gpus|pool",
        "ns|a|b|pool",
        "ns|a:b|pool",
        "ns|lock|pool",
        "ns|x-cache|pool",
        "ns|task-queue|pool",
        "nsXgpus|pool",
        "",
        "ns|thread-health-check-pool|pool",
    };
    struct str name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!pool_keys_parse(STR("ns"), str_of(others[i]), &name), "%s", others[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_pool_has_the_layout_of_the_python_library);
    tcase_add_test(tcase, what_is_ours_lies_beside_it);
    tcase_add_test(tcase, every_script_of_the_pools_names_known_keys);
    tcase_add_test(tcase, ordinary_resources_are_accepted);
    tcase_add_test(tcase, resources_that_the_layout_cannot_hold_are_refused);
    tcase_add_test(tcase, resources_whose_lease_would_be_another_key_are_refused);
    tcase_add_test(tcase, a_resource_has_512_bytes_at_most);
    tcase_add_test(tcase, the_name_of_a_pool_is_found_in_its_key);
    tcase_add_test(tcase, other_keys_are_no_pools);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
