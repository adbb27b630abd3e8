/* core/model/seal.c -- see seal.h.
 *
 * Happy path: encode items until one doesn't fit, draw the salt over all plaintexts (B19), seal
 * each op at its index, build and sign. Then each item gets its version id.
 *
 * Failures: nothing is placed and `out` is as it was, but for its err.
 *
 * Invariant: op i of the bundle is items[from + i]; a same-bundle reference is below its own index.
 */
#include "core/model/seal.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/model/seal_int.h"

enum {
    OP_EXTRA_BYTES = ML_AEAD_TAG_BYTES + 16, /* tag; array, index, delta and bin heads */
    BODY_HEAD_BYTES = 3,
};

struct sealing {
    const struct ml_seal_args *args;
    struct ml_buf plain; /* plaintexts, one after the other */
    struct ml_buf sealed;
    size_t plain_end[ML_BUNDLE_OPS_MAX];
    struct ml_op_draft ops[ML_BUNDLE_OPS_MAX];
    struct ml_seal_dict dict;
    struct ml_version_ref refs[ML_CHANGE_SEEN_MAX];
    uint32_t op_count;
    size_t body_bytes;
};

ml_action ml_action_of(uint8_t change_type)
{
    return change_type == ML_CHANGE_CREATE ? ML_ACTION_CREATE : ML_ACTION_AMEND;
}

struct ml_salt ml_salt_draw(const struct ml_env *env, const struct ml_secret *node_salt,
                            const uint8_t plain_hash[32], const struct ml_header *header)
{
    uint8_t fresh[32];
    uint8_t place[sizeof(header->writer.b) + 5];
    struct ml_salt salt;
    env->random(env->ctx, fresh, sizeof(fresh));
    memcpy(place, header->writer.b, sizeof(header->writer.b));
    place[sizeof(header->writer.b)] = header->lane;
    ml_put_u32be(place + sizeof(header->writer.b) + 1, header->seq);
    const struct ml_slice parts[] = {ml_slice(fresh, sizeof(fresh)), ml_slice(plain_hash, 32),
                                     ml_slice(place, sizeof(place))};
    ml_hash_parts(salt.b, sizeof(salt.b),
                  ml_slice(ml_secret_bytes(node_salt), ml_secret_len(node_salt)), parts, 3);
    return salt;
}

/* The order of encoded references: small indices, full ids, large indices. */
static unsigned ref_class(const struct ml_version_ref *r)
{
    if (!r->same_bundle) {
        return 1;
    }
    return r->id.index < 128 ? 0 : 2;
}

static int ref_order(const void *a, const void *b)
{
    const struct ml_version_ref *x = a;
    const struct ml_version_ref *y = b;
    if (ref_class(x) != ref_class(y)) {
        return ref_class(x) < ref_class(y) ? -1 : 1;
    }
    int order = memcmp(x->id.bundle.b, y->id.bundle.b, sizeof(x->id.bundle.b));
    return order != 0 ? order : (int)x->id.index - (int)y->id.index;
}

static ml_err item_ref(const struct ml_seal_args *args, uint32_t at, uint32_t seen,
                       struct ml_version_ref *ref)
{
    if (seen >= at) {
        return ML_E_INVALID;
    }
    if (seen >= args->from) {
        *ref = (struct ml_version_ref){.same_bundle = true,
                                       .id = {.index = (uint8_t)(seen - args->from)}};
        return ML_OK;
    }
    *ref = (struct ml_version_ref){.id = args->items[seen].version};
    return args->items[seen].placed ? ML_OK : ML_E_INVALID;
}

/* Fills s->refs, sorted and without repetition; returns their number in *count. */
static ml_err item_refs(struct sealing *s, uint32_t at, uint32_t *count)
{
    const struct ml_seal_item *item = &s->args->items[at];
    const struct ml_version_ref *given = item->change.seen.items;
    uint32_t given_count = given == NULL ? 0 : item->change.seen.count;
    if (given_count + (uint64_t)item->seen_item_count > ML_CHANGE_SEEN_MAX) {
        return ML_E_LIMIT;
    }
    uint32_t n = 0;
    for (; n < given_count; n++) {
        s->refs[n] = given[n];
    }
    for (uint32_t i = 0; i < item->seen_item_count; i++, n++) {
        ml_err err = item_ref(s->args, at, item->seen_items[i], &s->refs[n]);
        if (err != ML_OK) {
            return err;
        }
    }
    qsort(s->refs, n, sizeof(s->refs[0]), ref_order);
    *count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || ref_order(&s->refs[i - 1], &s->refs[i]) != 0) {
            s->refs[(*count)++] = s->refs[i];
        }
    }
    return ML_OK;
}

bool ml_seal_dict_index(struct ml_seal_dict *dict, const struct ml_dict_entry *want, uint8_t *index)
{
    for (uint32_t i = 0; i < dict->count; i++) {
        if (memcmp(&dict->entries[i], want, sizeof(*want)) == 0) {
            *index = (uint8_t)i;
            return true;
        }
    }
    if (dict->count == ML_BUNDLE_STREAMS_MAX) {
        return false;
    }
    *index = (uint8_t)dict->count;
    dict->entries[dict->count++] = *want;
    return true;
}

