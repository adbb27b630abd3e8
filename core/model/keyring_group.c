/* core/model/keyring_group.c -- whom groups' keys are for, and who has them (see keyring_group.h).
 *
 * Happy path: governance's answer is kept sorted; each epoch is compared with it when either
 * changes; the next epoch and the grants that are missing are made from the difference.
 *
 * Failures: an error leaves groups and epochs as they were.
 *
 * Invariant: e->fits says whether every holder of e's KEK is in its group, or nobody told of it;
 * e->ends whether some holder of e's HIST is not.
 */
#include "core/model/keyring_group.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/keyring_int.h"

static int id_order(const struct ml_recipient_id *a, const struct ml_recipient_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

const struct key_group *ml_keyring_find_group(const struct ml_keyring *k,
                                              const struct ml_team_id *group, uint8_t compartment)
{
    for (size_t i = 0; i < k->group_count; i++) {
        const struct key_group *g = &k->groups[i];
        if (g->compartment == compartment && memcmp(g->team.b, group->b, sizeof(g->team.b)) == 0) {
            return g;
        }
    }
    return NULL;
}

const struct group_member *ml_keyring_find_member(const struct key_group *group,
                                                  const struct ml_recipient_id *id)
{
    size_t from = 0;
    size_t to = group->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = id_order(&group->members[middle].id, id);
        if (order == 0) {
            return &group->members[middle];
        }
        from = order < 0 ? middle + 1 : from;
        to = order < 0 ? to : middle;
    }
    return NULL;
}

/* ---- who was given what ---- */

struct key_holder *ml_keyring_holder(const struct key_epoch *e, const struct ml_recipient_id *id)
{
    for (size_t i = 0; i < e->holder_count; i++) {
        if (id_order(&e->holders[i].id, id) == 0) {
            return &e->holders[i];
        }
    }
    return NULL;
}

static struct key_holder *holder_add(struct ml_keyring *k, struct key_epoch *e,
                                     const struct ml_recipient_id *id)
{
    if (e->holder_count == e->holder_cap) {
        const size_t cap = e->holder_cap == 0 ? 8 : e->holder_cap * 2;
        struct key_holder *grown = ml_resize(k->env, e->holders, cap * sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }
        e->holders = grown;
        e->holder_cap = cap;
    }
    e->holders[e->holder_count] = (struct key_holder){.id = *id};
    return &e->holders[e->holder_count++];
}

bool ml_keyring_is_given(const struct key_epoch *e, const struct ml_recipient_id *id)
{
    const struct key_holder *holder = ml_keyring_holder(e, id);
    return holder != NULL && (holder->kek || holder->hist);
}

ml_err ml_keyring_hand(struct ml_keyring *k, struct key_epoch *e, const struct ml_recipient_id *id,
                       ml_slot_kind kind)
{
    struct key_holder *holder = ml_keyring_holder(e, id);
    holder = holder == NULL ? holder_add(k, e, id) : holder;
    if (holder == NULL) {
        return ML_E_NOMEM;
    }
    holder->hist |= kind == ML_SLOT_HIST;
    holder->kek |= kind == ML_SLOT_KEK;
    holder->hears |= kind == ML_SLOT_CONSENT;
    holder->asks = holder->asks && kind != ML_SLOT_KEK;
    return ML_OK;
}

void ml_keyring_refit(const struct ml_keyring *k, struct key_epoch *e)
{
    const struct key_group *group = ml_keyring_find_group(k, &e->team, e->compartment);
    e->fits = true;
    e->ends = false;
    for (size_t i = 0; i < e->holder_count && group != NULL; i++) {
        const bool in = ml_keyring_find_member(group, &e->holders[i].id) != NULL;
        e->fits = e->fits && (in || !e->holders[i].kek);
        e->ends = e->ends || (!in && e->holders[i].hist);
    }
}

/* ---- groups ---- */

static int member_order(const void *a, const void *b)
{
    const struct group_member *x = a;
    const struct group_member *y = b;
    return id_order(&x->id, &y->id);
}

static ml_err members_sort(const struct ml_keyring *k, struct group_member **out,
                           const struct ml_group *group)
{
    struct group_member *members =
        ml_alloc_array(k->env, group->count == 0 ? 1 : group->count, sizeof(*members));
    if (members == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < group->count; i++) {
        members[i].who = group->members[i];
        members[i].id = ml_recipient_id_of(&group->members[i].pk);
    }
    qsort(members, group->count, sizeof(*members), member_order);
    for (size_t i = 1; i < group->count; i++) {
        if (id_order(&members[i - 1].id, &members[i].id) == 0) {
            ml_release(k->env, members);
            return ML_E_INVALID;
        }
    }
    *out = members;
    return ML_OK;
}

