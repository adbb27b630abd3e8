/* net/node/trace.c -- see trace.h.
 *
 * Entries wait in the journal and, encoded, in memory. A cut takes those of the member who is
 * unlocked: nobody else's reading is sealed to him. What a crash leaves is found in the journal at
 * the next opening and cut at that member's next unlock. A crash between a cut and its note makes
 * the same entries appear twice, never not at all.
 */
#include "net/node/trace.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/box.h"
#include "core/crypto/key_id.h"
#include "core/store/tracejournal.h"
#include "net/node/damage.h"
#include "net/node/session.h"
#include "net/node/trace_inner.h"

enum { ENTRIES_MAX = 4096, ENTRY_BYTES_MAX = 8192 };

struct pending {
    struct pending *next;
    uint64_t index; /* in the journal */
    struct ml_member_id actor;
    size_t len;
    uint8_t plain[];
};

struct ml_traces {
    struct ml_tracejournal *journal;
    struct ml_secret *key;
    struct pending *first; /* oldest first */
    struct pending **last;
    size_t count;
    uint64_t cut_at_ms; /* 0: nothing waits */
};

static void note_name(char name[64], const struct ml_member_id *member)
{
    char hex[ML_ID_HEX_SIZE];
    ml_hex_encode(hex, member->b, sizeof(member->b));
    snprintf(name, 64, "trace.cut.%s", hex);
}

/* Journal index up to which this member's entries are in bundles. */
static uint64_t noted(struct ml_org *org, const struct ml_member_id *member)
{
    char name[64];
    struct ml_buf value;
    note_name(name, member);
    ml_buf_init(&value, org->node->env, 8);
    ml_err err = ml_log_setting_get(org->log, name, &value);
    uint64_t index = err == ML_OK && value.len == 8 ? ml_get_u64be(value.data) : 0;
    ml_buf_free(&value);
    return index;
}

static ml_err note_put(struct ml_org *org, const struct ml_member_id *member, uint64_t index)
{
    char name[64];
    uint8_t value[8];
    note_name(name, member);
    ml_put_u64be(value, index);
    return ml_log_setting_put(org->log, name, ml_slice(value, sizeof(value)));
}

static ml_err pending_add(struct ml_org *org, uint64_t index, struct ml_slice plain)
{
    struct ml_traces *t = org->traces;
    struct ml_trace_entry entry;
    ml_err err = ml_trace_entry_decode(&entry, plain, NULL);
    if (err != ML_OK) {
        return err;
    }
    struct pending *p = ml_alloc(org->node->env, sizeof(*p) + plain.len);
    if (p == NULL) {
        return ML_E_NOMEM;
    }
    p->index = index;
    p->actor = entry.actor;
    p->len = plain.len;
    memcpy(p->plain, plain.data, plain.len);
    *t->last = p;
    t->last = &p->next;
    t->count++;
    return ML_OK;
}

static ml_err journal_found(void *user, uint64_t index, struct ml_slice plain)
{
    struct ml_org *org = user;
    struct ml_trace_entry entry;
    ml_err err = ml_trace_entry_decode(&entry, plain, NULL);
    if (err != ML_OK || index <= noted(org, &entry.actor)) {
        return err;
    }
    return pending_add(org, index, plain);
}

/* Above every index that is noted as cut, so that entries of a new journal aren't taken for those.
 */
static uint64_t journal_first(struct ml_org *org)
{
    uint64_t first = 1;
    for (size_t i = 0; i < ml_keystore_member_count(org->keystore); i++) {
        const uint64_t cut = noted(org, ml_keystore_member(org->keystore, i));
        first = cut >= first ? cut + 1 : first;
    }
    return first;
}

/* A journal whose header doesn't open is set aside, a new one begins. */
static ml_err journal_open(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_TRACES};
    struct ml_traces *t = org->traces;
    uint32_t destroyed = 0;
    const struct ml_tracejournal_args args = {.env = org->node->env,
                                              .path = path,
                                              .key = t->key,
                                              .first = journal_first(org),
                                              .each = journal_found,
                                              .user = org};
    ml_err err = ml_tracejournal_open(&t->journal, &destroyed, &args);
    const bool unreadable = err == ML_E_CORRUPT || err == ML_E_WRONG_KEY;
    if (unreadable) {
        err = ml_home_set_aside(path, damage.aside);
        err = err == ML_OK ? ml_tracejournal_open(&t->journal, &destroyed, &args) : err;
    }
    damage.found.lost = destroyed;
    if (err == ML_OK && (unreadable || destroyed > 0)) {
        ml_damage_note(org, &damage);
    }
    return err;
}

ml_err ml_traces_open(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    struct ml_traces *t = ml_alloc(org->node->env, sizeof(*t));
    if (t == NULL) {
        return ML_E_NOMEM;
    }
    t->last = &t->first;
    org->traces = t;
    ml_err err = ml_keystore_derive(org->keystore, ML_KDF_TRACE_JOURNAL, NULL, &t->key);
    if (err == ML_OK) {
        err = ml_home_file(&org->node->home, path, &org->id, "trace.journal");
    }
    return err == ML_OK ? journal_open(org, path) : err;
}

