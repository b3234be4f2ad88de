/* latency: see latency.h. */
#include "latency.h"

#define OF_A_POWER 32

static int bucket_of(uint64_t us)
{
    int power = 0;
    uint64_t v = us * OF_A_POWER + 1;
    while (v >= 2 * OF_A_POWER) {
        v >>= 1;
        power++;
    }
    int bucket = power * OF_A_POWER + (int)(v % OF_A_POWER);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static double bucket_us(int bucket)
{
    double v = OF_A_POWER + bucket % OF_A_POWER + 0.5;
    return v * (double)(UINT64_C(1) << (bucket / OF_A_POWER)) / OF_A_POWER;
}

void latency_add(struct latency *latency, uint64_t us)
{
    latency->buckets[bucket_of(us)]++;
    latency->count++;
}

double latency_quantile(const struct latency *latency, double share)
{
    double wanted = share * (double)latency->count;
    uint64_t seen = 0;
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return bucket_us(i);
    }
    return 0;
}
