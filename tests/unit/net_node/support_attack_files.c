/* support_attack_files.c -- what lies in folders: databases (docs/storage/vfs.md), keystores
 * (docs/crypto.md 8), trace journals (docs/storage/log.md); see support_attack.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_id.h"
#include "core/crypto/keystore_file.h"
#include "core/crypto/keystore_inner.h"
#include "net/node/secrets.h"
#include "net/node/state.h"
#include "support_attack.h"

enum { PAGE = 4096, FRAME = 4120, RESERVE = 48, WAL_HEAD = 32, PATH_BYTES = 1024, FOLDERS = 8 };

void attack_kdf(uint8_t out[32], const char *label, const uint8_t in[32], struct ml_slice context)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/kdf/"), ml_slice_str(label),
                                     ml_slice_str("/1"), context};
    ml_hash_parts(out, 32, ml_slice(in, 32), parts, 4);
}

/* ---- folders ---- */

static void file_read(struct attack *a, unsigned node, const char *path)
{
    attack_must(a->file_count < ATTACK_FILES);
    struct attack_file *f = &a->files[a->file_count++];
    struct stat st;
    FILE *file = fopen(path, "rb");
    ML_ASSERT(file != NULL && stat(path, &st) == 0);
    f->node = node;
    f->len = (size_t)st.st_size;
    f->bytes = calloc(1, f->len + 1);
    attack_must(f->bytes != NULL && fread(f->bytes, 1, f->len, file) == f->len);
    attack_must(fclose(file) == 0);
    snprintf(f->path, sizeof(f->path), "%s", path + strlen(a->c->folder));
}

struct folders {
    char todo[FOLDERS][PATH_BYTES];
    unsigned count;
};

static void entry_read(struct attack *a, unsigned node, const char *path, struct folders *folders)
{
    struct stat st;
    const char *name = strrchr(path, '/') + 1;
    attack_must(lstat(path, &st) == 0);
    if (S_ISREG(st.st_mode)) {
        file_read(a, node, path);
    } else if (S_ISDIR(st.st_mode) && name[0] != '.') {
        attack_must(folders->count < FOLDERS && strlen(path) < PATH_BYTES);
        memcpy(folders->todo[folders->count++], path, strlen(path) + 1);
    }
}

static DIR *folder_open(const char *path)
{
    DIR *dir = opendir(path);
    ML_ASSERT(dir != NULL);
    return dir;
}

