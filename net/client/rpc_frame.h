/* net/client/rpc_frame.h -- messages of the local socket, for both of its ends.
 *
 *    0                4
 *   +----------------+--------------------------------------------+
 *   | length, u32 be | MessagePack, documents' rules (mp_read.h)   |
 *   +----------------+--------------------------------------------+
 *   request  [0, id, method, params]       params: a map
 *   answer   [1, id, nil, result]
 *            [1, id, {"code": number, "name": text, "detail": any}, nil]
 *   notify   [2, name, params]             from either end, never answered
 *
 * Pure functions; slices borrow the input.
 */
#ifndef ML_CLIENT_RPC_FRAME_H
#define ML_CLIENT_RPC_FRAME_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/rpc_limits.h"
#include "maille/err.h"

#define ML_RPC_HEAD_BYTES   4u
#define ML_RPC_METHOD_BYTES 64u /* longest name of a method or an event */

typedef enum ml_rpc_kind {
    ML_RPC_REQUEST = 0,
    ML_RPC_ANSWER = 1,
    ML_RPC_NOTIFY = 2,
} ml_rpc_kind;

struct ml_rpc_frame {
    ml_rpc_kind kind;
    ml_err err;             /* answer */
    uint64_t id;            /* request, answer */
    struct ml_slice method; /* request, notify */
    struct ml_slice body;   /* params, result or detail: one encoded document; never empty */
};

/** `*len`: bytes after the length field, once those are all in `in`; 0 while they aren't. LIMIT
 * when the field says more than ML_RPC_BYTES_MAX, MALFORMED when it says 0. */
ml_err ml_rpc_frame_length(size_t *len, struct ml_slice in) ML_MUST_CHECK;
/** `in` without its length field. MALFORMED. */
ml_err ml_rpc_frame_read(struct ml_rpc_frame *out, struct ml_slice in) ML_MUST_CHECK;
/** Appends length and message. An empty body is written as nil. LIMIT, NOMEM: `out` then holds a
 * part that the caller cuts off. */
ml_err ml_rpc_frame_write(struct ml_buf *out, const struct ml_rpc_frame *frame) ML_MUST_CHECK;

#endif
