/* rules: how a pool is handed out, as its section of the settings says. They are kept with the pool
 * in Redis (lua/pool/rule.lua), so that all daemons follow them, with or without such a section: a
 * daemon that has one puts its rules there when it starts, when its settings change and when they
 * have been lost. Of daemons whose sections differ the last one wins, and the others say so in
 * their log. Knows: pools, the settings.  Must not know: what scripts make of a rule. */
#ifndef POOL_RULES_H
#define POOL_RULES_H

#include "pool/pools.h"

/* "name=value name=value", in the table's order, without those that are off. The caller frees it.
 */
char *rules_text(const struct pool_config *config);
/* Puts the rules of a pool whose settings are new or have changed there, before whatever its lane
 * is asked next. */
void rules_configure(struct pool *pool);
/* What the pool has in Redis, as a collection has found it: tells it again when that was lost. */
void rules_found(struct pool *pool, struct str text);

#endif
