/* net/node/team.h -- teams, the care circles of patients: finding one by what people call it, and
 * those of a patient. A patient belongs to the teams that he was opened in (PATIENT_OPEN); a role
 * holds in all teams, or in those that its grant names. Org thread; needs a session. */
#ifndef ML_NODE_TEAM_H
#define ML_NODE_TEAM_H

#include "core/model/keyring_except.h"
#include "net/node/call.h"
#include "net/node/org.h"

/** How many teams are called so, or have this id in hexadecimal; *out is one. NOMEM. */
ml_err ml_team_find(struct ml_org *org, const char *name, struct ml_team_id *out,
                    unsigned *found) ML_MUST_CHECK;
/** The one of them. NOT_FOUND; INVALID: two are called so. */
ml_err ml_call_team_named(struct ml_call *call, struct ml_team_id *out,
                          const char *name) ML_MUST_CHECK;
/** params.teams, ids or names, as a grant has them: ascending, each once; *count 0: none given. As
 * above; LIMIT. */
ml_err ml_call_teams(struct ml_call *call, struct ml_team_id out[ML_ROLE_TEAMS_MAX],
                     size_t *count) ML_MUST_CHECK;

/** Of a new patient whose author names none: the first team in which he may make patients; else the
 * first. NO_KEY: there is no team. */
ml_err ml_team_default(const struct ml_org *org, struct ml_team_id *out) ML_MUST_CHECK;
/** params.team, where the session's member may make patients, else as above. DENIED. */
ml_err ml_call_new_patient_team(struct ml_call *call, struct ml_team_id *out) ML_MUST_CHECK;

/** Those of a patient: *count 0, he isn't open here. */
ml_err ml_team_of_patient(const struct ml_org *org, const struct ml_object_id *patient,
                          struct ml_team_id out[ML_KEYRING_LINKS_MAX], size_t *count) ML_MUST_CHECK;

/** As ml_call_may, by the roles that hold for any of these teams; none: anywhere. */
struct ml_team_act {
    unsigned class;
    ml_right right;
    const struct ml_team_id *teams;
    size_t count;
};
ml_err ml_call_may_in(struct ml_call *call, const struct ml_team_act *act) ML_MUST_CHECK;

#endif
