/* greeting: what a link says first, and what is to be thought of the answers: who we are, which
 * database, what the server is, and whether it takes calls.
 * Knows: settings, Redis' words.  Must not know: connections. */
#ifndef REDIS_GREETING_H
#define REDIS_GREETING_H

#include "base/num.h"
#include "redis/inflight.h"

enum greeting_outcome {
    GREETING_WELL,
    GREETING_LATER, /* Redis is there, but takes no calls now: LOADING, BUSY, MASTERDOWN */
    GREETING_FAILED /* it will not have us as we are: WRONGPASS, NOAUTH ... */
};

struct greeting {
    enum greeting_outcome outcome;
    char trouble[256]; /* unless all is well: Redis' words */
    char version[32];  /* redis_version, once INFO is answered */
    char run_id[48];   /* run_id, likewise: another one is another server, or it was started anew */
};

void greeting_init(struct greeting *greeting);

#define GREETING_WORDS 3
/* The words of a request of the greeting, PENDING_AUTH to PENDING_GREETED; returns how many, 0: not
 * needed. They point into the settings and `number`. */
int greeting_words(enum pending_kind kind, const struct redis_config *config, const char *name,
                   char number[NUM_INT_MAX], struct str words[GREETING_WORDS]);

/* Takes the answer to a request of the greeting. */
void greeting_take(struct greeting *greeting, enum pending_kind kind, const struct answer *answer);

#endif
