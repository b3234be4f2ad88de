/* scale: see scale.h. */
#include "jobs/scale.h"
#include "base/mem.h"
#include "io/program.h"
#include "pool/scaling.h"
#include <inttypes.h>
#include <stdio.h>

#define LOOK_EACH_MS 1000
#define RETRY_MS     1000
#define MARGIN_MS                                                                   \
    10000 /* that Redis waits for the end of a run longer than the program may take \
           */
#define LONGEST_MS 600000 /* of the waits after failures */
#define MOST       1000   /* that come or go in one run */
#define MAX_OUTPUT (1024 * 1024)

enum state { IDLE, ASKING, RUNNING, ENDING, UNTOLD };

struct scale_job {
    struct scale *scale;
    char *pool;
    enum state state;
    int64_t due_ms; /* the next look, or the next try to tell */
    char run[64];
    bool is_up;
    struct program *program; /* while it is RUNNING */
    char *bytes;             /* what it printed, or is to dispose of: a name a line */
    size_t len;
    char error[sizeof((struct err *)NULL)->text];
};

/* --- the end of a run ----------------------------------------------------------------------------
 */

static void note_error(struct scale_job *job, const char *text)
{
    snprintf(job->error, sizeof job->error, "%s", text);
}

static void keep_bytes(struct scale_job *job, struct str bytes)
{
    mem_free(job->bytes);
    job->bytes = mem_dup(bytes);
    job->len = bytes.len;
}

/* The next line that is not blank. */
static bool next_name(struct str *rest, struct str *name)
{
    while (str_split(rest, '\n', name)) {
        *name = str_trim(*name);
        if (name->len > 0)
            return true;
    }
    return false;
}

/* NULL: there are none. */
static struct str *split_names(const struct scale_job *job, int *count)
{
    struct str rest = str_make(job->bytes, job->len), name, *names;
    *count = 0;
    while (next_name(&rest, &name))
        (*count)++;
    names = *count > 0 ? mem_array((size_t)*count, sizeof *names) : NULL;
    rest = str_make(job->bytes, job->len);
    for (int i = 0; i < *count; i++)
        (void)next_name(&rest, &names[i]);
    return names;
}

static void log_end(const struct scale_job *job, int64_t count, struct str error, int64_t wait_ms)
{
    const char *what = job->is_up ? "scale_up" : "scale_down";
    if (error.len > 0)
        log_text(job->scale->log, LOG_LEVEL_WARNING, "scale-failed",
                 "pool %s: %s: %.*s; not again for %" PRId64 " ms", job->pool, what, PRSTR(error),
                 wait_ms);
    else
        log_text(job->scale->log, LOG_LEVEL_INFO, "scaled", "pool %s: %s: %" PRId64 " resources",
                 job->pool, what, count);
}

static void end_finish(void *arg, const struct err *err, const struct answer *answer)
{
    struct scale_job *job = arg;
    if (err != NULL) {
        log_text(job->scale->log, LOG_LEVEL_WARNING, "scale-not-told", "pool %s: %s", job->pool,
                 err->text);
        job->state = UNTOLD;
        job->due_ms = clock_ms(job->scale->clock) + RETRY_MS;
        return;
    }
    log_end(job, answer_int(answer_at(answer, 0), 0), answer_str(answer_at(answer, 1)),
            answer_int(answer_at(answer, 2), 0));
    mem_free(job->bytes);
    job->bytes = NULL;
    job->len = 0;
    job->run[0] = '\0';
    job->state = IDLE;
    job->due_ms = clock_ms(job->scale->clock);
}

static void finish(struct scale_job *job)
{
    struct err err;
    struct pool *pool = pools_get(job->scale->pools, str_of(job->pool), &err);
    if (pool == NULL) {
        end_finish(job, &err, answer_none());
        return;
    }
    struct scaling_end end = {.run = str_of(job->run),
                              .is_up = job->is_up,
                              .error = str_of(job->error),
                              .cooldown_ms = pool->config->scale_cooldown_ms,
                              .longest_ms = LONGEST_MS,
                              .max_size = pool->config->max_size};
    struct str *names = split_names(job, &end.count);
    end.resources = names;
    job->state = ENDING;
    scaling_finish(pool, &end, end_finish, job);
    mem_free(names);
}

