/* core/store/vfs/seal.c -- keys, page and frame seals, the identity in page 1
 * (docs/storage/vfs.md).
 *
 * Every block ends in 48 reserved bytes: nonce 24, tag 16, key epoch 4, format 4. The associated
 * data binds a block to its file, place, key epoch and format; a frame also to its WAL's salts,
 * page 1 also to the 16 clear bytes before its body. Pages and frames have keys of their own, so
 * that one can't pass for the other.
 */
#include <string.h>

#include "core/base/buf.h"
#include "core/crypto/hash.h"
#include "core/crypto/random.h"
#include "core/store/vfs/internal.h"

#define KEY_BYTES   32u
#define CHECK_BYTES 8u
#define AD_MAX      (VFS_FILE_ID_BYTES + 12u + VFS_HEAD_BYTES)

_Static_assert(ML_VFS_KEY_BYTES == KEY_BYTES && ML_AEAD_KEY_BYTES == KEY_BYTES, "key sizes");
_Static_assert(ML_AEAD_NONCE_BYTES + ML_AEAD_TAG_BYTES + 8u == VFS_RESERVE_BYTES, "reserve");

static const uint8_t magic[VFS_HEAD_BYTES] = "SQLite format 3";

ml_err ml_vfs_derive_keys(struct ml_secret **out, const uint8_t key[ML_VFS_KEY_BYTES])
{
    static const char *const labels[VFS_KEYS] = {"maille/vfs/page/1", "maille/vfs/wal/1",
                                                 "maille/vfs/check/1", "maille/vfs/file/1"};
    struct ml_secret *keys = NULL;
    ml_err err = ml_secret_new(&keys, (size_t)VFS_KEYS * KEY_BYTES);
    if (err != ML_OK) {
        return err;
    }
    uint8_t epoch[4];
    ml_put_u32be(epoch, VFS_EPOCH);
    for (size_t i = 0; i < VFS_KEYS; i++) {
        const struct ml_slice parts[] = {ml_slice_str(labels[i]), {epoch, sizeof(epoch)}};
        ml_hash_parts(ml_secret_writable(keys) + i * KEY_BYTES, KEY_BYTES,
                      (struct ml_slice){key, KEY_BYTES}, parts, 2);
    }
    *out = keys;
    return ML_OK;
}

static const uint8_t *key_of(const struct ml_vfs *vfs, enum vfs_key which)
{
    return ml_secret_bytes(vfs->keys) + (size_t)which * KEY_BYTES;
}

static void head_check(const struct ml_vfs *vfs, uint8_t check[CHECK_BYTES], const uint8_t *salt)
{
    const struct ml_slice part = {salt, VFS_HEAD_BYTES - CHECK_BYTES};
    ml_hash_parts(check, CHECK_BYTES, (struct ml_slice){key_of(vfs, VFS_KEY_CHECK), KEY_BYTES},
                  &part, 1);
}

void ml_vfs_new_head(const struct ml_vfs *vfs, uint8_t head[VFS_HEAD_BYTES])
{
    ml_random(head, VFS_HEAD_BYTES - CHECK_BYTES);
    head_check(vfs, head + VFS_HEAD_BYTES - CHECK_BYTES, head);
}

bool ml_vfs_head_ok(const struct ml_vfs *vfs, const uint8_t head[VFS_HEAD_BYTES])
{
    uint8_t check[CHECK_BYTES];
    head_check(vfs, check, head);
    return ml_equal_ct(check, head + VFS_HEAD_BYTES - CHECK_BYTES, CHECK_BYTES);
}

void ml_vfs_file_id(const struct ml_vfs *vfs, uint8_t id[VFS_FILE_ID_BYTES],
                    const uint8_t head[VFS_HEAD_BYTES])
{
    const struct ml_slice part = {head, VFS_HEAD_BYTES - CHECK_BYTES};
    ml_hash_parts(id, VFS_FILE_ID_BYTES, (struct ml_slice){key_of(vfs, VFS_KEY_ID), KEY_BYTES},
                  &part, 1);
}

/* What differs between the three kinds of block: where the body lies, what its place binds. */
struct shape {
    size_t start;   /* of the sealed body in the block */
    size_t len;     /* of the sealed body */
    size_t reserve; /* where the 48 bytes lie */
    enum vfs_key key;
    uint8_t ad[AD_MAX];
    size_t ad_len;
};

