/* slowlog: the requests that took longest from arrival to their whole reply, newest first, bounded.
 * Knows: base/.  Must not know: clients. */
#ifndef REPORT_SLOWLOG_H
#define REPORT_SLOWLOG_H

#include "base/str.h"
#include <stdint.h>

#define SLOWLOG_MAX_ARGS 32  /* further ones are summed up as "... (n more arguments)" */
#define SLOWLOG_MAX_TEXT 128 /* of an argument: the rest is "... (n more bytes)" */

/* A bounded copy of a request's arguments, as the log shows them: for requests whose time is known
 * only when their arguments are gone. */
struct slowlog_args {
    size_t size; /* of all of it */
    int argc;
    struct str argv[]; /* the bytes stand behind it, in the same piece of memory */
};
/* The bytes that a copy takes, and the copy in a place that has them, aligned as a pointer is. */
size_t slowlog_args_size(const struct str *argv, int argc);
void slowlog_args_write(struct slowlog_args *place, const struct str *argv, int argc);

struct slowlog_entry {
    int64_t id; /* grows, also over a reset */
    int64_t wall_s;
    int64_t usec;
    struct slowlog_args *args;
    char *address, *name;
};

struct slowlog;
struct slowlog *slowlog_new(void);
/* NULL is allowed. */
void slowlog_free(struct slowlog *slowlog);
/* Keeps at most max_len entries afterwards. Copies all. */
void slowlog_add(struct slowlog *slowlog, int64_t max_len, int64_t wall_s, int64_t usec,
                 const struct slowlog_args *args, const char *address, const char *name);
int64_t slowlog_len(const struct slowlog *slowlog);
/* The i-th newest, NULL beyond the end. */
const struct slowlog_entry *slowlog_at(const struct slowlog *slowlog, int64_t i);
void slowlog_reset(struct slowlog *slowlog);

#endif
