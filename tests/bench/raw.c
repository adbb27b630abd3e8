/* tests/bench/raw.c -- see raw.h. */
#include "raw.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/node/state.h"

enum { TABLES_MAX = 32, COLUMNS_MAX = 24, NAME_MAX_BYTES = 64, SQL_MAX = 1024 };

struct table {
    char name[NAME_MAX_BYTES];
    sqlite3_stmt *read;
    sqlite3_stmt *write;
    int columns;
    uint64_t rows;
    uint64_t copied;
};

struct copying {
    struct bench *b;
    sqlite3 *from;
    sqlite3 *to;
    struct table tables[TABLES_MAX];
    size_t table_count;
    sqlite3_value **held; /* rows of one batch of one table */
    size_t held_room;
    double ms;
    double cpu_ms;
    uint64_t rows;
};

static bool sqlite_good(struct copying *c, sqlite3 *db, int rc, const char *what)
{
    if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE) {
        fprintf(stderr, "raw: %s: %s\n", what, sqlite3_errmsg(db));
        c->b->failed = true;
    }
    return !c->b->failed;
}

static bool run(struct copying *c, const char *sql)
{
    return sqlite_good(c, c->to, sqlite3_exec(c->to, sql, NULL, NULL, NULL), sql);
}

/* Tables and indexes as they stand, but for what SQLite keeps for itself. */
static void schema_copy(struct copying *c)
{
    sqlite3_stmt *s = NULL;
    const char *sql =
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT "
        "LIKE 'sqlite%' ORDER BY type DESC, rowid";
    sqlite_good(c, c->from, sqlite3_prepare_v2(c->from, sql, -1, &s, NULL), sql);
    while (!c->b->failed && sqlite3_step(s) == SQLITE_ROW) {
        run(c, (const char *)sqlite3_column_text(s, 2));
        if (strcmp((const char *)sqlite3_column_text(s, 0), "table") == 0 &&
            c->table_count < TABLES_MAX) {
            snprintf(c->tables[c->table_count++].name, NAME_MAX_BYTES, "%s",
                     (const char *)sqlite3_column_text(s, 1));
        }
    }
    sqlite3_finalize(s);
}

static void table_open(struct copying *c, struct table *t)
{
    char sql[SQL_MAX];
    sqlite3_stmt *count = NULL;
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", t->name);
    if (sqlite_good(c, c->from, sqlite3_prepare_v2(c->from, sql, -1, &count, NULL), sql) &&
        sqlite3_step(count) == SQLITE_ROW) {
        t->rows = (uint64_t)sqlite3_column_int64(count, 0);
    }
    sqlite3_finalize(count);
    snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", t->name);
    if (!sqlite_good(c, c->from, sqlite3_prepare_v2(c->from, sql, -1, &t->read, NULL), sql)) {
        return;
    }
    t->columns = sqlite3_column_count(t->read);
    int at = snprintf(sql, sizeof(sql), "INSERT INTO \"%s\" VALUES(?", t->name);
    for (int i = 1; i < t->columns; i++) {
        at += snprintf(sql + at, sizeof(sql) - (size_t)at, ",?");
    }
    snprintf(sql + at, sizeof(sql) - (size_t)at, ")");
    sqlite_good(c, c->to, sqlite3_prepare_v2(c->to, sql, -1, &t->write, NULL), sql);
}

/* Not timed. */
static size_t rows_hold(struct copying *c, struct table *t, uint64_t wanted)
{
    size_t held = 0;
    const size_t room = (size_t)wanted * (size_t)t->columns;
    if (room > c->held_room) {
        free(c->held);
        c->held = calloc(room, sizeof(sqlite3_value *));
        c->held_room = c->held == NULL ? 0 : room;
    }
    while (held < wanted && room <= c->held_room && sqlite3_step(t->read) == SQLITE_ROW) {
        for (int i = 0; i < t->columns; i++) {
            c->held[held * (size_t)t->columns + (size_t)i] =
                sqlite3_value_dup(sqlite3_column_value(t->read, i));
        }
        held++;
    }
    return held;
}

