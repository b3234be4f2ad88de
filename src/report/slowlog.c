/* slowlog: a ring of entries. See slowlog.h. */
#include "report/slowlog.h"
#include "base/mem.h"
#include <stdio.h>

#define FIRST_ROOM 16 /* entries; it doubles as needed */

struct slowlog {
    struct slowlog_entry *ring;
    size_t room, count, newest; /* newest: its place in the ring, while count > 0 */
    int64_t next_id;
};

/* --- arguments
 * ------------------------------------------------------------------------------------ */

/* What stands for the end of a long text; "" behind a short one. Returns how much is shown of it.
 */
static size_t shorten(struct str s, char *note, size_t size)
{
    note[0] = '\0';
    if (s.len <= SLOWLOG_MAX_TEXT)
        return s.len;
    snprintf(note, size, "... (%zu more bytes)", s.len - SLOWLOG_MAX_TEXT);
    return SLOWLOG_MAX_TEXT;
}

static size_t shown_size(struct str s)
{
    char note[64];
    return s.len <= SLOWLOG_MAX_TEXT ? s.len : shorten(s, note, sizeof(note)) + strlen(note);
}

/* How many are shown themselves; `last` is the text that tells of the others, "" when there are
 * none. */
static int count_shown(int argc, char *last, size_t size)
{
    int shown = argc > SLOWLOG_MAX_ARGS ? SLOWLOG_MAX_ARGS - 1 : argc;
    last[0] = '\0';
    if (shown < argc)
        snprintf(last, size, "... (%d more arguments)", argc - shown);
    return shown;
}

size_t slowlog_args_size(const struct str *argv, int argc)
{
    char last[64];
    int shown = count_shown(argc, last, sizeof(last));
    size_t bytes = sizeof(struct slowlog_args) + strlen(last);
    for (int i = 0; i < shown; i++)
        bytes += sizeof(struct str) + shown_size(argv[i]);
    return bytes + (shown < argc ? sizeof(struct str) : 0);
}

/* Appends a text as it is shown. */
static char *append(char *at, struct str text, struct str *place)
{
    char note[64];
    char *begin = at;
    size_t len = shorten(text, note, sizeof(note));
    if (len > 0)
        memcpy(at, text.ptr, len);
    at += len;
    for (const char *c = note; *c != '\0'; c++)
        *at++ = *c;
    *place = str_make(begin, (size_t)(at - begin));
    return at;
}

void slowlog_args_write(struct slowlog_args *place, const struct str *argv, int argc)
{
    char last[64];
    int shown = count_shown(argc, last, sizeof(last));
    place->argc = shown + (shown < argc);
    char *at = (char *)&place->argv[place->argc];
    for (int i = 0; i < shown; i++)
        at = append(at, argv[i], &place->argv[i]);
    if (shown < argc)
        at = append(at, str_of(last), &place->argv[shown]);
    place->size = (size_t)(at - (char *)place);
}

static struct slowlog_args *copy_args(const struct slowlog_args *args)
{
    struct slowlog_args *copy = mem_alloc(args->size);
    memcpy(copy, args, args->size);
    for (int i = 0; i < copy->argc; i++)
        copy->argv[i].ptr = (const char *)copy + (args->argv[i].ptr - (const char *)args);
    return copy;
}

/* --- the ring -------------------------------------------------------------------------------- */

struct slowlog *slowlog_new(void)
{
    struct slowlog *slowlog = mem_zalloc(sizeof(*slowlog));
    slowlog->room = FIRST_ROOM;
    slowlog->ring = mem_array(FIRST_ROOM, sizeof(*slowlog->ring));
    return slowlog;
}

static void clear_entry(struct slowlog_entry *entry)
{
    mem_free(entry->args);
    mem_free(entry->address);
    mem_free(entry->name);
    *entry = (struct slowlog_entry){0};
}

static struct slowlog_entry *entry_at(const struct slowlog *slowlog, size_t i)
{
    size_t newest = slowlog->newest;
    return &slowlog->ring[i <= newest ? newest - i : newest + slowlog->room - i];
}

static void drop_oldest(struct slowlog *slowlog)
{
    clear_entry(entry_at(slowlog, slowlog->count - 1));
    slowlog->count--;
}

/* Makes the ring hold one more than it does, at most max_len. */
static void make_room(struct slowlog *slowlog, size_t max_len)
{
    while (slowlog->count >= max_len)
        drop_oldest(slowlog);
    if (slowlog->count < slowlog->room)
        return;
    size_t room = slowlog->room * 2;
    struct slowlog_entry *ring = mem_array(room, sizeof(*ring));
    for (size_t i = 0; i < slowlog->count; i++) /* oldest first, at the beginning */
        ring[i] = *entry_at(slowlog, slowlog->count - 1 - i);
    mem_free(slowlog->ring);
    slowlog->ring = ring;
    slowlog->room = room;
    slowlog->newest = slowlog->count - 1;
}

void slowlog_reset(struct slowlog *slowlog)
{
    while (slowlog->count > 0)
        drop_oldest(slowlog);
}

void slowlog_free(struct slowlog *slowlog)
{
    if (slowlog == NULL)
        return;
    slowlog_reset(slowlog);
    mem_free(slowlog->ring);
    mem_free(slowlog);
}

void slowlog_add(struct slowlog *slowlog, int64_t max_len, int64_t wall_s, int64_t usec,
                 const struct slowlog_args *args, const char *address, const char *name)
{
    if (max_len <= 0) {
        slowlog_reset(slowlog);
        return;
    }
    make_room(slowlog, (size_t)max_len);
    slowlog->newest = slowlog->newest + 1 < slowlog->room ? slowlog->newest + 1 : 0;
    slowlog->count++;
    *entry_at(slowlog, 0) = (struct slowlog_entry){.id = slowlog->next_id++,
                                                   .wall_s = wall_s,
                                                   .usec = usec,
                                                   .args = copy_args(args),
                                                   .address = mem_dup(str_of(address)),
                                                   .name = mem_dup(str_of(name))};
}

int64_t slowlog_len(const struct slowlog *slowlog)
{
    return (int64_t)slowlog->count;
}

const struct slowlog_entry *slowlog_at(const struct slowlog *slowlog, int64_t i)
{
    return i < 0 || i >= slowlog_len(slowlog) ? NULL : entry_at(slowlog, (size_t)i);
}
