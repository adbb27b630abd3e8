/* tests/fuzz/net/fuzz_link.c -- what a peer may send on a link: the preamble and handshake as an
 * outsider, then records as a peer that holds the keys but not to the rules. The first byte picks.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/box.h"
#include "net/link/frame.h"
#include "net/link/handshake.h"

static void must(bool holds)
{
    ML_ASSERT(holds);
}

static struct ml_identities ids;

static struct ml_secret *secret(uint8_t fill)
{
    struct ml_secret *s = NULL;
    uint8_t bytes[32];
    memset(bytes, fill, sizeof(bytes));
    ml_err err = ml_secret_from(&s, bytes, sizeof(bytes));
    must(err == ML_OK);
    return s;
}

static struct ml_secret *past_keys(void)
{
    struct ml_secret *s = NULL;
    ml_err err = ml_secret_new(&s, 2 * (size_t)ML_NETWORK_PAST_KEYS);
    must(err == ML_OK);
    memset(ml_secret_writable(s), 2, ML_KEY_BYTES);
    memset(ml_secret_writable(s) + ML_KEY_BYTES, 3, ML_KEY_BYTES);
    return s;
}

static void identities_make(void)
{
    const struct ml_link_identity id = {.noise_static = secret(1),
                                        .network_psk = secret(2),
                                        .network_mac = secret(3),
                                        .network_epoch = 3,
                                        .past_count = 2,
                                        .past_epochs = {1, 1},
                                        .past_keys = past_keys(),
                                        .enrolment_psk = secret(4),
                                        .enrolment_mac = secret(5)};
    ml_err err = ml_identities_set(&ids, &id);
    must(err == ML_OK);
}

/* Pieces of 1..16 bytes, as TCP may cut them. */
static void outsider(const uint8_t *data, size_t size)
{
    struct ml_handshake h;
    struct ml_buf out;
    size_t at = 0;
    ml_err err = ML_OK;
    ml_handshake_answer(&h, ml_env_system(), &ids);
    ml_buf_init(&out, ml_env_system(), ML_HANDSHAKE_BYTES_MAX);
    while (at < size && err == ML_OK && !ml_handshake_done(&h)) {
        size_t n = 1 + data[at] % 16;
        size_t used = 0;
        n = n < size - at ? n : size - at;
        err = ml_handshake_feed(&h, &out, &used, ml_slice(data + at, n));
        must(used <= n);
        must(out.len == 0 || ml_handshake_known(&h) || err != ML_OK);
        at += n;
    }
    ml_handshake_free(&h);
    ml_buf_free(&out);
}

static ml_err on_message(void *user, struct ml_slice message)
{
    size_t *given = user;
    must(message.len > 0 && message.len <= ML_MSG_BYTES_MAX);
    *given += message.len;
    return ML_OK;
}

/* The input is the plaintext of frames; each is sealed, then opened. */
static void insider(const uint8_t *data, size_t size)
{
    static const uint8_t key[ML_KEY_BYTES] = {7};
    const struct ml_env *env = ml_env_system();
    struct ml_noise_cipher *send = NULL;
    struct ml_noise_cipher *receive = NULL;
    struct ml_frame_reader reader;
    size_t given = 0;
    ml_err err = ml_noise_cipher_new(&send, env, key, 0);
    must(err == ML_OK);
    err = ml_noise_cipher_new(&receive, env, key, 0);
    must(err == ML_OK);
    ml_frame_reader_init(&reader, env, receive);
    for (size_t at = 0; at < size && err == ML_OK;) {
        uint8_t frame[4 * ML_FRAME_BUCKET] = {0};
        size_t wire = (size_t)(1 + data[at] % 4u) * ML_FRAME_BUCKET;
        size_t room = wire - ML_FRAME_HEAD - ML_NOISE_TAG_BYTES;
        size_t n = room < size - at ? room : size - at;
        frame[1] = (uint8_t)(wire - ML_FRAME_HEAD);
        memcpy(frame + ML_FRAME_HEAD, data + at, n);
        err = ml_noise_seal(send, frame + ML_FRAME_HEAD, ml_slice(frame + ML_FRAME_HEAD, room),
                            ml_slice(frame, ML_FRAME_HEAD));
        must(err == ML_OK);
        err = ml_frame_open(&reader, frame, wire, on_message, &given);
        at += n;
    }
    ml_frame_reader_free(&reader);
    ml_noise_cipher_free(send);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = 0;
    if (ids.count == 0) {
        ml_err err = ml_crypto_init();
        must(err == ML_OK);
        identities_make();
    }
    if (size == 0) {
        return 0;
    }
    ml_err err = ml_frame_length(&len, ml_slice(data + 1, size - 1));
    must(err == ML_OK || err == ML_E_MALFORMED);
    must(len <= size - 1);
    if ((data[0] & 1u) == 0) {
        outsider(data + 1, size - 1);
    } else {
        insider(data + 1, size - 1);
    }
    return 0;
}
