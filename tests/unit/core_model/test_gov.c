/* test_gov.c -- one rule of core/model/gov.c and gov_rule.c per test. Bundles are real and signed;
 * vectors are written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/keyop.h"
#include "core/crypto/key_id.h"
#include "core/model/gov.h"
#include "fake_env.h"

struct actor {
    struct ml_secret *seed;
    struct ml_sign_pk pk;
    struct ml_writer_id id;
    struct ml_member_id member;
    struct ml_node_id node;
    uint32_t seq; /* of its lane 0 */
};

struct fixture {
    struct fake_env fake;
    struct ml_gov *gov;
    struct ml_org_id org;
    struct ml_secret *root;
    struct ml_sign_pk root_pk;
    struct actor actors[4]; /* 0: the founder; each co-signs with its own writer key */
    uint8_t bytes[16384];   /* of the ops of one bundle */
    size_t used;
    struct ml_buf wire;
    bool frozen; /* the genesis */
};

static struct ml_slice op_bytes(struct fixture *f, struct ml_govop *op,
                                const struct ml_secret *cosigner)
{
    struct ml_buf buf;
    ml_buf_init(&buf, &f->fake.env, 8192);
    op->known = true;
    ml_err err = cosigner == NULL ? ml_govop_encode(&buf, op)
                                  : ml_govop_encode_cosigned(&buf, op, &f->org, cosigner);
    assert_int_equal(err, ML_OK);
    uint8_t *at = f->bytes + f->used;
    memcpy(at, buf.data, buf.len);
    struct ml_slice out = ml_slice(at, buf.len);
    f->used += buf.len;
    ml_buf_free(&buf);
    return out;
}

struct said {
    ml_err err;
    struct ml_ruling ruling;
    ml_reason why;
};

/* Everything of lane 0 that the actors have said so far. */
static struct ml_gvec *all_seen(struct fixture *f)
{
    struct ml_gvec *v = NULL;
    for (size_t i = 0; i < 4; i++) {
        const struct ml_dep e = {.writer = f->actors[i].id, .seq = f->actors[i].seq};
        if (e.seq > 0) {
            assert_int_equal(ml_gvec_add(&v, &f->fake.env, &e, 1), ML_OK);
        }
    }
    return v;
}

static void build(struct fixture *f, struct ml_gov_in *in, struct ml_bundle *bundle,
                  struct ml_bundle_draft *draft, struct actor *by)
{
    draft->header.writer = by->id;
    draft->header.seq = by->seq + 1;
    draft->header.hlc = 1000 + f->used;
    if (by->seq > 0) {
        draft->header.prev.b[0] = 1;
    }
    ml_buf_clear(&f->wire);
    assert_int_equal(ml_bundle_build(&f->wire, &in->hash, draft, &f->org, by->seed), ML_OK);
    assert_int_equal(ml_bundle_decode(bundle, ml_buf_slice(&f->wire), NULL), ML_OK);
    in->bundle = bundle;
}

/* The actor says `count` ops in one bundle, having seen `seen` (taken over). */
static struct said say_at(struct fixture *f, unsigned actor, const struct ml_slice *ops,
                          uint32_t count, struct ml_gvec *seen)
{
    struct said s = {0};
    struct ml_op_draft drafts[8];
    struct ml_bundle bundle;
    struct ml_gov_in in = {.gvec = seen};
    for (uint32_t i = 0; i < count; i++) {
        drafts[i] = (struct ml_op_draft){.sealed = ops[i]};
    }
    struct ml_bundle_draft draft = {.ops = drafts, .op_count = count};
    build(f, &in, &bundle, &draft, &f->actors[actor]);
    s.err = ml_gov_apply(f->gov, &s.ruling, &s.why, &in);
    if (s.err == ML_OK && s.ruling.verdict != ML_VERDICT_PENDING) {
        f->actors[actor].seq++;
    }
    ml_gvec_unref(seen);
    f->used = 0;
    return s;
}

static struct said say(struct fixture *f, unsigned actor, const struct ml_slice *ops,
                       uint32_t count)
{
    return say_at(f, actor, ops, count, all_seen(f));
}

static void assert_said(struct said s, ml_verdict verdict, ml_reason reason)
{
    assert_int_equal(s.err, ML_OK);
    assert_int_equal(s.ruling.reason, reason);
    assert_int_equal(s.ruling.verdict, verdict);
}

#define ACCEPTED         ML_VERDICT_ACCEPTED, ML_REASON_NONE
#define QUARANTINED(why) ML_VERDICT_QUARANTINED, ML_REASON_##why

