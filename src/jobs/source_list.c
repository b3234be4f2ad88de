/* source_list: see source_list.h. */
#include "jobs/source_list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

/* Printable text and tabs: what programs say by mistake, or compressed, is no list. */
static bool check_bytes(struct str line, struct err *err)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return err_set(err, ERR_GENERAL, "a control character (byte %u)", c);
    }
    return true;
}

/* The next word, without the blanks before it; an empty one at the end. */
static struct str take_word(struct str *rest)
{
    size_t from = 0, to;
    while (from < rest->len && (rest->ptr[from] == ' ' || rest->ptr[from] == '\t'))
        from++;
    for (to = from; to < rest->len && rest->ptr[to] != ' ' && rest->ptr[to] != '\t';)
        to++;
    struct str word = str_make(rest->ptr + from, to - from);
    *rest = str_make(rest->ptr + to, rest->len - to);
    return word;
}

/* "priority=5": true when it is this field, with its number, which is within the bounds. */
static bool read_field(struct str word, struct str name, int64_t min, int64_t max, int64_t *out)
{
    int64_t n;
    if (!str_starts(word, name) ||
        !num_parse_int(str_make(word.ptr + name.len, word.len - name.len), &n) || n < min ||
        n > max)
        return false;
    *out = n;
    return true;
}

static bool read_word(struct str word, const struct source_bounds *bounds,
                      struct member_words *words, struct err *err)
{
    char shown[64];
    if (read_field(word, STR("priority="), -MOST_PRIORITY, MOST_PRIORITY, &words->priority)) {
        words->has_priority = true;
        return true;
    }
    if (read_field(word, STR("weight="), 1, MOST_CAPACITY, &words->capacity)) {
        return words->capacity == 1 || !bounds->is_shared ||
               err_set(err, ERR_GENERAL,
                       "weight=%lld: a shared pool has no leases and no weight but 1",
                       (long long)words->capacity);
    }
    str_printable(word, shown, sizeof shown);
    return err_set(
        err, ERR_GENERAL,
        "'%s' behind the resource is neither priority=N (%d to %d) nor weight=N (1 to %d)", shown,
        -MOST_PRIORITY, MOST_PRIORITY, MOST_CAPACITY);
}

static bool read_line(struct str line, const struct source_bounds *bounds, struct source_item *item,
                      struct err *err)
{
    struct str word;
    if (!check_bytes(line, err))
        return false;
    *item = (struct source_item){.resource = take_word(&line)};
    if (!pool_keys_check_resource(bounds->keys, item->resource, err))
        return false;
    while ((word = take_word(&line)).len > 0) {
        if (!read_word(word, bounds, &item->words, err))
            return false;
    }
    return true;
}

/* Which resources the list has: places of items (from 1; 0: none) by the hash of the resource, with
 * the next free slot for those whose own is taken. At most half of it is used. */
struct seen {
    uint32_t *slots;
    size_t mask;
    uint64_t seed[2];
};

static void seen_init(struct seen *seen, int64_t most, struct rand *rand)
{
    size_t capacity = 16;
    while (capacity < (size_t)most * 2)
        capacity *= 2;
    seen->slots = mem_array(capacity, sizeof *seen->slots);
    seen->mask = capacity - 1;
    rand_bytes(rand, seen->seed, sizeof seen->seed);
}

/* Where the resource stands, or would stand. */
static uint32_t *seen_slot(const struct seen *seen, const struct source_list *list,
                           struct str resource)
{
    size_t at = (size_t)map_hash(seen->seed, resource) & seen->mask;
    while (seen->slots[at] != 0 && !str_eq(list->items[seen->slots[at] - 1].resource, resource))
        at = (at + 1) & seen->mask;
    return &seen->slots[at];
}

static bool read_lines(struct source_list *list, struct seen *seen, struct str text,
                       const struct source_bounds *bounds, struct err *err)
{
    struct source_item item;
    struct str line;
    int64_t units = 0;
    for (int number = 1; str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (!read_line(line, bounds, &item, err))
            return err_wrap(err, "line %d", number);
        uint32_t *slot = seen_slot(seen, list, item.resource);
        if (*slot != 0)
            continue;
        units += item.words.capacity > 0 ? item.words.capacity : bounds->capacity;
        if (units > bounds->max)
            return err_set(err, ERR_GENERAL, "more than %lld %s (source_max)",
                           (long long)bounds->max,
                           units > list->count + 1 ? "units of resources" : "resources");
        list->items[list->count++] = item;
        list->has_words |= item.words.has_priority || item.words.capacity > 0;
        *slot = (uint32_t)list->count;
    }
    return list->count > 0 || err_set(err, ERR_GENERAL, "it lists nothing");
}

static int64_t count_lines(struct str text)
{
    int64_t count = 0;
    struct str line;
    while (str_split(&text, '\n', &line))
        count++;
    return count;
}

bool source_list_parse(struct source_list *list, struct str text,
                       const struct source_bounds *bounds, struct rand *rand, struct err *err)
{
    struct seen seen;
    if (str_starts(text, STR("\xef\xbb\xbf"))) /* what some editors put first */
        text = str_make(text.ptr + 3, text.len - 3);
    int64_t lines = count_lines(text), room = lines < bounds->max ? lines : bounds->max;
    *list = (struct source_list){.items = mem_array((size_t)room, sizeof *list->items)};
    seen_init(&seen, room, rand);
    bool is_good = read_lines(list, &seen, text, bounds, err);
    mem_free(seen.slots);
    return is_good;
}

/* Fisher and Yates. */
void source_list_shuffle(struct source_list *list, struct rand *rand)
{
    for (int left = list->count; left > 1; left--) {
        int at = (int)rand_below(rand, (uint64_t)left);
        struct source_item last = list->items[left - 1];
        list->items[left - 1] = list->items[at];
        list->items[at] = last;
    }
}

void source_list_clear(struct source_list *list)
{
    mem_free(list->items);
    *list = (struct source_list){.items = NULL};
}
