/* test_log.c -- writing and reading the log: one rule of core/store/log*.c per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support_dir.h"
#include "support_world.h"

struct fixture {
    struct world w;
    struct ml_log *a;
};

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 11);
    world_found(&f.w);
    f.a = world_log(&f.w);
    assert_int_equal(world_ingest(f.a, f.w.made[0].wire).result, ML_LOG_STORED);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->a);
    return world_free(&f->w);
}

static void a_genesis_founds_the_structure(void **state)
{
    struct fixture *f = *state;
    const struct ml_gov *gov = ml_log_gov(f->a);
    const struct ml_fact *me = ml_gov_member(gov, &f->w.actors[0].member);
    assert_non_null(me);
    assert_int_equal(me->rank, ML_RANK_COORDINATOR);
    assert_non_null(ml_gov_next(gov, ML_FACT_ORG, NULL));
    assert_non_null(ml_gov_opening(gov, &f->w.actors[0].id));
    assert_int_equal(ml_log_last(f->a), 1);
}

static void what_is_written_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e;
    world_enrol(&f->w, f->a, 1);
    struct ml_log_outcome o = world_record(&f->w, f->a, 1, 3);
    assert_int_equal(ml_log_get(f->a, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.n, o.n);
    assert_int_equal(e.header.n_ops, 3);
    assert_int_equal(e.verdict, ML_VERDICT_ACCEPTED);
    assert_int_equal(e.body.absent, 0);
    assert_int_equal(e.bytes, o.bytes);
    struct ml_buf wire;
    ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&wire), f->w.made[f->w.made_count - 1].wire));
    ml_buf_free(&wire);
    struct ml_hash16 none = {{1}};
    assert_int_equal(ml_log_get(f->a, &none, &e), ML_E_NOT_FOUND);
}

static void a_projection_walks_in_order_of_ingest(void **state)
{
    struct fixture *f = *state;
    struct ml_log_entry e = {0};
    world_enrol(&f->w, f->a, 1);
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_lane(&f->w, f->a, 1, ML_LANE_KEYS);
    (void)world_record(&f->w, f->a, 1, 2);
    uint64_t n = 0;
    uint32_t records = 0;
    for (; ml_log_after(f->a, n, ML_LOG_LANE(3), &e) == ML_OK; n = e.n) {
        assert_true(e.n > n);
        assert_int_equal(e.header.lane, ML_LANE_RECORD);
        records++;
    }
    assert_int_equal(records, 2);
    uint64_t all = 0;
    for (n = 0; ml_log_after(f->a, n, 0x1f, &e) == ML_OK; n = e.n) {
        assert_int_equal(e.n, ++all); /* no gaps */
    }
    assert_int_equal(all, ml_log_last(f->a));
    assert_int_equal(all, 7);
}

static void all_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct ml_hash before;
    struct ml_hash after;
    struct ml_log_counts counts;
    world_enrol(&f->w, f->a, 1);
    (void)world_record(&f->w, f->a, 1, 3);
    assert_int_equal(ml_log_state_hash(f->a, &before), ML_OK);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_state_hash(f->a, &after), ML_OK);
    assert_memory_equal(before.b, after.b, sizeof(before.b));
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    assert_int_equal(counts.bundles, 5);
    assert_int_equal(counts.ops, 3);
    assert_int_equal(counts.quarantined, 0);
    assert_int_equal(counts.pending, 0);
    /* The chain goes on where it was. */
    (void)world_record(&f->w, f->a, 1, 1);
    (void)world_record(&f->w, f->a, 0, 1);
    assert_true(ml_log_hlc_last(f->a) > 0);
}

static void another_structures_log_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[300];
    struct ml_log *other = NULL;
    world_path(&f->w, path, sizeof(path));
    struct ml_log_args args = {.env = &f->w.fake.env, .path = path, .org = {{9}}};
    assert_int_equal(ml_log_open(&other, &args), ML_E_INVALID);
    assert_null(other);
    args.path = "/nonexistent/log.db";
    assert_int_equal(ml_log_open(&other, &args), ML_E_NOT_FOUND);
}

static void a_bundle_given_twice_is_kept_once(void **state)
{
    struct fixture *f = *state;
    world_enrol(&f->w, f->a, 1);
    uint64_t last = ml_log_last(f->a);
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_equal(world_ingest(f->a, f->w.made[i].wire).result, ML_LOG_DUPLICATE);
    }
    assert_int_equal(ml_log_last(f->a), last);
}

