/* support_readers_oracle.c -- who may read what, from what was drawn (support_readers.h). Each
 * function is a sentence of the documents that it names. */
#include "support_readers.h"

enum { ADMINISTRATOR = 904, ADMIN = 1, ANNUAIRE = 12 };

/* docs/habilitation.md, "The default": classes 4 to 15, 19 and 23 are clinical. */
static bool is_clinical(unsigned class)
{
    return (class >= 4 && class <= 15) || class == 19 || class == 23;
}

/* Domain 7.2, the compartments of matrix.h's rows as docs/protocol/bundle.md numbers them. */
static unsigned compartment_of(unsigned class)
{
    static const uint8_t of[READER_CLASSES + 1] = {0, 1, 1, 1, 2, 3,  8, 3, 3, 3,  4, 4, 3,
                                                   7, 5, 6, 9, 9, 10, 0, 0, 0, 11, 0, 12};
    return of[class];
}

/* "The administrator has nothing of clinical data, whatever the table says." */
static unsigned scope(const struct readers *r, int role, unsigned class)
{
    if (!r->ruled) {
        return 3;
    }
    return role == ADMINISTRATOR && is_clinical(class) ? 0 : r->cells[role][class];
}

static bool reads_any(const struct readers *r, int role, unsigned compartment)
{
    for (unsigned class = 1; class <= READER_CLASSES; class ++) {
        if (compartment_of(class) == compartment && scope(r, role, class) != 0) {
            return true;
        }
    }
    return !r->ruled;
}

/* Whoever was given any role works by these alone; a role that names teams is had there only. */
static bool works(const struct reader *m, unsigned grant, unsigned team)
{
    const struct reader_grant *g = &m->grants[grant];
    return !g->ended && (g->teams == 0 || (g->teams >> team & 1u) != 0);
}

bool readers_entitled(const struct readers *r, unsigned member, unsigned team, unsigned compartment)
{
    const struct reader *m = &r->members[member];
    if (m->absent || compartment == ANNUAIRE) {
        return !m->absent;
    }
    if (m->grant_count == 0) {
        return reads_any(r, m->base, compartment);
    }
    for (unsigned g = 0; g < m->grant_count; g++) {
        if (works(m, g, team) && reads_any(r, m->grants[g].role, compartment)) {
            return true;
        }
    }
    return false;
}

/* ---- what patients decided: docs/protocol/consent.md ---- */

static bool has_role(const struct reader *m, unsigned role)
{
    if (m->grant_count == 0) {
        return m->base == (int)role;
    }
    for (unsigned g = 0; g < m->grant_count; g++) {
        if (!m->grants[g].ended && m->grants[g].role == (int)role) {
            return true;
        }
    }
    return false;
}

/* The teams that he works in: all, unless all his roles keep him to some. */
static unsigned teams_of(const struct reader *m)
{
    unsigned teams = 0;
    for (unsigned g = 0; g < m->grant_count; g++) {
        const struct reader_grant *one = &m->grants[g];
        if (!one->ended && one->teams == 0) {
            return (1u << READER_TEAMS) - 1;
        }
        teams |= one->ended ? 0 : one->teams;
    }
    return teams != 0 ? teams : (1u << READER_TEAMS) - 1;
}

static bool is_about(const struct readers *r, const struct reader_said *s, unsigned member)
{
    const struct reader *m = &r->members[member];
    switch (s->audience) {
    case FOR_ALL_BUT:
        return (s->whom >> member & 1u) == 0;
    case FOR_PROFESSION:
        return has_role(m, s->whom);
    case FOR_TEAM:
        return (teams_of(m) >> s->whom & 1u) != 0;
    case FOR_PERSON:
    default:
        return s->whom == member;
    }
}

