/* foreground: the program that `rallocd run` runs: a process group of its own, with our standard
 * streams and, where these are a terminal, in its foreground.
 * Knows: processes, libevent.  Must not know: why it runs. */
#ifndef RUN_FOREGROUND_H
#define RUN_FOREGROUND_H

#include "base/err.h"
#include <event2/event.h>
#include <sys/types.h>

struct foreground;

/* status: as from waitpid(). Called once, from the loop. */
typedef void (*foreground_ended)(void *arg, int status);

/* Runs argv[0], searched in PATH, in our environment. NULL and *code (126: it cannot be run, 127:
 * it is not there) when it cannot be started. */
struct foreground *foreground_start(struct event_base *base, char *const *argv,
                                    foreground_ended ended, void *arg, int *code, struct err *err);
/* To the program, and to all of its group; nothing happens once it has ended. */
void foreground_signal(struct foreground *foreground, int signal_number);
void foreground_signal_all(struct foreground *foreground, int signal_number);
/* Gives the terminal back to us. NULL is allowed; one that still runs is left alone. */
void foreground_free(struct foreground *foreground);

#endif
