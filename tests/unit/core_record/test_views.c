/* tests/unit/core_record/test_views.c -- what the vault answers, and what it must never hide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "support_vault.h"

static int setup(void **state)
{
    struct place *p = malloc(sizeof(*p));
    assert_non_null(p);
    place_init(p, 5);
    place_found(p);
    size_t pat = place_open(p);
    put_patient(p, pat, &(struct identity){"Noël", "Roux", "Léa", "2001-02-03"});
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

static const struct ml_value *root(const struct ml_tree *t)
{
    return ml_tree_root(t);
}

static const struct ml_value *item(const struct ml_tree *t, const char *list, size_t i)
{
    return ml_value_at(ml_value_get(root(t), list), i);
}

static const char *text_of(const struct ml_value *map, const char *key)
{
    return ml_value_text(ml_value_get(map, key), "?");
}

static struct ml_tree *show(struct place *p)
{
    struct ml_args *args = ml_args_new();
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_view_patient(p->vault, &p->patient[0], args), ML_OK);
    return answer(args);
}

static struct ml_tree *timeline(struct place *p, struct ml_timeline_query q)
{
    struct ml_args *args = ml_args_new();
    q.patient = p->patient[0];
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_view_timeline(p->vault, &q, args), ML_OK);
    return answer(args);
}

static struct ml_tree *object(struct place *p, const struct ml_object_id *id)
{
    struct ml_args *args = ml_args_new();
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_view_object(p->vault, &p->patient[0], id, args), ML_OK);
    return answer(args);
}

static void expect_allergies(struct place *p, const char *want, size_t items)
{
    struct ml_tree *t = show(p);
    const struct ml_value *allergies = ml_value_get(root(t), "allergies");
    assert_string_equal(text_of(allergies, "state"), want);
    assert_int_equal(ml_value_count(ml_value_get(allergies, "items")), items);
    ml_tree_free(t);
}

static struct ml_version_id allergy(struct place *p, const struct ml_object_id *id,
                                    const char *assertion)
{
    const char *const names[] = {"agent", "assertion"};
    const struct ml_slice values[] = {val_concept(p, "pénicilline"), val_code(p, assertion)};
    return put(p, &(struct put){.entity = "allergy",
                                .object = id,
                                .type = ML_CHANGE_CREATE,
                                .value = val_map(p, "allergy", names, values, 2)});
}

static void the_four_states_of_allergies_are_never_mixed(void **state)
{
    struct place *p = *state;
    struct ml_object_id none = new_object(p), known = new_object(p);
    expect_allergies(p, "not_recorded", 0);
    allergy(p, &none, "none-known");
    expect_allergies(p, "none_known", 1);
    allergy(p, &known, "known");
    expect_allergies(p, "known", 2);
}

static void without_its_key_a_list_is_unavailable_never_empty(void **state)
{
    struct place *p = *state;
    struct ml_vault *v = place_vault(p, 1, NULL); /* a newcomer without grant */
    struct ml_object_id id = new_object(p);
    struct ml_args *args = ml_args_new();
    allergy(p, &id, "known");
    place_catch_up(p, v, 100);
    assert_int_equal(ml_view_patient(v, &p->patient[0], args), ML_E_NOT_FOUND);
    ml_args_free(args);
    ml_vault_close(v);
    v = place_vault(p, 0, NULL); /* nothing received yet */
    args = ml_args_new();
    assert_false(ml_vault_complete(v));
    assert_int_equal(ml_view_find(v, "noel", 10, args), ML_OK);
    struct ml_tree *t = answer(args);
    assert_false(ml_value_bool(ml_value_get(root(t), "complete"), true));
    ml_tree_free(t);
    bool done = false;
    while (!done && !ml_vault_complete(v)) {
        args = ml_args_new();
        if (ml_view_patient(v, &p->patient[0], args) == ML_OK) {
            t = answer(args);
            assert_string_equal(text_of(ml_value_get(root(t), "allergies"), "state"),
                                "unavailable");
            ml_tree_free(t);
        } else {
            ml_args_free(args);
        }
        assert_int_equal(ml_vault_catch_up(v, &p->log, 1, &done), ML_OK);
    }
    ml_vault_close(v);
}