static struct ml_slice member_add(struct fixture *f, unsigned i, uint8_t rank)
{
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add =
        (struct ml_member_add){.member = f->actors[i].member, .rank = rank, .role = 60};
    op.u.member_add.card.ct = ml_slice_str("a sealed card of someone");
    return op_bytes(f, &op, NULL);
}

static struct ml_slice node_enrol(struct fixture *f, unsigned i)
{
    struct ml_govop op = {.type = ML_GOVOP_NODE_ENROL};
    op.u.node_enrol = (struct ml_node_enrol){
        .member = f->actors[i].member, .node = f->actors[i].node, .mon_sign = f->actors[i].pk};
    op.u.node_enrol.noise.b[0] = (uint8_t)(0x70 + i);
    op.u.node_enrol.mon_box.b[0] = (uint8_t)(0x60 + i);
    return op_bytes(f, &op, NULL);
}

static struct ml_govop opening_of(struct fixture *f, unsigned i)
{
    struct ml_govop op = {.type = ML_GOVOP_WRITER_OPEN};
    op.u.writer_open = (struct ml_writer_open){
        .writer = f->actors[i].pk, .member = f->actors[i].member, .node = f->actors[i].node};
    return op;
}

static struct ml_slice writer_open(struct fixture *f, unsigned i)
{
    struct ml_govop op = opening_of(f, i);
    return op_bytes(f, &op, f->actors[i].seed);
}

static struct ml_slice team_add(struct fixture *f)
{
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD};
    op.u.team_add.team.b[0] = 5;
    op.u.team_add.name.ct = ml_slice_str("a sealed name of a team");
    return op_bytes(f, &op, NULL);
}

static struct ml_slice card_set(struct fixture *f, uint8_t kind, const uint8_t *id,
                                const char *card)
{
    struct ml_govop op = {.type = ML_GOVOP_CARD_SET};
    op.u.card_set.kind = kind;
    memcpy(op.u.card_set.id, id, 16);
    op.u.card_set.card.ct = ml_slice_str(card);
    return op_bytes(f, &op, NULL);
}

static struct ml_slice org_found(struct fixture *f, const struct ml_secret *root)
{
    struct actor *a = &f->actors[0];
    struct ml_govop op = {.type = ML_GOVOP_ORG_FOUND};
    op.u.org_found = (struct ml_org_found){.root_sign = f->root_pk,
                                           .network_epoch = 1,
                                           .member = a->member,
                                           .role = 10,
                                           .node = a->node,
                                           .mon_sign = a->pk,
                                           .mon_box = {{0x60}},
                                           .writer = a->pk,
                                           .created = 1};
    return op_bytes(f, &op, root);
}

static struct said found(struct fixture *f, const struct ml_secret *root, uint8_t flags)
{
    struct said s = {0};
    const struct ml_op_draft ops[] = {{.sealed = org_found(f, root)}};
    struct ml_bundle_draft draft = {.header = {.flags = flags}, .ops = ops, .op_count = 1};
    struct ml_bundle bundle;
    struct ml_gov_in in = {.frozen = f->frozen};
    build(f, &in, &bundle, &draft, &f->actors[0]);
    s.err = ml_gov_apply(f->gov, &s.ruling, &s.why, &in);
    f->used = 0;
    return s;
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 9);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_sign_keypair(&f.root_pk, &f.root, &f.fake.env), ML_OK);
    for (unsigned i = 0; i < 4; i++) {
        struct actor *a = &f.actors[i];
        assert_int_equal(ml_sign_keypair(&a->pk, &a->seed, &f.fake.env), ML_OK);
        a->id = ml_writer_id_of(&a->pk);
        a->member.b[0] = (uint8_t)(1 + i);
        a->node.b[0] = (uint8_t)(0x40 + i);
    }
    ml_buf_init(&f.wire, &f.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_gov_new(&f.gov, &f.fake.env, &f.org), ML_OK);
    assert_said(found(&f, f.root, ML_BUNDLE_FLAG_GENESIS), ACCEPTED);
    f.actors[0].seq = 1;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_gov_free(f->gov);
    ml_buf_free(&f->wire);
    ml_secret_free(f->root);
    for (unsigned i = 0; i < 4; i++) {
        ml_secret_free(f->actors[i].seed);
    }
    return f->fake.live == 0 ? 0 : -1;
}

static void take_in(struct fixture *f, unsigned i)
{
    const struct ml_slice ops[] = {member_add(f, i, 3), node_enrol(f, i)};
    assert_said(say(f, 0, ops, 2), ACCEPTED);
    const struct ml_slice open = writer_open(f, i);
    assert_said(say(f, i, &open, 1), ACCEPTED);
}

