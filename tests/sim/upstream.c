/* upstream: see upstream.h. A message is one call on its way: it may arrive (once), and it is
 * settled for its sender (once), in any order. */
#include "tests/sim/upstream.h"
#include "base/mem.h"
#include "redis/notify.h"
#include <stdio.h>
#include <stdlib.h>

struct network {
    struct world *world;
    struct weather weather;
    struct list messages;  /* all that are not over */
    struct list upstreams; /* all that ever were */
    network_watch watch;
    void *watch_arg;
    size_t travelling;
    uint64_t calls;
    int64_t done_us;
};

struct upstream {
    struct list_node node;
    struct network *network;
    struct list listeners;
    struct list hearings;
    bool hears;            /* Redis has confirmed them */
    int64_t down_since_us; /* -1: its links are up */
    int64_t up_at_us;
    bool is_gone;
};

struct message {
    struct list_node node; /* in network->messages */
    struct network *network;
    struct upstream *upstream; /* NULL: settled */
    enum script_id script;
    struct str *keys, *args;
    int key_count, arg_count;
    call_done done;
    void *arg;
    enum call_fate fate; /* when it is settled */
    redisReply *reply;
    int64_t done_us;
    bool is_travelling, has_arrival, has_settling; /* events to come */
    char *bytes;
};

static void settle(struct message *message, enum call_fate fate, const redisReply *reply);

/* --- messages ------------------------------------------------------------------------------------
 */

static void copy_strs(struct str *out, const struct str *in, int count, char **at)
{
    for (int i = 0; i < count; i++) {
        out[i] = str_make(*at, in[i].len);
        if (in[i].len > 0)
            memcpy(*at, in[i].ptr, in[i].len);
        *at += in[i].len;
    }
}

static struct message *new_message(struct upstream *upstream, const struct call *call)
{
    struct network *network = upstream->network;
    size_t strs = (size_t)(call->key_count + call->arg_count), bytes = 1;
    struct message *message;
    char *at;
    for (int i = 0; i < call->key_count; i++)
        bytes += call->keys[i].len;
    for (int i = 0; i < call->arg_count; i++)
        bytes += call->args[i].len;
    message = mem_zalloc(sizeof *message);
    message->keys = mem_array(strs + 1, sizeof(struct str));
    message->args = message->keys + call->key_count;
    message->bytes = at = mem_alloc(bytes);
    copy_strs(message->keys, call->keys, call->key_count, &at);
    copy_strs(message->args, call->args, call->arg_count, &at);
    message->network = network;
    message->upstream = upstream;
    message->script = call->script;
    message->key_count = call->key_count;
    message->arg_count = call->arg_count;
    message->done = call->done;
    message->arg = call->arg;
    list_push(&network->messages, &message->node);
    return message;
}

static void free_message(struct message *message)
{
    list_remove(&message->network->messages, &message->node);
    if (message->reply != NULL)
        freeReplyObject(message->reply);
    mem_free(message->keys);
    mem_free(message->bytes);
    mem_free(message);
}

static void free_if_over(struct message *message)
{
    if (message->upstream == NULL && !message->has_arrival && !message->has_settling)
        free_message(message);
}

/* Redis gets it. */
static void arrive(void *arg)
{
    struct message *message = arg;
    struct network *network = message->network;
    struct keyspace *redis = network->world->redis;
    const redisReply *reply;
    message->has_arrival = false;
    if (message->is_travelling) {
        message->is_travelling = false;
        network->travelling--;
        if (message->script != SCRIPT_NONE)
            reply = keyspace_script(redis, message->script, message->keys, message->key_count,
                                    message->args, message->arg_count);
        else
            reply = keyspace_command(redis, message->args, message->arg_count);
        message->reply = keyspace_copy(reply);
        message->done_us = network->world->now_us;
        if (network->watch != NULL && message->script != SCRIPT_NONE)
            network->watch(network->watch_arg, message->script, message->keys[0], message->reply);
    }
    free_if_over(message);
}

static void answer(void *arg)
{
    struct message *message = arg;
    message->has_settling = false;
    if (message->upstream != NULL)
        settle(message, message->fate, message->reply);
    else
        free_if_over(message);
}

static void settle(struct message *message, enum call_fate fate, const redisReply *reply)
{
    message->upstream = NULL;
    message->network->done_us = message->done_us;
    message->done(message->arg, fate,
                  fate == CALL_LOST || reply == NULL ? answer_none()
                                                     : (const struct answer *)(const void *)reply);
    free_if_over(message);
}

/* --- the weather ---------------------------------------------------------------------------------
 */

static void arrive_after(struct message *message, int64_t us)
{
    message->is_travelling = message->has_arrival = true;
    message->network->travelling++;
    world_after(message->network->world, us, arrive, message);
}