/* « Aucune connue » says that somebody asked and that all of it is here. */
static void none_known_is_not_said_of_half_a_list(void **state)
{
    struct place *p = *state;
    struct ml_object_id none = new_object(p), known = new_object(p);
    bool done = false;
    unsigned half = 0;
    allergy(p, &none, "none-known");
    allergy(p, &known, "known"); /* still to come */
    struct ml_vault *v = place_vault(p, 0, NULL);
    while (!done) {
        struct ml_args *args = ml_args_new();
        if (ml_view_patient(v, &p->patient[0], args) == ML_OK) {
            struct ml_tree *t = answer(args);
            const struct ml_value *allergies = ml_value_get(root(t), "allergies");
            const size_t items = ml_value_count(ml_value_get(allergies, "items"));
            assert_string_equal(text_of(allergies, "state"), "unavailable");
            half += items == 1;
            ml_tree_free(t);
        } else {
            ml_args_free(args);
        }
        assert_int_equal(ml_vault_catch_up(v, &p->log, 1, &done), ML_OK);
    }
    assert_int_equal(half, 1);
    ml_vault_close(v);
}

/* A concurrent assertion is shown before a refutation, and both stand in the worklist. */
static void an_assertion_beats_a_concurrent_refutation(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    struct ml_version_id made = allergy(p, &id, "unable");
    struct put set = {.entity = "allergy",
                      .object = &id,
                      .field = "assertion",
                      .value = val_code(p, "none-known"),
                      .seen = &made,
                      .seen_count = 1};
    put(p, &set);
    set.value = val_code(p, "known");
    put(p, &set);
    struct ml_tree *t = object(p, &id);
    const struct ml_value *field = item(t, "fields", 1);
    assert_string_equal(text_of(field, "field"), "assertion");
    assert_string_equal(text_of(field, "text"), "allergie connue");
    assert_true(ml_value_bool(ml_value_get(field, "conflict"), false));
    assert_int_equal(ml_value_count(ml_value_get(field, "heads")), 2);
    ml_tree_free(t);
    expect_allergies(p, "known", 1);
    t = show(p); /* settled for the screen, open for people */
    assert_int_equal(ml_value_int(ml_value_get(ml_value_get(root(t), "conflicts"), "open"), 0), 1);
    ml_tree_free(t);
}

static struct ml_version_id drug(struct place *p, const struct ml_object_id *id, const char *name,
                                 const char *status)
{
    const char *const names[] = {"drug", "status"};
    const struct ml_slice values[] = {val_concept(p, name), val_code(p, status)};
    return put(p, &(struct put){.entity = "treatment",
                                .object = id,
                                .type = ML_CHANGE_CREATE,
                                .value = val_map(p, "treatment", names, values, 2)});
}

static void current_and_past_treatments_are_two_lists(void **state)
{
    struct place *p = *state;
    struct ml_object_id a = new_object(p), b = new_object(p), c = new_object(p);
    drug(p, &a, "ramipril", "active");
    drug(p, &b, "amoxicilline", "completed");
    struct ml_version_id made = drug(p, &c, "erreur", "active");
    put(p, &(struct put){.entity = "treatment",
                         .object = &c,
                         .type = ML_CHANGE_VOID,
                         .seen = &made,
                         .seen_count = 1});
    struct ml_tree *t = show(p);
    const struct ml_value *treatments = ml_value_get(root(t), "treatments");
    assert_int_equal(ml_value_count(ml_value_get(treatments, "current")), 1);
    assert_int_equal(ml_value_count(ml_value_get(treatments, "past")), 1);
    assert_string_equal(text_of(ml_value_at(ml_value_get(treatments, "current"), 0), "title"),
                        "ramipril");
    assert_int_equal(ml_value_int(ml_value_get(ml_value_get(root(t), "counts"), "treatment"), 0),
                     2);
    assert_string_equal(text_of(ml_value_get(root(t), "banner"), "birth_date_text"), "03/02/2001");
    ml_tree_free(t);
}

