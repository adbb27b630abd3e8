/* test_log_limit.c -- what a node doesn't keep of those who sign without end: one limit per test.
 * Beyond a limit that person alone is stopped, and the others go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/keyop.h"
#include "core/crypto/key_id.h"
#include "core/store/log_impl.h"
#include "support_world.h"

struct fixture {
    struct world w;
    struct ml_log *a;
    struct ml_log *b;
};

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 61);
    world_found(&f.w);
    f.b = world_log(&f.w);
    f.a = world_log(&f.w); /* the last one: it can be opened again */
    assert_int_equal(world_ingest(f.a, f.w.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&f.w, f.a, 1);
    (void)world_record(&f.w, f.a, 1, 1);
    (void)world_record(&f.w, f.a, 1, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->a);
    ml_log_close(f->b);
    return world_free(&f->w);
}

static void assert_stopped(const struct ml_log_outcome *o)
{
    assert_int_equal(o->result, ML_LOG_STOPPED);
    assert_int_equal(o->err, ML_E_LIMIT);
    assert_int_equal(o->reason, ML_REASON_STORE_FULL);
}

/* The longest row of taken places in the table of writers: what a search may have to look at. */
static size_t longest_run(const struct ml_log *log)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < log->slot_count; i++) {
        run = log->slots[i] == 0 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void writers_who_choose_their_ids_choose_no_place(void **state)
{
    enum { CHOSEN = 4096 };
    struct fixture *f = *state;
    struct ml_log_writer *w = NULL;
    struct ml_writer_id id = {{0}};
    assert_int_equal(ml_log_write(f->a), ML_OK);
    for (uint32_t i = 0; i < CHOSEN; i++) { /* as if he had drawn keys until they are so alike */
        ml_put_u32be(id.b + 12, i);
        assert_int_equal(ml_log_writer_add(f->a, &w, &id), ML_OK);
    }
    assert_in_range(longest_run(f->a), 1, 128);
    assert_ptr_equal(ml_log_writer_find(f->a, &id), w);
    assert_memory_not_equal(f->a->slot_key, f->b->slot_key, sizeof(f->a->slot_key));
    ml_log_abort(f->a);
}

/* Heads stand in every frontier and in memory. */
static void branches_of_a_chain_end_at_a_limit(void **state)
{
    struct fixture *f = *state;
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes", 12};
    struct ml_log_next later;
    struct ml_log_next earlier;
    struct ml_log_counts counts;
    const size_t shared = f->w.made_count;
    struct draft d = {.by = &f->w.actors[1], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1};
    /* `earlier` takes the place of the second record bundle, `later` comes after both. */
    for (size_t i = 0; i + 1 < shared; i++) {
        assert_int_equal(world_ingest(f->b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    assert_int_equal(ml_log_next_own(f->b, &d.by->id, d.lane, &earlier), ML_OK);
    assert_int_equal(ml_log_next_own(f->a, &d.by->id, d.lane, &later), ML_OK);
    assert_int_equal(later.seq, earlier.seq + 1);
    d.next = &later;
    for (size_t i = 0; i < ML_LOG_BRANCHES_MAX + 2; i++) {
        struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
        if (i < ML_LOG_BRANCHES_MAX) {
            assert_int_equal(o.result, ML_LOG_STORED);
        } else {
            assert_stopped(&o);
        }
    }
    d.next = &earlier; /* what proves a lower fork is kept: all nodes come to the lowest */
    struct ml_log_outcome low = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_int_equal(low.result, ML_LOG_STORED);
    low = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_stopped(&low);
    /* The other node hears of it in the other order, and rules the same on what both have. */
    struct ml_log_entry e;
    struct ml_log_entry same;
    for (size_t i = f->w.made_count; i > 0; i--) {
        (void)world_ingest(f->b, f->w.made[i - 1].wire);
    }
    for (size_t i = 0; i < f->w.made_count; i++) {
        if (ml_log_get(f->a, &f->w.made[i].id.hash, &e) == ML_OK &&
            ml_log_get(f->b, &f->w.made[i].id.hash, &same) == ML_OK) {
            ml_verdict verdict = same.verdict;
            assert_int_equal(ml_log_get(f->a, &f->w.made[i].id.hash, &e), ML_OK);
            assert_int_equal(e.verdict, verdict);
        }
    }
    assert_int_equal(ml_log_counts(f->b, &counts), ML_OK);
    assert_true(counts.bundles <= shared + ML_LOG_BRANCHES_MAX + 1);
    (void)world_record(&f->w, f->a, 0, 1); /* the others go on */
}

/* Each writer that counts is in every vector, and in memory. */
static void writers_of_a_member_on_a_node_end_at_a_limit(void **state)
{
    struct fixture *f = *state;
    struct actor clone = f->w.actors[1];
    for (size_t i = 0; i < 3; i++) { /* up to his enrolment */
        assert_int_equal(world_ingest(f->b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    for (size_t i = 0; i <= ML_LOG_PLACE_WRITERS_MAX; i++) {
        struct ml_log_next next;
        clone.seed = NULL;
        assert_int_equal(ml_sign_keypair(&clone.pk, &clone.seed, &f->w.fake.env), ML_OK);
        clone.id = ml_writer_id_of(&clone.pk);
        /* He pretends to have seen his enrolment alone: nothing says that others were before. */
        assert_int_equal(ml_log_next_own(f->b, &clone.id, ML_LANE_GOVERNANCE, &next), ML_OK);
        struct ml_slice op = world_opening(&f->w, &clone);
        struct draft d = {.by = &clone, .ops = &op, .op_count = 1, .next = &next};
        struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
        if (i + 1 < ML_LOG_PLACE_WRITERS_MAX) { /* the first is the actor's own */
            assert_int_equal(o.result, ML_LOG_STORED);
            assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
        } else {
            assert_stopped(&o);
        }
        ml_secret_free(clone.seed);
    }
    world_enrol(&f->w, f->a, 2); /* the others go on, here in a log that was told no */
    f->a = world_reopen(&f->w, f->a);
    (void)world_record(&f->w, f->a, 2, 1);
}

/* Facts of governance stay in memory, whoever states them. */
static void words_of_governance_end_at_a_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_govop op = {.type = ML_GOVOP_CARD_SET, .u.card_set = {.kind = ML_CARD_MEMBER}};
    memcpy(op.u.card_set.id, f->w.actors[1].member.b, sizeof(op.u.card_set.id));
    op.u.card_set.card.ct = ml_slice_str("a card, sealed or so it seems");
    struct ml_slice one = world_op(&f->w, &op, NULL);
    struct draft d = {.by = &f->w.actors[1], .ops = &one, .op_count = 1};
    for (uint32_t seq = 2; seq <= ML_LOG_LANE0_MAX; seq++) {
        (void)world_append(&f->w, f->a, &d);
    }
    struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_stopped(&o);
    d.by = &f->w.actors[0]; /* the coordinator has no such limit */
    struct ml_slice many[ML_LOG_LANE0_OPS_MAX + 1];
    for (size_t i = 0; i <= ML_LOG_LANE0_OPS_MAX; i++) {
        many[i] = one;
    }
    d.ops = many;
    d.op_count = ML_LOG_LANE0_OPS_MAX + 1;
    for (uint32_t i = 0; i <= ML_LOG_LANE0_MAX; i++) {
        (void)world_append(&f->w, f->a, &d);
    }
    world_enrol(&f->w, f->a, 2);
    d.by = &f->w.actors[2];
    many[0] = world_op(&f->w, &op, NULL); /* the bytes of the others are the same ones */
    o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_stopped(&o);
    d.op_count = ML_LOG_LANE0_OPS_MAX; /* not hers to say, but kept */
    o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_int_equal(o.result, ML_LOG_STORED);
}

/* Nor does anyone listen to a stranger for long. */
static void a_strangers_words_end_sooner(void **state)
{
    struct fixture *f = *state;
    struct ml_slice many[ML_LOG_LANE0_OPS_MAX + 1];
    static uint8_t bytes[512];
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD, .u.team_add.team = {{9}}};
    struct ml_slice op = world_op(&f->w, &team, NULL);
    memcpy(bytes, op.data, op.len);
    for (size_t i = 0; i <= ML_LOG_LANE0_OPS_MAX; i++) {
        many[i] = ml_slice(bytes, op.len);
    }
    many[0] = world_opening(&f->w, &f->w.actors[6]); /* whom nobody enrolled */
    struct draft d = {.by = &f->w.actors[6], .ops = many, .op_count = ML_LOG_LANE0_OPS_MAX + 1};
    struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    assert_stopped(&o);
    d.op_count = 1;
    for (uint32_t seq = 1; seq <= ML_LOG_LANE0_STRANGER_MAX + 1; seq++) {
        o = world_ingest(f->a, world_build(&f->w, f->a, &d));
        assert_int_equal(o.result,
                         seq <= ML_LOG_LANE0_STRANGER_MAX ? ML_LOG_STORED : ML_LOG_STOPPED);
        assert_int_not_equal(o.verdict, ML_VERDICT_ACCEPTED);
        many[0] = ml_slice(bytes, op.len);
    }
    world_enrol(&f->w, f->a, 2);
}

/* What nobody can verify yet has a share of the queue, and leaves the rest. */
static void invented_writers_leave_room_in_the_queue(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[40000];
    const struct ml_slice op = ml_slice(bytes, sizeof(bytes));
    struct ml_log_next next = {.seq = 1};
    struct ml_log_outcome o = {.result = ML_LOG_PENDING};
    struct actor liar = f->w.actors[3];
    size_t kept = 0;
    for (size_t i = 0; i < 400 && o.result == ML_LOG_PENDING; i++) {
        ml_sign_pk_of(&liar.pk, liar.seed);
        struct draft d = {
            .by = &liar, .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1, .next = &next};
        struct ml_slice wire = world_build(&f->w, f->a, &d);
        o = world_ingest(f->a, wire);
        kept += o.result == ML_LOG_PENDING;
        if (i % 100 == 99) { /* another invented one */
            ml_secret_free(liar.seed == f->w.actors[3].seed ? NULL : liar.seed);
            assert_int_equal(ml_sign_keypair(&liar.pk, &liar.seed, &f->w.fake.env), ML_OK);
            liar.id = ml_writer_id_of(&liar.pk);
        }
    }
    ml_secret_free(liar.seed == f->w.actors[3].seed ? NULL : liar.seed);
    assert_stopped(&o);
    assert_true(kept * sizeof(bytes) <= (size_t)ML_LOG_PENDING_STRANGE);
    assert_true((kept + 2) * sizeof(bytes) > (size_t)ML_LOG_PENDING_STRANGE);
    f->a = world_reopen(&f->w, f->a); /* counted again from what is there */
    const struct ml_log_next ahead = {.seq = 9, .prev = {{7}}};
    const struct draft known = {
        .by = &f->w.actors[1], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1, .next = &ahead};
    o = world_ingest(f->a, world_build(&f->w, f->a, &known));
    assert_int_equal(o.result, ML_LOG_PENDING); /* his key is known: he waits as ever */
    const struct draft again = {
        .by = &f->w.actors[4], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1, .next = &next};
    struct ml_slice wire = world_build(&f->w, f->a, &again);
    o = world_ingest(f->a, wire);
    assert_stopped(&o);
    world_enrol(&f->w, f->a, 3); /* his hundred are known now, and their share is free */
    assert_int_equal(world_ingest(f->a, wire).result, ML_LOG_PENDING);
}

static void count_result(void *user, const struct ml_log_outcome *o)
{
    size_t *by_result = user;
    by_result[o->result]++;
}

/* Small ones cost a row each, however few their bytes. */
static void waiting_bundles_of_a_writer_end_at_a_count(void **state)
{
    struct fixture *f = *state;
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes", 12};
    struct ml_slice wires[ML_LOG_PENDING_WRITER_MAX + 2];
    struct ml_log_next next = {.seq = 9, .prev = {{7}}}; /* of a chain whose part is missing */
    const struct draft d = {
        .by = &f->w.actors[1], .lane = ML_LANE_RECORD, .ops = &op, .op_count = 1, .next = &next};
    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++, next.seq++) {
        wires[i] = world_build(&f->w, f->a, &d);
    }
    size_t by_result[ML_LOG_STOPPED + 1] = {0};
    assert_int_equal(
        ml_log_ingest(f->a, wires, sizeof(wires) / sizeof(wires[0]), count_result, by_result),
        ML_OK);
    assert_int_equal(by_result[ML_LOG_PENDING], ML_LOG_PENDING_WRITER_MAX);
    assert_int_equal(by_result[ML_LOG_STOPPED], 2);
}

/* The bytes of all that wait are counted as they come, as they go, and again at each opening. The
 * limit itself is 64 MiB: the count is moved there, not the bytes. */
static void what_waits_of_all_writers_ends_at_a_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_slice wires[4];
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_equal(world_ingest(f->b, f->w.made[i].wire).result, ML_LOG_STORED);
    }
    for (size_t i = 0; i < 4; i++) { /* a chain that grows elsewhere */
        (void)world_record(&f->w, f->b, 1, 1);
        wires[i] = f->w.made[f->w.made_count - 1].wire;
    }
    assert_int_equal(world_ingest(f->a, wires[1]).result, ML_LOG_PENDING);
    assert_int_equal(f->a->tally.pending_bytes, wires[1].len);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(f->a->tally.pending_bytes, wires[1].len);
    const int64_t moved = ML_LOG_PENDING_BYTES - (int64_t)(wires[1].len + wires[2].len);
    f->a->tally.pending_bytes += moved;
    assert_int_equal(world_ingest(f->a, wires[2]).result, ML_LOG_PENDING); /* up to the limit */
    struct ml_log_outcome o = world_ingest(f->a, wires[3]);
    assert_int_equal(o.result, ML_LOG_STOPPED);
    assert_int_equal(o.reason, ML_REASON_LANE_FULL);
    f->a->tally.pending_bytes -= moved;
    assert_int_equal(world_ingest(f->a, wires[0]).result, ML_LOG_STORED);
    assert_int_equal(f->a->tally.pending_bytes, 0);
    assert_int_equal(world_ingest(f->a, wires[3]).result, ML_LOG_STORED);
    assert_true(world_same_state(f->a, f->b));
}

static struct ml_log_outcome stranger_opens(struct fixture *f)
{
    struct actor nobody = f->w.actors[6]; /* whom nobody enrolled */
    nobody.seed = NULL;
    assert_int_equal(ml_sign_keypair(&nobody.pk, &nobody.seed, &f->w.fake.env), ML_OK);
    nobody.id = ml_writer_id_of(&nobody.pk);
    struct ml_slice op = world_opening(&f->w, &nobody);
    struct draft d = {.by = &nobody, .ops = &op, .op_count = 1};
    struct ml_log_outcome o = world_ingest(f->a, world_build(&f->w, f->a, &d));
    ml_secret_free(nobody.seed);
    return o;
}

static void strangers_end_at_a_limit(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ML_LOG_STRANGERS_MAX; i++) {
        struct ml_log_outcome o = stranger_opens(f);
        assert_int_equal(o.result, ML_LOG_STORED);
        assert_int_not_equal(o.verdict, ML_VERDICT_ACCEPTED);
    }
    struct ml_log_outcome o = stranger_opens(f);
    assert_stopped(&o);
    f->a = world_reopen(&f->w, f->a); /* counted again from what is there */
    o = stranger_opens(f);
    assert_stopped(&o);
    world_enrol(&f->w, f->a, 2); /* the others go on */
}

/* A log of our own making, of which the question reads the counts alone: 4,096 branches of real
 * bundles would take minutes. */
static void branches_of_all_chains_end_at_a_limit(void **state)
{
    static struct ml_log log;
    static struct ml_log_one one;
    static struct ml_log_writer forked[ML_LOG_BRANCHES_ALL_MAX / 15u + 2u];
    static struct ml_log_writer *writers[ML_LOG_BRANCHES_ALL_MAX / 15u + 2u];
    static struct ml_log_head head;
    struct ml_log_head *heads = &head;
    (void)state;
    size_t left = ML_LOG_BRANCHES_ALL_MAX - 1;
    for (size_t i = 1; left > 0; i++) { /* 15 beyond the first in each chain */
        size_t more = left < 15 ? left : 15;
        forked[i].chains[ML_LANE_RECORD].count = 1 + more;
        left -= more;
        log.writer_count = i + 1;
    }
    for (size_t i = 0; i < log.writer_count; i++) {
        writers[i] = &forked[i];
    }
    head.known.j.hash.b[1] = 9;
    log.writers = writers;
    forked[0].chains[ML_LANE_RECORD] = (struct ml_log_chain){.heads = &heads, .count = 1};
    one.writer = &forked[0];
    one.bundle.header.lane = ML_LANE_RECORD;
    one.bundle.header.seq = 2;
    assert_false(ml_log_is_branch_too_many(&log, &one)); /* the last one that is taken */
    forked[1].chains[ML_LANE_RECORD].count++;
    assert_true(ml_log_is_branch_too_many(&log, &one));
    one.bundle.header.prev.b[1] = 9; /* it goes on from a head: no branch, so no limit */
    assert_false(ml_log_is_branch_too_many(&log, &one));
}

/* All numbers that a vector on disk may hold. */
static void writers_of_a_log_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_log_writer *w = NULL;
    struct ml_writer_id id = {{0}};
    assert_int_equal(ml_log_write(f->a), ML_OK);
    for (size_t i = f->a->writer_count; i < ML_LOG_WRITERS_MAX; i++) {
        ml_put_u32be(id.b + 4, (uint32_t)i); /* the bytes that the table looks at first */
        assert_int_equal(ml_log_writer_add(f->a, &w, &id), ML_OK);
    }
    id.b[15] = 1;
    assert_int_equal(ml_log_writer_add(f->a, &w, &id), ML_E_LIMIT);
    assert_int_equal(f->a->writer_count, ML_LOG_WRITERS_MAX);
    assert_int_equal(ml_log_done(f->a, ML_E_LIMIT), ML_E_LIMIT); /* and it is all undone */
    (void)world_record(&f->w, f->a, 1, 1);
}

