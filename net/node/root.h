/* net/node/root.h -- the structure's secret, and Root's and the auditor's keys that hang on it.
 *
 * Drawn at founding, shown once, never stored: its keys exist while whoever holds it gives it,
 * whole or in sheets (recover.h). No member's slot opens with it, and no member's words lead to it.
 * Org thread.
 */
#ifndef ML_NODE_ROOT_H
#define ML_NODE_ROOT_H

#include "core/base/env.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_STRUCTURE_SECRET_BYTES 32u

struct ml_root_keys {
    struct ml_secret *sign;  /* Ed25519 seed of Root's signatures */
    struct ml_secret *box;   /* X25519 secret: opens what is sealed to Root */
    struct ml_secret *audit; /* X25519 secret: opens traces */
};

/** *out is the caller's. NOMEM. */
ml_err ml_root_draw(struct ml_secret **out, const struct ml_env *env) ML_MUST_CHECK;
/** The keys of a structure's secret; freed by the caller also after an error. NOMEM, INVALID. */
ml_err ml_root_open(struct ml_root_keys *out, const struct ml_secret *structure) ML_MUST_CHECK;
/** Wipes; what is NULL is allowed. */
void ml_root_close(struct ml_root_keys *keys);

#endif
