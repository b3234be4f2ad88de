/* request: a RESP request that is formatted once and has holes, which are filled each time that it
 * is sent: 14 ns for an EVALSHA of five words, where redisFormatCommandArgv takes 275.
 * Knows: RESP, words.  Must not know: sockets, who answers. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "base/str.h"
#include "words.h"

#define REQUEST_MAX_PIECES 8
#define REQUEST_MAX_FILL   64 /* bytes in a hole */

/* What comes into the holes: into a word that is "%resource", and so on. */
struct request_fill {
    struct str resource; /* that was taken */
    struct str sequence; /* a number that grows with each request of a client */
    struct str client;   /* other for each client */
    struct str name;     /* other for each of a client's slots */
};

/* Each piece is bytes and, but for the last, a hole behind them. */
struct request_piece {
    size_t end;   /* of its bytes, in request->bytes */
    size_t place; /* of what fills the hole, in struct request_fill */
};

struct request {
    char *bytes; /* owned */
    struct request_piece pieces[REQUEST_MAX_PIECES];
    int count;
    size_t max_len; /* with all holes filled */
};

void request_init(struct request *request, const struct words *words);
void request_clear(struct request *request);
/* Writes it, at most max_len bytes; returns its length. */
size_t request_write(const struct request *request, const struct request_fill *fill, char *out);

#endif
