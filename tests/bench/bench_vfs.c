/* tests/bench/bench_vfs.c -- vfs.ratio: one workload of ours over two VFSes, alternating.
 *
 * A node's week, compressed, over the tables it has (bundles of the log, projected rows with an
 * index, full text): bundles arriving in batches, acts entered one by one (a commit and an fsync
 * each), updates, charts and time spans read, searches, then a purge with VACUUM. The same SQL,
 * seed and pragmas on both sides; the stock side is plain SQLite in WAL mode. Each round runs both,
 * the first of the two changing each round; the ratio is that of the medians. Beside it the median
 * of each round's own ratio, which a machine that slows down for some rounds disturbs less.
 *
 * At --scale 1 the tables about fill the page cache of 8 MiB; at larger scales they exceed it. The
 * ratios of the phases stand beside the whole: a phase that only moves pages (VACUUM) shows the
 * price of a seal, one that only reads what is cached shows the locks that cost us no system call.
 */
#include <getopt.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "core/store/vfs/vfs.h"

#define ROUNDS_MAX       99u
#define CHECKPOINT_PAGES 1000 /* cache, spill, checkpoints: as core/store/db.c sets them */
#define BENCH_VFS        "bench-sealed"

enum phase { INSERTS, ACTS, UPDATES, RANGES, FULL_TEXT, VACUUMED, PHASES };
static const char *const phase_names[PHASES] = {"insert", "act", "update",
                                                "range",  "fts", "vacuum"};

struct options {
    const char *dir;
    const char *sync;
    long rounds;
    long scale; /* 1: about 20,000 rows, 1,500 bundles */
};

struct run {
    sqlite3 *db;
    uint64_t rng;
    long scale;
    int seq;
    bool failed;
};

static void run_exec(struct run *r, const char *sql)
{
    if (!r->failed && sqlite3_exec(r->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s <- %s\n", sqlite3_errmsg(r->db), sql);
        r->failed = true;
    }
}

static sqlite3_stmt *run_prepare(struct run *r, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (!r->failed && sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s <- %s\n", sqlite3_errmsg(r->db), sql);
        r->failed = true;
    }
    return s;
}

/* Steps to the end, then ready for the next values. */
static void run_step(struct run *r, sqlite3_stmt *s)
{
    int rc = SQLITE_ROW;
    while (!r->failed && rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
    }
    r->failed = r->failed || rc != SQLITE_DONE;
    sqlite3_reset(s);
}

static int run_random(struct run *r, long below)
{
    return (int)(bench_next(&r->rng) % (uint64_t)below);
}

struct writer {
    sqlite3_stmt *bundle;
    sqlite3_stmt *row;
    sqlite3_stmt *text;
};

static void writer_open(struct writer *w, struct run *r)
{
    w->bundle = run_prepare(r, "INSERT INTO bundle(writer, seq, hash, body) VALUES(?,?,?,?)");
    w->row = run_prepare(r, "INSERT INTO obs(patient, kind, at, value) VALUES(?,?,?,?)");
    w->text = run_prepare(r, "INSERT INTO notes(text) VALUES(?)");
}

static void writer_close(struct writer *w)
{
    sqlite3_finalize(w->bundle);
    sqlite3_finalize(w->row);
    sqlite3_finalize(w->text);
}

static void random_fill(struct run *r, uint8_t *out, size_t bytes)
{
    for (size_t k = 0; k + 8 <= bytes; k += 8) {
        uint64_t x = bench_next(&r->rng);
        memcpy(out + k, &x, 8);
    }
}

static void write_bundle(struct run *r, struct writer *w, int body_bytes)
{
    uint8_t body[4096];
    random_fill(r, body, (size_t)body_bytes);
    sqlite3_bind_int(w->bundle, 1, run_random(r, 40));
    sqlite3_bind_int(w->bundle, 2, ++r->seq);
    sqlite3_bind_blob(w->bundle, 3, body, 32, SQLITE_STATIC);
    sqlite3_bind_blob(w->bundle, 4, body, body_bytes, SQLITE_STATIC);
    run_step(r, w->bundle);
}

/* Eight patients of ten are among those of the week. */
static int some_patient(struct run *r)
{
    long all = 2000 * r->scale;
    return run_random(r, run_random(r, 10) < 8 ? all / 10 : all);
}

static void write_rows(struct run *r, struct writer *w, int count)
{
    uint8_t value[160];
    int patient = some_patient(r);
    random_fill(r, value, sizeof(value));
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int(w->row, 1, patient);
        sqlite3_bind_int(w->row, 2, run_random(r, 40));
        sqlite3_bind_int64(w->row, 3, 1700000000 + r->seq);
        sqlite3_bind_blob(w->row, 4, value, 40 + run_random(r, 120), SQLITE_STATIC);
        run_step(r, w->row);
    }
}

