/* words: the words of a request, one after another.
 * Knows: libc.  Owns: copies of the words, until words_clear(). */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

struct words {
    const char **list;
    int count, room;
};

void words_add(struct words *words, const char *word);
/* The prefix and, right behind it, a number. */
void words_add_number(struct words *words, const char *prefix, long long n);
/* All of a list, which NULL ends. */
void words_add_all(struct words *words, const char *const *more);
#define WORDS(words, ...) words_add_all(words, (const char *const[]){__VA_ARGS__, NULL})
/* None are left. */
void words_clear(struct words *words);

#endif
