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

void ml_enrol_send(struct ml_node *node, uint64_t link, const struct ml_msg *msg);

bool ml_enrol_offer_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
bool ml_enrol_offer_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
bool ml_enrol_offer_down(struct ml_node *node, uint64_t link);
bool ml_enrol_join_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
bool ml_enrol_join_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
bool ml_enrol_join_down(struct ml_node *node, uint64_t link, ml_err reason);
bool ml_enrol_join_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason);

#endif
