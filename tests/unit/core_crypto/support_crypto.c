/* tests/unit/core_crypto/support_crypto.c -- see support_crypto.h. */
#include "support_crypto.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/secret.h"

long guard_fail;
long guard_live;
const uint8_t *guard_last;
size_t guard_last_len;

/* One countdown for both kinds of memory, so that "the nth allocation" has one meaning. */
static struct crypto_fixture *counted;

void *sodium_malloc(size_t size);
void sodium_free(void *ptr);

/* ISO C has no conversion from void * to a function pointer; POSIX promises that copying works. */
static void next_symbol(void *fn, size_t len, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    assert_non_null(symbol);
    memcpy(fn, &symbol, len);
}

static int guard_fails(void)
{
    if (counted != NULL && counted->fake.fail_alloc > 0) {
        return --counted->fake.fail_alloc == 0;
    }
    return guard_fail > 0 && --guard_fail == 0;
}

void *sodium_malloc(size_t size)
{
    void *(*next)(size_t) = NULL;
    next_symbol((void *)&next, sizeof(next), "sodium_malloc");
    void *ptr = guard_fails() ? NULL : next(size);
    guard_live += ptr != NULL;
    guard_last = ptr;
    guard_last_len = size;
    return ptr;
}

void sodium_free(void *ptr)
{
    void (*next)(void *) = NULL;
    next_symbol((void *)&next, sizeof(next), "sodium_free");
    guard_live -= ptr != NULL;
    next(ptr);
}

int crypto_setup(void **state)
{
    static struct crypto_fixture f;
    if (ml_crypto_init() != ML_OK) {
        return -1;
    }
    fake_env_init(&f.fake, 1);
    f.env = &f.fake.env;
    guard_fail = 0;
    guard_live = 0;
    counted = NULL;
    *state = &f;
    return 0;
}

int crypto_teardown(void **state)
{
    struct crypto_fixture *f = *state;
    return f->fake.live == 0 && guard_live == 0 ? 0 : -1; /* a leak fails the test that made it */
}

void fail_nth(struct crypto_fixture *f, long nth)
{
    f->fake.fail_alloc = nth;
    counted = f;
}

static uint8_t nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c);
    assert_true(c != '\0' && at != NULL);
    return (uint8_t)(at - digits);
}

size_t unhex(uint8_t *out, size_t max, const char *text)
{
    size_t len = strlen(text) / 2;
    assert_int_equal(strlen(text) % 2, 0);
    assert_true(len <= max);
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    }
    return len;
}
