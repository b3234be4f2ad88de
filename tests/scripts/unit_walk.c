/* unit_walk: random operations on a pool in which some resources have several units, in the order
 * of their priorities and with labels; each answer is compared with a model. No Python programs,
 * which must not use such a pool.  RALLOCD_SEED and RALLOCD_STEPS as in walk. */
#include "base/mem.h"
#include "tests/lib/peek.h"
#include "tests/lib/until.h"
#include "tests/lib/walker.h"
#include <stdlib.h>
#include <string.h>

#define STEPS    20000
#define WALK_MS  6000
#define USUAL    2 /* the pool's capacity */
#define MOST     3 /* that of a resource */
#define LABELS   2
#define LEAVING  3
#define BY_HAND  1
#define RESOURCE 6 /* resources, a to f */

enum { NUMBERS = 3 * MOST, UNITS = RESOURCE * NUMBERS };

struct unit {
    bool is_in, is_free, is_leased, is_aside;
    int pending; /* where it goes when it comes back: 0, BY_HAND, LEAVING */
    char token[MODEL_TOKEN];
};

struct resource {
    int capacity, priority;
    bool has[LABELS];
    struct unit units[NUMBERS];
};

static struct walk walk;
static struct resource all[RESOURCE];
static int line[UNITS], line_count; /* what is free: resource * NUMBERS + number, from 0 */
static int missing[RESOURCE][NUMBERS], missing_count[RESOURCE];
static int growing[RESOURCE], growing_count; /* resources of which something is missing, in order */

static const char *const label_names[LABELS] = {"k=v", "zone=eu"};

static struct unit *unit_at(int id)
{
    return &all[id / NUMBERS].units[id % NUMBERS];
}

static const char *name_of(int resource)
{
    static const char *const names[RESOURCE] = {"a", "b|", "with space", "x:y", "new\nline", "-1"};
    return names[resource];
}

static int count_units(int resource)
{
    int count = 0;
    for (int n = 0; n < NUMBERS; n++)
        count += all[resource].units[n].is_in;
    return count;
}

/* --- the free list --- */

static void unlink_unit(int id)
{
    int at = 0;
    while (line[at] != id)
        at++;
    memmove(line + at, line + at + 1, (size_t)(line_count - at - 1) * sizeof *line);
    line_count--;
    unit_at(id)->is_free = false;
}

/* As the last of its priority. */
static void push_unit(int id)
{
    int at = line_count;
    while (at > 0 && all[line[at - 1] / NUMBERS].priority < all[id / NUMBERS].priority)
        at--;
    memmove(line + at + 1, line + at, (size_t)(line_count - at) * sizeof *line);
    line[at] = id;
    line_count++;
    unit_at(id)->is_free = true;
}

static void remove_unit(int id)
{
    if (unit_at(id)->is_free)
        unlink_unit(id);
    *unit_at(id) = (struct unit){0};
    if (count_units(id / NUMBERS) == 0)
        all[id / NUMBERS] = (struct resource){0};
}

static void put_aside(int id)
{
    if (unit_at(id)->is_free)
        unlink_unit(id);
    unit_at(id)->is_aside = true;
}

static void take_back(int id)
{
    struct unit *unit = unit_at(id);
    int pending = unit->pending;
    unit->is_leased = unit->is_aside = false;
    unit->pending = 0;
    if (pending == LEAVING)
        remove_unit(id);
    else if (pending == BY_HAND)
        put_aside(id);
    else
        push_unit(id);
}

/* --- capacities --- */

/* So many of these leave: those that nobody has at once, the last first. */
static void drain(int resource, const int *staying, int count, int excess)
{
    for (int round = 0; round < 2; round++) {
        for (int i = count - 1; i >= 0 && excess > 0; i--) {
            struct unit *unit = unit_at(resource * NUMBERS + staying[i]);
            if (!unit->is_in || unit->is_leased != (round == 1))
                continue;
            if (round == 0)
                remove_unit(resource * NUMBERS + staying[i]);
            else
                unit->pending = LEAVING;
            excess--;
        }
    }
}

