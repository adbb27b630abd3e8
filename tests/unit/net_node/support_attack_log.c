/* support_attack_log.c -- what is sealed in ops of every lane (docs/protocol), as the clear bytes
 * around it say where it stands; see support_attack.h. */
#include <string.h>

#include "core/codec/glass.h"
#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/codec/trace.h"
#include "net/node/state.h"
#include "support_attack.h"

enum { PLACE_CHUNKS = 64 };

/* One op, as it is read. */
struct place {
    struct attack *a;
    const struct ml_header *header;
    struct ml_hash16 bundle;
    uint8_t index;
    struct ml_dict_entry dict;
    struct ml_slice op;
    struct ml_hash chunks[PLACE_CHUNKS]; /* that its bundle names: read once it is */
    unsigned chunk_count;
};

static struct attack_target *add(const struct place *p, enum attack_kind kind,
                                 struct ml_slice sealed, struct ml_slice ad)
{
    struct attack_target *t = attack_target(p->a, kind, sealed, ad);
    t->bundle = p->bundle;
    t->writer = p->header->writer;
    t->index = p->index;
    return t;
}

static void name(struct attack_target *t, enum attack_for names, const uint8_t who[16])
{
    t->names = names;
    memcpy(t->who, who, sizeof(t->who));
}

static struct attack_target *add_anon(const struct place *p, enum attack_kind kind,
                                      struct ml_slice sealed, struct ml_slice context)
{
    struct attack_target *t = add(p, kind, sealed, context);
    t->form = ATTACK_ANONYMOUS;
    return t;
}

static void name_box(struct attack_target *t, const struct ml_box_pk *pk)
{
    const struct ml_recipient_id id = ml_recipient_id_of(pk);
    name(t, ATTACK_FOR_BOX, id.b);
}

static struct attack_target *add_aead(const struct place *p, enum attack_kind kind,
                                      const struct ml_sealed *sealed, struct ml_slice ad)
{
    if (sealed->ct.len == 0) {
        return NULL;
    }
    struct attack_target *t = add(p, kind, sealed->ct, ad);
    t->form = ATTACK_UNDER_KEY;
    memcpy(t->nonce, sealed->nonce, sizeof(t->nonce));
    name(t, ATTACK_FOR_KEY, sealed->key.b);
    return t;
}

static struct attack_target *add_slot(const struct place *p, enum attack_kind kind,
                                      const uint8_t slot[48], const struct ml_slot_at *at)
{
    struct attack_target *t = add(p, kind, ml_slice(slot, 48), ml_slice(NULL, 0));
    t->form = ATTACK_IN_SLOT;
    t->at = *at;
    return t;
}

/* ---- lane 0 ---- */

static void card(const struct place *p, ml_card_kind kind, const uint8_t id[16],
                 const struct ml_sealed *sealed)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t len = ml_card_ad(ad, &p->a->org, kind, id);
    (void)add_aead(p, ATTACK_CARD, sealed, ml_slice(ad, len));
}

/* The founding has no id of its structure yet. */
static void card_of_founding(const struct place *p, const struct ml_sealed *sealed)
{
    static const struct ml_org_id none;
    static const uint8_t id[16];
    uint8_t ad[ML_KEYOP_AD_MAX];
    const size_t len = ml_card_ad(ad, &none, ML_CARD_ORG, id);
    (void)add_aead(p, ATTACK_CARD, sealed, ml_slice(ad, len));
}

static void read_governance(const struct place *p)
{
    struct ml_govop op;
    ml_err err = ml_govop_decode(&op, p->op, NULL);
    attack_must(err == ML_OK);
    switch (op.type) {
    case ML_GOVOP_ORG_FOUND:
        card_of_founding(p, &op.u.org_found.label);
        break;
    case ML_GOVOP_MEMBER_ADD:
        card(p, ML_CARD_MEMBER, op.u.member_add.member.b, &op.u.member_add.card);
        break;
    case ML_GOVOP_NODE_ENROL:
        card(p, ML_CARD_NODE, op.u.node_enrol.node.b, &op.u.node_enrol.label);
        break;
    case ML_GOVOP_TEAM_ADD:
        card(p, ML_CARD_TEAM, op.u.team_add.team.b, &op.u.team_add.name);
        break;
    case ML_GOVOP_CARD_SET:
        card(p, (ml_card_kind)op.u.card_set.kind, op.u.card_set.id, &op.u.card_set.card);
        break;
    default:
        break;
    }
}

