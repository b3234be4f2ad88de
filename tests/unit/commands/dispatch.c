/* dispatch: what comes before and after a handler: names, arity, login, counting, slow log,
 * MONITOR; and that each request is answered exactly once. */
#include "main.h"
#include "rig.h"

static struct command_stats *stats_of(const char *full)
{
    return command_stats_of(&rig.daemon, command_find_full(str_of(full)));
}

START_TEST(an_unknown_command_is_refused_in_redis_words)
{
    ck_assert_str_eq(says("FOO", "a", "b"),
                     "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' \n");
    ck_assert_str_eq(says("FOO"), "-ERR unknown command 'FOO', with args beginning with: \n");
    ck_assert_str_eq(says("a\nb"), "-ERR unknown command 'a\\x0ab', with args beginning with: \n");
    ck_assert_uint_eq(rig.daemon.stats.errors_replied, 3);
    ck_assert_uint_eq(rig.daemon.stats.commands_processed, 0);
}
END_TEST

START_TEST(an_unknown_command_with_huge_arguments_is_shown_in_part)
{
    static char huge[100000];
    memset(huge, 'x', sizeof(huge) - 1);
    const char *reply = says(huge, huge, huge, huge);
    ck_assert_uint_lt(strlen(reply), 520);
    ck_assert_uint_gt(strlen(reply), 250);
    ck_assert_int_eq(reply[strlen(reply) - 1], '\n');
}
END_TEST

START_TEST(an_unknown_subcommand_names_its_help)
{
    ck_assert_str_eq(says("pool", "X"), "-ERR unknown subcommand 'X'. Try POOL HELP.\n");
    ck_assert_str_eq(says("CLIENT", ""), "-ERR unknown subcommand ''. Try CLIENT HELP.\n");
    ck_assert_str_eq(says("POOL", "QUARANTAINE", "p", "r"),
                     "-ERR unknown subcommand 'QUARANTAINE'. Try POOL HELP.\n");
}
END_TEST

START_TEST(a_wrong_number_of_arguments_names_the_command)
{
    ck_assert_str_eq(says("MALLOC"), "-ERR wrong number of arguments for 'malloc' command\n");
    ck_assert_str_eq(says("POOL"), "-ERR wrong number of arguments for 'pool' command\n");
    ck_assert_str_eq(says("POOL", "EXTEND", "p"),
                     "-ERR wrong number of arguments for 'pool|extend' command\n");
    ck_assert_str_eq(says("POOL", "LEN", "p", "q"),
                     "-ERR wrong number of arguments for 'pool|len' command\n");
    ck_assert_str_eq(says("PING", "a", "b"), "-ERR wrong number of arguments for 'ping' command\n");
    ck_assert_str_eq(says("FREE", "p", "TIMEOUT", "5"),
                     "-ERR wrong number of arguments for 'free' command\n");
    ck_assert_str_eq(says("FREE", "p", "KEYS"),
                     "-ERR wrong number of arguments for 'free' command\n");
    ck_assert_uint_eq(stats_of("free")->rejected, 2);
    ck_assert_uint_eq(stats_of("free")->calls, 0);
}
END_TEST

/* Whatever is asked with too few, some, or too many arguments: one answer, or calls to Redis that
 * bring one. */
START_TEST(every_row_answers_exactly_once_whatever_its_arguments)
{
    static const char *const fillers[] = {"p", "1", "TIMEOUT", "", "a b\n"};

    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i), *parent = command_parent(row);
        for (int count = 0; count <= 6; count++) {
            for (size_t f = 0; f < sizeof(fillers) / sizeof(fillers[0]); f++) {
                const char *words[16] = {parent != NULL ? parent->name : row->name,
                                         parent != NULL ? row->name : NULL};
                int n = parent != NULL ? 2 : 1;
                for (int j = 0; j < count; j++)
                    words[n++] = fillers[f];
                rig_ask_words(&rig.peers[0], words);
                while (rig.upstream.is_flying)
                    rig_answer("-ERR as the test has it\n");
                ck_assert_msg(rig.peers[0].turn.is_ended, "%s with %d", row->full, count);
                rig_reply(&rig.peers[0]);
                rig.peers[0].state.reply_mode = PEER_REPLY_ON;
                rig.peers[0].is_closed = rig.peers[1].is_closed = false;
            }
        }
    }
}
END_TEST

