/* table: the rows, and how they are found and counted. See table.h. */
#include "commands/table.h"
#include "commands/handlers.h"
#include "commands/options.h"

#define FIRST "0.1.0"

static const struct command pool_rows[] = {
    {.name = "EXTEND",
     .full = "pool|extend",
     .group = GROUP_POOLS,
     .run = cmd_pool_extend,
     .args = "pool",
     .options = OPT_TIMEOUT,
     .rest = "resource [resource ...]",
     .flags = CMD_WRITE | CMD_RESOURCES,
     .summary = "Adds resources at the end of the free list; known ones get the new expiry. "
                "Without TIMEOUT they never expire.",
     .reply = "How many were new.",
     .since = FIRST},
    {.name = "SHRINK",
     .full = "pool|shrink",
     .group = GROUP_POOLS,
     .run = cmd_pool_shrink,
     .args = "pool",
     .rest = "resource [resource ...]",
     .flags = CMD_WRITE | CMD_RESOURCES,
     .summary = "Removes resources. A leased one leaves at once, its lease runs on.",
     .reply = "How many departed.",
     .since = FIRST},
    {.name = "ASSIGN",
     .full = "pool|assign",
     .group = GROUP_POOLS,
     .run = cmd_pool_assign,
     .args = "pool",
     .options = OPT_TIMEOUT,
     .rest = "[resource ...]",
     .flags = CMD_WRITE | CMD_RESOURCES,
     .summary = "Makes the pool hold exactly these resources, new ones in the order given; "
                "none given clears it.",
     .reply = "An array: how many were added, how many departed.",
     .since = FIRST},
    {.name = "CLEAR",
     .full = "pool|clear",
     .group = GROUP_POOLS,
     .run = cmd_pool_clear,
     .args = "pool",
     .flags = CMD_WRITE,
     .summary = "Removes all resources. Leases run on.",
     .reply = "How many departed.",
     .since = FIRST},
    {.name = "KEYS",
     .full = "pool|keys",
     .group = GROUP_POOLS,
     .run = cmd_pool_keys,
     .args = "pool",
     .flags = CMD_READ,
     .summary = "Lists all resources, leased ones too.",
     .reply = "An array in no order.",
     .since = FIRST},
    {.name = "LEN",
     .full = "pool|len",
     .group = GROUP_POOLS,
     .run = cmd_pool_len,
     .args = "pool",
     .flags = CMD_READ | CMD_FAST,
     .summary = "Counts all resources, leased ones too.",
     .reply = "An integer.",
     .since = FIRST},
    {.name = "HAS",
     .full = "pool|has",
     .group = GROUP_POOLS,
     .run = cmd_pool_has,
     .args = "pool resource",
     .flags = CMD_READ | CMD_FAST,
     .summary = "Tells whether a resource is in the pool.",
     .reply = "1 or 0.",
     .since = FIRST},
    {.name = "FREELIST",
     .full = "pool|freelist",
     .group = GROUP_POOLS,
     .run = cmd_pool_freelist,
     .args = "pool",
     .options = OPT_COUNT,
     .flags = CMD_READ,
     .summary = "Lists what is free, the next one first.",
     .reply = "An array of all, or of the first n.",
     .since = FIRST},
    {.name = "SCAN",
     .full = "pool|scan",
     .group = GROUP_POOLS,
     .run = cmd_pool_scan,
     .args = "pool cursor",
     .options = OPT_COUNT,
     .flags = CMD_READ,
     .summary = "Goes over all resources piece by piece: start with cursor 0, go on with the "
                "one that came back, until it is 0 again.",
     .reply = "An array: the next cursor, and an array of resources.",
     .since = FIRST},
    {.name = "LIST",
     .full = "pool|list",
     .group = GROUP_POOLS,
     .run = cmd_pool_list,
     .args = "",
     .flags = CMD_READ,
     .summary = "Lists the pools of this namespace.",
     .reply = "An array of names, sorted.",
     .since = FIRST},
    {.name = "INFO",
     .full = "pool|info",
     .group = GROUP_POOLS,
     .run = cmd_pool_info,
     .args = "pool",
     .flags = CMD_READ | CMD_FAST,
     .summary = "Tells how a pool is; its cost does not grow with the pool.",
     .reply = "A map: mode, order, total, free, leased, permanent, overdue, bindings, "
              "next_deadline_ms (from now; -1: none), default_timeout_ms, "
              "binding_timeout_ms, is_collector (1: this daemon collects for the pool).",
     .since = FIRST},
    {.name = "HEALTH",
     .full = "pool|health",
     .group = GROUP_POOLS,
     .run = cmd_pool_health,
     .args = "pool",
     .flags = CMD_READ,
     .summary = "Counts by the lease of each resource, exactly.",
     .reply = "An array: how many are leased or locked, how many are free.",
     .since = FIRST},
    {.name = "STATUS",
     .full = "pool|status",
     .group = GROUP_POOLS,
     .run = cmd_pool_status,
     .args = "pool resource",
     .flags = CMD_READ | CMD_FAST,
     .summary = "Tells how a resource is.",
     .reply = "Nil for a stranger, else a map: state (free, leased, quarantined, expired), "
              "ttl of the lease in ms (-1: for ever, -2: no lease), expiry in Unix seconds "
              "(-1: never), fence and owner of the lease (0 and nil where there is none).",
     .since = FIRST},
    {.name = "GC",
     .full = "pool|gc",
     .group = GROUP_POOLS,
     .run = cmd_pool_gc,
     .args = "pool",
     .options = OPT_COUNT,
     .flags = CMD_WRITE,
     .summary = "Collects now: all leases that are due, then looks at COUNT resources (default "
                "10).",
     .reply = "An array: how many were scanned, reclaimed, expired and repaired.",
     .since = FIRST},
    {.name = "CHECK",
     .full = "pool|check",
     .group = GROUP_POOLS,
     .run = cmd_pool_check,
     .args = "pool",
     .flags = CMD_READ,
     .summary = "Checks that the free list, the resources and the leases agree.",
     .reply = "An array of what is broken; empty when all is well.",
     .since = FIRST},
    {.name = "REPAIR",
     .full = "pool|repair",
     .group = GROUP_POOLS,
     .run = cmd_pool_repair,
     .args = "pool",
     .flags = CMD_WRITE,
     .summary = "Rebuilds the free list out of resources and leases.",
     .reply = "A map: total, free, leased, changed.",
     .since = FIRST},
    {.name = "HELP",
     .full = "pool|help",
     .group = GROUP_POOLS,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

static const struct command fence_rows[] = {
    {.name = "CHECK",
     .full = "fence|check",
     .group = GROUP_FENCES,
     .run = cmd_fence_check,
     .args = "name n",
     .flags = CMD_WRITE | CMD_FAST,
     .summary = "The gate before a write to something that knows no fences: refuses who was "
                "overtaken by a later lease.",
     .reply = "1 when n is at least the largest fence seen for the name (which it becomes), "
              "else 0.",
     .since = FIRST},
    {.name = "HELP",
     .full = "fence|help",
     .group = GROUP_FENCES,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

static const struct command client_rows[] = {
    {.name = "ID",
     .full = "client|id",
     .group = GROUP_CONNECTION,
     .run = cmd_client_id,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Tells this connection's number.",
     .reply = "An integer that is never used again.",
     .since = FIRST},
    {.name = "GETNAME",
     .full = "client|getname",
     .group = GROUP_CONNECTION,
     .run = cmd_client_getname,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Tells this connection's name.",
     .reply = "The name, or nil.",
     .since = FIRST},
    {.name = "SETNAME",
     .full = "client|setname",
     .group = GROUP_CONNECTION,
     .run = cmd_client_setname,
     .args = "connection-name",
     .flags = CMD_FAST,
     .summary = "Names this connection.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "SETINFO",
     .full = "client|setinfo",
     .group = GROUP_CONNECTION,
     .run = cmd_client_setinfo,
     .args = "",
     .rest = "LIB-NAME|LIB-VER value",
     .flags = CMD_FAST,
     .summary = "Tells which client library this is.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "LIST",
     .full = "client|list",
     .group = GROUP_CONNECTION,
     .run = cmd_client_list,
     .args = "",
     .rest = "[TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id [client-id ...]]",
     .flags = CMD_ADMIN,
     .summary = "Lists connections.",
     .reply = "A line for each.",
     .since = FIRST},
    {.name = "INFO",
     .full = "client|info",
     .group = GROUP_CONNECTION,
     .run = cmd_client_info,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Describes this connection.",
     .reply = "A line as in CLIENT LIST.",
     .since = FIRST},
    {.name = "KILL",
     .full = "client|kill",
     .group = GROUP_CONNECTION,
     .run = cmd_client_kill,
     .args = "",
     .rest = "[ip:port] [ID client-id] [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [USER username] "
             "[ADDR ip:port] [LADDR ip:port] [SKIPME YES|NO] [MAXAGE seconds]",
     .flags = CMD_ADMIN,
     .summary = "Closes connections: the one at an address, or all that fit the filters.",
     .reply = "OK for an address; else how many were closed.",
     .since = FIRST},
    {.name = "NO-EVICT",
     .full = "client|no-evict",
     .group = GROUP_CONNECTION,
     .run = cmd_client_no_evict,
     .args = "",
     .rest = "ON|OFF",
     .flags = CMD_ADMIN,
     .summary = "Marks this connection, as CLIENT LIST then shows (flag e).",
     .reply = "OK.",
     .since = FIRST},
    {.name = "REPLY",
     .full = "client|reply",
     .group = GROUP_CONNECTION,
     .run = cmd_client_reply,
     .args = "",
     .rest = "ON|OFF|SKIP",
     .flags = CMD_FAST,
     .summary = "Turns replies to this connection off and on, or drops the next one.",
     .reply = "OK for ON, else nothing.",
     .since = FIRST},
    {.name = "TRACKINGINFO",
     .full = "client|trackinginfo",
     .group = GROUP_CONNECTION,
     .run = cmd_client_trackinginfo,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Tells that client side caching is off.",
     .reply = "A map: flags, redirect, prefixes.",
     .since = FIRST},
    {.name = "HELP",
     .full = "client|help",
     .group = GROUP_CONNECTION,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

static const struct command command_rows[] = {
    {.name = "COUNT",
     .full = "command|count",
     .group = GROUP_SERVER,
     .run = cmd_command_count,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Counts the commands.",
     .reply = "An integer.",
     .since = FIRST},
    {.name = "DOCS",
     .full = "command|docs",
     .group = GROUP_SERVER,
     .run = cmd_command_docs,
     .args = "",
     .rest = "[command-name ...]",
     .summary = "Describes commands, for people.",
     .reply = "A map from name to a map.",
     .since = FIRST},
    {.name = "INFO",
     .full = "command|info",
     .group = GROUP_SERVER,
     .run = cmd_command_info,
     .args = "",
     .rest = "[command-name ...]",
     .summary = "Describes commands, for clients.",
     .reply = "An array; nil for an unknown one.",
     .since = FIRST},
    {.name = "LIST",
     .full = "command|list",
     .group = GROUP_SERVER,
     .run = cmd_command_list,
     .args = "",
     .rest = "[FILTERBY MODULE|ACLCAT|PATTERN value]",
     .summary = "Lists the commands' names.",
     .reply = "An array.",
     .since = FIRST},
    {.name = "GETKEYS",
     .full = "command|getkeys",
     .group = GROUP_SERVER,
     .run = cmd_command_getkeys,
     .args = "",
     .rest = "command [arg ...]",
     .summary = "Tells which arguments of a request are pools.",
     .reply = "An array.",
     .since = FIRST},
    {.name = "HELP",
     .full = "command|help",
     .group = GROUP_SERVER,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

static const struct command config_rows[] = {
    {.name = "GET",
     .full = "config|get",
     .group = GROUP_SERVER,
     .run = cmd_config_get,
     .args = "",
     .rest = "pattern [pattern ...]",
     .flags = CMD_ADMIN,
     .summary = "Tells settings. Passwords are shown empty.",
     .reply = "A map from section.key to value.",
     .since = FIRST},
    {.name = "SET",
     .full = "config|set",
     .group = GROUP_SERVER,
     .run = cmd_config_set,
     .args = "setting value",
     .flags = CMD_ADMIN | CMD_NO_MONITOR,
     .summary = "Changes a setting that can be changed while the daemon runs.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "RESETSTAT",
     .full = "config|resetstat",
     .group = GROUP_SERVER,
     .run = cmd_config_resetstat,
     .args = "",
     .flags = CMD_ADMIN,
     .summary = "Sets the counters of INFO to 0.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "HELP",
     .full = "config|help",
     .group = GROUP_SERVER,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

static const struct command slowlog_rows[] = {
    {.name = "GET",
     .full = "slowlog|get",
     .group = GROUP_SERVER,
     .run = cmd_slowlog_get,
     .args = "[count]",
     .flags = CMD_ADMIN,
     .summary = "Tells the newest slow requests: 10, or count, or all (-1).",
     .reply = "An array of arrays: number, Unix time, microseconds until the whole reply, "
              "arguments, address and name of the client.",
     .since = FIRST},
    {.name = "LEN",
     .full = "slowlog|len",
     .group = GROUP_SERVER,
     .run = cmd_slowlog_len,
     .args = "",
     .flags = CMD_ADMIN | CMD_FAST,
     .summary = "Counts the slow requests that are kept.",
     .reply = "An integer.",
     .since = FIRST},
    {.name = "RESET",
     .full = "slowlog|reset",
     .group = GROUP_SERVER,
     .run = cmd_slowlog_reset,
     .args = "",
     .flags = CMD_ADMIN,
     .summary = "Forgets all slow requests.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "HELP",
     .full = "slowlog|help",
     .group = GROUP_SERVER,
     .run = cmd_container_help,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Lists the subcommands.",
     .reply = "An array of lines.",
     .since = FIRST},
    {.name = NULL}};

const struct command command_table[] = {
    {.name = "MALLOC",
     .full = "malloc",
     .group = GROUP_LEASES,
     .run = cmd_malloc,
     .args = "pool",
     .options = OPT_TIMEOUT | OPT_NAME | OPT_BINDTIMEOUT | OPT_COUNT | OPT_ALL | OPT_OWNER |
                OPT_REQID | OPT_WITHTOKEN,
     .flags = CMD_WRITE | CMD_FAST,
     .summary = "Leases a free resource: the one that NAME is bound to, else the one that has "
                "been free for longest.",
     .reply = "The resource; nil when none is free. With COUNT an array of up to n (ALL: n "
              "or none). With WITHTOKEN each is an array of resource, token, fence and time "
              "to live in ms (-1: for ever).",
     .since = FIRST},
    {.name = "FREE",
     .full = "free",
     .group = GROUP_LEASES,
     .run = cmd_free,
     .args = "pool",
     .options = OPT_TOKEN | OPT_TIMEOUT,
     .rest = "resource [resource ...]",
     .flags = CMD_WRITE | CMD_RESOURCES,
     .summary = "Ends leases; TIMEOUT gives the resources a new expiry, without it the expiry "
                "stays.",
     .reply = "How many were freed; NOTOWNER when the lease has another token than TOKEN.",
     .since = FIRST},
    {.name = "RENEW",
     .full = "renew",
     .group = GROUP_LEASES,
     .run = cmd_renew,
     .args = "pool resource",
     .options = OPT_TOKEN | OPT_TIMEOUT,
     .flags = CMD_WRITE | CMD_FAST,
     .summary = "Gives a lease a new deadline.",
     .reply = "1; 0 when there is no such lease; NOTOWNER when it has another token than "
              "TOKEN.",
     .since = FIRST},
    {.name = "HELD",
     .full = "held",
     .group = GROUP_LEASES,
     .run = cmd_held,
     .args = "pool owner",
     .flags = CMD_READ,
     .summary = "Tells what an owner holds, so that a program that was restarted finds its own.",
     .reply = "An array of arrays of resource, token, fence and time to live in ms (-1: for "
              "ever).",
     .since = FIRST},
    {.name = "BIND",
     .full = "bind",
     .group = GROUP_LEASES,
     .run = cmd_bind,
     .args = "pool name resource",
     .options = OPT_TIMEOUT,
     .flags = CMD_WRITE | CMD_FAST,
     .summary = "Binds a name to the resource that MALLOC with this NAME shall prefer.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "UNBIND",
     .full = "unbind",
     .group = GROUP_LEASES,
     .run = cmd_unbind,
     .args = "pool name",
     .flags = CMD_WRITE | CMD_FAST,
     .summary = "Forgets a binding.",
     .reply = "1; 0 when there is none.",
     .since = FIRST},
    {.name = "BOUND",
     .full = "bound",
     .group = GROUP_LEASES,
     .run = cmd_bound,
     .args = "pool name",
     .flags = CMD_READ | CMD_FAST,
     .summary = "Tells which resource a name is bound to.",
     .reply = "The resource, or nil.",
     .since = FIRST},
    {.name = "POOL",
     .full = "pool",
     .group = GROUP_POOLS,
     .args = "",
     .summary = "The pools and what is in them.",
     .reply = "That of the subcommand.",
     .since = FIRST,
     .subcommands = pool_rows},
    {.name = "FENCE",
     .full = "fence",
     .group = GROUP_FENCES,
     .args = "",
     .summary = "Fences, for what is written to elsewhere.",
     .reply = "That of the subcommand.",
     .since = FIRST,
     .subcommands = fence_rows},
    {.name = "PING",
     .full = "ping",
     .group = GROUP_CONNECTION,
     .run = cmd_ping,
     .args = "[message]",
     .flags = CMD_FAST,
     .summary = "Shows that the daemon answers, Redis or not.",
     .reply = "PONG, or the message.",
     .since = FIRST},
    {.name = "ECHO",
     .full = "echo",
     .group = GROUP_CONNECTION,
     .run = cmd_echo,
     .args = "message",
     .flags = CMD_FAST,
     .summary = "Sends a message back.",
     .reply = "The message.",
     .since = FIRST},
    {.name = "AUTH",
     .full = "auth",
     .group = GROUP_CONNECTION,
     .run = cmd_auth,
     .args = "[username] password",
     .flags = CMD_NO_AUTH | CMD_NO_MONITOR | CMD_FAST,
     .summary = "Logs in. The user is called default.",
     .reply = "OK, or WRONGPASS.",
     .since = FIRST},
    {.name = "HELLO",
     .full = "hello",
     .group = GROUP_CONNECTION,
     .run = cmd_hello,
     .args = "",
     .rest = "[protover [AUTH username password] [SETNAME clientname]]",
     .flags = CMD_NO_AUTH | CMD_NO_MONITOR | CMD_FAST,
     .summary = "Chooses the protocol, 2 or 3; logs in and names the connection.",
     .reply = "A map: server, version, proto, id, mode, role, modules.",
     .since = FIRST},
    {.name = "CLIENT",
     .full = "client",
     .group = GROUP_CONNECTION,
     .args = "",
     .flags = CMD_FAST,
     .summary = "This connection and the others.",
     .reply = "That of the subcommand.",
     .since = FIRST,
     .subcommands = client_rows},
    {.name = "SELECT",
     .full = "select",
     .group = GROUP_CONNECTION,
     .run = cmd_select,
     .args = "index",
     .flags = CMD_FAST,
     .summary = "Takes database 0, the only one, for clients that select it.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "RESET",
     .full = "reset",
     .group = GROUP_CONNECTION,
     .run = cmd_reset,
     .args = "",
     .flags = CMD_NO_AUTH | CMD_FAST,
     .summary = "Makes the connection as it was when it was opened.",
     .reply = "RESET.",
     .since = FIRST},
    {.name = "QUIT",
     .full = "quit",
     .group = GROUP_CONNECTION,
     .run = cmd_quit,
     .args = "",
     .flags = CMD_NO_AUTH | CMD_FAST,
     .summary = "Closes the connection when all before is answered.",
     .reply = "OK.",
     .since = FIRST},
    {.name = "INFO",
     .full = "info",
     .group = GROUP_SERVER,
     .run = cmd_info,
     .args = "",
     .rest = "[section ...]",
     .summary =
         "Tells how the daemon is: sections server, clients, memory, stats, commandstats, "
         "redis, pools; default is all of them but commandstats, all and everything are all.",
     .reply = "Lines of name:value under headings.",
     .since = FIRST},
    {.name = "COMMAND",
     .full = "command",
     .group = GROUP_SERVER,
     .run = cmd_command,
     .args = "",
     .summary = "Describes all commands, for clients.",
     .reply = "As COMMAND INFO.",
     .since = FIRST,
     .subcommands = command_rows},
    {.name = "CONFIG",
     .full = "config",
     .group = GROUP_SERVER,
     .args = "",
     .flags = CMD_ADMIN,
     .summary = "Settings while the daemon runs.",
     .reply = "That of the subcommand.",
     .since = FIRST,
     .subcommands = config_rows},
    {.name = "SLOWLOG",
     .full = "slowlog",
     .group = GROUP_SERVER,
     .args = "",
     .flags = CMD_ADMIN,
     .summary = "Requests that took long.",
     .reply = "That of the subcommand.",
     .since = FIRST,
     .subcommands = slowlog_rows},
    {.name = "MONITOR",
     .full = "monitor",
     .group = GROUP_SERVER,
     .run = cmd_monitor,
     .args = "",
     .flags = CMD_ADMIN,
     .summary = "Shows all requests as they come. RESET or QUIT ends it.",
     .reply = "OK, then a line for each request.",
     .since = FIRST},
    {.name = "TIME",
     .full = "time",
     .group = GROUP_SERVER,
     .run = cmd_time,
     .args = "",
     .flags = CMD_FAST,
     .summary = "Tells the daemon's time.",
     .reply = "An array: Unix seconds, microseconds.",
     .since = FIRST},
    {.name = "HELP",
     .full = "help",
     .group = GROUP_SERVER,
     .run = cmd_help,
     .args = "",
     .rest = "[command [subcommand]]",
     .flags = CMD_FAST,
     .summary = "Explains a command, or lists them all.",
     .reply = "A text.",
     .since = FIRST},
    {.name = "SHUTDOWN",
     .full = "shutdown",
     .group = GROUP_SERVER,
     .run = cmd_shutdown,
     .args = "",
     .rest = "[NOSAVE|SAVE] [NOW]",
     .flags = CMD_ADMIN,
     .summary = "Stops the daemon when all requests are answered, or at once (NOW). What lies "
                "in Redis stays there: SAVE and NOSAVE are accepted because Redis clients send "
                "them.",
     .reply = "Nothing: the connection is closed.",
     .since = FIRST},
    {.name = NULL}};

static const struct command *find_row(const struct command *rows, struct str name)
{
    for (const struct command *row = rows; row->name != NULL; row++) {
        if (str_eq_nocase(name, str_of(row->name)))
            return row;
    }
    return NULL;
}

const struct command *command_find(struct str name)
{
    return find_row(command_table, name);
}

const struct command *command_find_sub(const struct command *parent, struct str name)
{
    return parent->subcommands == NULL ? NULL : find_row(parent->subcommands, name);
}

const struct command *command_find_full(struct str name)
{
    struct str rest = name, word;

    if (!str_split(&rest, '|', &word))
        return NULL;
    const struct command *command = command_find(word);
    if (command == NULL || rest.ptr == NULL)
        return command;
    return command_find_sub(command, rest);
}

size_t command_count_rows(const struct command *rows)
{
    size_t count = 0;
    while (rows != NULL && rows[count].name != NULL)
        count++;
    return count;
}

const struct command *command_parent(const struct command *command)
{
    for (const struct command *row = command_table; row->name != NULL; row++) {
        size_t count = command_count_rows(row->subcommands);
        for (size_t i = 0; i < count; i++) {
            if (&row->subcommands[i] == command)
                return row;
        }
    }
    return NULL;
}

void command_words(const char *text, int *least, int *most)
{
    int depth = 0;
    bool is_in_word = false;

    *least = *most = 0;
    for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
        depth += *c == '[';
        depth -= *c == ']';
        if (*c == ' ' || *c == '[' || *c == ']') {
            is_in_word = false;
        } else if (!is_in_word) {
            is_in_word = true;
            *least += depth == 0;
            (*most)++;
        }
    }
}

int command_arity(const struct command *command)
{
    int least, most, rest_least, rest_most;

    command_words(command->args, &least, &most);
    command_words(command->rest, &rest_least, &rest_most);
    int names = memchr(command->full, '|', strlen(command->full)) != NULL ? 2 : 1;
    if (command->run == NULL)
        return -2;
    int arity = names + least + rest_least;
    bool is_exact = least == most && rest_least == rest_most && command->options == 0 &&
                    command->subcommands == NULL;
    return is_exact ? arity : -arity;
}

int command_pool_at(const struct command *command)
{
    if (!str_starts(str_of(command->args), STR("pool")))
        return 0;
    return memchr(command->full, '|', strlen(command->full)) != NULL ? 2 : 1;
}

const char *command_group_name(enum command_group group)
{
    static const char *const names[GROUP_COUNT] = {
        [GROUP_LEASES] = "leases",         [GROUP_POOLS] = "pools",   [GROUP_FENCES] = "fences",
        [GROUP_CONNECTION] = "connection", [GROUP_SERVER] = "server",
    };
    return names[group];
}

size_t command_count(void)
{
    size_t count = 0;
    for (const struct command *row = command_table; row->name != NULL; row++)
        count += 1 + command_count_rows(row->subcommands);
    return count;
}

size_t command_index(const struct command *command)
{
    size_t index = 0;
    for (const struct command *row = command_table; row->name != NULL; row++) {
        if (row == command)
            return index;
        index++;
        size_t count = command_count_rows(row->subcommands);
        for (size_t i = 0; i < count; i++, index++) {
            if (&row->subcommands[i] == command)
                return index;
        }
    }
    return 0;
}

const struct command *command_at(size_t index)
{
    for (const struct command *row = command_table; row->name != NULL; row++) {
        size_t count = command_count_rows(row->subcommands);
        if (index == 0)
            return row;
        if (index <= count)
            return &row->subcommands[index - 1];
        index -= 1 + count;
    }
    return NULL;
}
