/* tests/fakes/fault_disk.c -- the files of a fault_disk, and what a power cut leaves of them. */
#include "fault_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

static void *must(void *ptr)
{
    ML_ASSERT(ptr != NULL);
    return ptr;
}

enum { FAULT_ROOM = 1 << 14 }; /* more than a file needs: it grows seldom */

uint64_t fault_random(struct fault_disk *d, uint64_t bound)
{
    uint64_t z = (d->rng += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

/* ---- the folder ---- */

struct fault_folder *fault_folder_now(struct fault_disk *d)
{
    return &d->history[d->history_count - 1];
}

struct fault_name *fault_folder_find(struct fault_folder *f, const char *text)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->names[i].text, text) == 0) {
            return &f->names[i];
        }
    }
    return NULL;
}

struct fault_inode *fault_inode_find(struct fault_disk *d, const char *text)
{
    struct fault_name *n = fault_folder_find(fault_folder_now(d), text);
    return n == NULL ? NULL : n->inode;
}

/* A copy of the folder to be changed: the one before stays in the history. */
struct fault_folder *fault_folder_change(struct fault_disk *d)
{
    size_t bytes = (d->history_count + 1) * sizeof(*d->history);
    d->history = must(realloc(d->history, bytes));
    d->history[d->history_count] = d->history[d->history_count - 1];
    d->history_count++;
    return fault_folder_now(d);
}

static struct fault_name *folder_add(struct fault_folder *f, const char *text)
{
    ML_ASSERT(f->count < FAULT_NAMES_MAX && strlen(text) < FAULT_NAME_MAX);
    struct fault_name *n = &f->names[f->count++];
    snprintf(n->text, sizeof(n->text), "%s", text);
    return n;
}

void fault_folder_link(struct fault_folder *f, const char *text, struct fault_inode *inode)
{
    struct fault_name *n = fault_folder_find(f, text);
    if (n == NULL) {
        n = folder_add(f, text);
    }
    n->inode = inode;
}

void fault_folder_unlink(struct fault_folder *f, const char *text)
{
    struct fault_name *n = fault_folder_find(f, text);
    if (n != NULL) {
        *n = f->names[--f->count];
    }
}

void fault_folder_sync(struct fault_disk *d)
{
    d->history[0] = *fault_folder_now(d);
    d->history_count = 1;
}

/* ---- inodes ---- */

struct fault_inode *fault_inode_new(struct fault_disk *d)
{
    struct fault_inode *i = must(calloc(1, sizeof(*i)));
    i->number = ++d->last_number;
    i->next = d->inodes;
    d->inodes = i;
    return i;
}

static void changes_forget(struct fault_inode *i)
{
    for (size_t k = 0; k < i->change_count; k++) {
        free(i->changes[k].data);
    }
    free(i->changes);
    i->changes = NULL;
    i->change_count = 0;
}

struct bytes {
    uint8_t **at;
    size_t *len;
    size_t *room;
};

static struct bytes now_of(struct fault_inode *i)
{
    return (struct bytes){&i->now, &i->now_len, &i->now_room};
}

static struct bytes synced_of(struct fault_inode *i)
{
    return (struct bytes){&i->synced, &i->synced_len, &i->synced_room};
}

/* A file grows by pages: not each time by a copy of it. What is new up to `zeros` reads so. */
static void bytes_set(const struct bytes *b, size_t to, size_t zeros)
{
    if (to > *b->room) {
        *b->room = 2 * to + FAULT_ROOM;
        *b->at = must(realloc(*b->at, *b->room));
    }
    if (zeros > *b->len) {
        memset(*b->at + *b->len, 0, zeros - *b->len);
    }
    *b->len = to;
}

static void bytes_apply(struct bytes b, const struct fault_change *c, size_t part)
{
    if (c->data == NULL) {
        bytes_set(&b, (size_t)c->offset, (size_t)c->offset);
        return;
    }
    if (c->offset + part > *b.len) {
        bytes_set(&b, (size_t)c->offset + part, (size_t)c->offset);
    }
    if (part > 0 && *b.at != NULL) {
        memcpy(*b.at + c->offset, c->data, part);
    }
}

void fault_inode_change(struct fault_inode *i, uint64_t offset, const void *data, size_t len)
{
    i->changes = must(realloc(i->changes, (i->change_count + 1) * sizeof(*i->changes)));
    struct fault_change *c = &i->changes[i->change_count++];
    *c = (struct fault_change){.offset = offset, .len = len};
    if (data != NULL) {
        c->data = must(malloc(len + 1));
        memcpy(c->data, data, len);
    }
    bytes_apply(now_of(i), c, len);
}