/* `item` READER_ITEMS: of the class as a whole. */
static bool is_of(const struct reader_said *s, unsigned class, unsigned item)
{
    switch (s->part) {
    case OF_ALL:
        return is_clinical(class);
    case OF_COMPARTMENT:
        return s->number == compartment_of(class);
    case OF_CLASS:
        return s->number == class;
    case OF_OBJECT:
    default:
        return s->number == item;
    }
}

static unsigned rank(reader_audience audience)
{
    return audience == FOR_ALL_BUT ? 0 : audience == FOR_PERSON ? 2 : 1;
}

/* "More specific in audience or item, and no less in the other"; each was written knowing the
 * others, for one person took them down. */
static bool outweighs(const struct reader_said *a, const struct reader_said *o)
{
    return rank(a->audience) >= rank(o->audience) && a->part >= o->part &&
           (rank(a->audience) > rank(o->audience) || a->part > o->part);
}

struct question {
    const struct readers *r;
    const struct reader_patient *p;
    unsigned member;
    unsigned class;
    unsigned item;
};

static bool counts(const struct question *q, const struct reader_said *s, bool opposes)
{
    return s->holds && s->opposes == opposes && is_about(q->r, s, q->member) &&
           is_of(s, q->class, q->item);
}

/* Nobody's own agreements count for himself; all of these are the founder's. */
static bool agrees(const struct question *q, const struct reader_said *over)
{
    for (unsigned i = 0; i < q->p->said_count && q->member != 0; i++) {
        const struct reader_said *s = &q->p->said[i];
        if (counts(q, s, false) && (over == NULL || outweighs(s, over))) {
            return true;
        }
    }
    return false;
}

static bool is_opposed(const struct question *q)
{
    for (unsigned i = 0; i < q->p->said_count; i++) {
        if (counts(q, &q->p->said[i], true) && !agrees(q, &q->p->said[i])) {
            return true;
        }
    }
    return false;
}

/* Domain 4.2: who takes part in this patient's care, unless he opposes it; others if he agrees. */
static bool consents(const struct question *q)
{
    const bool cares = (teams_of(&q->r->members[q->member]) & q->p->teams) != 0;
    if (q->class == 1 || q->class == 3 || !is_clinical(q->class)) {
        return q->class == 1 || q->class == 3 || !is_opposed(q);
    }
    return !is_opposed(q) && (cares || agrees(q, NULL));
}

bool readers_consent(const struct readers *r, unsigned member, unsigned item)
{
    const struct question q = {.r = r,
                               .p = &r->patients[r->items[item].patient],
                               .member = member,
                               .class = reader_kinds[r->items[item].kind].class,
                               .item = item};
    return consents(&q);
}

/* "For keys, a compartment is closed to a member when each class of it is." */
static bool is_closed(const struct readers *r, unsigned member, unsigned patient,
                      unsigned compartment)
{
    bool clinical = false;
    bool open = false;
    for (unsigned class = 1; class <= READER_CLASSES; class ++) {
        const struct question q = {.r = r,
                                   .p = &r->patients[patient],
                                   .member = member,
                                   .class = class,
                                   .item = READER_ITEMS};
        const bool asked = compartment_of(class) == compartment && is_clinical(class);
        clinical = clinical || asked;
        open = open || (asked && consents(&q));
    }
    return clinical && !open;
}

/* ---- borders ---- */

bool readers_given(const struct readers *r, unsigned member, unsigned patient, unsigned compartment)
{
    bool any = false;
    for (unsigned t = 0; t < READER_TEAMS; t++) {
        const bool open = (r->patients[patient].teams >> t & 1u) != 0;
        any = any || (open && readers_entitled(r, member, t, compartment));
    }
    return any;
}

bool readers_sealed_for(const struct readers *r, unsigned member, unsigned patient,
                        unsigned compartment)
{
    return readers_given(r, member, patient, compartment) &&
           !is_closed(r, member, patient, compartment);
}

