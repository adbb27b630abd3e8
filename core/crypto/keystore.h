/* core/crypto/keystore.h -- the keys of one structure on one node, opened by its members.
 *
 *   passphrase --Argon2id--> slot --> MMK (member master key) --> member section, vault, drafts
 *   recovery secret -------> slot --+  |
 *   a card's own secret ---> slot --'  |
 *                                      '--> NMK (node master key) --> node section, log store ...
 *   unattended key ------------------------>'
 *
 * The object holds what the file holds, and the master keys of whoever is unlocked, in guarded
 * memory. Master keys never leave it: sections and derived keys do. Not for several threads at
 * once; calls that take a passphrase cost half a second. A call that fails changes nothing.
 *
 * Errors of all: NOMEM. Where a member is named: NOT_FOUND. Where something must be open: LOCKED.
 */
#ifndef ML_CRYPTO_KEYSTORE_H
#define ML_CRYPTO_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/crypto/kdf.h"
#include "core/crypto/pwhash.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_KEYSTORE_MEMBERS_MAX  64u
#define ML_KEYSTORE_SECTION_MAX  4096u   /* bytes of a section's payload */
#define ML_KEYSTORE_FILE_MAX     524288u /* bytes; nothing valid is longer */
#define ML_RECOVERY_SECRET_BYTES 32u
#define ML_UNATTENDED_KEY_BYTES  32u
#define ML_CARD_SECRET_BYTES     32u
#define ML_CARD_KEY_BYTES        32u
#define ML_CARD_SEALED_MAX       512u /* bytes: RSA of 4,096 bits */

struct ml_keystore; /* opaque */

/* Kinds of slots; the numbers are in the file. */
typedef enum ml_slot_type {
    ML_SLOT_TYPE_PASSPHRASE = 1,
    ML_SLOT_TYPE_RECOVERY = 2,
    ML_SLOT_TYPE_CARD = 3,
} ml_slot_type;

/** What a card slot says in clear: which key of a card opens its secret (token.h), and that secret
 * sealed to it. */
struct ml_card_lock {
    uint8_t key[ML_CARD_KEY_BYTES]; /* names the card's public key */
    uint8_t sealed[ML_CARD_SEALED_MAX];
    size_t sealed_len;
};

/** A new keystore, its node key drawn and open, without members. */
ml_err ml_keystore_new(struct ml_keystore **out, const struct ml_env *env,
                       const struct ml_org_id *org) ML_MUST_CHECK;
/** A second one, with what is open in the first: to be changed, saved and then used, or freed. */
ml_err ml_keystore_copy(struct ml_keystore **out, const struct ml_keystore *from) ML_MUST_CHECK;
/** Wipes every key; NULL is allowed. */
void ml_keystore_free(struct ml_keystore *ks);

/** Borrowed. */
const struct ml_org_id *ml_keystore_org(const struct ml_keystore *ks);
/** « clé d'essai »: some passphrase slot costs less than a real one does. */
bool ml_keystore_is_test(const struct ml_keystore *ks);
size_t ml_keystore_member_count(const struct ml_keystore *ks);
/** In ascending order of ids; `index` is below the count. Borrowed. */
const struct ml_member_id *ml_keystore_member(const struct ml_keystore *ks, size_t index);
/** False for an unknown member, too. */
bool ml_keystore_has_slot(const struct ml_keystore *ks, const struct ml_member_id *member,
                          ml_slot_type type);
bool ml_keystore_is_unlocked(const struct ml_keystore *ks, const struct ml_member_id *member);
bool ml_keystore_node_is_open(const struct ml_keystore *ks);

/** Draws the member's master key, with one passphrase slot; the member is then unlocked. Needs the
 * node open. Errors: EXISTS, LIMIT (64 members), INVALID (the cost). */
ml_err ml_keystore_add_member(struct ml_keystore *ks, const struct ml_member_id *member,
                              struct ml_slice passphrase,
                              const struct ml_pwhash_cost *cost) ML_MUST_CHECK;
