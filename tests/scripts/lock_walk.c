/* lock_walk: many random operations on a few locks, in batches of random size, with recalls and
 * with what a Python program does in between; each answer must be the model's. */
#include "base/mem.h"
#include "tests/lib/locking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 3, OWNERS = 3, BATCH = 6, STEPS = 4000 };

static const char *const keys[KEYS] = {"k", "l", "m"};
static const char *const owners[OWNERS] = {"a", "b", "c"};

/* --- the model ---------------------------------------------------------------------------------
 */

enum kind { FREE, ONE, SHARED_BY, PERMITS_OF };

/* Who was granted something, by which batch; confirmed: told of it again since. */
struct grant {
    int owner; /* -1: none */
    long long fence, batch;
    bool is_confirmed;
    int n; /* permits; 0: holds none */
};

struct lock {
    enum kind kind;
    int owner; /* of ONE */
    int limit; /* of PERMITS_OF */
    struct grant claim;
    struct grant shares[OWNERS];
};

static struct lock locks[KEYS];
static long long last_fence, sequence;

enum wanted { NIL, INTEGER, NEW_FENCE, OLD_FENCE, STATUS, FAULT, TWO_FENCES };
struct expected {
    enum wanted wanted;
    long long n;
    struct grant *grants[2]; /* that learn their fence */
};

static struct expected integer(long long n)
{
    return (struct expected){.wanted = INTEGER, .n = n};
}

static struct expected only(enum wanted wanted)
{
    return (struct expected){.wanted = wanted};
}

static struct grant *grant_one(struct lock *lock, int owner)
{
    lock->kind = ONE;
    lock->owner = owner;
    lock->claim = (struct grant){.owner = owner, .batch = sequence};
    return &lock->claim;
}

static bool confirm(struct lock *lock, int owner)
{
    if (lock->claim.owner != owner)
        return false;
    lock->claim.is_confirmed = true;
    return true;
}

static void end_one(struct lock *lock)
{
    lock->kind = FREE;
    lock->claim.owner = -1;
}

static bool has_many(const struct lock *lock)
{
    return lock->kind == SHARED_BY || lock->kind == PERMITS_OF;
}

static struct expected model_take(struct lock *lock, int owner, bool is_again)
{
    if (lock->kind == FREE)
        return (struct expected){.wanted = NEW_FENCE, .grants = {grant_one(lock, owner)}};
    if (!is_again || lock->kind != ONE || lock->owner != owner)
        return only(NIL);
    if (confirm(lock, owner))
        return (struct expected){.wanted = OLD_FENCE, .n = lock->claim.fence};
    struct grant *grant = grant_one(lock, owner);
    grant->is_confirmed = true;
    return (struct expected){.wanted = NEW_FENCE, .grants = {grant}};
}

/* owner -1: whoever holds it. */
static struct expected model_end(struct lock *lock, int owner)
{
    if (lock->kind == FREE)
        return integer(0);
    if (has_many(lock))
        return only(STATUS);
    if (owner >= 0 && lock->owner != owner)
        return only(FAULT);
    end_one(lock);
    return integer(1);
}

static struct expected model_extend(struct lock *lock, int owner)
{
    if (has_many(lock))
        return only(STATUS);
    if (lock->kind != ONE || lock->owner != owner)
        return integer(0);
    confirm(lock, owner);
    return integer(1);
}

static int used_of(const struct lock *lock)
{
    int used = 0;
    for (int i = 0; i < OWNERS; i++)
        used += lock->shares[i].n;
    return used;
}

static void empty(struct lock *lock)
{
    lock->kind = FREE;
    memset(lock->shares, 0, sizeof lock->shares);
}

static struct expected model_share(struct lock *lock, int owner, enum kind kind, int n, int limit,
                                   bool is_again)
{
    struct grant *mine = &lock->shares[owner];
    if (lock->kind == FREE) {
        empty(lock);
        lock->claim.owner = -1;
    } else if (lock->kind != kind)
        return only(NIL);
    else if (kind == PERMITS_OF && lock->limit != limit)
        return only(FAULT);
    if ((mine->n > 0 && !is_again) || (kind == PERMITS_OF && used_of(lock) - mine->n + n > limit))
        return only(NIL);
    lock->kind = kind;
    lock->limit = limit;
    if (mine->n > 0) {
        mine->is_confirmed = true;
        mine->n = n;
        return (struct expected){.wanted = OLD_FENCE, .n = mine->fence};
    }
    *mine = (struct grant){.owner = owner, .batch = sequence, .n = n};
    return (struct expected){.wanted = NEW_FENCE, .grants = {mine}};
}

