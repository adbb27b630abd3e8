/* net/node/team.c -- see team.h. */
#include "net/node/team.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"

/* ---- names ---- */

struct search {
    struct ml_org *org;
    struct ml_slice name;
    struct ml_team_id *out;
    unsigned found;
};

static ml_err is_called(const struct search *s, const struct ml_team_id *team, bool *is)
{
    struct ml_card_place of = {.kind = ML_CARD_TEAM};
    struct ml_buf name;
    memcpy(of.id, team->b, sizeof(of.id));
    ml_buf_init(&name, s->org->node->env, ML_SEALED_BYTES_MAX);
    ml_card_name(s->org, &of, &name);
    const ml_err err = name.err;
    *is = err == ML_OK && ml_slice_equal(ml_buf_slice(&name), s->name);
    ml_buf_free(&name);
    return err;
}

static ml_err search_names(struct search *s)
{
    const struct ml_fact *f = NULL;
    ml_err err = ML_OK;
    while (err == ML_OK && (f = ml_gov_next(ml_log_gov(s->org->log), ML_FACT_TEAM, f)) != NULL) {
        bool is = false;
        err = is_called(s, &f->team, &is);
        if (is) {
            *s->out = f->team;
            s->found++;
        }
    }
    return err;
}

static bool is_team(const struct ml_org *org, const struct ml_team_id *team)
{
    const struct ml_fact *f = ml_gov_next(ml_log_gov(org->log), ML_FACT_TEAM, NULL);
    while (f != NULL && memcmp(f->team.b, team->b, sizeof(team->b)) != 0) {
        f = ml_gov_next(ml_log_gov(org->log), ML_FACT_TEAM, f);
    }
    return f != NULL;
}

ml_err ml_team_find(struct ml_org *org, const char *name, struct ml_team_id *out, unsigned *found)
{
    struct ml_team_id team;
    struct search s = {.org = org, .name = ml_slice_str(name), .out = out};
    if (ml_hex_decode(team.b, sizeof(team.b), name, strlen(name)) == ML_OK && is_team(org, &team)) {
        *out = team;
        *found = 1;
        return ML_OK;
    }
    const ml_err err = search_names(&s);
    *found = s.found;
    return err;
}

ml_err ml_call_team_named(struct ml_call *call, struct ml_team_id *out, const char *name)
{
    struct ml_team_id team;
    unsigned found = 0;
    const ml_err err = ml_team_find(call->org, name, &team, &found);
    if (err != ML_OK) {
        return err;
    }
    if (found != 1) {
        const bool none = found == 0;
        return ml_call_fail(call, none ? ML_E_NOT_FOUND : ML_E_INVALID,
                            none ? "team.unknown" : "team.twice", "team", name);
    }
    *out = team;
    return ML_OK;
}

static int team_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_team_id));
}

static bool is_among(const struct ml_team_id *teams, size_t count, const struct ml_team_id *team)
{
    size_t i = 0;
    while (i < count && memcmp(teams[i].b, team->b, sizeof(team->b)) != 0) {
        i++;
    }
    return i < count;
}

ml_err ml_call_teams(struct ml_call *call, struct ml_team_id out[ML_ROLE_TEAMS_MAX], size_t *count)
{
    const struct ml_value *list = ml_value_get(call->params, "teams");
    ml_err err = ML_OK;
    *count = 0;
    for (const struct ml_value *v = ml_value_at(list, 0); v != NULL && err == ML_OK;
         v = ml_value_next(v)) {
        struct ml_team_id team;
        err = ml_call_team_named(call, &team, ml_value_text(v, ""));
        if (err != ML_OK || is_among(out, *count, &team)) {
            continue;
        }
        if (*count == ML_ROLE_TEAMS_MAX) {
            return ML_E_LIMIT;
        }
        out[(*count)++] = team;
    }
    qsort(out, *count, sizeof(*out), team_compare);
    return err;
}

/* ---- rights in a team ---- */

/* Before there is a matrix or a role anybody may. */
static bool may_in(const struct ml_org *org, const struct ml_team_act *act)
{
    return !ml_gov_wants_writes(ml_log_gov(org->log), ML_LANE_RECORD) ||
           ml_right_here(org, act->class, act->right, act->teams, act->count) != ML_SCOPE_NONE;
}

static bool may_make_patients(const struct ml_org *org, const struct ml_team_id *team)
{
    const struct ml_team_act act = {ML_CLASS_IDENTITY, ML_RIGHT_CREATE, team, 1};
    return may_in(org, &act);
}

ml_err ml_team_default(const struct ml_org *org, struct ml_team_id *out)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *first = ml_gov_next(gov, ML_FACT_TEAM, NULL);
    const struct ml_fact *f = first;
    while (f != NULL && !may_make_patients(org, &f->team)) {
        f = ml_gov_next(gov, ML_FACT_TEAM, f);
    }
    f = f == NULL ? first : f;
    if (f == NULL) {
        return ML_E_NO_KEY;
    }
    *out = f->team;
    return ML_OK;
}

/* A detail `team` of a refusal. */
static ml_err detail_team(struct ml_call *call, const struct ml_team_id *team)
{
    struct ml_card_place of = {.kind = ML_CARD_TEAM};
    struct ml_buf name;
    memcpy(of.id, team->b, sizeof(of.id));
    ml_buf_init(&name, call->node->env, ML_SEALED_BYTES_MAX);
    ml_card_name(call->org, &of, &name);
    ml_buf_append(&name, "", 1);
    const ml_err err = name.err;
    if (err == ML_OK) {
        ml_call_detail(call, "team", (const char *)name.data);
    }
    ml_buf_free(&name);
    return err;
}

ml_err ml_call_may_in(struct ml_call *call, const struct ml_team_act *act)
{
    ml_err err = ml_call_may(call, act->class, act->right);
    if (err != ML_OK || act->count == 0 || may_in(call->org, act) ||
        ml_gov_member(ml_log_gov(call->org->log), &call->session->member) == NULL) {
        return err; /* who is no member, is told so otherwise */
    }
    err = detail_team(call, &act->teams[0]);
    return err != ML_OK ? err
                        : ml_call_fail(call, ML_E_DENIED, "right.elsewhere", "class",
                                       ml_class_name(act->class));
}

ml_err ml_call_new_patient_team(struct ml_call *call, struct ml_team_id *out)
{
    const char *name = ml_call_text_or(call, "team", NULL);
    if (name == NULL) {
        return ml_team_default(call->org, out);
    }
    const struct ml_team_act act = {ML_CLASS_IDENTITY, ML_RIGHT_CREATE, out, 1};
    const ml_err err = ml_call_team_named(call, out, name);
    return err == ML_OK ? ml_call_may_in(call, &act) : err;
}

ml_err ml_team_of_patient(const struct ml_org *org, const struct ml_object_id *patient,
                          struct ml_team_id out[ML_KEYRING_LINKS_MAX], size_t *count)
{
    const ml_err err = ml_keyring_teams(ml_session_keyring(org), patient, out, count);
    *count = err == ML_OK ? *count : 0;
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}
