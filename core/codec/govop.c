/* core/codec/govop.c -- see govop.h. */
#include "core/codec/govop.h"

#include <string.h>

#include "core/base/hlc.h"
#include "core/codec/op_table.h"
#include "core/crypto/hash.h"
#include "core/crypto/sign.h"

#define OP struct ml_govop

static const struct ml_wire_field sealed_fields[] = {
    ML_WF_FIXED(struct ml_sealed, 0, key, "id of the key that it is sealed under"),
    ML_WF_FIXED(struct ml_sealed, 1, nonce, "24-byte nonce"),
    ML_WF_BIN(struct ml_sealed, 2, ct, 17, ML_SEALED_BYTES_MAX, "ciphertext and 16-byte tag"),
};

const struct ml_wire_format ml_format_sealed =
    ML_WIRE_FORMAT("sealed part", ARRAY, struct ml_sealed, ML_WIRE_CLOSED, sealed_fields, NULL,
                   "Bytes under a group's key, XChaCha20-Poly1305.");

#define SUB_SEALED(k, m, nm, text)                                                                 \
    SUB(k, TUPLE, ML_WIRE_OPTIONAL, 0, 0, m, nm, &ml_format_sealed, text)

static const struct ml_wire_field second_fields[] = {
    ML_WF_FIXED(struct ml_second, 0, writer, "writer16 of another member's writer"),
    ML_WF_FIXED(struct ml_second, 1, sig, "its signature"),
};

const struct ml_wire_format ml_format_second = ML_WIRE_FORMAT(
    "second", ARRAY, struct ml_second, ML_WIRE_CLOSED, second_fields, NULL, "A second signature.");

static const struct ml_wire_field act_place_fields[] = {
    ML_WF_FIXED(struct ml_act_place, 0, writer, "writer16"),
    ML_WF_UINT(struct ml_act_place, 1, seq, 1, UINT32_MAX, "its number in lane 0"),
};

const struct ml_wire_format ml_format_act_place =
    ML_WIRE_FORMAT("act place", ARRAY, struct ml_act_place, ML_WIRE_CLOSED, act_place_fields, NULL,
                   "A bundle of lane 0.");

#define SUB_HANDS(k, seconds, root, place)                                                         \
    SUB(k, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_HANDS_MAX, seconds, "second",            \
        &ml_format_second, "second signatures over the keys before"),                              \
        SUB((k) + 1, FIXED, ML_WIRE_OPTIONAL, 64, 64, root, "root_sig", NULL,                      \
            "Root's signature over the same"),                                                     \
        SUB((k) + 2, TUPLE, ML_WIRE_OPTIONAL, 0, 0, place, "first", &ml_format_act_place,          \
            "where it was said first; left out: here")

static const struct ml_wire_field org_found_fields[] = {
    HEAD_FIELDS(ML_GOVOP_ORG_FOUND, "1"),
    SUB_FIXED(3, org_found.root_sign, "root_sign", "Root's Ed25519 public key"),
    SUB_FIXED(4, org_found.root_box, "root_box", "Root's X25519 public key: the recovery key"),
    SUB_FIXED(5, org_found.audit_box, "audit_box", "X25519 public key that lane 2 is sealed to"),
    SUB_UINT(6, org_found.network_epoch, "network_epoch", 1, UINT32_MAX, "epoch of the psk"),
    SUB_FIXED(7, org_found.member, "member", "the founder's member id; rank 1"),
    SUB_UINT(8, org_found.role, "role", 1, UINT16_MAX, "the founder's role, number in TRE_G15"),
    SUB_FIXED(9, org_found.node, "node", "node id of the first node"),
    SUB_FIXED(10, org_found.mon_sign, "mon_sign", "Ed25519 key of the founder on this node"),
    SUB_FIXED(11, org_found.mon_box, "mon_box", "X25519 key of the founder on this node"),
    SUB_FIXED(12, org_found.writer, "writer", "Ed25519 key that signs the genesis bundle"),
    SUB_FIXED(13, org_found.noise, "noise", "Noise static key of the node"),
    SUB_UINT(14, org_found.created, "created", 1, UINT64_MAX, "hlc of the founding"),
    SUB_SEALED(15, org_found.label, "label", "the structure's name"),
    SUB_FIXED(16, org_found.root_sig, "root_sig", "co-signature by root_sign over keys 1..15"),
};

