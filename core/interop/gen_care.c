/* core/interop/gen_care.c -- what is known of a patient: contacts, problems, treatments, allergies,
 * vaccinations. */
#include <stdio.h>

#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/interop/gen_internal.h"

#define DAY_MS INT64_C(86400000)

/* A concept with one code that is of no list of ours. */
static void put_coded(struct ml_buf *out, const char *text, const char *uri, const char *code)
{
    uint16_t number = ml_code_system_number(ml_slice_str(uri));
    if (out == NULL) {
        return;
    }
    ml_mp_put_array(out, 2);
    ml_mp_put_str(out, ml_slice_str(text));
    ml_mp_put_array(out, 1);
    ml_mp_put_array(out, 3);
    if (number != 0) {
        ml_mp_put_uint(out, number);
    } else {
        ml_mp_put_str(out, ml_slice_str(uri));
    }
    ml_mp_put_str(out, ml_slice_str(code));
    ml_mp_put_str(out, ml_slice_str(text));
}

void ml_gen_treatment(struct gen *g, const struct gen_drug *drug,
                      const struct ml_object_id *patient, int64_t when_ms,
                      const struct ml_object_id *prescriber)
{
    ml_gen_begin(g, "treatment", patient, when_ms);
    ml_gen_author(g, prescriber);
    put_coded(ml_gen_raw(g, "drug"), drug->label, "http://www.whocc.no/atc", drug->atc);
    ml_gen_quantity(g, "dose", drug->dose, drug->unit);
    ml_gen_code(g, "route", drug->route);
    ml_gen_int(g, "frequency", drug->frequency);
    ml_gen_decimal(g, "period", "1");
    ml_gen_code(g, "period_unit", "d");
    ml_gen_codes(g, "moments", drug->moments);
    ml_gen_bool(g, "as_needed", drug->moments[0] == '\0');
    ml_gen_text(g, "posology", drug->posology);
    ml_gen_code(g, "status", "active");
    ml_gen_time(g, "prescribed_at", when_ms);
    ml_gen_ref(g, "prescriber", prescriber);
    ml_gen_code(g, "intent", "order");
    ml_gen_end(g);
}

void ml_gen_immunisation(struct gen *g, const char *atc, const struct ml_object_id *patient,
                         int64_t when_ms, const struct ml_object_id *by)
{
    static const char *const sites[] = {"LA", "RA"};
    char lot[16];
    uint32_t draw = (uint32_t)(when_ms / DAY_MS) * 2654435761u;
    snprintf(lot, sizeof(lot), "%c%c%04u", 'A' + (char)(draw % 26), 'A' + (char)(draw / 26 % 26),
             draw / 676 % 10000);
    ml_gen_begin(g, "immunisation", patient, when_ms);
    ml_gen_author(g, by);
    ml_gen_concept(g, "vaccine", atc, NULL);
    ml_gen_code(g, "status", "completed");
    ml_gen_time(g, "given_at", when_ms);
    ml_gen_text(g, "lot", lot);
    ml_gen_code(g, "site", sites[draw % 2]);
    ml_gen_code(g, "route", "20035000");
    ml_gen_ref(g, "performers", by);
    ml_gen_bool(g, "primary_source", true);
    ml_gen_end(g);
}

/* Some day between `days_from` and `days_to` before today, at working hours. */
static int64_t past_ms(const struct gen *g, struct gen_rng *rng, int days_from, int days_to)
{
    uint32_t day = g->args->day - (uint32_t)gen_between(rng, days_from, days_to);
    return ml_gen_day_ms(day) + gen_between(rng, 8 * 60, 18 * 60) * INT64_C(60000);
}

