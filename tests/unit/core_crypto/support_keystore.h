/* tests/unit/core_crypto/support_keystore.h -- a keystore of two members, at least cost. */
#ifndef ML_TESTS_SUPPORT_KEYSTORE_H
#define ML_TESTS_SUPPORT_KEYSTORE_H

#include "core/crypto/keystore.h"
#include "core/crypto/keystore_file.h"
#include "support_crypto.h"

extern const struct ml_pwhash_cost ks_cheap; /* one pass over 8 KiB */
extern const struct ml_org_id ks_org;
extern const struct ml_member_id ks_anne; /* passphrase "anne's passphrase", recovery slot */
extern const struct ml_member_id ks_bob;  /* passphrase "bob's passphrase" */

/** Both members unlocked; each section holds its owner's name. The node's says "node". */
struct ml_keystore *ks_make(struct crypto_fixture *f);
/** 32 bytes of `byte`; the caller frees it. */
struct ml_secret *ks_secret(uint8_t byte);
/** Encodes, locks by decoding again; the caller frees it. */
struct ml_keystore *ks_reopened(struct crypto_fixture *f, const struct ml_keystore *ks);
/** Fails the test unless the section holds `text`. NULL member: the node's. */
void ks_expect_section(struct ml_keystore *ks, const struct ml_member_id *member, const char *text);

#endif
