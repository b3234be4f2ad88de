/* schedule: when something is to happen again and again, in UTC: the five fields of cron, one of
 * its
 * @words, or "@every seconds". A pure function of time, so that all daemons come to the same.
 * Knows: base/.  Must not know: what happens then. */
#ifndef TASK_SCHEDULE_H
#define TASK_SCHEDULE_H

#include "base/err.h"
#include "base/str.h"
#include <stdint.h>

struct schedule {
    int64_t every_ms; /* its multiples since 1970; 0: as the sets say, bit n for value n */
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool has_any_day, has_any_weekday; /* '*': the other one decides alone */
};

MUST_CHECK bool schedule_parse(struct str text, struct schedule *out, struct err *err);
/* The first time after that one, in ms since 1970; -1: it never comes. */
int64_t schedule_next(const struct schedule *schedule, int64_t after_ms);

#endif
