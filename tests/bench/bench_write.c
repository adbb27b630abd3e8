/* tests/bench/bench_write.c -- write.commit_ms: one clinical entry of a patient, from the call to
 * its answer: validated, sealed, fsynced, projected, its trace journalled. Patients as the list
 * gives them: their first entry of the kind may need a data key, and then has two commits. */
#include <stdio.h>

#include "bench.h"
#include "fixture.h"
#include "node.h"

enum { ENTRIES = 300, PATIENTS = 100, HEX = 40 };

static size_t patients_list(struct bench_node *n, char ids[PATIENTS][HEX])
{
    struct ml_args *a = bench_params();
    bench_text(a, "query", "");
    bench_int(a, "limit", PATIENTS);
    const struct ml_value *items = ml_value_get(bench_node_call(n, "patient.find", a), "items");
    size_t count = 0;
    for (const struct ml_value *v = ml_value_at(items, 0); v != NULL && count < PATIENTS;
         v = ml_value_next(v)) {
        snprintf(ids[count++], HEX, "%s", ml_value_text(ml_value_get(v, "patient"), ""));
    }
    return count;
}

static struct bench_took entry_write(struct bench_node *n, const char *patient, unsigned number)
{
    struct ml_args *a = bench_params();
    bench_entry(a, patient, number);
    return bench_node_time(n, "record.add", a);
}

void ml_bench_write(struct bench *b)
{
    static char ids[PATIENTS][HEX];
    static struct bench_samples samples;
    struct bench_node n;
    const unsigned entries = b->quick ? ENTRIES / 10 : ENTRIES;
    if (!fixture_open(&n, b, "writing")) {
        return;
    }
    samples.count = 0;
    const size_t count = patients_list(&n, ids);
    for (unsigned i = 0; i < entries && count > 0; i++) {
        const struct bench_took took = entry_write(&n, ids[i % count], i);
        bench_sample(&samples, took.ms, took.cpu_ms);
    }
    bench_times(b, "write.commit_ms", &samples, 5);
    bench_node_close(&n);
}