static void gen_problem(struct gen *g, struct gen_rng *rng, uint32_t condition,
                        const struct ml_object_id *patient, const struct ml_object_id *doctor)
{
    const struct gen_condition *c = &ml_gen_conditions[condition];
    int64_t since = past_ms(g, rng, 200, 3600);
    ml_gen_begin(g, "problem", patient, since);
    ml_gen_author(g, doctor);
    ml_gen_concept(g, "code", c->icd, NULL);
    ml_gen_code(g, "kind", "actif");
    ml_gen_code(g, "clinical_status", "active");
    ml_gen_code(g, "verification", "confirmed");
    ml_gen_time(g, "onset", since);
    ml_gen_code(g, "chronicity", "chronique");
    ml_gen_bool(g, "long_term_illness", c->long_term);
    ml_gen_end(g);
    for (int d = 0; d < 2; d++) {
        if (c->drugs[d] >= 0 && gen_chance(rng, d == 0 ? 90 : 45)) {
            int64_t renewed = past_ms(g, rng, 5, 90);
            ml_gen_treatment(g, ml_gen_drug(c->drugs[d]), patient, renewed, doctor);
        }
    }
}

static void gen_problems(struct gen *g, struct gen_rng *rng, const struct gen_person *p,
                         const struct ml_object_id *patient, const struct ml_object_id *doctor)
{
    for (uint32_t i = 0; i < GEN_CONDITIONS; i++) {
        if ((p->conditions >> i & 1u) != 0) {
            gen_problem(g, rng, i, patient, doctor);
        }
    }
}

struct allergen {
    const char *text;
    const char *uri;
    const char *code;
    const char *category;
    const char *reaction;
    const char *criticality;
};

static void gen_allergy_known(struct gen *g, struct gen_rng *rng,
                              const struct ml_object_id *patient, const struct ml_object_id *doctor)
{
    static const struct allergen rows[] = {
        {"amoxicilline", "http://www.whocc.no/atc", "J01CA04", "medication", "urticaire", "high"},
        {"ibuprofène", "http://www.whocc.no/atc", "M01AE01", "medication", "bronchospasme", "high"},
        {"codéine", "http://www.whocc.no/atc", "R05DA04", "medication", "vomissements", "low"},
        {"cotrimoxazole", "http://www.whocc.no/atc", "J01EE01", "medication", "éruption étendue",
         "high"},
        {"arachide", "", "arachide", "food", "œdème des lèvres", "high"},
        {"venin de guêpe", "", "guepe", "environment", "malaise", "high"},
        {"pollens de graminées", "", "graminees", "environment", "rhinite", "low"},
        {"latex", "", "latex", "environment", "eczéma de contact", "low"},
        {"iode (produit de contraste)", "http://www.whocc.no/atc", "V08AB", "medication",
         "érythème", "unable-to-assess"},
    };
    const struct allergen *a = &rows[gen_below(rng, sizeof(rows) / sizeof(rows[0]))];
    int64_t when = past_ms(g, rng, 100, 3000);
    ml_gen_begin(g, "allergy", patient, when);
    ml_gen_author(g, doctor);
    put_coded(ml_gen_raw(g, "agent"), a->text, a->uri, a->code);
    ml_gen_code(g, "assertion", "known");
    ml_gen_code(g, "verification", gen_chance(rng, 80) ? "confirmed" : "unconfirmed");
    ml_gen_code(g, "status", "active");
    ml_gen_code(g, "type", "allergy");
    ml_gen_codes(g, "categories", a->category);
    ml_gen_code(g, "criticality", a->criticality);
    ml_gen_concept(g, "reactions", NULL, a->reaction);
    ml_gen_time(g, "recorded_at", when);
    ml_gen_end(g);
}

/* A third has an allergy, a half none known, the others were never asked: three displays. */
static void gen_allergies(struct gen *g, struct gen_rng *rng, const struct ml_object_id *patient,
                          const struct ml_object_id *doctor)
{
    uint32_t dice = gen_below(rng, 100);
    if (dice < 28) {
        gen_allergy_known(g, rng, patient, doctor);
        if (dice < 7) {
            gen_allergy_known(g, rng, patient, doctor);
        }
        return;
    }
    if (dice >= 85) {
        return;
    }
    int64_t when = past_ms(g, rng, 30, 900);
    ml_gen_begin(g, "allergy", patient, when);
    ml_gen_author(g, doctor);
    ml_gen_code(g, "assertion", dice < 76 ? "none-known" : "not-asked");
    ml_gen_time(g, "recorded_at", when);
    ml_gen_end(g);
}

