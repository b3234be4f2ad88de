/* load: see load.h. */
#include "load.h"
#include "base/clock.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STALL_MS 10000 /* nothing comes for so long: the target hangs */

/* Latencies in buckets of 1/32 of a power of two: quantiles are right within 3 %. */
#define BUCKETS_OF_A_POWER 32
#define BUCKETS            (40 * BUCKETS_OF_A_POWER)

enum step { TAKING, GIVING };

struct client {
    int fd;
    enum step step;
    redisReader *reader;
    char *request; /* of hiredis' formatter */
    size_t len, sent;
    int64_t began_us;
    char resource[512];
};

struct load {
    const struct load_target *target;
    struct clock clock;
    int epoll;
    bool is_counting;
    struct load_result *result;
    uint32_t latencies[BUCKETS];
    uint64_t requests;
};

/* --- quantiles ---------------------------------------------------------------------------------
 */

static int bucket_of(uint64_t us)
{
    int power = 0;
    uint64_t v = us * BUCKETS_OF_A_POWER + 1;
    while (v >= 2 * BUCKETS_OF_A_POWER) {
        v >>= 1;
        power++;
    }
    int bucket = power * BUCKETS_OF_A_POWER + (int)(v % BUCKETS_OF_A_POWER);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_us(int bucket)
{
    int power = bucket / BUCKETS_OF_A_POWER;
    double v = BUCKETS_OF_A_POWER + bucket % BUCKETS_OF_A_POWER + 0.5;
    return v * (double)(UINT64_C(1) << power) / BUCKETS_OF_A_POWER;
}

static double quantile(const struct load *load, double share)
{
    double wanted = share * (double)load->requests;
    uint64_t seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += load->latencies[i];
        if (seen > 0 && (double)seen >= wanted)
            return bucket_us(i);
    }
    return 0;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

int load_connect(const struct load_target *target)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    bool is_unix = target->unix_path != NULL;
    int one = 1;
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "socket");
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_unix) {
        if (strlen(target->unix_path) >= sizeof(local.sun_path))
            errx(1, "%s: too long for a Unix socket", target->unix_path);
        memcpy(local.sun_path, target->unix_path, strlen(target->unix_path) + 1);
    } else if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0) {
        err(1, "TCP_NODELAY");
    }
    const struct sockaddr *where = is_unix ? (const struct sockaddr *)&local : (void *)&inet;
    if (connect(fd, where, is_unix ? sizeof(local) : sizeof(inet)) != 0)
        err(1, "%s: connect", target->name);
    return fd;
}

long long load_ask(int fd, int word_count, const char *const *words, char *text, size_t size)
{
    char *request;
    char chunk[16384];
    long long number = 0;
    redisReply *reply = NULL;
    redisReader *reader = redisReaderCreate();
    int len = redisFormatCommandArgv(&request, word_count, (const char **)(uintptr_t)words, NULL);
    for (int sent = 0; sent < len;) {
        ssize_t now = write(fd, request + sent, (size_t)(len - sent));
        if (now <= 0)
            err(1, "%s: write", words[0]);
        sent += (int)now;
    }
    while (reply == NULL) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got <= 0)
            errx(1, "%s: no answer", words[0]);
        redisReaderFeed(reader, chunk, (size_t)got);
        if (redisReaderGetReply(reader, (void **)&reply) != REDIS_OK)
            errx(1, "%s: %s", words[0], reader->errstr);
    }
    if (reply->type == REDIS_REPLY_ERROR)
        errx(1, "%s: %s", words[0], reply->str);
    if (reply->type == REDIS_REPLY_INTEGER)
        number = reply->integer;
    if (text != NULL && reply->str != NULL) {
        size_t keep = reply->len < size ? reply->len : size - 1;
        memcpy(text, reply->str, keep);
        text[keep] = '\0';
    }
    freeReplyObject(reply);
    redisReaderFree(reader);
    redisFreeCommand(request);
    return number;
}

/* --- one client's loop -------------------------------------------------------------------------
 */

