/* net/node/methods_right.c -- what a member may do with a class of data, and why; the matrix
 * (docs/habilitation.md). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/hlc.h"
#include "core/model/matrix.h"
#include "net/node/card.h"
#include "net/node/consent.h"
#include "net/node/found.h"
#include "net/node/garant.h"
#include "net/node/govern.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/team.h"

void ml_result_member(struct ml_org *org, struct ml_args *out, const char *key,
                      const struct ml_member_id *member)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_args_key(out, key);
    ml_args_map(out);
    ml_result_hex(out, "member", member->b, sizeof(member->b));
    ml_card_describe(org, out, &of);
    ml_args_end(out);
}

static void role_put(struct ml_args *out, uint16_t role)
{
    char number[16];
    const char *name = ml_matrix_role_name(role);
    snprintf(number, sizeof(number), "%u", role);
    ml_result_text(out, "role", name == NULL ? number : name);
}

static void fact_put(struct ml_org *org, struct ml_args *out, const struct ml_fact *f)
{
    const struct ml_fact *author = ml_gov_opening(ml_log_gov(org->log), &f->at.writer);
    ml_result_hex(out, "bundle", f->at.hash.b, sizeof(f->at.hash.b));
    ml_result_int(out, "recorded_ms", (int64_t)ml_hlc_ms(f->hlc));
    if (f->matrix != NULL) {
        ml_result_int(out, "version", f->matrix->version);
    }
    if (f->kind == ML_FACT_ROLE && f->until_ms != 0) {
        ml_result_int(out, "until_ms", (int64_t)f->until_ms);
    }
    if (author != NULL) {
        ml_result_member(org, out, "by", &author->member);
    }
    if (!ml_is_zero(f->replaces.b, sizeof(f->replaces.b))) {
        ml_result_member(org, out, "replaces", &f->replaces);
    }
}

static void step_put(void *user, const struct ml_step *step)
{
    const struct ml_call *call = user;
    char text[ML_CALL_TEXT_MAX];
    snprintf(text, sizeof(text), "right.%s", ml_step_name(step->kind));
    ml_args_map(call->result);
    ml_result_text(call->result, "text", text);
    if (step->role != 0) {
        role_put(call->result, step->role);
    }
    if (step->fact != NULL) {
        fact_put(call->org, call->result, step->fact);
    }
    ml_args_end(call->result);
}

/* By its number, or by how its French name begins. 0: none. */
unsigned ml_call_class(const char *text)
{
    if (isdigit((unsigned char)text[0])) {
        const unsigned long number = strtoul(text, NULL, 10);
        return number <= ML_CLASS_LAST ? (unsigned)number : 0;
    }
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        if (text[0] != '\0' && strncmp(ml_class_name(class), text, strlen(text)) == 0) {
            return class;
        }
    }
    return 0;
}

static const char *const right_names[] = {"create", "amend", "deposit", "see",
                                          "read",   "print", "export"};

static ml_right right_of(const char *text)
{
    unsigned right = ML_RIGHT_LAST;
    while (right > 0 && strcmp(right_names[right - 1], text) != 0) {
        right--;
    }
    return (ml_right)right;
}

static void no_step(void *user, const struct ml_step *step)
{
    (void)user;
    (void)step;
}

ml_scope ml_right_of(const struct ml_org *org, const struct ml_member_id *member, unsigned class,
                     ml_right right)
{
    const struct ml_right_question q = {
        .member = *member, .class = class, .right = right, .ms = ml_keys_utc_ms(org)};
    return ml_right_explain(ml_log_gov(org->log), &q, no_step, NULL);
}

ml_scope ml_right_now(const struct ml_org *org, unsigned class, ml_right right)
{
    return ml_right_of(org, &org->session->member, class, right);
}

/* Roles that were given him for another time. */
struct dated {
    const struct ml_fact *ended;   /* the last */
    const struct ml_fact *awaited; /* the next */
};

static void dated_take(void *user, const struct ml_step *step)
{
    struct dated *d = user;
    if (step->kind == ML_STEP_ENDED &&
        (d->ended == NULL || step->fact->until_ms > d->ended->until_ms)) {
        d->ended = step->fact;
    }
    if (step->kind == ML_STEP_NOT_YET &&
        (d->awaited == NULL || step->fact->from_ms < d->awaited->from_ms)) {
        d->awaited = step->fact;
    }
}

