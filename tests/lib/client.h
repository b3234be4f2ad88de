/* client: a client of the daemon for tests: says words, reads replies as text in redis-cli's form.
 *
 *     "r1"   (integer) 1   (nil)   OK   (error) ERR ...   (empty array)
 *     1) "a"                      1# "key" => (integer) 1        maps of RESP3
 *     2) 1) "b"                   (true)   (double) 0.5          other types of RESP3
 *        2) (nil)                 push: as an array, with "> " before it
 *
 * Knows: sockets, RESP, check.  Must not know: what a command does. */
#ifndef TESTS_LIB_CLIENT_H
#define TESTS_LIB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

/* Fails the test when nobody answers there. */
struct client *client_unix(const char *path);
struct client *client_tcp(const char *host, int port);
/* NULL when nobody answers. */
struct client *client_try_unix(const char *path);
/* Closes the connection. NULL is allowed. */
void client_close(struct client *client);
/* Says that nothing more will be sent; replies can still be read. */
void client_shut(struct client *client);
int client_fd(const struct client *client);

/* --- one request, one reply --- the text is the client's until its next reply */

/* Words are separated by blanks; "..." holds blanks and the escapes \n \r \t \" \\ \xNN. */
const char *say(struct client *client, const char *words);
const char *sayf(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Words of any bytes. */
const char *say_args(struct client *client, int argc, const char *const *argv, const size_t *lens);
/* The reply is a string: its bytes, without quotes. The test fails when it is anything else. */
const char *say_string(struct client *client, const char *words);
int64_t say_int(struct client *client, const char *words);

/* The test fails unless the reply is `text`; in it ' stands for ", so that C needs no backslashes.
 * With expect_like, * and ? of `pattern` match any text. */
#define expect(client, words, text) expect_at(__FILE__, __LINE__, client, words, text)
#define expect_like(client, words, pattern) \
    expect_like_at(__FILE__, __LINE__, client, words, pattern)
void expect_at(const char *file, int line, struct client *client, const char *words,
               const char *text);
void expect_like_at(const char *file, int line, struct client *client, const char *words,
                    const char *pattern);
/* Likewise for a text that is there already (of client_read or say). */
#define expect_text(got, text)         expect_text_at(__FILE__, __LINE__, got, text)
#define expect_text_like(got, pattern) expect_text_like_at(__FILE__, __LINE__, got, pattern)
void expect_text_at(const char *file, int line, const char *got, const char *text);
void expect_text_like_at(const char *file, int line, const char *got, const char *pattern);

/* --- requests and replies apart --- */

/* Sends words as a request, without waiting. */
void client_send(struct client *client, const char *words);
void client_send_args(struct client *client, int argc, const char *const *argv, const size_t *lens);
/* Sends bytes as they are. */
void client_send_raw(struct client *client, const void *bytes, size_t len);
/* As much of them as the daemon takes at once; how much that was. */
size_t client_send_some(struct client *client, const void *bytes, size_t len);
/* The next reply; the test fails when none comes. */
const char *client_read(struct client *client);
/* NULL when the connection ended first. */
const char *client_read_or_end(struct client *client);
/* Is a whole reply, or the end, there within `wait_ms`? */
bool client_has_reply(struct client *client, int64_t wait_ms);
/* Throws replies away until the daemon has closed the connection; false if it does not in time. */
bool client_is_closed(struct client *client);
/* The bytes of the next reply as they came. */
const char *client_read_raw(struct client *client, size_t *len);

#endif