static void count_outcome(void *user, const struct ml_log_outcome *o)
{
    *(size_t *)user += o->result == ML_LOG_REFUSED;
}

static void bundles_of_one_call_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    static struct ml_slice wires[ML_LOG_BATCH_MAX + 1]; /* empty: each is refused at once */
    size_t refused = 0;
    assert_int_equal(ml_log_ingest(f->a, wires, ML_LOG_BATCH_MAX, count_outcome, &refused), ML_OK);
    assert_int_equal(refused, ML_LOG_BATCH_MAX);
    assert_int_equal(ml_log_ingest(f->a, wires, ML_LOG_BATCH_MAX + 1, count_outcome, &refused),
                     ML_E_LIMIT);
    assert_int_equal(refused, ML_LOG_BATCH_MAX);
}

static void a_remembered_exchange_ends_at_its_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_node_id peer = {{5}};
    struct ml_buf out;
    uint8_t *bytes = calloc(1, ML_LOG_BASE_MAX + 1u);
    assert_non_null(bytes);
    ml_buf_init(&out, &f->w.fake.env, ML_LOG_BASE_MAX);
    assert_int_equal(ml_log_base_put(f->a, &peer, ml_slice(bytes, ML_LOG_BASE_MAX)), ML_OK);
    assert_int_equal(ml_log_base_put(f->a, &peer, ml_slice(bytes, ML_LOG_BASE_MAX + 1u)),
                     ML_E_LIMIT);
    assert_int_equal(ml_log_base_get(f->a, &peer, &out), ML_OK);
    assert_int_equal(out.len, ML_LOG_BASE_MAX);
    ml_buf_free(&out);
    free(bytes);
}

