/* net/node/home.c -- see home.h. A structure's folder is its org_id in 64 hex digits; any other
 * name in a home is left alone. */
#include "net/node/home.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/ids.h"
#include "core/store/file.h"

enum { ORG_HEX_LEN = 64 };

static ml_err err_from_errno(int code)
{
    switch (code) {
    case 0:
        return ML_OK;
    case ENOSPC:
    case EDQUOT:
        return ML_E_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ML_E_READONLY;
    case ENAMETOOLONG:
        return ML_E_LIMIT;
    case ENOMEM:
        return ML_E_NOMEM;
    default:
        return ML_E_IO;
    }
}

/* Makes each folder of `path` up to its last '/', or all of it when it ends with one. */
static ml_err make_folders(const char *path)
{
    char part[ML_PATH_MAX];
    size_t len = strlen(path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return err_from_errno(errno);
        }
    }
    return ML_OK;
}

static ml_err path_of(char path[ML_PATH_MAX], const char *const *parts, size_t count)
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
    return make_folders(path);
}

ml_err ml_home_open(struct ml_home *home, const char *root, const char *state)
{
    struct ml_home made;
    const char *const root_parts[] = {root, "/"};
    const char *const state_parts[] = {state, "/"};
    ml_err err = path_of(made.root, root_parts, 2);
    if (err == ML_OK) {
        err = path_of(made.state, state_parts, 2);
    }
    if (err == ML_OK) {
        *home = made;
    }
    return err;
}

ml_err ml_home_remove_db(const char *path)
{
    char wal[ML_PATH_MAX];
    int len = snprintf(wal, sizeof(wal), "%s-wal", path);
    if (len < 0 || (size_t)len >= sizeof(wal)) {
        return ML_E_LIMIT;
    }
    /* The WAL first: a main file alone is whole, a WAL alone is refused at opening. */
    if ((unlink(wal) != 0 && errno != ENOENT) || (unlink(path) != 0 && errno != ENOENT)) {
        return err_from_errno(errno);
    }
    return ML_OK;
}

/* `<path><suffix>`, or `<path>.damaged-<k><suffix>`. */
static ml_err name_of(char out[ML_PATH_MAX], const char *path, unsigned k, const char *suffix)
{
    const int len = k == 0 ? snprintf(out, ML_PATH_MAX, "%s%s", path, suffix)
                           : snprintf(out, ML_PATH_MAX, "%s.damaged-%u%s", path, k, suffix);
    return len < 0 || (size_t)len >= ML_PATH_MAX ? ML_E_LIMIT : ML_OK;
}

bool ml_home_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static ml_err aside_find(const char *path, unsigned *k)
{
    enum { ASIDE_MAX = 1000 };
    char name[ML_PATH_MAX];
    for (*k = 1; *k < ASIDE_MAX; (*k)++) {
        ml_err err = name_of(name, path, *k, "");
        if (err != ML_OK || !ml_home_exists(name)) {
            return err;
        }
    }
    return ML_E_LIMIT;
}

ml_err ml_home_aside_name(const char *path, char name[ML_ASIDE_NAME_MAX])
{
    char full[ML_PATH_MAX];
    unsigned k = 0;
    ml_err err = aside_find(path, &k);
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

static ml_err rename_one(const char *path, unsigned k, const char *suffix)
{
    char from[ML_PATH_MAX];
    char to[ML_PATH_MAX];
    ml_err err = name_of(from, path, 0, suffix);
    if (err == ML_OK) {
        err = name_of(to, path, k, suffix);
    }
    if (err == ML_OK && rename(from, to) != 0 && errno != ENOENT) {
        err = err_from_errno(errno);
    }
    return err;
}

ml_err ml_home_set_aside(const char *path, char name[ML_ASIDE_NAME_MAX])
{
    unsigned k = 0;
    ml_err err = ml_home_aside_name(path, name);
    if (err == ML_OK) {
        err = aside_find(path, &k);
    }
    if (err == ML_OK) { /* the WAL first: a cut between them finds the same name again */
        err = rename_one(path, k, "-wal");
    }
    if (err == ML_OK) {
        err = rename_one(path, k, "");
    }
    return err == ML_OK ? ml_file_sync_folder(path) : err;
}

ml_err ml_home_rename(const char *from, const char *to)
{
    char lock[ML_PATH_MAX];
    ml_err err = name_of(lock, from, 0, "-lock");
    if (err == ML_OK && rename(from, to) != 0) {
        err = err_from_errno(errno);
    }
    if (err == ML_OK) {
        (void)unlink(lock); /* an empty file: left behind it does no harm */
        err = ml_file_sync_folder(to);
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
    return path_of(path, parts, 4);
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
    return path_of(path, parts, 7);
}

ml_err ml_home_anchor(const struct ml_home *home, char path[ML_PATH_MAX],
                      const struct ml_org_id *org, const struct ml_node_id *node)
{
    char hex[ORG_HEX_LEN + 1];
    char id[2 * sizeof(node->b) + 1];
    org_hex(hex, org);
    ml_hex_encode(id, node->b, sizeof(node->b));
    const char *const parts[] = {home->state, "anchor/", hex, "-", id};
    return path_of(path, parts, 5);
}

ml_err ml_home_each_org(const struct ml_home *home, ml_home_org_cb *each, void *user)
{
    DIR *dir = opendir(home->root);
    if (dir == NULL) {
        return err_from_errno(errno);
    }
    ml_err err = ML_OK;
    struct dirent *entry = NULL;
    errno = 0;
    while (err == ML_OK && (entry = readdir(dir)) != NULL) {
        struct ml_org_id org;
        if (strlen(entry->d_name) == ORG_HEX_LEN &&
            ml_hex_decode(org.b, sizeof(org.b), entry->d_name, ORG_HEX_LEN) == ML_OK) {
            err = each(user, &org);
        }
        errno = 0;
    }
    if (err == ML_OK && errno != 0) { /* else a structure of this home would silently lack */
        err = err_from_errno(errno);
    }
    closedir(dir);
    return err;
}
