/* users: who may log in besides default, and that what they get is theirs. */
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WRONGPASS "(error) WRONGPASS invalid username-password pair or user is disabled."

static struct rig rig;
static struct node *node;
static char file[128];         /* of settings */
static struct client *c, *ann; /* default, and a user */

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void reload(const char *text)
{
    write_file(text);
    node_signal(node, SIGHUP);
    node_wait_message(node, "RELOADING=1");
    node_wait_message(node, "READY=1");
}

static void start(const char *settings)
{
    rig_start(&rig);
    node = rig_node(&rig);
    snprintf(file, sizeof(file), "%s/rallocd.conf", rig.guard.dir);
    write_file(settings);
    node_option(node, "-c");
    node_option(node, "%s", file);
    node_start(node);
    c = node_client(node);
    ann = node_client(node);
}

#define ANN   "[user:ann]\npassword = an\n"
#define BOB   "[user:bob]\npassword = bo\n"
#define QUOTA "[pool:p]\nmax_per_owner = 2\n"

static void set_up(void)
{
    start(ANN BOB QUOTA);
    expect(ann, "AUTH ann an", "OK");
    expect(c, "POOL EXTEND p a b d e", "(integer) 4");
}

static void tear_down(void)
{
    client_close(c);
    client_close(ann);
    rig_end(&rig);
}

/* --- logging in --- */

START_TEST(a_user_logs_in_by_auth_or_hello)
{
    expect(ann, "ACL WHOAMI", "'ann'");
    expect_like(ann, "CLIENT INFO", "* user=ann *");
    expect_like(c, "CLIENT INFO", "* user=default *");
    expect(c, "AUTH ann bo", WRONGPASS);
    expect(c, "AUTH eve an", WRONGPASS);
    expect(c, "HELLO 3 AUTH bob an", WRONGPASS);
    expect(c, "ACL WHOAMI", "'default'");
    expect_like(c, "HELLO 3 AUTH bob bo", "1# *");
    expect(c, "ACL WHOAMI", "'bob'");
    expect(c, "RESET", "RESET");
    expect(c, "ACL WHOAMI", "'default'");
}
END_TEST

START_TEST(with_a_password_for_default_users_can_still_log_in)
{
    expect(c, "CONFIG SET requirepass secret", "OK");
    struct client *new = node_client(node);
    expect(new, "ACL WHOAMI", "(error) NOAUTH Authentication required.");
    expect(new, "AUTH an", WRONGPASS);
    expect(new, "AUTH ann an", "OK");
    expect(new, "MALLOC p", "'a'");
    expect(new, "AUTH secret", "OK");
    expect(new, "ACL WHOAMI", "'default'");
    client_close(new);
}
END_TEST

START_TEST(acl_tells_who_there_is)
{
    expect(c, "ACL USERS", "1) 'ann'\n2) 'bob'\n3) 'default'");
    expect(c, "ACL LIST",
           "1) 'user ann on ~* &* +@all'\n2) 'user bob on ~* &* +@all'\n"
           "3) 'user default on nopass ~* &* +@all'");
    expect_like(c, "ACL HELP", "1) *WHOAMI*");
    expect(c, "ACL SETUSER eve", "(error) ERR unknown subcommand 'SETUSER'. Try ACL HELP.");
    expect(c, "ACL", "(error) ERR wrong number of arguments for 'acl' command");
}
END_TEST

START_TEST(client_kill_closes_those_of_a_user)
{
    expect(c, "CLIENT KILL USER bob", "(integer) 0");
    expect(c, "CLIENT KILL USER ann", "(integer) 1");
    ck_assert(client_is_closed(ann));
    expect(c, "CLIENT KILL USER eve", "(error) ERR No such user 'eve'");
}
END_TEST

START_TEST(passwords_are_shown_to_nobody)
{
    struct client *monitor = node_client(node);
    expect(c, "CONFIG SET slowlog_log_slower_than 0", "OK");
    expect(monitor, "MONITOR", "OK");
    expect(c, "CONFIG SET user:zoe.password hidden-word", "OK");
    expect(c, "AUTH zoe hidden-word", "OK");
    expect(c, "AUTH zoe hidden-word-not", WRONGPASS);
    expect_like(c, "HELLO 2 AUTH zoe hidden-word", "*'server'*");
    expect(c, "CONFIG GET user:zoe.*", "1) 'user:zoe.password'\n2) ''");
    expect_like(c, "ACL LIST", "*'user zoe on ~* &* +@all'*");
    ck_assert_ptr_null(strstr(say(c, "ACL LIST"), "hidden"));
    ck_assert_ptr_null(strstr(say(c, "SLOWLOG GET -1"), "hidden"));
    expect(c, "ECHO end", "'end'");
    for (const char *line = ""; strstr(line, "\"end\"") == NULL;) {
        line = client_read(monitor);
        ck_assert_msg(strstr(line, "hidden") == NULL, "%s", line);
    }
    client_close(monitor);
    ck_assert(!node_log_has(node, "hidden-word"));
}
END_TEST

/* --- owning --- */

