/* arena: see arena.h. */
#include "base/arena.h"
#include "base/mem.h"
#include <stdalign.h>

#define BLOCK_BYTES (16 << 10)

struct arena_block {
    struct arena_block *older;
    size_t room;
    alignas(max_align_t) char bytes[];
};

static void drop_newest(struct arena *arena)
{
    struct arena_block *block = arena->newest;
    arena->newest = block->older;
    mem_free(block);
}

void arena_clear(struct arena *arena)
{
    while (arena->newest != NULL)
        drop_newest(arena);
    arena->used = 0;
}

static void add_block(struct arena *arena, size_t least)
{
    size_t room = least > BLOCK_BYTES ? least : BLOCK_BYTES;
    struct arena_block *block = mem_alloc(sizeof(*block) + room);
    block->older = arena->newest;
    block->room = room;
    arena->newest = block;
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->newest == NULL || rounded > arena->newest->room - arena->used)
        add_block(arena, rounded);
    void *bytes = arena->newest->bytes + arena->used;
    arena->used += rounded;
    return bytes;
}

/* The oldest block stays, unless one large thing made it. */
void arena_reset(struct arena *arena)
{
    while (arena->newest != NULL &&
           (arena->newest->older != NULL || arena->newest->room > BLOCK_BYTES))
        drop_newest(arena);
    arena->used = 0;
}
