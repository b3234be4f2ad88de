/* mirror: a server that answers each MALLOC and FREE at once, without doing anything: one read and
 * one write for what has come. What it takes of the machine is what any server in its place takes.
 * Knows: sockets, epoll. */
#ifndef BENCH_MIRROR_H
#define BENCH_MIRROR_H

#include "endpoint.h"
#include <sys/types.h>

/* Starts it; it dies with us, or by proc_stop(). */
pid_t mirror_start(const struct endpoint *tcp, const struct endpoint *local);

#endif
