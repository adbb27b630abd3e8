/* core/model/keyring_sealing.c -- which of a group's epochs seals.
 *
 * Of those that came, each node chooses alike: numbers that follow on each other, nobody who opens
 * them without being entitled, not by emergency keys of before either, then what is held, the
 * highest number, the smallest key id.
 */
#include <string.h>

#include "core/model/keyring_int.h"

static bool is_sealing(const struct key_epoch *e, const struct ml_team_id *group,
                       uint8_t compartment)
{
    return e->accepted && ml_keyring_is_of(e, group, compartment);
}

static bool has_number(const struct ml_keyring *k, const struct ml_team_id *group,
                       uint8_t compartment, uint32_t number)
{
    bool has = false;
    for (size_t i = 0; i < k->epoch_count && !has; i++) {
        const struct key_epoch *e = k->epochs[i];
        has = e->epoch == number && is_sealing(e, group, compartment);
    }
    return has;
}

/* The highest number that follows on 1 without a gap: a number taken out of the air would leave
 * none for the next epoch. */
uint32_t ml_keyring_top(const struct ml_keyring *k, const struct ml_team_id *group,
                        uint8_t compartment)
{
    uint32_t top = 0;
    while (has_number(k, group, compartment, top + 1)) {
        top++;
    }
    return top;
}

uint32_t ml_keyring_last(const struct ml_keyring *k, const struct ml_team_id *group,
                         uint8_t compartment)
{
    const uint32_t top = ml_keyring_top(k, group, compartment);
    uint32_t last = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (e->epoch <= top && e->epoch > last && e->kek_key != NULL &&
            is_sealing(e, group, compartment)) {
            last = e->epoch;
        }
    }
    return last == 0 ? top : last;
}

/* One whose slots were made not to open here stops nobody: what is held comes first. */
static bool seals_before(const struct key_epoch *a, const struct key_epoch *b)
{
    if ((a->kek_key != NULL) != (b->kek_key != NULL)) {
        return a->kek_key != NULL;
    }
    if (a->epoch != b->epoch) {
        return a->epoch > b->epoch;
    }
    return memcmp(a->kek.b, b->kek.b, sizeof(a->kek.b)) < 0;
}

/* The highest number whose HIST somebody holds who isn't entitled: no epoch before it seals again,
 * whoever came back since. 0: none. */
static uint32_t ended_before(const struct ml_keyring *k, const struct ml_team_id *group,
                             uint8_t compartment)
{
    uint32_t number = 0;
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (e->ends && e->epoch > number && is_sealing(e, group, compartment)) {
            number = e->epoch;
        }
    }
    return number;
}

struct key_epoch *ml_keyring_sealing(const struct ml_keyring *k, const struct ml_team_id *team,
                                     uint8_t compartment)
{
    struct key_epoch *best = NULL;
    struct ml_team_id group = ml_keyring_group(team, compartment);
    const uint32_t top = ml_keyring_top(k, &group, compartment);
    const uint32_t ended = ended_before(k, &group, compartment);
    for (size_t i = 0; i < k->epoch_count; i++) {
        struct key_epoch *e = k->epochs[i];
        if (e->epoch >= ended && e->epoch <= top && e->fits && is_sealing(e, &group, compartment) &&
            (best == NULL || seals_before(e, best)) && ml_keyring_glass_fits(k, e)) {
            best = e;
        }
    }
    return best;
}

bool ml_keyring_can_seal(const struct ml_keyring *k, const struct ml_team_id *team,
                         ml_compartment compartment)
{
    const struct key_epoch *e = ml_keyring_sealing(k, team, (uint8_t)compartment);
    return e != NULL && e->kek_key != NULL;
}
