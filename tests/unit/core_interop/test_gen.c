/* tests/unit/core_interop/test_gen.c -- the invented population is the same everywhere, valid, and
 * holds what French records hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/value.h"
#include "core/interop/gen.h"
#include "core/record/schema.h"
#include "core/record/validate.h"
#include "core/record/values.h"
#include "fake_env.h"
#include "support_interop.h"

struct fixture {
    struct fake_env fake;
    struct sink sink;
    struct sink other;
    struct ml_gen_args args;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    fake_env_init(&f.fake, 1);
    f.args = (struct ml_gen_args){.env = &f.fake.env,
                                  .schema = ml_schema_builtin(),
                                  .seed = 1,
                                  .patients = 300,
                                  .visits = 1,
                                  .create = sink_create,
                                  .user = &f.sink};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sink_clear(&f->sink);
    sink_clear(&f->other);
    return f->fake.live == 0 ? 0 : -1;
}

static void assert_same(const struct sink *a, const struct sink *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(ml_object_id_equal(&a->objects[i].id, &b->objects[i].id));
        assert_int_equal(a->objects[i].values_len, b->objects[i].values_len);
        assert_memory_equal(a->objects[i].values, b->objects[i].values, a->objects[i].values_len);
    }
}

/* A change of the lists, of the labels of value sets or of the draw changes it: on purpose only. */
#define POPULATION_DIGEST UINT64_C(0x9516d7567cb5ff51)
#define DAY_SET_DIGEST    UINT64_C(0xeb494f580fcc4109)

/* FNV-1a over ids and values: the same on every machine, or the day set is not one set. */
static uint64_t digest(const struct sink *sink)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sink->count; i++) {
        const struct seen_object *o = &sink->objects[i];
        for (size_t b = 0; b < sizeof(o->id.b); b++) {
            h = (h ^ o->id.b[b]) * UINT64_C(1099511628211);
        }
        for (size_t b = 0; b < o->values_len; b++) {
            h = (h ^ o->values[b]) * UINT64_C(1099511628211);
        }
    }
    return h;
}

static void one_seed_gives_one_population(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    f->args.user = &f->other;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    assert_same(&f->sink, &f->other);
    if (digest(&f->sink) != POPULATION_DIGEST) {
        print_error("population: digest %016llx\n", (unsigned long long)digest(&f->sink));
    }
    assert_true(digest(&f->sink) == POPULATION_DIGEST);
}

static void another_seed_gives_another_population(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    f->args.user = &f->other;
    f->args.seed = 2;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    const struct seen_object *a = sink_find(&f->sink, "patient", 0);
    const struct seen_object *b = sink_find(&f->other, "patient", 0);
    assert_false(ml_object_id_equal(&a->id, &b->id));
    assert_false(a->values_len == b->values_len &&
                 memcmp(a->values, b->values, a->values_len) == 0);
}

static void the_day_set_is_about_six_thousand_objects_and_never_changes(void **state)
{
    struct fixture *f = *state;
    f->args.patients = 1000;
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    assert_true(f->sink.count > 5400 && f->sink.count < 6600);
    if (digest(&f->sink) != DAY_SET_DIGEST) {
        print_error("day set at seed 1: %zu objects, digest %016llx\n", f->sink.count,
                    (unsigned long long)digest(&f->sink));
    }
    assert_true(digest(&f->sink) == DAY_SET_DIGEST);
    f->args.user = &f->other;
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    assert_same(&f->sink, &f->other);
}

static void a_day_is_of_that_day_and_in_order(void **state)
{
    struct fixture *f = *state;
    int64_t last = 0;
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct ml_instant *t = &f->sink.objects[i].effective;
        assert_true(t->utc_ms >= INT64_C(1772406000000)); /* 2 March 2026 in France */
        assert_true(t->utc_ms < INT64_C(1772492400000));
        assert_int_equal(t->offset_min, 60);
        assert_true(t->utc_ms + INT64_C(960000) > last); /* a transmission is written at the end */
        last = t->utc_ms > last ? t->utc_ms : last;
    }
}

