/* core/model/gov_keys.c -- whom a group's keys may be sealed to (rules A3): checked without keys,
 * so that relays refuse to follow what members couldn't see through.
 *
 * A compartment is read by who may read any class of it: finer cells are the vault's. Names of
 * colleagues are every member's, whatever a matrix says; a garant, who signs by them, has no other.
 */
#include "core/base/hlc.h"
#include "core/codec/keyop.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

/* The next fact of a kind that stands in the view. */
static const struct ml_fact *next_in(const struct ml_gov *g, const struct ml_view *v,
                                     ml_fact_kind kind, size_t *at)
{
    while (*at < g->count) {
        const struct ml_fact *f = g->facts[(*at)++];
        if (f->kind == kind && ml_gov_stands(v, f)) {
            return f;
        }
    }
    return NULL;
}

static bool is_group(const struct ml_gov *g, const struct ml_view *v,
                     const struct ml_gov_group *group)
{
    bool org_wide = ml_is_zero(group->team.b, sizeof(group->team.b));
    if (org_wide || group->compartment == ML_COMPARTMENT_ANNUAIRE) {
        return org_wide && group->compartment == ML_COMPARTMENT_ANNUAIRE;
    }
    size_t at = 0;
    const struct ml_fact *team = next_in(g, v, ML_FACT_TEAM, &at);
    while (team != NULL && !ml_gov_same(team->team.b, group->team.b, sizeof(group->team.b))) {
        team = next_in(g, v, ML_FACT_TEAM, &at);
    }
    return team != NULL;
}

/* The next enrolment that stands in the view with this box key. */
static const struct ml_fact *next_of_key(const struct ml_gov *g, const struct ml_view *v,
                                         const struct ml_box_pk *key, size_t *at)
{
    while (*at < g->count) {
        const struct ml_fact *f = g->facts[(*at)++];
        if (f->kind == ML_FACT_MON && ml_gov_same(f->box_pk.b, key->b, sizeof(key->b)) &&
            ml_gov_stands(v, f)) {
            return f;
        }
    }
    return NULL;
}

/* Is it the first with its box key? A key of two enrolments has one slot. */
static bool is_first_of_key(const struct ml_gov *g, const struct ml_view *v,
                            const struct ml_fact *mon)
{
    size_t at = 0;
    return next_of_key(g, v, &mon->box_pk, &at) == mon;
}

/* Who is asked about, by what stands in a view. */
struct entitling {
    struct ml_gov_asking q;
    struct ml_matrix room;
};

static void entitling_begin(struct entitling *e, const struct ml_gov *g, const struct ml_view *v,
                            const struct ml_gov_group *group)
{
    e->q = (struct ml_gov_asking){.g = g,
                                  .own = v,
                                  .now = v,
                                  .matrix = ml_gov_matrix_in(g, v, NULL, &e->room),
                                  .reads = group->compartment,
                                  .team = &group->team,
                                  .ms = group->ms};
}

static bool is_entitled(const struct entitling *e, const struct ml_member_id *member)
{
    return e->q.reads == ML_COMPARTMENT_ANNUAIRE || ml_gov_member_may(&e->q, member);
}

/* A key of two members' enrolments is given when either is entitled. */
static bool is_key_entitled(const struct entitling *e, const struct ml_fact *mon)
{
    size_t at = 0;
    const struct ml_fact *f = next_of_key(e->q.g, e->q.own, &mon->box_pk, &at);
    while (f != NULL && !is_entitled(e, &f->member)) {
        f = next_of_key(e->q.g, e->q.own, &mon->box_pk, &at);
    }
    return f != NULL;
}

static ml_err each_in(const struct entitling *e, ml_fact_cb *each, void *user)
{
    const struct ml_fact *mon = NULL;
    size_t at = 0;
    ml_err err = ML_OK;
    while (err == ML_OK && (mon = next_in(e->q.g, e->q.own, ML_FACT_MON, &at)) != NULL) {
        if (is_first_of_key(e->q.g, e->q.own, mon) && is_key_entitled(e, mon)) {
            err = each(user, mon);
        }
    }
    return err;
}

ml_err ml_gov_each_entitled(const struct ml_gov *g, const struct ml_gov_group *group,
                            ml_fact_cb *each, void *user)
{
    struct entitling e;
    if (g->all == NULL || !is_group(g, g->all, group)) {
        return ML_OK;
    }
    entitling_begin(&e, g, g->all, group);
    return each_in(&e, each, user);
}

