/* waitfor: see waitfor.h. */
#include "ops/waitfor.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include <stdio.h>

enum { SHOWN_MAX = 48 }; /* bytes of a name in an error */

struct object {
    struct list_node node; /* in graph->all */
    int64_t held;          /* by those who are stuck */
    char name[];
};

struct share {
    struct object *object;
    int64_t n, m; /* m: of a want */
};

struct session {
    char *id, *who;
    int64_t ticket;
    struct share *wants, *holds;
    size_t want_count, hold_count;
    bool is_stuck; /* it waits for ever, as far as is known */
    /* while a cycle is looked for: who waits for it, and for what of it; NULL: that is not known */
    struct session *waiting;
    const struct object *wanted;
};

struct waitfor {
    struct session *sessions;
    size_t count;
    struct map objects; /* by name */
    struct list all;    /* the same */
};

/* --- text --------------------------------------------------------------------------------------
 */

static void put(struct evbuffer *out, struct str word)
{
    evbuffer_add(out, word.ptr, word.len);
    evbuffer_add(out, "", 1);
}

static void put_int(struct evbuffer *out, int64_t n)
{
    char text[NUM_INT_MAX];
    put(out, str_make(text, num_format_int(text, n)));
}

void waitfor_put_session(struct evbuffer *out, struct str id, int64_t ticket, struct str who)
{
    put(out, STR("S"));
    put(out, id);
    put_int(out, ticket);
    put(out, who);
}

void waitfor_put_want(struct evbuffer *out, struct str object, int64_t n, int64_t m)
{
    put(out, STR("W"));
    put(out, object);
    put_int(out, n);
    put_int(out, m);
}

void waitfor_put_hold(struct evbuffer *out, struct str object, int64_t n)
{
    put(out, STR("H"));
    put(out, object);
    put_int(out, n);
}

static bool read_word(struct str *text, struct str *word)
{
    const char *end = text->len > 0 ? memchr(text->ptr, '\0', text->len) : NULL;
    if (end == NULL)
        return false;
    *word = str_make(text->ptr, (size_t)(end - text->ptr));
    *text = str_make(end + 1, text->len - word->len - 1);
    return true;
}

static bool read_int(struct str *text, int64_t *n)
{
    struct str word;
    return read_word(text, &word) && num_parse_int(word, n);
}

/* --- the graph ---------------------------------------------------------------------------------
 */

struct waitfor *waitfor_new(void)
{
    static const unsigned char seed[16]; /* names are few, and no client waits for this */
    struct waitfor *graph = mem_zalloc(sizeof *graph);
    map_init(&graph->objects, seed);
    list_init(&graph->all);
    return graph;
}

void waitfor_free(struct waitfor *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        struct session *session = &graph->sessions[i];
        mem_free(session->id);
        mem_free(session->who);
        mem_free(session->wants);
        mem_free(session->holds);
    }
    struct list_node *node;
    while ((node = list_pop(&graph->all)) != NULL)
        mem_free(list_entry(node, struct object, node));
    map_clear(&graph->objects);
    mem_free(graph->sessions);
    mem_free(graph);
}

/* Room for one more of an array that grows when its count is a power of two. */
static void *grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    return mem_realloc(array, (count == 0 ? 1 : 2 * count) * size);
}

static struct object *object_of(struct waitfor *graph, struct str name)
{
    struct object *object = map_get(&graph->objects, name);
    if (object != NULL)
        return object;
    object = mem_zalloc(sizeof *object + name.len + 1);
    if (name.len > 0)
        memcpy(object->name, name.ptr, name.len);
    map_put(&graph->objects, name, object);
    list_push(&graph->all, &object->node);
    return object;
}

static bool add_session(struct waitfor *graph, struct str *text)
{
    struct str id, who;
    int64_t ticket;
    if (!read_word(text, &id) || !read_int(text, &ticket) || !read_word(text, &who))
        return false;
    graph->sessions = grow(graph->sessions, graph->count, sizeof *graph->sessions);
    graph->sessions[graph->count++] =
        (struct session){.id = mem_dup(id), .who = mem_dup(who), .ticket = ticket};
    return true;
}

static bool add_share(struct waitfor *graph, struct str *text, bool is_want)
{
    struct str name;
    struct share share = {0};
    if (graph->count == 0 || !read_word(text, &name) || !read_int(text, &share.n) ||
        (is_want && !read_int(text, &share.m)))
        return false;
    struct session *session = &graph->sessions[graph->count - 1];
    struct share **shares = is_want ? &session->wants : &session->holds;
    size_t *count = is_want ? &session->want_count : &session->hold_count;
    share.object = object_of(graph, name);
    *shares = grow(*shares, *count, sizeof **shares);
    (*shares)[(*count)++] = share;
    return true;
}

void waitfor_add(struct waitfor *graph, struct str text)
{
    struct str word;
    while (read_word(&text, &word)) {
        bool is_whole = str_eq(word, STR("S"))   ? add_session(graph, &text)
                        : str_eq(word, STR("W")) ? add_share(graph, &text, true)
                                                 : add_share(graph, &text, false);
        if (!is_whole)
            return;
    }
}

/* --- who is stuck ------------------------------------------------------------------------------
 */

