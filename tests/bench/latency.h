/* latency: quantiles of times, in buckets of 1/32 of a power of two: right within 3 %.
 * Knows: nothing. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS (40 * 32)

struct latency {
    uint32_t buckets[LATENCY_BUCKETS];
    uint64_t count;
};

void latency_add(struct latency *latency, uint64_t us);
/* In microseconds; 0 when there are none. */
double latency_quantile(const struct latency *latency, double share);

#endif