static void send_rest(struct load *load, struct client *client)
{
    ssize_t now = write(client->fd, client->request + client->sent, client->len - client->sent);
    if (now < 0 && errno != EAGAIN)
        err(1, "%s: write", load->target->name);
    if (now > 0)
        client->sent += (size_t)now;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (client->sent < client->len)
        event.events |= EPOLLOUT;
    if (client->sent < client->len || now < 0)
        epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void ask(struct load *load, struct client *client)
{
    const struct load_target *target = load->target;
    const char *words[16];
    int count = client->step == TAKING ? target->take_count : target->give_count;
    const char *const *from = client->step == TAKING ? target->take : target->give;
    for (int i = 0; i < count; i++)
        words[i] = strcmp(from[i], "%r") == 0 ? client->resource : from[i];
    redisFreeCommand(client->request);
    client->len = (size_t)redisFormatCommandArgv(&client->request, count, words, NULL);
    client->sent = 0;
    client->began_us = clock_us(&load->clock);
    send_rest(load, client);
}

static void take_answer(struct load *load, struct client *client, const redisReply *reply)
{
    int64_t us = clock_us(&load->clock) - client->began_us;
    if (reply->type == REDIS_REPLY_ERROR)
        errx(1, "%s: %s", load->target->name, reply->str);
    if (load->is_counting) {
        load->latencies[bucket_of((uint64_t)us)]++;
        load->requests++;
    }
    if (client->step == GIVING) {
        load->result->pairs += load->is_counting;
        client->step = TAKING;
    } else if (reply->type == REDIS_REPLY_STRING && reply->len < sizeof(client->resource)) {
        memcpy(client->resource, reply->str, reply->len);
        client->resource[reply->len] = '\0';
        client->step = GIVING;
    } else {
        load->result->empty += load->is_counting;
    }
}

/* False: its answer is not whole yet. */
static bool read_answer(struct load *load, struct client *client)
{
    char chunk[16384];
    redisReply *reply = NULL;
    ssize_t got = read(client->fd, chunk, sizeof(chunk));
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0)
        errx(1, "%s: closed its connection", load->target->name);
    redisReaderFeed(client->reader, chunk, (size_t)got);
    if (redisReaderGetReply(client->reader, (void **)&reply) != REDIS_OK)
        errx(1, "%s: %s", load->target->name, client->reader->errstr);
    if (reply == NULL)
        return false;
    take_answer(load, client, reply);
    freeReplyObject(reply);
    return true;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static void open_client(struct load *load, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->fd = load_connect(load->target);
    client->step = TAKING;
    client->reader = redisReaderCreate();
    if (fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        err(1, "%s: epoll", load->target->name);
}

/* Goes on until `until_us`; clients whose answer comes then stay where they are. With `is_ending`,
 * until each one has given back what it holds. */
static void turn(struct load *load, int clients, int64_t until_us, bool is_ending)
{
    struct epoll_event events[256];
    int busy = clients;
    while (is_ending ? busy > 0 : clock_us(&load->clock) < until_us) {
        int count = epoll_wait(load->epoll, events, 256, STALL_MS);
        if (count == 0)
            errx(1, "%s: no answer for %d ms", load->target->name, STALL_MS);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) != 0)
                send_rest(load, client);
            if ((events[i].events & ~(uint32_t)EPOLLOUT) == 0 || !read_answer(load, client))
                continue;
            if (is_ending && client->step == TAKING)
                busy--;
            else
                ask(load, client);
        }
    }
}

void load_run(const struct load_target *target, int clients, double seconds,
              struct load_result *result)
{
    struct load *load = mem_zalloc(sizeof(*load));
    struct client *all = mem_array((size_t)clients, sizeof(*all));
    *result = (struct load_result){0};
    load->target = target;
    load->result = result;
    clock_init(&load->clock);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < clients; i++)
        open_client(load, &all[i]);
    for (int i = 0; i < clients; i++)
        ask(load, &all[i]);

    int64_t length_us = (int64_t)(seconds * 1e6);
    int64_t began_us = clock_us(&load->clock);
    turn(load, clients, began_us + length_us / 10, false);
    load->is_counting = true;
    began_us = clock_us(&load->clock);
    turn(load, clients, began_us + length_us, false);
    load->is_counting = false;
    result->seconds = (double)(clock_us(&load->clock) - began_us) / 1e6;
    turn(load, clients, 0, true);

    result->p50_us = quantile(load, 0.5);
    result->p99_us = quantile(load, 0.99);
    for (int i = 0; i < clients; i++) {
        close(all[i].fd);
        redisReaderFree(all[i].reader);
        redisFreeCommand(all[i].request);
    }
    close(load->epoll);
    mem_free(all);
    mem_free(load);
}
