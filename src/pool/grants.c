/* grants: see grants.h. */
#include "pool/grants.h"
#include "base/mem.h"
#include "base/rand.h"
#include "pool/more.h"
#include "pool/plain.h"

enum { FIELDS = 4, DATA_FIELDS }; /* of a lease in an answer: resource token fence ttl_ms [data] */

struct lease leases_at(const struct leases *leases, size_t i)
{
    size_t at = i * leases->fields;
    if (leases->answer == NULL)
        return leases->kept != NULL ? leases->kept[i] : leases->one;
    const struct answer *data =
        leases->fields == DATA_FIELDS ? answer_at(leases->answer, at + FIELDS) : answer_none();
    return (struct lease){
        .data = answer_str(data),
        .has_data = !answer_is_none(data),
        .resource = answer_str(answer_at(leases->answer, at)),
        .token = answer_str(answer_at(leases->answer, at + 1)),
        .fence = answer_int(answer_at(leases->answer, at + 2), 0),
        .ttl_ms = answer_int(answer_at(leases->answer, at + 3), -1),
    };
}

void leases_copy(const struct leases *leases, struct leases *copy)
{
    size_t bytes = 0;
    for (size_t i = 0; i < leases->count; i++)
        bytes += leases_at(leases, i).resource.len + leases_at(leases, i).token.len +
                 leases_at(leases, i).data.len;
    struct lease *kept = mem_alloc(leases->count * sizeof *kept + bytes);
    char *at = (char *)(kept + leases->count);
    for (size_t i = 0; i < leases->count; i++) {
        kept[i] = leases_at(leases, i);
        kept[i].resource = str_put(&at, kept[i].resource);
        kept[i].token = str_put(&at, kept[i].token);
        kept[i].data = str_put(&at, kept[i].data);
    }
    *copy = (struct leases){.kept = kept, .count = leases->count, .asked_ms = leases->asked_ms};
}

void leases_drop(struct leases *copy)
{
    mem_free(copy->kept);
    *copy = (struct leases){0};
}

bool grants_want_data(const struct op *op)
{
    int at = str_eq(op->args[0], STR("H")) ? HOLDER_ARGS : 0;
    return at + 1 < op->arg_count && str_eq(op->args[at], STR("X")) &&
           more_has(op->args[at + 1], 'D');
}

bool grants_read(const struct answer *answer, int64_t asked_ms, bool with_data,
                 struct leases *leases)
{
    struct lease *one = &leases->one;
    size_t fields = with_data ? DATA_FIELDS : FIELDS;
    *leases =
        (struct leases){.answer = answer, .fields = fields, .count = answer_count(answer) / fields};
    if (answer_is_array(answer) || answer_is_none(answer))
        return true;
    *leases = (struct leases){.count = 1};
    one->ttl_ms = asked_ms > 0 ? asked_ms : -1;
    return plain_split(answer_str(answer), &one->token, &one->resource, &one->fence);
}

static struct str how_of(enum malloc_mode mode)
{
    return mode == MALLOC_ONE ? STR("1") : mode == MALLOC_UP_TO ? STR("n") : STR("a");
}

size_t grants_bytes(const struct malloc_request *request)
{
    return 3 * PACKED_INT + RAND_TOKEN_LEN + request->name.len + request->owner.len +
           request->reqid.len + request->holder.len + request->more.len;
}

int grants_before_args(const struct malloc_request *request)
{
    return (request->holder.len > 0 ? HOLDER_ARGS : 0) + (request->more.len > 0 ? MORE_ARGS : 0);
}

void grants_put_before(struct packed *packed, const struct malloc_request *request)
{
    if (request->holder.len > 0) {
        packed_put_literal(packed, STR("H"));
        packed_put(packed, request->holder);
    }
    if (request->more.len > 0) {
        packed_put_literal(packed, STR("X"));
        packed_put(packed, request->more);
    }
}

int grants_weight(const struct malloc_request *request)
{
    return (int)(request->count < INT32_MAX ? request->count : INT32_MAX);
}

void grants_put(struct packed *packed, const struct malloc_request *request, const char *random)
{
    packed_put_literal(packed, how_of(request->mode));
    packed_put_int(packed, request->mode == MALLOC_ONE ? 1 : request->count);
    packed_put_int(packed, request->timeout_ms);
    packed_put(packed, str_make(random, RAND_TOKEN_LEN));
    packed_put(packed, request->name);
    packed_put_int(packed, request->binding_ms);
    packed_put(packed, request->owner);
    packed_put(packed, request->reqid);
}
