/* rig: a daemon without sockets and without Redis, for tests of commands: the test says requests,
 * plays Redis, and sees what is answered. Each test program includes it once. */
#ifndef TESTS_UNIT_COMMANDS_RIG_H
#define TESTS_UNIT_COMMANDS_RIG_H

#include "base/mem.h"
#include "commands/dispatch.h"
#include "commands/works.h"
#include "daemon.h"
#include "report/slowlog.h"
#include <check.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

/* --- a Redis that the test plays ------------------------------------------------------------- */

struct upstream {
    bool is_flying;
    enum script_id script;
    char text[4096]; /* the args, with blanks between */
    call_done done;
    void *arg;
    int64_t away_ms;
};

bool upstream_call(struct upstream *up, const struct call *call)
{
    size_t at = 0;

    ck_assert(!up->is_flying);
    up->is_flying = true;
    up->script = call->script;
    up->done = call->done;
    up->arg = call->arg;
    up->text[0] = '\0';
    for (int i = 0; i < call->arg_count && at < sizeof(up->text); i++)
        at += (size_t)snprintf(up->text + at, sizeof(up->text) - at, "%s%.*s", i > 0 ? " " : "",
                               PRSTR(call->args[i]));
    return true;
}

int64_t upstream_away_ms(const struct upstream *up)
{
    return up->away_ms;
}

const char *upstream_trouble(const struct upstream *up)
{
    return up->away_ms > 0 ? "connection\nrefused" : "";
}

void upstream_listen(struct upstream *up, struct upstream_listener *listener)
{
    (void)up;
    (void)listener;
}

void upstream_forget(struct upstream *up, struct upstream_listener *listener)
{
    (void)up;
    (void)listener;
}

void upstream_hear(struct upstream *up, struct hearing *hearing)
{
    (void)up;
    (void)hearing;
}

void upstream_unhear(struct upstream *up, struct hearing *hearing)
{
    (void)up;
    (void)hearing;
}

uint64_t upstream_servers(const struct upstream *up)
{
    (void)up;
    return 1;
}

bool upstream_hears(const struct upstream *up)
{
    (void)up;
    return false;
}

void upstream_stats(const struct upstream *up, struct upstream_stats *out)
{
    *out = (struct upstream_stats){.links = 4, .links_ready = up->away_ms > 0 ? 0 : 4};
    snprintf(out->where, sizeof(out->where), "unix:/redis");
    snprintf(out->version, sizeof(out->version), "7.0.15");
}

/* --- connections ----------------------------------------------------------------------------- */

#define PEERS_MAX 8

struct turn {
    struct peer *peer;
    struct reply reply;
    bool is_ended;
    void (*gone)(void *arg);
    void *gone_arg;
};

struct peer {
    struct peer_state state;
    char address[32];
    const char *command;
    bool is_closed, is_there;
    int64_t age_s;
    char monitored[512]; /* what it saw as MONITOR */
    struct turn turn;    /* of its only request */
    struct evbuffer *out;
};

static struct rig {
    struct daemon daemon;
    struct upstream upstream;
    struct peer peers[PEERS_MAX];
    int64_t now_us;
    int shutdowns, settings_changes;
    bool is_shutdown_now;
    char text[1 << 18]; /* of the newest reply, with CRLF as LF */
} rig;

struct reply *turn_reply(struct turn *turn)
{
    return &turn->reply;
}

void turn_end(struct turn *turn)
{
    ck_assert(!turn->is_ended);
    turn->is_ended = true;
}

void turn_unmute(struct turn *turn)
{
    if (turn->peer != NULL)
        turn->reply.out = turn->peer->out;
}

bool turn_is_orphan(const struct turn *turn)
{
    return turn->peer == NULL;
}

bool turn_is_alone(const struct turn *turn)
{
    return turn->peer != NULL;
}

void turn_watch(struct turn *turn, void (*gone)(void *arg), void *arg)
{
    turn->gone = gone;
    turn->gone_arg = arg;
}

struct peer *turn_peer(const struct turn *turn)
{
    return turn->peer;
}

struct peer_state *peer_state(struct peer *peer)
{
    return &peer->state;
}

void peer_set_text(char **field, struct str text)
{
    mem_free(*field);
    *field = mem_dup(text);
}

static struct reply rig_push;

struct reply *peer_begin_push(struct peer *peer)
{
    rig_push = (struct reply){.out = peer->out, .protocol = peer->state.protocol};
    return &rig_push;
}

void peer_end_push(struct peer *peer)
{
    (void)peer;
}