/* ---- lane 1 ---- */

static void read_epoch_slots(const struct place *p, const struct ml_kek_epoch *e)
{
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    struct ml_slot_at at = {.kind = ML_SLOT_KEK,
                            .org = p->a->org,
                            .team = e->team,
                            .epoch = e->epoch,
                            .compartment = e->compartment,
                            .ephemeral = e->ephemeral};
    ml_list_walk(&walk, &e->slots);
    for (; ml_epoch_slot_next(&walk, &slot); at.index++) {
        at.kind = ML_SLOT_KEK;
        name(add_slot(p, ATTACK_EPOCH, slot.kek.b, &at), ATTACK_FOR_BOX, slot.recipient.b);
        if (slot.hist.len == ML_SLOT_WIRE_BYTES) {
            at.kind = ML_SLOT_HIST;
            name(add_slot(p, ATTACK_HISTORY, slot.hist.data, &at), ATTACK_FOR_BOX,
                 slot.recipient.b);
        }
    }
}

static void read_epoch(const struct place *p, const struct ml_kek_epoch *e)
{
    struct ml_list_walk walk;
    struct ml_older_key older;
    uint8_t ad[ML_KEYOP_AD_MAX];
    read_epoch_slots(p, e);
    ml_list_walk(&walk, &e->older);
    while (ml_older_key_next(&walk, &older)) {
        struct ml_sealed sealed = {.key = e->hist, .ct = ml_slice(older.ct, sizeof(older.ct))};
        memcpy(sealed.nonce, older.nonce, sizeof(sealed.nonce));
        const size_t len = ml_older_key_ad(ad, &p->a->org, e, &older.wrapped);
        (void)add_aead(p, ATTACK_OLDER, &sealed, ml_slice(ad, len));
    }
    const struct ml_slice context =
        ml_slice(ad, ml_break_glass_ad(ad, &p->a->org, &e->break_glass));
    if (e->break_glass_recovery.len > 0) {
        (void)add_anon(p, ATTACK_FOR_ROOT, e->break_glass_recovery, context);
    }
    if (e->break_glass_holders.len > 0) {
        (void)add_anon(p, ATTACK_GLASS_SECRET, e->break_glass_holders, context);
    }
}

/* Its place isn't said: it is that of the epoch with this key. */
static void read_grant_slot(const struct place *p, const struct ml_kek_grant *g,
                            const struct ml_grant_slot *slot, uint16_t index)
{
    const bool hist = slot->kind == ML_SLOT_HIST;
    for (unsigned i = 0; i < p->a->epoch_count; i++) {
        const struct attack_epoch *e = &p->a->epochs[i];
        const struct ml_slot_at at = {.kind = (ml_slot_kind)slot->kind,
                                      .org = p->a->org,
                                      .team = e->team,
                                      .epoch = e->epoch,
                                      .compartment = e->compartment,
                                      .index = index,
                                      .ephemeral = g->ephemeral};
        if (memcmp(hist ? e->hist.b : e->kek.b, slot->key.b, sizeof(slot->key.b)) == 0) {
            name_box(add_slot(p, hist ? ATTACK_HISTORY : ATTACK_GRANT, slot->slot.b, &at),
                     &g->recipient);
        }
    }
}

static void read_grant(const struct place *p, const struct ml_kek_grant *g)
{
    struct ml_list_walk walk;
    struct ml_grant_slot slot;
    uint16_t index = 0;
    ml_list_walk(&walk, &g->slots);
    for (; ml_grant_slot_next(&walk, &slot); index++) {
        read_grant_slot(p, g, &slot, index);
    }
}

