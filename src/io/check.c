/* check: see check.h. One struct for all kinds: what runs is one of its members, and every kind
 * ends by end(). */
#include "io/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "io/dial.h"
#include "io/fetch.h"
#include "io/program.h"
#include "io/stream.h"
#include <stdio.h>
#include <unistd.h>

#define SUBJECT         "{resource}"
#define REPLY_MAX       1024  /* bytes of an answer of RESP that are waited for */
#define PROGRAM_OUTPUT  65536 /* bytes that a program may print; nobody reads them */
#define ENVIRONMENT_MAX 6     /* names beside RESOURCE */
#define WORDS_MAX       64    /* of a program's command line, and of a RESP command */

struct check {
    enum check_kind kind;
    const struct clock *clock;
    int64_t started_us;
    struct dial *dial;
    struct fetch *fetch;
    struct program *program;
    struct stream *stream;
    struct event *deadline; /* of the stream: the others have their own; or a target that is none */
    char *expect;
    check_done done;
    void *arg;
};

void check_free(struct check *check)
{
    if (check == NULL)
        return;
    dial_free(check->dial);
    fetch_free(check->fetch);
    program_cancel(check->program);
    stream_free(check->stream);
    if (check->deadline != NULL)
        event_free(check->deadline);
    mem_free(check->expect);
    mem_free(check);
}

static void end(struct check *check, bool is_good, const char *text)
{
    int64_t latency_us = clock_us(check->clock) - check->started_us;
    check_done done = check->done;
    void *arg = check->arg;
    char shown[CHECK_TEXT];
    str_printable(str_of(text), shown, sizeof shown);
    check_free(check);
    done(arg, is_good, shown, latency_us);
}

/* --- TCP -----------------------------------------------------------------------------------------
 */

static void on_dialled(void *arg, evutil_socket_t fd, const char *why)
{
    struct check *check = arg;
    check->dial = NULL;
    if (fd >= 0) {
        /* Ended by a reset: a thousand checks a second would leave 60,000 sockets in TIME_WAIT. */
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
    }
    end(check, fd >= 0, fd >= 0 ? "connected" : why);
}

/* --- HTTP ----------------------------------------------------------------------------------------
 */

/* "304" or "200-299". */
static bool read_range(struct str part, int64_t *low, int64_t *high)
{
    struct str to = str_trim(part), from;
    if (!str_split(&to, '-', &from) || !num_parse_int(from, low))
        return false;
    *high = *low;
    return to.ptr == NULL || num_parse_int(to, high);
}

bool check_expects_status(const char *list, int status)
{
    struct str rest = str_of(list), part;
    int64_t low, high;
    while (str_split(&rest, ',', &part))
        if (read_range(part, &low, &high) && status >= low && status <= high)
            return true;
    return false;
}

bool check_is_status_list(const char *list)
{
    struct str rest = str_of(list), part;
    int64_t low, high;
    while (str_split(&rest, ',', &part))
        if (!read_range(part, &low, &high) || low < 100 || high > 599 || low > high)
            return false;
    return true;
}

static void on_fetched(void *arg, const struct fetch_result *result, const struct err *err)
{
    struct check *check = arg;
    char text[CHECK_TEXT];
    check->fetch = NULL;
    if (result == NULL) {
        end(check, false, err->text);
        return;
    }
    bool is_expected = check_expects_status(check->expect, result->status);
    snprintf(text, sizeof text, "status %d%s", result->status, is_expected ? "" : ", not expected");
    end(check, is_expected, text);
}

static void start_fetch(struct check *check, struct event_base *base, struct evdns_base *dns,
                        const char *url, const struct check_spec *spec)
{
    struct fetch_request request = {.url = url,
                                    .timeout_ms = spec->timeout_ms,
                                    .wants_status_only = true,
                                    .tls = spec->tls,
                                    .body = spec->body,
                                    .body_len = spec->body != NULL ? strlen(spec->body) : 0,
                                    .content_type = "text/plain"};
    check->fetch = fetch_start(base, dns, &request, on_fetched, check);
}

/* --- RESP ----------------------------------------------------------------------------------------
 */

/* Its first line, as far as it is there. */
static struct str line_of(struct str reply)
{
    size_t len = 0;
    while (len < reply.len && reply.ptr[len] != '\r' && reply.ptr[len] != '\n')
        len++;
    return str_make(reply.ptr, len);
}

/* Whether it begins with what is expected is known when that is there, or a whole line. */
static void on_readable(void *arg)
{
    struct check *check = arg;
    char bytes[REPLY_MAX], text[CHECK_TEXT];
    ev_ssize_t got = evbuffer_copyout(stream_in(check->stream), bytes, sizeof bytes);
    struct str reply = str_make(bytes, got > 0 ? (size_t)got : 0);
    bool is_expected = str_starts(reply, str_of(check->expect));
    struct str line = line_of(reply);
    if (!is_expected && line.len == reply.len && reply.len < REPLY_MAX)
        return;
    snprintf(text, sizeof text, "%s%.*s", is_expected ? "" : "answer: ", PRSTR(line));
    end(check, is_expected, text);
}

static void on_closed(void *arg, const char *why)
{
    struct check *check = arg;
    char text[CHECK_TEXT];
    bool is_of_dial = strncmp(why, "connect", 7) == 0 || strncmp(why, "resolve", 7) == 0;
    snprintf(text, sizeof text, "%s%s", is_of_dial ? "" : "answer: none, ", why);
    end(check, false, text);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct check *check = arg;
    (void)fd, (void)what;
    end(check, false, stream_fd(check->stream) < 0 ? "connect timeout" : "timeout: no answer");
}

