/* tests/bench/bench_search.c -- search.key_ms: each keystroke of names as people type them, asked
 * of a whole node: the first 20 answers of every prefix, the trace of the search in its journal. */
#include <string.h>

#include "bench.h"
#include "fixture.h"
#include "node.h"

/* Names of patients as they are spoken, typed and mistyped; a date; nobody's. */
static const char *const typed[] = {
    "martin",       "Dupont marie",  "lefevre",    "le goff",        "DURAND",
    "jean-pierre",  "bernard 12/03", "moreau lo",  "garcia",         "d'almeida",
    "saint-martin", "petit",         "28/03/1956", "1949",           "zzyx",
    "michel roux",  "Élodie",        "rousseau a", "françoise blan", "o",
};

static size_t prefix_next(const char *text, size_t at)
{
    at++;
    while (((unsigned char)text[at] & 0xC0u) == 0x80u) {
        at++;
    }
    return at;
}

static void name_type(struct bench_node *n, const char *name, struct bench_samples *s)
{
    char prefix[64];
    for (size_t at = 0; name[at] != '\0' && !n->bench->failed;) {
        at = prefix_next(name, at);
        memcpy(prefix, name, at);
        prefix[at] = '\0';
        struct ml_args *a = bench_params();
        bench_text(a, "query", prefix);
        bench_int(a, "limit", 20);
        const struct bench_took took = bench_node_time(n, "patient.find", a);
        bench_sample(s, took.ms, took.cpu_ms);
    }
}

static void names_type(struct bench_node *n, struct bench_samples *s)
{
    const int rounds = n->bench->quick ? 1 : 5;
    for (int r = 0; r < rounds; r++) {
        for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
            name_type(n, typed[i], s);
        }
    }
}

void ml_bench_search(struct bench *b)
{
    static struct bench_samples samples;
    struct bench_node n;
    if (!fixture_open(&n, b, "search")) {
        return;
    }
    samples.count = 0;
    names_type(&n, &samples);
    bench_times(b, "search.key_ms", &samples, 10);
    bench_also(b, "search.key_ms", "patients", b->size->patients);
    bench_node_close(&n);
}
