/* listing: where resources may be listed. */
#include "config/listing.h"
#include <check.h>
#include <stdlib.h>

static struct listing listing;
static struct err err;

static void expect(const char *text, enum listing_kind kind, const char *what, int port)
{
    ck_assert_msg(listing_parse(str_of(text), &listing, &err), "%s: %s", text, err.text);
    ck_assert_int_eq(listing.kind, kind);
    ck_assert_msg(str_eq(listing.what, str_of(what)), "%.*s", PRSTR(listing.what));
    ck_assert_int_eq(listing.port, port);
}

static void refuse(const char *text, const char *why)
{
    ck_assert_msg(!listing_parse(str_of(text), &listing, &err), "'%s' was taken", text);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s': '%s' lacks '%s'", text, err.text, why);
}

START_TEST(each_kind_has_its_word)
{
    expect("file:/etc/pools/gpus", LISTING_FILE, "/etc/pools/gpus", 0);
    expect("http://lists/gpus?x=1", LISTING_HTTP, "http://lists/gpus?x=1", 0);
    expect("https://[::1]:8443", LISTING_HTTP, "https://[::1]:8443", 0);
    expect("exec:/usr/bin/list --all", LISTING_EXEC, "/usr/bin/list --all", 0);
    expect("exec: list ", LISTING_EXEC, "list", 0);
    expect("dns:nodes.example.org", LISTING_DNS, "nodes.example.org", 0);
    expect("dns:localhost:65535", LISTING_DNS, "localhost", 65535);
    ck_assert_str_eq(listing_kind_name(LISTING_FILE), "file");
    ck_assert_str_eq(listing_kind_name(LISTING_HTTP), "http");
    ck_assert_str_eq(listing_kind_name(LISTING_EXEC), "exec");
    ck_assert_str_eq(listing_kind_name(LISTING_DNS), "dns");
}
END_TEST

START_TEST(other_texts_are_refused_with_what_is_allowed)
{
    const char *const others[] = {"",      "/etc/gpus", "file:", "exec:  ", "ftp://x",
                                  "http:", "http://",   "dns:",  "EXEC:x",  "file"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        refuse(others[i], "not file:/PATH, http://URL, https://URL, exec:PROGRAM or dns:NAME");
    refuse("file:gpus", "from the root");
    refuse("file:/", "from the root");
    refuse("http:///path", "a host");
    refuse("http://a b", "no blanks");
    refuse("dns:a b", "wants a name");
    refuse("dns::80", "wants a name");
    refuse("dns:a:0", "1 to 65535");
    refuse("dns:a:65536", "1 to 65535");
    refuse("dns:a:x", "1 to 65535");
    refuse("dns:a:", "1 to 65535");
}
END_TEST

START_TEST(an_error_shows_no_password)
{
    ck_assert(!listing_parse(STR("ttp://me:secret@lists/"), &listing, &err));
    ck_assert_ptr_null(strstr(err.text, "secret"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tcase = tcase_create("listing");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, each_kind_has_its_word);
    tcase_add_test(tcase, other_texts_are_refused_with_what_is_allowed);
    tcase_add_test(tcase, an_error_shows_no_password);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
