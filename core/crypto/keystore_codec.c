/* core/crypto/keystore_codec.c -- a keystore as bytes. All numbers are big-endian.
 *
 *   keystore                                   member, ascending by id
 *   +-----+--------------------------------+   +-----+--------------------------------+
 *   | 8   | "MLKEYS\r\n"                   |   | 16  | member id                      |
 *   | 2   | version: 2 with a card, else 1 |   | 88  | wrap: NMK under MMK            |
 *   | 32  | org id                         |   | 2+n | section (sealed under MMK)     |
 *   | 16  | keystore id, random            |   | 1   | slots, 1 to 3                  |
 *   | 1   | 1 if unattended, else 0        |   |     | the slots, ascending by type   |
 *   |(88) | wrap: NMK under unattended key |   +-----+--------------------------------+
 *   | 2+n | section (sealed under NMK)     |
 *   | 1   | members, 0..64                 |   slot
 *   |     | the members                    |   +-----+--------------------------------+
 *   | 32  | BLAKE2b-256("maille/           |   | 1   | type: 1 passphrase, 2 recovery |
 *   |     | keystore-sum/1" || all above)  |   |(4)  | Argon2id passes    (type 1)    |
 *   +-----+--------------------------------+   |(4)  | Argon2id KiB       (type 1)    |
 *                                              |(16) | Argon2id salt      (type 1)    |
 *                                              |(32) | card's key         (type 3)    |
 *                                              |(2+n)| sealed, 1..512     (type 3)    |
 *   wrap                                       | 88  | wrap: MMK                      |
 *   +-----+--------------------------------+   +-----+--------------------------------+
 *   | 16  | check of the wrapping key      |
 *   | 24  | nonce                          |   section: length u16, 0 (none) or 41..4136, then
 *   | 48  | sealed key 32, tag 16          |   nonce 24, sealed payload 1..4096, tag 16
 *   +-----+--------------------------------+
 *
 * Slot type 3 is a card's. Every later version keeps magic, version and, as the last 32 bytes, this
 * sum (ADR 0013). The sum tells damage from a wrong passphrase; it keeps nobody from changing the
 * file. The seals do: see keystore.c for what each binds.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keystore_file.h"
#include "core/crypto/keystore_inner.h"

enum { MAGIC_BYTES = 8, FORMAT = 1, FORMAT_CARD = 2, SUM_BYTES = 32 };

static const uint8_t magic[MAGIC_BYTES] = {'M', 'L', 'K', 'E', 'Y', 'S', '\r', '\n'};

static void sum_of(uint8_t sum[SUM_BYTES], struct ml_slice above)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/keystore-sum/1"), above};
    ml_hash_parts(sum, SUM_BYTES, ml_slice(NULL, 0), parts, 2);
}

/* Writing. */

static void put_wrap(struct ml_buf *out, const struct ks_wrap *w)
{
    ml_buf_append(out, w->check, sizeof(w->check));
    ml_buf_append(out, w->nonce, sizeof(w->nonce));
    ml_buf_append(out, w->sealed, sizeof(w->sealed));
}

static void put_section(struct ml_buf *out, const struct ks_section *section)
{
    ml_buf_u16be(out, (uint16_t)section->len);
    ml_buf_append(out, section->data, section->len);
}

/* One slot of each type that exists. */
_Static_assert(KS_SLOTS_MAX == ML_SLOT_TYPE_CARD, "a type is a place");

static void put_slot(struct ml_buf *out, const struct ks_member *m, const struct ks_slot *slot)
{
    if (!slot->used) {
        return;
    }
    ml_buf_u8(out, (uint8_t)slot->type);
    if (slot->type == ML_SLOT_TYPE_PASSPHRASE) {
        ml_buf_u32be(out, slot->cost.passes);
        ml_buf_u32be(out, slot->cost.memory_kib);
        ml_buf_append(out, slot->salt, sizeof(slot->salt));
    }
    if (slot->type == ML_SLOT_TYPE_CARD) {
        ml_buf_append(out, m->card.key, sizeof(m->card.key));
        ml_buf_u16be(out, (uint16_t)m->card.sealed_len);
        ml_buf_append(out, m->card.sealed, m->card.sealed_len);
    }
    put_wrap(out, &slot->wrap);
}

static void put_member(struct ml_buf *out, const struct ks_member *m)
{
    ml_buf_append(out, m->id.b, sizeof(m->id.b));
    put_wrap(out, &m->node);
    put_section(out, &m->section);
    ml_buf_u8(out, (uint8_t)ml_ks_slot_count(m));
    for (size_t i = 0; i < KS_SLOTS_MAX; i++) {
        put_slot(out, m, &m->slot[i]);
    }
}

/* A program that knows no cards must not take the file for a damaged one: its version says so. */
static uint16_t format_of(const struct ml_keystore *ks)
{
    for (size_t i = 0; i < ks->member_count; i++) {
        if (ks->member[i]->slot[ML_SLOT_TYPE_CARD - 1].used) {
            return FORMAT_CARD;
        }
    }
    return FORMAT;
}

