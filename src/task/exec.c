/* exec: see exec.h. A slot is one program at a time: it listens, runs, tells, listens again. */
#include "task/exec.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/child.h"
#include "io/guarded.h"
#include "task/payload.h"
#include "task/workers.h"
#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL_BYTES    400 /* of stderr */
#define PIECE         65536
#define LISTEN_EACH_S 1 /* after a LISTEN that failed */

struct execs {
    struct list slots;
};

enum pipe_end { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPES };

struct slot {
    struct list_node node;
    struct tasks *tasks;
    struct event_base *base;
    struct worker *worker; /* NULL: stopped */
    char *queue, *command;
    struct guarded guarded;
    const char **argv;   /* owned; the words are within `command` */
    struct event *timer; /* the deadline of what runs, or the next LISTEN */
    struct child *child;
    struct event *pipes[PIPES]; /* our ends; NULL: closed */
    struct evbuffer *in, *out;
    char *id;
    size_t id_len;
    char tail[TAIL_BYTES];
    size_t tail_len;
    bool is_over;     /* its deadline has passed */
    bool is_too_long; /* it has printed more than max_payload */
};

static void wait_for_task(struct slot *slot);

static struct str id_of(const struct slot *slot)
{
    return str_make(slot->id, slot->id_len);
}

/* --- pipes -------------------------------------------------------------------------------------
 */

static void close_pipe(struct slot *slot, enum pipe_end end)
{
    if (slot->pipes[end] == NULL)
        return;
    int fd = event_get_fd(slot->pipes[end]);
    event_free(slot->pipes[end]);
    slot->pipes[end] = NULL;
    close(fd);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    struct slot *slot = arg;
    (void)what;
    if (evbuffer_get_length(slot->in) > 0 && evbuffer_write(slot->in, fd) < 0 && errno != EAGAIN)
        close_pipe(slot, PIPE_IN); /* it reads no more, which is its affair */
    else if (evbuffer_get_length(slot->in) == 0)
        close_pipe(slot, PIPE_IN);
}

static size_t max_output(const struct slot *slot)
{
    return (size_t)config_queue(slot->tasks->config, str_of(slot->queue))->max_payload_bytes;
}

/* Reads what is there; false when there will be no more. */
static bool read_output(struct slot *slot, int fd)
{
    int got;
    while ((got = evbuffer_read(slot->out, fd, PIECE)) > 0) {
        if (evbuffer_get_length(slot->out) <= max_output(slot))
            continue;
        slot->is_too_long = true;
        evbuffer_drain(slot->out, evbuffer_get_length(slot->out));
        child_kill_group(slot->child);
        return false;
    }
    return got < 0 && errno == EAGAIN;
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    struct slot *slot = arg;
    (void)what;
    if (!read_output(slot, fd))
        close_pipe(slot, PIPE_OUT);
}

/* Keeps the end of what it says. */
static bool read_errors(struct slot *slot, int fd)
{
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) > 0) {
        size_t len = (size_t)got, kept = slot->tail_len;
        const char *from = piece;
        if (len > TAIL_BYTES) {
            from += len - TAIL_BYTES;
            len = TAIL_BYTES;
        }
        if (kept + len > TAIL_BYTES) {
            size_t lost = kept + len - TAIL_BYTES;
            memmove(slot->tail, slot->tail + lost, kept - lost);
            kept -= lost;
        }
        memcpy(slot->tail + kept, from, len);
        slot->tail_len = kept + len;
    }
    return got < 0 && errno == EAGAIN;
}

static void on_errors(evutil_socket_t fd, short what, void *arg)
{
    struct slot *slot = arg;
    (void)what;
    if (!read_errors(slot, fd))
        close_pipe(slot, PIPE_ERR);
}

/* --- the end of a program ----------------------------------------------------------------------
 */

static void end_told(void *arg, const struct err *err, const struct answer *answer)
{
    struct slot *slot = arg;
    (void)answer;
    if (err != NULL)
        log_line(slot->tasks->log, LOG_LEVEL_WARNING, "exec-not-told", "queue", slot->queue, "why",
                 err->text, NULL);
    if (slot->worker == NULL)
        return;
    if (err != NULL) /* what Redis did not hear of is tried anew */
        worker_give_back(slot->worker, id_of(slot), err->text);
    wait_for_task(slot);
}

static void fail(struct slot *slot, const char *text)
{
    worker_fail(slot->worker, id_of(slot), str_of(text), -1, end_told, slot);
}

