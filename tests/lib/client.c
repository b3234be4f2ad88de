/* client: a client of the daemon for tests; see client.h. */
#include "tests/lib/client.h"
#include "tests/lib/until.h"
#include "tests/lib/wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
    int fd;
    bool is_ended;
    struct text in; /* bytes that came, from `at` on unread */
    size_t at;
    struct text shown; /* the last reply as text */
};

/* --- connections -------------------------------------------------------------------- */

static struct client *make(int fd)
{
    struct client *client = calloc(1, sizeof(*client));
    client->fd = fd;
    return client;
}

/* A full backlog of a Unix socket refuses for a moment. */
static bool connect_in_time(int fd, const void *address, socklen_t len)
{
    int64_t end_ms = until_now_ms() + until_wait_ms();
    while (connect(fd, address, len) != 0) {
        if ((errno != EAGAIN && errno != EINTR) || until_now_ms() > end_ms)
            return false;
        until_pause();
    }
    return true;
}

struct client *client_try_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
    if (connect_in_time(fd, &address, sizeof(address)))
        return make(fd);
    close(fd);
    return NULL;
}

struct client *client_unix(const char *path)
{
    struct client *client = client_try_unix(path);
    ck_assert_msg(client != NULL, "cannot connect to %s: %s", path, strerror(errno));
    return client;
}

