/* core/model/authority_root.c -- which keys of Root are in force in a view (rules B16).
 *
 * A rotation takes the old Root's word away: what that Root signed counts where the rotation had
 * seen it, and nowhere else, for whoever stole the sheets could have signed it (deny wins). So
 * rotations come into force before every denial, also Root's own, and no denial cuts one. Of
 * concurrent rotations each is weighed by those before it: earlier ones first, then a majority's
 * before the old Root's own, then in an order that is alike everywhere. One that rests on what
 * another took away falls. Views without any, that is nearly all, cost one look at the statements.
 */
#include <string.h>

#include "core/model/authority_impl.h"

/* The place of rotations in the order in which they are weighed; alike for one that two said. */
struct turn {
    uint32_t depth; /* rotations that it had seen */
    bool root;
    const uint8_t *order;
};

static bool is_rotation(const struct ml_said *s)
{
    return s->say.kind == ML_SAY_ROTATE;
}

static const struct ml_said *rotation_of(const struct ml_authority *a, uint32_t act)
{
    const struct ml_said *s = &a->said[a->acts[act].first];
    return a->acts[act].count == 1 && is_rotation(s) ? s : NULL;
}

static bool is_here(const struct ml_view *v, uint32_t act)
{
    return act < v->act_count && v->a->acts[act].ruling.verdict == ML_VERDICT_ACCEPTED &&
           (v->everything || ml_authority_holds(v->a, v->vec, act));
}

static int turn_compare(const struct turn *a, const struct turn *b)
{
    if (a->depth != b->depth) {
        return a->depth < b->depth ? -1 : 1;
    }
    return a->root != b->root ? (a->root ? 1 : -1) : memcmp(a->order, b->order, ML_ROOT_ORDER);
}

static struct turn turn_of(const struct ml_view *v, const struct ml_said *rotation)
{
    const struct ml_authority *a = v->a;
    struct turn out = {0, rotation->say.root, rotation->say.order};
    for (size_t i = 0; i < a->said_count; i++) {
        const struct ml_said *s = &a->said[i];
        out.depth += is_rotation(s) && s->act != rotation->act && is_here(v, s->act) &&
                     ml_authority_holds(a, a->acts[rotation->act].vec, s->act);
    }
    return out;
}

/* The first turn after `last` (NULL: of all). False: there is none. */
static bool next_turn(const struct ml_view *v, const struct turn *last, struct turn *out)
{
    const struct ml_authority *a = v->a;
    bool found = false;
    for (size_t i = 0; i < a->said_count; i++) {
        if (!is_rotation(&a->said[i]) || !is_here(v, a->said[i].act)) {
            continue;
        }
        const struct turn one = turn_of(v, &a->said[i]);
        if ((last == NULL || turn_compare(&one, last) > 0) &&
            (!found || turn_compare(&one, out) < 0)) {
            *out = one;
            found = true;
        }
    }
    return found;
}

/* Those of this turn that count by what is in force so far. */
static ml_err take_turn(struct ml_view *v, const struct turn *turn)
{
    const struct ml_authority *a = v->a;
    ml_err err = ML_OK;
    for (size_t i = 0; i < a->said_count && err == ML_OK; i++) {
        const struct ml_said *s = &a->said[i];
        if (!is_rotation(s) || !is_here(v, s->act) || !ml_view_counts(v, s->act)) {
            continue;
        }
        const struct turn one = turn_of(v, s);
        if (turn_compare(&one, turn) == 0) {
            err = ml_numbers_push(&v->rotations, a->env, s->act);
        }
    }
    return err;
}

ml_err ml_view_rotate(struct ml_view *v, void (*weigh_all)(struct ml_view *v))
{
    struct turn turn;
    ml_err err = ML_OK;
    bool more = next_turn(v, NULL, &turn);
    while (more && err == ML_OK) {
        const struct turn last = turn;
        weigh_all(v);
        err = take_turn(v, &turn);
        more = next_turn(v, &last, &turn);
    }
    v->rotated = true;
    return err;
}

bool ml_view_has_rotation(const struct ml_view *v, uint32_t act)
{
    for (size_t i = 0; i < v->rotations.count; i++) {
        if (v->rotations.at[i] == act) {
            return true;
        }
    }
    return false;
}

static bool is_by_root(const struct ml_authority *a, const struct ml_act *x)
{
    bool root = false;
    for (size_t i = 0; i < x->count; i++) {
        root = root || a->said[x->first + i].say.root;
    }
    return root;
}

ml_reason ml_view_root_cut(const struct ml_view *v, uint32_t act)
{
    const struct ml_authority *a = v->a;
    const struct ml_act *x = &a->acts[act];
    if (v->rotated && rotation_of(a, act) != NULL) {
        return ML_REASON_GRANT_FELL; /* those in force aren't asked of */
    }
    for (size_t i = 0; i < v->rotations.count; i++) {
        const uint32_t by = v->rotations.at[i];
        if (!ml_authority_holds(a, x->vec, by) && !ml_authority_holds(a, a->acts[by].vec, act) &&
            is_by_root(a, x)) {
            return ML_REASON_GRANT_FELL;
        }
    }
    return ML_REASON_NONE;
}

static bool is_replaced(const struct ml_view *v, uint32_t act)
{
    const struct ml_authority *a = v->a;
    bool replaced = false;
    for (size_t i = 0; i < v->rotations.count; i++) {
        const uint32_t later = v->rotations.at[i];
        replaced = replaced || (later != act && ml_authority_holds(a, a->acts[later].vec, act));
    }
    return replaced;
}

/* One that nobody in force had seen; of several the smallest in order. */
uint32_t ml_view_root(const struct ml_view *v)
{
    const struct ml_said *best = NULL;
    for (size_t i = 0; i < v->rotations.count; i++) {
        const struct ml_said *s = rotation_of(v->a, v->rotations.at[i]);
        if (!is_replaced(v, s->act) &&
            (best == NULL || memcmp(s->say.order, best->say.order, ML_ROOT_ORDER) < 0)) {
            best = s;
        }
    }
    return best == NULL ? ML_NOBODY : best->act;
}
