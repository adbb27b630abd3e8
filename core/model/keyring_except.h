/* core/model/keyring_except.h -- data keys while a patient leaves somebody out (rules A5).
 *
 * Then no group's key leads to them: each is sealed to the box key of every member who is entitled
 * and not left out, in step with who that is. The keys of before are sealed so too; their wraps
 * under groups' keys are for the shredder. Pure, as keyring.h.
 */
#ifndef ML_MODEL_KEYRING_EXCEPT_H
#define ML_MODEL_KEYRING_EXCEPT_H

#include "core/model/keyring_group.h"

/** Patient x compartment, and who of its groups is not left out; each key once. */
struct ml_exception {
    struct ml_object_id patient;
    ml_compartment compartment;
    const struct ml_box_pk *to;
    size_t count;
    bool emergency; /* left out too: no break-glass wraps are made */
};

/** The stream and DEK for a new op: sealed to nobody but these, never under a group's key; of
 * several the smallest. NOT_FOUND: the patient isn't open here; NO_KEY: ml_keyring_make_exception.
 */
ml_err ml_keyring_exception_key(struct ml_keyring *k, const struct ml_exception *who,
                                struct ml_seal_key *out) ML_MUST_CHECK;

/** A DEK for what comes if there is none yet, and every DEK that opens here to each of these who
 * lacks it. Nothing lacking: emits nothing. NOT_FOUND, LIMIT, NOMEM; NO_KEY: this member isn't one
 * of these. */
ml_err ml_keyring_make_exception(struct ml_keyring *k, const struct ml_exception *who,
                                 ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** One DEK that opens here to each of these, whether or not he has it. NO_KEY, LIMIT, NOMEM. */
ml_err ml_keyring_make_slots(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, ml_keyop_cb *emit,
                             void *user) ML_MUST_CHECK;

/** Forgets the keys of one stream and what ops said of them: wraps of it were destroyed. Apply the
 * ops that are left again. */
void ml_keyring_forget_stream(struct ml_keyring *k, const struct ml_stream_id *stream);

/** Does anything give an older key of this stream to somebody who isn't one of these: a wrap of a
 * group, slots of others too that this member has a share in, or, where emergency access is left
 * out, a break-glass wrap? */
ml_err ml_keyring_is_shared(struct ml_keyring *k, const struct ml_exception *who,
                            const struct ml_stream_id *stream, bool *shared) ML_MUST_CHECK;
/** Was anything ever sealed for this patient x compartment, by what is known here? */
ml_err ml_keyring_has_any(struct ml_keyring *k, const struct ml_object_id *patient,
                          ml_compartment compartment, bool *any) ML_MUST_CHECK;
/** Has this stream any key that is sealed so? */
bool ml_keyring_has_exception(const struct ml_keyring *k, const struct ml_stream_id *stream);
/** How many ops sealed so are known: another number, and somebody sealed something. */
size_t ml_keyring_exceptions(const struct ml_keyring *k);
/** The streams of patient x compartment, one a link secret, in `out`. NOT_FOUND. */
ml_err ml_keyring_streams(struct ml_keyring *k, const struct ml_object_id *patient,
                          ml_compartment compartment, struct ml_stream_id out[ML_KEYRING_LINKS_MAX],
                          size_t *count) ML_MUST_CHECK;

/** The teams that he is open in, each once. NOT_FOUND. */
ml_err ml_keyring_teams(struct ml_keyring *k, const struct ml_object_id *patient,
                        struct ml_team_id out[ML_KEYRING_LINKS_MAX], size_t *count) ML_MUST_CHECK;

#endif
