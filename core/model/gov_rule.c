/* core/model/gov_rule.c -- may this bundle say what it says in lane 0? See gov.h.
 *
 * Happy path: every op decodes and stands where it may -> each op is ruled on in turn, seeing the
 * facts that the bundle's vector covers and those of the ops before it -> its facts are kept. One
 * op without authority quarantines the whole bundle: a bundle has one verdict.
 *
 * Invariant: whether a fact counts depends on its bundle's own governance and on forks, never on
 * what came after it. A bundle is refused for what stands in itself only, never for what facts
 * are known: that could differ between two nodes that heard of a fork at different times.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/key_id.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

/* One bundle on its way through the rules. */
struct applying {
    struct ml_gov *g;
    const struct ml_gov_in *in;
    struct ml_ruling ruling;
    size_t first; /* of the facts that this bundle added */
};

/* It counts until the ruling says otherwise. */
static ml_err keep(struct applying *a, uint32_t index, const struct ml_fact *fact)
{
    const struct ml_header *h = &a->in->bundle->header;
    struct ml_fact copy = *fact;
    copy.counts = true;
    copy.index = (uint8_t)index;
    copy.at =
        (struct ml_dep){.writer = h->writer, .seq = h->seq, .hash = ml_hash16_of(&a->in->hash)};
    copy.hlc = h->hlc;
    return ml_gov_keep(a->g, &copy);
}

/* Facts of this bundle's earlier ops are seen by its later ones, whatever the vector. */
static bool is_seen(const struct applying *a, size_t i)
{
    return i >= a->first || ml_gov_covered(a->g->facts[i], a->in->gvec);
}

static const struct ml_fact *seen_member(const struct applying *a,
                                         const struct ml_member_id *member)
{
    const struct ml_fact *best = NULL;
    for (size_t i = 0; i < a->g->count; i++) {
        const struct ml_fact *f = a->g->facts[i];
        if (f->kind == ML_FACT_MEMBER && is_seen(a, i) &&
            ml_gov_same(f->member.b, member->b, sizeof(member->b))) {
            best = ml_gov_lower(best, f);
        }
    }
    return best;
}

static const struct ml_fact *seen_author(const struct applying *a)
{
    for (size_t i = 0; i < a->g->count; i++) {
        const struct ml_fact *f = a->g->facts[i];
        if (f->kind == ML_FACT_WRITER && is_seen(a, i) &&
            ml_gov_same(f->writer.b, a->in->bundle->header.writer.b, sizeof(f->writer.b))) {
            return f;
        }
    }
    return NULL;
}

static void quarantine(struct applying *a, ml_reason reason)
{
    if (a->ruling.verdict == ML_VERDICT_ACCEPTED) {
        a->ruling = (struct ml_ruling){ML_VERDICT_QUARANTINED, reason};
    }
}

static uint8_t author_rank(const struct applying *a, const struct ml_fact *author)
{
    const struct ml_fact *member = author == NULL ? NULL : seen_member(a, &author->member);
    return member == NULL ? ML_RANK_NODE : member->rank;
}

/* An act needs a better rank than its subject's (R7); on oneself it needs the act's own. */
static bool may_act_on(const struct applying *a, const struct ml_member_id *subject, uint8_t rank)
{
    const struct ml_fact *author = seen_author(a);
    if (author_rank(a, author) != ML_RANK_COORDINATOR) {
        return false;
    }
    return rank > ML_RANK_COORDINATOR ||
           ml_gov_same(author->member.b, subject->b, sizeof(subject->b));
}

static ml_err rule_org_found(struct applying *a, const struct ml_govop *op)
{
    const struct ml_org_found *o = &op->u.org_found;
    const struct ml_fact facts[] = {
        {.kind = ML_FACT_ORG,
         .sign_pk = o->root_sign,
         .box_pk = o->root_box,
         .audit = o->audit_box,
         .network_epoch = o->network_epoch,
         .label = o->label},
        {.kind = ML_FACT_MEMBER, .member = o->member, .rank = 1, .role = o->role},
        {.kind = ML_FACT_MON,
         .member = o->member,
         .node = o->node,
         .sign_pk = o->mon_sign,
         .box_pk = o->mon_box,
         .noise = o->noise},
        {.kind = ML_FACT_WRITER,
         .member = o->member,
         .node = o->node,
         .writer = a->in->bundle->header.writer,
         .sign_pk = o->writer},
    };
    ml_err err = ML_OK;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && err == ML_OK; i++) {
        err = keep(a, 0, &facts[i]);
    }
    return err;
}

