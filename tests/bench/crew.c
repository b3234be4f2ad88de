/* crew: see crew.h. The three tongues are at the end. */
#include "crew.h"
#include "base/mem.h"
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define STALL_MS     10000 /* nothing comes for so long: the server hangs */
#define MOST_WAITING 500

enum step { SUBMITTING, TAKING, ENDING };

struct member {
    int fd;
    enum step step;
    bool is_worker, is_asking;
    char in[CREW_TEXT];
    size_t len;
};

struct crew {
    const struct crew_tongue *tongue;
    const struct crew_plan *plan;
    struct member *members;
    int epoll;
    unsigned long long submitted, ended;
    unsigned long long run; /* ids of one run are not those of another */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct member *member, const char *bytes, size_t len)
{
    if (write(member->fd, bytes, len) != (ssize_t)len)
        err(1, "a request of %zu bytes", len);
    member->is_asking = true;
}

static void submit(struct crew *crew, struct member *member)
{
    char out[CREW_TEXT];
    say(member, out, crew->tongue->submit(out, crew->run + ++crew->submitted));
}

static void take(struct crew *crew, struct member *member)
{
    char out[CREW_TEXT];
    member->step = TAKING;
    say(member, out, crew->tongue->take(out));
}

/* Producers that had to rest go on. */
static void submit_more(struct crew *crew)
{
    for (int i = 0; i < crew->plan->producers; i++) {
        if (crew->submitted - crew->ended >= MOST_WAITING)
            return;
        if (!crew->members[i].is_asking)
            submit(crew, &crew->members[i]);
    }
}

static void go_on(struct crew *crew, struct member *member, const char *id, size_t id_len)
{
    char out[CREW_TEXT];
    member->is_asking = false;
    if (member->step == TAKING) {
        member->step = ENDING;
        say(member, out, crew->tongue->end(out, id, id_len));
    } else if (member->step == ENDING) {
        crew->ended++;
        take(crew, member);
    }
}

static void read_answer(struct crew *crew, struct member *member)
{
    const char *id = NULL;
    size_t id_len = 0;
    ssize_t got = read(member->fd, member->in + member->len, sizeof member->in - member->len);
    if (got <= 0)
        errx(1, "%s closed a connection", crew->tongue->name);
    member->len += (size_t)got;
    size_t used = crew->tongue->answer(member->in, member->len, &id, &id_len);
    if (used == 0)
        return;
    if (used != member->len)
        errx(1, "%s said more than was asked: %.*s", crew->tongue->name, (int)member->len,
             member->in);
    member->len = 0;
    go_on(crew, member, id, id_len);
}

static void turn(struct crew *crew)
{
    struct epoll_event events[256];
    int count = epoll_wait(crew->epoll, events, 256, STALL_MS);
    if (count <= 0)
        errx(1, "%s does not answer", crew->tongue->name);
    for (int i = 0; i < count; i++)
        read_answer(crew, events[i].data.ptr);
    submit_more(crew);
}

static void dial(struct crew *crew, const struct endpoint *endpoint)
{
    int count = crew->plan->producers + crew->plan->workers;
    crew->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        struct member *member = &crew->members[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
        member->fd = endpoint_dial(endpoint);
        if (member->fd < 0 || epoll_ctl(crew->epoll, EPOLL_CTL_ADD, member->fd, &event) != 0)
            err(1, "%s", crew->tongue->name);
        member->is_worker = i >= crew->plan->producers;
        if (member->is_worker)
            take(crew, member);
    }
}

/* What waits yet is ended, so that the next run finds nothing. */
static void drain(struct crew *crew)
{
    bool is_asking = true;
    while (crew->ended < crew->submitted || is_asking) {
        struct epoll_event events[256];
        int count = epoll_wait(crew->epoll, events, 256, STALL_MS);
        if (count <= 0)
            errx(1, "%s does not answer", crew->tongue->name);
        for (int i = 0; i < count; i++)
            read_answer(crew, events[i].data.ptr);
        is_asking = false;
        for (int i = 0; i < crew->plan->producers; i++)
            is_asking = is_asking || crew->members[i].is_asking;
    }
}

double crew_run(const struct crew_tongue *tongue, const struct endpoint *endpoint,
                const struct crew_plan *plan)
{
    static unsigned long long runs;
    int count = plan->producers + plan->workers;
    struct crew crew = {.tongue = tongue, .plan = plan, .run = ++runs * 1000000000};
    crew.members = mem_array((size_t)count, sizeof *crew.members);
    memset(crew.members, 0, (size_t)count * sizeof *crew.members);
    dial(&crew, endpoint);
    submit_more(&crew);
    double begins = now() + plan->seconds / 5;
    while (now() < begins)
        turn(&crew);
    begins = now();
    unsigned long long before = crew.ended;
    while (now() < begins + plan->seconds)
        turn(&crew);
    double rate = (double)(crew.ended - before) / (now() - begins);
    drain(&crew);
    for (int i = 0; i < count; i++)
        close(crew.members[i].fd);
    close(crew.epoll);
    mem_free(crew.members);
    return rate;
}

