/* rules: see rules.h. */
#include "pool/rules.h"
#include "base/mem.h"
#include "pool/packed.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* A rule that is a number: off when that is 0. */
static const struct {
    const char *name; /* in lua/pool/rule.lua */
    size_t offset;    /* int64_t in struct pool_config */
} numbers[] = {
    {"rest", offsetof(struct pool_config, rest_ms)},
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0], RULE_MAX = 64 };

char *rules_text(const struct pool_config *config)
{
    size_t size = NUMBERS * RULE_MAX + 1, at = 0;
    char *text = mem_zalloc(size);
    for (size_t i = 0; i < NUMBERS; i++) {
        const int64_t *n = (const void *)((const char *)config + numbers[i].offset);
        if (*n != 0)
            at += (size_t)snprintf(text + at, size - at, "%s%s=%" PRId64, at > 0 ? " " : "",
                                   numbers[i].name, *n);
    }
    return text;
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
