/* core/interop/gen_person.c -- who a patient of the invented population is.
 *
 * A person depends on the seed and the number alone, so that a day can call on patient 4,711
 * without making the 4,711 before. Twins and homonyms look at one other person, whose own draw
 * never looks further.
 */
#include <stdio.h>
#include <string.h>

#include "core/interop/gen_internal.h"

#define TWIN_PERCENT    2
#define HOMONYM_PERCENT 1

unsigned ml_nir_key(const char nir[13])
{
    unsigned rest = 0;
    for (size_t i = 0; i < 13; i++) {
        char c = nir[i];
        bool corsica = i == 6 && nir[5] == '2' && (c == 'A' || c == 'B');
        if (!corsica && (c < '0' || c > '9')) {
            return 0;
        }
        unsigned digit = corsica ? (c == 'A' ? 9u : 8u) : (unsigned)(c - '0');
        /* 2A counts as 19, 2B as 18: the '2' before it as a '1'. */
        bool before = i == 5 && c == '2' && (nir[6] == 'A' || nir[6] == 'B');
        rest = (rest * 10 + (before ? 1u : digit)) % 97;
    }
    return 97 - rest;
}

/* Ages as in a rural pôle: many are old. */
static int draw_age(struct gen_rng *rng)
{
    static const struct {
        int percent, low, high;
    } rows[] = {{5, 0, 2},    {12, 3, 15},  {15, 16, 35}, {22, 36, 55},
                {20, 56, 69}, {17, 70, 82}, {9, 83, 103}};
    int dice = (int)gen_below(rng, 100);
    size_t i = 0;
    while (i + 1 < sizeof(rows) / sizeof(rows[0]) && dice >= rows[i].percent) {
        dice -= rows[i++].percent;
    }
    return gen_between(rng, rows[i].low, rows[i].high);
}

static void draw_birth(struct gen_rng *rng, uint32_t today, struct gen_person *p)
{
    int age = draw_age(rng);
    uint32_t back = (uint32_t)age * 365u + (uint32_t)age / 4u + gen_below(rng, 365);
    int64_t day = (int64_t)today - back;
    /* Before 1970 the count of days is negative: by the 400 years after which dates repeat. */
    int shift = day < 0 ? 400 : 0;
    ml_gen_civil((uint32_t)(day + (day < 0 ? 146097 : 0)), &p->year, &p->month, &p->day);
    p->year -= shift;
    p->born = ml_gen_birth_place(rng);
    bool abroad = p->born->insee[0] == '9' && p->born->insee[1] == '9';
    if (abroad && gen_chance(rng, 12)) {
        p->day = 0;
        p->month = gen_chance(rng, 50) ? 0 : p->month;
    }
    if (gen_chance(rng, 1)) {
        p->born = NULL;
    }
}

