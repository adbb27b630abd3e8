/* core/crypto/keystore_inner.h -- what the three keystore_*.c share; private to them. */
#ifndef ML_CRYPTO_KEYSTORE_INNER_H
#define ML_CRYPTO_KEYSTORE_INNER_H

#include "core/crypto/aead.h"
#include "core/crypto/keystore.h"

#define KS_ID_BYTES      16u
#define KS_CHECK_BYTES   16u
#define KS_SEALED_BYTES  (ML_KEY_BYTES + ML_AEAD_TAG_BYTES)
#define KS_SECTION_EXTRA (ML_AEAD_NONCE_BYTES + ML_AEAD_TAG_BYTES)
#define KS_SLOTS_MAX     3u /* one of each type that exists */

/* A 32-byte key sealed under another one. The check commits to the wrapping key, so that a wrong
 * passphrase and a damaged wrap are told apart and no wrap opens under two passphrases. */
struct ks_wrap {
    uint8_t check[KS_CHECK_BYTES];
    uint8_t nonce[ML_AEAD_NONCE_BYTES];
    uint8_t sealed[KS_SEALED_BYTES];
};

struct ks_slot {
    bool used;
    ml_slot_type type;
    struct ml_pwhash_cost cost;         /* passphrase only, else 0 */
    uint8_t salt[ML_PWHASH_SALT_BYTES]; /* passphrase only, else 0 */
    struct ks_wrap wrap;                /* MMK */
};

/* nonce || sealed payload; NULL before the first put. */
struct ks_section {
    uint8_t *data; /* owned */
    size_t len;
};

struct ks_member {
    struct ml_member_id id;
    struct ml_secret *mmk; /* owned; NULL while locked */
    struct ks_wrap node;   /* NMK under MMK */
    struct ks_section section;
    struct ks_slot slot[KS_SLOTS_MAX]; /* at [type - 1] */
    struct ml_card_lock card;          /* of the card slot, else zeros */
};

struct ml_keystore {
    const struct ml_env *env; /* borrowed */
    struct ml_org_id org;
    uint8_t id[KS_ID_BYTES]; /* random: binds the parts to this keystore */
    struct ml_secret *nmk;   /* owned; NULL while closed */
    bool has_unattended;
    struct ks_wrap unattended; /* NMK under the unattended key */
    struct ks_section section;
    size_t member_count;
    struct ks_member *member[ML_KEYSTORE_MEMBERS_MAX]; /* each owned; ascending by id */
};

/* What a seal is for; slots have the numbers of ml_slot_type. */
enum {
    KS_PART_UNATTENDED = 16,
    KS_PART_NODE_WRAP = 17,
    KS_PART_MEMBER_SECTION = 18,
    KS_PART_NODE_SECTION = 19,
};

struct ks_ad {
    uint8_t b[17 + 32 + KS_ID_BYTES + 1 + 16 + 4 + 4 + ML_PWHASH_SALT_BYTES];
};

/** `member` is NULL for the node's parts, `slot` for all but a passphrase slot's wrap. */
struct ks_ad ml_ks_ad(const struct ml_keystore *ks, uint8_t part, const struct ml_member_id *member,
                      const struct ks_slot *slot);

/** Both keys are 32 bytes. */
void ml_ks_wrap_seal(struct ks_wrap *w, const struct ml_env *env, const struct ks_ad *ad,
                     const struct ml_secret *key, const struct ml_secret *under);
/** Errors: WRONG_KEY (the check differs), CORRUPT (it doesn't, the seal does), NOMEM. */
ml_err ml_ks_wrap_open(struct ml_secret **key, const struct ks_wrap *w, const struct ks_ad *ad,
                       const struct ml_secret *under) ML_MUST_CHECK;

/** NMK, under what KS_NODE_WRAP derives from `from` (MMK or the unattended key). Errors: NOMEM,
 * INVALID (the length of `from`), those of ml_ks_wrap_open. */
ml_err ml_ks_node_wrap_seal(const struct ml_keystore *ks, struct ks_wrap *w, const struct ks_ad *ad,
                            const struct ml_secret *from) ML_MUST_CHECK;
ml_err ml_ks_node_wrap_open(struct ml_secret **nmk, const struct ks_wrap *w, const struct ks_ad *ad,
                            const struct ml_secret *from) ML_MUST_CHECK;

/** Replaces what the section holds. Errors: NOMEM. */
ml_err ml_ks_section_seal(struct ks_section *section, const struct ml_env *env,
                          const struct ks_ad *ad, const struct ml_secret *payload,
                          const struct ml_secret *under) ML_MUST_CHECK;
/** Errors: CORRUPT, NOMEM. */
ml_err ml_ks_section_open(struct ml_secret **out, const struct ks_section *section,
                          const struct ks_ad *ad, const struct ml_secret *under) ML_MUST_CHECK;

/** How many slots are used. */
size_t ml_ks_slot_count(const struct ks_member *m);

/** A member with nothing in it; NULL when out of memory. */
struct ks_member *ml_ks_member_new(const struct ml_env *env, const struct ml_member_id *id);

#endif