void ml_traces_close(struct ml_org *org)
{
    struct ml_traces *t = org->traces;
    if (t == NULL) {
        return;
    }
    while (t->first != NULL) {
        struct pending *next = t->first->next;
        ml_release(org->node->env, t->first);
        t->first = next;
    }
    ml_tracejournal_close(t->journal);
    ml_secret_free(t->key);
    ml_release(org->node->env, t);
    org->traces = NULL;
}

ml_err ml_trace_note(struct ml_call *call, const struct ml_trace_note *note)
{
    struct ml_org *org = call->org;
    const struct ml_env *env = org->node->env;
    struct ml_buf plain;
    uint64_t index = 0;
    const struct ml_trace_entry entry = {
        .actor = call->session->member,
        .patient = note->patient,
        .action = (uint8_t)note->action,
        .object = note->object,
        .entity = note->entity,
        .result = (uint8_t)note->result,
        .wall_ms = env->wall_ms(env->ctx),
        .clock = ML_CLOCK_LOCAL,
        .purpose = ml_slice_str(ml_call_text_or(call, "purpose", "soin")),
        .node = org->secrets.node,
        .device = ml_slice_str(ml_call_text_or(call, "device", "cli")),
        .count = note->count,
    };
    const bool at_once = note->action == ML_TRACE_BREAK_GLASS || note->result == ML_TRACE_REFUSED;
    ml_buf_init(&plain, env, ENTRY_BYTES_MAX);
    ml_err err = ml_trace_entry_encode(&plain, &entry);
    if (err == ML_OK) {
        err = ml_tracejournal_append(org->traces->journal, &index, ml_buf_slice(&plain), at_once);
    }
    if (err == ML_OK) {
        err = pending_add(org, index, ml_buf_slice(&plain));
    }
    ml_buf_free(&plain);
    if (err == ML_OK && org->traces->cut_at_ms == 0) {
        org->traces->cut_at_ms = env->now_ms(env->ctx) + ML_TRACE_CUT_MS;
    }
    if (err == ML_OK && (at_once || org->traces->count >= ML_TRACE_CUT_ENTRIES)) {
        org->traces->cut_at_ms = 1; /* at the next turn */
    }
    return err;
}

uint64_t ml_trace_next_ms(const struct ml_org *org)
{
    const struct ml_traces *t = org->traces;
    return t == NULL || t->cut_at_ms == 0 || org->session == NULL ? UINT64_MAX : t->cut_at_ms;
}

void ml_trace_tick(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    if (ml_trace_next_ms(org) > env->now_ms(env->ctx)) {
        return;
    }
    ml_err err = ml_trace_cut(org);
    if (err != ML_OK) { /* the journal has them: later */
        org->traces->cut_at_ms = env->now_ms(env->ctx) + ML_TRACE_CUT_MS;
        ml_logf(env, ML_LOG_WARN, "trace", "not cut yet: %s", ml_err_name(err));
    }
}

/* ---- a bundle of lane 2 ---- */

struct cut {
    struct ml_org *org;
    struct ml_author author;
    struct ml_header header;
    struct ml_dict_entry dict;
    struct ml_secret *key; /* of this bundle's entries */
    struct ml_buf sealed;  /* the deposit, then the entries' ciphertexts */
    size_t at[ML_BUNDLE_OPS_MAX + 1];
    uint32_t count;
    uint64_t last; /* journal index of the last entry taken */
};

/* The bundle's key, sealed to the auditor and to the author (rules A2). */
static ml_err deposit_put(struct cut *c)
{
    const struct ml_fact *root = ml_gov_next(ml_log_gov(c->org->log), NULL, ML_FACT_ORG, NULL);
    struct ml_trace_deposit deposit;
    struct ml_box_pk mine;
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    const struct ml_slice at = ml_slice(context, sizeof(context));
    const struct ml_slice key = ml_slice(ml_secret_bytes(c->key), ml_secret_len(c->key));
    if (root == NULL) {
        return ML_E_NOT_FOUND;
    }
    ml_trace_context(context, &c->org->id, &c->dict.key);
    ml_box_pk_of(&mine, c->org->session->secrets.mon_box);
    ml_err err = ml_seal_anon(deposit.audit, key, &root->audit, at, c->org->node->env);
    if (err == ML_OK) {
        err = ml_seal_anon(deposit.author, key, &mine, at, c->org->node->env);
    }
    return err == ML_OK ? ml_trace_deposit_encode(&c->sealed, &deposit) : err;
}

