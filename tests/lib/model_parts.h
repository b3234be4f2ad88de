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
/* Marks of model items: see lua/pool/aside.lua. */
enum { KIND_BY_HAND = 1, KIND_ILL = 2, KIND_LEAVING = 3 };
bool model_is_aside(const struct model_item *item);
void model_put_aside(struct model_item *item, int kind);
enum model_place { PLACE_FREE, PLACE_ASIDE, PLACE_GONE };
/* An allocated one whose lease has ended comes back, is set aside, or leaves. */
enum model_place model_take_back(struct model *model, int i);
/* The index gets what the lease says, in the part where the item belongs. */
void model_index_as_it_is(struct model_item *item);
void model_forget_note(struct model *model, int i);
bool model_is_noted_now(const struct model_item *item);
/* What a malloc that finds nothing, or gc, takes back by the index; adds to the counts. */
void model_reclaim(struct model *model, int *free, int *expired);

#endif
