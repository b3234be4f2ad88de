/* guarded: a program that ends when we do, however that comes: Linux kills it. posix_spawn() cannot
 * ask for that, so our own executable is run first, asks, and becomes the program.
 * Knows: processes.  Must not know: what the program is for. */
#ifndef IO_GUARDED_H
#define IO_GUARDED_H

#include <stddef.h>

#define GUARDED_WORDS 3 /* that stand before the program's own */

/* The exit status when the program cannot be run, and how what stderr says then begins. */
#define GUARDED_NOT_RUN      127
#define GUARDED_NOT_RUN_TEXT "cannot run '"

struct guarded {
    char path[4096];
    char parent[16];
};

/* Fills the first words of what is to be spawned; they point into `out`. */
void guarded_begin(struct guarded *out, const char *argv[GUARDED_WORDS]);
/* `rallocd guarded parent program ...`, from the word "guarded" on: returns, GUARDED_NOT_RUN, when
 * the program cannot be run. */
int guarded_main(char **argv);

#endif
