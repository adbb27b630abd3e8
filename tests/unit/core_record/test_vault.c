/* tests/unit/core_record/test_vault.c -- one rule of the vault per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/vault_int.h"
#include "support_vault.h"

static int setup(void **state)
{
    struct place *p = malloc(sizeof(*p));
    assert_non_null(p);
    place_init(p, 5);
    place_found(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    int rc = place_free(*state);
    free(*state);
    return rc;
}

static struct ml_object_id new_object(struct place *p)
{
    p->fake.wall_ms += 1000;
    return ml_object_id_new(&p->fake.env);
}

static struct ml_slice dose(struct place *p, const char *drug, const char *number)
{
    const char *const names[] = {"drug", "dose"};
    const struct ml_slice values[] = {val_concept(p, drug), val_quantity(p, number, "mg")};
    return val_map(p, "treatment", names, values, 2);
}

static struct ml_slice measure(struct place *p, const char *what, const char *number, int64_t at)
{
    const char *const names[] = {"code", "value", "taken_at"};
    const struct ml_slice values[] = {val_concept(p, what), val_quantity(p, number, "kg"),
                                      val_instant(p, at)};
    return val_map(p, "observation", names, values, 3);
}

static const struct ml_value *item(const struct ml_tree *tree, const char *list, size_t i)
{
    return ml_value_at(ml_value_get(ml_tree_root(tree), list), i);
}

static const char *text_of(const struct ml_value *map, const char *key)
{
    return ml_value_text(ml_value_get(map, key), "?");
}

static void a_patient_is_found_shown_and_followed(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_object_id weight = new_object(p);
    put_patient(p, pat, &(struct identity){"Müller-Lefèvre", "Dupont", "Zoé", "1979-03-28"});
    put(p, &(struct put){.patient = pat,
                         .entity = "observation",
                         .object = &weight,
                         .type = ML_CHANGE_CREATE,
                         .value = measure(p, "Poids", "72.50", 1790000000000)});
    place_catch_up(p, p->vault, 1);
    assert_true(ml_vault_complete(p->vault));
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_find(p->vault, "lefevre zo", 10, args), ML_OK);
    struct ml_tree *tree = answer(args);
    assert_int_equal(ml_value_count(ml_value_get(ml_tree_root(tree), "items")), 1);
    assert_string_equal(text_of(item(tree, "items", 0), "birth_name"), "Müller-Lefèvre");
    assert_string_equal(text_of(item(tree, "items", 0), "birth_date_text"), "28/03/1979");
    ml_tree_free(tree);
    args = ml_args_new();
    const struct ml_timeline_query query = {.patient = p->patient[pat]};
    assert_int_equal(ml_view_timeline(p->vault, &query, args), ML_OK);
    tree = answer(args);
    assert_int_equal(ml_value_count(ml_value_get(ml_tree_root(tree), "items")), 1);
    assert_string_equal(text_of(item(tree, "items", 0), "title"), "Poids");
    assert_string_equal(text_of(item(tree, "items", 0), "text"), "72,50 kg");
    ml_tree_free(tree);
    args = ml_args_new();
    assert_int_equal(ml_view_patient(p->vault, &p->patient[pat], args), ML_OK);
    tree = answer(args);
    assert_string_equal(text_of(ml_value_get(ml_tree_root(tree), "allergies"), "state"),
                        "not_recorded");
    ml_tree_free(tree);
}

static struct ml_tree *conflicts(struct place *p, struct ml_vault *v)
{
    struct ml_args *args = ml_args_new();
    (void)p;
    assert_int_equal(ml_view_conflicts(v, NULL, 0, args), ML_OK);
    return answer(args);
}

struct gathered {
    struct ml_version_id id[8];
    uint32_t count;
};

static ml_err gather(void *user, const struct ml_version_id *version)
{
    struct gathered *g = user;
    assert_true(g->count < 8);
    g->id[g->count++] = *version;
    return ML_OK;
}

static void two_doses_are_a_conflict_until_one_names_both(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_object_id line = new_object(p);
    struct gathered heads = {.count = 0};
    put_patient(p, pat, &(struct identity){"Martin", "Martin", "Paul", "1950"});
    struct put line_put = {.patient = pat,
                           .entity = "treatment",
                           .object = &line,
                           .type = ML_CHANGE_CREATE,
                           .value = dose(p, "furosémide", "20")};
    struct ml_version_id made = put(p, &line_put);
    line_put = (struct put){.patient = pat,
                            .by = 1,
                            .entity = "treatment",
                            .object = &line,
                            .field = "dose",
                            .value = dose(p, "furosémide", "40"),
                            .seen = &made,
                            .seen_count = 1};
    put(p, &line_put);
    line_put.value = dose(p, "furosémide", "0.50");
    put(p, &line_put);
    place_catch_up(p, p->vault, 3);
    struct ml_tree *tree = conflicts(p, p->vault);
    assert_int_equal(ml_value_int(ml_value_get(ml_tree_root(tree), "total"), -1), 1);
    assert_string_equal(text_of(item(tree, "items", 0), "severity"), "critical");
    const struct ml_value *list = ml_value_get(item(tree, "items", 0), "heads");
    assert_int_equal(ml_value_count(list), 2);
    assert_string_equal(text_of(ml_value_at(list, 0), "text"), "furosémide : 0,5 mg");
    ml_tree_free(tree);
    assert_int_equal(ml_vault_heads(p->vault, &p->patient[pat], &line, 1, gather, &heads), ML_OK);
    assert_int_equal(heads.count, 2);
    line_put.value = dose(p, "furosémide", "40");
    line_put.seen = heads.id;
    line_put.seen_count = 2;
    put(p, &line_put);
    place_catch_up(p, p->vault, 100);
    tree = conflicts(p, p->vault);
    assert_int_equal(ml_value_int(ml_value_get(ml_tree_root(tree), "total"), -1), 0);
    ml_tree_free(tree);
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_object(p->vault, &p->patient[pat], &line, args), ML_OK);
    tree = answer(args);
    const struct ml_value *field = item(tree, "fields", 1);
    assert_string_equal(text_of(field, "text"), "40 mg");
    assert_int_equal(ml_value_count(ml_value_get(field, "history")), 4);
    ml_tree_free(tree);
}

/* A bundle of two ops whose second key comes later: the first op is projected once. */
static void a_bundle_half_opened_is_finished_later(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_object_id weight = new_object(p), line = new_object(p);
    struct ml_seal_item items[2];
    struct ml_vault_counts counts;
    items[0] = place_item(p, pat, "observation", ML_CHANGE_CREATE, &weight);
    items[0].change.value = measure(p, "Poids", "72.5", 1000);
    items[1] = place_item(p, pat, "treatment", ML_CHANGE_CREATE, &line);
    items[1].change.value = dose(p, "ramipril", "5");
    uint64_t wrap = p->log.count - 1; /* of the second DEK: the group has no break-glass */
    place_write(p, 0, items, 2);
    struct log_entry kept = p->log.entry[wrap];
    p->log.entry[wrap] = p->log.entry[p->log.count - 1];
    p->log.entry[p->log.count - 1] = kept;
    struct ml_vault *v = place_vault(p, 0, NULL);
    p->log.count--;
    place_catch_up(p, v, 1000);
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.ops, 1);
    assert_int_equal(counts.bundles_no_key, 1);
    p->log.count++;
    place_catch_up(p, v, 1000);
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.ops, 2);
    assert_int_equal(counts.bundles_no_key, 0);
    struct ml_args *args = ml_args_new();
    const struct ml_timeline_query query = {.patient = p->patient[pat]};
    assert_int_equal(ml_view_timeline(v, &query, args), ML_OK);
    struct ml_tree *tree = answer(args);
    assert_int_equal(ml_value_int(ml_value_get(item(tree, "items", 0), "versions"), 0), 1);
    assert_int_equal(ml_value_int(ml_value_get(item(tree, "items", 1), "versions"), 0), 1);
    ml_tree_free(tree);
    ml_vault_close(v);
}

