/* labels: POOL TAG, POOL TAGS and MALLOC WHERE as a client sees them. */
#include "tests/lib/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct node *node;
static struct client *c, *other;

static void set_up(void)
{
    rig_start(&rig);
    node = rig_daemon(&rig);
    c = node_client(node);
    other = node_client(node);
    expect(c, "POOL EXTEND p a b d", "(integer) 3");
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

static void wait_in_line(struct client *client, const char *words)
{
    int64_t before = rig_number(say(c, "POOL INFO p"), "waiters");
    client_send(client, words);
    until(rig_number(say(c, "POOL INFO p"), "waiters") == before + 1);
}

START_TEST(labels_are_given_shown_and_taken_away)
{
    expect(c, "POOL TAG p b zone=eu note=c=3", "(integer) 2");
    expect(c, "POOL TAGS p b", "1) 'note=c=3'\n2) 'zone=eu'");
    expect(c, "POOL TAG p b note=", "(integer) 1");
    expect(c, "POOL TAGS p", "1) 1) 'zone=eu'\n   2) (integer) 1\n   3) (integer) 1");
    expect_like(c, "POOL STATUS p b", "*'labels'\n*1) 'zone=eu'*");
    expect(c, "POOL TAGS p a", "(empty array)");
    expect(c, "POOL TAGS p stranger", "(nil)");
    expect(c, "POOL TAG p stranger k=v", "(nil)");
}
END_TEST

START_TEST(what_is_no_label_is_refused)
{
    expect_like(c, "POOL TAG p a zone", "(error) ERR invalid label 'zone': key=value is wanted*");
    expect_like(c, "POOL TAG p a =eu", "(error) ERR invalid label '=eu'*");
    expect_like(c, "MALLOC p WHERE zone=", "(error) ERR invalid label 'zone='*");
    expect_like(c, "MALLOC p WHERE", "(error) ERR syntax error: WHERE of MALLOC wants a value*");
    expect(c, "POOL TAG p a", "(error) ERR wrong number of arguments for 'pool|tag' command");
}
END_TEST

START_TEST(malloc_where_gets_what_has_all_the_labels)
{
    expect(c, "POOL TAG p b zone=eu gpu=h100", "(integer) 2");
    expect(c, "POOL TAG p d zone=eu", "(integer) 1");
    expect(c, "MALLOC p COUNT 3 WHERE gpu=h100 zone=eu TIMEOUT 60", "1) 'b'");
    expect(c, "MALLOC p WHERE gpu=h100", "(nil)");
    expect(c, "MALLOC p WHERE zone=us", "(nil)");
    expect(c, "FREE p b", "(integer) 1");
    expect(c, "MALLOC p WHERE zone=eu", "'d'");
    expect(c, "MALLOC p WHERE zone=eu", "'b'");
    expect(c, "MALLOC p", "'a'");
}
END_TEST

START_TEST(who_waits_for_a_label_blocks_nobody_and_is_served_by_it)
{
    expect(c, "POOL TAG p b k=v", "(integer) 1");
    expect(c, "MALLOC p WHERE k=v", "'b'");
    wait_in_line(other, "MALLOC p WAIT 0 WHERE k=v");
    expect_like(c, "EXPLAIN p", "*'where'\n*1) 'k=v'*");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    ck_assert(!client_has_reply(other, 0));
    expect(c, "FREE p b", "(integer) 1");
    expect_text(client_read(other), "'b'");
    wait_in_line(other, "MALLOC p WAIT 0 WHERE k=w");
    expect(c, "POOL TAG p d k=w", "(integer) 1");
    expect_text(client_read(other), "'d'");
}
END_TEST

START_TEST(what_expires_is_found_by_its_labels)
{
    expect(c, "POOL TAG p a k=v", "(integer) 1");
    expect(c, "MALLOC p WHERE k=v TIMEOUT 0.2", "'a'");
    expect(c, "MALLOC p WHERE k=v WAIT 5000", "'a'");
}
END_TEST

int main(void)
{
    return RIG_RUN("labels", set_up, tear_down, labels_are_given_shown_and_taken_away,
                   what_is_no_label_is_refused, malloc_where_gets_what_has_all_the_labels,
                   who_waits_for_a_label_blocks_nobody_and_is_served_by_it,
                   what_expires_is_found_by_its_labels);
}
