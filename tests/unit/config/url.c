/* url: what is parsed, what is refused, and that no password is shown. */
#include "config/url.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct url url;
static struct err err;

static void parse(const char *text)
{
    memset(&url, 'x', sizeof(url));
    err.text[0] = '\0';
    ck_assert_msg(url_parse(str_of(text), &url, &err), "%s: %s", text, err.text);
}

static void refuse(const char *text, const char *why)
{
    ck_assert_msg(!url_parse(str_of(text), &url, &err), "'%s' was taken", text);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s': '%s' lacks '%s'", text, err.text, why);
}

START_TEST(embedded_has_no_address)
{
    parse("embedded");
    ck_assert_int_eq(url.scheme, URL_EMBEDDED);
    ck_assert_str_eq(url.host, "");
    ck_assert_str_eq(url.password, "");
}
END_TEST

START_TEST(a_host_alone_has_defaults)
{
    parse("redis://db.example.org");
    ck_assert_int_eq(url.scheme, URL_TCP);
    ck_assert_str_eq(url.host, "db.example.org");
    ck_assert_int_eq(url.port, 6379);
    ck_assert_int_eq(url.db, 0);
    ck_assert_str_eq(url.user, "");
    ck_assert_str_eq(url.password, "");
    parse("REDIS://db/");
    ck_assert_str_eq(url.host, "db");
}
END_TEST

START_TEST(all_parts_are_read)
{
    parse("redis://me:se%3acret%40@10.0.0.7:6380/15");
    ck_assert_str_eq(url.user, "me");
    ck_assert_str_eq(url.password, "se:cret@");
    ck_assert_str_eq(url.host, "10.0.0.7");
    ck_assert_int_eq(url.port, 6380);
    ck_assert_int_eq(url.db, 15);
    parse("redis://:only@h");
    ck_assert_str_eq(url.user, "");
    ck_assert_str_eq(url.password, "only");
    parse("redis://me@h");
    ck_assert_str_eq(url.user, "me");
    ck_assert_str_eq(url.password, "");
    parse("redis://me:a:b/c@d@h:1/2");
    ck_assert_str_eq(url.password, "a:b/c@d");
    ck_assert_str_eq(url.host, "h");
}
END_TEST

START_TEST(ipv6_addresses_stand_in_brackets)
{
    parse("redis://[::1]");
    ck_assert_str_eq(url.host, "::1");
    ck_assert_int_eq(url.port, 6379);
    parse("redis://u:p@[fe80::1%25eth0]:7000/3");
    ck_assert_str_eq(url.host, "fe80::1%eth0");
    ck_assert_int_eq(url.port, 7000);
    refuse("redis://[::1", "the ] after the address is missing");
    refuse("redis://[::1]x", "port");
    refuse("redis://[]:1", "the host is missing");
}
END_TEST

START_TEST(unix_sockets_have_a_path_and_a_database)
{
    parse("unix:///run/redis/redis.sock");
    ck_assert_int_eq(url.scheme, URL_UNIX);
    ck_assert_str_eq(url.host, "/run/redis/redis.sock");
    parse("unix://u:p@/run/a%20b?db=3");
    ck_assert_str_eq(url.user, "u");
    ck_assert_str_eq(url.password, "p");
    ck_assert_str_eq(url.host, "/run/a b");
    ck_assert_int_eq(url.db, 3);
    parse("unix:///run/a@b");
    ck_assert_str_eq(url.host, "/run/a@b");
    ck_assert_str_eq(url.user, "");
    refuse("unix://run/x", "begin with a slash");
    refuse("unix://", "begin with a slash");
    refuse("unix:///x?name=1", "only ?db=N");
    refuse("unix:///x?db", "database");
    refuse("unix:///x?db=-1", "database");
}
END_TEST

