/* server: a real redis-server for tests, on a Unix socket in the test's folder; it dies with the
 * test. Knows: guard, redis-server's settings.  Must not know: pools. */
#ifndef TESTS_LIB_SERVER_H
#define TESTS_LIB_SERVER_H

#include "tests/lib/guard.h"
#include <hiredis/hiredis.h>
#include <stdint.h>

#define SERVER_MAX_OPTIONS 16

struct server {
    char dir[96];   /* its own, inside of the test's folder; stays over restarts */
    char path[128]; /* of its Unix socket */
    char log[128];
    char *options[SERVER_MAX_OPTIONS]; /* lines of its configuration; owned */
    int option_count;
    char clock[128]; /* the file with its clock's offset; "" = the machine's clock */
    pid_t pid;       /* 0: does not run */
};

void server_init(struct server *server, const char *dir, const char *name);
/* Kills it when it still runs. */
void server_clear(struct server *server);
/* A line of its configuration for the next start: "appendonly yes". */
void server_option(struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Starts it on its folder and waits until it answers; after server_kill() also: a restart. */
void server_start(struct server *server);
void server_kill(struct server *server);
/* SIGTERM: it saves what it is told to save. */
void server_stop(struct server *server);
/* SIGSTOP: it takes bytes and does not answer. */
void server_freeze(struct server *server);
void server_thaw(struct server *server);

/* Its wall clock can be stepped from the next start on; see tests/preload/stepclock.c. */
void server_own_clock(struct server *server);
/* Its clock is off by so much from now on. */
void server_set_clock(struct server *server, int64_t offset_ms);

/* The caller frees it. Fails the test when there is no answer. */
redisContext *server_connect(const struct server *server);

#endif
