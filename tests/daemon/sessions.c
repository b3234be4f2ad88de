/* sessions: what a connection holds with SESSION: kept while it lives, given back when it ends,
 * told of when it is lost. */
#include "tests/lib/rig.h"
#include "tests/lib/until.h"
#include <stdio.h>
#include <string.h>

static struct rig rig;
static struct client *c, *other;

static void set_up(void)
{
    rig_start(&rig);
    struct node *node = rig_node(&rig);
    node_option(node, "--server.session_timeout=2");
    node_start(node);
    c = node_client(node);
    other = node_client(node);
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

static void pass_ms(int64_t ms)
{
    int64_t end_ms = until_now_ms() + ms;
    until(until_now_ms() >= end_ms);
}

#define expect_reply(client, pattern) \
    expect_text_like_at(__FILE__, __LINE__, client_read(client), pattern)

START_TEST(a_lease_lives_as_long_as_its_connection)
{
    expect(c, "MALLOC p SESSION", "'r1'");
    pass_ms(3000);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|p:r1"), 0);
    expect(other, "MALLOC p COUNT 2", "1) 'r2'");
    client_close(c);
    c = node_client(&rig.nodes[0]);
    until(strcmp(say(other, "MALLOC p"), "\"r1\"") == 0);
}
END_TEST

START_TEST(quit_reset_and_kill_give_all_back)
{
    expect(c, "MALLOC p COUNT 2 SESSION", "1) 'r1'\n2) 'r2'");
    expect(c, "RESET", "RESET");
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
    expect_like(c, "MALLOC p SESSION", "'r?'");
    expect(c, "QUIT", "OK");
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
    client_close(c);
    c = node_client(&rig.nodes[0]);
    expect_like(c, "MALLOC p SESSION", "'r?'");
    expect(other, "CLIENT KILL TYPE normal SKIPME yes", "(integer) 1");
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
}
END_TEST

START_TEST(what_is_granted_after_a_reset_goes_back)
{
    static const char *const takes[] = {"MALLOC p SESSION", "MALLOC p REQID q SESSION WITHTOKEN",
                                        "MALLOC p COUNT 2 SESSION WAIT 100", "LOCK k me SESSION",
                                        "LOCKALL me SESSION k l"};
    for (int i = 0; i < 5; i++) {
        client_send(c, takes[i]);
        client_send(c, "RESET"); /* is run before the answer to that is there */
        ck_assert(strstr(client_read(c), "nil") == NULL);
        expect_text(client_read(c), "RESET");
        until(strstr(say(other, "INFO clients"), "sessions_held:0") != NULL);
        expect(other, "POOL HEALTH p", "1) (integer) 0\n2) (integer) 2");
        expect(other, "LOCKED k", "(integer) 0");
    }
}
END_TEST

START_TEST(locks_are_held_so_too)
{
    struct client *redis = rig_redis(&rig);
    expect_like(c, "LOCK k me SESSION", "(integer) 1*");
    expect_like(c, "LOCK shared me SHARED SESSION", "(integer) 1*");
    expect_like(c, "LOCKALL me SESSION a b", "1) (integer) 1*\n2) (integer) 1*");
    expect(c, "LOCK k other SESSION", "(nil)");
    expect(c, "LOCKALL other SESSION a x", "(nil)");
    expect_like(c, "LOCK k me SHARED SESSION PERMITS 1 OF 2", "(error) ERR syntax error*");
    pass_ms(3000);
    expect(redis, "EXISTS rallocd|lock:k rallocd|lock:shared rallocd|lock:a rallocd|lock:b",
           "(integer) 4");
    expect(c, "UNLOCK a me", "(integer) 1");
    expect_like(other, "CLIENT LIST", "*held=3*");
    client_close(c);
    c = node_client(&rig.nodes[0]);
    until(say_int(redis, "EXISTS rallocd|lock:k rallocd|lock:shared rallocd|lock:b") == 0);
}
END_TEST

/* The same owner has it anew: that is another hold. */
static void take_anew(const char *lock, const char *unlock)
{
    client_close(c);
    c = node_client(&rig.nodes[0]);
    expect_like(c, lock, "*(integer) 1*");
    say(other, unlock);
    const char *session = strstr(lock, " SESSION");
    sayf(other, "%.*s%s", (int)(session - lock), lock, session + strlen(" SESSION"));
}

static const char *const lock_takes[][2] = {{"LOCK k me SESSION", "UNLOCK k"},
                                            {"LOCK k me SHARED SESSION", "UNLOCK k"},
                                            {"LOCK k me PERMITS 1 OF 2 SESSION", "UNLOCK k"},
                                            {"LOCKALL me SESSION k", "UNLOCK k"}};

START_TEST(a_lock_that_its_owner_took_anew_is_not_given_back)
{
    for (int i = 0; i < 4; i++) {
        take_anew(lock_takes[i][0], lock_takes[i][1]);
        client_close(c);
        c = node_client(&rig.nodes[0]);
        until(strstr(say(other, "INFO clients"), "sessions_held:0") != NULL);
        expect(other, "LOCKED k", "(integer) 1");
        expect(other, "UNLOCK k me", "(integer) 1");
    }
}
END_TEST

START_TEST(a_lock_that_its_owner_took_anew_is_not_renewed)
{
    for (int i = 0; i < 4; i++) {
        take_anew(lock_takes[i][0], lock_takes[i][1]);
        int64_t ttl_ms = say_int(other, "LOCKTTL k");
        until(strstr(say(other, "INFO clients"), "sessions_held:0") != NULL);
        ck_assert_int_lt(say_int(other, "LOCKTTL k"), ttl_ms);
        ck_assert_int_gt(ttl_ms, 100000);
        expect(other, "UNLOCK k", "(integer) 1");
    }
}
END_TEST

START_TEST(what_was_given_back_is_not_lost)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(c, "FREE p r1", "(integer) 1");
    pass_ms(1500);
    ck_assert(!client_has_reply(c, 0));
    expect_like(other, "INFO clients", "*sessions_held:0*sessions_lost:0*");
}
END_TEST

