/* core/codec/bundle.c -- see bundle.h.
 *
 *   wire form      header (map, ascending keys)              body
 *  +----------+   +--------------------------------------+   +-------------------------------+
 *  | array 3  |   | 1 version   2 flags?   3 writer16    |   | array n_ops                   |
 *  | bin hdr  |   | 4 lane      5 seq      6 prev 32     |   |  op: array 3: dict, hlc delta,|
 *  | bin sig  |   | 7 gctx16    8 deps?    9 hlc         |   |      bin ciphertext           |
 *  | bin body |   | 10 n_ops   11 body_len 12 body_root  |   |  or a shredded op's leaf:     |
 *  |  or why  |   | 13 salt16  14 dictionary?            |   |      bin 32                   |
 *  +----------+   +--------------------------------------+   +-------------------------------+
 */
#include "core/codec/bundle.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/codec/manifest.h"
#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_id.h"

static const struct ml_wire_field dep_fields[] = {
    ML_WF_FIXED(struct ml_dep, 0, writer, "writer16 of the head"),
    ML_WF_UINT(struct ml_dep, 1, lane, 0, ML_LANES - 1, "its lane"),
    ML_WF_UINT(struct ml_dep, 2, seq, 1, UINT32_MAX, "its sequence number"),
    ML_WF_FIXED(struct ml_dep, 3, hash, "first 16 bytes of its header_hash"),
};

const struct ml_wire_format ml_format_dep =
    ML_WIRE_FORMAT("head", ARRAY, struct ml_dep, ML_WIRE_CLOSED, dep_fields, NULL,
                   "One bundle of one chain, as cited by deps and frontiers.");

static const struct ml_wire_field dict_fields[] = {
    ML_WF_FIXED(struct ml_dict_entry, 0, stream, "stream id: a patient's pseudonym here"),
    ML_WF_FIXED(struct ml_dict_entry, 1, key, "id of the key that seals the op"),
    ML_WF_UINT(struct ml_dict_entry, 2, compartment, 1, ML_COMPARTMENT_LAST, "data class"),
    ML_WF_UINT(struct ml_dict_entry, 3, action, ML_ACTION_CREATE, ML_ACTION_DEPOSIT,
               "action class: 1 create, 2 amend, 3 deposit"),
};

const struct ml_wire_format ml_format_dict_entry =
    ML_WIRE_FORMAT("dictionary entry", ARRAY, struct ml_dict_entry, ML_WIRE_CLOSED, dict_fields,
                   NULL, "What sealed ops belong to, in clear.");

static const char *header_check(const void *object)
{
    const struct ml_header *h = object;
    bool sealed = h->lane >= ML_LANE_TRACE;
    if (ml_is_zero(h->prev.b, sizeof(h->prev.b)) != (h->seq == 1)) {
        return "prev";
    }
    if ((h->dictionary.count > 0) != sealed) {
        return "dictionary";
    }
    if (h->flags & ML_BUNDLE_FLAG_GENESIS &&
        (h->lane != ML_LANE_GOVERNANCE || h->seq != 1 || h->deps.count > 0)) {
        return "flags";
    }
    return NULL;
}

static const struct ml_wire_field header_fields[] = {
    ML_WF_UINT(struct ml_header, 1, version, 0, ML_BUNDLE_VERSION, "format version"),
    ML_WF_OPT_UINT(struct ml_header, 2, flags, ML_BUNDLE_FLAG_GENESIS, "bit 0: genesis"),
    ML_WF_FIXED(struct ml_header, 3, writer, "BLAKE2b-16 of the writer's public key"),
    ML_WF_UINT(struct ml_header, 4, lane, 0, ML_LANES - 1,
               "0 governance, 1 keys, 2 trace, 3 record, 4 blob manifests"),
    ML_WF_UINT(struct ml_header, 5, seq, 1, UINT32_MAX, "place in the chain, from 1"),
    ML_WF_FIXED(struct ml_header, 6, prev, "header_hash of seq - 1; zero for seq 1"),
    ML_WF_FIXED(struct ml_header, 7, gctx, "digest of the governance seen, this header's included"),
    ML_WF_OPT_SORTED(struct ml_header, 8, deps, ML_BUNDLE_DEPS_MAX, &ml_format_dep,
                     "heads seen since the previous header of this chain"),
    ML_WF_UINT(struct ml_header, 9, hlc, 0, UINT64_MAX, "48-bit UTC milliseconds, 16-bit counter"),
    ML_WF_UINT(struct ml_header, 10, n_ops, 1, ML_BUNDLE_OPS_MAX, "ops in the body"),
    ML_WF_UINT(struct ml_header, 11, body_len, 1, ML_BODY_BYTES_MAX, "bytes of the body, whole"),
    ML_WF_FIXED(struct ml_header, 12, body_root, "hash over the ops' leaves"),
    ML_WF_FIXED(struct ml_header, 13, salt, "of the ops' nonces"),
    ML_WF_OPT_LIST(struct ml_header, 14, dictionary, ML_BUNDLE_STREAMS_MAX, &ml_format_dict_entry,
                   "what the ops belong to; lanes 2, 3, 4 only"),
};

