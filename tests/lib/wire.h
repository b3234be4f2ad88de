/* wire: RESP for tests: writes requests, measures replies, shows them as redis-cli does. Written
 * apart from src/resp, so that a mistake there is not repeated here. Knows: check.  Must not know:
 * sockets. */
#ifndef TESTS_LIB_WIRE_H
#define TESTS_LIB_WIRE_H

#include <stddef.h>

/* Bytes that grow, always followed by a NUL. */
struct text {
    char *bytes;
    size_t len, room;
};
void text_add(struct text *text, const void *bytes, size_t len);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *text);

/* `lens` may be NULL: the words are C strings. */
void wire_add_request(struct text *out, int argc, const char *const *argv, const size_t *lens);
/* Words separated by blanks, "..." with escapes. */
void wire_add_words(struct text *out, const char *words);
/* Bytes of the whole reply at the head; 0 when more are needed. Fails the test when it is no RESP.
 */
size_t wire_reply_size(const char *bytes, size_t len);
/* Bytes of the whole request (an array of bulks) at the head; 0 when more are needed. */
size_t wire_request_size(const char *bytes, size_t len);
/* Adds a whole reply as text. */
void wire_show(struct text *out, const char *bytes);

#endif
