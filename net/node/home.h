/* net/node/home.h -- where a home's files are (docs/storage.md). Folders are made 0700. */
#ifndef ML_NODE_HOME_H
#define ML_NODE_HOME_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/env.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_PATH_MAX 1024u /* bytes of a path, its NUL included */

struct ml_home {
    const struct ml_env *env; /* borrowed: files are its */
    char root[ML_PATH_MAX];
    char state[ML_PATH_MAX];
};

/** Makes the folders. Errors: LIMIT (a path too long), READONLY, FULL, IO. */
ml_err ml_home_open(struct ml_home *home, const struct ml_env *env, const char *root,
                    const char *state) ML_MUST_CHECK;

/** `path` gets <root>/<org>/<name>; the folder above it is made. Errors as ml_home_open. */
ml_err ml_home_file(const struct ml_home *home, char path[ML_PATH_MAX], const struct ml_org_id *org,
                    const char *name) ML_MUST_CHECK;
/** `<root>/<org>/<folder>/<member>.db` */
ml_err ml_home_member_file(const struct ml_home *home, char path[ML_PATH_MAX],
                           const struct ml_org_id *org, const char *folder,
                           const struct ml_member_id *member) ML_MUST_CHECK;
/** `<state>/anchor/<org>-<node>`: an account may have two homes of one structure (ADR 0011). */
ml_err ml_home_anchor(const struct ml_home *home, char path[ML_PATH_MAX],
                      const struct ml_org_id *org, const struct ml_node_id *node) ML_MUST_CHECK;

/** Deletes a database and its WAL; absent: nothing to do. IO, READONLY. */
ml_err ml_home_remove_db(const struct ml_env *env, const char *path) ML_MUST_CHECK;

/** Damaged files keep their bytes under the first free name `<name>.damaged-<k>` beside them. */
#define ML_ASIDE_NAME_MAX 128u
/** That name, without the folder. LIMIT: there are a thousand already. */
ml_err ml_home_aside_name(const struct ml_env *env, const char *path,
                          char name[ML_ASIDE_NAME_MAX]) ML_MUST_CHECK;
/** Renames a file, and the WAL of a database with it, durably. Absent: nothing to do. */
ml_err ml_home_set_aside(const struct ml_env *env, const char *path,
                         char name[ML_ASIDE_NAME_MAX]) ML_MUST_CHECK;
/** Over what is there, durably; both in one folder. The lock file of a database isn't kept. */
ml_err ml_home_rename(const struct ml_env *env, const char *from, const char *to) ML_MUST_CHECK;
bool ml_home_exists(const struct ml_env *env, const char *path);

/** Called once for each structure of the home; an error of it ends the walk. */
typedef ml_err ml_home_org_cb(void *user, const struct ml_org_id *org);
ml_err ml_home_each_org(const struct ml_home *home, ml_home_org_cb *each, void *user) ML_MUST_CHECK;

#endif