const struct ml_wire_format ml_format_header =
    ML_WIRE_FORMAT("header", MAP, struct ml_header, ML_WIRE_CLOSED, header_fields, header_check,
                   "Signed by its writer over its header_hash.");

struct wire_form {
    struct ml_slice header;
    struct ml_signature sig;
    struct ml_wire_body body;
};

static const struct ml_wire_field bundle_fields[] = {
    ML_WF_BIN(struct wire_form, 0, header, 1, ML_HEADER_BYTES_MAX, "the header, encoded"),
    ML_WF_FIXED(struct wire_form, 1, sig, "Ed25519 over the header_hash"),
    ML_WF_BODY(struct wire_form, 2, body, 1, ML_BODY_SHREDDED_MAX,
               "the body, encoded; or why it is absent: 1 not received, 2 pruned, 3 shredded, "
               "4 held by nobody who may give it"),
};

const struct ml_wire_format ml_format_bundle =
    ML_WIRE_FORMAT("bundle", ARRAY, struct wire_form, ML_WIRE_CLOSED, bundle_fields, NULL,
                   "A bundle as it travels.");

/* ---- header ---- */

/* A newer version is not malformed: its first field says so, whatever follows. */
static bool version_is_newer(struct ml_slice bytes)
{
    struct ml_mp c;
    ml_mp_init(&c, bytes, ML_MP_CANONICAL);
    (void)ml_mp_map(&c, 1, UINT32_MAX);
    uint64_t key = ml_mp_key(&c);
    uint64_t version = ml_mp_uint(&c, 0, UINT8_MAX);
    return ml_mp_ok(&c) && key == 1 && version > ML_BUNDLE_VERSION;
}

ml_err ml_header_decode(struct ml_header *out, struct ml_slice bytes, struct ml_fault *fault)
{
    if (bytes.len > ML_HEADER_BYTES_MAX) {
        if (fault != NULL) {
            *fault = (struct ml_fault){ML_FAULT_RANGE, ML_HEADER_BYTES_MAX, "header"};
        }
        return ML_E_MALFORMED;
    }
    ml_err err = ml_wire_decode(&ml_format_header, out, bytes, fault);
    return err != ML_OK && version_is_newer(bytes) ? ML_E_VERSION : err;
}

ml_err ml_header_encode(struct ml_buf *out, const struct ml_header *header)
{
    size_t start = out->len;
    ml_err err = ml_wire_encode(&ml_format_header, out, header);
    if (err == ML_OK && out->len - start > ML_HEADER_BYTES_MAX) {
        out->len = start;
        return ML_E_LIMIT;
    }
    return err;
}

int ml_dep_compare(const struct ml_dep *a, const struct ml_dep *b)
{
    int order = memcmp(a->writer.b, b->writer.b, sizeof(a->writer.b));
    if (order != 0) {
        return order;
    }
    if (a->lane != b->lane) {
        return a->lane < b->lane ? -1 : 1;
    }
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    return memcmp(a->hash.b, b->hash.b, sizeof(a->hash.b));
}

struct ml_hash ml_header_hash(const struct ml_org_id *org, struct ml_slice header)
{
    struct ml_hash out;
    const struct ml_slice parts[] = {ml_slice_str("maille/bundle/1"),
                                     ml_slice(org->b, sizeof(org->b)), header};
    ml_hash_parts(out.b, sizeof(out.b), ml_slice(NULL, 0), parts, 3);
    return out;
}

struct ml_hash16 ml_hash16_of(const struct ml_hash *hash)
{
    struct ml_hash16 out;
    memcpy(out.b, hash->b, sizeof(out.b));
    return out;
}

