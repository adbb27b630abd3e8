/* core/codec/bundle.h -- what a writer appends at once: signed header, signature, body of ops.
 *
 * Rules B10, B11, I1, I4, I8; docs/protocol.md draws every byte. Decoding is zero-copy: everything
 * decoded borrows the wire bytes. Hashes and signatures are over the bytes as received: nothing is
 * ever encoded again to verify it. Pure functions; any thread.
 */
#ifndef ML_CODEC_BUNDLE_H
#define ML_CODEC_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "core/crypto/secret.h"
#include "core/crypto/sign.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_BUNDLE_VERSION      1u /* frozen; 0 came before, of the same form (ADR 0023) */
#define ML_BUNDLE_OPS_MAX      256u
#define ML_HEADER_BYTES_MAX    9216u
#define ML_BODY_BYTES_MAX      49152u
#define ML_LEAF_WIRE_BYTES     34u /* a shredded op in a body */
#define ML_BODY_SHREDDED_MAX   (ML_BODY_BYTES_MAX + ML_BUNDLE_OPS_MAX * ML_LEAF_WIRE_BYTES)
#define ML_BUNDLE_BYTES_MAX    (ML_HEADER_BYTES_MAX + ML_BODY_SHREDDED_MAX + 80u)
#define ML_BUNDLE_DEPS_MAX     220u
#define ML_BUNDLE_STREAMS_MAX  64u
#define ML_BUNDLE_SALT_BYTES   16u
#define ML_OP_AD_BYTES         86u
#define ML_OP_NONCE_BYTES      24u
#define ML_BUNDLE_FLAG_GENESIS 1u /* hashed under the zero org id; lane 0, seq 1, no deps */

/* X(NAME, number, text): why a body is not here (I4). The numbers are on the wire and on disk. */
#define ML_ABSENT_MAP(X)                                                                           \
    X(NOT_RECEIVED, 1, "not received yet")                                                         \
    X(PRUNED, 2, "pruned by policy")                                                               \
    X(SHREDDED, 3, "shredded")                                                                     \
    X(NO_KEY, 4, "held by nobody who may give it")

typedef enum ml_absent {
    ML_ABSENT_NONE = 0, /* it is here */
#define X(name, number, text) ML_ABSENT_##name = (number),
    ML_ABSENT_MAP(X)
#undef X
} ml_absent;

/** Salt of one bundle's nonces (rules B19: drawn at each sealing by its owner). */
struct ml_salt {
    uint8_t b[ML_BUNDLE_SALT_BYTES];
};

struct ml_signature {
    uint8_t b[ML_SIGN_BYTES];
};

/** One head: of deps, of a frontier, of a lane-0 vector. */
struct ml_dep {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t seq;
    struct ml_hash16 hash;
};

/** What an op's ciphertext belongs to, in clear (rules A1). */
struct ml_dict_entry {
    struct ml_stream_id stream;
    struct ml_key_id key;
    uint8_t compartment; /* ml_compartment */
    uint8_t action;      /* ml_action */
};

struct ml_header {
    uint8_t version;
    uint8_t flags; /* ML_BUNDLE_FLAG_* */
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t seq;        /* from 1 */
    struct ml_hash prev; /* zero for seq 1 */
    struct ml_hash16 gctx;
    struct ml_list deps; /* of ml_dep, sorted; deltas against the previous header of this chain */
    uint64_t hlc;        /* 48-bit ms, 16-bit counter: of the ops at delta 0 */
    uint16_t n_ops;
    uint32_t body_len; /* of the body as signed, before any shredding */
    struct ml_hash body_root;
    struct ml_salt salt;
    struct ml_list dictionary; /* of ml_dict_entry */
};

extern const struct ml_wire_format ml_format_dep;
extern const struct ml_wire_format ml_format_dict_entry;
extern const struct ml_wire_format ml_format_header;
extern const struct ml_wire_format ml_format_bundle;

/** MALFORMED (fault may be NULL) or ML_OK; VERSION when the header is of a newer version. */
ml_err ml_header_decode(struct ml_header *out, struct ml_slice bytes,
                        struct ml_fault *fault) ML_MUST_CHECK;
/** Appends. NOMEM, LIMIT (over 9 KiB too), INVALID. */
ml_err ml_header_encode(struct ml_buf *out, const struct ml_header *header) ML_MUST_CHECK;

static inline bool ml_dep_next(struct ml_list_walk *walk, struct ml_dep *out)
{
    return ml_list_next(walk, &ml_format_dep, out);
}

static inline bool ml_dict_next(struct ml_list_walk *walk, struct ml_dict_entry *out)
{
    return ml_list_next(walk, &ml_format_dict_entry, out);
}

/** The order of deps and of every list of heads: writer, lane, seq, hash. */
int ml_dep_compare(const struct ml_dep *a, const struct ml_dep *b);

/** BLAKE2b-256("maille/bundle/1" || org_id || header bytes): signed, held by `prev`, the bundle's
 * identity. Pass the zero org_id for a genesis header; the result is then the org_id. */
struct ml_hash ml_header_hash(const struct ml_org_id *org, struct ml_slice header);
struct ml_hash16 ml_hash16_of(const struct ml_hash *hash);

/** BLAKE2b-16("maille/gctx/1" || org_id || sorted (writer16, seq u32be, hash16)); `heads` sorted
 * by ml_dep_compare, lane ignored. */
