/* file: what the file's layer takes, and its errors with file and line. */
#include "base/mem.h"
#include "config/layers.h"
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];
static struct layers layers;
static struct err err;

static void set_up(void)
{
    static const unsigned char seed[16] = "0123456789abcdef";
    strcpy(folder, "/tmp/rallocd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/x.conf", folder);
    layers_init(&layers, seed);
}

static void tear_down(void)
{
    layers_clear(&layers);
    unlink(path);
    rmdir(folder);
}

static bool read_bytes(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
    err.text[0] = '\0';
    return layers_read_file(&layers, path, &err);
}

static void take(const char *text)
{
    ck_assert_msg(read_bytes(text, strlen(text)), "%s", err.text);
}

/* Refused with "<path>:" and this text. */
static void refuse_bytes(const char *bytes, size_t len, const char *text)
{
    char expected[600];
    ck_assert_msg(!read_bytes(bytes, len), "taken: %s", bytes);
    snprintf(expected, sizeof(expected), "%s:%s", path, text);
    ck_assert_str_eq(err.text, expected);
}

static void refuse(const char *bytes, const char *text)
{
    refuse_bytes(bytes, strlen(bytes), text);
}

static const char *value(enum key_section section, const char *name, const char *pool)
{
    const struct key *key = key_find(section, str_of(name), false);
    const struct given *given = layers_find(&layers.given, key, str_of(pool));
    return given == NULL ? "(none)" : given->value;
}

START_TEST(an_empty_file_gives_nothing)
{
    take("");
    take("\n\n# comment\n; comment\n   # comment\n[server]\n");
    ck_assert_uint_eq(layers.given.count, 0);
}
END_TEST

START_TEST(keys_are_noted_with_their_line)
{
    take("[server]\nmaxclients = 5\n[redis]\nurl=redis://h ; there\n  links : "
         "7\n[server]\ntimeout=1");
    ck_assert_str_eq(value(KEY_SERVER, "maxclients", ""), "5");
    ck_assert_str_eq(value(KEY_REDIS, "url", ""), "redis://h");
    ck_assert_str_eq(value(KEY_REDIS, "links", ""), "7");
    ck_assert_str_eq(value(KEY_SERVER, "timeout", ""), "1");
    ck_assert_str_eq(value(KEY_LOG, "level", ""), "(none)");
    const struct given *given =
        layers_find(&layers.given, key_find(KEY_REDIS, STR("links"), false), STR(""));
    ck_assert(str_ends(str_of(given->where), STR("/x.conf:5")));
}
END_TEST

START_TEST(windows_files_are_read_too)
{
    take("\xef\xbb\xbf[server]\r\nmaxclients = 5\r\n\r\nrequirepass = a b\r\n");
    ck_assert_str_eq(value(KEY_SERVER, "maxclients", ""), "5");
    ck_assert_str_eq(value(KEY_SERVER, "requirepass", ""), "a b");
}
END_TEST

START_TEST(values_may_hold_signs_that_ini_files_use)
{
    take("[server]\nrequirepass = a=b:c;d#e\n");
    ck_assert_str_eq(value(KEY_SERVER, "requirepass", ""), "a=b:c;d#e");
}
END_TEST

START_TEST(pools_are_named_by_sections_even_empty_ones)
{
    char text[400], name[129];
    memset(name, 'p', 128);
    name[128] = '\0';
    snprintf(text, sizeof(text), "[pool:a.b]\n[pool:*]\nmode=shared\n[pool:%s]\nmode=exclusive\n",
             name);
    take(text);
    ck_assert_uint_eq(layers.pools.count, 2);
    ck_assert_ptr_nonnull(map_get(&layers.pools, STR("a.b")));
    ck_assert_str_eq(value(KEY_POOL, "mode", "*"), "shared");
    ck_assert_str_eq(value(KEY_POOL, "mode", name), "exclusive");
    ck_assert_str_eq(value(KEY_POOL, "mode", "a.b"), "(none)");
}
END_TEST

