/* http_reply: see http_reply.h. The grammar is RFC 9112's. */
#include "io/http_reply.h"
#include "base/mem.h"
#include "base/num.h"
#include <stdlib.h>

void http_reply_init(struct http_reply *reply, size_t max_body)
{
    *reply = (struct http_reply){.body = evbuffer_new(), .max_body = max_body, .declared = -1};
}

void http_reply_clear(struct http_reply *reply)
{
    if (reply->body != NULL)
        evbuffer_free(reply->body);
    mem_free(reply->location);
    *reply = (struct http_reply){.part = HTTP_STATUS};
}

static bool refuse(struct err *err, const char *what, struct str line)
{
    char shown[80];
    str_printable(line, shown, sizeof shown);
    return err_set(err, ERR_GENERAL, "answer: %s: '%s'", what, shown);
}

static bool too_long(const struct http_reply *reply, struct err *err)
{
    return err_set(err, ERR_GENERAL, "answer: longer than %zu bytes", reply->max_body);
}

/* "HTTP/1.1 200 OK"; the words at its end may be missing. */
static bool read_status(struct http_reply *reply, struct str line, struct err *err)
{
    int64_t status;
    bool is_http = str_starts(line, STR("HTTP/1.")) && line.len >= 12 && line.ptr[8] == ' ' &&
                   (line.len == 12 || line.ptr[12] == ' ');
    if (!is_http || !num_parse_int(str_make(line.ptr + 9, 3), &status) || status < 100 ||
        status > 599)
        return refuse(err, "not one of HTTP", line);
    reply->status = (int)status;
    reply->part = HTTP_HEADERS;
    return true;
}

static bool read_length(struct http_reply *reply, struct str value, struct err *err)
{
    int64_t length;
    if (!num_parse_int(value, &length) || length < 0 ||
        (reply->declared >= 0 && reply->declared != length))
        return refuse(err, "not a Content-Length", value);
    reply->declared = length;
    return true;
}

static bool read_header(struct http_reply *reply, struct str line, struct err *err)
{
    struct str value = line, name;
    if (!str_split(&value, ':', &name) || value.ptr == NULL || name.len == 0 ||
        str_trim(name).len != name.len)
        return refuse(err, "not a header", line);
    value = str_trim(value);
    if (str_eq_nocase(name, STR("content-length")))
        return read_length(reply, value, err);
    if (str_eq_nocase(name, STR("transfer-encoding"))) {
        if (!str_eq_nocase(value, STR("chunked")))
            return refuse(err, "an unknown Transfer-Encoding", value);
        reply->is_chunked = true;
    } else if (str_eq_nocase(name, STR("location")) && reply->location == NULL) {
        reply->location = mem_dup(value);
    }
    return true;
}

/* The headers are over: what comes now? */
static bool end_headers(struct http_reply *reply, struct err *err)
{
    if (reply->status < 200) { /* the real answer is to come */
        reply->part = HTTP_STATUS;
        reply->declared = -1;
        reply->is_chunked = false;
    } else if (reply->status == 204 || reply->status == 304) {
        reply->part = HTTP_WHOLE;
    } else if (reply->is_chunked) {
        reply->part = HTTP_CHUNK_SIZE;
    } else if (reply->declared < 0) {
        reply->part = HTTP_BODY_OPEN;
    } else if ((uint64_t)reply->declared > reply->max_body) {
        return too_long(reply, err);
    } else {
        reply->left = reply->declared;
        reply->part = reply->left > 0 ? HTTP_BODY : HTTP_WHOLE;
    }
    return true;
}

/* Hexadecimal, perhaps followed by extensions, which mean nothing to us. */
static bool read_chunk_size(struct http_reply *reply, struct str line, struct err *err)
{
    struct str rest = line, digits;
    int64_t size = 0;
    if (!str_split(&rest, ';', &digits))
        return refuse(err, "not the size of a chunk", line);
    digits = str_trim(digits);
    if (digits.len == 0 || digits.len > 15)
        return refuse(err, "not the size of a chunk", line);
    for (size_t i = 0; i < digits.len; i++) {
        int digit = num_hex_digit(digits.ptr[i]);
        if (digit < 0)
            return refuse(err, "not the size of a chunk", line);
        size = size * 16 + digit;
    }
    if ((uint64_t)size + evbuffer_get_length(reply->body) > reply->max_body)
        return too_long(reply, err);
    reply->left = size;
    reply->part = size > 0 ? HTTP_CHUNK : HTTP_TRAILERS;
    return true;
}

