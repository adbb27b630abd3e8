/* tests/fuzz/core_crypto/fuzz_share.c -- texts of shares, one after the other with a NUL between:
 * no crash, no leak; what is read once is written both ways and read again; what joins agrees. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void read_again(const struct ml_secret *share, const struct ml_secret *text)
{
    struct ml_share_error error;
    struct ml_secret *again = NULL;
    const struct ml_slice written = {ml_secret_bytes(text), ml_secret_len(text) - 1};
    must(ml_share_read(&again, written, &error) == ML_OK);
    must(ml_secret_equal(share, again));
    ml_secret_free(again);
}

static struct ml_secret *read_one(struct ml_slice text)
{
    struct ml_share_error error = {.share = 99};
    struct ml_share_head head;
    struct ml_secret *share = NULL;
    struct ml_secret *written = NULL;
    ml_err err = ml_share_read(&share, text, &error);
    if (err != ML_OK) {
        must(share == NULL && (err == ML_E_LIMIT || error.share == 1));
        must(err == ML_E_INVALID || err == ML_E_LIMIT || err == ML_E_UNSUPPORTED);
        return NULL;
    }
    must(ml_share_head(&head, share) == ML_OK && head.need >= 2 && head.index >= 1);
    must(ml_share_words(&written, share) == ML_OK);
    read_again(share, written);
    ml_secret_free(written);
    must(ml_share_line(&written, share) == ML_OK);
    read_again(share, written);
    ml_secret_free(written);
    return share;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ml_secret *shares[ML_SHARE_MAX + 1];
    struct ml_secret *secret = NULL;
    struct ml_share_error error = {.share = 99};
    struct ml_share_head head = {.need = 99};
    size_t count = 0;
    must(ml_crypto_init() == ML_OK);
    while (len > 0 && count <= ML_SHARE_MAX) {
        const uint8_t *end = memchr(data, 0, len);
        const size_t text = end == NULL ? len : (size_t)(end - data);
        struct ml_secret *share = read_one(ml_slice(data, text));
        if (share != NULL) {
            shares[count++] = share;
        }
        data += text;
        len -= text;
        data += len > 0;
        len -= len > 0;
    }
    ml_err err =
        ml_share_join(&secret, &head, (const struct ml_secret *const *)shares, count, &error);
    must(err == ML_OK || (secret == NULL && error.share <= count));
    must(err != ML_OK || (ml_secret_len(secret) == ML_SHARE_SECRET && head.need <= count));
    ml_secret_free(secret);
    while (count > 0) {
        ml_secret_free(shares[--count]);
    }
    return 0;
}
