/* value: one setting as text and as stored in its struct, by the row of the table.
 * Knows: rows.  Must not know: where a value comes from. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/keys.h"

/* False: err says what is allowed ("not a whole number from 1 to 9"), not for which key. */
MUST_CHECK bool value_check(const struct key *key, struct str text, struct err *err);
/* Stores text, which value_check() has found to be good, in the struct of its section; what was
 * there is freed (a zeroed struct has nothing to free). */
void value_store(const struct key *key, void *section, struct str text);
/* The stored value as a text that value_check() takes; the caller owns it. */
char *value_print(const struct key *key, const void *section);
/* As value_print(), but passwords are left out. */
char *value_print_public(const struct key *key, const void *section);
/* Frees what the value owns. */
void value_clear(const struct key *key, void *section);
/* Frees what is in `to`, and moves the value there; `from` has nothing afterwards. */
void value_move(const struct key *key, void *to, void *from);

/* Of a number in the unit of the row, without superfluous digits: "64kb" "0.05" "0700". */
#define VALUE_NUMBER_MAX 40
void value_print_number(const struct key *key, int64_t number, char out[VALUE_NUMBER_MAX]);

#endif
