/* scale: the scripts behind the programs that make pools larger and smaller. */
#include "tests/lib/scene.h"
#include <stdlib.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
}

#define BEGIN(words, expected) expect(&scene.at, SCRIPT_POOL_SCALE_BEGIN, words, expected)
#define END(words, expected)   expect(&scene.at, SCRIPT_POOL_SCALE_END, words, expected)

/* run time_ms min_free max_free max_size most */
START_TEST(one_run_at_a_time_and_its_end_is_told_once)
{
    open_scene();
    BEGIN("D1 60000 2 0 0 10", "[u 2 0 0 0]");
    BEGIN("E1 60000 2 0 0 10", "[- 0 0 0 0]");
    BEGIN("D1 60000 2 0 0 10", "[u 2 0 0 0]"); /* the answer was lost */
    END("D1 u \"\" 0 1000 0 a b a", "[2 \"\" 0]");
    END("D1 u \"\" 0 1000 0 a b", "[2 \"\" 0]");
    expect_redis(&scene, "EXISTS p|x|pool|scaling", "0");
    BEGIN("E1 60000 2 0 0 10", "[- 0 2 2 0]");
    BEGIN("E1 60000 3 0 0 10", "[u 1 2 2 0]");
    END("D0 u \"\" 0 1000 0 c", "[1 \"\" 0]"); /* late: it has made c nevertheless */
    expect_redis(&scene, "GET p|x|pool|scaling", "E1");
    scene_close(&scene);
}
END_TEST

START_TEST(demand_is_what_the_line_wants)
{
    open_scene();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "W D:1 \"\" 0 a 3 60000 r1 \"\" 0 \"\" \"\"", "[[# #]]");
    expect_batch(&scene.at, "W D:2 \"\" 0 a 2 60000 r2 \"\" 0 \"\" \"\"", "[[# #]]");
    BEGIN("D1 60000 1 0 0 10", "[u 5 1 1 2]");
    END("D1 u \"\" 0 1000 0 b c d e", "[4 \"\" 0]");
    expect_redis(&scene, "ZCARD p|x|pool|waiters", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(there_is_no_room_beyond_the_max_size)
{
    open_scene();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    BEGIN("D1 60000 9 0 2 10", "[- 0 2 2 0]");
    BEGIN("D1 60000 9 0 4 10", "[u 2 2 2 0]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 c", "1"); /* by hand */
    END("D1 u \"\" 0 1000 4 d e a", "[1 \"\" 0]");
    expect_redis(&scene, "HLEN p|x|pool", "4");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_to_go_leaves_or_comes_back)
{
    open_scene();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a \"b\\nb\" c d e", "5");
    BEGIN("D1 60000 0 2 0 10", "[d 3 5 5 0 a c d]");
    expect_redis(&scene, "MGET p|x:a p|x:c", "[#LEAVING #LEAVING]");
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3"), "[[b...");
    END("D1 d \"it broke\" 0 1000 0 a c d", "[0 it broke 1000]");
    expect_redis(&scene, "EXISTS p|x:a p|x:c p|x:d", "0");
    BEGIN("D2 60000 0 2 0 10", "[- 0 3 5 0]");
    scene_do(&scene, "HSET p|x|pool|scale d_next 0");
    BEGIN("D2 60000 0 2 0 10", "[d 1 3 5 0 a]");
    END("D2 d \"\" 5000 1000 0 a", "[1 \"\" 5000]");
    expect_redis(&scene, "HEXISTS p|x|pool a", "0");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    expect_redis(&scene, "ZSCORE p|x|pool|departed a", "nil");
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_leased_meanwhile_leaves_and_its_lease_runs_on)
{
    open_scene();
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    BEGIN("D1 60000 0 1 0 10", "[d 1 2 2 0 a]");
    scene_do(&scene, "DEL p|x:a"); /* its time is over */
    scene_do(&scene, "DEL p|x|pool|scaling");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[b ...");
    BEGIN("E1 60000 0 1 0 10", "[- ...");
    END("D1 d \"\" 0 1000 0 a", "[1 \"\" 0]");
    expect_redis(&scene, "EXISTS p|x:a", "1");
    expect_redis(&scene, "HLEN p|x|pool", "1");
    expect_redis(&scene, "ZCARD p|x|pool|departed", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(a_run_that_nobody_told_the_end_of_is_noted)
{
    open_scene();
    BEGIN("D1 60000 2 0 0 10", "[u 2 0 0 0]");
    scene_do(&scene, "DEL p|x|pool|scaling");
    BEGIN("E1 60000 2 0 0 10", "[u 2 0 0 0]");
    expect_redis(&scene, "HGET p|x|pool|scale error", "the daemon that ran it is gone");
    scene_close(&scene);
}
END_TEST

START_TEST(failures_in_a_row_wait_twice_as_long_each_time)
{
    open_scene();
    BEGIN("D1 60000 1 0 0 10", "[u 1 0 0 0]");
    END("D1 u no 100 3000 0", "[0 no 1000]");
    BEGIN("D2 60000 1 0 0 10", "[- 0 0 0 0]");
    END("D2 u no 100 3000 0", "[0 no 2000]");
    END("D3 u no 100 3000 0", "[0 no 3000]");
    END("D4 u no 5000 3000 0", "[0 no 5000]");
    END("D5 u \"\" 100 3000 0 a", "[1 \"\" 100]");
    END("D6 u \"\" 100 3000 0 a", "[0 it named no resource that is new 1000]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    return scene_run("scale",
                     (const TTest *const[]){
                         one_run_at_a_time_and_its_end_is_told_once, demand_is_what_the_line_wants,
                         there_is_no_room_beyond_the_max_size, what_is_to_go_leaves_or_comes_back,
                         what_was_leased_meanwhile_leaves_and_its_lease_runs_on,
                         a_run_that_nobody_told_the_end_of_is_noted,
                         failures_in_a_row_wait_twice_as_long_each_time, NULL});
}
