/* core/crypto/gf128.h -- the field of 2^128 elements of GCM's polynomial (x^128+x^7+x^2+x+1), for
 * shares whose numbers are names of 16 bytes. An element's bytes are little-endian: bit i of byte j
 * is the coefficient of x^(8j+i) (GCM's own order is another). No branch and no index depends on an
 * element. Pure; any thread.
 */
#ifndef ML_CRYPTO_GF128_H
#define ML_CRYPTO_GF128_H

#include <stdint.h>

#define ML_GF128_BYTES 16u

struct ml_gf128 {
    uint64_t lo;
    uint64_t hi;
};

struct ml_gf128 ml_gf128_of(const uint8_t bytes[ML_GF128_BYTES]);
void ml_gf128_put(uint8_t bytes[ML_GF128_BYTES], struct ml_gf128 a);
/** Sum and difference. */
struct ml_gf128 ml_gf128_add(struct ml_gf128 a, struct ml_gf128 b);
struct ml_gf128 ml_gf128_mul(struct ml_gf128 a, struct ml_gf128 b);
/** a^(2^128-2): the inverse; 0 for 0. */
struct ml_gf128 ml_gf128_inv(struct ml_gf128 a);

#endif