/* Without following what is no folder; as deep as a home is. */
static void folder_read(struct attack *a, unsigned node, const char *path)
{
    struct folders folders = {.count = 1};
    snprintf(folders.todo[0], sizeof(folders.todo[0]), "%s", path);
    while (folders.count > 0) {
        char here[PATH_BYTES];
        memcpy(here, folders.todo[--folders.count], sizeof(here));
        DIR *dir = folder_open(here);
        const struct dirent *e = NULL;
        while ((e = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
            char name[2 * PATH_BYTES];
            snprintf(name, sizeof(name), "%s/%s", here, e->d_name);
            entry_read(a, node, name, &folders);
        }
        closedir(dir);
    }
}

/* ---- databases ---- */

static bool ends_with(const struct attack_file *f, const char *end)
{
    const size_t len = strlen(f->path);
    const size_t end_len = strlen(end);
    return len >= end_len && strcmp(f->path + len - end_len, end) == 0;
}

bool attack_is_database(const struct attack_file *f)
{
    return f->len > 0 && (ends_with(f, ".db") || ends_with(f, ".db-wal"));
}

static void vfs_key(uint8_t out[32], const char *label, const uint8_t key[32])
{
    static const uint8_t epoch[] = {0, 0, 0, 1};
    const struct ml_slice parts[] = {ml_slice_str(label), ml_slice(epoch, sizeof(epoch))};
    ml_hash_parts(out, 32, ml_slice(key, 32), parts, 2);
}

struct block {
    uint8_t key[32];
    uint8_t ad[16 + 12 + 16];
    size_t ad_len;
    struct ml_slice sealed; /* without its reserve */
    const uint8_t *reserve;
};

static bool block_opens(struct attack *a, const struct block *b)
{
    const uint8_t *nonce_and_key[2] = {b->reserve, b->key};
    a->tried++;
    return ml_aead_open_detached(a->room, b->reserve + 24, b->sealed, ml_slice(b->ad, b->ad_len),
                                 nonce_and_key) == ML_OK;
}

/* The database that a WAL belongs to; itself of a database. */
static const struct attack_file *main_of(const struct attack *a, const struct attack_file *f)
{
    const size_t len = strlen(f->path) - (ends_with(f, "-wal") ? 4 : 0);
    for (unsigned i = 0; i < a->file_count; i++) {
        if (strlen(a->files[i].path) == len && strncmp(a->files[i].path, f->path, len) == 0) {
            return &a->files[i];
        }
    }
    return NULL;
}

static void file_id(uint8_t id[16], const struct attack_file *database, const uint8_t key[32])
{
    uint8_t file_key[32];
    const struct ml_slice salt = ml_slice(database->bytes, 8);
    vfs_key(file_key, "maille/vfs/file/1", key);
    ml_hash_parts(id, 16, ml_slice(file_key, 32), &salt, 1);
}

/* Page or frame `number` of the file: its place bound as docs/storage/vfs.md draws it. */
static void block_at(struct block *b, const struct attack_file *f, uint32_t number, bool wal)
{
    const size_t size = wal ? FRAME : PAGE;
    const uint8_t *at = f->bytes + (wal ? WAL_HEAD : 0) + (size_t)(number - 1) * size;
    const size_t skip = !wal && number == 1 ? 16 : 0;
    ml_put_u32be(b->ad + 16, number);
    ml_put_u32be(b->ad + 20, 1);
    ml_put_u32be(b->ad + 24, 1);
    b->ad_len = 28;
    if (wal) {
        memcpy(b->ad + b->ad_len, f->bytes + 16, 8);
        b->ad_len += 8;
    } else if (skip > 0) {
        memcpy(b->ad + b->ad_len, at, skip);
        b->ad_len += skip;
    }
    b->reserve = at + size - RESERVE;
    b->sealed = ml_slice(at + skip, size - RESERVE - skip);
}

unsigned attack_pages(struct attack *a, const struct attack_file *f, const uint8_t key[32],
                      bool all, unsigned *of)
{
    const bool wal = ends_with(f, "-wal");
    const struct attack_file *database = main_of(a, f);
    struct block b;
    unsigned opens = 0;
    const size_t count = wal ? f->len < WAL_HEAD ? 0 : (f->len - WAL_HEAD) / FRAME : f->len / PAGE;
    *of = (unsigned)count;
    if (database == NULL || database->len < PAGE) {
        return 0;
    }
    vfs_key(b.key, wal ? "maille/vfs/wal/1" : "maille/vfs/page/1", key);
    file_id(b.ad, database, key);
    for (uint32_t n = 1; n <= count && (all || n == 1); n++) {
        block_at(&b, f, n, wal);
        opens += block_opens(a, &b);
    }
    return opens;
}

/* ---- keystores ---- */

static struct attack_target *in_keystore(struct attack *a, enum attack_kind kind,
                                         const struct ks_ad *ad, struct ml_slice sealed,
                                         const uint8_t nonce[24])
{
    struct attack_target *t = attack_target(a, kind, sealed, ml_slice(ad->b, sizeof(ad->b)));
    t->form = ATTACK_UNDER_KEY;
    memcpy(t->nonce, nonce, sizeof(t->nonce));
    return t;
}

static void wrap_read(struct attack *a, enum attack_kind kind, const struct ks_ad *ad,
                      const struct ks_wrap *w)
{
    in_keystore(a, kind, ad, ml_slice(w->sealed, sizeof(w->sealed)), w->nonce);
}

static void section_read(struct attack *a, enum attack_kind kind, const struct ks_ad *ad,
                         const struct ks_section *s)
{
    if (s->len > ML_AEAD_NONCE_BYTES) {
        in_keystore(a, kind, ad,
                    ml_slice(s->data + ML_AEAD_NONCE_BYTES, s->len - ML_AEAD_NONCE_BYTES), s->data);
    }
}

static void member_read(struct attack *a, const struct ml_keystore *ks, const struct ks_member *m)
{
    struct ks_ad ad;
    for (unsigned i = 0; i < KS_SLOTS_MAX; i++) {
        const struct ks_slot *s = &m->slot[i];
        if (s->used) {
            const bool phrase = s->type == ML_SLOT_TYPE_PASSPHRASE;
            ad = ml_ks_ad(ks, (uint8_t)s->type, &m->id, phrase ? s : NULL);
            wrap_read(a, ATTACK_SLOT, &ad, &s->wrap);
        }
    }
    ad = ml_ks_ad(ks, KS_PART_NODE_WRAP, &m->id, NULL);
    wrap_read(a, ATTACK_NODE_WRAP, &ad, &m->node);
    ad = ml_ks_ad(ks, KS_PART_MEMBER_SECTION, &m->id, NULL);
    section_read(a, ATTACK_MEMBER_SECTION, &ad, &m->section);
}

static void keystore_read(struct attack *a, const struct attack_file *f)
{
    struct ml_keystore *ks = NULL;
    const unsigned from = a->target_count;
    ml_err err = ml_keystore_decode(&ks, ml_env_system(), ml_slice(f->bytes, f->len), NULL);
    attack_must(err == ML_OK);
    for (size_t i = 0; i < ks->member_count; i++) {
        member_read(a, ks, ks->member[i]);
    }
    const struct ks_ad ad = ml_ks_ad(ks, KS_PART_NODE_SECTION, NULL, NULL);
    section_read(a, ATTACK_NODE_SECTION, &ad, &ks->section);
    for (unsigned t = from; t < a->target_count; t++) {
        a->targets[t].node = f->node;
        a->targets[t].where = 1u << f->node;
    }
    ml_keystore_free(ks);
}

/* ---- trace journals ---- */

enum { JOURNAL_HEAD = 4 + 16 + 8 + 24 + 16, RECORD_HEAD = 8 + 4 + 24 };

static void journal_read(struct attack *a, const struct attack_file *f)
{
    size_t at = JOURNAL_HEAD;
    while (f->len >= at + RECORD_HEAD) {
        uint8_t ad[28];
        const size_t len = ml_get_u32be(f->bytes + at + 8);
        if (len + RECORD_HEAD > f->len - at) {
            return;
        }
        memcpy(ad, f->bytes, 20);
        memcpy(ad + 20, f->bytes + at, 8);
        struct attack_target *t =
            attack_target(a, ATTACK_JOURNAL, ml_slice(f->bytes + at + RECORD_HEAD, len),
                          ml_slice(ad, sizeof(ad)));
        t->form = ATTACK_UNDER_KEY;
        t->node = f->node;
        t->where = 1u << f->node;
        memcpy(t->nonce, f->bytes + at + 12, sizeof(t->nonce));
        at += RECORD_HEAD + len;
    }
}

void attack_read_files(struct attack *a)
{
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        folder_read(a, n, a->c->nodes[n].home);
        folder_read(a, n, a->c->nodes[n].state);
    }
    for (unsigned i = 0; i < a->file_count; i++) {
        if (ends_with(&a->files[i], "/keystore") || ends_with(&a->files[i], "/keystore.twin")) {
            keystore_read(a, &a->files[i]);
        } else if (ends_with(&a->files[i], "/trace.journal")) {
            journal_read(a, &a->files[i]);
        }
    }
}