/* As this computer's calendar has it. */
static void detail_date(struct ml_call *call, uint64_t ms)
{
    char text[32] = "";
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (localtime_r(&seconds, &tm) != NULL) {
        (void)strftime(text, sizeof(text), "%d/%m/%Y %H:%M", &tm);
    }
    ml_call_detail(call, "date", text);
}

static ml_err refuse(struct ml_call *call, const struct ml_right_question *q)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *member = ml_gov_member(gov, &q->member);
    struct ml_right_question always = *q;
    struct dated d = {.ended = NULL};
    if (member != NULL && member->rank == ML_RANK_GARANT) {
        return ml_call_fail(call, ML_E_DENIED, ml_rank_wanted(member), NULL, NULL);
    }
    always.undated = true;
    (void)ml_right_explain(gov, q, dated_take, &d);
    const struct ml_fact *fact = d.awaited != NULL ? d.awaited : d.ended;
    if (fact == NULL || ml_right_explain(gov, &always, no_step, NULL) == ML_SCOPE_NONE) {
        return ml_call_fail(call, ML_E_DENIED, "right.refused", "class", ml_class_name(q->class));
    }
    const bool ended = fact == d.ended;
    detail_date(call, ended ? fact->until_ms : fact->from_ms);
    const ml_err err = ml_call_detail_by(call, fact);
    return err != ML_OK ? err
                        : ml_call_fail(call, ML_E_DENIED, ended ? "right.ended" : "right.awaited",
                                       "class", ml_class_name(q->class));
}

ml_err ml_call_may(struct ml_call *call, unsigned class, ml_right right)
{
    const struct ml_right_question q = {.member = call->session->member,
                                        .class = class,
                                        .right = right,
                                        .ms = ml_keys_utc_ms(call->org)};
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    /* Who is no member, is told so otherwise. */
    const bool asked = ml_gov_wants_writes(gov, ML_LANE_RECORD) || ml_gov_has_garants(gov);
    if (!asked || ml_gov_member(gov, &q.member) == NULL ||
        ml_right_explain(gov, &q, no_step, NULL) != ML_SCOPE_NONE) {
        return ML_OK;
    }
    return refuse(call, &q);
}

static void consent_step_put(void *user, const struct ml_consent_step *step)
{
    const struct ml_call *call = user;
    char text[ML_CALL_TEXT_MAX];
    snprintf(text, sizeof(text), "consent.%s", ml_consent_step_name(step->kind));
    ml_args_map(call->result);
    ml_result_text(call->result, "text", text);
    if (step->fact != NULL) {
        ml_result_hex(call->result, "statement", step->fact->id.b, sizeof(step->fact->id.b));
        ml_result_int(call->result, "recorded_ms", (int64_t)ml_hlc_ms(step->fact->hlc));
        ml_result_member(call->org, call->result, "by", &step->fact->author);
    }
    if (step->by != NULL) {
        ml_result_hex(call->result, "over", step->by->id.b, sizeof(step->by->id.b));
    }
    ml_args_end(call->result);
}

ml_scope ml_right_here(const struct ml_org *org, unsigned class, ml_right right,
                       const struct ml_team_id *teams, size_t count)
{
    struct ml_right_question q = {
        .member = org->session->member, .class = class, .right = right, .ms = ml_keys_utc_ms(org)};
    ml_scope most = count == 0 ? ml_right_now(org, class, right) : ML_SCOPE_NONE;
    for (size_t i = 0; i < count; i++) {
        q.team = &teams[i];
        const ml_scope scope = ml_right_explain(ml_log_gov(org->log), &q, no_step, NULL);
        most = scope > most ? scope : most;
    }
    return most;
}

/* Of the patient's teams the one where the member may most: where he may nothing, the first. */
static const struct ml_team_id *team_of(const struct ml_gov *gov, struct ml_right_question q,
                                        const struct ml_consents *c)
{
    const struct ml_team_id *best = c->team_count > 0 ? &c->teams[0] : NULL;
    ml_scope most = ML_SCOPE_NONE;
    for (size_t i = 0; i < c->team_count; i++) {
        q.team = &c->teams[i];
        const ml_scope scope = ml_right_explain(gov, &q, no_step, NULL);
        if (scope > most) {
            most = scope;
            best = q.team;
        }
    }
    return best;
}

