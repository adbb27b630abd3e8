/* tests/bench/bench_project.c -- maille-bench project: lane 1 and lane 3 of one writer from the log
 * into a vault, sealed files and durability as in a node; then searches and charts on it.
 *
 * Bundles of 16 observations of one patient each, through the real sealer and the real log. The
 * clock counts ml_vault_catch_up alone: decode, open, judge contents, merge, write. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/govop.h"
#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/crypto/key_id.h"
#include "core/model/seal.h"
#include "core/record/vault.h"
#include "core/record/views.h"
#include "maille/vfs.h"

enum { BUNDLE_OPS = 16, SEARCHES = 400, CHARTS = 100 };

struct bench {
    const struct ml_env *env;
    struct ml_org_id org;
    struct ml_team_id team;
    struct ml_member_id member;
    struct ml_secret *box, *seed, *root, *mon, *salt;
    struct ml_box_pk box_pk;
    struct ml_sign_pk sign_pk, root_pk, mon_pk;
    struct ml_writer_id writer;
    struct ml_log *log;
    struct ml_vault *vault; /* gives the keys for writing */
    struct ml_object_id *patients;
    uint32_t patient_count;
    uint32_t bundle_count;
    uint64_t rng;
    uint64_t hlc;
    char dir[200];
    ml_err err; /* the first */
};

static bool good(struct bench *b, ml_err err, const char *what)
{
    if (err != ML_OK && b->err == ML_OK) {
        b->err = err;
        fprintf(stderr, "project: %s: %s\n", what, ml_err_text(err));
    }
    return b->err == ML_OK;
}

static void check_stored(void *user, const struct ml_log_outcome *outcome)
{
    good(user, outcome->result == ML_LOG_STORED ? ML_OK : ML_E_PROTOCOL, "stored");
}

static void ingest(struct bench *b, const struct ml_buf *wire)
{
    const struct ml_slice one = ml_buf_slice(wire);
    good(b, ml_log_ingest(b->log, &one, 1, check_stored, b), "ingest");
}

static void genesis(struct bench *b)
{
    static const struct ml_org_id zero;
    struct ml_govop op = {.type = ML_GOVOP_ORG_FOUND, .known = true};
    struct ml_buf bytes, wire;
    struct ml_hash hash;
    op.u.org_found = (struct ml_org_found){.root_sign = b->root_pk,
                                           .root_box = b->box_pk,
                                           .audit_box = b->box_pk,
                                           .network_epoch = 1,
                                           .member = b->member,
                                           .role = 10,
                                           .node = {{2}},
                                           .mon_sign = b->mon_pk,
                                           .mon_box = b->box_pk,
                                           .writer = b->sign_pk,
                                           .noise = b->box_pk,
                                           .created = b->hlc};
    ml_buf_init(&bytes, b->env, 8192);
    ml_buf_init(&wire, b->env, ML_BUNDLE_BYTES_MAX);
    good(b, ml_govop_encode_cosigned(&bytes, &op, &zero, b->root), "genesis op");
    const struct ml_op_draft ops[] = {{.sealed = ml_buf_slice(&bytes)}};
    struct ml_bundle_draft draft = {.header = {.flags = ML_BUNDLE_FLAG_GENESIS,
                                               .writer = b->writer,
                                               .seq = 1,
                                               .gctx = ml_gctx_of(&zero, NULL, 0),
                                               .hlc = b->hlc},
                                    .ops = ops,
                                    .op_count = 1};
    if (good(b, ml_bundle_build(&wire, &hash, &draft, NULL, b->seed), "genesis")) {
        char path[256];
        memcpy(b->org.b, hash.b, sizeof(b->org.b));
        snprintf(path, sizeof(path), "%s/log.db", b->dir);
        const struct ml_log_args args = {
            .env = b->env, .path = path, .vfs = "bench", .org = b->org, .create = true};
        if (good(b, ml_log_open(&b->log, &args), "log")) {
            ingest(b, &wire);
        }
    }
    ml_buf_free(&bytes);
    ml_buf_free(&wire);
}

static struct ml_log_next next_of(struct bench *b, uint8_t lane)
{
    struct ml_log_next next = {.seq = 1};
    good(b, ml_log_next_own(b->log, &b->writer, lane, &next), "next");
    b->hlc += 1u << 16;
    b->hlc = next.hlc_min > b->hlc ? next.hlc_min : b->hlc;
    return next;
}