static struct ml_version_id measure(struct place *p, const struct ml_object_id *id,
                                    const char *what, const char *number, int64_t at)
{
    const char *const names[] = {"code", "value", "taken_at"};
    const struct ml_slice values[] = {val_concept(p, what), val_quantity(p, number, "kg"),
                                      val_instant(p, at)};
    return put(p, &(struct put){.entity = "observation",
                                .object = id,
                                .type = ML_CHANGE_CREATE,
                                .value = val_map(p, "observation", names, values, 3)});
}

static size_t total(struct place *p, struct ml_timeline_query q)
{
    struct ml_tree *t = timeline(p, q);
    size_t n = (size_t)ml_value_int(ml_value_get(root(t), "total"), 0);
    ml_tree_free(t);
    return n;
}

static void a_timeline_is_filtered_and_paged(void **state)
{
    struct place *p = *state;
    static const char *const measures[] = {"observation"};
    struct ml_object_id line = new_object(p);
    struct ml_version_id first = {.index = 0};
    struct ml_object_id id[6];
    for (int i = 0; i < 6; i++) {
        id[i] = new_object(p);
        struct ml_version_id v =
            measure(p, &id[i], i % 2 == 0 ? "Poids" : "Créatinine", "1", 1000000000000 + i);
        first = i == 0 ? v : first;
    }
    drug(p, &line, "ramipril", "active");
    assert_int_equal(total(p, (struct ml_timeline_query){.limit = 3}), 7);
    assert_int_equal(total(p, (struct ml_timeline_query){.entities = measures, .entity_count = 1}),
                     6);
    assert_int_equal(
        total(p, (struct ml_timeline_query){.from_ms = 1000000000002, .to_ms = 1000000000004}), 3);
    assert_int_equal(total(p, (struct ml_timeline_query){.text = "CREAT"}), 3);
    assert_int_equal(total(p, (struct ml_timeline_query){.text = "mesure poids"}), 3);
    assert_int_equal(total(p, (struct ml_timeline_query){.text = "zèbre"}), 0);
    struct ml_tree *t =
        timeline(p, (struct ml_timeline_query){
                        .entities = measures, .entity_count = 1, .offset = 4, .limit = 5});
    assert_int_equal(ml_value_count(ml_value_get(root(t), "items")), 2);
    assert_false(ml_value_bool(ml_value_get(root(t), "more"), true));
    assert_string_equal(text_of(item(t, "items", 1), "title"), "Poids"); /* the oldest last */
    ml_tree_free(t);
    t = timeline(p, (struct ml_timeline_query){
                        .entities = measures, .entity_count = 1, .offset = 4, .limit = 1});
    assert_true(ml_value_bool(ml_value_get(root(t), "more"), false)); /* one is left */
    ml_tree_free(t);
    put(p, &(struct put){.entity = "observation",
                         .object = &id[0],
                         .type = ML_CHANGE_VOID,
                         .seen = &first,
                         .seen_count = 1});
    assert_int_equal(total(p, (struct ml_timeline_query){.limit = 3}), 6);
    assert_int_equal(total(p, (struct ml_timeline_query){.voided = true}), 7);
    struct ml_args *args = ml_args_new();
    const struct ml_timeline_query unknown = {.patient = {{9}}};
    assert_int_equal(ml_view_timeline(p->vault, &unknown, args), ML_E_NOT_FOUND);
    ml_args_free(args);
}

static void member_name(void *ctx, const struct ml_member_id *member, struct ml_buf *out)
{
    (void)ctx;
    (void)member;
    ml_buf_append(out, "Dr Test", 7);
}

static const char *sync_state(void *ctx, const struct ml_writer_id *writer, uint32_t seq)
{
    (void)ctx;
    (void)writer;
    return seq > 0 ? "sent" : "local";
}

