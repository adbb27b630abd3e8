/* net/node/home.c -- see home.h. A structure's folder is its org_id in 64 hex digits; any other
 * name in a home is left alone. */
#include "net/node/home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/fs.h"
#include "core/base/ids.h"

enum { ORG_HEX_LEN = 64, ORGS_MAX = 1024 };

/* Makes each folder of `path` up to its last '/', or all of it when it ends with one. */
static ml_err make_folders(const struct ml_fs *fs, const char *path)
{
    char part[ML_PATH_MAX];
    size_t len = strlen(path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        int rc = fs->make_folder(fs->ctx, part);
        if (rc != 0) {
            return ml_file_err(rc);
        }
    }
    return ML_OK;
}

static ml_err path_of(const struct ml_home *home, char path[ML_PATH_MAX], const char *const *parts,
                      size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(parts[i]);
        if (len + n + 1 > ML_PATH_MAX) {
            return ML_E_LIMIT;
        }
        memcpy(path + len, parts[i], n);
        len += n;
    }
    path[len] = '\0';
    return make_folders(home->env->fs, path);
}

ml_err ml_home_open(struct ml_home *home, const struct ml_env *env, const char *root,
                    const char *state)
{
    struct ml_home made = {.env = env};
    const char *const root_parts[] = {root, "/"};
    const char *const state_parts[] = {state, "/"};
    ml_err err = path_of(&made, made.root, root_parts, 2);
    if (err == ML_OK) {
        err = path_of(&made, made.state, state_parts, 2);
    }
    if (err == ML_OK) {
        *home = made;
    }
    return err;
}

ml_err ml_home_remove_db(const struct ml_env *env, const char *path)
{
    const struct ml_fs *fs = env->fs;
    char wal[ML_PATH_MAX];
    int len = snprintf(wal, sizeof(wal), "%s-wal", path);
    if (len < 0 || (size_t)len >= sizeof(wal)) {
        return ML_E_LIMIT;
    }
    /* The WAL first: a main file alone is whole, a WAL alone is refused at opening. */
    int rc = fs->remove(fs->ctx, wal);
    if (rc == 0 || rc == ENOENT) {
        rc = fs->remove(fs->ctx, path);
    }
    return rc == ENOENT ? ML_OK : ml_file_err(rc);
}

/* `<path><suffix>`, or `<path>.damaged-<k><suffix>`. */
static ml_err name_of(char out[ML_PATH_MAX], const char *path, unsigned k, const char *suffix)
{
    const int len = k == 0 ? snprintf(out, ML_PATH_MAX, "%s%s", path, suffix)
                           : snprintf(out, ML_PATH_MAX, "%s.damaged-%u%s", path, k, suffix);
    return len < 0 || (size_t)len >= ML_PATH_MAX ? ML_E_LIMIT : ML_OK;
}

bool ml_home_exists(const struct ml_env *env, const char *path)
{
    return env->fs->exists(env->fs->ctx, path);
}

static ml_err aside_find(const struct ml_env *env, const char *path, unsigned *k)
{
    enum { ASIDE_MAX = 1000 };
    char name[ML_PATH_MAX];
    for (*k = 1; *k < ASIDE_MAX; (*k)++) {
        ml_err err = name_of(name, path, *k, "");
        if (err != ML_OK || !ml_home_exists(env, name)) {
            return err;
        }
    }
    return ML_E_LIMIT;
}

ml_err ml_home_aside_name(const struct ml_env *env, const char *path, char name[ML_ASIDE_NAME_MAX])
{
    char full[ML_PATH_MAX];
    unsigned k = 0;
    ml_err err = aside_find(env, path, &k);
    if (err == ML_OK) {
        err = name_of(full, path, k, "");
    }
    if (err != ML_OK) {
        return err;
    }
    const char *slash = strrchr(full, '/');
    const char *last = slash == NULL ? full : slash + 1;
    const size_t len = strlen(last);
    if (len >= ML_ASIDE_NAME_MAX) {
        return ML_E_LIMIT;
    }
    memcpy(name, last, len + 1);
    return ML_OK;
}

