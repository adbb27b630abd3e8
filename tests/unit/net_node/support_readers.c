/* support_readers.c -- see support_readers.h. What is drawn. */
#include "support_readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/codec/govop.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "support_request.h"

enum { FOUNDER = 0, DOCTOR = 10, UNNAMED = 777 };

const struct reader_kind reader_kinds[] = {
    {"contact", 1, 1},    {"allergy", 4, 2},        {"problem", 5, 3},    {"treatment", 7, 3},
    {"report", 8, 3},     {"note", 9, 3},           {"care_note", 10, 4}, {"document", 13, 7},
    {"care_plan", 15, 6}, {"sensitive_note", 6, 8}, {NULL, 0, 0},
};
/* What is drawn: who wants a sensitive one says so. */
enum { KINDS = sizeof(reader_kinds) / sizeof(reader_kinds[0]) - 2 };

/* Numbers of docs/habilitation.md, and one that no matrix names. */
static const int roles[] = {10,  21,  40,  41,  50,  60,  70,  80,  93,
                            330, 331, 332, 777, 901, 902, 903, 904, 905};
enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

uint64_t readers_below(struct readers *r, uint64_t n)
{
    r->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = r->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

static bool draw(struct readers *r, unsigned percent)
{
    return readers_below(r, 100) < percent;
}

static struct ml_org *founder(struct readers *r)
{
    return r->c.nodes[FOUNDER].node->orgs;
}

void readers_settle(struct readers *r)
{
    for (unsigned n = 0; n < READERS; n++) {
        if (!r->members[n].absent && r->c.nodes[n].node != NULL && r->c.nodes[n].has_identity) {
            story_synced(&r->c, n);
        }
    }
    cluster_run(&r->c, 90000);
}

/* ---- the matrix ---- */

/* Of reading: what a letter of docs/habilitation.md stands for. */
static const struct {
    const char *letters;
    uint8_t reads;
} cells[] = {{"W", 3}, {"w", 1}, {"R", 3}, {"r", 2},  {"o", 1},  {"p", 1},
             {"f", 0}, {"i", 0}, {"-", 0}, {"or", 2}, {"fi", 0}, {"-", 0}};

/* The column of doctors: the founder is one, who can't raise himself. */
static const char *const doctors[READER_CLASSES] = {"W",  "W",  "W", "W", "W",  "W", "W", "W",
                                                    "oR", "Ro", "R", "W", "Ro", "W", "W", "Ro",
                                                    "r",  "o",  "p", "R", "-",  "p", "R", "W"};

static uint8_t reads_of(const char *letters)
{
    uint8_t reads = 0;
    for (; *letters != '\0'; letters++) {
        const uint8_t one = strchr("WR", *letters) != NULL ? 3 : *letters == 'r' ? 2 : 1;
        const bool none = strchr("fi-", *letters) != NULL;
        reads = !none && one > reads ? one : reads;
    }
    return reads;
}

/* Whoever reads anything reads who the patient is: without, he neither knows of him nor hears what
 * he decides, and would undo it. */
static void cell_draw(struct readers *r, struct story_request *q, int role, unsigned class)
{
    enum { READS = 2, NOTHING = 8, BREAK_GLASS = 23 };
    char text[32];
    unsigned at = class == 1 ? READS : (unsigned)readers_below(r, sizeof(cells) / sizeof(cells[0]));
    if (r->shuts && class == BREAK_GLASS && draw(r, 80)) {
        at = NOTHING; /* who breaks glasses reads nearly all: few do */
    }
    snprintf(text, sizeof(text), "%d:%u=%s", role, class, cells[at].letters);
    ml_args_text(q->args, text);
    ML_ASSERT(reads_of(cells[at].letters) == cells[at].reads);
    r->cells[role][class] = cells[at].reads;
}

static unsigned row_draw(struct readers *r, struct story_request *q, int role, unsigned percent)
{
    unsigned drawn = 0;
    for (unsigned class = 1; class <= READER_CLASSES; class ++) {
        if (draw(r, percent)) {
            cell_draw(r, q, role, class);
            drawn++;
        }
    }
    return drawn;
}

/* Also of what holds for a moment only, between two decisions: somebody may hand keys then. */
static void breaks_note(struct readers *r)
{
    for (unsigned m = 0; m < READERS; m++) {
        r->breaks[m] |= (unsigned)readers_breaks(r, m) << r->round;
    }
}

/* Every cell of each role but the doctors', or some. */
static void matrix_draw(struct readers *r, unsigned percent)
{
    struct story_request q;
    unsigned drawn = 0;
    story_ask(&q);
    ml_args_key(q.args, "set");
    ml_args_list(q.args);
    for (unsigned i = 0; i < ROLES; i++) {
        if (roles[i] != DOCTOR && roles[i] != UNNAMED) {
            drawn += row_draw(r, &q, roles[i], percent);
        }
    }
    ml_args_end(q.args);
    if (drawn > 0) {
        story_must(&q, story_send(&q, &r->c, FOUNDER, "matrix.set"), "matrix.set");
    }
    story_end(&q);
}

static void matrix_begin(struct readers *r)
{
    struct story_request q;
    story_ask(&q);
    story_must(&q, story_send(&q, &r->c, FOUNDER, "right.adopt"), "right.adopt");
    story_end(&q);
    for (unsigned class = 1; class <= READER_CLASSES; class ++) {
        r->cells[DOCTOR][class] = reads_of(doctors[class - 1]);
    }
    r->ruled = true;
    matrix_draw(r, 100);
}

/* ---- members ---- */

static void govern(struct readers *r, struct ml_govop *op)
{
    bool counts = false;
    ml_err err = ml_govern_say(founder(r), op, false, &counts);
    ML_ASSERT(err == ML_OK && counts);
}

static void teams_begin(struct readers *r)
{
    const struct ml_fact *first = ml_gov_next(ml_log_gov(founder(r)->log), ML_FACT_TEAM, NULL);
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    ML_ASSERT(first != NULL);
    memcpy(r->team[0], first->team.b, sizeof(r->team[0]));
    for (unsigned i = 0; i < sizeof(r->team[1]); i++) {
        r->team[1][i] = (uint8_t)readers_below(r, 256);
    }
    memcpy(op.u.team_add.team.b, r->team[1], sizeof(r->team[1]));
    govern(r, &op);
    ml_err err = ml_keys_ready(founder(r), ML_KEYS_ALL);
    ML_ASSERT(err == ML_OK);
}

static void grant_say(struct readers *r, const struct reader *m, const struct reader_grant *g)
{
    struct ml_govop op = {.type = ML_GOVOP_ROLE_GRANT, .must_understand = true};
    struct ml_role_grant *out = &op.u.role_grant;
    struct ml_team_id teams[READER_TEAMS];
    const bool swapped = memcmp(r->team[0], r->team[1], sizeof(r->team[0])) > 0;
    ml_err err = ml_hex_decode(out->member.b, sizeof(out->member.b), m->id, strlen(m->id));
    ML_ASSERT(err == ML_OK);
    out->role = (uint16_t)g->role;
    for (unsigned i = 0; i < READER_TEAMS; i++) {
        const unsigned t = swapped ? READER_TEAMS - 1 - i : i;
        if ((g->teams >> t & 1u) != 0) {
            memcpy(teams[out->teams.count++].b, r->team[t], sizeof(r->team[t]));
        }
    }
    out->teams.items = out->teams.count > 0 ? teams : NULL;
    out->until_ms = g->ended ? r->c.fake.wall_ms : 0;
    govern(r, &op);
}

/* A role that he has, or had, ends, or is had in other teams. */
static struct reader_grant grant_again(struct readers *r, const struct reader_grant *had)
{
    struct reader_grant g = *had;
    if (draw(r, 50)) {
        g.ended = true;
        return g;
    }
    const unsigned one =
        had->teams == 1 || had->teams == 2 ? 3 - had->teams : 1 + (unsigned)readers_below(r, 2);
    g.teams = draw(r, 80) ? one : 0; /* mostly less than he had */
    g.ended = false;
    r->moved += !had->ended;
    return g;
}

/* One role more, one less, or one for other teams. A role that he has is given anew in its place:
 * nothing of what was said of it before holds. */
static void grant_draw(struct readers *r, unsigned member)
{
    struct reader *m = &r->members[member];
    struct reader_grant g = {.role = roles[readers_below(r, ROLES)],
                             .teams = (unsigned)readers_below(r, 1u << READER_TEAMS)};
    unsigned at = 0;
    if (m->grant_count > 0 && draw(r, 60)) {
        at = (unsigned)readers_below(r, m->grant_count);
        g = grant_again(r, &m->grants[at]);
    }
    for (at = 0; at < m->grant_count && m->grants[at].role != g.role; at++) {
    }
    if (at < READER_GRANTS) {
        m->grants[at] = g;
        m->grant_count += at == m->grant_count;
        grant_say(r, m, &g);
    }
}

static void member_begin(struct readers *r, unsigned n, unsigned late)
{
    char name[32];
    struct reader *m = &r->members[n];
    m->base = roles[readers_below(r, ROLES)];
    m->rank = n == 1 ? 2 : 3;
    snprintf(name, sizeof(name), "Membre %u", n);
    story_member(&r->c, FOUNDER, name, (const int[]){m->base, m->rank}, m->id);
    for (unsigned i = 0; i < 3 && draw(r, 50); i++) {
        grant_draw(r, n);
    }
    m->absent = n == late;
    if (!m->absent) {
        story_enrol(&r->c, FOUNDER, n, m->id);
    }
}

static void member_call(struct readers *r, unsigned member, const char *method)
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "member", r->members[member].id);
    story_must(&q, story_send(&q, &r->c, FOUNDER, method), method);
    story_end(&q);
}

