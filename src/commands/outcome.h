/* outcome: the usual ends of handlers whose operation is one script: its answer as it is. Each is
 * an answer_done whose arg is a struct later. Knows: dispatch.h, members. */
#ifndef COMMANDS_OUTCOME_H
#define COMMANDS_OUTCOME_H

#include "commands/dispatch.h"
#include "ops/waiter.h"
#include "pool/members.h"

/* Answers the error of an operation that failed. True: `later` is gone. */
MUST_CHECK bool outcome_failed(struct later *later, const struct err *err);

void outcome_ok(void *arg, const struct err *err, const struct answer *answer);
void outcome_int(void *arg, const struct err *err, const struct answer *answer);
/* The second of an array of integers. */
void outcome_second_int(void *arg, const struct err *err, const struct answer *answer);
/* An integer or nil. */
void outcome_int_or_nil(void *arg, const struct err *err, const struct answer *answer);
/* A text or nil. */
void outcome_text(void *arg, const struct err *err, const struct answer *answer);
/* An array of integers. */
void outcome_ints(void *arg, const struct err *err, const struct answer *answer);
/* An array of texts. */
void outcome_texts(void *arg, const struct err *err, const struct answer *answer);
void outcome_texts_or_nil(void *arg, const struct err *err, const struct answer *answer);

/* The request is answered by this waiter, which stops when its client goes. */
void outcome_wait(struct later *later, struct waiter *waiter);
void outcome_wait_for_gang(struct later *later, struct gang *gang);

/* One field of a map. */
void outcome_put_int(struct reply *reply, const char *name, int64_t n);
void outcome_put_text(struct reply *reply, const char *name, const char *text);

/* Fields of a map: what a script answers as names and values in turn; false becomes null,
 * an array one of texts. */
void outcome_put_fields(struct reply *reply, const struct answer *fields);

/* One after the other: each as its resource, or as an array: with WITHTOKEN (of `given`) also
 * token, fence and ttl_ms, with WITHDATA what belongs to it. */
void outcome_put_leases(struct reply *reply, const struct leases *leases, unsigned given);

#endif
