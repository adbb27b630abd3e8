/* support_attack.c -- see support_attack.h. Keys, what is sealed, and one tried on the other. */
#include "support_attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "net/node/secrets.h"
#include "net/node/state.h"

enum { ROOM_BYTES = 1 << 17 };

const char *const attack_kind_names[ATTACK_KIND_COUNT] = {
#define X(name, text) [ATTACK_##name] = (text),
    ATTACK_KINDS(X)
#undef X
};

static void *make(size_t count, size_t size)
{
    void *out = calloc(count, size);
    attack_must(out != NULL);
    return out;
}

void attack_init(struct attack *a, struct cluster *c)
{
    memset(a, 0, sizeof(*a));
    a->c = c;
    a->org = cluster_org(c, 0)->id;
    a->keys = make(ATTACK_KEYS, sizeof(*a->keys));
    a->targets = make(ATTACK_TARGETS, sizeof(*a->targets));
    a->bundles = make(ATTACK_BUNDLES, sizeof(*a->bundles));
    a->epochs = make(ATTACK_EPOCHS, sizeof(*a->epochs));
    a->streams = make(ATTACK_STREAMS, sizeof(*a->streams));
    a->files = make(ATTACK_FILES, sizeof(*a->files));
    a->room = make(ROOM_BYTES, 1);
}

void attack_free(struct attack *a)
{
    for (unsigned i = 0; i < a->key_count; i++) {
        ml_secret_free(a->keys[i].box);
    }
    for (unsigned i = 0; i < a->target_count; i++) {
        free(a->targets[i].bytes);
        free(a->targets[i].plain);
        free(a->targets[i].gives);
    }
    for (unsigned i = 0; i < a->file_count; i++) {
        free(a->files[i].bytes);
    }
    free(a->keys);
    free(a->targets);
    free(a->bundles);
    free(a->epochs);
    free(a->streams);
    free(a->files);
    free(a->room);
}

/* ---- keys ---- */

/* Of a KEK the deposit secret that it gives; else what is one itself. */
static void box_of(struct attack_key *k)
{
    uint8_t secret[32];
    const bool kek =
        k->origin == ATTACK_EPOCH || k->origin == ATTACK_GRANT || k->origin == ATTACK_OLDER;
    k->wide = k->origin == ATTACK_MEMBER_SECTION || k->origin == ATTACK_NODE_SECTION ||
              k->origin == ATTACK_PAIR;
    if (!kek && !k->wide && k->origin != ATTACK_GLASS_SECRET) {
        return;
    }
    memcpy(secret, k->b, sizeof(secret));
    if (kek) {
        attack_kdf(secret, "kek-deposit", k->b, ml_slice(NULL, 0));
    }
    ml_err err = ml_secret_from(&k->box, secret, sizeof(secret));
    attack_must(err == ML_OK);
    ml_box_pk_of(&k->pk, k->box);
    const struct ml_recipient_id id = ml_recipient_id_of(&k->pk);
    memcpy(k->recipient, id.b, sizeof(k->recipient));
}

unsigned attack_key(struct attack *a, const uint8_t b[32], enum attack_kind origin)
{
    for (unsigned i = 0; i < a->key_count; i++) {
        if (memcmp(a->keys[i].b, b, 32) == 0) {
            return i;
        }
    }
    attack_must(a->key_count < ATTACK_KEYS);
    struct attack_key *k = &a->keys[a->key_count];
    memcpy(k->b, b, sizeof(k->b));
    k->origin = origin;
    k->id = ml_key_id_of_bytes(b);
    box_of(k);
    return a->key_count++;
}

struct attack_target *attack_target(struct attack *a, enum attack_kind kind, struct ml_slice sealed,
                                    struct ml_slice ad)
{
    attack_must(a->target_count < ATTACK_TARGETS && sealed.len <= ROOM_BYTES);
    struct attack_target *t = &a->targets[a->target_count++];
    t->kind = kind;
    t->bytes = make(sealed.len + ad.len + 1, 1);
    memcpy(t->bytes, sealed.data, sealed.len);
    if (ad.len > 0) {
        memcpy(t->bytes + sealed.len, ad.data, ad.len);
    }
    t->sealed_len = sealed.len;
    t->ad_len = ad.len;
    return t;
}