/* Words of a dictionary of 4,000, the frequent ones more often. */
static void words(struct run *r, char *out, size_t bytes, int count)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        int word = run_random(r, 1 + run_random(r, 4000));
        at += (size_t)snprintf(out + at, bytes - at, "mot%dx ", word);
    }
}

static void write_text(struct run *r, struct writer *w)
{
    char text[1000];
    words(r, text, sizeof(text), 25);
    sqlite3_bind_text(w->text, 1, text, -1, SQLITE_TRANSIENT);
    run_step(r, w->text);
}

/* What a peer sends: bundles of 16 ops, committed in batches. */
static void inserts(struct run *r)
{
    struct writer w;
    run_exec(r,
             "CREATE TABLE bundle(id INTEGER PRIMARY KEY, writer INT, seq INT, hash BLOB UNIQUE,"
             " body BLOB);"
             "CREATE TABLE obs(id INTEGER PRIMARY KEY, patient INT, kind INT, at INT, value BLOB);"
             "CREATE INDEX obs_patient ON obs(patient, at);"
             "CREATE VIRTUAL TABLE notes USING fts5(text, tokenize = \"unicode61 "
             "remove_diacritics 2\")");
    writer_open(&w, r);
    for (int batch = 0; batch < 20 && !r->failed; batch++) {
        run_exec(r, "BEGIN");
        for (long i = 0; i < 60 * r->scale; i++) {
            write_bundle(r, &w, 2048);
            write_rows(r, &w, 16);
            write_text(r, &w);
        }
        run_exec(r, "COMMIT");
    }
    writer_close(&w);
}

/* What people enter: one commit an act. */
static void acts(struct run *r)
{
    struct writer w;
    writer_open(&w, r);
    for (long i = 0; i < 300 * r->scale && !r->failed; i++) {
        run_exec(r, "BEGIN");
        write_bundle(r, &w, 512);
        write_rows(r, &w, 3);
        write_text(r, &w);
        run_exec(r, "COMMIT");
    }
    writer_close(&w);
}

static void updates(struct run *r)
{
    sqlite3_stmt *s =
        run_prepare(r, "UPDATE obs SET kind = kind + 1 WHERE patient = ? AND kind < 9");
    for (int batch = 0; batch < 10 && !r->failed; batch++) {
        run_exec(r, "BEGIN");
        for (long i = 0; i < 100 * r->scale; i++) {
            sqlite3_bind_int(s, 1, some_patient(r));
            run_step(r, s);
        }
        run_exec(r, "COMMIT");
    }
    sqlite3_finalize(s);
}

