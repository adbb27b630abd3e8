/* tests/unit/core_codec/support_govop.c -- samples of the ops of lane 0. */
#include <string.h>

#include "support_codec.h"

static void sample_org_found(struct ml_org_found *out)
{
    FILL(out->root_sign, 0x01);
    FILL(out->root_box, 0x02);
    FILL(out->audit_box, 0x03);
    out->network_epoch = 1;
    FILL(out->member, 0x04);
    out->role = 10;
    FILL(out->node, 0x05);
    FILL(out->mon_sign, 0x06);
    FILL(out->mon_box, 0x07);
    FILL(out->writer, 0x08);
    FILL(out->noise, 0x09);
    out->created = UINT64_C(1790000000000) << 16;
    FILL(out->root_sig, 0x0a);
}

static void sample_node_enrol(struct ml_node_enrol *out)
{
    FILL(out->member, 0x04);
    FILL(out->node, 0x15);
    FILL(out->noise, 0x16);
    FILL(out->mon_sign, 0x17);
    FILL(out->mon_box, 0x18);
}

static void sample_fork_proof(struct ml_fork_proof *out)
{
    out->header_a = sample_ct(100, 0x10);
    FILL(out->sig_a, 0x11);
    out->header_b = sample_ct(120, 0x20);
    FILL(out->sig_b, 0x12);
}

static struct ml_hands sample_hands(void)
{
    static struct ml_second seconds[2];
    struct ml_hands hands = {.first = {.seq = 7}};
    FILL(seconds[0].writer, 0x41);
    FILL(seconds[0].sig, 0x42);
    FILL(seconds[1].writer, 0x43);
    FILL(seconds[1].sig, 0x44);
    hands.second = list_of(seconds, 2);
    FILL(hands.root, 0x45);
    FILL(hands.first.writer, 0x46);
    return hands;
}

/* What takes away, holds, or takes in. */
static void judging_fill(struct ml_govop *out, ml_govop_type type, bool full)
{
    static const uint8_t indices[] = {0, 3};
    if (type == ML_GOVOP_DENY) {
        FILL(out->u.deny.member, 0x71);
        out->u.deny.mode = full ? ML_DENY_SUSPENSION : ML_DENY_COMPROMISE;
    } else if (type == ML_GOVOP_JUDGE) {
        FILL(out->u.judge.bundle, 0x81);
    }
    if (full && type == ML_GOVOP_DENY) {
        FILL(out->u.deny.node, 0x72);
        out->u.deny.until_ms = UINT64_C(1700000000000);
        out->u.deny.cuts = list_of(sample_heads(), 3);
        out->u.deny.hands = sample_hands();
    } else if (full && type == ML_GOVOP_CHECKPOINT) {
        out->u.checkpoint.heads = list_of(sample_heads(), 3);
    } else if (full) {
        out->u.judge.reject = true;
        out->u.judge.ops = list_of(indices, 2);
    }
}

static void sample_role_grant(struct ml_role_grant *out, bool full)
{
    static struct ml_team_id teams[2];
    FILL(out->member, 0xa1);
    out->role = full ? 0 : 60;
    if (full) {
        FILL(teams[0], 0xa2);
        FILL(teams[1], 0xa3);
        out->teams = list_of(teams, 2);
        out->from_ms = UINT64_C(1700000000000);
        out->until_ms = UINT64_C(1700086400000);
        FILL(out->replaces, 0xa4);
        FILL(out->supervisor, 0xa5);
        out->hands = sample_hands();
    }
}

static void sample_root_rotate(struct ml_root_rotate *out, bool full)
{
    FILL(out->root_sign, 0xc1);
    FILL(out->root_box, 0xc2);
    FILL(out->audit_box, 0xc3);
    FILL(out->new_sig, 0xc4);
    out->hands = full ? sample_hands() : (struct ml_hands){.root = {{0}}};
}

static void sample_member_add(struct ml_member_add *out, bool full)
{
    FILL(out->member, 0x21);
    out->rank = 3;
    out->role = 60;
    out->card = full ? sample_sealed(40, 0x40) : (struct ml_sealed){.ct = {NULL, 0}};
    out->hands = full ? sample_hands() : (struct ml_hands){.root = {{0}}};
}

static void sample_garant_name(struct ml_garant_name *out, bool full)
{
    FILL(out->member, 0xb1);
    out->card = full ? sample_sealed(40, 0x40) : (struct ml_sealed){.ct = {NULL, 0}};
    out->hands = full ? sample_hands() : (struct ml_hands){.root = {{0}}};
}

static void sample_writer_open(struct ml_writer_open *out, bool full)
{
    FILL(out->writer, 0x31);
    FILL(out->node, 0x32);
    FILL(out->mon_sig, 0x33);
    if (full) {
        FILL(out->member, 0x34);
        out->heads = list_of(sample_heads(), 3);
    }
}

static void govop_fill(struct ml_govop *out, ml_govop_type type, bool full)
{
    struct ml_sealed sealed = sample_sealed(40, 0x40);
    switch (type) {
    case ML_GOVOP_ORG_FOUND:
        sample_org_found(&out->u.org_found);
        out->u.org_found.label = full ? sealed : (struct ml_sealed){.ct = {NULL, 0}};
        return;
    case ML_GOVOP_MEMBER_ADD:
        sample_member_add(&out->u.member_add, full);
        return;
    case ML_GOVOP_NODE_ENROL:
        sample_node_enrol(&out->u.node_enrol);
        out->u.node_enrol.label = full ? sealed : (struct ml_sealed){.ct = {NULL, 0}};
        out->u.node_enrol.hands = full ? sample_hands() : (struct ml_hands){.root = {{0}}};
        return;
    case ML_GOVOP_WRITER_OPEN:
        sample_writer_open(&out->u.writer_open, full);
        return;
    case ML_GOVOP_TEAM_ADD:
        FILL(out->u.team_add.team, 0x51);
        out->u.team_add.name = full ? sealed : (struct ml_sealed){.ct = {NULL, 0}};
        return;
    case ML_GOVOP_FORK_PROOF:
        sample_fork_proof(&out->u.fork_proof);
        return;
    case ML_GOVOP_DENY:
    case ML_GOVOP_CHECKPOINT:
    case ML_GOVOP_JUDGE:
        judging_fill(out, type, full);
        return;
    case ML_GOVOP_MATRIX:
        out->u.matrix.table = sample_ct(full ? 40 : 1, 0x91);
        out->u.matrix.hands = full ? sample_hands() : (struct ml_hands){.root = {{0}}};
        return;
    case ML_GOVOP_ROLE_GRANT:
        sample_role_grant(&out->u.role_grant, full);
        return;
    case ML_GOVOP_GARANT_NAME:
        sample_garant_name(&out->u.garant_name, full);
        return;
    case ML_GOVOP_ROOT_ROTATE:
        sample_root_rotate(&out->u.root_rotate, full);
        return;
    case ML_GOVOP_CARD_SET:
        out->u.card_set.kind = ML_CARD_MEMBER;
        FILL(out->u.card_set.id, 0x61);
        out->u.card_set.card = sealed;
        return;
    }
}

void sample_govop(struct ml_govop *out, ml_govop_type type, bool full)
{
    memset(out, 0, sizeof(*out));
    out->type = (uint16_t)type;
    out->must_understand = full;
    govop_fill(out, type, full);
}
