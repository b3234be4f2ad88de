/* janitor: see janitor.h. */
#include "jobs/janitor.h"
#include "base/mem.h"
#include "io/check.h"
#include "io/tls.h"
#include "pool/cleaning.h"
#include <inttypes.h>
#include <stdio.h>

#define MARGIN_MS 10000 /* that a claim lasts longer than cleaning may take */
#define RETRY_MS  1000

/* A pool whose resources are cleaned here. */
struct place {
    struct janitor *janitor;
    char *pool;
    struct list cleanings;
    bool is_claiming, is_kicked; /* there may be more than was claimed last */
    struct tls_client *tls;      /* made for the first https, of these settings: */
    char *tls_ca;
    bool is_trusting;
};

/* One resource that is ours to clean. */
struct cleaning {
    struct list_node node; /* in place->cleanings */
    struct place *place;
    char *resource, *mark;
    char *entry; /* as the claim names it: of several units of a resource each is cleaned alone */
    struct check *check; /* while it goes on */
    bool is_told;        /* or just being told: how it ended */
    enum cleaning_how how;
    int64_t due_ms, until_ms; /* the next try to tell; the claim's end */
    char error[CHECK_TEXT];
};

static void kick(struct place *place);

static struct pool *pool_of(const struct place *place)
{
    struct err err;
    return pools_get(place->janitor->pools, str_of(place->pool), &err);
}

/* --- the end -------------------------------------------------------------------------------------
 */

static void drop(struct cleaning *cleaning)
{
    list_remove(&cleaning->place->cleanings, &cleaning->node);
    check_free(cleaning->check);
    mem_free(cleaning->resource);
    mem_free(cleaning->entry);
    mem_free(cleaning->mark);
    mem_free(cleaning);
}

static void log_failure(const struct cleaning *cleaning, bool is_given_up)
{
    char shown[200];
    str_printable(str_of(cleaning->resource), shown, sizeof shown);
    log_text(cleaning->place->janitor->log, LOG_LEVEL_WARNING, "cleaning-failed",
             "pool %s: %s: %s; %s", cleaning->place->pool, shown, cleaning->error,
             is_given_up ? "it is in quarantine" : "it will be tried again");
}

static void end_tell(void *arg, const struct err *err, const struct answer *answer)
{
    struct cleaning *cleaning = arg;
    struct place *place = cleaning->place;
    int64_t now_ms = clock_ms(place->janitor->clock), end = answer_int(answer, CLEANING_IS_OTHERS);
    if (err != NULL && now_ms < cleaning->until_ms) {
        cleaning->is_told = false;
        cleaning->due_ms = now_ms + RETRY_MS;
        return;
    }
    if (err == NULL && cleaning->how == CLEANING_FAILED && end != CLEANING_IS_OTHERS)
        log_failure(cleaning, end == CLEANING_GAVE_UP);
    drop(cleaning);
    if (place->is_kicked)
        kick(place);
}

static void tell(struct cleaning *cleaning)
{
    struct err err;
    struct pool *pool = pool_of(cleaning->place);
    cleaning->is_told = true;
    if (pool == NULL) {
        err_set(&err, ERR_GENERAL, "the pool is not known");
        end_tell(cleaning, &err, answer_none());
        return;
    }
    cleaning_end(pool, str_of(cleaning->mark), str_of(cleaning->entry), cleaning->how,
                 str_of(cleaning->error), end_tell, cleaning);
}

static void on_checked(void *arg, bool is_good, const char *text, int64_t latency_us)
{
    struct cleaning *cleaning = arg;
    (void)latency_us;
    cleaning->check = NULL;
    cleaning->how = is_good ? CLEANING_CLEAN : CLEANING_FAILED;
    snprintf(cleaning->error, sizeof cleaning->error, "%s", is_good ? "" : text);
    tell(cleaning);
}

/* --- its start -----------------------------------------------------------------------------------
 */

/* A name as a part of a url. What an address is made of stays as it is. */
static char *escape(const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = mem_alloc(3 * strlen(name) + 1), *to = out;
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~:/@[],;", c) != NULL) {
            *to++ = *at;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return out;
}