static bool dict_index(struct sealing *s, const struct ml_seal_item *item, uint8_t *index)
{
    const ml_action action = item->deposit ? ML_ACTION_DEPOSIT : ml_action_of(item->change.type);
    const struct ml_dict_entry want = {.stream = item->key.stream,
                                       .key = item->key.dek,
                                       .compartment = item->compartment,
                                       .action = (uint8_t)action};
    return ml_seal_dict_index(&s->dict, &want, index);
}

/* Adds the next item's plaintext; *full when it belongs into the next bundle. */
static ml_err add_item(struct sealing *s, bool *full)
{
    uint32_t at = s->args->from + s->op_count;
    const struct ml_seal_item *item = &s->args->items[at];
    struct ml_change change = item->change;
    size_t before = s->plain.len;
    uint32_t ref_count = 0;
    uint8_t dict = 0;
    ml_err err = item_refs(s, at, &ref_count);
    if (err == ML_OK) {
        change.seen = (struct ml_list){.items = s->refs, .count = ref_count};
        err = ml_change_encode(&s->plain, &change);
    }
    if (err != ML_OK) {
        return err;
    }
    size_t bytes = s->plain.len - before + OP_EXTRA_BYTES;
    if (s->body_bytes + bytes > ML_BODY_BYTES_MAX || !dict_index(s, item, &dict)) {
        s->plain.len = before;
        *full = true;
        return ML_OK;
    }
    s->body_bytes += bytes;
    s->plain_end[s->op_count] = s->plain.len;
    s->ops[s->op_count].dict = dict;
    s->ops[s->op_count].hlc_delta = item->hlc_delta;
    s->op_count++;
    return ML_OK;
}

static ml_err add_items(struct sealing *s)
{
    bool full = false;
    ml_err err = ML_OK;
    s->body_bytes = BODY_HEAD_BYTES;
    while (!full && err == ML_OK && s->op_count < ML_BUNDLE_OPS_MAX &&
           s->args->from + s->op_count < s->args->count) {
        err = add_item(s, &full);
    }
    return err == ML_OK && s->op_count == 0 ? ML_E_LIMIT : err;
}

static ml_err seal_op(struct sealing *s, const struct ml_header *header, uint32_t i)
{
    const struct ml_sealer *sealer = s->args->sealer;
    const struct ml_dict_entry *entry = &s->dict.entries[s->ops[i].dict];
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    size_t start = i == 0 ? 0 : s->plain_end[i - 1];
    size_t len = s->plain_end[i] - start;
    ml_err err = ml_keyring_dek(sealer->keyring, &entry->stream, &entry->key, &info, &dek);
    if (err != ML_OK) {
        return err == ML_E_NOT_FOUND ? ML_E_NO_KEY : err;
    }
    uint8_t *out = ml_buf_extend(&s->sealed, len + ML_AEAD_TAG_BYTES);
    if (out == NULL) {
        return s->sealed.err;
    }
    ml_op_ad(ad, &sealer->org, header, (uint8_t)i, entry);
    ml_op_nonce(nonce, &header->salt, (uint8_t)i);
    ml_aead_seal(out, ml_slice(s->plain.data + start, len), ml_slice(ad, sizeof(ad)), nonce, dek);
    s->ops[i].sealed.len = len + ML_AEAD_TAG_BYTES;
    return ML_OK;
}

static ml_err seal_ops(struct sealing *s, const struct ml_header *header)
{
    ml_err err = ML_OK;
    for (uint32_t i = 0; i < s->op_count && err == ML_OK; i++) {
        err = seal_op(s, header, i);
    }
    size_t at = 0;
    for (uint32_t i = 0; i < s->op_count && err == ML_OK; i++) { /* the buffer stays where it is */
        s->ops[i].sealed.data = s->sealed.data + at;
        at += s->ops[i].sealed.len;
    }
    return err;
}

struct ml_header ml_seal_header(const struct ml_sealer *sealer, const struct ml_seal_place *place,
                                uint8_t lane, const struct ml_seal_dict *dict,
                                struct ml_slice plain)
{
    struct ml_header header = {.version = ML_BUNDLE_VERSION,
                               .writer = place->writer,
                               .lane = lane,
                               .seq = place->seq,
                               .prev = place->prev,
                               .gctx = place->gctx,
                               .deps = {.items = place->deps, .count = place->dep_count},
                               .hlc = place->hlc,
                               .dictionary = {.items = dict->entries, .count = dict->count}};
    uint8_t hash[32];
    ml_hash_parts(hash, sizeof(hash), ml_slice(NULL, 0), &plain, 1);
    header.salt = ml_salt_draw(sealer->env, sealer->node_salt, hash, &header);
    return header;
}