/* What the patient decided, of what is read: *may is no if he is against it. */
static void consent_explain(struct ml_call *call, const struct ml_right_question *q,
                            const struct ml_consents *c, bool *may)
{
    struct ml_consent_person person;
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    if (c->team_count > 0 && q->right >= ML_RIGHT_SEE) {
        ml_consent_person_of(&person, gov, &q->member, q->ms);
        const struct ml_consent_question asked = {
            .member = ml_consent_person_as(&person, c->teams, c->team_count),
            .class = q->class,
            .now_ms = q->ms};
        *may = ml_consent_decide(c->set, &asked, consent_step_put, call) == ML_CONSENT_YES;
    }
}

/* `patient` NULL: whoever it is about. */
static ml_err explain(struct ml_call *call, struct ml_right_question *q,
                      const struct ml_object_id *patient)
{
    struct ml_consents c = {.team_count = 0};
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    bool may = true;
    ml_err err = patient == NULL ? ML_OK : ml_consents_load(&c, call->session->vault, gov, patient);
    if (err == ML_OK && patient != NULL && c.team_count == 0) {
        err = ml_call_fail(call, ML_E_NOT_FOUND, "patient.unknown", NULL, NULL);
    }
    if (err == ML_OK) {
        q->team = patient == NULL ? q->team : team_of(gov, *q, &c);
        ml_result_text(call->result, "class", ml_class_name(q->class));
        ml_args_key(call->result, "steps");
        ml_args_list(call->result);
        const ml_scope scope = ml_right_explain(gov, q, step_put, call);
        consent_explain(call, q, &c, &may);
        ml_args_end(call->result);
        ml_result_bool(call->result, "allowed", scope != ML_SCOPE_NONE && may);
        ml_result_int(call->result, "scope", scope);
    }
    if (patient != NULL) {
        ml_consents_free(&c);
    }
    return err;
}

static ml_err right_explain(struct ml_call *call)
{
    struct ml_right_question q = {.ms = ml_keys_utc_ms(call->org)};
    struct ml_object_id patient;
    struct ml_team_id team;
    const bool named = ml_value_get(call->params, "patient") != NULL;
    const char *of = ml_call_text_or(call, "team", NULL);
    const char *class = NULL;
    ml_err err = ml_call_id(call, q.member.b, sizeof(q.member.b), "member");
    if (err == ML_OK) {
        err = ml_call_text(call, &class, "class");
    }
    if (err == ML_OK && named) {
        err = ml_call_patient(call, &patient);
    }
    if (err == ML_OK && of != NULL) {
        err = named ? ml_call_fail(call, ML_E_INVALID, "right.team_or_patient", NULL, NULL)
                    : ml_call_team_named(call, &team, of);
        q.team = &team;
    }
    if (err != ML_OK) {
        return err;
    }
    q.class = ml_call_class(class);
    q.right = right_of(ml_call_text_or(call, "action", "read"));
    if (q.class == 0) {
        return ml_call_fail(call, ML_E_INVALID, "right.class", "class", class);
    }
    if (q.right == 0) {
        return ml_call_fail(call, ML_E_INVALID, "right.action", NULL, NULL);
    }
    err = explain(call, &q, named ? &patient : NULL);
    if (err != ML_OK) {
        return err;
    }
    return ml_call_note(call, ML_TRACE_READ, named ? &patient : NULL);
}

static ml_err matrix_append(struct ml_org *org, const struct ml_matrix *matrix, bool propose,
                            bool *counts)
{
    struct ml_govop op = {.type = ML_GOVOP_MATRIX, .must_understand = true};
    struct ml_buf table;
    ml_buf_init(&table, org->node->env, ML_MATRIX_BYTES_MAX);
    ml_err err = ml_matrix_encode(&table, matrix);
    if (err == ML_OK) {
        op.u.matrix.table = ml_buf_slice(&table);
        err = ml_govern_say(org, &op, propose, counts);
    }
    ml_buf_free(&table);
    return err;
}

ml_err ml_org_adopt_matrix(struct ml_org *org)
{
    struct ml_matrix matrix;
    bool counts = true;
    ml_matrix_default(&matrix);
    return matrix_append(org, &matrix, false, &counts);
}

