/* embedded: our own redis-server: its folder, its locks, its deaths, and daemons that die before
 * it. */
#include "tests/unit/redis/rig.h"
#include <sys/file.h>

/* Tests that failed leave servers: they are found by their sockets and stopped at the end. */
static int stop_server(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type;
    if (strcmp(path + ftw->base, "redis.sock") != 0)
        return 0;
    redisContext *redis = rig_peek(path);
    if (redis != NULL) {
        freeReplyObject(redisCommand(redis, "SHUTDOWN NOSAVE"));
        redisFree(redis);
    }
    return 0;
}

static void use_embedded(struct rig *rig)
{
    char state[100];
    rig_init(rig);
    snprintf(state, sizeof(state), "%s/state", rig->folder);
    rig_set(&rig->config.state_dir, state);
    snprintf(rig->socket, sizeof(rig->socket), "%s/state/redis.sock", rig->folder);
    rig->config.where = (struct url){.scheme = URL_EMBEDDED};
}

/* The upstream cannot start; why. */
static void start_fails(struct rig *rig, char text[512])
{
    struct err err = {0};
    rig_make(rig);
    ck_assert(!upstream_start(rig->upstream, &err));
    snprintf(text, 512, "%s", err.text);
    upstream_forget(rig->upstream, &rig->listener);
    upstream_free(rig->upstream);
    rig->upstream = NULL;
}

static void path_in(const struct rig *rig, const char *name, char out[200])
{
    snprintf(out, 200, "%s/%s", rig->config.state_dir, name);
}

static bool is_alive(int pid)
{
    return kill(pid, 0) == 0;
}

static bool setting_is(const struct rig *rig, const char *key, const char *value)
{
    redisContext *redis = rig_peek(rig->socket);
    ck_assert_ptr_nonnull(redis);
    redisReply *reply = redisCommand(redis, "CONFIG GET %s", key);
    ck_assert(reply != NULL && reply->elements == 2);
    bool is = strcmp(reply->element[1]->str, value) == 0;
    freeReplyObject(reply);
    redisFree(redis);
    return is;
}

/* --- start and stop
 * ------------------------------------------------------------------------------- */

