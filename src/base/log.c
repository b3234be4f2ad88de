/* log: structured log lines. See log.h. */
#include "base/log.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US    1000000
#define MAX_PATIENCE 20 /* ms that a line waits for a reader that is slow */
#define SYSLOG_PATH  "/dev/log"
#define HEAD_ROOM    128
#define TAIL_ROOM    8

/* A line in the making, without the time. What does not fit is cut so that the rest stays well
 * formed: TAIL_ROOM is kept for what closes a value, HEAD_ROOM for the time and syslog's head. */
struct line {
    char text[LOG_MAX_LINE - HEAD_ROOM];
    size_t len;
    bool is_json;
    bool is_full; /* something was left out: nothing more is added */
};

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

void log_init(struct log *log, const struct clock *clock)
{
    memset(log, 0, sizeof(*log));
    log->level = LOG_LEVEL_INFO;
    log->fd = STDERR_FILENO;
    log->clock = clock;
}

bool log_connect_syslog(struct log *log, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(addr.sun_path))
        return false;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return false;
    }
    log->fd = fd;
    log->is_syslog = true;
    log->syslog_path = path;
    return true;
}

void log_open_syslog(struct log *log)
{
    if (!log_connect_syslog(log, SYSLOG_PATH))
        log_text(log, LOG_LEVEL_WARNING, "syslog-missing", "%s: %s", SYSLOG_PATH, strerror(errno));
}

/* --- making a line --------------------------------------------------------------------- */

static bool has_room(const struct line *line, size_t len)
{
    return !line->is_full && len <= sizeof(line->text) - TAIL_ROOM - line->len;
}

