/* proc: see proc.h. */
#include "proc.h"
#include "base/str.h"
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 15000
#define STOP_MS  15000

/* The child: becomes the program. */
static void become(const char *const *argv, const char *log, pid_t parent)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    warn("%s", argv[0]);
    _exit(127);
}

pid_t proc_start(const char *const *argv, const char *log)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0)
        become(argv, log, parent);
    return pid;
}

static bool accepts(const struct endpoint *endpoint)
{
    int fd = endpoint_dial(endpoint);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void show(const char *log)
{
    char line[1024];
    FILE *in = fopen(log, "re");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        fputs(line, stderr);
    if (in != NULL)
        fclose(in);
}

void proc_wait_for(const struct endpoint *endpoint, pid_t pid, const char *log)
{
    for (int waited_ms = 0; !accepts(endpoint); waited_ms += 10) {
        if (waited_ms > START_MS || waitpid(pid, NULL, WNOHANG) != 0) {
            show(log);
            errx(1, "nobody accepts at %s; above is what it said", endpoint->unix_path);
        }
        poll(NULL, 0, 10);
    }
}

void proc_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    for (int waited_ms = 0; waitpid(pid, NULL, WNOHANG) == 0; waited_ms += 5) {
        if (waited_ms > STOP_MS)
            errx(1, "process %d does not end", (int)pid);
        poll(NULL, 0, 5);
    }
}

bool proc_is_installed(const char *program)
{
    char path[4096];
    struct str rest = str_of(getenv("PATH") != NULL ? getenv("PATH") : ""), folder;
    while (str_split(&rest, ':', &folder)) {
        snprintf(path, sizeof(path), "%.*s/%s", PRSTR(folder), program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
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

struct proc_cpu proc_cpu(pid_t pid)
{
    char text[1024];
    unsigned long user, system;
    double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    clockid_t clock;
    struct timespec used;
    read_proc(pid, "stat", text, sizeof(text));
    /* the name in parentheses may hold anything: count the fields behind it (proc(5)) */
    char *fields = strrchr(text, ')');
    if (fields == NULL || sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &system) != 2)
        errx(1, "/proc/%d/stat has a strange form", (int)pid);
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        err(1, "the CPU clock of process %d", (int)pid);
    return (struct proc_cpu){.total = (double)used.tv_sec + (double)used.tv_nsec / 1e9,
                             .user = (double)user / ticks_per_s,
                             .system = (double)system / ticks_per_s};
}

struct proc_cpu proc_cpu_sum(struct proc_cpu a, struct proc_cpu b)
{
    return (struct proc_cpu){a.total + b.total, a.user + b.user, a.system + b.system};
}

struct proc_cpu proc_cpu_since(struct proc_cpu now, struct proc_cpu before)
{
    return (struct proc_cpu){now.total - before.total, now.user - before.user,
                             now.system - before.system};
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

static double own_s(int who)
{
    struct rusage used;
    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

struct proc_machine proc_machine(void)
{
    /* in ticks: user nice system idle iowait irq softirq steal (proc(5)) */
    enum { IDLE = 3, WAITING = 4, FIELDS = 8 };
    double all = 0, idle = 0, ticks, ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    FILE *in = fopen("/proc/stat", "re");
    if (in == NULL || fscanf(in, "cpu") != 0)
        err(1, "/proc/stat");
    for (int i = 0; i < FIELDS && fscanf(in, "%lf", &ticks) == 1; i++) {
        all += ticks / ticks_per_s;
        idle += i == IDLE || i == WAITING ? ticks / ticks_per_s : 0;
    }
    fclose(in);
    return (struct proc_machine){all, all - idle - own_s(RUSAGE_SELF) - own_s(RUSAGE_CHILDREN)};
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
