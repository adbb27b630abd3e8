/* net/client/place.c -- see place.h.
 *
 * The socket's name holds a hash of the home's resolved path (FNV-1a 64: a name, not a secret), so
 * that each home has its own. Without a usable XDG_RUNTIME_DIR it lies in <home>/run. A path that
 * doesn't fit sun_path goes through /proc/self/fd.
 */
#include "net/client/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fs.h"

ml_err ml_err_from_errno(int code)
{
    switch (code) {
    case 0:
        return ML_OK;
    case ENOENT:
    case ENOTDIR:
        return ML_E_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ML_E_DENIED;
    case EROFS:
        return ML_E_READONLY;
    case ENOSPC:
    case EDQUOT:
        return ML_E_FULL;
    case ENOMEM:
        return ML_E_NOMEM;
    case ENAMETOOLONG:
    case EMFILE:
    case ENFILE:
        return ML_E_LIMIT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
        return ML_E_UNREACHABLE;
    case EEXIST:
    case EADDRINUSE:
        return ML_E_EXISTS;
    default:
        return ML_E_IO;
    }
}

static ml_err join(char *out, size_t size, const char *folder, const char *name)
{
    int n = snprintf(out, size, "%s/%s", folder, name);
    return n < 0 || (size_t)n >= size ? ML_E_LIMIT : ML_OK;
}

/* An absolute path from the environment, or NULL: a relative one is to be ignored (XDG). */
static const char *env_path(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value != NULL && value[0] == '/' ? value : NULL;
}

static ml_err home_default(char out[PATH_MAX], const char *variable, const char *under_home)
{
    const char *base = env_path(variable);
    if (base != NULL) {
        return join(out, PATH_MAX, base, "maille");
    }
    base = env_path("HOME");
    return base == NULL ? ML_E_INVALID : join(out, PATH_MAX, base, under_home);
}

ml_err ml_place_home(char out[PATH_MAX], const char *home)
{
    const char *given = home != NULL ? home : env_path("MAILLE_HOME");
    if (given == NULL) {
        return home_default(out, "XDG_DATA_HOME", ".local/share/maille");
    }
    if (given[0] == '\0') {
        return ML_E_INVALID;
    }
    int n = snprintf(out, PATH_MAX, "%s", given);
    return n < 0 || n >= PATH_MAX ? ML_E_LIMIT : ML_OK;
}

/* mkdir -p; only what is made here gets 0700. */
static ml_err folder_make(const char *path)
{
    const struct ml_fs *fs = ml_fs_system();
    char part[PATH_MAX];
    int n = snprintf(part, sizeof(part), "%s", path);
    if (n < 0 || (size_t)n >= sizeof(part)) {
        return ML_E_LIMIT;
    }
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') {
            continue;
        }
        char end = *p;
        *p = '\0';
        int rc = fs->make_folder(fs->ctx, part);
        if (rc != 0) {
            return ml_err_from_errno(rc);
        }
        *p = end;
        if (end == '\0') {
            return ML_OK;
        }
    }
}

/* Ours alone? Another user's folder would let him put his socket there. */
static bool folder_is_ours(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 0022) == 0;
}

static uint64_t path_hash(const char *path)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
        h = (h ^ *p) * 0x100000001b3u;
    }
    return h;
}

static ml_err place_socket(struct ml_place *place, const char *name)
{
    if (join(place->socket, sizeof(place->socket), place->run, name) == ML_OK) {
        return ML_OK;
    }
    place->run_fd = open(place->run, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->run_fd < 0) {
        return ml_err_from_errno(errno);
    }
    int n =
        snprintf(place->socket, sizeof(place->socket), "/proc/self/fd/%d/%s", place->run_fd, name);
    return n < 0 || (size_t)n >= sizeof(place->socket) ? ML_E_LIMIT : ML_OK;
}

static ml_err place_run(struct ml_place *place, bool make)
{
    char name[32];
    const char *runtime = env_path("XDG_RUNTIME_DIR");
    bool in_runtime = runtime != NULL && folder_is_ours(runtime);
    ml_err err = in_runtime ? join(place->run, sizeof(place->run), runtime, "maille")
                            : join(place->run, sizeof(place->run), place->home, "run");
    if (err == ML_OK && make) {
        err = folder_make(place->run);
    }
    if (err != ML_OK) {
        return err;
    }
    if (access(place->run, F_OK) != 0) {
        return ml_err_from_errno(errno);
    }
    if (!folder_is_ours(place->run)) {
        return ML_E_DENIED;
    }
    snprintf(name, sizeof(name), "%016llx.sock", (unsigned long long)path_hash(place->home));
    return place_socket(place, in_runtime ? name : "sock");
}

ml_err ml_place_find(struct ml_place *place, const char *home, bool make)
{
    char meant[PATH_MAX];
    *place = (struct ml_place){.run_fd = -1};
    ml_err err = ml_place_home(meant, home);
    if (err == ML_OK && make) {
        err = folder_make(meant);
    }
    if (err == ML_OK && realpath(meant, place->home) == NULL) {
        err = ml_err_from_errno(errno);
    }
    if (err == ML_OK) {
        err = home_default(place->state, "XDG_STATE_HOME", ".local/state/maille");
    }
    if (err == ML_E_INVALID) { /* no HOME (a service): beside the home, not inside it */
        err = join(place->state, sizeof(place->state), place->home, "../maille-state");
    }
    if (err == ML_OK && make) {
        err = folder_make(place->state);
    }
    return err == ML_OK ? place_run(place, make) : err;
}

void ml_place_free(struct ml_place *place)
{
    if (place->run_fd >= 0) {
        close(place->run_fd);
        place->run_fd = -1;
    }
}
