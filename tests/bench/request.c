/* request: see request.h. */
#include "request.h"
#include "base/mem.h"
#include "base/num.h"
#include <err.h>
#include <stdio.h>

#define NO_HOLE         SIZE_MAX
#define MAX_FRAME_BYTES 16 /* of a word: "$512\r\n" and "\r\n" */

static size_t hole_of(const char *word)
{
    static const struct {
        const char *word;
        size_t place;
    } holes[] = {
        {"%resource", offsetof(struct request_fill, resource)},
        {"%sequence", offsetof(struct request_fill, sequence)},
        {"%client", offsetof(struct request_fill, client)},
        {"%name", offsetof(struct request_fill, name)},
    };
    for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
        if (strcmp(word, holes[i].word) == 0)
            return holes[i].place;
    }
    return NO_HOLE;
}

void request_init(struct request *request, const struct words *words)
{
    size_t room = 32, len;
    for (int i = 0; i < words->count; i++)
        room += strlen(words->list[i]) + MAX_FRAME_BYTES;
    *request = (struct request){.bytes = mem_alloc(room)};
    len = (size_t)snprintf(request->bytes, room, "*%d\r\n", words->count);
    for (int i = 0; i < words->count; i++) {
        const char *word = words->list[i];
        size_t place = hole_of(word);
        if (place == NO_HOLE) {
            len += (size_t)snprintf(request->bytes + len, room - len, "$%zu\r\n%s\r\n",
                                    strlen(word), word);
            continue;
        }
        if (request->count == REQUEST_MAX_PIECES - 1)
            errx(1, "%s: more than %d holes", words->list[0], REQUEST_MAX_PIECES - 1);
        request->pieces[request->count++] = (struct request_piece){len, place};
    }
    request->pieces[request->count++] = (struct request_piece){len, NO_HOLE};
    request->max_len = len + (size_t)request->count * (REQUEST_MAX_FILL + MAX_FRAME_BYTES);
}

void request_clear(struct request *request)
{
    mem_free(request->bytes);
}

static size_t write_word(char *out, struct str word)
{
    size_t len = 1;
    out[0] = '$';
    len += num_format_int(out + len, (int64_t)word.len);
    memcpy(out + len, "\r\n", 2);
    len += 2;
    memcpy(out + len, word.ptr, word.len);
    len += word.len;
    memcpy(out + len, "\r\n", 2);
    return len + 2;
}

size_t request_write(const struct request *request, const struct request_fill *fill, char *out)
{
    size_t from = 0, len = 0;
    for (int i = 0; i < request->count; i++) {
        const struct request_piece *piece = &request->pieces[i];
        memcpy(out + len, request->bytes + from, piece->end - from);
        len += piece->end - from;
        from = piece->end;
        if (piece->place != NO_HOLE)
            len += write_word(
                out + len, *(const struct str *)(const void *)((const char *)fill + piece->place));
    }
    return len;
}
