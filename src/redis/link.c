#include "redis/link.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "io/stream.h"
#include "redis/fate.h"
#include "redis/greeting.h"
#include "redis/inflight.h"
#include "redis/replies.h"
#include <stdio.h>

enum {
    MAX_RESENDS = 3,     /* of a call whose script was not known */
    US_A_THING = 50,     /* more patience with a call, for each thing that it may touch */
    HURRY_MS = 20,       /* between two dials while a server of ours is starting */
    STALL_MS = 100,      /* a timer that is later than this: the daemon itself stood still */
    ALIVE_MS_MAX = 5000, /* an idle link is pinged at least this often */
    KEEPALIVE_S = 60
};

enum link_state {
    LINK_IDLE,     /* not wanted: before link_start() and after link_stop() */
    LINK_WAITING,  /* not connected; dials when the timer fires */
    LINK_DIALLING, /* connecting; the stream has the deadline */
    LINK_GREETING, /* connected; the greeting is sent, its answers are awaited */
    LINK_HELD, /* connected, but Redis takes no calls now (LOADING): greeted again by the timer */
    LINK_READY /* takes calls */
};

struct link {
    struct link_host *host;
    int number;
    enum link_state state;
    struct stream *stream;   /* from DIALLING on */
    struct replies *replies; /* the parser; new for each connection */
    struct event *timer;     /* what it is for depends on the state: see on_timer() */
    int64_t timer_due_ms;
    bool was_late; /* the timer has been put off once, see on_timer() */
    struct inflight inflight;
    int failures;        /* dials in a row that did not end in READY */
    uint64_t connection; /* counts connections: tells whether a callback has ended this one */
    struct greeting greeting;
    int64_t read_us;               /* when the bytes came whose answers are given now */
    int64_t heard_ms;              /* of the last answer */
    bool is_loading[SCRIPT_COUNT]; /* a SCRIPT LOAD is in flight */
};

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void dial(struct link *link);
static void lose(struct link *link, const char *why);

/* --- states and their timer ----------------------------------------------------------------------
 */

static void set_timer(struct link *link, int64_t after_ms)
{
    struct timeval tv = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    link->timer_due_ms = clock_ms(link->host->clock) + after_ms;
    evtimer_add(link->timer, &tv);
}

/* Exponential with full jitter, so that a fleet does not come back in one instant. */
int64_t link_backoff_ms(const struct link_host *host, int failures)
{
    const struct redis_config *config = host->config;
    int64_t least = config->backoff_min_ms > 0 ? config->backoff_min_ms : 1;
    int64_t most = config->backoff_max_ms > least ? config->backoff_max_ms : least;
    int doublings = failures < 20 ? failures : 20;
    int64_t range = most - least;
    if ((least << doublings) < range)
        range = least << doublings;
    if (clock_ms(host->clock) < host->hurry_until_ms)
        return HURRY_MS;
    return least + (int64_t)rand_below(host->rand, (uint64_t)range + 1);
}

/* How often a link that is ready looks at its oldest call, and how long it may be silent before it
 * is pinged. Less than the deadline of a reply, so that no deadline is met late. */
static int64_t watch_ms(const struct link *link)
{
    int64_t half = link->host->config->reply_timeout_ms / 2;
    return half < 1 ? 1 : half < ALIVE_MS_MAX ? half : ALIVE_MS_MAX;
}

/* The only place where the state changes. */
static void link_become(struct link *link, enum link_state state)
{
    bool was_ready = link->state == LINK_READY;
    link->state = state;
    switch (state) {
    case LINK_IDLE:
        evtimer_del(link->timer);
        break;
    case LINK_WAITING:
    case LINK_HELD:
        set_timer(link, link_backoff_ms(link->host, link->failures));
        link->failures++;
        break;
    case LINK_DIALLING:
        evtimer_del(link->timer);
        break;
    case LINK_GREETING:
        set_timer(link, watch_ms(link));
        break;
    case LINK_READY:
        link->failures = 0;
        set_timer(link, watch_ms(link));
        break;
    }
    if (was_ready != (state == LINK_READY))
        link->host->changed(link->host->arg, link);
}

/* --- sending -------------------------------------------------------------------------------------
 */

