/* client: turns and phases, with commands of the test's own that are answered when it likes. */
#include "server/client.h"
#include "base/mem.h"
#include "base/num.h"
#include "commands/dispatch.h"
#include "commands/holds.h"
#include "commands/works.h"
#include "server/clients.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_TURNS 5000

static struct daemon sut; /* as much of a daemon as clients need */
static struct turn *open_turns[MAX_TURNS];
static int numbers[MAX_TURNS]; /* what each is to answer */
static int turn_count;
static bool has_ended;
static int far; /* the test's end of the connection */

static void end_turn(int i)
{
    reply_int(turn_reply(open_turns[i]), numbers[i]);
    turn_end(open_turns[i]);
    open_turns[i] = NULL;
}

static void end_watched(void *arg)
{
    end_turn((int)((int *)arg - numbers));
}

/* "now n": answered at once; "later n": by end_turn(); "watched n": likewise, or when the client
 * goes; "mute"; "close" */
void dispatch(struct daemon *daemon, struct peer *peer, struct turn *turn, const struct str *argv,
              int argc)
{
    int64_t number = 0;
    (void)daemon;
    ck_assert(argc == 1 || num_parse_int(argv[1], &number));
    if (str_eq(argv[0], STR("later")) || str_eq(argv[0], STR("watched"))) {
        ck_assert_int_lt(turn_count, MAX_TURNS);
        if (str_eq(argv[0], STR("watched")))
            turn_watch(turn, end_watched, &numbers[turn_count]);
        numbers[turn_count] = (int)number;
        open_turns[turn_count++] = turn;
        return;
    }
    if (str_eq(argv[0], STR("mute")))
        peer_state(peer)->reply_mode = PEER_REPLY_OFF;
    else if (str_eq(argv[0], STR("close")))
        peer_close(peer, "asked for");
    else if (str_eq(argv[0], STR("unmute"))) {
        peer_state(peer)->reply_mode = PEER_REPLY_ON;
        turn_unmute(turn);
    }
    reply_int(turn_reply(turn), number);
    turn_end(turn);
}

/* Nothing is held here; that the ends of connections are told is seen from outside. */
void holds_end(struct daemon *daemon, struct peer_state *state)
{
    (void)daemon;
    ck_assert_ptr_null(state->holder);
}

void works_end(struct peer_state *state)
{
    ck_assert_ptr_null(state->worker);
}

size_t holds_count(const struct peer_state *state)
{
    return state->holder != NULL;
}

static void note_end(void *arg)
{
    *(bool *)arg = true;
}

static void ignore(void *arg)
{
    (void)arg;
}

static void turn_loop(int times)
{
    while (times-- > 0)
        event_base_loop(sut.base, EVLOOP_NONBLOCK);
}

static void set_up(void)
{
    int ends[2];
    event_set_mem_functions(mem_alloc, mem_realloc, mem_free);
    clock_init(&sut.clock);
    log_init(&sut.log, &sut.clock);
    sut.log.level = LOG_LEVEL_ERROR;
    sut.base = event_base_new();
    sut.config.server = (struct server_config){.requirepass = mem_dup(STR("")),
                                               .maxclients = 100,
                                               .max_request_bytes = 1 << 20,
                                               .max_args = 100,
                                               .max_inline_bytes = 1000,
                                               .max_output_bytes = 1 << 20,
                                               .shutdown_timeout_ms = 10000};
    sut.clients = clients_new(&sut, ignore, note_end, &has_ended);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    clients_accept_take(sut.clients, ends[0]);
    far = ends[1];
}

static void tear_down(void)
{
    clients_free(sut.clients);
    event_base_free(sut.base);
    mem_free(sut.config.server.requirepass);
    close(far);
}

static void say(const char *text)
{
    ck_assert_int_eq((int)write(far, text, strlen(text)), (int)strlen(text));
    turn_loop(3);
}

