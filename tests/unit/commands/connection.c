/* connection: what clients say when they connect, and CLIENT. */
#include "main.h"
#include "rig.h"

static void set_password(const char *password)
{
    mem_free(rig.daemon.config.server.requirepass);
    rig.daemon.config.server.requirepass = mem_dup(str_of(password));
    peer_reset(&rig.daemon, &rig.peers[0]);
}

START_TEST(ping_echo_select_and_time_are_redis)
{
    ck_assert_str_eq(says("PING"), "+PONG\n");
    ck_assert_str_eq(says("ping", "hi"), "$2\nhi\n");
    ck_assert_str_eq(says("ECHO", ""), "$0\n\n");
    ck_assert_str_eq(says("SELECT", "0"), "+OK\n");
    ck_assert_str_eq(says("SELECT", "1"), "-ERR DB index is out of range\n");
    ck_assert_str_eq(says("SELECT", "-1"), "-ERR DB index is out of range\n");
    ck_assert_str_eq(says("SELECT", "x"), "-ERR value is not an integer or out of range\n");
    ck_assert_str_eq(says("TIME"), "*2\n$10\n1700000000\n$6\n123456\n");
}
END_TEST

START_TEST(auth_wants_the_password_of_the_only_user)
{
    set_password("secret");
    ck_assert_str_eq(says("AUTH", "wrong"),
                     "-WRONGPASS invalid username-password pair or user is disabled.\n");
    ck_assert_str_eq(says("AUTH", "secre"),
                     "-WRONGPASS invalid username-password pair or user is disabled.\n");
    ck_assert_str_eq(says("AUTH", ""),
                     "-WRONGPASS invalid username-password pair or user is disabled.\n");
    ck_assert_str_eq(says("AUTH", "somebody", "secret"),
                     "-WRONGPASS invalid username-password pair or user is disabled.\n");
    ck_assert(!rig.peers[0].state.is_logged_in);
    ck_assert_str_eq(says("AUTH", "default", "secret"), "+OK\n");
    ck_assert(rig.peers[0].state.is_logged_in);
    ck_assert_str_eq(says("AUTH", "a", "b", "c"),
                     "-ERR wrong number of arguments for 'auth' command\n");
}
END_TEST

START_TEST(auth_without_a_password_set_says_so)
{
    ck_assert_int_eq(
        strncmp(says("AUTH", "x"), "-ERR AUTH <password> called without any password", 48), 0);
    ck_assert_str_eq(says("AUTH", "default", "anything"), "+OK\n");
    ck_assert_int_eq(strncmp(says("AUTH", "other", "x"), "-WRONGPASS", 10), 0);
}
END_TEST

#define WRONGPASS "-WRONGPASS invalid username-password pair or user is disabled.\n"

static void name_user(const char *setting, const char *password)
{
    struct err err;
    ck_assert_msg(config_set(&rig.daemon.config, str_of(setting), str_of(password), &err), "%s",
                  err.text);
}

START_TEST(users_of_the_settings_log_in_beside_default)
{
    set_password("secret");
    name_user("user:ann.password", "an");
    ck_assert_str_eq(says("AUTH", "ann", "secret"), WRONGPASS);
    ck_assert_str_eq(says("AUTH", "ann", ""), WRONGPASS);
    ck_assert_str_eq(says("AUTH", "Ann", "an"), WRONGPASS);
    ck_assert_str_eq(says("AUTH", "bob", ""), WRONGPASS);
    ck_assert_str_eq(says("AUTH", "*", ""), WRONGPASS);
    ck_assert_str_eq(says("AUTH", "an"), WRONGPASS);
    ck_assert_str_eq(says("ACL", "WHOAMI"), "-NOAUTH Authentication required.\n");
    ck_assert_str_eq(says("AUTH", "ann", "an"), "+OK\n");
    ck_assert_str_eq(says("ACL", "WHOAMI"), "$3\nann\n");
    ck_assert_str_eq(says("AUTH", "bob", "x"), WRONGPASS);
    ck_assert_str_eq(says("ACL", "WHOAMI"), "$3\nann\n");
    ck_assert_str_eq(says("AUTH", "secret"), "+OK\n");
    ck_assert_str_eq(says("ACL", "WHOAMI"), "$7\ndefault\n");
    ck_assert_int_eq(strncmp(says("HELLO", "3", "AUTH", "ann", "no"), "-WRONGPASS", 10), 0);
    ck_assert_int_eq(rig.peers[0].state.protocol, 2);
    ck_assert_int_eq(strncmp(says("HELLO", "3", "AUTH", "ann", "an"), "%7\n", 3), 0);
    ck_assert_str_eq(says("ACL", "WHOAMI"), "$3\nann\n");
    says("RESET");
    ck_assert_str_eq(says("ACL", "WHOAMI"), "-NOAUTH Authentication required.\n");
}
END_TEST

