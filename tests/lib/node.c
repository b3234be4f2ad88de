/* node: one rallocd for tests; see node.h. */
#include "tests/lib/node.h"
#include "tests/lib/guard.h"
#include "tests/lib/until.h"
#include "tests/lib/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* build/release/tests/daemon/leases -> build/release/rallocd */
const char *node_program(void)
{
    static char path[4096];
    const char *given = getenv("RALLOCD");
    if (given != NULL && given[0] != '\0')
        return given;
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 16);
    ck_assert(len > 0);
    path[len] = '\0';
    char *tests = strstr(path, "/tests/");
    ck_assert_msg(tests != NULL, "no rallocd beside %s: set RALLOCD", path);
    strcpy(tests, "/rallocd");
    return path;
}

void node_init(struct node *node, const char *dir, const char *name)
{
    *node = (struct node){.notify = -1};
    snprintf(node->dir, sizeof(node->dir), "%s", dir);
    snprintf(node->name, sizeof(node->name), "%s", name);
    snprintf(node->path, sizeof(node->path), "%s/%s.sock", dir, name);
    snprintf(node->log, sizeof(node->log), "%s/%s.log", dir, name);
}

void node_clear(struct node *node)
{
    for (int i = 0; i < node->arg_count; i++)
        free(node->args[i]);
    if (node->notify >= 0)
        close(node->notify);
    node->arg_count = 0;
    node->notify = -1;
}

void node_option(struct node *node, const char *format, ...)
{
    va_list args;
    ck_assert(node->arg_count < NODE_MAX_ARGS);
    va_start(args, format);
    ck_assert(vasprintf(&node->args[node->arg_count++], format, args) > 0);
    va_end(args);
}

/* --- messages ----------------------------------------------------------------------- */

static void open_notify(struct node *node, char *variable, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.notify", node->dir, node->name);
    unlink(address.sun_path);
    if (node->notify >= 0)
        close(node->notify);
    node->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert(node->notify >= 0);
    ck_assert(bind(node->notify, (struct sockaddr *)&address, sizeof(address)) == 0);
    snprintf(variable, size, "NOTIFY_SOCKET=%s", address.sun_path);
}

/* "STATUS=listening on 127.0.0.1:4711 [::1]:4712 unix:/..." */
static void note_status(struct node *node, const char *message)
{
    const char *status = strstr(message, "STATUS=");
    if (status == NULL)
        return;
    snprintf(node->status, sizeof(node->status), "%s", status + 7);
    const char *v4 = strstr(status, "127.0.0.1:"), *v6 = strstr(status, "[::1]:");
    node->port = v4 == NULL ? 0 : atoi(v4 + 10);
    node->port_v6 = v6 == NULL ? 0 : atoi(v6 + 6);
}

bool node_has_message(struct node *node, const char *message)
{
    char bytes[4096];
    ssize_t len = recv(node->notify, bytes, sizeof(bytes) - 1, 0);
    if (len <= 0)
        return false;
    bytes[len] = '\0';
    note_status(node, bytes);
    return strstr(bytes, message) != NULL;
}

void node_wait_message(struct node *node, const char *message)
{
    int64_t end_ms = until_now_ms() + until_wait_ms();
    int status = 0;
    while (!node_has_message(node, message)) {
        if (guard_has_ended(node->pid, &status)) {
            node->pid = 0;
            ck_abort_msg("%s ended with %d before %s", node->name, status, message);
        }
        ck_assert_msg(until_now_ms() < end_ms, "%s does not say %s", node->name, message);
        until_pause();
    }
}

/* --- running ------------------------------------------------------------------------ */

void node_launch(struct node *node)
{
    char listen[200], notify[200];
    char *argv[NODE_MAX_ARGS + 3], *environment[] = {notify, NULL};
    int argc = 0;
    bool has_listen = false;
    open_notify(node, notify, sizeof(notify));
    snprintf(listen, sizeof(listen), "--server.listen=unix:%s", node->path);
    argv[argc++] = (char *)(uintptr_t)node_program();
    for (int i = 0; i < node->arg_count; i++) {
        has_listen = has_listen || strncmp(node->args[i], "--server.listen=", 16) == 0;
        argv[argc++] = node->args[i];
    }
    if (!has_listen)
        argv[argc++] = listen;
    argv[argc] = NULL;
    node->pid = guard_run(node->log, argv, environment);
}

void node_start(struct node *node)
{
    node_launch(node);
    node_wait_message(node, "READY=1");
}

void node_signal(struct node *node, int signal_number)
{
    ck_assert(node->pid > 0);
    kill(node->pid, signal_number);
}

int node_wait_end(struct node *node)
{
    int status = guard_wait(node->pid);
    node->pid = 0;
    return status;
}

int node_stop(struct node *node)
{
    node_signal(node, SIGTERM);
    return node_wait_end(node);
}

void node_kill(struct node *node)
{
    node_signal(node, SIGKILL);
    node_wait_end(node);
}

bool node_log_has(const struct node *node, const char *text)
{
    struct text log = {0};
    char bytes[65536];
    ssize_t len;
    int fd = open(node->log, O_RDONLY | O_CLOEXEC);
    ck_assert(fd >= 0);
    text_add(&log, "", 0);
    while ((len = read(fd, bytes, sizeof(bytes))) > 0)
        text_add(&log, bytes, (size_t)len);
    close(fd);
    bool is_there = strstr(log.bytes, text) != NULL;
    text_clear(&log);
    return is_there;
}

struct client *node_client(const struct node *node)
{
    return client_unix(node->path);
}

void node_catch_up(const struct node *node)
{
    struct client *late = node_client(node);
    ck_assert_str_eq(say(late, "PING"), "PONG");
    client_close(late);
}
