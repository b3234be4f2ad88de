#include "redis/wire.h"
#include <stdio.h>

enum { HEAD_WORDS = 3 }; /* EVALSHA, sha, number of keys */

void wire_head_init(struct wire_head *head, const struct script *script)
{
    int len =
        snprintf(head->text, sizeof(head->text), "$7\r\nEVALSHA\r\n$40\r\n%s\r\n", script->sha);
    head->len = (size_t)len;
}

static size_t digits_of(size_t n)
{
    size_t digits = 1;
    while (n >= 10) {
        n /= 10;
        digits++;
    }
    return digits;
}

static size_t bulks_size(const struct str *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += 1 + digits_of(parts[i].len) + 2 + parts[i].len + 2;
    return size;
}

/* "12\r\n" */
static char *write_number(char *out, size_t n)
{
    size_t digits = digits_of(n);
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    out += digits;
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

/* "$12\r\n" or "*12\r\n" */
static char *write_length(char *out, char sigil, size_t n)
{
    *out++ = sigil;
    return write_number(out, n);
}

static char *write_bulks(char *out, const struct str *parts, int count)
{
    for (int i = 0; i < count; i++) {
        out = write_length(out, '$', parts[i].len);
        if (parts[i].len > 0)
            memcpy(out, parts[i].ptr, parts[i].len);
        out += parts[i].len;
        *out++ = '\r';
        *out++ = '\n';
    }
    return out;
}

static size_t words_of(const struct wire_head *head, const struct call *call)
{
    size_t own = (size_t)call->key_count + (size_t)call->arg_count;
    return head == NULL ? own : own + HEAD_WORDS;
}

/* A script's call says how many keys follow. */
static size_t key_count_size(const struct call *call)
{
    size_t digits = digits_of((size_t)call->key_count);
    return 1 + digits_of(digits) + 2 + digits + 2;
}

static char *write_key_count(char *out, const struct call *call)
{
    out = write_length(out, '$', digits_of((size_t)call->key_count));
    return write_number(out, (size_t)call->key_count);
}

size_t wire_call_size(const struct wire_head *head, const struct call *call)
{
    return 1 + digits_of(words_of(head, call)) + 2 +
           (head == NULL ? 0 : head->len + key_count_size(call)) +
           bulks_size(call->keys, call->key_count) + bulks_size(call->args, call->arg_count);
}

void wire_call(char *out, const struct wire_head *head, const struct call *call)
{
    out = write_length(out, '*', words_of(head, call));
    if (head == NULL) {
        out = write_bulks(out, call->args, call->arg_count);
        write_bulks(out, call->keys, call->key_count);
        return;
    }
    memcpy(out, head->text, head->len);
    out = write_key_count(out + head->len, call);
    out = write_bulks(out, call->keys, call->key_count);
    write_bulks(out, call->args, call->arg_count);
}