void readers_revoke(struct readers *r, unsigned member)
{
    struct reader *m = &r->members[member];
    for (unsigned n = 0; n < READERS; n++) {
        cluster_cut(&r->c, member, n, true);
    }
    m->absent = true;
    m->gone = true;
    m->last = r->round;
    member_call(r, member, "member.revoke");
    readers_settle(r);
}

static void founder_begin(struct readers *r)
{
    struct story_request q;
    struct reader *m = &r->members[FOUNDER];
    story_ask(&q);
    story_must(&q, story_send(&q, &r->c, FOUNDER, "member.list"), "member.list");
    const struct ml_value *one = ml_value_at(story_get(&q, "members"), 0);
    snprintf(m->id, sizeof(m->id), "%s", ml_value_text(ml_value_get(one, "member"), ""));
    m->base = (int)ml_value_int(ml_value_get(one, "role"), 0);
    m->rank = 1;
    story_end(&q);
    ML_ASSERT(m->base == DOCTOR);
}

/* ---- patients ---- */

/* In the second team too, as a member who holds both teams' keys would. */
static void patient_share(struct readers *r, struct reader_patient *p)
{
    struct ml_keys keys;
    struct ml_object_id id;
    struct ml_team_id team;
    struct ml_org *org = founder(r);
    memcpy(team.b, r->team[1], sizeof(team.b));
    ml_err err = ml_hex_decode(id.b, sizeof(id.b), p->id, strlen(p->id));
    ML_ASSERT(err == ML_OK);
    ml_keys_init(&keys, org->node->env);
    err = ml_keyring_make_open(ml_session_keyring(org), &id, &team, ml_keys_emit, &keys);
    err = err == ML_OK ? ml_keys_append(org, &keys) : err;
    ML_ASSERT(err == ML_OK);
    ml_keys_free(&keys);
    p->teams |= 2;
}

