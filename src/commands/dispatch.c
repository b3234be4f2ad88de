/* dispatch: finds a request's row, checks it, runs its handler, and counts it when its reply is
 * whole. See dispatch.h. */
#include "commands/dispatch.h"
#include "base/mem.h"
#include "commands/handlers.h"
#include "commands/holds.h"
#include "daemon.h"
#include "report/slowlog.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MAX 128 /* bytes of a word of the user in an error, as in Redis */

static struct command_shape shape_of(const struct command *command)
{
    struct command_shape shape = {.arity = command_arity(command)};
    int most;

    shape.names = strchr(command->full, '|') != NULL ? 2 : 1;
    command_words(command->args, &shape.fixed_min, &shape.fixed_max);
    command_words(command->rest, &shape.rest_min, &most);
    return shape;
}

struct command_stats *command_stats_new(void)
{
    struct command_stats *stats = mem_array(command_count(), sizeof(struct command_stats));

    for (size_t i = 0; i < command_count(); i++)
        stats[i].shape = shape_of(command_at(i));
    return stats;
}

void command_stats_reset(struct daemon *daemon)
{
    for (size_t i = 0; i < command_count(); i++)
        daemon->command_stats[i] = (struct command_stats){.shape = daemon->command_stats[i].shape};
}

struct command_stats *command_stats_of(struct daemon *daemon, const struct command *command)
{
    return &daemon->command_stats[command_index(command)];
}

/* --- errors
 * --------------------------------------------------------------------------------------- */

void ask_fail(struct ask *ask, const struct err *err)
{
    ask->has_failed = true;
    reply_err(ask->reply, err);
}

void ask_error(struct ask *ask, enum err_kind kind, const char *format, ...)
{
    struct err err = {.kind = kind};
    va_list args;

    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    ask_fail(ask, &err);
}

void ask_wrong_arity(struct ask *ask)
{
    ask_error(ask, ERR_GENERAL, "wrong number of arguments for '%s' command", ask->command->full);
}

void ask_syntax_error(struct ask *ask)
{
    ask_error(ask, ERR_GENERAL, "syntax error");
}

static void refuse_unknown(struct ask *ask)
{
    char name[SHOWN_MAX], args[SHOWN_MAX * 2] = "", shown[SHOWN_MAX];
    size_t len = 0;

    str_printable(ask->argv[0], name, sizeof(name));
    for (int i = 1; i < ask->argc && len < SHOWN_MAX; i++) {
        str_printable(ask->argv[i], shown, sizeof(shown) - len);
        int more = snprintf(args + len, sizeof(args) - len, "'%s' ", shown);
        len += more > 0 ? (size_t)more : 0;
    }
    ask_error(ask, ERR_GENERAL, "unknown command '%s', with args beginning with: %s", name, args);
}

static void refuse_unknown_sub(struct ask *ask)
{
    char name[SHOWN_MAX];

    str_printable(ask->argv[1], name, sizeof(name));
    ask_error(ask, ERR_GENERAL, "unknown subcommand '%s'. Try %s HELP.", name, ask->command->name);
}

/* --- the end of a request -------------------------------------------------------------------- */

static bool is_slow(const struct daemon *daemon, int64_t usec)
{
    int64_t slower_than = daemon->config.server.slowlog_slower_than_us;
    return slower_than >= 0 && usec >= slower_than;
}

/* "requirepass", "redis.password", and a url, which may hold one. */
static bool is_password(struct str setting)
{
    return str_glob(STR("*pass*"), setting, true) || str_glob(STR("*url"), setting, true);
}

/* Whether argv[i] must be shown to nobody. */
static bool is_secret(const struct command *command, const struct str *argv, int i)
{
    if (i == 0 || !(command->flags & CMD_NO_MONITOR))
        return false;
    if (command->run == cmd_hello) /* HELLO 3 AUTH user password */
        return str_eq_nocase(argv[i - 1], STR("AUTH")) ||
               (i >= 2 && str_eq_nocase(argv[i - 2], STR("AUTH")));
    if (command->run == cmd_pool_setdata) /* POOL SETDATA pool resource bytes */
        return i == 4;
    if (command->run == cmd_config_set) /* CONFIG SET server.requirepass value */
        return i == 3 && is_password(argv[2]);
    return true;
}

