/* core/model/consent.c -- see consent.h.
 *
 * A set keeps two relations between its facts as rows of bits: what each ends, as it says, and its
 * past, closed. Names are hashes of what they name, so that neither has a cycle.
 *
 * Invariant: nothing below depends on the order of the facts.
 */
#include "core/model/consent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"

enum { ROW_WORDS = ML_CONSENT_FACTS_MAX / 64 };

struct row {
    uint64_t bit[ROW_WORDS];
};

/* What was found to hold, for whom and when it was asked last: many questions ask it again. */
struct memo {
    struct ml_member_id gains;
    uint64_t now_ms;
    uint8_t known[ML_CONSENT_FACTS_MAX]; /* 0: not yet; 1: it doesn't hold; 2: it does */
};

struct ml_consent_set {
    const struct ml_env *env;
    const struct ml_consent_fact *facts; /* borrowed */
    size_t count;
    struct row *ends;  /* owned: i ends j, as i says */
    struct row *past;  /* owned: i was written knowing j, closed */
    struct memo *memo; /* owned, two: of nobody's gain, and of somebody's */
    bool too_many;
};

static bool row_has(const struct row *row, size_t i)
{
    return (row->bit[i / 64] >> i % 64 & 1u) != 0;
}

static void row_add(struct row *row, size_t i)
{
    row->bit[i / 64] |= UINT64_C(1) << i % 64;
}

static bool rows_meet(const struct row *a, const struct row *b)
{
    uint64_t both = 0;
    for (size_t w = 0; w < ROW_WORDS; w++) {
        both |= a->bit[w] & b->bit[w];
    }
    return both != 0;
}

/* Does it grow by this? */
static bool row_join(struct row *row, const struct row *other)
{
    uint64_t news = 0;
    for (size_t w = 0; w < ROW_WORDS; w++) {
        news |= other->bit[w] & ~row->bit[w];
        row->bit[w] |= other->bit[w];
    }
    return news != 0;
}

/* ---- making ---- */

/* Every copy of the one with this name. */
static void name_add(const struct ml_consent_set *set, const struct ml_consent_id *id,
                     struct row *row)
{
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(set->facts[i].id.b, id->b, sizeof(id->b)) == 0) {
            row_add(row, i);
        }
    }
}

static void names_add(const struct ml_consent_set *set, const struct ml_list *names,
                      struct row *row)
{
    struct ml_list_walk walk;
    struct ml_consent_id id;
    ml_list_walk(&walk, names);
    while (ml_list_next(&walk, &ml_format_consent_id, &id)) {
        name_add(set, &id, row);
    }
}

/* What those knew that it knew: does it grow by this? */
static bool past_grow(struct ml_consent_set *set, size_t fact)
{
    bool grows = false;
    for (size_t i = 0; i < set->count; i++) {
        if (row_has(&set->past[fact], i) && row_join(&set->past[fact], &set->past[i])) {
            grows = true;
        }
    }
    return grows;
}

static void past_close(struct ml_consent_set *set)
{
    bool grows = true;
    while (grows) {
        grows = false;
        for (size_t i = 0; i < set->count; i++) {
            grows = past_grow(set, i) || grows;
        }
    }
}

ml_err ml_consent_set_new(struct ml_consent_set **out, const struct ml_env *env,
                          const struct ml_consent_fact *facts, size_t count)
{
    struct ml_consent_set *set = ml_alloc(env, sizeof(*set));
    if (set == NULL) {
        return ML_E_NOMEM;
    }
    set->env = env;
    set->facts = facts;
    set->too_many = count > ML_CONSENT_FACTS_MAX;
    set->count = set->too_many ? 0 : count;
    set->ends = ml_alloc_array(env, set->count + 1, sizeof(*set->ends));
    set->past = ml_alloc_array(env, set->count + 1, sizeof(*set->past));
    set->memo = ml_alloc_array(env, 2, sizeof(*set->memo));
    if (set->ends == NULL || set->past == NULL || set->memo == NULL) {
        ml_consent_set_free(set);
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < set->count; i++) {
        names_add(set, &facts[i].said.ends, &set->ends[i]);
        names_add(set, &facts[i].said.seen, &set->past[i]);
        (void)row_join(&set->past[i], &set->ends[i]);
    }
    past_close(set);
    *out = set;
    return ML_OK;
}

