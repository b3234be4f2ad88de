/* words: see words.h. */
#include "ops/words.h"
#include "base/mem.h"
#include "base/num.h"
#include <assert.h>

void words_clear(struct words *words)
{
    mem_free(words->list);
    mem_free(words->bytes);
    *words = (struct words){0};
}

void words_start(struct words *words, size_t count, size_t bytes)
{
    if (count > words->room) {
        words->room = count * 2;
        words->list = mem_realloc(words->list, words->room * sizeof *words->list);
    }
    if (bytes > words->bytes_room) {
        words->bytes_room = bytes * 2;
        words->bytes = mem_realloc(words->bytes, words->bytes_room);
    }
    words->count = words->used = 0;
}

void words_put(struct words *words, struct str text)
{
    assert(words->count < words->room);
    words->list[words->count++] = text;
}

void words_put_all(struct words *words, const struct str *texts, size_t count)
{
    assert(count <= words->room - words->count);
    if (count > 0)
        memcpy(words->list + words->count, texts, count * sizeof *texts);
    words->count += count;
}

char *words_put_space(struct words *words, size_t len)
{
    char *at = words->bytes + words->used;
    assert(len <= words->bytes_room - words->used);
    words->used += len;
    words_put(words, str_make(at, len));
    return at;
}

void words_put_int(struct words *words, int64_t n)
{
    char number[NUM_INT_MAX];
    size_t len = num_format_int(number, n);
    memcpy(words_put_space(words, len), number, len);
}