START_TEST(a_renewal_never_shortens_a_time)
{
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(c, "MALLOC p OWNER me SESSION", "'r2'");
    expect_like(c, "LOCK k me SESSION", "(integer) 1*");
    expect(c, "RENEW p r1 TIMEOUT 100", "(integer) 1");
    expect(c, "RENEW p r2 TIMEOUT 0", "(integer) 1");
    expect(other, "EXTENDLOCK k me TIMEOUT 100", "(integer) 1");
    pass_ms(1500);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|p:r1"), 90000);
    expect(rig_redis(&rig), "PTTL rallocd|p:r2", "(integer) -1");
    ck_assert_int_gt(say_int(other, "LOCKTTL k"), 90000);
}
END_TEST

START_TEST(timeout_limits_the_whole_holding)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION TIMEOUT 3", "'r1'");
    pass_ms(2200);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|p:r1"), 0);
    expect_reply(c, "> 1) 'lost'\n2) 'p'\n3) 'r1'\n4) '*-*'");
    until(strcmp(say(other, "POOL HEALTH p"), "1) (integer) 0\n2) (integer) 2") == 0);
}
END_TEST

START_TEST(a_loss_is_pushed_to_resp3)
{
    say(c, "HELLO 3");
    expect(c, "MALLOC p SESSION", "'r1'");
    expect_like(c, "LOCK k me SESSION", "(integer) 1*");
    expect(other, "FREE p r1", "(integer) 1");
    expect_reply(c, "> 1) 'lost'\n2) 'p'\n3) 'r1'\n4) '*-*'");
    expect(other, "UNLOCK k", "(integer) 1");
    expect_reply(c, "> 1) 'lost'\n2) 'lock'\n3) 'k'\n4) '1*'");
    expect(c, "MALLOC p", "'r2'"); /* told once is enough */
}
END_TEST

START_TEST(a_loss_is_a_message_to_who_subscribed)
{
    struct client *listener = node_client(&rig.nodes[0]);
    expect(c, "SUBSCRIBE __lost__", "1) 'subscribe'\n2) '__lost__'\n3) (integer) 1");
    expect(c, "CLIENT SETNAME worker", "OK");
    expect(listener, "CLIENT SETNAME worker", "OK");
    expect_like(listener, "SUBSCRIBE __lost__", "1) 'subscribe'*");
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(other, "FREE p r1", "(integer) 1");
    expect_reply(c, "1) 'message'\n2) '__lost__'\n3) 'p r1 *-*'");
    expect_reply(listener, "1) 'message'\n2) '__lost__'\n3) 'p r1 *-*'");
    expect(c, "UNSUBSCRIBE", "1) 'unsubscribe'\n2) '__lost__'\n3) (integer) 0");
    expect(c, "SUBSCRIBE news", "(error) ERR the only channel is '__lost__', not 'news'");
    client_close(listener);
}
END_TEST

START_TEST(a_namesake_hears_of_it_and_the_holder_is_told_all_the_same)
{
    expect(other, "CLIENT SETNAME worker", "OK");
    expect_like(other, "SUBSCRIBE __lost__", "1) 'subscribe'*");
    expect(c, "CLIENT SETNAME worker", "OK");
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(other, "FREE p r1", "(integer) 1");
    expect_reply(other, "1) 'message'\n2) '__lost__'\n3) 'p r1 *-*'");
    expect_like(c, "MALLOC p", "(error) LOST p r1 *-* was lost; this request was not run");
}
END_TEST

