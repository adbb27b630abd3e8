/* core/crypto/random.c -- see random.h. */
#include "core/crypto/random.h"

#include <sodium.h>

void ml_random(void *buf, size_t len)
{
    randombytes_buf(buf, len);
}
