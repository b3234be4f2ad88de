/* link: against a server that the test plays: loading, gone mad, or cut off at any byte. */
#include "tests/unit/redis/rig.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

/* A server on the rig's socket that answers each request by what `answer` says. Requests are
 * counted by their last word: PING ends a greeting. */
struct fake {
    struct rig *rig;
    struct evconnlistener *listener;
    struct bufferevent *peer; /* the newest connection */
    int connections, greetings;
    const char *greeting; /* the answer to the PING of a greeting */
};

static bool take_word(struct evbuffer *in, char *out, size_t size)
{
    struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_CRLF_STRICT);
    if (end.pos < 0)
        return false;
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
    snprintf(out, size, "%s", line);
    free(line);
    return true;
}

static void say(struct fake *fake, const char *bytes)
{
    bufferevent_write(fake->peer, bytes, strlen(bytes));
}

static void on_request(struct bufferevent *peer, void *arg)
{
    struct fake *fake = arg;
    char word[200];
    while (take_word(bufferevent_get_input(peer), word, sizeof(word))) {
        if (strcmp(word, "PING") == 0 && peer == fake->peer) {
            fake->greetings++;
            say(fake, fake->greeting);
        } else if (strcmp(word, "SETNAME") == 0) {
            say(fake, "+OK\r\n");
        } else if (strcmp(word, "INFO") == 0) {
            say(fake, "$21\r\nredis_version:9.9.9\r\n\r\n");
        }
    }
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
                          struct sockaddr *address, int len, void *arg)
{
    struct fake *fake = arg;
    (void)listener, (void)address, (void)len;
    if (fake->peer != NULL)
        bufferevent_free(fake->peer);
    fake->connections++;
    fake->peer = bufferevent_socket_new(fake->rig->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(fake->peer, on_request, NULL, NULL, fake);
    bufferevent_enable(fake->peer, EV_READ | EV_WRITE);
}

static void fake_start(struct fake *fake, struct rig *rig, const char *greeting)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *fake = (struct fake){.rig = rig, .greeting = greeting};
    rig_init(rig);
    rig->config.links = 1;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->socket);
    fake->listener = evconnlistener_new_bind(rig->base, on_connection, fake,
                                             LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 5,
                                             (struct sockaddr *)&address, sizeof(address));
    ck_assert_ptr_nonnull(fake->listener);
    rig_start(rig);
}

static void fake_cut(struct fake *fake)
{
    bufferevent_free(fake->peer);
    fake->peer = NULL;
}

static void fake_stop(struct fake *fake)
{
    rig_stop(fake->rig);
    evconnlistener_free(fake->listener);
    if (fake->peer != NULL)
        fake_cut(fake);
    rig_clear(fake->rig);
}

START_TEST(a_loading_redis_is_asked_again_until_it_is_done)
{
    struct rig rig;
    struct fake fake;
    fake_start(&fake, &rig, "-LOADING Redis is loading the dataset in memory\r\n");
    rig_until(&rig, fake.greetings >= 3);
    ck_assert_int_eq(rig_stats(&rig).links_ready, 0);
    ck_assert_str_eq(upstream_trouble(rig.upstream),
                     "LOADING Redis is loading the dataset in memory");
    fake.greeting = "+PONG\r\n";
    rig_all_ready(&rig);
    ck_assert_int_eq(fake.connections, 1);
    ck_assert_str_eq(rig_stats(&rig).version, "9.9.9");
    fake_stop(&fake);
}
END_TEST

START_TEST(a_call_refused_for_loading_takes_the_link_out_until_it_is_done)
{
    struct rig rig;
    struct fake fake;
    struct seen first = {0}, second = {0};
    fake_start(&fake, &rig, "+PONG\r\n");
    rig_all_ready(&rig);
    fake.greeting = "-LOADING again\r\n";
    rig_send(&rig, &first, "GET", "a");
    rig_send(&rig, &second, "GET", "b");
    say(&fake, "-LOADING again\r\n$1\r\nb\r\n");
    rig_until(&rig, second.count == 1);
    ck_assert_int_eq(first.fate, CALL_REFUSED);
    ck_assert_int_eq(second.fate, CALL_ANSWERED);
    ck_assert_int_gt(upstream_away_ms(rig.upstream), 0);
    rig_until(&rig, fake.greetings >= 3);
    fake.greeting = "+PONG\r\n";
    rig_all_ready(&rig);
    ck_assert_int_eq(fake.connections, 1);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_server_that_talks_nonsense_is_left_and_dialled_again)
{
    struct rig rig;
    struct fake fake;
    struct seen seen[3] = {0};
    fake_start(&fake, &rig, "+PONG\r\n");
    rig_all_ready(&rig);
    for (int i = 0; i < 3; i++)
        rig_send(&rig, &seen[i], "GET", "a");
    say(&fake, "$1\r\na\r\nHTTP/1.1 400 Bad Request\r\n");
    rig_until(&rig, fake.connections == 2);
    ck_assert_int_eq(seen[0].fate, CALL_ANSWERED);
    ck_assert_int_eq(seen[1].fate, CALL_LOST);
    ck_assert_int_eq(seen[2].fate, CALL_LOST);
    ck_assert_int_eq(seen[0].count + seen[1].count + seen[2].count, 3);
    rig_all_ready(&rig);
    fake_stop(&fake);
}
END_TEST

