/* tests/bench/bench_link.c -- sync.day_bytes_ratio, sync.day_rtt, sync.slow_s, sync.idle_bytes: two
 * whole nodes over the simulated link of wire.h.
 *
 * The day set (decisions 25: about 6,000 ops through the node's own path of writing) goes onto a
 * store of the size, once over a link that is only far, once over a slow one. Bytes are those of
 * padded frames in both directions until both know that they are the same; payload is the sealed
 * op bytes of the records. Then both meet again with nothing new. */
#include "bench.h"
#include "core/codec/bundle.h"
#include "core/store/log.h"
#include "exchange.h"
#include "net/node/state.h"
#include "wire.h"

enum { SLOW_KBIT_S = 256, SETTLE_MS = 3000 };

struct sizes {
    double sealed; /* of records */
    double plain;  /* ops of lanes 0 and 1 */
    double ops;
};

static bool sizes_since(struct sizes *out, struct bench *b, struct ml_log *log, uint64_t from)
{
    const unsigned lanes =
        ML_LOG_LANE(ML_LANE_GOVERNANCE) | ML_LOG_LANE(ML_LANE_KEYS) | ML_LOG_LANE(ML_LANE_RECORD);
    struct ml_log_entry entry;
    ml_err err = ml_log_after(log, from, lanes, &entry);
    *out = (struct sizes){0};
    while (err == ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        const bool record = entry.header.lane == ML_LANE_RECORD;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            *(record ? &out->sealed : &out->plain) += (double)op.sealed.len;
            out->ops += record;
        }
        err = ml_log_after(log, entry.n, lanes, &entry);
    }
    return bench_good(b, err == ML_E_NOT_FOUND ? ML_OK : err, "sizes");
}

struct met {
    double ms; /* until the second has it all */
    double bytes;
    struct sizes got;
};

/* The second node, a fresh copy, hears of the day. */
static bool meet(struct wire *w, struct met *out)
{
    struct ml_log *log = bench_node_org(&w->ends[1].node)->log;
    const uint64_t from = ml_log_last(log);
    if (!wire_connect(w) || !wire_run_same(w, &out->ms)) {
        return false;
    }
    wire_run(w, SETTLE_MS);
    out->bytes = (double)(w->ends[0].sent_bytes + w->ends[1].sent_bytes);
    return sizes_since(&out->got, w->b, log, from);
}

static void far_report(struct bench *b, const struct met *m)
{
    const char *key = "sync.day_bytes_ratio";
    bench_value(b, key, m->bytes / m->got.sealed, 1.25, false);
    bench_also(b, key, "ops", m->got.ops);
    bench_also(b, key, "bytes", m->bytes);
    bench_also(b, key, "payload_bytes", m->got.sealed);
    bench_also(b, key, "key_op_bytes", m->got.plain);
    bench_value(b, "sync.day_rtt", m->ms / (2.0 * WIRE_LATENCY_MS), 2, false);
}

static void slow_report(struct bench *b, const struct met *m)
{
    const double least_s = m->got.sealed * 8 / 1000 / SLOW_KBIT_S;
    bench_value(b, "sync.slow_s", m->ms / 1e3, 1.3 * least_s, false);
    bench_also(b, "sync.slow_s", "of_payload_time", m->ms / 1e3 / least_s);
}

/* Both ways after the handshake; the larger is judged. */
static void idle_measure(struct wire *w)
{
    wire_disconnect(w);
    w->kbit_s = 0;
    if (wire_connect(w)) {
        wire_run(w, SETTLE_MS);
        const double there = (double)w->ends[0].sent_bytes;
        const double back = (double)w->ends[1].sent_bytes;
        bench_value(w->b, "sync.idle_bytes", there > back ? there : back, 64, false);
        bench_also(w->b, "sync.idle_bytes", "other_way", there > back ? back : there);
    }
}

static bool met_over(struct bench *b, uint32_t kbit_s, struct met *out)
{
    static struct wire w;
    struct exchange_pair pair;
    if (!exchange_pair(&pair, b) || !wire_open(&w, b, pair.first, pair.second)) {
        return false;
    }
    w.kbit_s = kbit_s;
    const bool ok = meet(&w, out);
    if (ok && kbit_s == 0) {
        idle_measure(&w);
    }
    wire_close(&w);
    exchange_pair_end(&pair);
    return ok && !b->failed;
}

void ml_bench_link(struct bench *b)
{
    struct met far;
    struct met slow;
    bench_say(b, "the simulated link");
    if (met_over(b, 0, &far)) {
        far_report(b, &far);
    }
    if (!b->failed && met_over(b, SLOW_KBIT_S, &slow)) {
        slow_report(b, &slow);
    }
}
