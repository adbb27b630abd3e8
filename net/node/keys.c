/* net/node/keys.c -- see keys.h. */
#include "net/node/keys.h"

#include <string.h>

#include "core/model/keyring_group.h"
#include "core/model/keyring_pair.h"
#include "net/node/glass.h"
#include "net/node/network.h"
#include "net/node/right.h"
#include "net/node/session.h"

enum { KEYS_BYTES_MAX = 64 << 20 };

void ml_keys_init(struct ml_keys *keys, const struct ml_env *env)
{
    ml_buf_init(&keys->bytes, env, KEYS_BYTES_MAX);
    ml_buf_init(&keys->sizes, env, KEYS_BYTES_MAX);
}

void ml_keys_free(struct ml_keys *keys)
{
    ml_buf_free(&keys->bytes);
    ml_buf_free(&keys->sizes);
}

ml_err ml_keys_emit(void *user, struct ml_slice op)
{
    struct ml_keys *keys = user;
    ml_buf_append(&keys->bytes, op.data, op.len);
    ml_buf_append(&keys->sizes, &op.len, sizeof(op.len));
    return keys->bytes.err != ML_OK ? keys->bytes.err : keys->sizes.err;
}

/* How many of the ops from `sizes` on fit one body: its own framing takes a few bytes an op. */
static size_t fits(const size_t *sizes, size_t count)
{
    enum { OP_FRAME_BYTES = 8 };
    size_t bytes = OP_FRAME_BYTES;
    size_t n = 0;
    while (n < count && n < ML_BUNDLE_OPS_MAX) {
        bytes += sizes[n] + OP_FRAME_BYTES;
        if (bytes > ML_BODY_BYTES_MAX) {
            break;
        }
        n++;
    }
    return n;
}

ml_err ml_keys_append(struct ml_org *org, struct ml_keys *keys)
{
    const size_t *sizes = (const void *)keys->sizes.data;
    size_t left = keys->sizes.len / sizeof(*sizes);
    const uint8_t *at = keys->bytes.data;
    struct ml_author author;
    ml_session_author(org, &author);
    while (left > 0) {
        struct ml_slice ops[ML_BUNDLE_OPS_MAX];
        size_t n = fits(sizes, left);
        if (n == 0) {
            return ML_E_LIMIT;
        }
        for (size_t i = 0; i < n; i++) {
            ops[i] = ml_slice(at, sizes[i]);
            at += sizes[i];
        }
        ml_err err = ml_org_append_plain(org, &author, ML_LANE_KEYS, ops, n);
        if (err != ML_OK) {
            return err;
        }
        sizes += n;
        left -= n;
    }
    return ml_session_catch_up_all(org);
}

/* ---- groups ---- */

uint64_t ml_keys_utc_ms(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    const uint64_t wall = env->wall_ms(env->ctx);
    const uint64_t seen = ml_hlc_ms(ml_log_hlc_last(org->log));
    return wall > seen ? wall : seen;
}

/* The next group after `*team` (NULL: from the first) and `*compartment`: those of each team, then
 * the org-wide one. False: after the last. */
struct group_walk {
    const struct ml_gov *gov;
    const struct ml_fact *team;
    bool ended;
    struct ml_team_id id;
    uint8_t compartment;
};

static void group_walk(struct group_walk *w, const struct ml_org *org)
{
    *w = (struct group_walk){.gov = ml_log_gov(org->log)};
    w->team = ml_gov_next(w->gov, ML_FACT_TEAM, NULL);
}

static bool group_next(struct group_walk *w)
{
    static const struct ml_team_id org_wide = {{0}};
    if (w->ended) {
        return false;
    }
    w->compartment++;
    if (w->compartment == ML_COMPARTMENT_ANNUAIRE && w->team != NULL) {
        w->team = ml_gov_next(w->gov, ML_FACT_TEAM, w->team);
        w->compartment = 1;
    }
    w->ended = w->team == NULL;
    w->compartment = w->ended ? ML_COMPARTMENT_ANNUAIRE : w->compartment;
    w->id = w->ended ? org_wide : w->team->team;
    return true;
}

struct entitled {
    const struct ml_gov *gov;
    struct ml_buf members; /* of struct ml_group_member */
};

static ml_err entitled_take(void *user, const struct ml_fact *mon)
{
    struct entitled *e = user;
    const struct ml_fact *rank = ml_gov_member(e->gov, &mon->member);
    const struct ml_group_member member = {
        .pk = mon->box_pk, .keeper = rank != NULL && rank->rank <= ML_RANK_REFERENT};
    ml_buf_append(&e->members, &member, sizeof(member));
    return e->members.err;
}

static ml_err tell_group(struct ml_org *org, const struct group_walk *at, uint64_t ms)
{
    struct entitled e = {.gov = at->gov};
    const struct ml_gov_group group = {.team = at->id, .compartment = at->compartment, .ms = ms};
    ml_buf_init(&e.members, org->node->env, KEYS_BYTES_MAX);
    ml_err err = ml_gov_each_entitled(at->gov, &group, entitled_take, &e);
    if (err == ML_OK) {
        const struct ml_group told = {.team = at->id,
                                      .compartment = (ml_compartment)at->compartment,
                                      .members = (const void *)e.members.data,
                                      .count = e.members.len / sizeof(struct ml_group_member)};
        err = ml_keyring_set_group(ml_session_keyring(org), &told);
    }
    ml_buf_free(&e.members);
    return err;
}

