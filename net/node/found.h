/* net/node/found.h -- founding a structure, and what enrolment shares with it. Org thread. */
#ifndef ML_NODE_FOUND_H
#define ML_NODE_FOUND_H

#include "core/crypto/keystore.h"
#include "net/node/card.h"
#include "net/node/org.h"

/** Fresh keys of a node and of a member on it; freed by the caller also after an error. NOMEM. */
ml_err ml_secrets_draw(const struct ml_env *env, struct ml_node_secrets *node,
                       struct ml_member_secrets *member) ML_MUST_CHECK;

/** The first member of a keystore. All borrowed. */
struct ml_keystore_first {
    struct ml_member_id id;
    struct ml_slice passphrase;
    const struct ml_secret *recovery; /* NULL: no recovery slot */
    const struct ml_node_secrets *node;
    const struct ml_member_secrets *member;
};

/** A keystore with its sections, member and node open; costs half a second. */
ml_err ml_keystore_make(struct ml_keystore **out, struct ml_node *node, const struct ml_org_id *org,
                        const struct ml_keystore_first *first) ML_MUST_CHECK;

/** The cost of new passphrase slots is known afterwards: measured once, half a second. NOMEM. */
ml_err ml_passphrase_cost(struct ml_node *node) ML_MUST_CHECK;

/** A key of the result with the words of a secret (words.h); shown this once. NOMEM. */
ml_err ml_result_words(struct ml_args *result, const char *key,
                       const struct ml_secret *secret) ML_MUST_CHECK;

/** params.passphrase, long enough; INVALID with the reason. */
ml_err ml_call_passphrase(struct ml_call *call, struct ml_slice *out) ML_MUST_CHECK;

/** Names a member, a node, a team or the structure in governance. */
ml_err ml_org_set_card(struct ml_org *org, const struct ml_card_place *of,
                       const struct ml_card *card) ML_MUST_CHECK;

/** The matrix that is proposed to a new structure, as an act of the session's member. DENIED. */
ml_err ml_org_adopt_matrix(struct ml_org *org) ML_MUST_CHECK;

ml_err ml_method_org_found(struct ml_call *call);

#endif