START_TEST(half_a_reply_of_one_connection_is_not_taken_for_the_next_one)
{
    struct rig rig;
    struct fake fake;
    struct seen seen = {0}, after = {0};
    fake_start(&fake, &rig, "+PONG\r\n");
    rig_all_ready(&rig);
    rig_send(&rig, &seen, "GET", "a");
    say(&fake, "*2\r\n$5\r\nhal");
    rig_turn(&rig);
    rig_turn(&rig);
    fake_cut(&fake);
    rig_until(&rig, seen.count == 1 && rig_stats(&rig).links_ready == 1);
    ck_assert_int_eq(seen.fate, CALL_LOST);
    rig_send(&rig, &after, "GET", "a");
    say(&fake, "$2\r\nok\r\n");
    rig_until(&rig, after.count == 1);
    ck_assert_str_eq(after.text, "ok");
    fake_stop(&fake);
}
END_TEST

START_TEST(a_reply_that_nobody_asked_for_is_logged_and_ignored)
{
    struct rig rig;
    struct fake fake;
    struct seen seen = {0};
    fake_start(&fake, &rig, "+PONG\r\n");
    rig_all_ready(&rig);
    say(&fake, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n-odd\r\n");
    rig_until(&rig, rig_log_has(&rig, "link-surprise"));
    rig_send(&rig, &seen, "GET", "a");
    rig_turn(&rig);
    say(&fake, "$2\r\nok\r\n");
    rig_until(&rig, seen.count == 1);
    ck_assert_str_eq(seen.text, "ok");
    ck_assert_int_eq(fake.connections, 1);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_greeting_without_an_answer_ends_at_the_deadline)
{
    struct rig rig;
    struct fake fake;
    fake_start(&fake, &rig, "");
    rig.config.reply_timeout_ms = 100;
    rig_until(&rig, fake.connections == 2);
    ck_assert_ptr_nonnull(strstr(upstream_trouble(rig.upstream), "no reply within"));
    fake_stop(&fake);
}
END_TEST

START_TEST(a_server_that_is_full_says_why_it_hangs_up)
{
    struct rig rig;
    struct fake fake;
    fake_start(&fake, &rig, "");
    rig_until(&rig, fake.connections == 1);
    say(&fake, "-ERR max number of clients reached\r\n-ERR max number of clients reached\r\n"
               "-ERR max number of clients reached\r\n");
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "max number of clients") != NULL);
    fake_stop(&fake);
}
END_TEST

START_TEST(dials_back_off_while_nobody_answers)
{
    struct rig rig;
    struct fake fake;
    fake_start(&fake, &rig, "-ERR go away\r\n");
    rig.config.backoff_min_ms = 10;
    rig.config.backoff_max_ms = 80;
    int64_t start_ms = clock_ms(&rig.clock);
    rig_until(&rig, fake.connections >= 15);
    /* 14 waits: about 560 ms when they grow, about 210 ms if they did not. */
    ck_assert_int_ge(clock_ms(&rig.clock) - start_ms, 280);
    fake_stop(&fake);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *tests = tcase_create("link");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_loading_redis_is_asked_again_until_it_is_done);
    tcase_add_test(tests, a_call_refused_for_loading_takes_the_link_out_until_it_is_done);
    tcase_add_test(tests, a_server_that_talks_nonsense_is_left_and_dialled_again);
    tcase_add_test(tests, half_a_reply_of_one_connection_is_not_taken_for_the_next_one);
    tcase_add_test(tests, a_reply_that_nobody_asked_for_is_logged_and_ignored);
    tcase_add_test(tests, a_greeting_without_an_answer_ends_at_the_deadline);
    tcase_add_test(tests, a_server_that_is_full_says_why_it_hangs_up);
    tcase_add_test(tests, dials_back_off_while_nobody_answers);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
