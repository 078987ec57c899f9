/* cf_internal.h - the state of a coupling facility and what its files ask of one another. Private to cf_*.c.
 *
 *   cf_engine.c    life, links, dispatch of commands, isolation
 *   cf_space.c     blocks of storage, structures found by name, data elements
 *   cf_conn.c      CONNECT, DISCONNECT, FORCE, failure
 *   cf_notice.c    vectors and notices
 *   cf_policy.c    the CFRM policy        cf_query.c   displays
 *   cf_list.c      entries one by one     cf_multi.c   many at once     cf_order.c   lists, keys, monitors
 *   cf_lock.c      cf_cache.c
 *   cf_verify.c    the invariants, walked
 *
 * A structure's storage is one run of blocks, carved when it is allocated: headers, hash heads, controls, elements. All
 * pointers inside point into that run; nothing in it outlives it.
 */
#ifndef HERCULES_DEVICES_CF_INTERNAL_H
#define HERCULES_DEVICES_CF_INTERNAL_H

#include "base/arena.h"
#include "base/be.h"
#include "base/list.h"
#include "base/str.h"
#include "hercules-devices/cf_engine.h"

#define CF_BLOCK_BYTES 4096u
#define CF_NONE UINT32_MAX /* of an index */
#define CF_FULL_PERCENT 80u
#define CF_LISTS_MAX 65536u
#define CF_LOCKS_MAX (1u << 22)
#define CF_VECTOR_MAX (1u << 20)
#define CF_TEXT_BYTES 32u

/* ---- notices ---- */

/* A bit per object; sum has a bit for each word of dirty that is not zero. */
struct cf_vector {
    u32 bits;
    u32 *value, *dirty, *sum;
    u32 words, sums;
};

struct cf_connection {
    u8 state, id, flags;
    u8 system;          /* number; ACTIVE only */
    u64 incarnation;
    char name[CF_NAME_BYTES], owner[CF_NAME_BYTES];
    u8 data[64];
    struct cf_structure *s;
    struct cf_vector vector;
    u32 told_dirty;     /* dirty bits */
    u32 changed;        /* connections to tell of */
    u8 full_percent;    /* to tell, 0 = not */
    struct list tell;   /* in its system's, when there is something to tell */
    struct list events; /* cf_monitor.queued */
    u32 event_bit;      /* vector index of the event queue, CF_NONE = not monitored */
};

/* ---- elements: the data of entries ---- */

struct cf_elements {
    u32 bytes, count, used; /* of one; how many */
    u32 free;
    u32 *next; /* CF_NONE ends a chain */
    u8 *base;
};
struct cf_data {
    u32 first, bytes;
};

/* ---- lists ---- */

struct cf_entry {
    struct list order; /* in its key's entries, or among the free ones */
    struct cf_key *key; /* NULL = free */
    struct cf_entry *name_next;
    u32 generation;
    struct cf_data data;
    u64 version;
    u8 name[CF_ENTRY_NAME_BYTES];
    u8 adjunct[CF_ADJUNCT_BYTES];
};
/* The entries of one list with one key, and who monitors them. */
struct cf_key {
    struct cf_key *left, *right; /* a treap by (list's) key */
    u32 priority, list, count;
    struct list order;    /* in the list's keys, ascending */
    struct list entries;
    struct list monitors; /* cf_monitor.at_key */
    u8 key[CF_KEY_BYTES];
};
struct cf_monitor {
    struct list at_key, queued;
    struct cf_key *key; /* NULL = free */
    u8 conid;
    u8 user[16];
};
struct cf_header {
    struct list keys;
    struct cf_key *root;
    u32 count, limit, elements;
    u32 monitors;              /* connections */
    u32 bit[CF_CONNECTORS];    /* their vector indices */
    u8 text[CF_TEXT_BYTES];
};
struct cf_lists {
    u32 headers, locks;
    struct cf_header *header;
    u8 *lock; /* holder, 0 = free */
    u32 entries, used, monitors;
    struct cf_entry *entry;
    struct cf_monitor *monitor;
    struct list free_entries, free_monitors; /* by order, by at_key */
    struct pool keys;
    struct cf_entry **names;
    u32 name_mask, random;
};

/* ---- locks ---- */

struct cf_lockword {
    u32 shared, waiting;
    u8 exclusive;
};
struct cf_record {
    u8 conid; /* 0 = free */
    u8 name[32], data[64];
    struct cf_record *next;
};
struct cf_locks {
    u32 entries, records, used;
    struct cf_lockword *word;
    struct cf_record *record, *free;
    struct cf_record **names;
    u32 name_mask;
};

/* ---- caches ---- */

struct cf_buffer {
    /* In one list: free; reclaimable, least recently used first; or changed, in its class. None while it is cast out. */
    struct list order;
    struct cf_buffer *next;
    bool used, changed, has_data;
    u8 castout; /* owner of the castout lock */
    u16 class_number;
    u32 registered;
    u32 bit[CF_CONNECTORS];
    u64 version;
    struct cf_data data;
    u8 user[8];
    u8 name[CF_NAME_BYTES];
};
struct cf_caches {
    u32 classes, entries, used;
    struct list *class; /* changed buffers that nobody casts out */
    struct cf_buffer *buffer;
    struct list lru, free;
    struct cf_buffer **names;
    u32 name_mask;
    u64 reclaimed;
};

