/* tests/fuzz/core_crypto/fuzz_noise.c -- every pattern, either role, against a hostile peer: no
 * crash, no leak, no answer that the contract doesn't name, and no handshake that ends well at both
 * ends after a byte was changed on the way.
 *
 *   byte 0: pattern (low 2 bits), role (bit 2), mode (bit 3)
 *   mode 0, garbage: the rest is messages, each after its length in two bytes, little-endian
 *   mode 1, honest peer: the rest is changes, of three bytes: message (low 2 bits), place, xor
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/box.h"
#include "core/crypto/noise.h"
#include "fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MESSAGES = 3, HEAD_BYTES = 1, LENGTH_BYTES = 2, CHANGE_BYTES = 3 };

struct run {
    struct fake_env fake;
    ml_noise_pattern pattern;
    struct ml_noise *end[2]; /* initiator, responder */
    struct ml_buf msg;
    struct ml_buf payload;
};

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void run_open(struct run *r, ml_noise_pattern pattern)
{
    static const uint8_t psk_bytes[ML_KEY_BYTES] = {7};
    struct ml_secret *local[2] = {NULL, NULL};
    struct ml_secret *psk = NULL;
    struct ml_box_pk pk[2];
    fake_env_init(&r->fake, 1);
    r->pattern = pattern;
    r->end[0] = NULL;
    r->end[1] = NULL;
    ml_buf_init(&r->msg, &r->fake.env, ML_NOISE_MSG_MAX);
    ml_buf_init(&r->payload, &r->fake.env, ML_NOISE_MSG_MAX);
    bool has_psk = pattern == ML_NOISE_XXPSK3 || pattern == ML_NOISE_XKPSK3;
    bool is_xk = pattern == ML_NOISE_XK || pattern == ML_NOISE_XKPSK3;
    must(ml_secret_from(&psk, psk_bytes, sizeof(psk_bytes)) == ML_OK);
    for (size_t i = 0; i < 2; i++) {
        must(ml_box_keypair(&pk[i], &local[i], &r->fake.env) == ML_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        const struct ml_noise_args args = {.pattern = pattern,
                                           .initiator = i == 0,
                                           .local = local[i],
                                           .remote = i == 0 && is_xk ? &pk[1] : NULL,
                                           .psk = has_psk ? psk : NULL};
        must(ml_noise_new(&r->end[i], &r->fake.env, &args) == ML_OK);
        ml_secret_free(local[i]);
    }
    ml_secret_free(psk);
}

static void run_close(struct run *r)
{
    ml_noise_free(r->end[0]);
    ml_noise_free(r->end[1]);
    ml_buf_free(&r->msg);
    ml_buf_free(&r->payload);
    must(r->fake.live == 0);
}

/* A peer that holds no key of ours: the end must never be done. */
static void garbage(struct run *r, struct ml_noise *n, const uint8_t *data, size_t len)
{
    while (!ml_noise_done(n)) {
        ml_buf_clear(&r->msg);
        if (ml_noise_writes(n)) {
            ml_err err = ml_noise_write(n, &r->msg, ml_slice_str("payload"));
            must(err == ML_OK || err == ML_E_FORGED);
            continue;
        }
        if (len < LENGTH_BYTES) {
            return;
        }
        size_t part = (size_t)data[0] | (size_t)data[1] << 8;
        data += LENGTH_BYTES;
        len -= LENGTH_BYTES;
        part = part > len ? len : part;
        ml_buf_clear(&r->payload);
        ml_err err = ml_noise_read(n, &r->payload, ml_slice(data, part));
        must(err == ML_OK || err == ML_E_FORGED || err == ML_E_MALFORMED || err == ML_E_INVALID);
        if (err == ML_E_INVALID) {
            return; /* it has ended, and says so for ever */
        }
        must(err == ML_OK || r->payload.len == 0);
        data += part;
        len -= part;
    }
    abort();
}

/* Returns whether something was changed. */
static bool change(struct ml_buf *msg, size_t number, const uint8_t *data, size_t len)
{
    uint8_t before[256];
    size_t kept = msg->len < sizeof(before) ? msg->len : sizeof(before);
    memcpy(before, msg->data, kept);
    for (; len >= CHANGE_BYTES; data += CHANGE_BYTES, len -= CHANGE_BYTES) {
        if ((data[0] & 3) == number) {
            msg->data[data[1] % kept] ^= data[2];
        }
    }
    return memcmp(before, msg->data, kept) != 0;
}

static void tampered(struct run *r, const uint8_t *data, size_t len)
{
    bool changed = false;
    ml_err err = ML_OK;
    for (size_t i = 0; i < MESSAGES && err == ML_OK; i++) {
        ml_buf_clear(&r->msg);
        ml_buf_clear(&r->payload);
        err = ml_noise_write(r->end[i % 2], &r->msg, ml_slice_str("payload"));
        if (err != ML_OK) {
            break; /* a changed ephemeral of small order */
        }
        changed = change(&r->msg, i, data, len) || changed;
        err = ml_noise_read(r->end[1 - i % 2], &r->payload, ml_buf_slice(&r->msg));
    }
    must(changed ? err == ML_E_FORGED : err == ML_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct run r;
    must(ml_crypto_init() == ML_OK);
    if (len < HEAD_BYTES) {
        return 0;
    }
    run_open(&r, (ml_noise_pattern)(data[0] & 3));
    if (data[0] & 8) {
        tampered(&r, data + HEAD_BYTES, len - HEAD_BYTES);
    } else {
        garbage(&r, r.end[data[0] >> 2 & 1], data + HEAD_BYTES, len - HEAD_BYTES);
    }
    run_close(&r);
    return 0;
}