/* What has come, NUL-terminated; "(end)" at its end when the connection is closed. */
static const char *heard(char *out, size_t size)
{
    size_t len = 0;
    ssize_t got;
    turn_loop(3);
    while ((got = read(far, out + len, size - len - 6)) > 0)
        len += (size_t)got;
    strcpy(out + len, got == 0 ? "(end)" : "");
    return out;
}

#define expect_heard(text)                                             \
    do {                                                               \
        char heard_text[256];                                          \
        ck_assert_str_eq(heard(heard_text, sizeof(heard_text)), text); \
    } while (0)

START_TEST(replies_leave_in_the_order_of_requests)
{
    say("later 1\r\nnow 2\r\nlater 3\r\nnow 4\r\n");
    expect_heard("");
    end_turn(1);
    expect_heard("");
    end_turn(0);
    expect_heard(":1\r\n:2\r\n:3\r\n:4\r\n");
    say("now 5\r\n");
    expect_heard(":5\r\n");
}
END_TEST

START_TEST(replies_leave_in_order_whatever_ends_first)
{
    char text[100], expected[20000] = "", got[20000];
    unsigned seed = 3;
    for (int round = 0; round < 30; round++) {
        int first = turn_count;
        expected[0] = '\0';
        for (int i = 0; i < 100; i++) {
            snprintf(text, sizeof(text), "%s %d\r\n", rand_r(&seed) % 3 ? "later" : "now", i);
            say(text);
            snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), ":%d\r\n",
                     i);
        }
        for (int left = turn_count - first; left > 0;) {
            int i = first + rand_r(&seed) % (turn_count - first);
            if (open_turns[i] == NULL)
                continue;
            end_turn(i);
            left--;
        }
        ck_assert_str_eq(heard(got, sizeof(got)), expected);
    }
}
END_TEST

START_TEST(a_reply_that_is_half_written_goes_on_when_its_time_has_come)
{
    say("later 1\r\nlater 2\r\n");
    reply_array(turn_reply(open_turns[1]), 1);
    end_turn(0);
    expect_heard(":1\r\n*1\r\n");
    end_turn(1);
    expect_heard(":2\r\n");
}
END_TEST

START_TEST(turns_of_a_client_that_has_gone_are_orphans)
{
    say("later 1\r\nlater 2\r\nnow 3\r\n");
    close(far);
    turn_loop(5);
    ck_assert_int_eq((int)sut.gauges.clients, 0);
    ck_assert(turn_is_orphan(open_turns[0]) && turn_is_orphan(open_turns[1]));
    ck_assert_ptr_null(turn_peer(open_turns[0]));
    end_turn(1);
    end_turn(0);
    ck_assert_int_eq((int)sut.gauges.open_turns, 0);
    far = open("/dev/null", O_RDONLY);
}
END_TEST

START_TEST(a_client_with_too_many_open_turns_is_held_back)
{
    char text[20000] = "";
    for (int i = 0; i < 2000; i++)
        strcpy(text + i * 9, "later 7\r\n");
    say(text);
    turn_loop(30);
    ck_assert_int_eq(turn_count, 1024);
    for (int i = 0; i < 500; i++)
        end_turn(i);
    turn_loop(10);
    ck_assert_int_eq(turn_count, 1024);
    for (int i = 500; i < 520; i++)
        end_turn(i);
    turn_loop(20);
    ck_assert_int_gt(turn_count, 1024);
    for (int i = 520; i < turn_count; i++) {
        end_turn(i);
        turn_loop(1);
    }
    turn_loop(20);
    for (int i = 0; i < turn_count; i++) {
        if (open_turns[i] != NULL)
            end_turn(i);
        turn_loop(1);
    }
    ck_assert_int_eq(turn_count, 2000);
}
END_TEST

