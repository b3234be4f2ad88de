/* data: POOL SETDATA, GETDATA and WITHDATA as a client sees them. */
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
    expect(c, "POOL EXTEND p a b", "(integer) 2");
    expect(c, "POOL SETDATA p a secret", "(integer) 1");
}

static void tear_down(void)
{
    client_close(c);
    client_close(other);
    rig_end(&rig);
}

START_TEST(it_comes_with_the_lease)
{
    expect(c, "POOL GETDATA p a", "'secret'");
    expect(c, "POOL GETDATA p b", "(nil)");
    expect(c, "POOL SETDATA p stranger x", "(integer) 0");
    expect(c, "MALLOC p COUNT 2 WITHDATA", "1) 1) 'a'\n   2) 'secret'\n2) 1) 'b'\n   2) (nil)");
    expect(c, "FREE p a b", "(integer) 2");
    expect_like(c, "MALLOC p WITHDATA WITHTOKEN",
                "1) 'a'\n2) '*'\n3) (integer) *\n4) (integer) 120000\n5) 'secret'");
    expect(c, "MALLOC p WITHDATA", "1) 'b'\n2) (nil)");
    expect(c, "MALLOC p WITHDATA", "(nil)");
    expect(c, "MALLOC p", "(nil)");
}
END_TEST

START_TEST(it_comes_to_who_waited)
{
    expect(c, "MALLOC p COUNT 2", "1) 'a'\n2) 'b'");
    client_send(other, "MALLOC p WITHDATA WAIT 0");
    until(rig_number(say(c, "POOL INFO p"), "waiters") == 1);
    expect(c, "FREE p a", "(integer) 1");
    expect_text(client_read(other), "1) 'a'\n2) 'secret'");
}
END_TEST

START_TEST(it_comes_with_session_reqid_and_mallocall)
{
    expect(c, "MALLOC p WITHDATA REQID r1 SESSION", "1) 'a'\n2) 'secret'");
    expect(c, "MALLOC p WITHDATA REQID r1 SESSION", "1) 'a'\n2) 'secret'");
    expect(c, "FREE p a", "(integer) 1");
    expect(c, "POOL EXTEND q z", "(integer) 1");
    expect(c, "MALLOCALL WITHDATA q 1 p 2",
           "1) 1) 1) 'z'\n      2) (nil)\n2) 1) 1) 'b'\n      2) (nil)\n   2) 1) 'a'\n      2) "
           "'secret'");
}
END_TEST

START_TEST(it_is_bounded)
{
    char *words = malloc(70000);
    int len = sprintf(words, "POOL SETDATA p a ");
    memset(words + len, 'x', 65536);
    words[len + 65536] = '\0';
    expect(c, words, "(integer) 1");
    words[len + 65536] = 'x';
    words[len + 65537] = '\0';
    expect(c, words, "(error) ERR data of a resource: 65537 bytes, at most 65536 are allowed");
    free(words);
    expect(c, "MALLOC p WITHDATA COUNT 101",
           "(error) ERR COUNT is at most 100 resources in one call with WITHDATA, not 101");
}
END_TEST

START_TEST(nobody_is_shown_it)
{
    expect(c, "CONFIG SET slowlog_log_slower_than 0", "OK");
    expect(other, "MONITOR", "OK");
    expect(c, "POOL SETDATA p b hidden", "(integer) 1");
    const char *seen = client_read(other);
    ck_assert_ptr_nonnull(strstr(seen, "SETDATA"));
    ck_assert_ptr_null(strstr(seen, "hidden"));
    const char *slow = say(c, "SLOWLOG GET 10");
    ck_assert_ptr_nonnull(strstr(slow, "SETDATA"));
    ck_assert_ptr_null(strstr(slow, "hidden"));
}
END_TEST

int main(void)
{
    return RIG_RUN("data", set_up, tear_down, it_comes_with_the_lease, it_comes_to_who_waited,
                   it_comes_with_session_reqid_and_mallocall, it_is_bounded, nobody_is_shown_it);
}