static size_t items_of(struct place *p, size_t patient)
{
    struct ml_args *args = ml_args_new();
    const struct ml_timeline_query query = {.patient = p->patient[patient]};
    assert_int_equal(ml_view_timeline(p->vault, &query, args), ML_OK);
    struct ml_tree *tree = answer(args);
    size_t count = ml_value_count(ml_value_get(ml_tree_root(tree), "items"));
    ml_tree_free(tree);
    return count;
}

/* Patients are numbered anew when a projection starts again: an open key must not bring an entry
 * under the old number, which is another patient's now. */
static void an_entry_never_goes_to_another_patient_after_a_reset(void **state)
{
    struct place *p = *state;
    uint64_t opening_a = p->log.count;
    size_t a = place_open(p);
    uint64_t opening_b = p->log.count;
    size_t b = place_open(p);
    struct ml_object_id weight = new_object(p);
    put(p, &(struct put){.patient = a,
                         .entity = "observation",
                         .object = &weight,
                         .type = ML_CHANGE_CREATE,
                         .value = measure(p, "Poids", "72.5", 1000)});
    place_catch_up(p, p->vault, 100);
    assert_int_equal(items_of(p, a), 1);
    struct log_entry t = p->log.entry[opening_a];
    p->log.entry[opening_a] = p->log.entry[opening_b];
    p->log.entry[opening_b] = t;
    p->log.epoch++;
    place_catch_up(p, p->vault, 100);
    assert_int_equal(items_of(p, a), 1);
    assert_int_equal(items_of(p, b), 0);
}