/* The first bundle of a lane of a writer who has seen everything. */
static struct ml_ruling rule(struct fixture *f, unsigned actor, uint8_t lane)
{
    struct ml_gvec *seen = all_seen(f);
    struct ml_ruling ruling;
    const struct ml_gov_lane in = {
        .writer = f->actors[actor].id, .lane = lane, .seq = 1, .gvec = seen};
    assert_int_equal(ml_gov_rule_lane(f->gov, &ruling, &in), ML_OK);
    ml_gvec_unref(seen);
    return ruling;
}

static void a_coordinator_takes_people_in(void **state)
{
    struct fixture *f = *state;
    take_in(f, 1);
    const struct ml_fact *member = ml_gov_member(f->gov, &f->actors[1].member);
    assert_non_null(member);
    assert_int_equal(member->rank, 3);
    const struct ml_fact *open = ml_gov_opening(f->gov, &f->actors[1].id);
    assert_non_null(open);
    assert_memory_equal(open->member.b, f->actors[1].member.b, 16);
    struct ml_box_pk noise = {{0x71}};
    assert_non_null(ml_gov_noise(f->gov, &noise));
    noise.b[0] = 0x33;
    assert_null(ml_gov_noise(f->gov, &noise));
    for (uint8_t lane = 1; lane < ML_LANES; lane++) {
        assert_int_equal(rule(f, 1, lane).verdict, ML_VERDICT_ACCEPTED);
    }
    assert_int_equal(rule(f, 2, 3).reason, ML_REASON_NOT_ENROLLED);
}

static void nobody_else_does(void **state)
{
    struct fixture *f = *state;
    take_in(f, 1);
    struct ml_slice op = member_add(f, 2, 3);
    assert_said(say(f, 1, &op, 1), QUARANTINED(NO_AUTHORITY));
    op = team_add(f);
    assert_said(say(f, 1, &op, 1), QUARANTINED(NO_AUTHORITY));
    op = node_enrol(f, 1);
    assert_said(say(f, 1, &op, 1), QUARANTINED(NO_AUTHORITY));
    assert_null(ml_gov_member(f->gov, &f->actors[2].member));
    assert_null(ml_gov_next(f->gov, ML_FACT_TEAM, NULL));
    op = team_add(f);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    assert_non_null(ml_gov_next(f->gov, ML_FACT_TEAM, NULL));
}

static void nobody_makes_a_coordinator_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_slice op = member_add(f, 2, 1);
    assert_said(say(f, 0, &op, 1), QUARANTINED(NO_AUTHORITY));
    op = member_add(f, 0, 1);
    assert_said(say(f, 0, &op, 1), QUARANTINED(NO_AUTHORITY));
    op = node_enrol(f, 0); /* his own second node: himself, so he may */
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    op = node_enrol(f, 3); /* of nobody */
    assert_said(say(f, 0, &op, 1), QUARANTINED(NO_AUTHORITY));
}

static void of_several_ranks_the_lowest_stands(void **state)
{
    struct fixture *f = *state;
    struct ml_slice op = member_add(f, 1, 3);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    op = member_add(f, 1, 2);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    assert_int_equal(ml_gov_member(f->gov, &f->actors[1].member)->rank, 2); /* who said it knew */
    struct ml_gvec *before = all_seen(f);
    take_in(f, 2);
    const struct ml_slice two = member_add(f, 2, 2);
    assert_said(say(f, 0, &two, 1), ACCEPTED);
    const struct ml_slice three = member_add(f, 2, 3);
    struct said s = say_at(f, 0, &three, 1, before);
    assert_said(s, ACCEPTED);
    assert_int_equal(ml_gov_member(f->gov, &f->actors[2].member)->rank, 3);
    struct ml_gvec *early = all_seen(f);
    take_in(f, 3);
    assert_said(say_at(f, 0, (struct ml_slice[]){member_add(f, 3, 2)}, 1, early), ACCEPTED);
    assert_int_equal(ml_gov_member(f->gov, &f->actors[3].member)->rank, 3); /* the first one */
}

/* A bundle is judged by what its writer had seen. */
static void what_was_not_seen_does_not_help(void **state)
{
    struct fixture *f = *state;
    struct ml_gvec *before = all_seen(f);
    const struct ml_slice ops[] = {member_add(f, 1, 3), node_enrol(f, 1)};
    assert_said(say(f, 0, ops, 2), ACCEPTED);
    const struct ml_slice open = writer_open(f, 1);
    assert_said(say_at(f, 1, &open, 1, before), QUARANTINED(NOT_ENROLLED));
    assert_int_equal(rule(f, 1, 3).reason, ML_REASON_NOT_ENROLLED);
}

