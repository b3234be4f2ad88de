/* foreground: see foreground.h. */
#include "run/foreground.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_RUNNABLE = 126, NOT_THERE = 127 };

struct foreground {
    struct event *sigchld;
    pid_t pid; /* 0: it has ended */
    bool has_terminal;
    foreground_ended ended;
    void *arg;
};

/* Who is in the background may not write the terminal's owner without this. */
static void give_terminal(pid_t group)
{
    void (*before)(int) = signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, group);
    signal(SIGTTOU, before);
}

/* In the child; never returns. What goes wrong is told through the pipe. */
static void become(char *const *argv, int failure_fd, bool has_terminal)
{
    sigset_t none;
    setpgid(0, 0);
    if (has_terminal)
        give_terminal(getpid());
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    int error = errno;
    ssize_t told = write(failure_fd, &error, sizeof(error));
    _exit(told == (ssize_t)sizeof(error) ? NOT_THERE : NOT_RUNNABLE);
}

static void on_sigchld(evutil_socket_t signal_number, short what, void *arg)
{
    struct foreground *foreground = arg;
    int status;
    (void)signal_number;
    (void)what;
    if (foreground->pid == 0 || waitpid(foreground->pid, &status, WNOHANG) != foreground->pid)
        return;
    foreground->pid = 0;
    foreground->ended(foreground->arg, status);
}

/* 0 when the program runs; else why it does not. */
static int read_failure(int fd)
{
    int error = 0;
    ssize_t got;
    do
        got = read(fd, &error, sizeof(error));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(error) ? error : 0;
}

static bool fork_it(struct foreground *foreground, char *const *argv, int *code, struct err *err)
{
    int failure[2];
    if (pipe2(failure, O_CLOEXEC) != 0)
        return err_set(err, ERR_GENERAL, "pipe: %s", strerror(errno));
    fflush(NULL);
    foreground->pid = fork();
    if (foreground->pid == 0)
        become(argv, failure[1], foreground->has_terminal);
    close(failure[1]);
    int error = foreground->pid < 0 ? errno : read_failure(failure[0]);
    close(failure[0]);
    if (error == 0) {
        setpgid(foreground->pid, foreground->pid); /* whichever of us is first */
        return true;
    }
    if (foreground->pid > 0)
        waitpid(foreground->pid, NULL, 0);
    foreground->pid = 0;
    *code = error == ENOENT ? NOT_THERE : NOT_RUNNABLE;
    return err_set(err, ERR_GENERAL, "%s: %s", argv[0], strerror(error));
}

struct foreground *foreground_start(struct event_base *base, char *const *argv,
                                    foreground_ended ended, void *arg, int *code, struct err *err)
{
    struct foreground *foreground = mem_zalloc(sizeof(*foreground));
    foreground->ended = ended;
    foreground->arg = arg;
    foreground->has_terminal = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
    foreground->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, foreground);
    event_add(foreground->sigchld, NULL);
    if (fork_it(foreground, argv, code, err))
        return foreground;
    foreground_free(foreground);
    return NULL;
}

void foreground_signal(struct foreground *foreground, int signal_number)
{
    if (foreground->pid > 0)
        kill(foreground->pid, signal_number);
}

void foreground_signal_all(struct foreground *foreground, int signal_number)
{
    if (foreground->pid > 0)
        kill(-foreground->pid, signal_number);
}

void foreground_free(struct foreground *foreground)
{
    if (foreground == NULL)
        return;
    if (foreground->has_terminal)
        give_terminal(getpgrp());
    event_free(foreground->sigchld);
    mem_free(foreground);
}
