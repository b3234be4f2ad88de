/* watch: runs the bench in a child and looks after what it leaves: however the child ends (an
 * error, a signal, a crash), no program that it has started lives on and no temp folder stays.
 * Knows: processes.  Must not know: what is measured. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

/* work() gets the temp folder; returns its exit status. */
int watch_run(int (*work)(const char *folder, void *arg), void *arg);

#endif
