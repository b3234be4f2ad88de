/* clean: several daemons clean the resources of one pool: each is one daemon's at a time, those of
 * a daemon that dies are another's, and what daemons free that know nothing of it is cleaned as
 * well. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct rig rig;
static struct client *c;

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* How often something was written to this file of the test's folder. */
static int lines_of(const char *name)
{
    char path[200];
    int lines = 0;
    snprintf(path, sizeof(path), "%s/%s", rig.guard.dir, name);
    FILE *file = fopen(path, "r");
    for (int byte; file != NULL && (byte = fgetc(file)) != EOF;)
        lines += byte == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

static struct node *add_daemon(bool cleans)
{
    struct node *node = rig_node(&rig);
    if (cleans) {
        node_option(node, "--pool:p.on_free=exec:%s/clean", rig.guard.dir);
        node_option(node, "--pool:p.clean_timeout=1");
    }
    node_start(node);
    return node;
}

static void start(const char *script)
{
    char text[1000];
    rig_start(&rig);
    snprintf(text, sizeof(text), "#!/bin/sh\ndir=%s\necho $RESOURCE >> $dir/runs\n%s\n",
             rig.guard.dir, script);
    write_file("clean", text, 0755);
}

static void tear_down(void)
{
    client_close(c);
    rig_end(&rig);
}

static bool is_state(const char *resource, const char *state)
{
    char value[100];
    rig_value(sayf(c, "POOL STATUS p %s", resource), "state", value, sizeof(value));
    return strstr(value, state) != NULL;
}

START_TEST(what_a_killed_daemon_was_cleaning_is_cleaned_by_another)
{
    start("if [ ! -e $dir/go ]; then sleep 1000; fi");
    struct node *first = add_daemon(true), *second = add_daemon(true);
    c = node_client(second);
    struct client *holder = node_client(first);
    expect(holder, "POOL EXTEND p a", "(integer) 1");
    expect(holder, "MALLOC p", "'a'");
    expect(holder, "FREE p a", "(integer) 1");
    until(lines_of("runs") == 1);
    write_file("go", "", 0600);
    client_close(holder);
    node_kill(first);
    until(is_state("a", "free")); /* after 1 s for the program, and 10 for its daemon to tell */
    ck_assert_int_eq(lines_of("runs"), 2);
}
END_TEST

START_TEST(each_is_cleaned_once_whoever_frees_it)
{
    start("mkdir $dir/$RESOURCE || touch $dir/twice; sleep 0.05; rmdir $dir/$RESOURCE");
    struct node *nodes[] = {add_daemon(true), add_daemon(true), add_daemon(false)};
    struct client *clients[] = {node_client(nodes[0]), node_client(nodes[1]),
                                node_client(nodes[2])};
    c = node_client(nodes[2]);
    for (int i = 0; i < 9; i++)
        sayf(c, "POOL EXTEND p r%d", i);
    expect_like(c, "MALLOC p COUNT 9", "1) 'r0'*9) 'r8'");
    for (int i = 0; i < 9; i++)
        ck_assert_str_eq(sayf(clients[i % 3], "FREE p r%d", i), "(integer) 1");
    for (int i = 0; i < 9; i++) {
        char name[16];
        snprintf(name, sizeof(name), "r%d", i);
        until(is_state(name, "free"));
    }
    ck_assert_int_eq(lines_of("runs"), 9);
    char path[200];
    struct stat found;
    snprintf(path, sizeof(path), "%s/twice", rig.guard.dir);
    ck_assert_int_ne(stat(path, &found), 0);
    for (int i = 0; i < 3; i++)
        client_close(clients[i]);
}
END_TEST

int main(void)
{
    return RIG_RUN("clean", NULL, tear_down,
                   what_a_killed_daemon_was_cleaning_is_cleaned_by_another,
                   each_is_cleaned_once_whoever_frees_it);
}
