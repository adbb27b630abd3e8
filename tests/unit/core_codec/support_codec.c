/* tests/unit/core_codec/support_codec.c -- see support_codec.h. */
#include "support_codec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/crypto/aead.h"
#include "core/crypto/key_id.h"
#include "core/crypto/sign.h"

enum { KEPT = 4, HEX_BYTES_MAX = 1 << 16 };

void must(bool made)
{
    if (!made) {
        fprintf(stderr, "a sample can't be made\n");
        abort();
    }
}

void check_form(struct ml_buf *b, bool (*roundtrip)(struct ml_slice in))
{
    must(roundtrip(ml_buf_slice(b)));
    for (size_t len = 0; len < b->len; len++) {
        must(!roundtrip(ml_slice(b->data, len)));
    }
    for (size_t i = 0; i < b->len * 8; i++) {
        b->data[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)roundtrip(ml_buf_slice(b)); /* which aborts on a second form */
        b->data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    ml_buf_u8(b, 0); /* bytes after the end */
    must(!roundtrip(ml_buf_slice(b)));
    b->len--;
}

struct ml_slice bytes_of(const char *hex)
{
    static uint8_t kept[KEPT][HEX_BYTES_MAX];
    static unsigned turn;
    uint8_t *out = kept[turn++ % KEPT];
    size_t len = 0;
    while (*hex != '\0') {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        must(len < HEX_BYTES_MAX && hex[1] != '\0');
        ml_err err = ml_hex_decode(&out[len++], 1, hex, 2);
        must(err == ML_OK);
        hex += 2;
    }
    return ml_slice(out, len);
}

const char *hex_of(struct ml_slice bytes)
{
    static char kept[KEPT][2 * HEX_BYTES_MAX + 1];
    static unsigned turn;
    char *out = kept[turn++ % KEPT];
    must(bytes.len <= HEX_BYTES_MAX);
    ml_hex_encode(out, bytes.data, bytes.len);
    return out;
}

void fill(void *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = (uint8_t)(seed + i);
    }
}

struct ml_secret *sample_seed(unsigned seed, struct ml_sign_pk *pk)
{
    uint8_t bytes[ML_SIGN_SEED_BYTES];
    struct ml_secret *secret = NULL;
    fill(bytes, sizeof(bytes), seed);
    ml_err err = ml_crypto_init();
    must(err == ML_OK);
    err = ml_secret_from(&secret, bytes, sizeof(bytes));
    must(err == ML_OK);
    ml_sign_pk_of(pk, secret);
    return secret;
}

struct ml_org_id sample_org(void)
{
    struct ml_org_id org;
    FILL(org, 0x0f);
    return org;
}

/* ---- lists ---- */

const struct ml_dep *sample_heads(void)
{
    static struct ml_dep heads[3];
    FILL(heads[0].writer, 0x10);
    heads[0].lane = ML_LANE_GOVERNANCE;
    heads[0].seq = 1;
    FILL(heads[0].hash, 0xa0);
    heads[1] = heads[0];
    heads[1].lane = ML_LANE_RECORD;
    heads[1].seq = 200;
    heads[2] = heads[1];
    FILL(heads[2].writer, 0x20);
    heads[2].seq = 70000;
    return heads;
}

struct ml_list list_of(const void *items, uint32_t count)
{
    return (struct ml_list){.count = count, .items = items};
}

struct ml_slice sample_ct(size_t len, unsigned seed)
{
    static uint8_t bytes[8][128];
    must(len <= sizeof(bytes[0]) && seed / 16 < 16);
    uint8_t *out = bytes[seed / 16 % 8];
    fill(out, len, seed);
    return ml_slice(out, len);
}

struct ml_sealed sample_sealed(size_t len, unsigned seed)
{
    struct ml_sealed sealed;
    FILL(sealed.key, seed);
    FILL(sealed.nonce, seed + 1);
    sealed.ct = sample_ct(len, seed);
    return sealed;
}

/* ---- bundles ---- */

