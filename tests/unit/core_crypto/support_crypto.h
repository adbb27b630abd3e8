/* tests/unit/core_crypto/support_crypto.h -- guarded memory that fails on command and is counted,
 * and bytes written in hexadecimal. Linking it replaces sodium_malloc for the whole program. */
#ifndef ML_TESTS_SUPPORT_CRYPTO_H
#define ML_TESTS_SUPPORT_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "fake_env.h"

/** As fake_env's fail_alloc and live, for guarded memory. */
extern long guard_fail;
extern long guard_live;
/** The guarded block given last, and its length; to look whether it was wiped while it lives. */
extern const uint8_t *guard_last;
extern size_t guard_last_len;

struct crypto_fixture {
    struct fake_env fake;
    const struct ml_env *env;
};

/** cmocka setup and teardown: *state is a crypto_fixture; the teardown fails on any leak. */
int crypto_setup(void **state);
int crypto_teardown(void **state);

/** Fails the nth allocation from now, whichever kind of memory it asks for. */
void fail_nth(struct crypto_fixture *f, long nth);

/** Decodes into out (of at most `max` bytes) and returns the length; fails the test on bad text. */
size_t unhex(uint8_t *out, size_t max, const char *text);

#endif