struct ml_hash16 ml_gctx_of(const struct ml_org_id *org, const struct ml_dep *heads, size_t count)
{
    static const char label[] = "maille/gctx/1";
    struct ml_hash16 out;
    struct ml_hash_state st;
    ml_hash_init(&st, sizeof(out.b), NULL, 0);
    ml_hash_update(&st, label, sizeof(label) - 1);
    ml_hash_update(&st, org->b, sizeof(org->b));
    for (size_t i = 0; i < count; i++) {
        uint8_t seq[4];
        ml_put_u32be(seq, heads[i].seq);
        ml_hash_update(&st, heads[i].writer.b, sizeof(heads[i].writer.b));
        ml_hash_update(&st, seq, sizeof(seq));
        ml_hash_update(&st, heads[i].hash.b, sizeof(heads[i].hash.b));
    }
    ml_hash_final(&st, out.b, sizeof(out.b));
    return out;
}

/* ---- body ---- */

static void op_read(struct ml_mp *c, struct ml_body_op *out)
{
    *out = (struct ml_body_op){.shredded = ml_mp_peek(c) == ML_MP_BIN};
    if (out->shredded) {
        ml_mp_fixed(c, out->leaf.b, sizeof(out->leaf.b));
        return;
    }
    (void)ml_mp_array(c, 3, 3);
    size_t clear = c->pos;
    out->dict = (uint8_t)ml_mp_uint(c, 0, ML_BUNDLE_STREAMS_MAX - 1);
    out->hlc_delta = ml_mp_uint(c, 0, UINT64_MAX);
    out->clear = ml_slice(c->data + clear, c->pos - clear);
    out->sealed = ml_mp_bin(c, 1, ML_BODY_BYTES_MAX);
}

void ml_body_walk(struct ml_body_walk *walk, struct ml_slice body)
{
    *walk = (struct ml_body_walk){0};
    ml_mp_init(&walk->mp, body, ML_MP_CANONICAL);
    walk->left = ml_mp_array(&walk->mp, 1, ML_BUNDLE_OPS_MAX);
}

bool ml_body_next(struct ml_body_walk *walk, struct ml_body_op *out)
{
    if (walk->left == 0 || !ml_mp_ok(&walk->mp)) {
        return false;
    }
    op_read(&walk->mp, out);
    walk->left--;
    walk->index = walk->started ? walk->index + 1 : 0;
    walk->started = true;
    return ml_mp_ok(&walk->mp);
}

static const char *op_fault(const struct ml_header *h, const struct ml_body_op *op)
{
    uint32_t entries = h->dictionary.count == 0 ? 1 : h->dictionary.count;
    struct ml_manifest manifest;
    if (op->dict >= entries) {
        return "dictionary index";
    }
    /* Who has no key must know what to fetch: in lane 4 the clear part is structure. */
    if (h->lane == ML_LANE_BLOB && ml_manifest_decode(&manifest, op->sealed, NULL) != ML_OK) {
        return "manifest";
    }
    return op->hlc_delta > UINT64_MAX - h->hlc ? "hlc delta" : NULL;
}

ml_err ml_body_check(const struct ml_header *header, struct ml_slice body, struct ml_fault *fault)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    bool shredded = false;
    const char *where = "op";
    ml_body_walk(&walk, body);
    if (ml_mp_ok(&walk.mp) && walk.left != header->n_ops) {
        where = "n_ops";
        ml_mp_fail(&walk.mp, ML_FAULT_RULE, 0);
    }
    for (size_t at = walk.mp.pos; ml_body_next(&walk, &op); at = walk.mp.pos) {
        shredded = shredded || op.shredded;
        const char *broken = op.shredded ? NULL : op_fault(header, &op);
        if (broken != NULL) {
            where = broken;
            ml_mp_fail(&walk.mp, ML_FAULT_RULE, at);
        }
    }
    ml_err err = ml_mp_end(&walk.mp);
    if (err == ML_OK && !shredded && body.len != header->body_len) {
        where = "body_len";
        ml_mp_fail(&walk.mp, ML_FAULT_RULE, 0);
        err = ML_E_MALFORMED;
    }
    if (err != ML_OK && fault != NULL) {
        *fault = walk.mp.fault;
        fault->where = where;
    }
    return err;
}

