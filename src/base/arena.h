/* arena: memory for many small things that are given back together.
 * Knows: base/mem.  Owns: its blocks; one is kept for the next round. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *newest;
    size_t used; /* of the newest block */
};

/* Zeroed means empty. */
void arena_clear(struct arena *arena);
/* Aligned for everything, not zeroed; until the next arena_reset(). */
void *arena_alloc(struct arena *arena, size_t size);
/* Gives back all that was taken. */
void arena_reset(struct arena *arena);

#endif
