/* core/codec/doc.c -- see doc.h.
 *
 * The keys of the open maps are a stack, innermost map last, and a hash table of places in it. Keys
 * leave in the reverse order of their coming, so that open addressing needs no tombstones: the slot
 * of the last key can be emptied. Without a table, 4,096 keys would cost eight million comparisons.
 */
#include "core/codec/doc.h"

#include <string.h>

enum { SLOTS = 2 * ML_DOC_KEYS_MAX }; /* a power of two */

struct key_seen {
    uint32_t at;
    uint32_t len;
    uint16_t slot;
    uint16_t map; /* depth of its map */
};

struct key_stack {
    struct key_seen keys[ML_DOC_KEYS_MAX];
    uint16_t slots[SLOTS]; /* 1 + place in keys; 0: empty */
    uint32_t slot_count;   /* in use: a power of 2, twice what a document so long has room for */
    uint32_t count;
};

/* FNV-1a. Whoever picks keys to collide makes the check slower, not wrong: at most 4,096 steps. */
static uint32_t key_hash(struct ml_slice key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.data[i]) * 16777619u;
    }
    return h ^ h >> 16;
}

/* Remembers a key; false when its map has it already. There is room. */
static bool key_add(struct key_stack *s, const struct ml_mp *c, struct ml_slice key)
{
    uint32_t slot = key_hash(key) % s->slot_count;
    for (; s->slots[slot] != 0; slot = (slot + 1) % s->slot_count) {
        const struct key_seen *k = &s->keys[s->slots[slot] - 1];
        if (k->map == c->depth && ml_slice_equal(ml_slice(c->data + k->at, k->len), key)) {
            return false;
        }
    }
    s->keys[s->count++] = (struct key_seen){
        .at = (uint32_t)(key.data - c->data),
        .len = (uint32_t)key.len,
        .slot = (uint16_t)slot,
        .map = c->depth,
    };
    s->slots[slot] = (uint16_t)s->count;
    return true;
}

/* Forgets the keys of maps that are closed. */
static void keys_leave(struct key_stack *s, uint8_t depth)
{
    while (s->count > 0 && s->keys[s->count - 1].map > depth) {
        s->slots[s->keys[--s->count].slot] = 0;
    }
}

static bool at_key(const struct ml_mp *c)
{
    return c->depth > 0 && c->frames[c->depth - 1].map && c->frames[c->depth - 1].left % 2 == 0;
}

static void key_check(struct ml_mp *c, struct key_stack *s)
{
    size_t at = c->pos;
    struct ml_slice key = ml_mp_key_str(c);
    if (ml_mp_ok(c) && s->count == ML_DOC_KEYS_MAX) {
        ml_mp_fail(c, ML_FAULT_RANGE, at);
    }
    if (ml_mp_ok(c) && !key_add(s, c, key)) {
        ml_mp_fail(c, ML_FAULT_KEY_ORDER, at);
    }
}

/* One value, or the head of a container that has something in it. */
static void value_check(struct ml_mp *c, struct key_stack *s)
{
    ml_mp_type type = ml_mp_peek(c);
    if (type == ML_MP_MAP) {
        (void)ml_mp_map(c, 0, UINT32_MAX);
    } else if (type == ML_MP_ARRAY) {
        (void)ml_mp_array(c, 0, UINT32_MAX);
    } else {
        (void)ml_mp_value(c);
    }
    keys_leave(s, c->depth);
}

ml_err ml_doc_check(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_mp c;
    struct key_stack keys;
    keys.count = 0;
    for (keys.slot_count = 2; keys.slot_count < in.len && keys.slot_count < SLOTS;) {
        keys.slot_count *= 2;
    }
    memset(keys.slots, 0, keys.slot_count * sizeof(keys.slots[0]));
    ml_mp_init(&c, in, ML_MP_DOC);
    if (in.len > UINT32_MAX) {
        ml_mp_fail(&c, ML_FAULT_RANGE, 0);
    }
    do {
        if (at_key(&c)) {
            key_check(&c, &keys);
        } else {
            value_check(&c, &keys);
        }
    } while (ml_mp_ok(&c) && c.depth > 0);
    ml_err err = ml_mp_end(&c);
    if (err != ML_OK && fault != NULL) {
        *fault = c.fault;
    }
    return err;
}