static void set_capacity(int resource, int wanted)
{
    struct resource *its = &all[resource];
    int staying[NUMBERS], count = 0, lack;
    its->capacity = wanted;
    for (int n = 0; n < NUMBERS; n++) {
        if (its->units[n].is_in && its->units[n].pending != LEAVING)
            staying[count++] = n;
    }
    lack = wanted - count;
    for (int n = 0; n < NUMBERS && lack > 0; n++) {
        if (its->units[n].is_in && its->units[n].pending == LEAVING) {
            its->units[n].pending = 0;
            lack--;
        }
    }
    missing_count[resource] = 0;
    for (int n = 0; n < NUMBERS && lack > 0; n++) {
        if (its->units[n].is_in)
            continue;
        missing[resource][missing_count[resource]++] = n;
        lack--;
    }
    growing[growing_count++] = resource;
    drain(resource, staying, count, -lack);
}

/* One of each, then the next one of each; what comes to a quarantine is in quarantine. */
static void fill_up(void)
{
    bool is_ill[RESOURCE] = {false};
    for (int i = 0; i < growing_count; i++) {
        for (int n = 0; n < NUMBERS; n++) {
            const struct unit *unit = &all[growing[i]].units[n];
            is_ill[growing[i]] |= unit->is_aside || (unit->is_in && unit->pending == BY_HAND);
        }
    }
    for (int round = 0; round < NUMBERS; round++) {
        for (int i = 0; i < growing_count; i++) {
            int resource = growing[i];
            if (round >= missing_count[resource])
                continue;
            int id = resource * NUMBERS + missing[resource][round];
            unit_at(id)->is_in = true;
            if (is_ill[resource])
                put_aside(id);
            else
                push_unit(id);
        }
    }
    growing_count = 0;
    memset(missing_count, 0, sizeof missing_count);
}

static bool is_draining(int resource)
{
    bool is_any = false;
    for (int n = 0; n < NUMBERS; n++)
        is_any |= all[resource].units[n].pending == LEAVING;
    return is_any && count_units(resource) <= all[resource].capacity;
}

static void settle(int resource, bool is_whole)
{
    int lack = all[resource].capacity - count_units(resource);
    if (count_units(resource) > 0 && (lack < 0 || (lack > 0 && is_whole)))
        set_capacity(resource, all[resource].capacity);
}

/* --- steps --- */

static int pick_resources(int most, int *resources)
{
    int count = 0;
    for (int tries = 1 + walk_below(&walk, most); tries > 0; tries--) {
        bool is_new = true;
        int resource = walk_below(&walk, RESOURCE);
        for (int i = 0; i < count; i++)
            is_new = is_new && resources[i] != resource;
        if (is_new)
            resources[count++] = resource;
    }
    return count;
}

static void add_resources(struct args *args, int count, const int *resources)
{
    for (int i = 0; i < count; i++)
        args_add(args, name_of(resources[i]));
}

struct words {
    bool has_priority;
    int priority, capacity;
};

static void pick_words(struct words *words, struct args *args)
{
    char text[64] = "";
    *words = (struct words){.has_priority = walk_below(&walk, 2) == 0,
                            .priority = walk_below(&walk, 3) - 1,
                            .capacity = walk_below(&walk, MOST + 1)};
    if (words->has_priority)
        snprintf(text, sizeof text, "\1P%d", words->priority);
    if (words->capacity > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "\1C%d", words->capacity);
    args_add(args, text);
}

static void prioritize(int resource, int priority)
{
    int moved[NUMBERS], count = 0;
    for (int n = 0; n < NUMBERS; n++) {
        if (!all[resource].units[n].is_free)
            continue;
        moved[count] = resource * NUMBERS + n;
        unlink_unit(moved[count++]);
    }
    all[resource].priority = priority;
    for (int i = 0; i < count; i++)
        push_unit(moved[i]);
}

