/* core/model/consent_member.c -- a member as statements of patients are about him: his professions
 * and his teams, by all that governance knows. */
#include <string.h>

#include "core/model/consent.h"

struct gathering {
    struct ml_consent_person *out;
    bool kept; /* a role keeps him to some teams */
    bool free; /* another doesn't */
};

static void role_add(struct ml_consent_person *p, uint16_t role)
{
    size_t i = 0;
    while (i < p->role_count && p->roles[i] != role) {
        i++;
    }
    if (role != 0 && i == p->role_count && i < ML_MATRIX_ROLES_MAX) {
        p->roles[p->role_count++] = role;
    }
}

static void team_add(struct ml_consent_person *p, const struct ml_team_id *team)
{
    size_t i = 0;
    while (i < p->team_count && memcmp(p->teams[i].b, team->b, sizeof(team->b)) != 0) {
        i++;
    }
    if (i == p->team_count && i < ML_ROLE_TEAMS_MAX) {
        p->teams[p->team_count++] = *team;
    }
}

static void teams_add(struct ml_consent_person *p, const struct ml_fact *f)
{
    struct ml_list_walk walk;
    struct ml_team_id team;
    ml_list_walk(&walk, &f->teams);
    while (ml_team_next(&walk, &team)) {
        team_add(p, &team);
    }
}

static void step_take(void *user, const struct ml_step *step)
{
    struct gathering *g = user;
    if (step->kind != ML_STEP_MEMBER && step->kind != ML_STEP_GIVEN) {
        return;
    }
    role_add(g->out, step->role);
    if (step->kind == ML_STEP_GIVEN && step->fact->teams.count > 0) {
        teams_add(g->out, step->fact);
        g->kept = true;
    } else {
        g->free = true;
    }
}

void ml_consent_person_of(struct ml_consent_person *out, const struct ml_gov *gov,
                          const struct ml_member_id *member, uint64_t now_ms)
{
    /* Any question tells all his roles; the answer doesn't matter. */
    const struct ml_right_question q = {
        .member = *member, .class = ML_CLASS_IDENTITY, .right = ML_RIGHT_READ, .ms = now_ms};
    struct gathering g = {.out = out};
    gov = gov == NULL ? ml_gov_nothing() : gov;
    const struct ml_fact *team = NULL;
    memset(out, 0, sizeof(*out));
    out->id = *member;
    (void)ml_right_explain(gov, &q, step_take, &g);
    out->all_teams = g.free || !g.kept;
    while (out->all_teams && (team = ml_gov_next(gov, ML_FACT_TEAM, team)) != NULL) {
        team_add(out, &team->team);
    }
}

struct ml_consent_member ml_consent_person_as(const struct ml_consent_person *person,
                                              const struct ml_team_id *teams, size_t count)
{
    struct ml_consent_member m = {.id = person->id,
                                  .roles = person->roles,
                                  .role_count = person->role_count,
                                  .teams = person->teams,
                                  .team_count = person->team_count,
                                  .in_care_team = person->all_teams};
    for (size_t i = 0; i < count * person->team_count && !m.in_care_team; i++) {
        m.in_care_team =
            memcmp(teams[i % count].b, person->teams[i / count].b, sizeof(teams[0].b)) == 0;
    }
    return m;
}
