/* rules: see rules.h. */
#include "pool/rules.h"
#include "base/mem.h"
#include "base/num.h"
#include "pool/packed.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum rule_type {
    RULE_NUMBER, /* int64_t; off when it is 0 or `off` */
    /* char *; off when empty or NULL: */
    RULE_FLAG, /* on, whatever it says */
    RULE_WORD, /* off when it is "fifo", and in shared pools */
    RULE_LIST, /* written without blanks */
    RULE_RATE  /* as num_parse_rate() takes it: "<span in us>/<count>" */
};

#define AT(field) offsetof(struct pool_config, field)

enum { ALWAYS = 0, HALF_LIFE_MS = 300000 /* as lua/pool/outcome.lua has it */ };

static const struct {
    const char *name; /* in lua/pool/rule.lua */
    enum rule_type type;
    size_t offset; /* in struct pool_config */
    int64_t off;
    size_t needs; /* of another number, without which it means nothing */
} rows[] = {
    {"rest", RULE_NUMBER, AT(rest_ms), 0, ALWAYS},
    {"clean", RULE_FLAG, AT(on_free), 0, ALWAYS},
    {"capacity", RULE_NUMBER, AT(capacity), 1, ALWAYS},
    {"rate", RULE_RATE, AT(rate), 0, ALWAYS},
    {"pool_rate", RULE_RATE, AT(pool_rate), 0, ALWAYS},
    {"max_lease", RULE_NUMBER, AT(max_lease_ms), 0, ALWAYS},
    {"max_per_owner", RULE_NUMBER, AT(max_per_owner), 0, ALWAYS},
    {"breaker", RULE_NUMBER, AT(breaker), 0, ALWAYS},
    {"breaker_rest", RULE_NUMBER, AT(breaker_rest_ms), 0, AT(breaker)},
    {"half_life", RULE_NUMBER, AT(half_life_ms), HALF_LIFE_MS, ALWAYS},
    {"order", RULE_WORD, AT(order), 0, ALWAYS},
    {"fair_age", RULE_NUMBER, AT(fair_age_ms), 0, ALWAYS},
    {"shares", RULE_LIST, AT(shares), 0, AT(fair_age_ms)},
};

enum { ROWS = sizeof rows / sizeof rows[0], RULE_MAX = 64, LIST_MAX = 4096 };

static int64_t number_at(const struct pool_config *config, size_t offset)
{
    return *(const int64_t *)(const void *)((const char *)config + offset);
}

/* "" for none. */
static const char *text_at(const struct pool_config *config, size_t offset)
{
    const char *text = *(char *const *)(const void *)((const char *)config + offset);
    return text != NULL ? text : "";
}

static size_t write_number(const struct pool_config *config, size_t i, char *out, size_t size)
{
    int64_t n = number_at(config, rows[i].offset);
    if (n == 0 || n == rows[i].off)
        return 0;
    return (size_t)snprintf(out, size, " %s=%" PRId64, rows[i].name, n);
}

/* After its name, without the blanks that may be in it. */
static size_t write_list(const struct pool_config *config, size_t i, char *out, size_t size)
{
    const char *text = text_at(config, rows[i].offset);
    if (text[0] == '\0')
        return 0;
    size_t at = (size_t)snprintf(out, size, " %s=", rows[i].name);
    for (; *text != '\0' && at + 1 < size; text++)
        if (*text != ' ' && *text != '\t')
            out[at++] = *text;
    return at;
}

static size_t write_text(const struct pool_config *config, size_t i, char *out, size_t size)
{
    const char *text = text_at(config, rows[i].offset);
    int64_t count, span_us;
    if (text[0] == '\0')
        return 0;
    if (rows[i].type == RULE_FLAG)
        return (size_t)snprintf(out, size, " %s=1", rows[i].name);
    if (rows[i].type == RULE_WORD && (config->is_shared || strcmp(text, "fifo") == 0))
        return 0;
    if (rows[i].type == RULE_WORD)
        return (size_t)snprintf(out, size, " %s=%s", rows[i].name, text);
    if (!num_parse_rate(str_of(text), &count, &span_us))
        return 0;
    return (size_t)snprintf(out, size, " %s=%" PRId64 "/%" PRId64, rows[i].name, span_us, count);
}

/* Writes one rule with a blank before it; nothing when it is off. */
static size_t write_rule(const struct pool_config *config, size_t i, char *out, size_t size)
{
    if (rows[i].needs != ALWAYS && number_at(config, rows[i].needs) == 0)
        return 0;
    if (rows[i].type == RULE_NUMBER)
        return write_number(config, i, out, size);
    return (rows[i].type == RULE_LIST ? write_list : write_text)(config, i, out, size);
}

char *rules_text(const struct pool_config *config)
{
    char text[ROWS * RULE_MAX + LIST_MAX] = "";
    size_t at = 0;
    for (size_t i = 0; i < ROWS; i++)
        at += write_rule(config, i, text + at, sizeof text - at);
    return mem_dup(str_trim(str_make(text, at)));
}

static void end_tell(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct err err;
    packed->pool->are_rules_told = packed_check(packed, failure, answer, &err);
    packed_free(packed);
}

static void send(struct pool *pool)
{
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_SET_RULES, end_tell, 2, strlen(pool->rules));
    packed_put(packed, str_of(pool->rules));
    packed_put_literal(packed, STR(""));
    packed_send(packed, &pool->lane);
}

void rules_configure(struct pool *pool)
{
    bool has_section = map_get(&pool->pools->config->pools, str_of(pool->name)) != NULL;
    char *old = pool->rules, *text = rules_text(pool->config);
    bool has_rules = text[0] != '\0', had_rules = old != NULL && old[0] != '\0';
    if (old == NULL || strcmp(old, text) != 0) {
        pool->rules = has_section || has_rules || had_rules ? mem_dup(str_of(text)) : NULL;
        pool->are_rules_told = false;
        if (has_rules || had_rules) /* else a collection sees whether there are any to end */
            send(pool);
        mem_free(old);
    }
    mem_free(text);
}

/* Without what POOL PAUSE has added. */
static struct str settings_of(struct str text)
{
    struct str paused = STR("paused=1");
    if (text.len >= paused.len &&
        str_eq(str_make(text.ptr + text.len - paused.len, paused.len), paused))
        text.len -= paused.len;
    return str_trim(text);
}

void rules_found(struct pool *pool, struct str text)
{
    struct str found = settings_of(text);
    if (pool->rules == NULL || str_eq(found, str_of(pool->rules))) {
        pool->are_rules_others = false;
    } else if (found.len == 0 || !pool->are_rules_told) {
        send(pool);
    } else if (!pool->are_rules_others) {
        char shown[200];
        str_printable(found, shown, sizeof shown);
        log_line(pool->pools->log, LOG_LEVEL_WARNING, "rules-replaced", "pool", pool->name, "rules",
                 shown, "ours", pool->rules, NULL);
        pool->are_rules_others = true;
    }
}
