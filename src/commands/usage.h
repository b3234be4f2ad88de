/* usage: what a row's texts say about arguments, as a tree, for COMMAND DOCS.
 *
 *   word              a value that must be there            pool
 *   WORD              a word to be written as it is         NOW
 *   WORD value        a value behind its word               TIMEOUT seconds
 *   a|B|c             one of them                           ON|OFF
 *   [ ... ]           may be left out
 *   x [x ...]         one or more; likewise x y [x y ...]; [x ...] alone: none or more
 *
 * Knows: table, options. */
#ifndef COMMANDS_USAGE_H
#define COMMANDS_USAGE_H

#include "commands/table.h"
#include <stdbool.h>
#include <stddef.h>

enum usage_kind {
    USAGE_VALUE, /* children: none */
    USAGE_WORD,  /* a token alone */
    USAGE_ONE_OF,
    USAGE_BLOCK /* several that belong together */
};

struct usage {
    enum usage_kind kind;
    char *name;  /* "seconds"; of a word in lower case; "" of blocks and choices without one */
    char *token; /* "TIMEOUT"; NULL: none */
    bool is_optional, is_multiple;
    struct usage *children;
    struct usage *next;
};

/* The whole syntax of a row without the command's name: fixed arguments, options, rest. The
 * caller's to free by mem_free(). */
char *usage_text(const struct command *command);
/* The tree of a text; NULL for an empty one. */
struct usage *usage_parse(const char *text);
void usage_free(struct usage *usage);
size_t usage_count(const struct usage *usage);

#endif