static bool bears(const struct gen_person *p, const char *name, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(p->given[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void draw_given(struct gen_rng *rng, struct gen_person *p)
{
    int wanted = gen_between(rng, 1, 3);
    p->given_count = 0;
    for (int i = 0; i < wanted; i++) {
        const char *name = ml_gen_given_name(rng, p->female, p->year - (i > 0 ? 30 : 0));
        if (!bears(p, name, p->given_count)) {
            p->given[p->given_count++] = name;
        }
    }
}

/* A married name, two names joined, or the birth name. */
static void draw_used_name(struct gen_rng *rng, struct gen_person *p)
{
    uint32_t dice = gen_below(rng, 100);
    bool married = p->female && p->age >= 25 && dice < (p->year < 1970 ? 70u : 35u);
    p->used_name[0] = '\0';
    if (married) {
        snprintf(p->used_name, sizeof(p->used_name), "%s", ml_gen_surname(rng));
    } else if (p->age >= 25 && dice >= 95) {
        snprintf(p->used_name, sizeof(p->used_name), "%s-%s", p->birth_name, ml_gen_surname(rng));
    }
}

void ml_gen_phone(struct gen_rng *rng, bool mobile, char out[GEN_PHONE_SIZE])
{
    int pair[4];
    for (int i = 0; i < 4; i++) { /* one draw a statement: the order of arguments is free in C */
        pair[i] = gen_between(rng, i == 0 ? 10 : 0, 99);
    }
    snprintf(out, GEN_PHONE_SIZE, "0%d %02d %02d %02d %02d", mobile ? 6 : 5, pair[0], pair[1],
             pair[2], pair[3]);
}

static void draw_home(struct gen_rng *rng, struct gen_person *p)
{
    static const char *const bis[] = {"", "", "", "", "", "", " bis", " ter"};
    const char *street = ml_gen_street(rng);
    p->home = ml_gen_home(rng);
    if (strncmp(street, "le ", 3) == 0 || strncmp(street, "lieu-dit", 8) == 0) {
        snprintf(p->street, sizeof(p->street), "%s", street);
    } else {
        int number = gen_between(rng, 1, 120);
        snprintf(p->street, sizeof(p->street), "%d%s %s", number, bis[gen_below(rng, 8)], street);
    }
    ml_gen_phone(rng, gen_chance(rng, 55), p->phone);
}

static void draw_identity(struct gen_rng *rng, struct gen_person *p)
{
    static const char *const statuses[] = {"QUAL", "VALI", "RECUP", "PROV"};
    uint32_t dice = gen_below(rng, 100);
    uint32_t status = dice < 58 ? 0 : dice < 72 ? 1 : dice < 80 ? 2 : 3;
    p->status = statuses[status];
    p->ins[0] = '\0';
    bool recovered = status == 0 || status == 2;
    if (!recovered || p->born == NULL) {
        p->status = recovered ? "VALI" : p->status;
        return;
    }
    char nir[32];
    snprintf(nir, sizeof(nir), "%d%02d%02d%.5s%03d", p->female ? 2 : 1, p->year % 100,
             p->month == 0 ? 20 : p->month, p->born->insee, gen_between(rng, 1, 489));
    snprintf(p->ins, sizeof(p->ins), "%.13s%02u", nir, ml_nir_key(nir));
}

static void draw_body(struct gen_rng *rng, struct gen_person *p)
{
    int grown = p->female ? gen_between(rng, 150, 175) : gen_between(rng, 162, 190);
    p->height_cm = p->age >= 18 ? grown : 50 + (grown - 50) * (p->age + 1) / 19;
    int index = p->age >= 18 ? gen_between(rng, 19, 34) : gen_between(rng, 14, 20);
    p->weight_kg = index * p->height_cm * p->height_cm / 10000;
    for (uint32_t i = 0; i < GEN_CONDITIONS; i++) {
        const struct gen_condition *c = &ml_gen_conditions[i];
        bool sex = c->sex == 0 || (c->sex == 2) == p->female;
        bool has = gen_chance(rng, (uint32_t)c->percent);
        if (has && sex && p->age >= c->age_min) {
            p->conditions |= 1u << i;
        }
    }
}

static void set_age(uint32_t today, struct gen_person *p)
{
    int year = 0;
    int month = 0;
    int day = 0;
    ml_gen_civil(today, &year, &month, &day);
    p->age = year - p->year - (month < p->month || (month == p->month && day < p->day));
}

/* A person who looks at no other. */
static void draw_alone(const struct ml_gen_args *args, uint32_t number, struct gen_person *p)
{
    struct gen_rng rng = gen_stream(args->seed, GEN_PERSON, number);
    *p = (struct gen_person){.number = number, .female = gen_chance(&rng, 52)};
    draw_birth(&rng, args->day, p);
    set_age(args->day, p);
    p->birth_name = ml_gen_surname(&rng);
    draw_given(&rng, p);
    draw_used_name(&rng, p);
    draw_home(&rng, p);
    draw_identity(&rng, p);
    draw_body(&rng, p);
}

/* The younger twin: another first name, and an order of birth; never the same INS. */
static void become_twin(struct gen_rng *rng, const struct gen_person *elder, struct gen_person *p)
{
    p->twin = true;
    p->birth_order = 2;
    p->birth_name = elder->birth_name;
    p->year = elder->year;
    p->month = elder->month;
    p->day = elder->day;
    p->age = elder->age;
    p->born = elder->born;
    p->home = elder->home;
    memcpy(p->street, elder->street, sizeof(p->street));
    memcpy(p->phone, elder->phone, sizeof(p->phone));
    p->used_name[0] = '\0';
    p->conditions = 0;
    p->height_cm = elder->height_cm;
    p->weight_kg = elder->weight_kg;
    draw_given(rng, p);
    while (strcmp(p->given[0], elder->given[0]) == 0) {
        p->given[0] = ml_gen_given_name(rng, p->female, p->year);
    }
    draw_identity(rng, p);
}

static bool draws_twin(const struct ml_gen_args *args, uint32_t number)
{
    struct gen_rng rng = gen_stream(args->seed, GEN_TWIN, number);
    return number % 2 == 1 && gen_chance(&rng, TWIN_PERCENT);
}

/* The same birth name, first given name and sex as an earlier person; born another day. */
static void become_homonym(const struct ml_gen_args *args, struct gen_rng *rng,
                           struct gen_person *p)
{
    struct gen_person other;
    draw_alone(args, gen_below(rng, p->number), &other);
    p->homonym = true;
    p->female = other.female;
    p->birth_name = other.birth_name;
    p->given[0] = other.given[0];
    p->given_count = 1;
    p->used_name[0] = '\0';
    p->comment = "HOMD";
    draw_identity(rng, p);
}

void ml_gen_person(const struct ml_gen_args *args, uint32_t number, struct gen_person *out)
{
    struct gen_rng rng = gen_stream(args->seed, GEN_TWIN, number + ML_GEN_PATIENTS_MAX);
    draw_alone(args, number, out);
    if (number % 2 == 0 && number + 1 < args->patients && draws_twin(args, number + 1)) {
        out->twin = true;
        out->birth_order = 1;
    } else if (draws_twin(args, number)) {
        struct gen_person elder;
        draw_alone(args, number - 1, &elder);
        become_twin(&rng, &elder, out);
    } else if (number > 0 && gen_chance(&rng, HOMONYM_PERCENT)) {
        become_homonym(args, &rng, out);
    }
    if (out->comment == NULL && gen_chance(&rng, 1)) {
        out->comment = "DOUT";
        out->status = "PROV";
        out->ins[0] = '\0';
    }
}