static void all_synced(struct fault_inode *i)
{
    if (i->now_len + 1 > i->synced_room) {
        i->synced_room = i->now_len + 1;
        i->synced = must(realloc(i->synced, i->synced_room));
    }
    memcpy(i->synced, i->now == NULL ? i->synced : i->now, i->now_len);
    i->synced_len = i->now_len;
    i->poked = false;
    changes_forget(i);
}

/* What changed since the last time is little beside the file. */
void fault_inode_sync(struct fault_inode *i)
{
    if (i->poked) {
        all_synced(i);
        return;
    }
    for (size_t k = 0; k < i->change_count; k++) {
        bytes_apply(synced_of(i), &i->changes[k], i->changes[k].len);
    }
    changes_forget(i);
}

void fault_inode_free(struct fault_inode *i)
{
    changes_forget(i);
    free(i->now);
    free(i->synced);
    free(i);
}

/* ---- a power cut ---- */

static bool touches(const struct fault_change *c, size_t sector)
{
    uint64_t start = (uint64_t)sector * FAULT_SECTOR;
    if (c->data == NULL) {
        return c->offset <
               start + FAULT_SECTOR; /* what is cut off reads as zeros when it grows again */
    }
    return c->offset < start + FAULT_SECTOR && c->offset + c->len > start;
}

/* One sector after the first `count` changes that touch it. */
static void sector_replay(uint8_t out[FAULT_SECTOR], const struct fault_inode *i, size_t sector,
                          size_t count)
{
    uint64_t start = (uint64_t)sector * FAULT_SECTOR;
    memset(out, 0, FAULT_SECTOR);
    if (i->synced_len > start) {
        size_t left = i->synced_len - (size_t)start;
        memcpy(out, i->synced + start, left < FAULT_SECTOR ? left : FAULT_SECTOR);
    }
    for (size_t k = 0; k < i->change_count && count > 0; k++) {
        const struct fault_change *c = &i->changes[k];
        if (!touches(c, sector)) {
            continue;
        }
        count--;
        uint64_t from = c->offset > start ? c->offset : start;
        uint64_t end = c->data == NULL ? start + FAULT_SECTOR : c->offset + c->len;
        end = end < start + FAULT_SECTOR ? end : start + FAULT_SECTOR;
        if (c->data == NULL) {
            memset(out + (from - start), 0, (size_t)(end - from));
        } else {
            memcpy(out + (from - start), c->data + (from - c->offset), (size_t)(end - from));
        }
    }
}

/* A cut off part is a change of the file's metadata, which a journaled disk applies in order: the
 * first `kept` changes' truncations have happened, later ones haven't, nor what was written after
 * them (it went to new blocks). Between, a sector may stand at any of the writes on it. */
static size_t sector_choice(struct fault_disk *d, const struct fault_inode *i, size_t sector,
                            size_t kept)
{
    size_t least = 0;
    size_t most = 0;
    for (size_t k = 0; k < i->change_count; k++) {
        bool cuts = i->changes[k].data == NULL;
        if (cuts && k >= kept) {
            break;
        }
        most += touches(&i->changes[k], sector);
        least = cuts && touches(&i->changes[k], sector) ? most : least;
    }
    return least + (size_t)fault_random(d, most - least + 1);
}

static size_t size_after(const struct fault_inode *i, size_t count)
{
    size_t size = i->synced_len;
    for (size_t k = 0; k < count; k++) {
        const struct fault_change *c = &i->changes[k];
        size_t end = (size_t)c->offset + c->len;
        size = c->data == NULL || end > size ? end : size;
    }
    return size;
}

static void survive_random(struct fault_disk *d, struct fault_inode *i)
{
    size_t kept = (size_t)fault_random(d, i->change_count + 1);
    size_t size = size_after(i, kept);
    size_t sectors = (size + FAULT_SECTOR - 1) / FAULT_SECTOR;
    uint8_t *bytes = must(calloc(sectors + 1, FAULT_SECTOR));
    for (size_t s = 0; s < sectors; s++) {
        sector_replay(bytes + s * FAULT_SECTOR, i, s, sector_choice(d, i, s, kept));
    }
    free(i->now);
    i->now = bytes;
    i->now_len = size;
    i->now_room = (sectors + 1) * FAULT_SECTOR;
}

