/* net/node/network.h -- the network's secret in its epochs (rules B17): which are held, which
 * dials, the next one after somebody lost his place. Org thread.
 *
 * An epoch is a pair of lane 1 (ML_PAIR_NETWORK, core/model/keyring_pair.h). The first is the
 * founder's, in the keystores alone until there is a second. The latest that is held is kept in the
 * keystore: a node whose log is lost dials with it.
 */
#ifndef ML_NODE_NETWORK_H
#define ML_NODE_NETWORK_H

#include "net/node/node.h"
#include "net/node/org.h"

#define ML_NETWORK_HANDED_MAX 16u /* epochs that a newcomer is handed: the latest */
#define ML_NETWORK_TURN_MS                                                                         \
    (UINT64_C(10) * 60 * 1000) /* each waits so long for who comes before him */

struct ml_network_epoch {
    uint32_t number;
    struct ml_box_pk pk;
};

/** What the links are opened with. Of epochs with one number the smallest public half is first. */
struct ml_network {
    size_t count; /* epochs held, the latest first; 0: not open */
    struct ml_network_epoch epochs[1 + ML_NETWORK_PAST_MAX];
    struct ml_box_pk own;  /* the keystore's */
    struct ml_secret *psk; /* of epochs[0] */
    struct ml_secret *mac;
    struct ml_secret *past_keys; /* of the others, as struct ml_link_identity; NULL: none */
};

/** The keystore's epoch; the others come with the session. NOMEM. */
ml_err ml_network_open(struct ml_network *n, const struct ml_org *org) ML_MUST_CHECK;
/** Wipes. */
void ml_network_free(struct ml_network *n);
/** Takes what the session's keyring holds; *changed: the links are to be told. A later epoch than
 * the keystore's goes into it. NOMEM: as it was. */
ml_err ml_network_take(struct ml_network *n, struct ml_org *org, bool *changed) ML_MUST_CHECK;

/** By a member of rank 2 or better, who may write: the next epoch, if somebody holds this one who
 * lost his place; else this one and those before to whom lacks them. Where who handed the epoch
 * that is used was removed since, the first of rank 2 or better makes the next one, the second when
 * he hasn't for ML_NETWORK_TURN_MS, and so on. Nothing to do: writes nothing.
 * More members than one op takes (ML_KEYOP_PAIR_MAX): said in the log, and nothing is changed. */
ml_err ml_network_tend(struct ml_org *org) ML_MUST_CHECK;

#endif