static void an_opening_needs_the_right_cosignature(void **state)
{
    struct fixture *f = *state;
    const struct ml_slice ops[] = {member_add(f, 1, 3), node_enrol(f, 1)};
    assert_said(say(f, 0, ops, 2), ACCEPTED);
    struct ml_govop op = opening_of(f, 1);
    const struct ml_slice forged = op_bytes(f, &op, f->actors[2].seed);
    assert_said(say(f, 1, &forged, 1), QUARANTINED(NOT_ENROLLED));
}

/* Rules B18: whoever comes after a restore names whom he follows. */
static void a_new_writer_names_the_one_before(void **state)
{
    struct fixture *f = *state;
    take_in(f, 1);
    /* Actor 2's key becomes member 1's second writer on the same node. */
    f->actors[2].member = f->actors[1].member;
    f->actors[2].node = f->actors[1].node;
    struct ml_govop op = opening_of(f, 2);
    struct ml_slice open = op_bytes(f, &op, f->actors[1].seed);
    assert_said(say(f, 2, &open, 1), QUARANTINED(NO_PREDECESSOR));
    f->actors[3].member = f->actors[1].member;
    f->actors[3].node = f->actors[1].node;
    op = opening_of(f, 3);
    const struct ml_dep head = {.writer = f->actors[1].id, .lane = 0, .seq = 1};
    op.u.writer_open.heads = (struct ml_list){.items = &head, .count = 1};
    open = op_bytes(f, &op, f->actors[1].seed);
    assert_said(say(f, 3, &open, 1), ACCEPTED);
}

static void a_writer_follows_only_his_own(void **state)
{
    struct fixture *f = *state;
    take_in(f, 1);
    const struct ml_slice ops[] = {member_add(f, 2, 3), node_enrol(f, 2)};
    assert_said(say(f, 0, ops, 2), ACCEPTED);
    struct ml_govop op = opening_of(f, 2);
    const struct ml_dep head = {.writer = f->actors[1].id, .lane = 0, .seq = 1};
    op.u.writer_open.heads = (struct ml_list){.items = &head, .count = 1};
    const struct ml_slice open = op_bytes(f, &op, f->actors[2].seed);
    assert_said(say(f, 2, &open, 1), QUARANTINED(NO_PREDECESSOR));
}

