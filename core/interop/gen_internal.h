/* core/interop/gen_internal.h -- what the parts of the generator share. Not for others.
 *
 *   gen.c          the two entries: team, population, day
 *   gen_person.c   who a patient is
 *   gen_object.c   how an object is written
 *   gen_care.c     problems, treatments, allergies, vaccinations
 *   gen_contact.c  consultations, visits, sessions, laboratory results
 *   gen_names.c gen_places.c gen_tables.c   lists
 */
#ifndef ML_INTEROP_GEN_INTERNAL_H
#define ML_INTEROP_GEN_INTERNAL_H

#include "core/interop/gen.h"

/* ---- chance ---- */

struct gen_rng {
    uint64_t state; /* splitmix64 */
};

static inline uint64_t gen_next(struct gen_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. bound-1; bound > 0. */
static inline uint32_t gen_below(struct gen_rng *rng, uint32_t bound)
{
    return (uint32_t)((gen_next(rng) >> 32) * bound >> 32);
}

static inline int gen_between(struct gen_rng *rng, int low, int high)
{
    return low + (int)gen_below(rng, (uint32_t)(high - low + 1));
}

static inline bool gen_chance(struct gen_rng *rng, uint32_t percent)
{
    return gen_below(rng, 100) < percent;
}

/* A stream of its own for each thing, so that adding one changes no other. */
static inline struct gen_rng gen_stream(uint64_t seed, uint32_t kind, uint32_t number)
{
    struct gen_rng rng = {seed ^ (uint64_t)kind << 32 ^ number};
    rng.state = gen_next(&rng) ^ (uint64_t)number << 20 ^ kind;
    return rng;
}

enum gen_kind { GEN_PERSON = 1, GEN_TEAM, GEN_CARE, GEN_PAST, GEN_DAY, GEN_TWIN };

/* ---- lists ---- */

struct gen_place {
    const char *insee;
    const char *name;
    const char *postal; /* NULL: nobody lives there */
};

const char *ml_gen_given_name(struct gen_rng *rng, bool female, int birth_year);
const char *ml_gen_surname(struct gen_rng *rng);
const struct gen_place *ml_gen_home(struct gen_rng *rng);
const struct gen_place *ml_gen_birth_place(struct gen_rng *rng);
const char *ml_gen_street(struct gen_rng *rng);
const char *ml_gen_access_note(struct gen_rng *rng);

struct gen_drug {
    const char *atc;
    const char *label;
    const char *dose;
    const char *unit;
    const char *route;   /* EDQM */
    const char *moments; /* "MORN|EVE" or "" */
    int frequency;       /* a day */
    const char *posology;
};

struct gen_condition {
    const char *icd;
    int age_min;
    int percent;
    int sex;               /* 0 both, 1 men, 2 women */
    int drugs[2];          /* into the drugs, or -1 */
    bool long_term;        /* an ALD: 100 % covered */
    const char *follow_up; /* the note of a consultation for it */
};

/* A short illness: why they come, what is found, what is done. */
struct gen_complaint {
    const char *reason; /* CISP-2 */
    const char *icd;    /* or NULL */
    const char *said;
    const char *found;
    const char *concluded;
    const char *planned;
    int drug; /* or -1 */
};

/* What nurses and other auxiliaries do at home or in their rooms. */
struct gen_session {
    const char *title;
    const char *data;
    const char *action;
    const char *result;
};

#define GEN_CONDITIONS 20u
extern const struct gen_condition ml_gen_conditions[GEN_CONDITIONS];
const struct gen_drug *ml_gen_drug(int number);
const struct gen_complaint *ml_gen_complaint(struct gen_rng *rng, int age);
const struct gen_session *ml_gen_session(struct gen_rng *rng, const char *profession);

/* ---- people ---- */

#define GEN_PHONE_SIZE 16

struct gen_person {
    uint32_t number;
    bool female;
    bool twin;    /* of the one before or behind */
    bool homonym; /* has the names of an earlier one */
    int birth_order;
    const char *birth_name;
    const char *given[3];
    int given_count;
    char used_name[96]; /* "" when it is the birth name */
    int year;
    int month;                    /* 0: unknown */
    int day;                      /* 0: unknown */
    const struct gen_place *born; /* NULL: nobody knows */
    const struct gen_place *home;
    char street[80];
    char phone[GEN_PHONE_SIZE];
    char ins[16]; /* "" when the status has none */
    const char *status;
    const char *comment; /* identity attribute, or NULL */
    int age;             /* years, at args->day */
    uint32_t conditions; /* one bit a row of ml_gen_conditions */
    int height_cm;
    int weight_kg;
};

void ml_gen_person(const struct ml_gen_args *args, uint32_t number, struct gen_person *out);

void ml_gen_phone(struct gen_rng *rng, bool mobile, char out[GEN_PHONE_SIZE]);

/* ---- objects ---- */

#define GEN_FIELDS_MAX 32u

struct gen_slot {
    uint16_t field;
    size_t at;
    size_t len;
};

struct gen {
    const struct ml_gen_args *args;
    ml_err err; /* the first one sticks; nothing is handed out after it */
    uint32_t index;
    uint32_t count;
    uint32_t serial; /* numbers the objects of one patient or day, for their ids */
    uint32_t scope;  /* what `serial` counts in */
    struct ml_import_object object;
    struct gen_slot slots[GEN_FIELDS_MAX];
    size_t slot_count;
    struct ml_buf bytes; /* the fields' values, one behind the other */
    struct ml_buf map;
};

/* Midnight in France of a day, as UTC milliseconds. */
int64_t ml_gen_day_ms(uint32_t day);
void ml_gen_civil(uint32_t day, int *year, int *month, int *day_of_month);

struct ml_object_id ml_gen_team_id(const struct ml_gen_args *args, uint32_t member);
struct ml_object_id ml_gen_patient_id(const struct ml_gen_args *args, uint32_t number);
struct ml_object_id ml_gen_site_id(const struct ml_gen_args *args);

/* Starts an object of `patient` (zero: the structure's) at a time of care (0: none). */
void ml_gen_begin(struct gen *g, const char *entity, const struct ml_object_id *patient,
                  int64_t effective_ms);
/* Gives it its final id instead of the next one of its patient. */
void ml_gen_set_id(struct gen *g, const struct ml_object_id *id);
void ml_gen_author(struct gen *g, const struct ml_object_id *professional);
/* Each writes one field by name; a field that the schema hasn't is left out. */
void ml_gen_text(struct gen *g, const char *field, const char *text);
void ml_gen_texts(struct gen *g, const char *field, const char *const *texts, size_t count);
void ml_gen_bool(struct gen *g, const char *field, bool value);
void ml_gen_int(struct gen *g, const char *field, int64_t value);
void ml_gen_date(struct gen *g, const char *field, const char *date);
void ml_gen_decimal(struct gen *g, const char *field, const char *value);
void ml_gen_code(struct gen *g, const char *field, const char *code);
/* Codes of the field's list, "A|B", as a list. */
void ml_gen_codes(struct gen *g, const char *field, const char *codes);
/* A concept of the field's list, or free text when the code is NULL. */
void ml_gen_concept(struct gen *g, const char *field, const char *code, const char *text);
void ml_gen_quantity(struct gen *g, const char *field, const char *number, const char *unit);
void ml_gen_time(struct gen *g, const char *field, int64_t utc_ms);
void ml_gen_period(struct gen *g, const char *field, int64_t from_ms, int64_t to_ms);
void ml_gen_ref(struct gen *g, const char *field, const struct ml_object_id *id);
/* Appends one raw value to the field (drug codes, addresses, components). */
struct ml_buf *ml_gen_raw(struct gen *g, const char *field);
/* Hands it out; returns its id. */
struct ml_object_id ml_gen_end(struct gen *g);

/* ---- care ---- */

void ml_gen_history(struct gen *g, const struct gen_person *p, const struct ml_object_id *patient);
/* A line of treatment that began at `when_ms`. */
void ml_gen_treatment(struct gen *g, const struct gen_drug *drug,
                      const struct ml_object_id *patient, int64_t when_ms,
                      const struct ml_object_id *prescriber);
void ml_gen_immunisation(struct gen *g, const char *atc, const struct ml_object_id *patient,
                         int64_t when_ms, const struct ml_object_id *by);

/* ---- contacts ---- */

struct gen_contact {
    const struct gen_person *person;
    struct ml_object_id patient;
    uint32_t member; /* of the team */
    int64_t when_ms;
    struct gen_rng rng;
};

const char *ml_gen_profession(uint32_t member);
/* What a member of that profession does with that patient. */
void ml_gen_contact(struct gen *g, struct gen_contact *contact);
/* A laboratory's results, with their report. */
void ml_gen_laboratory(struct gen *g, struct gen_contact *contact);

#endif
