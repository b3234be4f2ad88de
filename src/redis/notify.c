#include "redis/notify.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "io/stream.h"
#include "redis/greeting.h"
#include "redis/replies.h"
#include "resp/reply.h"
#include <stdio.h>

enum {
    ALIVE_MS_MAX = 5000, /* a silent one is pinged at least this often */
    KEEPALIVE_S = 60
};

enum notify_state {
    NOTIFY_IDLE,     /* nobody hears, or it is stopped */
    NOTIFY_WAITING,  /* dials when the timer fires */
    NOTIFY_DIALLING, /* the stream has the deadline */
    NOTIFY_LISTENING /* has said who we are and what is heard; the timer looks whether it lives */
};

struct notify {
    struct link_host *host;
    enum notify_state state;
    bool is_started;
    struct stream *stream;
    struct replies *replies;
    struct event *timer;
    struct list hearings;
    int failures;        /* dials in a row that did not lead to a subscription */
    uint64_t connection; /* counts them: tells whether a callback has ended this one */
    int64_t heard_ms;    /* of the last thing that Redis said */
    bool is_pinged;      /* and has not answered yet */
};

static struct hearing *hearing_of(struct list_node *node)
{
    return list_entry(node, struct hearing, node);
}

/* --- states and their timer ----------------------------------------------------------------------
 */

static void set_timer(struct notify *notify, int64_t after_ms)
{
    struct timeval tv = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    evtimer_add(notify->timer, &tv);
}

static int64_t alive_ms(const struct notify *notify)
{
    int64_t half = notify->host->config->reply_timeout_ms / 2;
    return half < 1 ? 1 : half < ALIVE_MS_MAX ? half : ALIVE_MS_MAX;
}

static void wait_to_dial(struct notify *notify)
{
    notify->state = NOTIFY_WAITING;
    set_timer(notify, link_backoff_ms(notify->host, notify->failures));
    notify->failures++;
}

static void disconnect(struct notify *notify)
{
    stream_free(notify->stream);
    notify->stream = NULL;
    replies_free(notify->replies);
    notify->replies = NULL;
    notify->connection++;
    notify->is_pinged = false;
    list_each (node, &notify->hearings)
        hearing_of(node)->is_on = false;
}

static void lose(struct notify *notify, const char *why)
{
    char kept[256];
    snprintf(kept, sizeof(kept), "%s", why); /* `why` may be the stream's */
    log_line(notify->host->log,
             notify->state == NOTIFY_LISTENING ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "notify-lost",
             "why", kept, NULL);
    disconnect(notify);
    wait_to_dial(notify);
}

/* --- what is said --------------------------------------------------------------------------------
 */

static void say(struct notify *notify, const struct str *words, int count)
{
    if (count == 0)
        return;
    reply_command(stream_out(notify->stream), words, (size_t)count);
    stream_wrote(notify->stream);
}

static void subscribe(struct notify *notify, const struct hearing *hearing)
{
    const struct str words[] = {STR("SUBSCRIBE"), str_of(hearing->channel)};
    say(notify, words, 2);
}

static void on_opened(void *arg)
{
    struct notify *notify = arg;
    struct link_host *host = notify->host;
    struct str words[GREETING_WORDS];
    char number[NUM_INT_MAX];
    notify->state = NOTIFY_LISTENING;
    notify->heard_ms = clock_ms(host->clock);
    say(notify, words, greeting_words(PENDING_AUTH, host->config, host->name, number, words));
    say(notify, words, greeting_words(PENDING_NAME, host->config, host->name, number, words));
    list_each (node, &notify->hearings)
        subscribe(notify, hearing_of(node));
    set_timer(notify, alive_ms(notify));
}

/* --- what is heard -------------------------------------------------------------------------------
 */

static void begin(struct notify *notify, struct str channel)
{
    notify->failures = 0;
    list_each (node, &notify->hearings) {
        struct hearing *hearing = hearing_of(node);
        if (hearing->is_on || !str_eq(channel, str_of(hearing->channel)))
            continue;
        hearing->is_on = true;
        log_line(notify->host->log, LOG_LEVEL_DEBUG, "notify-hears", "channel", hearing->channel,
                 NULL);
        hearing->begun(hearing->arg);
    }
}

static void tell(struct notify *notify, struct str channel, struct str message)
{
    list_each (node, &notify->hearings) {
        struct hearing *hearing = hearing_of(node);
        if (str_eq(channel, str_of(hearing->channel)))
            hearing->heard(hearing->arg, message);
    }
}

/* Errors: of the login, of a name that we may not have (which is no harm), or of a channel that an
 * ACL forbids us. Without it the links' calls go on all the same. */
