/* log: lines in both formats, escapes, repetitions, readers that do not read. */
#include "base/log.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 2026-01-02T03:04:05.678901Z */
#define WALL_US INT64_C(1767323045678901)
#define HEAD    "ts=2026-01-02T03:04:05.678Z "

static int64_t now_us;
static int ends[2]; /* of the pipe that the log writes to */
static struct log log_;
static struct clock clock_;

static int64_t read_now(void *arg)
{
    (void)arg;
    return now_us;
}

static int64_t read_wall(void *arg)
{
    (void)arg;
    return WALL_US;
}

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    now_us = 5000000;
    clock_ = (struct clock){.read_us = read_now, .read_wall_us = read_wall};
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    log_init(&log_, &clock_);
    log_.fd = ends[1];
}

static void tear_down(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* What was written since the last call. */
static const char *written(void)
{
    static char text[100000];
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)got;
    text[len] = '\0';
    return text;
}

START_TEST(a_line_has_time_level_event_and_pairs)
{
    log_line(&log_, LOG_LEVEL_INFO, "link-lost", "link", "3", "why", "closed by peer", NULL);
    ck_assert_str_eq(written(), HEAD "level=info event=link-lost link=3 why=\"closed by peer\"\n");
    log_line(&log_, LOG_LEVEL_ERROR, "stopped", NULL);
    ck_assert_str_eq(written(), HEAD "level=error event=stopped\n");
}
END_TEST

START_TEST(values_are_quoted_where_they_must)
{
    log_line(&log_, LOG_LEVEL_INFO, "e", "a", "", "b", "x=y", "c", "say \"hi\"", "d", "a\\b", "e",
             "1\n2\r3\t4\x01\xc3\xa4", "f", (const char *)NULL, NULL);
    ck_assert_str_eq(written(), HEAD "level=info event=e a=\"\" b=\"x=y\" c=\"say \\\"hi\\\"\" "
                                     "d=\"a\\\\b\" e=\"1\\n2\\r3\\t4\\x01\\xc3\\xa4\" f=\"\"\n");
}
END_TEST

START_TEST(json_lines_are_json)
{
    log_.is_json = true;
    log_line(&log_, LOG_LEVEL_WARNING, "e", "a", "x y", "b", "\"\\\n\x01\xff", NULL);
    ck_assert_str_eq(written(),
                     "{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warning\",\"event\":\"e\","
                     "\"a\":\"x y\",\"b\":\"\\\"\\\\\\n\\\\x01\\\\xff\"}\n");
}
END_TEST

START_TEST(text_is_formatted)
{
    log_text(&log_, LOG_LEVEL_INFO, "e", "%d of %s", 3, "them");
    ck_assert_str_eq(written(), HEAD "level=info event=e text=\"3 of them\"\n");
}
END_TEST

START_TEST(what_is_less_urgent_is_dropped)
{
    log_.level = LOG_LEVEL_WARNING;
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    log_text(&log_, LOG_LEVEL_DEBUG, "e", "text");
    ck_assert_str_eq(written(), "");
    log_text(&log_, LOG_LEVEL_WARNING, "e", "text");
    ck_assert_str_ne(written(), "");
}
END_TEST

