/* admin: INFO, CONFIG, SLOWLOG, MONITOR, COMMAND, HELP as tools and people use them. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_daemon(&rig);
    c = node_client(node);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static long info_of(const char *section, const char *field)
{
    char words[60], name[60];
    snprintf(words, sizeof(words), "INFO %s", section);
    snprintf(name, sizeof(name), "\\n%s:", field);
    const char *info = say(c, words), *at = strstr(info, name);
    ck_assert_msg(at != NULL, "no %s in %s", field, info);
    return strtol(at + strlen(name), NULL, 10);
}

/* --- INFO --- */

START_TEST(info_has_all_sections)
{
    const char *info = say(c, "INFO");
    const char *const sections[] = {"Server", "Clients", "Memory", "Stats", "Redis", "Pools"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        char heading[40];
        snprintf(heading, sizeof(heading), "# %s\\r\\n", sections[i]);
        ck_assert_msg(has(info, heading), "no %s", heading);
    }
    ck_assert(has(info, "rallocd_version:0.1.0\\r\\n"));
    ck_assert(!has(info, "# Commandstats"));
    ck_assert(has(say(c, "INFO everything"), "# Commandstats"));
}
END_TEST

START_TEST(info_gives_the_sections_asked_for)
{
    const char *info = say(c, "INFO clients STATS");
    ck_assert(has(info, "# Clients") && has(info, "# Stats") && !has(info, "# Server"));
    expect(c, "INFO nothing", "''");
}
END_TEST

START_TEST(info_counts_clients_and_commands)
{
    struct client *second = node_client(node);
    expect(second, "PING", "PONG");
    ck_assert_int_eq(info_of("clients", "connected_clients"), 2);
    long before = info_of("stats", "total_commands_processed");
    expect(c, "PING", "PONG");
    ck_assert_int_eq(info_of("stats", "total_commands_processed"), before + 2);
    ck_assert_int_gt(info_of("stats", "total_net_input_bytes"), 50);
    ck_assert_int_gt(info_of("stats", "total_net_output_bytes"), 500);
    client_close(second);
    until(info_of("clients", "connected_clients") == 1);
}
END_TEST

START_TEST(info_counts_calls_rejections_and_failures_of_each_command)
{
    expect(c, "POOL LEN p", "(integer) 0");
    say(c, "POOL LEN");
    expect(c, "POOL EXTEND p r", "(integer) 1");
    expect(c, "MALLOC p", "'r'");
    expect_like(c, "FREE p TOKEN wrong r", "(error) NOTOWNER *");
    const char *info = say(c, "INFO commandstats");
    const char *len = strstr(info, "cmdstat_pool|len:"), *free = strstr(info, "cmdstat_free:");
    ck_assert(len != NULL && strncmp(len, "cmdstat_pool|len:calls=1,", 25) == 0);
    ck_assert(has(len, "rejected_calls=1,failed_calls=0"));
    ck_assert(free != NULL && has(free, "rejected_calls=0,failed_calls=1"));
    ck_assert_int_ge(info_of("stats", "total_error_replies"), 2);
}
END_TEST

START_TEST(info_tells_of_redis_and_pools)
{
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(c, "MALLOC p", "'r1'");
    const char *info = say(c, "INFO redis pools");
    ck_assert(has(info, "redis_where:unix://"));
    ck_assert(has(info, "redis_server_version:7."));
    ck_assert(has(info, "pool_p:mode=exclusive,"));
    ck_assert(has(info, "mallocs=1,grants=1,"));
    ck_assert_int_eq(info_of("redis", "redis_links"), 4);
}
END_TEST

START_TEST(info_is_a_verbatim_text_in_resp3)
{
    size_t len;
    say(c, "HELLO 3");
    client_send(c, "INFO server");
    ck_assert(client_read_raw(c, &len)[0] == '=');
}
END_TEST

/* --- CONFIG --- */