static void an_amended_event_keeps_its_history_with_authors(void **state)
{
    struct place *p = *state;
    const struct ml_view_names names = {.member = member_name, .sync = sync_state};
    struct ml_object_id id = new_object(p);
    struct ml_version_id made = measure(p, &id, "Poids", "72", 1000000000000);
    const char *const fields[] = {"code", "value"};
    const struct ml_slice values[] = {val_concept(p, "Poids"), val_quantity(p, "27", "kg")};
    put(p, &(struct put){.by = 1,
                         .entity = "observation",
                         .object = &id,
                         .type = ML_CHANGE_AMEND,
                         .value = val_map(p, "observation", fields, values, 2),
                         .seen = &made,
                         .seen_count = 1,
                         .effective_ms = 1100000000000});
    ml_vault_set_names(p->vault, &names);
    struct ml_tree *t = object(p, &id);
    const struct ml_value *value = item(t, "fields", 1);
    assert_string_equal(text_of(value, "text"), "27 kg");
    const struct ml_value *history = ml_value_get(value, "history");
    assert_int_equal(ml_value_count(history), 2);
    assert_string_equal(text_of(ml_value_at(history, 0), "rank"), "head");
    assert_string_equal(text_of(ml_value_at(history, 0), "op"), "amend");
    assert_string_equal(text_of(ml_value_at(history, 1), "rank"), "replaced");
    assert_string_equal(text_of(ml_value_at(history, 1), "text"), "72 kg");
    assert_string_equal(text_of(ml_value_get(ml_value_at(history, 1), "author"), "name"),
                        "Dr Test");
    assert_string_equal(text_of(ml_value_at(history, 1), "sync"), "sent");
    assert_int_equal(ml_value_count(ml_value_get(root(t), "life_history")), 2);
    ml_tree_free(t);
}

static void a_quarantined_entry_is_shown_greyed_and_counts_for_nothing(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    struct ml_vault_counts counts;
    measure(p, &id, "Poids", "72", 1000000000000);
    p->log.entry[p->log.count - 1].verdict = ML_VERDICT_QUARANTINED;
    struct ml_tree *t = timeline(p, (struct ml_timeline_query){.limit = 5});
    assert_string_equal(text_of(item(t, "items", 0), "life"), "greyed");
    assert_string_equal(text_of(item(t, "items", 0), "greyed"), "en quarantaine");
    ml_tree_free(t);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    assert_int_equal(counts.ops_greyed, 1);
}

static void a_set_on_an_event_is_greyed(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    struct ml_version_id made = measure(p, &id, "Poids", "72", 1000000000000);
    put(p, &(struct put){.entity = "observation",
                         .object = &id,
                         .field = "code",
                         .value = val_concept(p, "Taille"),
                         .seen = &made,
                         .seen_count = 1});
    struct ml_tree *t = timeline(p, (struct ml_timeline_query){.limit = 5});
    assert_string_equal(text_of(item(t, "items", 0), "title"), "Poids");
    assert_string_equal(text_of(item(t, "items", 0), "greyed"),
                        "sur un champ qui ne se modifie pas ainsi");
    ml_tree_free(t);
}

/* What the clear dictionary says and the plaintext doesn't. */
static void grey(struct place *p, struct ml_seal_item *lie, const char *why)
{
    place_write(p, 0, lie, 1);
    place_catch_up(p, p->vault, 100);
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_object(p->vault, &p->patient[0], &lie->change.object, args), ML_OK);
    struct ml_tree *t = answer(args);
    assert_string_equal(text_of(root(t), "life"), "greyed");
    assert_string_equal(text_of(item(t, "life_history", 0), "greyed"), why);
    ml_tree_free(t);
}

static void a_lying_op_is_greyed_with_its_reason(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    struct ml_seal_item lie = place_item(p, 0, "observation", ML_CHANGE_CREATE, &id);
    lie.change.entity = 7; /* a treatment in the nurses' compartment */
    grey(p, &lie, "classée dans un autre compartiment que son type");
    id = new_object(p);
    lie = place_item(p, 0, "patient", ML_CHANGE_CREATE, &id); /* a patient in another's record */
    grey(p, &lie, "d'un autre patient que celui de son dossier");
    id = new_object(p);
    lie = place_item(p, 0, "treatment", ML_CHANGE_CREATE, &id);
    const char *const names[] = {"drug"};
    const struct ml_slice wrong = val_text(p, "not a concept");
    lie.change.value = val_map(p, "treatment", names, &wrong, 1);
    grey(p, &lie, "d'une valeur qui n'est pas du type du champ");
}

