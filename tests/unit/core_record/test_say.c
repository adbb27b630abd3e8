/* tests/unit/core_record/test_say.c -- objects as French sentences, by the rules of the schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/record/say.h"
#include "fake_env.h"

enum { TEXT_MAX = 65536, VALUES_MAX = 256, LEAVES_MAX = 64 };

static struct fake_env fake;

/* ---- an object made of encoded values ---- */

struct object {
    const struct ml_entity *entity;
    struct ml_buf value[VALUES_MAX];
};

static ml_err value_of(void *user, const struct ml_field *field, struct ml_slice *value)
{
    const struct object *o = user;
    *value = ml_buf_slice(&o->value[field - o->entity->fields]);
    return ML_OK;
}

static void name_of(void *user, const struct ml_object_id *id, struct ml_buf *out)
{
    (void)user;
    if (id->b[0] == 7) {
        ml_buf_append(out, "Dr Noir", 7);
    }
}

static void object_init(struct object *o, const struct ml_entity *entity)
{
    assert_true(entity->field_count <= VALUES_MAX);
    o->entity = entity;
    for (size_t i = 0; i < VALUES_MAX; i++) {
        ml_buf_init(&o->value[i], &fake.env, TEXT_MAX);
    }
}

static void object_free(struct object *o)
{
    for (size_t i = 0; i < VALUES_MAX; i++) {
        ml_buf_free(&o->value[i]);
    }
}

static struct ml_buf *at(struct object *o, const char *name)
{
    const struct ml_field *field = ml_entity_field_named(o->entity, name);
    assert_non_null(field);
    ml_buf_clear(&o->value[field - o->entity->fields]);
    return &o->value[field - o->entity->fields];
}

typedef ml_err say_fn(struct ml_buf *out, const struct ml_say_args *args);

static struct ml_say_args args_of(struct object *o)
{
    return (struct ml_say_args){.text = {.schema = ml_schema_builtin(), .ref = name_of},
                                .entity = o->entity,
                                .value = value_of,
                                .user = o};
}

/* Static; until the next call. */
static const char *said(struct object *o, say_fn *how)
{
    static char text[TEXT_MAX];
    const struct ml_say_args args = args_of(o);
    struct ml_buf out;
    ml_buf_init(&out, &fake.env, TEXT_MAX - 1);
    assert_int_equal(how(&out, &args), ML_OK);
    memcpy(text, out.data == NULL ? (const uint8_t *)"" : out.data, out.len);
    text[out.len] = '\0';
    ml_buf_free(&out);
    return text;
}

static void put_text(struct ml_buf *out, const char *text)
{
    ml_mp_put_str(out, ml_slice_str(text));
}

static void put_code(struct ml_buf *out, const char *code)
{
    const struct ml_code v = {.scheme = ml_slice_str("urn:x"), .code = ml_slice_str(code)};
    assert_int_equal(ml_code_encode(out, &v), ML_OK);
}

static void put_quantity(struct ml_buf *out, const char *number, const char *unit)
{
    const struct ml_quantity v = {ml_slice_str(number), ml_slice_str(unit)};
    assert_int_equal(ml_quantity_encode(out, &v), ML_OK);
}

static void put_concept(struct ml_buf *out, const char *text, const char *scheme, const char *code)
{
    const struct ml_code one = {.scheme = ml_slice_str(scheme), .code = ml_slice_str(code)};
    const struct ml_concept v = {.text = ml_slice_str(text),
                                 .codes = {.items = &one, .count = code[0] != '\0'}};
    assert_int_equal(ml_concept_encode(out, &v), ML_OK);
}

static void put_day(struct ml_buf *out, int64_t ms, uint8_t precision)
{
    const struct ml_instant v = {.utc_ms = ms, .precision = precision};
    assert_int_equal(ml_instant_encode(out, &v), ML_OK);
}

