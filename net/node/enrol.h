/* net/node/enrol.h -- plain enrolment of a member on a new node, both sides (rules B18, D4).
 *
 * A coordinator makes a code (80 bits, single use, ten minutes) and reads it out; the new node
 * dials with it (Noise XXpsk3, psk from the code) and sends its public keys, bound to this very
 * link by a proof; the coordinator's node writes NODE_ENROL and the key grant, and answers with the
 * genesis and the network secret; the new node keeps them and dials again as a known node. Org
 * thread only.
 */
#ifndef ML_NODE_ENROL_H
#define ML_NODE_ENROL_H

#include <stdbool.h>

#include "net/node/org.h"

#define ML_ENROL_CODE_MS 600000u

struct ml_enrol_offer; /* a code that waits, in its structure */

void ml_enrol_offer_end(struct ml_org *org);
/** Ends one that is too old; returns when it will be, UINT64_MAX when none waits. */
uint64_t ml_enrol_offer_tick(struct ml_org *org);

/** Each is true when the link or dial belongs to an enrolment. */
bool ml_enrol_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
bool ml_enrol_link_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
bool ml_enrol_link_down(struct ml_node *node, uint64_t link, ml_err reason);
bool ml_enrol_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason);

ml_err ml_method_enrol_code(struct ml_call *call);
ml_err ml_method_enrol_last(struct ml_call *call);
ml_err ml_method_enrol_join(struct ml_call *call);

#endif
