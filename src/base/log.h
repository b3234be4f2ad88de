/* log: structured log lines, logfmt or JSON, to stderr or syslog. A line that repeats within a
 * second is counted, not repeated; the count follows when the second is over or another comes.
 * Each line is one write. A reader that does not read costs lines (they are counted, and the count
 * is logged when it reads again), never more than a moment of time.
 * Knows: clock.  Must not know: settings.  Expects: SIGPIPE is ignored by the process. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/str.h"
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The longest line with its line break: what a pipe takes in one piece (PIPE_BUF). Longer values
 * are cut. */
#define LOG_MAX_LINE 4096

struct log {
    enum log_level level; /* what is less urgent is dropped */
    bool is_json;
    bool is_syslog;
    int fd; /* stderr unless a test says otherwise; with is_syslog, the socket to it, or -1 */
    const char *syslog_path; /* where to connect to again; borrowed */
    const struct clock *clock;
    char last_event[64];     /* for counting repetitions: the last line that was written */
    char last[LOG_MAX_LINE]; /* its text without the time */
    size_t last_len;
    enum log_level last_level;
    int64_t last_us;
    unsigned long repeats;
    unsigned long dropped; /* lines lost since the last one that could be written */
};

void log_init(struct log *log, const struct clock *clock);
/* From now on lines go to the local syslog; when there is none, they stay at stderr. */
void log_open_syslog(struct log *log);
/* Likewise, to the Unix datagram socket at `path` (borrowed); false when nobody listens there. */
bool log_connect_syslog(struct log *log, const char *path);
/* Writes the count of repetitions that is due: to be called now and then and at the end. */
void log_flush(struct log *log);

/* One line: time, level, event ("link-lost": a fixed word that a person can search for), then the
 * pairs: alternating `const char *key, const char *value`, ended by NULL. Values are quoted and
 * escaped as the format needs. `log` may be NULL: then nothing happens. */
void log_line(struct log *log, enum log_level level, const char *event, ...)
    __attribute__((sentinel));
/* As log_line with one pair: text=<formatted>. */
void log_text(struct log *log, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "error" "warning" "info" "debug" */
const char *log_level_name(enum log_level level);

#endif