static void read_pair(const struct place *p, const struct ml_pair_grant *g)
{
    static const ml_slot_kind kinds[] = {[ML_PAIR_EMERGENCY] = ML_SLOT_EMERGENCY,
                                         [ML_PAIR_AUDIT] = ML_SLOT_AUDIT,
                                         [ML_PAIR_NETWORK] = ML_SLOT_NETWORK};
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_list_walk walk;
    struct ml_pair_slot slot;
    struct ml_slot_at at = {.org = p->a->org, .ephemeral = g->ephemeral};
    attack_must(g->kind < sizeof(kinds) / sizeof(kinds[0]));
    at.kind = kinds[g->kind];
    ml_list_walk(&walk, &g->slots);
    for (; ml_pair_slot_next(&walk, &slot); at.index++) {
        struct attack_target *t = add_slot(p, ATTACK_PAIR, slot.slot.b, &at);
        name(t, ATTACK_FOR_BOX, slot.recipient.b);
        t->number = g->number;
        t->pair_kind = g->kind;
    }
    if (g->recovery.len > 0) {
        const size_t len = ml_break_glass_ad(ad, &p->a->org, &g->pair);
        (void)add_anon(p, ATTACK_FOR_ROOT, g->recovery, ml_slice(ad, len));
    }
}

static void read_data_slot(const struct place *p, const struct ml_dek_slot *slot,
                           struct ml_slot_at at)
{
    unsigned known = 0;
    for (unsigned i = 0; i < p->a->stream_count; i++) {
        const struct attack_stream *of = &p->a->streams[i];
        if (memcmp(of->stream.b, at.team.b, sizeof(at.team.b)) == 0) {
            at.compartment = of->compartment;
            name(add_slot(p, ATTACK_DATA_SLOT, slot->slot.b, &at), ATTACK_FOR_BOX,
                 slot->recipient.b);
            known++;
        }
    }
    for (at.compartment = 1; known == 0 && at.compartment <= 12; at.compartment++) {
        (void)add_slot(p, ATTACK_DATA_SLOT, slot->slot.b, &at); /* nothing stands there yet */
    }
}

static void read_slots(const struct place *p, const struct ml_dek_slots *s)
{
    struct ml_list_walk walk;
    struct ml_dek_slot slot;
    struct ml_slot_at at = {.kind = ML_SLOT_DEK, .org = p->a->org, .ephemeral = s->ephemeral};
    memcpy(at.team.b, s->stream.b, sizeof(at.team.b));
    ml_list_walk(&walk, &s->slots);
    for (; ml_dek_slot_next(&walk, &slot); at.index++) {
        read_data_slot(p, &slot, at);
    }
}

/* To a group's pair, or a share of a member's: it is tried as both. */
static void read_glass_wrap(const struct place *p, const struct ml_bg_wrap *w)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    bool group = false;
    const struct ml_slice sealed = ml_slice(w->sealed, sizeof(w->sealed));
    for (unsigned i = 0; i < p->a->epoch_count; i++) {
        group =
            group || memcmp(&p->a->epochs[i].glass, &w->break_glass, sizeof(w->break_glass)) == 0;
    }
    struct attack_target *t =
        add_anon(p, ATTACK_GLASS_WRAP, sealed, ml_slice(ad, ml_bg_wrap_ad(ad, &p->a->org, w)));
    name_box(t, &w->break_glass);
    t->names = group ? ATTACK_FOR_BOX : ATTACK_FOR_NOBODY;
    t = add_anon(p, ATTACK_GLASS_SHARE, sealed, ml_slice(ad, ml_glass_share_ad(ad, &p->a->org, w)));
    name_box(t, &w->break_glass);
    t->names = group ? ATTACK_FOR_NOBODY : ATTACK_FOR_BOX;
    t->dek = w->dek;
}