static void survive_prefix(struct fault_disk *d, struct fault_inode *i)
{
    size_t count = (size_t)fault_random(d, i->change_count + 1);
    free(i->now);
    i->now = NULL;
    i->now_len = 0;
    i->now_room = 0;
    const struct fault_change base = {.data = i->synced, .len = i->synced_len};
    if (i->synced != NULL) {
        bytes_apply(now_of(i), &base, base.len);
    }
    for (size_t k = 0; k < count; k++) {
        bytes_apply(now_of(i), &i->changes[k], i->changes[k].len);
    }
    if (count < i->change_count && i->changes[count].data != NULL) {
        const struct fault_change *c = &i->changes[count];
        size_t edge = FAULT_SECTOR - (size_t)(c->offset % FAULT_SECTOR);
        size_t torn = edge + FAULT_SECTOR * (size_t)fault_random(d, c->len / FAULT_SECTOR + 1);
        bytes_apply(now_of(i), c, torn < c->len ? torn : 0);
    }
}

static void survive(struct fault_disk *d, struct fault_inode *i, enum fault_keep keep)
{
    if (keep == FAULT_KEEP_SYNCED) {
        free(i->now);
        i->now_room = i->synced_len + 1;
        i->now = must(malloc(i->now_room));
        memcpy(i->now, i->synced == NULL ? i->now : i->synced, i->synced_len);
        i->now_len = i->synced_len;
    } else if (keep == FAULT_KEEP_PREFIX) {
        survive_prefix(d, i);
    } else if (keep == FAULT_KEEP_RANDOM) {
        survive_random(d, i);
    }
    if (keep == FAULT_KEEP_ALL) {
        fault_inode_sync(i);
    } else {
        all_synced(i);
    }
    i->sync_folder = false;
}

static size_t folder_survives(struct fault_disk *d, enum fault_keep keep)
{
    switch (keep) {
    case FAULT_KEEP_SYNCED:
        return 0;
    case FAULT_KEEP_ALL:
        return d->history_count - 1;
    case FAULT_KEEP_PREFIX:
    case FAULT_KEEP_RANDOM:
    default:
        return (size_t)fault_random(d, d->history_count);
    }
}

static void inodes_sweep(struct fault_disk *d)
{
    for (struct fault_inode **at = &d->inodes; *at != NULL;) {
        struct fault_inode *i = *at;
        bool used = i->handles > 0;
        for (size_t k = 0; k < fault_folder_now(d)->count; k++) {
            used = used || fault_folder_now(d)->names[k].inode == i;
        }
        if (used) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        fault_inode_free(i);
    }
}

void fault_disk_restart(struct fault_disk *d, enum fault_keep keep)
{
    ML_ASSERT(d->handles == 0);
    d->history[0] = d->history[folder_survives(d, keep)];
    d->history_count = 1;
    for (struct fault_inode *i = d->inodes; i != NULL; i = i->next) {
        survive(d, i, keep);
    }
    inodes_sweep(d);
    d->locked.count = 0;
    d->dead = false;
    d->cut_at = 0;
    d->changes = 0;
    fault_disk_plan(d, NULL);
}

/* ---- for tests ---- */

uint8_t *fault_disk_bytes(struct fault_disk *d, const char *name, size_t *len)
{
    static uint8_t none;
    struct fault_inode *i = fault_inode_find(d, name);
    if (i == NULL) {
        return NULL;
    }
    i->poked = true; /* what the caller does to them isn't among the changes */
    *len = i->now_len;
    return i->now == NULL ? &none : i->now;
}

void fault_disk_put(struct fault_disk *d, const char *name, const void *bytes, size_t len)
{
    struct fault_inode *i = fault_inode_find(d, name);
    if (i == NULL) {
        i = fault_inode_new(d);
        fault_folder_link(fault_folder_change(d), name, i);
    }
    const struct bytes now = now_of(i);
    if (len > 0) {
        bytes_set(&now, len, 0);
        memmove(i->now, bytes, len); /* `bytes` may be the file's own */
    }
    i->now_len = len;
    all_synced(i);
    fault_folder_sync(d);
}

void fault_disk_remove(struct fault_disk *d, const char *name)
{
    fault_folder_unlink(fault_folder_change(d), name);
    fault_folder_sync(d);
}

bool fault_disk_holds(struct fault_disk *d, const char *text)
{
    for (const struct fault_inode *i = d->inodes; i != NULL; i = i->next) {
        if (i->now_len > 0 && memmem(i->now, i->now_len, text, strlen(text)) != NULL) {
            return true;
        }
        if (i->synced_len > 0 && memmem(i->synced, i->synced_len, text, strlen(text)) != NULL) {
            return true;
        }
    }
    return false;
}