void peer_reset(struct daemon *daemon, struct peer *peer)
{
    uint64_t id = peer->state.id;

    mem_free(peer->state.name);
    mem_free(peer->state.lib_name);
    mem_free(peer->state.lib_version);
    mem_free(peer->state.user);
    peer->state = (struct peer_state){.id = id,
                                      .protocol = 2,
                                      .is_logged_in = daemon->config.server.requirepass[0] == '\0',
                                      .name = mem_dup(STR("")),
                                      .lib_name = mem_dup(STR("")),
                                      .lib_version = mem_dup(STR("")),
                                      .user = mem_dup(STR(""))};
}

void peer_close(struct peer *peer, const char *why)
{
    (void)why;
    peer->is_closed = true;
}

void peer_describe(struct peer *peer, char *out, size_t size)
{
    snprintf(out, size, "id=%llu addr=%s name=%s", (unsigned long long)peer->state.id,
             peer->address, peer->state.name);
}

const char *peer_address(const struct peer *peer)
{
    return peer->address;
}

const char *peer_local_address(const struct peer *peer)
{
    (void)peer;
    return "127.0.0.1:7411";
}

int64_t peer_age_s(const struct peer *peer)
{
    return peer->age_s;
}

int64_t peer_idle_s(const struct peer *peer)
{
    (void)peer;
    return 0;
}

void peer_set_command(struct peer *peer, const char *name)
{
    peer->command = name;
}

struct peer *peer_next(struct daemon *daemon, struct peer *peer)
{
    (void)daemon;
    for (peer = peer == NULL ? rig.peers : peer + 1; peer < rig.peers + PEERS_MAX; peer++) {
        if (peer->is_there && !peer->is_closed)
            return peer;
    }
    return NULL;
}

void peers_monitor(struct daemon *daemon, struct peer *from, const struct str *argv, int argc)
{
    (void)daemon;
    for (struct peer *peer = rig.peers; peer < rig.peers + PEERS_MAX; peer++) {
        size_t at = strlen(peer->monitored);
        if (peer == from || !peer->state.is_monitor)
            continue;
        for (int i = 0; i < argc && at < sizeof(peer->monitored); i++)
            at += (size_t)snprintf(peer->monitored + at, sizeof(peer->monitored) - at, "%s%.*s",
                                   i > 0 ? " " : "", PRSTR(argv[i]));
    }
}

void peers_shutdown(struct daemon *daemon, bool is_now)
{
    (void)daemon;
    rig.shutdowns++;
    rig.is_shutdown_now = is_now;
}

/* --- the daemon ------------------------------------------------------------------------------ */

static inline int64_t rig_read_clock(void *arg)
{
    return *(const int64_t *)arg;
}

static inline void rig_settings_changed(struct daemon *daemon)
{
    (void)daemon;
    rig.settings_changes++;
}

static inline struct peer *rig_connect(int i)
{
    struct peer *peer = &rig.peers[i];

    ck_assert(!peer->is_there);
    peer->is_there = true;
    peer->state.id = (uint64_t)i + 1;
    peer_reset(&rig.daemon, peer);
    snprintf(peer->address, sizeof(peer->address), "127.0.0.1:%d", 1000 + i);
    peer->out = evbuffer_new();
    return peer;
}

/* Settings at their defaults; two clients. */
static inline void rig_start(void)
{
    char program[] = "rallocd", *argv[] = {program, NULL}, *environment[] = {NULL};
    struct daemon *daemon = &rig.daemon;
    enum config_action action;
    struct err err;

    ck_assert_msg(config_load(&daemon->config, 1, argv, environment, NULL, &action, &err), "%s",
                  err.text);
    rig.now_us = 1700000000123456;
    daemon->clock = (struct clock){rig_read_clock, rig_read_clock, &rig.now_us};
    log_init(&daemon->log, &daemon->clock);
    rand_init(&daemon->rand);
    daemon->upstream = &rig.upstream;
    daemon->slowlog = slowlog_new();
    daemon->command_stats = command_stats_new();
    daemon->config_file = mem_dup(STR(""));
    daemon->settings_changed = rig_settings_changed;
    snprintf(daemon->id, sizeof(daemon->id), "daemon-id");
    batches_init(&daemon->batches, daemon->upstream, &daemon->clock, &daemon->log,
                 str_of(daemon->id));
    list_init(&daemon->waits);
    waiters_init(&daemon->waiters, &daemon->batches, &daemon->rand);
    pools_init(&daemon->pools, &daemon->batches, &daemon->waiters, &daemon->config, &daemon->clock,
               &daemon->rand, &daemon->log);
    sources_init(&daemon->sources, &daemon->pools, NULL, NULL);
    pools_configure(&daemon->pools);
    locks_init(&daemon->locks, &daemon->batches, &daemon->waiters,
               str_of(daemon->config.server.namespace), &daemon->rand, &daemon->log);
    tasks_init(&daemon->tasks, &daemon->batches, &daemon->waiters.alarms, &daemon->config,
               &daemon->rand, &daemon->log);
    rig_connect(0);
    rig_connect(1);
}