static const struct ml_dict_entry *sample_dictionary(unsigned lane)
{
    static struct ml_dict_entry entries[2];
    for (unsigned i = 0; i < 2; i++) {
        FILL(entries[i].stream, 0x30 + i);
        FILL(entries[i].key, 0x50 + i);
        entries[i].compartment = (uint8_t)(ML_COMPARTMENT_MEDICAL + i);
        entries[i].action = ML_ACTION_CREATE;
    }
    if (lane == ML_LANE_TRACE) {
        entries[0].compartment = ML_COMPARTMENT_AUDIT;
        entries[0].action = ML_ACTION_DEPOSIT;
    }
    return entries;
}

void sample_header(struct ml_header *out, unsigned lane, bool full)
{
    *out = (struct ml_header){.version = ML_BUNDLE_VERSION, .lane = (uint8_t)lane, .seq = 1};
    FILL(out->writer, 0x10);
    FILL(out->gctx, 0x60);
    FILL(out->salt, 0x70);
    FILL(out->body_root, 0x80);
    out->hlc = UINT64_C(1790000000000) << 16 | 3;
    out->n_ops = 1;
    out->body_len = 40;
    if (full) {
        out->seq = 70001;
        FILL(out->prev, 0x90);
        out->deps = list_of(sample_heads(), 2);
    }
    if (lane >= ML_LANE_TRACE) {
        out->dictionary = list_of(sample_dictionary(lane), full ? 2 : 1);
    }
}

static void bundle_put(struct ml_buf *out, struct ml_hash *hash, struct ml_bundle_draft *draft)
{
    struct ml_sign_pk pk;
    struct ml_secret *seed = sample_seed(0x01, &pk);
    struct ml_org_id org = sample_org();
    draft->header.writer = ml_writer_id_of(&pk);
    ml_err err = ml_bundle_build(out, hash, draft, &org, seed);
    must(err == ML_OK);
    ml_secret_free(seed);
}

/* The plaintext of op `index`, appended to `plain`. */
static void op_plain(struct ml_buf *plain, unsigned lane, unsigned index)
{
    ml_err err = ML_OK;
    if (lane == ML_LANE_GOVERNANCE) {
        struct ml_govop op;
        sample_govop(&op, ML_GOVOP_MEMBER_ADD, true);
        op.u.member_add.member.b[0] = (uint8_t)index;
        err = ml_govop_encode(plain, &op);
    } else if (lane == ML_LANE_KEYS) {
        struct ml_keyop op;
        sample_keyop(&op, ML_KEYOP_DEK_WRAP, true);
        op.u.dek_wrap.stream.b[0] = (uint8_t)index;
        err = ml_keyop_encode(plain, &op);
    } else if (lane == ML_LANE_TRACE && index == 0) {
        struct ml_trace_deposit deposit;
        FILL(deposit.audit, 0x11);
        FILL(deposit.author, 0x77);
        err = ml_trace_deposit_encode(plain, &deposit);
    } else if (lane == ML_LANE_TRACE) {
        struct ml_trace_entry entry;
        sample_trace(&entry, true);
        err = ml_trace_entry_encode(plain, &entry);
    } else if (lane == ML_LANE_BLOB) {
        struct ml_manifest_inner inner;
        sample_manifest_inner(&inner, true);
        inner.object.b[15] = (uint8_t)index;
        err = ml_manifest_inner_encode(plain, &inner);
    } else {
        struct ml_change change;
        sample_change(&change, index % 2 == 1);
        change.object.b[15] = (uint8_t)index;
        err = ml_change_encode(plain, &change);
    }
    must(err == ML_OK);
}

/* Seals what its lane seals, under a fixed key. */
static void op_seal(struct ml_buf *sealed, const struct ml_header *header, unsigned index,
                    struct ml_slice plain)
{
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    uint8_t key[ML_AEAD_KEY_BYTES];
    struct ml_org_id org = sample_org();
    if (header->lane <= ML_LANE_KEYS || (header->lane == ML_LANE_TRACE && index == 0)) {
        ml_buf_append(sealed, plain.data, plain.len);
        return;
    }
    fill(key, sizeof(key), 0x44);
    ml_op_ad(ad, &org, header, (uint8_t)index, sample_dictionary(header->lane));
    ml_op_nonce(nonce, &header->salt, (uint8_t)index);
    if (header->lane == ML_LANE_BLOB) {
        uint8_t ct[256];
        uint8_t both[ML_MANIFEST_AD_BYTES];
        struct ml_manifest manifest;
        must(plain.len + ML_AEAD_TAG_BYTES <= sizeof(ct));
        sample_manifest(&manifest, true);
        ml_manifest_ad(both, ad, &manifest);
        ml_aead_seal(ct, plain, ml_slice(both, sizeof(both)), nonce, key);
        manifest.sealed = ml_slice(ct, plain.len + ML_AEAD_TAG_BYTES);
        ml_err err = ml_manifest_encode(sealed, &manifest);
        must(err == ML_OK);
        return;
    }
    uint8_t *out = ml_buf_extend(sealed, plain.len + ML_AEAD_TAG_BYTES);
    must(out != NULL);
    ml_aead_seal(out, plain, ml_slice(ad, sizeof(ad)), nonce, key);
}

