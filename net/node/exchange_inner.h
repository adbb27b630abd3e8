/* net/node/exchange_inner.h -- shared by exchange.c (links, life) and ml_exchange_act.c (actions).
 */
#ifndef ML_NODE_EXCHANGE_INNER_H
#define ML_NODE_EXCHANGE_INNER_H

#include "net/node/exchange.h"
#include "net/node/network.h"
#include "net/node/org.h"
#include "net/node/tally.h"

#define ML_EXCHANGE_LINKS_MAX      ML_SYNC_SESSIONS_MAX
#define ML_EXCHANGE_UNKNOWN_MAX    4u /* at a time, of these */
#define ML_EXCHANGE_DIALS_MAX      256u
#define ML_EXCHANGE_REDIAL_MS      5000u /* first wait after a failure; doubles, with jitter, up to */
#define ML_EXCHANGE_REDIAL_MAX_MS  300000u
#define ML_EXCHANGE_EPOCHS_AT_ONCE 8u /* tried on a peer before the wait */

struct exchange_link {
    uint64_t link; /* 0: free */
    uint32_t session;
    bool drains;  /* its peer was revoked */
    bool behind;  /* opened under an earlier network epoch: lanes 0 and 1 come first */
    bool unknown; /* nobody let it in, as far as is known; `peer` stands for its Noise key */
    struct ml_node_id peer;
    struct ml_box_pk noise;
    struct ml_tally_flow told; /* of its session, what the day's tally has already */
};

/* A peer that we dial: from peer.add or from an earlier exchange. */
struct exchange_peer {
    struct ml_node_id node;
    struct ml_box_pk noise; /* zero until the node is known in governance */
    char address[ML_PEER_ADDRESS_MAX];
    uint64_t dial; /* on its way; 0: none */
    uint64_t next_ms;
    uint64_t wait_ms;
    size_t past; /* how many network epochs it refused, the latest first */
    ml_err last_err;
};

struct ml_exchange {
    struct ml_org *org; /* borrowed */
    struct ml_sync *sync;
    struct ml_network network;
    const struct ml_secret *enrolment_psk; /* borrowed; NULL: none */
    const struct ml_secret *enrolment_mac;
    struct exchange_link links[ML_EXCHANGE_LINKS_MAX];
    struct exchange_peer peers[ML_EXCHANGE_DIALS_MAX];
    size_t peer_count;
    struct ml_node_id sponsor; /* zero: none */
    struct ml_box_pk sponsor_noise;
    size_t acts; /* of governance, when links were last held against it */
    uint64_t sync_wake_ms;
    uint64_t holes;    /* bodies that the engine knows to be missing */
    ml_err unanchored; /* why the last record wasn't written, said once; ML_OK: it was */
    bool drain_due;    /* bundles came: commit them once nothing more is at hand */
    bool running;      /* ml_exchange_run is on the stack */
};

void ml_exchange_act(struct ml_exchange *x, const struct ml_sync_action *action);
struct exchange_link *ml_exchange_link_of(struct ml_exchange *x, uint32_t session);
void ml_exchange_wake(struct ml_exchange *x);

#endif