/* The log was restored from before a key, and another key comes in its place: the vault is made
 * again, though its records don't reach beyond the log. */
static void keys_that_a_restored_log_lacks_are_forgotten(void **state)
{
    struct place *p = *state;
    size_t known = place_open(p);
    put_patient(p, known, &(struct identity){"Noël", "Roux", "Léa", "2001-02-03"});
    const uint64_t kept = p->log.count;
    size_t lost = place_open(p);
    const uint64_t opening = p->log.count;
    size_t later = place_open(p);
    struct ml_vault *v = place_vault(p, 0, NULL);
    p->log.count = opening;
    place_catch_up(p, v, 100);
    p->log.count = kept;
    place_catch_up(p, v, 100);
    struct log_entry t = p->log.entry[kept];
    p->log.entry[kept] = p->log.entry[opening];
    p->log.entry[opening] = t;
    p->log.count = kept + 1;
    place_catch_up(p, v, 100);
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_patient(v, &p->patient[later], args), ML_OK);
    ml_args_free(args);
    args = ml_args_new();
    assert_int_equal(ml_view_patient(v, &p->patient[lost], args), ML_E_NOT_FOUND);
    ml_args_free(args);
    p->log.count = opening + 1;
    ml_vault_close(v);
}

/* Lane 1 is clear: who copies a wrap's place and nonce with garbage inside, and is heard first,
 * must not keep the real one out. */
static void a_forged_wrap_displaces_nothing(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    unsigned forged = 0;
    struct ml_vault_counts counts;
    put_patient(p, pat, &(struct identity){"Müller", "Dupont", "Zoé", "1979-03-28"});
    place_grant(p, 1);
    struct ml_vault *v = place_vault(p, 1, NULL);
    for (uint64_t n = 1; n <= p->log.count; n++) {
        struct ml_bundle b;
        struct ml_body_walk walk;
        struct ml_body_op body_op;
        struct ml_keyop op;
        struct ml_keyring_news news;
        const struct log_entry *e = &p->log.entry[n - 1];
        assert_int_equal(ml_bundle_decode(&b, ml_slice(e->wire, e->len), NULL), ML_OK);
        ml_body_walk(&walk, b.body.bytes);
        if (b.header.lane != ML_LANE_KEYS || !ml_body_next(&walk, &body_op) ||
            ml_keyop_decode(&op, body_op.sealed, NULL) != ML_OK || op.type != ML_KEYOP_DEK_WRAP) {
            continue;
        }
        op.u.dek_wrap.ct[0] ^= 1;
        assert_int_equal(ml_keyring_apply(ml_vault_keyring(v), &op, true, &news), ML_OK);
        forged++;
    }
    assert_true(forged > 0);
    place_catch_up(p, v, 1000);
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.bundles_no_key, 0);
    assert_int_equal(counts.ops, 1);
    ml_vault_close(v);
}

