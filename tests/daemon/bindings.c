/* bindings: soft bindings: MALLOC with NAME, BIND, UNBIND, BOUND; and where Python peers keep
 * theirs. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <string.h>

static struct rig rig;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
    expect(c, "POOL EXTEND p r1 r2 r3", "(integer) 3");
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

START_TEST(malloc_takes_the_bound_resource_first)
{
    expect(c, "BIND p n r3", "OK");
    expect(c, "MALLOC p NAME n", "'r3'");
    expect(c, "POOL FREELIST p", "1) 'r1'\n2) 'r2'");
}
END_TEST

START_TEST(malloc_binds_what_it_gave)
{
    expect(c, "MALLOC p NAME n", "'r1'");
    expect(c, "BOUND p n", "'r1'");
    expect(c, "FREE p r1", "(integer) 1");
    expect(c, "MALLOC p NAME n", "'r1'");
}
END_TEST

START_TEST(malloc_drops_a_binding_whose_resource_is_taken)
{
    expect(c, "BIND p n r2", "OK");
    expect(c, "MALLOC p COUNT 2", "1) 'r1'\n2) 'r2'");
    expect(c, "MALLOC p NAME n", "'r3'");
    expect(c, "BOUND p n", "'r3'");
}
END_TEST

START_TEST(malloc_drops_a_binding_whose_resource_has_left)
{
    expect(c, "BIND p n stranger", "OK");
    expect(c, "BOUND p n", "'stranger'");
    expect(c, "MALLOC p NAME n", "'r1'");
    expect(c, "BOUND p n", "'r1'");
}
END_TEST

START_TEST(malloc_drops_a_binding_to_what_a_python_peer_locked)
{
    expect(c, "BIND p n r2", "OK");
    expect(rig_redis(&rig), "SET rallocd|p:r2 1 EX 100", "OK");
    expect(c, "MALLOC p NAME n", "'r1'");
    expect(rig_redis(&rig), "GET rallocd|p:r2", "'1'");
    expect(rig_redis(&rig), "DEL rallocd|p:r2", "(integer) 1");
}
END_TEST

START_TEST(bindtimeout_says_how_long_a_binding_is_kept)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "MALLOC p NAME a BINDTIMEOUT 50", "'r1'");
    int64_t ttl_ms = say_int(redis, "PTTL rallocd|p-cache:bind:a");
    ck_assert(ttl_ms > 45000 && ttl_ms <= 50000);
    expect(c, "MALLOC p NAME b BINDTIMEOUT 0", "'r2'");
    expect(redis, "PTTL rallocd|p-cache:bind:b", "(integer) -1");
    expect(c, "MALLOC p NAME c", "'r3'");
    ttl_ms = say_int(redis, "PTTL rallocd|p-cache:bind:c");
    ck_assert(ttl_ms > 3590000 && ttl_ms <= 3600000);
}
END_TEST

START_TEST(a_bound_hit_starts_the_bindings_time_anew)
{
    expect(c, "BIND p n r1 TIMEOUT 5", "OK");
    expect(c, "MALLOC p NAME n BINDTIMEOUT 100", "'r1'");
    ck_assert(say_int(rig_redis(&rig), "PTTL rallocd|p-cache:bind:n") > 90000);
}
END_TEST

START_TEST(a_binding_ends_with_its_time)
{
    expect(c, "BIND p n r2 TIMEOUT 0.1", "OK");
    until(strcmp(say(c, "BOUND p n"), "(nil)") == 0);
    expect(c, "MALLOC p NAME n", "'r1'");
}
END_TEST

START_TEST(bind_sets_replaces_and_takes_a_time)
{
    struct client *redis = rig_redis(&rig);
    expect(c, "BIND p n r1", "OK");
    expect(c, "BIND p n r2 TIMEOUT 0", "OK");
    expect(c, "BOUND p n", "'r2'");
    expect(redis, "GET rallocd|p-cache:bind:n", "'r2'");
    expect(redis, "PTTL rallocd|p-cache:bind:n", "(integer) -1");
    expect(c, "BIND p \"any bytes \\xff\" r1", "OK");
    expect(c, "BOUND p \"any bytes \\xff\"", "'r1'");
}
END_TEST

START_TEST(unbind_tells_whether_there_was_one)
{
    expect(c, "BIND p n r1", "OK");
    expect(c, "UNBIND p n", "(integer) 1");
    expect(c, "UNBIND p n", "(integer) 0");
    expect(c, "BOUND p n", "(nil)");
}
END_TEST

START_TEST(a_binding_that_a_python_peer_updated_is_found_and_dropped)
{
    struct client *redis = rig_redis(&rig);
    expect(redis, "SET rallocd|p:rallocd|p-cache:bind:n r2 EX 100", "OK");
    expect(c, "BOUND p n", "'r2'");
    expect(c, "MALLOC p NAME n", "'r2'");
    expect(c, "UNBIND p n", "(integer) 1");
    expect(redis, "KEYS *bind:n", "(empty array)");
}
END_TEST

START_TEST(our_binding_wins_over_a_python_peers)
{
    expect(rig_redis(&rig), "SET rallocd|p:rallocd|p-cache:bind:n r2 EX 100", "OK");
    expect(c, "BIND p n r3", "OK");
    expect(c, "MALLOC p NAME n", "'r3'");
}
END_TEST

START_TEST(a_resource_that_would_be_a_bindings_key_is_refused)
{
    expect_like(c, "POOL EXTEND p rallocd|p-cache:bind:n", "(error) ERR *resource*");
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    expect_like(c, "BIND p n", "(error) ERR wrong number of arguments for 'bind' command");
    expect_like(c, "BIND p n r TIMEOUT x", "(error) ERR TIMEOUT *");
    expect_like(c, "BIND p \"\" r", "(error) ERR *name*");
    expect_like(c, "BIND p n a||b", "(error) ERR *resource*");
    expect_like(c, "UNBIND p", "(error) ERR wrong number of arguments for 'unbind' command");
    expect_like(c, "UNBIND p \"\"", "(error) ERR *name*");
    expect_like(c, "BOUND p", "(error) ERR wrong number of arguments for 'bound' command");
    expect_like(c, "BOUND p \"\"", "(error) ERR *name*");
    expect_like(c, "MALLOC p BINDTIMEOUT x NAME n", "(error) ERR BINDTIMEOUT *");
    expect_like(c, "MALLOC p BINDTIMEOUT 5", "(error) ERR *BINDTIMEOUT*NAME*");
}
END_TEST

int main(void)
{
    return RIG_RUN("bindings", set_up, tear_down, malloc_takes_the_bound_resource_first,
                   malloc_binds_what_it_gave, malloc_drops_a_binding_whose_resource_is_taken,
                   malloc_drops_a_binding_whose_resource_has_left,
                   malloc_drops_a_binding_to_what_a_python_peer_locked,
                   bindtimeout_says_how_long_a_binding_is_kept,
                   a_bound_hit_starts_the_bindings_time_anew, a_binding_ends_with_its_time,
                   bind_sets_replaces_and_takes_a_time, unbind_tells_whether_there_was_one,
                   a_binding_that_a_python_peer_updated_is_found_and_dropped,
                   our_binding_wins_over_a_python_peers,
                   a_resource_that_would_be_a_bindings_key_is_refused, wrong_arguments_are_refused);
}
