/* core/interop/gen_contact.c -- what happens when a patient is seen.
 *
 * A doctor: consultation, note, constants, sometimes a drug, a problem, a vaccine. A nurse or
 * another: visit, transmission, constants. A laboratory: results and their report.
 */
#include <stdio.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/interop/gen_internal.h"

#define MINUTE_MS INT64_C(60000)
#define LOINC     "http://loinc.org"

const char *ml_gen_profession(uint32_t member)
{
    static const struct {
        uint32_t count;
        const char *profession;
    } rows[] = {{12, "10"}, {14, "60"}, {6, "70"}, {2, "50"},  {2, "21"}, {2, "91"},
                {1, "80"},  {1, "95"},  {1, "93"}, {3, "331"}, {1, "330"}};
    size_t i = 0;
    while (i + 1 < sizeof(rows) / sizeof(rows[0]) && member >= rows[i].count) {
        member -= rows[i++].count;
    }
    return rows[i].profession;
}

/* ---- measures ---- */

struct measure {
    const char *entity;
    const char *loinc;
    const char *category;
    char value[24];
    const char *unit;
    const char *flag; /* interpretation, or NULL */
};

static void measure_begin(struct gen *g, const struct gen_contact *c, const struct measure *m,
                          const struct ml_object_id *contact)
{
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    ml_gen_begin(g, m->entity, &c->patient, c->when_ms);
    ml_gen_author(g, &by);
    ml_gen_concept(g, "code", m->loinc, NULL);
    ml_gen_code(g, "status", "final");
    ml_gen_concept(g, "categories", m->category, NULL);
    ml_gen_time(g, "taken_at", c->when_ms);
    ml_gen_ref(g, "performers", &by);
    if (contact != NULL) {
        ml_gen_ref(g, "encounter", contact);
    }
    if (m->flag != NULL) {
        ml_gen_concept(g, "interpretations", m->flag, NULL);
    }
}

static struct ml_object_id gen_measure(struct gen *g, const struct gen_contact *c,
                                       const struct measure *m, const struct ml_object_id *contact)
{
    measure_begin(g, c, m, contact);
    ml_gen_quantity(g, "value", m->value, m->unit);
    return ml_gen_end(g);
}

/* One part of a blood pressure, as [concept, quantity]. */
static void put_component(struct ml_buf *out, const char *loinc, const char *label, int value)
{
    char number[12];
    snprintf(number, sizeof(number), "%d", value);
    ml_mp_put_array(out, 2);
    ml_mp_put_array(out, 2);
    ml_mp_put_str(out, ml_slice_str(label));
    ml_mp_put_array(out, 1);
    ml_mp_put_array(out, 3);
    ml_mp_put_uint(out, ml_code_system_number(ml_slice_str(LOINC)));
    ml_mp_put_str(out, ml_slice_str(loinc));
    ml_mp_put_str(out, ml_slice_str(label));
    ml_mp_put_array(out, 2);
    ml_mp_put_str(out, ml_slice_str(number));
    ml_mp_put_str(out, ml_slice_str("mm[Hg]"));
}

static void gen_pressure(struct gen *g, struct gen_contact *c, const struct ml_object_id *contact)
{
    bool hypertensive = (c->person->conditions & 1u) != 0;
    int high = gen_between(&c->rng, hypertensive ? 125 : 105, hypertensive ? 165 : 138);
    struct measure m = {.entity = "observation",
                        .loinc = "85354-9",
                        .category = "vital-signs",
                        .flag = high >= 140 ? "H" : NULL};
    measure_begin(g, c, &m, contact);
    ml_gen_code(g, "posture", "assis");
    struct ml_buf *out = ml_gen_raw(g, "components");
    if (out != NULL) {
        ml_mp_put_array(out, 2);
        put_component(out, "8480-6", "Pression artérielle systolique", high);
        put_component(out, "8462-4", "Pression artérielle diastolique",
                      high * 6 / 10 + gen_between(&c->rng, -6, 6));
    }
    ml_gen_end(g);
}

