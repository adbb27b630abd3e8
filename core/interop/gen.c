/* core/interop/gen.c -- see gen.h.
 *
 * Happy path: the team first, so that all authors exist; then patients by number, each with his
 * history and past contacts; or the contacts of one day, in the order of the clock.
 *
 * Invariant: the n-th object of a patient or of a day has the same id and bytes whatever the number
 * of patients asked for, as long as he is among them (the last one's twin apart).
 */
#include "core/interop/gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/mp_write.h"
#include "core/codec/value.h"
#include "core/interop/gen_internal.h"

#define VALUES_MAX  16384u
#define MINUTE_MS   INT64_C(60000)
#define SCOPE_TEAM  UINT32_MAX
#define SCOPE_DAY   (UINT32_MAX - 1u)
#define DEFAULT_DAY 20514u /* 2026-03-02, a Monday */

/* ---- the team ---- */

static void gen_site(struct gen *g)
{
    struct ml_object_id id = ml_gen_site_id(g->args);
    ml_gen_begin(g, "organisation", NULL, 0);
    ml_gen_set_id(g, &id);
    ml_gen_text(g, "name", "Pôle de santé de la Haute-Corrèze");
    ml_gen_concept(g, "types", "SA52", NULL);
    ml_gen_bool(g, "active", true);
    struct ml_buf *out = ml_gen_raw(g, "addresses");
    if (out != NULL) {
        struct ml_slice line = ml_slice_str("12 avenue de Ventadour");
        ml_mp_put_array(out, 1);
        ml_mp_put_array(out, 7);
        ml_mp_put_str(out, ml_slice_str("work"));
        ml_mp_put_array(out, 1);
        ml_mp_put_str(out, line);
        ml_mp_put_str(out, ml_slice_str("19300"));
        ml_mp_put_str(out, ml_slice_str("Égletons"));
        ml_mp_put_str(out, ml_slice_str(""));
        ml_mp_put_str(out, ml_slice_str(""));
        ml_mp_put_str(out, ml_slice_str("FR"));
    }
    ml_gen_end(g);
}

static void gen_member(struct gen *g, uint32_t member)
{
    struct gen_rng rng = gen_stream(g->args->seed, GEN_TEAM, member);
    struct ml_object_id id = ml_gen_team_id(g->args, member);
    struct ml_object_id site = ml_gen_site_id(g->args);
    bool female = gen_chance(&rng, 60);
    const char *profession = ml_gen_profession(member);
    bool doctor = strcmp(profession, "10") == 0;
    const char *given = ml_gen_given_name(&rng, female, gen_between(&rng, 1960, 1998));
    const char *title = doctor ? "Dr" : female ? "Mme" : "M.";
    char rpps[16];
    snprintf(rpps, sizeof(rpps), "10%09u", gen_below(&rng, 1000000000u));
    ml_gen_begin(g, "professional", NULL, 0);
    ml_gen_set_id(g, &id);
    ml_gen_text(g, "family_name", ml_gen_surname(&rng));
    ml_gen_texts(g, "given_names", &given, 1);
    ml_gen_texts(g, "titles", &title, 1);
    if (strcmp(profession, "331") != 0 && strcmp(profession, "330") != 0) {
        ml_gen_text(g, "rpps", rpps);
    }
    ml_gen_code(g, "profession", profession);
    ml_gen_code(g, "exercise_mode", gen_chance(&rng, 85) ? "L" : "S");
    ml_gen_ref(g, "organisations", &site);
    ml_gen_bool(g, "active", true);
    ml_gen_end(g);
}

static void gen_team(struct gen *g)
{
    g->scope = SCOPE_TEAM;
    g->serial = 0;
    gen_site(g);
    for (uint32_t i = 0; i < ML_GEN_TEAM && g->err == ML_OK; i++) {
        gen_member(g, i);
    }
}

/* ---- patients ---- */

static void gen_birth(struct gen *g, const struct gen_person *p)
{
    char date[16];
    if (p->month == 0) {
        snprintf(date, sizeof(date), "%04d", p->year);
    } else if (p->day == 0) {
        snprintf(date, sizeof(date), "%04d-%02d", p->year, p->month);
    } else {
        snprintf(date, sizeof(date), "%04d-%02d-%02d", p->year, p->month, p->day);
    }
    ml_gen_date(g, "birth_date", date);
    struct ml_buf *out = ml_gen_raw(g, "birth_place");
    const struct ml_value_set *set = ml_schema_value_set(g->args->schema, "insee_place");
    if (out != NULL && set != NULL) {
        ml_mp_put_array(out, 3);
        ml_mp_put_str(out, ml_slice_str(set->system_uri));
        ml_mp_put_str(out, ml_slice_str(p->born != NULL ? p->born->insee : "99999"));
        ml_mp_put_str(out, ml_slice_str(p->born != NULL ? p->born->name : "inconnu"));
    }
}

