/* tables: what a matrix has measured, in Markdown.
 * Knows: matrix.  Must not know: what its rows and ways are. */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include "matrix.h"
#include <stdio.h>

/* Three tables: speed, latency, CPU time. */
void tables_print(const struct matrix *matrix, FILE *out);

#endif
