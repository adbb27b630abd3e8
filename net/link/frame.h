/* net/link/frame.h -- messages over the sealed bytes of a link: pure, no socket.
 *
 *    0               2
 *   +---------------+------------------------------------------------+
 *   | length u16 be | sealed: records, padding, 16-byte tag           |   a multiple of 64 in all
 *   +---------------+------------------------------------------------+
 *   record   | first byte < 16: a HELLO, 46 bytes in all |
 *            | 254 | length u24 be | message |              may go on in the next frames
 *            | 255 | zeros |                                padding to the frame's end
 *
 * A HELLO is 46 bytes so that it makes a frame of exactly 64 (rules D2). Padding hides lengths to
 * 64 bytes. Each direction has its own key, counts its frames and rekeys after ML_FRAME_REKEY of
 * them, at both ends by counting alone. The length is not sealed but bound: a changed one doesn't
 * open.
 */
#ifndef ML_NET_FRAME_H
#define ML_NET_FRAME_H

#include "core/codec/msg.h"
#include "core/crypto/noise_cipher.h"

#define ML_FRAME_BUCKET    64u
#define ML_FRAME_BYTES_MAX 65472u /* on the wire, length included: 1,023 buckets */
#define ML_FRAME_HEAD      2u
#define ML_FRAME_REKEY     16384u /* frames under one key: at most 1 GiB */

/** Seals what is queued. Owns its cipher and its queue. */
struct ml_frame_writer {
    const struct ml_env *env;
    struct ml_noise_cipher *cipher;
    struct ml_buf queue; /* records, not yet sealed */
    size_t taken;        /* of the queue */
    uint32_t frames;     /* under this key */
};

/** Opens frames, gives messages. Owns its cipher and buffers. */
struct ml_frame_reader {
    const struct ml_env *env;
    struct ml_noise_cipher *cipher;
    struct ml_buf message; /* the one being received */
    size_t wanted;         /* bytes of it in all; 0: a record begins */
    uint8_t head[4];       /* of a record that is cut by a frame's end */
    size_t head_have;
    uint32_t frames;
};

typedef ml_err ml_frame_message_cb(void *user, struct ml_slice message);

/** Takes the cipher over. `queue_max`: bytes that may wait (a message beyond it is LIMIT). */
void ml_frame_writer_init(struct ml_frame_writer *w, const struct ml_env *env,
                          struct ml_noise_cipher *cipher, size_t queue_max);
void ml_frame_writer_free(struct ml_frame_writer *w);
/** Copies. Errors with nothing changed: LIMIT (over 256 KiB, or the queue is full), INVALID
 * (empty), NOMEM. */
ml_err ml_frame_put(struct ml_frame_writer *w, struct ml_slice message) ML_MUST_CHECK;
/** Bytes that still wait. */
size_t ml_frame_waiting(const struct ml_frame_writer *w);
/** Appends one frame of what waits, or, when nothing does, an empty one (a sign of life). Errors
 * with nothing changed: NOMEM, LIMIT. */
ml_err ml_frame_seal(struct ml_frame_writer *w, struct ml_buf *out) ML_MUST_CHECK;

void ml_frame_reader_init(struct ml_frame_reader *r, const struct ml_env *env,
                          struct ml_noise_cipher *cipher);
void ml_frame_reader_free(struct ml_frame_reader *r);
/** Bytes of the frame that begins `in`, all included; 0: not all there yet. MALFORMED: no length of
 * a frame. */
ml_err ml_frame_length(size_t *len, struct ml_slice in) ML_MUST_CHECK;
/** Opens one whole frame in place and gives each message that ends in it, borrowed for the call; an
 * error of `give` ends it. Errors, each the end of the link: FORGED, MALFORMED, LIMIT (a message
 * over 256 KiB), NOMEM. */
ml_err ml_frame_open(struct ml_frame_reader *r, uint8_t *frame, size_t len,
                     ml_frame_message_cb *give, void *user) ML_MUST_CHECK;

#endif
