/* locks: LOCK RLOCK LOCKALL UPDATE EXTENDLOCK UNLOCK, LOCKED LOCKVALUE LOCKTTL LOCKSTATUS, SETIF
 * DELIF.
 * Knows: lock/locks.  Must not know: how an operation reaches Redis. */
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/holds.h"
#include "commands/outcome.h"
#include "lock/waits.h"

#define CHECK_NUMBER_MAX 64 /* bytes of a number */

static int64_t timeout_of(const struct ask *ask)
{
    return ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms
                                            : ask->daemon->config.server.lock_timeout_ms;
}

/* --- taking and ending -------------------------------------------------------------------------
 */

/* Nobody will ever end what a client got that is gone. With REQID it will ask again. */
static bool is_gone(void *arg)
{
    const struct later *later = arg;
    return turn_is_orphan(later->turn) && !(later->given & OPT_REQID);
}

static void begin(struct ask *ask, struct later *later, const struct lock_request *request,
                  lock_done done)
{
    struct locks *locks = &ask->daemon->locks;

    if (!(ask->options.given & OPT_WAIT)) {
        locks_take(locks, request, done, later);
        return;
    }
    struct err err;
    if (!waiters_can_take(&ask->daemon->waiters, &err)) {
        done(later, &err, answer_none());
        return;
    }
    outcome_wait(later, lock_waits_take(locks, request, ask->options.wait_ms, done, later));
}

static void end_take(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    holds_take_locks(later, err == NULL ? answer : answer_none());
    if (outcome_failed(later, err))
        return;
    if (answer_is_none(answer))
        reply_null(later_reply(later));
    else
        reply_int(later_reply(later), answer_int(answer, 0));
    later_end(later);
}

static void take(struct ask *ask, bool is_again)
{
    const struct options *options = &ask->options;
    struct lock_name name;
    struct lock_request request = {.keys = &name.key,
                                   .count = 1,
                                   .owner = ask->fixed[1],
                                   .timeout_ms = timeout_of(ask),
                                   .is_again = is_again,
                                   .permits = options->permits,
                                   .limit = options->limit,
                                   .reqid = options->reqid,
                                   .is_gone = is_gone};

    if (!check_lock(ask, &name) || !check_owner(ask, request.owner))
        return;
    request.set = name.set;
    if ((options->given & OPT_SHARED) && (options->given & OPT_PERMITS)) {
        ask_error(ask, ERR_GENERAL, "syntax error: SHARED does not go with PERMITS");
        return;
    }
    if (options->given & OPT_SHARED)
        request.kind = LOCK_SHARED;
    else if (options->given & OPT_PERMITS)
        request.kind = LOCK_PERMITS;
    struct later *later = later_new(ask, NULL);
    char session[HOLDS_NAME_MAX];
    if (options->given & OPT_SESSION) {
        request.session = holds_name(later, session);
        request.timeout_ms = holds_begin(later, options);
        holds_plan_lock(later, &name, request.owner,
                        request.kind == LOCK_PERMITS ? request.permits : 1);
    }
    begin(ask, later, &request, end_take);
}

void cmd_lock(struct ask *ask)
{
    take(ask, false);
}

void cmd_rlock(struct ask *ask)
{
    take(ask, true);
}

static void end_take_all(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    holds_take_locks(later, err == NULL ? answer : answer_none());
    if (err == NULL && answer_is_none(answer)) {
        reply_null_array(later_reply(later));
        later_end(later);
        return;
    }
    outcome_ints(later, err, answer);
}

void cmd_lockall(struct ask *ask)
{
    struct lock_request request = {.set = ask->options.set,
                                   .keys = ask->rest,
                                   .count = ask->rest_count,
                                   .kind = LOCK_ALL,
                                   .owner = ask->fixed[0],
                                   .timeout_ms = timeout_of(ask),
                                   .reqid = ask->options.reqid,
                                   .is_gone = is_gone};

    if (!check_owner(ask, request.owner) || !check_lock_keys(ask))
        return;
    struct later *later = later_new(ask, NULL);
    char session[HOLDS_NAME_MAX];
    if (ask->options.given & OPT_SESSION) {
        request.session = holds_name(later, session);
        request.timeout_ms = holds_begin(later, &ask->options);
        for (int i = ask->rest_count - 1; i >= 0; i--) {
            struct lock_name name = {request.set, ask->rest[i]};
            holds_plan_lock(later, &name, request.owner, 1);
        }
    }
    begin(ask, later, &request, end_take_all);
}

void cmd_update(struct ask *ask)
{
    struct lock_name name;

    if (check_lock(ask, &name) && check_owner(ask, ask->fixed[1]))
        locks_set(&ask->daemon->locks, &name, ask->fixed[1], timeout_of(ask), outcome_ok,
                  later_new(ask, NULL));
}

