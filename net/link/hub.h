/* net/link/hub.h -- all links of this node: it listens, dials, counts and limits. Loop thread.
 *
 * A link has a number that is never used twice; a link that ended is unknown, and calls that name
 * it do nothing: the org thread may be late.
 */
#ifndef ML_NET_HUB_H
#define ML_NET_HUB_H

#include "net/link/link.h"

#define ML_LINKS_MAX                  64u /* open links */
#define ML_LINK_HALF_OPEN_MAX         32u /* connections that have not proved who they are */
#define ML_LINK_HALF_OPEN_PER_ADDRESS 8u  /* of them from one address */
#define ML_LINK_DIALS_MAX             64u /* our own, before they are open */
#define ML_LINK_BACKLOG               32

struct ml_hub; /* opaque; owned by who opened it */

struct ml_hub_calls {
    void (*up)(void *ctx, uint64_t link, const struct ml_link_peer *peer);
    /** Borrowed; ml_hub_consumed says when its bytes are done with. */
    void (*message)(void *ctx, uint64_t link, struct ml_slice message);
    /** So many bytes of messages have left the link's queue for the socket. */
    void (*sent)(void *ctx, uint64_t link, size_t bytes);
    /** Once for each `up`; ML_OK when this end closed it for no fault. */
    void (*down)(void *ctx, uint64_t link, ml_err reason);
    void (*dial_failed)(void *ctx, uint64_t dial, ml_err reason);
    void *ctx;
};

struct ml_hub_args {
    const struct ml_env *env; /* borrowed */
    uv_loop_t *loop;          /* borrowed */
    struct ml_hub_calls calls;
    struct ml_link_times times;
};

/** Counts since the start, for doctor and tests. */
struct ml_hub_stats {
    uint64_t accepted;
    uint64_t refused_half_open;
    uint64_t refused_address;
    uint64_t refused_links;
    uint64_t failed_handshakes;
    uint32_t half_open;
    uint32_t links;
};

/** Errors: NOMEM. */
ml_err ml_hub_open(struct ml_hub **out, const struct ml_hub_args *args) ML_MUST_CHECK;
/** Ends links and dials; `closed` runs once, last (inside this call if nothing is open); the hub is
 * free then. */
void ml_hub_close(struct ml_hub *hub, void (*closed)(void *user), void *user);

/** Listens on a numeric "addr:port", port 0: any; `*port` is what it became. Once. Errors: INVALID,
 * EXISTS (in use), DENIED, IO. */
ml_err ml_hub_listen(struct ml_hub *hub, uint16_t *port, const char *address) ML_MUST_CHECK;

/** See ml_identities_set. Links of an identity that is cleared are ended. */
ml_err ml_hub_identity_set(struct ml_hub *hub, const struct ml_link_identity *id) ML_MUST_CHECK;
void ml_hub_identity_clear(struct ml_hub *hub, const struct ml_org_id *org);

/** `up` with this dial's number, or `dial_failed`, comes later, once. Copies what it keeps. */
void ml_hub_dial(struct ml_hub *hub, const struct ml_dial_request *request);
void ml_hub_send(struct ml_hub *hub, uint64_t link, struct ml_slice message);
void ml_hub_end(struct ml_hub *hub, uint64_t link, ml_err reason);
void ml_hub_consumed(struct ml_hub *hub, uint64_t link, size_t bytes);
void ml_hub_stats(const struct ml_hub *hub, struct ml_hub_stats *out);

#endif
