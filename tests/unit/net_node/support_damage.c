/* support_damage.c -- see support_damage.h. */
#include "support_damage.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "support_request.h"

/* The first path that a pattern gives; false: none. */
static bool path_match(char path[512], const char *pattern)
{
    glob_t found;
    bool there = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (there) {
        snprintf(path, 512, "%s", found.gl_pathv[0]);
    }
    globfree(&found);
    return there;
}

static bool path_find(char path[512], struct cluster *c, unsigned n, const char *name)
{
    char pattern[512];
    snprintf(pattern, sizeof(pattern), "%s/????????????????*/%s", c->nodes[n].home, name);
    return path_match(path, pattern);
}

static uint8_t *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    ML_ASSERT(f != NULL);
    ML_ASSERT(fseek(f, 0, SEEK_END) == 0);
    long size = ftell(f);
    ML_ASSERT(size >= 0 && fseek(f, 0, SEEK_SET) == 0);
    uint8_t *bytes = malloc((size_t)size + 1);
    ML_ASSERT(bytes != NULL);
    *len = fread(bytes, 1, (size_t)size, f);
    fclose(f);
    return bytes;
}

static void file_write(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    ML_ASSERT(f != NULL);
    size_t put = fwrite(bytes, 1, len, f);
    ML_ASSERT(put == len);
    int rc = fclose(f);
    ML_ASSERT(rc == 0);
}

static void file_flip(const char *path, size_t at)
{
    size_t len = 0;
    uint8_t *bytes = file_read(path, &len);
    ML_ASSERT(at < len);
    bytes[at] ^= 0x10;
    file_write(path, bytes, len);
    free(bytes);
}

uint8_t *damage_read(struct cluster *c, unsigned n, const char *name, size_t *len)
{
    char path[512];
    bool there = path_find(path, c, n, name);
    ML_ASSERT(there);
    return file_read(path, len);
}

void damage_write(struct cluster *c, unsigned n, const char *name, const void *bytes, size_t len)
{
    char path[512];
    bool there = path_find(path, c, n, name);
    ML_ASSERT(there);
    file_write(path, bytes, len);
}

void damage_flip(struct cluster *c, unsigned n, const char *name, size_t at)
{
    char path[512];
    bool there = path_find(path, c, n, name);
    ML_ASSERT(there);
    file_flip(path, at);
}

void damage_copy(struct cluster *c, unsigned n, const char *name, const char *to)
{
    char path[512];
    char copy[600];
    size_t len = 0;
    bool there = path_find(path, c, n, name);
    ML_ASSERT(there);
    uint8_t *bytes = file_read(path, &len);
    const char *slash = strrchr(path, '/');
    snprintf(copy, sizeof(copy), "%.*s/%s", (int)(slash - path), path, to);
    file_write(copy, bytes, len);
    free(bytes);
}

void damage_hide(struct cluster *c, unsigned n, const char *name, bool hidden)
{
    char path[512];
    char kept[600];
    bool there = path_find(path, c, n, name);
    ML_ASSERT(there);
    snprintf(kept, sizeof(kept), "%s.kept", path);
    bool done = hidden ? rename(path, kept) == 0 && mkdir(path, 0700) == 0
                       : rmdir(path) == 0 && rename(kept, path) == 0;
    ML_ASSERT(done);
}

void damage_remove(struct cluster *c, unsigned n, const char *name)
{
    char path[512];
    bool gone = !path_find(path, c, n, name) || unlink(path) == 0;
    ML_ASSERT(gone);
}

bool damage_exists(struct cluster *c, unsigned n, const char *name)
{
    char path[512];
    return path_find(path, c, n, name);
}

void damage_anchor_path(struct cluster *c, unsigned n, char *out, size_t size, const char *suffix)
{
    char path[512];
    char pattern[512];
    snprintf(pattern, sizeof(pattern), "%s/anchor/*", c->nodes[n].state);
    bool there = path_match(path, pattern);
    ML_ASSERT(there);
    snprintf(out, size, "%s%s", path, suffix);
}

void damage_flip_anchor(struct cluster *c, unsigned n, size_t at)
{
    char path[512];
    damage_anchor_path(c, n, path, sizeof(path), "");
    file_flip(path, at);
}

static int number(const struct ml_value *v, const char *key)
{
    return (int)ml_value_int(ml_value_get(v, key), 0);
}

bool damage_told(struct cluster *c, unsigned n, const char *file, struct damage_told *out)
{
    struct story_request r;
    bool found = false;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "node.status"), "node.status");
    const struct ml_value *org = ml_value_at(story_get(&r, "orgs"), 0);
    const struct ml_value *d = ml_value_at(ml_value_get(org, "damage"), 0);
    for (; d != NULL && !found; d = ml_value_next(d)) {
        found = strcmp(ml_value_text(ml_value_get(d, "file"), ""), file) == 0;
        if (found) {
            out->lost = number(d, "lost");
            out->missing = number(d, "missing");
            out->kept = number(d, "kept");
            out->bodies_lost = number(d, "bodies_lost");
            out->places = (int)ml_value_count(ml_value_get(d, "places"));
            out->unreadable = ml_value_bool(ml_value_get(d, "unreadable"), false);
            snprintf(out->aside, sizeof(out->aside), "%s",
                     ml_value_text(ml_value_get(d, "aside"), ""));
        }
    }
    story_end(&r);
    return found;
}
