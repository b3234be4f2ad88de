/* model_parts: what the files of the model share.  Must not be used by tests. */
#ifndef TESTS_LIB_MODEL_PARTS_H
#define TESTS_LIB_MODEL_PARTS_H

#include "tests/lib/model.h"

/* Behind the tail of the free list. */
void model_append(struct model *model, int i);
void model_unlink(struct model *model, int i);
/* Out of the pool, and of its list. */
void model_leave(struct model *model, int i);
bool model_is_past(const struct model_item *item);
/* An allocated one whose lease has ended comes back, or leaves. True: it is free now. */
bool model_take_back(struct model *model, int i);
/* The index gets what the lease says, in the part where the item belongs. */
void model_index_as_it_is(struct model_item *item);
void model_forget_note(struct model *model, int i);
bool model_is_noted_now(const struct model_item *item);
/* What a malloc that finds nothing, or gc, takes back by the index; adds to the counts. */
void model_reclaim(struct model *model, int *free, int *expired);

#endif
