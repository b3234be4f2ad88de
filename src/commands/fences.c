/* fences: FENCE CHECK.
 * Knows: pool/members. */
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

void cmd_fence_check(struct ask *ask)
{
    char shown[80];
    int64_t n;

    if (!check_bytes(ask, ask->fixed[0], "name"))
        return;
    if (!num_parse_int(ask->fixed[1], &n) || n < 0) {
        str_printable(ask->fixed[1], shown, sizeof(shown));
        ask_error(ask, ERR_GENERAL, "the fence is not a whole number from 0: '%s'", shown);
        return;
    }
    fences_check(&ask->daemon->pools, ask->fixed[0], n, outcome_int, later_new(ask, NULL));
}
