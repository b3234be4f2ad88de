/* program: see program.h. */
#include "io/program.h"
#include "base/mem.h"
#include "io/child.h"
#include "io/guarded.h"
#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL_BYTES 400 /* of stderr */
#define PIECE      65536
/* What one turn of the loop reads at most: whoever prints without end does not keep it busy. At the
 * end of a program, what a pipe can hold. */
#define TURN_BYTES (1024 * 1024)

enum pipe_end { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPES };

struct program {
    struct event_base *base;
    struct child *child;        /* NULL: it could not be started */
    struct event *timer;        /* its deadline; or the telling of what could not be started */
    struct event *pipes[PIPES]; /* our ends; NULL: closed */
    struct evbuffer *in, *out;
    size_t max_output;
    char tail[TAIL_BYTES + 1];
    size_t tail_len;
    program_done done;
    void *arg;
};

/* --- pipes -------------------------------------------------------------------------------------
 */

static void close_pipe(struct program *program, enum pipe_end end)
{
    if (program->pipes[end] == NULL)
        return;
    int fd = event_get_fd(program->pipes[end]);
    event_free(program->pipes[end]);
    program->pipes[end] = NULL;
    close(fd);
}

static void close_pipes(struct program *program)
{
    for (int i = 0; i < PIPES; i++)
        close_pipe(program, (enum pipe_end)i);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;
    (void)what;
    if (evbuffer_get_length(program->in) > 0 && evbuffer_write(program->in, fd) < 0 &&
        errno != EAGAIN)
        close_pipe(program, PIPE_IN); /* it reads no more, which is its affair */
    else if (evbuffer_get_length(program->in) == 0)
        close_pipe(program, PIPE_IN);
}

static bool is_too_long(const struct program *program)
{
    return evbuffer_get_length(program->out) > program->max_output;
}

/* Reads what is there, up to one byte too many; false when there will be no more. */
static bool read_output(struct program *program, int fd)
{
    int got = 0;
    for (size_t read = 0; read < TURN_BYTES && !is_too_long(program); read += (size_t)got) {
        got = evbuffer_read(program->out, fd, PIECE);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
    }
    return true;
}

static void keep_tail(struct program *program, const char *bytes, size_t len)
{
    size_t kept = program->tail_len;
    if (len > TAIL_BYTES) {
        bytes += len - TAIL_BYTES;
        len = TAIL_BYTES;
    }
    if (kept + len > TAIL_BYTES) {
        size_t lost = kept + len - TAIL_BYTES;
        memmove(program->tail, program->tail + lost, kept - lost);
        kept -= lost;
    }
    memcpy(program->tail + kept, bytes, len);
    program->tail_len = kept + len;
}

static bool read_errors(struct program *program, int fd)
{
    char piece[4096];
    ssize_t got = 0;
    for (size_t all = 0; all < TURN_BYTES; all += (size_t)got) {
        got = read(fd, piece, sizeof piece);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        keep_tail(program, piece, (size_t)got);
    }
    return true;
}

static void on_errors(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    if (!read_errors(arg, fd))
        close_pipe(arg, PIPE_ERR);
}

/* --- its end -----------------------------------------------------------------------------------
 */

static void free_program(struct program *program)
{
    close_pipes(program);
    if (program->child != NULL)
        child_end(program->child);
    event_free(program->timer);
    evbuffer_free(program->in);
    evbuffer_free(program->out);
    mem_free(program);
}

/* What it said last, in one line. */
static const char *said(struct program *program)
{
    for (size_t i = 0; i < program->tail_len; i++) {
        if ((unsigned char)program->tail[i] < ' ' || program->tail[i] == 0x7f)
            program->tail[i] = ' ';
    }
    struct str text = str_trim(str_make(program->tail, program->tail_len));
    memmove(program->tail, text.ptr, text.len);
    program->tail_len = text.len;
    program->tail[text.len] = '\0';
    return program->tail;
}

