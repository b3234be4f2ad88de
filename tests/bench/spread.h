/* spread: the least, the middle and the most of what the rounds have given.
 * Knows: nothing. */
#ifndef BENCH_SPREAD_H
#define BENCH_SPREAD_H

#define SPREAD_MAX_ROUNDS 50

struct spread {
    double min, median, max;
};

/* At most SPREAD_MAX_ROUNDS values, whose order stays. */
struct spread spread_of(const double *values, int count);

#endif
