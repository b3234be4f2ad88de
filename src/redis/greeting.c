#include "redis/greeting.h"
#include "config/config.h"
#include "redis/fate.h"
#include <stdio.h>

void greeting_init(struct greeting *greeting)
{
    *greeting = (struct greeting){.outcome = GREETING_WELL};
}

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* AUTH password, or AUTH user password; what stands in the url comes before the other settings. */
static int auth_words(const struct redis_config *config, struct str *words)
{
    const char *user = config->where.user;
    const char *password = config->where.password;
    if (config->where.scheme == URL_EMBEDDED)
        return 0;
    if (!is_set(user))
        user = config->username;
    if (!is_set(password))
        password = config->password;
    if (!is_set(user) && !is_set(password))
        return 0;
    words[0] = STR("AUTH");
    words[1] = str_of(is_set(password) ? password : "");
    if (!is_set(user))
        return 2;
    words[2] = words[1];
    words[1] = str_of(user);
    return 3;
}

int greeting_words(enum pending_kind kind, const struct redis_config *config, const char *name,
                   char number[NUM_INT_MAX], struct str words[GREETING_WORDS])
{
    switch (kind) {
    case PENDING_AUTH:
        return auth_words(config, words);
    case PENDING_SELECT:
        words[0] = STR("SELECT");
        words[1] = str_make(number, num_format_int(number, config->where.db));
        return config->where.db == 0 ? 0 : 2;
    case PENDING_NAME:
        words[0] = STR("CLIENT");
        words[1] = STR("SETNAME");
        words[2] = str_of(is_set(name) ? name : "");
        return is_set(name) ? 3 : 0;
    case PENDING_INFO:
        words[0] = STR("INFO");
        words[1] = STR("server");
        return 2;
    case PENDING_GREETED:
        words[0] = STR("PING");
        return 1;
    default:
        return 0;
    }
}

static void take_field(struct str info, const char *field, char *out, size_t size)
{
    struct str line;
    while (str_split(&info, '\n', &line)) {
        line = str_trim(line);
        if (!str_starts(line, str_of(field)))
            continue;
        size_t skip = strlen(field);
        str_printable(str_make(line.ptr + skip, line.len - skip), out, size);
        return;
    }
}

/* INFO, the name and PING may be forbidden to us by an ACL: calls may be allowed all the same. */
static bool is_optional(enum pending_kind kind, struct str error)
{
    if (kind == PENDING_NAME || kind == PENDING_INFO)
        return true;
    return kind == PENDING_GREETED && str_starts(error, STR("NOPERM"));
}

void greeting_take(struct greeting *greeting, enum pending_kind kind, const struct answer *answer)
{
    struct str text = answer_str(answer);
    if (!answer_is_error(answer)) {
        if (kind == PENDING_INFO) {
            take_field(text, "redis_version:", greeting->version, sizeof(greeting->version));
            take_field(text, "run_id:", greeting->run_id, sizeof(greeting->run_id));
        }
        return;
    }
    if (is_optional(kind, text) || greeting->outcome == GREETING_FAILED)
        return;
    /* What passes by itself hides nothing that is worse: the first trouble of its kind is told. */
    enum greeting_outcome outcome = fate_is_passing(answer) ? GREETING_LATER : GREETING_FAILED;
    if (outcome == greeting->outcome)
        return;
    greeting->outcome = outcome;
    str_printable(text, greeting->trouble, sizeof(greeting->trouble));
}