/* What it printed is taken as a whole, or not at all. */
static void check_names(struct scale_job *job)
{
    struct err err;
    int count;
    struct pool *pool = pools_get(job->scale->pools, str_of(job->pool), &err);
    struct str *names = split_names(job, &count);
    int64_t most = job->scale->pools->config->server.max_resources;
    bool is_good = pool != NULL;
    for (int i = 0; i < count && is_good; i++)
        is_good = pool_keys_check_resource(&pool->keys, names[i], &err);
    mem_free(names);
    if (!is_good)
        note_error(job, err.text);
    else if (count == 0)
        note_error(job, "it printed no resource");
    else if (count > most)
        snprintf(job->error, sizeof job->error,
                 "it printed %d resources, at most %" PRId64 " are allowed (max_resources)", count,
                 most);
    if (job->error[0] != '\0')
        keep_bytes(job, STR(""));
}

static void on_program_end(void *arg, const struct program_outcome *outcome)
{
    struct scale_job *job = arg;
    job->program = NULL;
    program_explain(outcome, job->error, sizeof job->error);
    if (job->is_up && job->error[0] == '\0') {
        keep_bytes(job, outcome->output);
        check_names(job);
    }
    finish(job);
}

/* --- its start -----------------------------------------------------------------------------------
 */

enum { WHAT, WANTED, FREE, TOTAL, WAITERS, RESOURCES }; /* see lua/pool/scale_begin.lua */

static void run(struct scale_job *job, const struct pool *pool, const struct answer *answer)
{
    const char *command = job->is_up ? pool->config->scale_up : pool->config->scale_down;
    static const char *const names[] = {"WANTED", "FREE", "TOTAL", "WAITERS"};
    char *environment[6] = {mem_printf("RALLOCD_POOL=%s", job->pool)};
    int64_t wanted = answer_int(answer_at(answer, WANTED), 0);
    for (size_t i = 0; i < 4; i++)
        environment[1 + i] =
            mem_printf("%s=%" PRId64, names[i], answer_int(answer_at(answer, WANTED + i), 0));
    const struct program_spec spec = {.command = command + strlen("exec:"),
                                      .input = str_make(job->bytes, job->len),
                                      .max_output = MAX_OUTPUT,
                                      .timeout_ms = pool->config->scale_timeout_ms,
                                      .environment = (const char *const *)environment};
    log_text(job->scale->log, LOG_LEVEL_INFO, "scaling", "pool %s: %s of %" PRId64, job->pool,
             job->is_up ? "scale_up" : "scale_down", wanted);
    job->state = RUNNING;
    job->program = program_run(job->scale->base, &spec, on_program_end, job);
    for (size_t i = 0; i < 5; i++)
        mem_free(environment[i]);
}

static void keep_names(struct scale_job *job, const struct answer *answer)
{
    size_t len = 0;
    for (size_t i = RESOURCES; i < answer_count(answer); i++)
        len += answer_str(answer_at(answer, i)).len + 1;
    mem_free(job->bytes);
    job->bytes = mem_alloc(len + 1);
    job->len = len;
    char *at = job->bytes;
    for (size_t i = RESOURCES; i < answer_count(answer); i++) {
        str_put(&at, answer_str(answer_at(answer, i)));
        str_put(&at, STR("\n"));
    }
}

static void end_begin(void *arg, const struct err *err, const struct answer *answer)
{
    struct scale_job *job = arg;
    struct str what = answer_str(answer_at(answer, WHAT));
    struct err refused;
    struct pool *pool = pools_get(job->scale->pools, str_of(job->pool), &refused);
    bool may_run = err == NULL && (str_eq(what, STR("u")) || str_eq(what, STR("d")));
    job->state = IDLE;
    job->due_ms = clock_ms(job->scale->clock) + LOOK_EACH_MS;
    if (!may_run) {
        if (err == NULL)
            job->run[0] = '\0';
        return;
    }
    job->is_up = what.ptr[0] == 'u';
    job->error[0] = '\0';
    keep_names(job, answer);
    if (pool == NULL || job->scale->is_stopping) {
        note_error(job, pool == NULL ? refused.text : "the daemon stops");
        finish(job);
        return;
    }
    run(job, pool, answer);
}