static void changed_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    world_enrol(&f->w, f->a, 1);
    struct ml_log *b = world_log(&f->w);
    for (size_t i = 0; i < 4; i++) {
        struct ml_slice wire = f->w.made[i].wire;
        uint8_t *copy = ml_copy(&f->w.fake.env, wire.data, wire.len);
        for (size_t at = 0; at < wire.len; at += 7) {
            copy[at] ^= 1;
            struct ml_log_outcome o = world_ingest(b, ml_slice(copy, wire.len));
            assert_true(o.result == ML_LOG_REFUSED || o.result == ML_LOG_PENDING);
            assert_true(o.result != ML_LOG_REFUSED || ml_err_class_of(o.err) == ML_CLASS_PEER);
            copy[at] ^= 1;
        }
        ml_release(&f->w.fake.env, copy);
        assert_int_equal(world_ingest(b, wire).result, ML_LOG_STORED);
    }
    ml_log_close(b);
}

static void bytes_that_do_not_parse_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_log_outcome o = world_ingest(f->a, ml_slice("nonsense", 8));
    assert_int_equal(o.result, ML_LOG_REFUSED);
    assert_int_equal(o.err, ML_E_MALFORMED);
    assert_int_equal(o.reason, ML_REASON_FORMAT);
}

static void a_foreign_genesis_is_refused(void **state)
{
    struct fixture *f = *state;
    struct world other;
    world_init(&other, 99);
    world_found(&other);
    struct ml_log_outcome o = world_ingest(f->a, other.made[0].wire);
    assert_int_equal(o.result, ML_LOG_REFUSED);
    assert_int_equal(o.reason, ML_REASON_GENESIS);
    assert_int_equal(world_free(&other), 0);
}

static void a_writer_cites_what_moved_and_only_once(void **state)
{
    struct fixture *f = *state;
    struct ml_log_next next;
    world_enrol(&f->w, f->a, 1);
    world_enrol(&f->w, f->a, 2);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &next), ML_OK);
    assert_int_equal(next.dep_count, 2); /* its opening, and 2's, which has the founder's below */
    (void)world_record(&f->w, f->a, 1, 1);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &next), ML_OK);
    assert_int_equal(next.seq, 2);
    assert_int_equal(next.dep_count, 0);
    /* Actor 2 saw actor 1's record: citing him covers it. */
    (void)world_record(&f->w, f->a, 2, 1);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[0].id, 3, &next), ML_OK);
    uint32_t records = 0;
    for (size_t i = 0; i < next.dep_count; i++) {
        records += next.deps[i].lane == ML_LANE_RECORD;
    }
    assert_int_equal(records, 1);
    /* The same after a restart, from what is on disk. */
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[1].id, 3, &next), ML_OK);
    assert_int_equal(next.seq, 2);
    assert_int_equal(next.dep_count, 1);
}

static void only_an_opening_can_be_first(void **state)
{
    struct fixture *f = *state;
    struct ml_log_next next;
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[3].id, 3, &next), ML_E_DENIED);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[3].id, 5, &next), ML_E_INVALID);
    assert_int_equal(ml_log_next_own(f->a, &f->w.actors[3].id, 0, &next), ML_OK);
    assert_int_equal(next.seq, 1);
    assert_int_equal(next.dep_count, 1);
}

static void several_appends_commit_together(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_log_begin(f->a), ML_OK);
    (void)world_record(&f->w, f->a, 0, 1);
    (void)world_record(&f->w, f->a, 0, 1);
    ml_log_abort(f->a);
    assert_int_equal(ml_log_last(f->a), 1); /* at once: the next call loads the rest again */
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->a, &counts), ML_OK);
    assert_int_equal(counts.bundles, 1);
    assert_int_equal(ml_log_last(f->a), 1);
    assert_int_equal(ml_log_begin(f->a), ML_OK);
    (void)world_record(&f->w, f->a, 0, 1);
    (void)world_record(&f->w, f->a, 0, 1);
    assert_int_equal(ml_log_commit(f->a), ML_OK);
    ml_log_abort(f->a);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_last(f->a), 3);
}

