/* net/node/enrol_inner.h -- shared by enrol_offer.c (who enrols) and enrol_join.c (who joins). */
#ifndef ML_NODE_ENROL_INNER_H
#define ML_NODE_ENROL_INNER_H

#include "core/codec/msg.h"
#include "net/node/enrol.h"

/* The keys of both ends hang on the code alone: the newcomer doesn't know the structure yet. */
struct enrol_keys {
    struct ml_secret *psk;
    struct ml_secret *mac;
};
ml_err ml_enrol_keys_derive(struct enrol_keys *out, const struct ml_secret *code) ML_MUST_CHECK;
void ml_enrol_keys_free(struct enrol_keys *keys);

/** BLAKE2b-32(key = psk, "maille/enrol/1" || handshake hash || the request's keys). */
void ml_enrol_proof(uint8_t out[32], const struct ml_secret *psk, struct ml_slice handshake_hash,
                    const struct ml_msg_enrol_request *request);

/** Six words of a proof: of this enrolment alone, the same on both sides. */
void ml_enrol_words(char text[ML_FINGERPRINT_TEXT], const uint8_t proof[32]);
/** {words, member, node} into an answer. */
void ml_enrol_words_answer(struct ml_call *call, const struct ml_enrolled *enrolled);
/** params.code. INVALID with the reason. */
ml_err ml_enrol_code_read(struct ml_call *call, struct ml_secret **code) ML_MUST_CHECK;

/** The code that waits in this structure, for who is at this computer: whom it is for. A wrong one
 * ends it. DENIED, TIMEOUT, LOCKED (whoever made it isn't here), with the text. */
ml_err ml_enrol_offer_here(struct ml_call *call, const struct ml_secret *psk,
                           struct ml_member_id *member) ML_MUST_CHECK;
/** After it: governance says that he works here, with these keys; the code is used. */
ml_err ml_enrol_offer_grant_here(struct ml_org *org,
                                 const struct ml_msg_enrol_request *request) ML_MUST_CHECK;
/** "enrol.here" with params.address: dials who made the code. */
ml_err ml_enrol_join_here(struct ml_call *call) ML_MUST_CHECK;

void ml_enrol_send(struct ml_node *node, uint64_t link, const struct ml_msg *msg);

bool ml_enrol_offer_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
bool ml_enrol_offer_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
bool ml_enrol_offer_down(struct ml_node *node, uint64_t link);
bool ml_enrol_join_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
bool ml_enrol_join_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
bool ml_enrol_join_down(struct ml_node *node, uint64_t link, ml_err reason);
bool ml_enrol_join_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason);

#endif
