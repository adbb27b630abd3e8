/* core/crypto/gf256.c -- see gf256.h. Products bit by bit: tables of logarithms would be indexed by
 * the secret. */
#include "core/crypto/gf256.h"

#include <string.h>

enum { AES_POLYNOMIAL = 0x1b }; /* x^8 is this, modulo the polynomial (FIPS 197, 4.2) */

uint8_t ml_gf256_mul(uint8_t a, uint8_t b)
{
    unsigned power = a;
    unsigned product = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        product ^= power & (0u - ((unsigned)b >> bit & 1u));
        power = (power << 1 ^ (AES_POLYNOMIAL & (0u - (power >> 7 & 1u)))) & 0xffu;
    }
    return (uint8_t)product;
}

uint8_t ml_gf256_inv(uint8_t a)
{
    uint8_t power = a;
    uint8_t product = 1;
    for (unsigned bit = 1; bit < 8; bit++) { /* 254 = 2 + 4 + ... + 128 */
        power = ml_gf256_mul(power, power);
        product = ml_gf256_mul(product, power);
    }
    return product;
}

/* Lagrange's factor of one point at x. Indices are public, it is computed as if they weren't. */
static uint8_t factor_at(uint8_t x, const struct ml_gf256_point *points, size_t count, size_t which)
{
    uint8_t above = 1;
    uint8_t below = 1;
    for (size_t i = 0; i < count; i++) {
        if (i != which) {
            above = ml_gf256_mul(above, x ^ points[i].x);
            below = ml_gf256_mul(below, points[which].x ^ points[i].x);
        }
    }
    return ml_gf256_mul(above, ml_gf256_inv(below));
}

void ml_gf256_at(uint8_t *out, size_t len, uint8_t x, const struct ml_gf256_point *points,
                 size_t count)
{
    memset(out, 0, len);
    for (size_t i = 0; i < count; i++) {
        const uint8_t factor = factor_at(x, points, count, i);
        for (size_t at = 0; at < len; at++) {
            out[at] ^= ml_gf256_mul(factor, points[i].y[at]);
        }
    }
}