START_TEST(all_that_was_lost_is_said)
{
    expect(c, "MALLOC p COUNT 2 SESSION", "1) 'r1'\n2) 'r2'");
    expect(other, "FREE p r1 r2", "(integer) 2");
    until(strstr(say(other, "INFO clients"), "sessions_lost:2") != NULL);
    const char *told = say(c, "MALLOC p");
    expect_text_like(told, "(error) LOST p r? *-* was lost; p r? *-* was lost; this*");
    ck_assert(strstr(told, "p r1 ") != NULL && strstr(told, "p r2 ") != NULL);
    char longest[300];
    memset(longest, 'k', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (int i = 0; i < 9; i++)
        sayf(c, "LOCK %d%s me SESSION", i, longest);
    for (int i = 0; i < 9; i++)
        sayf(other, "UNLOCK %d%s", i, longest);
    until(strstr(say(other, "INFO clients"), "sessions_lost:11") != NULL);
    expect_like(c, "MALLOC p", "(error) LOST lock *; and more; this request was not run");
    expect(c, "MALLOC p", "'r1'");
}
END_TEST

START_TEST(else_the_next_request_says_so_once)
{
    expect(c, "MALLOC p SESSION", "'r1'");
    expect(other, "FREE p r1", "(integer) 1");
    until(strstr(say(other, "INFO clients"), "sessions_lost:1") != NULL);
    expect(c, "PING", "PONG");
    expect_like(c, "MALLOC p", "(error) LOST p r1 *-* was lost; this request was not run");
    expect(c, "MALLOC p", "'r2'");
}
END_TEST

START_TEST(a_repeated_request_takes_the_session_over)
{
    expect(c, "MALLOC p REQID q SESSION", "'r1'");
    expect(other, "MALLOC p REQID q SESSION", "'r1'");
    client_close(c);
    c = node_client(&rig.nodes[0]);
    pass_ms(2500);
    ck_assert_int_gt(say_int(rig_redis(&rig), "PTTL rallocd|p:r1"), 0);
    expect_like(c, "CLIENT LIST", "*held=1*");
}
END_TEST

START_TEST(a_lease_ends_with_the_last_who_repeated_its_request)
{
    struct client *again = node_client(&rig.nodes[0]);
    expect(c, "MALLOC p REQID q SESSION", "'r1'");
    expect(again, "MALLOC p REQID q SESSION", "'r1'");
    expect(again, "MALLOC p REQID q SESSION", "'r1'");
    expect_like(other, "INFO clients", "*sessions_held:2*");
    client_close(again);
    until(strstr(say(other, "INFO clients"), "sessions_held:1") != NULL);
    pass_ms(2500);
    expect(other, "POOL HEALTH p", "1) (integer) 1\n2) (integer) 1");
    client_close(c);
    c = node_client(&rig.nodes[0]);
    until(strstr(say(other, "INFO clients"), "sessions_held:0") != NULL);
    expect(other, "POOL HEALTH p", "1) (integer) 0\n2) (integer) 2");
}
END_TEST

START_TEST(a_lease_that_was_repeated_without_a_session_lasts_for_its_time)
{
    static const char *const takes[] = {"MALLOC p REQID q SESSION", "MALLOC p TIMEOUT 60 REQID q"};
    for (int i = 0; i < 2; i++) {
        struct client *holder = node_client(&rig.nodes[0]);
        expect(holder, takes[i], "'r1'");
        expect(c, takes[1 - i], "'r1'");
        client_close(holder);
        client_close(c);
        c = node_client(&rig.nodes[0]);
        until(strstr(say(other, "INFO clients"), "sessions_held:0") != NULL);
        expect(other, "POOL HEALTH p", "1) (integer) 1\n2) (integer) 1");
        expect(other, "FREE p r1", "(integer) 1");
        expect(other, "POOL SHRINK p r2", "(integer) 1"); /* r1 is the first again */
        expect(other, "POOL EXTEND p r2", "(integer) 1");
    }
}
END_TEST

START_TEST(a_shared_pool_has_no_sessions)
{
    node_stop(&rig.nodes[0]);
    node_option(&rig.nodes[0], "--pool:round.mode=shared");
    node_start(&rig.nodes[0]);
    client_close(c);
    client_close(other);
    c = node_client(&rig.nodes[0]);
    other = node_client(&rig.nodes[0]);
    expect(c, "MALLOC round SESSION",
           "(error) ERR SESSION does not go with pool 'round': it is shared, without leases");
}
END_TEST

int main(void)
{
    return RIG_RUN("sessions", set_up, tear_down, a_lease_lives_as_long_as_its_connection,
                   quit_reset_and_kill_give_all_back, what_is_granted_after_a_reset_goes_back,
                   locks_are_held_so_too, a_lock_that_its_owner_took_anew_is_not_given_back,
                   a_lock_that_its_owner_took_anew_is_not_renewed, what_was_given_back_is_not_lost,
                   a_renewal_never_shortens_a_time, timeout_limits_the_whole_holding,
                   a_loss_is_pushed_to_resp3, a_loss_is_a_message_to_who_subscribed,
                   a_namesake_hears_of_it_and_the_holder_is_told_all_the_same,
                   all_that_was_lost_is_said, else_the_next_request_says_so_once,
                   a_repeated_request_takes_the_session_over,
                   a_lease_ends_with_the_last_who_repeated_its_request,
                   a_lease_that_was_repeated_without_a_session_lasts_for_its_time,
                   a_shared_pool_has_no_sessions);
}
