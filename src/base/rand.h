/* rand: random bytes, tokens and jitter. From getrandom(2); a test may give its own source.
 * Knows: libc. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rand {
    void (*fill)(void *arg, void *bytes, size_t len);
    void *arg;
    unsigned char pool[256]; /* bytes fetched ahead: one system call serves many tokens */
    size_t left;             /* unused bytes at the end of pool; each is used once */
};

void rand_init(struct rand *rand);
/* A source of the caller's, for tests. */
void rand_init_with(struct rand *rand, void (*fill)(void *, void *, size_t), void *arg);

void rand_bytes(struct rand *rand, void *bytes, size_t len);
/* 0 .. bound-1, without bias that matters for jitter. bound > 0. */
uint64_t rand_below(struct rand *rand, uint64_t bound);

#define RAND_TOKEN_LEN 22 /* 132 bits in an alphabet of 64: A-Z a-z 0-9 _ - */
/* Writes RAND_TOKEN_LEN characters, no NUL. */
void rand_token(struct rand *rand, char out[RAND_TOKEN_LEN]);

#endif
