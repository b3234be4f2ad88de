/* run: see run.h. */
#include "run/run.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/stream.h"
#include "redis/replies.h"
#include "resp/reply.h"
#include "run/foreground.h"
#include "run/held.h"
#include <event2/dns.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
    EXIT_USAGE = 2,
    EXIT_NO_DAEMON = 69, /* the numbers of sysexits.h: EX_UNAVAILABLE, EX_TEMPFAIL */
    EXIT_NOT_FREE = 75,
    EXIT_LOST = 76,
    CONNECT_MS = 2000,
    REDIAL_MS = 250,
    GIVE_BACK_MS = 1000, /* after that it ends by its time */
    SIGNALS = 8
};

enum run_state {
    RUN_ASKING,     /* nothing is held yet */
    RUN_CONFIRMING, /* it was waited for and is held, but since when? A renewal will tell */
    RUN_RUNNING,    /* the program runs, and what it needs is held */
    RUN_STOPPING,   /* the program has been told to end: it was lost, or could be soon */
    RUN_GIVING_BACK /* the program has ended; the answer to giving back is awaited */
};

/* The request whose answer is awaited: one at a time. */
enum asked { ASKED_NOTHING, ASKED_LOGIN, ASKED_IT, ASKED_RENEWAL, ASKED_BACK };

struct run {
    struct plan plan;
    struct held held;
    struct clock clock;
    struct rand rand;
    struct event_base *base;
    struct evdns_base *dns;
    struct stream *stream; /* NULL between two connections */
    struct replies *replies;
    struct foreground *foreground;
    struct event *signals[SIGNALS];
    struct event *redial, *renew, *watch; /* watch: when the program has to be stopped, or killed */
    enum run_state state;
    enum asked asked;
    int64_t asked_ms;    /* when that was sent */
    int64_t begun_ms;    /* when it was asked for first */
    int64_t deadline_ms; /* until then it is ours for sure */
    int code;            /* the exit status */
    uint64_t connection; /* counts them: tells whether a callback has ended this one */
};

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "rallocd run: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
}

static void end(struct run *run, int code)
{
    run->code = code;
    event_base_loopbreak(run->base);
}

static void set_timer(struct event *timer, int64_t after_ms)
{
    int64_t ms = after_ms > 0 ? after_ms : 0;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(timer, &tv);
}

/* --- the program ---------------------------------------------------------------------------------
 */

/* How long before the deadline the program is told to end, and how long before it it is killed. */
static int64_t term_margin_ms(const struct run *run)
{
    return run->plan.timeout_ms / 3 < 10000 ? run->plan.timeout_ms / 3 : 10000;
}

static int64_t kill_margin_ms(const struct run *run)
{
    return run->plan.timeout_ms / 10 < 1000 ? run->plan.timeout_ms / 10 : 1000;
}

static void watch_deadline(struct run *run)
{
    set_timer(run->watch, run->deadline_ms - term_margin_ms(run) - clock_ms(&run->clock));
}

