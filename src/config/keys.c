/* keys: THE TABLE of settings. See keys.h. */
#include "config/keys.h"
#include "base/name.h"
#include "base/num.h"
#include "config/listing.h"
#include "config/value.h"
#include <stddef.h>

#define SECOND INT64_C(1000)
#define HOUR   (3600 * SECOND)
#define YEAR   (365 * 24 * HOUR)
#define KB     INT64_C(1024)
#define MB     (1024 * KB)
#define GB     (1024 * MB)

/* --- what a value must be besides its type and range ----------------------------------- */

static bool check_namespace(struct str value, struct err *err)
{
    return name_check(value, NAME_NAMESPACE, err);
}

static bool check_prefix(struct str value, struct err *err)
{
    return value.len == 0 || check_namespace(value, err);
}

/* Programs that the daemon runs by itself. */
static bool check_exec(struct str value, struct err *err)
{
    char shown[80];
    if (value.len == 0 || str_starts(value, STR("exec:/")))
        return true;
    str_printable(value, shown, sizeof shown);
    return err_set(err, ERR_GENERAL, "neither empty nor exec:/PATH ARGUMENTS: '%s'", shown);
}

/* What is done with a resource that comes back. */
static bool check_on_free(struct str value, struct err *err)
{
    char shown[80];
    bool is_url = (str_starts(value, STR("http://")) && value.len > 7) ||
                  (str_starts(value, STR("https://")) && value.len > 8);
    if (is_url || check_exec(value, NULL))
        return true;
    str_printable(value, shown, sizeof shown);
    return err_set(err, ERR_GENERAL,
                   "neither empty, exec:/PATH ARGUMENTS, http://HOST nor https://HOST: '%s'",
                   shown);
}

static bool check_url(struct str value, struct err *err)
{
    struct url url;
    return url_parse(value, &url, err);
}

/* Redis reads it, but an error at our start is better than one in the log of a child. */
static bool check_maxmemory(struct str value, struct err *err)
{
    int64_t bytes;
    return num_parse_size(value, &bytes) || err_set(err, ERR_GENERAL, "not a size such as 512mb");
}

static bool check_rate(struct str value, struct err *err)
{
    int64_t count, span_us;
    return value.len == 0 || num_parse_rate(value, &count, &span_us) ||
           err_set(err, ERR_GENERAL, "not such as 10/s, 100/m or 5/h, with 1 to 1000000");
}

/* OWNER:WEIGHT, ... as lua/pool/fair.lua reads them. */
static bool check_shares(struct str value, struct err *err)
{
    struct str rest = value, one, owner;
    int64_t weight;
    char shown[80];
    while (value.len > 0 && str_split(&rest, ',', &one)) {
        struct str text = str_trim(one);
        bool is_good = str_split(&text, ':', &owner) && owner.len > 0 && owner.len <= 512 &&
                       num_parse_int(text, &weight) && weight >= 1 && weight <= 1000;
        for (size_t i = 0; is_good && i < owner.len; i++)
            is_good =
                (unsigned char)owner.ptr[i] > ' ' && owner.ptr[i] != '=' && owner.ptr[i] != 0x7f;
        if (!is_good) {
            str_printable(one, shown, sizeof shown);
            return err_set(err, ERR_GENERAL,
                           "not OWNER:WEIGHT, with an owner without blanks, ',', ':' and '=' and a "
                           "weight from 1 to 1000: '%s'",
                           shown);
        }
    }
    return true;
}

/* It names programs and files, which is why no client may set it: KEY_RELOAD alone. */
static bool check_sources(struct str value, struct err *err)
{
    struct str rest = value, text;
    struct listing listing;
    while (str_split(&rest, ',', &text)) {
        if (value.len > 0 && !listing_parse(str_trim(text), &listing, err))
            return false;
    }
    return true;
}

/* --- the table ------------------------------------------------------------------------- */

#define SERVER(field)  .section = KEY_SERVER, .offset = offsetof(struct server_config, field)
#define REDIS(field)   .section = KEY_REDIS, .offset = offsetof(struct redis_config, field)
#define LOGGING(field) .section = KEY_LOG, .offset = offsetof(struct log_config, field)
#define POOL(field)    .section = KEY_POOL, .offset = offsetof(struct pool_config, field)
#define QUEUE(field)   .section = KEY_QUEUE, .offset = offsetof(struct queue_config, field)
#define USER(field)    .section = KEY_USER, .offset = offsetof(struct user_config, field)

