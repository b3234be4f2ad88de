/* table: THE TABLE of commands. A row is all that is known of a command: dispatch, COMMAND, HELP,
 * redis-cli's hints and the README's reference come from it.
 * Knows: names of handlers. */
#ifndef COMMANDS_TABLE_H
#define COMMANDS_TABLE_H

#include "base/str.h"

struct ask;

enum command_group { GROUP_LEASES, GROUP_POOLS, GROUP_FENCES, GROUP_CONNECTION, GROUP_SERVER };

enum command_flag {
    CMD_WRITE = 1 << 0,     /* may change what lies in Redis */
    CMD_READ = 1 << 1,      /* looks into Redis */
    CMD_ADMIN = 1 << 2,
    CMD_NO_AUTH = 1 << 3,   /* allowed before login */
    CMD_NO_MONITOR = 1 << 4 /* its arguments are secrets */
};

struct command {
    const char *name;   /* "MALLOC"; of a subcommand "EXTEND" */
    enum command_group group;
    void (*run)(struct ask *ask); /* NULL: a container of subcommands */
    const char *args;   /* fixed arguments, "pool resource"; a word in brackets may be left out */
    unsigned options;   /* OPT_* of options.h, stand after the fixed arguments */
    const char *rest;   /* what may follow the options: "resource [resource ...]"; NULL: nothing */
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
/* As Redis counts: with the command's name (and the subcommand's); negative: at least so many. */
int command_arity(const struct command *command);
const char *command_group_name(enum command_group group);

#endif
