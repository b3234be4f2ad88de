/* load: see load.h. */
#include "load.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "latency.h"
#include "reader.h"
#include "request.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define STALL_MS    10000 /* nothing comes for so long: the target hangs */
#define CHUNK_BYTES 65536

enum step { TAKING, GIVING };
enum phase { WARMING, COUNTING, ENDING };

struct slot {
    enum step step;
    int64_t began_us;
    char resource[REQUEST_MAX_FILL], name[32];
    size_t resource_len, name_len;
};

struct client {
    int fd;
    char id[32];
    uint64_t sequence;
    struct slot *slots;
    /* Answers come in the order of requests: the slots whose answers are due, a ring. */
    int *due;
    int first, due_count;
    char *out; /* has room for the requests of all slots */
    size_t len, sent;
    char *rest; /* of an answer that is not whole yet */
    size_t rest_len;
    bool is_blocked; /* the socket took less than all */
};

struct load {
    const struct load_target *target;
    const struct load_plan *plan;
    struct load_result *result;
    struct request take, give;
    struct clock clock;
    int epoll;
    enum phase phase;
    int64_t began_us;
    uint64_t taken; /* takes asked */
    int busy;       /* slots that are not at rest */
    struct client *clients;
    struct latency latency;
    char chunk[CHUNK_BYTES];
};

/* --- requests ----------------------------------------------------------------------------------
 */

static void write_request(struct load *load, struct client *client, const struct slot *slot)
{
    char digits[NUM_INT_MAX];
    size_t len = num_format_int(digits, (int64_t)++client->sequence);
    struct request_fill fill = {
        .resource = str_make(slot->resource, slot->resource_len),
        .sequence = str_make(digits, len),
        .client = str_of(client->id),
        .name = str_make(slot->name, slot->name_len),
    };
    const struct request *request = slot->step == TAKING ? &load->take : &load->give;
    client->len += request_write(request, &fill, client->out + client->len);
}

/* A slot goes on, or comes to rest. */
static void ask(struct load *load, struct client *client, int index, int64_t now_us)
{
    struct slot *slot = &client->slots[index];
    int depth = load->plan->depth;
    if (slot->step == TAKING) {
        if (load->phase == ENDING || (load->plan->units > 0 && load->taken == load->plan->units)) {
            load->busy--;
            return;
        }
        load->taken++;
    }
    write_request(load, client, slot);
    slot->began_us = now_us;
    client->due[(client->first + client->due_count++) % depth] = index;
}

static void watch(struct load *load, struct client *client, bool is_blocked)
{
    struct epoll_event event = {.events = is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->fd, &event) != 0)
        err(1, "%s: epoll", load->target->name);
    client->is_blocked = is_blocked;
}

