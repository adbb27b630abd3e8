/* net/link/driver_inner.h -- shared by driver.c (life, what is kept for an end), driver_notice.c
 * (loop thread to org thread) and driver_order.c (org thread to loop thread). */
#ifndef ML_NET_DRIVER_INNER_H
#define ML_NET_DRIVER_INNER_H

#include "net/link/driver.h"
#include "net/link/worker.h"

enum notice_kind {
    NOTICE_CALL,
    NOTICE_CANCEL,
    NOTICE_UP,
    NOTICE_MESSAGE,
    NOTICE_SENT,
    NOTICE_DOWN,
    NOTICE_DIAL_FAILED,
};

struct order;

struct notice {
    struct ml_letter letter;
    struct ml_driver *driver;
    struct notice *next; /* the driver's `ends` */
    struct order *spare; /* UP: a close; CALL: an answer; kept once the org thread reads this */
    enum notice_kind kind;
    uint64_t number; /* call, link or dial */
    ml_err err;
    struct ml_node_caller caller;
    struct ml_link_peer peer;
    struct ml_slice method; /* into bytes */
    struct ml_slice body;   /* into bytes */
    uint8_t hash[ML_NOISE_HASH_BYTES];
    char address[ML_LINK_ADDRESS_BYTES];
    size_t sent_bytes;
    size_t size; /* of bytes */
    uint8_t bytes[];
};

enum order_kind {
    ORDER_IDENTITY_SET,
    ORDER_IDENTITY_CLEAR,
    ORDER_DIAL,
    ORDER_SEND,
    ORDER_CLOSE,
    ORDER_REPLY,
    ORDER_EVENT,
    ORDER_ENDED, /* the org thread's last */
};

enum { ORDER_SECRETS = 6, ORDER_TEXT_BYTES = 128 };

struct order {
    struct ml_letter letter;
    struct ml_driver *driver;
    struct order *next;    /* the driver's `spares` */
    struct notice *failed; /* DIAL */
    enum order_kind kind;
    uint64_t number;
    ml_err err;
    struct ml_link_identity identity;
    struct ml_dial_request dial;
    struct ml_secret *secrets[ORDER_SECRETS];
    char text[ORDER_TEXT_BYTES]; /* address, or name of an event */
    size_t size;
    uint8_t bytes[];
};

struct ml_driver {
    const struct ml_env *env;
    uv_loop_t *loop;
    struct ml_driver_node calls;
    struct ml_node_ports ports;
    struct ml_node *node; /* the org thread's */
    uint64_t wake_ms;     /* the org thread's */
    struct ml_mailbox mailbox;
    struct ml_worker worker;
    struct ml_hub *hub;
    struct ml_rpc_server *rpc;
    struct notice *ends;            /* of open links and dials; the loop thread's */
    struct order *spares;           /* the org thread's */
    uint64_t lost_first, lost_last; /* dials to be told failed; 0: none. The org thread's */
    struct order *last_order;
    void (*closed)(void *user);
    void *user;
    uint16_t port;
    bool started;
    bool stopping;
};

/** A letter made with what it will end, and the way back to it: NULL when none is kept. Takes by
 * kind and number, and by structure where one is given. Spares are the org thread's, ends the loop
 * thread's. */
void ml_driver_spare_keep(struct order *o);
struct order *ml_driver_spare_take(struct ml_driver *d, enum order_kind kind, uint64_t number,
                                   const struct ml_org_id *org);
void ml_driver_end_keep(struct notice *n);
struct notice *ml_driver_end_take(struct ml_driver *d, enum notice_kind kind, uint64_t number);

/** Zeroed but for driver, kind and number; NULL when out of memory. Freeing NULL is allowed. */
struct notice *ml_driver_notice_new(struct ml_driver *d, enum notice_kind kind, uint64_t number,
                                    size_t size);
void ml_driver_notice_free(struct notice *n);
struct order *ml_driver_order_new(struct ml_driver *d, enum order_kind kind, struct ml_slice body);
void ml_driver_order_free(struct order *o);
void ml_driver_order_post(struct order *o);

/** What hub and local socket call. Loop thread. */
struct ml_hub_calls ml_driver_hub_calls(struct ml_driver *d);
struct ml_rpc_backend ml_driver_backend(struct ml_driver *d);
/** What the node calls. Org thread. */
struct ml_node_ports ml_driver_make_ports(struct ml_driver *d);

/** The node is gone, and everything it ordered before was carried out. Loop thread. */
void ml_driver_close_sockets(struct ml_driver *d);

#endif
