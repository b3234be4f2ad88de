/* proc: programs that the bench starts and stops, and what /proc tells of them.
 * Knows: processes, /proc.  Must not know: what they are for. */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <sys/types.h>

/* Starts a program whose output goes to the file `log`; it dies with us. Ends the process with a
 * message when it cannot be started. */
pid_t proc_start(const char *const *argv, const char *log);
/* Waits until something accepts at the Unix socket; ends the process when it does not. */
void proc_wait_for(const char *unix_path, pid_t pid, const char *log);
/* SIGTERM, and waits for its end. */
void proc_stop(pid_t pid);

/* CPU seconds that it has used, its own and the system's for it. */
double proc_cpu_s(pid_t pid);
/* Bytes of memory that only it has (anonymous, resident). */
long long proc_bytes(pid_t pid);

/* A line about the machine: processor, cores, memory, kernel. */
void proc_describe_machine(char *out, size_t size);

#endif