/* The request as it may be shown: argv itself, or *copy (the caller's to free). */
static const struct str *redact(const struct ask *ask, struct str **copy)
{
    *copy = NULL;
    if (!(ask->command->flags & CMD_NO_MONITOR))
        return ask->argv;
    *copy = mem_array((size_t)ask->argc, sizeof(struct str));
    for (int i = 0; i < ask->argc; i++)
        (*copy)[i] = is_secret(ask->command, ask->argv, i) ? STR("(redacted)") : ask->argv[i];
    return *copy;
}

static void show_monitors(const struct ask *ask)
{
    struct str *copy;

    if (ask->daemon->gauges.monitors == 0 || (ask->command->flags & CMD_ADMIN))
        return;
    const struct str *shown = redact(ask, &copy);
    peers_monitor(ask->daemon, ask->peer, shown, ask->argc);
    mem_free(copy);
}

static void log_slow(struct daemon *daemon, int64_t usec, const struct slowlog_args *args,
                     const struct peer *peer, const char *name)
{
    slowlog_add(daemon->slowlog, daemon->config.server.slowlog_max_len,
                clock_wall_us(&daemon->clock) / 1000000, usec, args,
                peer != NULL ? peer_address(peer) : "", name);
}

static void count_end(struct daemon *daemon, const struct command *command, int64_t usec,
                      bool has_failed)
{
    struct command_stats *stats = command_stats_of(daemon, command);

    stats->usec += (uint64_t)usec;
    if (has_failed) {
        stats->failed++;
        daemon->stats.errors_replied++;
    }
}

/* One piece of memory with the copy for the slow log, where that is on. */
static struct later *alloc_later(const struct ask *ask)
{
    struct str *copy;
    if (ask->daemon->config.server.slowlog_slower_than_us < 0)
        return mem_zalloc(sizeof(struct later));
    const struct str *shown = redact(ask, &copy);
    struct later *later = mem_alloc(sizeof(*later) + slowlog_args_size(shown, ask->argc));
    *later = (struct later){.args = (struct slowlog_args *)(later + 1)};
    slowlog_args_write(later->args, shown, ask->argc);
    mem_free(copy);
    return later;
}

struct later *later_new(struct ask *ask, struct pool *pool)
{
    struct later *later = alloc_later(ask);

    later->daemon = ask->daemon;
    later->turn = ask->turn;
    later->command = ask->command;
    later->pool = pool;
    later->given = ask->options.given;
    later->asker = peer_state(ask->peer)->id;
    later->resets = peer_state(ask->peer)->resets;
    later->is_shared = pool != NULL && pool->config->is_shared;
    later->started_us = ask->started_us;
    ask->is_later = true;
    return later;
}

struct reply *later_reply(struct later *later)
{
    return turn_reply(later->turn);
}

void later_fail(struct later *later, const struct err *err)
{
    later->has_failed = true;
    reply_err(later_reply(later), err);
    later_end(later);
}

void later_end(struct later *later)
{
    struct daemon *daemon = later->daemon;
    int64_t usec = later->is_patient ? 0 : clock_us(&daemon->clock) - later->started_us;

    if (list_has(&later->node))
        list_remove(&daemon->waits, &later->node);
    count_end(daemon, later->command, usec, later->has_failed);
    if (later->args != NULL && is_slow(daemon, usec)) {
        struct peer *peer = turn_peer(later->turn);
        log_slow(daemon, usec, later->args, peer, peer != NULL ? peer_state(peer)->name : "");
    }
    turn_end(later->turn);
    mem_free(later);
}

static void log_slow_now(const struct ask *ask, int64_t usec)
{
    struct str *copy;
    const struct str *shown = redact(ask, &copy);
    struct slowlog_args *args = mem_alloc(slowlog_args_size(shown, ask->argc));
    slowlog_args_write(args, shown, ask->argc);
    log_slow(ask->daemon, usec, args, ask->peer, peer_state(ask->peer)->name);
    mem_free(args);
    mem_free(copy);
}

static void end_at_once(struct ask *ask)
{
    int64_t usec = clock_us(&ask->daemon->clock) - ask->started_us;

    count_end(ask->daemon, ask->command, usec, ask->has_failed);
    if (is_slow(ask->daemon, usec))
        log_slow_now(ask, usec);
    turn_end(ask->turn);
}

