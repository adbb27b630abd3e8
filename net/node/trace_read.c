/* net/node/trace_read.c -- see trace_read.h.
 *
 * Happy path: op 0 gives the bundle's content key, to the auditor or to the author; each other op
 * opens under it in its place. Failures: what doesn't open is counted; nothing is shown of it.
 */
#include "net/node/trace_read.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/box.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_pair.h"
#include "net/node/session.h"

static const struct ml_secret *audit_of(const struct ml_org *org, const struct ml_fact *root)
{
    return root == NULL
               ? NULL
               : ml_keyring_pair_secret(ml_session_keyring(org), ML_PAIR_AUDIT, &root->audit);
}

/* Whoever read them before Root had other keys reads what is of then. */
const struct ml_secret *ml_trace_audit_key(const struct ml_org *org)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_secret *held = audit_of(org, ml_gov_root(gov));
    const struct ml_fact *f = NULL;
    while (held == NULL && (f = ml_gov_next_root(gov, f)) != NULL) {
        held = audit_of(org, f);
    }
    return held;
}

/* By any of the auditor's keys that is held. */
static bool audit_opens(const struct ml_trace_reading *r, struct ml_slice sealed,
                        struct ml_slice at, uint8_t key[ML_AEAD_KEY_BYTES])
{
    const struct ml_gov *gov = ml_log_gov(r->org->log);
    const struct ml_fact *f = NULL;
    bool opened = r->audit != NULL && ml_open_anon(key, sealed, r->audit, at) == ML_OK;
    while (r->audit != NULL && !opened && (f = ml_gov_next_root(gov, f)) != NULL) {
        const struct ml_secret *held = audit_of(r->org, f);
        opened = held != NULL && ml_open_anon(key, sealed, held, at) == ML_OK;
    }
    return opened;
}

/* The content key; false: not for us. */
static bool key_open(const struct ml_trace_reading *r, const struct ml_dict_entry *dict,
                     struct ml_slice deposit_op, uint8_t key[ML_AEAD_KEY_BYTES])
{
    struct ml_trace_deposit deposit;
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    ml_trace_context(context, &r->org->id, &dict->key);
    const struct ml_slice at = ml_slice(context, sizeof(context));
    if (ml_trace_deposit_decode(&deposit, deposit_op, NULL) != ML_OK) {
        return false;
    }
    bool opened = audit_opens(r, ml_slice(deposit.audit, ML_TRACE_DEPOSIT_BYTES), at, key);
    opened = opened || ml_open_anon(key, ml_slice(deposit.author, ML_TRACE_DEPOSIT_BYTES),
                                    r->org->session->secrets.mon_box, at) == ML_OK;
    const struct ml_key_id id = ml_key_id_of_bytes(key);
    return opened && memcmp(id.b, dict->key.b, sizeof(id.b)) == 0;
}

/* Nobody's but the writer's own doings, or those of his node itself, are in his bundles. */
static bool is_doubtful(const struct ml_trace_found *f)
{
    const struct ml_trace_entry *e = &f->entry;
    return f->opening == NULL ||
           (!ml_is_zero(e->actor.b, sizeof(e->actor.b)) &&
            memcmp(e->actor.b, f->opening->member.b, sizeof(e->actor.b)) != 0) ||
           memcmp(e->node.b, f->opening->node.b, sizeof(e->node.b)) != 0;
}

struct opening {
    struct ml_trace_reading *r;
    struct ml_trace_found found;
    struct ml_dict_entry dict;
    uint8_t key[ML_AEAD_KEY_BYTES];
    struct ml_buf plain;
};

static ml_err entry_open(struct opening *o, struct ml_slice sealed)
{
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    const struct ml_header *header = &o->found.bundle->header;
    if (sealed.len < ML_AEAD_TAG_BYTES) {
        o->r->damaged++;
        return ML_OK;
    }
    ml_buf_clear(&o->plain);
    uint8_t *plain = ml_buf_extend(&o->plain, sealed.len - ML_AEAD_TAG_BYTES);
    if (plain == NULL) {
        return o->plain.err;
    }
    ml_op_ad(ad, &o->r->org->id, header, (uint8_t)o->found.index, &o->dict);
    ml_op_nonce(nonce, &header->salt, (uint8_t)o->found.index);
    if (ml_aead_open(plain, sealed, ml_slice(ad, sizeof(ad)), nonce, o->key) != ML_OK ||
        ml_trace_entry_decode(&o->found.entry, ml_buf_slice(&o->plain), NULL) != ML_OK) {
        o->r->damaged++;
        return ML_OK;
    }
    o->found.doubtful = is_doubtful(&o->found);
    return o->r->each(o->r->user, &o->found);
}

static ml_err entries_open(struct opening *o, struct ml_body_walk *walk)
{
    struct ml_body_op op;
    ml_err err = ML_OK;
    while (err == ML_OK && ml_body_next(walk, &op)) {
        o->found.index = walk->index;
        if (!op.shredded) {
            err = entry_open(o, op.sealed);
        }
    }
    return err;
}

ml_err ml_trace_read(struct ml_trace_reading *r, const struct ml_log_entry *bundle)
{
    struct opening o = {.r = r, .found = {.bundle = bundle}};
    struct ml_list_walk entries;
    struct ml_body_walk walk;
    struct ml_body_op op;
    if (bundle->body.bytes.data == NULL) {
        return ML_OK;
    }
    ml_list_walk(&entries, &bundle->header.dictionary);
    ml_body_walk(&walk, bundle->body.bytes);
    if (!ml_dict_next(&entries, &o.dict) || !ml_body_next(&walk, &op) || op.shredded ||
        !key_open(r, &o.dict, op.sealed, o.key)) {
        r->closed++;
        ml_wipe(o.key, sizeof(o.key));
        return ML_OK;
    }
    o.found.opening = ml_gov_opening(ml_log_gov(r->org->log), &bundle->header.writer);
    ml_buf_init_wiped(&o.plain, r->org->node->env, ML_BODY_BYTES_MAX);
    const ml_err err = entries_open(&o, &walk);
    ml_buf_free(&o.plain);
    ml_wipe(o.key, sizeof(o.key));
    return err;
}