static const struct ml_wire_field member_add_fields[] = {
    HEAD_FIELDS(ML_GOVOP_MEMBER_ADD, "2"),
    SUB_FIXED(3, member_add.member, "member", "member id"),
    SUB_UINT(4, member_add.rank, "rank", 1, ML_RANK_LAST, "1 coordinator, 2 référent, 3 member"),
    SUB_UINT(5, member_add.role, "role", 1, UINT16_MAX, "role, number in TRE_G15"),
    SUB_SEALED(6, member_add.card, "card", "name, profession, RPPS"),
    SUB_HANDS(7, member_add.hands.second, member_add.hands.root, member_add.hands.first),
};

static const struct ml_wire_field node_enrol_fields[] = {
    HEAD_FIELDS(ML_GOVOP_NODE_ENROL, "3"),
    SUB_FIXED(3, node_enrol.member, "member", "member who works on this node"),
    SUB_FIXED(4, node_enrol.node, "node", "node id"),
    SUB_FIXED(5, node_enrol.noise, "noise", "Noise static key of the node"),
    SUB_FIXED(6, node_enrol.mon_sign, "mon_sign", "Ed25519 key of the member on this node"),
    SUB_FIXED(7, node_enrol.mon_box, "mon_box", "X25519 key of the member on this node"),
    SUB_SEALED(8, node_enrol.label, "label", "the node's name"),
    SUB_HANDS(9, node_enrol.hands.second, node_enrol.hands.root, node_enrol.hands.first),
};

static const struct ml_wire_field writer_open_fields[] = {
    HEAD_FIELDS(ML_GOVOP_WRITER_OPEN, "4"),
    SUB_FIXED(3, writer_open.writer, "writer", "Ed25519 public key of the new writer"),
    SUB(4, FIXED, ML_WIRE_OPTIONAL, 16, 16, writer_open.member, "member", NULL,
        "its member; left out: the node's own writer"),
    SUB_FIXED(5, writer_open.node, "node", "its node"),
    SUB(6, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_HEADS_MAX, writer_open.heads, "heads",
        &ml_format_dep, "heads of the writers that it follows (after a restore)"),
    SUB_FIXED(7, writer_open.mon_sig, "mon_sig", "co-signature by mon_sign over keys 1..6"),
};

static const struct ml_wire_field team_add_fields[] = {
    HEAD_FIELDS(ML_GOVOP_TEAM_ADD, "5"),
    SUB_FIXED(3, team_add.team, "team", "team id"),
    SUB_SEALED(4, team_add.name, "name", "the team's name"),
};

static const struct ml_wire_field fork_proof_fields[] = {
    HEAD_FIELDS(ML_GOVOP_FORK_PROOF, "6"),
    SUB(3, BIN, 0, 1, ML_HEADER_BYTES_MAX, fork_proof.header_a, "header_a", NULL, "one header"),
    SUB_FIXED(4, fork_proof.sig_a, "sig_a", "its signature"),
    SUB(5, BIN, 0, 1, ML_HEADER_BYTES_MAX, fork_proof.header_b, "header_b", NULL,
        "another of the same writer"),
    SUB_FIXED(6, fork_proof.sig_b, "sig_b", "its signature"),
};

static const struct ml_wire_field card_set_fields[] = {
    HEAD_FIELDS(ML_GOVOP_CARD_SET, "7"),
    SUB_UINT(3, card_set.kind, "kind", ML_CARD_MEMBER, ML_CARD_ORG,
             "1 member, 2 node, 3 team, 4 the structure"),
    SUB_FIXED(4, card_set.id, "id", "id of what it describes; zero for the structure"),
    SUB(5, TUPLE, 0, 0, 0, card_set.card, "card", &ml_format_sealed, "the card, sealed"),
};

