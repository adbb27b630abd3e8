/* core/model/seal.h -- from changes to signed bundles of lane 3, and back (rules A1, B11, B19, I8).
 *
 * Sealing: each change is encoded, sealed under its stream's DEK with its position as associated
 * data, and as many as fit (256 ops, 48 KiB) go into one bundle. A reference to a change of the
 * same bundle is written as its index, to one of an earlier bundle as its full version id.
 *
 * Opening: each op gives its plaintext, or why there is none. Pure; one thread at a time.
 */
#ifndef ML_MODEL_SEAL_H
#define ML_MODEL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "core/codec/change.h"
#include "core/model/keyring.h"
#include "maille/err.h"
#include "maille/types.h"

/** One change to be sealed. */
struct ml_seal_item {
    struct ml_change change;    /* change.seen.items: versions that are in the log already */
    const uint32_t *seen_items; /* and items before this one, by their place in the list */
    uint64_t hlc_delta;
    uint32_t seen_item_count;
    struct ml_seal_key key; /* of ml_keyring_seal_key */
    uint8_t compartment;    /* ml_compartment */
    bool deposit;           /* its author can't read it: the key is of ml_keyring_make_deposit */
    /* Filled when the item's bundle is built. */
    bool placed;
    struct ml_version_id version;
};

/** What the log and the writer give for one bundle (ml_log_next_own, hlc). */
struct ml_seal_place {
    struct ml_writer_id writer;
    uint32_t seq;
    struct ml_hash prev;
    struct ml_hash16 gctx;
    const struct ml_dep *deps; /* sorted */
    uint32_t dep_count;
    uint64_t hlc;
};

struct ml_sealer {
    const struct ml_env *env;
    struct ml_org_id org;
    struct ml_keyring *keyring;
    const struct ml_secret *node_salt; /* KDF NODE_SALT: keys the salts (B19) */
    const struct ml_secret *seed;      /* of the writer's signing key */
};

/**
 * Builds the bundle of items[from ..], taking as many as fit: *taken (at least 1). Appends the wire
 * form to `out`; *hash is the bundle's identity. Call again with from + taken and the next place.
 * LIMIT: one item alone doesn't fit, or refers to an item after it. NO_KEY, INVALID, NOMEM.
 */
struct ml_seal_args {
    const struct ml_sealer *sealer;
    const struct ml_seal_place *place;
    struct ml_seal_item *items;
    uint32_t count;
    uint32_t from;
};
ml_err ml_seal_bundle(const struct ml_seal_args *args, struct ml_buf *out, uint32_t *taken,
                      struct ml_hash *hash) ML_MUST_CHECK;

/** The action class that an op type has in the clear dictionary. */
ml_action ml_action_of(uint8_t change_type);

/** BLAKE2b-16(key = node secret, random32 || H(plaintexts) || writer || lane || seq): for every
 * lane. `plain_hash` is 32 bytes. */
struct ml_salt ml_salt_draw(const struct ml_env *env, const struct ml_secret *node_salt,
                            const uint8_t plain_hash[32], const struct ml_header *header);

/* What came of one op. */
typedef enum ml_open_result {
    ML_OPEN_OK,
    ML_OPEN_SHREDDED,
    ML_OPEN_NO_STREAM, /* its stream isn't known: the patient was opened for others, or later */
    ML_OPEN_NO_KEY,    /* no wrap of its DEK opens here */
    ML_OPEN_FORGED,    /* the ciphertext doesn't open in its place */
    ML_OPEN_MALFORMED, /* the plaintext isn't a change */
} ml_open_result;

struct ml_opened {
    ml_open_result result;
    uint8_t index;
    uint64_t hlc;
    struct ml_dict_entry entry;
    struct ml_stream_info stream; /* unless SHREDDED, NO_STREAM, NO_KEY */
    struct ml_slice plain;        /* borrowed by `change` too; only when OK or MALFORMED */
    struct ml_change change;      /* only when OK */
};

/** `opened` is borrowed for the call. An error ends the walk and is returned. */
typedef ml_err ml_opened_cb(void *user, const struct ml_opened *opened);

struct ml_open_args {
    const struct ml_env *env;
    struct ml_org_id org;
    struct ml_keyring *keyring;
    const struct ml_header *header; /* of lane 3 */
    struct ml_slice body;           /* passed ml_body_check */
};

/** Each op in order. Errors: NOMEM, the store's, `each`'s. */
ml_err ml_open_bundle(const struct ml_open_args *args, ml_opened_cb *each,
                      void *user) ML_MUST_CHECK;

#endif
