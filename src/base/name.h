/* name: which names may be used. Key names in Redis are made of them, so that names of different
 * things can never make the same key.
 * Knows: str, err.  Must not know: how keys are made. */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include "base/err.h"

enum name_kind {
    NAME_POOL,      /* pools, lock sets, queues: A-Z a-z 0-9 . _ -, no reserved word */
    NAME_NAMESPACE, /* namespaces, groups: also : and /; they are never where a word could stand */
    NAME_USER,      /* users: as pools, any word, 64 bytes at most */
};

#define NAME_MAX_LEN            128
#define NAME_MAX_USER_LEN       64
#define NAME_MAX_BYTES_LEN      512
#define NAME_MAX_LABEL_PART_LEN 128

MUST_CHECK bool name_check(struct str name, enum name_kind kind, struct err *err);

/* For locks, bindings, members, owners, ids: any bytes but NUL, 1 to 512. `what` names it in the
 * error ("owner"). */
MUST_CHECK bool name_check_bytes(struct str s, const char *what, struct err *err);

/* A label, "key=value": each 1 to 128 bytes without control characters, the key without '='. With
 * may_lack_value the value may be empty. */
MUST_CHECK bool name_check_label(struct str label, bool may_lack_value, struct err *err);

#endif
