/* fields: THE TABLE of numbers and texts: section, name, kind, unit, a sentence, getter. INFO prints
 * it, and whatever else shows numbers.
 * Knows: daemon.h.  Must not know: RESP, clients. */
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
    int64_t (*number)(struct daemon *daemon);                      /* of gauges and counters */
    void (*text)(struct daemon *daemon, char *out, size_t size); /* of texts */
};

/* Ended by a field without a name. */
extern const struct field field_table[];

/* Sections in the order of INFO. Ended by NULL. */
extern const char *const field_sections[];

#endif
