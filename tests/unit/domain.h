/* domain: batches and pools over a played Redis, with settings made by hand. To be included once by
 * a test program. */
#ifndef TESTS_UNIT_DOMAIN_H
#define TESTS_UNIT_DOMAIN_H

#include "pool/members.h"
#include "tests/unit/played.h"

static struct batches batches;
static struct waiters waiters;
static struct pools pools;
static struct config config;
static struct rand test_rand;
static char namespace[] = "ns", no_prefix[] = "";

static inline void domain_start(void)
{
    static const unsigned char seed[16];
    played_start();
    rand_init(&test_rand);
    config = (struct config){.server.namespace = namespace, .server.max_pools = 5};
    config.pool_default = (struct pool_config){.prefix = no_prefix, .gc_interval_ms = 5000};
    map_init(&config.pools, seed);
    batches_init(&batches, &played, &played_clock, NULL, STR("me"));
    waiters_init(&waiters, &batches, &test_rand);
    pools_init(&pools, &batches, &waiters, &config, &played_clock, &test_rand, NULL);
}

static inline void domain_end(void)
{
    batches_clear(&batches);
    pools_clear(&pools);
    waiters_clear(&waiters);
    map_clear(&config.pools);
    played_end();
}

static inline struct pool *the_pool(const char *name)
{
    struct err err;
    struct pool *pool = pools_get(&pools, str_of(name), &err);
    ck_assert_msg(pool != NULL, "%s", err.text);
    return pool;
}

static inline void pass_ms(int64_t ms)
{
    played_us += ms * 1000;
    batches_tick(&batches);
}

/* --- what callbacks were told
 * --------------------------------------------------------------------- */

struct told {
    int times;
    bool is_err;
    struct err err;
    int64_t count;
    size_t leases;
    char text[400];
};

static inline void note_err(struct told *told, const struct err *err)
{
    told->times++;
    told->is_err = err != NULL;
    if (err != NULL)
        told->err = *err;
}

static inline void hear_count(void *arg, const struct err *err, int64_t count)
{
    struct told *told = arg;
    note_err(told, err);
    told->count = count;
}

static inline void hear_leases(void *arg, const struct err *err, const struct leases *leases)
{
    struct told *told = arg;
    size_t at = 0;
    note_err(told, err);
    ck_assert((err == NULL) == (leases != NULL));
    told->leases = leases != NULL ? leases->count : 0;
    for (size_t i = 0; i < told->leases; i++) {
        struct lease lease = leases_at(leases, i);
        at += (size_t)snprintf(told->text + at, sizeof told->text - at, "%.*s %.*s %d %d;",
                               PRSTR(lease.resource), PRSTR(lease.token), (int)lease.fence,
                               (int)lease.ttl_ms);
    }
}

static inline void hear_answer(void *arg, const struct err *err, const struct answer *given)
{
    struct told *told = arg;
    note_err(told, err);
    told->count = answer_int(given, -1);
    snprintf(told->text, sizeof told->text, "%.*s", PRSTR(answer_str(given)));
}

#define assert_failed_with(told, its_kind, words)    \
    do {                                             \
        ck_assert_int_eq((told).times, 1);           \
        ck_assert((told).is_err);                    \
        ck_assert_str_eq((told).err.text, words);    \
        ck_assert_int_eq((told).err.kind, its_kind); \
    } while (0)

#define assert_told(told)                                     \
    do {                                                      \
        ck_assert_int_eq((told).times, 1);                    \
        ck_assert_msg(!(told).is_err, "%s", (told).err.text); \
    } while (0)

#endif
