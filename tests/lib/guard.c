/* guard: looks after a test's folder and processes; see guard.h. */
#include "tests/lib/guard.h"
#include "tests/lib/until.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOWN_BYTES 20000 /* of the end of each log */
#define LAUNCHES    3
#define LAUNCH_MS   10000

/* --- what the guard does ------------------------------------------------------------ */

/* Is the folder's path in the process' command line? It is unguessable, so the process is ours. */
static bool is_ours(const char *pid, const char *dir)
{
    char path[300], line[8192];
    snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, line, sizeof(line));
    close(fd);
    return len > 0 && memmem(line, (size_t)len, dir, strlen(dir)) != NULL;
}

static int kill_ours(const char *dir)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int count = 0;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 1 && pid != getpid() && is_ours(entry->d_name, dir)) {
            kill(pid, SIGKILL);
            count++;
        }
    }
    if (proc != NULL)
        closedir(proc);
    return count;
}

static void show_file(const char *path)
{
    char bytes[4096];
    ssize_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    fprintf(stderr, "--- end of %s\n", path);
    fflush(stderr);
    if (lseek(fd, -SHOWN_BYTES, SEEK_END) < 0)
        lseek(fd, 0, SEEK_SET);
    while ((len = read(fd, bytes, sizeof(bytes))) > 0) {
        ssize_t shown = write(STDERR_FILENO, bytes, (size_t)len);
        (void)shown;
    }
    close(fd);
}

static void show_logs(const char *dir)
{
    DIR *folder = opendir(dir);
    struct dirent *entry;
    char path[400];
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t len = strlen(entry->d_name);
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".log") == 0)
            show_file(path);
    }
    if (folder != NULL)
        closedir(folder);
}

static void remove_tree(const char *dir)
{
    DIR *folder = opendir(dir);
    struct dirent *entry;
    char path[700];
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%.400s/%s", dir, entry->d_name);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(path);
        else
            unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(dir);
}

static void keep_watch(const char *dir, int fd)
{
    char byte = 0;
    bool has_passed;
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
        ;
    has_passed = byte == 'k';
    while (kill_ours(dir) > 0)
        poll(NULL, 0, 2);
    if (has_passed) {
        remove_tree(dir);
    } else {
        show_logs(dir);
        fprintf(stderr, "--- kept: %s\n", dir);
    }
    _exit(0);
}

/* --- the test's side ---------------------------------------------------------------- */

void guard_start(struct guard *guard)
{
    int ends[2];
    snprintf(guard->dir, sizeof(guard->dir), "/tmp/rallocd-test-XXXXXX");
    ck_assert_msg(mkdtemp(guard->dir) != NULL, "mkdtemp: %s", strerror(errno));
    ck_assert(pipe2(ends, O_CLOEXEC) == 0);
    guard->pid = fork();
    ck_assert(guard->pid >= 0);
    if (guard->pid == 0) {
        setsid(); /* check kills the group of a test that takes too long */
        close(ends[1]);
        keep_watch(guard->dir, ends[0]);
    }
    close(ends[0]);
    guard->fd = ends[1];
    signal(SIGPIPE, SIG_IGN);
}

void guard_end(struct guard *guard)
{
    ck_assert(write(guard->fd, "k", 1) == 1);
    close(guard->fd);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* --- programs ----------------------------------------------------------------------- */

static void become_program(const char *log, char *const *argv, char *const *environment)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int nothing = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    dup2(nothing, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    close(nothing);
    for (; environment != NULL && *environment != NULL; environment++)
        putenv(*environment);
    execvp(argv[0], argv);
    _exit(127);
}

/* Has the process become its program, or ended? Its end of the pipe is closed then. */
static bool is_under_way(int pipe_end)
{
    struct pollfd poller = {.fd = pipe_end, .events = POLLIN};
    return poll(&poller, 1, LAUNCH_MS) > 0;
}

/* A test that has threads may fork while one of them is inside of the sanitizers' runtime, whose
 * locks nobody opens in the new process: that one hangs before it is the program, and is made anew.
 */
pid_t guard_run(const char *log, char *const *argv, char *const *environment)
{
    for (int i = 0; i < LAUNCHES; i++) {
        int ends[2];
        fflush(NULL);
        ck_assert(pipe2(ends, O_CLOEXEC) == 0);
        pid_t pid = fork();
        ck_assert_msg(pid >= 0, "fork: %s", strerror(errno));
        if (pid == 0)
            become_program(log, argv, environment);
        close(ends[1]);
        bool is_launched = is_under_way(ends[0]);
        close(ends[0]);
        if (is_launched)
            return pid;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    ck_abort_msg("%s cannot be launched", argv[0]);
}

static int plain_status(int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
    return code;
}

int guard_has_ended(pid_t pid, int *status)
{
    int raw = 0;
    pid_t ended = waitpid(pid, &raw, WNOHANG);
    if (ended == 0)
        return 0;
    ck_assert_msg(ended == pid, "waitpid: %s", strerror(errno));
    *status = plain_status(raw);
    ck_assert_msg(*status != 127, "the program could not be run");
    return 1;
}

int guard_wait(pid_t pid)
{
    int status = 0;
    until(guard_has_ended(pid, &status));
    return status;
}
