/* prober: see prober.h. */
#include "jobs/prober.h"
#include "base/mem.h"
#include "io/tls.h"
#include <inttypes.h>

#define SCAN_COUNT    1000 /* names that one call of the SCAN asks for, at most one call a tick */
#define SCAN_RETRY_MS 1000
#define PASS_MIN_MS   1000
#define REFRESH_MS    60000 /* what has not changed is told again so late, at the latest */
#define SUMMARY_MS    5000
#define REPORTS_MAX   200 /* in one call */
#define MAX_PERCENT   100

/* What Redis is to be told of one resource. */
struct report {
    struct list_node node;
    bool is_ill;
    int64_t latency_us;
    size_t name_len;
    char text[CHECK_TEXT];
    char name[];
};

static int64_t now_of(const struct prober *prober)
{
    return clock_ms(prober->probes->clock);
}

static struct str name_of(const struct target *target)
{
    return str_make(target->name, target->name_len);
}

static struct target *target_of(struct alarm *alarm)
{
    return list_entry(alarm, struct target, due);
}

/* --- too many ill ones ---------------------------------------------------------------------------
 */

static void hold(struct prober *prober, bool is_held)
{
    prober->probes->held -= prober->is_held;
    prober->probes->held += is_held;
    prober->is_held = is_held;
}

static void judge_all(struct prober *prober)
{
    size_t total = prober->targets.count;
    int64_t max = prober->pool->config->max_unhealthy;
    bool is_held = (int64_t)(prober->ill * MAX_PERCENT) > max * (int64_t)total;
    if (is_held == prober->is_held)
        return;
    hold(prober, is_held);
    if (is_held)
        log_text(prober->probes->log, LOG_LEVEL_ERROR, "probes-held",
                 "pool %s: %zu of %zu resources are ill at once, more than %" PRId64
                 " percent (max_unhealthy): nothing more is quarantined, for that may well be our "
                 "own network",
                 prober->pool->name, prober->ill, total, max);
    else
        log_text(prober->probes->log, LOG_LEVEL_WARNING, "probes-freed",
                 "pool %s: %zu of %zu resources are ill: quarantined again", prober->pool->name,
                 prober->ill, total);
}

static void become(struct target *target, enum health health)
{
    struct prober *prober = target->prober;
    prober->healthy -= target->health == HEALTH_HEALTHY;
    prober->ill -= target->health == HEALTH_ILL;
    target->health = health;
    prober->healthy += health == HEALTH_HEALTHY;
    prober->ill += health == HEALTH_ILL;
    judge_all(prober);
}

/* --- what there is to check ----------------------------------------------------------------------
 */

/* The round has one fewer to wait for. */
static void count_in_round(struct prober *prober)
{
    if (--prober->round_left > 0)
        return;
    int64_t now_ms = now_of(prober);
    prober->round_ms = now_ms - prober->round_started_ms;
    prober->round_started_ms = now_ms;
    prober->round_left = prober->targets.count;
    prober->round++;
}

static void add_target(struct prober *prober, struct str name)
{
    struct target *target = mem_zalloc(sizeof *target + name.len);
    int64_t interval_ms = prober->pool->config->probe_interval_ms;
    target->prober = prober;
    target->name_len = name.len;
    memcpy(target->name, name.ptr, name.len);
    target->round = prober->round - 1;
    prober->round_left++;
    map_put(&prober->targets, name, target);
    alarm_set(&prober->due, &target->due,
              now_of(prober) +
                  (int64_t)rand_below(prober->probes->rand, (uint64_t)interval_ms + 1));
    target->pass = prober->pass;
}

static void stop_check(struct target *target)
{
    if (target->check == NULL)
        return;
    target->prober->probes->runner.stop(target->check);
    target->check = NULL;
    target->prober->running--;
    target->prober->probes->running--;
}

static void drop_target(struct prober *prober, struct target *target)
{
    stop_check(target);
    alarm_stop(&prober->due, &target->due);
    map_remove(&prober->targets, name_of(target));
    become(target, HEALTH_UNKNOWN);
    if (prober->targets.count == 0)
        prober->round_left = 0;
    else if (target->round != prober->round)
        count_in_round(prober);
    mem_free(target);
}

/* A pass of the SCAN is over: who has not been seen has left the pool. */
static void end_pass(struct prober *prober)
{
    struct str name;
    void *value;
    struct target **gone = mem_array(prober->targets.count, sizeof(struct target *));
    size_t count = 0;
    for (size_t at = 0; map_next(&prober->targets, &at, &name, &value);) {
        struct target *target = value;
        if (target->pass != prober->pass)
            gone[count++] = target;
    }
    for (size_t i = 0; i < count; i++)
        drop_target(prober, gone[i]);
    mem_free(gone);
}