static ml_err rule_member_add(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    const struct ml_member_add *o = &op->u.member_add;
    /* Even on himself: nobody gives a coordinator's rank alone (rules B16). */
    if (!may_act_on(a, &o->member, o->rank) || o->rank == ML_RANK_COORDINATOR) {
        quarantine(a, ML_REASON_NO_AUTHORITY);
    }
    const struct ml_fact fact = {.kind = ML_FACT_MEMBER,
                                 .member = o->member,
                                 .rank = o->rank,
                                 .role = o->role,
                                 .label = o->card};
    return keep(a, index, &fact);
}

static ml_err rule_node_enrol(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    const struct ml_node_enrol *o = &op->u.node_enrol;
    const struct ml_fact *member = seen_member(a, &o->member);
    if (member == NULL || !may_act_on(a, &o->member, member->rank)) {
        quarantine(a, ML_REASON_NO_AUTHORITY);
    }
    const struct ml_fact fact = {.kind = ML_FACT_MON,
                                 .member = o->member,
                                 .node = o->node,
                                 .noise = o->noise,
                                 .sign_pk = o->mon_sign,
                                 .box_pk = o->mon_box,
                                 .label = o->label};
    return keep(a, index, &fact);
}

static bool names_writer(const struct ml_list *heads, const struct ml_writer_id *writer)
{
    struct ml_list_walk walk;
    struct ml_dep head;
    ml_list_walk(&walk, heads);
    while (ml_dep_next(&walk, &head)) {
        if (ml_gov_same(head.writer.b, writer->b, sizeof(writer->b))) {
            return true;
        }
    }
    return false;
}

static bool same_place(const struct ml_fact *f, const struct ml_writer_open *o)
{
    return ml_gov_same(f->member.b, o->member.b, sizeof(o->member.b)) &&
           ml_gov_same(f->node.b, o->node.b, sizeof(o->node.b));
}

/* Rules B18: whoever was there before, on this node for this member, at least one is named; and
 * nobody else's writer is. */
static bool predecessors_are_named(const struct applying *a, const struct ml_writer_open *o)
{
    bool any = false;
    bool named = false;
    uint32_t known = 0;
    for (size_t i = 0; i < a->first; i++) {
        const struct ml_fact *f = a->g->facts[i];
        if (f->kind == ML_FACT_WRITER && is_seen(a, i) && same_place(f, o)) {
            any = true;
            named = named || names_writer(&o->heads, &f->writer);
        }
    }
    struct ml_list_walk walk;
    struct ml_dep head;
    ml_list_walk(&walk, &o->heads);
    while (ml_dep_next(&walk, &head)) {
        const struct ml_fact *f = ml_gov_opening_of(a->g, &head.writer, true);
        known += f != NULL && ml_gov_covered(f, a->in->gvec) && same_place(f, o);
    }
    return any == named && known == o->heads.count;
}

/* The member-on-node keys that may co-sign: of this member, or of anyone for the node's own. */
static bool is_cosigned(const struct applying *a, const struct ml_govop *op)
{
    const struct ml_writer_open *o = &op->u.writer_open;
    bool node_only = ml_is_zero(o->member.b, sizeof(o->member.b));
    for (size_t i = 0; i < a->first; i++) {
        const struct ml_fact *f = a->g->facts[i];
        bool fits = f->kind == ML_FACT_MON && is_seen(a, i) &&
                    ml_gov_same(f->node.b, o->node.b, sizeof(o->node.b)) &&
                    (node_only || ml_gov_same(f->member.b, o->member.b, sizeof(o->member.b)));
        if (fits && ml_govop_verify_cosigned(op, &a->g->org, &f->sign_pk) == ML_OK) {
            return true;
        }
    }
    return false;
}