static void forget_tls(struct place *place)
{
    tls_client_free(place->tls);
    mem_free(place->tls_ca);
    place->tls = NULL;
    place->tls_ca = NULL;
}

/* NULL: https will be refused. Only while nothing else of the place runs are settings changed. */
static struct tls_client *tls_of(struct place *place, const struct pool_config *config)
{
    struct err err;
    bool is_same = place->tls != NULL && strcmp(place->tls_ca, config->tls_ca) == 0 &&
                   place->is_trusting == config->is_trusting;
    if (is_same || (place->tls != NULL && place->cleanings.count > 1))
        return place->tls;
    forget_tls(place);
    place->tls = tls_client_new(config->tls_ca, config->is_trusting, &err);
    place->tls_ca = mem_dup(str_of(config->tls_ca));
    place->is_trusting = config->is_trusting;
    if (place->tls == NULL)
        log_line(place->janitor->log, LOG_LEVEL_ERROR, "tls-failed", "pool", place->pool, "why",
                 err.text, NULL);
    return place->tls;
}

static void start(struct cleaning *cleaning, const struct pool *pool)
{
    struct place *place = cleaning->place;
    struct janitor *janitor = place->janitor;
    const struct pool_config *config = pool->config;
    struct str target = str_of(config->on_free);
    bool is_exec = str_starts(target, STR("exec:"));
    char *subject = is_exec ? mem_dup(str_of(cleaning->resource)) : escape(cleaning->resource);
    char *name = mem_printf("RALLOCD_POOL=%s", place->pool);
    const struct check_spec spec = {.kind = is_exec ? CHECK_EXEC : CHECK_HTTP,
                                    .subject = subject,
                                    .target = config->on_free + (is_exec ? strlen("exec:") : 0),
                                    .environment = (const char *const[]){name, NULL},
                                    .body = cleaning->resource,
                                    .timeout_ms = config->clean_timeout_ms,
                                    .tls = str_starts(target, STR("https:")) ? tls_of(place, config)
                                                                             : NULL};
    cleaning->check =
        check_start(janitor->base, janitor->dns, janitor->clock, &spec, on_checked, cleaning);
    mem_free(subject);
    mem_free(name);
}

static void begin(struct place *place, const struct pool *pool, struct str entry,
                  struct str resource, const char *mark)
{
    struct cleaning *cleaning = mem_zalloc(sizeof *cleaning);
    cleaning->place = place;
    cleaning->entry = mem_dup(entry);
    cleaning->resource = mem_dup(resource);
    cleaning->mark = mem_dup(str_of(mark));
    cleaning->until_ms =
        clock_ms(place->janitor->clock) + pool->config->clean_timeout_ms + MARGIN_MS;
    list_push(&place->cleanings, &cleaning->node);
    if (place->janitor->is_stopping || pool->config->on_free[0] == '\0') {
        cleaning->how = CLEANING_UNDONE;
        tell(cleaning);
        return;
    }
    start(cleaning, pool);
}

/* --- claims --------------------------------------------------------------------------------------
 */

struct claim {
    struct place *place;
    int64_t most;
    char mark[64];
};

static void end_claim(void *arg, const struct err *err, const struct answer *answer)
{
    struct claim *claim = arg;
    struct place *place = claim->place;
    struct pool *pool = pool_of(place);
    size_t count = err == NULL && pool != NULL ? answer_count(answer) / 3 : 0;
    place->is_claiming = false;
    for (size_t i = 0; i < count; i++)
        begin(place, pool, answer_str(answer_at(answer, 3 * i)),
              answer_str(answer_at(answer, 3 * i + 2)), claim->mark);
    if (place->is_kicked || (count > 0 && (int64_t)count == claim->most))
        kick(place);
    mem_free(claim);
}

