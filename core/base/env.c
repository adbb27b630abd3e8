/* core/base/env.c -- the real environment, and short names for calls through one. */
#include "core/base/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/fs.h"

static void *system_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return calloc(1, size);
}

static void *system_resize(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    return realloc(ptr, size);
}

static void system_release(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static uint64_t clock_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    ML_ASSERT(rc == 0); /* both exist on every Linux */
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static uint64_t system_now(void *ctx)
{
    (void)ctx;
    return clock_ms(CLOCK_BOOTTIME); /* a machine asleep is idle too, and codes grow old */
}

static uint64_t system_wall(void *ctx)
{
    (void)ctx;
    return clock_ms(CLOCK_REALTIME);
}

/* A node without randomness must not go on: it would repeat nonces. */
static size_t random_some(uint8_t *buf, size_t len)
{
    ssize_t n = getrandom(buf, len, 0);
    ML_ASSERT(n > 0 || (n < 0 && errno == EINTR));
    return n > 0 ? (size_t)n : 0;
}

static void system_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    size_t done = 0;
    while (done < len) {
        done += random_some((uint8_t *)buf + done, len - done);
    }
}

static void system_log(void *ctx, ml_log_level level, const char *module, const char *line)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    (void)ctx;
    if (level <= ML_LOG_INFO) {
        fprintf(stderr, "%s %s: %s\n", names[level], module, line);
    }
}

const struct ml_env *ml_env_system(void)
{
    static const struct ml_env env = {
        .alloc = system_alloc,
        .resize = system_resize,
        .release = system_release,
        .now_ms = system_now,
        .wall_ms = system_wall,
        .random = system_random,
        .log = system_log,
        .fs = &ml_fs_real,
    };
    return &env;
}

void *ml_alloc(const struct ml_env *env, size_t size)
{
    return env->alloc(env->ctx, size);
}

void *ml_alloc_array(const struct ml_env *env, size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    return env->alloc(env->ctx, total);
}

void *ml_resize(const struct ml_env *env, void *ptr, size_t size)
{
    return env->resize(env->ctx, ptr, size);
}

void ml_release(const struct ml_env *env, void *ptr)
{
    env->release(env->ctx, ptr);
}

void *ml_copy(const struct ml_env *env, const void *data, size_t len)
{
    size_t total = 0;
    if (__builtin_add_overflow(len, (size_t)1, &total)) {
        return NULL;
    }
    uint8_t *copy = env->alloc(env->ctx, total);
    if (copy != NULL && len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

void ml_logf(const struct ml_env *env, ml_log_level level, const char *module, const char *fmt, ...)
{
    char line[400];
    va_list args;
    va_start(args, fmt);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    env->log(env->ctx, level, module, line);
}