static void set_priorities(int count, const int *resources, const struct words *words)
{
    for (int i = 0; i < count; i++) {
        int resource = resources[i];
        if (words[i].has_priority && all[resource].priority != words[i].priority)
            prioritize(resource, words[i].priority);
    }
}

/* First those that were there, then the new ones. How many are new. */
static int bring_in(int count, const int *resources, const struct words *words)
{
    int added = 0;
    bool was_there[RESOURCE];
    for (int i = 0; i < count; i++) {
        int resource = resources[i], wanted = words[i].capacity;
        was_there[i] = count_units(resource) > 0;
        if (!was_there[i])
            continue;
        wanted = wanted > 0 ? wanted : all[resource].capacity;
        if (wanted != all[resource].capacity ||
            (count_units(resource) != wanted && !is_draining(resource)))
            set_capacity(resource, wanted);
    }
    for (int i = 0; i < count; i++) {
        if (was_there[i])
            continue;
        all[resources[i]].priority = words[i].has_priority ? words[i].priority : 0;
        set_capacity(resources[i], words[i].capacity > 0 ? words[i].capacity : USUAL);
        added++;
    }
    fill_up();
    return added;
}

static int pick_all_words(struct args *args, int *resources, struct words *words)
{
    int count = pick_resources(4, resources);
    args_add(args, "-1\1E");
    for (int i = 0; i < count; i++) {
        args_add(args, name_of(resources[i]));
        pick_words(&words[i], args);
    }
    return count;
}

static int known_of(int count, const int *resources, const struct words *words, int *known,
                    struct words *said)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        if (count_units(resources[i]) == 0)
            continue;
        known[found] = resources[i];
        said[found++] = words[i];
    }
    return found;
}

static void step_extend(void)
{
    struct args args = {0};
    struct words words[RESOURCE], said[RESOURCE];
    int resources[RESOURCE], known[RESOURCE], count = pick_all_words(&args, resources, words);
    set_priorities(known_of(count, resources, words, known, said), known, said);
    int added = bring_in(count, resources, words);
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_EXTEND, &args), added);
}

static bool has_holder(int resource)
{
    bool is_any = false;
    for (int n = 0; n < NUMBERS; n++)
        is_any |= all[resource].units[n].is_leased;
    return is_any;
}

static void remove_resource(int resource)
{
    for (int n = 0; n < NUMBERS; n++) {
        if (all[resource].units[n].is_in)
            remove_unit(resource * NUMBERS + n);
    }
}

/* Leases that run on outside of the pool are the other walk's. */
static void step_assign(void)
{
    struct args args = {0};
    struct words words[RESOURCE], said[RESOURCE];
    int resources[RESOURCE], known[RESOURCE], count = pick_all_words(&args, resources, words);
    bool is_wanted[RESOURCE] = {false};
    int removed = 0;
    for (int i = 0; i < count; i++)
        is_wanted[resources[i]] = true;
    for (int resource = 0; resource < RESOURCE; resource++) {
        if (!is_wanted[resource] && has_holder(resource))
            return;
    }
    set_priorities(known_of(count, resources, words, known, said), known, said);
    for (int resource = 0; resource < RESOURCE; resource++) {
        removed += !is_wanted[resource] && count_units(resource) > 0;
        if (!is_wanted[resource])
            remove_resource(resource);
    }
    int added = bring_in(count, resources, words);
    walk_expect_ints(walk_run(&walk, SCRIPT_POOL_ASSIGN, &args), 2, (long[]){added, removed});
}

static void step_shrink(void)
{
    struct args args = {0};
    int resource = walk_below(&walk, RESOURCE), count = count_units(resource) > 0;
    if (has_holder(resource))
        return;
    remove_resource(resource);
    args_add(&args, name_of(resource));
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_SHRINK, &args), count);
}

