/* core/codec/govop.h -- ops of lane 0 (governance). Signed, not sealed (rules A2): what is in an op
 * of lane 0 is read by every node of the structure, blind relays too; names are in `sealed` parts.
 *
 * Every op is a map: key 1 its type, key 2 must-understand, then the type's own. An op of an
 * unknown type decodes as `known == false`; one with `must_understand` that is unknown, or has
 * extra keys, makes what cites it pending (rules D1). Zero-copy; pure; any thread.
 */
#ifndef ML_CODEC_GOVOP_H
#define ML_CODEC_GOVOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_GOVOP_BYTES_MAX  49000u
#define ML_SEALED_BYTES_MAX 8192u /* ciphertext of a name, a label, a card */
#define ML_HEADS_MAX        128u  /* predecessor heads: 25 former writers of 5 lanes */
#define ML_RANK_LAST        3u
#define ML_CUTS_MAX         640u /* chains in one op: 128 writers of five lanes */
#define ML_HANDS_MAX        8u   /* second signatures of one op */
#define ML_MATRIX_BYTES_MAX 17000u
#define ML_ROLE_TEAMS_MAX   64u

/** Bytes under a group's key: names and labels under `annuaire` (KDF kek-annuaire), wraps
 * elsewhere. XChaCha20-Poly1305; ct.len == 0: absent, and the rest is zero. */
struct ml_sealed {
    struct ml_key_id key;
    uint8_t nonce[24];
    struct ml_slice ct; /* with its tag */
};

/* X(NAME, number, text): lane 0. The numbers are on the wire. */
#define ML_GOVOP_MAP(X)                                                                            \
    X(ORG_FOUND, 1, "org found")                                                                   \
    X(MEMBER_ADD, 2, "member add")                                                                 \
    X(NODE_ENROL, 3, "node enrol")                                                                 \
    X(WRITER_OPEN, 4, "writer open")                                                               \
    X(TEAM_ADD, 5, "team add")                                                                     \
    X(FORK_PROOF, 6, "fork proof")                                                                 \
    X(CARD_SET, 7, "card set")                                                                     \
    X(DENY, 8, "deny")                                                                             \
    X(CHECKPOINT, 9, "checkpoint")                                                                 \
    X(JUDGE, 10, "judge")                                                                          \
    X(MATRIX, 11, "matrix")                                                                        \
    X(ROLE_GRANT, 12, "role grant")                                                                \
    X(GARANT_NAME, 13, "garant name")                                                              \
    X(ROOT_ROTATE, 14, "root rotate")

typedef enum ml_govop_type {
#define X(name, number, text) ML_GOVOP_##name = (number),
    ML_GOVOP_MAP(X)
#undef X
} ml_govop_type;

/* Whom a CARD_SET describes. */
typedef enum ml_card_kind {
    ML_CARD_MEMBER = 1,
    ML_CARD_NODE = 2,
    ML_CARD_TEAM = 3,
    ML_CARD_ORG = 4,
} ml_card_kind;

/** The genesis: one op, in a bundle with ML_BUNDLE_FLAG_GENESIS that the founder's writer signs. */
struct ml_org_found {
    struct ml_sign_pk root_sign;
    struct ml_box_pk root_box;
    struct ml_box_pk audit_box;
    uint32_t network_epoch;     /* from 1 */
    struct ml_member_id member; /* the founder, rank 1 */
    uint16_t role;              /* number in TRE_G15 */
    struct ml_node_id node;
    struct ml_sign_pk mon_sign;
    struct ml_box_pk mon_box;
    struct ml_sign_pk writer;
    struct ml_box_pk noise;
    uint64_t created; /* hlc */
    struct ml_sealed label;
    struct ml_signature root_sig; /* co-signature by root_sign */
};

/** A bundle of lane 0. */
struct ml_act_place {
    struct ml_writer_id writer;
    uint32_t seq; /* from 1 */
};

/** Who else stands for an op: further members by their writers' keys (ml_govop_hands_hash), and
 * Root by its own, in one bundle and no other (ml_govop_root_hash). */
struct ml_hands {
    struct ml_list second;     /* of ml_second, ascending by writer */
    struct ml_signature root;  /* zero: not signed by Root */
    struct ml_act_place first; /* where it was said first; zero: here */
};

