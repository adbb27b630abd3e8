/* tests/fakes/fault_rot.c -- a fault_disk that loses what it has, is slow, or is looked at from
 * outside. What rots does so in all that is stored of a file: in what was synced, in what is read
 * now, and in the writes between (a cut would put those back). */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "fault_disk.h"

/* ---- rot ---- */

static void bytes_spoil(uint8_t *bytes, size_t len, uint64_t at, size_t count, uint64_t mask)
{
    for (size_t i = 0; i < count && at + i < len; i++) {
        bytes[at + i] = mask == 0 ? 0 : (uint8_t)(bytes[at + i] ^ mask);
    }
}

/* mask 0: zeros; else what is changed of each byte. */
static void inode_spoil(struct fault_inode *i, uint64_t at, size_t count, uint64_t mask)
{
    bytes_spoil(i->now, i->now_len, at, count, mask);
    bytes_spoil(i->synced, i->synced_len, at, count, mask);
    for (size_t k = 0; k < i->change_count; k++) {
        struct fault_change *c = &i->changes[k];
        if (c->data == NULL || c->offset >= at + count || c->offset + c->len <= at) {
            continue;
        }
        const uint64_t from = c->offset > at ? c->offset : at;
        const uint64_t end = c->offset + c->len < at + count ? c->offset + c->len : at + count;
        bytes_spoil(c->data, c->len, from - c->offset, (size_t)(end - from), mask);
    }
}

static void inode_cut(struct fault_inode *i, size_t len)
{
    fault_inode_change(i, len, NULL, 0);
    i->synced_len = i->synced_len < len ? i->synced_len : len;
}

bool fault_disk_rot(struct fault_disk *d, const char *name, fault_rot how)
{
    struct fault_inode *i = fault_inode_find(d, name);
    if (i == NULL || i->now_len == 0) {
        return false;
    }
    const uint64_t at = fault_random(d, i->now_len);
    ML_ASSERT(how != FAULT_ROT_GONE || i->handles == 0);
    if (how == FAULT_ROT_BIT) {
        inode_spoil(i, at, 1, (uint64_t)1 << fault_random(d, 8));
    } else if (how == FAULT_ROT_BLOCK) {
        inode_spoil(i, at - at % FAULT_SECTOR, FAULT_SECTOR, 0);
    } else if (how == FAULT_ROT_SHORT) {
        inode_cut(i, (size_t)at);
    } else if (how == FAULT_ROT_WASTE) {
        inode_spoil(i, 0, i->now_len, 0xa5);
    } else {
        fault_disk_remove(d, name);
    }
    return true;
}

static void spoiled_note(struct fault_disk *d, const struct fault_inode *i)
{
    const struct fault_folder *f = fault_folder_now(d);
    for (size_t k = 0; k < f->count; k++) {
        if (f->names[k].inode == i) {
            memcpy(d->spoiled[0], f->names[k].text, sizeof(d->spoiled[0]));
        }
    }
}

const char *fault_disk_spoiled(struct fault_disk *d)
{
    if (d->spoiled[0][0] == '\0') {
        return NULL;
    }
    memcpy(d->spoiled[1], d->spoiled[0], sizeof(d->spoiled[1]));
    d->spoiled[0][0] = '\0';
    return d->spoiled[1];
}

/* A failed write ends anywhere in what it appends; in what was there before it ends between sectors
 * (rules C2: 32 bytes in one sector aren't torn). */
static size_t torn_len(struct fault_disk *d, const struct fault_inode *i, uint64_t offset,
                       size_t len)
{
    const uint64_t end = offset + fault_random(d, len);
    const uint64_t whole = end < i->now_len ? end - end % FAULT_SECTOR : end;
    return whole > offset ? (size_t)(whole - offset) : 0;
}

bool fault_disk_spoil(struct fault_disk *d, struct fault_inode *i, uint64_t offset,
                      const void *data, size_t len)
{
    if (d->dead || len == 0) {
        return false;
    }
    if (d->plan.stray) { /* a place where such a write could have belonged */
        const uint64_t places = i->now_len / len + 1;
        fault_inode_change(i, offset % len + (uint64_t)len * fault_random(d, places), data, len);
    } else if (d->plan.cheat) {
        fault_inode_change(i, offset, data, (size_t)fault_random(d, len));
    } else if (d->plan.torn) {
        fault_inode_change(i, offset, data, torn_len(d, i, offset, len));
    }
    if (d->plan.stray || d->plan.cheat) {
        spoiled_note(d, i);
    }
    return d->plan.stray || d->plan.cheat;
}

/* ---- names ---- */

const char *fault_disk_next_name(const struct fault_disk *d, const char *after)
{
    const struct fault_folder *f = &d->history[d->history_count - 1];
    size_t next = 0;
    for (size_t i = 0; i < f->count && after != NULL; i++) {
        next = strcmp(f->names[i].text, after) == 0 ? i + 1 : next;
    }
    return next < f->count ? f->names[next].text : NULL;
}

/* ---- time ---- */

void fault_disk_slow(struct fault_disk *d, unsigned change_ms)
{
    d->change_ms = change_ms;
}

uint64_t fault_disk_spent_ms(const struct fault_disk *d)
{
    return d->spent_ms;
}

uint64_t fault_disk_take_spent_ms(struct fault_disk *d)
{
    const uint64_t spent = d->spent_ms;
    d->spent_ms = 0;
    return spent;
}

/* ---- from outside ---- */

void fault_disk_hold(struct fault_disk *d, bool held)
{
    d->held = held;
}

bool fault_disk_is_synced(struct fault_disk *d, const char *name)
{
    const struct fault_inode *i = fault_inode_find(d, name);
    const struct fault_name *kept = fault_folder_find(&d->history[0], name);
    return i != NULL && kept != NULL && kept->inode == i && i->change_count == 0;
}