struct client *client_tcp(const char *host, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_v6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    int on = 1;
    ck_assert(is_v6 || inet_pton(AF_INET, host, &v4.sin_addr) == 1);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
    bool is_there =
        is_v6 ? connect_in_time(fd, &v6, sizeof(v6)) : connect_in_time(fd, &v4, sizeof(v4));
    ck_assert_msg(is_there, "cannot connect to %s:%d: %s", host, port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return make(fd);
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    close(client->fd);
    text_clear(&client->in);
    text_clear(&client->shown);
    free(client);
}

void client_shut(struct client *client)
{
    shutdown(client->fd, SHUT_WR);
}

int client_fd(const struct client *client)
{
    return client->fd;
}

/* --- sending ------------------------------------------------------------------------ */

size_t client_send_some(struct client *client, const void *bytes, size_t len)
{
    ssize_t sent = send(client->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : (size_t)sent;
}

/* A daemon that has closed the connection takes nothing more; what it said can still be read. */
void client_send_raw(struct client *client, const void *bytes, size_t len)
{
    int64_t end_ms = until_now_ms() + until_wait_ms();
    while (len > 0) {
        ssize_t sent = send(client->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return;
        if (sent < 0) {
            struct pollfd poller = {.fd = client->fd, .events = POLLOUT};
            ck_assert_msg(until_now_ms() < end_ms, "the daemon does not take %zu bytes", len);
            poll(&poller, 1, 100);
            continue;
        }
        bytes = (const char *)bytes + sent;
        len -= (size_t)sent;
    }
}

void client_send_args(struct client *client, int argc, const char *const *argv, const size_t *lens)
{
    struct text request = {0};
    wire_add_request(&request, argc, argv, lens);
    client_send_raw(client, request.bytes, request.len);
    text_clear(&request);
}

void client_send(struct client *client, const char *words)
{
    struct text request = {0};
    wire_add_words(&request, words);
    client_send_raw(client, request.bytes, request.len);
    text_clear(&request);
}

/* --- reading ------------------------------------------------------------------------ */

/* Reads once what comes within wait_ms; false when nothing did. The end counts as something. */
static bool read_more(struct client *client, int64_t wait_ms)
{
    char bytes[65536];
    struct pollfd poller = {.fd = client->fd, .events = POLLIN};
    if (client->is_ended)
        return false;
    if (poll(&poller, 1, (int)(wait_ms > 0 ? wait_ms : 0)) <= 0)
        return false;
    ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0)
        client->is_ended = true;
    else
        text_add(&client->in, bytes, (size_t)got);
    return true;
}

static void forget_read(struct client *client)
{
    if (client->at == 0 || client->at < client->in.len / 2)
        return;
    client->in.len -= client->at;
    memmove(client->in.bytes, client->in.bytes + client->at, client->in.len);
    client->at = 0;
}

/* How many bytes the next reply has; 0 when the connection ended or time ran out before it. */
static size_t wait_for_reply(struct client *client, int64_t wait_ms)
{
    int64_t end_ms = until_now_ms() + wait_ms;
    size_t size = 0;
    forget_read(client);
    for (;;) {
        const char *from = client->in.bytes + client->at;
        if (client->in.len > client->at)
            size = wire_reply_size(from, client->in.len - client->at);
        if (size > 0)
            return size;
        int64_t left_ms = end_ms - until_now_ms();
        if (client->is_ended || (!read_more(client, left_ms) && left_ms <= 0))
            return 0;
    }
}

const char *client_read_raw(struct client *client, size_t *len)
{
    *len = wait_for_reply(client, until_wait_ms());
    ck_assert_msg(*len > 0, client->is_ended ? "the connection has ended" : "no reply came");
    client->shown.len = 0;
    text_add(&client->shown, client->in.bytes + client->at, *len);
    client->at += *len;
    return client->shown.bytes;
}

const char *client_read_or_end(struct client *client)
{
    size_t size = wait_for_reply(client, until_wait_ms());
    ck_assert_msg(size > 0 || client->is_ended, "no reply came");
    if (size == 0)
        return NULL;
    client->shown.len = 0;
    wire_show(&client->shown, client->in.bytes + client->at);
    client->at += size;
    return client->shown.bytes;
}

const char *client_read(struct client *client)
{
    const char *text = client_read_or_end(client);
    ck_assert_msg(text != NULL, "the connection has ended");
    return text;
}

bool client_has_reply(struct client *client, int64_t wait_ms)
{
    return wait_for_reply(client, wait_ms) > 0 || client->is_ended;
}

bool client_is_closed(struct client *client)
{
    int64_t end_ms = until_now_ms() + until_wait_ms();
    while (!client->is_ended && until_now_ms() < end_ms) {
        read_more(client, 100);
        client->in.len = client->at = 0;
    }
    return client->is_ended;
}

/* --- requests with their replies ---------------------------------------------------- */

const char *say(struct client *client, const char *words)
{
    client_send(client, words);
    const char *text = client_read_or_end(client);
    ck_assert_msg(text != NULL, "%s: the connection has ended", words);
    return text;
}

const char *sayf(struct client *client, const char *format, ...)
{
    char words[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    return say(client, words);
}

const char *say_args(struct client *client, int argc, const char *const *argv, const size_t *lens)
{
    client_send_args(client, argc, argv, lens);
    return client_read(client);
}

const char *say_string(struct client *client, const char *words)
{
    size_t len;
    client_send(client, words);
    const char *raw = client_read_raw(client, &len);
    ck_assert_msg(raw[0] == '$' && raw[1] != '-', "%s: not a string: %s", words, raw);
    size_t header = (size_t)(strchr(raw, '\n') - raw) + 1;
    client->shown.len = len - 2;
    client->shown.bytes[client->shown.len] = '\0';
    return raw + header;
}

int64_t say_int(struct client *client, const char *words)
{
    const char *text = say(client, words);
    ck_assert_msg(strncmp(text, "(integer) ", 10) == 0, "%s: not an integer: %s", words, text);
    return strtoll(text + 10, NULL, 10);
}

/* --- expectations ------------------------------------------------------------------- */

/* As strcmp, but ' in `text` stands for " as well as for itself. */
static bool is_text(const char *got, const char *text)
{
    for (; *text != '\0'; got++, text++) {
        if (*got != *text && (*text != '\'' || *got != '"'))
            return false;
    }
    return *got == '\0';
}

static bool is_like(const char *got, const char *pattern)
{
    char *quoted = strdup(pattern);
    for (char *c = quoted; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    bool is_equal =
        fnmatch(quoted, got, FNM_NOESCAPE) == 0 || fnmatch(pattern, got, FNM_NOESCAPE) == 0;
    free(quoted);
    return is_equal;
}

static void check_text(bool is_right, const char *file, int line, const char *words,
                       const char *got, const char *expected)
{
    ck_assert_msg(is_right, "%s:%d: %s\n  got:      %s\n  expected: %s", file, line, words, got,
                  expected);
}

void expect_text_at(const char *file, int line, const char *got, const char *text)
{
    check_text(is_text(got, text), file, line, "", got, text);
}

void expect_text_like_at(const char *file, int line, const char *got, const char *pattern)
{
    check_text(is_like(got, pattern), file, line, "", got, pattern);
}

void expect_at(const char *file, int line, struct client *client, const char *words,
               const char *text)
{
    const char *got = say(client, words);
    check_text(is_text(got, text), file, line, words, got, text);
}

void expect_like_at(const char *file, int line, struct client *client, const char *words,
                    const char *pattern)
{
    const char *got = say(client, words);
    check_text(is_like(got, pattern), file, line, words, got, pattern);
}
