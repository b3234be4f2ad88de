/* request: parses what a client sent; see request.h.
 * Knows: evbuffers, bounds.  Must not know: streams, clients, commands.
 *
 * One machine serves both ways of parsing. It takes pieces (a line, or a bulk with its end of line)
 * out of the buffer's first chain. As long as every piece lies whole in the chain, arguments point
 * into it. At the first piece that does not, gathering begins: the arguments found so far are
 * copied, and so is everything that follows:
 *
 *      gathered:  | arg 0 | arg 1 | ... | the piece that is not whole yet |
 *                 0                     kept_bytes                        gathered_bytes
 *
 * Header lines are dropped once read, so that the arguments' places follow from their lengths and
 * the memory may move while it grows. */
#include "resp/request.h"
#include "base/mem.h"
#include "base/num.h"
#include <stdio.h>

#define FIRST_ARGS  8   /* room for arguments at first */
#define FIRST_BYTES 512 /* room for gathering at first */

enum line_state { LINE_WHOLE, LINE_PARTIAL, LINE_TOO_LONG };

static enum request_state break_off(struct err *err, const char *why)
{
    err_set(err, ERR_GENERAL, "Protocol error: %s", why);
    return REQUEST_BROKEN;
}

static void start_over(struct request *request)
{
    request->argc = 0;
    request->size = 0;
    request->args_wanted = -1;
    request->bulk_wanted = -1;
    request->gathered_bytes = request->kept_bytes = request->taken = 0;
    request->is_ready = false;
}

void request_init(struct request *request)
{
    memset(request, 0, sizeof(*request));
    start_over(request);
}

static void drop_gathered(struct request *request)
{
    mem_free(request->gathered);
    request->gathered = NULL;
    request->gathered_room = 0;
}

static void drop_args(struct request *request)
{
    mem_free(request->argv);
    request->argv = NULL;
    request->argv_room = 0;
}

void request_clear(struct request *request)
{
    drop_gathered(request);
    drop_args(request);
    start_over(request);
}

/* Room grows with the arguments that have come, not with the number that was announced. */
static void add_arg(struct request *request, const char *ptr, size_t len)
{
    if (request->argc == request->argv_room) {
        request->argv_room = request->argv_room == 0 ? FIRST_ARGS : request->argv_room * 2;
        request->argv =
            mem_realloc(request->argv, (size_t)request->argv_room * sizeof(*request->argv));
    }
    request->argv[request->argc++] = str_make(ptr, len);
}

static void gather(struct request *request, const char *ptr, size_t len)
{
    size_t needed = request->gathered_bytes + len;
    if (needed > request->gathered_room || request->gathered_room == 0) {
        size_t room = request->gathered_room == 0 ? FIRST_BYTES : request->gathered_room * 2;
        request->gathered_room = room < needed ? needed : room;
        request->gathered = mem_realloc(request->gathered, request->gathered_room);
    }
    if (len > 0)
        memcpy(request->gathered + request->gathered_bytes, ptr, len);
    request->gathered_bytes = needed;
}

static bool is_gathering(const struct request *request)
{
    return request->gathered_room > 0;
}

static void begin_gathering(struct request *request)
{
    if (is_gathering(request))
        return;
    gather(request, NULL, 0);
    for (int i = 0; i < request->argc; i++)
        gather(request, request->argv[i].ptr, request->argv[i].len);
    request->kept_bytes = request->gathered_bytes;
}

/* Bytes of the next piece that were gathered before. */
static size_t bytes_waiting(const struct request *request)
{
    return request->gathered_bytes - request->kept_bytes;
}

/* Takes the next `size` bytes in one piece, valid until more is gathered. False when they have not
 * all come: then what has come is gathered and `rest` is empty. */
static bool take(struct request *request, struct str *rest, size_t size, struct str *piece)
{
    size_t have = bytes_waiting(request);
    bool is_here = have == 0 && rest->len >= size;
    size_t part = rest->len < size - have ? rest->len : size - have;

    *piece = str_make(rest->ptr, size);
    if (!is_here) {
        begin_gathering(request);
        gather(request, rest->ptr, part);
    }
    rest->ptr += part;
    rest->len -= part;
    if (have + part < size)
        return false;
    if (!is_here) {
        request->gathered_bytes = request->kept_bytes;
        *piece = str_make(request->gathered + request->kept_bytes, size);
    }
    return true;
}

/* Takes a line with its end. Bytes that waited are not searched again. */
static enum line_state take_line(struct request *request, struct str *rest, size_t max,
                                 struct str *line)
{
    size_t have = bytes_waiting(request);
    if (have >= max)
        return LINE_TOO_LONG;
    size_t searched = rest->len < max - have ? rest->len : max - have;
    const char *end = searched == 0 ? NULL : memchr(rest->ptr, '\n', searched);
    if (end == NULL && have + searched == max)
        return LINE_TOO_LONG;
    size_t size = end == NULL ? have + searched + 1 : have + (size_t)(end - rest->ptr) + 1;
    if (!take(request, rest, size, line))
        return LINE_PARTIAL;
    request->size += line->len;
    return LINE_WHOLE;
}

