/* core/codec/rpc.h -- frames of the local socket: MessagePack-RPC.
 *
 *   frame    | length u32be | message |   length <= 4 MiB, the message alone
 *   request  [0, id, method, params map]
 *   answer   [1, id, error map or nil, result]
 *   event    [2, event, params map]
 *
 * Params, errors and results are documents (doc.h). Zero-copy; pure; any thread.
 */
#ifndef ML_CODEC_RPC_H
#define ML_CODEC_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/doc.h"
#include "core/codec/rpc_limits.h"
#include "maille/err.h"

#define ML_RPC_HEAD_BYTES  4u
#define ML_RPC_METHOD_MAX  64u
#define ML_RPC_MESSAGE_MAX 1024u /* of an error's text */

typedef enum ml_rpc_kind {
    ML_RPC_REQUEST = 0,
    ML_RPC_ANSWER = 1,
    ML_RPC_EVENT = 2,
} ml_rpc_kind;

struct ml_rpc {
    ml_rpc_kind kind;
    uint32_t id;          /* request, answer */
    struct ml_slice name; /* method or event: a-z, 0-9, '.', '_' */
    struct ml_doc params; /* request, event: a map */
    struct ml_doc error;  /* answer: a map, or none */
    struct ml_doc result; /* answer without error: any value; else none */
};

/** Does `in` begin with a whole frame? ML_OK: *message is it, *used the bytes to drop. PENDING:
 * read more (*used bytes in all are needed). LIMIT: the length is above 4 MiB, or 0: close. */
ml_err ml_rpc_split(struct ml_slice *message, size_t *used, struct ml_slice in) ML_MUST_CHECK;

/** One message, borrowed. MALFORMED with the fault (may be NULL). */
ml_err ml_rpc_decode(struct ml_rpc *out, struct ml_slice message,
                     struct ml_fault *fault) ML_MUST_CHECK;

/* Each appends a whole frame. `params` and `result`: encoded documents; empty params: an empty map;
 * an empty result: nil. NOMEM, LIMIT, INVALID. */
ml_err ml_rpc_put_request(struct ml_buf *out, uint32_t id, const char *method,
                          struct ml_slice params) ML_MUST_CHECK;
ml_err ml_rpc_put_result(struct ml_buf *out, uint32_t id, struct ml_slice result) ML_MUST_CHECK;
ml_err ml_rpc_put_event(struct ml_buf *out, const char *event,
                        struct ml_slice params) ML_MUST_CHECK;
/** error = {code: number of err, name: its name, message id, args...}: the client renders the text.
 * `details`: an encoded map under the key "details", or empty. */
ml_err ml_rpc_put_error(struct ml_buf *out, uint32_t id, ml_err err,
                        struct ml_slice details) ML_MUST_CHECK;

/** The code of an answer's error; CORRUPT for a number that is none; ML_OK without an error. */
ml_err ml_rpc_error_code(const struct ml_rpc *answer);

#endif
