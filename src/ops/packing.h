/* packing: a domain's record of an operation with the arguments, the keys and their bytes behind
 * it, all in one piece of memory. Usage: packing_new() with what will be put, then puts, each of
 * which is checked against the room. Knows: operations.  Must not know: what the arguments mean. */
#ifndef OPS_PACKING_H
#define OPS_PACKING_H

#include "base/num.h"
#include "ops/batch.h"

struct packing {
    struct op *op;
    struct str *args, *keys;
    char *next_byte, *end;
    int arg_room, key_room;
};

struct packing_room {
    int args, keys;
    size_t bytes; /* of both; PACKING_INT for each number */
};
#define PACKING_INT NUM_INT_MAX

/* A record of `size` bytes, zeroed, that begins with its struct op. The caller's to free by
 * mem_free(). */
void *packing_new(struct packing *packing, size_t size, struct packing_room room);

void packing_put(struct packing *packing, struct str text); /* copied */
void packing_put_int(struct packing *packing, int64_t n);
void packing_put_literal(struct packing *packing, struct str text); /* lives for ever: not copied */
/* Room for `len` bytes of an argument, of a key, to be filled by the caller. */
char *packing_put_space(struct packing *packing, size_t len);
char *packing_put_key(struct packing *packing, size_t len);

#endif