void cmd_extendlock(struct ask *ask)
{
    struct lock_name name;

    if (check_lock(ask, &name) && check_owner(ask, ask->fixed[1]))
        locks_extend(&ask->daemon->locks, &name, ask->fixed[1], timeout_of(ask), outcome_int,
                     later_new(ask, NULL));
}

void cmd_unlock(struct ask *ask)
{
    struct lock_name name;
    bool has_owner = ask->fixed_count == 2;

    if (!check_lock(ask, &name) || (has_owner && !check_owner(ask, ask->fixed[1])))
        return;
    holds_forget_lock(ask->peer, &name, has_owner ? ask->fixed[1] : STR(""));
    locks_end(&ask->daemon->locks, &name, has_owner ? ask->fixed[1] : STR(""),
              turn_is_alone(ask->turn), outcome_int, later_new(ask, NULL));
}

/* --- looking -----------------------------------------------------------------------------------
 */

static void look(struct ask *ask, lock_done done)
{
    struct lock_name name;

    if (check_lock(ask, &name))
        locks_look(&ask->daemon->locks, &name, done, later_new(ask, NULL));
}

static void end_locked(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_int(later_reply(later), answer_int(answer, -2) != -2);
    later_end(later);
}

void cmd_locked(struct ask *ask)
{
    look(ask, end_locked);
}

void cmd_lockttl(struct ask *ask)
{
    look(ask, outcome_int);
}

static const char *status_of(int64_t ttl_ms, int64_t timeout_ms)
{
    if (ttl_ms == -2)
        return "FREE";
    if (ttl_ms == -1)
        return "ERROR";
    return timeout_ms > 0 && ttl_ms > timeout_ms ? "UNAVAILABLE" : "LOCKED";
}

static void end_status(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_simple(later_reply(later), status_of(answer_int(answer, -2), later->timeout_ms));
    later_end(later);
}

void cmd_lockstatus(struct ask *ask)
{
    struct lock_name name;
    struct later *later;

    if (!check_lock(ask, &name))
        return;
    later = later_new(ask, NULL);
    later->timeout_ms = ask->options.given & OPT_TIMEOUT
                            ? ask->options.timeout_ms
                            : ask->daemon->config.server.lock_status_timeout_ms;
    locks_look(&ask->daemon->locks, &name, end_status, later);
}

static void end_value(void *arg, const struct err *err, const struct answer *answer)
{
    if (err == NULL && answer_is_array(answer))
        outcome_texts(arg, err, answer);
    else
        outcome_text(arg, err, answer);
}

void cmd_lockvalue(struct ask *ask)
{
    struct lock_name name;

    if (check_lock(ask, &name))
        locks_holders(&ask->daemon->locks, &name, end_value, later_new(ask, NULL));
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static bool check_op(struct ask *ask, struct str op)
{
    static const char *const ops[] = {">", "<", ">=", "<=", "==", "!="};
    char shown[80];

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (str_eq(op, str_of(ops[i])))
            return true;
    }
    str_printable(op, shown, sizeof(shown));
    ask_error(ask, ERR_GENERAL, "the comparison is none of > < >= <= == !=: '%s'", shown);
    return false;
}

static bool check_number(struct ask *ask, struct str value)
{
    char shown[80];
    double n;

    if (value.len <= CHECK_NUMBER_MAX && num_parse_double(value, &n))
        return true;
    str_printable(value, shown, sizeof(shown));
    ask_error(ask, ERR_GENERAL, "the value is not a number: '%s'", shown);
    return false;
}

static bool check_comparison(struct ask *ask, struct lock_name *name)
{
    return check_lock(ask, name) && check_op(ask, ask->fixed[1]) &&
           check_number(ask, ask->fixed[2]);
}

void cmd_setif(struct ask *ask)
{
    struct lock_name name;
    const struct str *fixed = ask->fixed;
    struct str new_value = ask->fixed_count == 4 ? fixed[3] : fixed[2];

    if (!check_comparison(ask, &name) || !check_number(ask, new_value))
        return;
    int64_t timeout_ms = ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms : 0;
    locks_set_if(&ask->daemon->locks, &name, fixed[1], fixed[2], new_value, timeout_ms, outcome_int,
                 later_new(ask, NULL));
}

void cmd_delif(struct ask *ask)
{
    struct lock_name name;

    if (check_comparison(ask, &name))
        locks_delete_if(&ask->daemon->locks, &name, ask->fixed[1], ask->fixed[2], outcome_int,
                        later_new(ask, NULL));
}
