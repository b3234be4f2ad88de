/* packing: see packing.h. */
#include "ops/packing.h"
#include "base/mem.h"
#include <assert.h>
#include <stddef.h>

void *packing_new(struct packing *packing, size_t size, struct packing_room room)
{
    size_t align = _Alignof(max_align_t);
    size_t head = (size + align - 1) / align * align;
    size_t strs = (size_t)(room.args + room.keys) * sizeof(struct str);
    char *record = mem_alloc(head + strs + room.bytes);
    memset(record, 0, size);
    *packing = (struct packing){.op = (struct op *)(void *)record,
                                .args = (struct str *)(void *)(record + head),
                                .next_byte = record + head + strs,
                                .end = record + head + strs + room.bytes,
                                .arg_room = room.args,
                                .key_room = room.keys};
    packing->keys = packing->args + room.args;
    packing->op->args = packing->args;
    packing->op->keys = packing->keys;
    return record;
}

static char *take_bytes(struct packing *packing, size_t len)
{
    char *at = packing->next_byte;
    assert((size_t)(packing->end - at) >= len);
    packing->next_byte += len;
    return at;
}

void packing_put_literal(struct packing *packing, struct str text)
{
    assert(packing->op->arg_count < packing->arg_room);
    packing->args[packing->op->arg_count++] = text;
}

char *packing_put_space(struct packing *packing, size_t len)
{
    char *at = take_bytes(packing, len);
    packing_put_literal(packing, str_make(at, len));
    return at;
}

char *packing_put_key(struct packing *packing, size_t len)
{
    char *at = take_bytes(packing, len);
    assert(packing->op->key_count < packing->key_room);
    packing->keys[packing->op->key_count++] = str_make(at, len);
    return at;
}

void packing_put(struct packing *packing, struct str text)
{
    char *at = packing_put_space(packing, text.len);
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
}

void packing_put_int(struct packing *packing, int64_t n)
{
    char number[NUM_INT_MAX];
    size_t len = num_format_int(number, n);
    packing_put(packing, str_make(number, len));
}