static void read_deposit(const struct place *p, const struct ml_deposit_wrap *w)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct attack_target *t = add_anon(p, ATTACK_DEPOSIT, ml_slice(w->sealed, sizeof(w->sealed)),
                                       ml_slice(ad, ml_deposit_wrap_ad(ad, &p->a->org, w)));
    name(t, ATTACK_FOR_KEY, w->kek.b);
}

static void read_data_wrap(const struct place *p, const struct ml_dek_wrap *w)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_sealed sealed = {.key = w->kek, .ct = ml_slice(w->ct, sizeof(w->ct))};
    memcpy(sealed.nonce, w->nonce, sizeof(sealed.nonce));
    (void)add_aead(p, ATTACK_DATA_WRAP, &sealed, ml_slice(ad, ml_dek_wrap_ad(ad, &p->a->org, w)));
}

static void read_key(const struct place *p)
{
    struct ml_keyop op;
    uint8_t ad[ML_KEYOP_AD_MAX];
    ml_err err = ml_keyop_decode(&op, p->op, NULL);
    attack_must(err == ML_OK);
    switch (op.type) {
    case ML_KEYOP_KEK_EPOCH:
        read_epoch(p, &op.u.kek_epoch);
        break;
    case ML_KEYOP_KEK_GRANT:
        read_grant(p, &op.u.kek_grant);
        break;
    case ML_KEYOP_PATIENT_OPEN:
        (void)add_aead(p, ATTACK_OPENING, &op.u.patient_open.sealed,
                       ml_slice(ad, ml_patient_open_ad(ad, &p->a->org, &op.u.patient_open)));
        break;
    case ML_KEYOP_DEK_WRAP:
        read_data_wrap(p, &op.u.dek_wrap);
        break;
    case ML_KEYOP_BG_WRAP:
        read_glass_wrap(p, &op.u.bg_wrap);
        break;
    case ML_KEYOP_CONSENT:
        (void)add_aead(p, ATTACK_CONSENT, &op.u.consent.sealed,
                       ml_slice(ad, ml_consent_op_ad(ad, &p->a->org, &op.u.consent)));
        break;
    case ML_KEYOP_PAIR_GRANT:
        read_pair(p, &op.u.pair_grant);
        break;
    case ML_KEYOP_GLASS:
        (void)add_aead(p, ATTACK_GLASS, &op.u.glass.sealed,
                       ml_slice(ad, ml_glass_op_ad(ad, &p->a->org, &op.u.glass)));
        break;
    case ML_KEYOP_DEK_SLOTS:
        read_slots(p, &op.u.dek_slots);
        break;
    case ML_KEYOP_DEPOSIT_WRAP:
        read_deposit(p, &op.u.deposit_wrap);
        break;
    default: /* SHRED, receipts, faults: nothing in them is sealed */
        attack_must(op.known);
        break;
    }
}

/* ---- lanes 2 to 4 ---- */

static void read_trace_keys(const struct place *p)
{
    struct ml_trace_deposit d;
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    ml_err err = ml_trace_deposit_decode(&d, p->op, NULL);
    attack_must(err == ML_OK);
    ml_trace_context(context, &p->a->org, &p->dict.key);
    const struct ml_slice at = ml_slice(context, sizeof(context));
    (void)add_anon(p, ATTACK_TRACE_KEY, ml_slice(d.audit, sizeof(d.audit)), at);
    (void)add_anon(p, ATTACK_TRACE_KEY, ml_slice(d.author, sizeof(d.author)), at);
}

static struct attack_target *add_op(const struct place *p, enum attack_kind kind,
                                    struct ml_slice ct, const struct ml_manifest *manifest)
{
    uint8_t ad[ML_MANIFEST_AD_BYTES];
    size_t len = ML_OP_AD_BYTES;
    struct ml_sealed sealed = {.key = p->dict.key, .ct = ct};
    ml_op_nonce(sealed.nonce, &p->header->salt, p->index);
    ml_op_ad(ad, &p->a->org, p->header, p->index, &p->dict);
    if (manifest != NULL) {
        uint8_t op[ML_OP_AD_BYTES];
        memcpy(op, ad, sizeof(op));
        ml_manifest_ad(ad, op, manifest);
        len = sizeof(ad);
    }
    return add_aead(p, kind, &sealed, ml_slice(ad, len));
}

