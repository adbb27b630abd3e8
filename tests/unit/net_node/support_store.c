/* support_store.c -- see support_store.h. */
#include "support_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/db.h"
#include "net/node/state.h"
#include "support_story.h"

enum { PATH_BYTES = 600 };

void store_draft_put(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "form", STORE_DRAFT_FORM);
    ml_args_key(r.args, "content");
    ml_args_bytes(r.args, (const uint8_t *)STORE_DRAFT_TEXT, strlen(STORE_DRAFT_TEXT));
    story_must(&r, story_send(&r, c, n, "draft.put"), "draft.put");
    story_end(&r);
}

bool store_draft_is_there(struct cluster *c, unsigned n)
{
    struct story_request r;
    size_t len = 0;
    story_ask(&r);
    story_put(&r, "form", STORE_DRAFT_FORM);
    ml_err err = story_send(&r, c, n, "draft.get");
    const uint8_t *bytes = err == ML_OK ? ml_value_bytes(story_get(&r, "content"), &len) : NULL;
    const bool same = bytes != NULL && len == strlen(STORE_DRAFT_TEXT) &&
                      memcmp(bytes, STORE_DRAFT_TEXT, len) == 0;
    story_end(&r);
    return same;
}

/* The version of an open database's tables, as the file itself says. */
static int version_of(struct cluster *c, const char *vfs, const char *path)
{
    struct ml_db *db = NULL;
    struct ml_stmt *st = NULL;
    bool row = false;
    const struct ml_db_args args = {.env = &c->fake.env, .path = path, .vfs = vfs};
    ml_err err = ml_db_open(&db, &args);
    ML_ASSERT(err == ML_OK);
    err = ml_stmt_prepare(&st, db, "PRAGMA user_version");
    ML_ASSERT(err == ML_OK);
    err = ml_stmt_step(st, &row);
    ML_ASSERT(err == ML_OK && row);
    const int version = (int)ml_stmt_int(st, 0);
    ml_stmt_free(st);
    ml_db_close(db);
    return version;
}

/* The first bytes of a file, where its version stands in clear. */
static void head_of(const char *path, size_t skip, char *out, size_t len)
{
    FILE *file = fopen(path, "rb");
    ML_ASSERT(file != NULL && fseek(file, (long)skip, SEEK_SET) == 0);
    ML_ASSERT(fread(out, 1, len, file) == len);
    fclose(file);
}

static void describe_versions(struct cluster *c, unsigned n, FILE *out)
{
    const struct ml_org *org = c->nodes[n].node->orgs;
    char path[ML_PATH_MAX];
    char head[5] = "";
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "log.db");
    ML_ASSERT(err == ML_OK);
    fprintf(out, "log %d\n", version_of(c, org->log_vfs, path));
    head_of(path, 4092, head, 4);
    fprintf(out, "pages %d\n", head[3]);
    err = ml_home_member_file(&org->node->home, path, &org->id, "vaults", &org->session->member);
    ML_ASSERT(err == ML_OK);
    fprintf(out, "vault %d\n", version_of(c, org->session->vault_vfs, path));
    err = ml_home_member_file(&org->node->home, path, &org->id, "drafts", &org->session->member);
    ML_ASSERT(err == ML_OK);
    fprintf(out, "drafts %d\n", version_of(c, org->session->drafts_vfs, path));
    err = ml_home_file(&org->node->home, path, &org->id, "keystore");
    ML_ASSERT(err == ML_OK);
    head_of(path, 8, head, 2);
    fprintf(out, "keystore %d\n", head[0] << 8 | head[1]);
    err = ml_home_file(&org->node->home, path, &org->id, "trace.journal");
    ML_ASSERT(err == ML_OK);
    head_of(path, 0, head, 4);
    fprintf(out, "journal %s\n", head);
    err = ml_home_anchor(&org->node->home, path, &org->id, &org->secrets.node);
    ML_ASSERT(err == ML_OK);
    head_of(path, 0, head, 4);
    fprintf(out, "anchor %s\n", head);
}

void store_describe(struct cluster *c, unsigned n, FILE *out)
{
    struct story_proof proof;
    const bool draft = store_draft_is_there(c, n); /* opens the file, too */
    story_verify(c, n, &proof);
    describe_versions(c, n, out);
    fprintf(out, "state_hash %s\nview_hash %s\n", proof.state_hash, proof.view_hash);
    fprintf(out, "patients %d\nops %d\nconflicts %d\n", proof.patients, proof.ops, proof.conflicts);
    fprintf(out, "chunks %d\nchunks_missing %d\nbodies_missing %d\npending %d\n", proof.chunks,
            proof.chunks_missing, proof.bodies_missing, proof.pending);
    fprintf(out, "draft %d\n", draft);
}

void store_copy(const char *from, const char *to)
{
    /* Locks are of a process, not of the store. */
    const char *const copy[] = {"cp", "-r", from, to, NULL};
    const char *const drop[] = {"find", to, "-name", "*-lock", "-delete", NULL};
    cluster_spawn(copy);
    cluster_spawn(drop);
}

void store_put(struct cluster *c, unsigned n, const char *store)
{
    char from[PATH_BYTES];
    snprintf(from, sizeof(from), "%s/home", store);
    store_copy(from, c->nodes[n].home);
    snprintf(from, sizeof(from), "%s/state", store);
    store_copy(from, c->nodes[n].state);
}