START_TEST(what_a_user_gets_is_the_users)
{
    expect(ann, "MALLOC p", "'a'");
    expect_like(c, "HELD p ann", "1) 1) 'a'*");
    expect_like(c, "EXPLAIN p", "*'owner'\n*'ann'*");
    expect(ann, "MALLOC p OWNER other", "'b'");
    expect_like(c, "HELD p ann", "1) 1) 'a'*");
    expect_like(c, "HELD p other", "1) 1) 'b'*");
    expect(ann, "MALLOC p COUNT 5", "1) 'd'"); /* no more than her quota */
    expect(ann, "MALLOC p", "(error) QUOTA owner 'ann' holds 2 of 2 (max_per_owner)");
    expect(c, "MALLOC p", "(error) ERR this pool wants OWNER of each MALLOC: it has max_per_owner");
    expect(ann, "FREE p a d", "(integer) 2");
    expect(c, "HELD p ann", "(empty array)");
}
END_TEST

START_TEST(all_connections_of_a_user_share_its_quota)
{
    expect(c, "AUTH ann an", "OK");
    expect(c, "MALLOC p", "'a'");
    expect(ann, "MALLOC p", "'b'");
    expect(c, "MALLOC p", "(error) QUOTA owner 'ann' holds 2 of 2 (max_per_owner)");
    expect(c, "AUTH bob bo", "OK");
    expect(c, "MALLOC p", "'d'");
}
END_TEST

START_TEST(gangs_and_waiters_are_the_users)
{
    expect(c, "POOL EXTEND q z", "(integer) 1");
    expect(ann, "MALLOCALL p 1 q 1", "1) 1) 'a'\n2) 1) 'z'");
    expect_like(c, "HELD q ann", "1) 1) 'z'*");
    client_send(ann, "MALLOC q WAIT 0");
    until(rig_number(say(c, "POOL INFO q"), "waiters") == 1);
    expect_like(c, "EXPLAIN q", "*'line'\n*'owner'\n*'ann'*");
    expect(c, "FREE q z", "(integer) 1");
    expect_text(client_read(ann), "'z'");
    expect_like(c, "HELD q ann", "1) 1) 'z'*");
}
END_TEST

START_TEST(a_repeated_reqid_gets_the_same_lease_whoever_asks)
{
    expect(ann, "MALLOC p REQID r1", "'a'");
    expect(ann, "MALLOC p REQID r1", "'a'");
    expect(c, "AUTH bob bo", "OK");
    expect(c, "MALLOC p REQID r1", "'a'");
    expect(c, "HELD p bob", "(empty array)");
    expect_like(c, "HELD p ann", "1) 1) 'a'*");
}
END_TEST

START_TEST(shared_pools_have_no_owners)
{
    expect(c, "CONFIG SET pool:s.mode shared", "OK");
    expect(c, "POOL EXTEND s x y", "(integer) 2");
    expect(ann, "MALLOC s", "'x'");
    expect(ann, "MALLOC s", "'y'");
    expect(ann, "MALLOC s OWNER ann",
           "(error) ERR OWNER does not go with pool 's': it is shared, without leases");
    expect(c, "HELD s ann", "(empty array)");
    expect(c, "POOL CHECK s", "(empty array)");
}
END_TEST

/* --- reload --- */

START_TEST(a_user_that_is_gone_is_closed_and_gives_back_what_it_held)
{
    expect(c, "AUTH bob bo", "OK");
    expect(c, "MALLOC p SESSION", "'a'");
    reload(ANN QUOTA);
    ck_assert(client_is_closed(c));
    expect(ann, "ACL WHOAMI", "'ann'");
    until(say_int(rig_redis(&rig), "EXISTS rallocd|p:a") == 0);
    client_close(c);
    c = node_client(node);
    expect(c, "AUTH bob bo", WRONGPASS);
}
END_TEST

START_TEST(who_waits_for_a_user_that_is_gone_gets_nothing)
{
    expect(c, "POOL EXTEND q z", "(integer) 1");
    expect(c, "MALLOC q", "'z'");
    client_send(ann, "MALLOC q WAIT 0");
    until(rig_number(say(c, "POOL INFO q"), "waiters") == 1);
    reload(BOB QUOTA);
    ck_assert(client_is_closed(ann));
    until(rig_number(say(c, "POOL INFO q"), "waiters") == 0);
    expect(c, "FREE q z", "(integer) 1");
    expect(c, "MALLOC q", "'z'");
}
END_TEST

START_TEST(a_new_password_is_for_those_who_come)
{
    reload("[user:ann]\npassword = new\n" QUOTA);
    expect(ann, "ACL WHOAMI", "'ann'");
    expect(ann, "MALLOC p", "'a'");
    expect(c, "AUTH ann an", WRONGPASS);
    expect(c, "AUTH ann new", "OK");
}
END_TEST

START_TEST(a_reload_that_leaves_a_user_without_a_password_changes_nothing)
{
    write_file("[user:ann]\n");
    node_signal(node, SIGHUP);
    until(node_log_has(node, "[user:ann] password is missing or empty"));
    expect(ann, "ACL WHOAMI", "'ann'");
    expect(c, "AUTH bob bo", "OK");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "users", set_up, tear_down, a_user_logs_in_by_auth_or_hello,
        with_a_password_for_default_users_can_still_log_in, acl_tells_who_there_is,
        client_kill_closes_those_of_a_user, passwords_are_shown_to_nobody,
        what_a_user_gets_is_the_users, all_connections_of_a_user_share_its_quota,
        gangs_and_waiters_are_the_users, a_repeated_reqid_gets_the_same_lease_whoever_asks,
        shared_pools_have_no_owners, a_user_that_is_gone_is_closed_and_gives_back_what_it_held,
        who_waits_for_a_user_that_is_gone_gets_nothing, a_new_password_is_for_those_who_come,
        a_reload_that_leaves_a_user_without_a_password_changes_nothing);
}
