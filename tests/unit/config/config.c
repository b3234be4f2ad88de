/* config: layers, command line, reload, CONFIG GET and SET. */
#include "config/config.h"
#include "base/mem.h"
#include "config/keys.h"
#include "config/value.h"
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_ARGS 16

static char folder[64], path[128];
static struct config config;
static struct err err;
static enum config_action action;
static struct clock clock_;
static struct log log_;
static int log_ends[2];

static void set_up(void)
{
    strcpy(folder, "/tmp/rallocd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/x.conf", folder);
    ck_assert_int_eq(pipe2(log_ends, O_CLOEXEC | O_NONBLOCK), 0);
    clock_init(&clock_);
    log_init(&log_, &clock_);
    log_.fd = log_ends[1];
    memset(&config, 0, sizeof(config));
}

static void tear_down(void)
{
    config_clear(&config);
    close(log_ends[0]);
    close(log_ends[1]);
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

/* What was logged since the last call. */
static const char *logged(void)
{
    static char text[20000];
    ssize_t len = read(log_ends[0], text, sizeof(text) - 1);
    text[len < 0 ? 0 : len] = '\0';
    return text;
}

/* Arguments and variables are separated by '|'. */
static bool load(const char *arguments, const char *environment)
{
    char *argv[MAX_ARGS] = {"rallocd"}, *variables[MAX_ARGS] = {NULL};
    char *texts[2] = {mem_dup(str_of(arguments)), mem_dup(str_of(environment))};
    int argc = 1, count = 0;
    char *saved;

    for (char *word = strtok_r(texts[0], "|", &saved); word; word = strtok_r(NULL, "|", &saved))
        argv[argc++] = word;
    for (char *word = strtok_r(texts[1], "|", &saved); word; word = strtok_r(NULL, "|", &saved))
        variables[count++] = word;
    config_clear(&config);
    err.text[0] = '\0';
    bool is_good = config_load(&config, argc, argv, variables, &log_, &action, &err);
    mem_free(texts[0]);
    mem_free(texts[1]);
    return is_good;
}

static void take(const char *arguments, const char *environment)
{
    char with_home[1000];
    snprintf(with_home, sizeof(with_home), "HOME=/home/x|%s", environment);
    ck_assert_msg(load(arguments, with_home), "%s", err.text);
}

static void refuse(const char *arguments, const char *environment, const char *text)
{
    ck_assert_msg(!load(arguments, environment), "%s", arguments);
    ck_assert_str_eq(err.text, text);
}

/* Loads the file, which must be good. */
static void take_file(const char *text)
{
    char arguments[200];
    write_file(text);
    snprintf(arguments, sizeof(arguments), "-c|%s", path);
    take(arguments, "");
}

static void note(void *arg, const char *name, const char *value)
{
    char *text = arg;
    ck_assert_uint_lt(strlen(text) + strlen(name) + strlen(value) + 3, 100000);
    sprintf(text + strlen(text), "%s=%s\n", name, value);
}

static const char *get(const char *pattern)
{
    static char text[100000];
    text[0] = '\0';
    config_get(&config, str_of(pattern), note, text);
    return text;
}

static void set(const char *name, const char *value)
{
    ck_assert_msg(config_set(&config, str_of(name), str_of(value), &err), "%s", err.text);
}

static void refuse_set(const char *name, const char *value, const char *text)
{
    ck_assert_msg(!config_set(&config, str_of(name), str_of(value), &err), "%s", name);
    ck_assert_str_eq(err.text, text);
}

/* --- layers ------------------------------------------------------------------------------------
 */

START_TEST(without_anything_the_defaults_stand)
{
    take("", "");
    ck_assert_int_eq(action, CONFIG_RUN);
    ck_assert_str_eq(config.server.listen.items[0], "127.0.0.1:7411");
    ck_assert_int_eq(config.server.unixsocketperm, 0700);
    ck_assert_str_eq(config.server.namespace, "rallocd");
    ck_assert_int_eq(config.server.maxclients, 10000);
    ck_assert_int_eq(config.server.max_request_bytes, 16 << 20);
    ck_assert_int_eq(config.server.max_args, 1048576);
    ck_assert_int_eq(config.server.max_inline_bytes, 65536);
    ck_assert_int_eq(config.server.max_output_bytes, 64 << 20);
    ck_assert_int_eq(config.server.max_resources, 100000);
    ck_assert_int_eq(config.server.shutdown_timeout_ms, 10000);
    ck_assert_int_eq(config.server.slowlog_slower_than_us, 10000);
    ck_assert_int_eq(config.redis.where.scheme, URL_EMBEDDED);
    ck_assert_int_eq(config.redis.backoff_min_ms, 50);
    ck_assert_int_eq(config.redis.reply_timeout_ms, 5000);
    ck_assert_int_eq(config.log.level, LOG_LEVEL_INFO);
    ck_assert_int_eq(config.pool_default.default_timeout_ms, 120000);
    ck_assert_int_eq(config.pool_default.binding_timeout_ms, 3600000);
    ck_assert(!config.pool_default.is_shared);
    ck_assert_ptr_eq(config_pool(&config, STR("x")), &config.pool_default);
    ck_assert_str_eq(config_path(&config), "");
}
END_TEST

START_TEST(later_layers_win)
{
    char arguments[300];
    write_file("[server]\nmaxclients=2\ntimeout=2\nmax_pools=2\n");
    snprintf(arguments, sizeof(arguments), "--config=%s|--server.maxclients=4", path);
    take(arguments, "RALLOCD_SERVER_MAXCLIENTS=3|RALLOCD_SERVER_TIMEOUT=3.5");
    ck_assert_int_eq(config.server.maxclients, 4);
    ck_assert_int_eq(config.server.timeout_ms, 3500);
    ck_assert_int_eq(config.server.max_pools, 2);
    ck_assert_str_eq(config_path(&config), path);
}
END_TEST

START_TEST(pools_have_what_their_section_does_not_set_from_all_pools)
{
    write_file("[pool:gpu]\ngc_count=7\n[pool:*]\ngc_interval=9\nmode=shared\n");
    char arguments[300];
    snprintf(arguments, sizeof(arguments), "-c|%s|--pool:a.b.mode=exclusive", path);
    take(arguments, "RALLOCD_POOL_GC_COUNT=5");
    const struct pool_config *gpu = config_pool(&config, STR("gpu"));
    ck_assert_int_eq(gpu->gc_count, 7);
    ck_assert_int_eq(gpu->gc_interval_ms, 9000);
    ck_assert(gpu->is_shared);
    ck_assert(!config_pool(&config, STR("a.b"))->is_shared);
    ck_assert_int_eq(config_pool(&config, STR("a.b"))->gc_count, 5);
    ck_assert_int_eq(config_pool(&config, STR("other"))->gc_count, 5);
}
END_TEST

START_TEST(unknown_variables_are_warned_about_and_ignored)
{
    take("", "RALLOCD_PORT=tcp://10.0.0.1:7411|RALLOCD_SERVICE_HOST=x|OTHER=1|RALLOCD_|"
             "RALLOCD_SERVER_maxclients=7|RALLOCD_PORT=again");
    const char *text = logged();
    ck_assert_ptr_nonnull(
        strstr(text, "level=warning event=setting-unknown variable=RALLOCD_PORT "));
    ck_assert_ptr_nonnull(strstr(text, "variable=RALLOCD_SERVICE_HOST"));
    ck_assert_ptr_nonnull(strstr(text, "variable=RALLOCD_SERVER_maxclients"));
    ck_assert_ptr_null(strstr(text, "OTHER"));
    ck_assert_int_eq(config.server.maxclients, 10000);
}
END_TEST

START_TEST(every_key_can_be_given_by_variable_and_argument)
{
    for (const struct key *key = key_next(NULL); key != NULL; key = key_next(key)) {
        const char *section = key_section_name(key->section);
        char variable[4000], argument[4000];
        int len = snprintf(variable, sizeof(variable), "RALLOCD_%s_%s", section, key->name);
        for (int i = 0; i < len; i++)
            variable[i] = (char)(variable[i] >= 'a' ? variable[i] - 32 : variable[i]);
        snprintf(variable + len, sizeof(variable) - (size_t)len, "=%s", key->initial);
        snprintf(argument, sizeof(argument), "--%s%s.%s=%s", section,
                 key_is_named(key->section) ? ":*" : "", key->name, key->initial);
        take("", variable);
        take(argument, "");
        ck_assert_msg(strstr(logged(), "setting-unknown") == NULL, "%s", variable);
    }
}
END_TEST

START_TEST(errors_name_the_variable_or_the_option)
{
    refuse("", "RALLOCD_SERVER_MAXCLIENTS=x",
           "RALLOCD_SERVER_MAXCLIENTS: [server] maxclients = 'x': not a whole number from 1 to "
           "1000000");
    refuse("--server.maxclients=x", "",
           "--server.maxclients: [server] maxclients = 'x': not a whole number from 1 to 1000000");
    refuse("--server.maxclients", "",
           "--server.maxclients: a value is missing: --server.maxclients=VALUE");
    refuse("--server.maxclients|5", "", "unknown option '5'; see rallocd --help");
    refuse("--servr.maxclients=1", "",
           "--servr.maxclients: no such section: 'servr'; there are "
           "server, redis, log, pool:NAME, pool:*, queue:NAME, "
           "queue:*, user:NAME and user:*");
    refuse("--server.maxclient=1", "",
           "--server.maxclient: [server] has no key 'maxclient'; is maxclients meant?");
    refuse("--pool:lock.mode=shared", "",
           "--pool:lock.mode: invalid name 'lock': it is reserved, as "
           "option words and names that end in -cache are");
    refuse("--server.timeout=1|--server.timeout=2", "",
           "--server.timeout: [server] timeout is given twice, first at --server.timeout");
    refuse("--a..=1", "",
           "--a..: no such section: 'a.'; there are server, redis, log, pool:NAME, "
           "pool:*, queue:NAME, queue:*, user:NAME and user:*");
}
END_TEST

START_TEST(options_that_do_not_exist_are_refused)
{
    refuse("--chek", "", "unknown option '--chek'; see rallocd --help");
    refuse("x.conf", "", "unknown option 'x.conf'; see rallocd --help");
    refuse("-x", "", "unknown option '-x'; see rallocd --help");
    refuse("--", "", "unknown option '--'; see rallocd --help");
    refuse("--.x=1", "", "unknown option '--.x=1'; see rallocd --help");
    refuse("a\nb", "", "unknown option 'a\\x0ab'; see rallocd --help");
    refuse("-c", "", "--config: the name of a file is missing");
    refuse("--config=", "", "--config: the name of a file is missing");
    refuse("-c|a|--config|b", "", "--config is given twice");
    refuse("-c|/nonexistent", "", "/nonexistent: No such file or directory");
}
END_TEST

START_TEST(actions_are_told_and_questions_win)
{
    take("--check|--server.maxclients=5", "");
    ck_assert_int_eq(action, CONFIG_CHECK);
    ck_assert_int_eq(config.server.maxclients, 5);
    take("--version", "RALLOCD_SERVER_MAXCLIENTS=x");
    ck_assert_int_eq(action, CONFIG_VERSION);
    take("--rubbish|--help", "");
    ck_assert_int_eq(action, CONFIG_HELP);
    take("-h|-c|/nonexistent", "");
    ck_assert_int_eq(action, CONFIG_HELP);
    ck_assert_int_eq(config.server.maxclients, 10000);
    refuse("-c|--help", "", "--help: No such file or directory");
}
END_TEST

START_TEST(help_goes_to_stdout)
{
    FILE *kept = stdout;
    char *text = NULL;
    size_t len;
    stdout = open_memstream(&text, &len);
    config_print_help();
    fclose(stdout);
    stdout = kept;
    ck_assert_ptr_nonnull(strstr(text, "usage: rallocd"));
    ck_assert_ptr_nonnull(strstr(text, "exit codes: 0"));
    free(text);
}
END_TEST

START_TEST(login_keys_win_over_the_url)
{
    take("--redis.url=redis://a:b@h:7/3", "");
    ck_assert_str_eq(config.redis.where.user, "a");
    ck_assert_str_eq(config.redis.where.password, "b");
    ck_assert_int_eq(config.redis.where.db, 3);
    take("--redis.url=redis://a:b@h:7|--redis.password=c", "RALLOCD_REDIS_USERNAME=u");
    ck_assert_str_eq(config.redis.where.user, "u");
    ck_assert_str_eq(config.redis.where.password, "c");
    ck_assert_int_eq(config.redis.where.port, 7);
}
END_TEST

START_TEST(settings_that_contradict_each_other_are_refused)
{
    refuse("--redis.backoff_min=6|--redis.url=redis://h", "",
           "--redis.backoff_min: [redis] backoff_min is longer than backoff_max");
    refuse("--redis.backoff_max=0.01|--redis.url=redis://h", "",
           "--redis.backoff_max: [redis] backoff_min is longer than backoff_max");
    refuse("--server.max_pools=1|--pool:a.mode=shared|--pool:b.mode=shared", "HOME=/x",
           "--server.max_pools: [server] max_pools = 1: 2 pools have sections");
    refuse("--pool:a.mode=shared|--pool:a.order=lifo|--redis.url=redis://h", "",
           "[pool:a] order = lifo: with mode = shared only fifo");
    refuse("--pool:*.order=priority|--pool:a.mode=shared|--redis.url=redis://h", "",
           "--pool:*.order: [pool:a] order = priority: with mode = shared only fifo");
}
END_TEST

static const char *password_of(const char *user)
{
    const struct user_config *found = config_user(&config, str_of(user));
    return found == NULL ? "(nobody)" : found->password;
}

START_TEST(each_user_has_a_password)
{
    take("--user:ann.password=x y", "");
    ck_assert_str_eq(password_of("ann"), "x y");
    ck_assert_str_eq(password_of("bob"), "(nobody)");
    ck_assert_str_eq(password_of("*"), "(nobody)");
    take("--user:ann.password=x", "RALLOCD_USER_PASSWORD=common");
    ck_assert_str_eq(password_of("ann"), "x");
    ck_assert_str_eq(password_of("bob"), "(nobody)");
    refuse("--user:ann.password=|--redis.url=redis://h", "",
           "[user:ann] password is missing or empty");
    refuse("--user:default.password=x", "",
           "--user:default.password: no section [user:default]: its password is [server] "
           "requirepass");
    refuse("--user:a/b.password=x", "",
           "--user:a/b.password: invalid name 'a/b': 1 to 64 of A-Z a-z 0-9 . _ - are allowed");
}
END_TEST

START_TEST(the_state_folder_has_a_default)
{
    take("--redis.state_dir=/given", "XDG_STATE_HOME=/xdg");
    ck_assert_str_eq(config.redis.state_dir, "/given");
    take("", "");
    if (geteuid() == 0 && access("/var/lib", W_OK) == 0) {
        ck_assert_str_eq(config.redis.state_dir, "/var/lib/rallocd");
        ck_assert_int_eq(seteuid(65534), 0);
    }
    take("", "XDG_STATE_HOME=/xdg");
    ck_assert_str_eq(config.redis.state_dir, "/xdg/rallocd");
    take("", "XDG_STATE_HOME=relative");
    ck_assert_str_eq(config.redis.state_dir, "/home/x/.local/state/rallocd");
    take("", "");
    ck_assert_str_eq(config.redis.state_dir, "/home/x/.local/state/rallocd");
    refuse("", "", "[redis] state_dir: no default, for neither XDG_STATE_HOME nor HOME is set");
    ck_assert_msg(load("--redis.url=redis://h", ""), "%s", err.text);
    ck_assert_msg(load("--help", ""), "%s", err.text);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(the_sample_file_is_good_and_changes_nothing)
{
    take("", "");
    char *defaults = mem_dup(str_of(get("*")));
    take("-c|conf/rallocd.conf", "");
    ck_assert_str_eq(get("*"), defaults);
    mem_free(defaults);
}
END_TEST

/* Takes the # off each key of the sample: a person who does so must get the defaults. */
START_TEST(the_sample_file_is_good_without_its_comments_too)
{
    FILE *sample = fopen("conf/rallocd.conf", "r"), *file = fopen(path, "w");
    char line[300], arguments[200];
    take("", "");
    char *defaults = mem_dup(str_of(get("*")));
    while (fgets(line, sizeof(line), sample) != NULL)
        fputs(line[0] == '#' && line[1] != ' ' && line[1] != '\n' ? line + 1 : line, file);
    fclose(sample);
    fclose(file);
    snprintf(arguments, sizeof(arguments), "-c|%s", path);
    take(arguments, "");
    ck_assert_str_eq(get("*"), defaults);
    mem_free(defaults);
}
END_TEST

/* --- reload ------------------------------------------------------------------------------------
 */

static void reload(const char *text)
{
    write_file(text);
    logged();
    ck_assert_msg(config_reload(&config, &log_, &err), "%s", err.text);
}

START_TEST(a_reload_changes_what_can_be_changed)
{
    take_file("[server]\nmaxclients=5\nrequirepass=old\n");
    reload("[server]\nmaxclients=6\nrequirepass=new\n[log]\nlevel=debug\n");
    ck_assert_int_eq(config.server.maxclients, 6);
    ck_assert_str_eq(config.server.requirepass, "new");
    ck_assert_int_eq(config.log.level, LOG_LEVEL_DEBUG);
    const char *text = logged();
    ck_assert_ptr_nonnull(strstr(text, "event=setting-changed key=server.maxclients from=5 to=6"));
    ck_assert_ptr_nonnull(strstr(text, "key=server.requirepass from=\"\" to=\"\""));
    reload("");
    ck_assert_int_eq(config.server.maxclients, 10000);
    ck_assert_str_eq(config.server.requirepass, "");
}
END_TEST

START_TEST(a_reload_tells_what_it_changes_for_pools)
{
    take_file("[pool:a]\ngc_count=1\n[pool:b]\nmode=shared\n");
    reload("[pool:*]\ngc_interval=2\n[pool:a]\ngc_count=2\n[pool:c]\nmode=shared\n");
    const char *text = logged();
    ck_assert_ptr_nonnull(strstr(text, "setting-changed key=pool:a.gc_count from=1 to=2\n"));
    ck_assert_ptr_nonnull(strstr(text, "key=pool:b.mode from=shared to=exclusive\n"));
    ck_assert_ptr_nonnull(strstr(text, "key=pool:c.mode from=exclusive to=shared\n"));
    ck_assert_ptr_nonnull(strstr(text, "key=pool:*.gc_interval from=5 to=2\n"));
}
END_TEST

START_TEST(a_reload_warns_of_what_needs_a_restart)
{
    take_file("[redis]\nurl=redis://a:p1@h\n");
    reload("[redis]\nurl=redis://a:p2@i\n[server]\nlisten=*:1\n");
    ck_assert_str_eq(config.redis.url, "redis://a:p1@h");
    ck_assert_str_eq(config.redis.where.host, "h");
    ck_assert_str_eq(config.server.listen.items[0], "127.0.0.1:7411");
    const char *text = logged();
    ck_assert_ptr_nonnull(strstr(text, "level=warning event=setting-needs-restart key=redis.url "
                                       "from=redis://a@h to=redis://a@i"));
    ck_assert_ptr_nonnull(strstr(text, "setting-needs-restart key=server.listen"));
    ck_assert_ptr_null(strstr(text, "p2"));
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
    take_file("[server]\nmaxclients=5\n[pool:a]\ngc_count=1\n");
    write_file("[server]\nmaxclients=6\ntimeout=x\n[pool:b]\n");
    ck_assert(!config_reload(&config, &log_, &err));
    ck_assert_ptr_nonnull(strstr(err.text, ":3: [server] timeout = 'x'"));
    ck_assert_int_eq(config.server.maxclients, 5);
    ck_assert_uint_eq(config.pools.count, 1);
    write_file("[redis]\nbackoff_min=10\n[server]\nmaxclients=7\n");
    ck_assert(!config_reload(&config, &log_, &err));
    ck_assert_int_eq(config.server.maxclients, 5);
    unlink(path);
    ck_assert(!config_reload(&config, &log_, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
    ck_assert_int_eq(config.server.maxclients, 5);
}
END_TEST

START_TEST(environment_and_arguments_still_win_after_a_reload)
{
    char arguments[300];
    write_file("");
    snprintf(arguments, sizeof(arguments), "-c|%s|--server.maxclients=4", path);
    take(arguments, "RALLOCD_SERVER_TIMEOUT=3|RALLOCD_UNKNOWN=1");
    reload("[server]\nmaxclients=9\ntimeout=9\nmax_pools=9\n");
    ck_assert_int_eq(config.server.maxclients, 4);
    ck_assert_int_eq(config.server.timeout_ms, 3000);
    ck_assert_int_eq(config.server.max_pools, 9);
    ck_assert_ptr_null(strstr(logged(), "RALLOCD_UNKNOWN"));
}
END_TEST

START_TEST(without_a_file_a_reload_changes_nothing)
{
    take("--server.maxclients=4", "");
    ck_assert(config_reload(&config, &log_, &err));
    ck_assert_int_eq(config.server.maxclients, 4);
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(pools_come_change_and_go_with_a_reload)
{
    take_file("[pool:a]\ngc_count=1\n[pool:b]\n");
    const struct pool_config *a = config_pool(&config, STR("a"));
    reload("[pool:a]\ngc_count=2\nmode=shared\n[pool:c]\ngc_count=3\n[pool:*]\ngc_interval=7\n");
    ck_assert_ptr_eq(config_pool(&config, STR("a")), a);
    ck_assert_int_eq(a->gc_count, 2);
    ck_assert(a->is_shared);
    ck_assert_int_eq(a->gc_interval_ms, 7000);
    ck_assert_ptr_eq(config_pool(&config, STR("b")), &config.pool_default);
    ck_assert_int_eq(config_pool(&config, STR("c"))->gc_count, 3);
    ck_assert_int_eq(config.pool_default.gc_interval_ms, 7000);
    ck_assert_uint_eq(config.pools.count, 2);
}
END_TEST

START_TEST(users_come_change_and_go_with_a_reload)
{
    take_file("[user:ann]\npassword=a1\n[user:bob]\npassword=b1\n");
    reload("[user:*]\npassword=all\n[user:ann]\npassword=a2\n[user:eve]\n");
    ck_assert_str_eq(password_of("ann"), "a2");
    ck_assert_str_eq(password_of("bob"), "(nobody)");
    ck_assert_str_eq(password_of("eve"), "all");
    const char *text = logged();
    ck_assert_ptr_nonnull(strstr(text, "setting-changed key=user:ann.password from=\"\" to=\"\""));
    ck_assert_ptr_null(strstr(text, "a2"));
    write_file("[user:ann]\n");
    ck_assert(!config_reload(&config, &log_, &err));
    ck_assert_str_eq(err.text, "[user:ann] password is missing or empty");
    ck_assert_str_eq(password_of("ann"), "a2");
}
END_TEST

START_TEST(prefixes_stay_whatever_a_reload_says)
{
    take_file("[pool:a]\nprefix=one\n[pool:gone]\nprefix=two\n[pool:*]\nprefix=all\n");
    reload("[pool:a]\nprefix=other\ngc_count=5\n[pool:*]\nprefix=none\ngc_count=6\n[pool:new]\n");
    ck_assert_str_eq(config_pool(&config, STR("a"))->prefix, "one");
    ck_assert_int_eq(config_pool(&config, STR("a"))->gc_count, 5);
    ck_assert_str_eq(config_pool(&config, STR("gone"))->prefix, "two");
    ck_assert_int_eq(config_pool(&config, STR("gone"))->gc_count, 6);
    ck_assert_str_eq(config.pool_default.prefix, "all");
    ck_assert_str_eq(config_pool(&config, STR("new"))->prefix, "all");
    const char *text = logged();
    ck_assert_ptr_nonnull(
        strstr(text, "event=setting-needs-restart pool=a key=prefix from=one to=other"));
    ck_assert_ptr_nonnull(
        strstr(text, "event=setting-needs-restart key=pool:*.prefix from=all to=none"));
    ck_assert_ptr_nonnull(strstr(text, "pool=gone key=prefix from=two to=none"));
}
END_TEST

START_TEST(a_hundred_reloads_leave_no_trace)
{
    take_file("[pool:a]\nmode=shared\n");
    for (int i = 0; i < 100; i++) {
        char text[200];
        snprintf(text, sizeof(text),
                 "[server]\nmaxclients=%d\nrequirepass=%d\n[pool:p%d]\n[pool:a]\n", i + 1, i,
                 i % 7);
        reload(text);
        set("maxclients", "77");
        ck_assert_uint_eq(config.pools.count, 2);
    }
}
END_TEST

/* --- CONFIG GET and SET ------------------------------------------------------------------------
 */

START_TEST(get_shows_all_that_match)
{
    take("--pool:gpu.mode=shared", "");
    ck_assert_str_eq(get("server.maxclients"), "server.maxclients=10000\n");
    ck_assert_str_eq(get("maxclients"), "maxclients=10000\n");
    ck_assert_str_eq(get("MAXCLIENTS"), "maxclients=10000\n");
    ck_assert_str_eq(get("log.*"), "log.level=info\nlog.format=logfmt\nlog.target=stderr\n");
    ck_assert_str_eq(get("pool:gpu.mode"), "pool:gpu.mode=shared\n");
    ck_assert_str_eq(get("pool:[*].mode"), "pool:*.mode=exclusive\n");
    ck_assert_str_eq(get("level"), "");
    ck_assert_str_eq(get(""), "");
    ck_assert_str_eq(get("slowlog*"), "slowlog_log_slower_than=10000\nslowlog_max_len=128\n");
}
END_TEST

START_TEST(get_shows_no_secrets)
{
    take("--server.requirepass=hunter2|--redis.password=hunter2|--redis.url=redis://u:hunter2@h",
         "");
    const char *all = get("*");
    ck_assert_ptr_null(strstr(all, "hunter2"));
    ck_assert_ptr_nonnull(strstr(all, "server.requirepass=\n"));
    ck_assert_ptr_nonnull(strstr(all, "redis.url=redis://u@h\n"));
}
END_TEST

START_TEST(set_changes_a_setting)
{
    take("", "");
    set("server.maxclients", "5");
    ck_assert_int_eq(config.server.maxclients, 5);
    set("maxclients", "6");
    set("LOG.LEVEL", "debug");
    set("requirepass", "");
    set("redis.reply_timeout", "0.25");
    ck_assert_int_eq(config.server.maxclients, 6);
    ck_assert_int_eq(config.log.level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(config.redis.reply_timeout_ms, 250);
}
END_TEST

START_TEST(set_refuses_in_the_words_of_redis)
{
    take("", "");
    refuse_set("nonsense", "1",
               "Unknown option or number of arguments for CONFIG SET - 'nonsense'");
    refuse_set("server.", "1", "Unknown option or number of arguments for CONFIG SET - 'server.'");
    refuse_set("", "1", "Unknown option or number of arguments for CONFIG SET - ''");
    refuse_set("pool:a|b.mode", "shared",
               "Unknown option or number of arguments for CONFIG SET - 'pool:a|b.mode'");
    refuse_set("level", "debug", "Unknown option or number of arguments for CONFIG SET - 'level'");
    refuse_set("maxclients", "x",
               "CONFIG SET failed (possibly related to argument 'maxclients') - "
               "not a whole number from 1 to 1000000");
    refuse_set("listen", "*:1",
               "CONFIG SET failed (possibly related to argument 'listen') - can't "
               "set immutable config");
    refuse_set("redis.backoff_min", "6",
               "CONFIG SET failed (possibly related to argument "
               "'redis.backoff_min') - [redis] backoff_min is longer than "
               "backoff_max");
    ck_assert_int_eq(config.server.maxclients, 10000);
    ck_assert_int_eq(config.redis.backoff_min_ms, 50);
    ck_assert(!config_set(&config, STR("maxclients"), STR("5\0"), NULL));
}
END_TEST

START_TEST(set_reaches_pools)
{
    take("--pool:own.gc_count=7|--pool:inherits.mode=shared", "");
    const struct pool_config *own = config_pool(&config, STR("own")),
                             *inherits = config_pool(&config, STR("inherits"));
    set("pool:*.gc_count", "5");
    ck_assert_int_eq(own->gc_count, 7);
    ck_assert_int_eq(inherits->gc_count, 5);
    ck_assert_int_eq(config.pool_default.gc_count, 5);
    set("pool:*.GC_COUNT", "5");
    set("pool:own.gc_count", "8");
    ck_assert_int_eq(own->gc_count, 8);
    set("pool:new.gc_interval", "1");
    ck_assert_int_eq(config_pool(&config, STR("new"))->gc_interval_ms, 1000);
    ck_assert_int_eq(config_pool(&config, STR("new"))->gc_count, 5);
    refuse_set("pool:own.prefix", "x",
               "CONFIG SET failed (possibly related to argument "
               "'pool:own.prefix') - can't set immutable config");
    set("max_pools", "3");
    refuse_set("pool:more.mode", "shared",
               "CONFIG SET failed (possibly related to argument "
               "'pool:more.mode') - [server] max_pools is reached");
    refuse_set("max_pools", "2",
               "CONFIG SET failed (possibly related to argument 'max_pools') - "
               "[server] max_pools = 2: 3 pools have sections");
    ck_assert_uint_eq(config.pools.count, 3);
}
END_TEST

START_TEST(set_reaches_users_and_leaves_none_without_a_password)
{
    take("--user:*.password=all|--user:own.password=o", "");
    set("user:new.password", "n");
    ck_assert_str_eq(password_of("new"), "n");
    refuse_set("user:new.password", "",
               "CONFIG SET failed (possibly related to argument 'user:new.password') - "
               "[user:new] password is missing or empty");
    ck_assert_str_eq(password_of("new"), "n");
    refuse_set("user:default.password", "x",
               "Unknown option or number of arguments for CONFIG SET - 'user:default.password'");
    set("user:*.password", ""); /* all have their own */
    ck_assert_ptr_nonnull(strstr(get("user:own.*"), "user:own.password"));
    ck_assert_ptr_null(strstr(get("user:own.*"), "password o"));
}
END_TEST

START_TEST(a_reload_takes_back_what_set_has_changed)
{
    take_file("[server]\nmaxclients=5\n");
    set("maxclients", "6");
    set("pool:x.gc_count", "6");
    reload("[server]\nmaxclients=5\n");
    ck_assert_int_eq(config.server.maxclients, 5);
    ck_assert_uint_eq(config.pools.count, 0);
}
END_TEST

/* What GET shows, SET takes, and GET shows again. */
START_TEST(every_row_goes_round_through_get_and_set)
{
    take("--pool:gpu.mode=shared|--queue:gpu.retries=1|--user:gpu.password=x", "");
    for (const struct key *key = key_next(NULL); key != NULL; key = key_next(key)) {
        char name[200];
        snprintf(name, sizeof(name), "%s%s.%s", key_section_name(key->section),
                 key_is_named(key->section) ? ":gpu" : "", key->name);
        if (key->section == KEY_USER) /* it is not shown, and nobody may be without one */
            continue;
        char *before = mem_dup(str_of(get(name)));
        char *value = mem_dup(str_of(before + strlen(name) + 1));
        value[strlen(value) - 1] = '\0';
        if (key->flags & KEY_SET)
            set(name, value);
        else
            ck_assert(!config_set(&config, str_of(name), str_of(value), &err));
        ck_assert_str_eq(get(name), before);
        mem_free(before);
        mem_free(value);
    }
}
END_TEST

START_TEST(a_config_can_be_cleared_at_any_time)
{
    config_clear(&config);
    config_clear(&config);
    ck_assert(!load("--nonsense", ""));
    config_clear(&config);
    ck_assert(!load("-c|/nonexistent", ""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, without_anything_the_defaults_stand);
    tcase_add_test(all, later_layers_win);
    tcase_add_test(all, pools_have_what_their_section_does_not_set_from_all_pools);
    tcase_add_test(all, unknown_variables_are_warned_about_and_ignored);
    tcase_add_test(all, every_key_can_be_given_by_variable_and_argument);
    tcase_add_test(all, errors_name_the_variable_or_the_option);
    tcase_add_test(all, options_that_do_not_exist_are_refused);
    tcase_add_test(all, actions_are_told_and_questions_win);
    tcase_add_test(all, help_goes_to_stdout);
    tcase_add_test(all, login_keys_win_over_the_url);
    tcase_add_test(all, settings_that_contradict_each_other_are_refused);
    tcase_add_test(all, each_user_has_a_password);
    tcase_add_test(all, the_state_folder_has_a_default);
    tcase_add_test(all, the_sample_file_is_good_and_changes_nothing);
    tcase_add_test(all, the_sample_file_is_good_without_its_comments_too);
    tcase_add_test(all, a_reload_changes_what_can_be_changed);
    tcase_add_test(all, a_reload_tells_what_it_changes_for_pools);
    tcase_add_test(all, a_reload_warns_of_what_needs_a_restart);
    tcase_add_test(all, a_bad_file_changes_nothing);
    tcase_add_test(all, environment_and_arguments_still_win_after_a_reload);
    tcase_add_test(all, without_a_file_a_reload_changes_nothing);
    tcase_add_test(all, pools_come_change_and_go_with_a_reload);
    tcase_add_test(all, users_come_change_and_go_with_a_reload);
    tcase_add_test(all, prefixes_stay_whatever_a_reload_says);
    tcase_add_test(all, a_hundred_reloads_leave_no_trace);
    tcase_add_test(all, get_shows_all_that_match);
    tcase_add_test(all, get_shows_no_secrets);
    tcase_add_test(all, set_changes_a_setting);
    tcase_add_test(all, set_refuses_in_the_words_of_redis);
    tcase_add_test(all, set_reaches_pools);
    tcase_add_test(all, set_reaches_users_and_leaves_none_without_a_password);
    tcase_add_test(all, a_reload_takes_back_what_set_has_changed);
    tcase_add_test(all, every_row_goes_round_through_get_and_set);
    tcase_add_test(all, a_config_can_be_cleared_at_any_time);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
