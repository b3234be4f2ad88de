/* arena: see arena.h. */
#include "base/arena.h"
#include "base/mem.h"
#include <stdalign.h>

#define BLOCK_BYTES (16 << 10)

struct arena_block {
    struct arena_block *next;
    size_t room;
    alignas(max_align_t) char bytes[];
};

static struct arena_block *block_new(size_t room)
{
    struct arena_block *block = mem_alloc(sizeof(*block) + room);
    block->next = NULL;
    block->room = room;
    return block;
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
}

void arena_clear(struct arena *arena)
{
    free_blocks(arena->first);
    *arena = (struct arena){0};
}

static void add_block(struct arena *arena, size_t least)
{
    struct arena_block *block = block_new(least > BLOCK_BYTES ? least : BLOCK_BYTES);
    if (arena->first == NULL)
        arena->first = block;
    else
        arena->newest->next = block;
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

void arena_reset(struct arena *arena)
{
    if (arena->first == NULL)
        return;
    if (arena->first->room > BLOCK_BYTES) { /* one large thing is no reason to keep its room */
        arena_clear(arena);
        return;
    }
    free_blocks(arena->first->next);
    arena->first->next = NULL;
    arena->newest = arena->first;
    arena->used = 0;
}
