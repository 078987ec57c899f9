/* list.h - intrusive doubly linked list with a head that is itself a node.
 *
 * Invariant: an initialised node is always in exactly one ring; a node alone is its own ring, so
 * list_del() is idempotent and list_is_in() needs no flag. O(1) for all but list_len().
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/base.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *n) { n->next = n->prev = n; }
static inline bool list_empty(const struct list *head) { return head->next == head; }
static inline bool list_is_in(const struct list *n) { return n->next != n; }

static inline void list_add_between(struct list *n, struct list *prev, struct list *next) {
    n->prev = prev;
    n->next = next;
    prev->next = n;
    next->prev = n;
}
static inline void list_push_front(struct list *head, struct list *n) { list_add_between(n, head, head->next); }
static inline void list_push_back(struct list *head, struct list *n) { list_add_between(n, head->prev, head); }

static inline void list_del(struct list *n) {
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}
/* First node taken out, or NULL. */
static inline struct list *list_pop_front(struct list *head) {
    struct list *n = head->next;
    if (n == head) return NULL;
    list_del(n);
    return n;
}

#define LIST_ENTRY(node, type, member) CONTAINER_OF(node, type, member)
#define LIST_FOR_EACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)
/* Safe against removal of *it only. */
#define LIST_FOR_EACH_SAFE(it, nxt, head)                                                                    \
    for (struct list *it = (head)->next, *nxt = it->next; it != (head); it = nxt, nxt = it->next)

#endif
