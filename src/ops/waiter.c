/* waiter: see waiter.h. */
#include "ops/waiter.h"
#include "base/mem.h"
#include "base/num.h"
#include "redis/notify.h"
#include <inttypes.h>
#include <stdio.h>

#define BEAT_MS  1000 /* a third of what Redis takes for a daemon's life (lua/wait.lua) */
#define RETRY_MS 50

/* A channel on which Redis tells of grants. */
struct channel {
    struct list_node node; /* in waiters->channels */
    struct waiters *waiters;
    struct hearing hearing;
    char name[];
};

static struct waiter *waiter_at(struct list_node *node)
{
    return list_entry(node, struct waiter, node);
}

static int64_t now_of(const struct waiters *waiters)
{
    return clock_ms(waiters->batches->clock);
}

static struct str key_of(const struct waiter *waiter)
{
    return str_make((const char *)&waiter->number, sizeof waiter->number);
}

/* --- when a line beats ---------------------------------------------------------------------------
 */

/* In so many ms, if not sooner. */
static void beat_within(struct line *line, int64_t ms)
{
    int64_t at_ms = now_of(line->all) + ms;
    if (line->beat.place == 0 || line->beat.at_ms > at_ms)
        alarm_set(&line->all->alarms, &line->beat, at_ms);
}

static void set_to_send(struct waiter *waiter, bool is_to_send)
{
    if (waiter->is_to_send == is_to_send)
        return;
    waiter->is_to_send = is_to_send;
    if (is_to_send) {
        waiter->line->to_send++;
        beat_within(waiter->line, RETRY_MS);
    } else {
        waiter->line->to_send--;
    }
}

/* --- states --------------------------------------------------------------------------------------
 */

static void ask(struct waiter *waiter)
{
    set_to_send(waiter, false);
    waiter->state = WAITER_ASKING;
    waiter->asked_ms = now_of(waiter->line->all);
    waiter->is_woken = false;
    waiter->line->rules->ask(waiter);
}

static void leave(struct waiter *waiter, enum leaving how)
{
    set_to_send(waiter, false);
    alarm_stop(&waiter->line->all->alarms, &waiter->alarm);
    waiter->state = WAITER_LEAVING;
    waiter->leaving = how;
    waiter->line->rules->leave(waiter, how);
}

static void answer(struct waiter *waiter, const struct err *err)
{
    if (waiter->is_answered)
        return;
    waiter->is_answered = true;
    waiter->line->rules->answer(waiter, err);
}

/* Nothing is under way for it, and it has no place in the line. */
static void end(struct waiter *waiter)
{
    struct line *line = waiter->line;
    struct waiters *all = line->all;
    set_to_send(waiter, false);
    alarm_stop(&all->alarms, &waiter->alarm);
    map_remove(&all->by_number, key_of(waiter));
    list_remove(&line->waiters, &waiter->node);
    if (list_is_empty(&line->waiters)) {
        alarm_stop(&all->alarms, &line->beat);
        list_remove(&all->lines, &line->node);
        line->failing_since_ms = 0;
    }
    line->rules->free(waiter);
}

/* How it leaves when nobody listens any more. */
static enum leaving unheard(const struct waiter *waiter)
{
    return waiter->will_return ? LEAVING_FOR_A_WHILE : LEAVING_GONE;
}

static void give_up(struct waiter *waiter, const struct err *err)
{
    answer(waiter, err);
    if (waiter->may_be_in_line)
        leave(waiter, unheard(waiter));
    else
        end(waiter);
}

/* Has this lasted for too long? Whatever `*since_ms` is the start of. */
static bool is_hopeless(const struct waiters *waiters, int64_t *since_ms)
{
    int64_t now_ms = now_of(waiters), wait_ms = waiters->batches->wait_ms;
    if (*since_ms == 0)
        *since_ms = now_ms;
    return waiters->is_closed || now_ms - *since_ms >= wait_ms ||
           upstream_away_ms(waiters->batches->upstream) >= wait_ms;
}

static void ring_waiter(struct alarm *alarm)
{
    struct waiter *waiter = list_entry(alarm, struct waiter, alarm);
    if (waiter->state == WAITER_WAITING)
        leave(waiter, LEAVING_LATE);
    else if (waiter->leaving == LEAVING_NOT)
        waiter->leaving = LEAVING_LATE;
}

void waiter_start(struct waiter *waiter, struct line *line, int64_t wait_ms)
{
    struct waiters *all = line->all;
    waiter->line = line;
    waiter->number = ++all->last_number;
    waiter->ticket = -1;
    waiter->since_ms = now_of(all);
    waiter->alarm.ring = ring_waiter;
    map_put(&all->by_number, key_of(waiter), waiter);
    if (list_is_empty(&line->waiters))
        list_push(&all->lines, &line->node);
    list_push(&line->waiters, &waiter->node);
    if (wait_ms > 0)
        alarm_set(&all->alarms, &waiter->alarm, waiter->since_ms + wait_ms);
    ask(waiter);
}

