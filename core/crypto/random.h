/* core/crypto/random.h -- random bytes of the operating system, for nonces drawn below any ml_env
 * (the encrypting VFS is entered from SQLite, which carries none). Any thread. */
#ifndef ML_CRYPTO_RANDOM_H
#define ML_CRYPTO_RANDOM_H

#include <stddef.h>

/** Fit for keys and nonces; never fails (a machine without randomness aborts). Fork-safe. */
void ml_random(void *buf, size_t len);

#endif