static void a_nodes_own_writer_writes_no_records(void **state)
{
    struct fixture *f = *state;
    const struct ml_slice ops[] = {member_add(f, 1, 3), node_enrol(f, 1)};
    assert_said(say(f, 0, ops, 2), ACCEPTED);
    memset(f->actors[2].member.b, 0, 16);
    f->actors[2].node = f->actors[1].node;
    struct ml_govop op = opening_of(f, 2);
    const struct ml_slice open = op_bytes(f, &op, f->actors[1].seed);
    assert_said(say(f, 2, &open, 1), ACCEPTED);
    assert_int_equal(rule(f, 2, 1).verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(rule(f, 2, 2).verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(rule(f, 2, 3).reason, ML_REASON_NO_AUTHORITY);
    const struct ml_slice team = team_add(f);
    assert_said(say(f, 2, &team, 1), QUARANTINED(NO_AUTHORITY));
}

static void a_card_is_set_by_its_subject_or_the_coordinator(void **state)
{
    struct fixture *f = *state;
    static const uint8_t org[16];
    take_in(f, 1);
    const uint8_t *me = f->actors[1].member.b;
    struct ml_slice op = card_set(f, ML_CARD_MEMBER, me, "a card by its own member");
    assert_true(ml_slice_equal(ml_gov_card(f->gov, ML_CARD_MEMBER, me)->label.ct,
                               ml_slice_str("a sealed card of someone")));
    assert_said(say(f, 1, &op, 1), ACCEPTED);
    assert_true(ml_slice_equal(ml_gov_card(f->gov, ML_CARD_MEMBER, me)->label.ct,
                               ml_slice_str("a card by its own member")));
    op = card_set(f, ML_CARD_MEMBER, f->actors[0].member.b, "a card of someone else");
    assert_said(say(f, 1, &op, 1), QUARANTINED(NO_AUTHORITY));
    assert_null(ml_gov_card(f->gov, ML_CARD_MEMBER, f->actors[0].member.b));
    op = card_set(f, ML_CARD_NODE, f->actors[1].node.b, "a label of its own node");
    assert_said(say(f, 1, &op, 1), ACCEPTED);
    op = card_set(f, ML_CARD_ORG, org, "a label of the structure");
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    assert_non_null(ml_gov_card(f->gov, ML_CARD_ORG, org));
    assert_non_null(ml_gov_card(f->gov, ML_CARD_NODE, f->actors[1].node.b));
    op = team_add(f);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    const struct ml_fact *team = ml_gov_next(f->gov, ML_FACT_TEAM, NULL);
    assert_ptr_equal(ml_gov_card(f->gov, ML_CARD_TEAM, team->team.b), team);
}

static void what_stands_in_the_wrong_place_is_refused(void **state)
{
    struct fixture *f = *state;
    take_in(f, 1);
    struct ml_slice op = writer_open(f, 1); /* not its first bundle */
    struct said s = say(f, 1, &op, 1);
    assert_int_equal(s.err, ML_E_MALFORMED);
    assert_int_equal(s.why, ML_REASON_OPENING);
    op = team_add(f); /* a first bundle without an opening */
    s = say(f, 2, &op, 1);
    assert_int_equal(s.why, ML_REASON_OPENING);
    op = org_found(f, f->root); /* a second founding */
    s = say(f, 0, &op, 1);
    assert_int_equal(s.why, ML_REASON_GENESIS);
    op = ml_slice_str("\x01"); /* no map */
    s = say(f, 0, &op, 1);
    assert_int_equal(s.err, ML_E_MALFORMED);
    assert_int_equal(s.why, ML_REASON_FORMAT);
}

static void a_founding_without_root_is_refused(void **state)
{
    struct fixture *f = *state;
    f->actors[0].seq = 0;
    struct said s = found(f, f->actors[1].seed, ML_BUNDLE_FLAG_GENESIS);
    assert_int_equal(s.err, ML_E_FORGED);
    assert_int_equal(s.why, ML_REASON_COSIGNATURE);
}

/* ---- other keys for Root ---- */

/* In the founder's next bundle, as build() makes it. */
static void root_signs(struct fixture *f, struct ml_govop *op, const struct ml_secret *root)
{
    const struct ml_header at = {.writer = f->actors[0].id, .seq = f->actors[0].seq + 1};
    struct ml_hands hands = {.first = {.seq = 0}};
    struct ml_hash hash;
    const size_t used = f->used;
    const struct ml_slice raw = op_bytes(f, op, NULL);
    assert_int_equal(ml_govop_root_hash(&hash, raw, &f->org, &at), ML_OK);
    ml_sign(hands.root.b, ml_slice(hash.b, sizeof(hash.b)), root);
    ml_govop_set_hands(op, &hands);
    f->used = used;
}

/* To the keys of `to`, which signs for the structure `org`; the Root that goes signs it. */
static struct ml_slice rotation(struct fixture *f, const struct ml_secret *to,
                                const struct ml_org_id *org, const struct ml_secret *root)
{
    struct ml_govop op = {.type = ML_GOVOP_ROOT_ROTATE, .must_understand = true};
    struct ml_buf buf;
    ml_buf_init(&buf, &f->fake.env, 8192);
    ml_sign_pk_of(&op.u.root_rotate.root_sign, to);
    op.u.root_rotate.root_box.b[0] = 7;
    assert_int_equal(ml_govop_encode_cosigned(&buf, &op, org, to), ML_OK);
    ml_buf_free(&buf);
    root_signs(f, &op, root);
    return op_bytes(f, &op, NULL);
}

static struct said promoted(struct fixture *f, unsigned i, const struct ml_secret *root)
{
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD};
    op.u.member_add = (struct ml_member_add){.member = f->actors[i].member, .rank = 1, .role = 60};
    root_signs(f, &op, root);
    const struct ml_slice bytes = op_bytes(f, &op, NULL);
    return say(f, 0, &bytes, 1);
}

static void acts_of_root_are_judged_by_the_keys_in_force(void **state)
{
    struct fixture *f = *state;
    const struct ml_secret *fresh = f->actors[3].seed;
    struct ml_slice op = rotation(f, fresh, &f->org, f->root);
    assert_memory_equal(&ml_gov_root(f->gov)->sign_pk, &f->root_pk, sizeof(f->root_pk));
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    assert_memory_equal(&ml_gov_root(f->gov)->sign_pk, &f->actors[3].pk, sizeof(f->root_pk));
    assert_int_equal(ml_gov_root(f->gov)->box_pk.b[0], 7);
    assert_said(promoted(f, 1, f->root), QUARANTINED(NO_AUTHORITY));
    assert_said(promoted(f, 1, fresh), ACCEPTED);
}

/* By who had not seen them the old ones sign, and who hears both leaves that out. */
static void where_they_are_unknown_the_old_ones_sign(void **state)
{
    struct fixture *f = *state;
    struct ml_gvec *before = all_seen(f);
    struct ml_slice op = rotation(f, f->actors[3].seed, &f->org, f->root);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    f->actors[0].seq--; /* the founder's restored backup signs the same place */
    op = member_add(f, 1, 1);
    struct ml_govop add;
    assert_int_equal(ml_govop_decode(&add, op, NULL), ML_OK);
    root_signs(f, &add, f->root);
    op = op_bytes(f, &add, NULL);
    (void)say_at(f, 0, &op, 1, before);
    assert_null(ml_gov_member(f->gov, &f->actors[1].member));
    assert_memory_equal(&ml_gov_root(f->gov)->sign_pk, &f->actors[3].pk, sizeof(f->root_pk));
}

static void keys_that_dont_sign_for_themselves_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_org_id other = f->org;
    other.b[0] ^= 1;
    struct ml_slice op = rotation(f, f->actors[3].seed, &other, f->root); /* another structure's */
    struct said s = say(f, 0, &op, 1);
    assert_int_equal(s.err, ML_E_FORGED);
    assert_int_equal(s.why, ML_REASON_COSIGNATURE);
    struct ml_govop named;
    op = rotation(f, f->actors[3].seed, &f->org, f->root);
    assert_int_equal(ml_govop_decode(&named, op, NULL), ML_OK);
    named.u.root_rotate.root_sign = f->actors[2].pk; /* somebody's who doesn't know */
    root_signs(f, &named, f->root);
    op = op_bytes(f, &named, NULL);
    s = say(f, 0, &op, 1);
    assert_int_equal(s.why, ML_REASON_COSIGNATURE);
}