static const struct ml_wire_field deny_fields[] = {
    HEAD_FIELDS(ML_GOVOP_DENY, "8"),
    SUB_FIXED(3, deny.member, "member", "whom it denies"),
    SUB(4, FIXED, ML_WIRE_OPTIONAL, 16, 16, deny.node, "node", NULL,
        "on which node; left out: everywhere"),
    SUB_UINT(5, deny.mode, "mode", ML_DENY_COMPROMISE, ML_DENY_SUSPENSION,
             "1 compromise, 2 departure, 3 suspension"),
    SUB(6, UINT, ML_WIRE_OPTIONAL, 1, ML_HLC_MS_MAX, deny.until_ms, "until", NULL,
        "end of a suspension, UTC milliseconds"),
    SUB(7, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_CUTS_MAX, deny.cuts, "cuts",
        &ml_format_dep, "of each chain the last bundle that counts; of others none does"),
    SUB_HANDS(8, deny.hands.second, deny.hands.root, deny.hands.first),
};

static const struct ml_wire_field checkpoint_fields[] = {
    HEAD_FIELDS(ML_GOVOP_CHECKPOINT, "9"),
    SUB(3, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_CUTS_MAX, checkpoint.heads, "heads",
        &ml_format_dep, "of each chain that moved since the checkpoints before it, the head"),
};

static const struct ml_wire_field index_fields[] = {
    {.key = 0,
     .type = ML_WIRE_UINT,
     .size = sizeof(uint8_t),
     .max = UINT8_MAX,
     .name = "index",
     .meaning = "an op's place in its bundle"},
};

const struct ml_wire_format ml_format_index = {.name = "index",
                                               .kind = ML_WIRE_SCALAR,
                                               .size = sizeof(uint8_t),
                                               .extra_offset = ML_WIRE_CLOSED,
                                               .field_count = 1,
                                               .fields = index_fields,
                                               .meaning = "A place in a bundle."};

static const struct ml_wire_field judge_fields[] = {
    HEAD_FIELDS(ML_GOVOP_JUDGE, "10"),
    SUB_FIXED(3, judge.bundle, "bundle", "header_hash of a quarantined bundle"),
    SUB(4, BOOL, ML_WIRE_OPTIONAL, 0, 1, judge.reject, "reject", NULL,
        "it doesn't count; left out: it does"),
    SUB(5, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, 256, judge.ops, "ops", &ml_format_index,
        "which of its ops; left out: all"),
};

static const struct ml_wire_field matrix_fields[] = {
    HEAD_FIELDS(ML_GOVOP_MATRIX, "11"),
    SUB(3, BIN, 0, 1, ML_MATRIX_BYTES_MAX, matrix.table, "table", NULL, "the matrix, encoded"),
    SUB_HANDS(4, matrix.hands.second, matrix.hands.root, matrix.hands.first),
};

static const struct ml_wire_field team_fields[] = {
    {.key = 0,
     .type = ML_WIRE_FIXED,
     .size = sizeof(struct ml_team_id),
     .min = sizeof(struct ml_team_id),
     .max = sizeof(struct ml_team_id),
     .name = "team",
     .meaning = "team id"},
};

const struct ml_wire_format ml_format_team = {.name = "team",
                                              .kind = ML_WIRE_SCALAR,
                                              .size = sizeof(struct ml_team_id),
                                              .extra_offset = ML_WIRE_CLOSED,
                                              .field_count = 1,
                                              .fields = team_fields,
                                              .meaning = "A care circle."};

#define SUB_OPT_MEMBER(k, m, nm, text)                                                             \
    SUB(k, FIXED, ML_WIRE_OPTIONAL, 16, 16, role_grant.m, nm, NULL, text)
#define SUB_OPT_MS(k, m, nm, text)                                                                 \
    SUB(k, UINT, ML_WIRE_OPTIONAL, 1, ML_HLC_MS_MAX, role_grant.m, nm, NULL, text)

static const struct ml_wire_field role_grant_fields[] = {
    HEAD_FIELDS(ML_GOVOP_ROLE_GRANT, "12"),
    SUB_FIXED(3, role_grant.member, "member", "who gets the role"),
    SUB(4, UINT, ML_WIRE_OPTIONAL, 1, UINT16_MAX, role_grant.role, "role", NULL,
        "the role; left out of a substitute's"),
    SUB(5, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, ML_ROLE_TEAMS_MAX, role_grant.teams, "teams",
        &ml_format_team, "in which teams; left out: in all of his"),
    SUB_OPT_MS(6, from_ms, "from", "UTC milliseconds; left out: from ever"),
    SUB_OPT_MS(7, until_ms, "until", "first one after it; left out: for ever"),
    SUB_OPT_MEMBER(8, replaces, "replaces", "a substitute: whose roles and patients he takes over"),
    SUB_OPT_MEMBER(9, supervisor, "supervisor", "a student: who signs beside him"),
    SUB_HANDS(10, role_grant.hands.second, role_grant.hands.root, role_grant.hands.first),
};

