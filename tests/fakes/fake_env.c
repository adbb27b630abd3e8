/* tests/fakes/fake_env.c -- see fake_env.h. */
#include "fake_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fs.h"

static int alloc_fails(struct fake_env *f)
{
    return f->fail_alloc > 0 && --f->fail_alloc == 0;
}

static void *fake_alloc(void *ctx, size_t size)
{
    struct fake_env *f = ctx;
    void *ptr = alloc_fails(f) ? NULL : calloc(1, size);
    f->asked += size;
    f->live += ptr != NULL;
    return ptr;
}

static void *fake_resize(void *ctx, void *ptr, size_t size)
{
    struct fake_env *f = ctx;
    void *moved = alloc_fails(f) ? NULL : realloc(ptr, size);
    f->asked += size;
    f->live += moved != NULL && ptr == NULL;
    return moved;
}

static void fake_release(void *ctx, void *ptr)
{
    struct fake_env *f = ctx;
    f->live -= ptr != NULL;
    free(ptr);
}

static uint64_t fake_now(void *ctx)
{
    return ((struct fake_env *)ctx)->now_ms;
}

static uint64_t fake_wall(void *ctx)
{
    return ((struct fake_env *)ctx)->wall_ms;
}

bool fake_spared(struct fake_env *f)
{
    bool spared = f->fail_alloc > 0;
    f->fail_alloc = 0;
    return spared;
}

uint64_t fake_next(struct fake_env *f)
{
    uint64_t z = (f->rng += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t fake_below(struct fake_env *f, uint64_t bound)
{
    return fake_next(f) % bound;
}

static void fake_random(void *ctx, void *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)buf)[i] = (unsigned char)fake_next(ctx);
    }
}

static void fake_log(void *ctx, ml_log_level level, const char *module, const char *line)
{
    if (((struct fake_env *)ctx)->verbose) {
        fprintf(stderr, "[%d] %s: %s\n", (int)level, module, line);
    }
}

void fake_env_init(struct fake_env *f, uint64_t seed)
{
    memset(f, 0, sizeof(*f));
    f->rng = seed;
    f->wall_ms = 1790000000000u; /* 2026-09-21 */
    f->env = (struct ml_env){.alloc = fake_alloc,
                             .resize = fake_resize,
                             .release = fake_release,
                             .now_ms = fake_now,
                             .wall_ms = fake_wall,
                             .random = fake_random,
                             .log = fake_log,
                             .fs = ml_fs_system(),
                             .ctx = f};
}
