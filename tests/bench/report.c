/* tests/bench/report.c -- see bench.h: figures as JSON and as a table; growth between sizes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

json_t *bench_key(struct bench *b, const char *key)
{
    json_t *figures = json_object_get(b->out, key);
    if (figures == NULL) {
        figures = json_object();
        json_object_set_new(b->out, key, figures);
    }
    return figures;
}

/* Four digits that count: more is noise. */
static json_t *rounded(double value)
{
    char text[40];
    snprintf(text, sizeof(text), "%.4g", value);
    double back = strtod(text, NULL);
    return fabs(value) >= 10000 || back == floor(back) ? json_integer((json_int_t)llround(value))
                                                       : json_real(back);
}

void bench_also(struct bench *b, const char *key, const char *name, double value)
{
    json_object_set_new(bench_key(b, key), name, rounded(value));
}

static void goal_put(struct bench *b, const char *key, double value, double goal, bool above)
{
    if (goal > 0) {
        bench_also(b, key, "goal", goal);
        json_object_set_new(bench_key(b, key), "reached",
                            json_boolean(above ? value >= goal : value <= goal));
    }
}

void bench_value(struct bench *b, const char *key, double value, double goal, bool above)
{
    bench_also(b, key, "value", value);
    goal_put(b, key, value, goal, above);
}

void bench_sample(struct bench_samples *s, double ms, double cpu_ms)
{
    if (s->count < BENCH_SAMPLES) {
        s->ms[s->count] = ms;
        s->cpu_ms[s->count++] = cpu_ms;
    }
}

void bench_times(struct bench *b, const char *key, struct bench_samples *s, double goal)
{
    if (s->count == 0) {
        return;
    }
    const double p50 = bench_median(s->ms, s->count); /* sorts */
    const double cpu = bench_median(s->cpu_ms, s->count);
    const double p95 = s->ms[(s->count - 1) * 95 / 100];
    bench_also(b, key, "p50", p50);
    bench_also(b, key, "p95", p95);
    bench_also(b, key, "max", s->ms[s->count - 1]);
    if (cpu > 0) {
        bench_also(b, key, "cpu_p50", cpu);
        bench_also(b, key, "cpu_p95", s->cpu_ms[(s->count - 1) * 95 / 100]);
    }
    bench_also(b, key, "count", (double)s->count);
    goal_put(b, key, p95, goal, false);
}

/* ---- the table ---- */

static void figure_print(const char *name, const json_t *value)
{
    if (json_is_boolean(value)) {
        printf("  %s", json_is_true(value) ? "reached" : "NOT REACHED");
    } else if (json_is_number(value)) {
        printf("  %s %.6g", name, json_number_value(value));
    } else if (json_is_string(value)) {
        printf("  %s %s", name, json_string_value(value));
    }
}

static void keys_print(json_t *keys)
{
    const char *key = NULL;
    const char *name = NULL;
    json_t *figures = NULL;
    json_t *value = NULL;
    json_object_foreach(keys, key, figures)
    {
        printf("  %-22s", key);
        json_object_foreach(figures, name, value)
        {
            figure_print(name, value);
        }
        printf("\n");
    }
}

void bench_table(const json_t *report)
{
    const char *name = NULL;
    json_t *keys = NULL;
    printf("limits\n");
    json_object_foreach(json_object_get(report, "limits"), name, keys)
    {
        printf("  %-22s%.6g\n", name, json_number_value(keys));
    }
    json_object_foreach(json_object_get(report, "sizes"), name, keys)
    {
        printf("%s\n", name);
        keys_print(keys);
    }
    if (json_object_size(json_object_get(report, "growth")) > 0) {
        printf("growth\n");
        keys_print(json_object_get(report, "growth"));
    }
}

/* ---- growth ---- */

/* `inverse`: a rate; its cost an op is what may grow. */
struct grows {
    const char *key;
    const char *figure;
    bool inverse;
};

static const struct grows growing[] = {
    {"ingest.ops_per_s", "value", true},
    {"search.key_ms", "p50", false},
    {"chart.open_ms", "p50", false},
    {"sync.idle_bytes", "value", false},
};

static double cost(const json_t *keys, const struct grows *g)
{
    double v = json_number_value(json_object_get(json_object_get(keys, g->key), g->figure));
    return g->inverse && v > 0 ? 1 / v : v;
}

static double ops_of(const json_t *keys)
{
    return json_number_value(json_object_get(json_object_get(keys, "store"), "ops"));
}

/* From the smallest size to the largest: the cost's ratio against that of the logarithms. */
static void growth_put(json_t *out, const struct grows *g, const json_t *small, const json_t *large)
{
    const double before = cost(small, g);
    const double after = cost(large, g);
    if (before <= 0 || after <= 0) {
        return;
    }
    const double allowed = log(ops_of(large)) / log(ops_of(small));
    json_t *row = json_object();
    json_object_set_new(row, "ratio", rounded(after / before));
    json_object_set_new(row, "log_n", rounded(allowed));
    json_object_set_new(row, "within_log_n", json_boolean(after / before <= allowed));
    json_object_set_new(out, g->key, row);
}

json_t *bench_growth(json_t *sizes)
{
    json_t *out = json_object();
    const json_t *small = NULL;
    const json_t *large = NULL;
    for (void *at = json_object_iter(sizes); at != NULL; at = json_object_iter_next(sizes, at)) {
        const json_t *keys = json_object_iter_value(at);
        small = small == NULL || ops_of(keys) < ops_of(small) ? keys : small;
        large = large == NULL || ops_of(keys) > ops_of(large) ? keys : large;
    }
    for (size_t i = 0; small != large && i < sizeof(growing) / sizeof(growing[0]); i++) {
        growth_put(out, &growing[i], small, large);
    }
    return out;
}
