/* core/base/env.h -- every effect the node may have on the world that is not a socket.
 *
 * Injected once, at the top; borrowed by everything below, which it outlives. The functions may be
 * called from any thread. A test's env commands time, chance and memory (tests/fakes/fake_env.h).
 */
#ifndef ML_BASE_ENV_H
#define ML_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct ml_fs;

typedef enum ml_log_level {
    ML_LOG_ERROR,
    ML_LOG_WARN,
    ML_LOG_INFO,
    ML_LOG_DEBUG,
} ml_log_level;

struct ml_env {
    void *(*alloc)(void *ctx, size_t size);             /* zeroed memory, or NULL */
    void *(*resize)(void *ctx, void *ptr, size_t size); /* as realloc; NULL leaves ptr valid */
    void (*release)(void *ctx, void *ptr);              /* NULL is allowed */
    uint64_t (*now_ms)(void *ctx);                      /* monotonic, with sleep; ms */
    uint64_t (*wall_ms)(void *ctx);                     /* UTC, milliseconds since 1970 */
    void (*random)(void *ctx, void *buf, size_t len);   /* fit for keys in a real env */
    void (*log)(void *ctx, ml_log_level level, const char *module, const char *line);
    const struct ml_fs *fs; /* core/base/fs.h */
    void *ctx;
};

/** The real world: libc memory, clock_gettime, getrandom, stderr. Static; never freed. */
const struct ml_env *ml_env_system(void);

void *ml_alloc(const struct ml_env *env, size_t size);
/** count * size with the product checked; NULL when it overflows. */
void *ml_alloc_array(const struct ml_env *env, size_t count, size_t size);
void *ml_resize(const struct ml_env *env, void *ptr, size_t size);
void ml_release(const struct ml_env *env, void *ptr);

/** A copy of `len` bytes, NUL-terminated beyond them; NULL when out of memory. */
void *ml_copy(const struct ml_env *env, const void *data, size_t len);

/** printf-like; a line longer than 400 bytes is cut. Never record contents, keys or peers' text. */
void ml_logf(const struct ml_env *env, ml_log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
