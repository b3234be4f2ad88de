/* scale: several daemons, one pool: one program at a time in the whole fleet, whoever leads,
 * whoever dies. */
#include "tests/lib/rig.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct rig rig;
static struct client *c;

static void write_script(const char *name, const char *script)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\ndir=%s\n%s\n", rig.guard.dir, script);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static void set_up(void)
{
    rig_start(&rig);
    write_script("up", "exit 1");
    for (int i = 0; i < 3; i++) {
        struct node *node = rig_node(&rig);
        node_option(node, "--pool:p.scale_up=exec:%s/up", rig.guard.dir);
        node_option(node, "--pool:p.scale_cooldown=0");
        node_option(node, "--pool:p.scale_timeout=1");
        node_option(node, "--pool:p.min_free=0");
        node_start(node);
    }
    c = node_client(&rig.nodes[2]);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static void begin(const char *script)
{
    write_script("up", script);
    for (int i = 0; i < 3; i++) {
        struct client *each = node_client(&rig.nodes[i]);
        expect(each, "CONFIG SET pool:p.min_free 20", "OK");
        client_close(each);
    }
}

static bool exists(const char *name)
{
    char path[200];
    struct stat found;
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    return stat(path, &found) == 0;
}

static const char *content(const char *name)
{
    static char text[100];
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct node *leader(void)
{
    for (int i = 0; i < 3; i++) {
        if (rig.nodes[i].pid == 0)
            continue;
        struct client *each = node_client(&rig.nodes[i]);
        bool leads = rig_number(say(each, "POOL INFO p"), "is_collector") == 1;
        client_close(each);
        if (leads)
            return &rig.nodes[i];
    }
    return NULL;
}

/* A folder that is there already says that another one runs. */
#define ALONE(work) "mkdir $dir/runs || touch $dir/two-at-a-time\n" work "\nrmdir $dir/runs"

START_TEST(one_program_runs_at_a_time)
{
    /* each of them takes a while, and makes one */
    begin(ALONE("sleep 0.05; n=$(cat $dir/n 2>/dev/null || echo 0); echo $((n + 1)) > $dir/n\n"
                "echo made-$n"));
    /* the daemon that leads is stopped for a while: another one takes over */
    until(say_int(c, "POOL LEN p") >= 2);
    struct node *first = leader();
    ck_assert_ptr_nonnull(first);
    if (first != &rig.nodes[2]) {
        node_signal(first, SIGSTOP);
        int64_t len = say_int(c, "POOL LEN p");
        until(say_int(c, "POOL LEN p") >= len + 2);
        node_signal(first, SIGCONT);
    }
    int64_t len = say_int(c, "POOL LEN p");
    until(say_int(c, "POOL LEN p") >= len + 2);
    ck_assert(!exists("two-at-a-time"));
}
END_TEST

START_TEST(when_the_leader_is_killed_its_program_ends_and_another_begins_later)
{
    begin("if [ -e $dir/second ]; then echo made; exit; fi\n"
          "echo $$ > $dir/pid; sleep 1000");
    until(exists("pid") && atol(content("pid")) > 0);
    struct node *first = leader();
    ck_assert_ptr_nonnull(first);
    client_close(c);
    write_script("second", "");
    pid_t program = (pid_t)atol(content("pid"));
    node_kill(first);
    until(kill(program, 0) != 0);
    c = node_client(&rig.nodes[first == &rig.nodes[0] ? 1 : 0]);
    /* its time was 1 s, and 10 more for its daemon to tell */
    until(say_int(c, "POOL LEN p") == 1);
    expect_like(c, "POOL INFO p", "*'scaling_error'\n*");
}
END_TEST

int main(void)
{
    return RIG_RUN("scale", set_up, tear_down, one_program_runs_at_a_time,
                   when_the_leader_is_killed_its_program_ends_and_another_begins_later);
}
