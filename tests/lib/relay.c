/* relay: faults on the link between a daemon and its Redis; see relay.h. */
#include "tests/lib/relay.h"
#include "tests/lib/until.h"
#include "tests/lib/wire.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINKS 64
#define TURN_MS   2 /* how often the thread looks at what the test wants */

struct link {
    int near, far;        /* to the daemon, to Redis */
    struct text requests; /* from the daemon, not passed on yet */
    struct text replies;
    int64_t replies_due_ms; /* when delayed replies leave */
    bool has_hole;          /* replies were swallowed */
};

struct relay {
    pthread_t thread;
    pthread_mutex_t lock; /* held by the thread for all but its waiting */
    int listener;
    char target[108];
    struct link links[MAX_LINKS];
    int count;
    bool is_refusing, is_stalled, is_swallowing, is_ending;
    int delay_ms;
    const char *command, *answer;
    size_t swallowed, answered;
};

/* --- links -------------------------------------------------------------------------- */

static int open_unix(const char *path, bool is_listener)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failed = is_listener ? bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
                                   listen(fd, MAX_LINKS) != 0
                             : connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0;
    if (!failed)
        return fd;
    close(fd);
    return -1;
}

static void drop_link(struct relay *relay, int i)
{
    struct link *link = &relay->links[i];
    close(link->near);
    close(link->far);
    text_clear(&link->requests);
    text_clear(&link->replies);
    *link = relay->links[--relay->count];
}

static void accept_link(struct relay *relay)
{
    int near = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (near < 0)
        return;
    int far =
        relay->is_refusing || relay->count == MAX_LINKS ? -1 : open_unix(relay->target, false);
    if (far < 0) {
        close(near);
        return;
    }
    relay->links[relay->count++] = (struct link){.near = near, .far = far};
}

/* --- bytes -------------------------------------------------------------------------- */

/* False when the other end is gone. */
static bool take_bytes(int fd, struct text *into)
{
    char bytes[65536];
    for (;;) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        text_add(into, bytes, (size_t)got);
    }
}

static void cut_head(struct text *text, size_t len)
{
    text->len -= len;
    memmove(text->bytes, text->bytes + len, text->len);
}

static bool pass(int fd, struct text *from, size_t len)
{
    if (len == 0)
        return true;
    ssize_t sent = send(fd, from->bytes, len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    cut_head(from, (size_t)sent);
    return true;
}

/* "*3\r\n$7\r\nEVALSHA\r\n..." */
static bool is_command(const char *request, const char *command)
{
    const char *length = strchr(request, '$');
    const char *word = length == NULL ? NULL : strchr(length, '\n');
    size_t len = strlen(command);
    return word != NULL && strncasecmp(word + 1, command, len) == 0 && word[1 + len] == '\r';
}

static bool pass_requests(struct relay *relay, struct link *link)
{
    size_t size;
    if (relay->command == NULL)
        return pass(link->far, &link->requests, link->requests.len);
    while (link->requests.len > 0 &&
           (size = wire_request_size(link->requests.bytes, link->requests.len)) > 0) {
        if (is_command(link->requests.bytes, relay->command)) {
            text_add(&link->replies, relay->answer, strlen(relay->answer));
            cut_head(&link->requests, size);
            relay->answered++;
        } else if (!pass(link->far, &link->requests, size)) {
            return false;
        }
    }
    return true;
}

static bool pass_replies(struct relay *relay, struct link *link)
{
    if (relay->is_swallowing && link->replies.len > 0) {
        relay->swallowed++;
        link->replies.len = 0;
        link->has_hole = true;
    }
    if (link->has_hole && !relay->is_swallowing)
        return false; /* no stream goes on behind bytes that it has lost */
    if (link->replies.len == 0) {
        link->replies_due_ms = 0;
        return true;
    }
    if (link->replies_due_ms == 0)
        link->replies_due_ms = until_now_ms() + relay->delay_ms;
    if (until_now_ms() < link->replies_due_ms)
        return true;
    return pass(link->near, &link->replies, link->replies.len);
}

static void turn(struct relay *relay)
{
    accept_link(relay);
    if (relay->is_stalled)
        return;
    for (int i = relay->count - 1; i >= 0; i--) {
        struct link *link = &relay->links[i];
        bool is_open = take_bytes(link->near, &link->requests);
        is_open = pass_requests(relay, link) && is_open;
        is_open = take_bytes(link->far, &link->replies) && is_open;
        is_open = pass_replies(relay, link) && is_open;
        if (!is_open)
            drop_link(relay, i);
    }
}

static void *run(void *arg)
{
    struct relay *relay = arg;
    bool is_ending = false;
    while (!is_ending) {
        struct pollfd pollers[1 + 2 * MAX_LINKS];
        nfds_t count = 0;
        pthread_mutex_lock(&relay->lock);
        turn(relay);
        is_ending = relay->is_ending;
        pollers[count++] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
        for (int i = 0; i < relay->count && !relay->is_stalled; i++) {
            pollers[count++] = (struct pollfd){.fd = relay->links[i].near, .events = POLLIN};
            pollers[count++] = (struct pollfd){.fd = relay->links[i].far, .events = POLLIN};
        }
        pthread_mutex_unlock(&relay->lock);
        poll(pollers, count, TURN_MS);
    }
    return NULL;
}

/* --- what the test asks for --------------------------------------------------------- */

struct relay *relay_new(const char *path, const char *target)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    snprintf(relay->target, sizeof(relay->target), "%s", target);
    relay->listener = open_unix(path, true);
    ck_assert_msg(relay->listener >= 0, "relay: %s: %s", path, strerror(errno));
    pthread_mutex_init(&relay->lock, NULL);
    ck_assert(pthread_create(&relay->thread, NULL, run, relay) == 0);
    return relay;
}