static void patient_begin(struct readers *r)
{
    struct reader_patient *p = &r->patients[r->patient_count++];
    story_patient(&r->c, FOUNDER, p->id);
    p->teams = 1;
    p->round = r->round;
    if (draw(r, 50)) {
        patient_share(r, p);
    }
    if (r->shuts && draw(r, 40)) {
        struct story_request q;
        story_ask(&q);
        story_put(&q, "patient", p->id);
        ml_args_key(q.args, "emergency");
        ml_args_bool(q.args, true);
        story_must(&q, story_send(&q, &r->c, FOUNDER, "consent.oppose"), "consent.oppose");
        story_end(&q);
        p->shut = true;
    }
}

/* ---- what they decide ---- */

static bool is_same_place(const struct reader_said *a, const struct reader_said *b)
{
    return a->audience != FOR_ALL_BUT && a->audience == b->audience && a->whom == b->whom &&
           a->part == b->part && a->number == b->number;
}

static bool audience_draw(struct readers *r, struct reader_said *s)
{
    s->audience = (reader_audience)readers_below(r, 4);
    if (s->audience == FOR_ALL_BUT) { /* never about who takes it down */
        s->whom = 1u << FOUNDER | (unsigned)readers_below(r, 1u << READERS);
    } else if (s->audience == FOR_PROFESSION) {
        s->whom = (unsigned)roles[readers_below(r, ROLES)];
    } else if (s->audience == FOR_TEAM) {
        s->whom = (unsigned)readers_below(r, READER_TEAMS);
    } else {
        s->whom = 1 + (unsigned)readers_below(r, READERS - 1);
    }
    if (s->audience == FOR_PERSON && r->members[s->whom].absent) {
        return false;
    }
    return !s->opposes ||
           !(s->audience == FOR_TEAM || (s->audience == FOR_PROFESSION && s->whom == DOCTOR));
}

