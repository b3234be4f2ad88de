/* options: THE TABLE of option words. A word means the same in every command, so it is parsed in
 * one place: TIMEOUT is always seconds. Knows: base/, tasks' policies. */
#ifndef COMMANDS_OPTIONS_H
#define COMMANDS_OPTIONS_H

#include "base/err.h"
#include "task/crons.h"

enum option_flag {
    OPT_TIMEOUT = 1 << 0,     /* TIMEOUT seconds */
    OPT_NAME = 1 << 1,        /* NAME name */
    OPT_BINDTIMEOUT = 1 << 2, /* BINDTIMEOUT seconds */
    OPT_COUNT = 1 << 3,       /* COUNT n */
    OPT_ALL = 1 << 4,         /* ALL, right after COUNT n */
    OPT_OWNER = 1 << 5,       /* OWNER id */
    OPT_REQID = 1 << 6,       /* REQID id */
    OPT_WITHTOKEN = 1 << 7,   /* WITHTOKEN */
    OPT_TOKEN = 1 << 8,       /* TOKEN token */
    OPT_IN = 1 << 9,          /* IN set */
    OPT_SHARED = 1 << 10,     /* SHARED */
    OPT_PERMITS = 1 << 11,    /* PERMITS n OF m */
    OPT_SESSION = 1 << 12,    /* SESSION */
    OPT_WAIT = 1 << 13,       /* WAIT ms */
    OPT_REPORT = 1 << 14,     /* REPORT */
    OPT_POLICY = 1 << 15,     /* POLICY word */
    OPT_ONCE = 1 << 16,       /* ONCE */
    OPT_NOWAIT = 1 << 17,     /* NOWAIT */
    OPT_DELAY = 1 << 18,      /* DELAY seconds */
    OPT_RETRIES = 1 << 19,    /* RETRIES n */
    OPT_PRIORITY = 1 << 20,   /* PRIORITY n */
    OPT_RETRY = 1 << 21,      /* RETRY seconds */
    OPT_PUSH = 1 << 22,       /* PUSH */
    OPT_MISSED = 1 << 23,     /* MISSED word */
    OPT_REASON = 1 << 24,     /* REASON text */
    OPT_OUTCOME = 1 << 25,    /* OUTCOME word */
    OPT_WHERE = 1 << 26,      /* WHERE key=value [key=value ...] */
    OPT_WITHDATA = 1 << 27,   /* WITHDATA */
    OPT_CAPACITY = 1 << 28    /* CAPACITY n */
};

#define OPTIONS_MOST_LABELS 8

struct options {
    unsigned given;     /* of option_flag */
    int64_t timeout_ms; /* <= 0: for ever */
    int64_t binding_ms;
    int64_t wait_ms;                      /* 0: without a limit */
    int64_t count;                        /* >= 1 */
    int64_t capacity;                     /* 1 to MOST_CAPACITY where given, else 0 */
    int64_t permits, limit;               /* 1 <= permits <= limit */
    struct str name, owner, reqid, token; /* 1 to 512 bytes, no NUL, where given */
    /* owner: else the user that asks, or "" */
    const char *outcome;        /* "ok" "slow" "fail"; NULL where not given */
    struct str reason;          /* likewise; "" where not given */
    struct str set;             /* the name of a lock set; "" where not given */
    enum task_missed missed;    /* MISSED_ONCE where not given */
    enum task_policy policy;    /* TASK_AUTO where not given */
    int64_t delay_ms, retry_ms; /* >= 0 */
    int64_t retries;            /* >= 0 */
    int64_t priority;
    struct str where[OPTIONS_MOST_LABELS]; /* checked labels */
    int where_count;
};

/* One word, for documentation. */
struct option {
    const char *word;
    unsigned flag;
    const char *value;    /* what follows it: "seconds"; NULL: nothing */
    const char *sentence; /* for people */
};
/* Ended by an option without a word. */
extern const struct option option_table[];

/* Parses the options at the head of args; *used says how many arguments they took. The word KEYS
 * ends them and is taken. With has_rest, the first argument that is no option word ends them, too
 * (it is a resource). An option word of another command, a word given twice, a missing or a bad
 * value: false and err, naming option and value. Without has_rest everything must be an option.
 * `command` is the name for errors. */
MUST_CHECK bool options_parse(const char *command, unsigned allowed, bool has_rest,
                              const struct str *args, int count, struct options *out, int *used,
                              struct err *err);

/* The words of a row for documentation: "[TIMEOUT seconds] [COUNT n [ALL]]". */
void options_print(unsigned allowed, char *out, size_t size);

#endif