static const struct ml_entity *entity_named(const char *name)
{
    return ml_schema_entity_named(ml_schema_builtin(), name);
}

/* ---- what a prescriber reads ---- */

#define MARCH_3 INT64_C(1772496000000) /* 03/03/2026 */
#define MAY_2   INT64_C(1777680000000) /* 02/05/2026 */

static void a_treatment_reads_as_a_prescription(void **state)
{
    static const char *const moments[] = {"MORN", "EVE"};
    const struct ml_period valid = {{MARCH_3, 0, ML_PRECISION_MINUTE},
                                    {MAY_2, 0, ML_PRECISION_MINUTE}};
    struct object o;
    (void)state;
    object_init(&o, entity_named("treatment"));
    put_concept(at(&o, "drug"), "furosémide 40 mg", "http://www.whocc.no/atc", "C03CA01");
    assert_string_equal(said(&o, ml_say_title), "furosémide 40 mg (C03CA01)");
    assert_string_equal(said(&o, ml_say_sentence), "posologie non précisée");
    put_quantity(at(&o, "dose"), "1.50", "{comprimé}");
    ml_mp_put_int(at(&o, "frequency"), 2);
    put_text(at(&o, "period"), "1");
    put_code(at(&o, "period_unit"), "d");
    struct ml_buf *when = at(&o, "moments");
    ml_mp_put_array(when, 2);
    put_code(when, moments[0]);
    put_code(when, moments[1]);
    put_quantity(at(&o, "duration"), "60", "d");
    assert_int_equal(ml_period_encode(at(&o, "valid"), &valid), ML_OK);
    ml_mp_put_bool(at(&o, "substitution"), false);
    ml_mp_put_bool(at(&o, "as_needed"), false); /* goes without saying */
    put_code(at(&o, "status"), "active");       /* likewise */
    struct ml_object_id who = {{7}};
    ml_ref_put(at(&o, "prescriber"), &who);
    assert_string_equal(said(&o, ml_say_sentence),
                        "1,5 comprimé 2 fois par jour, matin et soir, pendant 60 jours, du 3 mars "
                        "2026 au 2 mai 2026, non substituable, prescripteur : Dr Noir");
    ml_mp_put_bool(at(&o, "substitution"), true);
    put_quantity(at(&o, "dose"), "1", "");
    ml_mp_put_int(at(&o, "frequency"), 1);
    put_text(at(&o, "period"), "60");
    assert_non_null(
        strstr(said(&o, ml_say_sentence), "1 (unité non précisée) tous les 60 jours, matin"));
    who.b[0] = 8;
    ml_ref_put(at(&o, "prescriber"), &who);
    assert_non_null(strstr(said(&o, ml_say_sentence), "(professionnel non disponible ici)"));
    object_free(&o);
}

static void a_conflict_leaves_nothing_out(void **state)
{
    struct object o;
    (void)state;
    object_init(&o, entity_named("treatment"));
    put_concept(at(&o, "drug"), "furosémide", "", "");
    put_quantity(at(&o, "dose"), "40", "mg");
    ml_mp_put_bool(at(&o, "as_needed"), false);
    put_concept(at(&o, "dose_kind"), "calculée", "", "");
    put_code(at(&o, "status"), "active");
    assert_string_equal(said(&o, ml_say_all), "furosémide : 40 mg, en cours, si besoin : non, "
                                              "origine de la dose : calculée");
    object_free(&o);
}

static void allergies_say_what_can_not_be_checked(void **state)
{
    struct object o;
    (void)state;
    object_init(&o, entity_named("allergy"));
    put_code(at(&o, "assertion"), "none-known");
    assert_string_equal(said(&o, ml_say_title), "Allergie ou intolérance");
    assert_string_equal(said(&o, ml_say_sentence), "aucune allergie connue");
    put_code(at(&o, "assertion"), "known");
    put_concept(at(&o, "agent"), "fraise", "", "");
    put_code(at(&o, "criticality"), "high");
    assert_string_equal(said(&o, ml_say_sentence),
                        "texte libre : aucune alerte automatique, risque élevé");
    put_concept(at(&o, "agent"), "fraise", "urn:x", "F1");
    assert_string_equal(said(&o, ml_say_sentence), "risque élevé");
    object_free(&o);
}