static void gen_vaccinations(struct gen *g, struct gen_rng *rng, const struct gen_person *p,
                             const struct ml_object_id *patient, const struct ml_object_id *nurse)
{
    if (p->age < 2) {
        ml_gen_immunisation(g, "J07CA09", patient, past_ms(g, rng, 30, 300), nurse);
        return;
    }
    ml_gen_immunisation(g, p->age < 18 ? "J07CA02" : "J07CA01", patient, past_ms(g, rng, 200, 3600),
                        nurse);
    if (p->age < 18) {
        ml_gen_immunisation(g, "J07BD52", patient, past_ms(g, rng, 400, 700), nurse);
    }
    if (p->age >= 65 && gen_chance(rng, 60)) {
        ml_gen_immunisation(g, "J07BB", patient, past_ms(g, rng, 100, 150), nurse);
        ml_gen_immunisation(g, "J07BN", patient, past_ms(g, rng, 100, 150), nurse);
    }
}

/* The person to call: of the same household, or a child who bears the birth name. */
static void gen_relative(struct gen *g, struct gen_rng *rng, const struct gen_person *p,
                         const struct ml_object_id *patient)
{
    static const char *const old_kin[] = {"DAU", "SON", "NBOR", "SIS"};
    static const char *const adult_kin[] = {"HUSB", "WIFE", "DOMPART", "SIS", "BRO"};
    bool female = gen_chance(rng, 55);
    const char *kin = p->age < 18   ? (female ? "MTH" : "FTH")
                      : p->age > 70 ? old_kin[gen_below(rng, 4)]
                                    : adult_kin[gen_below(rng, 5)];
    char name[160];
    char phone[GEN_PHONE_SIZE];
    snprintf(name, sizeof(name), "%s %s", ml_gen_given_name(rng, female, p->year + 25),
             p->used_name[0] != '\0' ? p->used_name : p->birth_name);
    ml_gen_phone(rng, true, phone);
    ml_gen_begin(g, "contact", patient, 0);
    ml_gen_text(g, "name", name);
    ml_gen_codes(g, "relations", kin);
    ml_gen_codes(g, "kinds",
                 p->age < 18           ? "urgence|representant"
                 : gen_chance(rng, 40) ? "urgence|confiance"
                                       : "urgence");
    struct ml_buf *out = ml_gen_raw(g, "telecoms");
    if (out != NULL) {
        struct ml_contact contact = {.medium = ml_slice_str("phone"),
                                     .value = ml_slice_str(phone),
                                     .use = ml_slice_str("mobile"),
                                     .rank = 1};
        ml_mp_put_array(out, 1);
        ml_err err = ml_contact_encode(out, &contact);
        g->err = g->err != ML_OK ? g->err : err;
    }
    ml_gen_end(g);
}

void ml_gen_history(struct gen *g, const struct gen_person *p, const struct ml_object_id *patient)
{
    struct gen_rng rng = gen_stream(g->args->seed, GEN_CARE, p->number);
    struct ml_object_id doctor = ml_gen_team_id(g->args, p->number % 12);
    struct ml_object_id nurse = ml_gen_team_id(g->args, 12 + p->number % 14);
    if (p->age < 18 || p->age > 70 || gen_chance(&rng, 30)) {
        gen_relative(g, &rng, p, patient);
    }
    gen_problems(g, &rng, p, patient, &doctor);
    gen_allergies(g, &rng, patient, &doctor);
    gen_vaccinations(g, &rng, p, patient, &nurse);
}