/* One object that somebody made too large leaves its other versions, and all others, alone. */
static void an_object_beyond_all_measure_stops_nothing(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_object_id line = new_object(p), weight = new_object(p);
    struct ml_vault_counts counts;
    struct put line_put = {.patient = pat,
                           .entity = "treatment",
                           .object = &line,
                           .type = ML_CHANGE_CREATE,
                           .value = dose(p, "furosémide", "20")};
    struct ml_version_id made = put(p, &line_put);
    place_catch_up(p, p->vault, 100);
    p->vault->packed.max = 512; /* ML_OBJECT_BYTES_MAX would take a while */
    line_put = (struct put){.patient = pat,
                            .entity = "treatment",
                            .object = &line,
                            .field = "dose",
                            .value = dose(p, "furosémide", "40"),
                            .seen = &made,
                            .seen_count = 1};
    for (int i = 0; i < 8; i++) {
        put(p, &line_put);
    }
    put(p, &(struct put){.patient = pat,
                         .entity = "observation",
                         .object = &weight,
                         .type = ML_CHANGE_CREATE,
                         .value = measure(p, "Poids", "72.5", 1000)});
    place_catch_up(p, p->vault, 100);
    assert_int_equal(items_of(p, pat), 2);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    assert_true(counts.ops > 2 && counts.ops < 10);
    assert_int_equal(counts.ops + counts.ops_unread, 10);
}

/* Each look at the clock takes 100 ms. */
static uint64_t slow_clock(void *ctx)
{
    struct fake_env *fake = ctx;
    fake->now_ms += 100;
    return fake->now_ms;
}

static void a_batch_ends_after_a_quarter_of_a_second(void **state)
{
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_vault_counts before, after;
    bool done = true;
    put_patient(p, pat, &(struct identity){"Martin", "Martin", "Paul", "1950"});
    place_catch_up(p, p->vault, 1000);
    for (int i = 0; i < 5; i++) {
        struct ml_object_id weight = new_object(p);
        struct ml_seal_item one = place_item(p, pat, "observation", ML_CHANGE_CREATE, &weight);
        one.change.value = measure(p, "Poids", "72.5", 1000);
        place_write(p, 0, &one, 1);
    }
    assert_int_equal(ml_vault_counts(p->vault, &before), ML_OK);
    p->fake.env.now_ms = slow_clock;
    assert_int_equal(ml_vault_catch_up(p->vault, &p->log, ML_VAULT_BATCH_BUNDLES, &done), ML_OK);
    assert_false(done);
    assert_int_equal(ml_vault_counts(p->vault, &after), ML_OK);
    assert_int_equal(after.work - before.work, 3); /* the first unasked, then at 100 and 200 ms */
    assert_int_equal(ml_vault_catch_up(p->vault, &p->log, ML_VAULT_BATCH_BUNDLES, &done), ML_OK);
    assert_true(done);
}