static void spans_and_measures_read_as_they_are_said(void **state)
{
    static const struct {
        const char *number, *unit, *want;
    } measures[] = {
        {"81.94901605220925", "mm[Hg]", "≈ 81,95 mmHg"},
        {"99.99999", "kg", "≈ 100,00 kg"},
        {"0.2924127187144343", "{score}", "≈ 0,2924 point"},
        {"0.00012345", "mg/L", "0,00012345 mg/L"},
        {"-1.23456", "Cel", "≈ -1,23 °C"},
        {"7.405", "mmol/L", "7,405 mmol/L"},
        {"2", "{score}", "2 points"},
    };
    struct object o;
    (void)state;
    object_init(&o, entity_named("observation"));
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        put_quantity(at(&o, "value"), measures[i].number, measures[i].unit);
        assert_string_equal(said(&o, ml_say_sentence), measures[i].want);
    }
    object_free(&o);
    object_init(&o, entity_named("problem"));
    put_day(at(&o, "onset"), MARCH_3, ML_PRECISION_MINUTE);
    assert_string_equal(said(&o, ml_say_sentence), "depuis le 3 mars 2026");
    put_day(at(&o, "abatement"), MAY_2, ML_PRECISION_MONTH);
    assert_string_equal(said(&o, ml_say_sentence), "du 3 mars 2026 à mai 2026");
    put_day(at(&o, "onset"), INT64_C(1743465600000), ML_PRECISION_MONTH); /* 04/2025 */
    assert_string_equal(said(&o, ml_say_sentence), "d'avril 2025 à mai 2026");
    object_free(&o);
}

static void rhythms_read_as_they_are_said(void **state)
{
    static const struct {
        uint64_t times, times_max;
        const char *period, *unit, *want;
    } cases[] = {
        {3, 0, "1", "d", "3 fois par jour"},
        {1, 0, "12", "h", "toutes les 12 heures"},
        {1, 0, "2", "wk", "toutes les 2 semaines"},
        {2, 3, "1", "d", "2 à 3 fois par jour"},
        {2, 0, "3", "d", "2 fois tous les 3 jours"},
        {0, 0, "1", "d", "chaque jour"},
        {4, 0, "", "", "4 fois"},
        {1, 0, "1", "mo", "1 fois par mois"},
        {1, 0, "1.5", "d", "tous les 1,5 jour"},
        {0, 0, "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ml_rhythm rhythm = {.times = cases[i].times,
                                         .times_max = cases[i].times_max,
                                         .period = ml_slice_str(cases[i].period),
                                         .unit = ml_slice_str(cases[i].unit)};
        struct ml_buf out;
        ml_buf_init(&out, &fake.env, 200);
        ml_words_rhythm(&out, &rhythm);
        assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str(cases[i].want)));
        ml_buf_free(&out);
    }
}

/* ---- rules ---- */

static void every_rule_of_the_schema_is_well_formed(void **state)
{
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t e = 0; e < schema->entity_count; e++) {
        const char *fault = ml_say_fault(schema->entities[e]);
        assert_string_equal(fault == NULL ? schema->entities[e]->name : fault,
                            schema->entities[e]->name);
    }
}

static void a_rule_that_is_not_well_formed_is_named(void **state)
{
    static const char *const bad[] = {"{nothing}", "[{drug}",     "{drug",          "[[{drug}]]",
                                      "{drug}}",   "{}",          "{drug?yes}",     "{drug~x}",
                                      "]",         "{drug@mars}", "{dose>nothing}", "{drug+x-w}"};
    struct ml_entity entity = *entity_named("treatment");
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        entity.say_fr = bad[i];
        assert_non_null(ml_say_fault(&entity));
    }
}

