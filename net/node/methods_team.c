/* net/node/methods_team.c -- the teams of a structure: making one, who is in each, and a second one
 * for a patient.
 *
 * Happy path of team.add: TEAM_ADD with its name sealed, then the first epochs of its groups, as
 * far as this member is entitled; what he isn't, or what fails here, the first entitled writer
 * makes (rules A3).
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_group.h"
#include "net/node/card.h"
#include "net/node/consent.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/session.h"
#include "net/node/share.h"
#include "net/node/team.h"

/* ---- adding ---- */

static size_t team_count(const struct ml_gov *gov)
{
    const struct ml_fact *f = NULL;
    size_t count = 0;
    while ((f = ml_gov_next(gov, ML_FACT_TEAM, f)) != NULL) {
        count++;
    }
    return count;
}

/* Two of one name could not be told apart. */
static ml_err name_check(struct ml_call *call, const char *name)
{
    struct ml_team_id same;
    unsigned found = 0;
    const ml_err err = ml_team_find(call->org, name, &same, &found);
    return err == ML_OK && found > 0 ? ml_call_fail(call, ML_E_EXISTS, "team.exists", "team", name)
                                     : err;
}

static ml_err team_append(struct ml_org *org, struct ml_govop *op, const char *name)
{
    struct ml_card_place of = {.kind = ML_CARD_TEAM};
    const struct ml_card card = {.name = name};
    struct ml_buf sealed;
    bool counts = true;
    memcpy(of.id, op->u.team_add.team.b, sizeof(of.id));
    ml_buf_init(&sealed, org->node->env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_card_seal(org, &op->u.team_add.name, &sealed, &of, &card);
    if (err == ML_OK) {
        err = ml_govern_say(org, op, false, &counts);
    }
    ml_buf_free(&sealed);
    return err;
}

/* It is a team already: what fails here is done before the first seal in it. */
static void keys_make(struct ml_org *org)
{
    const ml_err err = ml_keys_ready(org, ML_KEYS_ALL);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "team", "keys are made later: %s", ml_err_name(err));
    }
}

static ml_err team_add(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const struct ml_env *env = call->node->env;
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    struct ml_team_id *team = &op.u.team_add.team;
    const char *name = NULL;
    ml_err err = ml_call_text(call, &name, "name");
    if (err == ML_OK && team_count(ml_log_gov(org->log)) >= ML_ROLE_TEAMS_MAX) {
        err = ml_call_fail(call, ML_E_LIMIT, "team.limit", NULL, NULL);
    }
    if (err == ML_OK) {
        err = name_check(call, name);
    }
    if (err != ML_OK) {
        return err;
    }
    env->random(env->ctx, team->b, sizeof(team->b));
    err = team_append(org, &op, name);
    if (err != ML_OK) {
        return err;
    }
    keys_make(org);
    ml_result_hex(call->result, "team", team->b, sizeof(team->b));
    ml_result_text(call->result, "name", name);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

/* ---- listing ---- */

/* What somebody is in a team. */
struct job {
    uint16_t roles[ML_MATRIX_ROLES_MAX];
    size_t count;
    bool limited; /* by a role for this team, among those named */
};

static void job_take(void *user, const struct ml_step *step)
{
    struct job *job = user;
    const bool given = step->kind == ML_STEP_GIVEN;
    size_t i = 0;
    if ((!given && step->kind != ML_STEP_MEMBER) || step->role == 0) {
        return;
    }
    job->limited = job->limited || (given && step->fact->teams.count > 0);
    while (i < job->count && job->roles[i] != step->role) {
        i++;
    }
    if (i == job->count && i < ML_MATRIX_ROLES_MAX) {
        job->roles[job->count++] = step->role;
    }
}

static void job_put(struct ml_args *out, const struct job *job)
{
    ml_args_key(out, "roles");
    ml_args_list(out);
    for (size_t i = 0; i < job->count; i++) {
        char number[16];
        const char *name = ml_matrix_role_name(job->roles[i]);
        snprintf(number, sizeof(number), "%u", job->roles[i]);
        ml_args_text(out, name == NULL ? number : name);
    }
    ml_args_end(out);
    ml_result_bool(out, "limited", job->limited);
}

static void member_put(struct ml_call *call, const struct ml_member_id *member,
                       const struct ml_team_id *team)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    struct job job = {.count = 0};
    /* Any question tells all his roles; the answer doesn't matter. */
    const struct ml_right_question q = {.member = *member,
                                        .class = ML_CLASS_IDENTITY,
                                        .right = ML_RIGHT_READ,
                                        .ms = ml_keys_utc_ms(call->org),
                                        .team = team};
    (void)ml_right_explain(ml_log_gov(call->org->log), &q, job_take, &job);
    if (job.count == 0) {
        return;
    }
    memcpy(of.id, member->b, sizeof(of.id));
    ml_args_map(call->result);
    ml_result_hex(call->result, "member", member->b, sizeof(member->b));
    ml_card_describe(call->org, call->result, &of);
    job_put(call->result, &job);
    ml_args_end(call->result);
}

static void members_put(struct ml_call *call, const struct ml_team_id *team)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *f = NULL;
    ml_args_key(call->result, "members");
    ml_args_list(call->result);
    while ((f = ml_gov_next(gov, ML_FACT_MEMBER, f)) != NULL) {
        if (ml_gov_member(gov, &f->member) == f) { /* whose rank was given again is one */
            member_put(call, &f->member, team);
        }
    }
    ml_args_end(call->result);
}