static void a_batch_ends_with_its_ops(void **state)
{
    enum { OPS = 16384 + 256 };
    struct place *p = *state;
    size_t pat = place_open(p);
    struct ml_vault_counts counts;
    bool done = true;
    struct ml_seal_item *items = calloc(OPS, sizeof(*items));
    struct ml_object_id weight = new_object(p);
    assert_non_null(items);
    items[0] = place_item(p, pat, "observation", ML_CHANGE_CREATE, &weight);
    items[0].change.value = measure(p, "P", "7", 1);
    for (size_t i = 1; i < OPS; i++) {
        items[i] = items[0];
    }
    place_write(p, 0, items, OPS);
    free(items);
    struct ml_vault *v = place_vault(p, 1, NULL); /* who has no key of them: they wait */
    assert_int_equal(ml_vault_catch_up(v, &p->log, ML_VAULT_BATCH_BUNDLES, &done), ML_OK);
    assert_false(done);
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_in_range(p->log.count - counts.cursor, 1, 2);
    assert_int_equal(ml_vault_catch_up(v, &p->log, ML_VAULT_BATCH_BUNDLES, &done), ML_OK);
    assert_true(done);
    ml_vault_close(v);
}

static int64_t one_number(struct place *p, const char *sql)
{
    struct ml_stmt *st = NULL;
    bool row = false;
    assert_int_equal(ml_stmt_prepare(&st, p->vault->db, sql), ML_OK);
    assert_int_equal(ml_stmt_step(st, &row), ML_OK);
    const int64_t number = ml_stmt_int(st, 0);
    ml_stmt_free(st);
    return number;
}

/* A page that a disk never wrote is an old one, sealed as it should be: what it says of a number
 * must not become another patient's. */
static void a_number_is_never_a_second_patients(void **state)
{
    struct place *p = *state;
    (void)place_open(p);
    place_catch_up(p, p->vault, 1000);
    const int64_t last = one_number(p, "SELECT max(id) FROM patient");
    assert_int_equal(ml_vault_reset(p->vault), ML_OK);
    place_catch_up(p, p->vault, 1000);
    assert_true(one_number(p, "SELECT min(id) FROM patient") > last);
}

/* Of two patients one has the other's keys, as such a page may say: nothing is sealed for the wrong
 * one, and the vault is made again. */
static void nothing_is_sealed_with_another_patients_keys(void **state)
{
    static const char *const swaps[] = {
        "UPDATE link SET patient = (SELECT max(id) FROM patient) WHERE patient ="
        " (SELECT max(id) - 1 FROM patient)",
        "UPDATE stream SET patient = (SELECT max(id) FROM patient)",
    };
    struct place *p = *state;
    const size_t one = place_open(p);
    const size_t other = place_open(p);
    put_patient(p, one, &(struct identity){"Martin", "Martin", "Paul", "1950"});
    put_patient(p, other, &(struct identity){"Petit", "Petit", "Anne", "1960"});
    for (size_t i = 0; i < 2; i++) {
        struct ml_seal_key key;
        struct ml_stream_info info;
        ml_err err = ML_OK;
        assert_int_equal(ml_vault_reset(p->vault), ML_OK);
        p->vault->damaged = false;
        place_catch_up(p, p->vault, 1000);
        assert_int_equal(
            ml_keyring_seal_key(p->vault->keyring, &p->patient[one], ML_COMPARTMENT_ADMIN, &key),
            ML_OK);
        assert_int_equal(ml_db_exec(p->vault->db, swaps[i]), ML_OK);
        if (i == 0) {
            err = ml_keyring_seal_key(p->vault->keyring, &p->patient[other], ML_COMPARTMENT_ADMIN,
                                      &key);
        } else {
            err = p->vault->key_store.stream_get(p->vault, &key.stream, &info);
        }
        assert_int_equal(err, ML_E_CORRUPT);
        assert_true(ml_vault_damaged(p->vault));
    }
}