static void what_this_version_does_not_know_is_counted_and_kept(void **state)
{
    struct place *p = *state;
    struct ml_vault_counts counts;
    struct ml_object_id id = new_object(p);
    struct ml_seal_item item = place_item(p, 0, "observation", ML_CHANGE_CREATE, &id);
    item.change.entity = 4000;
    place_write(p, 0, &item, 1);
    item = place_item(p, 0, "observation", 99, &id);
    place_write(p, 0, &item, 1);
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    assert_int_equal(counts.ops_unknown, 2);
    assert_int_equal(counts.patients, 1);
}

static uint64_t unknown_now(struct place *p)
{
    struct ml_vault_counts counts;
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_vault_counts(p->vault, &counts), ML_OK);
    return counts.ops_unknown;
}

/* A field, a key behind ours, a slot: of each what is known is shown, and it is counted. */
static void what_this_version_knows_in_part_is_shown_and_counted(void **state)
{
    struct place *p = *state;
    const struct ml_object_id id = new_object(p);
    const struct ml_slice drug = val_concept(p, "metformine");
    struct ml_seal_item item = place_item(p, 0, "treatment", ML_CHANGE_CREATE, &id);
    const uint16_t first =
        ml_entity_field_named(ml_schema_entity_named(ml_schema_builtin(), "treatment"), "drug")->id;
    const struct ml_field_value fields[] = {{first, drug}, {199, val_text(p, "plus tard")}};
    struct ml_buf map;
    ml_buf_init(&map, &p->fake.env, 200);
    assert_int_equal(ml_fields_encode(&map, fields, 2), ML_OK);
    item.change.value = ml_buf_slice(&map);
    place_write(p, 0, &item, 1);
    assert_int_equal(unknown_now(p), 1);
    assert_int_equal(total(p, (struct ml_timeline_query){.text = "metformine"}), 1);

    static const uint8_t later_key[] = {0x0c, 0x07}; /* 12: 7 */
    const struct ml_object_id other = new_object(p);
    const char *const names[] = {"drug"};
    item = place_item(p, 0, "treatment", ML_CHANGE_CREATE, &other);
    item.change.value = val_map(p, "treatment", names, &drug, 1);
    item.change.schema = ML_SCHEMA_VERSION + 7;
    place_write(p, 0, &item, 1);
    assert_int_equal(unknown_now(p), 1); /* the number alone says nothing */
    const struct ml_object_id third = new_object(p);
    item = place_item(p, 0, "treatment", ML_CHANGE_CREATE, &third);
    item.change.value = val_map(p, "treatment", names, &drug, 1);
    item.change.extra = (struct ml_wire_extra){ml_slice(later_key, sizeof(later_key)), 1};
    place_write(p, 0, &item, 1);
    assert_int_equal(unknown_now(p), 2);

    item = place_item(p, 0, "treatment", ML_CHANGE_SET, &third);
    item.change.slot = 199;
    item.change.value = val_text(p, "plus tard");
    place_write(p, 0, &item, 1);
    assert_int_equal(unknown_now(p), 3);
    assert_int_equal(total(p, (struct ml_timeline_query){.text = "metformine"}), 3);
    ml_buf_free(&map);
}

static const struct ml_field unicorn_fields[] = {{.id = 1,
                                                  .name = "mood",
                                                  .type = ML_TYPE_TEXT,
                                                  .merge = ML_MERGE_REGISTER,
                                                  .label_fr = "Humeur",
                                                  .label_en = "Mood",
                                                  .form_order = 1}};
static const struct ml_entity unicorn = {.id = 4000,
                                         .name = "unicorn",
                                         .merge = ML_MERGE_SET,
                                         .compartment = ML_COMPARTMENT_CARE,
                                         .in_timeline = true,
                                         .title_field = "mood",
                                         .label_fr = "Licorne",
                                         .label_en = "Unicorn",
                                         .plural_fr = "Licornes",
                                         .fields = unicorn_fields,
                                         .field_count = 1};