/* ---- what opens gives keys ---- */

static void give(struct attack *a, struct attack_target *t, const uint8_t *keys, size_t count)
{
    t->gives = make(count + 1, sizeof(*t->gives));
    for (size_t i = 0; i < count; i++) {
        t->gives[t->gives_count++] = attack_key(a, keys + 32 * i, t->kind);
    }
}

static void give_secrets(struct attack *a, struct attack_target *t, struct ml_secret *const *all,
                         size_t count)
{
    uint8_t keys[8 * 32];
    attack_must(count <= 8);
    for (size_t i = 0; i < count; i++) {
        memcpy(keys + 32 * i, ml_secret_bytes(all[i]), 32);
    }
    give(a, t, keys, count);
}

static void give_section(struct attack *a, struct attack_target *t)
{
    struct ml_secret *bytes = NULL;
    ml_err err = ml_secret_from(&bytes, t->plain, t->plain_len);
    attack_must(err == ML_OK);
    if (t->kind == ATTACK_MEMBER_SECTION) {
        struct ml_member_secrets s = {0};
        err = ml_member_secrets_decode(&s, bytes);
        attack_must(err == ML_OK);
        give_secrets(a, t, (struct ml_secret *const[]){s.mon_box, s.mon_sign, s.writer}, 3);
        ml_member_secrets_free(&s);
    } else {
        struct ml_node_secrets s = {0};
        err = ml_node_secrets_decode(&s, bytes);
        attack_must(err == ML_OK);
        give_secrets(a, t, (struct ml_secret *const[]){s.noise, s.writer, s.network}, 3);
        ml_node_secrets_free(&s);
    }
    ml_secret_free(bytes);
}

/* What has something to read in it, and no key. */
static bool is_content(enum attack_kind kind)
{
    static const bool content[ATTACK_KIND_COUNT] = {
        [ATTACK_CONSENT] = true, [ATTACK_GLASS] = true,  [ATTACK_CARD] = true,
        [ATTACK_TRACE] = true,   [ATTACK_RECORD] = true, [ATTACK_CHUNK] = true,
        [ATTACK_JOURNAL] = true, [ATTACK_ANSWER] = true};
    return content[kind];
}

static void gives(struct attack *a, struct attack_target *t)
{
    struct ml_manifest_inner inner;
    if (is_content(t->kind)) {
        return;
    }
    if (t->kind == ATTACK_MEMBER_SECTION || t->kind == ATTACK_NODE_SECTION) {
        give_section(a, t);
    } else if (t->kind == ATTACK_MANIFEST) {
        ml_err err = ml_manifest_inner_decode(&inner, ml_slice(t->plain, t->plain_len), NULL);
        attack_must(err == ML_OK);
        give(a, t, inner.keys.data, inner.keys.len / 32);
    } else if (t->kind == ATTACK_OPENING) { /* the patient's id, then the link secret */
        attack_must(t->plain_len == 48);
        give(a, t, t->plain + 16, 1);
    } else {
        attack_must(t->plain_len == 32);
        give(a, t, t->plain, 1);
    }
}

static void opened(struct attack *a, struct attack_target *t, unsigned key, size_t len)
{
    attack_must(t->by_count < ATTACK_OPENERS);
    t->by[t->by_count++] = key;
    if (t->plain == NULL) {
        t->plain = make(len + 1, 1);
        memcpy(t->plain, a->room, len);
        t->plain_len = len;
        gives(a, t);
    }
}

/* ---- trying ---- */

/* Each label of docs/crypto.md that takes 32 bytes and no name of a member. */
#define LABEL(NAME, label, input, in_min, in_max, out, context, ...) {label, in_max, context},
static const struct {
    const char *label;
    size_t in_max;
    size_t context;
} labels[] = {ML_KDF_MAP(LABEL)};
#undef LABEL
enum { LABELS = sizeof(labels) / sizeof(labels[0]) };

struct acts {
    uint8_t key[LABELS + 1][32]; /* itself, then what it gives */
    unsigned count;
};