static inline void rig_stop(void)
{
    ck_assert(!rig.upstream.is_flying);
    pools_clear(&rig.daemon.pools);
    locks_clear(&rig.daemon.locks);
    for (struct peer *peer = rig.peers; peer < rig.peers + PEERS_MAX; peer++)
        works_end(&peer->state);
    tasks_stop(&rig.daemon.tasks);
    batches_clear(&rig.daemon.batches);
    tasks_clear(&rig.daemon.tasks);
    waiters_clear(&rig.daemon.waiters);
    for (struct peer *peer = rig.peers; peer < rig.peers + PEERS_MAX; peer++) {
        mem_free(peer->state.name);
        mem_free(peer->state.lib_name);
        mem_free(peer->state.lib_version);
        mem_free(peer->state.user);
        if (peer->out != NULL)
            evbuffer_free(peer->out);
    }
    slowlog_free(rig.daemon.slowlog);
    mem_free(rig.daemon.command_stats);
    mem_free(rig.daemon.config_file);
    config_clear(&rig.daemon.config);
}

/* What the peer has been answered, with CRLF as LF; "" while it waits. */
static inline const char *rig_reply(struct peer *peer)
{
    size_t len = evbuffer_get_length(peer->out), out = 0;
    char *raw = mem_alloc(len + 1);

    evbuffer_remove(peer->out, raw, len);
    for (size_t i = 0; i < len && out < sizeof(rig.text) - 1; i++) {
        if (raw[i] != '\r')
            rig.text[out++] = raw[i];
    }
    rig.text[out] = '\0';
    mem_free(raw);
    return peer->turn.is_ended ? rig.text : "";
}

/* Begins a request. */
static inline void rig_ask(struct peer *peer, const struct str *argv, int argc)
{
    struct evbuffer *out = peer->state.reply_mode == PEER_REPLY_ON ? peer->out : NULL;

    peer->turn =
        (struct turn){.peer = peer, .reply = {.out = out, .protocol = peer->state.protocol}};
    dispatch(&rig.daemon, peer, &peer->turn, argv, argc);
}

static inline void rig_ask_words(struct peer *peer, const char *const *words)
{
    struct str argv[64];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = str_of(words[argc]);
    rig_ask(peer, argv, argc);
}

/* Redis answers the call in flight; resp with LF for CRLF. */
static inline void rig_answer(const char *resp)
{
    struct upstream *up = &rig.upstream;
    redisReader *reader = redisReaderCreate();
    void *answer = NULL;

    ck_assert(up->is_flying);
    for (const char *c = resp; *c != '\0'; c++)
        redisReaderFeed(reader, *c == '\n' ? "\r\n" : c, *c == '\n' ? 2 : 1);
    ck_assert_int_eq(redisReaderGetReply(reader, &answer), REDIS_OK);
    ck_assert_ptr_nonnull(answer);
    up->is_flying = false;
    up->done(up->arg, CALL_ANSWERED, answer);
    freeReplyObject(answer);
    redisReaderFree(reader);
}

/* Redis went away after the call was sent. */
static inline void rig_lose(void)
{
    rig.upstream.is_flying = false;
    rig.upstream.done(rig.upstream.arg, CALL_LOST, answer_none());
}

/* The first client asks; what it is answered at once, "" when it waits for Redis. */
#define says(...)                                                            \
    (rig_ask_words(&rig.peers[0], (const char *const[]){__VA_ARGS__, NULL}), \
     rig_reply(&rig.peers[0]))
/* Likewise, the second. */
#define other_says(...)                                                      \
    (rig_ask_words(&rig.peers[1], (const char *const[]){__VA_ARGS__, NULL}), \
     rig_reply(&rig.peers[1]))
/* The first client asks, Redis answers. */
#define says_then(resp, ...)                                                                   \
    (rig_ask_words(&rig.peers[0], (const char *const[]){__VA_ARGS__, NULL}), rig_answer(resp), \
     rig_reply(&rig.peers[0]))

#endif
