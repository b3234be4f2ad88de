/* proc: programs that the bench starts and stops, and what the kernel tells of them.
 * Knows: processes, /proc.  Must not know: what they are for. */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include "endpoint.h"
#include <sys/types.h>

/* Starts a program whose output goes to the file `log`; it dies with us. Ends the process with a
 * message when it cannot be started. */
pid_t proc_start(const char *const *argv, const char *log);
/* Waits until it accepts there; ends the process with its log when it does not. */
void proc_wait_for(const struct endpoint *endpoint, pid_t pid, const char *log);
/* SIGTERM, and waits for its end. */
void proc_stop(pid_t pid);
/* Is there such a program in PATH? */
bool proc_is_installed(const char *program);

/* CPU time in seconds. `total` is what the scheduler has counted, exact; the two others are the
 * same by /proc/<pid>/stat, in ticks of the clock: good for shares, over some seconds. */
struct proc_cpu {
    double total, user, system;
};
struct proc_cpu proc_cpu(pid_t pid);
struct proc_cpu proc_cpu_sum(struct proc_cpu a, struct proc_cpu b);
struct proc_cpu proc_cpu_since(struct proc_cpu now, struct proc_cpu before);

/* Bytes of memory that only it has (anonymous, resident). */
long long proc_bytes(pid_t pid);

/* CPU seconds of the whole machine: that there were, and that somebody else has used (other
 * programs, the kernel's own threads, other machines on the same hardware), since boot. Of us
 * counts what has ended by now. */
struct proc_machine {
    double all, others;
};
struct proc_machine proc_machine(void);

/* A line about the machine: processor, cores, memory, kernel. */
void proc_describe_machine(char *out, size_t size);

#endif
