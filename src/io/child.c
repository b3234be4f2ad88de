/* child: runs and watches programs; see child.h.
 * Knows: processes, libevent.  Must not know: what the program is for.
 *
 * posix_spawn() does not copy our page tables as fork() does, so a large daemon does not stall, and
 * it reports what exec() says. The end is seen through a pidfd, which turns readable then: it needs
 * no SIGCHLD, works for processes that are not our children, and never means another process that
 * has got the same id. Where the system knows no pidfds (Linux before 5.3, valgrind), a timer looks
 * after the process instead. */
#include "io/child.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define INHERITED_FD 3   /* where the child finds its inherited descriptor */
#define LOOK_EACH_MS 100 /* without a pidfd */

struct child {
    pid_t pid;
    int pidfd;   /* -1: the system has none */
    bool is_own; /* to be reaped */
    bool ends_group;
    struct event *end;
    child_ended ended;
    void *arg;
};

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct child *child = arg;
    int status = -1;
    (void)fd, (void)what;
    if (child->ends_group) /* until it is reaped, no other group can have got its number */
        kill(-child->pid, SIGKILL);
    if (child->is_own && waitpid(child->pid, &status, WNOHANG) != child->pid)
        status = -1;                  /* somebody else has reaped it */
    child->ended(child->arg, status); /* may free the child */
}

/* The timer's way to find out. Leaves our own child to be reaped. */
static bool has_ended(const struct child *child)
{
    siginfo_t info = {0};
    if (!child->is_own)
        return kill(child->pid, 0) != 0 && errno == ESRCH;
    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == child->pid;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct child *child = arg;
    if (!has_ended(child))
        return;
    event_del(child->end);
    on_end(fd, what, child);
}

/* NULL and err when the process cannot be watched. */
static struct child *watch(struct event_base *base, pid_t pid, bool is_own, child_ended ended,
                           void *arg, struct err *err)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 && (errno != ENOSYS || pid <= 0 || kill(pid, 0) != 0)) {
        err_set(err, ERR_GENERAL, "cannot watch process %ld: %s", (long)pid, strerror(errno));
        return NULL;
    }
    struct child *child = mem_zalloc(sizeof(*child));
    *child =
        (struct child){.pid = pid, .pidfd = pidfd, .is_own = is_own, .ended = ended, .arg = arg};
    if (pidfd >= 0) {
        child->end = event_new(base, pidfd, EV_READ, on_end, child);
        event_add(child->end, NULL);
    } else {
        struct timeval pause = {.tv_usec = LOOK_EACH_MS * 1000};
        child->end = event_new(base, -1, EV_PERSIST, on_look, child);
        event_add(child->end, &pause);
    }
    return child;
}

/* Own process group; no blocked, ignored or handled signals of ours. */
static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
}

/* Descriptors 0, 1, 2 and perhaps 3, no others, whatever our other parts have open. */
static void set_descriptors(posix_spawn_file_actions_t *actions, const struct child_spec *spec)
{
    int first_closed = INHERITED_FD;
    if (spec->workdir != NULL)
        posix_spawn_file_actions_addchdir_np(actions, spec->workdir);
    int error_fd = spec->error_fd > 0 ? spec->error_fd : spec->output_fd;
    if (spec->input_fd > 0)
        posix_spawn_file_actions_adddup2(actions, spec->input_fd, STDIN_FILENO);
    if (spec->output_fd >= 0)
        posix_spawn_file_actions_adddup2(actions, spec->output_fd, STDOUT_FILENO);
    if (error_fd >= 0)
        posix_spawn_file_actions_adddup2(actions, error_fd, STDERR_FILENO);
    if (spec->inherited_fd >= 0)
        posix_spawn_file_actions_adddup2(actions, spec->inherited_fd, first_closed++);
    posix_spawn_file_actions_addclosefrom_np(actions, first_closed);
    if (spec->input_fd == 0)
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
}

static bool spawn(const struct child_spec *spec, pid_t *pid, struct err *err)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    set_attributes(&attributes);
    set_descriptors(&actions, spec);
    /* The array and its strings are not written to: the type is older than const. */
    char *const *argv = (char *const *)(uintptr_t)spec->argv;
    char *const *environment =
        spec->environment != NULL ? (char *const *)(uintptr_t)spec->environment : environ;
    int error = posix_spawnp(pid, spec->argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error == 0)
        return true;
    if (spec->workdir != NULL)
        return err_set(err, ERR_GENERAL, "cannot run '%s' in '%s': %s", spec->argv[0],
                       spec->workdir, strerror(error));
    return err_set(err, ERR_GENERAL, "cannot run '%s': %s", spec->argv[0], strerror(error));
}

struct child *child_start(struct event_base *base, const struct child_spec *spec, child_ended ended,
                          void *arg, struct err *err)
{
    pid_t pid;
    if (!spawn(spec, &pid, err))
        return NULL;
    struct child *child = watch(base, pid, true, ended, arg, err);
    if (child == NULL) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return NULL;
    }
    child->ends_group = spec->ends_group;
    return child;
}

struct child *child_adopt(struct event_base *base, pid_t pid, child_ended ended, void *arg,
                          struct err *err)
{
    return watch(base, pid, false, ended, arg, err);
}

pid_t child_pid(const struct child *child)
{
    return child->pid;
}

void child_signal(struct child *child, int signal_number)
{
    if (child->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, child->pidfd, signal_number, NULL, 0);
    else if (!has_ended(child)) /* else the id may be another's */
        kill(child->pid, signal_number);
}

void child_kill_group(struct child *child)
{
    kill(-child->pid, SIGKILL);
}

static void on_reap(evutil_socket_t pidfd, short what, void *arg)
{
    (void)what;
    waitpid((pid_t)(intptr_t)arg, NULL, WNOHANG);
    if (pidfd >= 0)
        close(pidfd);
}

/* The event lives in the base alone, which frees it should it end first. */
void child_end(struct child *child)
{
    struct timeval later = {.tv_sec = 1}; /* without a pidfd: most have gone by then */
    struct event_base *base = event_get_base(child->end);
    void *pid = (void *)(intptr_t)child->pid;
    child_kill_group(child);
    if (child->pidfd >= 0)
        event_base_once(base, child->pidfd, EV_READ, on_reap, pid, NULL);
    else
        event_base_once(base, -1, EV_TIMEOUT, on_reap, pid, &later);
    child->pidfd = -1;
    child_free(child);
}

void child_free(struct child *child)
{
    if (child == NULL)
        return;
    event_free(child->end);
    if (child->pidfd >= 0)
        close(child->pidfd);
    mem_free(child);
}
