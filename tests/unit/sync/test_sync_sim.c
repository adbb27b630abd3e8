/* tests/unit/sync/test_sync_sim.c -- whole nodes under a seeded hostile day.
 *
 * Each seed draws its own kind of day: how often links are cut, doubled, paused, nodes crash,
 * memory or a disk fails, bodies and bases are lost, writers fork. After every event the model
 * judges what was sent and believed (support_wire.c, world_check). Then everything heals, and all
 * must be the same within HEAL_MS of virtual time, and say so.
 *
 * ML_SIM_SEED and ML_SIM_COUNT replay or widen: `ML_SIM_SEED=17 ML_SIM_COUNT=1 test_sync_sim`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"
#include "support_world.h"

enum { EVENTS = 2500, HEAL_MS = 600000, NODES_LEAST = 2 };

struct day {
    struct world w;
    struct ml_writer_id writer[WORLD_NODES_MAX][2];
    struct ml_writer_id shared; /* a key used on several nodes: it forks */
    bool forks;
    unsigned cut, crash, pause, nomem, disk, bodies, bases; /* per thousand */
};

static struct day d;

static bool chance(unsigned per_thousand)
{
    return fake_below(&d.w.fake, 1000) < per_thousand;
}

static unsigned any_node(void)
{
    return (unsigned)fake_below(&d.w.fake, d.w.node_count);
}

static uint8_t any_lane(void)
{
    static const uint8_t lanes[] = {0, 1, 2, 3, 3, 3, 3, 3, 4};
    return lanes[fake_below(&d.w.fake, sizeof(lanes))];
}

static void append_one(void)
{
    unsigned n = any_node();
    struct world_write write = {.writer = d.writer[n][fake_below(&d.w.fake, 2)],
                                .lane = any_lane(),
                                .ops = 1 + (uint32_t)fake_below(&d.w.fake, 3),
                                .op_bytes = 40 + fake_below(&d.w.fake, 400),
                                .urgent = chance(20)};
    if (d.forks && chance(150)) {
        write.writer = d.shared;
        write.lane = ML_LANE_RECORD;
    }
    if (chance(10)) {
        write.op_bytes = 12000; /* a large one now and then */
    }
    (void)world_append(&d.w, n, &write);
}

static void connect_some(void)
{
    unsigned a = any_node();
    unsigned b = any_node();
    unsigned open = 0;
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        open += d.w.link[i].used;
    }
    if (a != b && open < 20) { /* the same pair twice is part of the game */
        (void)world_connect(&d.w, a, b);
    }
}

static void lose_a_body(void)
{
    struct world_node *n = &d.w.node[any_node()];
    unsigned node = (unsigned)(n - d.w.node);
    if (d.w.bundle_count == 0) {
        return;
    }
    size_t at = fake_below(&d.w.fake, d.w.bundle_count);
    if (n->hold[at] == HOLD_STORED && d.w.bundles[at].author != (int)node) {
        n->no_body[at] = true;
        if (n->engine != NULL) {
            struct ml_sync_holes holes = store_holes(&d.w, node);
            ml_sync_on_holes(n->engine, &holes);
        }
    }
}

static void trouble(void)
{
    struct world_node *n = &d.w.node[any_node()];
    unsigned node = (unsigned)(n - d.w.node);
    if (chance(d.cut)) {
        world_cut(&d.w, (int)fake_below(&d.w.fake, WORLD_LINKS_MAX));
    }
    if (chance(d.crash)) {
        if (n->engine != NULL) {
            world_crash(&d.w, node);
        } else {
            world_start(&d.w, node);
        }
    }
    if (n->engine != NULL && chance(d.pause)) {
        if (ml_sync_is_paused(n->engine)) {
            ml_sync_resume(n->engine);
        } else {
            ml_sync_pause(n->engine);
        }
    }
    if (chance(d.nomem)) {
        n->fake.fail_alloc = 1 + (long)fake_below(&d.w.fake, 20);
    }
    if (chance(d.disk)) {
        n->ingest_err = ML_E_FULL;
    }
    if (chance(d.bodies)) {
        lose_a_body();
    }
    if (chance(d.bases)) {
        n->base_len[any_node()] = 0;
    }
}

static void time_passes(void)
{
    d.w.now_ms += chance(5) ? 20000 : fake_below(&d.w.fake, 60);
    for (unsigned i = 0; i < d.w.node_count; i++) {
        struct ml_sync *e = d.w.node[i].engine;
        if (e != NULL) {
            ml_sync_tick(e, d.w.now_ms);
        }
        if (e != NULL && chance(300)) {
            ml_sync_drained(e);
        }
    }
}