START_TEST(without_a_log_nothing_happens)
{
    log_line(NULL, LOG_LEVEL_ERROR, "e", NULL);
    log_text(NULL, LOG_LEVEL_ERROR, "e", "text");
    log_flush(NULL);
    ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(repetitions_are_counted_until_another_line_comes)
{
    for (int i = 0; i < 1000; i++)
        log_line(&log_, LOG_LEVEL_WARNING, "e", "a", "1", NULL);
    ck_assert_str_eq(written(), HEAD "level=warning event=e a=1\n");
    log_line(&log_, LOG_LEVEL_INFO, "f", NULL);
    ck_assert_str_eq(written(),
                     HEAD "level=warning event=e repeats=999\n" HEAD "level=info event=f\n");
}
END_TEST

START_TEST(repetitions_are_told_when_the_second_is_over)
{
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    now_us += 999999;
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    now_us += 1;
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    ck_assert_str_eq(written(), HEAD "level=info event=e\n" HEAD
                                     "level=info event=e repeats=1\n" HEAD "level=info event=e\n");
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    log_flush(&log_);
    log_flush(&log_);
    ck_assert_str_eq(written(), HEAD "level=info event=e repeats=1\n");
}
END_TEST

START_TEST(the_same_event_with_other_values_is_no_repetition)
{
    log_line(&log_, LOG_LEVEL_INFO, "e", "client", "1", NULL);
    log_line(&log_, LOG_LEVEL_INFO, "e", "client", "2", NULL);
    ck_assert_str_eq(written(),
                     HEAD "level=info event=e client=1\n" HEAD "level=info event=e client=2\n");
}
END_TEST

/* Every length around the bound, so that each cut is met. */
START_TEST(long_values_are_cut_and_lines_stay_whole)
{
    static char value[5000];
    for (int is_json = 0; is_json < 2; is_json++) {
        log_.is_json = is_json;
        for (size_t len = 3800; len < 4000; len++) {
            memset(value, len % 2 == 0 ? 'x' : '\n', len);
            value[len] = '\0';
            now_us += 2000000;
            log_line(&log_, LOG_LEVEL_INFO, "e", "a", value, "b", "2", NULL);
            const char *line = written();
            size_t line_len = strlen(line);
            ck_assert_uint_le(line_len, LOG_MAX_LINE);
            ck_assert_ptr_eq(strchr(line, '\n'), line + line_len - 1);
            bool has_end =
                str_ends(str_of(line), is_json ? STR("\"b\":\"2\"}\n") : STR(" b=2\n")) ||
                str_ends(str_of(line), is_json ? STR("...\"}\n") : STR("...\"\n")) ||
                str_ends(str_of(line), is_json ? STR("\"}\n") : STR("x\n"));
            ck_assert_msg(has_end, "%s", line);
        }
    }
}
END_TEST

START_TEST(a_pair_that_has_no_room_is_left_out_whole)
{
    static char value[4000];
    log_.is_json = true;
    for (size_t len = 3850; len < 3960; len++) {
        memset(value, 'x', len);
        value[len] = '\0';
        now_us += 2000000; /* those that are cut are the same line again */
        log_line(&log_, LOG_LEVEL_INFO, "e", "a", value, "key", "", NULL);
        const char *line = written();
        int quotes = 0;
        for (const char *c = line; *c != '\0'; c++)
            quotes += *c == '"';
        ck_assert_int_eq(quotes % 4, 0); /* keys and values, two quotes each */
        ck_assert(str_ends(str_of(line), STR("\"}\n")));
    }
}
END_TEST

START_TEST(a_reader_that_does_not_read_costs_lines_not_time)
{
    char number[16];
    struct clock machine;
    clock_init(&machine);
    int64_t before = clock_ms(&machine);
    for (int i = 0; i < 20000; i++) {
        snprintf(number, sizeof(number), "%d", i);
        log_line(&log_, LOG_LEVEL_INFO, "e", "i", number, NULL);
    }
    ck_assert_int_lt(clock_ms(&machine) - before, 3000);
    ck_assert_uint_gt(log_.dropped, 0);
    unsigned long dropped = log_.dropped;
    written();
    log_line(&log_, LOG_LEVEL_INFO, "again", NULL);
    char expected[256];
    snprintf(expected, sizeof(expected),
             HEAD "level=warning event=log-dropped lines=%lu\n" HEAD "level=info event=again\n",
             dropped);
    ck_assert_str_eq(written(), expected);
    ck_assert_uint_eq(log_.dropped, 0);
}
END_TEST

START_TEST(a_reader_that_has_gone_is_survived)
{
    close(ends[0]);
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    log_line(&log_, LOG_LEVEL_INFO, "f", NULL);
    ck_assert_uint_eq(log_.dropped, 2);
    log_.fd = -1;
    log_line(&log_, LOG_LEVEL_INFO, "g", NULL);
    ck_assert_uint_eq(log_.dropped, 3);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    close(ends[0]);
    errno = ENOENT;
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    log_line(&log_, LOG_LEVEL_INFO, "e", NULL);
    log_flush(&log_);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(levels_have_names)
{
    ck_assert_str_eq(log_level_name(LOG_LEVEL_ERROR), "error");
    ck_assert_str_eq(log_level_name(LOG_LEVEL_WARNING), "warning");
    ck_assert_str_eq(log_level_name(LOG_LEVEL_INFO), "info");
    ck_assert_str_eq(log_level_name(LOG_LEVEL_DEBUG), "debug");
}
END_TEST

/* A syslog daemon's socket. */
static int listen_at(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

START_TEST(syslog_gets_priority_and_survives_a_restart)
{
    char folder[] = "/tmp/rallocd-test-XXXXXX", path[64], text[LOG_MAX_LINE + 1];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);

    ck_assert(!log_connect_syslog(&log_, path));
    ck_assert(!log_.is_syslog);
    int fd = listen_at(path);
    ck_assert(log_connect_syslog(&log_, path));
    int first = log_.fd;
    for (int i = 0; i < 2; i++) {
        log_text(&log_, LOG_LEVEL_ERROR, "e", "%d", i);
        ssize_t len = recv(fd, text, sizeof(text) - 1, 0);
        ck_assert_int_gt(len, 0);
        text[len] = '\0';
        ck_assert(str_starts(str_of(text), STR("<27>"))); /* daemon.err */
        ck_assert_ptr_nonnull(strstr(text, i == 0 ? "event=e text=0" : "event=e text=1"));
        ck_assert_int_ne(text[len - 1], '\n');
        if (i == 0) {
            close(fd);
            unlink(path);
            fd = listen_at(path);
        }
    }
    ck_assert_int_ne(log_.fd, first);
    ck_assert_int_eq(fcntl(first, F_GETFD), -1); /* the old socket is closed */
    close(fd);
    close(log_.fd);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
{
    char path[200];
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    ck_assert(!log_connect_syslog(&log_, path));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_line_has_time_level_event_and_pairs);
    tcase_add_test(all, values_are_quoted_where_they_must);
    tcase_add_test(all, json_lines_are_json);
    tcase_add_test(all, text_is_formatted);
    tcase_add_test(all, what_is_less_urgent_is_dropped);
    tcase_add_test(all, without_a_log_nothing_happens);
    tcase_add_test(all, repetitions_are_counted_until_another_line_comes);
    tcase_add_test(all, repetitions_are_told_when_the_second_is_over);
    tcase_add_test(all, the_same_event_with_other_values_is_no_repetition);
    tcase_add_test(all, long_values_are_cut_and_lines_stay_whole);
    tcase_add_test(all, a_pair_that_has_no_room_is_left_out_whole);
    tcase_add_test(all, a_reader_that_does_not_read_costs_lines_not_time);
    tcase_add_test(all, a_reader_that_has_gone_is_survived);
    tcase_add_test(all, errno_is_left_alone);
    tcase_add_test(all, levels_have_names);
    tcase_add_test(all, syslog_gets_priority_and_survives_a_restart);
    tcase_add_test(all, a_path_too_long_for_a_socket_is_refused);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
