/* args: the command line. See args.h. */
#include "config/args.h"
#include "base/mem.h"
#include <stdio.h>

static bool is_one_of(const char *argument, const char *a, const char *b)
{
    return strcmp(argument, a) == 0 || strcmp(argument, b) == 0;
}

/* Does somebody ask for help or the version? The file's name after -c does not count. */
static bool find_question(struct args *args, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (is_one_of(argv[i], "-c", "--config"))
            i++;
        else if (is_one_of(argv[i], "-h", "--help"))
            args->action = CONFIG_HELP;
        else if (strcmp(argv[i], "--version") == 0)
            args->action = CONFIG_VERSION;
        if (args->action != CONFIG_RUN)
            return true;
    }
    return false;
}

static bool set_path(struct args *args, const char *path, struct err *err)
{
    if (path == NULL || *path == '\0')
        return err_set(err, ERR_GENERAL, "--config: the name of a file is missing");
    if (*args->path != '\0')
        return err_set(err, ERR_GENERAL, "--config is given twice");
    args->path = path;
    return true;
}

/* "--section.key" or "--section.key=value" */
static bool is_setting(const char *argument)
{
    struct str rest = str_of(argument), option;

    str_split(&rest, '=', &option);
    return str_starts(option, STR("--")) && str_find(option, STR(".")) > 2;
}

bool args_parse(struct args *args, int argc, char **argv, struct err *err)
{
    char shown[100];
    size_t count = 0;

    *args = (struct args){.action = CONFIG_RUN, .path = ""};
    args->settings = mem_array((size_t)argc + 1, sizeof(*args->settings));
    if (find_question(args, argc, argv))
        return true;
    for (int i = 1; i < argc; i++) {
        bool is_good = true;
        if (is_one_of(argv[i], "-c", "--config")) {
            i++;
            is_good = set_path(args, i < argc ? argv[i] : NULL, err);
        } else if (str_starts(str_of(argv[i]), STR("--config="))) {
            is_good = set_path(args, argv[i] + strlen("--config="), err);
        } else if (strcmp(argv[i], "--check") == 0) {
            args->action = CONFIG_CHECK;
        } else if (is_setting(argv[i])) {
            args->settings[count++] = argv[i];
        } else {
            str_printable(str_of(argv[i]), shown, sizeof(shown));
            is_good = err_set(err, ERR_GENERAL, "unknown option '%s'; see rallocd --help", shown);
        }
        if (!is_good)
            return false;
    }
    return true;
}

void args_clear(struct args *args)
{
    mem_free(args->settings);
    args->settings = NULL;
}

void config_print_help(void)
{
    fputs(
        "rallocd hands out resources, each to one holder at a time, over the Redis protocol.\n"
        "\n"
        "usage: rallocd [-c FILE] [--SECTION.KEY=VALUE ...]\n"
        "       rallocd run [options] -- program [arguments]   (see rallocd run --help)\n"
        "\n"
        "  -c, --config FILE      read settings from FILE (see conf/rallocd.conf)\n"
        "  --SECTION.KEY=VALUE    set one: --server.listen=0.0.0.0:7411\n"
        "                         --redis.url=redis://db:6379 --pool:gpu.mode=shared\n"
        "  --check                check all settings, then exit\n"
        "  --version              print the version, then exit\n"
        "  -h, --help             print this, then exit\n"
        "\n"
        "The environment sets RALLOCD_SECTION_KEY; it wins over the file, the command line over\n"
        "both. Without a [redis] url the daemon runs a redis-server of its own.\n"
        "\n"
        "signals: SIGTERM and SIGINT end it after the requests in flight; SIGHUP reads FILE again\n"
        "exit codes: 0 ended as asked, or --check found nothing wrong; 1 could not start or go "
        "on;\n"
        "            2 an option or a setting is wrong\n",
        stdout);
}
