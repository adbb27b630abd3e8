/* tests/bench/bench_exchange.c -- two real mailleds on loopback: first.records_per_s (a node that
 * has joined and holds nothing copies all), live.propagate_ms (an entry on one is shown by the
 * other), sync.day_s (a working day, about 6,000 ops, onto a store of the size).
 *
 * The clock of an exchange runs from the dial to the moment when the other node has stored and
 * projected all that the first one has. Both nodes share the machine. */
#include <stdio.h>

#include "bench.h"
#include "daemon.h"
#include "exchange.h"
#include "fixture.h"
#include "node.h"

enum { ENTRIES = 100, FHIR_RECORDS = 129037 };

/* Asks until it is there: each question is answered in a fraction of a millisecond. */
static bool is_shown(struct bench_daemon *d, const char *patient, const char *object)
{
    struct ml_args *a = bench_params();
    bench_text(a, "patient", patient);
    bench_text(a, "object", object);
    return demo_call(&d->node, "record.show", a) != NULL;
}

/* One entry, from the call until the other node shows it. */
static void entry_follow(struct bench_daemon *a, struct bench_daemon *b, const char *patient,
                         struct bench_samples *samples)
{
    enum { SHOWN_MS_MAX = 60000 };
    char object[DEMO_ID];
    struct ml_args *p = bench_params();
    bench_entry(p, patient, (unsigned)samples->count);
    const double start = bench_now_ms();
    const struct ml_value *v = bench_daemon_call(a, "record.add", p);
    snprintf(object, sizeof(object), "%s", ml_value_text(ml_value_get(v, "object"), ""));
    while (v != NULL && !is_shown(b, patient, object) && !a->bench->failed) {
        if (bench_now_ms() - start > SHOWN_MS_MAX) {
            bench_fail(a->bench, "live", ML_E_TIMEOUT);
        }
    }
    bench_sample(samples, bench_now_ms() - start, 0);
}

static void live_measure(struct bench_daemon *a, struct bench_daemon *b)
{
    static struct bench_samples samples;
    char patient[DEMO_ID];
    const unsigned entries = a->bench->quick ? 3 : ENTRIES;
    struct ml_args *p = bench_params();
    bench_text(p, "query", "m");
    const struct ml_value *v = bench_daemon_call(a, "patient.find", p);
    v = ml_value_at(ml_value_get(v, "items"), 0);
    snprintf(patient, sizeof(patient), "%s", ml_value_text(ml_value_get(v, "patient"), ""));
    samples.count = 0;
    for (unsigned i = 0; i < entries && !a->bench->failed; i++) {
        entry_follow(a, b, patient, &samples);
    }
    bench_times(a->bench, "live.propagate_ms", &samples, 150);
}

static void first_measure(struct bench_daemon *a, struct bench_daemon *b)
{
    struct bench *bench = a->bench;
    double ms = 0;
    if (bench_daemon_sync(b, a, &ms)) {
        const char *key = "first.records_per_s";
        const struct ml_value *v = bench_daemon_call(b, "node.status", bench_params());
        v = ml_value_at(ml_value_get(v, "orgs"), 0);
        const double records = (double)ml_value_int(ml_value_get(v, "ops"), 0);
        bench_value(bench, key, records / ms * 1e3, 5000, true);
        bench_also(bench, key, "records", records);
        bench_also(bench, key, "s", ms / 1e3);
        bench_also(bench, key, "peak_mb", bench_daemon_mb(b, "VmHWM"));
        bench_also(bench, key, "sender_peak_mb", bench_daemon_mb(a, "VmHWM"));
        bench_value(bench, "first.129k_s", FHIR_RECORDS * ms / 1e3 / records, 25, false);
    }
}

/* Two nodes, unlocked, not yet connected. */
static bool pair_start(struct bench_daemon *a, struct bench_daemon *b, struct bench *bench,
                       const struct exchange_pair *pair)
{
    if (!bench_daemon_start(a, bench, pair->first, NULL)) {
        return false;
    }
    if (bench_daemon_start(b, bench, pair->second, NULL)) {
        if (bench_daemon_unlock(a, NULL) && bench_daemon_unlock(b, NULL)) {
            return true;
        }
        bench_daemon_stop(b);
    }
    bench_daemon_stop(a);
    return false;
}