static void flush(struct load *load, struct client *client)
{
    if (client->len == 0)
        return;
    ssize_t now = write(client->fd, client->out + client->sent, client->len - client->sent);
    if (now < 0 && errno != EAGAIN)
        err(1, "%s: write", load->target->name);
    client->sent += now > 0 ? (size_t)now : 0;
    bool is_blocked = client->sent < client->len;
    if (is_blocked != client->is_blocked)
        watch(load, client, is_blocked);
    /* the room is that of all slots' requests: what has gone makes place for what comes */
    client->len -= client->sent;
    memmove(client->out, client->out + client->sent, client->len);
    client->sent = 0;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void keep_resource(const struct load *load, struct slot *slot, const struct leaf *leaf)
{
    const char *refusal = load->target->refusal;
    if (leaf->type == LEAF_NONE)
        errx(1, "%s: nothing to take", load->target->name);
    if (leaf->type == LEAF_INTEGER && load->target->takes_number)
        return;
    if (leaf->type == LEAF_INTEGER || leaf->text.len >= sizeof(slot->resource) ||
        (refusal != NULL && str_eq(leaf->text, str_of(refusal))))
        errx(1, "%s: a take is answered '%.*s'", load->target->name, PRSTR(leaf->text));
    if (leaf->text.len <= load->target->before_resource)
        errx(1, "%s: a take is answered '%.*s'", load->target->name, PRSTR(leaf->text));
    slot->resource_len = leaf->text.len - load->target->before_resource;
    memcpy(slot->resource, leaf->text.ptr + load->target->before_resource, slot->resource_len);
}

static void take_answer(struct load *load, struct client *client, const struct leaf *leaf,
                        int64_t now_us)
{
    if (client->due_count == 0)
        errx(1, "%s: more answers than requests", load->target->name);
    int index = client->due[client->first];
    struct slot *slot = &client->slots[index];
    client->first = (client->first + 1) % load->plan->depth;
    client->due_count--;
    if (leaf->type == LEAF_ERROR)
        errx(1, "%s: %.*s", load->target->name, PRSTR(leaf->text));
    bool is_unit = slot->step == GIVING || load->give.bytes == NULL;
    if (load->phase == COUNTING) {
        latency_add(&load->latency, (uint64_t)(now_us - slot->began_us));
        load->result->units += is_unit;
    }
    if (slot->step == TAKING)
        keep_resource(load, slot, leaf);
    else if (leaf->type != LEAF_INTEGER || !str_eq(leaf->text, STR("1")))
        errx(1, "%s: a give is answered '%.*s'", load->target->name, PRSTR(leaf->text));
    slot->step = is_unit ? TAKING : GIVING;
    ask(load, client, index, now_us);
}

static void keep_rest(struct client *client, const char *bytes, size_t len)
{
    client->rest = mem_realloc(client->rest, len + 1);
    memcpy(client->rest, bytes, len);
    client->rest_len = len;
}

static void read_answers(struct load *load, struct client *client)
{
    size_t len = client->rest_len, at = 0, size;
    struct leaf leaf;
    if (len > 0)
        memcpy(load->chunk, client->rest, len);
    ssize_t got = read(client->fd, load->chunk + len, sizeof(load->chunk) - len);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        errx(1, "%s: closed its connection", load->target->name);
    int64_t now_us = clock_us(&load->clock);
    for (len += (size_t)got; (size = reader_next(load->chunk + at, len - at, &leaf)) > 0;
         at += size)
        take_answer(load, client, &leaf, now_us);
    client->rest_len = 0;
    if (at < len)
        keep_rest(client, load->chunk + at, len - at);
    flush(load, client);
}

/* --- clients -----------------------------------------------------------------------------------
 */

static void open_client(struct load *load, int number)
{
    struct client *client = &load->clients[number];
    size_t depth = (size_t)load->plan->depth;
    size_t most = load->take.max_len;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (load->give.max_len > most)
        most = load->give.max_len;
    client->out = mem_alloc(depth * most);
    client->slots = mem_array(depth, sizeof(*client->slots));
    client->due = mem_array(depth, sizeof(*client->due));
    snprintf(client->id, sizeof(client->id), "client-%d", number);
    /* above that of any client of an earlier run, which may have had the same id */
    client->sequence = (uint64_t)clock_us(&load->clock);
    for (int i = 0; i < load->plan->depth; i++) {
        struct slot *slot = &client->slots[i];
        slot->name_len = (size_t)snprintf(slot->name, sizeof(slot->name), "name-%d-%d", number, i);
    }
    client->fd = endpoint_dial(&load->target->endpoints[number % load->target->endpoint_count]);
    if (client->fd < 0 || fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        err(1, "%s: client %d", load->target->name, number);
}

static void close_client(struct client *client)
{
    close(client->fd);
    mem_free(client->out);
    mem_free(client->slots);
    mem_free(client->due);
    mem_free(client->rest);
}

/* --- the run -----------------------------------------------------------------------------------
 */

static void edge(const struct load *load, bool is_end)
{
    if (load->plan->edge != NULL)
        load->plan->edge(load->plan->arg, is_end);
}

static void begin_counting(struct load *load)
{
    edge(load, false);
    load->phase = COUNTING;
    load->began_us = clock_us(&load->clock);
}

static void end_counting(struct load *load)
{
    load->phase = ENDING;
    load->result->seconds = (double)(clock_us(&load->clock) - load->began_us) / 1e6;
    edge(load, true);
}

static void look_at_clock(struct load *load)
{
    double passed_s = (double)(clock_us(&load->clock) - load->began_us) / 1e6;
    if (load->plan->units > 0)
        return;
    if (load->phase == WARMING && passed_s >= load->plan->seconds / 10)
        begin_counting(load);
    else if (load->phase == COUNTING && passed_s >= load->plan->seconds)
        end_counting(load);
}

static void turn(struct load *load)
{
    struct epoll_event events[256];
    int count = epoll_wait(load->epoll, events, 256, STALL_MS);
    if (count < 0)
        err(1, "epoll_wait");
    if (count == 0)
        errx(1, "%s: no answer for %d ms", load->target->name, STALL_MS);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0)
            flush(load, client);
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
            read_answers(load, client);
    }
}

static void run(struct load *load)
{
    const struct load_plan *plan = load->plan;
    for (int i = 0; i < plan->clients; i++)
        open_client(load, i);
    load->busy = plan->clients * plan->depth;
    load->began_us = clock_us(&load->clock);
    if (plan->units > 0)
        begin_counting(load);
    for (int i = 0; i < plan->clients; i++) {
        for (int slot = 0; slot < plan->depth; slot++)
            ask(load, &load->clients[i], slot, clock_us(&load->clock));
        flush(load, &load->clients[i]);
    }
    while (load->busy > 0) {
        turn(load);
        look_at_clock(load);
    }
    if (plan->units > 0)
        end_counting(load);
    for (int i = 0; i < plan->clients; i++)
        close_client(&load->clients[i]);
}

void load_run(const struct load_target *target, const struct load_plan *plan,
              struct load_result *result)
{
    struct load *load = mem_zalloc(sizeof(*load));
    *result = (struct load_result){0};
    load->target = target;
    load->plan = plan;
    load->result = result;
    clock_init(&load->clock);
    request_init(&load->take, &target->take);
    if (target->give.count > 0)
        request_init(&load->give, &target->give);
    load->clients = mem_array((size_t)plan->clients, sizeof(*load->clients));
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    run(load);
    if (result->units == 0)
        errx(1, "%s: nothing has ended in %.1f s", target->name, plan->seconds);
    result->p50_us = latency_quantile(&load->latency, 0.5);
    result->p99_us = latency_quantile(&load->latency, 0.99);
    close(load->epoll);
    request_clear(&load->take);
    request_clear(&load->give);
    mem_free(load->clients);
    mem_free(load);
}