typedef enum gen_constant_kind {
    CONSTANT_PULSE,
    CONSTANT_WEIGHT,
    CONSTANT_TEMPERATURE,
    CONSTANT_OXYGEN,
    CONSTANT_GLUCOSE,
    CONSTANT_PAIN,
} gen_constant_kind;

static void gen_constant(struct gen *g, struct gen_contact *c, const struct ml_object_id *contact,
                         gen_constant_kind which)
{
    static const struct {
        const char *loinc;
        const char *unit;
    } rows[] = {{"8867-4", "/min"}, {"29463-7", "kg"},  {"8310-5", "Cel"},
                {"20564-1", "%"},   {"41653-7", "g/L"}, {"72514-3", "{score}"}};
    struct measure m = {.entity = "observation",
                        .loinc = rows[which].loinc,
                        .category = "vital-signs",
                        .unit = rows[which].unit};
    /* One draw a statement: the order in which C evaluates arguments is free. */
    int tenths = gen_between(&c->rng, 0, 9);
    int change = gen_between(&c->rng, -2, 2);
    bool usual = gen_chance(&c->rng, 85);
    int wide = gen_between(&c->rng, 0, 95);
    switch (which) {
    case CONSTANT_PULSE:
        snprintf(m.value, sizeof(m.value), "%d", 56 + wide * 42 / 95);
        break;
    case CONSTANT_WEIGHT:
        snprintf(m.value, sizeof(m.value), "%d.%d", c->person->weight_kg + change, tenths);
        break;
    case CONSTANT_TEMPERATURE:
        snprintf(m.value, sizeof(m.value), "%d.%d", usual ? 36 : 38, tenths);
        break;
    case CONSTANT_OXYGEN:
        snprintf(m.value, sizeof(m.value), "%d", 92 + wide * 7 / 95);
        break;
    case CONSTANT_GLUCOSE:
        snprintf(m.value, sizeof(m.value), "%d.%02d", usual ? 1 : 2, wide);
        break;
    case CONSTANT_PAIN:
        snprintf(m.value, sizeof(m.value), "%d", wide * 7 / 95);
        break;
    }
    gen_measure(g, c, &m, contact);
}

/* ---- contacts ---- */

static struct ml_object_id gen_meeting(struct gen *g, const struct gen_contact *c,
                                       const char *entity, const char *reason, const char *type)
{
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    struct ml_object_id site = ml_gen_site_id(g->args);
    bool visit = strcmp(entity, "visit") == 0;
    ml_gen_begin(g, entity, &c->patient, c->when_ms);
    ml_gen_author(g, &by);
    if (reason != NULL) {
        ml_gen_concept(g, "reasons", reason, NULL);
    }
    ml_gen_concept(g, "types", NULL, type);
    ml_gen_code(g, "class", visit ? "HH" : "AMB");
    ml_gen_code(g, "status", "finished");
    ml_gen_period(g, "period", c->when_ms, c->when_ms + (visit ? 20 : 15) * MINUTE_MS);
    ml_gen_ref(g, "participants", &by);
    ml_gen_ref(g, "organisation", &site);
    ml_gen_text(g, "place", visit ? "Domicile" : "Cabinet");
    return ml_gen_end(g);
}

static void note_begin(struct gen *g, const struct gen_contact *c, const char *title,
                       const struct ml_object_id *contact)
{
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    ml_gen_begin(g, "note", &c->patient, c->when_ms);
    ml_gen_author(g, &by);
    ml_gen_text(g, "title", title);
    ml_gen_time(g, "written_at", c->when_ms);
    ml_gen_ref(g, "encounter", contact);
    ml_gen_ref(g, "authors", &by);
}