/* The program gets until shortly before the deadline; where that is over already, one margin. */
static void stop_program(struct run *run, const char *why)
{
    int64_t now_ms = clock_ms(&run->clock);
    int64_t last_ms = run->deadline_ms - kill_margin_ms(run);
    if (run->state != RUN_RUNNING)
        return;
    run->state = RUN_STOPPING;
    complain(why, "the program is stopped");
    foreground_signal_all(run->foreground, SIGTERM);
    foreground_signal_all(run->foreground, SIGCONT);
    set_timer(run->watch, last_ms > now_ms ? last_ms - now_ms : kill_margin_ms(run));
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;
    (void)fd;
    (void)what;
    if (run->state == RUN_RUNNING)
        stop_program(run, "it could not be renewed in time");
    else if (run->state == RUN_STOPPING)
        foreground_signal_all(run->foreground, SIGKILL);
    else
        end(run, run->code);
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void ask(struct run *run, enum asked asked)
{
    static void (*const requests[])(const struct held *held, struct evbuffer *out) = {
        [ASKED_IT] = held_ask, [ASKED_RENEWAL] = held_renew, [ASKED_BACK] = held_give_back};
    run->asked = asked;
    run->asked_ms = clock_ms(&run->clock);
    requests[asked](&run->held, stream_out(run->stream));
    stream_wrote(run->stream);
}

/* How long it may still wait for it; 0: without limit. Less when that is over. */
static int64_t wait_left_ms(const struct run *run)
{
    const struct plan *plan = &run->plan;
    int64_t left_ms = plan->wait_ms - (clock_ms(&run->clock) - run->begun_ms);
    return !plan->is_waiting ? -1 : plan->wait_ms == 0 ? 0 : left_ms > 0 ? left_ms : -1;
}

/* Asks for what the state wants next. */
static void proceed(struct run *run)
{
    if (run->stream == NULL || run->asked != ASKED_NOTHING)
        return;
    if (run->state == RUN_ASKING) {
        if (run->begun_ms == 0)
            run->begun_ms = clock_ms(&run->clock);
        run->held.wait_ms = wait_left_ms(run);
        ask(run, ASKED_IT);
    } else if (run->state == RUN_GIVING_BACK) {
        ask(run, ASKED_BACK);
    } else if (run->deadline_ms > 0) {
        ask(run, ASKED_RENEWAL);
    }
}

/* It is given back at once, or ends by its time. */
static void give_back(struct run *run)
{
    run->state = RUN_GIVING_BACK;
    event_del(run->renew);
    set_timer(run->watch, GIVE_BACK_MS);
    proceed(run);
}

static void on_program_ended(void *arg, int status)
{
    struct run *run = arg;
    run->code = code_of(status);
    if (run->state == RUN_STOPPING) /* it is lost, or nobody is there to take it */
        end(run, EXIT_LOST);
    else
        give_back(run);
}

static void start_program(struct run *run)
{
    char fence[32];
    struct err err;
    snprintf(fence, sizeof(fence), "%" PRId64, run->held.fence);
    setenv("RESOURCE", run->held.resource, 1);
    setenv("TOKEN", run->held.token, 1);
    setenv("FENCE", fence, 1);
    run->state = RUN_RUNNING;
    run->foreground =
        foreground_start(run->base, run->plan.argv, on_program_ended, run, &run->code, &err);
    if (run->foreground == NULL) {
        complain(err.text, "");
        give_back(run);
        return;
    }
    set_timer(run->renew, run->plan.timeout_ms / 3);
    watch_deadline(run);
}

/* --- what the daemon answers ---------------------------------------------------------------------
 */

static void settle_login(struct run *run, const struct answer *answer)
{
    char text[200];
    if (!answer_is_error(answer)) {
        proceed(run);
        return;
    }
    str_printable(answer_str(answer), text, sizeof(text));
    complain("the daemon says", text);
    if (run->state == RUN_ASKING)
        end(run, EXIT_NO_DAEMON);
}

static void settle_ask(struct run *run, const struct answer *answer)
{
    struct err err;
    if (held_take(&run->held, answer, &err)) {
        run->deadline_ms = run->asked_ms + run->plan.timeout_ms;
        if (run->held.wait_ms < 0) {
            start_program(run);
            return;
        }
        run->state = RUN_CONFIRMING;
        proceed(run);
    } else if (err.kind != ERR_NONE) {
        complain(err.text, "");
        end(run, EXIT_NO_DAEMON);
    } else {
        complain(run->plan.name, "nothing was free");
        end(run, EXIT_NOT_FREE);
    }
}

/* An error of the daemon, such as a Redis that is away, is no loss yet: it is tried again. */
static void settle_renewal(struct run *run, const struct answer *answer)
{
    bool is_gone = answer_is_int(answer) && answer_int(answer, 1) == 0;
    bool is_others = answer_is_error(answer) && str_starts(answer_str(answer), STR("NOTOWNER"));
    if (answer_int(answer, 0) == 1) {
        run->deadline_ms = run->asked_ms + run->plan.timeout_ms;
        if (run->state == RUN_RUNNING)
            watch_deadline(run);
        else if (run->state == RUN_CONFIRMING)
            start_program(run);
    } else if (run->state == RUN_CONFIRMING && (is_gone || is_others)) {
        complain(run->plan.name, "it was lost before the program began");
        end(run, EXIT_NOT_FREE);
    } else if (is_gone || is_others) {
        run->deadline_ms = 0;
        stop_program(run, "it was lost");
    } else if (run->state != RUN_GIVING_BACK) {
        set_timer(run->renew, REDIAL_MS);
    }
    if (run->state == RUN_GIVING_BACK)
        proceed(run);
}

static void settle(void *arg, const struct answer *answer)
{
    struct run *run = arg;
    enum asked asked = run->asked;
    run->asked = ASKED_NOTHING;
    switch (asked) {
    case ASKED_LOGIN:
        settle_login(run, answer);
        break;
    case ASKED_IT:
        settle_ask(run, answer);
        break;
    case ASKED_RENEWAL:
        settle_renewal(run, answer);
        break;
    case ASKED_BACK:
        end(run, run->code);
        break;
    case ASKED_NOTHING:
        break;
    }
}

static void on_renew(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;
    (void)fd;
    (void)what;
    proceed(run);
    set_timer(run->renew, run->plan.timeout_ms / 3);
}

/* --- the connection ------------------------------------------------------------------------------
 */

static void on_opened(void *arg)
{
    struct run *run = arg;
    const char *user = run->plan.url.user, *password = run->plan.url.password;
    const struct str words[] = {STR("AUTH"), str_of(user[0] != '\0' ? user : "default"),
                                str_of(password)};
    if (password[0] == '\0') {
        proceed(run);
        return;
    }
    run->asked = ASKED_LOGIN;
    reply_command(stream_out(run->stream), words, 3);
    stream_wrote(run->stream);
}

static void hang_up(struct run *run)
{
    stream_free(run->stream);
    replies_free(run->replies);
    run->stream = NULL;
    run->replies = NULL;
    run->asked = ASKED_NOTHING;
    run->connection++;
}

/* Before anything is held this is the end; later there is time until the deadline. */
static void on_closed(void *arg, const char *why)
{
    struct run *run = arg;
    char where[300];
    addr_print(&run->plan.addr, where, sizeof(where));
    complain(where, why);
    hang_up(run);
    if (run->state == RUN_ASKING || run->state == RUN_CONFIRMING)
        end(run, EXIT_NO_DAEMON);
    else
        set_timer(run->redial, REDIAL_MS);
}

static void on_readable(void *arg)
{
    struct run *run = arg;
    uint64_t connection = run->connection;
    const char *trouble = NULL;
    enum replies_state state = REPLIES_GIVEN;
    while (state == REPLIES_GIVEN && run->connection == connection)
        state = replies_next(run->replies, stream_in(run->stream), settle, run, &trouble);
    if (state == REPLIES_BROKEN)
        on_closed(run, trouble);
}

static void connect_daemon(struct run *run)
{
    static const struct stream_events events = {
        .opened = on_opened, .readable = on_readable, .closed = on_closed};
    const struct stream_options options = {.connect_timeout_ms = CONNECT_MS, .keepalive_s = 60};
    run->replies = replies_new();
    run->stream = stream_dial(run->base, run->dns, &run->plan.addr, &options, &events, run);
}

static void on_redial(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connect_daemon(arg);
}

/* --- signals -------------------------------------------------------------------------------------
 */

/* They are the program's; before it runs they end us, and the daemon sees us go. */
static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    struct run *run = arg;
    (void)what;
    if (run->state == RUN_ASKING || run->state == RUN_CONFIRMING)
        end(run, 128 + (int)signal_number);
    else if (run->foreground != NULL)
        foreground_signal(run->foreground, (int)signal_number);
}

