/* log: structured log lines, logfmt or JSON, to stderr or syslog. A line that repeats within a
 * second is counted, not repeated; the count follows when the second is over or another comes.
 * Knows: clock. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/str.h"
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
    enum log_level level; /* what is less urgent is dropped */
    bool is_json;
    bool is_syslog;
    int fd; /* stderr unless a test says otherwise */
    const struct clock *clock;
    char last_event[64]; /* for counting repetitions */
    int64_t last_us;
    unsigned long repeats;
};

void log_init(struct log *log, const struct clock *clock);
void log_open_syslog(struct log *log);

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