START_TEST(config_get_tells_settings_by_patterns)
{
    expect(c, "CONFIG GET server.maxclients", "1) 'server.maxclients'\n2) '10000'");
    expect(c, "CONFIG GET maxclients", "1) 'maxclients'\n2) '10000'");
    expect(c, "CONFIG GET log.leve? nothing.*", "1) 'log.level'\n2) 'info'");
    expect(c, "CONFIG GET nothing", "(empty array)");
    ck_assert(has(say(c, "CONFIG GET *"), "\"redis.url\""));
    expect_like(c, "CONFIG GET", "(error) ERR wrong number of arguments for 'config|get' command");
}
END_TEST

START_TEST(config_set_changes_what_can_be_changed)
{
    expect(c, "CONFIG SET maxclients 50", "OK");
    expect(c, "CONFIG GET maxclients", "1) 'maxclients'\n2) '50'");
    expect(c, "CONFIG SET server.timeout 5.5", "OK");
    expect_like(c, "CONFIG SET maxclients x", "(error) ERR *maxclients*");
    expect_like(c, "CONFIG SET maxclients 0", "(error) ERR *maxclients*");
    expect_like(c, "CONFIG SET redis.links 5", "(error) ERR *redis.links*");
    expect_like(c, "CONFIG SET foo 5", "(error) ERR *foo*");
    expect_like(c, "CONFIG SET maxclients", "(error) ERR wrong number of arguments *");
    expect(c, "CONFIG GET maxclients", "1) 'maxclients'\n2) '50'");
}
END_TEST

START_TEST(config_set_of_the_log_level_works_at_once)
{
    struct client *second = node_client(node);
    expect(second, "PING", "PONG");
    ck_assert(!node_log_has(node, "client-connected"));
    expect(c, "CONFIG SET log.level debug", "OK");
    client_close(second);
    second = node_client(node);
    until(node_log_has(node, "event=client-connected"));
    client_close(second);
}
END_TEST

START_TEST(config_set_of_the_password_is_for_those_who_come)
{
    expect(c, "CONFIG SET requirepass secret", "OK");
    expect(c, "CONFIG GET requirepass", "1) 'requirepass'\n2) ''");
    struct client *second = node_client(node);
    expect_like(second, "POOL LEN p", "(error) NOAUTH *");
    client_close(second);
    expect(c, "CONFIG SET requirepass \"\"", "OK");
}
END_TEST

START_TEST(config_resetstat_sets_counters_to_0)
{
    expect(c, "POOL LEN p", "(integer) 0");
    say(c, "FOO");
    expect(c, "CONFIG RESETSTAT", "OK");
    ck_assert_int_eq(info_of("stats", "total_error_replies"), 0);
    ck_assert(!has(say(c, "INFO commandstats"), "cmdstat_pool|len"));
    ck_assert_int_eq(info_of("clients", "connected_clients"), 1);
}
END_TEST

/* --- SLOWLOG --- */

START_TEST(slowlog_keeps_what_took_long)
{
    expect(c, "SLOWLOG LEN", "(integer) 0");
    expect(c, "CONFIG SET slowlog_log_slower_than 0", "OK");
    expect(c, "SLOWLOG RESET", "OK");
    expect(c, "CLIENT SETNAME me", "OK");
    expect(c, "ECHO slow", "'slow'");
    expect(c, "CONFIG SET slowlog_log_slower_than -1", "OK");
    expect(c, "ECHO unseen", "'unseen'");
    expect_like(c, "SLOWLOG GET 2",
                "1) 1) *4) 1) 'ECHO'\n      2) 'slow'\n   5) '*daemon-0.sock:0'\n   6) 'me'\n2) *");
    expect(c, "SLOWLOG RESET", "OK");
    expect(c, "SLOWLOG GET", "(empty array)");
}
END_TEST

START_TEST(slowlog_counts_the_waiting_for_redis)
{
    expect(c, "CONFIG SET slowlog_log_slower_than 100000", "OK");
    expect(c, "POOL LEN p", "(integer) 0");
    server_freeze(&rig.redis);
    client_send(c, "MALLOC p");
    int64_t began_ms = until_now_ms();
    until(until_now_ms() - began_ms > 150);
    server_thaw(&rig.redis);
    expect_text(client_read(c), "(nil)");
    expect_like(c, "SLOWLOG GET", "*1) 'MALLOC'\n*2) 'p'*");
}
END_TEST

