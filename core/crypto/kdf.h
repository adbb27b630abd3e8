/* core/crypto/kdf.h -- every key that is derived from another, in one table.
 *
 * out = BLAKE2b-<out>(key = in, "maille/kdf/<name>/1" || context). No label is the start of
 * another, and each row fixes its context's layout, so no two derivations share their input. The
 * table of docs/crypto.md is this one (a test compares them).
 */
#ifndef ML_CRYPTO_KDF_H
#define ML_CRYPTO_KDF_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

/* X(NAME, label, input, input bytes min, max, output bytes, context bytes, context, purpose,
 *   rotation, destruction). Network epochs are u32 big-endian; ids stand in the order given. */
#define ML_KDF_MAP(X)                                                                              \
    X(LOG_DB, "log-db", "NMK", 32, 32, 32, 32, "org id", "VFS key of log.db", "with NMK",          \
      "wipe at stop; NMK's wraps removed")                                                         \
    X(TRACE_JOURNAL, "trace-journal", "NMK", 32, 32, 32, 32, "org id",                             \
      "seals the node-local trace journal", "with NMK", "wipe at stop; NMK's wraps removed")       \
    X(ANCHOR_MAC, "anchor-mac", "NMK", 32, 32, 32, 32, "org id",                                   \
      "MAC of the anti-rollback record", "with NMK", "wipe at stop; NMK's wraps removed")          \
    X(NODE_SALT, "node-salt", "NMK", 32, 32, 32, 32, "org id",                                     \
      "keys the bundles' salts (rules B19)", "with NMK", "wipe at stop; NMK's wraps removed")      \
    X(KS_NODE, "ks-node", "NMK", 32, 32, 32, 0, "none", "seals the keystore's node section",       \
      "with NMK", "wipe after use; NMK's wraps removed")                                           \
    X(VAULT, "vault", "MMK", 32, 32, 32, 48, "org id, member id", "VFS key of a member's vault",   \
      "with MMK; the vault is rebuilt", "wipe at lock; the member's slots removed")                \
    X(DRAFTS, "drafts", "MMK", 32, 32, 32, 48, "org id, member id",                                \
      "VFS key of a member's drafts", "with MMK; re-keyed in place",                               \
      "wipe at lock; the member's slots removed")                                                  \
    X(KS_MEMBER, "ks-member", "MMK", 32, 32, 32, 0, "none",                                        \
      "seals a member section of the keystore", "with MMK",                                        \
      "wipe after use; the member's slots removed")                                                \
    X(KS_NODE_WRAP, "ks-node-wrap", "MMK or unattended key", 32, 32, 32, 0, "none",                \
      "wraps NMK in the keystore", "with its input", "wipe after use; the wrap removed")           \
    X(KS_RECOVERY, "ks-recovery", "recovery secret", 32, 32, 32, 0, "none",                        \
      "opens a recovery slot (wraps MMK)", "a new recovery kit",                                   \
      "wipe after use; the slot removed")                                                          \
    X(KS_CARD, "ks-card", "card secret", 32, 32, 32, 0, "none", "opens a card slot (wraps MMK)",   \
      "another card", "wipe after use; the slot removed")                                          \
    X(NOISE_PSK, "noise-psk", "network secret", 32, 32, 32, 36, "org id, network epoch",           \
      "psk of Noise XKpsk3", "each network epoch", "wipe at stop; older epochs as rules B17")      \
    X(NET_MAC, "net-mac", "network secret", 32, 32, 32, 36, "org id, network epoch",               \
      "16-byte mac before the first message", "each network epoch", "as the psk")                  \
    X(NET_BEACON, "net-beacon", "network secret", 32, 32, 32, 36, "org id, network epoch",         \
      "keys the discovery beacons", "each network epoch", "as the psk")                            \
    X(CARRY, "carry", "network secret", 32, 32, 32, 52, "org id, network epoch, file salt 16",     \
      "seals one carry file", "each file", "wipe after use")                                       \
    X(ENROL_PSK, "enrol-psk", "enrolment code", 10, 32, 32, 32, "org id", "psk of Noise XXpsk3",   \
      "each code: single use, 10 minutes", "wipe when used or expired")                            \
    X(ENROL_MAC, "enrol-mac", "enrolment code", 10, 32, 32, 32, "org id",                          \
      "mac before an enrolment's first message", "each code", "as the psk")                        \
    X(KEK_WRAP, "kek-wrap", "KEK", 32, 32, 32, 0, "none",                                          \
      "seals DEKs and link secrets to a group", "each group epoch", "shred of the epoch's slots")  \
    X(KEK_DEPOSIT, "kek-deposit", "KEK", 32, 32, 32, 0, "none",                                    \
      "X25519 secret opening a group's deposits (A7)", "each group epoch",                         \
      "shred of the epoch's slots")                                                                \
    X(KEK_ANNUAIRE, "kek-annuaire", "annuaire KEK", 32, 32, 32, 0, "none",                         \
      "seals names and reasons in lanes 0 and 1 (A2)", "each group epoch",                         \
      "shred of the epoch's slots")                                                                \
    X(KEK_CONSENT, "kek-consent", "a team's admin KEK", 32, 32, 32, 0, "none",                     \
      "seals what patients decided, in lane 1 (B21)", "each group epoch",                          \
      "shred of the epoch's slots")                                                                \
    X(HIST_WRAP, "hist-wrap", "HIST", 32, 32, 32, 0, "none",                                       \
      "seals the previous epoch's KEK and HIST (A4)", "each group epoch",                          \
      "shred of the epoch's slots")                                                                \
    X(ROOT_SIGN, "root-sign", "structure secret", 32, 32, 32, 0, "none",                           \
      "Ed25519 seed of Root's signatures", "ROOT_ROTATE", "wipe after use; it is never stored")    \
    X(ROOT_BOX, "root-box", "structure secret", 32, 32, 32, 0, "none",                             \
      "X25519 secret that opens what is sealed to Root", "ROOT_ROTATE",                            \
      "wipe after use; it is never stored")                                                        \
    X(AUDIT_BOX, "audit-box", "structure secret", 32, 32, 32, 0, "none",                           \
      "X25519 secret that opens traces (rules A2)", "ROOT_ROTATE",                                 \
      "wipe after use; it is never stored")                                                        \
    X(IMPORT_ID, "import-id", "the structure's link secret", 32, 32, 32, 0, "none",                \
      "keys the ids of imported objects (A9)", "never: the ids would change",                      \
      "with the org's keys")                                                                       \
    X(GLASS_SHARE, "glass-share", "DEK", 32, 32, 32, 0, "none",                                    \
      "slope of a sensitive DEK's shares (A6, ADR 0021)", "with the DEK", "wipe after use")

typedef enum ml_kdf_id {
#define X(NAME, ...) ML_KDF_##NAME,
    ML_KDF_MAP(X)
#undef X
        ML_KDF_COUNT,
} ml_kdf_id;

/** *out is the caller's to free. Errors: NOMEM; INVALID (the input or the context hasn't the
 * row's length). Any thread. */
ml_err ml_kdf(ml_kdf_id id, struct ml_secret **out, const struct ml_secret *in,
              struct ml_slice context) ML_MUST_CHECK;

/* Derivations whose form the log fixes (rules A8, D3). */

/** BLAKE2b-16(key = link secret, compartment): the patient's pseudonym in one compartment. */
struct ml_stream_id ml_stream_id_derive(const struct ml_secret *link, ml_compartment compartment);

/** BLAKE2b-32(key = DEK, "maille/chunk/1" || plaintext): one chunk is stored once within a patient
 * and compartment. Convergent on purpose: whoever holds the DEK can test a guess. */
void ml_chunk_key(uint8_t out[ML_KEY_BYTES], const uint8_t dek[ML_KEY_BYTES],
                  struct ml_slice plain);

#endif
