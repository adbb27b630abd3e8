/* net/link/link.h -- one TCP connection: handshake, then sealed frames. Inside net/link; the hub
 * owns links and their limits. Loop thread.
 */
#ifndef ML_NET_LINK_H
#define ML_NET_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/link/frame.h"
#include "net/link/handshake.h"

#define ML_LINK_ADDRESS_BYTES    64u          /* printable address, its NUL included */
#define ML_LINK_QUEUE_BYTES_MAX  (8u << 20)   /* to be sent and not yet sealed */
#define ML_LINK_INFLIGHT_BYTES   (256u << 10) /* sealed, not yet taken by the kernel */
#define ML_LINK_UNREAD_BYTES_MAX (4u << 20)   /* given and not yet consumed: beyond it, unread */

/* Times, so that tests can shorten them. */
struct ml_link_times {
    uint32_t handshake_ms; /* from accept or connect to authenticated */
    uint32_t idle_ms;      /* without a byte from the peer */
    uint32_t alive_ms;     /* without a byte from us: an empty frame is sent */
    uint32_t close_ms;     /* to send what is queued when we close */
};
#define ML_LINK_TIMES_DEFAULT                                                                      \
    {                                                                                              \
        .handshake_ms = 10000, .idle_ms = 90000, .alive_ms = 30000, .close_ms = 2000               \
    }

struct ml_link;

struct ml_link_host {
    const struct ml_env *env;
    uv_loop_t *loop;
    const struct ml_identities *ids;
    struct ml_link_times times;
    /** The handshake is over. False: drop the link. */
    bool (*up)(void *ctx, struct ml_link *link);
    /** One message, borrowed. */
    void (*message)(void *ctx, struct ml_link *link, struct ml_slice message);
    /** All that was queued has left for the socket: bytes of messages since the last time. */
    void (*sent)(void *ctx, struct ml_link *link, size_t bytes);
    /** Last: the handles are closed, the link is the host's to release. */
    void (*closed)(void *ctx, struct ml_link *link);
    void *ctx;
};

struct ml_link {
    const struct ml_link_host *host; /* borrowed */
    struct ml_link *next;            /* the host's list */
    uint64_t number;                 /* the host's */
    uint64_t dial;                   /* the host's */
    uv_tcp_t *tcp;                   /* owned */
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    struct ml_handshake handshake;
    struct ml_frame_writer writer;
    struct ml_frame_reader reader;
    struct ml_buf in; /* once open */
    uint64_t heard_ms, spoke_ms;
    size_t inflight;
    size_t unsent;    /* bytes of messages queued since `sent` was last called */
    size_t unread;    /* given, not consumed */
    ml_err reason;    /* why it ended */
    unsigned closing; /* handles not closed yet */
    uint8_t hash[ML_NOISE_HASH_BYTES];
    struct ml_box_pk remote;
    uint8_t address_key[16]; /* who knocks: IPv4, or an IPv6 /64 */
    char address[ML_LINK_ADDRESS_BYTES];
    uint8_t knock[ML_HANDSHAKE_BYTES_MAX];
    bool open;
    bool initiator;
    bool paused;
    bool announced; /* the host said `up` */
    bool ending;
    bool dead;
};

/** Takes a connected `tcp` over (env memory), also when it fails: `closed` then still comes. */
void ml_link_start(struct ml_link *link, const struct ml_link_host *host, uv_tcp_t *tcp,
                   const struct ml_handshake_dial *dial);
/** Queues a message; a link that can't take it is killed with LIMIT or NOMEM. */
void ml_link_send(struct ml_link *link, struct ml_slice message);
/** The host is done with `bytes` of what it was given. */
void ml_link_consumed(struct ml_link *link, size_t bytes);
/** Sends what is queued, then closes. */
void ml_link_end(struct ml_link *link, ml_err reason);
/** Closes now. The first reason stays. */
void ml_link_kill(struct ml_link *link, ml_err reason);

#endif