/* Once: what comes after is edited. */
static ml_err right_adopt(struct ml_call *call)
{
    struct ml_matrix matrix;
    if (ml_gov_matrix(ml_log_gov(call->org->log), &matrix)) {
        return ml_call_fail(call, ML_E_INVALID, "right.adopted", NULL, NULL);
    }
    ml_err err = ml_org_adopt_matrix(call->org);
    if (err != ML_OK) {
        return err;
    }
    ml_result_int(call->result, "version", 1);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

/* ---- the matrix ---- */

static void cell_put(struct ml_args *out, const struct ml_matrix *m, size_t row, unsigned class)
{
    const uint16_t cell = m->cells[row][class];
    char number[16];
    ml_args_map(out);
    role_put(out, m->roles[row]);
    ml_result_int(out, "role_number", m->roles[row]);
    snprintf(number, sizeof(number), "%u", class);
    ml_result_text(out, "class", ml_class_name(class) == NULL ? number : ml_class_name(class));
    ml_result_int(out, "class_number", class);
    for (unsigned right = 1; right <= ML_RIGHT_LAST; right++) {
        const ml_scope scope = ml_matrix_scope(m, m->roles[row], class, (ml_right)right);
        ml_result_int(out, right_names[right - 1], scope);
    }
    ml_result_bool(out, "cosigned", (cell & ML_CELL_COSIGN) != 0);
    ml_args_end(out);
}

static void row_put(struct ml_args *out, const struct ml_matrix *m, size_t row)
{
    for (unsigned class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
        if (m->cells[row][class] != 0) {
            cell_put(out, m, row, class);
        }
    }
}

/* Its cells, of all roles or of `role`; none: without a matrix members write anything. */
static ml_err matrix_show(struct ml_call *call)
{
    struct ml_matrix m = {.version = 0};
    const int64_t role = ml_value_int(ml_value_get(call->params, "role"), 0);
    const bool has = ml_gov_matrix(ml_log_gov(call->org->log), &m);
    ml_result_int(call->result, "version", has ? m.version : 0);
    ml_args_key(call->result, "cells");
    ml_args_list(call->result);
    for (size_t r = 0; has && r < m.count; r++) {
        if (role == 0 || m.roles[r] == role) {
            row_put(call->result, &m, r);
        }
    }
    ml_args_end(call->result);
    return ML_OK;
}

/* "60:7=w": role, class, letters. */
static bool edit_cell(struct ml_matrix *m, const char *text)
{
    char *end = NULL;
    uint16_t cell = 0;
    const unsigned long role = strtoul(text, &end, 10);
    const unsigned long class = *end == ':' ? strtoul(end + 1, &end, 10) : 0;
    return role >= 1 && role <= UINT16_MAX && class >= 1 && class <= ML_CLASS_LAST && *end == '=' &&
           ml_matrix_cell_of(&cell, end + 1) &&
           ml_matrix_set(m, (uint16_t)role, (unsigned)class, cell) == ML_OK;
}

static ml_err edit_all(struct ml_call *call, struct ml_matrix *m)
{
    const struct ml_value *edits = ml_value_get(call->params, "set");
    if (ml_value_count(edits) == 0) {
        return ml_call_fail(call, ML_E_INVALID, "matrix.cell", "cell", "");
    }
    for (const struct ml_value *e = ml_value_at(edits, 0); e != NULL; e = ml_value_next(e)) {
        const char *text = ml_value_text(e, "");
        if (!edit_cell(m, text)) {
            return ml_call_fail(call, ML_E_INVALID, "matrix.cell", "cell", text);
        }
    }
    m->version += m->version < UINT32_MAX;
    return ML_OK;
}

/* On what stands: of several that stand side by side on the stricter. */
static ml_err matrix_set(struct ml_call *call)
{
    struct ml_org *org = call->org;
    struct ml_author author;
    struct ml_matrix m;
    bool counts = true;
    if (!ml_gov_matrix(ml_log_gov(org->log), &m)) {
        return ml_call_fail(call, ML_E_INVALID, "matrix.none", NULL, NULL);
    }
    ml_err err = edit_all(call, &m);
    if (err != ML_OK) {
        return err;
    }
    ml_session_author(org, &author);
    if (!ml_call_proposes(call) && ml_gov_is_matrix_own(ml_log_gov(org->log), &author.id, &m)) {
        return ml_call_fail(call, ML_E_DENIED, "matrix.own", NULL, NULL);
    }
    err = matrix_append(org, &m, ml_call_proposes(call), &counts);
    if (err != ML_OK) {
        return err;
    }
    ml_result_int(call->result, "version", m.version);
    ml_result_bool(call->result, "counts", counts);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

const struct ml_method ml_methods_right[] = {
    {"right.explain", ML_NEEDS_SESSION, right_explain},
    {"right.adopt", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, right_adopt},
    {"matrix.show", ML_NEEDS_SESSION, matrix_show},
    {"matrix.set", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, matrix_set},
    {NULL, 0, NULL},
};