/* ---- the facility ---- */

struct cf_structure {
    u32 token; /* 0 = free */
    u8 type, flags;
    bool full_told;
    char name[CF_NAME_BYTES];
    u32 first_block, blocks;
    u32 max_elements; /* of an entry */
    u32 epoch, ordinal; /* of the last command that came by ORDERED */
    struct cf_elements el;
    struct cf_connection con[CF_CONNECTORS]; /* identifier - 1 */
    union {
        struct cf_lists list;
        struct cf_locks lock;
        struct cf_caches cache;
    } u;
};

struct cf_system {
    bool up, told, cut; /* told: PENDING was sent and not drained; cut: isolated, its link is still there */
    bool cut_told;
    char name[CF_NAME_BYTES];
    u64 incarnation;
    u64 commands, bytes; /* since its link is up: what a display shows as traffic, both ways */
    struct list tell; /* cf_connection.tell */
};
struct cf_fence {
    char name[CF_NAME_BYTES];
    u64 incarnation; /* highest that is refused; 0 = free */
};

struct cf {
    struct cf_params params;
    const struct cf_host *host;
    struct cf_system system[CF_SYSTEMS];
    struct cf_structure structure[CF_STRUCTURES_MAX];
    u32 structures, generation;
    struct cf_fence fence[CF_ISOLATED_MAX];
    u8 policy_name[8]; /* first byte 0 = none */
    u32 policy_rows;
    u8 policy[CF_POLICY_ROWS_MAX][CF_POLICY_ROW_BYTES];
    u32 blocks, blocks_used;
    u16 *block_owner; /* structure + 1, 0 = free */
    u8 *storage;
    u64 count[CF_COUNTERS];
};

/* One command on its way. */
struct cf_call {
    struct cf *cf;
    u32 system;
    struct cf_structure *s;     /* for operations of a connection */
    struct cf_connection *con;
    const u8 *cmd;
    u32 len;
    u8 *rsp;
    u32 cap, out; /* room of the response; its length so far, header included */
    u32 count;
};

static inline struct cf_connection *cf_con(struct cf_structure *s, u32 id) { return &s->con[id - 1]; }
static inline u32 cf_bit(u32 id) { return 1u << (id - 1); }
/* Room for n more bytes of response, zeroed; NULL if there is none. */
static inline u8 *cf_out(struct cf_call *c, u32 n) {
    if (n > c->cap - c->out) return NULL;
    u8 *p = c->rsp + c->out;
    memset(p, 0, n);
    c->out += n;
    return p;
}
/* FNV-1a, finished by a multiplication so that the low bits depend on all bytes. */
static inline u32 cf_hash(const u8 *p, u32 len) {
    u32 h = 2166136261u;
    for (u32 i = 0; i < len; i++) h = (h ^ p[i]) * 16777619u;
    return (h ^ h >> 15) * 2654435769u >> 7;
}
static inline u32 cf_pow2(u32 n) {
    u32 p = 1;
    while (p < n) p <<= 1;
    return p;
}

