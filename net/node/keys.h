/* net/node/keys.h -- appending the key ops that the keyring makes, as bundles of lane 1. Org
 * thread. */
#ifndef ML_NODE_KEYS_H
#define ML_NODE_KEYS_H

#include "core/model/keyring.h"
#include "net/node/org.h"

/** Gathers what a ml_keyring_make_* emits: pass ml_keys_emit and the gatherer. */
struct ml_keys {
    struct ml_buf bytes; /* the ops, one after the other */
    struct ml_buf sizes; /* of size_t */
};

void ml_keys_init(struct ml_keys *keys, const struct ml_env *env);
void ml_keys_free(struct ml_keys *keys);
ml_err ml_keys_emit(void *user, struct ml_slice op);

/** Appends all in as few bundles as hold them, then lets the session's keyring take them in. */
ml_err ml_keys_append(struct ml_org *org, struct ml_keys *keys) ML_MUST_CHECK;

#endif
