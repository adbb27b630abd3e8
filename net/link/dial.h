/* net/link/dial.h -- connect to "host:port" before a deadline, all its addresses in parallel.
 *
 * Names are resolved on libuv's pool. The first address that answers wins, the others are dropped.
 * Loop thread.
 */
#ifndef ML_NET_DIAL_H
#define ML_NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/base/env.h"
#include "maille/err.h"

#define ML_DIAL_ADDRESSES_MAX 4u   /* tried of one name */
#define ML_DIAL_ADDRESS_BYTES 128u /* longest "host:port", its NUL included */

struct ml_dial;
/** ML_OK: `tcp` is connected, allocated from env, the receiver's to close and release. Else NULL.
 */
typedef void ml_dial_cb(void *user, uv_tcp_t *tcp, ml_err result);

struct ml_dial_args {
    const struct ml_env *env; /* borrowed */
    uv_loop_t *loop;
    const char *address; /* copied */
    uint64_t timeout_ms;
    ml_dial_cb *done;
    void *user;
};

/** `done` runs once, later, when every handle but the winner's is closed: ML_OK, UNREACHABLE,
 * TIMEOUT, CANCELED, INVALID (no address), NOMEM or IO. Errors here: NOMEM, INVALID (no host:port,
 * or too long); `done` is then never called. */
ml_err ml_dial_start(struct ml_dial **out, const struct ml_dial_args *args) ML_MUST_CHECK;
/** Makes `done` come soon, with CANCELED unless a result is already on its way. */
void ml_dial_cancel(struct ml_dial *d);

/** A numeric host:port; INVALID when it holds a name. */
ml_err ml_address_parse(struct sockaddr_storage *out, const char *address) ML_MUST_CHECK;

#endif
