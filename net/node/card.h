/* net/node/card.h -- names in governance: a card is a small document under the `annuaire` KEK
 * (rules A2), read by members, not by relays. Org thread; needs a session. */
#ifndef ML_NODE_CARD_H
#define ML_NODE_CARD_H

#include "core/codec/govop.h"
#include "core/model/keyring.h"
#include "core/record/retention.h"
#include "net/node/org.h"

struct ml_card {
    const char *name;
    const char *rpps;                     /* NULL: none */
    const struct ml_retention_rule *rule; /* of the structure's; NULL: none */
};

/** sealed->ct borrows `buf`. NO_KEY, NOMEM, LIMIT. */
ml_err ml_card_seal(struct ml_org *org, struct ml_sealed *sealed, struct ml_buf *buf,
                    const struct ml_card_place *of, const struct ml_card *card) ML_MUST_CHECK;

/** The newest card of a member, node, team or the structure, as keys of an open map: name, rpps.
 * Where no key opens it: nothing; out of memory, the document fails. */
void ml_card_describe(struct ml_org *org, struct ml_args *out, const struct ml_card_place *of);

/** A member under `key` of the call's result, a map: member, and what his card says. */
void ml_card_put_member(struct ml_call *call, const char *key, const struct ml_member_id *member);

/** How long records are kept, by the structure's card; what it doesn't say, or what isn't allowed,
 * as by default. NOMEM. */
ml_err ml_card_rule(struct ml_org *org, struct ml_retention_rule *rule) ML_MUST_CHECK;

/** An act of the session's member, a coordinator: the structure's name stays as it is. */
ml_err ml_card_set_rule(struct ml_org *org, const struct ml_retention_rule *rule) ML_MUST_CHECK;
/** The same under "retention" of an open map. */
void ml_card_put_rule(struct ml_args *out, const struct ml_retention_rule *rule);
/** What a map says of it, over what is there. False: something isn't allowed, and *rule as it was.
 */
bool ml_card_rule_read(struct ml_retention_rule *rule, const struct ml_value *map);

/** A name alone, without a zero; "" where no key opens it. NOMEM goes to out->err. */
void ml_card_name(struct ml_org *org, const struct ml_card_place *of, struct ml_buf *out);
/** A member's name, for views: `ctx` is the ml_org. NOMEM goes to out->err. */
void ml_card_member_name(void *ctx, const struct ml_member_id *member, struct ml_buf *out);

#endif