static ml_err seal_all(struct sealing *s, struct ml_buf *out, struct ml_hash *hash)
{
    const struct ml_sealer *sealer = s->args->sealer;
    ml_err err = add_items(s);
    if (err != ML_OK) {
        return err;
    }
    struct ml_bundle_draft draft = {.ops = s->ops, .op_count = s->op_count};
    draft.header =
        ml_seal_header(sealer, s->args->place, ML_LANE_RECORD, &s->dict, ml_buf_slice(&s->plain));
    err = seal_ops(s, &draft.header);
    if (err == ML_OK) {
        err = ml_bundle_build(out, hash, &draft, &sealer->org, sealer->seed);
    }
    return err;
}

ml_err ml_seal_bundle(const struct ml_seal_args *args, struct ml_buf *out, uint32_t *taken,
                      struct ml_hash *hash)
{
    const struct ml_env *env = args->sealer->env;
    if (args->from >= args->count) {
        return ML_E_INVALID;
    }
    struct sealing *s = ml_alloc(env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    s->args = args;
    ml_buf_init(&s->plain, env, ML_BODY_BYTES_MAX + ML_CHANGE_BYTES_MAX);
    ml_buf_init(&s->sealed, env, ML_BODY_BYTES_MAX);
    ml_err err = seal_all(s, out, hash);
    if (err == ML_OK) {
        *taken = s->op_count;
        for (uint32_t i = 0; i < s->op_count; i++) {
            args->items[args->from + i].version =
                (struct ml_version_id){ml_hash16_of(hash), (uint8_t)i};
            args->items[args->from + i].placed = true;
        }
    }
    if (s->plain.data != NULL) {
        ml_wipe(s->plain.data, s->plain.cap);
    }
    ml_buf_free(&s->plain);
    ml_buf_free(&s->sealed);
    ml_release(env, s);
    return err;
}

/* ---- opening ---- */

struct opening {
    const struct ml_open_args *args;
    struct ml_dict_entry dict[ML_BUNDLE_STREAMS_MAX];
    size_t used;     /* of plain, at most */
    uint8_t plain[]; /* as long as the body: no op is longer */
};

/* A reference inside the bundle goes to a smaller index, or the graph of versions has a cycle. */
static bool refs_go_back(const struct ml_change *change, uint8_t index)
{
    struct ml_list_walk walk;
    struct ml_version_ref ref;
    bool back = true;
    ml_list_walk(&walk, &change->seen);
    while (ml_seen_next(&walk, &ref)) {
        back = back && (!ref.same_bundle || ref.id.index < index);
    }
    return back;
}

static ml_err open_op(struct opening *o, const struct ml_body_op *op, struct ml_opened *out)
{
    const struct ml_open_args *args = o->args;
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    const uint8_t *dek = NULL;
    if (op->shredded) {
        out->result = ML_OPEN_SHREDDED;
        return ML_OK;
    }
    ml_err err =
        ml_keyring_dek(args->keyring, &out->entry.stream, &out->entry.key, &out->stream, &dek);
    if (err == ML_E_NOT_FOUND || err == ML_E_NO_KEY) {
        out->result = err == ML_E_NO_KEY ? ML_OPEN_NO_KEY : ML_OPEN_NO_STREAM;
        return ML_OK;
    }
    if (err != ML_OK) {
        return err;
    }
    ml_op_ad(ad, &args->org, args->header, out->index, &out->entry);
    ml_op_nonce(nonce, &args->header->salt, out->index);
    o->used = op->sealed.len > o->used ? op->sealed.len : o->used;
    if (op->sealed.len < ML_AEAD_TAG_BYTES ||
        ml_aead_open(o->plain, op->sealed, ml_slice(ad, sizeof(ad)), nonce, dek) != ML_OK) {
        out->result = ML_OPEN_FORGED;
        return ML_OK;
    }
    out->plain = ml_slice(o->plain, op->sealed.len - ML_AEAD_TAG_BYTES);
    bool change = ml_change_decode(&out->change, out->plain, NULL) == ML_OK &&
                  refs_go_back(&out->change, out->index);
    out->result = change ? ML_OPEN_OK : ML_OPEN_MALFORMED;
    return ML_OK;
}

ml_err ml_open_bundle(const struct ml_open_args *args, ml_opened_cb *each, void *user)
{
    struct opening *o = ml_alloc(args->env, sizeof(*o) + args->body.len);
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    o->args = args;
    struct ml_list_walk dict;
    uint32_t dict_count = 0;
    ml_list_walk(&dict, &args->header->dictionary);
    while (dict_count < ML_BUNDLE_STREAMS_MAX && ml_dict_next(&dict, &o->dict[dict_count])) {
        dict_count++;
    }
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_err err = ML_OK;
    ml_body_walk(&walk, args->body);
    while (err == ML_OK && ml_body_next(&walk, &op)) {
        struct ml_opened out = {.index = (uint8_t)walk.index,
                                .hlc = args->header->hlc + op.hlc_delta};
        if (!op.shredded && op.dict < dict_count) {
            out.entry = o->dict[op.dict];
        }
        err = open_op(o, &op, &out);
        if (err == ML_OK) {
            err = each(user, &out);
        }
    }
    ml_wipe(o->plain, o->used);
    ml_release(args->env, o);
    return err;
}