static void settle_after(struct message *message, int64_t us, enum call_fate fate)
{
    message->fate = fate;
    message->has_settling = true;
    world_after(message->network->world, us, answer, message);
}

static redisReply *new_refusal(struct world *world)
{
    static const char *const texts[] = {
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "OOM command not allowed when used memory > 'maxmemory'.",
    };
    redisReply reply = {.type = REDIS_REPLY_ERROR};
    struct str text = str_of(texts[world_below(world, 3)]);
    char copy[128];
    memcpy(copy, text.ptr, text.len + 1);
    reply.str = copy;
    reply.len = text.len;
    return keyspace_copy(&reply);
}

/* What becomes of a message is decided when it is sent. */
static void post(struct message *message)
{
    struct network *network = message->network;
    struct world *world = network->world;
    const struct weather *weather = &network->weather;
    int64_t there_us = world_between(world, 50, 2 * MS), back_us = world_between(world, 50, 2 * MS);
    int64_t give_up_us = world_between(world, 100 * MS, 900 * MS);
    int dice = (int)world_below(world, 1000);
    if (world_chance(world, weather->slow))
        there_us += world_between(world, 0, SECOND);

    if ((dice -= weather->lost_request) < 0) {
        settle_after(message, give_up_us, CALL_LOST);
    } else if ((dice -= weather->lost_reply) < 0) {
        arrive_after(message, there_us);
        settle_after(message, there_us + give_up_us, CALL_LOST);
    } else if ((dice -= weather->late) < 0) {
        settle_after(message, give_up_us, CALL_LOST);
        arrive_after(message, give_up_us + world_between(world, 1, 4 * SECOND));
    } else if ((dice -= weather->refused) < 0) {
        message->reply = new_refusal(world);
        settle_after(message, there_us + back_us, CALL_REFUSED);
    } else {
        arrive_after(message, there_us);
        settle_after(message, there_us + back_us, CALL_ANSWERED);
    }
}

/* --- what is published ---------------------------------------------------------------------------
 */

/* On its way to one daemon. */
struct news {
    struct upstream *upstream;
    char channel[128], text[128];
};

static bool is_listening(const struct upstream *upstream)
{
    return !upstream->is_gone && upstream->down_since_us < 0 && upstream->hears;
}

static void deliver(void *arg)
{
    struct news *news = arg;
    list_each (node, &news->upstream->hearings) {
        struct hearing *hearing = list_entry(node, struct hearing, node);
        if (is_listening(news->upstream) && strcmp(hearing->channel, news->channel) == 0)
            hearing->heard(hearing->arg, str_of(news->text));
    }
    mem_free(news);
}

static int64_t count_listeners(void *arg, struct str channel)
{
    struct network *network = arg;
    int64_t count = 0;
    list_each (upstream_node, &network->upstreams) {
        struct upstream *upstream = list_entry(upstream_node, struct upstream, node);
        list_each (node, &upstream->hearings) {
            struct hearing *hearing = list_entry(node, struct hearing, node);
            count += is_listening(upstream) && str_eq(channel, str_of(hearing->channel));
        }
    }
    return count;
}

static void on_published(void *arg, struct str channel, struct str text)
{
    struct network *network = arg;
    list_each (upstream_node, &network->upstreams) {
        struct upstream *upstream = list_entry(upstream_node, struct upstream, node);
        list_each (node, &upstream->hearings) {
            struct hearing *hearing = list_entry(node, struct hearing, node);
            if (!is_listening(upstream) || !str_eq(channel, str_of(hearing->channel)) ||
                world_chance(network->world, network->weather.lost_reply))
                continue;
            struct news *news = mem_alloc(sizeof *news);
            news->upstream = upstream;
            snprintf(news->channel, sizeof news->channel, "%.*s", PRSTR(channel));
            snprintf(news->text, sizeof news->text, "%.*s", PRSTR(text));
            world_after(network->world, world_between(network->world, 50, 2 * MS), deliver, news);
        }
    }
}

static void begin_hearing(void *arg)
{
    struct upstream *upstream = arg;
    upstream->hears = !upstream->is_gone && upstream->down_since_us < 0;
    list_each (node, &upstream->hearings) {
        struct hearing *hearing = list_entry(node, struct hearing, node);
        if (upstream->hears)
            hearing->begun(hearing->arg);
    }
}

/* --- links ---------------------------------------------------------------------------------------
 */

static void become_up(void *arg)
{
    struct upstream *upstream = arg;
    if (!upstream->is_gone && upstream->down_since_us >= 0 &&
        upstream->network->world->now_us >= upstream->up_at_us) {
        upstream->down_since_us = -1;
        list_each (node, &upstream->listeners) {
            struct upstream_listener *listener = list_entry(node, struct upstream_listener, node);
            listener->ready(listener->arg);
        }
        begin_hearing(upstream);
    }
}