/* What is free and has the label (-1: any), in the list's order, `most` at most. */
static int find_free(int label, int most, int *ids)
{
    int count = 0;
    for (int i = 0; i < line_count && count < most; i++) {
        if (label < 0 || all[line[i] / NUMBERS].has[label])
            ids[count++] = line[i];
    }
    return count;
}

static redisReply *run_batch(struct args *operation)
{
    struct args args = {0};
    args_add(&args, "D");
    args_add_int(&args, (long)++walk.at.sequence);
    args_add(&args, "exclusive");
    for (int i = 0; i < operation->count; i++) {
        char *text = mem_dup(operation->list[i]);
        args_add(&args, text);
        mem_free(text);
    }
    redisReply *reply = walk_run(&walk, SCRIPT_POOL_BATCH, &args);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    return reply;
}

static void check_grants(const redisReply *reply, int count, const int *ids)
{
    for (int i = 0; i < count; i++)
        fprintf(walk.log, "    should give '%s' %d\n", name_of(ids[i] / NUMBERS),
                ids[i] % NUMBERS + 1);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    ck_assert_int_eq((int)reply->elements, 4 * count);
    for (int i = 0; i < count; i++) {
        const char *token = reply->element[4 * i + 1]->str, *dot = strrchr(token, '.');
        ck_assert_str_eq(reply->element[4 * i]->str, name_of(ids[i] / NUMBERS));
        ck_assert_ptr_nonnull(dot);
        ck_assert_int_eq(strtol(dot + 1, NULL, 10), ids[i] % NUMBERS + 1);
        unlink_unit(ids[i]);
        unit_at(ids[i])->is_leased = true;
        snprintf(unit_at(ids[i])->token, MODEL_TOKEN, "%s", token);
    }
}

static void step_malloc(void)
{
    struct args args = {0};
    char where[32], how = "1na"[walk_below(&walk, 3)];
    int ids[UNITS], count = how == '1' ? 1 : 1 + walk_below(&walk, 4);
    int label = walk_below(&walk, 2) == 0 ? -1 : walk_below(&walk, LABELS);
    if (label >= 0) {
        snprintf(where, sizeof where, "W%s", label_names[label]);
        args_add(&args, "X");
        args_add(&args, where);
    }
    args_add(&args, "M");
    args_add(&args, (char[]){how, '\0'});
    args_add_int(&args, count);
    args_add_int(&args, MODEL_LEASE_MS);
    args_add(&args, "r");
    for (int i = 0; i < 4; i++)
        args_add(&args, i == 1 ? "0" : "");
    redisReply *reply = run_batch(&args);
    int found = find_free(label, count, ids);
    check_grants(reply->element[0], how == 'a' && found < count ? 0 : found, ids);
    freeReplyObject(reply);
}

/* Some unit that is leased; -1 when none is. */
static int pick_leased(void)
{
    int from = walk_below(&walk, UNITS);
    for (int i = 0; i < UNITS; i++) {
        if (unit_at((from + i) % UNITS)->is_leased)
            return (from + i) % UNITS;
    }
    return -1;
}

static void step_free(void)
{
    struct args args = {0};
    int id = pick_leased();
    if (id < 0)
        return;
    args_add(&args, "F");
    args_add(&args, unit_at(id)->token);
    args_add(&args, "");
    args_add(&args, "1");
    args_add(&args, name_of(id / NUMBERS));
    redisReply *reply = run_batch(&args);
    ck_assert_int_eq(reply->element[0]->integer, 1);
    freeReplyObject(reply);
    take_back(id);
}