static void shape_of(struct shape *s, const struct ml_vfs_db *db, const struct ml_vfs_block *block)
{
    bool frame = block->kind == VFS_BLOCK_FRAME;
    bool first = !frame && block->number == 1;
    s->start = first ? VFS_HEAD_BYTES : 0;
    s->reserve = frame ? VFS_FRAME_HEADER_BYTES + VFS_BODY_BYTES : VFS_BODY_BYTES;
    s->len = s->reserve - s->start;
    s->key = frame ? VFS_KEY_WAL : VFS_KEY_PAGE;
    uint8_t *ad = s->ad;
    memcpy(ad, db->file_id, VFS_FILE_ID_BYTES);
    ml_put_u32be(ad + VFS_FILE_ID_BYTES, block->number);
    ml_put_u32be(ad + VFS_FILE_ID_BYTES + 4, VFS_EPOCH);
    ml_put_u32be(ad + VFS_FILE_ID_BYTES + 8, VFS_FORMAT);
    s->ad_len = VFS_FILE_ID_BYTES + 12;
    if (frame) {
        memcpy(ad + s->ad_len, block->salts, VFS_SALTS_BYTES);
        s->ad_len += VFS_SALTS_BYTES;
    } else if (first) {
        memcpy(ad + s->ad_len, db->head, VFS_HEAD_BYTES);
        s->ad_len += VFS_HEAD_BYTES;
    }
}

static void nonce_take(struct ml_vfs_db *db, uint8_t nonce[ML_AEAD_NONCE_BYTES])
{
    pthread_mutex_lock(&db->mutex);
    if (db->nonces_left == 0) {
        ml_random(db->nonces, sizeof(db->nonces));
        db->nonces_left = VFS_NONCES;
    }
    db->nonces_left--;
    memcpy(nonce, db->nonces[db->nonces_left], ML_AEAD_NONCE_BYTES);
    pthread_mutex_unlock(&db->mutex);
}

void ml_vfs_seal(struct ml_vfs_db *db, const struct ml_vfs_block *block, uint8_t *out,
                 const uint8_t *plain)
{
    struct shape s;
    shape_of(&s, db, block);
    uint8_t *nonce = out + s.reserve;
    uint8_t *tag = nonce + ML_AEAD_NONCE_BYTES;
    nonce_take(db, nonce);
    ml_put_u32be(tag + ML_AEAD_TAG_BYTES, VFS_EPOCH);
    ml_put_u32be(tag + ML_AEAD_TAG_BYTES + 4, VFS_FORMAT);
    if (s.start > 0) {
        memcpy(out, db->head, VFS_HEAD_BYTES);
    }
    const uint8_t *nonce_and_key[2] = {nonce, key_of(db->vfs, s.key)};
    ml_aead_seal_detached(out + s.start, tag, (struct ml_slice){plain + s.start, s.len},
                          (struct ml_slice){s.ad, s.ad_len}, nonce_and_key);
}

bool ml_vfs_open(const struct ml_vfs_db *db, const struct ml_vfs_block *block, uint8_t *out,
                 const uint8_t *sealed)
{
    struct shape s;
    shape_of(&s, db, block);
    const uint8_t *nonce = sealed + s.reserve;
    const uint8_t *tag = nonce + ML_AEAD_NONCE_BYTES;
    if (ml_get_u32be(tag + ML_AEAD_TAG_BYTES) != VFS_EPOCH ||
        ml_get_u32be(tag + ML_AEAD_TAG_BYTES + 4) != VFS_FORMAT ||
        (s.start > 0 && memcmp(sealed, db->head, VFS_HEAD_BYTES) != 0)) {
        return false;
    }
    const uint8_t *nonce_and_key[2] = {nonce, key_of(db->vfs, s.key)};
    if (ml_aead_open_detached(out + s.start, tag, (struct ml_slice){sealed + s.start, s.len},
                              (struct ml_slice){s.ad, s.ad_len}, nonce_and_key) != ML_OK) {
        return false;
    }
    if (s.start > 0) {
        memcpy(out, magic, VFS_HEAD_BYTES);
    }
    memset(out + s.reserve, 0, VFS_RESERVE_BYTES);
    return true;
}

bool ml_vfs_page1_ok(const uint8_t *page)
{
    return memcmp(page, magic, VFS_HEAD_BYTES) == 0 && page[16] == VFS_PAGE_BYTES / 256u &&
           page[17] == 0 && page[18] == 2 && page[19] == 2 && page[20] == VFS_RESERVE_BYTES;
}

/* SQLite's own first page (newDatabase() of btree.c), but WAL (versions 2) and with a reserve. */
void ml_vfs_page1_new(uint8_t page[VFS_PAGE_BYTES])
{
    memset(page, 0, VFS_PAGE_BYTES);
    memcpy(page, magic, VFS_HEAD_BYTES);
    page[16] = VFS_PAGE_BYTES / 256u;
    page[18] = 2; /* write version */
    page[19] = 2; /* read version */
    page[20] = VFS_RESERVE_BYTES;
    page[21] = 64; /* the payload fractions are constants of the format */
    page[22] = 32;
    page[23] = 32;
    page[31] = 1;                      /* pages in the file */
    page[100] = 0x0d;                  /* an empty table leaf: the schema */
    page[105] = VFS_BODY_BYTES / 256u; /* its cells end where the reserve begins */
    page[106] = VFS_BODY_BYTES % 256u;
}
