/* name: which names may be used. See name.h. */
#include "base/name.h"

/* Words of our own key names, then the option words of all commands: a pool called TIMEOUT could
 * not be told from the option. */
static const char *const reserved[] = {
    "lock",    "task-queue", "thread-health-check-pool",
    "timeout", "name",       "bindtimeout",
    "count",   "all",        "wait",
    "session", "owner",      "reqid",
    "token",   "withtoken",  "keys",
    "in",      "priority",   "policy",
    "once",    "nowait",     "delay",
    "retry",   "retries",    "shared",
    "permits",
};

static bool is_name_byte(char c, enum name_kind kind)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    if (c == '.' || c == '_' || c == '-')
        return true;
    return kind == NAME_NAMESPACE && (c == ':' || c == '/');
}

static bool has_only_name_bytes(struct str name, enum name_kind kind)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.ptr[i], kind))
            return false;
    }
    return true;
}

static bool is_reserved(struct str name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (str_eq_nocase(name, str_of(reserved[i])))
            return true;
    }
    /* `<base>-cache` begins the keys of the bindings of <base> */
    struct str cache = STR("-cache");
    return name.len >= cache.len &&
           str_eq_nocase(str_make(name.ptr + (name.len - cache.len), cache.len), cache);
}

bool name_check(struct str name, enum name_kind kind, struct err *err)
{
    size_t most = kind == NAME_USER ? NAME_MAX_USER_LEN : NAME_MAX_LEN;
    char shown[100];

    str_printable(name, shown, sizeof(shown));
    if (name.len == 0 || name.len > most || !has_only_name_bytes(name, kind))
        return err_set(err, ERR_GENERAL,
                       "invalid name '%s': 1 to %zu of A-Z a-z 0-9 . _ -%s are allowed", shown,
                       most, kind == NAME_NAMESPACE ? " : /" : "");
    if (kind == NAME_POOL && is_reserved(name))
        return err_set(err, ERR_GENERAL,
                       "invalid name '%s': it is reserved, as option words and names that end in "
                       "-cache are",
                       shown);
    return true;
}

bool name_check_bytes(struct str s, const char *what, struct err *err)
{
    char shown[100];

    if (s.len >= 1 && s.len <= NAME_MAX_BYTES_LEN && memchr(s.ptr, '\0', s.len) == NULL)
        return true;
    str_printable(s, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "invalid %s '%s': 1 to %d bytes without NUL are allowed", what,
                   shown, NAME_MAX_BYTES_LEN);
}

static bool is_label_part(struct str part, size_t least)
{
    if (part.len < least || part.len > NAME_MAX_LABEL_PART_LEN)
        return false;
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];
        if (c < ' ' || c == 0x7f)
            return false;
    }
    return true;
}

bool name_check_label(struct str label, bool may_lack_value, struct err *err)
{
    struct str value = label, key;
    char shown[100];

    str_split(&value, '=', &key);
    if (value.ptr != NULL && is_label_part(key, 1) && is_label_part(value, may_lack_value ? 0 : 1))
        return true;
    str_printable(label, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL,
                   "invalid label '%s': key=value is wanted, each 1 to %d bytes without control "
                   "characters, the key without '='",
                   shown, NAME_MAX_LABEL_PART_LEN);
}