struct ml_second {
    struct ml_writer_id writer;
    struct ml_signature sig;
};

struct ml_member_add {
    struct ml_member_id member;
    uint8_t rank; /* 1..3 */
    uint16_t role;
    struct ml_sealed card;
    struct ml_hands hands;
};

struct ml_node_enrol {
    struct ml_member_id member;
    struct ml_node_id node;
    struct ml_box_pk noise;
    struct ml_sign_pk mon_sign;
    struct ml_box_pk mon_box;
    struct ml_sealed label;
    struct ml_hands hands;
};

/** Op 0 of seq 1 of lane 0 of a new writer. `member` is zero for a node's own writer. */
struct ml_writer_open {
    struct ml_sign_pk writer;
    struct ml_member_id member;
    struct ml_node_id node;
    struct ml_list heads;        /* of ml_dep, sorted: heads of the writers that this one follows */
    struct ml_signature mon_sig; /* co-signature by the member-on-node key */
};

struct ml_team_add {
    struct ml_team_id team;
    struct ml_sealed name;
};

/** Two headers of one writer, neither in the other's closure (I1). */
struct ml_fork_proof {
    struct ml_slice header_a;
    struct ml_signature sig_a;
    struct ml_slice header_b;
    struct ml_signature sig_b;
};

struct ml_card_set {
    uint8_t kind; /* ml_card_kind */
    uint8_t id[16];
    struct ml_sealed card;
};

/* How a DENY reads what lies beyond its cuts (architecture R4). */
typedef enum ml_deny_mode {
    ML_DENY_COMPROMISE = 1,
    ML_DENY_DEPARTURE = 2,
    ML_DENY_SUSPENSION = 3,
} ml_deny_mode;

/** Revokes or suspends a member, everywhere or on one node. */
struct ml_deny {
    struct ml_member_id member;
    struct ml_node_id node; /* zero: everywhere */
    uint8_t mode;           /* ml_deny_mode */
    uint64_t until_ms;      /* UTC; of a suspension only */
    struct ml_list cuts;    /* of ml_dep: of each chain the last bundle that counts */
    struct ml_hands hands;
};

/** What its author holds of each chain that no checkpoint before it named. */
struct ml_checkpoint {
    struct ml_list heads; /* of ml_dep */
};

/** Of a quarantined bundle, what counts after all, or doesn't. */
struct ml_judge_op {
    struct ml_hash bundle; /* header_hash */
    bool reject;
    struct ml_list ops; /* of uint8_t, ascending; empty: all */
};

/** The habilitation matrix from here on (core/model/matrix.h reads the table). */
struct ml_matrix_op {
    struct ml_slice table;
    struct ml_hands hands;
};

/** A role between two dates. Exactly one of `role` and `replaces` is there. */
struct ml_role_grant {
    struct ml_member_id member;
    uint16_t role;
    struct ml_list teams;           /* of ml_team_id, ascending; empty: all of his */
    uint64_t from_ms;               /* UTC; 0: from ever */
    uint64_t until_ms;              /* 0: for ever */
    struct ml_member_id replaces;   /* whose roles and patients he takes over */
    struct ml_member_id supervisor; /* who signs beside a student; zero: nobody */
    struct ml_hands hands;
};

/** One who signs beside others and does nothing else (rules B16): Root's word, of the founding. */
struct ml_garant_name {
    struct ml_member_id member;
    struct ml_sealed card;
    struct ml_hands hands; /* Root alone */
};

/** Other keys for Root from here on; alone in its bundle. `new_sig`: by the new root_sign. */
struct ml_root_rotate {
    struct ml_sign_pk root_sign;
    struct ml_box_pk root_box;
    struct ml_box_pk audit_box;
    struct ml_signature new_sig;
    struct ml_hands hands; /* `root`: the present Root's */
};

