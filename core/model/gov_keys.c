/* core/model/gov_keys.c -- whom a group's keys may be sealed to (rules A3): checked without keys,
 * so that relays refuse to follow what members couldn't see through. */
#include "core/codec/keyop.h"
#include "core/model/gov.h"
#include "core/model/gov_impl.h"

static bool is_group(const struct ml_gov *g, const struct ml_gvec *at,
                     const struct ml_kek_epoch *epoch)
{
    bool org_wide = ml_is_zero(epoch->team.b, sizeof(epoch->team.b));
    if (org_wide || epoch->compartment == ML_COMPARTMENT_ANNUAIRE) {
        return org_wide && epoch->compartment == ML_COMPARTMENT_ANNUAIRE;
    }
    const struct ml_fact *team = NULL;
    do {
        team = ml_gov_next(g, at, ML_FACT_TEAM, team);
    } while (team != NULL && !ml_gov_same(team->team.b, epoch->team.b, sizeof(epoch->team.b)));
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
static bool is_first_of_key(const struct ml_gov *g, const struct ml_gvec *at,
                            const struct ml_fact *mon)
{
    const struct ml_fact *f = ml_gov_next(g, at, ML_FACT_MON, NULL);
    while (f != mon && !ml_gov_same(f->box_pk.b, mon->box_pk.b, sizeof(mon->box_pk.b))) {
        f = ml_gov_next(g, at, ML_FACT_MON, f);
    }
    return f == mon;
}

bool ml_gov_epoch_fits(const struct ml_gov *g, const struct ml_gvec *at,
                       const struct ml_writer_id *writer, const struct ml_kek_epoch *epoch)
{
    const struct ml_fact *open = ml_gov_opening_of(g, writer, true);
    const struct ml_fact *mon = NULL;
    uint32_t entitled = 0;
    if (open == NULL || ml_is_zero(open->member.b, sizeof(open->member.b)) ||
        !is_group(g, at, epoch)) {
        return false;
    }
    while ((mon = ml_gov_next(g, at, ML_FACT_MON, mon)) != NULL) {
        struct ml_recipient_id id = ml_recipient_id_of(&mon->box_pk);
        if (!is_recipient(epoch, &id)) {
            return false;
        }
        entitled += is_first_of_key(g, at, mon);
    }
    return entitled == epoch->slots.count;
}
