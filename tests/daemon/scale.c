/* scale: pools that grow and shrink by programs: when these run, what they are told, and what
 * becomes of those that hang, crash or print rubbish. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct rig rig;
static struct client *c;

static void set_up(void)
{
    rig_start(&rig);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

/* A shell script in the test's folder; $dir is that folder, "run" in it gets a line for each run.
 */
static void write_script(const char *name, const char *script)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "#!/bin/sh\ndir=%s\necho \"$WANTED $FREE $TOTAL $WAITERS $RALLOCD_POOL\" >> "
            "$dir/%s.runs\n%s\n",
            rig.guard.dir, name, script);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

/* NULL ends the options of pool p. */
static void start(const char *up, const char *down, const char *const *options)
{
    struct node *node = rig_node(&rig);
    if (up != NULL) {
        write_script("up", up);
        node_option(node, "--pool:p.scale_up=exec:%s/up", rig.guard.dir);
    }
    if (down != NULL) {
        write_script("down", down);
        node_option(node, "--pool:p.scale_down=exec:%s/down", rig.guard.dir);
    }
    node_option(node, "--pool:*.scale_cooldown=0.2");
    for (; options != NULL && *options != NULL; options++)
        node_option(node, "--pool:p.%s", *options);
    node_start(node);
    c = node_client(node);
}
#define OPTIONS(...)      \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

/* What a file of the test's folder holds; "" when there is none. */
static const char *content(const char *name)
{
    static char text[4000];
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "r");
    size_t len = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[len] = '\0';
    return text;
}

static int64_t info(const char *name)
{
    return rig_number(say(c, "POOL INFO p"), name);
}

static bool has_failed_with(const char *text)
{
    char value[600];
    return strstr(rig_value(say(c, "POOL INFO p"), "scaling_error", value, sizeof(value)), text) !=
           NULL;
}

/* Prints as many names as are wanted, each of them new. */
#define MAKE                                                               \
    "n=$(cat $dir/n 2>/dev/null || echo 0)\nfor i in $(seq $WANTED); do\n" \
    "n=$((n + 1)); echo \" made-$n \"; done\necho $n > $dir/n"

START_TEST(a_pool_grows_until_enough_are_free)
{
    start(MAKE, NULL, OPTIONS("min_free=3"));
    until(say_int(c, "POOL LEN p") == 3);
    expect(c, "POOL KEYS p", "1) 'made-1'\n2) 'made-2'\n3) 'made-3'");
    ck_assert_str_eq(content("up.runs"), "3 0 0 0 p\n");
    expect(c, "MALLOC p", "'made-1'");
    until(say_int(c, "POOL LEN p") == 4);
    expect_like(c, "POOL INFO p",
                "*'scaling'\n*'idle'\n*'scaling_count'\n*(integer) 1\n*'scaling_error'\n*''*");
}
END_TEST

START_TEST(who_waits_counts_as_demand)
{
    struct client *waiting;
    start(MAKE, NULL, OPTIONS("min_free=1", "max_size=6"));
    until(say_int(c, "POOL LEN p") == 1);
    waiting = node_client(&rig.nodes[0]);
    client_send(waiting, "MALLOC p COUNT 4 ALL WAIT 0");
    expect_text_like(client_read(waiting), "1) 'made-1'*4) 'made-4'");
    until(say_int(c, "POOL LEN p") == 5); /* one free, and four that are held */
    client_close(waiting);
}
END_TEST

START_TEST(a_pool_grows_to_its_max_size_and_no_further)
{
    start(MAKE "\necho one-more\necho two-more", NULL, OPTIONS("min_free=9", "max_size=4"));
    until(say_int(c, "POOL LEN p") == 4);
    expect(c, "POOL HAS p one-more", "(integer) 0");
    expect_like(c, "POOL INFO p", "*'scaling_count'\n*(integer) 4\n*");
    ck_assert_str_eq(content("up.runs"), "4 0 0 0 p\n");
}
END_TEST

START_TEST(between_two_runs_is_the_cooldown)
{
    start("echo r-$(date +%s%N)", NULL, OPTIONS("min_free=2", "scale_cooldown=3600"));
    until(say_int(c, "POOL LEN p") == 1);
    ck_assert_int_gt(info("scaling_next_ms"), 3500000);
    int64_t looks = until_now_ms() + 1500; /* it looks each second */
    until(until_now_ms() > looks);
    ck_assert_int_eq(say_int(c, "POOL LEN p"), 1);
    expect(c, "CONFIG SET pool:p.scale_cooldown 0", "OK"); /* of the next end */
}
END_TEST

START_TEST(one_that_hangs_is_killed_and_has_failed)
{
    start("sleep 1000 & wait", NULL, OPTIONS("min_free=1", "scale_timeout=0.3"));
    until(has_failed_with("did not end in time"));
    ck_assert_int_eq(say_int(c, "POOL LEN p"), 0);
    ck_assert_int_gt(info("scaling_next_ms"), 500);
}
END_TEST

START_TEST(failures_are_told_and_come_less_and_less_often)
{
    start("echo no money left >&2; exit 3", NULL, OPTIONS("min_free=1"));
    until(has_failed_with("exit status 3: no money left"));
    ck_assert(node_log_has(&rig.nodes[0], "scale_up: exit status 3: no money left"));
    until(info("scaling_next_ms") > 1500);
    until(info("scaling_next_ms") > 3000);
    write_script("up", MAKE);
    until(say_int(c, "POOL LEN p") == 1);
    expect_like(c, "POOL INFO p", "*'scaling_error'\n*''*");
}
END_TEST

START_TEST(one_that_crashes_has_failed)
{
    start("kill -SEGV $$", NULL, OPTIONS("min_free=1"));
    until(has_failed_with("signal 11"));
}
END_TEST