/* A substitute's has an end, and no role of its own. */
static const char *role_grant_check(const void *object)
{
    const struct ml_role_grant *o = &((const OP *)object)->u.role_grant;
    const bool replaces = !ml_is_zero(o->replaces.b, sizeof(o->replaces.b));
    if (replaces == (o->role != 0)) {
        return "role";
    }
    if ((replaces && o->until_ms == 0) || (o->until_ms != 0 && o->from_ms >= o->until_ms)) {
        return "until";
    }
    if (memcmp(o->replaces.b, o->member.b, sizeof(o->member.b)) == 0) {
        return "replaces";
    }
    return memcmp(o->supervisor.b, o->member.b, sizeof(o->member.b)) == 0 ? "supervisor" : NULL;
}

static const struct ml_wire_field garant_name_fields[] = {
    HEAD_FIELDS(ML_GOVOP_GARANT_NAME, "13"),
    SUB_FIXED(3, garant_name.member, "member", "member id"),
    SUB_SEALED(4, garant_name.card, "card", "his name"),
    SUB_HANDS(5, garant_name.hands.second, garant_name.hands.root, garant_name.hands.first),
};

static const struct ml_wire_field root_rotate_fields[] = {
    HEAD_FIELDS(ML_GOVOP_ROOT_ROTATE, "14"),
    SUB_FIXED(3, root_rotate.root_sign, "root_sign", "the new Root's Ed25519 public key"),
    SUB_FIXED(4, root_rotate.root_box, "root_box", "the new Root's X25519 public key"),
    SUB_FIXED(5, root_rotate.audit_box, "audit_box", "what lane 2 is sealed to from here on"),
    SUB_FIXED(6, root_rotate.new_sig, "new_sig", "co-signature by root_sign over keys 1..5"),
    SUB_HANDS(7, root_rotate.hands.second, root_rotate.hands.root, root_rotate.hands.first),
};

static const struct ml_wire_field any_fields[] = {ANY_FIELDS};

#define TABLE(id, nm, fields, text) [ML_GOVOP_##id - 1] = OP_FORMAT(nm, fields, text)

static const struct ml_wire_format formats[] = {
    TABLE(ORG_FOUND, "ORG_FOUND", org_found_fields, "The genesis: founds the structure."),
    TABLE(MEMBER_ADD, "MEMBER_ADD", member_add_fields, "A person joins."),
    TABLE(NODE_ENROL, "NODE_ENROL", node_enrol_fields, "A member works on a node."),
    TABLE(WRITER_OPEN, "WRITER_OPEN", writer_open_fields, "First op of a new writer."),
    TABLE(TEAM_ADD, "TEAM_ADD", team_add_fields, "A care circle."),
    TABLE(FORK_PROOF, "FORK_PROOF", fork_proof_fields, "A writer signed two branches."),
    TABLE(CARD_SET, "CARD_SET", card_set_fields, "Replaces a name or a card."),
    TABLE(DENY, "DENY", deny_fields, "Revokes or suspends."),
    TABLE(CHECKPOINT, "CHECKPOINT", checkpoint_fields, "What its author holds of each chain."),
    TABLE(JUDGE, "JUDGE", judge_fields, "Takes quarantined ops in after all, or leaves them out."),
    TABLE(MATRIX, "MATRIX", matrix_fields, "What each role may do from here on."),
    [ML_GOVOP_ROLE_GRANT - 1] =
        ML_WIRE_FORMAT("ROLE_GRANT", MAP, OP, offsetof(OP, extra), role_grant_fields,
                       role_grant_check, "A role, between two dates or for ever."),
    TABLE(GARANT_NAME, "GARANT_NAME", garant_name_fields, "Who signs beside others, and no more."),
    TABLE(ROOT_ROTATE, "ROOT_ROTATE", root_rotate_fields, "Root has other keys from here on."),
};

static const struct ml_wire_format any_format =
    OP_FORMAT("governance op", any_fields, "What every op begins with.");

