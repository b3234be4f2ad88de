/* clean: the scripts behind what is made clean before anybody else gets it. */
#include "tests/lib/scene.h"
#include <stdio.h>
#include <stdlib.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
    scene_do(&scene, "HSET p|x|pool|journal rules clean=1");
}

#define CLAIM(words, expected) expect(&scene.at, SCRIPT_POOL_CLEAN_CLAIM, words, expected)
#define END(words, expected)   expect(&scene.at, SCRIPT_POOL_CLEAN_END, words, expected)
#define EXTEND(words, count)   expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 " words, count)
#define STATUS(resource, expected) \
    expect(&scene.at, SCRIPT_POOL_STATUS, resource, "[state " expected " ...")
#define F(resource) "F \"\" \"\" 1 " resource " "

/* Its time aside is over. */
static void end_time(const char *resource)
{
    char words[80];
    snprintf(words, sizeof(words), "DEL p|x:%s", resource);
    scene_do(&scene, words);
    snprintf(words, sizeof(words), "ZADD p|x|pool|leases 1 %s", resource);
    scene_do(&scene, words);
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 5000 1000 0", "[1 ...");
}

static long long now_ms(void)
{
    redisReply *time = scene_ask(&scene, "TIME");
    long long ms = atoll(time->element[0]->str) * 1000 + atoll(time->element[1]->str) / 1000;
    freeReplyObject(time);
    return ms;
}

static void wait_a_moment(void)
{
    for (long long before = now_ms(); now_ms() == before;)
        ;
}

/* mark most time_ms; mark resource how error retries pause_ms longest_ms quarantine_ms */
START_TEST(what_comes_back_is_free_when_it_is_clean)
{
    open_scene();
    EXTEND("a b", "2");
    expect_batch(&scene.at, M1("r1") F("a"), "[[a #-r1 # 60000] 1]");
    STATUS("a", "cleaning");
    expect_redis(&scene, "TTL p|x:a", "-1"); /* nobody but who cleans it ends that */
    expect_batch(&scene.at, M1("r2") M1("r3"), "[[b ...");
    CLAIM("D:1 9 5000", "[a 0 a]");
    CLAIM("E:1 9 5000", "[]");
    expect_redis(&scene, "GET p|x:a", "#CLEANING D:1");
    END("E:1 a clean \"\" 3 1 9 0", "0");
    END("D:1 a clean \"\" 3 1 9 0", "1");
    END("D:1 a clean \"\" 3 1 9 0", "0");
    STATUS("a", "free");
    expect_redis(&scene, "EXISTS p|x:a p|x|pool|aside p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_gets_it_when_it_is_clean)
{
    open_scene();
    EXTEND("a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 60000 r2 \"\" 0 \"\" \"\"", "[[# #]]");
    expect_batch(&scene.at, F("a"), "[1]");
    expect_redis(&scene, "HLEN p|x|pool|granted", "0");
    CLAIM("D:1 9 5000", "[a 0 a]");
    END("D:1 a clean \"\" 3 1 9 0", "1");
    expect_redis(&scene, "HLEN p|x|pool|granted", "1");
    STATUS("a", "leased");
    scene_close(&scene);
}
END_TEST

START_TEST(they_are_cleaned_in_the_order_of_their_coming)
{
    open_scene();
    EXTEND("a b c", "3");
    expect_batch(&scene.at, "M a 3 60000 r1 \"\" 0 \"\" \"\" ", "[[a ...");
    const char *const order[] = {"c", "a", "b"};
    for (int i = 0; i < 3; i++) {
        char words[40];
        snprintf(words, sizeof(words), "F \"\" \"\" 1 %s", order[i]);
        script_expect(script_batch(&scene.at, words), "[1]", __FILE__, __LINE__);
        wait_a_moment();
    }
    CLAIM("D:1 2 5000", "[c 0 c a 0 a]");
    CLAIM("D:2 2 5000", "[b 0 b]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_nobody_told_the_end_of_is_cleaned_by_another)
{
    open_scene();
    EXTEND("a", "1");
    expect_batch(&scene.at, M1("r1") F("a"), "[[a ...");
    CLAIM("D:1 9 20", "[a 0 a]");
    end_time("a");
    STATUS("a", "cleaning");
    CLAIM("E:1 9 5000", "[a 0 a]");
    END("D:1 a clean \"\" 3 1 9 0", "0");
    END("E:1 a undone \"\" 3 1 9 0", "2");
    CLAIM("E:2 9 5000", "[a 0 a]");
    scene_close(&scene);
}
END_TEST

START_TEST(failures_are_tried_again_and_then_given_up)
{
    open_scene();
    EXTEND("a", "1");
    expect_batch(&scene.at, M1("r1") F("a"), "[[a ...");
    for (int i = 0; i < 3; i++) {
        char words[40], expected[40], ended[80];
        snprintf(words, sizeof(words), "D:%d 9 5000", i);
        snprintf(expected, sizeof(expected), "[a %d a]", i);
        snprintf(ended, sizeof(ended), "D:%d a failed \"no soap\" 2 20 20 0", i);
        CLAIM(words, expected);
        END(ended, i < 2 ? "2" : "3");
        CLAIM("D:9 9 5000", "[]");
        if (i < 2)
            end_time("a");
    }
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why cleaning "
           "failed: no "
           "soap ...");
    /* whoever restores it has it cleaned first */
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    STATUS("a", "cleaning");
    CLAIM("D:10 9 5000", "[a 0 a]");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1"); /* or says that it is clean */
    STATUS("a", "free");
    scene_close(&scene);
}
END_TEST

START_TEST(without_the_rule_all_that_waits_to_be_cleaned_is_free)
{
    open_scene();
    EXTEND("a b c", "3");
    expect_batch(&scene.at, "M a 3 60000 r1 \"\" 0 \"\" \"\" F \"\" \"\" 3 a b c", "[[a ...");
    CLAIM("D:1 1 5000", "[a 0 a]");
    CLAIM("D:2 0 5000", "[]");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "\"\" \"\"", "1");
    CLAIM("D:3 0 5000", "[]");
    STATUS("b", "free");
    STATUS("c", "free");
    STATUS("a", "cleaning");
    END("D:1 a failed no 3 20 20 0", "2");
    end_time("a");
    CLAIM("D:4 0 5000", "[]");
    STATUS("a", "free");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_quarantined_while_it_is_cleaned_stays_so)
{
    open_scene();
    EXTEND("a b", "2");
    expect_batch(&scene.at, M1("r1") F("a"), "[[a ...");
    CLAIM("D:1 1 5000", "[a 0 a]");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 \"a look\" a", "1");
    END("D:1 a clean \"\" 3 1 9 0", "0");
    STATUS("a", "quarantined");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    return scene_run(
        "clean", (const TTest *const[]){what_comes_back_is_free_when_it_is_clean,
                                        who_waits_gets_it_when_it_is_clean,
                                        they_are_cleaned_in_the_order_of_their_coming,
                                        what_nobody_told_the_end_of_is_cleaned_by_another,
                                        failures_are_tried_again_and_then_given_up,
                                        without_the_rule_all_that_waits_to_be_cleaned_is_free,
                                        what_is_quarantined_while_it_is_cleaned_stays_so, NULL});
}