/* The number in a header line "*3\r\n" or "$5\r\n". */
static bool read_length(struct str line, int64_t *length)
{
    if (line.len < 3 || line.ptr[line.len - 2] != '\r')
        return false;
    return num_parse_int(str_make(line.ptr + 1, line.len - 3), length);
}

/* The usual header, "<type><digits>\r\n", whole and in place: its number. False: anything else, for
 * the long way to judge; nothing is taken then. */
static bool take_header(struct request *request, struct str *rest, char type, int64_t *length)
{
    size_t at = 1;
    int64_t n = 0;
    if (is_gathering(request) || rest->len < 4 || rest->ptr[0] != type)
        return false;
    for (; at < 8 && at + 1 < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9'; at++)
        n = n * 10 + (rest->ptr[at] - '0');
    if (at == 1 || at + 1 >= rest->len || rest->ptr[at] != '\r' || rest->ptr[at + 1] != '\n' ||
        (rest->ptr[1] == '0' && at > 2))
        return false;
    rest->ptr += at + 2;
    rest->len -= at + 2;
    request->size += at + 2;
    *length = n;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What stands behind a backslash between double quotes; moves *at past it. */
static char unescape(const char *line, size_t len, size_t *at)
{
    static const char names[] = "nrtba", values[] = "\n\r\t\b\a";
    char c = line[*at];
    if (c == 'x' && *at + 2 < len) {
        int high = num_hex_digit(line[*at + 1]), low = num_hex_digit(line[*at + 2]);
        if (high >= 0 && low >= 0) {
            *at += 3;
            return (char)(high * 16 + low);
        }
    }
    (*at)++;
    const char *name = c == '\0' ? NULL : strchr(names, c);
    return name == NULL ? c : values[name - names];
}

/* Unquotes up to the closing quote, which must end the word. */
static bool read_quoted(char *line, size_t len, size_t *at, size_t *out)
{
    char quote = line[(*at)++];
    while (*at < len && line[*at] != quote) {
        char c = line[*at];
        if (c != '\\' || *at + 1 >= len) {
            (*at)++;
        } else if (quote == '"') {
            (*at)++;
            c = unescape(line, len, at);
        } else if (line[*at + 1] == '\'') {
            c = '\'';
            *at += 2;
        } else {
            (*at)++;
        }
        line[(*out)++] = c;
    }
    if (*at >= len)
        return false;
    (*at)++;
    return *at >= len || is_blank(line[*at]);
}

/* Splits a line into words, unquoting them in place: a word never grows by that. */
static enum request_state split_words(struct request *request, char *line, size_t len, int max_args,
                                      struct err *err)
{
    size_t at = 0, out = 0;
    for (;;) {
        while (at < len && is_blank(line[at]))
            at++;
        if (at == len)
            return REQUEST_READY;
        if (request->argc == max_args)
            return break_off(err, "too big inline request");
        size_t start = out;
        while (at < len && !is_blank(line[at])) {
            if (line[at] != '"' && line[at] != '\'')
                line[out++] = line[at++];
            else if (!read_quoted(line, len, &at, &out))
                return break_off(err, "unbalanced quotes in request");
        }
        add_arg(request, line + start, out - start);
    }
}

static enum request_state parse_inline(struct request *request, struct str *rest,
                                       const struct request_limits *limits, struct err *err)
{
    struct str line;
    switch (take_line(request, rest, limits->max_inline, &line)) {
    case LINE_PARTIAL:
        return REQUEST_PARTIAL;
    case LINE_TOO_LONG:
        return break_off(err, "too big inline request");
    case LINE_WHOLE:
        break;
    }
    if (line.len > limits->max_bytes)
        return break_off(err, "too big request");
    if (!is_gathering(request))
        gather(request, line.ptr, line.len);
    /* Gathered either way now: words can be unquoted in memory of our own. */
    enum request_state state =
        split_words(request, request->gathered, line.len, limits->max_args, err);
    request->args_wanted = request->argc;
    return state;
}

static enum request_state parse_count(struct request *request, struct str *rest,
                                      const struct request_limits *limits, struct err *err)
{
    struct str line;
    int64_t count;
    if (!take_header(request, rest, '*', &count)) {
        switch (take_line(request, rest, limits->max_inline, &line)) {
        case LINE_PARTIAL:
            return REQUEST_PARTIAL;
        case LINE_TOO_LONG:
            return break_off(err, "too big mbulk count string");
        case LINE_WHOLE:
            break;
        }
        if (!read_length(line, &count))
            return break_off(err, "invalid multibulk length");
    }
    if (count > limits->max_args)
        return break_off(err, "invalid multibulk length");
    request->args_wanted = count < 0 ? 0 : (int)count;
    return REQUEST_READY;
}

/* The header of a bulk in any form. */
static enum request_state read_bulk_header(struct request *request, struct str *rest,
                                           const struct request_limits *limits, int64_t *length,
                                           struct err *err)
{
    if (bytes_waiting(request) == 0 && rest->len > 0 && rest->ptr[0] != '$') {
        char got[8], why[40];
        str_printable(str_make(rest->ptr, 1), got, sizeof(got));
        snprintf(why, sizeof(why), "expected '$', got '%s'", got);
        return break_off(err, why);
    }
    struct str line;
    switch (take_line(request, rest, limits->max_inline, &line)) {
    case LINE_PARTIAL:
        return REQUEST_PARTIAL;
    case LINE_TOO_LONG:
        return break_off(err, "too big bulk count string");
    case LINE_WHOLE:
        break;
    }
    return read_length(line, length) ? REQUEST_READY : break_off(err, "invalid bulk length");
}

static enum request_state parse_bulk_header(struct request *request, struct str *rest,
                                            const struct request_limits *limits, struct err *err)
{
    int64_t length;
    if (!take_header(request, rest, '$', &length)) {
        enum request_state state = read_bulk_header(request, rest, limits, &length, err);
        if (state != REQUEST_READY)
            return state;
    }
    if (length < 0 || (uint64_t)length > limits->max_bytes)
        return break_off(err, "invalid bulk length");
    if (request->size + (size_t)length + 2 > limits->max_bytes)
        return break_off(err, "too big request");
    request->bulk_wanted = length;
    return REQUEST_READY;
}

static enum request_state parse_bulk(struct request *request, struct str *rest, struct err *err)
{
    size_t length = (size_t)request->bulk_wanted;
    struct str piece;
    if (!take(request, rest, length + 2, &piece))
        return REQUEST_PARTIAL;
    if (memcmp(piece.ptr + length, "\r\n", 2) != 0)
        return break_off(err, "expected CRLF after a bulk");

    if (is_gathering(request)) {
        if (piece.ptr == request->gathered + request->kept_bytes)
            request->gathered_bytes += length; /* it is there already */
        else
            gather(request, piece.ptr, length);
        request->kept_bytes = request->gathered_bytes;
    }
    add_arg(request, piece.ptr, length);
    request->size += length + 2;
    request->bulk_wanted = -1;
    return REQUEST_READY;
}

/* Gathered arguments lie one after another. */
static void place_args(struct request *request)
{
    const char *at = request->gathered;
    for (int i = 0; i < request->argc; i++) {
        request->argv[i].ptr = at;
        at += request->argv[i].len;
    }
}

/* Goes on with the bytes of `rest`. PARTIAL: all of them are gathered. */
static enum request_state parse_rest(struct request *request, struct str *rest,
                                     const struct request_limits *limits, struct err *err)
{
    enum request_state state = REQUEST_READY;
    if (request->args_wanted < 0) {
        char first = bytes_waiting(request) > 0 ? request->gathered[0] : rest->ptr[0];
        if (first != '*')
            return parse_inline(request, rest, limits, err);
        state = parse_count(request, rest, limits, err);
    }
    while (state == REQUEST_READY && request->argc < request->args_wanted) {
        if (request->bulk_wanted < 0)
            state = parse_bulk_header(request, rest, limits, err);
        else
            state = parse_bulk(request, rest, err);
    }
    if (state == REQUEST_READY && is_gathering(request))
        place_args(request);
    return state;
}

enum request_state request_parse(struct request *request, struct evbuffer *in,
                                 const struct request_limits *limits, struct err *err)
{
    if (request->is_ready)
        return REQUEST_READY;
    if (!is_gathering(request))
        start_over(request);
    for (;;) {
        /* The first chain and nothing else: looking further costs a walk along the chains. */
        struct evbuffer_iovec first;
        if (evbuffer_peek(in, -1, NULL, &first, 1) < 1 || first.iov_len == 0)
            return REQUEST_PARTIAL;
        struct str rest = str_make(first.iov_base, first.iov_len);
        enum request_state state = parse_rest(request, &rest, limits, err);
        if (!is_gathering(request))
            return state;

        size_t used = first.iov_len - rest.len;
        evbuffer_drain(in, used);
        request->taken += used;
        request->is_ready = state == REQUEST_READY;
        if (state != REQUEST_PARTIAL)
            return state;
    }
}

void request_rest(struct request *request)
{
    if (request->argc == 0 && !request->is_ready)
        drop_args(request);
}

void request_consume(struct request *request, struct evbuffer *in)
{
    if (request->size > request->taken)
        evbuffer_drain(in, request->size - request->taken);
    if (is_gathering(request))
        drop_gathered(request);
    start_over(request);
}
