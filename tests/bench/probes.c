/* probes: the section about a pool of ten thousand resources that is checked every ten seconds.
 * Knows: stage. */
#include "base/mem.h"
#include "section.h"
#include "stage.h"
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RESOURCES 10000
#define SECONDS   20

/* Takes connections to any of our addresses, answers who asks by HTTP, and closes them. */
static void answer_all(int listener, bool is_http)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char request[1000];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && is_http && read(fd, request, sizeof request) > 0 &&
            write(fd, reply, sizeof reply - 1) < 0)
            warn("an answer");
        if (fd >= 0)
            close(fd);
    }
}

static pid_t start_answering(bool is_http, int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0)
        err(1, "a listener");
    *port = ntohs(at.sin_port);
    pid_t pid = fork();
    if (pid == 0)
        answer_all(listener, is_http);
    close(listener);
    return pid;
}

static void extend(struct program *daemon, int port)
{
    for (int i = 0; i < RESOURCES; i++)
        freeReplyObject(
            program_ask(daemon, "POOL EXTEND big 127.1.%d.%d:%d", i / 200, i % 200 + 1, port));
}

static void pause_for(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time) != 0)
        ;
}

static void measure(const struct options *options, FILE *report, const char *kind,
                    const char *target)
{
    struct stage stage;
    struct stage_plan plan = {
        .folder = options->folder, .rallocd = options->rallocd, .daemon_count = 1};
    int port;
    pid_t answerer = start_answering(strcmp(kind, "http") == 0, &port);
    stage_start(&stage, &plan);
    struct program *daemon = &stage.daemons[0];
    extend(daemon, port);
    long long bytes = proc_bytes(daemon->pid);
    freeReplyObject(program_ask(daemon, "CONFIG SET pool:*.probe_target %s", target));
    freeReplyObject(program_ask(daemon, "CONFIG SET pool:*.probe %s", kind));
    while (program_info(daemon, "pools", "probes_ended") < RESOURCES * 3 / 2)
        pause_for(0.1); /* the first round tells of each */
    bytes = proc_bytes(daemon->pid) - bytes;
    long long checks = program_info(daemon, "pools", "probes_ended");
    struct proc_cpu before = proc_cpu(daemon->pid), redis = proc_cpu(stage.redis.pid);
    pause_for(SECONDS);
    struct proc_cpu used = proc_cpu_since(proc_cpu(daemon->pid), before);
    redis = proc_cpu_since(proc_cpu(stage.redis.pid), redis);
    checks = program_info(daemon, "pools", "probes_ended") - checks;
    fprintf(report, "| %s | %.0f | %.1f %% | %.0f us | %.1f %% | %.0f | %lld |\n", kind,
            (double)checks / SECONDS, used.total / SECONDS * 100, used.total / (double)checks * 1e6,
            redis.total / SECONDS * 100, (double)bytes / RESOURCES,
            program_info(daemon, "pools", "probes_failed"));
    stage_stop(&stage);
    kill(answerer, SIGKILL);
    waitpid(answerer, NULL, 0);
}

void section_probes(const struct options *options, FILE *report)
{
    fprintf(report,
            "\n## Health probes\n\nA pool of %d resources, 127.1.x.y:PORT, each checked once every "
            "10 s (the default), all healthy; over %d s.\n\n"
            "| probe | checks a second | of a core | a check | Redis, of a core | bytes a resource "
            "| failed |\n| --- | --- | --- | --- | --- | --- | --- |\n",
            RESOURCES, SECONDS);
    measure(options, report, "tcp", "{resource}");
    measure(options, report, "http", "http://{resource}/health");
}
