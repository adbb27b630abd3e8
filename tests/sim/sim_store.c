/* tests/sim/sim_store.c -- what stands on a disk, read without the node: with SQL of its own from a
 * copy of the disk (I5, I11), or judged and projected again from the raw bundles (I2). */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/msg.h"
#include "core/record/vault.h"
#include "core/store/vfs/vfs.h"
#include "net/node/state.h"
#include "sim.h"

/* Offers that are drawn, and of these the first and each so manieth after it is looked up: the
 * draws are those of the kept seeds. */
enum { LOOK_UP_OF_1000 = 60, LOOK_UP_EACH = 3, NAME_BYTES = 256 };

static const char vfs_name[] = "sim-outside";

static void must(int rc) /* SQLite's */
{
    ML_ASSERT(rc == 0);
}

static void must_ok(ml_err err)
{
    ML_ASSERT(err == ML_OK);
}

/* ---- a copy of a disk ---- */

static const char *file_named(struct fault_disk *d, const char *part, const char *without)
{
    const char *name = fault_disk_next_name(d, NULL);
    while (name != NULL && (strstr(name, part) == NULL || strstr(name, "damaged") != NULL ||
                            strstr(name, without) != NULL)) {
        name = fault_disk_next_name(d, name);
    }
    return name;
}

static void scratch_put(struct sim *s, struct fault_image *image)
{
    fault_disk_restart(s->scratch.disk, FAULT_KEEP_ALL);
    fault_disk_put_image(s->scratch.disk, image);
    fault_image_free(image);
}

static void scratch_clear(struct sim *s)
{
    for (const char *name = fault_disk_next_name(s->scratch.disk, NULL); name != NULL;
         name = fault_disk_next_name(s->scratch.disk, NULL)) {
        char gone[NAME_BYTES];
        snprintf(gone, sizeof(gone), "%s", name);
        fault_disk_remove(s->scratch.disk, gone);
    }
    fault_disk_restart(s->scratch.disk, FAULT_KEEP_ALL);
}

static sqlite3 *scratch_open(struct sim *s, const char *part, const uint8_t key[32])
{
    sqlite3 *db = NULL;
    const char *name = file_named(s->scratch.disk, part, "-");
    if (name == NULL) {
        return NULL;
    }
    must(ml_vfs_register_over(vfs_name, key, s->scratch.disk_name, 0));
    if (sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, vfs_name) != SQLITE_OK) {
        sqlite3_close(db);
        must(ml_vfs_unregister(vfs_name));
        return NULL;
    }
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

static void scratch_close(sqlite3 *db)
{
    if (db != NULL) {
        must(sqlite3_close(db));
        must(ml_vfs_unregister(vfs_name));
    }
}

/* One number; -1: it can't be had. */
static int64_t number_of(sqlite3 *db, const char *sql, struct ml_slice bound)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
        if (bound.len > 0) {
            (void)sqlite3_bind_blob(st, 1, bound.data, (int)bound.len, SQLITE_STATIC);
        }
        n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    }
    (void)sqlite3_finalize(st);
    return n;
}

/* ---- I5 ---- */

static const struct {
    const char *sql; /* counts what is wrong */
    const char *what;
} agreements[] = {
    {"SELECT (SELECT count(*) FROM bundle) <> (SELECT ifnull(max(n), 0) FROM bundle)",
     "numbers have gaps"},
    {"SELECT (SELECT count(*) FROM bundle) <> (SELECT bundles FROM tally)",
     "it counts other bundles than it has"},
    {"SELECT count(*) FROM (SELECT n FROM bundle EXCEPT SELECT prev FROM bundle EXCEPT "
     "SELECT n FROM head)",
     "the end of a chain isn't in the frontier"},
    {"SELECT count(*) FROM (SELECT n FROM head EXCEPT SELECT n FROM (SELECT n FROM bundle EXCEPT "
     "SELECT prev FROM bundle))",
     "the frontier names what isn't the end of a chain"},
    {"SELECT count(*) FROM (SELECT writer FROM bundle GROUP BY writer, lane HAVING "
     "count(DISTINCT seq) <> max(seq))",
     "a chain has a gap"},
    {"SELECT count(*) FROM bundle WHERE verdict NOT IN (1, 2)", "a bundle has no verdict"},
    {"SELECT (SELECT count(*) FROM bundle WHERE verdict = 2) <> (SELECT quarantined FROM tally)",
     "it counts other verdicts than it has"},
    {"SELECT count(*) FROM (SELECT n FROM bundle EXCEPT SELECT n FROM body EXCEPT "
     "SELECT n FROM fill EXCEPT SELECT n FROM hole)",
     "a body is absent without a reason (I4)"},
};