struct ml_hash ml_body_leaf(const struct ml_body_op *op)
{
    static const uint8_t domain = 0x00;
    struct ml_hash out;
    if (op->shredded) {
        return op->leaf;
    }
    const struct ml_slice parts[] = {ml_slice(&domain, 1), op->clear, op->sealed};
    ml_hash_parts(out.b, sizeof(out.b), ml_slice(NULL, 0), parts, 3);
    return out;
}

struct ml_hash ml_body_root(struct ml_slice body)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_hash out;
    struct ml_hash_state st;
    ml_body_walk(&walk, body);
    const uint8_t head[3] = {0x01, (uint8_t)(walk.left >> 8), (uint8_t)walk.left};
    ml_hash_init(&st, sizeof(out.b), NULL, 0);
    ml_hash_update(&st, head, sizeof(head));
    while (ml_body_next(&walk, &op)) {
        struct ml_hash leaf = ml_body_leaf(&op);
        ml_hash_update(&st, leaf.b, sizeof(leaf.b));
    }
    ml_hash_final(&st, out.b, sizeof(out.b));
    return out;
}

bool ml_body_is_whole(struct ml_slice body)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    bool whole = true;
    ml_body_walk(&walk, body);
    while (whole && ml_body_next(&walk, &op)) {
        whole = !op.shredded;
    }
    return whole;
}

static void op_write(struct ml_buf *b, const struct ml_body_op *op)
{
    if (op->shredded) {
        ml_mp_put_bin(b, ml_slice(op->leaf.b, sizeof(op->leaf.b)));
        return;
    }
    ml_mp_put_array(b, 3);
    ml_mp_put_uint(b, op->dict);
    ml_mp_put_uint(b, op->hlc_delta);
    ml_mp_put_bin(b, op->sealed);
}

ml_err ml_body_shred(struct ml_buf *out, struct ml_slice body, uint8_t index)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    size_t start = out->len;
    ml_body_walk(&walk, body);
    if (index >= walk.left) {
        return ML_E_NOT_FOUND;
    }
    ml_mp_put_array(out, walk.left);
    while (ml_body_next(&walk, &op)) {
        if (walk.index == index) {
            op.leaf = ml_body_leaf(&op);
            op.shredded = true;
        }
        op_write(out, &op);
    }
    if (out->err != ML_OK) {
        out->len = start;
    }
    return out->err;
}

/* ---- whole bundles ---- */

static void fault_move(struct ml_fault *fault, struct ml_slice outer, struct ml_slice inner)
{
    if (fault != NULL) {
        fault->offset += (size_t)(inner.data - outer.data);
    }
}

ml_err ml_bundle_decode(struct ml_bundle *out, struct ml_slice wire, struct ml_fault *fault)
{
    struct wire_form form;
    struct ml_bundle b = {0};
    ml_err err = ml_wire_decode(&ml_format_bundle, &form, wire, fault);
    if (err != ML_OK) {
        return err;
    }
    b.header_bytes = form.header;
    b.sig = form.sig;
    b.body = form.body;
    err = ml_header_decode(&b.header, form.header, fault);
    if (err != ML_OK) {
        fault_move(fault, wire, form.header);
        return err;
    }
    if (form.body.absent == 0) {
        err = ml_body_check(&b.header, form.body.bytes, fault);
        if (err != ML_OK) {
            fault_move(fault, wire, form.body.bytes);
            return err;
        }
    }
    *out = b;
    return ML_OK;
}

ml_err ml_bundle_join(struct ml_buf *out, struct ml_slice header, const struct ml_signature *sig,
                      const struct ml_wire_body *body)
{
    const struct wire_form form = {.header = header, .sig = *sig, .body = *body};
    return ml_wire_encode(&ml_format_bundle, out, &form);
}

