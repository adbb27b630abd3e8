/* core/store/vfs/wal_scan.c -- is a frame that doesn't open a torn tail, or damage? (rules C2)
 *
 * With synchronous=FULL a commit is fsynced before the next transaction writes. So two commits in
 * one run of frames that open and whose checksums chain, beyond the frame in question, prove that
 * the first of the two was durable, and with it every frame before it: damage. Fewer prove
 * nothing (a power cut may keep a later sector and lose an earlier one): the log ends there.
 *
 * Any later run counts, not only one that starts at the next slot: a bad sector of 4096 bytes
 * touches two frames.
 */
#include <string.h>

#include "core/base/buf.h"
#include "core/store/vfs/internal.h"

#define WAL_MAGIC   0x377f0682u /* its lowest bit: checksums over big-endian words */
#define WAL_VERSION 3007000u
#define COMMITS_MIN 2u

struct sums {
    bool big;
    uint32_t s1;
    uint32_t s2;
};

static uint32_t word_at(const uint8_t *p, bool big)
{
    if (big) {
        return ml_get_u32be(p);
    }
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The checksum of sqlite.org/fileformat2.html 4.2; len is a multiple of 8. */
static void sums_add(struct sums *s, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        s->s1 += word_at(p + i, s->big) + s->s2;
        s->s2 += word_at(p + i + 4, s->big) + s->s1;
    }
}

bool ml_vfs_wal_header_ok(const uint8_t header[VFS_WAL_HEADER_BYTES])
{
    uint32_t magic = ml_get_u32be(header);
    if ((magic & ~1u) != WAL_MAGIC || ml_get_u32be(header + 4) != WAL_VERSION ||
        ml_get_u32be(header + 8) != VFS_PAGE_BYTES) {
        return false;
    }
    struct sums s = {.big = (magic & 1u) != 0};
    sums_add(&s, header, 24);
    return s.s1 == ml_get_u32be(header + 24) && s.s2 == ml_get_u32be(header + 28);
}

/* The frame in w->frame continues the sums; false starts a new run with it. */
static bool chains(struct sums *s, const uint8_t *frame)
{
    struct sums next = *s;
    sums_add(&next, frame, 8);
    sums_add(&next, frame + VFS_FRAME_HEADER_BYTES, VFS_PAGE_BYTES);
    bool same = next.s1 == ml_get_u32be(frame + 16) && next.s2 == ml_get_u32be(frame + 20);
    s->s1 = ml_get_u32be(frame + 16);
    s->s2 = ml_get_u32be(frame + 20);
    return same;
}

/* Damage, or the end of the frames between `slot` and `last`. */
static int scan(struct ml_vfs_wal *w, struct sums s, uint32_t slot, uint32_t last)
{
    unsigned commits = 0;
    while (slot < last) {
        slot++;
        int rc = ml_vfs_frame_load(w, slot);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_DATA) {
            return rc;
        }
        if (rc == SQLITE_IOERR_DATA) {
            commits = 0;
            s.s1 = s.s2 = 0;
            continue;
        }
        if (!chains(&s, w->frame)) {
            commits = 0;
        }
        commits += ml_get_u32be(w->frame + 4) != 0;
        if (commits >= COMMITS_MIN) {
            return SQLITE_IOERR_DATA;
        }
    }
    return SQLITE_OK;
}

int ml_vfs_wal_damage_at(struct ml_vfs_wal *w, uint32_t slot, bool *damage)
{
    uint8_t header[VFS_WAL_HEADER_BYTES];
    sqlite3_int64 size = 0;
    int rc = w->base->pMethods->xRead(w->base, header, (int)sizeof(header), 0);
    if (rc == SQLITE_OK) {
        rc = w->base->pMethods->xFileSize(w->base, &size);
    }
    if (rc != SQLITE_OK) {
        return ml_vfs_fail_base(w->db->vfs, rc, "WAL, looking behind frame", slot);
    }
    sqlite3_int64 last = (size - (sqlite3_int64)VFS_WAL_HEADER_BYTES) / VFS_FRAME_BYTES;
    const struct sums s = {.big = (header[3] & 1u) != 0};
    rc = scan(w, s, slot, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    *damage = rc == SQLITE_IOERR_DATA;
    return *damage ? SQLITE_OK : rc;
}