START_TEST(a_server_is_started_in_a_folder_of_its_own_and_stopped_last)
{
    struct rig rig;
    struct stat info;
    use_embedded(&rig);
    rig_start(&rig);
    rig_all_ready(&rig);
    int pid = rig_stats(&rig).embedded_pid;
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(stat(rig.config.state_dir, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(rig.socket, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    ck_assert(rig_info_has(&rig, "server", "tcp_port:0"));
    ck_assert(rig_info_has(&rig, "persistence", "aof_enabled:1"));
    ck_assert(setting_is(&rig, "maxmemory-policy", "noeviction"));
    ck_assert(setting_is(&rig, "save", ""));
    ck_assert(setting_is(&rig, "hash-max-listpack-entries", "16"));
    ck_assert(setting_is(&rig, "zset-max-listpack-entries", "16"));
    rig_stop(&rig);
    ck_assert(!is_alive(pid));
    rig_clear(&rig);
}
END_TEST

START_TEST(what_was_written_is_there_after_the_next_start)
{
    struct rig rig;
    struct seen seen = {0};
    use_embedded(&rig);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "SET", "key", "value");
    rig_stop(&rig);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "GET", "key");
    ck_assert_str_eq(seen.text, "value");
    ck_assert_uint_eq(rig_stats(&rig).embedded_restarts, 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_folder_with_blanks_quotes_and_missing_parents_works)
{
    struct rig rig;
    struct seen seen = {0};
    char state[100];
    use_embedded(&rig);
    snprintf(state, sizeof(state), "%s/a b/\"c\" \\x #%%s\xc3\xa4", rig.folder);
    rig_set(&rig.config.state_dir, state);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "PING");
    rig_clear(&rig);
}
END_TEST

START_TEST(settings_reach_the_server)
{
    struct rig rig;
    use_embedded(&rig);
    rig_set(&rig.config.appendfsync, "always");
    rig_set(&rig.config.maxmemory, "64mb");
    rig_start(&rig);
    rig_all_ready(&rig);
    ck_assert(setting_is(&rig, "appendfsync", "always"));
    ck_assert(setting_is(&rig, "maxmemory", "67108864"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_large_log_is_put_aside_at_start)
{
    struct rig rig;
    struct stat info;
    char path[200];
    use_embedded(&rig);
    ck_assert_int_eq(mkdir(rig.config.state_dir, 0700), 0);
    path_in(&rig, "redis.log", path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(ftruncate(fd, 9 * 1024 * 1024), 0);
    close(fd);
    rig_start(&rig);
    rig_all_ready(&rig);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_lt(info.st_size, 100000);
    path_in(&rig, "redis.log.1", path);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, 9 * 1024 * 1024);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_server_that_hangs_at_the_end_is_killed_after_the_timeout)
{
    struct rig rig;
    use_embedded(&rig);
    rig_start(&rig);
    rig_all_ready(&rig);
    int pid = rig_stats(&rig).embedded_pid;
    kill(pid, SIGSTOP);
    rig.has_stopped = false;
    upstream_stop(rig.upstream, 200, rig_stopped, &rig);
    rig_until(&rig, rig.has_stopped);
    ck_assert(!is_alive(pid));
    ck_assert(rig_log_has(&rig, "redis-killed"));
    upstream_forget(rig.upstream, &rig.listener);
    upstream_free(rig.upstream);
    rig.upstream = NULL;
    rig_clear(&rig);
}
END_TEST

START_TEST(stopping_at_once_leaves_no_server)
{
    struct rig rig;
    use_embedded(&rig);
    rig_start(&rig);
    int pid = rig_stats(&rig).embedded_pid;
    ck_assert_int_gt(pid, 0);
    rig_stop(&rig);
    ck_assert(!is_alive(pid));
    rig_clear(&rig);
}
END_TEST

START_TEST(stopping_what_never_started_ends_at_once)
{
    struct rig rig;
    use_embedded(&rig);
    rig_make(&rig);
    int64_t start_ms = clock_ms(&rig.clock);
    rig_stop(&rig);
    ck_assert_int_lt(clock_ms(&rig.clock) - start_ms, 4000);
    rig_clear(&rig);
}
END_TEST

/* --- what cannot work
 * ----------------------------------------------------------------------------- */

START_TEST(a_folder_open_to_others_is_refused)
{
    struct rig rig;
    char text[512];
    use_embedded(&rig);
    ck_assert_int_eq(mkdir(rig.config.state_dir, 0700), 0);
    ck_assert_int_eq(chmod(rig.config.state_dir, 0750), 0);
    start_fails(&rig, text);
    ck_assert_ptr_nonnull(strstr(text, "is open to others (mode 0750): chmod 700 it"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_folder_of_another_user_is_refused)
{
    struct rig rig;
    char text[512];
    use_embedded(&rig);
    ck_assert_int_eq(mkdir(rig.config.state_dir, 0700), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(rig.config.state_dir, 65534, 65534), 0);
    else
        rig_set(&rig.config.state_dir, "/"); /* root's */
    start_fails(&rig, text);
    ck_assert_ptr_nonnull(strstr(text, "belongs to user"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_path_that_is_no_folder_is_told)
{
    struct rig rig;
    char text[512];
    use_embedded(&rig);
    close(open(rig.config.state_dir, O_CREAT | O_WRONLY, 0600));
    start_fails(&rig, text);
    ck_assert_ptr_nonnull(strstr(text, "Not a directory"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_told)
{
    struct rig rig;
    char text[512], state[180];
    use_embedded(&rig);
    snprintf(state, sizeof(state), "%s/%0100d", rig.folder, 0);
    rig_set(&rig.config.state_dir, state);
    start_fails(&rig, text);
    ck_assert_ptr_nonnull(strstr(text, "too long for a Unix socket"));
    ck_assert_ptr_nonnull(strstr(text, "state_dir"));
    rig_clear(&rig);
}
END_TEST

/* Valgrind makes a plain fork() of the C library's vfork(), whose child then has no way to tell why
 * it could not go on. */
static bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

START_TEST(a_missing_redis_server_is_told_with_its_package)
{
    struct rig rig;
    char text[512];
    if (is_under_valgrind())
        return;
    use_embedded(&rig);
    rig_set(&rig.config.server_binary, "no-such-redis-server");
    start_fails(&rig, text);
    ck_assert_ptr_nonnull(strstr(text, "no-such-redis-server"));
    ck_assert_ptr_nonnull(strstr(text, "install the package redis-server"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_server_that_ends_at_once_is_tried_again_and_told)
{
    struct rig rig;
    use_embedded(&rig);
    rig_set(&rig.config.server_binary, "false");
    rig_start(&rig);
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "exited with status 1") != NULL);
    rig_until(&rig, rig_stats(&rig).embedded_restarts >= 2);
    ck_assert_ptr_nonnull(strstr(upstream_trouble(rig.upstream), "exited with status 1"));
    rig_set(&rig.config.server_binary, "redis-server");
    rig_all_ready(&rig);
    rig_clear(&rig);
}
END_TEST

START_TEST(the_last_words_of_a_server_that_cannot_start_are_told)
{
    struct rig rig;
    use_embedded(&rig);
    rig_set(&rig.config.maxmemory, "lots");
    rig_start(&rig);
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "memory value") != NULL);
    rig_clear(&rig);
}
END_TEST

/* --- deaths
 * --------------------------------------------------------------------------------------- */

START_TEST(a_server_that_is_killed_is_started_again_with_its_data)
{
    struct rig rig;
    struct seen seen = {0}, lost = {0};
    use_embedded(&rig);
    rig_set(&rig.config.appendfsync, "always");
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "SET", "key", "value");
    for (uint64_t round = 1; round <= 3; round++) {
        int pid = rig_stats(&rig).embedded_pid, ready_count = rig.ready_count;
        rig_send(&rig, &lost, "BLPOP", "nothing", "0");
        rig_until(&rig, rig_info_has(&rig, "clients", "blocked_clients:1"));
        kill(pid, SIGKILL);
        rig_until(&rig, rig_stats(&rig).embedded_restarts == round);
        rig_until(&rig, rig.ready_count > ready_count);
        ck_assert_int_ne(rig_stats(&rig).embedded_pid, pid);
        ck_assert_int_eq(lost.count, (int)round);
        ck_assert_int_eq(lost.fate, CALL_LOST);
        rig_ask(&rig, &seen, "GET", "key");
        ck_assert_str_eq(seen.text, "value");
    }
    ck_assert(rig_log_has(&rig, "killed by signal 9"));
    rig_clear(&rig);
}
END_TEST

START_TEST(a_second_daemon_on_the_folder_is_refused_with_the_process_id_of_the_first)
{
    struct rig rig, second;
    struct seen seen = {0};
    char text[512], wanted[100];
    use_embedded(&rig);
    use_embedded(&second);
    rig_set(&second.config.state_dir, rig.config.state_dir);
    rig_start(&rig);
    rig_all_ready(&rig);
    start_fails(&second, text);
    snprintf(wanted, sizeof(wanted), "is in use by another daemon (process %d)", (int)getpid());
    ck_assert_ptr_nonnull(strstr(text, wanted));
    rig_ask(&rig, &seen, "PING"); /* and the first is as well as before */
    rig_stop(&rig);
    rig_start(&second);
    rig_all_ready(&second);
    rig_clear(&second);
    rig_clear(&rig);
}
END_TEST

/* A daemon in a process of its own. It writes its server's process id when all links are ready, or
 * 0 when it cannot start. */
static pid_t fork_daemon(struct rig *rig, int report[2])
{
    ck_assert_int_eq(pipe(report), 0);
    pid_t pid = fork();
    if (pid != 0) {
        close(report[1]);
        return pid;
    }
    struct err err;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    event_reinit(rig->base);
    rig_make(rig);
    int server = 0;
    if (upstream_start(rig->upstream, &err)) {
        rig_all_ready(rig);
        server = rig_stats(rig).embedded_pid;
    }
    if (write(report[1], &server, sizeof(server)) != sizeof(server) || server == 0)
        _exit(1);
    for (;;)
        rig_turn(rig);
}

static int read_report(int report[2])
{
    int server = -1;
    ck_assert_int_eq(read(report[0], &server, sizeof(server)), sizeof(server));
    close(report[0]);
    return server;
}

static void end_daemon(pid_t pid, int signal_number)
{
    kill(pid, signal_number);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_server_whose_daemon_was_killed_is_adopted_by_the_next_and_stopped_by_it)
{
    struct rig rig;
    struct seen seen = {0};
    char done[200];
    int report[2];
    use_embedded(&rig);
    pid_t daemon = fork_daemon(&rig, report);
    int server = read_report(report);
    ck_assert_int_gt(server, 0);
    rig_do(&rig, done, "SET key value");
    end_daemon(daemon, SIGKILL);
    ck_assert(is_alive(server));
    rig_start(&rig);
    ck_assert_int_eq(rig_stats(&rig).embedded_pid, server);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "GET", "key");
    ck_assert_str_eq(seen.text, "value");
    ck_assert(rig_log_has(&rig, "redis-adopted"));
    rig_stop(&rig);
    rig_until(&rig, !rig_answers(&rig));
    rig_clear(&rig);
}
END_TEST

START_TEST(an_adopted_server_that_dies_is_replaced)
{
    struct rig rig;
    struct seen seen = {0};
    int report[2];
    use_embedded(&rig);
    pid_t daemon = fork_daemon(&rig, report);
    int server = read_report(report);
    end_daemon(daemon, SIGKILL);
    rig_start(&rig);
    rig_all_ready(&rig);
    kill(server, SIGKILL);
    rig_until(&rig, rig_stats(&rig).embedded_restarts == 1);
    rig_all_ready(&rig);
    ck_assert_int_ne(rig_stats(&rig).embedded_pid, server);
    rig_ask(&rig, &seen, "PING");
    rig_clear(&rig);
}
END_TEST

START_TEST(a_hung_server_of_a_killed_daemon_is_adopted_and_killed_at_the_stop)
{
    struct rig rig;
    int report[2];
    use_embedded(&rig);
    pid_t daemon = fork_daemon(&rig, report);
    int server = read_report(report);
    kill(server, SIGSTOP);
    end_daemon(daemon, SIGKILL);
    rig_start(&rig);
    ck_assert_int_eq(rig_stats(&rig).embedded_pid, server);
    rig.has_stopped = false;
    upstream_stop(rig.upstream, 100, rig_stopped, &rig);
    rig_until(&rig, rig.has_stopped);
    upstream_forget(rig.upstream, &rig.listener);
    upstream_free(rig.upstream);
    rig.upstream = NULL;
    rig_start(&rig); /* the lock is free again */
    rig_all_ready(&rig);
    ck_assert_int_ne(rig_stats(&rig).embedded_pid, server);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_held_lock_without_a_server_is_waited_for)
{
    struct rig rig;
    char path[200];
    use_embedded(&rig);
    ck_assert_int_eq(mkdir(rig.config.state_dir, 0700), 0);
    path_in(&rig, "redis.lock", path);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    rig_start(&rig);
    int64_t start_ms = clock_ms(&rig.clock);
    rig_until(&rig, clock_ms(&rig.clock) - start_ms > 200);
    ck_assert_int_eq(rig_stats(&rig).embedded_pid, 0);
    close(fd);
    rig_all_ready(&rig);
    ck_assert_int_gt(rig_stats(&rig).embedded_pid, 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(of_daemons_that_race_for_a_folder_one_gets_it)
{
    struct rig rig;
    enum { RACERS = 5 };
    pid_t daemons[RACERS];
    int reports[RACERS][2], winners = 0, server = 0;
    use_embedded(&rig);
    for (int i = 0; i < RACERS; i++)
        daemons[i] = fork_daemon(&rig, reports[i]);
    for (int i = 0; i < RACERS; i++) {
        int pid = read_report(reports[i]);
        winners += pid != 0;
        server = pid != 0 ? pid : server;
    }
    ck_assert_int_eq(winners, 1);
    char wanted[60];
    snprintf(wanted, sizeof(wanted), "process_id:%d\r", server);
    ck_assert(rig_info_has(&rig, "server", wanted));
    for (int i = 0; i < RACERS; i++)
        end_daemon(daemons[i], SIGKILL);
    rig_start(&rig);
    ck_assert_int_eq(rig_stats(&rig).embedded_pid, server);
    rig_clear(&rig);
}
END_TEST

START_TEST(daemons_that_are_killed_one_after_another_share_one_server)
{
    struct rig rig;
    int report[2], server = 0;
    use_embedded(&rig);
    for (int i = 0; i < 5; i++) {
        pid_t daemon = fork_daemon(&rig, report);
        int pid = read_report(report);
        ck_assert_int_gt(pid, 0);
        ck_assert(server == 0 || pid == server);
        server = pid;
        end_daemon(daemon, SIGKILL);
    }
    rig_start(&rig);
    rig_clear(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("embedded");
    TCase *tests = tcase_create("embedded");
    char root[] = "/tmp/embedded-XXXXXX";
    if (mkdtemp(root) == NULL || setenv("TMPDIR", root, 1) != 0)
        return 1;
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_server_is_started_in_a_folder_of_its_own_and_stopped_last);
    tcase_add_test(tests, what_was_written_is_there_after_the_next_start);
    tcase_add_test(tests, a_folder_with_blanks_quotes_and_missing_parents_works);
    tcase_add_test(tests, settings_reach_the_server);
    tcase_add_test(tests, a_large_log_is_put_aside_at_start);
    tcase_add_test(tests, a_server_that_hangs_at_the_end_is_killed_after_the_timeout);
    tcase_add_test(tests, stopping_at_once_leaves_no_server);
    tcase_add_test(tests, stopping_what_never_started_ends_at_once);
    tcase_add_test(tests, a_folder_open_to_others_is_refused);
    tcase_add_test(tests, a_folder_of_another_user_is_refused);
    tcase_add_test(tests, a_path_that_is_no_folder_is_told);
    tcase_add_test(tests, a_path_too_long_for_a_socket_is_told);
    tcase_add_test(tests, a_missing_redis_server_is_told_with_its_package);
    tcase_add_test(tests, a_server_that_ends_at_once_is_tried_again_and_told);
    tcase_add_test(tests, the_last_words_of_a_server_that_cannot_start_are_told);
    tcase_add_test(tests, a_server_that_is_killed_is_started_again_with_its_data);
    tcase_add_test(tests,
                   a_second_daemon_on_the_folder_is_refused_with_the_process_id_of_the_first);
    tcase_add_test(tests,
                   a_server_whose_daemon_was_killed_is_adopted_by_the_next_and_stopped_by_it);
    tcase_add_test(tests, an_adopted_server_that_dies_is_replaced);
    tcase_add_test(tests, a_hung_server_of_a_killed_daemon_is_adopted_and_killed_at_the_stop);
    tcase_add_test(tests, a_held_lock_without_a_server_is_waited_for);
    tcase_add_test(tests, of_daemons_that_race_for_a_folder_one_gets_it);
    tcase_add_test(tests, daemons_that_are_killed_one_after_another_share_one_server);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(root, stop_server, 16, FTW_PHYS);
    if (failed == 0)
        nftw(root, rig_remove, 16, FTW_DEPTH | FTW_PHYS);
    return failed == 0 ? 0 : 1;
}
