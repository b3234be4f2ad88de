/* config: where settings come from, what is said of bad ones, reload, --check, pid file, exit
 * codes, signals of systemd. */
#include "tests/lib/rig.h"
#include "tests/lib/wire.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static char file[128]; /* a configuration file */

static void set_up(void)
{
    rig_start(&rig);
    node = rig_node(&rig);
    snprintf(file, sizeof(file), "%s/rallocd.conf", rig.guard.dir);
}

static void tear_down(void)
{
    rig_end(&rig);
}

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Runs the program with the node's arguments alone; its exit status. The output is in its log. */
static int run_plain(const char *first, const char *second)
{
    char *argv[] = {(char *)(uintptr_t)node_program(), (char *)(uintptr_t)first,
                    (char *)(uintptr_t)second, NULL};
    unlink(node->log);
    return guard_wait(guard_run(node->log, argv, NULL));
}

static void expect_setting(const char *name, const char *value)
{
    char words[100], expected[200];
    struct client *c = node_client(node);
    snprintf(words, sizeof(words), "CONFIG GET %s", name);
    snprintf(expected, sizeof(expected), "1) \"%s\"\n2) \"%s\"", name, value);
    expect(c, words, expected);
    client_close(c);
}

/* --- usage --- */

START_TEST(version_help_and_check_print_and_end_with_0)
{
    ck_assert_int_eq(run_plain("--version", NULL), 0);
    ck_assert(node_log_has(node, "rallocd 0.1.0\n"));
    ck_assert_int_eq(run_plain("--help", NULL), 0);
    ck_assert(node_log_has(node, "exit codes:"));
    ck_assert_int_eq(run_plain("--check", NULL), 0);
    ck_assert(node_log_has(node, "configuration ok\n"));
}
END_TEST

START_TEST(unknown_options_end_with_2)
{
    ck_assert_int_eq(run_plain("--foo", NULL), 2);
    ck_assert(node_log_has(node, "--foo"));
    ck_assert_int_eq(run_plain("-c", NULL), 2);
    ck_assert_int_eq(run_plain("-c", "/nowhere/rallocd.conf"), 2);
    ck_assert(node_log_has(node, "/nowhere/rallocd.conf"));
}
END_TEST

START_TEST(bad_settings_of_the_command_line_are_told)
{
    ck_assert_int_eq(run_plain("--server.maxclients=many", NULL), 2);
    ck_assert(node_log_has(node, "--server.maxclients") && node_log_has(node, "many"));
    ck_assert_int_eq(run_plain("--server.foo=1", NULL), 2);
    ck_assert(node_log_has(node, "foo"));
    ck_assert_int_eq(run_plain("--redis.url=http://x", NULL), 2);
    ck_assert_int_eq(run_plain("--server.listen=nonsense", NULL), 2);
}
END_TEST

/* --- the file --- */

START_TEST(the_file_sets_what_it_says)
{
    write_file("[server]\nmaxclients = 77\n[pool:s]\nmode = shared\n");
    node_option(node, "-c");
    node_option(node, "%s", file);
    node_start(node);
    expect_setting("server.maxclients", "77");
    struct client *c = node_client(node);
    expect(c, "POOL EXTEND s a", "(integer) 1");
    expect(c, "MALLOC s", "'a'");
    expect(c, "MALLOC s", "'a'");
    client_close(c);
}
END_TEST