static void a_body_may_come_later(void **state)
{
    struct fixture *f = *state;
    struct ml_log_counts counts;
    struct ml_log_entry e;
    struct ml_frontier_digest hole;
    struct ml_frontier_digest whole;
    (void)world_record(&f->w, f->a, 0, 2);
    struct ml_log *b = world_log(&f->w);
    assert_int_equal(world_ingest(b, f->w.made[0].wire).result, ML_LOG_STORED);
    struct ml_slice wire = f->w.made[1].wire;
    struct ml_bundle bundle;
    struct ml_buf bare;
    assert_int_equal(ml_bundle_decode(&bundle, wire, NULL), ML_OK);
    ml_buf_init(&bare, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    assert_int_equal(ml_bundle_join(&bare, bundle.header_bytes, &bundle.sig, &absent), ML_OK);
    struct ml_log_outcome o = world_ingest(b, ml_buf_slice(&bare));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(world_ingest(b, ml_buf_slice(&bare)).result, ML_LOG_DUPLICATE);
    ml_buf_free(&bare);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 1);
    assert_int_equal(ml_log_digest(b, &hole), ML_OK);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, ML_ABSENT_NOT_RECEIVED);
    uint64_t epoch = ml_log_epoch(b);
    assert_int_equal(world_ingest(b, wire).result, ML_LOG_BODY);
    assert_int_equal(world_ingest(b, wire).result, ML_LOG_DUPLICATE);
    assert_true(ml_log_epoch(b) != epoch);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, 0);
    assert_int_equal(e.bytes, wire.len);
    assert_int_equal(ml_log_digest(b, &whole), ML_OK);
    assert_memory_equal(whole.frontier, hole.frontier, 16);
    assert_memory_not_equal(whole.holes, hole.holes, 16);
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
}

/* The wire form of a made bundle with another body. Free it. */
static void wire_with_body(struct fixture *f, struct ml_buf *out, struct ml_slice wire,
                           const struct ml_wire_body *body)
{
    struct ml_bundle bundle;
    assert_int_equal(ml_bundle_decode(&bundle, wire, NULL), ML_OK);
    ml_buf_init(out, &f->w.fake.env, 2 * (size_t)ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(out, bundle.header_bytes, &bundle.sig, body), ML_OK);
}

/* `wire` came to a second log as `given`: its body must count as missing until the whole comes. */
static void body_is_wanted(struct fixture *f, struct ml_slice wire, struct ml_slice given)
{
    struct ml_log_counts counts;
    struct ml_log_entry e;
    struct ml_log *b = world_log(&f->w);
    assert_int_equal(world_ingest(b, f->w.made[0].wire).result, ML_LOG_STORED);
    struct ml_log_outcome o = world_ingest(b, given);
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 1);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, ML_ABSENT_NOT_RECEIVED);
    assert_int_equal(e.bytes, o.bytes);
    assert_int_equal(world_ingest(b, given).result, ML_LOG_DUPLICATE);
    assert_int_equal(world_ingest(b, wire).result, ML_LOG_BODY);
    assert_int_equal(world_ingest(b, given).result, ML_LOG_DUPLICATE);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, 0);
    assert_int_equal(e.bytes, wire.len);
    ml_log_close(b);
}

/* The header was signed, so its signature is no longer looked at when the body comes: the root is.
 */
static void some_other_body_fills_no_hole(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    struct ml_log_entry e;
    struct ml_buf bare;
    struct ml_buf given;
    (void)world_record(&f->w, f->a, 0, 2);
    struct ml_slice wire = f->w.made[1].wire;
    assert_int_equal(ml_bundle_decode(&bundle, wire, NULL), ML_OK);
    uint8_t *other = ml_copy(&f->w.fake.env, bundle.body.bytes.data, bundle.body.bytes.len);
    other[bundle.body.bytes.len - 1] ^= 1; /* of the last ciphertext */
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    const struct ml_wire_body wrong = {.bytes = ml_slice(other, bundle.body.bytes.len)};
    wire_with_body(f, &bare, wire, &absent);
    wire_with_body(f, &given, wire, &wrong);
    struct ml_log *b = world_log(&f->w);
    assert_int_equal(world_ingest(b, f->w.made[0].wire).result, ML_LOG_STORED);
    struct ml_log_outcome o = world_ingest(b, ml_buf_slice(&bare));
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(world_ingest(b, ml_buf_slice(&given)).result, ML_LOG_DUPLICATE);
    assert_int_equal(ml_log_get(b, &o.id.hash, &e), ML_OK);
    assert_int_equal(e.body.absent, ML_ABSENT_NOT_RECEIVED);
    assert_int_equal(world_ingest(b, wire).result, ML_LOG_BODY);
    ml_log_close(b);
    ml_buf_free(&given);
    ml_buf_free(&bare);
    ml_release(&f->w.fake.env, other);
}