static void one_event(void)
{
    uint64_t what = fake_below(&d.w.fake, 100);
    if (what < 4) {
        append_one();
    } else if (what < 7) {
        connect_some();
    } else if (what < 20) {
        time_passes();
    } else {
        (void)world_chance(&d.w);
    }
    trouble();
    world_pump(&d.w);
    world_check(&d.w);
}

static void day_begin(uint64_t seed)
{
    memset(&d, 0, sizeof(d));
    struct fake_env draw;
    fake_env_init(&draw, seed * 7919);
    world_init(&d.w, seed, NODES_LEAST + (unsigned)fake_below(&draw, 4));
    d.w.order = fake_below(&draw, 4) == 0 ? ML_SYNC_ORDER_CAUSAL : ML_SYNC_ORDER_LANES;
    d.forks = fake_below(&draw, 3) == 0;
    d.cut = (unsigned)fake_below(&draw, 30);
    d.crash = (unsigned)fake_below(&draw, 10);
    d.pause = (unsigned)fake_below(&draw, 4);
    d.nomem = fake_below(&draw, 3) == 0 ? (unsigned)fake_below(&draw, 20) : 0;
    d.disk = (unsigned)fake_below(&draw, 4);
    d.bodies = (unsigned)fake_below(&draw, 6);
    d.bases = (unsigned)fake_below(&draw, 10);
    d.shared = world_writer(&d.w);
    for (unsigned i = 0; i < d.w.node_count; i++) {
        d.writer[i][0] = world_writer(&d.w);
        d.writer[i][1] = world_writer(&d.w);
        if (fake_below(&draw, 3) > 0) { /* the others come late */
            world_start(&d.w, i);
        }
    }
}

static bool healed(void)
{
    if (!world_equal(&d.w, false)) {
        return false;
    }
    for (unsigned i = 1; i < d.w.node_count; i++) {
        if (!world_synced(&d.w, i - 1, i) || !world_synced(&d.w, i, i - 1)) {
            return false;
        }
    }
    for (unsigned i = 0; i < d.w.node_count; i++) {
        if (store_holes(&d.w, i).wanted > 0) {
            return false;
        }
    }
    return true;
}

static void report_bundle(unsigned n, size_t k)
{
    const struct world_bundle *b = &d.w.bundles[k];
    if (d.w.node[n].hold[k] != HOLD_STORED || d.w.node[n].no_body[k]) {
        print_error("  lacks %zu: lane %u seq %u of node %d, after %d (%d)\n", k, b->info.id.lane,
                    b->info.id.seq, b->author, b->prev, (int)d.w.node[n].hold[k]);
    }
}

/* Who lacks what, for the person who replays the seed. */
static void report(void)
{
    for (unsigned n = 0; n < d.w.node_count; n++) {
        for (unsigned m = 0; m < d.w.node_count; m++) {
            struct ml_sync_status st = world_status(&d.w, n, m);
            print_error("node %u to %u: %s synced %d forks %u, last %s\n", n, m,
                        ml_sync_state_name(st.state), st.synced, st.forks,
                        ml_err_name(st.last_err));
        }
        for (size_t k = 0; k < d.w.bundle_count; k++) {
            report_bundle(n, k);
        }
    }
}

/* A body may be lost everywhere else: its author's node is who keeps it. */
static void heal(void)
{
    for (unsigned i = 0; i < d.w.node_count; i++) {
        d.w.node[i].fake.fail_alloc = 0;
        d.w.node[i].ingest_err = ML_OK;
        if (d.w.node[i].engine == NULL) {
            world_start(&d.w, i);
        }
        ml_sync_resume(d.w.node[i].engine);
    }
    world_cut_all(&d.w);
    d.w.latency_ms = 20;
    for (unsigned i = 1; i < d.w.node_count; i++) {
        (void)world_connect(&d.w, i - 1, i);
    }
    uint64_t until = d.w.now_ms + HEAL_MS;
    while (d.w.now_ms < until && !healed()) {
        world_run(&d.w, 500);
    }
    if (!healed()) {
        report();
        world_fail(&d.w, world_equal(&d.w, false) ? "not known to be the same after healing"
                                                  : "not the same after healing");
    }
}

static void one_day(uint64_t seed)
{
    day_begin(seed);
    for (int i = 0; i < EVENTS; i++) {
        one_event();
    }
    heal();
    world_free(&d.w);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void nodes_converge_after_any_day(void **state)
{
    (void)state;
    uint64_t first = from_environment("ML_SIM_SEED", 1);
    uint64_t count = from_environment("ML_SIM_COUNT", 40);
    for (uint64_t seed = first; seed < first + count; seed++) {
        one_day(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_converge_after_any_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