/* docs/habilitation.md, "What is read": by the roles that hold for a team of the patient. */
static unsigned reading(const struct readers *r, unsigned member, unsigned teams, unsigned class)
{
    const struct reader *m = &r->members[member];
    unsigned most = m->grant_count == 0 ? scope(r, m->base, class) : 0;
    for (unsigned g = 0; g < m->grant_count; g++) {
        const bool here =
            ((teams & 1u) != 0 && works(m, g, 0)) || ((teams & 2u) != 0 && works(m, g, 1));
        const unsigned by = here ? scope(r, m->grants[g].role, class) : 0;
        most = by > most ? by : most;
    }
    return most;
}

/* All or team: always; own: if he created it. */
bool readers_matrix(const struct readers *r, unsigned member, unsigned item)
{
    const struct reader_item *i = &r->items[item];
    const unsigned scope =
        reading(r, member, r->patients[i->patient].teams, reader_kinds[i->kind].class);
    return scope > 1 || (scope == 1 && i->author == member);
}

/* docs/protocol/glass.md, "Who can": "the members on nodes whose role may read class 23". */
bool readers_breaks(const struct readers *r, unsigned member)
{
    enum { BREAK_GLASS = 23, ANY_TEAM = (1 << READER_TEAMS) - 1 };
    return !r->members[member].absent && reading(r, member, ANY_TEAM, BREAK_GLASS) != 0;
}

/* In this round, for the item's patient and compartment. */
static bool is_noted(const uint64_t notes[READERS][READER_PATIENTS], const struct reader_item *i,
                     unsigned member, unsigned round)
{
    const unsigned bit = round * 16 + reader_kinds[i->kind].compartment;
    return (notes[member][i->patient] >> bit & 1u) != 0;
}

/* What opens a patient's streams is under the `admin` key of a team, and sealed anew under a later
 * one before the next write: who never held one knows of no patient, who once did always. */
static bool knows(const struct readers *r, unsigned member, unsigned patient)
{
    bool ever = false;
    for (unsigned round = 0; round <= r->round; round++) {
        ever = ever || (r->sealed[member][patient] >> (round * 16 + ADMIN) & 1u) != 0;
    }
    return ever;
}

bool readers_must_open(const struct readers *r, unsigned member, unsigned item)
{
    const struct reader_item *i = &r->items[item];
    const unsigned until = r->members[member].gone ? r->members[member].last : r->round;
    unsigned round = i->round;
    while (round <= until && is_noted(r->sealed, i, member, round)) {
        round++;
    }
    return i->round <= until && round > until && knows(r, member, i->patient);
}

/* Who comes to be entitled where a refusal waited for him has the group's key; what it led to is
 * sealed otherwise with the next write there. */
bool readers_may_open(const struct readers *r, unsigned member, unsigned item)
{
    const struct reader_item *i = &r->items[item];
    bool ever = is_noted(r->sealed, i, member, i->round);
    for (unsigned round = i->round + 1; round <= r->round; round++) {
        ever = ever || is_noted(r->entitled, i, member, round);
    }
    return ever && knows(r, member, i->patient);
}

bool readers_hears(const struct readers *r, unsigned member, unsigned patient)
{
    return readers_given(r, member, patient, ADMIN);
}

/* Was he told of all rounds since the patient came, if he is of this one? */
static bool heard_all(const struct readers *r, unsigned member, unsigned patient)
{
    bool all = true;
    for (unsigned round = r->patients[patient].round; round < r->round; round++) {
        all = all && (r->entitled[member][patient] >> (round * 16 + ADMIN) & 1u) != 0;
    }
    return all || !readers_hears(r, member, patient);
}

bool readers_heard_by_all(const struct readers *r, unsigned patient)
{
    const bool decided = r->patients[patient].said_count > 0 || r->patients[patient].shut;
    bool all = true;
    for (unsigned m = 0; m < READERS && decided; m++) {
        all = all && heard_all(r, m, patient);
    }
    return all;
}
