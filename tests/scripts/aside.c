/* aside: what is out of the free list and leased to nobody: set_aside, restore, and how it comes
 * back. */
#include "tests/lib/scene.h"

/* Kinds: see lua/pool/aside.lua. */
#define BY_HAND "1"
#define ILL     "2"
#define LEAVING "3"

#define FOR_EVER(random) "M 1 1 0 " random " \"\" 0 \"\" \"\" "

static struct scene scene;

static void open_with(const char *resources, const char *count)
{
    scene_open(&scene, NULL);
    char words[200];
    snprintf(words, sizeof words, "-1 %s", resources);
    expect(&scene.at, SCRIPT_POOL_EXTEND, words, count);
}

START_TEST(a_free_resource_is_aside_at_once)
{
    open_with("a b c", "3");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 60000 \"fan broken\" b", "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a c]");
    expect_redis(&scene, "GET p|x:b", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 3 free 2 leased 0 quarantined 1 ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "b", "[state quarantined ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 2 1]");
    expect_batch(&scene.at, "F \"\" \"\" 1 b R b \"\" 1000", "[0 0]");
    expect_redis(&scene, "GET p|x:b", "#UNHEALTHY");
    scene_close(&scene);
}
END_TEST

START_TEST(a_leased_resource_is_aside_when_it_comes_back)
{
    open_with("a b", "2");
    expect_batch(&scene.at, FOR_EVER("r1") FOR_EVER("r2"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 0 \"\" a b", "2");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state leased ttl -1 expiry -1 fence # owner nil next quarantined ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why \"\" ...");
    scene_do(&scene, "DEL p|x:b");
    scene_do(&scene, "ZADD p|x|pool|leases 1 b");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 2 0 0 0 0 0 2 -1 -2 \"\"]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "b",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why \"\" ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[2 0 2]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_cheap_scripts_leave_a_marked_lease_to_the_batch)
{
    open_with("a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 0 \"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 5 a \"\"", "FULL");
    expect(&scene.at, SCRIPT_POOL_PLAIN, "D 5 \"\" F 1 a", "FULL");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_FREE_ONE, "D 5 a \"\"", "[1]");
    scene_close(&scene);
}
END_TEST

START_TEST(restore_gives_it_back_at_once_and_only_what_is_meant)
{
    open_with("a b c d", "4");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 0 \"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, ILL " 0 \"connection refused\" b a", "2");
    scene_do(&scene, "SET p|x:c #UNHEALTHY"); /* by a Python program */
    expect(&scene.at, SCRIPT_POOL_STATUS, "b",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why connection refused "
           "...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, ILL " a b d stranger", "1");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state quarantined ...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a a", "1");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 4 ...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" c", "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[d b a c]");
    expect_redis(&scene, "EXISTS p|x|pool|aside p|x|pool|traits p|x|pool|leases", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_aside_comes_back_when_its_time_is_over)
{
    open_with("a b", "2");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 60000 \"\" a", "1");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[b ...");
    expect_redis(&scene, "EXISTS p|x|pool|aside p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(the_sweep_takes_over_what_a_python_program_found_ill)
{
    open_with("a b", "2");
    scene_do(&scene, "SET p|x:a #UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 2 0 0 1 ...");
    expect_redis(&scene, "ZSCORE p|x|pool|aside a", "1");
    scene_do(&scene, "DEL p|x:a"); /* and it finds it well again */
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 2 1 ...");
    expect_redis(&scene, "EXISTS p|x|pool|aside", "0");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_drained_resource_leaves_when_nobody_has_it)
{
    open_with("a b c", "3");
    expect_batch(&scene.at, FOR_EVER("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 0 \"\" c", "1");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, LEAVING " 0 \"\" a b c", "3");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[1 0 1]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state leased ttl -1 expiry -1 fence # owner nil next leaving ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect_redis(&scene, "EXISTS p|x|pool p|x:a p|x:b p|x:c p|x|pool|aside p|x|pool|leases", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(what_leaves_the_pool_leaves_nothing_aside)
{
    open_with("a b c d", "4");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, BY_HAND " 0 why a b", "2");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    expect_redis(&scene, "ZRANGE p|x|pool|aside 0 -1", "[b]");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 3]");
    expect_redis(&scene, "EXISTS p|x:b p|x|pool|aside p|x|pool|traits p|x|pool|departed", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_paused_pool_grants_nothing_and_serves_the_line_when_it_goes_on)
{
    open_with("a b", "2");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "- 1", "1");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "- 1", "0");
    expect_batch(&scene.at, M1("r1"), "[[]]");
    expect(&scene.at, SCRIPT_POOL_MALLOC_ONE, "D 9 1000 r2", "FULL");
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 1000 r3 \"\" 0 \"\" \"\"", "[[# #]]");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "rest=5 \"\"", "1");
    expect_redis(&scene, "HGET p|x|pool|journal rules", "rest=5 paused=1");
    expect_redis(&scene, "HLEN p|x|pool|granted", "0");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "- 0", "1");
    expect_redis(&scene, "HLEN p|x|pool|granted", "1");
    expect_redis(&scene, "HGET p|x|pool|journal rules", "rest=5");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "\"\" \"\"", "1");
    expect_redis(&scene, "HEXISTS p|x|pool|journal rules", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_resource_rests_after_each_lease)
{
    open_with("a b", "2");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "rest=60000 \"\"", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state resting ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 1 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_free_resource_is_aside_at_once,
                                  a_leased_resource_is_aside_when_it_comes_back,
                                  the_cheap_scripts_leave_a_marked_lease_to_the_batch,
                                  restore_gives_it_back_at_once_and_only_what_is_meant,
                                  what_is_aside_comes_back_when_its_time_is_over,
                                  the_sweep_takes_over_what_a_python_program_found_ill,
                                  a_drained_resource_leaves_when_nobody_has_it,
                                  what_leaves_the_pool_leaves_nothing_aside,
                                  a_paused_pool_grants_nothing_and_serves_the_line_when_it_goes_on,
                                  a_resource_rests_after_each_lease,
                                  NULL};
    return scene_run("aside", tests);
}
