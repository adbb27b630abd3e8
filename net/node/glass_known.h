/* net/node/glass_known.h -- what is known here of every emergency access: who opened what, until
 * when, what a reviewer found, and whether the patient was told (docs/protocol/glass.md). Org
 * thread, within a session.
 */
#ifndef ML_NODE_GLASS_KNOWN_H
#define ML_NODE_GLASS_KNOWN_H

#include "net/node/call.h"
#include "net/node/glass_inner.h"

struct ml_glass_known {
    struct ml_glass_id id;
    struct ml_member_id member; /* who opened */
    struct ml_object_id patient;
    uint64_t wall_ms; /* 0: asked for, not opened (yet) */
    uint64_t until_ms;
    uint64_t asked_ms; /* tier 3: when another's share was asked for */
    uint64_t waits_ms; /* until when */
    struct ml_box_pk reply;
    uint64_t answered_ms;       /* 0: not yet */
    struct ml_member_id second; /* who answered */
    uint64_t closed_ms;         /* 0: not given back */
    uint64_t reviewed_ms;       /* 0: not yet */
    uint64_t told_ms;           /* 0: the patient wasn't told yet */
    struct ml_member_id reviewer;
    struct ml_member_id teller;
    uint8_t tier;
    uint8_t reason;
    uint8_t outcome;
    uint8_t how;
};

struct ml_glass_listing {
    struct ml_call *call;
    struct ml_buf known; /* of struct ml_glass_known, in order of arrival */
    uint32_t closed;     /* how many statements don't open here */
};

/** All that the session's vault knows. Free it in any case. */
ml_err ml_glass_listing_read(struct ml_glass_listing *l, struct ml_call *call) ML_MUST_CHECK;
void ml_glass_listing_free(struct ml_glass_listing *l);
/** NULL: not known here. Borrowed until the listing is freed. */
struct ml_glass_known *ml_glass_known_of(struct ml_glass_listing *l, const struct ml_glass_id *id);

/** Of rank 2 or better, or whose role reviews; never his own. */
bool ml_glass_may_review(const struct ml_org *org, const struct ml_member_id *who);
/** Says it to every member, durable: an op GLASS of lane 1. */
ml_err ml_glass_say(struct ml_call *call, const struct ml_glass_say *say) ML_MUST_CHECK;

#endif