static void an_entity_of_more_fields_than_are_said_is_refused(void **state)
{
    struct ml_entity entity = {.field_count = ML_SAY_FIELDS_MAX};
    (void)state;
    assert_null(ml_say_fault(&entity));
    entity.field_count++;
    assert_non_null(ml_say_fault(&entity));
}

static void without_a_rule_the_form_is_said(void **state)
{
    struct ml_entity entity = *entity_named("care_note");
    struct object o;
    (void)state;
    entity.say_fr = NULL;
    object_init(&o, &entity);
    put_text(at(&o, "title"), "plaie");
    put_text(at(&o, "data"), "rouge");
    ml_mp_put_bool(at(&o, "urgent"), true);
    assert_string_equal(said(&o, ml_say_title), "plaie");
    assert_string_equal(said(&o, ml_say_sentence), "données : rouge, urgent : oui");
    object_free(&o);
}

/* ---- any value of any entity ---- */

/* Texts that must be read where the value is shown. */
struct leaves {
    char text[LEAVES_MAX][24];
    size_t count;
};

static struct ml_slice leaf(struct leaves *l)
{
    assert_true(l->count < LEAVES_MAX);
    char *text = l->text[l->count++];
    snprintf(text, sizeof(l->text[0]), "f%llu", (unsigned long long)fake_below(&fake, 1u << 30));
    return ml_slice_str(text);
}

static struct ml_slice number_leaf(struct leaves *l)
{
    assert_true(l->count < LEAVES_MAX);
    char *text = l->text[l->count++];
    snprintf(text, sizeof(l->text[0]), "%llu",
             100000 + (unsigned long long)fake_below(&fake, 9999));
    return ml_slice_str(text);
}

static struct ml_instant any_instant(void)
{
    return (struct ml_instant){.utc_ms = (int64_t)fake_below(&fake, 1u << 30) * 1000,
                               .precision = (uint8_t)(1 + fake_below(&fake, 6))};
}

static void any_structured(struct ml_buf *out, ml_field_type type, struct leaves *l)
{
    const struct ml_slice lines[2] = {leaf(l), leaf(l)};
    const struct ml_list two = {.items = lines, .count = 2};
    const struct ml_list none = {.items = NULL, .count = 0};
    ml_err err = ML_OK;
    if (type == ML_TYPE_NAME) {
        const struct ml_person_name v = {.family = leaf(l), .given = two, .prefix = none};
        err = ml_person_name_encode(out, &v);
    } else if (type == ML_TYPE_ADDRESS) {
        const struct ml_address v = {
            ml_slice_str("home"), two, leaf(l), leaf(l), leaf(l), leaf(l), leaf(l)};
        err = ml_address_encode(out, &v);
    } else if (type == ML_TYPE_DOSAGE) {
        const struct ml_dosage v = {.text = lines[0],
                                    .dose = {number_leaf(l), leaf(l)},
                                    .frequency = 3,
                                    .period = number_leaf(l),
                                    .unit = ml_slice_str("d"),
                                    .when = {.items = &lines[1], .count = 1},
                                    .site = {.code = leaf(l)},
                                    .rate = {number_leaf(l), leaf(l)}};
        err = ml_dosage_encode(out, &v);
    } else {
        const struct ml_attachment v = {.title = lines[0], .url = lines[1]};
        err = ml_attachment_encode(out, &v);
    }
    assert_int_equal(err, ML_OK);
}

