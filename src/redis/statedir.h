/* statedir: the folder of our own redis-server: its rights, the two locks in it, the server's
 * config and log.
 *
 *     daemon.lock   locked (flock) by the daemon that uses the folder; holds its process id
 *     redis.lock    locked as long as a redis-server of this folder lives: the server inherits the
 *                   descriptor, so the lock outlives a daemon that was killed
 *     redis.conf    written anew before each start      redis.sock, redis.pid   the server's
 *     redis.log     its log, and what it says before it has one; redis.log.1 is the one before
 *     appendonlydir the data
 *
 * Knows: files.  Must not know: links, processes. */
#ifndef REDIS_STATEDIR_H
#define REDIS_STATEDIR_H

#include "base/err.h"
#include "io/addr.h"

struct redis_config;

struct statedir {
    char path[256];              /* absolute, without symbolic links */
    struct addr socket;          /* redis.sock in it */
    int fd;                      /* the folder */
    int daemon_lock, redis_lock; /* descriptors; -1 before statedir_open() */
};

void statedir_init(struct statedir *dir);
/* Makes the folder where it is missing, checks that it is ours alone, and takes daemon.lock. */
MUST_CHECK bool statedir_open(struct statedir *dir, const char *path, struct err *err);
void statedir_clear(struct statedir *dir);

/* True: no redis-server of this folder lives, and we may start one that inherits redis_lock. */
bool statedir_lock_redis(struct statedir *dir);
/* The process that listens on the socket, as the kernel knows it; 0: nobody. Does not block. */
int statedir_listener(const struct statedir *dir);

MUST_CHECK bool statedir_write_config(const struct statedir *dir, const struct redis_config *config,
                                      struct err *err);
/* Opens redis.log for appending, after putting a large one aside. -1 and err. */
int statedir_open_log(const struct statedir *dir, struct err *err);
/* The last line of redis.log, printable; "" when there is none. */
void statedir_last_words(const struct statedir *dir, char *out, size_t size);

#endif
