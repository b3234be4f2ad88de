/* source: where the settings of this process come from. See source.h. */
#include "config/source.h"
#include "base/mem.h"
#include <unistd.h>

#define ROOT_STATE_DIR "/var/lib/rallocd"

static void free_texts(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

/* The texts that begin with `head`; `texts` ends with NULL. */
static char **copy_texts(char *const *texts, struct str head)
{
    size_t count = 0;

    while (texts[count] != NULL)
        count++;
    char **copy = mem_array(count + 1, sizeof(*copy));
    for (size_t from = 0, to = 0; from < count; from++) {
        if (str_starts(str_of(texts[from]), head))
            copy[to++] = mem_dup(str_of(texts[from]));
    }
    return copy;
}

/* The folder of the embedded Redis when the settings name none: /var/lib/rallocd for root where it
 * can be made, else $XDG_STATE_HOME/rallocd (the XDG base directory specification wants an absolute
 * path), else $HOME/.local/state/rallocd, else none. Nothing is made yet. */
static char *default_state_dir(char *const *environment)
{
    const char *xdg = "", *home = "";

    bool is_there = access(ROOT_STATE_DIR, F_OK) == 0;
    if (geteuid() == 0 && access(is_there ? ROOT_STATE_DIR : "/var/lib", W_OK) == 0)
        return mem_dup(STR(ROOT_STATE_DIR));
    for (; *environment != NULL; environment++) {
        if (str_starts(str_of(*environment), STR("XDG_STATE_HOME=/")))
            xdg = *environment + strlen("XDG_STATE_HOME=");
        if (str_starts(str_of(*environment), STR("HOME=/")))
            home = *environment + strlen("HOME=");
    }
    if (*xdg != '\0')
        return mem_printf("%s/rallocd", xdg);
    return *home == '\0' ? mem_dup(STR("")) : mem_printf("%s/.local/state/rallocd", home);
}

struct config_source *source_new(const struct args *args, char *const *environment)
{
    static char *const nothing[] = {NULL};
    struct config_source *source = mem_zalloc(sizeof(*source));

    source->path = mem_dup(str_of(args == NULL ? "" : args->path));
    source->arguments = copy_texts(args == NULL ? nothing : args->settings, STR(""));
    source->environment = copy_texts(args == NULL ? nothing : environment, STR("RALLOCD_"));
    source->state_dir = default_state_dir(environment);
    return source;
}

void source_free(struct config_source *source)
{
    if (source == NULL)
        return;
    mem_free(source->path);
    free_texts(source->arguments);
    free_texts(source->environment);
    mem_free(source->state_dir);
    mem_free(source);
}
