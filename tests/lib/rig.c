/* rig: what most tests stand on; see rig.h. */
#include "tests/lib/rig.h"
#include "tests/lib/peek.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Redis -------------------------------------------------------------------------- */

struct client *rig_redis(struct rig *rig)
{
    client_close(rig->redis_client);
    rig->redis_client = client_unix(rig->redis.path);
    return rig->redis_client;
}

/* --- daemons ------------------------------------------------------------------------ */

struct node *rig_node(struct rig *rig)
{
    char name[16];
    ck_assert(rig->node_count < RIG_MAX_NODES);
    struct node *node = &rig->nodes[rig->node_count];
    snprintf(name, sizeof(name), "daemon-%d", rig->node_count++);
    node_init(node, rig->guard.dir, name);
    node_option(node, "--redis.url=unix://%s", rig->redis.path);
    return node;
}

struct node *rig_daemon(struct rig *rig)
{
    struct node *node = rig_node(rig);
    node_start(node);
    return node;
}

/* --- pools -------------------------------------------------------------------------- */

const char *rig_value(const char *reply, const char *name, char *out, size_t size)
{
    char quoted[100];
    snprintf(quoted, sizeof(quoted), ") \"%s\"\n", name);
    const char *at = strstr(reply, quoted);
    out[0] = '\0';
    if (at == NULL)
        return out;
    at += strlen(quoted);
    at = strstr(at, ") ") + 2;
    if (strncmp(at, "(integer) ", 10) == 0)
        at += 10;
    snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
    return out;
}

int64_t rig_number(const char *reply, const char *name)
{
    char text[100];
    rig_value(reply, name, text, sizeof(text));
    ck_assert_msg(text[0] != '\0', "no %s in %s", name, reply);
    return strtoll(text, NULL, 10);
}

/* Every "<base>|pool" that is a hash. */
void rig_check_pools(struct rig *rig)
{
    redisContext *redis = server_connect(&rig->redis);
    redisReply *keys = peek(redis, "KEYS *|pool");
    for (size_t i = 0; i < keys->elements; i++) {
        char *base = keys->element[i]->str;
        char *type = peek_text(redis, "TYPE %s", base);
        if (strcmp(type, "hash") == 0) {
            base[strlen(base) - strlen("|pool")] = '\0';
            struct peek_pool pool = peek_check_pool(redis, base);
            ck_assert_msg(pool.free + pool.allocated == pool.total,
                          "%s: free %d + allocated %d is not total %d", base, pool.free,
                          pool.allocated, pool.total);
        }
        free(type);
    }
    freeReplyObject(keys);
    redisFree(redis);
}

/* What the daemons say of their pools. */
static void ask_daemon(struct client *client)
{
    char *list = strdup(say(client, "POOL LIST"));
    if (list[0] != '(') {
        for (char *at = list; (at = strchr(at, '"')) != NULL;) {
            char *end = strchr(at + 1, '"');
            *end = '\0';
            const char *broken = sayf(client, "POOL CHECK %s", at + 1);
            ck_assert_msg(strcmp(broken, "(empty array)") == 0, "POOL CHECK %s: %s", at + 1,
                          broken);
            at = end + 1;
        }
    }
    free(list);
}

/* --- life --------------------------------------------------------------------------- */

void rig_start_bare(struct rig *rig)
{
    *rig = (struct rig){0};
    guard_start(&rig->guard);
    server_init(&rig->redis, rig->guard.dir, "redis");
    server_option(&rig->redis, "appendonly yes");
    server_option(&rig->redis, "appendfsync always");
    server_option(&rig->redis, "enable-debug-command yes");
}

void rig_start(struct rig *rig)
{
    rig_start_bare(rig);
    server_start(&rig->redis);
}

void rig_end_unchecked(struct rig *rig)
{
    for (int i = 0; i < rig->node_count; i++) {
        struct node *node = &rig->nodes[i];
        if (node->pid > 0)
            ck_assert_int_eq(node_stop(node), 0);
        node_clear(node);
    }
    client_close(rig->redis_client);
    server_clear(&rig->redis);
    guard_end(&rig->guard);
}

void rig_end(struct rig *rig)
{
    for (int i = 0; i < rig->node_count; i++) {
        struct client *client = NULL;
        if (rig->nodes[i].pid > 0)
            client = client_try_unix(rig->nodes[i].path);
        if (client != NULL)
            ask_daemon(client);
        client_close(client);
    }
    if (rig->redis.pid > 0)
        rig_check_pools(rig);
    rig_end_unchecked(rig);
}

/* --- tests -------------------------------------------------------------------------- */

int rig_run(const char *name, const TTest *const *tests, size_t count, void (*set_up)(void),
            void (*tear_down)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
