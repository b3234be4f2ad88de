/* list: intrusive doubly linked list. A node is embedded in its struct and is in one list at most.
 * Knows: nothing.  Owns: nothing. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev, *next; /* both NULL while in no list */
};

struct list {
    struct list_node root; /* a ring: root.next is the first, root.prev the last */
    size_t count;
};

/* The struct around a node. */
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Goes over all nodes; the current one may be removed (not its successor). */
#define list_each(node, list)                                                   \
    for (struct list_node *node = (list)->root.next, *node##_next = node->next; \
         node != &(list)->root; node = node##_next, node##_next = node->next)

static inline void list_init(struct list *list)
{
    list->root.prev = list->root.next = &list->root;
    list->count = 0;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->count == 0;
}

static inline bool list_has(const struct list_node *node)
{
    return node->next != NULL;
}

static inline struct list_node *list_first(struct list *list)
{
    return list->count == 0 ? NULL : list->root.next;
}

static inline void list_insert_after(struct list *list, struct list_node *at,
                                     struct list_node *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node; /* a ring: NOLINT(clang-analyzer-core.NullDereference) */
    at->next = node;
    list->count++;
}

static inline void list_push(struct list *list, struct list_node *node)
{
    list_insert_after(list, list->root.prev, node);
}

static inline void list_push_front(struct list *list, struct list_node *node)
{
    list_insert_after(list, &list->root, node);
}

static inline void list_remove(struct list *list, struct list_node *node)
{
    node->prev->next = node->next; /* a ring: NOLINT(clang-analyzer-core.NullDereference) */
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
    list->count--;
}

/* Takes the first node out, NULL when there is none. */
static inline struct list_node *list_pop(struct list *list)
{
    struct list_node *node = list_first(list);
    if (node != NULL)
        list_remove(list, node);
    return node;
}

#endif