static ml_err append_op(struct bench *b, uint8_t lane, struct ml_slice op)
{
    struct ml_buf wire;
    struct ml_hash hash;
    struct ml_log_next next = next_of(b, lane);
    const struct ml_op_draft draft_op = {.sealed = op};
    struct ml_bundle_draft draft = {
        .header = {.writer = b->writer,
                   .lane = lane,
                   .seq = next.seq,
                   .prev = next.prev,
                   .gctx = next.gctx,
                   .deps = {.items = next.deps, .count = (uint32_t)next.dep_count},
                   .hlc = b->hlc},
        .ops = &draft_op,
        .op_count = 1};
    ml_buf_init(&wire, b->env, ML_BUNDLE_BYTES_MAX);
    if (good(b, ml_bundle_build(&wire, &hash, &draft, &b->org, b->seed), "op bundle")) {
        ingest(b, &wire);
    }
    ml_buf_free(&wire);
    return b->err;
}

/* An ml_keyop_cb. */
static ml_err append_key_op(void *user, struct ml_slice op)
{
    return append_op(user, ML_LANE_KEYS, op);
}

/* A group is of a team that governance knows. */
static void team(struct bench *b)
{
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    struct ml_buf bytes;
    op.u.team_add.team = b->team;
    ml_buf_init(&bytes, b->env, 8192);
    if (good(b, ml_govop_encode(&bytes, &op), "team op")) {
        good(b, append_op(b, ML_LANE_GOVERNANCE, ml_buf_slice(&bytes)), "team");
    }
    ml_buf_free(&bytes);
}

static struct ml_vault *open_vault(struct bench *b, const char *name)
{
    char path[256];
    struct ml_vault *v = NULL;
    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    const struct ml_vault_args args = {.env = b->env,
                                       .path = path,
                                       .vfs = "bench",
                                       .org = b->org,
                                       .member = b->member,
                                       .mon_box = b->box,
                                       .schema = ml_schema_builtin(),
                                       .create = true};
    good(b, ml_vault_open(&v, &args), "vault");
    return v;
}

static void catch_up(struct bench *b, struct ml_vault *v, uint32_t batch)
{
    bool done = false;
    while (b->err == ML_OK && !done) {
        good(b, ml_vault_catch_up(v, b->log, batch, &done), "catch up");
    }
}

static void groups(struct bench *b)
{
    static const ml_compartment used[] = {ML_COMPARTMENT_ADMIN, ML_COMPARTMENT_CARE};
    const struct ml_epoch_recipient me = {b->box_pk, true};
    b->vault = open_vault(b, "writer.db");
    for (size_t i = 0; i < 2 && b->err == ML_OK; i++) {
        const struct ml_epoch_args args = {
            .team = b->team, .compartment = used[i], .recipients = &me, .recipient_count = 1};
        good(b, ml_keyring_make_epoch(ml_vault_keyring(b->vault), &args, append_key_op, b),
             "epoch");
    }
    catch_up(b, b->vault, 1000);
}

/* ---- records ---- */

static void write_items(struct bench *b, struct ml_seal_item *items, uint32_t count)
{
    const struct ml_sealer sealer = {.env = b->env,
                                     .org = b->org,
                                     .keyring = ml_vault_keyring(b->vault),
                                     .node_salt = b->salt,
                                     .seed = b->seed};
    struct ml_log_next next = next_of(b, ML_LANE_RECORD);
    const struct ml_seal_place place = {.writer = b->writer,
                                        .seq = next.seq,
                                        .prev = next.prev,
                                        .gctx = next.gctx,
                                        .deps = next.deps,
                                        .dep_count = (uint32_t)next.dep_count,
                                        .hlc = b->hlc};
    const struct ml_seal_args args = {
        .sealer = &sealer, .place = &place, .items = items, .count = count};
    struct ml_buf wire;
    struct ml_hash hash;
    uint32_t taken = 0;
    ml_buf_init(&wire, b->env, ML_BUNDLE_BYTES_MAX);
    if (b->err == ML_OK && good(b, ml_seal_bundle(&args, &wire, &taken, &hash), "seal")) {
        ingest(b, &wire);
    }
    ml_buf_free(&wire);
}

static void key_for(struct bench *b, const struct ml_object_id *patient, const char *entity,
                    struct ml_seal_item *item)
{
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), entity);
    struct ml_keyring *k = ml_vault_keyring(b->vault);
    *item = (struct ml_seal_item){
        .change = {.schema = ML_SCHEMA_VERSION, .type = ML_CHANGE_CREATE, .entity = e->id},
        .compartment = (uint8_t)e->compartment};
    ml_err err = ml_keyring_seal_key(k, patient, e->compartment, &item->key);
    if (err == ML_E_NO_KEY || err == ML_E_NOT_FOUND) {
        if (err == ML_E_NOT_FOUND) {
            good(b, ml_keyring_make_open(k, patient, &b->team, append_key_op, b), "open");
            catch_up(b, b->vault, 1000);
        }
        good(b, ml_keyring_make_dek(k, patient, e->compartment, append_key_op, b), "dek");
        catch_up(b, b->vault, 1000);
        err = ml_keyring_seal_key(k, patient, e->compartment, &item->key);
    }
    good(b, err, "key");
}

