/* lock_recall: what a lost batch granted is given back, unless its owner has been told of it. */
#include "tests/lib/locking.h"
#include <stdlib.h>
#include <string.h>

static struct scene scene;

static void ask(const char *daemon, long long sequence, const char *operations,
                const char *expected)
{
    script_expect(locking_batch_of(&scene, daemon, sequence, operations), expected, __FILE__,
                  __LINE__);
}

START_TEST(locks_and_shares_of_the_batch_are_given_back)
{
    scene_open(&scene, NULL);
    ask("E", 1, "L old w 0 ; H s old 0 #SHARED 1 0 0", "[# #]");
    ask("D", 7,
        "L a w 0 ; R b w 60000 ; A w 0 c d ; H s w 0 #SHARED 1 0 0 ; "
        "H p w 0 #PERMITS 2 3 0 ; L old x 0 ; U u w 0",
        "[# # [# #] # # nil OK]");
    expect_recall(&scene, "D", 7, "6");
    expect_redis(&scene, "MGET p|lock:a p|lock:b p|lock:c p|lock:d p|lock:p",
                 "[nil nil nil nil nil]");
    expect_redis(&scene, "MGET p|lock:old p|lock:s p|lock:u", "[w #SHARED w]");
    expect_redis(&scene, "ZRANGE p|lock|holders:s 0 -1", "[old]");
    expect_redis(&scene, "EXISTS p|lock|claim:a p|lock|holders:p p|lock|shares:p", "0");
    expect_recall(&scene, "D", 7, "0");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_recalled_batch_cannot_happen_any_more)
{
    scene_open(&scene, NULL);
    expect_recall(&scene, "D", 5, "0");
    ask("D", 5, "L a w 0", "!STALE ...");
    ask("D", 6, "L a w 0", "[#]");
    expect_recall(&scene, "D", 5, "0"); /* a later one has happened */
    expect_redis(&scene, "GET p|lock:a", "w");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_its_owner_has_been_told_of_since_stays)
{
    scene_open(&scene, NULL);
    ask("D", 1,
        "L a w 60000 ; L b w 60000 ; L c w 60000 ; H s w 60000 #SHARED 1 0 0 ; "
        "H t w 60000 #SHARED 1 0 0 ; L f w 60000",
        "[# # # # # #]");
    ask("E", 1,
        "R a w 60000 ; E b w 60000 ; U c w 60000 ; H s w 60000 #SHARED 1 0 1 ; "
        "K t w 60000 ; L f w 60000",
        "[# 1 OK # 1 nil]");
    expect_recall(&scene, "D", 1, "1"); /* f: its owner was told that it is held */
    expect_redis(&scene, "EXISTS p|lock:a p|lock:b p|lock:c p|lock:s p|lock:t", "5");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(what_somebody_else_has_taken_since_stays)
{
    scene_open(&scene, NULL);
    ask("D", 1, "L a w 60000 ; L b w 60000 ; L c w 60000 ; H s w 60000 #SHARED 1 0 0", "[# # # #]");
    ask("E", 1, "F a w ; L a w 60000 ; U b x 60000 ; F c w ; J s w ; H s w 60000 #SHARED 1 0 0",
        "[1 # OK 1 1 #]");
    scene_do(&scene, "SET p|lock:c w EX 100"); /* a Python program of the same owner's name */
    expect_recall(&scene, "D", 1, "0");
    expect_redis(&scene, "MGET p|lock:a p|lock:b p|lock:c p|lock:s", "[w x w #SHARED]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(a_fence_gives_back_only_what_it_was_given_for)
{
    char words[100];
    scene_open(&scene, NULL);
    long long fence = locking_fence(&scene, "L k w 60000");
    snprintf(words, sizeof words, "G k w %lld ; G k other %lld ; G k w %lld ; G k w %lld",
             fence + 1, fence, fence, fence);
    expect_locks(&scene, words, "[0 0 1 0]");
    fence = locking_fence(&scene, "L k w 60000");
    expect_locks(&scene, "R k w 60000", "[#]"); /* he knows of it */
    snprintf(words, sizeof words, "G k w %lld", fence);
    expect_locks(&scene, words, "[0]");
    fence = locking_fence(&scene, "H s w 60000 #SHARED 1 0 0");
    snprintf(words, sizeof words, "J s w %lld ; J s w %lld ; J s w %lld", fence + 1, fence, fence);
    expect_locks(&scene, words, "[0 1 0]");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(without_memory_a_batch_is_recalled)
{
    scene_open(&scene, NULL);
    ask("D", 1, "L a w 60000 ; H s w 60000 #SHARED 1 0 0 ; H s x 60000 #SHARED 1 0 0", "[# # #]");
    scene_do(&scene, "CONFIG SET maxmemory 1");
    expect_recall(&scene, "D", 1, "3");
    ask("D", 1, "L a w 60000", "!STALE ...");
    scene_close_broken(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {locks_and_shares_of_the_batch_are_given_back,
                                  a_recalled_batch_cannot_happen_any_more,
                                  what_its_owner_has_been_told_of_since_stays,
                                  what_somebody_else_has_taken_since_stays,
                                  a_fence_gives_back_only_what_it_was_given_for,
                                  without_memory_a_batch_is_recalled,
                                  NULL};
    return scene_run("lock_recall", tests);
}
