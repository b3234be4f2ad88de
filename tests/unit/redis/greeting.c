/* greeting: what is said first, and what the answers mean. */
#include "redis/greeting.h"
#include "config/config.h"
#include <check.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

static char empty[] = "", user_setting[] = "ann", password_setting[] = "secret";

static const char *said(enum pending_kind kind, const struct redis_config *config)
{
    static char text[200];
    char number[NUM_INT_MAX];
    struct str words[GREETING_WORDS];
    int count = greeting_words(kind, config, "me", number, words);
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", i == 0 ? "" : " ",
                               PRSTR(words[i]));
    return text;
}

static void take(struct greeting *greeting, enum pending_kind kind, int type, const char *text)
{
    char bytes[200];
    redisReply reply = {.type = type, .str = bytes, .len = strlen(text)};
    snprintf(bytes, sizeof(bytes), "%s", text);
    greeting_take(greeting, kind, (const struct answer *)(const void *)&reply);
}

static void refuse(struct greeting *greeting, enum pending_kind kind, const char *text)
{
    take(greeting, kind, REDIS_REPLY_ERROR, text);
}

START_TEST(only_what_is_needed_is_said)
{
    struct redis_config config = {
        .where = {.scheme = URL_TCP}, .username = empty, .password = empty};
    ck_assert_str_eq(said(PENDING_AUTH, &config), "");
    ck_assert_str_eq(said(PENDING_SELECT, &config), "");
    ck_assert_str_eq(said(PENDING_NAME, &config), "CLIENT SETNAME me");
    ck_assert_str_eq(said(PENDING_INFO, &config), "INFO server");
    ck_assert_str_eq(said(PENDING_GREETED, &config), "PING");
    config.where.db = 12;
    ck_assert_str_eq(said(PENDING_SELECT, &config), "SELECT 12");
}
END_TEST

START_TEST(what_the_url_says_of_the_login_comes_first)
{
    struct redis_config config = {
        .where = {.scheme = URL_TCP}, .username = empty, .password = password_setting};
    ck_assert_str_eq(said(PENDING_AUTH, &config), "AUTH secret");
    config.username = user_setting;
    ck_assert_str_eq(said(PENDING_AUTH, &config), "AUTH ann secret");
    snprintf(config.where.user, sizeof(config.where.user), "bob");
    snprintf(config.where.password, sizeof(config.where.password), "other");
    ck_assert_str_eq(said(PENDING_AUTH, &config), "AUTH bob other");
    config.where.scheme = URL_EMBEDDED;
    ck_assert_str_eq(said(PENDING_AUTH, &config), "");
}
END_TEST

START_TEST(the_version_is_found_in_info)
{
    struct greeting greeting;
    greeting_init(&greeting);
    take(&greeting, PENDING_INFO, REDIS_REPLY_STRING,
         "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
    ck_assert_str_eq(greeting.version, "7.0.15");
    ck_assert_int_eq(greeting.outcome, GREETING_WELL);
}
END_TEST

START_TEST(what_passes_by_itself_is_waited_for_and_what_does_not_fails)
{
    struct greeting greeting;
    greeting_init(&greeting);
    refuse(&greeting, PENDING_GREETED, "LOADING Redis is loading");
    ck_assert_int_eq(greeting.outcome, GREETING_LATER);
    ck_assert_str_eq(greeting.trouble, "LOADING Redis is loading");
    greeting_init(&greeting);
    refuse(&greeting, PENDING_AUTH, "WRONGPASS invalid username-password pair");
    refuse(&greeting, PENDING_SELECT, "NOAUTH Authentication required.");
    refuse(&greeting, PENDING_GREETED, "LOADING Redis is loading");
    ck_assert_int_eq(greeting.outcome, GREETING_FAILED);
    ck_assert_str_eq(greeting.trouble, "WRONGPASS invalid username-password pair");
}
END_TEST

START_TEST(a_user_who_may_not_ping_or_ask_is_welcome_all_the_same)
{
    struct greeting greeting;
    greeting_init(&greeting);
    refuse(&greeting, PENDING_NAME, "NOPERM this user has no permissions to run 'client'");
    refuse(&greeting, PENDING_INFO, "NOPERM this user has no permissions to run 'info'");
    refuse(&greeting, PENDING_GREETED, "NOPERM this user has no permissions to run 'ping'");
    ck_assert_int_eq(greeting.outcome, GREETING_WELL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("greeting");
    TCase *tests = tcase_create("greeting");
    tcase_add_test(tests, only_what_is_needed_is_said);
    tcase_add_test(tests, what_the_url_says_of_the_login_comes_first);
    tcase_add_test(tests, the_version_is_found_in_info);
    tcase_add_test(tests, what_passes_by_itself_is_waited_for_and_what_does_not_fails);
    tcase_add_test(tests, a_user_who_may_not_ping_or_ask_is_welcome_all_the_same);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
