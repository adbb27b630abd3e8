/* net/node/damage_part.c -- a WAL with a destroyed frame in its middle refuses the whole log (rules
 * C2). A copy of both files, its WAL cut before that frame, opens: all up to the commit before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store/file.h"
#include "core/store/vfs/vfs.h"
#include "net/node/damage.h"

enum { WAL_HEADER = 32, WAL_FRAME = 4120 };

static ml_err copy_fds(int to, int from, uint64_t max)
{
    uint8_t block[16384];
    ml_err err = ML_OK;
    while (max > 0 && err == ML_OK) {
        const ssize_t n = read(from, block, max < sizeof(block) ? (size_t)max : sizeof(block));
        if (n < 0) {
            return ml_file_err(errno);
        }
        if (n == 0) {
            break;
        }
        err = ml_file_write_all(to, ml_slice(block, (size_t)n));
        max -= (uint64_t)n;
    }
    return err;
}

static ml_err copy_file(const char *path, const char *to, uint64_t max)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int fd = from < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ml_err err = fd < 0 ? ml_file_err(errno) : copy_fds(fd, from, max);
    if (from >= 0) {
        (void)close(from); /* it was only read */
    }
    if (fd >= 0 && close(fd) != 0 && err == ML_OK) {
        err = ml_file_err(errno);
    }
    return err;
}

/* The frame that the VFS named last; 0: it named another thing. */
static unsigned frame_named(const struct ml_org *org)
{
    static const char words[] = "WAL, frame ";
    char text[160] = "";
    if (ml_vfs_last_error(org->log_vfs, text, sizeof(text)) != ML_E_CORRUPT ||
        strncmp(text, words, sizeof(words) - 1) != 0) {
        return 0;
    }
    const unsigned long frame = strtoul(text + sizeof(words) - 1, NULL, 10);
    return frame <= UINT_MAX ? (unsigned)frame : 0;
}

ml_err ml_damage_log_part(const struct ml_org *org, const char *path, const char *part)
{
    char wal[ML_PATH_MAX];
    char part_wal[ML_PATH_MAX];
    const unsigned frame = frame_named(org);
    if (frame == 0) {
        return ML_E_NOT_FOUND;
    }
    const int a = snprintf(wal, sizeof(wal), "%s-wal", path);
    const int b = snprintf(part_wal, sizeof(part_wal), "%s-wal", part);
    if (a < 0 || b < 0 || (size_t)a >= sizeof(wal) || (size_t)b >= sizeof(part_wal)) {
        return ML_E_LIMIT;
    }
    ml_err err = copy_file(path, part, UINT64_MAX);
    return err == ML_OK ? copy_file(wal, part_wal, WAL_HEADER + (uint64_t)(frame - 1) * WAL_FRAME)
                        : err;
}