static void keys_that_were_replaced_never_come_back(void **state)
{
    struct fixture *f = *state;
    struct ml_slice op = rotation(f, f->root, &f->org, f->root); /* the founding's, in force */
    assert_said(say(f, 0, &op, 1), QUARANTINED(COSIGNATURE));
    op = rotation(f, f->actors[3].seed, &f->org, f->root);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    op = rotation(f, f->root, &f->org, f->actors[3].seed);
    assert_said(say(f, 0, &op, 1), QUARANTINED(COSIGNATURE));
    op = rotation(f, f->actors[2].seed, &f->org, f->actors[3].seed);
    assert_said(say(f, 0, &op, 1), ACCEPTED);
    op = rotation(f, f->actors[3].seed, &f->org, f->actors[2].seed);
    assert_said(say(f, 0, &op, 1), QUARANTINED(COSIGNATURE));
    ml_gov_undo(f->gov);
    assert_memory_equal(&ml_gov_root(f->gov)->sign_pk, &f->actors[2].pk, sizeof(f->root_pk));
}

static void a_frozen_bundle_says_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_ruling ruling;
    ml_reason why = ML_REASON_NONE;
    struct ml_bundle bundle;
    struct ml_gov_in in = {.frozen = true, .gvec = all_seen(f)};
    const struct ml_op_draft ops[] = {{.sealed = team_add(f)}};
    struct ml_bundle_draft draft = {.ops = ops, .op_count = 1};
    build(f, &in, &bundle, &draft, &f->actors[0]);
    assert_int_equal(ml_gov_apply(f->gov, &ruling, &why, &in), ML_OK);
    assert_int_equal(ruling.reason, ML_REASON_FORK);
    assert_null(ml_gov_next(f->gov, ML_FACT_TEAM, NULL));
    in.frozen = false;
    assert_int_equal(ml_gov_apply(f->gov, &ruling, &why, &in), ML_OK);
    assert_non_null(ml_gov_next(f->gov, ML_FACT_TEAM, NULL));
    ml_gov_undo(f->gov);
    ml_gov_undo(f->gov);
    assert_null(ml_gov_next(f->gov, ML_FACT_TEAM, NULL));
    ml_gvec_unref(in.gvec);
}

/* The founder's key signs another opening in the same place: his other words fall, Root's don't. */
static void no_second_history_takes_the_genesis_away(void **state)
{
    struct fixture *f = *state;
    ml_gov_free(f->gov);
    assert_int_equal(ml_gov_new(&f->gov, &f->fake.env, &f->org), ML_OK);
    f->actors[0].seq = 0;
    f->frozen = true;
    assert_said(found(f, f->root, ML_BUNDLE_FLAG_GENESIS), ACCEPTED);
    assert_non_null(ml_gov_next(f->gov, ML_FACT_ORG, NULL));
}

