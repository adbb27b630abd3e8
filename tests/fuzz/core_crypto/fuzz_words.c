/* tests/fuzz/core_crypto/fuzz_words.c -- any bytes as words: no crash, no leak, and what is read
 * once is written and read again as the same secret. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/pwhash.h"
#include "core/crypto/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void read_twice(size_t bytes, struct ml_slice text)
{
    struct ml_words_error error = {ML_WORDS_CHECK, 0};
    struct ml_secret *first = NULL;
    struct ml_secret *written = NULL;
    struct ml_secret *second = NULL;
    ml_err err = ml_words_decode(&first, bytes, text, &error);
    must(err == ML_OK || (first == NULL && (err == ML_E_INVALID || err == ML_E_LIMIT)));
    if (err != ML_OK) {
        return;
    }
    must(ml_secret_len(first) == bytes);
    must(ml_words_encode(&written, first) == ML_OK);
    const struct ml_slice again = {ml_secret_bytes(written), ml_secret_len(written) - 1};
    must(ml_words_decode(&second, bytes, again, &error) == ML_OK);
    must(ml_secret_equal(first, second));
    ml_secret_free(first);
    ml_secret_free(written);
    ml_secret_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t sizes[] = {10, 16, 32, 44};
    must(ml_crypto_init() == ML_OK);
    const struct ml_slice text = {data, len};
    for (size_t i = 0; i < 4; i++) {
        read_twice(sizes[i], text);
    }
    (void)ml_passphrase_check(text);
    return 0;
}