/* Charts, spans of time, and a whole table now and then. */
static void ranges(struct run *r)
{
    sqlite3_stmt *s = run_prepare(r, "SELECT id, kind, at, value FROM obs "
                                     "WHERE patient = ? ORDER BY at DESC LIMIT 200");
    for (long i = 0; i < 3000 * r->scale && !r->failed; i++) {
        sqlite3_bind_int(s, 1, some_patient(r));
        run_step(r, s);
    }
    sqlite3_finalize(s);
    s = run_prepare(r, "SELECT kind, count(*), sum(length(value)) FROM obs "
                       "WHERE id BETWEEN ?1 AND ?1 + 2000 GROUP BY kind");
    for (long i = 0; i < 100 * r->scale && !r->failed; i++) {
        sqlite3_bind_int(s, 1, run_random(r, 18000 * r->scale));
        run_step(r, s);
    }
    sqlite3_finalize(s);
}

/* A search at each keystroke, by prefix and by rank. */
static void full_text(struct run *r)
{
    char query[200];
    sqlite3_stmt *s = run_prepare(r, "SELECT rowid, snippet(notes, 0, '', '', '', 8) FROM notes "
                                     "WHERE notes MATCH ? ORDER BY rank LIMIT 20");
    for (long i = 0; i < 800 && !r->failed; i++) {
        int word = 10 + run_random(r, 300);
        snprintf(query, sizeof(query), i % 2 == 0 ? "mot%dx" : "mot%d*", word);
        sqlite3_bind_text(s, 1, query, -1, SQLITE_TRANSIENT);
        run_step(r, s);
    }
    sqlite3_finalize(s);
}

static void vacuumed(struct run *r)
{
    run_exec(r, "DELETE FROM obs WHERE patient % 10 = 3");
    run_exec(r, "INSERT INTO notes(notes) VALUES('optimize')");
    run_exec(r, "VACUUM");
    run_exec(r, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void files_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock", "-new"};
    char name[600];
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

/* ms[PHASES]; false on any error. */
static bool workload(double *ms, const char *vfs, const char *path, const struct options *o)
{
    static void (*const phases[PHASES])(struct run *) = {inserts, acts,      updates,
                                                         ranges,  full_text, vacuumed};
    char pragmas[200];
    struct run r = {.rng = 1, .scale = o->scale};
    files_remove(path);
    r.failed =
        sqlite3_open_v2(path, &r.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) != SQLITE_OK;
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA cache_size=-8192;"
             "PRAGMA temp_store=MEMORY; PRAGMA cache_spill=0; PRAGMA wal_autocheckpoint=%d",
             o->sync, CHECKPOINT_PAGES);
    run_exec(&r, pragmas);
    for (int p = 0; p < PHASES; p++) {
        double start = bench_now_ms();
        phases[p](&r);
        ms[p] = bench_now_ms() - start;
    }
    sqlite3_close(r.db);
    files_remove(path);
    return !r.failed;
}

struct results {
    double sealed[PHASES + 1][ROUNDS_MAX];
    double stock[PHASES + 1][ROUNDS_MAX];
};

static void keep(double column[PHASES + 1][ROUNDS_MAX], const double *ms, long round)
{
    double total = 0;
    for (int p = 0; p < PHASES; p++) {
        column[p][round] = ms[p];
        total += ms[p];
    }
    column[PHASES][round] = total;
}

static bool measure(struct results *out, const struct options *o)
{
    char path[500];
    double ms[PHASES];
    snprintf(path, sizeof(path), "%s/maille-bench-%d.db", o->dir, (int)getpid());
    for (long i = 0; i < 2 * o->rounds; i++) {
        bool sealed = (i + i / 2) % 2 == 1; /* stock sealed, sealed stock, stock sealed... */
        if (!workload(ms, sealed ? BENCH_VFS : "unix", path, o)) {
            return false;
        }
        keep(sealed ? out->sealed : out->stock, ms, i / 2);
    }
    return true;
}

static double paired_ratio(const struct results *r, size_t rounds)
{
    double ratios[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        ratios[i] = r->sealed[PHASES][i] / r->stock[PHASES][i];
    }
    return bench_median(ratios, rounds);
}

static void print(struct results *r, const struct options *o)
{
    size_t n = (size_t)o->rounds;
    double paired = paired_ratio(r, n); /* before the columns are sorted */
    printf("{\"measure\": \"vfs.ratio\", \"rounds\": %ld, \"scale\": %ld, \"synchronous\": \"%s\", "
           "\"phases\": {",
           o->rounds, o->scale, o->sync);
    for (int p = 0; p < PHASES; p++) {
        double sealed = bench_median(r->sealed[p], n);
        double stock = bench_median(r->stock[p], n);
        printf("%s\"%s\": {\"sealed_ms\": %.1f, \"stock_ms\": %.1f, \"ratio\": %.3f}",
               p == 0 ? "" : ", ", phase_names[p], sealed, stock, sealed / stock);
    }
    double sealed = bench_median(r->sealed[PHASES], n);
    double stock = bench_median(r->stock[PHASES], n);
    printf("}, \"sealed_ms\": {\"p50\": %.1f, \"max\": %.1f}, \"stock_ms\": {\"p50\": %.1f, "
           "\"max\": %.1f}, \"ratio\": %.3f, \"paired_ratio\": %.3f, \"goal\": 1.25}\n",
           sealed, r->sealed[PHASES][n - 1], stock, r->stock[PHASES][n - 1], sealed / stock,
           paired);
}

static bool options_read(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"json", no_argument, NULL, 'j'},        {"rounds", required_argument, NULL, 'r'},
        {"scale", required_argument, NULL, 's'}, {"dir", required_argument, NULL, 'd'},
        {"sync", required_argument, NULL, 'y'},  {NULL, 0, NULL, 0}};
    const char *tmp = getenv("TMPDIR");
    *o = (struct options){
        .dir = tmp == NULL ? "/tmp" : tmp, .sync = "FULL", .rounds = 7, .scale = 1};
    for (int c = 0; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'j':
            break; /* the only form */
        case 'r':
            o->rounds = strtol(optarg, NULL, 10);
            break;
        case 's':
            o->scale = strtol(optarg, NULL, 10);
            break;
        case 'd':
            o->dir = optarg;
            break;
        case 'y':
            o->sync = optarg;
            break;
        default:
            return false;
        }
    }
    return o->rounds >= 1 && o->rounds <= (long)ROUNDS_MAX && o->scale >= 1 && o->scale <= 100;
}

