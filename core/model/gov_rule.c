/* core/model/gov_rule.c -- what the ops of a lane-0 bundle say. See gov.h.
 *
 * Happy path: every op decodes and stands where it may -> each becomes statements, which the
 * authority judges, and facts, which it makes count. What needs keys is looked at here: whose
 * co-signature opens a writer, whose hands stand behind an op.
 *
 * Invariant: a bundle is refused for what stands in itself only, never for what facts are known:
 * that could differ between two nodes that heard of a fork at different times.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/key_id.h"
#include "core/crypto/sign.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

static ml_err number(struct ml_gov_reading *r, struct ml_ids *ids, const uint8_t id[16],
                     uint32_t *out)
{
    return ml_ids_number(ids, r->g->env, id, out);
}

static struct ml_say *say(struct ml_gov_reading *r, ml_say_kind kind)
{
    struct ml_say *s = &r->says[r->say_count++];
    *s = (struct ml_say){.kind = kind, .member = ML_NOBODY, .node = ML_NOBODY};
    return s;
}

/* Kept with the statement made last. */
static ml_err keep(struct ml_gov_reading *r, uint32_t index, const struct ml_fact *fact)
{
    const struct ml_header *h = &r->in->bundle->header;
    struct ml_fact copy = *fact;
    copy.counts = false;
    copy.act = (uint32_t)(r->g->act_count - 1);
    copy.say = (uint32_t)(r->say_count - 1);
    copy.index = (uint8_t)index;
    copy.at =
        (struct ml_dep){.writer = h->writer, .seq = h->seq, .hash = ml_hash16_of(&r->in->hash)};
    copy.hlc = h->hlc;
    return ml_gov_keep(r->g, &copy);
}

static void refuse(struct ml_gov_reading *r, ml_reason reason)
{
    if (r->refused == ML_REASON_NONE) {
        r->refused = reason;
    }
}

/* ---- hands ---- */

/* Root's key in force by what the bundle had seen; NULL before the founding. */
static const struct ml_sign_pk *root_key(const struct ml_gov_reading *r)
{
    const struct ml_fact *root = ml_gov_root_in(r->g, r->own);
    return root == NULL ? NULL : &root->sign_pk;
}

static bool is_signed(const struct ml_hash *hash, const struct ml_sign_pk *pk,
                      const struct ml_signature *sig)
{
    return pk != NULL && ml_sign_verify(pk, ml_slice(hash->b, sizeof(hash->b)), sig->b) == ML_OK;
}

/* Those whose signatures are right; whether they may sign, the authority says. */
static void read_seconds(struct ml_gov_reading *r, struct ml_say *s, const struct ml_hands *hands,
                         const struct ml_hash *asked)
{
    struct ml_list_walk walk;
    struct ml_second second;
    ml_list_walk(&walk, &hands->second);
    while (s->second_count < ML_SECONDS && ml_second_next(&walk, &second)) {
        const struct ml_fact *open = ml_gov_opening_of(r->g, &second.writer, false);
        if (open != NULL && is_signed(asked, &open->sign_pk, &second.sig)) {
            s->seconds[s->second_count++] = ml_ids_find(&r->g->writers, second.writer.b);
        }
    }
}

/* One number for all who say the same proposal; the fact of this one is kept next. */
static uint32_t decision_of(const struct ml_gov *g, const struct ml_hash *asked)
{
    size_t i = 0;
    while (i < g->count && !ml_gov_same(&g->facts[i]->asked, asked, sizeof(*asked))) {
        i++;
    }
    return (uint32_t)i + 1;
}

static void read_hands(struct ml_gov_reading *r, struct ml_say *s, const struct ml_govop *op,
                       struct ml_fact *fact)
{
    const struct ml_hands *hands = ml_govop_hands(op);
    const struct ml_header *at = &r->in->bundle->header;
    struct ml_hash asked;
    struct ml_hash root;
    if (ml_govop_hands_hash(&asked, op->raw, &r->g->org, at) != ML_OK ||
        ml_govop_root_hash(&root, op->raw, &r->g->org, at) != ML_OK) {
        return;
    }
    s->root = !ml_is_zero(hands->root.b, sizeof(hands->root.b)) &&
              is_signed(&root, root_key(r), &hands->root);
    const bool seen =
        hands->first.seq == 0 || ml_gvec_seq(r->in->gvec, &hands->first.writer) >= hands->first.seq;
    if (hands->second.count > 0 && seen) {
        read_seconds(r, s, hands, &asked);
        fact->asked = asked;
        s->decision = decision_of(r->g, &asked);
        s->first_writer = ml_ids_find(&r->g->writers, hands->first.writer.b);
        s->first_seq = hands->first.seq;
    }
}

