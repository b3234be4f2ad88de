/* script: the Lua scripts, compiled in: text, SHA1, the names of the keys that each one takes, and
 * where a line of the assembled text came from.
 * Knows: the generated list (redis/scripts.h, made from lua/ at build time).  Must not know: links.
 */
#ifndef REDIS_SCRIPT_H
#define REDIS_SCRIPT_H

#include "base/str.h"
#include "redis/scripts.h" /* enum script_id: SCRIPT_NONE = 0, SCRIPT_POOL_BATCH, ... SCRIPT_COUNT */

#define SCRIPT_MAX_KEYS 24

struct script_line {
    const char *file; /* "lua/pool/list.lua" */
    int line;
};

struct script {
    const char *name; /* "pool/batch" */
    struct str text;
    char sha[41];
    const char *const *keys; /* names as in the header's "-- keys:" line: "pool", "head" ... */
    int key_count;
    const struct script_line *lines; /* of each line of text, from 1 */
    int line_count;
};

/* The generated table; read through script_of(). */
extern const struct script script_table[SCRIPT_COUNT];

/* Borrowed for ever. id: not SCRIPT_NONE. */
const struct script *script_of(enum script_id id);

/* Writes an error text of Redis with "user_script:12:" replaced by "lua/pool/list.lua:7:". */
void script_explain(const struct script *script, struct str error, char *out, size_t size);

#endif
