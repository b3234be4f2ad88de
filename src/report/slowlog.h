/* slowlog: the requests that took longest from arrival to their whole reply, newest first, bounded.
 * Knows: base/.  Must not know: clients. */
#ifndef REPORT_SLOWLOG_H
#define REPORT_SLOWLOG_H

#include "base/str.h"
#include <stdint.h>

#define SLOWLOG_MAX_ARGS 32  /* further ones are summed up as "... (n more arguments)" */
#define SLOWLOG_MAX_TEXT 128 /* of an argument: the rest is "... (n more bytes)" */

struct slowlog_entry {
    int64_t id;
    int64_t wall_s;
    int64_t usec;
    int argc;
    char **argv;
    char *address, *name;
};

struct slowlog;
struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *slowlog);
/* Keeps at most max_len entries afterwards; copies everything. */
void slowlog_add(struct slowlog *slowlog, int64_t max_len, int64_t wall_s, int64_t usec,
                 const struct str *argv, int argc, const char *address, const char *name);
int64_t slowlog_len(const struct slowlog *slowlog);
/* The i-th newest, NULL beyond the end. */
const struct slowlog_entry *slowlog_at(const struct slowlog *slowlog, int64_t i);
void slowlog_reset(struct slowlog *slowlog);

#endif