static const struct ml_wire_family family = OP_FAMILY(any_format, formats);

const struct ml_wire_format *ml_govop_format(uint16_t type)
{
    return ml_wire_family_of(&family, type);
}

const char *ml_govop_name(uint16_t type)
{
    switch (type) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_GOVOP_MAP(X)
#undef X
    default:
        return "?";
    }
}

ml_err ml_govop_decode(struct ml_govop *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode_op(&family, out, in, fault);
}

ml_err ml_govop_encode(struct ml_buf *out, const struct ml_govop *op)
{
    const struct ml_wire_format *format = ml_govop_format(op->type);
    return format == NULL ? ML_E_INVALID : ml_wire_encode(format, out, op);
}

/* ---- co-signatures ---- */

static struct ml_signature *cosignature_of(struct ml_govop *op)
{
    switch (op->type) {
    case ML_GOVOP_ORG_FOUND:
        return &op->u.org_found.root_sig;
    case ML_GOVOP_WRITER_OPEN:
        return &op->u.writer_open.mon_sig;
    case ML_GOVOP_ROOT_ROTATE:
        return &op->u.root_rotate.new_sig;
    default:
        return NULL;
    }
}

/* The entries before a key: bytes of `raw` between the map's head and it. Maps here have at most 15
 * entries or 16 (map16). */
static struct ml_hash cosign_hash(const struct ml_org_id *org, struct ml_slice entries)
{
    struct ml_hash out;
    const struct ml_slice parts[] = {ml_slice_str("maille/cosign/1"),
                                     ml_slice(org->b, sizeof(org->b)), entries};
    ml_hash_parts(out.b, sizeof(out.b), ml_slice(NULL, 0), parts, 3);
    return out;
}

static struct ml_slice entries_before(struct ml_slice raw, uint64_t key)
{
    struct ml_mp c;
    ml_mp_init(&c, raw, ML_MP_CANONICAL);
    uint32_t pairs = ml_mp_map(&c, 1, UINT32_MAX);
    size_t start = c.pos;
    size_t end = c.pos;
    for (uint32_t i = 0; i < pairs && ml_mp_ok(&c); i++) {
        if (ml_mp_key(&c) >= key) {
            break;
        }
        (void)ml_mp_value(&c);
        end = c.pos;
    }
    return ml_slice(raw.data + start, end - start);
}

static uint64_t cosignature_key(uint16_t type)
{
    const struct ml_wire_format *format = ml_govop_format(type);
    return type == ML_GOVOP_ROOT_ROTATE ? 6 : format->fields[format->field_count - 1].key;
}

static const struct ml_org_id *cosign_org(uint16_t type, const struct ml_org_id *org)
{
    static const struct ml_org_id zero;
    return type == ML_GOVOP_ORG_FOUND ? &zero : org;
}

ml_err ml_govop_encode_cosigned(struct ml_buf *out, struct ml_govop *op,
                                const struct ml_org_id *org, const struct ml_secret *seed)
{
    struct ml_signature *sig = cosignature_of(op);
    size_t start = out->len;
    if (sig == NULL) {
        return ML_E_INVALID;
    }
    ml_err err = ml_govop_encode(out, op);
    if (err != ML_OK) {
        return err;
    }
    struct ml_slice raw = {out->data + start, out->len - start};
    struct ml_hash hash =
        cosign_hash(cosign_org(op->type, org), entries_before(raw, cosignature_key(op->type)));
    ml_sign(sig->b, ml_slice(hash.b, sizeof(hash.b)), seed);
    out->len = start; /* the same length again: this can't fail */
    return ml_govop_encode(out, op);
}

ml_err ml_govop_verify_cosigned(const struct ml_govop *op, const struct ml_org_id *org,
                                const struct ml_sign_pk *pk)
{
    struct ml_govop copy = *op;
    const struct ml_signature *sig = op->known ? cosignature_of(&copy) : NULL;
    if (sig == NULL) {
        return ML_E_INVALID;
    }
    struct ml_hash hash =
        cosign_hash(cosign_org(op->type, org), entries_before(op->raw, cosignature_key(op->type)));
    return ml_sign_verify(pk, ml_slice(hash.b, sizeof(hash.b)), sig->b);
}

/* ---- further hands ---- */