static const struct key rows[] = {
    {SERVER(listen), .name = "listen", .type = KEY_LIST, .initial = "127.0.0.1:7411", .min = 1,
     .max = 64,
     .sentence = "Where clients connect: HOST:PORT, [IPV6]:PORT, *:PORT or unix:/PATH, several "
                 "separated by commas."},
    {SERVER(unixsocketperm), .name = "unixsocketperm", .type = KEY_MODE, .initial = "0700",
     .min = 0, .max = 0777, .sentence = "Permissions of the Unix sockets."},
    {SERVER(namespace), .name = "namespace", .type = KEY_STRING, .initial = "rallocd", .min = 1,
     .max = NAME_MAX_LEN, .check = check_namespace,
     .sentence = "First part of every key in Redis; daemons with the same namespace share pools, "
                 "locks and tasks."},
    {SERVER(requirepass), .name = "requirepass", .type = KEY_STRING, .initial = "", .min = 0,
     .max = 512, .flags = KEY_LIVE | KEY_SECRET,
     .sentence = "Password that clients must give with AUTH; empty: none is asked for."},
    {SERVER(maxclients), .name = "maxclients", .type = KEY_INT, .initial = "10000", .min = 1,
     .max = 1000000, .flags = KEY_LIVE,
     .sentence = "Clients at a time; one more gets an error and is closed."},
    {SERVER(timeout_ms), .name = "timeout", .type = KEY_SECONDS, .initial = "0", .min = 0,
     .max = YEAR, .flags = KEY_LIVE,
     .sentence = "A client that is idle for so many seconds is closed; 0: never."},
    {SERVER(tcp_keepalive_s), .name = "tcp_keepalive", .type = KEY_INT, .initial = "300", .min = 0,
     .max = 32767, .flags = KEY_LIVE,
     .sentence = "Seconds of silence before TCP asks new clients whether they still live; 0: never "
                 "asks."},
    {SERVER(write_timeout_ms), .name = "write_timeout", .type = KEY_SECONDS, .initial = "60",
     .min = 0, .max = YEAR, .flags = KEY_LIVE,
     .sentence = "A new client that takes nothing of its waiting replies for so many seconds is "
                 "closed; 0: never."},
    {SERVER(max_request_bytes), .name = "max_request", .type = KEY_SIZE, .initial = "16mb",
     .min = KB, .max = GB, .flags = KEY_LIVE,
     .sentence = "Bytes of one request; a longer one closes the connection."},
    {SERVER(max_args), .name = "max_args", .type = KEY_INT, .initial = "1048576", .min = 16,
     .max = 16777216, .flags = KEY_LIVE,
     .sentence = "Arguments of one request; more close the connection."},
    {SERVER(max_inline_bytes), .name = "max_inline", .type = KEY_SIZE, .initial = "64kb",
     .min = 256, .max = 16 * MB, .flags = KEY_LIVE,
     .sentence = "Bytes of an inline command, or of a line of a request's frame."},
    {SERVER(max_output_bytes), .name = "max_output", .type = KEY_SIZE, .initial = "64mb",
     .min = 16 * KB, .max = 64 * GB, .flags = KEY_LIVE,
     .sentence = "Bytes of replies that may wait for one new client; above it the connection is "
                 "closed."},
    {SERVER(max_resources), .name = "max_resources", .type = KEY_INT, .initial = "100000", .min = 1,
     .max = 1000000, .flags = KEY_LIVE,
     .sentence = "Resources in one call; more are refused, for each call is one atomic script."},
    {SERVER(lock_timeout_ms), .name = "lock_timeout", .type = KEY_SECONDS, .initial = "120",
     .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds of a lock when LOCK, RLOCK, LOCKALL, UPDATE or EXTENDLOCK names no "
                 "TIMEOUT; 0: for ever."},
    {SERVER(lock_status_timeout_ms), .name = "lock_status_timeout", .type = KEY_SECONDS,
     .initial = "120", .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence =
         "Seconds above which LOCKSTATUS calls a lock UNAVAILABLE when it names no TIMEOUT; "
         "0: never."},
    {SERVER(beat_timeout_ms), .name = "beat_timeout", .type = KEY_SECONDS, .initial = "60",
     .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds that a member is alive after BEAT without TIMEOUT; 0: for ever."},
    {SERVER(session_timeout_ms), .name = "session_timeout", .type = KEY_SECONDS, .initial = "10",
     .min = SECOND, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that what is held with SESSION outlives this daemon; it is renewed each "
                 "third of them."},
    {SERVER(max_waiters), .name = "max_waiters", .type = KEY_INT, .initial = "100000", .min = 0,
     .max = 10000000, .flags = KEY_LIVE,
     .sentence =
         "Requests that wait for pools (WAIT) at a time, and as many for tasks; one more gets "
         "BUSY."},
    {SERVER(max_pools), .name = "max_pools", .type = KEY_INT, .initial = "10000", .min = 1,
     .max = 1000000, .flags = KEY_LIVE,
     .sentence = "Pools that this daemon knows at a time; naming one more is an error."},
    {SERVER(shutdown_timeout_ms), .name = "shutdown_timeout", .type = KEY_SECONDS, .initial = "10",
     .min = 0, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that requests in flight get for their end after SIGTERM."},
    {SERVER(pidfile), .name = "pidfile", .type = KEY_PATH, .initial = "", .min = 0, .max = 4095,
     .sentence = "File that holds the process id while the daemon runs; empty: none."},
    {SERVER(slowlog_slower_than_us), .name = "slowlog_log_slower_than", .type = KEY_INT,
     .initial = "10000", .min = -1, .max = INT64_C(1000000000000), .flags = KEY_LIVE,
     .sentence = "Microseconds above which a command goes into SLOWLOG; 0: all of them; -1: none."},
    {SERVER(slowlog_max_len), .name = "slowlog_max_len", .type = KEY_INT, .initial = "128",
     .min = 0, .max = 100000, .flags = KEY_LIVE, .sentence = "Entries that SLOWLOG keeps."},

    {REDIS(url), .name = "url", .type = KEY_STRING, .initial = "embedded", .min = 1, .max = 2048,
     .flags = KEY_URL, .check = check_url,
     .sentence = "Where Redis is: embedded (the daemon runs a redis-server of its own), "
                 "redis://[USER[:PASSWORD]@]HOST[:PORT][/DB] or "
                 "unix://[USER[:PASSWORD]@]/PATH[?db=N]."},
    {REDIS(links), .name = "links", .type = KEY_INT, .initial = "4", .min = 1, .max = 256,
     .sentence = "Connections to Redis."},
    {REDIS(connect_timeout_ms), .name = "connect_timeout", .type = KEY_SECONDS, .initial = "1",
     .min = 10, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that connecting to Redis may take."},
    {REDIS(reply_timeout_ms), .name = "reply_timeout", .type = KEY_SECONDS, .initial = "5",
     .min = 10, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that an answer of Redis may take, and 50 us more for each resource that "
                 "the call may touch; then the request gets -UPSTREAM."},
    {REDIS(wait_timeout_ms), .name = "wait_timeout", .type = KEY_SECONDS, .initial = "2", .min = 0,
     .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that requests wait for a Redis that is away; then they get -UPSTREAM."},
    {REDIS(backoff_min_ms), .name = "backoff_min", .type = KEY_SECONDS, .initial = "0.05", .min = 1,
     .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds before Redis is dialled again for the first time; doubled each time."},
    {REDIS(backoff_max_ms), .name = "backoff_max", .type = KEY_SECONDS, .initial = "5", .min = 1,
     .max = HOUR, .flags = KEY_LIVE, .sentence = "The longest of these waits, in seconds."},
    {REDIS(step_grace_ms), .name = "step_grace", .type = KEY_SECONDS, .initial = "120", .min = 0,
     .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence = "When Redis' clock goes forward by some seconds, nothing is granted for as long, "
                 "because what is held ends earlier by as much; but no longer than this."},
    {REDIS(restart_grace_ms), .name = "restart_grace", .type = KEY_SECONDS, .initial = "0",
     .min = 0, .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence =
         "Nothing is granted for so many seconds after Redis was restarted or replaced, for "
         "what it acknowledged last may be lost: as long as the longest TIMEOUT in use. 0: it "
         "keeps all (appendfsync = always, no failover), or fences guard what is held."},
    {REDIS(max_queued), .name = "max_queued", .type = KEY_INT, .initial = "65536", .min = 1,
     .max = 16777216, .flags = KEY_LIVE,
     .sentence = "Requests that may wait at one link, and at one pool; one more gets -BUSY."},
    {REDIS(batch), .name = "batch", .type = KEY_INT, .initial = "128", .min = 1, .max = 1024,
     .flags = KEY_LIVE, .sentence = "Requests for one pool that go to Redis in one script call."},
    {REDIS(username), .name = "username", .type = KEY_STRING, .initial = "", .min = 0,
     .max = sizeof(((struct url *)NULL)->user) - 1,
     .sentence = "ACL user at Redis; wins over the one in the url."},
    {REDIS(password), .name = "password", .type = KEY_STRING, .initial = "", .min = 0,
     .max = sizeof(((struct url *)NULL)->password) - 1, .flags = KEY_SECRET,
     .sentence = "Password at Redis; wins over the one in the url."},
    {REDIS(state_dir), .name = "state_dir", .type = KEY_PATH, .initial = "", .min = 0, .max = 4095,
     .sentence = "Folder of the embedded Redis; empty: /var/lib/rallocd for root where that can be "
                 "made, else $XDG_STATE_HOME/rallocd, else $HOME/.local/state/rallocd."},
    {REDIS(server_binary), .name = "server_binary", .type = KEY_PATH, .initial = "redis-server",
     .min = 1, .max = 4095,
     .sentence = "Program of the embedded Redis: a path, or a name that is looked up in PATH."},
    {REDIS(appendfsync), .name = "appendfsync", .type = KEY_WORD, .initial = "everysec",
     .words = "always everysec no",
     .sentence = "When the embedded Redis brings its append-only file to the disk."},
    {REDIS(maxmemory), .name = "maxmemory", .type = KEY_STRING, .initial = "0", .min = 1, .max = 24,
     .check = check_maxmemory,
     .sentence = "Memory of the embedded Redis in bytes, or such as 512mb; 0: no limit."},

    {LOGGING(level), .name = "level", .type = KEY_ENUM, .initial = "info",
     .words = "error warning info debug", .flags = KEY_LIVE,
     .sentence = "What is less urgent is not logged."},
    {LOGGING(format), .name = "format", .type = KEY_WORD, .initial = "logfmt", .flags = KEY_LIVE,
     .words = "logfmt json", .sentence = "Form of the log lines."},
    {LOGGING(target), .name = "target", .type = KEY_WORD, .initial = "stderr",
     .words = "stderr syslog", .sentence = "Where log lines go."},

    {POOL(is_shared), .name = "mode", .type = KEY_BOOL, .initial = "exclusive",
     .words = "exclusive shared", .flags = KEY_LIVE,
     .sentence = "exclusive: a resource is leased to one holder; shared: it is shown to all in "
                 "turn."},
    {POOL(prefix), .name = "prefix", .type = KEY_STRING, .initial = "", .min = 0,
     .max = NAME_MAX_LEN, .check = check_prefix,
     .sentence = "First part of the pool's keys in Redis; empty: [server] namespace."},
    {POOL(default_timeout_ms), .name = "default_timeout", .type = KEY_SECONDS, .initial = "120",
     .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds of a lease when MALLOC or RENEW names no TIMEOUT; 0: for ever."},
    {POOL(max_lease_ms), .name = "max_lease", .type = KEY_SECONDS, .initial = "0", .min = 0,
     .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds that a lease may last at most, and all in all with SESSION: a longer "
                 "TIMEOUT is cut to it; 0: no limit."},
    {POOL(max_per_owner), .name = "max_per_owner", .type = KEY_INT, .initial = "0", .min = 0,
     .max = 1000000, .flags = KEY_LIVE,
     .sentence = "Resources that one OWNER may hold at a time; a MALLOC above it gets -QUOTA, or "
                 "waits, and one without OWNER, unless a user is logged in, is an error. 0: no "
                 "limit."},
    {POOL(fair_age_ms), .name = "fair_age", .type = KEY_SECONDS, .initial = "0", .min = 0,
     .max = YEAR, .flags = KEY_LIVE,
     .sentence = "Among those that wait the one comes first whose owner holds least: having waited "
                 "so many seconds longer makes up for one more resource. 0: first come, first "
                 "served."},
    {POOL(shares), .name = "shares", .type = KEY_STRING, .initial = "", .min = 0, .max = 4000,
     .flags = KEY_LIVE, .check = check_shares,
     .sentence =
         "With fair_age: owners that may hold more than others, such as web:3, batch:2; all "
         "others have 1."},
    {POOL(binding_timeout_ms), .name = "binding_timeout", .type = KEY_SECONDS, .initial = "3600",
     .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds that a soft binding is kept when no time is named; 0: for ever."},
    {POOL(gc_interval_ms), .name = "gc_interval", .type = KEY_SECONDS, .initial = "5", .min = 100,
     .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds between two steps of the sweep that mends what others changed."},
    {POOL(gc_count), .name = "gc_count", .type = KEY_INT, .initial = "0", .min = 0, .max = 100000,
     .flags = KEY_LIVE,
     .sentence = "Entries that one step of the sweep looks at; 0: grows with the pool."},
    {POOL(unhealthy_timeout_ms), .name = "unhealthy_timeout", .type = KEY_SECONDS,
     .initial = "3600", .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence =
         "Seconds that a resource stays in quarantine when nobody restores it; 0: for ever."},
    {POOL(capacity), .name = "capacity", .type = KEY_INT, .initial = "1", .min = 1,
     .max = MOST_CAPACITY, .flags = KEY_LIVE,
     .sentence = "How many may hold one resource at once, where POOL EXTEND does not say so; only "
                 "in exclusive pools."},
    {POOL(rest_ms), .name = "rest", .type = KEY_SECONDS, .initial = "0", .min = 0,
     .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds that a resource is not handed out again after its lease has ended."},
    {POOL(rate), .name = "rate", .type = KEY_STRING, .initial = "", .min = 0, .max = 20,
     .flags = KEY_LIVE, .check = check_rate,
     .sentence = "How often each resource may be granted, such as 10/s, 100/m or 5/h: so many at "
                 "once, then at an even pace. Empty: as often as it is free."},
    {POOL(pool_rate), .name = "pool_rate", .type = KEY_STRING, .initial = "", .min = 0, .max = 20,
     .flags = KEY_LIVE, .check = check_rate,
     .sentence = "The same for all grants of the pool together."},
    {POOL(breaker), .name = "breaker", .type = KEY_INT, .initial = "0", .min = 0, .max = 1000000,
     .flags = KEY_LIVE,
     .sentence = "After so many leases in a row that ended with OUTCOME fail a resource is in "
                 "quarantine; 0: never."},
    {POOL(breaker_rest_ms), .name = "breaker_rest", .type = KEY_SECONDS, .initial = "60",
     .min = SECOND, .max = YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds of that; then one lease decides: twice as long after another fail, up to "
                 "16 times."},
    {POOL(half_life_ms), .name = "half_life", .type = KEY_SECONDS, .initial = "300", .min = SECOND,
     .max = YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds after which half of what OUTCOME took from a resource's score has come "
                 "back by itself."},
    {POOL(probe), .name = "probe", .type = KEY_ENUM, .initial = "none",
     .words = "none tcp http resp exec", .flags = KEY_RELOAD,
     .sentence = "How the pool's resources are checked: a TCP connection, a status of HTTP, an "
                 "answer of the Redis protocol, the exit status of a program."},
    {POOL(probe_target), .name = "probe_target", .type = KEY_STRING, .initial = "{resource}",
     .min = 1, .max = 4095, .flags = KEY_RELOAD,
     .sentence =
         "What is checked, with the resource's name for {resource}: HOST:PORT or unix:/PATH for "
         "tcp and resp; a url for http; a program and its arguments, separated by blanks, for "
         "exec (run without a shell; it finds the name in RESOURCE, too)."},
    {POOL(probe_interval_ms), .name = "probe_interval", .type = KEY_SECONDS, .initial = "10",
     .min = 100, .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds between two checks of a resource."},
    {POOL(probe_jitter), .name = "probe_jitter", .type = KEY_INT, .initial = "20", .min = 0,
     .max = 50, .flags = KEY_LIVE,
     .sentence = "Percent by which each of these intervals is longer or shorter at random."},
    {POOL(probe_timeout_ms), .name = "probe_timeout", .type = KEY_SECONDS, .initial = "2",
     .min = 10, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that a check may take; one that takes longer has failed."},
    {POOL(probe_rise), .name = "probe_rise", .type = KEY_INT, .initial = "1", .min = 1, .max = 1000,
     .flags = KEY_LIVE, .sentence = "Good checks in a row that make a resource healthy."},
    {POOL(probe_fall), .name = "probe_fall", .type = KEY_INT, .initial = "3", .min = 1, .max = 1000,
     .flags = KEY_LIVE, .sentence = "Failed checks in a row that make a resource ill."},
    {POOL(probe_concurrency), .name = "probe_concurrency", .type = KEY_INT, .initial = "64",
     .min = 1, .max = 10000, .flags = KEY_LIVE,
     .sentence = "Checks of the pool that run at a time; what is due beyond them waits."},
    {POOL(probe_expect), .name = "probe_expect", .type = KEY_STRING, .initial = "", .min = 0,
     .max = 255, .flags = KEY_LIVE,
     .sentence = "What is a good answer: for http statuses such as 200-299,304 (empty: 200-299); "
                 "for resp what it begins with (empty: +PONG)."},
    {POOL(probe_send), .name = "probe_send", .type = KEY_STRING, .initial = "PING", .min = 1,
     .max = 1023, .flags = KEY_LIVE,
     .sentence = "The command that resp sends, its words separated by blanks."},
    {POOL(max_unhealthy), .name = "max_unhealthy", .type = KEY_INT, .initial = "50", .min = 0,
     .max = 100, .flags = KEY_LIVE,
     .sentence = "Percent of the pool: while more of it is ill at once, probes quarantine nothing "
                 "more, for then it is rather our network that is ill."},
    {POOL(tls_ca), .name = "tls_ca", .type = KEY_PATH, .initial = "", .min = 0, .max = 4095,
     .flags = KEY_LIVE,
     .sentence = "File of the certificates (PEM) that servers of https are judged by; empty: those "
                 "of the system."},
    {POOL(is_trusting), .name = "tls_verify", .type = KEY_BOOL, .initial = "yes", .words = "yes no",
     .flags = KEY_LIVE, .sentence = "no: certificates of https servers are not looked at."},
    {POOL(sources), .name = "source", .type = KEY_LIST, .initial = "", .min = 0, .max = 16,
     .flags = KEY_RELOAD | KEY_URL, .check = check_sources,
     .sentence =
         "Where the pool's resources are listed, several separated by commas: file:/PATH, "
         "http://URL, https://URL, exec:PROGRAM ARGUMENTS or dns:NAME[:PORT]. The pool has exactly "
         "what one of them lists; what several list is added. For pools with a section of their "
         "own; empty: nowhere."},
    {POOL(source_interval_ms), .name = "source_interval", .type = KEY_SECONDS, .initial = "300",
     .min = 100, .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds from one reading of the sources to the next."},
    {POOL(source_timeout_ms), .name = "source_timeout", .type = KEY_SECONDS, .initial = "10",
     .min = 10, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds that reading one source may take; a program is killed then."},
    {POOL(source_expiry_ms), .name = "source_expiry", .type = KEY_SECONDS, .initial = "0", .min = 0,
     .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence = "Seconds after which a resource that no source lists any more leaves the pool; 0: "
                 "it stays, where there are several sources."},
    {POOL(source_shuffle), .name = "source_shuffle", .type = KEY_BOOL, .initial = "no",
     .words = "no yes", .flags = KEY_LIVE,
     .sentence = "Whether new resources are put into the pool in random order."},
    {POOL(source_max), .name = "source_max", .type = KEY_INT, .initial = "100000", .min = 1,
     .max = 1000000, .flags = KEY_LIVE,
     .sentence = "Resources that one source may list; a longer list is refused as a whole."},
    {POOL(source_max_bytes), .name = "source_max_size", .type = KEY_SIZE, .initial = "16mb",
     .min = 1, .max = GB, .flags = KEY_LIVE, .sentence = "Bytes of such a list."},
    {POOL(min_free), .name = "min_free", .type = KEY_INT, .initial = "0", .min = 0, .max = 100000,
     .flags = KEY_LIVE,
     .sentence =
         "With fewer free resources than that, not counting what requests in line wait for, "
         "scale_up is run; 0: never."},
    {POOL(max_free), .name = "max_free", .type = KEY_INT, .initial = "0", .min = 0, .max = 10000000,
     .flags = KEY_LIVE,
     .sentence = "With more free resources than that (and than min_free), scale_down is run; 0: "
                 "never."},
    {POOL(max_size), .name = "max_size", .type = KEY_INT, .initial = "0", .min = 0, .max = 10000000,
     .flags = KEY_LIVE, .sentence = "Resources beyond which scale_up adds none; 0: no limit."},
    {POOL(scale_up), .name = "scale_up", .type = KEY_STRING, .initial = "", .min = 0, .max = 4095,
     .flags = KEY_RELOAD, .check = check_exec,
     .sentence = "exec:/PATH ARGUMENTS: the program that makes resources, run without a shell; it "
                 "prints their names, one a line. Empty: none."},
    {POOL(scale_down), .name = "scale_down", .type = KEY_STRING, .initial = "", .min = 0,
     .max = 4095, .flags = KEY_RELOAD, .check = check_exec,
     .sentence = "exec:/PATH ARGUMENTS: the program that disposes of the resources whose names it "
                 "reads, one a line. Empty: none."},
    {POOL(scale_cooldown_ms), .name = "scale_cooldown", .type = KEY_SECONDS, .initial = "30",
     .min = 0, .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds from the end of one of these programs to the start of the next; after "
                 "failures doubled each time, up to ten minutes."},
    {POOL(scale_timeout_ms), .name = "scale_timeout", .type = KEY_SECONDS, .initial = "60",
     .min = 100, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds after which one of these programs is killed and has failed."},
    {POOL(on_free), .name = "on_free", .type = KEY_STRING, .initial = "", .min = 0, .max = 2048,
     .flags = KEY_RELOAD, .check = check_on_free,
     .sentence =
         "What makes a resource clean when its lease has ended, before anybody else gets it: "
         "exec:/PATH ARGUMENTS, run without a shell, or http://... or https://..., to which "
         "its name is posted; {resource} in it stands for the name. Empty: nothing."},
    {POOL(clean_timeout_ms), .name = "clean_timeout", .type = KEY_SECONDS, .initial = "60",
     .min = 100, .max = HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds after which that has failed."},
    {POOL(clean_retries), .name = "clean_retries", .type = KEY_INT, .initial = "3", .min = 0,
     .max = 1000, .flags = KEY_LIVE,
     .sentence =
         "How often it is tried again, after 1, 2, 4 seconds and so on; then the resource is "
         "in quarantine."},
    {POOL(clean_concurrency), .name = "clean_concurrency", .type = KEY_INT, .initial = "4",
     .min = 1, .max = 1000, .flags = KEY_LIVE,
     .sentence = "Resources that one daemon cleans at a time."},
    {POOL(order), .name = "order", .type = KEY_WORD, .initial = "fifo",
     .words = "fifo lifo priority least-used score", .flags = KEY_LIVE,
     .sentence = "Which free resource is handed out first: the one that has been free for longest, "
                 "or for shortest (lifo), that of the highest PRIORITY, the one granted least "
                 "often, or the one with the best score of outcomes; among equals the one that "
                 "has been free for longest."},

    {QUEUE(default_timeout_ms), .name = "default_timeout", .type = KEY_SECONDS, .initial = "300",
     .min = 0, .max = 100 * YEAR, .flags = KEY_LIVE,
     .sentence =
         "Seconds that QUERY waits, that an attempt may take and that a result is kept when "
         "QUERY names no TIMEOUT; 0: for ever."},
    {QUEUE(retries), .name = "retries", .type = KEY_INT, .initial = "3", .min = 0, .max = 1000000,
     .flags = KEY_LIVE,
     .sentence = "How often a task that its worker left goes back to its queue when QUERY names no "
                 "RETRIES; then it is dead."},
    {QUEUE(retry_delay_ms), .name = "retry_delay", .type = KEY_SECONDS, .initial = "1", .min = 0,
     .max = 24 * HOUR, .flags = KEY_LIVE,
     .sentence = "Seconds before the third attempt; the second one comes at once."},
    {QUEUE(is_exponential), .name = "retry_backoff", .type = KEY_BOOL, .initial = "exponential",
     .words = "fixed exponential", .flags = KEY_LIVE,
     .sentence = "Whether retry_delay doubles with each attempt."},
    {QUEUE(retry_max_delay_ms), .name = "retry_max_delay", .type = KEY_SECONDS, .initial = "300",
     .min = 0, .max = 24 * HOUR, .flags = KEY_LIVE, .sentence = "The longest of these waits."},
    {QUEUE(retry_jitter), .name = "retry_jitter", .type = KEY_INT, .initial = "20", .min = 0,
     .max = 100, .flags = KEY_LIVE,
     .sentence = "Percent by which each of these waits is longer or shorter at random."},
    {QUEUE(max_waiting), .name = "max_waiting", .type = KEY_INT, .initial = "100000", .min = 1,
     .max = 100000000, .flags = KEY_LIVE,
     .sentence = "Tasks that may wait in the queue, delayed ones too; one more gets -BUSY."},
    {QUEUE(max_kept), .name = "max_kept", .type = KEY_INT, .initial = "100000", .min = 0,
     .max = 100000000, .flags = KEY_LIVE,
     .sentence = "Ended tasks whose results are kept at a time; beyond it the oldest go before "
                 "their TIMEOUT is over."},
    {QUEUE(max_payload_bytes), .name = "max_payload", .type = KEY_SIZE, .initial = "1mb", .min = 1,
     .max = 512 * MB, .flags = KEY_LIVE,
     .sentence = "Bytes of a task's parameters, of its result and of what its program prints."},
    {QUEUE(compress_min_bytes), .name = "compress_min", .type = KEY_SIZE, .initial = "4kb",
     .min = 0, .max = 512 * MB, .flags = KEY_LIVE,
     .sentence = "Parameters and results of at least so many bytes lie compressed in Redis; 0: "
                 "none."},
    {QUEUE(exec), .name = "exec", .type = KEY_STRING, .initial = "", .min = 0, .max = 4095,
     .sentence =
         "Program that works on the queue's tasks, with its arguments, separated by blanks: "
         "parameters on stdin, result on stdout; run without a shell. Empty: none."},
    {QUEUE(workers), .name = "workers", .type = KEY_INT, .initial = "1", .min = 1, .max = 1000,
     .sentence = "Programs of exec that run at a time."},

    {USER(password), .name = "password", .type = KEY_STRING, .initial = "", .min = 0, .max = 512,
     .flags = KEY_LIVE | KEY_SECRET,
     .sentence = "Password that the user gives with AUTH; each user must have one."},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* --- looking up ------------------------------------------------------------------------ */

static const char *const section_names[KEY_SECTIONS] = {
    [KEY_SERVER] = "server", [KEY_REDIS] = "redis", [KEY_LOG] = "log",
    [KEY_POOL] = "pool",     [KEY_QUEUE] = "queue", [KEY_USER] = "user",
};

const char *key_section_name(enum key_section section)
{
    return section_names[section];
}

size_t key_section_offset(enum key_section section)
{
    static const size_t offsets[KEY_SECTIONS] = {
        [KEY_SERVER] = offsetof(struct config, server),
        [KEY_REDIS] = offsetof(struct config, redis),
        [KEY_LOG] = offsetof(struct config, log),
        [KEY_POOL] = offsetof(struct config, pool_default),
        [KEY_QUEUE] = offsetof(struct config, queue_default),
        [KEY_USER] = offsetof(struct config, user_default),
    };
    return offsets[section];
}

size_t key_named_offset(enum key_section section)
{
    static const size_t offsets[KEY_SECTIONS] = {
        [KEY_POOL] = offsetof(struct config, pools),
        [KEY_QUEUE] = offsetof(struct config, queues),
        [KEY_USER] = offsetof(struct config, users),
    };
    return offsets[section];
}

size_t key_named_size(enum key_section section)
{
    static const size_t sizes[KEY_SECTIONS] = {
        [KEY_POOL] = sizeof(struct pool_config),
        [KEY_QUEUE] = sizeof(struct queue_config),
        [KEY_USER] = sizeof(struct user_config),
    };
    return sizes[section];
}

const char *key_when(const struct key *key)
{
    if ((key->flags & KEY_LIVE) == KEY_LIVE)
        return "; live";
    return key->flags & KEY_RELOAD ? "; reloaded" : "";
}

const struct key *key_next(const struct key *key)
{
    if (key == NULL)
        return rows;
    return key + 1 < rows + ROW_COUNT ? key + 1 : NULL;
}

const struct key *key_find(enum key_section section, struct str name, bool nocase)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct str row = str_of(rows[i].name);
        if (rows[i].section == section && (nocase ? str_eq_nocase(row, name) : str_eq(row, name)))
            return &rows[i];
    }
    return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters have to be added, taken or changed to make `a` of `b` (Levenshtein), row by row
 * of the table of all prefixes. Names longer than any of ours are simply far away. */
static size_t distance(struct str a, struct str b)
{
    enum { LONGEST = 40 };
    size_t line[LONGEST + 1];

    if (a.len > LONGEST || b.len > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b.len; j++)
        line[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = line[0];
        line[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool is_same = str_eq_nocase(str_make(a.ptr + i - 1, 1), str_make(b.ptr + j - 1, 1));
            size_t next = least(line[j] + 1, line[j - 1] + 1, diagonal + (is_same ? 0 : 1));
            diagonal = line[j];
            line[j] = next;
        }
    }
    return line[b.len];
}

const struct key *key_nearest(enum key_section section, struct str name)
{
    const struct key *best = NULL;
    size_t nearest = name.len / 4 + 2; /* that many letters off is another word */

    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t letters = distance(name, str_of(rows[i].name));
        if (rows[i].section == section && letters < nearest) {
            best = &rows[i];
            nearest = letters;
        }
    }
    for (size_t i = 0; best == NULL && i < ROW_COUNT; i++) {
        if (str_eq_nocase(name, str_of(rows[i].name)))
            best = &rows[i];
    }
    return best;
}

static bool check_section_name(enum key_section section, struct str name, struct err *err)
{
    if (str_eq(name, STR("*")))
        return true;
    if (section == KEY_USER && str_eq(name, STR("default")))
        return err_set(err, ERR_GENERAL,
                       "no section [user:default]: its password is [server] requirepass");
    return name_check(name, section == KEY_USER ? NAME_USER : NAME_POOL, err);
}

bool key_parse_section(struct str text, enum key_section *section, struct str *name,
                       struct err *err)
{
    struct str rest = text, head;
    char shown[100];

    *name = STR("");
    str_split(&rest, ':', &head);
    for (int i = 0; i < KEY_SECTIONS; i++) {
        *section = (enum key_section)i;
        if (!str_eq(head, str_of(section_names[i])) || key_is_named(*section) != (rest.ptr != NULL))
            continue;
        if (!key_is_named(*section))
            return true;
        *name = rest;
        return check_section_name(*section, *name, err);
    }
    str_printable(text, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL,
                   "no such section: '%s'; there are server, redis, log, pool:NAME, pool:*, "
                   "queue:NAME, queue:*, user:NAME and user:*",
                   shown);
}
