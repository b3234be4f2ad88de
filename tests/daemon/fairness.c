/* fairness: whoever asks for much does not make others wait for all of it. */
#include "tests/lib/rig.h"
#include "tests/lib/until.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 10
#define DEPTH 600

static struct rig rig;
static struct client *c, *crowd[CROWD];

static void set_up(void)
{
    rig_start(&rig);
    c = node_client(rig_daemon(&rig));
    expect(c, "POOL EXTEND calm r1 r2", "(integer) 2");
    expect(c, "POOL EXTEND busy b1 b2", "(integer) 2");
    for (int i = 0; i < CROWD; i++)
        crowd[i] = node_client(&rig.nodes[0]);
}

static void tear_down(void)
{
    for (int i = 0; i < CROWD; i++)
        client_close(crowd[i]);
    client_close(c);
    rig_end(&rig);
}

static int64_t queued_at_busy(void)
{
    char pool[400] = "";
    const char *info = say(c, "INFO pools");
    const char *line = strstr(info, "pool_busy:");
    const char *queued = line != NULL ? strstr(line, "queued=") : NULL;
    ck_assert_msg(queued != NULL, "%s", info);
    snprintf(pool, sizeof pool, "%s", queued + strlen("queued="));
    return atoll(pool);
}

/* Redis stands still until all of it waits. */
static void pile_up(void)
{
    server_freeze(&rig.redis);
    for (int i = 0; i < CROWD; i++) {
        for (int k = 0; k < DEPTH; k++)
            client_send(crowd[i], "RENEW busy b1");
    }
    until(queued_at_busy() >= CROWD * DEPTH - 200);
}

static void hear_all(void)
{
    for (int i = 0; i < CROWD; i++) {
        for (int k = 0; k < DEPTH; k++)
            expect_text_at(__FILE__, __LINE__, client_read(crowd[i]), "(integer) 0");
    }
}

START_TEST(a_pool_with_a_long_queue_does_not_delay_another)
{
    pile_up();
    client_send(c, "MALLOC calm");
    node_catch_up(&rig.nodes[0]);
    ck_assert(!client_has_reply(c, 0));
    server_thaw(&rig.redis);
    expect_text_at(__FILE__, __LINE__, client_read(c), "'r1'");
    ck_assert_int_gt(queued_at_busy(), CROWD * DEPTH / 10);
    hear_all();
}
END_TEST

START_TEST(many_pools_have_their_turns_beside_a_busy_one)
{
    pile_up();
    for (int i = 0; i < 50; i++) {
        char words[40];
        snprintf(words, sizeof words, "POOL LEN calm%d", i);
        client_send(c, words);
    }
    server_thaw(&rig.redis);
    for (int i = 0; i < 50; i++)
        expect_text_at(__FILE__, __LINE__, client_read(c), "(integer) 0");
    ck_assert_int_gt(queued_at_busy(), 0);
    hear_all();
}
END_TEST

START_TEST(what_one_client_can_put_before_others_is_bounded)
{
    server_freeze(&rig.redis);
    for (int k = 0; k < 1200; k++)
        client_send(crowd[0], "RENEW busy b1");
    until(queued_at_busy() >= 800);
    client_send(crowd[1], "RENEW busy b2");
    node_catch_up(&rig.nodes[0]);
    ck_assert(!client_has_reply(crowd[1], 0));
    ck_assert_int_le(queued_at_busy(), 1024 + 1); /* the open turns of one, and the other */
    server_thaw(&rig.redis);
    expect_text_at(__FILE__, __LINE__, client_read(crowd[1]), "(integer) 0");
    for (int k = 0; k < 1200; k++)
        expect_text_at(__FILE__, __LINE__, client_read(crowd[0]), "(integer) 0");
}
END_TEST

int main(void)
{
    return RIG_RUN("fairness", set_up, tear_down, a_pool_with_a_long_queue_does_not_delay_another,
                   many_pools_have_their_turns_beside_a_busy_one,
                   what_one_client_can_put_before_others_is_bounded);
}