START_TEST(rubbish_is_refused_as_a_whole)
{
    start("echo good; echo 'bad||name'", NULL, OPTIONS("min_free=1"));
    until(has_failed_with("'bad||name' holds '||'"));
    ck_assert_int_eq(say_int(c, "POOL LEN p"), 0);
}
END_TEST

START_TEST(to_print_nothing_or_nothing_new_is_a_failure)
{
    start("echo; echo same", NULL, OPTIONS("min_free=2"));
    until(say_int(c, "POOL LEN p") == 1);
    until(has_failed_with("it named no resource that is new"));
    write_script("up", "echo; echo '  '");
    until(has_failed_with("it printed no resource"));
}
END_TEST

START_TEST(one_that_is_not_there_has_failed)
{
    start(NULL, NULL, OPTIONS("min_free=1", "scale_up=exec:/nowhere/at-all"));
    until(has_failed_with("/nowhere/at-all"));
}
END_TEST

START_TEST(a_pool_shrinks_by_those_that_have_been_free_for_longest)
{
    start(NULL, "cat > $dir/gone", OPTIONS("max_free=2"));
    expect(c, "POOL EXTEND p a b c d e f", "(integer) 6");
    expect(c, "MALLOC p", "'a'");
    until(say_int(c, "POOL LEN p") == 3);
    ck_assert_str_eq(content("gone"), "b\nc\nd\n");
    ck_assert_str_eq(content("down.runs"), "3 5 6 0 p\n");
    expect(c, "POOL FREELIST p", "1) 'e'\n2) 'f'");
    expect_like(c, "POOL INFO p", "*'scaling_count'\n*(integer) 3\n*'scaling_error'\n*''*");
}
END_TEST

START_TEST(what_is_to_go_is_had_by_nobody_and_comes_back_after_a_failure)
{
    start(NULL, "while [ ! -e $dir/go ]; do sleep 0.01; done; exit 1", OPTIONS("max_free=1"));
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    until(strcmp(content("down.runs"), "2 3 3 0 p\n") == 0);
    expect_like(c, "POOL INFO p",
                "*'total'\n*(integer) 3\n*'free'\n*(integer) 1\n*'scaling'\n*'down'*");
    expect(c, "MALLOC p COUNT 3 TIMEOUT 60", "1) 'c'");
    struct client *waiting = node_client(&rig.nodes[0]);
    client_send(waiting, "MALLOC p WAIT 0");
    node_catch_up(&rig.nodes[0]);
    write_script("go", "");
    expect_text(client_read(waiting), "'a'");
    until(has_failed_with("exit status 1"));
    expect(c, "POOL FREELIST p", "1) 'b'");
    client_close(waiting);
}
END_TEST

START_TEST(what_a_killed_daemon_was_about_to_dispose_of_comes_back)
{
    start(NULL, "sleep 1000", OPTIONS("max_free=1", "scale_timeout=0.2"));
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    until(content("down.runs")[0] != '\0');
    struct client *redis = rig_redis(&rig);
    expect_like(redis, "PEXPIRE rallocd|p|pool|scaling 300", "(integer) 1");
    expect_like(redis, "PEXPIRE rallocd|p:a 300", "(integer) 1");
    expect_like(redis, "PEXPIRE rallocd|p:b 300", "(integer) 1");
    node_kill(&rig.nodes[0]);
    client_close(c);
    node_start(&rig.nodes[0]);
    c = node_client(&rig.nodes[0]);
    until(has_failed_with("the daemon that ran it is gone"));
}
END_TEST

START_TEST(a_daemon_that_stops_brings_back_what_was_to_go)
{
    start(NULL, "sleep 1000", OPTIONS("max_free=1"));
    expect(c, "POOL EXTEND p a b c", "(integer) 3");
    until(content("down.runs")[0] != '\0');
    ck_assert_int_eq(node_stop(&rig.nodes[0]), 0);
    struct client *redis = rig_redis(&rig);
    expect(redis, "EXISTS rallocd|p|pool|scaling rallocd|p:a rallocd|p:b", "(integer) 0");
    expect(redis, "HGET rallocd|p|pool|scale error", "'the daemon stops'");
}
END_TEST

START_TEST(settings_that_make_no_sense_are_refused)
{
    struct node *node = rig_node(&rig);
    node_option(node, "--pool:p.scale_up=/bin/true");
    node_launch(node);
    ck_assert_int_eq(node_wait_end(node), 2);
    ck_assert(node_log_has(node, "scale_up"));
    ck_assert(node_log_has(node, "neither empty nor exec:/PATH ARGUMENTS: '/bin/true'"));
    start("true", NULL, NULL);
    expect_like(c, "CONFIG SET pool:p.scale_up exec:/bin/true", "(error) ERR *immutable*");
}
END_TEST

int main(void)
{
    return RIG_RUN(
        "scale", set_up, tear_down, a_pool_grows_until_enough_are_free, who_waits_counts_as_demand,
        a_pool_grows_to_its_max_size_and_no_further, between_two_runs_is_the_cooldown,
        one_that_hangs_is_killed_and_has_failed, failures_are_told_and_come_less_and_less_often,
        one_that_crashes_has_failed, rubbish_is_refused_as_a_whole,
        to_print_nothing_or_nothing_new_is_a_failure, one_that_is_not_there_has_failed,
        a_pool_shrinks_by_those_that_have_been_free_for_longest,
        what_is_to_go_is_had_by_nobody_and_comes_back_after_a_failure,
        what_a_killed_daemon_was_about_to_dispose_of_comes_back,
        a_daemon_that_stops_brings_back_what_was_to_go, settings_that_make_no_sense_are_refused);
}
