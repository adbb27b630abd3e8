/* tests/bench/bench_start.c -- start.ms, unlock.s, rss.idle_mb, rss.peak_mb: a real mailled on the
 * store of the size. Start is from the fork to the first answer over the socket; unlock from the
 * passphrase to the first search's answer, Argon2id (decisions 24) among it; idle is the resident
 * memory once it has started, unlocked and caught up; peak the highest after searches, charts and
 * entries. (The peak while it receives a first copy: first.records_per_s.) */
#include "bench.h"
#include "core/base/ids.h"
#include "daemon.h"
#include "fixture.h"
#include "node.h"

enum { STARTS = 7, ROUNDS = 200 };

static void work(struct bench_daemon *d, const struct fixture_wires *w)
{
    static const char *const queries[] = {"m", "mar", "dupont", "le", "19", "bernard a"};
    for (size_t i = 0; i < ROUNDS && !d->bench->failed; i++) {
        char hex[40];
        struct ml_args *a = bench_params();
        bench_text(a, "query", queries[i % 6]);
        bench_daemon_call(d, "patient.find", a);
        ml_hex_encode(hex, w->charts[i % (PLAN_CHARTS + 1)].b, sizeof(w->charts[0].b));
        a = bench_params();
        bench_text(a, "patient", hex);
        bench_int(a, "limit", 200);
        bench_daemon_call(d, "timeline.list", a);
    }
}

static bool start_measure(struct bench *b, const char *full, struct bench_samples *starts,
                          struct bench_samples *unlocks)
{
    struct bench_daemon d;
    double ms = 0;
    if (!bench_daemon_start(&d, b, full, &ms)) {
        return false;
    }
    bench_sample(starts, ms, 0);
    if (bench_daemon_unlock(&d, &ms)) {
        bench_sample(unlocks, ms / 1e3, 0);
    }
    bench_daemon_stop(&d);
    return !b->failed;
}

static void memory_measure(struct bench *b, const char *full, const struct fixture_wires *w)
{
    struct bench_daemon d;
    if (!bench_daemon_start(&d, b, full, NULL)) {
        return;
    }
    if (bench_daemon_unlock(&d, NULL)) {
        bench_value(b, "rss.idle_mb", bench_daemon_mb(&d, "VmRSS"), 40, false);
        work(&d, w);
        bench_value(b, "rss.peak_mb", bench_daemon_mb(&d, "VmHWM"), 150, false);
        bench_also(b, "rss.peak_mb", "after_work_mb", bench_daemon_mb(&d, "VmRSS"));
    }
    bench_daemon_stop(&d);
}

void ml_bench_start(struct bench *b)
{
    static struct bench_samples starts;
    static struct bench_samples unlocks;
    struct fixture_wires w;
    char full[BENCH_PATH];
    const int count = b->quick ? 1 : STARTS;
    if (!fixture_wires(&w, b)) {
        return;
    }
    if (fixture_full(b, full)) {
        bench_say(b, "starting");
        starts.count = 0;
        unlocks.count = 0;
        for (int i = 0; i < count && start_measure(b, full, &starts, &unlocks); i++) {
        }
        bench_times(b, "start.ms", &starts, 300);
        bench_times(b, "unlock.s", &unlocks, 1.0);
        memory_measure(b, full, &w);
    }
    fixture_wires_free(&w);
}
