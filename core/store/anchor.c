/* core/store/anchor.c -- see anchor.h. The file is replaced whole at each rise: a few kilobytes, at
 * most one rise for each offer. Memory changes only after the disk did. */
#include "core/store/anchor.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/file.h"
#include "core/crypto/hash.h"

#define HEAD_BYTES  8u
#define ENTRY_BYTES 21u
#define MAC_BYTES   32u
#define FILE_MAX    (HEAD_BYTES + ML_ANCHOR_CHAINS_MAX * ENTRY_BYTES + MAC_BYTES)

static const uint8_t magic[4] = {'M', 'L', 'A', '1'};

struct entry {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t seq;
};

struct ml_anchor {
    const struct ml_env *env;
    const struct ml_secret *key;
    char *path; /* owned */
    size_t count;
    struct entry entries[ML_ANCHOR_CHAINS_MAX];
};

static void mac_of(const struct ml_anchor *a, uint8_t out[MAC_BYTES], struct ml_slice bytes)
{
    ml_hash_parts(out, MAC_BYTES, ml_slice(ml_secret_bytes(a->key), ml_secret_len(a->key)), &bytes,
                  1);
}

static ml_err encode(const struct ml_anchor *a, struct ml_buf *out)
{
    ml_buf_append(out, magic, sizeof(magic));
    ml_buf_u32be(out, (uint32_t)a->count);
    for (size_t i = 0; i < a->count; i++) {
        ml_buf_append(out, a->entries[i].writer.b, sizeof(a->entries[i].writer.b));
        ml_buf_u8(out, a->entries[i].lane);
        ml_buf_u32be(out, a->entries[i].seq);
    }
    if (out->err == ML_OK) {
        uint8_t mac[MAC_BYTES];
        mac_of(a, mac, ml_buf_slice(out));
        ml_buf_append(out, mac, sizeof(mac));
    }
    return out->err;
}

static bool decode(struct ml_anchor *a, struct ml_slice in)
{
    uint8_t mac[MAC_BYTES];
    if (in.len < HEAD_BYTES + MAC_BYTES || memcmp(in.data, magic, sizeof(magic)) != 0) {
        return false;
    }
    const size_t signed_len = in.len - MAC_BYTES;
    const uint32_t count = ml_get_u32be(in.data + 4);
    mac_of(a, mac, ml_slice(in.data, signed_len));
    if (count > ML_ANCHOR_CHAINS_MAX || signed_len != HEAD_BYTES + (size_t)count * ENTRY_BYTES ||
        !ml_equal_ct(mac, in.data + signed_len, sizeof(mac))) {
        return false;
    }
    for (a->count = 0; a->count < count; a->count++) {
        const uint8_t *p = in.data + HEAD_BYTES + a->count * ENTRY_BYTES;
        struct entry *e = &a->entries[a->count];
        memcpy(e->writer.b, p, sizeof(e->writer.b));
        e->lane = p[16];
        e->seq = ml_get_u32be(p + 17);
    }
    return true;
}

static ml_err load(struct ml_anchor *a)
{
    struct ml_buf bytes;
    ml_buf_init(&bytes, a->env, (size_t)FILE_MAX * 2);
    ml_err err = ml_file_read(&bytes, a->env, a->path);
    if (err == ML_OK && !decode(a, ml_buf_slice(&bytes))) {
        err = ML_E_CORRUPT;
    }
    ml_buf_free(&bytes);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

ml_err ml_anchor_open(struct ml_anchor **out, const struct ml_env *env, const char *path,
                      const struct ml_secret *mac_key)
{
    struct ml_anchor *a = ml_alloc(env, sizeof(*a));
    if (a == NULL) {
        return ML_E_NOMEM;
    }
    a->env = env;
    a->key = mac_key;
    a->path = ml_copy(env, path, strlen(path));
    ml_err err = a->path == NULL ? ML_E_NOMEM : load(a);
    if (err != ML_OK) {
        ml_anchor_close(a);
        return err;
    }
    *out = a;
    return ML_OK;
}

void ml_anchor_close(struct ml_anchor *a)
{
    if (a != NULL) {
        ml_release(a->env, a->path);
        ml_release(a->env, a);
    }
}

static size_t index_of(const struct ml_anchor *a, const struct ml_writer_id *writer, uint8_t lane)
{
    size_t i = 0;
    while (i < a->count && (a->entries[i].lane != lane ||
                            memcmp(a->entries[i].writer.b, writer->b, sizeof(writer->b)) != 0)) {
        i++;
    }
    return i;
}

uint32_t ml_anchor_get(const struct ml_anchor *a, const struct ml_writer_id *writer, uint8_t lane)
{
    size_t i = index_of(a, writer, lane);
    return i < a->count ? a->entries[i].seq : 0;
}

bool ml_anchor_at(const struct ml_anchor *a, size_t i, struct ml_dep *out)
{
    if (i >= a->count) {
        return false;
    }
    const struct entry *e = &a->entries[i];
    *out = (struct ml_dep){.writer = e->writer, .lane = e->lane, .seq = e->seq};
    return true;
}

ml_err ml_anchor_raise(struct ml_anchor *a, const struct ml_writer_id *writer, uint8_t lane,
                       uint32_t seq)
{
    struct ml_buf bytes;
    const size_t i = index_of(a, writer, lane);
    const size_t count_before = a->count;
    if (i == ML_ANCHOR_CHAINS_MAX) {
        return ML_E_LIMIT;
    }
    const struct entry before = a->entries[i];
    if (i < a->count && seq <= before.seq) {
        return ML_OK;
    }
    a->entries[i] = (struct entry){*writer, lane, seq};
    a->count = i == a->count ? a->count + 1 : a->count;
    ml_buf_init(&bytes, a->env, FILE_MAX);
    ml_err err = encode(a, &bytes);
    if (err == ML_OK) {
        err = ml_file_replace(a->env, a->path, ml_buf_slice(&bytes));
    }
    ml_buf_free(&bytes);
    if (err != ML_OK) {
        a->entries[i] = before;
        a->count = count_before;
    }
    return err;
}