START_TEST(slowlog_is_bounded_and_shortens_long_requests)
{
    char words[400];
    expect(c, "CONFIG SET slowlog_max_len 3", "OK");
    expect(c, "CONFIG SET slowlog_log_slower_than 0", "OK");
    for (int i = 0; i < 10; i++)
        expect(c, "PING", "PONG");
    expect(c, "SLOWLOG LEN", "(integer) 3");
    snprintf(words, sizeof(words), "ECHO %0200d", 1);
    say(c, words);
    expect_like(c, "SLOWLOG GET 1", "*0... (72 more bytes)'*");
    expect_like(c, "SLOWLOG GET x", "(error) ERR count *");
    expect_like(c, "SLOWLOG HELP", "*SLOWLOG <subcommand>*");
}
END_TEST

/* --- MONITOR --- */

START_TEST(monitor_shows_requests_as_redis_does)
{
    struct client *monitor = node_client(node);
    expect(monitor, "MONITOR", "OK");
    expect(c, "ECHO \"a \\\"b\\\"\\n\\xff\"", "\"a \\\"b\\\"\\n\\xff\"");
    const char *line = client_read(monitor);
    expect_text_like(line, "[0-9]*.[0-9][0-9][0-9][0-9][0-9][0-9] [[]0 *daemon-0.sock:0] "
                           "\"ECHO\" \"a \\\"b\\\"\\n\\xff\"");
    expect(c, "POOL LEN p", "(integer) 0");
    expect_text_like(client_read(monitor), "* 'POOL' 'LEN' 'p'");
    expect(monitor, "RESET", "RESET");
    expect(c, "ECHO unseen", "'unseen'");
    expect(monitor, "PING", "PONG");
    client_close(monitor);
}
END_TEST

START_TEST(monitor_does_not_show_secrets)
{
    struct client *monitor = node_client(node);
    expect(monitor, "MONITOR", "OK");
    say(c, "AUTH hidden-password");
    say(c, "HELLO 2 AUTH default hidden-password");
    expect(c, "CONFIG SET requirepass hidden-password", "OK");
    expect(c, "CONFIG SET requirepass \"\"", "OK");
    expect(c, "ECHO end", "'end'");
    for (;;) {
        const char *line = client_read(monitor);
        ck_assert_msg(!has(line, "hidden-password"), "%s", line);
        if (has(line, "\"end\""))
            break;
    }
    client_close(monitor);
}
END_TEST

START_TEST(monitor_lines_wait_for_the_replies_before_them)
{
    struct client *monitor = node_client(node);
    expect(monitor, "POOL LEN p", "(integer) 0");
    server_freeze(&rig.redis);
    client_send(monitor, "POOL LEN p");
    client_send(monitor, "MONITOR");
    until(info_of("clients", "monitor_clients") == 1);
    expect(c, "ECHO seen", "'seen'");
    server_thaw(&rig.redis);
    expect_text(client_read(monitor), "(integer) 0");
    expect_text(client_read(monitor), "OK");
    while (!has(client_read(monitor), "\"seen\""))
        ;
    client_close(monitor);
}
END_TEST

START_TEST(a_monitor_that_reads_nothing_is_closed_and_harms_nobody)
{
    struct client *monitor = node_client(node);
    char words[9000];
    expect(c, "CONFIG SET max_output 64kb", "OK");
    client_close(monitor);
    monitor = node_client(node);
    expect(monitor, "MONITOR", "OK");
    snprintf(words, sizeof(words), "ECHO %08000d", 1);
    until(info_of("stats", "client_output_buffer_limit_disconnections") > 0 ||
          say(c, words) == NULL);
    expect(c, "PING", "PONG");
    client_close(monitor);
}
END_TEST

/* --- COMMAND, HELP --- */