static void gen_reach(struct gen *g, const struct gen_person *p)
{
    struct ml_buf *out = ml_gen_raw(g, "addresses");
    if (out != NULL) {
        ml_mp_put_array(out, 1);
        ml_mp_put_array(out, 7);
        ml_mp_put_str(out, ml_slice_str("home"));
        ml_mp_put_array(out, 1);
        ml_mp_put_str(out, ml_slice_str(p->street));
        ml_mp_put_str(out, ml_slice_str(p->home->postal));
        ml_mp_put_str(out, ml_slice_str(p->home->name));
        ml_mp_put_str(out, ml_slice_str(""));
        ml_mp_put_str(out, ml_slice_str(""));
        ml_mp_put_str(out, ml_slice_str("FR"));
    }
    out = ml_gen_raw(g, "telecoms");
    if (out != NULL) {
        bool mobile = p->phone[1] == '6';
        ml_mp_put_array(out, 1);
        ml_mp_put_array(out, 4);
        ml_mp_put_str(out, ml_slice_str("phone"));
        ml_mp_put_str(out, ml_slice_str(p->phone));
        ml_mp_put_str(out, ml_slice_str(mobile ? "mobile" : "home"));
        ml_mp_put_uint(out, 1);
    }
}

static void gen_identity(struct gen *g, const struct gen_person *p, const struct ml_object_id *id)
{
    struct gen_rng rng = gen_stream(g->args->seed, GEN_CARE, p->number + ML_GEN_PATIENTS_MAX);
    struct ml_object_id doctor = ml_gen_team_id(g->args, p->number % 12);
    ml_gen_begin(g, "patient", id, 0);
    ml_gen_set_id(g, id);
    ml_gen_text(g, "birth_name", p->birth_name);
    ml_gen_texts(g, "birth_given_names", p->given, (size_t)p->given_count);
    ml_gen_text(g, "first_birth_given_name", p->given[0]);
    ml_gen_text(g, "used_name", p->used_name[0] != '\0' ? p->used_name : NULL);
    ml_gen_text(g, "used_given_name",
                p->given_count > 1 && gen_chance(&rng, 8) ? p->given[1] : NULL);
    ml_gen_code(g, "sex", p->female ? "F" : "M");
    gen_birth(g, p);
    if (p->ins[0] != '\0') {
        ml_gen_text(g, "ins", p->ins);
        ml_gen_code(g, "ins_oid", "urn:oid:1.2.250.1.213.1.4.10");
    }
    ml_gen_code(g, "identity_status", p->status);
    if (p->comment != NULL) {
        ml_gen_codes(g, "identity_comments", p->comment);
    }
    ml_gen_code(g, "collection_method", p->ins[0] != '\0' ? "INSI" : "SM");
    if (strcmp(p->status, "QUAL") == 0 || strcmp(p->status, "VALI") == 0) {
        ml_gen_code(g, "identity_document", gen_chance(&rng, 80) ? "CN" : "PA");
    }
    gen_reach(g, p);
    if (p->age > 75 && gen_chance(&rng, 50)) {
        ml_gen_text(g, "access_notes", ml_gen_access_note(&rng));
    }
    if (p->twin) {
        ml_gen_bool(g, "multiple_birth", true);
        ml_gen_int(g, "birth_order", p->birth_order);
    }
    ml_gen_ref(g, "general_practitioner", &doctor);
    ml_gen_end(g);
}

/* Past contacts, the oldest first. */
static void gen_past(struct gen *g, const struct gen_person *p, const struct ml_object_id *id)
{
    uint32_t visits = g->args->visits;
    for (uint32_t i = 0; i < visits && g->err == ML_OK; i++) {
        struct gen_contact c = {.person = p, .patient = *id};
        c.rng = gen_stream(g->args->seed, GEN_PAST, p->number * ML_GEN_VISITS_MAX + i);
        uint32_t back = (visits - i) * 400u / visits - gen_below(&c.rng, 400u / visits + 1) / 2;
        bool nurse = p->age > 70 && gen_chance(&c.rng, 50);
        c.member = nurse ? 12 + p->number % 14 : p->number % 12;
        c.when_ms =
            ml_gen_day_ms(g->args->day - back) + gen_between(&c.rng, 8 * 60, 18 * 60) * MINUTE_MS;
        ml_gen_contact(g, &c);
    }
}

static void gen_patient(struct gen *g, uint32_t number)
{
    struct gen_person p;
    struct ml_object_id id = ml_gen_patient_id(g->args, number);
    ml_gen_person(g->args, number, &p);
    g->scope = number;
    g->serial = 0;
    g->index = number;
    gen_identity(g, &p, &id);
    ml_gen_history(g, &p, &id);
    gen_past(g, &p, &id);
}