static void gen_acute(struct gen *g, struct gen_contact *c)
{
    const struct gen_complaint *why = ml_gen_complaint(&c->rng, c->person->age);
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    struct ml_object_id contact = gen_meeting(g, c, "encounter", why->reason, "Consultation");
    note_begin(g, c, "Consultation", &contact);
    ml_gen_text(g, "subjective", why->said);
    ml_gen_text(g, "objective", why->found);
    ml_gen_text(g, "assessment", why->concluded);
    ml_gen_text(g, "plan", why->planned);
    ml_gen_end(g);
    gen_pressure(g, c, &contact);
    gen_constant(g, c, &contact, CONSTANT_TEMPERATURE);
    gen_constant(g, c, &contact, gen_chance(&c->rng, 50) ? CONSTANT_OXYGEN : CONSTANT_PULSE);
    gen_constant(g, c, &contact, CONSTANT_WEIGHT);
    if (why->icd != NULL) {
        ml_gen_begin(g, "problem", &c->patient, c->when_ms);
        ml_gen_author(g, &by);
        ml_gen_concept(g, "code", why->icd, NULL);
        ml_gen_code(g, "kind", "actif");
        ml_gen_code(g, "clinical_status", "active");
        ml_gen_code(g, "verification", "provisional");
        ml_gen_time(g, "onset", c->when_ms);
        ml_gen_code(g, "chronicity", "aigu");
        ml_gen_ref(g, "encounter", &contact);
        ml_gen_end(g);
    }
    if (why->drug >= 0) {
        ml_gen_treatment(g, ml_gen_drug(why->drug), &c->patient, c->when_ms, &by);
    }
}

static void gen_follow_up(struct gen *g, struct gen_contact *c)
{
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    struct ml_object_id contact = gen_meeting(g, c, "encounter", "A97", "Consultation de suivi");
    char text[1024] = "";
    size_t len = 0;
    const struct gen_condition *last = NULL;
    for (uint32_t i = 0; i < GEN_CONDITIONS; i++) {
        if ((c->person->conditions >> i & 1u) != 0 && len + 200 < sizeof(text)) {
            last = &ml_gen_conditions[i];
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "",
                                    last->follow_up);
        }
    }
    note_begin(g, c, "Suivi", &contact);
    ml_gen_text(g, "text", text[0] != '\0' ? text : "Visite de prévention, examen normal.");
    ml_gen_text(g, "plan", "Traitement reconduit, revoir dans trois mois avec un bilan.");
    ml_gen_end(g);
    gen_pressure(g, c, &contact);
    gen_constant(g, c, &contact, CONSTANT_PULSE);
    gen_constant(g, c, &contact, CONSTANT_WEIGHT);
    gen_constant(g, c, &contact, CONSTANT_OXYGEN);
    if (last != NULL && last->drugs[0] >= 0 && gen_chance(&c->rng, 60)) {
        ml_gen_treatment(g, ml_gen_drug(last->drugs[0]), &c->patient, c->when_ms, &by);
    }
    if (gen_chance(&c->rng, 12)) {
        ml_gen_immunisation(g, c->person->age >= 65 ? "J07BB" : "J07CA01", &c->patient, c->when_ms,
                            &by);
    }
}

static void gen_care_session(struct gen *g, struct gen_contact *c, const char *profession)
{
    const struct gen_session *s = ml_gen_session(&c->rng, profession);
    struct ml_object_id by = ml_gen_team_id(g->args, c->member);
    struct ml_object_id contact = gen_meeting(g, c, "visit", NULL, s->title);
    bool nurse = strcmp(profession, "60") == 0;
    ml_gen_begin(g, "care_note", &c->patient, c->when_ms + 15 * MINUTE_MS);
    ml_gen_author(g, &by);
    ml_gen_text(g, "title", s->title);
    ml_gen_time(g, "written_at", c->when_ms + 15 * MINUTE_MS);
    ml_gen_text(g, "data", s->data);
    ml_gen_text(g, "action", s->action);
    ml_gen_text(g, "result", s->result);
    ml_gen_bool(g, "urgent", gen_chance(&c->rng, 4));
    ml_gen_ref(g, "encounter", &contact);
    ml_gen_ref(g, "authors", &by);
    ml_gen_end(g);
    if (nurse) {
        gen_pressure(g, c, &contact);
        gen_constant(g, c, &contact, CONSTANT_PULSE);
        gen_constant(g, c, &contact, CONSTANT_OXYGEN);
        gen_constant(g, c, &contact, gen_chance(&c->rng, 50) ? CONSTANT_GLUCOSE : CONSTANT_WEIGHT);
        gen_constant(g, c, &contact, CONSTANT_TEMPERATURE);
    }
    gen_constant(g, c, &contact, CONSTANT_PAIN);
}

