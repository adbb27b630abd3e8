/* net/link/handshake.h -- how two nodes open a link, as bytes in and bytes out: no socket, no
 * clock.
 *
 *   both ends, at once     | highest version u8 |
 *   initiator   | kind u8 | network epoch u32 be | mac 16 | length u16 be | Noise message 1 |
 *   responder   | length u16 be | Noise message 2 |
 *   initiator   | length u16 be | Noise message 3 |
 *
 * Both version bytes, the kind, the epoch and the structure are in the prologue, so that none can
 * be changed on the way. The mac (BLAKE2b-16 under a key that outsiders lack) covers them and
 * message 1: an outsider's packet costs one hash for each structure of this node that has such an
 * epoch, no allocation, and at most ML_HANDSHAKE_BYTES_MAX bytes (architecture I7). Earlier epochs
 * are answered as the latest is; the node decides what may pass (rules B17). Lengths are fixed by
 * the kind: a third message with an enrolment chain comes with governance (rules B17). Loop thread;
 * one object a connection.
 */
#ifndef ML_NET_HANDSHAKE_H
#define ML_NET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto/noise.h"
#include "maille/err.h"
#include "maille/types.h"
#include "net/node/node.h"

#define ML_LINK_VERSION        1u   /* highest that we speak */
#define ML_LINK_VERSION_LEAST  1u   /* and lowest: N - 1 once there is an N */
#define ML_HANDSHAKE_BYTES_MAX 512u /* that one unauthenticated peer can make us hold */
#define ML_IDENTITIES_MAX      8u   /* structures of one node */
#define ML_LINK_MAC_BYTES      16u

/** What this node answers as. Owned copies; see ml_identities_set. */
struct ml_identity {
    struct ml_org_id org;
    uint32_t epoch;
    struct ml_secret *noise_static;
    struct ml_secret *psk;
    struct ml_secret *mac;
    size_t past_count;
    uint32_t past_epochs[ML_NETWORK_PAST_MAX];
    struct ml_secret *past_keys; /* ML_NETWORK_PAST_KEYS of each; NULL: none */
    struct ml_secret *enrol_psk; /* NULL: no code waits */
    struct ml_secret *enrol_mac;
};

struct ml_identities {
    struct ml_identity items[ML_IDENTITIES_MAX];
    size_t count;
};

/** Copies the secrets, replacing an identity of the same structure. Errors with nothing changed:
 * NOMEM, LIMIT. */
ml_err ml_identities_set(struct ml_identities *ids,
                         const struct ml_link_identity *identity) ML_MUST_CHECK;
/** Wipes one; unknown: nothing. */
void ml_identities_clear(struct ml_identities *ids, const struct ml_org_id *org);
void ml_identities_free(struct ml_identities *ids);
/** NULL when unknown. */
const struct ml_identity *ml_identities_find(const struct ml_identities *ids,
                                             const struct ml_org_id *org);

/** An initiator's choices; borrowed for the call. */
struct ml_handshake_dial {
    ml_link_kind kind;
    struct ml_org_id org; /* zero for ENROL */
    uint32_t epoch;       /* 0 for ENROL */
    const struct ml_secret *noise_static;
    const struct ml_secret *psk;
    const struct ml_secret *mac;
    struct ml_box_pk remote; /* KNOWN only */
};

/** Caller-allocated; fields are private but for those marked. */
struct ml_handshake {
    const struct ml_env *env;        /* borrowed */
    const struct ml_identities *ids; /* responder; borrowed */
    struct ml_handshake_dial dial;   /* initiator; its secrets owned until message 1 is written */
    struct ml_secret *secrets[3];    /* owned: static, psk, mac */
    struct ml_noise *noise;          /* NULL until the mac is right (responder) */
    ml_link_kind kind;               /* readable once done */
    struct ml_org_id org;            /* readable once done; zero for ENROL's initiator */
    uint32_t epoch;                  /* readable once done */
    uint8_t own_version, peer_version;
    uint8_t state;
    bool initiator;
    size_t have; /* bytes in `in` */
    uint8_t in[ML_HANDSHAKE_BYTES_MAX];
};

/** Answers whoever knocks. `ids` must outlive the handshake. */
void ml_handshake_answer(struct ml_handshake *h, const struct ml_env *env,
                         const struct ml_identities *ids);
/** Knocks. Copies the secrets. Errors: NOMEM, INVALID. */
ml_err ml_handshake_dial(struct ml_handshake *h, const struct ml_env *env,
                         const struct ml_handshake_dial *dial) ML_MUST_CHECK;
/** Wipes; any state. */
void ml_handshake_free(struct ml_handshake *h);

/** Appends what is to be sent at once. Errors: NOMEM, LIMIT. */
ml_err ml_handshake_begin(struct ml_handshake *h, struct ml_buf *out) ML_MUST_CHECK;
/** Takes bytes of the peer, `*used` of them (the rest belongs to what follows), and appends what is
 * to be sent. Any error ends it: FORGED (a wrong mac or tag), MALFORMED, VERSION, NOMEM, LIMIT. */
ml_err ml_handshake_feed(struct ml_handshake *h, struct ml_buf *out, size_t *used,
                         struct ml_slice in) ML_MUST_CHECK;
bool ml_handshake_done(const struct ml_handshake *h);
/** The dialler's opening is out and has no answer: a link that ends now was refused. */
bool ml_handshake_knocks(const struct ml_handshake *h);
/** True once the peer has proven that it holds the key of the mac; only the dialler's side of a
 * connection is otherwise trusted with memory. */
bool ml_handshake_known(const struct ml_handshake *h);

#endif