static bool read_line(struct http_reply *reply, struct str line, struct err *err)
{
    switch (reply->part) {
    case HTTP_STATUS:
        return read_status(reply, line, err);
    case HTTP_HEADERS:
        return line.len > 0 ? read_header(reply, line, err) : end_headers(reply, err);
    case HTTP_CHUNK_SIZE:
        return read_chunk_size(reply, line, err);
    case HTTP_CHUNK_END:
        reply->part = HTTP_CHUNK_SIZE;
        return line.len == 0 || refuse(err, "a chunk longer than it says", line);
    default: /* HTTP_TRAILERS */
        if (line.len == 0)
            reply->part = HTTP_WHOLE;
        return true;
    }
}

/* `got`: was there a whole line? */
static bool next_line(struct http_reply *reply, struct evbuffer *in, bool *got, struct err *err)
{
    size_t len = 0;
    char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_CRLF);
    bool is_head =
        reply->part == HTTP_STATUS || reply->part == HTTP_HEADERS || reply->part == HTTP_TRAILERS;
    size_t waiting = line != NULL ? len + 2 : evbuffer_get_length(in);
    *got = line != NULL;
    if (waiting + (is_head ? reply->head_bytes : 0) > HTTP_HEAD_MAX) {
        mem_free(line);
        return err_set(err, ERR_GENERAL, "answer: headers longer than %d bytes", HTTP_HEAD_MAX);
    }
    if (line == NULL)
        return true;
    if (is_head)
        reply->head_bytes += waiting;
    bool is_good = read_line(reply, str_make(line, len), err);
    mem_free(line); /* by event_set_mem_functions() */
    return is_good;
}

static bool take_body(struct http_reply *reply, struct evbuffer *in, struct err *err)
{
    size_t bytes = evbuffer_get_length(in);
    if (reply->part != HTTP_BODY_OPEN && (int64_t)bytes > reply->left)
        bytes = (size_t)reply->left;
    if (evbuffer_get_length(reply->body) + bytes > reply->max_body)
        return too_long(reply, err);
    evbuffer_remove_buffer(in, reply->body, bytes);
    reply->left -= (int64_t)bytes;
    if (reply->part == HTTP_BODY && reply->left == 0)
        reply->part = HTTP_WHOLE;
    else if (reply->part == HTTP_CHUNK && reply->left == 0)
        reply->part = HTTP_CHUNK_END;
    return true;
}

bool http_reply_read(struct http_reply *reply, struct evbuffer *in, struct err *err)
{
    bool got = true, is_good = true;
    while (is_good && got && reply->part != HTTP_WHOLE && evbuffer_get_length(in) > 0) {
        bool is_body =
            reply->part == HTTP_BODY || reply->part == HTTP_BODY_OPEN || reply->part == HTTP_CHUNK;
        is_good = is_body ? take_body(reply, in, err) : next_line(reply, in, &got, err);
    }
    return is_good;
}

bool http_reply_end(struct http_reply *reply, struct err *err)
{
    if (reply->part == HTTP_BODY_OPEN)
        reply->part = HTTP_WHOLE;
    if (reply->part == HTTP_WHOLE)
        return true;
    bool is_none = reply->part == HTTP_STATUS && reply->head_bytes == 0;
    return err_set(err, ERR_GENERAL, "answer: %s, the connection was closed",
                   is_none ? "none" : "cut off");
}

struct str http_reply_body(struct http_reply *reply)
{
    size_t len = evbuffer_get_length(reply->body);
    return str_make((const char *)evbuffer_pullup(reply->body, -1), len);
}