void sample_bundle(struct ml_buf *out, struct ml_hash *hash, unsigned lane, unsigned ops)
{
    struct ml_op_draft drafts[ML_BUNDLE_OPS_MAX];
    struct ml_buf sealed[ML_BUNDLE_OPS_MAX];
    struct ml_bundle_draft draft = {.ops = drafts, .op_count = ops};
    struct ml_sign_pk pk;
    ml_secret_free(sample_seed(0x01, &pk));
    sample_header(&draft.header, lane, true);
    draft.header.writer = ml_writer_id_of(&pk);
    for (unsigned i = 0; i < ops; i++) {
        struct ml_buf plain;
        ml_buf_init(&plain, ml_env_system(), ML_BODY_BYTES_MAX);
        ml_buf_init(&sealed[i], ml_env_system(), ML_BODY_BYTES_MAX);
        op_plain(&plain, lane, i);
        op_seal(&sealed[i], &draft.header, i, ml_buf_slice(&plain));
        drafts[i] = (struct ml_op_draft){.hlc_delta = i, .sealed = ml_buf_slice(&sealed[i])};
        ml_buf_free(&plain);
    }
    bundle_put(out, hash, &draft);
    for (unsigned i = 0; i < ops; i++) {
        ml_buf_free(&sealed[i]);
    }
}

void sample_genesis(struct ml_buf *out, struct ml_hash *hash)
{
    struct ml_buf plain;
    struct ml_govop op;
    struct ml_sign_pk root_pk;
    struct ml_sign_pk writer_pk;
    struct ml_secret *root = sample_seed(0x02, &root_pk);
    struct ml_org_id org = sample_org();
    ml_secret_free(sample_seed(0x01, &writer_pk));
    ml_buf_init(&plain, ml_env_system(), ML_BODY_BYTES_MAX);
    sample_govop(&op, ML_GOVOP_ORG_FOUND, true);
    op.u.org_found.root_sign = root_pk;
    op.u.org_found.writer = writer_pk;
    ml_err err = ml_govop_encode_cosigned(&plain, &op, &org, root);
    must(err == ML_OK);
    ml_secret_free(root);
    const struct ml_op_draft draft_op = {.sealed = ml_buf_slice(&plain)};
    struct ml_bundle_draft draft = {.ops = &draft_op, .op_count = 1};
    sample_header(&draft.header, ML_LANE_GOVERNANCE, false);
    draft.header.flags = ML_BUNDLE_FLAG_GENESIS;
    bundle_put(out, hash, &draft);
    ml_buf_free(&plain);
}

/* ---- ops ---- */

void sample_change(struct ml_change *out, bool full)
{
    static const uint8_t value[] = {0x82, 0x01, 0xa3, 'D', 'o', 'e',  0x07, 0x92,
                                    0xa4, '1',  '2',  '.', '5', 0xa2, 'm',  'g'};
    static struct ml_version_ref seen[2];
    *out = (struct ml_change){.schema = 1, .type = ML_CHANGE_CREATE, .entity = 1};
    FILL(out->object, 0x01);
    if (!full) {
        return;
    }
    seen[0] = (struct ml_version_ref){.same_bundle = true, .id.index = 3};
    seen[1] = (struct ml_version_ref){.same_bundle = false, .id.index = 255};
    FILL(seen[1].id.bundle, 0xb0);
    out->type = ML_CHANGE_SET;
    out->entity = 300;
    out->slot = 200;
    out->value = ml_slice(value, sizeof(value));
    out->seen = list_of(seen, 2);
    out->effective = (struct ml_instant){INT64_C(1790000000000), 120, ML_PRECISION_MINUTE};
    FILL(out->author, 0xc0);
    out->reason = TEXT("posologie ajustée");
    out->origin = TEXT("fhir:bundle-01#Patient/1");
}

