/* embed: the build's tool that makes C out of Lua, run on folders of the test's. */
#include <check.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/embed-XXXXXX";

static void make_folder(void)
{
    char path[100];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/lua", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/lua/a", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static int remove_path(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_path, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/lua/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_file(const char *name)
{
    static char text[65536];
    char path[100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static bool is_there(const char *name)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* Runs the tool of this build (build/x/tools/embed for build/x/tests/unit/redis/embed) with its
 * messages in a file; true when it was content. */
static bool run(void)
{
    char self[400], command[1200];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    ck_assert_int_gt(len, 0);
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(command, sizeof(command),
             "cd %s && \"%s/../../../tools/embed\" lua out.h out.c 2>messages", folder, self);
    int status = system(command);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 0;
}

static void accepts(void)
{
    ck_assert_msg(run(), "%s", read_file("messages"));
}

static void refuses(const char *message)
{
    ck_assert(!run());
    ck_assert_str_eq(read_file("messages"), message);
    ck_assert(!is_there("out.h") && !is_there("out.c"));
}

START_TEST(scripts_are_listed_by_path_and_parts_are_none)
{
    put("z.lua", "-- z: last\n-- keys: one\nreturn KEYS[1]\n");
    put("a/b.lua", "-- keys: one two\nreturn {KEYS[1], KEYS[2]}\n");
    put("part.lua", "-- part\nlocal x = 1\n");
    put("no_script.txt", "-- keys: one\n");
    accepts();
    ck_assert_ptr_nonnull(strstr(read_file("out.h"), "    SCRIPT_NONE,\n    SCRIPT_A_B,\n"
                                                     "    SCRIPT_Z,\n    SCRIPT_COUNT\n"));
    const char *text = read_file("out.c");
    ck_assert_ptr_nonnull(strstr(text, "keys_of_A_B[] = {\"one\", \"two\"}"));
    ck_assert_ptr_nonnull(strstr(text, ".name = \"a/b\""));
}
END_TEST

START_TEST(parts_come_first_once_and_lines_keep_their_places)
{
    put("base.lua", "-- base\nlocal base\n");
    put("list.lua", "-- include: base.lua\n\nlocal list\n");
    put("a/op.lua", "-- op\n-- keys: k\n-- include: list.lua\n-- include: base.lua\n\n"
                    "  -- a remark\nreturn KEYS[1] -- another\n");
    accepts();
    const char *text = read_file("out.c");
    ck_assert_ptr_nonnull(strstr(text, "    \"local base\\n\"\n    \"local list\\n\"\n"
                                       "    \"return KEYS[1] -- another\\n\";\n"));
    ck_assert_ptr_nonnull(strstr(text, "    {\"lua/base.lua\", 2},\n    {\"lua/list.lua\", 3},\n"
                                       "    {\"lua/a/op.lua\", 7},\n"));
    /* the digest of these three lines, as Redis computes it */
    ck_assert_ptr_nonnull(strstr(text, "56893cadcdc6a69bd8f4d8a65c987604b1262f88"));
}
END_TEST

START_TEST(what_only_looks_like_a_comment_stays)
{
    put("op.lua", "-- keys: k\nlocal a = [==[\n-- kept ]]\n\n]==]\nlocal b = 'x\\\n-- kept too'\n"
                  "--[[ long\nKEYS[9] is only said\n]] local c = KEYS[1] -- KEYS[8] too\n"
                  "local d = \"--[[\"\n-- dropped\nreturn c\n");
    accepts();
    const char *text = read_file("out.c");
    ck_assert_ptr_nonnull(strstr(text, "    \"local a = [==[\\n\"\n    \"-- kept ]]\\n\"\n"
                                       "    \"\\n\"\n    \"]==]\\n\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "    \"-- kept too'\\n\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "    \"local d = \\\"--[[\\\"\\n\"\n    \"return c\\n\""));
    ck_assert_ptr_null(strstr(text, "dropped"));
}
END_TEST

START_TEST(the_same_folder_gives_the_same_bytes)
{
    put("b.lua", "-- keys: k\nreturn KEYS[1]\n");
    put("a/a.lua", "-- keys: k\nreturn KEYS[1] .. '\xc3\xa4 ?\?/ \\1'\n");
    accepts();
    char *first = strdup(read_file("out.c"));
    accepts();
    ck_assert_str_eq(first, read_file("out.c"));
    ck_assert_ptr_nonnull(strstr(first, "\\303\\244 \\?\\?/ \\\\1"));
    ck_assert(!is_there("out.c.new") && !is_there("out.h.new"));
    free(first);
}
END_TEST

START_TEST(a_circle_of_includes_is_refused)
{
    put("x.lua", "-- include: y.lua\n");
    put("y.lua", "\n-- include: x.lua\n");
    put("op.lua", "-- keys: k\n-- include: x.lua\nreturn KEYS[1]\n");
    refuses("embed: lua/y.lua:2: including x.lua here makes a circle\n");
}
END_TEST

START_TEST(a_missing_part_and_an_operation_as_part_are_refused)
{
    put("op.lua", "-- keys: k\n-- include: part.lua\nreturn KEYS[1]\n");
    refuses("embed: lua/op.lua:2: there is no file lua/part.lua\n");
    put("part.lua", "-- keys: k\nreturn KEYS[1]\n");
    refuses("embed: lua/op.lua:2: part.lua has a \"-- keys:\" line: it is an operation, not a "
            "part\n");
}
END_TEST

START_TEST(keys_that_are_used_and_not_named_or_the_reverse_are_refused)
{
    put("op.lua", "-- keys: one two\nreturn KEYS[1]\n");
    refuses("embed: lua/op.lua:1: the key 'two' is not used: KEYS[2] occurs nowhere\n");
    put("op.lua", "-- keys: one two\nlocal a = KEYS[1]\nreturn KEYS[3]\n");
    refuses("embed: lua/op.lua:3: KEYS[3] in op.lua, whose \"-- keys:\" line names 2\n");
    put("op.lua", "-- keys: one\nreturn KEYS[i]\n");
    refuses("embed: lua/op.lua:2: KEYS[] wants a plain number\n");
    put("op.lua", "-- keys: one one\nreturn KEYS[1]\n");
    refuses("embed: lua/op.lua:1: the key 'one' is named twice\n");
    put("op.lua", "-- keys:\nreturn 1\n");
    refuses("embed: lua/op.lua:1: a \"-- keys:\" line without keys\n");
    put("op.lua", "-- keys: a b c d e f g h i j k l m n o p q r s t u v w x y\nreturn 1\n");
    refuses("embed: lua/op.lua:1: more than 24 keys\n");
}
END_TEST

START_TEST(a_folder_without_scripts_and_names_that_meet_are_refused)
{
    put("part.lua", "local x\n");
    refuses("embed: lua: no file has a \"-- keys:\" line\n");
    put("a_b.lua", "-- keys: k\nreturn KEYS[1]\n");
    put("a/b.lua", "-- keys: k\nreturn KEYS[1]\n");
    refuses("embed: lua/a/b.lua and lua/a_b.lua both become SCRIPT_A_B\n");
}
END_TEST

START_TEST(a_string_that_does_not_end_is_refused)
{
    put("op.lua", "-- keys: k\nreturn KEYS[1] .. [[\n");
    refuses("embed: lua/op.lua: a string or comment does not end\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("embed");
    TCase *tests = tcase_create("embed");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, scripts_are_listed_by_path_and_parts_are_none);
    tcase_add_test(tests, parts_come_first_once_and_lines_keep_their_places);
    tcase_add_test(tests, what_only_looks_like_a_comment_stays);
    tcase_add_test(tests, the_same_folder_gives_the_same_bytes);
    tcase_add_test(tests, a_circle_of_includes_is_refused);
    tcase_add_test(tests, a_missing_part_and_an_operation_as_part_are_refused);
    tcase_add_test(tests, keys_that_are_used_and_not_named_or_the_reverse_are_refused);
    tcase_add_test(tests, a_folder_without_scripts_and_names_that_meet_are_refused);
    tcase_add_test(tests, a_string_that_does_not_end_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