static bool in_set(const struct ml_field *field, struct ml_slice value)
{
    const struct ml_value_set *set = ml_schema_value_set(ml_schema_builtin(), field->value_set);
    struct ml_code code;
    if (set->open || ml_code_decode(&code, value) != ML_OK) {
        return set->open;
    }
    for (size_t i = 0; i < set->item_count; i++) {
        if (ml_slice_equal(ml_slice_str(set->items[i].code), code.code)) {
            return true;
        }
    }
    return false;
}

/* A value of the field's type, and of its list when it is closed. */
static bool item_is_sound(const struct ml_field *field, struct ml_slice v)
{
    struct ml_slice text;
    struct ml_quantity quantity;
    struct ml_concept concept;
    struct ml_code code;
    struct ml_object_id ref;
    switch (field->type) {
    case ML_TYPE_TEXT:
        return ml_text_decode(&text, v) == ML_OK && text.len > 0;
    case ML_TYPE_DATE:
        return ml_text_decode(&text, v) == ML_OK && ml_date_valid(text);
    case ML_TYPE_DECIMAL:
        return ml_text_decode(&text, v) == ML_OK && ml_decimal_valid(text);
    case ML_TYPE_QUANTITY:
        return ml_quantity_decode(&quantity, v) == ML_OK;
    case ML_TYPE_CONCEPT:
        return ml_concept_decode(&concept, v) == ML_OK && concept
        .text.len > 0;
    case ML_TYPE_CODE:
        return ml_code_decode(&code, v) == ML_OK && code.code.len > 0 && in_set(field, v);
    case ML_TYPE_REF:
        return ml_ref_decode(&ref, v) == ML_OK;
    case ML_TYPE_VALUE:
        return ml_value_shape(v) != ML_SHAPE_NONE;
    case ML_TYPE_BOOL:
    case ML_TYPE_INT:
    case ML_TYPE_INSTANT:
    case ML_TYPE_PERIOD:
    case ML_TYPE_IDENTIFIER:
    case ML_TYPE_NAME:
    case ML_TYPE_ADDRESS:
    case ML_TYPE_CONTACT:
    case ML_TYPE_DOSAGE:
    case ML_TYPE_COMPONENT:
    case ML_TYPE_ATTACHMENT:
        break;
    }
    return ml_mp_check(v, ML_MP_CANONICAL, NULL) == ML_OK;
}

static void check_field(const struct seen_object *o, uint16_t id, struct ml_slice value)
{
    const struct ml_field *field = ml_entity_field(o->entity, id);
    struct ml_values_walk items;
    struct ml_slice item;
    assert_true(field != NULL && ml_value_fits(field, value));
    if (!field->list) {
        assert_true(item_is_sound(field, value));
        return;
    }
    assert_int_equal(ml_values_walk(&items, value), ML_OK);
    while (ml_values_next(&items, &item)) {
        assert_true(item_is_sound(field, item));
    }
}

/* What a person may enter: an invented record holds nothing that a form would refuse. */
static void assert_enterable(const struct seen_object *o)
{
    struct ml_validate_fault fault;
    const struct ml_change change = {.schema = ML_SCHEMA_VERSION,
                                     .type = ML_CHANGE_CREATE,
                                     .entity = o->entity->id,
                                     .value = ml_slice(o->values, o->values_len)};
    if (ml_validate_change(ml_schema_builtin(), &change, &fault) != ML_OK) {
        char why[200];
        ml_validate_text(why, sizeof(why), &fault);
        fail_msg("%s", why);
    }
}

static void check_objects(const struct sink *sink)
{
    for (size_t i = 0; i < sink->count; i++) {
        const struct seen_object *o = &sink->objects[i];
        struct ml_fields_walk walk;
        struct ml_slice value;
        uint16_t id = 0;
        assert_int_equal(ml_mp_check(ml_slice(o->values, o->values_len), ML_MP_CANONICAL, NULL),
                         ML_OK);
        assert_int_equal(ml_fields_walk(&walk, ml_slice(o->values, o->values_len)), ML_OK);
        while (ml_fields_next(&walk, &id, &value)) {
            check_field(o, id, value);
        }
        assert_enterable(o);
    }
}

