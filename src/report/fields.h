/* fields: THE TABLE of numbers and texts: section, name, kind, unit, a sentence, getter. INFO
 * prints it, and whatever else shows numbers. Knows: daemon.h.  Must not know: RESP, clients. */
#ifndef REPORT_FIELDS_H
#define REPORT_FIELDS_H

#include "daemon.h"

enum field_kind { FIELD_TEXT, FIELD_GAUGE, FIELD_COUNTER };

struct field {
    const char *section; /* "server" */
    const char *name;
    enum field_kind kind;
    const char *unit; /* "bytes", "ms", "" */
    const char *sentence;
    int64_t (*number)(struct daemon *daemon);                    /* of gauges and counters */
    void (*text)(struct daemon *daemon, char *out, size_t size); /* of texts */
};

/* Ended by a field without a name. */
extern const struct field field_table[];

/* Sections in the order of INFO, in lower case. Ended by NULL. That of the commands has no fields:
 * its lines come from the table of commands. */
extern const char *const field_sections[];

/* What is told of each pool that this daemon knows. Ended by a field without a name. */
struct pool_field {
    const char *name;
    enum field_kind kind;
    const char *unit;
    const char *sentence;
    int64_t (*number)(const struct pool *pool);
    const char *(*text)(const struct pool *pool);
};
extern const struct pool_field pool_field_table[];

/* All counters to 0; gauges and the slow log stay. */
void fields_reset(struct daemon *daemon);

#endif