/* The built-in schema and one entry more. */
static struct ml_schema later_schema(void)
{
    static const struct ml_entity *entities[600];
    struct ml_schema schema = *ml_schema_builtin();
    memcpy(entities, schema.entities, schema.entity_count * sizeof(struct ml_entity *));
    entities[schema.entity_count++] = &unicorn;
    schema.entities = entities;
    return schema;
}

static void write_unicorn(struct place *p)
{
    struct ml_object_id id = new_object(p);
    struct ml_seal_item seal = place_item(p, 0, "observation", ML_CHANGE_CREATE, &id);
    const struct ml_field_value mood = {1, val_text(p, "gaie")};
    struct ml_buf map;
    ml_buf_init(&map, &p->fake.env, 100);
    assert_int_equal(ml_fields_encode(&map, &mood, 1), ML_OK);
    seal.change.entity = unicorn.id;
    seal.change.value = ml_buf_slice(&map);
    place_write(p, 0, &seal, 1);
    ml_buf_free(&map);
}

static void expect_unknown(struct place *p, struct ml_vault *v, uint64_t want)
{
    struct ml_vault_counts counts;
    place_catch_up(p, v, 100);
    assert_int_equal(ml_vault_counts(v, &counts), ML_OK);
    assert_int_equal(counts.ops_unknown, want);
}

/* Adding an entity is adding an entry: a vault with it projects what the one before only counted.
 */
static void a_new_entity_is_one_schema_entry(void **state)
{
    struct place *p = *state;
    const struct ml_schema schema = later_schema();
    const char *path = NULL;
    write_unicorn(p);
    struct ml_vault *v = place_vault(p, 0, &path); /* with the old schema */
    expect_unknown(p, v, 1);
    ml_vault_close(v);
    const struct ml_vault_args args = {.env = &p->fake.env,
                                       .path = path,
                                       .org = p->org,
                                       .member = p->who[0].member,
                                       .mon_box = p->who[0].box,
                                       .schema = &schema};
    assert_int_equal(ml_vault_open(&v, &args), ML_OK);
    assert_false(ml_vault_complete(v)); /* it starts again by itself */
    expect_unknown(p, v, 0);
    struct ml_args *out = ml_args_new();
    const struct ml_timeline_query query = {.patient = p->patient[0]};
    assert_int_equal(ml_view_timeline(v, &query, out), ML_OK);
    struct ml_tree *t = answer(out);
    assert_string_equal(text_of(item(t, "items", 0), "title"), "gaie");
    ml_tree_free(t);
    ml_vault_close(v);
}

static bool find_says_complete(struct ml_vault *v)
{
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_find(v, "", 10, args), ML_OK);
    struct ml_tree *t = answer(args);
    bool complete = ml_value_bool(ml_value_get(root(t), "complete"), false);
    ml_tree_free(t);
    return complete;
}

/* The log goes on while a vault is closed, and further than a vault that lost power: that it was
 * complete once says nothing. */
static void a_vault_is_complete_only_once_it_has_looked(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    struct ml_object_id first = new_object(p);
    struct ml_object_id second = new_object(p);
    bool done = true;
    allergy(p, &first, "known");
    struct ml_vault *v = place_vault(p, 0, &path);
    place_catch_up(p, v, 100);
    assert_true(find_says_complete(v));
    ml_vault_close(v);
    allergy(p, &second, "known");
    v = place_reopen(p, 0, path);
    assert_false(find_says_complete(v));
    assert_int_equal(ml_vault_catch_up(v, &p->log, 0, &done), ML_OK); /* a look, no work */
    assert_false(done);
    assert_false(find_says_complete(v));
    place_catch_up(p, v, 1);
    assert_true(find_says_complete(v));
    ml_vault_close(v);
    v = place_reopen(p, 0, path);
    assert_int_equal(ml_vault_catch_up(v, &p->log, 0, &done), ML_OK);
    assert_true(done && find_says_complete(v)); /* nothing new: at the first look */
    allergy(p, &first, "unknown");
    assert_int_equal(ml_vault_catch_up(v, &p->log, 0, &done), ML_OK);
    assert_false(find_says_complete(v)); /* and no longer, when more came than it took */
    ml_vault_close(v);
}