/* The same run is asked for until there is an answer: what Redis has granted it unheard is its own.
 */
static void begin(struct scale_job *job, struct pool *pool)
{
    const struct pool_config *config = pool->config;
    struct scaling_limits limits = {.min_free = config->scale_up[0] != '\0' ? config->min_free : 0,
                                    .max_free =
                                        config->scale_down[0] != '\0' ? config->max_free : 0,
                                    .max_size = config->max_size,
                                    .most = MOST,
                                    .time_ms = config->scale_timeout_ms + MARGIN_MS};
    if (job->run[0] == '\0')
        snprintf(job->run, sizeof job->run, "%.*s %" PRIu64, PRSTR(job->scale->daemon),
                 ++job->scale->last_run);
    job->state = ASKING;
    scaling_begin(pool, str_of(job->run), &limits, end_begin, job);
}

/* --- which pools ---------------------------------------------------------------------------------
 */

static bool is_scaled(const struct pool *pool)
{
    const struct pool_config *config = pool->config;
    return (config->min_free > 0 && config->scale_up[0] != '\0') ||
           (config->max_free > 0 && config->scale_down[0] != '\0');
}

static struct scale_job *job_of(struct scale *scale, const struct pool *pool)
{
    struct scale_job *job = map_get(&scale->jobs, str_of(pool->name));
    if (job != NULL)
        return job;
    job = mem_zalloc(sizeof *job);
    job->scale = scale;
    job->pool = mem_dup(str_of(pool->name));
    map_put(&scale->jobs, str_of(pool->name), job);
    return job;
}

static void free_job(struct scale_job *job)
{
    program_cancel(job->program);
    mem_free(job->pool);
    mem_free(job->bytes);
    mem_free(job);
}

/* Tells again what Redis has not heard; forgets one of those that have nothing to do any more. */
static void look_over(struct scale *scale, int64_t now_ms)
{
    struct scale_job *idle = NULL;
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&scale->jobs, &at, &name, &value);) {
        struct scale_job *job = value;
        const struct pool *pool = pools_find(scale->pools, name);
        if (job->state == UNTOLD && now_ms >= job->due_ms)
            finish(job);
        else if (job->state == IDLE && (pool == NULL || !is_scaled(pool)))
            idle = job;
    }
    if (idle != NULL) {
        map_remove(&scale->jobs, str_of(idle->pool));
        free_job(idle);
    }
}

void scale_tick(struct scale *scale)
{
    int64_t now_ms = clock_ms(scale->clock);
    if (scale->is_stopping)
        return;
    list_each (node, &scale->pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        if (!pool->is_leading || !is_scaled(pool))
            continue;
        struct scale_job *job = job_of(scale, pool);
        if (job->state == IDLE && now_ms >= job->due_ms)
            begin(job, pool);
    }
    look_over(scale, now_ms);
}

/* --- life ----------------------------------------------------------------------------------------
 */

void scale_init(struct scale *scale, struct pools *pools, struct event_base *base,
                struct str daemon, struct rand *rand)
{
    unsigned char seed[16];
    *scale = (struct scale){
        .pools = pools, .base = base, .clock = pools->clock, .log = pools->log, .daemon = daemon};
    rand_bytes(rand, seed, sizeof seed);
    map_init(&scale->jobs, seed);
}

void scale_stop(struct scale *scale)
{
    struct str name;
    void *value;
    scale->is_stopping = true;
    for (size_t at = 0; map_next(&scale->jobs, &at, &name, &value);) {
        struct scale_job *job = value;
        if (job->state == RUNNING) {
            program_cancel(job->program);
            job->program = NULL;
            note_error(job, "the daemon stops");
        }
        if (job->state == RUNNING || job->state == UNTOLD)
            finish(job);
    }
}

void scale_clear(struct scale *scale)
{
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&scale->jobs, &at, &name, &value);)
        free_job(value);
    map_clear(&scale->jobs);
}
