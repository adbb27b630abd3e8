/* net/node/node.h -- the node of one home: stores, vaults, governance, sync, without a socket.
 *
 * The driver (net/link) owns sockets, Noise and framing on the loop thread; the node runs on one
 * other thread, the org thread. They speak through this header alone: the driver calls ml_node_*,
 * the node calls its ports; both only on the org thread, the driver's mailboxes carry the rest.
 * A port never calls back into the node before it returns. Pointers given to a port or to the node
 * are borrowed for that call. tests/unit/net_node drives the same calls on virtual time.
 */
#ifndef ML_NODE_NODE_H
#define ML_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

struct ml_node; /* opaque; owned by its driver */

/** How two ends of a link know each other. */
typedef enum ml_link_kind {
    ML_LINK_KNOWN = 1, /* Noise XKpsk3: static key known, psk = the network key */
    ML_LINK_ENROL = 2, /* Noise XXpsk3: psk = the one-time code */
} ml_link_kind;

#define ML_NETWORK_PAST_MAX  63u /* network epochs before the latest that a node answers */
#define ML_NETWORK_PAST_KEYS 64u /* bytes of one: psk 32, mac key 32 */

/** What the driver needs to answer and to dial for one structure. Secrets borrowed until withdrawn.
 */
struct ml_link_identity {
    struct ml_org_id org;
    const struct ml_secret *noise_static; /* X25519 secret, 32 bytes */
    const struct ml_secret *network_psk;  /* 32 bytes, ML_KDF_NOISE_PSK */
    const struct ml_secret *network_mac;  /* 32 bytes, ML_KDF_NET_MAC */
    uint32_t network_epoch;               /* in clear before the first message */
    size_t past_count;                    /* earlier epochs, which are answered too (rules B17) */
    uint32_t past_epochs[ML_NETWORK_PAST_MAX];
    const struct ml_secret *past_keys;     /* ML_NETWORK_PAST_KEYS of each; NULL: none */
    const struct ml_secret *enrolment_psk; /* NULL unless a code is waiting to be used */
    const struct ml_secret *enrolment_mac; /* with enrolment_psk */
};

struct ml_dial_request {
    uint64_t dial; /* each greater; comes back once, in ml_node_link_up or ml_node_dial_failed */
    ml_link_kind kind;
    struct ml_org_id org;               /* zero for ENROL: the code alone identifies */
    struct ml_box_pk remote_static;     /* KNOWN only */
    size_t past;                        /* KNOWN: 0 the network epoch, else the n-th of the past */
    const struct ml_secret *psk;        /* ENROL: of the code; KNOWN: NULL, the identity's */
    const struct ml_secret *mac;        /* ENROL: of the code; KNOWN: NULL, the identity's */
    const struct ml_secret *static_key; /* ENROL: the newcomer's own; KNOWN: NULL */
    const char *address;                /* "host:port", or "[v6]:port" */
};

struct ml_node_ports {
    void *ctx;
    /** From now on accept and dial for this structure; replaces an earlier one of the same org.
     * Without memory for it a dial fails with LOCKED: it's to be said again. */
    void (*identity_set)(void *ctx, const struct ml_link_identity *identity);
    /** Locked or stopping: drop the borrowed secrets before returning, close its links soon. */
    void (*identity_clear)(void *ctx, const struct ml_org_id *org);
    void (*dial)(void *ctx, const struct ml_dial_request *request);
    /** Copies; the link's own credits bound what may be queued (ml_sync asks no more). A link that
     * can't take it goes down with NOMEM: nothing after it is sent. */
    void (*link_send)(void *ctx, uint64_t link, const uint8_t *msg, size_t len);
    void (*link_close)(void *ctx, uint64_t link, ml_err reason);
    /** The answer of call `call`: exactly once each. On error the document says which and why. */
    void (*reply)(void *ctx, uint64_t call, ml_err err, struct ml_slice document);
    /** To every client that subscribed to `name`. */
    void (*event)(void *ctx, const char *name, struct ml_slice document);
    /** Call ml_node_tick no later than `at_ms` (monotonic); replaces the earlier wish. */
    void (*wake_at)(void *ctx, uint64_t at_ms);
};

struct ml_node_args {
    const struct ml_env *env;          /* borrowed, outlives the node */
    const char *home;                  /* folder, made 0700 if absent; copied */
    const char *state_home;            /* for the anti-rollback records; copied */
    const struct ml_node_ports *ports; /* copied */
    bool test_keys;                    /* least key-derivation cost: tests, the demo (flagged) */
};

/** Who calls: checked by the RPC server before the node sees it. */
struct ml_node_caller {
    uint32_t uid;          /* of the peer of the local socket */
    uint32_t session_id;   /* POSIX session of the peer's process: a command line's token */
    struct ml_slice token; /* as presented, empty when none */
};

/** A link whose handshake is over. */
struct ml_link_peer {
    uint64_t dial; /* of the request, 0 when the peer dialled us */
    ml_link_kind kind;
    struct ml_org_id org; /* ENROL: zero on the newcomer's side */
    uint32_t epoch;       /* network epoch that the link was opened under; ENROL: 0 */
    struct ml_box_pk remote_static;
    struct ml_slice handshake_hash; /* 64 bytes: binds enrolment proofs to this link */
    const char *address;            /* printable */
    bool initiator;
};

/** Errors: NOMEM, IO, READONLY, LIMIT. One node a home: the daemon holds the lock. */
ml_err ml_node_open(struct ml_node **out, const struct ml_node_args *args) ML_MUST_CHECK;
/** Ends what runs (calls answered CANCELED), commits, closes stores, wipes keys. NULL allowed. */
void ml_node_close(struct ml_node *node);

/** Every call is answered through ports.reply, before this returns or later. */
void ml_node_call(struct ml_node *node, uint64_t call, const struct ml_node_caller *caller,
                  struct ml_slice method, struct ml_slice params);
/** The client hung up or cancelled: `call` is answered CANCELED unless it just was. */
void ml_node_cancel(struct ml_node *node, uint64_t call);

/** `link` is the driver's number, never reused. The node may close it at once (unknown key). */
void ml_node_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer);
void ml_node_link_message(struct ml_node *node, uint64_t link, struct ml_slice msg);
/** So many bytes of link_send have left the driver's queue for the socket. */
void ml_node_link_sent(struct ml_node *node, uint64_t link, size_t bytes);
void ml_node_link_down(struct ml_node *node, uint64_t link, ml_err reason);
void ml_node_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason);

void ml_node_tick(struct ml_node *node);

#endif