static void an_archive_beaten_by_an_edit_stands_in_the_worklist(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    struct ml_version_id made = drug(p, &id, "ramipril", "active");
    struct put edit = {
        .entity = "treatment", .object = &id, .field = "renewals", .seen = &made, .seen_count = 1};
    struct ml_buf three;
    ml_buf_init(&three, &p->fake.env, 10);
    ml_mp_put_int(&three, 3);
    edit.value = ml_buf_slice(&three);
    put(p, &edit);
    ml_buf_free(&three);
    put(p, &(struct put){.by = 1,
                         .entity = "treatment",
                         .object = &id,
                         .type = ML_CHANGE_ARCHIVE,
                         .seen = &made,
                         .seen_count = 1});
    place_catch_up(p, p->vault, 100);
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_conflicts(p->vault, &p->patient[0], 10, args), ML_OK);
    struct ml_tree *t = answer(args);
    assert_int_equal(ml_value_int(ml_value_get(root(t), "total"), 0), 1);
    assert_int_equal(ml_value_int(ml_value_get(item(t, "items", 0), "slot"), -1), ML_SLOT_LIFE);
    assert_string_equal(text_of(item(t, "items", 0), "birth_name"), "Noël");
    ml_tree_free(t);
    t = show(p);
    assert_int_equal(ml_value_int(ml_value_get(ml_value_get(root(t), "conflicts"), "open"), 0), 1);
    ml_tree_free(t);
}

static ml_err count_heads(void *user, const struct ml_version_id *version)
{
    (void)version;
    (*(uint32_t *)user)++;
    return ML_OK;
}

static void a_writer_is_told_what_to_name(void **state)
{
    struct place *p = *state;
    struct ml_object_id id = new_object(p);
    uint16_t entity = 0;
    uint32_t all = 0, life = 0;
    drug(p, &id, "ramipril", "active");
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_vault_has(p->vault, &p->patient[0], &id, &entity), ML_OK);
    assert_int_equal(entity, 7);
    assert_int_equal(ml_vault_heads(p->vault, &p->patient[0], &id, ML_SLOT_ALL, count_heads, &all),
                     ML_OK);
    assert_int_equal(
        ml_vault_heads(p->vault, &p->patient[0], &id, ML_SLOT_LIFE, count_heads, &life), ML_OK);
    assert_int_equal(all, 1);
    assert_int_equal(life, 1);
    struct ml_object_id none = new_object(p);
    assert_int_equal(ml_vault_has(p->vault, &p->patient[0], &none, &entity), ML_E_NOT_FOUND);
    assert_int_equal(ml_vault_heads(p->vault, &p->patient[0], &none, 0, count_heads, &all),
                     ML_E_NOT_FOUND);
    struct ml_args *args = ml_args_new();
    assert_int_equal(ml_view_object(p->vault, &p->patient[0], &none, args), ML_E_NOT_FOUND);
    ml_args_free(args);
}

static void a_vault_of_another_member_is_refused(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    struct ml_vault *v = place_vault(p, 0, &path);
    ml_vault_close(v);
    const struct ml_vault_args args = {.env = &p->fake.env,
                                       .path = path,
                                       .org = p->org,
                                       .member = p->who[1].member,
                                       .mon_box = p->who[1].box,
                                       .schema = ml_schema_builtin()};
    assert_int_equal(ml_vault_open(&v, &args), ML_E_INVALID);
}

static void a_failing_log_changes_nothing(void **state)
{
    struct place *p = *state;
    bool done = false;
    uint64_t problems = 1;
    place_catch_up(p, p->vault, 100);
    p->log.fail = ML_E_IO;
    assert_int_equal(ml_vault_catch_up(p->vault, &p->log, 10, &done), ML_E_IO);
    p->log.fail = ML_OK;
    assert_int_equal(ml_vault_check(p->vault, &problems), ML_OK);
    assert_int_equal(problems, 0);
    struct ml_hash before, after;
    assert_int_equal(ml_vault_view_hash(p->vault, &before), ML_OK);
    assert_int_equal(ml_vault_reset(p->vault), ML_OK);
    assert_false(ml_vault_complete(p->vault));
    place_catch_up(p, p->vault, 100);
    assert_int_equal(ml_vault_view_hash(p->vault, &after), ML_OK);
    assert_memory_equal(&before, &after, sizeof(before));
    p->log.count--; /* the log of another home: shorter than what was projected */
    place_catch_up(p, p->vault, 100);
    p->log.count++;
    place_catch_up(p, p->vault, 100);
}

