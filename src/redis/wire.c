#include "redis/wire.h"
#include <assert.h>
#include <stdio.h>

enum { HEAD_WORDS = 3 }; /* EVALSHA, sha, number of keys */

void wire_head_init(struct wire_head *head, const struct script *script)
{
    int digits = script->key_count < 10 ? 1 : 2;
    int len =
        snprintf(head->text, sizeof(head->text), "$7\r\nEVALSHA\r\n$40\r\n%s\r\n$%d\r\n%d\r\n",
                 script->sha, digits, script->key_count);
    head->len = (size_t)len;
    head->key_count = script->key_count;
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

/* "$12\r\n" or "*12\r\n" */
static char *write_length(char *out, char sigil, size_t n)
{
    size_t digits = digits_of(n);
    *out++ = sigil;
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    out += digits;
    *out++ = '\r';
    *out++ = '\n';
    return out;
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

size_t wire_call_size(const struct wire_head *head, const struct call *call)
{
    return 1 + digits_of(words_of(head, call)) + 2 + (head == NULL ? 0 : head->len) +
           bulks_size(call->keys, call->key_count) + bulks_size(call->args, call->arg_count);
}

void wire_call(char *out, const struct wire_head *head, const struct call *call)
{
    assert(head == NULL || call->key_count == head->key_count);
    out = write_length(out, '*', words_of(head, call));
    if (head == NULL) {
        out = write_bulks(out, call->args, call->arg_count);
        write_bulks(out, call->keys, call->key_count);
        return;
    }
    memcpy(out, head->text, head->len);
    out = write_bulks(out + head->len, call->keys, call->key_count);
    write_bulks(out, call->args, call->arg_count);
}
