/* core/model/cosign.c -- see cosign.h. The facts that explain a right tell it, but for their dates:
 * what was written under a role waits after that role has ended too.
 */
#include "core/model/cosign.h"

#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/model/matrix.h"

struct weighing {
    struct ml_cosign *out;
    const struct ml_gov *gov;
    const struct ml_matrix *matrix; /* NULL: none */
    uint64_t ms;
    unsigned class;
    bool replacing; /* the steps that follow are of whom he replaces ... */
    bool replaces;  /* ... and he did, then */
    bool any;       /* some role of his was weighed */
};

/* Was this grant, or the one that it renews or ends, there by then? */
static bool was_said(const struct ml_gov *gov, const struct ml_fact *grant, uint64_t ms)
{
    const struct ml_fact *f = NULL;
    bool said = false;
    while (!said && (f = ml_gov_next(gov, ML_FACT_ROLE, f)) != NULL) {
        said = ml_hlc_ms(f->hlc) <= ms && f->role == grant->role &&
               memcmp(&f->member, &grant->member, sizeof(f->member)) == 0 &&
               memcmp(&f->replaces, &grant->replaces, sizeof(f->replaces)) == 0;
    }
    return said;
}

static bool was_in_force(const struct weighing *w, const struct ml_fact *f)
{
    return w->ms >= f->from_ms && (f->until_ms == 0 || w->ms < f->until_ms) &&
           was_said(w->gov, f, w->ms);
}

static void supervisor_take(const struct weighing *w, const struct ml_fact *f)
{
    if (!ml_is_zero(f->supervisor.b, sizeof(f->supervisor.b))) {
        w->out->waits = true;
        w->out->supervisor = f->supervisor;
    }
}

static void role_weigh(struct weighing *w, uint16_t role)
{
    const bool asks =
        w->matrix != NULL && (ml_matrix_cell(w->matrix, role, w->class) & ML_CELL_COSIGN) != 0;
    w->any = true;
    w->out->waits = w->out->waits || asks;
}

static void step_weigh(void *user, const struct ml_step *step)
{
    struct weighing *w = user;
    const bool mine = !w->replacing || w->replaces;
    if (step->kind == ML_STEP_REPLACES) {
        w->replacing = true;
        w->replaces = was_in_force(w, step->fact);
        if (w->replaces) {
            supervisor_take(w, step->fact);
        }
    } else if (step->kind == ML_STEP_GIVEN && mine && was_in_force(w, step->fact)) {
        supervisor_take(w, step->fact);
        role_weigh(w, step->role);
    } else if (step->kind == ML_STEP_MEMBER && mine) {
        role_weigh(w, step->role);
    }
}

bool ml_cosign_any(const struct ml_gov *gov)
{
    return ml_gov_wants_writes(gov, ML_LANE_RECORD);
}

static bool role_asks(const struct ml_matrix *matrix, uint16_t role)
{
    unsigned class = 1;
    while (class <= ML_MATRIX_CLASS_MAX &&
           (ml_matrix_cell(matrix, role, class) & ML_CELL_COSIGN) == 0) {
        class ++;
    }
    return class <= ML_MATRIX_CLASS_MAX;
}

bool ml_cosign_ever(const struct ml_gov *gov, const struct ml_member_id *member)
{
    struct ml_matrix matrix;
    const bool has = ml_gov_matrix(gov, &matrix);
    const struct ml_fact *f = ml_gov_ever_member(gov, member);
    bool ever = f != NULL && has && role_asks(&matrix, f->role);
    for (f = NULL; !ever && (f = ml_gov_next(gov, ML_FACT_ROLE, f)) != NULL;) {
        ever = memcmp(&f->member, member, sizeof(*member)) == 0 &&
               (f->role == 0 || !ml_is_zero(f->supervisor.b, sizeof(f->supervisor.b)) ||
                (has && role_asks(&matrix, f->role)));
    }
    return ever;
}

void ml_cosign_of(struct ml_cosign *out, const struct ml_gov *gov,
                  const struct ml_cosign_wrote *wrote)
{
    struct ml_matrix matrix;
    const struct ml_right_question q = {.member = wrote->member,
                                        .class = wrote->class,
                                        .right = ML_RIGHT_CREATE,
                                        .ms = wrote->ms,
                                        .undated = true};
    struct weighing w = {.out = out, .gov = gov, .ms = wrote->ms, .class = wrote->class};
    *out = (struct ml_cosign){.waits = false};
    w.matrix = ml_gov_matrix(gov, &matrix) ? &matrix : NULL;
    out->may = ml_right_explain(gov, &q, step_weigh, &w) != ML_SCOPE_NONE;
    const struct ml_fact *member = ml_gov_ever_member(gov, &wrote->member);
    if (!w.any && member != NULL) { /* before he was given any of the roles that he has now */
        role_weigh(&w, member->role);
    }
}

bool ml_cosign_is_by(const struct ml_gov *gov, const struct ml_cosign *cosign,
                     const struct ml_cosign_wrote *wrote, const struct ml_cosign_wrote *signer)
{
    struct ml_cosign own;
    const bool named = !ml_is_zero(cosign->supervisor.b, sizeof(cosign->supervisor.b));
    if (memcmp(&wrote->member, &signer->member, sizeof(wrote->member)) == 0 ||
        (named && memcmp(&cosign->supervisor, &signer->member, sizeof(signer->member)) != 0)) {
        return false;
    }
    ml_cosign_of(&own, gov, signer);
    return own.may && !own.waits;
}