static bool is_gone(struct prober *prober)
{
    if (!prober->is_over)
        return false;
    if (!prober->is_scanning && !prober->is_reporting)
        prober_free(prober);
    return true;
}

static void end_scan(void *arg, const struct err *err, const struct answer *answer)
{
    struct prober *prober = arg;
    struct str cursor = answer_str(answer_at(answer, 0));
    const struct answer *pairs = answer_at(answer, 1);
    int64_t now_ms = now_of(prober), interval_ms = prober->pool->config->probe_interval_ms;
    prober->is_scanning = false;
    if (is_gone(prober))
        return;
    if (err != NULL || cursor.len == 0 || cursor.len >= sizeof prober->cursor) {
        prober->scan_due_ms = now_ms + SCAN_RETRY_MS;
        return;
    }
    for (size_t i = 0; i + 1 < answer_count(pairs); i += 2) {
        struct str name = answer_str(answer_at(pairs, i));
        struct target *target = map_get(&prober->targets, name);
        if (target != NULL)
            target->pass = prober->pass;
        else if (name.len > 0)
            add_target(prober, name);
    }
    memcpy(prober->cursor, cursor.ptr, cursor.len);
    prober->cursor[cursor.len] = '\0';
    prober->scan_due_ms = now_ms;
    if (!str_eq(cursor, STR("0")))
        return;
    end_pass(prober);
    prober->scan_due_ms =
        prober->pass_started_ms + (interval_ms > PASS_MIN_MS ? interval_ms : PASS_MIN_MS);
}

static void scan(struct prober *prober)
{
    if (prober->is_scanning || now_of(prober) < prober->scan_due_ms)
        return;
    if (strcmp(prober->cursor, "0") == 0) {
        prober->pass++;
        prober->pass_started_ms = now_of(prober);
    }
    prober->is_scanning = true;
    members_scan(prober->pool, str_of(prober->cursor), SCAN_COUNT, end_scan, prober);
}

/* --- telling -------------------------------------------------------------------------------------
 */

static void add_report(struct target *target, const char *text, int64_t latency_us)
{
    struct report *report = mem_zalloc(sizeof *report + target->name_len);
    report->is_ill = target->health == HEALTH_ILL;
    report->latency_us = latency_us;
    report->name_len = target->name_len;
    memcpy(report->name, target->name, target->name_len);
    memcpy(report->text, text, strnlen(text, sizeof report->text - 1));
    list_push(&target->prober->reports, &report->node);
    target->reported = target->health;
    target->reported_ms = now_of(target->prober);
}

/* An ill one is quarantined for unhealthy_timeout, and has to be told again before that is over. */
static int64_t refresh_ms(const struct prober *prober)
{
    int64_t half_ms = prober->pool->config->unhealthy_timeout_ms / 2;
    return half_ms > 0 && half_ms < REFRESH_MS ? half_ms : REFRESH_MS;
}

static void report_if_due(struct target *target, const char *text, int64_t latency_us)
{
    struct prober *prober = target->prober;
    bool is_news = target->health != target->reported;
    if (target->health == HEALTH_UNKNOWN ||
        (is_news && target->health == HEALTH_ILL && prober->is_held))
        return;
    if (is_news || now_of(prober) - target->reported_ms >= refresh_ms(prober))
        add_report(target, text, latency_us);
}

/* It is told again with the next result. */
static void forget_report(struct prober *prober, const struct report *report)
{
    struct target *target = map_get(&prober->targets, str_make(report->name, report->name_len));
    if (target != NULL)
        target->reported = HEALTH_UNKNOWN;
}

/* Those of one call; `first` is the prober's, for its end. */
struct telling {
    struct prober *prober;
    int count;
    struct report *reports[REPORTS_MAX];
};

static void end_telling(void *arg, const struct err *err, const struct answer *answer)
{
    struct telling *telling = arg;
    struct prober *prober = telling->prober;
    bool is_lost = err != NULL || answer_is_error(answer);
    prober->is_reporting = false;
    for (int i = 0; i < telling->count; i++) {
        if (is_lost && !prober->is_over)
            forget_report(prober, telling->reports[i]);
        mem_free(telling->reports[i]);
    }
    mem_free(telling);
    if (is_gone(prober))
        return;
    if (is_lost)
        log_text(prober->probes->log, LOG_LEVEL_WARNING, "probes-not-told", "pool %s: %s",
                 prober->pool->name, err != NULL ? err->text : "the script failed");
    else if (answer_int(answer, 0) < 0)
        prober->pool->leads_until_ms = 0; /* another daemon leads it, and probes */
}

