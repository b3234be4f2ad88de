/* guarded: see guarded.h. */
#include "io/guarded.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

void guarded_begin(struct guarded *out, const char *argv[GUARDED_WORDS])
{
    ssize_t len = readlink(SELF, out->path, sizeof out->path - 1);
    out->path[len > 0 ? len : 0] = '\0';
    if (access(out->path, X_OK) !=
        0) /* replaced since we were started: the link still leads there */
        strcpy(out->path, SELF);
    snprintf(out->parent, sizeof out->parent, "%d", (int)getpid());
    argv[0] = out->path;
    argv[1] = "guarded";
    argv[2] = out->parent;
}

int guarded_main(char **argv)
{
    if (argv[1] == NULL || argv[2] == NULL) {
        fprintf(stderr, "rallocd: guarded is for the daemon's own use\n");
        return GUARDED_NOT_RUN;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(argv[1])) /* it died before we could ask */
        return GUARDED_NOT_RUN;
    execvp(argv[2], argv + 2);
    fprintf(stderr, GUARDED_NOT_RUN_TEXT "%s': %s", argv[2], strerror(errno));
    return GUARDED_NOT_RUN;
}
