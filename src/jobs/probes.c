/* probes: see probes.h. */
#include "jobs/prober.h"

void probes_init(struct probes *probes, struct pools *pools, struct check_runner runner,
                 const struct clock *clock, struct rand *rand, struct log *log)
{
    *probes =
        (struct probes){.pools = pools, .runner = runner, .clock = clock, .rand = rand, .log = log};
    list_init(&probes->probers);
}

/* One that is not known may be a mistake in somebody's request, and there is nothing to check. */
static bool is_wanted(const struct probes *probes, const struct pool *pool)
{
    return !probes->is_stopped && pool->config->probe != CHECK_NONE && pool->is_known &&
           pool_leads(pool);
}

void probes_tick(struct probes *probes)
{
    list_each (node, &probes->pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        bool wants = is_wanted(probes, pool);
        if (wants && pool->prober == NULL)
            pool->prober = prober_new(probes, pool);
        else if (!wants && pool->prober != NULL)
            prober_end(pool->prober);
        if (pool->prober != NULL)
            prober_tick(pool->prober);
    }
}

void probes_stop(struct probes *probes)
{
    probes->is_stopped = true;
    probes_tick(probes);
}

void probes_clear(struct probes *probes)
{
    list_each (node, &probes->probers)
        prober_free(list_entry(node, struct prober, node));
}
