/* proc: see proc.h. */
#include "proc.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 15000

pid_t proc_start(const char *const *argv, const char *log)
{
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
            prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
            err(1, "%s", log);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        err(1, "%s", argv[0]);
    }
    return pid;
}

static bool accepts(const char *unix_path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    snprintf(where.sun_path, sizeof(where.sun_path), "%s", unix_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof(where)) == 0;
    if (fd >= 0)
        close(fd);
    return yes;
}

void proc_wait_for(const char *unix_path, pid_t pid, const char *log)
{
    for (int waited_ms = 0; !accepts(unix_path); waited_ms += 10) {
        if (waited_ms > START_MS || waitpid(pid, NULL, WNOHANG) != 0)
            errx(1, "nobody accepts at %s; see %s", unix_path, log);
        poll(NULL, 0, 10);
    }
}

void proc_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The first bytes of /proc/<pid>/<file>. */
static void read_proc(pid_t pid, const char *file, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        err(1, "%s", path);
    out[fread(out, 1, size - 1, in)] = '\0';
    fclose(in);
}

double proc_cpu_s(pid_t pid)
{
    char text[1024];
    unsigned long user, system;
    read_proc(pid, "stat", text, sizeof(text));
    /* the name in parentheses may hold anything: count the fields behind it (proc(5)) */
    char *fields = strrchr(text, ')');
    if (fields == NULL || sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &system) != 2)
        errx(1, "/proc/%d/stat has a strange form", (int)pid);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long long proc_bytes(pid_t pid)
{
    char text[8192];
    long long kib;
    read_proc(pid, "status", text, sizeof(text));
    const char *line = strstr(text, "RssAnon:");
    if (line == NULL || sscanf(line, "RssAnon: %lld", &kib) != 1)
        errx(1, "/proc/%d/status names no RssAnon", (int)pid);
    return kib * 1024;
}

void proc_describe_machine(char *out, size_t size)
{
    char line[256], model[200] = "unknown processor";
    struct utsname name;
    FILE *in = fopen("/proc/cpuinfo", "re");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        if (sscanf(line, "model name : %199[^\n]", model) == 1)
            break;
    }
    if (in != NULL)
        fclose(in);
    uname(&name);
    snprintf(out, size, "%s, %ld cores, %.0f GiB, Linux %s", model, sysconf(_SC_NPROCESSORS_ONLN),
             (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30),
             name.release);
}