static void rows_write(struct copying *c, struct table *t, size_t held)
{
    for (size_t r = 0; r < held && !c->b->failed; r++) {
        for (int i = 0; i < t->columns; i++) {
            sqlite3_bind_value(t->write, i + 1, c->held[r * (size_t)t->columns + (size_t)i]);
        }
        sqlite_good(c, c->to, sqlite3_step(t->write), t->name);
        sqlite3_reset(t->write);
    }
}

static void rows_drop(struct copying *c, const struct table *t, size_t held)
{
    for (size_t i = 0; i < held * (size_t)t->columns; i++) {
        sqlite3_value_free(c->held[i]);
    }
}

static void batch_copy(struct copying *c, size_t batch, size_t batches)
{
    run(c, "BEGIN");
    for (size_t i = 0; i < c->table_count && !c->b->failed; i++) {
        struct table *t = &c->tables[i];
        const uint64_t until = (batch + 1) * t->rows / batches;
        const size_t held = rows_hold(c, t, until - t->copied);
        double start = bench_now_ms();
        double cpu = bench_cpu_ms();
        rows_write(c, t, held);
        c->ms += bench_now_ms() - start;
        c->cpu_ms += bench_cpu_ms() - cpu;
        rows_drop(c, t, held);
        t->copied = until;
        c->rows += held;
    }
    double start = bench_now_ms();
    double cpu = bench_cpu_ms();
    run(c, "COMMIT");
    c->ms += bench_now_ms() - start;
    c->cpu_ms += bench_cpu_ms() - cpu;
}

/* As core/store/log.c and core/record/vault.c open theirs. */
static const char pragmas_log[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
    "PRAGMA temp_store=MEMORY; PRAGMA cache_spill=0; PRAGMA wal_autocheckpoint=4000";
static const char pragmas_vault[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;"
    "PRAGMA temp_store=MEMORY; PRAGMA cache_spill=0; PRAGMA wal_autocheckpoint=4000";

static void database_open(struct copying *c, const char *path, const char *vfs, const char *plain)
{
    remove(plain);
    sqlite_good(c, c->from, sqlite3_open_v2(path, &c->from, SQLITE_OPEN_READWRITE, vfs), path);
    sqlite_good(c, c->to,
                sqlite3_open_v2(plain, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix"),
                plain);
}

static void database_copy(struct copying *c, const char *pragmas, size_t batches)
{
    run(c, pragmas);
    schema_copy(c);
    for (size_t i = 0; i < c->table_count && !c->b->failed; i++) {
        table_open(c, &c->tables[i]);
    }
    for (size_t i = 0; i < batches && !c->b->failed; i++) {
        batch_copy(c, i, batches);
    }
    for (size_t i = 0; i < c->table_count; i++) {
        sqlite3_finalize(c->tables[i].read);
        sqlite3_finalize(c->tables[i].write);
    }
    sqlite3_close(c->from);
    sqlite3_close(c->to);
    free(c->held);
}

static void log_path(const struct ml_org *org, char path[ML_PATH_MAX], struct bench *b)
{
    bench_good(b, ml_home_file(&org->node->home, path, &org->id, "log.db"), "log");
}

bool raw_measure(struct raw_took *out, struct bench *b, const struct ml_org *org, size_t batches)
{
    static struct copying log;
    static struct copying vault;
    char path[ML_PATH_MAX];
    char plain[BENCH_PATH];
    bench_say(b, "the same tables in stock SQLite");
    snprintf(plain, sizeof(plain), "%.400s/raw.db", b->folder);
    log = (struct copying){.b = b};
    vault = (struct copying){.b = b};
    log_path(org, path, b);
    database_open(&log, path, org->log_vfs, plain);
    database_copy(&log, pragmas_log, batches);
    bench_good(
        b, ml_home_member_file(&org->node->home, path, &org->id, "vaults", &org->session->member),
        "vault");
    database_open(&vault, path, org->session->vault_vfs, plain);
    database_copy(&vault, pragmas_vault, batches);
    remove(plain);
    *out = (struct raw_took){.ms = log.ms + vault.ms,
                             .log_ms = log.ms,
                             .cpu_ms = log.cpu_ms + vault.cpu_ms,
                             .rows = log.rows + vault.rows};
    return !b->failed;
}