START_TEST(before_login_only_what_leads_to_it_is_allowed)
{
    mem_free(rig.daemon.config.server.requirepass);
    rig.daemon.config.server.requirepass = mem_dup(STR("secret"));
    peer_reset(&rig.daemon, &rig.peers[0]);

    for (size_t i = 0; i < command_count(); i++) {
        const struct command *row = command_at(i), *parent = command_parent(row);
        const char *words[16] = {parent != NULL ? parent->name : row->name,
                                 parent != NULL ? row->name : NULL};
        int n = parent != NULL ? 2 : 1, arity = command_arity(row);
        if (row->run == NULL || (row->flags & CMD_NO_AUTH))
            continue;
        for (; n < abs(arity); n++)
            words[n] = "p";
        rig_ask_words(&rig.peers[0], words);
        ck_assert_msg(strcmp(rig_reply(&rig.peers[0]), "-NOAUTH Authentication required.\n") == 0,
                      "%s: %s", row->full, rig.text);
    }
    ck_assert_str_eq(says("AUTH", "secret"), "+OK\n");
    ck_assert_str_eq(says("PING"), "+PONG\n");
}
END_TEST

START_TEST(calls_and_errors_and_time_are_counted)
{
    says("PING");
    rig_ask_words(&rig.peers[0], (const char *const[]){"POOL", "LEN", "p", NULL});
    ck_assert_str_eq(rig_reply(&rig.peers[0]), "");
    ck_assert_uint_eq(stats_of("pool|len")->calls, 1);
    rig.now_us += 5000;
    rig_answer("-ERR no\n");
    ck_assert_str_eq(rig_reply(&rig.peers[0]), "-ERR no\n");
    ck_assert_uint_eq(stats_of("ping")->calls, 1);
    ck_assert_uint_eq(stats_of("ping")->failed, 0);
    ck_assert_uint_eq(stats_of("pool|len")->failed, 1);
    ck_assert_uint_eq(stats_of("pool|len")->usec, 5000);
    ck_assert_uint_eq(rig.daemon.stats.commands_processed, 2);
    ck_assert_uint_eq(rig.daemon.stats.errors_replied, 1);
    says("SELECT", "1");
    ck_assert_uint_eq(stats_of("select")->failed, 1);
    ck_assert_str_eq(rig.peers[0].command, "select");
}
END_TEST

START_TEST(a_request_that_waited_long_for_redis_is_in_the_slow_log)
{
    says("CLIENT", "SETNAME", "me");
    says("POOL", "LEN", "p");
    rig.now_us += 9999;
    rig_answer(":0\n");
    ck_assert_int_eq(slowlog_len(rig.daemon.slowlog), 0);
    says("POOL", "LEN", "p");
    rig.now_us += 10000;
    rig_answer(":0\n");
    rig_reply(&rig.peers[0]);
    ck_assert_str_eq(says("SLOWLOG", "GET"),
                     "*1\n*6\n:0\n:1700000000\n:10000\n*3\n$4\nPOOL\n$3\nLEN\n$1\np\n"
                     "$14\n127.0.0.1:1000\n$2\nme\n");
    ck_assert_str_eq(says("SLOWLOG", "LEN"), ":1\n");
    ck_assert_str_eq(says("SLOWLOG", "RESET"), "+OK\n");
    ck_assert_str_eq(says("SLOWLOG", "LEN"), ":0\n");
}
END_TEST

