/* tests/tools/powercut/env.c -- the environment of mailled-powercut: the machine's, but for the
 * disk and the clocks of whoever started it. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/env.h"
#include "powercut.h"

/* The linker gives us every ml_env_system() of another file. */
const struct ml_env *__wrap_ml_env_system(void); // NOLINT(readability-identifier-naming)
const struct ml_env *__real_ml_env_system(void); // NOLINT(readability-identifier-naming)

static struct wire_clock still;
static struct wire_clock *moved = &still;

static uint64_t now_ms(void *ctx)
{
    const struct ml_env *real = __real_ml_env_system();
    return real->now_ms(ctx) + (uint64_t)atomic_load(&moved->now_ms);
}

static uint64_t wall_ms(void *ctx)
{
    const struct ml_env *real = __real_ml_env_system();
    return real->wall_ms(ctx) + (uint64_t)atomic_load(&moved->wall_ms);
}

static int descriptor_of(const char *name)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): no other thread yet
    return text == NULL ? -1 : (int)strtol(text, NULL, 10);
}

static struct wire_clock *clock_of(int fd)
{
    void *page = mmap(NULL, sizeof(struct wire_clock), PROT_READ, MAP_SHARED, fd, 0);
    ML_ASSERT(page != MAP_FAILED);
    return page;
}

// NOLINTNEXTLINE(readability-identifier-naming)
const struct ml_env *__wrap_ml_env_system(void)
{
    static struct ml_env env;
    if (env.alloc != NULL) {
        return &env;
    }
    int disk = descriptor_of(WIRE_DISK_ENV);
    int clock = descriptor_of(WIRE_CLOCK_ENV);
    env = *__real_ml_env_system();
    if (clock >= 0) {
        moved = clock_of(clock);
        env.now_ms = now_ms;
        env.wall_ms = wall_ms;
    }
    if (disk >= 0) {
        powercut_socket(disk);
        powercut_vfs_register();
        env.fs = &powercut_fs;
    }
    return &env;
}

int mailled_main(int argc, char **argv); /* net/daemon/main.c, renamed by CMake */

int main(int argc, char **argv)
{
    return mailled_main(argc, argv);
}