static void put_field(struct ml_buf *map, const char *entity, const char *name,
                      void (*put)(struct ml_buf *, const void *), const void *value)
{
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), entity);
    ml_mp_put_uint(map, ml_entity_field_named(e, name)->id);
    put(map, value);
}

static void put_str(struct ml_buf *out, const void *text)
{
    ml_mp_put_str(out, ml_slice_str(text));
}

static void put_concept(struct ml_buf *out, const void *text)
{
    const struct ml_concept c = {.text = ml_slice_str(text)};
    out->err = out->err == ML_OK ? ml_concept_encode(out, &c) : out->err;
}

static void put_kilos(struct ml_buf *out, const void *number)
{
    const struct ml_quantity q = {ml_slice_str(number), ml_slice_str("kg")};
    out->err = out->err == ML_OK ? ml_quantity_encode(out, &q) : out->err;
}

static void new_patient(struct bench *b, uint32_t i)
{
    static const char *const names[] = {"Martin",  "Bernard", "Thomas", "Petit",  "Robert",
                                        "Richard", "Durand",  "Dubois", "Moreau", "Lefèvre"};
    char name[48], date[12];
    struct ml_seal_item item;
    struct ml_buf map;
    b->patients[i] = ml_object_id_new(b->env);
    key_for(b, &b->patients[i], "patient", &item);
    snprintf(name, sizeof(name), "%s %c%c%u", names[i % 10], 'a' + (int)(i / 10 % 26),
             'a' + (int)(i / 260 % 26), i % 97);
    snprintf(date, sizeof(date), "19%02u-%02u-%02u", i % 100, i / 100 % 12 + 1, i / 1200 % 28 + 1);
    ml_buf_init(&map, b->env, 4096);
    ml_mp_put_map(&map, 3);
    put_field(&map, "patient", "birth_name", put_str, name);
    put_field(&map, "patient", "used_name", put_str, names[i / 7 % 10]);
    put_field(&map, "patient", "birth_date", put_str, date);
    item.change.object = b->patients[i];
    item.change.value = ml_buf_slice(&map);
    write_items(b, &item, 1);
    ml_buf_free(&map);
}

static void new_bundle(struct bench *b)
{
    struct ml_seal_item items[BUNDLE_OPS];
    struct ml_buf map;
    const struct ml_object_id *patient = &b->patients[bench_next(&b->rng) % b->patient_count];
    ml_buf_init(&map, b->env, 4096);
    ml_mp_put_map(&map, 2);
    put_field(&map, "observation", "code", put_concept, "Poids corporel mesuré à domicile");
    put_field(&map, "observation", "value", put_kilos, "72.5");
    key_for(b, patient, "observation", &items[0]);
    items[0].change.value = ml_buf_slice(&map);
    for (int i = 0; i < BUNDLE_OPS; i++) {
        items[i] = items[0];
        items[i].change.object = ml_object_id_new(b->env);
        items[i].hlc_delta = (uint64_t)i;
    }
    write_items(b, items, BUNDLE_OPS);
    ml_buf_free(&map);
}

/* ---- measures ---- */

static double p95(double *values, size_t count)
{
    (void)bench_median(values, count); /* sorts */
    return values[count * 95 / 100];
}

static double search_p95(struct bench *b, struct ml_vault *v)
{
    static const char *const typed[] = {
        "m",     "ma", "mart",  "martin",     "du",  "durand a", "19",       "1979",
        "28/03", "p",  "lefev", "moreau tho", "b t", "03/1956",  "dubois 7", "r"};
    double ms[SEARCHES];
    for (size_t i = 0; i < SEARCHES && b->err == ML_OK; i++) {
        struct ml_args *out = ml_args_new();
        double start = bench_now_ms();
        good(b, ml_view_find(v, typed[i % 16], 20, out), "find");
        ms[i] = bench_now_ms() - start;
        ml_args_free(out);
    }
    return b->err == ML_OK ? p95(ms, SEARCHES) : 0;
}

