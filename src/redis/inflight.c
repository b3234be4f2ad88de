#include "redis/inflight.h"
#include "base/mem.h"

/* Beyond this the kept bytes are given back to the system when nothing is in flight. */
enum { KEEP_BYTES = 1024 * 1024 };

void inflight_init(struct inflight *inflight)
{
    *inflight = (struct inflight){0};
}

void inflight_clear(struct inflight *inflight)
{
    mem_free(inflight->ring);
    mem_free(inflight->bytes);
    inflight_init(inflight);
}

static void grow_ring(struct inflight *inflight)
{
    size_t room = inflight->room == 0 ? 64 : inflight->room * 2;
    struct pending *ring = mem_array(room, sizeof(*ring));
    for (size_t i = 0; i < inflight->count; i++)
        ring[i] = inflight->ring[(inflight->first + i) & (inflight->room - 1)];
    mem_free(inflight->ring);
    inflight->ring = ring;
    inflight->room = room;
    inflight->first = 0;
}

/* Room for `size` more bytes behind those kept. They are moved to the front only when that frees at
 * least half of the room, so that each byte is moved less than once on average. */
static void make_room(struct inflight *inflight, size_t size)
{
    size_t used = inflight->to - inflight->from;
    if (inflight->to + size <= inflight->bytes_room)
        return;
    if (used + size > inflight->bytes_room / 2) {
        size_t room = inflight->bytes_room == 0 ? 4096 : inflight->bytes_room;
        while (room / 2 < used + size)
            room *= 2;
        inflight->bytes = mem_realloc(inflight->bytes, room);
        inflight->bytes_room = room;
    }
    memmove(inflight->bytes, inflight->bytes + inflight->from, used);
    inflight->from = 0;
    inflight->to = used;
}

char *inflight_push(struct inflight *inflight, const struct pending *pending, size_t size)
{
    if (inflight->count == inflight->room)
        grow_ring(inflight);
    make_room(inflight, size);
    size_t at = (inflight->first + inflight->count++) & (inflight->room - 1);
    inflight->ring[at] = *pending;
    inflight->ring[at].bytes = size;
    inflight->to += size;
    return inflight->bytes + inflight->to - size;
}

const struct pending *inflight_first(const struct inflight *inflight)
{
    return inflight->count == 0 ? NULL : &inflight->ring[inflight->first];
}

struct str inflight_first_bytes(const struct inflight *inflight)
{
    return str_make(inflight->bytes + inflight->from, inflight->ring[inflight->first].bytes);
}

void inflight_pop(struct inflight *inflight)
{
    inflight->from += inflight->ring[inflight->first].bytes;
    inflight->first = (inflight->first + 1) & (inflight->room - 1);
    inflight->count--;
    if (inflight->count > 0)
        return;
    inflight->from = inflight->to = 0;
    if (inflight->bytes_room > KEEP_BYTES) {
        mem_free(inflight->bytes);
        inflight->bytes = NULL;
        inflight->bytes_room = 0;
    }
}
