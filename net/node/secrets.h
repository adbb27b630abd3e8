/* net/node/secrets.h -- what the keystore's sections hold: the node's and a member's secret keys.
 * They live in guarded memory only; the encoded form too. */
#ifndef ML_NODE_SECRETS_H
#define ML_NODE_SECRETS_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_CONTACTS_MAX        12u
#define ML_CONTACT_ADDRESS_MAX 256u /* its NUL included */

/** A node that this one exchanged with, kept outside of the log: who to ask when the log is lost.
 */
struct ml_known_node {
    struct ml_node_id node;
    struct ml_box_pk noise;
    char address[ML_CONTACT_ADDRESS_MAX]; /* "": it dials us */
};

/** Of the node section; every pointer owned. */
struct ml_node_secrets {
    struct ml_node_id node;
    uint32_t network_epoch;
    struct ml_secret *noise;   /* X25519 static key of its links */
    struct ml_secret *writer;  /* Ed25519 seed of the node's own writer */
    struct ml_secret *network; /* network secret of that epoch */
    uint8_t contact_count;
    struct ml_known_node contacts[ML_CONTACTS_MAX]; /* latest first */
};

/** Of a member section; every pointer owned. */
struct ml_member_secrets {
    struct ml_secret *mon_sign; /* Ed25519 seed: signs WRITER_OPEN only */
    struct ml_secret *mon_box;  /* X25519: KEKs are sealed to it */
    struct ml_secret *writer;   /* Ed25519 seed of the member's writer in this store */
};

/** Errors of the four: NOMEM; decode also CORRUPT and UNSUPPORTED (a later program's),
 * and leaves *out as it was. */
ml_err ml_node_secrets_encode(struct ml_secret **out,
                              const struct ml_node_secrets *s) ML_MUST_CHECK;
ml_err ml_node_secrets_decode(struct ml_node_secrets *out,
                              const struct ml_secret *bytes) ML_MUST_CHECK;
ml_err ml_member_secrets_encode(struct ml_secret **out,
                                const struct ml_member_secrets *s) ML_MUST_CHECK;
ml_err ml_member_secrets_decode(struct ml_member_secrets *out,
                                const struct ml_secret *bytes) ML_MUST_CHECK;

/** Wipes and frees what it holds; all NULL afterwards. */
void ml_node_secrets_free(struct ml_node_secrets *s);
void ml_member_secrets_free(struct ml_member_secrets *s);

#endif