struct str waiter_id(const struct waiter *waiter, char out[64])
{
    struct str daemon = waiter->line->all->batches->daemon;
    int len = snprintf(out, 64, "%.*s:%" PRIu64, PRSTR(daemon), waiter->number);
    return str_make(out, (size_t)len);
}

static void stop(struct waiter *waiter, const struct err *err)
{
    if (waiter->is_answered)
        return;
    answer(waiter, err);
    if (waiter->state == WAITER_WAITING)
        leave(waiter, unheard(waiter));
    else if (waiter->state == WAITER_ASKING && !waiter->line->rules->withdraw(waiter))
        waiter->leaving = unheard(waiter);
    else if (waiter->state == WAITER_ASKING && waiter->may_be_in_line)
        leave(waiter, unheard(waiter));
    else if (waiter->state == WAITER_ASKING)
        end(waiter);
}

void waiter_gone(struct waiter *waiter)
{
    stop(waiter, NULL);
}

void waiter_refuse(struct waiter *waiter, const struct err *err)
{
    waiter->will_return = false;
    stop(waiter, err);
}

static void wake(struct waiter *waiter)
{
    if (waiter->state == WAITER_WAITING)
        ask(waiter);
    else
        waiter->is_woken = true;
}

/* --- what became of asking and leaving -----------------------------------------------------------
 */

static void learn_epoch(struct line *line, int64_t epoch)
{
    if (line->epoch == epoch)
        return;
    line->epoch = epoch;
    list_each (node, &line->waiters) {
        struct waiter *waiter = waiter_at(node);
        if (waiter->state == WAITER_WAITING && waiter->epoch != epoch)
            ask(waiter);
    }
}

void waiter_queued(struct waiter *waiter, int64_t ticket, int64_t epoch)
{
    struct line *line = waiter->line;
    waiter->may_be_in_line = true;
    waiter->failing_since_ms = 0;
    waiter->ticket = ticket;
    waiter->epoch = epoch;
    waiter->state = WAITER_WAITING;
    if (waiter->leaving != LEAVING_NOT)
        leave(waiter, waiter->leaving);
    else if (waiter->is_woken)
        ask(waiter);
    else if (line->rules->placed != NULL)
        line->rules->placed(waiter);
    if (line->beat.place == 0 && !line->is_beating)
        beat_within(line, 0); /* when the next lease ends is not known yet */
    learn_epoch(line, epoch);
}

void waiter_served(struct waiter *waiter)
{
    waiter->is_answered = true;
    end(waiter);
}

void waiter_failed(struct waiter *waiter, const struct err *err, bool is_lost)
{
    bool is_passing = err->kind == ERR_UPSTREAM || (err->kind == ERR_BUSY && waiter->ticket >= 0);
    waiter->may_be_in_line = waiter->may_be_in_line || is_lost;
    if (waiter->ticket < 0 && is_lost)
        waiter->ticket = 0;
    waiter->state = WAITER_WAITING;
    if (waiter->leaving != LEAVING_NOT || !is_passing ||
        is_hopeless(waiter->line->all, &waiter->failing_since_ms))
        give_up(waiter, err);
    else
        set_to_send(waiter, true);
}

void waiter_left(struct waiter *waiter, const struct err *err)
{
    if (err == NULL) {
        waiter->is_answered = true;
        end(waiter);
        return;
    }
    answer(waiter, err);
    waiter->leaving = unheard(waiter);
    set_to_send(waiter, true);
}

/* --- lines ---------------------------------------------------------------------------------------
 */

static void send_again(struct line *line)
{
    list_each (node, &line->waiters) {
        struct waiter *waiter = waiter_at(node);
        if (line->to_send == 0)
            break;
        if (!waiter->is_to_send)
            continue;
        if (waiter->state == WAITER_LEAVING)
            leave(waiter, waiter->leaving);
        else
            ask(waiter);
    }
}

static void ring_line(struct alarm *alarm)
{
    struct line *line = list_entry(alarm, struct line, beat);
    send_again(line);
    if (line->is_beating)
        return;
    line->is_beating = true;
    line->rules->beat(line);
}

void line_beaten(struct line *line, int64_t epoch, int64_t next_ms)
{
    line->is_beating = false;
    line->failing_since_ms = 0;
    if (list_is_empty(&line->waiters))
        return;
    beat_within(line, next_ms >= 0 && next_ms < BEAT_MS ? next_ms : BEAT_MS);
    learn_epoch(line, epoch);
}

