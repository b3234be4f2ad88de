/* packed: the record of one operation of this folder: the operation, its arguments and their bytes
 * in one piece of memory. Usage: measure (packed_new with what will be put), put, send. Knows:
 * ops/, pools.  Must not know: what the arguments mean. Owns: the record, until packed_free() in
 * the operation's own `done`. */
#ifndef POOL_PACKED_H
#define POOL_PACKED_H

#include "ops/packing.h"
#include "pool/members.h"

struct packed {
    struct op op;      /* first: an operation is its record */
    struct pool *pool; /* NULL: of no pool */
    union {
        leases_done leases;
        count_done count;
        answer_done answer;
    } done;
    void *arg;
    int64_t asked; /* the domain's own: what was asked for */
    struct packing packing;
};

/* Room for `arg_count` arguments and `bytes` of their text; PACKED_INT for each number. */
#define PACKED_INT PACKING_INT
struct packed *packed_new(struct pool *pool, enum script_id script, op_done ended, int arg_count,
                          size_t bytes);
void packed_free(struct packed *packed);

void packed_put(struct packed *packed, struct str text); /* copied */
void packed_put_int(struct packed *packed, int64_t n);
void packed_put_literal(struct packed *packed, struct str text); /* lives for ever: not copied */
/* Room for `len` bytes, to be filled by the caller. */
char *packed_put_space(struct packed *packed, size_t len);

size_t packed_bytes_of(const struct str *texts, int count);
void packed_put_all(struct packed *packed, const struct str *texts, int count);

/* To the pool's lane. What cannot be taken ends at the next tick with why. */
void packed_send(struct packed *packed, struct lane *lane);

/* What became of it: true when the answer is one; else fills err with what the client should read.
 * A list that is broken is repaired. */
bool packed_check(struct packed *packed, const struct err *failure, const struct answer *answer,
                  struct err *err);
/* The op_done of those whose asker gets the answer as it is, by done.answer. */
void packed_end_with_answer(struct op *op, const struct err *failure, const struct answer *answer);

#endif