static void note_chunks(struct place *p, const struct ml_manifest *manifest)
{
    struct ml_list_walk walk;
    ml_list_walk(&walk, &manifest->chunks);
    while (p->chunk_count < PLACE_CHUNKS && ml_chunk_next(&walk, &p->chunks[p->chunk_count])) {
        p->chunk_count++;
    }
}

/* What the log gave before is gone with this. */
static void read_chunks(struct place *p, struct ml_log *log)
{
    struct ml_slice sealed;
    for (unsigned i = 0; i < p->chunk_count; i++) {
        if (ml_log_get_chunk(log, &p->chunks[i], &sealed) == ML_OK) {
            add(p, ATTACK_CHUNK, sealed, ml_slice(NULL, 0))->form = ATTACK_UNDER_KEY;
        }
    }
}

static void read_op(struct place *p)
{
    struct ml_manifest manifest;
    switch (p->header->lane) {
    case ML_LANE_GOVERNANCE:
        read_governance(p);
        break;
    case ML_LANE_KEYS:
        read_key(p);
        break;
    case ML_LANE_TRACE: /* of the entries the first: one key seals all of a bundle */
        if (p->index == 0) {
            read_trace_keys(p);
        } else if (p->index == 1) {
            (void)add_op(p, ATTACK_TRACE, p->op, NULL);
        }
        break;
    case ML_LANE_RECORD:
        (void)add_op(p, ATTACK_RECORD, p->op, NULL);
        break;
    default:
        if (ml_manifest_decode(&manifest, p->op, NULL) == ML_OK) {
            (void)add_op(p, ATTACK_MANIFEST, manifest.sealed, &manifest);
            note_chunks(p, &manifest);
        }
        break;
    }
}

/* ---- bundles ---- */

static bool dict_at(const struct ml_header *header, uint8_t index, struct ml_dict_entry *out)
{
    struct ml_list_walk walk;
    unsigned at = 0;
    ml_list_walk(&walk, &header->dictionary);
    while (ml_dict_next(&walk, out)) {
        if (at++ == index) {
            return true;
        }
    }
    memset(out, 0, sizeof(*out));
    return false;
}

/* The targets of op `index` that are known already: another disk has them too. */
static bool op_marked(struct attack *a, const struct ml_hash16 *bundle, uint8_t index, unsigned n)
{
    bool known = false;
    for (unsigned b = 0; b < a->bundle_count; b++) {
        const struct attack_bundle *one = &a->bundles[b];
        const bool is = memcmp(one->hash.b, bundle->b, sizeof(bundle->b)) == 0;
        for (unsigned t = one->first; is && t < one->end; t++) {
            const bool same = a->targets[t].index == index;
            a->targets[t].where |= same ? 1u << n : 0;
            known = known || same;
        }
    }
    return known;
}

static void read_bundle(struct attack *a, struct ml_log *log, const struct ml_log_entry *entry,
                        unsigned n)
{
    struct place p = {.a = a, .header = &entry->header, .bundle = ml_hash16_of(&entry->hash)};
    struct ml_body_walk walk;
    struct ml_body_op op;
    const unsigned first = a->target_count;
    ml_body_walk(&walk, entry->body.bytes);
    while (ml_body_next(&walk, &op)) {
        p.index = (uint8_t)walk.index;
        p.op = op.sealed;
        if (op.shredded || op_marked(a, &p.bundle, p.index, n)) {
            continue;
        }
        (void)dict_at(&entry->header, op.dict, &p.dict);
        read_op(&p);
    }
    read_chunks(&p, log);
    for (unsigned t = first; t < a->target_count; t++) {
        a->targets[t].where = 1u << n;
        a->targets[t].order = entry->n;
    }
    if (a->target_count > first) {
        attack_must(a->bundle_count < ATTACK_BUNDLES);
        a->bundles[a->bundle_count++] = (struct attack_bundle){p.bundle, first, a->target_count};
    }
}

