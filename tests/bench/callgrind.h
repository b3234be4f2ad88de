/* callgrind: what valgrind's callgrind has counted: instructions, function by function, without
 * those of the functions that it calls.
 * Knows: callgrind's file (valgrind's manual, "Callgrind Format Specification").  Must not know:
 * which program it was. */
#ifndef BENCH_CALLGRIND_H
#define BENCH_CALLGRIND_H

struct callgrind_cost {
    char *function; /* "file.c:function", or "library.so:function" */
    long long instructions;
};

struct callgrind {
    struct callgrind_cost *costs;
    int count, room;
    long long total;
};

/* Reads a file that was written with --dump-line=no; ends the process when it cannot be read. */
void callgrind_read(struct callgrind *callgrind, const char *path);
void callgrind_clear(struct callgrind *callgrind);
/* Instructions of one function. */
long long callgrind_of(const struct callgrind *callgrind, const char *function);

#endif