START_TEST(acl_tells_who_there_is)
{
    name_user("user:zoe.password", "x");
    name_user("user:ann.password", "x");
    ck_assert_str_eq(says("ACL", "WHOAMI"), "$7\ndefault\n");
    ck_assert_str_eq(says("ACL", "USERS"), "*3\n$3\nann\n$7\ndefault\n$3\nzoe\n");
    ck_assert_str_eq(says("ACL", "LIST"), "*3\n$23\nuser ann on ~* &* +@all\n"
                                          "$34\nuser default on nopass ~* &* +@all\n"
                                          "$23\nuser zoe on ~* &* +@all\n");
    ck_assert_str_eq(says("ACL", "SETUSER", "x"),
                     "-ERR unknown subcommand 'SETUSER'. Try ACL HELP.\n");
    set_password("secret");
    says("AUTH", "ann", "x");
    ck_assert_ptr_null(strstr(says("ACL", "LIST"), "nopass"));
}
END_TEST

START_TEST(kill_by_user_hits_those_who_are_logged_in_so)
{
    name_user("user:ann.password", "x");
    ck_assert_str_eq(says("CLIENT", "KILL", "USER", "ann"), ":0\n");
    ck_assert_str_eq(other_says("AUTH", "ann", "x"), "+OK\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "USER", "default"), ":0\n"); /* oneself */
    ck_assert(!rig.peers[1].is_closed);
    ck_assert_str_eq(says("CLIENT", "KILL", "USER", "ann"), ":1\n");
    ck_assert(rig.peers[1].is_closed);
}
END_TEST

START_TEST(hello_tells_who_we_are_in_the_protocol_it_chose)
{
    ck_assert_str_eq(
        says("HELLO"),
        "*14\n$6\nserver\n$7\nrallocd\n$7\nversion\n$5\n0.1.0\n$5\nproto\n:2\n$2\nid\n:1\n"
        "$4\nmode\n$10\nstandalone\n$4\nrole\n$6\nmaster\n$7\nmodules\n*0\n");
    ck_assert_int_eq(strncmp(says("HELLO", "3"), "%7\n$6\nserver\n", 13), 0);
    ck_assert_ptr_nonnull(strstr(rig.text, "$5\nproto\n:3\n"));
    ck_assert_int_eq(rig.peers[0].state.protocol, 3);
    ck_assert_int_eq(strncmp(says("HELLO"), "%7\n", 3), 0);
    ck_assert_int_eq(strncmp(says("HELLO", "2"), "*14\n", 4), 0);
}
END_TEST

START_TEST(hello_refuses_other_protocols_and_options)
{
    ck_assert_str_eq(says("HELLO", "4"), "-NOPROTO unsupported protocol version\n");
    ck_assert_str_eq(says("HELLO", "1"), "-NOPROTO unsupported protocol version\n");
    ck_assert_str_eq(says("HELLO", "x"),
                     "-ERR Protocol version is not an integer or out of range\n");
    ck_assert_str_eq(says("HELLO", "3", "FOO"), "-ERR Syntax error in HELLO option 'FOO'\n");
    ck_assert_str_eq(says("HELLO", "3", "AUTH", "u"), "-ERR Syntax error in HELLO option 'AUTH'\n");
    ck_assert_str_eq(says("HELLO", "3", "SETNAME"),
                     "-ERR Syntax error in HELLO option 'SETNAME'\n");
    ck_assert_str_eq(says("HELLO", "3", "SETNAME", "a b"),
                     "-ERR Client names cannot contain spaces, newlines or special characters.\n");
    ck_assert_int_eq(rig.peers[0].state.protocol, 2);
}
END_TEST

START_TEST(hello_logs_in_and_names_or_does_nothing)
{
    set_password("secret");
    ck_assert_int_eq(strncmp(says("HELLO", "3"), "-NOAUTH HELLO must be called", 28), 0);
    ck_assert_int_eq(
        strncmp(says("HELLO", "3", "AUTH", "default", "x", "SETNAME", "n"), "-WRONGPASS ", 11), 0);
    ck_assert_int_eq(rig.peers[0].state.protocol, 2);
    ck_assert_str_eq(rig.peers[0].state.name, "");
    ck_assert_int_eq(
        strncmp(says("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "n"), "%7\n", 3), 0);
    ck_assert(rig.peers[0].state.is_logged_in);
    ck_assert_str_eq(rig.peers[0].state.name, "n");
}
END_TEST

START_TEST(reset_and_quit)
{
    says("HELLO", "3");
    says("CLIENT", "SETNAME", "n");
    says("CLIENT", "REPLY", "OFF");
    ck_assert_str_eq(says("RESET"), "+RESET\n");
    ck_assert_int_eq(rig.peers[0].state.protocol, 2);
    ck_assert_str_eq(says("CLIENT", "GETNAME"), "$-1\n");
    ck_assert(!rig.peers[0].is_closed);
    ck_assert_str_eq(says("QUIT"), "+OK\n");
    ck_assert(rig.peers[0].is_closed);
}
END_TEST

START_TEST(a_client_has_a_number_a_name_and_a_library)
{
    char huge[600];
    memset(huge, 'x', sizeof(huge));
    huge[513] = '\0';

    ck_assert_str_eq(says("CLIENT", "ID"), ":1\n");
    ck_assert_str_eq(says("CLIENT", "GETNAME"), "$-1\n");
    ck_assert_str_eq(says("CLIENT", "SETNAME", "me"), "+OK\n");
    ck_assert_str_eq(says("CLIENT", "GETNAME"), "$2\nme\n");
    ck_assert_int_eq(strncmp(says("CLIENT", "SETNAME", "a\nb"), "-ERR Client names", 17), 0);
    ck_assert_str_eq(says("CLIENT", "SETNAME", huge),
                     "-ERR Client names cannot be longer than 512 bytes.\n");
    ck_assert_str_eq(says("CLIENT", "GETNAME"), "$2\nme\n");
    ck_assert_str_eq(says("CLIENT", "SETNAME", ""), "+OK\n");
    ck_assert_str_eq(says("CLIENT", "SETINFO", "lib-name", "jedis"), "+OK\n");
    ck_assert_str_eq(says("CLIENT", "SETINFO", "LIB-VER", "1"), "+OK\n");
    ck_assert_str_eq(rig.peers[0].state.lib_name, "jedis");
    ck_assert_str_eq(rig.peers[0].state.lib_version, "1");
    ck_assert_str_eq(says("CLIENT", "SETINFO", "x", "1"), "-ERR Unrecognized option 'x'\n");
    ck_assert_int_eq(strncmp(says("CLIENT", "SETINFO", "LIB-VER", "a b"), "-ERR lib-ver", 12), 0);
}
END_TEST

START_TEST(client_list_and_info_describe_connections)
{
    ck_assert_str_eq(says("CLIENT", "INFO"), "$31\nid=1 addr=127.0.0.1:1000 name=\n\n");
    ck_assert_str_eq(says("CLIENT", "LIST"), "$62\nid=1 addr=127.0.0.1:1000 name=\n"
                                             "id=2 addr=127.0.0.1:1001 name=\n\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "ID", "9", "2"),
                     "$31\nid=2 addr=127.0.0.1:1001 name=\n\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "ID", "9"), "$0\n\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "TYPE", "pubsub"), "$0\n\n");
    ck_assert_int_eq(strncmp(says("CLIENT", "LIST", "TYPE", "Normal"), "$62\n", 4), 0);
    ck_assert_str_eq(says("CLIENT", "LIST", "TYPE", "x"), "-ERR Unknown client type 'x'\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "ID", "0"), "-ERR Invalid client ID\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "ID"), "-ERR syntax error\n");
    ck_assert_str_eq(says("CLIENT", "LIST", "FOO", "1"), "-ERR syntax error\n");
    rig.peers[0].state.protocol = 3;
    ck_assert_int_eq(strncmp(says("CLIENT", "LIST"), "=66\ntxt:id=1", 12), 0);
}
END_TEST

START_TEST(kill_by_address_is_the_old_form)
{
    ck_assert_str_eq(says("CLIENT", "KILL", "127.0.0.1:9"), "-ERR No such client\n");
    ck_assert_str_eq(says("CLIENT", "KILL", ""), "-ERR No such client\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "127.0.0.1:1001"), "+OK\n");
    ck_assert(rig.peers[1].is_closed);
    ck_assert_str_eq(says("CLIENT", "KILL", "127.0.0.1:1000"), "+OK\n");
    ck_assert(rig.peers[0].is_closed);
}
END_TEST

START_TEST(kill_by_filters_counts)
{
    rig.peers[1].age_s = 100;
    ck_assert_str_eq(says("CLIENT", "KILL", "ID", "99"), ":0\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "ID", "1"), ":0\n"); /* oneself is skipped */
    ck_assert_str_eq(says("CLIENT", "KILL", "MAXAGE", "101"), ":0\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "TYPE", "master"), ":0\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "LADDR", "10.0.0.1:1"), ":0\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "USER", "default", "ADDR", "127.0.0.1:1001", "LADDR",
                          "127.0.0.1:7411", "TYPE", "normal", "MAXAGE", "100", "ID", "2"),
                     ":1\n");
    ck_assert(rig.peers[1].is_closed);
    ck_assert(!rig.peers[0].is_closed);
    ck_assert_str_eq(says("CLIENT", "KILL", "SKIPME", "no"), ":1\n");
    ck_assert(rig.peers[0].is_closed);
}
END_TEST

START_TEST(kill_refuses_bad_filters_and_closes_nobody)
{
    ck_assert_str_eq(says("CLIENT", "KILL"),
                     "-ERR wrong number of arguments for 'client|kill' command\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "ID", "0"),
                     "-ERR client-id should be greater than 0\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "TYPE", "x"), "-ERR Unknown client type 'x'\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "USER", "x"), "-ERR No such user 'x'\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "SKIPME", "x"), "-ERR syntax error\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "ID", "2", "FOO"), "-ERR syntax error\n");
    ck_assert_str_eq(says("CLIENT", "KILL", "ID", "2", "FOO", "1"), "-ERR syntax error\n");
    ck_assert(!rig.peers[1].is_closed);
}
END_TEST

