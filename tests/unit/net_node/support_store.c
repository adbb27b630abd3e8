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

enum file_of { FILE_LOG, FILE_VAULT, FILE_DRAFTS, FILES };

struct place_of {
    const char *vfs;
    char path[ML_PATH_MAX];
};

/* A database of the unlocked node n. */
static void db_of(struct cluster *c, unsigned n, enum file_of file, struct place_of *out)
{
    const struct ml_org *org = c->nodes[n].node->orgs;
    const struct ml_member_id *member = &org->session->member;
    const struct ml_home *home = &org->node->home;
    ml_err err = ML_OK;
    switch (file) {
    case FILE_LOG:
        out->vfs = org->log_vfs;
        err = ml_home_file(home, out->path, &org->id, "log.db");
        break;
    case FILE_VAULT:
        out->vfs = org->session->vault_vfs;
        err = ml_home_member_file(home, out->path, &org->id, "vaults", member);
        break;
    case FILE_DRAFTS:
    case FILES:
    default:
        out->vfs = org->session->drafts_vfs;
        err = ml_home_member_file(home, out->path, &org->id, "drafts", member);
        break;
    }
    ML_ASSERT(err == ML_OK);
}

/* One value that the file itself tells, as a line. */
static void db_tell(struct cluster *c, const struct place_of *of, const char *sql, FILE *out)
{
    struct ml_db *db = NULL;
    struct ml_stmt *st = NULL;
    bool row = false;
    const struct ml_db_args args = {.env = &c->fake.env, .path = of->path, .vfs = of->vfs};
    ml_err err = ml_db_open(&db, &args);
    ML_ASSERT(err == ML_OK);
    err = ml_stmt_prepare(&st, db, sql);
    ML_ASSERT(err == ML_OK);
    err = ml_stmt_step(st, &row);
    ML_ASSERT(err == ML_OK && row);
    const struct ml_slice text = ml_stmt_text(st, 0);
    fprintf(out, "%.*s\n", (int)text.len, (const char *)text.data);
    ml_stmt_free(st);
    ml_db_close(db);
}

void store_layout(struct cluster *c, unsigned n, FILE *out)
{
    for (enum file_of file = FILE_LOG; file < FILES; file++) {
        struct place_of of;
        db_of(c, n, file, &of);
        db_tell(c, &of,
                "SELECT group_concat(x, ';') FROM (SELECT type || ' ' || name || ' ' ||"
                " ifnull(sql, '') AS x FROM sqlite_master ORDER BY type, name)",
                out);
    }
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
    static const char *const names[] = {"log", "vault", "drafts"};
    const struct ml_org *org = c->nodes[n].node->orgs;
    struct place_of of;
    char path[ML_PATH_MAX];
    char head[5] = "";
    for (enum file_of file = FILE_LOG; file < FILES; file++) {
        db_of(c, n, file, &of);
        fprintf(out, "%s ", names[file]);
        db_tell(c, &of, "PRAGMA user_version", out);
    }
    db_of(c, n, FILE_LOG, &of);
    head_of(of.path, 4092, head, 4);
    fprintf(out, "pages %d\n", head[3]);
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "keystore");
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