ml_err ml_keystore_encode(const struct ml_keystore *ks, struct ml_buf *out)
{
    uint8_t sum[SUM_BYTES];
    size_t start = out->len;
    ml_buf_append(out, magic, sizeof(magic));
    ml_buf_u16be(out, format_of(ks));
    ml_buf_append(out, ks->org.b, sizeof(ks->org.b));
    ml_buf_append(out, ks->id, sizeof(ks->id));
    ml_buf_u8(out, ks->has_unattended);
    if (ks->has_unattended) {
        put_wrap(out, &ks->unattended);
    }
    put_section(out, &ks->section);
    ml_buf_u8(out, (uint8_t)ks->member_count);
    for (size_t i = 0; i < ks->member_count; i++) {
        put_member(out, ks->member[i]);
    }
    if (out->err != ML_OK) {
        return out->err;
    }
    sum_of(sum, ml_slice(out->data + start, out->len - start));
    ml_buf_append(out, sum, sizeof(sum));
    return out->err;
}

/* Reading: each get_* takes its bytes off the front, or sets `err` and where, once. */

struct reader {
    struct ml_slice bytes;
    size_t at;
    bool sum_holds;
    uint8_t format;
    ml_err err;
    struct ml_keystore_damage damage;
};

static void reader_fail(struct reader *r, ml_err err, const char *what)
{
    if (r->err == ML_OK) {
        r->err = err;
        r->damage = (struct ml_keystore_damage){what, r->at};
    }
}

/* NULL when they aren't there, or after an error. */
static const uint8_t *take(struct reader *r, size_t len, const char *what)
{
    if (r->err == ML_OK && r->bytes.len - r->at < len) {
        reader_fail(r, ML_E_CORRUPT, what);
    }
    if (r->err != ML_OK) {
        return NULL;
    }
    const uint8_t *at = r->bytes.data + r->at;
    r->at += len;
    return at;
}

static void get_bytes(struct reader *r, void *out, size_t len, const char *what)
{
    const uint8_t *at = take(r, len, what);
    if (at != NULL) {
        memcpy(out, at, len);
    }
}

/* A number from min to max in one byte; 0 after an error. */
static uint8_t get_u8(struct reader *r, uint8_t min, uint8_t max, const char *what)
{
    const uint8_t *at = take(r, 1, what);
    if (at != NULL && (*at < min || *at > max)) {
        r->at--;
        reader_fail(r, ML_E_CORRUPT, what);
        return 0;
    }
    return at == NULL ? 0 : *at;
}

static void get_wrap(struct reader *r, struct ks_wrap *w, const char *what)
{
    get_bytes(r, w->check, sizeof(w->check), what);
    get_bytes(r, w->nonce, sizeof(w->nonce), what);
    get_bytes(r, w->sealed, sizeof(w->sealed), what);
}

static void get_section(struct reader *r, const struct ml_env *env, struct ks_section *section,
                        const char *what)
{
    const uint8_t *at = take(r, 2, what);
    size_t len = at == NULL ? 0 : (size_t)at[0] << 8 | at[1];
    if (len == 0) {
        return;
    }
    if (len <= KS_SECTION_EXTRA || len > KS_SECTION_EXTRA + ML_KEYSTORE_SECTION_MAX) {
        r->at -= 2;
        reader_fail(r, ML_E_CORRUPT, what);
        return;
    }
    at = take(r, len, what);
    if (at == NULL) {
        return;
    }
    section->data = ml_alloc(env, len);
    if (section->data == NULL) {
        reader_fail(r, ML_E_NOMEM, what);
        return;
    }
    memcpy(section->data, at, len);
    section->len = len;
}

static void get_cost(struct reader *r, struct ks_slot *slot)
{
    const char *what = "cost of a passphrase slot";
    const uint8_t *at = take(r, 8, what);
    if (at == NULL) {
        return;
    }
    slot->cost = (struct ml_pwhash_cost){ml_get_u32be(at), ml_get_u32be(at + 4)};
    if (!ml_pwhash_cost_fits(&slot->cost)) {
        r->at -= 8;
        reader_fail(r, ML_E_CORRUPT, what);
        return;
    }
    get_bytes(r, slot->salt, sizeof(slot->salt), "salt of a passphrase slot");
}

static void get_card(struct reader *r, struct ml_card_lock *card)
{
    const char *what = "sealed secret of a card slot";
    get_bytes(r, card->key, sizeof(card->key), "key of a card slot");
    const uint8_t *at = take(r, 2, what);
    const size_t len = at == NULL ? 0 : (size_t)at[0] << 8 | at[1];
    if (at != NULL && (len == 0 || len > sizeof(card->sealed))) {
        r->at -= 2;
        reader_fail(r, ML_E_CORRUPT, what);
    }
    if (r->err == ML_OK) {
        get_bytes(r, card->sealed, len, what);
        card->sealed_len = len;
    }
}

/* The last type that a file of this version has. */
static uint8_t last_type(const struct reader *r)
{
    return r->format == FORMAT_CARD ? ML_SLOT_TYPE_CARD : ML_SLOT_TYPE_RECOVERY;
}