static void sample_kek_epoch(struct ml_kek_epoch *out, bool full)
{
    static struct ml_epoch_slot slots[2];
    static struct ml_older_key older[1];
    for (unsigned i = 0; i < 2; i++) {
        FILL(slots[i].recipient, 0x20 + i);
        FILL(slots[i].kek, 0x30 + i);
        slots[i].hist = i == 0 ? ml_slice(NULL, 0) : sample_ct(ML_SLOT_WIRE_BYTES, 0x50);
    }
    FILL(older[0].wrapped, 0x41);
    FILL(older[0].nonce, 0x42);
    FILL(older[0].ct, 0x43);
    out->compartment = ML_COMPARTMENT_MEDICAL;
    out->epoch = 1;
    FILL(out->kek, 0x11);
    FILL(out->hist, 0x12);
    FILL(out->ephemeral, 0x13);
    out->slots = list_of(slots, 2);
    if (full) {
        FILL(out->team, 0x14);
        FILL(out->break_glass, 0x15);
        out->break_glass_recovery = sample_ct(ML_ANON_KEY_BYTES, 0x60);
        out->break_glass_holders = out->break_glass_recovery;
        out->deposit = out->break_glass;
        out->older = list_of(older, 1);
    }
}

static void sample_kek_grant(struct ml_kek_grant *out)
{
    static struct ml_grant_slot slots[2];
    for (unsigned i = 0; i < 2; i++) {
        FILL(slots[i].key, 0x20 + i);
        slots[i].kind = (uint8_t)(1 + i);
        FILL(slots[i].slot, 0x30 + i);
    }
    FILL(out->recipient, 0x16);
    FILL(out->ephemeral, 0x17);
    out->slots = list_of(slots, 2);
}

void sample_keyop(struct ml_keyop *out, ml_keyop_type type, bool full)
{
    *out = (struct ml_keyop){.type = (uint16_t)type, .must_understand = full};
    switch (type) {
    case ML_KEYOP_KEK_EPOCH:
        sample_kek_epoch(&out->u.kek_epoch, full);
        return;
    case ML_KEYOP_KEK_GRANT:
        sample_kek_grant(&out->u.kek_grant);
        return;
    case ML_KEYOP_PATIENT_OPEN:
        out->u.patient_open.sealed = sample_sealed(64, 0x40);
        if (full) {
            FILL(out->u.patient_open.team, 0x14);
        }
        return;
    case ML_KEYOP_DEK_WRAP:
        FILL(out->u.dek_wrap.stream, 0x30);
        FILL(out->u.dek_wrap.dek, 0x50);
        FILL(out->u.dek_wrap.kek, 0x11);
        FILL(out->u.dek_wrap.nonce, 0x18);
        FILL(out->u.dek_wrap.ct, 0x19);
        return;
    case ML_KEYOP_CONSENT:
        FILL(out->u.consent.team, 0x14);
        out->u.consent.sealed = sample_sealed(100, 0x40);
        return;
    case ML_KEYOP_GLASS:
        out->u.glass.sealed = sample_sealed(80, 0x40);
        return;
    case ML_KEYOP_BG_WRAP:
    case ML_KEYOP_PAIR_GRANT:
    case ML_KEYOP_DEK_SLOTS:
    case ML_KEYOP_DEPOSIT_WRAP:
    case ML_KEYOP_SHRED:
    case ML_KEYOP_SHRED_DONE:
    case ML_KEYOP_KEY_FAULT:
        sample_slots(out, full);
    }
}