static void log_agrees(struct sim *s, unsigned i, sqlite3 *db)
{
    for (size_t k = 0; k < sizeof(agreements) / sizeof(agreements[0]); k++) {
        const int64_t wrong = number_of(db, agreements[k].sql, ml_slice(NULL, 0));
        if (wrong != 0) {
            sim_fail(s, "node %u after a crash: %s (I5, %lld: %s)", i, agreements[k].what,
                     (long long)wrong, sqlite3_errmsg(db));
        }
    }
    s->count.of[SIM_CHECKED_I5]++;
}

/* Its cursors, unless it followed a log that was since replaced. */
static void vault_agrees(struct sim *s, unsigned i, uint64_t last, uint64_t epoch)
{
    sqlite3_stmt *st = NULL;
    uint64_t words[3] = {0};
    sqlite3 *db = scratch_open(s, "/vaults/", s->nodes[i].keys.vault_key);
    if (db == NULL) {
        return;
    }
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'state'", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) >= (int)sizeof(words)) {
        const uint8_t *bytes = sqlite3_column_blob(st, 0);
        for (size_t k = 0; k < 3; k++) {
            words[k] = ml_get_u64be(bytes + k * sizeof(uint64_t));
        }
        s->count.of[SIM_CHECKED_I5_VAULT]++;
    }
    (void)sqlite3_finalize(st);
    if (words[2] == epoch && (words[0] > last || words[1] > last)) {
        sim_fail(s, "node %u after a crash: its vault is ahead of its log (I5): %llu, %llu, %llu",
                 i, (unsigned long long)words[0], (unsigned long long)words[1],
                 (unsigned long long)last);
    }
    scratch_close(db);
}

void sim_store_check(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    sim_damage_notice(s);
    if (!n->keys.log || n->damaged || file_named(n->disk, "/log-", "log.db") != NULL) {
        return;
    }
    scratch_put(s, fault_disk_image(n->disk, "/home"));
    sqlite3 *db = scratch_open(s, "/log.db", n->keys.log_key);
    if (db != NULL) {
        log_agrees(s, i, db);
        const int64_t last =
            number_of(db, "SELECT ifnull(max(n), 0) FROM bundle", ml_slice(NULL, 0));
        const int64_t epoch = number_of(db, "SELECT epoch FROM tally", ml_slice(NULL, 0));
        scratch_close(db);
        if (n->keys.vault) {
            vault_agrees(s, i, (uint64_t)last, (uint64_t)epoch);
        }
    }
    scratch_clear(s);
}

/* ---- I11 ---- */

static void keep_key(uint8_t out[32], bool *has, const struct ml_org *org, ml_kdf_id id,
                     const struct ml_member_id *member)
{
    struct ml_secret *key = NULL;
    if (!*has && ml_keystore_derive(org->keystore, id, member, &key) == ML_OK) {
        memcpy(out, ml_secret_bytes(key), 32);
        *has = true;
    }
    ml_secret_free(key);
}

void sim_store_keys(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    const struct ml_org *org = n->node == NULL ? NULL : n->node->orgs;
    if (org == NULL || !org->open) {
        return;
    }
    n->keys.org = org->id;
    keep_key(n->keys.log_key, &n->keys.log, org, ML_KDF_LOG_DB, NULL);
    if (org->session != NULL) {
        keep_key(n->keys.vault_key, &n->keys.vault, org, ML_KDF_VAULT, &org->session->member);
    }
}

static void look_up(struct sim *s, unsigned i, const struct ml_hash *hash)
{
    struct sim_node *n = &s->nodes[i];
    scratch_put(s, fault_disk_synced_image(n->disk, "/home"));
    sqlite3 *db = scratch_open(s, "/log.db", n->keys.log_key);
    if (db == NULL || number_of(db, "SELECT count(*) FROM bundle WHERE hash = ?1",
                                ml_slice(hash->b, sizeof(hash->b))) != 1) {
        sim_fail(s, "node %u offers a bundle that a power cut would take from it (I11): %s", i,
                 db == NULL ? "no log" : sqlite3_errmsg(db));
    }
    scratch_close(db);
    scratch_clear(s);
    s->count.of[SIM_CHECKED_I11_IMAGE]++;
}

