/* table: THE TABLE of commands. A row is all that is known of a command: dispatch, COMMAND, HELP,
 * redis-cli's hints and the README's reference come from it.
 * Knows: names of handlers. */
#ifndef COMMANDS_TABLE_H
#define COMMANDS_TABLE_H

#include "base/str.h"

struct ask;

enum command_group {
    GROUP_LEASES,
    GROUP_POOLS,
    GROUP_FENCES,
    GROUP_LOCKS,
    GROUP_LOCK_SETS,
    GROUP_BEATS,
    GROUP_TASKS,
    GROUP_QUEUES,
    GROUP_CONNECTION,
    GROUP_SERVER
};
#define GROUP_COUNT (GROUP_SERVER + 1)

enum command_flag {
    CMD_WRITE = 1 << 0,      /* may change what lies in Redis */
    CMD_READ = 1 << 1,       /* looks into Redis */
    CMD_ADMIN = 1 << 2,      /* not shown to MONITOR */
    CMD_NO_AUTH = 1 << 3,    /* allowed before login */
    CMD_NO_MONITOR = 1 << 4, /* among its arguments are secrets: shown as "(redacted)" */
    CMD_RESOURCES = 1 << 5,  /* its rest is resources: KEYS may stand before them */
    CMD_FAST = 1 << 6        /* its cost does not grow with the pool or with what is connected */
};

struct command {
    const char *name; /* "MALLOC"; of a subcommand "EXTEND" */
    const char *full; /* "malloc", "pool|extend": in errors, statistics and COMMAND */
    enum command_group group;
    void (*run)(struct ask *ask); /* NULL: a container of subcommands */
    const char *args; /* fixed arguments, "pool resource"; a word in brackets may be left out */
    unsigned options; /* OPT_* of options.h, stand after the fixed arguments */
    const char *rest; /* what may follow the options: "resource [resource ...]"; NULL: nothing */
    unsigned flags;
    const char *summary; /* a sentence */
    const char *reply;   /* what comes back, in words */
    const char *since;
    const struct command *subcommands; /* ended by a row without name; NULL: none */
};

/* All rows, by group; ended by a row without a name. */
extern const struct command command_table[];

/* NULL when there is none. Case does not matter. */
const struct command *command_find(struct str name);
const struct command *command_find_sub(const struct command *parent, struct str name);
/* By the full name: "malloc", "pool|extend". */
const struct command *command_find_full(struct str name);
/* How many rows a table has; 0 for NULL. */
size_t command_count_rows(const struct command *rows);
/* The container of a subcommand; NULL for the others. */
const struct command *command_parent(const struct command *command);
/* As Redis counts: with the command's name (and the subcommand's); negative: at least so many. */
int command_arity(const struct command *command);
/* How many arguments a text like args or rest needs, and how many words it names. */
void command_words(const char *text, int *least, int *most);
/* Where its pool stands among all arguments, the name being 0; 0: it takes none. */
int command_pool_at(const struct command *command);

/* "leases" */
const char *command_group_name(enum command_group group);
/* The whole syntax: "POOL EXTEND pool [TIMEOUT seconds] resource [resource ...]". */
void command_print_syntax(const struct command *command, char *out, size_t size);
#define COMMAND_SYNTAX_MAX 512

/* Rows and their subcommands are numbered from 0. */
size_t command_count(void);
size_t command_index(const struct command *command);
/* The row of that number. */
const struct command *command_at(size_t index);

#endif
