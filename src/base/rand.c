/* rand: random bytes, tokens and jitter. See rand.h. */
#include "base/rand.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

/* Without random bytes tokens could be guessed, so the process ends rather than goes on. */
static void fill_from_kernel(void *arg, void *bytes, size_t len)
{
    unsigned char *out = bytes;
    (void)arg;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            perror("rallocd: getrandom");
            abort();
        }
        out += got;
        len -= (size_t)got;
    }
}

void rand_init(struct rand *rand)
{
    rand_init_with(rand, fill_from_kernel, NULL);
}

void rand_init_with(struct rand *rand, void (*fill)(void *, void *, size_t), void *arg)
{
    memset(rand, 0, sizeof(*rand));
    rand->fill = fill;
    rand->arg = arg;
}

void rand_bytes(struct rand *rand, void *bytes, size_t len)
{
    if (len > sizeof(rand->pool)) {
        rand->fill(rand->arg, bytes, len);
        return;
    }
    if (len > rand->left) {
        rand->fill(rand->arg, rand->pool, sizeof(rand->pool));
        rand->left = sizeof(rand->pool);
    }
    if (len == 0)
        return;
    unsigned char *from = rand->pool + (sizeof(rand->pool) - rand->left);
    memcpy(bytes, from, len);
    memset(from, 0, len); /* a token that was given out is not kept here */
    rand->left -= len;
}

uint64_t rand_below(struct rand *rand, uint64_t bound)
{
    uint64_t value;
    rand_bytes(rand, &value, sizeof(value));
    return value % bound;
}

void rand_token(struct rand *rand, char out[RAND_TOKEN_LEN])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    unsigned char bytes[RAND_TOKEN_LEN];

    rand_bytes(rand, bytes, sizeof(bytes));
    for (size_t i = 0; i < RAND_TOKEN_LEN; i++)
        out[i] = alphabet[bytes[i] & 63];
}