void ml_consent_set_free(struct ml_consent_set *set)
{
    if (set != NULL) {
        ml_release(set->env, set->ends);
        ml_release(set->env, set->past);
        ml_release(set->env, set->memo);
        ml_release(set->env, set);
    }
}

/* ---- what holds ---- */

static bool is_over(const struct ml_consent_fact *f, uint64_t now_ms)
{
    return f->said.until_ms != 0 && now_ms >= f->said.until_ms;
}

static bool is_author(const struct ml_consent_fact *f, const struct ml_member_id *member)
{
    return member != NULL && memcmp(f->author.b, member->b, sizeof(member->b)) == 0;
}

/* May this one end that one at all? Not when its author would gain by it, unless that one is his
 * own too; nor a representative what is kept from him. */
static bool may_end(const struct ml_consent_fact *by, const struct ml_consent_fact *ended,
                    const struct ml_member_id *gains, uint64_t now_ms)
{
    const bool secret = ended->said.kind == ML_CONSENT_SECRET;
    const bool selfish = is_author(by, gains) && !is_author(ended, gains);
    return !is_over(by, now_ms) && !selfish &&
           !(secret && by->said.source != ML_CONSENT_BY_PATIENT);
}

struct ending {
    const struct ml_consent_set *set;
    const struct ml_consent_fact *ended;
    const struct ml_member_id *gains;
    uint64_t now_ms;
    struct row gone; /* it, and those that end it but don't count */
    bool grows;
};

/* One turn over all: who counts and ends what is gone; else who doesn't count is gone too. */
static const struct ml_consent_fact *ending_turn(struct ending *e)
{
    e->grows = false;
    for (size_t i = 0; i < e->set->count; i++) {
        const struct ml_consent_fact *by = &e->set->facts[i];
        if (row_has(&e->gone, i) || !rows_meet(&e->set->ends[i], &e->gone) ||
            !may_end(by, e->ended, e->gains, e->now_ms)) {
            continue;
        }
        if (by->counts) {
            return by;
        }
        row_add(&e->gone, i);
        e->grows = true;
    }
    return NULL;
}

/* Which one that counts ended it, itself or through others that don't count; NULL: none. */
static const struct ml_consent_fact *ended_by(const struct ml_consent_set *set, size_t fact,
                                              const struct ml_member_id *gains, uint64_t now_ms)
{
    struct ending e = {
        .set = set, .ended = &set->facts[fact], .gains = gains, .now_ms = now_ms, .grows = true};
    const struct ml_consent_fact *by = NULL;
    row_add(&e.gone, fact);
    while (by == NULL && e.grows) {
        by = ending_turn(&e);
    }
    return by;
}

static bool holds_for(const struct ml_consent_set *set, size_t fact,
                      const struct ml_member_id *gains, uint64_t now_ms)
{
    static const struct ml_member_id nobody;
    const struct ml_consent_fact *f = &set->facts[fact];
    const struct ml_member_id *who = gains == NULL ? &nobody : gains;
    struct memo *m = &set->memo[gains != NULL];
    if (m->now_ms != now_ms || memcmp(m->gains.b, who->b, sizeof(who->b)) != 0) {
        *m = (struct memo){.gains = *who, .now_ms = now_ms};
    }
    if (m->known[fact] == 0) {
        const bool holds =
            f->counts && !is_over(f, now_ms) && ended_by(set, fact, gains, now_ms) == NULL;
        m->known[fact] = holds ? 2 : 1;
    }
    return m->known[fact] == 2;
}

bool ml_consent_holds(const struct ml_consent_set *set, size_t fact, uint64_t now_ms,
                      const struct ml_consent_fact **by)
{
    const struct ml_consent_fact *ended = NULL;
    bool holds = false;
    if (fact < set->count) {
        ended = ended_by(set, fact, NULL, now_ms);
        holds = holds_for(set, fact, NULL, now_ms);
    }
    if (by != NULL) {
        *by = ended;
    }
    return holds;
}