typedef ml_err view_fn(struct place *p, struct ml_args *out);

static ml_err view_find(struct place *p, struct ml_args *out)
{
    return ml_view_find(p->vault, "noel", 5, out);
}

static ml_err view_patient(struct place *p, struct ml_args *out)
{
    return ml_view_patient(p->vault, &p->patient[0], out);
}

static ml_err view_timeline(struct place *p, struct ml_args *out)
{
    const struct ml_timeline_query q = {.patient = p->patient[0], .text = "pen"};
    return ml_view_timeline(p->vault, &q, out);
}

static ml_err view_conflicts(struct place *p, struct ml_args *out)
{
    return ml_view_conflicts(p->vault, NULL, 0, out);
}

static ml_err view_patient_object(struct place *p, struct ml_args *out)
{
    return ml_view_object(p->vault, &p->patient[0], &p->patient[0], out);
}

static ml_err view_hash(struct place *p, struct ml_args *out)
{
    struct ml_hash hash;
    (void)out;
    return ml_vault_view_hash(p->vault, &hash);
}

/* An answer that couldn't be made whole is an error, never a shorter answer. */
static void every_view_survives_any_failed_alloc(void **state)
{
    struct place *p = *state;
    static view_fn *const views[] = {view_find,      view_patient,        view_timeline,
                                     view_conflicts, view_patient_object, view_hash};
    struct ml_object_id id = new_object(p);
    struct ml_version_id made = allergy(p, &id, "unable");
    struct put set = {.entity = "allergy",
                      .object = &id,
                      .field = "assertion",
                      .value = val_code(p, "none-known"),
                      .seen = &made,
                      .seen_count = 1};
    put(p, &set);
    set.value = val_code(p, "known");
    put(p, &set);
    place_catch_up(p, p->vault, 100);
    for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++) {
        bool over = false;
        for (long nth = 1; !over; nth++) {
            struct ml_args *out = ml_args_new();
            long live = p->fake.live;
            p->fake.fail_alloc = nth;
            ml_err err = views[v](p, out);
            over = p->fake.fail_alloc > 0;
            p->fake.fail_alloc = 0;
            ml_args_free(out);
            assert_int_equal(p->fake.live, live);
            assert_int_equal(err, over ? ML_OK : ML_E_NOMEM);
        }
        assert_int_equal(views[v](p, NULL), v == 5 ? ML_OK : ML_E_NOMEM);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_four_states_of_allergies_are_never_mixed),
        TEST(without_its_key_a_list_is_unavailable_never_empty),
        TEST(none_known_is_not_said_of_half_a_list),
        TEST(an_assertion_beats_a_concurrent_refutation),
        TEST(current_and_past_treatments_are_two_lists),
        TEST(a_timeline_is_filtered_and_paged),
        TEST(an_amended_event_keeps_its_history_with_authors),
        TEST(a_quarantined_entry_is_shown_greyed_and_counts_for_nothing),
        TEST(a_set_on_an_event_is_greyed),
        TEST(a_lying_op_is_greyed_with_its_reason),
        TEST(what_this_version_does_not_know_is_counted_and_kept),
        TEST(what_this_version_knows_in_part_is_shown_and_counted),
        TEST(a_new_entity_is_one_schema_entry),
        TEST(a_vault_is_complete_only_once_it_has_looked),
        TEST(an_archive_beaten_by_an_edit_stands_in_the_worklist),
        TEST(a_writer_is_told_what_to_name),
        TEST(a_vault_of_another_member_is_refused),
        TEST(a_failing_log_changes_nothing),
        TEST(every_view_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