struct ml_hash16 ml_gctx_of(const struct ml_org_id *org, const struct ml_dep *heads, size_t count);

/* ---- ops of a body ---- */

struct ml_body_op {
    bool shredded;
    struct ml_hash leaf;    /* shredded: as found; else zero (ml_body_leaf computes it) */
    uint8_t dict;           /* index into the dictionary; 0 in lanes 0 and 1 */
    uint64_t hlc_delta;     /* added to the header's hlc */
    struct ml_slice clear;  /* the clear fields as encoded: what the leaf covers beside `sealed` */
    struct ml_slice sealed; /* ciphertext with its tag; in lanes 0 and 1 the op's plaintext */
};

/** Walks the ops of a body that ml_body_check accepted, which outlives the walk. */
struct ml_body_walk {
    struct ml_mp mp;
    uint32_t left;
    uint32_t index; /* of the op that _next gave last */
    bool started;
};

void ml_body_walk(struct ml_body_walk *walk, struct ml_slice body);
bool ml_body_next(struct ml_body_walk *walk, struct ml_body_op *out);

/** Structure only: count, lengths, dictionary indices, forms. MALFORMED with the fault. */
ml_err ml_body_check(const struct ml_header *header, struct ml_slice body,
                     struct ml_fault *fault) ML_MUST_CHECK;
/** BLAKE2b-256(0x00 || clear op fields || ciphertext), or the leaf that replaced the op. */
struct ml_hash ml_body_leaf(const struct ml_body_op *op);
/** Is no op of a checked body replaced by its leaf? */
bool ml_body_is_whole(struct ml_slice body);
/** BLAKE2b-256(0x01 || n u16be || leaves). `body` passed ml_body_check. */
struct ml_hash ml_body_root(struct ml_slice body);
/** `body` with the op at `index` replaced by its leaf; same root. NOT_FOUND, NOMEM, LIMIT. */
ml_err ml_body_shred(struct ml_buf *out, struct ml_slice body, uint8_t index) ML_MUST_CHECK;

/* ---- whole bundles ---- */

struct ml_bundle {
    struct ml_slice header_bytes;
    struct ml_signature sig;
    struct ml_wire_body body; /* bytes, or why absent (ml_absent) */
    struct ml_header header;
};

/** Decodes the wire form, the header and the body's structure. MALFORMED with the fault, whose
 * offset is in `wire`; VERSION. Nothing is verified yet. */
ml_err ml_bundle_decode(struct ml_bundle *out, struct ml_slice wire,
                        struct ml_fault *fault) ML_MUST_CHECK;
/** The wire form of parts that are encoded already (a store's). NOMEM, LIMIT, INVALID. */
ml_err ml_bundle_join(struct ml_buf *out, struct ml_slice header, const struct ml_signature *sig,
                      const struct ml_wire_body *body) ML_MUST_CHECK;

/** The signature over the header_hash, given out on success, by the writer whose key this is, and
 * the body (if present) against body_root. A genesis header hashes under the zero org_id, and its
 * hash must be `org`. FORGED, or INVALID when `pk` isn't the header's writer. */
ml_err ml_bundle_verify(const struct ml_bundle *bundle, const struct ml_org_id *org,
                        const struct ml_sign_pk *pk, struct ml_hash *hash) ML_MUST_CHECK;
/** The signature alone, as ml_bundle_verify. */
ml_err ml_bundle_verify_header(const struct ml_bundle *bundle, const struct ml_org_id *org,
                               const struct ml_sign_pk *pk, struct ml_hash *hash) ML_MUST_CHECK;
/** The identity alone, nothing verified (a chain's links without keys). */
struct ml_hash ml_bundle_hash(const struct ml_bundle *bundle, const struct ml_org_id *org);

/* ---- building ---- */

/** An op to be put into a bundle: sealed bytes, or plaintext in lanes 0 and 1. */
struct ml_op_draft {
    uint8_t dict;
    uint64_t hlc_delta;
    struct ml_slice sealed;
};

struct ml_bundle_draft {
    /* n_ops, body_len and body_root are filled in; all else is the caller's, with
     * header.deps.items and header.dictionary.items set. */
    struct ml_header header;
    const struct ml_op_draft *ops;
    uint32_t op_count;
};

/**
 * Appends the wire form, signed; *hash is the bundle's identity. `org` is ignored for a genesis
 * (flag set): its hash is the new org_id. LIMIT: more than 256 ops, a body over 48 KiB or a header
 * over 9 KiB. INVALID, NOMEM. The salt and the nonces are the caller's care: ops are sealed before.
 */
ml_err ml_bundle_build(struct ml_buf *out, struct ml_hash *hash, struct ml_bundle_draft *draft,
                       const struct ml_org_id *org, const struct ml_secret *seed) ML_MUST_CHECK;

/** Associated data of a sealed op (I8): org_id, writer16, lane, seq u32be, index, stream, key id:
 * a ciphertext opens at its own place only. */
void ml_op_ad(uint8_t out[ML_OP_AD_BYTES], const struct ml_org_id *org,
              const struct ml_header *header, uint8_t index, const struct ml_dict_entry *entry);
/** BLAKE2b-24(salt || index). */
void ml_op_nonce(uint8_t out[ML_OP_NONCE_BYTES], const struct ml_salt *salt, uint8_t index);

#endif