static bool part_draw(struct readers *r, struct reader_said *s, unsigned patient)
{
    s->part = (reader_part)readers_below(r, 4);
    if (s->part == OF_OBJECT) {
        unsigned at = (unsigned)readers_below(r, r->item_count + 1);
        s->number = at;
        return at < r->item_count && r->items[at].patient == patient;
    }
    const struct reader_kind *k = &reader_kinds[1 + readers_below(r, KINDS - 1)];
    s->number = s->part == OF_COMPARTMENT ? k->compartment : s->part == OF_CLASS ? k->class : 0;
    return true;
}

static void except_put(const struct readers *r, struct story_request *q, unsigned members)
{
    ml_args_key(q->args, "except");
    ml_args_list(q->args);
    for (unsigned m = 0; m < READERS; m++) {
        if ((members >> m & 1u) != 0) {
            ml_args_text(q->args, r->members[m].id);
        }
    }
    ml_args_end(q->args);
}

static void audience_put(const struct readers *r, struct story_request *q,
                         const struct reader_said *s)
{
    char hex[40];
    if (s->audience == FOR_PROFESSION) {
        ml_args_key(q->args, "role");
        ml_args_int(q->args, (int)s->whom);
    } else if (s->audience == FOR_TEAM) {
        ml_hex_encode(hex, r->team[s->whom], sizeof(r->team[s->whom]));
        story_put(q, "team", hex);
    } else if (s->audience == FOR_PERSON) {
        story_put(q, "person", r->members[s->whom].id);
    } else {
        except_put(r, q, s->whom);
    }
}

static void part_put(const struct readers *r, struct story_request *q, const struct reader_said *s)
{
    static const char *const compartments[] = {"",       "admin", "vital",    "medical",  "care",
                                               "social", "rcp",   "document", "sensitive"};
    char number[16];
    snprintf(number, sizeof(number), "%u", s->number);
    if (s->part == OF_COMPARTMENT) {
        story_put(q, "compartment", compartments[s->number]);
    } else if (s->part == OF_CLASS) {
        story_put(q, "class", number);
    } else if (s->part == OF_OBJECT) {
        story_put(q, "object", r->items[s->number].object);
    }
}