static void any_scalar(struct ml_buf *out, const struct ml_field *field, struct leaves *l)
{
    static const struct ml_object_id known = {{7}};
    const struct ml_instant start = any_instant();
    const struct ml_period period = {start, {.precision = 0}};
    const struct ml_identifier id = {.value = leaf(l)};
    const struct ml_contact contact = {.medium = ml_slice_str("phone"), .value = id.value};
    char day[16];
    switch (field->type) {
    case ML_TYPE_BOOL:
        l->count = 0;
        ml_mp_put_bool(out, fake_below(&fake, 2) == 0);
        break;
    case ML_TYPE_INT:
        snprintf(l->text[0], sizeof(l->text[0]), "%u", 77);
        ml_mp_put_int(out, 77);
        break;
    case ML_TYPE_DECIMAL:
        snprintf(l->text[0], sizeof(l->text[0]), "%u", 321);
        put_text(out, "321");
        break;
    case ML_TYPE_DATE:
        snprintf(day, sizeof(day), "%u-05", 1990 + (unsigned)fake_below(&fake, 30));
        memcpy(l->text[0], day, 4);
        l->text[0][4] = '\0';
        put_text(out, day);
        break;
    case ML_TYPE_INSTANT:
        l->count = 0;
        assert_int_equal(ml_instant_encode(out, &start), ML_OK);
        break;
    case ML_TYPE_PERIOD:
        l->count = 0;
        assert_int_equal(ml_period_encode(out, &period), ML_OK);
        break;
    case ML_TYPE_REF:
        memcpy(l->text[0], "Dr Noir", 8);
        ml_ref_put(out, &known);
        break;
    case ML_TYPE_IDENTIFIER:
        assert_int_equal(ml_identifier_encode(out, &id), ML_OK);
        break;
    case ML_TYPE_CONTACT:
        assert_int_equal(ml_contact_encode(out, &contact), ML_OK);
        break;
    case ML_TYPE_TEXT:
    case ML_TYPE_QUANTITY:
    case ML_TYPE_CODE:
    case ML_TYPE_CONCEPT:
    case ML_TYPE_NAME:
    case ML_TYPE_ADDRESS:
    case ML_TYPE_DOSAGE:
    case ML_TYPE_COMPONENT:
    case ML_TYPE_VALUE:
    case ML_TYPE_ATTACHMENT:
        put_text(out, l->text[0]);
        break;
    }
}

static void any_value(struct ml_buf *out, const struct ml_field *field, struct leaves *l)
{
    l->count = 0;
    ml_field_type type = field->type;
    if (field->list) {
        ml_mp_put_array(out, 1);
    }
    if (type == ML_TYPE_QUANTITY || type == ML_TYPE_VALUE) {
        const struct ml_quantity v = {number_leaf(l), leaf(l)};
        assert_int_equal(ml_quantity_encode(out, &v), ML_OK);
    } else if (type == ML_TYPE_CODE) {
        const struct ml_code v = {
            .scheme = ml_slice_str("urn:x"), .code = ml_slice_str("zz"), .display = leaf(l)};
        assert_int_equal(ml_code_encode(out, &v), ML_OK);
    } else if (type == ML_TYPE_CONCEPT) {
        put_concept(out, (const char *)leaf(l).data, "urn:x", "zz");
    } else if (type == ML_TYPE_COMPONENT) {
        struct ml_buf name;
        struct ml_buf value;
        ml_buf_init(&name, &fake.env, 1000);
        ml_buf_init(&value, &fake.env, 1000);
        put_concept(&name, (const char *)leaf(l).data, "", "");
        put_text(&value, (const char *)leaf(l).data);
        const struct ml_component v = {ml_buf_slice(&name), ml_buf_slice(&value)};
        assert_int_equal(ml_component_encode(out, &v), ML_OK);
        ml_buf_free(&name);
        ml_buf_free(&value);
    } else if (type == ML_TYPE_NAME || type == ML_TYPE_ADDRESS || type == ML_TYPE_DOSAGE ||
               type == ML_TYPE_ATTACHMENT) {
        any_structured(out, type, l);
    } else {
        any_scalar(out, field, l);
    }
}