void ml_gen_contact(struct gen *g, struct gen_contact *c)
{
    const char *profession = ml_gen_profession(c->member);
    bool doctor = strcmp(profession, "10") == 0 || strcmp(profession, "50") == 0;
    if (!doctor) {
        gen_care_session(g, c, profession);
    } else if (c->person->conditions != 0 && gen_chance(&c->rng, 60)) {
        gen_follow_up(g, c);
    } else {
        gen_acute(g, c);
    }
}

/* ---- laboratory ---- */

struct analyte {
    const char *loinc;
    const char *unit;
    int low; /* normal range, in hundredths */
    int high;
};

static const struct analyte analytes[] = {
    {"718-7", "g/dL", 1200, 1650},
    {"6690-2", "10*9/L", 400, 1000},
    {"777-3", "10*9/L", 15000, 40000},
    {"2160-0", "mg/L", 500, 1150},
    {"33914-3", "mL/min/{1.73_m2}", 6000, 12000},
    {"2339-0", "g/L", 74, 106},
    {"4548-4", "%", 400, 600},
    {"2093-3", "g/L", 140, 200},
    {"18262-6", "g/L", 60, 130},
    {"2571-8", "g/L", 35, 150},
    {"6298-4", "mmol/L", 350, 510},
    {"2947-0", "mmol/L", 13600, 14500},
    {"3016-3", "m[IU]/L", 40, 400},
    {"1988-5", "mg/L", 0, 500},
};

static struct ml_object_id gen_analyte(struct gen *g, struct gen_contact *c,
                                       const struct analyte *a)
{
    int spread = a->high - a->low;
    int value = gen_between(&c->rng, a->low - spread / 8, a->high + spread / 3);
    value = value < 0 ? 0 : value;
    struct measure m = {.entity = "lab_result",
                        .loinc = a->loinc,
                        .category = "laboratory",
                        .unit = a->unit,
                        .flag = value > a->high  ? "H"
                                : value < a->low ? "L"
                                                 : "N"};
    snprintf(m.value, sizeof(m.value), "%d.%02d", value / 100, value % 100);
    return gen_measure(g, c, &m, NULL);
}

void ml_gen_laboratory(struct gen *g, struct gen_contact *c)
{
    struct ml_object_id results[8];
    uint32_t count = 6;
    uint32_t first = gen_below(&c->rng, sizeof(analytes) / sizeof(analytes[0]));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (first + i) % (uint32_t)(sizeof(analytes) / sizeof(analytes[0]));
        results[i] = gen_analyte(g, c, &analytes[at]);
    }
    ml_gen_begin(g, "report", &c->patient, c->when_ms);
    ml_gen_concept(g, "code", NULL, "Compte rendu de biologie");
    ml_gen_code(g, "status", "final");
    ml_gen_concept(g, "categories", "LAB", NULL);
    ml_gen_time(g, "examined_at", c->when_ms);
    ml_gen_time(g, "issued_at", c->when_ms + 300 * MINUTE_MS);
    struct ml_buf *out = ml_gen_raw(g, "results");
    if (out != NULL) {
        ml_mp_put_array(out, count);
        for (uint32_t i = 0; i < count; i++) {
            ml_mp_put_bin(out, ml_slice(results[i].b, sizeof(results[i].b)));
        }
    }
    ml_gen_end(g);
}
