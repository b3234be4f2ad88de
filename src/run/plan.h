/* plan: what `rallocd run` is asked to do: the command line, read.
 * Knows: config/url, io/addr, base/.  Must not know: connections, processes. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "base/err.h"
#include "config/url.h"
#include "io/addr.h"

enum plan_kind { PLAN_POOL, PLAN_LOCK };

struct plan {
    struct url url; /* of the daemon */
    struct addr addr;
    enum plan_kind kind;
    const char *name;    /* of the pool or the lock */
    const char *binding; /* NAME of MALLOC; NULL: none */
    int64_t timeout_ms;  /* of the lease or lock; it is renewed as long as the program runs */
    bool is_waiting;
    int64_t wait_ms; /* with is_waiting; 0: without limit */
    char **argv; /* the program and its arguments, ended by NULL; borrowed from the command line */
};

enum plan_action { PLAN_RUN, PLAN_HELP };

/* argv[0] is the word "run". `url`: of the daemon where none is given; "" or NULL: the usual one.
 * Errors name the option, the value and what is allowed. */
MUST_CHECK bool plan_read(struct plan *plan, int argc, char **argv, const char *url,
                          enum plan_action *action, struct err *err);
void plan_print_help(void);

#endif