/* Rules A3 over a real log: the bundle's verdict and its own vector, read back from disk; the nth
 * allocation fails in turn and changes nothing. */
static void an_epoch_is_held_against_the_governance_of_its_bundle(void **state)
{
    struct fixture *f = *state;
    const struct ml_box_pk nobody = {{0}}; /* the world's people share this box */
    struct ml_epoch_slot slot = {.recipient = ml_recipient_id_of(&nobody)};
    struct ml_keyop op = {.type = ML_KEYOP_KEK_EPOCH};
    struct ml_keyop read;
    struct ml_log_entry entry;
    struct ml_buf buf;
    bool fits = false;
    op.u.kek_epoch = (struct ml_kek_epoch){
        .compartment = ML_COMPARTMENT_ANNUAIRE, .epoch = 1, .slots = {.items = &slot, .count = 1}};
    ml_buf_init(&buf, &f->w.fake.env, 4096);
    assert_int_equal(ml_keyop_encode(&buf, &op), ML_OK);
    assert_int_equal(ml_keyop_decode(&read, ml_buf_slice(&buf), NULL), ML_OK);
    struct ml_log_outcome o = world_lane(&f->w, f->a, 1, ML_LANE_KEYS);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_get(f->a, &o.id.hash, &entry), ML_OK);
    const long live = f->w.fake.live;
    ml_err err = ML_E_NOMEM;
    for (long nth = 1; err == ML_E_NOMEM; nth++) {
        f->w.fake.fail_alloc = nth;
        err = ml_log_epoch_fits(f->a, &entry, &read.u.kek_epoch, &fits);
        assert_int_equal(fake_spared(&f->w.fake), err == ML_OK);
        assert_true(err == ML_OK || f->w.fake.live == live);
    }
    assert_int_equal(err, ML_OK);
    assert_true(fits);
    entry.verdict = ML_VERDICT_QUARANTINED;
    assert_int_equal(ml_log_epoch_fits(f->a, &entry, &read.u.kek_epoch, &fits), ML_OK);
    assert_false(fits);
    entry.verdict = ML_VERDICT_ACCEPTED;
    entry.header.writer = f->w.actors[5].id;
    assert_int_equal(ml_log_epoch_fits(f->a, &entry, &read.u.kek_epoch, &fits), ML_OK);
    assert_false(fits);
    entry.n = ml_log_last(f->a) + 1;
    assert_int_equal(ml_log_epoch_fits(f->a, &entry, &read.u.kek_epoch, &fits), ML_E_CORRUPT);
    ml_buf_free(&buf);
}

