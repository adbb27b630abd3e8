/* test_log_many.c -- a structure of 1,000 writers: who comes last joins as easily (ADR 0012). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/crypto/key_id.h"
#include "core/crypto/sign.h"
#include "support_dir.h"
#include "support_world.h"

#define WRITERS  1000u
#define AT_ONCE  400u
#define DEPS_MAX 150u /* what a writer cites at most: see log_own.c */

static int setup(void **state)
{
    static struct world w;
    world_init(&w, 61);
    world_found(&w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    return world_free(*state);
}

static struct ml_log *founded(struct world *w)
{
    struct ml_log *log = world_log(w);
    assert_int_equal(world_ingest(log, w->made[0].wire).result, ML_LOG_STORED);
    return log;
}

/* `i` from 1: a member of zeros is the node itself. */
static void actor_make(struct world *w, struct actor *a, unsigned i)
{
    *a = (struct actor){0};
    assert_int_equal(ml_sign_keypair(&a->pk, &a->seed, &w->fake.env), ML_OK);
    assert_int_equal(ml_sign_keypair(&a->mon_pk, &a->mon, &w->fake.env), ML_OK);
    a->id = ml_writer_id_of(&a->pk);
    memcpy(a->member.b, &i, sizeof(i));
    memcpy(a->node.b, &i, sizeof(i));
}

static void actor_free(struct actor *a)
{
    ml_secret_free(a->seed);
    ml_secret_free(a->mon);
}

/* Header bytes and citations of what was made last. */
struct sizes {
    size_t header;
    uint32_t deps;
};

static void widen(const struct world *w, struct sizes *max)
{
    struct ml_bundle bundle;
    assert_int_equal(ml_bundle_decode(&bundle, w->made[w->made_count - 1].wire, NULL), ML_OK);
    max->header = bundle.header_bytes.len > max->header ? bundle.header_bytes.len : max->header;
    max->deps = bundle.header.deps.count > max->deps ? bundle.header.deps.count : max->deps;
}

static struct ml_log_outcome write(struct world *w, struct ml_log *log, const struct actor *a,
                                   uint8_t lane)
{
    static const struct ml_slice sealed = {(const uint8_t *)"sealed bytes, sealed bytes", 26};
    return world_append(w, log,
                        &(struct draft){.by = a, .lane = lane, .ops = &sealed, .op_count = 1});
}

static void nothing(void *user, const struct ml_log_outcome *o)
{
    (void)user;
    assert_int_equal(o->result, ML_LOG_STORED);
    assert_int_equal(o->verdict, ML_VERDICT_ACCEPTED);
}

/* All that was made, in one batch; returns the microseconds of processor time per bundle. */
static double ingest_all(struct world *w, struct ml_log *log)
{
    static struct ml_slice wires[WORLD_WIRES];
    for (size_t i = 0; i < w->made_count; i++) {
        wires[i] = w->made[i].wire;
    }
    const clock_t start = clock();
    assert_int_equal(ml_log_ingest(log, wires, w->made_count, nothing, NULL), ML_OK);
    return (double)(clock() - start) / ((double)CLOCKS_PER_SEC / 1e6) / (double)w->made_count;
}

static void a_thousand_writers_join_one_after_the_other(void **state)
{
    struct world *w = *state;
    struct ml_log *log = founded(w);
    struct sizes first = {0};
    struct actor a;
    assert_int_equal(ml_log_begin(log), ML_OK);
    for (unsigned i = 0; i < WRITERS; i++) {
        actor_make(w, &a, i + 1);
        world_admit(w, log, &a);
        struct ml_slice op = world_opening(w, &a);
        (void)world_append(w, log, &(struct draft){.by = &a, .ops = &op, .op_count = 1});
        widen(w, &first);
        (void)write(w, log, &a, ML_LANE_RECORD);
        widen(w, &first);
        actor_free(&a);
    }
    assert_int_equal(ml_log_commit(log), ML_OK);
    /* Each cites what nobody else has below him: the writer before. */
    assert_in_range(first.deps, 1, 4);
    assert_in_range(first.header, 100, 400);
    struct ml_log *copy = world_log(w);
    const double us = ingest_all(w, copy);
    assert_true(world_same_state(log, copy));
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(copy, &counts), ML_OK);
    assert_int_equal(counts.bundles, 1 + 4 * WRITERS);
    print_message("%u writers: headers up to %zu bytes, %u citations; ingest %.0f us a bundle\n",
                  WRITERS, first.header, first.deps, us);
    /* The same from disk alone. */
    copy = world_reopen(w, copy);
    (void)write(w, copy, &w->actors[0], ML_LANE_KEYS);
    ml_log_close(copy);
    ml_log_close(log);
}

/* 400 open their writers where nobody hears of the others: more heads than a header has room for.
 * Who joins then cites a part, and each next header more. */
static void more_heads_than_a_header_holds_are_cited_in_turn(void **state)
{
    struct world *w = *state;
    struct ml_log *apart = founded(w);
    struct ml_log *log = founded(w);
    struct sizes first = {0};
    struct actor a;
    assert_int_equal(ml_log_begin(apart), ML_OK); /* one commit each, not thousands */
    assert_int_equal(ml_log_begin(log), ML_OK);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        actor_make(w, &a, i + 1);
        const size_t before = w->made_count;
        world_admit(w, apart, &a);
        struct ml_slice op = world_opening(w, &a);
        (void)world_build(w, apart, &(struct draft){.by = &a, .ops = &op, .op_count = 1});
        for (size_t k = before; k < w->made_count; k++) {
            assert_int_equal(world_ingest(log, w->made[k].wire).result, ML_LOG_STORED);
        }
        actor_free(&a);
    }
    actor_make(w, &a, AT_ONCE + 1);
    world_admit(w, log, &a);
    struct ml_slice op = world_opening(w, &a);
    (void)world_append(w, log, &(struct draft){.by = &a, .ops = &op, .op_count = 1});
    for (unsigned i = 0; i < 5; i++) {
        (void)write(w, log, &a, ML_LANE_RECORD);
        widen(w, &first);
    }
    assert_in_range(first.deps, 2, DEPS_MAX);
    assert_in_range(first.header, 1000, ML_HEADER_BYTES_MAX - 64 * 39);
    struct ml_log_next next;
    assert_int_equal(ml_log_next_own(log, &a.id, ML_LANE_RECORD, &next), ML_OK);
    assert_int_equal(next.dep_count, 0); /* all of them by now */
    actor_free(&a);
    assert_int_equal(ml_log_commit(apart), ML_OK);
    assert_int_equal(ml_log_commit(log), ML_OK);
    struct ml_log *copy = world_log(w);
    (void)ingest_all(w, copy);
    assert_true(world_same_state(log, copy));
    print_message("%u heads at once: headers up to %zu bytes, %u citations\n", AT_ONCE,
                  first.header, first.deps);
    ml_log_close(copy);
    ml_log_close(log);
    ml_log_close(apart);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_writers_join_one_after_the_other),
        TEST(more_heads_than_a_header_holds_are_cited_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