static void print_summary(const struct prober *prober, char *out, size_t size)
{
    static const char *const kinds[] = {"none", "tcp", "http", "resp", "exec"};
    size_t unknown = prober->targets.count - prober->healthy - prober->ill;
    snprintf(out, size, "%s %zu %zu %zu %" PRId64 " %d %s", kinds[prober->pool->config->probe],
             prober->healthy, prober->ill, unknown, prober->round_ms, prober->is_held,
             prober->trouble);
}

static void tell(struct prober *prober)
{
    struct members_probed probed[REPORTS_MAX];
    char summary[300];
    int64_t now_ms = now_of(prober);
    if (prober->is_reporting ||
        (list_is_empty(&prober->reports) && now_ms < prober->summary_due_ms))
        return;
    struct telling *telling = mem_zalloc(sizeof *telling);
    telling->prober = prober;
    struct list_node *node;
    while (telling->count < REPORTS_MAX && (node = list_pop(&prober->reports)) != NULL) {
        struct report *report = list_entry(node, struct report, node);
        probed[telling->count] =
            (struct members_probed){.resource = str_make(report->name, report->name_len),
                                    .text = str_of(report->text),
                                    .is_ill = report->is_ill,
                                    .latency_us = report->latency_us};
        telling->reports[telling->count++] = report;
    }
    print_summary(prober, summary, sizeof summary);
    prober->is_reporting = true;
    prober->summary_due_ms = now_ms + SUMMARY_MS;
    members_probed(prober->pool, prober->pool->config->unhealthy_timeout_ms, str_of(summary),
                   probed, telling->count, end_telling, telling);
}

/* --- checks --------------------------------------------------------------------------------------
 */

static void log_change(const struct target *target, const char *text)
{
    const struct prober *prober = target->prober;
    bool is_ill = target->health == HEALTH_ILL;
    char name[200];
    str_printable(name_of(target), name, sizeof name);
    log_line(prober->probes->log, is_ill ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
             is_ill ? "probe-ill" : "probe-healthy", "pool", prober->pool->name, "resource", name,
             "result", text, NULL);
}

/* So many like it in a row decide. */
static void judge(struct target *target, bool is_good, const char *text)
{
    const struct pool_config *config = target->prober->pool->config;
    struct probes *probes = target->prober->probes;
    enum health wanted = is_good ? HEALTH_HEALTHY : HEALTH_ILL, was = target->health;
    unsigned needed = (unsigned)(is_good ? config->probe_rise : config->probe_fall);
    if (is_good != target->was_good)
        target->in_a_row = 0;
    target->was_good = is_good;
    if (target->in_a_row < needed)
        target->in_a_row++;
    if (target->health == wanted || target->in_a_row < needed)
        return;
    become(target, wanted);
    if (wanted == HEALTH_ILL || was == HEALTH_ILL) {
        probes->counters.fallen += wanted == HEALTH_ILL;
        probes->counters.risen += wanted == HEALTH_HEALTHY;
        log_change(target, text);
    }
}

static int64_t next_delay_ms(const struct prober *prober)
{
    const struct pool_config *config = prober->pool->config;
    int64_t spread_ms = config->probe_interval_ms * config->probe_jitter / MAX_PERCENT;
    return config->probe_interval_ms - spread_ms +
           (int64_t)rand_below(prober->probes->rand, (uint64_t)(2 * spread_ms + 1));
}

static void start_due(struct prober *prober);

static void end_check(void *arg, bool is_good, const char *text, int64_t latency_us)
{
    struct target *target = arg;
    struct prober *prober = target->prober;
    struct probes *probes = prober->probes;
    target->check = NULL;
    prober->running--;
    probes->running--;
    probes->counters.checks++;
    probes->counters.failures += !is_good;
    judge(target, is_good, text);
    report_if_due(target, text, latency_us);
    if (target->round != prober->round) {
        target->round = prober->round;
        count_in_round(prober);
    }
    alarm_set(&prober->due, &target->due, now_of(prober) + next_delay_ms(prober));
    start_due(prober);
}

static void start_check(struct prober *prober, struct target *target)
{
    const struct pool_config *config = prober->pool->config;
    struct check_runner *runner = &prober->probes->runner;
    char *name = mem_dup(name_of(target));
    struct check_spec spec = {.kind = (enum check_kind)config->probe,
                              .subject = name,
                              .target = config->probe_target,
                              .send = config->probe_send,
                              .expect = config->probe_expect,
                              .timeout_ms = config->probe_timeout_ms,
                              .tls = prober->tls};
    prober->running++;
    prober->probes->running++;
    target->check = runner->start(runner->arg, &spec, end_check, target);
    mem_free(name);
}

/* Only this prober's own: the pool may have come to another daemon since the last tick. */
static void start_due(struct prober *prober)
{
    int64_t now_ms = now_of(prober);
    size_t max = (size_t)prober->pool->config->probe_concurrency;
    if (prober->trouble[0] != '\0' || !pool_leads(prober->pool))
        return;
    while (prober->running < max && prober->due.count > 0 && prober->due.heap[1]->at_ms <= now_ms) {
        struct alarm *first = prober->due.heap[1];
        alarm_stop(&prober->due, first);
        start_check(prober, target_of(first));
    }
}

