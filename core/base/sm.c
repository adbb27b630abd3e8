/* core/base/sm.c -- see sm.h. */
#include "core/base/sm.h"

#include <stddef.h>

#include "core/base/assert.h"

static void sm_check(const struct ml_sm *sm, unsigned from)
{
    ML_ASSERT(sm->invariant == NULL || sm->invariant(sm, from));
}

void ml_sm_init(struct ml_sm *sm, const struct ml_sm_state *states, unsigned count,
                ml_sm_invariant *invariant, unsigned initial)
{
    ML_ASSERT(count >= 1 && count <= ML_SM_STATES_MAX && initial < count);
    ML_ASSERT((states[initial].flags & ML_SM_INITIAL) != 0);
    *sm =
        (struct ml_sm){.states = states, .invariant = invariant, .count = count, .state = initial};
    sm_check(sm, initial);
}

bool ml_sm_allows(const struct ml_sm *sm, unsigned to)
{
    return to < sm->count && (sm->states[sm->state].moves & ML_SM_TO(to)) != 0;
}

void ml_sm_move(struct ml_sm *sm, unsigned to)
{
    ML_ASSERT(ml_sm_allows(sm, to));
    unsigned from = sm->state;
    sm->state = to;
    sm_check(sm, from);
}

unsigned ml_sm_at(const struct ml_sm *sm)
{
    return sm->state;
}

const char *ml_sm_name(const struct ml_sm *sm)
{
    return sm->states[sm->state].name;
}

void ml_sm_fini(struct ml_sm *sm)
{
    ML_ASSERT((sm->states[sm->state].flags & ML_SM_FINAL) != 0);
    *sm = (struct ml_sm){0};
}