static ml_err rule_writer_open(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    const struct ml_writer_open *o = &op->u.writer_open;
    if (!is_cosigned(a, op)) {
        quarantine(a, ML_REASON_NOT_ENROLLED);
    } else if (!predecessors_are_named(a, o)) {
        quarantine(a, ML_REASON_NO_PREDECESSOR);
    }
    const struct ml_fact fact = {.kind = ML_FACT_WRITER,
                                 .member = o->member,
                                 .node = o->node,
                                 .writer = a->in->bundle->header.writer,
                                 .sign_pk = o->writer};
    return keep(a, index, &fact);
}

static ml_err rule_team_add(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    if (author_rank(a, seen_author(a)) != ML_RANK_COORDINATOR) {
        quarantine(a, ML_REASON_NO_AUTHORITY);
    }
    const struct ml_fact fact = {
        .kind = ML_FACT_TEAM, .team = op->u.team_add.team, .label = op->u.team_add.name};
    return keep(a, index, &fact);
}

/* A card is set by the coordinator, or by whom it describes. */
static ml_err rule_card_set(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    const struct ml_card_set *o = &op->u.card_set;
    const struct ml_fact *author = seen_author(a);
    bool own = author != NULL &&
               ((o->kind == ML_CARD_MEMBER && ml_gov_same(o->id, author->member.b, 16)) ||
                (o->kind == ML_CARD_NODE && ml_gov_same(o->id, author->node.b, 16)));
    if (!own && author_rank(a, author) != ML_RANK_COORDINATOR) {
        quarantine(a, ML_REASON_NO_AUTHORITY);
    }
    struct ml_fact fact = {.kind = ML_FACT_CARD, .card_kind = o->kind, .label = o->card};
    memcpy(fact.card_id, o->id, sizeof(fact.card_id));
    return keep(a, index, &fact);
}

static ml_err rule_op(struct applying *a, const struct ml_govop *op, uint32_t index)
{
    switch (op->type) {
    case ML_GOVOP_ORG_FOUND:
        return rule_org_found(a, op);
    case ML_GOVOP_MEMBER_ADD:
        return rule_member_add(a, op, index);
    case ML_GOVOP_NODE_ENROL:
        return rule_node_enrol(a, op, index);
    case ML_GOVOP_WRITER_OPEN:
        return rule_writer_open(a, op, index);
    case ML_GOVOP_TEAM_ADD:
        return rule_team_add(a, op, index);
    case ML_GOVOP_CARD_SET:
        return rule_card_set(a, op, index);
    default: /* a fork proof: both branches replicate, each node finds the fork by itself */
        return ML_OK;
    }
}

/* ---- structure ---- */

static ml_reason check_org_found(const struct ml_gov *g, const struct ml_govop *op,
                                 const struct ml_header *h)
{
    if (!(h->flags & ML_BUNDLE_FLAG_GENESIS) || h->n_ops != 1) {
        return ML_REASON_GENESIS;
    }
    const struct ml_sign_pk *root = &op->u.org_found.root_sign;
    bool signed_by_root = ml_govop_verify_cosigned(op, &g->org, root) == ML_OK;
    return signed_by_root ? ML_REASON_NONE : ML_REASON_COSIGNATURE;
}

/* What stands where: a pure function of the bundle. *waits: an op for a newer version. */
static ml_reason check_op(const struct ml_gov *g, const struct ml_govop *op,
                          const struct ml_header *h, uint32_t index)
{
    bool opens = index == 0 && h->seq == 1;
    bool genesis = (h->flags & ML_BUNDLE_FLAG_GENESIS) != 0;
    if (op->known && op->type == ML_GOVOP_ORG_FOUND) {
        return check_org_found(g, op, h);
    }
    if (genesis) {
        return ML_REASON_GENESIS;
    }
    bool opening_op = op->known && op->type == ML_GOVOP_WRITER_OPEN;
    return opening_op == opens ? ML_REASON_NONE : ML_REASON_OPENING;
}