/* A slot of a type above `least`; returns its type. */
static uint8_t get_slot(struct reader *r, struct ks_member *m, uint8_t least)
{
    uint8_t type = get_u8(r, (uint8_t)(least + 1), last_type(r), "type of a slot");
    if (r->err != ML_OK || type == 0) {
        return 0;
    }
    struct ks_slot *slot = &m->slot[type - 1];
    slot->used = true;
    slot->type = (ml_slot_type)type;
    if (type == ML_SLOT_TYPE_PASSPHRASE) {
        get_cost(r, slot);
    } else if (type == ML_SLOT_TYPE_CARD) {
        get_card(r, &m->card);
    }
    get_wrap(r, &slot->wrap, "wrap of a slot");
    return type;
}

static void get_member(struct reader *r, const struct ml_env *env, struct ks_member *m)
{
    uint8_t type = 0;
    get_wrap(r, &m->node, "node wrap of a member");
    get_section(r, env, &m->section, "section of a member");
    uint8_t count = get_u8(r, 1, last_type(r), "slots of a member");
    for (uint8_t i = 0; i < count && r->err == ML_OK; i++) {
        type = get_slot(r, m, type);
    }
}

static void get_members(struct reader *r, struct ml_keystore *ks)
{
    uint8_t count = get_u8(r, 0, ML_KEYSTORE_MEMBERS_MAX, "number of members");
    for (size_t i = 0; i < count && r->err == ML_OK; i++) {
        struct ml_member_id id = {{0}};
        get_bytes(r, id.b, sizeof(id.b), "member id");
        if (i > 0 && memcmp(ks->member[i - 1]->id.b, id.b, sizeof(id.b)) >= 0) {
            reader_fail(r, ML_E_CORRUPT, "order of the members");
            return;
        }
        struct ks_member *m = ml_ks_member_new(ks->env, &id);
        if (m == NULL) {
            reader_fail(r, ML_E_NOMEM, "member");
            return;
        }
        ks->member[ks->member_count++] = m;
        get_member(r, ks->env, m);
    }
}

static void get_header(struct reader *r, struct ml_keystore *ks)
{
    uint8_t start[MAGIC_BYTES] = {0};
    get_bytes(r, start, sizeof(start), "magic");
    if (r->err == ML_OK && memcmp(start, magic, sizeof(magic)) != 0) {
        r->at = 0;
        reader_fail(r, ML_E_CORRUPT, "magic");
    }
    const uint8_t *format = take(r, 2, "version");
    if (format != NULL && (format[0] != 0 || format[1] < FORMAT || format[1] > FORMAT_CARD)) {
        r->at -= 2; /* its sum tells a later program's file from a damaged one, which has a twin */
        reader_fail(r, r->sum_holds ? ML_E_UNSUPPORTED : ML_E_CORRUPT, "version");
    }
    r->format = format == NULL ? 0 : format[1];
    get_bytes(r, ks->org.b, sizeof(ks->org.b), "org id");
    get_bytes(r, ks->id, sizeof(ks->id), "keystore id");
    ks->has_unattended = get_u8(r, 0, 1, "unattended mark") == 1;
    if (ks->has_unattended) {
        get_wrap(r, &ks->unattended, "unattended wrap");
    }
    get_section(r, ks->env, &ks->section, "node section");
}

/* Looked at first, told last: where the form breaks says more than that the sum does. */
static bool sum_holds(struct ml_slice bytes)
{
    uint8_t expect[SUM_BYTES];
    if (bytes.len < SUM_BYTES) {
        return false;
    }
    size_t above = bytes.len - SUM_BYTES;
    sum_of(expect, ml_slice(bytes.data, above));
    return memcmp(expect, bytes.data + above, SUM_BYTES) == 0; /* no secret: it is in clear */
}

static void get_end(struct reader *r, const struct ml_keystore *ks)
{
    if (r->err == ML_OK && r->format != format_of(ks)) {
        r->at = MAGIC_BYTES;
        reader_fail(r, ML_E_CORRUPT, "version");
    }
    size_t at = r->at;
    (void)take(r, SUM_BYTES, "sum");
    if (r->err == ML_OK && r->at != r->bytes.len) {
        reader_fail(r, ML_E_CORRUPT, "bytes after the end");
    }
    if (r->err == ML_OK && !r->sum_holds) {
        r->at = at;
        reader_fail(r, ML_E_CORRUPT, "sum");
    }
}

ml_err ml_keystore_decode(struct ml_keystore **out, const struct ml_env *env, struct ml_slice bytes,
                          struct ml_keystore_damage *damage)
{
    struct ml_keystore *ks = ml_alloc(env, sizeof(*ks));
    if (ks == NULL) {
        return ML_E_NOMEM;
    }
    ks->env = env;
    struct reader r = {.bytes = bytes, .sum_holds = sum_holds(bytes)};
    get_header(&r, ks);
    get_members(&r, ks);
    get_end(&r, ks);
    if (r.err != ML_OK) {
        ml_keystore_free(ks);
        if (damage != NULL && r.err != ML_E_NOMEM) {
            *damage = r.damage;
        }
        return r.err;
    }
    *out = ks;
    return ML_OK;
}