/* Beside it, one that counts for nothing: what merging both shows is what `one` shows alone. */
static struct ml_object *beside_a_greyed_one(struct place *p, const struct ml_obj_version *one,
                                             struct ml_buf *packed)
{
    const struct ml_entity *entity = ml_schema_entity(ml_schema_builtin(), one->change.entity);
    struct ml_change nothing = {.schema = ML_SCHEMA_VERSION,
                                .type = ML_CHANGE_VOID,
                                .object = one->change.object,
                                .entity = one->change.entity};
    struct ml_object *o = NULL;
    struct ml_buf plain;
    ml_buf_init(&plain, &p->fake.env, 4096);
    assert_int_equal(ml_change_encode(&plain, &nothing), ML_OK);
    struct ml_obj_version greyed = {.id = {{{9}}, 1},
                                    .hlc = one->hlc,
                                    .grey = ML_GREY_QUARANTINED,
                                    .plain = ml_buf_slice(&plain)};
    ml_object_pack(packed, one);
    ml_object_pack(packed, &greyed);
    assert_int_equal(
        ml_object_load(&o, &p->fake.env, ml_schema_builtin(), entity, ml_buf_slice(packed)), ML_OK);
    ml_buf_free(&plain);
    return o;
}

static void shows_alone_what_merging_would(struct place *p, const struct ml_obj_version *one)
{
    const struct ml_entity *entity = ml_schema_entity(ml_schema_builtin(), one->change.entity);
    struct ml_object *alone = NULL;
    struct ml_buf packed;
    size_t found = 0;
    ml_buf_init(&packed, &p->fake.env, 8192);
    assert_int_equal(ml_object_begin(&alone, &p->fake.env, ml_schema_builtin(), entity, one),
                     ML_OK);
    struct ml_object *merged = beside_a_greyed_one(p, one, &packed);
    assert_int_equal(alone->life.life, merged->life.life);
    for (size_t f = 0; f < entity->field_count; f++) {
        struct ml_shown is, would;
        assert_int_equal(ml_object_shown(alone, &entity->fields[f], &is), ML_OK);
        assert_int_equal(ml_object_shown(merged, &entity->fields[f], &would), ML_OK);
        assert_int_equal(is.found, would.found);
        assert_true(!is.found || ml_slice_equal(is.value, would.value));
        assert_false(is.conflict || is.version != 0);
        found += is.found;
    }
    assert_int_equal(found > 0, one->grey == 0);
    ml_object_free(alone);
    ml_object_free(merged);
    ml_buf_free(&packed);
}

static void one_version_shows_what_merging_would(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    const struct ml_slice values[] = {dose(p, "ramipril", "5"), measure(p, "Poids", "72.5", 1)};
    static const char *const names[] = {"treatment", "observation"}; /* registers; an event */
    for (size_t i = 0; i < 4; i++) {
        const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), names[i / 2]);
        const struct ml_change change = {.schema = ML_SCHEMA_VERSION,
                                         .type = ML_CHANGE_CREATE,
                                         .object = id,
                                         .entity = e->id,
                                         .value = values[i / 2]};
        struct ml_buf plain;
        ml_buf_init(&plain, &p->fake.env, 4096);
        assert_int_equal(ml_change_encode(&plain, &change), ML_OK);
        const struct ml_obj_version one = {.id = {{{1}}, 0},
                                           .hlc = UINT64_C(1) << 40,
                                           .grey = i % 2 == 0 ? 0 : ML_GREY_QUARANTINED,
                                           .plain = ml_buf_slice(&plain),
                                           .change = change};
        shows_alone_what_merging_would(p, &one);
        ml_buf_free(&plain);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_patient_is_found_shown_and_followed),
        TEST(an_entry_never_goes_to_another_patient_after_a_reset),
        TEST(a_bundle_half_opened_is_finished_later),
        TEST(two_doses_are_a_conflict_until_one_names_both),
        TEST(keys_that_a_restored_log_lacks_are_forgotten),
        TEST(a_forged_wrap_displaces_nothing),
        TEST(an_object_beyond_all_measure_stops_nothing),
        TEST(a_batch_ends_after_a_quarter_of_a_second),
        TEST(a_batch_ends_with_its_ops),
        TEST(one_version_shows_what_merging_would),
        TEST(a_number_is_never_a_second_patients),
        TEST(nothing_is_sealed_with_another_patients_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
