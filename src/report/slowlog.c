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

static size_t shown_len(struct str s, char *note, size_t size)
{
    note[0] = '\0';
    if (s.len <= SLOWLOG_MAX_TEXT)
        return s.len;
    snprintf(note, size, "... (%zu more bytes)", s.len - SLOWLOG_MAX_TEXT);
    return SLOWLOG_MAX_TEXT;
}

static char *append(char *at, const char *bytes, size_t len)
{
    if (len > 0)
        memcpy(at, bytes, len);
    return at + len;
}

struct slowlog_args *slowlog_args_new(const struct str *argv, int argc)
{
    char note[64], last[64] = "";
    int shown = argc;
    size_t bytes = 0;

    if (argc > SLOWLOG_MAX_ARGS) { /* the last place tells of the others */
        shown = SLOWLOG_MAX_ARGS - 1;
        snprintf(last, sizeof(last), "... (%d more arguments)", argc - shown);
    }
    for (int i = 0; i < shown; i++)
        bytes += shown_len(argv[i], note, sizeof(note)) + strlen(note);
    int places = shown + (argc > shown);
    struct slowlog_args *args =
        mem_alloc(sizeof(*args) + (size_t)places * sizeof(struct str) + bytes + strlen(last));
    args->argc = places;
    char *at = (char *)&args->argv[places];
    for (int i = 0; i < places; i++) {
        struct str text = i < shown ? argv[i] : str_of(last);
        char *begin = at;
        at = append(at, text.ptr, shown_len(text, note, sizeof(note)));
        at = append(at, note, strlen(note));
        args->argv[i] = str_make(begin, (size_t)(at - begin));
    }
    return args;
}

void slowlog_args_free(struct slowlog_args *args)
{
    mem_free(args);
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
    slowlog_args_free(entry->args);
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

void slowlog_add_take(struct slowlog *slowlog, int64_t max_len, int64_t wall_s, int64_t usec,
                      struct slowlog_args *args, const char *address, const char *name)
{
    if (max_len <= 0) {
        slowlog_reset(slowlog);
        slowlog_args_free(args);
        return;
    }
    make_room(slowlog, (size_t)max_len);
    slowlog->newest = slowlog->newest + 1 < slowlog->room ? slowlog->newest + 1 : 0;
    slowlog->count++;
    *entry_at(slowlog, 0) = (struct slowlog_entry){.id = slowlog->next_id++,
                                                   .wall_s = wall_s,
                                                   .usec = usec,
                                                   .args = args,
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
