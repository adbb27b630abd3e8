/* net/node/glass_second.h -- the third tier of emergency access: sensitive data take another
 * member, on a device of his (rules A6; docs/protocol/glass.md; ADR 0021). Org thread, within a
 * session.
 *
 * A request draws a key whose secret half is in memory only, and says it to all. Another holder of
 * the right answers with his shares of this patient's sensitive keys, sealed to it. Whoever asked
 * puts them together with his own, while his request's secret lives: half an hour for the request,
 * then as long as the glass. Locking, or a crash, makes answers worth nothing.
 */
#ifndef ML_NODE_GLASS_SECOND_H
#define ML_NODE_GLASS_SECOND_H

#include "net/node/glass_inner.h"
#include "net/node/glass_known.h"

#define ML_GLASS_ASK_MINUTES 30u

struct ml_glass_ask {
    struct ml_glass_ask *next;
    struct ml_glass_id id;
    struct ml_object_id patient;
    struct ml_secret *reply; /* owned */
    uint64_t end_ms;         /* monotonic */
};

/** This session's request for the patient; NULL: none, or its half hour is over. */
struct ml_glass_ask *ml_glass_ask_of(struct ml_org *org, const struct ml_object_id *patient);
/** A new one, *reply is what shares are to be sealed to. Kept once it was said: _ask_keep. */
ml_err ml_glass_ask_new(struct ml_glass_ask **out, struct ml_box_pk *reply, struct ml_org *org,
                        const struct ml_object_id *patient) ML_MUST_CHECK;
void ml_glass_ask_keep(struct ml_session *s, struct ml_glass_ask *ask);
/** Forgets it, with its secret. NULL is allowed. */
void ml_glass_ask_drop(struct ml_org *org, struct ml_session *s, struct ml_glass_ask *ask);
void ml_glass_asks_drop(struct ml_org *org, struct ml_session *s);

/** How many others may answer: members with the right, each once. */
size_t ml_glass_seconds(const struct ml_org *org);
/** What others lent to the glass, so far: an array of struct ml_glass_lent in *lent, the caller's;
 * NULL where there is none. Its id and reply are set. */
ml_err ml_glass_lent_read(struct ml_org *org, const struct ml_glass *glass, struct ml_secret **lent,
                          size_t *count) ML_MUST_CHECK;
/** Answers a request: says the session's member's shares. NOT_FOUND: he has none. */
ml_err ml_glass_answer(struct ml_call *call, const struct ml_glass_known *asked) ML_MUST_CHECK;

/** Seals to each who may break a glass his share of this patient's sensitive keys that open here,
 * but where the patient excluded emergencies. What this member can't do another does: ML_OK. */
ml_err ml_glass_share(struct ml_org *org, const struct ml_object_id *patient) ML_MUST_CHECK;
/** The same for all patients: for who came since (net/node/keep.h). */
ml_err ml_glass_share_all(struct ml_org *org) ML_MUST_CHECK;

#endif