bool ml_consent_is_last(const struct ml_consent_set *set, size_t fact)
{
    for (size_t i = 0; i < set->count; i++) {
        if (row_has(&set->past[i], fact)) {
            return false;
        }
    }
    return true;
}

uint64_t ml_consent_next_ms(const struct ml_consent_set *set, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        const uint64_t until = set->facts[i].said.until_ms;
        next = until > now_ms && until < next ? until : next;
    }
    return next;
}

/* ---- whom and what it is about ---- */

static bool is_named(const struct ml_list *members, const struct ml_member_id *member)
{
    struct ml_list_walk walk;
    struct ml_member_id named;
    ml_list_walk(&walk, members);
    while (ml_list_next(&walk, &ml_format_consent_member, &named)) {
        if (memcmp(named.b, member->b, sizeof(named.b)) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_role(const struct ml_consent_member *m, uint16_t role)
{
    size_t i = 0;
    while (i < m->role_count && m->roles[i] != role) {
        i++;
    }
    return i < m->role_count;
}

static bool has_team(const struct ml_consent_member *m, const uint8_t team[16])
{
    size_t i = 0;
    while (i < m->team_count && memcmp(m->teams[i].b, team, sizeof(m->teams[i].b)) != 0) {
        i++;
    }
    return i < m->team_count;
}

bool ml_consent_is_for(const struct ml_consent *c, const struct ml_consent_member *m)
{
    switch (c->audience) {
    case ML_AUDIENCE_ALL:
        return true;
    case ML_AUDIENCE_ALL_EXCEPT:
        return !is_named(&c->members, &m->id);
    case ML_AUDIENCE_PROFESSION:
        return has_role(m, c->role);
    case ML_AUDIENCE_TEAM:
        return has_team(m, c->audience_id);
    case ML_AUDIENCE_PERSON:
        return memcmp(c->audience_id, m->id.b, sizeof(m->id.b)) == 0;
    default:
        return false; /* the codec refuses it */
    }
}

bool ml_consent_is_about(const struct ml_consent_fact *fact, const struct ml_consent_member *member)
{
    return fact->said.kind == ML_CONSENT_OPPOSED && ml_consent_is_for(&fact->said, member);
}

/* A class of a later version may be clinical. */
static bool is_clinical(unsigned class)
{
    return class > ML_CLASS_LAST || ml_class_is_clinical(class);
}

/* Who the patient is, and what he wants, is never hidden. */
static bool is_open(unsigned class)
{
    return class == ML_CLASS_IDENTITY || class == ML_CLASS_WISHES;
}

static bool covers(const struct ml_consent *c, unsigned class, const struct ml_object_id *object)
{
    switch (c->item) {
    case ML_ITEM_ALL:
        return is_clinical(class);
    case ML_ITEM_COMPARTMENT:
        return ml_class_compartment(class) == c->number;
    case ML_ITEM_CLASS:
        return class == c->number;
    case ML_ITEM_OBJECT:
        return object != NULL && memcmp(c->object.b, object->b, sizeof(object->b)) == 0;
    default:
        return false;
    }
}

/* ---- weighing ---- */

/* A team and a profession are as specific as each other: they cross. */
static unsigned audience_rank(const struct ml_consent *c)
{
    static const uint8_t ranks[] = {[ML_AUDIENCE_ALL] = 0,
                                    [ML_AUDIENCE_ALL_EXCEPT] = 1,
                                    [ML_AUDIENCE_PROFESSION] = 2,
                                    [ML_AUDIENCE_TEAM] = 2,
                                    [ML_AUDIENCE_PERSON] = 3};
    return c->audience <= ML_AUDIENCE_LAST ? ranks[c->audience] : 0;
}

static bool is_more_specific(const struct ml_consent *a, const struct ml_consent *b)
{
    const unsigned audience[] = {audience_rank(a), audience_rank(b)};
    return audience[0] >= audience[1] && a->item >= b->item &&
           (audience[0] > audience[1] || a->item > b->item);
}

struct weighing {
    const struct ml_consent_set *set;
    const struct ml_consent_question *q;
    ml_consent_step_cb *each;
    void *user;
};

static void tell(const struct weighing *w, ml_consent_step_kind kind,
                 const struct ml_consent_fact *fact, const struct ml_consent_fact *by)
{
    if (w->each != NULL) {
        w->each(w->user, &(struct ml_consent_step){.kind = kind, .fact = fact, .by = by});
    }
}

static bool is_asked(const struct weighing *w, const struct ml_consent_fact *f,
                     ml_consent_kind kind)
{
    return f->counts && f->said.kind == kind && covers(&f->said, w->q->class, w->q->object);
}

/* An agreement that lets this member. */
static bool lets(const struct weighing *w, size_t i)
{
    const struct ml_consent_fact *f = &w->set->facts[i];
    return is_asked(w, f, ML_CONSENT_AGREED) && ml_consent_is_for(&f->said, &w->q->member) &&
           !is_author(f, &w->q->member.id) && holds_for(w->set, i, NULL, w->q->now_ms);
}

static const struct ml_consent_fact *outweighed_by(const struct weighing *w, size_t opposition)
{
    const struct ml_consent_set *set = w->set;
    for (size_t i = 0; i < set->count; i++) {
        const bool ordered =
            row_has(&set->past[i], opposition) || row_has(&set->past[opposition], i);
        if (ordered && lets(w, i) &&
            is_more_specific(&set->facts[i].said, &set->facts[opposition].said)) {
            return &set->facts[i];
        }
    }
    return NULL;
}

/* Of one opposition that is asked about: is it in the way? */
static bool opposes(const struct weighing *w, size_t i)
{
    const struct ml_consent_fact *f = &w->set->facts[i];
    const struct ml_member_id *member = &w->q->member.id;
    if (!ml_consent_is_for(&f->said, &w->q->member)) {
        if (f->said.audience == ML_AUDIENCE_ALL_EXCEPT &&
            holds_for(w->set, i, NULL, w->q->now_ms)) {
            tell(w, ML_CONSENT_STEP_EXCEPTED, f, NULL);
        }
        return false;
    }
    if (!holds_for(w->set, i, member, w->q->now_ms)) {
        tell(w, ML_CONSENT_STEP_ENDED, f, ended_by(w->set, i, member, w->q->now_ms));
        return false;
    }
    if (w->q->emergency && f->said.item != ML_ITEM_OBJECT) {
        tell(w, ML_CONSENT_STEP_EMERGENCY, f, NULL);
        return false;
    }
    const struct ml_consent_fact *by = outweighed_by(w, i);
    tell(w, by == NULL ? ML_CONSENT_STEP_OPPOSED : ML_CONSENT_STEP_OUTWEIGHED, f, by);
    return by == NULL;
}

static bool tell_agreements(const struct weighing *w)
{
    bool agreed = false;
    for (size_t i = 0; i < w->set->count; i++) {
        const struct ml_consent_fact *f = &w->set->facts[i];
        if (!is_asked(w, f, ML_CONSENT_AGREED) || !ml_consent_is_for(&f->said, &w->q->member)) {
            continue;
        }
        if (lets(w, i)) {
            tell(w, ML_CONSENT_STEP_AGREED, f, NULL);
            agreed = true;
        } else if (is_author(f, &w->q->member.id)) {
            tell(w, ML_CONSENT_STEP_OWN_WORD, f, NULL);
        } else {
            tell(w, ML_CONSENT_STEP_ENDED, f, ended_by(w->set, i, NULL, w->q->now_ms));
        }
    }
    return agreed;
}

static void tell_informed(const struct weighing *w)
{
    for (size_t i = 0; i < w->set->count; i++) {
        if (w->set->facts[i].said.kind == ML_CONSENT_INFORMED &&
            holds_for(w->set, i, NULL, w->q->now_ms)) {
            tell(w, ML_CONSENT_STEP_INFORMED, &w->set->facts[i], NULL);
            return;
        }
    }
    tell(w, ML_CONSENT_STEP_NOT_INFORMED, NULL, NULL);
}

/* Does a statement of this kind, which is about everybody, hold? */
static bool stands(const struct weighing *w, ml_consent_kind kind, ml_consent_step_kind step,
                   const struct ml_member_id *gains)
{
    for (size_t i = 0; i < w->set->count; i++) {
        const struct ml_consent_fact *f = &w->set->facts[i];
        const bool own = kind != ML_CONSENT_SECRET || f->said.source == ML_CONSENT_BY_PATIENT;
        if (own && is_asked(w, f, kind) && holds_for(w->set, i, gains, w->q->now_ms)) {
            tell(w, step, f, NULL);
            return true;
        }
    }
    return false;
}

static ml_consent_answer decide_member(const struct weighing *w)
{
    const bool own = w->q->member.in_care_team;
    bool opposed = false;
    tell_informed(w);
    tell(w, own ? ML_CONSENT_STEP_CARE_TEAM : ML_CONSENT_STEP_OUTSIDE, NULL, NULL);
    const bool agreed = tell_agreements(w);
    for (size_t i = 0; i < w->set->count; i++) {
        if (is_asked(w, &w->set->facts[i], ML_CONSENT_OPPOSED)) {
            opposed = opposes(w, i) || opposed;
        }
    }
    if (w->q->emergency &&
        stands(w, ML_CONSENT_NO_EMERGENCY, ML_CONSENT_STEP_NO_EMERGENCY, &w->q->member.id)) {
        return ML_CONSENT_NO_IN_EMERGENCY;
    }
    if (opposed) {
        return ML_CONSENT_NO_OPPOSED;
    }
    const bool may = own || agreed || w->q->emergency || !is_clinical(w->q->class);
    return may ? ML_CONSENT_YES : ML_CONSENT_NO_AGREEMENT;
}

ml_consent_answer ml_consent_decide(const struct ml_consent_set *set,
                                    const struct ml_consent_question *question,
                                    ml_consent_step_cb *each, void *user)
{
    const struct weighing w = {.set = set, .q = question, .each = each, .user = user};
    if (question->viewer == ML_VIEWER_PATIENT || is_open(question->class)) {
        return ML_CONSENT_YES;
    }
    if (set->too_many && is_clinical(question->class)) {
        tell(&w, ML_CONSENT_STEP_TOO_MANY, NULL, NULL);
        return ML_CONSENT_NO_TOO_MANY;
    }
    if (question->viewer == ML_VIEWER_REPRESENTATIVE) {
        return stands(&w, ML_CONSENT_SECRET, ML_CONSENT_STEP_SECRET, NULL) ? ML_CONSENT_NO_SECRET
                                                                           : ML_CONSENT_YES;
    }
    return decide_member(&w);
}

/* ---- for keys ---- */

bool ml_consent_closes(const struct ml_consent_set *set, const struct ml_consent_member *member,
                       unsigned compartment, uint64_t now_ms)
{
    bool any = false;
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        const struct ml_consent_question q = {.member = *member, .class = class, .now_ms = now_ms};
        if (ml_class_compartment(class) != compartment) {
            continue;
        }
        if (ml_consent_decide(set, &q, NULL, NULL) == ML_CONSENT_YES) {
            return false;
        }
        any = true;
    }
    return any;
}

bool ml_consent_closes_emergency(const struct ml_consent_set *set, unsigned compartment,
                                 uint64_t now_ms)
{
    bool any = false;
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        const struct ml_consent_question q = {.class = class, .now_ms = now_ms};
        const struct weighing w = {.set = set, .q = &q};
        if (ml_class_compartment(class) != compartment) {
            continue;
        }
        if (!stands(&w, ML_CONSENT_NO_EMERGENCY, ML_CONSENT_STEP_NO_EMERGENCY, NULL)) {
            return false;
        }
        any = true;
    }
    return any;
}

bool ml_consent_opposes(const struct ml_consent_set *set, uint64_t now_ms)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->facts[i].said.kind == ML_CONSENT_OPPOSED && holds_for(set, i, NULL, now_ms)) {
            return true;
        }
    }
    return set->too_many;
}

const char *ml_consent_step_name(ml_consent_step_kind kind)
{
    switch (kind) {
#define X(name, number)                                                                            \
    case ML_CONSENT_STEP_##name:                                                                   \
        return #name;
        ML_CONSENT_STEP_MAP(X)
#undef X
    }
    return "?";
}