/* Its groups whose keys are for the session's member, and those whose key he has. */
static void groups_put(struct ml_call *call, const struct ml_team_id *team)
{
    const struct ml_keyring *k = ml_session_keyring(call->org);
    unsigned groups = 0;
    unsigned held = 0;
    for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE; c++) {
        const ml_group_state state = ml_keyring_group_state(k, team, (ml_compartment)c);
        groups += state != ML_GROUP_CLOSED;
        held += state == ML_GROUP_SEALS || state == ML_GROUP_STALE;
    }
    ml_result_int(call->result, "groups", groups);
    ml_result_int(call->result, "held", held);
}

static ml_err team_list(struct ml_call *call)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *f = NULL;
    const ml_err err = ml_keys_tell(call->org);
    if (err != ML_OK) {
        return err;
    }
    ml_args_key(call->result, "teams");
    ml_args_list(call->result);
    while ((f = ml_gov_next(gov, ML_FACT_TEAM, f)) != NULL) {
        struct ml_card_place of = {.kind = ML_CARD_TEAM};
        memcpy(of.id, f->team.b, sizeof(of.id));
        ml_args_map(call->result);
        ml_result_hex(call->result, "team", f->team.b, sizeof(f->team.b));
        ml_card_describe(call->org, call->result, &of);
        groups_put(call, &f->team);
        members_put(call, &f->team);
        ml_args_end(call->result);
    }
    ml_args_end(call->result);
    return ML_OK;
}

/* ---- another team for a patient ---- */

struct joining {
    struct ml_object_id patient;
    struct ml_team_id team;
    struct ml_team_id his[ML_KEYRING_LINKS_MAX];
    size_t count;
    bool already;
};

static ml_err joining_read(struct ml_call *call, struct joining *j)
{
    const char *name = NULL;
    ml_err err = ml_call_patient(call, &j->patient);
    if (err == ML_OK) {
        err = ml_call_text(call, &name, "add");
    }
    if (err == ML_OK) {
        err = ml_team_of_patient(call->org, &j->patient, j->his, &j->count);
    }
    if (err == ML_OK && (j->count == 0 || ml_object_id_is_zero(&j->patient))) {
        err = ml_call_fail(call, ML_E_NOT_FOUND, "patient.unknown", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ml_call_team_named(call, &j->team, name);
    }
    for (size_t i = 0; err == ML_OK && i < j->count; i++) {
        j->already = j->already || memcmp(j->his[i].b, j->team.b, sizeof(j->team.b)) == 0;
    }
    return err;
}

/* Whoever the patient keeps something from doesn't widen the circle. */
static ml_err unopposed(struct ml_call *call, const struct joining *j)
{
    const struct ml_env *env = call->node->env;
    struct ml_consents c;
    struct ml_consent_person person;
    bool opposed = false;
    ml_err err =
        ml_consents_load(&c, call->session->vault, ml_log_gov(call->org->log), &j->patient);
    ml_consent_person_now(call->org, &person, &call->session->member);
    const struct ml_consent_member self = ml_consent_person_as(&person, c.teams, c.team_count);
    for (size_t i = 0; err == ML_OK && i < c.weighed; i++) {
        opposed = opposed || (ml_consent_is_about(&c.facts[i], &self) &&
                              ml_consent_holds(c.set, i, env->wall_ms(env->ctx), NULL));
    }
    ml_consents_free(&c);
    return err == ML_OK && opposed
               ? ml_call_fail(call, ML_E_DENIED, "patient.team_opposed", NULL, NULL)
               : err;
}

/* He writes down what the patient wants in a team of his, and makes patients in the other one. */
static ml_err may_join(struct ml_call *call, const struct joining *j)
{
    const struct ml_team_act here = {ML_CLASS_WISHES, ML_RIGHT_CREATE, j->his, j->count};
    const struct ml_team_act there = {ML_CLASS_IDENTITY, ML_RIGHT_CREATE, &j->team, 1};
    bool opened = false;
    ml_err err = ml_call_may_in(call, &here);
    if (err == ML_OK) {
        err = ml_call_may_in(call, &there);
    }
    if (err == ML_OK) {
        err = unopposed(call, j);
    }
    if (err == ML_OK) {
        err = ml_session_open_writers(call->org, &opened);
    }
    return err == ML_OK && !opened ? ml_call_no_writer(call) : err;
}

static ml_err patient_team(struct ml_call *call)
{
    struct joining j = {.count = 0};
    ml_err err = joining_read(call, &j);
    if (err == ML_OK) {
        err = may_join(call, &j);
    }
    if (err == ML_OK) {
        err = ml_share_open(call->org, &j.patient, &j.team);
    }
    if (err == ML_E_NO_KEY) {
        return ml_call_fail(call, err, "patient.team_key", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_result_hex(call->result, "patient", j.patient.b, sizeof(j.patient.b));
    ml_result_hex(call->result, "team", j.team.b, sizeof(j.team.b));
    ml_result_bool(call->result, "already", j.already);
    return ml_call_note(call, ML_TRACE_CONSENT, &j.patient);
}

const struct ml_method ml_methods_team[] = {
    {"patient.team", ML_NEEDS_SESSION, patient_team},
    {"team.add", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, team_add},
    {"team.list", ML_NEEDS_SESSION, team_list},
    {NULL, 0, NULL},
};