/* What isn't stored after all leaves no matrix behind. */
static void a_matrix_that_is_undone_was_never_there(void **state)
{
    struct fixture *f = *state;
    static const uint8_t table[] = {0x82, 1, 1, 2, 0x91, 0x93, 10, 4, 1};
    struct ml_govop op = {.type = ML_GOVOP_MATRIX};
    struct ml_matrix m;
    op.u.matrix.table = ml_slice(table, sizeof(table));
    for (unsigned round = 0; round < 2; round++) {
        const struct ml_slice bytes = op_bytes(f, &op, NULL);
        assert_false(ml_gov_wants_writes(f->gov, ML_LANE_RECORD));
        assert_said(say(f, 0, &bytes, 1), ACCEPTED);
        assert_true(ml_gov_wants_writes(f->gov, ML_LANE_RECORD));
        assert_false(ml_gov_wants_writes(f->gov, ML_LANE_TRACE));
        assert_true(ml_gov_matrix(f->gov, &m));
        assert_int_equal(ml_matrix_cell(&m, 10, 4), 1);
        assert_int_equal(rule(f, 0, ML_LANE_RECORD).verdict, ML_VERDICT_ACCEPTED);
        ml_gov_undo(f->gov);
        f->actors[0].seq--;
    }
    assert_false(ml_gov_matrix(f->gov, &m));
}

static void any_failed_alloc_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    struct ml_gov_in in = {.gvec = all_seen(f)};
    const struct ml_op_draft ops[] = {{.sealed = member_add(f, 1, 3)},
                                      {.sealed = node_enrol(f, 1)}};
    struct ml_bundle_draft draft = {.ops = ops, .op_count = 2};
    build(f, &in, &bundle, &draft, &f->actors[0]);
    for (long nth = 1;; nth++) {
        struct ml_ruling ruling;
        ml_reason why = ML_REASON_NONE;
        f->fake.fail_alloc = nth;
        ml_err err = ml_gov_apply(f->gov, &ruling, &why, &in);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            assert_true(nth > 1);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(ml_gov_member(f->gov, &f->actors[1].member));
    }
    ml_gvec_unref(in.gvec);
    struct ml_gov *none = NULL;
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_gov_new(&none, &f->fake.env, &f->org), ML_E_NOMEM);
    f->fake.fail_alloc = 0;
    ml_gov_free(NULL);
}

static void an_opening_names_its_key(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    struct ml_sign_pk pk;
    ml_reason why = ML_REASON_NONE;
    struct ml_gov_in in = {0};
    const struct ml_op_draft good[] = {{.sealed = writer_open(f, 1)}};
    struct ml_bundle_draft draft = {.ops = good, .op_count = 1};
    build(f, &in, &bundle, &draft, &f->actors[1]);
    assert_int_equal(ml_gov_opening_key(&pk, &why, &bundle), ML_OK);
    assert_memory_equal(pk.b, f->actors[1].pk.b, sizeof(pk.b));
    build(f, &in, &bundle, &draft, &f->actors[2]); /* signed by another than it names */
    assert_int_equal(ml_gov_opening_key(&pk, &why, &bundle), ML_E_MALFORMED);
    assert_int_equal(why, ML_REASON_OPENING);
    const struct ml_op_draft team[] = {{.sealed = team_add(f)}};
    draft.ops = team;
    build(f, &in, &bundle, &draft, &f->actors[1]);
    assert_int_equal(ml_gov_opening_key(&pk, &why, &bundle), ML_E_MALFORMED);
    bundle.body = (struct ml_wire_body){.absent = ML_ABSENT_NOT_RECEIVED};
    assert_int_equal(ml_gov_opening_key(&pk, &why, &bundle), ML_E_MALFORMED);
    assert_int_equal(why, ML_REASON_NO_BODY);
}

static int slot_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_recipient_id));
}

/* May an epoch for the boxes of the first `count` actors seal? */
static bool fits(struct fixture *f, unsigned author, uint8_t compartment, bool team, size_t count)
{
    struct ml_epoch_slot slots[4] = {0};
    struct ml_keyop op = {.type = ML_KEYOP_KEK_EPOCH};
    struct ml_keyop read;
    struct ml_buf buf;
    for (size_t i = 0; i < count; i++) {
        struct ml_box_pk box = {{(uint8_t)(0x60 + i)}};
        slots[i].recipient = ml_recipient_id_of(&box);
    }
    qsort(slots, count, sizeof(slots[0]), slot_order);
    op.u.kek_epoch = (struct ml_kek_epoch){.compartment = compartment,
                                           .epoch = 1,
                                           .slots = {.items = slots, .count = (uint32_t)count}};
    op.u.kek_epoch.team.b[0] = team ? 5 : 0;
    ml_buf_init(&buf, &f->fake.env, 4096);
    assert_int_equal(ml_keyop_encode(&buf, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&read, ml_buf_slice(&buf), NULL), ML_OK);
    struct ml_gvec *seen = all_seen(f);
    bool ok = false;
    const struct ml_gov_epoch_in in = {.gvec = seen,
                                       .writer = f->actors[author].id,
                                       .hlc = UINT64_C(1000) << 16,
                                       .epoch = &read.u.kek_epoch};
    assert_int_equal(ml_gov_epoch_fits(f->gov, &ok, &in), ML_OK);
    ml_gvec_unref(seen);
    ml_buf_free(&buf);
    return ok;
}