static ml_reason check_ops(const struct ml_gov *g, bool *waits, const struct ml_bundle *bundle)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    ml_body_walk(&walk, bundle->body.bytes);
    while (ml_body_next(&walk, &body_op)) {
        struct ml_govop op;
        if (body_op.shredded) {
            return ML_REASON_NO_BODY;
        }
        if (ml_govop_decode(&op, body_op.sealed, NULL) != ML_OK) {
            return ML_REASON_FORMAT;
        }
        ml_reason reason = check_op(g, &op, &bundle->header, walk.index);
        if (reason != ML_REASON_NONE) {
            return reason;
        }
        *waits = *waits || (op.must_understand && (!op.known || op.extra.pairs > 0));
    }
    return ML_REASON_NONE;
}

static ml_err rule_ops(struct applying *a)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    ml_err err = ML_OK;
    ml_body_walk(&walk, a->in->bundle->body.bytes);
    while (err == ML_OK && ml_body_next(&walk, &body_op)) {
        struct ml_govop op;
        err = ml_govop_decode(&op, body_op.sealed, NULL);
        if (err == ML_OK && op.known) {
            err = rule_op(a, &op, walk.index);
        }
    }
    return err;
}

ml_err ml_gov_apply(struct ml_gov *g, struct ml_ruling *ruling, ml_reason *why,
                    const struct ml_gov_in *in)
{
    ML_ASSERT(in->bundle->header.lane == ML_LANE_GOVERNANCE && in->bundle->body.absent == 0);
    bool waits = false;
    g->last = g->count;
    ml_reason reason = check_ops(g, &waits, in->bundle);
    if (reason != ML_REASON_NONE) {
        *why = reason;
        return reason == ML_REASON_COSIGNATURE ? ML_E_FORGED : ML_E_MALFORMED;
    }
    if (waits) {
        *ruling = (struct ml_ruling){ML_VERDICT_PENDING, ML_REASON_WAITS_VERSION};
        return ML_OK;
    }
    struct applying a = {.g = g, .in = in, .first = g->count};
    a.ruling = (struct ml_ruling){ML_VERDICT_ACCEPTED, ML_REASON_NONE};
    if (in->frozen) {
        quarantine(&a, ML_REASON_FORK);
    }
    ml_err err = rule_ops(&a);
    if (err != ML_OK) {
        ml_gov_truncate(g, a.first);
        return err;
    }
    if (seen_author(&a) == NULL) {
        quarantine(&a, ML_REASON_NOT_ENROLLED);
    }
    for (size_t i = a.first; i < g->count; i++) {
        g->facts[i]->counts = a.ruling.verdict == ML_VERDICT_ACCEPTED;
    }
    *ruling = a.ruling;
    return ML_OK;
}

void ml_gov_undo(struct ml_gov *g)
{
    ml_gov_truncate(g, g->last < g->count ? g->last : g->count);
}

ml_err ml_gov_opening_key(struct ml_sign_pk *pk, ml_reason *why, const struct ml_bundle *bundle)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    struct ml_govop op;
    if (bundle->body.absent != 0) {
        *why = ML_REASON_NO_BODY;
        return ML_E_MALFORMED;
    }
    ml_body_walk(&walk, bundle->body.bytes);
    *why = ML_REASON_OPENING;
    if (!ml_body_next(&walk, &body_op) || body_op.shredded ||
        ml_govop_decode(&op, body_op.sealed, NULL) != ML_OK || !op.known) {
        return ML_E_MALFORMED;
    }
    const struct ml_sign_pk *key = NULL;
    if (op.type == ML_GOVOP_ORG_FOUND) {
        key = &op.u.org_found.writer;
    } else if (op.type == ML_GOVOP_WRITER_OPEN) {
        key = &op.u.writer_open.writer;
    }
    if (key == NULL) {
        return ML_E_MALFORMED;
    }
    struct ml_writer_id id = ml_writer_id_of(key);
    if (!ml_gov_same(id.b, bundle->header.writer.b, sizeof(id.b))) {
        return ML_E_MALFORMED;
    }
    *pk = *key;
    *why = ML_REASON_NONE;
    return ML_OK;
}
