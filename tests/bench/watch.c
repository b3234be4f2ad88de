/* watch: see watch.h. */
#include "watch.h"
#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info, (void)flag, (void)where;
    return remove(path);
}

/* The child's end, and what would end us: kept until sigwaitinfo() asks. */
static sigset_t signals(void)
{
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&set, numbers[i]);
    return set;
}

/* Kills the child when we are told to end. */
static int wait_for(pid_t child, const sigset_t *set)
{
    int status = 0;
    pid_t ended = 0;
    while (ended == 0) {
        int signal = sigwaitinfo(set, NULL);
        if (signal > 0 && signal != SIGCHLD)
            kill(child, SIGKILL);
        ended = waitpid(child, &status, WNOHANG);
    }
    if (ended < 0)
        err(1, "waitpid");
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    warnx("ended by the signal '%s'", strsignal(WTERMSIG(status)));
    return 1;
}

int watch_run(int (*work)(const char *folder, void *arg), void *arg)
{
    char folder[] = "/tmp/rallocd-bench-XXXXXX";
    pid_t parent = getpid();
    sigset_t set = signals(), before;
    sigprocmask(SIG_BLOCK, &set, &before);
    if (mkdtemp(folder) == NULL)
        err(1, "%s", folder);
    /* what the child started and left becomes ours: it is killed by its end, we wait for it */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        err(1, "PR_SET_CHILD_SUBREAPER");
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        exit(work(folder, arg));
    }
    int status = wait_for(child, &set);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