static bool log_is_synced(struct fault_disk *d)
{
    const char *log = file_named(d, "/log.db", "-");
    const char *wal = file_named(d, "/log.db-wal", "lock");
    return log != NULL && fault_disk_is_synced(d, log) &&
           (wal == NULL || fault_disk_is_synced(d, wal));
}

void sim_store_offered(struct sim *s, unsigned i, struct ml_slice message)
{
    struct sim_node *n = &s->nodes[i];
    struct ml_msg msg;
    sim_damage_notice(s);
    struct ml_list_walk walk;
    struct ml_slice wire;
    if (message.len == 0 || message.data[0] != ML_MSG_BUNDLES || !n->keys.log || n->damaged ||
        fault_disk_is_dead(n->disk) || ml_msg_decode(&msg, message, NULL) != ML_OK) {
        return;
    }
    const bool synced = log_is_synced(n->disk);
    s->count.of[SIM_CHECKED_I11]++;
    ml_list_walk(&walk, &msg.u.bundles.items);
    while (ml_list_next(&walk, &ml_format_wire_bundle, &wire)) {
        struct ml_bundle b;
        if (ml_bundle_decode(&b, wire, NULL) != ML_OK) {
            sim_fail(s, "node %u offers what doesn't parse", i);
            return;
        }
        const struct ml_hash hash = ml_bundle_hash(&b, &n->keys.org);
        const struct sim_bundle *seen = sim_witness_find(s, hash.b);
        const bool fresh = seen == NULL || !seen->copy[i].here;
        const bool drawn = !synced || (fresh && b.header.seq > 1 && sim_chance(s, LOOK_UP_OF_1000));
        if (drawn && (!synced || s->offers_drawn++ % LOOK_UP_EACH == 0)) {
            look_up(s, i, &hash);
        }
        if (drawn) {
            return; /* one of a message tells as much as all */
        }
    }
}

/* ---- I2 ---- */

struct raw {
    struct ml_buf bytes;
    struct ml_slice *wires; /* owned */
    size_t count;
};

static void raw_read(struct raw *raw, struct ml_log *log)
{
    struct ml_log_entry e;
    size_t *ends = calloc(ml_log_last(log) + 1, sizeof(*ends));
    raw->wires = calloc(ml_log_last(log) + 1, sizeof(*raw->wires));
    ML_ASSERT(ends != NULL && raw->wires != NULL);
    ml_buf_init(&raw->bytes, ml_env_system(), 1u << 30);
    for (uint64_t n = 0; ml_log_after(log, n, ~0u, &e) == ML_OK; n = e.n) {
        must_ok(ml_bundle_join(&raw->bytes, e.header_bytes, &e.sig, &e.body));
        ends[raw->count++] = raw->bytes.len;
    }
    for (size_t i = 0; i < raw->count; i++) {
        const size_t start = i == 0 ? 0 : ends[i - 1];
        raw->wires[i] = ml_slice(raw->bytes.data + start, ends[i] - start);
    }
    free(ends);
}

static void raw_shuffle(struct sim *s, struct raw *raw)
{
    for (size_t i = raw->count; i > 1; i--) {
        const size_t k = (size_t)sim_below(s, i);
        const struct ml_slice other = raw->wires[k];
        raw->wires[k] = raw->wires[i - 1];
        raw->wires[i - 1] = other;
    }
}

static void raw_free(struct raw *raw)
{
    ml_buf_free(&raw->bytes);
    free(raw->wires);
}

static void count_stopped(void *user, const struct ml_log_outcome *outcome)
{
    *(size_t *)user += outcome->result == ML_LOG_STOPPED;
}

/* As peers give them: again while what came too early found no room (rules B24). */
static void raw_ingest(struct ml_log *fresh, const struct raw *raw)
{
    size_t stopped = 1;
    uint64_t last = 0;
    uint64_t before = UINT64_MAX;
    while (stopped > 0 && last != before) {
        before = last;
        stopped = 0;
        must_ok(ml_log_ingest(fresh, raw->wires, raw->count, count_stopped, &stopped));
        last = ml_log_last(fresh);
    }
}

