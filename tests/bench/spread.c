/* spread: see spread.h. */
#include "spread.h"
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

struct spread spread_of(const double *values, int count)
{
    double sorted[SPREAD_MAX_ROUNDS];
    memcpy(sorted, values, (size_t)count * sizeof(*values));
    qsort(sorted, (size_t)count, sizeof(*sorted), by_size);
    double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    return (struct spread){sorted[0], median, sorted[count - 1]};
}