/* ---- what a keystore gives to who has its passphrase ---- */

static void start_key(struct attack *a, struct attack_start *s, const struct ml_secret *key,
                      enum attack_kind origin)
{
    s->keys[s->count++] = attack_key(a, ml_secret_bytes(key), origin);
}

static void start_sections(struct attack *a, struct attack_start *s, struct ml_keystore *ks)
{
    struct ml_secret *bytes = NULL;
    struct ml_member_secrets mine = {0};
    struct ml_node_secrets node = {0};
    ml_err err = ml_keystore_get_section(ks, &s->member, &bytes);
    err = err == ML_OK ? ml_member_secrets_decode(&mine, bytes) : err;
    ml_secret_free(bytes);
    bytes = NULL;
    err = err == ML_OK ? ml_keystore_get_section(ks, NULL, &bytes) : err;
    err = err == ML_OK ? ml_node_secrets_decode(&node, bytes) : err;
    attack_must(err == ML_OK);
    ml_secret_free(bytes);
    start_key(a, s, mine.mon_box, ATTACK_MEMBER_SECTION);
    start_key(a, s, node.noise, ATTACK_NODE_SECTION);
    start_key(a, s, node.network, ATTACK_NODE_SECTION);
    struct ml_sign_pk pk;
    ml_sign_pk_of(&pk, mine.writer);
    s->writer = ml_writer_id_of(&pk);
    ml_member_secrets_free(&mine);
    ml_node_secrets_free(&node);
}