static bool add(struct line *line, const char *text, size_t len)
{
    if (!has_room(line, len)) {
        line->is_full = true;
        return false;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static bool add_text(struct line *line, const char *text)
{
    return add(line, text, strlen(text));
}

/* Goes into the room that add() left. */
static void close_with(struct line *line, const char *text)
{
    size_t len = strlen(text);
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

/* Does a value stand in logfmt without quotes? */
static bool is_bare(const char *value)
{
    if (*value == '\0')
        return false;
    for (; *value != '\0'; value++) {
        if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' || *value == '\\')
            return false;
    }
    return true;
}

/* One byte inside quotes. What is not ASCII becomes \xNN; in JSON, where no such escape exists,
 * the backslash is escaped in turn, so that both formats show the same text. */
static bool add_escaped(struct line *line, unsigned char c)
{
    char text[8];

    if (c == '"' || c == '\\')
        snprintf(text, sizeof(text), "\\%c", c);
    else if (c == '\n')
        snprintf(text, sizeof(text), "\\n");
    else if (c == '\r')
        snprintf(text, sizeof(text), "\\r");
    else if (c == '\t')
        snprintf(text, sizeof(text), "\\t");
    else if (c < ' ' || c > '~')
        snprintf(text, sizeof(text), line->is_json ? "\\\\x%02x" : "\\x%02x", c);
    else
        return add(line, (const char *)&c, 1);
    return add_text(line, text);
}

static void add_quoted(struct line *line, const char *value)
{
    if (!add_text(line, "\""))
        return;
    while (*value != '\0' && add_escaped(line, (unsigned char)*value))
        value++;
    close_with(line, *value == '\0' ? "\"" : "...\"");
}

static void add_pair(struct line *line, const char *key, const char *value)
{
    size_t before = line->len;
    const char *open = line->is_json ? ",\"" : " ", *middle = line->is_json ? "\":" : "=";

    if (value == NULL)
        value = "";
    if (!add_text(line, open) || !add_text(line, key) || !add_text(line, middle) ||
        !has_room(line, 2)) {
        line->len = before; /* half a pair would be no JSON: rather none */
        line->is_full = true;
        return;
    }
    if (!line->is_json && is_bare(value) && has_room(line, strlen(value)))
        add_text(line, value);
    else
        add_quoted(line, value);
}

/* "level=info event=link-lost", without the time: what repetitions are recognized by. */
static void begin_line(struct line *line, bool is_json, enum log_level level, const char *event)
{
    line->len = 0;
    line->is_json = is_json;
    line->is_full = false;
    if (is_json) {
        add_text(line, ",\"level\":\"");
        add_text(line, levels[level].name);
        add_text(line, "\"");
    } else {
        add_text(line, " level=");
        add_text(line, levels[level].name);
    }
    add_pair(line, "event", event);
}

/* --- writing a line -------------------------------------------------------------------- */

/* RFC 3339 in UTC, to the millisecond. */
static void print_time(int64_t wall_us, char *out, size_t size)
{
    time_t seconds = (time_t)(wall_us / SECOND_US);
    int ms = (int)(wall_us % SECOND_US / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, size - len, ".%03dZ", ms);
}

/* The traditional form that local syslog daemons read: "<priority>date tag[pid]: text". */
static size_t print_syslog_head(const struct log *log, enum log_level level, char *out, size_t size)
{
    time_t seconds = (time_t)(clock_wall_us(log->clock) / SECOND_US);
    struct tm local;
    char date[32];

    localtime_r(&seconds, &local);
    strftime(date, sizeof(date), "%b %e %H:%M:%S", &local);
    int len = snprintf(out, size, "<%d>%s rallocd[%d]: ", LOG_DAEMON | levels[level].priority, date,
                       (int)getpid());
    return len < 0 ? 0 : (size_t)len;
}

/* False when the line was lost: nobody reads, or the disk is full. */
static bool write_once(struct log *log, const char *text, size_t len)
{
    struct pollfd wait = {.fd = log->fd, .events = POLLOUT};

    /* A blocking descriptor that poll() calls writable takes PIPE_BUF bytes without blocking. Who
     * has lost lines already waits no more. */
    if (poll(&wait, 1, log->dropped > 0 ? 0 : MAX_PATIENCE) != 1 || !(wait.revents & POLLOUT) ||
        (wait.revents & (POLLERR | POLLHUP | POLLNVAL)))
        return false;
    ssize_t written = log->is_syslog ? send(log->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                                     : write(log->fd, text, len);
    return written == (ssize_t)len;
}

/* A syslog daemon that was restarted has a new socket at the old path. */
static bool write_again(struct log *log, const char *text, size_t len)
{
    int old = log->fd;

    if (!log->is_syslog || !log_connect_syslog(log, log->syslog_path))
        return false;
    close(old);
    return write_once(log, text, len);
}

/* Puts the time before the body, and writes. */
static bool write_line(struct log *log, enum log_level level, const char *body, size_t body_len)
{
    char text[LOG_MAX_LINE], time[64];
    size_t len = 0;

    if (log->is_syslog)
        len = print_syslog_head(log, level, text, sizeof(text));
    print_time(clock_wall_us(log->clock), time, sizeof(time));
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            log->is_json ? "{\"ts\":\"%s\"" : "ts=%s", time);
    memcpy(text + len, body, body_len);
    len += body_len;
    if (log->is_json)
        text[len++] = '}';
    if (!log->is_syslog)
        text[len++] = '\n';
    return write_once(log, text, len) || write_again(log, text, len);
}

/* "event=link-lost repeats=7" */
static bool write_count(struct log *log, enum log_level level, const char *event, const char *key,
                        unsigned long count)
{
    struct line line;
    char text[32];

    snprintf(text, sizeof(text), "%lu", count);
    begin_line(&line, log->is_json, level, event);
    add_pair(&line, key, text);
    return write_line(log, level, line.text, line.len);
}

/* Writes what was counted, then the line. */
static void write_counted(struct log *log, enum log_level level, const struct line *line)
{
    if (log->dropped > 0 &&
        !write_count(log, LOG_LEVEL_WARNING, "log-dropped", "lines", log->dropped)) {
        log->dropped++;
        return;
    }
    log->dropped = 0;
    if (!write_line(log, level, line->text, line->len))
        log->dropped++;
}

void log_flush(struct log *log)
{
    if (log == NULL || log->repeats == 0)
        return;
    int saved_errno = errno;
    if (!write_count(log, log->last_level, log->last_event, "repeats", log->repeats))
        log->dropped++;
    log->repeats = 0;
    errno = saved_errno;
}

/* Writes the line, or counts it when it is the last one again. */
static void put_line(struct log *log, enum log_level level, const char *event,
                     const struct line *line)
{
    int saved_errno = errno; /* a caller may log before it looks at errno */
    int64_t now_us = clock_us(log->clock);
    bool is_same = log->last_len == line->len && memcmp(log->last, line->text, line->len) == 0;

    if (is_same && now_us - log->last_us < SECOND_US) {
        log->repeats++;
        return;
    }
    log_flush(log);
    write_counted(log, level, line);
    memcpy(log->last, line->text, line->len);
    log->last_len = line->len;
    log->last_level = level;
    log->last_us = now_us;
    snprintf(log->last_event, sizeof(log->last_event), "%s", event);
    errno = saved_errno;
}

void log_line(struct log *log, enum log_level level, const char *event, ...)
{
    struct line line;
    va_list args;
    const char *key;

    if (log == NULL || level > log->level)
        return;
    begin_line(&line, log->is_json, level, event);
    va_start(args, event);
    while ((key = va_arg(args, const char *)) != NULL)
        add_pair(&line, key, va_arg(args, const char *));
    va_end(args);
    put_line(log, level, event, &line);
}

void log_text(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
    struct line line;
    char text[LOG_MAX_LINE];
    va_list args;

    if (log == NULL || level > log->level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    begin_line(&line, log->is_json, level, event);
    add_pair(&line, "text", text);
    put_line(log, level, event, &line);
}
