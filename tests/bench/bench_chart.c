/* tests/bench/bench_chart.c -- chart.open_ms, chart.open5000_ms: the summary and the last 200 items
 * of a chart, asked of a whole node: of patients with 200 items in all, and of one with 5,000
 * encounters. The node has just started: the first opening is a cold one. */
#include "bench.h"
#include "core/base/ids.h"
#include "fixture.h"
#include "node.h"

enum { OPENINGS = 200, ITEMS = 200 };

static void chart_open(struct bench_node *n, const char *patient, struct bench_samples *s)
{
    struct ml_args *show = bench_params();
    struct ml_args *list = bench_params();
    bench_text(show, "patient", patient);
    bench_text(list, "patient", patient);
    bench_int(list, "limit", ITEMS);
    const struct bench_took summary = bench_node_time(n, "patient.show", show);
    const struct bench_took items = bench_node_time(n, "timeline.list", list);
    bench_sample(s, summary.ms + items.ms, summary.cpu_ms + items.cpu_ms);
}

static void charts_open(struct bench_node *n, const char *key, const struct ml_object_id *patients,
                        size_t count, double goal)
{
    static struct bench_samples samples;
    const size_t openings = n->bench->quick ? PLAN_CHARTS : OPENINGS;
    samples.count = 0;
    for (size_t i = 0; i < openings && !n->bench->failed; i++) {
        char hex[40];
        ml_hex_encode(hex, patients[i % count].b, sizeof(patients[0].b));
        chart_open(n, hex, &samples);
    }
    if (!n->bench->failed) {
        bench_times(n->bench, key, &samples, goal);
    }
}

void ml_bench_chart(struct bench *b)
{
    struct bench_node n;
    struct fixture_wires w;
    if (!fixture_wires(&w, b)) {
        return;
    }
    if (fixture_open(&n, b, "charts")) {
        charts_open(&n, "chart.open_ms", w.charts, PLAN_CHARTS, 20);
        charts_open(&n, "chart.open5000_ms", w.charts + PLAN_CHARTS, 1, 100);
        bench_node_close(&n);
    }
    fixture_wires_free(&w);
}