/* Claims as many as there is room for. */
static void kick(struct place *place)
{
    struct janitor *janitor = place->janitor;
    struct pool *pool = pool_of(place);
    if (janitor->is_stopping || pool == NULL)
        return;
    int64_t most = 0;
    if (pool->config->on_free[0] != '\0')
        most = pool->config->clean_concurrency - (int64_t)place->cleanings.count;
    if (place->is_claiming || (most <= 0 && pool->config->on_free[0] != '\0')) {
        place->is_kicked = true;
        return;
    }
    struct claim *claim = mem_zalloc(sizeof *claim);
    claim->place = place;
    claim->most = most;
    snprintf(claim->mark, sizeof claim->mark, "%.*s:%" PRIu64, PRSTR(janitor->daemon),
             ++janitor->last_mark);
    place->is_kicked = false;
    place->is_claiming = true;
    cleaning_claim(pool, str_of(claim->mark), most, pool->config->clean_timeout_ms + MARGIN_MS,
                   end_claim, claim);
}

static struct place *place_of(struct janitor *janitor, const struct pool *pool)
{
    struct place *place = map_get(&janitor->places, str_of(pool->name));
    if (place != NULL)
        return place;
    place = mem_zalloc(sizeof *place);
    place->janitor = janitor;
    place->pool = mem_dup(str_of(pool->name));
    list_init(&place->cleanings);
    map_put(&janitor->places, str_of(pool->name), place);
    return place;
}

static void free_place(struct place *place)
{
    list_each (node, &place->cleanings)
        drop(list_entry(node, struct cleaning, node));
    forget_tls(place);
    mem_free(place->pool);
    mem_free(place);
}

static void on_freed(void *arg, struct pool *pool)
{
    kick(place_of(arg, pool));
}

/* --- ticks ---------------------------------------------------------------------------------------
 */

/* Tells again what Redis has not heard. */
static void tell_again(struct place *place, int64_t now_ms)
{
    list_each (node, &place->cleanings) {
        struct cleaning *cleaning = list_entry(node, struct cleaning, node);
        if (cleaning->check == NULL && !cleaning->is_told && now_ms >= cleaning->due_ms)
            tell(cleaning);
    }
}

/* One of those without anything to do is forgotten. */
static void look_over(struct janitor *janitor, int64_t now_ms)
{
    struct place *idle = NULL;
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&janitor->places, &at, &name, &value);) {
        struct place *place = value;
        tell_again(place, now_ms);
        if (place->cleanings.count == 0 && !place->is_claiming)
            idle = place;
    }
    if (idle != NULL) {
        map_remove(&janitor->places, str_of(idle->pool));
        free_place(idle);
    }
}

void janitor_tick(struct janitor *janitor)
{
    if (janitor->is_stopping)
        return;
    list_each (node, &janitor->pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        bool is_ours = pool->is_leading || pool->config->on_free[0] != '\0';
        if (pool->to_clean == 0 || !is_ours)
            continue;
        pool->to_clean = 0; /* until the next collection */
        kick(place_of(janitor, pool));
    }
    look_over(janitor, clock_ms(janitor->clock));
}

/* --- life ----------------------------------------------------------------------------------------
 */

void janitor_init(struct janitor *janitor, struct pools *pools, struct event_base *base,
                  struct evdns_base *dns, struct str daemon, struct rand *rand)
{
    unsigned char seed[16];
    *janitor = (struct janitor){.pools = pools,
                                .base = base,
                                .dns = dns,
                                .clock = pools->clock,
                                .log = pools->log,
                                .daemon = daemon};
    rand_bytes(rand, seed, sizeof seed);
    map_init(&janitor->places, seed);
    pools->freed = on_freed;
    pools->freed_arg = janitor;
}

static void give_up(struct place *place)
{
    list_each (node, &place->cleanings) {
        struct cleaning *cleaning = list_entry(node, struct cleaning, node);
        if (cleaning->check != NULL) {
            check_free(cleaning->check);
            cleaning->check = NULL;
            cleaning->how = CLEANING_UNDONE;
        }
        if (!cleaning->is_told)
            tell(cleaning);
    }
}

void janitor_stop(struct janitor *janitor)
{
    struct str name;
    void *value;
    janitor->is_stopping = true;
    for (size_t at = 0; map_next(&janitor->places, &at, &name, &value);)
        give_up(value);
}

void janitor_clear(struct janitor *janitor)
{
    struct str name;
    void *value;
    janitor->pools->freed = NULL;
    for (size_t at = 0; map_next(&janitor->places, &at, &name, &value);)
        free_place(value);
    map_clear(&janitor->places);
}
