/* distance: see distance.h. */
#include "distance.h"
#include "base/mem.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WAYS = 64, CHUNK = 65536 };

/* Bytes on their way. */
struct chunk {
    struct chunk *next;
    int64_t due_ns;
    size_t len; /* 0: the end */
    char bytes[];
};

/* One direction of a connection. */
struct way {
    int from, to;
    struct chunk *first, **end;
};

struct distance {
    int listener;
    const struct endpoint *there;
    int64_t delay_ns;
    struct way ways[MOST_WAYS];
    int count;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int listen_at(const struct endpoint *here)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(where.sun_path, here->unix_path, strlen(here->unix_path) + 1);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&where, sizeof(where)) != 0 ||
        listen(fd, 64) != 0)
        err(1, "%s", here->unix_path);
    return fd;
}

static void add_way(struct distance *distance, int from, int to)
{
    struct way *way = &distance->ways[distance->count++];
    *way = (struct way){.from = from, .to = to, .end = &way->first};
}

static void accept_one(struct distance *distance)
{
    int near = accept4(distance->listener, NULL, NULL, SOCK_CLOEXEC);
    int far = endpoint_dial(distance->there);
    if (near < 0 || far < 0 || distance->count + 2 > MOST_WAYS)
        errx(1, "a connection cannot be passed on");
    add_way(distance, near, far);
    add_way(distance, far, near);
}

static void take_in(const struct distance *distance, struct way *way)
{
    struct chunk *chunk = mem_alloc(sizeof(*chunk) + CHUNK);
    ssize_t len = read(way->from, chunk->bytes, CHUNK);
    *chunk =
        (struct chunk){.due_ns = now_ns() + distance->delay_ns, .len = len > 0 ? (size_t)len : 0};
    *way->end = chunk;
    way->end = &chunk->next;
    if (len <= 0)
        way->from = -1; /* poll() passes over it */
}

static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return; /* it has gone: its end is on its way */
        bytes += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
}

static void pass_on(struct way *way)
{
    struct chunk *chunk = way->first;
    if (chunk->len > 0)
        write_all(way->to, chunk->bytes, chunk->len);
    else
        shutdown(way->to, SHUT_WR);
    way->first = chunk->next;
    if (way->first == NULL)
        way->end = &way->first;
    mem_free(chunk);
}

/* Passes on what is due; how long the next one has yet, -1 when nothing is on its way. */
static int64_t pass_on_due(struct distance *distance)
{
    int64_t left_ns = -1;
    for (int i = 0; i < distance->count; i++) {
        struct way *way = &distance->ways[i];
        int64_t now = now_ns();
        while (way->first != NULL && way->first->due_ns <= now)
            pass_on(way);
        if (way->first != NULL && (left_ns < 0 || way->first->due_ns - now < left_ns))
            left_ns = way->first->due_ns - now;
    }
    return left_ns;
}

static void run(struct distance *distance)
{
    struct pollfd fds[MOST_WAYS + 1];
    for (;;) {
        int64_t left_ns = pass_on_due(distance);
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        int count = distance->count;
        for (int i = 0; i < count; i++)
            fds[i] = (struct pollfd){.fd = distance->ways[i].from, .events = POLLIN};
        fds[count] = (struct pollfd){.fd = distance->listener, .events = POLLIN};
        if (ppoll(fds, (nfds_t)count + 1, left_ns < 0 ? NULL : &left, NULL) < 0 && errno != EINTR)
            err(1, "ppoll");
        for (int i = 0; i < count; i++) {
            if (fds[i].revents != 0)
                take_in(distance, &distance->ways[i]);
        }
        if (fds[count].revents != 0)
            accept_one(distance);
    }
}

pid_t distance_start(const struct endpoint *here, const struct endpoint *there, int us)
{
    struct distance distance = {
        .listener = listen_at(here), .there = there, .delay_ns = (int64_t)us * 1000};
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_TIMERSLACK, 1000); /* ns: it is as exact as it can be */
        signal(SIGPIPE, SIG_IGN);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
            run(&distance);
        _exit(1);
    }
    close(distance.listener);
    return pid;
}
