/* turn: one at a time refreshes a pool from its sources, daemon or Python program. */
#include "tests/lib/scene.h"
#include "tests/lib/until.h"

#define LOCK "p|x:p|x|pool|policy_update_lock"

START_TEST(the_first_gets_the_turn_and_keeps_it_by_asking_again)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 5000 0", "[1 5000]");
    expect(&scene.at, SCRIPT_POOL_TURN, "d2 5000 0", "[0 ...");
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 90000 0", "[1 90000]");
    expect(&scene.at, SCRIPT_POOL_TURN, "d2 5000 0", "[0 ...");
    expect_redis(&scene, "GET " LOCK, "d1");
    scene_close(&scene);
}
END_TEST

START_TEST(the_turn_ends_with_its_time)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 1 0", "[1 1]");
    until(peek_int(scene.at.redis, "EXISTS " LOCK) == 0);
    expect(&scene.at, SCRIPT_POOL_TURN, "d2 5000 0", "[1 5000]");
    scene_close(&scene);
}
END_TEST

START_TEST(who_gives_it_up_leaves_it_to_the_next)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 5000 0", "[1 5000]");
    expect(&scene.at, SCRIPT_POOL_TURN, "d2 0 0", "[0 ...");
    expect_redis(&scene, "GET " LOCK, "d1");
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 0 0", "[0 -2]");
    expect_redis(&scene, "EXISTS " LOCK, "0");
    scene_close(&scene);
}
END_TEST

START_TEST(it_is_the_python_librarys_and_can_be_taken)
{
    struct scene scene;
    scene_open(&scene, NULL);
    peek_do(scene.at.redis, "SET " LOCK " 1 NX EX 300");
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 5000 0", "[0 ...");
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 5000 1", "[1 5000]");
    expect_redis(&scene, "SET " LOCK " 1 NX EX 300", "nil");
    peek_do(scene.at.redis, "SET " LOCK " 1");
    expect(&scene.at, SCRIPT_POOL_TURN, "d1 5000 0", "[0 -1]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_first_gets_the_turn_and_keeps_it_by_asking_again, the_turn_ends_with_its_time,
        who_gives_it_up_leaves_it_to_the_next, it_is_the_python_librarys_and_can_be_taken, NULL};
    return scene_run("turn", tests);
}
