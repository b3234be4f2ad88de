/* seed: how a program without a daemon would do it: two scripts on Redis, one call a request. They
 * ask Redis the same things in the same order as the Python library redis-allocator does for
 * malloc_key() and free_keys() on an exclusive pool without names and expiries, helper functions
 * included, for making these is part of a call's cost. */
#ifndef BENCH_SEED_H
#define BENCH_SEED_H

extern const char *const seed_malloc; /* ARGV: timeout, name, binding's timeout */
extern const char *const seed_free;   /* ARGV: expiry's timeout, resource */
/* Makes a pool of the resources r1 ... rN. ARGV: N */
extern const char *const seed_fill;

#endif