/* Rules A3: a node's writer, a stranger, or a recipient more or less, and nobody follows. */
static void an_epoch_is_for_exactly_the_members(void **state)
{
    struct fixture *f = *state;
    const uint8_t care = ML_COMPARTMENT_CARE;
    take_in(f, 1);
    assert_true(fits(f, 0, ML_COMPARTMENT_ANNUAIRE, false, 2));
    assert_false(fits(f, 0, ML_COMPARTMENT_ANNUAIRE, true, 2));
    assert_false(fits(f, 0, care, true, 2)); /* no such team yet */
    struct ml_slice team = team_add(f);
    assert_said(say(f, 0, &team, 1), ACCEPTED);
    assert_true(fits(f, 0, care, true, 2));
    assert_true(fits(f, 1, care, true, 2));
    assert_false(fits(f, 0, care, false, 2));
    assert_false(fits(f, 0, care, true, 1));
    assert_false(fits(f, 0, care, true, 3));
    assert_false(fits(f, 2, care, true, 2)); /* a stranger */
    struct ml_govop op = opening_of(f, 2);
    op.u.writer_open.member = (struct ml_member_id){{0}};
    op.u.writer_open.node = f->actors[1].node;
    struct ml_slice own = op_bytes(f, &op, f->actors[1].seed);
    assert_said(say(f, 2, &own, 1), ACCEPTED);
    assert_false(fits(f, 2, care, true, 2)); /* a node's own writer */
}

/* Habilitation on reading: by the matrix that stands where the epoch was made, whose author reads
 * what it is for. Names of colleagues are everybody's. */
static void an_epoch_is_for_who_may_read(void **state)
{
    struct fixture *f = *state;
    const uint8_t care = ML_COMPARTMENT_CARE;
    struct ml_matrix matrix = {.version = 1, .count = 2, .roles = {10, 60}};
    struct ml_govop op = {.type = ML_GOVOP_MATRIX, .must_understand = true};
    struct ml_buf table;
    take_in(f, 1);
    const struct ml_slice team = team_add(f);
    assert_said(say(f, 0, &team, 1), ACCEPTED);
    assert_true(fits(f, 0, care, true, 2));
    matrix.cells[0][ML_CLASS_NURSING_NOTES] = ML_SCOPE_TEAM << 2 * (ML_RIGHT_READ - 1);
    matrix.cells[1][ML_CLASS_NURSING_NOTES] = ML_SCOPE_ALL << 2 * (ML_RIGHT_CREATE - 1);
    ml_buf_init(&table, &f->fake.env, 1000);
    assert_int_equal(ml_matrix_encode(&table, &matrix), ML_OK);
    op.u.matrix.table = ml_buf_slice(&table);
    const struct ml_slice one = op_bytes(f, &op, NULL);
    assert_said(say(f, 0, &one, 1), ACCEPTED);
    ml_buf_free(&table);
    assert_false(fits(f, 0, care, true, 2));
    assert_true(fits(f, 0, care, true, 1));
    assert_false(fits(f, 1, care, true, 1)); /* who writes it and can't read it */
    assert_true(fits(f, 1, ML_COMPARTMENT_ANNUAIRE, false, 2));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_coordinator_takes_people_in),
        TEST(nobody_else_does),
        TEST(nobody_makes_a_coordinator_alone),
        TEST(of_several_ranks_the_lowest_stands),
        TEST(what_was_not_seen_does_not_help),
        TEST(an_opening_needs_the_right_cosignature),
        TEST(a_new_writer_names_the_one_before),
        TEST(a_writer_follows_only_his_own),
        TEST(a_nodes_own_writer_writes_no_records),
        TEST(a_card_is_set_by_its_subject_or_the_coordinator),
        TEST(what_stands_in_the_wrong_place_is_refused),
        TEST(a_founding_without_root_is_refused),
        TEST(acts_of_root_are_judged_by_the_keys_in_force),
        TEST(where_they_are_unknown_the_old_ones_sign),
        TEST(keys_that_dont_sign_for_themselves_are_refused),
        TEST(keys_that_were_replaced_never_come_back),
        TEST(a_frozen_bundle_says_nothing),
        TEST(no_second_history_takes_the_genesis_away),
        TEST(a_matrix_that_is_undone_was_never_there),
        TEST(any_failed_alloc_keeps_nothing),
        TEST(an_opening_names_its_key),
        TEST(an_epoch_is_for_exactly_the_members),
        TEST(an_epoch_is_for_who_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