static void start_files(struct attack *a, struct attack_start *s, const struct ml_keystore *ks,
                        const struct ml_secret *mmk)
{
    uint8_t of[48];
    memcpy(of, a->org.b, 32);
    memcpy(of + 32, s->member.b, 16);
    attack_kdf(s->file_keys[0], "log-db", ml_secret_bytes(ks->nmk), ml_slice(of, 32));
    attack_kdf(s->file_keys[1], "vault", ml_secret_bytes(mmk), ml_slice(of, sizeof(of)));
    attack_kdf(s->file_keys[2], "drafts", ml_secret_bytes(mmk), ml_slice(of, sizeof(of)));
}

static struct ml_keystore *keystore_of(const struct attack *a, unsigned node)
{
    struct ml_keystore *ks = NULL;
    for (unsigned i = 0; i < a->file_count && ks == NULL; i++) {
        if (a->files[i].node == node && ends_with(&a->files[i], "/keystore")) {
            ml_err err = ml_keystore_decode(&ks, ml_env_system(),
                                            ml_slice(a->files[i].bytes, a->files[i].len), NULL);
            attack_must(err == ML_OK);
        }
    }
    return ks;
}

bool attack_begin(struct attack *a, unsigned node, const char *member, const char *passphrase)
{
    struct ml_keystore *ks = keystore_of(a, node);
    ML_ASSERT(ks != NULL && a->start_count < ATTACK_STARTS);
    struct attack_start *s = &a->starts[a->start_count];
    memset(s, 0, sizeof(*s));
    s->node = node;
    ml_err err = ml_hex_decode(s->member.b, sizeof(s->member.b), member, strlen(member));
    attack_must(err == ML_OK);
    err = ml_keystore_unlock(ks, &s->member, ml_slice_str(passphrase));
    for (size_t i = 0; err == ML_OK && i < ks->member_count; i++) {
        if (ks->member[i]->mmk != NULL) {
            start_key(a, s, ks->member[i]->mmk, ATTACK_SLOT);
            start_files(a, s, ks, ks->member[i]->mmk);
        }
    }
    if (err == ML_OK) {
        start_key(a, s, ks->nmk, ATTACK_NODE_WRAP);
        start_sections(a, s, ks);
        a->start_count++;
    }
    ml_keystore_free(ks);
    return err == ML_OK;
}

unsigned attack_unlocks(const struct attack *a, const char *member, const char *passphrase,
                        const struct ml_secret *words)
{
    unsigned opens = 0;
    struct ml_member_id id;
    ml_err err = ml_hex_decode(id.b, sizeof(id.b), member, strlen(member));
    attack_must(err == ML_OK);
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        struct ml_keystore *ks = keystore_of(a, n);
        err = words != NULL ? ml_keystore_unlock_recovery(ks, &id, words)
                            : ml_keystore_unlock(ks, &id, ml_slice_str(passphrase));
        attack_must(err == ML_OK || err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND);
        opens += err == ML_OK;
        ml_keystore_free(ks);
    }
    return opens;
}

/* ---- keys in clear ---- */

static bool is_key(const struct attack *a, const uint8_t *at)
{
    for (unsigned i = 0; i < a->key_count; i++) {
        if (memcmp(a->keys[i].b, at, 32) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned clear_in(const struct attack *a, const struct attack_file *f, const bool *begins)
{
    unsigned found = 0;
    for (size_t at = 0; at + 32 <= f->len; at++) {
        if (begins[f->bytes[at] << 8 | f->bytes[at + 1]] && is_key(a, f->bytes + at)) {
            fprintf(stderr, "a key stands in clear in %s at %zu\n", f->path, at);
            found++;
        }
    }
    return found;
}

unsigned attack_keys_in_clear(const struct attack *a)
{
    static bool begins[1 << 16];
    unsigned found = 0;
    memset(begins, 0, sizeof(begins));
    for (unsigned i = 0; i < a->key_count; i++) {
        begins[a->keys[i].b[0] << 8 | a->keys[i].b[1]] = true;
    }
    for (unsigned i = 0; i < a->file_count; i++) {
        found += clear_in(a, &a->files[i], begins);
    }
    return found;
}
