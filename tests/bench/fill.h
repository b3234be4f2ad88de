/* fill: pools that are made in Redis at once, whoever will use them: they have the same layout.
 * Knows: the layout of a fresh pool.  Must not know: scripts of either side. */
#ifndef BENCH_FILL_H
#define BENCH_FILL_H

#include "stage.h"

/* A pool of the resources r1 ... rN, all free, unless it is there already; base: "<prefix>|<pool>".
 */
void fill_pool(struct program *redis, const char *base, long long count);

#endif
