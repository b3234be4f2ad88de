/* scene: what a test of the scripts stands on; see scene.h. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64
#define TIMEOUT_S 60

void scene_open(struct scene *scene, const char *option)
{
    memset(scene, 0, sizeof *scene);
    guard_start(&scene->guard);
    server_init(&scene->server, scene->guard.dir, "redis");
    if (option != NULL)
        server_option(&scene->server, "%s", option);
    server_start(&scene->server);
    pool_at_init(&scene->at, server_connect(&scene->server), "p|x");
    seedpeer_init(&scene->peer, scene->at.redis, "p|x", false);
}

void scene_close_broken(struct scene *scene)
{
    redisFree(scene->at.redis);
    server_clear(&scene->server);
    guard_end(&scene->guard);
}

void scene_close(struct scene *scene)
{
    peek_check_pool(scene->at.redis, scene->at.base);
    scene_close_broken(scene);
}

redisReply *scene_ask(struct scene *scene, const char *words)
{
    struct str argv[MAX_WORDS];
    const char *words_of[MAX_WORDS];
    size_t lens[MAX_WORDS];
    char bytes[4096];
    int argc = script_words(words, bytes, sizeof bytes, argv, MAX_WORDS);
    for (int i = 0; i < argc; i++) {
        words_of[i] = argv[i].ptr;
        lens[i] = argv[i].len;
    }
    redisReply *reply = redisCommandArgv(scene->at.redis, argc, words_of, lens);
    ck_assert_msg(reply != NULL, "redis: %s", scene->at.redis->errstr);
    return reply;
}

void scene_do(struct scene *scene, const char *words)
{
    redisReply *reply = scene_ask(scene, words);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", words, reply->str);
    freeReplyObject(reply);
}

char *scene_digest(struct scene *scene)
{
    return peek_text(scene->at.redis, "EVAL %s 0",
                     "local keys, out = redis.call('KEYS', '*'), {}\n"
                     "table.sort(keys)\n"
                     "for i = 1, #keys do\n"
                     "  out[2 * i] = keys[i]\n"
                     "  out[2 * i + 1] = redis.call('DUMP', keys[i])\n"
                     "end\n"
                     "out[1] = ''\n"
                     "return redis.sha1hex(table.concat(out, '\\0'))");
}

int scene_run(const char *name, const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(tcase, TIMEOUT_S);
    for (; *tests != NULL; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