/* --- tongues -----------------------------------------------------------------------------------
 * A task has 64 bytes of parameters and a result of 64 bytes; beanstalkd knows no results. */

#define PAYLOAD  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LISTENED "\r\n$5\r\nbench\r\n$" /* behind "*5" of LISTEN, "*2" of BLPOP; then the id */

static size_t whole_line(const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

/* Lines of a RESP array of `elements`; the id is its second one. */
static size_t resp_task(const char *bytes, size_t len, const char **id, size_t *id_len)
{
    size_t head = 2 + sizeof LISTENED - 1, lines = 5, at = 0;
    if (bytes[1] == '5')
        lines = 9;
    for (size_t i = 0; i < lines; i++) {
        size_t line = whole_line(bytes + at, len - at);
        if (line == 0)
            return 0;
        at += line;
    }
    if (memcmp(bytes + 2, LISTENED, sizeof LISTENED - 1) != 0)
        errx(1, "no task: %.*s", (int)len, bytes);
    const char *digits = bytes + head;
    *id = digits + whole_line(digits, len - head);
    *id_len = strcspn(*id, " \r");
    return at;
}

static size_t resp_answer(const char *bytes, size_t len, const char **id, size_t *id_len)
{
    if (bytes[0] == '-')
        errx(1, "%.*s", (int)len, bytes);
    return bytes[0] == '*' ? resp_task(bytes, len, id, id_len) : whole_line(bytes, len);
}

static size_t print_id(char *out, unsigned long long id)
{
    return (size_t)snprintf(out, 24, "%llu", id);
}

static size_t daemon_submit(char *out, unsigned long long id)
{
    char text[24];
    size_t len = print_id(text, id);
    return (size_t)snprintf(out, CREW_TEXT,
                            "*5\r\n$5\r\nQUERY\r\n$5\r\nbench\r\n$%zu\r\n%s\r\n$64\r\n" PAYLOAD
                            "\r\n$6\r\nNOWAIT\r\n",
                            len, text);
}

static size_t daemon_take(char *out)
{
    return (size_t)snprintf(out, CREW_TEXT,
                            "*4\r\n$6\r\nLISTEN\r\n$5\r\nbench\r\n$4\r\nWAIT\r\n$1\r\n0\r\n");
}

static size_t daemon_end(char *out, const char *id, size_t len)
{
    return (size_t)snprintf(out, CREW_TEXT,
                            "*3\r\n$6\r\nRESULT\r\n$%zu\r\n%.*s\r\n$64\r\n" PAYLOAD "\r\n", len,
                            (int)len, id);
}

const struct crew_tongue crew_daemon = {"rallocd", daemon_submit, daemon_take, daemon_end,
                                        resp_answer};

/* The list's element is the id and the parameters. */
static size_t redis_submit(char *out, unsigned long long id)
{
    char text[24];
    size_t len = print_id(text, id);
    return (size_t)snprintf(out, CREW_TEXT,
                            "*3\r\n$5\r\nRPUSH\r\n$5\r\nbench\r\n$%zu\r\n%s " PAYLOAD "\r\n",
                            len + 65, text);
}

static size_t redis_take(char *out)
{
    return (size_t)snprintf(out, CREW_TEXT, "*3\r\n$5\r\nBLPOP\r\n$5\r\nbench\r\n$1\r\n0\r\n");
}

static size_t redis_end(char *out, const char *id, size_t len)
{
    return (size_t)snprintf(
        out, CREW_TEXT,
        "*4\r\n$5\r\nSETEX\r\n$%zu\r\nresult:%.*s\r\n$3\r\n300\r\n$64\r\n" PAYLOAD "\r\n", len + 7,
        (int)len, id);
}

const struct crew_tongue crew_redis = {"bare Redis", redis_submit, redis_take, redis_end,
                                       resp_answer};

static size_t beanstalkd_submit(char *out, unsigned long long id)
{
    (void)id;
    return (size_t)snprintf(out, CREW_TEXT, "put 0 0 60 64\r\n" PAYLOAD "\r\n");
}

static size_t beanstalkd_take(char *out)
{
    return (size_t)snprintf(out, CREW_TEXT, "reserve\r\n");
}

static size_t beanstalkd_end(char *out, const char *id, size_t len)
{
    return (size_t)snprintf(out, CREW_TEXT, "delete %.*s\r\n", (int)len, id);
}

static size_t beanstalkd_answer(const char *bytes, size_t len, const char **id, size_t *id_len)
{
    size_t line = whole_line(bytes, len);
    if (line == 0 || strncmp(bytes, "INSERTED ", 9) == 0 || strncmp(bytes, "DELETED", 7) == 0)
        return line;
    if (strncmp(bytes, "RESERVED ", 9) != 0)
        errx(1, "beanstalkd: %.*s", (int)len, bytes);
    *id = bytes + 9;
    *id_len = strcspn(*id, " ");
    size_t body = whole_line(bytes + line, len - line);
    return body == 0 ? 0 : line + body;
}

const struct crew_tongue crew_beanstalkd = {"beanstalkd", beanstalkd_submit, beanstalkd_take,
                                            beanstalkd_end, beanstalkd_answer};