static void every_value_is_of_its_fields_type_and_list(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    check_objects(&f->sink);
    f->args.user = &f->other;
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    check_objects(&f->other);
}

static int id_order(const void *a, const void *b)
{
    const struct ml_object_id *x = a;
    const struct ml_object_id *y = b;
    return ml_object_id_compare(x, y);
}

static void ids_are_unique(void **state)
{
    struct fixture *f = *state;
    f->args.patients = 1000;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    struct ml_object_id *ids = calloc(f->sink.count, sizeof(*ids));
    for (size_t i = 0; i < f->sink.count; i++) {
        ids[i] = f->sink.objects[i].id;
    }
    qsort(ids, f->sink.count, sizeof(*ids), id_order);
    for (size_t i = 1; i < f->sink.count; i++) {
        assert_false(ml_object_id_equal(&ids[i - 1], &ids[i]));
    }
    free(ids);
}

static void the_day_is_of_patients_and_authors_of_the_population(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    f->args.user = &f->other;
    assert_int_equal(ml_gen_day(&f->args), ML_OK);
    for (size_t i = 0; i < 400; i++) {
        const struct seen_object *o = &f->other.objects[i];
        bool patient = false;
        bool author = false;
        for (size_t j = 0; j < f->sink.count; j++) {
            const struct seen_object *p = &f->sink.objects[j];
            patient = patient || (p->entity->is_patient && ml_object_id_equal(&p->id, &o->patient));
            author = author || ml_object_id_equal(&p->id, &o->author);
        }
        assert_true(patient && author);
    }
}

static void nir_keys_are_right(void **state)
{
    (void)state;
    assert_int_equal(ml_nir_key("2790351215189"), 89); /* the test identity of the VSM example */
    assert_int_equal(ml_nir_key("2690549588157"), 80); /* the usual textbook number */
    assert_int_equal(ml_nir_key("180032A004001"), 97 - 1800319004001 % 97);
    assert_int_equal(ml_nir_key("180032B033001"), 97 - 1800318033001 % 97);
    assert_int_equal(ml_nir_key("18003 A004001"), 0);
    assert_int_equal(ml_nir_key("180032C004001"), 0);
    assert_int_equal(ml_nir_key("1A00319004001"), 0);
}

static void every_ins_number_fits_its_person(void **state)
{
    struct fixture *f = *state;
    size_t seen = 0;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct seen_object *o = &f->sink.objects[i];
        struct ml_slice ins;
        struct ml_slice date;
        struct ml_code sex;
        struct ml_code place;
        if (!o->entity->is_patient || ml_text_decode(&ins, seen_value(o, "ins")) != ML_OK) {
            continue;
        }
        seen++;
        assert_int_equal(ins.len, 15);
        assert_int_equal(ml_nir_key((const char *)ins.data),
                         (ins.data[13] - '0') * 10 + (ins.data[14] - '0'));
        assert_int_equal(ml_code_decode(&sex, seen_value(o, "sex")), ML_OK);
        assert_int_equal(ins.data[0], sex.code.data[0] == 'F' ? '2' : '1');
        assert_int_equal(ml_text_decode(&date, seen_value(o, "birth_date")), ML_OK);
        assert_memory_equal(ins.data + 1, date.data + 2, 2);
        assert_int_equal(ml_code_decode(&place, seen_value(o, "birth_place")), ML_OK);
        assert_memory_equal(ins.data + 5, place.code.data, 5);
        assert_non_null(strstr(seen_text(o, "ins_oid"), "1.2.250.1.213.1.4.10"));
    }
    assert_true(seen > 150);
}

struct census {
    size_t used_name, twin, homonym, partial, corsica, overseas, abroad, nowhere, particle, hyphen,
        apostrophe, accent, ligature, prov, vali, recup, qual, access;
};

static void count_place(struct census *c, const char *place)
{
    c->corsica += strstr(place, "'2A") != NULL || strstr(place, "'2B") != NULL;
    c->overseas += strstr(place, "'97") != NULL;
    c->nowhere += strstr(place, "'99999'") != NULL;
    c->abroad += strstr(place, "'99") != NULL && strstr(place, "'99999'") == NULL;
}