START_TEST(other_schemes_are_refused)
{
    static const char *const others[] = {"",         "redis",         "redis:/h",    "rediss://h",
                                         "http://h", "sentinel://h",  "cluster://h", "Embedded ",
                                         "/run/x",   "localhost:6379"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        refuse(others[i], "not embedded, redis://");
    ck_assert(!url_parse(str_make(NULL, 0), &url, &err));
}
END_TEST

START_TEST(bad_parts_are_refused)
{
    refuse("redis://", "the host is missing");
    refuse("redis://:6379", "the host is missing");
    refuse("redis://u:p@", "the host is missing");
    refuse("redis://h:", "port");
    refuse("redis://h:0", "port");
    refuse("redis://h:65536", "port");
    refuse("redis://h:6379x", "port");
    refuse("redis://h:99999999999999999999", "port");
    refuse("redis://h/x", "database");
    refuse("redis://h/1000001", "database");
    refuse("redis://h/1/2", "database");
    refuse("redis://h h", "character");
    refuse("redis://h?db=1", "character");
    refuse("redis://u:p%4@h", "two hex digits");
    refuse("redis://u:p%@h", "two hex digits");
    refuse("redis://u:p%gg@h", "two hex digits");
    refuse("redis://u:p%00@h", "NUL");
    ck_assert(!url_parse(STR("redis://h\0x"), &url, &err));
}
END_TEST

START_TEST(lengths_are_bounded)
{
    char text[1000];
    snprintf(text, sizeof(text), "redis://%0127d:%0255d@%0255d", 1, 2, 3);
    parse(text);
    snprintf(text, sizeof(text), "redis://%0128d@h", 1);
    refuse(text, "the user is longer than 127 bytes");
    snprintf(text, sizeof(text), "redis://:%0256d@h", 1);
    refuse(text, "the password is longer than 255 bytes");
    snprintf(text, sizeof(text), "redis://%0256d", 1);
    refuse(text, "the host is longer than 255 bytes");
    snprintf(text, sizeof(text), "unix:///%0107d", 1);
    refuse(text, "the path is longer than 107 bytes");
}
END_TEST

START_TEST(errors_never_show_the_password)
{
    static const char *const bad[] = {"redis://u:hunter2@",   "redis://u:hunter2@h:x",
                                      "redis://:hunter2@h/x", "redis://u:hunter2",
                                      "rediss://u:hunter2@h", "redis://u:hun%ter2@h",
                                      "unix://u:hunter2@x",   "redis://hunter2:x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuse(bad[i], "");
        ck_assert_msg(strstr(err.text, "hun") == NULL, "%s", err.text);
    }
}
END_TEST

START_TEST(passwords_are_cut_out)
{
    static const char *const pairs[][2] = {{"redis://u:p@h:1/2", "redis://u@h:1/2"},
                                           {"redis://:p@h", "redis://@h"},
                                           {"redis://u:p:q@r@h", "redis://u@h"},
                                           {"redis://u@h:6379", "redis://u@h:6379"},
                                           {"redis://h:6379", "redis://h:6379"},
                                           {"unix:///a:b@c", "unix:///a:b@c"},
                                           {"unix://u:p@/x", "unix://u@/x"},
                                           {"embedded", "embedded"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "%s", pairs[i][0]);
        url_hide_password(text);
        ck_assert_str_eq(text, pairs[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *all = tcase_create("all");
    tcase_add_test(all, embedded_has_no_address);
    tcase_add_test(all, a_host_alone_has_defaults);
    tcase_add_test(all, all_parts_are_read);
    tcase_add_test(all, ipv6_addresses_stand_in_brackets);
    tcase_add_test(all, unix_sockets_have_a_path_and_a_database);
    tcase_add_test(all, other_schemes_are_refused);
    tcase_add_test(all, bad_parts_are_refused);
    tcase_add_test(all, lengths_are_bounded);
    tcase_add_test(all, errors_never_show_the_password);
    tcase_add_test(all, passwords_are_cut_out);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