/* ---- ops ---- */

static ml_err read_member(struct ml_gov_reading *r, const struct ml_member_id *member, uint8_t rank)
{
    struct ml_say *s = say(r, ML_SAY_MEMBER);
    s->rank = rank;
    return number(r, &r->g->members, member->b, &s->member);
}

/* `member` zero: nobody's. */
static ml_err read_place(struct ml_gov_reading *r, ml_say_kind kind,
                         const struct ml_member_id *member, const struct ml_node_id *node)
{
    struct ml_say *s = say(r, kind);
    ml_err err = ML_OK;
    if (!ml_is_zero(member->b, sizeof(member->b))) {
        err = number(r, &r->g->members, member->b, &s->member);
    }
    if (err == ML_OK && !ml_is_zero(node->b, sizeof(node->b))) {
        err = number(r, &r->g->nodes, node->b, &s->node);
    }
    return err;
}

static ml_err read_org_found(struct ml_gov_reading *r, const struct ml_govop *op)
{
    const struct ml_org_found *o = &op->u.org_found;
    const struct ml_fact org = {.kind = ML_FACT_ORG,
                                .sign_pk = o->root_sign,
                                .box_pk = o->root_box,
                                .audit = o->audit_box,
                                .network_epoch = o->network_epoch,
                                .label = o->label};
    const struct ml_fact member = {
        .kind = ML_FACT_MEMBER, .member = o->member, .rank = 1, .role = o->role};
    const struct ml_fact mon = {.kind = ML_FACT_MON,
                                .member = o->member,
                                .node = o->node,
                                .sign_pk = o->mon_sign,
                                .box_pk = o->mon_box,
                                .noise = o->noise};
    const struct ml_fact writer = {.kind = ML_FACT_WRITER,
                                   .member = o->member,
                                   .node = o->node,
                                   .writer = r->in->bundle->header.writer,
                                   .sign_pk = o->writer};
    ml_err err = read_member(r, &o->member, ML_RANK_COORDINATOR);
    err = err == ML_OK ? keep(r, 0, &org) : err;
    err = err == ML_OK ? keep(r, 0, &member) : err;
    err = err == ML_OK ? read_place(r, ML_SAY_MON, &o->member, &o->node) : err;
    err = err == ML_OK ? keep(r, 0, &mon) : err;
    err = err == ML_OK ? read_place(r, ML_SAY_WRITER, &o->member, &o->node) : err;
    return err == ML_OK ? keep(r, 0, &writer) : err;
}

static ml_err read_member_add(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_member_add *o = &op->u.member_add;
    struct ml_fact fact = {.kind = ML_FACT_MEMBER,
                           .member = o->member,
                           .rank = o->rank,
                           .role = o->role,
                           .label = o->card};
    ml_err err = read_member(r, &o->member, o->rank);
    if (err == ML_OK) {
        read_hands(r, &r->says[r->say_count - 1], op, &fact);
        err = keep(r, index, &fact);
    }
    return err;
}

/* Root's word; whether it comes in time, the authority says. */
static ml_err read_garant_name(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_garant_name *o = &op->u.garant_name;
    struct ml_fact fact = {
        .kind = ML_FACT_MEMBER, .member = o->member, .rank = ML_RANK_GARANT, .label = o->card};
    ml_err err = read_member(r, &o->member, ML_RANK_REFERENT);
    if (err == ML_OK) {
        r->says[r->say_count - 1].garant = true;
        read_hands(r, &r->says[r->say_count - 1], op, &fact);
        err = keep(r, index, &fact);
    }
    return err;
}

