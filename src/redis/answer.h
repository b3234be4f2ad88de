/* answer: a typed, read-only view of what Redis replied. Asking for what is not there gives an
 * empty answer, never a crash: a surprise from Redis costs an error message.
 * Knows: hiredis' reply structs.  Must not know: links. */
#ifndef REDIS_ANSWER_H
#define REDIS_ANSWER_H

#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In truth a redisReply of hiredis. */
struct answer;

/* The answer that stands for "nothing there". */
const struct answer *answer_none(void);

bool answer_is_none(const struct answer *answer); /* nil, or not there */
bool answer_is_error(const struct answer *answer);
bool answer_is_int(const struct answer *answer);
bool answer_is_array(const struct answer *answer);

/* A text that did not come from Redis, as if it had: borrowed; the caller's to free by mem_free().
 */
struct answer *answer_new_text(struct str text);

/* The text of a bulk, a status or an error; empty for others. Borrowed. */
struct str answer_str(const struct answer *answer);
/* An integer, or a bulk that reads as one; `otherwise` for the rest. */
int64_t answer_int(const struct answer *answer, int64_t otherwise);
/* Elements of an array, 0 for others. */
size_t answer_count(const struct answer *answer);
/* The i-th element, answer_none() beyond the end. */
const struct answer *answer_at(const struct answer *answer, size_t i);

#endif