/* Where the hands of a type stand in its op; 0: it takes none. */
static size_t hands_at(uint16_t type)
{
    switch (type) {
    case ML_GOVOP_MEMBER_ADD:
        return offsetof(struct ml_govop, u.member_add.hands);
    case ML_GOVOP_NODE_ENROL:
        return offsetof(struct ml_govop, u.node_enrol.hands);
    case ML_GOVOP_DENY:
        return offsetof(struct ml_govop, u.deny.hands);
    case ML_GOVOP_MATRIX:
        return offsetof(struct ml_govop, u.matrix.hands);
    case ML_GOVOP_ROLE_GRANT:
        return offsetof(struct ml_govop, u.role_grant.hands);
    case ML_GOVOP_GARANT_NAME:
        return offsetof(struct ml_govop, u.garant_name.hands);
    case ML_GOVOP_ROOT_ROTATE:
        return offsetof(struct ml_govop, u.root_rotate.hands);
    default:
        return 0;
    }
}

const struct ml_hands *ml_govop_hands(const struct ml_govop *op)
{
    const size_t at = hands_at(op->type);
    return at == 0 ? NULL : (const struct ml_hands *)(const void *)((const uint8_t *)op + at);
}

void ml_govop_set_hands(struct ml_govop *op, const struct ml_hands *hands)
{
    const size_t at = hands_at(op->type);
    if (at != 0) {
        memcpy((uint8_t *)op + at, hands, sizeof(*hands));
    }
}

/* Key of the second signatures; 0: the type takes none. */
static uint64_t hands_key(uint16_t type)
{
    const struct ml_wire_format *format = ml_govop_format(type);
    for (uint16_t i = 0; format != NULL && i < format->field_count; i++) {
        if (format->fields[i].item == &ml_format_second) {
            return format->fields[i].key;
        }
    }
    return 0;
}

/* What hands stand for; INVALID: they can't. */
static ml_err entries_said(struct ml_slice *out, struct ml_govop *op, struct ml_slice raw)
{
    ml_err err = ml_govop_decode(op, raw, NULL);
    if (err != ML_OK || !op->known || hands_key(op->type) == 0) {
        return ML_E_INVALID;
    }
    *out = entries_before(raw, hands_key(op->type));
    return ML_OK;
}

struct ml_act_place ml_govop_first(const struct ml_govop *op, const struct ml_header *at)
{
    const struct ml_hands *hands = ml_govop_hands(op);
    return hands != NULL && hands->first.seq != 0 ? hands->first
                                                  : (struct ml_act_place){at->writer, at->seq};
}

ml_err ml_govop_hands_hash(struct ml_hash *out, struct ml_slice raw, const struct ml_org_id *org,
                           const struct ml_header *at)
{
    struct ml_slice entries;
    struct ml_govop op;
    ml_err err = entries_said(&entries, &op, raw);
    if (err == ML_OK) {
        const struct ml_act_place first = ml_govop_first(&op, at);
        uint8_t seq[4];
        ml_put_u32be(seq, first.seq);
        const struct ml_slice parts[] = {
            ml_slice_str("maille/hands/2"), ml_slice(org->b, sizeof(org->b)),
            ml_slice(first.writer.b, sizeof(first.writer.b)), ml_slice(seq, sizeof(seq)), entries};
        ml_hash_parts(out->b, sizeof(out->b), ml_slice(NULL, 0), parts, 5);
    }
    return err;
}

ml_err ml_govop_root_hash(struct ml_hash *out, struct ml_slice raw, const struct ml_org_id *org,
                          const struct ml_header *at)
{
    struct ml_slice entries;
    struct ml_govop op;
    uint8_t seq[4];
    ml_err err = entries_said(&entries, &op, raw);
    ml_put_u32be(seq, at->seq);
    if (err == ML_OK) {
        const struct ml_slice parts[] = {ml_slice_str("maille/root/1"),
                                         ml_slice(org->b, sizeof(org->b)),
                                         ml_slice(at->writer.b, sizeof(at->writer.b)),
                                         ml_slice(seq, sizeof(seq)),
                                         ml_slice(at->gctx.b, sizeof(at->gctx.b)),
                                         entries};
        ml_hash_parts(out->b, sizeof(out->b), ml_slice(NULL, 0), parts, 6);
    }
    return err;
}