/* --- settings ------------------------------------------------------------------------------------
 */

static bool has_status_list(const struct pool_config *config)
{
    return config->probe_expect[0] == '\0' || check_is_status_list(config->probe_expect);
}

/* The certificates are read where https is possible. */
static void set_up_https(struct prober *prober)
{
    const struct pool_config *config = prober->pool->config;
    struct err err;
    if (str_starts(str_of(config->probe_target), STR("http://")))
        return;
    prober->tls = tls_client_new(config->tls_ca, config->is_trusting, &err);
    if (prober->tls == NULL)
        snprintf(prober->trouble, sizeof prober->trouble, "%.199s", err.text);
}

static void find_trouble(struct prober *prober)
{
    const struct pool_config *config = prober->pool->config;
    const char *trouble = "";
    if (config->probe == CHECK_EXEC && config->probe_target[0] == '{')
        trouble = "probe = exec wants a program in probe_target";
    else if (config->probe == CHECK_HTTP && !has_status_list(config))
        trouble = "probe = http wants statuses such as 200-299,304 in probe_expect";
    snprintf(prober->trouble, sizeof prober->trouble, "%s", trouble);
    if (config->probe == CHECK_HTTP && trouble[0] == '\0')
        set_up_https(prober);
    if (prober->trouble[0] != '\0')
        log_line(prober->probes->log, LOG_LEVEL_ERROR, "probes-impossible", "pool",
                 prober->pool->name, "why", prober->trouble, NULL);
}

/* With other settings what was found out says nothing any more. */
static void follow_settings(struct prober *prober)
{
    const struct pool_config *config = prober->pool->config;
    struct str name;
    void *value;
    char *settings =
        mem_printf("%u %s\n%s\n%s\n%s\n%d", config->probe, config->probe_target, config->probe_send,
                   config->probe_expect, config->tls_ca, config->is_trusting);
    bool is_same = prober->settings != NULL && strcmp(settings, prober->settings) == 0;
    if (is_same) {
        mem_free(settings);
        return;
    }
    mem_free(prober->settings);
    prober->settings = settings;
    for (size_t at = 0; map_next(&prober->targets, &at, &name, &value);) {
        struct target *target = value;
        bool was_running = target->check != NULL;
        become(target, HEALTH_UNKNOWN);
        target->reported = HEALTH_UNKNOWN;
        target->in_a_row = 0;
        stop_check(target);
        if (was_running)
            alarm_set(&prober->due, &target->due, now_of(prober));
    }
    tls_client_free(prober->tls);
    prober->tls = NULL;
    find_trouble(prober);
}

/* -------------------------------------------------------------------------------------------------
 */

struct prober *prober_new(struct probes *probes, struct pool *pool)
{
    unsigned char seed[16];
    struct prober *prober = mem_zalloc(sizeof *prober);
    int64_t now_ms = clock_ms(probes->clock);
    *prober = (struct prober){.probes = probes,
                              .pool = pool,
                              .cursor = "0",
                              .scan_due_ms = now_ms,
                              .round = 1,
                              .round_started_ms = now_ms,
                              .round_ms = -1};
    rand_bytes(probes->rand, seed, sizeof seed);
    map_init(&prober->targets, seed);
    list_init(&prober->reports);
    list_push(&probes->probers, &prober->node);
    pool->pending++; /* it is not forgotten meanwhile */
    return prober;
}

void prober_tick(struct prober *prober)
{
    follow_settings(prober);
    judge_all(prober);
    scan(prober);
    start_due(prober);
    tell(prober);
}

static void forget_all(struct prober *prober)
{
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&prober->targets, &at, &name, &value);) {
        stop_check(value);
        mem_free(value);
    }
    map_clear(&prober->targets);
    alarms_clear(&prober->due);
    for (struct list_node *node; (node = list_pop(&prober->reports)) != NULL;)
        mem_free(list_entry(node, struct report, node));
    prober->healthy = prober->ill = 0;
    hold(prober, false);
}

void prober_end(struct prober *prober)
{
    forget_all(prober);
    prober->pool->pending--;
    prober->pool->prober = NULL;
    prober->is_over = true;
    (void)is_gone(prober);
}

void prober_free(struct prober *prober)
{
    if (!prober->is_over) {
        forget_all(prober);
        prober->pool->pending--;
        prober->pool->prober = NULL;
    }
    list_remove(&prober->probes->probers, &prober->node);
    tls_client_free(prober->tls);
    mem_free(prober->settings);
    mem_free(prober);
}