static ml_err group_add(struct ml_keyring *k, size_t *at)
{
    if (k->group_count == k->group_cap) {
        const size_t cap = k->group_cap == 0 ? 16 : k->group_cap * 2;
        struct key_group *grown = ml_resize(k->env, k->groups, cap * sizeof(*grown));
        if (grown == NULL) {
            return ML_E_NOMEM;
        }
        k->groups = grown;
        k->group_cap = cap;
    }
    *at = k->group_count++;
    k->groups[*at] = (struct key_group){0};
    return ML_OK;
}

ml_err ml_keyring_set_group(struct ml_keyring *k, const struct ml_group *in)
{
    const uint8_t compartment = (uint8_t)in->compartment;
    const struct ml_team_id team = ml_keyring_group(&in->team, compartment);
    const struct key_group *found = ml_keyring_find_group(k, &team, compartment);
    struct group_member *members = NULL;
    size_t at = found == NULL ? 0 : (size_t)(found - k->groups);
    ml_err err = members_sort(k, &members, in);
    if (err == ML_OK && found == NULL) {
        err = group_add(k, &at);
    }
    if (err != ML_OK) {
        ml_release(k->env, members);
        return err;
    }
    ml_release(k->env, k->groups[at].members);
    k->groups[at] = (struct key_group){
        .team = team, .compartment = compartment, .members = members, .count = in->count};
    for (size_t i = 0; i < k->epoch_count; i++) {
        if (ml_keyring_is_of(k->epochs[i], &team, compartment)) {
            ml_keyring_refit(k, k->epochs[i]);
        }
    }
    return ML_OK;
}

bool ml_keyring_is_empty(const struct ml_keyring *k, const struct ml_team_id *team,
                         uint8_t compartment)
{
    const struct ml_team_id id = ml_keyring_group(team, compartment);
    const struct key_group *group = ml_keyring_find_group(k, &id, compartment);
    return group != NULL && group->count == 0;
}

void ml_keyring_drop_groups(struct ml_keyring *k)
{
    for (size_t i = 0; i < k->group_count; i++) {
        ml_release(k->env, k->groups[i].members);
    }
    ml_release(k->env, k->groups);
    k->groups = NULL;
    k->group_count = 0;
    k->group_cap = 0;
}

static bool is_held_by_other(const struct ml_keyring *k, const struct key_group *group,
                             const struct key_epoch *e)
{
    for (size_t i = 0; i < e->holder_count; i++) {
        const struct key_holder *h = &e->holders[i];
        if (h->kek && !h->asks && id_order(&h->id, &k->mon_id) != 0 &&
            ml_keyring_find_member(group, &h->id) != NULL) {
            return true;
        }
    }
    return false;
}

/* Who holds no key of a group leaves the next epoch to who does, so that nothing older is lost;
 * but for slots that lied to him, and when nobody is left. */
static ml_group_state state_without(const struct ml_keyring *k, const struct key_group *group,
                                    uint32_t top)
{
    bool awaits = false;
    for (size_t i = 0; i < k->epoch_count; i++) {
        const struct key_epoch *e = k->epochs[i];
        if (!e->accepted || e->epoch > top ||
            !ml_keyring_is_of(e, &group->team, group->compartment)) {
            continue;
        }
        if (e->kek_key != NULL || (e->epoch == top && ml_keyring_is_given(e, &k->mon_id))) {
            return ML_GROUP_STALE;
        }
        awaits = awaits || is_held_by_other(k, group, e);
    }
    return awaits ? ML_GROUP_AWAITS : ML_GROUP_STALE;
}

/* An epoch that fits and isn't held: who made it had it granted to everybody else, or will. */
static bool is_for_others(const struct ml_keyring *k, const struct key_epoch *e)
{
    return e != NULL && !ml_keyring_is_given(e, &k->mon_id);
}

ml_group_state ml_keyring_group_state(const struct ml_keyring *k, const struct ml_team_id *team,
                                      ml_compartment compartment)
{
    const struct ml_team_id id = ml_keyring_group(team, (uint8_t)compartment);
    const struct key_group *group = ml_keyring_find_group(k, &id, (uint8_t)compartment);
    const struct key_epoch *e = ml_keyring_sealing(k, &id, (uint8_t)compartment);
    if (group == NULL || ml_keyring_find_member(group, &k->mon_id) == NULL) {
        return ML_GROUP_CLOSED;
    }
    if (e != NULL && e->kek_key != NULL) {
        return ML_GROUP_SEALS;
    }
    if (is_for_others(k, e)) {
        return ML_GROUP_AWAITS;
    }
    return state_without(k, group, ml_keyring_top(k, &id, (uint8_t)compartment));
}

/* ---- the next epoch ---- */

struct gathering {
    const struct ml_keyring *k;
    bool *led; /* by epoch: its KEK, then its HIST: what is in `refs` leads to it, or is it */
    struct key_refs refs;
};

/* Do those that are in, or what they lead to, lead to this key? */
static ml_err is_led_to(const struct gathering *g, bool *led, const struct key_ref *ref)
{
    const struct ml_keyring *k = g->k;
    ml_err err = ML_OK;
    *led = false;
    for (size_t i = 0; i < k->epoch_count && err == ML_OK && !*led; i++) {
        if (g->led[2 * i + 1]) {
            err = ml_keyring_leads_to(k, led, k->epochs[i], ref->e, ref->hist);
        }
    }
    return err;
}

