/* core/crypto/noise.h -- the handshakes of the Noise Protocol Framework, rev. 34, over 25519,
 * ChaChaPoly and BLAKE2b, as pure messages: bytes in, bytes out, no socket and no clock.
 *
 *   new -> { write | read, in turn } until ml_noise_done -> split -> two ml_noise_cipher
 *
 * One thread at a time per handshake. A read that fails ends the handshake: its secrets are wiped
 * and every later call answers INVALID. Ephemeral keys come from env's randomness.
 */
#ifndef ML_CRYPTO_NOISE_H
#define ML_CRYPTO_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/noise_cipher.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_NOISE_HASH_BYTES 64u

/* X(NAME, "name in protocol names"); the tokens stand in noise.c's table. */
#define ML_NOISE_MAP(X)                                                                            \
    X(XX, "XX")                                                                                    \
    X(XK, "XK")                                                                                    \
    X(XXPSK3, "XXpsk3")                                                                            \
    X(XKPSK3, "XKpsk3")

typedef enum ml_noise_pattern {
#define X(NAME, text) ML_NOISE_##NAME,
    ML_NOISE_MAP(X)
#undef X
        ML_NOISE_COUNT,
} ml_noise_pattern;

struct ml_noise_args {
    ml_noise_pattern pattern;
    bool initiator;
    struct ml_slice prologue;       /* both ends must have the same; hashed at once */
    const struct ml_secret *local;  /* our static key: 32 bytes, X25519; copied */
    const struct ml_box_pk *remote; /* XK's initiator only, else NULL; copied */
    const struct ml_secret *psk;    /* psk patterns only, 32 bytes, else NULL; copied */
};

struct ml_noise; /* opaque */

/** "Noise_XKpsk3_25519_ChaChaPoly_BLAKE2b"; static. */
const char *ml_noise_name(ml_noise_pattern pattern);
/** False when the full protocol name isn't supported. */
bool ml_noise_find(ml_noise_pattern *out, const char *name);

/** Errors: NOMEM; INVALID (a key that the pattern needs is missing, of another length, or given
 * where it has no place). */
ml_err ml_noise_new(struct ml_noise **out, const struct ml_env *env,
                    const struct ml_noise_args *args) ML_MUST_CHECK;
/** Wipes; NULL is allowed. */
void ml_noise_free(struct ml_noise *n);

/** True when it is this end's turn to write. */
bool ml_noise_writes(const struct ml_noise *n);
/** Bytes that the next message, of either end, has beyond its payload; 0 when done. */
size_t ml_noise_overhead(const struct ml_noise *n);

/** Appends the next message. Errors with nothing changed: INVALID (not our turn, or ended), LIMIT
 * (over 65,535 bytes, or over out's maximum), NOMEM. FORGED ends the handshake: the peer's key is
 * of small order. */
ml_err ml_noise_write(struct ml_noise *n, struct ml_buf *out,
                      struct ml_slice payload) ML_MUST_CHECK;

/** Appends the payload of the peer's next message. Errors with nothing changed: INVALID, LIMIT
 * (out's maximum), NOMEM. MALFORMED (too short, or over 65,535 bytes) and FORGED end it. The
 * payload is authenticated as far as the pattern goes at that message (section 7.7). */
ml_err ml_noise_read(struct ml_noise *n, struct ml_buf *out, struct ml_slice msg) ML_MUST_CHECK;

/** True after the last message, until freed. */
bool ml_noise_done(const struct ml_noise *n);
/** The handshake hash h, to bind other things to this link; final once done. */
void ml_noise_hash(const struct ml_noise *n, uint8_t hash[ML_NOISE_HASH_BYTES]);
/** The peer's static key, proven by the messages read so far; NULL while unknown. Borrowed. */
const struct ml_box_pk *ml_noise_remote(const struct ml_noise *n);

/** Once, when done; wipes the handshake's secrets. The ciphers are the caller's. Errors with
 * nothing changed: INVALID, NOMEM. */
ml_err ml_noise_split(struct ml_noise *n, struct ml_noise_cipher **send,
                      struct ml_noise_cipher **receive) ML_MUST_CHECK;

#endif