START_TEST(the_slow_log_is_off_below_zero_and_keeps_all_at_zero)
{
    rig.daemon.config.server.slowlog_slower_than_us = -1;
    says("POOL", "LEN", "p");
    rig.now_us += 1000000;
    rig_answer(":0\n");
    ck_assert_int_eq(slowlog_len(rig.daemon.slowlog), 0);
    rig.daemon.config.server.slowlog_slower_than_us = 0;
    says("PING");
    ck_assert_int_eq(slowlog_len(rig.daemon.slowlog), 1);
}
END_TEST

static void has_args(int64_t i, const char *wanted)
{
    const struct slowlog_entry *entry = slowlog_at(rig.daemon.slowlog, i);
    char text[512] = "";
    size_t at = 0;

    ck_assert_ptr_nonnull(entry);
    for (int j = 0; j < entry->args->argc; j++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", j > 0 ? " " : "",
                               PRSTR(entry->args->argv[j]));
    ck_assert_str_eq(text, wanted);
}

START_TEST(passwords_are_shown_neither_in_the_slow_log_nor_to_monitor)
{
    rig.daemon.config.server.slowlog_slower_than_us = 0;
    rig.peers[1].state.is_monitor = true;
    rig.daemon.gauges.monitors = 1;
    says("AUTH", "default", "hidden");
    has_args(0, "AUTH (redacted) (redacted)");
    says("HELLO", "2", "AUTH", "default", "hidden", "SETNAME", "n");
    has_args(0, "HELLO 2 AUTH (redacted) (redacted) SETNAME n");
    says("CONFIG", "SET", "requirepass", "hidden");
    has_args(0, "CONFIG SET requirepass (redacted)");
    says("CONFIG", "SET", "maxclients", "5");
    has_args(0, "CONFIG SET maxclients 5");
    ck_assert_ptr_null(strstr(rig.peers[1].monitored, "hidden"));
    ck_assert_str_eq(rig.peers[1].monitored, "AUTH (redacted) (redacted)"
                                             "HELLO 2 AUTH (redacted) (redacted) SETNAME n");
}
END_TEST

START_TEST(monitor_sees_what_runs_but_no_administration)
{
    rig.daemon.gauges.monitors = 1;
    ck_assert_str_eq(other_says("MONITOR"), "+OK\n");
    ck_assert(rig.peers[1].state.is_monitor);
    says("PING");
    says("CLIENT", "LIST");
    says("FOO");
    says("MALLOC");
    ck_assert_str_eq(rig.peers[1].monitored, "PING");
}
END_TEST

START_TEST(the_reply_of_a_client_that_is_gone_is_counted_like_any)
{
    says("POOL", "LEN", "p");
    rig.peers[0].turn.peer = NULL;
    rig.now_us += 20000;
    rig_answer(":0\n");
    ck_assert(rig.peers[0].turn.is_ended);
    ck_assert_uint_eq(stats_of("pool|len")->usec, 20000);
    ck_assert_str_eq(slowlog_at(rig.daemon.slowlog, 0)->address, "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {an_unknown_command_is_refused_in_redis_words,
                                  an_unknown_command_with_huge_arguments_is_shown_in_part,
                                  an_unknown_subcommand_names_its_help,
                                  a_wrong_number_of_arguments_names_the_command,
                                  every_row_answers_exactly_once_whatever_its_arguments,
                                  before_login_only_what_leads_to_it_is_allowed,
                                  calls_and_errors_and_time_are_counted,
                                  a_request_that_waited_long_for_redis_is_in_the_slow_log,
                                  the_slow_log_is_off_below_zero_and_keeps_all_at_zero,
                                  passwords_are_shown_neither_in_the_slow_log_nor_to_monitor,
                                  monitor_sees_what_runs_but_no_administration,
                                  the_reply_of_a_client_that_is_gone_is_counted_like_any,
                                  NULL};
    return run_tests("dispatch", rig_start, rig_stop, tests);
}