/* Which groups there are, and what the pseudonyms of streams stand for, in clear. */
static void note_epoch(struct attack *a, const struct ml_body_op *op)
{
    struct ml_keyop key;
    if (op->shredded || ml_keyop_decode(&key, op->sealed, NULL) != ML_OK ||
        key.type != ML_KEYOP_KEK_EPOCH) {
        return;
    }
    const struct ml_kek_epoch *e = &key.u.kek_epoch;
    for (unsigned i = 0; i < a->epoch_count; i++) {
        if (memcmp(&a->epochs[i].kek, &e->kek, sizeof(e->kek)) == 0) {
            return;
        }
    }
    attack_must(a->epoch_count < ATTACK_EPOCHS);
    a->epochs[a->epoch_count++] = (struct attack_epoch){e->team, e->compartment, e->epoch,  e->kek,
                                                        e->hist, e->break_glass, e->deposit};
}

static void note_stream(struct attack *a, const struct ml_dict_entry *entry)
{
    for (unsigned i = 0; i < a->stream_count; i++) {
        if (memcmp(&a->streams[i].stream, &entry->stream, sizeof(entry->stream)) == 0 &&
            a->streams[i].compartment == entry->compartment) {
            return;
        }
    }
    attack_must(a->stream_count < ATTACK_STREAMS);
    a->streams[a->stream_count++] = (struct attack_stream){entry->stream, entry->compartment};
}

static void note(struct attack *a, const struct ml_log_entry *entry)
{
    struct ml_list_walk dict;
    struct ml_dict_entry d;
    struct ml_body_walk walk;
    struct ml_body_op op;
    ml_list_walk(&dict, &entry->header.dictionary);
    while (entry->header.lane >= ML_LANE_RECORD && ml_dict_next(&dict, &d)) {
        note_stream(a, &d);
    }
    ml_body_walk(&walk, entry->body.bytes);
    while (entry->header.lane == ML_LANE_KEYS && ml_body_next(&walk, &op)) {
        note_epoch(a, &op);
    }
}

/* ---- in what opened ---- */

void attack_read_answer(struct attack *a, const struct attack_target *t)
{
    struct ml_glass_say g;
    struct ml_list_walk walk;
    struct ml_glass_share share;
    uint8_t ad[ML_KEYOP_AD_MAX];
    ml_err err = ml_glass_decode(&g, ml_slice(t->plain, t->plain_len), NULL);
    attack_must(err == ML_OK);
    ml_list_walk(&walk, &g.shares);
    while (ml_glass_share_next(&walk, &share)) {
        const size_t len = ml_glass_answer_ad(ad, &a->org, &g.glass, &share.dek);
        struct attack_target *answer = attack_target(
            a, ATTACK_ANSWER, ml_slice(share.sealed, sizeof(share.sealed)), ml_slice(ad, len));
        answer->form = ATTACK_ANONYMOUS;
        answer->where = t->where;
        answer->names = ATTACK_FOR_NOBODY; /* the request's key is in no file */
    }
}

enum { ALL_LANES = (1u << ML_LANES) - 1u };

static void read_log(struct attack *a, unsigned n, bool notes)
{
    struct ml_log *log = cluster_org(a->c, n)->log;
    struct ml_log_entry entry = {0};
    while (ml_log_after(log, entry.n, ALL_LANES, &entry) == ML_OK) {
        if (notes) {
            note(a, &entry);
        } else {
            read_bundle(a, log, &entry, n);
        }
    }
}

void attack_read_logs(struct attack *a)
{
    for (unsigned n = 0; n < 2 * CLUSTER_NODES; n++) {
        if (a->c->nodes[n % CLUSTER_NODES].node !=
            NULL) { /* others hold what one held that is down */
            read_log(a, n % CLUSTER_NODES, n < CLUSTER_NODES);
        }
    }
}