/* Kills what still runs, tells, and is gone. */
static void tell(struct program *program, enum program_end end, int code)
{
    size_t len = end == PROGRAM_TOO_LONG ? 0 : evbuffer_get_length(program->out);
    struct program_outcome outcome = {.end = end, .code = code, .said = said(program)};
    if (len > 0)
        outcome.output = str_make((const char *)evbuffer_pullup(program->out, -1), len);
    close_pipes(program);
    if (program->child != NULL)
        child_end(program->child);
    program->child = NULL;
    program->done(program->arg, &outcome);
    free_program(program);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;
    (void)what;
    if (!read_output(program, fd))
        close_pipe(program, PIPE_OUT);
    if (is_too_long(program))
        tell(program, PROGRAM_TOO_LONG, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct program *program = arg;
    (void)fd, (void)what;
    tell(program, program->child != NULL ? PROGRAM_TIMEOUT : PROGRAM_NOT_STARTED, 0);
}

/* What it printed last may not be read yet. Others that hold its stdout are not waited for. */
static void on_child_end(void *arg, int status)
{
    struct program *program = arg;
    if (program->pipes[PIPE_OUT] != NULL)
        (void)read_output(program, event_get_fd(program->pipes[PIPE_OUT]));
    if (program->pipes[PIPE_ERR] != NULL)
        (void)read_errors(program, event_get_fd(program->pipes[PIPE_ERR]));
    child_free(program->child);
    program->child = NULL;
    if (is_too_long(program))
        tell(program, PROGRAM_TOO_LONG, 0);
    else if (WIFSIGNALED(status))
        tell(program, PROGRAM_SIGNALLED, WTERMSIG(status));
    else if (WEXITSTATUS(status) == GUARDED_NOT_RUN &&
             str_starts(str_of(said(program)), STR(GUARDED_NOT_RUN_TEXT)))
        tell(program, PROGRAM_NOT_STARTED, 0);
    else
        tell(program, PROGRAM_EXITED, WEXITSTATUS(status));
}

void program_cancel(struct program *program)
{
    if (program != NULL)
        free_program(program);
}

void program_explain(const struct program_outcome *outcome, char *out, size_t size)
{
    const char *text = outcome->said;
    out[0] = '\0';
    switch (outcome->end) {
    case PROGRAM_TIMEOUT:
        snprintf(out, size, "did not end in time");
        return;
    case PROGRAM_TOO_LONG:
        snprintf(out, size, "printed too much");
        return;
    case PROGRAM_SIGNALLED:
        snprintf(out, size, "ended by signal %d", outcome->code);
        return;
    case PROGRAM_NOT_STARTED:
        snprintf(out, size, "%s", text);
        return;
    case PROGRAM_EXITED:
        if (outcome->code != 0)
            snprintf(out, size, "exit status %d%s%s", outcome->code, text[0] != '\0' ? ": " : "",
                     text);
    }
}

/* --- its start ---------------------------------------------------------------------------------
 */

static const char *const kept_names[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"};
enum { KEPT_NAMES = sizeof kept_names / sizeof kept_names[0] };

/* Ours that it may have, which are `owned`, then those given, which are not; ended by NULL. */
static const char **make_environment(const char *const *given, char *owned[KEPT_NAMES])
{
    size_t count = 0, extra = 0;
    while (given != NULL && given[extra] != NULL)
        extra++;
    const char **out = mem_array(KEPT_NAMES + extra + 1, sizeof *out);
    for (size_t i = 0; i < KEPT_NAMES; i++) {
        const char *value = getenv(kept_names[i]);
        owned[i] = value != NULL ? mem_printf("%s=%s", kept_names[i], value) : NULL;
        if (value != NULL)
            out[count++] = owned[i];
    }
    for (size_t i = 0; i < extra; i++)
        out[count++] = given[i];
    return out;
}

/* The command's words behind those of guarded, ended by NULL; they point into `line`. */
static const char **make_words(const struct program_spec *spec, struct guarded *guarded, char *line)
{
    size_t count = GUARDED_WORDS, most = line != NULL ? strlen(line) / 2 + 1 : 0;
    char *rest = NULL;
    while (line == NULL && spec->words[most] != NULL)
        most++;
    const char **out = mem_array(GUARDED_WORDS + most + 1, sizeof *out);
    guarded_begin(guarded, out);
    if (line == NULL) {
        memcpy(out + count, spec->words, most * sizeof *out);
        return out;
    }
    for (char *word = strtok_r(line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        out[count++] = word;
    return out;
}

static bool open_pipes(int ours[PIPES], int theirs[PIPES], struct err *err)
{
    for (int i = 0; i < PIPES; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            int error = errno;
            while (--i >= 0) {
                close(ours[i]);
                close(theirs[i]);
            }
            return err_set(err, ERR_GENERAL, "no pipe for it: %s", strerror(error));
        }
        ours[i] = ends[i == PIPE_IN];
        theirs[i] = ends[i != PIPE_IN];
        evutil_make_socket_nonblocking(ours[i]);
    }
    return true;
}

static struct child *start_child(struct program *program, const struct program_spec *spec,
                                 const int theirs[PIPES], struct err *err)
{
    struct guarded guarded;
    char *owned[KEPT_NAMES], *line = spec->command != NULL ? mem_dup(str_of(spec->command)) : NULL;
    const char **words = make_words(spec, &guarded, line);
    const char **environment = make_environment(spec->environment, owned);
    const struct child_spec child = {.argv = words,
                                     .input_fd = theirs[PIPE_IN],
                                     .output_fd = theirs[PIPE_OUT],
                                     .error_fd = theirs[PIPE_ERR],
                                     .inherited_fd = -1,
                                     .environment = environment,
                                     .ends_group = true};
    struct child *started = NULL;
    if (words[GUARDED_WORDS] == NULL)
        err_set(err, ERR_GENERAL, "the command is empty");
    else
        started = child_start(program->base, &child, on_child_end, program, err);
    for (size_t i = 0; i < KEPT_NAMES; i++)
        mem_free(owned[i]);
    mem_free(environment);
    mem_free(words);
    mem_free(line);
    return started;
}

static bool start(struct program *program, const struct program_spec *spec, struct err *err)
{
    static const event_callback_fn jobs[PIPES] = {on_input, on_output, on_errors};
    int ours[PIPES] = {-1, -1, -1}, theirs[PIPES] = {-1, -1, -1};
    if (!open_pipes(ours, theirs, err))
        return false;
    program->child = start_child(program, spec, theirs, err);
    for (int i = 0; i < PIPES; i++) {
        close(theirs[i]);
        if (program->child == NULL) {
            close(ours[i]);
            continue;
        }
        short what = i == PIPE_IN ? EV_WRITE : EV_READ;
        program->pipes[i] =
            event_new(program->base, ours[i], (short)(what | EV_PERSIST), jobs[i], program);
        event_add(program->pipes[i], NULL);
    }
    return program->child != NULL;
}

struct program *program_run(struct event_base *base, const struct program_spec *spec,
                            program_done done, void *arg)
{
    struct program *program = mem_zalloc(sizeof *program);
    struct timeval tv = {0, 0};
    struct err err;
    program->base = base;
    program->max_output = spec->max_output;
    program->done = done;
    program->arg = arg;
    program->in = evbuffer_new();
    program->out = evbuffer_new();
    program->timer = evtimer_new(base, on_timer, program);
    evbuffer_add(program->in, spec->input.ptr, spec->input.len);
    if (!start(program, spec, &err)) {
        keep_tail(program, err.text, strlen(err.text));
        evtimer_add(program->timer, &tv);
    } else if (spec->timeout_ms > 0) {
        tv = (struct timeval){spec->timeout_ms / 1000, spec->timeout_ms % 1000 * 1000};
        evtimer_add(program->timer, &tv);
    }
    return program;
}
