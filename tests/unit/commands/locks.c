/* locks, lock sets, beats: what is asked of Redis, and what becomes of its answers. */
#include "main.h"
#include "rig.h"

/* What the call in flight says, without daemon and sequence where it is of a batch. */
static const char *sent(enum script_id script)
{
    const char *text = rig.upstream.text;
    bool is_of_batch = script == SCRIPT_LOCK_PLAIN || script == SCRIPT_LOCK_LOCK_ONE ||
                       script == SCRIPT_LOCK_UNLOCK_ONE;

    ck_assert(rig.upstream.is_flying);
    ck_assert_int_eq(rig.upstream.script, script);
    for (int i = 0; i < 2 && is_of_batch; i++)
        text = strchr(text, ' ') + 1;
    return text;
}

/* Answers the call in flight, for the next one to be sent. */
static void go_on(void)
{
    rig_answer("*1\n:1\n");
    rig_reply(&rig.peers[0]);
}

#define sends(script, words, ...)                \
    do {                                         \
        ck_assert_str_eq(says(__VA_ARGS__), ""); \
        ck_assert_str_eq(sent(script), words);   \
        go_on();                                 \
    } while (0)

START_TEST(times_are_the_defaults_or_as_said)
{
    sends(SCRIPT_LOCK_LOCK_ONE, "w 120000", "LOCK", "k", "w");
    sends(SCRIPT_LOCK_LOCK_ONE, "w 0", "LOCK", "k", "w", "TIMEOUT", "-1");
    sends(SCRIPT_LOCK_PLAIN, "R w 1500", "RLOCK", "k", "w", "TIMEOUT", "1.5");
    sends(SCRIPT_LOCK_PLAIN, "U w 120000", "UPDATE", "k", "w");
    sends(SCRIPT_LOCK_PLAIN, "E w 120000", "EXTENDLOCK", "k", "w");
    sends(SCRIPT_LOCK_PLAIN, "A w 120000 2", "LOCKALL", "w", "a", "b");
    sends(SCRIPT_LOCK_SETIF, "> 5 5 0", "SETIF", "k", ">", "5");
    sends(SCRIPT_LOCK_BEAT, "m 60000", "BEAT", "g", "m");
}
END_TEST

START_TEST(an_owner_that_may_be_left_out_is_told_from_options)
{
    sends(SCRIPT_LOCK_UNLOCK_ONE, "", "UNLOCK", "k");
    sends(SCRIPT_LOCK_UNLOCK_ONE, "IN", "UNLOCK", "k", "IN");
    sends(SCRIPT_LOCK_PLAIN, "S F  ", "UNLOCK", "k", "IN", "s");
    sends(SCRIPT_LOCK_PLAIN, "S F w ", "UNLOCK", "k", "w", "IN", "s");
    sends(SCRIPT_LOCK_SETIF, "> 5 5 2000", "SETIF", "k", ">", "5", "TIMEOUT", "2");
    sends(SCRIPT_LOCK_SETIF, "> 5 6 2000", "SETIF", "k", ">", "5", "6", "TIMEOUT", "2");
    sends(SCRIPT_LOCK_SETIF, "> 5 6 2000", "SETIF", "k", ">", "5", "6", "IN", "s", "TIMEOUT", "2");
}
END_TEST

START_TEST(kinds_are_passed_on)
{
    sends(SCRIPT_LOCK_PLAIN, "H w 120000 #SHARED 1 0 0", "LOCK", "k", "w", "SHARED");
    sends(SCRIPT_LOCK_PLAIN, "S H w 9000 #PERMITS 2 3 1", "RLOCK", "k", "w", "permits", "2", "of",
          "3", "IN", "s", "TIMEOUT", "9");
}
END_TEST