static void synced_wait(struct bench_daemon *d)
{
    struct ml_args *p = bench_params();
    bench_int(p, "timeout_ms", 60000);
    bench_daemon_call(d, "sync.wait", p);
}

/* As evenings end: both know that they are the same. */
static void pair_stop(struct bench_daemon *a, struct bench_daemon *b)
{
    if (!a->bench->failed) {
        synced_wait(a);
        synced_wait(b);
    }
    bench_daemon_stop(b);
    bench_daemon_stop(a);
}

static void path_of(const struct bench *b, char out[BENCH_PATH], const char *name)
{
    snprintf(out, BENCH_PATH, "%.400s/%s", b->folder, name);
}

static bool copy_first(struct bench *bench)
{
    struct bench_daemon a;
    struct bench_daemon b;
    struct exchange_pair pair;
    char store[BENCH_PATH];
    char peer[BENCH_PATH];
    char full[BENCH_PATH];
    path_of(bench, peer, "peer");
    path_of(bench, full, "peer-full");
    path_of(bench, pair.first, "met"); /* the store of the size meets nobody: else the next run's
                                          peer would be one that was restored */
    path_of(bench, pair.second, "peer-full.new");
    if (!fixture_full(bench, store) || !bench_copy_folder(bench, store, pair.first) ||
        !bench_copy_folder(bench, peer, pair.second) || !pair_start(&a, &b, bench, &pair)) {
        return false;
    }
    bench_say(bench, "first copy");
    first_measure(&a, &b);
    if (!bench->failed) {
        live_measure(&a, &b);
    }
    pair_stop(&a, &b);
    return !bench->failed && (rename(pair.second, full) == 0 || bench_fail(bench, full, ML_E_IO));
}

/* A copy of the first of them gets the day. */
static bool day_make(struct bench *bench, const char *folder)
{
    struct bench_daemon a;
    char met[BENCH_PATH];
    char part[BENCH_PATH];
    path_of(bench, met, "met");
    path_of(bench, part, "day.new");
    if (!bench_copy_folder(bench, met, part) || !bench_daemon_start(&a, bench, part, NULL)) {
        return false;
    }
    bench_say(bench, "a day");
    if (bench_daemon_unlock(&a, NULL)) {
        struct ml_args *p = bench_params();
        bench_int(p, "seed", BENCH_SEED);
        bench_int(p, "patients", bench->size->patients);
        ml_args_key(p, "day");
        ml_args_bool(p, true);
        bench_daemon_call(&a, "gen.population", p);
    }
    bench_daemon_stop(&a);
    return !bench->failed && (rename(part, folder) == 0 || bench_fail(bench, folder, ML_E_IO));
}

bool exchange_pair(struct exchange_pair *out, struct bench *b)
{
    char full[BENCH_PATH];
    char day[BENCH_PATH];
    path_of(b, full, "peer-full");
    path_of(b, day, "day");
    path_of(b, out->first, "pair-first");
    path_of(b, out->second, "pair-second");
    return (bench_exists(full) || copy_first(b)) && (bench_exists(day) || day_make(b, day)) &&
           bench_copy_folder(b, day, out->first) && bench_copy_folder(b, full, out->second);
}

void exchange_pair_end(const struct exchange_pair *pair)
{
    bench_remove_folder(pair->first);
    bench_remove_folder(pair->second);
}

void exchange_forget(struct bench *b)
{
    char folder[BENCH_PATH];
    path_of(b, folder, "peer-full");
    bench_remove_folder(folder);
    path_of(b, folder, "day");
    bench_remove_folder(folder);
}

void ml_bench_exchange(struct bench *bench)
{
    struct exchange_pair pair;
    struct bench_daemon a;
    struct bench_daemon b;
    double ms = 0;
    exchange_forget(bench);
    if (!exchange_pair(&pair, bench) || !pair_start(&a, &b, bench, &pair)) {
        return;
    }
    bench_say(bench, "the day on loopback");
    if (bench_daemon_sync(&b, &a, &ms)) {
        bench_value(bench, "sync.day_s", ms / 1e3, 1, false);
    }
    pair_stop(&a, &b);
    exchange_pair_end(&pair);
}
