/* dispatch: from a request to its row in the table: login, arity, options, then the handler. One
 * request is answered exactly once.
 * Knows: table, options, peer.  Must not know: sockets. */
#ifndef COMMANDS_DISPATCH_H
#define COMMANDS_DISPATCH_H

#include "commands/options.h"
#include "commands/peer.h"
#include "commands/table.h"

/* One request on its way through its handler. Borrowed, as all that it points to, until the handler
 * returns; a handler that answers later keeps `turn` and `daemon` alone. */
struct ask {
    struct daemon *daemon;
    struct peer *peer;
    struct turn *turn;
    struct reply *reply; /* of the turn, for handlers that answer at once */
    const struct command *command;
    const struct str *argv; /* the request as it came, argv[0] the command's name */
    int argc;
    const struct str *fixed; /* the fixed arguments, as many as the row names before its options */
    struct options options;
    const struct str *rest; /* what follows the options: resources, keys ... */
    int rest_count;
};

/* Answers the request: at once, or later by its handler's operation. */
void dispatch(struct daemon *daemon, struct peer *peer, struct turn *turn, const struct str *argv,
              int argc);

#endif
