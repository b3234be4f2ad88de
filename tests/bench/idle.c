/* idle: the section about clients that have asked once and are silent since.
 * Knows: stage, endpoint. */
#include "base/mem.h"
#include "section.h"
#include "stage.h"
#include <err.h>
#include <unistd.h>

static int open_idle(const struct endpoint *endpoint)
{
    char answer[16];
    int fd = endpoint_dial(endpoint);
    if (fd < 0 || write(fd, "PING\r\n", 6) != 6 || read(fd, answer, sizeof(answer)) != 7)
        err(1, "an idle client gets no answer");
    return fd;
}

void section_idle(const struct options *options, FILE *report)
{
    struct stage stage;
    struct stage_plan plan = {
        .folder = options->folder, .rallocd = options->rallocd, .daemon_count = 1};
    int *fds = mem_array((size_t)options->idle, sizeof(*fds));
    stage_start(&stage, &plan);
    long long before = proc_bytes(stage.daemons[0].pid);
    for (int i = 0; i < options->idle; i++)
        fds[i] = open_idle(&stage.daemons[0].local);
    long long bytes = proc_bytes(stage.daemons[0].pid) - before;
    for (int i = 0; i < options->idle; i++)
        close(fds[i]);
    stage_stop(&stage);
    mem_free(fds);
    fprintf(report,
            "\n## Idle clients\n\n%.0f bytes of the daemon's memory for each of %d clients that "
            "have asked once and are silent since.\n",
            (double)bytes / options->idle, options->idle);
}
