/* plot: see plot.h. */
#include "plot.h"
#include <err.h>
#include <stddef.h>
#include <stdio.h>

static void plot_panel(FILE *out, const struct matrix *matrix, bool is_unix)
{
    fprintf(out, "set title '%s'\nplot ", is_unix ? "Unix sockets" : "TCP");
    for (int way = 0; way < matrix->way_count; way++)
        fprintf(out, "%s'-' with linespoints linewidth 2 title \"%s\"", way == 0 ? "" : ", ",
                matrix->ways[way]);
    fputc('\n', out);
    for (int way = 0; way < matrix->way_count; way++) {
        for (int i = 0; i < matrix->row_count; i++) {
            const struct row *row = &matrix->rows[i];
            if (row->is_unix == is_unix)
                fprintf(out, "%d %f\n", row->clients, MATRIX_MEDIAN(matrix, row, way, units_per_s));
        }
        fputs("e\n", out);
    }
}

void plot_pairs(const struct matrix *matrix, const char *folder)
{
    if (!proc_is_installed("gnuplot"))
        return;
    FILE *out = popen("gnuplot", "we");
    if (out == NULL) {
        warn("gnuplot");
        return;
    }
    fprintf(
        out,
        "set terminal svg size 1000,420 background rgb 'white'\nset output '%s/report.svg'\nset "
        "logscale x\n"
        "set xlabel 'clients'\nset ylabel 'pairs/s'\nset yrange [0:*]\n"
        "set key bottom right\nset xtics (1,8,50,200,1000)\nset grid\nset multiplot layout 1,2\n",
        folder);
    plot_panel(out, matrix, false);
    plot_panel(out, matrix, true);
    fputs("unset multiplot\n", out);
    pclose(out);
}
