/* lock_sets: names whose locks belong together: LOCKSET and its subcommands. */
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

START_TEST(names_are_added_removed_and_counted)
{
    expect(c, "LOCKSET EXTEND gpus g1 g2 g3", "(integer) 3");
    expect(c, "LOCKSET EXTEND gpus g3 g4", "(integer) 1");
    expect(c, "LOCKSET LEN gpus", "(integer) 4");
    expect(c, "LOCKSET HAS gpus g4", "(integer) 1");
    expect(c, "LOCKSET HAS gpus g5", "(integer) 0");
    expect(c, "LOCKSET SHRINK gpus g1 g2 g5", "(integer) 2");
    expect(c, "LOCKSET ASSIGN gpus g3 g9", "1) (integer) 1\n2) (integer) 1");
    expect(c, "LOCKSET CLEAR gpus", "(integer) 2");
    expect(c, "LOCKSET LEN gpus", "(integer) 0");
    expect(c, "LOCKSET KEYS gpus", "(empty array)");
}
END_TEST

START_TEST(a_set_is_shared_with_python_programs)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "LOCKSET EXTEND gpus g1", "(integer) 1");
    expect(redis, "SMEMBERS rallocd|gpus|pool", "1) 'g1'");
    expect(redis, "SADD rallocd|gpus|pool g2", "(integer) 1");
    expect_like(c, "LOCKSET KEYS gpus", "1) 'g?'\n2) 'g?'");
    expect(redis, "SET rallocd|gpus:g1 1 NX EX 60", "OK");
    expect(c, "LOCK g1 w IN gpus", "(nil)");
    expect(c, "LOCKSET HEALTH gpus", "1) (integer) 1\n2) (integer) 1");
}
END_TEST

START_TEST(status_tells_which_are_locked)
{
    expect(c, "LOCKSET EXTEND gpus g1 g2", "(integer) 2");
    say_int(c, "LOCK g1 w IN gpus");
    expect(c, "LOCKSET STATUS gpus g1 g2 g3",
           "1) 'g1'\n2) (integer) 1\n3) 'g2'\n4) (integer) 0\n5) 'g3'\n6) (nil)");
    expect(c, "LOCKSET SHRINK gpus g2", "(integer) 1");
    expect(c, "LOCKSET STATUS gpus", "1) 'g1'\n2) (integer) 1");
    client_send(c, "HELLO 3");
    client_read(c);
    expect(c, "LOCKSET STATUS gpus", "1# 'g1' => (integer) 1");
}
END_TEST

START_TEST(a_name_is_a_set_or_a_pool_and_not_both)
{
    const char *const words[] = {"LOCKSET EXTEND p a", "LOCKSET SHRINK p a", "LOCKSET ASSIGN p a",
                                 "LOCKSET CLEAR p",    "LOCKSET KEYS p",     "LOCKSET HAS p a",
                                 "LOCKSET LEN p",      "LOCKSET STATUS p",   "LOCKSET HEALTH p"};
    expect(c, "POOL EXTEND p a", "(integer) 1");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        expect(c, words[i],
               "(error) WRONGTYPE a key of lock set 'p' holds another type: is it a pool?");
    expect(c, "POOL KEYS p", "1) 'a'");
    expect(c, "LOCKSET EXTEND s a", "(integer) 1");
    expect_like(c, "POOL EXTEND s b", "(error) WRONGTYPE *is it a lock set?*");
    expect_like(c, "MALLOC s", "(error) WRONGTYPE *is it a lock set?*");
    expect(c, "LOCKSET KEYS s", "1) 'a'");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    expect_like(c, "LOCKSET", "(error) ERR wrong number of arguments for 'lockset' command");
    expect_like(c, "LOCKSET NOPE", "(error) ERR unknown subcommand 'NOPE'. Try LOCKSET HELP.");
    expect_like(c, "LOCKSET HELP", "*1) LOCKSET <subcommand> *EXTEND set*");
    expect_like(c, "LOCKSET EXTEND s", "(error) ERR wrong number*");
    expect_like(c, "LOCKSET EXTEND a|b k", "(error) ERR invalid name*");
    expect_like(c, "LOCKSET EXTEND lock k", "(error) ERR invalid name*");
    expect_like(c, "LOCKSET EXTEND s \"\"", "(error) ERR invalid key*");
    expect_like(c, "LOCKSET HAS s \"\"", "(error) ERR invalid key*");
    expect(c, "CONFIG SET server.max_resources 2", "OK");
    expect(c, "LOCKSET EXTEND s a b c", "(error) ERR at most 2 keys in one call, not 3");
    expect(c, "LOCKSET LEN s", "(integer) 0");
}
END_TEST

int main(void)
{
    return RIG_RUN("lock_sets", set_up, tear_down, names_are_added_removed_and_counted,
                   a_set_is_shared_with_python_programs, status_tells_which_are_locked,
                   a_name_is_a_set_or_a_pool_and_not_both, wrong_arguments_are_refused);
}