static void fail_by_status(struct slot *slot, int status)
{
    struct str tail = str_trim(str_make(slot->tail, slot->tail_len));
    char text[TAIL_BYTES + 1];
    for (size_t i = 0; i < slot->tail_len; i++) { /* an error is one line */
        if ((unsigned char)slot->tail[i] < ' ')
            slot->tail[i] = ' ';
    }
    if (tail.len > 0)
        snprintf(text, sizeof text, "%.*s", PRSTR(tail));
    else
        snprintf(text, sizeof text, "exit status %d of its program", status);
    fail(slot, text);
}

static void give_back(struct slot *slot, const char *why)
{
    worker_give_back(slot->worker, id_of(slot), why);
    wait_for_task(slot);
}

static void tell_end(struct slot *slot, int status)
{
    char text[80];
    if (slot->is_over) {
        give_back(slot, "its program did not end in time");
    } else if (slot->is_too_long) {
        snprintf(text, sizeof text, "its program printed more than %zu bytes (max_payload)",
                 max_output(slot));
        fail(slot, text);
    } else if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "its program was ended by signal %d", WTERMSIG(status));
        give_back(slot, text);
    } else if (WEXITSTATUS(status) != 0) {
        fail_by_status(slot, WEXITSTATUS(status));
    } else {
        size_t len = evbuffer_get_length(slot->out);
        const char *bytes = len > 0 ? (const char *)evbuffer_pullup(slot->out, -1) : "";
        worker_result(slot->worker, id_of(slot), str_make(bytes, len), false, end_told, slot);
    }
}

static void close_pipes(struct slot *slot)
{
    for (int i = 0; i < PIPES; i++)
        close_pipe(slot, (enum pipe_end)i);
}

/* What it printed last may not be read yet. Others that hold its stdout are not waited for. */
static void on_child_end(void *arg, int status)
{
    struct slot *slot = arg;
    if (slot->pipes[PIPE_OUT] != NULL && !slot->is_too_long)
        (void)read_output(slot, event_get_fd(slot->pipes[PIPE_OUT]));
    if (slot->pipes[PIPE_ERR] != NULL)
        (void)read_errors(slot, event_get_fd(slot->pipes[PIPE_ERR]));
    close_pipes(slot);
    child_free(slot->child);
    slot->child = NULL;
    evtimer_del(slot->timer);
    tell_end(slot, status);
}

/* --- its start ---------------------------------------------------------------------------------
 */

/* What a program gets to know of our environment: no setting of ours, which may be a password. */
static int put_environment(const char *out[], char **own, const struct slot *slot, int64_t attempt)
{
    static const char *const names[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"};
    int count = 0, owned = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL)
            out[count++] = own[owned++] = mem_printf("%s=%s", names[i], value);
    }
    out[count++] = own[owned++] = mem_printf("TASK_QUEUE=%s", slot->queue);
    out[count++] = own[owned++] = mem_printf("TASK_ID=%s", slot->id);
    out[count++] = own[owned++] = mem_printf("TASK_ATTEMPT=%lld", (long long)attempt);
    out[count] = NULL;
    return owned;
}

static bool open_pipes(int ours[PIPES], int theirs[PIPES], struct err *err)
{
    for (int i = 0; i < PIPES; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            while (--i >= 0) {
                close(ours[i]);
                close(theirs[i]);
            }
            return err_set(err, ERR_GENERAL, "no pipe for it: %s", strerror(errno));
        }
        ours[i] = ends[i == PIPE_IN];
        theirs[i] = ends[i != PIPE_IN];
        evutil_make_socket_nonblocking(ours[i]);
    }
    return true;
}

static bool start(struct slot *slot, int64_t attempt, struct err *err)
{
    static const event_callback_fn jobs[PIPES] = {on_input, on_output, on_errors};
    const char *environment[16];
    char *own[16] = {NULL};
    int ours[PIPES] = {-1, -1, -1}, theirs[PIPES] = {-1, -1, -1};
    if (!open_pipes(ours, theirs, err))
        return false;
    int owned = put_environment(environment, own, slot, attempt);
    const struct child_spec spec = {.argv = slot->argv,
                                    .input_fd = theirs[PIPE_IN],
                                    .output_fd = theirs[PIPE_OUT],
                                    .error_fd = theirs[PIPE_ERR],
                                    .inherited_fd = -1,
                                    .environment = environment,
                                    .ends_group = true};
    slot->child = child_start(slot->base, &spec, on_child_end, slot, err);
    while (owned > 0)
        mem_free(own[--owned]);
    for (int i = 0; i < PIPES; i++) {
        close(theirs[i]);
        if (slot->child == NULL) {
            close(ours[i]);
            continue;
        }
        short what = i == PIPE_IN ? EV_WRITE : EV_READ;
        slot->pipes[i] = event_new(slot->base, ours[i], (short)(what | EV_PERSIST), jobs[i], slot);
        event_add(slot->pipes[i], NULL);
    }
    return slot->child != NULL;
}