static ml_err rename_one(const struct ml_env *env, const char *path, unsigned k, const char *suffix)
{
    char from[ML_PATH_MAX];
    char to[ML_PATH_MAX];
    ml_err err = name_of(from, path, 0, suffix);
    if (err == ML_OK) {
        err = name_of(to, path, k, suffix);
    }
    int rc = err == ML_OK ? env->fs->rename(env->fs->ctx, from, to) : ENOENT;
    return rc == ENOENT ? err : ml_file_err(rc);
}

ml_err ml_home_set_aside(const struct ml_env *env, const char *path, char name[ML_ASIDE_NAME_MAX])
{
    unsigned k = 0;
    ml_err err = ml_home_aside_name(env, path, name);
    if (err == ML_OK) {
        err = aside_find(env, path, &k);
    }
    if (err == ML_OK) { /* the WAL first: a cut between them finds the same name again */
        err = rename_one(env, path, k, "-wal");
    }
    if (err == ML_OK) {
        err = rename_one(env, path, k, "");
    }
    return err == ML_OK ? ml_file_sync_folder(env, path) : err;
}

ml_err ml_home_rename(const struct ml_env *env, const char *from, const char *to)
{
    const struct ml_fs *fs = env->fs;
    char lock[ML_PATH_MAX];
    ml_err err = name_of(lock, from, 0, "-lock");
    if (err == ML_OK) {
        err = ml_file_err(fs->rename(fs->ctx, from, to));
    }
    if (err == ML_OK) {
        (void)fs->remove(fs->ctx, lock); /* an empty file: left behind it does no harm */
        err = ml_file_sync_folder(env, to);
    }
    return err;
}

static void org_hex(char hex[ORG_HEX_LEN + 1], const struct ml_org_id *org)
{
    ml_hex_encode(hex, org->b, sizeof(org->b));
}

ml_err ml_home_file(const struct ml_home *home, char path[ML_PATH_MAX], const struct ml_org_id *org,
                    const char *name)
{
    char hex[ORG_HEX_LEN + 1];
    org_hex(hex, org);
    const char *const parts[] = {home->root, hex, "/", name};
    return path_of(home, path, parts, 4);
}

ml_err ml_home_member_file(const struct ml_home *home, char path[ML_PATH_MAX],
                           const struct ml_org_id *org, const char *folder,
                           const struct ml_member_id *member)
{
    char hex[ORG_HEX_LEN + 1];
    char id[2 * sizeof(member->b) + 1];
    org_hex(hex, org);
    ml_hex_encode(id, member->b, sizeof(member->b));
    const char *const parts[] = {home->root, hex, "/", folder, "/", id, ".db"};
    return path_of(home, path, parts, 7);
}

ml_err ml_home_anchor(const struct ml_home *home, char path[ML_PATH_MAX],
                      const struct ml_org_id *org, const struct ml_node_id *node)
{
    char hex[ORG_HEX_LEN + 1];
    char id[2 * sizeof(node->b) + 1];
    org_hex(hex, org);
    ml_hex_encode(id, node->b, sizeof(node->b));
    const char *const parts[] = {home->state, "anchor/", hex, "-", id};
    return path_of(home, path, parts, 5);
}

static void found_take(void *user, const char *name)
{
    struct ml_buf *ids = user;
    struct ml_org_id org;
    if (strlen(name) == ORG_HEX_LEN &&
        ml_hex_decode(org.b, sizeof(org.b), name, ORG_HEX_LEN) == ML_OK) {
        ml_buf_append(ids, org.b, sizeof(org.b));
    }
}

/* Listed first, opened after: opening makes files. */
ml_err ml_home_each_org(const struct ml_home *home, ml_home_org_cb *each, void *user)
{
    const struct ml_fs *fs = home->env->fs;
    struct ml_org_id org;
    struct ml_buf ids;
    ml_buf_init(&ids, home->env, ORGS_MAX * sizeof(org));
    ml_err err = ml_file_err(fs->list(fs->ctx, home->root, found_take, &ids));
    err = err == ML_OK ? ids.err : err;
    for (size_t at = 0; at < ids.len && err == ML_OK; at += sizeof(org)) {
        memcpy(org.b, ids.data + at, sizeof(org.b));
        err = each(user, &org);
    }
    ml_buf_free(&ids);
    return err;
}
