/* tests/bench/bench_store.c -- store.bytes_per_op: all files of the home, log and vault, against
 * its record ops. store.overhead: bytes of a bundle that aren't sealed op bytes, an op, at 1, 4 and
 * 16 ops a bundle of at most 2 streams, through the node's own path of writing. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "core/interop/gen.h"
#include "core/record/schema.h"
#include "fixture.h"
#include "net/node/session.h"
#include "net/node/write.h"
#include "node.h"

enum { BUNDLES = 24, OPS_MAX = 16, ITEMS = BUNDLES * OPS_MAX };

static const struct ml_object_id patient = {{0x01, 0x62, 0x65, 0x6e, 0x63, 0x68}};

/* Items of one patient in two compartments; their values are kept here. */
struct items {
    struct ml_seal_item all[ITEMS];
    uint32_t count;
    uint16_t compartments;
    struct ml_buf values;
    size_t at[ITEMS];
};

static ml_err take(void *user, const struct ml_import_object *o)
{
    struct items *t = user;
    const unsigned with = t->compartments | 1u << o->entity->compartment;
    if (t->count == ITEMS || ml_is_zero(o->patient.b, sizeof(o->patient.b)) ||
        strcmp(o->entity->name, "patient") == 0 || __builtin_popcount(with) > 2) {
        return ML_OK;
    }
    t->compartments = (uint16_t)with;
    t->at[t->count] = t->values.len;
    ml_buf_append(&t->values, o->values.data, o->values.len);
    t->all[t->count++] = (struct ml_seal_item){.change = {.schema = ML_SCHEMA_VERSION,
                                                          .type = ML_CHANGE_CREATE,
                                                          .entity = o->entity->id,
                                                          .object = o->id,
                                                          .effective = o->effective,
                                                          .author = o->author},
                                               .compartment = (uint8_t)o->entity->compartment};
    return t->values.err;
}

static bool items_take(struct items *t, struct bench *b)
{
    const struct ml_gen_args args = {.env = b->env,
                                     .schema = ml_schema_builtin(),
                                     .seed = BENCH_SEED,
                                     .patients = 1000,
                                     .create = take,
                                     .user = t};
    memset(t, 0, sizeof(*t));
    ml_buf_init(&t->values, b->env, SIZE_MAX);
    ml_err err = ml_gen_day(&args);
    for (uint32_t i = 0; i < t->count; i++) {
        const size_t end = i + 1 < t->count ? t->at[i + 1] : t->values.len;
        t->all[i].change.value = ml_slice(t->values.data + t->at[i], end - t->at[i]);
    }
    return bench_good(b, err, "day");
}

/* Bytes an op around the sealed ones, of the record bundles behind ingest number `from`. */
static double overhead_since(struct bench *b, struct ml_log *log, uint64_t from)
{
    struct ml_log_entry entry;
    double around = 0;
    double ops = 0;
    ml_err err = ml_log_after(log, from, ML_LOG_LANE(ML_LANE_RECORD), &entry);
    while (err == ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        around += entry.bytes;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            around -= (double)op.sealed.len;
            ops++;
        }
        err = ml_log_after(log, entry.n, ML_LOG_LANE(ML_LANE_RECORD), &entry);
    }
    bench_good(b, err == ML_E_NOT_FOUND ? ML_OK : err, "overhead");
    return ops > 0 ? around / ops : 0;
}

static double overhead_of(struct bench *b, struct ml_org *org, struct items *t, uint32_t ops)
{
    const uint64_t from = ml_log_last(org->log);
    for (uint32_t i = 0; i < BUNDLES && i * ops + ops <= t->count && !b->failed; i++) {
        struct ml_seal_item items[OPS_MAX];
        memcpy(items, t->all + (size_t)i * ops, ops * sizeof(items[0]));
        bench_good(b, ml_org_write(org, &patient, items, ops), "write");
    }
    return overhead_since(b, org->log, from);
}

static void overhead(struct bench *b, struct bench_node *n)
{
    static struct items items;
    struct ml_org *org = bench_node_org(n);
    if (items_take(&items, b)) {
        (void)overhead_of(b, org, &items, 1); /* keys, first citations */
        const double one = overhead_of(b, org, &items, 1);
        const double four = overhead_of(b, org, &items, 4);
        bench_value(b, "store.overhead", overhead_of(b, org, &items, OPS_MAX), 60, false);
        bench_also(b, "store.overhead", "at_4", four);
        bench_also(b, "store.overhead", "at_1", one);
    }
    ml_buf_free(&items.values);
}

static void bytes(struct bench *b, const char *full, const struct fixture_wires *w)
{
    char home[BENCH_PATH];
    uint64_t wire_bytes = 0;
    for (size_t i = 0; i < w->count; i++) {
        wire_bytes += w->items[i].len;
    }
    snprintf(home, sizeof(home), "%.400s/home", full);
    const double ops = (double)w->main_ops + PLAN_CHARTS * PLAN_CHART_ITEMS +
                       (b->quick ? PLAN_CHART_ITEMS : PLAN_LONG_ITEMS + 1);
    bench_value(b, "store.bytes_per_op", (double)bench_folder_bytes(home) / ops, 900, false);
    bench_also(b, "store.bytes_per_op", "of_them_received", (double)wire_bytes / ops);
}

void ml_bench_store(struct bench *b)
{
    char full[BENCH_PATH];
    struct bench_node n;
    struct fixture_wires w;
    if (!fixture_wires(&w, b)) {
        return;
    }
    if (fixture_full(b, full)) {
        bytes(b, full, &w);
    }
    fixture_wires_free(&w);
    if (fixture_open(&n, b, "store")) {
        overhead(b, &n);
        bench_node_close(&n);
    }
}
