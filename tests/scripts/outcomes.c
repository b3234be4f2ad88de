/* outcomes: what holders say of a resource when they give it back, and the breaker. */
#include "tests/lib/scene.h"

static struct scene scene;

static void open_with(const char *rules)
{
    char words[200];
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    snprintf(words, sizeof words, "\"%s\" \"\"", rules);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, words, "1");
}

/* One lease that ends so. */
static void use(const char *outcome)
{
    char words[200];
    snprintf(words, sizeof words, M1("r") "X O%s F \"\" \"\" 1 a", outcome);
    expect_batch(&scene.at, words, "[[a #-r # 60000] 1]");
}

/* What set it aside ends now. */
static void rest_is_over(void)
{
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 1 ...");
}

/* "score failures breaker" */
#define expect_status(expected)                                                     \
    do {                                                                            \
        char text_[100];                                                            \
        redisReply *reply_ = script_say(&scene.at, SCRIPT_POOL_STATUS, "a");        \
        snprintf(text_, sizeof text_, "%lld %lld %s", reply_->element[15]->integer, \
                 reply_->element[17]->integer, reply_->element[19]->str);           \
        freeReplyObject(reply_);                                                    \
        ck_assert_str_eq(text_, expected);                                          \
    } while (0)

START_TEST(each_outcome_moves_the_score)
{
    open_with("half_life=3600000");
    expect_status("1000 0 closed");
    use("ok");
    expect_status("1000 0 closed");
    use("slow");
    expect_status("800 0 closed");
    use("fail");
    expect_status("400 1 closed");
    use("fail");
    expect_status("200 2 closed");
    use("ok");
    expect_status("400 0 closed");
    scene_close(&scene);
}
END_TEST

START_TEST(half_of_what_was_lost_comes_back_in_each_half_life)
{
    open_with("half_life=1000");
    use("fail");
    scene_do(&scene, "EVAL \"local v = redis.call('HGET', KEYS[1], 'sa') local s, f, at, t = "
                     "string.match(v, '(%d+) (%d+) (%d+) (%d+)') redis.call('HSET', KEYS[1], 'sa', "
                     "s .. ' ' .. f .. ' ' .. string.format('%.0f', at - 20000) .. ' ' .. t)\" 1 "
                     "p|x|pool|traits");
    expect_status("1000 1 closed");
    scene_close(&scene);
}
END_TEST

START_TEST(the_breaker_sets_aside_what_fails_again_and_again)
{
    open_with("breaker=3 breaker_rest=60000");
    use("fail");
    use("fail");
    use("ok");
    use("fail");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state free ...");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state quarantined ...");
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    expect_batch(&scene.at, M1("r"), "[[]]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 50000);
    scene_close(&scene);
}
END_TEST

START_TEST(one_lease_decides_when_the_rest_is_over)
{
    open_with("breaker=2 breaker_rest=60000");
    use("fail");
    use("fail");
    rest_is_over();
    expect_status("250 2 half-open");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state quarantined ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 110000); /* twice as long */
    rest_is_over();
    use("ok");
    expect_status("344 0 closed");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state free ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_that_ends_without_a_word_decides_nothing)
{
    open_with("breaker=1 breaker_rest=60000");
    use("fail");
    rest_is_over();
    expect_batch(&scene.at, M1("r") "F \"\" \"\" 1 a", "[[a ...");
    expect_status("500 1 half-open");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state free ...");
    scene_close(&scene);
}
END_TEST

START_TEST(restore_ends_the_rest_of_the_breaker)
{
    open_with("breaker=1 breaker_rest=60000");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "2 a", "0"); /* a probe does not */
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    use("ok");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_said_of_a_resource_goes_when_it_leaves)
{
    open_with("breaker=1 breaker_rest=60000");
    use("fail");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect_redis(&scene, "EXISTS p|x|pool|traits p|x|pool|aside p|x:a", "0");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_outcome_moves_the_score,
                                  half_of_what_was_lost_comes_back_in_each_half_life,
                                  the_breaker_sets_aside_what_fails_again_and_again,
                                  one_lease_decides_when_the_rest_is_over,
                                  a_lease_that_ends_without_a_word_decides_nothing,
                                  restore_ends_the_rest_of_the_breaker,
                                  what_is_said_of_a_resource_goes_when_it_leaves,
                                  NULL};
    return scene_run("outcomes", tests);
}
