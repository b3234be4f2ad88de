/* program: runs a command once and tells what became of it: what it printed, what it last said on
 * stderr, and how it ended. No shell stands between. It is a process group of its own that is
 * killed with its deadline, with ours, and, for what it leaves behind, with its own end.
 * Knows: child, guarded.  Must not know: what the command is for. */
#ifndef IO_PROGRAM_H
#define IO_PROGRAM_H

#include "base/err.h"
#include <event2/event.h>
#include <stdint.h>

struct program;

struct program_spec {
    const char *command;            /* a program and its arguments, separated by blanks; or NULL */
    const char *const *words;       /* the same, word by word, ended by NULL */
    struct str input;               /* for its stdin; copied */
    size_t max_output;              /* one that prints more is killed */
    int64_t timeout_ms;             /* one that runs for longer is killed; <= 0: it may */
    const char *const *environment; /* "NAME=value" besides PATH, HOME, LANG, LC_ALL, TZ and TMPDIR
                                     * of ours, ended by NULL; NULL: none. No setting of ours
                                     * reaches it: one may be a password. */
};

enum program_end {
    PROGRAM_EXITED,
    PROGRAM_SIGNALLED,
    PROGRAM_TIMEOUT,    /* killed */
    PROGRAM_TOO_LONG,   /* killed */
    PROGRAM_NOT_STARTED /* not found, not executable ...: `said` tells */
};

/* Borrowed for the callback. */
struct program_outcome {
    enum program_end end;
    int code;          /* the exit status, or the signal; else 0 */
    struct str output; /* without one that was too long */
    const char *said;  /* the end of its stderr, as one line of text; "" */
};

/* Called once, never before program_run() has returned; the program is gone by then. */
typedef void (*program_done)(void *arg, const struct program_outcome *outcome);

/* Expects: SIGPIPE is ignored by the process. */
struct program *program_run(struct event_base *base, const struct program_spec *spec,
                            program_done done, void *arg);
/* Kills it with its group; done() is not called any more. NULL is allowed. */
void program_cancel(struct program *program);

/* "exit status 3", "ended by signal 11" ...: an outcome in words, `said` when there is something.
 * "" for one that ended well. */
void program_explain(const struct program_outcome *outcome, char *out, size_t size);

#endif