/* All calls of this daemon are lost; those that travel may get there or not. */
static void lose_all(struct upstream *upstream)
{
    struct network *network = upstream->network;
    for (bool is_found = true; is_found;) {
        is_found = false;
        list_each (node, &network->messages) {
            struct message *message = list_entry(node, struct message, node);
            if (message->upstream != upstream)
                continue;
            if (message->is_travelling && world_chance(network->world, 500)) {
                message->is_travelling = false;
                network->travelling--;
            }
            settle(message, CALL_LOST, NULL);
            is_found = true;
            break; /* the list may be another one now */
        }
    }
}

void network_cut(struct upstream *upstream, int64_t us)
{
    struct world *world = upstream->network->world;
    if (upstream->down_since_us < 0)
        upstream->down_since_us = world->now_us;
    upstream->up_at_us = world->now_us + us;
    world_after(world, us, become_up, upstream);
    upstream->hears = false;
    lose_all(upstream);
}

/* --- as the daemon sees it -----------------------------------------------------------------------
 */

static void cut_soon(void *arg)
{
    struct upstream *upstream = arg;
    if (!upstream->is_gone)
        network_cut(upstream, world_between(upstream->network->world, 1 * MS, 3 * SECOND));
}

bool upstream_call(struct upstream *upstream, const struct call *call)
{
    struct network *network = upstream->network;
    if (upstream->is_gone || upstream->down_since_us >= 0)
        return false;
    network->calls++;
    post(new_message(upstream, call));
    if (world_chance(network->world, network->weather.cut)) {
        world_after(network->world, world_between(network->world, 0, 3 * MS), cut_soon, upstream);
    }
    return true;
}

int64_t upstream_away_ms(const struct upstream *upstream)
{
    int64_t away_us;
    if (upstream->down_since_us < 0)
        return 0;
    away_us = upstream->network->world->now_us - upstream->down_since_us;
    return away_us < MS ? 1 : away_us / MS;
}

const char *upstream_trouble(const struct upstream *upstream)
{
    return upstream->down_since_us < 0 ? "" : "cut off";
}

void upstream_listen(struct upstream *upstream, struct upstream_listener *listener)
{
    list_push(&upstream->listeners, &listener->node);
}

void upstream_forget(struct upstream *upstream, struct upstream_listener *listener)
{
    list_remove(&upstream->listeners, &listener->node);
}

void upstream_hear(struct upstream *upstream, struct hearing *hearing)
{
    list_push(&upstream->hearings, &hearing->node);
    world_after(upstream->network->world, world_between(upstream->network->world, 50, 2 * MS),
                begin_hearing, upstream);
}

void upstream_unhear(struct upstream *upstream, struct hearing *hearing)
{
    list_remove(&upstream->hearings, &hearing->node);
}

uint64_t upstream_servers(const struct upstream *upstream)
{
    (void)upstream;
    return 1;
}

bool upstream_hears(const struct upstream *upstream)
{
    return upstream->hears;
}

/* -------------------------------------------------------------------------------------------------
 */

struct network *network_new(struct world *world)
{
    struct network *network = mem_zalloc(sizeof *network);
    network->world = world;
    list_init(&network->messages);
    list_init(&network->upstreams);
    keyspace_hear(world->redis, on_published, count_listeners, network);
    return network;
}

void network_free(struct network *network)
{
    keyspace_hear(network->world->redis, NULL, NULL, NULL);
    while (!list_is_empty(&network->messages)) {
        struct message *message = list_entry(list_first(&network->messages), struct message, node);
        free_message(message);
    }
    while (!list_is_empty(&network->upstreams))
        mem_free(list_entry(list_pop(&network->upstreams), struct upstream, node));
    mem_free(network);
}

void network_set_weather(struct network *network, const struct weather *weather)
{
    network->weather = *weather;
}

void network_watch_with(struct network *network, network_watch watch, void *arg)
{
    network->watch = watch;
    network->watch_arg = arg;
}

int64_t network_done_us(const struct network *network)
{
    return network->done_us;
}

size_t network_count_travelling(const struct network *network)
{
    return network->travelling;
}

uint64_t network_count_calls(const struct network *network)
{
    return network->calls;
}

struct upstream *network_attach(struct network *network)
{
    struct upstream *upstream = mem_zalloc(sizeof *upstream);
    upstream->network = network;
    upstream->down_since_us = -1;
    list_init(&upstream->listeners);
    list_init(&upstream->hearings);
    list_push(&network->upstreams, &upstream->node);
    return upstream;
}

void network_detach(struct upstream *upstream)
{
    if (upstream->down_since_us < 0)
        upstream->down_since_us = upstream->network->world->now_us;
    upstream->is_gone = true;
    lose_all(upstream);
}