void sample_trace(struct ml_trace_entry *out, bool full)
{
    *out = (struct ml_trace_entry){.action = ML_TRACE_READ,
                                   .result = ML_TRACE_DONE,
                                   .wall_ms = UINT64_C(1790000000000),
                                   .clock = ML_CLOCK_LOCAL};
    FILL(out->node, 0x05);
    if (full) {
        FILL(out->actor, 0x04);
        FILL(out->patient, 0x71);
        FILL(out->object, 0x72);
        out->entity = 300;
        out->purpose = TEXT("soins");
        out->context = TEXT("patient show");
        out->device = TEXT("cli");
        out->count = 3;
        out->seq = 70000;
    }
}

/* ---- messages ---- */

static void sample_enrol_request(struct ml_msg_enrol_request *out, bool full)
{
    FILL(out->proof, 0x01);
    FILL(out->noise, 0x02);
    FILL(out->mon_sign, 0x03);
    FILL(out->mon_box, 0x04);
    FILL(out->node_writer, 0x05);
    out->node_name = TEXT("portable de Zoé");
    out->member_name = full ? TEXT("Zoé Lefèvre") : ml_slice(NULL, 0);
}

static void sample_enrol_grant(struct ml_msg_enrol_grant *out, bool full)
{
    static struct ml_slice addresses[2];
    addresses[0] = TEXT("192.0.2.7:4000");
    addresses[1] = TEXT("[2001:db8::7]:4000");
    FILL(out->org, 0x0f);
    out->genesis = sample_ct(100, 0x10);
    out->network_epoch = 1;
    FILL(out->network_secret, 0x02);
    FILL(out->member, 0x03);
    FILL(out->node, 0x04);
    FILL(out->responder, 0x05);
    FILL(out->responder_noise, 0x06);
    out->rank = 3;
    out->role = 60;
    if (full) {
        out->org_name = TEXT("MSP des Lilas");
        out->addresses = list_of(addresses, 2);
        out->import_secret = sample_ct(32, 0x30);
    }
}

static void sample_frontier(struct ml_msg_frontier *out, bool full)
{
    if (full) {
        FILL(out->base, 0x21);
        out->heads = list_of(sample_heads(), 3);
        out->more = true;
        out->unknown_base = true;
        FILL(out->trace, 0x22);
        out->reply = true;
    }
}

static void sample_lists(struct ml_msg *out, bool full)
{
    static struct ml_plan_lane lanes[2] = {{0, 2, 900, 2}, {3, 400, 1u << 20, 6000}};
    static struct ml_slice bundles[2];
    static struct ml_hash16 hashes[2];
    static struct ml_signed_header headers[1];
    static struct ml_absent_body absent[2];
    static struct ml_chain_range ranges[1];
    for (unsigned i = 0; i < 2; i++) {
        bundles[i] = sample_ct(50 + i, 0x60 + 16 * i);
        FILL(hashes[i], 0xa0 + i);
        absent[i].hash = hashes[i];
        absent[i].reason = (uint8_t)(ML_ABSENT_PRUNED + i);
    }
    headers[0].header = sample_ct(80, 0x10);
    FILL(headers[0].sig, 0x11);
    FILL(ranges[0].writer, 0x10);
    ranges[0].lane = ML_LANE_RECORD;
    ranges[0].first = 1;
    ranges[0].last = 300;
    switch ((unsigned)out->kind) {
    case ML_MSG_PLAN:
        out->u.plan.lanes = list_of(lanes, full ? 2 : 0);
        return;
    case ML_MSG_BUNDLES:
        out->u.bundles = (struct ml_msg_bundles){1, list_of(bundles, 2), full};
        return;
    case ML_MSG_HEADERS:
        out->u.headers.items = list_of(headers, 1);
        return;
    case ML_MSG_BODY_REQUEST:
        out->u.body_request.hashes = list_of(hashes, 2);
        return;
    case ML_MSG_ABSENT:
        out->u.absent.items = list_of(absent, 2);
        return;
    case ML_MSG_FORK_ANSWER:
        FILL(out->u.fork_answer.writer, 0x10);
        out->u.fork_answer.lane = ML_LANE_RECORD;
        out->u.fork_answer.first = 1;
        out->u.fork_answer.step = 16;
        out->u.fork_answer.hashes = list_of(hashes, full ? 2 : 0);
        return;
    default:
        out->u.bundle_request.ranges = list_of(ranges, 1);
        return;
    }
}

