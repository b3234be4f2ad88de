/* notify: the subscribed link, against a real redis-server that dies and comes back. */
#include "redis/notify.h"
#include "tests/unit/redis/rig.h"

static struct rig rig;

struct ear {
    struct hearing hearing;
    int begun, heard;
    char last[100];
};

static void on_begun(void *arg)
{
    ((struct ear *)arg)->begun++;
}

static void on_heard(void *arg, struct str message)
{
    struct ear *ear = arg;
    ear->heard++;
    snprintf(ear->last, sizeof(ear->last), "%.*s", PRSTR(message));
}

static bool hears(void)
{
    return upstream_hears(rig.upstream);
}

static void hear(struct ear *ear, const char *channel)
{
    *ear = (struct ear){
        .hearing = {.channel = channel, .begun = on_begun, .heard = on_heard, .arg = ear}};
    upstream_hear(rig.upstream, &ear->hearing);
}

/* How many heard it. */
static int publish(const char *channel, const char *message)
{
    char text[200];
    rig_do(&rig, text, "PUBLISH %s %s", channel, message);
    return atoi(text);
}

static void set_up(void)
{
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
}

static void tear_down(void)
{
    rig_clear(&rig);
}

START_TEST(what_is_published_is_heard_by_whoever_hears_the_channel)
{
    struct ear a, b;
    hear(&a, "one");
    hear(&b, "two");
    rig_until(&rig, a.begun == 1 && b.begun == 1);
    ck_assert(hears());
    ck_assert_int_eq(publish("one", "hello"), 1);
    rig_until(&rig, a.heard == 1);
    ck_assert_str_eq(a.last, "hello");
    ck_assert_int_eq(b.heard, 0);
    upstream_unhear(rig.upstream, &a.hearing);
    upstream_unhear(rig.upstream, &b.hearing);
}
END_TEST

START_TEST(nothing_is_dialled_before_somebody_hears)
{
    rig_all_ready(&rig);
    ck_assert(rig_info_has(&rig, "clients", "connected_clients:5")); /* 4 links and this look */
    ck_assert(!hears());
}
END_TEST

START_TEST(a_channel_that_is_forgotten_is_left)
{
    struct ear a, b;
    hear(&a, "one");
    hear(&b, "two");
    rig_until(&rig, a.begun == 1 && b.begun == 1);
    upstream_unhear(rig.upstream, &a.hearing);
    rig_until(&rig, publish("one", "x") == 0);
    ck_assert_int_eq(publish("two", "y"), 1);
    rig_until(&rig, b.heard == 1);
    ck_assert_int_eq(a.heard, 0);
    upstream_unhear(rig.upstream, &b.hearing);
}
END_TEST

START_TEST(it_comes_back_when_redis_does_and_says_so)
{
    struct ear a;
    hear(&a, "one");
    rig_until(&rig, a.begun == 1);
    rig_kill(&rig, SIGKILL);
    rig_until(&rig, !hears());
    rig_serve(&rig, NULL);
    rig_until(&rig, a.begun == 2);
    publish("one", "again");
    rig_until(&rig, a.heard == 1);
    ck_assert(rig_log_has(&rig, "event=notify-lost"));
    upstream_unhear(rig.upstream, &a.hearing);
}
END_TEST

START_TEST(a_redis_that_hangs_is_left_after_the_reply_timeout)
{
    struct ear a;
    rig.config.reply_timeout_ms = rig_short_ms();
    hear(&a, "one");
    rig_until(&rig, a.begun == 1);
    rig_kill(&rig, SIGSTOP);
    rig_until(&rig, rig_log_has(&rig, "no reply to PING"));
    rig_kill(&rig, SIGCONT);
    rig_until(&rig, a.begun == 2);
    upstream_unhear(rig.upstream, &a.hearing);
}
END_TEST

START_TEST(it_logs_in_and_a_name_that_is_forbidden_does_no_harm)
{
    struct ear a;
    char text[200];
    rig_do(&rig, text, "ACL SETUSER u on >pass +@all -client|setname &* ~*");
    rig_set(&rig.config.username, "u");
    rig_set(&rig.config.password, "pass");
    hear(&a, "one");
    rig_until(&rig, a.begun == 1);
    ck_assert_int_eq(publish("one", "x"), 1);
    rig_until(&rig, a.heard == 1);
    upstream_unhear(rig.upstream, &a.hearing);
}
END_TEST

START_TEST(a_forbidden_channel_is_tried_again_until_it_is_allowed)
{
    struct ear a;
    char text[200];
    rig_do(&rig, text, "ACL SETUSER default resetchannels");
    hear(&a, "one");
    rig_until(&rig, rig_log_has(&rig, "NOPERM"));
    ck_assert_int_eq(a.begun, 0);
    rig_do(&rig, text, "ACL SETUSER default allchannels");
    rig_until(&rig, a.begun == 1);
    upstream_unhear(rig.upstream, &a.hearing);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, what_is_published_is_heard_by_whoever_hears_the_channel);
    tcase_add_test(all, nothing_is_dialled_before_somebody_hears);
    tcase_add_test(all, a_channel_that_is_forgotten_is_left);
    tcase_add_test(all, it_comes_back_when_redis_does_and_says_so);
    tcase_add_test(all, a_redis_that_hangs_is_left_after_the_reply_timeout);
    tcase_add_test(all, it_logs_in_and_a_name_that_is_forbidden_does_no_harm);
    tcase_add_test(all, a_forbidden_channel_is_tried_again_until_it_is_allowed);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