static void take(void *arg, const struct answer *answer)
{
    struct notify *notify = arg;
    struct str kind = answer_str(answer_at(answer, 0));
    struct str channel = answer_str(answer_at(answer, 1));
    notify->heard_ms = clock_ms(notify->host->clock);
    notify->is_pinged = false;
    if (str_eq(kind, STR("message"))) {
        tell(notify, channel, answer_str(answer_at(answer, 2)));
    } else if (str_eq(kind, STR("subscribe"))) {
        begin(notify, channel);
    } else if (answer_is_error(answer) && str_find(answer_str(answer), STR("'client")) < 0) {
        char text[256];
        str_printable(answer_str(answer), text, sizeof(text));
        lose(notify, text);
    }
}

static void on_readable(void *arg)
{
    struct notify *notify = arg;
    uint64_t connection = notify->connection;
    const char *trouble = NULL;
    while (notify->connection == connection) {
        enum replies_state state =
            replies_next(notify->replies, stream_in(notify->stream), take, notify, &trouble);
        if (state == REPLIES_BROKEN)
            lose(notify, trouble);
        if (state != REPLIES_GIVEN)
            return;
    }
}

static void on_closed(void *arg, const char *why)
{
    lose(arg, why);
}

/* --- the connection ------------------------------------------------------------------------------
 */

static void dial(struct notify *notify)
{
    static const struct stream_events events = {
        .opened = on_opened, .readable = on_readable, .closed = on_closed};
    const struct link_host *host = notify->host;
    const struct stream_options options = {.connect_timeout_ms = host->config->connect_timeout_ms,
                                           .keepalive_s = KEEPALIVE_S};
    notify->state = NOTIFY_DIALLING;
    evtimer_del(notify->timer);
    notify->replies = replies_new();
    notify->stream = stream_dial(host->base, host->dns, &host->addr, &options, &events, notify);
}

static void look_alive(struct notify *notify)
{
    const struct str ping[] = {STR("PING")};
    int64_t silent_ms = clock_ms(notify->host->clock) - notify->heard_ms;
    if (notify->is_pinged && silent_ms >= notify->host->config->reply_timeout_ms) {
        lose(notify, "no reply to PING");
        return;
    }
    if (!notify->is_pinged && silent_ms >= alive_ms(notify)) {
        notify->is_pinged = true;
        say(notify, ping, 1);
    }
    set_timer(notify, alive_ms(notify));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct notify *notify = arg;
    (void)fd;
    (void)what;
    if (notify->state == NOTIFY_WAITING)
        dial(notify);
    else if (notify->state == NOTIFY_LISTENING)
        look_alive(notify);
}

/* --- life ----------------------------------------------------------------------------------------
 */

struct notify *notify_new(struct link_host *host)
{
    struct notify *notify = mem_zalloc(sizeof(*notify));
    notify->host = host;
    notify->timer = evtimer_new(host->base, on_timer, notify);
    list_init(&notify->hearings);
    return notify;
}

void notify_free(struct notify *notify)
{
    if (notify == NULL)
        return;
    disconnect(notify);
    event_free(notify->timer);
    mem_free(notify);
}

void notify_start(struct notify *notify)
{
    notify->is_started = true;
    if (list_is_empty(&notify->hearings) ||
        (notify->state != NOTIFY_IDLE && notify->state != NOTIFY_WAITING))
        return;
    notify->state = NOTIFY_WAITING;
    notify->failures = 0;
    set_timer(notify, 0);
}

void notify_stop(struct notify *notify)
{
    notify->is_started = false;
    disconnect(notify);
    notify->state = NOTIFY_IDLE;
    evtimer_del(notify->timer);
}

void notify_hear(struct notify *notify, struct hearing *hearing)
{
    hearing->is_on = false;
    list_push(&notify->hearings, &hearing->node);
    if (notify->state == NOTIFY_LISTENING)
        subscribe(notify, hearing);
    else if (notify->state == NOTIFY_IDLE && notify->is_started)
        notify_start(notify);
}

void notify_forget(struct notify *notify, struct hearing *hearing)
{
    const struct str words[] = {STR("UNSUBSCRIBE"), str_of(hearing->channel)};
    if (!list_has(&hearing->node))
        return;
    list_remove(&notify->hearings, &hearing->node);
    if (notify->state == NOTIFY_LISTENING)
        say(notify, words, 2);
}

bool notify_is_ready(const struct notify *notify)
{
    for (const struct list_node *node = notify->hearings.root.next; node != &notify->hearings.root;
         node = node->next) {
        if (!list_entry(node, const struct hearing, node)->is_on)
            return false;
    }
    return notify->state == NOTIFY_LISTENING && !list_is_empty(&notify->hearings);
}