static void a_relay_cannot_blank_an_op(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    struct ml_buf cut;
    struct ml_buf given;
    (void)world_record(&f->w, f->a, 0, 2);
    struct ml_slice wire = f->w.made[1].wire;
    assert_int_equal(ml_bundle_decode(&bundle, wire, NULL), ML_OK);
    ml_buf_init(&cut, &f->w.fake.env, ML_BODY_SHREDDED_MAX);
    assert_int_equal(ml_body_shred(&cut, bundle.body.bytes, 1), ML_OK);
    const struct ml_wire_body body = {.bytes = ml_buf_slice(&cut)};
    wire_with_body(f, &given, wire, &body);
    body_is_wanted(f, wire, ml_buf_slice(&given));
    ml_buf_free(&given);
    ml_buf_free(&cut);
}

static void a_peers_reason_for_an_absent_body_is_hearsay(void **state)
{
    struct fixture *f = *state;
    (void)world_record(&f->w, f->a, 0, 2);
    struct ml_slice wire = f->w.made[1].wire;
    for (unsigned reason = ML_ABSENT_NOT_RECEIVED; reason <= UINT8_MAX; reason += 63) {
        const struct ml_wire_body body = {.absent = (uint8_t)reason};
        struct ml_buf given;
        wire_with_body(f, &given, wire, &body);
        body_is_wanted(f, wire, ml_buf_slice(&given));
        ml_buf_free(&given);
    }
    const struct ml_wire_body shredded = {.absent = ML_ABSENT_SHREDDED};
    struct ml_buf given;
    wire_with_body(f, &given, wire, &shredded);
    body_is_wanted(f, wire, ml_buf_slice(&given));
    ml_buf_free(&given);
}

static void settings_and_peers_are_kept(void **state)
{
    struct fixture *f = *state;
    struct ml_buf out;
    struct ml_node_id node = {{5}};
    struct ml_log_peer peer = {.node = node, .address = "host:4433", .last_seen_ms = 12};
    ml_buf_init(&out, &f->w.fake.env, 100);
    assert_int_equal(ml_log_setting_get(f->a, "k", &out), ML_E_NOT_FOUND);
    assert_int_equal(ml_log_setting_put(f->a, "k", ml_slice("v1", 2)), ML_OK);
    assert_int_equal(ml_log_setting_put(f->a, "k", ml_slice("v2", 2)), ML_OK);
    assert_int_equal(ml_log_setting_put(f->a, "", ml_slice("v", 1)), ML_E_LIMIT);
    assert_int_equal(ml_log_peer_put(f->a, &peer), ML_OK);
    assert_int_equal(ml_log_base_get(f->a, &node, &out), ML_E_NOT_FOUND);
    assert_int_equal(ml_log_base_put(f->a, &node, ml_slice("base", 4)), ML_OK);
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_setting_get(f->a, "k", &out), ML_OK);
    assert_int_equal(ml_log_base_get(f->a, &node, &out), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str("v2base")));
    ml_buf_free(&out);
}

static ml_err peer_is(void *user, const struct ml_log_peer *peer)
{
    unsigned *count = user;
    assert_string_equal(peer->address, *count == 0 ? "a:1" : "b:2");
    (*count)++;
    return ML_OK;
}

static void peers_are_listed_in_order(void **state)
{
    struct fixture *f = *state;
    struct ml_log_peer peer = {.node = {{7}}, .address = "b:2", .last_err = ML_E_TIMEOUT};
    unsigned count = 0;
    assert_int_equal(ml_log_peer_put(f->a, &peer), ML_OK);
    peer = (struct ml_log_peer){.node = {{3}}, .address = "a:1"};
    assert_int_equal(ml_log_peer_put(f->a, &peer), ML_OK);
    assert_int_equal(ml_log_peers(f->a, peer_is, &count), ML_OK);
    assert_int_equal(count, 2);
    memset(peer.address, 'x', sizeof(peer.address));
    assert_int_equal(ml_log_peer_put(f->a, &peer), ML_E_LIMIT);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_genesis_founds_the_structure),
        TEST(what_is_written_is_read_back),
        TEST(a_projection_walks_in_order_of_ingest),
        TEST(all_is_there_after_reopening),
        TEST(another_structures_log_is_refused),
        TEST(a_bundle_given_twice_is_kept_once),
        TEST(changed_bytes_are_refused),
        TEST(bytes_that_do_not_parse_are_refused),
        TEST(a_foreign_genesis_is_refused),
        TEST(a_writer_cites_what_moved_and_only_once),
        TEST(only_an_opening_can_be_first),
        TEST(several_appends_commit_together),
        TEST(a_body_may_come_later),
        TEST(some_other_body_fills_no_hole),
        TEST(a_relay_cannot_blank_an_op),
        TEST(a_peers_reason_for_an_absent_body_is_hearsay),
        TEST(settings_and_peers_are_kept),
        TEST(peers_are_listed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