/* ---- the day ---- */

struct slot {
    uint32_t minute; /* of the day */
    uint32_t member; /* of the team; ML_GEN_TEAM: the laboratory */
};

/* How many patients a member of the team sees, how long each takes, and when the day begins. */
struct timetable {
    const char *profession;
    uint32_t patients;
    uint32_t minutes;
    uint32_t start;
};

static const struct timetable timetables[] = {
    {"10", 23, 20, 8 * 60}, {"60", 22, 22, 6 * 60 + 30}, {"70", 15, 30, 8 * 60},
    {"50", 12, 30, 9 * 60}, {"21", 8, 45, 9 * 60},       {"91", 10, 45, 8 * 60 + 30},
    {"80", 12, 30, 9 * 60}, {"95", 9, 45, 9 * 60},       {"93", 8, 50, 9 * 60},
};

#define LAB_REPORTS   95u
#define DAY_SLOTS_MAX 1024u

static uint32_t add_slots(struct slot *slots, uint32_t count, uint32_t member)
{
    const char *profession = ml_gen_profession(member);
    for (size_t i = 0; i < sizeof(timetables) / sizeof(timetables[0]); i++) {
        const struct timetable *t = &timetables[i];
        for (uint32_t n = 0; strcmp(t->profession, profession) == 0 && n < t->patients; n++) {
            slots[count++] = (struct slot){t->start + n * t->minutes, member};
        }
    }
    return count;
}

static int slot_order(const void *a, const void *b)
{
    const struct slot *x = a;
    const struct slot *y = b;
    if (x->minute != y->minute) {
        return x->minute < y->minute ? -1 : 1;
    }
    return x->member < y->member ? -1 : x->member > y->member;
}

static uint32_t fill_day(struct slot *slots)
{
    uint32_t count = 0;
    for (uint32_t member = 0; member < ML_GEN_TEAM; member++) {
        count = add_slots(slots, count, member);
    }
    for (uint32_t i = 0; i < LAB_REPORTS; i++) {
        slots[count++] = (struct slot){13 * 60 + i * 2, ML_GEN_TEAM};
    }
    qsort(slots, count, sizeof(slots[0]), slot_order);
    return count;
}

static void gen_slot(struct gen *g, const struct slot *slot)
{
    struct gen_person p;
    struct gen_contact c = {.person = &p,
                            .member = slot->member,
                            .when_ms = ml_gen_day_ms(g->args->day) + slot->minute * MINUTE_MS};
    c.rng = gen_stream(g->args->seed, GEN_DAY, g->args->day * DAY_SLOTS_MAX + g->index);
    uint32_t number = gen_below(&c.rng, g->args->patients);
    ml_gen_person(g->args, number, &p);
    c.patient = ml_gen_patient_id(g->args, number);
    if (slot->member < ML_GEN_TEAM) {
        ml_gen_contact(g, &c);
    } else {
        c.member = number % 12; /* the prescriber */
        ml_gen_laboratory(g, &c);
    }
}

/* ---- public ---- */

static ml_err gen_open(struct gen *g, struct ml_gen_args *args, const struct ml_gen_args *given)
{
    *args = *given;
    args->day = given->day == 0 ? DEFAULT_DAY : given->day;
    if (args->patients == 0 || args->patients > ML_GEN_PATIENTS_MAX ||
        args->visits > ML_GEN_VISITS_MAX || args->day < 10000 || args->day > 100000) {
        return ML_E_INVALID;
    }
    *g = (struct gen){.args = args};
    ml_buf_init(&g->bytes, args->env, VALUES_MAX);
    ml_buf_init(&g->map, args->env, VALUES_MAX);
    return ML_OK;
}

static ml_err gen_close(struct gen *g)
{
    ml_buf_free(&g->map);
    ml_buf_free(&g->bytes);
    return g->err;
}

ml_err ml_gen_population(const struct ml_gen_args *args)
{
    struct gen g;
    struct ml_gen_args own;
    ml_err err = gen_open(&g, &own, args);
    if (err != ML_OK) {
        return err;
    }
    g.count = own.patients;
    gen_team(&g);
    for (uint32_t i = 0; i < own.patients && g.err == ML_OK; i++) {
        gen_patient(&g, i);
    }
    return gen_close(&g);
}

ml_err ml_gen_day(const struct ml_gen_args *args)
{
    struct gen g;
    struct ml_gen_args own;
    struct slot slots[DAY_SLOTS_MAX];
    ml_err err = gen_open(&g, &own, args);
    if (err != ML_OK) {
        return err;
    }
    g.count = fill_day(slots);
    g.scope = SCOPE_DAY - own.day;
    for (; g.index < g.count && g.err == ML_OK; g.index++) {
        gen_slot(&g, &slots[g.index]);
    }
    return gen_close(&g);
}