struct ml_govop {
    uint16_t type; /* ml_govop_type, or a later one */
    bool must_understand;
    bool known; /* filled by decoding; false: `u` is not to be read */
    union {
        struct ml_org_found org_found;
        struct ml_member_add member_add;
        struct ml_node_enrol node_enrol;
        struct ml_writer_open writer_open;
        struct ml_team_add team_add;
        struct ml_fork_proof fork_proof;
        struct ml_card_set card_set;
        struct ml_deny deny;
        struct ml_checkpoint checkpoint;
        struct ml_judge_op judge;
        struct ml_matrix_op matrix;
        struct ml_role_grant role_grant;
        struct ml_garant_name garant_name;
        struct ml_root_rotate root_rotate;
    } u;
    struct ml_wire_extra extra; /* later keys; for an unknown type all but 1 and 2 */
    struct ml_slice raw;        /* the op as decoded */
};

extern const struct ml_wire_format ml_format_sealed;
extern const struct ml_wire_format ml_format_second;
extern const struct ml_wire_format ml_format_act_place;
extern const struct ml_wire_format ml_format_index;
extern const struct ml_wire_format ml_format_team;

static inline bool ml_second_next(struct ml_list_walk *walk, struct ml_second *out)
{
    return ml_list_next(walk, &ml_format_second, out);
}

static inline bool ml_index_next(struct ml_list_walk *walk, uint8_t *out)
{
    return ml_list_next(walk, &ml_format_index, out);
}

static inline bool ml_team_next(struct ml_list_walk *walk, struct ml_team_id *out)
{
    return ml_list_next(walk, &ml_format_team, out);
}

/** Table of a type, or NULL (docs, explain). */
const struct ml_wire_format *ml_govop_format(uint16_t type);
const char *ml_govop_name(uint16_t type); /* "org found"; "?" for unknown ones */

ml_err ml_govop_decode(struct ml_govop *out, struct ml_slice in,
                       struct ml_fault *fault) ML_MUST_CHECK;
/** Appends; by `type`. INVALID (also for an unknown type), NOMEM, LIMIT. */
ml_err ml_govop_encode(struct ml_buf *out, const struct ml_govop *op) ML_MUST_CHECK;

/**
 * What a co-signature inside an op (ORG_FOUND, WRITER_OPEN, ROOT_ROTATE) signs:
 * BLAKE2b-256("maille/cosign/1" || org_id || the op's entries before the co-signature, as encoded),
 * org_id zero for ORG_FOUND.
 */
ml_err ml_govop_encode_cosigned(struct ml_buf *out, struct ml_govop *op,
                                const struct ml_org_id *org,
                                const struct ml_secret *seed) ML_MUST_CHECK;
/** FORGED, or INVALID for a type without co-signature. `op` was decoded (its `raw` is read). */
ml_err ml_govop_verify_cosigned(const struct ml_govop *op, const struct ml_org_id *org,
                                const struct ml_sign_pk *pk) ML_MUST_CHECK;

/**
 * What further hands sign: BLAKE2b-256("maille/hands/2" || org_id || writer16 || seq u32be || the
 * op's entries before them, as encoded), of the place where it was said first: the op's `first`, or
 * of the bundle with this header, which it stands in. `raw` is an encoded op of a type that takes
 * them; INVALID otherwise. The same for all who say one proposal, and for no other.
 */
ml_err ml_govop_hands_hash(struct ml_hash *out, struct ml_slice raw, const struct ml_org_id *org,
                           const struct ml_header *at) ML_MUST_CHECK;
/**
 * What Root signs: BLAKE2b-256("maille/root/1" || org_id || writer16 || seq u32be || gctx || the
 * same entries), of the header of the bundle that the op stands in. Copied into another bundle the
 * signature is worth nothing: what Root said once nobody says again. Errors as of _hands_hash.
 */
ml_err ml_govop_root_hash(struct ml_hash *out, struct ml_slice raw, const struct ml_org_id *org,
                          const struct ml_header *at) ML_MUST_CHECK;
/** The hands of an op; NULL: its type takes none. */
const struct ml_hands *ml_govop_hands(const struct ml_govop *op);
/** Where an op of the bundle with this header was said first. */
struct ml_act_place ml_govop_first(const struct ml_govop *op, const struct ml_header *at);
/** Borrowed as long as the op; nothing for a type that takes none. */
void ml_govop_set_hands(struct ml_govop *op, const struct ml_hands *hands);

#endif