/* J and K; of a lock that is no longer one of several holders, too. */
static struct expected model_leave(struct lock *lock, int owner)
{
    if (lock->kind == FREE)
        return integer(0);
    if (lock->kind == ONE && lock->owner != owner)
        return only(FAULT);
    if (lock->kind == ONE) {
        end_one(lock);
        return integer(1);
    }
    if (lock->shares[owner].n == 0)
        return only(FAULT);
    lock->shares[owner].n = 0;
    if (used_of(lock) == 0)
        empty(lock);
    return integer(1);
}

static struct expected model_extend_share(struct lock *lock, int owner)
{
    if (lock->kind == ONE && lock->owner == owner) {
        confirm(lock, owner);
        return integer(1);
    }
    if (lock->kind == ONE)
        return integer(0);
    if (lock->kind == FREE || lock->shares[owner].n == 0)
        return integer(0);
    lock->shares[owner].is_confirmed = true;
    return integer(1);
}

/* How many are given back. */
static int model_recall(long long batch)
{
    int count = 0;
    for (int i = 0; i < KEYS; i++) {
        struct lock *lock = &locks[i];
        if (lock->kind == ONE && lock->claim.owner == lock->owner && lock->claim.batch == batch &&
            !lock->claim.is_confirmed) {
            end_one(lock);
            count++;
        }
        for (int k = 0; k < OWNERS && has_many(lock); k++) {
            if (lock->shares[k].n > 0 && lock->shares[k].batch == batch &&
                !lock->shares[k].is_confirmed) {
                model_leave(lock, k);
                count++;
            }
        }
    }
    return count;
}

/* --- one operation, in words and in the model --------------------------------------------------
 */

static struct expected one_step(unsigned *seed, char *words, size_t size)
{
    int key = rand_r(seed) % KEYS, owner = rand_r(seed) % OWNERS, n = 1 + rand_r(seed) % 2;
    int limit = 2 + rand_r(seed) % 2, again = rand_r(seed) % 2, other = (key + 1) % KEYS;
    struct lock *lock = &locks[key];
    const char *k = keys[key], *o = owners[owner];
    switch (rand_r(seed) % 12) {
    case 0:
        snprintf(words, size, "L %s %s 0", k, o);
        return model_take(lock, owner, false);
    case 1:
        snprintf(words, size, "R %s %s 0", k, o);
        return model_take(lock, owner, true);
    case 2:
        snprintf(words, size, "F %s %s", k, o);
        return model_end(lock, owner);
    case 3:
        snprintf(words, size, "F %s", k);
        return model_end(lock, -1);
    case 4:
        snprintf(words, size, "E %s %s 0", k, o);
        return model_extend(lock, owner);
    case 5:
        snprintf(words, size, "U %s %s 0", k, o);
        lock->kind = ONE;
        lock->owner = owner;
        confirm(lock, owner);
        return only(STATUS);
    case 6:
        snprintf(words, size, "V %s", k);
        return integer(lock->kind == FREE ? -2 : -1);
    case 7:
        snprintf(words, size, "A %s 0 %s %s", o, k, keys[other]);
        if (lock->kind != FREE || locks[other].kind != FREE)
            return only(NIL);
        return (struct expected){
            .wanted = TWO_FENCES,
            .grants = {grant_one(lock, owner), grant_one(&locks[other], owner)}};
    case 8:
        snprintf(words, size, "H %s %s 0 #SHARED 1 0 %d", k, o, again);
        return model_share(lock, owner, SHARED_BY, 1, 0, again);
    case 9:
        snprintf(words, size, "H %s %s 0 #PERMITS %d %d %d", k, o, n, limit, again);
        return model_share(lock, owner, PERMITS_OF, n, limit, again);
    case 10:
        snprintf(words, size, "J %s %s", k, o);
        return model_leave(lock, owner);
    default:
        snprintf(words, size, "K %s %s 0", k, o);
        return model_extend_share(lock, owner);
    }
}

static void check_fence(long long fence, struct grant *grant, const char *words)
{
    ck_assert_msg(fence > last_fence, "%s: %lld after %lld", words, fence, last_fence);
    last_fence = fence;
    grant->fence = fence; /* of several in one batch the last one stays */
}

static bool fits(const struct expected *expected, const redisReply *reply)
{
    switch (expected->wanted) {
    case NIL:
        return reply->type == REDIS_REPLY_NIL;
    case INTEGER:
    case OLD_FENCE:
        return reply->type == REDIS_REPLY_INTEGER && reply->integer == expected->n;
    case STATUS:
        return reply->type == REDIS_REPLY_STATUS;
    case FAULT:
        return reply->type == REDIS_REPLY_ERROR;
    case NEW_FENCE:
        return reply->type == REDIS_REPLY_INTEGER && reply->integer > 1000000;
    default:
        return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
    }
}

/* What the fences of this batch are is known only now: old ones among them may be younger than the
 * model's. */