static void set_timer(struct slot *slot, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(slot->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct slot *slot = arg;
    (void)fd;
    (void)what;
    if (slot->child == NULL) {
        wait_for_task(slot);
        return;
    }
    slot->is_over = true;
    child_kill_group(slot->child);
}

static void run(struct slot *slot, const struct answer *task)
{
    struct str id = answer_str(answer_at(task, 1)), params = answer_str(answer_at(task, 2));
    int64_t ttl_ms = answer_int(answer_at(task, 4), -1);
    struct payload payload;
    struct err err;
    mem_free(slot->id);
    slot->id = mem_dup(id);
    slot->id_len = id.len;
    slot->tail_len = 0;
    slot->is_over = slot->is_too_long = false;
    evbuffer_drain(slot->in, evbuffer_get_length(slot->in));
    evbuffer_drain(slot->out, evbuffer_get_length(slot->out));
    payload_unpack(&payload, params);
    evbuffer_add(slot->in, payload.text.ptr, payload.text.len);
    payload_clear(&payload);
    if (!start(slot, answer_int(answer_at(task, 3), 0), &err)) {
        log_line(slot->tasks->log, LOG_LEVEL_ERROR, "exec-failed", "queue", slot->queue, "why",
                 err.text, NULL);
        fail(slot, err.text);
    } else if (ttl_ms > 0) {
        set_timer(slot, ttl_ms);
    }
}

static void end_listen(void *arg, const struct err *err, const struct answer *answer)
{
    struct slot *slot = arg;
    if (slot->worker == NULL)
        return;
    if (err == NULL && answer_count(answer) == 1)
        run(slot, answer_at(answer, 0));
    else
        set_timer(slot, INT64_C(1000) * LISTEN_EACH_S);
}

static void wait_for_task(struct slot *slot)
{
    struct str queue = str_of(slot->queue);
    const struct worker_listen listen = {.queues = &queue, .queue_count = 1, .count = 1};
    if (slot->worker != NULL)
        worker_listen(slot->worker, &listen, end_listen, slot);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void split_command(struct slot *slot)
{
    int count = GUARDED_WORDS;
    char *rest = NULL;
    slot->argv = mem_array(GUARDED_WORDS + strlen(slot->command) / 2 + 2, sizeof(char *));
    guarded_begin(&slot->guarded, slot->argv);
    for (char *word = strtok_r(slot->command, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        slot->argv[count++] = word;
    slot->argv[count] = NULL;
}

static void add_slot(struct execs *execs, struct tasks *tasks, struct event_base *base,
                     struct str queue, const char *command)
{
    struct slot *slot = mem_zalloc(sizeof *slot);
    slot->tasks = tasks;
    slot->base = base;
    slot->queue = mem_dup(queue);
    slot->command = mem_dup(str_of(command));
    slot->in = evbuffer_new();
    slot->out = evbuffer_new();
    slot->timer = evtimer_new(base, on_timer, slot);
    slot->worker = worker_new(tasks);
    split_command(slot);
    list_push(&execs->slots, &slot->node);
    set_timer(slot, 0);
}

struct execs *execs_new(struct tasks *tasks, struct event_base *base)
{
    struct execs *execs = mem_zalloc(sizeof *execs);
    struct str name;
    void *value;
    list_init(&execs->slots);
    for (size_t at = 0; map_next(&tasks->config->queues, &at, &name, &value);) {
        const struct queue_config *config = value;
        if (str_trim(str_of(config->exec)).len == 0)
            continue;
        for (int64_t i = 0; i < config->workers; i++)
            add_slot(execs, tasks, base, name, config->exec);
    }
    return execs;
}

void execs_stop(struct execs *execs)
{
    list_each (node, &execs->slots) {
        struct slot *slot = list_entry(node, struct slot, node);
        struct worker *worker = slot->worker;
        slot->worker = NULL;
        evtimer_del(slot->timer);
        close_pipes(slot);
        if (slot->child != NULL)
            child_kill_group(slot->child);
        child_free(slot->child);
        slot->child = NULL;
        worker_close(worker);
    }
}

void execs_free(struct execs *execs)
{
    struct list_node *node;
    while ((node = list_pop(&execs->slots)) != NULL) {
        struct slot *slot = list_entry(node, struct slot, node);
        event_free(slot->timer);
        evbuffer_free(slot->in);
        evbuffer_free(slot->out);
        mem_free(slot->queue);
        mem_free(slot->command);
        mem_free(slot->argv);
        mem_free(slot->id);
        mem_free(slot);
    }
    mem_free(execs);
}