static void count_held(struct waitfor *graph)
{
    list_each (node, &graph->all)
        list_entry(node, struct object, node)->held = 0;
    for (size_t i = 0; i < graph->count; i++) {
        const struct session *session = &graph->sessions[i];
        for (size_t k = 0; session->is_stuck && k < session->hold_count; k++)
            session->holds[k].object->held += session->holds[k].n;
    }
}

static bool is_unmet(const struct share *want)
{
    return want->n > want->m - want->object->held;
}

static bool has_unmet(const struct session *session)
{
    for (size_t i = 0; i < session->want_count; i++) {
        if (is_unmet(&session->wants[i]))
            return true;
    }
    return false;
}

/* Whoever can be served gives back what it holds in the end, which may serve others. */
static void find_stuck(struct waitfor *graph)
{
    bool has_changed = true;
    for (size_t i = 0; i < graph->count; i++)
        graph->sessions[i].is_stuck = true;
    while (has_changed) {
        has_changed = false;
        count_held(graph);
        for (size_t i = 0; i < graph->count; i++) {
            struct session *session = &graph->sessions[i];
            if (!session->is_stuck || has_unmet(session))
                continue;
            session->is_stuck = false;
            has_changed = true;
        }
    }
}

/* --- cycles ------------------------------------------------------------------------------------
 */

static bool holds(const struct session *session, const struct object *object)
{
    for (size_t i = 0; i < session->hold_count; i++) {
        if (session->holds[i].object == object)
            return true;
    }
    return false;
}

/* Those that are waited for by a session of the queue are put behind it. */
struct queue {
    struct session **list;
    size_t count;
};

static void visit(struct session *holder, struct session *from, const struct object *object,
                  struct queue *queue)
{
    if (!holder->is_stuck || holder->waiting != NULL || !holds(holder, object))
        return;
    holder->waiting = from;
    holder->wanted = object;
    queue->list[queue->count++] = holder;
}

/* Itself comes last: where it waits for others, too, that says more. */
static void reach(struct waitfor *graph, struct session *from, struct queue *queue)
{
    size_t count = queue->count;
    for (size_t i = 0; i < from->want_count; i++) {
        const struct share *want = &from->wants[i];
        for (size_t to = 0; is_unmet(want) && to < graph->count; to++) {
            if (&graph->sessions[to] != from)
                visit(&graph->sessions[to], from, want->object, queue);
        }
    }
    for (size_t i = 0; queue->count == count && i < from->want_count; i++) {
        if (is_unmet(&from->wants[i]))
            visit(from, from, from->wants[i].object, queue);
    }
}

/* Is there a way from this one to itself? */
static bool has_cycle(struct waitfor *graph, struct session *goal, struct session **room)
{
    struct queue queue = {room, 0};
    for (size_t i = 0; i < graph->count; i++)
        graph->sessions[i].waiting = NULL;
    reach(graph, goal, &queue);
    for (size_t i = 0; i < queue.count && goal->waiting == NULL; i++)
        reach(graph, queue.list[i], &queue);
    return goal->waiting != NULL;
}

static void shorten(const char *text, char out[SHOWN_MAX + 4])
{
    str_printable(str_of(text), out, SHOWN_MAX);
    if (strlen(text) >= SHOWN_MAX)
        memcpy(out + strlen(out), "...", 4);
}

/* The way is known backwards, from who holds to who waits: it is told from its end on. */
static void tell_cycle(const struct session *goal, struct err *err)
{
    char way[sizeof err->text] = "", who[SHOWN_MAX + 4], object[SHOWN_MAX + 4];
    const struct session *holder = goal;
    do {
        char step[2 * sizeof who + 40];
        shorten(holder->who, who);
        shorten(holder->wanted->name, object);
        snprintf(step, sizeof step, "%s, which %s holds%s", object, who,
                 holder == goal ? "" : ", who waits for ");
        size_t len = strlen(step), rest = strlen(way);
        bool is_room = len + rest + sizeof step < sizeof way; /* else its middle is left out */
        if (is_room || holder->waiting == goal) {
            memmove(way + len, way, rest + 1);
            memcpy(way, step, len);
        }
        holder = holder->waiting;
    } while (holder != goal);
    shorten(goal->who, who);
    err_set(err, ERR_DEADLOCK, "%s waits for %s", who, way);
}

/* The youngest of those that are stuck, of those that are older than `last` (NULL: of all). */
static struct session *youngest(struct waitfor *graph, const struct session *last)
{
    struct session *found = NULL;
    for (size_t i = 0; i < graph->count; i++) {
        struct session *session = &graph->sessions[i];
        bool is_next = last == NULL || session->ticket < last->ticket ||
                       (session->ticket == last->ticket && session < last);
        if (session->is_stuck && is_next && (found == NULL || session->ticket >= found->ticket))
            found = session;
    }
    return found;
}

bool waitfor_find(struct waitfor *graph, struct str *id, struct err *err)
{
    struct session **room = mem_array(graph->count + 1, sizeof *room), *found;
    find_stuck(graph);
    for (found = youngest(graph, NULL); found != NULL; found = youngest(graph, found)) {
        if (has_cycle(graph, found, room))
            break;
    }
    if (found != NULL) {
        *id = str_of(found->id);
        tell_cycle(found, err);
    }
    mem_free(room);
    return found != NULL;
}