static ml_err read_node_enrol(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_node_enrol *o = &op->u.node_enrol;
    struct ml_fact fact = {.kind = ML_FACT_MON,
                           .member = o->member,
                           .node = o->node,
                           .noise = o->noise,
                           .sign_pk = o->mon_sign,
                           .box_pk = o->mon_box,
                           .label = o->label};
    ml_err err = read_place(r, ML_SAY_MON, &o->member, &o->node);
    if (err == ML_OK) {
        read_hands(r, &r->says[r->say_count - 1], op, &fact);
        err = keep(r, index, &fact);
    }
    return err;
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

static bool is_seen(const struct ml_gov_reading *r, const struct ml_fact *f)
{
    return r->own != NULL && f->act + 1 < r->g->act_count && ml_gov_stands(r->own, f);
}

/* Rules B18: whoever was there before, on this node for this member, at least one is named; and
 * nobody else's writer is. */
static bool predecessors_are_named(const struct ml_gov_reading *r, const struct ml_writer_open *o)
{
    bool any = false;
    bool named = false;
    uint32_t known = 0;
    for (size_t i = 0; i < r->g->count; i++) {
        const struct ml_fact *f = r->g->facts[i];
        if (f->kind == ML_FACT_WRITER && is_seen(r, f) && same_place(f, o)) {
            any = true;
            named = named || names_writer(&o->heads, &f->writer);
        }
    }
    struct ml_list_walk walk;
    struct ml_dep head;
    ml_list_walk(&walk, &o->heads);
    while (ml_dep_next(&walk, &head)) {
        const struct ml_fact *f = ml_gov_opening_of(r->g, &head.writer, false);
        known += f != NULL && is_seen(r, f) && same_place(f, o);
    }
    return any == named && known == o->heads.count;
}

/* The member-on-node keys that may co-sign: of this member, or of anyone for the node's own. */
static bool is_cosigned(const struct ml_gov_reading *r, const struct ml_govop *op)
{
    const struct ml_writer_open *o = &op->u.writer_open;
    bool node_only = ml_is_zero(o->member.b, sizeof(o->member.b));
    for (size_t i = 0; i < r->g->count; i++) {
        const struct ml_fact *f = r->g->facts[i];
        bool fits = f->kind == ML_FACT_MON && is_seen(r, f) &&
                    ml_gov_same(f->node.b, o->node.b, sizeof(o->node.b)) &&
                    (node_only || ml_gov_same(f->member.b, o->member.b, sizeof(o->member.b)));
        if (fits && ml_govop_verify_cosigned(op, &r->g->org, &f->sign_pk) == ML_OK) {
            return true;
        }
    }
    return false;
}

static ml_err read_writer_open(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_writer_open *o = &op->u.writer_open;
    if (!is_cosigned(r, op)) {
        refuse(r, ML_REASON_NOT_ENROLLED);
    } else if (!predecessors_are_named(r, o)) {
        refuse(r, ML_REASON_NO_PREDECESSOR);
    }
    const struct ml_fact fact = {.kind = ML_FACT_WRITER,
                                 .member = o->member,
                                 .node = o->node,
                                 .writer = r->in->bundle->header.writer,
                                 .sign_pk = o->writer};
    ml_err err = read_place(r, ML_SAY_WRITER, &o->member, &o->node);
    return err == ML_OK ? keep(r, index, &fact) : err;
}

static ml_err read_team_add(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    say(r, ML_SAY_OTHER)->rank = ML_RANK_COORDINATOR;
    const struct ml_fact fact = {
        .kind = ML_FACT_TEAM, .team = op->u.team_add.team, .label = op->u.team_add.name};
    return keep(r, index, &fact);
}

/* A card is set by the coordinator, or by whom it describes. */
static ml_err read_card_set(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_card_set *o = &op->u.card_set;
    const struct ml_fact *author = ml_gov_opening_of(r->g, &r->in->bundle->header.writer, false);
    struct ml_say *s = say(r, ML_SAY_OTHER);
    s->rank = ML_RANK_COORDINATOR;
    bool own = author != NULL &&
               ((o->kind == ML_CARD_MEMBER && ml_gov_same(o->id, author->member.b, 16)) ||
                (o->kind == ML_CARD_NODE && ml_gov_same(o->id, author->node.b, 16)));
    if (own) {
        s->member = ml_ids_find(&r->g->members, author->member.b);
    }
    struct ml_fact fact = {.kind = ML_FACT_CARD, .card_kind = o->kind, .label = o->card};
    memcpy(fact.card_id, o->id, sizeof(fact.card_id));
    return keep(r, index, &fact);
}

static ml_err read_cuts(struct ml_gov_reading *r, struct ml_say *s, const struct ml_list *list)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    ml_err err = ML_OK;
    s->cuts = r->cuts + r->cut_count;
    ml_list_walk(&walk, list);
    while (err == ML_OK && ml_dep_next(&walk, &dep)) {
        struct ml_cut *cut = &r->cuts[r->cut_count++];
        *cut = (struct ml_cut){.seq = dep.seq, .lane = dep.lane};
        err = number(r, &r->g->writers, dep.writer.b, &cut->writer);
        s->cut_count++;
    }
    return err;
}