/* ---- cf_engine.c ---- */
void cf_log(struct cf *cf, enum engine_severity sev, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A name as bytes for "%.*s": its length without the padding. */
u32 cf_name_len(const char *name);
void cf_name_set(char *out, const char *name); /* pads with blanks */

/* ---- cf_space.c ---- */
struct cf_structure *cf_structure_by_name(struct cf *cf, const u8 *name);
struct cf_structure *cf_structure_by_token(struct cf *cf, u32 token);
/* operands: those of CONNECT, kb: its size. */
enum cf_rc cf_structure_allocate(struct cf *cf, const u8 *cmd, u32 kb, struct cf_structure **out);
void cf_structure_free(struct cf *cf, struct cf_structure *s);
void cf_usage(const struct cf_structure *s, u32 *used, u32 *entries);
/* Tells all connections when the structure has become nearly full. */
void cf_full_check(struct cf *cf, struct cf_structure *s);
/* How many entries with their share of elements are to be had for bytes, entry_bytes each beside the elements; takes the
 * elements. The ratio and the element size are CONNECT's. */
bool cf_split(struct cf_structure *s, struct arena *a, const u8 *cmd, u32 entry_bytes, u32 *entries);
u32 cf_elements_for(const struct cf_elements *el, u32 bytes);
bool cf_data_fits(const struct cf_elements *el, const struct cf_data *old, u32 bytes);
void cf_data_set(struct cf_elements *el, struct cf_data *d, const u8 *bytes, u32 len);
void cf_data_get(const struct cf_elements *el, const struct cf_data *d, u8 *out);

/* ---- cf_conn.c ---- */
void cf_fail_system(struct cf *cf, u32 system);
enum cf_rc cf_do_connect(struct cf_call *c);
enum cf_rc cf_do_disconnect(struct cf_call *c);
enum cf_rc cf_do_conndata(struct cf_call *c);
enum cf_rc cf_do_force(struct cf_call *c);
u32 cf_set_of(const struct cf_structure *s, u8 state);

/* ---- cf_notice.c ---- */
u32 cf_vector_words(u32 bits); /* words of storage of a vector */
void cf_vector_place(struct cf_vector *v, u32 bits, u32 *words);
void cf_vector_clear(struct cf_connection *con);
void cf_vector_set(struct cf *cf, struct cf_connection *con, u32 bit, bool value);
void cf_vector_put(struct cf_connection *con, u32 bit, bool value); /* not told: the connection knows */
void cf_vector_mark(struct cf *cf, struct cf_connection *con, u32 bit); /* lock entries: no value of their own */
void cf_changed(struct cf *cf, struct cf_structure *s, u32 id); /* this connection came, left or failed */
void cf_tell(struct cf *cf, struct cf_connection *con);
enum cf_rc cf_do_drain(struct cf_call *c);

/* ---- cf_policy.c, cf_query.c ---- */
enum cf_rc cf_do_policy(struct cf_call *c);
enum cf_rc cf_do_policy_query(struct cf_call *c);
/* Bytes of storage for the structure that CONNECT names: from the policy, or from the command if there is none. */
enum cf_rc cf_policy_size(const struct cf *cf, const u8 *connect, u32 *kb);
enum cf_rc cf_do_identify(struct cf_call *c);
enum cf_rc cf_do_structures(struct cf_call *c);
enum cf_rc cf_do_connections(struct cf_call *c);
enum cf_rc cf_do_systems(struct cf_call *c);

/* ---- cf_order.c ---- */
bool cf_lists_carve(struct cf_structure *s, struct arena *a, const u8 *cmd);
void cf_lists_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all); /* all: locks too */
struct cf_key *cf_key_find(const struct cf_header *h, const u8 *key);
/* NULL only if no key control is left. */
struct cf_key *cf_key_make(struct cf_structure *s, u32 list, const u8 *key);
void cf_key_drop(struct cf_structure *s, struct cf_key *k); /* if nobody needs it any more */
void cf_entry_link(struct cf *cf, struct cf_structure *s, struct cf_entry *e, struct cf_key *k, bool tail);
void cf_entry_unlink(struct cf *cf, struct cf_structure *s, struct cf_entry *e);
/* The neighbour of e in its list, the first one from the end if e is NULL; one_key: within k only. */
struct cf_entry *cf_entry_next(struct cf_lists *l, u32 list, struct cf_entry *e, struct cf_key *one_key, bool from_tail);
enum cf_rc cf_do_lcontrols(struct cf_call *c);
enum cf_rc cf_do_set_lcontrols(struct cf_call *c);
enum cf_rc cf_do_monitor_list(struct cf_call *c);
enum cf_rc cf_do_monitor_key(struct cf_call *c);
enum cf_rc cf_do_monitor_eventq(struct cf_call *c);
enum cf_rc cf_do_deq_eventq(struct cf_call *c);

/* ---- cf_list.c, cf_multi.c ---- */
enum cf_rc cf_do_write(struct cf_call *c);
enum cf_rc cf_do_read(struct cf_call *c);
enum cf_rc cf_do_move(struct cf_call *c);
enum cf_rc cf_do_delete(struct cf_call *c);
enum cf_rc cf_do_lock(struct cf_call *c);
enum cf_rc cf_do_read_list(struct cf_call *c);
enum cf_rc cf_do_delete_list(struct cf_call *c);
enum cf_rc cf_do_mult(struct cf_call *c);
struct cf_entry *cf_entry_by_leid(struct cf_structure *s, const u8 *leid);
void cf_entry_delete(struct cf *cf, struct cf_structure *s, struct cf_entry *e);
/* false: the response has no room for it. */
bool cf_entry_emit(struct cf_call *c, const struct cf_entry *e, bool with_data);
u16 cf_list_flags(const struct cf_call *c);
/* Is a lock operation possible / do it. */
enum cf_rc cf_list_lock_check(struct cf_call *c);
void cf_list_lock_apply(struct cf_call *c);

/* ---- cf_lock.c ---- */
bool cf_locks_carve(struct cf_structure *s, struct arena *a, const u8 *cmd);
void cf_locks_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all);
enum cf_rc cf_do_lockword(struct cf_call *c);
enum cf_rc cf_do_record_set(struct cf_call *c);
enum cf_rc cf_do_record_reset(struct cf_call *c);
enum cf_rc cf_do_record_read(struct cf_call *c);

/* ---- cf_cache.c ---- */
bool cf_caches_carve(struct cf_structure *s, struct arena *a, const u8 *cmd);
void cf_caches_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all);
enum cf_rc cf_do_c_read(struct cf_call *c);
enum cf_rc cf_do_c_write(struct cf_call *c);
enum cf_rc cf_do_c_invalidate(struct cf_call *c);
enum cf_rc cf_do_c_unregister(struct cf_call *c);
enum cf_rc cf_do_castout(struct cf_call *c);
enum cf_rc cf_do_castout_end(struct cf_call *c);
enum cf_rc cf_do_castout_class(struct cf_call *c);

#endif