static double chart_p95(struct bench *b, struct ml_vault *v)
{
    double ms[CHARTS];
    for (size_t i = 0; i < CHARTS && b->err == ML_OK; i++) {
        struct ml_args *summary = ml_args_new();
        struct ml_args *items = ml_args_new();
        const struct ml_timeline_query query = {
            .patient = b->patients[bench_next(&b->rng) % b->patient_count], .limit = 200};
        double start = bench_now_ms();
        good(b, ml_view_patient(v, &query.patient, summary), "patient");
        good(b, ml_view_timeline(v, &query, items), "timeline");
        ms[i] = bench_now_ms() - start;
        ml_args_free(summary);
        ml_args_free(items);
    }
    return b->err == ML_OK ? p95(ms, CHARTS) : 0;
}

static void measure(struct bench *b, uint32_t batch)
{
    struct ml_vault_counts counts = {.ops = 0};
    struct ml_vault *v = open_vault(b, "measured.db");
    double start = bench_now_ms();
    catch_up(b, v, batch);
    double took = bench_now_ms() - start;
    if (b->err == ML_OK && good(b, ml_vault_counts(v, &counts), "counts")) {
        double search = search_p95(b, v);
        double chart = chart_p95(b, v);
        printf("{\"project.ops\": %llu, \"project.patients\": %u, \"project.ops_per_s\": %.0f, "
               "\"search.key_ms_p95\": %.2f, \"chart.open_ms_p95\": %.2f}\n",
               (unsigned long long)counts.ops, b->patient_count, (double)counts.ops / took * 1e3,
               search, chart);
    }
    ml_vault_close(v);
}

static void keys(struct bench *b)
{
    good(b, ml_crypto_init(), "crypto");
    good(b, ml_box_keypair(&b->box_pk, &b->box, b->env), "box");
    good(b, ml_sign_keypair(&b->sign_pk, &b->seed, b->env), "sign");
    good(b, ml_sign_keypair(&b->root_pk, &b->root, b->env), "root");
    good(b, ml_sign_keypair(&b->mon_pk, &b->mon, b->env), "mon");
    good(b, ml_secret_new(&b->salt, 32), "salt");
    memset(b->team.b, 0x7A, sizeof(b->team.b));
    memset(b->member.b, 0x10, sizeof(b->member.b));
    b->writer = ml_writer_id_of(&b->sign_pk);
    b->hlc = ml_hlc_make(b->env->wall_ms(b->env->ctx), 0);
}

static void run(struct bench *b, uint32_t batch)
{
    genesis(b);
    if (b->err == ML_OK) {
        team(b);
        groups(b);
    }
    for (uint32_t i = 0; i < b->patient_count && b->err == ML_OK; i++) {
        new_patient(b, i);
    }
    for (uint32_t i = 0; i < b->bundle_count && b->err == ML_OK; i++) {
        new_bundle(b);
    }
    if (b->err == ML_OK) {
        measure(b, batch);
    }
}

static void clean(struct bench *b)
{
    static const char *const files[] = {"log.db", "writer.db", "measured.db"};
    static const char *const tails[] = {"", "-wal", "-lock"};
    ml_vault_close(b->vault);
    ml_log_close(b->log);
    ml_secret_free(b->box);
    ml_secret_free(b->seed);
    ml_secret_free(b->root);
    ml_secret_free(b->mon);
    ml_secret_free(b->salt);
    free(b->patients);
    for (size_t i = 0; i < 9; i++) {
        char path[280];
        snprintf(path, sizeof(path), "%s/%s%s", b->dir, files[i / 3], tails[i % 3]);
        unlink(path);
    }
    rmdir(b->dir);
}

int ml_bench_project(int argc, char **argv)
{
    struct bench b = {.env = ml_env_system(), .patient_count = 2000, .bundle_count = 4000};
    static const uint8_t key[32] = {7};
    uint32_t batch = 1024;
    int option = 0;
    while ((option = getopt(argc, argv, "p:b:t:")) != -1) {
        unsigned long n = optarg == NULL ? 0 : strtoul(optarg, NULL, 10);
        if (n == 0 || n > 1000000 || option == '?') {
            return 2;
        }
        b.patient_count = option == 'p' ? (uint32_t)n : b.patient_count;
        b.bundle_count = option == 'b' ? (uint32_t)n : b.bundle_count;
        batch = option == 't' ? (uint32_t)n : batch;
    }
    snprintf(b.dir, sizeof(b.dir), "%s/ml_project_XXXXXX",
             getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
    b.patients = calloc(b.patient_count, sizeof(*b.patients));
    if (b.patients == NULL || mkdtemp(b.dir) == NULL || ml_vfs_register("bench", key, 0) != ML_OK) {
        return 1;
    }
    keys(&b);
    run(&b, batch);
    clean(&b);
    (void)ml_vfs_unregister("bench");
    return b.err == ML_OK ? 0 : 1;
}
