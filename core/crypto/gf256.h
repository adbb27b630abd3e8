/* core/crypto/gf256.h -- the field of 256 elements of AES (x^8+x^4+x^3+x+1), and polynomials over
 * it. No branch and no index depends on an element: only on how many there are. Pure; any thread.
 */
#ifndef ML_CRYPTO_GF256_H
#define ML_CRYPTO_GF256_H

#include <stddef.h>
#include <stdint.h>

uint8_t ml_gf256_mul(uint8_t a, uint8_t b);
/** a^254: the inverse; 0 for 0. */
uint8_t ml_gf256_inv(uint8_t a);

/** One point of `len` polynomials at once: y[i] is the ith one's value at x. Borrowed. */
struct ml_gf256_point {
    uint8_t x;
    const uint8_t *y;
};

/** out[i] = the value at x of the one polynomial of degree below `count` through the ith bytes of
 * all points, whose x all differ. `out` overlaps none of them. */
void ml_gf256_at(uint8_t *out, size_t len, uint8_t x, const struct ml_gf256_point *points,
                 size_t count);

#endif
