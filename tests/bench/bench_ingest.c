/* tests/bench/bench_ingest.c -- ingest.ops_per_s, relay.ops_per_s: the bundles of a size come in
 * batches, are verified, stored, opened, projected.
 *
 * The clock runs over all of it, fsyncs too. The split is of CPU time: verifying and opening are
 * timed again by themselves over a part of the same bundles; storing and projecting are what is
 * left. Lanes 0 and 1 are there before, as an exchange sends them. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "core/codec/bundle.h"
#include "core/model/seal.h"
#include "exchange.h"
#include "fixture.h"
#include "net/node/session.h"
#include "node.h"
#include "raw.h"

enum { SPLIT_BUNDLES = 4000 };

static const struct ml_sign_pk *key_of(const struct ml_org *org, const struct ml_header *h)
{
    const struct ml_fact *f = ml_gov_opening(ml_log_gov(org->log), &h->writer);
    return f == NULL ? NULL : &f->sign_pk;
}

static ml_err ignore(void *user, const struct ml_opened *opened)
{
    (void)user;
    return opened->result == ML_OPEN_OK ? ML_OK : ML_E_FORGED;
}

struct split {
    double verify_us; /* an op */
    double open_us;
};

static bool split_measure(struct bench *b, struct ml_org *org, const struct fixture_wires *w,
                          struct split *out)
{
    const size_t step = w->main / SPLIT_BUNDLES + 1;
    double ops = 0;
    double verify = 0;
    double open = 0;
    for (size_t i = 0; i < w->main && !b->failed; i += step) {
        struct ml_bundle bundle;
        struct ml_hash hash;
        double start = bench_cpu_ms();
        ml_err err = ml_bundle_decode(&bundle, w->items[i], NULL);
        const struct ml_sign_pk *pk = err == ML_OK ? key_of(org, &bundle.header) : NULL;
        err = pk == NULL ? ML_E_NOT_FOUND : ml_bundle_verify(&bundle, &org->id, pk, &hash);
        double verified = bench_cpu_ms();
        const struct ml_open_args args = {.env = b->env,
                                          .org = org->id,
                                          .keyring = ml_session_keyring(org),
                                          .header = &bundle.header,
                                          .body = bundle.body.bytes};
        err = err == ML_OK ? ml_open_bundle(&args, ignore, NULL) : err;
        verify += verified - start;
        open += bench_cpu_ms() - verified;
        ops += err == ML_OK ? bundle.header.n_ops : 0;
        bench_good(b, err, "split");
    }
    *out = (struct split){verify * 1e3 / ops, open * 1e3 / ops};
    return !b->failed;
}

static void report(struct bench *b, const struct fixture_wires *w, const struct fixture_took *took,
                   const struct split *split)
{
    const char *key = "ingest.ops_per_s";
    const double ops = (double)w->main_ops;
    const double log_us = took->log_cpu_ms * 1e3 / ops;
    const double vault_us = took->vault_cpu_ms * 1e3 / ops;
    const double cpu_ms = took->log_cpu_ms + took->vault_cpu_ms;
    bench_value(b, key, ops / (took->log_ms + took->vault_ms) * 1e3, 25000, true);
    bench_also(b, key, "ops", ops);
    bench_also(b, key, "bundles", (double)w->main);
    bench_also(b, key, "cpu_us_per_op", log_us + vault_us);
    const double waiting_ms = took->log_ms + took->vault_ms - cpu_ms; /* two clocks: below 0 too */
    bench_also(b, key, "waiting_us_per_op", waiting_ms > 0 ? waiting_ms * 1e3 / ops : 0);
    bench_also(b, key, "verify_us_per_op", split->verify_us);
    bench_also(b, key, "store_us_per_op", log_us - split->verify_us);
    bench_also(b, key, "open_us_per_op", split->open_us);
    bench_also(b, key, "project_us_per_op", vault_us - split->open_us);
    bench_value(b, "relay.ops_per_s", ops / took->log_ms * 1e3, 60000, true);
    bench_also(b, "relay.ops_per_s", "cpu_us_per_op", took->log_cpu_ms * 1e3 / ops);
}

/* The same rows in plain SQLite: what no store could do without. */
static void report_raw(struct bench *b, struct ml_org *org, const struct fixture_wires *w,
                       const struct fixture_took *took)
{
    struct raw_took raw;
    const size_t batches = w->main / FIXTURE_BATCH + 1;
    if (raw_measure(&raw, b, org, batches)) {
        const double ours = took->log_ms + took->vault_ms;
        bench_also(b, "ingest.ops_per_s", "raw_ops_per_s", (double)w->main_ops / raw.ms * 1e3);
        bench_also(b, "ingest.ops_per_s", "ratio_to_raw", ours / raw.ms);
        bench_also(b, "ingest.ops_per_s", "cpu_ratio_to_raw",
                   (took->log_cpu_ms + took->vault_cpu_ms) / raw.cpu_ms);
        bench_also(b, "ingest.ops_per_s", "raw_rows_per_s", (double)raw.rows / raw.ms * 1e3);
        bench_also(b, "relay.ops_per_s", "ratio_to_raw", took->log_ms / raw.log_ms);
    }
}

void ml_bench_ingest(struct bench *b)
{
    char keys[BENCH_PATH];
    char part[BENCH_PATH];
    char full[BENCH_PATH];
    struct fixture_wires w;
    struct bench_node n;
    struct fixture_took took = {0};
    struct fixture_took charts = {0};
    struct split split;
    snprintf(keys, sizeof(keys), "%.400s/keys", b->folder);
    snprintf(part, sizeof(part), "%.400s/full.new", b->folder);
    snprintf(full, sizeof(full), "%.400s/full", b->folder);
    if (!fixture_wires(&w, b)) {
        return;
    }
    if (bench_copy_folder(b, keys, part) && bench_node_open(&n, b, part)) {
        struct ml_org *org = bench_node_unlock(&n) ? bench_node_org(&n) : NULL;
        bench_say(b, "ingest");
        if (org != NULL && fixture_ingest(b, org, (struct fixture_part){&w, 0, w.main}, &took) &&
            split_measure(b, org, &w, &split)) {
            report(b, &w, &took, &split);
            report_raw(b, org, &w, &took);
            fixture_ingest(b, org, (struct fixture_part){&w, w.main, w.count}, &charts);
        }
        bench_node_close(&n);
        bench_remove_folder(full);
        exchange_forget(b);
        if (!b->failed && rename(part, full) != 0) {
            bench_fail(b, full, ML_E_IO);
        }
    }
    fixture_wires_free(&w);
}