static void send_request(struct link *link, struct pending *pending, const struct wire_head *head,
                         const struct call *call)
{
    pending->sent_us = clock_us(link->host->clock);
    size_t size = wire_call_size(head, call);
    char *bytes = inflight_push(&link->inflight, pending, size);
    wire_call(bytes, head, call);
    evbuffer_add(stream_out(link->stream), bytes, size);
    stream_wrote(link->stream);
}

static void send_words(struct link *link, enum pending_kind kind, enum script_id script,
                       const struct str *words, int count)
{
    struct pending pending = {.kind = kind, .script = script};
    struct call call = {.args = words, .arg_count = count};
    send_request(link, &pending, NULL, &call);
}

void link_send(struct link *link, const struct call *call)
{
    struct pending pending = {.kind = PENDING_CALL,
                              .script = call->script,
                              .patience_ms = call->weight * US_A_THING / 1000,
                              .done = call->done,
                              .arg = call->arg};
    const struct wire_head *head =
        call->script == SCRIPT_NONE ? NULL : &link->host->heads[call->script];
    send_request(link, &pending, head, call);
    link->host->in_flight++;
}

/* The oldest call once more, behind all others, after its script. It is still in `inflight`. */
static void send_again(struct link *link, const struct pending *oldest)
{
    struct pending again = *oldest;
    struct str kept = inflight_first_bytes(&link->inflight);
    char *copy = mem_alloc(kept.len);
    memcpy(copy, kept.ptr, kept.len);
    if (!link->is_loading[again.script]) {
        const struct str load[] = {STR("SCRIPT"), STR("LOAD"), script_of(again.script)->text};
        link->is_loading[again.script] = true;
        send_words(link, PENDING_LOAD, again.script, load, 3);
    }
    again.resends++;
    again.sent_us = clock_us(link->host->clock);
    memcpy(inflight_push(&link->inflight, &again, kept.len), copy, kept.len);
    evbuffer_add(stream_out(link->stream), copy, kept.len);
    stream_wrote(link->stream);
    mem_free(copy);
}

static void greet(struct link *link)
{
    struct str words[GREETING_WORDS];
    const struct redis_config *config = link->host->config;
    enum pending_kind kind = PENDING_AUTH;
    greeting_init(&link->greeting);
    for (; kind <= PENDING_GREETED; kind++) {
        char number[NUM_INT_MAX];
        int count = greeting_words(kind, config, link->host->name, number, words);
        if (count > 0)
            send_words(link, kind, SCRIPT_NONE, words, count);
    }
}

/* --- answers -------------------------------------------------------------------------------------
 */

static void greeted(struct link *link)
{
    switch (link->greeting.outcome) {
    case GREETING_WELL:
        link_become(link, LINK_READY);
        break;
    case GREETING_LATER:
        link_become(link, LINK_HELD);
        link->host->trouble(link->host->arg, link->greeting.trouble, true);
        break;
    case GREETING_FAILED:
        lose(link, link->greeting.trouble);
        break;
    }
}

/* An ACL may keep INFO from us: then nothing is known of it. */
static void note_server(struct link_host *host, const struct greeting *greeting)
{
    if (greeting->version[0] != '\0')
        snprintf(host->version, sizeof(host->version), "%s", greeting->version);
    if (greeting->run_id[0] == '\0' || strcmp(greeting->run_id, host->run_id) == 0)
        return;
    snprintf(host->run_id, sizeof(host->run_id), "%s", greeting->run_id);
    host->servers++;
}

static void answer_greeting(struct link *link, enum pending_kind kind, const struct answer *answer)
{
    greeting_take(&link->greeting, kind, answer);
    if (kind == PENDING_INFO)
        note_server(link->host, &link->greeting);
    if (kind == PENDING_NAME && answer_is_error(answer))
        log_text(link->host->log, LOG_LEVEL_WARNING, "link-unnamed", "CLIENT SETNAME: %.*s",
                 PRSTR(answer_str(answer)));
    if (kind == PENDING_GREETED)
        greeted(link);
}

