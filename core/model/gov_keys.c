/* core/model/gov_keys.c -- whom a group's keys may be sealed to (rules A3): checked without keys,
 * so that relays refuse to follow what members couldn't see through. */
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
                     const struct ml_kek_epoch *epoch)
{
    bool org_wide = ml_is_zero(epoch->team.b, sizeof(epoch->team.b));
    if (org_wide || epoch->compartment == ML_COMPARTMENT_ANNUAIRE) {
        return org_wide && epoch->compartment == ML_COMPARTMENT_ANNUAIRE;
    }
    size_t at = 0;
    const struct ml_fact *team = next_in(g, v, ML_FACT_TEAM, &at);
    while (team != NULL && !ml_gov_same(team->team.b, epoch->team.b, sizeof(epoch->team.b))) {
        team = next_in(g, v, ML_FACT_TEAM, &at);
    }
    return team != NULL;
}

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

/* Is fact `mon` the first with its box key? A key that two enrolments name has one slot. */
static bool is_first_of_key(const struct ml_gov *g, const struct ml_view *v,
                            const struct ml_fact *mon)
{
    size_t at = 0;
    const struct ml_fact *f = next_in(g, v, ML_FACT_MON, &at);
    while (f != NULL && f != mon &&
           !ml_gov_same(f->box_pk.b, mon->box_pk.b, sizeof(mon->box_pk.b))) {
        f = next_in(g, v, ML_FACT_MON, &at);
    }
    return f == mon;
}

static bool fits_in(const struct ml_gov *g, const struct ml_view *v,
                    const struct ml_kek_epoch *epoch)
{
    const struct ml_fact *mon = NULL;
    uint32_t entitled = 0;
    size_t at = 0;
    if (!is_group(g, v, epoch)) {
        return false;
    }
    while ((mon = next_in(g, v, ML_FACT_MON, &at)) != NULL) {
        struct ml_recipient_id id = ml_recipient_id_of(&mon->box_pk);
        if (!is_recipient(epoch, &id)) {
            return false;
        }
        entitled += is_first_of_key(g, v, mon);
    }
    return entitled == epoch->slots.count;
}

ml_err ml_gov_epoch_fits(const struct ml_gov *g, bool *fits, struct ml_gvec *at,
                         const struct ml_writer_id *writer, const struct ml_kek_epoch *epoch)
{
    const struct ml_view *v = NULL;
    const struct ml_fact *open = ml_gov_opening_of(g, writer, true);
    *fits = false;
    if (open == NULL || ml_is_zero(open->member.b, sizeof(open->member.b))) {
        return ML_OK;
    }
    ml_err err = ml_gov_view_at(g, &v, at);
    if (err == ML_OK) {
        *fits = fits_in(g, v, epoch);
    }
    return err;
}
