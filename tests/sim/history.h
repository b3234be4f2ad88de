/* history: what was granted to whom and when it ended, and whether that can be. All that is checked
 * of a run while it runs:
 *   no resource has two holders at once;
 *   the fences of a pool grow in the order in which Redis granted;
 *   a request that is repeated with its id does not get a second lease.
 * A hold lasts from the instant at which Redis granted it until its holder sent the FREE, or until
 * its deadline. So a holder whose daemon died, or whose FREE was lost, is a holder no longer than
 * it believes to be one. Knows: the world.  Must not know: how resources are granted. */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include "tests/sim/world.h"

#define FOR_EVER INT64_MAX

enum { HISTORY_NAME_LEN = 32, HISTORY_TOKEN_LEN = 64 };

struct hold {
    int pool;
    char resource[HISTORY_NAME_LEN];
    char token[HISTORY_TOKEN_LEN]; /* "" for a Python peer */
    char reqid[HISTORY_NAME_LEN];
    int64_t from_us;
    int64_t until_us; /* its deadline by the last sure renewal; FOR_EVER */
    int64_t doubt_us; /* that a renewal without an answer may set yet, however late; 0: none */
    bool is_ended;    /* given back */
    int who;
};

struct history {
    struct world *world;
    struct hold **holds; /* all that were ever made */
    size_t count, room;
    int64_t last_fence[8]; /* by pool */
    uint64_t grants;
    bool is_overlap_allowed; /* Redis has lost data */
};

void history_init(struct history *history, struct world *world);
void history_clear(struct history *history);

/* A hold that begins; the one that is known already for a token that is. Borrowed until clear. */
struct hold *history_hold(struct history *history, int pool, struct str resource, struct str token,
                          struct str reqid, int64_t from_us, int64_t until_us, int who);
void history_end(struct history *history, struct hold *hold);
/* Redis has granted a lease with this fence just now. */
void history_fence(struct history *history, int pool, int64_t fence, struct str token);

#endif