static void watch_signals(struct run *run)
{
    static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++) {
        run->signals[i] = evsignal_new(run->base, passed_on[i], on_signal, run);
        event_add(run->signals[i], NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* --- start and end -------------------------------------------------------------------------------
 */

static void start(struct run *run)
{
    clock_init(&run->clock);
    rand_init(&run->rand);
    held_init(&run->held, &run->plan, &run->rand);
    run->base = event_base_new();
    run->dns = evdns_base_new(run->base,
                              EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    run->redial = evtimer_new(run->base, on_redial, run);
    run->renew = evtimer_new(run->base, on_renew, run);
    run->watch = evtimer_new(run->base, on_watch, run);
    watch_signals(run);
    connect_daemon(run);
}

static void finish(struct run *run)
{
    hang_up(run);
    foreground_free(run->foreground);
    event_free(run->redial);
    event_free(run->renew);
    event_free(run->watch);
    for (int i = 0; i < SIGNALS && run->signals[i] != NULL; i++)
        event_free(run->signals[i]);
    if (run->dns != NULL)
        evdns_base_free(run->dns, 0);
    event_base_free(run->base);
    libevent_global_shutdown();
}

int run_main(int argc, char **argv)
{
    struct run run = {.code = EXIT_NO_DAEMON};
    enum plan_action action;
    struct err err;
    event_set_mem_functions(mem_alloc, mem_realloc, mem_free); /* libevent never lacks memory */
    if (!plan_read(&run.plan, argc, argv, getenv("RALLOCD_URL"), &action, &err)) {
        complain(err.text, "");
        return EXIT_USAGE;
    }
    if (action == PLAN_HELP) {
        plan_print_help();
        return EXIT_SUCCESS;
    }
    start(&run);
    event_base_dispatch(run.base);
    finish(&run);
    return run.code;
}