/* What was drawn for one thing only gives nothing more. */
static bool is_single(const struct attack_key *k)
{
    return k->origin == ATTACK_TRACE_KEY || k->origin == ATTACK_MANIFEST ||
           k->origin == ATTACK_GLASS_SHARE;
}

static void acts_of(struct acts *acts, const struct attack *a, const struct attack_key *k)
{
    memcpy(acts->key[0], k->b, 32);
    acts->count = 1;
    for (unsigned i = 0; i < LABELS && !is_single(k); i++) {
        if (labels[i].context == 0 || labels[i].context == sizeof(a->org.b)) {
            const size_t len = labels[i].context;
            attack_kdf(acts->key[acts->count++], labels[i].label, k->b,
                       ml_slice(len == 0 ? NULL : a->org.b, len));
        }
    }
}

static bool try_box(struct attack *a, const struct attack_key *k, struct attack_target *t)
{
    const struct ml_slice sealed = ml_slice(t->bytes, t->sealed_len);
    const struct ml_slice context = ml_slice(t->bytes + t->sealed_len, t->ad_len);
    const bool narrow = t->kind == ATTACK_DEPOSIT || t->kind == ATTACK_GLASS_WRAP ||
                        t->kind == ATTACK_GLASS_SHARE || t->kind == ATTACK_GLASS_SECRET ||
                        t->kind == ATTACK_ANSWER;
    if (k->box == NULL || (!k->wide && !narrow)) {
        return false;
    }
    a->tried++;
    if (t->form == ATTACK_ANONYMOUS) {
        return ml_open_anon(a->room, sealed, k->box, context) == ML_OK;
    }
    struct ml_secret *key = NULL;
    struct ml_slot_at at = t->at;
    at.recipient = k->pk;
    if (ml_slot_open(&key, t->bytes, &at, k->box) != ML_OK) {
        return false;
    }
    memcpy(a->room, ml_secret_bytes(key), 32);
    ml_secret_free(key);
    return true;
}

static bool try_acts(struct attack *a, const struct acts *acts, const struct attack_target *t)
{
    const struct ml_slice sealed = ml_slice(t->bytes, t->sealed_len);
    const struct ml_slice ad = ml_slice(t->bytes + t->sealed_len, t->ad_len);
    for (unsigned i = 0; i < acts->count; i++) {
        a->tried++;
        if (ml_aead_open(a->room, sealed, ad, t->nonce, acts->key[i]) == ML_OK) {
            return true;
        }
    }
    return false;
}

/* On each from that one on. */
static void try_key(struct attack *a, unsigned key, unsigned from)
{
    struct acts acts;
    acts_of(&acts, a, &a->keys[key]);
    for (unsigned i = from; i < a->target_count; i++) {
        struct attack_target *t = &a->targets[i];
        const bool sealed = t->form == ATTACK_UNDER_KEY;
        const size_t extra = t->form == ATTACK_ANONYMOUS ? ML_ANON_EXTRA_BYTES : ML_AEAD_TAG_BYTES;
        if (sealed ? try_acts(a, &acts, t) : try_box(a, &a->keys[key], t)) {
            opened(a, t, key, t->sealed_len - extra);
        }
    }
}

void attack_run(struct attack *a)
{
    for (unsigned key = 0; key < a->key_count; key++) {
        try_key(a, key, 0);
    }
    const unsigned known = a->target_count;
    for (unsigned i = 0; i < known; i++) {
        if (a->targets[i].kind == ATTACK_GLASS && a->targets[i].plain != NULL) {
            attack_read_answer(a, &a->targets[i]);
        }
    }
    for (unsigned key = 0; key < a->key_count; key++) { /* they give no more keys */
        try_key(a, key, known);
    }
}

/* ---- one thief ---- */

static bool is_open(const struct attack_target *t, const struct attack_loot *loot)
{
    for (unsigned i = 0; i < t->by_count; i++) {
        if (loot->keys[t->by[i]]) {
            return true;
        }
    }
    return false;
}

