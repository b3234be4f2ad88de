/* acl: ACL, as far as clients look who they are and who there is. Users are made in the settings.
 * Knows: config/, peer.h. */
#include "base/mem.h"
#include "commands/handlers.h"
#include "daemon.h"
#include <stdlib.h>

#define ANYTHING "~* &* +@all" /* the rights of all */

void cmd_acl_whoami(struct ask *ask)
{
    reply_text(ask->reply, peer_user(peer_state(ask->peer)));
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Their names, sorted, default among them; the caller's to free. */
static struct str *sorted_users(const struct config *config, size_t *count)
{
    struct str *names = mem_array(config->users.count + 1, sizeof(*names));
    size_t at = 0;
    void *user;

    names[0] = STR("default");
    for (*count = 1; map_next(&config->users, &at, &names[*count], &user); (*count)++)
        ;
    qsort(names, *count, sizeof(*names), compare_names);
    return names;
}

void cmd_acl_users(struct ask *ask)
{
    size_t count;
    struct str *names = sorted_users(&ask->daemon->config, &count);

    reply_array(ask->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk(ask->reply, names[i]);
    mem_free(names);
}

void cmd_acl_list(struct ask *ask)
{
    const struct config *config = &ask->daemon->config;
    size_t count;
    struct str *names = sorted_users(config, &count);

    reply_array(ask->reply, count);
    for (size_t i = 0; i < count; i++) {
        bool is_open = config->server.requirepass[0] == '\0' && str_eq(names[i], STR("default"));
        reply_printf(ask->reply, "user %.*s on %s" ANYTHING, PRSTR(names[i]),
                     is_open ? "nopass " : "");
    }
    mem_free(names);
}
