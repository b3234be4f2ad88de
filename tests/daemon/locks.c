/* locks: exclusive locks, shared ones, permits, several at once, values that are compared: what a
 * user sees, and what lies in Redis. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

START_TEST(a_lock_has_one_holder_until_it_is_unlocked)
{
    int64_t fence = say_int(c, "LOCK k worker-1");
    ck_assert_int_gt(fence, 0);
    expect(c, "LOCK k worker-2", "(nil)");
    expect(c, "LOCK k worker-1", "(nil)");
    expect(c, "LOCKED k", "(integer) 1");
    expect(c, "LOCKVALUE k", "'worker-1'");
    expect(c, "UNLOCK k worker-2", "(error) NOTOWNER another owner holds this lock");
    expect(c, "UNLOCK k worker-1", "(integer) 1");
    expect(c, "UNLOCK k worker-1", "(integer) 0");
    expect(c, "LOCKED k", "(integer) 0");
    expect(c, "LOCKVALUE k", "(nil)");
    ck_assert_int_gt(say_int(c, "LOCK k worker-2"), fence);
    expect(c, "UNLOCK k", "(integer) 1");
}
END_TEST

START_TEST(its_time_is_the_default_or_as_said)
{
    struct client *redis = rig_redis(&rig);
    say_int(c, "LOCK k w");
    int64_t ttl_ms = say_int(c, "LOCKTTL k");
    ck_assert(ttl_ms > 110000 && ttl_ms <= 120000);
    say_int(c, "LOCK j w TIMEOUT 0.5");
    ck_assert_int_le(say_int(redis, "PTTL rallocd|lock:j"), 500);
    until(strcmp(say(c, "LOCKED j"), "(integer) 0") == 0);
    say_int(c, "LOCK j w TIMEOUT 0");
    expect(c, "LOCKTTL j", "(integer) -1");
    expect(c, "LOCKTTL nobody", "(integer) -2");
    expect(c, "CONFIG SET server.lock_timeout 5", "OK");
    say_int(c, "LOCK l w");
    ck_assert_int_le(say_int(c, "LOCKTTL l"), 5000);
}
END_TEST

START_TEST(its_owner_extends_it_or_gets_it_again)
{
    int64_t fence = say_int(c, "RLOCK k w TIMEOUT 5");
    ck_assert_int_eq(say_int(c, "RLOCK k w TIMEOUT 60"), fence);
    ck_assert_int_gt(say_int(c, "LOCKTTL k"), 50000);
    expect(c, "RLOCK k other", "(nil)");
    expect(c, "EXTENDLOCK k w TIMEOUT 90", "(integer) 1");
    ck_assert_int_gt(say_int(c, "LOCKTTL k"), 80000);
    expect(c, "EXTENDLOCK k other TIMEOUT 5", "(integer) 0");
    expect(c, "EXTENDLOCK free w", "(integer) 0");
    expect(c, "UPDATE k other TIMEOUT 5", "OK");
    expect(c, "LOCKVALUE k", "'other'");
    ck_assert_int_gt(say_int(c, "RLOCK k other"), fence);
}
END_TEST

START_TEST(lockstatus_judges_by_the_time_left)
{
    expect(c, "LOCKSTATUS k", "FREE");
    say_int(c, "LOCK k w TIMEOUT 100");
    expect(c, "LOCKSTATUS k", "LOCKED");
    expect(c, "LOCKSTATUS k TIMEOUT 50", "UNAVAILABLE");
    expect(c, "LOCKSTATUS k TIMEOUT 0", "LOCKED");
    expect(c, "EXTENDLOCK k w TIMEOUT 500", "(integer) 1");
    expect(c, "LOCKSTATUS k", "UNAVAILABLE");
    expect(c, "EXTENDLOCK k w TIMEOUT 0", "(integer) 1");
    expect(c, "LOCKSTATUS k", "ERROR");
}
END_TEST

START_TEST(keys_and_owners_may_be_any_bytes_but_nul)
{
    say_int(c, "LOCK \"a b|\\xff:\" \"o\\n'\\xfe\"");
    expect(c, "LOCKVALUE \"a b|\\xff:\"", "'o\\n'\\xfe'");
    expect(rig_redis(&rig), "GET \"rallocd|lock:a b|\\xff:\"", "'o\\n'\\xfe'");
    expect(c, "UNLOCK \"a b|\\xff:\" \"o\\n'\\xfe\"", "(integer) 1");
    say_int(c, "LOCK IN TIMEOUT");
    expect(c, "UNLOCK IN TIMEOUT", "(integer) 1");
}
END_TEST

START_TEST(locks_of_a_set_are_its_own)
{
    say_int(c, "LOCK k a");
    say_int(c, "LOCK k b IN gpus TIMEOUT 60");
    expect(rig_redis(&rig), "GET rallocd|gpus:k", "'b'");
    expect(c, "LOCKVALUE k IN gpus", "'b'");
    expect(c, "LOCKED k IN other", "(integer) 0");
    ck_assert_int_le(say_int(c, "LOCKTTL k IN gpus"), 60000);
    expect(c, "LOCKSTATUS k IN gpus TIMEOUT 1", "UNAVAILABLE");
    expect(c, "EXTENDLOCK k a IN gpus", "(integer) 0");
    expect(c, "UPDATE k c IN gpus", "OK");
    expect(c, "UNLOCK k b IN gpus", "(error) NOTOWNER another owner holds this lock");
    expect(c, "UNLOCK k c IN gpus", "(integer) 1");
    say_int(c, "RLOCK k d IN gpus SHARED");
    expect(c, "UNLOCK k IN gpus", "(integer) 1");
    expect(c, "SETIF n > 5 IN gpus", "(integer) 1");
    expect(c, "SETIF n > 5 6 IN gpus TIMEOUT 9", "(integer) 0");
    expect(c, "DELIF n == 5 IN gpus", "(integer) 1");
    expect_like(c, "LOCKALL w IN gpus a b", "1) (integer) *\n2) (integer) *");
    expect(c, "LOCKVALUE b IN gpus", "'w'");
    expect(c, "LOCKVALUE k", "'a'");
}
END_TEST

START_TEST(a_pool_is_no_lock_set)
{
    const char *const words[] = {"LOCK r w IN p",      "LOCK r w IN p SHARED", "UNLOCK r IN p",
                                 "LOCKVALUE r IN p",   "LOCKED r IN p",        "UPDATE r w IN p",
                                 "SETIF r > 5 IN p",   "DELIF r > 5 IN p",     "RLOCK r w IN p",
                                 "LOCKALL w IN p r s", "EXTENDLOCK r w IN p"};
    expect(c, "POOL EXTEND p r", "(integer) 1");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        expect(c, words[i],
               "(error) WRONGTYPE a key of lock set 'p' holds another type: is it a pool?");
    expect(rig_redis(&rig), "EXISTS rallocd|p:r", "(integer) 0");
    expect(c, "MALLOC p", "'r'");
}
END_TEST

START_TEST(a_shared_lock_has_many_holders_and_no_exclusive_one)
{
    int64_t fence = say_int(c, "LOCK doc r1 SHARED TIMEOUT 90");
    ck_assert_int_gt(say_int(c, "LOCK doc r2 SHARED TIMEOUT 30"), fence);
    ck_assert_int_eq(say_int(c, "RLOCK doc r1 SHARED TIMEOUT 60"), fence);
    expect(c, "LOCK doc r1 SHARED", "(nil)");
    expect(c, "LOCK doc writer", "(nil)");
    expect(c, "RLOCK doc writer", "(nil)");
    expect(c, "LOCKVALUE doc", "1) 'r2'\n2) 'r1'");
    ck_assert_int_gt(say_int(c, "LOCKTTL doc"), 50000);
    expect(c, "LOCKSTATUS doc", "LOCKED");
    expect(c, "EXTENDLOCK doc r2 TIMEOUT 500", "(integer) 1");
    expect(c, "EXTENDLOCK doc r3", "(integer) 0");
    expect(c, "LOCKSTATUS doc", "UNAVAILABLE");
    expect(c, "UNLOCK doc r3", "(error) NOTOWNER another owner holds this lock");
    expect(c, "UNLOCK doc r2", "(integer) 1");
    ck_assert_int_le(say_int(c, "LOCKTTL doc"), 60000);
    expect(c, "UNLOCK doc r1", "(integer) 1");
    say_int(c, "LOCK doc writer");
    expect(c, "LOCK doc r1 SHARED", "(nil)");
}
END_TEST

START_TEST(a_share_ends_by_its_own_time)
{
    say_int(c, "LOCK doc r1 SHARED TIMEOUT 0.2");
    say_int(c, "LOCK doc r2 SHARED TIMEOUT 60");
    until(strcmp(say(c, "LOCKVALUE doc"), "1) \"r2\"") == 0);
    expect(c, "UNLOCK doc r1", "(error) NOTOWNER another owner holds this lock");
    expect(c, "EXTENDLOCK doc r2 TIMEOUT 0.2", "(integer) 1");
    until(strcmp(say(c, "LOCKED doc"), "(integer) 0") == 0);
    expect(c, "UNLOCK doc r2", "(integer) 0");
    say_int(c, "LOCK doc writer");
}
END_TEST

START_TEST(permits_are_shared_out_up_to_their_number)
{
    say_int(c, "LOCK api a PERMITS 2 OF 3 TIMEOUT 60");
    expect(c, "LOCK api b PERMITS 2 OF 3", "(nil)");
    say_int(c, "LOCK api b PERMITS 1 OF 3");
    expect(c, "LOCK api c PERMITS 1 OF 4",
           "(error) ERR OF 4 does not fit: permits of this lock are held OF 3");
    expect(c, "LOCK api c SHARED", "(nil)");
    expect(c, "LOCK api c", "(nil)");
    say_int(c, "RLOCK api a PERMITS 1 OF 3 TIMEOUT 5");
    say_int(c, "LOCK api c PERMITS 1 OF 3");
    expect(c, "LOCKVALUE api", "1) 'a'\n2) 'b'\n3) 'c'");
    expect(c, "UNLOCK api", "(integer) 1");
    say_int(c, "LOCK api c PERMITS 5 OF 5");
}
END_TEST

START_TEST(a_python_program_respects_what_has_several_holders_and_is_respected)
{
    struct client *redis = rig_redis(&rig);
    say_int(c, "LOCK doc r1 SHARED");
    expect(redis, "SET rallocd|lock:doc 1 NX EX 60", "(nil)");
    ck_assert_int_gt(say_int(redis, "TTL rallocd|lock:doc"), 100);
    expect(redis, "DEL rallocd|lock:doc", "(integer) 1");
    expect(redis, "SET rallocd|lock:doc 1 NX EX 60", "OK");
    expect(c, "LOCK doc r1 SHARED", "(nil)");
    expect(c, "LOCK doc r1 PERMITS 1 OF 2", "(nil)");
    expect(c, "LOCKVALUE doc", "'1'");
    expect(c, "UNLOCK doc 1", "(integer) 1");
    say_int(c, "LOCK doc r1 SHARED");
    expect(c, "LOCKVALUE doc", "1) 'r1'");
}
END_TEST

START_TEST(lockall_takes_all_or_none)
{
    expect_like(c, "LOCKALL w TIMEOUT 60 a b c", "1) (integer) *\n2) (integer) *\n3) (integer) *");
    expect(c, "LOCKALL x d b", "(nil)");
    expect(c, "LOCKED d", "(integer) 0");
    expect(c, "LOCKALL x d d", "(error) ERR a key is named twice");
    expect(c, "UNLOCK b w", "(integer) 1");
    expect_like(c, "LOCKALL x KEYS TIMEOUT b", "1) (integer) *\n2) (integer) *");
    expect(c, "LOCKVALUE TIMEOUT", "'x'");
    client_send(c, "HELLO 3");
    client_read(c);
    expect(c, "LOCKALL x d b", "(nil)");
}
END_TEST

START_TEST(setif_and_delif_compare_with_the_present_value)
{
    expect(c, "SETIF best > 10", "(integer) 1");
    expect(c, "SETIF best > 9", "(integer) 0");
    expect(c, "SETIF best > 11 11.50 TIMEOUT 60", "(integer) 1");
    expect(c, "LOCKVALUE best", "'11.50'");
    ck_assert_int_gt(say_int(c, "LOCKTTL best"), 50000);
    expect(c, "SETIF best <= 11.5000001 -3e2", "(integer) 1");
    expect(c, "LOCKTTL best", "(integer) -1");
    expect(c, "DELIF best != -300", "(integer) 0");
    expect(c, "DELIF best == -300", "(integer) 1");
    expect(c, "DELIF best == 1", "(integer) 1");
    say_int(c, "LOCK k w");
    expect(c, "SETIF k > 5", "(error) ERR the present value is no number: 'w'");
    expect(c, "DELIF k != 5", "(error) ERR the present value is no number: 'w'");
    expect(c, "LOCKVALUE k", "'w'");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    expect(c, "LOCK k", "(error) ERR wrong number of arguments for 'lock' command");
    expect(c, "LOCK \"\" w", "(error) ERR invalid key '': 1 to 512 bytes without NUL are allowed");
    expect_like(c, "LOCK k \"\"", "(error) ERR invalid owner *");
    expect_like(c, "LOCK k #SHARED", "(error) ERR invalid owner '#SHARED'*");
    expect_like(c, "UNLOCK k #PERMITS", "(error) ERR invalid owner*");
    expect_like(c, "LOCK k w TIMEOUT x", "(error) ERR TIMEOUT is not a number of seconds*");
    expect_like(c, "LOCK k w IN a|b", "(error) ERR invalid name*");
    expect_like(c, "LOCK k w IN lock", "(error) ERR invalid name*");
    expect(c, "LOCK k w SHARED PERMITS 1 OF 2",
           "(error) ERR syntax error: SHARED does not go with PERMITS");
    expect_like(c, "LOCK k w PERMITS 3 OF 2", "(error) ERR OF is not a whole number from 3*");
    expect_like(c, "LOCK k w WAIT -5", "(error) ERR WAIT is not a whole number of milliseconds*");
    expect_like(c, "LOCK k w REPORT", "(error) ERR syntax error: LOCK takes no option 'REPORT'");
    expect_like(c, "UPDATE k w SHARED", "(error) ERR syntax error: UPDATE takes no option*");
    expect(c, "UNLOCK k w IN", "(error) ERR syntax error: UNLOCK takes no option 'w'");
    expect(c, "SETIF k = 5", "(error) ERR the comparison is none of > < >= <= == !=: '='");
    expect(c, "SETIF k > five", "(error) ERR the value is not a number: 'five'");
    expect(c, "SETIF k > 5 six", "(error) ERR the value is not a number: 'six'");
    expect(c, "DELIF k > 0x10", "(error) ERR the value is not a number: '0x10'");
    expect_like(c, "LOCKALL w", "(error) ERR wrong number*");
    expect_like(c, "LOCKALL w a \"\"", "(error) ERR invalid key ''*");
    expect(rig_redis(&rig), "KEYS *", "(empty array)");
}
END_TEST

START_TEST(a_lock_whose_client_is_gone_before_the_answer_is_given_back)
{
    server_freeze(&rig.redis);
    client_send(c, "LOCK k w TIMEOUT 0");
    client_send(c, "LOCK s w TIMEOUT 0 SHARED");
    client_send(c, "LOCKALL w TIMEOUT 0 a b");
    node_catch_up(&rig.nodes[0]);
    ck_assert(!client_has_reply(c, 0));
    client_close(c);
    server_thaw(&rig.redis);
    c = node_client(&rig.nodes[0]);
    until(strcmp(say(rig_redis(&rig), "KEYS rallocd|lock:*"), "(empty array)") == 0);
}
END_TEST

START_TEST(info_counts_locks)
{
    say(c, "LOCK k w");
    say(c, "LOCK k w");
    say(c, "LOCKALL w a b");
    say(c, "UNLOCK k w");
    const char *const lines[] = {"locks_asked:3", "locks_granted:3", "locks_held:1",
                                 "locks_ended:1", "locks_recalled:0"};
    const char *info = say(c, "INFO locks");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(strstr(info, lines[i]) != NULL, "%s: %s", lines[i], info);
    expect(c, "CONFIG RESETSTAT", "OK");
    ck_assert_ptr_nonnull(strstr(say(c, "INFO locks"), "locks_granted:0"));
}
END_TEST

START_TEST(requests_in_one_pipeline_keep_their_order)
{
    for (int i = 0; i < 200; i++) {
        client_send(c, i % 2 == 0 ? "LOCK k w" : "UNLOCK k w");
        client_send(c, "LOCKED k");
    }
    for (int i = 0; i < 200; i++) {
        expect_text_like(client_read(c), i % 2 == 0 ? "(integer) ????????????????" : "(integer) 1");
        expect_text(client_read(c), i % 2 == 0 ? "(integer) 1" : "(integer) 0");
    }
}
END_TEST

int main(void)
{
    return RIG_RUN("locks", set_up, tear_down, a_lock_has_one_holder_until_it_is_unlocked,
                   its_time_is_the_default_or_as_said, its_owner_extends_it_or_gets_it_again,
                   lockstatus_judges_by_the_time_left, keys_and_owners_may_be_any_bytes_but_nul,
                   locks_of_a_set_are_its_own, a_pool_is_no_lock_set,
                   a_shared_lock_has_many_holders_and_no_exclusive_one,
                   a_share_ends_by_its_own_time, permits_are_shared_out_up_to_their_number,
                   a_python_program_respects_what_has_several_holders_and_is_respected,
                   lockall_takes_all_or_none, setif_and_delif_compare_with_the_present_value,
                   wrong_arguments_are_refused,
                   a_lock_whose_client_is_gone_before_the_answer_is_given_back, info_counts_locks,
                   requests_in_one_pipeline_keep_their_order);
}