static void answer_load(struct link *link, enum script_id script, const struct answer *answer)
{
    const char *name = script_of(script)->name;
    link->is_loading[script] = false;
    if (answer_is_error(answer)) {
        char text[256];
        str_printable(answer_str(answer), text, sizeof(text));
        log_line(link->host->log, LOG_LEVEL_ERROR, "script-refused", "script", name, "error", text,
                 NULL);
        return;
    }
    link->host->scripts_loaded++;
    log_line(link->host->log, LOG_LEVEL_DEBUG, "script-loaded", "script", name, NULL);
}

static void answer_call(struct link *link, const struct pending *call, const struct answer *answer)
{
    struct link_host *host = link->host;
    enum call_fate fate = fate_of(answer);
    host->in_flight--;
    if (fate == CALL_REFUSED)
        host->refused++;
    /* The connection is good, but every call would be refused: others are better. */
    if (link->state == LINK_READY && fate_is_passing(answer) &&
        !str_starts(answer_str(answer), STR("BUSY"))) {
        char text[256];
        str_printable(answer_str(answer), text, sizeof(text));
        link_become(link, LINK_HELD);
        host->trouble(host->arg, text, true);
    }
    call->done(call->arg, fate, answer);
    host->answered(host->arg);
}

/* Gives one answer to the oldest request. */
static void answer_oldest(void *arg, const struct answer *answer)
{
    struct link *link = arg;
    const struct pending *first = inflight_first(&link->inflight);
    char text[120];
    if (first == NULL) {
        str_printable(answer_str(answer), text, sizeof(text));
        log_line(link->host->log, LOG_LEVEL_WARNING, "link-surprise", "answer", text, NULL);
        return;
    }
    struct pending pending = *first;
    link->heard_ms = link->read_us / 1000;
    link->host->last_latency_us = link->read_us - pending.sent_us;
    if (pending.kind == PENDING_CALL && pending.script != SCRIPT_NONE && fate_is_noscript(answer) &&
        pending.resends < MAX_RESENDS) {
        send_again(link, first);
        inflight_pop(&link->inflight);
        return;
    }
    inflight_pop(&link->inflight);
    if (pending.kind == PENDING_CALL)
        answer_call(link, &pending, answer);
    else if (pending.kind == PENDING_LOAD)
        answer_load(link, pending.script, answer);
    else if (pending.kind != PENDING_ALIVE)
        answer_greeting(link, pending.kind, answer);
}

/* --- the connection ------------------------------------------------------------------------------
 */

/* Everything that waits for an answer of this connection will not get it. The state has changed
 * before: what the callbacks send goes elsewhere. */
static void tell_lost(struct link *link)
{
    const struct pending *first;
    while ((first = inflight_first(&link->inflight)) != NULL) {
        struct pending pending = *first;
        inflight_pop(&link->inflight);
        if (pending.kind != PENDING_CALL)
            continue;
        link->host->in_flight--;
        link->host->lost++;
        pending.done(pending.arg, CALL_LOST, answer_none());
    }
}

static void disconnect(struct link *link)
{
    stream_free(link->stream);
    link->stream = NULL;
    replies_free(link->replies);
    link->replies = NULL;
    link->connection++;
    memset(link->is_loading, 0, sizeof(link->is_loading));
}

/* Ends the connection and begins to wait for the next. */
static void lose(struct link *link, const char *why)
{
    struct link_host *host = link->host;
    bool was_connected = link->state != LINK_DIALLING;
    char number[NUM_INT_MAX], kept[256];
    num_format_int(number, link->number);
    snprintf(kept, sizeof(kept), "%s", why); /* `why` may be the stream's */
    log_line(host->log, was_connected ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "link-lost", "link",
             number, "why", kept, NULL);
    disconnect(link);
    link_become(link, LINK_WAITING);
    host->trouble(host->arg, kept, was_connected);
    tell_lost(link);
}

static void on_opened(void *arg)
{
    struct link *link = arg;
    link->host->connects++;
    link->heard_ms = clock_ms(link->host->clock);
    link_become(link, LINK_GREETING);
    greet(link);
}

static void on_readable(void *arg)
{
    struct link *link = arg;
    uint64_t connection = link->connection;
    const char *trouble = NULL;
    link->read_us = clock_us(link->host->clock); /* one look at the clock serves all of a read */
    while (link->connection == connection) {
        enum replies_state state =
            replies_next(link->replies, stream_in(link->stream), answer_oldest, link, &trouble);
        if (state == REPLIES_BROKEN)
            lose(link, trouble);
        if (state != REPLIES_GIVEN)
            return;
    }
}