START_TEST(bad_values_tell_line_key_and_range)
{
    refuse("\n[server]\nmaxclients = abc\n",
           "3: [server] maxclients = 'abc': not a whole number from 1 to 1000000");
    refuse("[log]\nlevel = loud\n",
           "2: [log] level = 'loud': not one of error, warning, info, debug");
    refuse("[pool:x]\ngc_count = -1\n",
           "2: [pool:x] gc_count = '-1': not a whole number from 0 to 100000");
    refuse("[server]\nnamespace = a|\n",
           "2: [server] namespace = 'a|': invalid name 'a|': 1 to 128 "
           "of A-Z a-z 0-9 . _ - : / are allowed");
    refuse("[server]\nmaxclients =\n",
           "2: [server] maxclients = '': not a whole number from 1 to 1000000");
    refuse("[server]\nmaxclients = 5\xff\n",
           "2: [server] maxclients = '5\\xff': not a whole number from 1 to 1000000");
}
END_TEST

START_TEST(passwords_are_in_no_error)
{
    char text[700], expected[] = "2: [server] requirepass: not a text of 0 to 512 bytes";
    snprintf(text, sizeof(text), "[server]\nrequirepass = %0513d\n", 1);
    refuse(text, expected);
    ck_assert(!read_bytes("[redis]\nurl = redis://u:hunter2@h:x\n", 36));
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
    ck_assert_ptr_nonnull(strstr(err.text, ":2: [redis] url: the port is not"));
}
END_TEST

START_TEST(unknown_keys_are_refused_with_a_suggestion)
{
    refuse("[server]\nmaxclient = 5\n", "2: [server] has no key 'maxclient'; is maxclients meant?");
    refuse("[server]\nlinks = 5\n", "2: [server] has no key 'links'; is [redis] links meant?");
    refuse("[server]\nmode = shared\n", "2: [server] has no key 'mode'; is [pool:*] mode meant?");
    refuse("[pool:x]\nflavour = 5\n", "2: [pool:x] has no key 'flavour'");
    refuse("[server]\n = 5\n", "2: [server] has no key ''");
}
END_TEST

START_TEST(unknown_sections_are_refused_at_their_line)
{
    const char *rest = "; there are server, redis, log, pool:NAME, pool:*, queue:NAME, "
                       "queue:*, user:NAME and user:*";
    char text[200];
    snprintf(text, sizeof(text), "2: no such section: 'servr'%s", rest);
    refuse("\n[servr]\n", text);
    snprintf(text, sizeof(text), "1: no such section: ''%s", rest);
    refuse("[]\nx=1\n", text);
    refuse("[pool:lock]\n",
           "1: invalid name 'lock': it is reserved, as option words and names that "
           "end in -cache are");
    refuse("[pool:a b]\n", "1: invalid name 'a b': 1 to 128 of A-Z a-z 0-9 . _ - are allowed");
}
END_TEST

START_TEST(a_long_section_name_is_not_cut)
{
    char text[300], name[160];
    memset(name, 'p', sizeof(name));
    snprintf(text, sizeof(text), "[pool:%.129s]\nmode=shared\n", name);
    ck_assert(!read_bytes(text, strlen(text)));
    ck_assert_ptr_nonnull(strstr(err.text, ":1: invalid name"));
}
END_TEST