static bool measured(struct results *out, const struct options *o)
{
    static const uint8_t key[ML_VFS_KEY_BYTES] = "a key for the measure of the vfs";
    if (ml_vfs_register_over(BENCH_VFS, key, "unix", 0) != ML_OK) {
        return false;
    }
    bool ok = measure(out, o);
    ml_vfs_unregister(BENCH_VFS);
    return ok;
}

int ml_bench_vfs_alone(int argc, char **argv)
{
    static struct results results;
    struct options o;
    if (!options_read(&o, argc, argv)) {
        return 2;
    }
    bool ok = measured(&results, &o);
    if (ok) {
        print(&results, &o);
    }
    return ok ? 0 : 1;
}

void ml_bench_vfs(struct bench *b)
{
    static struct results results;
    const struct options o = {

        .dir = b->dir, .sync = "FULL", .rounds = b->quick ? 1 : 7, .scale = 1};
    const size_t rounds = (size_t)o.rounds;
    if (!b->first_size) {
        return;
    }
    bench_say(b, "the sealing VFS and the stock one");
    if (!measured(&results, &o)) {
        bench_fail(b, "vfs", ML_E_IO);
        return;
    }
    const double paired = paired_ratio(&results, rounds); /* before the columns are sorted */
    const double sealed = bench_median(results.sealed[PHASES], rounds);
    const double stock = bench_median(results.stock[PHASES], rounds);
    bench_value(b, "vfs.ratio", sealed / stock, 1.25, false);
    bench_also(b, "vfs.ratio", "paired_ratio", paired);
    bench_also(b, "vfs.ratio", "rounds", (double)rounds);
}
