/* core/crypto/gf128.c -- see gf128.h. Products bit by bit, as in gf256.c. */
#include "core/crypto/gf128.h"

enum { POLYNOMIAL = 0x87, BITS = 128 }; /* x^128 is this, modulo the polynomial */

static uint64_t get64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 8; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

static void put64(uint8_t *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

struct ml_gf128 ml_gf128_of(const uint8_t bytes[ML_GF128_BYTES])
{
    return (struct ml_gf128){get64(bytes), get64(bytes + 8)};
}

void ml_gf128_put(uint8_t bytes[ML_GF128_BYTES], struct ml_gf128 a)
{
    put64(bytes, a.lo);
    put64(bytes + 8, a.hi);
}

struct ml_gf128 ml_gf128_add(struct ml_gf128 a, struct ml_gf128 b)
{
    return (struct ml_gf128){a.lo ^ b.lo, a.hi ^ b.hi};
}

struct ml_gf128 ml_gf128_mul(struct ml_gf128 a, struct ml_gf128 b)
{
    struct ml_gf128 product = {0, 0};
    for (unsigned bit = 0; bit < BITS; bit++) {
        const uint64_t takes = 0u - (b.lo & 1u);
        const uint64_t over = 0u - (a.hi >> 63);
        product.lo ^= a.lo & takes;
        product.hi ^= a.hi & takes;
        a.hi = a.hi << 1 | a.lo >> 63;
        a.lo = a.lo << 1 ^ (POLYNOMIAL & over);
        b.lo = b.lo >> 1 | b.hi << 63;
        b.hi >>= 1;
    }
    return product;
}

struct ml_gf128 ml_gf128_inv(struct ml_gf128 a)
{
    struct ml_gf128 power = a;
    struct ml_gf128 product = {1, 0};
    for (unsigned bit = 1; bit < BITS; bit++) { /* 2^128 - 2 = 2 + 4 + ... + 2^127 */
        power = ml_gf128_mul(power, power);
        product = ml_gf128_mul(product, power);
    }
    return product;
}