static void check_reply(const struct expected *expected, const redisReply *reply, const char *words)
{
    char *seen = script_show(reply);
    bool is_of_this_batch = expected->wanted == OLD_FENCE && expected->n == 0;
    ck_assert_msg(is_of_this_batch || fits(expected, reply), "%s: %s", words, seen);
    if (is_of_this_batch)
        ck_assert_int_le(reply->integer, last_fence);
    if (expected->wanted == NEW_FENCE)
        check_fence(reply->integer, expected->grants[0], words);
    for (size_t i = 0; i < 2 && expected->wanted == TWO_FENCES; i++)
        check_fence(reply->element[i]->integer, expected->grants[i], words);
    free(seen);
}

/* --- the walk ----------------------------------------------------------------------------------
 */

static redisReply *run(struct scene *scene, int count, const char *words, const char *first)
{
    char owner[2] = {first[4], '\0'};
    sequence = ++scene->at.sequence;
    if (count == 1 && strncmp(first, "L k ", 4) == 0 && sequence % 2 == 0) {
        char args[8];
        snprintf(args, sizeof args, "%s 0", owner);
        redisReply *reply = locking_alone(scene, SCRIPT_LOCK_LOCK_ONE, sequence, args);
        if (reply->type == REDIS_REPLY_ARRAY)
            return reply;
        freeReplyObject(reply); /* FULL */
    }
    if (count == 1 && strncmp(first, "F k ", 4) == 0 && sequence % 2 == 0)
        return locking_alone(scene, SCRIPT_LOCK_UNLOCK_ONE, sequence, owner);
    return locking_batch_of(scene, "D", sequence, words);
}

static void walk_batch(struct scene *scene, unsigned *seed)
{
    struct expected expected[BATCH];
    char words[BATCH][80], all[BATCH * 84] = "";
    int count = 1 + rand_r(seed) % BATCH;
    sequence = scene->at.sequence + 1;
    for (int i = 0; i < count; i++) {
        expected[i] = one_step(seed, words[i], sizeof words[i]);
        strcat(all, words[i]);
        strcat(all, " ; ");
    }
    redisReply *reply = run(scene, count, all, words[0]);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY && (int)reply->elements == count, "%s: %s", all,
                  reply->str);
    for (int i = 0; i < count; i++)
        check_reply(&expected[i], reply->element[i], all);
    freeReplyObject(reply);
}

/* What a Python program does to a lock. */
static void walk_python(struct scene *scene, unsigned *seed)
{
    int key = rand_r(seed) % KEYS, owner = rand_r(seed) % OWNERS;
    struct lock *lock = &locks[key];
    char words[80];
    if (rand_r(seed) % 2 == 0) {
        snprintf(words, sizeof words, "DEL p|lock:%s", keys[key]);
        lock->kind = FREE;
    } else {
        snprintf(words, sizeof words, "SET p|lock:%s %s%s", keys[key], owners[owner],
                 rand_r(seed) % 2 == 0 ? " NX" : "");
        if (lock->kind == FREE || strstr(words, "NX") == NULL) {
            lock->kind = ONE;
            lock->owner = owner;
        }
    }
    scene_do(scene, words);
}

static void check_holders(struct scene *scene, unsigned *seed)
{
    int key = rand_r(seed) % KEYS;
    const struct lock *lock = &locks[key];
    char names[120], expected[40] = "nil";
    snprintf(names, sizeof names, "p|lock:%s p|lock|holders:%s p|lock|pool", keys[key], keys[key]);
    if (lock->kind == ONE) {
        snprintf(expected, sizeof expected, "%s", owners[lock->owner]);
    } else if (lock->kind != FREE) {
        size_t at = 0;
        for (int i = 0; i < OWNERS; i++) {
            if (lock->shares[i].n > 0)
                at += (size_t)sprintf(expected + at, "%c%s", at == 0 ? '[' : ' ', owners[i]);
        }
        strcat(expected, "]");
    }
    expect_call(scene, SCRIPT_LOCK_HOLDERS, names, "", expected);
}

static void walk(unsigned seed)
{
    struct scene scene;
    scene_open(&scene, NULL);
    memset(locks, 0, sizeof locks);
    for (int i = 0; i < KEYS; i++)
        locks[i].claim.owner = -1;
    last_fence = 0;
    for (int i = 0; i < STEPS; i++) {
        int choice = rand_r(&seed) % 20;
        if (choice == 0)
            walk_python(&scene, &seed);
        walk_batch(&scene, &seed);
        check_holders(&scene, &seed);
        if (choice == 1) {
            char count[16];
            snprintf(count, sizeof count, "%d", model_recall(scene.at.sequence));
            expect_recall(&scene, "D", scene.at.sequence, count);
        }
    }
    scene_close_broken(&scene);
}

START_TEST(a_walk_gives_the_answers_of_the_model)
{
    walk(1);
}
END_TEST

START_TEST(another_walk_does)
{
    walk(20260101);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_walk_gives_the_answers_of_the_model, another_walk_does, NULL};
    return scene_run("lock_walk", tests);
}