START_TEST(errors_of_the_file_have_file_line_and_what_is_allowed)
{
    char where[200];
    write_file("[server]\n\nmaxclients = 0\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
    snprintf(where, sizeof(where), "%s:3", file);
    ck_assert(node_log_has(node, where) && node_log_has(node, "maxclients"));
    write_file("[server]\nmaxclient = 1\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
    ck_assert(node_log_has(node, ":2") && node_log_has(node, "maxclient"));
    write_file("[log]\nlevel = loud\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
    ck_assert(node_log_has(node, "error") && node_log_has(node, "debug"));
    for (int i = 0; i < 2; i++) { /* addresses, which only sockets can judge */
        write_file(i == 0 ? "[server]\n\n\nlisten = 1.2.3.4\n"
                          : "[server]\n\n\nlisten = no.address:7411\n");
        ck_assert_int_eq(run_plain("-c", file), 2);
        snprintf(where, sizeof(where), "%s:4: [server] listen: ", file);
        ck_assert(node_log_has(node, where) && node_log_has(node, "allowed: host:port"));
    }
    write_file("[nonsense]\na = 1\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
    write_file("[server\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
    write_file("[pool:bad|name]\nmode = shared\n");
    ck_assert_int_eq(run_plain("-c", file), 2);
}
END_TEST

START_TEST(check_reads_the_file_and_starts_nothing)
{
    char *argv[] = {(char *)(uintptr_t)node_program(), "-c", file, "--check", NULL};
    write_file("[server]\nlisten = unix:/nowhere/at/all.sock\n");
    ck_assert_int_eq(guard_wait(guard_run(node->log, argv, NULL)), 0);
    write_file("[server]\nmaxclients = x\n");
    ck_assert_int_eq(guard_wait(guard_run(node->log, argv, NULL)), 2);
}
END_TEST

/* --- layers --- */

START_TEST(the_environment_wins_over_the_file_and_the_command_line_over_both)
{
    write_file("[server]\nmaxclients = 11\ntimeout = 11\nmax_args = 111\n");
    setenv("RALLOCD_SERVER_TIMEOUT", "22", 1);
    setenv("RALLOCD_SERVER_MAX_ARGS", "222", 1);
    setenv("RALLOCD_PORT_7411_TCP", "tcp://10.0.0.1:7411", 1);
    node_option(node, "-c");
    node_option(node, "%s", file);
    node_option(node, "--server.max_args=333");
    node_start(node);
    expect_setting("server.maxclients", "11");
    expect_setting("server.timeout", "22");
    expect_setting("server.max_args", "333");
    ck_assert(node_log_has(node, "RALLOCD_PORT_7411_TCP"));
}
END_TEST

START_TEST(a_bad_value_in_the_environment_ends_with_2)
{
    setenv("RALLOCD_SERVER_TIMEOUT", "soon", 1);
    ck_assert_int_eq(run_plain("--check", NULL), 2);
    ck_assert(node_log_has(node, "RALLOCD_SERVER_TIMEOUT"));
}
END_TEST

/* --- reload --- */

START_TEST(sighup_reloads_what_can_be)
{
    write_file("[server]\nmaxclients = 11\n[log]\nlevel = info\n");
    node_option(node, "-c");
    node_option(node, "%s", file);
    node_start(node);
    struct client *c = node_client(node);
    expect(c, "POOL EXTEND s a b", "(integer) 2");
    write_file("[server]\nmaxclients = 12\nnamespace = other\n[log]\nlevel = debug\n"
               "[pool:s]\nmode = shared\n");
    node_signal(node, SIGHUP);
    node_wait_message(node, "RELOADING=1");
    node_wait_message(node, "READY=1");
    expect_setting("server.maxclients", "12");
    expect_setting("server.namespace", "rallocd"); /* needs a restart, which the log says */
    ck_assert(node_log_has(node, "namespace"));
    until(node_log_has(node, "level=debug"));
    expect(c, "MALLOC s", "'a'");
    expect(c, "MALLOC s", "'b'");
    expect(c, "MALLOC s", "'a'");
    client_close(c);
}
END_TEST

START_TEST(a_reload_of_a_bad_file_changes_nothing)
{
    write_file("[server]\nmaxclients = 11\n");
    node_option(node, "-c");
    node_option(node, "%s", file);
    node_start(node);
    write_file("[server]\nmaxclients = 12\ntimeout = never\n");
    node_signal(node, SIGHUP);
    until(node_log_has(node, "event=reload-failed"));
    expect_setting("server.maxclients", "11");
}
END_TEST

START_TEST(sighup_without_a_file_is_harmless)
{
    node_start(node);
    node_signal(node, SIGHUP);
    node_wait_message(node, "READY=1");
    struct client *c = node_client(node);
    expect(c, "PING", "PONG");
    client_close(c);
}
END_TEST

/* --- pid file --- */

START_TEST(the_pid_file_is_there_while_the_daemon_runs)
{
    char path[128], text[40] = "", expected[40];
    snprintf(path, sizeof(path), "%s/rallocd.pid", rig.guard.dir);
    node_option(node, "--server.pidfile=%s", path);
    node_start(node);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), in));
    fclose(in);
    snprintf(expected, sizeof(expected), "%d\n", (int)node->pid);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert(!exists(path));
}
END_TEST

START_TEST(a_pid_file_that_cannot_be_written_ends_with_1)
{
    node_option(node, "--server.pidfile=/nowhere/rallocd.pid");
    node_launch(node);
    ck_assert_int_eq(node_wait_end(node), 1);
    ck_assert(node_log_has(node, "/nowhere/rallocd.pid"));
    ck_assert(!exists(node->path));
}
END_TEST

START_TEST(a_start_that_fails_leaves_the_other_daemons_pid_file)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/rallocd.pid", rig.guard.dir);
    node_option(node, "--server.pidfile=%s", path);
    node_start(node);
    struct node *second = rig_node(&rig);
    node_option(second, "--server.pidfile=%s", path);
    node_option(second, "--server.listen=unix:%s", node->path);
    node_launch(second);
    ck_assert_int_eq(node_wait_end(second), 1);
    ck_assert(exists(path));
}
END_TEST

/* --- the service manager --- */

START_TEST(status_and_stop_are_told_to_the_service_manager)
{
    node_start(node);
    ck_assert_ptr_nonnull(strstr(node->status, node->path));
    node_signal(node, SIGTERM);
    node_wait_message(node, "STOPPING=1");
    ck_assert_int_eq(node_wait_end(node), 0);
}
END_TEST

START_TEST(the_watchdog_is_fed)
{
    setenv("WATCHDOG_USEC", "100000", 1);
    node_start(node);
    node_wait_message(node, "WATCHDOG=1");
    node_wait_message(node, "WATCHDOG=1");
}
END_TEST

/* --- the log --- */

START_TEST(the_log_tells_version_addresses_and_redis_at_the_start)
{
    node_start(node);
    ck_assert(node_log_has(node, "event=ready version=0.1.0 listen=unix:"));
    ck_assert(node_log_has(node, "redis=unix://"));
}
END_TEST

START_TEST(the_log_can_be_json)
{
    node_option(node, "--log.format=json");
    node_start(node);
    ck_assert(node_log_has(node, "\"event\":\"ready\""));
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "config", set_up, tear_down, version_help_and_check_print_and_end_with_0,
        unknown_options_end_with_2, bad_settings_of_the_command_line_are_told,
        the_file_sets_what_it_says, errors_of_the_file_have_file_line_and_what_is_allowed,
        check_reads_the_file_and_starts_nothing,
        the_environment_wins_over_the_file_and_the_command_line_over_both,
        a_bad_value_in_the_environment_ends_with_2, sighup_reloads_what_can_be,
        a_reload_of_a_bad_file_changes_nothing, sighup_without_a_file_is_harmless,
        the_pid_file_is_there_while_the_daemon_runs, a_pid_file_that_cannot_be_written_ends_with_1,
        a_start_that_fails_leaves_the_other_daemons_pid_file,
        status_and_stop_are_told_to_the_service_manager, the_watchdog_is_fed,
        the_log_tells_version_addresses_and_redis_at_the_start, the_log_can_be_json);
}
