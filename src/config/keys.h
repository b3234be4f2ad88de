/* keys: THE TABLE of settings. The parser, CONFIG, --help's sample file, conf/rallocd.conf and the
 * README's reference all come from its rows.
 * Knows: base/, the structs of config.h.  Must not know: where a value comes from. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/config.h"
#include <stdio.h>

enum key_section { KEY_SERVER, KEY_REDIS, KEY_LOG, KEY_POOL, KEY_QUEUE, KEY_USER, KEY_SECTIONS };

/* Sections that are there once for each name, and once for all: [pool:NAME], [pool:*]. */
static inline bool key_is_named(enum key_section section)
{
    return section >= KEY_POOL;
}

/* What a value is, and what it is stored as. */
enum key_type {
    KEY_INT,     /* int64_t */
    KEY_SIZE,    /* int64_t: bytes, "16mb" */
    KEY_SECONDS, /* int64_t: milliseconds, given in seconds with a fraction */
    KEY_MODE,    /* int64_t: permissions, given in octal */
    KEY_BOOL,    /* bool: the first of `words` is false, the second true */
    KEY_ENUM,    /* enum (unsigned): the index of the word */
    KEY_WORD,    /* char *: one of `words` */
    KEY_STRING,  /* char *: any text */
    KEY_PATH,    /* char *: a file, folder or program */
    KEY_LIST,    /* struct text_list: separated by commas */
};

enum key_flags {
    KEY_RELOAD = 1, /* SIGHUP changes it */
    KEY_SET = 2,    /* CONFIG SET changes it */
    KEY_LIVE = KEY_RELOAD | KEY_SET,
    KEY_SECRET = 4, /* never shown */
    KEY_URL = 8,    /* shown without its password */
};

struct key {
    enum key_section section;
    const char *name;
    enum key_type type;
    size_t offset;       /* in the struct of the section */
    const char *initial; /* the default, as text */
    int64_t min, max;    /* of a number as it is stored; of a text its bytes; of a list its items */
    const char *words;   /* allowed ones, separated by blanks; NULL unless the type has words */
    unsigned flags;
    bool (*check)(struct str value, struct err *err); /* what else must hold; NULL: nothing */
    const char *sentence;                             /* for people; ends with a full stop */
};

/* "server" "redis" "log" "pool" "queue" "user" */
const char *key_section_name(enum key_section section);
/* Where in struct config the struct of a section is. KEY_POOL: that of [pool:*]. */
size_t key_section_offset(enum key_section section);
/* Of a named section: where in struct config its map of structs by name is, and their size. */
size_t key_named_offset(enum key_section section);
size_t key_named_size(enum key_section section);

/* All rows, in the order of the documentation: start with NULL; NULL after the last. */
const struct key *key_next(const struct key *key);
/* NULL when there is no such row. Letters compare without case if nocase. */
const struct key *key_find(enum key_section section, struct str name, bool nocase);
/* The row that was probably meant: one of the section with nearly that name, else one of another
 * section with just that name, else NULL. */
const struct key *key_nearest(enum key_section section, struct str name);

/* When a change takes effect: "; live" (at SIGHUP and CONFIG SET), "; reloaded" (at SIGHUP), ""
 * (at the next start). */
const char *key_when(const struct key *key);

/* "a whole number from 1 to 1000000" "one of logfmt, json" ... */
void key_print_allowed(const struct key *key, char *out, size_t size);

/* Splits "pool:gpu" into KEY_POOL and "gpu" ("*" for the defaults of all pools); other sections
 * have no name: *name is empty. False: err says what sections there are, or why the name is not
 * allowed. */
MUST_CHECK bool key_parse_section(struct str text, enum key_section *section, struct str *name,
                                  struct err *err);

/* The whole sample file: every row commented out at its default. False: `out` could not be
 * written. */
MUST_CHECK bool keys_write_sample(FILE *out);

#endif
