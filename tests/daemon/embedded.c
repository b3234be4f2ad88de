/* embedded: the daemon's own redis-server: started, watched, stopped last, adopted after a crash.
 */
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static struct client *c;

static void set_up(void)
{
    rig_start_bare(&rig);
    node = &rig.nodes[rig.node_count++];
    node_init(node, rig.guard.dir, "daemon");
    node_option(node, "--redis.state_dir=%s/state", rig.guard.dir);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void begin(void)
{
    node_start(node);
    client_close(c);
    c = node_client(node);
}

static pid_t redis_pid(void)
{
    const char *info = say(c, "INFO redis"), *at = strstr(info, "redis_embedded_pid:");
    ck_assert_ptr_nonnull(at);
    return (pid_t)strtol(at + 19, NULL, 10);
}

static bool is_alive(pid_t pid)
{
    char path[64], state = 'X';
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'X';
    fclose(file);
    return state != 'Z' && state != 'X';
}

START_TEST(without_a_url_the_daemon_has_a_redis_of_its_own)
{
    begin();
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(c, "MALLOC p", "'r1'");
    expect_like(c, "INFO redis", "*redis_where:embedded unix:*");
    ck_assert(is_alive(redis_pid()));
}
END_TEST

START_TEST(its_folder_is_nobody_elses)
{
    char path[128];
    struct stat st;
    begin();
    snprintf(path, sizeof(path), "%s/state", rig.guard.dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq((int)(st.st_mode & 0777), 0700);
    snprintf(path, sizeof(path), "%s/state/redis.sock", rig.guard.dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq((int)(st.st_mode & 0077), 0);
}
END_TEST

START_TEST(it_ends_with_the_daemon_and_its_pools_come_back)
{
    begin();
    pid_t pid = redis_pid();
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(c, "MALLOC p TIMEOUT 0", "'r1'");
    ck_assert_int_eq(node_stop(node), 0);
    ck_assert(!is_alive(pid));
    begin();
    expect(c, "POOL FREELIST p", "1) 'r2'");
    expect(c, "FREE p r1", "(integer) 1");
}
END_TEST

/* With appendfsync=everysec a killed redis-server may not have written what a slow disk kept it
 * from. */
START_TEST(it_is_started_again_when_it_dies)
{
    node_option(node, "--redis.appendfsync=always");
    begin();
    expect(c, "POOL EXTEND p r1 r2", "(integer) 2");
    expect(c, "MALLOC p TIMEOUT 0", "'r1'");
    until(strcmp(say(c, "POOL LEN p"), "(integer) 2") == 0);
    pid_t pid = redis_pid();
    kill(pid, SIGKILL);
    until(redis_pid() != pid); /* what is sent before this is known may get UPSTREAM */
    expect(c, "MALLOC p", "'r2'");
    expect_like(c, "INFO redis", "*redis_embedded_restarts:1*");
    ck_assert(node_log_has(node, "redis-died") || node_log_has(node, "redis-ended"));
}
END_TEST

START_TEST(it_is_adopted_after_the_daemon_was_killed)
{
    begin();
    expect(c, "POOL EXTEND p r1", "(integer) 1");
    pid_t pid = redis_pid();
    node_kill(node);
    ck_assert(is_alive(pid));
    begin();
    ck_assert_int_eq(redis_pid(), pid);
    expect(c, "MALLOC p", "'r1'");
    ck_assert_int_eq(node_stop(node), 0);
    until(!is_alive(pid));
}
END_TEST

START_TEST(two_daemons_never_share_a_folder)
{
    begin();
    struct node *second = &rig.nodes[rig.node_count++];
    node_init(second, rig.guard.dir, "second");
    node_option(second, "--redis.state_dir=%s/state", rig.guard.dir);
    node_launch(second);
    ck_assert_int_eq(node_wait_end(second), 1);
    ck_assert(node_log_has(second, "event=cannot-start"));
    expect(c, "PING", "PONG");
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(a_missing_redis_server_ends_the_start_with_1)
{
    node_option(node, "--redis.server_binary=/nowhere/redis-server");
    node_launch(node);
    ck_assert_int_eq(node_wait_end(node), 1);
    ck_assert(node_log_has(node, "/nowhere/redis-server"));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_ends_the_start_with_1)
{
    struct node *other = &rig.nodes[rig.node_count++];
    node_init(other, rig.guard.dir, "other");
    node_option(other, "--redis.state_dir=/proc/nowhere");
    node_launch(other);
    ck_assert_int_eq(node_wait_end(other), 1);
    ck_assert(node_log_has(other, "/proc/nowhere"));
}
END_TEST

int main(void)
{
    return RIG_RUN("embedded", set_up, tear_down, without_a_url_the_daemon_has_a_redis_of_its_own,
                   its_folder_is_nobody_elses, it_ends_with_the_daemon_and_its_pools_come_back,
                   it_is_started_again_when_it_dies, it_is_adopted_after_the_daemon_was_killed,
                   two_daemons_never_share_a_folder, a_missing_redis_server_ends_the_start_with_1,
                   a_folder_that_cannot_be_made_ends_the_start_with_1);
}