static void write_command(struct evbuffer *out, const char *command)
{
    struct str rest = str_of(command), word, words[WORDS_MAX];
    int count = 0;
    while (count < WORDS_MAX && str_split(&rest, ' ', &word))
        if (word.len > 0)
            words[count++] = word;
    evbuffer_add_printf(out, "*%d\r\n", count);
    for (int i = 0; i < count; i++) {
        evbuffer_add_printf(out, "$%zu\r\n", words[i].len);
        evbuffer_add(out, words[i].ptr, words[i].len);
        evbuffer_add(out, "\r\n", 2);
    }
}

static void start_stream(struct check *check, struct event_base *base, struct evdns_base *dns,
                         const struct addr *addr, const struct check_spec *spec)
{
    static const struct stream_events events = {.readable = on_readable, .closed = on_closed};
    static const struct stream_options options = {.max_output = 65536};
    struct timeval time = {.tv_sec = spec->timeout_ms / 1000,
                           .tv_usec = spec->timeout_ms % 1000 * 1000};
    check->stream = stream_dial(base, dns, addr, &options, &events, check);
    write_command(stream_out(check->stream), spec->send);
    stream_wrote(check->stream);
    check->deadline = evtimer_new(base, on_deadline, check);
    event_add(check->deadline, &time);
}

static void on_no_address(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    end(arg, false, "target: neither HOST:PORT nor a Unix socket");
}

static void start_socket(struct check *check, struct event_base *base, struct evdns_base *dns,
                         const char *target, const struct check_spec *spec)
{
    struct addr addr;
    if (!addr_parse(str_of(target), &addr, NULL)) {
        check->deadline = evtimer_new(base, on_no_address, check);
        event_active(check->deadline, EV_TIMEOUT, 0);
    } else if (spec->kind == CHECK_TCP) {
        check->dial = dial_start(base, dns, &addr, spec->timeout_ms, on_dialled, check);
    } else {
        start_stream(check, base, dns, &addr, spec);
    }
}

/* --- programs ------------------------------------------------------------------------------------
 */

static void on_program_end(void *arg, const struct program_outcome *outcome)
{
    struct check *check = arg;
    char text[CHECK_TEXT];
    bool is_good = outcome->end == PROGRAM_EXITED && outcome->code == 0;
    check->program = NULL;
    program_explain(outcome, text, sizeof text);
    end(check, is_good, is_good ? "exit status 0" : text);
}

/* Word by word, so that a resource with a blank in it stays one argument. */
static void start_program(struct check *check, struct event_base *base,
                          const struct check_spec *spec)
{
    struct str rest = str_of(spec->target), word;
    char *words[WORDS_MAX + 1];
    char *resource = mem_printf("RESOURCE=%s", spec->subject);
    const char *environment[ENVIRONMENT_MAX + 2] = {resource};
    int count = 0;
    for (int i = 0; spec->environment != NULL && spec->environment[i] != NULL; i++)
        environment[1 + i] = i < ENVIRONMENT_MAX ? spec->environment[i] : NULL;
    while (count < WORDS_MAX && str_split(&rest, ' ', &word)) {
        if (word.len == 0)
            continue;
        char *one = mem_dup(word);
        words[count++] = check_expand(one, spec->subject);
        mem_free(one);
    }
    words[count] = NULL;
    struct program_spec program = {.words = (const char *const *)words,
                                   .max_output = PROGRAM_OUTPUT,
                                   .timeout_ms = spec->timeout_ms,
                                   .environment = environment};
    check->program = program_run(base, &program, on_program_end, check);
    for (int i = 0; i < count; i++)
        mem_free(words[i]);
    mem_free(resource);
}

/* -------------------------------------------------------------------------------------------------
 */

char *check_expand(const char *target, const char *subject)
{
    struct str name = STR(SUBJECT), rest = str_of(target);
    size_t size = 1, found = 0;
    for (struct str look = rest;; found++) {
        long at = str_find(look, name);
        if (at < 0)
            break;
        look = str_make(look.ptr + at + name.len, look.len - (size_t)at - name.len);
    }
    size += rest.len + found * strlen(subject);
    char *expanded = mem_alloc(size), *to = expanded;
    for (; found > 0; found--) {
        size_t at = (size_t)str_find(rest, name);
        str_put(&to, str_make(rest.ptr, at));
        str_put(&to, str_of(subject));
        rest = str_make(rest.ptr + at + name.len, rest.len - at - name.len);
    }
    str_put(&to, rest);
    *to = '\0';
    return expanded;
}

static const char *expectation(const struct check_spec *spec)
{
    if (spec->expect != NULL && spec->expect[0] != '\0')
        return spec->expect;
    return spec->kind == CHECK_HTTP ? CHECK_EXPECTED_STATUS : CHECK_EXPECTED_REPLY;
}

struct check *check_start(struct event_base *base, struct evdns_base *dns,
                          const struct clock *clock, const struct check_spec *spec, check_done done,
                          void *arg)
{
    struct check *check = mem_zalloc(sizeof *check);
    char *target = check_expand(spec->target, spec->subject);
    *check = (struct check){.kind = spec->kind,
                            .clock = clock,
                            .started_us = clock_us(clock),
                            .expect = mem_dup(str_of(expectation(spec))),
                            .done = done,
                            .arg = arg};
    event_base_update_cache_time(base); /* deadlines begin now, not when this turn began */
    if (spec->kind == CHECK_HTTP)
        start_fetch(check, base, dns, target, spec);
    else if (spec->kind == CHECK_EXEC)
        start_program(check, base, spec);
    else
        start_socket(check, base, dns, target, spec);
    mem_free(target);
    return check;
}