START_TEST(keys_given_twice_are_refused)
{
    char expected[600];
    ck_assert(!read_bytes("[server]\ntimeout=1\n[server]\ntimeout=1\n", 39));
    snprintf(expected, sizeof(expected), "%s:4: [server] timeout is given twice, first at %s:2",
             path, path);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

START_TEST(the_same_key_of_two_pools_is_no_repetition)
{
    take("[pool:a]\nmode=shared\n[pool:b]\nmode=shared\n[pool:*]\nmode=shared\n");
}
END_TEST

START_TEST(lines_that_are_nothing_are_refused)
{
    refuse("[server]\nmaxclients\n", "2: neither [section] nor KEY = VALUE");
    refuse("[server\nmaxclients=1\n", "1: neither [section] nor KEY = VALUE");
    refuse("[server]\nnonsense\nmaxclients=abc\n", "2: neither [section] nor KEY = VALUE");
    refuse("[server]\nmaxclients=abc\nnonsense\n",
           "2: [server] maxclients = 'abc': not a whole number from 1 to 1000000");
    refuse("maxclients=1\n", "1: a key before the first [section]");
    refuse("[server] maxclients=1\n", "1: text after the ] of a section");
}
END_TEST

START_TEST(an_indented_key_does_not_continue_the_line_before)
{
    take("[server]\nrequirepass = x\n   maxclients = 5\n\t[redis]\n\tlinks = 3\n");
    ck_assert_str_eq(value(KEY_SERVER, "requirepass", ""), "x");
    ck_assert_str_eq(value(KEY_SERVER, "maxclients", ""), "5");
    ck_assert_str_eq(value(KEY_REDIS, "links", ""), "3");
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    static const char text[] = "[server]\nmaxclients = 5\0 0\n";
    refuse_bytes(text, sizeof(text) - 1, "2: the line holds a NUL byte");
}
END_TEST

START_TEST(long_lines_are_taken_whole_or_refused)
{
    char *text = mem_zalloc(200000), *list = mem_zalloc(4000);
    for (int i = 0; i < 60; i++)
        sprintf(list + strlen(list), "%sunix:/run/a-quite-long-name-of-a-socket-%04d", i ? "," : "",
                i);
    sprintf(text, "[server]\nlisten = %s\n", list);
    take(text);
    ck_assert_str_eq(value(KEY_SERVER, "listen", ""), list);
    mem_free(list);

    memcpy(text, "[server]\n# ", 12);
    memset(text + strlen(text), 'x', 100000);
    ck_assert(!read_bytes(text, strlen(text)));
    ck_assert_ptr_nonnull(strstr(err.text, ":2: the line is longer than 65534 bytes"));
    mem_free(text);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_told)
{
    ck_assert(!layers_read_file(&layers, "/nonexistent/x.conf", &err));
    ck_assert_str_eq(err.text, "/nonexistent/x.conf: No such file or directory");
    ck_assert(!layers_read_file(&layers, folder, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
}
END_TEST

START_TEST(ten_thousand_pools_are_read_in_no_time)
{
    size_t size = 1 << 20, used = 0;
    char *text = mem_zalloc(size);
    for (int i = 0; i < 10000; i++)
        used += (size_t)snprintf(text + used, size - used, "[pool:p%d]\nmode=shared\ngc_count=%d\n",
                                 i, i);
    take(text);
    ck_assert_uint_eq(layers.pools.count, 10000);
    ck_assert_str_eq(value(KEY_POOL, "gc_count", "p9999"), "9999");
    mem_free(text);
}
END_TEST

/* Chance that is the same in each run, so that a failure comes again. */
static unsigned chance(unsigned bound)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % bound;
}

START_TEST(rubbish_never_does_more_than_an_error)
{
    char bytes[512];
    for (int round = 0; round < 3000; round++) {
        static const char signs[] = "[]=:;# \n\r\tpolserver*.\\\"\xef\xbb\xbf";
        size_t len = chance(sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = chance(8) == 0 ? (char)chance(256) : signs[chance(sizeof(signs))];
        if (!read_bytes(bytes, len))
            ck_assert_uint_gt(strlen(err.text), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, an_empty_file_gives_nothing);
    tcase_add_test(all, keys_are_noted_with_their_line);
    tcase_add_test(all, windows_files_are_read_too);
    tcase_add_test(all, values_may_hold_signs_that_ini_files_use);
    tcase_add_test(all, pools_are_named_by_sections_even_empty_ones);
    tcase_add_test(all, bad_values_tell_line_key_and_range);
    tcase_add_test(all, passwords_are_in_no_error);
    tcase_add_test(all, unknown_keys_are_refused_with_a_suggestion);
    tcase_add_test(all, unknown_sections_are_refused_at_their_line);
    tcase_add_test(all, a_long_section_name_is_not_cut);
    tcase_add_test(all, keys_given_twice_are_refused);
    tcase_add_test(all, the_same_key_of_two_pools_is_no_repetition);
    tcase_add_test(all, lines_that_are_nothing_are_refused);
    tcase_add_test(all, an_indented_key_does_not_continue_the_line_before);
    tcase_add_test(all, nul_bytes_are_refused);
    tcase_add_test(all, long_lines_are_taken_whole_or_refused);
    tcase_add_test(all, files_that_cannot_be_read_are_told);
    tcase_add_test(all, ten_thousand_pools_are_read_in_no_time);
    tcase_add_test(all, rubbish_never_does_more_than_an_error);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