void relay_free(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->is_ending = true;
    pthread_mutex_unlock(&relay->lock);
    pthread_join(relay->thread, NULL);
    while (relay->count > 0)
        drop_link(relay, relay->count - 1);
    close(relay->listener);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

void relay_cut(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    while (relay->count > 0)
        drop_link(relay, relay->count - 1);
    pthread_mutex_unlock(&relay->lock);
}

static void set_flag(struct relay *relay, bool *flag, bool value)
{
    pthread_mutex_lock(&relay->lock);
    *flag = value;
    pthread_mutex_unlock(&relay->lock);
}

void relay_refuse(struct relay *relay, bool is_on)
{
    set_flag(relay, &relay->is_refusing, is_on);
}

void relay_stall(struct relay *relay, bool is_on)
{
    set_flag(relay, &relay->is_stalled, is_on);
}

void relay_swallow_replies(struct relay *relay, bool is_on)
{
    set_flag(relay, &relay->is_swallowing, is_on);
}

void relay_delay_replies(struct relay *relay, int ms)
{
    pthread_mutex_lock(&relay->lock);
    relay->delay_ms = ms;
    pthread_mutex_unlock(&relay->lock);
}

void relay_answer(struct relay *relay, const char *command, const char *reply)
{
    pthread_mutex_lock(&relay->lock);
    relay->command = command;
    relay->answer = reply;
    pthread_mutex_unlock(&relay->lock);
}

void relay_inject(struct relay *relay, const void *bytes, size_t len)
{
    pthread_mutex_lock(&relay->lock);
    for (int i = 0; i < relay->count; i++)
        text_add(&relay->links[i].replies, bytes, len);
    pthread_mutex_unlock(&relay->lock);
}

static size_t read_count(struct relay *relay, const size_t *counter)
{
    pthread_mutex_lock(&relay->lock);
    size_t count = *counter;
    pthread_mutex_unlock(&relay->lock);
    return count;
}

size_t relay_swallowed(struct relay *relay)
{
    return read_count(relay, &relay->swallowed);
}

size_t relay_answered(struct relay *relay)
{
    return read_count(relay, &relay->answered);
}

int relay_links(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    int count = relay->count;
    pthread_mutex_unlock(&relay->lock);
    return count;
}