START_TEST(command_describes_all)
{
    int64_t count = say_int(c, "COMMAND COUNT");
    ck_assert_int_gt(count, 20);
    const char *list = say(c, "COMMAND LIST");
    ck_assert(has(list, "\"malloc\"") && has(list, "\"free\"") && has(list, "\"pool\""));
    ck_assert(has(say(c, "COMMAND"), "\"malloc\""));
    expect_like(c, "COMMAND LIST FILTERBY PATTERN ren*", "1) 'renew'");
    expect_like(c, "COMMAND FOO", "(error) ERR unknown subcommand 'FOO'. Try COMMAND HELP.");
}
END_TEST

START_TEST(command_info_tells_arity_and_flags)
{
    expect_like(c, "COMMAND INFO malloc", "1)  1) 'malloc'\n    2) (integer) -2\n    3) *write*");
    expect_like(c, "COMMAND INFO echo nothing", "1)  1) 'echo'\n    2) (integer) 2\n*2) (nil)");
}
END_TEST

START_TEST(command_docs_tells_summary_and_arguments)
{
    const char *docs = say(c, "COMMAND DOCS malloc");
    ck_assert(has(docs, "\"malloc\"") && has(docs, "\"summary\"") && has(docs, "\"arguments\""));
    ck_assert(has(docs, "\"TIMEOUT\"") && has(docs, "\"since\""));
    ck_assert(has(say(c, "COMMAND DOCS pool"), "\"subcommands\""));
    expect(c, "COMMAND DOCS nothing", "(empty array)");
}
END_TEST

START_TEST(command_getkeys_tells_the_pool)
{
    expect(c, "COMMAND GETKEYS MALLOC p TIMEOUT 5", "1) 'p'");
    expect(c, "COMMAND GETKEYS POOL EXTEND p r", "1) 'p'");
    expect(c, "COMMAND GETKEYS MALLOCALL TIMEOUT 5 p 1 q 2", "1) 'p'\n2) 'q'");
    expect_like(c, "COMMAND GETKEYS MALLOCALL ALL p 1", "(error) ERR *");
    expect_like(c, "COMMAND GETKEYS PING", "(error) ERR *");
    expect_like(c, "COMMAND GETKEYS", "(error) ERR wrong number of arguments *");
}
END_TEST

START_TEST(help_explains_commands)
{
    ck_assert(has(say(c, "HELP"), "MALLOC"));
    const char *help = say(c, "HELP malloc");
    ck_assert(has(help, "TIMEOUT") && has(help, "MALLOC pool"));
    ck_assert(has(say(c, "HELP pool extend"), "POOL EXTEND pool"));
    expect_like(c, "HELP nothing", "(error) ERR *");
    expect_like(c, "CONFIG HELP", "*CONFIG <subcommand>*");
    expect_like(c, "COMMAND HELP", "*COMMAND <subcommand>*");
}
END_TEST

START_TEST(debug_is_off)
{
    expect_like(c, "DEBUG SLEEP 1", "(error) ERR *");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "admin", set_up, tear_down, info_has_all_sections, info_gives_the_sections_asked_for,
        info_counts_clients_and_commands, info_counts_calls_rejections_and_failures_of_each_command,
        info_tells_of_redis_and_pools, info_is_a_verbatim_text_in_resp3,
        config_get_tells_settings_by_patterns, config_set_changes_what_can_be_changed,
        config_set_of_the_log_level_works_at_once, config_set_of_the_password_is_for_those_who_come,
        config_resetstat_sets_counters_to_0, slowlog_keeps_what_took_long,
        slowlog_counts_the_waiting_for_redis, slowlog_is_bounded_and_shortens_long_requests,
        monitor_shows_requests_as_redis_does, monitor_does_not_show_secrets,
        monitor_lines_wait_for_the_replies_before_them,
        a_monitor_that_reads_nothing_is_closed_and_harms_nobody, command_describes_all,
        command_info_tells_arity_and_flags, command_docs_tells_summary_and_arguments,
        command_getkeys_tells_the_pool, help_explains_commands, debug_is_off);
}
