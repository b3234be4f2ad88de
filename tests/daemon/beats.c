/* beats: who of a group is alive: BEAT BEATS LEAVE. */
#include "tests/lib/rig.h"
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

START_TEST(a_member_is_alive_while_it_beats)
{
    expect(c, "BEAT web m1 TIMEOUT 0.3", "(integer) 1");
    expect(c, "BEAT web m1 TIMEOUT 0.3", "(integer) 0");
    expect(c, "BEATS web", "1) 'm1'");
    until(strcmp(say(c, "BEATS web"), "(empty array)") == 0);
    expect(c, "BEAT web m1", "(integer) 1");
    int64_t ttl_ms = say_int(rig_redis(&rig), "PTTL web|thread-health-check-pool:m1");
    ck_assert(ttl_ms > 50000 && ttl_ms <= 60000);
    expect(c, "BEAT web m1 TIMEOUT 0", "(integer) 0");
    expect(rig_redis(&rig), "PTTL web|thread-health-check-pool:m1", "(integer) -1");
}
END_TEST

START_TEST(a_group_is_shared_with_python_programs)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "BEAT a/b:c m1", "(integer) 1");
    expect(redis, "SMEMBERS a/b:c|thread-health-check-pool|pool", "1) 'm1'");
    expect(redis, "GET a/b:c|thread-health-check-pool:m1", "'1'");
    expect(redis, "SADD a/b:c|thread-health-check-pool|pool 4711", "(integer) 1");
    expect(redis, "SET a/b:c|thread-health-check-pool:4711 1 EX 60", "OK");
    expect_like(c, "BEATS a/b:c", "1) *\n2) *");
    expect(c, "LEAVE a/b:c m1", "(integer) 1");
    expect(c, "BEATS a/b:c", "1) '4711'");
}
END_TEST

START_TEST(who_leaves_is_gone)
{
    expect(c, "BEAT web m1", "(integer) 1");
    expect(c, "LEAVE web m1", "(integer) 1");
    expect(c, "LEAVE web m1", "(integer) 0");
    expect(c, "BEATS web", "(empty array)");
    expect(rig_redis(&rig), "KEYS web*", "(empty array)");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    expect_like(c, "BEAT web", "(error) ERR wrong number of arguments for 'beat' command");
    expect_like(c, "BEAT a|b m", "(error) ERR invalid name*");
    expect_like(c, "BEAT web \"\"", "(error) ERR invalid member*");
    expect_like(c, "BEAT web m TIMEOUT x", "(error) ERR TIMEOUT*");
    expect_like(c, "BEATS a|b", "(error) ERR invalid name*");
    expect_like(c, "LEAVE web \"\"", "(error) ERR invalid member*");
}
END_TEST

int main(void)
{
    return RIG_RUN("beats", set_up, tear_down, a_member_is_alive_while_it_beats,
                   a_group_is_shared_with_python_programs, who_leaves_is_gone,
                   wrong_arguments_are_refused);
}