/* Rules B17 over a real log: a network epoch counts by the rank that its author had where he wrote
 * it; the nth allocation fails in turn. */
static void a_leader_is_told_by_the_governance_of_his_bundle(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry entry;
    bool leads = false;
    struct ml_log_outcome o = world_lane(&f->w, f->a, 0, ML_LANE_KEYS);
    const struct ml_log_outcome nurses = world_lane(&f->w, f->a, 1, ML_LANE_KEYS);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_get(f->a, &o.id.hash, &entry), ML_OK);
    const long live = f->w.fake.live;
    ml_err err = ML_E_NOMEM;
    for (long nth = 1; err == ML_E_NOMEM; nth++) {
        f->w.fake.fail_alloc = nth;
        err = ml_log_leads(f->a, &entry, &leads);
        assert_int_equal(fake_spared(&f->w.fake), err == ML_OK);
        assert_true(err == ML_OK || (f->w.fake.live == live && !leads));
    }
    assert_int_equal(err, ML_OK);
    assert_true(leads);
    assert_int_equal(ml_log_get(f->a, &nurses.id.hash, &entry), ML_OK);
    assert_int_equal(entry.verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(ml_log_leads(f->a, &entry, &leads), ML_OK);
    assert_false(leads); /* of rank 3 */
    assert_int_equal(ml_log_get(f->a, &o.id.hash, &entry), ML_OK);
    entry.verdict = ML_VERDICT_QUARANTINED;
    assert_int_equal(ml_log_leads(f->a, &entry, &leads), ML_OK);
    assert_false(leads);
    entry.verdict = ML_VERDICT_ACCEPTED;
    entry.header.writer = f->w.actors[5].id;
    assert_int_equal(ml_log_leads(f->a, &entry, &leads), ML_OK);
    assert_false(leads);
    entry.n = ml_log_last(f->a) + 1;
    assert_int_equal(ml_log_leads(f->a, &entry, &leads), ML_E_CORRUPT);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(writers_who_choose_their_ids_choose_no_place),
        TEST(branches_of_a_chain_end_at_a_limit),
        TEST(writers_of_a_member_on_a_node_end_at_a_limit),
        TEST(words_of_governance_end_at_a_limit),
        TEST(a_strangers_words_end_sooner),
        TEST(invented_writers_leave_room_in_the_queue),
        TEST(strangers_end_at_a_limit),
        TEST(branches_of_all_chains_end_at_a_limit),
        TEST(writers_of_a_log_end_at_their_limit),
        TEST(bundles_of_one_call_end_at_their_limit),
        TEST(a_remembered_exchange_ends_at_its_limit),
        TEST(waiting_bundles_of_a_writer_end_at_a_count),
        TEST(what_waits_of_all_writers_ends_at_a_limit),
        TEST(an_epoch_is_held_against_the_governance_of_its_bundle),
        TEST(a_leader_is_told_by_the_governance_of_his_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