START_TEST(replies_are_turned_off_on_and_skipped)
{
    ck_assert_str_eq(says("CLIENT", "REPLY", "OFF"), "");
    ck_assert_str_eq(says("PING"), "");
    ck_assert_str_eq(says("CLIENT", "REPLY", "SKIP"), "");
    ck_assert_int_eq(rig.peers[0].state.reply_mode, PEER_REPLY_OFF);
    ck_assert_str_eq(says("CLIENT", "REPLY", "ON"), "+OK\n");
    ck_assert_str_eq(says("PING"), "+PONG\n");
    ck_assert_str_eq(says("CLIENT", "REPLY", "SKIP"), "");
    ck_assert_int_eq(rig.peers[0].state.reply_mode, PEER_REPLY_SKIP);
    rig.peers[0].state.reply_mode = PEER_REPLY_ON; /* which the server does after the next */
    ck_assert_str_eq(says("CLIENT", "REPLY", "X"), "-ERR syntax error\n");
}
END_TEST

START_TEST(what_libraries_ask_for_is_answered)
{
    ck_assert_str_eq(says("CLIENT", "NO-EVICT", "on"), "+OK\n");
    ck_assert(rig.peers[0].state.is_no_evict);
    ck_assert_str_eq(says("CLIENT", "NO-EVICT", "off"), "+OK\n");
    ck_assert(!rig.peers[0].state.is_no_evict);
    ck_assert_str_eq(says("CLIENT", "NO-EVICT", "x"), "-ERR syntax error\n");
    ck_assert_str_eq(says("CLIENT", "TRACKINGINFO"),
                     "*6\n$5\nflags\n*1\n$3\noff\n$8\nredirect\n:-1\n$8\nprefixes\n*0\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {ping_echo_select_and_time_are_redis,
                                  auth_wants_the_password_of_the_only_user,
                                  auth_without_a_password_set_says_so,
                                  users_of_the_settings_log_in_beside_default,
                                  acl_tells_who_there_is,
                                  kill_by_user_hits_those_who_are_logged_in_so,
                                  hello_tells_who_we_are_in_the_protocol_it_chose,
                                  hello_refuses_other_protocols_and_options,
                                  hello_logs_in_and_names_or_does_nothing,
                                  reset_and_quit,
                                  a_client_has_a_number_a_name_and_a_library,
                                  client_list_and_info_describe_connections,
                                  kill_by_address_is_the_old_form,
                                  kill_by_filters_counts,
                                  kill_refuses_bad_filters_and_closes_nobody,
                                  replies_are_turned_off_on_and_skipped,
                                  what_libraries_ask_for_is_answered,
                                  NULL};
    return run_tests("connection", rig_start, rig_stop, tests);
}
