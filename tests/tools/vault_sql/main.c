/* tests/tools/vault_sql/main.c -- vault_sql HOME: every value of every table of a member's vault
 * and drafts, opened with the key of his session, and of the log, as SQL gives them, to stdout.
 *
 * HOME is a copy of a node's home that no daemon has open, with `anchors` in it, the state of its
 * anti-rollback records; the passphrase of its only member comes by stdin. Exit 0: all was read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/net_node/support_story.h"
#include "core/base/assert.h"
#include "core/store/db.h"
#include "net/node/session.h"
#include "net/node/state.h"

enum { SQL_BYTES = 400, NAME_BYTES = 120, NAMES_MAX = 64 };

struct names {
    char name[NAMES_MAX][NAME_BYTES];
    size_t count;
};

static void must(ml_err err, const char *what)
{
    if (err != ML_OK) {
        fprintf(stderr, "vault_sql: %s: %s\n", what, ml_err_name(err));
        exit(1);
    }
}

static void value_tell(struct ml_slice value)
{
    if (fwrite(value.data, 1, value.len, stdout) != value.len || putchar('\n') == EOF) {
        must(ML_E_IO, "stdout");
    }
}

static void name_keep(struct names *out, struct ml_slice value)
{
    if (out->count == NAMES_MAX || value.len >= NAME_BYTES) {
        must(ML_E_LIMIT, "names");
    }
    memcpy(out->name[out->count], value.data, value.len);
    out->name[out->count++][value.len] = '\0';
}

/* The first column of each row: into `out`, or (NULL) to stdout, a line each. */
static void query(struct ml_db *db, const char *sql, struct names *out)
{
    struct ml_stmt *st = NULL;
    bool row = false;
    must(ml_stmt_prepare(&st, db, sql), sql);
    must(ml_stmt_step(st, &row), sql);
    while (row) {
        if (out == NULL) {
            value_tell(ml_stmt_blob(st, 0));
        } else {
            name_keep(out, ml_stmt_blob(st, 0));
        }
        must(ml_stmt_step(st, &row), sql);
    }
    ml_stmt_free(st);
}

static void table_tell(struct ml_db *db, const char *table)
{
    struct names columns = {.count = 0};
    char sql[SQL_BYTES];
    snprintf(sql, sizeof(sql), "SELECT CAST(name AS BLOB) FROM pragma_table_info('%s')", table);
    query(db, sql, &columns);
    ML_ASSERT(columns.count > 0);
    for (size_t i = 0; i < columns.count; i++) {
        snprintf(sql, sizeof(sql), "SELECT CAST(\"%s\" AS BLOB) FROM \"%s\" WHERE \"%s\" NOT NULL",
                 columns.name[i], table, columns.name[i]);
        query(db, sql, NULL);
    }
}

static void db_tell(const struct cluster *c, const char *path, const char *vfs)
{
    struct names tables = {.count = 0};
    struct ml_db *db = NULL;
    const struct ml_db_args args = {.env = &c->fake.env, .path = path, .vfs = vfs};
    must(ml_db_open(&db, &args), path);
    query(db, "SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'table'", &tables);
    ML_ASSERT(tables.count > 0);
    for (size_t i = 0; i < tables.count; i++) {
        table_tell(db, tables.name[i]);
    }
    ml_db_close(db);
}

static void all_tell(struct cluster *c)
{
    struct ml_org *org = c->nodes[0].node->orgs;
    const struct ml_member_id *member = &org->session->member;
    const struct ml_home *home = &org->node->home;
    struct ml_drafts *drafts = NULL;
    char path[ML_PATH_MAX];
    must(ml_home_file(home, path, &org->id, "log.db"), "log");
    db_tell(c, path, org->log_vfs);
    must(ml_home_member_file(home, path, &org->id, "vaults", member), "vault");
    db_tell(c, path, org->session->vault_vfs);
    must(ml_session_drafts(org, &drafts), "drafts");
    must(ml_home_member_file(home, path, &org->id, "drafts", member), "drafts");
    db_tell(c, path, org->session->drafts_vfs);
}

int main(int argc, char **argv)
{
    static struct cluster c;
    char passphrase[200];
    if (argc != 2 || fgets(passphrase, sizeof(passphrase), stdin) == NULL) {
        fputs("vault_sql HOME < PASSPHRASE\n", stderr);
        return 2;
    }
    passphrase[strcspn(passphrase, "\n")] = '\0';
    cluster_init(&c, 1);
    snprintf(c.nodes[0].home, sizeof(c.nodes[0].home), "%s", argv[1]);
    snprintf(c.nodes[0].state, sizeof(c.nodes[0].state), "%s/anchors", argv[1]);
    cluster_start(&c, 0);
    must(story_try_unlock(&c, 0, passphrase), "unlock");
    all_tell(&c);
    cluster_free(&c);
    return 0;
}
