/* history: who held which resource from when until when, as the holders themselves saw it, in
 * memory that outlives a holder which is killed; and the promise that it is checked against. Knows:
 * check, processes.  Must not know: clients. */
#ifndef TESTS_LIB_HISTORY_H
#define TESTS_LIB_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/* One holding. A holder surely has the resource from got_us until it says that it frees it, or
 * until its time is over, counted from when it asked: the lease cannot have begun earlier. */
struct hold {
    char resource[24];
    int64_t fence;
    int64_t asked_us, got_us;
    int64_t freed_us;   /* when it said so; 0: it did not, or was killed */
    int64_t timeout_ms; /* 0: for ever */
    int is_whole;       /* set last: a holder that was killed while writing has got nothing */
};

struct history;

/* For all processes that are forked from this one. */
struct history *history_new(size_t max_holds);
void history_free(struct history *history);
/* A place for one more; never NULL: the test fails when there is none. Safe between processes. */
struct hold *history_add(struct history *history);
int64_t history_now_us(void);
size_t history_count(const struct history *history);

/* Fails the test when two holders had one resource at a time, or its fences did not grow. */
void history_check(struct history *history);

#endif
