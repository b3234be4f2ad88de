/* history: see history.h. */
#include "tests/sim/history.h"
#include "base/mem.h"
#include <inttypes.h>
#include <stdio.h>

void history_init(struct history *history, struct world *world)
{
    *history = (struct history){.world = world};
}

void history_clear(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        mem_free(history->holds[i]);
    mem_free(history->holds);
    *history = (struct history){0};
}

static void compare(struct history *history, const struct hold *old, const struct hold *new)
{
    if (old->pool != new->pool || history->is_overlap_allowed)
        return;
    /* until_us is the instant of the end in both: a lease lives through its last millisecond */
    if (old->until_us < new->from_us || new->until_us < old->from_us)
        return;
    if (strcmp(old->resource, new->resource) == 0)
        world_fail(history->world,
                   "pool %d: %s granted to %d at %.3f ms (%s) while %d holds it from %.3f ms (%s) "
                   "until %.3f ms",
                   new->pool, new->resource, new->who, (double)new->from_us / 1000, new->token,
                   old->who, (double)old->from_us / 1000, old->token,
                   old->until_us == FOR_EVER ? 1e99 : (double)old->until_us / 1000);
    if (new->reqid[0] != '\0' && strcmp(old->reqid, new->reqid) == 0 &&
        old->from_us != new->from_us)
        world_fail(history->world, "pool %d: request %s has two leases: %s (%s) and %s (%s)",
                   new->pool, new->reqid, old->resource, old->token, new->resource, new->token);
}

static void put(char *out, size_t size, struct str text)
{
    snprintf(out, size, "%.*s", PRSTR(text));
}

/* The hold that has this one's token. */
static struct hold *find_token(struct history *history, const struct hold *hold)
{
    for (size_t i = 0; i < history->count; i++) {
        struct hold *old = history->holds[i];
        if (old->pool != hold->pool || strcmp(old->token, hold->token) != 0)
            continue;
        if (strcmp(old->resource, hold->resource) != 0)
            world_fail(history->world, "token %s goes with %s and %s", hold->token, old->resource,
                       hold->resource);
        return old;
    }
    return NULL;
}

struct hold *history_hold(struct history *history, int pool, struct str resource, struct str token,
                          struct str reqid, int64_t from_us, int64_t until_us, int who)
{
    struct hold *old, *hold = mem_zalloc(sizeof *hold);
    hold->pool = pool;
    hold->from_us = from_us;
    hold->until_us = until_us;
    hold->who = who;
    put(hold->resource, sizeof hold->resource, resource);
    put(hold->token, sizeof hold->token, token);
    put(hold->reqid, sizeof hold->reqid, reqid);
    old = token.len > 0 ? find_token(history, hold) : NULL;
    if (old != NULL) {
        mem_free(hold);
        return old;
    }
    for (size_t i = 0; i < history->count; i++)
        compare(history, history->holds[i], hold);
    if (history->count == history->room) {
        history->room = history->room * 2 + 64;
        history->holds = mem_realloc(history->holds, history->room * sizeof(struct hold *));
    }
    history->holds[history->count++] = hold;
    history->grants++;
    return hold;
}

void history_end(struct history *history, struct hold *hold)
{
    if (hold->is_ended)
        return;
    hold->is_ended = true;
    /* Another may have it in this very instant. */
    if (hold->until_us >= history->world->now_us)
        hold->until_us = history->world->now_us - 1;
}

void history_fence(struct history *history, int pool, int64_t fence, struct str token)
{
    char text[HISTORY_TOKEN_LEN];
    put(text, sizeof text, token);
    if (fence <= history->last_fence[pool])
        world_fail(history->world, "pool %d: fence %" PRId64 " (%s) after %" PRId64, pool, fence,
                   text, history->last_fence[pool]);
    history->last_fence[pool] = fence;
}