static void reads_badly(const char *name, const char *text, const char *why)
{
    fail_msg("%s: « %s »: %s", name, text, why);
}

static bool is_edge(char c)
{
    return strchr(" ,;:", c) != NULL;
}

static void is_sane(const struct ml_entity *entity, const char *text)
{
    static const char *const never[] = {"{",   "}",  "[",           "]",  "  ", " ,",
                                        ", ,", ",,", "(illisible)", "( ", " )"};
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (strstr(text, never[i]) != NULL) {
            reads_badly(entity->name, text, never[i]);
        }
    }
    if (len > 0 && (is_edge(text[0]) || is_edge(text[len - 1]))) {
        reads_badly(entity->name, text, "a separator at an end");
    }
}

static void holds(const struct ml_field *field, const char *text, const struct leaves *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strstr(text, l->text[i]) == NULL) {
            reads_badly(field->name, text, l->text[i]);
        }
    }
}

static void one_object(const struct ml_entity *entity, struct leaves *leaves)
{
    struct object o;
    bool any = false;
    object_init(&o, entity);
    for (size_t f = 0; f < entity->field_count; f++) {
        if (fake_below(&fake, 3) != 0) {
            any_value(&o.value[f], &entity->fields[f], &leaves[f]);
            any = true;
        }
    }
    is_sane(entity, said(&o, ml_say_title));
    assert_true(said(&o, ml_say_title)[0] != '\0');
    is_sane(entity, said(&o, ml_say_sentence));
    const char *all = said(&o, ml_say_all);
    is_sane(entity, all);
    assert_true(!any || all[0] != '\0');
    for (size_t f = 0; f < entity->field_count; f++) {
        if (o.value[f].len > 0) {
            holds(&entity->fields[f], all, &leaves[f]);
        }
    }
    object_free(&o);
}

static void no_value_of_any_entity_is_lost(void **state)
{
    static struct leaves leaves[VALUES_MAX];
    const struct ml_schema *schema = ml_schema_builtin();
    (void)state;
    for (size_t e = 0; e < schema->entity_count; e++) {
        for (int round = 0; round < 50; round++) {
            one_object(schema->entities[e], leaves);
        }
    }
    assert_int_equal(fake.live, 0);
}

/* The nth allocation fails: an error or the whole text, and no leak. */
static void a_failed_allocation_is_an_error(void **state)
{
    struct object o;
    (void)state;
    object_init(&o, entity_named("treatment"));
    put_concept(at(&o, "drug"), "furosémide", "", "");
    put_text(at(&o, "posology"), "un comprimé matin et soir, au milieu des repas, deux mois");
    const struct ml_say_args args = args_of(&o);
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct ml_buf out;
        ml_buf_init(&out, &fake.env, TEXT_MAX);
        fake.fail_alloc = n;
        ml_err err = ml_say_all(&out, &args);
        failed = err != ML_OK;
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_int_equal(fake_spared(&fake), err == ML_OK);
        ml_buf_free(&out);
        assert_true(n < 100);
    }
    object_free(&o);
    assert_int_equal(fake.live, 0);
}

static int group_setup(void **state)
{
    (void)state;
    fake_env_init(&fake, 5);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_treatment_reads_as_a_prescription),
        cmocka_unit_test(a_conflict_leaves_nothing_out),
        cmocka_unit_test(allergies_say_what_can_not_be_checked),
        cmocka_unit_test(spans_and_measures_read_as_they_are_said),
        cmocka_unit_test(rhythms_read_as_they_are_said),
        cmocka_unit_test(every_rule_of_the_schema_is_well_formed),
        cmocka_unit_test(a_rule_that_is_not_well_formed_is_named),
        cmocka_unit_test(an_entity_of_more_fields_than_are_said_is_refused),
        cmocka_unit_test(without_a_rule_the_form_is_said),
        cmocka_unit_test(no_value_of_any_entity_is_lost),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