static ml_err gather_key(struct gathering *g, size_t epoch, bool hist, bool top)
{
    const struct key_ref ref = {g->k->epochs[epoch], hist};
    bool led = false;
    if ((hist ? ref.e->hist_key : ref.e->kek_key) == NULL) {
        return ML_OK;
    }
    ml_err err = top ? ML_OK : is_led_to(g, &led, &ref);
    if (err == ML_OK && !led) {
        g->refs.ref[g->refs.count++] = ref;
    }
    g->led[2 * epoch + hist] = err == ML_OK;
    return err;
}

static ml_err gather_number(struct gathering *g, const struct ml_group_place *group,
                            uint32_t number, bool top)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < g->k->epoch_count && err == ML_OK; i++) {
        const struct key_epoch *e = g->k->epochs[i];
        if (e->epoch != number || !ml_keyring_is_of(e, &group->team, (uint8_t)group->compartment)) {
            continue;
        }
        err = gather_key(g, i, false, top);
        err = err == ML_OK ? gather_key(g, i, true, top) : err;
    }
    return err;
}

ml_err ml_keyring_held(const struct ml_keyring *k, struct key_refs *out,
                       const struct ml_group_place *group, uint32_t top)
{
    struct gathering g = {.k = k};
    const size_t max = 2 * (k->epoch_count == 0 ? 1 : k->epoch_count);
    g.led = ml_alloc_array(k->env, max, sizeof(*g.led));
    g.refs.ref = ml_alloc_array(k->env, max, sizeof(*g.refs.ref));
    ml_err err = g.led == NULL || g.refs.ref == NULL ? ML_E_NOMEM : ML_OK;
    for (uint32_t number = top; number > 0 && err == ML_OK; number--) {
        err = gather_number(&g, group, number, number == top);
    }
    ml_release(k->env, g.led);
    if (err != ML_OK) {
        ml_release(k->env, g.refs.ref);
        return err;
    }
    *out = g.refs;
    return ML_OK;
}

/* Was he given every one of these? The new HIST leads to nothing that he didn't have. */
static bool has_all(const struct key_refs *refs, const struct ml_recipient_id *id)
{
    for (size_t i = 0; i < refs->count; i++) {
        const struct key_holder *h = ml_keyring_holder(refs->ref[i].e, id);
        if (h == NULL || !(refs->ref[i].hist ? h->hist : h->kek)) {
            return false;
        }
    }
    return true;
}

/* Fills `to` with the group's members. */
static ml_err next_recipients(const struct ml_keyring *k, const struct ml_group_place *place,
                              const struct key_group *group, struct ml_epoch_recipient *to)
{
    struct key_refs refs;
    ml_err err =
        ml_keyring_held(k, &refs, place, ml_keyring_last(k, &place->team, group->compartment));
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct group_member *m = &group->members[i];
        to[i].pk = m->who.pk;
        to[i].history =
            id_order(&m->id, &k->mon_id) == 0 || (m->who.keeper && has_all(&refs, &m->id));
    }
    ml_release(k->env, refs.ref);
    return ML_OK;
}

ml_err ml_keyring_make_next(struct ml_keyring *k, const struct ml_group_place *in,
                            ml_keyop_cb *emit, void *user)
{
    struct ml_group_place place = *in;
    place.team = ml_keyring_group(&in->team, (uint8_t)in->compartment);
    const ml_group_state state = ml_keyring_group_state(k, &place.team, place.compartment);
    const struct key_group *group =
        ml_keyring_find_group(k, &place.team, (uint8_t)place.compartment);
    if (state == ML_GROUP_CLOSED) {
        return ML_E_DENIED;
    }
    if (state == ML_GROUP_AWAITS) {
        return ML_E_NO_KEY;
    }
    struct ml_epoch_recipient *to = ml_alloc_array(k->env, group->count, sizeof(*to));
    const struct ml_epoch_args args = {.team = place.team,
                                       .compartment = place.compartment,
                                       .recipients = to,
                                       .recipient_count = group->count,
                                       .recovery = place.recovery};
    ml_err err = to == NULL ? ML_E_NOMEM : next_recipients(k, &place, group, to);
    if (err == ML_OK) {
        err = ml_keyring_make_epoch(k, &args, emit, user);
    }
    ml_release(k->env, to);
    return err;
}

bool ml_keyring_group_kek(const struct ml_keyring *k, const struct ml_team_id *team,
                          ml_compartment compartment, struct ml_key_id *kek)
{
    const struct key_epoch *e = ml_keyring_sealing(k, team, (uint8_t)compartment);
    if (e != NULL && e->kek_key != NULL) {
        *kek = e->kek;
    }
    return e != NULL && e->kek_key != NULL;
}

struct ml_recipient_id ml_keyring_self(const struct ml_keyring *k)
{
    return k->mon_id;
}