static ml_err read_deny(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_deny *o = &op->u.deny;
    struct ml_fact fact = {.kind = ML_FACT_DENIAL,
                           .member = o->member,
                           .node = o->node,
                           .mode = o->mode,
                           .until_ms = o->until_ms};
    ml_err err = read_place(r, ML_SAY_DENIAL, &o->member, &o->node);
    struct ml_say *s = &r->says[r->say_count - 1];
    s->mode = (ml_denial_mode)o->mode;
    s->until_ms = o->until_ms;
    err = err == ML_OK ? read_cuts(r, s, &o->cuts) : err;
    if (err == ML_OK) {
        read_hands(r, s, op, &fact);
        err = keep(r, index, &fact);
    }
    return err;
}

/* Any member may say it; whether it is heard hangs on whose bundle it is. */
static ml_err read_judge(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_judge_op *o = &op->u.judge;
    struct ml_fact fact = {.kind = ML_FACT_JUDGEMENT, .bundle = o->bundle, .reject = o->reject};
    struct ml_list_walk walk;
    uint8_t at = 0;
    say(r, ML_SAY_OTHER)->rank = ML_RANK_MEMBER;
    memset(fact.ops, o->ops.count == 0 ? 0xff : 0, sizeof(fact.ops));
    ml_list_walk(&walk, &o->ops);
    while (ml_index_next(&walk, &at)) {
        fact.ops[at / 8] |= (uint8_t)(1u << at % 8);
    }
    return keep(r, index, &fact);
}

/* By a coordinator; one that gives his own role more, with somebody beside him: nobody grants
 * himself a right. */
static ml_err read_matrix(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    struct ml_matrix matrix;
    struct ml_say *s = say(r, ML_SAY_OTHER);
    s->rank = ML_RANK_COORDINATOR;
    ml_err err = ml_matrix_decode(&matrix, op->u.matrix.table, NULL);
    ML_ASSERT(err == ML_OK); /* check_op saw it */
    s->second = ml_gov_raises_own(r->g, r->own, &r->in->bundle->header.writer, &matrix);
    struct ml_fact fact = {.kind = ML_FACT_MATRIX, .matrix = &matrix};
    read_hands(r, s, op, &fact);
    return keep(r, index, &fact);
}

static ml_err read_role_grant(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_role_grant *o = &op->u.role_grant;
    struct ml_fact fact = {.kind = ML_FACT_ROLE,
                           .member = o->member,
                           .role = o->role,
                           .teams = o->teams,
                           .from_ms = o->from_ms,
                           .until_ms = o->until_ms,
                           .replaces = o->replaces,
                           .supervisor = o->supervisor};
    struct ml_say *s = say(r, ML_SAY_ROLE);
    ml_err err = number(r, &r->g->members, o->member.b, &s->member);
    if (err == ML_OK) {
        read_hands(r, s, op, &fact);
        err = keep(r, index, &fact);
    }
    return err;
}

/* Was it Root's by anything that the bundle had seen? Sheets that were replaced never come back. */
static bool was_root(const struct ml_gov_reading *r, const struct ml_sign_pk *pk)
{
    bool was = false;
    for (size_t i = 0; i < r->g->count; i++) {
        const struct ml_fact *f = r->g->facts[i];
        was = was || (ml_gov_same(f->sign_pk.b, pk->b, sizeof(pk->b)) &&
                      (f->kind == ML_FACT_ORG || (f->kind == ML_FACT_ROOT && is_seen(r, f))));
    }
    return was;
}