ml_err ml_gov_each_node(const struct ml_gov *g, ml_fact_cb *each, void *user)
{
    const struct ml_fact *mon = NULL;
    size_t at = 0;
    ml_err err = ML_OK;
    while (err == ML_OK && g->all != NULL && (mon = next_in(g, g->all, ML_FACT_MON, &at)) != NULL) {
        size_t from = 0;
        const struct ml_fact *f = next_in(g, g->all, ML_FACT_MON, &from);
        while (f != mon && !ml_gov_same(f->noise.b, mon->noise.b, sizeof(mon->noise.b))) {
            f = next_in(g, g->all, ML_FACT_MON, &from);
        }
        err = f == mon ? each(user, mon) : ML_OK;
    }
    return err;
}

uint64_t ml_gov_next_date(const struct ml_gov *g, uint64_t ms)
{
    uint64_t next = UINT64_MAX;
    for (const struct ml_fact *f = g->last[ML_FACT_ROLE]; f != NULL; f = f->before) {
        next = f->from_ms > ms && f->from_ms < next ? f->from_ms : next;
        next = f->until_ms > ms && f->until_ms < next ? f->until_ms : next;
    }
    return next;
}

/* ---- epochs ---- */

static bool is_recipient(const struct ml_kek_epoch *epoch, const struct ml_recipient_id *id)
{
    struct ml_list_walk walk;
    struct ml_epoch_slot slot;
    ml_list_walk(&walk, &epoch->slots);
    while (ml_epoch_slot_next(&walk, &slot)) {
        if (ml_gov_same(slot.recipient.b, id->b, sizeof(id->b))) {
            return true;
        }
    }
    return false;
}

struct fitting {
    const struct ml_kek_epoch *epoch;
    uint32_t entitled;
};

static ml_err fit_one(void *user, const struct ml_fact *mon)
{
    struct fitting *f = user;
    const struct ml_recipient_id id = ml_recipient_id_of(&mon->box_pk);
    f->entitled++;
    return is_recipient(f->epoch, &id) ? ML_OK : ML_E_DENIED;
}

/* What a writer's author sees where he writes: nothing where nobody opened the writer, or his
 * view has no such group. */
struct seeing {
    const struct ml_fact *open; /* NULL: nothing */
    struct entitling e;
};

static ml_err see(struct seeing *s, const struct ml_gov *g, const struct ml_writer_id *writer,
                  const struct ml_gov_group *group, struct ml_gvec *gvec)
{
    const struct ml_view *v = NULL;
    const struct ml_fact *open = ml_gov_opening_of(g, writer, true);
    s->open = NULL;
    if (open == NULL || ml_is_zero(open->member.b, sizeof(open->member.b))) {
        return ML_OK;
    }
    ml_err err = ml_gov_view_at(g, &v, gvec);
    if (err == ML_OK && is_group(g, v, group)) {
        s->open = open;
        entitling_begin(&s->e, g, v, group);
    }
    return err;
}

ml_err ml_gov_epoch_fits(const struct ml_gov *g, bool *fits, const struct ml_gov_epoch_in *in)
{
    struct seeing s;
    struct fitting fitting = {.epoch = in->epoch};
    const struct ml_gov_group group = {
        .team = in->epoch->team, .compartment = in->epoch->compartment, .ms = ml_hlc_ms(in->hlc)};
    ml_err err = see(&s, g, &in->writer, &group, in->gvec);
    *fits = err == ML_OK && s.open != NULL && is_entitled(&s.e, &s.open->member) &&
            each_in(&s.e, fit_one, &fitting) == ML_OK && fitting.entitled == in->epoch->slots.count;
    return err;
}

/* ---- network epochs ---- */

ml_err ml_gov_leads_at(const struct ml_gov *g, bool *leads, const struct ml_writer_id *writer,
                       struct ml_gvec *gvec)
{
    const struct ml_view *v = NULL;
    const struct ml_fact *open = ml_gov_opening_of(g, writer, true);
    *leads = false;
    if (open == NULL || ml_is_zero(open->member.b, sizeof(open->member.b))) {
        return ML_OK;
    }
    ml_err err = ml_gov_view_at(g, &v, gvec);
    const uint32_t member = ml_ids_find(&g->members, open->member.b);
    *leads = err == ML_OK && member != ML_NOBODY && ml_view_acting(v, member) <= ML_RANK_REFERENT;
    return err;
}

ml_err ml_gov_author_reads(const struct ml_gov *g, bool *reads, const struct ml_gov_author_in *in)
{
    struct seeing s;
    const struct ml_gov_group group = {
        .team = in->team, .compartment = in->compartment, .ms = ml_hlc_ms(in->hlc)};
    ml_err err = see(&s, g, &in->writer, &group, in->gvec);
    *reads = err == ML_OK && s.open != NULL && is_entitled(&s.e, &s.open->member);
    return err;
}