static void say(struct readers *r, struct reader_patient *p, struct reader_said *s)
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "patient", p->id);
    audience_put(r, &q, s);
    part_put(r, &q, s);
    story_must(&q, story_send(&q, &r->c, FOUNDER, s->opposes ? "consent.oppose" : "consent.give"),
               "consent");
    snprintf(s->id, sizeof(s->id), "%s", ml_value_text(story_get(&q, "statement"), ""));
    story_end(&q);
    for (unsigned i = 0; i < p->said_count; i++) {
        p->said[i].holds = p->said[i].holds && !is_same_place(&p->said[i], s);
    }
    s->holds = true;
    p->said[p->said_count++] = *s;
}

static void withdraw(struct readers *r, struct reader_patient *p)
{
    struct story_request q;
    struct reader_said *s = &p->said[readers_below(r, p->said_count)];
    if (s->holds) {
        story_ask(&q);
        story_put(&q, "patient", p->id);
        story_put(&q, "statement", s->id);
        story_must(&q, story_send(&q, &r->c, FOUNDER, "consent.withdraw"), "consent.withdraw");
        story_end(&q);
        s->holds = false;
    }
}

static void decide(struct readers *r, unsigned patient)
{
    struct reader_patient *p = &r->patients[patient];
    if (p->said_count > 0 && draw(r, 25)) {
        withdraw(r, p);
    }
    for (unsigned i = 0; i < 4 && p->said_count < READER_SAID && draw(r, 75); i++) {
        struct reader_said s = {.opposes = draw(r, 65)};
        if (audience_draw(r, &s) && part_draw(r, &s, patient)) {
            say(r, p, &s);
        }
    }
}

/* ---- what is written ---- */

static void fields_put(struct story_request *q, const char *entity)
{
    static const struct {
        const char *entity, *field, *value;
    } fields[] = {
        {"contact", "name", "Jeanne MARTIN"},
        {"allergy", "assertion", "unable"},
        {"problem", "code", "Lombalgie"},
        {"treatment", "drug", "Ramipril"},
        {"report", "code", "Radiographie"},
        {"report", "examined_at", "2026-03-02"},
        {"note", "written_at", "2026-03-02"},
        {"note", "assessment", "Stable"},
        {"care_note", "written_at", "2026-03-02"},
        {"care_note", "data", "Pansement refait"},
        {"document", "title", "Courrier"},
        {"document", "written_at", "2026-03-02"},
        {"care_plan", "status", "active"},
        {"care_plan", "title", "Plaie chronique"},
        {"sensitive_note", "written_at", "2026-03-02"},
        {"sensitive_note", "text", "Sevrage"},
    };
    ml_args_key(q->args, "fields");
    ml_args_map(q->args);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].entity, entity) == 0) {
            story_put(q, fields[i].field, fields[i].value);
        }
    }
    ml_args_end(q->args);
}

bool readers_write(struct readers *r, unsigned patient, unsigned kind, unsigned author)
{
    struct story_request q;
    struct reader_item *item = &r->items[r->item_count];
    if (r->item_count == READER_ITEMS) {
        return false;
    }
    story_ask(&q);
    story_put(&q, "entity", reader_kinds[kind].entity);
    story_put(&q, "patient", r->patients[patient].id);
    fields_put(&q, reader_kinds[kind].entity);
    ml_err err = story_send(&q, &r->c, author, "record.add");
    if (err != ML_OK && author == FOUNDER && reader_kinds[kind].class != 11) {
        story_must(&q, err, reader_kinds[kind].entity);
    }
    r->refused += err != ML_OK;
    if (err == ML_OK) {
        *item = (struct reader_item){
            .patient = patient, .kind = kind, .author = author, .round = r->round};
        snprintf(item->object, sizeof(item->object), "%s",
                 ml_value_text(story_get(&q, "object"), ""));
        snprintf(item->version, sizeof(item->version), "%s",
                 ml_value_text(story_get(&q, "version"), ""));
        r->item_count++;
    }
    story_end(&q);
    return err == ML_OK;
}