/* Did anything more open? */
static bool walk_on(const struct attack *a, unsigned disks, struct attack_loot *loot)
{
    bool more = false;
    for (unsigned i = 0; i < a->target_count; i++) {
        const struct attack_target *t = &a->targets[i];
        const bool opens = !loot->targets[i] && (t->where & disks) != 0 && is_open(t, loot);
        loot->targets[i] = loot->targets[i] || opens;
        more = more || opens;
        for (unsigned g = 0; g < t->gives_count && opens; g++) {
            loot->keys[t->gives[g]] = true;
        }
    }
    return more;
}

void attack_walk(const struct attack *a, unsigned start, unsigned disks, struct attack_loot *loot)
{
    const struct attack_start *s = &a->starts[start];
    loot->keys = make(a->key_count, sizeof(*loot->keys));
    loot->targets = make(a->target_count, sizeof(*loot->targets));
    for (unsigned i = 0; i < s->count; i++) {
        loot->keys[s->keys[i]] = true;
    }
    while (walk_on(a, disks, loot)) {
    }
}

static bool is_given(const struct attack_target *t, unsigned key)
{
    unsigned g = 0;
    while (g < t->gives_count && t->gives[g] != key) {
        g++;
    }
    return g < t->gives_count;
}

/* What gave this key to him; NULL: he began with it. */
static const struct attack_target *giver_of(const struct attack *a, const struct attack_loot *loot,
                                            unsigned key)
{
    unsigned i = 0;
    while (i < a->target_count && !(loot->targets[i] && is_given(&a->targets[i], key))) {
        i++;
    }
    return i < a->target_count ? &a->targets[i] : NULL;
}

void attack_explain(const struct attack *a, const struct attack_loot *loot,
                    const struct attack_target *t)
{
    enum { STEPS = 8 };
    for (unsigned i = 0; i < STEPS && t != NULL; i++) {
        unsigned by = 0;
        while (by < t->by_count && !loot->keys[t->by[by]]) {
            by++;
        }
        fprintf(stderr, "  one of %s (%llu in the log; compartment %u, epoch %u), under %s\n",
                attack_kind_names[t->kind], (unsigned long long)t->order, t->at.compartment,
                t->at.epoch,
                by == t->by_count ? "nothing" : attack_kind_names[a->keys[t->by[by]].origin]);
        t = by == t->by_count ? NULL : giver_of(a, loot, t->by[by]);
    }
}

void attack_loot_free(struct attack_loot *loot)
{
    free(loot->keys);
    free(loot->targets);
}

/* ---- whom the clear bytes name ---- */

static bool is_named(const struct attack_target *t, const struct attack_key *k)
{
    if (t->names == ATTACK_FOR_KEY) {
        return memcmp(k->id.b, t->who, sizeof(t->who)) == 0;
    }
    return t->names == ATTACK_FOR_BOX && k->box != NULL &&
           memcmp(k->recipient, t->who, sizeof(t->who)) == 0;
}

/* A statement names the KEK; the key that this gives for statements is granted too (ADR 0025). */
static bool is_heard(const struct attack *a, const struct attack_target *t,
                     const struct attack_key *k)
{
    bool heard = false;
    for (unsigned i = 0; i < a->key_count && t->kind == ATTACK_CONSENT && !heard; i++) {
        uint8_t gives[32];
        if (is_named(t, &a->keys[i])) {
            attack_kdf(gives, "kek-consent", a->keys[i].b, ml_slice(NULL, 0));
            heard = memcmp(gives, k->b, sizeof(gives)) == 0;
        }
    }
    return heard;
}

unsigned attack_misnamed(const struct attack *a)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < a->target_count; i++) {
        const struct attack_target *t = &a->targets[i];
        unsigned named = 0;
        unsigned right = 0;
        unsigned heard = 0;
        for (unsigned k = 0; k < a->key_count && t->names != ATTACK_NOT_SAID; k++) {
            named += is_named(t, &a->keys[k]);
        }
        for (unsigned k = 0; k < t->by_count; k++) {
            right += is_named(t, &a->keys[t->by[k]]);
            heard += is_heard(a, t, &a->keys[t->by[k]]);
        }
        if (t->names != ATTACK_NOT_SAID && (right + heard != t->by_count || right != named)) {
            fprintf(stderr, "one of %s names %u, and %u of the %u that open it\n",
                    attack_kind_names[t->kind], named, right, t->by_count);
            wrong++;
        }
    }
    return wrong;
}