/* --- the way in ------------------------------------------------------------------------------ */

/* Sets ask->command; false: answered. */
static bool find_command(struct ask *ask)
{
    ask->command = command_find(ask->argv[0]);
    if (ask->command == NULL) {
        refuse_unknown(ask);
        return false;
    }
    if (ask->command->subcommands == NULL || ask->argc < 2)
        return true;
    const struct command *sub = command_find_sub(ask->command, ask->argv[1]);
    if (sub == NULL) {
        refuse_unknown_sub(ask);
        return false;
    }
    ask->command = sub;
    return true;
}

static bool check_arity(struct ask *ask)
{
    int arity = command_stats_of(ask->daemon, ask->command)->shape.arity;

    if (ask->command->run != NULL && (arity > 0 ? ask->argc == arity : ask->argc >= -arity))
        return true;
    ask_wrong_arity(ask);
    return false;
}

static bool check_login(struct ask *ask)
{
    if (peer_state(ask->peer)->is_logged_in || (ask->command->flags & CMD_NO_AUTH))
        return true;
    ask_error(ask, ERR_NOAUTH, "Authentication required.");
    return false;
}

/* How many fixed arguments there are. Where the last one may be left out and options follow, each
 * of these is two words (the table's test sees to it): an odd one is the argument. */
static int count_fixed(const struct command *command, const struct command_shape *shape, int given)
{
    if (command->options != 0 && shape->fixed_max > shape->fixed_min)
        return shape->fixed_min + (given - shape->fixed_min) % 2;
    return given < shape->fixed_max ? given : shape->fixed_max;
}

/* A connection that lost what it held must not go on as if it had it. */
static bool check_losses(struct ask *ask)
{
    struct err err;

    if (!(ask->command->flags & (CMD_WRITE | CMD_READ)) ||
        !holds_tell_late(peer_state(ask->peer), &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

/* What a user gets is the user's, unless OWNER says whose it is. */
static void choose_owner(struct ask *ask)
{
    if ((ask->command->options & OPT_OWNER) && !(ask->options.given & OPT_OWNER))
        ask->options.owner = str_of(peer_state(ask->peer)->user);
}

/* Cuts the arguments into fixed ones, options and the rest. */
static bool cut_arguments(struct ask *ask)
{
    const struct command *command = ask->command;
    const struct command_shape *shape = &command_stats_of(ask->daemon, command)->shape;
    int given = ask->argc - shape->names, used = 0;
    struct err err;

    ask->fixed = ask->argv + shape->names;
    ask->fixed_count = count_fixed(command, shape, given);
    ask->rest = ask->fixed + ask->fixed_count;
    ask->rest_count = given - ask->fixed_count;
    bool has_resources = (command->flags & CMD_RESOURCES) != 0;
    if (command->options != 0 || has_resources) {
        if (!options_parse(command->name, command->options, has_resources, ask->rest,
                           ask->rest_count, &ask->options, &used, &err)) {
            ask_fail(ask, &err);
            return false;
        }
        choose_owner(ask);
        ask->rest += used;
        ask->rest_count -= used;
    }
    if (ask->rest_count < shape->rest_min || (command->rest == NULL && ask->rest_count > 0)) {
        ask_wrong_arity(ask);
        return false;
    }
    return true;
}

static void reject(struct ask *ask)
{
    if (ask->command != NULL)
        command_stats_of(ask->daemon, ask->command)->rejected++;
    ask->daemon->stats.errors_replied++;
    turn_end(ask->turn);
}

void dispatch(struct daemon *daemon, struct peer *peer, struct turn *turn, const struct str *argv,
              int argc)
{
    struct ask ask = {.daemon = daemon,
                      .peer = peer,
                      .turn = turn,
                      .reply = turn_reply(turn),
                      .argv = argv,
                      .argc = argc,
                      .started_us = clock_us(&daemon->clock)};

    if (!find_command(&ask) || !check_arity(&ask) || !check_login(&ask) || !check_losses(&ask) ||
        !cut_arguments(&ask)) {
        reject(&ask);
        return;
    }
    daemon->stats.commands_processed++;
    command_stats_of(daemon, ask.command)->calls++;
    peer_set_command(peer, ask.command->full);
    show_monitors(&ask);
    ask.command->run(&ask);
    if (!ask.is_later)
        end_at_once(&ask);
}
