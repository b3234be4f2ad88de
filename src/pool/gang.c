/* gang: see gang.h. */
#include "pool/gang.h"
#include "base/mem.h"

#define FRUITLESS_ROUNDS 2 /* before it is patient */
#define NOBODYS          (-1)
#define NO_LIMIT         INT64_MAX

struct gang {
    gang_done done;
    void *arg;
    int64_t until_ms;         /* monotonic: the end of its waiting */
    int64_t patient_until_ms; /* it keeps what it has until then */
    struct waiter *waiter;    /* of the part that is asked for; NULL: it stands in no line */
    int rounds;               /* that ended with nothing */
    int line;                 /* the place in `order` of the part that it waits for first */
    int at;                   /* the place of the part that is asked for */
    int64_t kept_at_ms;       /* when the renewals were asked for */
    size_t renewals;          /* on their way */
    struct err err;           /* why a renewal failed */
    struct err refusal;       /* kind ERR_NONE: it was not refused */
    bool with_data, can_wait, is_gone, has_failed, has_lost;
    struct str owner; /* behind the parts */
    int count;
    struct gang_part *order[GANG_MOST_POOLS]; /* by the pools' names */
    struct gang_part parts[];
};

static int64_t now_of(const struct gang *gang)
{
    return clock_ms(gang->parts[0].pool->pools->clock);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- the end -------------------------------------------------------------------------------------
 */

static void give_back(struct gang *gang)
{
    for (int i = 0; i < gang->count; i++) {
        struct gang_part *part = &gang->parts[i];
        leases_give_back(part->pool, &part->leases);
        leases_drop(&part->leases);
    }
}

static void finish(struct gang *gang, const struct err *err, int count)
{
    gang->done(gang->arg, err, gang->parts, count);
    for (int i = 0; i < gang->count; i++) {
        leases_drop(&gang->parts[i].leases);
        gang->parts[i].pool->pending--;
    }
    mem_free(gang);
}

static void fail(struct gang *gang, const struct err *err)
{
    give_back(gang);
    finish(gang, err, 0);
}

/* Nobody wants it any more. */
static void fail_unwanted(struct gang *gang)
{
    struct err refusal = gang->refusal;
    fail(gang, refusal.kind != ERR_NONE ? &refusal : NULL);
}

/* --- how long ------------------------------------------------------------------------------------
 */

/* No longer than half of what it wants to hold them for. */
static int64_t patience_ms(const struct gang *gang)
{
    int64_t ms = GANG_PATIENCE_MS;
    if (gang->rounds < FRUITLESS_ROUNDS)
        return 0;
    for (int i = FRUITLESS_ROUNDS; i < gang->rounds && ms < GANG_MOST_PATIENCE_MS; i++)
        ms *= 2;
    ms = smaller(ms, GANG_MOST_PATIENCE_MS);
    for (int i = 0; i < gang->count; i++) {
        if (gang->parts[i].holding_ms > 0)
            ms = smaller(ms, gang->parts[i].holding_ms / 2);
    }
    return ms;
}

/* A part's time until all are together. */
static int64_t part_ms(const struct gang *gang, const struct gang_part *part)
{
    int64_t patient_ms = 2 * patience_ms(gang);
    int64_t ms = larger(patient_ms, GANG_PART_MS);
    return part->holding_ms > 0 ? larger(smaller(ms, part->holding_ms), GANG_LEAST_PART_MS) : ms;
}

/* Of its waiting. */
static int64_t left_ms(const struct gang *gang)
{
    if (!gang->can_wait || gang->is_gone)
        return 0;
    return gang->until_ms == NO_LIMIT ? NO_LIMIT : larger(gang->until_ms - now_of(gang), 0);
}

/* How long it may stand in the line of the part that is asked for. */
static int64_t line_ms(const struct gang *gang)
{
    if (gang->at == gang->line)
        return left_ms(gang); /* nothing is held yet */
    if (gang->line == NOBODYS || gang->at < gang->line)
        return 0;
    return smaller(larger(gang->patient_until_ms - now_of(gang), 0), left_ms(gang));
}

/* --- keeping -------------------------------------------------------------------------------------
 */

static void begin_again(struct gang *gang);

/* They have been renewed. */
static void set_times(struct gang *gang)
{
    for (int i = 0; i < gang->count; i++) {
        struct gang_part *part = &gang->parts[i];
        part->leases.asked_ms = gang->kept_at_ms;
        for (size_t j = 0; j < part->leases.count; j++)
            part->leases.kept[j].ttl_ms = part->timeout_ms > 0 ? part->timeout_ms : -1;
    }
}

static void end_renewal(void *arg, const struct err *err, int64_t count)
{
    struct gang *gang = arg;
    bool is_ended = err == NULL ? count == 0 : err->kind == ERR_NOTOWNER;
    gang->has_lost = gang->has_lost || is_ended;
    if (err != NULL && !is_ended) {
        gang->has_failed = true;
        gang->err = *err;
    }
    if (--gang->renewals > 0)
        return;
    if (gang->is_gone) {
        fail_unwanted(gang);
    } else if (gang->has_failed) {
        struct err why = gang->err;
        fail(gang, &why);
    } else if (gang->has_lost) {
        begin_again(gang);
    } else {
        set_times(gang);
        finish(gang, NULL, gang->count);
    }
}

static void keep(struct gang *gang)
{
    gang->has_lost = false;
    gang->kept_at_ms = now_of(gang);
    for (int i = 0; i < gang->count; i++) {
        struct gang_part *part = &gang->parts[i];
        for (size_t j = 0; j < part->leases.count; j++) {
            struct lease lease = leases_at(&part->leases, j);
            gang->renewals++;
            leases_renew(part->pool, lease.resource, lease.token, part->timeout_ms, false,
                         end_renewal, gang);
        }
    }
}

/* --- taking --------------------------------------------------------------------------------------
 */

static void end_take(void *arg, const struct err *err, const struct leases *leases);

static void wait_in_line(struct gang *gang, const struct malloc_request *request, int64_t wait_ms)
{
    struct pool *pool = gang->order[gang->at]->pool;
    struct err err;
    if (waiters_can_take(pool->pools->waiters, &err))
        gang->waiter =
            waits_malloc(pool, request, wait_ms == NO_LIMIT ? 0 : wait_ms, end_take, gang);
    else
        fail(gang, &err);
}

static void take(struct gang *gang)
{
    const struct gang_part *part = gang->order[gang->at];
    int64_t wait_ms = line_ms(gang), time_ms = part_ms(gang, part);
    struct malloc_request request = {
        .mode = MALLOC_ALL, .count = part->count, .timeout_ms = time_ms, .owner = gang->owner};
    request.more = gang->with_data ? STR("D") : STR("");
    request.longest_ms = part->holding_ms > 0 ? part->holding_ms + time_ms : 0;
    if (wait_ms > 0)
        wait_in_line(gang, &request, wait_ms);
    else
        leases_malloc(part->pool, &request, end_take, gang);
}

static bool has(const struct gang *gang, int place)
{
    return gang->order[place]->leases.count > 0;
}

/* The part that it has waited for comes first. */
static void go_on(struct gang *gang)
{
    gang->at = gang->line;
    if (gang->at == NOBODYS || has(gang, gang->at)) {
        gang->at = 0;
        while (gang->at < gang->count && has(gang, gang->at))
            gang->at++;
    }
    if (gang->at < gang->count) {
        take(gang);
    } else {
        gang->at = gang->line >= 0 ? gang->line : 0; /* where it begins when one has ended */
        keep(gang);
    }
}

/* With the line of the part that could not be had, if it waits. */
static void begin_again(struct gang *gang)
{
    if (left_ms(gang) == 0) {
        fail_unwanted(gang);
        return;
    }
    give_back(gang);
    gang->rounds++;
    gang->line = gang->at;
    go_on(gang);
}

static void end_take(void *arg, const struct err *err, const struct leases *leases)
{
    struct gang *gang = arg;
    gang->waiter = NULL;
    bool is_over = err != NULL && err->kind == ERR_QUOTA && left_ms(gang) > 0;
    if (err != NULL && !is_over) {
        fail(gang, err);
        return;
    }
    if (is_over || leases->count == 0) {
        begin_again(gang);
        return;
    }
    leases_copy(leases, &gang->order[gang->at]->leases);
    if (gang->at == gang->line)
        gang->patient_until_ms = now_of(gang) + patience_ms(gang);
    if (gang->is_gone)
        fail_unwanted(gang);
    else
        go_on(gang);
}

/* --- the beginning -------------------------------------------------------------------------------
 */

static void put_in_order(struct gang *gang)
{
    for (int i = 0; i < gang->count; i++) {
        int at = i;
        for (; at > 0 && strcmp(gang->order[at - 1]->pool->name, gang->parts[i].pool->name) > 0;
             at--)
            gang->order[at] = gang->order[at - 1];
        gang->order[at] = &gang->parts[i];
    }
}

struct gang *gang_malloc(const struct gang_request *request, gang_done done, void *arg)
{
    size_t parts = (size_t)request->count * sizeof *request->parts;
    struct gang *gang = mem_zalloc(sizeof *gang + parts + request->owner.len);
    char *at = (char *)gang->parts + parts;
    memcpy(gang->parts, request->parts, parts);
    gang->owner = str_put(&at, request->owner);
    gang->count = request->count;
    gang->done = done;
    gang->arg = arg;
    gang->can_wait = request->can_wait;
    gang->with_data = request->with_data;
    gang->until_ms = request->wait_ms > 0 ? now_of(gang) + request->wait_ms : NO_LIMIT;
    gang->line = NOBODYS;
    for (int i = 0; i < gang->count; i++)
        gang->parts[i].pool->pending++;
    put_in_order(gang);
    go_on(gang);
    return gang;
}

void gang_gone(struct gang *gang)
{
    gang->is_gone = true;
    if (gang->waiter != NULL)
        waiter_gone(gang->waiter); /* ends in end_take(): the gang is gone */
}

void gang_refuse(struct gang *gang, const struct err *err)
{
    gang->refusal = *err;
    gang_gone(gang);
}

const struct waiter *gang_waiter(const struct gang *gang)
{
    return gang->waiter;
}

const struct gang_part *gang_parts(const struct gang *gang, int *count, struct str *owner)
{
    *count = gang->count;
    *owner = gang->owner;
    return gang->parts;
}