/* Who holds the keys of one of the patient's teams alone seals for that one. */
static bool may_seal(const struct readers *r, unsigned author, const struct reader_patient *p,
                     unsigned kind)
{
    const unsigned compartment = reader_kinds[kind].compartment;
    return p->teams != 3 || (readers_entitled(r, author, 0, compartment) &&
                             readers_entitled(r, author, 1, compartment));
}

static void items_draw(struct readers *r)
{
    for (unsigned p = 0; p < r->patient_count; p++) {
        for (unsigned i = 0; i < 5; i++) {
            const unsigned kind = (unsigned)readers_below(r, KINDS);
            const unsigned other = (unsigned)readers_below(r, READERS);
            const bool seals = draw(r, 40) && !r->members[other].absent &&
                               may_seal(r, other, &r->patients[p], kind);
            (void)readers_write(r, p, kind, seals ? other : FOUNDER);
        }
    }
    readers_settle(r);
}

/* ---- rounds ---- */

static void compartment_note(struct readers *r, unsigned member, unsigned patient, unsigned x)
{
    const unsigned bit = r->round * 16 + x;
    r->entitled[member][patient] |= (uint64_t)readers_given(r, member, patient, x) << bit;
    r->sealed[member][patient] |= (uint64_t)readers_sealed_for(r, member, patient, x) << bit;
}

/* Whom keys are for is asked where it is decided: an item's round, and each later one. */
static void sealed_note(struct readers *r)
{
    breaks_note(r);
    for (unsigned i = 0; i < READERS * r->patient_count; i++) {
        for (unsigned x = 1; x <= READER_COMPARTMENTS; x++) {
            compartment_note(r, i % READERS, i / READERS, x);
        }
    }
}

void readers_join(struct readers *r, unsigned member, bool history)
{
    r->round++;
    story_enrol(&r->c, FOUNDER, member, r->members[member].id);
    r->members[member].absent = false;
    readers_settle(r);
    if (history) {
        member_call(r, member, "member.history");
        readers_settle(r);
    }
    sealed_note(r);
}

static void write_round(struct readers *r)
{
    readers_settle(r);
    sealed_note(r);
    items_draw(r);
}

void readers_begin(struct readers *r, uint64_t seed)
{
    readers_begin_without(r, seed, READERS);
}

void readers_begin_without(struct readers *r, uint64_t seed, unsigned late)
{
    memset(r, 0, sizeof(*r));
    r->random = seed;
    r->shuts = late < READERS;
    cluster_init(&r->c, seed);
    story_found(&r->c, FOUNDER);
    founder_begin(r);
    if (readers_below(r, 8) != 0) {
        matrix_begin(r);
    }
    teams_begin(r);
    for (unsigned n = 1; n < READERS; n++) {
        member_begin(r, n, late);
    }
    readers_settle(r);
    for (unsigned i = 0; i < 2; i++) {
        patient_begin(r);
        decide(r, i);
    }
    write_round(r);
}

void readers_again(struct readers *r)
{
    r->round++;
    if (r->ruled && draw(r, 60)) {
        matrix_draw(r, 5);
    }
    breaks_note(r);
    for (unsigned n = 1; n < READERS; n++) {
        if (draw(r, 60) && !r->members[n].absent) {
            grant_draw(r, n);
            breaks_note(r);
        }
    }
    readers_settle(r);
    patient_begin(r);
    for (unsigned p = 0; p < r->patient_count; p++) {
        decide(r, p);
    }
    write_round(r);
}

void readers_end(struct readers *r)
{
    cluster_free(&r->c);
}