static void run_gc(long reclaimed, long gone)
{
    struct args args = {0};
    for (int i = 0; i < 4; i++)
        args_add(&args, (const char *[]){"", "0", "100", "1000"}[i]);
    redisReply *reply = walk_run(&walk, SCRIPT_POOL_GC, &args);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    ck_assert_int_eq(reply->element[2]->integer, reclaimed);
    ck_assert_int_eq(reply->element[3]->integer, gone);
    ck_assert_int_eq(reply->element[4]->integer, 0); /* repaired */
    ck_assert_int_eq(reply->element[5]->integer, 0); /* broken */
    freeReplyObject(reply);
}

/* Its time is over, and the collector sees to it. */
static void step_end_lease(void)
{
    int id = pick_leased();
    char name[64];
    if (id < 0)
        return;
    int pending = unit_at(id)->pending;
    snprintf(name, sizeof name, id % NUMBERS > 0 ? "%s\37%d" : "%s", name_of(id / NUMBERS),
             id % NUMBERS + 1);
    fprintf(walk.log, "a lease of '%s' ends\n", name);
    peek_do(walk.at.redis, "DEL %s:%s", walk.at.base, name);
    peek_do(walk.at.redis, "ZADD %s|pool|leases 1 %s", walk.at.base, name);
    take_back(id);
    run_gc(pending == 0, pending == LEAVING);
}

static void set_aside(int resource, int kind)
{
    for (int n = 0; n < NUMBERS; n++) {
        int id = resource * NUMBERS + n;
        if (!unit_at(id)->is_in)
            continue;
        if (unit_at(id)->is_leased)
            unit_at(id)->pending = kind;
        else if (kind == LEAVING)
            remove_unit(id);
        else
            put_aside(id);
    }
}

static void step_set_aside(void)
{
    struct args args = {0};
    int resources[RESOURCE], count = pick_resources(2, resources), done = 0;
    int kind = walk_below(&walk, 2) == 0 ? BY_HAND : LEAVING;
    for (int i = 0; i < count; i++) {
        done += count_units(resources[i]) > 0;
        set_aside(resources[i], kind);
    }
    for (int i = 0; i < count && kind == BY_HAND; i++)
        settle(resources[i], false);
    fill_up();
    args_add_int(&args, kind);
    args_add(&args, "0");
    args_add(&args, "some reason");
    add_resources(&args, count, resources);
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_SET_ASIDE, &args), done);
}

static bool restore(int resource, int kind)
{
    bool is_any = false;
    for (int n = 0; n < NUMBERS; n++) {
        struct unit *unit = &all[resource].units[n];
        if (unit->pending != 0 && (kind == 0 || unit->pending == kind)) {
            unit->pending = 0;
            is_any = true;
        } else if (unit->is_aside) {
            take_back(resource * NUMBERS + n);
            is_any = true;
        }
    }
    return is_any;
}

static void step_restore(void)
{
    struct args args = {0};
    int resources[RESOURCE], count = pick_resources(3, resources), done = 0;
    int kind = walk_below(&walk, 3) == 0 ? BY_HAND : 0;
    bool is_restored[RESOURCE];
    for (int i = 0; i < count; i++) {
        is_restored[i] = restore(resources[i], kind);
        done += is_restored[i];
    }
    for (int i = 0; i < count; i++) {
        if (is_restored[i])
            settle(resources[i], kind == 0);
    }
    fill_up();
    args_add(&args, kind == 0 ? "" : "1");
    add_resources(&args, count, resources);
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_RESTORE, &args), done);
}

static void step_tag(void)
{
    struct args args = {0};
    char text[32];
    int resource = walk_below(&walk, RESOURCE), label = walk_below(&walk, LABELS), count = 0;
    bool is_given = walk_below(&walk, 3) > 0;
    if (count_units(resource) == 0)
        return;
    snprintf(text, sizeof text, "%s", label_names[label]);
    if (!is_given)
        strchr(text, '=')[1] = '\0';
    all[resource].has[label] = is_given;
    for (int i = 0; i < LABELS; i++)
        count += all[resource].has[i];
    args_add(&args, name_of(resource));
    args_add(&args, text);
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_TAG, &args), count);
}