static void on_closed(void *arg, const char *why)
{
    lose(arg, why);
}

static void dial(struct link *link)
{
    static const struct stream_events events = {
        .opened = on_opened, .readable = on_readable, .closed = on_closed};
    const struct stream_options options = {
        .connect_timeout_ms = link->host->config->connect_timeout_ms,
        .keepalive_s = KEEPALIVE_S,
    };
    link_become(link, LINK_DIALLING);
    link->replies = replies_new();
    link->stream =
        stream_dial(link->host->base, link->host->dns, &link->host->addr, &options, &events, link);
}

static int64_t patience_ms(const struct link *link, const struct pending *oldest)
{
    return link->host->config->reply_timeout_ms + oldest->patience_ms;
}

/* Its time begins when it is the oldest: what Redis did before it is not its fault. */
static int64_t deadline_ms(const struct link *link, const struct pending *oldest)
{
    int64_t sent_ms = oldest->sent_us / 1000;
    int64_t since_ms = sent_ms > link->heard_ms ? sent_ms : link->heard_ms;
    return since_ms + patience_ms(link, oldest);
}

/* True when the oldest request has waited for too long: the link is lost then. */
static bool check_deadline(struct link *link, int64_t now_ms)
{
    const struct pending *first = inflight_first(&link->inflight);
    char why[80];
    if (first == NULL || now_ms < deadline_ms(link, first))
        return false;
    snprintf(why, sizeof(why), "no reply within %lld ms", (long long)patience_ms(link, first));
    lose(link, why);
    return true;
}

static void watch(struct link *link, int64_t now_ms)
{
    const struct pending *first = inflight_first(&link->inflight);
    int64_t next_ms = watch_ms(link);
    if (first != NULL) {
        int64_t due_ms = deadline_ms(link, first) - now_ms;
        next_ms = due_ms < next_ms ? due_ms + 1 : next_ms;
    } else if (now_ms - link->heard_ms >= next_ms) {
        const struct str ping[] = {STR("PING")};
        send_words(link, PENDING_ALIVE, SCRIPT_NONE, ping, 1);
    }
    set_timer(link, next_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;
    int64_t now_ms = clock_ms(link->host->clock);
    (void)fd;
    (void)what;
    if (link->state == LINK_WAITING) {
        dial(link);
        return;
    }
    /* After a standstill of our own answers may lie unread: read them before judging. */
    if (now_ms - link->timer_due_ms > STALL_MS && !link->was_late) {
        link->was_late = true;
        set_timer(link, STALL_MS / 2);
        return;
    }
    link->was_late = false;
    if (check_deadline(link, now_ms))
        return;
    if (link->state == LINK_HELD && inflight_first(&link->inflight) == NULL) {
        link_become(link, LINK_GREETING);
        greet(link);
    } else {
        watch(link, now_ms);
    }
}

/* --- life ----------------------------------------------------------------------------------------
 */

struct link *link_new(struct link_host *host, int number)
{
    struct link *link = mem_zalloc(sizeof(*link));
    link->host = host;
    link->number = number;
    link->state = LINK_IDLE;
    link->timer = evtimer_new(host->base, on_timer, link);
    inflight_init(&link->inflight);
    return link;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    disconnect(link);
    event_free(link->timer);
    inflight_clear(&link->inflight);
    mem_free(link);
}

void link_start(struct link *link)
{
    if (link->state != LINK_IDLE && link->state != LINK_WAITING)
        return;
    link_become(link, LINK_WAITING);
    link->failures = 0;
    set_timer(link, 0);
}

void link_stop(struct link *link, const char *why)
{
    char number[NUM_INT_MAX];
    if (link->state == LINK_IDLE)
        return;
    num_format_int(number, link->number);
    log_line(link->host->log, LOG_LEVEL_DEBUG, "link-stopped", "link", number, "why", why, NULL);
    disconnect(link);
    link_become(link, LINK_IDLE);
    tell_lost(link);
}

bool link_is_ready(const struct link *link)
{
    return link->state == LINK_READY;
}

size_t link_pending(const struct link *link)
{
    return link->inflight.count;
}