struct ml_hash ml_bundle_hash(const struct ml_bundle *bundle, const struct ml_org_id *org)
{
    static const struct ml_org_id zero;
    bool genesis = (bundle->header.flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    return ml_header_hash(genesis ? &zero : org, bundle->header_bytes);
}

ml_err ml_bundle_verify_header(const struct ml_bundle *bundle, const struct ml_org_id *org,
                               const struct ml_sign_pk *pk, struct ml_hash *hash)
{
    struct ml_writer_id writer = ml_writer_id_of(pk);
    if (memcmp(writer.b, bundle->header.writer.b, sizeof(writer.b)) != 0) {
        return ML_E_INVALID;
    }
    struct ml_hash h = ml_bundle_hash(bundle, org);
    bool genesis = (bundle->header.flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    if (genesis && memcmp(h.b, org->b, sizeof(h.b)) != 0) {
        return ML_E_FORGED;
    }
    ml_err err = ml_sign_verify(pk, ml_slice(h.b, sizeof(h.b)), bundle->sig.b);
    if (err == ML_OK) {
        *hash = h;
    }
    return err;
}

ml_err ml_bundle_verify(const struct ml_bundle *bundle, const struct ml_org_id *org,
                        const struct ml_sign_pk *pk, struct ml_hash *hash)
{
    struct ml_hash h;
    ml_err err = ml_bundle_verify_header(bundle, org, pk, &h);
    if (err != ML_OK) {
        return err;
    }
    if (bundle->body.absent == 0) {
        struct ml_hash root = ml_body_root(bundle->body.bytes);
        if (memcmp(root.b, bundle->header.body_root.b, sizeof(root.b)) != 0) {
            return ML_E_FORGED;
        }
    }
    *hash = h;
    return ML_OK;
}

/* ---- building ---- */

static ml_err body_build(struct ml_buf *body, const struct ml_bundle_draft *draft)
{
    if (draft->op_count == 0) {
        return ML_E_INVALID;
    }
    if (draft->op_count > ML_BUNDLE_OPS_MAX) {
        return ML_E_LIMIT;
    }
    ml_mp_put_array(body, draft->op_count);
    for (uint32_t i = 0; i < draft->op_count; i++) {
        const struct ml_body_op op = {.dict = draft->ops[i].dict,
                                      .hlc_delta = draft->ops[i].hlc_delta,
                                      .sealed = draft->ops[i].sealed};
        op_write(body, &op);
    }
    return body->err;
}

static ml_err header_build(struct ml_buf *out, struct ml_bundle_draft *draft, struct ml_slice body)
{
    struct ml_header h = draft->header;
    h.n_ops = (uint16_t)draft->op_count;
    h.body_len = (uint32_t)body.len;
    ml_err err = ml_body_check(&h, body, NULL);
    if (err != ML_OK) {
        return ML_E_INVALID;
    }
    h.body_root = ml_body_root(body);
    err = ml_header_encode(out, &h);
    if (err == ML_OK) {
        draft->header = h;
    }
    return err;
}

ml_err ml_bundle_build(struct ml_buf *out, struct ml_hash *hash, struct ml_bundle_draft *draft,
                       const struct ml_org_id *org, const struct ml_secret *seed)
{
    static const struct ml_org_id zero;
    struct ml_buf body;
    struct ml_buf header;
    struct ml_signature sig;
    ml_buf_init(&body, out->env, ML_BODY_BYTES_MAX);
    ml_buf_init(&header, out->env, 2 * (size_t)ML_HEADER_BYTES_MAX);
    ml_err err = body_build(&body, draft);
    if (err == ML_OK) {
        err = header_build(&header, draft, ml_buf_slice(&body));
    }
    if (err == ML_OK) {
        bool genesis = (draft->header.flags & ML_BUNDLE_FLAG_GENESIS) != 0;
        struct ml_hash h = ml_header_hash(genesis ? &zero : org, ml_buf_slice(&header));
        ml_sign(sig.b, ml_slice(h.b, sizeof(h.b)), seed);
        const struct ml_wire_body wire_body = {.bytes = ml_buf_slice(&body)};
        err = ml_bundle_join(out, ml_buf_slice(&header), &sig, &wire_body);
        if (err == ML_OK) {
            *hash = h;
        }
    }
    ml_buf_free(&header);
    ml_buf_free(&body);
    return err;
}

void ml_op_ad(uint8_t out[ML_OP_AD_BYTES], const struct ml_org_id *org,
              const struct ml_header *header, uint8_t index, const struct ml_dict_entry *entry)
{
    uint8_t *p = out;
    memcpy(p, org->b, 32);
    memcpy(p + 32, header->writer.b, 16);
    p[48] = header->lane;
    ml_put_u32be(p + 49, header->seq);
    p[53] = index;
    memcpy(p + 54, entry->stream.b, 16);
    memcpy(p + 70, entry->key.b, 16);
}

void ml_op_nonce(uint8_t out[ML_OP_NONCE_BYTES], const struct ml_salt *salt, uint8_t index)
{
    const struct ml_slice parts[] = {ml_slice(salt->b, sizeof(salt->b)), ml_slice(&index, 1)};
    ml_hash_parts(out, ML_OP_NONCE_BYTES, ml_slice(NULL, 0), parts, 2);
}