static ml_err read_root_rotate(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    const struct ml_root_rotate *o = &op->u.root_rotate;
    struct ml_fact fact = {.kind = ML_FACT_ROOT,
                           .sign_pk = o->root_sign,
                           .box_pk = o->root_box,
                           .audit = o->audit_box};
    struct ml_say *s = say(r, ML_SAY_ROTATE);
    memcpy(s->order, o->root_sign.b, sizeof(s->order));
    if (was_root(r, &o->root_sign)) {
        refuse(r, ML_REASON_COSIGNATURE); /* no proposal either, which others would sign */
    }
    read_hands(r, s, op, &fact);
    return keep(r, index, &fact);
}

static ml_err read_op(struct ml_gov_reading *r, const struct ml_govop *op, uint32_t index)
{
    switch (op->type) {
    case ML_GOVOP_ORG_FOUND:
        return read_org_found(r, op);
    case ML_GOVOP_MEMBER_ADD:
        return read_member_add(r, op, index);
    case ML_GOVOP_GARANT_NAME:
        return read_garant_name(r, op, index);
    case ML_GOVOP_NODE_ENROL:
        return read_node_enrol(r, op, index);
    case ML_GOVOP_WRITER_OPEN:
        return read_writer_open(r, op, index);
    case ML_GOVOP_TEAM_ADD:
        return read_team_add(r, op, index);
    case ML_GOVOP_CARD_SET:
        return read_card_set(r, op, index);
    case ML_GOVOP_DENY:
        return read_deny(r, op, index);
    case ML_GOVOP_CHECKPOINT:
        return read_cuts(r, say(r, ML_SAY_CHECKPOINT), &op->u.checkpoint.heads);
    case ML_GOVOP_JUDGE:
        return read_judge(r, op, index);
    case ML_GOVOP_MATRIX:
        return read_matrix(r, op, index);
    case ML_GOVOP_ROLE_GRANT:
        return read_role_grant(r, op, index);
    case ML_GOVOP_ROOT_ROTATE:
        return read_root_rotate(r, op, index);
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
    if (op->known && op->type == ML_GOVOP_MATRIX) {
        struct ml_matrix matrix;
        if (ml_matrix_decode(&matrix, op->u.matrix.table, NULL) != ML_OK) {
            return ML_REASON_FORMAT;
        }
    }
    if (op->known && op->type == ML_GOVOP_ROOT_ROTATE &&
        ml_govop_verify_cosigned(op, &g->org, &op->u.root_rotate.root_sign) != ML_OK) {
        return ML_REASON_COSIGNATURE;
    }
    bool opening_op = op->known && op->type == ML_GOVOP_WRITER_OPEN;
    return opening_op == opens ? ML_REASON_NONE : ML_REASON_OPENING;
}

ml_reason ml_gov_check(const struct ml_gov *g, bool *waits, const struct ml_bundle *bundle)
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

static uint32_t cuts_in(const struct ml_govop *op)
{
    if (op->type == ML_GOVOP_DENY) {
        return op->u.deny.cuts.count;
    }
    return op->type == ML_GOVOP_CHECKPOINT ? op->u.checkpoint.heads.count : 0;
}

void ml_gov_measure(const struct ml_bundle *bundle, size_t *says, size_t *cuts)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    ml_body_walk(&walk, bundle->body.bytes);
    while (ml_body_next(&walk, &body_op)) {
        struct ml_govop op;
        if (ml_govop_decode(&op, body_op.sealed, NULL) == ML_OK && op.known) {
            *says += op.type == ML_GOVOP_ORG_FOUND ? 3 : 1;
            *cuts += cuts_in(&op);
        }
    }
}

ml_err ml_gov_read(struct ml_gov_reading *r)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    ml_err err = ML_OK;
    ml_body_walk(&walk, r->in->bundle->body.bytes);
    while (err == ML_OK && ml_body_next(&walk, &body_op)) {
        struct ml_govop op;
        err = ml_govop_decode(&op, body_op.sealed, NULL);
        if (err == ML_OK && op.known) {
            err = read_op(r, &op, walk.index);
        }
    }
    return err;
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