static ml_err tell_breakers(struct ml_org *org)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    struct ml_buf may;
    ml_buf_init(&may, org->node->env, KEYS_BYTES_MAX);
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (ml_right_of(org, &f->member, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) != ML_SCOPE_NONE) {
            ml_buf_append(&may, &f->box_pk, sizeof(f->box_pk));
        }
    }
    ml_err err = may.err;
    if (err == ML_OK) {
        err = ml_keyring_set_breakers(ml_session_keyring(org), (const void *)may.data,
                                      may.len / sizeof(struct ml_box_pk));
    }
    ml_buf_free(&may);
    return err;
}

static bool is_told(const struct ml_org *org)
{
    const struct ml_keys_told *told = &org->session->keys;
    return told->told && told->acts == ml_gov_acts(ml_log_gov(org->log)) &&
           told->log_epoch == ml_log_epoch(org->log) && ml_keys_utc_ms(org) < told->until_ms;
}

ml_err ml_keys_tell(struct ml_org *org)
{
    struct ml_keys_told *last = &org->session->keys;
    const uint64_t ms = ml_keys_utc_ms(org);
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_keys_told now = {.told = true,
                                     .acts = ml_gov_acts(gov),
                                     .log_epoch = ml_log_epoch(org->log),
                                     .until_ms = ml_gov_next_date(gov, ms)};
    struct group_walk w;
    ml_err err = ML_OK;
    if (is_told(org)) {
        return ML_OK;
    }
    group_walk(&w, org);
    while (err == ML_OK && group_next(&w)) {
        err = tell_group(org, &w, ms);
    }
    err = err == ML_OK ? tell_breakers(org) : err;
    if (err == ML_OK) {
        *last = now;
    }
    return err;
}

uint64_t ml_keys_hold_ms(const struct ml_org *org)
{
    const struct ml_keys_told *told = &org->session->keys;
    if (!told->told || (is_told(org) && told->until_ms == UINT64_MAX)) {
        return UINT64_MAX;
    }
    return is_told(org) ? told->until_ms - ml_keys_utc_ms(org) : 0;
}

static bool is_closed(const struct ml_org *org, const struct ml_keys_place *at, ml_compartment c)
{
    static const struct ml_team_id org_wide = {{0}};
    const struct ml_keyring *k = ml_session_keyring(org);
    bool closed =
        c != ML_COMPARTMENT_ANNUAIRE || ml_keyring_group_state(k, &org_wide, c) == ML_GROUP_CLOSED;
    for (size_t i = 0; i < at->count && closed; i++) {
        closed = ml_keyring_group_state(k, &at->teams[i], c) == ML_GROUP_CLOSED;
    }
    return closed;
}

unsigned ml_keys_closed(const struct ml_org *org, const struct ml_keys_place *at)
{
    unsigned closed = 0;
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST; c++) {
        const bool asked = (at->compartments >> c & 1u) != 0;
        closed |= asked && is_closed(org, at, (ml_compartment)c) ? 1u << c : 0;
    }
    return closed;
}

static bool is_next(ml_group_state state, bool renew)
{
    return state == ML_GROUP_STALE || (renew && state == ML_GROUP_SEALS);
}

static ml_err next_epochs(struct ml_org *org, unsigned compartments, bool renew,
                          struct ml_keys *keys)
{
    struct group_walk w;
    const struct ml_fact *root = ml_gov_root(ml_log_gov(org->log));
    struct ml_keyring *k = ml_session_keyring(org);
    ml_err err = ML_OK;
    group_walk(&w, org);
    while (err == ML_OK && group_next(&w)) {
        const ml_compartment c = (ml_compartment)w.compartment;
        const bool recovers = root != NULL && c != ML_COMPARTMENT_ANNUAIRE;
        const struct ml_group_place place = {
            .team = w.id, .compartment = c, .recovery = recovers ? &root->box_pk : NULL};
        const bool wanted = (compartments >> w.compartment & 1u) != 0;
        if (wanted && is_next(ml_keyring_group_state(k, &w.id, c), renew && recovers)) {
            err = ml_keyring_make_next(k, &place, ml_keys_emit, keys);
        }
    }
    return err;
}

ml_err ml_keys_grant(struct ml_org *org)
{
    struct ml_keys keys;
    ml_err err = ml_keys_tell(org);
    struct ml_keys_told *last = &org->session->keys;
    last->looked = last->looked && last->faults == ml_keyring_faults(ml_session_keyring(org));
    if (err != ML_OK || last->looked) {
        return err;
    }
    ml_keys_init(&keys, org->node->env);
    err = ml_keyring_make_grants(ml_session_keyring(org), ml_keys_emit, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    if (err == ML_OK) {
        err = ml_network_tend(org);
    }
    last->looked = err == ML_OK;
    last->faults = ml_keyring_faults(ml_session_keyring(org));
    return err;
}

ml_err ml_keys_ask(struct ml_org *org)
{
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_faults(ml_session_keyring(org), ml_keys_emit, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

/* Whoever comes after the new epochs knows the structure's own stream too. */
static ml_err structure_reopen(struct ml_org *org)
{
    static const struct ml_object_id structure;
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_reopen(ml_session_keyring(org), &structure, ml_keys_emit, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err epochs_append(struct ml_org *org, unsigned compartments, bool renew)
{
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = next_epochs(org, compartments, renew, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
        err = err == ML_OK ? structure_reopen(org) : err;
    }
    ml_keys_free(&keys);
    return err == ML_OK ? ml_keys_grant(org) : err;
}

ml_err ml_keys_ready(struct ml_org *org, unsigned compartments)
{
    const ml_err err = ml_keys_tell(org);
    if (err != ML_OK) {
        return err;
    }
    /* First: the next epochs seal their break-glass pairs to it. */
    ml_glass_tend(org);
    return epochs_append(org, compartments, false);
}

ml_err ml_keys_renew(struct ml_org *org)
{
    const ml_err err = ml_keys_tell(org);
    return err == ML_OK ? epochs_append(org, ML_KEYS_ALL, true) : err;
}