static void sample_fork_query(struct ml_msg_fork_query *out)
{
    FILL(out->writer, 0x10);
    out->lane = ML_LANE_RECORD;
    out->first = 1;
    out->last = 300;
    out->step = 16;
    out->head_seq = 301;
    FILL(out->head, 0xa0);
}

static void sample_hello(struct ml_msg_hello *out)
{
    out->version = ML_MSG_VERSION;
    out->flags = ML_HELLO_LIVE;
    out->hlc = UINT64_C(1790000000000) << 16;
    out->capabilities = 0x01020304;
    FILL(out->digest, 0x31);
}

/* ---- large values ---- */

void sample_manifest(struct ml_manifest *out, bool full)
{
    static struct ml_hash chunks[3];
    const uint32_t count = full ? 3 : 1;
    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < 3; i++) {
        FILL(chunks[i], 0x40 + i);
    }
    out->chunks = list_of(chunks, count);
    out->bytes = full ? 2 * ML_CHUNK_SEALED_MAX + 1000 : ML_CHUNK_TAG_BYTES + 1;
    out->sealed = sample_ct(full ? 100 : 16, 0x50);
}

void sample_manifest_inner(struct ml_manifest_inner *out, bool full)
{
    memset(out, 0, sizeof(*out));
    FILL(out->hash, 0x33);
    out->keys = sample_ct(full ? 96 : 32, 0x10);
    if (full) {
        out->media_type = TEXT("application/pdf");
        FILL(out->object, 0x72);
        out->slot = 9;
    }
}

static void sample_chunk_msg(struct ml_msg *out, bool full)
{
    static struct ml_hash hashes[2];
    FILL(hashes[0], 0x41);
    FILL(hashes[1], 0x40);
    if (out->kind == ML_MSG_CHUNK) {
        out->u.chunk.bytes = sample_ct(40, 0x70);
    } else if (out->kind == ML_MSG_CHUNK_HAVE) {
        out->u.chunk_have.missing = full ? 300 : 0;
    } else {
        out->u.chunk_list.hashes = list_of(hashes, full ? 2 : 1);
    }
}

void sample_msg(struct ml_msg *out, ml_msg_kind kind, bool full)
{
    memset(out, 0, sizeof(*out));
    out->kind = kind;
    switch (kind) {
    case ML_MSG_HELLO:
        sample_hello(&out->u.hello);
        return;
    case ML_MSG_FRONTIER:
        sample_frontier(&out->u.frontier, full);
        return;
    case ML_MSG_CREDIT:
        out->u.credit = (struct ml_msg_credit){1u << 20, 256};
        return;
    case ML_MSG_COMMIT:
        out->u.commit.number = 7;
        FILL(out->u.commit.frontier, 0x32);
        return;
    case ML_MSG_FORK_QUERY:
        sample_fork_query(&out->u.fork_query);
        return;
    case ML_MSG_DONE:
        out->u.done.number = full ? 7 : 0;
        FILL(out->u.done.frontier, 0x32);
        return;
    case ML_MSG_BYE:
        out->u.bye = (struct ml_msg_bye){ML_BYE_BUSY, full ? 5000 : 0};
        return;
    case ML_MSG_ENROL_REQUEST:
        sample_enrol_request(&out->u.enrol_request, full);
        return;
    case ML_MSG_ENROL_GRANT:
        sample_enrol_grant(&out->u.enrol_grant, full);
        return;
    case ML_MSG_ENROL_REFUSE:
        out->u.enrol_refuse.reason = ML_ENROL_EXPIRED;
        return;
    case ML_MSG_ENROL_READY:
        FILL(out->u.enrol_ready.node, 0x04);
        return;
    case ML_MSG_PLAN:
    case ML_MSG_BUNDLES:
    case ML_MSG_FORK_ANSWER:
    case ML_MSG_HEADERS:
    case ML_MSG_BODY_REQUEST:
    case ML_MSG_ABSENT:
    case ML_MSG_BUNDLE_REQUEST:
        sample_lists(out, full);
        return;
    case ML_MSG_CHUNK_WANT:
    case ML_MSG_CHUNK:
    case ML_MSG_CHUNK_ABSENT:
    case ML_MSG_CHUNK_HAVE:
        sample_chunk_msg(out, full);
        return;
    }
}