static void count_name(struct census *c, const char *name)
{
    c->particle += strstr(name, "De ") != NULL || strstr(name, "Le ") != NULL;
    c->hyphen += strchr(name, '-') != NULL;
    c->apostrophe += strchr(name + 1, '\'') != strrchr(name, '\'');
    c->accent += strstr(name, "é") != NULL || strstr(name, "è") != NULL;
    c->ligature += strstr(name, "œ") != NULL || strstr(name, "Œ") != NULL;
}

static void count_person(struct census *c, const struct seen_object *o)
{
    const char *status = seen_text(o, "identity_status");
    c->prov += strstr(status, "'PROV'") != NULL;
    c->vali += strstr(status, "'VALI'") != NULL;
    c->recup += strstr(status, "'RECUP'") != NULL;
    c->qual += strstr(status, "'QUAL'") != NULL;
    c->used_name += seen_value(o, "used_name").len > 0;
    c->twin += seen_value(o, "birth_order").len > 0;
    c->homonym += strstr(seen_text(o, "identity_comments"), "HOMD") != NULL;
    c->partial += strlen(seen_text(o, "birth_date")) < 12;
    c->access += seen_value(o, "access_notes").len > 0;
    count_place(c, seen_text(o, "birth_place"));
    count_name(c, seen_text(o, "birth_name"));
}

static void it_holds_what_french_records_hold(void **state)
{
    struct fixture *f = *state;
    struct census c = {0};
    const size_t *counts = (const size_t *)&c;
    f->args.patients = 3000;
    f->args.visits = 0;
    assert_int_equal(ml_gen_population(&f->args), ML_OK);
    for (size_t i = 0; i < f->sink.count; i++) {
        if (f->sink.objects[i].entity->is_patient) {
            count_person(&c, &f->sink.objects[i]);
        }
    }
    for (size_t i = 0; i < sizeof(c) / sizeof(size_t); i++) {
        assert_true(counts[i] >= 5);
    }
}

static void arguments_outside_their_limits_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_gen_args bad = f->args;
    bad.patients = 0;
    assert_int_equal(ml_gen_population(&bad), ML_E_INVALID);
    assert_int_equal(ml_gen_day(&bad), ML_E_INVALID);
    bad.patients = ML_GEN_PATIENTS_MAX + 1;
    assert_int_equal(ml_gen_day(&bad), ML_E_INVALID);
    bad = f->args;
    bad.visits = ML_GEN_VISITS_MAX + 1;
    assert_int_equal(ml_gen_population(&bad), ML_E_INVALID);
    bad = f->args;
    bad.patients = 1;
    bad.visits = ML_GEN_VISITS_MAX;
    assert_int_equal(ml_gen_population(&bad), ML_OK);
}

static void a_refusal_stops_the_generator(void **state)
{
    struct fixture *f = *state;
    f->sink.stop_after = 60;
    assert_int_equal(ml_gen_population(&f->args), ML_E_DENIED);
    assert_int_equal(f->sink.count, 60);
}

static void it_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    f->args.patients = 2;
    for (long nth = 1;; nth++) {
        f->fake.fail_alloc = nth;
        ml_err err = ml_gen_population(&f->args);
        const bool spared = fake_spared(&f->fake);
        if (err == ML_OK) {
            assert_true(spared);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(f->fake.live, 0);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_seed_gives_one_population),
        TEST(another_seed_gives_another_population),
        TEST(the_day_set_is_about_six_thousand_objects_and_never_changes),
        TEST(a_day_is_of_that_day_and_in_order),
        TEST(every_value_is_of_its_fields_type_and_list),
        TEST(ids_are_unique),
        TEST(the_day_is_of_patients_and_authors_of_the_population),
        TEST(nir_keys_are_right),
        TEST(every_ins_number_fits_its_person),
        TEST(it_holds_what_french_records_hold),
        TEST(arguments_outside_their_limits_are_refused),
        TEST(a_refusal_stops_the_generator),
        TEST(it_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
