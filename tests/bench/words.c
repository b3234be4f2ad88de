/* words: see words.h. */
#include "words.h"
#include "base/mem.h"
#include <stdint.h>

static void take(struct words *words, const char *word)
{
    if (words->count == words->room) {
        words->room = words->room == 0 ? 16 : 2 * words->room;
        words->list = mem_realloc((void *)words->list, (size_t)words->room * sizeof(*words->list));
    }
    words->list[words->count++] = word;
}

void words_add(struct words *words, const char *word)
{
    take(words, mem_dup(str_of(word)));
}

void words_add_number(struct words *words, const char *prefix, long long n)
{
    take(words, mem_printf("%s%lld", prefix, n));
}

void words_add_all(struct words *words, const char *const *more)
{
    for (; *more != NULL; more++)
        words_add(words, *more);
}

void words_clear(struct words *words)
{
    for (int i = 0; i < words->count; i++)
        mem_free((void *)(uintptr_t)words->list[i]);
    mem_free((void *)words->list);
    *words = (struct words){0};
}