struct again {
    struct sim *s;
    unsigned node;
    const struct ml_org *org;
    struct ml_log *fresh;
    bool in_time; /* those who keep keys have had their minute */
};

static void state_again(const struct again *a)
{
    struct ml_hash live;
    struct ml_hash fresh;
    struct ml_log_counts counts;
    must_ok(ml_log_state_hash(a->fresh, &fresh));
    must_ok(ml_log_counts(a->fresh, &counts));
    if (ml_log_state_hash(a->org->log, &live) == ML_OK &&
        (memcmp(&live, &fresh, sizeof(live)) != 0 || counts.pending != 0)) {
        sim_fail(a->s, "node %u: its bundles in another order give another state (I2), %llu wait",
                 a->node, (unsigned long long)counts.pending);
    }
    a->s->count.of[SIM_CHECKED_I2]++;
}

/* The vault of whoever is unlocked, if it has caught up. Who came after somebody was left out has
 * read what the wraps gave that a shred destroyed since: until he is given these keys again, within
 * a minute, his vault shows what one built again doesn't open. */
static void view_again(const struct again *a)
{
    const struct ml_session *session = a->org->session;
    struct ml_vault_counts counts;
    struct ml_vault_counts again;
    struct ml_hash live;
    struct ml_hash fresh;
    struct ml_vault *v = NULL;
    bool done = false;
    if (session == NULL || a->org->behind || !ml_vault_complete(session->vault) ||
        ml_vault_counts(session->vault, &counts) != ML_OK ||
        ml_vault_view_hash(session->vault, &live) != ML_OK) {
        return;
    }
    const struct ml_vault_args args = {.env = &a->s->scratch.env,
                                       .path = "/scratch/vault.db",
                                       .vfs = vfs_name,
                                       .org = a->org->id,
                                       .member = session->member,
                                       .mon_box = session->secrets.mon_box,
                                       .schema = a->org->node->schema,
                                       .create = true};
    must_ok(ml_vault_open(&v, &args));
    while (!done) {
        must_ok(ml_vault_catch_up(v, a->fresh, 4096, &done));
    }
    must_ok(ml_vault_view_hash(v, &fresh));
    must_ok(ml_vault_counts(v, &again));
    ml_vault_close(v);
    if (memcmp(&live, &fresh, sizeof(live)) != 0 && !a->in_time &&
        again.bundles_no_key > counts.bundles_no_key) {
        a->s->keys_awaited = true;
    } else if (memcmp(&live, &fresh, sizeof(live)) != 0) {
        sim_fail(a->s, "node %u: a vault built again shows something else (I2, I5)", a->node);
    }
    a->s->count.of[SIM_CHECKED_I2_VIEW]++;
}

static void recompute(struct sim *s, unsigned i, const struct ml_org *org, bool in_time)
{
    static const uint8_t key[32] = {1};
    struct again a = {.s = s, .node = i, .org = org, .in_time = in_time};
    struct raw raw = {.count = 0};
    const struct ml_log_args args = {.env = &s->scratch.env,
                                     .path = "/scratch/log.db",
                                     .vfs = vfs_name,
                                     .org = org->id,
                                     .create = true};
    raw_read(&raw, org->log);
    raw_shuffle(s, &raw);
    must(ml_vfs_register_over(vfs_name, key, s->scratch.disk_name, 0));
    must_ok(ml_log_open(&a.fresh, &args));
    raw_ingest(a.fresh, &raw);
    state_again(&a);
    view_again(&a);
    ml_log_close(a.fresh);
    must(ml_vfs_unregister(vfs_name));
    raw_free(&raw);
    scratch_clear(s);
}

void sim_store_recompute(struct sim *s, unsigned i, bool in_time)
{
    struct sim_node *n = &s->nodes[i];
    const struct ml_org *org = n->node == NULL ? NULL : n->node->orgs;
    if (org == NULL || !org->open || n->damaged || fault_disk_is_dead(n->disk) ||
        ml_log_damaged(org->log)) {
        return;
    }
    fault_disk_hold(n->disk, true);
    recompute(s, i, org, in_time);
    fault_disk_hold(n->disk, false);
}
