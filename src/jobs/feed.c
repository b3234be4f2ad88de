/* feed: see feed.h. */
#include "jobs/feed.h"
#include "base/mem.h"
#include "base/num.h"
#include "jobs/source_list.h"
#include <stdio.h>

struct asker {
    struct list_node node;
    refresh_done done;
    void *arg;
};

static int64_t now_of(const struct feed *feed)
{
    return clock_ms(feed->host->clock);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct feed *feed_new(struct feed_host *host, struct pool *pool)
{
    const struct text_list *texts = &pool->config->sources;
    struct feed *feed = mem_zalloc(sizeof *feed);
    *feed = (struct feed){.host = host, .pool = pool, .count = texts->count, .began_ms = -1};
    feed->sources = mem_array((size_t)feed->count, sizeof *feed->sources);
    list_init(&feed->askers);
    list_init(&feed->asked);
    for (int i = 0; i < feed->count; i++) {
        struct source *source = &feed->sources[i];
        source->text = mem_dup(str_of(texts->items[i]));
        source->shown = mem_dup(str_of(texts->items[i]));
        url_hide_password(source->shown);
        source->read_ms = source->failed_ms = -1;
        if (!listing_parse(str_of(source->text), &source->listing, NULL)) /* checked when given */
            source->listing = (struct listing){.kind = LISTING_FILE, .what = STR("/")};
    }
    return feed;
}

static void free_if_done(struct feed *feed)
{
    if (!feed->is_closed || feed->calls > 0)
        return;
    for (int i = 0; i < feed->count; i++) {
        mem_free(feed->sources[i].text);
        mem_free(feed->sources[i].shown);
    }
    source_tls_clear(&feed->tls);
    mem_free(feed->sources);
    mem_free(feed);
}

static void tell(struct list *askers, const struct err *err, const struct refresh *refresh)
{
    struct list_node *node;
    while ((node = list_pop(askers)) != NULL) {
        struct asker *asker = list_entry(node, struct asker, node);
        asker->done(asker->arg, err, refresh);
        mem_free(asker);
    }
}

bool feed_has(const struct feed *feed, const struct text_list *sources)
{
    if (feed->count != sources->count)
        return false;
    for (int i = 0; i < feed->count; i++) {
        if (strcmp(feed->sources[i].text, sources->items[i]) != 0)
            return false;
    }
    return true;
}

/* --- the turn ----------------------------------------------------------------------------------
 */

static void end_turn(void *arg, const struct err *err, const struct answer *answer)
{
    struct feed *feed = arg;
    int64_t now_ms = now_of(feed), left_ms = answer_int(answer_at(answer, 1), 0);
    feed->calls--;
    feed->is_asking = false;
    if (feed->is_closed) {
        free_if_done(feed);
    } else if (err != NULL) { /* if it is ours, then until its time is over */
        feed->turn_due_ms = now_ms + FEED_RETRY_MIN_MS;
        tell(&feed->askers, err, NULL);
    } else if (answer_int(answer_at(answer, 0), 0) == 1) {
        if (!feed->is_mine)
            feed->began_ms = -1;
        feed->is_mine = true;
        feed->turn_until_ms = feed->asked_ms + FEED_TURN_MS;
        feed->turn_due_ms = now_ms + FEED_RENEW_MS;
    } else {
        feed->is_mine = false;
        if (left_ms < 0 || left_ms > FEED_FOLLOW_MS)
            left_ms = FEED_FOLLOW_MS;
        feed->turn_due_ms = now_ms + left_ms + (int64_t)rand_below(feed->host->rand, 500);
    }
}

static void ask_for_turn(struct feed *feed, int64_t now_ms)
{
    bool takes = !list_is_empty(&feed->askers);
    feed->is_asking = true;
    feed->calls++;
    feed->asked_ms = now_ms;
    members_turn(feed->pool, FEED_TURN_MS, takes, end_turn, feed);
}

static void tend_turn(struct feed *feed, int64_t now_ms)
{
    if (now_ms >= feed->turn_until_ms)
        feed->is_mine = false; /* Redis does not answer: by now it may be another's */
    bool is_wanted = !feed->is_mine && !list_is_empty(&feed->askers);
    if (!feed->is_asking && (is_wanted || now_ms >= feed->turn_due_ms))
        ask_for_turn(feed, now_ms);
}

/* Nobody waits for the outcome. */
static void end_giving_up(void *arg, const struct err *err, const struct answer *answer)
{
    struct feed *feed = arg;
    (void)err, (void)answer;
    feed->calls--;
    free_if_done(feed);
}

void feed_close(struct feed *feed, const struct err *err)
{
    source_read_free(feed->read);
    feed->read = NULL;
    if (feed->is_reading)
        feed->host->rounds--;
    feed->is_reading = false;
    feed->is_closed = true;
    tell(&feed->asked, err, NULL);
    tell(&feed->askers, err, NULL);
    feed->calls++;
    if (feed->is_mine || feed->is_asking)
        members_turn(feed->pool, 0, false, end_giving_up, feed);
    else
        end_giving_up(feed, NULL, NULL);
}

/* --- the round ---------------------------------------------------------------------------------
 */

static void read_next(struct feed *feed);

static void note_failure(struct feed *feed, enum err_kind kind, const char *why)
{
    struct source *source = &feed->sources[feed->at];
    char shown[300];
    source->failed_ms = now_of(feed);
    snprintf(source->error, sizeof source->error, "%s", why);
    if (feed->done.failed++ == 0) {
        str_printable(str_of(why), shown, sizeof shown);
        err_set(&feed->err, kind, "%.100s: %s", source->shown, shown);
    }
    log_line(feed->host->log, LOG_LEVEL_WARNING, "source-failed", "pool", feed->pool->name,
             "source", source->shown, "why", why, NULL);
}

static void note_success(struct feed *feed, int64_t added, int64_t removed)
{
    struct source *source = &feed->sources[feed->at];
    char counts[3][NUM_INT_MAX];
    bool is_news = added > 0 || removed > 0 || source->error[0] != '\0';
    source->read_ms = now_of(feed);
    source->count = feed->listed;
    source->error[0] = '\0';
    feed->done.resources += feed->listed;
    feed->done.added += added;
    feed->done.removed += removed;
    num_format_int(counts[0], source->count);
    num_format_int(counts[1], added);
    num_format_int(counts[2], removed);
    log_line(feed->host->log, is_news ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "source-read", "pool",
             feed->pool->name, "source", source->shown, "resources", counts[0], "added", counts[1],
             "removed", counts[2], NULL);
}

static void end_store(void *arg, const struct err *err, const struct answer *answer)
{
    struct feed *feed = arg;
    bool is_pair = answer_is_array(answer);
    feed->calls--;
    if (feed->is_closed) {
        free_if_done(feed);
        return;
    }
    if (err != NULL) {
        feed->is_unstored |= err->kind == ERR_UPSTREAM;
        note_failure(feed, err->kind, err->text);
    } else {
        note_success(feed, answer_int(is_pair ? answer_at(answer, 0) : answer, 0),
                     is_pair ? answer_int(answer_at(answer, 1), 0) : 0);
    }
    feed->at++;
    read_next(feed);
}

static void store(struct feed *feed, const struct source_list *list)
{
    struct str *names = mem_array((size_t)list->count, sizeof *names);
    struct member_words *own = mem_array((size_t)list->count, sizeof *own);
    for (int i = 0; i < list->count; i++) {
        names[i] = list->items[i].resource;
        own[i] = list->items[i].words;
    }
    const struct member_words words = {.expiry_ms = feed->pool->config->source_expiry_ms,
                                       .own = list->has_words ? own : NULL};
    feed->listed = list->count;
    feed->calls++;
    (feed->count == 1 ? members_assign_with : members_extend_with)(feed->pool, &words, names,
                                                                   list->count, end_store, feed);
    mem_free(names);
    mem_free(own);
}

static void end_read(void *arg, struct str text, const char *why)
{
    struct feed *feed = arg;
    const struct pool_config *config = feed->pool->config;
    const struct source_bounds bounds = {.keys = &feed->pool->keys,
                                         .max = config->source_max,
                                         .capacity = config->capacity,
                                         .is_shared = config->is_shared};
    struct source_list list = {.items = NULL};
    struct err err;
    feed->read = NULL;
    if (why == NULL && !source_list_parse(&list, text, &bounds, feed->host->rand, &err))
        why = err.text;
    if (why != NULL) {
        note_failure(feed, ERR_GENERAL, why);
        feed->at++;
        read_next(feed);
    } else {
        if (config->source_shuffle)
            source_list_shuffle(&list, feed->host->rand);
        store(feed, &list);
    }
    source_list_clear(&list);
}

static void end_round(struct feed *feed)
{
    struct err err;
    feed->is_reading = false;
    feed->host->rounds--;
    if (feed->done.failed < feed->count) {
        tell(&feed->asked, NULL, &feed->done);
        return;
    }
    err_set(&err, feed->err.kind, "no source of pool '%s' could be read: %.400s", feed->pool->name,
            feed->err.text);
    tell(&feed->asked, &err, NULL);
}

static void read_next(struct feed *feed)
{
    if (feed->at == feed->count) {
        end_round(feed);
        return;
    }
    const struct pool_config *config = feed->pool->config;
    struct source *source = &feed->sources[feed->at];
    const struct source_want want = {.listing = &source->listing,
                                     .pool = feed->pool->name,
                                     .timeout_ms = config->source_timeout_ms,
                                     .max_bytes = config->source_max_bytes,
                                     .tls = &feed->tls,
                                     .tls_ca = config->tls_ca,
                                     .is_trusting = config->is_trusting};
    if (source->listing.kind == LISTING_FILE) /* before it is read: what comes then is a change */
        file_stamp_take(&source->stamp, source->listing.what.ptr);
    feed->read = source_read_start(&feed->host->read, &want, end_read, feed);
}

static void begin_round(struct feed *feed, int64_t now_ms)
{
    struct list_node *node;
    while ((node = list_pop(&feed->askers)) != NULL)
        list_push(&feed->asked, node);
    feed->host->rounds++;
    feed->is_reading = true;
    feed->has_changed = feed->is_unstored = false;
    feed->began_ms = now_ms;
    feed->at = 0;
    feed->done = (struct refresh){.sources = feed->count};
    read_next(feed);
}

/* --- when --------------------------------------------------------------------------------------
 */

/* From the beginning of the last round to the next one. */
static int64_t wait_ms(const struct feed *feed)
{
    int64_t interval_ms = feed->pool->config->source_interval_ms, retry_ms = interval_ms / 10;
    if (feed->done.failed == 0)
        return interval_ms;
    if (retry_ms < FEED_RETRY_MIN_MS || feed->is_unstored)
        retry_ms = FEED_RETRY_MIN_MS;
    if (retry_ms > FEED_RETRY_MAX_MS)
        retry_ms = FEED_RETRY_MAX_MS;
    return retry_ms < interval_ms ? retry_ms : interval_ms;
}

/* Has a file changed, and is it at rest? Who writes one in place needs a moment for it. */
static void look_at_files(struct feed *feed)
{
    for (int i = 0; i < feed->count; i++) {
        struct source *source = &feed->sources[i];
        struct file_stamp now;
        if (source->listing.kind != LISTING_FILE)
            continue;
        file_stamp_take(&now, source->listing.what.ptr);
        if (!file_stamp_eq(&now, &source->stamp) && file_stamp_eq(&now, &source->seen))
            feed->has_changed = true;
        source->seen = now;
    }
}

bool feed_is_mine(const struct feed *feed, int64_t *next_ms)
{
    int64_t left_ms = feed->began_ms < 0 ? 0 : feed->began_ms + wait_ms(feed) - now_of(feed);
    *next_ms = feed->is_mine ? (left_ms > 0 ? left_ms : 0) : -1;
    return feed->is_mine;
}

void feed_tick(struct feed *feed, bool may_begin)
{
    int64_t now_ms = now_of(feed), next_ms;
    tend_turn(feed, now_ms);
    if (!feed_is_mine(feed, &next_ms) || feed->is_reading)
        return;
    if (now_ms >= feed->look_ms) {
        feed->look_ms = now_ms + FEED_LOOK_MS;
        look_at_files(feed);
    }
    if (may_begin && (next_ms == 0 || feed->has_changed || !list_is_empty(&feed->askers)))
        begin_round(feed, now_ms);
}

void feed_refresh(struct feed *feed, refresh_done done, void *arg)
{
    struct asker *asker = mem_zalloc(sizeof *asker);
    *asker = (struct asker){.done = done, .arg = arg};
    list_push(&feed->askers, &asker->node);
}
