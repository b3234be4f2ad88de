/* admin: INFO, CONFIG, SHUTDOWN. (SLOWLOG and MONITOR are in dispatch.) */
#include "main.h"
#include "report/fields.h"
#include "rig.h"

START_TEST(info_has_the_default_sections)
{
    const char *text = says("INFO");

    ck_assert_ptr_nonnull(strstr(text, "\n# Server\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n# Pools\n"));
    ck_assert_ptr_null(strstr(text, "# Commandstats"));
    ck_assert_str_ne(says("INFO", "default"), "");
    ck_assert_ptr_null(strstr(rig.text, "# Commandstats"));
    ck_assert_ptr_nonnull(strstr(says("INFO", "ALL"), "# Commandstats\ncmdstat_"));
    ck_assert_ptr_nonnull(strstr(says("INFO", "everything"), "# Commandstats"));
}
END_TEST

START_TEST(info_gives_the_sections_asked_for_and_nothing_for_others)
{
    says("INFO", "Clients", "memory");
    ck_assert_ptr_nonnull(strstr(rig.text, "# Clients\nconnected_clients:"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\n\n# Memory\nused_memory:"));
    ck_assert_ptr_null(strstr(rig.text, "# Server"));
    ck_assert_str_eq(says("INFO", "nothing"), "$0\n\n");
    rig.peers[0].state.protocol = 3;
    ck_assert_int_eq(strncmp(says("INFO", "nothing"), "=4\ntxt:\n", 8), 0);
}
END_TEST

START_TEST(info_has_what_client_libraries_look_for)
{
    static const char *const lines[] = {"\nredis_version:7.0.0\n", "\nrallocd_version:0.1.0\n",
                                        "\nloading:0\n", "\nrole:master\n",
                                        "\nredis_mode:standalone\n"};
    const char *text = says("INFO");

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "%s", lines[i]);
}
END_TEST

START_TEST(info_tells_of_each_pool)
{
    says_then("*1\n*4\n$1\na\n$1\nx\n:7\n:1\n", "MALLOC", "gpus");
    ck_assert_ptr_nonnull(
        strstr(says("INFO", "pools"),
               "\npool_gpus:mode=exclusive,total=0,collector=0,queued=0,mallocs=1,grants=1,"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\npools_known:1\n"));
}
END_TEST

START_TEST(info_counts_commands_as_redis_does)
{
    says("PING");
    says("PING", "a", "b");
    says("SELECT", "1");
    says("INFO", "commandstats");
    ck_assert_ptr_nonnull(
        strstr(rig.text, "\ncmdstat_ping:calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,"
                         "failed_calls=0\n"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\ncmdstat_select:calls=1,usec=0,usec_per_call=0.00,"
                                           "rejected_calls=0,failed_calls=1\n"));
    ck_assert_ptr_null(strstr(rig.text, "cmdstat_malloc"));
}
END_TEST

START_TEST(a_text_of_info_stays_one_line)
{
    rig.upstream.away_ms = 77;
    says("INFO", "redis");
    ck_assert_ptr_nonnull(strstr(rig.text, "\nredis_trouble:connection refused\n"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\nredis_away_ms:77\n"));
    ck_assert_ptr_nonnull(strstr(rig.text, "\nredis_links_ready:0\n"));
}
END_TEST

START_TEST(config_get_gives_each_setting_once)
{
    ck_assert_str_eq(says("CONFIG", "GET", "maxclients"), "*2\n$10\nmaxclients\n$5\n10000\n");
    ck_assert_str_eq(says("CONFIG", "GET", "maxclients", "maxcl*"),
                     "*2\n$10\nmaxclients\n$5\n10000\n");
    ck_assert_str_eq(says("CONFIG", "GET", "nothing"), "*0\n");
    rig.peers[0].state.protocol = 3;
    ck_assert_str_eq(says("CONFIG", "GET", "maxclients"), "%1\n$10\nmaxclients\n$5\n10000\n");
}
END_TEST

START_TEST(config_set_changes_what_may_change_and_tells_main)
{
    ck_assert_str_eq(says("CONFIG", "SET", "slowlog_max_len", "5"), "+OK\n");
    ck_assert_int_eq(rig.daemon.config.server.slowlog_max_len, 5);
    ck_assert_int_eq(rig.settings_changes, 1);
    ck_assert_int_eq(strncmp(says("CONFIG", "SET", "slowlog_max_len", "x"), "-ERR ", 5), 0);
    ck_assert_int_eq(strncmp(says("CONFIG", "SET", "nothing", "1"), "-ERR Unknown option", 19), 0);
    ck_assert_int_eq(strncmp(says("CONFIG", "SET", "listen", "1"), "-ERR ", 5), 0);
    ck_assert_str_eq(says("CONFIG", "SET", "a"),
                     "-ERR wrong number of arguments for 'config|set' command\n");
    ck_assert_int_eq(rig.settings_changes, 1);
}
END_TEST

START_TEST(a_password_set_later_keeps_those_who_are_in)
{
    ck_assert_str_eq(says("CONFIG", "SET", "requirepass", "secret"), "+OK\n");
    ck_assert_str_eq(says("PING"), "+PONG\n");
    ck_assert_str_eq(says("CONFIG", "GET", "requirepass"), "*2\n$11\nrequirepass\n$0\n\n");
    says("RESET");
    ck_assert_str_eq(says("PING"), "-NOAUTH Authentication required.\n");
}
END_TEST

START_TEST(resetstat_sets_counters_to_zero)
{
    says_then("*1\n*0\n", "MALLOC", "p");
    rig.daemon.stats.net_input_bytes = 5;
    rig.daemon.gauges.clients = 3;
    ck_assert_str_eq(says("CONFIG", "RESETSTAT"), "+OK\n");
    ck_assert_uint_eq(rig.daemon.stats.net_input_bytes, 0);
    ck_assert_uint_eq(rig.daemon.gauges.clients, 3);
    ck_assert_uint_eq(rig.daemon.batches.batches, 0);
    ck_assert_ptr_nonnull(strstr(says("INFO", "pools"), ",mallocs=0,"));
    ck_assert_ptr_null(strstr(says("INFO", "commandstats"), "cmdstat_malloc"));
}
END_TEST

START_TEST(shutdown_answers_nothing_and_takes_redis_words)
{
    ck_assert_str_eq(says("SHUTDOWN"), "");
    ck_assert(rig.peers[0].turn.is_ended);
    ck_assert(!rig.is_shutdown_now);
    ck_assert_str_eq(says("SHUTDOWN", "nosave", "now"), "");
    ck_assert(rig.is_shutdown_now);
    ck_assert_int_eq(rig.shutdowns, 2);
    ck_assert_str_eq(says("SHUTDOWN", "FORCE"), "-ERR syntax error\n");
    ck_assert_str_eq(says("SHUTDOWN", "SAVE", "NOSAVE"), "-ERR syntax error\n");
    ck_assert_str_eq(says("SHUTDOWN", "NOW", "NOW"), "-ERR syntax error\n");
    ck_assert_int_eq(rig.shutdowns, 2);
}
END_TEST

START_TEST(slowlog_get_takes_a_count)
{
    rig.daemon.config.server.slowlog_slower_than_us = 0;
    for (int i = 0; i < 12; i++)
        says("PING");
    ck_assert_int_eq(strncmp(says("SLOWLOG", "GET"), "*10\n", 4), 0);
    rig.daemon.config.server.slowlog_slower_than_us = -1;
    ck_assert_int_eq(strncmp(says("SLOWLOG", "GET", "2"), "*2\n", 3), 0);
    ck_assert_int_eq(strncmp(says("SLOWLOG", "GET", "-1"), "*13\n", 4), 0);
    ck_assert_str_eq(says("SLOWLOG", "GET", "0"), "*0\n");
    ck_assert_str_eq(says("SLOWLOG", "GET", "-2"),
                     "-ERR count should be greater than or equal to -1\n");
    ck_assert_str_eq(says("SLOWLOG", "GET", "x"),
                     "-ERR count should be greater than or equal to -1\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {info_has_the_default_sections,
                                  info_gives_the_sections_asked_for_and_nothing_for_others,
                                  info_has_what_client_libraries_look_for,
                                  info_tells_of_each_pool,
                                  info_counts_commands_as_redis_does,
                                  a_text_of_info_stays_one_line,
                                  config_get_gives_each_setting_once,
                                  config_set_changes_what_may_change_and_tells_main,
                                  a_password_set_later_keeps_those_who_are_in,
                                  resetstat_sets_counters_to_zero,
                                  shutdown_answers_nothing_and_takes_redis_words,
                                  slowlog_get_takes_a_count,
                                  NULL};
    return run_tests("admin", rig_start, rig_stop, tests);
}