/* One entry, bound to its place (I8). */
static void entry_seal(struct cut *c, const struct pending *p)
{
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    ml_op_ad(ad, &c->org->id, &c->header, (uint8_t)c->count, &c->dict);
    ml_op_nonce(nonce, &c->header.salt, (uint8_t)c->count);
    uint8_t *out = ml_buf_extend(&c->sealed, p->len + ML_AEAD_TAG_BYTES);
    if (out != NULL) {
        ml_aead_seal(out, ml_slice(p->plain, p->len), ml_slice(ad, sizeof(ad)), nonce,
                     ml_secret_bytes(c->key));
    }
}

static bool is_actor(const struct ml_org *org, const struct pending *p)
{
    return memcmp(&p->actor, &org->session->member, sizeof(p->actor)) == 0;
}

static ml_err entries_put(struct cut *c)
{
    struct ml_slice plains[ML_BUNDLE_OPS_MAX];
    size_t n = 0;
    for (const struct pending *p = c->org->traces->first; p != NULL && n < ML_TRACE_CUT_ENTRIES;
         p = p->next) {
        if (is_actor(c->org, p)) {
            plains[n++] = ml_slice(p->plain, p->len);
        }
    }
    ml_org_salt(c->org, &c->header.salt, &c->header, plains, n);
    ml_err err = deposit_put(c);
    c->count = 1;
    c->at[1] = c->sealed.len;
    for (const struct pending *p = c->org->traces->first; p != NULL && c->count <= n; p = p->next) {
        if (is_actor(c->org, p)) {
            entry_seal(c, p);
            c->at[++c->count] = c->sealed.len;
            c->last = p->index;
        }
    }
    return err == ML_OK ? c->sealed.err : err;
}

static ml_err cut_append(struct cut *c)
{
    struct ml_op_draft ops[ML_BUNDLE_OPS_MAX];
    struct ml_bundle_draft draft = {.header = c->header, .op_count = c->count};
    struct ml_hash hash;
    struct ml_buf wire;
    for (uint32_t i = 0; i < c->count; i++) {
        ops[i] = (struct ml_op_draft){
            .sealed = ml_slice(c->sealed.data + c->at[i], c->at[i + 1] - c->at[i])};
    }
    draft.ops = ops;
    ml_buf_init(&wire, c->org->node->env, ML_BUNDLE_BYTES_MAX);
    ml_err err = ml_bundle_build(&wire, &hash, &draft, &c->org->id, c->author.seed);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&wire);
        err = ml_org_append_wires(c->org, &one, 1);
    }
    ml_buf_free(&wire);
    return err;
}

static void pending_drop(struct ml_org *org, uint64_t last)
{
    struct ml_traces *t = org->traces;
    for (struct pending **at = &t->first; *at != NULL;) {
        struct pending *p = *at;
        if (is_actor(org, p) && p->index <= last) {
            *at = p->next;
            ml_release(org->node->env, p);
            t->count--;
        } else {
            at = &p->next;
        }
    }
    t->last = &t->first;
    while (*t->last != NULL) {
        t->last = &(*t->last)->next;
    }
}

static ml_err cut_one(struct ml_org *org)
{
    struct cut c = {.org = org};
    const struct ml_env *env = org->node->env;
    ml_buf_init(&c.sealed, env, ML_BODY_BYTES_MAX);
    ml_session_author(org, &c.author);
    ml_err err = ml_org_next_header(org, &c.header, &c.author, ML_LANE_TRACE);
    if (err == ML_OK) {
        err = ml_secret_new(&c.key, ML_AEAD_KEY_BYTES);
    }
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(c.key), ML_AEAD_KEY_BYTES);
        c.dict = (struct ml_dict_entry){.key = ml_key_id_of(c.key),
                                        .compartment = ML_COMPARTMENT_AUDIT,
                                        .action = ML_ACTION_DEPOSIT};
        c.header.dictionary.items = &c.dict;
        c.header.dictionary.count = 1;
        err = entries_put(&c);
    }
    if (err == ML_OK) {
        err = cut_append(&c);
    }
    if (err == ML_OK) {
        err = note_put(org, &org->session->member, c.last);
    }
    if (err == ML_OK) {
        pending_drop(org, c.last);
    }
    ml_secret_free(c.key);
    ml_buf_free(&c.sealed);
    return err;
}

static bool has_own(const struct ml_org *org)
{
    for (const struct pending *p = org->traces->first; p != NULL; p = p->next) {
        if (is_actor(org, p)) {
            return true;
        }
    }
    return false;
}

ml_err ml_trace_cut(struct ml_org *org)
{
    struct ml_traces *t = org->traces;
    ml_err err = ML_OK;
    if (t == NULL || org->session == NULL || !org->session->writers_open) {
        return ML_OK;
    }
    while (err == ML_OK && has_own(org)) {
        err = cut_one(org);
    }
    if (err == ML_OK) {
        t->cut_at_ms = 0;
    }
    if (err == ML_OK && t->first == NULL && ml_tracejournal_last(t->journal) > 0) {
        err = ml_tracejournal_cut(t->journal, ml_tracejournal_last(t->journal));
    }
    return err;
}
