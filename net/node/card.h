/* net/node/card.h -- names in governance: a card is a small document under the `annuaire` KEK
 * (rules A2), read by members, not by relays. Org thread; needs a session. */
#ifndef ML_NODE_CARD_H
#define ML_NODE_CARD_H

#include "core/codec/govop.h"
#include "core/model/keyring.h"
#include "net/node/org.h"

struct ml_card {
    const char *name;
    const char *rpps; /* NULL: none */
};

/** sealed->ct borrows `buf`. NO_KEY, NOMEM, LIMIT. */
ml_err ml_card_seal(struct ml_org *org, struct ml_sealed *sealed, struct ml_buf *buf,
                    const struct ml_card_place *of, const struct ml_card *card) ML_MUST_CHECK;

/** The newest card of a member, node, team or the structure, as keys of an open map: name, rpps.
 * Where no key opens it: nothing; out of memory, the document fails. */
void ml_card_describe(struct ml_org *org, struct ml_args *out, const struct ml_card_place *of);

/** A member under `key` of the call's result, a map: member, and what his card says. */
void ml_card_put_member(struct ml_call *call, const char *key, const struct ml_member_id *member);

/** A member's name, for views: `ctx` is the ml_org. NOMEM goes to out->err. */
void ml_card_member_name(void *ctx, const struct ml_member_id *member, struct ml_buf *out);

#endif
