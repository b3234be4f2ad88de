/* fences: FENCE CHECK, the gate before a write to something that knows no fences. */
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

START_TEST(fence_check_lets_the_largest_pass_and_those_after)
{
    expect(c, "FENCE CHECK disk 5", "(integer) 1");
    expect(c, "FENCE CHECK disk 5", "(integer) 1");
    expect(c, "FENCE CHECK disk 4", "(integer) 0");
    expect(c, "FENCE CHECK disk 7", "(integer) 1");
    expect(c, "FENCE CHECK disk 6", "(integer) 0");
}
END_TEST

START_TEST(fence_check_keeps_names_apart)
{
    expect(c, "FENCE CHECK a 9", "(integer) 1");
    expect(c, "FENCE CHECK b 1", "(integer) 1");
    expect(c, "FENCE CHECK \"any \\xff bytes\" 1", "(integer) 1");
}
END_TEST

START_TEST(fence_check_compares_large_numbers_exactly)
{
    expect(c, "FENCE CHECK a 9007199254740993", "(integer) 1");
    expect(c, "FENCE CHECK a 9007199254740992", "(integer) 0");
    expect(c, "FENCE CHECK a 9223372036854775807", "(integer) 1");
    expect(c, "FENCE CHECK a 9223372036854775806", "(integer) 0");
}
END_TEST

START_TEST(fences_of_leases_pass_in_the_order_of_their_grants)
{
    expect(c, "POOL EXTEND p r", "(integer) 1");
    const char *lease = say(c, "MALLOC p WITHTOKEN");
    long old = strtol(strstr(lease, "3) (integer) ") + 13, NULL, 10);
    expect(c, "FREE p r", "(integer) 1");
    lease = say(c, "MALLOC p WITHTOKEN");
    long new = strtol(strstr(lease, "3) (integer) ") + 13, NULL, 10);
    ck_assert_str_eq(sayf(c, "FENCE CHECK r %ld", old), "(integer) 1");
    ck_assert_str_eq(sayf(c, "FENCE CHECK r %ld", new), "(integer) 1");
    ck_assert_str_eq(sayf(c, "FENCE CHECK r %ld", old), "(integer) 0");
}
END_TEST

START_TEST(fence_check_refuses_wrong_arguments)
{
    expect_like(c, "FENCE", "(error) ERR wrong number of arguments for 'fence' command");
    expect_like(c, "FENCE CHECK a", "(error) ERR wrong number of arguments for 'fence|check' *");
    expect_like(c, "FENCE CHECK a x", "(error) ERR *whole number*");
    expect_like(c, "FENCE CHECK a 1.5", "(error) ERR *whole number*");
    expect_like(c, "FENCE CHECK \"\" 1", "(error) ERR *");
    expect_like(c, "FENCE NOPE", "(error) ERR unknown subcommand 'NOPE'. Try FENCE HELP.");
    expect_like(c, "FENCE HELP", "*1) FENCE <subcommand> *CHECK name n*");
}
END_TEST

int main(void)
{
    return RIG_RUN("fences", set_up, tear_down, fence_check_lets_the_largest_pass_and_those_after,
                   fence_check_keeps_names_apart, fence_check_compares_large_numbers_exactly,
                   fences_of_leases_pass_in_the_order_of_their_grants,
                   fence_check_refuses_wrong_arguments);
}