static void step_gc(void)
{
    run_gc(0, 0);
}

static void step_repair(void)
{
    struct args args = {0};
    redisReply *reply = walk_run(&walk, SCRIPT_POOL_REPAIR, &args);
    ck_assert_int_eq(reply->element[3]->integer, 0);
    freeReplyObject(reply);
}

/* --- looks --- */

/* Each resource once, where its first unit stands. */
static void look_freelist(void)
{
    struct args args = {0};
    bool is_met[RESOURCE] = {false};
    size_t at = 0;
    args_add(&args, "-1");
    redisReply *reply = walk_run(&walk, SCRIPT_POOL_FREELIST, &args);
    for (int i = 0; i < line_count; i++) {
        int resource = line[i] / NUMBERS;
        if (!is_met[resource]) {
            ck_assert_uint_lt(at, reply->elements);
            ck_assert_str_eq(reply->element[at++]->str, name_of(resource));
        }
        is_met[resource] = true;
    }
    ck_assert_uint_eq(at, reply->elements);
    freeReplyObject(reply);
}

static void look_check(void)
{
    struct args args = {0};
    long total = 0;
    for (int id = 0; id < UNITS; id++)
        total += unit_at(id)->is_in;
    walk_expect_ints(walk_run(&walk, SCRIPT_POOL_CHECK, &args), 3,
                     (long[]){total, line_count, total - line_count});
}

/* --- the walk --- */

static void step(void)
{
    static void (*const steps[])(void) = {
        step_extend, step_extend,    step_assign,  step_shrink,    step_malloc, step_malloc,
        step_malloc, step_malloc,    step_malloc,  step_free,      step_free,   step_free,
        step_free,   step_free,      step_free,    step_end_lease, step_tag,    step_tag,
        step_gc,     step_set_aside, step_restore, step_restore,   step_repair};
    steps[walk_below(&walk, (int)(sizeof steps / sizeof *steps))]();
}

static void open_walk(void)
{
    char path[128];
    struct args args = {0};
    const char *given = getenv("RALLOCD_SEED");
    walk.seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)until_now_ms() * 2654435761U;
    walk.random = walk.seed | 1;
    guard_start(&walk.guard);
    server_init(&walk.server, walk.guard.dir, "redis");
    server_start(&walk.server);
    pool_at_init(&walk.at, server_connect(&walk.server), "p|walk");
    snprintf(path, sizeof path, "%s/walk.log", walk.guard.dir);
    walk.log = fopen(path, "w");
    ck_assert(walk.log != NULL);
    setvbuf(walk.log, NULL, _IOLBF, 0);
    args_add(&args, "order=priority capacity=2");
    args_add(&args, "");
    walk_expect_int(walk_run(&walk, SCRIPT_POOL_SET_RULES, &args), 1);
}

START_TEST(a_pool_of_units_does_what_the_model_does)
{
    const char *given = getenv("RALLOCD_STEPS");
    long steps = given != NULL ? strtol(given, NULL, 10) : STEPS;
    open_walk();
    int64_t end_ms = until_now_ms() + WALK_MS;
    for (long i = 0; i < steps && (given != NULL || until_now_ms() < end_ms); i++) {
        if (i % 100 == 0)
            fprintf(walk.log, "step %ld of RALLOCD_SEED=%llu\n", i, (unsigned long long)walk.seed);
        step();
        look_freelist();
        look_check();
    }
    fclose(walk.log);
    redisFree(walk.at.redis);
    server_clear(&walk.server);
    guard_end(&walk.guard);
}
END_TEST

int main(void)
{
    TCase *walks = tcase_create("walks");
    Suite *suite = suite_create("unit_walk");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(walks, 600);
    tcase_add_test(walks, a_pool_of_units_does_what_the_model_does);
    suite_add_tcase(suite, walks);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