/** Everything of the member goes; copies of the file that others made stay openable. */
ml_err ml_keystore_remove_member(struct ml_keystore *ks,
                                 const struct ml_member_id *member) ML_MUST_CHECK;

/** Each opens the member and, through it, the node. Errors: WRONG_KEY; NOT_FOUND also without such
 * a slot; CORRUPT (the key is right, what it should open is damaged). */
ml_err ml_keystore_unlock(struct ml_keystore *ks, const struct ml_member_id *member,
                          struct ml_slice passphrase) ML_MUST_CHECK;
ml_err ml_keystore_unlock_recovery(struct ml_keystore *ks, const struct ml_member_id *member,
                                   const struct ml_secret *recovery) ML_MUST_CHECK;
ml_err ml_keystore_unlock_card(struct ml_keystore *ks, const struct ml_member_id *member,
                               const struct ml_secret *secret) ML_MUST_CHECK;
/** The member's card slot, borrowed until it changes; NULL: none. */
const struct ml_card_lock *ml_keystore_card(const struct ml_keystore *ks,
                                            const struct ml_member_id *member);
/** Opens the node only, never a member. */
ml_err ml_keystore_unlock_unattended(struct ml_keystore *ks,
                                     const struct ml_secret *key) ML_MUST_CHECK;

/** Wipe keys; what is not open stays so. */
void ml_keystore_lock(struct ml_keystore *ks, const struct ml_member_id *member);
void ml_keystore_lock_node(struct ml_keystore *ks);

/** Replaces the member's passphrase, recovery or card slot, or adds the first one. The member must
 * be unlocked; ask for the old passphrase before. Errors: INVALID (the cost, the secret's length).
 */
ml_err ml_keystore_set_passphrase(struct ml_keystore *ks, const struct ml_member_id *member,
                                  struct ml_slice passphrase,
                                  const struct ml_pwhash_cost *cost) ML_MUST_CHECK;
ml_err ml_keystore_set_recovery(struct ml_keystore *ks, const struct ml_member_id *member,
                                const struct ml_secret *recovery) ML_MUST_CHECK;
/** `secret` is what `lock` seals. Errors: also INVALID (the lock's length). */
ml_err ml_keystore_set_card(struct ml_keystore *ks, const struct ml_member_id *member,
                            const struct ml_card_lock *lock,
                            const struct ml_secret *secret) ML_MUST_CHECK;
/** Errors: NOT_FOUND also without such a slot; DENIED (the member's last one). */
ml_err ml_keystore_remove_slot(struct ml_keystore *ks, const struct ml_member_id *member,
                               ml_slot_type type) ML_MUST_CHECK;
/** A key that opens the node with nobody there; NULL removes it. The node must be open. */
ml_err ml_keystore_set_unattended(struct ml_keystore *ks,
                                  const struct ml_secret *key) ML_MUST_CHECK;

/** Sections: opaque bytes, sealed under MMK or NMK. A NULL member means the node's. Get: *out is
 * the caller's; NOT_FOUND before the first put; CORRUPT. Put: LIMIT (over 4,096 bytes). */
ml_err ml_keystore_get_section(struct ml_keystore *ks, const struct ml_member_id *member,
                               struct ml_secret **out) ML_MUST_CHECK;
ml_err ml_keystore_put_section(struct ml_keystore *ks, const struct ml_member_id *member,
                               const struct ml_secret *payload) ML_MUST_CHECK;

/** A key of the table: VAULT and DRAFTS of a member; LOG_DB, TRACE_JOURNAL, ANCHOR_MAC and
 * NODE_SALT of the node (member NULL). Errors: INVALID (another row). */
ml_err ml_keystore_derive(struct ml_keystore *ks, ml_kdf_id id, const struct ml_member_id *member,
                          struct ml_secret **out) ML_MUST_CHECK;

#endif
