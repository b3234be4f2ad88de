/* plot: a picture of pairs per second over clients, where gnuplot is installed.
 * Knows: matrix, gnuplot. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "matrix.h"

/* Writes <folder>/report.svg: all ways, TCP beside Unix sockets. */
void plot_pairs(const struct matrix *matrix, const char *folder);

#endif
