/* num: text to numbers and back; refuses overflow, rubbish, signs and blanks that do not belong.
 * Knows: str. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"
#include <stdint.h>

/* A whole decimal number, optional '-', no blanks, no leading '+'. */
bool num_parse_int(struct str s, int64_t *out);
/* Seconds with an optional fraction ("1", "0.25", "-1", "1e3" is refused) to milliseconds, a
 * fraction of a millisecond rounded up, so that 0.0001 is not "for ever". At most 100 years. */
bool num_parse_seconds(struct str s, int64_t *out_ms);
/* Bytes: "4096", "64kb", "16mb", "1gb" (powers of 1024; k, m, g are powers of 1000, as in Redis).
 */
bool num_parse_size(struct str s, int64_t *out);
/* A finite decimal floating point number. */
bool num_parse_double(struct str s, double *out);

/* 0 .. 15, or -1 for what is no hexadecimal digit. */
int num_hex_digit(char c);

#define NUM_INT_MAX 24 /* room for any int64_t with its NUL */
/* Writes n in decimal, NUL-terminated; returns its length. */
size_t num_format_int(char out[NUM_INT_MAX], int64_t n);

/* "10/s", "100/m", "5/h": how many (1 to a million) in a span of a second, minute or hour. */
bool num_parse_rate(struct str s, int64_t *count, int64_t *span_us);

#endif
