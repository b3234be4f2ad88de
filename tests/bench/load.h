/* load: closed-loop clients on one thread: each has a connection of its own and asks for the next
 * thing when the last answer is here.
 * Knows: sockets, epoll, hiredis' reader and formatter.  Must not know: who answers. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/str.h"
#include <stddef.h>
#include <stdint.h>

/* One way to take a resource and to give it back. */
struct load_target {
    const char *name;
    const char *unix_path; /* NULL: TCP to 127.0.0.1 */
    uint16_t port;
    /* The two requests as words; "%r" stands for the resource that the first one gave. */
    const char *const *take;
    int take_count;
    const char *const *give;
    int give_count;
};

struct load_result {
    uint64_t pairs;        /* taken and given back within the time that counts */
    uint64_t empty;        /* takes that got nothing */
    double seconds;        /* that counted */
    double p50_us, p99_us; /* of a request, both kinds together */
};

/* Runs `clients` connections for `seconds`, after a tenth of it that does not count. Ends the
 * process with a message when the target answers with an error or not at all: figures of a broken
 * run would be worse than none. */
void load_run(const struct load_target *target, int clients, double seconds,
              struct load_result *result);

/* A connected socket, blocking. */
int load_connect(const struct load_target *target);
/* Sends one request on a blocking socket and reads its reply; returns an integer reply or 0. */
long long load_ask(int fd, int word_count, const char *const *words, char *text, size_t size);

#endif
