/* section: what all sections of the bench are given. Each is one function that measures and writes
 * its part of the report, and can be asked for alone (--only).
 * Knows: nothing. */
#ifndef BENCH_SECTION_H
#define BENCH_SECTION_H

#include <stdio.h>

struct options {
    const char *rallocd;
    const char *out;    /* folder for the report */
    const char *folder; /* for what is gone at the end */
    const char *only;   /* a section's name; NULL: all */
    int rounds, idle;
    double seconds;
};

/* matrices.c */
void section_pairs(const struct options *options, FILE *report);
void section_pipelined(const struct options *options, FILE *report);
void section_ceiling(const struct options *options, FILE *report);
void section_large(const struct options *options, FILE *report);
void section_kinds(const struct options *options, FILE *report);
void section_fleet(const struct options *options, FILE *report);
void section_locks(const struct options *options, FILE *report);
void section_limit(const struct options *options, FILE *report);
/* handover.c */
void section_handover(const struct options *options, FILE *report);
/* tasks.c */
void section_tasks(const struct options *options, FILE *report);
/* idle.c */
void section_idle(const struct options *options, FILE *report);
/* probes.c */
void section_probes(const struct options *options, FILE *report);
/* scripts.c */
void section_scripts(const struct options *options, FILE *report);
/* profile.c */
void section_profile(const struct options *options, FILE *report);

#endif