START_TEST(muted_turns_say_nothing_and_unmute_says_again)
{
    say("mute\r\n");
    expect_heard(":0\r\n"); /* its own turn was opened before */
    say("now 1\r\nlater 2\r\n");
    end_turn(0);
    expect_heard("");
    say("unmute 3\r\nnow 4\r\n");
    expect_heard(":3\r\n:4\r\n");
}
END_TEST

START_TEST(a_closed_client_gets_what_is_open_and_no_more)
{
    say("later 1\r\nclose 2\r\nnow 3\r\n");
    expect_heard("");
    end_turn(0);
    expect_heard(":1\r\n:2\r\n(end)");
}
END_TEST

START_TEST(held_output_over_the_bound_costs_the_connection)
{
    char *bytes = mem_alloc(2 << 20);
    memset(bytes, 'x', 2 << 20);
    say("later 1\r\nlater 2\r\n");
    reply_bulk(turn_reply(open_turns[1]), str_make(bytes, 2 << 20));
    turn_end(open_turns[1]);
    expect_heard("(end)");
    ck_assert(turn_is_orphan(open_turns[0]));
    end_turn(0);
    ck_assert_int_eq((int)sut.stats.output_limit_closes, 1);
    mem_free(bytes);
}
END_TEST

/* Who waits for long is told, and may answer at once: those behind it then leave, too. */
START_TEST(a_watched_turn_hears_that_its_client_reads_no_more)
{
    say("watched 1\r\nlater 2\r\nwatched 3\r\nclose 4\r\n");
    end_turn(1);
    expect_heard(":1\r\n:2\r\n:3\r\n:4\r\n(end)");
}
END_TEST

START_TEST(a_watched_turn_hears_that_its_client_is_gone)
{
    say("watched 1\r\nlater 2\r\n");
    close(far);
    turn_loop(5);
    ck_assert_ptr_null(open_turns[0]);
    ck_assert(turn_is_orphan(open_turns[1]));
    end_turn(1);
    far = open("/dev/null", O_RDONLY);
}
END_TEST

START_TEST(a_turn_that_has_ended_is_watched_no_more)
{
    say("watched 1\r\n");
    end_turn(0);
    expect_heard(":1\r\n");
    say("later 2\r\n"); /* the same memory */
    close(far);
    turn_loop(5);
    ck_assert(turn_is_orphan(open_turns[1]));
    end_turn(1);
    far = open("/dev/null", O_RDONLY);
}
END_TEST

START_TEST(a_shutdown_ends_when_the_last_turn_has)
{
    say("later 1\r\n");
    peers_shutdown(&sut, false);
    ck_assert(!has_ended);
    turn_loop(5);
    ck_assert(!has_ended);
    end_turn(0);
    expect_heard(":1\r\n(end)");
    turn_loop(3);
    ck_assert(has_ended);
}
END_TEST

START_TEST(a_shutdown_at_once_waits_for_nobody)
{
    say("later 1\r\n");
    peers_shutdown(&sut, true);
    ck_assert(!has_ended); /* never before the call has returned */
    turn_loop(3);
    ck_assert(has_ended);
    ck_assert(turn_is_orphan(open_turns[0]));
    end_turn(0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {replies_leave_in_the_order_of_requests,
                                  replies_leave_in_order_whatever_ends_first,
                                  a_reply_that_is_half_written_goes_on_when_its_time_has_come,
                                  turns_of_a_client_that_has_gone_are_orphans,
                                  a_client_with_too_many_open_turns_is_held_back,
                                  muted_turns_say_nothing_and_unmute_says_again,
                                  a_closed_client_gets_what_is_open_and_no_more,
                                  held_output_over_the_bound_costs_the_connection,
                                  a_watched_turn_hears_that_its_client_reads_no_more,
                                  a_watched_turn_hears_that_its_client_is_gone,
                                  a_turn_that_has_ended_is_watched_no_more,
                                  a_shutdown_ends_when_the_last_turn_has,
                                  a_shutdown_at_once_waits_for_nobody};
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