/* Who stands in a line of which nothing can be heard. */
static void fail_waiting(struct line *line, const struct err *err)
{
    list_each (node, &line->waiters) {
        struct waiter *waiter = waiter_at(node);
        if (waiter->state == WAITER_WAITING)
            give_up(waiter, err);
    }
}

void line_failed(struct line *line, const struct err *err)
{
    line->is_beating = false;
    if (list_is_empty(&line->waiters))
        return;
    beat_within(line, RETRY_MS);
    if (is_hopeless(line->all, &line->failing_since_ms))
        fail_waiting(line, err);
}

void line_init(struct line *line, struct waiters *all, const struct line_rules *rules)
{
    *line = (struct line){.all = all, .rules = rules, .beat.ring = ring_line};
    list_init(&line->waiters);
}

void line_clear(struct line *line)
{
    struct list_node *node;
    struct err err;
    err_set(&err, ERR_UPSTREAM, "the daemon is stopping: not done");
    while ((node = list_first(&line->waiters)) != NULL) {
        answer(waiter_at(node), &err);
        end(waiter_at(node));
    }
}

/* --- all -----------------------------------------------------------------------------------------
 */

void waiters_init(struct waiters *waiters, struct batches *batches, struct rand *rand)
{
    unsigned char seed[16];
    *waiters = (struct waiters){.batches = batches, .max = 100000};
    rand_bytes(rand, seed, sizeof seed);
    map_init(&waiters->by_number, seed);
    list_init(&waiters->lines);
    list_init(&waiters->channels);
}

void waiters_close(struct waiters *waiters)
{
    struct err err;
    waiters->is_closed = true;
    err_set(&err, ERR_UPSTREAM, "the daemon is stopping: not done");
    list_each (line_node, &waiters->lines) {
        struct line *line = list_entry(line_node, struct line, node);
        list_each (node, &line->waiters) {
            struct waiter *waiter = waiter_at(node);
            answer(waiter, &err);
            if (waiter->state == WAITER_WAITING)
                give_up(waiter, &err);
            else if (waiter->state == WAITER_ASKING)
                waiter->leaving = unheard(waiter);
        }
    }
}

void waiters_clear(struct waiters *waiters)
{
    struct list_node *node;
    while ((node = list_pop(&waiters->channels)) != NULL) {
        struct channel *channel = list_entry(node, struct channel, node);
        upstream_unhear(waiters->batches->upstream, &channel->hearing);
        mem_free(channel);
    }
    map_clear(&waiters->by_number);
    alarms_clear(&waiters->alarms);
}

bool waiters_can_take(const struct waiters *waiters, struct err *err)
{
    if (waiters->is_closed)
        return err_set(err, ERR_UPSTREAM, "the daemon is stopping: not done");
    return waiters->by_number.count < (size_t)waiters->max ||
           err_set(err, ERR_BUSY, "%" PRId64 " requests wait here already (max_waiters): not done",
                   waiters->max);
}

struct waiter *waiters_find(struct waiters *waiters, struct str id)
{
    size_t daemon_len = waiters->batches->daemon.len;
    int64_t number;
    if (id.len <= daemon_len + 1 || !str_starts(id, waiters->batches->daemon) ||
        !num_parse_int(str_make(id.ptr + daemon_len + 1, id.len - daemon_len - 1), &number))
        return NULL;
    return map_get(&waiters->by_number, str_make((const char *)&number, sizeof number));
}

struct waiter *waiters_wake(struct waiters *waiters, struct str id)
{
    struct waiter *waiter = waiters_find(waiters, id);
    if (waiter != NULL)
        wake(waiter);
    return waiter;
}

static void hear_grant(void *arg, struct str id)
{
    waiters_wake(((struct channel *)arg)->waiters, id);
}

/* Something may have been missed. */
static void hear_again(void *arg)
{
    struct channel *channel = arg;
    list_each (node, &channel->waiters->lines)
        beat_within(list_entry(node, struct line, node), 0);
}

void waiters_hear(struct waiters *waiters, struct str prefix)
{
    char name[512];
    int len = snprintf(name, sizeof name, "%.*s|wake|%.*s", PRSTR(prefix),
                       PRSTR(waiters->batches->daemon));
    list_each (node, &waiters->channels) {
        if (strcmp(list_entry(node, struct channel, node)->name, name) == 0)
            return;
    }
    struct channel *channel = mem_zalloc(sizeof *channel + (size_t)len + 1);
    channel->waiters = waiters;
    memcpy(channel->name, name, (size_t)len + 1);
    channel->hearing = (struct hearing){
        .channel = channel->name, .heard = hear_grant, .begun = hear_again, .arg = channel};
    list_push(&waiters->channels, &channel->node);
    upstream_hear(waiters->batches->upstream, &channel->hearing);
}