START_TEST(answers_become_replies)
{
    ck_assert_str_eq(says_then("*1\n:77\n", "LOCK", "k", "w"), ":77\n");
    ck_assert_str_eq(says_then("*1\n$-1\n", "LOCK", "k", "w"), "$-1\n");
    ck_assert_str_eq(says_then("*1\n*2\n:7\n:8\n", "LOCKALL", "w", "a", "b"), "*2\n:7\n:8\n");
    ck_assert_str_eq(says_then("*1\n$-1\n", "LOCKALL", "w", "a"), "*-1\n");
    ck_assert_str_eq(says_then("*1\n+OK\n", "UPDATE", "k", "w"), "+OK\n");
    ck_assert_str_eq(says_then("*1\n:-2\n", "LOCKED", "k"), ":0\n");
    ck_assert_str_eq(says_then("*1\n:-1\n", "LOCKED", "k"), ":1\n");
    ck_assert_str_eq(says_then("*1\n:-1\n", "LOCKSTATUS", "k"), "+ERROR\n");
    ck_assert_str_eq(says_then("*1\n:-2\n", "LOCKSTATUS", "k"), "+FREE\n");
    ck_assert_str_eq(says_then("*1\n:120000\n", "LOCKSTATUS", "k"), "+LOCKED\n");
    ck_assert_str_eq(says_then("*1\n:120001\n", "LOCKSTATUS", "k"), "+UNAVAILABLE\n");
    ck_assert_str_eq(says_then("$1\nw\n", "LOCKVALUE", "k"), "$1\nw\n");
    ck_assert_str_eq(says_then("*1\n$1\nw\n", "LOCKVALUE", "k"), "*1\n$1\nw\n");
    ck_assert_str_eq(says_then("$-1\n", "LOCKVALUE", "k"), "$-1\n");
    ck_assert_str_eq(says_then("*2\n:1\n:2\n", "LOCKSET", "CLEAR", "s"), ":2\n");
    ck_assert_str_eq(says_then("*4\n$1\na\n:1\n$1\nb\n$-1\n", "LOCKSET", "STATUS", "s"),
                     "*4\n$1\na\n:1\n$1\nb\n$-1\n");
    ck_assert_str_eq(says_then("*1\n-NOTOWNER no\n", "UNLOCK", "k", "w"), "-NOTOWNER no\n");
}
END_TEST

START_TEST(a_lock_whose_client_is_gone_goes_back)
{
    says("LOCK", "k", "w");
    rig.peers[0].turn.peer = NULL;
    rig_answer("*1\n:77\n");
    ck_assert(rig.peers[0].turn.is_ended);
    ck_assert_str_eq(sent(SCRIPT_LOCK_PLAIN), "G w 77");
    rig_answer("*1\n:1\n");
}
END_TEST

START_TEST(bad_arguments_are_refused_before_redis_is_asked)
{
    ck_assert_int_eq(strncmp(says("LOCK", "", "w"), "-ERR invalid key", 16), 0);
    ck_assert_int_eq(strncmp(says("LOCK", "k", "#SHARED"), "-ERR invalid owner", 18), 0);
    ck_assert_int_eq(strncmp(says("LOCKALL", "#PERMITS", "k"), "-ERR invalid owner", 18), 0);
    ck_assert_int_eq(strncmp(says("SETIF", "k", "=>", "5"), "-ERR the comparison", 19), 0);
    ck_assert_int_eq(strncmp(says("DELIF", "k", ">", "nan"), "-ERR the value is not", 21), 0);
    ck_assert_int_eq(strncmp(says("LOCKSET", "LEN", "a b"), "-ERR invalid name", 17), 0);
    ck_assert_int_eq(strncmp(says("BEATS", "a|b"), "-ERR invalid name", 17), 0);
    ck_assert(!rig.upstream.is_flying);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {times_are_the_defaults_or_as_said,
                                  an_owner_that_may_be_left_out_is_told_from_options,
                                  kinds_are_passed_on,
                                  answers_become_replies,
                                  a_lock_whose_client_is_gone_goes_back,
                                  bad_arguments_are_refused_before_redis_is_asked,
                                  NULL};
    return run_tests("locks", rig_start, rig_stop, tests);
}
