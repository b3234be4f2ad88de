/* fields: the rows and their getters. See fields.h. */
#include "report/fields.h"
#include "report/slowlog.h"
#include <malloc.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Client libraries choose what they send by the version of Redis. */
#define REDIS_DIALECT "7.0.0"

/* A getter of a counter or gauge that lies in a struct. */
#define NUMBER(name, expression)               \
    static int64_t name(struct daemon *daemon) \
    {                                          \
        return (int64_t)(expression);          \
    }
/* Likewise, of what upstream_stats() tells. */
#define UPSTREAM(name, member)                    \
    static int64_t name(struct daemon *daemon)    \
    {                                             \
        struct upstream_stats stats;              \
        upstream_stats(daemon->upstream, &stats); \
        return (int64_t)stats.member;             \
    }

static void print(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

/* --- server ---------------------------------------------------------------------------------- */

static void put_dialect(struct daemon *daemon, char *out, size_t size)
{
    (void)daemon;
    print(out, size, REDIS_DIALECT);
}

static void put_version(struct daemon *daemon, char *out, size_t size)
{
    (void)daemon;
    print(out, size, RALLOCD_VERSION);
}

static void put_mode(struct daemon *daemon, char *out, size_t size)
{
    (void)daemon;
    print(out, size, "standalone");
}

static void put_role(struct daemon *daemon, char *out, size_t size)
{
    (void)daemon;
    print(out, size, "master");
}

static void put_os(struct daemon *daemon, char *out, size_t size)
{
    struct utsname name;
    (void)daemon;
    if (uname(&name) == 0)
        snprintf(out, size, "%s %s %s", name.sysname, name.release, name.machine);
    else
        print(out, size, "");
}

static void put_run_id(struct daemon *daemon, char *out, size_t size)
{
    print(out, size, daemon->id);
}

static void put_config_file(struct daemon *daemon, char *out, size_t size)
{
    print(out, size, daemon->config_file);
}

static void put_namespace(struct daemon *daemon, char *out, size_t size)
{
    print(out, size, daemon->config.server.namespace);
}

static void put_listen(struct daemon *daemon, char *out, size_t size)
{
    const struct text_list *listen = &daemon->config.server.listen;
    size_t len = 0;

    out[0] = '\0';
    for (int i = 0; i < listen->count && len < size; i++) {
        int more = snprintf(out + len, size - len, "%s%s", i > 0 ? "," : "", listen->items[i]);
        len += more > 0 ? (size_t)more : 0;
    }
}

static int64_t pid(struct daemon *daemon)
{
    (void)daemon;
    return getpid();
}

static int64_t none(struct daemon *daemon)
{
    (void)daemon;
    return 0;
}

NUMBER(time_us, clock_wall_us(&daemon->clock))
NUMBER(uptime_s, (clock_ms(&daemon->clock) - daemon->started_ms) / 1000)
NUMBER(uptime_days, (clock_ms(&daemon->clock) - daemon->started_ms) / 1000 / 86400)
NUMBER(shutting_down, daemon->is_shutting_down)

/* --- clients, memory, stats ------------------------------------------------------------------ */

NUMBER(clients, daemon->gauges.clients)
NUMBER(max_clients, daemon->gauges.max_clients)
NUMBER(monitors, daemon->gauges.monitors)
NUMBER(open_turns, daemon->gauges.open_turns)
NUMBER(sessions_held, daemon->sessions.held)
NUMBER(sessions_lost, daemon->sessions.lost)

static int64_t used_memory(struct daemon *daemon)
{
    struct mallinfo2 info = mallinfo2();
    (void)daemon;
    return (int64_t)(info.uordblks + info.hblkhd);
}

static int64_t resident_memory(struct daemon *daemon)
{
    long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    (void)daemon;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lld %lld", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void put_human_memory(struct daemon *daemon, char *out, size_t size)
{
    static const char units[] = "BKMGT";
    double n = (double)used_memory(daemon);
    size_t unit = 0;

    for (; n >= 1024 && unit < sizeof(units) - 2; unit++)
        n /= 1024;
    snprintf(out, size, unit == 0 ? "%.0f%c" : "%.2f%c", n, units[unit]);
}

NUMBER(connections, daemon->stats.connections_received)
NUMBER(rejected, daemon->stats.connections_rejected)
NUMBER(commands, daemon->stats.commands_processed)
NUMBER(errors, daemon->stats.errors_replied)
NUMBER(input_bytes, daemon->stats.net_input_bytes)
NUMBER(output_bytes, daemon->stats.net_output_bytes)
NUMBER(protocol_errors, daemon->stats.protocol_errors)
NUMBER(output_limit_closes, daemon->stats.output_limit_closes)
NUMBER(idle_closes, daemon->stats.idle_closes)
NUMBER(write_timeout_closes, daemon->stats.write_timeout_closes)
NUMBER(slow_requests, slowlog_len(daemon->slowlog))

/* --- redis ----------------------------------------------------------------------------------- */

static void put_where(struct daemon *daemon, char *out, size_t size)
{
    struct upstream_stats stats;
    upstream_stats(daemon->upstream, &stats);
    print(out, size, stats.where);
}

static void put_server_version(struct daemon *daemon, char *out, size_t size)
{
    struct upstream_stats stats;
    upstream_stats(daemon->upstream, &stats);
    print(out, size, stats.version);
}

static void put_trouble(struct daemon *daemon, char *out, size_t size)
{
    print(out, size, upstream_trouble(daemon->upstream));
}

static void put_batch_average(struct daemon *daemon, char *out, size_t size)
{
    const struct batches *batches = &daemon->batches;
    snprintf(out, size, "%.2f",
             batches->batches == 0 ? 0 : (double)batches->batched_ops / (double)batches->batches);
}

NUMBER(away_ms, upstream_away_ms(daemon->upstream))
UPSTREAM(links, links)
UPSTREAM(links_ready, links_ready)
UPSTREAM(calls, calls)
UPSTREAM(refused, refused)
UPSTREAM(lost, lost)
UPSTREAM(connects, connects)
UPSTREAM(scripts_loaded, scripts_loaded)
UPSTREAM(in_flight, in_flight)
UPSTREAM(latency_us, last_latency_us)
UPSTREAM(embedded_pid, embedded_pid)
UPSTREAM(embedded_restarts, embedded_restarts)
NUMBER(hears, upstream_hears(daemon->upstream))
NUMBER(lane_calls, daemon->batches.calls)
NUMBER(batches_sent, daemon->batches.batches)
NUMBER(batched_ops, daemon->batches.batched_ops)
NUMBER(queued_ops, daemon->batches.queued)
NUMBER(busy, daemon->batches.busy)
NUMBER(retries, daemon->batches.retries)
NUMBER(recalls, daemon->batches.recalls)
NUMBER(grants_held, batches_held_ms(&daemon->batches))
NUMBER(steps_forward, daemon->steps.forward)
NUMBER(steps_back, daemon->steps.back)

NUMBER(waiting, daemon->waiters.by_number.count)
NUMBER(deadlocks, daemon->deadlocks.count)
NUMBER(pools_known, daemon->pools.all.count)

NUMBER(locks_queued, daemon->locks.lane.queue.count)
NUMBER(locks_asked, daemon->locks.counters.asked)
NUMBER(locks_granted, daemon->locks.counters.granted)
NUMBER(locks_held, daemon->locks.counters.held)
NUMBER(locks_ended, daemon->locks.counters.ended)
NUMBER(locks_recalled, daemon->locks.counters.recalled)
NUMBER(tasks_queued, daemon->tasks.lane.queue.count)
NUMBER(tasks_askers, daemon->tasks.askers.count)
NUMBER(tasks_workers, daemon->tasks.workers.count)
NUMBER(tasks_listens, daemon->tasks.listens.count)
NUMBER(tasks_is_leading, daemon->tasks.is_leading)
NUMBER(probes_running, daemon->probes.running)
NUMBER(probes_ended, daemon->probes.counters.checks)
NUMBER(probes_failed, daemon->probes.counters.failures)
NUMBER(probes_fallen, daemon->probes.counters.fallen)
NUMBER(probes_risen, daemon->probes.counters.risen)
NUMBER(held_probes, daemon->probes.held)
NUMBER(tasks_submitted, daemon->tasks.counters.submitted)
NUMBER(tasks_taken, daemon->tasks.counters.taken)
NUMBER(tasks_done, daemon->tasks.counters.done)
NUMBER(tasks_failed, daemon->tasks.counters.failed)
NUMBER(tasks_returned, daemon->tasks.counters.returned)
NUMBER(tasks_is_resting, daemon->tasks.tend.place == 0 && !daemon->tasks.is_tending)
NUMBER(tasks_tended, daemon->tasks.counters.tended)
NUMBER(tasks_recalled, daemon->tasks.counters.recalled)

const char *const field_sections[] = {"server", "clients", "memory", "stats", "commandstats",
                                      "redis",  "locks",   "tasks",  "pools", NULL};

#define TEXT(section, name, sentence, getter)                 \
    {                                                         \
        section, name, FIELD_TEXT, "", sentence, NULL, getter \
    }
#define GAUGE(section, name, unit, sentence, getter)             \
    {                                                            \
        section, name, FIELD_GAUGE, unit, sentence, getter, NULL \
    }
#define COUNTER(section, name, unit, sentence, getter)             \
    {                                                              \
        section, name, FIELD_COUNTER, unit, sentence, getter, NULL \
    }

const struct field field_table[] = {
    TEXT("server", "redis_version",
         "The Redis whose protocol is spoken; client libraries ask for it.", put_dialect),
    TEXT("server", "rallocd_version", "The daemon's own version.", put_version),
    TEXT("server", "redis_mode", "Clients need no cluster protocol, whatever Redis is behind.",
         put_mode),
    TEXT("server", "role", "Each daemon takes writes.", put_role),
    TEXT("server", "os", "System and machine.", put_os),
    GAUGE("server", "process_id", "", "The daemon's process.", pid),
    TEXT("server", "run_id", "New at each start; also the daemon's name in Redis.", put_run_id),
    TEXT("server", "namespace", "Begins the names of all keys in Redis.", put_namespace),
    TEXT("server", "listen", "Where clients connect.", put_listen),
    GAUGE("server", "server_time_usec", "us", "Unix time.", time_us),
    COUNTER("server", "uptime_in_seconds", "s", "Since the start.", uptime_s),
    COUNTER("server", "uptime_in_days", "days", "Since the start.", uptime_days),
    TEXT("server", "config_file", "Empty when there is none.", put_config_file),
    GAUGE("server", "loading", "", "The daemon has nothing to load: 0 from its first answer on.",
          none),
    GAUGE("server", "shutting_down", "", "1 while the last requests are answered.", shutting_down),

    GAUGE("clients", "connected_clients", "", "Connections.", clients),
    GAUGE("clients", "maxclients", "", "The most there can be.", max_clients),
    GAUGE("clients", "monitor_clients", "", "Connections in MONITOR.", monitors),
    GAUGE("clients", "pending_requests", "", "Requests that are not answered yet.", open_turns),
    GAUGE("clients", "sessions_held", "", "Leases and locks held with SESSION.", sessions_held),
    COUNTER("clients", "sessions_lost", "", "Of them, those that were lost.", sessions_lost),

    GAUGE("memory", "used_memory", "bytes", "Allocated.", used_memory),
    TEXT("memory", "used_memory_human", "Likewise, for people.", put_human_memory),
    GAUGE("memory", "used_memory_rss", "bytes", "Resident, as the system counts.", resident_memory),

    COUNTER("stats", "total_connections_received", "", "Connections accepted.", connections),
    COUNTER("stats", "rejected_connections", "", "Connections refused for maxclients.", rejected),
    COUNTER("stats", "total_commands_processed", "", "Requests that reached their command.",
            commands),
    COUNTER("stats", "total_error_replies", "", "Requests that were answered by an error.", errors),
    COUNTER("stats", "total_net_input_bytes", "bytes", "Bytes of requests.", input_bytes),
    COUNTER("stats", "total_net_output_bytes", "bytes", "Bytes of replies.", output_bytes),
    COUNTER("stats", "protocol_errors", "", "Connections closed for bytes that are no request.",
            protocol_errors),
    COUNTER("stats", "client_output_buffer_limit_disconnections", "",
            "Connections closed for replies that they did not read.", output_limit_closes),
    COUNTER("stats", "idle_disconnections", "", "Connections closed for being idle.", idle_closes),
    COUNTER("stats", "write_timeout_disconnections", "",
            "Connections closed because they took no bytes for too long.", write_timeout_closes),
    GAUGE("stats", "slowlog_len", "", "Slow requests that are kept.", slow_requests),

    TEXT("redis", "redis_where", "The Redis behind the daemon.", put_where),
    TEXT("redis", "redis_server_version", "Its version; empty before the first login.",
         put_server_version),
    GAUGE("redis", "redis_links", "", "Connections to it that there should be.", links),
    GAUGE("redis", "redis_links_ready", "", "Those that take calls.", links_ready),
    GAUGE("redis", "redis_away_ms", "ms", "For how long none has taken calls; 0: one does.",
          away_ms),
    TEXT("redis", "redis_trouble", "The last reason why there was no link.", put_trouble),
    GAUGE("redis", "redis_in_flight", "", "Calls without an answer yet.", in_flight),
    GAUGE("redis", "redis_latency_us", "us", "Of the newest answer.", latency_us),
    COUNTER("redis", "redis_calls", "", "Calls since the start.", calls),
    COUNTER("redis", "redis_refused_calls", "",
            "Calls that Redis refused before doing anything, since the start.", refused),
    COUNTER("redis", "redis_lost_calls", "", "Calls whose answer was lost, since the start.", lost),
    COUNTER("redis", "redis_connects", "", "Connections made since the start.", connects),
    COUNTER("redis", "redis_scripts_loaded", "", "Scripts sent whole since the start.",
            scripts_loaded),
    GAUGE(
        "redis", "redis_grants_held_ms", "ms",
        "For how long nothing is granted yet, after a step of Redis' clock or a restart; 0: it is.",
        grants_held),
    COUNTER("redis", "redis_clock_steps_forward", "", "Redis' clock went forward.", steps_forward),
    COUNTER("redis", "redis_clock_steps_back", "", "Redis' clock went back.", steps_back),
    GAUGE("redis", "redis_hears", "",
          "1: Redis tells what was published for requests that wait here; 0 also when none has "
          "waited yet.",
          hears),
    GAUGE("redis", "redis_embedded_pid", "", "The embedded redis-server; 0: none.", embedded_pid),
    COUNTER("redis", "redis_embedded_restarts", "", "How often it had to be started again.",
            embedded_restarts),
    COUNTER("redis", "operation_calls", "", "Calls made for operations.", lane_calls),
    COUNTER("redis", "operation_batches", "", "Of them, batches.", batches_sent),
    COUNTER("redis", "batched_operations", "", "Operations that went in batches.", batched_ops),
    TEXT("redis", "batched_operations_average", "Operations in a batch.", put_batch_average),
    GAUGE("redis", "queued_operations", "", "Operations that have not ended.", queued_ops),
    COUNTER("redis", "refused_operations", "", "Operations refused because too many waited (BUSY).",
            busy),
    COUNTER("redis", "retried_calls", "", "Calls made again.", retries),
    COUNTER("redis", "recalled_batches", "", "Lost batches whose grants were given back.", recalls),

    GAUGE("locks", "locks_queued", "", "Operations on locks that wait to be sent.", locks_queued),
    COUNTER("locks", "locks_asked", "", "LOCKs, RLOCKs and LOCKALLs answered.", locks_asked),
    COUNTER("locks", "locks_granted", "", "Locks and shares that they were given.", locks_granted),
    COUNTER("locks", "locks_held", "", "Those that were given none, for it was held.", locks_held),
    COUNTER("locks", "locks_ended", "", "Locks and shares ended by UNLOCK.", locks_ended),
    COUNTER("locks", "locks_recalled", "", "Those given back after a lost reply.", locks_recalled),
    GAUGE("tasks", "tasks_queued", "", "Operations on tasks that wait to be sent.", tasks_queued),
    GAUGE("tasks", "tasks_askers", "", "QUERYs that wait for a result.", tasks_askers),
    GAUGE("tasks", "tasks_workers", "", "Connections and programs that work.", tasks_workers),
    GAUGE("tasks", "tasks_listens", "", "LISTENs that are not answered.", tasks_listens),
    GAUGE("tasks", "tasks_is_leading", "", "1: this daemon does what is due.", tasks_is_leading),
    GAUGE("tasks", "tasks_is_resting", "", "1: there is nothing to look after.", tasks_is_resting),
    COUNTER("tasks", "tasks_submitted", "", "QUERYs that Redis took.", tasks_submitted),
    COUNTER("tasks", "tasks_taken", "", "Tasks taken by workers here.", tasks_taken),
    COUNTER("tasks", "tasks_done", "", "Those ended by RESULT.", tasks_done),
    COUNTER("tasks", "tasks_failed", "", "Those ended by FAIL.", tasks_failed),
    COUNTER("tasks", "tasks_returned", "", "Those that their workers left.", tasks_returned),
    COUNTER("tasks", "tasks_tended", "", "Those that were due, or of a dead daemon.", tasks_tended),
    COUNTER("tasks", "tasks_recalled", "", "Those given back after a lost reply.", tasks_recalled),

    GAUGE("pools", "probes_running", "", "Health checks that run now.", probes_running),
    COUNTER("pools", "probes_ended", "", "Health checks that have ended.", probes_ended),
    COUNTER("pools", "probes_failed", "", "Of them, those that failed.", probes_failed),
    COUNTER("pools", "probes_fallen", "", "Resources that became ill.", probes_fallen),
    COUNTER("pools", "probes_risen", "", "Ill ones that became healthy.", probes_risen),
    GAUGE("pools", "probes_held", "", "Pools with more ill ones than max_unhealthy.", held_probes),
    GAUGE("pools", "pools_known", "", "Pools that this daemon knows.", pools_known),
    GAUGE("pools", "waiters", "", "Requests of this daemon's clients that wait.", waiting),
    COUNTER("pools", "deadlocks", "", "Requests that were refused as part of a deadlock.",
            deadlocks),
    {NULL, NULL, FIELD_TEXT, NULL, NULL, NULL, NULL}};

/* --- pools ----------------------------------------------------------------------------------- */

#define OF_POOL(name, expression)                \
    static int64_t name(const struct pool *pool) \
    {                                            \
        return (int64_t)(expression);            \
    }

static const char *pool_mode(const struct pool *pool)
{
    return pool->config->is_shared ? "shared" : "exclusive";
}

OF_POOL(pool_total, pool->total)
OF_POOL(pool_is_leading, pool->is_leading)
OF_POOL(pool_queued, pool->lane.queue.count)
OF_POOL(pool_mallocs, pool->counters.mallocs)
OF_POOL(pool_grants, pool->counters.grants)
OF_POOL(pool_misses, pool->counters.misses)
OF_POOL(pool_frees, pool->counters.frees)
OF_POOL(pool_renewals, pool->counters.renewals)
OF_POOL(pool_reclaimed, pool->counters.reclaimed)
OF_POOL(pool_expired, pool->counters.expired)
OF_POOL(pool_repaired, pool->counters.repaired)
OF_POOL(pool_recalled, pool->counters.recalled)

const struct pool_field pool_field_table[] = {
    {"mode", FIELD_TEXT, "", "Exclusive or shared.", NULL, pool_mode},
    {"total", FIELD_GAUGE, "", "Resources, as of the last collection.", pool_total, NULL},
    {"collector", FIELD_GAUGE, "", "1: this daemon collects for the pool.", pool_is_leading, NULL},
    {"queued", FIELD_GAUGE, "", "Operations that wait to be sent.", pool_queued, NULL},
    {"mallocs", FIELD_COUNTER, "", "MALLOCs answered.", pool_mallocs, NULL},
    {"grants", FIELD_COUNTER, "", "Resources that they were given.", pool_grants, NULL},
    {"misses", FIELD_COUNTER, "", "MALLOCs that were given none.", pool_misses, NULL},
    {"frees", FIELD_COUNTER, "", "Resources freed.", pool_frees, NULL},
    {"renewals", FIELD_COUNTER, "", "Leases renewed.", pool_renewals, NULL},
    {"reclaimed", FIELD_COUNTER, "", "Leases that ended by their time.", pool_reclaimed, NULL},
    {"expired", FIELD_COUNTER, "", "Resources that left by their expiry.", pool_expired, NULL},
    {"repaired", FIELD_COUNTER, "", "Entries that were mended.", pool_repaired, NULL},
    {"recalled", FIELD_COUNTER, "", "Leases given back after a lost reply.", pool_recalled, NULL},
    {NULL, FIELD_TEXT, NULL, NULL, NULL, NULL}};

void fields_reset(struct daemon *daemon)
{
    struct batches *batches = &daemon->batches;

    daemon->stats = (struct daemon_stats){0};
    batches->calls = batches->batches = batches->batched_ops = 0;
    batches->busy = batches->retries = batches->recalls = 0;
    daemon->locks.counters = (struct lock_counters){0};
    daemon->deadlocks.count = 0;
    daemon->steps.forward = daemon->steps.back = 0;
    daemon->sessions.lost = 0;
    daemon->probes.counters = (struct probe_counters){0};
    daemon->tasks.counters = (struct task_counters){0};
    list_each (node, &daemon->pools.all)
        list_entry(node, struct pool, node)->counters = (struct pool_counters){0};
}
