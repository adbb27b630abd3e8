/* net/node/damage_part.c -- a WAL with a destroyed frame in its middle refuses the whole log (rules
 * C2). A copy of both files, its WAL cut before that frame, opens: all up to the commit before it.
 * Of one whose header is destroyed nothing opens: the main file alone is the log as it was before.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/fs.h"
#include "core/store/vfs/vfs.h"
#include "net/node/damage.h"

enum { WAL_HEADER = 32, WAL_FRAME = 4120 };

static int copy_bytes(const struct ml_fs *fs, intptr_t to, intptr_t from, uint64_t max)
{
    uint8_t block[16384];
    size_t got = sizeof(block);
    for (uint64_t at = 0; at < max && got == sizeof(block); at += got) {
        const uint64_t left = max - at;
        const size_t want = left < sizeof(block) ? (size_t)left : sizeof(block);
        int rc = fs->read(fs->ctx, from, at, block, want, &got);
        if (rc == 0) {
            rc = fs->write(fs->ctx, to, at, block, got);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static ml_err copy_file(const struct ml_fs *fs, const char *path, const char *to, uint64_t max)
{
    intptr_t from = 0;
    intptr_t copy = 0;
    int rc = fs->open(fs->ctx, path, ML_FS_READ, &from);
    if (rc != 0) {
        return ml_file_err(rc);
    }
    rc = fs->open(fs->ctx, to, ML_FS_NEW, &copy);
    if (rc == 0) {
        rc = copy_bytes(fs, copy, from, max);
        fs->close(fs->ctx, copy);
    }
    fs->close(fs->ctx, from);
    return ml_file_err(rc);
}

/* How much of the WAL stands before what the VFS named last; false: it named another thing. */
static bool sound_part(const struct ml_org *org, uint64_t *bytes)
{
    static const char frame[] = "WAL, frame ";
    static const char header[] = "WAL, header";
    char text[160] = "";
    *bytes = 0;
    if (ml_vfs_last_error(org->log_vfs, text, sizeof(text)) != ML_E_CORRUPT) {
        return false;
    }
    if (strncmp(text, header, sizeof(header) - 1) == 0) {
        return true;
    }
    if (strncmp(text, frame, sizeof(frame) - 1) != 0) {
        return false;
    }
    const unsigned long number = strtoul(text + sizeof(frame) - 1, NULL, 10);
    *bytes = WAL_HEADER + (uint64_t)(number - 1) * WAL_FRAME;
    return number > 0 && number <= UINT_MAX;
}

ml_err ml_damage_log_part(const struct ml_org *org, const char *path, const char *part)
{
    char wal[ML_PATH_MAX];
    char part_wal[ML_PATH_MAX];
    uint64_t bytes = 0;
    if (!sound_part(org, &bytes)) {
        return ML_E_NOT_FOUND;
    }
    const int a = snprintf(wal, sizeof(wal), "%s-wal", path);
    const int b = snprintf(part_wal, sizeof(part_wal), "%s-wal", part);
    if (a < 0 || b < 0 || (size_t)a >= sizeof(wal) || (size_t)b >= sizeof(part_wal)) {
        return ML_E_LIMIT;
    }
    const struct ml_fs *fs = org->node->env->fs;
    ml_err err = copy_file(fs, path, part, UINT64_MAX);
    return err == ML_OK && bytes > 0 ? copy_file(fs, wal, part_wal, bytes) : err;
}
