/* reply: writes RESP; see reply.h. Each element is put together on the stack and added at once:
 * no allocation but the evbuffer's own, and few calls.
 * Knows: evbuffers, errors.  Must not know: clients, commands. */
#include "resp/reply.h"
#include "base/mem.h"
#include "base/num.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_MAX (NUM_INT_MAX + 3) /* a type's byte, a number, CRLF */
#define SMALL_BULK 512 /* bulks up to this size are copied together with their frame */

static void put(struct reply *reply, const char *bytes, size_t len)
{
    if (reply->out != NULL)
        evbuffer_add(reply->out, bytes, len);
}

static void put_literal(struct reply *reply, const char *text)
{
    put(reply, text, strlen(text));
}

/* Writes "<type><n>\r\n"; returns its length. */
static size_t format_header(char out[HEADER_MAX], char type, int64_t n)
{
    out[0] = type;
    size_t len = 1 + num_format_int(out + 1, n);
    out[len++] = '\r';
    out[len++] = '\n';
    return len;
}

static void put_header(struct reply *reply, char type, int64_t n)
{
    char header[HEADER_MAX];
    put(reply, header, format_header(header, type, n));
}

/* A frame around bytes: "<type><length of prefix and s>\r\n<prefix><s>\r\n". */
static void add_framed(struct evbuffer *out, char type, struct str prefix, struct str s)
{
    char small[HEADER_MAX + SMALL_BULK + 2];
    size_t len = format_header(small, type, (int64_t)(prefix.len + s.len));
    if (prefix.len > 0)
        memcpy(small + len, prefix.ptr, prefix.len);
    len += prefix.len;
    if (prefix.len + s.len <= SMALL_BULK) {
        if (s.len > 0)
            memcpy(small + len, s.ptr, s.len);
        len += s.len;
        memcpy(small + len, "\r\n", 2);
        evbuffer_add(out, small, len + 2);
        return;
    }
    evbuffer_add(out, small, len);
    evbuffer_add(out, s.ptr, s.len);
    evbuffer_add(out, "\r\n", 2);
}

/* A line must stay one: what a user sent may be in it. */
static void put_line(struct reply *reply, char type, const char *word, const char *text)
{
    char line[sizeof(((struct err *)0)->text) + 64];
    int printed = snprintf(line, sizeof(line) - 2, "%c%s%s%s", type, word,
                           word[0] != '\0' && text[0] != '\0' ? " " : "", text);
    size_t len = printed < 0 ? 0 : (size_t)printed;
    if (len > sizeof(line) - 3)
        len = sizeof(line) - 3;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\r' || line[i] == '\n')
            line[i] = ' ';
    }
    memcpy(line + len, "\r\n", 2);
    put(reply, line, len + 2);
}

void reply_ok(struct reply *reply)
{
    put(reply, "+OK\r\n", 5);
}

void reply_simple(struct reply *reply, const char *word)
{
    put_line(reply, '+', word, "");
}

void reply_err(struct reply *reply, const struct err *err)
{
    put_line(reply, '-', err_word(err->kind), err->text);
}

void reply_error(struct reply *reply, enum err_kind kind, const char *format, ...)
{
    struct err err = {.kind = kind};
    va_list args;
    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    reply_err(reply, &err);
}

void reply_int(struct reply *reply, int64_t n)
{
    if (n == 0 || n == 1)
        put(reply, n == 0 ? ":0\r\n" : ":1\r\n", 4);
    else
        put_header(reply, ':', n);
}

/* The shortest form that reads back as the same number. */
static size_t format_double(char *out, size_t size, double n)
{
    if (isnan(n))
        return (size_t)snprintf(out, size, "nan");
    if (isinf(n))
        return (size_t)snprintf(out, size, n > 0 ? "inf" : "-inf");
    int len = 0;
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(out, size, "%.*g", digits, n);
        if (strtod(out, NULL) == n)
            break;
    }
    return (size_t)len;
}

void reply_double(struct reply *reply, double n)
{
    char text[40];
    size_t len = format_double(text, sizeof(text) - 2, n);
    if (reply->protocol < 3) {
        reply_bulk(reply, str_make(text, len));
        return;
    }
    memcpy(text + len, "\r\n", 2);
    put(reply, ",", 1);
    put(reply, text, len + 2);
}

void reply_bool(struct reply *reply, bool yes)
{
    if (reply->protocol < 3)
        reply_int(reply, yes ? 1 : 0);
    else
        put(reply, yes ? "#t\r\n" : "#f\r\n", 4);
}

void reply_bulk(struct reply *reply, struct str s)
{
    if (reply->out != NULL)
        add_framed(reply->out, '$', str_make(NULL, 0), s);
}

void reply_text(struct reply *reply, const char *text)
{
    reply_bulk(reply, str_of(text));
}

void reply_printf(struct reply *reply, const char *format, ...)
{
    if (reply->out == NULL)
        return;
    char small[SMALL_BULK];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(small)) {
        reply_bulk(reply, str_make(small, (size_t)len));
    } else if (len >= 0) {
        char *large = mem_alloc((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, format, again);
        reply_bulk(reply, str_make(large, (size_t)len));
        mem_free(large);
    } else {
        reply_bulk(reply, str_make(NULL, 0)); /* a reply is owed even if the format was bad */
    }
    va_end(again);
}

void reply_verbatim(struct reply *reply, struct str s)
{
    if (reply->protocol < 3)
        reply_bulk(reply, s);
    else if (reply->out != NULL)
        add_framed(reply->out, '=', STR("txt:"), s);
}

void reply_null(struct reply *reply)
{
    put_literal(reply, reply->protocol < 3 ? "$-1\r\n" : "_\r\n");
}

void reply_null_array(struct reply *reply)
{
    put_literal(reply, reply->protocol < 3 ? "*-1\r\n" : "_\r\n");
}

void reply_array(struct reply *reply, size_t count)
{
    put_header(reply, '*', (int64_t)count);
}

void reply_map(struct reply *reply, size_t pairs)
{
    if (reply->protocol < 3)
        put_header(reply, '*', (int64_t)pairs * 2);
    else
        put_header(reply, '%', (int64_t)pairs);
}

void reply_set(struct reply *reply, size_t count)
{
    put_header(reply, reply->protocol < 3 ? '*' : '~', (int64_t)count);
}

void reply_push(struct reply *reply, size_t count)
{
    put_header(reply, reply->protocol < 3 ? '*' : '>', (int64_t)count);
}

void reply_command(struct evbuffer *out, const struct str *args, size_t count)
{
    char header[HEADER_MAX];
    evbuffer_add(out, header, format_header(header, '*', (int64_t)count));
    for (size_t i = 0; i < count; i++)
        add_framed(out, '$', str_make(NULL, 0), args[i]);
}
